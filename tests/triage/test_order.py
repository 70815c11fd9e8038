"""What lies in one item, what is said there and what is linked does not depend on the order of arrival."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.columns import metadata
from normalize import Affected, Observable
from tests.triage.desk import GUARD, NOW, Desk, draft
from triage import composition, inbox, leads

ENGINE = sa.create_engine("sqlite://")
A, B, C = "CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"


class Arrival(NamedTuple):
    """A version of a document, from a source."""

    source: str
    key: str
    version: int
    content: dict[str, Any]
    kind: Any = "advisory"

    def arrive(self, desk: Desk) -> None:
        time = NOW - timedelta(days=20 - self.version)
        desk.receive(draft(self.key, self.kind, source_time=time, **self.content), self.source)


def hosts(*names: str) -> tuple[Observable, ...]:
    return tuple(Observable("domain", f"{name}.example", "attacker") for name in names)


@pytest.fixture(autouse=True, scope="module")
def tables() -> Iterator[None]:
    metadata.create_all(ENGINE)
    yield
    ENGINE.dispose()


@contextmanager
def desk() -> Iterator[Desk]:
    """An empty desk, and nothing left of it afterwards: there are hundreds of orders."""
    with ENGINE.connect() as connection, connection.begin() as transaction:
        yield Desk(connection)
        transaction.rollback()


def outcome(arrivals: Sequence[Arrival]) -> Any:
    """Items as sets of what their sources say, what that means together, what is linked with what."""
    with desk() as at:
        for each in arrivals:
            each.arrive(at)
            at.later(minutes=1)
        rows = at.connection.execute(sa.select(inbox.items.c.id).where(inbox.items.c.merged_into.is_(None))).all()
        whole = {row.id: at.whole(row.id) for row in rows}
        said = {
            item: frozenset((each.source, each.kind, each.meaning) for each in found.statements)
            for item, found in whole.items()
        }
        meaning = {item: composition.composed(GUARD, found, NOW)[1] for item, found in whole.items()}
        links = {
            (said[item], said[each["item"]], tuple(each["cves"]), each["indicators"])
            for item in said
            for each in leads.related(at.connection, item)
        }
        for item in said:
            assert inbox.row(at.connection, item).meaning == meaning[item]
        return frozenset((said[item], meaning[item]) for item in said), frozenset(links)


DOCUMENTS = [
    Arrival("ncsc-nl", "a", 1, {"tracking": ("NCSC-2026-0001",), "cves": (A,), "cvss": 5.0}),
    Arrival("ncsc-nl", "a", 2, {"tracking": ("NCSC-2026-0001", "GHSA-abcd-efgh-ijkm"), "cves": (A, B), "cvss": 9.9}),
    Arrival("vendor", "b", 1, {"tracking": ("GHSA-abcd-efgh-ijkm",), "affected": (Affected("Acme", "Anvil"),)}),
    Arrival("kev", "c", 1, {"cves": (A,), "exploited": True}),
    Arrival("market", "d", 1, {"cves": (B, C), "observables": hosts("kwaad")}, "report"),
    Arrival("cert", "e", 1, {"observables": hosts("kwaad", "erger")}, "indicators"),
]


def test_orders_of_six_documents_all_give_the_same() -> None:
    """An update that names another CVE and an alias before or after what it connects; facts linked by CVE and value."""
    seen = {outcome(order) for order in list(permutations(DOCUMENTS))[::5]}
    ((items, links),) = seen
    together = sorted(sorted(each[0] for each in said) for said, _ in items)
    assert together == [["cert"], ["kev", "ncsc-nl", "vendor"], ["market"]]
    assert {(cves, indicators) for *_, cves, indicators in links} == {((B,), 0), ((), 1)}


CONTENT = st.fixed_dictionaries(
    {
        "cves": st.sets(st.sampled_from([A, B, C]), max_size=2).map(lambda each: tuple(sorted(each))),
        "tracking": st.sampled_from([(), ("NCSC-2026-0001",), ("NCSC-2026-0001", "GHSA-abcd-efgh-ijkm")]),
        "cvss": st.sampled_from([None, 5.0, 9.9]),
        "observables": st.sampled_from([(), hosts("kwaad"), hosts("kwaad", "erger")]),
        "withdrawn": st.booleans(),
    }
)
ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from(["ncsc-nl", "kev", "market"]),
        st.sampled_from("ab"),
        st.integers(1, 3),
        CONTENT,
        st.sampled_from(["advisory", "news"]),
    ).map(lambda each: Arrival(*each)),
    min_size=2,
    max_size=6,
    unique_by=lambda each: (each.source, each.key, each.version),
)


@settings(max_examples=60)
@given(ARRIVALS, st.randoms(use_true_random=False))
def test_any_order_of_any_versions_gives_the_same(arrivals: list[Arrival], random: Any) -> None:
    """Also where an earlier version arrives after a later one. A source's lists of one content are one document."""
    kinds = {(each.source, each.key): each.kind for each in arrivals}
    made = [each._replace(kind=kinds[each.source, each.key]) for each in arrivals]
    made = [each._replace(content=each.content | {"observables": ()}) if each.kind == "news" else each for each in made]
    turned = random.sample(made, len(made))
    assert outcome(made) == outcome(turned)


def test_republications_in_any_order_are_one_list() -> None:
    """The same indicators under three ids, one of which goes on: the versions of a list come in order."""
    first = Arrival("market", "bundle-1", 1, {"observables": hosts("kwaad", "erger")}, "indicators")
    second = first._replace(key="bundle-2", content={"observables": hosts("erger", "kwaad")})
    grown = first._replace(version=2, content={"observables": hosts("kwaad", "erger", "ergst")})
    other = Arrival("cert", "x", 1, {"observables": hosts("erger", "kwaad")}, "indicators")
    orders = [order for order in permutations([first, second, grown, other]) if order.index(first) < order.index(grown)]
    seen = {frozenset((each[0], each[2]) for said, _ in outcome(order)[0] for each in said) for order in orders}
    assert len(seen) == 1
    assert sorted(source for source, _ in next(iter(seen))) == ["cert", "market"]


def test_a_time_in_the_future_does_not_keep_out_what_follows() -> None:
    with desk() as at:
        item = at.item(draft("a", cves=(A,), cvss=5.0, source_time=NOW + timedelta(days=3650)))
        at.receive(draft("a", cves=(A,), cvss=9.9, source_time=NOW))
        assert at.whole(item).statements[0].facts.cvss == 9.9
