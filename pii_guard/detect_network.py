"""Recognisers for what machines are known by: addresses, URLs, accounts, log-ins. All patterns are linear."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address

from pii_guard import Category
from pii_guard.span import Found, Span

_DOT = r"(?:\.|\[\.\]?|\.\]|\(\.\)|\{\.\}|\s?\[dot\]\s?|\s?\(dot\)\s?|\s?\{dot\}\s?)"
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
_OTHER_AT = ("[", "(", "{", "<", "%", "&", "＠")
"""What `_AT` begins with, but for the sign itself."""
_NOBODYS = re.compile(
    r"(?:psirt|c?s?irt|cert|secalert|abuse|security-alert)(?:@|\[at\]|%40)|[^@]+(?:@|%40)lists?\.", re.IGNORECASE
)
"""Mailboxes of teams and mailing lists: functions, not persons."""
_LOGIN_TAIL = re.compile(r"[:;|][^\s:;|/,]{4,128}")
_FEDIVERSE = re.compile(r"(?<![\w/@.])@[\w.-]{2,64}+@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:linkedin\.com/in|facebook\.com|instagram\.com|twitter\.com|//x\.com|//t\.me|tiktok\.com|snapchat\.com/add|vk\.com)"
    r"/@?([\w.%-]{2,64})",
    re.IGNORECASE,
)

PERSONAL_PAGE = re.compile(
    r"//(?:www\.)?(?:linkedin|facebook|instagram|twitter|x|t|tiktok|snapchat|vk)\.|/(?:users|home)/", re.IGNORECASE
).search
"""Where a path names a person."""

_IPV4 = re.compile(rf"(?<![\w.])(?<!\d-)\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?![\d_])(?!\.\d)(?!-\d)", re.IGNORECASE)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_WHOLE_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}").fullmatch
_DASHED_IPV4 = re.compile(
    r"(?<!\d)(?<!-\d-)(?<!-\d\d-)\d{1,3}(?:[-_]\d{1,3}){3}(?=(?:-[a-z][a-z0-9-]{0,60})?\.[a-z])", re.IGNORECASE
)
"""An address in a host name: `ec2-198-51-100-7.compute.example`."""
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

_URL = re.compile(r"//[^\s<>\"'`]{3,2048}+")
_USERINFO = re.compile(r"//([^/?#@\s]{1,256}+)@")
_QUERY = re.compile(
    r"[?&;#](?:e-?mail|mail|to|user(?:name|_?id)?|usr|login|logon|account|naam|name|first_?name|last_?name|phone|tel|"
    r"mobile|bsn|iban|customer(?:_?id)?|klant(?:nr|nummer)?|session(?:_?id)?|sess|sid|jsessionid|phpsessid|uid|uuid|"
    r"device_?id|imei|recipient|rcpt|victim|target|address|adres|dob|birth\w*)=([^&;#\s\"'<>]{1,512})",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Z]{2,12}(?:-?[A-Z0-9]{2,12}){0,4}-?\d{3,}").fullmatch
"""`CVE-2024-13089`, `SAP10383`: a document's name."""
_TILDE = re.compile(r"/~([\w.-]{2,64})")

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
    r"\b(?:username|user name|gebruikersnaam|loginnaam|login|account)\s*[:=]\s*|"
    r"\brunas\s+/user:|\bsu\s+-\s+)(?P<quote>[\"']?)(?P<name>[^\s\"'/,;<>%$*()|&:@]{2,64})",
    re.IGNORECASE,
)

_REMOTE = re.compile(r"\b(?:ssh|scp|sftp)\s+(?:-\w\s+\S{1,200}\s+){0,5}(?P<name>[\w.-]{2,64})@", re.IGNORECASE)
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


def emails(text: str) -> Found:
    """E-mail addresses, defanged ones too, log-ins behind them, and handles of the fediverse."""
    for match in _addressed(text):
        start, end = match.span()
        if _NOBODYS.match(match.group()):
            continue
        yield Span("email", start, end, 0.95, "email-at-address" if match.group("ip") else "email")
        tail = _LOGIN_TAIL.match(text, end) if end < len(text) else None
        if tail and not text.startswith("://", end):
            yield Span("credential", end, tail.end(), 0.8, "log-in")
    if text.count("@") > 1:
        for match in _FEDIVERSE.finditer(text):
            yield Span("social", *match.span(), 0.97, "fediverse")
    if " dot " in (lower := text.lower()) or " punt " in lower:
        for match in _SPOKEN_EMAIL.finditer(text):
            yield Span("email", *match.span(), 0.4, "email-spoken")


