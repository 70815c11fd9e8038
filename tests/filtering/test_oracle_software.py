"""Software: index and pair against the plain matcher, product by product, with the same confidence."""

from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings

from filtering import Confidence
from filtering.index import Index
from filtering.match import Matching
from normalize import versions
from tests.filtering import oracle_software as oracle
from tests.filtering import strategies_software as strategies
from tests.filtering.things import NOW, item, statement, subscriber

PACKAGES = ("npm", "pypi", "deb", "rpm", "maven")


def check(case: strategies.Case) -> list[Confidence | None]:
    """Index, pair and oracle agree on every profile; what they say of each."""
    found = Matching(
        item(statement(affected=case.said)),
        Index.build(subscriber(n, software=lines) for n, lines in enumerate(case.profiles)),
        NOW,
        urgency="info",
        consents={},
    )
    match = found.match()
    verdicts = [oracle.best(lines, case.said) for lines in case.profiles]
    for number, lines in enumerate(case.profiles):
        expected = verdicts[number]
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
    return verdicts


@settings(max_examples=100)
@given(strategies.cases())
def test_every_line_is_found_as_surely_as_the_rules_say(case: strategies.Case) -> None:
    check(case)


def test_the_strategies_reach_every_answer_for_every_product() -> None:
    """The same examples each time: what never occurs is held against nothing."""
    seen: set[tuple[str, str]] = set()

    for family in strategies.FAMILIES:

        @settings(
            max_examples=120 if family.attributes else 30, derandomize=True, database=None, phases=[Phase.generate]
        )
        @given(strategies.cases((family,)))
        def look(case: strategies.Case) -> None:
            seen.update((case.family.kind, verdict or "no") for verdict in check(case))
            for lines in case.profiles:
                for entry in case.said:
                    about = oracle.where([one for _, _, platforms in oracle.parts(entry) for one in platforms], lines)
                    seen.update({("platform", str(each)) for each in about} | {("status", entry.status)})
                    for line in lines:
                        seen.add(("traits", str(oracle.attributes(oracle.thing(entry).cpe, oracle.thing(line).cpe))))

        look()
    wanted = {(family.kind, answer) for family in strategies.FAMILIES for answer in ("exact", "possible", "no")}
    wanted |= {("netscaler adc", "likely")} | {
        ("status", each) for each in ("affected", "fixed", "not-affected", "unknown")
    }
    wanted |= {(what, str(answer)) for what in ("platform", "traits") for answer in (True, False, None)}
    assert wanted - seen == set()


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
