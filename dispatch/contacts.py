"""What is known of an address beside what the registry says: that mail to it came back, that its reader wants no more.

An address stands here as a keyed hash: with another one a subscriber begins anew, and nobody has to mend anything.
Nothing is written to one that is silent; the ledger says why. What came back is forgotten after a while, or when a link
that went there was opened: then it is tried again. Who said no keeps being heard when his subscriber is removed and
comes in again, under whatever id (AVG art. 21): the hash of the address alone stays, as long as retention allows.
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

What = Literal["returned", "arrived", "stopped", "resumed"]
Silence = Literal["unreachable", "opt-out"]
MEMORY = timedelta(days=180)
"""How long a returned message counts against an address."""
GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""There is no such mailbox or domain (RFC 3463, RFC 7505). A server may be wrong for a day: it has to come back on
another one too."""
ANYBODY = ""
"""Stands for the subscriber in the mark of an address alone."""

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
    chosen = sa.select(_e.id, _e.contact, _e.what, _e.at, _e.status).order_by(_e.contact, _e.id)
    if among is not None:
        chosen = chosen.where(_e.contact.in_(among))
    events: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in conn.execute(chosen):
        events[row.contact].append(row)
    found: dict[str, Silence] = {}
    for contact, rows in events.items():
        wanted = next((row.what for row in reversed(rows) if row.what in ("stopped", "resumed")), "resumed")
        if wanted == "stopped":
            found[contact] = "opt-out"
        elif _unreachable([row for row in rows if row.at > now - MEMORY]):
            found[contact] = "unreachable"
    return found


def why(conn: sa.Connection, now: datetime, marks: Sequence[str]) -> Silence | None:
    """Why nothing is sent to an address, by its marks: the subscriber's, and its own (`ANYBODY`). None: it is."""
    found = silent(conn, now, marks)
    return next((found[each] for each in marks if each in found), None)


def resume(conn: sa.Connection, subscriber: str, marks: Sequence[str], now: datetime) -> None:
    """Its reader wants mail again, whatever was said before."""
    for each in (each for each, reason in silent(conn, now, marks).items() if reason == "opt-out"):
        note(conn, each, subscriber if each == marks[0] else ANYBODY, "resumed", now)


def subscribers(conn: sa.Connection) -> list[str]:
    """Of whom anything is known here."""
    query = sa.select(_e.subscriber).distinct().where(_e.subscriber != ANYBODY)
    return list(conn.scalars(query.order_by(_e.subscriber)))


def _unreachable(rows: Sequence[_Row]) -> bool:
    arrived = max((row.id for row in rows if row.what == "arrived"), default=0)
    returned = [row for row in rows if row.what == "returned" and row.id > arrived]
    weeks = {row.at.isocalendar()[:2] for row in returned}
    gone = any(row.status in GONE for row in returned)
    return len(weeks) > 1 or (gone and len({row.at.date() for row in returned}) > 1)


def forget(conn: sa.Connection, before: datetime) -> int:
    """Drop what came back before then, and who of those that are removed had said no. What readers said of subscribers
    that there are stands."""
    old = sa.or_(_e.what.in_(("returned", "arrived")), _e.subscriber == ANYBODY)
    return conn.execute(sa.delete(contact_events).where(_e.at < before, old)).rowcount


def drop(conn: sa.Connection, subscriber: str, objected: Sequence[str], now: datetime) -> None:
    """Forget all of a subscriber. `objected`: marks of the addresses alone, of those who want nothing."""
    conn.execute(sa.delete(contact_events).where(_e.subscriber == subscriber))
    for each in objected:
        if why(conn, now, [each]) is None:
            note(conn, each, ANYBODY, "stopped", now)
