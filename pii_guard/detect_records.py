"""Recogniser for records whose places say what they hold: HL7, LO-GBA, DICOM, passports, vCards, SWIFT, XML, JSON.

Names are suspicions here too: what a place says is a name may be a firm's.
"""

import re
from collections.abc import Iterator

from pii_guard import Category
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

_NAMED = 0.4
_KINDS: tuple[Category, ...] = ("name", "dob", "address")
_PERSONS: dict[str, tuple[tuple[int, Category], ...]] = {
    "PID": ((5, "name"), (6, "name"), (7, "dob"), (9, "name"), (11, "address")),
    "NK1": ((2, "name"), (4, "address"), (16, "dob")),
    "GT1": ((3, "name"), (5, "address"), (8, "dob")),
    "IN1": ((16, "name"), (18, "dob"), (19, "address")),
}
"""HL7 v2: segment, and which of its fields are what (chapters 3 and 6)."""
_SEGMENT = re.compile(r"(?<![A-Za-z0-9])(PID|NK1|GT1|IN1)\|(?:(?!\\[rn])[^\n\r]){8,2000}")
_GBA = Quick(
    r"(?<![\d.])(?:0[1-9]|5[1-9])(?P<dot>\.?)(?:(?P<name>02(?P=dot)(?:10|40))|(?P<dob>03(?P=dot)10)|"
    r"(?P<address>11(?P=dot)(?:10|15|60)))(?!\d)[\"']?\s?(?:[=:>]|  )\s{0,8}[\"'>]?(?P<value>[\w][^;\n\"'<|,=]{2,60})"
)
"""LO-GBA: 02.10 and 02.40 names, 03.10 birth, 11.10 street, 11.60 postcode."""
_DICOM = Quick(
    r"\(0010,(?:(?P<name>0010|1001|1005|1060)|(?P<dob>0030)|(?P<address>1040))\)[^\[\n]{1,24}\[(?P<value>[^\]\n]{2,80})\]"
)
_TRAVEL_NAME = Quick(
    r"(?<![A-Z<])(?:[PIACV][A-Z<][A-Z]{3})?(?P<name>[A-Z]{2,}(?:<[A-Z]+){0,5}<<[A-Z]+(?:<[A-Z]+){0,5})(?=<)"
)
_TRAVEL_BIRTH = Quick(r"\d(?:(?<=[A-Z]{3}\d)|(?<![A-Z0-9<]\d))\d{5}(?=\d[MFX<]\d{7}(?:[A-Z]{3}|[<\d]))")
_CARD = re.compile(
    r"adr(?:;[^:\n]{0,80})?:[^;\n]{0,40};[^;\n]{0,40};(?P<address>[^;\n]{3,60};[^;\n]{0,40};[^;\n]{0,40};[^;\n]{0,12})"
)
_SWIFT = re.compile(r"(?:/name/|:(?:50[fk]?|59f?):(?:/[^\n]{5,40}\n)?)(?P<name>[^/:\n]{3,70})")
_ANCHORED: tuple[tuple[re.Pattern[str], Category], ...] = ((_CARD, "address"), (_SWIFT, "name"))
_KEYS = Words(
    *("straat", "street", "addr", "adres", "line", "strtnm", "pstcd", "postcode", "postal", "zip", "plz", "huisadres"),
)
_STREET = re.compile(
    r"(?:straat(?:naam)?|street(?:[ _]?(?:name|address|line))?[12]?|strtnm)(?:[\"']\s?:\s?\[?\s?[\"']|>|=[\"'])"
    r"(?P<value>[^\d\W][\w'’. -]{2,50}|\d[\w'’. -]{4,50})(?=[\"'<])"
)
_LINE = re.compile(
    r"(?:addr(?:ess)?(?:_?line)?_?[12]?|(?:woon|huis|post)?adres(?:regel)?_?[12]?|postal_?address|line_?[12]?)"
    r"(?:[\"']\s?:\s?\[?\s?[\"']|>|=[\"']|: (?=[^\n$]{4,50}\$))"
    r"(?P<value>(?:[^\d\W][\w'’. ]{1,50}[a-z.]|'t [a-z ]{2,40}) \d{1,5}(?:[ /-]?\w{1,4}){0,2}|"
    r"\d{1,4}[a-z]? [^\d\W][\w'’ -]{3,40}(?=[\"'<]))"
)
_CODE = re.compile(
    r"(?:post(?:al)?[ _]?code|zip(?:[ _]?code)?|pstcd|plz)(?:[\"']\s?:\s?[\"']?|>|=[\"']?|:\s{1,12})"
    r"(?P<value>(?!0000)(?=[a-z0-9 -]{0,8}\d)[a-z0-9][a-z0-9 -]{2,8}[a-z0-9])(?=[\"'<\n;,&$]|$| [a-z\d$])"
)
_LETTERS = re.compile(r"[^\W\d_][^\d\n|;=@]{1,60}").fullmatch
FIRM = re.compile(
    r"\b(?:b\.?v|n\.?v|v\.?o\.?f|gmbh|ltd|inc|llc|ag|s\.?a|bank|stichting|vereniging|gemeente|belasting\w*|holding|group|"
    r"groep|verzekering\w*|energie|beheer|ziekenhuis|school|college|universiteit|university|services?|company|bvba|vzw)\b"
).search
_NUMBERED = re.compile(rb"(?<![0.])00(?P<dot>\.?)00(?P=dot)00[\"']?\s?(?:[=:>]|  )").search
"""As `_GBA`, digits as 0."""
_RECORDS = Words("pid|", "nk1|", "gt1|", "in1|", "adr;", "adr:", "/name/", ":50k:", ":50f:", ":59:/", ":59f:")


