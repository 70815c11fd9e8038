"""What messages did: sent, delivered, opened, answered, handled, and how soon; by item, urgency and segment.

Groups under ten recipients are told by their name alone: few could be known by their number. Where what is left out
of a kind of group comes to fewer than ten, the next smallest is left out too, or subtraction would tell.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from statistics import median
from typing import Literal

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from app.service import Service
from dispatch import feedback, lateness
from dispatch.feedback import Told
from dispatch.lateness import Lateness
from filtering import reach
from filtering.index import Index
from triage import TriageError, inbox

LEAST = 10
"""Recipients of the smallest group whose counts are shown."""
By = Literal["all", "item", "urgency", "sector", "size", "maturity", "kind"]


class Effect(msgspec.Struct, frozen=True):
    """Of one group: recipients of each message once an item. Null: too few to tell."""

    by: By
    value: str
    sent: int | None = None
    delivered: int | None = None
    """Taken by the recipient's mail server, and not returned since."""
    opened: int | None = None
    """Whose page for answers was asked for, perhaps by a mail scanner."""
    answered: int | None = None
    handled: int | None = None
    median_hours: float | None = None
    """From sending to `handled`."""
    passed_on: int | None = None
    """Members to whom partnerships say they passed it on."""


def effect(service: Service, since: datetime) -> tuple[list[Effect], Lateness | None]:
    """A line for each group, everybody first; and how long it took from the source to the inbox."""
    groups: defaultdict[tuple[By, str], list[Told]] = defaultdict(list)
    with service.reading() as connection:
        index = service.index(connection)
        parts = [(by, value, bits) for by, held in reach.segments(index).items() for value, bits in held.items()]
        urgency: dict[str, str] = {}
        for told in feedback.outcomes(connection, since):
            if told.item not in urgency:
                urgency[told.item] = _urgency(connection, told.item)
            for group in _groups(told, urgency[told.item], index, parts):
                groups[group].append(told)
        late = lateness.to_inbox(connection, since)
    order: tuple[By, ...] = ("all", "urgency", "kind", "size", "maturity", "sector", "item")
    shown = {
        group for by in order for group in _shown([(group, len(groups[group])) for group in groups if group[0] == by])
    }
    listed = sorted(groups, key=lambda each: (order.index(each[0]), each[1]))
    return [_summed(*group, groups[group]) if group in shown else Effect(*group) for group in listed], late


def _shown(sizes: list[tuple[tuple[By, str], int]]) -> set[tuple[By, str]]:
    """The groups of one kind that may be told."""
    left = sorted(sizes, key=lambda each: (each[1], each[0]))
    hidden = 0
    while left and (left[0][1] < LEAST or 0 < hidden < LEAST):
        hidden += left.pop(0)[1]
    return {group for group, _ in left}


def _urgency(connection: sa.Connection, item: str) -> str:
    try:
        return str(inbox.card(connection, item)["urgency"])
    except TriageError:  # its retention has ended
        return ""


def _groups(
    told: Told, urgency: str, index: Index, parts: list[tuple[reach.Dimension, str, BitMap]]
) -> Iterator[tuple[By, str]]:
    yield "all", ""
    yield "item", told.item
    if urgency:
        yield "urgency", urgency
    number = index.number(told.subscriber)
    for by, value, bits in parts:
        if number is not None and number in bits:
            yield by, value


def _summed(by: By, value: str, told: list[Told]) -> Effect:
    hours = [(each.handled_at - each.sent_at).total_seconds() / 3600 for each in told if each.handled_at is not None]
    passed = [each.passed_on for each in told if each.passed_on is not None]
    return Effect(
        by,
        value,
        sent=len(told),
        delivered=sum(each.delivered for each in told),
        opened=sum(each.opened for each in told),
        answered=sum(each.answer is not None for each in told),
        handled=len(hours),
        median_hours=round(median(hours), 1) if hours else None,
        passed_on=sum(passed) if passed else None,
    )
