"""The two weekly editions: for whom, of what, queued once; and what one holds when it is sent."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pyroaring import BitMap

from app.observe import log
from app.service import Service
from app.views import Shelf, Views, known
from dispatch import Delivery, DispatchError, View, digest, digest_text, editions, editorials, feedback, ledger, outbox
from dispatch.changes import changes, turn
from dispatch.charts import FEWEST
from dispatch.digest import Arranged, Candidate
from dispatch.editions import Count, Edition, Tally, Window
from dispatch.editorials import Editorial
from filtering import Outcome
from filtering.disclosure import reader
from subscribers import Subscriber, registry
from tlp import Label, Marked, Permit
from tlp.enforce import enforce
from triage import releases

HERE = ZoneInfo("Europe/Amsterdam")
READERS: tuple[Outcome, ...] = ("deliver", "quiet", "digest", "urgency")
"""Outcomes that an edition holds: below one's threshold for alerts is still worth a line."""


def build(service: Service, edition: Edition, day: date, *, dry_run: bool = False) -> dict[str, Any]:
    """Queue an edition for everyone who asked for it and for whom it holds something. Made before: changes nothing.

    Raises DispatchError for a day that has not come: no edition before it could be made any more.
    """
    if not dry_run and day > service.clock().astimezone(HERE).date():
        raise DispatchError(f"{day} has not come: correct --date, or look ahead with --dry-run")
    with service.transaction(dry_run=dry_run) as connection:
        identifier = editions.edition_id(edition, day)
        window = editions.open_window(connection, edition, day, service.clock())
        if window is None:
            return {"edition": identifier, "items": 0, "subscribers": 0, "queued": 0}
        with service.metrics.stage("digest"):
            counts = _queued(service, connection, window)
    log.info("edition", edition=identifier, dry_run=dry_run, **counts)
    return {"edition": identifier, **counts}


def build_due(service: Service) -> None:
    """For `oktt run`: the edition of today, once its hour has come; or one that was missed."""
    now = service.clock()
    for edition in editions.WEEKDAYS:
        day = editions.due_now(edition, now)
        if day is None:
            continue
        with service.reading() as connection:
            made = editions.find(connection, editions.edition_id(edition, day)) is not None
            first = not editions.made_any(connection)
        if not made and not (first and day != now.astimezone(HERE).date()):
            build(service, edition, day)


def contents(
    service: Service, connection: sa.Connection, shelf: Shelf, identifier: str, subscriber: Subscriber, *, closed: bool
) -> Arranged | None:
    """What a queued edition holds for a subscriber now: what was remembered, less what may no longer leave."""
    window = editions.find(connection, identifier)
    if window is None:
        return None
    held = editions.contents(connection, identifier, subscriber.id)
    current = shelf.current(connection, held)
    return _arranged(service, connection, shelf, current, window, subscriber, held, closed=closed)


def for_members(connection: sa.Connection, shelf: Shelf, arranged: Arranged, subscriber: Subscriber) -> Arranged | None:
    """What of its edition a partnership may pass on to all of its members, by the labels of now; None: nothing."""
    if not passes_on(subscriber):
        return None
    held = {each.view.item: each for each in arranged.held}
    found = {}
    for item, views in shelf.current(connection, held).items():
        view, before = views.for_members(subscriber), held[item].before
        old = shelf.earlier(connection, item, before) if before else None
        said = None if old is None else old.for_members(subscriber)
        if isinstance(view, View) and not (isinstance(said, View) and _same(said, view)):
            advised = views.advised(view, digest_text.anybody(subscriber))
            found[item] = _against(Candidate(view, advised), said if isinstance(said, View) else None, subscriber)
    return digest.for_members(arranged, found)


def passes_on(subscriber: Subscriber) -> bool:
    """Is it a partnership that informs its members?"""
    return subscriber.profile.kind == "partnership" and subscriber.profile.serves_members


def _against(made: Candidate, old: View | None, subscriber: Subscriber) -> Candidate:
    """The same beside what its reader was told before; None: nothing."""
    if old is None:
        return dataclasses.replace(made, before=0)
    said = changes(old, made.view, subscriber.language)
    return dataclasses.replace(made, changes=said, turn=turn(old, made.view))


def _same(old: View, new: View) -> bool:
    """Does a later version say nothing else to this reader?"""
    return dataclasses.replace(old, version=new.version, received_at=new.received_at) == new


