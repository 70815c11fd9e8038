"""The registry: who is subscribed, with a number that is never given twice.

An import replaces what the operator knows; what the subscriber gave itself (`Own`) stands in a column of its own and
survives every import; readers get what holds of both (`subscribers.own`). Each change gets a revision that only
grows, in the order of commits (the counter row is locked until then), so that an index can follow with
`changed_since`. A removed subscriber leaves a tombstone: its number and revision, and nothing else.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, starmap
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, metadata
from subscribers import ChannelType, Claim, Contact, Incoming, Inventory, Own, Subscriber, SubscriberError, addresses
from subscribers.own import effective, reached

NOBODY = "no subscriber has this id: see `oktt subscribers list`"
MOST_INVENTORIES = 50
CHUNK = 500
"""Ids or numbers in one statement: both engines take it, and it is past the knee of the curve."""

subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(100), unique=True, comment="NULL once removed"),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False, comment="msgspec JSON of Incoming; empty once removed"),
    sa.Column("own", sa.LargeBinary, nullable=False, comment="msgspec JSON of Own: given by the subscriber"),
    sa.Column("revision", sa.Integer, nullable=False, index=True),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("removed_at", Instant),
)
history = sa.Table(
    "subscriber_history",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False, comment="when it was replaced"),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("own", sa.LargeBinary, nullable=False),
)
counters = sa.Table(
    "subscriber_counters",
    metadata,
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)
revisions = sa.Table(
    "subscriber_revisions",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("mark", sa.BigInteger, nullable=False, comment="random: tells it from one of a restored backup"),
    sa.Column("at", Instant, nullable=False),
)

_NOTHING = msgspec.json.encode(Own())
_INCOMING = msgspec.json.Decoder(Incoming)
_OWN = msgspec.json.Decoder(Own)
_COLUMNS = tuple(subscribers.c[name] for name in ("number", "data", "own", "changed_at", "revision"))
_REVISION = sa.select(counters.c.value).where(counters.c.name == "revision")
_GET = sa.select(*_COLUMNS).where(subscribers.c.id == sa.bindparam("id"))
_AMONG = sa.select(*_COLUMNS).where(subscribers.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_NUMBERS = (
    sa.select(*_COLUMNS)
    .where(subscribers.c.number.in_(sa.bindparam("numbers", expanding=True)), subscribers.c.removed_at.is_(None))
    .order_by(subscribers.c.number)
)
_BEFORE = sa.select(
    history.c.number, history.c.data, history.c.own, revisions.c.at.label("changed_at"), history.c.revision
).join(revisions, revisions.c.revision == history.c.revision)
T = TypeVar("T")
Row: TypeAlias = sa.Row[*tuple[Any, ...]]


class Meant(Protocol):
    """Something that is for one of a subscriber's contacts."""

    @property
    def channel(self) -> int:
        """Which: its index."""
        ...

    @property
    def medium(self) -> ChannelType | None:
        """Of which type; None: any."""
        ...

    @property
    def revision(self) -> int | None:
        """Of the subscriber that had those contacts; None: of the one that stood there at `queued_at`."""
        ...

    @property
    def queued_at(self) -> datetime:
        """When that was said."""
        ...


class Counts(NamedTuple):
    """What an import did."""

    new: int
    updated: int
    unchanged: int
    elsewhere: tuple[str, ...] = ()
    """Of these ids mail goes to an address that the subscriber gave, not to that of the import."""


def upsert(conn: sa.Connection, incoming: Sequence[Incoming], now: datetime) -> Counts:
    """Make the registry say what the import says about these subscribers; others stay. The caller commits.

    Raises SubscriberError when an id stands twice; nothing has been written then.
    """
    if len({one.id for one in incoming}) < len(incoming):
        raise SubscriberError("an id stands twice in one import: keep one of the two")
    if not incoming:
        return Counts(0, 0, 0)
    _advance(conn, "revision", 0)  # locks: who imports at the same time waits for our commit
    added: list[Incoming] = []
    changed: list[tuple[Row, Incoming, bytes]] = []
    elsewhere: list[str] = []
    for chunk in _chunks(incoming):
        known = _known(conn, [one.id for one in chunk])
        for one in chunk:
            row = known.get(one.id)
            if row is not None and row.own != _NOTHING and reached(one, _OWN.decode(row.own)) != one.contacts:
                elsewhere.append(one.id)
            if row is None:
                added.append(one)
            elif (data := msgspec.json.encode(one)) != row.data:
                changed.append((row, one, data))
    if added or changed:
        revision = _change(conn, now)
        _replace(conn, changed, revision, now)
        _insert(conn, added, revision, now)
    return Counts(len(added), len(changed), len(incoming) - len(added) - len(changed), tuple(elsewhere))


