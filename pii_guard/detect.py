"""Recognisers for personal data in free text: checked patterns, Dutch first, cheap when there is nothing.

`scan(text)` gives spans in code points. Below SUSPECT a span is a suspicion (for a person), above it is recognised.
Cheap character tests decide which patterns run at all; every pattern is linear (possessive or bounded).
Names in prose are not searched for: only properties that hold names are known to (`pii_guard.paths`).
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

import phonenumbers
from stdnum import iban as stdnum_iban
from stdnum.exceptions import ValidationError
from stdnum.nl import bsn as stdnum_bsn

from pii_guard import Category

SUSPECT = 0.5
"""Confidence below this: a suspicion."""


class Span(NamedTuple):
    """A value in a text: code points [start, end), how sure (0 to 1), and the recogniser."""

    category: Category
    start: int
    end: int
    confidence: float
    rule: str


Found = Iterator[Span]

_DOT = r"(?:\.|\[\.\]?|\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\})"
_AT = r"(?:@|＠|\[@\]|\(@\)|\{@\}|\s?\[at\]\s?|\s?\(at\)\s?|\s?\{at\}\s?|<at>|%40|&#64;)"
_LABEL = r"[^\W_](?:[\w-]{0,62})"
_EMAIL = re.compile(
    rf"(?<![\w.'+~-])(?:[\w'+~-]++|\.)++(?P<at>{_AT})"
    rf"(?P<host>(?:{_LABEL}{_DOT}){{1,8}}[^\W\d_]{{2,24}}|localhost\b|(?P<ip>\[?\d{{1,3}}(?:\.\d{{1,3}}){{3}}\]?))",
    re.IGNORECASE,
)
_SPOKEN_EMAIL = re.compile(
    r"\b[\w.-]{2,64}+ (?:at|apenstaartje) [\w-]{2,63}+ (?:dot|punt) [a-z]{2,12}\b", re.IGNORECASE
)
_LOGIN_TAIL = re.compile(r"[:;|][^\s:;|/,]{4,128}")
_FEDIVERSE = re.compile(r"(?<![\w/@.])@[\w.-]{2,64}+@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:linkedin\.com/in|facebook\.com|instagram\.com|twitter\.com|//x\.com|//t\.me|tiktok\.com|snapchat\.com/add|vk\.com)"
    r"/@?([\w.%-]{2,64})",
    re.IGNORECASE,
)

_IPV4 = re.compile(rf"(?<![\w.])(?<!\d-)\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?![\d_])(?!\.\d)(?!-\d)", re.IGNORECASE)
_DASHED_IPV4 = re.compile(r"(?<!\d)\d{1,3}(?:[-_]\d{1,3}){3}(?=[.-][a-z])", re.IGNORECASE)
_IPV6 = re.compile(
    r"(?<![\w:])(?:[0-9a-fA-F]{0,4}(?:\[:\]|:)){2,7}(?:[0-9a-fA-F]{1,4}|\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])"
)
_MAC = re.compile(
    r"(?<![\w:.-])(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![\w:-])",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(
    r"(?:versions?|versies?|release|rel\.|build|firmware|fw|patch|ver\.?|v\.|prior to|before|lager dan|earlier than|"
    r"older than|<=?|>=?|==)"
    r"(?:\s+(?:and|or|to|en|of|tot|t/m|through|thru|until|from|vanaf|voor|before|is|was)\b|[\s:,'\"(]|[<>]=?|-"
    r"|v?\d+(?:\.\d+){1,3}(?:[-\w]*)?){0,12}$",
    re.IGNORECASE,
)
"""What makes four numbers a version: a word for it, with nothing but numbers and joining words in between."""
_ADDRESS_BEFORE = re.compile(
    r"(?:\bips?\b|ipv4|ip-?ad|\badd?re?s|\bhosts?\b|server|\bc2\b|\bc&c\b|\bfrom ip|victim|slachtoffer)[^.;\n]{0,24}$",
    re.IGNORECASE,
)

_URL = re.compile(
    r"\b(?:h(?:tt|xx)ps?|s?ftp|fxp|wss?|rdp|ssh|smb|ldaps?)(?:\[?:\]?)//[^\s<>\"'`]{3,2048}+", re.IGNORECASE
)
_USERINFO = re.compile(r"//([^/?#@\s]{1,256}+)@")
_QUERY = re.compile(
    r"[?&;#](?:e-?mail|mail|to|user(?:name|_?id)?|usr|login|logon|account|naam|name|first_?name|last_?name|phone|tel|"
    r"mobile|bsn|iban|customer(?:_?id)?|klant(?:nr|nummer)?|session(?:_?id)?|sess|sid|jsessionid|phpsessid|uid|uuid|"
    r"device_?id|imei|recipient|rcpt|victim|target|address|adres|dob|birth\w*)=([^&;#\s\"'<>]{1,512})",
    re.IGNORECASE,
)
_TILDE = re.compile(r"/~([\w.-]{2,64})")

_PHONE = re.compile(r"(?<![\w.:/=+-])(?:\+|00)?\(?\d[\d\s().\-/]{6,20}\d(?![\w])(?!\.\d)")
_PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|\bphone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bcall\b|\bfax|whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|signal|bereikbaar|contact)[^\n]{0,24}$",
    re.IGNORECASE,
)
_BSN = re.compile(r"(?<![\w.,/:=#-])(?:\d{9}|\d{8}|\d{4}\.\d{2}\.\d{3}|\d{3}[ .]\d{3}[ .]\d{3})(?![\w]|[-./]\w)")
_BSN_WORDS = re.compile(
    r"\bbsn\b|burger\s?service|sofi\s?-?nummer|\bsofi\b|citizen service|persoonsnummer", re.IGNORECASE
)
_VAT = re.compile(r"(?<!\w)NL\.?(\d{9})\.?B\.?\d{2}(?!\w)", re.IGNORECASE)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]{4}){2,7}(?:[ .-]?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE)
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{6,8}(?![\w-]))(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]{1,3}-?[A-Z0-9]{1,3}-?[A-Z0-9]{1,3}",
    re.IGNORECASE,
)
_PLATE_WORDS = re.compile(r"kenteken|licen[cs]e plate|number plate|nummerplaat|licen[cs]e-plate", re.IGNORECASE)
_MONTHS = r"jan\w*|feb\w*|maart|mar\w*|mrt|apr\w*|mei|may|jun\w*|jul\w*|aug\w*|sep\w*|okt\w*|oct\w*|nov\w*|de[ck]\w*"
_DATE = re.compile(
    rf"(?<!\d)(?:\d{{1,2}}[-/. ]\d{{1,2}}[-/. ](?:19|20)?\d{{2}}|(?:19|20)\d{{2}}[-/.]?\d{{2}}[-/.]?\d{{2}}|"
    rf"\d{{1,2}}\.? (?:{_MONTHS}),? (?:19|20)\d{{2}}|(?:{_MONTHS}) \d{{1,2}},? (?:19|20)\d{{2}})(?!\d)",
    re.IGNORECASE,
)
_BIRTH_WORDS = re.compile(
    r"geboren|geboorte|\bgeb\.|\bgeb\b|date of birth|birth ?date|\bborn\b|\bdob\b|\bbirthday\b|d\.o\.b\.", re.IGNORECASE
)
_STREET = re.compile(
    r"\b[A-Z][\w'’-]{2,40}(?:straat|laan|weg|plein|gracht|kade|dijk|singel|dreef|steeg|hof|plantsoen)"
    r" \d{1,5}(?: ?[a-zA-Z]\b)?(?:[,\s]+[1-9]\d{3} ?[A-Z]{2}\b)?"
)
_POSTCODE = re.compile(r"(?<![\w-])[1-9]\d{3} ?(?!S[ADS])[A-Z]{2}(?: \d{1,5})?(?![\w-])")
_ADDRESS_WORDS = re.compile(r"postcode|\badres|woont|woonachtig|\baddress\b|lives (?:at|in)", re.IGNORECASE)

_USER_PATH = re.compile(
    r"(?:\\+|/)(?:Users|Documents and Settings|Gebruikers)(?:\\+|/)"
    r"(?P<windows>[^\\/:*?\"<>|\r\n%\[\]]{1,40}(?=\\)|[^\\/:*?\"<>|\s%,;)\]]{1,64})"
    r"|(?<![\w.])/home/(?P<unix>[^/\s:\"'<>,;)\]$*?]{1,64})",
    re.IGNORECASE,
)
NO_PERSON = frozenset(
    (
        "public",
        "default",
        "all",
        "all users",
        "default user",
        "user",
        "username",
        "users",
        "name",
        "<user>",
        "<username>",
        "administrator",
        "admin",
        "shared",
        "root",
        "guest",
        "nobody",
        "www-data",
        "ubuntu",
        "ec2-user",
        "user-name",
        "yourname",
        "localuser",
        "defaultapppool",
        "appdata",
        "%username%",
    )
)
"""Names that stand for no person."""
_USER_FLAG = re.compile(
    r"(?:/user:|/ru[ :]\s*|\bnet\s+user\s+|--?user(?:name)?[ =:]\s*|\buser(?:name|_name|-id| name)?\s*=\s*|"
    r"\b(?:username|user name|gebruikersnaam|loginnaam|login|account)\s*[:=]\s*|\brunas\s+/user:|\bsu\s+-\s+|"
    r"\b(?:ssh|scp|sftp)\s+(?:-\w\s+\S+\s+)*)(?P<quote>[\"']?)(?P<name>[^\s\"'/,;<>%$*()|&:@]{2,64})(?P<at>@[\w.-]+)?",
    re.IGNORECASE,
)

_SECRET = re.compile(
    r"(?:\b|_)(?:pass(?:word|wd|phrase)?|pwd|wachtwoord(?:en)?|pincode|api[_-]?key|secret(?:[_-]?key)?|client[_-]secret|"
    r"access[_-]?(?:token|key)|auth[_-]?token|token|private[_-]?key)[\"']?\s{0,3}(?P<sign>:=|[:=])\s{0,3}[\"']?"
    r"(?P<value>[^\s\"',;&<>]{3,256})",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|digest|negotiate|ntlm|token)\s+)?([^\s\"',]{4,4096})"
    r"|\b(?:set-)?cookie\s*:\s*([^\r\n]{3,4096})",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,60}-----)?"
)
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|"
    r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|\bAIza[\w-]{35}\b|\bsk_live_[0-9a-zA-Z]{16,}"
)
_PERSON_WORDS = re.compile(
    r"\b(?:[Dd]hr|[Mm]evr|[Mm]w|[Dd]e heer|[Mm]evrouw|[Cc]ontactpersoon|[Tt]\.a\.v|[Mm]rs?|[Mm]s)\b\.?:? "
    r"(?P<name>(?:[A-Z]\.){0,4}\s?(?:(?:van|de|der|den|ten|ter|van de|van der) )?[A-Z][\w'’-]+"
    r"(?: (?:van |de |der |den |ten |ter )*[A-Z][\w'’-]+){0,2})"
)

_CLUSTER = re.compile(r"\d[\d .()\[\]/-]{5,}\d")
"""A run that could be an address, a phone number, a BSN, an account or a date."""
_SECRET_HINTS = ("pass", "pwd", "wachtw", "pincode", "secret", "token", "key", "authorization", "cookie")
_USER_HINTS = ("user", "gebruiker", "login", "account", "/ru", "su - ", "ssh ", "scp ", "sftp ")
_PROFILE_HINTS = ("linkedin", "facebook", "instagram", "twitter", "x.com", "t.me", "tiktok", "snapchat", "vk.com")
_BIRTH_HINTS = ("geb", "birth", "born", "dob", "d.o.b")
_HOME_HINTS = (
    "straat ",
    "laan ",
    "weg ",
    "plein ",
    "gracht ",
    "kade ",
    "dijk ",
    "singel ",
    "dreef ",
    "steeg ",
    "hof ",
    "plantsoen ",
    "adres",
    "postcode",
    "address",
    "woon",
)
_AT_HINTS = ("%40", "&#64;", "at]", "(at)", "at}", "at>", " dot ", " punt ")
_PERSON_HINTS = ("dhr", "mevr", "mw", "heer", "contactpers", "t.a.v", "mr", "ms")


def scan(text: str) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few character tests."""
    if len(text) < 4:
        return []
    found = [span for recogniser in _due(text) for span in recogniser(text)]
    return _apart(found) if found else found


