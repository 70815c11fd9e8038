"""Taking back what went out: who got it is told, once, and so is who may have got it; whatever comes next.

Whether a message was accepted is not always known (docs/decisions/006). An alert that stands wrongly does harm; to be
told that something does not hold of which one never heard does none. What waits of that goes unless its reader is told
of a later version first (`app.alerts`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

import sqlalchemy as sa

from app.observe import log
from app.releasing import AT_ONCE, matched, order, reached
from app.service import Service
from app.views import shown
from dispatch import atom, outbox, publication
from dispatch.ledger import Entry
from filtering import Match
from pii_guard import GuardError
from subscribers import Subscriber, registry
from triage import Released, State, TriageError, decide, exposures, inbox, releases

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
    _tell(service, connection, item, None, now)
    publication.withdraw(connection, item, now)
    atom.withdraw(connection, item, now)


def leave_out(
    service: Service,
    connection: sa.Connection,
    released: Released,
    match: Match,
    among: Collection[str] | None = None,
) -> None:
    """Tell those (of these) who were told of an earlier version, and whom this one does not concern by anything that it
    says: not those who may not see it, want no more, or say otherwise of themselves by now. Where a part went out, what
    they were told may stand in the rest."""
    item, version = released.item.id, released.item.version
    if version == 1:
        return
    gone = match.outcomes["no-match"] & releases.readers(connection, item, before=version)
    if not gone or inbox.parted(connection, item):
        return
    if {each.key for each in released.item.statements} != set(inbox.keys(connection, item)):
        return
    theirs = registry.by_numbers(connection, gone) if among is None else registry.among(connection, among)
    left = (each for each in theirs if each.number in gone)
    while some := {each.id: each for each in islice(left, AT_ONCE)}:
        known = reached(connection, item, list(some), perhaps=True)
        own = {who: told for who, told in known.items() if 0 < told < version}
        same = _same_since(connection, item, own, some)
        _take(service, connection, (item, version - 1), same, service.clock())


def _same_since(
    connection: sa.Connection, item: str, told: Mapping[str, int], subscribers: Mapping[str, Subscriber]
) -> list[str]:
    """Those whose profiles are what they were when that version went out: whom his own change leaves out may need it
    still, and nobody says otherwise."""
    went = {version: releases.latest(connection, item, version) for version in set(told.values())}
    same: list[str] = []
    for who, version in told.items():
        release, one = went[version], subscribers[who]
        then = registry.at(connection, who, release.at) if release and one.changed_at > release.at else one
        if release and then and then.profile == one.profile:
            same.append(who)
    return same


def look_again(
    service: Service,
    connection: sa.Connection,
    lines: Sequence[Entry],
    still: Mapping[str, tuple[str, State]],
    now: datetime,
) -> None:
    """Tell those to whom went, or may have gone, what was withdrawn meanwhile, or concerns them no more: when it was,
    the ledger did not name them yet. `still`: in which item and state what they were told of lies by now.

    In the transaction that adds these lines; once is enough, and twice changes nothing.
    """
    told = [each for each in lines if each.kind in ("alert", "update", "reminder") and each.subject in still]
    ended = releases.ended(connection, {each.subject for each in told}) if told else {}
    back, late = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for each in told:
        (item, state), became = still[each.subject], ended.get((each.subject, each.version))
        if became == "withdrawn":  # before another item took it in, perhaps
            back[each.subject].add(each.subscriber)
        elif state == "withdrawn":
            back[item].add(each.subscriber)
        elif became is not None and item == each.subject:
            late[item].add(each.subscriber)
    for item in sorted(back):
        _tell(service, connection, item, sorted(back[item]), now)
    for item in sorted(late):
        _leave_out_late(service, connection, item, late[item])


def _leave_out_late(service: Service, connection: sa.Connection, item: str, among: Collection[str]) -> None:
    look = partial(shown, service)
    try:
        released = decide.out(connection, service.guard, item, look, service.settings.consents)
        if released is not None:
            leave_out(service, connection, released, matched(service, connection, released), among)
    except (GuardError, TriageError) as error:  # what cannot be read keeps nothing from being settled
        log.error("leaving out", item=item, error=type(error).__name__)


def _tell(service: Service, connection: sa.Connection, item: str, among: Sequence[str] | None, now: datetime) -> None:
    """All who hold it. While a later version is out, those who hold one that was withdrawn."""
    known, ended = reached(connection, item, among, perhaps=True), releases.ended(connection, [item])
    newest = max((version for (_, version), became in ended.items() if became == "withdrawn"), default=None)
    if newest is None:
        return
    if releases.find(connection, item, "active") is not None:
        known = {who: version for who, version in known.items() if ended.get((item, version)) == "withdrawn"}
    _take(service, connection, (item, newest), known, now)


def _take(
    service: Service, connection: sa.Connection, what: tuple[str, int], subscribers: Collection[str], now: datetime
) -> None:
    """An item up to that version is taken back from these: under one number, whichever they had, or may have had."""
    orders = [
        order(service, "withdrawal", what, subscriber, channel, now, now)
        for subscriber in registry.among(connection, subscribers)
        for channel, contact in enumerate(subscriber.contacts)
        if contact.type in outbox.MEDIA
    ]
    outbox.queue(connection, orders, urgency="today")
    told_nothing(service, connection, what[0], subscribers, now)


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
