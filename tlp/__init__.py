"""Who may see it: labels, readers and permits (FIRST TLP 2.0).

This room knows nothing of items. It takes what is *marked* (a statement's key and label), a *reader*, and
answers with a Permit (this reader may see these statements) or a Refusal (with a named reason). Only
`tlp.enforce.enforce` makes a Permit. `tlp.markings` reads labels from STIX, MISP, CSAF and text.
Unknown markings are never guessed: they raise UnknownMarkingError, and the item is held for an analyst.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Literal


class TlpError(Exception):
    """Base of this room's errors: a label or marking that cannot be read."""


class UnknownMarkingError(TlpError):
    """A marking that we do not know. The item is held; nothing is assumed about it."""


class Label(Enum):
    """A TLP 2.0 label. Ordered from widest (CLEAR) to strictest (RED); TLP 1.0 WHITE reads as CLEAR."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"

    rank: int
    """0 (CLEAR) to 4 (RED)."""

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)

    def __lt__(self, other: "Label") -> bool:
        return self.rank < other.rank

    def __le__(self, other: "Label") -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: "Label") -> bool:
        return self.rank > other.rank

    def __ge__(self, other: "Label") -> bool:
        return self.rank >= other.rank

    def __str__(self) -> str:
        return f"TLP:{self.value}"


def strictest(labels: Iterable[Label]) -> Label:
    """The strictest of some labels. No label at all is a programming error (ValueError), never CLEAR."""
    return max(labels)


@dataclass(frozen=True, slots=True)
class Consent:
    """A source's consent, on record, to pass on what stops at the hub (RED, AMBER+STRICT)."""

    recipients: frozenset[str] = frozenset()
    """Subscriber ids, from `release --to`."""
    classes: frozenset[str] = frozenset()
    """Reader kinds, from `sources.toml`: consent."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One statement as this room sees it: its key, its label, and what its source consented to."""

    key: str
    label: Label
    consent: Consent = Consent()


@dataclass(frozen=True, slots=True)
class Clearance:
    """The strictest label a reader may be shown, and until when (None: no end)."""

    highest: Label = Label.CLEAR
    until: datetime | None = None

    def at(self, now: datetime) -> Label:
        """The highest label at that moment: an expired clearance counts as CLEAR."""
        return Label.CLEAR if self.until is not None and now >= self.until else self.highest


ReaderKind = Literal["public", "company", "partnership", "supplier", "cert", "vital", "analyst"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who would see an item through one way out."""

    id: str
    kind: ReaderKind
    clearance: Clearance
    concerned: bool
    """Does the item concern this reader by a criterion of its own (network, domain, software, sector)?"""
    confidential: bool
    """Is the way out closed to others (TAXII with credentials, portal, encrypted mail)? Plain mail is not."""


PUBLIC = Reader("public", "public", Clearance(), concerned=False, confidential=False)
"""Anybody: /feed.atom and the `clear` collection."""


@dataclass(frozen=True, slots=True)
class Permit:
    """This reader may see these statements, under this label. Made by `tlp.enforce.enforce` alone."""

    reader: str
    label: Label
    """Label of the view: the strictest among the visible statements."""
    visible: frozenset[str]
    """Keys of the statements the reader may see; never empty."""
    rule: str
    """The named rule that let the strictest visible statement through."""


RefusalReason = Literal["clearance", "not-concerned", "no-consent", "open-channel"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """This reader may see nothing of it, and why (the reason for the widest statement)."""

    reader: str
    reason: RefusalReason
    label: Label
