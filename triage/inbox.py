"""Where guarded items lie: items, the statements of their sources, and versions.

Everything here may run twice: a statement has a natural key, an item what leads to it (`triage.leads`).
`triage.merging` writes them; this module owns the tables and reads. Documents lie in `triage.documents`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, metadata
from normalize import Facts, identity
from pii_guard import Item, Statement
from pii_guard.guard import SEAL, Guard
from tlp import Label
from triage import State, TriageError

items = sa.Table(
    "items",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("meaning", sa.String(64), nullable=False),
    sa.Column("card", sa.LargeBinary, nullable=False, comment="what `oktt items` lists, JSON"),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False, index=True),
    sa.Column("holder", sa.String(100), comment="who claimed or held it"),
    sa.Column("label", sa.String(12), comment="a stricter label that an analyst set"),
    sa.Column("urgency", sa.String(12), comment="an analyst's"),
    sa.Column("ruled", sa.String(64), comment="what the release rules last looked at"),
    sa.Column(
        "reserved", sa.Boolean, nullable=False, default=False, comment="a person kept it back: no rule lets it out"
    ),
    sa.Column("merged_into", sa.String(40), index=True, comment="the item that took it in, and has its statements"),
    sa.Column("split_from", sa.String(40), comment="the item that a person split it from"),
)
statements = sa.Table(
    "statements",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("item", sa.ForeignKey("items.id"), index=True, comment="null: facts, which join by CVE"),
    sa.Column("source", sa.String(100), nullable=False, index=True),
    sa.Column("label", sa.String(12), nullable=False),
    sa.Column("meaning", sa.String(64), nullable=False),
    sa.Column("regime", sa.String(40), nullable=False),
    sa.Column("received_at", Instant, nullable=False, index=True),
    sa.Column("source_time", Instant, comment="when it was said, by the source's own clock"),
    sa.Column("as_of", Instant, comment="the latest of its source's own times; null: what arrives last holds"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("origin", sa.String(40), comment="the item it lay in before that was taken in"),
)
cves = sa.Table(
    "cves",
    metadata,
    sa.Column("cve", sa.String(30), primary_key=True),
    sa.Column("statement", sa.ForeignKey("statements.key"), primary_key=True, index=True),
)
versions = sa.Table(
    "versions",
    metadata,
    sa.Column("item", sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("card", sa.LargeBinary, nullable=False),
    sa.Column("said", sa.LargeBinary, nullable=False, comment="sealed statements and CVE facts as they were"),
)
history = sa.Table(
    "history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("item", sa.ForeignKey("items.id"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("os_user", sa.String(100), nullable=False),
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
)
counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)


def _said(what: Literal["whole", "seals"] = "whole") -> sa.Select[Any]:
    """(joins, sealed) of each statement of an item, then of each CVE record that joins it; or the seals alone."""
    sealed = statements.c.sealed if what == "whole" else sa.func.substr(statements.c.sealed, 1, SEAL).label("sealed")
    columns = (statements.c.received_at, statements.c.key, sealed)
    mine = statements.c.item == _ITEM
    named = sa.select(cves.c.cve).join(statements, statements.c.key == cves.c.statement).where(mine)
    naming = statements.c.key.in_(sa.select(cves.c.statement).where(cves.c.cve.in_(named)))
    own = sa.select(sa.literal_column("0").label("joins"), *columns).where(mine)
    joining = sa.select(sa.literal_column("1"), *columns).where(statements.c.item.is_(None), naming)
    both = sa.union_all(own, joining).subquery().c
    return sa.select(both.joins, both.sealed).order_by(both.joins, both.received_at, both.key)


# What is asked for each item is built once: building it costs three times what carrying it out does.
_ITEM: sa.BindParameter[str] = sa.bindparam("item")
_ROW = sa.select(items).where(items.c.id == _ITEM)
_SAID = _said()
_SEALS = _said("seals")
_MOVE = items.update().where(items.c.id == sa.bindparam("moved"))
_NOTE = history.insert()
_ADMITTING = 0x6F6B7474
"""The advisory lock's number on PostgreSQL: `oktt` in ASCII."""
_ALONE = sa.select(sa.func.pg_advisory_xact_lock(_ADMITTING))


