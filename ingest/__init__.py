"""The way in: inbound I/O only; bytes out.

A reader yields RawDocuments. Their bytes live in memory and nowhere else until the guard has decided
(docs/decisions/003-the-door.md). `ingest.files` reads files, folders and archives; `ingest.cursors` keeps
where each source stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tlp import Label

SourceKind = Literal["files", "http", "csaf", "taxii", "misp", "imap", "kafka"]
Known = Literal["stix", "misp", "csaf", "kev", "epss", "cve", "rss", "shadowserver", "xarf", "csv"]
Format = Literal["auto", Known]
Stage = Literal["fetch", "parse", "shape", "guard", "policy"]


class SourceError(Exception):
    """A source that cannot be read at all. The message names the source and the next step."""


@dataclass(frozen=True, slots=True)
class Source:
    """A feed as `sources.toml` describes it."""

    id: str
    name: str
    kind: SourceKind = "files"
    tlp: Label = Label.AMBER
    """Label of what carries none."""
    public: bool = False
    """Published for everybody (KEV, CVE, news): prose carries no personal data by policy, and is still scanned."""
    regime: str | None = None
    """Overrides the regime that legal.toml has in force."""
    reliability: str = "F"
    """Admiralty grade A-F."""
    language: str = "en"
    attacker_ip: Literal["strip", "keep"] = "strip"
    """Under no-basis: keep attackers' addresses where legal review allows."""
    consent: frozenset[str] = field(default_factory=frozenset)
    """Reader kinds to which RED and AMBER+STRICT of this source may go."""
    path: str | None = None
    """kind = "files": a folder that `oktt run` reads."""
    formats: frozenset[Known] = frozenset()
    """What it gives; empty: anything. Another format is read, and told: perhaps it is of another source."""

    def gives(self, found: str) -> bool:
        """Is this a format that the source gives?"""
        return not self.formats or found in self.formats


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One document as it came in: bytes, and who brought it. Never stored, never logged."""

    source: Source
    body: bytes
    origin: str
    """Where it came from as it may be shown: a keyed short hash of the file's name, with its extension."""
    received_at: datetime
    format: Format = "auto"
    key: str = ""
    """Keyed hash of source and content: the same bytes of the same source are the same document."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read, by which stage, why, and where. Values and outside names never stand in it."""

    origin: str
    stage: Stage
    reason: str
    path: str = ""
    """RFC 6901 JSON Pointer with unknown keys as `*`, `line N` or `row N`."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a source stands; saved in the transaction that saves the data it covers."""

    source: str
    position: str
    at: datetime


class Reader(Protocol):
    """Anything documents come from."""

    def read(self) -> Iterator[RawDocument | Unreadable]:
        """Yield documents one by one. Raises SourceError when the source as a whole cannot be read."""
        ...
