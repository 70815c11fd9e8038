"""Messages: what has to be true before they leave, and how they are made and stored (docs/decisions/006)."""

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from msgspec import structs

from app import channels
from app.ahead import Ahead
from app.alerts import Alerts, Made, Part, Waits
from app.company import Company
from app.editions import Editions
from app.handover import Batch, Handover, Ready
from app.keys import MESSAGES
from app.observe import log, place
from app.service import Service
from app.views import Shelf
from dispatch import Delivery, DispatchError, encryption, feedback, grounds, grouping, handing, letters, mail, outbox
from dispatch.codes import code_of
from dispatch.encryption import Key
from dispatch.handing import Held
from dispatch.outbox import CancelReason
from dispatch.payload import payload
from pii_guard.vault import month_of
from subscribers import Contact, Subscriber, links, registry
from tlp import Label

_STUB = grounds.encode(())
"""What a stub rests on: it shows nothing."""
AT_ONCE = 1.0
"""Seconds that making messages keeps a transaction."""


class UnsendableError(DispatchError):
    """A message that no attempt will make sendable: an address that is none, a text that is too long."""


class Sender:
    """Makes messages; `out` hands them over. For one thread."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self.service = service
        self.shelf = Shelf(service)
        self._batch = Batch()
        self._held: list[Held] = []
        """Made, and to be stored before the transaction ends."""
        self._from = mail.Sender(*_mailbox(settings.main.mail.sender))
        self._links = service.keys.derive("links")
        self._keys: dict[str, Key | None] = {}
        """Of recipients, by file: read once a run."""
        self.out = Handover(service, self._from.address)
        self._signatures = channels.signatures(settings)
        self._leaving = service.keys.derive("unsubscribe")
        self._alerts = Alerts(service, self._closed)
        self._company = Company(self._alerts, self._cancel)
        self._editions = Editions(service, self.shelf, self._alerts, self._closed, self._from)

    def prepare(self, connection: sa.Connection, deliveries: Sequence[Delivery]) -> Batch:
        """Check everything again (release, match, label, channel), make the messages and store them.

        Which may no longer leave is cancelled with a named reason, or waits.
        """
        self._batch, self._held = Batch(rest=list(deliveries)), []
        batch, ahead = self._batch, Ahead(self.service, self.shelf, connection, deliveries)
        until = time.monotonic() + AT_ONCE
        while batch.rest and (len(batch.rest) == len(deliveries) or time.monotonic() < until):  # one, however slow
            delivery = batch.rest.pop(0)
            try:
                ready = self._prepared(connection, ahead, delivery, grouping.others(delivery, batch.rest))
            except sa.exc.SQLAlchemyError:
                raise
            except Exception as error:  # it does not keep the others
                batch.failed.append((delivery, error))
            else:
                batch.ready += [] if ready is None else [ready]
                gone = set() if ready is None else {each.id for each in ready.along}
                batch.rest = [each for each in batch.rest if each.id not in gone]
        handing.store(connection, self._held)
        leaders = [each for each in batch.ready if each.along or outbox.leads(each.delivery)]
        if leaders:
            grouping.join(connection, {each.delivery.id: [one.id for one in each.along] for each in leaders})
        return batch

    def _prepared(
        self, connection: sa.Connection, ahead: Ahead, delivery: Delivery, others: Sequence[Delivery]
    ) -> Ready | None:
        if delivery.kind == "link":
            return self._letter(connection, delivery)
        subscriber = ahead.subscriber(delivery.subscriber)
        contact = None if subscriber is None else _contact(connection, subscriber, delivery)
        if subscriber is None or contact is None:
            self._cancel(connection, delivery, "no-match")
            return None
        if (silent := ahead.silence(subscriber, contact)) is not None:
            self._cancel(connection, delivery, silent)
            return None
        others = [each for each in others if _contact(connection, subscriber, each) == contact]
        made: Part | Made | CancelReason | Waits
        if delivery.kind in ("monday", "friday"):
            made = self._editions.made(connection, delivery, subscriber, contact)
        elif delivery.kind == "withdrawal":
            made = self._alerts.withdrawal(connection, ahead, delivery, subscriber, contact)
        else:
            made = self._alerts.told(connection, ahead, delivery, subscriber, contact, ahead.telling(subscriber.id))
        if isinstance(made, Waits):
            outbox.defer(connection, delivery, made.until, made.reason)
            self._batch.closed.append((delivery, "deferred"))
            return None
        along: list[Delivery] = []
        part: Part | None = None
        if isinstance(made, Part):
            part = made
            made, along = self._company.made(connection, ahead, part, others, subscriber, contact)
        if not isinstance(made, Made):
            self._cancel(connection, delivery, made)
            return None
        if not contact.address:
            contact = structs.replace(contact, address=_placeholder(subscriber, self._from.domain))
        passed_on, ready = subscriber.profile.kind == "partnership", None
        if part is not None and along:
            ready = self._several(delivery, made, contact, along, passed_on)
            made = made if ready else self._alerts.message(connection, ahead, subscriber, part)
        ready = ready or self._ready(connection, delivery, made, contact, passed_on=passed_on)
        ahead.tell(subscriber.id, [each.subject for each in (delivery, *(ready.along if ready else ()))])
        return ready

    def _several(
        self, delivery: Delivery, made: Made, contact: Contact, along: Sequence[Delivery], passed_on: bool
    ) -> Ready | None:
        """With what goes along. None: it cannot be sent so; by itself, perhaps."""
        try:
            return replace(self._kept(delivery, made, contact, passed_on), along=tuple(along))
        except Exception as error:
            log.warning("alone", delivery=delivery.id, error=type(error).__name__, place=place(error))
            return None

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

    def _ready(
        self,
        connection: sa.Connection,
        delivery: Delivery,
        made: Made,
        contact: Contact,
        *,
        passed_on: bool = False,
    ) -> Ready | None:
        """`passed_on`: its reader informs others with it."""
        try:
            return self._kept(delivery, made, contact, passed_on)
        except UnsendableError as error:
            self.out.unsendable(connection, delivery, error)
            self._batch.closed.append((delivery, "failed"))
            return None

    def _kept(self, delivery: Delivery, made: Made, contact: Contact, passed_on: bool) -> Ready:
        """With its bytes, to be stored, sealed: those of the attempt before, if they may have been accepted.

        But what may be shown now decides, and to whom: bytes that show something else, or are addressed or encrypted to
        another, are made anew.
        """
        vault, month, bound = self.service.vault, month_of(delivery.queued_at), ("message", delivery.id)
        key = self._key(contact)
        same = made.shows, contact.address, "" if key is None else key.fingerprint
        shows, rests = vault.fingerprint(MESSAGES, month, "\n".join(same)), grounds.encode(made.grounds)
        stub = rests == _STUB and delivery.kind != "link"
        if delivery.repeat and delivery.message is not None and delivery.shows == shows:
            before = vault.unlock(MESSAGES, month, bound, delivery.message)
            if before is not None:
                return Ready(delivery, contact, before, stub)
        message = self._bytes(delivery, made, contact, passed_on)
        identifier = mail.message_id(delivery.id, self._from.domain)
        digest = vault.fingerprint(MESSAGES, month, hashlib.sha256(message).hexdigest())
        sealed = vault.lock(MESSAGES, month, bound, message)
        self._held.append(Held(delivery, sealed, made.label, shows, identifier, digest, rests))
        return Ready(delivery, contact, message, stub)

    def _bytes(self, delivery: Delivery, made: Made, contact: Contact, passed_on: bool) -> bytes:
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
                passed_on=passed_on,
                signer=self._signatures.signer(contact),
                dkim=self._signatures.dkim,
            )
        except DispatchError as error:
            raise UnsendableError(str(error)) from None

    def _cancel(self, connection: sa.Connection, delivery: Delivery, reason: CancelReason) -> None:
        outbox.cancel(connection, delivery, reason, self.service.clock())
        self._batch.closed.append((delivery, "cancelled"))

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


def _contact(connection: sa.Connection, subscriber: Subscriber, delivery: Delivery) -> Contact | None:
    return registry.meant(connection, subscriber, delivery)


def _mailbox(sender: str) -> tuple[str, str]:
    """`Name <address>` -> (address, name)."""
    name, _, address = sender.rpartition("<")
    return address.rstrip("> "), name.strip() or "OKTT"


def _placeholder(subscriber: Subscriber, domain: str) -> str:
    """The file channel has no address; the file says for whom it is."""
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '-', subscriber.id)[:60]}@{domain}"
