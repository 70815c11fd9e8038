"""Personal data: find, decide, rewrite, account for. The door ends here.

`guard.Guard.admit(draft, source, received_at) -> Item | Refused` is the only maker of an Item; with
`guard.Guard.restore` (which checks the seal the guard put on each stored statement) nothing else in the system
can hold one. What a regime does not allow is gone before this room returns; what the policy gates lies sealed in
`vault.Vault`, which opens it in memory, for a purpose, on record.
Sources: AVG (GDPR) art. 4(1), 5(1)(c), 6(1)(e), 10, 25; Wbdwb; the shipped policy is config/defaults/legal.toml.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct, structs

from ingest import Stage
from normalize import Facts, Kind, Role, Score
from tlp import Label

Category = Literal[
    "ipv4",
    "ipv6",
    "mac",
    "email",
    "phone",
    "name",
    "address",
    "dob",
    "bsn",
    "iban",
    "plate",
    "username",
    "credential",
    "url-personal",
    "social",
    "device",
    "free-text",
]
Action = Literal["keep", "strip", "token", "truncate", "gate", "hold", "refuse", "own"]
"""At the door keep, gate, strip, hold or refuse; on the way out of what is gated keep, token, truncate or strip.

`gate`: taken out of every general view; who may see it, and in which form, the policy says for each class of
recipient. `own` is what `gate` was called in statements that lie in older databases.
"""
Recipient = Literal["organisation", "network-owner", "cert", "partnership", "public"]
"""Whom a gated value would go to: the organisation it is of, who holds its network (a CERT within its constituency),
a CERT for what lies elsewhere, a partnership, anybody else."""
Purpose = Literal["match", "notify", "exchange"]
"""What for: to find whom it concerns, in a message to people, in a feed that machines read (TAXII, files)."""


class GuardError(Exception):
    """A policy that cannot be read, or a stored statement whose seal is broken. Names file and key or row."""


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """The regime that decided, and the version of the policy it came from."""

    regime: str
    policy: str
    """Content hash of legal.toml."""
    basis: str
    """In words, for people."""


class Finding(Struct, frozen=True):
    """One decision on one value: where, what, whose, why. Never the value."""

    category: Category
    role: Role
    action: Action
    path: str
    """JSON Pointer in the draft, unknown keys as `*`."""
    rule: str
    basis: str
    evidence: str = ""
    count: int = 1
    """How many values of one path and kind this stands for (rows of an exposure)."""


class Statement(Struct, frozen=True):
    """What one source said, guarded. The unit of labels: within it the strictest marking won."""

    key: str
    """Source and natural key, keyed hash: stable over versions. Of a layer (what may be seen of it at a wider label,
    `normalize.layers`) that of the whole, a stroke, and the label's rank."""
    source: str
    kind: Kind
    title: str
    summary: str
    language: str
    facts: Facts
    objects: Raw
    """Guarded STIX 2.1 objects as a JSON array: what everyone within the label may see."""
    references: tuple[str, ...]
    label: Label
    holds: tuple[str, ...]
    """Named reasons why a person has to decide first; empty: none."""
    findings: tuple[Finding, ...]
    regime: str
    policy: str
    source_time: datetime | None
    received_at: datetime
    meaning: str
    """Hash of what a change of makes a new version (domain-rules: Versions)."""
    reliability: str = "F"
    """Admiralty grade of the source, A-F, as it was on receipt: who is heard before whom."""
    gated: str = ""
    """A name for what the gated rows say: while it stays the same, they do. Says nothing itself."""
    vault: bytes = b""
    """The gated rows, sealed; they are closed then (pii_guard.vault). Empty: they are open, or there are none."""


def fullest(statements: Iterable[Statement]) -> list[Statement]:
    """The same, without layers of a statement of which more is among them."""
    given = list(statements)
    best: dict[str, str] = {}
    for each in given:
        whole, stroke, rank = each.key.partition("/")
        best[whole] = max(best.get(whole, ""), rank if stroke else "whole")  # letters come after digits
    return [each for each in given if best[each.key.partition("/")[0]] == (each.key.partition("/")[2] or "whole")]


@dataclass(frozen=True, slots=True)
class Item:
    """What the guard lets through: one threat, as one or more sources state it."""

    id: str
    """`OKTT-2026-0412` once it lies in the inbox; the statement's key before that."""
    version: int
    statements: tuple[Statement, ...]
    """At least one, ordered by (received_at, key)."""
    facts: tuple[Statement, ...] = ()
    """`facts` statements (CVE records) that name one of the item's CVEs."""

    def part(self, keys: Collection[str]) -> "Item":
        """What these of its statements say: less than was let through, so let through as well."""
        return replace(self, statements=tuple(each for each in self.statements if each.key in keys))

    def under(self, labels: Mapping[str, Label]) -> "Item":
        """The same under these labels, by key of the statement, wherever they are stricter."""

        def stricter(each: Statement) -> Statement:
            return structs.replace(each, label=max(each.label, labels.get(each.key, each.label)))

        return replace(self, statements=tuple(map(stricter, self.statements)), facts=tuple(map(stricter, self.facts)))


@dataclass(frozen=True, slots=True)
class Scores:
    """EPSS scores that the guard let through: `epss.admit` makes them."""

    rows: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A draft that the guard keeps out, with the receipt for its source: paths and categories, no values."""

    stage: Stage
    reason: str
    path: str = ""
    findings: tuple[Finding, ...] = ()
