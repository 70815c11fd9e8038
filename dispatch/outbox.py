"""The outbox: what waits, who holds it, and what became of it (dispatch.ledger).

Sending has two phases, so that a crash at any point loses nothing: what is claimed is stored, sent and accepted
(dispatch.handing); what is not accepted is settled here: it waits, or has failed. A row still in `sending` when its
claim has run out may have been accepted: it is sent again with the same bytes and stands as `repeat` in the ledger.
This is the one place that retries.

The caller owns the transactions, and checks the label again after a claim, and before sending again.
Rows that go with another's message (dispatch.grouping) name it as their leader, and are claimed with it.
"""

import hashlib
import hmac
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch import Delivery, DeliveryKind, DispatchError, Outcome, fanout
from dispatch.fanout import PRIORITY
from dispatch.ledger import cancelled, ledger, record
from ingest.columns import Instant, metadata
from normalize import Urgency
from subscribers import ChannelType
from tlp import RefusalReason

LEASE = timedelta(minutes=5)
"""How long a claim holds. Longer than any channel's time-out, or a slow send would be repeated."""
ATTEMPTS = 8
MEDIA: tuple[ChannelType, ...] = ("email", "file", "webhook", "kafka")
"""Channels that messages are queued for; TAXII reads what is published."""
BASE, CAP = timedelta(minutes=1), timedelta(hours=4)
LONGEST_WAIT = timedelta(days=1)
"""Whatever the other side asks for."""
POSSIBLY_ACCEPTED = "lost-after-data"
"""Reason of a retry whose message the other side may have accepted before the connection broke."""
CancelReason = Literal[
    "tlp", RefusalReason, "withdrawn", "no-match", "superseded", "opt-out", "answered", "unreachable", "repeat"
]
"""`repeat`: the recipient was told of the same systems lately (app.intervals)."""
ALONE = "refused-together"
"""Reason of a retry of what was refused for good together with others, and is tried by itself."""
UNSETTLED = ("queued", "sending")
_HELD = ("cancelled", "perhaps")
"""In which state is what leaves no more: surely not, or not again."""
_CHUNK = 500

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("subscriber", sa.String(255), nullable=False),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("medium", sa.String(16)),
    sa.Column("revision", sa.Integer, comment="of the subscriber whose nth contact it is for; null: as of queued_at"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("worker", sa.String(64), nullable=False, default=""),
    sa.Column("claimed_until", Instant),
    sa.Column("repeat", sa.Boolean, nullable=False, default=False),
    sa.Column("message", sa.LargeBinary, comment="as the caller seals it; null: none, or it was settled"),
    sa.Column("digest", sa.String(64), comment="keyed hash of the message, for the ledger"),
    sa.Column("grounds", sa.LargeBinary, comment="on what it rests that it may leave, JSON; null: it was settled"),
    sa.Column("label", sa.String(16)),
    sa.Column("view", sa.String(64)),
    sa.Column("message_id", sa.String(255)),
    sa.Column("leader", sa.String(32), comment="the delivery with whose message it goes; null: its own"),
    sa.Column("settled_at", Instant),
    sa.Column("reason", sa.String(64), nullable=False, default=""),
    sa.Index("ix_deliveries_due", "state", "priority", "due_at", "id"),
    sa.Index("ix_deliveries_subject", "subject", "subscriber"),
    sa.Index("ix_deliveries_subscriber", "subscriber"),
    sa.Index("ix_deliveries_leader", "leader"),
)

