"""Recogniser for the addresses at which people live: streets and postcodes. Dutch first."""

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
    r"laantje|strjitte|wei|zand|brink|esch?|heide|duin|zoom|stede|kant|diep|vest|buorren|wâld|gaarde|hoven|terp|"
    r"weide|gang|loane|leane|dyk|str\."
)
_STREET = re.compile(
    rf"(?:{_STREETS}|Kade|Plein|Markt|Haven|Dijk|Singel|Laan|Gracht|Brink|"
    rf"Hof)(?:,? (?:nr\.?|nummer|huisnummer))? "
    rf"(?P<number>\d{{1,5}}(?: bus \d{{1,4}}| ?[a-zA-Z](?![\w'])|(?:[-/ ])?(?:\d{{1,4}}(?:hs|bis)?|[IVX]{{1,4}}|"
    rf"bis|hs|[A-Za-z]|zw|rd)(?![\w-])){{0,2}})"
    r"(?P<code>[,\s]+(?:NL-)?[1-9]\d{3} ?[A-Z]{2}\b|, \d{4,5}(?= [A-Z][a-z]))?"
)
_NO_STREET = re.compile(
    r".{2,}(?<!wet)ering|during|.*woord|weegbrug|(?:in|uit|toe|af|voort?|over|door|om|rond)gang|.*(?:bevinding|melding)|"
    r"(?:kant|werk|stand|voor|na|onder)oord"
).fullmatch
"""Words that end as streets do."""
_SUFFIX = re.compile(rf"(?:{_STREETS})$")
_WORDS_BEFORE = re.compile(
    rf"(?:(?<![\w’-])(?:{_CAPITAL}[\w'’.-]{{0,30}}|'[st]|van|de|den|der|het|ten|ter|op|aan|in|\d{{1,2}}e) ){{0,5}}$"
)
_CAPITALS = re.compile(_CAPITAL).search
_STREET_WORDS = Words(
    *("ul. ", "ulica ", "Rue ", "rue ", "Av. ", "Avenue ", "Avenida ", "Via ", "Viale ", "Piazza ", "Calle "),
    *("calle ", "Plaza ", "Rua ", "Strada ", "Boulevard ", "Allée ", "Chemin ", "Place ", "Carrer ", "Plaça "),
    *("Passeig ", "Largo ", "Praça "),
    cased=True,
)
_OTHER_STREETS = re.compile(
    rf"[\w.]+ (?:de |des |du |da |la |le |di |del )*{_CAPITAL}[\w'’. -]{{1,40}}?,? \d{{1,5}}(?:/\d{{1,4}})?[a-z]?"
    r"(?:, \d{1,2}\.?[ºª°] ?\w{0,3})?(?:, (?:\d{2}-?\d{3}|\d{4}(?:-\d{3})?))?(?![\w-])"
)
_AREA = (
    r"(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|FK|FY|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|"
    r"L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)"
)
_BRITISH = rf"{_AREA}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{{2}}"
_OTHER_CODE = Quick(
    rf"(?<![\w.-])(?:{_BRITISH}|(?:(?:DE?|FR)-\d{{5}}|(?:CH|BE|AT|LU|DK|NO)-\d{{4}})(?= {_CAPITAL}[a-zà-ÿ]))(?![\w-])"
)
"""British ones, and `D-10115 Berlin`."""
_NUMBERED_STREETS = Quick(
    rf"(?:[0-9](?<![\w.,/-].)\d{{0,4}}[A-Za-z]?,? (?:(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Aa]llée|"
    rf"[Cc]hemin|[Qq]uai|[Ii]mpasse) (?:de |des |du |la |le )*"
    rf"{_CAPITAL}[\w'’-]{{1,40}}(?:, \d{{5}})?|(?:{_CAPITAL}[\w'’.-]+ ){{1,3}}(?:Street|St\.?|Road|Rd\.?|Avenue|"
    rf"Ave\.?|Lane|Ln\.?|Drive|Dr\.|Close|"
    r"Court|Square|Way|Terrace|Crescent|Boulevard|Blvd\.?|Place|Gardens|Grove|Hill|Mews|"
    r"Row|Parade|Rise|Cottages?|Strand|Villas|Wharf|Quay|Walk|Wynd|Brae|Yard(?=[,.;)\n])|Bank(?=[,.;)\n])|"
    r"View(?=[,;)\n])|Park(?=[,;)\n])|Green(?=[,;)\n]))(?!\w)"
    rf"(?:,? (?:[A-Z][a-z]+,? ){{0,2}}(?:{_BRITISH}|[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?)\b)?))"
)
_FLAT = re.compile(r"(?:Flat|Apartment|Apt\.?|Unit|Suite|Room) \w{1,4}, $").search
_NUMBERED = re.compile(" [0-9]")
_STREET_NUMBER = Quick(rf"(?:{_STREETS})(?:,? (?:nr\.?|nummer|huisnummer))? [0-9]")
_NR = re.compile(r",? (?:nr\.?|nummer|huisnummer)$").search
_POSTCODE = Quick(
    r"[1-9](?<![\w.:/#€$-][1-9])(?<!€ [1-9])\d{3} ?(?!S[ADS])[A-Z]{2}"
    r"(?:(?:,? ?|-)\d{1,5}(?: (?:hs|bis|[IVX]{1,4})|-?[a-zA-Z]|-\d{1,3})?(?!\w|\.\d))?(?![\w-])"
)
_CODE_IN_CELL = re.compile(r"(?:[,;|\t^$>]|[|;$] |[,;\[(]\s?[\"'])$").search
_CELL_ENDS = re.compile(r"\s?(?:[;|\t^$<\"'\n]|,|$)").match
_HOUSE = (
    rf"(?:{_CAPITAL}[\w'’.-]*|'[st]) (?:(?:{_CAPITAL}[\w'’.-]*|'t|van|de|den|der|het|ten|ter|op|aan|in|la|du|des|le) )"
    rf"{{0,4}}(?:nr\.? )?[1-9]\d{{0,4}}(?:[ -]?(?:[A-Za-z]|\d{{1,4}}|[IVX]{{1,4}}|bis|hs)(?!\w)){{0,2}}"
)
_BEFORE_CODE = re.compile(rf"(?<![\w'’-])(?P<street>{_HOUSE})(?P<sign>[,;|\t$\"' ]{{1,4}})(?:NL-)?$")
_ABROAD_CODE = Quick(
    r"[0-9][a-zA-Z]?, (?:\d{5}|0\d{3}|(?!19|20)[1-9]\d{3})(?= [A-ZÄÖÜÉ][a-zà-ÿ]{2,20}(?:[,.;)\"\n]|$))"
)
_HOUSE_BEFORE = re.compile(rf"(?<![\w'’-])(?P<street>{_HOUSE})$").search
"""`Am Hang 3, 12345 Berlin`: any street, for the number before a town that follows it."""
_BEHIND_CODE = re.compile(rf" (?:{_CAPITAL}[\w'’-]+ ?){{1,3}}, (?P<street>{_HOUSE})(?![\w-])").match
_CODE_SAID = re.compile(r"[\s:\"'(]{1,4}(?:is )?(?P<value>[1-9]\d{3} ?[a-z]{2}(?!\w))").match
ADDRESS_STARTS = Words(
    *("postcode", "adres", "woon", "address", "lives ", "street", "straat", "postal", "zip", "huisadres"),
    *("verblijft", "wonende"),
)
_ADDRESS_WORDS = re.compile(
    r"postcode|\badres|woont|woonachtig|woonadres|wonende|\baddress|lives (?:at|in|on)|street\b|straat\b|postal|"
    r"zip(?:[ _-]?code)?\b|huisadres|verblijft"
)
_NO_CODE = WORDS["not-postcodes"]
_CITY = re.compile(rf"\s?[;|\"'\t^<$]|[ ,]{{1,3}}(?:te )?(?:'s-|{_CAPITAL}[a-z])").match
_AFTER_WORD = re.compile(
    rf"(?:[ \t:\"'(]{{1,20}}|:\s{{1,12}})(?:(?:op|aan|in|at|is|de|het|"
    rf"the|te) ){{0,3}}(?P<value>(?:'[st] )?{_CAPITAL}[\w'’.-]*(?: [\w'’.-]+){{0,3}}? \d{{1,5}}(?: ?[a-zA-Z](?!\w)|"
    rf"[-/]\w{{1,4}}(?!\w))?)(?![\w./:]\w)"
)
_ABOVE = re.compile(
    rf"(?:^|\n)(?P<street>{_CAPITAL}[^\n,;:|]{{1,40}} \d{{1,5}} ?[A-Za-z]?(?:-\w{{1,4}})?)\n[ \t]*(?:NL-)?$"
)
"""A line above the one with the postcode."""


