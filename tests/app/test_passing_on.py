"""What a partnership passes on: a version of its edition for any member, and an address that counts who read it."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import digests, effect, proving, website, workers
from app.service import open_service
from normalize import Observable
from tests.app.house import House, opened
from tests.triage.desk import draft
from tlp import Label

BASE = "https://oktt.example"
MONDAY = date(2026, 3, 2)
FIRMS = tuple(f"firm-{number:02d}" for number in range(12))


def partnership(folder: Path) -> House:
    """An instance whose web has an address, with a partnership of twelve firms."""
    made = opened(folder)
    (folder / "oktt.toml").write_text(f'[web]\nbase_url = "{BASE}"\n')
    made.service = open_service(folder)
    made.service.clock = lambda: made.now
    for number, name in enumerate(FIRMS):
        made.subscribe(name, sectors=("SBI:25",), networks=(f"198.51.100.{number}/32",), clearance=Label.AMBER)
    join(made)
    return made


@pytest.fixture
def house(tmp_path: Path) -> House:
    return partnership(tmp_path)


def join(house: House, clearance: Label = Label.AMBER, **profile: Any) -> None:
    known = {"kind": "partnership", "members": FIRMS, "serves_members": True, "sectors": ("SBI:25",)}
    house.subscribe("branche", clearance=clearance, **known | profile)


def release(house: House, key: str, label: Label = Label.CLEAR, **facts: Any) -> str:
    item = house.item(draft(key, label=label, cves=(f"CVE-2026-{key}",), **facts))
    house.decide("release", item)
    return item


def mails(house: House, subject: str) -> dict[str, EmailMessage]:
    """File name -> each mail of the partnership with that in its subject."""
    found = {}
    for file in sorted((house.service.settings.dir / "outbox").glob("*.eml")):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        if "omdat branche" in text(mail) and re.search(subject, mail["Subject"]):
            found[file.stem] = mail
    return found


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def edition(house: House) -> tuple[str, EmailMessage, EmailMessage | None]:
    """The partnership's of this Monday: its delivery, and the version that is attached."""
    house.later(hours=1)
    digests.build(house.service, "monday", MONDAY)
    workers.dispatch(house.service)
    ((name, mail),) = mails(house, "Start van de week").items()
    files = list(mail.iter_attachments())
    assert [each.get_content_type() for each in files] in ([], ["message/rfc822"])
    return name, mail, files[0].get_content() if files else None


def test_the_version_for_members_holds_what_any_member_may_read(house: House) -> None:
    release(house, "0001")
    release(house, "0002", Label.GREEN)
    release(house, "0003", Label.AMBER, sectors=("SBI:25",), title="Alleen voor wie het raakt")
    rows = (Observable("ipv4", "192.0.2.7", "victim", own=True),)
    release(house, "0004", sectors=("SBI:25",), observables=rows, exploited=True)
    workers.dispatch(house.service, now=True)
    name, mail, version = edition(house)
    assert version is not None
    assert version["Subject"] == "TLP:GREEN Start van de week: 3 nieuw (2 maart)"
    assert {each for each in ("0001", "0002", "0004") if f"OKTT-2026-{each}" in text(version)} == {
        "0001", "0002", "0004",
    }  # fmt: skip
    whole = version.as_string()
    for hidden in ("OKTT-2026-0003", "Alleen voor wie", "AMBER", "branche", "192.0.2.7", "gewaarschuwd", *FIRMS):
        assert hidden not in whole, hidden
    assert text(version).index("OKTT-2026-0004") < text(version).index("OKTT-2026-0001"), "the most urgent first"
    assert "U mag dit delen binnen uw sector en uw vakgenoten, maar niet openbaar maken." in text(version)
    assert "met label TLP:GREEN" in text(mail)
    assert "U mag dit delen met uw leden" in text(mail)
    link = re.search(rf"{BASE}/f/[\w-]+", text(mail))
    assert link is not None
    assert link[0] in text(version)
    assert version["To"] is None
    assert proving.prove(house.service, name).ok


def test_it_is_no_wider_than_what_the_partnership_may_see(house: House) -> None:
    join(house, Label.CLEAR)
    release(house, "0001")
    release(house, "0002", Label.GREEN)
    _, _, version = edition(house)
    assert version is not None
    assert version["Subject"].startswith("TLP:CLEAR")
    assert "0002" not in text(version)


def test_nothing_for_all_members_is_said_and_who_informs_none_gets_none(house: House) -> None:
    join(house, networks=("192.0.2.0/24",))
    rows = (Observable("ipv4", "192.0.2.7", "victim", port=3389, own=True),)
    item = house.item(draft("0003", "exposure", Label.AMBER, exposure="open-rdp", observables=rows))
    house.decide("release", item)
    _, mail, version = edition(house)
    assert version is None
    assert "staat niets dat u aan al uw leden mag doorsturen" in text(mail)
    join(house, serves_members=False)
    house.later(days=7)
    release(house, "0004")
    house.later(hours=1)
    digests.build(house.service, "monday", date(2026, 3, 9))
    workers.dispatch(house.service)
    (later,) = mails(house, "9 maart").values()
    assert not list(later.iter_attachments())
    assert "doorsturen aan uw leden" not in text(later).lower()


