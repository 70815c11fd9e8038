"""Recogniser for telephone numbers, by the plans of their countries (phonenumbers). Dutch first."""

import re
from collections.abc import Iterator

import phonenumbers

from pii_guard.phone_words import (
    FAR_HOMES,
    HOME,
    LABEL,
    LABEL_BEFORE,
    NOT_DIGITS,
    OF_PHONES,
    PHONE_LABELS,
    PHONE_WORDS,
    in_url,
    other,
    valid,
)
from pii_guard.quick import Quick, Rare
from pii_guard.span import Found, Span

_PHONE = re.compile(
    r"[+(0-9](?<![\w+-][(0-9])(?<![^A-Za-z][.:][(0-9])(?<!\w\+)(?:(?:[\d\s().\-/+·]|\[0\]){6,24}\d)(?![\w])(?!\.\d)"
)
_LOOSE_PHONE = re.compile(r"[+(\d](?<![\d.+(-][+(\d])[\d().\- /]{6,20}\d(?!\w|\.\d)")
_SIGNS = r"[\s().\-/_=~*:,'’·\[\]]"
_ANYHOW = re.compile(
    rf"(?<![\w.,+(-])(?:\(?(?:\+ ?|00[ .-]?)?31{_SIGNS}{{0,3}}(?:[(\[]?0[)\]]?)?|[(\[]?0){_SIGNS}{{0,3}}"
    rf"[1-9](?:{_SIGNS}{{0,3}}\d){{8}}(?![\w:]|[.,-]\d)"
)
"""A Dutch number, parted in any way."""
RARE = Rare()
_ODDLY = Quick(r"(?<![\w.,+/(-])06[_=~*|][1-9]\d{7}(?![\w.-])", rare=RARE)
_DATED = re.compile(
    r"\(?\d\d([-/.])\d\d\1(?:19|20)\d\d(?!\d|\.\d)|\d+/(?:19|20)\d\d/|0\d{1,3}-20[0-4]\d-\d{2,5}(?!\d)"
).match
_DIALLED = Quick(r"\D[+(0](?:[\s().\-/+·\[\]]{0,8}\d){7}")
"""A number that is one begins with +, ( or 0, and not within another."""
_DUTCH = re.compile(
    r"0[1-9]\d{1,2}\s?[-/ ]\s?\d[\d -]{5,8}$|0[1-9]\d\s?[-/]|06[-. ]|\(0\d{1,3}\)|0\d{2,3}\.\d{2,4}\.\d"
).match
_PARTED = re.compile(r"\(?\d{1,5}\)?(?:[ .-]{1,3}\(?\d{2,8}\)?){1,4}").fullmatch
"""As people write a number for people."""
_COUNTRY = re.compile(r"\b(?:usa?|u\.s\.|canada|toll[- ]free)[ :(]{1,3}$").search
_AMERICAN = Quick(
    r"(?<![\w.+-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}(?![\w-]|\.\d)", rare=RARE
)
_DASHED = re.compile(r"(?:1[-.])?\d{3}([-.])\d{3}\1\d{4}").match
_ABROAD_DIALLED = re.compile(r"00 ?(?!31)[1-9](?:\d{0,2}[\s.(/-]|\d{9,12}$)").match
_PHONE_HEAD = re.compile(r"telefoon|phone|mobiel|\btel\b|\bgsm\b|\bcdr\b|\bpbx\b|answer(?:ed)?\b|asterisk|voicemail")
_SERVICE = re.compile(r"0(?:800|90[069])[-. ]\d{4}$").match
_MOBILE_DIGITS = re.compile(r"(?:0|0031|31)6[1-9]\d{7}").fullmatch
"""A number as people write it: area code, sign, the rest."""
MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_STARTS = (" +", " 0", " (")
_ELSEWHERE = re.compile(
    r"0[1-9](?:(?P<fr>[ .-])\d\d)(?:(?P=fr)\d\d){3}"  # France
    r"|\(?0\d{4}\)? \d{3} \d{3}|07\d{3}[ -]?\d{3}[ -]?\d{3}|\(?0\d{3}\)? \d{3} \d{4}|\(?02\d\)? \d{4} \d{4}"  # Britain
    r"|0\d{1,3}(?:[ /]|/ )\d{2,3}(?P<be>[ .])\d\d(?P=be)\d\d"  # Belgium
    r"|\(?0\d{2,4}\)?[ /-]{1,3}\d{5,8}(?:-\d{1,4})?"  # Germany
).fullmatch
"""National forms of neighbours: as their people part them, no other number is."""
_EDGES = ("", *"\n\t,;|\"'")
_FAR = 300
_REACH = 48
"""No number is longer."""
_LEAST, _MOST = 8, 15
"""Digits of a number."""
_CODE = re.compile(r"0\d{3}-\d{4}-\d\d|06-\d{6}-\d\d|0\d\d-\d{4}-\d{3}").fullmatch
"""Parted as numbers of articles are, and seldom telephone numbers."""
_FRACTION = re.compile(r"0\.\d{9,}").fullmatch
_PARTED_EARLY = re.compile(r"[(0]\d{0,4}\)?[\s().\-/·]{1,3}\d").match
_TWICE = re.compile(r"\+\s*\+").match
_GROUPS = re.compile(
    r"(?!\d{4} \d{4})(?=(?:\D*\d){10,})\(?0[\d ]{1,4}\)?"
    r"(?: ?[/-] ?| )\d{3,5}(?:(?P<sign>[ -])\d{2,5}(?:(?P=sign)\d{2,4})?)?"
).fullmatch
"""As neighbours part them."""
_BRITISH = re.compile(r"0[1237]\d{9}").fullmatch
_RUN = re.compile(r"[(\d]\d*").match
_LONG = 20


