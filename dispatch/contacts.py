"""What is known of an address beside what the registry says: that mail to it came back, that its reader wants no more.

An address stands here as a keyed hash: with another one a subscriber begins anew, and nobody has to mend anything.
Nothing is written to one that is silent; the ledger says why. What came back is forgotten after a while: then it is
tried again.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from ingest.columns import Instant, metadata
from subscribers import Contact

What = Literal["returned", "stopped", "resumed"]
Silence = Literal["unreachable", "opt-out"]
MEMORY = timedelta(days=180)
"""How long a returned message counts against an address."""
GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""There is no such mailbox or domain (RFC 3463, RFC 7505): once is enough."""

contact_events = sa.Table(
    "contact_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("contact", sa.String(64), nullable=False, index=True, comment="keyed hash of the address"),
    sa.Column("subscriber", sa.String(255), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False, comment="of what was returned: 5.1.1"),
)
_e = contact_events.c
_Row: TypeAlias = sa.Row[*tuple[Any, ...]]


def mark(key: bytes, subscriber: str, contact: Contact) -> str:
    """The keyed hash of where a contact of a subscriber is: its address, web address or topic."""
    where = (contact.address.casefold(), contact.url, contact.topic)
    content = "\0".join((subscriber, contact.type, *where)).encode()
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def note(conn: sa.Connection, contact: str, subscriber: str, what: What, now: datetime, status: str = "") -> None:
    """Add what happened. Only hard returns (5.x.x) count against an address."""
    row = {"at": now, "contact": contact, "subscriber": subscriber, "what": what, "status": status}
    conn.execute(contact_events.insert().values(row))


def silent(conn: sa.Connection, now: datetime, among: Sequence[str] | None = None) -> dict[str, Silence]:
    """The contacts (of these, a few) to which nothing is sent, and why."""
    chosen = sa.select(_e.contact, _e.what, _e.at, _e.status).order_by(_e.contact, _e.id)
    if among is not None:
        chosen = chosen.where(_e.contact.in_(among))
    events: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in conn.execute(chosen):
        events[row.contact].append(row)
    found: dict[str, Silence] = {}
    for contact, rows in events.items():
        wanted = next((row.what for row in reversed(rows) if row.what != "returned"), "resumed")
        if wanted == "stopped":
            found[contact] = "opt-out"
        elif _unreachable([row for row in rows if row.what == "returned" and row.at > now - MEMORY]):
            found[contact] = "unreachable"
    return found


def subscribers(conn: sa.Connection) -> list[str]:
    """Of whom anything is known here."""
    return list(conn.scalars(sa.select(_e.subscriber).distinct().order_by(_e.subscriber)))


def _unreachable(returned: Sequence[_Row]) -> bool:
    weeks = {row.at.isocalendar()[:2] for row in returned}
    return len(weeks) > 1 or any(row.status in GONE for row in returned)


def forget(conn: sa.Connection, before: datetime) -> int:
    """Drop what came back before then. What readers said stands as long as the address may come in again."""
    return conn.execute(sa.delete(contact_events).where(_e.at < before, _e.what == "returned")).rowcount


def drop(conn: sa.Connection, subscriber: str) -> None:
    """Forget all of a subscriber."""
    conn.execute(sa.delete(contact_events).where(_e.subscriber == subscriber))
