"""Texts -> subscriber numbers, in eight bytes each: by a 32-bit checksum of the text.

Texts may share one, so whoever asks holds each number it gets against the text itself.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from zlib import crc32


class Hashed:
    """What does not change until it is packed anew."""

    __slots__ = ("rows",)

    def __init__(self, rows: "array[int] | None" = None) -> None:
        self.rows = array("Q") if rows is None else rows
        """Checksum, then number; sorted."""

    @classmethod
    def of(cls, rows: "array[int]") -> "Hashed":
        """From `row`s in any order."""
        return cls(array("Q", sorted(rows)))

    def find(self, text: str) -> Iterator[int]:
        """Numbers that may stand under a text."""
        wanted = crc32(text.encode())
        at = bisect_left(self.rows, wanted << 32)
        while at < len(self.rows) and self.rows[at] >> 32 == wanted:
            yield self.rows[at] & 0xFFFFFFFF
            at += 1


def row(text: str, number: int) -> int:
    """As it stands in a table."""
    return crc32(text.encode()) << 32 | number
