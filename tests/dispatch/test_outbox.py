"""Claims, two-phase sending and the ledger, on both engines; what a crash at each commit point leaves behind."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import get_args

import pytest
import sqlalchemy as sa

from dispatch import Delivery, DispatchError, Outcome, holding, ledger, outbox
from subscribers import ChannelType
from tests.dispatch.underway import accepted, left, underway
from tests.dispatch.views import NOW
from tlp import Label

KEY = b"k" * 32
RNG = random.Random(7)
BYTES = b"Subject: x\r\n\r\nhello"


def an_order(item: str = "OKTT-2026-0412", *, channel: int = 0, due: int = 0, version: int = 1) -> Delivery:
    return outbox.order(
        KEY,
        "alert",
        item,
        version,
        "kvk-1",
        channel,
        "email",
        queued_at=NOW,
        due_at=NOW + timedelta(minutes=due),
    )


def sending(conn: sa.Connection, worker: str = "w1") -> Delivery:
    (delivery,) = outbox.claim(conn, NOW, 1, worker)
    return underway(conn, delivery, BYTES, label=Label.CLEAR, view="v", message_id="<1@x>", digest="d")


def test_there_is_a_way_out_for_each_kind_of_channel() -> None:
    assert {*get_args(ChannelType)} == {*outbox.MEDIA, "taxii"}


def test_a_delivery_is_queued_once(connection: sa.Connection) -> None:
    orders = [an_order(), an_order(channel=1), an_order()]
    assert outbox.queue(connection, orders, urgency="today") == 2
    assert outbox.queue(connection, orders, urgency="info") == 0
    assert len(outbox.claim(connection, NOW, 10, "w1")) == 2


def test_two_that_queue_the_same_in_another_order_do_not_stop_each_other(engine: sa.Engine) -> None:
    """Each would wait for what the other has put there, where that is not in one order."""
    orders, together = [an_order(channel=number) for number in range(1500)], threading.Barrier(2)

    def put(mine: list[Delivery]) -> int:
        with engine.connect() as connection:
            together.wait(60)
            with connection.begin():
                return outbox.queue(connection, mine, urgency="today")

    with ThreadPoolExecutor(2) as pool:
        assert max(pool.map(put, (orders, orders[::-1]))) == len(orders)


def test_the_natural_key_tells_every_part_apart() -> None:
    ids = {
        outbox.delivery_id(key, kind, subject, version, subscriber, channel)
        for key in (KEY, b"other")
        for kind in ("alert", "update")
        for subject in ("a", "ab")
        for version in (1, 11)
        for subscriber in ("b", "bb")
        for channel in (0, 1)
    }
    assert len(ids) == 64


def test_urgent_first_and_nobody_takes_what_another_holds(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order("monday/2026-03-02")], urgency=None)
    outbox.queue(connection, [an_order("OKTT-2026-0001")], urgency="info")
    outbox.queue(connection, [an_order("OKTT-2026-0002")], urgency="today")
    first = outbox.claim(connection, NOW, 2, "w1")
    assert [each.subject for each in first] == ["OKTT-2026-0002", "OKTT-2026-0001"]
    assert [each.subject for each in outbox.claim(connection, NOW, 10, "w2")] == ["monday/2026-03-02"]
    assert outbox.claim(connection, NOW, 10, "w3") == []


def test_the_undo_window_holds_unless_hurried(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order(due=10)], urgency="today")
    assert outbox.claim(connection, NOW, 10, "w") == []
    (delivery,) = outbox.claim(connection, NOW, 10, "w", hurry=True)
    outbox.defer(connection, delivery, NOW + timedelta(hours=8), "quiet")
    assert outbox.claim(connection, NOW, 10, "w", hurry=True) == [], "quiet hours are no undo window"
    assert len(outbox.claim(connection, NOW + timedelta(hours=8), 10, "w")) == 1


def test_sent_goes_to_the_ledger_and_drops_the_bytes(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order()], urgency="today")
    delivery = sending(connection)
    assert accepted(connection, delivery, "smtp-250") == [delivery.id]
    row = connection.execute(sa.select(outbox.deliveries)).one()
    assert (row.state, row.message, row.attempts) == ("sent", None, 1)
    (entry,) = ledger.sent_to(connection, "kvk-1", "OKTT-2026-0412")
    assert entry == ledger.Entry(
        NOW,
        "sent",
        delivery.id,
        "alert",
        "kvk-1",
        "OKTT-2026-0412",
        1,
        "email",
        Label.CLEAR,
        "v",
        "d",
        "<1@x>",
        False,
        "smtp-250",
    )
    assert holding.had(connection, "OKTT-2026-0412") == {"kvk-1": (1, -1)}
    assert ledger.told(connection, "kvk-1", NOW)["OKTT-2026-0412"] == entry
    assert outbox.summary(connection) == {("email", "sent"): 1}
    assert outbox.claim(connection, NOW + timedelta(days=1), 10, "w") == []


def test_a_crash_after_prepare_repeats_the_same_bytes_marked(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        outbox.queue(conn, [an_order()], urgency="today")
    with engine.begin() as conn:
        sending(conn)
    # The worker dies here: accepted or not, nobody knows.
    with engine.begin() as conn:
        assert outbox.claim(conn, NOW + outbox.LEASE - timedelta(seconds=1), 1, "w2") == []
        later = NOW + outbox.LEASE
        (again,) = outbox.claim(conn, later, 1, "w2")
        assert again.repeat
        assert again.message == BYTES
        ready = left(conn, again)
        assert ready.attempts == 2
        accepted(conn, ready, at=later)
        (entry,) = ledger.sent_to(conn, "kvk-1", "OKTT-2026-0412")
    assert (entry.repeat, entry.message_id, entry.label) == (True, "<1@x>", Label.CLEAR)


def test_a_crash_after_claim_loses_nothing(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        outbox.queue(conn, [an_order()], urgency="today")
    with engine.begin() as conn:
        outbox.claim(conn, NOW, 1, "dead")
    with engine.begin() as conn:
        assert outbox.holders(conn) == {"dead"}
        assert outbox.requeue_expired(conn, NOW) == 0
        assert outbox.requeue_expired(conn, NOW, dead=["dead"]) == 1
        (delivery,) = outbox.claim(conn, NOW, 1, "w2")
    assert not delivery.repeat
    assert delivery.message is None


def test_known_dead_workers_give_back_what_they_were_sending(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order()], urgency="today")
    sending(connection, "dead")
    assert outbox.requeue_expired(connection, NOW, dead=["dead"]) == 1
    (delivery,) = outbox.claim(connection, NOW, 1, "w2")
    assert (delivery.repeat, delivery.message) == (True, BYTES)


def test_who_lost_its_claim_changes_nothing(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order()], urgency="today")
    slow = sending(connection)
    (fast,) = outbox.claim(connection, NOW + outbox.LEASE, 1, "w2")
    with pytest.raises(DispatchError, match="leave it"):
        outbox.settle(connection, slow, Outcome("failed"), NOW, rng=RNG)
    assert accepted(connection, slow) == []
    assert accepted(connection, left(connection, fast)) == [fast.id]
    with pytest.raises(DispatchError, match="leave it"):
        outbox.cancel(connection, fast, "tlp", NOW)
    assert len(ledger.sent_to(connection, "kvk-1", "OKTT-2026-0412")) == 1


def test_retries_wait_longer_each_time_and_end(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order()], urgency="today")
    now, waits = NOW, []
    for attempt in range(1, 5):
        (delivery,) = outbox.claim(connection, now, 1, "w")
        assert delivery.message is None, "refused bytes are not kept"
        ready = underway(connection, delivery, BYTES)
        status = outbox.settle(connection, ready, Outcome("retry", "smtp-451"), now, rng=RNG, attempts=4)
        assert status == ("failed" if attempt == 4 else "retry")
        if status == "retry":
            due = connection.scalars(sa.select(outbox.deliveries.c.due_at)).one()
            waits.append(due - now)
            assert outbox.claim(connection, due - timedelta(seconds=1), 1, "w", hurry=True) == []
            now = due
    for wait, minutes in zip(waits, (1, 2, 4), strict=True):
        assert timedelta(minutes=minutes / 2) <= wait <= timedelta(minutes=minutes * 1.5)
    assert outbox.summary(connection) == {("email", "failed"): 1}


def test_backoff_is_capped_and_spread() -> None:
    waits = {outbox.backoff(40, RNG) for _ in range(20)}
    assert len(waits) == 20
    assert max(waits) <= outbox.CAP * 1.5


def test_what_may_have_been_accepted_is_repeated_as_it_was(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order()], urgency="today")
    outbox.settle(connection, sending(connection), Outcome("retry", outbox.POSSIBLY_ACCEPTED), NOW, rng=RNG)
    (delivery,) = outbox.claim(connection, NOW + timedelta(hours=1), 1, "w")
    assert (delivery.repeat, delivery.message) == (True, BYTES)


def test_cancelled_is_never_sent_and_says_why(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order(), an_order(version=2), an_order("OKTT-2026-0001")], urgency="today")
    assert outbox.cancel_waiting(connection, "OKTT-2026-0412", "superseded", NOW, before=2) == 1
    left = outbox.claim(connection, NOW, 10, "w")
    assert {(each.subject, each.version) for each in left} == {("OKTT-2026-0412", 2), ("OKTT-2026-0001", 1)}
    outbox.cancel(connection, left[0], "tlp", NOW)
    with pytest.raises(DispatchError):
        outbox.cancel(connection, left[1], "because", NOW)  # type: ignore[arg-type]
    assert outbox.summary(connection) == {("email", "cancelled"): 2, ("email", "queued"): 1}
    reasons = connection.execute(sa.select(ledger.ledger.c.reason)).scalars()
    assert sorted(reasons) == ["superseded", "tlp"]


def test_purge_forgets_what_is_settled_only(connection: sa.Connection) -> None:
    outbox.queue(connection, [an_order(), an_order(channel=1)], urgency="today")
    accepted(connection, sending(connection))
    assert outbox.purge(connection, NOW) == 0
    assert outbox.purge(connection, NOW + timedelta(days=1)) == 2
    assert outbox.summary(connection) == {("email", "queued"): 1}


def test_two_workers_at_once_share_the_work(engine: sa.Engine) -> None:
    """PostgreSQL skips what an open transaction holds; SQLite has one writer, so this is its engine's alone."""
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as conn:
        outbox.queue(conn, [an_order(channel=n) for n in range(10)], urgency="today")
    with engine.begin() as one, engine.begin() as two:
        first = {each.id for each in outbox.claim(one, NOW, 6, "w1")}
        second = {each.id for each in outbox.claim(two, NOW, 6, "w2")}
    assert (len(first), len(second), first & second) == (6, 4, set())


def test_thousands_at_once(connection: sa.Connection) -> None:
    orders = [an_order(channel=n) for n in range(1200)]
    assert outbox.queue(connection, orders, urgency="info") == 1200
    assert outbox.queue(connection, orders[:700], urgency="info") == 0
