"""The story: a document is admitted, an item is released, a delivery is sent.

    source --RawDocument--> normalize --Draft--> pii_guard --Item--> filtering --Match--> triage --Released--> tlp
    --Permit--> dispatch

`admit` is the door: one step in memory, then one transaction. `release` is a decision and what follows from it, in one
transaction. `send` hands messages over: prepared and stored, handed over, settled. Each may be cut off anywhere and
run again (docs/decisions/003, 005, 006).
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from app import door, releasing, withdrawing
from app.door import Passed, Tally
from app.sending import Sender
from app.service import Service
from app.views import matching
from dispatch import Delivery
from filtering import Match
from ingest import RawDocument
from triage import Released
from triage.cases import Case

Decide = Callable[[Case, Match], Released | None]
"""An analyst's request, an approval or the rules: triage.decide with all but the case and the match filled in."""


def admit(
    service: Service, document: RawDocument, guarded: Callable[[Service, RawDocument], Passed] = door.guarded
) -> Tally:
    """Read, normalise and guard a document in memory; lay what the guard let through into the inbox.

    A document on which our own code fails is refused by itself: it may not keep the others out. A database that fails
    is no matter of the document.
    """
    try:
        with service.metrics.stage("door"):
            passed = guarded(service, document)
        with service.metrics.stage("store"), service.transaction() as connection:
            return door.lay_down(service, connection, document, passed)
    except Exception as error:
        if door.is_of_database(error):
            raise
        return door.mistake(service, document, error)


def release(service: Service, connection: sa.Connection, case: Case, decide: Decide) -> Released | None:
    """Match a case, decide on it, and queue and publish what now may leave. None: it waits, or nobody decided."""
    with service.metrics.stage("match"):
        asked = matching(service, connection, case, service.clock())
        match = asked.match()
    released = decide(case, match)
    if released is not None:
        newest = max(part.received_at for part in released.item.statements)
        service.metrics.late("released", newest, released.decision.at)
        with service.metrics.stage("release"):
            if withdrawing.source_withdrew(released):
                withdrawing.retract(service, connection, released)
            else:
                releasing.queue(service, connection, released, match, asked)
                withdrawing.leave_out(service, connection, released, match)
                releasing.publish(service, connection, released, match, asked)
    return released


def send(sender: Sender, deliveries: Sequence[Delivery]) -> None:
    """Send claimed deliveries of one worker. TLP is enforced again before they leave.

    Their bytes are committed before they are handed over, and of each that it was accepted before the next one goes; so
    a crash repeats at most the one that was accepted and not yet marked. Those that wait too long are looked at again.
    """
    waiting = list(deliveries)
    while waiting:
        with sender.service.metrics.stage("send"):
            with sender.service.transaction() as connection:
                batch = sender.prepare(connection, waiting)
            sender.out.note(batch)
            waiting = [*sender.out.give(batch.ready), *batch.rest]
            sender.out.settle({each.worker for each in deliveries})
