"""Recognisers for what is personal in URLs and paths. All patterns are linear."""

import re

from stdnum.nl import bsn as stdnum_bsn

from pii_guard.detect_logins import ENDS
from pii_guard.login_names import NO_PERSON, SURNAMES, surnamed
from pii_guard.quick import Quick, Rare
from pii_guard.span import Found, Span, folded
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
    r"afzender|author|auteur|uploader|fn|ln|aan|relatie|pas|ouder|gast|guest|kunde|kaart|profiel|profile|\w{1,12}(?:naam|name|houder|"
    r"holder))=([^&;#\s\"'<>]{1,512})",
    re.IGNORECASE,
    rare=_RARE,
)
_INITIALS = Quick(
    r"(?<!/)(?:[/=#](?P<initials>(?:[a-z][._]){1,3}(?!html|json|aspx|conf)[a-z]{4,24}(?:-[a-z]{3,24})?(?:-?\d{1,4})?)|"
    r"/(?P<both>[a-z]{3,16}\.(?!action|aspx|html|xhtml|json|list|example|local|online|store|conf|leases|exports|service|"
    r"properties|backup|socket|timer|target)[a-z]{5,24}))"
    r"(?=/|[?#&]|\.(?:html?|jpe?g|png|pdf)\b|[\s\"'<>,;)]|$)"
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
_SESSION = Quick(r"[?&](?:s|t)=((?=[\w~.-]{0,60}\d)(?=[\w~.-]{0,60}[a-z])[\w~.-]{24,512})", rare=_RARE)
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
_FILES = frozenset(("html", "htm", "jpg", "jpeg", "png", "pdf", "git", "php"))
_DOCUMENT = re.compile(r"[^\s]+\.(?:docx?|xlsx?|pptx?|pdf|txt|csv|zip)", re.IGNORECASE).fullmatch
_GIVEN = WORDS["given-names"]
_APART = r"(?:[._+-]|%20)"
_NAMED = Quick(
    rf"[/=]((?:[\d]{{1,6}}-)?[a-z]{{2,16}}(?:{_APART}[a-z]{{1,20}}){{1,4}}(?:{_APART}\d{{1,4}}|\d{{1,4}})?)"
    r"(?=[/?#&|]|\.(?:html?|jpe?g|png|pdf|git|php)\b|[\s\"'<>.,;)]|$)",
    re.IGNORECASE,
)
"""What may be a person's name: it is one where a given name stands at either end (`_given`)."""
_INITIAL = Quick(
    r"[/=]((?!x-|e-|i-|v-|u-|a-|t-shirt|c-sharp|d-link|f-secure|g-suite|z-wave|q-park|s-bahn|k-pop|p-value|h-)"
    r"[a-z]-(?:[a-z]-)?(?:(?:van|de|der|den|el|al|ten|ter)-){0,2}[a-z]{4,20}(?:-\d{1,4})?)(?=[/?#&]|[\s\"'<>,;)]|\.?$)",
    rare=_RARE,
)
"""`/b-van-oostrum`, `?n=r-hoekstra`."""
_TITLED = Quick(
    r"[/=#]((?:fam(?:ilie)?|mw|mevr(?:ouw)?|dhr|mrs?|ms|dr|mister|granny|oma|opa)(?:[._-]|%20|\+)"
    r"(?!en[._-]|recht|bedrijf|dag|leden|hotel|robot|web|zaken|foto|who)(?:[a-z]{1,20}[._-]){0,3}[a-z]{3,20}"
    r"(?:[._-]?\d{1,4}(?:th)?)?)(?=[/?#&]|\.\w{2,4}\b|[\s\"'<>,;)]|$)",
    re.IGNORECASE,
    rare=_RARE,
)
"""`/familie-de-groot`, `/dr-weaver`."""
_HANDLE = Quick(r"/@(?=[\w.-]{0,30}[a-z])([\w.-]{2,64})(?=[/?#]|\.?$|[\s\"'<>,;)])", re.IGNORECASE, rare=_RARE)
"""A profile, as many sites write it."""
_PACKAGES = re.compile(
    r"npm|unpkg|jsdelivr|esm\.|skypack|deno|jsr\.|node_modules|/@(?:types|angular|babel|vite|fs|id)\b"
).search
_LOGIN = re.compile(r"(?P<letters>[a-z]{5,32})\d{0,4}(?=[/?#&]|\.(?:html?|jpe?g|png|pdf|php)\b|[\s\"'<>,;)]|\.?$)")
"""What may be made of an initial, or a given name, and a surname: `/pgroen`, `/biancatolsma`."""
_OPENS = frozenset("/=@#")
_LONGEST = 16
_QUERIED = Quick(r"\.aspx? (?=[\w-]{1,24}=)[^\s\"'<>]{3,512}", rare=_RARE)
"""A page and what it was asked, as IIS logs them."""
_DEFANGED = Quick(r"\[\.\][a-z]{2,12}(?P<path>/[^\s<>\"'`,]{3,1024})", re.IGNORECASE, rare=_RARE)
_HOSTED = Quick(
    r"(?<![\w/@.:-])[a-z0-9](?:[a-z0-9-]{0,62}\.){1,5}[a-z]{2,12}(?P<path>/[^\s<>\"'`,]{3,1024})", re.IGNORECASE
)
"""A page without its scheme, as people write it."""
_NO_TILDE = re.compile(r"assets|static|images?|public", re.IGNORECASE).fullmatch
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
    r"insprekers?|reizigers?|pupils?|kids?|parents?|dav/files|channel|traject(?:en)?|sprekers?|makers?|sporters?|contrib|kandidaat|leavers|joiners|"
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
_PATH = re.compile(r"/(?<=[\s\"'(:;|,=>\[]/)(?!/)[\w~][^\s<>\"'`,]{3,1024}+")
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
        *("login", "me", "new", "search", "list", "all", "settings", "password", "signin", "index.php", "0"),
        *("edit", "profile", "about", "register", "overview", "overzicht", "guide", "view", "export", "orders"),
        *("dossier", "open"),
    )
)
_ODD_HOST = Quick(
    r"//(?:[^/?#@\s]{1,256}@)?((?:0x[0-9a-f]{1,8}|[0-9]{1,10})(?:\.(?:0x[0-9a-f]{1,8}|"
    r"[0-9]{1,10})){0,3})(?=[:/?#\s\"'<>)\]]|$)",
    re.IGNORECASE,
    rare=_RARE,
)
"""A host in numbers as `inet_aton` reads them: `0x7f000001`, `3232235777`, `0300.0250.1.1`."""
_PARTS = (
    *(_SESSION, _TITLED, _HANDLE, _QUERIED, _DEFANGED, _NAMED, _INITIAL, _QUERY, _QUERY_KEY, _LINK, _TILDE, _PAGE),
    *(_NAMED_PAGE, _INITIALS, _FILE_OF, _ODD_HOST),
)


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
    for pattern in (_HOSTED, _DEFANGED) if parts else ():
        for match in pattern.finditer(text) if pattern is _HOSTED or pattern in parts else ():
            yield from _personal(match.group("path"), match.start("path"), parts)
    yield from _log_ins(text)
    for match in _QUERIED.finditer(text) if _QUERIED in parts else ():
        yield from _personal(match.group().replace(" ", "?"), match.start(), parts | {_QUERY})