_d = deliveries.c
QUEUED, _SENDING = (sa.func.coalesce(_d.state, "") == each for each in UNSETTLED)
OPEN = sa.or_(QUEUED, _SENDING)
"""For rows that are found by their ids. Not the column itself: a planner that does not know yet how many rows wait
takes its index instead, and reads all of them for each message."""
CLAIMED = tuple(
    _d[name]
    for name in (
        "id", "kind", "subject", "version", "subscriber", "channel", "state", "due_at", "queued_at", "attempts",
        "message", "medium", "view", "repeat", "reason", "revision",
    )
)  # fmt: skip
"""What `delivery_of` reads."""
_NEVER = 2**31 - 1
"""No version of an item is later."""
_WAITING = (
    sa.select(deliveries)
    .where(
        _d.subject == sa.bindparam("subject"),
        _d.state == "queued",
        sa.or_(_d.claimed_until.is_(None), _d.claimed_until <= sa.bindparam("now")),
        _d.version < sa.bindparam("before"),
        sa.or_(_d.kind != "withdrawal", sa.bindparam("every", type_=sa.Boolean)),
    )
    .with_for_update(skip_locked=True)
)
# By their readers: of the item, or of what waits, a planner that does not know how many there are would read all.
_TAKING_BACK = sa.select(_d.id, _d.subscriber).where(
    _d.subscriber.in_(sa.bindparam("whom", expanding=True)),
    sa.func.coalesce(_d.subject, "") == sa.bindparam("item"),
    _d.kind == "withdrawal",
    sa.or_(OPEN, sa.func.coalesce(_d.state, "") == "accepted"),
)
_FREE = (
    sa.select(deliveries)
    .where(
        _d.id.in_(sa.bindparam("ids", expanding=True)),
        QUEUED,
        sa.or_(_d.claimed_until.is_(None), _d.claimed_until <= sa.bindparam("now")),
    )
    .with_for_update(skip_locked=True)
)
_leading = deliveries.alias().c
_RESTED = sa.case(
    (
        _d.repeat,
        sa.func.coalesce(_d.grounds, sa.select(_leading.grounds).where(_leading.id == _d.leader).scalar_subquery()),
    )
)
"""On what a message rested that may have been accepted: with the one that led it, else its own."""
_CANCEL = (
    sa.update(deliveries)
    .where(_d.id.in_(sa.bindparam("ids", expanding=True)))
    .values(
        state=sa.case((_d.repeat, "perhaps"), else_="cancelled"),
        settled_at=sa.bindparam("settled"),
        reason=sa.bindparam("because"),
        message=None,
        grounds=_RESTED,
        leader=None,
        worker="",
        claimed_until=None,
    )
)
_KNOWN = sa.select(sa.func.count()).where(_d.id.in_(sa.bindparam("ids", expanding=True)))


class Prepared(NamedTuple):
    """A message that lies ready to be sent."""

    id: str
    subject: str
    subscriber: str
    queued_at: datetime
    message: bytes


class Whose(NamedTuple):
    """To whom a delivery went."""

    subscriber: str
    channel: int
    medium: ChannelType | None
    queued_at: datetime
    revision: int | None


def delivery_id(key: bytes, kind: DeliveryKind, subject: str, version: int, subscriber: str, channel: int) -> str:
    """The natural key: HMAC-SHA-256 cut to 128 bits, hexadecimal. Names no one to who sees it in a Message-ID."""
    content = msgspec.json.encode([kind, subject, version, subscriber, channel])
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:32]


def order(
    key: bytes,
    kind: DeliveryKind,
    subject: str,
    version: int,
    subscriber: str,
    channel: int,
    medium: ChannelType,
    *,
    queued_at: datetime,
    due_at: datetime,
    revision: int | None = None,
) -> Delivery:
    """A delivery to queue. `due_at` later than `queued_at` is the undo window, or quiet hours."""
    identifier = delivery_id(key, kind, subject, version, subscriber, channel)
    made = Delivery(identifier, kind, subject, version, subscriber, channel, "queued", due_at, queued_at)
    return replace(made, medium=medium, revision=revision)


