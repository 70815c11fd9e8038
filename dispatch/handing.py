"""Many messages at once: their bytes stored together, handed over one after the other, settled together.

Between two messages stands one statement: what the other side accepted is `accepted`, and the next one is `sending`.
It is committed before the next one leaves, so a crash finds at most one message of a worker of which nobody knows
whether it was accepted (docs/decisions/006). What is `accepted` is never handed over again; its line of the ledger and
its entry in the register follow with those of the others, or from whoever finds it after a crash.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from dispatch import Delivery, ledger
from dispatch.ledger import Entry
from dispatch.outbox import OPEN, deliveries
from tlp import Label
from triage.inbox import items

_d = deliveries.c
_STORED = ("message", "label", "view", "message_id", "digest", "grounds")
_STORE = (
    sa.update(deliveries)
    .where(_d.id == sa.bindparam("mine"), _d.worker == sa.bindparam("holder"), OPEN)
    .values({name: sa.bindparam(f"new_{name}") for name in _STORED})
)
# A message is found by its leader: the text of these never differs, so they are compiled, and planned, once.
_DONE, _NEXT = (sa.bindparam(name, type_=_d.id.type) for name in ("done", "next"))
_LEAVES = sa.func.coalesce(_d.leader, _d.id) == _NEXT
_one = deliveries.alias().c
_WITHDRAWN = (
    sa.select(_one.id)
    .join(items, items.c.id == _one.subject)
    .where(sa.or_(_one.id == _NEXT, _one.leader == _NEXT), items.c.state == "withdrawn")
    .where(sa.or_(*(_one.kind == each for each in ("alert", "update", "reminder"))))
)
_STEP = (
    sa.update(deliveries)
    .where(sa.or_(*(column == each for column in (_d.id, _d.leader) for each in (_DONE, _NEXT))))
    .where(_d.worker == sa.bindparam("holder"), OPEN, sa.or_(~_LEAVES, ~_WITHDRAWN.exists()))
    .values(
        state=sa.case((_LEAVES, "sending"), else_="accepted"),
        attempts=_d.attempts + sa.case((_LEAVES, 1), else_=0),
        reason=sa.case((_LEAVES, _d.reason), else_=sa.bindparam("said", type_=_d.reason.type)),
        settled_at=sa.case((_LEAVES, _d.settled_at), else_=sa.bindparam("at", type_=_d.settled_at.type)),
    )
    .returning(_d.id)
)
_SETTLING = _d.state.in_(("accepted", "perhaps"))
_CLOSES = ("id", "state", "settled_at", "reason", "leader", "grounds", "queued_at")
_ACCEPTED = (
    sa.select(*(_d[name] for name in (*ledger.SAME, *_CLOSES)))
    .where(_SETTLING)
    .order_by(_d.settled_at, _d.id)
    .with_for_update(skip_locked=True)
)
_IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
_LINES = sa.insert(ledger.ledger).from_select(
    ["at", "outcome", "delivery", "reason", *ledger.SAME],
    sa.select(
        _d.settled_at,
        sa.case((_d.state == "perhaps", "perhaps"), else_="sent"),
        _d.id,
        _d.reason,
        *(_d[name] for name in ledger.SAME),
    )
    .where(_d.id.in_(_IDS))
    .order_by(_d.settled_at, _d.id),
)
"""From the rows themselves, as they are before they close."""
_SENT = (
    sa.update(deliveries)
    .where(_d.id.in_(_IDS))
    .values(
        state=sa.case((_d.state == "perhaps", "cancelled"), else_="sent"),
        message=None,
        grounds=sa.case((_d.state == "perhaps", _d.grounds)),
        worker="",
        claimed_until=None,
    )
)


class Held(NamedTuple):
    """A message before it leaves: its exact bytes, as the caller seals them, and what the ledger will say of it."""

    delivery: Delivery
    message: bytes
    label: Label
    view: str
    message_id: str
    digest: str
    grounds: bytes


class Settled(NamedTuple):
    """What was accepted, or may have been and leaves no more; and is settled."""

    line: Entry
    grounds: bytes | None
    """On what its message rested, for the register."""
    queued_at: datetime


def store(conn: sa.Connection, held: Sequence[Held]) -> None:
    """Put the bytes in their rows; none of these leaves before `step` says so."""
    rows = [
        {"mine": each.delivery.id, "holder": each.delivery.worker, "new_label": each.label.value}
        | {f"new_{name}": getattr(each, name) for name in _STORED if name != "label"}
        for each in held
    ]
    if rows:
        conn.execute(_STORE, rows)


def step(
    conn: sa.Connection, worker: str, done: Sequence[str], said: str, at: datetime, following: Sequence[str]
) -> bool:
    """`done` was accepted (`said`: how it says so), `following` leaves now: each those of one message, or none; its
    leader first.

    Is all that follows still this worker's, and nothing of it withdrawn? Commit before it is handed over.
    """
    leaves = set(following).isdisjoint(done)  # what was accepted does not leave again
    given = {"done": next(iter(done), ""), "next": next(iter(following), "") if leaves else ""}
    stepped = set(conn.scalars(_STEP, given | {"said": said, "at": at, "holder": worker}))
    return leaves and stepped.issuperset(following)


def untouched(conn: sa.Connection, claimed: Sequence[Delivery]) -> list[Delivery]:
    """Those of these that are still held as they were claimed, and were not handed over since."""
    held = sa.select(_d.id, _d.attempts, _d.worker).where(_d.id.in_([each.id for each in claimed]), OPEN)
    known = {tuple(row) for row in conn.execute(held)}
    return [each for each in claimed if (each.id, each.attempts, each.worker) in known]


def withdrawn(conn: sa.Connection, following: Sequence[str]) -> bool:
    """Did it not leave since something of it was withdrawn meanwhile?"""
    return conn.execute(_WITHDRAWN, {"next": next(iter(following), "")}).first() is not None


def holders(conn: sa.Connection) -> set[str]:
    """Workers that have messages to settle."""
    return set(conn.scalars(sa.select(_d.worker).where(_SETTLING).distinct()))


def waiting(conn: sa.Connection, workers: Collection[str], now: datetime) -> set[str]:
    """On what items, editions and links `settle` would find something."""
    return set(conn.scalars(sa.select(_d.subject).where(_SETTLING, _theirs(workers, now)).distinct()))


def _theirs(workers: Collection[str], now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(_d.state == "perhaps", _d.worker.in_(workers), _d.claimed_until <= now)


def settle(conn: sa.Connection, workers: Collection[str], now: datetime, subjects: Collection[str]) -> list[Settled]:
    """Close what was accepted of these workers, or of any whose claim has run out, with its lines in the ledger; and
    whosever it was, what may have been and leaves no more. Only messages that told nothing but of these subjects, which
    the caller holds: items are locked before deliveries, by whoever locks both."""
    rows = conn.execute(_ACCEPTED.where(_theirs(workers, now))).all()
    others = {row.leader or row.id for row in rows if row.subject not in subjects}
    rows = [row for row in rows if (row.leader or row.id) not in others]
    if not rows:
        return []
    for close in (_LINES, _SENT):
        conn.execute(close, {"ids": [row.id for row in rows]})
    rested = {row.id: row.grounds for row in rows}
    lines = ledger.settled(rows)
    return [
        Settled(line, row.grounds or rested.get(row.leader or row.id), row.queued_at)
        for line, row in zip(lines, rows, strict=True)
    ]
