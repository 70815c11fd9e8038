"""Live sources: what is due is read, brought through the door, and remembered (docs/decisions/009-live-feeds.md).

Each source is read in a thread of its own, those of one host one after another. Documents come to one place, where
each is admitted in a transaction; a position is stored after those it covers. Nothing lies in between but the few
documents that wait in memory. The threads are daemons: whoever stops us does not wait for a server that drips.
"""

import queue
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from app import door, pipeline
from app.door import Tally
from app.observe import place
from app.service import Service
from ingest import Expected, Feed, Given, RawDocument, Reached, Source, SourceError, Unreadable, cursors
from ingest.readers import READERS, reader
from pii_guard import GuardError
from pii_guard.policy import check_sources

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
"""How long a source is left alone after a failure: doubling from the first, up to the longest, with jitter."""
AT_ONCE = 8
"""Sources that are read at the same time."""
LONGEST = 3600.0
"""Seconds that one poll of a source takes, and"""
MOST = 100_000
"""documents that it gives; what is left comes with the next."""
PAUSE = 2.0
"""Seconds between two looks at what is due."""
_WAITING = 4
"""Documents in memory between readers and the door."""


@dataclass(slots=True)
class Polled:
    """What one poll of a source gave."""

    source: str
    tally: Tally = field(default_factory=Tally)
    expected: int = 0
    error: str = ""
    """In words; empty: it was read to its end."""


