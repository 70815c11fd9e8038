"""The vault: what is gated lies sealed, and is opened in memory, for a purpose, on record (docs/decisions/013).

A statement's gated rows are closed before it is stored: their values and details go into one record, AES-256-GCM under
a data key of its own, bound to statement, policy, source and regime; the data key is wrapped (RFC 3394) by a key of its
source and month of receipt, which lies with `Keys`, apart from the data. Who destroys that key shreds what it wraps,
in every backup too. A row that is closed shows a handle, which says nothing, and keeps type, role, network and times.
Sources: AVG art. 5(1)(e), 25, 32; NIST SP 800-38D, 800-38F, 800-88 2.5 (cryptographic erase).
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from msgspec import Struct, structs

from normalize import Observable, identity
from pii_guard import GuardError, Item, Statement

Opening = Literal["match", "notify", "exchange", "retention", "subject", "compare"]
"""What sealed rows are opened for: to find whom they concern; for messages; for feeds; to take out what has expired;
for a data subject's request; to tell whether a source says the same as before."""

_KEY, _NONCE = 32, 12
_encode = msgspec.json.encode
_NONE: dict[str, str] = {}


class Keys(Protocol):
    """Keys of 32 bytes, one for each source, month (`2026-03`) and generation, kept apart from the data."""

    def newest(self, source: str, month: str) -> tuple[int, bytes] | None:
        """The latest generation that is there; None: none is, or none any more."""

    def get(self, source: str, month: str, generation: int) -> bytes | None:
        """One generation; None: it was destroyed."""

    def make(self, source: str, month: str, generation: int) -> bytes:
        """That generation, made if it is not there; whoever else makes it gets the same."""

    def destroy(self, source: str, month: str, generation: int) -> None:
        """Beyond recovery; what it wrapped is shredded."""

    def months(self, source: str) -> list[str]:
        """The months of which there is a key, in order."""


class _Record(Struct, frozen=True, array_like=True):
    """What is sealed, and under which key."""

    key: bytes
    """Hash of the key that wrapped the data key: another one of that name is another key."""
    generation: int
    wrapped: bytes
    nonce: bytes
    data: bytes


class _Plain(Struct, frozen=True, array_like=True):
    """What a statement's record holds: a value for each gated row, and its details, unless none has any."""

    values: list[str]
    details: list[dict[str, str]]
    said: bytes
    """Hash of what the gated rows said on receipt: the same again is no news, also when they have expired."""


@dataclass(slots=True)
class Openings:
    """What was opened in one transaction: (statement, purpose) -> how many rows."""

    counts: dict[tuple[str, Opening], int] = field(default_factory=dict)
    rows: dict[tuple[str, bytes], tuple[Observable, ...]] = field(default_factory=dict)
    """(statement, record) -> its rows as they are; none: their key is gone."""
    sealed: dict[str, int] = field(default_factory=dict)
    """Statement -> how many rows its record holds."""

    def count(self, statement: Statement, purpose: Opening, rows: int) -> None:
        """So many rows of it were opened for a purpose."""
        if rows:
            self.counts[statement.key, purpose] = rows


