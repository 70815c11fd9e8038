"""A desk in a database: guarded drafts, subscribers by hand, decisions."""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from filtering import Match
from filtering.index import Index
from filtering.match import match
from ingest import Source
from normalize import Draft, Facts, Kind, identity
from pii_guard import Item
from pii_guard.guard import Guard
from pii_guard.policy_file import load
from pii_guard.vault import Vault
from subscribers import Profile, Subscriber
from tests.pii_guard.held import Held
from tlp import Clearance, Label
from triage import Released, cases, decide, inbox, merging, releases
from triage.cases import Case, Request
from triage.merging import Admission
from triage.rules import DeskSettings, Rule

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "config" / "defaults" / "legal.toml"
POLICY = load(SHIPPED.read_text(encoding="utf-8"), "legal.toml")
GUARD = Guard(POLICY, b"a key of the tests, 32 bytes ...", Vault(Held()))
SHOWN = "the advice and templates of today"


def draft(key: str = "k", kind: Kind = "advisory", label: Label | None = Label.CLEAR, **more: Any) -> Draft:
    """A draft; keywords that Facts knows go there."""
    facts = {name: more.pop(name) for name in list(more) if name in Facts.__struct_fields__}
    words = {"title": f"Kwetsbaarheid {key}", "summary": "Samenvatting.", "language": "nl"} | more
    return Draft(kind=kind, key=key, facts=Facts(**facts), label=label, **words)


@dataclass
class Desk:
    """What a test does at the desk, on one connection."""

    connection: sa.Connection
    now: datetime = NOW
    settings: DeskSettings = field(default_factory=DeskSettings)
    people: list[Subscriber] = field(default_factory=list)
    consents: dict[str, frozenset[str]] = field(default_factory=dict)
    shown: str = SHOWN
    register: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        """What is opened on its connection is counted, as in a transaction of the service."""
        self.register.enter_context(GUARD.vault.accounting(self.connection))

    def receive(
        self, what: Draft, source: str = "ncsc-nl", public: bool = True, regime: str = "wbdwb"
    ) -> list[Admission]:
        guarded = GUARD.admit(what, Source(source, source, public=public, regime=regime), self.now)
        assert isinstance(guarded, Item)
        (said,) = guarded.statements
        keys = identity.merge_keys(said.kind, source, what.key, said.title, said.facts, said.references)
        hashed = tuple(hashlib.sha256(key.encode()).hexdigest() for key in keys)
        return merging.admit(self.connection, GUARD, guarded, hashed, self.now)

    def item(self, what: Draft | None = None, source: str = "ncsc-nl") -> str:
        """Receive a draft; the item it lies in."""
        (admission,) = self.receive(what or draft(cves=("CVE-2026-0001",)), source)
        assert admission.item is not None
        return admission.item

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def subscribe(self, count: int = 1, clearance: Label = Label.CLEAR, **profile: Any) -> list[Subscriber]:
        """Subscribers that an item of `sectors=("SBI:25",)` alerts."""
        profile = {"sectors": ("SBI:25",)} | profile
        first = len(self.people) + 1
        made = [
            Subscriber(f"s{n}", n, f"Firma {n}", "nl", Clearance(clearance), Profile(**profile), (), NOW)
            for n in range(first, first + count)
        ]
        self.people += made
        return made

    def case(self, item: str, request: Request | None = None) -> Case:
        return cases.opened(self.connection, GUARD, item, self.consents, request)

    def match(self, case: Case) -> Match:
        index = Index.build(self.people)
        return match(case.item, index, self.now, urgency=case.stated, consents=case.consents, label=case.label)

    def act(self, act: Any, item: str, by: str = "anna", reason: str = "reden", **more: Any) -> Released | None:
        """Any of the acts, as app.desk carries it out."""
        request = Request(act, item, by, "os", reason, **more)
        if act not in ("release", "approve"):
            decide.act(self.connection, self.settings, request, self.now)
            return None
        case = self.case(item, request)
        carry_out = decide.release if act == "release" else decide.approve
        return carry_out(self.connection, self.settings, case, self.match(case), self.shown, request, self.now)

    def rule(self, item: str, *rules: Rule) -> Released | None:
        case = self.case(item)
        chosen = rules or (Rule("all", "alles", tlp=Label.RED, match=False),)
        return decide.by_rule(self.connection, self.settings, chosen, case, self.match(case), self.shown, self.now)

    def released(self, item: str) -> Released | None:
        return decide.released(self.connection, self.case(item), self.shown)

    def marks(self, item: str) -> dict[str, list[Label]]:
        """Per source the labels under which its statements were published."""
        names = {each.key: each.source for each in (*self.whole(item).statements, *self.whole(item).facts)}
        found: dict[str, list[Label]] = {}
        for mark in releases.marks(self.connection, item, self.consents):
            found.setdefault(names[mark.key], []).append(mark.label)
        return found

    def opened(self, item: str) -> Item:
        """The item with what is gated as it is."""
        return GUARD.vault.opened(self.connection, self.whole(item), "compare")

    def whole(self, item: str) -> Item:
        return inbox.load(self.connection, GUARD, item)

    def state(self, item: str) -> str:
        return str(inbox.row(self.connection, item).state)

    def version(self, item: str) -> int:
        return int(inbox.row(self.connection, item).version)

    def sources(self) -> set[frozenset[str]]:
        """Which statements (by source and title) lie together."""
        query = sa.select(inbox.statements.c.item, inbox.statements.c.key).where(inbox.statements.c.item.is_not(None))
        together: dict[str, set[str]] = {}
        for row in self.connection.execute(query):
            together.setdefault(row.item, set()).add(row.key)
        return {frozenset(keys) for keys in together.values()}

    def history(self, item: str) -> Sequence[str]:
        return [each["what"] for each in inbox.past(self.connection, item)]
