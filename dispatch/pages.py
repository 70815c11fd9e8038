"""Reading a collection page by page: keyset over `seq`, TAXII's filters, and TLP again on every request.

A row is served when one of the items that need it may be seen now, by the check that the caller gives. Rows that may
not be seen are passed over, and a page is filled from what follows, so `more` and `next` mean what they say.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from dispatch.sequence import published, published_items
from tlp import Label

Allowed = Callable[[str, frozenset[str], Label], bool]
"""(item, statements its view was composed of, label it had) -> may it be seen now?"""


@dataclass(frozen=True, slots=True)
class Filters:
    """TAXII 2.1 3.4: within a field any of the values, between fields all of them. Empty: no such filter."""

    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[Literal["last", "first", "all"] | datetime, ...] = ("last",)
    spec_versions: tuple[str, ...] = ()
    added_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One version of one object."""

    seq: int
    date_added: datetime
    object_id: str
    version: str
    media_type: str
    body: bytes
    """The object's JSON; empty when bodies were not asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order they were added, and whether more follow after the last."""

    rows: tuple[Row, ...]
    more: bool


def page(
    conn: sa.Connection,
    collection: str,
    allowed: Allowed,
    *,
    limit: int,
    filters: Filters = Filters(),
    after: int = 0,
    bodies: bool = True,
) -> Page:
    """At most `limit` rows with `seq` > `after` that pass the filters and may be seen now."""
    rows = published.c
    columns = [rows.seq, rows.date_added, rows.object_id, rows.version_text, rows.media_type]
    query = sa.select(*columns, rows.body if bodies else sa.literal(b""), rows.revoked)
    query = query.where(rows.collection == collection, ~rows.withdrawn, *_where(filters)).order_by(rows.seq)
    check = _Once(allowed)
    found: list[Row] = []
    while len(found) <= limit:
        batch = conn.execute(query.where(rows.seq > after).limit(limit + 1)).all()
        links = _links(conn, collection, after, batch[-1].seq) if batch else {}
        found += [Row(*row[:6]) for row in batch if check.any(links.get(row.seq, ()), row.revoked)]
        if len(batch) <= limit:
            break
        after = batch[-1].seq
    return Page(tuple(found[:limit]), len(found) > limit)


def at(conn: sa.Connection, collection: str, ranges: Sequence[tuple[int, int]]) -> list[Row]:
    """The rows of these numbers (from, to and with) that are there and were not taken back, in order."""
    rows = published.c
    columns = (rows.seq, rows.date_added, rows.object_id, rows.version_text, rows.media_type, rows.body)
    query = sa.select(*columns).where(rows.collection == collection, ~rows.withdrawn).order_by(rows.seq)
    return [Row(*row) for first, last in ranges for row in conn.execute(query.where(rows.seq.between(first, last)))]


class _Once:
    """Asks once for each (item, statements, label) of a request."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._answers: dict[tuple[str, bytes, str], bool] = {}

    def any(self, links: Sequence[tuple[str, bytes, str]], revoked: bool) -> bool:
        """What nothing needs any more is a notice of revocation: it says nothing else, and must arrive."""
        return any(self._one(link) for link in links) if links else revoked

    def _one(self, link: tuple[str, bytes, str]) -> bool:
        if link not in self._answers:
            item, statements, label = link
            keys = frozenset(msgspec.json.decode(statements, type=list[str]))
            self._answers[link] = self._allowed(item, keys, Label(label))
        return self._answers[link]


def _links(conn: sa.Connection, collection: str, after: int, to: int) -> dict[int, list[tuple[str, bytes, str]]]:
    links = published_items.c
    query = sa.select(links.seq, links.item, links.statements, links.label)
    where = (links.collection == collection, links.seq > after, links.seq <= to)
    found: dict[int, list[tuple[str, bytes, str]]] = defaultdict(list)
    for seq, item, statements, label in conn.execute(query.where(*where)):
        found[seq].append((item, bytes(statements), label))
    return found


def _where(filters: Filters) -> list[sa.ColumnElement[bool]]:
    rows = published.c
    where: list[sa.ColumnElement[bool]] = []
    if filters.ids:
        where.append(rows.object_id.in_(filters.ids))
    if filters.types:
        where.append(rows.type.in_(filters.types))
    if filters.spec_versions:
        where.append(rows.spec_version.in_(filters.spec_versions))
    if filters.added_after is not None:
        where.append(rows.date_added > filters.added_after)
    if "all" not in filters.versions:
        where.append(sa.or_(*(_version(each) for each in filters.versions)))
    return where


def _version(wanted: Any) -> sa.ColumnElement[bool]:
    rows, other = published.c, published.alias().c
    if isinstance(wanted, datetime):
        return rows.version == wanted
    nearer = other.version > rows.version if wanted == "last" else other.version < rows.version
    same = (other.collection == rows.collection, other.object_id == rows.object_id, ~other.withdrawn)
    return ~sa.exists().where(*same, nearer)
