"""A large audience: rows of the outbox are made a few thousand at a time, and nobody is forgotten or told twice."""

import pytest
import sqlalchemy as sa

from app import releasing, workers
from dispatch import fanout, outbox
from subscribers import Incoming, Profile, registry
from tests.app.house import MAIL, NOW, House, opened
from tests.triage.desk import draft
from triage import inbox

MANY = releasing.AT_ONCE + 300


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, list[str]]:
    """Many subscribers of one sector."""
    folder = tmp_path_factory.mktemp("crowd")
    house = opened(folder, f"sqlite:///{folder / 'oktt.db'}")
    ids = [f"kvk-{number:08d}" for number in range(1, MANY + 1)]
    with house.service.transaction() as connection:
        profile = Profile(sectors=("SBI:25",))
        registry.upsert(connection, [Incoming(each, each, profile=profile, contacts=(MAIL,)) for each in ids], NOW)
    return house, ids


def out(house: House, key: str) -> str:
    """An item, released to all of them."""
    item = house.item(draft(key, cves=(f"CVE-2026-{key}",), sectors=("SBI:25",)))
    done = house.decide("release", item)
    if done.state == "pending":
        done = house.decide("approve", item, by="bert")
    assert (done.state, done.queued) == ("released", MANY)
    return item


def rows(house: House, item: str, state: str = "queued") -> list[str]:
    columns = outbox.deliveries.c
    query = sa.select(columns.subscriber).where(columns.subject == item, columns.state == state)
    with house.service.reading() as connection:
        return sorted(connection.scalars(query))


def waiting(house: House, item: str) -> int:
    with house.service.reading() as connection:
        return fanout.count(connection, item)


def test_all_of_them_get_a_row_once(crowd: tuple[House, list[str]]) -> None:
    house, ids = crowd
    item = out(house, "1001")
    assert (len(rows(house, item)), waiting(house, item)) == (releasing.AT_ONCE, 300)
    assert workers.dispatch(house.service)["sent"] == 0, "the undo window"
    assert (rows(house, item), waiting(house, item)) == (ids, 0)
    due = sa.select(outbox.deliveries.c.due_at).where(outbox.deliveries.c.subject == item).distinct()
    with house.service.reading() as connection:
        assert len(list(connection.scalars(due))) == 1, "whoever waited longer is not later"
    assert not releasing.spread(house.service)
    assert rows(house, item) == ids


def test_who_is_gone_or_not_concerned_any_more_gets_none(crowd: tuple[House, list[str]]) -> None:
    house, ids = crowd
    item = out(house, "1002")
    other = Incoming(ids[-2], ids[-2], profile=Profile(sectors=("SBI:01",)), contacts=(MAIL,))
    with house.service.transaction() as connection:
        before = registry.get(connection, ids[-2])
        registry.upsert(connection, [other], NOW)
    assert releasing.spread(house.service)
    assert rows(house, item) == [*ids[:-2], ids[-1]]
    assert before is not None
    back = Incoming(ids[-2], ids[-2], profile=before.profile, contacts=(MAIL,))
    with house.service.transaction() as connection:
        registry.upsert(connection, [back], NOW)


def test_withdrawn_before_they_had_a_row(crowd: tuple[House, list[str]]) -> None:
    house, _ = crowd
    item = out(house, "1003")
    house.decide("withdraw", item)
    assert waiting(house, item) == 0
    releasing.spread(house.service)
    assert rows(house, item) == []
    assert len(rows(house, item, "cancelled")) == releasing.AT_ONCE


def test_while_it_is_decided_anew_nobody_is_added(crowd: tuple[House, list[str]]) -> None:
    """And the new decision is for all of them."""
    house, ids = crowd
    item = out(house, "1004")
    house.receive(draft("1004", cves=("CVE-2026-1004", "CVE-2026-9999"), sectors=("SBI:25",)), source="ncsc-nl")
    releasing.spread(house.service)
    with house.service.reading() as connection:
        version = connection.scalar(sa.select(sa.func.max(outbox.deliveries.c.version)).where(
            outbox.deliveries.c.subject == item))  # fmt: skip
    assert version == 1
    assert {*rows(house, item)} <= {*ids}


def test_one_that_cannot_be_read_keeps_no_other_back(crowd: tuple[House, list[str]]) -> None:
    house, ids = crowd
    broken, whole = out(house, "1005"), out(house, "1006")
    with house.service.transaction() as connection:
        columns = inbox.statements.c
        connection.execute(inbox.statements.update().where(columns.item == broken).values(sealed=b"gebroken"))
    workers.dispatch(house.service)
    assert rows(house, whole) == ids
    assert waiting(house, broken) == 300
