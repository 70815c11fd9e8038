"""The benchmark table. Every row is a ratio of two things measured in turn in one run, the best of several rounds."""

import csv
import io
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from app import desk, generate, pipeline
from benchmarks import finding, formats, guarding, intelmq, mailing, matching, taxii
from benchmarks.inputs import bundle, report
from benchmarks.measuring import NOW, ROUNDS, best, instance, row
from ingest import RawDocument
from subscribers import importing, registry


def measure() -> list[dict[str, Any]]:
    """Rows {"what","ours","peer","ratio","aim"}."""
    own = [door(), exposure(), *guarding.measure(), *finding.measure(), *formats.measure()]
    return [*own, *matching.measure(), *taxii.measure(), *mailing.measure(), *intelmq.measure()]


def door(objects: int = 4000) -> dict[str, Any]:
    """Objects/s of a mixed STIX bundle: decoded, guarded, stored and sealed, against `stix2.parse` alone."""
    import stix2

    bundles = [bundle(objects, seed) for seed in range(ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        service = instance(Path(folder))

        def ours(number: int) -> float:
            document = RawDocument(
                service.settings.source("market"), bundles[number], "bench", NOW, "stix", f"door{number}"
            )
            started = time.perf_counter()
            tally = pipeline.admit(service, document)
            seconds = time.perf_counter() - started
            assert sum(tally.effects.values()) > 0
            return seconds

        def peer(number: int) -> float:
            started = time.perf_counter()
            stix2.parse(bundles[number], allow_custom=True)
            return time.perf_counter() - started

        mine, theirs = best(ours, peer)
    return row(
        "STIX objects through door and into the database",
        objects / mine,
        "stix2.parse alone",
        objects / theirs,
        8.0,
        "objects/s",
    )


def exposure(rows: int = 40_000) -> dict[str, Any]:
    """Events/s of a Shadowserver-style CSV through door, match and outbox, against csv and one SQLite table."""
    with tempfile.TemporaryDirectory() as folder:
        service = instance(Path(folder))
        people = Path(folder) / "subscribers.ndjson"
        people.write_bytes(b"\n".join(msgspec.json.encode(each) for each in generate.subscribers(20_000, 7)))
        with service.transaction() as connection:
            registry.upsert(connection, importing.read(people), NOW)
        with service.reading() as connection:
            service.index(connection)

        def ours(number: int) -> float:
            body = report(rows, number)
            document = RawDocument(
                service.settings.source("shadowserver"), body, "bench", NOW, "shadowserver", f"rdp{number}"
            )
            started = time.perf_counter()
            tally = pipeline.admit(service, document)
            desk.by_rules(service, sorted(tally.items), "bench")
            return time.perf_counter() - started

        def peer(number: int) -> float:
            body = report(rows, number)
            database = sqlite3.connect(Path(folder) / f"peer{number}.db")
            started = time.perf_counter()
            read = list(csv.reader(io.StringIO(body.decode())))
            columns = ", ".join(f"c{each}" for each in range(len(read[0])))
            database.execute(f"CREATE TABLE events ({columns})")
            database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(read[0]))})", read[1:])
            database.commit()
            return time.perf_counter() - started

        mine, theirs = best(ours, peer)
    return row(
        "exposure rows through door, match and outbox",
        rows / mine,
        "csv + one SQLite table, nothing else",
        rows / theirs,
        0.1,
        "events/s",
    )
