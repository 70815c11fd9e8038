"""Where one person's value lies: every store of the instance, looked through in memory.

A place is a line of `oktt subject find`: store, id, since when, on which basis, where in it; never the value.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from app import expiring
from app.keys import MESSAGES
from app.service import Service
from dispatch import atom, editorials, ledger, outbox, sequence
from pii_guard import Statement, journal, marks, subjects
from pii_guard.erasing import texts_of
from pii_guard.sought import CATEGORY, Sought, texts_in
from pii_guard.vault import month_of
from subscribers import links, registry
from triage import expiry, inbox, releases
from web import passkeys

Place = dict[str, Any]
_SEALED = frozenset({"ipv4", "ipv6", "email", "mac", "username"})
"""Types of what the vault holds: the side table says in which statements."""
_decode_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode


@dataclass(slots=True)
class Search:
    """One value, looked for in every store of an instance, at one moment."""

    service: Service
    sought: Sought
    hashes: list[bytes] = field(init=False)
    """Under which it may stand in the side table."""
    _seen: dict[bytes, tuple[list[str], bool]] = field(default_factory=dict)
    """By hash of a stored statement: where it holds the value, and whether only within a prefix."""

    def __post_init__(self) -> None:
        key = self.service.keys.derive("subjects")
        self.hashes = marks.hashes(key, self.sought.type, self.sought.normal)

    def places(self, connection: sa.Connection) -> Iterator[Place]:
        """All of them, store by store."""
        yield from self.register(connection)
        yield from self.items(connection)
        yield from self.notes(connection)
        yield from self.subscribers(connection)
        for name in (*links.found(connection, self.sought.holds), *passkeys.found(connection, self.sought.holds)):
            yield {"store": "portal", "id": name}
        yield from self.prepared(connection)
        yield from self.files()
        yield from self.published(connection)
        yield from self.feed(connection)

    def register(self, connection: sa.Connection) -> Iterator[Place]:
        """What was processed, as the side table has it; also what is long gone."""
        for heap in subjects.find(connection, self.hashes, self.service.vault):
            entry = journal.find(connection, heap.entry)
            lies = None if entry is None else inbox.lies_in(connection, entry.subject)
            detail = {} if entry is None or entry.detail is None else msgspec.json.decode(entry.detail)
            yield {
                "store": "register",
                "id": heap.entry,
                "item": None if lies is None else lies[0],
                "source": detail.get("source"),
                "at": heap.at,
                **self._basis(heap.regime),
                "until": heap.at + self._days(heap.regime, heap.category),
                "category": heap.category,
                "action": heap.action,
                "rule": heap.rule,
            }

    def items(self, connection: sa.Connection) -> Iterator[Place]:
        """Statements, also those of earlier versions, with whom messages about them went to."""
        known, sealed = self._marked(connection)
        found: dict[tuple[str, str], Place] = {}
        for each in expiry.stored(connection):
            digest = hashlib.blake2b(each.sealed, digest_size=16).digest()
            if digest in self._seen and not self._seen[digest][0]:
                continue
            whole = self.service.guard.restore(each.item or each.key, 0, [each.sealed])
            if digest not in self._seen:
                if self.sought.type not in _SEALED or whole.statements[0].key not in sealed - known:
                    whole = self.service.opened(connection, whole, "subject")
                places = list(self._in_statement(whole.statements[0]))
                self._seen[digest] = sorted({path for path, _ in places}), all(how == "wide" for _, how in places)
            paths, prefix = self._seen[digest]
            if not paths:
                continue
            (statement,) = whole.statements
            name = (each.item or "", statement.key)
            place = found.get(name)
            if place is None:
                place = found[name] = self._place(connection, each.item, statement)
            place["places"] = sorted({*place["places"], *paths})
            place["prefix"] = place["prefix"] and prefix
            if each.version is not None:
                place["versions"] = sorted({*place["versions"], each.version})
        yield from found.values()

    def _marked(self, connection: sa.Connection) -> tuple[set[str], set[str]]:
        """Keys of statements that hold it as the side table says, and of all of which it says what they hold."""

        def keys(entries: Sequence[int]) -> set[str]:
            return {row.subject for each in entries if (row := journal.find(connection, each)) is not None}

        found = keys([row.entry for row in subjects.find(connection, self.hashes, self.service.vault)])
        return found, keys(sorted(subjects.entries(connection)))

    def _in_statement(self, statement: Statement) -> Iterator[tuple[str, str]]:
        sought, rows = self.sought, statement.facts.observables
        objects, rest = _decode_objects(statement.objects), structs.replace(statement.facts, observables=())
        said = [statement.title, statement.summary, statement.references, msgspec.to_builtins(rest), objects]
        if not sought.may_be_in(chain(texts_in(said), (text for row in rows for text in texts_of(row)))):
            return
        yield from sought.places(
            {"title": statement.title, "summary": statement.summary, "references": statement.references}
        )
        yield from sought.places(msgspec.to_builtins(statement.facts), "/facts")
        yield from sought.places(objects, "/objects")

    def _place(self, connection: sa.Connection, item: str | None, statement: Statement) -> Place:
        return {
            "store": "items" if item else "records",
            "id": item or statement.key,
            "source": statement.source,
            "at": statement.received_at,
            **self._basis(statement.regime),
            "until": statement.received_at + self._days(statement.regime, CATEGORY[self.sought.type]),
            "places": [],
            "prefix": True,
            "versions": [],
            "recipients": [
                {"subscriber": each.subscriber, "at": each.at, "medium": each.medium}
                for each in (ledger.messages(connection, item) if item else ())
            ],
        }

    def notes(self, connection: sa.Connection) -> Iterator[Place]:
        """What people wrote about items and for editions, and who."""
        notes = [(each.item, each.at, each.by, each.os_user, each.reason) for each in expiry.notes(connection)]
        notes += [
            (each.item, each.at, each.by, each.os_user, each.reason) for _, each in releases.decisions(connection)
        ]
        for item, at, by, user, reason in notes:
            if paths := [path for path, _ in self.sought.places({"by": by, "os_user": user, "reason": reason})]:
                yield {"store": "desk", "id": item, "at": at, "places": paths}
        for edition, at, said in editorials.every(connection):
            if paths := [path for path, _ in self.sought.places(said)]:
                yield {"store": "desk", "id": edition, "at": at, "places": paths}

    def subscribers(self, connection: sa.Connection) -> Iterator[Place]:
        """Profiles, contacts, networks and domains; also as they were before."""
        known = set()
        for subscriber in registry.every(connection):
            if found := list(self.sought.places(msgspec.to_builtins(subscriber, enc_hook=str))):
                prefix = all(how == "wide" for _, how in found)
                if not prefix:
                    known.add(subscriber.id)
                yield {
                    "store": "subscribers", "id": subscriber.id, "at": subscriber.changed_at,
                    "places": [path for path, _ in found], "prefix": prefix,
                }  # fmt: skip
        for name, at, said in registry.covered(connection):
            if name not in known and (paths := [path for path, how in self.sought.places(said) if how == "same"]):
                yield {"store": "subscribers", "id": name, "at": at, "places": paths}
        for name, revision, at, said in registry.replaced(connection):
            if paths := [path for path, how in self.sought.places(said) if how == "same"]:
                yield {"store": "subscribers", "id": name, "revision": revision, "at": at, "places": paths}

    def prepared(self, connection: sa.Connection) -> Iterator[Place]:
        """Messages that lie ready in the outbox."""
        for each in outbox.prepared(connection):
            month, bound = month_of(each.queued_at), ("message", each.id)
            message = self.service.vault.unlock(MESSAGES, month, bound, each.message)
            if message is not None and (paths := self._in_message(message)):
                yield {
                    "store": "outbox", "id": each.id, "item": each.subject, "subscriber": each.subscriber,
                    "at": each.queued_at, "places": paths,
                }  # fmt: skip

    def files(self) -> Iterator[Place]:
        """Messages that the file channel wrote."""
        for file in sorted(expiring.folder(self.service).glob("*.eml")):
            if paths := self._in_message(_bytes(file)):
                yield {"store": "files", "id": file.stem, "places": paths}

    def published(self, connection: sa.Connection) -> Iterator[Place]:
        """What TAXII serves: one line for each item in a collection."""
        found: dict[tuple[str, frozenset[str]], Place] = {}
        for alias, at, items, body in sequence.bodies(connection):
            if body and self.sought.holds(msgspec.json.decode(body)):
                new = {"store": "published", "id": alias, "items": sorted(items), "at": at, "objects": 0}
                found.setdefault((alias, items), new)["objects"] += 1
        yield from found.values()

    def feed(self, connection: sa.Connection) -> Iterator[Place]:
        """What /feed.atom shows."""
        for entry in atom.latest(connection, 1_000_000):
            if self.sought.holds([entry.title, entry.summary, [term for _, term in entry.categories]]):
                yield {"store": "feed", "id": entry.item, "at": entry.published_at}

    def _in_message(self, message: bytes) -> list[str]:
        return sorted({name for name, data in _parts(message) if self.sought.holds(data)})

    def _basis(self, regime: str) -> Place:
        known = self.service.settings.policy
        words = known.basis(regime).basis if regime in known.regimes else "of an earlier policy"
        return {"regime": regime, "basis": words}

    def _days(self, regime: str, category: Any) -> Any:
        known = self.service.settings.policy
        return max(known.retention(each, category) for each in ([regime] if regime in known.regimes else known.regimes))


def _parts(message: bytes) -> Iterator[tuple[str, Any]]:
    """The headers and parts of a mail, decoded; an attachment in JSON as data. What is encrypted stays so."""
    parsed = message_from_bytes(message, policy=policy.default)
    for name, value in parsed.items():
        yield name.lower(), str(value)
    for part in parsed.walk():
        if part.is_multipart():
            continue
        if isinstance(part, EmailMessage) and part.get_filename():
            yield "attachment", part.get_filename()
        content = part.get_payload(decode=True)
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
        try:
            yield "attachment", msgspec.json.decode(text)
        except msgspec.DecodeError:
            yield "body", text


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # sent or purged since
        return b""