def _queued(service: Service, connection: sa.Connection, window: Window) -> dict[str, int]:
    standing = releases.standing(connection, since=window.since, until=window.until)
    shelf = Shelf(service, size=2 * len(standing) + 1)
    current = shelf.current(connection, standing)
    reached = {
        item: (views.released.item.version, views.reached(READERS) & views.released.audience)
        for item, views in current.items()
    }
    everyone = BitMap.union(*(numbers for _, numbers in reached.values())) if reached else BitMap()
    orders: list[Delivery] = []
    readers = 0
    for subscriber in registry.by_numbers(connection, everyone):
        asked = [
            (channel, contact)
            for channel, contact in enumerate(subscriber.contacts)
            if contact.type in outbox.MEDIA and window.edition in contact.digest
        ]
        items = {item: version for item, (version, numbers) in reached.items() if subscriber.number in numbers}
        held: dict[str, Candidate] = {}
        for channel, contact in asked:
            closed = contact.confidential
            arranged = _arranged(service, connection, shelf, current, window, subscriber, items, closed=closed)
            if arranged is not None:
                held |= {each.view.item: each for each in arranged.held}
                orders.append(_order(service, window, subscriber, channel))
        if held:
            readers += 1
            versions = {item: each.view.version for item, each in held.items()}
            tally = _tally(service, connection, current, subscriber, held) if charted(subscriber) else None
            editions.remember(connection, window.id, subscriber.id, versions, tally)
    return {"items": len(reached), "subscribers": readers, "queued": outbox.queue(connection, orders, urgency=None)}


def charted(subscriber: Subscriber) -> bool:
    """Does its Monday's edition show how things went?"""
    return subscriber.profile.kind == "partnership" or subscriber.profile.maturity == "mature"


def _tally(
    service: Service,
    connection: sa.Connection,
    current: Mapping[str, Views],
    subscriber: Subscriber,
    held: Mapping[str, Candidate],
) -> Tally:
    """What its charts count of an edition, under each label: what is stricter than AMBER is not even counted."""
    clients = service.index(connection).agents.of(subscriber.number)
    found = {}
    for label in (Label.CLEAR, Label.GREEN, Label.AMBER):
        seen = [each.view for each in held.values() if each.view.label <= label]
        urgencies = Counter(view.urgency for view in seen)
        alerted = [_alerted(current[view.item], clients) for view in seen if view.kind == "exposure"]
        members = len(BitMap.union(BitMap(), *alerted)) if clients else None
        found[label.value] = Count(urgencies["today"], urgencies["this-week"], urgencies["info"], members)
    return found


def _alerted(views: Views, clients: BitMap) -> BitMap:
    return clients & views.reached(("deliver", "quiet")) & views.released.audience if clients else clients


def _arranged(
    service: Service,
    connection: sa.Connection,
    shelf: Shelf,
    current: Mapping[str, Views],
    window: Window,
    subscriber: Subscriber,
    items: Mapping[str, int],
    *,
    closed: bool,
) -> Arranged | None:
    alerted = ledger.told(connection, subscriber.id, window.since)
    told = editions.told(connection, subscriber.id, window)
    candidates = []
    for item, version in items.items():
        views = current.get(item)
        if views is None or views.released.item.version != version:
            continue
        explanation = views.explain(subscriber)
        view = views.of(subscriber, explanation, confidential=closed)
        if not isinstance(view, View):
            continue
        entry = alerted.get(item)
        last = max(told.get(item, 0), entry.version if entry else 0)
        before = shelf.earlier(connection, item, last) if 0 < last < version else None
        old = None if before is None else known(before, subscriber)
        sent = entry.at if entry is not None and entry.version == version else None
        members = _members(service, connection, views, subscriber)
        advised = views.advised(view, subscriber)
        made = Candidate(view, advised, sent, before=last, concerned=explanation.concerned, members=members)
        candidates.append(_against(made, old, subscriber))
    return digest.arrange(window, candidates, told, _editorial(service, connection, window, subscriber))


def _members(
    service: Service, connection: sa.Connection, views: Views, subscriber: Subscriber
) -> digest.Members | None:
    """Of one who stands for others: how many of them an item alerted."""
    alerted = _alerted(views, service.index(connection).agents.of(subscriber.number))
    if not alerted:
        return None
    said = feedback.answers(connection, views.released.item.id) if len(alerted) >= FEWEST else ()
    known = {service.index(connection).number(each.subscriber) for each in said if each.answer == "handled"}
    return digest.Members(len(alerted), len(known & set(alerted)))


def _editorial(service: Service, connection: sa.Connection, window: Window, subscriber: Subscriber) -> Editorial | None:
    """What analysts wrote for an edition, as far as the subscriber may see it: the order is everybody's."""
    found = editorials.approved(connection, window.id)
    if found is None or not found.text:
        return found
    marked = Marked("editorial", found.label)
    may = enforce([marked], reader(subscriber, concerned=False, confidential=False), service.clock())
    return found if isinstance(may, Permit) else dataclasses.replace(found, text="")


def _order(service: Service, window: Window, subscriber: Subscriber, channel: int) -> Delivery:
    now = service.clock()
    return outbox.order(
        service.keys.derive("deliveries"),
        window.edition,
        window.id,
        1,
        subscriber.id,
        channel,
        subscriber.contacts[channel].type,
        queued_at=now,
        due_at=now,
        revision=subscriber.revision,
    )
