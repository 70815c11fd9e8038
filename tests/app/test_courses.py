"""Exposures over days, from receipt to what each subscriber gets: its own systems' states, of others counts."""

from collections.abc import Sequence
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import retention, subject, workers
from app.digests import build
from dispatch import Days, View
from normalize import Draft
from pii_guard.sought import Sought
from tests.app.house import House, opened
from tests.triage.test_exposures import day, scan
from tlp import Label
from triage import exposures


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    made = opened(tmp_path, url)
    made.subscribe("metaal", clearance=Label.AMBER, networks=("192.0.2.0/28",))
    made.subscribe("bakker", clearance=Label.AMBER, networks=("192.0.2.32/28",))
    return made


def ruled(house: House, *drafts: Draft) -> list[str]:
    """Receive reports of Shadowserver, and let the shipped rules decide."""
    items = [house.item(each, "shadowserver") for each in drafts]
    workers.apply_rules(house.service)
    return items


def shown(house: House, item: str, name: str) -> tuple[Days | None, dict[str, date | None], list[str]]:
    """How it stands beside other days, since when each of the reader's own is open, and which are gone."""
    view = house.view(item, name)
    assert isinstance(view, View)
    found = view.days
    if found is None:
        return None, {}, []
    since = {row.value: first for row, first in zip(view.observables, found.since, strict=True) if row.own}
    return found, since, [row.value for row in found.gone]


def mails(house: House, name: str) -> list[str]:
    """Texts of what was written for a subscriber, on one line each."""
    found = []
    for file in (house.service.settings.dir / "outbox").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        text = " ".join(body.get_content().split())
        found += [text] if name in text else []
    return found


def test_each_sees_its_own_and_counts_of_the_rest(house: House) -> None:
    items = ruled(house, scan(2, 1, 2, 33, 34), scan(3, 2, 3, 33))
    found, since, gone = shown(house, items[1], "metaal")
    assert found is not None
    assert (found.report, found.day, found.previous) == ("scan_rdp", day(3), day(2))
    assert (found.systems, found.open, found.still_open, found.closed) == (3, 1, 2, 2)
    assert (since, gone) == ({"192.0.2.2": day(2), "192.0.2.3": day(3)}, ["192.0.2.1"])
    assert shown(house, items[1], "bakker")[1:] == ({"192.0.2.33": day(2)}, ["192.0.2.34"])
    public = house.view(items[1])
    assert not isinstance(public, View) or public.days is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_whatever_comes_first(house: House, order: Sequence[int]) -> None:
    week = [scan(2, 1, 2), scan(3, 1), scan(5, 1, 3)]
    items = dict(zip(order, ruled(house, *(week[each] for each in order)), strict=True))
    assert shown(house, items[2], "metaal")[1:] == ({"192.0.2.1": day(2), "192.0.2.3": day(5)}, [])
    found, _, _ = shown(house, items[0], "metaal")
    assert found is not None
    assert (found.previous, found.until) == (None, (None, day(3)))
    assert shown(house, items[1], "metaal")[2] == ["192.0.2.2"]


def test_a_correction_counts_once_it_is_out(house: House) -> None:
    first, second = ruled(house, scan(2, 1, 2), scan(3, 1, 2))
    assert shown(house, second, "metaal")[1] == {"192.0.2.1": day(2), "192.0.2.2": day(2)}
    assert [house.item(scan(2, 1), "shadowserver")] == [first]
    assert shown(house, second, "metaal")[0] is None, "nobody has decided on it yet"
    workers.apply_rules(house.service)
    assert shown(house, second, "metaal")[1] == {"192.0.2.1": day(2), "192.0.2.2": day(3)}


def test_what_was_withdrawn_or_declined_tells_nothing(house: House) -> None:
    items = ruled(house, scan(2, 1), scan(3, 1, 2), scan(4, 1))
    house.decide("withdraw", items[1])
    found, since, gone = shown(house, items[2], "metaal")
    assert found is not None
    assert (found.previous, since, gone) == (day(2), {"192.0.2.1": day(2)}, [])
    house.decide("withdraw", items[0])
    assert shown(house, items[2], "metaal")[0] is None


def test_what_a_person_released_is_for_those_it_went_to(house: House) -> None:
    """Who came later learns nothing of it; what rules released is for whoever has the address."""
    first = house.item(scan(2, 1), "shadowserver")
    house.decide("release", first)
    (second,) = ruled(house, scan(3, 1))
    house.subscribe("later", clearance=Label.AMBER, networks=("192.0.2.0/29",))
    assert shown(house, second, "metaal")[1] == {"192.0.2.1": day(2)}
    (third,) = ruled(house, scan(4, 1))
    assert shown(house, third, "metaal")[1] == {"192.0.2.1": day(2)}
    assert shown(house, third, "later")[1] == {"192.0.2.1": day(3)}


