"""A row for each format: its documents through the whole door, against a bare decode of the same bytes.

Every document is guarded, merged and stored in a transaction of its own: the ratios are small, and tell of regressions.
To add one: a maker of documents in benchmarks/inputs.py, and a line in FEEDS.
"""

import csv
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from app import pipeline
from app.service import Service
from benchmarks import inputs
from benchmarks.measuring import NOW, best, instance, row
from ingest import Format, RawDocument

ROUNDS = 3


class Feed(NamedTuple):
    """What one row measures."""

    what: str
    source: str
    format: Format
    make: Callable[[int], Sequence[bytes]]
    """The documents of a round; no round has seen those of another."""
    parts: int
    """How many of `unit` are in them."""
    unit: str
    bare: Callable[[bytes], object]
    aim: float


def _rows(body: bytes) -> object:
    return list(csv.reader(io.StringIO(body.decode())))


def _many(make: Callable[[int], bytes], count: int) -> Callable[[int], Sequence[bytes]]:
    return lambda number: [make(number * count + each) for each in range(count)]


def _one(make: Callable[[int, int], bytes], count: int) -> Callable[[int], Sequence[bytes]]:
    return lambda number: [make(count, number)]


FEEDS = (
    Feed("STIX bundle", "market", "stix", _one(inputs.bundle, 1000), 1000, "objects", json.loads, 0.02),
    Feed("CSAF advisories", "ncsc-nl", "csaf", _many(inputs.csaf, 40), 40, "documents", json.loads, 0.0015),
    Feed("KEV catalogue", "kev", "kev", _one(inputs.kev, 200), 200, "entries", json.loads, 0.0003),
    Feed("CVE records", "cve", "cve", _many(inputs.cve, 100), 100, "documents", json.loads, 0.0005),
    Feed("EPSS scores", "epss", "epss", _one(inputs.epss, 20_000), 20_000, "scores", _rows, 0.05),
    Feed(
        "Shadowserver report", "shadowserver", "shadowserver", _one(inputs.report, 10_000), 10_000, "rows", _rows, 0.05
    ),
    Feed("X-ARF reports", "market", "xarf", _many(inputs.xarf, 40), 40, "documents", json.loads, 0.0005),
    Feed("CSV of indicators", "market", "csv", _one(inputs.indicators, 2_000), 2_000, "rows", _rows, 0.005),
    Feed("MISP event", "market", "misp", _one(inputs.misp, 1_000), 1_000, "attributes", json.loads, 0.005),
    Feed("RSS stories", "news", "rss", _one(inputs.rss, 100), 100, "stories", ElementTree.fromstring, 0.0003),
)


def measure() -> Iterator[dict[str, Any]]:
    """A row for each feed."""
    for feed in FEEDS:
        with tempfile.TemporaryDirectory() as folder:
            yield _measured(feed, instance(Path(folder)))


def _measured(feed: Feed, service: Service) -> dict[str, Any]:
    rounds = [feed.make(number) for number in range(ROUNDS)]

    def ours(number: int) -> float:
        source = service.settings.source(feed.source)
        started = time.perf_counter()
        for index, body in enumerate(rounds[number]):
            document = RawDocument(source, body, "bench", NOW, feed.format, f"{feed.format}{number}/{index}")
            tally = pipeline.admit(service, document)
            assert not tally.refused
        return time.perf_counter() - started

    def peer(number: int) -> float:
        started = time.perf_counter()
        for body in rounds[number]:
            feed.bare(body)
        return time.perf_counter() - started

    mine, theirs = best(ours, peer, ROUNDS)
    return row(
        f"{feed.what} through the door",
        feed.parts / mine,
        f"{getattr(feed.bare, '__name__', '').strip('_')} alone",
        feed.parts / theirs,
        feed.aim,
        f"{feed.unit}/s",
    )
