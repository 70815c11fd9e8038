"""Recogniser for addresses. Dutch first."""

import re

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded
from pii_guard.words import WORDS

_YEAR = re.compile(r"(?:19|20)\d\d").fullmatch
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž]"
_STREETS = (
    r"straat|laan|weg|plein|gracht|kade|dijk|singel|dreef|steeg|hof|plantsoen|pad|markt|haven|baan|wal|ring|park|"
    r"akker|erf|"
    r"oord|veld|boulevard|allee|tuin|brug|poort|hoek|kamp|bosch?|burg|donk|hage|meent|horst|kruis|molen|berg|"
    r"vaart|sluis|"
    r"waard|straße|strasse|platz|gasse|damm|ufer|gatan|gata|gaten|vägen|veien|gade|vej|zijde|hoeve|rak|straatje|"
    r"laantje|strjitte|wei|zand|brink|esch?|heide|duin|zoom|stede|kant"
)
_STREET = re.compile(
    rf"(?:{_STREETS}|Kade|Plein|Markt|Haven|Dijk|Singel|Laan|Gracht|Brink|"
    rf"Hof) (?P<number>\d{{1,5}}(?: bus \d{{1,4}}| ?[a-zA-Z](?![\w'])|(?:[-/ ])?(?:\d{{1,4}}|[IVX]{{1,4}}|bis|hs|"
    rf"[A-Za-z]|zw|rd)(?![\w-])){{0,2}})"
    r"(?P<code>[,\s]+(?:NL-)?[1-9]\d{3} ?[A-Z]{2}\b|, [1-9]\d{3}(?= [A-Z][a-z]))?"
)
_SUFFIX = re.compile(rf"(?:{_STREETS})$")
_WORDS_BEFORE = re.compile(
    rf"(?:(?<![\w’-])(?:{_CAPITAL}[\w'’.-]{{0,30}}|'[st]|van|de|den|der|het|ten|ter|op|aan|in|\d{{1,2}}e) ){{0,5}}$"
)
_STREET_WORDS = Words(
    *(
        "ul. ",
        "ulica ",
        "Rue ",
        "rue ",
        "Av. ",
        "Avenue ",
        "Avenida ",
        "Via ",
        "Viale ",
        "Piazza ",
        "Calle ",
        "calle ",
        "Plaza ",
        "Rua ",
    ),
    *("Strada ", "Boulevard ", "Allée ", "Chemin ", "Place "),
    cased=True,
)
_OTHER_STREETS = re.compile(
    rf"[\w.]+ (?:de |des |du |da |la |le |di |del )*{_CAPITAL}[\w'’. -]{{1,40}}?,? \d{{1,5}}(?:/\d{{1,4}})?[a-z]?"
    r"(?:, (?:\d{2}-?\d{3}|\d{4}(?:-\d{3})?))?(?![\w-])"
)
_NUMBERED_STREETS = Quick(
    rf"[0-9](?<![\w.,/-].)\d{{0,4}}[a-z]?,? (?:(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Aa]llée|"
    rf"[Cc]hemin) (?:de |des |du |la |le )*"
    rf"{_CAPITAL}[\w'’-]{{1,40}}(?:, \d{{5}})?|(?:{_CAPITAL}[\w'’.-]+ ){{1,3}}(?:Street|St\.?|Road|Rd\.?|Avenue|"
    rf"Ave\.?|Lane|Ln\.?|Drive|Dr\.|Close|"
    r"Court|Square|Way|Terrace|Crescent|Boulevard|Blvd\.?|Place|Gardens|Grove|Hill|Mews|"
    r"Row)(?!\w)(?:,? (?:[A-Z][a-z]+ )?[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b)?)"
)
_NUMBERED = re.compile(" [0-9]")
_STREET_NUMBER = Quick(rf"(?:{_STREETS}) [0-9]")
_POSTCODE = Quick(
    r"[1-9](?<![\w.:/#€$-][1-9])(?<![€$] [1-9])\d{3} ?(?!S[ADS])[A-Z]{2}(?:,? \d{1,5}[a-z]?(?![\w.]))?(?![\w-])"
)
ADDRESS_STARTS = Words(
    "postcode",
    "adres",
    "woon",
    "address",
    "lives ",
    "street",
    "straat",
    "postal",
    "zip",
    "huisadres",
    "verblijft",
)
_ADDRESS_WORDS = re.compile(
    r"postcode|\badres|woont|woonachtig|\baddress|lives (?:at|in|on)|street\b|straat\b|postal|zip\b|huisadres|"
    r"verblijft"
)
_NO_CODE = WORDS["not-postcodes"]
_CITY = re.compile(rf"\s?[;|\"'\t]|[ ,]{{1,3}}(?:te )?(?:'s-|{_CAPITAL}[a-z])").match
_AFTER_WORD = re.compile(
    rf"[\s:\"'(]{{1,20}}(?:(?:op|aan|in|at|is|de|het|"
    rf"the) ){{0,3}}(?P<value>{_CAPITAL}[\w'’.-]*(?: [\w'’.-]+){{0,3}}? \d{{1,5}}(?: ?[a-zA-Z](?!\w)|"
    rf"[-/]\w{{1,4}}(?!\w))?)(?![\w./:]\w)"
)


