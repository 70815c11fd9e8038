"""Fan-out: whom of a large audience the outbox holds no rows for yet, as a bitmap.

A release to half a million subscribers would keep everybody else from the database for as long as it takes to write
their rows. So it stores whom it goes to, and rows are made of a few thousand at a time, the most urgent item first.
"""

from datetime import datetime
from typing import NamedTuple

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
)
_f = fanout.c


class Waiting(NamedTuple):
    """Who still waits for the rows of one item version."""

    version: int
    at: datetime
    numbers: BitMap


def put(conn: sa.Connection, item: str, version: int, numbers: BitMap, urgency: Urgency, at: datetime) -> None:
    """These wait for it, in place of whoever waited for an earlier version; empty: nobody waits."""
    conn.execute(fanout.delete().where(_f.item == item))
    if numbers:
        row = {"item": item, "version": version, "priority": PRIORITY[urgency], "at": at}
        conn.execute(fanout.insert().values(**row, waiting=numbers.serialize()))


def items(conn: sa.Connection) -> list[str]:
    """What somebody waits for, most urgent and then oldest first."""
    return list(conn.scalars(sa.select(_f.item).order_by(_f.priority, _f.at, _f.item)))


def held(conn: sa.Connection, item: str) -> Waiting | None:
    """Who waits, for this transaction alone to change. None: nobody does, or another worker is at it."""
    row = conn.execute(sa.select(fanout).where(_f.item == item).with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else Waiting(row.version, row.at, BitMap.deserialize(row.waiting))


def keep(conn: sa.Connection, item: str, rest: BitMap) -> None:
    """These go on waiting; nobody: it is done."""
    mine = _f.item == item
    change = fanout.update().where(mine).values(waiting=rest.serialize()) if rest else fanout.delete().where(mine)
    conn.execute(change)


def drop(conn: sa.Connection, item: str, before: int) -> int:
    """Nobody waits any more for a version before this one; how many did."""
    mine = (_f.item == item, _f.version < before)
    found = conn.scalar(sa.select(_f.waiting).where(*mine))
    conn.execute(fanout.delete().where(*mine))
    return 0 if found is None else len(BitMap.deserialize(found))


def count(conn: sa.Connection, item: str) -> int:
    """How many wait."""
    found = conn.scalar(sa.select(_f.waiting).where(_f.item == item))
    return 0 if found is None else len(BitMap.deserialize(found))
