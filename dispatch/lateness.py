"""How late a warning is: from what a source said, to receipt, to release, to the first message, measured per source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from dispatch.ledger import ledger
from triage.inbox import statements
from triage.releases import releases

Leg = Literal["received", "released", "sent"]
"""From the source's own time to receipt; from receipt to release; from release to the first message."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """One leg, of so many statements, in seconds."""

    count: int
    median: float
    p90: float


def measured(connection: sa.Connection, since: datetime) -> dict[str, dict[Leg, Lateness]]:
    """Per source, of what it said and we received since then. What a first poll brings of long ago does not count."""
    said, released = statements.c, releases.c
    release = (
        sa.select(sa.func.min(released.at))
        .where(released.item == said.item, released.at >= said.received_at, released.status != "pending")
        .scalar_subquery()
    )
    fresh = sa.or_(said.source_time.is_(None), said.source_time >= since)
    out = (
        sa.select(said.source, said.item, said.source_time, said.received_at, release.label("released_at"))
        .where(said.item.is_not(None), said.received_at >= since, fresh)
        .subquery()
    )
    message = (
        sa.select(sa.func.min(ledger.c.at))
        .where(ledger.c.subject == out.c.item, ledger.c.outcome == "sent", ledger.c.at >= out.c.released_at)
        .scalar_subquery()
    )
    query = sa.select(out.c.source, out.c.source_time, out.c.received_at, out.c.released_at, message)
    seconds: dict[str, dict[Leg, list[float]]] = {}
    for source, *moments in connection.execute(query):
        legs = seconds.setdefault(source, {"received": [], "released": [], "sent": []})
        for leg, start, end in zip(legs.values(), moments, moments[1:], strict=False):
            if start is not None and end is not None:
                leg.append(max((end - start).total_seconds(), 0.0))
    return {source: {leg: _summed(found) for leg, found in legs.items() if found} for source, legs in seconds.items()}


def to_inbox(connection: sa.Connection, since: datetime) -> Lateness | None:
    """From the source's own time to the inbox, of each alert that was sent since then; None: nobody knows of any."""
    said = sa.func.min(statements.c.source_time).label("said_at")
    first = sa.select(statements.c.item, said).where(statements.c.source_time.is_not(None)).group_by(statements.c.item)
    known = first.subquery()
    alerts = (ledger.c.outcome == "sent", ledger.c.kind == "alert", ledger.c.at >= since)
    query = sa.select(ledger.c.at, known.c.said_at).join(known, known.c.item == ledger.c.subject).where(*alerts)
    found = [max((at - said_at).total_seconds(), 0.0) for at, said_at in connection.execute(query)]
    return _summed(found) if found else None


def _summed(found: Sequence[float]) -> Lateness:
    ordered = sorted(found)
    return Lateness(len(ordered), _nearest(ordered, 50), _nearest(ordered, 90))


def _nearest(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank: a moment that was measured."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
