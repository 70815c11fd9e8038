"""What becomes of each where a message that tells several is refused, broken off, or cannot be made."""

import pytest
import sqlalchemy as sa

from app import company, workers
from app.sending import Sender
from dispatch import outbox
from normalize import Observable
from subscribers import Contact
from tests.app import test_grouping
from tests.app.house import NOW, House
from tests.app.sink import Sink
from tests.app.test_grouping import MAIL, body, lines, mails, release, subscribe

house, sink = test_grouping.house, test_grouping.sink
_d = outbox.deliveries.c


def test_a_refusal_of_several_is_tried_for_each_by_itself(house: House, sink: Sink) -> None:
    """A filter that will not have one of them keeps none of the others; what is refused alone has failed."""
    items = [release(house, number) for number in (1, 2, 3)]
    sink.answer = lambda recipient, before: "554 5.7.1 spam" if before in (0, 2) else "250 OK"
    assert workers.dispatch(house.service, now=True)["retry"] == 3
    assert lines(house) == []
    house.later(minutes=2)
    release(house, 4)
    found = workers.dispatch(house.service, now=True)
    assert (found["sent"], found["failed"]) == (3, 1)
    told = {each.subject: each.outcome for each in lines(house)}
    assert sorted(told[item] for item in items) == ["failed", "sent", "sent"]
    assert not any("meldingen" in mail["Subject"] for mail in mails(sink))
    assert len({each.message_id for each in lines(house) if each.outcome == "sent"}) == 3


def test_a_refusal_of_what_may_have_come_is_of_no_bytes_that_go_again(house: House, sink: Sink) -> None:
    """Cut off, repeated, refused: each is made anew by itself, and stays a repeat."""
    for number in (1, 2):
        release(house, number)
    replies = iter(["", "554 5.7.1 spam"])
    sink.answer = lambda recipient, before: next(replies, "250 OK")
    workers.dispatch(house.service, now=True)
    house.later(minutes=2)
    assert workers.dispatch(house.service)["retry"] == 2
    house.later(minutes=5)
    assert workers.dispatch(house.service)["sent"] == 2
    assert [each.repeat for each in lines(house)] == [True, True]
    assert ["meldingen" in mail["Subject"] for mail in mails(sink)] == [True, False, False]


def test_several_are_tried_alone_after_their_last_attempt_too(house: House, sink: Sink) -> None:
    for number in (1, 2):
        release(house, number)
    most = outbox.ATTEMPTS
    sink.answer = lambda recipient, before: "554 5.7.1 spam" if before == most - 1 else "451 4.7.1 later"
    workers.dispatch(house.service, now=True)
    for _ in range(most - 1):
        house.later(hours=7)
        assert workers.dispatch(house.service)["retry"] == 2
    sink.answer = lambda recipient, before: "250 OK"
    house.later(hours=7)
    workers.dispatch(house.service)
    assert [each.outcome for each in lines(house) if each.kind == "alert"] == ["sent", "sent"]


def test_several_carry_no_more_files_than_a_mail_server_takes(
    house: House, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(house, maturity="mature")
    for number in (1, 2, 3):
        release(house, number, observables=(Observable("domain", f"kwaad-{number}.example", role="attacker"),))
    monkeypatch.setattr(company, "_FILES", 1)
    assert workers.dispatch(house.service, now=True)["sent"] == 3
    assert len(mails(sink)) == 3
    assert all(len(list(mail.iter_attachments())) == 1 for mail in mails(sink))


def stored(house: House) -> None:
    """A process makes what is due and stores it, and is gone."""
    with house.service.transaction() as connection:
        claimed = outbox.claim(connection, house.now, 100, "gone", hurry=True)
        assert Sender(house.service).prepare(connection, claimed).ready


def test_what_leads_and_is_taken_along_leaves_none_behind(house: House, sink: Sink) -> None:
    """Three were stored as one message; then an item that sorts before them takes the one that leads along."""
    items = [release(house, number) for number in (1, 2, 3)]
    stored(house)
    items.append(release(house, 4))
    with house.service.transaction() as connection:  # as a row of a fan-out, due since its release
        leads = connection.execute(sa.select(_d.id).where(_d.message.is_not(None))).scalar_one()
        connection.execute(sa.update(outbox.deliveries).where(_d.subject == items[-1]).values(due_at=NOW))
    house.later(minutes=30)
    stored(house)
    with house.service.reading() as connection:
        row = connection.execute(sa.select(_d.leader, _d.message).where(_d.id == leads)).one()
    assert row.leader is not None, "it goes along by now"
    assert row.message is None
    house.later(minutes=30)
    assert workers.dispatch(house.service, now=True)["sent"] == 4
    assert sorted(each.subject for each in lines(house)) == sorted(items)


def test_several_withdrawn_of_one_message_say_what_is_left_of_it(house: House, sink: Sink) -> None:
    subscribe(house, Contact("kafka", topic="t"), MAIL)
    items = [release(house, number) for number in (1, 2, 3)]
    workers.dispatch(house.service, now=True)
    house.later(hours=1)
    for item in items[:2]:
        house.decide("withdraw", item)
    workers.dispatch(house.service)
    _, *two = mails(sink)
    for item in items[:2]:
        (text,) = (body(mail) for mail in two if item in mail["Subject"])
        assert f"Melding {item} trekken wij in." in text
        assert "Nog geldig: 1 van de 3." in text
        assert "verandert er niets" not in text
    house.decide("withdraw", items[2])
    workers.dispatch(house.service)
    last = mails(sink)[-1]
    assert "Eén van" not in last["Subject"]
    assert "U hoeft niets meer te doen" in body(last)
    assert last["In-Reply-To"] == mails(sink)[0]["Message-ID"]


def test_a_common_message_that_cannot_be_made_costs_none_its_own(house: House, sink: Sink) -> None:
    """Its bytes, which may have been accepted, cannot be opened: each of them goes by itself."""
    items = [release(house, number) for number in (1, 2, 3)]
    sink.answer = lambda recipient, before: "" if before == 0 else "250 OK"
    workers.dispatch(house.service, now=True)
    with house.service.transaction() as connection:
        connection.execute(sa.update(outbox.deliveries).where(_d.message.is_not(None)).values(message=b"x"))
    house.later(minutes=11)
    assert workers.dispatch(house.service) == {"sent": 3, "retry": 0, "failed": 0, "cancelled": 0}
    assert sorted(each.subject for each in lines(house)) == items
    assert ["meldingen" in mail["Subject"] for mail in mails(sink)] == [True, False, False, False]