def alone(connection: sa.Connection) -> None:
    """The right to lay things down, until the transaction ends: whether an id, a merge key or a document is new is
    decided over what is committed. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE)


def load(connection: sa.Connection, guard: Guard, item: str) -> Item:
    """The item whole. Raises TriageError when there is none, GuardError when a seal is broken."""
    return whole(connection, guard, row(connection, item))


def whole(connection: sa.Connection, guard: Guard, found: sa.Row[Any]) -> Item:
    """The same for an item whose row is at hand."""
    if found.merged_into is not None:
        raise TriageError(f"{found.id} is the same threat as {found.merged_into}: use that one")
    return guard.restore(found.id, found.version, *sealed(connection, found.id))


def row(connection: sa.Connection, item: str) -> sa.Row[Any]:
    """The item's row: state, version, holder, overrides. Raises TriageError when there is none."""
    found = connection.execute(_ROW, {"item": item}).one_or_none()
    if found is None:
        raise TriageError(f"there is no item {item}: `oktt items` lists them")
    return found


def taken_in(connection: sa.Connection, item: str) -> list[str]:
    """Ids of the items that this one took in: who got one of those got this one."""
    query = sa.select(items.c.id).where(items.c.merged_into == item)
    return [str(each) for each in connection.scalars(query.order_by(items.c.id))]


def parted(connection: sa.Connection, item: str) -> bool:
    """Did a person split another item from this one?"""
    return connection.execute(sa.select(items.c.id).where(items.c.split_from == item).limit(1)).first() is not None


def keys(connection: sa.Connection, item: str) -> list[str]:
    """Keys of the statements that lie in an item."""
    query = sa.select(statements.c.key).where(statements.c.item == item)
    return [str(each) for each in connection.scalars(query.order_by(statements.c.key))]


def lies_in(connection: sa.Connection, key: str) -> tuple[str, datetime] | None:
    """The item that a statement lies in, and when that came in; None: there is no such statement."""
    query = sa.select(items.c.id, items.c.received_at).join(statements, statements.c.item == items.c.id)
    found = connection.execute(query.where(statements.c.key == key)).one_or_none()
    return None if found is None else (found.id, found.received_at)


def records(connection: sa.Connection, guard: Guard, key: str) -> list[bytes]:
    """The vault's records of a statement as they now lie: its own, and those of its copies in versions of its item."""
    found = connection.execute(sa.select(statements.c.item, statements.c.sealed).where(statements.c.key == key)).first()
    if found is None:
        return []
    stored = [found.sealed]
    for said in connection.scalars(sa.select(versions.c.said).where(versions.c.item == found.item)):
        stored += [each for part in msgspec.msgpack.decode(said, type=tuple[list[bytes], list[bytes]]) for each in part]
    restored = (guard.restore(key, 0, [each]).statements[0] for each in dict.fromkeys(stored))
    return [each.vault for each in restored if each.key == key and each.vault]


def stands(connection: sa.Connection, guard: Guard, statement: Statement) -> bool | None:
    """Is this what its source says by what lies here? None: nothing lies here under its key."""
    columns = (statements.c.item, statements.c.meaning, statements.c.sealed)
    found = connection.execute(sa.select(*columns).where(statements.c.key == statement.key)).one_or_none()
    if found is None or found.meaning == statement.meaning:
        return None if found is None else True
    (before,) = guard.restore(found.item or "", 0, [found.sealed]).statements
    return guard.meaning(before) == statement.meaning


def former(connection: sa.Connection, item: str) -> tuple[list[str], str | None]:
    """Under what ids what is said here may have gone out before: the items that this one took in, and the one that a
    person split it from."""
    return taken_in(connection, item), row(connection, item).split_from


