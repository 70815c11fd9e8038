from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from subscribers import ChannelType, Contact, Incoming, Inventory, Own, Profile, Software, SubscriberError, registry
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


def test_inventories_stand_beside_what_the_operator_states(connection: sa.Connection) -> None:
    forti, word, nginx = Software("Fortinet", "FortiOS"), Software("Microsoft", "Word"), Software("", "nginx", "1.25")
    registry.upsert(connection, [one("a", software=(forti,))], NOW)
    registry.give(connection, "a", Own(opt_out=("news",)), NOW)
    assert registry.stock(connection, "a", Inventory("sbom", "sbom", NOW, (word, forti)), NOW) is None
    assert registry.stock(connection, "a", Inventory("hand", "hand", NOW, (nginx,)), NOW) is None
    registry.upsert(connection, [one("a", software=(), region="NL-NB")], LATER)
    found = registry.get(connection, "a")
    assert found is not None
    assert found.profile.software == (word, forti, nginx)
    assert (found.profile.opt_out, found.profile.region) == (("news",), "NL-NB")
    assert [each.name for each in found.inventories] == ["sbom", "hand"]
    gone = registry.unstock(connection, "a", "sbom", LATER)
    assert gone is not None
    assert gone.software == (word, forti)
    assert registry.unstock(connection, "a", "sbom", LATER) is None
    [left] = registry.every(connection)
    assert left.profile.software == (nginx,)


def test_an_inventory_that_says_the_same_changes_only_its_date(connection: sa.Connection) -> None:
    word, nginx = Software("Microsoft", "Word"), Software("", "nginx", "1.25")
    registry.upsert(connection, [one("a")], NOW)
    registry.stock(connection, "a", Inventory("sbom", "sbom", NOW, (word, nginx)), NOW)
    before = registry.revision(connection)
    again = registry.stock(connection, "a", Inventory("sbom", "sbom", LATER, (nginx, word)), LATER)
    assert again == Inventory("sbom", "sbom", NOW, (word, nginx))
    assert registry.revision(connection) == before
    found = registry.get(connection, "a")
    assert found is not None
    assert (found.inventories[0].at, found.changed_at) == (LATER, NOW)
    registry.stock(connection, "a", Inventory("sbom", "sbom", LATER, (nginx,)), LATER)
    assert dict(registry.changed_since(connection, before))[1] is not None
    assert [said["inventories"] for *_, said in registry.replaced(connection) if "inventories" in said]


def test_inventories_that_are_not_taken(connection: sa.Connection) -> None:
    registry.upsert(connection, [one("a")], NOW)
    with pytest.raises(SubscriberError, match="no subscriber"):
        registry.stock(connection, "nobody", Inventory("sbom", "sbom", NOW), NOW)
    for n in range(registry.MOST_INVENTORIES):
        registry.stock(connection, "a", Inventory(f"s{n}", "sbom", NOW, (Software("", f"p{n}"),)), NOW)
    with pytest.raises(SubscriberError, match="more than"):
        registry.stock(connection, "a", Inventory("one more", "sbom", NOW), NOW)
    with pytest.raises(SubscriberError, match="came in another way"):
        registry.stock(connection, "a", Inventory("s1", "csv", NOW), NOW)


def test_when_an_inventory_is_stale() -> None:
    made = Inventory("sbom", "sbom", NOW)
    assert not made.stale(NOW + timedelta(days=90))
    assert made.stale(NOW + timedelta(days=90, seconds=1))
    assert made.stale(LATER, days=0)


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


A, B, C, D = (Contact("email", address=f"{each}@voorbeeld.example") for each in "abcd")
FILE = Contact("file")


class Sent(NamedTuple):
    """Something that is for one of a subscriber's contacts."""

    channel: int
    medium: ChannelType | None
    queued_at: datetime
    revision: int | None


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ((A, B, FILE), (A, B, FILE)),
        ((FILE, B, A), (A, B, FILE)),
        ((B, FILE), (None, B, FILE)),
        ((B, C), (C, B, None)),
        ((C, D, B), (C, B, None)),
        ((C,), (C, None, None)),
        ((C, D), (C, D, None)),
        ((FILE, FILE), (None, None, FILE)),
        ((), (None, None, None)),
    ],
)
def test_where_goes_what_was_meant_for_a_contact(
    connection: sa.Connection, now: tuple[Contact, ...], goes: tuple[Contact | None, ...]
) -> None:
    """There still, or to a new one in its place; never to one that has its own."""
    registry.upsert(connection, [Incoming("a", "A", contacts=(A, B, FILE))], NOW)
    registry.upsert(connection, [Incoming("a", "A", contacts=now)], LATER)
    one = registry.get(connection, "a")
    assert one is not None
    types: tuple[ChannelType, ...] = ("email", "email", "file")
    for by in ("time", "revision"):
        first, last = ((NOW, None), (LATER, None)) if by == "time" else ((LATER, 1), (NOW, 2))
        found = [registry.meant(connection, one, Sent(channel, types[channel], *first)) for channel in range(3)]
        assert found == list(goes)
        assert registry.meant(connection, one, Sent(0, "webhook", *first)) is None
        found = [registry.meant(connection, one, Sent(channel, None, *last)) for channel in range(len(now))]
        assert found == list(now)
    registry.forget(connection, LATER + timedelta(days=1))
    left = registry.meant(connection, one, Sent(0, None, NOW, 1))
    assert left == next(iter(now), None), "what is no longer kept: as it stands"
