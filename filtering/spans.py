"""Prefixes -> who holds them, packed: one search finds all that an address lies in, however many lengths are in use.

The prefixes cut the line of addresses into spans. Each span knows the narrowest prefix that covers it, each prefix the
next wider one. Does not change until it is packed anew.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

BITS = {4: 32, 6: 128}
_LOW = (1 << 64) - 1


class Spans:
    """The prefixes of one family. Rows count from 1; 0 = none."""

    ARRAYS = ("high", "low", "tops", "wider", "lengths", "numbers")
    __slots__ = ("_bits", *ARRAYS)

    def __init__(self, family: int) -> None:
        self._bits = BITS[family]
        self.high = array("Q")
        """Where each span begins: of IPv6 the upper 64 bits, with the others in `low`; of IPv4 all."""
        self.low = array("Q")
        self.tops = array("I")
        """The narrowest prefix of each span."""
        self.wider = array("I", (0,))
        self.lengths = array("B", (0,))
        self.numbers = array("I", (0,))

    @classmethod
    def of(cls, family: int, rows: Iterable[tuple[int, int, int]]) -> "Spans":
        """From (value as in `network.Prefix`, length, number)."""
        made = cls(family)
        bits = made._bits
        # As one number each: first address, then length, so that what is wider comes first.
        packed = sorted({(value << (bits - length) << 8 | length) << 32 | number for value, length, number in rows})
        open_: list[tuple[int, int]] = []
        """(Row, last address) of the prefixes around, widest first."""
        for each in packed:
            number, length, first = each & 0xFFFFFFFF, each >> 32 & 0xFF, each >> 40
            while open_ and open_[-1][1] < first:
                made._close(open_)
            made.wider.append(open_[-1][0] if open_ else 0)
            made.lengths.append(length)
            made.numbers.append(number)
            row = len(made.numbers) - 1
            made._begin(first, row)
            open_.append((row, first + (1 << (bits - length)) - 1))
        while open_:
            made._close(open_)
        return made

    def _close(self, open_: list[tuple[int, int]]) -> None:
        _, last = open_.pop()
        if last + 1 < 1 << self._bits:
            self._begin(last + 1, open_[-1][0] if open_ else 0)

    def _begin(self, first: int, row: int) -> None:
        high, low = (first, 0) if self._bits == 32 else (first >> 64, first & _LOW)
        if self.high and self.high[-1] == high and (self._bits == 32 or self.low[-1] == low):
            self.tops[-1] = row
            return
        self.high.append(high)
        if self._bits > 32:
            self.low.append(low)
        self.tops.append(row)

    def __len__(self) -> int:
        return len(self.numbers) - 1

    def at(self, address: int) -> list[int]:
        """Numbers of all who hold a prefix around one IPv4 address, most specific first: most look-ups are of these."""
        found = []
        row = self.tops[at - 1] if (at := bisect_right(self.high, address)) else 0
        while row:
            found.append(self.numbers[row])
            row = self.wider[row]
        return found

    def around(self, value: int, length: int) -> list[tuple[int, int]]:
        """(Length, number) of all who hold a prefix that this one lies in, most specific first."""
        first = value << (self._bits - length)
        if self._bits == 32:
            at = bisect_right(self.high, first)
        else:
            high = first >> 64
            start = bisect_left(self.high, high)
            end = bisect_right(self.high, high, start)
            at = bisect_right(self.low, first & _LOW, start, end) if start < end else start
        row = self.tops[at - 1] if at else 0
        found = []
        while row:
            if self.lengths[row] <= length:
                found.append((self.lengths[row], self.numbers[row]))
            row = self.wider[row]
        return found
