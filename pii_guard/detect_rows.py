"""What stands beside a person's number in a row: dates of birth and plates that no word and no head tells of.

`939161503;Postema;09-09-1970` needs no head: whoever has the row has the day. Looked for where something else of a
person was found, and nowhere else.
"""

import re
from bisect import bisect_left
from collections.abc import Callable

from pii_guard.detect_births import OF_LIFE, TIMED
from pii_guard.detect_plates import WRITTEN
from pii_guard.span import Found, Span, folded

_TELLS = frozenset({"bsn", "iban", "phone", "email", "address", "name", "plate"})
_SURE = frozenset({"bsn", "iban"})
_BESIDE = re.compile(r"[ \t,;|/\\\"'’()\[\]:*°#.-]{1,12}(?:[mvfx][ \t,;|/\"']{1,6})?(?:bsn[ :]{0,3})?").fullmatch
_SHORT = re.compile(r"(?<=[;|/,\t ])(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d(?=[;|/,\t ])")
"""`140588`: taken for a day right beside a citizen's number alone."""
_CELL_BEFORE = re.compile(r"(?:[;|\t,/#^(:]|  |^)[ \"'*°]{0,2}$").search
_CELL_AFTER = re.compile(r"[ \"']{0,2}(?:[;|\t,/#^)`\n\r]|  |\Z| bsn)").match
_OTHERWISE = re.compile(
    r"in[_ -]?dienst|sinds|\bsince|hired?\b|ingang|afgegeven|afgifte|issued|geldig|valid|verlo(?:op|pen)|expir|"
    r"\b(?:lid|member)[_ ]|joined|created|aangemaakt|start[_ ]?dat"
).search
"""What a head, or the text before it, may say that the dates of such rows are."""
_HEAD = 600
_FAR = 160


def rows(text: str, found: list[Span]) -> Found:
    """Dates and plates beside what was found."""
    kinds = {span.category for span in found} & _TELLS
    if len(kinds) < 2 and "bsn" not in kinds:
        return
    lower = folded(text)
    told = sorted((span for span in found if span.category in _TELLS), key=lambda span: span.start)
    starts = [span.start for span in told]

    def near(start: int, end: int) -> list[Span]:
        return told[bisect_left(starts, start - _FAR) : bisect_left(starts, end + _FAR)]

    for date in OF_LIFE.finditer(lower):
        if not TIMED(lower, date.end()) and _of_birth(text, date.span(), near):
            yield Span("dob", *date.span(), 0.7, "date-in-row")
    if "bsn" in kinds:
        for date in _SHORT.finditer(lower):
            if any(span.category == "bsn" and _touch(lower, span, *date.span()) for span in near(*date.span())):
                yield Span("dob", *date.span(), 0.6, "date-in-row")
    if kinds & {"bsn", "iban", "email"}:
        for plate in WRITTEN.finditer(text):
            if _is_cell(lower, *plate.span()) and _in_row(text, near(*plate.span()), *plate.span()) & _SURE:
                yield Span("plate", *plate.span(), 0.6, "plate-in-row")


def _of_birth(text: str, date: tuple[int, int], near: Callable[[int, int], list[Span]]) -> bool:
    """Beside a citizen's number; beside a name, with more of that person around; or in a cell of such a row."""
    lower, spans = folded(text), near(*date)
    kinds = {span.category for span in spans if not (span.start < date[1] and date[0] < span.end)}
    if _OTHERWISE(lower, max(0, date[0] - _HEAD), date[0]):
        return False
    for span in spans:
        if span.category == "bsn" and _touch(lower, span, *date):
            return True
        if span.category == "name" and len(kinds) > 1 and _touch(lower, span, *date):
            return True
    if not _is_cell(lower, *date):
        return False
    row = _in_row(text, spans, *date)
    return "bsn" in row or len(row) > 1


def _in_row(text: str, spans: list[Span], start: int, end: int) -> set[str]:
    """Kinds of what stands in the same line."""
    low, high = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    high = len(text) if high < 0 else high
    return {
        span.category
        for span in spans
        if low <= span.start and span.end <= high and (span.end <= start or end <= span.start)
    }


def _touch(lower: str, span: Span, start: int, end: int) -> bool:
    between = (span.end, start) if span.end <= start else (end, span.start)
    return 0 < between[1] - between[0] < 24 and _BESIDE(lower, *between) is not None


def _is_cell(lower: str, start: int, end: int) -> bool:
    return bool(_CELL_BEFORE(lower, max(0, start - 3), start) and _CELL_AFTER(lower, end))
