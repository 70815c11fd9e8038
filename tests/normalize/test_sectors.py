"""Every code is a set of leaves; a code means everything below it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import NormalizeError, sectors

EVERY = sorted(sectors._codes())
CODES = [code for code in EVERY if any(sectors.covers(of, code) for of in ("SBI:C", "NIS2:energy", "STIX:government"))]


@pytest.mark.parametrize(
    ("given_code", "canonical"),
    [
        ("SBI:25.62", "SBI:25.62"),
        ("sbi: 2562", "SBI:25.62"),
        ("SBI:01131", "SBI:01.13.1"),
        ("NACE:c", "NACE:C"),
        ("nis2:Energy", "NIS2:energy"),
        ("STIX:financial_services", "STIX:financial-services"),
        ("NIS2:energy.electricity", "NIS2:energy.electricity"),
    ],
)
def test_parse_gives_the_canonical_form(given_code: str, canonical: str) -> None:
    assert sectors.parse(given_code) == canonical


@pytest.mark.parametrize(
    "code", ["25.62", "SBI:25.63", "SBI:04", "NACE:01.13.1", "NIS2:", "STIX:wizardry", "ISIC:A", ""]
)
def test_parse_refuses_what_no_scheme_has(code: str) -> None:
    with pytest.raises(NormalizeError):
        sectors.parse(code)


@given(st.text(max_size=30))
def test_parse_refuses_or_gives_a_code_it_accepts_again(text: str) -> None:
    for scheme in ("", "SBI:", "NACE:", "NIS2:"):
        try:
            code = sectors.parse(scheme + text)
        except NormalizeError:
            continue
        assert sectors.parse(code) == code


def test_the_table_is_nace_rev_2() -> None:
    """Regulation (EC) 1893/2006: 21 sections, 88 divisions, 272 groups, 615 classes."""
    found = [len(code) - len("NACE:") for code in EVERY if code.startswith("NACE:")]
    assert [found.count(length) for length in (1, 2, 4, 5)] == [21, 88, 272, 615]


def test_every_code_lies_in_a_section() -> None:
    sections = [code for code in EVERY if len(code) == len("SBI:A") and code.startswith("SBI:")]
    for code in EVERY:
        if not code.startswith(("NIS2:", "STIX:")):
            assert sum(sectors.covers(section, code) for section in sections) == 1, code


@pytest.mark.parametrize(
    ("broad", "narrow"),
    [
        ("SBI:C", "SBI:25.62"),
        ("SBI:25", "NACE:25.62"),
        ("NACE:25.62", "SBI:25.62"),
        ("SBI:01.30", "SBI:01.30.1"),
        ("NACE:86.90", "SBI:86.91.1"),
        ("SBI:35.20", "NACE:35.21"),
        ("SBI:62.0", "SBI:62"),
        ("NIS2:energy", "NIS2:energy.electricity"),
        ("NIS2:energy", "SBI:35.11.1"),
        ("STIX:manufacturing", "SBI:C"),
    ],
)
def test_a_code_covers_everything_below_it(broad: str, narrow: str) -> None:
    assert sectors.covers(broad, narrow)


@pytest.mark.parametrize(
    ("broad", "narrow"),
    [("SBI:25.62", "SBI:25"), ("SBI:25.6", "SBI:25.71"), ("SBI:26", "NIS2:energy"), ("SBI:1", "SBI:10")],
)
def test_a_code_covers_nothing_else(broad: str, narrow: str) -> None:
    assert not sectors.covers(broad, narrow)


@given(st.sampled_from(CODES), st.sampled_from(CODES), st.sampled_from(CODES))
def test_covering_is_an_order(a: str, b: str, c: str) -> None:
    assert sectors.covers(a, a)
    if sectors.covers(a, b) and sectors.covers(b, c):
        assert sectors.covers(a, c)


def test_an_unknown_code_is_only_itself() -> None:
    assert sectors.covers("STIX:wizardry", "STIX:wizardry")
    assert not any(sectors.covers("STIX:wizardry", code) for code in EVERY)
    assert not sectors.covers("SBI:C", "STIX:wizardry")
