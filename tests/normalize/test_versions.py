"""An order where it is certain, and no answer where it is not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Bound, Range, ranges, versions

NUMBERED = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.sampled_from(
    ["", "-rc1", "-rc2", " SP1", " IF2", "a", "b", "-4", "-h4", "R2.1", " Update 3", "-alpha", "x9y"]
)
VERSIONS = st.builds(str.__add__, NUMBERED, SUFFIXES)


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("7.2", "7.2.0", 0),
        ("7.2.9", "7.2.10", -1),
        ("V2024.3", "v2024.2", 1),
        ("9.9.00", "9.9", 0),
        ("14.1-4.42", "14.1-8.50", -1),
        ("13.0-90.1", "14.1-8.50", -1),
        ("14.1 Build 8.50", "14.1-8.50", 0),
        ("14.1", "14.1-8.50", None),
        ("12.0.4 IF2", "12.0.4", 1),
        ("12.0.4 IF2", "12.0.4 Interim Fix 3", -1),
        ("1.0.2k", "1.0.2", 1),
        ("1.0.2k", "1.0.2m", -1),
        ("1.0-rc1", "1.0", -1),
        ("1.0-rc1", "1.0-rc2", -1),
        ("1.0 rc1", "1.0 sp1", -1),
        ("10.2.3-h4", "10.2.3", 1),
        ("10.2.3-h4", "10.2.4", -1),
        ("8.0 Update 3", "8.0 U2", 1),
        ("3.8.0_Feature_Pack_1", "3.8.0", 1),
        ("9.1R14.4", "9.1R15", -1),
        ("9.1R14.4", "9.1", 1),
        ("21.4R3-S7", "21.4R3", 1),
        ("21.4R3-S7", "21.4R3-S10", -1),
        ("21.2R3-S8", "21.4", -1),
        ("22.4R3-S2-EVO", "22.4", None),
        ("15.2(7)E3", "15.2(7)E4", -1),
        ("15.2(7)E3", "15.4(1)T", None),
        ("9.8(3)", "9.8(4)", -1),
        ("2019", "15.2.1544.4", None),
        ("15.0.1.13010-1", "15.0.1.13010", None),
        ("firmware_FullImg-1023", "firmware_FullImg-1024", None),
        ("4.1.108.Final", "4.1.108", 0),
        ("1.4.post1", "1.4", 1),
        ("8.0 U3d", "8.0 Update 3", 1),
        ("8.0 U3d", "8.0 U3e", -1),
        ("R80.40", "R81.10", -1),
        ("9.0.87-1.el8_10.1", "9.0.87-1.el8_10.2", -1),
        ("9.0.87-1.2.el8", "9.0.87-1.el8_10", 1),
        ("0:9.0.87-1.el8", "9.0.87-1.el8", 0),
        ("1:9.0.87-1.el8", "9.0.87-1.el8", None),
        ("9.0.87-1.el8", "9.0.88-1.el9", None),
        ("9.0.87-1.el8", "9.0.88", None),
        ("1.2.3-4+deb12u1", "1.2.3-4+deb12u2", -1),
        ("11.a", "11.a2", None),
        ("Sonoma", "sonoma", 0),
        ("", "", None),
        ("", "1.0", None),
    ],
)
def test_compare(one: str, other: str, order: int | None) -> None:
    assert versions.compare(one, other) == order
    assert versions.compare(other, one) == (None if order is None else -order)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_what_is_ordered_is_ordered_consistently(a: str, b: str, c: str) -> None:
    ab, bc, ac = versions.compare(a, b), versions.compare(b, c), versions.compare(a, c)
    assert versions.compare(a, a) == 0
    if ab is not None and bc is not None and ab <= 0 and bc <= 0:
        assert ac is None or ac <= 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_compare_never_fails(one: str, other: str) -> None:
    assert versions.compare(one, other) in (-1, 0, 1, None)


BOUNDS = st.sampled_from(["=", "<", "<=", ">", ">=", "!="])


@given(VERSIONS, st.lists(st.tuples(BOUNDS, VERSIONS), max_size=3))
def test_within_is_sure_only_when_every_constraint_is(version: str, constraints: list[tuple[Bound, str]]) -> None:
    answer = versions.within(version, Range(tuple(constraints)))
    single = [versions.within(version, Range((constraint,))) for constraint in constraints]
    assert answer is (False if False in single else None if None in single else True)


@pytest.mark.corpus
@pytest.mark.parametrize("file", ["npm_range_containment_test.json", "pypi_range_containment_test.json"])
def test_the_public_vers_cases_are_never_contradicted(corpus: Path, file: str) -> None:
    sure = 0
    for case in json.loads((corpus / "cpe" / "vers" / file).read_bytes())["tests"]:
        if case["test_type"] != "containment":
            continue
        read = ranges.read(case["input"]["vers"])
        answers = [versions.within(case["input"]["version"], one) for one in read]
        if not read or (None in answers and True not in answers):
            continue
        sure += 1
        assert (True in answers) is case["expected_output"], case["input"]
    assert sure


@pytest.mark.corpus
def test_no_public_order_of_maven_versions_is_contradicted(corpus: Path) -> None:
    sure = 0
    for case in json.loads((corpus / "cpe" / "vers" / "maven_version_cmp_test.json").read_bytes())["tests"]:
        if case["test_type"] == "comparison":
            order = versions.compare(*case["expected_output"])
            assert order in (-1, 0, None), case["input"]
            sure += order == -1
        else:
            order = versions.compare(*case["input"]["versions"])
            assert order is None or (order == 0) is case["expected_output"], case["input"]
    assert sure >= 590


@pytest.mark.corpus
def test_what_nginx_calls_its_versions_is_read_as_wide_as_it_is_meant(corpus: Path) -> None:
    for case in json.loads((corpus / "cpe" / "vers" / "nginx_range_from_native_test.json").read_bytes())["tests"]:
        mine = ranges.read(case["input"]["native_range"])
        meant = ranges.read(case["expected_output"])
        for version in ("0.7.52", "0.8.1", "0.8.39", "0.8.40", "0.8.41", "0.9.10", "1.4.1", "1.4.7", "1.5.0", "1.9"):
            if mine and any(versions.within(version, each) for each in meant):
                assert any(versions.within(version, each) for each in mine), case["input"]