def queue(conn: sa.Connection, orders: Sequence[Delivery], *, urgency: Urgency | None) -> int:
    """Put deliveries in the outbox; how many were new. One that is there already, in any state, stays as it is."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(deliveries).on_conflict_do_nothing(index_elements=["id"])
    new = 0
    orders = sorted(orders, key=lambda each: each.id)  # two that queue the same, each in its own order, would stop both
    for start in range(0, len(orders), _CHUNK):
        rows = [_row(each, PRIORITY[urgency]) for each in orders[start : start + _CHUNK]]
        # Counted beforehand: what executemany reports for ignored rows differs between drivers.
        ids = {row["id"] for row in rows}
        known = conn.execute(_KNOWN, {"ids": list(ids)}).scalar_one()
        conn.execute(statement, rows)
        new += len(ids) - known
    return new


def _row(each: Delivery, priority: int) -> dict[str, object]:
    if each.state != "queued" or each.message is not None:
        raise DispatchError(f"delivery {each.id} is {each.state}: only new deliveries are queued")
    return {
        "id": each.id,
        "kind": each.kind,
        "subject": each.subject,
        "version": each.version,
        "subscriber": each.subscriber,
        "channel": each.channel,
        "medium": each.medium,
        "revision": each.revision,
        "state": "queued",
        "priority": priority,
        "due_at": each.due_at,
        "queued_at": each.queued_at,
        "attempts": 0,
        "worker": "",
        "repeat": False,
        "reason": "",
    }


def claim(
    conn: sa.Connection, now: datetime, limit: int, worker: str, *, hurry: bool = False, lease: timedelta = LEASE
) -> list[Delivery]:
    """Take up to `limit` deliveries that are due, most urgent first, for this worker (a name no other worker has).

    `hurry` also takes what still waits in its undo window, not what waits to be tried again. What a worker left in
    `sending` comes back once its lease has run out, with its bytes and marked `repeat`: send those, after checking
    the label again. On PostgreSQL rows that others are claiming are skipped; SQLite has one writer.
    """
    found: list[Delivery] = []
    for state in ("sending", "queued"):  # each by itself: the index has them in order, however many wait
        chosen = (
            sa.select(*CLAIMED)
            .where(_d.state == state, *ready(now, hurry=hurry))
            .order_by(_d.priority, _d.due_at, _d.id)
            .limit(limit - len(found))
            .with_for_update(skip_locked=True)
        )
        found += [delivery_of(row, worker) for row in conn.execute(chosen)]
    if found:
        hold(conn, found, now + lease)
    return found


def hold(conn: sa.Connection, found: Sequence[Delivery], until: datetime) -> None:
    """Claim these until then for their worker, with what goes with their messages."""
    ids, led = ([each.id for each in some] for some in (found, filter(leads, found)))
    repeat = sa.or_(_d.repeat, _d.state == "sending")
    claimed = {"worker": found[0].worker, "claimed_until": until, "repeat": repeat}
    for theirs in (_d.id.in_(ids), *([_d.leader.in_(led)] if led else [])):
        conn.execute(sa.update(deliveries).where(theirs, OPEN).values(**claimed))


def leads(delivery: Delivery) -> bool:
    """May something go with it since an attempt before?"""
    return delivery.repeat or delivery.message is not None


def ready(now: datetime, *, hurry: bool) -> tuple[sa.ColumnElement[bool], ...]:
    """What of what is not settled is due and claimed by nobody, and goes with no other's message."""
    due = [_d.due_at <= now, _d.state == "sending"]
    if hurry:
        due.append(sa.and_(_d.attempts == 0, _d.reason == ""))
    free = sa.or_(_d.claimed_until.is_(None), _d.claimed_until <= now)
    return _d.leader.is_(None), free, sa.or_(*due)


def due(conn: sa.Connection, now: datetime, *, hurry: bool = False) -> int:
    """How many deliveries `claim` would find."""
    waits = _d.state.in_(UNSETTLED), *ready(now, hurry=hurry)
    return conn.execute(sa.select(sa.func.count()).where(*waits)).scalar_one()


def waiting(conn: sa.Connection, subject: str) -> int:
    """How many deliveries of an item or edition have not left; of who waits for a row of theirs, one each."""
    mine = (_d.subject == subject, _d.state.in_(UNSETTLED))
    return conn.execute(sa.select(sa.func.count()).where(*mine)).scalar_one() + fanout.count(conn, subject)


def untried(conn: sa.Connection, subject: str) -> bool:
    """Does a row of an item wait that nobody has tried to send, and that does not wait for its recipient's sake?"""
    mine = (_d.subject == subject, _d.state == "queued", _d.attempts == 0, _d.reason == "")
    return conn.execute(sa.select(_d.id).where(*mine).limit(1)).first() is not None


def delivery_of(row: sa.Row[tuple[object, ...]], worker: str) -> Delivery:
    """A row as the worker that claims it has it."""
    return Delivery(
        row.id,
        row.kind,
        row.subject,
        row.version,
        row.subscriber,
        row.channel,
        row.state,
        row.due_at,
        row.queued_at,
        row.attempts,
        row.message,
        row.medium,
        worker,
        row.view or "",
        row.repeat or row.state == "sending",
        row.reason == ALONE,
        row.revision,
    )


