"""How an exposure goes on over days, as analysts see it (`oktt item`)."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from pyroaring import BitMap

from app.service import Service
from pii_guard import Item, Statement
from triage import exposures
from triage.exposures import Course


def listed(service: Service, connection: sa.Connection, item: Item) -> dict[str, Any] | None:
    """The item's report held against the one before, and its rows. None: it is none of a series.

    `since`: how many systems are open since each day, without a break.
    """
    for statement in item.statements:
        course = exposures.course(connection, statement.key)
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
                **counts(course),
                "since": {str(day): count for day, count in sorted(Counter(since.values()).items())},
                "rows": _rows(service, statement, course, since, until),
            }
    return None


def counts(course: Course) -> dict[str, int | None]:
    """How many systems are newly open, still open, and closed since the report before; null: nobody can tell, since
    the guard took addresses out of one of the two."""
    if not course.before:
        return {"open": course.systems, "still_open": 0, "closed": 0}
    before = course.before[0]
    if before.same is None:
        return {"open": None, "still_open": None, "closed": None}
    still = len(before.same)
    return {"open": course.systems - still, "still_open": still, "closed": before.lost}


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
