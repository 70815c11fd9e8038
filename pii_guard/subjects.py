"""The side table of the register: by what a data subject is looked up (AVG art. 15 and 17).

Heaps of keyed hashes (`pii_guard.marks`), each beside the entry that they belong to, sealed by source and month: who
has the instance key alone cannot try values on them, and with a month's key go its heaps. Nothing of them is in the
register's chain: `subject erase` and retention delete them.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, instant_text, metadata
from pii_guard.marks import SIZE, Heap
from pii_guard.policy import Policy
from pii_guard.vault import Vault, month_of

subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("entry", sa.BigInteger, primary_key=True, autoincrement=False, comment="journal.seq"),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False, comment="0, 1, 2, ..."),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("month", sa.String(7), nullable=False, comment="of receipt: whose key seals the hashes"),
    sa.Column("regime", sa.String(40), nullable=False),
    sa.Column("category", sa.String(16), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False, comment="how many hashes"),
    sa.Column("hashes", sa.LargeBinary, nullable=False, comment="keyed hashes of 16 bytes, in order, sealed"),
    sa.Column("mac", sa.LargeBinary(16), nullable=False, comment="of all the others"),
)

_OF_HEAP = ("source", "month", "regime", "category", "action", "rule")
_OPEN = ""
"""The month of what lies there from before hashes were sealed."""
_PAGE = 500
_encode = msgspec.json.encode


def insert(
    connection: sa.Connection, heaps: Iterable[tuple[int, Sequence[Heap]]], vault: Vault, key: bytes, at: datetime
) -> None:
    """Put heaps beside their entries, in the caller's transaction. `key`: the register's."""
    rows = []
    for entry, those in heaps:
        for part, heap in enumerate(those):
            values = {name: getattr(heap, name) for name in _OF_HEAP}
            rows.append(_sealed(vault, key, {"entry": entry, "part": part, "at": at, **values}, heap.hashes))
    if rows:
        connection.execute(sa.insert(subjects), rows)


@dataclass(frozen=True, slots=True)
class Lost:
    """What went from the side table: of which entries, and which of those have nothing left."""

    entries: tuple[int, ...] = ()
    bare: tuple[int, ...] = ()


def find(connection: sa.Connection, wanted: Iterable[bytes], vault: Vault) -> list[sa.Row[Any]]:
    """The heaps that hold one of these hashes, in order of their entries. Those whose key was destroyed say nothing."""
    chosen = frozenset(wanted)
    return [row for row in rows(connection) if chosen and not chosen.isdisjoint(_split(connection, row, vault))]


def entries(connection: sa.Connection) -> set[int]:
    """All entries beside which hashes stand."""
    return set(connection.scalars(sa.select(subjects.c.entry).distinct()))


def erase(connection: sa.Connection, wanted: Iterable[bytes], vault: Vault, key: bytes) -> Lost:
    """Take these hashes out."""
    chosen = frozenset(wanted)
    touched = []
    for row in find(connection, chosen, vault):
        left = b"".join(each for each in _split(connection, row, vault) if each not in chosen)
        mine = (subjects.c.entry == row.entry, subjects.c.part == row.part)
        if left:
            connection.execute(sa.update(subjects).where(*mine), _sealed(vault, key, dict(row._mapping), left))
        else:
            connection.execute(sa.delete(subjects).where(*mine))
        touched.append(row.entry)
    return _lost(connection, touched)


def rewrap(connection: sa.Connection, vault: Vault, source: str, month: str, key: bytes) -> None:
    """What lies under an earlier key of that source and month comes under the newest."""
    for row in connection.execute(sa.select(subjects).where(*_of(source, month))).all():
        made = vault.rewrapped(source, month, row.hashes)
        if made is not None:
            values = {"hashes": made, "mac": _mac_of(key, {**row._mapping, "hashes": made})}
            mine = (subjects.c.entry == row.entry, subjects.c.part == row.part)
            connection.execute(sa.update(subjects).where(*mine), values)


def close(connection: sa.Connection, vault: Vault, key: bytes, source: Callable[[int], str]) -> int:
    """Seal what lies open from earlier versions; how many rows. `source`: of an entry."""
    old = connection.execute(sa.select(subjects).where(subjects.c.month == _OPEN)).all()
    for row in old:
        values = {**row._mapping, "source": source(row.entry), "month": month_of(row.at)}
        mine = (subjects.c.entry == row.entry, subjects.c.part == row.part)
        connection.execute(sa.update(subjects).where(*mine), _sealed(vault, key, values, row.hashes))
    return len(old)


def shred(connection: sa.Connection, source: str, month: str) -> Lost:
    """Delete all of a source and month, whose key is destroyed."""
    touched = connection.scalars(sa.select(subjects.c.entry).where(*_of(source, month))).all()
    connection.execute(sa.delete(subjects).where(*_of(source, month)))
    return _lost(connection, touched)


def sources(connection: sa.Connection) -> set[str]:
    """Of which sources heaps stand here."""
    return set(connection.scalars(sa.select(subjects.c.source).distinct()))


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
    return hmac.compare_digest(bytes(row.mac), _mac_of(key, row._mapping))


def _lost(connection: sa.Connection, touched: Sequence[int]) -> Lost:
    entries = sorted(set(touched))
    left: set[int] = set()
    for start in range(0, len(entries), _PAGE):
        some = entries[start : start + _PAGE]
        left.update(connection.scalars(sa.select(subjects.c.entry).where(subjects.c.entry.in_(some))))
    return Lost(tuple(entries), tuple(each for each in entries if each not in left))


def _of(source: str, month: str) -> tuple[sa.ColumnElement[bool], ...]:
    return subjects.c.source == source, subjects.c.month == month


def _bound(row: Mapping[str, Any]) -> tuple[str, ...]:
    return ("subjects", row["regime"], row["category"], row["action"], row["rule"])


def _sealed(vault: Vault, key: bytes, row: dict[str, Any], hashes: bytes) -> dict[str, Any]:
    """The row with these hashes: sealed, and with its MAC."""
    sealed = vault.lock(row["source"], row["month"], _bound(row), hashes)
    made = {**row, "size": len(hashes) // SIZE, "hashes": sealed}
    return {**made, "mac": _mac_of(key, made)}


def _split(connection: sa.Connection, row: sa.Row[Any], vault: Vault) -> list[bytes]:
    def again() -> list[bytes]:  # outside of this transaction, which may see the moment before
        mine = (subjects.c.entry == row.entry, subjects.c.part == row.part)
        with connection.engine.connect().execution_options(readonly=True) as other:
            return list(other.scalars(sa.select(subjects.c.hashes).where(*mine)))

    sealed = (row.source, row.month, _bound(dict(row._mapping)), row.hashes, again)
    heap = (row.hashes if row.month == _OPEN else vault.unlock(*sealed)) or b""
    return [heap[at : at + SIZE] for at in range(0, len(heap), SIZE)]


def _mac_of(key: bytes, row: Any) -> bytes:
    where = () if row["month"] == _OPEN else (row["source"], row["month"], row["size"])
    own = (row["entry"], row["part"], instant_text(row["at"]), row["regime"], row["category"])
    whole = _encode((*own, row["action"], row["rule"], hashlib.blake2b(row["hashes"]).hexdigest(), *where))
    return hashlib.blake2b(whole, key=key[:64], digest_size=16, person=b"oktt-heap").digest()
