"""Objects of a collection that follow each other, joined as a page of TAXII has them: a page reads ten of these instead
of a thousand rows, asks of which are the latest versions, and on what they rest.

A block is derived: of the rows of its hundred numbers, and of what these rest on. Whatever changes one of them calls
`fall` in the same transaction, so that a value which is withdrawn, erased or past its retention stands in no block.
Only hundreds that are full are joined, by `dispatch.joining.join`.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from ingest.columns import metadata

SIZE = 100
"""Numbers of a block: few, since one change makes a whole block fall; a page of 1000 still reads ten."""
_CHUNK = 500

blocks = sa.Table(
    "published_blocks",
    metadata,
    sa.Column("collection", sa.String(36), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="of the hundred, from 0"),
    sa.Column("shown", sa.LargeBinary, nullable=False, comment="which rows, when they were added, what they rest on"),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="the objects, with commas between them"),
)
_b, _mine = blocks.c, blocks.c.collection == sa.bindparam("in")
_PUT, _NUMBERS = blocks.insert(), sa.select(_b.number).where(_mine)
_READ = (
    sa.select(_b.number, _b.shown, _b.body)
    .where(_mine, _b.number >= sa.bindparam("first"))
    .order_by(_b.number)
    .limit(sa.bindparam("most"))
)
_FALL = blocks.delete().where(_mine, _b.number.in_(sa.bindparam("some", expanding=True)))


class Shown(Struct, frozen=True, array_like=True):
    """What a block holds, beside the objects."""

    rows: tuple[tuple[int, int], ...]
    """Their numbers: from, to and with. None: nothing of this hundred is served."""
    began: str
    """When the first of them was added."""
    added: str
    """And the last."""
    links: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    """Item, statements and label of each view that needed one of them when they were joined. Who may see all of these
    may see all of the block, whatever view needs one of them since."""

    @property
    def count(self) -> int:
        """How many objects."""
        return sum(last - first + 1 for first, last in self.rows)


class Block(NamedTuple):
    """Objects that follow each other, as a part of a page."""

    shown: Shown
    body: bytes

    @property
    def seq(self) -> int:
        """Of the last of them, where there is one."""
        return self.shown.rows[-1][1]

    @property
    def began(self) -> str:
        """When the first of them was added."""
        return self.shown.began

    @property
    def added(self) -> str:
        """And the last."""
        return self.shown.added


def number_of(seq: int) -> int:
    """In which hundred a row lies."""
    return (seq - 1) // SIZE


def put(conn: sa.Connection, collection: str, number: int, block: Block) -> None:
    """A hundred is joined."""
    row = {"collection": collection, "number": number, "shown": _encode(block.shown)}
    conn.execute(_PUT, row | {"body": block.body})


def has(conn: sa.Connection, collection: str, number: int) -> bool:
    """Is this hundred joined?"""
    return conn.scalar(_NUMBERS.where(_b.number == number), {"in": collection}) is not None


def numbers(conn: sa.Connection, collection: str) -> set[int]:
    """Which hundreds are joined."""
    return set(conn.scalars(_NUMBERS, {"in": collection}))


def read(conn: sa.Connection, collection: str, first: int, most: int) -> list[Block]:
    """Those that follow each other from this number on."""
    found = conn.execute(_READ, {"in": collection, "first": first, "most": most}).all()
    return [Block(_decode(shown), *rest) for at, (number, shown, *rest) in enumerate(found, first) if number == at]


def fall(conn: sa.Connection, collection: str, seqs: Iterable[int]) -> None:
    """What was joined of these rows is no longer so."""
    some = sorted({number_of(seq) for seq in seqs})
    for start in range(0, len(some), _CHUNK):
        conn.execute(_FALL, {"in": collection, "some": some[start : start + _CHUNK]})


def drop(conn: sa.Connection, collection: str) -> None:
    """All of a collection."""
    conn.execute(blocks.delete().where(_b.collection == collection))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Shown).decode
