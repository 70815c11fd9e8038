"""An order where it is certain, and no answer where it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Bound, Range, schemes, versions

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
        ("15.0.1.13012-1", "15.0.1.13010-1", 1),
        ("22.4R3-S2-EVO", "22.4R3-S1-EVO", 1),
        ("2019 CU14", "2019 CU13", 1),
        ("2019 Cumulative Update 14", "2019 CU14 SU2", -1),
        ("2016 CU23", "2019 CU1", -1),
        ("2019 CU13 Nov23SU", "2019 CU13", None),
        ("10.0.19045.3803", "10.0.19045.3930", -1),
        ("22H2", "21H2", 1),
        ("22H2", "10.0.19045.3803", None),
        ("7.2.3,build1262", "7.2.5", -1),
        ("2024-03-01", "20240229", 1),
        ("2024-03-01", "7.2", None),
        ("15.2(7)E", "15.2(7)E3", -1),
        ("15.2(7)E3a", "15.2(7)E3", 1),
        ("15.2(7)E3", "15.2(7)M3", None),
        ("9.16(4)55", "9.16(4)", 1),
        ("9.16(4)55", "9.16(5)", -1),
        ("12.5(1)su8", "12.5(1)", 1),
        ("12.5(1)su6a", "12.5(1)su8", -1),
        ("14su1", "14.0", 1),
        ("14su1", "14su3", -1),
        ("14su3", "14.0(1.10000.20)", None),
        ("12.0 SP2", "12.5", -1),
        ("1.2_base", "1.2", 0),
        ("8.0 SP1 HF2", "8.0 SP1", 1),
        ("Sonoma", "sonoma", 0),
        ("", "", None),
        ("", "1.0", None),
    ],
)
def test_compare(one: str, other: str, order: int | None) -> None:
    assert versions.compare(one, other) == order
    assert versions.compare(other, one) == (None if order is None else -order)


@pytest.mark.parametrize(
    ("scheme", "one", "other", "order"),
    [
        ("npm", "1.0.0-alpha.1", "1.0.0-alpha.beta", -1),
        ("npm", "v1.0.0+build.5", "1.0.0", 0),
        ("npm", "10.0.19045.3803", "10.0.19045.3930", -1),
        ("npm", "1.0.0 SP1", "1.0.0", 1),
        ("golang", "v0.0.0-20210101000000-abcdef123456", "v0.0.1", -1),
        ("pypi", "1.0rc1", "1.0", -1),
        ("pypi", "1!0.5", "2.0", 1),
        ("pypi", "4.2.post1", "4.2", 1),
        ("deb", "1:1.0-1", "2.0-1", 1),
        ("deb", "1.0~rc1-1", "1.0-1", -1),
        ("deb", "3.0.11-1~deb12u2", "3.0.11-1", -1),
        ("deb", "n/a", "1.0", None),
        ("rpm", "9.0.87-1.el8_10.1", "9.0.87-1.el8_10.2", -1),
        ("rpm", "1:9.0.87-1.el8", "9.0.88-1.el8", 1),
        ("rpm", "9.0.87-1.el8", "9.0.88-1.el9", None),
        ("rpm", "1.0~rc1-1", "1.0-1", -1),
        ("alpine", "1.0-r1", "1.0-r2", -1),
        ("alpine", "1.0_rc1", "1.0", -1),
        ("maven", "1.0-SNAPSHOT", "1.0", -1),
        ("maven", "2.17.1", "2.3.2", 1),
        ("nuget", "1.0", "1.0.0.0", 0),
        ("nuget", "1.0.0-beta", "1.0.0", -1),
        ("gem", "1.0.a", "1.0", -1),
        ("openssl", "1.0.2k", "1.0.2zb", -1),
        ("", "1.0-rc1", "1.0", -1),
    ],
)
def test_each_ecosystem_has_its_order(scheme: str, one: str, other: str, order: int | None) -> None:
    known = schemes.scheme(scheme)
    assert versions.compare(one, other, known) == order
    assert versions.compare(other, one, known) == (None if order is None else -order)


def test_names_of_schemes_are_those_that_purl_vers_and_cve_use() -> None:
    assert [schemes.scheme(name) for name in ("cargo", "PEP440", "dpkg", "custom", "unknown", "git", "")] == [
        "semver", "pypi", "deb", "", "", "", "",
    ]  # fmt: skip


@given(st.sampled_from(["semver", "pypi", "deb", "rpm", "apk", "maven", "nuget", "gem"]), VERSIONS, VERSIONS)
def test_where_a_scheme_and_vendors_both_order_numbers_they_agree(scheme: str, one: str, other: str) -> None:
    plain = one.replace(".", "").isdigit() and other.replace(".", "").isdigit()
    by_scheme = schemes.compare(scheme, one, other)
    if plain and by_scheme:
        assert versions.compare(one, other) in (by_scheme, 0), "in deb and rpm 7.2 comes before 7.2.0"


@given(VERSIONS, VERSIONS, VERSIONS)
def test_what_is_ordered_is_ordered_consistently(a: str, b: str, c: str) -> None:
    ab, bc, ac = versions.compare(a, b), versions.compare(b, c), versions.compare(a, c)
    assert versions.compare(a, a) == 0
    if ab is not None and bc is not None and ab <= 0 and bc <= 0:
        assert ac is None or ac <= 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_compare_never_fails(one: str, other: str) -> None:
    assert versions.compare(one, other) in (-1, 0, 1, None)
    for scheme in (
        "semver",
        "pypi",
        "deb",
        "rpm",
        "apk",
        "alpm",
        "ebuild",
        "maven",
        "nuget",
        "gem",
        "composer",
        "openssl",
    ):
        assert versions.compare(one, other, scheme) in (-1, 0, 1, None)


BOUNDS = st.sampled_from(["=", "<", "<=", ">", ">=", "!="])


@given(VERSIONS, st.lists(st.tuples(BOUNDS, VERSIONS), max_size=3))
def test_within_is_sure_only_when_every_constraint_is(version: str, constraints: list[tuple[Bound, str]]) -> None:
    answer = versions.within(version, Range(tuple(constraints)))
    single = [versions.within(version, Range((constraint,))) for constraint in constraints]
    assert answer is (False if False in single else None if None in single else True)
