"""What is decided, or goes wrong, while a batch of messages is being handed over (docs/decisions/006)."""

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import sending, workers
from dispatch import handing, outbox
from subscribers import Contact, Software
from tests.app.house import House, opened
from tests.app.sink import Sink, listening
from tests.app.test_grouping import lines, release
from tests.app.test_releasing import deliveries
from tlp import Label
from triage import decide, inbox

NAMES = [f"firma{number}" for number in range(7)]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, url: str, sink: Sink) -> House:
    """An instance that sends to the sink, with seven firms that use FortiOS."""
    made = opened(tmp_path, url, sink.settings)
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    for name in NAMES:
        contact = Contact("email", address=f"{name}@voorbeeld.example")
        made.subscribe(name, contact, clearance=Label.AMBER, software=uses)
    return made


def told(house: House) -> Counter[tuple[str, str, str]]:
    return Counter((each.kind, each.outcome, each.reason) for each in lines(house))


def test_a_withdrawal_reaches_the_batch_that_is_under_way(house: House, sink: Sink) -> None:
    """Who has it is told; what was made and has not left stays behind, at once and not when its time has passed."""
    item = release(house, 1)

    def answer(recipient: str, before: int) -> str:
        if before == 2:
            house.decide("withdraw", item)
        return "250 OK"

    sink.answer = answer
    workers.dispatch(house.service, now=True)
    assert told(house) == {
        ("alert", "sent", "smtp-250"): 3,
        ("alert", "cancelled", "withdrawn"): 4,
        ("withdrawal", "sent", "smtp-250"): 3,
    }
    assert sorted(Counter(each.recipient for each in sink.mails).values()) == [2, 2, 2]


def test_what_was_withdrawn_comes_back_to_be_looked_at_again(house: House, sink: Sink) -> None:
    house.subscribe("metaal", Contact("email", address="metaal@voorbeeld.example"), sectors=("SBI:25",))
    item, _ = release(house, 1), release(house, 2, affected=(), sectors=("SBI:25",))
    sender = sending.Sender(house.service)
    with house.service.transaction() as connection:
        ready = sender.prepare(connection, outbox.claim(connection, house.now, 10, "w", hurry=True)).ready
    house.decide("withdraw", item)
    assert {each.subject for each in sender.out.give(ready)} == {item}
    sender.out.finish("w")
    assert [each.recipient for each in sink.mails] == ["metaal@voorbeeld.example"]


def test_whoever_settles_it_after_a_crash_tells_of_the_withdrawal(house: House) -> None:
    item = release(house, 1)
    with house.service.transaction() as connection:
        gone, *_ = claimed = outbox.claim(connection, house.now, 10, "w", hurry=True)
        assert len(sending.Sender(house.service).prepare(connection, claimed).ready) == len(NAMES)
        assert handing.step(connection, "w", (), "", house.now, [gone.id])
        assert handing.step(connection, "w", [gone.id], "smtp-250", house.now, ())
    house.decide("withdraw", item)
    for _ in range(2):
        sending.Sender(house.service).out.settle(["w"])
    assert [each for each in deliveries(house) if each[0] != "alert"] == [("withdrawal", gone.subscriber, 1, "queued")]


def test_what_was_accepted_before_the_database_failed_does_not_leave_again(house: House, sink: Sink) -> None:
    """The step to the second message fails: the first is settled, and the others go one by one."""
    release(house, 1)
    failed: list[str] = []

    def fail(connection: object, cursor: object, statement: str, *_: object) -> None:
        if len(sink.mails) == 1 and not failed and statement.startswith("UPDATE deliveries"):
            failed.append(statement)
            raise sa.exc.OperationalError("", None, Exception())

    sa.event.listen(house.service.engine, "before_cursor_execute", fail)
    assert workers.dispatch(house.service, now=True)["sent"] == len(NAMES)
    assert len(failed) == 1
    assert set(Counter(each.recipient for each in sink.mails).values()) == {1}
    assert sorted(each.message_id for each in lines(house)) == sorted(each.id for each in sink.mails)
    with house.service.reading() as connection:
        assert not any(connection.scalars(sa.select(outbox.deliveries.c.repeat)))


def test_what_was_accepted_is_not_the_next_to_leave(house: House) -> None:
    release(house, 1)
    with house.service.transaction() as connection:
        first, second, *_ = (each.id for each in outbox.claim(connection, house.now, 10, "w", hurry=True))
        assert handing.step(connection, "w", (), "", house.now, [first])
        assert not handing.step(connection, "w", [first], "smtp-250", house.now, [first])
        assert handing.holders(connection) == {"w"}
        assert handing.step(connection, "w", [first], "smtp-250", house.now, [second])


def test_on_a_slow_database_one_message_a_round_is_made(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    release(house, 1)
    monkeypatch.setattr(sending, "AT_ONCE", 0.0)
    with house.service.transaction() as connection:
        claimed = outbox.claim(connection, house.now, 10, "w", hurry=True)
        batch = sending.Sender(house.service).prepare(connection, claimed)
    assert (len(batch.ready), len(batch.rest)) == (1, len(NAMES) - 1)


def settled(house: House) -> None:
    """As it is done."""
    sending.Sender(house.service).out.settle(["w"])


def in_the_order_of_before(house: House) -> None:
    """Deliveries first, and then their items."""
    with house.service.transaction() as connection:
        connection.execute(outbox.deliveries.update().values(reason="settling"))
        connection.execute(sa.select(inbox.items.c.id).with_for_update(read=True))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("settling", "victims"), [(settled, 0), (in_the_order_of_before, 1)])
def test_settling_and_a_run_of_rules_never_wait_for_each_other(
    house: House, settling: Callable[[House], None], victims: int
) -> None:
    """Rules have locked an item, and queue what is being settled once more. Each waited for the other, until PostgreSQL
    ended one of them."""
    item, ended = release(house, 1), list[str]()
    with house.service.transaction() as connection:
        gone, *_ = outbox.claim(connection, house.now, 10, "w", hurry=True)
        assert handing.step(connection, "w", (), "", house.now, [gone.id])
        assert handing.step(connection, "w", [gone.id], "smtp-250", house.now, ())
        connection.execute(inbox.items.update().values(state="new", ruled=None))

    def settle() -> None:
        try:
            settling(house)
        except sa.exc.OperationalError as error:
            ended.append(type(error.orig).__name__)

    thread = threading.Thread(target=settle)
    try:
        with house.service.transaction() as connection:
            assert decide.waiting(connection, [item], "mark")
            thread.start()
            somebody_waits(house)
            outbox.queue(connection, [dataclasses.replace(gone, worker="", state="queued")], urgency="today")
    except sa.exc.OperationalError as error:
        ended.append(type(error.orig).__name__)
    finally:
        thread.join()
    assert ended == ["DeadlockDetected"] * victims
    assert [(each.subject, each.outcome) for each in lines(house)] == [(item, "sent")] * (1 - victims)


def somebody_waits(house: House) -> None:
    """For a lock that another transaction has."""
    waits = sa.text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with house.service.engine.connect() as connection:
            if connection.scalar(waits):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
