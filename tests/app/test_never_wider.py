"""Whatever comes in, is raised, joined, released and withdrawn, in whatever order: by no way leaves anything wider than
its source's label. Every word that a source writes is one of its own, so that it is known wherever it turns up."""

import asyncio
import email
import email.policy
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app import desk, digests, door, proving, website, workers
from dispatch import ledger
from ingest import RawDocument
from subscribers import Contact
from tests.app.house import TAXII, opened
from tlp import Label
from tlp.markings import STIX_ID
from triage import TriageError
from triage.joining import Word
from web import auth

THREATS, SOURCES = ("1", "2"), ("market", "news")
READERS = {
    "open": (Label.CLEAR, True), "groen": (Label.GREEN, True), "amber": (Label.AMBER, True),
    "ver": (Label.AMBER, False), "rood": (Label.RED, True), "kring": (Label.AMBER, True),
}  # fmt: skip
"""Reader -> its clearance at first, and whether what is told here concerns its sector. `kring` passes on to members."""
WORD = re.compile(r"w\d+(?:wijd|eng)")
labels = st.sampled_from([Label.CLEAR, Label.GREEN, Label.AMBER, Label.AMBER, Label.AMBER_STRICT, Label.RED])
threats = st.sampled_from(THREATS)
then = st.sampled_from(["released", "named", ""])
"""What follows at once: that it is released, with its source's consent for one reader, or nothing yet."""


@dataclass
class Said:
    """What one source says of a threat: the label of all of it, and of the part that is for fewer."""

    wide: Label
    narrow: Label
    words: set[str] = field(default_factory=set)


def bundle(threat: str, source: str, word: str, said: Said, moment: str) -> bytes:
    def made(kind: str, label: Label, **more: Any) -> dict[str, Any]:
        name = f"{kind} {threat} {source}"
        times = {"spec_version": "2.1", "created": "2026-03-01T00:00:00.000Z", "modified": moment}
        marked = {"object_marking_refs": [STIX_ID[label]]}
        return {"type": kind, "id": f"{kind}--{uuid5(UUID(int=7), name)}", **times, **marked, **more}

    wide, narrow = f"w{word}wijd", f"w{word}eng"
    aimed = made("identity", said.wide, name="industrie", identity_class="class", sectors=["manufacturing"])
    malware = made("malware", said.wide, name=wide, is_family=True)
    ends = {"source_ref": malware["id"], "target_ref": aimed["id"], "relationship_type": "targets"}
    targets = made("relationship", said.wide, **ends)
    pattern = {"pattern_type": "stix", "pattern": f"[domain-name:value = '{narrow}.example']", "valid_from": moment}
    indicator = made("indicator", said.narrow, name=narrow, indicator_types=["malicious-activity"], **pattern)
    parts = [malware, targets, aimed, indicator]
    listed = {"object_refs": [each["id"] for each in parts], "published": moment, "report_types": ["campaign"]}
    known = {"external_references": [{"source_name": "x", "external_id": f"ZAAK-2026-000{threat}"}]}
    report = made("report", said.wide, name=f"Phishing {wide}", description=f"Over {wide}.", **listed, **known)
    return json.dumps({"type": "bundle", "id": f"bundle--{UUID(int=1)}", "objects": [report, *parts]}).encode()