def rows(connection: sa.Connection, wanted: Iterable[str]) -> Sequence[sa.Row[str, str, int, datetime]]:
    """(id, state, version, changed_at) of those of these items of which something may be out: released, or released
    before more was said of it that nobody has decided on yet. In order of their ids."""
    columns = items.c
    query = sa.select(columns.id, columns.state, columns.version, columns.changed_at)
    open_again = sa.and_(columns.state.in_(("new", "claimed", "held", "pending")), ~columns.reserved)
    mine = (columns.id.in_(list(wanted)), sa.or_(columns.state == "released", open_again))
    return connection.execute(query.where(*mine).order_by(columns.id)).all()


def still(connection: sa.Connection, wanted: Collection[str]) -> tuple[dict[str, tuple[str, State]], set[str]]:
    """Of these items, or of what took them in: (id, state), which nobody changes until this transaction ends; and those
    that somebody is at. Who waited here, and held what that one wants, would stop both (PostgreSQL)."""
    columns = items.c
    query = sa.select(columns.id, columns.state, columns.merged_into)
    known = {row.id: row for row in connection.execute(query.where(columns.id.in_(wanted)))}
    into = {row.merged_into for row in known.values() if row.merged_into}
    every = query.where(columns.id.in_({*known, *into})).order_by(columns.id)
    held = {row.id: row for row in connection.execute(every.with_for_update(read=True, skip_locked=True))}
    gone = into - set(connection.scalars(sa.select(columns.id).where(columns.id.in_(into))))
    found: dict[str, tuple[str, State]] = {}
    for each in known.keys() & held.keys():
        item = held[each].merged_into
        item = each if item is None or item in gone else item
        if item in held:
            found[each] = (item, held[item].state)
    return found, known.keys() - found.keys()


def wait(connection: sa.Connection, item: str) -> None:
    """Until nobody is at it. For a transaction that holds nothing else."""
    into = connection.scalar(sa.select(items.c.merged_into).where(items.c.id == item))
    both = sa.select(items.c.id).where(items.c.id.in_([item, into or item])).order_by(items.c.id)
    connection.execute(both.with_for_update(read=True)).all()


