"""What a decision rests on and what follows from it: matching, queueing, publishing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from pyroaring import BitMap

from app.keys import MESSAGES
from app.observe import log
from app.service import Service
from app.views import Views, matching, shown
from dispatch import Delivery, DeliveryKind, View, atom, fanout, holding, outbox, publication
from dispatch.grounds import Published
from dispatch.holding import Had
from dispatch.view import content
from filtering import Match
from filtering.disclosure import reader
from filtering.match import Matching
from pii_guard import GuardError, journal
from pii_guard.vault import month_of
from subscribers import Subscriber, registry
from tlp import PUBLIC, Reader, Refusal
from triage import Released, TriageError, decide, inbox, releases
from triage.cases import Case
from triage.composition import alike


def matched(service: Service, connection: sa.Connection, case: Case | Released) -> Match:
    """Whom the case concerns, for every subscriber at once."""
    return matching(service, connection, case, service.clock()).match()


AT_ONCE = 5_000
"""Subscribers whose rows are made in one transaction: it takes a quarter of a second."""
SAMPLE = 20
"""One in so many is in the second wave."""


def queue(service: Service, connection: sa.Connection, released: Released, match: Match, asked: Matching) -> int:
    """Queue an alert for each subscriber whom it concerns now, through each channel that may carry it.

    Of a large audience for the first; the others wait for `spread`. A very large one waits whole, in waves.
    """
    now, item = service.clock(), released.item
    outbox.cancel_waiting(connection, item.id, "superseded", now, before=item.version)
    concerned = _reached_now(released, match)
    if len(concerned) > service.settings.main.desk.wave_over:
        waves = _waves(service, connection, concerned)
        fanout.put(connection, item.id, item.version, waves, released.urgency, now)
        return 0
    first = concerned[:AT_ONCE]
    fanout.put(connection, item.id, item.version, [concerned - first], released.urgency, now)
    return _queue(service, connection, released, match, asked, first, now)


def _waves(service: Service, connection: sa.Connection, reached: BitMap) -> list[BitMap]:
    """Who reads along first (`[desk] seed`), one in twenty of the others, and the rest."""
    index = service.index(connection)
    seed = BitMap(number for each in service.settings.main.desk.seed if (number := index.number(each)) is not None)
    first = seed & reached
    sample = (reached - first)[::SAMPLE]
    return [first, sample, reached - first - sample]


def spread(service: Service) -> bool:
    """Queue the next of what large audiences still wait for, the most urgent first. Was there anything to do?

    An item that cannot be read keeps no other from going out.
    """
    with service.reading() as connection:
        items = fanout.items(connection, service.clock())
    for item in items:
        try:
            with service.transaction() as connection:
                if _spread(service, connection, item):
                    return True
        except (GuardError, TriageError) as error:
            log.error("fanout", item=item, error=type(error).__name__)
    return False


def _spread(service: Service, connection: sa.Connection, item: str) -> bool:
    """The next ones of an item. Whom it no longer concerns by now gets no row."""
    waiting = fanout.held(connection, item, service.clock())
    if waiting is None or inbox.row(connection, item).reserved:
        return False  # another worker is at it, or somebody holds it
    look = partial(shown, service)
    released = decide.out(connection, service.guard, item, look, service.settings.consents)
    if released is None or released.item.version != waiting.version:
        return False  # it is decided anew: whoever decides says who gets it
    next_ones, desk = waiting.numbers[:AT_ONCE], service.settings.main.desk
    left = max(service.clock(), waiting.at + timedelta(minutes=desk.undo_minutes))
    opens_at = left + timedelta(minutes=desk.wave_minutes)
    if waiting.opening:
        before = outbox.untried(connection, item)  # nobody has seen the wave before: the mail server was away
        fanout.postpone(connection, item, opens_at if before else None)
        if before:
            return False
    fanout.keep(connection, item, waiting.numbers - next_ones, opens_at)
    asked = matching(service, connection, released, service.clock())
    match = asked.match()
    _queue(service, connection, released, match, asked, next_ones & _reached_now(released, match), waiting.at)
    return True


def _reached_now(released: Released, match: Match) -> BitMap:
    return (match.outcomes["deliver"] | match.outcomes["quiet"] | match.stubs) & released.audience


def _queue(
    service: Service,
    connection: sa.Connection,
    released: Released,
    match: Match,
    asked: Matching,
    numbers: BitMap,
    since: datetime,
) -> int:
    """An alert for each of these and each channel that may carry it, due when the undo window since then has closed.
    How many were new."""
    if not numbers:  # what is gated is opened for somebody, or not at all
        return 0
    views = Views(service, connection, released, asked=asked)
    subscribers, item = list(registry.by_numbers(connection, numbers)), released.item
    before = reached(connection, item.id, [each.id for each in subscribers])
    same = {each for each in set(before.values()) if _says_the_same(service, connection, released, each)}
    again = [who for who, known in before.items() if known in same]
    unsure = outbox.holds_again(connection, item.id, again, service.clock()) if again else set()
    due = since + timedelta(minutes=service.settings.main.desk.undo_minutes)
    orders: list[Delivery] = []
    for subscriber in subscribers:
        known = None if subscriber.id in unsure else before.get(subscriber.id)
        if known in same:  # decided once more on it, or it says again what it said then: nothing new to tell
            continue
        kind: DeliveryKind = "alert" if known is None else "update"
        for channel, contact in enumerate(subscriber.contacts):
            if contact.type in outbox.MEDIA and _may_see(views, subscriber, match, contact.confidential):
                orders.append(order(service, kind, (item.id, item.version), subscriber, channel, since, due))
    new = outbox.queue(connection, orders, urgency=released.urgency)
    log.info("queued", item=item.id, version=item.version, deliveries=new)
    return new


def publish(
    service: Service, connection: sa.Connection, released: Released, match: Match, asked: Matching | None = None
) -> None:
    """Publish what everybody may see, and to each subscriber with a TAXII collection what it may see of it."""
    now = service.clock()
    views = Views(service, connection, released, "exchange", asked=asked)
    told: list[journal.Entry] = []
    public = views.public()
    if isinstance(public, View):
        told.append(_published(service, connection, views, PUBLIC, public, now))
        atom.put(connection, public, now)
    else:
        publication.withdraw(connection, released.item.id, now, alias=publication.CLEAR)
        atom.withdraw(connection, released.item.id, now)
    for alias in publication.subscribed(connection):
        subscriber = registry.get(connection, alias)
        if subscriber is None:
            continue
        if subscriber.number in match.audience & released.audience:
            told += publish_to(service, connection, views, subscriber, now)
        else:
            publication.withdraw(connection, released.item.id, now, alias=alias)
    journal.append(connection, told, key=service.keys.derive("journal"), at=now)


def publish_to(
    service: Service, connection: sa.Connection, views: Views, subscriber: Subscriber, now: datetime
) -> list[journal.Entry]:
    """Bring one subscriber's collection to what it may see of an item; what the register has to hold of that."""
    explanation = views.explain(subscriber)
    view = views.of(subscriber, explanation, confidential=True, purpose="exchange")
    if isinstance(view, View):
        who = reader(subscriber, explanation.concerned, confidential=True)
        return [_published(service, connection, views, who, view, now)]
    publication.withdraw(connection, views.released.item.id, now, alias=subscriber.id)
    return []


