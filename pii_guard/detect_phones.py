"""Recogniser for telephone numbers, by the plans of their countries (phonenumbers). Dutch first."""

import re
from collections.abc import Iterator

import phonenumbers

from pii_guard.phone_words import (
    FAR_HOMES,
    HOME,
    LABEL,
    LABEL_BEFORE,
    NO_ZERO,
    NOT_DIGITS,
    OF_A_YEAR,
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
    r"[+(0](?<![^\W_].)(?<![\d_+]-.)(?<!\+[(0])(?:(?<![\d,%€$][.:].)|(?<=[A-Za-z.]\d:.))(?:[\d\s().\-/+·]|\[0\]){6,24}\d(?!\d|\.\d)"
)
"""What begins as a number, and whatever may belong to it."""
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
    r"\(?\d\d([-/. ])\d\d\1(?:19|20)\d\d(?!\d|\.\d)|\d+/(?:19|20)\d\d/|0\d{1,3}-20[0-4]\d-\d{2,5}(?!\d)"
).match
_DIALLED = Quick(r"\D[+(0](?:[\s().\-/+·\[\]]{0,8}\d){7}")
"""A number that is one begins with +, ( or 0, and not within another."""
_DUTCH = re.compile(
    r"0[1-9]\d{1,2}\s?[-/ ]\s?\d[\d -]{5,8}$|0[1-9]\d\s?[-/]|06[-. ]|\(0\d{1,3}\)|0\d{2,3}\.\d{2,4}\.\d"
).match
"""A number as people write it: area code, sign, the rest."""
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
MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_PARTING = " \n\t/·"
"""Before any of these a number may end."""
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+(?![g-zG-Z]|-[a-z])").match
"""The rest of a hash, and no word."""
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
_NONE = (0.0, False)
_LEAST, _MOST = 8, 15
"""Digits of a number."""
_CODE = re.compile(r"0\d{3}-\d{4}-\d\d|06-\d{6}-\d\d|0\d\d-\d{4}-\d{3}").fullmatch
"""Parted as numbers of articles are, and seldom telephone numbers."""
_FRACTION = re.compile(r"0\.\d{9,}").fullmatch
_PARTED_EARLY = re.compile(r"[(0]\d{0,4}\)?[\s().\-/·]{1,3}\d").match
_STROKED = re.compile(r"(?:^|[\s;,|\"'])[^\s/;,|\"'=]*[A-Za-z)]/\Z").search
"""A name, an address of mail or another number, with a stroke: `Jansen/0612345678`."""
_ABROAD = 10
"""Digits of a number with its country's code, at the least."""
_ISLANDS = ("AW", "BQ", "CW", "SX", "SR")
_ISLAND = re.compile(r"\d{3}[- .]?\d{4}|\d{3}[- ]\d{3}").fullmatch
"""Numbers of the Caribbean and Suriname, which have seven digits or six."""
_GROUPS = re.compile(
    r"(?!\d{4} \d{4})(?=(?:\D*\d){10,})\(?0[\d ]{1,4}\)?"
    r"(?: ?[/-] ?| )\d{3,5}(?:(?P<sign>[ -])\d{2,5}(?:(?P=sign)\d{2,4})?)?"
).fullmatch
"""As neighbours part them."""
_BRITISH = re.compile(r"0[1237]\d{9}").fullmatch
_PAIRS = re.compile(r"\d\d(?: \d\d)+").fullmatch
_USUAL = re.compile(r"06[- ]\d{8}|06[- ](?:\d\d[ -]){3}\d\d|0(?:[1-9]\d-\d{7}|[1-9]\d\d-\d{6})").fullmatch
"""As hardly anything but a telephone number is written here."""
_PAIR_BEFORE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{2} \Z").search
_PAIR_BEHIND = re.compile(r" [0-9A-Fa-f]{2}(?![\w:/.-])").match
"""In a dump of octets."""
_FIGURES = re.compile(
    r"0[.,]\d+(?:\s+-?\d+[.,]\d+)+|(?:\d{1,2}-\d{1,2}\s)+\d{1,2}-\d{1,2}|[\s().\-/+·01]+|\d{3}(?: \d{3}){2,}"
    r"|0000(?: ?\d{4})+|\d\d(?:-\d\d){5,}"
).fullmatch
"""Rows of decimals, results, bits, octets, offsets, winning numbers."""
_KEPT = re.compile(r"\.(?!wav|mp3|m4a|ogg|gsm|amr|opus|aac)[a-z]{2,4}\b").match
"""The end of a file's name that is no recording's."""


def phones(text: str, lower: str) -> Found:
    """Numbers with their country or area, bare ones where something says what they are."""
    match = _PHONE.search(text) if text[:1] in "+(0" or _DIALLED.near(text) else None
    while match:
        start, end = match.span()
        near = PHONE_WORDS.search(lower, max(0, start - 48), start) is not None
        if not near and _FIGURES(match.group()):
            match = _PHONE.search(text, end)
            continue
        found = _phone(text, lower, start, end, near=near) if _begins(text, lower, start, end) else None
        if found:
            yield found
        match = _PHONE.search(text, found.end if found else start + 1)
    yield from _labelled(text, lower)
    for match in _AMERICAN.finditer(text):
        if _american(text, lower, *match.span()) and valid(match.group(), "US"):
            yield Span("phone", *match.span(), 0.6, "phone")
    for match in _ODDLY.finditer(text) if "06" in text else ():
        yield Span("phone", *match.span(), 0.6, "phone")


