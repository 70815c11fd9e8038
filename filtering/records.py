"""The records of all subscribers: most of them packed end to end, those that changed since beside them.

What is packed is never written to: a record that is replaced or removed is `stale` from then on, here and in whatever
else was packed with it (prefixes, domains).
"""

from array import array
from collections.abc import Iterator

import msgspec
from pyroaring import BitMap

from filtering import hashed
from filtering.entries import Entry, Record, read_line, read_shape
from filtering.hashed import Hashed

_READ = msgspec.msgpack.Decoder(Record).decode
_WRITE = msgspec.msgpack.Encoder().encode


class Table:
    """Byte strings, each kept once, by number."""

    def __init__(self, rows: list[bytes] | None = None) -> None:
        self.rows = rows or []
        self._numbers = {row: number for number, row in enumerate(self.rows)}

    def number(self, row: bytes) -> int:
        """Its number; a new one, if it is new."""
        found = self._numbers.get(row)
        if found is None:
            found = self._numbers[row] = len(self.rows)
            self.rows.append(row)
        return found

    def __getitem__(self, number: int) -> bytes:
        return self.rows[number]


class Packed:
    """Records end to end, and their ids."""

    __slots__ = ("data", "ids", "starts")

    def __init__(self, data: bytes = b"", starts: "array[int] | None" = None, ids: Hashed | None = None) -> None:
        self.data = data
        self.starts = array("Q", (0,)) if starts is None else starts
        """Where the record of each number begins; one more than there are numbers."""
        self.ids = ids or Hashed()

    def get(self, number: int) -> bytes:
        """Empty: there is none."""
        if not 0 <= number < len(self.starts) - 1:
            return b""
        return self.data[self.starts[number] : self.starts[number + 1]]


class Packer:
    """Packs records; each number must be higher than the one before."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._starts = array("Q", (0,))
        self._ids = array("Q")

    def add(self, number: int, record: Record) -> None:
        """The next one."""
        if gap := number + 1 - len(self._starts):
            self._starts.extend([self._starts[-1]] * gap)
        self._data += _WRITE(record)
        self._starts.append(len(self._data))
        self._ids.append(hashed.row(record.id, number))

    def done(self) -> Packed:
        """All of them. An id that stands twice is found by both numbers."""
        return Packed(bytes(self._data), self._starts, Hashed.of(self._ids))


class Records:
    """What the index holds of each subscriber, by number and by id."""

    def __init__(self) -> None:
        self.shapes, self.lines = Table(), Table()
        self.packed = Packed()
        self.stale = BitMap()
        """Numbers that what is packed says nothing true of any more."""
        self._fresh: dict[int, bytes] = {}
        self._fresh_ids: dict[str, int] = {}

    @property
    def fresh(self) -> int:
        """How many stand beside what is packed."""
        return len(self._fresh)

    def get(self, id_: str) -> int | None:
        """The number of a subscriber; None: there is none with this id."""
        found = self._fresh_ids.get(id_)
        if found is not None:
            return found
        for number in self.packed.ids.find(id_):
            if number not in self.stale and _READ(self.packed.get(number)).id == id_:
                return number
        return None

    def record(self, number: int) -> Record | None:
        """What is held of a subscriber; None for an unknown number."""
        data = self._fresh.get(number)
        if data is None:
            data = b"" if number in self.stale else self.packed.get(number)
        return _READ(data) if data else None

    def is_fresh(self, number: int) -> bool:
        """Does it stand beside what is packed?"""
        return number in self._fresh

    def put(self, number: int, record: Record) -> None:
        """A number that is not held."""
        self._fresh[number] = _WRITE(record)
        self._fresh_ids[record.id] = number

    def take(self, number: int, record: Record) -> None:
        """The mirror of `put`; the number is not used again for what is packed."""
        if self._fresh.pop(number, None) is None:
            self.stale.add(number)
        else:
            del self._fresh_ids[record.id]

    def pack(self, packed: Packed, shapes: Table, lines: Table) -> None:
        """All records there are, in place of what stood here."""
        self.packed, self.shapes, self.lines = packed, shapes, lines
        self.stale.clear()
        self._fresh, self._fresh_ids = {}, {}

    def entry(self, record: Record) -> Entry:
        """A record with all it stands for."""
        return Entry(
            record.id,
            read_shape(self.shapes[record.shape]),
            tuple(read_line(self.lines[line]) for line in record.software),
            record.networks,
            record.domains,
            record.members,
        )

    def all(self, numbers: BitMap) -> Iterator[tuple[int, Record]]:
        """Those of these numbers that are held, by rising number."""
        for number in numbers:
            record = self.record(number)
            if record is not None:
                yield number, record
