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
    tokens,
    urls,
    user_names,
    user_paths,
)
from pii_guard.detect_persons import births, homes, numbers, persons, plates
from pii_guard.span import SUSPECT, Found, Span

__all__ = ["SUSPECT", "Span", "scan"]

_QUAD = re.compile(r"\d(?:[.-]|[\[({]\S{1,4})\d{1,3}(?:[.-]|[\[({]\S{1,4})\d{1,3}(?:[.-]|[\[({])")
"""The beginning of an address, defanged or not."""
_EIGHT = re.compile(r"\d(?:[ .()\[\]-]{0,3}\d){7}|\d/\d{6}")
"""Digits enough for a BSN, a telephone number or an account."""
_DAY = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d").fullmatch
_STREET = re.compile(r"[atnghekfl] [1-9]")
"""The end of a word for a street, and a number behind it."""
_USER = re.compile(r"user(?:=|:| =|[ _-]?name|[_-]id| -)|gebruikersnaam|[/-]user|net +user")
_COLON = re.compile(r":[0-9A-Fa-f:\]]")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_DOTTED = re.compile(r"\.[0-9A-Fa-f]{4}\.")
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
    slash, assigned = "/" in text, ":" in text or "=" in text
    if "@" in text or "＠" in text or "%40" in text or "&#64;" in text or _spoken(lower):
        due.append(emails)
    if slash and "//" in text:
        due.append(urls)
        if _profile(lower):
            due.append(social)
    elif slash and (".com/" in lower or ".me/" in lower) and _profile(lower):
        due.append(social)
    if (slash or "\\" in text) and _home_folder(lower):
        due.append(user_paths)
    if (assigned and _secret(lower)) or "AKIA" in text or "ASIA" in text or "-----BEGIN" in text:
        due.append(credentials)
    if (assigned and _COLON.search(text)) or ("-" in text and _DASHES.search(text)):
        due.append(hex_addresses)
    if _account(lower, assigned=assigned):
        due.append(user_names)
    if _person(lower):
        due.append(persons)
    return due


def _digit_signs(text: str, lower: str) -> list[_Recogniser]:
    """Recognisers whose values need digits."""
    due: list[_Recogniser] = []
    if _QUAD.search(text) or "_" in text or "dot" in lower:
        due.append(addresses)
    if any(not _DAY(match.group()) for match in _EIGHT.finditer(text)):
        due.append(numbers)
    if ":" not in text and _DOTTED.search(text):
        due.append(hex_addresses)
    if _token(text):
        due.append(tokens)
    if "plat" in lower or "plaat" in lower or "kenteken" in lower:
        due.append(plates)
    if "geb" in lower or "born" in lower or "birth" in lower or "dob" in lower or "d.o.b" in lower:
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
    return "eyJ" in text or "AIza" in text or "xox" in text or ("_" in text and ("gh" in text or "sk_live" in text))


def _account(lower: str, *, assigned: bool) -> bool:
    if "user" in lower or "gebruiker" in lower:
        return _USER.search(lower) is not None
    if assigned and ("login" in lower or "account" in lower):
        return True
    return "su - " in lower or "ssh " in lower or "scp " in lower or "sftp " in lower or "/ru" in lower


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
    """Is there a word of an address, or of a Dutch street with a space for its number behind it?"""
    if "adres" in lower or "address" in lower or "postcode" in lower or "woon" in lower:
        return True
    return _STREET.search(lower) is not None and (
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
