"""What a recipient may be told of an item now, and the message that tells it: alerts, updates, reminders, withdrawals,
and stubs for what may not go this way."""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.ahead import Ahead
from app.forwarding import Forwarding
from app.intervals import told_of, update_waits
from app.keys import MESSAGES
from app.service import Service
from app.views import Views, known
from dispatch import Delivery, View, feedback, grouping, holding, ledger
from dispatch.attachments import attachments
from dispatch.body import MessageKind
from dispatch.changes import changes
from dispatch.codes import code_of
from dispatch.grounds import Grounds
from dispatch.ledger import Entry
from dispatch.mail import Attachment
from dispatch.outbox import CancelReason
from dispatch.render import Rendered, outside
from dispatch.several import Also
from dispatch.sharing import limits_of
from dispatch.view import content, fingerprint
from filtering import Explanation, Outcome
from filtering.disclosure import reader
from pii_guard.vault import month_of
from subscribers import Contact, Subscriber
from tlp import Label, Refusal
from triage import advice, inbox, releases
from triage.advice import Advice

WAIT = timedelta(minutes=15)
"""How long what may not leave yet (quiet hours, a decision that is being made anew) waits before it is looked at."""
NO_LONGER: Mapping[Outcome, CancelReason] = {"opt-out": "opt-out"}


@dataclass(frozen=True, slots=True)
class Made:
    """A message before it is stored."""

    rendered: Rendered
    label: Label
    shows: str
    """Hash of all that it shows."""
    grounds: tuple[Grounds, ...]
    files: Sequence[Attachment] = ()
    objects: Sequence[dict[str, Any]] = ()
    """STIX 2.1 of what it shows, for programs."""
    original: str | None = None
    outside: str = ""
    """What the subject says of it where it is encrypted; a stub never is."""


