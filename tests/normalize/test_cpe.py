"""CPE names: taken apart as NISTIR 7695 has it, compared as NISTIR 7696 has it."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import cpe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpe:2.3:a:v:p:1.0:update3:*:*:*:*:*:*", ("a", "v", "p", "1.0", "update3")),
        ("cpe:2.3:a:cisco:x:12.5\\(1\\):-:*:*:*:*:*:*", ("a", "cisco", "x", "12.5(1)", "-")),
        ("cpe:2.3:a:v:a\\:b\\\\:1:*:*:*:*:*:*:*", ("a", "v", "a:b\\", "1", "*")),
        ("cpe:/a:v:p%21:1.0", ("a", "v", "p!", "1.0", "*")),
        ("cpe:/o:redhat:enterprise_linux:8::baseos", ("o", "redhat", "enterprise_linux", "8", "*", "baseos")),
        ("cpe:/a:v:p:1::~~pro~wordpress~~:nl", ("a", "v", "p", "1", "*", "*", "nl", "pro", "wordpress")),
        ("cpe:2.3:x:v:p:1", None),
        ("cpe:2.3:a:V:P:1", ("a", "v", "p", "1")),
        ("pkg:pypi/x", None),
        ("cpe:/a:v", None),
    ],
)
def test_names_are_taken_apart(text: str, expected: tuple[str, ...] | None) -> None:
    found = cpe.read(text)
    assert (found and found[: len(expected)]) == expected if expected else found is None


@pytest.mark.parametrize(
    ("source", "target", "answer"),
    [
        # NISTIR 7696, table 6-2, by rows.
        ("*", "*", True), ("*", "-", True), ("*", "pro", True), ("*", "p\x02", True),
        ("-", "*", None), ("-", "-", True), ("-", "pro", False), ("-", "p\x02", False),
        ("pro", "*", None), ("pro", "-", False), ("pro", "pro", True), ("pro", "lite", False), ("pro", "p\x02", None),
        ("p\x02", "*", None), ("p\x02", "-", False), ("p\x02", "pro", True), ("p\x02", "lite", False),
        ("\x01ro", "pro", True), ("p\x01", "pro", False),
    ],
)  # fmt: skip
def test_values_are_compared_as_the_table_says(source: str, target: str, answer: bool | None) -> None:
    assert cpe.holds(source, target) is answer


def traits(text: str) -> str:
    found = cpe.read(text)
    assert found
    return found.traits


def test_traits_are_all_but_the_name_and_version() -> None:
    plain = traits("cpe:2.3:a:v:p:1.0:*:*:*:*:*:*:*")
    plugin = traits("cpe:2.3:a:v:p:*:*:*:*:*:wordpress:*:*")
    device = traits("cpe:2.3:h:v:p:-:*:*:*:*:*:*:*")
    assert (plain, plugin, device) == ("s", "s:*:*:*:*:wordpress", "h")
    assert cpe.update_of(traits("cpe:2.3:a:v:p:8.0:update3:*:*:*:*:*:*")) == "update3"
    assert cpe.traits_hold(plugin, plugin) is True
    assert cpe.traits_hold(plain, plugin) is True
    assert cpe.traits_hold(plugin, plain) is None, "the profile does not say on what"
    assert cpe.traits_hold(plugin, "") is None
    assert cpe.traits_hold(plugin, traits("cpe:2.3:a:v:p:1:*:*:*:*:android:*:*")) is False
    assert cpe.traits_hold(plain, device) is False
    assert cpe.traits_hold("", device) is True
    assert cpe.traits_hold(plain, "") is True


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_none(text: str) -> None:
    for start in ("cpe:2.3:", "cpe:/", "cpe:2.3:a:", "cpe:/a:v:p:"):
        found = cpe.read(start + text)
        assert found is None or (len(found) == 11 and all(found))


@pytest.mark.corpus
def test_valid_names_of_the_csaf_committee_are_read(corpus: Path) -> None:
    names = (corpus / "cpe" / "csaf-cpe-valid.txt").read_text().split()
    assert len(names) == 10
    assert all(found and cpe.traits_hold(found.traits, found.traits) is not False for found in map(cpe.read, names))


@pytest.mark.corpus
def test_every_name_of_the_dictionary_is_read_alike_in_both_forms(corpus: Path) -> None:
    body = gzip.decompress((corpus / "cpe" / "official-cpe-dictionary_v2.3.xml.gz").read_bytes()).decode()
    pairs = re.findall(r'<cpe-item name="(cpe:/[^"]+)"[^>]*>.*?cpe23-item name="(cpe:2\.3:[^"]+)"', body, re.DOTALL)
    listed = json.loads((corpus / "cpe" / "nvd-api-cpe-3_items.json").read_bytes())["products"]
    assert len(pairs) == 2
    assert all(cpe.read(old) == cpe.read(new) for old, new in pairs)
    assert all(cpe.read(each["cpe"]["cpeName"]) for each in listed)
