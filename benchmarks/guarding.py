"""Rows for the guard alone: what it costs beside decoding the same objects, and what reading their patterns costs.

The processor's time is counted, not the clock's. The collector rests on both sides, as it does at the door.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.inputs import bundle
from benchmarks.measuring import NOW, best, instance, row
from ingest import RawDocument
from normalize.collector import paused
from normalize.patterns import reading
from normalize.read import normalize

ROUNDS = 9


def measure(objects: int = 4000) -> Iterator[dict[str, Any]]:
    """Objects/s of a mixed STIX bundle, against orjson's decode of it."""
    import orjson

    bundles = [bundle(objects, seed) for seed in range(ROUNDS)]

    def decode(number: int) -> float:
        with paused():
            started = time.process_time()
            decoded = orjson.loads(bundles[number])
            seconds = time.process_time() - started
        assert len(decoded["objects"]) == objects
        return seconds

    with tempfile.TemporaryDirectory() as folder:
        service = instance(Path(folder))
        source = service.settings.source("market")

        def guard(number: int) -> float:
            document = RawDocument(source, bundles[number], "bench", NOW, "stix", f"guard{number}")
            drafts = normalize(document).drafts
            started = time.process_time()
            for draft in drafts:
                service.guard.admit(draft, source, NOW)
            return time.process_time() - started

        mine, theirs = best(guard, decode, ROUNDS)
    yield row("STIX objects guarded", objects / mine, "orjson alone", objects / theirs, 1 / 3, "objects/s")

    def patterns(number: int) -> float:
        found = [obj["pattern"] for obj in orjson.loads(bundles[number])["objects"] if "pattern" in obj]
        with paused():
            started = time.process_time()
            for pattern in found:
                reading(pattern)
            return time.process_time() - started

    mine, theirs = best(patterns, decode, ROUNDS)
    yield row(
        "the patterns of those objects read", objects / mine, "orjson alone", objects / theirs, 1 / 3, "objects/s"
    )
