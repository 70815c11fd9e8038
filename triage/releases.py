"""Releases as they are stored: one a version, beside one that waits for a second person; what of them is out, and under
which labels. `triage.decide` decides on them, and alone makes a Released.
"""

import dataclasses
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

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
_MANY = 500
"""Items, or CVEs, in one question: below SQLite's limit on parameters."""
_ITEMS: sa.BindParameter[list[str]] = sa.bindparam("items", expanding=True)
_ACTIVE = (
    sa.select(releases.c.item, releases.c.decision, inbox.items.c.label)
    .join(inbox.items, inbox.items.c.id == releases.c.item)
    .where(releases.c.item.in_(_ITEMS), releases.c.status == "active")
    .order_by(releases.c.version)
)
_S = inbox.statements.c
_STATED = (
    sa.select(_S.item, _S.key, _S.label, _S.source, inbox.cves.c.cve)
    .select_from(inbox.statements.outerjoin(inbox.cves, inbox.cves.c.statement == _S.key))
    .where(_S.item.in_(_ITEMS))
    .order_by(_S.key)
)
_CVES: sa.BindParameter[list[str]] = sa.bindparam("cves", expanding=True)
_RECORDS = (
    sa.select(inbox.cves.c.cve, _S.key, _S.label)
    .join(inbox.statements, inbox.cves.c.statement == _S.key)
    .where(_S.item.is_(None), inbox.cves.c.cve.in_(_CVES))
)
_to = msgspec.json.Decoder(Decision).decode


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
        "audience": match.readers.serialize(),
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


def ended(connection: sa.Connection, items: Collection[str]) -> dict[tuple[str, int], str]:
    """(item, version) -> `withdrawn` or `superseded`, of what went out of these items and is out no more."""
    columns = releases.c
    query = sa.select(columns.item, columns.version, columns.status)
    mine = (columns.item.in_(list(items)), columns.status.in_(("withdrawn", "superseded")))
    return {(row.item, row.version): row.status for row in connection.execute(query.where(*mine))}


def latest(connection: sa.Connection, item: str, version: int) -> sa.Row[Any] | None:
    """What went out last of an item, up to a version."""
    columns = releases.c
    mine = (columns.item == item, columns.version <= version, columns.status != "pending")
    query = sa.select(releases).where(*mine).order_by(columns.version.desc()).limit(1)
    return connection.execute(query).one_or_none()


def readers(connection: sa.Connection, item: str, before: int) -> BitMap:
    """Whom versions before that one went to."""
    columns = releases.c
    mine = (columns.item == item, columns.version < before, columns.status != "pending")
    stored = connection.scalars(sa.select(columns.audience).where(*mine))
    return BitMap.union(BitMap(), *map(BitMap.deserialize, stored))


def told(connection: sa.Connection, item: str, version: int) -> frozenset[str]:
    """Keys of the statements that went out of a version; empty: nothing did."""
    found = of_version(connection, item, version)
    return frozenset() if found is None else frozenset(msgspec.json.decode(found.decision, type=Decision).only)


def end(connection: sa.Connection, item: str, status: str) -> None:
    """What becomes of what is out."""
    query = releases.update().where(releases.c.item == item, releases.c.status == "active")
    connection.execute(query, {"status": status})


def marks(connection: sa.Connection, item: str, sources: Mapping[str, frozenset[str]]) -> tuple[Marked, ...]:
    """The labels under which an item was published, as they are now; empty: withdrawn, or never released."""
    return marks_of(connection, [item], sources).get(item, ())


def marks_of(
    connection: sa.Connection, items: Sequence[str], sources: Mapping[str, frozenset[str]]
) -> dict[str, tuple[Marked, ...]]:
    """The same of many items; of what was withdrawn, or never released, nothing.

    For each TAXII request: reads no content. While a newer version waits for a decision, what was released stays,
    under the labels of today.
    """
    found: dict[str, tuple[Marked, ...]] = {}
    for start in range(0, len(items), _MANY):
        found |= _marks_of(connection, items[start : start + _MANY], sources)
    return found


def _marks_of(
    connection: sa.Connection, items: Sequence[str], sources: Mapping[str, frozenset[str]]
) -> dict[str, tuple[Marked, ...]]:
    active = {row.item: row for row in connection.execute(_ACTIVE, {"items": items})}
    if not active:
        return {}
    raised = {item: Label(row.label or "CLEAR") for item, row in active.items()}
    decided = {item: _to(row.decision) for item, row in active.items()}
    own: dict[str, dict[str, Marked]] = {item: {} for item in active}
    named: dict[str, dict[str, list[Marked]]] = {item: {} for item in active}
    for each in connection.execute(_STATED, {"items": list(active)}):
        mine = own[each.item]
        mark = mine.get(each.key)
        if mark is None:
            # The source consented to what was released then, not to what another item has brought along since.
            to = frozenset(decided[each.item].to) if each.key in decided[each.item].only else frozenset()
            given = Consent(to, sources.get(each.source, frozenset()))
            mark = mine[each.key] = Marked(each.key, max(Label(each.label), raised[each.item]), given)
        if each.cve is not None:
            named[each.item].setdefault(each.cve, []).append(mark)
    # A CVE record shows which CVEs the others name: it may be seen with any statement that names one of its CVEs, and
    # is as strict as that one at least (filtering.disclosure.marked).
    joined: dict[str, dict[Marked, None]] = {item: {} for item in active}
    facts = _facts(connection, {cve for cves in named.values() for cve in cves})
    for item, cves in named.items():
        for cve, marks in cves.items():
            for key, said in facts.get(cve, ()):
                for mark in marks:
                    joined[item][Marked(key, max(said, raised[item], mark.label), mark.consent)] = None
    return {item: (*own[item].values(), *joined[item]) for item in active}


def _facts(connection: sa.Connection, cves: Collection[str]) -> dict[str, list[tuple[str, Label]]]:
    """The CVE records of these, with their labels, by CVE."""
    found: dict[str, list[tuple[str, Label]]] = {}
    wanted = sorted(cves)
    for start in range(0, len(wanted), _MANY):
        for row in connection.execute(_RECORDS, {"cves": wanted[start : start + _MANY]}):
            found.setdefault(row.cve, []).append((row.key, Label(row.label)))
    return found


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