def _due(text: str) -> list[Callable[[str], Found]]:
    """The recognisers for which the text shows a first sign."""
    due: list[Callable[[str], Found]] = []
    lower = text.lower()
    if "@" in text or "＠" in text or any(hint in lower for hint in _AT_HINTS):
        due.append(_emails)
    if "//" in text:
        due.append(_urls)
        if any(hint in lower for hint in _PROFILE_HINTS):
            due.append(_social)
    elif "/" in text and any(hint in lower for hint in _PROFILE_HINTS):
        due.append(_social)
    if "users" in lower or "/home/" in lower or "documents and settings" in lower or "gebruikers" in lower:
        due.append(_user_paths)
    if (
        any(hint in lower for hint in _SECRET_HINTS)
        or "AKIA" in text
        or "ASIA" in text
        or "eyJ" in text
        or "gh" in text
    ):
        due.append(_credentials)
    if any(hint in lower for hint in _USER_HINTS):
        due.append(_user_names)
    if text.count(":") >= 2 or text.count("-") >= 5 or text.count(".") >= 2:
        due.append(_hex_addresses)
    if any(hint in lower for hint in _PERSON_HINTS):
        due.append(_persons)
    if _CLUSTER.search(text):
        due.extend((_addresses, _numbers))
    elif "dot" in lower or "{.}" in text or "_" in text:
        due.append(_addresses)
    return [*due, *_due_words(lower)]


