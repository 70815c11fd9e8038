"""What a recipient may be told of an item now, and the message that tells it: alerts, updates, reminders, withdrawals,
and stubs for what may not go this way."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.ahead import Ahead
from app.forwarding import Forwarding
from app.keys import MESSAGES
from app.service import Service
from app.views import Views, differences
from dispatch import Delivery, View, feedback, ledger
from dispatch.attachments import attachments
from dispatch.body import MessageKind
from dispatch.codes import code_of
from dispatch.grounds import Grounds
from dispatch.mail import Attachment
from dispatch.outbox import CancelReason
from dispatch.render import Rendered, outside
from dispatch.view import content, fingerprint
from filtering import Explanation, Outcome
from filtering.disclosure import reader
from pii_guard.vault import month_of
from subscribers import Contact, Subscriber
from tlp import Label, Refusal
from triage import advice, decide, inbox
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


class Alerts:
    """Decides for one delivery at a time, and makes the message. `closed`: is a way out closed to others?"""

    def __init__(self, service: Service, closed: Callable[[Contact], bool]) -> None:
        self._service = service
        self._closed = closed
        self._tokens = service.keys.derive("answers")
        self._forwarding = Forwarding(service)

    def told(
        self, connection: sa.Connection, ahead: Ahead, delivery: Delivery, subscriber: Subscriber, contact: Contact
    ) -> Part | Made | CancelReason | Waits:
        """Everything that has to be true before an alert, update or reminder leaves, checked again."""
        later = Waits(self._service.clock() + WAIT, "quiet")
        row = ahead.row(delivery.subject)
        if row is None or row.state in ("withdrawn", "declined"):
            return "withdrawn"
        views = ahead.views(delivery.subject)
        if views is None:
            return later
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
        return self._part(delivery, views, subscriber, contact, explanation)

    def withdrawal(
        self, connection: sa.Connection, delivery: Delivery, subscriber: Subscriber, contact: Contact
    ) -> Part | Made | CancelReason:
        """To those who got it, whether or not it would still concern them: it did, and they have it."""
        service = self._service
        released = decide.withdrawn(connection, service.guard, delivery.subject, service.settings.consents)
        if released is None:
            return "superseded"
        views = Views(service, connection, released)
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

    def message(self, connection: sa.Connection, ahead: Ahead, subscriber: Subscriber, part: Part) -> Made:
        """The message for one recipient."""
        delivery, view = part.delivery, part.view
        kind = _kind(delivery)
        register = advice.register_of(subscriber.profile)
        files = attachments(view) if register == "mature" and kind != "withdrawal" else ()
        before = ahead.sent(subscriber.id, delivery.subject)
        rendered = self._service.renderer.message(
            view,
            part.advice,
            kind=kind,
            subscriber=subscriber,
            register=register,
            at=before[-1].at if kind == "reminder" and before else delivery.queued_at,
            answer=self._answer(delivery),
            link=self._forwarding.address(delivery, subscriber, view.label) if kind != "withdrawal" else "",
            code=code_of(delivery.id),
            attached=bool(files),
            since=before[-1].at if kind == "update" and before else None,
            changes=differences(self._service, connection, subscriber, view, before[-1].version)
            if kind == "update" and before
            else (),
        )
        if not before and kind != "alert":  # it got one that this item took in, or was split from
            taken_in, split_from = inbox.former(connection, delivery.subject)
            former = [*taken_in, *([split_from] if split_from else [])]
            before = [entry for each in former for entry in ledger.sent_to(connection, subscriber.id, each)]
        original = next((entry.message_id for entry in before if entry.kind == "alert"), None)
        return Made(
            rendered, view.label, fingerprint(view), (part.rests,), files, view.objects, original,
            outside(view.label, view.item),
        )  # fmt: skip


def _kind(delivery: Delivery) -> MessageKind:
    return delivery.kind if delivery.kind in ("update", "reminder", "withdrawal") else "alert"
