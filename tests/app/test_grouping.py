"""Several items of one action are one message: what joins, what stays apart, and what becomes of each by itself."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app import proving, website, workers
from app.service import open_service
from dispatch import feedback, ledger, outbox
from dispatch.grouping import MOST
from normalize import Affected, Observable, Urgency
from subscribers import Contact, Software
from tests.app.forks import KILLED, Forks
from tests.app.house import House, opened
from tests.app.instance import TEST_CLOCK, copied
from tests.app.sink import Sink, listening
from tests.triage.desk import draft
from tlp import Label

BASE = "https://oktt.example"
FORTIOS = Affected("Fortinet", "FortiOS")
MAIL = Contact("email", address="beveiliging@voorbeeld.example")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, sink: Sink) -> House:
    """An instance that sends to the sink, with one firm that uses FortiOS."""
    made = opened(tmp_path)
    (tmp_path / "oktt.toml").write_text(f'[web]\nbase_url = "{BASE}"\n{sink.settings}')
    made.service = open_service(tmp_path)
    made.service.clock = lambda: made.now
    subscribe(made)
    return made


def subscribe(house: House, *contacts: Contact, **more: Any) -> None:
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    known = {"clearance": Label.AMBER, "software": uses, "networks": ("192.0.2.0/24",), "verified": True} | more
    house.subscribe("firma", *(contacts or (MAIL,)), **known)


def release(house: House, number: int, **more: Any) -> str:
    facts = {"affected": (FORTIOS,), "cves": (f"CVE-2026-{number:04d}",), "exploited": True} | more
    item = house.item(draft(f"{number:04d}", title=f"Lek {number} in FortiOS", **facts))
    assert house.decide("release", item).state == "released"
    return item


def mails(sink: Sink) -> list[EmailMessage]:
    return [message_from_bytes(each.content, policy=policy.default) for each in sink.mails]


def body(mail: EmailMessage) -> str:
    found = mail.get_body(("plain",))
    assert found is not None
    return " ".join(str(found.get_content()).split())


def lines(house: House) -> list[Any]:
    with house.service.reading() as connection:
        return list(connection.execute(sa.select(ledger.ledger).order_by(ledger.ledger.c.id)))


def ask(transport: httpx.ASGITransport, method: str, path: str, **data: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=BASE, follow_redirects=True) as client:
            return await client.request(method, path, data=data or None)

    return asyncio.run(asked())


def answers(house: House, *items: str) -> list[str | None]:
    with house.service.reading() as connection:
        given = [feedback.latest(connection, item, "firma") for item in items]
    return [each and each.answer for each in given]


def test_three_advisories_of_one_action_are_one_mail_and_three_lines(house: House, sink: Sink) -> None:
    items = [release(house, number) for number in (1, 2, 3)]
    assert workers.dispatch(house.service, now=True) == {"sent": 3, "retry": 0, "failed": 0, "cancelled": 0}
    (mail,) = mails(sink)
    assert mail["Subject"] == "TLP:CLEAR [VANDAAG] 3 meldingen: FortiGate: zet beheer via internet uit"
    text = body(mail)
    assert text.count("Doe dit vandaag") == text.count("DOE DIT") == text.count("Hoe staat".upper()) == 1
    for number, item in enumerate(items, 1):
        assert f"{item}: Lek {number} in FortiOS" in text
        assert text.count(f"CVE-2026-000{number}") == 1
    told = lines(house)
    assert sorted((each.subject, each.outcome, each.message_id) for each in told) == [
        (item, "sent", mail["Message-ID"]) for item in items
    ]
    assert len({each.delivery for each in told}) == 3
    for each in told:
        proof = proving.prove(house.service, each.delivery)
        assert all(check.ok for check in proof.checks), proof
        assert sum("content of" in check.what for check in proof.checks) == 3, "the whole message"
    assert workers.dispatch(house.service, now=True)["sent"] == 0
    house.later(hours=16)
    assert workers.dispatch(house.service)["sent"] == 3
    again = mails(sink)[-1]
    assert again["Subject"] == "TLP:CLEAR [HERINNERING] 3 meldingen: FortiGate: zet beheer via internet uit"
    assert again["In-Reply-To"] == mail["Message-ID"]


def test_an_answer_is_for_all_of_a_message_or_for_the_one_it_names(house: House, sink: Sink) -> None:
    items = [release(house, number) for number in (1, 2, 3)]
    workers.dispatch(house.service, now=True)
    web = httpx.ASGITransport(website.application(house.service))
    (path,) = set(re.findall(rf"{BASE}(/a/[\w-]+)\?answer=", body(mails(sink)[0])))
    assert set(re.findall(rf"{BASE}{path}\?item=(\S+)", body(mails(sink)[0]))) == set(items)
    page = ask(web, "GET", f"{path}?item={items[1]}&answer=handled").text
    assert f'value="{items[1]}" checked' in page
    assert 'value="handled" required checked' in page
    assert "Lek" not in page
    assert answers(house, *items) == [None] * 3
    assert "Dank u wel" in ask(web, "POST", path, answer="handled", item="").text
    assert answers(house, *items) == ["handled"] * 3
    after = ask(web, "POST", path, answer="need-help", item=items[1]).text
    assert answers(house, *items) == ["handled", "need-help", "handled"]
    assert f"{items[1]}: Genoteerd: Wij hebben hulp nodig" in after
    ask(web, "POST", path, answer="working", item="OKTT-2026-9999")
    assert answers(house, *items) == ["handled", "need-help", "handled"], "what it did not tell is not answered"
    with house.service.reading() as connection:
        assert {each.opened for each in feedback.outcomes(connection, house.now)} == {True}


def test_what_differs_in_who_may_read_it_or_by_when_goes_apart(house: House, sink: Sink) -> None:
    release(house, 1)
    release(house, 2)
    amber = release(house, 3, label=Label.AMBER)
    later = release(house, 4, exploited=None)
    house.subscribe("hook", Contact("kafka", topic="t"), clearance=Label.AMBER)
    assert workers.dispatch(house.service, now=True)["sent"] == 4
    found = sorted(str(mail["Subject"]) for mail in mails(sink))
    assert len(found) == 3
    assert found[0] == f"TLP:AMBER [VANDAAG] FortiGate: zet beheer via internet uit ({amber})"
    assert found[1] == f"TLP:CLEAR [TER INFO] FortiGate: zet beheer via internet uit ({later})"
    assert "2 meldingen" in found[2]


def test_a_message_has_ten_items_at_most(house: House, sink: Sink) -> None:
    for number in range(1, MOST + 3):
        release(house, number)
    assert workers.dispatch(house.service, now=True)["sent"] == MOST + 2
    assert sorted(str(mail["Subject"]).split()[2] for mail in mails(sink)) == [str(MOST), "2"]


def test_what_was_raised_or_withdrawn_meanwhile_stays_behind(house: House, sink: Sink) -> None:
    """Between queue and send: the others go without it, and it by its own rules."""
    items = [release(house, number) for number in (1, 2, 3, 4)]
    house.decide("withdraw", items[1])
    house.later(minutes=1)
    house.decide("release", items[2], tlp=Label.RED)
    assert workers.dispatch(house.service, now=True)["sent"] == 2
    (mail,) = mails(sink)
    assert "2 meldingen" in mail["Subject"]
    assert not any(item in body(mail) for item in items[1:3])
    reasons = {each.subject: each.reason for each in lines(house) if each.outcome == "cancelled"}
    assert reasons.keys() == set(items[1:3])


def test_one_of_them_withdrawn_afterwards_takes_nothing_of_the_others_back(house: House, sink: Sink) -> None:
    items = [release(house, number) for number in (1, 2, 3)]
    workers.dispatch(house.service, now=True)
    house.later(hours=1)
    house.decide("withdraw", items[1])
    assert workers.dispatch(house.service)["sent"] == 1
    first, mail = mails(sink)
    assert mail["In-Reply-To"] == first["Message-ID"]
    assert mail["Subject"] == f"TLP:CLEAR [INGETROKKEN] Eén van 3 meldingen is ingetrokken ({items[1]})"
    assert f"Alleen melding {items[1]} trekken wij in" in body(mail)
    assert "U hoeft niets meer te doen" not in body(mail)
    assert items[0] not in body(mail)
    assert "zet beheer" not in body(mail)


def test_an_attempt_that_nobody_accepted_is_put_together_again(house: House, sink: Sink) -> None:
    """Greylisting; meanwhile another item came, and one is held."""
    items = [release(house, number) for number in (1, 2, 3)]
    sink.answer = lambda recipient, before: "451 4.7.1 greylisted"
    assert workers.dispatch(house.service, now=True)["retry"] == 3
    sink.answer = lambda recipient, before: "250 OK"
    house.decide("hold", items[0])
    release(house, 4)
    house.later(minutes=11)
    assert workers.dispatch(house.service)["sent"] == 3
    (mail,) = mails(sink)
    assert "3 meldingen" in mail["Subject"]
    assert items[0] not in body(mail)
    house.decide("release", items[0])
    house.later(minutes=15)
    assert workers.dispatch(house.service)["sent"] == 1
    assert items[0] in mails(sink)[1]["Subject"]


def test_what_may_have_been_accepted_is_repeated_as_it_was(house: House, sink: Sink) -> None:
    """And with nothing that came since."""
    for number in (1, 2, 3):
        release(house, number)
    sink.answer = lambda recipient, before: "" if before == 0 else "250 OK"
    assert workers.dispatch(house.service, now=True)["retry"] == 3
    other = release(house, 4)
    house.later(minutes=11)
    assert workers.dispatch(house.service)["sent"] == 4
    first, *rest = sink.mails
    assert len(rest) == 2
    assert first in rest, "byte for byte"
    assert [each.repeat for each in lines(house) if each.subject != other] == [True] * 3


def test_what_may_not_be_shown_any_more_is_not_repeated(house: House, sink: Sink) -> None:
    """One of a message that may have been accepted was withdrawn: it is made anew, without it; and that is told."""
    items = [release(house, number) for number in (1, 2, 3)]
    sink.answer = lambda recipient, before: "" if before == 0 else "250 OK"
    assert workers.dispatch(house.service, now=True)["retry"] == 3
    for item in items[:2]:  # perhaps the one that leads, perhaps one that goes along
        house.decide("withdraw", item)
    house.later(minutes=11)
    assert workers.dispatch(house.service)["sent"] == 3
    back, (again,) = (
        [each for each in mails(sink)[1:] if ("INGETROKKEN" in each["Subject"]) is it] for it in (True, False)
    )
    assert items[2] in again["Subject"]
    assert not any(item in body(again) for item in items[:2])
    assert {each.subject for each in lines(house) if each.outcome == "perhaps"} == set(items[:2])
    assert {item for each in back for item in items if item in each["Subject"]} == set(items[:2])
    assert {each["In-Reply-To"] for each in back} == {mails(sink)[0]["Message-ID"]}
    assert all("Nog geldig: 1 van de 3." in body(each) for each in back), "what the third one asks for stands"
    with house.service.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(outbox.deliveries.c.state == "sending")) == 0


def test_one_that_cannot_be_read_keeps_none_of_the_others(house: House, sink: Sink) -> None:
    items = [release(house, number) for number in (1, 2, 3)]
    with house.service.transaction() as connection:
        torn = sa.text("update statements set sealed = :torn where item = :item")
        connection.execute(torn, {"torn": b"x", "item": items[1]})
    assert workers.dispatch(house.service, now=True)["sent"] == 2
    assert "2 meldingen" in mails(sink)[0]["Subject"]


def test_a_second_update_waits_for_the_next_one_unless_it_is_graver(house: House, sink: Sink) -> None:
    def says(version: int, **more: Any) -> str:
        house.later(minutes=30)
        facts = {"affected": (FORTIOS,), "cves": tuple(f"CVE-2026-{each:04d}" for each in range(1, version + 1))} | more
        item = house.item(draft("doc", title="Lek in FortiOS", tracking=("NCSC-2026-0001",), **facts))
        house.decide("release", item)
        return item

    def left() -> list[str]:
        workers.dispatch(house.service, now=True)
        return [str(mail["Subject"]).split("]")[0].partition("[")[2] for mail in mails(sink)]

    item = says(1)
    assert left() == ["TER INFO"]
    says(2)
    assert left() == ["TER INFO", "UPDATE"], "the first one goes at once"
    says(3)
    assert left() == ["TER INFO", "UPDATE"]
    says(4)
    assert left() == ["TER INFO", "UPDATE"], "not even with --now"
    assert [each.version for each in lines(house) if each.reason == "superseded"] == [3]
    house.later(hours=4)
    assert left() == ["TER INFO", "UPDATE", "UPDATE"]
    says(5)
    assert len(left()) == 3
    says(6, exploited=True)
    assert left() == ["TER INFO", *["UPDATE"] * 3], "exploited by now"
    house.decide("withdraw", item)
    assert left()[-1] == "INGETROKKEN"


def report(house: House, day: int, *hosts: int, urgency: Urgency = "this-week") -> str:
    house.now = datetime(2026, 3, day, 9, tzinfo=UTC)
    rows = tuple(Observable("ipv4", f"192.0.2.{host}", role="victim", port=3389) for host in hosts)
    made = draft(
        f"scan_rdp/2026-03-{day:02}", "exposure", Label.AMBER, observables=rows, exposure="scan_rdp",
        tracking=("scan_rdp",), source_time=house.now,
    )  # fmt: skip
    item = house.item(made, "shadowserver")
    house.decide("release", item, urgency=urgency)
    return item


def reported(house: House, day: int, *hosts: int, urgency: Urgency = "this-week") -> str:
    item = report(house, day, *hosts, urgency=urgency)
    workers.dispatch(house.service, now=True)
    return item


def test_who_was_told_of_a_system_is_told_again_after_a_week(house: House, sink: Sink) -> None:
    days = ((2, 1, 2), (3, 1, 2), (4, 2), (5, 2, 3))
    told = [reported(house, *each) for each in days]
    sent = {each.subject: each.reason for each in lines(house)}
    assert [sent[item] for item in told] == ["smtp-250", "repeat", "repeat", "smtp-250"]
    assert len(mails(sink)) == 2
    assert "192.0.2.3" in body(mails(sink)[1])
    again = [reported(house, day, 2, 3) for day in (6, 12)]
    reasons = [(each.subject, each.reason) for each in lines(house) if each.kind == "alert"]
    assert reasons[-2:] == list(zip(again, ("repeat", "smtp-250"), strict=True))
    (mail,) = (mail for mail in mails(sink) if "[NOG OPEN]" in mail["Subject"])
    assert "Dit staat nog steeds open. Wij schreven u hierover ook op 5 maart 2026" in body(mail)
    assert "nog steeds, sinds maandag 2 maart (10 dagen)" in body(mail)


def test_and_at_once_where_it_is_graver_or_holds_more(house: House) -> None:
    items = [reported(house, 2, 1), reported(house, 3, 1, urgency="today"), reported(house, 4, 1)]
    subscribe(house, networks=("192.0.2.0/24", "198.51.100.0/24"))
    items += [reported(house, 5, 1), reported(house, 6, 1)]
    sent = {each.subject: each.reason for each in lines(house)}
    assert [sent[item] for item in items] == ["smtp-250", "smtp-250", "repeat", "smtp-250", "repeat"]


def test_what_did_not_arrive_told_nothing(house: House, sink: Sink) -> None:
    sink.answer = lambda recipient, before: "250 OK" if before else "554 5.7.1 no"
    first, second = report(house, 2, 1), report(house, 3, 1)
    workers.dispatch(house.service, now=True)
    house.later(hours=1)
    workers.dispatch(house.service, now=True)
    said = {each.subject: each.outcome for each in lines(house)}
    assert sorted(said.values()) == ["failed", "sent"]
    assert said.keys() == {first, second}


def test_killed_anywhere_one_message_comes_twice_at_most_and_the_same(
    house: House, sink: Sink, forks: Forks, tmp_path: Path
) -> None:
    """Between what the server took and the commit that says so, too: then that message again, and no other."""
    for number in (1, 2, 3):
        release(house, number)
    house.service.close()
    now, first = "2026-03-02T09:00:00Z", tmp_path.with_name("first")
    copied(tmp_path, first)
    (first / "oktt.toml").write_text(f"{TEST_CLOCK}{(first / 'oktt.toml').read_text()}")
    twice, commits = 0, count(1)
    for number in commits:
        copy = copied(first, tmp_path.with_name(f"killed-{number}"))
        sink.mails.clear()
        code, _ = forks.run(copy, ["dispatch"], now=now, number=number, when="before")
        assert code in (0, KILLED)
        assert code == 0 or forks.run(copy, ["dispatch"], now=now)[0] == 0
        assert len(set(sink.mails)) == 1, "byte for byte"
        with sqlite3.connect(copy / "oktt.db") as connection:
            told = connection.execute(
                "SELECT subject, message_id, repeat FROM ledger WHERE outcome = 'sent'"
            ).fetchall()
        connection.close()
        assert [subject for subject, *_ in sorted(told)] == [f"OKTT-2026-000{each}" for each in (1, 2, 3)]
        assert {message_id for _, message_id, _ in told} == {sink.mails[0].id}
        assert {repeat for *_, repeat in told} in ({0}, {1})
        twice += len(sink.mails) - 1
        if code == 0:
            break
    assert twice == 1
