from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from subscribers import Incoming, Own, Profile, SubscriberError, registry
from subscribers.registry import Counts

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def one(name: str, **profile: object) -> Incoming:
    return Incoming(name, f"Firma {name}", profile=Profile(**profile))  # type: ignore[arg-type]


def test_upsert_counts_and_the_second_time_changes_nothing(connection: sa.Connection) -> None:
    first = [one("a", sectors=("SBI:25",)), one("b")]
    assert registry.upsert(connection, first, NOW) == Counts(2, 0, 0)
    before = registry.revision(connection)
    assert registry.upsert(connection, first, LATER) == Counts(0, 0, 2)
    assert registry.revision(connection) == before
    assert registry.upsert(connection, [one("a", sectors=("SBI:26",)), one("c")], LATER) == Counts(1, 1, 0)
    found = registry.get(connection, "a")
    assert found is not None
    assert (found.number, found.profile.sectors, found.changed_at) == (1, ("SBI:26",), LATER)
    assert [each.id for each in registry.every(connection)] == ["a", "b", "c"]
    assert connection.scalar(sa.select(sa.func.count()).select_from(registry.history)) == 1


def test_an_import_never_touches_what_the_subscriber_gave(connection: sa.Connection) -> None:
    registry.upsert(connection, [one("a", opt_out=("news",))], NOW)
    registry.give(connection, "a", Own(opt_out=("FortiOS", "news")), NOW)
    registry.upsert(connection, [one("a", opt_out=("report",), region="NL-NB")], LATER)
    found = registry.get(connection, "a")
    assert found is not None
    assert (found.profile.opt_out, found.profile.region) == (("report", "FortiOS", "news"), "NL-NB")
    with pytest.raises(SubscriberError):
        registry.give(connection, "nobody", Own(), NOW)


def test_a_removed_subscriber_leaves_its_number_and_nothing_else(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        registry.upsert(connection, [one("a"), one("b")], NOW)
        registry.upsert(connection, [one("b", domains=("geheim.nl",))], NOW)
        assert registry.remove(connection, "b", LATER) == 2
        assert registry.remove(connection, "b", LATER) is None
        assert registry.get(connection, "b") is None
        assert [each.number for each in registry.by_numbers(connection, [2, 1, 99])] == [1]
        row = connection.execute(sa.select(registry.subscribers).where(registry.subscribers.c.number == 2)).one()
        assert (row.id, row.name, row.data, row.own) == (None, "", b"", b"")
        assert connection.scalar(sa.select(sa.func.count()).select_from(registry.history)) == 0
        registry.upsert(connection, [one("b")], LATER)
        again = registry.get(connection, "b")
        assert again is not None
        assert again.number == 3


def test_an_index_can_follow(connection: sa.Connection) -> None:
    assert registry.revision(connection) == 0
    registry.upsert(connection, [one("a"), one("b"), one("c")], NOW)
    seen = registry.revision(connection)
    assert list(registry.changed_since(connection, seen)) == []
    registry.upsert(connection, [one("b", region="NL-NB"), one("d")], NOW)
    registry.remove(connection, "a", NOW)
    changes = dict(registry.changed_since(connection, seen))
    assert {number: each and each.id for number, each in changes.items()} == {1: None, 2: "b", 4: "d"}
    assert registry.revision(connection) > seen


def test_all_or_nothing(engine: sa.Engine) -> None:
    with pytest.raises(SubscriberError), engine.begin() as connection:
        registry.upsert(connection, [one("a"), one("a")], NOW)
    with engine.connect() as connection:
        assert list(registry.every(connection)) == []


def test_more_than_one_page(connection: sa.Connection) -> None:
    count = 2 * registry.CHUNK + 1
    registry.upsert(connection, [one(f"s{n}") for n in range(count)], NOW)
    assert registry.upsert(connection, [one(f"s{n}", region="NL-UT") for n in range(count)], NOW).updated == count
    assert sum(1 for _ in registry.by_numbers(connection, range(1, count + 1))) == count


def test_two_imports_at_once_get_different_numbers_and_revisions(engine: sa.Engine) -> None:
    """The second waits for the first; on SQLite at its BEGIN, on PostgreSQL at the counter."""
    from threading import Thread

    def load(name: str) -> None:
        with engine.begin() as connection:
            registry.upsert(connection, [one(f"{name}{n}") for n in range(50)], NOW)

    threads = [Thread(target=load, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert sorted(each.number for each in registry.every(connection)) == list(range(1, 151))
        assert registry.revision(connection) == 3
