"""Where each source stands: for the next poll, `oktt sources`, the health check, and who wonders why nothing comes.

A position is stored after what it covers is committed (docs/decisions/009-live-feeds.md), never before.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.columns import Instant, metadata

MOST = 64 << 10
"""Characters of a position. One that is longer is not kept: the next read is from the start."""

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("position", sa.Text, nullable=False, server_default="", comment="the reader's own words"),
    sa.Column("due_at", Instant, comment="when a live source is read next"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="since it last got anywhere"),
    sa.Column("last_success", Instant),
    sa.Column("last_error", Instant),
    sa.Column("error", sa.String, nullable=False, server_default=""),
    sa.Column("documents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last_document_at", Instant),
    sa.Column("last_source_time", Instant, comment="of the newest that it said, by its own clock"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One source: when it was last read, and what is wrong with it (`error` empty: nothing since then)."""

    source: str
    position: str = ""
    due_at: datetime | None = None
    """When a live source is read next; None: now."""
    failures: int = 0
    last_success: datetime | None = None
    """When it was last read to its end."""
    last_error: datetime | None = None
    error: str = ""
    documents: int = 0
    """How many have come in over all time, unchanged ones included."""
    last_document_at: datetime | None = None
    last_source_time: datetime | None = None


def record_document(connection: sa.Connection, source: str, at: datetime, source_time: datetime | None = None) -> None:
    """A document came in, whose newest part has this time (one that lies ahead of us is not believed)."""
    said = None if source_time is None or source_time > at else source_time
    values = {"documents": 1, "last_document_at": at, "last_source_time": said}
    changed: dict[str, Any] = {"documents": cursors.c.documents + 1, "last_document_at": at}
    if said is not None:
        later = sa.or_(cursors.c.last_source_time.is_(None), cursors.c.last_source_time < said)
        changed["last_source_time"] = sa.case((later, sa.literal(said, Instant)), else_=cursors.c.last_source_time)
    _write(connection, source, values, changed)


def record_position(connection: sa.Connection, source: str, position: str) -> None:
    """All before it is committed: the next read starts here. It got somewhere, so earlier failures count no more."""
    kept = position if len(position) <= MOST else ""
    _write(connection, source, {"position": kept, "failures": 0})


def record_success(connection: sa.Connection, source: str, at: datetime, due_at: datetime | None = None) -> None:
    """The source was read to its end at that moment. Clears the error."""
    _write(connection, source, {"last_success": at, "error": "", "failures": 0, "due_at": due_at})


def record_error(
    connection: sa.Connection, source: str, at: datetime, error: str, due_at: datetime | None = None
) -> None:
    """The source could not be read. `error` is for people: no values, no addresses of persons; 500 characters kept."""
    values = {"last_error": at, "error": error.replace("\x00", "")[:500], "failures": 1, "due_at": due_at}
    _write(connection, source, values, {**values, "failures": cursors.c.failures + 1})


def standing(connection: sa.Connection, source: str) -> Standing:
    """One source, perhaps never read yet."""
    row = connection.execute(sa.select(cursors).where(cursors.c.source == source)).mappings().one_or_none()
    return Standing(source) if row is None else Standing(**row)


def overview(connection: sa.Connection) -> list[Standing]:
    """Every source that was ever read or tried, by id."""
    rows = connection.execute(sa.select(cursors).order_by(cursors.c.source))
    return [Standing(**row) for row in rows.mappings()]


def _write(
    connection: sa.Connection, source: str, values: dict[str, Any], changed: dict[str, Any] | None = None
) -> None:
    """Insert the source's row with these values, or change it (as the values say, unless told otherwise)."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(cursors).values(source=source, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[cursors.c.source], set_=changed or values))
