"""The analysts' desk, where guarded items lie until somebody decides.

Release is a decision: by an analyst, two analysts, or a named rule; bound to a hash of what was decided on, so that
an edit voids it. `triage.decide` alone makes a Released, and nothing goes out without one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pyroaring import BitMap

from normalize import Urgency
from pii_guard import Item
from tlp import Consent, Label

State = Literal["new", "claimed", "held", "pending", "released", "declined", "withdrawn"]
Act = Literal["claim", "hold", "decline", "release", "approve", "withdraw"]


class TriageError(Exception):
    """A decision that cannot stand (wrong state, same person twice, unknown item), with the next step."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about an item version."""

    item: str
    version: int
    act: Act
    by: str
    """An analyst, or `rule:<id>`."""
    at: datetime
    reason: str = ""
    os_user: str = ""
    tlp: Label | None = None
    urgency: Urgency | None = None
    to: tuple[str, ...] = ()
    bound: str = ""
    """Hash of item, advice and template versions, label, audience criteria and policy."""
    only: tuple[str, ...] = ()
    """Keys of the statements that were released: what joined later, or waits for a person, is not among them."""


@dataclass(frozen=True, slots=True)
class Released:
    """A decision stands: this item version may go to this audience. Made by `triage.decide` alone."""

    item: Item
    decision: Decision
    audience: BitMap
    """As approved. What is sent is this, cut with the match at sending."""
    urgency: Urgency
    """Of the whole item: what a reader may see of it can be less urgent, unless `stated`."""
    consents: dict[str, Consent]
    """Statement key -> consent on record."""
    label: Label | None = None
    """A stricter label that an analyst set; applies to every statement."""
    stated: Urgency | None = None
    """The analyst's word on urgency, which holds for everybody; None: the facts say it."""
