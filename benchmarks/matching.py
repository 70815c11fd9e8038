"""Rows for the matching index over the whole target group: built, restored, asked, kept up to date.

Each size of match is held against one sweep in the same run: `sum` of Python over 1.8 million numbers of eight bytes.
"""

import gc
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Raw, structs

from app import pipeline
from app.service import Service
from benchmarks import inputs, plain
from benchmarks.measuring import NOW, at_most, instance, row
from benchmarks.subscribers import NOBODYS, TARGET_GROUP, USED, incoming, registered
from filtering import Match, snapshot
from filtering.index import Index
from filtering.match import Matching
from ingest import RawDocument
from normalize import Affected, Facts, ranges
from pii_guard import Item, Statement
from subscribers import Software, registry
from tlp import Label
from triage import Decision, releases

ROUNDS = 200
IMPORTED = 50_000
"""Subscribers in one transaction."""
SWEEPS = {0: 0.6, 100: 0.6, 10_000: 1.2, 500_000: 2.0}
"""What a match of so many may cost, in sweeps."""
_RESTORE = """
import sys, time
from pathlib import Path
from filtering import snapshot
snapshot._program()
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
before, started = resident(), time.perf_counter()
index = snapshot.load(Path(sys.argv[1]).read_bytes(), lambda _: 1)
print(time.perf_counter() - started, (resident() - before) / len(index))
"""


def measure(count: int = TARGET_GROUP, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Rows {"what","ours","peer","ratio","aim"}."""
    with tempfile.TemporaryDirectory() as folder:
        service = instance(Path(folder))
        _register(service, count)
        gc.collect()
        with service.reading() as connection:
            started = time.perf_counter()
            index = Index.build(registry.every(connection), registry.revision(connection))
            built = time.perf_counter() - started
        yield at_most(f"index of {count:,} subscribers, built from the database", built, "limit", 60, 1, "s")
        file = Path(folder) / "index.snapshot"
        yield from _restored(index, file)
        index = _again(file)
        yield from _asked(index, count, rounds)
        yield _persisted(service, index)
        yield _updated(index, count, built)


def _register(service: Service, count: int) -> None:
    waiting = incoming(count)
    while some := list(islice(waiting, IMPORTED)):
        with service.transaction() as connection:
            registry.upsert(connection, some, NOW)


def advisory(product: str) -> Item:
    """About one product, for everybody to see."""
    affected = (Affected("Oktt", product, "<2.0", ranges.read("<2.0")),)
    said = Statement(
        key="bench", source="ncsc-nl", kind="advisory", title="", summary="", language="nl",
        facts=Facts(affected=affected, sectors=(NOBODYS,)), objects=Raw(b"[]"), references=(), label=Label.CLEAR,
        holds=(), findings=(), regime="wbdwb", policy="", source_time=None, received_at=NOW, meaning="",
    )  # fmt: skip
    return Item("OKTT-2026-0001", 1, (said,))


def matched(item: Item, index: Index) -> Match:
    """Whom it concerns, with nothing known from the time before."""
    return Matching(item, index, NOW, urgency="today", consents={}).match()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _restored(index: Index, file: Path) -> Iterator[dict[str, Any]]:
    """In a process of its own, as it starts."""
    file.write_bytes(snapshot.dump(index, 1))
    made = subprocess.run([sys.executable, "-c", _RESTORE, file], check=True, capture_output=True, text=True)
    seconds, size = map(float, made.stdout.split())
    yield at_most("the index restored from its snapshot", seconds, "limit", 1, 1, "s")
    yield at_most("its memory a profile, networks and domains included", size, "limit", 200, 1, "bytes")


def _again(file: Path) -> Index:
    """As a process has it that was started with a snapshot."""
    found = snapshot.load(file.read_bytes(), lambda _: 1)
    assert found is not None
    return found


def _asked(index: Index, count: int, rounds: int) -> Iterator[dict[str, Any]]:
    column = array("q", range(count))
    sweep = min(_timed(lambda: sum(column)) for _ in range(5))
    for users, most in SWEEPS.items():
        item = advisory(USED.get(users, "Nothing"))
        found = matched(item, index)
        times = sorted(_timed(lambda item=item: matched(item, index)) for _ in range(rounds))
        what = f"a match that {users:,} use the product of, {len(found.audience):,} reached"
        yield at_most(f"{what}: p50", 1e3 * times[rounds // 2], "one sweep", 1e3 * sweep, most, "ms")
        yield at_most(f"{what}: p99", 1e3 * times[rounds * 99 // 100], "one sweep", 1e3 * sweep, 5, "ms")
    rows = [plain.row(each) for each in registered(incoming(count))]
    started = time.perf_counter()
    ids = plain.audience(rows, ("Oktt", USED[500_000], "1.0"), NOBODYS)
    seconds = time.perf_counter() - started
    assert ids == list(found.audience), "the plain matcher says otherwise"
    ours = 1e3 * times[rounds // 2]
    yield row("the same match, beside a plain loop", 1e3 / ours, "plain Python", 1 / seconds, 800, "matches/s")


def _persisted(service: Service, index: Index) -> dict[str, Any]:
    """The audience of a release, stored and committed."""
    document = RawDocument(service.settings.source("kev"), inputs.kev(20, 1), "bench", NOW, "kev", "kev")
    items = sorted(pipeline.admit(service, document).items)
    found = matched(advisory(USED[500_000]), index)
    stored = []
    for item in items:
        with service.transaction() as connection:
            started = time.perf_counter()
            decision = Decision(item, 1, "release", "bench", NOW)
            releases.record(connection, decision, found, "shown", "active")
        stored.append(time.perf_counter() - started)
    times = sorted(_timed(lambda: matched(advisory(USED[500_000]), index)) for _ in range(len(items)))
    middle = len(items) // 2
    ours, match = 1e3 * sorted(stored)[middle], 1e3 * times[middle]
    return at_most(f"a match of {len(found.audience):,} stored and committed", ours, "the match", match, 20, "ms")


def _updated(index: Index, count: int, built: float) -> dict[str, Any]:
    """One in a hundred profiles moves to another sector and network, and lists another product."""
    changed = []
    for number, each in enumerate(islice(registered(incoming(count)), count // 100)):
        profile = structs.replace(
            each.profile,
            sectors=("SBI:62.01",) if number % 2 else ("SBI:10.71",),
            networks=(f"198.51.{number >> 8 & 255}.{number & 255}/32",),
            software=(*each.profile.software, Software("Oktt", "Common", "1.1")),
        )
        changed.append(structs.replace(each, profile=profile))
    seconds = _timed(lambda: index.apply([(each.number, each) for each in changed], index.revision + 1))
    what = f"1% of the profiles changed ({len(changed) / seconds:,.0f} updates/s)"
    return at_most(what, seconds, "building it anew", built, 0.25, "s")
