"""The desk's work: decisions of analysts and of release rules."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from app import pipeline, releasing, withdrawing
from app.observe import log
from app.service import Service
from app.views import about, shown
from dispatch import outbox
from pii_guard import GuardError, journal
from subscribers import registry
from triage import Released, TriageError, cases, decide, inbox, joining, lint
from triage.cases import Case, Request

PATIENCE = 2.0
"""Seconds after which the rules commit what they decided: others wait to write meanwhile."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a decision."""

    state: str
    queued: int = 0
    lint: tuple[str, ...] = ()
    """What its message fails of the lint: told with a release."""


def decide_on(service: Service, request: Request) -> Done:
    """Carry out what an analyst decided, with all that follows, in one transaction. Raises TriageError."""
    desk, now, faults = service.settings.main.desk, service.clock(), []
    with service.transaction() as connection:
        before = outbox.waiting(connection, request.item)
        for named in request.to:
            if registry.get(connection, named) is None:
                raise TriageError(f"--to: there is no subscriber {named}: `oktt subscribers list` lists them")
        if request.act in ("release", "approve"):
            case = cases.opened(connection, service.guard, request.item, service.settings.consents, request)
            faults = _read(case, request)
            decision = partial(
                decide.release if request.act == "release" else decide.approve,
                connection,
                desk,
                shown=shown(service, case),
                request=request,
                now=now,
            )
            pipeline.release(service, connection, case, decision)
        else:
            decide.act(connection, desk, request, now)
            if request.act == "withdraw":
                withdrawing.take_back(service, connection, request.item)
        state = inbox.row(connection, request.item).state
        _account(service, connection, request.item, request.act, request.by)
        return Done(state, outbox.waiting(connection, request.item) - before, tuple(faults))


def _read(case: Case, request: Request) -> list[str]:
    """What the message fails of the lint. Text of our own that does needs a reason to leave. Raises TriageError."""
    hard = lint.own(case.item)
    if hard and request.act == "release" and not request.reason:
        raise TriageError(
            f"{request.item}: its text is hard to read ({'; '.join(hard[:3])}): mend it (`oktt compose`), or release "
            "it as it is with --reason"
        )
    return lint.lint(case.item, about(case.item, case.kind))


def merge(service: Service, one: str, other: str, word: joining.Word) -> tuple[str, str]:
    """Two items are one threat: (the one that stays, the one it took in). What went out of both is now of the first.
    Raises TriageError."""
    desk, now = service.settings.main.desk, service.clock()
    with service.transaction() as connection:
        survivor, taken = joining.merge(connection, service.guard, desk, one, other, word, now)
        releasing.took_in(connection, survivor, [taken], now)
        for each in (survivor, taken):
            _account(service, connection, each, "merge", word.by)
    return survivor, taken


def split(service: Service, item: str, source: str, word: joining.Word) -> str:
    """What a source says of an item is another threat; the item where that lies now. What of both is out and still
    stands is shown as it was; the rest is no longer shown, until somebody decides on it. Raises TriageError."""
    desk, now = service.settings.main.desk, service.clock()
    with service.transaction() as connection:
        target = joining.split(connection, service.guard, desk, item, source, word, now)
        for each in (item, target):
            releasing.show(service, connection, each)
            _account(service, connection, each, "split", word.by)
    return target


def by_rules(service: Service, items: Sequence[str], mark: str) -> tuple[int, int]:
    """Let the release rules look at items in their order, as many as a short transaction takes, and one at least: (how
    many that were, how many of them went out).

    Each is decided by itself. One that cannot be read is undone by itself, and keeps no others from going out.
    """
    until, seen, looked, entries = time.monotonic() + PATIENCE, 0, [], []
    with service.transaction() as connection:
        waiting = decide.waiting(connection, items, mark)
        for seen, item in enumerate(items, start=1):  # noqa: B007 - what follows the last is for the next transaction
            if (row := waiting.get(item)) is None:
                continue
            try:
                with connection.begin_nested():
                    released = _ruled(service, connection, row)
            except GuardError as error:
                log.error("rules", item=item, error=str(error))
                continue
            looked.append(item)
            if released is not None:
                entries.append(_told(service, item, "release", released.decision.by))
            if time.monotonic() > until:
                break
        decide.looked_at(connection, looked, mark)
        journal.append(connection, entries, key=service.keys.derive("journal"), at=service.clock())
    return seen, len(entries)


def _ruled(service: Service, connection: sa.Connection, row: sa.Row[Any]) -> Released | None:
    """The first rule that applies to the item, or to a part of it, releases that; None: a person has to decide."""
    settings, now = service.settings, service.clock()
    case = cases.of_row(connection, service.guard, row, settings.consents)
    if lint.own(case.item):  # an analyst sees it first
        return None
    look = shown(service, case)
    decision = partial(decide.by_rule, connection, settings.main.desk, settings.rules, shown=look, now=now)
    released = pipeline.release(service, connection, case, decision)
    if released is not None or decide.stands(connection, service.guard, case, settings.consents) is not None:
        return released
    for part in decide.in_part(settings.rules, case):
        decision = partial(decision, shown=shown(service, part))
        released = pipeline.release(service, connection, part, decision)
        if released is not None:
            break
    return released


def _account(service: Service, connection: sa.Connection, item: str, act: str, by: str) -> None:
    """A decision in the processing register, the metrics and the log."""
    entry = _told(service, item, act, by)
    journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())


def _told(service: Service, item: str, act: str, by: str) -> journal.Entry:
    """A decision in the metrics and the log; what the register will hold of it."""
    who = by if by.startswith("rule:") else "person"
    service.metrics.decisions.labels(act).inc()
    log.info("decided", item=item, act=act, by=who)
    return journal.Entry("decided", item, {"act": act, "by": who})
