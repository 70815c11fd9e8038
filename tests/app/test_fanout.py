"""A large audience: rows of the outbox are made a few thousand at a time, and nobody is forgotten or told twice."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import releasing, workers
from app.service import open_service
from dispatch import fanout, outbox
from subscribers import Incoming, Profile, registry
from tests.app.house import MAIL, NOW, TAXII, House, opened
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


def test_a_row_is_for_the_channels_as_they_are_when_it_is_made(crowd: tuple[House, list[str]]) -> None:
    """Though its item was released before they were changed."""
    house, ids = crowd
    item, profile, last = out(house, "1007"), Profile(sectors=("SBI:25",)), ids[-1]
    with house.service.transaction() as connection:
        moved = Incoming(last, last, profile=profile, contacts=(TAXII, MAIL))
        registry.upsert(connection, [moved], house.now + timedelta(minutes=1))
    assert releasing.spread(house.service)
    with house.service.transaction() as connection:
        mine = outbox.deliveries.c.subject == item, outbox.deliveries.c.subscriber == last
        row, one = connection.execute(sa.select(outbox.deliveries).where(*mine)).one(), registry.get(connection, last)
        assert one is not None
        assert registry.meant(connection, one, outbox.delivery_of(row, "")) == MAIL
        back = Incoming(last, last, profile=profile, contacts=(MAIL,))
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


CROWD = 400


@pytest.fixture
def waves(tmp_path: Path) -> House:
    """An instance where an alert to more than a hundred goes in waves."""
    house = opened(tmp_path)
    (tmp_path / "oktt.toml").write_text('[desk]\nwave_over = 100\nseed = ["kvk-00000007", "kvk-00000009", "nobody"]\n')
    house.service = open_service(tmp_path)
    house.service.clock = lambda: house.now
    with house.service.transaction() as connection:
        profile = Profile(sectors=("SBI:25",))
        many = [Incoming(f"kvk-{n:08d}", f"{n}", profile=profile, contacts=(MAIL,)) for n in range(1, CROWD + 1)]
        registry.upsert(connection, many, NOW)
    return house


def sent(house: House, *, now: bool = True) -> int:
    return workers.dispatch(house.service, now=now)["sent"]


def test_a_very_large_audience_is_told_in_waves(waves: House) -> None:
    item = waves.item(draft("2001", cves=("CVE-2026-2001",), sectors=("SBI:25",)))
    assert waves.decide("release", item).queued == CROWD
    assert sent(waves) == 2, "--now skips the undo window, not the waves"
    assert rows(waves, item, "sent") == ["kvk-00000007", "kvk-00000009"]
    with waves.service.reading() as connection:
        assert [(each.item, each.waiting) for each in fanout.waves(connection, waves.now)] == [(item, CROWD - 2)]
    waves.later(minutes=29)
    assert sent(waves) == 0
    waves.later(minutes=1)
    assert sent(waves, now=False) == 20
    waves.later(minutes=20)
    assert sent(waves, now=False) == CROWD - 22
    assert len(rows(waves, item, "sent")) == CROWD
    waves.later(days=1)
    assert sent(waves) == 0


def test_hold_stops_the_waves_and_release_goes_on(waves: House) -> None:
    item = waves.item(draft("2002", cves=("CVE-2026-2002",), sectors=("SBI:25",)))
    waves.decide("release", item)
    assert sent(waves) == 2
    waves.decide("hold", item, reason="vraag van een ontvanger")
    waves.later(hours=2)
    assert sent(waves) == 0
    waves.decide("release", item, reason="het klopt toch")
    assert sent(waves) == 0, "who was told is not told again"
    waves.later(minutes=30)
    assert sent(waves) == 20
    waves.later(minutes=30)
    assert sent(waves) == CROWD - 22
    assert len(rows(waves, item, "sent")) == CROWD


def test_hold_keeps_what_lies_in_the_outbox(waves: House) -> None:
    item = waves.item(draft("2003", cves=("CVE-2026-2003",), sectors=("SBI:25",)))
    waves.decide("release", item)
    releasing.spread(waves.service)
    assert len(rows(waves, item)) == 2
    waves.decide("hold", item, reason="even wachten")
    waves.later(hours=1)
    assert sent(waves) == 0
    waves.decide("withdraw", item, reason="onjuist")
    assert sent(waves) == 0
    assert waiting(waves, item) == 0
