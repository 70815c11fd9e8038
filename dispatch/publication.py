"""TAXII collections: what is published in them, in order, and what was taken back.

A collection is a sequence. Whatever becomes readable in it is appended with the next number and a strictly later
`date_added` (TAXII 2.1 3.4), so a client that pages by `next` or by `added_after` loses nothing and sees nothing
twice. Every object is serialised once, here. A View is the whole of what an item is to a reader: what an earlier view
of that item held and this one does not is taken back with a revocation (`dispatch.revocation`).

A row may serve several items (two advisories that name one identity); `published_items` says which, and of which
statements the view was composed: TLP is enforced on those at each request (`dispatch.pages`).
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from dispatch import DispatchError, View, blocks
from dispatch.joining import join
from dispatch.renaming import HUB, later, prepare, renamed, serialised
from dispatch.revocation import OBSERVABLES, notice
from dispatch.sequence import (
    CHUNK,
    Collection,
    Prepared,
    Standing,
    append,
    collections,
    find,
    hashed,
    link,
    lock,
    locked,
    published,
    published_items,
    touch,
)
from subscribers import Subscriber
from tlp import PUBLIC, Label
from tlp.markings import definition

CLEAR = "clear"
TEST = "test"
RESERVED = frozenset({CLEAR, TEST, "contribute"})
IDS = {CLEAR: "3f5e1f0c-9d0b-4b53-8a55-2f7f1f4f7c01", TEST: "b7c2a6de-51f4-4c3a-9d36-0e6d5a1c8e02"}
"""Of what everybody reads. Fixed UUIDv4: the same in every installation, so that clients' settings survive a new
database."""

TEST_INDICATOR: dict[str, Any] = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--6b1f8f0e-3c38-4f0d-9a3e-5d2b7c9e4a10",
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00.000Z",
    "name": "OKTT test indicator",
    "description": "A known, harmless indicator: if it arrives, the connection works.",
    "indicator_types": ["benign"],
    "pattern": "[domain-name:value = 'oktt-test.example' OR file:hashes.'SHA-256' = "
    "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855']",
    "pattern_type": "stix",
    "valid_from": "2026-01-01T00:00:00Z",
    "object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
}
"""A documentation name (RFC 2606) and the hash of the empty file."""

Random = Callable[[int], bytes]

_ALIASES = sa.select(collections.c.subscriber).where(collections.c.subscriber.is_not(None))
_SALT = sa.select(collections.c.salt).where(collections.c.id == sa.bindparam("collection"))
_OBJECTS = (
    sa.select(published.c.object_id)
    .join(
        published_items,
        sa.and_(published.c.collection == published_items.c.collection, published.c.seq == published_items.c.seq),
    )
    .where(published_items.c.collection == sa.bindparam("collection"), published_items.c.item == sa.bindparam("item"))
)


def ensure(conn: sa.Connection, now: datetime, *, random: Random = secrets.token_bytes) -> None:
    """Create `clear` and `test`, the latter with its one known indicator. Running it again changes nothing."""
    known = set(conn.scalars(sa.select(collections.c.alias).where(collections.c.alias.in_([CLEAR, TEST]))))
    if CLEAR not in known:
        _create(conn, CLEAR, None, "OKTT TLP:CLEAR", "What everybody may know.", now, random)
    if TEST not in known:
        _create(conn, TEST, None, "OKTT test", "One fixed, known indicator to try a connection with.", now, random)
        test = locked(conn, TEST).id
        seqs = append(conn, test, prepare(conn, test, b"", [definition(Label.CLEAR), TEST_INDICATOR], now), now)
        link(conn, test, seqs, item=TEST, item_version=1, label=Label.CLEAR, statements=frozenset(), now=now)


def test_bodies() -> frozenset[bytes]:
    """What lies in `test`."""
    return frozenset(map(serialised, (definition(Label.CLEAR), TEST_INDICATOR)))


def collection_for(
    conn: sa.Connection, subscriber: Subscriber, now: datetime, *, random: Random = secrets.token_bytes
) -> str | None:
    """The alias of a subscriber's own collection, made when it is missing; None without a taxii contact.

    Raises DispatchError for a subscriber whose id is the alias of a common collection.
    """
    if not any(contact.type == "taxii" for contact in subscriber.contacts):
        return None
    if subscriber.id in RESERVED:
        raise DispatchError(f"subscriber {subscriber.id}: this id is the name of a common collection; give it another")
    if find(conn, subscriber.id) is None:
        lock(conn)
        if find(conn, subscriber.id) is None:
            title = f"OKTT {subscriber.id}"
            _create(conn, subscriber.id, subscriber.id, title, "What this subscriber may see.", now, random)
    return subscriber.id


def readable(conn: sa.Connection, subscriber: str) -> list[Collection]:
    """The collections that a subscriber may read: `clear`, `test` and its own."""
    columns = collections.c
    query = sa.select(columns.id, columns.alias, columns.subscriber, columns.title, columns.description)
    mine = sa.or_(columns.subscriber.is_(None), columns.subscriber == subscriber)
    return [
        Collection(*row)
        for row in conn.execute(query.where(mine).order_by(columns.subscriber.is_not(None), columns.alias))
    ]


def subscribed(conn: sa.Connection) -> list[str]:
    """Ids of the subscribers that have a collection of their own."""
    return [str(each) for each in conn.scalars(_ALIASES)]


def sizes(conn: sa.Connection) -> list[tuple[str, int]]:
    """Each collection's alias and how many versions of objects it serves."""
    columns, rows = collections.c, published.c
    mine = sa.and_(rows.collection == columns.id, ~rows.withdrawn)
    query = sa.select(columns.alias, sa.func.count(rows.seq)).select_from(collections.outerjoin(published, mine))
    return [(alias, count) for alias, count in conn.execute(query.group_by(columns.alias).order_by(columns.alias))]


