"""What follows from a decision: messages, TAXII, the feed, and taking back."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import audience, workers
from app.views import Shelf
from dispatch import atom, ledger, outbox, publication, sequence
from normalize import Affected
from subscribers import Contact, Software
from tests.app.house import MAIL, TAXII, House, opened
from tests.triage.desk import draft
from tlp import Label
from triage import TriageError, inbox, releases

CVE = "CVE-2026-0001"
METAL: dict[str, Any] = {"sectors": ("SBI:25",)}


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def metal(key: str = "a", **more: Any) -> Any:
    return draft(key, **{"cves": (CVE,), "sectors": ("SBI:25",)} | more)


def deliveries(house: House) -> list[tuple[str, str, int, str]]:
    columns = outbox.deliveries.c
    query = sa.select(columns.kind, columns.subscriber, columns.version, columns.state)
    with house.service.reading() as connection:
        return sorted((row.kind, row.subscriber, row.version, row.state) for row in connection.execute(query))


def served(house: House, alias: str) -> list[dict[str, Any]]:
    """Objects that a collection serves, revocations too."""
    rows, collections = sequence.published.c, sequence.collections.c
    query = sa.select(rows.body).join(sequence.collections, collections.id == rows.collection)
    with house.service.reading() as connection:
        found = connection.scalars(query.where(collections.alias == alias, ~rows.withdrawn))
        return [json.loads(body) for body in found]


def names(house: House, alias: str) -> set[str]:
    return {each.get("name", "") for each in served(house, alias) if not each.get("revoked")}


def test_a_release_queues_for_those_it_concerns(house: House) -> None:
    house.subscribe("metaal", **METAL)
    house.subscribe("twee-wegen", MAIL, Contact("file"), **METAL)
    house.subscribe("bakker", sectors=("SBI:10",))
    item = house.item(metal())
    assert house.decide("release", item).queued == 3
    assert {each[:2] for each in deliveries(house)} == {("alert", "metaal"), ("alert", "twee-wegen")}
    house.subscribe("laatkomer", **METAL)
    assert workers.dispatch(house.service)["sent"] == 0, "the undo window"
    house.later(minutes=11)
    assert workers.dispatch(house.service) == {"sent": 3, "retry": 0, "failed": 0, "cancelled": 0}
    assert "laatkomer" not in str(deliveries(house))


def test_amber_goes_by_mail_to_those_it_concerns_and_red_does_not(house: House) -> None:
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    forti = (Affected("Fortinet", "FortiOS"),)
    house.subscribe("zelf", clearance=Label.RED, software=uses)
    amber = house.item(draft("a", cves=(CVE,), affected=forti, label=Label.AMBER), "market")
    red = house.item(draft("b", cves=("CVE-2026-0002",), affected=forti, label=Label.RED), "market")
    assert house.decide("release", amber).queued == 1
    assert house.decide("release", red).queued == 0, "nobody consented"
    assert house.decide("release", red, to=("zelf",)).queued == 1, "a stub: plain mail is open to others"


def test_the_threshold_of_a_reader_is_held_against_what_it_sees(house: House) -> None:
    """Not against what an AMBER source says: the message would say `info`, and why it came would tell the rest."""
    house.subscribe("open", **METAL, min_urgency="today")
    house.subscribe("dicht", **METAL, min_urgency="today", clearance=Label.AMBER)
    item = house.item(metal())
    house.receive(metal("b", label=Label.AMBER, exploited=True), source="market")
    assert audience.explain(house.service, item, "open").outcome == "urgency"
    assert house.decide("release", item).queued == 1
    assert deliveries(house)[0][:2] == ("alert", "dicht")
    assert house.decide("release", item, urgency="today").queued == 1, "an analyst's word holds for everybody"


def test_a_withdrawal_goes_to_exactly_those_who_got_it(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.subscribe("twee", **METAL)
    house.decide("withdraw", item)
    assert [each for each in deliveries(house) if each[3] == "queued"] == [("withdrawal", "een", 1, "queued")]
    workers.dispatch(house.service)
    with house.service.reading() as connection:
        assert [each.kind for each in ledger.sent_to(connection, "een", item)] == ["alert", "withdrawal"]
        assert ledger.sent_to(connection, "twee", item) == []


def test_withdrawn_in_the_undo_window_nobody_hears_of_it(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    house.decide("withdraw", item)
    assert deliveries(house) == [("alert", "een", 1, "cancelled")]


def test_an_update_goes_to_who_had_it_and_replaces_what_waits(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.receive(metal(cvss=9.9))
    house.decide("release", item)
    house.receive(metal(cvss=9.9, exploited=True))
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    assert deliveries(house) == [
        ("alert", "een", 1, "sent"),
        ("update", "een", 2, "cancelled"),
        ("update", "een", 3, "sent"),
    ]


def test_a_second_release_of_a_version_tells_nobody_twice(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.receive(metal("b"), source="kev")
    assert house.state(item) == "new"
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    assert deliveries(house) == [("alert", "een", 1, "sent")]


def test_what_another_source_adds_does_not_silence_what_was_released(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    house.receive(metal("b", kans="high", schade="high"), source="market")
    assert house.state(item) == "new"
    assert workers.dispatch(house.service, now=True)["sent"] == 1
    assert deliveries(house) == [("alert", "een", 1, "sent")]
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    assert ("alert", "een", 1, "sent") in deliveries(house)


@pytest.mark.parametrize("first", [Label.AMBER, Label.CLEAR])
@pytest.mark.parametrize("doubts", [(), ("unknown-marking",)])
def test_what_came_first_and_waits_does_not_silence_the_ncsc(
    house: House, doubts: tuple[str, ...], first: Label
) -> None:
    house.subscribe("een", MAIL, TAXII, clearance=Label.AMBER, **METAL)
    workers.open_collections(house.service)
    secret = metal("geheim", title="Bij een bedrijf in Brabant", label=first, doubts=doubts)
    item = house.item(secret, source="market")
    workers.apply_rules(house.service)
    assert house.state(item) == ("held" if doubts else "new")
    house.receive(metal("b", title="Kwetsbaarheid verholpen", label=Label.CLEAR), source="ncsc-nl")
    assert workers.apply_rules(house.service) == 1
    assert house.state(item) == ("held" if doubts else "new"), "the rest still waits for a person"
    assert workers.dispatch(house.service, now=True)["sent"] == 1
    sent = b"".join(path.read_bytes() for path in (house.service.settings.dir / "outbox").glob("*.eml"))
    assert b"TLP:CLEAR" in sent
    assert b"Brabant" not in sent
    assert "market" not in str(served(house, "een"))
    assert workers.apply_rules(house.service) == 0
    house.decide("release", item)
    assert house.state(item) == "released"


def test_what_the_ncsc_raises_goes_out_beside_what_waits(house: House) -> None:
    """A doubtful contribution has merged in the meantime: it waits for a person, the raise does not."""
    house.subscribe("een", MAIL, clearance=Label.AMBER, **METAL)
    clear = {"title": "Kwetsbaarheid in FortiOS", "label": Label.CLEAR}
    item = house.item(metal("b", kans="medium", **clear), source="ncsc-nl")
    assert workers.apply_rules(house.service) == 1
    workers.dispatch(house.service, now=True)
    doubtful = metal("geheim", title="Bij een bedrijf in Brabant", label=Label.AMBER, doubts=("suspect-text",))
    house.receive(doubtful, source="market")
    assert workers.apply_rules(house.service) == 0, "what is out goes on"
    house.receive(metal("b", kans="high", schade="high", **clear), source="ncsc-nl")
    assert workers.apply_rules(house.service) == 1
    assert house.state(item) == "held"
    house.later(hours=1)
    workers.dispatch(house.service, now=True)
    assert [each[::3] for each in deliveries(house)] == [("alert", "sent"), ("update", "sent")]
    sent = b"".join(path.read_bytes() for path in (house.service.settings.dir / "outbox").glob("*.eml"))
    assert b"Brabant" not in sent
    assert workers.apply_rules(house.service) == 0


def test_what_its_own_source_changed_waits_for_a_new_decision(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    house.receive(metal(kans="high", schade="high"))
    assert house.state(item) == "new"
    assert workers.dispatch(house.service, now=True)["sent"] == 0
    house.decide("release", item)
    house.later(minutes=30)
    assert workers.dispatch(house.service)["sent"] == 1


def test_a_persons_hold_stops_what_was_released_too(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    house.decide("release", item)
    house.receive(metal("b", kans="high", schade="high"), source="market")
    house.decide("hold", item, reason="eerst navragen")
    assert workers.dispatch(house.service, now=True)["sent"] == 0


def test_publication_follows_the_label(house: House) -> None:
    house.subscribe("een", TAXII, clearance=Label.GREEN, **METAL)
    workers.open_collections(house.service)
    malware = {
        "type": "malware", "spec_version": "2.1", "id": "malware--3b5c1f6a-6f0b-4a52-9d2f-5e7a8d7b1c11",
        "name": "Kwaad", "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z",
        "is_family": True,
    }  # fmt: skip
    item = house.item(metal(objects=(malware,)))
    house.decide("release", item)
    assert "Kwaad" in names(house, "clear")
    assert "Kwaad" in names(house, "een")
    house.decide("release", item, tlp=Label.GREEN)
    assert "Kwaad" not in names(house, "clear")
    assert "Kwaad" in names(house, "een")
    house.decide("withdraw", item)
    assert "Kwaad" not in names(house, "een")
    assert any(each.get("revoked") for each in served(house, "een"))


def test_who_comes_later_needs_a_rule(house: House) -> None:
    """Of what stands, a new collection gets what a rule released and the subscriber asked for."""
    for key in ("ruled", "approved"):
        house.receive(metal(key, cves=(), title=f"Over {key}", tracking=(f"NCSC-2026-000{len(key)}",)))
    with house.service.reading() as connection:
        items = {card["title"]: card["id"] for card in inbox.cards(connection)}
    house.decide("release", items["Over approved"])
    workers.apply_rules(house.service)
    assert house.state(items["Over ruled"]) == "released"
    house.subscribe("laat", TAXII, **METAL)
    house.subscribe("bakker", TAXII, sectors=("SBI:10",))
    workers.open_collections(house.service)
    links, collections = sequence.published_items.c, sequence.collections.c
    query = sa.select(collections.alias, links.item).join(sequence.published_items, collections.id == links.collection)
    with house.service.reading() as connection:
        found = {(row.alias, row.item) for row in connection.execute(query) if row.alias in ("laat", "bakker")}
    assert found == {("laat", items["Over ruled"])}


def test_the_source_withdrew_it_and_a_rule_tells_so(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    workers.apply_rules(house.service)
    workers.dispatch(house.service, now=True)
    house.receive(metal(withdrawn=True))
    workers.apply_rules(house.service)
    if house.state(item) == "new":  # nothing to alert: then a person tells so
        house.decide("release", item)
    assert house.state(item) == "withdrawn"
    workers.dispatch(house.service)
    with house.service.reading() as connection:
        assert [each.kind for each in ledger.sent_to(connection, "een", item)] == ["alert", "withdrawal"]


def test_other_templates_void_what_has_not_left_and_it_is_decided_again(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal())
    workers.apply_rules(house.service)
    with house.service.transaction() as connection:
        connection.execute(releases.releases.update().values(shown="templates of before"))
    assert workers.dispatch(house.service, now=True)["sent"] == 0
    assert workers.apply_rules(house.service) == 1
    assert house.state(item) == "released"
    house.later(minutes=30)
    assert workers.dispatch(house.service)["sent"] == 1


def test_one_broken_item_does_not_keep_the_others(house: House) -> None:
    house.subscribe("een", **METAL)
    broken, whole = house.item(metal()), house.item(metal("b", cves=("CVE-2026-0002",)))
    with house.service.transaction() as connection:
        table = inbox.statements
        connection.execute(table.update().where(table.c.item == broken).values(sealed=b"0" * 64 + b"{}"))
    assert workers.apply_rules(house.service) == 1
    assert (house.state(broken), house.state(whole)) == ("new", "released")


def test_one_broken_delivery_does_not_keep_the_others(house: House) -> None:
    """It is tried again as any other, and fails at last with a reason; nobody else waits for it."""
    house.subscribe("metaal", **METAL)
    broken, whole = house.item(metal()), house.item(metal("b", cves=("CVE-2026-0002",)))
    for item in (broken, whole):
        house.decide("release", item)
    with house.service.transaction() as connection:
        mine = inbox.statements.update().where(inbox.statements.c.item == broken)
        connection.execute(mine.values(sealed=b"0" * 64 + b"{}"))
    assert workers.dispatch(house.service, now=True) == {"sent": 1, "retry": 1, "failed": 0, "cancelled": 0}
    for _ in range(outbox.ATTEMPTS - 1):
        house.later(hours=7)
        last = workers.dispatch(house.service)
    assert last == {"sent": 0, "retry": 0, "failed": 1, "cancelled": 0}
    columns = ledger.ledger.c
    with house.service.reading() as connection:
        told = connection.execute(sa.select(columns.subject, columns.outcome, columns.reason)).all()
    assert sorted(map(tuple, told)) == [(broken, "failed", "broken-seal"), (whole, "sent", "file")]


def test_a_merged_item_does_not_keep_collections_from_opening(house: House) -> None:
    one, two = house.item(draft("a", tracking=("NCSC-2026-0001",))), house.item(draft("b", cves=(CVE,)), "kev")
    house.decide("release", one)
    house.decide("release", two)
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)), source="market")
    house.subscribe("een", TAXII, **METAL)
    workers.open_collections(house.service)
    with house.service.reading() as connection:
        assert publication.find(connection, "een") is not None


def malware(name: str, number: int) -> dict[str, Any]:
    return {
        "type": "malware", "spec_version": "2.1", "id": f"malware--3b5c1f6a-6f0b-4a52-9d2f-5e7a8d7b1c{number}",
        "name": name, "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z", "is_family": True,
    }  # fmt: skip


def two_that_are_one(house: House) -> tuple[str, str]:
    """Two items that went out, each to one subscriber, and that a third source connects; (survivor, other)."""
    house.subscribe("metaal", **METAL)
    house.subscribe("bakker", sectors=("SBI:10",))
    house.subscribe("taxi", TAXII, sectors=("SBI:25", "SBI:10"))
    workers.open_collections(house.service)
    one = house.item(metal(cves=(), tracking=("NCSC-2026-0001",), objects=(malware("Een", 11),)))
    two = house.item(draft("b", cves=(CVE,), sectors=("SBI:10",), objects=(malware("Twee", 22),)), "kev")
    for item in (one, two):
        house.decide("release", item)
    workers.dispatch(house.service, now=True)
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)), source="market")
    return one, two


def test_what_is_published_of_merged_items_stays_where_clients_found_it(house: House) -> None:
    one, two = two_that_are_one(house)
    rows = sequence.published.c
    query = sa.select(rows.collection, rows.seq, rows.object_id, rows.body).where(rows.type == "malware")
    with house.service.reading() as connection:
        before = set(map(tuple, connection.execute(query)))
        links = sequence.published_items.c
        assert two not in set(connection.scalars(sa.select(links.item)))
        (entry,) = atom.latest(connection, 10)
    assert len(before) == 4
    assert (entry.item, entry.withdrawn) == (one, False)
    house.decide("release", one)
    with house.service.reading() as connection:
        assert set(map(tuple, connection.execute(query))) == before, "nothing vanished and came back"
        assert [(each.item, each.withdrawn) for each in atom.latest(connection, 10)] == [(one, False)]
    for alias in ("clear", "taxi"):
        assert {"Een", "Twee"} <= names(house, alias)
    house.decide("withdraw", one)
    for alias in ("clear", "taxi"):
        assert not {"Een", "Twee"} & names(house, alias)


def test_who_got_a_merged_item_is_told_of_the_one_it_became(house: House) -> None:
    one, two = two_that_are_one(house)
    assert house.decide("release", one).queued == 2
    workers.dispatch(house.service, now=True)
    house.decide("withdraw", one)
    workers.dispatch(house.service)
    got = {}
    with house.service.reading() as connection:
        for who in ("metaal", "bakker"):
            sent = [entry for item in (two, one) for entry in ledger.sent_to(connection, who, item)]
            got[who] = [(entry.subject, entry.kind) for entry in sorted(sent, key=lambda each: each.at)]
    assert got["metaal"] == [(one, "alert"), (one, "update"), (one, "withdrawal")]
    assert got["bakker"] == [(two, "alert"), (one, "update"), (one, "withdrawal")]


def test_what_waits_of_a_merged_item_goes_no_more(house: House) -> None:
    house.subscribe("metaal", **METAL)
    one, two = house.item(draft("a", tracking=("NCSC-2026-0001",))), house.item(metal("b"), "kev")
    house.decide("release", one)
    house.decide("release", two)
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)), source="market")
    assert deliveries(house) == [("alert", "metaal", 1, "cancelled")]
    house.decide("release", one)
    assert ("alert", "metaal", 2, "queued") in deliveries(house)


def test_a_shelf_holds_only_what_stands(house: House) -> None:
    items = [house.item(metal(key, cves=(), tracking=(f"NCSC-2026-10{number}0",))) for number, key in enumerate("abc")]
    for each in items[:2]:
        house.decide("release", each)
    with house.service.reading() as connection:
        shelf = Shelf(house.service, size=1)
        assert set(shelf.current(connection, items)) == set(items[:2])
        again = shelf.current(connection, items[1:2])
        assert shelf.current(connection, items[1:2])[items[1]] is again[items[1]]
    house.decide("withdraw", items[1])
    with house.service.reading() as connection:
        assert set(shelf.current(connection, items)) == {items[0]}


def test_an_audience_is_told_without_sending(house: House) -> None:
    house.subscribe("een", **METAL)
    house.subscribe("twee", sectors=("SBI:10",))
    item = house.item(metal())
    found = audience.audience(house.service, item, 1)
    assert len(found.match.audience) == 1
    assert [each.subscriber for each in found.explained] == ["een"]
    assert audience.explain(house.service, item, "twee").outcome == "no-match"
    with pytest.raises(TriageError, match="no subscriber"):
        audience.explain(house.service, item, "niemand")
    assert deliveries(house) == []
    assert house.state(item) == "new"


def test_a_decision_that_fails_leaves_nothing(house: House) -> None:
    house.subscribe("een", **METAL)
    item = house.item(metal(label=Label.GREEN))
    with pytest.raises(TriageError):
        house.decide("release", item, tlp=Label.CLEAR)
    assert (house.state(item), deliveries(house)) == ("new", [])
