"""A real server on a real port, over a database of its own; what may be seen is decided by a set that tests change."""

import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from prometheus_client import CollectorRegistry

from dispatch import View, publication
from dispatch.pages import Link
from subscribers import Contact, Profile, Subscriber
from tlp import Clearance, Label
from web import Services, Verdict, auth
from web.connections import Patient
from web.ledger import Marks
from web.server import create_app, server_config

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MARKS = Marks(lambda said: sha256(said).hexdigest(), lambda at, said: said)
TAXII = {"Accept": "application/taxii+json;version=2.1"}


@dataclass
class World:
    """The registry, the decisions and the clock as a test sets them."""

    engine: sa.Engine
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """(reader, item)."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    handed_in: list[tuple[str, bytes]] = field(default_factory=list)
    """(subscriber, envelope)."""
    now: datetime = NOW
    stale: bool = False
    broken: bool = False
    state: Callable[[], Awaitable[object]] | None = None
    """By which the server knows that nothing was committed; None: nothing is known."""
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    url: str = ""
    app: Any = None

    def join(self, subscriber_id: str) -> dict[str, str]:
        """A subscriber with a collection and a credential."""
        found = Subscriber(
            subscriber_id, len(self.subscribers), "Voorbeeld", "nl", Clearance(Label.AMBER), Profile(),
            (Contact(type="taxii"),), NOW,
        )  # fmt: skip
        self.subscribers[subscriber_id] = found
        with self.engine.begin() as conn:
            publication.collection_for(conn, found, NOW)
            return auth.create(conn, subscriber_id, "taxii", NOW)

    def publish(self, alias: str, item: str, *objects: dict[str, Any], label: Label = Label.CLEAR) -> None:
        """Publish a view of an item."""
        with self.engine.begin() as conn:
            publication.publish(conn, alias, _view(alias, item, *objects, label=label), self.now)

    def permitted(
        self,
        conn: sa.Connection,
        reader: Subscriber | None,
        links: Collection[Link],
        now: datetime,
    ) -> list[Link]:
        if self.broken:
            raise RuntimeError("geheime waarde")
        name = "public" if reader is None else reader.id
        self.asked += [(name, link.item) for link in links]
        return [link for link in links if (name, link.item) not in self.forbidden]

    def contribute(self, subscriber: str, body: bytes, objects: Sequence[Any]) -> list[Verdict]:
        """A door that takes in what has a name."""
        self.handed_in.append((subscriber, body))
        named = [isinstance(each, dict) and "name" in each for each in objects]
        return [Verdict(taken, "" if taken else "shape: a required property is missing") for taken in named]

    def current(self) -> None:
        if self.stale:
            raise RuntimeError("geheime waarde")

    def services(self) -> Services:
        made = Services(
            lambda conn, name: self.subscribers.get(name), self.permitted, self.contribute, self.current, MARKS.seal,
            MARKS.content,
        )  # fmt: skip
        return made if self.state is None else replace(made, state=self.state)

    def client(self, credential: dict[str, str] | None = None, **headers: str) -> httpx.Client:
        """A client that speaks TAXII."""
        login = None if credential is None else (credential["user"], credential["password"])
        return httpx.Client(base_url=self.url, auth=login, headers=TAXII | headers)


def _view(alias: str, item: str, *objects: dict[str, Any], label: Label = Label.CLEAR, **changes: Any) -> View:
    fields: dict[str, Any] = {
        "item": item, "version": 1, "kind": "report", "title": "Titel", "summary": "Samenvatting", "label": label,
        "urgency": "today", "reader": "public" if alias == "clear" else alias, "sources": ("NCSC",), "cves": (),
        "affected": (), "sectors": (), "observables": (), "remedies": (), "references": (), "kans": None,
        "schade": None, "cvss": None, "epss": None, "exploited": None, "exposure": None, "withdrawn": False,
        "source_time": None, "received_at": NOW, "reasons": (), "objects": objects, "statements": frozenset({"a"}),
    }  # fmt: skip
    return View(**fields | changes)


@pytest.fixture
def make_view() -> Callable[..., View]:
    return _view


@pytest.fixture
def world(engine: sa.Engine) -> World:
    with engine.begin() as conn:
        publication.ensure(conn, NOW)
    return World(engine)


@pytest.fixture
def serve() -> Iterator[Callable[..., World]]:
    running: list[tuple[uvicorn.Server, threading.Thread, Any]] = []

    def start(world: World, *, protocol: type[Patient] = Patient, **settings: Any) -> World:
        app = create_app(world.engine, world.services(), clock=lambda: world.now, registry=world.registry, **settings)
        server = uvicorn.Server(server_config(app, "127.0.0.1", 0, protocol))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread, app))
        until = time.monotonic() + 240
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < until
            time.sleep(0.01)
        world.app = app
        world.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        return world

    yield start
    for server, thread, app in running:
        server.should_exit = True
        thread.join(60)
        app.state.ledger.flush()


@pytest.fixture
def served(world: World, serve: Callable[..., World]) -> World:
    return serve(world)
