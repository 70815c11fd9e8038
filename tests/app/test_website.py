"""What a reader may see on a request: the labels, clearances and decisions of today."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from app import subject, website
from app.concerns import Concerns
from app.website import permitted
from dispatch import View, publication
from dispatch.pages import Link
from normalize import Affected
from pii_guard import journal
from pii_guard.sought import Sought
from subscribers import Incoming, Profile, Software, Subscriber, registry
from tests.app.house import TAXII, House, opened
from tests.app.test_vaulting import scan
from tests.triage.desk import draft
from tlp import Clearance, Label
from triage import inbox

CVE = "CVE-2026-0001"
USES = (Software("Fortinet", "FortiOS", "7.2.3"),)
FORTI = (Affected("Fortinet", "FortiOS"),)


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def shown(house: House, item: str, *sources: str) -> frozenset[str]:
    """Keys of the statements of these sources."""
    with house.service.reading() as connection:
        whole = inbox.load(connection, house.service.guard, item)
    return frozenset(each.key for each in (*whole.statements, *whole.facts) if each.source in sources)


KNOWN: list[Concerns] = []
"""What was asked in this test: an answer that no longer holds would show."""


def known(house: House) -> Concerns:
    if not KNOWN or KNOWN[-1].service is not house.service:
        KNOWN[:] = [Concerns(house.service)]
    return KNOWN[-1]


def may(house: House, who: str | None, item: str, keys: frozenset[str], label: Label = Label.CLEAR) -> bool:
    with house.service.reading() as connection:
        subscriber = None if who is None else registry.get(connection, who)
        assert who is None or isinstance(subscriber, Subscriber)
        asked = [Link(item, keys, label)]
        return permitted(house.service, known(house), connection, subscriber, asked, house.now) == asked


def test_everybody_sees_what_is_clear_and_released(house: House) -> None:
    house.subscribe("een", TAXII)
    item = house.item(draft("a", cves=(CVE,)))
    keys = shown(house, item, "ncsc-nl")
    assert not may(house, None, item, keys)
    house.decide("release", item)
    assert may(house, None, item, keys)
    assert may(house, "een", item, keys)
    house.decide("withdraw", item)
    assert not may(house, None, item, keys)
    assert not may(house, "een", item, keys)


def test_amber_is_for_those_it_concerns_and_may_see_it(house: House) -> None:
    house.subscribe("zelf", TAXII, clearance=Label.AMBER, software=USES)
    house.subscribe("ander", TAXII, clearance=Label.AMBER)
    house.subscribe("laag", TAXII, clearance=Label.GREEN, software=USES)
    item = house.item(draft("a", cves=(CVE,), affected=FORTI, label=Label.AMBER), "market")
    house.decide("release", item)
    keys = shown(house, item, "market")
    seen = {who: may(house, who, item, keys, Label.AMBER) for who in ("zelf", "ander", "laag", None)}
    assert seen == {"zelf": True, "ander": False, "laag": False, None: False}
    house.subscribe("zelf", TAXII, clearance=Label.CLEAR, software=USES)
    assert not may(house, "zelf", item, keys, Label.AMBER), "a clearance taken away holds at once"


def test_a_reader_that_asks_again_opens_nothing_again(house: House) -> None:
    """The register tells each opening; what is known already is not opened. Whatever it rests on asks anew."""
    house.subscribe("zelf", TAXII, clearance=Label.AMBER, networks=("198.51.100.7/32",), verified=True)
    house.subscribe("ander", TAXII, clearance=Label.AMBER, networks=("203.0.113.0/24",), verified=True)
    item = house.item(scan("198.51.100.7"), "shadowserver")
    house.decide("release", item)
    keys = shown(house, item, "shadowserver")

    def asked(who: str) -> tuple[bool, int]:
        """May it see the item; and how many openings the register tells of that."""
        before = openings(house)
        return may(house, who, item, keys, Label.AMBER), openings(house) - before

    assert [asked("zelf") for _ in range(3)] == [(True, 1), (True, 0), (True, 0)]
    assert [asked("ander") for _ in range(2)] == [(False, 1), (False, 0)]
    house.subscribe("ander", TAXII, clearance=Label.AMBER, networks=("198.51.100.0/24",), verified=True)
    assert [asked("ander") for _ in range(2)] == [(True, 1), (True, 0)]
    assert asked("zelf") == (True, 0), "others are no matter of its"
    subject.erase(house.service, Sought("ipv4", "198.51.100.7"))
    assert [asked("zelf") for _ in range(2)] == [(False, 0), (False, 0)], "gone, and nothing to open"


def test_a_clearance_ends_at_its_moment(house: House) -> None:
    until = house.now + timedelta(hours=1)
    made = Incoming("een", "een", "nl", Clearance(Label.AMBER, until), Profile(software=USES), (TAXII,))
    with house.service.transaction() as connection:
        registry.upsert(connection, [made], house.now)
    item = house.item(draft("a", cves=(CVE,), affected=FORTI, label=Label.AMBER), "market")
    house.decide("release", item)
    keys = shown(house, item, "market")
    assert may(house, "een", item, keys, Label.AMBER)
    house.later(hours=2)
    assert not may(house, "een", item, keys, Label.AMBER)


def test_who_serves_others_is_concerned_when_they_are(house: House) -> None:
    house.subscribe("cert", TAXII, clearance=Label.AMBER, kind="cert", members=("lid",))
    item = house.item(draft("a", cves=(CVE,), affected=FORTI, label=Label.AMBER), "market")
    house.decide("release", item)
    keys = shown(house, item, "market")
    assert not may(house, "cert", item, keys, Label.AMBER)
    house.subscribe("lid", software=USES, clearance=Label.AMBER)
    assert may(house, "cert", item, keys, Label.AMBER), "a member that came since"


def openings(house: House) -> int:
    with house.service.reading() as connection:
        return sum(each["what"] == "opened" for each in journal.export(connection))


def test_a_mixed_item_shows_its_clear_part_alone(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.receive(draft("b", cves=(CVE,), exploited=True, label=Label.AMBER), source="market")
    house.decide("release", item)
    assert may(house, None, item, shown(house, item, "ncsc-nl"))
    assert not may(house, None, item, shown(house, item, "ncsc-nl", "market"))


def test_a_label_that_was_raised_holds_at_once(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.decide("release", item)
    keys = shown(house, item, "ncsc-nl")
    house.receive(draft("a", cves=(CVE,), label=Label.AMBER))
    assert house.state(item) == "new"
    assert not may(house, None, item, keys), "by its source, though nobody decided yet"


def test_a_label_that_an_analyst_raised_holds_at_once(house: House) -> None:
    house.subscribe("een", TAXII, clearance=Label.GREEN)
    item = house.item(draft("a", cves=(CVE,)))
    house.decide("release", item)
    keys = shown(house, item, "ncsc-nl")
    house.decide("release", item, tlp=Label.GREEN)
    assert not may(house, None, item, keys)
    assert may(house, "een", item, keys, Label.GREEN)


def test_what_is_out_stays_while_a_newer_version_waits(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.decide("release", item)
    keys = shown(house, item, "ncsc-nl")
    house.receive(draft("a", cves=(CVE,), cvss=9.9))
    assert may(house, None, item, keys)
    house.decide("decline", item)
    assert may(house, None, item, keys)
    house.decide("withdraw", item)
    assert not may(house, None, item, keys)


def test_a_named_recipient_sees_also_the_cve_record(house: House) -> None:
    """The record is as strict as what names its CVE, and goes where that may go."""
    house.subscribe("een", TAXII, clearance=Label.RED)
    house.subscribe("twee", TAXII, clearance=Label.RED)
    item = house.item(draft("a", cves=(CVE,), label=Label.RED), "market")
    house.receive(draft(CVE, "facts", cves=(CVE,)), source="cve")
    house.decide("release", item, to=("een",))
    keys = shown(house, item, "market", "cve")
    assert len(keys) == 2
    assert may(house, "een", item, keys, Label.RED)
    assert not may(house, "twee", item, keys, Label.RED)
    assert not may(house, None, item, shown(house, item, "cve"))


def test_the_test_item_is_everybodys_and_an_unknown_one_nobodys(house: House) -> None:
    assert may(house, None, publication.TEST, frozenset())
    assert not may(house, None, "OKTT-2026-0404", frozenset({"x"}))


def feed(application: FastAPI) -> str:
    """The public feed, as the application serves it."""

    async def ask() -> str:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://oktt.example") as client:
            return (await client.get("/feed.atom")).text

    return asyncio.run(ask())


def test_the_feed_shows_what_is_released_and_clear(house: House) -> None:
    secret = house.item(draft("b", cves=("CVE-2026-0009",), label=Label.GREEN, title="Alleen voor abonnees"))
    item = house.item(draft("a", cves=(CVE,), title="Voor iedereen"))
    house.decide("release", item)
    house.decide("release", secret)
    application = website.application(house.service)
    text = feed(application)
    assert "Voor iedereen" in text
    assert "Alleen voor abonnees" not in text
    house.receive(draft("a", cves=(CVE,), label=Label.GREEN, title="Voor iedereen"))
    assert "Voor iedereen" not in feed(application)


# --- what is seen: views


def view(house: House, item: str, who: str | None = None, *, confidential: bool = False) -> View:
    found = house.view(item, who, confidential=confidential)
    assert isinstance(found, View), found
    return found


def test_nothing_of_an_amber_statement_shows_in_the_clear_view(house: House) -> None:
    house.subscribe("een", clearance=Label.CLEAR, sectors=("SBI:25",))
    item = house.item(draft("a", cves=(CVE,), title="Open", summary="Open tekst."))
    before = {}
    house.decide("release", item)
    for who in ("een", None):
        before[who] = view(house, item, who)
    house.receive(
        draft(
            "b", cves=(CVE,), label=Label.AMBER, title="Dicht", summary="Dichte tekst.", exploited=True, kans="high",
            schade="high", cvss=9.9, affected=FORTI, sectors=("SBI:25",), remedies=("Dicht.",),
            references=("https://dicht.example/",), countries=("NL",), tracking=("DICHT-2026-1",),
        ),
        source="market",
    )  # fmt: skip
    house.decide("release", item)
    for who in ("een", None):
        after = view(house, item, who)
        changed = {name for name in View.__slots__ if getattr(after, name) != getattr(before[who], name)}
        assert changed <= {"version"}, changed
        assert after.urgency == "info"


def test_an_analysts_urgency_is_everybodys(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.receive(draft("b", cves=(CVE,), label=Label.AMBER, exploited=True), source="market")
    house.decide("release", item, urgency="this-week")
    assert view(house, item).urgency == "this-week"
    house.decide("release", item, urgency="today")
    assert view(house, item).urgency == "today", "also where the analyst says what all the facts together say"


def test_no_view_of_what_may_not_leave(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    assert house.view(item) is None
    house.decide("release", item)
    assert view(house, item).item == item
    house.decide("withdraw", item)
    assert house.view(item) is None


def test_a_table_of_the_database_is_never_changed_by_asking(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.decide("release", item)
    keys = shown(house, item, "ncsc-nl")
    with house.service.reading() as connection:
        before = connection.execute(sa.select(inbox.items)).all()
    may(house, None, item, keys)
    with house.service.reading() as connection:
        assert connection.execute(sa.select(inbox.items)).all() == before