def settle(
    conn: sa.Connection,
    delivery: Delivery,
    outcome: Outcome,
    now: datetime,
    *,
    rng: random.Random,
    attempts: int = ATTEMPTS,
    due: datetime | None = None,
) -> Literal["retry", "failed"]:
    """Record an attempt that was not accepted: failed goes to the ledger and drops the bytes; retry waits.

    After `attempts` attempts a retry is `failed`. The bytes, and with whose message it went, are kept for the next
    attempt (`due`: another moment than it would have by itself) only where this one may have been accepted. Raises
    DispatchError when the claim was lost to another worker.
    """
    if outcome.status == "retry" and delivery.attempts < attempts:
        uncertain = outcome.reason == POSSIBLY_ACCEPTED or delivery.repeat
        kept = {} if uncertain else {"message": None, "leader": None}
        due = due or now + wait(delivery, outcome, rng)
        free = {"worker": "", "claimed_until": None, "attempts": delivery.attempts}
        _hold(conn, delivery, state="queued", due_at=due, reason=outcome.reason, repeat=uncertain, **free, **kept)
        return "retry"
    assert outcome.status != "sent", "what was accepted is settled by dispatch.handing"
    _close(conn, delivery, "failed", outcome.reason, now)
    return "failed"


def wait(delivery: Delivery, outcome: Outcome, rng: random.Random) -> timedelta:
    """How long until the next attempt: the longer of ours and what the other side asks for."""
    return max(backoff(delivery.attempts, rng), min(outcome.wait or timedelta(), LONGEST_WAIT))


def backoff(attempts: int, rng: random.Random) -> timedelta:
    """1, 2, 4 ... minutes up to 4 hours, each between half and one and a half times, so that retries spread."""
    wait: timedelta = min(BASE * 2 ** max(attempts - 1, 0), CAP)
    return wait * rng.uniform(0.5, 1.5)


def cancel(conn: sa.Connection, delivery: Delivery, reason: CancelReason, now: datetime) -> None:
    """Never send it; the ledger says why, once it is settled where an earlier attempt may have been accepted."""
    if reason not in get_args(CancelReason):
        raise DispatchError(f"delivery {delivery.id}: {reason} is no reason to cancel")
    _close(conn, delivery, "cancelled", reason, now)


def cancel_waiting(
    conn: sa.Connection,
    subject: str,
    reason: CancelReason,
    now: datetime,
    *,
    before: int | None = None,
    every: bool = False,
) -> int:
    """Cancel what waits of an item or edition, unclaimed; `before` a version only. How many were cancelled.

    Not withdrawals, unless `every`: what was told is taken back, whatever comes next.
    """
    before = _NEVER if before is None else before
    fanout.drop(conn, subject, before)
    given = {"subject": subject, "now": now, "before": before, "every": every}
    waiting = conn.execute(_WAITING, given).all()
    _cancel_all(conn, waiting, reason, now)
    return len(waiting)


def holds_again(conn: sa.Connection, item: str, subscribers: Sequence[str], now: datetime) -> set[str]:
    """What these were told of an item holds after all: cancel the withdrawals that wait for them. To which of them one
    may have left, or is leaving."""
    unsure: set[str] = set()
    for start in range(0, len(subscribers), _CHUNK):
        found = conn.execute(_TAKING_BACK, {"item": item, "whom": subscribers[start : start + _CHUNK]}).all()
        waiting = conn.execute(_FREE, {"ids": [row.id for row in found], "now": now}).all() if found else []
        _cancel_all(conn, waiting, "superseded", now)
        surely = {row.id for row in waiting if not row.repeat}
        unsure |= {row.subscriber for row in found if row.id not in surely}
    return unsure


def _cancel_all(conn: sa.Connection, waiting: Sequence[sa.Row[Any]], reason: CancelReason, now: datetime) -> None:
    for start in range(0, len(waiting), _CHUNK):
        some = waiting[start : start + _CHUNK]
        conn.execute(_CANCEL, {"ids": [row.id for row in some], "settled": now, "because": reason})
        release(conn, [row.id for row in some])
        cancelled(conn, [row for row in some if not row.repeat], reason, now)


