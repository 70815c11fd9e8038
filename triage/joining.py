"""Two items that are one threat become one; a person may say so too, and that they are two after all.

The survivor is what is out, then what is furthest on its way, then the oldest. What a person told apart, no document
joins again (`triage.leads`); what a person joined lies in one item, and so does what follows of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import sqlalchemy as sa

from normalize import Urgency
from pii_guard.guard import Guard
from tlp import Label
from triage import State, TriageError, decide, leads, releases
from triage.composition import kept, recompose
from triage.inbox import alone, counters, items, note, row, set_state, statements
from triage.rules import DeskSettings

PROGRESS: dict[State, int] = {
    "released": 6, "pending": 5, "claimed": 4, "held": 3, "new": 2, "withdrawn": 1, "declined": 0,
}  # fmt: skip
_CREATE = items.insert().returning(items)
_BUMP = (
    counters.update()
    .where(counters.c.name == sa.bindparam("counter"))
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


@dataclass(frozen=True, slots=True)
class Word:
    """Who says that it is one threat, or two; by default the keys that documents share."""

    by: str = "oktt"
    os_user: str = ""
    reason: str = ""


def merge(
    connection: sa.Connection, guard: Guard, desk: DeskSettings, one: str, other: str, word: Word, now: datetime
) -> tuple[str, str]:
    """A person says that two items are one threat: (the one that stays, the one that it took in). TriageError."""
    alone(connection)
    decide.may(desk, word.by)
    if one == other:
        raise TriageError(f"{one} is one item already: name two")
    for each in (one, other):
        if _free(connection, each, word.by).kind == "exposure":
            raise TriageError(f"{each} is a report of exposed systems: who is open on a day stays a fact by itself")
    leads.forget_pair(connection, one, other)
    survivor, (taken,) = unite(connection, guard, [one, other], now, word)
    return survivor, taken


def split(
    connection: sa.Connection, guard: Guard, desk: DeskSettings, item: str, source: str, word: Word, now: datetime
) -> str:
    """A person says that what a source says of an item is another threat; the item where that lies from now on.

    That is the one that was taken in with it, if it came so. Raises TriageError.
    """
    alone(connection)
    decide.may(desk, word.by)
    current = _free(connection, item, word.by)
    columns = statements.c
    chosen = (columns.key, columns.source, columns.origin, columns.received_at)
    said = connection.execute(sa.select(*chosen).where(columns.item == item)).all()
    leaving = [each for each in said if each.source == source]
    if not leaving:
        named = ", ".join(sorted({each.source for each in said}))
        raise TriageError(f"{item} has nothing of that source; it has: {named}")
    if len(leaving) == len(said):
        raise TriageError(f"{item} has nothing but what {source} says: there is nothing to split it from")
    received = min(each.received_at for each in leaving)
    target = _origin(connection, item, leaving, said) or str(create(connection, received, now).id)
    mine = columns.key.in_([each.key for each in leaving])
    connection.execute(statements.update().where(mine), {"item": target, "origin": None})
    _part(connection, target, current, now)
    leads.tell_apart(connection, item, target, word.by, now)
    _note(connection, item, "split", f"{source} to {target}", word, now)
    _note(connection, target, "split", f"{source} from {item}", word, now)
    for each in (item, target):
        recompose(connection, guard, row(connection, each), now, "split")
    return target


def unite(
    connection: sa.Connection, guard: Guard, found: Collection[str], now: datetime, word: Word = Word()
) -> tuple[str, tuple[str, ...]]:
    """These items become one: the one that stays, and those it took in."""
    rows = {each.id: each for each in connection.execute(sa.select(items).where(items.c.id.in_(found)))}
    survivor, *others = preferred(connection, list(rows.values()))
    _inherit(connection, survivor, list(rows.values()), now)
    columns = statements.c
    for other in others:
        origin = sa.func.coalesce(columns.origin, other)
        connection.execute(statements.update().where(columns.item == other).values(item=survivor, origin=origin))
        leads.take_over(connection, survivor, other)
        releases.drop_pending(connection, other)
        set_state(connection, other, "declined", now, merged_into=survivor)
        connection.execute(items.update().where(items.c.merged_into == other), {"merged_into": survivor})
        _note(connection, other, "merged away", f"the same threat as {survivor}", word, now)
        _note(connection, survivor, "merge", f"took in {other}", word, now)
    recompose(connection, guard, row(connection, survivor), now, "merge")
    return survivor, tuple(others)


def preferred(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[str]:
    """Which item survives before which."""
    out = releases.out(connection, [each.id for each in rows])

    def order(each: sa.Row[Any]) -> tuple[Any, ...]:
        return each.id not in out, -PROGRESS[each.state], each.received_at, each.id

    return [each.id for each in sorted(rows, key=order)]


def create(connection: sa.Connection, received_at: datetime, now: datetime) -> sa.Row[Any]:
    """The row of an item of which nothing is said yet."""
    item = f"OKTT-{now.year}-{_next(connection, f'item-{now.year}'):04d}"
    empty = {"state": "new", "version": 0, "kind": "", "meaning": "", "card": b"{}"}
    made = {"id": item, **empty, "received_at": received_at, "changed_at": now}
    return connection.execute(_CREATE, made).one()


def _next(connection: sa.Connection, name: str) -> int:
    """A counter without gaps in what is committed; its row lock orders concurrent writers."""
    bumped = connection.execute(_BUMP, {"counter": name}).scalar_one_or_none()
    if bumped is not None:
        return int(bumped)
    connection.execute(counters.insert(), {"name": name, "value": 1})
    return 1


def _free(connection: sa.Connection, item: str, by: str) -> sa.Row[Any]:
    """The item's row, if nobody else works on it and nobody has to approve what would change. Raises TriageError."""
    found = row(connection, item)
    if found.merged_into is not None:
        raise TriageError(f"{item} is the same threat as {found.merged_into} already: use that one")
    if found.state == "claimed" and found.holder != by:
        raise TriageError(f"{item} is claimed by {found.holder}: let them do it, or `hold` it first")
    if found.state == "pending":
        raise TriageError(f"{item} has a release that waits for a second person: `approve` it, or `hold` it first")
    return found


