"""Releases as they are stored: one a version, beside one that waits for a second person; what of them is out, and under
which labels. `triage.decide` decides on them, and alone makes a Released.
"""

import dataclasses
import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from filtering import Match
from ingest.columns import Instant, metadata
from tlp import Consent, Label, Marked
from triage import Decision, inbox

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("item", sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("decision", sa.LargeBinary, nullable=False),
    sa.Column("audience", sa.LargeBinary, nullable=False),
    sa.Column("bound", sa.String(64), nullable=False, comment="hash of item, label, urgency, policy"),
    sa.Column("shown", sa.String(64), nullable=False, comment="hash of advice and templates"),
    sa.Column("status", sa.String(12), primary_key=True, comment="pending, active, superseded, withdrawn"),
)

_ANY = sa.select(releases.c.version).where(releases.c.item == sa.bindparam("item")).limit(1)
_RECORD = releases.insert()


def record(connection: sa.Connection, decision: Decision, match: Match, shown: str, status: str) -> None:
    # While a second person has to decide, what is out stays out, also of the same version.
    if connection.scalar(_ANY, {"item": decision.item}) is not None:
        drop_pending(connection, decision.item)
        if status == "active":
            _make_way(connection, decision.item, decision.version)
    values = {
        "item": decision.item,
        "version": decision.version,
        "at": decision.at,
        "decision": msgspec.json.encode(decision),
        "audience": match.audience.serialize(),
        "bound": decision.bound,
        "shown": shown,
        "status": status,
    }
    connection.execute(_RECORD, values)


def find(connection: sa.Connection, item: str, status: str) -> sa.Row[Any] | None:
    query = sa.select(releases).where(releases.c.item == item, releases.c.status == status)
    return connection.execute(query.order_by(releases.c.version.desc()).limit(1)).one_or_none()


def consented(connection: sa.Connection, item: str) -> tuple[str, ...]:
    query = sa.select(releases.c.decision).where(releases.c.item == item, releases.c.status.in_(("pending", "active")))
    found = connection.scalar(query.order_by(releases.c.version.desc(), releases.c.status.desc()).limit(1))
    return () if found is None else msgspec.json.decode(found, type=Decision).to


def drop_pending(connection: sa.Connection, item: str) -> None:
    """What never went out leaves no release; the history tells of it."""
    connection.execute(releases.delete().where(releases.c.item == item, releases.c.status == "pending"))


def _make_way(connection: sa.Connection, item: str, version: int) -> None:
    """For what becomes active: one release a version, beside one that waits for a second person."""
    columns = releases.c
    mine = (columns.item == item, columns.version == version, columns.status != "pending")
    connection.execute(releases.delete().where(*mine))
    end(connection, item, "superseded")


def out(connection: sa.Connection, items: Collection[str]) -> set[str]:
    """Those of these items of which something is out, also while a newer version waits for a decision."""
    mine = (releases.c.item.in_(list(items)), releases.c.status == "active")
    return set(connection.scalars(sa.select(releases.c.item).where(*mine)))


def activate(connection: sa.Connection, item: str, version: int, now: datetime) -> None:
    """What waited for a second person goes out."""
    _make_way(connection, item, version)
    mine = (releases.c.item == item, releases.c.status == "pending")
    connection.execute(releases.update().where(*mine).values(status="active", at=now))


def of_version(connection: sa.Connection, item: str, version: int) -> sa.Row[Any] | None:
    """What went out of a version, whatever became of it since."""
    columns = releases.c
    mine = (columns.item == item, columns.version == version, columns.status != "pending")
    return connection.execute(sa.select(releases).where(*mine)).one_or_none()


def told(connection: sa.Connection, item: str, version: int) -> frozenset[str]:
    """Keys of the statements that went out of a version; empty: nothing did."""
    found = of_version(connection, item, version)
    return frozenset() if found is None else frozenset(msgspec.json.decode(found.decision, type=Decision).only)


def end(connection: sa.Connection, item: str, status: str) -> None:
    """What becomes of what is out."""
    query = releases.update().where(releases.c.item == item, releases.c.status == "active")
    connection.execute(query, {"status": status})


