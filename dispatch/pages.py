"""Reading a collection page by page: keyset over `seq`, TAXII's filters, and TLP again on every request.

A row is served when one of the items that need it may be seen now, by the check that the caller gives. Rows that may
not be seen are passed over, and a page is filled from what follows, so `more` and `next` mean what they say.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from dispatch.sequence import published, published_items
from tlp import Label


class Link(NamedTuple):
    """As a part of what a row was published."""

    item: str
    statements: frozenset[str]
    """Of which the view was composed."""
    label: Label
    """That it had."""


Allowed = Callable[[Collection[Link]], Collection[Link]]
"""Which of these may be seen now? Asked once for all of a page."""


@dataclass(frozen=True, slots=True)
class Filters:
    """TAXII 2.1 3.4: within a field any of the values, between fields all of them. Empty: no such filter."""

    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[Literal["last", "first", "all"] | datetime, ...] = ("last",)
    spec_versions: tuple[str, ...] = ()
    added_after: datetime | None = None


class Row(NamedTuple):
    """One version of one object."""

    seq: int
    added: str
    """When, as it stands in the database and in TAXII."""
    object_id: str
    version: str
    media_type: str
    body: bytes
    """The object's JSON; empty when bodies were not asked for."""

    @property
    def date_added(self) -> datetime:
        """When."""
        return datetime.fromisoformat(self.added)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order they were added, and whether more follow after the last."""

    rows: tuple[Row, ...]
    more: bool
    links: frozenset[Link] = frozenset()
    """On what all rows that came into question rest."""
    whole: bool = False
    """Could all of them be seen? Then who may see all of `links` gets the same page, until the collection changes."""


_R = published.c
_ADDED = sa.type_coerce(_R.date_added, sa.String).label("added")
_NAMES = (_R.seq, _ADDED, _R.object_id, _R.version_text, _R.media_type)
_BODIES = sa.select(*_NAMES, _R.body, _R.revoked)
_LISTED = sa.select(*_NAMES, sa.literal_column("''"), _R.revoked)

_L = published_items.c
_LINKS = sa.select(_L.seq, _L.item, _L.statements, _L.label).where(
    _L.collection == sa.bindparam("in"), _L.seq > sa.bindparam("after"), _L.seq <= sa.bindparam("to")
)


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
    query = _BODIES if bodies else _LISTED
    query = query.where(_R.collection == collection, ~_R.withdrawn, *_where(filters)).order_by(_R.seq)
    found: list[Row] = []
    every, seen = set[Link](), set[Link]()
    whole = True
    while len(found) <= limit:
        batch = conn.execute(query.where(_R.seq > after).limit(limit + 1)).all()
        distinct, links = _links(conn, collection, after, batch[-1].seq) if batch else ((), {})
        asked = {*distinct} - every
        seen |= asked & set(allowed(asked)) if asked else asked
        every |= asked
        open_ = {id(link) for link in distinct if link in seen}
        passed = [Row._make(row[:6]) for row in batch if _may(links.get(row[0]), open_, row[6])]
        whole = whole and len(passed) == len(batch)
        found += passed
        if len(batch) <= limit:
            break
        after = batch[-1].seq
    return Page(tuple(found[:limit]), len(found) > limit, frozenset(every), whole)


def at(conn: sa.Connection, collection: str, ranges: Sequence[tuple[int, int]]) -> list[Row]:
    """The rows of these numbers (from, to and with) that are there and were not taken back, in order."""
    query = _BODIES.where(_R.collection == collection, ~_R.withdrawn).order_by(_R.seq)
    return [Row(*row[:6]) for first, last in ranges for row in conn.execute(query.where(_R.seq.between(first, last)))]


def _may(links: Sequence[Link] | None, open_: set[int], revoked: bool) -> bool:
    """What nothing needs any more is a notice of revocation: it says nothing else, and must arrive."""
    return any(id(link) in open_ for link in links) if links else revoked


def _links(conn: sa.Connection, collection: str, after: int, to: int) -> tuple[Collection[Link], dict[int, list[Link]]]:
    """Those that there are, each once, and by row: many rows have the same one."""
    known: dict[tuple[str, bytes, str], Link] = {}
    found: dict[int, list[Link]] = {}
    for seq, item, statements, label in conn.execute(_LINKS, {"in": collection, "after": after, "to": to}).all():
        link = known.get(key := (item, statements, label))
        if link is None:
            link = known[key] = Link(item, frozenset(_keys(statements)), Label(label))
        found.setdefault(seq, []).append(link)
    return known.values(), found


_keys = msgspec.json.Decoder(list[str]).decode


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
