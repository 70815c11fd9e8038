"""Fan-out: whom of a large audience the outbox holds no rows for yet, as a bitmap.

A release to half a million subscribers would keep everybody else from the database for as long as it takes to write
their rows. So it stores whom it goes to, and rows are made of a few thousand at a time, the most urgent item first.
A very large one goes in waves: who reads along first, a twentieth, the rest. What comes of a wave can be seen before
the next one opens, and `hold` stops it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from ingest.columns import Instant, metadata
from normalize import Urgency

PRIORITY: dict[Urgency | None, int] = {"today": 0, "this-week": 1, "info": 2, None: 3}
"""Urgent before digest (None)."""

fanout = sa.Table(
    "fanout",
    metadata,
    sa.Column("item", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("at", Instant, nullable=False, comment="when it was released"),
    sa.Column("waiting", sa.LargeBinary, nullable=False, comment="numbers of subscribers, a bitmap"),
    sa.Column("opens_at", Instant, comment="before then none of these gets a row; null: at once"),
    sa.Column("later", sa.LargeBinary, comment="the waves behind this one: bitmaps, as MessagePack; null: none"),
)
_f = fanout.c


class Waiting(NamedTuple):
    """Who still waits for the rows of one item version, in the wave that is open."""

    version: int
    at: datetime
    numbers: BitMap
    opening: bool
    """Is it the moment at which a later wave opens?"""


class Wave(NamedTuple):
    """A wave that has not opened yet."""

    item: str
    opens_at: datetime
    waiting: int
    """In it and in those behind it."""


def put(conn: sa.Connection, item: str, version: int, waves: Sequence[BitMap], urgency: Urgency, at: datetime) -> None:
    """These wait for it, in place of whoever waited for an earlier version; empty: nobody waits."""
    conn.execute(fanout.delete().where(_f.item == item))
    first, *later = [wave for wave in waves if wave] or [BitMap()]
    if first:
        row = {"item": item, "version": version, "priority": PRIORITY[urgency], "at": at, "later": _packed(later)}
        conn.execute(fanout.insert().values(**row, waiting=first.serialize()))


def items(conn: sa.Connection, now: datetime) -> list[str]:
    """What somebody waits for whose wave is open, most urgent and then oldest first."""
    return list(conn.scalars(sa.select(_f.item).where(_open(now)).order_by(_f.priority, _f.at, _f.item)))


def _open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(_f.opens_at.is_(None), _f.opens_at <= now)


def waves(conn: sa.Connection, now: datetime) -> list[Wave]:
    """Waves that have not opened, the next one first."""
    chosen = sa.select(_f.item, _f.opens_at, _f.waiting, _f.later).where(_f.opens_at > now)
    return [
        Wave(row.item, row.opens_at, sum(map(len, (BitMap.deserialize(row.waiting), *_unpacked(row.later)))))
        for row in conn.execute(chosen.order_by(_f.opens_at, _f.item))
    ]


def held(conn: sa.Connection, item: str, now: datetime) -> Waiting | None:
    """Who waits, for this transaction alone to change. None: nobody does, or another worker is at it, or has opened the
    next wave since, which waits for its time."""
    mine = sa.select(fanout).where(_f.item == item, _open(now))
    row = conn.execute(mine.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    return Waiting(row.version, row.at, BitMap.deserialize(row.waiting), row.opens_at is not None)


def postpone(conn: sa.Connection, item: str, opens_at: datetime | None) -> None:
    """The wave that would open now does so then; None: it is open."""
    conn.execute(fanout.update().where(_f.item == item).values(opens_at=opens_at))


def keep(conn: sa.Connection, item: str, rest: BitMap, opens_at: datetime) -> None:
    """These go on waiting; nobody: the next wave waits, which opens then; there is none: it is done."""
    mine = _f.item == item
    if rest:
        conn.execute(fanout.update().where(mine).values(waiting=rest.serialize()))
        return
    later = _unpacked(conn.scalar(sa.select(_f.later).where(mine)))
    if later:
        following = {"waiting": later[0].serialize(), "later": _packed(later[1:]), "opens_at": opens_at}
        conn.execute(fanout.update().where(mine).values(following))
    else:
        conn.execute(fanout.delete().where(mine))


def drop(conn: sa.Connection, item: str, before: int) -> int:
    """Nobody waits any more for a version before this one; how many did."""
    found = _count(conn, _f.item == item, _f.version < before)
    conn.execute(fanout.delete().where(_f.item == item, _f.version < before))
    return found


def numbers(conn: sa.Connection, item: str) -> BitMap:
    """Who waits, in all waves."""
    rows = conn.execute(sa.select(_f.waiting, _f.later).where(_f.item == item))
    waves = (bits for row in rows for bits in (BitMap.deserialize(row.waiting), *_unpacked(row.later)))
    return BitMap.union(BitMap(), *waves)


def count(conn: sa.Connection, item: str) -> int:
    """How many wait, in all waves."""
    return _count(conn, _f.item == item)


def _count(conn: sa.Connection, *mine: sa.ColumnElement[bool]) -> int:
    rows = conn.execute(sa.select(_f.waiting, _f.later).where(*mine))
    return sum(len(bits) for row in rows for bits in (BitMap.deserialize(row.waiting), *_unpacked(row.later)))


def _packed(later: Sequence[BitMap]) -> bytes | None:
    return msgspec.msgpack.encode([wave.serialize() for wave in later]) if later else None


def _unpacked(later: bytes | None) -> list[BitMap]:
    return [] if later is None else list(map(BitMap.deserialize, msgspec.msgpack.decode(later, type=list[bytes])))
