"""What /feed.atom shows: the latest items that everybody may see, one entry an item.

An entry is made of a View for the public reader, so of CLEAR statements only; what is taken back keeps its place and
its id, and says only that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec
import sqlalchemy as sa

from dispatch import DispatchError, View
from ingest.columns import Instant, metadata
from tlp import PUBLIC, Label

_NAMESPACE = UUID("5b0f8e4a-6d3c-4c1e-9d57-1a4e6b9c2f03")

entries = sa.Table(
    "feed_entries",
    metadata,
    sa.Column("item", sa.String, primary_key=True),
    sa.Column("item_version", sa.Integer, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("categories", sa.LargeBinary, nullable=False),
    sa.Column("statements", sa.LargeBinary, nullable=False),
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False, index=True),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
)
_ENTRY = sa.select(entries).where(entries.c.item == sa.bindparam("item"))
_ADD = entries.insert()
_c = entries.c
_FOUND = sa.select(
    _c.item, _c.title, _c.summary, _c.categories, _c.statements, _c.published_at, _c.updated_at, _c.withdrawn
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as the feed shows it."""

    item: str
    title: str
    summary: str
    categories: tuple[tuple[str, str], ...]
    """(scheme, term): `tlp` CLEAR, `kind` advisory, `urgency` today, `cve` CVE-2026-0001."""
    statements: frozenset[str]
    published_at: datetime
    updated_at: datetime
    withdrawn: bool

    @property
    def id(self) -> str:
        """Permanent and the same in every installation (RFC 4287 4.2.6)."""
        return uuid5(_NAMESPACE, self.item).urn


def put(conn: sa.Connection, view: View, now: datetime) -> bool:
    """Show an item, or its new version; False when nothing changed. DispatchError for a view that is not public."""
    if view.reader != PUBLIC.id or view.label is not Label.CLEAR:
        raise DispatchError(f"{view.item}: a view for {view.reader} under {view.label} is not for the public feed")
    terms = [("tlp", view.label.value), ("kind", view.kind), ("urgency", view.urgency)]
    terms += [("cve", cve) for cve in view.cves]
    row = {
        "item": view.item,
        "title": _storable(view.title),
        "summary": _storable(view.summary),
        "categories": msgspec.json.encode(terms),
        "statements": msgspec.json.encode(sorted(view.statements)),
        "withdrawn": view.withdrawn,
    }
    old = conn.execute(_ENTRY, {"item": view.item}).mappings().first()
    if old is not None and all(old[name] == value for name, value in row.items()):
        return False
    row |= {"item_version": view.version, "updated_at": now}
    if old is None:
        conn.execute(_ADD, {**row, "published_at": now})
    else:
        conn.execute(sa.update(entries).where(entries.c.item == view.item).values(**row))
    return True


def move(conn: sa.Connection, old: str, new: str) -> None:
    """The entry of an item is of the one that took it in; where that has its own, it says it all."""
    known = conn.scalar(sa.select(entries.c.item).where(entries.c.item == new))
    mine = entries.c.item == old
    if known is None:
        conn.execute(sa.update(entries).where(mine).values(item=new))
    else:
        conn.execute(sa.delete(entries).where(mine))


def withdraw(conn: sa.Connection, item: str, now: datetime) -> bool:
    """Empty an entry: its readers learn that it was withdrawn, and no more. False when there was nothing to do."""
    where = sa.and_(entries.c.item == item, sa.or_(~entries.c.withdrawn, entries.c.title != ""))
    empty = {"title": "", "summary": "", "categories": b"[]", "statements": b"[]", "withdrawn": True}
    return conn.execute(sa.update(entries).where(where).values(**empty, updated_at=now)).rowcount > 0


def latest(conn: sa.Connection, limit: int, after: str = "") -> list[Entry]:
    """The entries that changed last, newest first; those that follow after the entry of an item, where it has one."""
    query = _FOUND.order_by(_c.updated_at.desc(), _c.item.desc()).limit(limit)
    last = conn.scalar(sa.select(_c.updated_at).where(_c.item == after)) if after else None
    if last is not None:
        query = query.where(sa.or_(_c.updated_at < last, sa.and_(_c.updated_at == last, _c.item < after)))
    return [_entry(row) for row in conn.execute(query)]


def find(conn: sa.Connection, item: str) -> Entry | None:
    """The entry of an item; None: it has none."""
    row = conn.execute(_FOUND.where(entries.c.item == item)).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: Sequence[Any]) -> Entry:
    item, title, summary, terms, keys, *rest = row
    categories = msgspec.json.decode(terms, type=tuple[tuple[str, str], ...])
    return Entry(item, title, summary, categories, msgspec.json.decode(keys, type=frozenset[str]), *rest)


def _storable(text: str) -> str:
    """PostgreSQL's text cannot hold NUL."""
    return text.replace("\0", "\ufffd")


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete entries that did not change since `before`; how many."""
    return conn.execute(sa.delete(entries).where(entries.c.updated_at < before)).rowcount