def _begins(text: str, lower: str, start: int, end: int) -> bool:
    """May a number begin here, by what stands before it?"""
    sign = text[start - 1 : start]
    if sign in ("=", "/") and text[start] != "+" and not _told(text, start, end):
        return False
    return not (sign == "_" and _KEPT(lower, end))


def _told(text: str, start: int, end: int) -> bool:
    """Is it parted as numbers are for people, so that it is one behind an equals sign or a stroke too?"""
    parted = _PARTED_EARLY(text, start, end) or _STROKED(text, max(0, start - _REACH), start)
    return parted is not None and not in_url(text, start)


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


def _american(text: str, lower: str, start: int, end: int) -> bool:
    """Does something say that it is a number, or does it fill a cell?"""
    if other(lower, start):
        return False
    if text.find("(", start, end) >= 0 or _COUNTRY(lower, max(0, start - 12), start):
        return True
    if _DASHED(text, start, end) or PHONE_WORDS.search(lower, max(0, start - 48), start):
        return True
    return text[max(0, start - 1) : start] in _EDGES and text[end : end + 1] in _EDGES


def _phone(text: str, lower: str, start: int, end: int, *, near: bool) -> Span | None:
    """The longest number that begins here: what stands behind it may be a time, an amount, or another number."""
    start += _opened(text, start, end)
    cut = end
    possible: Span | None = None
    while cut - start >= _LEAST:
        confidence, planned = _phone_confidence(text, lower, start, cut, near) if _ends(text, start, cut) else _NONE
        if confidence:
            found = Span("phone", start, cut, confidence, "phone")
            if planned:
                return found
            possible = possible or found
        cut = max(text.rfind(sign, start, cut) for sign in _PARTING)
        while cut > start and not text[cut - 1].isdigit():
            cut -= 1
    return possible or _broken(text, lower, start, end)


def _ends(text: str, start: int, end: int) -> bool:
    """May the number end here? Bare digits may be the first of a hash."""
    return any(map(text[start:end].__contains__, "+-()")) or _HEXADECIMAL(text, end) is None


def _broken(text: str, lower: str, start: int, end: int) -> Span | None:
    """A number that goes on in the next line."""
    joined = " ".join(text[start:end].split())
    if "\n" not in text[start:end] or _DATED(joined) or not _LEAST < len(NOT_DIGITS.sub("", joined)) <= _MOST:
        return None
    told = joined[0] == "+" or LABEL_BEFORE.search(lower, max(0, start - LABEL), start)
    return Span("phone", start, end, 0.7, "phone") if told and valid(joined) else None


def _opened(text: str, start: int, end: int) -> bool:
    """Does it begin with a bracket that is not of the number?"""
    return text[start] == "(" and text.count("(", start, end) > text.count(")", start, end)


def _phone_confidence(text: str, lower: str, start: int, end: int, near: bool) -> tuple[float, bool]:
    """How sure it is, and whether its country's plan has it. `near`: a word for a telephone stands before it."""
    value = text[start:end].replace("[0]", "(0)").replace("·", "-")
    if value.startswith("00") and "(0)" in value:
        value = f"+{value[2:].lstrip()}"
    digits = NOT_DIGITS.sub("", value)
    if not (9 <= len(digits) <= _MOST or _SERVICE(value)) or not (value[0] in "+(" or digits[0] == "0"):
        return _NONE
    if _SERVICE(value):
        return 0.8 if near else 0.3, True
    abroad = value.lstrip("(").startswith("+")
    if _DATED(value) or _FRACTION(value) or (not near and _is_figures(text, start, end)):
        return _NONE
    if not abroad and (
        (value[0] == "(" and not near and digits[0] != "0") or (not _USUAL(value) and other(lower, start))
    ):
        return _NONE
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return _NONE
    if not phonenumbers.is_valid_number(number):
        return _elsewhere(value, number, abroad=abroad, near=near), False
    if _CODE(value) and not OF_PHONES.search(lower, max(0, start - LABEL), start):
        return 0.3, True
    if near or abroad:
        return 0.95 if near else 0.8, True
    return _plain(text, lower, start, value), True


def _plain(text: str, lower: str, start: int, value: str) -> float:
    """How sure is a number in the plan of its own country, with nothing beside it that says so?"""
    digits = NOT_DIGITS.sub("", value)
    if _DUTCH(value) or _ELSEWHERE(value) or _MOBILE_DIGITS(digits) or (value.startswith("00") and not value.isdigit()):
        return 0.6
    if text[max(0, start - 2) : start] == '="':
        return 0.0
    if digits[0] == "0" and "  " not in value:  # seldom anything else
        return 0.6
    return 0.6 if _PHONE_HEAD.search(lower, max(0, start - _FAR), start) else 0.3


def _is_figures(text: str, start: int, end: int) -> bool:
    """Is it a row of figures, or some octets of a dump?"""
    value = text[start:end]
    if _PAIRS(value) and (_PAIR_BEFORE(text, max(0, start - 4), start) or _PAIR_BEHIND(text, end)):
        return True
    return _FIGURES(value) is not None


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
    if abroad and "(0)" in value and valid(value.replace("(0)", "")):
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
        return strict and _ISLAND(value) is not None and any(valid(value, each) for each in _ISLANDS)
    if NO_ZERO(digits):
        return True
    if len(digits) < 12 or digits.startswith("00"):
        told = strict or digits[0] == "0" or _PARTED(value)
        if told and any(
            phonenumbers.is_possible_number_string(value, each) and valid(value, each) for each in FAR_HOMES
        ):
            return True
    abroad = len(digits) >= _ABROAD and digits[0] != "0" and (strict or not OF_A_YEAR(digits))
    return abroad and valid(f"+{digits}")