def publish(conn: sa.Connection, alias: str, view: View, now: datetime) -> Standing:
    """Bring a collection to what `view` says of its item.

    Only what is new or changed is appended; publishing the same view again appends nothing. What an earlier view of
    the item held and this one does not is taken back. Raises DispatchError when the view was not composed for the
    readers of this collection.
    """
    collection = locked(conn, alias)
    _require_reader(collection, view)
    prepared = _prepared(conn, collection.id, view.objects, now)
    before = _objects_of(conn, collection.id, view.item)
    fresh = [each for each in prepared if each.same is None]
    standing = [each for each in prepared if each.same is not None]
    seqs = [each.same for each in standing if each.same is not None] + append(conn, collection.id, fresh, now)
    link(
        conn, collection.id, seqs,
        item=view.item, item_version=view.version, label=view.label, statements=view.statements, now=now,
    )  # fmt: skip
    gone = before - {each.object_id for each in prepared}
    appended = len(fresh) + _take_back(conn, collection.id, view.item, gone, now)
    if fresh:
        join(conn, collection.id, seqs[-1])
    bodies = dict(zip(seqs, (each.body for each in (*standing, *fresh)), strict=True))
    rows = tuple(sorted(bodies))
    return Standing(collection.id, rows, hashed(bodies[seq] for seq in rows), appended)


def move(conn: sa.Connection, old: str, new: str) -> None:
    """What is published of an item is of the one that took it in: the same objects stay where clients found them.

    Under the labels of that one, until it is published anew; what it then no longer says is taken back.
    """
    lock(conn)
    links, other = published_items.c, published_items.alias().c
    _fall(conn, sa.select(links.collection, links.seq).where(links.item == old))
    both = sa.exists().where(other.collection == links.collection, other.seq == links.seq, other.item == new)
    conn.execute(sa.delete(published_items).where(links.item == old, both))
    conn.execute(sa.update(published_items).where(links.item == old).values(item=new))


def withdraw(conn: sa.Connection, item: str, now: datetime, *, alias: str | None = None) -> int:
    """Take an item back everywhere, or in one collection (its reader may no longer see it); rows appended.

    Every object that no other item in the collection needs gets a last version with `revoked: true` that says
    nothing else; earlier versions are served no more. Running it again changes nothing.
    """
    lock(conn)
    links = published_items.c
    where = [links.item == item, links.item != TEST]
    if alias is not None:
        where.append(links.collection == locked(conn, alias).id)
    found = list(conn.scalars(sa.select(links.collection).where(*where).distinct().order_by(links.collection)))
    return sum(_take_back(conn, each, item, _objects_of(conn, each, item), now) for each in found)


