"""Recognisers for what is personal in URLs and paths. All patterns are linear."""

import re

from stdnum.nl import bsn as stdnum_bsn

from pii_guard.login_names import NO_PERSON
from pii_guard.quick import Quick, Rare
from pii_guard.span import Found, Span
from pii_guard.words import WORDS

PERSONAL_PAGE = re.compile(
    r"//(?:www\.)?(?:linkedin|facebook|instagram|twitter|x|t|tiktok|snapchat|vk|threads|github)\."
    r"|/(?:users?|home|u|profiles?|accounts?|people|members?)/",
    re.IGNORECASE,
).search
"""Where a path names a person."""
_BARE_URL = re.compile(r"www\.(?<!//www\.)[^\s<>\"'`]{3,2048}+")
_URL = re.compile(r"//[^\s<>\"'`]{3,2048}+")
_USERINFO = re.compile(r"//([^/?#@\s]{1,256}+)@")
_RARE = Rare()
_QUERY = Quick(
    r"[?&;#](?:e|u|e-?mail|mail|to|user(?:name|_?id)?|usr|login|logon|account|acct|naam|name|first_?name|last_?name|"
    r"phone|tel|mobile|msisdn|bsn|iban|customer(?:_?id)?|klant(?:nr|nummer)?|session(?:_?id)?|sess|sid|jsessionid|"
    r"phpsessid|"
    r"uid|uuid|device_?id|imei|recipient|rcpt|victim|target|address|adres|dob|birth\w*|token|voornaam|achternaam|lid|"
    r"patient\w*|member(?:_?id)?|gebruiker|pc|postcode|zip|eigenaar|owner|deelnemer|verzekerde|contact|sender|"
    r"afzender|author|auteur|uploader|fn|ln|aan|relatie|pas|ouder|\w{1,12}(?:naam|name|houder|"
    r"holder))=([^&;#\s\"'<>]{1,512})",
    re.IGNORECASE,
    rare=_RARE,
)
_INITIALS = Quick(
    r"(?<!/)/((?:[a-z][._]){1,3}[a-z]{4,24}|[a-z]{3,16}\.(?!action|aspx|html|xhtml|json|list|example|local|online|"
    r"store|conf)[a-z]{5,24})"
    r"(?=/|[?#]|\.html?\b|$)"
)
"""`/h.j.timmermans`, `/lena.hoffmann`: as people are called, and pages seldom."""
_QUERY_KEY = Quick(
    r"[?&;#](?:key|sig|signature|code|hash|ticket|secret|jwt|auth|invite|confirm(?:ation)?|reset|verify|otp|pin|"
    r"pass(?:word)?|pwd|api_?key|"
    r"access_token|id_token|refresh_token|share|magic)=((?=[^&;#\s\"'<>]{0,60}\d)(?=[^&;#\s\"'<>]{0,60}[A-Za-z])"
    r"[^&;#\s\"'<>]{10,512})",
    re.IGNORECASE,
    rare=_RARE,
)
"""What opens the page for whoever has it."""
_LINK = Quick(
    r"/(?:reset|verify|verif(?:y|ication)-?email|confirm|activate|activeer|bevestig|unsubscribe|afmelden|"
    r"uitschrijven|invite|invitation|"
    r"uitnodiging|magic|login|password-?reset|wachtwoord-?herstel|track|share|session|sessie|join|token)"
    r"(?:(?:/[a-z]{1,16}){0,2}/|[?]\w{1,12}=)"
    r"((?=[\w~=.-]{0,60}\d)(?=[\w~=.-]{0,60}[A-Za-z])[\w~=.-]{16,256})(?=[/?#]|$)",
    re.IGNORECASE,
    rare=_RARE,
)
_CODE = re.compile(r"[A-Z]{2,12}(?:-?[A-Z0-9]{2,12}){0,4}-?\d{3,}").fullmatch
"""`CVE-2024-13089`, `SAP10383`: a document's name."""
_GIVEN = WORDS["given-names"]
_APART = r"(?:[._+-]|%20)"
_NAMED = Quick(
    rf"[/=]((?:[\d]{{1,6}}-)?[a-z]{{2,16}}(?:{_APART}[a-z]{{1,20}}){{1,4}}(?:{_APART}\d{{1,4}}|\d{{1,4}})?)"
    r"(?=[/?#&]|\.(?:html?|jpe?g|png|pdf|git|php)\b|[\s\"'<>.,;)]|$)",
    re.IGNORECASE,
)
"""What may be a person's name: it is one where a given name stands at either end (`_given`)."""
_INITIAL = Quick(
    r"[/=]((?!x-|e-|i-|v-|u-|a-|t-shirt|c-sharp|d-link|f-secure|g-suite|z-wave|q-park|s-bahn|k-pop|p-value|h-)"
    r"[a-z]-(?:(?:van|de|der|den|el|al|ten|ter)-){0,2}[a-z]{4,20})(?=[/?#&]|[\s\"'<>,;)]|$)",
    rare=_RARE,
)
"""`/b-van-oostrum`, `?n=r-hoekstra`."""
_HOSTED = Quick(
    r"(?<![\w/@.:-])[a-z0-9](?:[a-z0-9-]{0,62}\.){1,5}[a-z]{2,12}(?P<path>/[^\s<>\"'`,]{3,1024})", re.IGNORECASE
)
"""A page without its scheme, as people write it."""
_TILDE = Quick(r"/~([\w.-]{2,64})", rare=_RARE)
_PAGE = Quick(
    r"/(?:u|users?|profiles?|members?|people|gebruikers?|accounts?|home|authors?|auteurs?|verkopers?|sellers?|"
    r"leden|lid|team|staff|"
    r"medewerkers?|klant(?:en)?|deelnemers?|lopers?|runners?|riders?|donors?|donateurs?|guests?|gasten|"
    r"huurders?|bewoners?|cli[eë]nt(?:en|s)?|"
    r"patients?|werknemers?|employees?|candidates?|kandidaten?|sollicitanten?|applicants?|abonnees?|"
    r"subscribers?|verzekerden?|doctors?|"
    r"agents?|artists?|players?|spelers?|atleten?|athletes?|owners?|eigenaren?|lawyers?|advocaten?|docenten?|"
    r"teachers?|personal|"
    r"mitarbeiter|burgers?|citizens?|inwoners?|customers?|profiel|speakers?|bestuur|piloten|patient(?:en)?|"
    r"artsen|contacts?|"
    r"insprekers?|reizigers?|pupils?|traject(?:en)?|sprekers?|makers?|sporters?|contrib|kandidaat|leavers|joiners|"
    r"personen|persoon|persons?|ouders?|kinderen|leerling(?:en)?|student(?:s|en)?)"
    r"/([\w.%+-]{2,64})(?=[/?#]|\.?$)",
    re.IGNORECASE,
    rare=_RARE,
)
_NAMED_PAGE = Quick(
    r"/(?:dossiers?|zaak|zaken|cases?|fotos?|photos?|files?|mail|inbox|cv|cvs|albums?|portretten|nl|tik|betaal|"
    r"pay|invite|uitnodiging)/"
    r"([a-z]{2,24}[._-](?:[a-z]{1,24}[._-])?[a-z]{1,24}(?:[._-]\d{2,4})?)(?=[/?#]|\.\w{2,4}\b|$)",
    re.IGNORECASE,
    rare=_RARE,
)
_SEPARATORS = re.compile(r"[._+-]|%20")
_SLUG = frozenset(("en", "and", "the", "of", "voor", "for", "met", "with", "in", "on", "op", "to", "is", "over", "uit"))
"""In titles, not in names."""
_PATH = re.compile(r"/(?<=[\s\"'(:]/)(?!/)[\w~][^\s<>\"'`,]{3,1024}+")
"""A path by itself, as servers log it."""
_FILE_OF = Quick(
    r"[/=](?:polis|klant|pati[eë]nt|client|dossier|bsn|persoon|leden|lid|user|medewerker|burger|person|"
    r"member)\w*[/=](\d{9})(?!\d)",
    re.I,
    rare=_RARE,
)
"""What is filed under a citizen's number."""
_NO_PAGE = frozenset(
    (
        "login",
        "me",
        "new",
        "search",
        "list",
        "all",
        "settings",
        "password",
        "signin",
        "index.php",
        "0",
        "edit",
        "profile",
        "about",
        "register",
        "overview",
        "overzicht",
        "guide",
        "view",
    )
)
_ODD_HOST = Quick(
    r"//(?:[^/?#@\s]{1,256}@)?((?:0x[0-9a-f]{1,8}|[0-9]{1,10})(?:\.(?:0x[0-9a-f]{1,8}|"
    r"[0-9]{1,10})){0,3})(?=[:/?#\s\"'<>)\]]|$)",
    re.IGNORECASE,
    rare=_RARE,
)
"""A host in numbers as `inet_aton` reads them: `0x7f000001`, `3232235777`, `0300.0250.1.1`."""
_PARTS = (_NAMED, _INITIAL, _QUERY, _QUERY_KEY, _LINK, _TILDE, _PAGE, _NAMED_PAGE, _INITIALS, _FILE_OF, _ODD_HOST)


