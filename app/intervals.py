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
from dispatch.ledger import Entry
from subscribers import Subscriber, registry
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
    ahead: Ahead,
    delivery: Delivery,
    subscriber: Subscriber,
    view: View,
    beside: Collection[str] = (),
) -> datetime | None:
    """When its reader was last told of all systems of its own that an exposure shows; None: of one it was not told, or
    not that it is as urgent.

    `beside`: items of which it is told at this moment. What was closed before the last report that it was told of is
    nothing new either. Who had other networks, domains or another clearance then was told of other systems.
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
    last = max(reports, key=at.__getitem__)
    if last in sent:
        was = registry.at(connection, subscriber.id, at[last])
        if was is None or _holds(was) != _holds(subscriber) or _graver(ahead, sent[last], subscriber, view):
            return None
    return at[last]


def _holds(subscriber: Subscriber) -> tuple[object, ...]:
    """What makes systems its own, and shows them to it."""
    profile = subscriber.profile
    return profile.networks, profile.domains, profile.verified, subscriber.clearance, profile.members


def _graver(ahead: Ahead, told: Entry, subscriber: Subscriber, view: View) -> bool:
    """Is it more urgent than what its reader was told?"""
    before = ahead.earlier(told.subject, told.version)
    was = None if before is None else known(before, subscriber)
    return was is not None and PRIORITY[view.urgency] < PRIORITY[was.urgency]
