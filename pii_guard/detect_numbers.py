"""Recognisers for the numbers persons are known by, checked by their own arithmetic. Dutch first."""

import re

from stdnum import iban as stdnum_iban
from stdnum.nl import bsn as stdnum_bsn

from pii_guard.detect_phones import MOBILE, NOT_DIGITS, OTHER_NUMBER, in_url, phones
from pii_guard.quick import Quick
from pii_guard.span import SUSPECT, Found, Span, Words, folded

_DIGITS = Quick(r"\d(?:[\s().,·\-/_+\[\]]{0,8}\d){7}")
"""A telephone's or citizen's number has no fewer."""
_BSN = Quick(
    r"[0-9](?<![^\W_][0-9])(?<![.-][0-9])"
    r"(?:\d{8}|\d{7}|\d{3}\.\d{2}\.\d{3}|\d{2}[ .-]\d{3}[ .-]\d{3}|\d{3} \d{2} \d{3}|"
    r"\d \d{2} \d{2} \d{3}|\d(?P<sign>[.-])\d{2}(?P=sign)\d{2}(?P=sign)\d{3}|\d{2} \d{2} \d{2} \d{2})"
    r"(?!\w|\.\d|/\d(?!\d{8}(?!\d))|-\w)"
)
_BSN_LABELLED = Quick(
    r"(?:bsn|b\.s\.n\.|burgerservicen(?:umme)?r|sofi(?:nummer)?|\bssn)"
    r"[\"']?(?:[:=#/ ._-]{0,3}[\"']?(?:nl-?)?(?P<plain>\d{8,9})(?!\d)"
    r"|(?:[ -]?n(?:umme)?r\.?)?(?:\s(?:is|was|luidt))?[:=#\s.\"'>)_-]{0,5}(?P<loose>\d(?:[\s,./_·-]{0,3}\d){7,8})"
    r"(?![\w]|[,./-]\d))"
)
"""Behind the word itself, parted in any way."""
_PARTING = re.compile(r"[\s._/·-]")
_NINE = re.compile(r"(?<!\d)\d{9}(?!\d)")
_IN_FILE_NAME = Quick(
    r"\d(?<![\d.]\d)(?:(?<=[_-].)\d{8}(?=[\w-]{0,40}\.[a-z]{3,4}\b)|\d{8}(?=[_-][\w-]{0,40}\.[a-z]{3,4}\b))(?!\d)"
)
"""`loonstrook-111222333.pdf`: files of one person are called by the number."""
_BSN_WORDS = re.compile(
    r"bsn|b\.s\.n\.|\bb s n\b|burger[ _-]?service|onderwijsnummer|\bpgn\b|nlminbiza|s00000000:|belastingnummer|"
    r"\baanslag|"
    r"sofi\s?-?n(?:umme)?r|\bsofi\b|sociaal[ -]fiscaal|fiscaal nummer|"
    r"citizen[ _-]?service|\bbrp\b|\bdigid\b|nationa(?:a|le?)[ -](?:identi\w+ )?(?:nummer|number|no|nr)\b|"
    r"(?:identity|insurance|citizen'?s?) (?:number|no|nr)\b|"
    r"\bcsn\b|\bssn\b|persoonsnummer|personal (?:number|no|id)|national[ _-]?id|"
    r"identification number|identiteitsn(?:umme)?r|"
    r"\bid-?nummer|persoonsgebonden|social security|tax (?:number|id)|\btin\b|loonheffing|"
    r"service[ -]?(?:number|nr|no)\b|"
    r"\b4d\. ?(?=\d)|\b4d\.? ?$|elf-?proef|11-?proef|eleven[ -]test|"
    r"\bsv-?n(?:umme)?r|burgern(?:umme)?r|persoonsn(?:umme)?r|identificatien(?:umme)?r|fiscal (?:number|no)"
)
_BSN_NAMES = Words(
    *("bsn", "b.s.n.", "burgerservice", "burger service", "sofi", "sociaal", "fiscaal", "citizen", "csn", "ssn"),
    *("persoonsnummer", "personal number", "personal id", "national", "identification number", "identiteitsnummer"),
    *("idnummer", "id-nummer", "persoonsgebonden", "social security", "tax number", "tax id", "tin ", "tin:"),
    *("loonheffing", "service number", "service nr", "service no", "servicen", "sv-n", "svn", "burgern", "persoonsn"),
    *("identificatien", "fiscal ", "burger-service", "burger_service", "onderwijsnummer", "pgn", "nlminbiza"),
    *(
        "s00000000:",
        "belastingnummer",
        "aanslag",
        "personal no",
        "identiteitsn",
        "brp",
        "digid",
        "nationaal",
        "nationale",
    ),
    *(
        "identity n",
        "insurance n",
        "4d.",
        "4d ",
        "b s n",
        "elfproef",
        "elf-proef",
        "11-proef",
        "11proef",
        "eleven test",
    ),
)
ACCOUNTS = Words("iban", "rekening", "account", "bank", "giro", "betaal", "bic")
_BSN_LOOSE = Quick(r"[0-9](?<![\w./+-][0-9])(?<!\d[:=][0-9])(?<!\d,[0-9])(?:[ ./_·-]{0,2}\d){8}(?!\w|[./-]\d)")
"""Parted in any way, as people read it out."""
_BEFORE, _BEHIND = 400, 60
_TRAVEL = Quick(r"\dNLD\d{7}[MFX<]\d{7}(?P<bsn>\d{9})<")
"""The lower line of a Dutch passport, as machines read it."""
_VAT = Quick(r"(?:nl(?<!\wnl)\.?|(?<![\w.]))(\d{9})(?:\.?b\.?|[hlt](?<=\d.))\d{2}(?!\w)")
_IBAN = re.compile(
    r"(?:(?<!\w)|(?<=iban)|(?<=[\d_]))[A-Z]{2}[0-9]{2}(?:[\s._-]{0,2}[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE
)
_INVENTED = re.compile(r"(?!RF|rf)[A-Za-z]{2}\d{2}[A-Za-z]{0,4}\d{10,26}").fullmatch
"""As people make one up, or mistake the country: the check digits are right. RF: a payment's reference (ISO 11649)."""
_GROWN = re.compile(r"[A-Z]{2}\d\d[ A-Z0-9]{7,30}?\d(?=[A-Za-z])").match
"""What follows it without a blank: a currency, a word."""
_APART = (
    r"(?:(?<!\w)|(?<=IBAN))(?:AT|BE|CH|CZ|DE|DK|ES|FI|FR|GB|GR|HR|HU|IE|IT|LT|LU|LV|NL|NO|PL|PT|RO|SE|SI|SK|TR)"
    r"[ ./·-]?\d\d(?:[ ./·-]{0,3}[A-Z0-9]){11,30}(?!\w)"
    r"|(?<![\w.])[A-Z][ .-][A-Z][ .-]\d[ .-]\d(?:[ .-]{1,3}[A-Z0-9]){11,30}(?!\w)"
)
_IBAN_APART, _IBAN_SMALL = Quick(_APART), Quick(_APART, re.IGNORECASE)
"""Parted after the country too, or by other signs; in small letters where the text has a word for an account."""
_ACCOUNT = re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9]")
account_start = re.compile(r"\d(?<=[A-Za-z][A-Za-z]\d)\d(?:[\s._/-]{0,2}[A-Za-z0-9]){5}").search
_ROW = 16
_ROW_OF = re.compile(r"[\"']?[ \t]{0,3}[,;|/\t][ \t]{0,3}[\"']?").fullmatch
"""What parts the cells of a row."""


