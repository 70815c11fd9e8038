"""Recognisers for the numbers persons are known by, checked by their own arithmetic. Dutch first."""

import re

import phonenumbers
from stdnum import iban as stdnum_iban
from stdnum.nl import bsn as stdnum_bsn

from pii_guard.span import Found, Span, folded, places

_PHONE = re.compile(r"[+(0-9](?<![\w.:/=+-][(0-9])(?<!\w\+)(?:[\d\s().\-/+]{6,24}\d)(?![\w])(?!\.\d)")
_PHONE_LABELLED = re.compile(r"[:=][\"']?(?P<value>[+0][\d().\-]{8,16}\d)(?![\w.])")
_PHONE_LABELS = tuple(
    f"{word}{quote}"
    for word in (
        "tel",
        "phone",
        "telefoon",
        "mob",
        "mobiel",
        "mobile",
        "msisdn",
        "nummer",
        "gsm",
        "sms",
        "fax",
        "caller",
        "callto",
        "tel_nr",
    )
    for quote in ("", '"', "'")
)
_OTHER_NUMBER = re.compile(
    r"(?:artikel|bestel|order|serie|zaak|dossier|ticket|polis|factuur|offerte|klant|relatie|rekening|case|invoice|"
    r"part|sku|\bean|"
    r"isbn|pipeline|policy|contract|lid|kvk|referentie|reference|queue|"
    r"bag)[a-z]{0,8}\b[\s:.#]{0,3}(?:\([a-z]{1,12}\) ?)?$"
)
"""What the number behind it is, and no telephone or citizen has."""
_DATED = re.compile(r"\(?\d\d[-/]\d\d[-/](?:19|20)\d\d\b").match
_PHONE_START = re.compile(r"[+(0][\d\s().\-/]{7,}")
"""A number that is one begins with +, ( or 0."""
_PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|\bphone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bbelt?\b|\bcall(?:ed|s)?\b|\bfax|"
    r"whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|\bt\b|\bm\b|signal|bereikbaar|contact|\bnumber|\bcell|gebeld|\bbellen|\btext|doorkies|msisdn|"
    r"toestel|gesprek|\blijn|aanmelden|inlichtingen|opgave|telnr)[^\n]{0,40}$"
)
_DUTCH = re.compile(r"0[1-9]\d{1,2}[-/ ]\s?\d[\d ]{5,8}$|0[1-9]\d\s?[-/]|06[-. ]|\(0\d{2,3}\)").match
"""A number as people write it: area code, sign, the rest."""
_BSN = re.compile(
    r"[0-9](?<![^\W_][0-9])(?<![.,/:=#-][0-9])"
    r"(?:\d{8}|\d{7}|\d{3}\.\d{2}\.\d{3}|\d{2}[ .-]\d{3}[ .-]\d{3}|\d{3} \d{2} \d{3}|"
    r"\d \d{2} \d{2} \d{3})(?![\w]|[-./]\w)"
)
_BSN_LABELLED = re.compile(r"(?:bsn|burgerservicenummer|sofi(?:nummer)?)[\"']?[:=#/]{1,2}[\"']?(\d{8,9})(?!\d)")
_PARTING = re.compile(r"[\s.-]")
_NOT_DIGITS = re.compile(r"\D")
_NINE = re.compile(r"(?<!\d)\d{9}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_BSN_WORDS = re.compile(
    r"\bbsn|burger\s?service|sofi\s?-?nummer|\bsofi\b|citizen service|persoonsnummer|national id|"
    r"identification number|"
    r"persoonsgebonden|social security"
)
_BSN_NAMES = (
    *(
        "bsn",
        "burgerservice",
        "burger service",
        "sofi-nummer",
        "sofinummer",
        "sofi nummer",
        "citizen service",
        "persoonsnummer",
    ),
    *("national id", "identification number", "persoonsgebonden", "social security"),
)
_VAT = re.compile(r"nl(?<!\wnl)\.?(\d{9})\.?b\.?\d{2}(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?:[\s.-]?[A-Z0-9]{4}){2,7}(?:[\s.-]?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE)
_ACCOUNT = re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9]")
account_start = re.compile(r"[\d](?<=[A-Za-z][A-Za-z]\d)\d[\s.-]?[A-Za-z0-9]{4}[\s.-]?[A-Za-z0-9]{4}").search
_NUMBER_START = re.compile(
    r"[\d](?:\d{7}|\d{3}\.\d\d\.\d|\d\d[ .-]\d{3}[ .-]\d|\d{3} \d\d \d|"
    r"\d \d\d \d\d \d)"
).search
"""What `_IBAN`, and what `_BSN` and `_VAT` need. A set of digits at the start lets the search jump to the first."""

