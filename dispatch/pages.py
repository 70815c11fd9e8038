"""Reading a collection page by page: keyset over `seq`, TAXII's filters, and TLP again on every request.

A row is served when one of the items that need it may be seen now, by the check that the caller gives. Rows that may
not be seen are passed over, and a page is filled from what follows, so `more` and `next` mean what they say.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

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
    """A page of bodies leaves these three out, and another one leaves out the body."""
    body: bytes
    """The object's JSON."""

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
_NONE: sa.ColumnElement[str] = sa.literal_column("''")
_TOLD = (_R.object_id, _R.version_text, _R.media_type)
_WHOLE: sa.Select[Any] = sa.select(_R.seq, _ADDED, *_TOLD, _R.body, _R.revoked)
_BODIES: sa.Select[Any] = sa.select(_R.seq, _ADDED, _NONE, _NONE, _NONE, _R.body, _R.revoked)
_LISTED: sa.Select[Any] = sa.select(_R.seq, _ADDED, *_TOLD, _NONE, _R.revoked)
"""A page reads only what it says: to read one more text of a thousand rows takes longer than to join their objects."""

_L = published_items.c
_IN = (_L.collection == sa.bindparam("in"), _L.seq > sa.bindparam("after"), _L.seq <= sa.bindparam("to"))
_SPAN = (sa.func.min(_L.seq), sa.func.max(_L.seq), sa.func.count())
_LINKS = sa.select(_L.item, _L.statements, _L.label, *_SPAN).where(*_IN).group_by(_L.item, _L.statements, _L.label)
_SOME = sa.select(_L.seq).where(
    *_IN, _L.item == sa.bindparam("item"), _L.statements == sa.bindparam("said"), _L.label == sa.bindparam("marked")
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
        links = _links(conn, collection, after, batch[-1][0]) if batch else {}
        if asked := links.keys() - every:
            seen |= asked & set(allowed(asked))
            every |= asked
        passed = _passed(batch, links, seen)
        whole = whole and len(passed) == len(batch)
        found += [Row._make(row[:6]) for row in passed]
        if len(batch) <= limit:
            break
        after = batch[-1][0]
    return Page(tuple(found[:limit]), len(found) > limit, frozenset(every), whole)


def at(conn: sa.Connection, collection: str, ranges: Sequence[tuple[int, int]]) -> list[Row]:
    """The rows of these numbers (from, to and with) that are there and were not taken back, in order."""
    query = _WHOLE.where(_R.collection == collection, ~_R.withdrawn).order_by(_R.seq)
    return [Row(*row[:6]) for first, last in ranges for row in conn.execute(query.where(_R.seq.between(first, last)))]


def _passed(batch: Sequence[Any], links: Mapping[Link, BitMap], seen: Collection[Link]) -> Sequence[Any]:
    """The rows that one of the links that may be seen names. What nothing needs any more is a notice of revocation: it
    says nothing else, and must arrive."""
    numbers = BitMap([row[0] for row in batch])
    named = BitMap.union(BitMap(), *links.values())
    may = BitMap.union(BitMap(), *(rows for link, rows in links.items() if link in seen))
    if numbers <= may:
        return batch
    return [row for row in batch if row[0] in may or (row[6] and row[0] not in named)]


def _links(conn: sa.Connection, collection: str, after: int, to: int) -> dict[Link, BitMap]:
    """Which there are, and which rows each of them names: mostly a run."""
    where = {"in": collection, "after": after, "to": to}
    found: dict[Link, BitMap] = {}
    for item, statements, label, first, last, count in conn.execute(_LINKS, where).all():
        rows = BitMap(range(first, last + 1))
        if len(rows) != count:
            rows = BitMap(conn.scalars(_SOME, where | {"item": item, "said": statements, "marked": label}))
        found.setdefault(Link(item, frozenset(_keys(statements)), Label(label)), BitMap()).update(rows)
    return found


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
