"""The door: what comes of a document, and that nothing it holds can break it."""

import dataclasses
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import NoReturn, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app import door, pipeline
from ingest import RawDocument, Unreadable
from pii_guard import audit, journal
from pii_guard.guard import Guard
from tests.app.house import House, opened
from tests.triage.desk import draft
from triage import documents, inbox, leads

KEV = json.dumps(
    {
        "title": "CISA Catalog", "catalogVersion": "2026.03.02", "dateReleased": "2026-03-02T08:00:00Z", "count": 1,
        "vulnerabilities": [{
            "cveID": "CVE-2026-0001", "vendorProject": "Fortinet", "product": "FortiOS", "vulnerabilityName": "X",
            "dateAdded": "2026-03-02", "shortDescription": "Y", "requiredAction": "Z", "dueDate": "2026-03-23",
            "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": [],
        }],
    }
).encode()  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return opened(tmp_path_factory.mktemp("house"))


def document(house: House, body: bytes, source: str = "market", key: str = "k") -> RawDocument:
    return RawDocument(house.source(source), body, "0a1b.json", house.now, key=key)


HEADS = [b"", b"{", b'{"type":"bundle","objects":[', b'{"document":{', b'{"vulnerabilities":[', b"<rss>", b"<?xml",
         b'"timestamp","ip"\n', b'{"dataType":"CVE_RECORD",', b"\xef\xbb\xbf", b"\x1f\x8b"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "id", "objects", "document", "vulnerabilities", "cveMetadata", "containers", "pattern"]
            )
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.builds(lambda head, tail: head + tail, st.sampled_from(HEADS), st.binary(max_size=200)))
@example(body=b"[" * 100_000)
@example(body=b'{"type":"bundle","objects":' + b"[" * 50_000)
@example(body=b"<rss>" + b"<a>" * 20_000)
@example(body=gzip.compress(b"0" * 1000))
def test_no_bytes_break_it(house: House, body: bytes) -> None:
    passed = door.guarded(house.service, document(house, body))
    assert passed.items or passed.refused or not body.strip()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_no_json_breaks_it(house: House, value: object) -> None:
    for whole in (
        value,
        {"type": "bundle", "id": "bundle--x", "objects": value},
        {"document": value},
        {"vulnerabilities": value},
    ):
        body = json.dumps(whole).encode()
        passed = door.guarded(house.service, document(house, body))
        for each in passed.refused:
            assert each.stage in ("parse", "shape", "guard", "policy")
            assert each.reason


def test_a_document_is_read_once(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    first = pipeline.admit(house.service, document(house, KEV, "kev"))
    assert (first.documents, first.effects, len(first.items)) == (1, {"new": 1}, 1)
    again = pipeline.admit(house.service, document(house, KEV, "kev"))
    assert (again.documents, dict(again.effects), again.items) == (1, {"unchanged": 1}, set())
    other = pipeline.admit(house.service, document(house, KEV + b"\n", "kev", key="other"))
    assert dict(other.effects) == {"unchanged": 1}
    with house.service.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(inbox.items)) == 1