def numbers(text: str) -> Found:
    """BSN, IBAN, telephone."""
    lower = folded(text)
    yield from _accounts(text)
    if _DIGITS.search(text):
        found = [*_citizen_numbers(text, lower, names_bsn(lower)), *phones(text, lower)]
        yield from found if all(each.confidence >= SUSPECT for each in found) else _surer(text, found)


def _surer(text: str, found: list[Span]) -> Found:
    """The same, where a number is sure that is so elsewhere in the text, or stands in a row with one that is."""
    sure = [each for each in found if each.confidence >= SUSPECT]
    known = {NOT_DIGITS.sub("", text[each.start : each.end]) for each in sure}
    ends = [(each.start, each.end) for each in sure]
    for each in found:
        rowed = each.confidence < SUSPECT and any(
            _ROW_OF(text[end : each.start]) if end <= each.start else _ROW_OF(text[each.end : start])
            for start, end in ends
            if -_ROW <= each.start - end <= _ROW or -_ROW <= start - each.end <= _ROW
        )
        if rowed or (each.confidence < SUSPECT and NOT_DIGITS.sub("", text[each.start : each.end]) in known):
            yield each._replace(confidence=0.6)
        else:
            yield each


def _accounts(text: str) -> Found:
    named = ACCOUNTS.any(folded(text))
    if account_start(text):
        for digits in _ACCOUNT.finditer(text):
            match = _IBAN.match(text, digits.start() - 2)
            end = _iban_end(text, match, named) if match else None
            if match and end:
                yield Span("iban", match.start(), end, 0.95, "iban")
    for match in (_IBAN_SMALL if named else _IBAN_APART).finditer(text):
        if end := _iban_end(text, match, named):
            yield Span("iban", match.start(), end, 0.9, "iban")


