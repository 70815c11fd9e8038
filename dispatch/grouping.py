"""One message for several deliveries to one recipient: the first that is claimed leads, the others go with it.

Each keeps its row of the outbox, its line of the ledger and its entry in the register. The bytes and what they rest
on lie with the leader alone; the others name it. Who goes along is fixed once the bytes are stored, so that a crash
repeats exactly those; when one of them may not leave any more, the message is made anew without it. An attempt that
nobody accepted dissolves the group: at the next one it is put together again; unless the group was refused for good,
which says nothing of each: then each is tried once by itself.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from dispatch import Delivery, Outcome, grounds, outbox
from dispatch.outbox import ALONE, ATTEMPTS, CLAIMED, LEASE, OPEN, QUEUED, deliveries, delivery_of
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
        sa.select(*CLAIMED)
        .where(
            *outbox.ready(now, hurry=hurry),
            _d.subscriber.in_({subscriber for _, subscriber, _ in wanted}),
            _d.id.not_in([each.id for each in claimed]),
            QUEUED,
            _d.kind.in_(KINDS),
            _d.medium.in_(MEDIA),
            ~_d.repeat,
        )
        .order_by(_d.priority, _d.due_at, _d.id)
        .with_for_update(skip_locked=True)
    )
    rows = [delivery_of(row, claimed[0].worker) for row in conn.execute(chosen)]
    found = [each for each in rows if recipient(each) in wanted and _joins(each)]
    if found:
        outbox.hold(conn, found, now + LEASE)
    return found


def others(delivery: Delivery, claimed: Iterable[Delivery]) -> list[Delivery]:
    """Which of these may go with that one: to the same recipient by the same way, of the same kind."""
    if not _joins(delivery):
        return []
    mine = recipient(delivery)
    return [
        each for each in claimed if each.subscriber == delivery.subscriber and recipient(each) == mine and _joins(each)
    ]


def recipient(delivery: Delivery) -> tuple[str, str, int]:
    """What several deliveries have in common that can be one message."""
    return delivery.kind, delivery.subscriber, delivery.channel


def _joins(delivery: Delivery) -> bool:
    return delivery.kind in KINDS and delivery.medium in MEDIA and not delivery.repeat and not delivery.alone


def followers(conn: sa.Connection, leader: Delivery) -> list[Delivery]:
    """What goes with the message of a claimed delivery since its bytes were stored."""
    chosen = sa.select(*CLAIMED).where(_d.leader == leader.id, OPEN).order_by(_d.subject, _d.id)
    return [delivery_of(row, leader.worker) for row in conn.execute(chosen)]


def join(conn: sa.Connection, along: Mapping[str, Sequence[str]]) -> None:
    """Fix what goes with messages whose bytes were just stored: leader -> the others, which this worker holds too.

    What went with any of these before, and now does not, goes by itself: what goes along leads none.
    """
    joined = [one for others in along.values() for one in others]
    theirs = (_d.id.in_(list(along)), _d.leader.is_not(None), OPEN)
    conn.execute(sa.update(deliveries).where(*theirs).values(leader=None))
    outbox.release(conn, [*along, *joined], but=joined)
    same = sa.select(_d.label, _d.view, _d.digest, _d.message_id, _d.worker)
    for leader, others in along.items():
        if others:
            row = dict(conn.execute(same.where(_d.id == leader)).one()._mapping)
            held = (_d.id.in_(others), _d.worker == row.pop("worker"), OPEN)
            values = {"leader": leader, "message": None, "grounds": None}
            conn.execute(sa.update(deliveries).where(*held).values(**values, **row))


def settle(
    conn: sa.Connection, leader: Delivery, outcome: Outcome, now: datetime, *, rng: random.Random
) -> list[tuple[Delivery, Literal["retry", "failed"]]]:
    """A message that was not accepted: that holds for all that went with it, and each has its own count of attempts.

    They come again at one moment, so that they find each other. The leader is last: whose leader is settled goes alone.
    A refusal for good is of the message: what went together is tried by itself, made anew, before any of it fails.
    """
    due = now + outbox.wait(leader, outcome, rng)
    # As `sending` they look as if an attempt had been cut off: what may have been accepted, the leader says.
    every = (*(replace(each, repeat=leader.repeat) for each in followers(conn, leader)), leader)
    apart = outcome.status == "failed" and len(every) > 1
    most, outcome = (ATTEMPTS + 1, Outcome("retry", ALONE)) if apart else (ATTEMPTS, outcome)
    settled = [(each, outbox.settle(conn, each, outcome, now, rng=rng, attempts=most, due=due)) for each in every]
    if apart:
        theirs = (_d.id.in_([each.id for each in every]), _d.state == "queued")
        conn.execute(sa.update(deliveries).where(*theirs).values(message=None, leader=None))
    return settled


def told(conn: sa.Connection, delivery: str) -> list[str]:
    """The items that left, or may have, with one message."""
    rested = conn.scalar(sa.select(_d.grounds).where(_d.id == delivery, _d.state == "cancelled"))
    if rested is not None:  # it was taken apart since
        return [each.item for each in grounds.decode(rested)]
    left = _d.id.in_(together(conn, delivery)), _d.state.in_(("accepted", "sent"))
    return list(conn.scalars(sa.select(_d.subject).where(*left).distinct()))


def together(conn: sa.Connection, delivery: str) -> list[str]:
    """The ids of all that left, or may have, with one message, its own first; also asked for one that went along."""
    own = sa.select(_d.leader).where(_d.id == delivery)
    leader = conn.scalar(own) or delivery
    theirs = sa.select(_d.id).where(_d.leader == leader).order_by(_d.subject, _d.id)
    return [leader, *conn.scalars(theirs)]
