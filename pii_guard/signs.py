"""First signs: which recognisers could find anything in a text at all. Exact: what is not due would find nothing.

A regular expression costs 20 to 100 times what a test for a character or a word costs, and most text has no sign of
most values. Each test below is something without which the recogniser's own pattern cannot match
(tests/pii_guard/test_signs.py compares with all recognisers at once).
"""

import re
from collections.abc import Callable

from pii_guard import detect_accounts as accounts
from pii_guard import detect_commands as commands
from pii_guard import detect_fields as fields
from pii_guard import detect_logins as logins
from pii_guard import detect_secrets as secrets
from pii_guard.detect_accounts import user_names, user_paths
from pii_guard.detect_births import BIRTHS, KIN, births
from pii_guard.detect_citizens import names_bsn
from pii_guard.detect_devices import SERIAL_WORDS, devices
from pii_guard.detect_hardware import MAC_WORDS
from pii_guard.detect_homes import ADDRESS_STARTS, homes
from pii_guard.detect_logs import WORDS as LOGS
from pii_guard.detect_machines import HOSTS, MACHINES
from pii_guard.detect_mail import CALLED_BY, emails, social, spelt
from pii_guard.detect_names import persons
from pii_guard.detect_network import addresses, hex_addresses
from pii_guard.detect_numbers import ACCOUNTS, account_start, numbers
from pii_guard.detect_plates import VEHICLES, plates
from pii_guard.detect_records import records
from pii_guard.detect_records import sign as recorded
from pii_guard.detect_secrets import credentials
from pii_guard.detect_tables import HEADS, tables
from pii_guard.detect_told import FOUND
from pii_guard.detect_urls import paths, urls
from pii_guard.phone_words import PHONE_LABELS
from pii_guard.shown import shown
from pii_guard.span import Found, Words, folded

Recogniser = Callable[[str], Found]

EVERY: tuple[Recogniser, ...] = (
    *(emails, urls, paths, social, user_paths, credentials, hex_addresses, user_names, persons),
    *(addresses, numbers, plates, births, homes, records, devices, tables),
)
"""In the order in which they are due."""
_SHORTEST = 4

_DIGITS = bytes(range(48, 58))
_PARTS = bytes(
    48 if c in _DIGITS else 46 if c in b".-_[({\\" else 97 if 97 <= c <= 122 else 65 if 65 <= c <= 90 else c
    for c in range(256)
)
"""Digits as 0, letters as a or A, what may part the numbers of an address as a dot."""
_PACKED = bytes(48 if c in _DIGITS else c for c in range(256))
_GAPS = b" \t\n\r\v\f\x1c\x1d\x1e\x1f.,()[]-/_+?"
"""What may stand between the digits of one number (`?`: whatever is not ASCII)."""

_COLON = re.compile(r":[0-9A-Fa-f:\])}]|[0-9A-Fa-f]{2} : [0-9A-Fa-f]{2} :")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-|-[0-9A-Fa-f]{4}-|[0-9A-Fa-f]--[0-9A-Fa-f]")
_DOTTED = re.compile(r"\.[0-9A-Fa-f]{4}\.|(?:[0-9A-Fa-f]{2}[._]){3}")
_HALVES = re.compile(r"[0-9A-Fa-f]{6}-[0-9A-Fa-f]{6}|(?:[0-9A-Fa-f]{2}(?: - |\[-\])){3}")
_TYPED = re.compile(r"[ =:(][0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2} ").search
_NINE = re.compile(rb"(?<![0aA])0(?:[ ./?]{0,3}0){8}(?!0)|0{9}").search
_COUNTRY = (b"aa00", b"AA00", b"Aa00", b"aA00")
_COUNTRY_APART = re.compile(rb"[aA]{2}[ ./?]00").search
_DIALLED = bytes(
    90 if c in b"0+(" else 48 if c in b"123456789 \t\n\r\v\f\x1c\x1d\x1e\x1f).-/?[]" else 97 for c in range(256)
)
"""What a telephone number begins with as Z, what may follow as 0 (`?`: whatever is not ASCII)."""
_PHONE = re.compile(rb"Z[Z0]{7}").search
_OCTETS = re.compile(rb"\.[^0]{0,6}0{1,3}[^0Aa]{0,3}?\.[^0]{0,6}0{1,3}[^0Aa]{0,3}?\.[^0]{0,6}0").search
_BURNT_IN = re.compile(rb"0{15}|0{6}[. ]0{6}|0{4}(?:[. ]?0){14}").search
"""The digits of an IMEI, or of a SIM card."""
_PLATE = re.compile(rb"\.[A0]{2,3}\.[A0]").search
_HOMES = Words("profi", "home", "userdata", "redirected", "fslogix")
_FOLDERS = Words(*(folder for folder in accounts.HOMES if folder.startswith("/") or folder.endswith("/")))
_ACCOUNTS = Words(
    *(*accounts.LABEL_WORDS, *accounts.SAID_WORDS, *accounts.CALLED, "useradd", "userdel", "usermod"),
    *(*fields.FIELDS, *fields.OBJECTS, *logins.LISTS, *logins.LABELS, *logins.WROTE, *logins.SELLERS),
    *(*logins.INITIALS, *logins.GIVEN),
    *(*commands.COMMANDS, *commands.LISTED, *commands.NAMING, *commands.IMPACKET, *commands.SET, *commands.HANDED),
)
_SECRETS = Words(
    *(*secrets.WORDS, *secrets.CODES, *secrets.PASSWORDS, *secrets.PINS, *secrets.SEEDS, *secrets.HEADERS, *FOUND),
    *("basic ", "hash", "ntlm", "rc4", "aes256", " -h ", "* sha1", "$", "}", "::"),
)
_TOKENS = Words(*secrets.TOKEN_WORDS, "-----BEGIN", cased=True)
_VEHICLES = Words("registration", *VEHICLES)
_HOSTED = re.compile(r"\.[A-Za-z]{2,12}/").search
_HANDLE = re.compile(r"(?<![\w/.])@").search
_SOCIAL = Words(*CALLED_BY, "live:", "u/")