def drop(conn: sa.Connection, subscriber: str) -> None:
    """Delete a removed subscriber's own collection with all that lies in it."""
    columns = collections.c
    found = conn.scalar(sa.select(columns.id).where(columns.subscriber == subscriber))
    if found is not None:
        blocks.drop(conn, found)
        for table in (published_items, published, renamed):
            conn.execute(sa.delete(table).where(table.c.collection == found))
        conn.execute(sa.delete(collections).where(columns.id == found))


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete what no view has named since `before`; the number of rows deleted. Retention, so no revocation."""
    links, rows, test = published_items, published, IDS[TEST]
    linked = (rows.c.collection == links.c.collection, rows.c.seq == links.c.seq)
    aged = sa.exists().where(*linked, rows.c.date_added < before)  # where a clock ran ahead, both go later
    past = sa.and_(links.c.linked_at < before, links.c.collection != test, aged)
    needed = sa.exists().where(links.c.collection == rows.c.collection, links.c.seq == rows.c.seq)
    old = sa.and_(rows.c.date_added < before, rows.c.collection != test, ~needed)
    if not conn.scalar(sa.select(sa.or_(sa.exists().where(past), sa.exists().where(old)))):
        return 0  # the lock counts as a change
    lock(conn)
    mine = rows.alias()
    alike = rows.join(mine, sa.and_(mine.c.collection == rows.c.collection, mine.c.object_id == rows.c.object_id))
    _fall(conn, sa.select(links.c.collection, links.c.seq).where(past))
    conn.execute(sa.delete(links).where(past))
    _fall(conn, sa.select(mine.c.collection, mine.c.seq).select_from(alike).where(old))
    return conn.execute(sa.delete(rows).where(old)).rowcount


def forget(conn: sa.Connection) -> int:
    """Delete the emptied rows of observables, and what they were renamed from; how many rows.

    Their ids are hashes of their values (STIX 2.1 2.9): all of IPv4 can be tried. They have no versions, so that no
    revocation and no later version needs the row.
    """
    rows, names = published.c, renamed.c
    empty = sa.and_(rows.withdrawn, ~rows.revoked, rows.type.in_(sorted(OBSERVABLES)))
    kinds = sa.or_(*(names.source_id.startswith(f"{kind}--", autoescape=True) for kind in sorted(OBSERVABLES)))
    used = sa.exists().where(rows.collection == names.collection, rows.object_id == names.object_id)
    if not conn.scalar(sa.select(sa.or_(sa.exists().where(empty), sa.exists().where(kinds, ~used)))):
        return 0  # the lock counts as a change
    lock(conn)
    gone = conn.execute(sa.delete(published).where(empty)).rowcount
    return gone + conn.execute(sa.delete(renamed).where(kinds, ~used)).rowcount


def _create(
    conn: sa.Connection, alias: str, subscriber: str | None, title: str, text: str, now: datetime, random: Random
) -> None:
    fixed = IDS.get(alias) or str(UUID(bytes=random(16), version=4))
    row = {"id": fixed, "alias": alias, "subscriber": subscriber, "title": title, "description": text}
    conn.execute(sa.insert(collections).values(**row, salt=random(32), last_seq=0, created_at=now))


def _require_reader(collection: Collection, view: View) -> None:
    expected = {CLEAR: PUBLIC.id}.get(collection.alias, collection.subscriber)
    if expected is None or view.reader != expected:
        raise DispatchError(f"{view.item}: this view was not composed for the readers of {collection.alias}")
    if collection.alias == CLEAR and view.label is not Label.CLEAR:
        raise DispatchError(f"{view.item}: {view.label} does not go into the collection {CLEAR}")


def _prepared(conn: sa.Connection, collection: str, objects: Sequence[dict[str, Any]], now: datetime) -> list[Prepared]:
    """The hub's identity, to which renamed objects point, comes before them."""
    salt: bytes = conn.execute(_SALT, {"collection": collection}).scalar_one()
    prepared = prepare(conn, collection, salt, objects, now)
    if any(each.renamed for each in prepared) and all(each.object_id != HUB["id"] for each in prepared):
        return [*prepare(conn, collection, salt, [HUB], now), *prepared]
    return prepared