class NeverWider(RuleBasedStateMachine):
    """A model that knows of each word which label it has today, held against all that left."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.house = opened(Path(self.folder.name) / "var")
        self.service = self.house.service
        self.web = website.application(self.service)
        self.said: dict[tuple[str, str], Said] = {}
        self.items: dict[str, str] = {}
        self.consented: set[str] = set()
        self.clearance = {name: label for name, (label, _) in READERS.items()}
        self.numbers, self.read = count(1), set[str]()
        self.users: dict[str, httpx.BasicAuth] = {}

    def subscribe(self) -> None:
        for name in READERS:
            self.register(name, self.clearance[name])
        workers.open_collections(self.service)
        with self.service.transaction() as connection:
            for name in READERS:
                made = auth.create(connection, name, "taxii", self.house.now)
                self.users[name] = httpx.BasicAuth(made["user"], made["password"])

    def register(self, name: str, clearance: Label) -> None:
        mail = Contact("email", address=f"{name}@voorbeeld.example", digest=("monday", "friday"))
        sectors = ("STIX:manufacturing",) if READERS[name][1] else ("STIX:healthcare",)
        kind = {"kind": "partnership", "serves_members": True} if name == "kring" else {}
        self.house.subscribe(name, mail, TAXII, clearance=clearance, sectors=sectors, maturity="mature", **kind)

    # -- what happens --------------------------------------------------------------------------------------------------

    @initialize(data=st.data())
    def begins(self, data: Any) -> None:
        self.subscribe()
        for threat in THREATS:
            wide, narrow = sorted((data.draw(labels), data.draw(labels)))
            self.speaks(threat, "market", wide, narrow, "named" if wide > Label.AMBER else "released")

    @rule(threat=threats, source=st.sampled_from(SOURCES), wide=labels, narrow=labels, then=then)
    def speaks(self, threat: str, source: str, wide: Label, narrow: Label, then: str) -> None:
        """A source says something new of a threat, under labels that may be stricter or wider than before."""
        self.house.later(minutes=1)
        number, said = str(next(self.numbers)), self.said.setdefault((threat, source), Said(wide, narrow))
        said.wide, said.narrow = wide, narrow
        said.words |= {f"w{number}wijd", f"w{number}eng"}
        moment = self.house.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        body = bundle(threat, source, number, said, moment)
        document = RawDocument(self.service.settings.source(source), body, "x.json", self.house.now, key=number)
        passed = door.guarded(self.service, document)
        with self.service.transaction() as connection:
            (self.items[threat],) = door.lay_down(self.service, connection, document, passed).items
        if then:
            self.is_released(threat, then == "named", None)

    @rule(threat=threats, named=st.booleans(), raised=st.none() | labels)
    def is_released(self, threat: str, named: bool, raised: Label | None) -> None:
        self.house.later(minutes=1)
        try:
            self.house.decide("release", self.items[threat], to=("rood",) if named else (), tlp=raised)
        except TriageError:  # a wider label, or nothing new
            return
        words = self.words_of(self.items[threat])
        self.consented = self.consented | words if named else self.consented - words

    @rule(threat=threats)
    def is_withdrawn(self, threat: str) -> None:
        self.house.later(minutes=1)
        item = self.items[threat]
        if self.house.state(item) == "released":
            had = [name for name in (*READERS, None) if self.pulled(name) & self.words_of(item)]
            self.house.decide("withdraw", item)
            self.leaves()
            for name in had:
                assert not self.pulled(name) & self.words_of(item)
                assert '"revoked":true' in self.served(name), "clients see that it is revoked"
            with self.service.reading() as connection:
                sent = ledger.messages(connection, item)
                refused = set(connection.scalars(_CANCELLED.where(ledger.ledger.c.subject == item)))
            told = {each.subscriber for each in sent if each.kind == "withdrawal"}
            assert {each.subscriber for each in sent} <= told | refused, "who got it is told that it is withdrawn"

    @precondition(lambda self: len(set(self.items.values())) == 2)
    @rule()
    def turns_out_to_be_one(self) -> None:
        one, other = sorted(set(self.items.values()))
        if "withdrawn" in (self.house.state(one), self.house.state(other)):
            return
        self.house.later(minutes=1)
        words = {each: self.words_of(each) for each in (one, other)}
        survivor, taken = desk.merge(self.service, one, other, Word("anna", "os", "reden"))
        self.consented -= words[taken]
        self.items = dict.fromkeys(self.items, survivor)

    @rule(name=st.sampled_from(list(READERS)), clearance=labels)
    def clearance_changes(self, name: str, clearance: Label) -> None:
        self.house.later(minutes=1)
        self.clearance[name] = clearance
        self.register(name, clearance)

    # -- what leaves ---------------------------------------------------------------------------------------------------

    @rule()
    def leaves(self) -> None:
        """Mail: alerts, updates, withdrawals, stubs, with what is attached."""
        self.house.later(minutes=11)
        workers.dispatch(self.service)
        for path in sorted((self.service.settings.dir / "outbox").glob("*.eml")):
            if path.name not in self.read:
                self.read.add(path.name)
                message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                name = str(message["To"]).partition("@")[0]
                said = " ".join(_texts(message))
                self.allowed(name, set(WORD.findall(said)), closed=False, label=_label(str(message["Subject"])))
                for part in message.walk():
                    if part.get_content_type() == "message/rfc822":
                        self.is_passed_on(part.get_content())

    def subject_of(self, name: str) -> str:
        path = self.service.settings.dir / "outbox" / name
        return str(email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["Subject"])

    @rule(edition=st.sampled_from(["monday", "friday"]))
    def an_edition_is_made(self, edition: Any) -> None:
        day = {"monday": 0, "friday": 4}[edition]
        self.house.later(days=(day - self.house.now.weekday()) % 7 or 7)
        digests.build(self.service, edition, self.house.now.date())
        self.leaves()

    @rule()
    def is_read(self) -> None:
        """Every collection, and the public feed."""
        for name in (*READERS, None):
            self.allowed(name, self.pulled(name), closed=True, label=None)

    def teardown(self) -> None:
        try:
            if self.users:
                self.leaves()
                self.is_read()
                for name in sorted(self.read)[:3]:
                    proof = proving.prove(self.service, name.removesuffix(".eml"))
                    assert proof.ok, proof
        finally:
            self.web.state.ledger.flush()
            self.service.engine.dispose()
            self.folder.cleanup()

    def pulled(self, name: str | None) -> set[str]:
        return set(WORD.findall(self.served(name)))

    def served(self, name: str | None) -> str:
        """A reader's own collection; None: what is for everybody, the collection `clear` and the feed."""
        objects = self.get(f"/taxii2/oktt/collections/{name or 'clear'}/objects/", self.users[name or "open"])
        return objects if name else objects + self.get("/feed.atom", None)

    def get(self, path: str, user: httpx.BasicAuth | None) -> str:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.web)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub.example", auth=user) as client:
                return await client.get(path, headers={"Accept": "application/taxii+json;version=2.1, */*"})

        answer = asyncio.run(ask())
        assert answer.status_code in (200, 404), (path, answer.status_code, answer.text)
        return answer.text

    # -- what may ------------------------------------------------------------------------------------------------------

    def allowed(self, name: str | None, words: set[str], *, closed: bool, label: Label | None) -> None:
        for word in words:
            said = next(each for each in self.said.values() if word in each.words)
            is_ = max(said.wide, said.narrow) if word.endswith("eng") else said.wide
            told = f"{word} is {is_}, and came to {name}"
            assert label is None or label >= is_, f"{told} as {label}"
            if is_ is not Label.CLEAR:
                assert name is not None, told
                assert self.clearance[name] >= is_, told
                assert is_ is not Label.AMBER or READERS[name][1], told
                assert is_ < Label.AMBER_STRICT or (closed and name == "rood" and word in self.consented), told

    def is_passed_on(self, version: Any) -> None:
        """Any member may read it, and no more than the partnership itself."""
        words, label = set(WORD.findall(" ".join(_texts(version)))), _label(str(version["Subject"]))
        self.allowed("kring", words, closed=False, label=label)
        assert label <= Label.GREEN

    def words_of(self, item: str) -> set[str]:
        return {word for (threat, _), said in self.said.items() if self.items[threat] == item for word in said.words}


