"""Segments and what a version changes, against counting one subscriber after the other."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtering import reach
from filtering.index import Index
from filtering.match import match
from normalize import sectors
from pii_guard import Item
from subscribers import Software, Subscriber
from tests.filtering import strategies
from tests.filtering.things import NOW, affected, item, matching, statement, subscriber, uses

CODES = (
    "SBI:25.62",
    "NACE:25.62",
    "SBI:25",
    "SBI:C",
    "SBI:62.01",
    "NIS2:energy",
    "NIS2:energy.oil",
    "NIS2:waste-water",
)
SECTORS = st.lists(st.lists(st.sampled_from(CODES), max_size=3, unique=True).map(tuple), max_size=8)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("SBI:25.62", "SBI:C SBI:25 SBI:25.6 SBI:25.62"),
        ("NACE:25.62", "SBI:C SBI:25 SBI:25.6 SBI:25.62"),
        ("NACE:01.12", "SBI:A SBI:01 SBI:01.1 NACE:01.12"),
        ("NACE:C", "SBI:C"),
        ("NIS2:waste-water", "SBI:E NIS2:waste-water"),
        ("NIS2:energy.oil", "NIS2:energy NIS2:energy.oil"),
        ("STIX:technology", "STIX:technology"),
    ],
)
def test_where_a_sector_hangs(code: str, wanted: str) -> None:
    assert " ".join(reach.path(code)) == wanted


def test_every_sector_lies_in_all_above_it() -> None:
    codes = sectors._codes()
    found = {(each, code) for code in codes for each in reach.path(code) if not each.startswith(("NIS2:", "STIX:"))}
    assert len(found) > len(codes)
    assert not {pair for pair in found if not sectors.covers(*pair)}


@given(SECTORS)
def test_a_sector_counts_with_all_below_it_each_subscriber_once(held: list[tuple[str, ...]]) -> None:
    index = Index.build([subscriber(number, sectors=codes) for number, codes in enumerate(held, 1)])
    lies_in = [{node for code in codes for node in reach.path(code)} for codes in held]
    counted = Counter(node for nodes in lies_in for node in nodes)
    found = {each.value: each for each in reach.largest(index, 1000) if each.segment == "sector"}
    assert {value: each.subscribers for value, each in found.items()} == {value: counted[value] for value in found}
    assert {code for codes in held for code in codes if code.startswith("SBI")} <= found.keys()
    for each in found.values():
        assert each.above is None or (each.above in found and found[each.above].subscribers >= each.subscribers)
    tops = reach.segments(index)["sector"]
    assert sum(len(bits) for name, bits in tops.items() if name == reach.NO_SECTOR) == held.count(())


def test_products_by_name_and_purl_with_their_versions() -> None:
    purl = (Software(purl="pkg:pypi/django@4.2.1"),)
    index = Index.build(
        [
            subscriber(1, software=uses(version="7.2.3")),
            subscriber(2, software=uses(version="7.2.3") + uses(version="7.0.1")),
            subscriber(3, software=uses()),
            subscriber(4, software=purl),
            subscriber(5, software=uses("Microsoft", "Exchange Server")),
        ]
    )
    found = [each for each in reach.largest(index, 2) if each.segment == "product"]
    assert [(each.value, each.subscribers, each.share) for each in found] == [
        ("fortinet|fortios", 3, 0.6), ("microsoft|exchange server", 1, 0.2),
    ]  # fmt: skip
    assert found[0].versions == {"7.2.3": 2, "": 1, "7.0.1": 1}
    django = next(each for each in reach.largest(index, 9) if each.value == "pkg:pypi/django")
    assert (django.subscribers, django.versions) == (1, {"4.2.1": 1})


def test_an_empty_registry_has_no_segments() -> None:
    assert reach.largest(Index(), 5) == []


@settings(max_examples=40)
@given(strategies.items(), strategies.worlds())
def test_outcomes_by_segment(what: Item, world: list[Subscriber]) -> None:
    index = Index.build(world)
    found = match(what, index, NOW, urgency=None, consents={})
    outcome = {number: name for name, bits in found.outcomes.items() for number in bits}
    counted = reach.counted(index, found)
    for dimension in ("size", "maturity", "kind"):
        plain: dict[str, Counter[str]] = {}
        for one in world:
            plain.setdefault(getattr(one.profile, dimension), Counter())[outcome[one.number]] += 1
        assert counted[dimension] == plain


def test_what_a_version_changes() -> None:
    who = [subscriber(n, software=uses(version=version)) for n, version in enumerate(("7.0", "7.1", "7.2", "9"), 1)]
    before, after = (
        matching(item(statement(affected=(affected(versions=said),))), *who).match() for said in ("<7.2", ">=7.1|<8")
    )
    found = reach.moves(before, after)
    assert (list(found.comes), list(found.goes)) == ([3], [1])
    assert {pair: list(bits) for pair, bits in found.changed.items()} == {
        ("no-match", "deliver"): [3], ("deliver", "no-match"): [1],
    }  # fmt: skip
    assert not reach.moves(after, after).changed