def give(conn: sa.Connection, id: str, own: Own, now: datetime) -> None:  # noqa: A002
    """Record what the subscriber gave itself, in place of what it gave before. Raises SubscriberError."""
    row, _ = _owned(conn, id)
    _give(conn, row, own, now)


def rename(conn: sa.Connection, id: str, to: str, now: datetime) -> None:  # noqa: A002
    """Another id, that nobody has, for who keeps its number, proofs and mail address. Raises SubscriberError."""
    row, own = _owned(conn, id)
    one = msgspec.structs.replace(_INCOMING.decode(row.data), id=to)
    address = next((each.address for each in reached(one, own) if each.type == "email"), "")
    claims = tuple(msgspec.structs.replace(each, under=each.under or id) for each in own.claims)
    conn.execute(
        subscribers.update().where(subscribers.c.number == row.number).values(id=to, data=msgspec.json.encode(one))
    )
    _give(conn, _known(conn, [to])[to], msgspec.structs.replace(own, claims=claims, address=address), now)


def own(conn: sa.Connection, id: str) -> Own:  # noqa: A002
    """What a subscriber gave itself; nobody else changes it until the caller commits. Raises SubscriberError."""
    return _owned(conn, id)[1]


def given(conn: sa.Connection, id: str) -> Own:  # noqa: A002
    """What a subscriber gave itself, to look at. Raises SubscriberError."""
    row = _known(conn, [id]).get(id)
    if row is None:
        raise SubscriberError(NOBODY)
    return _OWN.decode(row.own)


def claim(conn: sa.Connection, id: str, one: Claim, now: datetime) -> None:  # noqa: A002
    """Put what is known of one network or domain in place of what was; others stay. Raises SubscriberError."""
    row, own = _owned(conn, id)
    before = next((each for each in own.claims if each.what == one.what), None)
    kept = tuple(one if each is before else each for each in own.claims) if before else (*own.claims, one)
    counts = before is None or (before.proven_at is None) != (one.proven_at is None)
    _give(conn, row, msgspec.structs.replace(own, claims=kept), now, changed=counts)


def stock(conn: sa.Connection, id: str, inventory: Inventory, now: datetime) -> Inventory | None:  # noqa: A002
    """Put an inventory in place of the subscriber's one of that name, and return that one; None: there was none.

    Where only its date differs, nothing else is written: no new revision, no history. Raises SubscriberError.
    """
    row, own = _owned(conn, id)
    before = next((each for each in own.inventories if each.name == inventory.name), None)
    others = tuple(each for each in own.inventories if each.name != inventory.name)
    if before is None and len(others) >= MOST_INVENTORIES:
        raise SubscriberError(f"more than {MOST_INVENTORIES} inventories: drop one that is no longer true")
    if before is not None and before.source != inventory.source:
        raise SubscriberError(
            "an inventory of that name came in another way: give this one another name, or drop that one"
        )
    kept = (*others, inventory)
    if before is not None:  # in its place
        kept = tuple(inventory if each.name == inventory.name else each for each in own.inventories)
    changed = before is None or set(before.software) != set(inventory.software)
    _give(conn, row, msgspec.structs.replace(own, inventories=kept), now, changed=changed)
    return before


def unstock(conn: sa.Connection, id: str, name: str, now: datetime) -> Inventory | None:  # noqa: A002
    """Forget an inventory, and return it; None: there is none of that name. Raises SubscriberError."""
    row, own = _owned(conn, id)
    gone = next((each for each in own.inventories if each.name == name), None)
    if gone is not None:
        kept = tuple(each for each in own.inventories if each.name != name)
        _give(conn, row, msgspec.structs.replace(own, inventories=kept), now)
    return gone


