"""On what it rested that a message could leave, or a view stand in a TAXII collection: kept in the register's entry
that says so, so that `oktt prove` can decide once more.

Labels, ids and keyed hashes; no content. An edition rests on several items, an answer on several views.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from pii_guard import journal
from tlp import Clearance, Consent, Label, Marked, Permit, Reader, ReaderKind, Refusal
from tlp.enforce import enforce


class Stood(Struct, frozen=True, array_like=True):
    """A statement as it stood when the message was made."""

    key: str
    label: Label
    named: bool
    """Its source consented to this reader by name, or to its kind."""
    by_kind: bool


class Grounds(Struct, frozen=True, omit_defaults=True):
    """Why one reader could see this much of one item version."""

    item: str
    version: int
    at: datetime
    """When the message was made."""
    by: str
    """Who released it."""
    decision: str
    """Hash of that decision."""
    law: str
    """Hash of the policy and of what sources were called: what is shown depends on both."""
    statements: tuple[Stood, ...]
    kind: ReaderKind
    clearance: Label
    until: datetime | None
    concerned: bool
    confidential: bool
    """Was the way out closed to others?"""
    label: Label
    """Of what was shown."""
    rule: str
    """The rule of TLP that let it through (`tlp.enforce.RULES`)."""
    month: str
    """Whose key hashes the content: of when it was queued, or published."""
    content: str
    """Keyed hash of what was shown of the item; it dies with that key."""

    def permit(self, subscriber: str) -> Permit | Refusal:
        """What TLP says to it, asked once more."""
        clearance = Clearance(self.clearance, self.until)
        reader = Reader(subscriber, self.kind, clearance, self.concerned, self.confidential)
        return enforce([_marked(each, reader) for each in self.statements], reader, self.at)


class Published(Struct, frozen=True):
    """A view in a TAXII collection, as the register holds it."""

    rows: tuple[tuple[int, int], ...]
    """Which rows of the collection it is: from, to and with."""
    bodies: str
    """Keyed hash of them all."""
    statements: tuple[str, ...]
    """Keys of those that it was composed of."""
    grounds: Grounds

    def entry(self, collection: str) -> journal.Entry:
        """For the register: about which collection, by its id."""
        return journal.Entry("published", collection, structs.asdict(self))


def stood(marks: Sequence[Marked], reader: Reader) -> tuple[Stood, ...]:
    """What is kept of the marks: of consents, what they say of this reader."""
    found = (
        Stood(each.key, each.label, reader.id in each.consent.recipients, reader.kind in each.consent.classes)
        for each in marks
    )
    return tuple(sorted(found, key=lambda each: (each.key, each.label.rank)))


def _marked(each: Stood, reader: Reader) -> Marked:
    named = frozenset({reader.id}) if each.named else frozenset()
    return Marked(each.key, each.label, Consent(named, frozenset({reader.kind}) if each.by_kind else frozenset()))


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(tuple[Grounds, ...]).decode
