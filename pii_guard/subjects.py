"""By what a data subject is looked up (AVG art. 15 and 17): keyed hashes of the values that the door decided on.

A value is brought into one form for its type and hashed with a key of this purpose; the hashes of one statement stand
in the side table `subjects`, in heaps by category, action and rule, beside the register's entry that they belong to.
Nothing of it is in the register's chain: `subject erase` and retention delete it. No hash is made of a BSN or a log-in,
nor under a regime without a basis.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from ingest.columns import Instant, instant_text, metadata
from pii_guard import Action, Category
from pii_guard.forms import Type, is_plain_ipv4, normalised, prefixes
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

SIZE = 16
_PAGE = 500
_encode = msgspec.json.encode
_TYPE_OF: dict[Category, Type] = {
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "mac": "mac",
    "email": "email",
    "phone": "phone",
    "name": "name",
    "iban": "iban",
    "plate": "plate",
    "username": "username",
    "url-personal": "url",
}
"""Of what is looked up; a BSN and a log-in are not among them, whatever the policy says."""


class Heap(Struct, frozen=True):
    """Hashes of what one rule decided alike on."""

    regime: str
    category: Category
    action: Action
    rule: str
    hashes: bytes


class Marks:
    """Hashes of the values of one draft, as the guard decides on them. Holds no value.

    The caller makes one for each draft and hands it to the guard, which says what may be marked at all.
    """

    __slots__ = ("_base", "_heaps", "_regime", "_types")

    def __init__(self, key: bytes) -> None:
        self._base = hashlib.blake2b(key=key[:64], digest_size=SIZE, person=b"oktt-subject")
        self._regime = ""
        self._types: dict[Category, Type] = {}
        self._heaps: dict[tuple[Category, Action, str], set[bytes]] = {}

    def under(self, policy: Policy, regime: str) -> None:
        """Mark what this regime has a basis for and keeps at all. A regime that allows no storage marks nothing."""
        self._regime = regime
        if policy.named(regime).storage_before_guard:
            self._types = {each: kind for each, kind in _TYPE_OF.items() if policy.retention(regime, each)}

    def add(self, category: Category, action: Action, rule: str, value: str) -> None:
        """A value that was decided on."""
        kind = self._types.get(category)
        if kind is None:
            return
        normal = value if category == "ipv4" and is_plain_ipv4(value) else normalised(kind, value)
        if normal is not None:
            heap = self._heaps.get((category, action, rule))
            if heap is None:
                heap = self._heaps[category, action, rule] = set()
            heap.add(self.digest(kind, normal))

    def digest(self, kind: Type, normal: str) -> bytes:
        """The hash of a value in its one form."""
        mine = self._base.copy()
        mine.update(f"{kind}\0{normal}".encode("utf-8", "surrogatepass"))
        return mine.digest()

    def heaps(self) -> tuple[Heap, ...]:
        """What was marked, in order."""
        return tuple(
            Heap(self._regime, category, action, rule, b"".join(sorted(heap)))
            for (category, action, rule), heap in sorted(self._heaps.items(), key=lambda each: each[0])
        )


def hashes(key: bytes, kind: Type, normal: str) -> list[bytes]:
    """Under what a value may stand in the side table; an address also as one of a prefix. Empty: no hash is kept."""
    if kind not in _TYPE_OF.values():
        return []
    marks = Marks(key)
    return [marks.digest(kind, form) for form in (normal, *prefixes(kind, normal))]


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