def get(conn: sa.Connection, id: str) -> Subscriber | None:  # noqa: A002
    """The subscriber with this id; None: there is none, or it was removed."""
    row = conn.execute(_GET, {"id": id}).one_or_none()
    return None if row is None else _subscriber(*row)


def among(conn: sa.Connection, ids: Iterable[str]) -> Iterator[Subscriber]:
    """The subscribers with these ids; removed and unknown ones are left out."""
    for chunk in _chunks(sorted(set(ids))):
        yield from starmap(_subscriber, conn.execute(_AMONG, {"ids": chunk}).all())


def at_address(conn: sa.Connection, address: str) -> list[Subscriber]:
    """Who gets mail at this address, by number."""
    return list(by_numbers(conn, addresses.holders(conn, address)))


def by_numbers(conn: sa.Connection, numbers: Iterable[int]) -> Iterator[Subscriber]:
    """The subscribers with these numbers, in rising order; removed and unknown ones are left out."""
    for chunk in _chunks(sorted(set(numbers))):
        yield from starmap(_subscriber, conn.execute(_BY_NUMBERS, {"numbers": chunk}).all())


def every(conn: sa.Connection) -> Iterator[Subscriber]:
    """All subscribers, by number. Read in pages: memory stays small, and the caller may write in between."""
    for row in _paged(conn, sa.select(*_COLUMNS).where(subscribers.c.removed_at.is_(None))):
        yield _subscriber(*row)


def named(conn: sa.Connection, start: str) -> Iterator[Subscriber]:
    """Those whose id begins so, by number."""
    for row in _paged(conn, sa.select(*_COLUMNS).where(subscribers.c.id.startswith(start, autoescape=True))):
        yield _subscriber(*row)


def giving(conn: sa.Connection) -> Iterator[Subscriber]:
    """Those who gave something themselves, by number, read as `every` does."""
    stand = sa.and_(subscribers.c.removed_at.is_(None), subscribers.c.own != _NOTHING)
    for row in _paged(conn, sa.select(*_COLUMNS).where(stand)):
        yield _subscriber(*row)


def remove(conn: sa.Connection, id: str, now: datetime) -> int | None:  # noqa: A002
    """Forget a subscriber: name, profile, contacts and history go; the number stays taken.

    Returns the number, or None when nobody has this id.
    """
    _advance(conn, "revision", 0)
    row = _known(conn, [id]).get(id)
    if row is None:
        return None
    number: int = row.number
    revision = _change(conn, now)
    addresses.drop(conn, [number])
    conn.execute(history.delete().where(history.c.number == number))
    conn.execute(
        subscribers.update()
        .where(subscribers.c.number == number)
        .values(id=None, name="", data=b"", own=b"", revision=revision, changed_at=now, removed_at=now)
    )
    return number


def forget(conn: sa.Connection, before: datetime) -> int:
    """Delete what was replaced before a moment (retention); how many earlier states."""
    return conn.execute(history.delete().where(history.c.at < before)).rowcount


def replaced(conn: sa.Connection) -> Iterator[tuple[str, int, datetime, dict[str, Any]]]:
    """Earlier states that are still kept: (subscriber, revision, when it was replaced, what it said)."""
    chosen = sa.select(subscribers.c.id, history.c.revision, history.c.at, history.c.data, history.c.own)
    joined = chosen.join(history, history.c.number == subscribers.c.number).order_by(history.c.number)
    for row in conn.execute(joined.order_by(history.c.revision)):
        yield row.id or "", row.revision, row.at, _said(row)


def covered(conn: sa.Connection) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """(subscriber, changed when, what is stored) of those who gave something themselves: what they gave may hide what
    an operator imported."""
    stand = sa.and_(subscribers.c.removed_at.is_(None), subscribers.c.own != _NOTHING)
    for row in _paged(conn, sa.select(subscribers).where(stand)):
        yield row.id, row.changed_at, _said(row)


