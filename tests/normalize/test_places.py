"""Countries, their parts and parts of the world."""

import pytest
from babel import Locale

from normalize.places import Area, countries_in, region

PARTS = ("africa", "americas", "asia", "europe", "oceania", "antarctica")
NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}


def test_every_country_lies_in_one_part_of_the_world() -> None:
    known = {code for code in Locale("en").territories if len(code) == 2} - NO_COUNTRIES
    parts = [countries_in(part) for part in PARTS]
    assert frozenset().union(*parts) == known
    assert sum(map(len, parts)) == len(known)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("nl-nb", "NL-NB"),
        ("BE-VLG", "BE-VLG"),
        ("western-europe", "western-europe"),
        ("155 - Western Europe", "western-europe"),
        ("419 - Latin America and the Caribbean", "latin-america-caribbean"),
        ("053 - Australia and New Zealand", "australia-new-zealand"),
        ("Noord-Brabant", None),
        ("NL", None),
        ("", None),
    ],
)
def test_a_region_as_documents_write_it(text: str, read: str | None) -> None:
    assert region(text) == read


def test_an_area_without_places_is_everywhere() -> None:
    assert Area().holds("NL", "")
    assert Area().touches("NL")
    assert Area(regions=("NL-NB",)).touches("NL")
    assert not Area(regions=("NL-NB",)).touches("BE")
