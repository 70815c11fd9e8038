"""How soon one recipient is told of the same again: updates on one item, and systems that are open day after day.

For people: programs (webhooks, topics) get all there is.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa

from app.ahead import Ahead
from app.service import Service
from app.views import known
from dispatch import Delivery, View, ledger
from dispatch.fanout import PRIORITY
from dispatch.grouping import MEDIA
from subscribers import Subscriber
from triage import exposures


def update_waits(
    service: Service, ahead: Ahead, delivery: Delivery, subscriber: Subscriber, view: View
) -> datetime | None:
    """Until when an update waits for a next one, which then takes its place; None: it goes now.

    What became more urgent, or is exploited by now, never waits.
    """
    sent = [each for each in ahead.sent(subscriber.id, view.item) if each.version < view.version]
    last = next((each for each in reversed(sent) if each.kind == "update" and each.medium in MEDIA), None)
    if last is None or delivery.medium not in MEDIA:
        return None
    until = last.at + timedelta(hours=service.settings.main.desk.update_hours)
    if until <= service.clock():
        return None
    before = ahead.earlier(view.item, last.version)
    was = None if before is None else known(before, subscriber)
    if was is None or (view.exploited and not was.exploited) or PRIORITY[view.urgency] < PRIORITY[was.urgency]:
        return None
    return until


def told_of(
    service: Service,
    connection: sa.Connection,
    delivery: Delivery,
    subscriber: Subscriber,
    view: View,
    beside: Collection[str] = (),
) -> datetime | None:
    """When its reader was last told of all systems of its own that an exposure shows; None: of one it was not told.

    `beside`: items of which it is told at this moment. What was closed before the last report that it was told of is
    nothing new either.
    """
    days = view.days
    if days is None or delivery.medium not in MEDIA:
        return None
    own = [day for row, day in zip(view.observables, days.since, strict=True) if row.own]
    opened = [day for day in own if day is not None]
    if not opened or len(opened) < len(own):  # nobody can tell
        return None
    since = datetime.combine(min(opened), time(), UTC)
    sent = ledger.told(connection, subscriber.id, since, MEDIA)
    at = {item: each.at for item, each in sent.items() if each.kind != "withdrawal"}
    at |= dict.fromkeys(beside, service.clock())
    at.pop(view.item, None)
    reports = exposures.series(connection, view.statements, at)
    latest = max(reports.values(), default=None)
    if latest is None or (latest < days.day and max(opened) > latest):
        return None
    return max(at[item] for item in reports)
