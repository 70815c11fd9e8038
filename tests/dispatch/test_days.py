"""What a message says of a reader's own systems over days: new, still there since, no longer seen."""

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from dispatch import Days, View
from dispatch.attachments import table
from dispatch.digest import Candidate, arrange
from dispatch.digest_text import render
from dispatch.lines import open_lines, own_lines
from tests.dispatch.test_digest import MONDAY, RENDERER, WEEK, candidate
from tests.dispatch.test_render import message
from tests.dispatch.views import NOW, a_subscriber, an_exposure
from triage.catalogue import Register

FIRST, SECOND, FOURTH = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 4)


def days(since: tuple[date | None, ...], day: date = FOURTH, **changes: Any) -> Days:
    until = (None,) * len(since)
    counts = {"systems": 40000, "open": 1200, "still_open": 38800, "closed": 7}
    return Days(
        **{"report": "scan_rdp", "day": day, "previous": FIRST, "since": since, "until": until, **counts, **changes}
    )


def gone(*hosts: int) -> tuple[Any, ...]:
    first = an_exposure(1).observables[0]
    return tuple(msgspec.structs.replace(first, value=f"192.0.2.{host}") for host in hosts)


VIEW = an_exposure(3, days=days((FOURTH, FIRST, date(2026, 3, 3)), gone=gone(7)))


def test_a_row_says_since_when_it_is_there() -> None:
    new, longest, yesterday = own_lines(VIEW, "nl")
    assert new == "192.0.2.1, poort 3389/tcp, gezien 1 maart 2026 04:12"
    assert longest.endswith(", nog steeds, sinds zondag 1 maart (3 dagen)")
    assert yesterday.endswith(", nog steeds, sinds dinsdag 3 maart (1 dag)")
    assert own_lines(VIEW, "en")[1].endswith(", still, since Sunday 1 March (3 days)")


def test_a_row_that_a_later_report_has_no_more_says_that() -> None:
    view = replace(VIEW, days=replace(VIEW.days, until=(None, SECOND, None)))  # type: ignore[type-var]
    assert own_lines(view, "nl")[1].endswith(", niet meer gezien in het rapport van maandag 2 maart")


@pytest.mark.parametrize("register", ["zzp", "mkb", "mature"])
def test_the_message_tells_it(register: Register) -> None:
    found = message(VIEW, register)
    for text in (found.text, found.html):
        words = " ".join(text.split())
        assert "nog steeds, sinds zondag 1 maart (3 dagen)" in words
        assert "Deze stonden in het rapport van zondag 1 maart en nu niet meer." in words
        assert "192.0.2.7, poort 3389/tcp" in words
        assert (
            "Van de 40.000 systemen in dit rapport zijn er 1.200 nieuw; 38.800 stonden er ook op zondag 1 maart"
            in words
        )


def test_without_another_report_nothing_is_told() -> None:
    words = " ".join(message(an_exposure(3)).text.split())
    assert not [told for told in ("nog steeds", "niet meer", "systemen in dit rapport") if told in words]


def test_counts_that_nobody_can_tell_are_not_told() -> None:
    unknown = days((FOURTH, FOURTH, FOURTH), open=None, still_open=None, closed=None)
    assert "systemen in dit rapport" not in " ".join(message(an_exposure(3, days=unknown)).text.split())


def test_the_table_has_it_too() -> None:
    rows = list(csv.DictReader(io.StringIO(table(VIEW).decode())))
    assert [row["since"] for row in rows] == ["2026-03-04", "2026-03-01", "2026-03-03"]
    assert [row["since"] for row in csv.DictReader(io.StringIO(table(an_exposure(1)).decode()))] == [""]


def on(day: date, hosts: int, *since: date, **changes: Any) -> View:
    number = day.day
    return an_exposure(
        hosts, item=f"OKTT-2026-040{number}", received_at=NOW + timedelta(days=number),
        days=days(since, day, previous=None, **changes),
    )  # fmt: skip


def test_several_days_say_each_system_once() -> None:
    """Host 1 on three days; host 2 no longer on the last; whatever order they come in."""
    first = on(FIRST, 2, FIRST, FIRST, until=(None, FOURTH))
    second = on(SECOND, 2, FIRST, FIRST, until=(None, FOURTH))
    fourth = on(FOURTH, 1, FIRST, gone=gone(2))
    for views in ((first, second, fourth), (fourth, second, first)):
        one, two = open_lines(views, "nl")
        assert one.endswith("nog steeds, sinds zondag 1 maart (3 dagen)")
        assert two.startswith("192.0.2.2,")
        assert two.endswith("niet meer gezien in het rapport van woensdag 4 maart")


def test_what_is_gone_from_one_report_may_stand_in_another() -> None:
    """Two reports that ask for the same steps and name the same host and port are two."""
    one = on(SECOND, 1, SECOND, report="scan_ssl_poodle")
    other = on(FOURTH, 0, report="scan_ssl_freak", gone=gone(1))
    assert len(open_lines([one, other], "nl")) == 2


def held(*views: View) -> list[str]:
    candidates = [candidate(view) for view in views]
    found = arrange(WEEK, [Candidate(each.view, each.advice, NOW) for each in candidates], {})
    return [] if found is None else [name for name, _ in found.sections]


def test_the_monday_edition_holds_what_still_stands_open() -> None:
    assert held(on(SECOND, 1, SECOND)) == ["open"]
    assert held(on(SECOND, 1, SECOND, until=(FOURTH,))) == [], "it was told, and is no longer seen"
    arranged = arrange(WEEK, [candidate(on(SECOND, 1, SECOND)), candidate(on(FOURTH, 1, SECOND))], {})
    assert arranged is not None
    assert MONDAY == SECOND
    text = render(RENDERER, arranged, a_subscriber(), "mkb", "K7QM-3XTP-9RWZ").text
    assert text.count("192.0.2.1,") == 1
    assert "nog steeds, sinds maandag 2 maart (2 dagen)" in " ".join(text.split())
