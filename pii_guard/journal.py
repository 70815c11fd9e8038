"""The processing register (AVG art. 30): what was admitted, refused, decided, sent and purged; in a keyed hash chain.

An entry's detail is committed to with a salt of its own, and the chain holds only the commitment: a detail (and its
salt) can be erased lawfully without breaking the chain, and nobody can tell what it was. `head` gives signed bytes to
keep beside the database, so that cutting off the end shows. Details hold ids, counts and rules; never values.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from ingest.columns import Instant, instant_text, metadata
from pii_guard import Finding, GuardError, Item, Refused

What = Literal["admitted", "refused", "decided", "sent", "purged"]

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without gaps"),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False, index=True, comment="id of what it is about"),
    sa.Column("detail", sa.LargeBinary, comment="JSON; null: erased, with its salt"),
    sa.Column("salt", sa.LargeBinary),
    sa.Column("commitment", sa.String(64), nullable=False, comment="hash of salt and detail"),
    sa.Column("prev", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, comment="keyed hash of all but detail and salt"),
)

START = "0" * 64
"""What the first entry follows."""
_SALT = 16
_LOCK = 0x6F6B7474_6A72  # any number that no other lock uses
_BATCH = 2000
_encode = msgspec.json.encode


class Entry(Struct, frozen=True):
    """One line of the register."""

    what: What
    subject: str
    """A statement key, an item, a delivery, a document: an id, never a value."""
    detail: dict[str, Any] = {}
    """Facts without values: regime, policy, rule, counts."""


class Report(Struct, frozen=True):
    """What `verify` found. `problem` is empty when the register is whole."""

    ok: bool
    entries: int
    erased: int = 0
    """Details that were erased; the chain holds without them."""
    broken_at: int | None = None
    """The first sequence number that does not fit."""
    truncated: bool = False
    problem: str = ""


def admitted(item: Item) -> list[Entry]:
    """What the register holds of a guarded item: one entry a statement."""
    return [
        Entry(
            "admitted",
            statement.key,
            {
                "source": statement.source,
                "kind": statement.kind,
                "regime": statement.regime,
                "policy": statement.policy,
                "label": statement.label.value,
                "holds": list(statement.holds),
                "findings": counts(statement.findings),
            },
        )
        for statement in (*item.statements, *item.facts)
    ]


def refused(answer: Refused, subject: str, source: str) -> Entry:
    """What the register holds of a refusal by the guard. `subject`: the document's key."""
    detail = {"source": source, "stage": answer.stage, "reason": answer.reason, "findings": counts(answer.findings)}
    return Entry("refused", subject, detail)