class Vault:
    """Seals and opens with the keys of one instance. Holds nothing that was opened beyond its transaction."""

    def __init__(self, keys: Keys | None = None, again: Callable[[str], Iterable[bytes]] = lambda _: ()) -> None:
        """`again`: the records of a statement, by its key, as they lie now."""
        self._keys, self._again = keys, again
        self._openings: dict[int, Openings] = {}

    def closed(self, statement: Statement) -> Statement:
        """The statement with its gated rows sealed: what may be stored. One that is closed, or has none, as it is."""
        rows = statement.facts.observables
        if statement.vault or not any(row.own for row in rows):
            return statement
        return self._closed(statement, _said(statement))

    def _closed(self, statement: Statement, said: bytes) -> Statement:
        rows = statement.facts.observables
        gated = [row for row in rows if row.own]
        values, details = [row.value for row in gated], [row.detail for row in gated]
        handles = map(f"sealed-{statement.key[:16]}-{{}}".format, range(len(gated)))
        shown = [_with(row, next(handles), _NONE) if row.own else row for row in rows]
        plain = _encode(_Plain(values, details if any(details) else [], said))
        vault = self.lock(statement.source, month_of(statement.received_at), _bound(statement), plain)
        facts = structs.replace(statement.facts, observables=tuple(shown))
        return structs.replace(statement, facts=facts, vault=vault)

    def opened(
        self,
        transaction: object,
        item: Item,
        purpose: Opening,
        allowed: Callable[[Statement], bool] = lambda _: True,
    ) -> Item:
        """The item with the gated rows of its statements as they are, for a purpose; of those that are `allowed`.

        What is opened is counted for the register of this transaction (`accounting`), once for each purpose; outside of
        one nothing is opened. A statement whose key was destroyed stays closed. Raises GuardError when a record was
        changed, or its key is another.
        """
        if not any(each.vault for each in (*item.statements, *item.facts)):
            return item
        openings = self._watched(transaction)

        def one(each: Statement) -> Statement:
            known = (each.key, purpose) in openings.counts
            return self._opened(openings, each, purpose) if each.vault and (known or allowed(each)) else each

        return replace(item, statements=tuple(map(one, item.statements)), facts=tuple(map(one, item.facts)))

    def same(self, transaction: object, statement: Statement, before: Statement) -> bool:
        """Do the gated rows of an open statement say what those of a stored one said on receipt?"""
        if not before.vault:
            return _said(before) == _said(statement)
        plain = self._plain(before)
        if plain is None:
            return False
        self._watched(transaction).count(before, "compare", len(plain.values))
        return plain.said == _said(statement)

    def trimmed(self, transaction: object, statement: Statement) -> Statement:
        """A closed statement that lost rows, with a record of those alone that are left; to be stored at once. Where
        its key is gone it stays as it is."""
        plain = self._plain(statement)
        if plain is None:
            return statement
        self._watched(transaction).count(statement, "retention", len(plain.values))
        facts = structs.replace(statement.facts, observables=_opened(statement, plain))
        return self._closed(structs.replace(statement, facts=facts), plain.said)

    @contextmanager
    def accounting(self, transaction: object, openings: Openings | None = None) -> Iterator[Openings]:
        """In this block statements may be opened in that transaction; what was, the register has to tell."""
        made = openings or Openings()
        self._openings[id(transaction)] = made
        try:
            yield made
        finally:
            made.rows.clear()
            self._openings.pop(id(transaction), None)

    def _opened(self, openings: Openings, statement: Statement, purpose: Opening) -> Statement:
        name = (statement.key, statement.vault)
        if name not in openings.rows:
            plain = self._plain(statement)
            openings.rows[name] = () if plain is None else _opened(statement, plain)
            openings.sealed[statement.key] = 0 if plain is None else len(plain.values)
        rows = openings.rows[name]
        if not rows:
            return statement
        openings.count(statement, purpose, openings.sealed[statement.key])
        return structs.replace(statement, facts=structs.replace(statement.facts, observables=rows), vault=b"")

    def _watched(self, transaction: object) -> Openings:
        openings = self._openings.get(id(transaction))
        if openings is None:
            raise GuardError("what is sealed is opened only where the register tells of it: in a Service's transaction")
        return openings

    def _plain(self, statement: Statement) -> _Plain | None:
        month, again = month_of(statement.received_at), partial(self._again, statement.key)
        plain = self.unlock(statement.source, month, _bound(statement), statement.vault, again)
        return None if plain is None else msgspec.json.decode(plain, type=_Plain)

    def lock(self, source: str, month: str, bound: Sequence[str], plain: bytes) -> bytes:
        """Seal bytes of a source, under its newest key of that month. `bound`: what the record belongs to."""
        generation, key = self._newest(source, month)
        data, nonce = os.urandom(_KEY), os.urandom(_NONCE)
        sealed = AESGCM(data).encrypt(nonce, plain, _encode((source, month, *bound)))
        return msgspec.msgpack.encode(_Record(_name(key), generation, aes_key_wrap(key, data), nonce, sealed))

    def unlock(
        self,
        source: str,
        month: str,
        bound: Sequence[str],
        sealed: bytes,
        again: Callable[[], Iterable[bytes]] = tuple,
    ) -> bytes | None:
        """What was sealed; None: its key was destroyed. Raises GuardError when it was changed or moved.

        `again`: the records that lie now where this one was read. Where a rotation came between reading and opening,
        the same record is among them, under the new key: it is looked for once.
        """
        try:
            record = _record(sealed)
            data = self._data_key(record, source, month)
            if data is None and self._rotated(record, source, month):
                found = (each for each in map(_record, again()) if each.nonce == record.nonce)
                data = next((key for each in found if (key := self._data_key(each, source, month))), None)
            if data is None:
                return None
            return AESGCM(data).decrypt(record.nonce, record.data, _encode((source, month, *bound)))
        except (msgspec.DecodeError, InvalidUnwrap, InvalidTag, ValueError):
            raise GuardError(
                "a record of the vault was changed outside OKTT, or moved: restore the database from a backup"
            ) from None

    def rewrapped(self, source: str, month: str, sealed: bytes) -> bytes | None:
        """The same record under the newest key of its month; None: it lies under that, or its key was destroyed."""
        if not sealed:
            return None
        record, newest = _record(sealed), self._held().newest(source, month)
        if newest is None or record.generation == newest[0]:
            return None
        data = self._data_key(record, source, month)
        if data is None:
            return None
        generation, key = newest
        made = structs.replace(record, key=_name(key), generation=generation, wrapped=aes_key_wrap(key, data))
        return msgspec.msgpack.encode(made)

    def fingerprint(self, source: str, month: str, text: str) -> str:
        """A hash of what a source says that dies with the source's key of the month: 64 hexadecimal digits."""
        return _fingerprint(self._newest(source, month)[1], text)

    def lasts(self, source: str, month: str) -> bool:
        """Is there still a key of that month?"""
        return self._held().newest(source, month) is not None

    def fingerprints(self, source: str, month: str, text: str) -> tuple[str, ...]:
        """That of this month, and what those of other months would be of which there is a key."""
        keys = self._held()
        others = (keys.newest(source, each) for each in keys.months(source) if each != month)
        return (self.fingerprint(source, month, text), *(_fingerprint(each[1], text) for each in others if each))

    def _newest(self, source: str, month: str) -> tuple[int, bytes]:
        keys = self._held()
        return keys.newest(source, month) or (1, keys.make(source, month, 1))

    def _rotated(self, record: _Record, source: str, month: str) -> bool:
        newest = self._held().newest(source, month)
        return newest is not None and newest[0] > record.generation

    def _data_key(self, record: _Record, source: str, month: str) -> bytes | None:
        key = self._held().get(source, month, record.generation)
        return None if key is None or _name(key) != record.key else aes_key_unwrap(key, record.wrapped)

    def _held(self) -> Keys:
        if self._keys is None:
            raise GuardError("there are no keys for what is gated: set [keys] in oktt.toml, or run `oktt init`")
        return self._keys


