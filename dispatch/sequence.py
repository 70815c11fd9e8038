"""The ordered store under the TAXII collections: rows that are appended, each later than the one before.

`seq` and `date_added` rise strictly within a collection, also within one transaction and under concurrent
publication: whoever appends holds one lock until its transaction ends, so rows become visible in their order and a
reader that pages never passes a row that is still being written.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from dispatch import DispatchError, blocks
from dispatch.blocks import fall
from ingest.columns import Instant, instant_text, metadata
from tlp import Label

CHUNK = 500
"""Values in one IN (...): below SQLite's limit on parameters."""

collections = sa.Table(
    "collections",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("alias", sa.String, nullable=False, unique=True),
    sa.Column("subscriber", sa.String),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("last_added", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("before", sa.BigInteger, comment="rows up to it were published before the register held that"),
    sa.Column("revision", sa.BigInteger, comment="of all collections; only the first one's counts"),
)

published = sa.Table(
    "published",
    metadata,
    sa.Column("collection", sa.String(36), sa.ForeignKey("collections.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("date_added", Instant, nullable=False),
    sa.Column("object_id", sa.String, nullable=False, index=True),
    sa.Column("version", Instant, nullable=False),
    sa.Column("version_text", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("spec_version", sa.String, nullable=False),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
    sa.Index("ix_published_version", "collection", "object_id", "version", unique=True),
    sa.Index("ix_published_date_added", "collection", "date_added"),
)

published_items = sa.Table(
    "published_items",
    metadata,
    sa.Column("collection", sa.String(36), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item", sa.String, primary_key=True),
    sa.Column("item_version", sa.Integer, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("statements", sa.LargeBinary, nullable=False),
    sa.Column("linked_at", Instant, nullable=False),
    sa.Index("ix_published_items_item", "item", "collection"),
)
"""Which items need a row, and of which statements their view was composed: what TLP is enforced on again."""

# What is asked for each view that is published is built once: building it costs three times what carrying it out does.
_c, _links, _rows = collections.c, published_items.c, published.c
_LOCK = collections.update().where(_c.alias == "clear").values(revision=sa.func.coalesce(_c.revision, 0) + 1)
_REVISION = sa.select(_c.revision).where(_c.alias == "clear")
_FIND = sa.select(_c.id, _c.alias, _c.subscriber, _c.title, _c.description).where(
    sa.or_(_c.id == sa.bindparam("name"), _c.alias == sa.bindparam("name"))
)
_STANDING = sa.select(_c.last_seq, _c.last_added).where(_c.id == sa.bindparam("standing"))
_STANDS = collections.update().where(_c.id == sa.bindparam("standing"))
_SOME: sa.BindParameter[list[int]] = sa.bindparam("some", expanding=True)
_APPEND, _LINK = published.insert(), published_items.insert()
_OF = sa.select(_rows.seq).where(
    _rows.collection == sa.bindparam("where"), _rows.object_id.in_(sa.bindparam("names", expanding=True))
)
_UNLINK = (
    published_items.delete()
    .where(_links.collection == sa.bindparam("where"), _links.item == sa.bindparam("whose"), _links.seq.in_(_SOME))
    .returning(_links.seq, _links.label, _links.statements)
)
_REMOVE = published.delete().where(_rows.collection == sa.bindparam("where"), _rows.seq.in_(_SOME))


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection; `subscriber` is None for `clear` and `test`."""

    id: str
    alias: str
    subscriber: str | None
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A STIX object as it will stand in a collection, serialised once."""

    object_id: str
    version: datetime | None
    """modified, else created, else None: then it is the date it is added (TAXII 2.1 3.4.1)."""
    version_text: str
    spec_version: str
    digest: bytes
    body: bytes
    revoked: bool = False
    renamed: bool = False
    same: int | None = None
    """It stands in the collection already, as this row."""
    replaces: int | None = None
    """A row of the same version that was taken back, and now comes again at a later place."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a view is in a collection."""

    collection: str
    """Its id."""
    rows: tuple[int, ...]
    """Their numbers, in order."""
    bodies: str
    """SHA-256 (hexadecimal) of what these rows have to hold, one after another: as the view says, not as they lie."""
    appended: int
    """How many rows are new in the collection, what was taken back included."""


def hashed(bodies: Iterable[bytes]) -> str:
    """SHA-256 (hexadecimal) of objects as they lie, one after another."""
    digest = sha256()
    for body in bodies:
        digest.update(body)
    return digest.hexdigest()


def bodies(conn: sa.Connection) -> Iterator[tuple[str, datetime, frozenset[str], bytes]]:
    """All that is served, in pages: (alias of the collection, date added, items that need it, object)."""
    rows, links = published.c, published_items.c
    for identifier, alias in conn.execute(sa.select(collections.c.id, collections.c.alias)).all():
        after = 0
        query = sa.select(rows.seq, rows.date_added, rows.body).where(rows.collection == identifier).order_by(rows.seq)
        while page := conn.execute(query.where(rows.seq > after).limit(CHUNK)).all():
            after = page[-1].seq
            needed: dict[int, set[str]] = {}
            mine = (links.collection == identifier, links.seq.in_([row.seq for row in page]))
            for seq, item in conn.execute(sa.select(links.seq, links.item).where(*mine)):
                needed.setdefault(seq, set()).add(item)
            for row in page:
                yield alias, row.date_added, frozenset(needed.get(row.seq, ())), row.body


def find(conn: sa.Connection, name: str) -> Collection | None:
    """A collection by id or alias (TAXII 2.1 5.2 allows both in the path)."""
    row = conn.execute(_FIND, {"name": name}).first()
    return None if row is None else Collection(*row)


def before(conn: sa.Connection, collection: str) -> int:
    """Up to which row the register does not hold what was published: by an earlier version of the program."""
    return conn.scalar(sa.select(_c.before).where(_c.id == collection)) or 0


def lock(conn: sa.Connection) -> None:
    """The right to change what lies in collections, until the transaction ends.

    One lock for all, because whether an id may keep its meaning is decided over all collections. It is the row of
    the first collection, which counts how often that was (`revision`).
    """
    conn.execute(_LOCK)


def revision(conn: sa.Connection) -> int:
    """As long as it is the same, nothing has changed in any collection."""
    return conn.scalar(_REVISION) or 0


def locked(conn: sa.Connection, alias: str) -> Collection:
    """A collection, under the lock. DispatchError when there is none."""
    lock(conn)
    found = find(conn, alias)
    if found is None:
        raise DispatchError(f"there is no collection {alias}: call ensure or collection_for first")
    return found


def append(conn: sa.Connection, collection: str, objects: Sequence[Prepared], now: datetime) -> list[int]:
    """Append rows, under the lock; their numbers. A clock that stands still or runs back changes no order."""
    if not objects:
        return []
    seq, added = conn.execute(_STANDING, {"standing": collection}).one()
    if seq >= blocks.SIZE:
        touch(conn, collection, [each.object_id for each in objects])
    rows: list[dict[str, Any]] = []
    for each in objects:
        seq += 1
        added = now if added is None else max(now, added + timedelta(microseconds=1))
        rows.append(_row(collection, seq, added, each))
    _remove(conn, collection, [each.replaces for each in objects if each.replaces is not None])
    conn.execute(_APPEND, rows)
    conn.execute(_STANDS, {"standing": collection, "last_seq": seq, "last_added": added})
    return [row["seq"] for row in rows]


def touch(conn: sa.Connection, collection: str, object_ids: Sequence[str]) -> None:
    """Something is about to change of these objects: which version is the last, or what is served."""
    for start in range(0, len(object_ids), CHUNK):
        where = {"where": collection, "names": object_ids[start : start + CHUNK]}
        fall(conn, collection, conn.scalars(_OF, where).all())


def link(
    conn: sa.Connection,
    collection: str,
    seqs: Sequence[int],
    *,
    item: str,
    item_version: int,
    label: Label,
    statements: frozenset[str],
    now: datetime,
) -> None:
    """Note that these rows are (also) what this version of an item is in this collection."""
    said = label.value, msgspec.json.encode(sorted(statements))
    for start in range(0, len(seqs), CHUNK):
        where = {"where": collection, "whose": item, "some": seqs[start : start + CHUNK]}
        fall(conn, collection, [seq for seq, *was in conn.execute(_UNLINK, where).all() if (*was,) != said])
    what = {"collection": collection, "item": item, "item_version": item_version, "linked_at": now}
    what |= {"label": said[0], "statements": said[1]}
    if seqs:
        conn.execute(_LINK, [what | {"seq": seq} for seq in dict.fromkeys(seqs)])


def _row(collection: str, seq: int, added: datetime, each: Prepared) -> dict[str, Any]:
    return {
        "collection": collection,
        "seq": seq,
        "date_added": added,
        "object_id": each.object_id,
        "version": each.version or added,
        "version_text": each.version_text or instant_text(added),
        "type": each.object_id.partition("--")[0],
        "spec_version": each.spec_version,
        "media_type": f"application/stix+json;version={each.spec_version}",
        "digest": each.digest,
        "body": each.body,
        "withdrawn": False,
        "revoked": each.revoked,
    }


def _remove(conn: sa.Connection, collection: str, seqs: Sequence[int]) -> None:
    for start in range(0, len(seqs), CHUNK):
        conn.execute(_REMOVE, {"where": collection, "some": seqs[start : start + CHUNK]})
