"""Is the register whole? The chain recomputed, the side table held against it, and its end against a signed head.

A head can lie anywhere: with the data protection officer, in a mail, at a time stamping service. Whoever has it and the
public key can tell that it is ours; whoever has it and the register can tell that nothing before it was changed or cut.
"""

import base64
import hashlib
import hmac
import re
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from ingest.columns import instant_text
from pii_guard import journal, subjects

_FIRST = re.compile(r"oktt-head/1 ([0-9]{1,18}) ([0-9a-f]{64})").fullmatch
_decode = msgspec.json.decode


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
    values: int = 0
    """Hashes of values in the side table, which were checked too."""


class Head(Struct, frozen=True):
    """The end of the register at some moment, signed (Ed25519, RFC 8032)."""

    seq: int
    hash: str
    key: str
    """Public key: base64 of its SubjectPublicKeyInfo (RFC 8410), as between the two lines of a PEM file."""
    signature: str
    """Base64, of the first line of `text` without its end."""

    @property
    def fingerprint(self) -> str:
        """Of the public key: SHA-256 of the same bytes."""
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def signed(self) -> str:
        """What the signature is of."""
        return f"oktt-head/1 {self.seq} {self.hash}"

    @property
    def text(self) -> bytes:
        """For keeping elsewhere."""
        lines = (self.signed, f"signature {self.signature}", f"key {self.key}", f"fingerprint {self.fingerprint}")
        return "".join(f"{line}\n" for line in lines).encode()


def head(connection: sa.Connection, *, key: bytes) -> Head:
    """The last entry, signed: for keeping where who can write to the database cannot."""
    end = journal.last(connection)
    seq, mine = (end.seq, end.hash) if end is not None else (0, journal.START)
    signer = _signer(key)
    unsigned = Head(seq, mine, _public(signer), "")
    signature = base64.b64encode(signer.sign(unsigned.signed.encode())).decode()
    return msgspec.structs.replace(unsigned, signature=signature)


def verify(connection: sa.Connection, *, key: bytes, head: bytes | None = None) -> Report:
    """Recompute the whole chain and hold it against a head that was kept; and the side table against the chain.

    Tells what was erased (allowed: detail and salt are both gone, and an entry says so) from what was changed, and
    shows a cut-off end. Of hashes in the side table it shows what was changed, added or moved, and what is missing and
    was not erased.
    """
    kept = None
    if head is not None:
        kept = _read(head, key)
        if kept is None:
            return Report(False, 0, problem="the kept head is not signed with the key of this register")
    seq, prev, bare, told = 0, journal.START, list[int](), _Told()
    heaps = _Heaps(connection, key)
    for row in journal.rows(connection):
        problem = _problem(row, seq + 1, prev, key)
        if not problem and kept is not None and row.seq == kept[0] and row.hash != kept[1]:
            problem = "is not the entry that the kept head names"
        if problem:
            return Report(False, seq, len(bare), row.seq, problem=f"entry {row.seq} {problem}")
        seq, prev = row.seq, row.hash
        if row.detail is None:
            bare.append(seq)
        elif row.what == "erased":
            told.add(_decode(row.detail))
        heaps.pass_by(row)
    if kept is not None and kept[0] > seq:
        problem = f"entries {seq + 1} to {kept[0]} were cut off"
        return Report(False, seq, len(bare), seq + 1, truncated=True, problem=problem)
    wrong = heaps.finish()
    wrong += [
        (each, "lost its detail, and no entry says that it was erased") for each in bare if each not in told.details
    ]
    wrong += [
        (each, "misses hashes of values, and no entry says that they were erased")
        for each in heaps.missing
        if each not in told.values
    ]
    if wrong:
        at, problem = min(wrong)
        return Report(False, seq, len(bare), at, problem=f"entry {at} {problem}", values=heaps.count)
    return Report(True, seq, len(bare), values=heaps.count)


def entry(connection: sa.Connection, what: journal.What, subject: str, *, key: bytes) -> tuple[Any, str]:
    """The last entry of a kind about a subject, held against its neighbours in the chain.

    (Row or None, what is wrong with it; empty: nothing.)
    """
    rows = journal.journal.c
    mine = sa.select(journal.journal).where(rows.what == what, rows.subject == subject).order_by(rows.seq.desc())
    row = connection.execute(mine.limit(1)).one_or_none()
    return (None, "is missing") if row is None else (row, trouble(connection, row, key=key))


