"""Retention, carried out in every store; and the head of the register, kept beside the database."""

import os
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from app.observe import log
from app.service import Service
from dispatch import atom, outbox, publication
from pii_guard import journal
from triage import decide, inbox

HEAD = "journal.head"


def purge(service: Service, *, dry_run: bool = False) -> dict[str, int]:
    """Delete what is older than the legal policy allows: items, outbox, ledger, TAXII, feed, .eml files."""
    with service.engine.connect() as connection, connection.begin() as transaction:
        counts = _purged(service, connection)
        counts["files"] = _files(service.settings.dir / "outbox", _oldest(service), delete=not dry_run)
        if dry_run:
            transaction.rollback()
        elif any(counts.values()):
            entry = journal.Entry("purged", "retention", dict(counts))
            journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())
    if not dry_run:
        save_head(service)
        log.info("purged", **counts)
    return counts


def _purged(service: Service, connection: sa.Connection) -> dict[str, int]:
    now, policy, oldest = service.clock(), service.settings.policy, _oldest(service)
    before = {regime: now - policy.retention(regime) for regime in policy.regimes}
    items = inbox.expired(connection, before)
    for item in items:
        outbox.cancel_waiting(connection, item, "withdrawn", now)
        publication.withdraw(connection, item, now)
        atom.withdraw(connection, item, now)
        decide.delete(connection, item)
        inbox.delete(connection, item)
    return {
        "items": len(items),
        "facts": inbox.delete_facts(connection, before),
        "records": inbox.delete_records(connection, oldest),
        "messages": outbox.purge(connection, oldest),
        "published": publication.purge(connection, oldest),
        "feed": atom.purge(connection, oldest),
    }


def _oldest(service: Service) -> datetime:
    """What is not bound to a regime of its own goes with the longest of them."""
    policy = service.settings.policy
    return service.clock() - max(policy.retention(regime) for regime in policy.regimes)


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
        current = journal.head(connection, key=key)
        if kept is not None and not journal.verify(connection, key=key, head=kept).ok:
            log.error("register", problem="it does not lead on from journal.head: run `oktt audit verify`")
            return
    target = service.settings.dir / HEAD
    waiting = target.with_suffix(f".{os.getpid()}")
    waiting.write_bytes(current)
    waiting.replace(target)


def _files(folder: Path, before: datetime, *, delete: bool) -> int:
    count = 0
    for file in folder.glob("*.eml") if folder.is_dir() else ():
        if file.stat().st_mtime < before.timestamp():
            count += 1
            if delete:
                file.unlink()
    return count
