"""Retention within items: statements, also those of earlier versions, lose what has outlived it; the item stays.

Nothing here is news: no version, no message, and a decision that stood for what was said stands for what is left.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest import Source
from pii_guard import Category, Item, Statement
from pii_guard.expiry import source_of
from pii_guard.guard import Guard
from triage import Decision, Released, cases, composition, decide, exposures, inbox, leads
from triage.cases import Case
from triage.releases import releases

_MINUTE = timedelta(minutes=1)
_PAGE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.msgpack.Decoder(tuple[list[bytes], list[bytes]]).decode


@dataclass(slots=True)
class Expired:
    """What went: how many statements (standing, and of earlier versions), and values per category."""

    statements: int = 0
    versions: int = 0
    categories: Counter[Category] = field(default_factory=Counter)
    rebound: int = 0
    """Releases that stood and go on standing."""

    def __bool__(self) -> bool:
        return bool(self.statements or self.versions)


def reached(connection: sa.Connection, mark: str) -> datetime | None:
    """Up to which moment of receipt retention was carried out under a mark; None: never."""
    found = connection.scalar(sa.select(inbox.counters.c.value).where(inbox.counters.c.name == mark))
    return None if found is None else _EPOCH + int(found) * _MINUTE


def reach(connection: sa.Connection, marks: Mapping[str, datetime], prefix: str) -> None:
    """Note how far retention was carried out; other marks with this prefix are of an earlier policy, and go."""
    names = inbox.counters.c.name
    connection.execute(inbox.counters.delete().where(names.startswith(prefix, autoescape=True)))
    rows = [{"name": name, "value": (until - _EPOCH) // _MINUTE} for name, until in sorted(marks.items())]
    connection.execute(inbox.counters.insert(), rows)


def due(connection: sa.Connection, after: datetime | None, until: datetime) -> list[str]:
    """Items of which something was received, or came to stand in an earlier version, after one moment and not after
    the other."""

    def within(column: sa.Column[datetime]) -> sa.ColumnElement[bool]:
        return column <= until if after is None else sa.and_(column > after, column <= until)

    standing, versions, history = inbox.statements.c, inbox.versions.c, inbox.history.c
    query = sa.union(
        sa.select(standing.item).where(standing.item.is_not(None), within(standing.received_at)),
        sa.select(versions.item).where(within(versions.at)),
        # A statement that was replaced may stand in versions that came long after it.
        sa.select(history.item).where(within(history.at)),
    )
    return sorted(str(each) for each in connection.scalars(query))


def due_facts(connection: sa.Connection, after: datetime | None, until: datetime) -> list[str]:
    """Keys of CVE records that were received between those moments."""
    columns = inbox.statements.c
    query = sa.select(columns.key).where(columns.item.is_(None), columns.received_at <= until)
    if after is not None:
        query = query.where(columns.received_at > after)
    return [str(each) for each in connection.scalars(query.order_by(columns.key))]


@dataclass(frozen=True, slots=True)
class Stored:
    """A statement as it lies there."""

    sealed: bytes
    item: str | None
    """None: a CVE record, which joins items by its CVE."""
    key: str = ""
    version: int | None = None
    """Of the item, where it is a copy of what was said then."""


def stored(connection: sa.Connection) -> Iterator[Stored]:
    """Every statement, and every copy of one in the versions of items."""
    table, after = inbox.statements.c, ""
    while rows := connection.execute(
        sa.select(table.key, table.item, table.sealed).where(table.key > after).order_by(table.key).limit(_PAGE)
    ).all():
        yield from (Stored(row.sealed, row.item, row.key) for row in rows)
        after = rows[-1].key
    columns = inbox.versions.c
    for item in connection.scalars(sa.select(columns.item).distinct().order_by(columns.item)).all():
        for row in connection.execute(sa.select(columns.version, columns.said).where(columns.item == item)).all():
            yield from (Stored(each, item, version=row.version) for part in _decode(row.said) for each in part)


def notes(connection: sa.Connection) -> Iterator[Any]:
    """What people wrote about items: (id, item, at, by, os_user, reason)."""
    columns = inbox.history.c
    chosen = (columns.id, columns.item, columns.at, columns.by, columns.os_user, columns.reason)
    yield from connection.execute(sa.select(*chosen).order_by(columns.id))


def reword(connection: sa.Connection, note: int, reason: str) -> None:
    """Another reason in the history of an item."""
    connection.execute(inbox.history.update().where(inbox.history.c.id == note), {"reason": reason[:500]})


Remake = Callable[[sa.Connection, Item], Statement | None]
"""A stored statement, as an item of its own -> what is left of it; None: nothing of it goes."""


class Expiry:
    """One run over stored statements, at one moment. `look`: hash of how a case would be shown (app.views).

    `remake`: what is left of a statement, if something else than retention is carried out; `word`: what the items'
    history then says.
    """

    def __init__(
        self,
        guard: Guard,
        sources: Mapping[str, Source],
        now: datetime,
        look: Callable[[Case], str] = lambda _: "",
        *,
        remake: Remake | None = None,
        word: tuple[str, str] = ("expired", "retention"),
    ) -> None:
        self._guard, self._sources, self._now, self._look = guard, sources, now, look
        self._remake, self._word = remake or self._expired, word
        self._consents = {source.id: source.consent for source in sources.values()}

    def item(self, connection: sa.Connection, item: str) -> Expired:
        """Take out of an item, in every version, what may no longer be kept. Running it again changes nothing."""
        found, done = Expired(), dict[bytes, bytes | None]()
        table = inbox.statements.c
        standing = sa.select(table.key, table.sealed).where(table.item == item)
        rows = connection.execute(standing.with_for_update()).all()
        anew = {row.key: self._sealed(connection, row.sealed, done, found) for row in rows}
        fresh = {key: made for key, made in anew.items() if made is not None}
        if fresh:
            found.statements = len(fresh)
            case = cases.opened(connection, self._guard, item, self._consents)
            stood = case.bound, self._look(case)
            for key, made in fresh.items():
                connection.execute(inbox.statements.update().where(table.key == key), {"sealed": made})
                left = self._guard.restore(item, 0, [made]).statements[0]
                leads.index(connection, self._guard, left)
                exposures.index(connection, self._guard, left)
            self._compose(connection, item)
            found.rebound = self._rebind(connection, item, *stood)
        found.versions = self._versions(connection, item, done, found)
        if found:
            told = ", ".join(sorted(found.categories)) or "earlier versions"
            version = inbox.row(connection, item).version
            inbox.note(connection, item, version, self._now, "oktt", self._word[0], f"{self._word[1]}: {told}")
        return found

    def facts(self, connection: sa.Connection, key: str) -> tuple[Expired, list[str]]:
        """The same for a CVE record; and the items that name one of its CVEs, whose versions hold a copy of it."""
        found, table = Expired(), inbox.statements.c
        sealed = connection.scalar(sa.select(table.sealed).where(table.key == key))
        made = None if sealed is None else self._sealed(connection, sealed, {}, found)
        if made is None:
            return found, []
        found.statements = 1
        connection.execute(inbox.statements.update().where(table.key == key), {"sealed": made})
        named = sa.select(inbox.cves.c.cve).where(inbox.cves.c.statement == key)
        query = sa.select(table.item).join(inbox.cves, inbox.cves.c.statement == table.key)
        naming = query.where(inbox.cves.c.cve.in_(named), table.item.is_not(None)).distinct()
        return found, sorted(str(each) for each in connection.scalars(naming))

    def _sealed(
        self, connection: sa.Connection, sealed: bytes, done: dict[bytes, bytes | None], found: Expired
    ) -> bytes | None:
        """The statement sealed anew; None: nothing of it goes. A copy that was seen before is not counted again."""
        if sealed not in done:
            stored = self._guard.restore("", 0, [sealed])
            (before,), after = stored.statements, self._remake(connection, stored)
            done[sealed] = None if after is None else self._guard.seal(after)
            if after is not None:
                found.categories.update(_went(before, after))
        return done[sealed]

    def _expired(self, connection: sa.Connection, stored: Item) -> Statement | None:
        (before,) = stored.statements
        after = self._guard.reguard(before, source_of(self._sources, before), self._now)
        if _gated(before) and not before.vault:  # laid down before there was a vault
            return after or before
        if after is not None and after.vault and _gated(after) < _gated(before):
            return self._guard.vault.trimmed(connection, after)
        return after

    def _versions(self, connection: sa.Connection, item: str, done: dict[bytes, bytes | None], found: Expired) -> int:
        table, count = inbox.versions.c, 0
        received = inbox.row(connection, item).received_at
        for row in connection.execute(sa.select(table.version, table.said).where(table.item == item)).all():
            said = _decode(row.said)
            made = tuple([self._sealed(connection, each, done, found) or each for each in part] for part in said)
            if made == said:
                continue
            count += 1
            _, _, card = composition.composed(self._guard, self._guard.restore(item, row.version, *made), received)
            mine = (table.item == item, table.version == row.version)
            connection.execute(
                inbox.versions.update().where(*mine), {"said": msgspec.msgpack.encode(made), "card": card}
            )
        return count

    def _compose(self, connection: sa.Connection, item: str) -> None:
        """What the next statement is held against is what is left: else its arrival would seem to take things away."""
        whole, received = inbox.load(connection, self._guard, item), inbox.row(connection, item).received_at
        kind, meaning, card = composition.composed(self._guard, whole, received)
        values = {"kind": kind, "meaning": meaning, "card": card}
        connection.execute(inbox.items.update().where(inbox.items.c.id == item), values)

    def _rebind(self, connection: sa.Connection, item: str, bound: str, look: str) -> int:
        """A decision that stood for what was said stands for what is left of it; one that did not is left alone."""
        case = cases.opened(connection, self._guard, item, self._consents)
        shown, columns = self._look(case), releases.c
        standing = (columns.item == item, columns.bound == bound, columns.status.in_(("pending", "active")))
        rows = connection.execute(sa.select(releases).where(*standing)).all()
        for row in rows:
            decision = msgspec.json.decode(row.decision, type=Decision)
            values = {
                "bound": case.bound,
                "shown": shown if row.shown == look else row.shown,
                "decision": msgspec.json.encode(dataclasses.replace(decision, bound=case.bound)),
            }
            mine = (columns.item == item, columns.version == row.version, columns.status == row.status)
            connection.execute(releases.update().where(*mine), values)
        return len(rows)

    def out(self, connection: sa.Connection, item: str) -> Released | None:
        """What is out of an item, as it is now; None: nothing is. Also while a newer version waits for a decision."""
        columns = releases.c
        query = sa.select(columns.version, columns.shown).where(columns.item == item, columns.status == "active")
        row = connection.execute(query.order_by(columns.version.desc()).limit(1)).one_or_none()
        has = sa.select(inbox.statements.c.key).where(inbox.statements.c.item == item).limit(1)
        if row is None or connection.execute(has).first() is None:
            return None
        case = cases.opened(connection, self._guard, item, self._consents)
        stands = decide.released(connection, case, row.shown)
        return stands or decide.earlier(connection, self._guard, item, row.version, self._consents)


def _gated(statement: Statement) -> int:
    return sum(row.own for row in statement.facts.observables)


def _went(before: Statement, after: Statement) -> Counter[Category]:
    gone: Counter[Category] = Counter()
    for each in after.findings[len(before.findings) :]:
        gone[each.category] += each.count
    return gone