def test_of_a_change_members_read_what_they_may_know_of_both(house: House) -> None:
    for key in ("0001", "0002"):
        release(house, key, kans="low", schade="low")
    edition(house)
    house.later(days=6)
    house.item(draft("0001", cves=("CVE-2026-0001",), kans="medium", schade="low"))
    house.decide("release", "OKTT-2026-0001")
    house.item(draft("x", label=Label.AMBER, cves=("CVE-2026-0002",), kans="high", schade="high"), source="market")
    house.decide("release", "OKTT-2026-0002")
    house.later(days=1)
    digests.build(house.service, "monday", date(2026, 3, 9))
    workers.dispatch(house.service)
    (mail,) = mails(house, "9 maart").values()
    (version,) = mail.iter_attachments()
    assert "Kans: was laag, nu middel." in text(version.get_content())
    assert "OKTT-2026-0002" not in text(version.get_content()), "what changed is not for them"


@dataclass
class Visitors:
    """Asks the application itself, each with a browser of its own."""

    house: House
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = website.application(self.house.service)

    def send(self, path: str, form: str) -> int:
        """Send a form that no page of ours has; the answer's status."""

        async def ask() -> int:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as browser:
                return (await browser.post(path, content=form)).status_code

        return asyncio.run(ask())

    def visit(self, path: str, *, press: int = 0, method: str = "GET") -> httpx.Response:
        """Open a page, and press its button so many times."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE, follow_redirects=True) as browser:
                page = await browser.request(method, path)
                mark = re.search(r'name="mark" value="([\w-]+)"', page.text)
                for _ in range(press):
                    assert mark is not None
                    page = await browser.post(path, data={"mark": mark[1]})
                return page

        return asyncio.run(ask())

    def readers(self, by: str = "all") -> int | None:
        rows, _ = effect.effect(self.house.service, self.house.now.replace(year=2025))
        return next(each.readers for each in rows if each.by == by)


def address(mail: EmailMessage) -> str:
    (found,) = set(re.findall(rf"{BASE}(/f/[\w-]+)", text(mail)))
    return str(found)


def test_who_presses_the_button_counts_once_and_looking_counts_nothing(house: House) -> None:
    release(house, "0001", sectors=("SBI:25",), exploited=True)
    release(house, "0002", Label.AMBER, sectors=("SBI:25",), exploited=True, title="Geheim")
    release(house, "0003")
    workers.dispatch(house.service, now=True)
    edition(house)
    web = Visitors(house)
    (open_to_all,) = mails(house, r"\(OKTT-2026-0001\)").values()
    path = address(open_to_all)
    for method in ("GET", "HEAD", "GET"):
        page = web.visit(path, method=method)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
    assert "Kwetsbaarheid 0001" in page.text
    code = re.search(r"Code: ([A-Z0-9-]{14})", text(open_to_all))
    assert code is not None
    assert code[1] in page.text
    for form in ("", "mark=x", "mark=%00", "&".join(f"f{number}=1" for number in range(99))):
        assert web.send(path, form) == 400
    for _ in range(9):
        assert "dit is geteld" in web.visit(path, press=2).text
    assert web.readers() is None, "nine are too few to tell"
    web.visit(path, press=1)
    assert web.readers() == 10
    assert web.readers("urgency") == 10
    assert web.visit(path.replace("/f/", "/a/")).status_code == 404
    other = "A" if path[20] != "A" else "B"
    assert web.visit(f"{path[:20]}{other}{path[21:]}").status_code == 404
    (closed,) = mails(house, r"\(OKTT-2026-0002\)").values()
    page = web.visit(address(closed))
    assert "Vraag uw samenwerkingsverband" in page.text
    assert "Geheim" not in page.text
    (monday,) = mails(house, "Start van de week").values()
    page = web.visit(address(monday), press=1)
    assert re.search(r"stuurde u bericht “Start van de week” van \d+ maart van", page.text)
    assert set(re.findall(r"/portal/berichten/(OKTT-2026-\d+)", page.text)) == {"OKTT-2026-0001", "OKTT-2026-0003"}
    assert web.readers("edition") is None
    assert web.readers("all") == 10, "an edition is no item"
    house.decide("withdraw", "OKTT-2026-0001")
    assert "Kwetsbaarheid 0001" not in web.visit(path).text


def test_a_firm_of_its_own_passes_nothing_on(house: House) -> None:
    release(house, "0001", sectors=("SBI:25",), exploited=True)
    workers.dispatch(house.service, now=True)
    every = [file.read_text() for file in (house.service.settings.dir / "outbox").glob("*.eml")]
    assert len(every) == 13
    assert sum("/f/" in each.replace("=\n", "") for each in every) == 1
