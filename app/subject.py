"""A data subject's request: where a value was processed (AVG art. 15), and without it (art. 17).

Erasing goes item by item, each in one transaction with its line in the register; what was made of an item is made anew
of what is left (app.expiring). Cut off anywhere, it is run again and goes on; run again when done, it changes nothing.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from app import database, expiring, vaulting
from app.keys import MESSAGES
from app.observe import log
from app.service import Service
from app.stores import Place, Search
from app.views import shown
from dispatch import atom, editorials, outbox, publication
from pii_guard import Item, Statement, journal, subjects
from pii_guard.expiry import source_of
from pii_guard.sought import Sought
from pii_guard.vault import month_of
from subscribers import links, registry
from triage import expiry, releases
from triage.expiry import Expired, Expiry
from web import passkeys


@dataclass(slots=True)
class Erased:
    """What went, by store; and what did not, with what to do about it."""

    counts: Counter[str] = field(default_factory=Counter)
    left: list[Place] = field(default_factory=list)

    def leave(self, store: str, identifier: Any, why: str) -> None:
        """Something that is not ours to erase, or not now."""
        self.left.append({"store": store, "id": identifier, "why": why})


def find(service: Service, sought: Sought) -> list[Place]:
    """Where a value lies or was processed, since when, on which basis, and to whom it went."""
    with service.reading() as connection:
        return list(Search(service, sought).places(connection))


def erase(service: Service, sought: Sought) -> Erased:
    """Take a value out of every store."""
    made = Erased()
    work = Expiry(
        service.guard,
        service.settings.named,
        service.clock(),
        partial(shown, service),
        remake=partial(_without, service, sought),
        word=("erased", "data subject"),
    )
    with service.reading() as connection:
        before = [each for each in Search(service, sought).items(connection) if not each["prefix"]]
    waiting = dict.fromkeys(each["id"] for each in before if each["store"] == "items")
    for key in dict.fromkeys(each["id"] for each in before if each["store"] == "records"):
        with service.transaction() as connection:
            found, naming = work.facts(connection, key)
            _account(service, connection, sought, key, found, made)
        waiting |= dict.fromkeys(naming)
    for item in waiting:
        with service.transaction() as connection:
            found = work.item(connection, item)
            if found:
                made.counts.update(expiring.refresh(service, connection, work, item, dry_run=False))
            _account(service, connection, sought, item, found, made)
    with service.transaction() as connection:
        search = Search(service, sought)
        stores = Counter(_stores(service, connection, search, made))
        publication.forget(connection)
        entry = journal.Entry("erased", "data subject", {"type": sought.type, "stores": dict(sorted(stores.items()))})
        key, now, vault = service.keys.derive("journal"), service.clock(), service.vault
        for source, month in {(row.source, row.month) for row in subjects.find(connection, search.hashes, vault)}:
            vaulting.begin(service, source, month)
        stores["register"] = journal.forget(connection, search.hashes, entry, vault=vault, key=key, at=now)
        if any(stores.values()) and not stores["register"]:
            journal.append(connection, [entry], key=key, at=now)
    made.counts += stores
    database.forget(service.engine)
    service.forget_index()
    if rotated := vaulting.finish(service):
        made.counts["keys"] += len(rotated)
    _tell_left(service, sought, before, made)
    log.info("erased", type=sought.type, **made.counts)
    return made


def _without(service: Service, sought: Sought, connection: sa.Connection, stored: Item) -> Statement | None:
    """What is left of a stored statement; its gated rows are opened for it, and sealed anew."""
    (statement,) = service.opened(connection, stored, "subject").statements
    left = service.guard.erase(statement, source_of(service.settings.named, statement), sought)
    if left is not None and stored.statements[0].vault:
        vaulting.begin(service, statement.source, month_of(statement.received_at))
    return left


def _account(
    service: Service, connection: sa.Connection, sought: Sought, subject: str, found: Expired, made: Erased
) -> None:
    if not found:
        return
    made.counts.update(statements=found.statements, versions=found.versions)
    detail = {"type": sought.type, "statements": found.statements, "versions": found.versions}
    entry = journal.Entry("erased", subject, {**detail, "releases": found.rebound})
    journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())


def _stores(service: Service, connection: sa.Connection, search: Search, made: Erased) -> Iterator[str]:
    """All that was not made anew with an item: the name of the store for each thing that went."""
    now, folder = service.clock(), expiring.folder(service)
    for each in list(search.published(connection)):
        for item in each["items"]:
            publication.withdraw(connection, item, now, alias=each["id"])
        yield "published"
    for each in list(search.feed(connection)):
        atom.withdraw(connection, each["id"], now)
        yield "feed"
    for each in list(search.prepared(connection)):
        if outbox.forget(connection, now, delivery=each["id"]):
            vaulting.begin(service, MESSAGES, month_of(each["at"]))
            yield "prepared"
        else:
            made.leave("outbox", each["id"], "is being sent now: run this again in five minutes")
    for each in list(search.files()):  # before the commit: done again after a crash, it is found gone
        (folder / f"{each['id']}.eml").unlink(missing_ok=True)
        yield "files"
    for each in list(search.subscribers(connection)):
        if "revision" in each:
            registry.forget_replaced(connection, each["id"], each["revision"])
            yield "profiles"
    for _ in (*links.forget(connection, search.sought.holds), *passkeys.unname(connection, search.sought.holds)):
        yield "portal"
    yield from _notes(connection, search.sought)


def _notes(connection: sa.Connection, sought: Sought) -> Iterator[str]:
    """What people wrote about items and for editions."""
    for edition, _, said in editorials.every(connection):
        if (text := sought.out_of(said["text"], "[verwijderd]")) != said["text"]:
            editorials.reword(connection, edition, text)
            yield "notes"
    for note in list(expiry.notes(connection)):
        if (reason := sought.out_of(note.reason, "[verwijderd]")) != note.reason:
            expiry.reword(connection, note.id, reason)
            yield "notes"
    for status, decision in list(releases.decisions(connection)):
        if (reason := sought.out_of(decision.reason, "[verwijderd]")) != decision.reason:
            releases.reword(connection, status, dataclasses.replace(decision, reason=reason))
            yield "notes"


def _tell_left(service: Service, sought: Sought, before: list[Place], made: Erased) -> None:
    """What still stands, and why; and whom to tell (AVG art. 19)."""
    for each in before:
        who = sorted({one["subscriber"] for one in each["recipients"]})
        if who:
            why = f"messages about it went to {', '.join(who[:10])}{' and others' if len(who) > 10 else ''} before: "
            made.leave("sent", each["id"], why + "tell them (AVG art. 19)")
    for source in sorted({each["source"] for each in before}):
        made.leave("sources", source, "said it, and may say it again: ask it to mend that")
    with service.reading() as connection:
        search = Search(service, sought)
        for each in search.subscribers(connection):
            if not each.get("prefix"):
                why = "it is the subscriber's own: import the profile without it, or `oktt subscribers remove` it"
                made.leave("subscribers", each["id"], why)
        for each in search.notes(connection):
            made.leave("desk", each["id"], "who decided is kept as long as the item (accountability, AVG art. 17(3))")
        for each in search.items(connection):
            made.leave(each["store"], each["id"], "it lies in a prefix that holds others too, and names nobody")
    if made.counts.total():
        made.leave(
            "backups",
            None,
            "those from before hold what was not sealed until they are overwritten; what was sealed opens no more",
        )
