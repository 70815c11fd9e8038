"""What leads from one statement to another: keys that make two statements one threat, indicator values that link
items, and what people told apart.

Keys add up: what an earlier version of a statement named still leads to it, so that the order of arrival decides
nothing. Everything is stored as keyed hashes: a plain one of an address is the address.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.columns import Instant, metadata
from normalize import identity
from pii_guard import Statement
from pii_guard.guard import Guard
from triage.inbox import cves, statements

leads = sa.Table(
    "leads",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("statement", sa.ForeignKey("statements.key"), primary_key=True, index=True),
)
indicators = sa.Table(
    "indicators",
    metadata,
    sa.Column("value", sa.LargeBinary(16), primary_key=True, comment="keyed hash"),
    sa.Column("statement", sa.ForeignKey("statements.key"), primary_key=True, index=True),
)
apart = sa.Table(
    "apart",
    metadata,
    sa.Column("one", sa.ForeignKey("items.id"), primary_key=True, comment="the lesser id"),
    sa.Column("other", sa.ForeignKey("items.id"), primary_key=True, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
)
_CHUNK = 500


def _followed() -> sa.Select[Any]:
    columns = statements.c
    chosen = (leads.c.key, leads.c.statement, columns.item, columns.source, columns.meaning, columns.label)
    query = sa.select(*chosen).join(statements, columns.key == leads.c.statement)
    return query.where(leads.c.key.in_(sa.bindparam("keys", expanding=True)), columns.item.is_not(None))


_FOLLOWED = _followed()
_CLAIM = {
    "postgresql": postgresql.insert(leads).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(leads).on_conflict_do_nothing(),
}


def followed(connection: sa.Connection, keys: Sequence[str]) -> Sequence[Any]:
    """The statements of items that these keys lead to: (key, statement, item, source, meaning, label)."""
    return connection.execute(_FOLLOWED, {"keys": keys}).all()


def claim(connection: sa.Connection, keys: Sequence[str], statement: str) -> None:
    """From now on these keys lead to that statement, also when it no longer has them."""
    rows = [{"key": key, "statement": statement} for key in dict.fromkeys(keys)]
    connection.execute(_CLAIM[connection.dialect.name], rows)


def index(connection: sa.Connection, guard: Guard, statement: Statement, *, new: bool = False) -> None:
    """Keep which indicators a statement (`new`: that had none) has: others that have them are related. What it no
    longer has goes."""
    named = identity.linking(statement.kind, statement.facts.observables)
    wanted = {bytes.fromhex(guard.keyed(b"indicator", value))[:16] for value in named}
    theirs = sa.select(indicators.c.value).where(indicators.c.statement == statement.key)
    known = set() if new else set(connection.scalars(theirs))
    gone = sorted(known - wanted)
    for start in range(0, len(gone), _CHUNK):
        mine = (indicators.c.statement == statement.key, indicators.c.value.in_(gone[start : start + _CHUNK]))
        connection.execute(indicators.delete().where(*mine))
    if rows := [{"value": value, "statement": statement.key} for value in sorted(wanted - known)]:
        connection.execute(indicators.insert(), rows)


def related(connection: sa.Connection, item: str) -> list[dict[str, Any]]:
    """Items that name some of the same CVEs or indicators and are not the same threat, those that share most first."""
    found: dict[str, dict[str, Any]] = {}
    for each in connection.execute(_shared(cves.c.cve, cves, item)):
        found.setdefault(each.item, {"cves": [], "indicators": 0})["cves"].append(each[1])
    counted = _shared(indicators.c.value, indicators, item).subquery()
    query = sa.select(counted.c.item, sa.func.count()).group_by(counted.c.item)
    for other, count in connection.execute(query):
        found.setdefault(other, {"cves": [], "indicators": 0})["indicators"] = count
    told = {other for pair in pairs(connection, [item, *found]) if item in pair for other in pair}
    ordered = sorted(found, key=lambda each: (-len(found[each]["cves"]) - found[each]["indicators"], each))
    return [
        {"item": each, "cves": sorted(found[each]["cves"]), "indicators": found[each]["indicators"]}
        | {"told_apart": each in told}
        for each in ordered
    ]


def _shared(value: sa.Column[Any], table: sa.Table, item: str) -> sa.Select[Any]:
    """(other item, value) for each value that it shares with this one."""
    other, theirs, mine = table.alias(), statements.alias(), statements.alias()
    same = other.c[value.name] == value
    joined = (
        sa.join(table, mine, mine.c.key == table.c.statement)
        .join(other, same)
        .join(theirs, theirs.c.key == other.c.statement)
    )
    query = sa.select(theirs.c.item, value).select_from(joined).distinct().order_by(theirs.c.item, value)
    return query.where(mine.c.item == item, theirs.c.item.is_not(None), theirs.c.item != item)


def tell_apart(connection: sa.Connection, one: str, other: str, by: str, now: datetime) -> None:
    """A person decided that these are two threats: no document makes them one."""
    forget_pair(connection, one, other)
    first, second = sorted((one, other))
    connection.execute(apart.insert(), {"one": first, "other": second, "at": now, "by": by})


def forget_pair(connection: sa.Connection, one: str, other: str) -> None:
    """A person decided that they are one threat after all."""
    first, second = sorted((one, other))
    connection.execute(apart.delete().where(apart.c.one == first, apart.c.other == second))


def pairs(connection: sa.Connection, among: Iterable[str]) -> set[frozenset[str]]:
    """Which of these items people told apart."""
    wanted = list(among)
    query = sa.select(apart.c.one, apart.c.other).where(apart.c.one.in_(wanted), apart.c.other.in_(wanted))
    return {frozenset(each) for each in connection.execute(query)}


def together(connection: sa.Connection, ordered: Sequence[str]) -> list[str]:
    """Of items that seem one threat, in order of preference, those that nobody told apart from one before."""
    told = pairs(connection, ordered) if len(ordered) > 1 else set()
    chosen: list[str] = []
    for each in ordered:
        if not any(frozenset((each, other)) in told for other in chosen):
            chosen.append(each)
    return chosen


def take_over(connection: sa.Connection, survivor: str, taken: str) -> None:
    """What was told apart from an item is told apart from the one that took it in."""
    query = sa.select(apart).where(sa.or_(apart.c.one == taken, apart.c.other == taken))
    for each in connection.execute(query).all():
        other = each.other if each.one == taken else each.one
        forget_pair(connection, taken, other)
        if other != survivor:
            tell_apart(connection, survivor, other, each.by, each.at)


def delete(connection: sa.Connection, item: str) -> None:
    """Delete what leads to an item whose retention has ended."""
    own = sa.select(statements.c.key).where(statements.c.item == item)
    for table in (leads, indicators):
        connection.execute(table.delete().where(table.c.statement.in_(own)))
    connection.execute(apart.delete().where(sa.or_(apart.c.one == item, apart.c.other == item)))
