"""First signs: which recognisers could find anything in a text at all. Exact: what is not due would find nothing.

A regular expression costs 20 to 100 times what a test for a character or a word costs, and most text has no sign of
most values. Each test below is something without which the recogniser's own pattern cannot match
(tests/pii_guard/test_detect.py compares with all recognisers at once).
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
from pii_guard.detect_persons import account_start, births, homes, names_bsn, numbers, persons, plates
from pii_guard.span import Found

Recogniser = Callable[[str], Found]

EVERY: tuple[Recogniser, ...] = (
    *(emails, urls, social, user_paths, credentials, hex_addresses, user_names, persons),
    *(addresses, numbers, plates, births, homes),
)
"""In the order in which they are due."""
_SHORTEST = 4
_TOKEN = 15
"""No token or key is shorter."""
_WITH_LINE = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "sk_live_")
_HEAD = 28
"""Longer than every word for a secret with what may stand between it and its sign."""

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_DIGITS = bytes(range(48, 58))
_PARTS = bytes(
    48 if c in _DIGITS else 46 if c in b".-_[({" else 97 if 97 <= c <= 122 else 65 if 65 <= c <= 90 else c
    for c in range(256)
)
"""Digits as 0, letters as a or A, what may part the numbers of an address as a dot."""
_PACKED = bytes(48 if c in _DIGITS else c for c in range(256))
_GAPS = b" \t\n\r\v\f\x1c\x1d\x1e\x1f.()[]-/?"
"""What may stand between the digits of one number (`?`: whatever is not ASCII)."""

_USER = re.compile(r"user(?:\s*=|:|[ _-]?name|-id)|[/-]user|net\s+user")
_STREETS = (
    *(b"straat", b"laan", b"weg", b"plein", b"gracht", b"kade", b"dijk", b"singel", b"dreef", b"steeg"),
    *(b"hof", b"plantsoen"),
)
_STREET_ENDS = frozenset(word[-1] for word in _STREETS)
_SWITCH = re.compile(r"su\s+-\s")
_COLON = re.compile(r":[0-9A-Fa-f:\]]")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_DOTTED = re.compile(r"\.[0-9A-Fa-f]{4}\.")
_NINE = (b"000000000", b"0000.00.000", b"000.000.000", b"000 000 000", b"000 000.000", b"000.000 000")
_COUNTRY = (b"aa00", b"AA00", b"Aa00", b"aA00")
_DIALLED = bytes(
    90 if c in b"0+(" else 48 if c in b"123456789 \t\n\r\v\f\x1c\x1d\x1e\x1f).-/?" else 97 for c in range(256)
)
"""What a telephone number begins with as Z, what may follow as 0 (`?`: whatever is not ASCII)."""
_PHONE = re.compile(rb"Z[Z0]{7}").search
_OCTETS = re.compile(rb"\.[^0]{0,6}0{1,3}[\s?]?\.[^0]{0,6}0{1,3}[\s?]?\.[^0]{0,6}0").search
_TITLE = re.compile(r"m(?<!\wm)(?:rs?|s|w|evr(?:ouw)?)[.: ]")
"""Begins with one letter, so that the search jumps from m to m."""


def due(text: str) -> list[Recogniser]:
    """The recognisers that may find something in the text. Some tests for characters and words, no more."""
    if len(text) < _SHORTEST:
        return []
    if not text.isascii() and any(char.isdecimal() for run in _FOREIGN.findall(text) for char in run):
        return list(EVERY)  # digits of other scripts
    lower = text.lower()
    raw = text.encode("ascii", "replace")
    parts = raw.translate(_PARTS)
    found = _by_signs(text, lower, parts)
    if b"0" in parts:
        _by_digits(text, lower, raw, parts, found)
    return found


def _by_signs(text: str, lower: str, parts: bytes) -> list[Recogniser]:
    """Recognisers whose values need no digit."""
    found: list[Recogniser] = []
    slash, assigned, at = "/" in text, ":" in text or "=" in text, "@" in text
    heads = _heads(lower) if assigned else ""
    if at or _spelt_at(text, lower):
        found.append(emails)
    if slash:
        if "//" in text:
            found.append(urls)
        if _profile(lower):
            found.append(social)
    if (slash or "\\" in text) and _home_folder(lower, slash=slash):
        found.append(user_paths)
    if (assigned and _secret(heads)) or (len(text) >= _TOKEN and _token(text, parts)):
        found.append(credentials)
    if (
        (assigned and _COLON.search(text))
        or ("-" in text and _DASHES.search(text))
        or ("." in text and _DOTTED.search(text))
    ):
        found.append(hex_addresses)
    if _account(lower, heads, at=at, slash=slash):
        found.append(user_names)
    if " " in text and _person(lower):
        found.append(persons)
    return found


def _by_digits(text: str, lower: str, raw: bytes, parts: bytes, found: list[Recogniser]) -> None:
    """Recognisers whose values need digits."""
    if parts.count(b".") >= 3 and _OCTETS(parts):
        found.append(addresses)
    packed = raw.translate(_PACKED, _GAPS)
    if b"00000000" in packed and _number(text, lower, raw, parts):
        found.append(numbers)
    if "plate" in lower or "kenteken" in lower or "rplaat" in lower:
        found.append(plates)
    if b"00" in packed and (
        "geb" in lower or "born" in lower or "birth" in lower or "dob" in lower or "d.o.b" in lower
    ):
        found.append(births)
    if _home(lower, raw, parts):
        found.append(homes)


def _number(text: str, lower: str, raw: bytes, parts: bytes) -> bool:
    """Nine digits parted as a citizen's number may be, the start of an account, of a telephone number; or fewer
    digits, where the text has a word for a citizen's number."""
    if any(map(parts.__contains__, _NINE)) or names_bsn(lower):
        return True
    if any(map(parts.__contains__, _COUNTRY)) and account_start(text):
        return True
    return _PHONE(raw.translate(_DIALLED)) is not None


