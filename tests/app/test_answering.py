"""What a TAXII client was given can be derived again from what is stored; whatever was edited since shows."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from app import AppError, answering, proving, subject, website, workers
from app.observe import Metrics
from app.proving import Proof
from dispatch import blocks
from dispatch.sequence import published, published_items
from normalize import Affected, Draft
from pii_guard import journal
from pii_guard.sought import Sought
from subscribers import Software, registry
from tests.app.house import NOW, TAXII, House, opened
from tests.app.test_expiring import C2, report
from tests.app.test_proving import failed
from tests.triage.desk import draft
from tlp import Label
from triage import inbox, releases
from web import auth, ledger

pytestmark = pytest.mark.usefixtures("small_blocks")

Edit = Callable[[sa.Connection], Any]
ITEM = "OKTT-2026-0001"
AT = "2026-03-01T00:00:00.000Z"


def ask(house: House, *paths: str) -> list[httpx.Response]:
    """What a firm is answered at these paths. What it asked is in the ledger then."""
    house.service.metrics = Metrics()
    app = website.application(house.service)
    with house.service.transaction() as connection:
        login = auth.create(connection, "firma", "taxii", house.now)
    headers = {"Accept": "application/taxii+json;version=2.1", "Authorization": f"Bearer {login['token']}"}

    async def all_of_them() -> list[httpx.Response]:
        base = "http://oktt.example/taxii2/oktt/"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers=headers) as client:
            return [await client.get(path) for path in paths]

    answers = asyncio.run(all_of_them())
    app.state.ledger.flush()
    return answers


OBJECTS = "collections/firma/objects/"


def asked(house: House) -> list[str]:
    """Names of the requests, in order."""
    with house.service.reading() as connection:
        return list(connection.scalars(sa.select(ledger.requests.c.name).order_by(ledger.requests.c.id)))


def prove(house: House, name: str) -> Proof:
    proof = answering.prove(house.service, name)
    assert proof is not None
    return proof


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def about(label: Label, *cves: str) -> Draft:
    """Something about a product, with an object of STIX."""
    what = {"type": "vulnerability", "spec_version": "2.1", "name": "CVE-2026-0001"}
    what |= {"id": f"vulnerability--{UUID(int=7, version=4)}", "created": AT, "modified": AT}
    affected = (Affected("Fortinet", "FortiOS"),)
    return draft("a", label=label, cves=("CVE-2026-0001", *cves), affected=affected, objects=(what,))


def answered(house: House, label: Label = Label.AMBER) -> str:
    """The name of a request whose answer held what a firm may see of an item that concerns it."""
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    house.subscribe("firma", TAXII, clearance=Label.AMBER, software=uses)
    workers.open_collections(house.service)
    house.decide("release", house.item(about(label)))
    house.later(minutes=11)
    assert len(ask(house, OBJECTS)[0].json()["objects"]) > 1
    (name,) = asked(house)
    return name


def test_an_answer_is_borne_out(house: House) -> None:
    proof = prove(house, answered(house))
    assert [check.ok for check in proof.checks] == [True] * len(proof.checks), proof
    assert (proof.subscriber, proof.subject, proof.label) == ("firma", "firma", "AMBER")
    assert (proof.rules, proof.by) == (("amber: clients whom it concerns",), ("anna",))
    assert len(proof.checks) == 10


def test_every_kind_of_answer_is_borne_out(house: House) -> None:
    """CLEAR and the test collection, pages, versions, manifests, nothing, and what holds no objects."""
    answered(house, Label.CLEAR)
    clear = "collections/clear/objects/"
    one = ask(house, clear)[0].json()["objects"][-1]["id"]
    paths = ("", "collections/", f"{clear}?limit=1", "collections/clear/manifest/", f"{clear}{one}/",
             f"{clear}{one}/versions/", f"{clear}?match[type]=tool", "collections/test/objects/")  # fmt: skip
    assert [each.status_code for each in ask(house, *paths)] == [200] * len(paths)
    (refused,) = ask(house, "collections/geen/objects/")
    assert refused.json()["error_id"] == asked(house)[-1]
    for name in asked(house):
        proof = prove(house, name)
        assert [check.ok for check in proof.checks] == [True] * len(proof.checks), proof


def test_what_changes_lawfully_afterwards_contradicts_nothing(house: House) -> None:
    """Another profile, a newer version of the item; then it is taken back, which a later answer tells."""
    name = answered(house)
    house.later(minutes=1)
    house.subscribe("firma", TAXII, clearance=Label.CLEAR)
    assert all(check.ok for check in prove(house, name).checks)
    house.decide("withdraw", ITEM)
    proof = prove(house, name)
    assert proof.ok, proof
    assert {check.what.split()[0] for check in proof.checks if check.ok is None} == {"content", "objects"}
    house.later(minutes=1)
    assert ask(house, OBJECTS)[0].json()["objects"][-1]["revoked"] is True
    proof = prove(house, asked(house)[-1])
    assert all(check.ok for check in proof.checks), proof


def test_what_was_erased_since_is_no_contradiction(house: House) -> None:
    house.subscribe("firma", TAXII, clearance=Label.AMBER, sectors=("SBI:25",))
    workers.open_collections(house.service)
    house.decide("release", house.item(report(), "market"))
    assert ask(house, OBJECTS)[0].json()["objects"]
    (name,) = asked(house)
    assert prove(house, name).ok
    assert subject.erase(house.service, Sought("ipv4", C2)).counts
    proof = prove(house, name)
    assert proof.ok, proof
    assert any(check.ok is None for check in proof.checks)


def test_who_came_later_and_what_a_rule_released_is_borne_out(house: House) -> None:
    house.item(draft("a", label=Label.CLEAR, cves=("CVE-2026-0001",), exploited=True), "kev")
    assert workers.apply_rules(house.service) == 1
    house.later(minutes=1)
    house.subscribe("firma", TAXII, clearance=Label.AMBER, sectors=("SBI:25",))
    workers.open_collections(house.service)
    assert ask(house, OBJECTS)[0].json()["objects"]
    proof = prove(house, asked(house)[0])
    assert all(check.ok for check in proof.checks), proof


def test_a_label_that_was_raised_by_the_time_it_was_asked_would_show(house: House) -> None:
    """Had the server given what it should not have: its source had raised the label by then."""
    name = answered(house)
    house.now = house.now.replace(minute=5)
    house.item(about(Label.RED, "CVE-2026-0002"))
    assert "label" in failed(prove(house, name))


def _mine() -> Any:
    needed = sa.select(published_items.c.seq).where(published_items.c.item == ITEM)
    return published.c.seq.in_(needed) & (published.c.type == "vulnerability")


def _object(connection: sa.Connection) -> None:
    found = connection.execute(sa.select(published).where(_mine())).first()
    assert found is not None
    connection.execute(published.update().where(_mine()).values(body=found.body.replace(b"CVE", b"CWE")))


def _published() -> Any:
    return journal.journal.c.what == "published"


def _entry() -> Any:
    return journal.journal.update().where(_published())


def _reworded(connection: sa.Connection, old: bytes, new: bytes) -> None:
    detail = connection.scalars(sa.select(journal.journal.c.detail).where(_published())).one()
    assert old in detail, detail
    connection.execute(_entry().values(detail=detail.replace(old, new)))


def _replaced(connection: sa.Connection, table: sa.Table, column: str, old: bytes, new: bytes) -> None:
    stood = connection.scalars(sa.select(table.c[column])).one()
    assert old in stood
    connection.execute(table.update().values({column: stood.replace(old, new)}))


def _of_nobody(connection: sa.Connection) -> None:
    for block in connection.execute(sa.select(blocks.blocks)).all():
        shown = msgspec.json.encode([*msgspec.json.decode(block.shown)[:3], []])
        connection.execute(blocks.blocks.update().where(blocks.blocks.c.number == block.number).values(shown=shown))


def _torn(connection: sa.Connection) -> bytes:
    said = connection.scalars(sa.select(inbox.versions.c.said)).one()
    own, joining = msgspec.msgpack.decode(said, type=tuple[list[bytes], list[bytes]])
    return msgspec.msgpack.encode(([one[:-1] + bytes([one[-1] ^ 1]) for one in own], joining))


EDITS: dict[str, tuple[str, Edit]] = {
    "who asked": ("ledger", lambda c: c.execute(ledger.requests.update().values(subscriber="ander"))),
    "when": ("ledger", lambda c: c.execute(ledger.requests.update().values(at=NOW))),
    "which rows": ("ledger", lambda c: c.execute(ledger.requests.update().values(rows=b"[[1,1]]"))),
    "hash of the answer": ("ledger", lambda c: c.execute(ledger.requests.update().values(content="0" * 64))),
    "an object": ("content", _object),
    "an object and its hash": ("objects", _object),
    "an object taken out": ("objects", lambda c: c.execute(published.update().where(_mine()).values(withdrawn=True))),
    "an object deleted": ("objects", lambda c: c.execute(published.delete().where(_mine()))),
    "objects that lie joined": ("content", lambda c: c.execute(blocks.blocks.update().values(body=b"{}"))),
    "what these rest on": ("content", _of_nobody),
    "which view": ("register", lambda c: _reworded(c, b'"rows":[[1,', b'"rows":[[0,')),
    "label it rested on": ("register", lambda c: _reworded(c, b'"AMBER"', b'"CLEAR"')),
    "commitment": ("register", lambda c: c.execute(_entry().values(commitment="0" * 64))),
    "entry taken out": ("published", lambda c: c.execute(journal.journal.delete().where(_published()))),
    "who decided": ("decision", lambda c: _replaced(c, releases.releases, "decision", b'"anna"', b'"bert"')),
    "label decided": ("decision", lambda c: _replaced(c, releases.releases, "decision", b'"tlp":null', b'"tlp":"RED"')),
    "statements": ("statements", lambda c: c.execute(inbox.versions.update().values(said=_torn(c)))),
    "clearance": ("reader", lambda c: _replaced(c, registry.subscribers, "data", b'"AMBER"', b'"CLEAR"')),
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, str, Path]:
    folder = tmp_path_factory.mktemp("answered")
    made = opened(folder, f"sqlite:///{folder / 'oktt.db'}")
    return made, answered(made), folder / "oktt.db"


@pytest.mark.parametrize("name", EDITS)
def test_whatever_was_edited_shows(instance: tuple[House, str, Path], name: str) -> None:
    """On one of the two engines: what is read is the same on both. Each edit is taken back when it was looked at."""
    (house, request, file), (where, edit) = instance, EDITS[name]
    house.service.engine.dispose()
    before = file.read_bytes()
    try:
        with house.service.transaction() as connection:
            edit(connection)
        proof = prove(house, request)
    finally:
        house.service.engine.dispose()
        file.write_bytes(before)
    assert not proof.ok
    assert where in failed(proof), proof


def test_octets_that_were_edited_only_while_they_were_served(house: House) -> None:
    """Their block has fallen since, as by any publication beside it, and nothing that lies there tells of them."""
    answered(house)
    with house.service.transaction() as connection:
        for block in connection.execute(sa.select(blocks.blocks)).all():
            body = block.body.replace(b"CVE-2026-0001", b"CVE-2026-6666")
            connection.execute(blocks.blocks.update().where(blocks.blocks.c.number == block.number).values(body=body))
    (served,) = ask(house, f"{OBJECTS}?limit=999")
    assert "CVE-2026-6666" in served.text
    with house.service.transaction() as connection:
        connection.execute(blocks.blocks.delete())
    assert failed(prove(house, asked(house)[-1])) == {"content"}


def test_nothing_is_known_under_that_name(house: House) -> None:
    assert answering.prove(house.service, "0" * 16) is None
    with pytest.raises(AppError, match="no message was sent under this id"):
        proving.prove(house.service, "0" * 16)