def counts(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings by category, role, action and rule, with how many; paths stay with the item."""
    summed: dict[tuple[str, str, str, str], int] = {}
    for finding in findings:
        key = (finding.category, finding.role, finding.action, finding.rule)
        summed[key] = summed.get(key, 0) + finding.count
    return [
        {"category": category, "role": role, "action": action, "rule": rule, "count": count}
        for (category, role, action, rule), count in sorted(summed.items())
    ]


def append(
    connection: sa.Connection,
    entries: Sequence[Entry],
    *,
    key: bytes,
    at: datetime,
    random: Callable[[int], bytes] = os.urandom,
) -> None:
    """Add entries in the caller's transaction. Writers queue: the chain has one end.

    On PostgreSQL by a lock that the transaction's end gives back; SQLite has one writer anyway.
    """
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    last = _last(connection)
    seq, prev = (last.seq, last.hash) if last is not None else (0, START)
    salts, moment = random(_SALT * len(entries)), instant_text(at)
    rows = []
    for number, entry in enumerate(entries):
        seq += 1
        detail, salt = _encode(entry.detail), salts[number * _SALT : (number + 1) * _SALT]
        commitment = hashlib.blake2b(detail, key=salt, digest_size=32, person=b"oktt-detail").hexdigest()
        mine = _link(key, seq, moment, entry.what, entry.subject, commitment, prev)
        rows.append(
            {
                "seq": seq,
                "at": at,
                "what": entry.what,
                "subject": entry.subject,
                "detail": detail,
                "salt": salt,
                "commitment": commitment,
                "prev": prev,
                "hash": mine,
            }
        )
        prev = mine
    connection.execute(sa.insert(journal), rows)


def head(connection: sa.Connection, *, key: bytes) -> bytes:
    """`SEQ HASH MAC` of the last entry, for keeping beside the database; `0 000... MAC` while there is none."""
    last = _last(connection)
    seq, mine = (last.seq, last.hash) if last is not None else (0, START)
    return f"{seq} {mine} {_sign(key, seq, mine)}\n".encode()


def verify(connection: sa.Connection, *, key: bytes, head: bytes | None = None) -> Report:
    """Recompute the whole chain and hold it against a head that was kept.

    Tells what was erased (allowed: detail and salt are both gone) from what was changed, and shows a cut-off end.
    """
    kept = None
    if head is not None:
        kept = _read_head(head, key)
        if kept is None:
            return Report(False, 0, problem="the kept head is not signed with this key")
    seq, prev, erased = 0, START, 0
    for row in _rows(connection):
        problem = _problem(row, seq + 1, prev, key)
        if not problem and kept is not None and row.seq == kept[0] and row.hash != kept[1]:
            problem = "is not the entry that the kept head names"
        if problem:
            return Report(False, seq, erased, row.seq, problem=f"entry {row.seq} {problem}")
        seq, prev = row.seq, row.hash
        erased += row.detail is None
    if kept is not None and kept[0] > seq:
        problem = f"entries {seq + 1} to {kept[0]} were cut off"
        return Report(False, seq, erased, seq + 1, truncated=True, problem=problem)
    return Report(True, seq, erased)


def export(connection: sa.Connection, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Entries in order, as rows for NDJSON; `erased` where the detail is gone."""
    for row in _rows(connection, since):
        yield {
            "seq": row.seq,
            "at": instant_text(row.at),
            "what": row.what,
            "subject": row.subject,
            "detail": None if row.detail is None else msgspec.json.decode(row.detail),
            "erased": row.detail is None,
            "hash": row.hash,
        }


def erase_detail(connection: sa.Connection, seqs: Sequence[int]) -> int:
    """Erase details with their salts (AVG art. 17); the chain still verifies. Returns how many there were."""
    found = connection.execute(
        sa.update(journal)
        .where(journal.c.seq.in_(list(seqs)), journal.c.detail.is_not(None))
        .values(detail=None, salt=None)
    )
    return found.rowcount


def _problem(row: Any, expected: int, prev: str, key: bytes) -> str:
    """What is wrong with one row, in words; empty: nothing."""
    if row.seq != expected:
        return f"follows {expected - 1}: entries between them are missing"
    if row.prev != prev:
        return "does not follow the entry before it"
    if row.hash != _link(key, row.seq, instant_text(row.at), row.what, row.subject, row.commitment, prev):
        return "was changed, or written with another key"
    if (row.detail is None) != (row.salt is None):
        return "is only half erased"
    if row.detail is not None:
        mine = hashlib.blake2b(row.detail, key=row.salt, digest_size=32, person=b"oktt-detail").hexdigest()
        if not hmac.compare_digest(mine, row.commitment):
            return "has another detail than was written"
    return ""


def _link(key: bytes, seq: int, at: str, what: str, subject: str, commitment: str, prev: str) -> str:
    body = _encode((seq, at, what, subject, commitment, prev))
    return hashlib.blake2b(body, key=_short(key), digest_size=32, person=b"oktt-journal").hexdigest()


def _sign(key: bytes, seq: int, mine: str) -> str:
    return hashlib.blake2b(f"{seq} {mine}".encode(), key=_short(key), digest_size=32, person=b"oktt-head").hexdigest()


def _short(key: bytes) -> bytes:
    """BLAKE2b takes at most 64 bytes of key."""
    if not key:
        raise GuardError("the register needs a key: run `oktt init`, or set [keys] in oktt.toml")
    return key if len(key) <= 64 else hashlib.blake2b(key).digest()


def _read_head(kept: bytes, key: bytes) -> tuple[int, str] | None:
    """Sequence number and hash of a head; None: it is not one that this key signed."""
    parts = kept.decode("ascii", "replace").split()
    if len(parts) != 3 or not parts[0].isdigit():
        return None
    seq, mine, mac = int(parts[0]), parts[1], parts[2]
    return (seq, mine) if hmac.compare_digest(mac.encode(), _sign(key, seq, mine).encode()) else None


def _last(connection: sa.Connection) -> Any:
    return connection.execute(
        sa.select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()).limit(1)
    ).one_or_none()


def _rows(connection: sa.Connection, since: datetime | None = None) -> Iterator[Any]:
    """All rows in order, in pages: a register is longer than memory."""
    after = 0
    while True:
        query = sa.select(journal).where(journal.c.seq > after).order_by(journal.c.seq).limit(_BATCH)
        if since is not None:
            query = query.where(journal.c.at >= since)
        page = connection.execute(query).all()
        if not page:
            return
        yield from page
        after = page[-1].seq