def test_a_stricter_report_does_not_show_through(house: House) -> None:
    first, second = ruled(house, scan(2, 1, 2), scan(3, 1))
    assert shown(house, second, "metaal")[2] == ["192.0.2.2"]
    house.decide("release", first, tlp=Label.RED, to=("metaal",))
    assert shown(house, second, "metaal")[0] is None


def test_after_its_retention_nothing_is_known(house: House) -> None:
    ruled(house, scan(2, 1, 2), scan(3, 1))
    house.later(days=100)
    third = house.item(scan(4, 1), "shadowserver")
    workers.apply_rules(house.service)
    assert shown(house, third, "metaal")[1] == {"192.0.2.1": day(2)}
    house.later(days=90)
    retention.purge(house.service)
    found, since, gone = shown(house, third, "metaal")
    assert found is not None
    assert (found.previous, found.open, found.closed, since, gone) == (day(3), None, None, {"192.0.2.1": day(4)}, [])
    house.later(days=1825)
    assert retention.purge(house.service)["items"] == 3
    with house.service.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(exposures.exposures)) == 0


def test_an_erased_address_is_known_no_more(house: House) -> None:
    """Nor are the others of those two days."""
    ruled(house, scan(2, 1, 2), scan(3, 1, 2))
    (third,) = ruled(house, scan(4, 2))
    assert shown(house, third, "metaal")[1] == {"192.0.2.2": day(2)}
    assert subject.erase(house.service, Sought("ipv4", "192.0.2.1")).counts["statements"] == 2
    with house.service.reading() as connection:
        columns = exposures.exposures.c
        known = connection.execute(sa.select(columns.day, columns.known).order_by(columns.day)).all()
    assert [(when, found is None) for when, found in known] == [(day(2), True), (day(3), True), (day(4), False)]
    assert shown(house, third, "metaal")[1] == {"192.0.2.2": day(4)}


def test_the_mail_tells_it_every_week(house: House) -> None:
    """Of the days between, nobody is told who knows it already (app.intervals)."""
    for number, hosts in ((2, (1, 2, 33)), (9, (1, 33)), (10, (1, 33)), (16, (1, 33))):
        house.now = house.now.replace(day=number)
        ruled(house, scan(number, *hosts))
        workers.dispatch(house.service, now=True)
    found = mails(house, "metaal")
    assert len(found) == 3
    assert sum("nog steeds, sinds maandag 2 maart (7 dagen)" in text for text in found) == 1
    (last,) = [text for text in found if "nog steeds, sinds maandag 2 maart (14 dagen)" in text]
    assert "192.0.2.33" not in last
    (second,) = [text for text in found if "Deze stonden in het rapport van maandag 2 maart en nu niet meer." in text]
    assert "192.0.2.2, poort 3389/tcp" in second


def test_what_tells_a_readers_own_days_is_rendered_for_it_alone(house: House) -> None:
    """Neither has a row of its own in today's report, so that all but the days is the same for both."""
    known: dict[str, Any] = {"clearance": Label.AMBER, "kind": "partnership", "serves_members": True}
    house.subscribe("verband-een", members=("metaal",), networks=("192.0.2.48/28",), **known)
    house.subscribe("verband-twee", members=("bakker",), **known)
    ruled(house, scan(2, 1, 33, 50))
    workers.dispatch(house.service, now=True)
    house.now = house.now.replace(day=3)
    ruled(house, scan(3, 1, 3, 33, 35))
    workers.dispatch(house.service, now=True)
    one, two = (" ".join(mails(house, f"verband-{name}")) for name in ("een", "twee"))
    assert "192.0.2.50, poort 3389/tcp" in one
    assert "192.0.2.50" not in two
    assert "Haal extern bureaublad" in two, "it was told too"


def test_an_edition_holds_what_still_stands_open_once(house: House) -> None:
    """The baker closed the port: to him it does not stand open any more."""
    for number, hosts in ((3, (1, 33)), (5, (1, 2))):
        house.now = house.now.replace(day=number)
        ruled(house, scan(number, *hosts))
        workers.dispatch(house.service, now=True)
    house.now = house.now.replace(day=9)
    build(house.service, "monday", date(2026, 3, 9))
    workers.dispatch(house.service, now=True)
    (edition,) = [text for text in mails(house, "metaal") if "STAAT OPEN BIJ U" in text]
    assert edition.count("192.0.2.1,") == 1
    assert (
        "192.0.2.1, poort 3389/tcp, gezien 5 maart 2026 05:00, nog steeds, sinds dinsdag 3 maart (2 dagen)" in edition
    )
    (alert,) = mails(house, "bakker")
    assert "niet meer gezien" not in alert


def test_what_comes_late_says_that_it_is_over(house: House) -> None:
    ruled(house, scan(5, 1))
    ruled(house, scan(3, 1, 33))
    workers.dispatch(house.service, now=True)
    (alert,) = mails(house, "bakker")
    assert (
        "192.0.2.33, poort 3389/tcp, gezien 3 maart 2026 05:00, niet meer gezien in het rapport van donderdag 5 maart"
        in alert
    )