def homes(text: str) -> Found:
    """Addresses: Dutch streets and postcodes, and streets as they are written elsewhere."""
    lower = folded(text)
    yield from _dutch_streets(text, lower)
    for at in _STREET_WORDS.places(text):
        match = _OTHER_STREETS.match(text, at)
        if match and not (at and text[at - 1].isalpha()):
            yield Span("address", *match.span(), 0.6, "street")
    for match in _NUMBERED_STREETS.finditer(text):
        flat = _FLAT(text, max(0, match.start() - 18), match.start())
        yield Span("address", flat.start() if flat else match.start(), match.end(), 0.6, "street")
    yield from _postcodes(text, lower)
    for match in _ABROAD_CODE.finditer(text):
        cut = text.index(",", match.start())
        street = _HOUSE_BEFORE(text, max(0, cut - 60), cut)
        if street and street.group().split()[0] not in WORDS["not-names"]:
            yield Span("address", street.start(), match.end(), 0.6, "street")
    for match in _OTHER_CODE.finditer(text):
        yield Span("address", *match.span(), 0.6, "postcode")
    for at in ADDRESS_STARTS.places(lower):
        word = _ADDRESS_WORDS.match(lower, at)
        found = word and (_AFTER_WORD.match(text, word.end()) or _CODE_SAID(lower, word.end()))
        if found:
            yield Span("address", *found.span("value"), 0.6, "address-named")


