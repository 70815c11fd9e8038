"""Personal data in free text: checked recognisers, Dutch first, cheap when there is nothing.

`scan(text)` gives spans in code points. Below SUSPECT a span is a suspicion (for a person), above it is recognised.
Cheap tests of characters and words decide which recognisers run at all. Names in prose are not searched for: only
properties that hold names are known (`pii_guard.paths`), and a name that follows a title is a suspicion.
"""

import re
from collections.abc import Callable

from pii_guard.detect_network import (
    addresses,
    credentials,
    emails,
    hex_addresses,
    social,
    urls,
    user_names,
    user_paths,
)
from pii_guard.detect_persons import births, homes, numbers, persons, plates
from pii_guard.span import SUSPECT, Found, Span

__all__ = ["SUSPECT", "Span", "scan"]

_CLUSTER = re.compile(r"\d[\d .()\[\]/-]{5,}\d")
"""A run that could be an address, a phone number, a BSN, an account or a date."""
_COLON = re.compile(r":[0-9A-Fa-f:\]]")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_DOTTED = re.compile(r"\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_Recogniser = Callable[[str], Found]


def scan(text: str) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few tests for characters."""
    if len(text) < 4:
        return []
    lower = text.lower()
    due = _signs(text, lower)
    letters = lower.encode("utf-8", "replace")
    if len(letters.translate(None, b"0123456789")) != len(letters) or not text.isascii():
        due += _digit_signs(text, lower)
    if not due:
        return []
    found = [span for recogniser in due for span in recogniser(text)]
    return _apart(found) if found else found


def _signs(text: str, lower: str) -> list[_Recogniser]:
    """Recognisers whose values need no digit, for which the text shows a first sign."""
    due: list[_Recogniser] = []
    if "@" in text or "＠" in text or "%40" in text or "&#64;" in text or _spoken(lower):
        due.append(emails)
    slash, colon = "/" in text, ":" in text
    if slash and "//" in text:
        due.append(urls)
    if slash and (".com/" in lower or ".me/" in lower) and _profile(lower):
        due.append(social)
    if (slash or "\\" in text) and _home_folder(lower):
        due.append(user_paths)
    if ((colon or "=" in text) and _secret(lower)) or _token(text):
        due.append(credentials)
    if _account(lower):
        due.append(user_names)
    if (colon and _COLON.search(text)) or ("-" in text and _DASHES.search(text)):
        due.append(hex_addresses)
    if _person(lower):
        due.append(persons)
    return due


def _digit_signs(text: str, lower: str) -> list[_Recogniser]:
    """Recognisers whose values need digits."""
    due: list[_Recogniser] = []
    clusters = _CLUSTER.findall(text)
    if clusters or "dot" in lower or "{.}" in text or "_" in text:
        due.append(addresses)
    if any(sum(map(str.isdigit, cluster)) >= 8 for cluster in clusters):
        due.append(numbers)
    if ":" not in text and _DOTTED.search(text):
        due.append(hex_addresses)
    if "plate" in lower or "plaat" in lower or "kenteken" in lower:
        due.append(plates)
    if "geb" in lower or "birth" in lower or "born" in lower or "dob" in lower or "d.o.b" in lower:
        due.append(births)
    if _home(lower):
        due.append(homes)
    return due


def _spoken(lower: str) -> bool:
    return (
        "at]" in lower or "(at)" in lower or "at}" in lower or "at>" in lower or " dot " in lower or " punt " in lower
    )


def _home_folder(lower: str) -> bool:
    return "users" in lower or "/home/" in lower or "settings" in lower or "gebruikers" in lower


def _token(text: str) -> bool:
    return (
        "AKIA" in text
        or "ASIA" in text
        or "eyJ" in text
        or "AIza" in text
        or "xox" in text
        or "sk_live" in text
        or "PRIVATE KEY" in text
        or ("_" in text and "gh" in text)
    )


def _account(lower: str) -> bool:
    if "user" in lower or "gebruiker" in lower:
        return (
            "/user" in lower
            or "-user" in lower
            or "net user" in lower
            or "net  user" in lower
            or "user=" in lower
            or "user =" in lower
            or "username" in lower
            or "user name" in lower
            or "user_name" in lower
            or "user-id" in lower
            or "gebruikersnaam" in lower
        )
    return (
        "login" in lower
        or "account:" in lower
        or "account=" in lower
        or "ssh " in lower
        or "su - " in lower
        or "scp " in lower
        or "sftp " in lower
        or "/ru" in lower
    )


def _profile(lower: str) -> bool:
    return (
        "linkedin" in lower
        or "facebook" in lower
        or "instagram" in lower
        or "twitter" in lower
        or "/x.com" in lower
        or "/t.me" in lower
        or "tiktok" in lower
        or "snapchat" in lower
        or "vk.com" in lower
    )


def _secret(lower: str) -> bool:
    return (
        "pass" in lower
        or "key" in lower
        or "token" in lower
        or "secret" in lower
        or "pwd" in lower
        or "wachtw" in lower
        or "pincode" in lower
        or "authorization" in lower
        or "cookie" in lower
    )


def _person(lower: str) -> bool:
    if "mr" in lower or "ms" in lower or "mw" in lower:
        padded = f" {lower}"
        if " mr" in padded or " ms " in padded or " ms." in padded or " mw" in padded or "(mr" in lower:
            return True
    return "dhr" in lower or "mevr" in lower or "heer" in lower or "contactpers" in lower or "t.a.v" in lower


def _home(lower: str) -> bool:
    if "adres" in lower or "postcode" in lower or "address" in lower or "woon" in lower:
        return True
    return (
        "straat " in lower
        or "laan " in lower
        or "weg " in lower
        or "plein " in lower
        or "gracht " in lower
        or "kade " in lower
        or "dijk " in lower
        or "singel " in lower
        or "dreef " in lower
        or "steeg " in lower
        or "hof " in lower
        or "plantsoen " in lower
    )


def _apart(spans: list[Span]) -> list[Span]:
    """In order, overlapping spans as one: its category is that of the surest."""
    spans.sort(key=lambda span: (span.start, -span.end))
    made: list[Span] = [spans[0]]
    for span in spans[1:]:
        last = made[-1]
        if span.start >= last.end:
            made.append(span)
            continue
        surer = span if span.confidence > last.confidence else last
        made[-1] = surer._replace(start=last.start, end=max(last.end, span.end))
    return made
