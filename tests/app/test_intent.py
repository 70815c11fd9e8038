"""Of what its publishers meant to be read 99% is; what they meant to be refused is, for the reason they name."""

import json
import re
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from app.service import open_service
from tests.app.instance import ROOT, done, make
from tests.app.intent import FEEDS, XARF, Outcome, intent, is_named, outcomes, row
from tests.app.test_corpus import EXPECTED, REFUSED

NAMED = re.compile(rb"(?<![\w-])(?:([a-z][a-z0-9-]*)--)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-])")
UNREAD = {"Safe_Browsing_Report_1.eml"}
"""Meant to be read, and not: the XML of one publisher, as the text of a mail."""
SHARED = {"shadow.json"}
"""Its one indicator is a file's name, which strangers share (normalize.identity): said twice, of one item."""


@pytest.fixture(scope="module")
def found(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Outcome]]:
    """The whole corpus, file by file, as the door reads and guards it."""
    with closing(open_service(make(tmp_path_factory.mktemp("intent") / "instance"))) as service:
        return {folder: list(outcomes(service, corpus, folder)) for folder in FEEDS}


@pytest.mark.corpus
def test_of_what_was_meant_to_be_read_99_percent_is(found: dict[str, list[Outcome]]) -> None:
    valid = [each for every in found.values() for each in every if each.intent.meant == "valid"]
    unread = [each for each in valid if each.made == "nothing"]
    assert len(valid) >= 190
    assert {each.path.name for each in unread} == UNREAD
    assert all(each.reasons for each in unread)
    assert len(unread) / len(valid) <= 0.01


@pytest.mark.corpus
def test_what_must_fail_fails_for_the_reason_its_authors_name(found: dict[str, list[Outcome]]) -> None:
    invalid = [each for every in found.values() for each in every if each.intent.meant == "invalid"]
    assert len(invalid) == 46 + len(XARF) + 2
    assert [each.path.name for each in invalid if not is_named(each)] == []
    apart = [each.path.name for each in invalid if each.made != "nothing" and "csaf" not in each.path.parts]
    assert apart == [], "of an advisory the part is refused; what else must fail is refused whole"


@pytest.mark.corpus
def test_what_lies_beside_becomes_nothing_and_is_told(found: dict[str, list[Outcome]]) -> None:
    beside = [each for every in found.values() for each in every if each.intent.meant == "beside"]
    assert [each.path.name for each in beside if each.made != "nothing" or not each.reasons] == []


@pytest.mark.corpus
def test_the_table_of_the_documentation_is_what_is_measured(found: dict[str, list[Outcome]]) -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for folder, every in found.items():
        assert row(folder, every) in page
    assert row("all", [each for every in found.values() for each in every]) in page


def test_the_documentation_tells_every_refusal() -> None:
    """The table by reason is that of tests/app/test_corpus.py, which measures it."""
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for folder, (documents, new, *_, held, _) in EXPECTED.items():
        (line,) = re.findall(
            rf"^\| {folder} \| {documents} \| {new} \| {held} \| (\d+ \w+: .*) \|$", page, re.MULTILINE
        )
        told = {
            f"{count} {reason}" for reason, count in REFUSED[folder].items() if not reason.startswith("guard: held")
        }
        assert set(re.split(r"; (?=\d+ \w+: )", line)) == told


def republished(body: bytes) -> bytes:
    """With all-new ids; markings and definitions keep theirs, since these are everybody's."""

    def renamed(match: re.Match[bytes]) -> bytes:
        if match[1] in (b"marking-definition", b"extension-definition"):
            return match[0]
        new = str(uuid.uuid5(uuid.NAMESPACE_URL, match[2].decode())).encode()
        return match[1] + b"--" + new if match[1] else new

    return NAMED.sub(renamed, body)


@pytest.mark.corpus
def test_a_bundle_or_event_republished_with_all_new_ids_gives_no_new_indicators(corpus: Path, tmp_path: Path) -> None:
    again: set[str] = set()
    count = 0
    for number, file in enumerate(sorted([*(corpus / "stix21").rglob("*"), *(corpus / "misp").rglob("*.json")])):
        if not file.is_file() or intent(corpus, file).meant != "valid":
            continue
        instance, copy = make(tmp_path / str(number)), tmp_path / f"{number}.json"
        copy.write_bytes(republished(file.read_bytes()))
        done(instance, "ingest", file, "--source", "market", "--json")
        before = indicators(instance)
        done(instance, "ingest", copy, "--source", "market", "--json")
        count += 1
        if indicators(instance) != before:
            again.add(file.name)
    assert count == 50
    assert again == SHARED


def indicators(instance: Path) -> list[int]:
    """How many each item has that has any."""
    listed = [each["id"] for each in done(instance, "items", "--json", "--limit", "1000").rows]
    objects = (done(instance, "item", each, "--json").row["stix"]["objects"] for each in listed)
    return sorted(count for every in objects if (count := sum(each["type"] == "indicator" for each in every)))


def test_ids_are_new_and_markings_are_not() -> None:
    tlp = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
    one = {"id": f"url--{uuid.UUID(int=1)}", "object_marking_refs": [tlp], "uuid": str(uuid.UUID(int=1))}
    new = json.loads(republished(json.dumps(one).encode()))
    assert new["object_marking_refs"] == [tlp]
    assert new["id"] == f"url--{new['uuid']}" != one["id"]
