"""Who got it is told of its withdrawal, and who may have got it: whatever happened in between (docs/decisions/006)."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pysequoia import Tsk, decrypt

from app import proving, returning, workers
from app.service import open_service
from dispatch import DeliveryKind, handing, ledger, outbox
from normalize import Affected
from subscribers import Contact, Software
from tests.app.house import House, opened
from tests.app.sink import Sink, listening
from tests.app.test_grouping import body, lines, mails, release, report, reported
from tests.dispatch.test_bounces import report as dsn
from tests.triage.desk import draft
from tlp import Label
from web import unsubscribe


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, sink: Sink) -> House:
    """An instance that sends to the sink, with two firms that use FortiOS."""
    return subscribed(tmp_path, sink)


@pytest.fixture
def either(tmp_path: Path, url: str, sink: Sink) -> House:
    """The same on both engines."""
    return subscribed(tmp_path, sink, url)


def subscribed(folder: Path, sink: Sink, url: str = "") -> House:
    made = opened(folder, url, sink.settings)
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    for name in ("een", "twee"):
        contact = Contact("email", address=f"{name}@voorbeeld.example")
        made.subscribe(name, contact, clearance=Label.AMBER, software=uses, networks=("192.0.2.0/24",), verified=True)
    return made


def told(house: House, *kinds: DeliveryKind) -> list[tuple[str, str, str, str]]:
    """What the ledger holds, of these kinds or all."""
    found = [each for each in lines(house) if each.kind in kinds or not kinds]
    return sorted((each.kind, each.subscriber, each.outcome, each.reason) for each in found)


def in_hand(house: House, *, accepted: bool = False) -> str:
    """A process died with the first message in hand, or when it was accepted; to whom that goes."""
    with house.service.transaction() as connection:
        first, *_ = outbox.claim(connection, house.now, 10, "w", hurry=True)
        assert handing.step(connection, "w", (), "", house.now, [first.id])
        assert not accepted or handing.step(connection, "w", [first.id], "smtp-250", house.now, ())
    house.later(seconds=outbox.LEASE.total_seconds() + 1)
    return first.subscriber


def test_who_may_have_got_it_when_a_process_died_is_told(either: House, sink: Sink) -> None:
    item = release(either, 1)
    who = in_hand(either)
    either.decide("withdraw", item)
    workers.dispatch(either.service, now=True)
    other = {"een": "twee", "twee": "een"}[who]
    assert told(either) == [
        *sorted([("alert", other, "cancelled", "withdrawn"), ("alert", who, "perhaps", "withdrawn")]),
        ("withdrawal", who, "sent", "smtp-250"),
    ]
    assert [each.recipient for each in sink.mails] == [f"{who}@voorbeeld.example"]
    (mail,) = mails(sink)
    assert item in mail["Subject"]
    assert "FortiGate" in body(mail), "it says what it is about"
    assert workers.dispatch(either.service, now=True)["sent"] == 0, "once"


def test_what_was_perhaps_accepted_is_told_and_borne_out(house: House, sink: Sink) -> None:
    """By ledger, register, the page that says whether a message is ours, and `prove`."""
    item = release(house, 1)
    sink.answer = lambda recipient, before: ""
    workers.dispatch(house.service, now=True)
    house.decide("withdraw", item)
    sink.answer = lambda recipient, before: "250 OK"
    assert workers.dispatch(house.service)["sent"] == 2
    assert told(house) == [
        *(("alert", name, "perhaps", "withdrawn") for name in ("een", "twee")),
        *(("withdrawal", name, "sent", "smtp-250") for name in ("een", "twee")),
    ]
    (first, second), codes = (each.delivery for each in lines(house) if each.kind == "alert"), []
    for each in (first, second):
        proof = proving.prove(house.service, each)
        assert proof.ok, proof
        (said,) = (check.said for check in proof.checks if check.what == "acceptance")
        assert "perhaps accepted" in said
        assert any(check.what.startswith("content of") and check.ok for check in proof.checks), proof
        with house.service.reading() as connection:
            codes.append(ledger.sent_as(connection, each[:15]))
    assert [code and code[0] for code in codes] == [item, item]


def test_who_may_have_got_it_and_wants_or_can_no_more_is_told_as_well(house: House, sink: Sink) -> None:
    """It fails for good afterwards; or concerns its reader no more; then it is withdrawn."""
    item = release(house, 1)
    sink.answer = lambda recipient, before: ""
    workers.dispatch(house.service, now=True)
    house.subscribe("een", Contact("email", address="een@voorbeeld.example"), clearance=Label.AMBER)
    sink.answer = lambda recipient, before: "554 5.7.1 no"
    house.later(minutes=11)
    workers.dispatch(house.service)
    assert told(house) == [("alert", "een", "perhaps", "no-match"), ("alert", "twee", "perhaps", "smtp-554")]
    sink.answer = lambda recipient, before: "250 OK"
    house.decide("withdraw", item)
    workers.dispatch(house.service)
    assert [each[1:3] for each in told(house, "withdrawal")] == [("een", "sent"), ("twee", "sent")]


@pytest.mark.parametrize(("taken", "then"), [(False, "alert"), (True, "update")], ids=["perhaps", "surely"])
def test_a_next_version_is_an_update_to_who_surely_has_the_first(
    house: House, sink: Sink, *, taken: bool, then: DeliveryKind
) -> None:
    """Also where nobody has settled that yet. To others it is an alert: whole."""
    says = {"tracking": ("NCSC-2026-0001",), "affected": (Affected("Fortinet", "FortiOS"),)}
    item = house.item(draft("doc", title="Lek in FortiOS", cves=("CVE-2026-0001",), **says))
    house.decide("release", item)
    who = in_hand(house, accepted=taken)
    house.item(draft("doc", title="Lek in FortiOS", cves=("CVE-2026-0001", "CVE-2026-0002"), **says))
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.decide("withdraw", item)
    workers.dispatch(house.service)
    found = [(each.kind, each.outcome) for each in lines(house) if each.subscriber == who]
    expected = [("alert", "sent" if taken else "perhaps"), (then, "sent"), ("withdrawal", "sent")]
    assert sorted(found) == sorted(expected)
    assert len(sink.mails) == 4


def of(house: House, *items: str) -> list[list[str]]:
    """What the ledger says of each item to one of its readers, in order."""
    found = [each for each in lines(house) if each.subscriber == "een" and each.kind == "alert"]
    return [[each.reason for each in found if each.subject == item] for item in items]


def test_what_a_withdrawn_report_held_back_comes_through(either: House, sink: Sink) -> None:
    """The newest of it; and the others, where that does not tell them."""
    first, second, third = reported(either, 2, 1, 2), reported(either, 3, 1, 2), reported(either, 4, 1, 2)
    assert of(either, first, second, third) == [["smtp-250"], ["repeat"], ["repeat"]]
    either.decide("withdraw", first)
    workers.dispatch(either.service)
    assert of(either, second, third) == [["repeat"], ["repeat", "smtp-250"]]
    assert told(either, "withdrawal") == [("withdrawal", name, "sent", "smtp-250") for name in ("een", "twee")]
    either.later(minutes=16)
    workers.dispatch(either.service)
    assert of(either, second, third) == [["repeat", "repeat"], ["repeat", "smtp-250"]]
    either.decide("withdraw", third)
    workers.dispatch(either.service)
    assert of(either, second) == [["repeat", "repeat", "smtp-250"]]


@pytest.mark.parametrize("settled", [True, False], ids=["settled", "in-hand"])
def test_what_may_have_been_accepted_and_was_held_back_comes_again(house: House, sink: Sink, *, settled: bool) -> None:
    """As a repeat, under its Message-ID."""
    sink.answer = lambda recipient, before: ""
    first = reported(house, 3, 1)
    name = sink.mails[0].id
    columns, late = outbox.deliveries.c, house.now + timedelta(days=1, hours=1)
    with house.service.transaction() as connection:  # it is tried again after the next one
        connection.execute(outbox.deliveries.update().where(columns.subject == first).values(due_at=late))
    sink.answer = lambda recipient, before: "250 OK"
    second = reported(house, 4, 1)
    house.later(hours=2)
    if settled:
        workers.dispatch(house.service)
        assert of(house, first, second) == [["repeat"], ["smtp-250"]]
    else:
        with house.service.transaction() as connection:
            for each in outbox.claim(connection, house.now, 10, "w"):
                outbox.cancel(connection, each, "repeat", house.now)
    house.decide("withdraw", second)
    workers.dispatch(house.service)
    assert of(house, first) == [["repeat", "smtp-250"] if settled else ["smtp-250"]]
    mine = [each for each in lines(house) if each.subject == first]
    assert [each.repeat for each in mine] == [True] * len(mine)
    assert all(proving.prove(house.service, each.delivery).ok for each in mine)
    assert [each.id for each in sink.mails].count(name) == 2


def test_what_something_else_tells_is_not_told_again(house: House) -> None:
    first, second, third = reported(house, 2, 1), reported(house, 3, 1), reported(house, 4, 1, 2)
    assert of(house, first, second, third) == [["smtp-250"], ["repeat"], ["smtp-250"]]
    house.decide("withdraw", first)
    workers.dispatch(house.service, now=True)
    assert of(house, second) == [["repeat", "repeat"]]


@pytest.mark.parametrize("settled", [True, False], ids=["settled", "in-hand"])
def test_what_held_others_back_and_came_back_told_nothing(house: House, sink: Sink, *, settled: bool) -> None:
    """Also where it comes back before anybody settled that it was sent."""
    with (house.service.settings.dir / "oktt.toml").open("a") as settings:
        settings.write('[bounces]\naddress = "bounce@oktt.example"\nfolder = "bounces"\n')
    house.service = open_service(house.service.settings.dir)
    house.service.clock = lambda: house.now
    first = report(house, 2, 1)
    with house.service.transaction() as connection:
        name = connection.scalar(sa.select(outbox.deliveries.c.id).where(outbox.deliveries.c.subscriber == "een"))
    assert name is not None
    if settled:
        workers.dispatch(house.service, now=True)
        second = reported(house, 3, 1)
    else:
        with house.service.transaction() as connection:
            one, *_ = (each for each in outbox.claim(connection, house.now, 10, "w", hurry=True) if each.id == name)
            assert handing.step(connection, "w", (), "", house.now, [one.id])
            assert handing.step(connection, "w", [one.id], "smtp-250", house.now, ())
    new = house.service.settings.dir / "bounces/new"
    new.mkdir(parents=True)
    (new / "1").write_bytes(dsn("failed", "4.4.7", to=returning.address_for(house.service, name) or ""))
    assert returning.read(house.service) == {"returned": 1}
    house.later(minutes=6)
    workers.dispatch(house.service, now=True)
    if settled:
        assert of(house, first, second) == [["smtp-250", "4.4.7"], ["repeat", "smtp-250"]]
    else:
        assert sorted(of(house, first)[0]) == ["4.4.7", "smtp-250"]
        assert of(house, reported(house, 3, 1)) == [["smtp-250"]]


def test_what_waits_goes_by_the_way_it_was_meant_for(house: House, sink: Sink) -> None:
    """Also where the subscriber has other channels by now, or the same in another order; and its stop link is of the
    address that it went to."""
    release(house, 1)
    house.later(minutes=1)
    uses = {"software": (Software("Fortinet", "FortiOS", "7.2.3"),), "clearance": Label.AMBER}
    house.subscribe("een", Contact("file"), Contact("email", address="nieuw@voorbeeld.example"), **uses)
    house.subscribe("twee", Contact("file"), **uses)
    house.later(minutes=1)
    workers.dispatch(house.service, now=True)
    assert told(house) == [("alert", "een", "sent", "smtp-250"), ("alert", "twee", "cancelled", "no-match")]
    assert [each.recipient for each in sink.mails] == ["nieuw@voorbeeld.example"]
    (name,) = (each.delivery for each in lines(house) if each.outcome == "sent")
    with house.service.reading() as connection:
        meant = unsubscribe._meant(connection, name)
    assert meant is not None
    assert meant[1].address == "nieuw@voorbeeld.example"


def test_a_code_is_known_before_it_is_settled_that_its_message_left(house: House, sink: Sink) -> None:
    item = release(house, 1)
    sink.answer = lambda recipient, before: ""
    workers.dispatch(house.service, now=True)
    (name, *_) = (message_from_bytes(each.content)["Message-ID"] for each in sink.mails)
    with house.service.reading() as connection:
        assert ledger.sent_as(connection, name[1:16]) is None
        found = outbox.left_as(connection, name[1:16])
    assert found is not None
    assert found[0] == item


def resubscribed(house: House, name: str, *addresses: str, **more: Any) -> None:
    """It has these addresses from now on."""
    house.later(minutes=1)
    uses = {"software": (Software("Fortinet", "FortiOS", "7.2.3"),), "clearance": Label.AMBER}
    house.subscribe(name, *(Contact("email", address=each, **more) for each in addresses), **uses)
    house.later(minutes=1)


def test_each_address_gets_once_what_was_meant_for_it(house: House, sink: Sink) -> None:
    """Whatever others of its subscriber leave before."""
    resubscribed(house, "een", "a@voorbeeld.example", "b@voorbeeld.example")
    release(house, 1)
    resubscribed(house, "een", "b@voorbeeld.example")
    workers.dispatch(house.service, now=True)
    assert sorted(each.recipient for each in sink.mails) == ["b@voorbeeld.example", "twee@voorbeeld.example"]


def test_what_is_meant_for_two_does_not_go_as_one(house: House, sink: Sink) -> None:
    """Though it was queued for channels of the same number."""
    resubscribed(house, "een", "a@voorbeeld.example", "b@voorbeeld.example")
    items = [release(house, 1)]
    resubscribed(house, "een", "b@voorbeeld.example", "a@voorbeeld.example")
    items.append(release(house, 2))
    workers.dispatch(house.service, now=True)
    for name in "ab":
        got = [each.content.decode() for each in sink.mails if each.recipient[0] == name]
        assert [sum(f"({item})" in each for each in got) for item in items] == [1, 1]


def test_who_left_keeps_nobody_from_what_still_waits(house: House, sink: Sink) -> None:
    resubscribed(house, "een", "a@voorbeeld.example", "b@voorbeeld.example")
    release(house, 1)
    sink.answer = lambda recipient, before: "451 4.7.1 later" if recipient[0] == "b" else "250 OK"
    workers.dispatch(house.service, now=True)
    assert "a@voorbeeld.example" in [each.recipient for each in sink.mails]
    resubscribed(house, "een", "b@voorbeeld.example")
    sink.answer = lambda recipient, before: "250 OK"
    house.later(minutes=11)
    before = len(sink.mails)
    workers.dispatch(house.service)
    assert [each.recipient for each in sink.mails[before:]] == ["b@voorbeeld.example"]


def test_what_may_have_been_accepted_is_made_anew_for_another_address_or_key(house: House, sink: Sink) -> None:
    """Under the same Message-ID, and it is a repeat all the same."""
    file, (old, new) = house.service.settings.dir / "twee.asc", (Tsk.generate("Twee") for _ in range(2))
    file.write_bytes(bytes(old.extract_certificate()))
    resubscribed(house, "twee", "twee@voorbeeld.example", pgp=file.name)
    release(house, 1)
    sink.answer = lambda recipient, before: ""
    workers.dispatch(house.service, now=True)
    first = {each.recipient.partition("@")[0]: each.id for each in sink.mails}
    sink.mails.clear()
    resubscribed(house, "een", "nieuw@voorbeeld.example")
    file.write_bytes(bytes(new.extract_certificate()))
    sink.answer = lambda recipient, before: "250 OK"
    house.later(minutes=11)
    workers.dispatch(house.service)
    again = {each.recipient.partition("@")[0]: message_from_bytes(each.content) for each in sink.mails}
    assert {name: each["Message-ID"] for name, each in again.items()} == {"nieuw": first["een"], "twee": first["twee"]}
    assert again["nieuw"]["To"] == "nieuw@voorbeeld.example"
    assert "een@" not in again["nieuw"].as_string()
    sealed = list(again["twee"].walk())[-1].get_payload(decode=True)
    assert b"CVE-2026-0001" in bytes(decrypt(sealed, decryptor=new.decryptor()).bytes)
    assert [(each.outcome, each.repeat) for each in lines(house)] == [("sent", True)] * 2