def _due_words(lower: str) -> list[Callable[[str], Found]]:
    """Recognisers that need their word in the text."""
    due: list[Callable[[str], Found]] = []
    if "plate" in lower or "plaat" in lower or "kenteken" in lower:
        due.append(_plates)
    if any(hint in lower for hint in _BIRTH_HINTS):
        due.append(_births)
    if any(hint in lower for hint in _HOME_HINTS):
        due.append(_homes)
    return due


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


def _emails(text: str) -> Found:
    for match in _EMAIL.finditer(text):
        start, end = match.span()
        yield Span("email", start, end, 0.95, "email-at-address" if match.group("ip") else "email")
        tail = _LOGIN_TAIL.match(text, end)
        if tail and not text.startswith("://", end):
            yield Span("credential", end, tail.end(), 0.8, "log-in")
    for match in _FEDIVERSE.finditer(text):
        yield Span("social", *match.span(), 0.9, "fediverse")
    for match in _SPOKEN_EMAIL.finditer(text):
        yield Span("email", *match.span(), 0.4, "email-spoken")


def _social(text: str) -> Found:
    for match in _PROFILE.finditer(text):
        yield Span("social", *match.span(1), 0.8, "profile-page")


def _urls(text: str) -> Found:
    for match in _URL.finditer(text):
        url, base = match.group(), match.start()
        userinfo = _USERINFO.search(url)
        if userinfo:
            yield Span("credential", base + userinfo.start(1), base + userinfo.end(1), 0.95, "url-userinfo")
        for found in _QUERY.finditer(url):
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.7, "url-query")
        for found in _TILDE.finditer(url):
            yield Span("username", base + found.start(1), base + found.end(1), 0.7, "url-tilde")


