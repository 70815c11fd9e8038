"""Recogniser for citizens' numbers (BSN): the eleven test, and what says that a number is one, or another.

Nine digits in a row, or parted as forms do, are one when they pass. Parted in any other way, or with the zero at their
front lost, they are one behind a word for it, behind a word for persons, beside a name, or in a column of such.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from stdnum.nl import bsn as stdnum_bsn

from pii_guard.cells import LAST, cell
from pii_guard.phone_words import NOT_DIGITS, OTHER_NUMBER, in_url
from pii_guard.quick import Quick, Rare
from pii_guard.span import Found, Span, Words

_RARE = Rare()
_BSN = Quick(
    r"[0-9](?:(?<![^\W_][0-9])|(?<=\bNL[0-9]))(?<!\d[.-][0-9])"
    r"(?:\d{8}|\d{7}|\d{3}\.\d{2}\.\d{3}|\d{2}[ .-]\d{3}[ .-]\d{3}|\d{3} \d{2} \d{3}|\d{2},\d{3},\d{3}|"
    r"\d \d{2} \d{2} \d{3}|\d(?P<sign>[.-])\d{2}(?P=sign)\d{2}(?P=sign)\d{3}|\d{2} \d{2} \d{2} \d{2})"
    r"(?![^\W_]|\.(?!0(?!\d))\d\d|-(?![A-Z][a-z]|\d\d?(?!\d))\w)",
    rare=_RARE,
)
_LABELLED = Quick(
    r"(?:bsn|b\.s\.n\.|burgerservicen(?:umme)?r|sofi(?:nummer)?|\bssn)"
    r"[\"']?(?:[:=#/ ._-]{0,3}[\"']?(?:nl-?)?(?P<plain>0{0,3}\d{8,9})(?!\d)"
    r"|(?:[ -]?n(?:umme)?r\.?)?(?:\s(?:is|was|luidt))?[:=#/\s.\"'>)_-]{0,5}(?P<loose>\d(?:[\s,./_·+-]{0,3}\d){7,8})"
    r"(?![\w]|[,/-]\d|\.(?!0(?!\d))\d))"
)
"""Behind the word itself, parted in any way."""
_IN_FILE_NAME = Quick(
    r"\d(?<!\d\d)(?<!\d\.\d)(?:(?<=[_.-].)\d{8}(?=[\w-]{0,40}\.[a-z]{3,4}\b)|(?<=[a-z].)\d{8}(?=\.[a-z]{3,4}\b)"
    r"|\d{8}(?=[_-][\w-]{0,40}\.[a-z]{3,4}\b))(?!\d)",
    rare=_RARE,
)
"""`loonstrook-111222333.pdf`: files of one person are called by the number."""
_WORDS = re.compile(
    r"bsn|b[._]s[._]n\b|\bb s n\b|\bbs[ -]?n(?:umme)?r|burger[ _-]?service|burgers\w{2,8}n(?:umme)?r|"
    r"onderwijsnummer|\bownr\b|\bpgn\b|nlminbiza|"
    r"s00000000:|belastingnummer|\baanslag|correspondentien(?:umme)?r|\bfi[ -]?n(?:umme)?r\b|belastingdienst|"
    r"sofi[\s_-]{0,2}n(?:umme)?r|\bsofi\b|sociaal[ -]fiscaal|fiscaal[ _-]?n(?:umme)?r|sectoraal|"
    r"\b(?:01\.?)?01\.?20\b|\b010120|"
    r"2\.16\.840\.1\.113883\.2\.4\.6\.3\b|citizen[ _-]?(?:service|id\b)|\bbrp\b|\bdigid\b|"
    r"nationa(?:a|le?)[ -](?:identi\w+ )?(?:nummer|number|no|nr)\b|nat(?:ional)?[ _-]?(?:id|number)\b|"
    r"gov[ _-]?id\b|\bpers_nr|person[ _]number|\bnin\b|"
    r"(?:identity|insurance|citizen'?s?) (?:number|no|nr)\b|"
    r"\bcsn\b|\bssn\b|\bss ?#|person(?:s?nummer|al[ _-]?(?:number|no|id)|(?:oon)?[ _-]?id\b)|persoon[ _-]?id\b|"
    r"subject[ _-]?(?:id|nummer)|identification number|identiteitsn(?:umme)?r|nummeridentificatie|\bidentificatie\b|"
    r"\bid-?nummer|\bid no\b|persoonsgebonden|social[ _]?security|"
    r"tax[ _-]?(?:number|id)|\btin\b|steuer-?id|loonheffing|"
    r"service[ -]?(?:number|nr|no)\b|"
    r"\b4d\. ?(?=\d)|\b4d\.? ?$|elf-?proef|11-?proef|eleven[ -]test|"
    r"\bsv[ -]?n(?:umme)?r|burgern(?:umme)?r|persoonsn(?:umme)?r|identificatien(?:umme)?r|fiscal (?:number|no)"
)
_NAMES = Words(
    *("bsn", "b.s.n.", "burgerservice", "burger service", "sofi", "sociaal", "fiscaal", "citizen", "csn"),
    *("ssn", "burgers", "b_s_n", "personnummer", "persoons", "personal", "national", "identification number"),
    *("identiteitsn", "ss#", "ss #", "idnummer", "id-nummer", "social", "tax number", "tax_number", "tax id"),
    *("taxid", "tax_id", "tax-id", "taxnumber", "tin ", "tin:", 'tin"', "tin=", "tin;", "tin>", "steuer"),
    *("subject", "sectoraal", "personid", "loonheffing", "service number", "service nr", "service no"),
    *("servicen", "sv-n", "svn", "sv n", "burgern", "identificatie", "fiscal ", "burger-service"),
    *("burger_service", "onderwijsnummer", "pgn", "nlminbiza", "s00000000:", "belasting", "aanslag", "ownr"),
    *("brp", "digid", "nationaal", "nationale", "persoonid", "identity n", "insurance n", "4d.", "4d "),
    *("b s n", "elfproef", "elf-proef", "11-proef", "11proef", "eleven test", "correspondentien", "fi-n"),
    *("finr", "finummer", "fi n", "bsnummer", "bs-n", "bs n", "bsnr", "nin ", "nin:", "010120", "01.01.20"),
    *("01.20", "0101.20", "tin<", "113883.2.4.6.3", "id no", "persoon_id", "persoon-id", "person_id", "nat_id"),
    *("natid", "nat id", "gov", "pers_nr", "person number", "person_n"),
)
_LOOSE = Quick(
    r"[0-9](?<![\w./+-][0-9])(?<!\d[:=][0-9])(?<!\b0,[0-9])(?:(?:[ ./_·-]{0,2}| [./-] )\d){8}"
    r"(?!\w|[/-]\d|\.(?!0(?!\d))\d)"
)
"""Parted in any way, as people read it out."""
_BEFORE, _BEHIND = 400, 60
_PERSON = (
    r"(?:cli[eë]nt|pati[eë]nt|leerling|student|werkne|medewerk|verdacht|betrokken|aanvrag|partner|\bkind|ouder|"
    r"geb\.|gebor|geboor|\bborn|\bdob\b|verzeker|deelnem|inwoner|burger|dossier|paspoort|passport|loonstrook|payslip|"
    r"payroll|uitkering|toeslag|salaris|employee|pupil|applicant|claimant|insured|citizen|\bdhr|\bmevr?\b|\bmw\b|"
    r"\bheer\b|persoon|\bperson|moeder|vader|mother|father|\bzoon|dochter|\bson\b|daughter|echtgen|huurder|bewoner|getuige|victim|"
    r"slachtoffer|gemachtigde|melder|naam\b|\bname\b|mijn nummer|(?:zijn|haar|hun|my|his|her|their) (?:nummer|number))"
)
_PERSONS = re.compile(_PERSON + r"[^\n]{0,60}$")
"""Behind these a number may be a person's."""
_PERSON_NEAR = re.compile(_PERSON)
_OF_PERSONS_AT_ALL = Words(
    *("client", "cliënt", "patient", "patiënt", "leerling", "student", "werkne", "medewerk", "verdacht"),
    *("betrokken", "aanvrag", "partner", "kind", "ouder", "geb.", "gebor", "geboor", "born", "dob", "verzeker"),
    *("deelnem", "inwoner", "burger", "dossier", "paspoort", "passport", "loonstrook", "pays", "payroll"),
    *("uitkering", "toeslag", "salaris", "employee", "pupil", "applicant", "claimant", "insured", "citizen"),
    *("dhr", "mev", "mw", "heer", "moeder", "vader", "mother", "father", "zoon", "dochter", "son", "daughter"),
    *("echtgen", "huurder", "bewoner", "getuige", "victim", "slachtoffer", "gemachtigde", "melder", "naam"),
    *("name", "nummer", "number", "nr:", "nr.", "nr ", "|", ";", "\t", " / "),
)
_BESIDE = re.compile(
    r"(?:[A-Z]\S{1,20}|[A-Z]\.)(?: [a-z]{1,4}){0,3} [A-Z][\w'’.-]{1,24}[ \t]{0,4}[/;|,\t][ \t]{0,4}[\"'(]?$"
    r"|\d\d[-/.]\d\d[-/.](?:19|20)\d\d[)\"']?[ \t]{0,4}[/;|,\t]?[ \t]{0,4}[\"'(]?$"
).search
"""A cell with a name, or a date of birth, right before it."""
_DATED = re.compile(r"(?:19|20)\d\d[-./ ]?(?:0\d|1[0-2])[-./ ]?[0-3]\d|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d").search
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,5}){3}").fullmatch
"""Or an address in the network."""
_BOXES = re.compile(r"(?=.*[2-9])\d(?: \d){8}").fullmatch
"""A digit in each box of a form."""
_FIRMS = re.compile(r"(?:\brsin|_rsin|\beori)\W{0,4}(?:nl)?$").search
_FRACTION = re.compile(r"(?<!\d)0,\Z").search
_GLUED = re.compile(r"[^\W_](?<!nr)(?<!no)\.\Z|[^\W_]-\Z").search
"""Of a code, or a name; by itself no sign of a person's."""
_NAMED_BEFORE = re.compile(r"(?:bsn|b\.s\.n\.|burgerservicen|\bsofi|\bssn|citizen[ _-]service)[^\d\n]{0,60}$").search
"""The word itself in the label, whatever else is in it: `BSN/dossiernummer: `, `BSN bij polis: `."""
_LABEL = 80
_ASKED = re.compile(
    r"(?:perso|ingeschreven|inwoner|subject|identi|digid|declarat|relatie|zoek|search|[?&]q|query|term|national|kenmerk|"
    r"record|nummer|\bnr)[^/?&=\s]{0,20}[/=](?:\d{1,6}/)?\Z"
).search
"""Pages that are asked for somebody."""
_OF_PERSONS = re.compile(
    r"(?:klant|relatie|lid|deb(?:iteur)?|member|customer|\bcase)[a-z]{0,8}(?: ?(?:nummer|nr|no|number|id))?\W{1,3}$"
).search
_SAID = re.compile(r"\bbsn|burgerservicenummer|citizen service number").search
"""A customer's number, and the word that says that it was this one."""
_TOLD = 160
_YMD = re.compile(r"20[0-3]\d(?:0[1-9]|1[0-2])[0-3]\d\.\d").fullmatch
_SIGNED = re.compile(r"(?=[^-._·]*[-._·][^-._·]*[-._·])\d+(?:(?: [./-] |[ ._·-])\d+){2,4}").fullmatch
"""By two signs at least, that hardly any other number is."""
_MACHINE = Quick(
    r"NLD(?:\d{7}[MFX<]\d{7}|[A-Z0-9]{9}\d)(?P<bsn>\d{9})[<\d]|0120009(?P<gba>\d{9})|\b010120(?P<field>\d{9})(?!\d)"
)
"""The lower line of a Dutch passport, the upper one of an identity card, and field 01.20 of the register of persons."""
_VAT = Quick(r"(?:nl(?<!\wnl)\.?|(?<![\w.-]))(\d{9})(?:\.?b\.?|[a-df-z][a-z]?)\d{2,3}(?!\w)", rare=_RARE)
_SHORT = 8
"""Digits of a number whose zero at the front is lost."""
_FIRM = "8"
"""Numbers of firms (RSIN) begin with it."""
_BOXED = Quick(
    r"\d(?<!\d\d)(?<!\d\|\d)(?<!\d \| \d)(?:(?: ?\| ?\d){8}|(?:\] ?\[\d){8})(?!\d|\]? ?[|\[] ?\d)", rare=_RARE
)
_PARAMETER = Quick(r"[?&;](?P<key>[a-z_]{1,20})=(?P<value>\d{9})(?!\w)")
_EIGHT = Quick(r"\d(?<![^\s,;|\"'>]\d)\d{7}(?![^\s,;|\"'<])")
_LONG = 500
"""In a longer line, or row, places are counted from here."""
_NINE = re.compile(r"(?<!\d)\d{9}(?!\d)")


