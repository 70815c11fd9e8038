"""The ledger: what was sent to whom, under which label, and what was not and why. Rows are only added.

It holds ids and keyed hashes: no address and no content. What was sent is with the recipient; while the key of the
month in which it was queued is there, the hash tells whether a message that somebody shows is the one that was sent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from dispatch import Delivery, DeliveryKind
from ingest.columns import Instant, metadata
from subscribers import ChannelType
from tlp import Label

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("delivery", sa.String(32), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subscriber", sa.String(255), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("medium", sa.String(16)),
    sa.Column("label", sa.String(16)),
    sa.Column("view", sa.String(64)),
    sa.Column("digest", sa.String(64), comment="keyed hash of the message"),
    sa.Column("message_id", sa.String(255)),
    sa.Column("repeat", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Index("ix_ledger_subject", "subject", "subscriber"),
    sa.Index("ix_ledger_subscriber", "subscriber", "at"),
)
LEFT = ("sent", "perhaps")
"""Outcomes of what was accepted, or may have been."""
SAME = ("kind", "subscriber", "subject", "version", "medium", "label", "view", "digest", "message_id", "repeat")
"""What a line takes from the row of the outbox."""
_SENT_AMONG = (
    sa.select(ledger)
    .where(
        ledger.c.subscriber.in_(sa.bindparam("subscribers", expanding=True)),
        ledger.c.subject.in_(sa.bindparam("items", expanding=True)),
        ledger.c.outcome.in_(LEFT),
    )
    .order_by(ledger.c.at, ledger.c.id)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger."""

    at: datetime
    outcome: Literal["sent", "perhaps", "failed", "cancelled", "returned", "delayed"]
    """`perhaps`: it may have been accepted, and is not sent again; `reason` says why."""
    delivery: str
    kind: DeliveryKind
    subscriber: str
    subject: str
    version: int
    medium: ChannelType | None
    label: Label | None
    view: str | None
    digest: str | None
    message_id: str | None
    repeat: bool
    reason: str


def record(
    conn: sa.Connection,
    delivery: Delivery,
    outcome: Literal["sent", "failed", "cancelled"],
    reason: str,
    at: datetime,
    *,
    label: str | None,
    view: str | None,
    digest: str | None,
    message_id: str | None,
) -> None:
    """Add a line. Called by the outbox, in the transaction that settles the delivery."""
    conn.execute(
        sa.insert(ledger).values(
            at=at,
            outcome=outcome,
            delivery=delivery.id,
            kind=delivery.kind,
            subscriber=delivery.subscriber,
            subject=delivery.subject,
            version=delivery.version,
            medium=delivery.medium,
            label=label,
            view=view,
            digest=digest,
            message_id=message_id,
            repeat=delivery.repeat,
            reason=reason,
        )
    )


def cancelled(conn: sa.Connection, rows: Sequence[sa.Row[Any]], reason: str, at: datetime) -> None:
    """Add a line for each of these rows of the outbox, of which none leaves."""
    if rows:
        conn.execute(sa.insert(ledger), [_line(row, at=at, outcome="cancelled", reason=reason) for row in rows])


def _line(row: sa.Row[Any], **said: object) -> dict[str, object]:
    return said | {"delivery": row.id} | {name: getattr(row, name) for name in SAME}


def settled(rows: Sequence[sa.Row[Any]]) -> list[Entry]:
    """The line of each of these rows of the outbox, which was accepted, or may have been, when and as the row says."""
    return [
        Entry(
            at=row.settled_at,
            outcome="perhaps" if row.state == "perhaps" else "sent",
            delivery=row.id,
            label=None if row.label is None else Label(row.label),
            reason=row.reason,
            **{name: getattr(row, name) for name in SAME if name != "label"},
        )
        for row in rows
    ]


def came_back(
    conn: sa.Connection,
    delivery: str,
    what: Literal["returned", "delayed"],
    status: str,
    at: datetime,
    left: sa.Row[Any] | None = None,
) -> Entry | None:
    """Add a line: what was sent came back, or waits at a server. None: it was not sent, or that is known already.

    `left`: its row of the outbox, where it has left, and no line says so yet.
    """
    before = sa.select(ledger).where(ledger.c.delivery == delivery, ledger.c.outcome.in_((*LEFT, what)))
    row = conn.execute(before.order_by(ledger.c.outcome != what, ledger.c.id).limit(1)).one_or_none()
    said: dict[str, Any] = {"outcome": what, "reason": status, "at": at}
    if row is None and left is not None:
        label = None if left.label is None else Label(left.label)
        line: dict[str, Any] = _line(left, **said)
        conn.execute(sa.insert(ledger), [line])
        return Entry(**line | {"label": label})
    if row is None or row.outcome == what:
        return None
    values = dict(row._mapping) | said
    values.pop("id")
    conn.execute(sa.insert(ledger).values(values))
    return _entry(row)


