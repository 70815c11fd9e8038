"""Rows for TAXII: all objects of a collection, pulled page by page over HTTP, against the servers there are in Python.

Ours: `oktt serve` over SQLite, a process of its own, 100 items of 1,000 objects each, all CLEAR, one credential without
a limit; every answer passes TLP, and stands in the request ledger. OpenTAXII: all 100,000, in PostgreSQL (on SQLite
its query for the latest versions does not end), behind gunicorn, open to everybody. medallion: 1,000 objects and one
page, in memory; its first page grows with the square of what it holds. Counted is the processor's time of each server
with its database; who asks is not. Against them each page of ours is asked for the first time: nothing is kept yet.

Our last page against our first, by turns, of each the median; and a page against concatenating the same octets: a
process that has them in memory, joins them and sends them over a local socket at once (`peers/concatenated.py`). Once
as pages are asked for the first time, and once as the next reader gets them.
"""

import http.client
import json
import socket
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec

from app import desk, pipeline
from app.service import Service
from app.views import Views, shown
from benchmarks import peering
from benchmarks.measuring import NOW, at_most, instance, row
from dispatch import View, publication
from ingest import RawDocument
from subscribers import importing, registry
from tlp import Label
from tlp.markings import STIX_ID
from triage import cases, decide, inbox
from triage.cases import Request
from web import auth

ITEMS, PAGE, ROUNDS = 100, 1000, 3
_ROOT = Path(__file__).parents[1]
_CLEAR = f"/taxii2/oktt/collections/{publication.IDS[publication.CLEAR]}/objects/"
_ACCEPT = {"Accept": "application/taxii+json;version=2.1"}
_STAMP = "2026-03-01T10:00:00.000Z"
_SETTINGS = "[web]\nrequests_per_minute = 0\n"
_PEOPLE = b'{"id":"lezer","name":"Lezer","kind":"company","channels":[{"type":"taxii"}]}\n'
_PATIENCE = 600.0
_OFTEN = 1000
"""Pages that are asked for in a round: the system counts a processor's time in hundredths of a second."""


class _Page(msgspec.Struct):
    objects: list[msgspec.Raw] = []
    next: str | None = None


@dataclass(frozen=True)
class Served:
    """A server: where it listens, what it is asked for, and the time of a processor that it has taken so far."""

    port: int
    path: str
    seconds: Callable[[], float]
    login: str = ""
    exactly: Callable[[], float] = float

    def pull(self) -> Iterator[tuple[str, list[bytes]]]:
        """Every page: what was asked for to get it, and its objects."""
        with self.client() as client:
            after: str | None = ""
            while after is not None:
                asked = f"?limit={PAGE}" + (f"&next={after}" if after else "")
                page = msgspec.json.decode(self.get(client, asked), type=_Page)
                yield asked, [bytes(each) for each in page.objects]
                after = page.next

    @contextmanager
    def client(self) -> Iterator[http.client.HTTPConnection]:
        """A connection."""
        made = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            yield made
        finally:
            made.close()

    def get(self, client: http.client.HTTPConnection, asked: str) -> bytes:
        """A page."""
        login = {"Authorization": self.login} if self.login else {}
        client.request("GET", self.path + asked, headers=_ACCEPT | login)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise peering.PeerError(f"a server of TAXII answered {answer.status}")
        return body

    def by_turns(self, one: str, other: str) -> list[tuple[float, float]]:
        """Seconds of a processor for each of two pages, again and again: what else the machine does meets both."""
        found = []
        with self.client() as client:
            for _ in range(_OFTEN):
                start = self.exactly()
                self.get(client, one)
                between = self.exactly()
                self.get(client, other)
                found.append((between - start, self.exactly() - between))
        return found

    def spent(self, asked: list[str]) -> float:
        """Seconds of a processor for these pages."""
        before = self.seconds()
        with self.client() as client:
            for each in asked:
                self.get(client, each)
        return self.seconds() - before


