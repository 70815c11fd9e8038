"""The way out: outbound I/O only.

A View is what one reader may see of an item; `dispatch.view.compose(released, permit, ...)` makes it and nothing
goes out that is not made of Views. Deliveries lie in the outbox until a channel takes them; exactly one place
retries. Nothing is lost: only a crash between acceptance by the other side and our commit may repeat a message,
with the same bytes and the same Message-ID, marked `repeat` in the ledger.

What it rests on that a message may leave is kept (`dispatch.grounds`). What only its recipient may read is encrypted
(`dispatch.encryption`), or told of by a stub.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from filtering import Reason
from normalize import Affected, Kind, Level, Observable, Urgency
from subscribers import ChannelType, Contact
from tlp import Label

DeliveryKind = Literal["alert", "update", "reminder", "withdrawal", "monday", "friday", "link"]
DeliveryState = Literal["queued", "sending", "accepted", "perhaps", "sent", "failed", "cancelled"]
"""`accepted`, `perhaps`: it leaves no more, since it was taken, or may have been; to be settled as that."""


class DispatchError(Exception):
    """Something that cannot be sent as it stands. Names the delivery and the next step."""


@dataclass(frozen=True, slots=True)
class Days:
    """How an exposure stands beside the reports of other days of which its reader may know."""

    report: str
    """Its type, as the source calls it: with the source a series."""
    day: date
    previous: date | None
    """Of the report before, whichever day that was; None: there is none."""
    systems: int
    """In the whole report, everybody's."""
    open: int | None
    """Newly, since the report before; None, as the next two: nobody can tell without addresses."""
    still_open: int | None
    closed: int | None
    since: tuple[date | None, ...] = ()
    """Of each observable of the view that is the reader's own: since which report it is open, without a break."""
    until: tuple[date | None, ...] = ()
    """And the first later report in which it is no longer seen."""
    gone: tuple[Observable, ...] = ()
    """The reader's own in the report before, that are not in this one."""


@dataclass(frozen=True, slots=True)
class View:
    """One item as one reader may see it. Never holds a statement, source or fact outside the permit."""

    item: str
    version: int
    kind: Kind
    title: str
    summary: str
    label: Label
    urgency: Urgency
    reader: str
    sources: tuple[str, ...]
    """Names of the visible sources; a contributor stands as "a subscriber"."""
    cves: tuple[str, ...]
    affected: tuple[Affected, ...]
    sectors: tuple[str, ...]
    observables: tuple[Observable, ...]
    """What this reader may see: its own addresses, and attackers' within the label."""
    remedies: tuple[str, ...]
    references: tuple[str, ...]
    kans: Level | None
    schade: Level | None
    cvss: float | None
    epss: float | None
    exploited: bool | None
    exposure: str | None
    withdrawn: bool
    source_time: datetime | None
    received_at: datetime
    reasons: tuple[Reason, ...]
    """Why this reader: the criteria that matched."""
    objects: tuple[dict[str, Any], ...]
    """STIX 2.1 objects for this reader, the label's marking definition included."""
    statements: frozenset[str]
    """Keys of the statements it is composed of."""
    language: str = ""
    """Of title and summary."""
    days: Days | None = None
    """Of an exposure: how it stands beside reports of other days; None: there are none."""
    grades: tuple[str, ...] = ()
    """Admiralty grade (A-F) of each source, in the order of `sources`; for analysts and mature readers."""
    others: int = 0
    """How many observables the permitted statements have beside those this reader may see."""
    veiled: tuple[Observable, ...] = ()
    """Of these, rows of others with a token or a network in place of the value: the same token, the same value."""
    shared: dict[Hashable, Any] | None = field(default=None, compare=False, repr=False)
    """What is made once for all whose views differ in `reader` and `reasons` alone, by what it is; None: it is its own.
    No part of what is shown."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one subscriber through one channel, as the outbox holds it."""

    id: str
    """Keyed hash of (kind, item or edition, version, subscriber, channel): the natural key."""
    kind: DeliveryKind
    subject: str
    """Item id, or edition id `monday/2026-03-02`."""
    version: int
    subscriber: str
    channel: int
    """Which of the subscriber's contacts: its index."""
    state: DeliveryState
    due_at: datetime
    queued_at: datetime
    attempts: int = 0
    message: bytes | None = None
    """Prepared bytes, kept from just before sending until the outcome is committed."""
    medium: ChannelType | None = None
    """What kind of contact it goes to."""
    worker: str = ""
    """Who holds the claim."""
    shows: str = ""
    """Fingerprint of the view that the prepared bytes show: may the reader still see all of it?"""
    repeat: bool = False
    """The other side may have had these bytes already: an attempt ended without a known outcome."""
    alone: bool = False
    """A message that told it with others was refused for good: it goes with none."""
    revision: int | None = None
    """Of the subscriber whose nth contact it is for (`registry.meant`)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    status: Literal["sent", "retry", "failed"]
    reason: str = ""
    """Named, for the ledger; never an address."""
    wait: timedelta | None = None
    """How long the other side asks to be left alone."""


class Channel(Protocol):
    """One way out. It never retries and never decides."""

    def send(self, delivery: Delivery, contact: Contact, message: bytes) -> Outcome:
        """Hand the message over once. Faults of the other side are Outcomes; programming errors raise."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...
