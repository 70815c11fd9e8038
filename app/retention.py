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
    count = 0
    for regime in policy.regimes:
        for item in inbox.expired(connection, regime, now - policy.retention(regime)):
            outbox.cancel_waiting(connection, item, "withdrawn", now)
            publication.withdraw(connection, item, now)
            atom.withdraw(connection, item, now)
            decide.delete(connection, item)
            inbox.delete(connection, item)
            count += 1
    return {
        "items": count,
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
    """Note the register's end beside the database, so that cutting it off shows. After a commit, atomically."""
    with service.reading() as connection:
        current = journal.head(connection, key=service.keys.derive("journal"))
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