@dataclass(frozen=True, slots=True)
class _End:
    """A reader is done."""

    error: str = ""
    retry_after: timedelta | None = None


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Nobody takes documents any more."""


def live(service: Service, names: Sequence[str]) -> list[Source]:
    """Sources by id. Raises ConfigError for one that there is not, SourceError for one that is not live."""
    found = [service.settings.source(name) for name in dict.fromkeys(names)]
    for source in found:
        if source.kind not in READERS:
            raise SourceError(f"{source.id}: its kind is {source.kind}, which is not polled: use `oktt ingest`")
    return found


def due(service: Service) -> list[Source]:
    """Live sources that are due: those never read first, then those that wait longest."""
    now = service.clock()
    with service.reading() as connection:
        at = {each.source: each.due_at for each in cursors.overview(connection) if each.due_at is not None}
    sources = [each for each in service.settings.sources.values() if each.kind in READERS]
    return sorted(
        (each for each in sources if at.get(each.id, now) <= now),
        key=lambda each: (each.id in at, at.get(each.id, now)),
    )


class Poller:
    """Reads sources: `with Poller(service) as poller: poller.start(sources); poller.work()`."""

    def __init__(
        self,
        service: Service,
        advance: Callable[..., None] = lambda *_, **__: None,
        rng: random.Random = random.SystemRandom(),  # noqa: B008 - it has no state
    ) -> None:
        self._service, self._advance, self._rng = service, advance, rng
        self._key = service.keys.derive("documents")
        self._given: queue.Queue[tuple[Source, Given | _End]] = queue.Queue(_WAITING)
        self._hosts: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._slots = threading.Semaphore(AT_ONCE)
        self._stop = threading.Event()
        self.running: dict[str, Polled] = {}

    def __enter__(self) -> "Poller":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def start(self, sources: Iterable[Source]) -> None:
        """Begin to read those of these that are not being read."""
        fresh = [source for source in sources if source.id not in self.running]
        if not fresh:
            return
        with self._service.reading() as connection:
            positions = {source.id: cursors.standing(connection, source.id).position for source in fresh}
        for source in fresh:
            self.running[source.id] = Polled(source.id)
            lock, position = self._hosts[_host(source)], positions[source.id]
            threading.Thread(target=self._read, args=(source, position, lock), name=source.id, daemon=True).start()

    def work(self, seconds: float | None = None) -> list[Polled]:
        """Admit what comes in until all is read, or for so many seconds; what was read to its end, or to an error."""
        until = None if seconds is None else time.monotonic() + seconds
        ended: list[Polled] = []
        while self.running and (until is None or time.monotonic() < until):
            try:
                source, given = self._given.get(timeout=0.2)
            except queue.Empty:
                continue
            polled = self.running[source.id]
            if isinstance(given, _End):
                self._ended(source, polled, given)
                ended.append(self.running.pop(source.id))
            else:
                self._take(source, polled, given)
        return ended

    def _take(self, source: Source, polled: Polled, given: Given) -> None:
        match given:
            case RawDocument():
                polled.tally.add(pipeline.admit(self._service, given))
                self._advance()
            case Unreadable():
                polled.tally.add(door.unreadable(self._service, source.id, given))
                self._advance()
            case Reached() if polled.tally.mistake:
                pass  # the next poll gives the document again: perhaps to a version that can read it
            case Reached():
                with self._service.transaction() as connection:
                    cursors.record_position(connection, source.id, given.position)
            case Expected():
                polled.expected = given.documents
                self._advance(0, total=sum(each.expected for each in self.running.values()))

    def _ended(self, source: Source, polled: Polled, end: _End) -> None:
        now = self._service.clock()
        if polled.tally.mistake and not end.error:
            end = _End(f"{source.id}: a document is kept waiting by {polled.tally.mistake}")
        polled.error = end.error
        self._service.metrics.polls.labels(source.id, "failed" if end.error else "read").inc()
        if not end.error:
            door.succeeded(self._service, source.id, now + cast(Feed, source.feed).every)
            self._service.metrics.read_at.labels(source.id).set(now.timestamp())
            return
        with self._service.reading() as connection:
            failures = cursors.standing(connection, source.id).failures
        wait = min(FIRST_WAIT * 2 ** min(failures, 20), LONGEST_WAIT) * self._rng.uniform(0.5, 1.0)
        door.failed(self._service, source.id, end.error, now + max(wait, end.retry_after or wait))

    def _read(self, source: Source, position: str, host: threading.Lock) -> None:
        """In the source's thread: what it gives, one by one, and its end."""
        try:
            with host, self._slots:
                end = self._hand_over(source, position)
            self._put(source, end)
        except _Stopped:
            return

    def _hand_over(self, source: Source, position: str) -> _End:
        until, count = time.monotonic() + LONGEST, 0
        try:
            check_sources(self._service.settings.policy, [source], self._service.clock())
            made = reader(source, key=self._key, clock=self._service.clock)
            with closing(cast(Any, made.read(position))) as given:
                for each in given:
                    self._put(source, each)
                    count += isinstance(each, (RawDocument, Unreadable))
                    if count >= MOST or time.monotonic() > until:
                        return _End(f"{source.id}: it gives more than one poll takes; the next goes on")
        except SourceError as error:
            return _End(str(error), error.retry_after)
        except GuardError as error:  # what the regime in force today does not allow
            return _End(f"{source.id}: {error}")
        except _Stopped:
            raise
        except Exception as error:
            return _End(f"{source.id}: {type(error).__name__} at {place(error)}: a mistake of ours; report that place")
        return _End()

    def _put(self, source: Source, given: Given | _End) -> None:
        while not self._stop.is_set():
            try:
                self._given.put((source, given), timeout=0.2)
                return
            except queue.Full:
                continue
        raise _Stopped


def keep_up(service: Service, stop: threading.Event) -> None:
    """`oktt run`: read what is due, and look again, until told to stop."""
    with Poller(service) as poller:
        while not stop.is_set():
            poller.start(due(service))
            if poller.running:
                poller.work(PAUSE)
            else:
                stop.wait(PAUSE)


def _host(source: Source) -> str:
    """Sources of one host wait for each other."""
    parts = urlsplit(cast(Feed, source.feed).url)
    return parts.netloc.lower() if source.kind == "kafka" else parts.hostname or ""
