"""How guarded drafts come to lie in items: new, one statement more, a new version, or two items that are one.

Which statements lie in one item does not depend on the order of arrival (they are connected by shared merge keys);
the survivor of a merge is the item that is out, or furthest on its way, then the oldest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa

from normalize import Facts, Kind, Urgency, identity
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from tlp import Label
from triage import State, releases
from triage.inbox import (
    alone,
    best,
    counters,
    cves,
    items,
    merge_keys,
    note,
    row,
    sealed,
    set_state,
    standing_facts,
    statements,
    versions,
)

Effect = Literal["new", "updated", "unchanged", "merged"]
PROGRESS: dict[State, int] = {
    "released": 6, "pending": 5, "claimed": 4, "held": 3, "new": 2, "withdrawn": 1, "declined": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one guarded draft: the item it lies in (none: facts that name no known item)."""

    effect: Effect
    item: str | None
    held: bool
    took: tuple[str, ...] = ()
    """Items that it turned out to be the same threat as, and took in: what went out of them is now its own."""


def admit(
    connection: sa.Connection, guard: Guard, guarded: Item, keys: Sequence[str], now: datetime
) -> list[Admission]:
    """Lay one guarded draft into the inbox: a new item, a statement more, or a new version.

    `keys` are the merge keys of normalize.identity, keyed by the caller: they are stored. Facts (CVE records) give
    one Admission for each item they change.
    Wording that changes alone is not taken over: what was approved is what stands (domain-rules: Versions).
    """
    alone(connection)
    (statement,) = guarded.statements
    old = connection.execute(sa.select(statements).where(statements.c.key == statement.key)).one_or_none()
    if old is not None and old.meaning == statement.meaning and old.label == statement.label.value:
        return [Admission("unchanged", old.item, held=False)]
    if statement.kind == "facts":
        _store(connection, guard, statement, None, exists=old is not None)
        touched = _items_naming(connection, statement.facts.cves)
        renewed = [item for item in touched if _recompose(connection, guard, item, now, "CVE record", facts=True)]
        return [Admission("updated", item, held=False) for item in renewed]
    where, took = _home(connection, keys, old.item if old else None, guard, now)
    effect: Effect = "updated" if old else "merged" if where else "new"
    item = where or _create(connection, statement, now)
    stored = _store(connection, guard, statement, item, exists=old is not None)
    _claim_keys(connection, keys, item)
    why = f"{effect} by source {statement.source}"
    changed = _recompose(connection, guard, item, now, why, fresh=(statement, stored))
    if effect == "updated" and not changed:
        effect = "unchanged"
    return [Admission(effect, item, bool(statement.holds), took)]


def _home(
    connection: sa.Connection, keys: Sequence[str], own: str | None, guard: Guard, now: datetime
) -> tuple[str | None, tuple[str, ...]]:
    """The item that these keys lead to, and those that it took in: items that they connect become one."""
    found = set(connection.scalars(sa.select(merge_keys.c.item).where(merge_keys.c.key.in_(keys))))
    if own is not None:
        found.add(own)
    if len(found) <= 1:
        return next(map(str, found), None), ()
    rows = {each.id: each for each in connection.execute(sa.select(items).where(items.c.id.in_(found)))}
    out = releases.out(connection, found)
    survivor, *others = sorted(
        found, key=lambda each: (each not in out, -PROGRESS[rows[each].state], rows[each].received_at, each)
    )
    _inherit(connection, survivor, list(rows.values()), now)
    for other in others:
        connection.execute(statements.update().where(statements.c.item == other), {"item": survivor})
        connection.execute(merge_keys.update().where(merge_keys.c.item == other), {"item": survivor})
        set_state(connection, other, "declined", now, merged_into=survivor)
        connection.execute(items.update().where(items.c.merged_into == other), {"merged_into": survivor})
        note(connection, other, rows[other].version, now, "oktt", "merged away", f"the same threat as {survivor}")
        note(connection, survivor, rows[survivor].version, now, "oktt", "merge", f"took in {other}")
    _recompose(connection, guard, survivor, now, "merge")
    return str(survivor), tuple(map(str, others))


def _inherit(connection: sa.Connection, survivor: str, rows: Sequence[sa.Row[Any]], now: datetime) -> None:
    """What people decided about any of the items holds for the one they become: the strictest label, the most urgent
    urgency, and that they kept it back."""
    labels = [Label(each.label) for each in rows if each.label]
    urgencies = [each.urgency for each in rows if each.urgency]
    columns: dict[str, Any] = {}
    if labels:
        columns["label"] = max(labels).value
    if urgencies:
        columns["urgency"] = min(urgencies, key=get_args(Urgency).index)
    columns["reserved"] = any(each.reserved for each in rows)
    state: State = next(each.state for each in rows if each.id == survivor)
    holder = next((each.holder for each in rows if _kept(each)), None)
    if holder is not None and state != "claimed":
        state, columns["holder"] = "held", holder
    set_state(connection, survivor, state, now, **columns)


def _kept(row: sa.Row[Any]) -> bool:
    """Does a person hold it? What the guard holds has no holder."""
    return bool(row.state == "held" and row.holder)


def _create(connection: sa.Connection, statement: Statement, now: datetime) -> str:
    item = f"OKTT-{now.year}-{_next(connection, f'item-{now.year}'):04d}"
    values = {
        "id": item,
        "state": "new",
        "version": 0,
        "kind": statement.kind,
        "meaning": "",
        "card": b"{}",
        "received_at": statement.received_at,
        "changed_at": now,
    }
    connection.execute(items.insert(), values)
    return item