def urls(text: str) -> Found:
    """User information, personal parts, and addresses that are written as other numbers."""
    parts = _parts(text)
    for match in (*_URL.finditer(text), *_BARE_URL.finditer(text)):
        url, base = match.group(), match.start()
        userinfo = _USERINFO.search(url) if "@" in url else None
        if userinfo:
            yield Span("credential", base + userinfo.start(1), base + userinfo.end(1), 0.95, "url-userinfo")
        yield from _personal(url, base, parts)
        for found in _FILE_OF.finditer(url) if _FILE_OF in parts else ():
            if stdnum_bsn.is_valid(found.group(1)):
                yield Span("bsn", base + found.start(1), base + found.end(1), 0.6, "bsn-in-url")
        odd = _ODD_HOST.match(url) if _ODD_HOST in parts else None
        if odd and _odd_address(odd.group(1)):
            yield Span("ipv4", base + odd.start(1), base + odd.end(1), 0.9, "ipv4-number")


def paths(text: str) -> Found:
    """Personal parts of paths that stand by themselves."""
    parts = _parts(text)
    for match in _PATH.finditer(text) if parts else ():
        yield from _personal(match.group(), match.start(), parts)
    for match in _HOSTED.finditer(text) if parts else ():
        yield from _personal(match.group("path"), match.start("path"), parts)