def _objects_of(conn: sa.Connection, collection: str, item: str) -> set[str]:
    return set(conn.scalars(_OBJECTS, {"collection": collection, "item": item}))


def _take_back(conn: sa.Connection, collection: str, item: str, object_ids: set[str], now: datetime) -> int:
    """Unlink an item from objects; what nothing needs any more is emptied and revoked. Rows appended."""
    if not object_ids:
        return 0
    orphans = _unlinked(conn, collection, item, sorted(object_ids))
    notices = []
    for object_id, rows in orphans.items():
        last = max(rows, key=lambda row: (row.version, row.seq))
        obj = msgspec.json.decode(last.body)
        if "modified" in obj and not last.revoked and not _served(conn, collection, object_id):
            version, text = later(_newest(conn, object_id), now)
            body = serialised(notice(obj, text))
            digest = sha256(body).digest()
            notices.append(Prepared(object_id, version, text, last.spec_version, digest, body, revoked=True))
    return len(append(conn, collection, notices, now))


def _newest(conn: sa.Connection, object_id: str) -> datetime:
    """Over all collections: notices in two of them differ, so their versions have to."""
    rows = published.c
    query = sa.select(rows.version).where(rows.object_id == object_id).order_by(rows.version.desc()).limit(1)
    version: datetime = conn.execute(query).scalar_one()
    return version


def _unlinked(
    conn: sa.Connection, collection: str, item: str, object_ids: Sequence[str]
) -> dict[str, list[sa.Row[Any]]]:
    """Delete the links and empty the rows that have none left; those rows as they were, by object, in order."""
    links, rows, orphans = published_items.c, published.c, defaultdict(list)
    columns = (rows.object_id, rows.seq, rows.version, rows.spec_version, rows.body, rows.revoked)
    joined = published.join(published_items, sa.and_(rows.collection == links.collection, rows.seq == links.seq))
    others = published_items.alias().c
    shared = sa.exists().where(others.collection == rows.collection, others.seq == rows.seq, others.item != item)
    for start in range(0, len(object_ids), CHUNK):
        mine = (
            links.collection == collection,
            links.item == item,
            rows.object_id.in_(object_ids[start : start + CHUNK]),
        )
        found = conn.execute(sa.select(*columns, shared).select_from(joined).where(*mine).order_by(rows.seq)).all()
        touch(conn, collection, object_ids[start : start + CHUNK])
        for row in found:
            if not row[-1]:
                orphans[row.object_id].append(row)
        seqs = [row.seq for row in found]
        lonely = [row.seq for row in found if not row[-1]]
        for at in range(0, len(seqs), CHUNK):
            where = (links.collection == collection, links.item == item, links.seq.in_(seqs[at : at + CHUNK]))
            conn.execute(sa.delete(published_items).where(*where))
            orphaned = (rows.collection == collection, rows.seq.in_(lonely[at : at + CHUNK]))
            conn.execute(sa.update(published).where(*orphaned).values(withdrawn=True, body=b""))
    return orphans


def _fall(conn: sa.Connection, touched: sa.Select[str, int]) -> None:
    """(collection, seq) of rows of which something changes."""
    found = defaultdict(list)
    for collection, seq in conn.execute(touched):
        found[collection].append(seq)
    for collection, seqs in found.items():
        blocks.fall(conn, collection, seqs)


def _served(conn: sa.Connection, collection: str, object_id: str) -> bool:
    rows = published.c
    query = sa.select(rows.seq).where(rows.collection == collection, rows.object_id == object_id, ~rows.withdrawn)
    return conn.execute(query.limit(1)).first() is not None


__all__ = [
    "CLEAR", "IDS", "TEST", "TEST_INDICATOR", "Collection", "Standing", "collection_for", "drop", "ensure", "find",
    "forget", "move", "publish", "purge", "readable", "sizes", "subscribed", "test_bodies", "withdraw",
]  # fmt: skip