def _addressed(text: str) -> Iterator[re.Match[str]]:
    """All of `_EMAIL`. Where every at sign is a plain one, a search starts at the word it stands in."""
    if any(sign in text for sign in _OTHER_AT):
        yield from _EMAIL.finditer(text)
        return
    at = text.find("@")
    end = 0
    while at >= 0:
        match = _EMAIL.search(text, max(end, text.rfind(" ", end, at) + 1))
        if match is None:
            return
        yield match
        end = match.end()
        at = text.find("@", end)


def social(text: str) -> Found:
    """Profile pages of persons."""
    for match in _PROFILE.finditer(text):
        yield Span("social", *match.span(1), 0.8, "profile-page")


def urls(text: str) -> Found:
    """User information and personal parameters in URLs."""
    for match in _URL.finditer(text):
        url, base = match.group(), match.start()
        userinfo = _USERINFO.search(url) if "@" in url else None
        if userinfo:
            yield Span("credential", base + userinfo.start(1), base + userinfo.end(1), 0.95, "url-userinfo")
        for found in _QUERY.finditer(url) if "=" in url else ():
            if _CODE(found.group(1)):
                continue
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.7, "url-query")
        for found in _TILDE.finditer(url) if "~" in url else ():
            yield Span("username", base + found.start(1), base + found.end(1), 0.7, "url-tilde")


def addresses(text: str) -> Found:
    """IPv4 addresses, defanged ones too, that are no version."""
    dashed = _DASHED_IPV4.finditer(text) if text.count("-") + text.count("_") > 2 else ()
    for match in (*_IPV4.finditer(text), *dashed):
        start, end = match.span()
        octets = [int(part) for part in re.findall(r"\d+", match.group())]
        if max(octets) > 255 or octets[0] == 0 or octets == [127, 0, 0, 1] or octets[:2] == [255, 255]:
            continue
        before = text[max(0, start - 64) : start]
        plain = match.group().count(".") == 3 and "[" not in match.group() and "(" not in match.group()
        if plain and _VERSION_BEFORE.search(before) and not _ADDRESS_BEFORE.search(before):
            continue
        yield Span("ipv4", start, end, 0.9, "ipv4")


def hex_addresses(text: str) -> Found:
    """IPv6 and MAC addresses."""
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
    if ":" in value:
        try:
            IPv6Address(value)
        except AddressValueError:
            return None
        return "ipv6"
    return "ipv4" if _WHOLE_IPV4(value) else None


def user_paths(text: str) -> Found:
    """Names in home folders."""
    for match in _USER_PATH.finditer(text):
        group = "windows" if match.group("windows") else "unix"
        name = match.group(group).casefold()
        if name not in NO_PERSON and not name.startswith(("<", "%", "$", "[", "*", "{", ".")):
            yield Span("username", *match.span(group), 0.9, "user-path")


def user_names(text: str) -> Found:
    """User names in command lines and after their label."""
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
    for match in _REMOTE.finditer(text):
        yield Span("username", *match.span("name"), 0.7, "user-name")


def credentials(text: str) -> Found:
    """Passwords, keys and tokens."""
    for match in _PRIVATE_KEY.finditer(text):
        yield Span("credential", *match.span(), 1.0, "private-key")
    yield from tokens(text)
    for match in _AUTHORIZATION.finditer(text):
        yield Span("credential", *match.span(1 if match.group(1) else 2), 0.9, "authorization")
    for match in _SECRET.finditer(text):
        value = match.group("value")
        word = match.group("sign") == ":" and re.fullmatch(r"[A-Za-z]+\.?", value)
        yield Span("credential", *match.span("value"), 0.3 if word else 0.9, "secret")


def tokens(text: str) -> Found:
    """Keys and tokens by the form their makers give them."""
    for match in _TOKENS.finditer(text):
        yield Span("credential", *match.span(), 0.95, "token")