def _heads(lower: str) -> str:
    """What stands right before each `:` and `=`."""
    pieces = lower.replace("=", ":").split(":")
    return "\n".join([piece.rstrip()[-_HEAD:] for piece in pieces[:-1]])


def _spelt_at(text: str, lower: str) -> bool:
    """An at sign written otherwise: `%40`, `[at]`, `jan at voorbeeld dot nl`."""
    return (
        ("%" in text and "%40" in text)
        or ("&" in text and "&#64;" in text)
        or ("＠" in text)
        or _bracketed(lower)
        or " dot " in lower
        or " punt " in lower
    )


def _bracketed(lower: str) -> bool:
    return (
        (")" in lower and "(at)" in lower)
        or ("]" in lower and "at]" in lower)
        or ("}" in lower and "at}" in lower)
        or (">" in lower and "at>" in lower)
    )


def _profile(lower: str) -> bool:
    if ".com/" not in lower and "//t.me/" not in lower:
        return False
    return (
        "linkedin.com/" in lower
        or "facebook.com/" in lower
        or "instagram.com/" in lower
        or "twitter.com/" in lower
        or "//x.com/" in lower
        or "//t.me/" in lower
        or "tiktok.com/" in lower
        or "snapchat.com/" in lower
        or "vk.com/" in lower
    )


def _home_folder(lower: str, *, slash: bool) -> bool:
    if slash and "/home/" in lower:
        return True
    return ("s/" in lower or "s\\" in lower) and ("users" in lower or "settings" in lower or "gebruikers" in lower)


def _secret(heads: str) -> bool:
    return (
        "pass" in heads
        or "key" in heads
        or "token" in heads
        or "secret" in heads
        or "pwd" in heads
        or "wachtw" in heads
        or "pincode" in heads
        or "authorization" in heads
        or "cookie" in heads
    )


def _token(text: str, parts: bytes) -> bool:
    if "-" in text and ("-----BEGIN" in text or "xox" in text):
        return True
    if "_" in text and any(sign in text for sign in _WITH_LINE):
        return True
    if b"AAAA" in parts and ("AKIA" in text or "ASIA" in text):
        return True
    return "AIza" in text or ("eyJ" in text and "." in text)


def _account(lower: str, heads: str, *, at: bool, slash: bool) -> bool:
    if "user" in lower and _USER.search(lower) is not None:
        return True
    if heads and ("login" in heads or "account" in heads or "gebruikersnaam" in heads or "loginnaam" in heads):
        return True
    if "- " in lower and _SWITCH.search(lower) is not None:
        return True
    return (slash and "/ru" in lower) or (at and ("ssh" in lower or "scp" in lower or "sftp" in lower))


def _person(lower: str) -> bool:
    """A title before a name; a blank has to follow it."""
    if _TITLE.search(lower) is not None:
        return True
    return "dhr" in lower or "heer" in lower or "contactpersoon" in lower or "t.a.v" in lower


def _home(lower: str, raw: bytes, parts: bytes) -> bool:
    """A postcode after a word for an address, or a Dutch street with its number behind it."""
    if (b"0000A" in parts or b"0000 A" in parts) and (
        "adres" in lower or "address" in lower or "postcode" in lower or "woon" in lower or "lives " in lower
    ):
        return True
    at = parts.find(b"a 0")
    while at >= 0:
        if raw[at] in _STREET_ENDS and raw.endswith(_STREETS, max(0, at - 9), at + 1):
            return True
        at = parts.find(b"a 0", at + 3)
    return False