_SIDECODES = re.compile(
    r"(?:[A-Z]{2}-\d\d-\d\d|\d\d-\d\d-[A-Z]{2}|\d\d-[A-Z]{2}-\d\d|[A-Z]{2}-\d\d-[A-Z]{2}|[A-Z]{2}-[A-Z]{2}-\d\d|"
    r"\d\d-[A-Z]{2}-[A-Z]{2}"
    r"|\d\d-[A-Z]{3}-\d|\d-[A-Z]{3}-\d\d|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|[A-Z]{3}-\d\d-[A-Z]|"
    r"[A-Z]-\d\d-[A-Z]{3}"
    r"|\d-[A-Z]{2}-\d{3}|\d{3}-[A-Z]{2}-\d)(?![\w-])"
)
"""The fourteen series of Dutch plates (RDW), with their dashes."""
_PLATE_DASH = re.compile(r"-(?=[A-Z0-9]{2,3}-[A-Z0-9])")
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{6,8}(?![\w-]))(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)"
    r"[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}",
    re.IGNORECASE,
)
PLATES = ("kenteken", "license", "licence", "number plate", "nummerplaat", "plate", "registration")
_PLATE_WORDS = re.compile(
    r"kenteken|licen[cs]e[ -]plate|number plate|nummerplaat|\bplates?\b|registration (?:mark|number)"
)
_VEHICLE_WORDS = re.compile(
    r"kenteken|plate|nummerplaat|voertuig|\bauto'?s?\b|bestel(?:bus|auto)|personenauto|\bbus(?:je)?\b|vehicle|"
    r"\bcars?\b|(?:a|the|white|delivery|\w+ed) vans?\b|"
    r"trailer|aanhanger|scooter|motor(?:fiets)?\b|vracht(?:auto|wagen)|\btruck|volvo|volkswagen|\bvw\b|toyota|"
    r"\bbmw\b|mercedes|"
    r"rental|driver|bestuurder|chauffeur|verhuur|\brijder|audi\b|peugeot|renault|opel\b|\bford\b|tesla|\bkia\b|"
    r"skoda|\bfiat\b|parkeer|parking|leaseauto|lease|slagboom|anpr|taxi|garage"
)
_FAR = 300
_ROW = 24


def numbers(text: str) -> Found:
    """BSN, IBAN, telephone."""
    if _NUMBER_START(text):
        yield from _citizen_numbers(text)
    if account_start(text):
        for digits in _ACCOUNT.finditer(text):
            match = _IBAN.match(text, digits.start() - 2)
            if match is None:
                continue
            end = _iban_end(text, match)
            if end:
                yield Span("iban", match.start(), end, 0.95, "iban")
    if _PHONE_START.search(text):
        lower = folded(text)
        for match in _PHONE.finditer(text):
            yield from _phone(text, lower, *match.span())
        for match in _PHONE_LABELLED.finditer(lower):
            if lower.endswith(_PHONE_LABELS, max(0, match.start() - 10), match.start()):
                yield from _phone(text, lower, *match.span("value"))


def names_bsn(lower: str) -> bool:
    """May a word for a citizen's number stand in the text (in lower case)?"""
    return any(map(lower.__contains__, _BSN_NAMES))


