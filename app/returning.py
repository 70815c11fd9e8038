"""Mail that came back: read, told in the ledger, and heeded; then forgotten, since it holds addresses and content.

From a Maildir what was understood is deleted, and what was not is moved to `cur/` for a person to look at. A mailbox is
only read; how long it keeps is its own setting.
"""

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, cast

import sqlalchemy as sa

from app import withdrawing
from app.keys import Keyring
from app.observe import log
from app.service import Service
from config.settings import Bounces
from dispatch import Delivery, bounces, contacts, grouping, ledger, outbox
from ingest import Feed, RawDocument, Reached, Source, SourceError, cursors
from ingest.mailbox import WholeReader
from subscribers import Contact, Subscriber, registry

HERE = "[bounces]"
"""Its name among the cursors: no source has it."""
EVERY, AFTER_ERROR = timedelta(minutes=5), timedelta(minutes=15)
_MOST = 8 << 20
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
Read = Literal["returned", "delayed", "known", "not understood"]


def address_for(service: Service, delivery: str) -> str | None:
    """Where this delivery comes back to; None: nothing is read."""
    wanted = service.settings.main.bounces
    return None if wanted is None else bounces.address(service.keys.derive("bounces"), delivery, wanted.address)


def contact_mark(keys: Keyring, subscriber: str, contact: Contact) -> str:
    """Under what an address of a subscriber is known."""
    return contact_marks(keys, subscriber, contact)[0]


def contact_marks(keys: Keyring, subscriber: str, contact: Contact) -> tuple[str, str]:
    """That, and under what the address is known by itself, whoever's it was."""
    key = keys.derive("contacts")
    return contacts.mark(key, subscriber, contact), contacts.mark(key, contacts.ANYBODY, contact)


def read(service: Service) -> Counter[Read]:
    """Read what came back since the last time. Counts by what it was."""
    wanted = service.settings.main.bounces
    counts: Counter[Read] = Counter()
    if wanted is not None:
        if wanted.folder:
            _maildir(service, wanted, service.settings.file(wanted.folder), counts)
        else:
            _mailbox(service, wanted, counts)
    if counts:
        log.info("bounces", **{name.replace(" ", "_"): count for name, count in counts.items()})
    return counts


def _maildir(service: Service, wanted: Bounces, folder: Path, counts: Counter[Read]) -> None:
    for file in sorted((folder / "new").glob("*")):
        try:
            with file.open("rb") as stream:
                body = stream.read(bounces.MOST)
            found = _one(service, wanted, body)
            if found == "not understood":
                (folder / "cur").mkdir(exist_ok=True)
                file.rename(folder / "cur" / f"{file.name}:2,")
            else:
                file.unlink()
        except OSError as error:
            log.error("bounces", problem=f"a mail in {wanted.folder}/new cannot be read or moved", error=error.errno)
            continue
        counts[found] += 1


def _mailbox(service: Service, wanted: Bounces, counts: Counter[Read]) -> None:
    with service.reading() as connection:
        standing = cursors.standing(connection, HERE)
    now = service.clock()
    if standing.due_at is not None and standing.due_at > now:
        return
    try:
        reader = WholeReader(source(service, wanted), key=service.keys.derive("documents"), clock=service.clock)
        with closing(cast(Any, reader.read(standing.position))) as given:
            for each in given:
                if isinstance(each, RawDocument):
                    counts[_one(service, wanted, each.body)] += 1
                elif isinstance(each, Reached):
                    with service.transaction() as connection:
                        cursors.record_position(connection, HERE, each.position)
    except SourceError as error:
        log.error("bounces", problem=str(error))
        with service.transaction() as connection:
            cursors.record_error(connection, HERE, now, str(error), now + max(AFTER_ERROR, error.retry_after or EVERY))
    else:
        with service.transaction() as connection:
            cursors.record_success(connection, HERE, now, now + EVERY)


def source(service: Service, wanted: Bounces) -> Source:
    """The mailbox as a reader takes it."""
    file = service.settings.file
    feed = Feed(
        wanted.url,
        user=wanted.user,
        secret_file=file(wanted.secret_file) if wanted.secret_file else None,
        ca_file=file(wanted.ca_file) if wanted.ca_file else None,
        private=_ANYWHERE if wanted.private else (),
        max_bytes=_MOST,
    )
    return Source(HERE, "bounces", kind="imap", feed=feed)


def _one(service: Service, wanted: Bounces, body: bytes) -> Read:
    """Heed one mail. A forged one is not understood, and changes nothing."""
    try:
        mail = bounces.parsed(body)
        named = bounces.deliveries_of(service.keys.derive("bounces"), mail, wanted.address)
        said = bounces.read(mail) if len(named) == 1 else None
    except Exception as error:  # anybody may write here, thousands of parts deep: that keeps no other mail
        log.warning("bounce", problem="a mail that cannot be read", error=type(error).__name__)
        return "not understood"
    if said is None:
        return "not understood"
    (delivery,) = named
    now = service.clock()
    with service.transaction() as connection:
        lines = [
            ledger.came_back(connection, each, said.what, said.status, now, outbox.left(connection, each))
            for each in grouping.together(connection, delivery)
        ]
        for each in filter(None, lines if said.what == "returned" else ()):
            withdrawing.told_nothing(service, connection, each.subject, [each.subscriber], now)
        if (told := lines[0]) is None:
            return "known" if ledger.sent(connection, delivery) else "not understood"
        if said.what == "returned" and said.status.startswith("5"):
            _against(service, connection, delivery, told.at, said.status, now)
    log.info("bounce", delivery=delivery, outcome=said.what, status=said.status)
    return said.what


def _against(
    service: Service, connection: sa.Connection, delivery: str, sent: datetime, status: str, now: datetime
) -> None:
    """It counts against the address that it was sent to, whatever the subscriber's is by now."""
    went = outbox.whose(connection, delivery)
    then = None if went is None else registry.at(connection, went.subscriber, sent)
    if went is None or then is None:
        return
    contact = registry.meant(connection, then, went)
    if contact is not None:
        mark = contact_mark(service.keys, went.subscriber, contact)
        contacts.note(connection, mark, went.subscriber, "returned", now, status)


def stopped(service: Service, connection: sa.Connection, delivery: Delivery) -> None:
    """A subscriber's own server said that it wants no more."""
    one = registry.get(connection, delivery.subscriber)
    if one is None:
        return
    contact = registry.meant(connection, one, delivery)
    if contact is not None:
        mark = contact_mark(service.keys, one.id, contact)
        contacts.note(connection, mark, one.id, "stopped", service.clock())


def silence(
    service: Service, connection: sa.Connection, subscriber: Subscriber, contact: Contact
) -> contacts.Silence | None:
    """Why nothing is sent to a contact; None: it is."""
    return contacts.why(connection, service.clock(), contact_marks(service.keys, subscriber.id, contact))


def silences(keys: Keyring, connection: sa.Connection, one: Subscriber, now: datetime) -> dict[int, contacts.Silence]:
    """Which channels of a subscriber nothing is sent to, by their index, and why."""
    reasons = (contacts.why(connection, now, contact_marks(keys, one.id, each)) for each in one.contacts)
    return {index: reason for index, reason in enumerate(reasons) if reason is not None}
