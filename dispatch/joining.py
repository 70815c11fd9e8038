"""The objects of a page, joined: of blocks, where they lie so and all that they rest on may be seen; else of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, takewhile

import sqlalchemy as sa
from msgspec.structs import replace
from pyroaring import BitMap

from dispatch import blocks
from dispatch.blocks import Block, Shown
from dispatch.pages import Allowed, Filters, Link, Numbers, Reading, Row, links_of, numbers_of, passed, query
from tlp import Label

_AT_ONCE = 100
"""Blocks that are made in one transaction."""


@dataclass(frozen=True, slots=True)
class Joined:
    """As `dispatch.pages.Page`, of the objects alone."""

    rows: tuple[Block, ...]
    more: bool
    links: frozenset[Link]
    whole: bool

    @property
    def numbers(self) -> Numbers:
        """Of the rows."""
        found: list[tuple[int, int]] = []
        for first, last in chain.from_iterable(each.shown.rows for each in self.rows):
            run = bool(found) and found[-1][1] + 1 == first
            found[-1:] = [(found[-1][0], last)] if run else [*found[-1:], (first, last)]
        return tuple(found)


def page(
    conn: sa.Connection, collection: str, allowed: Allowed, *, limit: int, filters: Filters, after: int = 0
) -> Joined:
    """As `dispatch.pages.page`: rows up to the next hundred, blocks that follow each other, and where these end before
    the page does, rows again. It may hold less than a block less than `limit` though more follows."""
    reading = Reading(conn, collection, allowed, filters)
    after, found = reading.start(after), list[Block]()
    first = -(-after // blocks.SIZE)
    ready = _ready(reading, first, limit // blocks.SIZE + 2) if reading.plain and limit >= blocks.SIZE else []
    if ready:
        start, fits = first * blocks.SIZE, 0
        head, _ = reading.rows(after, limit, start) if after < start else ([], False)
        found, limit = _joined(head), limit - len(head)
        while fits < len(ready) and (count := ready[fits].shown.count) <= limit:
            found += ready[fits : fits + 1] if count else []
            limit, fits = limit - count, fits + 1
        after = start + fits * blocks.SIZE
        if fits < len(
            ready
        ):  # the next one would be too much: the page ends where a block does, and so begins the next
            return Joined(tuple(found), True, frozenset(reading.links), reading.whole)
    tail, more = reading.rows(after, limit)
    return Joined((*found, *_joined(tail)), more, frozenset(reading.links), reading.whole)


def join(conn: sa.Connection, collection: str, last: int) -> None:
    """Join the hundreds up to this row that are full and not joined, when the last of them is one: so the few of which
    something changed wait until a hundred more are full, and what is published seldom makes a block."""
    full = range(last // blocks.SIZE)
    if not full or blocks.has(conn, collection, full[-1]):
        return
    for number in sorted(set(full) - blocks.numbers(conn, collection))[-_AT_ONCE:]:
        blocks.put(conn, collection, number, of_rows(conn, collection, number))


def astray(conn: sa.Connection, collection: str, rows: Numbers) -> list[int]:
    """Hundreds in which these rows lie and whose block says otherwise than they do: nothing of ours makes one."""
    hundreds = {each for first, last in rows for each in range(blocks.number_of(first), blocks.number_of(last) + 1)}
    found = []
    for number in sorted(hundreds & blocks.numbers(conn, collection)):
        (lies,) = blocks.read(conn, collection, number, 1)
        made = of_rows(conn, collection, number)
        links = _links(conn, collection, number)
        named, rests = BitMap.union(BitMap(), *links.values()), _rests(lies)
        held = BitMap.union(BitMap(), *(rows for link, rows in links.items() if link in rests))
        unheld = (named - held) & BitMap(chain.from_iterable(range(a, b + 1) for a, b in made.shown.rows))
        same = lies.body == made.body and lies.shown.rows == made.shown.rows
        if not same or unheld or not rests <= links.keys():
            found.append(number)
    return found


def _links(conn: sa.Connection, collection: str, number: int) -> dict[Link, BitMap]:
    return links_of(conn, collection, number * blocks.SIZE, (number + 1) * blocks.SIZE)


def of_rows(conn: sa.Connection, collection: str, number: int) -> Block:
    """A hundred, joined: what of it is served, and on what that rests."""
    after, to = number * blocks.SIZE, (number + 1) * blocks.SIZE
    links = _links(conn, collection, number)
    batch = conn.execute(query(Filters()), {"in": collection, "after": after, "to": to, "most": blocks.SIZE}).all()
    rows = [Row._make(row[:6]) for row in passed(batch, links, links.keys())]
    if not rows:
        return Block(Shown((), "", ""), b"")
    numbers, (made,) = BitMap([row.seq for row in rows]), _joined(rows)
    needed = [link for link, named in links.items() if named & numbers]
    said = sorted((link.item, tuple(sorted(link.statements)), link.label.value) for link in needed)
    return made._replace(shown=replace(made.shown, links=tuple(said)))


def _ready(reading: Reading, first: int, most: int) -> list[Block]:
    """Blocks that follow each other from this one on, and may be seen whole."""
    found = blocks.read(reading.conn, reading.collection, first, most)
    rest = [_rests(each) for each in found]
    seen = reading.may(set[Link]().union(*rest))
    return [each for each, _ in takewhile(lambda both: both[1] <= seen, zip(found, rest, strict=True))]


def _rests(block: Block) -> set[Link]:
    return {Link(item, frozenset(said), Label(label)) for item, said, label in block.shown.links}


def _joined(rows: Sequence[Row]) -> list[Block]:
    """Rows, as one block: or as none, where there are none."""
    if not rows:
        return []
    shown = Shown(numbers_of(rows), rows[0].added, rows[-1].added)
    return [Block(shown, b",".join([row.body for row in rows]))]
