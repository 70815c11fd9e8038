"""What became of a message, as its recipient says: handled, not applicable, working on it, needs help.

The address that a message names (`/a/TOKEN`) is its recipient's own: the delivery's id and a MAC over it, nothing else.
Answers are only added; the newest of a subscriber on an item counts. Whoever of a firm answers, answers for it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch import DeliveryKind
from dispatch.grouping import together
from dispatch.ledger import LEFT, ledger
from dispatch.outbox import deliveries
from ingest.columns import Instant, metadata
from subscribers import ChannelType

Answer = Literal["handled", "not-applicable", "working", "need-help"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
MOST = 1_000_000
"""Members that a partnership can say it passed a message on to."""
_ALERTS = ("alert", "update")
_HALF = 16
"""Octets of a delivery's id, and of the MAC (128 bits)."""

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("subscriber", sa.String(255), nullable=False),
    sa.Column("item", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False, comment="of the item, as the message told it"),
    sa.Column("delivery", sa.String(32), nullable=False),
    sa.Column("answer", sa.String(16), nullable=False),
    sa.Column("passed_on", sa.Integer, comment="to how many members a partnership passed it on"),
    sa.Index("ix_feedback_item", "item", "subscriber", "id"),
)
opened = sa.Table(
    "opened",
    metadata,
    sa.Column("delivery", sa.String(32), primary_key=True),
    sa.Column("at", Instant, nullable=False, comment="when its page was asked for first, perhaps by a mail scanner"),
)
_f = feedback.c


@dataclass(frozen=True, slots=True)
class Message:
    """The message that somebody answers."""

    delivery: str
    kind: DeliveryKind
    item: str
    version: int
    subscriber: str
    channel: int
    queued_at: datetime
    medium: ChannelType | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The newest answer of a subscriber on an item."""

    at: datetime
    subscriber: str
    item: str
    version: int
    answer: Answer
    passed_on: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """What one subscriber was told of one item, and what came of it."""

    item: str
    subscriber: str
    sent_at: datetime
    """The first attempt that was accepted; where none was, that which failed."""
    delivered: bool
    """Taken by the other side, and not returned since."""
    opened: bool
    answer: Answer | None
    handled_at: datetime | None
    passed_on: int | None


class Unanswered(NamedTuple):
    """A message that was sent, and that nobody has answered."""

    item: str
    version: int
    subscriber: str
    channel: int
    medium: ChannelType
    queued_at: datetime
    revision: int | None


def token(key: bytes, delivery: str) -> str:
    """The last part of the address for a delivery: 43 characters that need no escaping."""
    name = bytes.fromhex(delivery)
    return base64.urlsafe_b64encode(name + _mac(key, name)).rstrip(b"=").decode()


def delivery_of(key: bytes, token: str) -> str | None:
    """The delivery that such a token names; None: we did not make it."""
    try:
        whole = base64.b64decode(f"{token}=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    name, mac = whole[:_HALF], whole[_HALF:]
    return name.hex() if hmac.compare_digest(mac, _mac(key, name)) else None


def _mac(key: bytes, name: bytes) -> bytes:
    return hmac.new(key, name, hashlib.sha256).digest()[:_HALF]


def messages(conn: sa.Connection, delivery: str) -> list[Message]:
    """What the message with that id told, if it has left or may have: its own alert or update first, and what went with
    it. Empty: there is none (any more)."""
    d, ids = deliveries.c, together(conn, delivery)
    chosen = sa.select(
        d.id, d.kind, d.subject, d.version, d.subscriber, d.channel, d.queued_at, d.medium, d.revision
    )  # fmt: skip
    rows = conn.execute(chosen.where(d.id.in_(ids), d.attempts > 0, d.kind.in_(("alert", "update", "reminder"))))
    return sorted((Message(*row) for row in rows), key=lambda each: ids.index(each.delivery))


def message(conn: sa.Connection, delivery: str) -> Message | None:
    """What was told of one item by the delivery with that id, if it has left or may have; None: nothing (any more)."""
    return next((each for each in messages(conn, delivery) if each.delivery == delivery), None)


def visited(conn: sa.Connection, delivery: str, now: datetime) -> None:
    """The page of its message was asked for: the first time stands."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    made = [{"delivery": each, "at": now} for each in together(conn, delivery)]
    conn.execute(insert(opened).on_conflict_do_nothing(), made)


def seen(conn: sa.Connection, delivery: str) -> bool:
    """Was its page asked for before?"""
    return conn.scalar(sa.select(opened.c.delivery).where(opened.c.delivery == delivery)) is not None


def give(conn: sa.Connection, told: Message, answer: Answer, passed_on: int | None, now: datetime) -> bool:
    """Add an answer. False: it is the one that counts already."""
    before = latest(conn, told.item, told.subscriber)
    if before is not None and (before.answer, before.passed_on, before.version) == (answer, passed_on, told.version):
        return False
    said = {"answer": answer, "passed_on": passed_on, "delivery": told.delivery}
    about = {"subscriber": told.subscriber, "item": told.item, "version": told.version}
    conn.execute(feedback.insert().values(at=now, **about, **said))
    return True