def _next(connection: sa.Connection, name: str) -> int:
    """A counter without gaps in what is committed; its row lock orders concurrent writers."""
    bumped = connection.execute(
        counters.update().where(counters.c.name == name).values(value=counters.c.value + 1).returning(counters.c.value)
    ).scalar_one_or_none()
    if bumped is not None:
        return int(bumped)
    connection.execute(counters.insert(), {"name": name, "value": 1})
    return 1


def _store(connection: sa.Connection, guard: Guard, statement: Statement, item: str | None, *, exists: bool) -> bytes:
    """The statement as it now lies there, sealed."""
    stored = guard.seal(statement)
    values = {
        "item": item,
        "source": statement.source,
        "label": statement.label.value,
        "meaning": statement.meaning,
        "regime": statement.regime,
        "received_at": statement.received_at,
        "sealed": stored,
    }
    if exists:
        connection.execute(statements.update().where(statements.c.key == statement.key), values)
        connection.execute(cves.delete().where(cves.c.statement == statement.key))
    else:
        connection.execute(statements.insert(), {"key": statement.key, **values})
    if statement.facts.cves:
        rows = [{"cve": cve, "statement": statement.key} for cve in sorted(set(statement.facts.cves))]
        connection.execute(cves.insert(), rows)
    return stored


def _claim_keys(connection: sa.Connection, keys: Sequence[str], item: str) -> None:
    taken = set(connection.scalars(sa.select(merge_keys.c.key).where(merge_keys.c.key.in_(keys))))
    rows = [{"key": key, "item": item} for key in dict.fromkeys(keys) if key not in taken]
    if rows:
        connection.execute(merge_keys.insert(), rows)


def _items_naming(connection: sa.Connection, names: Sequence[str]) -> list[str]:
    query = (
        sa.select(statements.c.item)
        .join(cves, cves.c.statement == statements.c.key)
        .where(cves.c.cve.in_(names), statements.c.item.is_not(None))
        .distinct()
        .order_by(statements.c.item)
    )
    return [str(each) for each in connection.scalars(query)]


def _recompose(
    connection: sa.Connection,
    guard: Guard,
    item: str,
    now: datetime,
    why: str,
    *,
    facts: bool = False,
    fresh: tuple[Statement, bytes] | None = None,
) -> bool:
    """Compose the item anew after what was said of it changed. True: its meaning changed, so it has a new version.

    A decision rests on every word that was on the table, so that it no longer stands either way; a version more, and
    with it a message to those who had the last one, comes of a change of meaning alone (domain-rules: Versions). A CVE
    record (`facts`) that changes no meaning adds nothing that anybody decided on.
    """
    current = row(connection, item)
    said = sealed(connection, item)
    whole = guard.restore(item, current.version, *said, fresh=fresh)
    kind, meaning, encoded = composed(guard, whole, current.received_at)
    changed = bool(meaning != current.meaning)
    if facts and not changed:
        return False
    version = current.version + changed
    state = _after(current, held=any(each.holds for each in whole.statements), changed=changed)
    holder = current.holder if state == current.state else None
    columns = {"kind": kind, "meaning": meaning, "card": encoded, "holder": holder, "ruled": None}
    set_state(connection, item, state, now, version=version, **columns)
    told = {"card": encoded, "said": msgspec.msgpack.encode(said)}
    if changed:
        connection.execute(versions.insert(), {"item": item, "version": version, "at": now, **told})
    else:
        mine = (versions.c.item == item, versions.c.version == version)
        connection.execute(versions.update().where(*mine).values(**told))
    note(
        connection,
        item,
        version,
        now,
        "oktt",
        "repeated" if not changed else "received" if version == 1 else "changed",
        why,
    )
    return changed


def composed(guard: Guard, whole: Item, received_at: datetime) -> tuple[Kind, str, bytes]:
    """Kind, meaning and card of an item, as its statements have it. The meaning is keyed: it is stored."""
    kind = identity.kind_of([each.kind for each in whole.statements])
    known = standing_facts(whole)
    title = best(whole.statements, kind).title
    label = min(each.label for each in whole.statements)
    strict = max(each.label for each in whole.statements)
    meaning = identity.meaning(kind, label, known, f"{title}\n{strict.value}" if kind == "news" else strict.value)
    card = msgspec.json.encode(_card(whole, kind, known, title, received_at))
    return kind, guard.keyed(b"item-meaning", meaning), card


def _after(current: sa.Row[Any], *, held: bool, changed: bool) -> State:
    """The state of an item of which more was said: what was declined or withdrawn comes back only with news, and
    what a person holds or claimed stays with people."""
    state: State = current.state
    if state == "claimed" or _kept(current) or (not changed and state in ("declined", "withdrawn")):
        return state
    return "held" if held else "new"


def _card(item: Item, kind: str, facts: Facts, title: str, received_at: datetime) -> dict[str, Any]:
    labels = sorted({each.label for each in item.statements})
    times = [each.source_time for each in item.statements if each.source_time is not None]
    return {
        "kind": kind,
        "title": title,
        "tlp": labels[0].value,
        "labels": [label.value for label in labels],
        "urgency": identity.urgency(facts),
        "exploited": facts.exploited,
        "cves": list(facts.cves),
        "affected": [
            {"vendor": each.vendor, "product": each.product, "versions": each.versions}
            for each in facts.affected
            if each.status == "affected"
        ],
        "sectors": list(facts.sectors),
        "countries": list(facts.countries),
        "sources": sorted({each.source for each in item.statements}),
        "source_time": max(times, default=None),
        "received_at": received_at,
        "holds": sorted({hold for each in item.statements for hold in each.holds}),
    }
