"""Any format -> STIX 2.1 drafts, with the facts that matching and people need. Pure functions, no I/O.

`normalize.read.normalize(document) -> Normalized` recognises the format by content. One bad object never costs
the rest of its bundle: it becomes a Problem. A Draft is unguarded and lives in memory only.
The types are msgspec Structs: frozen, compact, and stored as JSON once the guard has let them through.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from ingest import Stage
from tlp import Label

Kind = Literal["advisory", "report", "indicators", "exposure", "news", "facts"]
"""`facts` (CVE 5 records) joins the items that name its CVEs and is never an item of its own."""
Level = Literal["low", "medium", "high"]
Role = Literal["attacker", "victim", "unknown"]
Urgency = Literal["today", "this-week", "info"]
ObservableType = Literal[
    "ipv4",
    "ipv6",
    "cidr",
    "asn",
    "domain",
    "url",
    "email",
    "mac",
    "hash",
    "file",
    "username",
    "certificate",
    "other",
    "token",
]
Bound = Literal["=", "<", "<=", ">", ">=", "!=", "on", "off"]
"""How a version stands to a limit; `on` and `off`: only where a platform is, or is not, there too. It is a CPE, perhaps
with its versions: `cpe:2.3:h:... >=1.0|<1.5`."""


class NormalizeError(Exception):
    """A document that is not what it claims to be. `path` says where; the message holds no value."""

    def __init__(self, reason: str, path: str = "", stage: Stage = "parse") -> None:
        super().__init__(reason)
        self.reason, self.path, self.stage = reason, path, stage


class Problem(Struct, frozen=True):
    """A part of a document that was refused, or noted, while the rest went on."""

    stage: Stage
    reason: str
    path: str = ""


class Range(Struct, frozen=True):
    """Versions for which every constraint holds; no constraint at all = every version."""

    constraints: tuple[tuple[Bound, str], ...] = ()
    scheme: str = ""
    """What orders these versions (`normalize.schemes`): `semver`, `deb`. Empty: as vendors number, where certain."""


class Affected(Struct, frozen=True):
    """A product as a source stated it."""

    vendor: str
    product: str
    versions: str = ""
    """As stated, shown to people: `<V2024.3`, `7.2 all versions`. Empty: none stated."""
    ranges: tuple[Range, ...] = ()
    """The exact reading, alternatives. Empty: could not be read exactly -> *possibly affected*."""
    cpe: str | None = None
    purl: str | None = None
    status: Literal["affected", "fixed", "not-affected", "unknown"] = "affected"


class Observable(Struct, frozen=True, gc=False):
    """An address, name or hash that an item is about. Exposure reports have one for each row.

    The garbage collector leaves them alone: there are many, and nothing in them can lead back to them.
    """

    type: ObservableType
    value: str
    role: Role = "unknown"
    evidence: str = ""
    """What makes the role so: `indicator-type:malicious-activity`, `report:scan_rdp`; the guard decides."""
    asn: int | None = None
    country: str | None = None
    port: int | None = None
    protocol: str | None = None
    seen: datetime | None = None
    detail: dict[str, str] = field(default_factory=dict)
    """Facts of the row that are not personal (tag, product, severity)."""
    own: bool = False
    """Set by the guard: gated. Sealed where it lies; who is shown it, and in which form, the policy says."""


class Facts(Struct, frozen=True):
    """What matching, ranking and people need of a document."""

    tracking: tuple[str, ...] = ()
    """Ids that publishers gave: NCSC-2026-0412, GHSA-..., STIX report ids; of an exposure that is a list made anew
    every day, the report's type (`scan_rdp`): with its source that is a series (triage.exposures)."""
    cves: tuple[str, ...] = ()
    affected: tuple[Affected, ...] = ()
    sectors: tuple[str, ...] = ()
    """Codes with their scheme: `SBI:25.62`, `NIS2:energy`, `STIX:energy`."""
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2."""
    regions: tuple[str, ...] = ()
    """Parts of countries (ISO 3166-2: `NL-NB`) and of the world (`western-europe`): normalize/places.py."""
    observables: tuple[Observable, ...] = ()
    kans: Level | None = None
    schade: Level | None = None
    cvss: float | None = None
    epss: float | None = None
    exploited: bool | None = None
    exposure: str | None = None
    """What kind of exposure: `open-rdp`, `vulnerable-exchange`; a Shadowserver report type."""
    remedies: tuple[str, ...] = ()
    """What the source says to do, in its own language."""
    withdrawn: bool = False


class Draft(Struct, frozen=True):
    """What normalize makes of (a part of) a document: not yet guarded, in memory only."""

    kind: Kind
    key: str
    """Natural key within the source: tracking id, STIX id, `scan_rdp/2026-03-02`, guid of a story."""
    title: str
    summary: str
    language: str
    facts: Facts
    objects: tuple[dict[str, Any], ...] = ()
    """STIX 2.1 objects, marking definitions included."""
    references: tuple[str, ...] = ()
    """URLs with more about it."""
    label: Label | None = None
    """Strictest marking found; None: it carries none."""
    doubts: tuple[str, ...] = ()
    """Why a person has to look first, e.g. `unknown-marking`. Named reasons, no values."""
    source_time: datetime | None = None
    readings: dict[str, Any] = {}
    """STIX pattern -> its `normalize.patterns.Reading`, of those that were read already: perhaps more, or fewer."""
    layer: Label | None = None
    """What of the draft before it, of that key, may be seen at this wider label (`normalize.layers`); None: whole."""


class Score(Struct, frozen=True, gc=False):
    """How probable it is that a vulnerability will be exploited (EPSS)."""

    cve: str
    epss: float
    """0 to 1."""
    day: str = ""
    """Of the score, ISO 8601; empty: not stated."""


class Normalized(Struct, frozen=True):
    """The drafts of one document, and what of it was refused."""

    format: str
    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...] = ()
    scores: tuple[Score, ...] = ()
    """EPSS gives no drafts: what it says of a CVE stands beside the items that name it."""