def held_back(conn: sa.Connection, subscribers: Collection[str], since: datetime) -> list[sa.Row[Any]]:
    """(id, subject, subscriber, channel) of alerts that were not sent to these since then: they had been told of it.

    Also of what may have been accepted before, settled or not: it comes twice at most, under one Message-ID and as a
    `repeat`; else it might never (docs/decisions/006).
    """
    mine = (_d.state.in_(_HELD), _d.reason == "repeat", _d.kind == "alert", _d.settled_at > since)
    columns, whom, found = (_d.id, _d.subject, _d.subscriber, _d.channel), sorted(subscribers), list[sa.Row[Any]]()
    for start in range(0, len(whom), _CHUNK):
        theirs = _d.subscriber.in_(whom[start : start + _CHUNK])
        found += conn.execute(sa.select(*columns).where(*mine, theirs).order_by(_d.id))
    return found


def revive(conn: sa.Connection, ids: Sequence[str], due: datetime, reason: str = "") -> None:
    """What was cancelled waits again, until then (`reason`: what for, so that `hurry` does not fetch it earlier)."""
    again = {"state": "queued", "due_at": due, "reason": reason, "attempts": 0, "settled_at": None}
    for start in range(0, len(ids), _CHUNK):
        mine = (_d.id.in_(ids[start : start + _CHUNK]), _d.state.in_(_HELD))
        conn.execute(sa.update(deliveries).where(*mine).values(**again))


def defer(conn: sa.Connection, delivery: Delivery, until: datetime, reason: str) -> None:
    """Give a claimed delivery back until then (quiet hours); `hurry` does not fetch it earlier."""
    free = {"worker": "", "claimed_until": None, "leader": None}
    _hold(conn, delivery, state="queued", due_at=until, reason=reason, **free)
    release(conn, [delivery.id])


def release(conn: sa.Connection, leaders: Sequence[str], but: Sequence[str] = ()) -> None:
    """What was to go with their messages goes by itself: they do not leave, or not now. `but`: these still go along."""
    theirs = sa.and_(_d.leader.in_(leaders), OPEN, _d.id.not_in(but))
    free = {"leader": None, "state": "queued", "worker": "", "claimed_until": None, "grounds": _RESTED}
    conn.execute(sa.update(deliveries).where(theirs).values(**free))


def _close(
    conn: sa.Connection, delivery: Delivery, state: Literal["failed", "cancelled"], reason: str, now: datetime
) -> None:
    """It leaves no more. Where it may have been accepted, on what it rested is kept until it is settled as that."""
    values = {"state": "perhaps" if delivery.repeat else state, "reason": reason, "settled_at": now, "message": None}
    free: dict[str, object] = {"worker": "", "claimed_until": None, "repeat": delivery.repeat}
    free["attempts"] = delivery.attempts
    if delivery.repeat:
        free |= {"grounds": _RESTED, "leader": None}
    else:
        free |= {"grounds": None} | ({"leader": None} if state == "cancelled" else {})
        row = conn.execute(sa.select(_d.label, _d.view, _d.digest, _d.message_id).where(_d.id == delivery.id)).one()
        record(conn, delivery, state, reason, now, **row._mapping)
    _hold(conn, delivery, **values, **free)
    release(conn, [delivery.id])


def _hold(conn: sa.Connection, delivery: Delivery, **values: object) -> None:
    """Change a row only while this worker holds it and it is not settled."""
    mine = (_d.id == delivery.id, _d.worker == delivery.worker, _d.state.in_(UNSETTLED))
    if conn.execute(sa.update(deliveries).where(*mine).values(**values)).rowcount != 1:
        raise DispatchError(f"delivery {delivery.id} is no longer {delivery.worker or 'unclaimed'}: leave it")


def requeue_expired(conn: sa.Connection, now: datetime, dead: Collection[str] = ()) -> int:
    """Give back the claims whose lease has run out, and those of workers known to be dead. How many.

    `claim` takes expired ones by itself; this serves a restart that does not want to wait for the lease.
    """
    lost = sa.and_(_d.worker != "", sa.or_(_d.claimed_until <= now, _d.worker.in_(list(dead))))
    found = conn.execute(
        sa.update(deliveries)
        .where(_d.state.in_(UNSETTLED), lost)
        .values(worker="", claimed_until=None, repeat=sa.or_(_d.repeat, _d.state == "sending"))
    )
    return found.rowcount


def holders(conn: sa.Connection) -> set[str]:
    """Workers that hold claims: the caller knows which of them still live."""
    held = sa.select(_d.worker).where(_d.worker != "", _d.state.in_(UNSETTLED)).distinct()
    return set(conn.execute(held).scalars())


