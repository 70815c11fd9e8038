"""Software: index and pair against the plain matcher, product by product, with the same confidence."""

from itertools import pairwise

import pytest
from hypothesis import given, settings

from filtering import Confidence
from filtering.index import Index
from filtering.match import Matching
from normalize import versions
from tests.filtering import oracle_software as oracle
from tests.filtering import strategies_software as strategies
from tests.filtering.things import NOW, item, statement, subscriber

PACKAGES = ("npm", "pypi", "deb", "rpm", "maven")


@settings(max_examples=400)
@given(strategies.cases())
def test_every_line_is_found_as_surely_as_the_rules_say(case: strategies.Case) -> None:
    found = Matching(
        item(statement(affected=case.said)),
        Index.build(subscriber(n, software=lines) for n, lines in enumerate(case.profiles)),
        NOW,
        urgency="info",
        consents={},
    )
    match = found.match()
    for number, lines in enumerate(case.profiles):
        expected = oracle.best(lines, case.said)
        assert (number in match.outcomes["deliver"]) is (expected is not None), (lines, case.said, expected)
        reasons = found.explain(subscriber(number, software=lines)).reasons
        said: Confidence | None = max(
            (each.confidence for each in reasons if each.criterion == "software" and each.matched),
            key=oracle.CERTAINTY.__getitem__,
            default=None,
        )
        assert said == expected, (lines, case.said)
        users = [found.whole.index.software.users(product) for product in found.whole.seen.products]
        held = {sure for by in users for sure, numbers in by.items() if number in numbers}
        assert max(held, key=oracle.CERTAINTY.__getitem__, default=None) == expected


@pytest.mark.parametrize("kind", oracle.LADDERS)
def test_each_ladder_is_the_order_of_its_scheme(kind: str) -> None:
    scheme = {"npm": "semver"}.get(kind, kind) if kind in PACKAGES else ""
    rungs = [rung.split("|") for rung in oracle.LADDERS[kind].split()]
    for lower, higher in pairwise(rungs):
        assert [versions.compare(one, other, scheme) for one in lower for other in higher] == [-1] * len(lower) * len(
            higher
        )
    for rung in rungs:
        assert {versions.compare(one, other, scheme) for one in rung for other in rung} == {0}
