"""An instance as `oktt init` makes it, with a clock that tests set; drafts come in at the desk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from app import desk, door
from app.desk import Done
from app.door import Passed, Tally
from app.service import Service, make, open_service
from app.views import Views, shown
from config.settings import write_defaults
from dispatch import View
from ingest import RawDocument, Source, Unreadable
from normalize import Draft
from pii_guard import Finding, Item, journal
from pii_guard.marks import Marks
from subscribers import Contact, Incoming, Profile, Subscriber, registry
from tests.app.instance import copied, initialised
from tests.conftest import filled
from tlp import Clearance, Label, Refusal
from triage import cases, decide, inbox
from triage.cases import Request

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAIL = Contact("email", address="beveiliging@voorbeeld.example", digest=("monday", "friday"))
TAXII = Contact("taxii")


@dataclass
class House:
    """What tests do at one opened instance."""

    service: Service
    now: datetime = NOW
    numbers: Any = field(default_factory=count)

    def receive(self, *drafts: Draft, source: str = "ncsc-nl", refused: Sequence[Unreadable] = ()) -> Tally:
        """Guard drafts and lay them down as one document."""
        service, from_ = self.service, self.source(source)
        document = RawDocument(from_, b"", "0a1b.json", self.now, key=f"document {next(self.numbers)}")
        items: list[tuple[Item, tuple[str, ...]]] = []
        register: list[journal.Entry] = []
        findings: list[Finding] = []
        holds: list[Unreadable] = list(refused)
        for each in drafts:
            marks = Marks(service.keys.derive("subjects"))
            answer = service.guard.admit(each, from_, self.now, marks)
            assert isinstance(answer, Item)
            items.append((answer, door._merge_keys(service, each, answer)))
            register += journal.admitted(answer, marks)
            findings += answer.statements[0].findings
            holds += [Unreadable(document.origin, "guard", f"held: {hold}") for hold in answer.statements[0].holds]
        passed = Passed(tuple(items), tuple(holds), tuple(findings), tuple(register))
        with service.transaction() as connection:
            return door.lay_down(service, connection, document, passed)

    def item(self, draft: Draft, source: str = "ncsc-nl") -> str:
        """Receive one draft; the item it lies in."""
        (found,) = self.receive(draft, source=source).items
        return found

    def source(self, name: str) -> Source:
        """A source of the settings, under the regime that keeps most."""
        return self.service.settings.source(name)

    def subscribe(self, name: str, *contacts: Contact, clearance: Label = Label.CLEAR, **profile: Any) -> Subscriber:
        made = Incoming(name, name, "nl", Clearance(clearance), Profile(**profile), contacts or (MAIL,))
        with self.service.transaction() as connection:
            registry.upsert(connection, [made], self.now)
            found = registry.get(connection, name)
        assert found is not None
        return found

    def decide(self, act: Any, item: str, by: str = "anna", reason: str = "reden", **more: Any) -> Done:
        return desk.decide_on(self.service, Request(act, item, by, "os", reason, **more))

    def views(self, connection: Any, item: str) -> Views | None:
        case = cases.opened(connection, self.service.guard, item, self.service.settings.consents)
        released = decide.released(connection, case, shown(self.service, case))
        return None if released is None else Views(self.service, connection, released)

    def view(self, item: str, name: str | None = None, *, confidential: bool = False) -> View | Refusal | None:
        """What a subscriber, or everybody, may see; None: nothing may leave."""
        with self.service.reading() as connection:
            views = self.views(connection, item)
            if views is None or name is None:
                return None if views is None else views.public()
            subscriber = registry.get(connection, name)
            assert subscriber is not None
            return views.of(subscriber, views.explain(subscriber), confidential=confidential)

    def state(self, item: str) -> str:
        with self.service.reading() as connection:
            return str(inbox.row(connection, item).state)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def opened(folder: Path, url: str = "", settings: str = "") -> House:
    """Make an instance, on that database where one is named, with those lines of oktt.toml, and open it."""
    copied(initialised(), folder)
    database = f"[database]\nurl = {msgspec.json.encode(url).decode()}\n" if url else ""
    (folder / "oktt.toml").write_text(database + settings)
    if url:
        filled(url, _initialise)
    house = House(open_service(folder))
    house.service.clock = lambda: house.now
    return house


def _initialise(url: str) -> None:
    """`oktt init` on that database; who copies it has a key already."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "instance"
        write_defaults(folder)
        (folder / "oktt.toml").write_text(f"[database]\nurl = {msgspec.json.encode(url).decode()}\n")
        make(folder)


__all__ = ["MAIL", "NOW", "TAXII", "House", "opened"]
