"""Words for people: the fixed texts per language, times, numbers, and outside text made harmless."""

import functools
import re
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from normalize import Observable, sectors

TEMPLATES = Path(__file__).parent / "templates"
ZONE = ZoneInfo("Europe/Amsterdam")
LANGUAGES = ("nl", "en")
Words = Mapping[str, Mapping[str, str]]
_LOCALES = {"nl": "nl_NL", "en": "en_GB"}
_URL = re.compile(r"\b(h)tt(ps?://)([^\s/?#<>\"']+)", re.IGNORECASE)
_WWW = re.compile(r"(?<![\w/@.-])www(?:\.[\w-]+)+", re.IGNORECASE)
"""An address without scheme: mail programs make a link of it too."""


_LATER = re.compile(r"(\S+) and later\b")


@dataclass(frozen=True, slots=True)
class Lines:
    """The first of many, and how many more there are, in words (empty: no more)."""

    lines: tuple[str, ...]
    more: str = ""


@functools.cache
def words(language: str) -> Words:
    """The fixed texts of a language; one that we do not have reads English."""
    name = language if language in LANGUAGES else "en"
    table: Words = tomllib.loads((TEMPLATES / f"words.{name}.toml").read_text("utf-8"))
    return table


def capped(lines: Sequence[str], most: int, language: str) -> Lines:
    """At most so many, and an exact "and N more"."""
    rest = len(lines) - most
    more = words(language)["text"]["more"].format(count=number(rest, language)) if rest > 0 else ""
    return Lines(tuple(lines[:most]), more)


def plain(text: str, most: int = 300) -> str:
    """One line without control, invisible or direction-changing characters, at most so many characters."""
    kept = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return shortened(" ".join(kept.split()), most)


def shortened(text: str, most: int) -> str:
    """Cut at a word, with an ellipsis; at a character where there is no word to cut at."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > most // 2 else cut).rstrip(" ,;:-") + "…"


def defanged(value: str) -> str:
    """`hxxps://evil[.]example/x`, `198[.]51[.]100[.]7`, `2001[:]db8[:]:1`: nothing a mail program makes a link of."""
    scheme, sign, rest = value.partition("://")
    if sign:
        host, slash, path = rest.partition("/")
        return scheme.replace("tt", "xx") + sign + host.replace(".", "[.]") + slash + path
    local, at, domain = value.rpartition("@")
    if at:
        return f"{local}[@]{domain.replace('.', '[.]')}"
    return value.replace(".", "[.]") if "." in value else value.replace(":", "[:]", 2)


def harmless(text: str, observables: Sequence[Observable], trusted: Sequence[str] = ()) -> str:
    """Free text with the item's indicators, and web addresses on hosts that are not `trusted`, defanged."""
    hosts = {host.lower() for host in trusted}

    def web(found: re.Match[str]) -> str:
        return found[0] if found[3].lower() in hosts else f"{found[1]}xx{found[2]}{found[3].replace('.', '[.]')}"

    text = _URL.sub(web, text)
    if "www." in text.lower():
        text = _WWW.sub(lambda found: found[0] if found[0].lower() in hosts else found[0].replace(".", "[.]"), text)
    values = {o.value for o in observables if not o.own and len(o.value) > 3 and o.value in text and "." in o.value}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, defanged(value))
    return text


@functools.lru_cache(maxsize=8192)
def sector(code: str, language: str) -> str:
    """`industrie (SBI:25.62)`: the section that a code lies in; of one that lies in several, its own word."""
    named = words(language)["sector"]
    section = next((letter for letter in named if sectors.covers(f"SBI:{letter}", code)), None)
    name = named[section] if section else code.partition(":")[2].replace("-", " ").replace(".", ", ")
    return f"{name} ({code})"


def limits(text: str, language: str) -> str:
    """Versions as they were read or stated, those of its words that are ours in the reader's language."""
    named = words(language)["range"]
    text = text.replace("all but ", f"{named['but']} ").replace("other versions", named["other"])
    text = text.replace("all versions", named["all"])
    return _LATER.sub(lambda found: named["later"].format(version=found[1]), text)


def date_of(at: datetime, language: str) -> str:
    """`2 maart 2026`, Dutch local time: of what lies months away."""
    return format_date(at.astimezone(ZONE), "d MMMM y", locale=_LOCALES.get(language, "en_GB"))


def moment(at: datetime, language: str) -> str:
    """`2 maart 2026 09:00`, Dutch local time."""
    return format_datetime(at, "d MMMM y HH:mm", tzinfo=ZONE, locale=_LOCALES.get(language, "en_GB"))


def day(at: datetime | date, language: str) -> str:
    """`maandag 2 maart`."""
    local = at.astimezone(ZONE) if isinstance(at, datetime) else at
    return format_date(local, "EEEE d MMMM", locale=_LOCALES.get(language, "en_GB"))


def named(subject: str, language: str) -> str:
    """What readers know a message by: an item's number, and of an edition `NCSC deze week van 6 maart`."""
    edition, _, of = subject.partition("/")
    if edition not in ("monday", "friday"):
        return subject
    text = words(language)["digest"]
    when = format_date(date.fromisoformat(of), "d MMMM", locale=_LOCALES.get(language, "en_GB"))
    return text["named"].format(edition=text[edition], day=when)


def short(at: date, language: str) -> str:
    """`2 mrt`."""
    return format_date(at, "d MMM", locale=_LOCALES.get(language, "en_GB")).rstrip(".")


def clock(at: datetime) -> str:
    """`09:00`, Dutch local time."""
    return at.astimezone(ZONE).strftime("%H:%M")


def span(length: timedelta, language: str) -> str:
    """In the largest unit of which there are at least two."""
    text, minutes = words(language)["text"], max(0, round(length.total_seconds() / 60))
    if minutes < 120:
        return text["minutes"].format(count=minutes)
    return text["hours"].format(count=minutes // 60) if minutes < 2880 else text["days"].format(count=minutes // 1440)


def number(value: float, language: str, decimals: int = 0) -> str:
    """`1.234,5` in Dutch, `1,234.5` in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def fold(text: str) -> str:
    """Plain text in lines of at most 72 characters; words, and so addresses, stay whole."""
    return item(text, "")


def item(text: str, mark: str) -> str:
    """The same behind a mark (`- `, `1. `), further lines indented."""
    indent = " " * len(mark)
    return textwrap.fill(
        text, 72, initial_indent=mark, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def head(text: str) -> str:
    """A heading in plain text."""
    return f"{text.upper()}\n{'-' * len(text)}"
