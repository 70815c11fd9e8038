"""A message is for a contact, not for a number: whatever becomes of its subscriber's contacts, and whenever."""

import re
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from app import workers
from app.service import open_service
from normalize import Observable
from subscribers import Contact
from tests.app.house import House, opened
from tests.app.test_following import Browser
from tests.triage.desk import draft
from tlp import Label

A, B, C = (Contact("email", address=f"{name}@voorbeeld.example") for name in "abc")
FILE = Contact("file")
BASE = "https://oktt.example"


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    made = opened(tmp_path, url)
    with (tmp_path / "oktt.toml").open("a") as settings:
        settings.write(f'[web]\nbase_url = "{BASE}"\n')
    made.service = open_service(tmp_path)
    made.service.clock = lambda: made.now
    return made


def subscribe(house: House, *contacts: Contact, ago: float = 0) -> None:
    """These are its contacts; since an import that began so many minutes ago, and is committed now."""
    now, house.now = house.now, house.now - timedelta(minutes=ago)
    known: dict[str, Any] = {"networks": ("192.0.2.0/24",), "verified": True, "sectors": ("SBI:25",)}
    house.subscribe("een", *contacts, clearance=Label.AMBER, **known)
    house.now = now


def out(house: House) -> None:
    """An advisory is released."""
    item = house.item(draft("0412", cves=("CVE-2026-0412",), sectors=("SBI:25",), exploited=True))
    assert house.decide("release", item).queued > 0


def went(house: House) -> list[str]:
    """To whom each message that left is addressed."""
    folder = house.service.settings.dir / "outbox"
    return sorted(str(message_from_bytes(file.read_bytes())["To"]) for file in folder.glob("*.eml"))


@pytest.mark.parametrize("ago", [0, 20], ids=["after", "during"])
@pytest.mark.parametrize(
    ("now", "to"),
    [((FILE, A), [A]), ((B, A), [A, B]), ((B, FILE), [B]), ((FILE, C), [C])],
    ids=["moved", "in another order", "left", "replaced"],
)
def test_what_was_queued_while_an_import_ran_goes_where_it_was_meant_to_go(
    house: House, now: tuple[Contact, ...], to: list[Contact], ago: float
) -> None:
    """It is committed after the release, and counts from when it began."""
    before = (A, B) if B in now else (A,)
    subscribe(house, *before)
    house.later(hours=1)
    out(house)
    house.later(minutes=10)
    subscribe(house, *now, ago=ago)
    workers.dispatch(house.service, now=True)
    assert went(house) == [each.address for each in to]


def test_a_reminder_goes_to_who_was_told(house: House) -> None:
    """Its message went to the first of them, which is the second by now."""
    subscribe(house, A)
    out(house)
    workers.dispatch(house.service, now=True)
    house.later(hours=1)
    subscribe(house, B, A)
    house.later(days=1)
    workers.dispatch(house.service)
    assert went(house) == [A.address, A.address]


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [((A,), (B, A), 200), ((C,), (A,), 404), ((A, B), (B,), 404)],
    ids=["in another order", "elsewhere", "left"],
)
def test_a_list_is_read_where_its_message_went(
    house: House, before: tuple[Contact, ...], now: tuple[Contact, ...], status: int
) -> None:
    subscribe(house, *before)
    path = listed(house, before[0])
    house.later(hours=1)
    subscribe(house, *now)
    assert Browser(house).get(path) == status


def test_a_list_is_read_at_the_address_that_took_the_place_of_another_while_it_waited(house: House) -> None:
    subscribe(house, A)
    item = exposed(house)
    house.later(minutes=1)
    subscribe(house, C)
    house.later(minutes=1)
    assert Browser(house).get(sent(house, C, item)) == 200


def exposed(house: House) -> str:
    rows = tuple(Observable("ipv4", f"192.0.2.{number}", True) for number in range(60))
    what = draft("scan_rdp/2026-03-02", "exposure", Label.AMBER, observables=rows, exposure="scan_rdp")
    item = house.item(what, "shadowserver")
    house.decide("release", item, urgency="today")
    return item


def listed(house: House, to: Contact) -> str:
    return sent(house, to, exposed(house))


def sent(house: House, to: Contact, item: str) -> str:
    """The path of the whole list, as the message to that contact has it."""
    workers.dispatch(house.service, now=True)
    for file in (house.service.settings.dir / "outbox").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes())
        if mail["To"] == to.address:
            whole = "".join(str(part.get_payload(decode=True)) for part in mail.walk() if not part.is_multipart())
            return re.findall(rf"{BASE}(/a/[\w-]+/list\.csv)", whole)[0]
    raise AssertionError(f"nothing on {item} was sent there")
