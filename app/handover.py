"""Messages that lie ready go out, one after the other, and what became of them is recorded (docs/decisions/006)."""

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa

from app import channels, database, proving, returning, withdrawing
from app.observe import log, place
from app.service import Service
from dispatch import Delivery, DispatchError, Outcome, grouping, handing, outbox, webhook
from dispatch.ledger import Entry
from pii_guard import GuardError, journal
from subscribers import Contact
from triage import inbox

Status = Literal["sent", "retry", "failed", "cancelled", "deferred"]
SOON = 5.0
"""Seconds after which what was made is looked at again before it goes."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Prepared and stored: to be handed over as it is."""

    delivery: Delivery
    contact: Contact
    message: bytes
    stub: bool = False
    """Does it show nothing, since the way is open to others?"""
    along: tuple[Delivery, ...] = ()
    """What goes with it."""

    @property
    def deliveries(self) -> list[Delivery]:
        """All that it is."""
        return [self.delivery, *self.along]

    @property
    def ids(self) -> list[str]:
        """Of all deliveries that it is."""
        return [each.id for each in self.deliveries]


@dataclass(slots=True)
class Batch:
    """What came of preparing some deliveries together."""

    ready: list[Ready] = field(default_factory=list)
    rest: list[Delivery] = field(default_factory=list)
    """There was no time for these."""
    closed: list[tuple[Delivery, Status]] = field(default_factory=list)
    """Not to leave, or not now."""
    failed: list[tuple[Delivery, Exception]] = field(default_factory=list)
    """Cannot be made."""