_ABOVE = re.compile(
    rf"(?:^|\n)(?P<street>{_CAPITAL}[^\n,;:|]{{1,40}} \d{{1,5}} ?[A-Za-z]?(?:-\w{{1,4}})?)\n[ \t]*(?:NL-)?$"
)
"""A line above the one with the postcode."""


def homes(text: str) -> Found:
    """Addresses: Dutch streets and postcodes, and streets as they are written elsewhere."""
    lower = folded(text)
    for space in _NUMBERED.finditer(text) if _STREET_NUMBER.near(lower) else ():
        suffix = _SUFFIX.search(lower, max(0, space.start() - 12), space.start())
        match = suffix and _STREET.match(text, suffix.start())
        if not match:
            continue
        start = _street_start(text, match.start())
        if _YEAR(match.group("number")) and not match.group("code"):
            continue
        if start is not None and (start < match.start() or match.group("code")):
            yield Span("address", start, match.end(), 0.7, "street-nl")
    for at in _STREET_WORDS.places(text):
        match = _OTHER_STREETS.match(text, at)
        if match and not (at and text[at - 1].isalpha()):
            yield Span("address", *match.span(), 0.6, "street")
    for match in _NUMBERED_STREETS.finditer(text):
        yield Span("address", *match.span(), 0.6, "street")
    yield from _postcodes(text, lower)
    for at in ADDRESS_STARTS.places(lower):
        word = _ADDRESS_WORDS.match(lower, at)
        found = word and _AFTER_WORD.match(text, word.end())
        if found:
            yield Span("address", *found.span("value"), 0.6, "address-named")


def _postcodes(text: str, lower: str) -> Found:
    for match in _POSTCODE.finditer(text):
        letters = match.group()[4:].strip()[:2]
        near = _ADDRESS_WORDS.search(lower, max(0, match.start() - 60), match.start())
        if near or (letters not in _NO_CODE and match.group()[:2] not in ("19", "20") and _CITY(text, match.end())):
            yield Span("address", *match.span(), 0.7, "postcode-nl")
        above = _ABOVE.search(text, max(0, match.start() - 60), match.start())
        if above:
            yield Span("address", *above.span("street"), 0.7, "above-postcode")


def _street_start(text: str, suffix: int) -> int | None:
    """Where the name of the street begins of which this is the last part; None: it is no name."""
    start = suffix
    while start > max(0, suffix - 40) and (text[start - 1].isalpha() or text[start - 1] in "'’-."):
        start -= 1
    while start < suffix and not text[start].isalpha():
        start += 1
    if start == suffix:
        return suffix if text[suffix].isupper() else None
    before = _WORDS_BEFORE.search(text, max(0, start - 60), start)
    named = text[start].isupper()
    if before and before.group():
        first = before.group().lstrip("'")
        if named or first[0].isupper():
            return before.start() if first[0].isupper() or before.group()[0] == "'" else start
    return start if named and suffix - start > 1 else None