def _origin(connection: sa.Connection, item: str, leaving: Sequence[Any], said: Sequence[Any]) -> str | None:
    """The item that was taken in with exactly these statements; None: there is none."""
    (origin, *others) = {each.origin for each in leaving}
    if origin is None or others or sum(each.origin == origin for each in said) != len(leaving):
        return None
    mine = (items.c.id == origin, items.c.merged_into == item)
    return connection.execute(sa.select(items.c.id).where(*mine)).scalar_one_or_none()


def _part(connection: sa.Connection, target: str, whole: sa.Row[Any], now: datetime) -> None:
    """What people decided about the whole holds for the part: the strictest label, and that they kept it back."""
    own = row(connection, target)
    labels = [Label(each.label) for each in (own, whole) if each.label]
    holding = whole.state == "claimed" or kept(whole)
    set_state(
        connection,
        target,
        whole.state if holding else "new",
        now,
        holder=whole.holder if holding else None,
        merged_into=None,
        split_from=whole.id,
        label=max(labels).value if labels else None,
        urgency=own.urgency or whole.urgency,
        reserved=own.reserved or whole.reserved,
    )


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
    holder = next((each.holder for each in rows if kept(each)), None)
    if holder is not None and state != "claimed":
        state, columns["holder"] = "held", holder
    set_state(connection, survivor, state, now, **columns)


def _note(connection: sa.Connection, item: str, what: str, told: str, word: Word, now: datetime) -> None:
    reason = f"{told}: {word.reason}" if word.reason else told
    note(connection, item, row(connection, item).version, now, word.by, what, reason, word.os_user)