def phones(text: str, lower: str) -> Found:
    """Numbers with their country or area, bare ones where something says what they are."""
    match = _PHONE.search(text) if text[:1] in "+(0" or _DIALLED.near(text) else None
    while match:
        start, end = match.span()
        if text[start - 1 : start] in ("=", "/") and (run := _RUN(text, start)) and not _told(text, start, end):
            match = _PHONE.search(text, run.end())
            continue
        dialled = text[start] in "+(0" or _DIALLED.exact.search(text, start, end)
        found = list(_phone(text, lower, start, end)) if dialled else []
        yield from found
        if found:
            end = found[-1].end
        elif end - start > _LONG:  # the next one was cut off
            end = _next(text, start, end)
        match = _PHONE.search(text, end)
    yield from _labelled(text, lower)
    for match in _AMERICAN.finditer(text):
        if _american(text, lower, *match.span()) and valid(match.group(), "US"):
            yield Span("phone", *match.span(), 0.6, "phone")
    for match in _ODDLY.finditer(text) if "06" in text else ():
        yield Span("phone", *match.span(), 0.6, "phone")


def _told(text: str, start: int, end: int) -> bool:
    """Is it parted as numbers are for people, so that it is one behind an equals sign or a stroke too?"""
    return text[start] in "(0" and _PARTED_EARLY(text, start, end) is not None and not in_url(text, start)


def _labelled(text: str, lower: str) -> Found:
    """Right behind a word for one."""
    labels = PHONE_LABELS.places(lower)
    for match in _behind(labels, _LOOSE_PHONE, text):
        if _is_labelled(lower, match.start()):
            yield from _labelled_phone(text, lower, *match.span())
    for match in _behind(labels, _ANYHOW, text):
        start, end = match.span()
        abroad = match.group().lstrip("(").startswith(("+", "0031")) and not other(lower, start)
        if abroad or _is_labelled(lower, start):
            national = NOT_DIGITS.sub("", match.group())[-9:]
            strict = OF_PHONES.search(lower, max(0, start - LABEL), start)
            if not _DATED(match.group()) and (strict or valid(f"+31{national}")):
                yield Span("phone", start, end, 0.8, "phone")


