"""Pages for people with a browser: one frame, nothing from elsewhere, no script but on the two pages for passkeys; in
Dutch, unless English is preferred or was chosen by the link that each page has.

Words stand in `templates/NAME.LANGUAGE.toml`, the page in `templates/NAME.html`.
"""

import base64
import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

LANGUAGES = ("nl", "en")
COOKIE = "oktt-lang"
_NAMES = {"nl": "Nederlands", "en": "English"}
_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def language(accept: str | None) -> str:
    """Of an Accept-Language header: Dutch, unless English is preferred."""
    asked = {name.partition("-")[0]: rank for name, rank in ranked(accept).items()}
    return min(LANGUAGES, key=lambda each: asked.get(each, math.inf))


def ranked(header: str | None) -> dict[str, int]:
    """What an Accept or Accept-Language header names, and its place from the most wanted, 0, on (RFC 9110 12.4.2); the
    most wanted comes last."""
    found = []
    for at, part in enumerate((header or "").split(",")):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = next((each.removeprefix("q=") for each in parameters if each.startswith("q=")), "1")
        if name and re.fullmatch(r"1(\.0*)?|0?\.\d*[1-9]\d*", quality):
            found.append((-float(quality), at, name))
    return {name: rank for rank, (_, _, name) in reversed(list(enumerate(sorted(found))))}


@cache
def words(name: str, tongue: str) -> dict[str, Any]:
    """The words of a page."""
    return tomllib.loads((_TEMPLATES / f"{name}.{tongue}.toml").read_text(encoding="utf-8"))


def chosen(request: Request) -> str:
    """The language that a reader chose by the link on our pages: now, or before (a cookie); empty: none."""
    asked = request.query_params.get("lang", "")
    found = asked if asked in LANGUAGES else request.cookies.get(COOKIE, "")
    return found if found in LANGUAGES else ""


def tongue(request: Request, own: str = "") -> str:
    """In which language a page is: the chosen one, else somebody's own, else what the browser prefers."""
    known = own if own in LANGUAGES else language(request.headers.get("accept-language"))
    return chosen(request) or known


def page(
    name: str, tongue: str, *, status: int = 200, headers: Mapping[str, str] | None = None, form: bool = False,
    wording: str = "", script: bool = False, switch: str = "", **content: Any,
) -> Response:  # fmt: skip
    """A page in one language. `form`: it has one, which is sent to where the page is from. `wording`: its words stand
    under another name than its own. `script`: it has one of ours. `switch`: the page that it is in another language,
    empty: the one that was asked for."""
    its_words = words(wording or name, tongue)
    text = (
        _environment()
        .get_template(f"{name}.html")
        .render(words=its_words, language=tongue, switch=switch, languages=_NAMES, **content)
    )
    digest = base64.b64encode(sha256(_STYLE.findall(text)[0].encode()).digest()).decode()
    target = "'self'" if form else "'none'"
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"
    policy += "; script-src 'self'" if script else ""
    said = {
        "Content-Security-Policy": f"{policy}; form-action {target}",
        "Content-Language": tongue,
        "Cache-Control": "no-store",
    }
    return Response(text, status, headers=said | dict(headers or {}) | {"Content-Type": "text/html; charset=utf-8"})


def nowhere(request: Request, service: str, contact: str) -> Response:
    """For the address of a mail that we did not make, or of which nothing is kept any more."""
    tongue = language(request.headers.get("accept-language"))
    return page("nolink", tongue, status=404, contact=contact, service=service)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
