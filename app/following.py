"""What follows a message that nobody answered: one reminder after its deadline, then a list of whom to call."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import sqlalchemy as sa

from app.observe import log
from app.releasing import AT_ONCE
from app.service import Service
from app.views import shown
from dispatch import Delivery, feedback, outbox
from normalize import Urgency
from pii_guard import GuardError
from triage import TriageError, advice, decide, releases

LOOKED_AT = timedelta(days=14)
"""How long after its release an item is reminded of."""
PATIENCE: dict[Urgency, timedelta] = {"today": timedelta(days=1), "this-week": timedelta(days=7)}
"""How long after the reminder somebody is called."""
AGAIN = timedelta(minutes=10)
"""How often it is looked who did not answer: that goes through all messages of two weeks."""
_FIRST = ("partnership", "cert", "supplier")


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to call."""

    item: str
    urgency: Urgency
    subscriber: str
    why: Literal["need-help", "no-answer"]
    since: datetime
    """When help was asked for, or the reminder sent."""


def remind(service: Service) -> bool:
    """Queue reminders of what should have been done by now, a few thousand at a time. Were there any?

    Only where recipients can answer: else nobody knows who did.
    """
    if not service.settings.main.web.base_url:
        return False
    now, last = service.clock(), service.reminded_at
    if last is not None and timedelta(0) <= now - last < AGAIN:
        return False
    with service.reading() as connection:
        items = releases.standing(connection, since=now - LOOKED_AT)
    queued = 0  # of several items before any leaves: what asks the same of one reader goes as one message
    for item in items:
        try:
            with service.reading() as connection:  # the database is not kept from others for what only looks
                orders, urgency = _reminders(service, connection, item, now)
            queued += _queued(service, orders, urgency) if orders else 0
            if queued >= AT_ONCE:
                return True
        except (GuardError, TriageError) as error:  # one that cannot be read keeps no other from being reminded of
            log.error("reminder", item=item, error=type(error).__name__)
    service.reminded_at = now
    return queued > 0


def _queued(service: Service, orders: Sequence[Delivery], urgency: Urgency) -> int:
    with service.transaction() as connection:
        return outbox.queue(connection, orders, urgency=urgency)


def _reminders(service: Service, connection: sa.Connection, item: str, now: datetime) -> tuple[list[Delivery], Urgency]:
    stands = releases.find(connection, item, "active")
    if stands is None or not _over("today", stands.at, now):  # the soonest that anything is
        return [], "info"
    silent = feedback.unanswered(connection, item, stands.version, AT_ONCE)
    released = silent and decide.out(
        connection, service.guard, item, partial(shown, service), service.settings.consents
    )
    if not released:
        return [], "info"
    key, version = service.keys.derive("deliveries"), released.item.version
    orders = [
        outbox.order(
            key,
            "reminder",
            item,
            version,
            each.subscriber,
            each.channel,
            each.medium,
            queued_at=now,
            due_at=now,
            revision=each.revision,
        )
        for each in silent
        if each.version == version and _over(released.urgency, each.queued_at, now)
    ]
    return orders, released.urgency


def _over(urgency: Urgency, at: datetime, now: datetime) -> bool:
    until = advice.due(urgency, at)
    return until is not None and until < now


def calls(service: Service, most: int) -> list[Call]:
    """Whom to call, the most urgent first, of each who acts for others first; of what stands, at most so many an item
    and reason."""
    now = service.clock()
    with service.reading() as connection:
        found: list[Call] = []
        for item in releases.standing(connection, since=now - 2 * LOOKED_AT):
            found += _calls(service, connection, item, most, now)
        first = {number for kind in _FIRST for number in service.index(connection).kinds.get(kind)}
        numbers = {each.subscriber: service.index(connection).number(each.subscriber) for each in found}
    order = ("today", "this-week", "info")
    return sorted(
        found,
        key=lambda each: (
            order.index(each.urgency), each.why != "need-help", numbers[each.subscriber] not in first, each.since,
            each.item, each.subscriber,
        ),
    )  # fmt: skip


def _calls(service: Service, connection: sa.Connection, item: str, most: int, now: datetime) -> Iterator[Call]:
    said = [each for each in feedback.answers(connection, item) if each.answer == "need-help"]
    silent = feedback.reminded(connection, item, most)
    if not said and not silent:
        return
    released = decide.out(connection, service.guard, item, partial(shown, service), service.settings.consents)
    if released is None:
        return
    for given in said[:most]:
        yield Call(item, released.urgency, given.subscriber, "need-help", given.at)
    patience = PATIENCE.get(released.urgency)
    for subscriber, at in silent:
        if patience is not None and at + patience <= now:
            yield Call(item, released.urgency, subscriber, "no-answer", at)
