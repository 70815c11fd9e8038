"""Recognisers for the numbers persons are known by, checked by their own arithmetic. Dutch first."""

import re

from stdnum import iban as stdnum_iban

from pii_guard.detect_calls import beside_phones, called
from pii_guard.detect_citizens import bare_citizens, citizens
from pii_guard.detect_phones import MOBILE, phones
from pii_guard.phone_words import NOT_DIGITS
from pii_guard.quick import Quick
from pii_guard.span import SUSPECT, Found, Span, Words, folded

_DIGITS = Quick(r"\d(?:[\s().,·\-/_+|\[\]]{0,8}\d){7}")
"""A telephone's or citizen's number has no fewer."""
_PARTING = re.compile(r"[\s._/·+-]")
ACCOUNTS = Words("iban", "rekening", "account", "bank", "giro", "betaal", "bic")
_IBAN = re.compile(
    r"(?:(?<!\w)|(?<=iban)|(?<=[\d_]))[A-Z]{2}[0-9]{2}(?:[\s._+-]{0,2}[A-Z0-9]){11,30}(?![^\W_])", re.IGNORECASE
)
_INVENTED = re.compile(r"(?!RF|rf)[A-Za-z]{2}\d{2}[A-Za-z]{0,4}\d{10,26}").fullmatch
"""As people make one up, or mistake the country: the check digits are right. RF: a payment's reference (ISO 11649)."""
_GROWN = re.compile(r"[A-Z]{2}\d\d[ A-Z0-9]{7,30}?\d(?=[A-Za-z])").match
"""What follows it without a blank: a currency, a word."""
_APART = (
    r"(?:(?<![^\W_])|(?<=IBAN))(?:AT|BE|CH|CZ|DE|DK|ES|FI|FR|GB|GR|HR|HU|IE|IT|LT|LU|LV|NL|NO|PL|PT|RO|SE|SI|SK|TR)"
    r"[ ./·-]?\d\d(?:[ ./·-]{0,3}[A-Z0-9]){11,30}(?![^\W_])"
    r"|(?<![\w.])[A-Z][ .-][A-Z][ .-]\d[ .-]\d(?:[ .-]{1,3}[A-Z0-9]){11,30}(?!\w)"
)
_IBAN_APART, _IBAN_SMALL = Quick(_APART), Quick(_APART, re.IGNORECASE)
"""Parted after the country too, or by other signs; in small letters where the text has a word for an account."""
_ACCOUNT = Quick(r"[A-Za-z](?=[A-Za-z][0-9]{2}(?:[\s._+-]{0,2}[A-Z0-9]){11})", re.IGNORECASE)
"""Where one may begin."""
account_start = re.compile(r"\d(?<=[A-Za-z][A-Za-z]\d)\d(?:[\s._/+-]{0,2}[A-Za-z0-9]){5}").search
_ROW = 16
_ROW_OF = re.compile(r"[\"']?[ \t]{0,3}[,;|/\t][ \t]{0,3}[\"']?").fullmatch
"""What parts the cells of a row."""


def numbers(text: str) -> Found:
    """BSN, IBAN, telephone."""
    lower = folded(text)
    yield from _accounts(text)
    if _DIGITS.search(text):
        found = [*citizens(text, lower), *phones(text, lower), *called(text, lower)]
        found += beside_phones(text, found)
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
        for begin in _ACCOUNT.finditer(text):
            match = _IBAN.match(text, begin.start())
            end = _iban_end(text, match, named) if match else None
            if match and end:
                yield Span("iban", match.start(), end, 0.95, "iban")
    for match in (_IBAN_SMALL if named else _IBAN_APART).finditer(text):
        if end := _iban_end(text, match, named):
            yield Span("iban", match.start(), end, 0.9, "iban")


def bare_numbers(text: str) -> Found:
    """Citizens' numbers and mobile phones in places where numbers mostly are something else (URLs, file names)."""
    yield from bare_citizens(text)
    for match in MOBILE.finditer(text):
        yield Span("phone", *match.span(), 0.6, "phone-bare")


def _iban_end(text: str, match: re.Match[str], named: bool) -> int | None:
    """Where the account number ends: the pattern may have run into the words after it."""
    start, end = match.start(), match.end()
    while end - start >= 15:
        if _is_iban(text[start:end], named):
            return start + len(text[start:end].rstrip(" ._/·+-\n\t\r\u00a0"))
        end = max(text.rfind(sign, start, end) for sign in " ._/·+-\n\t\r")
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