def measure(items: int = ITEMS, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """The rows; a line on stderr for each peer that is not here."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        token = filled(home, items)
        with ours(home, token) as mine:
            pages = list(mine.pull())
            asked, bodies = [each for each, _ in pages], [objects for _, objects in pages]
            with concatenating(home, bodies) as joining:
                yield from costs(mine, asked, partial(first_time, home, token, asked), joining, rounds)
        yield from against(home, bodies, partial(first_time, home, token, asked), rounds)


def first_time(home: Path, token: str, asked: list[str]) -> float:
    """Seconds of a processor for these pages, of a server that was just started."""
    with ours(home, token) as server:
        server.spent(["?limit=1"])
        return server.spent(asked)


def costs(
    mine: Served, asked: list[str], first: Callable[[], float], joining: Callable[[Sequence[int]], float], rounds: int
) -> Iterator[dict[str, Any]]:
    """Pages against each other, by turns; and against their octets."""
    head, tail = (median(each) * 1e3 for each in zip(*mine.by_turns(asked[0], asked[-1]), strict=True))
    yield at_most("last page of TAXII", tail, "first page", head, 1.2, "ms")
    times = max(1, _OFTEN // len(asked))
    every = list(range(len(asked))) * times
    found = [(mine.spent(asked * times), joining(every)) for _ in range(rounds)]
    again, joined = (min(each) * 1e3 / len(every) for each in zip(*found, strict=True))
    new = min(first() for _ in range(rounds)) * 1e3 / len(asked)
    said = "its octets, joined and sent"
    yield at_most("a TAXII page that was asked for before", again, said, joined, 3, "ms")
    yield at_most("a TAXII page, the first time", new, said, joined, 3, "ms")


def against(home: Path, bodies: list[list[bytes]], first: Callable[[], float], rounds: int) -> Iterator[dict[str, Any]]:
    """The row against other servers."""
    count, others = sum(map(len, bodies)), dict[str, Served]()
    with ExitStack() as stack:
        for name, peer in (("medallion", medallion), ("OpenTAXII", opentaxii)):
            try:
                others[name] = stack.enter_context(peer(home, bodies))
            except peering.PeerError as missing:
                print(f"bench: {missing}", file=sys.stderr)
        if others:
            found = [(first() / count, *map(_pulled, others.values())) for _ in range(min(rounds, 2))]
            mine, *theirs = (1 / min(each) for each in zip(*found, strict=True))
            said = "; ".join(f"{name} {rate:,.0f}" for name, rate in zip(others, theirs, strict=True))
            yield row(f"{count:,} objects over TAXII", mine, f"{said}; the faster", max(theirs), 50, "objects/s")


def _pulled(server: Served) -> float:
    """Seconds of a processor an object."""
    before = server.seconds()
    count = sum(len(objects) for _, objects in server.pull())
    return (server.seconds() - before) / count


def filled(home: Path, items: int) -> str:
    """An instance whose collection `clear` holds that many items of a thousand objects, markings included; the token of
    a credential."""
    service = instance(home)
    (home / "oktt.toml").write_text(_SETTINGS)
    (home / "people.ndjson").write_bytes(_PEOPLE)
    with service.transaction() as connection:
        registry.upsert(connection, importing.read(home / "people.ndjson"), NOW)
        token = auth.create(connection, "lezer", "taxii", NOW)["token"]
    source = service.settings.source("market")
    for number in range(items):
        bundle = {"type": "bundle", "id": _id("bundle", number, 0), "objects": [_indicator(number, 0)]}
        pipeline.admit(
            service, RawDocument(source, json.dumps(bundle).encode(), "bench", NOW, "stix", f"taxii{number}")
        )
    with service.reading() as connection:
        waiting = [each["id"] for each in inbox.cards(connection, limit=items)]
    for number, item in enumerate(waiting):
        desk.decide_on(service, Request("release", item, "bench", "bench", "bench"))
        _publish(service, item, [_indicator(number, each) for each in range(1, PAGE - (number == 0))])
    return token


def _publish(service: Service, item: str, more: list[dict[str, Any]]) -> None:
    """What was released of an item, with these objects."""
    with service.transaction() as connection:
        case = cases.opened(connection, service.guard, item, service.settings.consents)
        released = decide.released(connection, case, shown(service, case))
        assert released is not None
        view = Views(service, connection, released, "exchange").public()
        assert isinstance(view, View)
        publication.publish(connection, publication.CLEAR, replace(view, objects=(*view.objects, *more)), NOW)


def _indicator(item: int, number: int) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": _id("indicator", item, number), "created": _STAMP,
        "modified": _STAMP, "name": f"C2 {item}-{number}", "description": "Gezien bij een campagne tegen bedrijven.",
        "indicator_types": ["malicious-activity"], "pattern": f"[domain-name:value = 'c2-{item}-{number}.example']",
        "pattern_type": "stix", "valid_from": _STAMP, "object_marking_refs": [STIX_ID[Label.CLEAR]],
    }  # fmt: skip


def _id(kind: str, item: int, number: int) -> str:
    return f"{kind}--{UUID(int=item << 64 | number, version=4)}"


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def ours(home: Path, token: str) -> Iterator[Served]:
    """`oktt serve`."""
    port = _port()
    command: peering.Command = [
        sys.executable,
        "-c",
        "from app.cli import main; main()",
        "--dir",
        home,
        "serve",
        "--port",
        str(port),
    ]
    with peering.running(oktt=(command, {"PYTHONPATH": str(_ROOT)})) as processes:
        peering.until(partial(_listens, port), "OKTT listens", processes, _PATIENCE)
        process = processes["oktt"].pid
        seconds, exactly = partial(peering.seconds, process), partial(peering.exactly, process)
        yield Served(port, _CLEAR, seconds, f"Bearer {token}", exactly)


@contextmanager
def concatenating(home: Path, bodies: list[list[bytes]]) -> Iterator[Callable[[Sequence[int]], float]]:
    """Seconds of a processor to join and send these pages."""
    (home / "bodies.json").write_bytes(msgspec.json.encode([[each.decode() for each in page] for page in bodies]))
    port = _port()
    command: peering.Command = [sys.executable, peering.SCRIPTS / "concatenated.py", home / "bodies.json", str(port)]
    with peering.running(concatenated=(command, {})) as processes:
        peering.until(partial(_listens, port), "the pages lie in memory", processes, _PATIENCE)
        process = processes["concatenated"].pid

        def spent(pages: Sequence[int]) -> float:
            before = peering.seconds(process)
            with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
                for number in pages:
                    connection.sendall(number.to_bytes(4))
                    answers.read(int.from_bytes(answers.read(4)))
            return peering.seconds(process) - before

        yield spent


@contextmanager
def medallion(home: Path, bodies: list[list[bytes]]) -> Iterator[Served]:
    """With one page."""
    python, port = peering.environment("medallion"), _port()
    collection = {"id": str(UUID(int=1, version=4)), "title": "bench", "can_read": True, "can_write": False}
    rows = [obj for each in bodies[0] if "modified" in (obj := msgspec.json.decode(each))]
    media = "application/stix+json;version=2.1"
    added = {"date_added": "2026-03-02T08:00:00.000000Z", "version": _STAMP, "media_type": media}
    manifest = [{"id": each["id"], **added} for each in rows]
    data = {
        "/discovery": {"title": "bench", "default": "/bench/", "api_roots": ["/bench/"]},
        "bench": {
            "information": {"title": "bench", "versions": [_ACCEPT["Accept"]], "max_content_length": 1},
            "status": [],
            "collections": [collection | {"manifest": manifest, "objects": rows}],
        },
    }
    (home / "medallion-data.json").write_text(json.dumps(data))
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
    settings = {
        "backend": backend | {"filename": str(home / "medallion-data.json")},
        "users": {"bench": "bench"},
        "taxii": {"max_page_size": PAGE},
    }
    (home / "medallion.json").write_text(json.dumps(settings))
    command: peering.Command = [
        python,
        "-W",
        "ignore",
        "-m",
        "medallion.scripts.run",
        "--port",
        str(port),
        home / "medallion.json",
    ]
    with peering.running(medallion=(command, {})) as processes:
        peering.until(partial(_listens, port), "medallion listens", processes, _PATIENCE)
        path = f"/bench/collections/{collection['id']}/objects/"
        login = "Basic " + b64encode(b"bench:bench").decode()
        yield Served(port, path, partial(peering.seconds, processes["medallion"].pid), login)


@contextmanager
def opentaxii(home: Path, bodies: list[list[bytes]]) -> Iterator[Served]:
    """With all of them."""
    python, port = peering.environment("opentaxii"), _port()
    # Markings have no `modified`, without which it takes nothing.
    taken = [each for page in bodies for each in page if b'"modified":' in each]
    (home / "objects.json").write_bytes(b"[" + b",".join(taken) + b"]")
    with peering.postgresql(shared_buffers="256MB") as database:
        command: peering.Command = [python, "-W", "ignore", peering.SCRIPTS / "serve_opentaxii.py", home, str(port)]
        where = {"OPENTAXII_DATABASE": f"postgresql+psycopg2://oktt@/postgres?host={database}", "HOME": str(home)}
        with peering.running(opentaxii=(command, where)) as processes:
            peering.until(partial(_listens, port), "OpenTAXII listens", processes, _PATIENCE)
            master = int((database / "data" / "postmaster.pid").read_text().split()[0])
            both = (processes["opentaxii"].pid, master)
            yield Served(port, (home / "collection").read_text(), lambda: sum(peering.family(each) for each in both))
