"""The index follows the registry: after any changes, a rollback, a crash and a restart it is as one built anew."""

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from pyroaring import BitMap

from filtering import snapshot
from filtering.index import Index
from filtering.network import prefix
from filtering.postings import Postings
from subscribers import Incoming, Own, Profile, addresses, registry
from tests.filtering import strategies
from tests.filtering.things import NOW, subscriber
from tlp import Clearance

TABLES = (registry.subscribers, registry.history, registry.counters, registry.revisions, addresses.table)
IDS = st.integers(0, strategies.MOST).map("kvk-{:08d}".format)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("import"), IDS, strategies.profiles()),
        st.tuples(st.just("import and fail"), IDS, strategies.profiles()),
        st.tuples(st.just("give"), IDS, st.sampled_from([(), ("news",), ("FortiOS",)])),
        st.tuples(st.just("remove"), IDS, st.none()),
        st.tuples(st.just("follow"), IDS, st.none()),
        st.tuples(st.just("restart"), IDS, st.none()),
        st.tuples(st.just("save and restart"), IDS, st.none()),
    ),
    max_size=25,
)


def held(index: Index) -> dict[str, Any]:
    """All that an index says, to compare; but for what it only remembers until the next change."""
    networks, agents = index.networks, index.agents
    entries = {number: index.entry(number) for number in index.everyone}
    asked = {place for each in entries.values() for place in (*each.networks, *each.domains)}
    names = {name: {key: set(bucket.get(key)) for key in bucket} for name, bucket in index.software.names.items()}
    purls = {name: {key: set(bucket.get(key)) for key in bucket} for name, bucket in index.software.purls.items()}
    return {
        **{name: set(thing) for name, thing in vars(index).items() if isinstance(thing, BitMap)},
        **{
            name: {key: set(thing.get(key)) for key in thing}
            for name, thing in vars(index).items()
            if isinstance(thing, Postings)
        },
        "entries": entries,
        "numbers": {each.id: index.number(each.id) for each in entries.values()},
        "networks": {text: sorted(networks.holders(where)) for text in asked if (where := prefix(text))},
        "systems": {key: set(networks.systems.get(key)) for key in networks.systems},
        "domains": {text: sorted(networks.named(text)) for text in asked},
        "names": names,
        "purls": purls,
        "clients": agents.clients,
        "serving": set(agents.serving),
        "of": {number: set(agents.of(number)) for number in agents.clients},
    }


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    file: Path = tmp_path_factory.mktemp("registry") / "oktt.db"
    made = sa.create_engine(f"sqlite:///{file}")
    for table in TABLES:
        table.create(made)
    yield made
    made.dispose()


@settings(max_examples=25)
@given(steps=STEPS)
def test_it_is_as_the_registry_whatever_happened(engine: sa.Engine, steps: list[tuple[str, str, Any]]) -> None:
    """What was not committed is in neither."""
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(table.delete())
    index = Index()
    for what, id_, with_ in steps:
        with engine.connect() as connection:
            work = connection.begin()
            if what.startswith("import"):
                registry.upsert(connection, [Incoming(id_, "Firma", profile=with_)], NOW)
            elif what == "give" and registry.get(connection, id_):
                registry.give(connection, id_, Own(with_), NOW)
            elif what == "remove":
                registry.remove(connection, id_, NOW)
            work.rollback() if what.endswith("fail") else work.commit()
        scopes = [each.scope for each in index.agents.clients.values() if each.scope]
        for scope in scopes:
            index.agents.inside(scope)  # from here on it is kept up to date
        if what == "restart":
            index = rebuilt(engine)
        elif what == "save and restart":
            index = saved(engine, index)
        elif what == "follow":
            follow(engine, index)
    follow(engine, index)
    fresh = rebuilt(engine)
    assert held(index) == held(fresh)
    for number, clients in index.agents.clients.items():
        assert index.agents.of(number) == fresh.agents.of(number)
        assert clients.scope is None or index.agents.inside(clients.scope) == fresh.agents.inside(clients.scope)


def follow(engine: sa.Engine, index: Index) -> None:
    with engine.connect() as connection:
        revision = registry.revision(connection)
        index.apply(registry.changed_since(connection, index.revision), revision)


def saved(engine: sa.Engine, index: Index) -> Index:
    """As it comes back from its file; before the first revision there is nothing to save."""
    with engine.connect() as connection:
        mark = registry.mark(connection, index.revision)
        if mark is None:
            assert index.revision == 0
            return index
        found = snapshot.load(snapshot.dump(index, mark), partial(registry.mark, connection))
        assert found is not None
        assert held(found) == held(index)
        return found


def rebuilt(engine: sa.Engine) -> Index:
    with engine.connect() as connection:
        return Index.build(registry.every(connection), registry.revision(connection))


@settings(max_examples=25)
@given(strategies.worlds(), st.lists(st.tuples(st.integers(0, 20), strategies.profiles()), max_size=4))
def test_what_was_supposed_leaves_nothing(world: list[Any], what_if: list[tuple[int, Profile]]) -> None:
    index = Index.build(world)
    before = held(index)
    ways = [strategies.subscriber(number, profile, Clearance()) for number, profile in dict(what_if).items()]
    with index.supposing(ways) as supposed:
        assert len({one.number for one in supposed}) == len(supposed)
        registered = [one for one in world if one.id not in {each.id for each in ways}]
        assert held(index) == held(Index.build(sorted([*registered, *supposed], key=attrgetter("number"))))
    assert held(index) == before


def test_what_was_supposed_is_taken_back_when_it_fails() -> None:
    index = Index.build([subscriber(1, sectors=("SBI:25",)), subscriber(2)])
    before = held(index)
    other = structs.replace(subscriber(7, networks=("geen",)), id="s7")
    with pytest.raises(Exception, match="a network that is none"), index.supposing([subscriber(1), other]):
        pytest.fail("it cannot be supposed")
    assert held(index) == before