def _said(row: Row) -> dict[str, Any]:
    """As it is stored. Where both give a name, that of the import stands apart."""
    data, own = msgspec.json.decode(row.data), msgspec.json.decode(row.own)
    return {**data, **own, "imported": {"name": data.get("name", "")}}


def forget_replaced(conn: sa.Connection, id: str, revision: int) -> None:  # noqa: A002
    """Delete one earlier state."""
    number = sa.select(subscribers.c.number).where(subscribers.c.id == id).scalar_subquery()
    conn.execute(history.delete().where(history.c.number == number, history.c.revision == revision))


def at(conn: sa.Connection, id: str, moment: datetime) -> Subscriber | None:  # noqa: A002
    """The subscriber as it was registered then; None: it was not yet, was removed since, or that is no longer kept."""
    row = conn.execute(_GET, {"id": id}).one_or_none()
    if row is None or row.changed_at <= moment:
        return None if row is None else _subscriber(*row)
    stood = (history.c.number == row.number, history.c.at > moment, revisions.c.at <= moment)
    before = conn.execute(_BEFORE.where(*stood).order_by(history.c.revision.desc()).limit(1)).one_or_none()
    return None if before is None else msgspec.structs.replace(_subscriber(*before), id=id)


def meant(conn: sa.Connection, one: Subscriber, what: Meant) -> Contact | None:
    """Where of a subscriber something goes that was meant for its nth contact, of that type, as it stood then: it may
    have others by now, or the same in another order. None: nowhere any more."""
    then = _then(conn, one, what).contacts
    of = next((each for each in then[what.channel : what.channel + 1] if what.medium in (None, each.type)), None)
    return None if of is None else one.contact(of, then)


def went(conn: sa.Connection, one: Subscriber, what: Meant, moment: datetime | None) -> Contact | None:
    """Where that went at a moment, whatever its subscriber's contacts are by now; None: just now."""
    then = at(conn, one.id, moment) if moment is not None else one
    return meant(conn, then or one, what)


def _then(conn: sa.Connection, one: Subscriber, what: Meant) -> Subscriber:
    """As it stood; where that is no longer kept, as it stands.

    By the revision that somebody had before him: an import takes its time, and counts from when it began.
    """
    if what.revision is None:
        return one if one.changed_at <= what.queued_at else at(conn, one.id, what.queued_at) or one
    if what.revision == one.revision:
        return one
    stood = (history.c.number == one.number, history.c.revision == what.revision)
    row = conn.execute(_BEFORE.where(*stood)).one_or_none()
    return one if row is None else _subscriber(*row)


def revision(conn: sa.Connection) -> int:
    """The latest revision; 0 for an empty registry. An index that has it is up to date."""
    return conn.scalar(_REVISION) or 0


def mark(conn: sa.Connection, revision: int) -> int | None:
    """What tells this revision from another registry's of the same number; None: there is no such revision.

    A copy of the registry that was made at a revision may be followed from there only if its mark is the same: after a
    backup was restored, other changes get the numbers that were given before.
    """
    return conn.scalar(sa.select(revisions.c.mark).where(revisions.c.revision == revision))


def changed_since(conn: sa.Connection, revision: int) -> Iterator[tuple[int, Subscriber | None]]:
    """(number, the subscriber as it is now) for all that changed after that revision; None: it was removed.

    Read `revision(conn)` before this: what commits in between is then given twice, never lost.
    """
    query = sa.select(*_COLUMNS, subscribers.c.removed_at).where(subscribers.c.revision > revision)
    for row in _paged(conn, query):
        yield row.number, _subscriber(*row[:5]) if row.removed_at is None else None


