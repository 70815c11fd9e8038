"""The side table of the register: by what a data subject is looked up (AVG art. 15 and 17).

Heaps of keyed hashes (`pii_guard.marks`), each beside the entry that they belong to. Nothing of them is in the
register's chain: `subject erase` and retention delete them.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, instant_text, metadata
from pii_guard.marks import SIZE, Heap
from pii_guard.policy import Policy

subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False, comment="journal.seq"),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False, comment="0, 1, 2, ..."),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("regime", sa.String(40), nullable=False),
    sa.Column("category", sa.String(16), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False, comment="keyed hashes of 16 bytes, in order"),
    sa.Column("mac", sa.LargeBinary(16), nullable=False, comment="of all the others"),
)

_PAGE = 500
_encode = msgspec.json.encode


def insert(connection: sa.Connection, heaps: Iterable[tuple[int, Sequence[Heap]]], key: bytes, at: datetime) -> None:
    """Put heaps beside their entries, in the caller's transaction. `key`: the register's."""
    rows = []
    for entry, those in heaps:
        for part, heap in enumerate(those):
            values = {name: getattr(heap, name) for name in ("regime", "category", "action", "rule", "hashes")}
            row = {"entry": entry, "part": part, "at": at, **values}
            rows.append({**row, "mac": _mac_of(key, row)})
    if rows:
        connection.execute(sa.insert(subjects), rows)


@dataclass(frozen=True, slots=True)
class Lost:
    """What went from the side table: of which entries, and which of those have nothing left."""

    entries: tuple[int, ...] = ()
    bare: tuple[int, ...] = ()


def find(connection: sa.Connection, wanted: Iterable[bytes]) -> list[sa.Row[Any]]:
    """The heaps that hold one of these hashes, in order of their entries."""
    chosen = frozenset(wanted)
    return [row for row in rows(connection) if chosen and not chosen.isdisjoint(_split(row.hashes))]


def entries(connection: sa.Connection) -> set[int]:
    """All entries beside which hashes stand."""
    return set(connection.scalars(sa.select(subjects.c.entry).distinct()))


def erase(connection: sa.Connection, wanted: Iterable[bytes], key: bytes) -> Lost:
    """Take these hashes out."""
    chosen = frozenset(wanted)
    touched = []
    for row in find(connection, chosen):
        left = b"".join(each for each in _split(row.hashes) if each not in chosen)
        mine = (subjects.c.entry == row.entry, subjects.c.part == row.part)
        if left:
            changed = {**row._mapping, "hashes": left}
            connection.execute(sa.update(subjects).where(*mine).values(hashes=left, mac=_mac_of(key, changed)))
        else:
            connection.execute(sa.delete(subjects).where(*mine))
        touched.append(row.entry)
    return _lost(connection, touched)


def expire(connection: sa.Connection, policy: Policy, now: datetime) -> Lost:
    """Delete what has outlived its category's retention under its regime; under one that the policy no longer has, the
    longest of them."""
    columns = subjects.c
    touched: list[int] = []
    for regime, category in connection.execute(sa.select(columns.regime, columns.category).distinct()).all():
        known = [regime] if regime in policy.regimes else list(policy.regimes)
        before = now - max(policy.retention(each, category) for each in known)
        mine = (columns.regime == regime, columns.category == category, columns.at <= before)
        touched += connection.scalars(sa.select(columns.entry).where(*mine))
        connection.execute(sa.delete(subjects).where(*mine))
    return _lost(connection, touched)


def rows(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    """All heaps in order of their entries, in pages."""
    columns = subjects.c
    after = (0, -1)
    while True:
        beyond = sa.or_(columns.entry > after[0], sa.and_(columns.entry == after[0], columns.part > after[1]))
        query = sa.select(subjects).where(beyond).order_by(columns.entry, columns.part).limit(_PAGE)
        page = connection.execute(query).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = (page[-1].entry, page[-1].part)


def is_whole(row: sa.Row[Any], key: bytes) -> bool:
    """Does a heap stand as it was written, where it was written?"""
    return hmac.compare_digest(bytes(row.mac), _mac_of(key, row._mapping)) and len(row.hashes) % SIZE == 0


def _lost(connection: sa.Connection, touched: Sequence[int]) -> Lost:
    entries = sorted(set(touched))
    left: set[int] = set()
    for start in range(0, len(entries), _PAGE):
        some = entries[start : start + _PAGE]
        left.update(connection.scalars(sa.select(subjects.c.entry).where(subjects.c.entry.in_(some))))
    return Lost(tuple(entries), tuple(each for each in entries if each not in left))


def _split(heap: bytes) -> list[bytes]:
    return [heap[at : at + SIZE] for at in range(0, len(heap), SIZE)]


def _mac_of(key: bytes, row: Any) -> bytes:
    own = (row["entry"], row["part"], instant_text(row["at"]), row["regime"], row["category"])
    body = _encode((*own, row["action"], row["rule"], hashlib.blake2b(row["hashes"]).hexdigest()))
    return hashlib.blake2b(body, key=key[:64], digest_size=16, person=b"oktt-heap").digest()
