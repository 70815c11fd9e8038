"""What became of what a subscriber handed in: the status resource (TAXII 2.1 4.3), kept for its owner alone.

A resource that is kept holds no value of what was handed in: `web.contribute` sees to that.
"""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, metadata

statuses = sa.Table(
    "statuses",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True, comment="random: nobody guesses it"),
    sa.Column("subscriber", sa.String, nullable=False, index=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("resource", sa.LargeBinary, nullable=False, comment="JSON, as it is served"),
)


def keep(conn: sa.Connection, subscriber: str, resource: dict[str, Any], now: datetime) -> None:
    """Keep a status resource under its own id."""
    row = {"id": resource["id"], "subscriber": subscriber, "at": now, "resource": msgspec.json.encode(resource)}
    conn.execute(sa.insert(statuses).values(**row))


def find(conn: sa.Connection, subscriber: str, status: str) -> bytes | None:
    """A status resource of this subscriber; None: there is none, or it is another's."""
    where = (statuses.c.id == status, statuses.c.subscriber == subscriber)
    found: bytes | None = conn.scalar(sa.select(statuses.c.resource).where(*where))
    return found


def drop(conn: sa.Connection, subscriber: str) -> None:
    """Delete those of a removed subscriber."""
    conn.execute(sa.delete(statuses).where(statuses.c.subscriber == subscriber))


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete those of before a moment; how many."""
    return conn.execute(sa.delete(statuses).where(statuses.c.at < before)).rowcount