def _dutch_streets(text: str, lower: str) -> Found:
    for space in _NUMBERED.finditer(text) if _STREET_NUMBER.near(lower) else ():
        nr = _NR(lower, max(0, space.start() - 13), space.start()) if lower[space.start() - 1] in "r." else None
        end = nr.start() if nr else space.start()
        suffix = _SUFFIX.search(lower, max(0, end - 12), end)
        match = suffix and _STREET.match(text, suffix.start())
        if not match:
            continue
        start = _street_start(text, match.start())
        if _YEAR(match.group("number")) and not match.group("code"):
            continue
        word = lower[max(0, end - 30) : end].rsplit(maxsplit=1)[-1]
        if start is None or _NO_STREET(word.strip("(\"'")):
            continue
        if start < match.start() or match.group("code"):
            yield Span("address", start, match.end(), 0.7, "street-nl")


def _postcodes(text: str, lower: str) -> Found:
    for match in _POSTCODE.finditer(text):
        start, end = match.span()
        certain = match.group()[4:].strip()[:2] not in _NO_CODE and match.group()[:2] not in ("19", "20")
        near = _ADDRESS_WORDS.search(lower, max(0, start - 60), start)
        street = _BEFORE_CODE.search(text, max(0, start - 70), start)
        if street and (certain or near or street["sign"].strip(" ")):
            yield Span("address", *street.span("street"), 0.7, "before-postcode")
        else:
            street = None
        if street or near or (certain and (_CITY(text, end) or _filling(text, start, end))):
            yield Span("address", start, end, 0.7, "postcode-nl")
            behind = _BEHIND_CODE(text, end)
            if behind:
                yield Span("address", start, behind.end(), 0.7, "behind-postcode")
        above = _ABOVE.search(text, max(0, start - 60), start)
        if above:
            yield Span("address", *above.span("street"), 0.7, "above-postcode")


def _filling(text: str, start: int, end: int) -> bool:
    """Does it fill a cell?"""
    return bool(_CODE_IN_CELL(text, max(0, start - 3), start) and _CELL_ENDS(text, end))


def _street_start(text: str, suffix: int) -> int | None:
    """Where the name of the street begins of which this is the last part; None: it is no name."""
    start = suffix
    while start > max(0, suffix - 40) and (text[start - 1].isalpha() or text[start - 1] in "'’-."):
        start -= 1
    while start < suffix and not text[start].isalpha():
        start += 1
    if start == suffix:
        if not text[suffix].isupper():
            return None
        before = _WORDS_BEFORE.search(text, max(0, start - 60), start)
        first_name = before and _CAPITALS(before.group())
        return before.start() + first_name.start() if before and first_name else suffix
    before = _WORDS_BEFORE.search(text, max(0, start - 60), start)
    named = text[start].isupper()
    if before and before.group():
        first = before.group().lstrip("'")
        if named or first[0].isupper():
            return before.start() if first[0].isupper() or before.group()[0] == "'" else start
    return start if named and suffix - start > 1 else None