class Handover:
    """Holds the channels open, and counts. For one thread."""

    def __init__(self, service: Service, sender: str) -> None:
        self.counts: Counter[Status] = Counter()
        self._service = service
        self._channels = channels.channels(service, sender)
        self._register = service.keys.derive("journal")
        self._rng = random.SystemRandom()
        self._done: tuple[Ready, str, datetime] | None = None
        """What was accepted last and is not marked as that: in which words, when."""

    def give(self, ready: Sequence[Ready]) -> list[Delivery]:
        """Each to its channel, once. Those that were made too long ago by then, or were withdrawn since, come back, to
        be looked at again."""
        until = time.monotonic() + SOON
        again: list[Delivery] = []
        with database.stepping(self._service.engine) as connection:
            for number, each in enumerate(ready):
                if time.monotonic() > until:
                    return again + [one for late in ready[number:] for one in late.deliveries]
                if self._goes(connection, each):
                    self._give(each)
                elif self._withdrawn(connection, each):
                    again += each.deliveries
                else:
                    log.warning("left", delivery=each.delivery.id, reason="it is no longer this worker's")
        return again

    def _withdrawn(self, connection: sa.Connection, ready: Ready) -> bool:
        with connection.begin():
            return handing.withdrawn(connection, ready.ids)

    def _goes(self, connection: sa.Connection, ready: Ready) -> bool:
        """From now on it is under way, and the one before it is done. False: another worker has taken it over, or
        something of it was withdrawn."""
        with connection.begin():
            goes = self._step(connection, ready.delivery.worker, ready.ids)
        self._done = None
        return goes

    def _step(self, connection: sa.Connection, worker: str, following: Sequence[str]) -> bool:
        if self._done is None:
            return handing.step(connection, worker, (), "", self._service.clock(), following)
        done, said, at = self._done
        return handing.step(connection, worker, done.ids, said, at, following)

    def _give(self, ready: Ready) -> None:
        """What is accepted is settled with the others; what is not, at once."""
        delivery = dataclasses.replace(ready.delivery, attempts=ready.delivery.attempts + 1)
        try:
            outcome = self._channels[delivery.medium or "file"].send(delivery, ready.contact, ready.message)
        except Exception as error:  # a fault of ours, and nobody knows how far it came
            log.error("delivery", delivery=delivery.id, error=type(error).__name__, place=place(error))
            outcome = Outcome("retry", outbox.POSSIBLY_ACCEPTED)
        if outcome.status == "sent":
            said = "open-channel" if ready.stub else outcome.reason
            self._done = ready, said, self._service.clock()
        else:
            self._not_accepted(delivery, outcome)

    def _not_accepted(self, delivery: Delivery, outcome: Outcome) -> None:
        """It waits, or has failed."""
        try:
            with self._service.transaction() as connection:
                if outcome.reason == webhook.GONE:
                    returning.stopped(self._service, connection, delivery)
                settled = grouping.settle(connection, delivery, outcome, self._service.clock(), rng=self._rng)
        except DispatchError as lost:  # its lease ran out, and another worker has taken it over
            log.warning("left", delivery=delivery.id, reason=str(lost))
        else:
            for each, status in settled:
                self.count(each, status)

    def note(self, batch: Batch) -> None:
        """Of what was prepared, and is committed, what is not ready."""
        for closed, status in batch.closed:
            self.count(closed, status)
        for delivery, error in batch.failed:
            self.put_back(delivery, error)

    def put_back(self, delivery: Delivery, error: Exception) -> None:
        """What goes wrong with one message does not keep the others: it waits as after any attempt, and fails at last.

        What another worker took over, or the database would not have, is left to its lease.
        """
        log.error("delivery", delivery=delivery.id, error=type(error).__name__, place=place(error))
        if not isinstance(error, sa.exc.SQLAlchemyError):
            reason = "broken-seal" if isinstance(error, GuardError) else "cannot-be-made"
            self._not_accepted(dataclasses.replace(delivery, attempts=delivery.attempts + 1), Outcome("retry", reason))

    def unsendable(self, connection: sa.Connection, delivery: Delivery, error: Exception) -> None:
        """No attempt will make it so."""
        now = self._service.clock()
        outbox.settle(connection, delivery, Outcome("failed", "unsendable"), now, rng=self._rng)
        log.warning("unsendable", delivery=delivery.id, reason=str(error))

    def settle(self, workers: Collection[str]) -> None:
        """Close what was accepted of these workers, and what may have been, each with its entry in the processing
        register."""
        if self._done is not None:
            with self._service.transaction() as connection:
                self._step(connection, self._done[0].delivery.worker, ())
            self._done = None
        while busy := self._settle(workers):
            with self._service.transaction() as connection:
                inbox.wait(connection, busy)

    def _settle(self, workers: Collection[str]) -> str | None:
        """What can be at once, without waiting for anybody; an item on which somebody decides, if there is one."""
        now = self._service.clock()
        with self._service.transaction() as connection:
            waiting = handing.waiting(connection, workers, now)
            still, busy = inbox.still(connection, waiting)
            settled = handing.settle(connection, workers, now, waiting - busy)
            entries = [
                journal.Entry(
                    "sent", each.line.delivery,
                    proving.as_registered(each.line) | {"grounds": msgspec.Raw(each.grounds or b"null")},
                )
                for each in settled
            ]  # fmt: skip
            withdrawing.look_again(self._service, connection, [each.line for each in settled], still, now)
            journal.append(connection, entries, key=self._register, at=now)
        for each in settled:
            if each.line.outcome == "sent":
                self.count(each.line, "sent", each.queued_at)
        return min(busy, default=None)

    def finish(self, worker: str) -> None:
        """Settle what is left, and give up connections."""
        try:
            self.settle([worker])
        finally:
            for channel in self._channels.values():
                channel.close()

    def count(self, what: Delivery | Entry, status: Status, queued_at: datetime | None = None) -> None:
        """Tell operators."""
        self.counts[status] += 1
        self._service.metrics.deliveries.labels(status).inc()
        if queued_at is not None and what.kind in ("alert", "update"):
            self._service.metrics.late("sent", queued_at, self._service.clock())
        name = what.delivery if isinstance(what, Entry) else what.id
        log.info("delivery", delivery=name, kind=what.kind, item=what.subject, outcome=status)
