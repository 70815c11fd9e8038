"""Recognisers for what persons are known by, checked by their own arithmetic where they have one. Dutch first."""

import re

import phonenumbers
from stdnum import iban as stdnum_iban
from stdnum.exceptions import ValidationError
from stdnum.nl import bsn as stdnum_bsn

from pii_guard.span import Found, Span

_PHONE = re.compile(r"(?:(?<![\w+])(?=\+)|(?<![\w.:/=+-]))(?:\+|00)?\(?\d[\d\s().\-/]{6,20}\d(?![\w])(?!\.\d)")
_PHONE_START = re.compile(r"[+(0][\d\s().\-/]{7,}")
"""A number that is one begins with +, ( or 0."""
_PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|\bphone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bcall\b|\bfax|whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|signal|bereikbaar|contact)[^\n]{0,24}$",
    re.IGNORECASE,
)
_BSN = re.compile(r"(?<![\w.,/:=#-])(?:\d{9}|\d{8}|\d{4}\.\d{2}\.\d{3}|\d{3}[ .]\d{3}[ .]\d{3})(?![\w]|[-./]\w)")
_NINE = re.compile(r"(?<!\d)\d{9}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_BSN_WORDS = re.compile(
    r"\bbsn\b|burger\s?service|sofi\s?-?nummer|\bsofi\b|citizen service|persoonsnummer", re.IGNORECASE
)
_VAT = re.compile(r"(?<!\w)NL\.?(\d{9})\.?B\.?\d{2}(?!\w)", re.IGNORECASE)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]{4}){2,7}(?:[ .-]?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE)
account_start = re.compile(r"[\d](?<=[A-Za-z][A-Za-z]\d)\d[ .-]?[A-Za-z0-9]{4}[ .-]?[A-Za-z0-9]{4}").search
_NUMBER_START = re.compile(r"[\d](?:\d{7}|\d{3}\.\d\d\.\d|\d\d[ .]\d{3}[ .]\d)").search
"""What `_IBAN`, and what `_BSN` and `_VAT` need. A set of digits at the start lets the search jump to the first."""
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

_PERSON_WORDS = re.compile(
    r"\b(?:[Dd]hr|[Mm]evr|[Mm]w|[Dd]e heer|[Mm]evrouw|[Cc]ontactpersoon|[Tt]\.a\.v|[Mm]rs?|[Mm]s)\b\.?:? "
    r"(?P<name>(?:[A-Z]\.){0,4}\s?(?:(?:van|de|der|den|ten|ter|van de|van der) )?[A-Z][\w'’-]+"
    r"(?: (?:van |de |der |den |ten |ter )*[A-Z][\w'’-]+){0,2})"
)


def numbers(text: str) -> Found:
    """BSN, IBAN, telephone."""
    if _NUMBER_START(text):
        yield from _citizen_numbers(text)
    if account_start(text):
        for match in _IBAN.finditer(text):
            end = _iban_end(text, match)
            if end:
                yield Span("iban", match.start(), end, 0.95, "iban")
    if _PHONE_START.search(text):
        for match in _PHONE.finditer(text):
            confidence = _phone_confidence(text, match)
            if confidence:
                yield Span("phone", *match.span(), confidence, "phone")


def names_bsn(lower: str) -> bool:
    """May a word for a citizen's number stand in the text (in lower case)?"""
    return "bsn" in lower or "burger" in lower or "sofi" in lower or "citizen" in lower or "persoonsn" in lower


def _citizen_numbers(text: str) -> Found:
    lower = text.lower()
    named = names_bsn(lower) and bool(_BSN_WORDS.search(text))
    for match in _BSN.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if (len(digits) == 9 or named) and stdnum_bsn.is_valid(digits):
            close = _BSN_WORDS.search(text, max(0, match.start() - 60), match.end() + 30) if named else None
            yield Span("bsn", *match.span(), 0.95 if close else 0.6 if named else 0.3, "bsn")
    for match in _VAT.finditer(text) if "nl" in lower else ():
        if stdnum_bsn.is_valid(match.group(1)):  # a one-person firm's VAT number held its owner's BSN until 2020
            yield Span("bsn", *match.span(), 0.8, "vat-bsn")


def bare_numbers(text: str) -> Found:
    """Citizens' numbers and mobile phones in places where numbers mostly are something else (URLs, file names)."""
    for match in _NINE.finditer(text):
        if stdnum_bsn.is_valid(match.group()):
            yield Span("bsn", *match.span(), 0.6, "bsn-bare")
    for match in _MOBILE.finditer(text):
        yield Span("phone", *match.span(), 0.6, "phone-bare")


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


def plates(text: str) -> Found:
    """Dutch licence plates, where the text says so."""
    for word in _PLATE_WORDS.finditer(text):
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = match.group().replace("-", "")
            if len(bare) == 6:
                yield Span("plate", *match.span(), 0.8, "plate-nl")


def births(text: str) -> Found:
    """Dates of birth, where the text says so."""
    for word in _BIRTH_WORDS.finditer(text):
        date = _DATE.search(text, word.end(), word.end() + 48)
        if date:
            yield Span("dob", *date.span(), 0.9, "date-of-birth")


def homes(text: str) -> Found:
    """Dutch addresses."""
    for match in _STREET.finditer(text):
        yield Span("address", *match.span(), 0.7, "street-nl")
    for word in _ADDRESS_WORDS.finditer(text):
        code = _POSTCODE.search(text, word.end(), word.end() + 60)
        if code:
            yield Span("address", *code.span(), 0.7, "postcode-nl")


def persons(text: str) -> Found:
    """A name after a title or role: only ever a suspicion."""
    for match in _PERSON_WORDS.finditer(text):
        yield Span("name", *match.span("name"), 0.4, "name-after-title")
