"""The way in: inbound I/O only; bytes out.

A reader yields RawDocuments. Their bytes live in memory and nowhere else until the guard has decided
(docs/decisions/003-the-door.md). `ingest.files` reads files, folders and archives; `http`, `csaf`, `taxii`, `misp`,
`mailbox` and `stream` read live feeds (docs/decisions/009-live-feeds.md); `ingest.cursors` keeps where each source
stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Protocol

from tlp import Label

SourceKind = Literal["files", "http", "csaf", "taxii", "misp", "imap", "kafka"]
Known = Literal["stix", "misp", "csaf", "kev", "epss", "cve", "rss", "shadowserver", "xarf", "csv", "list"]
Format = Literal["auto", Known]
Stage = Literal["fetch", "parse", "shape", "guard", "policy"]
Network = IPv4Network | IPv6Network


CONTRIBUTED = "subscriber:"
"""`subscriber:ID` is the source of what that subscriber handed in. Readers never learn which it was."""


OWN = "oktt"
"""The source of what the analysts write themselves."""


class SourceError(Exception):
    """A source that cannot be read at all, or no further. The message names the source and the next step."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """How long the source asks to be left alone (RFC 9110 10.2.3)."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How a live source is reached, as its table in `sources.toml` states it. No secret stands in it."""

    url: str
    """http, csaf, taxii, misp: https://...; imap: imaps://host/FOLDER; kafka: kafka://host:port,host:port."""
    every: timedelta = timedelta(hours=1)
    """How long after a poll the next one is due."""
    since: timedelta = timedelta(days=30)
    """How far back the first poll goes, where the source can tell."""
    user: str = ""
    secret_file: Path | None = None
    """Password, API key or token, alone on the first line; nobody but its owner may read it."""
    collections: tuple[str, ...] = ()
    """taxii: ids or titles; kafka: topics; misp: tags. Empty: all that are readable."""
    ca_file: Path | None = None
    """Certificates to trust instead of the machine's."""
    client_cert: Path | None = None
    """Our certificate for it, with the chain that it needs: shown to the host of `url` alone."""
    client_key: Path | None = None
    """Its key, where that is not in the same file; nobody but its owner may read it."""
    private: tuple[Network, ...] = ()
    """Networks that are not of the public internet, and that it may be in, redirect to, or refer to."""
    max_bytes: int = 256 << 20
    """The most of one document, unpacked."""


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
    labels: Mapping[str, Label] = field(default_factory=dict, hash=False)
    """Tags of other namespaces than TLP's own, folded (`tlp.tags.folded`), and what they mean."""
    consent: frozenset[str] = field(default_factory=frozenset)
    """Reader kinds to which RED and AMBER+STRICT of this source may go."""
    path: str | None = None
    """kind = "files": a folder that `oktt run` reads."""
    feed: Feed | None = None
    """kind other than "files": how it is reached."""
    formats: frozenset[Known] = frozenset()
    """What it gives; empty: anything. Another format is read, and told: perhaps it is of another source."""

    @property
    def contributed(self) -> bool:
        """Did a subscriber hand it in?"""
        return self.id.startswith(CONTRIBUTED)

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
    series: str = ""
    """Keyed hash of the address or the name that it came under: what comes under it later is a later state of it, where
    its format has no word for that. Empty: it stands by itself."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read, by which stage, why, and where. Values and outside names never stand in it."""

    origin: str
    stage: Stage
    reason: str
    path: str = ""
    """RFC 6901 JSON Pointer with unknown keys as `*`, `line N` or `row N`."""


@dataclass(frozen=True, slots=True)
class Reached:
    """All that the reader gave so far lies before this position: once it is stored, the next read starts here."""

    position: str
    """The reader's own words, JSON of at most 64 kB. No secret and no value that may be personal stands in it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How many documents are still to come, where the source tells: for progress alone."""

    documents: int


Given = RawDocument | Unreadable | Reached | Expected


class Reader(Protocol):
    """Anything documents come from."""

    def read(self, position: str = "") -> Iterator[Given]:
        """Yield documents one by one, from a position that it gave before (empty, or one that it cannot read: from
        the start). What follows the last Reached is given again by the next read. Raises SourceError when the source
        cannot be read at all or no further: what came before it stands."""
        ...