def _addresses(text: str) -> Found:
    for match in (*_IPV4.finditer(text), *_DASHED_IPV4.finditer(text)):
        start, end = match.span()
        octets = [int(part) for part in re.findall(r"\d+", match.group())]
        if max(octets) > 255 or octets[0] == 0 or octets == [127, 0, 0, 1] or octets[:2] == [255, 255]:
            continue
        before = text[max(0, start - 64) : start]
        plain = match.group().count(".") == 3 and "[" not in match.group() and "(" not in match.group()
        if plain and _VERSION_BEFORE.search(before) and not _ADDRESS_BEFORE.search(before):
            continue
        yield Span("ipv4", start, end, 0.9, "ipv4")


def _hex_addresses(text: str) -> Found:
    if ":" in text:
        for match in _IPV6.finditer(text):
            value = match.group().replace("[:]", ":")
            if len(value) > 3 and (value.count(":") == 7 or "::" in value) and _is_ipv6(value):
                sure = any(char.isdigit() for char in value)
                yield Span("ipv6", *match.span(), 0.9 if sure else 0.3, "ipv6")
    for match in _MAC.finditer(text):
        yield Span("mac", *match.span(), 0.9, "mac")


def _is_ipv6(value: str) -> bool:
    try:
        address = IPv6Address(value)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def is_ip(value: str) -> Category | None:
    """`ipv4` or `ipv6` when the whole text is one address."""
    try:
        IPv4Address(value)
    except AddressValueError:
        try:
            IPv6Address(value)
        except AddressValueError:
            return None
        return "ipv6"
    return "ipv4"


def _numbers(text: str) -> Found:
    yield from _citizen_numbers(text)
    for match in _IBAN.finditer(text):
        end = _iban_end(text, match)
        if end:
            yield Span("iban", match.start(), end, 0.95, "iban")
    for match in _PHONE.finditer(text):
        confidence = _phone_confidence(text, match)
        if confidence:
            yield Span("phone", *match.span(), confidence, "phone")


