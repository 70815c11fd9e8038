"""A firm that subscribed itself at the portal, and that an operator brings in later: one subscriber, if that shows.

That somebody typed a firm's number at the Chamber of Commerce shows nothing: anybody can. It is the same firm if what
it proved is among the networks or domains that the operator states, or if the operator's mail goes to the address that
opened the link. Otherwise there are two, and the operator is told.

A mail address that a subscriber gave at the portal goes before that of an import, until an operator says otherwise
(`readdress`): he answers for what he imports, and knows whom he called. Who reads the address is told.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec.structs import replace

from app import returning
from app.observe import log
from app.service import Service
from dispatch import contacts, editions, feedback, ledger, letters, outbox
from pii_guard import journal
from subscribers import Incoming, Subscriber, SubscriberError, links, registry
from subscribers.own import normal
from triage import decide
from web import auth, factors, passkeys, sessions, statuses

_NUMBER = re.compile(r"kvk-(\d{8})", re.ASCII)
_NAMING = (
    outbox.deliveries, ledger.ledger, feedback.feedback, editions.edition_contents, contacts.contact_events,
    auth.credentials, statuses.statuses, sessions.table, factors.table, passkeys.table, links.table,
)  # fmt: skip
"""Tables that name a subscriber by its id. The request ledger's rows stay as they are: they are sealed."""


class TakenOver(NamedTuple):
    """What an import met: (id of the sign-up, id of the import)."""

    taken: list[tuple[str, str]]
    apart: list[tuple[str, str]]
    """The same number, and nothing shows that they are one; or the operator had that firm already."""


def take_over(service: Service, connection: sa.Connection, incoming: Sequence[Incoming]) -> TakenOver:
    """Before an import: give sign-ups of the same firms the ids that it has for them. All that they gave, answered and
    proved stays theirs, and so does their log-in; the operator's part is the import's to replace."""
    wanted = {found[1]: one for one in incoming if (found := _NUMBER.fullmatch(one.id))}
    known = TakenOver([], [])
    for each in registry.named(connection, links.SIGNED_UP) if wanted else ():
        said = registry.given(connection, each.id).said
        one = wanted.get(said.kvk) if said is not None and said.kvk else None
        if one is None:
            continue
        if registry.get(connection, one.id) is None and _same(each, one):
            _rename(service, connection, each, one.id)
            known.taken.append((each.id, one.id))
        else:
            known.apart.append((each.id, one.id))
    return known


def _same(each: Subscriber, one: Incoming) -> bool:
    proven = {claim.what for claim in each.claims if claim.proven_at is not None}
    stated = {normal(contact.address) for contact in one.contacts if contact.type == "email"}
    return not proven.isdisjoint((*one.profile.networks, *one.profile.domains)) or any(
        contact.type == "email" and normal(contact.address) in stated for contact in each.contacts
    )


def _rename(service: Service, connection: sa.Connection, one: Subscriber, to: str) -> None:
    for table in _NAMING:
        connection.execute(table.update().where(table.c.subscriber == one.id).values(subscriber=to))
    events = contacts.contact_events
    for each in one.contacts:
        old, new = (returning.contact_mark(service.keys, name, each) for name in (one.id, to))
        connection.execute(events.update().where(events.c.contact == old).values(contact=new))
    registry.rename(connection, one.id, to, service.clock())


def readdress(service: Service, subscriber: str, by: str) -> None:
    """Mail goes to the operator's address again, not to the one that the subscriber gave at the portal: its reader is
    told, and logged out; what waits to be confirmed ends. All else that it gave stands. Raises SubscriberError."""
    decide.may(service.settings.main.desk, by)
    now, key = service.clock(), service.keys.derive
    with service.transaction() as connection:
        own, one = registry.own(connection, subscriber), registry.get(connection, subscriber)
        if one is None or not own.address:
            raise SubscriberError(f"{subscriber} gave no mail address itself: mail goes where the import says")
        link = links.ask(connection, "taken-back", own.address, one.language, None, now, subscriber)
        if link is not None:  # else it was sent as many as it may an hour, and knows that something goes on
            outbox.queue(connection, [letters.order(key("deliveries"), link, now)], urgency="today")
        registry.give(connection, subscriber, replace(own, address=""), now)
        links.revoke(connection, subscriber, now)
        sessions.end(connection, subscriber=subscriber)
        entry = journal.Entry("decided", subscriber, {"act": "readdress", "by": "person"})
        journal.append(connection, [entry], key=key("journal"), at=now)
    log.info("readdressed", subscriber=subscriber)
