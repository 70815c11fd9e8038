"""What is published in a collection, in which order, under which ids; on both engines."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import stix2

from dispatch import DispatchError, View, pages, publication
from dispatch.pages import Filters, Link, Row
from dispatch.renaming import HUB
from dispatch.revocation import notice
from dispatch.sequence import published
from subscribers import Contact, Subscriber
from subscribers import Profile as SubscriberProfile
from tlp import Clearance, Label
from tlp.markings import STIX_ID, definition

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
REPORT = "report--11111111-1111-4111-8111-111111111111"
MALWARE = "malware--22222222-2222-4222-8222-222222222222"
LINK = "relationship--33333333-3333-4333-8333-333333333333"
INDICATOR = "indicator--44444444-4444-4444-8444-444444444444"
SOURCE = "identity--55555555-5555-4555-8555-555555555555"
DOMAIN = "domain-name--66666666-6666-5666-8666-666666666666"


def view(*objects: dict[str, Any], item: str = "OKTT-2026-0001", reader: str = "public", **changes: Any) -> View:
    fields: dict[str, Any] = {
        "item": item, "version": 1, "kind": "report", "title": "Titel", "summary": "Samenvatting",
        "label": Label.CLEAR, "urgency": "today", "reader": reader, "sources": ("NCSC",), "cves": ("CVE-2026-0001",),
        "affected": (), "sectors": (), "observables": (), "remedies": (), "references": (), "kans": None,
        "schade": None, "cvss": None, "epss": None, "exploited": None, "exposure": None, "withdrawn": False,
        "source_time": None, "received_at": NOW, "reasons": (), "objects": objects, "statements": frozenset({"a"}),
    }  # fmt: skip
    return View(**fields | changes)


def sdo(object_id: str, modified: str = "2026-03-01T00:00:00.000Z", **properties: Any) -> dict[str, Any]:
    common = {"id": object_id, "type": object_id.partition("--")[0], "spec_version": "2.1"}
    return common | {"created": "2026-03-01T00:00:00.000Z", "modified": modified} | properties


def report(*refs: str, **changes: Any) -> dict[str, Any]:
    return sdo(REPORT, name="Rapport", published="2026-03-01T00:00:00Z", object_refs=list(refs), **changes)


def malware(**changes: Any) -> dict[str, Any]:
    return sdo(MALWARE, **{"name": "Voorbeeld", "is_family": False} | changes)


def link() -> dict[str, Any]:
    return sdo(LINK, relationship_type="indicates", source_ref=INDICATOR, target_ref=MALWARE)


def indicator(**changes: Any) -> dict[str, Any]:
    pattern = {"pattern": "[domain-name:value = 'kwaad.example']", "pattern_type": "stix"}
    return sdo(INDICATOR, **pattern | {"valid_from": "2026-03-01T00:00:00Z", "created_by_ref": SOURCE} | changes)


def domain(**changes: Any) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "id": DOMAIN, "value": "kwaad.example"} | changes


def subscriber(subscriber_id: str) -> Subscriber:
    contacts = (Contact(type="taxii"),)
    return Subscriber(subscriber_id, 1, "Voorbeeld", "nl", Clearance(Label.AMBER), SubscriberProfile(), contacts, NOW)


def everything(links: Collection[Link]) -> Collection[Link]:
    return links


def read(connection: sa.Connection, alias: str = "clear", **filters: Any) -> list[Row]:
    found = publication.find(connection, alias)
    assert found is not None
    page = pages.page(connection, found.id, everything, limit=1000, filters=Filters(**filters))
    assert not page.more
    whole = pages.at(connection, found.id, [(row.seq, row.seq) for row in page.rows])
    assert [(row.seq, row.added, row.body) for row in whole] == [(row.seq, row.added, row.body) for row in page.rows]
    return whole


def served(connection: sa.Connection, alias: str = "clear", **filters: Any) -> dict[str, dict[str, Any]]:
    return {row.object_id: json.loads(row.body) for row in read(connection, alias, **filters)}


@pytest.fixture
def db(connection: sa.Connection) -> sa.Connection:
    publication.ensure(connection, NOW)
    return connection


def test_the_test_collection_holds_one_known_indicator_however_often_it_is_made(db: sa.Connection) -> None:
    publication.ensure(db, NOW + timedelta(days=1))
    rows = read(db, "test")
    assert [row.object_id for row in rows] == [STIX_ID[Label.CLEAR], publication.TEST_INDICATOR["id"]]
    assert "oktt-test.example" in stix2.parse(rows[1].body.decode()).pattern


def test_publishing_again_appends_nothing(db: sa.Connection) -> None:
    shown = view(definition(Label.CLEAR), report(MALWARE), malware(), domain())
    assert publication.publish(db, "clear", shown, NOW).appended == 4
    before = read(db, versions=("all",))
    assert publication.publish(db, "clear", shown, NOW + timedelta(hours=1)).appended == 0
    assert read(db, versions=("all",)) == before


def test_the_order_of_properties_is_no_change(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(malware()), NOW)
    turned = dict(reversed(malware().items()))
    assert publication.publish(db, "clear", view(turned), NOW).appended == 0


def test_date_added_rises_within_a_transaction_and_under_a_clock_that_runs_back(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(report(MALWARE), malware(), domain()), NOW)
    publication.publish(db, "clear", view(indicator(), item="OKTT-2026-0002"), NOW - timedelta(days=1))
    added = [row.date_added for row in read(db)]
    assert added == [NOW + timedelta(microseconds=number) for number in range(4)]


def test_a_new_version_is_last_and_the_old_one_stays(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(malware()), NOW)
    newer = malware(modified="2026-03-03T00:00:00.000Z", name="Nieuw")
    publication.publish(db, "clear", view(newer, version=2), NOW)
    assert [row.version for row in read(db)] == ["2026-03-03T00:00:00.000Z"]
    assert [row.version for row in read(db, versions=("first",))] == ["2026-03-01T00:00:00.000Z"]
    assert len(read(db, versions=("all",))) == 2
    exactly = datetime(2026, 3, 1, tzinfo=UTC)
    assert [json.loads(row.body)["name"] for row in read(db, versions=(exactly,))] == ["Voorbeeld"]


def test_filters_combine(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(definition(Label.CLEAR), report(MALWARE), malware(), domain()), NOW)
    assert set(served(db, types=("malware", "report"))) == {MALWARE, REPORT}
    assert set(served(db, types=("malware", "report"), ids=(MALWARE, DOMAIN))) == {MALWARE}
    assert served(db, spec_versions=("2.0",)) == {}
    third = read(db)[2].date_added
    assert [row.object_id for row in read(db, added_after=third)] == [DOMAIN]


def test_an_object_without_times_has_the_date_it_was_added_as_version(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(domain()), NOW)
    assert read(db)[0].version == "2026-03-02T08:00:00.000000Z"


def test_two_cuts_never_share_an_id_and_references_follow(db: sa.Connection) -> None:
    publication.collection_for(db, subscriber("kvk-1"), NOW)
    whole = (report(INDICATOR, MALWARE), indicator(), malware(), link())
    publication.publish(db, "clear", view(*whole), NOW)
    cut = (report(INDICATOR, MALWARE), indicator(description="voor u"), malware(), link())
    publication.publish(db, "kvk-1", view(*cut, reader="kvk-1", label=Label.GREEN), NOW)
    own = served(db, "kvk-1")
    [renamed] = [each for each in own.values() if each["type"] == "indicator"]
    assert renamed["id"] != INDICATOR
    assert renamed["created_by_ref"] == HUB["id"]
    assert own[HUB["id"]] == HUB
    [linked] = [each for each in own.values() if each["type"] == "relationship"]
    assert (linked["source_ref"], linked["target_ref"]) == (renamed["id"], MALWARE)
    assert linked["id"] != LINK
    [told] = [each for each in own.values() if each["type"] == "report"]
    assert told["object_refs"] == [renamed["id"], MALWARE]
    assert own[MALWARE] == malware(), "what is the same everywhere keeps its id"
    assert set(served(db)) == {REPORT, INDICATOR, MALWARE, LINK}


def test_a_cut_is_stable_and_its_changes_are_new_versions_of_it(db: sa.Connection) -> None:
    publication.collection_for(db, subscriber("kvk-1"), NOW)
    publication.publish(db, "clear", view(malware()), NOW)

    def own(**changes: Any) -> View:
        return view(malware(**changes), reader="kvk-1")

    assert publication.publish(db, "kvk-1", own(name="Ander"), NOW).appended == 2, "the hub's identity and the object"
    assert publication.publish(db, "kvk-1", own(name="Ander"), NOW).appended == 0
    assert publication.publish(db, "kvk-1", own(name="Weer anders"), NOW).appended == 1
    assert publication.publish(db, "kvk-1", own(name="Weer anders"), NOW).appended == 0
    assert publication.publish(db, "kvk-1", own(name="Ander"), NOW).appended == 1, "back to what it was is a change too"
    assert publication.publish(db, "kvk-1", own(name="Ander"), NOW).appended == 0
    versions = [json.loads(row.body) for row in read(db, "kvk-1", types=("malware",), versions=("all",))]
    assert len({each["id"] for each in versions}) == 1
    assert [each["name"] for each in versions] == ["Ander", "Weer anders", "Ander"]
    assert len({each["modified"] for each in versions}) == 3
    assert served(db, "kvk-1")[versions[0]["id"]]["name"] == "Ander"


def test_other_bytes_under_one_version_are_another_object_also_in_one_collection(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(malware()), NOW)
    publication.publish(db, "clear", view(malware(name="Ander")), NOW)
    now_there = served(db)
    assert now_there[MALWARE]["revoked"] is True
    [other] = [each for each in now_there.values() if each.get("name") == "Ander"]
    assert other["id"] != MALWARE


def test_two_objects_of_one_id_in_one_bundle_are_both_kept(db: sa.Connection) -> None:
    twice = view(malware(), malware(name="Ander"), malware())
    publication.publish(db, "clear", twice, NOW)
    names = {each["name"]: each["id"] for each in served(db, types=("malware",)).values()}
    assert names.keys() == {"Voorbeeld", "Ander"}
    assert names["Voorbeeld"] == MALWARE
    assert publication.publish(db, "clear", twice, NOW).appended == 0


def test_of_two_versions_in_one_view_the_newest_is_published(db: sa.Connection) -> None:
    newer = malware(modified="2026-03-03T00:00:00.000Z", name="Nieuw")
    for order in ((malware(), newer), (newer, malware())):
        publication.publish(db, "clear", view(*order), NOW)
    assert [json.loads(row.body)["name"] for row in read(db, versions=("all",))] == ["Nieuw"]


def test_cuts_of_observables_and_statement_markings_get_ids_of_their_own(db: sa.Connection) -> None:
    publication.collection_for(db, subscriber("kvk-1"), NOW)
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "definition_type": "statement",
        "id": "marking-definition--77777777-7777-4777-8777-777777777777", "created": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    publication.publish(db, "clear", view(marking | {"definition": {"statement": "een"}}, domain()), NOW)
    other = marking | {"definition": {"statement": "twee"}}
    own = view(other, domain(object_marking_refs=[marking["id"]]), reader="kvk-1")
    publication.publish(db, "kvk-1", own, NOW)
    assert publication.publish(db, "kvk-1", own, NOW).appended == 0
    there = {each["type"]: each for each in served(db, "kvk-1").values()}
    assert there["marking-definition"]["id"] != marking["id"]
    assert there["domain-name"]["object_marking_refs"] == [there["marking-definition"]["id"]]
    assert there["domain-name"]["id"] != DOMAIN
    third = marking | {"definition": {"statement": "drie"}}
    publication.publish(db, "kvk-1", view(third, reader="kvk-1", item="OKTT-2026-0002"), NOW)
    said = {each["definition"]["statement"] for each in served(db, "kvk-1", types=("marking-definition",)).values()}
    assert said == {"twee", "drie"}


def test_the_markings_of_tlp_are_the_same_everywhere(db: sa.Connection) -> None:
    odd = definition(Label.CLEAR) | {"name": "TLP:WHITE"}
    publication.publish(db, "clear", view(odd), NOW)
    assert served(db)[STIX_ID[Label.CLEAR]] == definition(Label.CLEAR)


def test_what_a_view_no_longer_holds_is_taken_back(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(report(INDICATOR), indicator(), domain()), NOW)
    later = report(modified="2026-03-03T00:00:00.000Z")
    publication.publish(db, "clear", view(later, version=2), NOW)
    there = served(db)
    assert there.keys() == {REPORT, INDICATOR}
    assert there[INDICATOR]["revoked"] is True
    assert not db.execute(sa.select(published).where(published.c.body.contains(b"kwaad.example"))).all()


def test_withdrawal_revokes_says_nothing_and_happens_once(db: sa.Connection) -> None:
    objects = (definition(Label.CLEAR), report(INDICATOR), indicator(), malware(), link(), domain())
    publication.publish(db, "clear", view(*objects), NOW)
    assert publication.withdraw(db, "OKTT-2026-0001", NOW) == 4
    assert publication.withdraw(db, "OKTT-2026-0001", NOW) == 0
    there = served(db, versions=("all",))
    assert there.keys() == {REPORT, INDICATOR, MALWARE, LINK}
    assert all(each["revoked"] for each in there.values())
    assert there[INDICATOR]["modified"] == "2026-03-02T08:00:00.000Z"
    text = json.dumps(there)
    assert not any(said in text for said in ("kwaad.example", "Voorbeeld", "Rapport"))
    for each in there.values():
        stix2.parse(each)


def test_what_another_item_needs_stays_until_that_is_withdrawn_too(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(report(MALWARE), malware()), NOW)
    publication.publish(db, "clear", view(malware(), item="OKTT-2026-0002"), NOW)
    publication.withdraw(db, "OKTT-2026-0001", NOW)
    there = served(db)
    assert there[REPORT]["revoked"] is True
    assert there[MALWARE] == malware()
    publication.withdraw(db, "OKTT-2026-0002", NOW)
    assert served(db)[MALWARE]["revoked"] is True


def test_what_comes_back_after_withdrawal_comes_at_the_end_and_is_not_a_revoked_object(db: sa.Connection) -> None:
    shown = view(definition(Label.CLEAR), malware(), domain())
    for _ in range(2):
        publication.publish(db, "clear", shown, NOW)
        publication.withdraw(db, "OKTT-2026-0001", NOW)
    last = read(db, versions=("all",))[-1].date_added
    publication.publish(db, "clear", shown, NOW)
    fresh = [json.loads(row.body) for row in read(db, added_after=last)]
    assert [each["type"] for each in fresh] == ["identity", "marking-definition", "malware", "domain-name"]
    assert fresh[2]["id"] != MALWARE
    assert len({each["id"] for each in served(db, types=("malware",)).values() if each.get("revoked")}) == 2


def test_withdrawing_in_one_collection_leaves_the_others(db: sa.Connection) -> None:
    publication.collection_for(db, subscriber("kvk-1"), NOW)
    publication.publish(db, "clear", view(malware()), NOW)
    publication.publish(db, "kvk-1", view(malware(), reader="kvk-1"), NOW)
    assert publication.withdraw(db, "OKTT-2026-0001", NOW, alias="kvk-1") == 1
    assert served(db) == {MALWARE: malware()}
    assert served(db, "kvk-1")[MALWARE]["revoked"] is True


@pytest.mark.parametrize(
    ("alias", "reader", "label"),
    [("clear", "kvk-1", Label.CLEAR), ("clear", "public", Label.GREEN), ("kvk-1", "kvk-2", Label.CLEAR),
     ("test", "public", Label.CLEAR), ("nergens", "public", Label.CLEAR)],
)  # fmt: skip
def test_a_view_goes_only_where_it_was_composed_for(db: sa.Connection, alias: str, reader: str, label: Label) -> None:
    publication.collection_for(db, subscriber("kvk-1"), NOW)
    with pytest.raises(DispatchError):
        publication.publish(db, alias, view(malware(), reader=reader, label=label), NOW)


def test_a_collection_of_ones_own_comes_with_the_channel(db: sa.Connection) -> None:
    with_taxii = subscriber("kvk-1")
    without = Subscriber("kvk-2", 2, "Ander", "nl", Clearance(), SubscriberProfile(), (), NOW)
    assert publication.collection_for(db, without, NOW) is None
    assert publication.collection_for(db, with_taxii, NOW) == "kvk-1"
    first = publication.find(db, "kvk-1")
    assert publication.collection_for(db, with_taxii, NOW) == "kvk-1"
    assert publication.find(db, "kvk-1") == first
    assert first is not None
    assert publication.find(db, first.id) == first
    assert [each.alias for each in publication.readable(db, "kvk-1")] == ["clear", "test", "kvk-1"]
    assert [each.alias for each in publication.readable(db, "kvk-2")] == ["clear", "test"]
    with pytest.raises(DispatchError):
        publication.collection_for(db, subscriber("clear"), NOW)
    publication.publish(db, "kvk-1", view(malware(), reader="kvk-1"), NOW)
    publication.drop(db, "kvk-1")
    assert publication.find(db, "kvk-1") is None


def test_only_what_may_be_seen_now_is_served_and_pages_are_filled(db: sa.Connection) -> None:
    for number in range(20):
        shown = view(malware(), domain(id=f"domain-name--{number:08d}-6666-5666-8666-666666666666"),
                     item=f"OKTT-2026-{number:04d}", statements=frozenset({f"s{number}"}))  # fmt: skip
        publication.publish(db, "clear", shown, NOW)
    asked: list[str] = []

    def odd(links: Collection[Link]) -> list[Link]:
        asked.extend(link.item for link in links)
        assert all(link.statements == {f"s{int(link.item[-4:])}"} for link in links)
        return [link for link in links if int(link.item[-2:]) % 4 == 3]

    found = publication.find(db, "clear")
    assert found is not None
    after, seen, sizes = 0, [], []
    while True:
        page = pages.page(db, found.id, odd, limit=2, after=after, bodies=False)
        seen += [row.object_id for row in page.rows]
        sizes.append(len(page.rows))
        if not page.more:
            break
        after = page.rows[-1].seq
    assert sizes == [2, 2, 2]
    assert len(seen) == len(set(seen)) == 6
    assert MALWARE in seen, "one of the items that need it may be seen"
    asked.clear()
    pages.page(db, found.id, odd, limit=100)
    assert len(asked) == len(set(asked)), "asked once an item"


def test_retention_deletes_what_no_view_names_any_more(db: sa.Connection) -> None:
    publication.publish(db, "clear", view(malware(), domain()), NOW)
    later = NOW + timedelta(days=10)
    publication.publish(db, "clear", view(malware(), item="OKTT-2026-0002"), later)
    assert publication.purge(db, later) == 1
    assert served(db).keys() == {MALWARE}
    assert len(read(db, "test")) == 2


def test_publishing_at_once_keeps_one_order(engine: sa.Engine) -> None:
    """Readers that page by `added_after` while four writers publish miss nothing and see nothing twice."""
    with engine.begin() as connection:
        publication.ensure(connection, NOW)
        found = publication.find(connection, "clear")
    assert found is not None
    failures: list[BaseException] = []
    done = threading.Event()
    followed: list[tuple[int, datetime]] = []

    def writing(writer: int) -> None:
        for number in range(5):
            objects = [domain(id=f"domain-name--{writer:08d}-{number:04d}-5666-8666-{n:012d}") for n in range(3)]
            with engine.begin() as connection:
                shown = view(*objects, item=f"OKTT-2026-{writer}{number}")
                publication.publish(connection, "clear", shown, NOW)

    def follow() -> None:
        while True:
            finished = done.is_set()
            last = followed[-1][1] if followed else None
            with engine.execution_options(readonly=True).connect() as connection:
                filters = Filters(added_after=last)
                page = pages.page(connection, found.id, everything, limit=2, filters=filters)
            followed.extend((row.seq, row.date_added) for row in page.rows)
            if finished and not page.rows:
                return

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)

        return run

    writers = [threading.Thread(target=guarded(lambda writer=number: writing(writer))) for number in range(4)]
    reader = threading.Thread(target=guarded(follow))
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not failures
    assert [seq for seq, _ in followed] == list(range(1, 61))
    assert sorted({added for _, added in followed}) == [added for _, added in followed]


REQUIRED: dict[str, dict[str, Any]] = {
    "attack-pattern": {"name": "geheim"}, "campaign": {"name": "geheim"}, "course-of-action": {"name": "geheim"},
    "grouping": {"context": "suspicious-activity", "object_refs": [MALWARE]}, "identity": {"name": "geheim"},
    "incident": {"name": "geheim"}, "infrastructure": {"name": "geheim"}, "intrusion-set": {"name": "geheim"},
    "location": {"country": "NL"}, "malware-analysis": {"product": "geheim", "result": "malicious"},
    "note": {"content": "geheim", "object_refs": [MALWARE]},
    "observed-data": {"first_observed": "2026-03-01T00:00:00Z", "last_observed": "2026-03-01T00:00:00Z",
                      "number_observed": 1, "object_refs": [DOMAIN]},
    "opinion": {"opinion": "agree", "object_refs": [MALWARE]}, "threat-actor": {"name": "geheim"},
    "tool": {"name": "geheim"}, "vulnerability": {"name": "geheim"}, "sighting": {"sighting_of_ref": MALWARE},
    "malware": {"is_family": True, "name": "geheim"},
    "language-content": {"object_ref": MALWARE, "contents": {"nl": {"name": "geheim"}}},
}  # fmt: skip


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_notice_of_revocation_is_valid_stix_and_says_nothing(kind: str) -> None:
    whole = sdo(f"{kind}--88888888-8888-4888-8888-888888888888", labels=["geheim"], **REQUIRED[kind])
    stix2.parse(whole)
    told = notice(whole, "2026-03-03T00:00:00.000Z")
    assert stix2.parse(told).revoked is True
    assert "geheim" not in json.dumps(told)


def test_ids_that_were_published_have_one_meaning_each(db: sa.Connection) -> None:
    for number in range(3):
        publication.collection_for(db, subscriber(f"kvk-{number}"), NOW)
    for step in range(4):
        for number in range(3):
            objects = (report(MALWARE, INDICATOR), malware(name=f"Naam {step * number}"), indicator(), link())
            publication.publish(db, f"kvk-{number}", view(*objects, reader=f"kvk-{number}"), NOW)
    meanings = defaultdict(set)
    columns = published.c
    for object_id, version, body in db.execute(
        sa.select(columns.object_id, columns.version, columns.body).where(~columns.withdrawn)
    ):
        meanings[object_id, version].add(bytes(body))
    assert all(len(bodies) == 1 for bodies in meanings.values())
