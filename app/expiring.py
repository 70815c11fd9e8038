"""Retention per category: stored statements, and everything that was made of them, without what has expired.

What is due is found by the moment of receipt: for each age at which something expires, the counters say how far that
was carried out, under this policy and these sources. Another policy or another source begins anew, so that a stricter
one comes over all that is stored.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from app import releasing
from app.service import Service
from app.views import shown
from dispatch import atom, outbox, publication
from pii_guard import expiry as ages
from pii_guard import journal
from pii_guard.policy import Policy
from triage import expiry, inbox
from triage.expiry import Expired, Expiry

BATCH = 20
"""Items in one transaction; an exposure can hold 40,000 rows."""
PREFIX = "retention/"
VAULT = 1
"""What was laid down before gated values were sealed is gone over once more."""
NEVER = 36500
"""Days: where no category is kept, none ends."""


def longest(policy: Policy) -> timedelta:
    """The age at which every category that is kept at all has ended."""
    return timedelta(days=max(ages.ages(policy)) or NEVER)


def folder(service: Service) -> Path:
    """Where the file channel writes messages."""
    return service.settings.dir / "outbox"


def expire(
    service: Service, *, without: Collection[str] = (), files: Collection[str] = (), dry_run: bool = False
) -> dict[str, Any]:
    """Carry it out for all that is due, but for items and message files that have gone; counts by store and category.

    A release that stood goes on standing, and no message goes out.
    """
    now = service.clock()
    marks = _marks(service, now)
    with service.reading() as connection:
        items, facts = _due(connection, marks)
    totals: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    work = Expiry(service.guard, service.settings.named, now, partial(shown, service))
    waiting = [each for each in items if each not in without]
    for start in range(0, len(facts), BATCH):
        with _transaction(service, dry_run=dry_run) as connection:
            for key in facts[start : start + BATCH]:
                found, naming = work.facts(connection, key)
                _account(service, connection, key, found, totals, categories)
                waiting += [each for each in naming if each not in waiting and each not in without]
    for start in range(0, len(waiting), BATCH):
        with _transaction(service, dry_run=dry_run) as connection:
            for item in waiting[start : start + BATCH]:
                found = work.item(connection, item)
                if found:
                    totals.update(refresh(service, connection, work, item, without=files, dry_run=dry_run))
                _account(service, connection, item, found, totals, categories)
    if not dry_run:
        with service.transaction() as connection:
            publication.forget(connection)
            expiry.reach(connection, marks, PREFIX)
    stores = {name: totals[name] for name in ("statements", "versions", "prepared", "published", "files")}
    return {**stores, "categories": dict(sorted(categories.items()))}


def _marks(service: Service, now: datetime) -> dict[str, datetime]:
    """For each age at which something expires: the name of its mark, and up to which receipt it is over by now."""
    settings = service.settings
    sources = sorted((each.id, each.public, each.regime or "", each.attacker_ip) for each in settings.named.values())
    digest = hashlib.blake2b(msgspec.json.encode([VAULT, settings.policy.hash, sources]), digest_size=8).hexdigest()
    return {f"{PREFIX}{digest}/{days}": now - timedelta(days=days) for days in ages.ages(settings.policy)}


def _due(connection: sa.Connection, marks: dict[str, datetime]) -> tuple[list[str], list[str]]:
    spans = [(expiry.reached(connection, name), until) for name, until in marks.items()]
    items = chain.from_iterable(expiry.due(connection, *span) for span in spans)
    facts = chain.from_iterable(expiry.due_facts(connection, *span) for span in spans)
    return list(dict.fromkeys(items)), list(dict.fromkeys(facts))


@contextmanager
def _transaction(service: Service, *, dry_run: bool) -> Iterator[sa.Connection]:
    """One batch, while nobody else lays anything down: what is sealed anew may be sealed under another key."""
    with service.transaction(dry_run=dry_run) as connection:
        inbox.alone(connection)
        yield connection


def refresh(
    service: Service,
    connection: sa.Connection,
    work: Expiry,
    item: str,
    *,
    without: Collection[str] = (),
    dry_run: bool = False,
) -> dict[str, int]:
    """What was made of an item is made anew of what is left: TAXII, the feed, prepared bytes; message files go."""
    now = service.clock()
    out = work.out(connection, item)
    if out is None:
        published = publication.withdraw(connection, item, now) + atom.withdraw(connection, item, now)
    else:
        releasing.publish(service, connection, out, releasing.matched(service, connection, out))
        published = 1
    files = [folder(service) / f"{each}.eml" for each in outbox.ids(connection, item) if each not in without]
    standing = [file for file in files if file.exists()]
    if not dry_run:
        for file in standing:  # before the commit: done again after a crash, it is found gone
            file.unlink(missing_ok=True)
    prepared = outbox.forget(connection, now, subject=item)
    return {"published": published, "prepared": prepared, "files": len(standing)}


def _account(
    service: Service,
    connection: sa.Connection,
    subject: str,
    found: Expired,
    totals: Counter[str],
    categories: Counter[str],
) -> None:
    """One line in the register for each item or CVE record that lost something."""
    if not found:
        return
    totals.update(statements=found.statements, versions=found.versions)
    categories.update(found.categories)
    detail = {
        "statements": found.statements,
        "versions": found.versions,
        "categories": dict(sorted(found.categories.items())),
        "releases": found.rebound,
    }
    entry = journal.Entry("purged", subject, detail)
    journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())
