"""Where a value stands in the row of a table: what stands below it, or beside it, is likely of one kind."""

import re

_SIGN = re.compile(r"[,;|\t]")
_BESIDE = re.compile(r"[\"' ]{0,3}[,;|\t][\"' ]{0,3}").fullmatch
_FAR = 12
LAST = -1
"""The cell at the end of a line whose cells are parted by blanks."""


def cell(text: str, start: int, end: int) -> int | None:
    """The number of the cell that is text[start:end], blanks and quotes aside; None: it fills none."""
    line = text.rfind("\n", 0, start) + 1
    before, after = text[line:start].rstrip(" \"'"), text[end : end + 3].lstrip(" \"'\r")
    if after[:1] not in ("", "\n", ",", ";", "|", "\t") or (before and before[-1] not in ",;|\t"):
        return LAST if before and text[start - 1].isspace() and after[:1] in ("", "\n") else None
    return len(_SIGN.findall(before))


def beside(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Do these two stand in cells of a row, one right behind the other?"""
    (_, end), (start, _) = sorted((one, other))
    return 0 < start - end < _FAR and _BESIDE(text, end, start) is not None
