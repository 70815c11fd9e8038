"""Reading a collection page by page: keyset over `seq`, TAXII's filters, and TLP again on every request.

A row is served when one of the items that need it may be seen now, by the check that the caller gives. Rows that may
not be seen are passed over, and a page is filled from what follows, so `more` and `next` mean what they say.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from dispatch.sequence import published, published_items
from pii_guard import journal
from tlp import Label


class Link(NamedTuple):
    """As a part of what a row was published."""

    item: str
    statements: frozenset[str]
    """Of which the view was composed."""
    label: Label
    """That it had."""


Numbers = tuple[tuple[int, int], ...]
"""Of rows: from, to and with."""
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
    def began(self) -> str:
        """As of more than one."""
        return self.added

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

    @property
    def numbers(self) -> Numbers:
        """Of the rows."""
        return numbers_of(self.rows)


_R = published.c
_ADDED = sa.type_coerce(_R.date_added, sa.String).label("added")
_NONE: sa.ColumnElement[str] = sa.literal_column("''")
_TOLD = (_R.object_id, _R.version_text, _R.media_type)
_WHOLE: sa.Select[Any] = sa.select(_R.seq, _ADDED, *_TOLD, _R.body, _R.revoked)
_BODIES: sa.Select[Any] = sa.select(_R.seq, _ADDED, _NONE, _NONE, _NONE, _R.body, _R.revoked)
_LISTED: sa.Select[Any] = sa.select(_R.seq, _ADDED, *_TOLD, _NONE, _R.revoked)
"""A page reads only what it says: to read one more text of a thousand rows takes longer than to join their objects."""
_UNTIL = (
    sa.select(_R.seq)
    .where(_R.collection == sa.bindparam("in"), _R.date_added <= sa.bindparam("at"))
    .order_by(_R.date_added.desc())
    .limit(1)
)

_L = published_items.c
_IN = (_L.collection == sa.bindparam("in"), _L.seq > sa.bindparam("after"), _L.seq <= sa.bindparam("to"))
_SPAN = (sa.func.min(_L.seq), sa.func.max(_L.seq), sa.func.count())
_LINKS = sa.select(_L.item, _L.statements, _L.label, *_SPAN).where(*_IN).group_by(_L.item, _L.statements, _L.label)
_SOME = sa.select(_L.seq).where(
    *_IN, _L.item == sa.bindparam("item"), _L.statements == sa.bindparam("said"), _L.label == sa.bindparam("marked")
)
_END = 2**62
_AT_ONCE = 1000


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
    reading = Reading(conn, collection, allowed, filters, bodies=bodies)
    rows, more = reading.rows(reading.start(after), limit)
    return Page(tuple(rows), more, frozenset(reading.links), reading.whole)


class Reading:
    """What one page is read of."""

    def __init__(
        self, conn: sa.Connection, collection: str, allowed: Allowed, filters: Filters, *, bodies: bool = True
    ) -> None:
        self.conn, self.collection, self._allowed, self._since = conn, collection, allowed, filters.added_after
        filters = replace(filters, added_after=None)
        self._query, self.plain = query(filters, bodies=bodies), filters == Filters()
        self.links, self._seen = set[Link](), set[Link]()
        self.whole = True

    def start(self, after: int) -> int:
        """After which row: numbers and dates rise together."""
        if self._since is None:
            return after
        return max(after, self.conn.scalar(_UNTIL, {"in": self.collection, "at": self._since}) or 0)

    def rows(self, after: int, limit: int, to: int = _END) -> tuple[list[Row], bool]:
        """At most so many up to there, and whether more follow."""
        found: list[Row] = []
        most = limit + 1
        while len(found) <= limit:
            where = {"in": self.collection, "after": after, "to": to, "most": most}
            batch = self.conn.execute(self._query, where).all()
            links = links_of(self.conn, self.collection, after, batch[-1][0]) if batch else {}
            seen = passed(batch, links, self.may(links.keys()))
            self.whole = self.whole and len(seen) == len(batch)
            found += [Row._make(row[:6]) for row in seen]
            if len(batch) < most:
                break
            after, most = batch[-1][0], max(most, min(2 * most, _AT_ONCE))  # there may be many that cannot be seen
        return found[:limit], len(found) > limit

    def may(self, links: Collection[Link]) -> set[Link]:
        """All that may be seen. Each is asked for once."""
        if new := set(links) - self.links:
            self._seen |= new & set(self._allowed(new))
            self.links |= new
        return self._seen


def numbers_of(rows: Sequence[Row]) -> Numbers:
    """Which they are."""
    run = bool(rows) and rows[-1].seq - rows[0].seq + 1 == len(rows)
    return ((rows[0].seq, rows[-1].seq),) if run else journal.ranges(row.seq for row in rows)


def at(conn: sa.Connection, collection: str, ranges: Numbers) -> list[Row]:
    """The rows of these numbers that are there and were not taken back, in order."""
    mine = _WHOLE.where(_R.collection == collection, ~_R.withdrawn).order_by(_R.seq)
    return [Row(*row[:6]) for first, last in ranges for row in conn.execute(mine.where(_R.seq.between(first, last)))]


def passed(batch: Sequence[Any], links: Mapping[Link, BitMap], seen: Collection[Link]) -> Sequence[Any]:
    """The rows that one of the links that may be seen names. What nothing needs any more is a notice of revocation: it
    says nothing else, and must arrive."""
    numbers = BitMap([row[0] for row in batch])
    named = BitMap.union(BitMap(), *links.values())
    may = BitMap.union(BitMap(), *(rows for link, rows in links.items() if link in seen))
    if numbers <= may:
        return batch
    return [row for row in batch if row[0] in may or (row[6] and row[0] not in named)]


def links_of(conn: sa.Connection, collection: str, after: int, to: int) -> dict[Link, BitMap]:
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


@lru_cache(200)
def query(filters: Filters, *, bodies: bool = True) -> sa.Select[Any]:
    """Built once for what is asked again and again: to build it takes as long as to read a hundred rows."""
    start = (_R.collection == sa.bindparam("in"), _R.seq > sa.bindparam("after"), _R.seq <= sa.bindparam("to"))
    made = (_BODIES if bodies else _LISTED).where(*start, ~_R.withdrawn)
    asked = ((_R.object_id, filters.ids), (_R.type, filters.types), (_R.spec_version, filters.spec_versions))
    for column, values in asked:
        if values:
            made = made.where(column.in_(values))
    if "all" not in filters.versions:
        made = made.where(sa.or_(*(_version(each) for each in filters.versions)))
    return made.order_by(_R.seq).limit(sa.bindparam("most"))


def _version(wanted: Any) -> sa.ColumnElement[bool]:
    rows, other = published.c, published.alias().c
    if isinstance(wanted, datetime):
        return rows.version == wanted
    nearer = other.version > rows.version if wanted == "last" else other.version < rows.version
    same = (other.collection == rows.collection, other.object_id == rows.object_id, ~other.withdrawn)
    return ~sa.exists().where(*same, nearer)
