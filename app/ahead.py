"""What deliveries that are made together ask of the database, asked once for all of them."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from pyroaring import BitMap

from app import returning
from app.service import Service
from app.views import Shelf, Views
from dispatch import Delivery, contacts, fanout, ledger
from dispatch.contacts import Silence
from dispatch.ledger import Entry
from subscribers import Contact, Subscriber, registry
from triage import TriageError, inbox

_OTHER = ("monday", "friday", "link")


class Ahead:
    """As things are in one transaction. What was not foreseen is asked for by itself."""

    def __init__(
        self, service: Service, shelf: Shelf, connection: sa.Connection, deliveries: Collection[Delivery]
    ) -> None:
        self._service, self._shelf, self._connection = service, shelf, connection
        wanted = {each.subscriber for each in deliveries if each.kind != "link"}
        self._subscribers = {each.id: each for each in registry.among(connection, wanted)}
        self._sent = ledger.sent_among(
            connection, {(each.subscriber, each.subject) for each in deliveries if each.kind not in _OTHER}
        )
        self._rows: dict[str, sa.Row[Any] | None] = {}
        self._views: dict[str, Views | None] = {}
        self._fanned: dict[str, BitMap] = {}
        self._telling: dict[str, list[str]] = {}
        marks = [
            mark
            for each in self._subscribers.values()
            for contact in each.contacts
            for mark in returning.contact_marks(service.keys, each.id, contact)
        ]
        self._silent = contacts.silent(connection, service.clock(), marks) if marks else {}

    def subscriber(self, id: str) -> Subscriber | None:  # noqa: A002
        """Who it goes to; None: it was removed."""
        return self._subscribers.get(id) or registry.get(self._connection, id)

    def silence(self, subscriber: Subscriber, contact: Contact) -> Silence | None:
        """Why nothing is sent to a contact; None: it is."""
        if subscriber.id not in self._subscribers:
            return returning.silence(self._service, self._connection, subscriber, contact)
        marks = returning.contact_marks(self._service.keys, subscriber.id, contact) if self._silent else ()
        return next((self._silent[each] for each in marks if each in self._silent), None)

    def row(self, item: str) -> sa.Row[Any] | None:
        """The item's row; None: its retention has ended."""
        if item not in self._rows:
            try:
                self._rows[item] = inbox.row(self._connection, item)
            except TriageError:
                self._rows[item] = None
        return self._rows[item]

    def views(self, item: str) -> Views | None:
        """Of what is released of an item; None: no release stands."""
        if item not in self._views:
            self._views[item] = self._shelf.current(self._connection, [item]).get(item)
        return self._views[item]

    def withdrawn(self, item: str, version: int) -> Views | None:
        """Of what was out up to a version and is no more; None: it is out, or never was."""
        row = self.row(item)
        return None if row is None else self._shelf.withdrawn(self._connection, item, version, row.changed_at)

    def fanned(self, item: str) -> BitMap:
        """Numbers of those for whom no rows were made yet."""
        if item not in self._fanned:
            self._fanned[item] = fanout.numbers(self._connection, item)
        return self._fanned[item]

    def earlier(self, item: str, version: int) -> Views | None:
        """Of a version that was released before; None: it never was."""
        return self._shelf.earlier(self._connection, item, version)

    def tell(self, subscriber: str, items: Collection[str]) -> None:
        """A message on these items was made."""
        self._telling.setdefault(subscriber, []).extend(items)

    def telling(self, subscriber: str) -> Collection[str]:
        """Items on which messages were made that the ledger does not tell of yet."""
        return self._telling.get(subscriber, ())

    def sent(self, subscriber: str, item: str) -> list[Entry]:
        """What this subscriber got of an item, in order of sending."""
        return [each for each in self.got(subscriber, item) if each.outcome == "sent"]

    def got(self, subscriber: str, item: str) -> list[Entry]:
        """The same, and what it may have got."""
        known = self._sent.get((subscriber, item))
        return ledger.sent_to(self._connection, subscriber, item) if known is None else known
