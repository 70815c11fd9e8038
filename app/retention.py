"""Retention, carried out in every store; and the head of the register, kept beside the database."""

import os
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app import database, expiring, vaulting
from app.observe import log
from app.service import Service
from dispatch import atom, contacts, editions, editorials, feedback, forwards, ledger, outbox, publication
from pii_guard import audit, journal
from subscribers import links, registry
from triage import documents, exposures, inbox, leads, releases
from web import auth, forms, sessions, statuses
from web import ledger as requests

HEAD = "journal.head"
REQUESTS = timedelta(days=14)
"""How long the request ledger is kept."""


def purge(service: Service, *, dry_run: bool = False) -> dict[str, Any]:
    """Delete what is older than the legal policy allows, in every store; counts by store, and values by category.

    Items whose time is over go whole; of the others, what has outlived its category (app.expiring). Each batch is one
    transaction with its line in the register, so that a crash loses nothing; running it again changes nothing.
    """
    register, now = service.keys.derive("journal"), service.clock()
    with service.engine.connect() as connection, connection.begin() as transaction:
        inbox.alone(connection)
        whole, counts = _purged(service, connection)
        journal.close(connection, service.vault, key=register)
        hashes, details = journal.expire(connection, service.settings.policy, key=register, at=now)
        counts |= {"subjects": hashes, "details": details}
        files = _files(service, connection, whole, delete=not dry_run)
        counts["files"] = len(files)
        if dry_run:
            transaction.rollback()
        elif any(counts.values()):
            journal.append(connection, [journal.Entry("purged", "retention", dict(counts))], key=register, at=now)
    for name, count in expiring.expire(service, without=whole, files=files, dry_run=dry_run).items():
        counts[name] = counts.get(name, 0) + count if isinstance(count, int) else count
    old = vaulting.expired(service)
    counts["keys"] = len(old)
    if not dry_run:
        vaulting.shred(service, old)
        database.forget(service.engine)
        if counts.get("profiles"):
            service.forget_index()
        save_head(service)
        log.info("purged", **counts)
    return counts


def _purged(service: Service, connection: sa.Connection) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The items that go whole, with the ids of their deliveries; and the counts."""
    now, policy, oldest = service.clock(), service.settings.policy, _oldest(service)
    before = {regime: now - policy.retention(regime) for regime in policy.regimes}
    items = {item: outbox.ids(connection, item) for item in inbox.expired(connection, before)}
    for item in items:
        outbox.cancel_waiting(connection, item, "withdrawn", now, every=True)
        publication.withdraw(connection, item, now)
        atom.withdraw(connection, item, now)
        releases.delete(connection, item)
        leads.delete(connection, item)
        exposures.delete(connection, item)
        inbox.delete(connection, item)
    return items, {
        "items": len(items),
        "facts": inbox.delete_facts(connection, before),
        "records": documents.delete(connection, oldest),
        "messages": outbox.purge(connection, oldest),
        "answers": feedback.forget(connection, oldest) + forwards.forget(connection, oldest),
        "returned": contacts.forget(connection, oldest),
        "prepared": outbox.forget(connection, now, before=now - policy.messages),
        "published": publication.purge(connection, oldest),
        "feed": atom.purge(connection, oldest),
        "editions": editions.purge(connection, oldest) + editorials.purge(connection, oldest),
        "credentials": auth.purge(connection, oldest),
        "statuses": statuses.purge(connection, now - policy.messages),
        "requests": requests.purge(connection, now - REQUESTS),
        "portal": sum(each.purge(connection, now) for each in (links, sessions, forms)),
        "profiles": registry.forget(connection, oldest),
    }


def _oldest(service: Service) -> datetime:
    """What is not bound to a regime of its own goes with the longest of them."""
    policy = service.settings.policy
    return service.clock() - max(policy.retention(regime) for regime in policy.regimes)


def _files(service: Service, connection: sa.Connection, whole: dict[str, list[str]], *, delete: bool) -> set[str]:
    """Which message files go, by the ids of their deliveries: of items that go, and all that are too old."""
    before = service.clock() - service.settings.policy.messages
    files = {file.stem: file for file in expiring.folder(service).glob("*.eml")}
    gone = {each for ids in whole.values() for each in ids if each in files}
    gone |= ledger.older(connection, sorted(files), before)
    gone |= {name for name, file in files.items() if file.stat().st_mtime < before.timestamp()}
    for name in sorted(gone) if delete else ():
        files[name].unlink(missing_ok=True)
    return gone


def head(service: Service) -> bytes | None:
    """The register's end as it was last noted beside the database; None: never."""
    try:
        return (service.settings.dir / HEAD).read_bytes()
    except FileNotFoundError:
        return None


def save_head(service: Service) -> None:
    """Note the register's end beside the database, so that cutting it off shows. After a commit, atomically.

    A register that does not lead on from what was noted keeps the old note: else this would hide what was cut off.
    """
    kept, key = head(service), service.keys.derive("journal")
    with service.reading() as connection:
        current = audit.head(connection, key=key).text
        if kept is not None and not audit.verify(connection, key=key, head=kept).ok:
            log.error("register", problem="it does not lead on from journal.head: run `oktt audit verify`")
            return
    target = service.settings.dir / HEAD
    waiting = target.with_suffix(f".{os.getpid()}")
    waiting.write_bytes(current)
    waiting.replace(target)
