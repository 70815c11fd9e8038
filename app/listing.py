"""All rows of a recipient's own of an item, behind the address in its message: what a mail shows the first of."""

import dataclasses
from functools import partial

import sqlalchemy as sa

from app.service import Service
from app.views import Views, shown
from dispatch import View, ledger
from dispatch.attachments import table
from dispatch.feedback import Message
from dispatch.ledger import Entry
from subscribers import Contact, Subscriber, registry
from tlp import Label
from triage import TriageError, decide


def listing(service: Service, told: Message) -> bytes | None:
    """CSV, as this recipient may see it now, by the way by which it was told; None: nothing stands of it for it."""
    with service.reading() as connection:
        subscriber, sent = registry.get(connection, told.subscriber), ledger.sent(connection, told.delivery)
        contact = None if subscriber is None else _contact(connection, subscriber, told, sent)
        if subscriber is None or contact is None:
            return None
        look = partial(shown, service)
        try:
            released = decide.out(connection, service.guard, told.item, look, service.settings.consents)
        except TriageError:  # its retention has ended
            return None
        if released is None or subscriber.number not in released.audience:
            return None
        views = Views(service, connection, released)
        # A mail went in the open for want of a key, and its link with it: closed is what was told by a closed way.
        closed = contact.confidential and sent is not None and (sent.label or Label.CLEAR) > Label.AMBER
        view = views.of(subscriber, views.explain(subscriber), confidential=closed)
    return table(_own(view)) if isinstance(view, View) else None


def _contact(connection: sa.Connection, subscriber: Subscriber, told: Message, sent: Entry | None) -> Contact | None:
    """The way by which it was told. None: it is no longer one of the subscriber's, and who read there is not asked."""
    went = registry.went(connection, subscriber, told, sent.at if sent else None)
    return next((each for each in subscriber.contacts if went and each.place == went.place), None)


def _own(view: View) -> View:
    places = [place for place, row in enumerate(view.observables) if row.own]
    rows = tuple(view.observables[place] for place in places)
    days = view.days and dataclasses.replace(view.days, since=tuple(view.days.since[place] for place in places))
    return dataclasses.replace(view, observables=rows, days=days)