def _citizen_numbers(text: str) -> Found:
    named = bool(_BSN_WORDS.search(text))
    for match in _BSN.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if (len(digits) == 9 or named) and stdnum_bsn.is_valid(digits):
            close = _BSN_WORDS.search(text, max(0, match.start() - 60), match.end() + 30) if named else None
            yield Span("bsn", *match.span(), 0.95 if close else 0.6 if named else 0.3, "bsn")
    for match in _VAT.finditer(text):
        if stdnum_bsn.is_valid(match.group(1)):  # a one-person firm's VAT number held its owner's BSN until 2020
            yield Span("bsn", *match.span(), 0.8, "vat-bsn")


def _iban_end(text: str, match: re.Match[str]) -> int | None:
    """Where the account number ends: the pattern may have run into the words after it."""
    end = match.end()
    while end - match.start() >= 15:
        try:
            stdnum_iban.validate(re.sub(r"[ .-]", "", text[match.start() : end]))
        except ValidationError:
            cut = max(text.rfind(sign, match.start(), end) for sign in " .-")
            end = cut
            continue
        return end
    return None


def _phone_confidence(text: str, match: re.Match[str]) -> float:
    value = match.group()
    digits = re.sub(r"\D", "", value)
    if not 9 <= len(digits) <= 15 or not (value[0] in "+(" or digits[0] == "0"):
        return 0.0
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return 0.0
    if not phonenumbers.is_valid_number(number):
        return 0.0
    if _PHONE_WORDS.search(text, max(0, match.start() - 48), match.start()):
        return 0.95
    if value.startswith("+"):
        return 0.8
    return 0.6 if digits.startswith("06") else 0.3


def _plates(text: str) -> Found:
    for word in _PLATE_WORDS.finditer(text):
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = match.group().replace("-", "")
            if len(bare) == 6:
                yield Span("plate", *match.span(), 0.8, "plate-nl")


def _births(text: str) -> Found:
    for word in _BIRTH_WORDS.finditer(text):
        date = _DATE.search(text, word.end(), word.end() + 48)
        if date:
            yield Span("dob", *date.span(), 0.9, "date-of-birth")


def _homes(text: str) -> Found:
    for match in _STREET.finditer(text):
        yield Span("address", *match.span(), 0.7, "street-nl")
    for word in _ADDRESS_WORDS.finditer(text):
        code = _POSTCODE.search(text, word.end(), word.end() + 60)
        if code:
            yield Span("address", *code.span(), 0.7, "postcode-nl")


def _persons(text: str) -> Found:
    for match in _PERSON_WORDS.finditer(text):
        yield Span("name", *match.span("name"), 0.4, "name-after-title")


def _user_paths(text: str) -> Found:
    for match in _USER_PATH.finditer(text):
        group = "windows" if match.group("windows") else "unix"
        name = match.group(group).casefold()
        if name not in NO_PERSON and not name.startswith(("<", "%", "$", "[", "*", "{")):
            yield Span("username", *match.span(group), 0.9, "user-path")


def _user_names(text: str) -> Found:
    for match in _USER_FLAG.finditer(text):
        name = match.group("name")
        backslash = name.rfind("\\")
        start = match.start("name") + backslash + 1
        bare = name[backslash + 1 :]
        if len(bare) < 2 or bare.casefold() in NO_PERSON or bare.startswith(("-", "<", "[", "{")):
            continue
        if not match.group("quote") and re.fullmatch(r"[a-z]{2,}[.:]?", bare) and match.group()[-len(name) - 1] == " ":
            yield Span("username", start, match.end("name"), 0.3, "user-name")  # may be the next word of a sentence
            continue
        yield Span("username", start, match.end("name"), 0.7, "user-name")


def _credentials(text: str) -> Found:
    for match in _PRIVATE_KEY.finditer(text):
        yield Span("credential", *match.span(), 1.0, "private-key")
    for match in _TOKENS.finditer(text):
        yield Span("credential", *match.span(), 0.95, "token")
    for match in _AUTHORIZATION.finditer(text):
        yield Span("credential", *match.span(1 if match.group(1) else 2), 0.9, "authorization")
    for match in _SECRET.finditer(text):
        value = match.group("value")
        word = match.group("sign") == ":" and re.fullmatch(r"[A-Za-z]+\.?", value)
        yield Span("credential", *match.span("value"), 0.3 if word else 0.9, "secret")