def summary(conn: sa.Connection, since: datetime | None = None) -> dict[tuple[str, str], int]:
    """(medium, outcome) -> how many; what waits counts as `queued`."""
    closed = sa.select(ledger.c.medium, ledger.c.outcome, sa.func.count()).group_by(ledger.c.medium, ledger.c.outcome)
    if since is not None:
        closed = closed.where(ledger.c.at >= since)
    waiting = (
        sa.select(_d.medium, sa.literal("queued"), sa.func.count()).where(_d.state.in_(UNSETTLED)).group_by(_d.medium)
    )
    return {(row[0] or "", row[1]): row[2] for query in (closed, waiting) for row in conn.execute(query)}


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete what was settled before then, in outbox and ledger. How many rows."""
    gone = conn.execute(sa.delete(deliveries).where(_d.settled_at < before)).rowcount
    return gone + conn.execute(sa.delete(ledger).where(ledger.c.at < before)).rowcount


def prepared(conn: sa.Connection) -> Iterator[Prepared]:
    """All messages that lie ready."""
    waiting = _d.message.is_not(None)
    for identifier in conn.scalars(sa.select(_d.id).where(waiting).order_by(_d.id)).all():
        chosen = sa.select(_d.id, _d.subject, _d.subscriber, _d.queued_at, _d.message)
        row = conn.execute(chosen.where(_d.id == identifier, waiting)).one_or_none()
        if row is not None:
            yield Prepared(*row)


def forget(
    conn: sa.Connection,
    now: datetime,
    *,
    subject: str | None = None,
    before: datetime | None = None,
    delivery: str | None = None,
) -> int:
    """Drop prepared bytes that nobody holds: of an item that lost values, queued before a moment, or one. How many.

    They are made anew from what may be shown when they are sent.
    """
    free = sa.or_(_d.claimed_until.is_(None), _d.claimed_until <= now)
    chosen = [_d.message.is_not(None), free]
    if subject is not None:
        with_others = sa.select(_d.leader).where(_d.subject == subject, _d.state.in_(UNSETTLED), _d.leader.is_not(None))
        chosen.append(sa.or_(_d.subject == subject, _d.id.in_(with_others)))
    if before is not None:
        chosen.append(_d.queued_at < before)
    if delivery is not None:
        chosen.append(_d.id == delivery)
    return conn.execute(sa.update(deliveries).where(*chosen).values(message=None)).rowcount


def rewrap(conn: sa.Connection, again: Callable[[bytes], bytes | None], within: Callable[[datetime], bool]) -> None:
    """Messages queued at such moments as `again` seals them; None: as they are."""
    for each in prepared(conn):
        if within(each.queued_at) and (made := again(each.message)) is not None:
            conn.execute(sa.update(deliveries).where(_d.id == each.id, _d.message == each.message).values(message=made))


def left(conn: sa.Connection, delivery: str) -> sa.Row[Any] | None:
    """The row of a delivery that has left, or may have; None: there is none (any more), or it did not."""
    return conn.execute(sa.select(deliveries).where(_d.id == delivery, _d.attempts > 0)).one_or_none()


def left_as(conn: sa.Connection, beginning: str) -> tuple[str, datetime] | None:
    """What left, or may have, by the delivery whose id begins so, and when about, also where the ledger does not say so
    yet; None: nothing."""
    mine = _d.id.between(beginning.ljust(32, "0"), beginning.ljust(32, "f"))
    row = conn.execute(sa.select(_d.subject, _d.settled_at, _d.due_at).where(mine, _d.attempts > 0).limit(1)).first()
    return None if row is None else (row.subject, row.settled_at or row.due_at)


def whose(conn: sa.Connection, delivery: str) -> Whose | None:
    """To whom a delivery went that left, or may have; None: there is none (any more)."""
    chosen = sa.select(_d.subscriber, _d.channel, _d.medium, _d.queued_at, _d.revision)
    row = conn.execute(chosen.where(_d.id == delivery, _d.attempts > 0)).one_or_none()
    return None if row is None else Whose(*row)


def ids(conn: sa.Connection, subject: str) -> list[str]:
    """Ids of the deliveries of an item or edition, and of those with whose message one went: the names of the files."""
    found = conn.execute(sa.select(_d.id, _d.leader).where(_d.subject == subject).order_by(_d.id))
    return list(dict.fromkeys(name for row in found for name in row if name is not None))
