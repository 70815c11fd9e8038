"""What messages did: sent, delivered, opened, answered, handled, and how soon; by item, urgency and segment.

Groups of fewer than ten subscribers are told by their name alone, however many messages they got: few could be known
by their number. Where what is left out of a kind of group, or of the items of one urgency, comes to fewer than ten
subscribers, the next smallest is left out too, or subtraction would tell. The same holds of who read what partnerships
passed on: these are browsers that said so, and of fewer than ten nothing is told.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Literal, TypeAlias

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from app.service import Service
from dispatch import feedback, forwards, lateness, ledger
from dispatch.feedback import Told
from dispatch.lateness import Lateness
from filtering import reach
from filtering.index import Index
from triage import TriageError, inbox

LEAST = 10
"""Subscribers of the smallest group whose counts are shown."""
By = Literal["all", "item", "urgency", "sector", "size", "maturity", "kind", "edition"]
_ORDER: tuple[By, ...] = ("all", "urgency", "kind", "size", "maturity", "sector", "item")
_Group: TypeAlias = tuple[By, str]


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
    readers: int | None = None
    """Browsers in which somebody said to have read what partnerships passed on, each once a message."""


def effect(service: Service, since: datetime) -> tuple[list[Effect], Lateness | None]:
    """A line for each group, everybody first; and how long it took from the source to the inbox."""
    groups: defaultdict[_Group, list[Told]] = defaultdict(list)
    readers: defaultdict[_Group, set[str]] = defaultdict(set)
    with service.reading() as connection:
        index = service.index(connection)
        parts = [(by, value, bits) for by, held in reach.segments(index).items() for value, bits in held.items()]
        urgency: dict[str, str] = {}
        passed_on = forwards.counted(connection, since)
        for told in feedback.outcomes(connection, since):
            if told.item not in urgency:
                urgency[told.item] = _urgency(connection, told.item)
            for group in _groups(told, urgency[told.item], index, parts):
                groups[group].append(told)
                readers[group] |= passed_on.get((told.item, told.subscriber), set())
        late = lateness.to_inbox(connection, since)
        editions = ledger.editions(connection, since)
    shown = _shown({group: {each.subscriber for each in told} for group, told in groups.items()}, urgency)
    counted = _shown(readers, urgency)
    rows = []
    for group in sorted(filter(_named, groups), key=lambda each: (_ORDER.index(each[0]), each[1])):
        read = len(readers[group]) if group in counted else None
        rows.append(_summed(*group, groups[group], read) if group in shown else Effect(*group))
    return rows + _editions(editions, passed_on), late


def _editions(sent: Mapping[str, set[str]], passed_on: Mapping[tuple[str, str], frozenset[str]]) -> list[Effect]:
    """A line for each edition: to how many it went, and who read what partnerships passed on of it."""
    rows = []
    for edition, who in sorted(sent.items()):
        readers = sum(len(passed_on.get((edition, each), ())) for each in who)
        told = len(who) >= LEAST
        read = readers if told and readers >= LEAST else None
        rows.append(Effect("edition", edition, len(who) if told else None, readers=read))
    return rows


def _named(group: _Group) -> bool:
    """Those of whom a kind of group says nothing are left out, and count as such."""
    return bool(group[1]) or group[0] == "all"


def _shown(groups: Mapping[_Group, set[str]], urgency: Mapping[str, str]) -> set[_Group]:
    """The groups that may be told; `groups`: of which subscribers they are."""
    shown = {group for by in _ORDER[:-1] for group in _enough({one: groups[one] for one in groups if one[0] == by})}
    # The items of an urgency that is told come to it, all others to the rest.
    parts: defaultdict[str, dict[_Group, set[str]]] = defaultdict(dict)
    for group in groups:
        if group[0] == "item":
            above = urgency[group[1]]
            parts[above if above and ("urgency", above) in shown else ""][group] = groups[group]
    return shown.union(*map(_enough, parts.values()))


def _enough(groups: Mapping[_Group, set[str]]) -> set[_Group]:
    """Of groups that come to a known sum: those that may be told."""
    left = sorted(groups, key=lambda each: (_named(each), len(groups[each]), each))
    hidden: set[str] = set()
    while left and (not _named(left[0]) or len(groups[left[0]]) < LEAST or 0 < len(hidden) < LEAST):
        hidden |= groups[left.pop(0)]
    return set(left)


def _urgency(connection: sa.Connection, item: str) -> str:
    try:
        return str(inbox.card(connection, item)["urgency"])
    except TriageError:  # its retention has ended
        return ""


def _groups(
    told: Told, urgency: str, index: Index, parts: list[tuple[reach.Dimension, str, BitMap]]
) -> Iterator[_Group]:
    yield "all", ""
    yield "item", told.item
    yield "urgency", urgency
    number = index.number(told.subscriber)
    mine = [(by, value) for by, value, bits in parts if number is not None and number in bits]
    yield from mine
    yield from ((by, "") for by in {by for by, _, _ in parts} - {by for by, _ in mine})


def _summed(by: By, value: str, told: list[Told], readers: int | None) -> Effect:
    handled = [each.handled_at - each.sent_at for each in told if each.handled_at is not None]
    hours = [each.total_seconds() / 3600 for each in handled if each >= timedelta(0)]  # else it was sent before `since`
    passed = [each.passed_on for each in told if each.passed_on is not None]
    return Effect(
        by,
        value,
        sent=len(told),
        delivered=sum(each.delivered for each in told),
        opened=sum(each.opened for each in told),
        answered=sum(each.answer is not None for each in told),
        handled=len(handled),
        median_hours=round(median(hours), 1) if hours else None,
        passed_on=sum(passed) if passed else None,
        readers=readers,
    )