def names_bsn(lower: str) -> bool:
    """May a word for a citizen's number stand in the text (in lower case)?"""
    return _NAMES.any(lower)


def citizens(text: str, lower: str) -> Found:
    """By form, behind a word for one or for persons, in files' names, documents, addresses of pages, columns."""
    named = names_bsn(lower)
    found = [*_formed(text, lower, named), *_loose(text, lower, named)]
    if named:
        found += _labelled(lower)
    yield from found
    for match in _BOXED.finditer(text) if "|" in text or "][" in text or "] [" in text else ():
        if passes(match.group()):
            yield Span("bsn", *match.span(), 0.6, "bsn-parted")
    yield from _filed(text, lower)
    yield from _repeated(lower)
    yield from _column(text, found)


def _formed(text: str, lower: str, named: bool) -> Found:
    for match in chain.from_iterable(map(_within, _BSN.finditer(text))):
        start, end = match.span()
        if _citizens(match.group(), lower, start, end, named):
            close = named and _WORDS.search(lower, max(0, start - 60), end + 30)
            yield Span("bsn", start, end, 0.95 if close else 0.6, "bsn")  # by chance one of eleven passes


def _within(match: re.Match[str]) -> Iterator[re.Match[str]]:
    """It, when it passes; else what passes from a later group of its digits on: `123 274 700 578`."""
    text, start, end = match.string, *match.span()
    while True:
        if (found := _BSN.match(text, start)) and passes(found.group()):
            yield found
            return
        start = text.find(" ", start, end) + 1
        if not start:
            return


