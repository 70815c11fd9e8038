"""What was sent can be decided once more from what is stored; whatever was edited since shows."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from app import AppError, digests, proving, subject, workers
from app.proving import Proof
from dispatch import ledger
from normalize import Affected
from pii_guard import journal
from pii_guard.sought import Sought
from subscribers import Contact, Software, registry
from tests.app.house import House, opened
from tests.app.test_expiring import C2, report
from tests.triage.desk import draft
from tlp import Label
from triage import inbox, releases

Edit = Callable[[sa.Connection], Any]
MAIL = Contact("email", address="security@voorbeeld.example", digest=("monday",))


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def sent(house: House, label: Label = Label.AMBER) -> str:
    """The id of an alert that went to a firm which uses what it is about."""
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    house.subscribe("firma", MAIL, clearance=Label.AMBER, software=uses, networks=("192.0.2.0/24",))
    item = house.item(draft("a", label=label, cves=("CVE-2026-0001",), affected=(Affected("Fortinet", "FortiOS"),)))
    house.decide("release", item)
    house.later(minutes=11)
    assert workers.dispatch(house.service)["sent"] == 1
    with house.service.reading() as connection:
        return connection.scalars(sa.select(ledger.ledger.c.delivery)).one()


def failed(proof: Proof) -> set[str]:
    return {check.what.partition(" of ")[0].partition(" on ")[0] for check in proof.checks if check.ok is False}


def test_what_was_sent_is_borne_out(house: House) -> None:
    proof = proving.prove(house.service, sent(house))
    assert proof.ok
    assert [check.ok for check in proof.checks] == [True] * len(proof.checks), proof
    assert (proof.subscriber, proof.label, proof.by) == ("firma", "AMBER", ("anna",))
    assert proof.rules == ("amber: clients whom it concerns",)
    assert len(proof.checks) == 7


def test_what_changes_lawfully_afterwards_contradicts_nothing(house: House) -> None:
    """Another profile and clearance, a withdrawal."""
    delivery = sent(house)
    house.later(minutes=1)
    house.subscribe("firma", Contact("file"), sectors=("SBI:01",))
    house.decide("withdraw", "OKTT-2026-0001")
    proof = proving.prove(house.service, delivery)
    assert proof.ok, proof


def test_a_withdrawal_is_borne_out(house: House) -> None:
    sent(house)
    house.decide("withdraw", "OKTT-2026-0001")
    assert workers.dispatch(house.service)["sent"] == 1
    with house.service.reading() as connection:
        query = sa.select(ledger.ledger.c.delivery).where(ledger.ledger.c.kind == "withdrawal")
        proof = proving.prove(house.service, connection.scalars(query).one())
    assert proof.ok, proof
    assert all(check.ok for check in proof.checks), proof


def test_what_was_erased_since_is_no_contradiction(house: House) -> None:
    """AVG art. 17: a value goes out of what was sent, and the register says so."""
    house.subscribe("groot", MAIL, clearance=Label.AMBER, sectors=("SBI:25",))
    item = house.item(report(), "market")
    house.decide("release", item)
    assert workers.dispatch(house.service, now=True)["sent"] == 1
    with house.service.reading() as connection:
        delivery = connection.scalars(sa.select(ledger.ledger.c.delivery)).one()
    assert proving.prove(house.service, delivery).ok
    assert subject.erase(house.service, Sought("ipv4", C2)).counts
    proof = proving.prove(house.service, delivery)
    assert proof.ok, proof
    assert [check.what.split()[0] for check in proof.checks if check.ok is None] == ["content"]


def test_what_was_decided_anew_cannot_be_told_and_is_no_contradiction(house: House) -> None:
    """Only the last decision on a version is kept; the register says that there was one."""
    delivery = sent(house)
    house.later(minutes=5)
    house.decide("release", "OKTT-2026-0001", tlp=Label.AMBER, urgency="today")
    proof = proving.prove(house.service, delivery)
    assert proof.ok, proof
    unknown = {check.what.split()[0] for check in proof.checks if check.ok is None}
    assert unknown == {"decision", "content"}
    with house.service.transaction() as connection:
        connection.execute(journal.journal.delete().where(journal.journal.c.what == "decided"))
    assert "decision" in failed(proving.prove(house.service, delivery))


EDITS: dict[str, tuple[str, Edit]] = {
    "label": ("ledger", lambda c: c.execute(ledger.ledger.update().values(label="CLEAR"))),
    "recipient's address": ("ledger", lambda c: c.execute(ledger.ledger.update().values(message_id="<x@y.example>"))),
    "hash of the view": ("ledger", lambda c: c.execute(ledger.ledger.update().values(view="0" * 64))),
    "moment": ("register", lambda c: c.execute(_entry().values(at=sa.literal("2026-01-01T00:00:00.000000Z")))),
    "commitment": ("register", lambda c: c.execute(_entry().values(commitment="0" * 64))),
    "detail taken out": ("register", lambda c: c.execute(_entry().values(detail=None, salt=None))),
    "grounds": ("register", lambda c: _reworded(c, b'"AMBER"', b'"CLEAR"')),
    "who decided": ("decision", lambda c: _decided(c, b'"anna"', b'"bert"')),
    "label decided": ("decision", lambda c: _decided(c, b'"tlp":null', b'"tlp":"RED"')),
    "statements": ("statements", lambda c: c.execute(inbox.versions.update().values(said=_torn(c)))),
    "clearance": ("reader", lambda c: _registered(c, b'"AMBER"', b'"CLEAR"')),
}


def _entry() -> Any:
    return journal.journal.update().where(journal.journal.c.what == "sent")


def _reworded(connection: sa.Connection, old: bytes, new: bytes) -> None:
    detail = connection.scalars(sa.select(journal.journal.c.detail).where(journal.journal.c.what == "sent")).one()
    assert old in detail
    connection.execute(_entry().values(detail=detail.replace(old, new)))


def _decided(connection: sa.Connection, old: bytes, new: bytes) -> None:
    decision = connection.scalars(sa.select(releases.releases.c.decision)).one()
    assert old in decision
    connection.execute(releases.releases.update().values(decision=decision.replace(old, new)))


def _registered(connection: sa.Connection, old: bytes, new: bytes) -> None:
    data = connection.scalars(sa.select(registry.subscribers.c.data)).one()
    assert old in data
    connection.execute(registry.subscribers.update().values(data=data.replace(old, new)))


def _torn(connection: sa.Connection) -> bytes:
    said = connection.scalars(sa.select(inbox.versions.c.said)).one()
    own, joining = msgspec.msgpack.decode(said, type=tuple[list[bytes], list[bytes]])
    return msgspec.msgpack.encode(([one[:-1] + bytes([one[-1] ^ 1]) for one in own], joining))


@pytest.mark.parametrize("name", EDITS)
def test_whatever_was_edited_shows(tmp_path: Path, name: str) -> None:
    """On one of the two engines: what is read is the same on both."""
    house = opened(tmp_path, f"sqlite:///{tmp_path / 'oktt.db'}")
    where, edit = EDITS[name]
    delivery = sent(house)
    with house.service.transaction() as connection:
        edit(connection)
    proof = proving.prove(house.service, delivery)
    assert not proof.ok
    assert where in failed(proof), proof


def test_an_edition_rests_on_each_of_its_items(house: House) -> None:
    house.subscribe("krant", Contact("email", address="a@voorbeeld.example", digest=("monday",)))
    for key in ("a", "b"):
        house.decide("release", house.item(draft(key, cves=(f"CVE-2026-{key}",))))
    house.later(days=7)
    digests.build(house.service, "monday", date(2026, 3, 9))
    assert workers.dispatch(house.service, now=True)["sent"] == 1
    with house.service.reading() as connection:
        (delivery,) = connection.scalars(sa.select(ledger.ledger.c.delivery).where(ledger.ledger.c.kind == "monday"))
    proof = proving.prove(house.service, delivery)
    assert proof.ok, proof
    assert len(proof.checks) == 2 + 2 * 5


def test_nothing_was_sent_under_that_id(house: House) -> None:
    with pytest.raises(AppError, match="no message was sent under this id"):
        proving.prove(house.service, "0" * 32)