def marks(connection: sa.Connection, item: str, sources: Mapping[str, frozenset[str]]) -> tuple[Marked, ...]:
    """The labels under which an item was published, as they are now; empty: withdrawn, or never released.

    For each TAXII request: reads no content. While a newer version waits for a decision, what was released stays,
    under the labels of today.
    """
    active = find(connection, item, "active")
    if active is None:
        return ()
    raised = Label(inbox.row(connection, item).label or "CLEAR")
    consent = frozenset(msgspec.json.decode(active.decision, type=Decision).to)
    table = inbox.statements.c
    columns = sa.select(table.key, table.label, table.source, inbox.cves.c.cve).select_from(
        inbox.statements.outerjoin(inbox.cves, inbox.cves.c.statement == table.key)
    )
    own: dict[str, Marked] = {}
    named: dict[str, dict[str, Marked]] = {}
    for each in connection.execute(columns.where(table.item == item)):
        mark = Marked(each.key, max(Label(each.label), raised), Consent(consent, sources.get(each.source, frozenset())))
        own[each.key] = mark
        if each.cve is not None:
            named.setdefault(each.cve, {})[each.key] = mark
    # A CVE record shows which CVEs the others name: it may be seen with any statement that names one of its CVEs, and
    # is as strict as that one at least (filtering.disclosure.marked).
    joined: dict[Marked, None] = {}
    if named:
        for each in connection.execute(columns.where(table.item.is_(None), inbox.cves.c.cve.in_(named))):
            for mark in named[each.cve].values():
                label = max(Label(each.label), raised, mark.label)
                joined[Marked(each.key, label, mark.consent)] = None
    return (*own.values(), *joined)


def standing(connection: sa.Connection, *, since: datetime | None = None, until: datetime | None = None) -> list[str]:
    """Ids of items of which a release stands, oldest first; released from `since` up to, not including, `until`.

    Also those of which more was said since, while nobody has decided on that (docs/decisions/008).
    """
    query = sa.select(releases.c.item).join(inbox.items, inbox.items.c.id == releases.c.item)
    open_again = sa.and_(inbox.items.c.state.in_(("new", "claimed", "held", "pending")), ~inbox.items.c.reserved)
    query = query.where(releases.c.status == "active", sa.or_(inbox.items.c.state == "released", open_again))
    query = query.order_by(releases.c.at, releases.c.item)
    if since is not None:
        query = query.where(releases.c.at >= since)
    if until is not None:
        query = query.where(releases.c.at < until)
    return list(connection.scalars(query))


def void(connection: sa.Connection, looks: Collection[str], since: datetime) -> list[str]:
    """Ids of items released since then whose release was for another look: advice or templates that changed after."""
    columns = releases.c
    query = sa.select(columns.item).join(inbox.items, inbox.items.c.id == columns.item)
    mine = (columns.status == "active", columns.at >= since, columns.shown.not_in(list(looks)))
    return list(connection.scalars(query.where(*mine, inbox.items.c.state == "released").order_by(columns.item)))


def decisions(connection: sa.Connection) -> Iterator[tuple[str, Decision]]:
    """(status, decision) of all releases: why, in the words of who decided."""
    for row in connection.execute(sa.select(releases.c.status, releases.c.decision).order_by(releases.c.item)):
        yield row.status, msgspec.json.decode(row.decision, type=Decision)


def reword(connection: sa.Connection, status: str, decision: Decision) -> None:
    """Another reason for the same decision."""
    columns = releases.c
    mine = (columns.item == decision.item, columns.version == decision.version, columns.status == status)
    connection.execute(releases.update().where(*mine), {"decision": msgspec.json.encode(decision)})


def fingerprint(decision: Decision) -> str:
    """Hash of what was decided: not of words and accounts, out of which a person may be taken, nor of what it was bound
    to, which follows from the item."""
    same = dataclasses.replace(decision, act="release", reason="", os_user="", bound="")
    said = msgspec.json.encode(same, order="deterministic")
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def delete(connection: sa.Connection, item: str) -> None:
    """Delete what was decided about an item whose retention has ended."""
    connection.execute(releases.delete().where(releases.c.item == item))
