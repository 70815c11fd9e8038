"""Every code is a set of leaves; a code means everything below it."""

import csv
import json
from pathlib import Path

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


def within(code: str, scheme: str) -> set[str]:
    """A code in another scheme: the broadest codes that lie within it."""
    inside = {each for each in EVERY if each.startswith(f"{scheme}:") and sectors.covers(code, each)}
    return {each for each in inside if not any(_wider(other, each) for other in inside)}


def _wider(code: str, than: str) -> bool:
    return sectors.covers(code, than) and not sectors.covers(than, code)


def test_sections_and_divisions_are_the_same_in_sbi_and_nace() -> None:
    shared = [code for code in EVERY if code.startswith("SBI:") and len(code) - len("SBI:") in (1, 2)]
    assert len(shared) == 21 + 88
    for code in shared:
        twin = code.replace("SBI:", "NACE:")
        assert sectors.covers(code, twin), code
        assert sectors.covers(twin, code), code


def test_every_sector_of_nis2_and_stix_names_activities() -> None:
    for code in EVERY:
        if code.startswith(("NIS2:", "STIX:")):
            assert within(code, "SBI"), code
            assert within(code, "NACE"), code


def test_a_subsector_lies_within_its_sector() -> None:
    below = [code for code in EVERY if "." in code and code.startswith("NIS2:")]
    assert len(below) == 15
    for code in below:
        assert sectors.covers(code.partition(".")[0], code), code
    for code in ("dams", "nuclear", "water"):  # STIX 2.1 10.10: listed under infrastructure
        assert sectors.covers("STIX:infrastructure", f"STIX:{code}"), code
    for code in ("local", "national", "regional", "public-services"):
        assert sectors.covers("STIX:government", f"STIX:government-{code}"), code


@given(st.sampled_from(EVERY), st.sampled_from(sectors.SCHEMES))
def test_a_round_trip_never_widens(code: str, scheme: str) -> None:
    """Told in another scheme and back, a sector is the same or less; and never another one."""
    back = {again for there in within(code, scheme) for again in within(there, code.partition(":")[0])}
    assert all(sectors.covers(code, each) for each in back), back - {code}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (
            "Critical Manufacturing, Energy, and Water and Wastewater Systems",
            {"STIX:energy", "STIX:manufacturing", "STIX:water"},
        ),
        ("Academia - University", {"STIX:education"}),
        ("Government, Administration", {"STIX:government"}),
        ("food-agriculture", {"NIS2:food", "STIX:agriculture"}),
        ("Non-Governmental Organizations (NGOs)", {"STIX:non-profit"}),
        ("Activists", set()),
        ("", set()),
    ],
)
def test_words_are_codes(text: str, codes: set[str]) -> None:
    assert set(sectors.of_words(text)) == codes


def test_every_word_stands_for_codes_that_exist() -> None:
    for word, codes in sectors._table()["words"].items():
        assert codes, word
        assert [sectors.parse(code) for code in codes.split()] == codes.split(), word
        assert set(sectors.of_words(word)) == set(codes.split()), "the spelling under which it is looked up"


NO_ACTIVITY = {
    "Activists", "Citizens", "Country", "Development", "Dissidents", "Filigran", "Islamic forums",
    "Islamic organisation", "Multi-sector", "Opposition", "Other", "Separatists", "Unknown",
}  # fmt: skip
"""What galaxies name beside activities, and whoever wrote the list."""


@pytest.mark.corpus
def test_what_galaxies_and_taxonomies_name_maps(corpus: Path) -> None:
    galaxy = json.loads((corpus / "sectors/misp-galaxy-sector.json").read_text())
    opencti = json.loads((corpus / "sectors/opencti-sectors.json").read_text())
    names = [each["value"] for each in galaxy["values"]]
    names += [each["name"] for each in opencti["objects"] if each["type"] == "identity"]
    for file in ("dhs-ciip-sectors", "eu-nis-sector-and-subsectors", "nis2"):
        taxonomy = json.loads((corpus / f"sectors/misp-taxonomy-{file}.json").read_text())
        for values in taxonomy["values"]:
            if not values["predicate"].startswith(("impact-severity", "impact-outlook", "nature", "test", "important")):
                names += [entry["value"] for entry in values["entry"]]
    assert {name for name in names if not sectors.of_words(name)} == NO_ACTIVITY


@pytest.mark.corpus
def test_the_table_is_that_of_statistics_netherlands(corpus: Path) -> None:
    """Every code of the edition of 2018; where its spreadsheet lost a leading zero (`2` for 02), with it."""
    with (corpus / "sectors/SBI_2008_versie_2018.csv").open(encoding="utf-8-sig", newline="") as file:
        stated = {row[0].strip() for row in csv.reader(file)} - {""}
    stated = {f"0{code}" if code in set("123456789") else code for code in stated}
    assert {sectors.parse(f"SBI:{code}") for code in stated} | {"SBI:05", "SBI:07"} == {
        code for code in EVERY if code.startswith("SBI:")
    }


@pytest.mark.corpus
def test_sections_are_those_of_nace_where_the_galaxy_says(corpus: Path) -> None:
    """MISP's galaxy names a section of NACE for most sectors; ours lie in it, but for those it files elsewhere."""
    galaxy = json.loads((corpus / "sectors/misp-galaxy-sector.json").read_text())
    apart = set()
    for each in galaxy["values"]:
        sections = [f"NACE:{text.removeprefix('Section ')[:1]}" for text in each.get("meta", {}).get("NACE_CODE", ())]
        ours = sectors.of_words(each["value"])
        leaves = [sectors._codes()[code] for code in ours]
        if ours and sections and not any(sectors._codes()[section] & bits for section in sections for bits in leaves):
            apart.add(each["value"])
    assert apart == ELSEWHERE


ELSEWHERE = {"Employment", "Energy", "Food", "Maritime", "Petrochemical", "Veterinary"}
"""Public administration (twice), restaurants, shipyards, mines and hospitals: that is where the galaxy has them."""


def test_every_section_and_division_has_a_name() -> None:
    tops = {
        code for code in sectors._codes() if code.startswith(("SBI:", "NACE:")) and len(code.partition(":")[2]) <= 2
    }
    assert len(tops) == 2 * (21 + 88)
    assert all(map(sectors.name, tops))
    assert (sectors.name("SBI:25.62"), sectors.name("SBI:M")[:11]) == ("metal products", "consultancy")
    assert sectors.name("NIS2:energy") == ""