def _paged(conn: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> Iterator[Row]:
    last, page = 0, 20 * CHUNK
    while True:
        rows = conn.execute(query.where(subscribers.c.number > last).order_by(subscribers.c.number).limit(page)).all()
        yield from rows
        if len(rows) < page:
            return
        last = rows[-1].number


def _subscriber(number: int, data: bytes, given: bytes, changed_at: datetime, revision: int) -> Subscriber:
    one = _INCOMING.decode(data)
    if given != _NOTHING:
        return effective(one, _OWN.decode(given), number, changed_at, revision)
    who = one.id, number, one.name, one.language, one.clearance, one.profile, one.contacts, changed_at
    return Subscriber(*who, revision=revision)


def _owned(conn: sa.Connection, id: str) -> tuple[Row, Own]:  # noqa: A002
    """A subscriber's row, locked, and what it gave itself. Raises SubscriberError."""
    _advance(conn, "revision", 0)
    row = _known(conn, [id]).get(id)
    if row is None:
        raise SubscriberError(NOBODY)
    return row, _OWN.decode(row.own)


def _give(conn: sa.Connection, row: Row, own: Own, now: datetime, *, changed: bool = True) -> None:
    values: dict[str, Any] = {"own": msgspec.json.encode(own)}
    if changed:
        values |= {"revision": _change(conn, now), "changed_at": now}
        _remember(conn, [row], now)
    conn.execute(subscribers.update().where(subscribers.c.number == row.number).values(values))
    if own.address != _OWN.decode(row.own).address:
        addresses.drop(conn, [row.number])
        addresses.put(conn, [(row.number, reached(_INCOMING.decode(row.data), own))])


def _known(conn: sa.Connection, ids: Sequence[str]) -> dict[str, Row]:
    chosen = sa.select(subscribers).where(subscribers.c.id.in_(ids))
    return {row.id: row for row in conn.execute(chosen)}


def _insert(conn: sa.Connection, added: Sequence[Incoming], revision: int, now: datetime) -> None:
    if not added:
        return
    first = _advance(conn, "number", len(added)) - len(added) + 1
    for chunk in _chunks(list(enumerate(added, start=first))):
        rows = [
            {
                "number": number,
                "id": one.id,
                "name": one.name,
                "data": msgspec.json.encode(one),
                "own": _NOTHING,
                "revision": revision,
                "changed_at": now,
            }
            for number, one in chunk
        ]
        conn.execute(subscribers.insert(), rows)
        addresses.put(conn, ((number, one.contacts) for number, one in chunk))


def _replace(conn: sa.Connection, changed: Sequence[tuple[Row, Incoming, bytes]], revision: int, now: datetime) -> None:
    if not changed:
        return
    _remember(conn, [row for row, _, _ in changed], now)
    given: dict[str, Any] = {"name": sa.bindparam("new_name"), "data": sa.bindparam("new_data")}
    statement = (
        subscribers.update()
        .where(subscribers.c.number == sa.bindparam("key"))
        .values(given | {"revision": revision, "changed_at": now})
    )
    rows = [{"key": row.number, "new_name": one.name, "new_data": data} for row, one, data in changed]
    conn.execute(statement, rows)
    addresses.drop(conn, [row.number for row, _, _ in changed])
    addresses.put(conn, [(row.number, reached(one, _OWN.decode(row.own))) for row, one, _ in changed])


def _remember(conn: sa.Connection, rows: Sequence[Row], now: datetime) -> None:
    """Put what is about to be replaced into the history."""
    before = [
        {"number": row.number, "revision": row.revision, "at": now, "data": row.data, "own": row.own} for row in rows
    ]
    conn.execute(history.insert(), before)


def _change(conn: sa.Connection, now: datetime) -> int:
    """A new revision."""
    revision = _advance(conn, "revision", 1)
    conn.execute(revisions.insert(), {"revision": revision, "mark": secrets.randbits(62), "at": now})
    return revision


def _advance(conn: sa.Connection, name: str, by: int) -> int:
    """Move a counter on and return its new value. The row stays locked until the caller's commit."""
    moved = counters.update().where(counters.c.name == name).values(value=counters.c.value + by)
    if conn.execute(moved).rowcount == 0:
        _create(conn, name)
        conn.execute(moved)
    value: int = conn.execute(sa.select(counters.c.value).where(counters.c.name == name)).scalar_one()
    return value


def _create(conn: sa.Connection, name: str) -> None:
    """Two may come here at once on PostgreSQL: the second waits, finds the row, and adds nothing."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_pg

        conn.execute(insert_pg(counters).values(name=name, value=0).on_conflict_do_nothing())
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_lite

        conn.execute(insert_lite(counters).values(name=name, value=0).on_conflict_do_nothing())


def _chunks(values: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
