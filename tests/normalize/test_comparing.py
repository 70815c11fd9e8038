"""Where sources disagree."""

from typing import Any

import msgspec
from hypothesis import given

from normalize import Affected, Facts
from normalize.comparing import disagreements
from normalize.ranges import read
from tests.normalize.test_identity import FACTS


def told(*said: tuple[str, Facts]) -> dict[str, Any]:
    return {f"{each.fact} {each.about}".strip(): each.said for each in disagreements(said)}


def affected(versions: str, status: Any = "affected", name: str = "FortiOS") -> Affected:
    return Affected("Fortinet", name, versions, read(versions, name), status=status)


def test_what_each_says_where_they_differ() -> None:
    one = Facts(cvss=9.8, kans="high", schade="high", exploited=True, cves=("CVE-2026-0001",))
    other = Facts(cvss=7.5, kans="medium", schade="high", cves=("CVE-2026-0001",))
    assert told(("ncsc-nl", one), ("market", other)) == {
        "kans": {"ncsc-nl": ["high"], "market": ["medium"]},
        "cvss": {"ncsc-nl": [9.8], "market": [7.5]},
    }, "who says nothing of exploitation disagrees with nobody"
    assert told(("ncsc-nl", one), ("market", Facts(exploited=False)))["exploited"] == {
        "ncsc-nl": [True],
        "market": [False],
    }


def test_ranges_differ_by_what_they_mean() -> None:
    one, same = Facts(affected=(affected("<7.2.5"),)), Facts(affected=(affected("< 7.2.5"),))
    vague, other = Facts(affected=(Affected("fortinet", "FortiOS"),)), Facts(affected=(affected("<7.2.6"),))
    assert not told(("a", one), ("b", same), ("c", vague))
    assert told(("a", one), ("b", other), ("c", vague)) == {
        "affected Fortinet FortiOS": {"a": ["<7.2.5"], "b": ["<7.2.6"]}
    }
    safe = Facts(affected=(affected("<7.2.5", "fixed"),))
    assert told(("a", one), ("b", safe)) == {"affected Fortinet FortiOS": {"a": ["<7.2.5"], "b": ["<7.2.5 (fixed)"]}}


def test_withdrawal_and_cves() -> None:
    one, other = Facts(cves=("CVE-2026-0001",)), Facts(cves=("CVE-2026-0001", "CVE-2026-0002"), withdrawn=True)
    assert set(told(("a", one), ("b", other))) == {"cves", "withdrawn"}
    assert told(("a", one), ("a", other))["withdrawn"] == {"a": [False, True]}, "one source that says two things"


@given(FACTS, FACTS)
def test_it_takes_two_that_differ(one: Facts, other: Facts) -> None:
    assert disagreements([("a", one)]) == []
    assert disagreements([("a", one), ("b", one)]) == []
    found, turned = disagreements([("a", one), ("b", other)]), disagreements([("b", other), ("a", one)])
    assert {(each.fact, each.about.casefold()) for each in found} == {
        (each.fact, each.about.casefold()) for each in turned
    }
    assert all(set(each.said) == {"a", "b"} for each in found)
    assert msgspec.json.encode(found)
