"""/verify: is a message that somebody got ours?

Says to the holder of a code which message was sent on which day, and nothing else: not to whom, nor what it said. A
GET, so that the code can stand in the address; it changes nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.dates import format_date
from fastapi import APIRouter, Request, Response

from dispatch import codes, ledger, outbox, wording
from web import html
from web.limits import Buckets

PER_MINUTE = 30
"""Wrong codes that one peer may try a minute; who has one of ours is never held up by others behind the same proxy.
There are 2^60, so that also without a limit none is guessed."""
_ZONE = ZoneInfo("Europe/Amsterdam")
_LOCALES = {"nl": "nl_NL", "en": "en_GB"}


def router(engine: sa.Engine, clock: Callable[[], datetime], title: str) -> APIRouter:
    """The page with its form, and the answer on it."""
    tries, routes = Buckets(PER_MINUTE), APIRouter()

    @routes.get("/verify")
    def verify(request: Request, code: str = "") -> Response:
        tongue = html.language(request.headers.get("accept-language"))
        typed = code.strip()[:40]
        found, status = _Answer("ask"), 200
        if typed:
            found = _look(engine, typed, tongue)
        if found.kind == "none" and tries.take(request.client.host if request.client else "", clock()):
            found, status = _Answer("wait"), 429
        headers = {"Vary": "Accept-Language", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return html.page(
            "verify", tongue, status=status, headers=headers | ({"Retry-After": "60"} if status == 429 else {}),
            form=True, title=title, answer=found.kind, number=found.number, day=found.day,
        )  # fmt: skip

    return routes


class _Answer(NamedTuple):
    """What the page says: ask, wait, none, yes."""

    kind: str
    number: str = ""
    day: str = ""


def _look(engine: sa.Engine, typed: str, tongue: str) -> _Answer:
    start = codes.beginning(typed)
    if start is None:
        return _Answer("none")
    with engine.execution_options(readonly=True).connect() as connection:
        sent = ledger.sent_as(connection, start) or outbox.left_as(connection, start)
    if sent is None:
        return _Answer("none")
    number, at = sent
    named = wording.named(number, tongue)
    return _Answer("yes", named, format_date(at.astimezone(_ZONE), "EEEE d MMMM y", locale=_LOCALES[tongue]))
