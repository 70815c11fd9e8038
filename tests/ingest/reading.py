"""What tests of readers share: a source, its secret, what a reading gave."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ingest import Expected, Feed, RawDocument, Reached, Reader, Source, SourceError, SourceKind, Unreadable
from ingest.http import Bounds
from ingest.readers import READERS, reader
from tests.ingest.webserver import LOOPBACK

KEY = b"a key of thirty-two bytes, or so"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CALM = Bounds(connect=10, idle=15, answer=30, poll=60)
HASTY = Bounds(connect=2, idle=1, answer=2, poll=5)
"""For servers that never answer."""


@dataclass
class Pulled:
    """What one poll gave, in order, and how it ended."""

    documents: list[RawDocument] = field(default_factory=list)
    refused: list[Unreadable] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    expected: int | None = None
    error: SourceError | None = None
    order: list[object] = field(default_factory=list)

    @property
    def position(self) -> str:
        """The last one; empty: none was given."""
        return self.positions[-1] if self.positions else ""

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.documents]

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.documents]


def source(kind: SourceKind, url: str, **feed: Any) -> Source:
    """A source of that kind."""
    return Source("partner", "Partner", kind=kind, feed=Feed(url, **{"private": LOOPBACK, **feed}))


def made(read: Source, now: datetime = NOW, bounds: Bounds = CALM) -> Reader:
    """Its reader, as the registry makes it, but for its bounds."""
    ordinary = reader(read, key=KEY, clock=lambda: now)
    assert type(ordinary).__name__ == READERS[read.kind][1]
    bounded: Callable[..., Reader] = type(ordinary)
    return bounded(read, key=KEY, clock=lambda: now, bounds=bounds)


def pull(read: Source, position: str = "", now: datetime = NOW, bounds: Bounds = CALM) -> Pulled:
    """One poll to its end. An error is kept with what came before it; anything but a SourceError is a failure."""
    pulled = Pulled()
    try:
        for each in made(read, now, bounds).read(position):
            pulled.order.append(each)
            if isinstance(each, RawDocument):
                pulled.documents.append(each)
            elif isinstance(each, Unreadable):
                pulled.refused.append(each)
            elif isinstance(each, Reached):
                pulled.positions.append(each.position)
            elif isinstance(each, Expected):
                pulled.expected = each.documents
    except SourceError as error:
        pulled.error = error
    assert pulled.error is None or str(pulled.error).startswith("partner: "), pulled.error
    return pulled


def whole(read: Source, position: str = "", now: datetime = NOW) -> Pulled:
    """One poll that has to reach its end."""
    pulled = pull(read, position, now)
    assert pulled.error is None, pulled.error
    return pulled


def words(read: Source, position: str = "") -> str:
    """How a poll fails."""
    error = pull(read, position).error
    assert error is not None
    return str(error)
