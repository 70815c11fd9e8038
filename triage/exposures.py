"""How exposures go on over days: which systems of a report are newly open, still open, or no longer seen.

A series is the reports of one type from one source, one a day; each is held against the report before it, of whatever
day that was: a day without a report closes nothing. Nothing of the comparison is stored. Beside a statement stand keyed
hashes of its systems (a plain one of an address is the address), made of what the guard let through and gone with it;
since when a system is open is worked out when somebody asks. So it is right whatever came first, and after a
correction, a withdrawal or the end of a retention.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
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
    sa.Column("known", sa.LargeBinary, comment="keyed hash of each; null: some were taken out, and are known no more"),
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
        "known": known,
    }
    connection.execute(exposures.delete().where(exposures.c.statement == statement.key))
    connection.execute(exposures.insert(), values)


def delete(connection: sa.Connection, item: str) -> None:
    """Delete what stands of an item whose retention has ended."""
    own = sa.select(statements.c.key).where(statements.c.item == item)
    connection.execute(exposures.delete().where(exposures.c.statement.in_(own)))


def course(connection: sa.Connection, statement: str) -> Course | None:
    """A report among those of its series that were not withdrawn, for analysts. None: it is none of a series."""
    return _course(connection, statement, out=False)


def told(connection: sa.Connection, statement: str) -> Course | None:
    """The same of a report that is released as it stands, among those of which its readers may know: also released as
    they stand, under no stricter label. Of what a person released, those to whom it was: who came later needs a rule
    (domain-rules: Decisions)."""
    return _course(connection, statement, out=True)


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


def _course(connection: sa.Connection, statement: str, *, out: bool) -> Course | None:
    own = connection.execute(_reports(out=out).where(exposures.c.statement == statement)).one_or_none()
    if own is None:
        return None
    places = {known: place for place, known in enumerate(_unpacked(own.known))}
    before, after = (tuple(_walk(connection, own, places, out=out, back=back)) for back in (True, False))
    return Course(own.report, own.day, own.systems, before, after, places)


def _walk(connection: sa.Connection, own: Any, places: dict[int, int], *, out: bool, back: bool) -> Iterator[Day]:
    """The other reports, the nearest first, until nothing is left that all of them have."""
    columns, left, last = exposures.c, BitMap(places.values()), own.day
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
            if own.known is not None and row.known is not None:
                same = BitMap([places[each] for each in _unpacked(row.known) if each in places])
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
    chosen = (statements.c.label, items.c.label.label("raised"), releases.c.decision, releases.c.audience)
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


def _packed(known: Iterable[int]) -> bytes:
    ordered = sorted(set(known))
    return struct.pack(f"<{len(ordered)}Q", *ordered)


def _unpacked(known: bytes | None) -> tuple[int, ...]:
    return struct.unpack(f"<{len(known) // 8}Q", known) if known else ()