def _parts(text: str) -> frozenset[Quick]:
    """What may be in any URL or path of the text."""
    return frozenset(part for part in _PARTS if part.near(text))


def _personal(url: str, base: int, parts: frozenset[Quick]) -> Found:
    if "//git" not in url:
        yield from _names(url, base, parts)
    for found in _QUERY.finditer(url) if "=" in url and _QUERY in parts else ():
        if not _CODE(found.group(1)) and found.group(1).lower() not in NO_PERSON:
            end = found.start(1) + len(found.group(1).rstrip(".,;:)"))
            yield Span("url-personal", base + found.start(1), base + end, 0.7, "url-query")
    for pattern in (_QUERY_KEY, _LINK):
        if pattern not in parts:
            continue
        for found in pattern.finditer(url):
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.7, "url-key")
    for found in _TILDE.finditer(url) if _TILDE in parts else ():
        yield Span("url-personal", base + found.start(1), base + found.end(1), 0.7, "url-tilde")
    for pattern in (_PAGE, _NAMED_PAGE) if "//git" in url else (_PAGE, _NAMED_PAGE, _INITIALS):
        if pattern not in parts:
            continue
        for found in pattern.finditer(url):
            value = found.group(1).lower()
            if (
                value not in _NO_PAGE
                and value not in NO_PERSON
                and not (value.isdigit() and (len(value) < 5 or pattern is _NAMED_PAGE))
                and not value.startswith("index.")
            ):
                yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-page")


def _names(url: str, base: int, parts: frozenset[Quick]) -> Found:
    """Folders, pages and values that are called as people are."""
    for found in _NAMED.finditer(url) if _NAMED in parts else ():
        if _given(found.group(1).lower()):
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-name")
    for found in _INITIAL.finditer(url) if _INITIAL in parts else ():
        yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-name")


def _given(words: str) -> bool:
    """Does a given name stand at one end, and something else beside it?"""
    parts = [part for part in _SEPARATORS.split(words) if not part.isdigit()]
    return len(parts) > 1 and (parts[0] in _GIVEN or parts[-1] in _GIVEN) and not _SLUG.intersection(parts)


def _odd_address(host: str) -> bool:
    """Is this an address as `inet_aton` reads it, and not as people write it?"""
    parts = host.lower().split(".")
    if len(parts) == 4 and not any(part.startswith("0x") or (part[0] == "0" and len(part) > 1) for part in parts):
        return False
    try:
        numbers = [int(part, 16 if part.startswith("0x") else 8 if part[0] == "0" else 10) for part in parts]
    except ValueError:
        return False
    *first, last = numbers
    return max(first, default=0) < 256 and (1 << 24 if not first else 0) <= last < 1 << (8 * (4 - len(first)))