def _loose(text: str, lower: str, named: bool) -> Found:
    """Parted in any way, where a word says what it is, or whose."""
    for match in _LOOSE.finditer(text) if named or _OF_PERSONS_AT_ALL.any(lower) else ():
        start, end = match.span()
        if not passes(match.group()) or not _citizens(match.group(), lower, start, end, named=True):
            continue
        if named and _WORDS.search(lower, max(0, start - _BEFORE), end + _BEHIND) and not _YMD(match.group()):
            yield Span("bsn", start, end, 0.7, "bsn")
        elif not (_DATED(match.group()) or _VERSION(match.group())) and (
            _SIGNED(match.group())
            or _BOXES(match.group())
            or _PERSONS.search(lower, max(0, start - 80), start)
            or _beside(text, start)
        ):
            yield Span("bsn", start, end, 0.6, "bsn-parted")


def _beside(text: str, start: int) -> bool:
    return _BESIDE(text, max(0, start - 60), start) is not None


def _labelled(lower: str) -> Found:
    for match in _LABELLED.finditer(lower):
        if passes(match.group(match.lastgroup or 0)):
            yield Span("bsn", *match.span(match.lastgroup or 0), 0.95, "bsn")


def _filed(text: str, lower: str) -> Found:
    """In names of files, passports, and numbers of tax that begin with one (old VAT numbers, assessments)."""
    for match in _IN_FILE_NAME.finditer(lower):
        if passes(match.group()) and not OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start()):
            yield Span("bsn", *match.span(), 0.6, "bsn-file-name")
    for match in _MACHINE.finditer(text) if "NLD" in text or "0120" in text else ():
        if passes(match.group(match.lastgroup or 0)):
            yield Span("bsn", *match.span(match.lastgroup or 0), 0.9, "travel-document")
    for match in _VAT.finditer(lower):
        if match.group(1)[0] != _FIRM and passes(match.group(1)):
            yield Span("bsn", *match.span(), 0.8, "vat-bsn")  # a one-person firm's held its owner's until 2020


