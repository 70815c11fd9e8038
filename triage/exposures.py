"""How exposures go on over days: which systems of a report are newly open, still open, or no longer seen.

A series is the reports of one type from one source, one a day; each is held against the report before it, of whatever
day that was: a day without a report closes nothing. Nothing of the comparison is stored. Beside a statement stand keyed
hashes of its systems (a plain one of an address is the address), made of what the guard let through and gone with it;
since when a system is open is worked out when somebody asks. So it is right whatever came first, and after a
correction, a withdrawal or the end of a retention. The hashes lie sealed by source and month, as the rows do
(`pii_guard.vault`): whose key is destroyed is known no more.
"""

import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from ingest.columns import metadata
from normalize import Facts, Observable
from pii_guard import Statement
from pii_guard.guard import Guard
from pii_guard.vault import month_of
from tlp import Label
from triage import Decision
from triage.inbox import items, statements
from triage.releases import releases

exposures = sa.Table(
    "exposures",
    metadata,
    sa.Column("statement", sa.ForeignKey("statements.key"), primary_key=True),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("report", sa.String(64), nullable=False, comment="its type, as the source calls it"),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("systems", sa.Integer, nullable=False, comment="how many"),
    sa.Column("known", sa.LargeBinary, comment="keyed hash of each, sealed; null: some were taken out"),
    sa.Index("ix_exposures_series", "source", "report", "day"),
)
_CHUNK = 16
"""Reports read at a time: the hashes of 40,000 systems are 320 kB."""


@dataclass(frozen=True, slots=True)
class Day:
    """Another report of the series, held against the one in hand."""

    day: date
    statement: str
    systems: int
    same: BitMap | None
    """Places of the systems in hand that it has too. None: they cannot be told from one another."""
    audience: BitMap | None = None
    """Numbers of those who may know of it; None: whoever may know of the one in hand."""

    @property
    def lost(self) -> int | None:
        """How many of its systems the one in hand does not have; None: nobody can tell."""
        return None if self.same is None else self.systems - len(self.same)


@dataclass(frozen=True, slots=True)
class Course:
    """A report among those of its series."""

    report: str
    day: date
    systems: int
    before: tuple[Day, ...]
    """Newest first, as far back as anything of it was open without a break."""
    after: tuple[Day, ...]
    """Oldest first."""
    places: dict[int, int]
    """Hash of a system -> its place. Empty when they cannot be told from one another."""

    def placed(self, guard: Guard, facts: Facts, rows: Iterable[Observable]) -> list[int | None]:
        """The place of each row's system. `facts`: those of the report; None: it is none of its systems."""
        ported = _ported(facts)
        return [self.places.get(_hash(guard, row, ported=ported)) for row in rows]

    def since(self, wanted: BitMap, before: Sequence[Day]) -> dict[int, date]:
        """Since which report each of these places is open without a break, in these reports."""
        found, open_, last = {}, wanted, self.day
        for each in before:
            if each.same is None:
                break
            found.update(dict.fromkeys(open_ - each.same, last))
            open_, last = open_ & each.same, each.day
        return found | dict.fromkeys(open_, last)

    def until(self, wanted: BitMap, after: Sequence[Day]) -> dict[int, date]:
        """The first of these later reports in which a place is no longer seen, of those that are not."""
        found: dict[int, date] = {}
        for each in after:
            if each.same is not None:
                found.update(dict.fromkeys(wanted - each.same, each.day))
                wanted = wanted & each.same
        return found