def sign(lower: str, parts: bytes) -> bool:
    """May one stand in the text? `parts`: its digits as 0 (`pii_guard.signs`)."""
    return (
        "<<" in lower
        or _RECORDS.any(lower)
        or _KEYS.any(lower)
        or _NUMBERED(parts) is not None
        or b".0000,0000" in parts
    )


def records(text: str) -> Found:
    """What the places of known formats hold."""
    lower = folded(text)
    if "<<" in text:
        yield from _travel(text)
    for at in _RECORDS.places(lower):
        segment = _SEGMENT.match(text, at)
        if segment:
            yield from _fields_of(lower, segment)
        for pattern, kind in _ANCHORED:
            match = pattern.match(lower, at)
            if match:
                yield from _one(lower, kind, *match.span(kind))
    for placed in (_GBA, _DICOM):
        for match in placed.finditer(lower):
            kind = next(kind for kind in _KINDS if match[kind])
            yield from _one(lower, kind, *match.span("value"))
    for at in _KEYS.places(lower):
        for key in (_STREET, _LINE, _CODE):
            found = key.match(lower, at)
            if found and not lower[at - 1 : at].isalpha():
                yield Span("address", *found.span("value"), 0.6, "address-key")


def _one(lower: str, kind: Category, start: int, end: int) -> Found:
    """A value in its place; not where it is empty, or a firm's."""
    value = lower[start:end].rstrip(" ;^&")
    end = start + len(value)
    if kind == "name":
        if _LETTERS(value) and not FIRM(value):
            yield Span("name", start, end, _NAMED, "name-in-record")
    elif kind == "dob":
        if sum(map(str.isdigit, value)) in (6, 8) and not value.startswith("0000"):
            yield Span("dob", start, end, 0.9, "date-of-birth")
    elif len(value) > 3:
        yield Span("address", start, end, 0.7, "address-in-record")


def _fields_of(lower: str, segment: re.Match[str]) -> Found:
    fields = list(_fields(segment.group(), segment.start()))
    for number, kind in _PERSONS[segment[1]]:
        if number < len(fields):
            start, end = fields[number]
            yield from _one(lower, kind, start, _to_postcode(lower, start, end) if kind == "address" else end)


def _fields(segment: str, at: int) -> Iterator[tuple[int, int]]:
    for field in segment.split("|"):
        yield at, at + len(field)
        at += len(field) + 1


def _to_postcode(text: str, start: int, end: int) -> int:
    """Where the fifth part of an address ends; the country, and what it is used for, come behind."""
    return start + len("^".join(text[start:end].split("^")[:5]))


def _travel(text: str) -> Found:
    """The zone of a passport or card that machines read (ICAO 9303)."""
    for match in _TRAVEL_NAME.finditer(text):
        yield Span("name", *match.span("name"), _NAMED, "travel-document")
    for match in _TRAVEL_BIRTH.finditer(text):
        yield Span("dob", *match.span(), 0.9, "travel-document")
