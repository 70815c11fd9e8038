"""Open, still open, closed: the reports of one series held against one another, whatever came first."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from ingest import Source
from normalize import Draft, Facts, Observable
from tests.triage.desk import GUARD, Desk
from tlp import Label
from triage import decide, exposures
from triage.expiry import Expiry
from triage.exposures import Course

MARCH = date(2026, 3, 1)


def day(number: int) -> date:
    return MARCH + timedelta(days=number - 1)


def scan(number: int, *hosts: int, report: str = "scan_rdp", port: int = 3389, **facts: object) -> Draft:
    """The report of the n-th of March with these hosts."""
    seen = datetime(2026, 3, number, 4, tzinfo=UTC)
    rows = tuple(
        Observable("ipv4", f"192.0.2.{host}", "victim", f"report:{report}", 64500, "NL", port, "tcp", seen)
        for host in hosts
    )
    known = Facts(tracking=(report,), exposure="open-rdp", observables=rows, **facts)  # type: ignore[arg-type]
    key, label = f"{report}/{day(number)}", Label.AMBER
    return Draft("exposure", key, "Open RDP", "", "en", known, label=label, source_time=seen)


def received(desk: Desk, *drafts: Draft, regime: str = "wbdwb") -> list[str]:
    return [str(desk.receive(each, "shadowserver", public=False, regime=regime)[0].item) for each in drafts]


def held(desk: Desk, item: str, *, told: bool = False) -> Course:
    (statement,) = desk.whole(item).statements
    found = (exposures.told if told else exposures.course)(desk.connection, GUARD, statement.key)
    assert found is not None
    return found


def since(desk: Desk, item: str, *, told: bool = False) -> dict[int, date]:
    """Since when each host is open."""
    course, (statement,) = held(desk, item, told=told), desk.opened(item).statements
    rows = statement.facts.observables
    found = course.since(BitMap(course.places.values()), course.before)
    placed = zip(rows, course.placed(GUARD, statement.facts, rows), strict=True)
    return {int(row.value.rpartition(".")[2]): found[place] for row, place in placed if place is not None}


def previous(desk: Desk, item: str, *, told: bool = False) -> tuple[date, int, int | None] | None:
    """The report before, how many are still open since, and how many of it are closed."""
    before = held(desk, item, told=told).before
    return (before[0].day, len(before[0].same or ()), before[0].lost) if before else None


def test_newly_open_still_open_and_closed(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2, 3), scan(3, 2, 3, 4), scan(4, 3, 4, 5))
    assert [previous(desk, item) for item in items] == [None, (day(2), 2, 1), (day(3), 2, 1)]
    assert since(desk, items[0]) == {1: day(2), 2: day(2), 3: day(2)}
    assert since(desk, items[2]) == {3: day(2), 4: day(3), 5: day(4)}


def test_what_is_open_again_is_newly_open(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2), scan(3, 2), scan(4, 1, 2))
    assert since(desk, items[2]) == {1: day(4), 2: day(2)}


def test_a_day_without_a_report_closes_nothing(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2), scan(9, 2, 3))
    assert previous(desk, items[1]) == (day(2), 1, 1)
    assert since(desk, items[1]) == {2: day(2), 3: day(9)}


def test_later_reports_say_what_is_no_longer_seen(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2, 3), scan(3, 2, 3), scan(5, 1, 3))
    course, (statement,) = held(desk, items[0]), desk.opened(items[0]).statements
    gone = course.until(BitMap(course.places.values()), course.after)
    rows = statement.facts.observables
    hosts = {place: row.value for row, place in zip(rows, course.placed(GUARD, statement.facts, rows), strict=True)}
    assert {hosts[place]: when for place, when in gone.items()} == {"192.0.2.1": day(3), "192.0.2.2": day(5)}


def test_series_do_not_mix(desk: Desk) -> None:
    """Another report type, and another source of the same, say nothing of this one."""
    (item,) = received(desk, scan(3, 1))
    received(desk, scan(2, 1, report="scan_smb"))
    desk.receive(scan(2, 1), "elsewhere", public=False)
    assert previous(desk, item) is None


def test_the_port_counts_but_for_what_is_abused(desk: Desk) -> None:
    """A service is known by its port; an infected system calls from another one each time."""
    open_ = received(desk, scan(2, 1), scan(3, 1, port=3390))
    assert previous(desk, open_[1]) == (day(2), 0, 1)
    infected = received(
        desk,
        scan(2, 1, report="event4_sinkhole", port=40001, exploited=True),
        scan(3, 1, report="event4_sinkhole", port=50002, exploited=True),
    )
    assert previous(desk, infected[1]) == (day(2), 1, 0)


def test_a_correction_counts_from_when_it_comes(desk: Desk) -> None:
    first, second = received(desk, scan(2, 1, 2), scan(3, 1, 2))
    assert since(desk, second) == {1: day(2), 2: day(2)}
    assert received(desk, scan(2, 1)) == [first]
    assert since(desk, second) == {1: day(2), 2: day(3)}


def outcome(desk: Desk, drafts: Sequence[Draft]) -> list[object]:
    """What is said of each day, once these have come in this order."""
    items = dict(zip([each.key for each in drafts], received(desk, *drafts), strict=True))
    return [(previous(desk, item), since(desk, item)) for _, item in sorted(items.items())]


WEEK = [scan(2, 1, 2, 3), scan(3, 2, 3), scan(5, 1, 3, 4), scan(6, 3, 4)]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3], ids=str)
def test_the_order_of_arrival_decides_nothing(desk: Desk, order: Sequence[int]) -> None:
    assert outcome(desk, [WEEK[each] for each in order]) == [
        (None, {1: day(2), 2: day(2), 3: day(2)}),
        ((day(2), 2, 1), {2: day(2), 3: day(2)}),
        ((day(3), 1, 1), {1: day(5), 3: day(2), 4: day(5)}),
        ((day(5), 2, 1), {3: day(2), 4: day(5)}),
    ]


def plain(reports: Mapping[int, frozenset[int]], number: int) -> dict[int, date]:
    """Since when each host is open, host by host and day by day: the rule as one would write it down."""
    days = sorted(each for each in reports if each <= number)
    found = {}
    for host in reports[number]:
        first = number
        for each in reversed(days):
            if host not in reports[each]:
                break
            first = each
        found[host] = day(first)
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reports=st.dictionaries(st.integers(1, 28), st.frozensets(st.integers(1, 12), min_size=1), min_size=1, max_size=20),
    shuffled=st.randoms(use_true_random=False),
)
def test_any_series_is_read_as_the_plain_rule_reads_it(
    connection: sa.Connection, reports: dict[int, frozenset[int]], shuffled: object
) -> None:
    with connection.begin_nested() as undone:
        desk, order = Desk(connection), list(reports)
        shuffled.shuffle(order)  # type: ignore[attr-defined]
        items = dict(zip(order, received(desk, *(scan(n, *sorted(reports[n])) for n in order)), strict=True))
        assert {n: since(desk, items[n]) for n in order} == {n: plain(reports, n) for n in order}
        undone.rollback()


def test_what_was_withdrawn_is_not_held_against(desk: Desk) -> None:
    first, second, third = received(desk, scan(2, 1), scan(3, 7), scan(4, 1, 7))
    desk.act("release", second)
    desk.act("withdraw", second)
    assert previous(desk, third) == (day(2), 1, 0)
    assert since(desk, third) == {1: day(2), 7: day(4)}
    assert previous(desk, second) == (day(2), 0, 1), "of itself it can still be asked"
    assert previous(desk, first) is None


def test_without_a_basis_there_are_counts_alone(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2, 3), scan(3, 1, 2), regime="no-basis")
    course = held(desk, items[1])
    assert (course.systems, course.places) == (2, {})
    assert [(each.day, each.systems, each.same, each.lost) for each in course.before] == [(day(2), 3, None, None)]
    stored = desk.connection.scalars(sa.select(exposures.exposures.c.known)).all()
    assert stored == [None, None], "nothing that an address could be found by"


def test_beyond_what_is_known_nobody_can_tell(desk: Desk) -> None:
    """What came in without a basis, between two reports, is the last day of which anything is known."""
    received(desk, scan(2, 1))
    received(desk, scan(3, 1), regime="no-basis")
    (item,) = received(desk, scan(4, 1))
    assert previous(desk, item) == (day(3), 0, None)
    assert since(desk, item) == {1: day(4)}


def test_retention_takes_what_systems_are_known_by(desk: Desk) -> None:
    first, second = received(desk, scan(2, 1, 2), scan(3, 1))
    desk.later(days=181)
    sources = {"shadowserver": Source("shadowserver", "Shadowserver")}
    assert Expiry(GUARD, sources, desk.now).item(desk.connection, first)
    assert previous(desk, second) == (day(2), 0, None)
    assert held(desk, second).before[0].systems == 2
    assert desk.connection.scalars(
        sa.select(exposures.exposures.c.known).where(exposures.exposures.c.day == day(2))
    ).all() == [None]


def test_what_goes_whole_leaves_nothing(desk: Desk) -> None:
    first, second = received(desk, scan(2, 1), scan(3, 1))
    exposures.delete(desk.connection, first)
    assert previous(desk, second) is None


def test_readers_know_of_what_was_released_alone(desk: Desk) -> None:
    """Not of what waits, nor of a correction that waits; and of what a person released, its audience."""
    items = received(desk, scan(2, 1), scan(3, 1), scan(4, 1))
    (waiting,) = desk.whole(items[2]).statements
    assert exposures.told(desk.connection, GUARD, waiting.key) is None
    desk.rule(items[2])
    assert previous(desk, items[2], told=True) is None
    desk.rule(items[0])
    assert previous(desk, items[2], told=True) == (day(2), 1, 0)
    desk.act("release", items[1])
    assert [each.audience for each in held(desk, items[2], told=True).before] == [BitMap(), None]
    received(desk, scan(3, 1, 2))
    assert previous(desk, items[2], told=True) == (day(2), 1, 0)


def test_what_is_decided_on_anew_waits_too(desk: Desk) -> None:
    items = received(desk, scan(2, 1), scan(3, 1))
    for item in items:
        desk.rule(item)
    assert previous(desk, items[1], told=True) == (day(2), 1, 0)
    decide.reopen(desk.connection, items[0], desk.now)
    assert previous(desk, items[1], told=True) is None


def test_a_stricter_report_does_not_show_through(desk: Desk) -> None:
    items = received(desk, scan(2, 1), scan(3, 1))
    desk.rule(items[0])
    desk.rule(items[1])
    assert previous(desk, items[1], told=True) == (day(2), 1, 0)
    desk.act("release", items[0], tlp=Label.RED)
    assert desk.state(items[0]) == "released"
    assert previous(desk, items[1], told=True) is None
    desk.act("release", items[1], tlp=Label.RED)
    assert previous(desk, items[1], told=True) == (day(2), 1, 0)


def test_the_rows_that_are_closed(desk: Desk) -> None:
    items = received(desk, scan(2, 1, 2, 3), scan(3, 2))
    course = held(desk, items[1])
    found = exposures.lost(desk.connection, GUARD, course, course.before[0])
    assert found is not None
    statement, positions = found
    assert [statement.facts.observables[each].value for each in positions] == ["192.0.2.1", "192.0.2.3"]
    received(desk, scan(3, 1, 2, 3))
    course = held(desk, items[1])
    assert exposures.lost(desk.connection, GUARD, course, course.before[0]) is None


def test_what_is_no_list_of_a_day_is_no_series(desk: Desk) -> None:
    alone = Facts(exposure="open-rdp", observables=(Observable("ipv4", "192.0.2.1", "victim"),))
    (item,) = received(desk, Draft("exposure", "xarf_open-service/2026-03-02/1", "Open RDP", "", "en", alone))
    (statement,) = desk.whole(item).statements
    assert exposures.course(desk.connection, GUARD, statement.key) is None
