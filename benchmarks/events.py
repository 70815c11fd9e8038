"""A row for events: a report of open RDP, from its bytes to what is known of whose systems these are, against IntelMQ.

Ours: read, guarded, labelled and stored, matched over three million prefixes, released by its rule, deliveries in
the outbox; each step is committed to SQLite. Theirs: Shadowserver parser, deduplicator, sieve with one rule, file
output, as IntelMQ's documentation sets them up: a process each, Redis between them (on a socket, saving nothing), log
level WARNING, no rate limit. What its parser knows of these columns is ours (`peers/scan_rdp.json`): Shadowserver
serves that from the net. Counted is the processor's time, theirs from when the first events have come out of the last
bot; what hands the report in is not. An event of theirs costs the same in a report of any size, one of ours half as
much again in a report of 3,000 rows as in one of 40,000.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from app import desk, generate, pipeline
from app.service import Service
from benchmarks import peering
from benchmarks.holders import HOLDERS, PREFIXES, networks
from benchmarks.inputs import report
from benchmarks.measuring import NOW, instance, row
from filtering.network import Gathering
from ingest import RawDocument
from subscribers import importing, registry

ROUNDS = 3
REGISTERED = 20_000
"""How many subscribers there are to write to: the report's addresses are theirs, or nobody's."""
FIRST = 100_000
"""Number of the first of the 1.8 million others, whose three million prefixes they are looked up among."""
_NAME = "2026-03-02-scan_rdp-netherlands-geo.csv"
_BOTS = {
    "parser": "parsers.shadowserver.parser",
    "deduplicator": "experts.deduplicator.expert",
    "sieve": "experts.sieve.expert",
    "output": "outputs.file.output",
}
"""In the order in which events pass them."""
_SIEVE = "if source.ip << ['198.18.0.0/16', '198.19.0.0/17'] { add event_description.text = 'of the target group' }\n"
_PATIENCE = 120


def measure(service: Service, rows: int = 40_000, few: int = 3_000) -> Iterator[dict[str, Any]]:
    """Events/s of a processor, ours and IntelMQ's in turn. Raises PeerError."""
    python, server = peering.python(), peering.redis()
    rounds = []
    for number in range(ROUNDS):
        mine = ours(service, report(rows, number), number) / rows
        with TemporaryDirectory() as home, intelmq(Path(home), python, server) as theirs:
            rounds.append((mine, theirs.take(report(few, number)) / few))
    mine, other = (min(each) for each in zip(*rounds, strict=True))
    yield row("exposure rows from bytes to outbox", 1 / mine, "IntelMQ", 1 / other, 100, "events/s")


def filled(folder: Path, registered: int = REGISTERED, holders: int = HOLDERS, prefixes: int = PREFIXES) -> Service:
    """An instance with its subscribers, and in its index the haystack: holders from number FIRST on."""
    service = instance(folder)
    people = folder / "subscribers.ndjson"
    people.write_bytes(b"\n".join(msgspec.json.encode(each) for each in generate.subscribers(registered, 7)))
    gathering = Gathering()
    with service.transaction() as connection:
        registry.upsert(connection, importing.read(people), NOW)
        for subscriber in registry.every(connection):
            gathering.add(subscriber.profile.networks, subscriber.profile.domains, subscriber.number)
    for number, held in enumerate(networks(holders, prefixes), FIRST):
        gathering.add(held, (), number)
    with service.reading() as connection:
        service.index(connection).networks.pack(gathering.done())
    return service


def ours(service: Service, body: bytes, number: int) -> float:
    """Seconds of a processor for a report: through the door, matched, released, deliveries queued."""
    source = service.settings.source("shadowserver")
    document = RawDocument(source, body, "bench", NOW, "shadowserver", f"events{number}")
    started = time.process_time()
    tally = pipeline.admit(service, document)
    seen, released = desk.by_rules(service, sorted(tally.items), "bench")
    spent = time.process_time() - started
    assert seen == released == 1
    return spent