class Waits(NamedTuple):
    """It may not leave yet."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """One delivery that may leave, with what it shows."""

    delivery: Delivery
    view: View
    advice: Advice
    rests: Grounds
    told: datetime | None = None
    """Of an exposure: when its reader was told of the same systems before."""

    @property
    def action(self) -> tuple[Any, ...] | None:
        """What the parts of one message have in common: who may read it, by when to act, and each word of what to do.

        None: it asks for nothing in particular, and goes by itself.
        """
        view = self.view
        same = (self.delivery.kind, view.kind, view.label, limits_of(view), view.urgency, self.advice)
        return same if self.advice.specific else None


class Alerts:
    """Decides for one delivery at a time, and makes the message. `closed`: is a way out closed to others?"""

    def __init__(self, service: Service, closed: Callable[[Contact], bool]) -> None:
        self._service = service
        self._closed = closed
        self._tokens = service.keys.derive("answers")
        self._forwarding = Forwarding(service)

    def told(
        self,
        connection: sa.Connection,
        ahead: Ahead,
        delivery: Delivery,
        subscriber: Subscriber,
        contact: Contact,
        beside: Collection[str] = (),
    ) -> Part | Made | CancelReason | Waits:
        """Everything that has to be true before an alert, update or reminder leaves, checked again.

        `beside`: items that its reader is told of at the same moment.
        """
        later = Waits(self._service.clock() + WAIT, "quiet")
        row = ahead.row(delivery.subject)
        if row is None or row.state in ("withdrawn", "declined"):
            return "withdrawn"
        views = ahead.views(delivery.subject)
        if views is None:
            ended = releases.ended(connection, [delivery.subject])
            return "withdrawn" if ended.get((delivery.subject, delivery.version)) == "withdrawn" else later
        if views.released.item.version != delivery.version:
            return "superseded"
        if subscriber.number not in views.released.audience:
            return "no-match"
        explanation = views.explain(subscriber)
        if explanation.outcome == "tlp" and not explanation.stub:
            found = views.permit(subscriber, explanation.concerned, self._closed(contact))
            return found.reason if isinstance(found, Refusal) else "tlp"
        outcome = explanation.stub or explanation.outcome
        if outcome == "quiet":
            return later
        if outcome != "deliver":
            return NO_LONGER.get(outcome, "no-match")
        if delivery.kind == "reminder":
            given = feedback.latest(connection, delivery.subject, subscriber.id)
            if given is not None and given.version >= delivery.version:
                return "answered"
        part = self._part(delivery, views, subscriber, contact, explanation)
        return self._interval(connection, ahead, part, subscriber, beside) if isinstance(part, Part) else part

    def _interval(
        self, connection: sa.Connection, ahead: Ahead, part: Part, subscriber: Subscriber, beside: Collection[str]
    ) -> Part | CancelReason | Waits:
        """Not too often of the same (app.intervals)."""
        delivery, view = part.delivery, part.view
        if delivery.kind == "update":
            until = update_waits(self._service, ahead, delivery, subscriber, view)
            return part if until is None else Waits(until, "interval")
        if delivery.kind != "alert":
            return part
        told = told_of(self._service, connection, ahead, delivery, subscriber, view)
        if told is None:
            if beside and told_of(self._service, connection, ahead, delivery, subscriber, view, beside) is not None:
                return Waits(self._service.clock() + WAIT, "interval")  # what says it already may not arrive
            return part
        again = told + timedelta(days=self._service.settings.main.desk.repeat_days)
        return "repeat" if self._service.clock() < again else dataclasses.replace(part, told=told)

    def withdrawal(
        self,
        connection: sa.Connection,
        ahead: Ahead,
        delivery: Delivery,
        subscriber: Subscriber,
        contact: Contact,
    ) -> Part | Made | CancelReason | Waits:
        """To those who got it, whether or not it would still concern them: it did, and they have it.

        Not to who was told of a later version since. Who waits to be told of one, or for a row, may not be in the end:
        so this waits for that, and for what it takes back while a worker has that in hand.
        """
        row = ahead.row(delivery.subject)
        if row is None:
            return "withdrawn"
        item = row.merged_into or row.id
        follows = holding.follows(connection, delivery, row.merged_into)
        if follows == "told":
            return "superseded"
        standing = ahead.views(item)
        comes = standing is not None and (follows == "waits" or subscriber.number in ahead.fanned(item))
        if comes or holding.in_hand(connection, delivery):
            return Waits(self._service.clock() + WAIT, "update")
        had = holding.had(connection, delivery.subject, [subscriber.id], perhaps=True).get(subscriber.id)
        version = had.told if had is not None and 0 < had.told < delivery.version else delivery.version
        views = ahead.withdrawn(delivery.subject, version)
        if views is None:
            return "superseded"
        explanation = dataclasses.replace(views.explain(subscriber), concerned=True)
        return self._part(delivery, views, subscriber, contact, explanation)

    def _part(
        self, delivery: Delivery, views: Views, subscriber: Subscriber, contact: Contact, explanation: Explanation
    ) -> Part | Made | CancelReason:
        view = views.of(subscriber, explanation, confidential=self._closed(contact))
        if not isinstance(view, View):
            return self._stub(delivery, subscriber, contact, view)
        rests = self.grounds(delivery, views, subscriber, contact, view, concerned=explanation.concerned)
        return Part(delivery, view, views.advised(view, subscriber), rests)

    def grounds(
        self,
        delivery: Delivery,
        views: Views,
        subscriber: Subscriber,
        contact: Contact,
        view: View,
        *,
        concerned: bool,
    ) -> Grounds:
        """On what it rests that this view may leave this way."""
        month = month_of(delivery.queued_at)
        hashed = month, self._service.vault.fingerprint(MESSAGES, month, content(view))
        return views.grounds(reader(subscriber, concerned, self._closed(contact)), view, hashed)

    def _stub(
        self, delivery: Delivery, subscriber: Subscriber, contact: Contact, refusal: Refusal
    ) -> Made | CancelReason:
        """What may not go this way alone is told of: its number and label, and where it is read."""
        if refusal.reason != "open-channel":
            return refusal.reason
        rendered = self._service.renderer.stub(
            refusal.label,
            delivery.subject,
            subscriber,
            code=code_of(delivery.id),
            taxii=any(each.type == "taxii" for each in subscriber.contacts),
            broken=contact.confidential,
        )
        return Made(rendered, Label.CLEAR, hashlib.sha256(rendered.text.encode()).hexdigest(), ())

    def _answer(self, delivery: Delivery) -> str:
        """Where the recipient says what became of it; empty: the web has no address."""
        web = self._service.settings.main.web
        return web.address(f"/a/{feedback.token(self._tokens, delivery.id)}") if web.base_url else ""

    def _link(self, part: Part, subscriber: Subscriber) -> str:
        """What a partnership passes on; empty: nothing."""
        withdrawn = part.delivery.kind == "withdrawal"
        return "" if withdrawn else self._forwarding.address(part.delivery, subscriber, part.view.label)

    def message(
        self, connection: sa.Connection, ahead: Ahead, subscriber: Subscriber, part: Part, others: Sequence[Part] = ()
    ) -> Made:
        """The message for one recipient; `others` go with it."""
        delivery, view, parts = part.delivery, part.view, (part, *others)
        kind = _kind(delivery)
        register = advice.register_of(subscriber.profile)
        mature = register == "mature" and kind != "withdrawal"
        files = [file for each in parts for file in attachments(each.view)] if mature else []
        own = ahead.sent(subscriber.id, delivery.subject)
        last = own[-1] if own and kind == "update" else None
        before = ahead.got(subscriber.id, delivery.subject)
        if not before and kind != "alert":
            before = self._former(connection, subscriber, delivery.subject)
        alerts = sorted(
            (entry for entry in before if entry.kind == "alert"), key=lambda each: each.medium != delivery.medium
        )
        original = next(iter(alerts), None)
        rendered = self._service.renderer.message(
            view,
            part.advice,
            kind=kind,
            subscriber=subscriber,
            register=register,
            at=min(_from(ahead, each.delivery) for each in parts),
            answer=self._answer(delivery),
            link=self._link(part, subscriber),
            code=code_of(delivery.id),
            attached=bool(files),
            since=None if last is None else last.at,
            changes=() if last is None else _changes(ahead, subscriber, view, last.version),
            before=None if any(each.told is None for each in parts) else part.told,
            also=[Also(each.view, self._link(each, subscriber)) for each in others],
            among=_among(connection, original, delivery.subject) if kind == "withdrawal" else (1, 0),
        )
        shows = "".join(fingerprint(each.view) for each in parts)
        return Made(
            rendered,
            view.label,
            hashlib.sha256(shows.encode()).hexdigest() if others else shows,
            tuple(each.rests for each in parts),
            files,
            view.objects,
            None if original is None else original.message_id,
            outside(view.label, view.item, subscriber.language),
        )

    def _former(self, connection: sa.Connection, subscriber: Subscriber, item: str) -> list[Entry]:
        """What it got of items that this one took in, or was split from."""
        taken_in, split_from = inbox.former(connection, item)
        former = [*taken_in, *([split_from] if split_from else [])]
        return [entry for each in former for entry in ledger.sent_to(connection, subscriber.id, each)]


def _changes(ahead: Ahead, subscriber: Subscriber, view: View, version: int) -> tuple[str, ...]:
    """What is other than in an earlier version, in what this subscriber may see of both; empty: none was released."""
    before = ahead.earlier(view.item, version)
    old = None if before is None else known(before, subscriber)
    return () if old is None else changes(old, view, subscriber.language)


def _from(ahead: Ahead, delivery: Delivery) -> datetime:
    """From when the time to act runs: of a reminder, from what it reminds of."""
    before = ahead.sent(delivery.subscriber, delivery.subject) if delivery.kind == "reminder" else []
    return before[-1].at if before else delivery.queued_at


def _among(connection: sa.Connection, original: Entry | None, item: str) -> tuple[int, int]:
    """Of how many items the message told that told of one that is taken back, and how many others of it still stand."""
    told = [] if original is None else grouping.told(connection, original.delivery)
    columns = inbox.items.c
    withdrawn = sa.select(columns.id).where(columns.state == "withdrawn")
    back = columns.id.in_(told), sa.or_(columns.state == "withdrawn", columns.merged_into.in_(withdrawn))
    gone = {*connection.scalars(sa.select(columns.id).where(*back)), item}
    count = max(len(told), 1)
    return count, min(len(set(told) - gone), count - 1)


def _kind(delivery: Delivery) -> MessageKind:
    return delivery.kind if delivery.kind in ("update", "reminder", "withdrawal") else "alert"