def cards(
    connection: sa.Connection, *, state: str | None = None, since: datetime | None = None, limit: int = 100
) -> Iterator[dict[str, Any]]:
    """What `oktt items` prints, newest change first."""
    query = sa.select(items).order_by(items.c.changed_at.desc(), items.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(items.c.state == state)
    if since is not None:
        query = query.where(items.c.changed_at >= since)
    for found in connection.execute(query):
        yield _listed(found)


def card(connection: sa.Connection, item: str) -> dict[str, Any]:
    """One item as `oktt items` lists it."""
    return _listed(row(connection, item))


def past(connection: sa.Connection, item: str) -> list[dict[str, Any]]:
    """The item's history, oldest first."""
    query = sa.select(history).where(history.c.item == item).order_by(history.c.id)
    return [
        {"at": each.at, "by": each.by, "what": each.what, "reason": each.reason, "version": each.version}
        for each in connection.execute(query)
    ]


def expired(connection: sa.Connection, before: Mapping[str, datetime]) -> list[str]:
    """Ids of items all of whose statements were received before the moment of the regime that let them in.

    What a regime let in that the policy no longer has goes with the longest of them; so does what was merged away.
    """
    columns = statements.c
    fresh = sa.select(columns.item).where(columns.item.is_not(None), sa.not_(_old(before)))
    gone = sa.select(columns.item).where(columns.item.is_not(None))
    empty = sa.and_(items.c.id.not_in(gone), items.c.changed_at < min(before.values()))
    query = sa.select(items.c.id).where(sa.or_(empty, sa.and_(items.c.id.in_(gone), items.c.id.not_in(fresh))))
    return [str(each) for each in connection.scalars(query.order_by(items.c.id))]


def delete_facts(connection: sa.Connection, before: Mapping[str, datetime]) -> int:
    """Delete CVE records that are as old, and that no item names any more; how many."""
    other = cves.alias()
    named = (
        sa.select(cves.c.statement)
        .join(other, other.c.cve == cves.c.cve)
        .join(statements, statements.c.key == other.c.statement)
        .where(statements.c.item.is_not(None))
    )
    columns = statements.c
    mine = (columns.item.is_(None), _old(before), columns.key.not_in(named))
    keys = sa.select(columns.key).where(*mine)
    found = list(connection.scalars(keys))
    for start in range(0, len(found), 500):
        chunk = found[start : start + 500]
        connection.execute(cves.delete().where(cves.c.statement.in_(chunk)))
        connection.execute(statements.delete().where(columns.key.in_(chunk)))
    return len(found)


def _old(before: Mapping[str, datetime]) -> sa.ColumnElement[bool]:
    columns = statements.c
    known = [sa.and_(columns.regime == regime, columns.received_at < moment) for regime, moment in before.items()]
    unknown = sa.and_(columns.regime.not_in(list(before)), columns.received_at < min(before.values()))
    return sa.or_(*known, unknown)


def delete(connection: sa.Connection, item: str) -> None:
    """Delete an item with its statements, versions and history; `triage.leads` comes first. What was sent of it stands
    in the ledger."""
    own = sa.select(statements.c.key).where(statements.c.item == item)
    connection.execute(cves.delete().where(cves.c.statement.in_(own)))
    for table in (statements, versions, history):
        connection.execute(table.delete().where(table.c.item == item))
    connection.execute(items.delete().where(items.c.id == item))


def note(
    connection: sa.Connection,
    item: str,
    version: int,
    now: datetime,
    by: str,
    what: str,
    reason: str = "",
    os_user: str = "",
) -> None:
    """A line in the item's history."""
    values = {"item": item, "version": version, "at": now, "by": by, "os_user": os_user, "what": what}
    connection.execute(_NOTE, {**values, "reason": reason[:500]})


def set_state(connection: sa.Connection, item: str, state: State, now: datetime, **columns: Any) -> None:
    """Move an item to a state, with other columns of the row."""
    connection.execute(_MOVE, {"moved": item, "state": state, "changed_at": now, **columns})


def standing_facts(item: Item) -> Facts:
    """The facts of all statements together, as analysts see them."""
    return identity.combine([each.facts for each in item.statements], [each.facts for each in item.facts])


def best(parts: Sequence[Statement], kind: str) -> Statement:
    """The statement whose title an item bears: of its kind, widest label, most reliable source, first received."""
    return min(
        parts, key=lambda each: (each.kind != kind, each.label.rank, each.reliability, each.received_at, each.key)
    )


def sealed(connection: sa.Connection, item: str) -> tuple[list[bytes], list[bytes]]:
    """An item's statements, and the CVE records that join it, as the guard sealed them."""
    own: list[bytes] = []
    joining: list[bytes] = []
    for joins, said in connection.execute(_SAID, {"item": item}):
        (joining if joins else own).append(said)
    return own, joining


def seals(connection: sa.Connection, item: str) -> list[bytes]:
    """The seals of the same, by which it shows whether anything of it changed."""
    return [bytes(said) for _, said in connection.execute(_SEALS, {"item": item})]


def earlier(connection: sa.Connection, guard: Guard, item: str, version: int) -> Item | None:
    """The item as it was in a version: what an update is compared with. None: there is no such version."""
    query = sa.select(versions.c.said).where(versions.c.item == item, versions.c.version == version)
    found = connection.scalar(query)
    if found is None:
        return None
    own, joining = msgspec.msgpack.decode(found, type=tuple[list[bytes], list[bytes]])
    return guard.restore(item, version, own, joining)


def _listed(found: sa.Row[Any]) -> dict[str, Any]:
    stored = msgspec.json.decode(found.card)
    stored["tlp"] = max(Label(stored["tlp"]), Label(found.label)).value if found.label else stored["tlp"]
    stored["urgency"] = found.urgency or stored["urgency"]
    return {"id": found.id, "kind": stored.pop("kind"), "state": found.state, **stored, "version": found.version}
