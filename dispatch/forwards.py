"""What a partnership passes on: the address that it puts into it (`/f/TOKEN`), and how many say that they read it.

Counted are browsers in which somebody pressed the button, each once a message: a random number of that page's own, of
which a hash is kept, and nothing else. Who uses two devices counts twice, and whoever has the address can be counted;
it is no list of members, and tells nothing of anybody.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch import DeliveryKind
from dispatch.ledger import ledger
from dispatch.outbox import deliveries
from ingest.columns import Instant, metadata
from tlp import Label

KINDS = ("alert", "update", "reminder", "monday", "friday")
"""Messages that are passed on."""
WIDEST = Label.AMBER
"""The strictest label under which a message has such an address: what is stricter is passed on to nobody."""

readers = sa.Table(
    "forward_readers",
    metadata,
    sa.Column("delivery", sa.String(32), primary_key=True, comment="the message that was passed on"),
    sa.Column("reader", sa.String(32), primary_key=True, comment="hash of a random number that the page gave"),
    sa.Column("at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that its recipient may have passed on."""

    delivery: str
    kind: DeliveryKind
    subject: str
    """Item, or edition."""
    subscriber: str
    queued_at: datetime


def passed(conn: sa.Connection, delivery: str) -> Passed | None:
    """The message with that id, if it has left or may have; None: there is none (any more)."""
    d = deliveries.c
    chosen = sa.select(d.id, d.kind, d.subject, d.subscriber, d.queued_at)
    row = conn.execute(chosen.where(d.id == delivery, d.attempts > 0, d.kind.in_(KINDS))).one_or_none()
    return None if row is None else Passed(*row)


def read(conn: sa.Connection, delivery: str, number: str, now: datetime) -> None:
    """Whoever has this random number has read it: the first time stands."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    mark = hashlib.sha256(number.encode()).hexdigest()[:32]
    conn.execute(insert(readers).values(delivery=delivery, reader=mark, at=now).on_conflict_do_nothing())


def counted(conn: sa.Connection, since: datetime) -> dict[tuple[str, str], frozenset[str]]:
    """(Item or edition, subscriber that passed it on) -> who read it, of what was sent since then: nameless marks."""
    sent = sa.select(ledger.c.subject, ledger.c.subscriber, readers.c.delivery, readers.c.reader)
    sent = sent.join(ledger, ledger.c.delivery == readers.c.delivery)
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in conn.execute(sent.where(ledger.c.outcome == "sent", ledger.c.at >= since)):
        found[row.subject, row.subscriber].add(f"{row.delivery}{row.reader}")
    return {key: frozenset(marks) for key, marks in found.items()}


def forget(conn: sa.Connection, before: datetime) -> int:
    """Drop the marks of before then: with the deliveries. How many rows."""
    return conn.execute(sa.delete(readers).where(readers.c.at < before)).rowcount