def test_what_is_refused_is_noted_and_counted(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    tally = pipeline.admit(house.service, document(house, b'{"geheimewaarde@voorbeeld.nl": '))
    assert (tally.refused, tally.items) == (1, set())
    with house.service.reading() as connection:
        (row,) = documents.refused(connection)
    assert "geheimewaarde" not in str(row)
    assert row["origin"] == "0a1b.json"


LATER = Unreadable("0a1b.json", "parse", "recognised as a MISP event, which this version does not read yet")


def test_what_a_version_does_not_read_the_next_one_may(tmp_path: Path, url: str) -> None:
    """The refusal is told once, however often the same bytes come, and goes when they are read."""
    house = opened(tmp_path, url)
    raw, unread = document(house, KEV, "kev"), door.Passed((), (LATER,), (), ())

    def refused() -> list[str]:
        with house.service.reading() as connection:
            return [each["reason"] for each in documents.refused(connection)]

    for count in (1, 0, 0):
        with house.service.transaction() as connection:
            assert door.lay_down(house.service, connection, raw, unread).refused == count
        assert refused() == [LATER.reason]
    read = pipeline.admit(house.service, raw)
    assert (dict(read.effects), read.refused, refused()) == ({"new": 1}, 0, [])
    assert dict(pipeline.admit(house.service, raw).effects) == {"unchanged": 1}


def test_what_came_in_in_part_is_not_read_again(tmp_path: Path, url: str) -> None:
    """A refusal beside items is told of that reading; other words for it make no other document."""
    house = opened(tmp_path, url)
    raw = document(house, KEV, "kev")
    passed = door.guarded(house.service, raw)
    for reason, effect in (("a", "new"), ("b", "unchanged")):
        part = dataclasses.replace(passed, refused=(dataclasses.replace(LATER, reason=reason),))
        with house.service.transaction() as connection:
            assert dict(door.lay_down(house.service, connection, raw, part).effects) == {effect: 1}
    with house.service.reading() as connection:
        assert [each["reason"] for each in documents.refused(connection)] == ["a"]


def test_holds_are_counted_as_held_and_not_as_refused(tmp_path: Path) -> None:
    house = opened(tmp_path)
    tally = house.receive(
        draft("a", cves=("CVE-2026-0001",), doubts=("unknown-marking", "other-doubt")),
        draft("b"),
        refused=[Unreadable("0a1b.json", "shape", "too deep", "/objects/3")],
    )
    summary = tally.summary(0.1)
    assert (summary["new"], summary["held"], summary["refused"]) == (2, 1, 1)
    with house.service.reading() as connection:
        reasons = sorted(each["reason"] for each in documents.refused(connection))
    assert reasons == ["held: other-doubt", "held: unknown-marking", "too deep"]


def test_every_item_stands_in_the_register(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    house.receive(draft("a"), draft("b"))
    house.receive(draft("a"), draft("c"))
    with house.service.reading() as connection:
        entries = list(journal.export(connection))
        report = audit.verify(connection, key=house.service.keys.derive("journal"))
    assert [each["what"] for each in entries] == ["admitted"] * 4
    assert report.ok


def test_what_cannot_be_fetched_is_noted_once(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    found = Unreadable("0a1b.zip", "fetch", "the archive is broken")
    for _ in range(2):
        tally = door.unreadable(house.service, "market", found)
        assert (tally.documents, tally.refused) == (1, 1)
    with house.service.reading() as connection:
        assert len(list(documents.refused(connection))) == 1


class Stumbling:
    """A guard with a mistake in it."""

    def admit(self, *_: object) -> NoReturn:
        raise ValueError("piet@voorbeeld.example")


def test_a_mistake_of_ours_costs_one_document_and_that_only_until_it_is_mended(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    stumbling = dataclasses.replace(house.service, guard=cast(Guard, Stumbling()))
    for _ in range(2):
        assert pipeline.admit(stumbling, document(house, KEV, "kev")).refused == 1
    with house.service.reading() as connection:
        (found,) = documents.refused(connection)
    assert "ValueError at " in found["reason"]
    assert "piet" not in found["reason"]
    assert pipeline.admit(house.service, document(house, KEV, "kev")).effects["new"] == 1


def test_what_cannot_be_laid_down_costs_one_document_and_nothing_of_it_stays(tmp_path: Path, url: str) -> None:
    """Another source's word on an item whose seal is broken: it waits until the database is restored."""
    house = opened(tmp_path, url)
    house.receive(draft("a", cves=("CVE-2026-0001",)))
    with house.service.transaction() as connection:
        kept = connection.scalar(sa.select(inbox.statements.c.sealed))
        connection.execute(inbox.statements.update(), {"sealed": b"0" * 64 + kept[64:]})
    for _ in range(2):
        tally = pipeline.admit(house.service, document(house, KEV, "kev"))
        assert (tally.refused, tally.items) == (1, set())
        assert "restore the database from a backup" in tally.mistake
    with house.service.reading() as connection:
        (found,) = documents.refused(connection)
        assert connection.scalar(sa.select(sa.func.count()).select_from(inbox.statements)) == 1
    assert "the seal of a stored statement is broken" in found["reason"]
    other = pipeline.admit(house.service, document(house, KEV.replace(b"2026-0001", b"2026-0002"), "kev", key="other"))
    assert other.effects["new"] == 1
    with house.service.transaction() as connection:
        broken = inbox.statements.c.sealed == b"0" * 64 + kept[64:]
        connection.execute(inbox.statements.update().where(broken), {"sealed": kept})
    assert pipeline.admit(house.service, document(house, KEV, "kev")).effects["merged"] == 1


def test_merge_keys_cannot_be_guessed(tmp_path: Path) -> None:
    """They are stored: a plain hash of a value is the value."""
    import hashlib

    house = opened(tmp_path)
    house.receive(draft("a", cves=("CVE-2026-0001",)))
    with house.service.reading() as connection:
        stored = set(connection.scalars(sa.select(leads.leads.c.key)))
    guesses = {b"cves:CVE-2026-0001", b"key:ncsc-nl:a"}
    assert stored.isdisjoint(hashlib.blake2b(each, digest_size=32).hexdigest() for each in guesses)
    assert stored.isdisjoint(each.decode() for each in guesses)


def test_tallies_add_up() -> None:
    one, two = door.Tally(documents=1, held=1), door.Tally(documents=2, refused=3, items={"OKTT-2026-0001"})
    one.effects["new"] += 1
    two.effects["new"] += 2
    two.findings["email"] = Counter({"strip": 4})
    two.unexpected["csaf"] += 1
    one.add(two)
    one.add(two)
    assert one.summary(1.23456) == {
        "documents": 5, "new": 5, "updated": 0, "unchanged": 0, "merged": 0, "held": 1, "refused": 6,
        "findings": {"email": {"strip": 8}}, "scores": 0, "unexpected": {"csaf": 2}, "seconds": 1.235,
    }  # fmt: skip
