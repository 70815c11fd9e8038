"""What real feeds call versions: read exactly, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Range, ranges, versions


def read(text: str, product: str = "") -> str:
    """Ranges as short text: alternatives by ` or `, `any` for every version."""
    return " or ".join("|".join(f"{b}{v}" for b, v in r.constraints) or "any" for r in ranges.read(text, product))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vers:unknown/15.0.1.13010-1", "=15.0.1.13010-1"),
        ("vers:unknown/*", "any"),
        ("vers:all/*", "any"),
        ("vers:all/<V2024.3", "<V2024.3"),
        ("vers:gem/<24.6.0", "<24.6.0"),
        ("vers:npm/>=1.0|<2.0|>=3|<4", ">=1.0|<2.0 or >=3|<4"),
        ("vers:pypi/>=3.0.0|2.0.3", "=2.0.3 or >=3.0.0"),
        ("vers:deb/>=1%3A2.0|<1%3A3", ">=1:2.0|<1:3"),
        ("vers:unknown/>=1%3A2.0|<1%3A3", ""),
        ("vers:npm/<2.0|>=1.0|<2.0", ">=1.0|<2.0"),
        ("vers:npm/>=1.0|>=1.5|1.7|<2.0", ">=1.0|<2.0"),
        ("vers:pypi/!=5", "!=5"),
        ("vers:npm/>=1.0|!=1.1|<2.0", ">=1.0|<2.0|!=1.1"),
        ("FortiManager/>=7.6.0|<=7.6.1", ">=7.6.0|<=7.6.1"),
        ("FortiManager/ 7.2 all versions", ">=7.2|<7.3"),
        ("FortiOS/7.6.0", "=7.6.0"),
        ("7.2 all versions", ">=7.2|<7.3"),
        ("7.2.x", ">=7.2|<7.3"),
        ("14.1 lessThan 8.50 type patch", ">=14.1-0|<14.1-8.50"),
        ("<12.0.4 IF2", "<12.0.4 IF2"),
        ("<= 1.4", "<=1.4"),
        ("≤ 1.4", "<=1.4"),
        ("*", "any"),
        ("all versions", "any"),
        ("Alle versies", "any"),
        ("All versions < V3.2", "<V3.2"),
        ("< 1.5, >= 1.2", ">=1.2|<1.5"),
        (">= 1.2 < 1.5", ">=1.2|<1.5"),
        (">=1.2 <1.5 || >=2.0 <2.1", ">=1.2|<1.5 or >=2.0|<2.1"),
        ("from 1.2 before 1.5", ">=1.2|<1.5"),
        ("1.2 - 1.5", ">=1.2|<=1.5"),
        ("1.2 through 1.5", ">=1.2|<=1.5"),
        ("1.5 and earlier", "<=1.5"),
        ("V3.2 and later", ">=V3.2"),
        ("versions prior to 1.5", "<1.5"),
        ("ouder dan 1.5", "<1.5"),
        ("1.0, 1.1, 1.2", "=1.0 or =1.1 or =1.2"),
        ("<=2023.3_Build_9342", "<=2023.3_Build_9342"),
        ("Version 7.2 and earlier", "<=7.2"),
        ("versions 7.0.0 to 7.0.11", ">=7.0.0|<=7.0.11"),
        ("up to 7.2.3", "<=7.2.3"),
        ("1.4.1+", ">=1.4.1"),
        ("1.5.0+, 1.4.1+", ""),
        ("V10.1 < V10.1.1 HF2", ">=V10.1|<V10.1.1 HF2"),
        ("unspecified < 1.2", "<1.2"),
        ("<= 11.0.*", "<11.1"),
        ("> 11.0.*", ">=11.1"),
        ("2.x prior to 2.3.4", ">=2|<2.3.4"),
        ("[1.0,2.0), [3.0,)", ">=1.0|<2.0 or >=3.0"),
        ("(,1.5]", "<=1.5"),
        ("[1.2]", "=1.2"),
        ("[1.2", ""),
        (">=R80.40|<R81.20", ">=R80.40|<R81.20"),
        ("14.1-8.50", "=14.1-8.50"),
        ("2.0-22165", "=2.0-22165"),
        ("0.7.52-0.8.39", ">=0.7.52|<=0.8.39"),
        # A range, or a build? Exactly one version would be silence for the others.
        ("8.0-8.4", ""),
        # What cannot be read exactly gives nothing: possibly affected.
        ("Warehouse <5.1.0", ""),
        ("on Cloud Pak for Data", ""),
        ("<=firmware_FullImg-1023-1007-1011-1009", ""),
        ("vers:npm/%zz", ""),
        ("vers:npm/>=1.0||<2.0", ""),
        ("vers:npm/>=1.0|*", ""),
        ("vers:none/*", ""),
        ("vers:deb/>=1%3A2.0", ">=1:2.0"),
        ("vers:npm/", ""),
        (">=1.0|>=2.0", ""),
        ("unspecified", ""),
        ("n/a", ""),
        ("", ""),
        ("1." * 400, ""),
        ("1.²", ""),
        ("< 1.2²", ""),
        ("vers:npm/<①.2", ""),
        ("1.½", ""),
        ("１.２", "=1.2"),
    ],
)
def test_ranges(text: str, expected: str) -> None:
    assert read(text) == expected


def test_a_scheme_is_kept() -> None:
    assert {each.scheme for each in ranges.read("vers:cargo/>=1.0.0|<2.0.0")} == {"semver"}
    assert {each.scheme for each in ranges.read("vers:unknown/>=1.0.0|<2.0.0")} == {""}
    assert ranges.read("0.7.52-0.8.39", scheme="deb") == (Range((("=", "0.7.52-0.8.39"),), "deb"),), "a revision"
    assert ranges.read("< 1:2.0-1", scheme="deb") == (Range((("<", "1:2.0-1"),), "deb"),)


def test_the_product_may_stand_before_its_version() -> None:
    assert read("FortiOS 7.4.8", "FortiOS") == "=7.4.8"
    assert read("FortiOS 7.4.8") == ""


@given(st.text(max_size=60))
def test_ranges_read_or_give_up(text: str) -> None:
    for alternative in ranges.read(text):
        for _, limit in alternative.constraints:
            assert versions.readable(limit, alternative.scheme)


@given(st.text(alphabet="0123456789.<>=!|, vers:all/xX*-", max_size=30), st.sampled_from(["1.0", "7.2.3", "0"]))
def test_within_what_was_read_is_yes_no_or_unsure(text: str, version: str) -> None:
    for alternative in ranges.read(text):
        assert versions.within(version, alternative) in (True, False, None)
