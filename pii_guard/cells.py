"""Where a value stands in the row of a table: what stands below it, or beside it, is likely of one kind."""

import re
from bisect import bisect_left

_SIGN = re.compile(r"[,;|\t]")
_BESIDE = re.compile(r"[\"' ]{0,3}[,;|\t][\"' ]{0,3}").fullmatch
_FAR = 12
_LONGEST = 500
"""In a longer line cells are not counted."""
LAST = -1
"""The cell at the end of a line whose cells are parted by blanks."""


def cell(text: str, start: int, end: int) -> int | None:
    """The number of the cell that is text[start:end], blanks and quotes aside; None: it fills none."""
    line = text.rfind("\n", max(0, start - _LONGEST), start) + 1
    if not line and start > _LONGEST:
        return None
    before, after = text[line:start].rstrip(" \"'"), text[end : end + 3].lstrip(" \"'\r")
    if after[:1] not in ("", "\n", ",", ";", "|", "\t") or (before and before[-1] not in ",;|\t"):
        return LAST if before and text[start - 1].isspace() and after[:1] in ("", "\n") else None
    return len(_SIGN.findall(before))


def beside(text: str, one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Does this stand in a cell right beside that of one of the others, which are in order?"""
    at = bisect_left(others, one)
    for (_, end), (start, _) in [(other, one) for other in others[max(0, at - 1) : at]] + [
        (one, other) for other in others[at : at + 1]
    ]:
        if 0 < start - end < _FAR and _BESIDE(text, end, start):
            return True
    return False