def _behind(labels: list[int], pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What the pattern finds within reach of a label."""
    done = 0
    for at in labels:
        for match in pattern.finditer(text, max(at, done - 1), at + LABEL + _REACH):
            if match.start() > at + LABEL:
                break
            if match.start() >= done:
                done = match.end()
                yield match


def _is_labelled(lower: str, start: int) -> bool:
    return LABEL_BEFORE.search(lower, max(0, start - LABEL), start) is not None and not other(lower, start)


def _next(text: str, start: int, end: int) -> int:
    """Where in a run that is no number as a whole another one may begin."""
    found = ((text.find(sign, start + 1, end), len(sign) - 1) for sign in (" / ", "\n", "\t", "  ", " 0", " +"))
    return min((at + far for at, far in found if at > 0), default=end)


def _american(text: str, lower: str, start: int, end: int) -> bool:
    """Does something say that it is a number, or does it fill a cell?"""
    if other(lower, start):
        return False
    if text.find("(", start, end) >= 0 or _COUNTRY(lower, max(0, start - 12), start):
        return True
    if _DASHED(text, start, end) or PHONE_WORDS.search(lower, max(0, start - 48), start):
        return True
    return text[max(0, start - 1) : start] in _EDGES and text[end : end + 1] in _EDGES


def _phone(text: str, lower: str, start: int, end: int) -> Found:
    """The number, or the numbers that follow one another on several lines or behind a slash."""
    while start < end and (text[start] in " \n\t/.-)" or _TWICE(text, start) or _opened(text, start, end)):
        start += 1
    if end - start < _LEAST:
        return
    cut = text.find(" / ", start + _LEAST, end)
    if cut > 0 and valid(text[start:cut]):
        end = cut
    confidence = _phone_confidence(text, lower, start, end)
    if confidence:
        yield Span("phone", start, end, confidence, "phone")
        return
    for sign in ("\n", "\t", " / ", "/", "  ", " +", " 0", " (", " "):
        cut = text.find(sign, start + (1 if sign in _STARTS and text[start] != "+" else 6), end)
        if cut > 0:
            first = _phone_confidence(text, lower, start, cut)
            rest = list(_phone(text, lower, cut + 1, end))
            if first or rest:
                if first:
                    yield Span("phone", start, cut, first, "phone")
                yield from rest
                return
    joined = " ".join(text[start:end].split())
    if "\n" not in text[start:end] or _DATED(joined) or not _LEAST < len(NOT_DIGITS.sub("", joined)) <= _MOST:
        return
    if (joined[0] == "+" or LABEL_BEFORE.search(lower, max(0, start - LABEL), start)) and valid(joined):
        yield Span("phone", start, end, 0.7, "phone")


def _opened(text: str, start: int, end: int) -> bool:
    """Does it begin with a bracket that is not of the number?"""
    return text[start] == "(" and text.count("(", start, end) > text.count(")", start, end)


def _phone_confidence(text: str, lower: str, start: int, end: int) -> float:
    value = text[start:end].replace("[0]", "(0)").replace("·", "-")
    digits = NOT_DIGITS.sub("", value)
    near = PHONE_WORDS.search(lower, max(0, start - 48), start) is not None
    if _SERVICE(value):
        return 0.8 if near else 0.3
    if not 9 <= len(digits) <= 15 or _DATED(value) or not (value[0] in "+(" or digits[0] == "0"):
        return 0.0
    abroad = value.lstrip("(").startswith("+")
    if _FRACTION(value) or (value[0] == "(" and not (abroad or near) and digits[0] != "0"):
        return 0.0
    if not abroad and other(lower, start):
        return 0.0
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return 0.0
    if not phonenumbers.is_valid_number(number):
        return _elsewhere(value, number, abroad=abroad, near=near)
    if _CODE(value) and not OF_PHONES.search(lower, max(0, start - LABEL), start):
        return 0.3
    if near:
        return 0.95
    if abroad:
        return 0.8
    if _DUTCH(value) or _ELSEWHERE(value) or _MOBILE_DIGITS(digits) or (value.startswith("00") and not value.isdigit()):
        return 0.6
    if text[max(0, start - 2) : start] == '="':
        return 0.0
    if digits[0] == "0" and "  " not in value:  # and a number in its country's plan: seldom anything else
        return 0.6
    return 0.6 if _PHONE_HEAD.search(lower, max(0, start - _FAR), start) else 0.3


def _elsewhere(value: str, number: phonenumbers.PhoneNumber, *, abroad: bool, near: bool) -> float:
    """How sure is it that this is a number of another country? Nobody knows every plan."""
    if not abroad and _ELSEWHERE(value):
        return 0.8 if near else 0.6
    if near and not abroad and any(valid(value, region) for region in HOME[1:]):
        return 0.6
    if _BRITISH(value) and valid(value, "GB"):
        return 0.6
    if not abroad and _GROUPS(value) and any(valid(value, region) for region in HOME[1:]):
        return 0.6
    long = len(NOT_DIGITS.sub("", value)) > 9
    if (abroad or _ABROAD_DIALLED(value)) and long and phonenumbers.is_possible_number(number):
        return 0.6
    return 0.0


def _labelled_phone(text: str, lower: str, start: int, end: int) -> Found:
    """A number of a country that it does not name, or that it names without a sign."""
    strict = OF_PHONES.search(lower, max(0, start - LABEL), start) is not None
    value = text[start:end].rstrip()
    while len(value) >= _LEAST:
        digits = NOT_DIGITS.sub("", value)
        if len(digits) <= _MOST and not _DATED(value) and _somewhere(value, digits, strict=strict):
            yield Span("phone", start, start + len(value), 0.8, "phone")
            return
        value = value[: max(value.rfind(" "), 0)].rstrip()


def _somewhere(value: str, digits: str, *, strict: bool) -> bool:
    """Is it a number in the plan of some country whose numbers stand here without its code, or with a bare one?"""
    if len(digits) < (_LEAST if strict else _LEAST + 1):
        return False
    if len(digits) < 12 or digits.startswith("00"):
        told = strict or digits[0] == "0" or _PARTED(value)
        if told and any(
            phonenumbers.is_possible_number_string(value, each) and valid(value, each) for each in FAR_HOMES
        ):
            return True
    return len(digits) > 10 and digits[0] != "0" and valid(f"+{digits}")