@contextmanager
def intelmq(home: Path, python: Path, server: tuple[Path, dict[str, str]]) -> Iterator["Pipeline"]:
    """A pipeline as long as the block lasts, through which events have gone already."""
    socket, written = home / "redis.sock", home / "events.txt"
    configure(home, socket, written, python)
    program, libraries = server
    redis: peering.Command = [program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", home]
    here = {"INTELMQ_ROOT_DIR": str(home), "PYTHONWARNINGS": "ignore"}
    bot = (python, peering.SCRIPTS / "bot.py")
    bots = {name: ((*bot, f"intelmq.bots.{module}", name), here) for name, module in _BOTS.items()}
    with peering.running(redis=(redis, libraries)) as store:
        peering.until(socket.exists, "Redis starts", store, _PATIENCE)
        with peering.running(**bots) as processes:
            pipeline = Pipeline(home / _NAME, written, (*bot, "feed", home / _NAME), here, store | processes)
            pipeline.take(report(2, 99))
            yield pipeline


class Pipeline:
    """IntelMQ at work."""

    def __init__(
        self, given: Path, written: Path, feed: peering.Command, here: dict[str, str], processes: peering.Processes
    ) -> None:
        self.given, self.written, self.feed, self.here, self.processes = given, written, feed, here, processes
        self.expected = 0

    def take(self, body: bytes) -> float:
        """Seconds of a processor until all events of a report are written; none of them came before."""
        before = self._seconds()
        self.expected += len(set(body.splitlines()[1:]))
        self.given.write_bytes(body)
        subprocess.run(self.feed, check=True, env=self.here)
        peering.until(self._done, "IntelMQ writes all events", self.processes, _PATIENCE)
        return self._seconds() - before

    def _done(self) -> bool:
        return self.written.exists() and self.written.read_bytes().count(b"\n") >= self.expected

    def _seconds(self) -> float:
        return sum(peering.seconds(process.pid) for process in self.processes.values())


def configure(home: Path, socket: Path, written: Path, python: Path) -> None:
    """What IntelMQ reads: `runtime.yaml` (JSON is YAML), its own words for what an event has, the sieve, the schema."""
    for folder in ("etc", "var/log", "var/run", "var/lib/bots"):
        (home / folder).mkdir(parents=True)
    asked: peering.Command = [
        python,
        "-c",
        "import importlib.util as u; print(u.find_spec('intelmq').submodule_search_locations[0])",
    ]
    package = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    shutil.copy(package / "etc" / "harmonization.conf", home / "etc")
    shutil.copy(peering.SCRIPTS / "scan_rdp.json", home / "var" / "lib" / "bots" / "shadowserver-schema.json")
    (home / "filter.sieve").write_text(_SIEVE)
    own: Mapping[str, dict[str, Any]] = {
        "deduplicator": {
            "redis_cache_host": str(socket),
            "redis_cache_ttl": 86_400,
            "filter_type": "blacklist",
            "filter_keys": "raw,time.observation",
        },
        "sieve": {"file": str(home / "filter.sieve")},
        "output": {"file": str(written)},
    }
    servers = ("source_pipeline_host", "destination_pipeline_host", "statistics_host")
    runtime: dict[str, Any] = {
        "global": dict.fromkeys(servers, str(socket)) | {"logging_level": "WARNING", "logging_path": f"{home}/var/log/"}
    }
    for name, after in zip(_BOTS, [*list(_BOTS)[1:], ""], strict=True):
        queues = {"source_queue": f"{name}-queue"} | (
            {"destination_queues": {"_default": [f"{after}-queue"]}} if after else {}
        )
        runtime[name] = {"module": f"intelmq.bots.{_BOTS[name]}", "bot_id": name, "run_mode": "continuous",
                         "parameters": own.get(name, {}) | queues}  # fmt: skip
    (home / "etc" / "runtime.yaml").write_text(json.dumps(runtime))