def _texts(message: Any) -> Iterator[str]:
    yield str(message["Subject"])
    for part in message.walk():
        if not part.is_multipart():
            yield part.get_payload(decode=True).decode("utf-8", "replace")


def _label(subject: str) -> Label:
    return Label(subject.partition("TLP:")[2].split()[0])


_CANCELLED = sa.select(ledger.ledger.c.subscriber).where(ledger.ledger.c.outcome == "cancelled")
TestNeverWider = NeverWider.TestCase
TestNeverWider.settings = settings(
    max_examples=5, stateful_step_count=7, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_threats_that_ask_for_the_same_are_one_message() -> None:
    """So what is held above is held for these, too."""
    world = NeverWider()
    try:
        world.subscribe()
        for threat in THREATS:
            world.speaks(threat, "market", Label.CLEAR, Label.GREEN, "released")
        world.leaves()
        assert any("2 meldingen" in world.subject_of(name) for name in world.read)
    finally:
        world.teardown()


def test_consent_is_for_what_was_released_with_it() -> None:
    """Not for what another item brings along, whose source raised it meanwhile."""
    world, strict = NeverWider(), Label.AMBER_STRICT
    try:
        world.subscribe()
        world.speaks("1", "market", Label.AMBER, Label.AMBER, "released")
        world.speaks("2", "market", strict, strict, "named")
        world.is_read()
        world.speaks("1", "market", strict, strict, "")
        world.turns_out_to_be_one()
        world.is_read()
    finally:
        world.teardown()
