"""One message for several deliveries to one recipient: the first that is claimed leads, the others go with it.

Each keeps its row of the outbox, its line of the ledger and its entry in the register. The bytes and what they rest
on lie with the leader alone; the others name it. Who goes along is fixed once the bytes are stored, so that a crash
repeats exactly those; when one of them may not leave any more, the message is made anew without it. An attempt that
nobody accepted dissolves the group: at the next one it is put together again.
"""

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from dispatch import Delivery, DispatchError, Outcome, outbox
from dispatch.outbox import LEASE, UNSETTLED, deliveries, delivery_of
from subscribers import ChannelType

KINDS = ("alert", "reminder")
"""What is told together. An update belongs to the thread of its own first message, a withdrawal to those who got it."""
MEDIA: tuple[ChannelType, ...] = ("email", "file")
"""Ways to people. Programs get one item a message."""
MOST = 10
"""Deliveries in one message."""
_d = deliveries.c


def company(conn: sa.Connection, claimed: Sequence[Delivery], now: datetime, *, hurry: bool = False) -> list[Delivery]:
    """What else is due for the recipients of these and may go along, claimed for their worker too."""
    wanted = {recipient(each) for each in claimed if _joins(each)}
    if not wanted:
        return []
    chosen = (
        sa.select(deliveries)
        .where(
            *outbox.ready(now, hurry=hurry),
            _d.subscriber.in_({subscriber for _, subscriber, _ in wanted}),
            _d.id.not_in([each.id for each in claimed]),
            _d.state == "queued",
            _d.kind.in_(KINDS),
            _d.medium.in_(MEDIA),
            ~_d.repeat,
        )
        .order_by(_d.priority, _d.due_at, _d.id)
        .with_for_update(skip_locked=True)
    )
    rows = [delivery_of(row, claimed[0].worker) for row in conn.execute(chosen)]
    found = [each for each in rows if recipient(each) in wanted]
    if found:
        outbox.hold(conn, found, now + LEASE)
    return found


def others(delivery: Delivery, claimed: Iterable[Delivery], gone: Collection[str]) -> list[Delivery]:
    """Which of these may go with that one: to the same recipient by the same way, of the same kind."""
    if not _joins(delivery):
        return []
    mine = recipient(delivery)
    return [each for each in claimed if recipient(each) == mine and _joins(each) and each.id not in gone]


def recipient(delivery: Delivery) -> tuple[str, str, int]:
    """What several deliveries have in common that can be one message."""
    return delivery.kind, delivery.subscriber, delivery.channel


def _joins(delivery: Delivery) -> bool:
    return delivery.kind in KINDS and delivery.medium in MEDIA and not delivery.repeat


def followers(conn: sa.Connection, leader: Delivery) -> list[Delivery]:
    """What goes with the message of a claimed delivery since its bytes were stored."""
    chosen = sa.select(deliveries).where(_d.leader == leader.id, _d.state.in_(UNSETTLED)).order_by(_d.subject, _d.id)
    return [delivery_of(row, leader.worker) for row in conn.execute(chosen)]


def join(conn: sa.Connection, leader: Delivery, along: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Fix who goes with a message that was just prepared: whoever went with it before, and now not, goes by itself.

    Raises DispatchError when a claim was lost.
    """
    if leader.repeat:
        outbox.release(conn, [leader.id], but=[each.id for each in along])
    if not along:
        return ()
    own = sa.select(_d.label, _d.view, _d.digest, _d.message_id).where(_d.id == leader.id)
    shared = dict(conn.execute(own).one()._mapping)
    held = (_d.id.in_([each.id for each in along]), _d.worker == leader.worker, _d.state.in_(UNSETTLED))
    values = {"leader": leader.id, "state": "sending", "attempts": _d.attempts + 1, **shared}
    if conn.execute(sa.update(deliveries).where(*held).values(**values)).rowcount != len(along):
        raise DispatchError(f"delivery {leader.id}: one that was to go with it is no longer {leader.worker}")
    return tuple(replace(each, state="sending", attempts=each.attempts + 1) for each in along)


def settle(
    conn: sa.Connection,
    leader: Delivery,
    along: Sequence[Delivery],
    outcome: Outcome,
    now: datetime,
    *,
    rng: random.Random,
) -> list[tuple[Delivery, Literal["sent", "retry", "failed"]]]:
    """What became of a message holds for all that went with it; each has its own line, and its own count of attempts.

    They come again at one moment, so that they find each other. The leader is last: whose leader is settled goes alone.
    """
    due = now + outbox.wait(leader, outcome, rng)
    every = (*along, leader)
    return [(each, outbox.settle(conn, each, outcome, now, rng=rng, due=due)) for each in every]


def together(conn: sa.Connection, delivery: str) -> list[str]:
    """The ids of all that left, or may have, with one message, its own first; also asked for one that went along."""
    own = sa.select(_d.leader).where(_d.id == delivery)
    leader = conn.scalar(own) or delivery
    theirs = sa.select(_d.id).where(_d.leader == leader).order_by(_d.subject, _d.id)
    return [leader, *conn.scalars(theirs)]