def _published(
    service: Service, connection: sa.Connection, views: Views, who: Reader, view: View, now: datetime
) -> journal.Entry:
    """Publish a view to those it was composed for; on what that rests, for `oktt prove`."""
    alias = publication.CLEAR if who is PUBLIC else who.id
    stands, month = publication.publish(connection, alias, view, now), month_of(now)
    keyed = partial(service.vault.fingerprint, MESSAGES, month)
    grounds = views.grounds(who, view, (month, keyed(content(view))))
    rows, statements = journal.ranges(stands.rows), tuple(sorted(view.statements))
    return Published(rows, keyed(stands.bodies), statements, grounds).entry(stands.collection)


def show(service: Service, connection: sa.Connection, item: str) -> None:
    """What of an item is out and still stands, published anew: what was said of it beside that went elsewhere."""
    look = partial(shown, service)
    released = decide.out(connection, service.guard, item, look, service.settings.consents)
    if released is not None:
        publish(service, connection, released, matched(service, connection, released))


def took_in(connection: sa.Connection, item: str, others: Sequence[str], now: datetime) -> None:
    """Items that turned out to be the same threat are one: what waits of the others goes no more, and what is published
    of them is of this one, under its labels, until it is released anew."""
    for other in others:
        outbox.cancel_waiting(connection, other, "superseded", now)
        publication.move(connection, other, item)
        atom.move(connection, other, item)


def reached(
    connection: sa.Connection, item: str, among: Sequence[str] | None = None, *, perhaps: bool = False
) -> dict[str, int]:
    """Who (of these) was told of an item, or may have been (`perhaps`), and not that this is withdrawn, and the latest
    version that it was told; 0: under another id, of what it took in or was split from."""
    got = partial(holding.had, connection, among=among, perhaps=perhaps)
    taken_in, split_from = inbox.former(connection, item)
    earlier = {who: 0 for each in taken_in for who in _held(got(each))}
    if split_from is not None:
        own = set(inbox.keys(connection, item))
        for who, version in _held(got(split_from)).items():
            if own & releases.told(connection, split_from, version):
                earlier[who] = 0
    now = got(item)
    known = {who: version for who, version in earlier.items() if who not in now}
    return known | _held(now)


def _held(had: Mapping[str, Had]) -> dict[str, int]:
    return {who: each.told for who, each in had.items() if each.holds}


def _says_the_same(service: Service, connection: sa.Connection, released: Released, version: int) -> bool:
    """Was what went out of an earlier version the same as what goes out now?"""
    item = released.item
    if version >= item.version:
        return True
    was = decide.earlier(connection, service.guard, item.id, version, service.settings.consents) if version else None
    return was is not None and alike(connection, service.guard, was.item, item)


def _may_see(views: Views, subscriber: Subscriber, match: Match, closed: bool) -> bool:
    """TLP when a delivery is queued; it is asked again when it is sent. What only the way forbids goes as a stub."""
    found = views.permit(subscriber, subscriber.number in match.concerned, closed)
    return not isinstance(found, Refusal) or found.reason == "open-channel"


def order(
    service: Service,
    kind: DeliveryKind,
    what: tuple[str, int],
    subscriber: Subscriber,
    channel: int,
    now: datetime,
    due: datetime,
) -> Delivery:
    """For a channel of the subscriber as it is (`registry.meant`)."""
    medium = subscriber.contacts[channel].type
    return outbox.order(
        service.keys.derive("deliveries"),
        kind,
        *what,
        subscriber.id,
        channel,
        medium,
        queued_at=now,
        due_at=due,
        revision=subscriber.revision,
    )
