"""A document with several labels, from the door to its readers: each sees what its clearance allows, and no more."""

import json
from pathlib import Path

import pytest

from app import door
from app.door import Tally
from dispatch import View
from ingest import RawDocument
from tests.app.house import House, opened
from tests.app.test_never_wider import Said, bundle
from tlp import Label, Refusal
from triage import inbox

METAL = ("STIX:manufacturing",)


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    made = opened(tmp_path, url)
    made.subscribe("groen", clearance=Label.GREEN, sectors=METAL)
    made.subscribe("amber", clearance=Label.AMBER, sectors=METAL)
    return made


def says(house: House, wide: Label, narrow: Label) -> Tally:
    house.later(minutes=1)
    word, source = str(next(house.numbers)), house.source("market")
    body = bundle("1", "market", word, Said(wide, narrow), house.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    passed = door.guarded(house.service, RawDocument(source, body, "x.json", house.now, key=word))
    with house.service.transaction() as connection:
        return door.lay_down(
            house.service, connection, RawDocument(source, body, "x.json", house.now, key=word), passed
        )


def seen(house: House, item: str, name: str) -> str:
    view = house.view(item, name)
    assert view is not None
    return type(view).__name__ if isinstance(view, Refusal) else repr((view.title, view.objects, view.observables))


def test_each_reader_gets_the_fullest_layer_that_it_may_see(house: House) -> None:
    tally = says(house, Label.GREEN, Label.AMBER)
    (item,) = tally.items
    assert (tally.effects["new"], tally.effects.total()) == (1, 1), "a layer is no item of its own"
    with house.service.reading() as connection:
        card, keys = inbox.card(connection, item), inbox.keys(connection, item)
    assert (card["tlp"], card["labels"]) == ("GREEN", ["GREEN", "AMBER"])
    assert sorted(key.partition("/")[2] for key in keys) == ["", "1"]
    house.decide("release", item)
    assert "w0wijd" in seen(house, item, "groen")
    assert "w0eng" not in seen(house, item, "groen")
    assert "w0eng" in seen(house, item, "amber")
    view = house.view(item, "amber")
    assert isinstance(view, View)
    reports = [obj["id"] for obj in view.objects if obj["type"] == "report"]
    assert len(reports) == 1, "not the whole and its part beside one another"


def test_what_its_source_marks_stricter_is_in_no_layer_any_more(house: House) -> None:
    (item,) = says(house, Label.GREEN, Label.AMBER).items
    house.decide("release", item)
    says(house, Label.AMBER, Label.AMBER)
    with house.service.reading() as connection:
        assert inbox.card(connection, item)["labels"] == ["AMBER"]
    house.decide("release", item)
    assert seen(house, item, "groen") == "Refusal"
    assert "w1eng" in seen(house, item, "amber")
    assert "w0" not in seen(house, item, "amber")
    says(house, Label.GREEN, Label.AMBER)
    house.decide("release", item)
    assert "w2wijd" in seen(house, item, "groen")
    assert "w2eng" not in seen(house, item, "groen")


def test_of_a_misp_event_too(house: House) -> None:
    def attribute(value: str, *tags: str) -> dict[str, object]:
        own = [{"name": tag} for tag in tags]
        return {"type": "domain", "category": "Network activity", "value": value, "to_ids": True, "Tag": own}

    sector = {"name": 'misp-galaxy:sector="Manufacturing"'}
    event = {
        "uuid": "5be1e65d-8198-497b-bdf5-5ec20a016219", "info": "Zoutvat", "date": "2026-03-01", "published": True,
        "distribution": "3", "timestamp": "1772400000", "Tag": [{"name": "tlp:green"}, sector],
        "Attribute": [attribute("wijd.example"), attribute("eng.example", "tlp:amber")],
    }  # fmt: skip
    document = RawDocument(house.source("market"), json.dumps({"Event": event}).encode(), "x.json", house.now, key="m")
    passed = door.guarded(house.service, document)
    with house.service.transaction() as connection:
        (item,) = door.lay_down(house.service, connection, document, passed).items
    house.decide("release", item)
    assert "wijd.example" in seen(house, item, "groen")
    assert "eng.example" not in seen(house, item, "groen")
    assert "eng.example" in seen(house, item, "amber")
