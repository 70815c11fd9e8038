"""One message: what has to be true before it leaves, how it is made, and what became of it (docs/decisions/006)."""

import dataclasses
import hashlib
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import msgspec
import sqlalchemy as sa
from msgspec import structs

from app import channels, proving, returning
from app.alerts import Alerts, Made, Part, Waits
from app.editions import Editions
from app.keys import MESSAGES
from app.observe import log, place
from app.service import Service
from app.views import Shelf
from dispatch import (
    Delivery,
    DispatchError,
    Outcome,
    encryption,
    feedback,
    grounds,
    ledger,
    letters,
    mail,
    outbox,
    webhook,
)
from dispatch.codes import code_of
from dispatch.encryption import Key
from dispatch.outbox import CancelReason
from dispatch.payload import payload
from pii_guard import GuardError, journal
from pii_guard.vault import month_of
from subscribers import Contact, Subscriber, links, registry
from tlp import Label

Status = Literal["sent", "retry", "failed", "cancelled", "deferred"]
_STUB = grounds.encode(())
"""What a stub rests on: it shows nothing."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Prepared and stored: to be handed over as it is."""

    delivery: Delivery
    contact: Contact
    message: bytes


class UnsendableError(DispatchError):
    """A message that no attempt will make sendable: an address that is none, a text that is too long."""


