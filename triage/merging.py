"""How guarded drafts come to lie in items: new, one statement more, a new version, or two items that are one.

Which statements lie in one item, and what they say, does not depend on the order of arrival: they are connected by
keys that they share or once shared, and of two versions the later one counts, by the source's own time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import structs

from ingest import OWN
from normalize import identity
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from tlp import Label
from triage import exposures, joining, leads
from triage.composition import recompose
from triage.inbox import alone, cves, items, row, statements

Effect = Literal["new", "updated", "unchanged", "merged"]
_AHEAD = timedelta(days=1)
"""A source's time that is further ahead of its receipt says nothing."""
_KEY: sa.BindParameter[str] = sa.bindparam("known")
_OLD = sa.select(statements).where(statements.c.key == _KEY)
_SAY, _SAY_ANEW = statements.insert(), statements.update().where(statements.c.key == _KEY)
_NAME, _UNNAME = cves.insert(), cves.delete().where(cves.c.statement == _KEY)


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one guarded draft: the item it lies in (none: facts that name no known item)."""

    effect: Effect
    item: str | None
    held: bool
    took: tuple[str, ...] = ()
    """Items that it turned out to be the same threat as, and took in: what went out of them is now its own."""
    key: str = ""
    """Of the statement that it lies there as."""


def admit(
    connection: sa.Connection, guard: Guard, guarded: Item, keys: Sequence[str], now: datetime, *, whole: str = ""
) -> list[Admission]:
    """Lay one guarded draft into the inbox: a new item, a statement more, or a new version.

    `whole`: key under which the statement lies of which this is a layer (pii_guard.Statement).

    `keys` are the merge keys of normalize.identity in their order, keyed by the caller: they are stored. Facts (CVE
    records) give one Admission for each item they change. Wording that changes alone is not taken over: what was
    approved is what stands (docs/decisions/011).
    """
    alone(connection)
    (statement,) = guarded.statements
    if whole:
        statement = structs.replace(statement, key=f"{whole}/{statement.key.partition('/')[2]}")
    return _admitted(connection, guard, statement, keys, now)


def retire(
    connection: sa.Connection, guard: Guard, guarded: Item, layers: Collection[str], now: datetime, *, whole: str
) -> list[Admission]:
    """What its source no longer marks as wider than the whole goes under the whole's label, as part of it.

    `layers`: keys of those that it still has, as they were admitted.
    """
    possible = {f"{whole}/{label.rank}" for label in Label}.difference(layers)
    gone = connection.scalars(sa.select(statements.c.key).where(statements.c.key.in_(possible))).all()
    (statement,) = guarded.statements
    return [
        each
        for key in sorted(gone)
        for each in _admitted(connection, guard, structs.replace(statement, key=key), (), now)
    ]


def _admitted(
    connection: sa.Connection, guard: Guard, statement: Statement, keys: Sequence[str], now: datetime
) -> list[Admission]:
    old = connection.execute(_OLD, {"known": statement.key}).one_or_none()
    if statement.kind == "facts":
        return _joined(connection, guard, statement, old, now)
    listed = bool(identity.linking(statement.kind, statement.facts.observables))
    contents = guard.contents(statement) if listed else ()
    names = [*keys, *contents]
    followed = leads.followed(connection, names)
    again = False
    layer = "/" in statement.key
    if old is None and not layer and (first := _first(statement, keys[0], contents, followed)) is not None:
        old = connection.execute(_OLD, {"known": first.statement}).one()
        statement, again = structs.replace(statement, key=old.key), first.key != keys[0]
    statement = _named(connection, guard, statement, old)
    known = [each for each in followed if each.key not in contents]
    if old is not None and not (_doubted(guard, statement, old) or (not again and _news(guard, statement, old))):
        _later(connection, statement, old)
        where, took = _connected(connection, guard, old, names, followed, known, now)
        return [Admission("merged" if took else "unchanged", where, False, took, statement.key)]
    where, took = _home(connection, known, statement.source, old.item if old else None, guard, now)
    effect: Effect = "updated" if old else "merged" if where else "new"
    current = row(connection, where) if where else joining.create(connection, statement.received_at, now)
    item = str(current.id)
    closed, stored = _store(connection, guard, statement, item, exists=old is not None)
    leads.claim(connection, names, statement.key)
    leads.index(connection, guard, statement, new=old is None)
    exposures.index(connection, guard, statement)
    why = f"{effect} by source {statement.source}"
    changed = recompose(connection, guard, current, now, why, fresh=(closed, stored))
    if effect == "updated" and not changed and statement.source != OWN:
        effect = "unchanged"
    return [Admission(effect, item, bool(statement.holds), took, statement.key)]


def _joined(
    connection: sa.Connection, guard: Guard, statement: Statement, old: sa.Row[Any] | None, now: datetime
) -> list[Admission]:
    """Facts join the items that name their CVEs, now or later."""
    if old is not None and not _news(guard, statement, old):
        _later(connection, statement, old)
        return [Admission("unchanged", old.item, held=False)]
    _store(connection, guard, statement, None, exists=old is not None)
    touched = [row(connection, item) for item in _items_naming(connection, statement.facts.cves)]
    renewed = [item.id for item in touched if recompose(connection, guard, item, now, "CVE record", facts=True)]
    return [Admission("updated", item, held=False) for item in renewed]


def _named(connection: sa.Connection, guard: Guard, statement: Statement, old: sa.Row[Any] | None) -> Statement:
    """With a name for what it says that is gated: that of what stands, if that says the same."""
    if not any(each.own for each in statement.facts.observables):
        return statement
    before = None if old is None else guard.restore(old.item or "", 0, [old.sealed]).statements[0]
    same = before is not None and guard.vault.same(connection, statement, before)
    return guard.named(statement, before, same=same)


def _first(statement: Statement, own: str, contents: Sequence[str], followed: Sequence[Any]) -> Any | None:
    """What the source said before under another id: under this one it is a version of that; else it publishes the same
    indicators again, also those of an earlier version, with new ids. None: it is new."""
    mine = [each for each in followed if each.source == statement.source and "/" not in each.statement]
    again = [each for each in mine if each.key in (own, *contents)]
    return min(again, key=lambda each: (each.key != own, each.statement), default=None)


def _doubted(guard: Guard, statement: Statement, old: sa.Row[Any]) -> bool:
    """Does it come with a doubt that what stands has not? Then a person looks, though it says the same again."""
    if not statement.holds:
        return False
    (before,) = guard.restore(old.item or "", 0, [old.sealed]).statements
    return not set(statement.holds) <= set(before.holds)


def _news(guard: Guard, statement: Statement, old: sa.Row[Any]) -> bool:
    """Does it say anything else than what stands, and later? What stands was perhaps weighed by the rules of then."""
    same = (old.meaning, old.label) == (statement.meaning, statement.label.value)
    if same and statement.source != OWN:
        return False
    (before,) = guard.restore(old.item or "", 0, [old.sealed]).statements
    if statement.source == OWN and (before.title, before.summary) != (statement.title, statement.summary):
        return True  # our own words are what we make them
    if same or guard.meaning(before) == statement.meaning:
        return False
    return not (as_of := _as_of(statement)) or old.as_of is None or as_of >= old.as_of


def _as_of(statement: Statement) -> datetime | None:
    """The moment by which its versions are ordered; None: by their arrival. Of lists of indicators and exposures what
    came last holds: their time is that of the newest row, which may be gone. A time far ahead says nothing."""
    if statement.kind in ("indicators", "exposure") or statement.source_time is None:
        return None
    return statement.source_time if statement.source_time <= statement.received_at + _AHEAD else None


def _later(connection: sa.Connection, statement: Statement, old: sa.Row[Any]) -> None:
    """What says the same as before, and later, outdates what was said between."""
    as_of = _as_of(statement)
    if as_of is not None and (old.as_of is None or as_of > old.as_of):
        connection.execute(statements.update().where(statements.c.key == old.key), {"as_of": as_of})


def _connected(
    connection: sa.Connection,
    guard: Guard,
    old: sa.Row[Any],
    names: Sequence[str],
    followed: Sequence[Any],
    known: Sequence[Any],
    now: datetime,
) -> tuple[str | None, tuple[str, ...]]:
    """Nothing new is said; but under what names it is known may be new, and connect it with others."""
    if {each.key for each in followed if each.statement == old.key}.issuperset(names):
        return old.item, ()
    leads.claim(connection, names, old.key)
    return _home(connection, known, old.source, old.item, guard, now)


def _home(
    connection: sa.Connection, known: Sequence[Any], source: str, own: str | None, guard: Guard, now: datetime
) -> tuple[str | None, tuple[str, ...]]:
    """The item that keys lead to, and those that it took in: items that they connect become one, unless a person told
    them apart."""
    found = {each.item for each in known} | ({own} if own is not None else set())
    if len(found) <= 1:
        return next(map(str, found), None), ()
    rows = connection.execute(sa.select(items).where(items.c.id.in_(found))).all()
    ordered = joining.preferred(connection, rows)
    near = {each.item for each in known if each.source == source}
    ordered.sort(key=lambda each: (each != own, each not in near))
    one = leads.together(connection, ordered)
    return joining.unite(connection, guard, one, now) if len(one) > 1 else (one[0], ())


def _store(
    connection: sa.Connection, guard: Guard, statement: Statement, item: str | None, *, exists: bool
) -> tuple[Statement, bytes]:
    """The statement as it now lies there, closed and sealed."""
    closed = guard.vault.closed(statement)
    stored = guard.seal(closed)
    values = {
        "item": item,
        "source": statement.source,
        "label": statement.label.value,
        "meaning": statement.meaning,
        "regime": statement.regime,
        "received_at": statement.received_at,
        "source_time": statement.source_time,
        "as_of": _as_of(statement),
        "sealed": stored,
    }
    if exists:
        connection.execute(_SAY_ANEW, {"known": statement.key, **values})
        connection.execute(_UNNAME, {"known": statement.key})
    else:
        connection.execute(_SAY, {"key": statement.key, **values})
    if statement.facts.cves:
        rows = [{"cve": cve, "statement": statement.key} for cve in sorted(set(statement.facts.cves))]
        connection.execute(_NAME, rows)
    return closed, stored


def _items_naming(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    query = (
        sa.select(statements.c.item)
        .join(cves, cves.c.statement == statements.c.key)
        .where(cves.c.cve.in_(names), statements.c.item.is_not(None))
        .distinct()
        .order_by(statements.c.item)
    )
    return [str(each) for each in connection.scalars(query)]
