"""The vault's keys over time: changed, so that old backups open no more; destroyed, when all that they seal is over.

Both end with the destruction of a key, which nothing takes back. So they come in this order, and running them again
after a crash ends what was begun: the new key is made; all that lies under the old one is sealed under it, in
transactions; the old key is destroyed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from app import AppError
from app.expiring import longest
from app.keys import MESSAGES, Standing
from app.observe import log
from app.service import Service
from dispatch import outbox
from pii_guard import journal, subjects
from pii_guard.vault import month_of
from triage import exposures, inbox

_BATCH = 20
_decode = msgspec.msgpack.Decoder(tuple[list[bytes], list[bytes]]).decode


@dataclass(frozen=True, slots=True)
class Rotated:
    """What now lies under another key."""

    source: str
    month: str
    statements: int
    versions: int
    """Versions of items that hold a copy of such a statement."""


def rotate(service: Service, source: str, month: str) -> Rotated:
    """A new key for what was received of a source in a month (`2026-03`); the old one is destroyed.

    From then on no earlier backup of the database opens for that source and month. Workers that hold what was read
    before find it shredded until they read it again. Raises AppError where there is no such key.
    """
    files = service.files
    generations = sorted(each.generation for each in files.standing() if each[:2] == (files.name(source), month))
    if not generations:
        raise AppError("nothing of that source and month lies sealed: `oktt keys list` says what does")
    if len(generations) == 1:  # else an earlier run was cut off, and its new key is there
        files.make(source, month, generations[0] + 1)
    statements, versions = _anew(service, source, month)
    for generation in generations if len(generations) == 1 else generations[:-1]:
        files.destroy(source, month, generation)
    detail = {"source": source, "month": month, "statements": statements, "versions": versions}
    with service.transaction() as connection:
        entry = journal.Entry("rotated", "vault", detail)
        journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())
    log.info("rotated", **detail)
    return Rotated(source, month, statements, versions)


def begin(service: Service, source: str, month: str) -> None:
    """Before an erasure is committed: make the key that is to take the place of this one. `finish` does the rest, also
    after a crash in between: two keys of a month say that the old one has to go."""
    name = service.files.name(source)
    generations = [each.generation for each in service.files.standing() if each[:2] == (name, month)]
    if len(generations) == 1:
        service.files.make(source, month, generations[0] + 1)


def finish(service: Service) -> list[Rotated]:
    """After an erasure was committed: what backups hold of the sources and months that it touched opens no more."""
    names, standing = _names(service), Counter(each[:2] for each in service.files.standing())
    begun = sorted((names[name], month) for (name, month), keys in standing.items() if keys > 1 and name in names)
    return [rotate(service, source, month) for source, month in begun]


def _names(service: Service) -> dict[str, str]:
    """What the files call each source -> its id."""
    with service.reading() as connection:
        known = set(connection.scalars(sa.select(inbox.statements.c.source).distinct())) | set(service.settings.named)
        known |= subjects.sources(connection) | {MESSAGES}
    return {service.files.name(each): each for each in known}


def listed(service: Service) -> Iterator[dict[str, Any]]:
    """Each key: of which source and month, and how many there are of it (two: `rotate` was cut off)."""
    names = _names(service)
    for key in service.files.standing():
        source = names.get(key.source)
        until = over(service, key.month, source)
        yield {"source": source, "month": key.month, "generation": key.generation, "until": until}


def over(service: Service, month: str, source: str | None = None) -> datetime:
    """When all that was received in a month has outlived its retention, under whatever regime; of messages, theirs."""
    year, number = map(int, month.split("-"))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    policy = service.settings.policy
    return end + (policy.messages if source == MESSAGES else longest(policy))


def expired(service: Service) -> list[Standing]:
    """Keys of months of which all is over."""
    now, names = service.clock(), _names(service)
    return [key for key in service.files.standing() if over(service, key.month, names.get(key.source)) <= now]


def shred(service: Service, keys: list[Standing]) -> None:
    """Destroy keys whose time is over, and the hashes that lie under them; the register says so first."""
    if not keys:
        return
    names, register, now = _names(service), service.keys.derive("journal"), service.clock()
    with service.transaction() as connection:
        entries = [journal.Entry("purged", "vault", {"month": key.month, "generation": key.generation}) for key in keys]
        journal.append(connection, entries, key=register, at=now)
        for source, month in sorted({(names[key.source], key.month) for key in keys if key.source in names}):
            journal.shred(connection, source, month, key=register, at=now)
    for key in keys:
        service.files.shred(key)


def _anew(service: Service, source: str, month: str) -> tuple[int, int]:
    """Statements of that source and month, and copies of them in versions of items, under the newest key."""
    said, kept, items = inbox.statements.c, inbox.versions.c, inbox.items.c
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    mine = (said.source == source, said.received_at >= start, said.received_at < start + timedelta(days=32))
    with service.transaction() as connection:
        inbox.alone(connection)  # who sealed with the old key has committed; who comes after takes the new one
        keys = connection.scalars(sa.select(said.key).where(*mine).order_by(said.key)).all()
        touched = sa.select(kept.item, kept.version).join(inbox.items, items.id == kept.item)
        versions = connection.execute(touched.where(items.changed_at >= start).order_by(kept.item, kept.version)).all()
        journal.rewrap(connection, service.vault, source, month, key=service.keys.derive("journal"))
        exposures.rewrap(connection, service.guard, source, month)
        if source == MESSAGES:
            again = partial(service.vault.rewrapped, source, month)
            outbox.rewrap(connection, again, lambda queued_at: month_of(queued_at) == month)
    counts = [0, 0]
    for at in range(0, len(keys), _BATCH):
        with service.transaction() as connection:
            inbox.alone(connection)
            for key in keys[at : at + _BATCH]:
                sealed = connection.scalar(sa.select(said.sealed).where(said.key == key))
                if sealed is not None and (made := service.guard.rewrapped(sealed)) is not None:
                    counts[0] += 1
                    connection.execute(inbox.statements.update().where(said.key == key), {"sealed": made})
    for at in range(0, len(versions), _BATCH):
        with service.transaction() as connection:
            inbox.alone(connection)
            for item, version in versions[at : at + _BATCH]:
                counts[1] += _version(service, connection, item, version)
    return counts[0], counts[1]


def _version(service: Service, connection: sa.Connection, item: str, version: int) -> bool:
    table = inbox.versions.c
    mine = (table.item == item, table.version == version)
    said = connection.scalar(sa.select(table.said).where(*mine))
    if said is None:
        return False
    parts = _decode(said)
    made = tuple([service.guard.rewrapped(each) or each for each in part] for part in parts)
    if made == parts:
        return False
    connection.execute(inbox.versions.update().where(*mine), {"said": msgspec.msgpack.encode(made)})
    return True
