"""An item composed of what is said of it: its state, its version, and the card that lists it."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from normalize import Facts, Kind, identity
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from triage import State
from triage.inbox import best, earlier, note, sealed, set_state, standing_facts, versions

_APPEND = versions.insert()
_weighed: dict[str, tuple[int, str]] = {}
"""Item -> (version, meaning) as this process composed it, so by the rules of today: that need not be weighed again."""
_MOST = 10_000


def recompose(
    connection: sa.Connection,
    guard: Guard,
    current: sa.Row[Any],
    now: datetime,
    why: str,
    *,
    facts: bool = False,
    fresh: tuple[Statement, bytes] | None = None,
) -> bool:
    """Compose the item anew after what was said of it changed. True: its meaning changed, so it has a new version.

    A decision rests on every word that was on the table, so that it no longer stands either way; a version more, and
    with it a message to those who had the last one, comes of a change of meaning alone (docs/decisions/011). A CVE
    record (`facts`) that changes no meaning adds nothing that anybody decided on. `current`: the item's row.
    """
    item = current.id
    said = sealed(connection, item)
    whole = guard.restore(item, current.version, *said, fresh=fresh)
    kind, meaning, encoded = composed(guard, whole, current.received_at)
    changed = meaning != current.meaning and meaning != _meant(connection, guard, current)
    if changed and current.version and any(each.gated for each in whole.statements):
        before = earlier(connection, guard, item, current.version)
        changed = before is None or not alike(connection, guard, before, whole)
    version = current.version + changed
    if len(_weighed) >= _MOST:
        _weighed.clear()
    _weighed[item] = version, meaning
    if facts and not changed:
        return False
    state = _after(current, held=any(each.holds for each in whole.statements), changed=changed)
    holder = current.holder if state == current.state else None
    columns = {"kind": kind, "meaning": meaning, "card": encoded, "holder": holder, "ruled": None}
    set_state(connection, item, state, now, version=version, **columns)
    told = {"card": encoded, "said": msgspec.msgpack.encode(said)}
    if changed:
        connection.execute(_APPEND, {"item": item, "version": version, "at": now, **told})
    else:
        mine = (versions.c.item == item, versions.c.version == version)
        connection.execute(versions.update().where(*mine).values(**told))
    what = "repeated" if not changed else "received" if version == 1 else "changed"
    note(connection, item, version, now, "oktt", what, why)
    return changed


def _meant(connection: sa.Connection, guard: Guard, current: sa.Row[Any]) -> str:
    """What the item's version meant, by the rules of today: those that it was stored under may have been others. Empty:
    nothing was said of it yet."""
    if _weighed.get(current.id) == (current.version, current.meaning):
        return str(current.meaning)
    whole = earlier(connection, guard, current.id, current.version) if current.version else None
    return "" if whole is None else composed(guard, whole, current.received_at)[1]


def composed(guard: Guard, whole: Item, received_at: datetime) -> tuple[Kind, str, bytes]:
    """Kind, meaning and card of an item, as its statements have it. The meaning is keyed, since it is stored; of what
    is gated it holds the names."""
    kind = identity.kind_of([each.kind for each in whole.statements])
    known = standing_facts(whole)
    meaning = _general(whole, known)
    if names := sorted({each.gated for each in whole.statements if each.gated}):
        meaning = "\0".join((meaning, *names))
    card = msgspec.json.encode(_card(whole, kind, known, best(whole.statements, kind).title, received_at))
    return kind, guard.keyed(b"item-meaning", meaning), card


def alike(connection: sa.Connection, guard: Guard, one: Item, other: Item) -> bool:
    """Do they mean the same? What is gated under other names is opened, to see whether it says anything else."""
    if _general(one, standing_facts(one)) != _general(other, standing_facts(other)):
        return False
    if {each.gated for each in one.statements} == {each.gated for each in other.statements}:
        return True
    said = [
        identity.gated(row for each in opened.statements for row in each.facts.observables)
        for opened in (guard.vault.opened(connection, item, "compare") for item in (one, other))
    ]
    return said[0] == said[1]


def _general(whole: Item, known: Facts) -> str:
    """What an item means, without what is gated."""
    kind = identity.kind_of([each.kind for each in whole.statements])
    return identity.meaning(kind, min(each.label for each in whole.statements), known)


def kept(row: sa.Row[Any]) -> bool:
    """Does a person hold it? What the guard holds has no holder."""
    return bool(row.state == "held" and row.holder)


def _after(current: sa.Row[Any], *, held: bool, changed: bool) -> State:
    """The state of an item of which more was said: what was declined or withdrawn comes back only with news, and
    what a person holds or claimed stays with people."""
    state: State = current.state
    if state == "claimed" or kept(current) or (not changed and state in ("declined", "withdrawn")):
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
        "regions": list(facts.regions),
        "sources": sorted({each.source for each in item.statements}),
        "source_time": max(times, default=None),
        "received_at": received_at,
        "holds": sorted({hold for each in item.statements for hold in each.holds}),
    }
