"""Whom does it concern, and why (docs: domain-rules, "Whom it concerns").

`match.match(item, index, now) -> Match` decides for every subscriber at once, on bitmaps; `match.explain(item,
subscriber, index, now) -> Explanation` decides for one pair, criterion by criterion. Both apply the same rules and
must agree.
`index.Index` holds all subscribers: `build`, `put`, `remove`, `apply`; `snapshot.dump` and `load` keep it as bytes.
A reader's decision rests only on the statements that reader may see: see `filtering.disclosure`.
"""

from dataclasses import dataclass, field
from typing import Literal

from pyroaring import BitMap

Outcome = Literal["deliver", "digest", "no-match", "tlp", "urgency", "opt-out", "quiet", "unverified", "vital"]
CriterionName = Literal[
    "network",
    "domain",
    "software",
    "sector",
    "country",
    "region",
    "urgency",
    "clearance",
    "opt-out",
    "quiet",
    "verified",
    "general",
]
Confidence = Literal["exact", "likely", "possible"]


class FilteringError(Exception):
    """An index that does not fit the registry, or a profile it cannot hold."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One criterion for one pair, and how it came out."""

    criterion: CriterionName
    value: str
    """What was compared, in words: `Fortinet FortiOS 7.2.3 in >=7.2.0|<7.2.5`. For the subscriber and analysts."""
    matched: bool
    confidence: Confidence = "exact"
    because: str = ""
    """Why it came out so, where the value does not say it: `7.4.9 lies outside <7.2.5`. For analysts alone."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision for one pair."""

    subscriber: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    concerned: bool
    """By a criterion of its own (network, domain, software, sector), not merely as one of all."""
    unreachable: bool = False
    """It would get it, and has no channel that carries it."""
    stub: Literal["", "deliver", "quiet"] = ""
    """Outcome `tlp` for want of a closed way alone: what it is told instead is that there is a message (at once, or
    after its quiet hours), and where to read it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who gets an item version: one bitmap of subscriber numbers for each outcome, disjoint, complete."""

    item: str
    version: int
    outcomes: dict[Outcome, BitMap]
    concerned: BitMap
    """Those whom it concerns by a criterion of their own, whatever the outcome."""
    abused: BitMap = field(default_factory=BitMap)
    """Those in whose verified networks or domains an attacker's address lies: flagged for an analyst."""
    unreachable: BitMap = field(default_factory=BitMap)
    """Those of the audience who have no channel that carries it."""
    stubs: BitMap = field(default_factory=BitMap)
    """Those of the outcome `tlp` who get a stub, for want of a closed way alone."""

    @property
    def audience(self) -> BitMap:
        """Who gets a message now or in a digest, or a stub."""
        return self.stubs | self.outcomes["deliver"] | self.outcomes["digest"] | self.outcomes["quiet"]

    @property
    def readers(self) -> BitMap:
        """Whom a release is for: the audience, and those for whose alerts it is not urgent enough; editions have it."""
        return self.audience | self.outcomes["urgency"]
