"""The processing register (AVG art. 30): what was admitted, refused, decided, sent, published, purged and erased; in a
hash chain.

An entry's detail is committed to with a salt of its own, and the chain holds only the commitment: a detail (and its
salt) can be erased lawfully without breaking the chain, and nobody can tell what it was. An entry says what was erased,
so that what anybody else erased shows (`pii_guard.audit`). Details hold ids, counts, pointers and rules; never values.
By what a person is looked up stands beside it (`pii_guard.subjects`).
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from ingest.columns import Instant, instant_text, metadata
from pii_guard import Finding, GuardError, Item, Refused, subjects
from pii_guard.marks import Heap, Marks
from pii_guard.policy import Policy
from pii_guard.vault import Vault, month_of

What = Literal["admitted", "refused", "decided", "sent", "published", "purged", "erased", "opened", "rotated"]

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
MOST = 300
"""Rows of findings in one entry."""
_INDEX = re.compile(r"^/objects/\d+")
_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Entry(Struct, frozen=True):
    """One line of the register."""

    what: What
    subject: str
    """A statement key, an item, a delivery, a document: an id, never a value."""
    detail: dict[str, Any] = {}
    """Facts without values: regime, policy, rule, counts."""
    values: tuple[Heap, ...] = ()
    """Hashes for the side table."""


def admitted(item: Item, marks: Marks | None = None) -> list[Entry]:
    """What the register holds of an item as it was guarded: one entry for its statement. `marks`: of its values."""
    entries = [
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
                **counts(statement.findings),
            },
        )
        for statement in (*item.statements, *item.facts)
    ]
    if marks is not None and (heaps := marks.heaps()):
        (entry,), (statement,) = entries, item.statements
        where = {"source": statement.source, "month": month_of(statement.received_at)}
        heaps = tuple(msgspec.structs.replace(each, **where) for each in heaps)
        entries = [Entry(entry.what, entry.subject, {**entry.detail, "values": len(heaps)}, heaps)]
    return entries


def refused(answer: Refused, subject: str, source: str) -> Entry:
    """What the register holds of a refusal by the guard. `subject`: the document's key."""
    detail = {"source": source, "stage": answer.stage, "reason": answer.reason, **counts(answer.findings)}
    return Entry("refused", subject, detail)