def latest(conn: sa.Connection, item: str, subscriber: str) -> Given | None:
    """What counts of a subscriber on an item."""
    found = _given().where(_f.item == item, _f.subscriber == subscriber).order_by(_f.id.desc()).limit(1)
    row = conn.execute(found).one_or_none()
    return None if row is None else Given(*row)


def answers(conn: sa.Connection, item: str) -> list[Given]:
    """What counts of each subscriber on an item, in the order in which it came."""
    newest = sa.select(sa.func.max(_f.id)).where(_f.item == item).group_by(_f.subscriber)
    return [Given(*row) for row in conn.execute(_given().where(_f.id.in_(newest)).order_by(_f.id))]


def outcomes(conn: sa.Connection, since: datetime) -> Iterator[Told]:
    """Of all alerts and updates since then: to whom, and what came of it; a line a subscriber and item."""
    mine = (ledger.c.kind.in_(_ALERTS), ledger.c.outcome.in_((*LEFT, "failed")), ledger.c.at >= since)
    pair = ledger.c.subject, ledger.c.subscriber
    newest = sa.select(sa.func.max(_f.id)).group_by(_f.item, _f.subscriber)
    given = {(row.item, row.subscriber): row for row in conn.execute(sa.select(feedback).where(_f.id.in_(newest)))}
    looked = sa.select(*pair).join(opened, opened.c.delivery == ledger.c.delivery).where(ledger.c.outcome == "sent")
    seen_ = {tuple(row) for row in conn.execute(looked)}
    other = ledger.alias().c
    returned = sa.exists().where(other.delivery == ledger.c.delivery, other.outcome == "returned")
    accepted = sa.func.min(sa.case((ledger.c.outcome == "sent", ledger.c.at)))
    kept = sa.func.max(sa.case((sa.and_(ledger.c.outcome == "sent", ~returned), 1), else_=0))
    said_at = (accepted.label("sent"), sa.func.min(ledger.c.at).label("at"), kept.label("kept"))
    every = sa.select(*pair, *said_at).where(*mine).group_by(*pair)
    for row in conn.execute(every.order_by(*pair)):
        said = given.get((row.subject, row.subscriber))
        handled = said.at if said is not None and said.answer == "handled" else None
        yield Told(
            row.subject, row.subscriber, row.sent or row.at, bool(row.kept), tuple(row[:2]) in seen_,
            None if said is None else said.answer, handled, None if said is None else said.passed_on,
        )  # fmt: skip


def unanswered(conn: sa.Connection, item: str, version: int, most: int) -> Sequence[Unanswered]:
    """Alerts and updates on a version of an item that were sent to those who have neither answered nor been reminded,
    the oldest first, at most so many. A reminder that was cancelled is not made again: who cannot be reached would
    stand before all others for ever."""
    d, other = deliveries.c, deliveries.alias().c
    made = sa.or_(other.state != "cancelled", sa.and_(other.version == d.version, other.channel == d.channel))
    again = sa.exists().where(
        other.subject == d.subject, other.subscriber == d.subscriber, other.kind == "reminder", made
    )
    said = sa.exists().where(_f.item == d.subject, _f.subscriber == d.subscriber, _f.version >= d.version)
    mine = (d.subject == item, d.version == version, d.state == "sent", d.kind.in_(_ALERTS), ~said, ~again)
    chosen = sa.select(d.subject, d.version, d.subscriber, d.channel, d.medium, d.queued_at, d.revision)
    return [Unanswered(*row) for row in conn.execute(chosen.where(*mine).order_by(d.queued_at, d.id).limit(most))]


def reminded(conn: sa.Connection, item: str, most: int) -> list[tuple[str, datetime]]:
    """Who was reminded of an item and has not answered, and when that was; at most so many, the oldest first."""
    d, sent_at = deliveries.c, sa.func.min(deliveries.c.settled_at).label("sent_at")
    said = sa.exists().where(_f.item == d.subject, _f.subscriber == d.subscriber, _f.version >= d.version)
    mine = (d.subject == item, d.kind == "reminder", d.state == "sent", ~said)
    chosen = sa.select(d.subscriber, sent_at).where(*mine).group_by(d.subscriber).order_by(sent_at, d.subscriber)
    return [(row.subscriber, row.sent_at) for row in conn.execute(chosen.limit(most))]


def _given() -> sa.Select[Any]:
    return sa.select(_f.at, _f.subscriber, _f.item, _f.version, _f.answer, _f.passed_on)


def forget(conn: sa.Connection, before: datetime) -> int:
    """Drop what was said, and which pages were asked for, before then: with the deliveries. How many rows."""
    gone = conn.execute(sa.delete(feedback).where(_f.at < before)).rowcount
    return gone + conn.execute(sa.delete(opened).where(opened.c.at < before)).rowcount
