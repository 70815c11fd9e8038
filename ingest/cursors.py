"""Where each source stands, for `oktt sources`, the health check and people who wonder why nothing comes in."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.columns import Instant, metadata

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("last_success", Instant),
    sa.Column("last_error", Instant),
    sa.Column("error", sa.String, nullable=False, server_default=""),
    sa.Column("documents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last_document_at", Instant),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One source: when it was last read, and what is wrong with it (`error` empty: nothing since then)."""

    source: str
    last_success: datetime | None
    last_error: datetime | None
    error: str
    documents: int
    """How many have come in over all time, unchanged ones included."""
    last_document_at: datetime | None


def record_success(connection: sa.Connection, source: str, at: datetime, documents: int) -> None:
    """The source was read at that moment and gave so many documents (0 is a success too). Clears the error."""
    insert = _insert(connection).values(
        source=source,
        last_success=at,
        error="",
        documents=documents,
        last_document_at=at if documents else None,
    )
    changed = {
        "last_success": insert.excluded.last_success,
        "error": "",
        "documents": cursors.c.documents + insert.excluded.documents,
    }
    if documents:
        changed["last_document_at"] = insert.excluded.last_document_at
    connection.execute(insert.on_conflict_do_update(index_elements=[cursors.c.source], set_=changed))


def record_error(connection: sa.Connection, source: str, at: datetime, error: str) -> None:
    """The source could not be read. `error` is for people: no values, no addresses of persons; 500 characters kept."""
    words = error.replace("\x00", "")[:500]
    insert = _insert(connection).values(source=source, last_error=at, error=words)
    changed = {"last_error": insert.excluded.last_error, "error": insert.excluded.error}
    connection.execute(insert.on_conflict_do_update(index_elements=[cursors.c.source], set_=changed))


def overview(connection: sa.Connection) -> list[Standing]:
    """Every source that was ever read or tried, by id."""
    rows = connection.execute(sa.select(cursors).order_by(cursors.c.source))
    return [Standing(**row) for row in rows.mappings()]


def _insert(connection: sa.Connection) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(cursors)
    return sqlite.insert(cursors)