def names_bsn(lower: str) -> bool:
    """May a word for a citizen's number stand in the text (in lower case)?"""
    return _BSN_NAMES.any(lower)


def _citizen_numbers(text: str, lower: str, named: bool) -> Found:
    for match in _BSN.finditer(text):
        start, end = match.span()
        if _citizens(match.group(), lower, start, named) and stdnum_bsn.is_valid(NOT_DIGITS.sub("", match.group())):
            close = _BSN_WORDS.search(lower, max(0, start - 60), end + 30) if named else None
            yield Span("bsn", start, end, 0.95 if close else 0.6, "bsn")  # by chance one of eleven passes
    if named:
        yield from _named_citizens(text, lower)
    yield from _filed_citizens(text, lower)


def _named_citizens(text: str, lower: str) -> Found:
    """Parted in any way, where the text has a word for one."""
    for match in _BSN_LOOSE.finditer(text):
        start, end = match.span()
        near = _BSN_WORDS.search(lower, max(0, start - _BEFORE), end + _BEHIND)
        citizens = near and _citizens(match.group(), lower, start, named=True)
        if citizens and stdnum_bsn.is_valid(NOT_DIGITS.sub("", match.group())):
            yield Span("bsn", start, end, 0.7, "bsn")
    for match in _BSN_LABELLED.finditer(lower):
        if stdnum_bsn.is_valid(NOT_DIGITS.sub("", match.group(match.lastgroup or 0))):
            yield Span("bsn", *match.span(match.lastgroup or 0), 0.95, "bsn")


def _filed_citizens(text: str, lower: str) -> Found:
    """In names of files, passports and old VAT numbers."""
    for match in _IN_FILE_NAME.finditer(lower):
        if stdnum_bsn.is_valid(match.group()) and not OTHER_NUMBER.search(
            lower, max(0, match.start() - 40), match.start()
        ):
            yield Span("bsn", *match.span(), 0.6, "bsn-file-name")
    for match in _TRAVEL.finditer(text):
        if stdnum_bsn.is_valid(match.group("bsn")):
            yield Span("bsn", *match.span("bsn"), 0.9, "travel-document")
    for match in _VAT.finditer(lower):
        if stdnum_bsn.is_valid(match.group(1)):  # a one-person firm's VAT number held its owner's BSN until 2020
            yield Span("bsn", *match.span(), 0.8, "vat-bsn")


def _citizens(written: str, lower: str, start: int, named: bool) -> bool:
    """Is this number long enough, and of nothing else?"""
    before = lower[max(0, start - 2) : start]
    if not named and (sum(map(str.isdigit, written)) < 9 or (before[-1:] == "," and before[:1].isdigit())):
        return False  # thousands
    if OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return False
    return not in_url(lower, start) or (named and _BSN_WORDS.search(lower, start, start + _BEFORE) is not None)


def bare_numbers(text: str) -> Found:
    """Citizens' numbers and mobile phones in places where numbers mostly are something else (URLs, file names)."""
    for match in _NINE.finditer(text):
        if stdnum_bsn.is_valid(match.group()):
            yield Span("bsn", *match.span(), 0.6, "bsn-bare")
    for match in MOBILE.finditer(text):
        yield Span("phone", *match.span(), 0.6, "phone-bare")


def _iban_end(text: str, match: re.Match[str], named: bool) -> int | None:
    """Where the account number ends: the pattern may have run into the words after it."""
    start, end = match.start(), match.end()
    while end - start >= 15:
        if _is_iban(text[start:end], named):
            return start + len(text[start:end].rstrip(" ._/·-\n\t\r\u00a0"))
        end = max(text.rfind(sign, start, end) for sign in " ._/·-\n\t\r")
    grown = _GROWN(text, start, match.end())  # `NL91ABNA0417164300EUR`
    return grown.end() if grown and _is_iban(grown.group(), named) else None


def _is_iban(written: str, named: bool) -> bool:
    """Does it pass the test, and is it as its country has them, or made up where the text has a word for one?"""
    number = _PARTING.sub("", written)
    if _remainder(number) != 1:
        return False
    return bool(stdnum_iban.is_valid(number, check_country=False)) or (named and _INVENTED(number) is not None)


def _remainder(number: str) -> int:
    """Of the division by 97 (ISO 7064): most of what looks like an account fails here, and costs no more."""
    try:
        return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97
    except ValueError:  # a digit or letter of another script
        return 0