def month_of(received_at: datetime) -> str:
    """`2026-03`: whose key seals what was received then."""
    return received_at.astimezone(UTC).strftime("%Y-%m")


def _fingerprint(key: bytes, text: str) -> str:
    mine = hashlib.blake2b(key=key, digest_size=32, person=b"oktt-fingerprint")
    mine.update(text.encode("utf-8", "surrogatepass"))
    return mine.hexdigest()


def _opened(statement: Statement, plain: _Plain) -> tuple[Observable, ...]:
    """The rows of a closed statement as they are. The number in its handle is a row's place in the record."""
    rows = []
    for row in statement.facts.observables:
        if row.own:
            place = int(row.value.rpartition("-")[2])
            rows.append(_with(row, plain.values[place], plain.details[place] if plain.details else {}))
        else:
            rows.append(row)
    return tuple(rows)


def _said(statement: Statement) -> bytes:
    rows = "\0".join(sorted(identity.gated(statement.facts.observables)))
    return hashlib.blake2b(rows.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _bound(statement: Statement) -> tuple[str, ...]:
    return ("statement", statement.key, statement.policy, statement.regime)


def _name(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=8, person=b"oktt-key-name").digest()


def _record(sealed: bytes) -> _Record:
    return msgspec.msgpack.decode(sealed, type=_Record)


def _with(row: Observable, value: str, detail: dict[str, str]) -> Observable:
    """`structs.replace` takes three times as long, and there are 40,000 rows in a report."""
    return Observable(
        row.type, value, row.role, row.evidence, row.asn, row.country, row.port, row.protocol, row.seen, detail, True
    )
