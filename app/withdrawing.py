"""Taking back what went out: who got it is told, and so is who may have got it.

Whether a message was accepted is not always known (docs/decisions/006). An alert that stands wrongly does harm; to be
told that something does not hold of which one never heard does none.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.releasing import order, reached
from app.service import Service
from dispatch import atom, outbox, publication
from dispatch.ledger import Entry
from subscribers import registry
from triage import Released, decide, exposures, inbox, releases

LATER = timedelta(minutes=15)
"""After the newest of what was held back come the others, unless it told them too."""


def source_withdrew(released: Released) -> bool:
    """Do all sources say by now that it was withdrawn? Then releasing it is telling so."""
    return all(statement.facts.withdrawn for statement in released.item.statements)


def retract(service: Service, connection: sa.Connection, released: Released) -> None:
    """The source withdrew it, and somebody or a rule let that out."""
    decide.retract(connection, released, service.clock())
    take_back(service, connection, released.item.id)


def take_back(service: Service, connection: sa.Connection, item: str) -> None:
    """Stop what waits, tell exactly those who got it or may have, revoke it on TAXII and in the feed."""
    now = service.clock()
    outbox.cancel_waiting(connection, item, "withdrawn", now)
    found = releases.find(connection, item, "withdrawn")
    assert found is not None
    _tell(service, connection, (item, found.version), None, now)
    publication.withdraw(connection, item, now)
    atom.withdraw(connection, item, now)


def take_back_sent(
    service: Service, connection: sa.Connection, lines: Sequence[Entry], items: Collection[str], now: datetime
) -> None:
    """Tell those to whom went, or may have gone, what was withdrawn meanwhile (`items`): when it was, the ledger did
    not name them yet.

    In the transaction that adds these lines; once is enough, and twice changes nothing.
    """
    told = sorted({each.subscriber for each in lines if each.kind in ("alert", "update", "reminder")})
    for item in sorted(items) if told else ():
        found = releases.find(connection, item, "withdrawn")
        if found is not None:
            _tell(service, connection, (item, found.version), told, now)


def _tell(
    service: Service, connection: sa.Connection, what: tuple[str, int], among: Sequence[str] | None, now: datetime
) -> None:
    known = reached(connection, what[0], among, perhaps=True)
    orders = [
        order(service, "withdrawal", what, subscriber, channel, now, now)
        for subscriber in registry.among(connection, known)
        for channel, contact in enumerate(subscriber.contacts)
        if contact.type in outbox.MEDIA
    ]
    outbox.queue(connection, orders, urgency="today")
    told_nothing(service, connection, what[0], known, now)


def told_nothing(
    service: Service, connection: sa.Connection, item: str, subscribers: Collection[str], now: datetime
) -> None:
    """What was held back since these were told of the same systems by this report comes again, the newest first: it
    was withdrawn, or did not arrive. Whether something else told them is asked when it is sent (`app.intervals`)."""
    since = now - timedelta(days=service.settings.main.desk.repeat_days)  # what is older came again without this
    held = outbox.held_back(connection, subscribers, since)
    if not held:
        return
    days = exposures.series(connection, inbox.keys(connection, item), {each.subject for each in held})
    waiting: defaultdict[tuple[str, int], list[tuple[object, str]]] = defaultdict(list)
    for each in held:
        if each.subject in days:
            waiting[each.subscriber, each.channel].append((days[each.subject], each.id))
    newest = [max(each)[1] for each in waiting.values()]
    others = [one for each in waiting.values() for _, one in sorted(each)[:-1]]
    outbox.revive(connection, newest, now)
    outbox.revive(connection, others, now + LATER, "interval")
