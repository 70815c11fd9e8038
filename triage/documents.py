"""Which documents were read, and what of them was refused at the door: a reason and a place, never a value.

A document has a keyed hash: to note it twice changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ingest import Unreadable
from ingest.columns import Instant, metadata
from triage import inbox

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("admitted", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
)
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("document", sa.String(64), nullable=False, index=True),
    sa.Column("origin", sa.String(100), nullable=False),
    sa.Column("stage", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("path", sa.String(500), nullable=False),
)


def known(connection: sa.Connection, document: str, refused: Sequence[Unreadable]) -> int | None:
    """How many items a document that was read before gave; None: it is new.

    So is one that gave nothing but refusals, when now it is refused otherwise or no more: this version reads it.
    """
    found = connection.execute(sa.select(documents).where(documents.c.key == document)).one_or_none()
    if found is None:
        return None
    if not found.admitted and found.refused:
        columns = (refusals.c.stage, refusals.c.reason, refusals.c.path)
        stood = connection.execute(sa.select(*columns).where(refusals.c.document == document))
        now = (_refusal(each) for each in refused)
        if sorted(map(tuple, stood)) != sorted((each["stage"], each["reason"], each["path"]) for each in now):
            return None
    return int(found.admitted)


def record(
    connection: sa.Connection, key: str, source: str, now: datetime, admitted: int, refused: Sequence[Unreadable]
) -> None:
    """Note a document as read, with what of it was refused. The natural key makes a second time a no-op; what was
    refused of it before it could be read goes."""
    inbox.alone(connection)
    if known(connection, key, refused) is not None:
        return
    connection.execute(documents.delete().where(documents.c.key == key))
    connection.execute(refusals.delete().where(refusals.c.document == key))
    values = {"key": key, "source": source, "at": now, "admitted": admitted, "refused": len(refused)}
    connection.execute(documents.insert(), values)
    rows = [{"at": now, "source": source, "document": key, **_refusal(each)} for each in refused]
    if rows:
        connection.execute(refusals.insert(), rows)


def counts(connection: sa.Connection) -> dict[str, tuple[int, int]]:
    """Per source: how many items it says something of, and how many refusals are on record."""
    said = sa.select(inbox.statements.c.source, sa.func.count(inbox.statements.c.item.distinct()), sa.literal(0))
    held = sa.select(refusals.c.source, sa.literal(0), sa.func.count())
    found: dict[str, tuple[int, int]] = {}
    for query in (said.group_by(inbox.statements.c.source), held.group_by(refusals.c.source)):
        for source, spoken, refused in connection.execute(query):
            before = found.get(source, (0, 0))
            found[source] = (before[0] + spoken, before[1] + refused)
    return found


def _refusal(each: Unreadable) -> dict[str, str]:
    """What is kept of a refusal, as long as its columns are."""
    return {"origin": each.origin[:100], "stage": each.stage, "reason": each.reason[:500], "path": each.path[:500]}


def refused(connection: sa.Connection, limit: int = 1000) -> Iterator[dict[str, Any]]:
    """What was refused or held at the door, newest first; never a value."""
    query = sa.select(refusals).order_by(refusals.c.id.desc()).limit(limit)
    for each in connection.execute(query):
        yield {
            "at": each.at,
            "source": each.source,
            "origin": each.origin,
            "stage": each.stage,
            "reason": each.reason,
            "path": each.path,
        }


def delete(connection: sa.Connection, before: datetime) -> int:
    """Delete what is noted of documents and refusals from before that moment; how many rows."""
    gone = connection.execute(documents.delete().where(documents.c.at < before)).rowcount
    return gone + connection.execute(refusals.delete().where(refusals.c.at < before)).rowcount
