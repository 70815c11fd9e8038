"""What laying down, releasing and sending cost, in SQL statements: those are counted alike on every machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import desk, pipeline, sending, workers
from dispatch import Delivery, outbox
from normalize import Draft
from pii_guard import journal
from tests.app.house import House, opened
from tests.triage.desk import draft
from triage import composition, inbox


@pytest.fixture
def house(url: str, tmp_path: Path) -> Iterator[House]:
    made = opened(tmp_path, url)
    yield made
    made.service.engine.dispose()


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """The statements that the block sends to the database."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    sa.event.listen(house.service.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(house.service.engine, "before_cursor_execute", note)


def each(house: House, few: int, work: Callable[[int], object]) -> float:
    """How many statements one more of something costs: three times as many, less as many."""
    costs = []
    for many in (few, 3 * few):
        with counted(house) as sent:
            work(many)
        costs.append(len(sent))
    return (costs[1] - costs[0]) / (2 * few)


def number(start: int, many: int) -> list[Draft]:
    return [draft(f"{start}-{n}", cves=(f"CVE-2026-{start + n}",)) for n in range(many)]


def test_an_item_is_laid_down_and_released_in_few_statements(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PATIENCE", 600.0)
    house.receive(*number(1000, 1))
    workers.apply_rules(house.service)
    starts = iter((2000, 3000))
    assert each(house, 5, lambda many: house.receive(*number(next(starts), many), source="kev")) <= 13
    with house.service.reading() as connection:
        found = sorted(card["id"] for card in inbox.cards(connection) if card["state"] == "new")
    parts = iter((found[:5], found[5:]))
    assert each(house, 5, lambda many: assert_released(house, next(parts), many)) <= 28


def assert_released(house: House, items: list[str], many: int) -> None:
    assert desk.by_rules(house.service, items, "mark") == (many, many)


def test_what_joins_an_item_costs_the_same_however_much_lies_there(house: House) -> None:
    drafts = iter([draft(f"k{n}", cves=("CVE-2026-0001",), tracking=(f"ACME-2026-{n}",)) for n in range(40)])
    house.receive(next(drafts))
    costs = []
    for joining in drafts:
        with counted(house) as sent:
            assert house.receive(joining).effects == {"merged": 1}
        costs.append(len(sent))
    assert costs[-1] == costs[0]


def test_what_another_process_composed_is_weighed_by_the_same_rules(house: House) -> None:
    """The meaning that this process remembers only spares work: without it the same comes out."""
    item = house.item(draft("a", cves=("CVE-2026-0001",)))
    composition._weighed.clear()
    house.receive(draft("b", cves=("CVE-2026-0001",)), source="kev")
    house.receive(draft("c", cves=("CVE-2026-0001",), sectors=("SBI:25",)), source="market")
    with house.service.reading() as connection:
        versions = inbox.row(connection, item).version
        told = [line["what"] for line in inbox.past(connection, item)]
    assert (versions, told) == (2, ["received", "repeated", "changed"])


def test_the_rules_go_on_where_a_transaction_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little a transaction takes, every item gets its decision, each in the register and its own history."""
    monkeypatch.setattr(desk, "PATIENCE", 0.0)
    house.receive(*number(4000, 4))
    with house.service.reading() as connection:
        found = sorted(card["id"] for card in inbox.cards(connection))
    assert desk.by_rules(house.service, found, "mark") == (1, 1)
    assert workers.apply_rules(house.service) == 3
    with house.service.reading() as connection:
        for item in found:
            assert [line["what"] for line in inbox.past(connection, item)] == ["received", "release"]
        table = journal.journal.c
        decided = sa.select(table.subject).where(table.what == "decided").order_by(table.seq)
        assert list(connection.scalars(decided)) == found


def test_what_fails_half_way_is_undone_by_itself(house: House) -> None:
    """An earlier version that cannot be read any more: nothing of that release stays, the others go out."""
    house.subscribe("een", sectors=("SBI:25",))
    changed = house.item(draft("a", cves=("CVE-2026-0001",), sectors=("SBI:25",)))
    workers.apply_rules(house.service)
    workers.dispatch(house.service, now=True)
    house.receive(draft("a", cves=("CVE-2026-0001",), sectors=("SBI:25",), kans="high"))
    other = house.item(draft("b", cves=("CVE-2026-0002",), sectors=("SBI:25",)))
    with house.service.transaction() as connection:
        table = inbox.versions.c
        mine = (table.item == changed, table.version == 1)
        connection.execute(inbox.versions.update().where(*mine), {"said": b"\x92\x91\xc4\x03abc\x90"})
    assert workers.apply_rules(house.service) == 1
    assert (house.state(changed), house.state(other)) == ("new", "released")
    with house.service.reading() as connection:
        assert inbox.past(connection, changed)[-1]["what"] == "changed"


def claimed(house: House, many: int) -> list[Delivery]:
    with house.service.transaction() as connection:
        return outbox.claim(connection, house.now, many, "w", hurry=True)


def test_a_message_costs_one_statement_of_its_own(house: House) -> None:
    """The step between it and the one before; all else is shared with those that are made and settled with it."""
    for number in range(13):
        house.subscribe(f"firma{number}", sectors=("SBI:25",))
    house.item(draft("a", cves=("CVE-2026-0001",), sectors=("SBI:25",)))
    workers.apply_rules(house.service)
    sender = sending.Sender(house.service)
    pipeline.send(sender, claimed(house, 1))
    assert each(house, 3, lambda many: pipeline.send(sender, claimed(house, many))) == 1
    assert sender.out.counts["sent"] == 13


def test_a_claim_does_not_sort_all_that_waits(house: House) -> None:
    key, item, now = b"k" * 32, "OKTT-2026-0001", house.now
    orders = [
        outbox.order(key, "alert", item, 1, f"firma{number}", 0, "email", queued_at=now, due_at=now)
        for number in range(3000)
    ]
    with house.service.transaction() as connection:
        outbox.queue(connection, orders, urgency="today")
    plans, asked = [], list[tuple[str, object]]()
    sa.event.listen(house.service.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    claimed(house, 5)
    chosen = [(text, given) for text, given in asked if text.startswith("SELECT")]
    with house.service.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        for text, given in chosen:
            plans += [str(row) for row in connection.exec_driver_sql(f"{explain} {text}", given)]
    assert any("ix_deliveries_due" in line for line in plans)
    assert not any("Sort" in line or "B-TREE FOR ORDER" in line for line in plans)


def test_whose_withdrawals_wait_is_asked_by_their_readers(house: House) -> None:
    """Where PostgreSQL does not know yet that anything waits, what waits looked like the shortest way."""
    key, now, asked = b"k" * 32, house.now, list[tuple[str, object]]()
    orders = [
        outbox.order(
            key, "alert", f"OKTT-2026-{number % 60:04d}", 1, f"firma{number}", 0, "email", queued_at=now, due_at=now
        )
        for number in range(3000)
    ]
    with house.service.transaction() as connection:
        outbox.queue(connection, orders, urgency="today")
        connection.execute(sa.update(outbox.deliveries).values(state="sent"))
    with house.service.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        sa.event.listen(house.service.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        outbox.holds_again(connection, "OKTT-2026-0001", ["firma1", "firma2"], now)
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        chosen = [(text, given) for text, given in asked if text.startswith("SELECT")]
        plan = [str(row) for text, given in chosen for row in connection.exec_driver_sql(f"{explain} {text}", given)]
    assert any("ix_deliveries_subscriber" in line for line in plan)
    assert not any("ix_deliveries_due" in line for line in plan)


def test_what_was_prepared_outlasts_a_look(house: House) -> None:
    """psycopg forgets it at a rollback; then each message's statement is planned anew."""
    if house.service.engine.dialect.name != "postgresql":
        return
    for _ in range(7):
        with house.service.reading() as connection:
            connection.execute(sa.select(outbox.deliveries.c.id))
    with house.service.reading() as connection:
        kept = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
    assert any("FROM deliveries" in statement for statement in kept)