def _log_ins(text: str) -> Found:
    """Pages and values that are an initial, or a given name, and a surname in one word."""
    for at in ENDS.places(folded(text)):
        start = at
        while start and at - start < _LONGEST and "a" <= text[start - 1] <= "z":
            start -= 1
        if (
            at > start
            and text[start - 1 : start] in _OPENS
            and "/" in text[max(0, start - 200) : start].rsplit(maxsplit=1)[-1]
        ):
            match = _LOGIN.match(text, start)
            if match and (surnamed(match.group("letters")) or _joined(match.group("letters"))):
                yield Span("url-personal", start, match.end(), 0.6, "url-name")


def _parts(text: str) -> frozenset[Quick]:
    """What may be in any URL or path of the text."""
    return frozenset(part for part in _PARTS if part.near(text))


def _personal(url: str, base: int, parts: frozenset[Quick]) -> Found:
    if "//git" not in url:
        yield from _names(url, base, parts)
    for found in _QUERY.finditer(url) if "=" in url and _QUERY in parts else ():
        value = found.group(1).lower()
        if not _CODE(found.group(1)) and value not in NO_PERSON and value not in ("3d", "open"):
            end = found.start(1) + len(found.group(1).rstrip(".,;:)"))
            yield Span("url-personal", base + found.start(1), base + end, 0.7, "url-query")
    for pattern, ours in ((_QUERY_KEY, _DOCUMENT), (_SESSION, _DOCUMENT), (_LINK, _DOCUMENT), (_TILDE, _NO_TILDE)):
        for found in pattern.finditer(url) if pattern in parts else ():
            if not ours(found.group(1)):
                yield Span("url-personal", base + found.start(1), base + found.end(1), 0.7, "url-key")
    for pattern in (_PAGE, _NAMED_PAGE) if "//git" in url else (_PAGE, _NAMED_PAGE, _INITIALS):
        if pattern not in parts:
            continue
        for found in pattern.finditer(url):
            start, end = found.span(found.lastgroup or 1)
            value = url[start:end].lower()
            if (
                value not in _NO_PAGE
                and value not in NO_PERSON
                and not (value.isdigit() and (len(value) < 5 or pattern is _NAMED_PAGE))
                and not value.startswith("index.")
            ):
                yield Span("url-personal", base + start, base + end, 0.6, "url-page")


def _names(url: str, base: int, parts: frozenset[Quick]) -> Found:
    """Folders, pages and values that are called as people are."""
    for found in _NAMED.finditer(url) if _NAMED in parts else ():
        if _given(found.group(1).lower()):
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-name")
    yield from _profiles(url, base, parts)
    for found in _INITIAL.finditer(url) if _INITIAL in parts else ():
        yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-name")


def _profiles(url: str, base: int, parts: frozenset[Quick]) -> Found:
    """Names behind a title, and behind an at sign."""
    for found in _TITLED.finditer(url) if _TITLED in parts else ():
        if not _SLUG.intersection(_SEPARATORS.split(found.group(1).lower())):
            yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-name")
    for found in _HANDLE.finditer(url) if _HANDLE in parts and not _PACKAGES(url) else ():
        yield Span("url-personal", base + found.start(1), base + found.end(1), 0.6, "url-handle")


def _given(words: str) -> bool:
    """Does a given name stand at one end, and something else beside it; or a surname behind one, or before initials?"""
    parts = [part for part in _SEPARATORS.split(words) if not part.isdigit() and part not in _FILES]
    if len(parts) < 2 or _SLUG.intersection(parts):
        return False
    if parts[0] in _GIVEN or parts[-1] in _GIVEN or parts[-1].rstrip("0123456789") in SURNAMES:
        return True
    return parts[0] in SURNAMES and all(len(part) < 3 for part in parts[1:])


def _joined(letters: str) -> bool:
    """A given name and a surname, written together?"""
    return any(letters[:at] in _GIVEN and letters[at:] in SURNAMES for at in range(3, len(letters) - 2))


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
