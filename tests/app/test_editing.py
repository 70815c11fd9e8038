"""An edition's introduction: two people, no personal data, no wider than its label, in the order that they say."""

from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from app import digests, editing, workers
from dispatch import DispatchError
from tests.app.house import House, opened
from tests.triage.desk import draft
from tlp import Label
from triage import TriageError

MONDAY = date(2026, 3, 2)
TEXT = "Deze week valt één ding op.\n\nZet wat u niet\ngebruikt uit."


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = opened(tmp_path)
    made.subscribe("baker", clearance=Label.GREEN)
    made.subscribe("passer-by")
    for key in ("0001", "0002", "0003"):
        made.decide("release", made.item(draft(key, cves=(f"CVE-2026-{key}",))))
    return made


def write(house: House, text: str = TEXT, label: Label = Label.CLEAR, *first: str, by: str = "anna") -> list[str]:
    return editing.write(house.service, "monday", MONDAY, text, label, "nl", first, by)


def approve(house: House, by: str = "bert") -> None:
    found = editing.written(house.service, "monday", MONDAY)
    assert found is not None
    editing.approve(house.service, "monday", MONDAY, found.mark, by)


def edition(house: House) -> dict[str, tuple[str, str]]:
    """Subject and text of the edition that each got."""
    house.later(hours=1)
    digests.build(house.service, "monday", MONDAY)
    assert workers.dispatch(house.service)["sent"] == 2
    found = {}
    for file in (house.service.settings.dir / "outbox").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        found["baker" if "baker" in text else "passer-by"] = mail["Subject"], text
    return found


def test_what_two_people_want_stands_above_and_first(house: House) -> None:
    items = ["OKTT-2026-0001", "OKTT-2026-0002", "OKTT-2026-0003"]
    assert write(house, TEXT, Label.CLEAR, items[2]) == []
    approve(house)
    for _, text in edition(house).values():
        assert "Deze week valt één ding op." in text
        assert "Zet wat u niet gebruikt uit." in text
        assert text.index(items[2]) < text.index(items[0]) < text.index(items[1])


def test_what_one_person_wrote_stays_out(house: House) -> None:
    write(house)
    for who in ("anna", " Anna "):
        with pytest.raises(DispatchError, match="somebody else"):
            approve(house, who)
    assert all("valt één ding op" not in text for _, text in edition(house).values())


def test_changed_after_it_was_approved_it_waits_again(house: House) -> None:
    write(house)
    approve(house)
    write(house, "Iets anders.", by="bert")
    found = editing.written(house.service, "monday", MONDAY)
    assert found is not None
    assert found.approved_by is None
    write(house, "En nog iets.", by="bert")
    with pytest.raises(DispatchError, match="read it again"):
        editing.approve(house.service, "monday", MONDAY, found.mark, "anna")


def test_it_is_no_wider_than_its_label_and_labels_the_edition(house: House) -> None:
    write(house, TEXT, Label.GREEN)
    approve(house)
    found = edition(house)
    assert found["baker"][0].startswith("TLP:GREEN")
    assert "valt één ding op" in found["baker"][1]
    assert found["passer-by"][0].startswith("TLP:CLEAR")
    assert "valt één ding op" not in found["passer-by"][1]


def test_personal_data_does_not_come_in(house: House) -> None:
    with pytest.raises(DispatchError, match="email in line 3") as refused:
        write(house, "Vragen?\n\nMail jan.jansen@voorbeeld.example")
    assert "jansen" not in str(refused.value)
    assert write(house, "Vraag het de heer Jan de Vries.") == ["name in line 1"]


def test_what_was_made_is_on_its_way(house: House) -> None:
    edition(house)
    with pytest.raises(DispatchError, match="made already"):
        write(house)
    with pytest.raises(TriageError, match="there is no item"):
        editing.write(house.service, "friday", date(2026, 3, 6), TEXT, Label.CLEAR, "nl", ["OKTT-2026-9999"], "anna")
    with pytest.raises(DispatchError, match="nothing of friday"):
        editing.approve(house.service, "friday", date(2026, 3, 6), "0a1b2c3d", "bert")