def trouble(connection: sa.Connection, row: sa.Row[Any], *, key: bytes) -> str:
    """What is wrong with an entry, held against its neighbours in the chain, in words; empty: nothing."""
    rows = journal.journal.c
    before = connection.scalar(sa.select(rows.hash).where(rows.seq == row.seq - 1))
    problem = _problem(row, row.seq, before or journal.START, key)
    after = connection.scalar(sa.select(rows.prev).where(rows.seq == row.seq + 1))
    problem = problem or ("" if after in (None, row.hash) else "is not followed by the entry after it")
    if not problem and row.detail is None:
        told = _Told()
        for detail in connection.scalars(sa.select(rows.detail).where(rows.what == "erased", rows.detail.is_not(None))):
            told.add(_decode(detail))
        problem = "" if row.seq in told.details else "lost its detail, and no entry says that it was erased"
    return problem


def _problem(row: Any, expected: int, prev: str, key: bytes) -> str:
    """What is wrong with one row, in words; empty: nothing."""
    if row.seq != expected:
        return f"follows {expected - 1}: entries between them are missing"
    if row.prev != prev:
        return "does not follow the entry before it"
    if row.hash != journal.link(key, row.seq, instant_text(row.at), row.what, row.subject, row.commitment, prev):
        return "was changed, or written with another key"
    if (row.detail is None) != (row.salt is None):
        return "is only half erased"
    if row.detail is not None and not hmac.compare_digest(journal.committed(row.detail, row.salt), row.commitment):
        return "has another detail than was written"
    return ""


class _Told:
    """What the register says was erased: of which entries the detail, and of which hashes."""

    def __init__(self) -> None:
        self.details: set[int] = set()
        self.values: set[int] = set()

    def add(self, detail: dict[str, Any]) -> None:
        """What an entry about erasure says."""
        for name, into in (("details", self.details), ("values", self.values)):
            for first, last in detail.get(name, ()):
                into.update(range(first, last + 1))


class _Heaps:
    """The side table, read beside the chain."""

    def __init__(self, connection: sa.Connection, key: bytes) -> None:
        self._rows, self._key = subjects.rows(connection), journal.short(key)
        self._next = next(self._rows, None)
        self._wrong: list[tuple[int, str]] = []
        self.missing: list[int] = []
        """Entries beside which stand fewer than they say."""
        self.count = 0

    def pass_by(self, entry: Any) -> None:
        """Check what stands beside an entry."""
        found = 0
        while self._next is not None and self._next.entry <= entry.seq:
            found += self._take(self._next)
        said = 0
        if entry.what == "admitted" and entry.detail is not None and b'"values":' in entry.detail:
            said = _decode(entry.detail).get("values", 0)
        if found < said:
            self.missing.append(entry.seq)

    def finish(self) -> list[tuple[int, str]]:
        """What is wrong, by entry; what is left stands beside none."""
        while self._next is not None:
            self._wrong.append((self._next.entry, "is not there, and hashes of values of it are"))
            self._take(self._next)
        return self._wrong

    def _take(self, row: Any) -> bool:
        whole = subjects.is_whole(row, self._key)
        if not whole:
            self._wrong.append((row.entry, "has hashes of values that were changed, or that we did not write"))
        self.count += row.size
        self._next = next(self._rows, None)
        return whole


def _signer(key: bytes) -> Ed25519PrivateKey:
    """The key that signs heads, of the register's."""
    seed = HKDF(SHA256(), 32, None, b"oktt/1/journal/head").derive(journal.short(key))
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(signer: Ed25519PrivateKey) -> str:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(signer.public_key().public_bytes(*form)).decode()


def _read(kept: bytes, key: bytes) -> tuple[int, str] | None:
    """Sequence number and hash of a head; None: it is not one that this key signed."""
    lines = kept.decode("ascii", "replace").splitlines()
    first = _FIRST(lines[0]) if len(lines) > 1 else None
    if first is None:
        return _read_first_version(kept, key)
    signature = lines[1].removeprefix("signature ")
    try:
        _signer(key).public_key().verify(base64.b64decode(signature, validate=True), lines[0].encode())
    except (InvalidSignature, ValueError):
        return None
    return int(first[1]), first[2]


def _read_first_version(kept: bytes, key: bytes) -> tuple[int, str] | None:
    """`SEQ HASH MAC`, which only we could check: an instance that was made then has one beside its database."""
    parts = kept.decode("ascii", "replace").split()
    if len(parts) != 3 or _FIRST(f"oktt-head/1 {parts[0]} {parts[1]}") is None:
        return None
    text = f"{parts[0]} {parts[1]}".encode()
    mac = hashlib.blake2b(text, key=journal.short(key), digest_size=32, person=b"oktt-head").hexdigest()
    return (int(parts[0]), parts[1]) if hmac.compare_digest(mac.encode(), parts[2].encode()) else None