def index(connection: sa.Connection, guard: Guard, statement: Statement) -> None:
    """Keep by what the systems of a statement are known again; anew when some of them were taken out."""
    facts = statement.facts
    if statement.kind != "exposure" or not facts.tracking:
        return
    gone = sum(map(_count, facts.observables))
    if statement.vault and not gone:
        return  # closed, and nothing went: what stands still holds
    known = None if gone else _packed(_hashes(guard, facts))
    values = {
        "statement": statement.key,
        "source": statement.source,
        "report": facts.tracking[0][:64],
        "day": (statement.source_time or statement.received_at).astimezone(UTC).date(),
        "systems": gone + sum(not _count(row) for row in facts.observables) if known is None else len(known) // 8,
        "known": None if known is None else _sealed(guard, statement, known),
    }
    connection.execute(exposures.delete().where(exposures.c.statement == statement.key))
    connection.execute(exposures.insert(), values)


def delete(connection: sa.Connection, item: str) -> None:
    """Delete what stands of an item whose retention has ended."""
    own = sa.select(statements.c.key).where(statements.c.item == item)
    connection.execute(exposures.delete().where(exposures.c.statement.in_(own)))


def rewrap(connection: sa.Connection, guard: Guard, source: str, month: str) -> None:
    """What lies under an earlier key of that source and month comes under the newest."""
    query = sa.select(exposures.c.statement, exposures.c.known, statements.c.received_at)
    query = query.join(statements, statements.c.key == exposures.c.statement).where(exposures.c.source == source)
    for row in connection.execute(query.where(exposures.c.known.is_not(None))).all():
        made = guard.vault.rewrapped(source, month, row.known) if month_of(row.received_at) == month else None
        if made is not None:
            connection.execute(exposures.update().where(exposures.c.statement == row.statement), {"known": made})


def course(connection: sa.Connection, guard: Guard, statement: str) -> Course | None:
    """A report among those of its series that were not withdrawn, for analysts. None: it is none of a series."""
    return _course(connection, guard, statement, out=False)


def told(connection: sa.Connection, guard: Guard, statement: str) -> Course | None:
    """The same of a report that is released as it stands, among those of which its readers may know: also released as
    they stand, under no stricter label. Of what a person released, those to whom it was: who came later needs a rule
    (domain-rules: Decisions)."""
    return _course(connection, guard, statement, out=True)


def lost(connection: sa.Connection, guard: Guard, course: Course, day: Day) -> tuple[Statement, list[int]] | None:
    """Another report, and at which positions stand rows of systems that the one in hand does not have, one for each;
    None: there are none, or nobody can tell."""
    sealed = connection.scalar(sa.select(statements.c.sealed).where(statements.c.key == day.statement))
    if sealed is None or not day.lost:
        return None
    item = guard.vault.opened(connection, guard.restore(day.statement, 0, [sealed]), "compare")
    statement = item.statements[0]
    last = {known: position for position, known in enumerate(_hashes(guard, statement.facts))}
    return statement, sorted(position for known, position in last.items() if known not in course.places)


def series(connection: sa.Connection, read: Collection[str], among: Collection[str]) -> dict[str, date]:
    """Which of these items are reports of the series that one of the statements `read` is of, and of what day."""
    own = connection.execute(
        sa.select(exposures.c.source, exposures.c.report).where(exposures.c.statement.in_(read)).limit(1)
    ).one_or_none()
    if own is None or not among:
        return {}
    chosen = sa.select(statements.c.item, sa.func.max(exposures.c.day)).group_by(statements.c.item)
    chosen = chosen.join(exposures, exposures.c.statement == statements.c.key)
    mine = (exposures.c.source == own.source, exposures.c.report == own.report, statements.c.item.in_(among))
    return {row[0]: row[1] for row in connection.execute(chosen.where(*mine))}


def _course(connection: sa.Connection, guard: Guard, statement: str, *, out: bool) -> Course | None:
    own = connection.execute(_reports(out=out).where(exposures.c.statement == statement)).one_or_none()
    if own is None:
        return None
    known = _known(connection, guard, own)
    places = None if known is None else {each: place for place, each in enumerate(known)}
    before, after = (tuple(_walk(connection, guard, own, places, out=out, back=back)) for back in (True, False))
    return Course(own.report, own.day, own.systems, before, after, places or {})