def _citizen_numbers(text: str) -> Found:
    lower = folded(text)
    named = names_bsn(lower)
    last = -_FAR
    for match in _BSN.finditer(text):
        digits = _NOT_DIGITS.sub("", match.group())
        if (len(digits) == 9 or named) and stdnum_bsn.is_valid(digits):
            if _OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start()):
                continue
            close = _BSN_WORDS.search(lower, max(0, match.start() - 60), match.end() + 30) if named else None
            row = match.start() - last < _ROW  # that two of a row pass the test by chance is rare
            beside = named or row or account_start(text, max(0, match.start() - 60), match.end() + 60)
            last = match.end()
            yield Span("bsn", *match.span(), 0.95 if close else 0.6 if beside else 0.3, "bsn")
    for match in _BSN_LABELLED.finditer(lower) if named else ():
        if stdnum_bsn.is_valid(match.group(1)):
            yield Span("bsn", *match.span(1), 0.95, "bsn")
    for match in _VAT.finditer(lower) if "nl" in lower else ():
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
        number = _PARTING.sub("", text[match.start() : end])
        if _remainder(number) == 1 and stdnum_iban.is_valid(number):
            return end
        end = max(text.rfind(sign, match.start(), end) for sign in " .-\n\t\r")
    return None


def _remainder(number: str) -> int:
    """Of the division by 97 (ISO 7064): most of what looks like an account fails here, and costs no more."""
    try:
        return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97
    except ValueError:  # a digit or letter of another script
        return 0


def _phone(text: str, lower: str, start: int, end: int) -> Found:
    """The number, or the numbers that follow one another on several lines or behind a slash."""
    confidence = _phone_confidence(text, lower, start, end)
    if confidence:
        yield Span("phone", start, end, confidence, "phone")
        return
    for sign in ("\n", " / ", "  ", " +", " 0", " (", " "):
        cut = text.find(sign, start + 6, end)
        if cut > 0:
            first = _phone_confidence(text, lower, start, cut)
            rest = _PHONE.match(text, cut + len(sign) - (1 if sign.strip(" /\n") else 0), end + 1)
            if first or (rest and _phone_confidence(text, lower, *rest.span())):
                if first:
                    yield Span("phone", start, cut, first, "phone")
                if rest:
                    yield from _phone(text, lower, *rest.span())
                return


def _phone_confidence(text: str, lower: str, start: int, end: int) -> float:
    value = text[start:end]
    digits = _NOT_DIGITS.sub("", value)
    if not 9 <= len(digits) <= 15 or _DATED(value) or not (value[0] in "+(" or digits[0] == "0"):
        return 0.0
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return 0.0
    if not phonenumbers.is_valid_number(number):
        return 0.0
    if _OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return 0.0
    if _PHONE_WORDS.search(lower, max(0, start - 48), start):
        return 0.95
    if value.startswith("+"):
        return 0.8
    if _DUTCH(value) or digits.startswith("06"):
        return 0.6
    if value.startswith("00") and not value.isdigit():
        return 0.6
    return 0.0 if text[max(0, start - 2) : start] == '="' else 0.3


def plates(text: str) -> Found:
    """Dutch licence plates, where the text speaks of a vehicle."""
    lower = folded(text)
    for at in places(lower, PLATES):
        word = _PLATE_WORDS.match(lower, at)
        if word is None:
            continue
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = re.sub("[- ]", "", match.group())
            if len(bare) == 6 and ("-" in match.group() or match.group() != match.group().lower()):
                yield Span("plate", *match.span(), 0.8, "plate-nl")
    for dash in _PLATE_DASH.finditer(text):
        start = dash.start()
        while start > max(0, dash.start() - 4) and text[start - 1].isalnum():
            start -= 1
        strict = None if start and text[start - 1] in "-_" else _SIDECODES.match(text, start)
        if strict and _VEHICLE_WORDS.search(lower, max(0, start - _FAR), strict.end() + _FAR // 2):
            yield Span("plate", *strict.span(), 0.8, "plate-nl")