def counts(findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings by pointer, category, role, action and rule, with how many; and the bases of the rules, in words.

    One object of a kind stands for all: `/objects/*`. Beyond MOST, pointers are left out.
    """
    summed: Counter[tuple[str, str, str, str, str]] = Counter()
    for each in findings:
        path = _INDEX.sub("/objects/*", each.path)
        summed[path, each.category, each.role, each.action, each.rule] += each.count
    if len(summed) > MOST:
        whole: Counter[tuple[str, str, str, str, str]] = Counter()
        for (_, category, role, action, rule), count in summed.items():
            whole["*", category, role, action, rule] += count
        summed = whole
    names = ("path", "category", "role", "action", "rule")
    rows = [dict(zip((*names, "count"), (*key, count), strict=True)) for key, count in sorted(summed.items())]
    return {"findings": rows, "bases": {each.rule: each.basis for each in findings}}


def append(
    connection: sa.Connection,
    entries: Sequence[Entry],
    *,
    key: bytes,
    at: datetime,
    vault: Vault | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> None:
    """Add entries in the caller's transaction; hashes beside them sealed by `vault`. Writers queue: the chain has one
    end.

    On PostgreSQL by a lock that the transaction's end gives back; SQLite has one writer anyway.
    """
    if not entries:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    end = last(connection)
    seq, prev = (end.seq, end.hash) if end is not None else (0, START)
    salts, moment = random(_SALT * len(entries)), instant_text(at)
    rows = []
    for number, entry in enumerate(entries):
        seq += 1
        detail, salt = _encode(entry.detail), salts[number * _SALT : (number + 1) * _SALT]
        commitment = committed(detail, salt)
        mine = link(key, seq, moment, entry.what, entry.subject, commitment, prev)
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
    first = seq - len(entries) + 1
    heaps = ((first + n, each.values) for n, each in enumerate(entries))
    subjects.insert(connection, heaps, vault or Vault(), short(key), at)


def export(connection: sa.Connection, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Entries in order, as rows for NDJSON; `erased` where the detail is gone."""
    for row in rows(connection, since):
        yield {
            "seq": row.seq,
            "at": instant_text(row.at),
            "what": row.what,
            "subject": row.subject,
            "detail": None if row.detail is None else _decode(row.detail),
            "erased": row.detail is None,
            "hash": row.hash,
        }


def find(connection: sa.Connection, seq: int) -> sa.Row[Any] | None:
    """One entry as it stands."""
    return connection.execute(sa.select(journal).where(journal.c.seq == seq)).one_or_none()


def about(connection: sa.Connection, what: What, subject: str, until: datetime) -> Iterator[sa.Row[Any]]:
    """Entries of a kind about something, up to and with a moment."""
    mine = (journal.c.what == what, journal.c.subject == subject, journal.c.at <= until)
    yield from connection.execute(sa.select(journal).where(*mine).order_by(journal.c.seq))


def told(
    connection: sa.Connection, acts: Sequence[What], subjects: Sequence[str], since: datetime
) -> list[dict[str, Any]]:
    """Details of what was done about these since then; of those that were erased, none."""
    mine = (journal.c.what.in_(acts), journal.c.subject.in_(subjects), journal.c.at >= since)
    found = connection.scalars(sa.select(journal.c.detail).where(*mine).order_by(journal.c.seq))
    return [{} if each is None else _decode(each) for each in found]


def erase(
    connection: sa.Connection,
    entry: Entry,
    *,
    details: Sequence[int],
    values: Sequence[int] = (),
    key: bytes,
    at: datetime,
) -> int:
    """Erase details with their salts (AVG art. 17), and say so; the chain still verifies. Returns how many there were.

    `values`: entries of which hashes were taken out of the side table in this transaction.
    """
    erased: list[int] = []
    for start in range(0, len(details), _BATCH):
        mine = (journal.c.seq.in_(details[start : start + _BATCH]), journal.c.detail.is_not(None))
        erased += connection.scalars(sa.select(journal.c.seq).where(*mine, journal.c.what != "erased"))
        connection.execute(sa.update(journal).where(*mine, journal.c.what != "erased").values(detail=None, salt=None))
    if erased or values:
        told = {**entry.detail, "details": ranges(erased), "values": ranges(values)}
        append(connection, [msgspec.structs.replace(entry, detail=told)], key=key, at=at)
    return len(erased)


def forget(
    connection: sa.Connection, hashes: Sequence[bytes], entry: Entry, *, vault: Vault, key: bytes, at: datetime
) -> int:
    """Take a person's hashes out of the side table; the detail of an entry goes with its last one. How many entries."""
    lost = subjects.erase(connection, hashes, vault, short(key))
    erase(connection, entry, details=lost.bare, values=lost.entries, key=key, at=at)
    return len(lost.entries)


def expire(connection: sa.Connection, policy: Policy, *, key: bytes, at: datetime) -> tuple[int, int]:
    """Retention: hashes by regime and category, details with the items of their regime. How many entries lost any."""
    lost = subjects.expire(connection, policy, at)
    entry = Entry("erased", "retention")
    return len(lost.entries), erase(
        connection, entry, details=list(_outlived(connection, policy, at)), values=lost.entries, key=key, at=at
    )


def shred(connection: sa.Connection, source: str, month: str, *, key: bytes, at: datetime) -> int:
    """The hashes of a source and month go with their key. Of how many entries."""
    lost = subjects.shred(connection, source, month)
    erase(connection, Entry("erased", "retention"), details=(), values=lost.entries, key=key, at=at)
    return len(lost.entries)


def close(connection: sa.Connection, vault: Vault, *, key: bytes) -> int:
    """Seal hashes that lie open from earlier versions; how many heaps. An entry whose detail is gone has no source."""

    def source(seq: int) -> str:
        found = connection.scalar(sa.select(journal.c.detail).where(journal.c.seq == seq))
        return "" if found is None else str(_decode(found).get("source", ""))

    return subjects.close(connection, vault, short(key), source)


def rewrap(connection: sa.Connection, vault: Vault, source: str, month: str, *, key: bytes) -> None:
    """The hashes of a source and month come under its newest key."""
    subjects.rewrap(connection, vault, source, month, short(key))


def _outlived(connection: sa.Connection, policy: Policy, now: datetime) -> Iterator[int]:
    """Entries whose details are too old; what is of no regime, or of one that is no more, goes with the longest."""
    days = {regime: policy.retention(regime) for regime in policy.regimes}
    longest = max(days.values())
    columns = (journal.c.seq, journal.c.at, journal.c.detail)
    old = (journal.c.at <= now - min(days.values()), journal.c.detail.is_not(None), journal.c.what != "erased")
    for row in connection.execute(sa.select(*columns).where(*old).order_by(journal.c.seq)):
        if row.at <= now - days.get(_decode(row.detail).get("regime", ""), longest):
            yield row.seq


def ranges(seqs: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """1, 2, 3, 7 as (1, 3), (7, 7)."""
    made: list[tuple[int, int]] = []
    for seq in sorted(set(seqs)):
        if made and seq == made[-1][1] + 1:
            made[-1] = (made[-1][0], seq)
        else:
            made.append((seq, seq))
    return tuple(made)


def committed(detail: bytes, salt: bytes) -> str:
    """What the chain holds of a detail."""
    return hashlib.blake2b(detail, key=salt, digest_size=32, person=b"oktt-detail").hexdigest()


def link(key: bytes, seq: int, at: str, what: str, subject: str, commitment: str, prev: str) -> str:
    """What ties an entry to the one before it."""
    body = _encode((seq, at, what, subject, commitment, prev))
    return hashlib.blake2b(body, key=short(key), digest_size=32, person=b"oktt-journal").hexdigest()


def short(key: bytes) -> bytes:
    """BLAKE2b takes at most 64 bytes of key."""
    if not key:
        raise GuardError("the register needs a key: run `oktt init`, or set [keys] in oktt.toml")
    return key if len(key) <= 64 else hashlib.blake2b(key).digest()


def last(connection: sa.Connection) -> Any:
    """Sequence number and hash of the last entry; None: there is none."""
    return connection.execute(
        sa.select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()).limit(1)
    ).one_or_none()


def rows(connection: sa.Connection, since: datetime | None = None) -> Iterator[Any]:
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