def _walk(
    connection: sa.Connection, guard: Guard, own: Any, places: dict[int, int] | None, *, out: bool, back: bool
) -> Iterator[Day]:
    """The other reports, the nearest first, until nothing is left that all of them have."""
    columns, left, last = exposures.c, BitMap((places or {}).values()), own.day
    series = _reports(out=out).where(columns.source == own.source, columns.report == own.report)
    series = (
        series.where(items.c.state != "withdrawn").order_by(columns.day.desc() if back else columns.day).limit(_CHUNK)
    )
    while rows := connection.execute(series.where(columns.day < last if back else columns.day > last)).all():
        last = rows[-1].day
        for row in rows:
            if out and (_label(row) > _label(own) or row.statement not in _decision(row).only):
                continue
            same = None
            if places is not None and (known := _known(connection, guard, row)) is not None:
                same = BitMap([places[each] for each in known if each in places])
            ruled = not out or _decision(row).by.startswith("rule:")
            yield Day(row.day, row.statement, row.systems, same, None if ruled else BitMap.deserialize(row.audience))
            if same is None:
                return
            if ruled:
                left &= same
                if not left:
                    return


def _reports(*, out: bool) -> sa.Select[Any]:
    """Reports with what was decided about their items; `out`: those of which a release stands, as they now are."""
    standing = sa.and_(releases.c.item == items.c.id, releases.c.status == "active")
    joined = exposures.join(statements, statements.c.key == exposures.c.statement)
    joined = joined.join(items, items.c.id == statements.c.item).join(releases, standing, isouter=not out)
    said = (statements.c.received_at, statements.c.label)
    chosen = (*said, items.c.label.label("raised"), releases.c.decision, releases.c.audience)
    query = sa.select(exposures, *chosen).select_from(joined)
    return query.where(items.c.state == "released") if out else query


def _label(row: Any) -> Label:
    return max(Label(row.label), Label(row.raised or "CLEAR"))


def _decision(row: Any) -> Decision:
    return msgspec.json.decode(row.decision, type=Decision)


def _ported(facts: Facts) -> bool:
    """Is a system known by its port too? One that somebody abuses is seen to call from another port each time."""
    return not facts.exploited and not facts.tracking[0].startswith("event")


def _hash(guard: Guard, row: Observable, *, ported: bool) -> int:
    port = f" {row.port or ''}/{row.protocol or ''}" if ported else ""
    return int(guard.keyed(b"exposure", f"{row.type} {row.value}{port}")[:16], 16)


def _hashes(guard: Guard, facts: Facts) -> list[int]:
    ported = _ported(facts)
    return [_hash(guard, row, ported=ported) for row in facts.observables]


def _count(row: Observable) -> int:
    """How many rows the guard took out, where it says so; else 0."""
    return int(row.detail["count"]) if row.type in ("asn", "other") and row.detail.keys() == {"count"} else 0


def _sealed(guard: Guard, statement: Statement, known: bytes) -> bytes:
    return guard.vault.lock(statement.source, month_of(statement.received_at), ("exposure", statement.key), known)


def _known(connection: sa.Connection, guard: Guard, row: Any) -> tuple[int, ...] | None:
    """The hashes of a report's systems; None: some were taken out, or their key was destroyed."""
    if row.known is None:
        return None

    def again() -> list[bytes]:  # outside of this transaction, which may see the moment before
        with connection.engine.connect().execution_options(readonly=True) as other:
            found = other.scalar(sa.select(exposures.c.known).where(exposures.c.statement == row.statement))
        return [] if found is None else [found]

    bound = ("exposure", row.statement)
    plain = guard.vault.unlock(row.source, month_of(row.received_at), bound, row.known, again)
    return None if plain is None else struct.unpack(f"<{len(plain) // 8}Q", plain)


def _packed(known: Iterable[int]) -> bytes:
    ordered = sorted(set(known))
    return struct.pack(f"<{len(ordered)}Q", *ordered)