def due(text: str) -> list[Recogniser]:
    """The recognisers that may find something in the text. Some tests for characters and words, no more."""
    if len(text) < _SHORTEST:
        return []
    if shown(text) is not text:
        return list(EVERY)  # digits of other scripts, characters that do not show
    lower = folded(text)
    raw = text.encode("ascii", "replace")
    parts = raw.translate(_PARTS)
    found = _by_signs(text, lower, parts)
    if b"0" in parts:
        _by_digits(text, lower, raw, parts, found)
    return found


def _by_signs(text: str, lower: str, parts: bytes) -> list[Recogniser]:
    """Recognisers whose values need no digit."""
    found: list[Recogniser] = []
    slash, backslash, at = "/" in text, "\\" in text, "@" in text
    if at or spelt(lower):
        found.append(emails)
    if slash and ("//" in text or "www." in lower):
        found.append(urls)
    if slash and ("=" in text or "~" in text or text.count("/") > 1 or _HOSTED(text)):
        found.append(paths)
    if (at and _HANDLE(text)) or "#" in text or (slash and _profile(lower)) or _SOCIAL.any(lower):
        found.append(social)
    if (slash or backslash) and _home_folder(lower, slash=slash, backslash=backslash):
        found.append(user_paths)
    if _SECRETS.any(lower) or _TOKENS.any(text) or (":" in text and b"0" in parts):
        found.append(credentials)
    if (
        (":" in text and _COLON.search(text))
        or ("-" in text and (_DASHES.search(text) or _HALVES.search(text)))
        or (("." in text or "_" in text) and _DOTTED.search(text))
        or (" " in text and _TYPED(text))
        or MAC_WORDS.any(lower)
        or "ip6" in lower
        or "ipv6-" in lower
    ):
        found.append(hex_addresses)
    if (
        backslash
        or (at and _at_host(text, lower))
        or _ACCOUNTS.any(lower)
        or LOGS.any(text)
        or _paired(text)
        or logins.likely(text, lower)
    ):
        found.append(user_names)
    if b"A" in parts[1:] or not text.isascii():  # a first word alone has nothing beside it that makes it a name
        found.append(persons)
    if (
        (b"0" in parts and (SERIAL_WORDS.any(lower) or (parts.count(b"0") > 14 and _BURNT_IN(parts))))
        or ("-" in text and b"A" in parts)
        or MACHINES.any(lower)
        or HOSTS.any(lower)
    ):
        found.append(devices)
    if recorded(lower, parts):
        found.append(records)
    if "\n" in text and HEADS.any(lower):
        found.append(tables)
    return found


def _by_digits(text: str, lower: str, raw: bytes, parts: bytes, found: list[Recogniser]) -> None:
    """Recognisers whose values need digits."""
    if (parts.count(b".") >= 3 and _OCTETS(parts)) or "dot" in lower or "punt" in lower:
        found.append(addresses)
    packed = raw.translate(_PACKED, _GAPS)
    if (b"00000000" in packed and _number(text, lower, raw, parts)) or b"0|0|0|0" in packed:
        found.append(numbers)
    if _VEHICLES.any(lower) or ("-" in text and _PLATE(parts)):
        found.append(plates)
    if b"00" in packed and (BIRTHS.any(lower) or KIN.any(lower) or "*" in text or "\xb0" in text):
        found.append(births)
    if b"A" in parts or not text.isascii() or ADDRESS_STARTS.any(lower):
        found.append(homes)


def _number(text: str, lower: str, raw: bytes, parts: bytes) -> bool:
    """Nine digits parted as a citizen's number may be, the start of an account, of a telephone number; or fewer
    digits, where the text has a word for a citizen's number."""
    if b"000.0000" in parts or b"000 0000" in parts:
        return True  # as Americans part them
    if _NINE(parts) or names_bsn(lower) or PHONE_LABELS.any(lower) or ACCOUNTS.any(lower):
        return True
    if any(map(parts.__contains__, _COUNTRY)) and account_start(text):
        return True
    return _COUNTRY_APART(parts) is not None or _PHONE(raw.translate(_DIALLED)) is not None


def _at_host(text: str, lower: str) -> bool:
    """A prompt (`jan@web01:~$`), or a command that goes to another machine."""
    return ":~" in text or ":/" in text or commands.REMOTE_WORDS.any(lower)


def _paired(text: str) -> bool:
    """Log-ins with passwords: `jan / Welkom01`, `('jan','5f4d...')`, a list of addresses, of pages."""
    if " / " in text or "','" in text or "', '" in text:
        return True
    if ("@" in text or "://" in text) and commands.PAIRED(text) is not None:
        return True
    return text.count(".") > 2 and commands.HOSTED(text.lower()) is not None


def _profile(lower: str) -> bool:
    return ".com/" in lower or "t.me/" in lower or "threads.net/" in lower


def _home_folder(lower: str, *, slash: bool, backslash: bool) -> bool:
    if slash and _FOLDERS.any(lower):
        return True
    if backslash and _HOMES.any(lower):
        return True
    return ("s/" in lower or "s\\" in lower) and ("users" in lower or "settings" in lower or "gebruikers" in lower)