class Sender:
    """Prepares and settles deliveries, and holds the channels open. For one thread."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self.service = service
        self.shelf = Shelf(service)
        self.counts: Counter[Status] = Counter()
        self._handed: tuple[Delivery, Outcome] | None = None
        self._settled: tuple[Delivery, Status] | None = None
        self._from = mail.Sender(*_mailbox(settings.main.mail.sender))
        self._register = service.keys.derive("journal")
        self._links = service.keys.derive("links")
        self._rng = random.SystemRandom()
        self._keys: dict[str, Key | None] = {}
        """Of recipients, by file: read once a run."""
        self._channels = channels.channels(service, self._from.address)
        self._signatures = channels.signatures(settings)
        self._leaving = service.keys.derive("unsubscribe")
        self._alerts = Alerts(service, self.shelf, self._closed)
        self._editions = Editions(service, self.shelf, self._alerts, self._closed, self._from)

    def prepare(self, connection: sa.Connection, delivery: Delivery) -> Ready | None:
        """Check everything again (release, match, label, channel), make the message and store it.

        None: it may no longer leave and was cancelled with a named reason, or it waits.
        """
        if delivery.kind == "link":
            return self._letter(connection, delivery)
        subscriber = registry.get(connection, delivery.subscriber)
        if subscriber is None or delivery.channel >= len(subscriber.contacts):
            self._cancel(connection, delivery, "no-match")
            return None
        contact = subscriber.contacts[delivery.channel]
        if (silent := returning.silence(self.service, connection, subscriber, contact)) is not None:
            self._cancel(connection, delivery, silent)
            return None
        made: Part | Made | CancelReason | Waits
        if delivery.kind in ("monday", "friday"):
            made = self._editions.made(connection, delivery, subscriber, contact)
        elif delivery.kind == "withdrawal":
            made = self._alerts.withdrawal(connection, delivery, subscriber, contact)
        else:
            made = self._alerts.told(connection, delivery, subscriber, contact)
        if isinstance(made, Waits):
            outbox.defer(connection, delivery, made.until, made.reason)
            self._count(delivery, "deferred")
            return None
        if isinstance(made, Part):
            made = self._alerts.message(connection, subscriber, made)
        if not isinstance(made, Made):
            self._cancel(connection, delivery, made)
            return None
        if not contact.address:
            contact = structs.replace(contact, address=_placeholder(subscriber, self._from.domain))
        return self._ready(connection, delivery, made, contact)

    def _letter(self, connection: sa.Connection, delivery: Delivery) -> Ready | None:
        """A link that somebody asked for at the portal, while it works."""
        link = links.get(connection, delivery.subject, self.service.clock())
        if link is None:
            self._cancel(connection, delivery, "superseded")
            return None
        address = self.service.settings.main.web.address(f"/portal/l/{links.token(self._links, link.id)}")
        rendered = letters.render(self.service.renderer, link, address, code_of(delivery.id))
        made = Made(rendered, Label.CLEAR, hashlib.sha256(rendered.text.encode()).hexdigest(), ())
        return self._ready(connection, delivery, made, Contact("email", address=link.address))

    def _ready(self, connection: sa.Connection, delivery: Delivery, made: Made, contact: Contact) -> Ready | None:
        try:
            return self._held(connection, delivery, made, contact)
        except UnsendableError as error:
            outbox.settle(connection, delivery, Outcome("failed", "unsendable"), self.service.clock(), rng=self._rng)
            self._count(delivery, "failed")
            log.warning("unsendable", delivery=delivery.id, reason=str(error))
            return None

    def _held(self, connection: sa.Connection, delivery: Delivery, made: Made, contact: Contact) -> Ready:
        """The delivery with its bytes stored, sealed: those of the attempt before, if they may have been accepted.

        But what may be shown now decides: bytes that show something else than that are made anew.
        """
        vault, month, bound = self.service.vault, month_of(delivery.queued_at), ("message", delivery.id)
        shows = vault.fingerprint(MESSAGES, month, made.shows)
        if delivery.repeat and delivery.message is not None and delivery.shows == shows:
            before = vault.unlock(MESSAGES, month, bound, delivery.message)
            if before is not None:
                return Ready(outbox.again(connection, delivery), contact, before)
        message = self._bytes(delivery, made, contact)
        identifier = mail.message_id(delivery.id, self._from.domain)
        digest = vault.fingerprint(MESSAGES, month, hashlib.sha256(message).hexdigest())
        held = outbox.prepare(
            connection, dataclasses.replace(delivery, message=None), vault.lock(MESSAGES, month, bound, message),
            label=made.label, view=shows, message_id=identifier, digest=digest, grounds=grounds.encode(made.grounds),
        )  # fmt: skip
        return Ready(held, contact, message)

    def _bytes(self, delivery: Delivery, made: Made, contact: Contact) -> bytes:
        if contact.type in ("webhook", "kafka"):
            return payload(delivery, made.rendered, made.label, made.objects)
        try:
            return mail.build(
                delivery,
                made.rendered,
                sender=self._from,
                recipient=contact.address,
                original=made.original,
                attachments=made.files,
                key=self._key(contact),
                outside=made.outside,
                unsubscribe=self._unsubscribe(delivery, contact),
                signer=self._signatures.signer(contact),
                dkim=self._signatures.dkim,
            )
        except DispatchError as error:
            raise UnsendableError(str(error)) from None

    def hand_over(self, ready: Ready | None) -> None:
        """Give it to its channel, once. What became of it is settled with the next message, or by `finish`."""
        if self._settled is not None:
            self._count(*self._settled)
        self._handed = self._settled = None
        if ready is not None:
            channel = self._channels[ready.delivery.medium or "file"]
            try:
                outcome = channel.send(ready.delivery, ready.contact, ready.message)
            except Exception as error:  # a fault of ours, and nobody knows how far it came
                log.error("delivery", delivery=ready.delivery.id, error=type(error).__name__, place=place(error))
                outcome = Outcome("retry", outbox.POSSIBLY_ACCEPTED)
            self._handed = ready.delivery, outcome

    def put_back(self, delivery: Delivery, error: Exception) -> None:
        """What goes wrong with one message does not keep the others: it waits as after any attempt, and fails at last.

        What another worker took over, or the database would not have, is left to its lease.
        """
        log.error("delivery", delivery=delivery.id, error=type(error).__name__, place=place(error))
        if isinstance(error, sa.exc.SQLAlchemyError):
            return
        tried = dataclasses.replace(delivery, attempts=delivery.attempts + 1)
        reason = "broken-seal" if isinstance(error, GuardError) else "cannot-be-made"
        try:
            with self.service.transaction() as connection:
                status = outbox.settle(connection, tried, Outcome("retry", reason), self.service.clock(), rng=self._rng)
        except DispatchError as lost:
            log.warning("left", delivery=delivery.id, reason=str(lost))
        else:
            self._count(delivery, status)

    def settle(self, connection: sa.Connection) -> None:
        """Record what became of the message that was handed over last, with its line in the processing register.

        It counts once that is committed: the next `hand_over` says so. Rolled back, it is done again.
        """
        if self._handed is None:
            return
        (delivery, outcome), now = self._handed, self.service.clock()
        rested = outbox.grounds(connection, delivery)
        if outcome.reason == webhook.GONE:
            returning.stopped(self.service, connection, delivery)
        if outcome.status == "sent" and rested == _STUB and delivery.kind != "link":
            outcome = dataclasses.replace(outcome, reason="open-channel")
        try:
            status = outbox.settle(connection, delivery, outcome, now, rng=self._rng)
        except DispatchError as error:  # its lease ran out, and another worker has taken it over
            log.warning("left", delivery=delivery.id, reason=str(error))
            self._handed = None
            return
        if status == "sent":
            line = ledger.sent(connection, delivery.id)
            assert line is not None
            detail = proving.as_registered(line) | {"grounds": msgspec.Raw(rested or b"null")}
            entry = journal.Entry("sent", delivery.id, detail)
            journal.append(connection, [entry], key=self._register, at=now)
        self._settled = delivery, status

    def finish(self) -> None:
        """Settle the last message and give up connections."""
        try:
            if self._handed is not None:
                with self.service.transaction() as connection:
                    self.settle(connection)
                self.hand_over(None)
        finally:
            for channel in self._channels.values():
                channel.close()

    def _cancel(self, connection: sa.Connection, delivery: Delivery, reason: CancelReason) -> None:
        outbox.cancel(connection, delivery, reason, self.service.clock())
        self._count(delivery, "cancelled")

    def _count(self, delivery: Delivery, status: Status) -> None:
        self.counts[status] += 1
        self.service.metrics.deliveries.labels(status).inc()
        if status == "sent" and delivery.kind in ("alert", "update"):
            self.service.metrics.late("sent", delivery.queued_at, self.service.clock())
        log.info("delivery", delivery=delivery.id, kind=delivery.kind, item=delivery.subject, outcome=status)

    def _key(self, contact: Contact) -> Key | None:
        """To whom what goes this way is encrypted. None: it goes in the open, for want of a key that can be used."""
        name = contact.smime or contact.pgp
        if name not in self._keys:
            try:
                self._keys[name] = encryption.key_of(contact, self.service.settings.dir, self.service.clock())
            except encryption.KeyUnusableError as error:
                log.warning("key", reason=str(error))
                self._keys[name] = None
        return self._keys[name]

    def _closed(self, contact: Contact) -> bool:
        """Is this way out closed to others, as things are?"""
        return self._key(contact) is not None if contact.type == "email" else contact.confidential

    def _unsubscribe(self, delivery: Delivery, contact: Contact) -> str:
        """Where the reader stops what comes to this address; empty: what was asked for once, or no mail."""
        web = self.service.settings.main.web
        if not web.base_url or contact.type != "email" or delivery.kind == "link":
            return ""
        return web.address(f"/u/{feedback.token(self._leaving, delivery.id)}")


def _mailbox(sender: str) -> tuple[str, str]:
    """`Name <address>` -> (address, name)."""
    name, _, address = sender.rpartition("<")
    return address.rstrip("> "), name.strip() or "OKTT"


def _placeholder(subscriber: Subscriber, domain: str) -> str:
    """The file channel has no address; the file says for whom it is."""
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '-', subscriber.id)[:60]}@{domain}"
