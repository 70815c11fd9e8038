"""How an exposure goes on over days: for analysts (`oktt item`), and for each reader what it may know of that."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pyroaring import BitMap

from app.service import Service
from dispatch import Days, View
from normalize import Observable
from pii_guard import Item, Statement
from triage import Released, exposures
from triage.exposures import Course, Day


def listed(service: Service, connection: sa.Connection, item: Item) -> dict[str, Any] | None:
    """The item's report held against the one before, and its rows. None: it is none of a series.

    `since`: how many systems are open since each day, without a break.
    """
    for statement in service.opened(connection, item, "compare").statements:
        course = exposures.course(connection, service.guard, statement.key)
        if course is not None:
            before = course.before[0] if course.before else None
            every = BitMap(course.places.values())
            since, until = course.since(every, course.before), course.until(every, course.after)
            return {
                "report": course.report,
                "day": course.day,
                "previous": before and before.day,
                "systems": course.systems,
                "previous_systems": before and before.systems,
                **counts(course, before),
                "since": {str(day): count for day, count in sorted(Counter(since.values()).items())},
                "rows": _rows(service, statement, course, since, until),
            }
    return None


def counts(course: Course, before: Day | None) -> dict[str, int | None]:
    """How many systems are newly open, still open, and closed since the report before; null: nobody can tell, since
    the guard took addresses out of one of the two."""
    if before is None:
        return {"open": course.systems, "still_open": 0, "closed": 0}
    if before.same is None:
        return {"open": None, "still_open": None, "closed": None}
    still = len(before.same)
    return {"open": course.systems - still, "still_open": still, "closed": before.lost}


class Told:
    """What the readers of a released exposure may know of the reports of other days. Read once for all of them."""

    def __init__(self, service: Service, connection: sa.Connection, released: Released) -> None:
        self._guard = service.guard
        self._statement: Statement | None = None
        self._course: Course | None = None
        self._lost = BitMap()
        """Positions of the rows of the report before that are no longer seen."""
        self.earlier: tuple[Statement, ...] = ()
        """That report, if it has any."""
        for statement in released.item.statements:
            if statement.kind == "exposure" and (found := exposures.told(connection, service.guard, statement.key)):
                self._statement, self._course = statement, found
                break
        else:
            return
        lost = exposures.lost(connection, service.guard, found, found.before[0]) if found.before else None
        if lost is not None:
            self.earlier, self._lost = (lost[0],), BitMap(lost[1])

    def days(self, view: View, number: int, shown: Callable[[Statement, BitMap], Sequence[Observable]]) -> Days | None:
        """How what a subscriber is shown goes on. `shown`: which of these rows of an earlier report it may see.

        None: there is no other report, or nothing of it is shown. What was released to others tells it nothing.
        """
        course, statement = self._course, self._statement
        if course is None or statement is None or statement.key not in view.statements:
            return None
        before, after = ([each for each in part if _may(each, number)] for part in (course.before, course.after))
        if not before and not after:
            return None
        places = course.placed(self._guard, statement.facts, (row for row in view.observables if row.own))
        mine = BitMap(place for place in places if place is not None)
        since, until = course.since(mine, before), course.until(mine, after)
        own = iter(places)
        placed = [next(own) if row.own else None for row in view.observables]
        nearest = before[0] if before else None
        return Days(
            course.report,
            course.day,
            nearest.day if nearest else None,
            course.systems,
            **counts(course, nearest),
            since=tuple(None if place is None else since[place] for place in placed),
            until=tuple(None if place is None else until.get(place) for place in placed),
            gone=tuple(shown(self.earlier[0], self._lost)) if self.earlier and nearest is course.before[0] else (),
        )


def _may(day: Day, number: int) -> bool:
    return day.audience is None or number in day.audience


def _rows(
    service: Service, statement: Statement, course: Course, since: Mapping[int, date], until: Mapping[int, date]
) -> list[dict[str, Any]]:
    """Each row, since which report it is open, and in which later one it is no longer seen. What is kept for its owner
    alone has no value here either."""
    rows = statement.facts.observables
    return [
        {
            "type": row.type,
            "value": None if row.own else row.value,
            "port": row.port,
            "protocol": row.protocol,
            "asn": row.asn,
            "country": row.country,
            "seen": row.seen,
            "since": None if place is None else since.get(place),
            "until": None if place is None else until.get(place),
        }
        for row, place in zip(rows, course.placed(service.guard, statement.facts, rows), strict=True)
    ]
