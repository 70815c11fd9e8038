"""Questions about whom an item concerns: its audience, why one subscriber, and what if one were registered. They change
nothing; what is opened of the vault to answer them stands in the register."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from pyroaring import BitMap

from app.service import Service
from app.views import matching
from filtering import Explanation, Match, Outcome, reach
from filtering.match import Matching
from subscribers import Incoming, Subscriber, registry
from triage import TriageError, cases, inbox
from triage.cases import Case

SAMPLES = 20
"""Ids beside each count of what a new version changes."""


@dataclass(frozen=True, slots=True)
class Some:
    """How many subscribers, and the ids of some."""

    count: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Change:
    """Those whose outcome is another than that of an earlier version."""

    was: Outcome
    now: Outcome
    who: Some


@dataclass(frozen=True, slots=True)
class Since:
    """What is different from the version before, with subscribers, labels and clock as they are now."""

    version: int
    comes: Some
    goes: Some
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who would get an item, who not, in which segments, and since which version."""

    match: Match
    explained: list[Explanation]
    segments: dict[reach.Dimension, dict[str, dict[Outcome, int]]]
    since: Since | None
    """None: there is no version before, or it is no longer kept."""


def audience(service: Service, item: str, limit: int) -> Audience:
    """Who would get an item and who not, with up to `limit` explained, those who would get it first."""
    with service.reading() as connection:
        case = _case(service, connection, item)
        asked = matching(service, connection, case, service.clock())
        match = asked.match()
        numbers = _first(match, limit)
        people = {each.number: each for each in registry.by_numbers(connection, numbers)}
        explained = [asked.explain(people[number]) for number in numbers if number in people]
        since = _since(service, connection, case, asked, match)
        return Audience(match, explained, reach.counted(asked.index, match), since)


def explain(service: Service, item: str, subscriber: str) -> Explanation:
    """The decision for one pair. Raises TriageError."""
    with service.reading() as connection:
        case = _case(service, connection, item)
        found = registry.get(connection, subscriber)
        if found is None:
            raise TriageError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
        return matching(service, connection, case, service.clock()).explain(found)


def what_if(service: Service, item: str, profiles: Sequence[Incoming]) -> list[Explanation]:
    """The decision for subscribers as if they were registered so, beside all others. Nothing is stored."""
    with service.reading() as connection:
        case = _case(service, connection, item)
        with service.index(connection).supposing(map(_subscriber, profiles)) as supposed:
            asked = matching(service, connection, case, service.clock())
            return [asked.explain(one) for one in supposed]


def _case(service: Service, connection: sa.Connection, item: str) -> Case:
    return cases.opened(connection, service.guard, item, service.settings.consents)


def _subscriber(one: Incoming) -> Subscriber:
    """As the registry would hold it, without a number of its own."""
    never = datetime.min.replace(tzinfo=UTC)
    return Subscriber(one.id, 0, one.name, one.language, one.clearance, one.profile, one.contacts, never)


def _since(service: Service, connection: sa.Connection, case: Case, asked: Matching, match: Match) -> Since | None:
    version = case.item.version - 1
    before = inbox.earlier(connection, service.guard, case.item.id, version)
    if before is None:
        return None
    was = matching(service, connection, dataclasses.replace(case, item=before), asked.now).match()
    moved = reach.moves(was, match)

    def some(numbers: BitMap) -> Some:
        return Some(len(numbers), [asked.index.entry(number).id for number in numbers[:SAMPLES]])

    changes = [Change(*pair, some(numbers)) for pair, numbers in moved.changed.items()]
    changes.sort(key=lambda each: -each.who.count)
    return Since(version, some(moved.comes), some(moved.goes), changes)


def _first(match: Match, limit: int) -> list[int]:
    def ordered() -> Iterator[int]:
        for outcome in ("deliver", "quiet", "digest", "vital", "tlp", "urgency", "opt-out", "unverified", "no-match"):
            yield from match.outcomes[outcome]

    return [number for number, _ in zip(ordered(), range(limit), strict=False)]