def _repeated(lower: str) -> Found:
    """Parameters of links: two or more of one name that all pass the test are no chance."""
    every: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for match in _PARAMETER.finditer(lower) if "://" in lower else ():
        every[match["key"]].append(match.span("value"))
    for places in every.values():
        values = {lower[start:end] for start, end in places}
        if len(values) > 1 and all(map(passes, values)):
            yield from (Span("bsn", start, end, 0.6, "bsn-parameter") for start, end in places)


def _column(text: str, found: Iterable[Span]) -> Found:
    """Eight digits in a column of such numbers: the zero at their front is lost."""
    below = {place for each in found for place in _places(text, each.start, each.end)} if "\n" in text else set()
    for match in _EIGHT.finditer(text) if below else ():
        if passes(match.group()) and not _DATED(match.group()) and not below.isdisjoint(_places(text, *match.span())):
            yield Span("bsn", *match.span(), 0.6, "bsn-column")


def _places(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Where in its line, or row of HTML, this stands: what stands below it is in the same place."""
    number = cell(text, start, end)
    if number is not None and number != LAST:
        yield "cell", number
    line = text.rfind("\n", 0, start) + 1
    before = text[max(line, start - _LONG) : start]
    if before.endswith("  "):
        yield "column", start - line
    row = before.rpartition("<tr")[2]
    if row.endswith(">"):
        yield "td", row.count("<t")


def _citizens(written: str, lower: str, start: int, end: int, named: bool) -> bool:
    """Is this number long enough, and of nothing else?"""
    before = lower[max(0, start - 3) : start]
    if not named and (sum(map(str.isdigit, written)) < 9 or _FRACTION(before)):
        return False
    near = _WORDS.search(lower, max(0, start - _BEFORE), end + _BEHIND) if named else None
    if len(written) == _SHORT and (_DATED(written) or not near):
        return False
    if not near and ("," in written or (_GLUED(before) and not _PERSONS.search(lower, max(0, start - 80), start))):
        return False
    if named and _NAMED_BEFORE(lower, max(0, start - _LABEL), start):
        return True
    if _FIRMS(lower, max(0, start - 12), start):
        return False
    if OTHER_NUMBER.search(lower, max(0, start - 40, lower.rfind("\n", 0, start)), start):
        said = named and _OF_PERSONS(lower, max(0, start - 40), start)
        return bool(said and _SAID(lower, max(0, start - _TOLD), end + _TOLD))
    if (
        not in_url(lower, start)
        or _ASKED(lower, max(0, start - _LABEL), start)
        or _PERSON_NEAR.search(lower, max(0, start - _TOLD), end + _BEHIND)
    ):
        return True
    return named and bool(_WORDS.search(lower, start, start + _BEFORE) or _SAID(lower, max(0, start - _TOLD), start))


def bare_citizens(text: str) -> Found:
    """In places where numbers mostly are something else (URLs, file names)."""
    for match in _NINE.finditer(text):
        if passes(match.group()):
            yield Span("bsn", *match.span(), 0.6, "bsn-bare")


def passes(written: str) -> bool:
    """Does it pass the eleven test, with eight digits or nine, or filled up with zeros?"""
    digits = NOT_DIGITS.sub("", written)
    return not digits[:-9].strip("0") and bool(stdnum_bsn.is_valid(digits[-9:]))