def sent_as(conn: sa.Connection, beginning: str) -> tuple[str, datetime] | None:
    """What was sent, or may have been, by the delivery whose id begins so, and when first; None: nothing was."""
    whose = ledger.c.delivery.between(beginning.ljust(32, "0"), beginning.ljust(32, "f"))
    found = conn.execute(
        sa.select(ledger.c.subject, ledger.c.at).where(whose, ledger.c.outcome.in_(LEFT)).order_by(ledger.c.at).limit(1)
    ).one_or_none()
    return None if found is None else (found.subject, found.at)


def sent(conn: sa.Connection, delivery: str) -> Entry | None:
    """The line that says that a delivery was sent, or may have been; None: it was not."""
    found = sa.select(ledger).where(ledger.c.delivery == delivery, ledger.c.outcome.in_(LEFT))
    row = conn.execute(found.order_by(ledger.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _entry(row)


def sent_to(conn: sa.Connection, subscriber: str, item: str) -> list[Entry]:
    """What this subscriber got of an item, or may have, in order of sending."""
    found = sa.select(ledger).where(
        ledger.c.subscriber == subscriber, ledger.c.subject == item, ledger.c.outcome.in_(LEFT)
    )
    return [_entry(row) for row in conn.execute(found.order_by(ledger.c.at, ledger.c.id))]


def sent_among(conn: sa.Connection, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Entry]]:
    """The same for these (subscriber, item)."""
    found: dict[tuple[str, str], list[Entry]] = {each: [] for each in wanted}
    subscribers, items = ({pair[at] for pair in wanted} for at in (0, 1))
    if wanted:
        for row in conn.execute(_SENT_AMONG, {"subscribers": list(subscribers), "items": list(items)}):
            if (row.subscriber, row.subject) in found:
                found[row.subscriber, row.subject].append(_entry(row))
    return found


def editions(conn: sa.Connection, since: datetime) -> dict[str, set[str]]:
    """Edition -> who got it, of those sent since then."""
    mine = (ledger.c.kind.in_(("monday", "friday")), ledger.c.outcome == "sent", ledger.c.at >= since)
    found: dict[str, set[str]] = {}
    for row in conn.execute(sa.select(ledger.c.subject, ledger.c.subscriber).where(*mine)):
        found.setdefault(row.subject, set()).add(row.subscriber)
    return found


def messages(conn: sa.Connection, item: str) -> list[Entry]:
    """All that was sent about an item, or may have been, to whomever, in order."""
    found = sa.select(ledger).where(ledger.c.subject == item, ledger.c.outcome.in_(LEFT))
    return [_entry(row) for row in conn.execute(found.order_by(ledger.c.at, ledger.c.id))]


def told(
    conn: sa.Connection, subscriber: str, since: datetime, media: Collection[ChannelType] = ()
) -> dict[str, Entry]:
    """The latest message on each item that this subscriber was sent since then, by these ways (empty: any). What came
    back, or was a stub, told nothing."""
    other = ledger.alias().c
    found = sa.select(ledger).where(
        ledger.c.subscriber == subscriber,
        ledger.c.at >= since,
        ledger.c.outcome == "sent",
        ledger.c.reason != "open-channel",
        ~sa.exists().where(other.delivery == ledger.c.delivery, other.outcome == "returned"),
        ledger.c.kind.in_(("alert", "update", "withdrawal")),
        *([ledger.c.medium.in_(media)] if media else []),
    )
    return {row.subject: _entry(row) for row in conn.execute(found.order_by(ledger.c.at, ledger.c.id))}


def older(conn: sa.Connection, deliveries: Sequence[str], before: datetime) -> set[str]:
    """Which of these deliveries were sent before a moment."""
    found: set[str] = set()
    for start in range(0, len(deliveries), 500):
        mine = ledger.c.delivery.in_(deliveries[start : start + 500])
        found |= set(conn.scalars(sa.select(ledger.c.delivery).where(mine, ledger.c.at < before)))
    return found


def _entry(row: sa.Row[tuple[object, ...]]) -> Entry:
    values = dict(row._mapping)
    values.pop("id")
    values["label"] = None if row.label is None else Label(row.label)
    return Entry(**values)
