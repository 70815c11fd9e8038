"""Editions: their windows, what goes where, nothing empty, nothing repeated, and how they read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dispatch import DispatchError, View, digest_text, editions
from dispatch.changes import turn
from dispatch.digest import Candidate, arrange
from dispatch.editions import Window
from dispatch.render import Renderer, Service
from filtering import Reason
from normalize import Affected
from subscribers import Inventory
from tests.dispatch.test_render import NASTY, Page
from tests.dispatch.views import NOW, a_report, a_subscriber, a_view, an_exposure
from tlp import Label
from triage import advice
from triage.catalogue import Language, Register

MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 6)
WEEK = Window("monday/2026-03-02", "monday", MONDAY, NOW - timedelta(days=7), NOW)
NEWS = Window("friday/2026-03-06", "friday", FRIDAY, NOW - timedelta(days=3), NOW + timedelta(days=4))
RENDERER = Renderer(Service(public="https://oktt.example/portal/berichten/"))


def candidate(view: View, register: Register = "mkb", language: Language = "nl", **more: Any) -> Candidate:
    about = advice.About(view.kind, view.exposure, view.affected, view.title)
    found = advice.steps(about, register, language)
    return Candidate(view, found, **more)


def numbered(number: int, **changes: Any) -> View:
    return a_view(item=f"OKTT-2026-{number:04}", **changes)


def news(number: int, title: str = "Politie haalt botnet neer") -> View:
    return numbered(number, kind="news", title=title, urgency="info", affected=(), cves=(), reasons=(), summary="Kort.")


def sections(window: Window, *candidates: Candidate, told: dict[str, int] | None = None) -> dict[str, list[str]]:
    found = arrange(window, candidates, told or {})
    return {} if found is None else {name: [c.view.item for c in part] for name, part in found.sections}


def test_editions_are_of_their_weekday() -> None:
    assert editions.edition_id("monday", MONDAY) == "monday/2026-03-02"
    with pytest.raises(DispatchError, match="2026-03-03 is a Tuesday, not a Monday: the one before it is 2026-03-02"):
        editions.edition_id("monday", date(2026, 3, 3))
    with pytest.raises(DispatchError, match="not a Friday: the one before it is 2026-02-27"):
        editions.edition_id("friday", MONDAY)


def test_the_local_hour_stays_over_summer_time() -> None:
    winter, summer = (editions.due("monday", day).astimezone(UTC) for day in (date(2026, 3, 23), date(2026, 3, 30)))
    assert (winter.hour, summer.hour) == (6, 5)
    assert editions.due("friday", FRIDAY).astimezone(UTC) == datetime(2026, 3, 6, 13, tzinfo=UTC)


def opened(connection: sa.Connection, edition: editions.Edition, day: date, now: datetime) -> Window:
    window = editions.open_window(connection, edition, day, now)
    assert window is not None
    return window


def test_an_edition_begins_where_the_last_one_ended(connection: sa.Connection) -> None:
    first = opened(connection, "monday", MONDAY, NOW)
    assert (first.since, first.until) == (NOW - timedelta(days=7), NOW)
    assert editions.open_window(connection, "monday", MONDAY, NOW + timedelta(hours=9)) is None, "made already"
    opened(connection, "friday", FRIDAY, NOW + timedelta(days=4))
    late = opened(connection, "monday", date(2026, 3, 16), NOW + timedelta(days=16))
    assert (late.since, late.until) == (NOW, NOW + timedelta(days=16)), "after an outage of a week nothing is missing"
    with pytest.raises(DispatchError, match="monday/2026-03-16"):
        editions.open_window(connection, "monday", date(2026, 3, 9), NOW + timedelta(days=17))
    assert editions.open_window(connection, "monday", MONDAY, NOW + timedelta(days=17)) is None
    assert editions.find(connection, first.id) == first


def test_what_an_edition_held_is_remembered(connection: sa.Connection) -> None:
    monday = opened(connection, "monday", MONDAY, NOW)
    friday = opened(connection, "friday", FRIDAY, NOW + timedelta(days=4))
    for _ in range(2):
        editions.remember(connection, monday.id, "kvk-1", {"OKTT-1": 1, "OKTT-2": 3})
    editions.remember(connection, friday.id, "kvk-1", {"OKTT-1": 2})
    assert editions.contents(connection, monday.id, "kvk-1") == {"OKTT-1": 1, "OKTT-2": 3}
    assert editions.contents(connection, monday.id, "kvk-2") == {}
    assert editions.told(connection, "kvk-1", friday) == {"OKTT-1": 1, "OKTT-2": 3}, "but not by itself"
    following = opened(connection, "monday", date(2026, 3, 9), NOW + timedelta(days=7))
    assert editions.told(connection, "kvk-1", following) == {"OKTT-1": 2, "OKTT-2": 3}
    assert editions.purge(connection, NOW + timedelta(days=1)) == 1
    assert editions.contents(connection, monday.id, "kvk-1") == {}
    assert editions.find(connection, monday.id) == monday


def test_monday_has_what_stands_open_first() -> None:
    found = sections(
        WEEK,
        candidate(news(1)),
        candidate(numbered(2), alerted=NOW),
        candidate(numbered(3, version=2), changes=("x",)),
        candidate(an_exposure()),
        candidate(numbered(5)),
    )
    assert found == {
        "open": ["OKTT-2026-0431"],
        "new": ["OKTT-2026-0005", "OKTT-2026-0001"],
        "changed": ["OKTT-2026-0003"],
        "told": ["OKTT-2026-0002"],
    }
    assert list(found) == ["open", "new", "changed", "told"]


def test_friday_has_what_is_relevant_first_and_news_apart() -> None:
    found = sections(
        NEWS,
        candidate(news(1)),
        candidate(numbered(2)),
        candidate(numbered(3, reasons=(Reason("sector", "SBI:25", True),))),
    )
    assert found == {"relevant": ["OKTT-2026-0002"], "new": ["OKTT-2026-0003"], "news": ["OKTT-2026-0001"]}


def test_friday_repeats_nothing_from_monday_unless_it_changed() -> None:
    told = {"OKTT-2026-0001": 1, "OKTT-2026-0002": 1, "OKTT-2026-0003": 1, "OKTT-2026-0431": 1}
    found = sections(
        NEWS,
        candidate(numbered(1)),
        candidate(numbered(2, version=2), changes=("x",)),
        candidate(numbered(3), alerted=NOW),
        candidate(an_exposure()),
        told=told,
    )
    assert found == {"changed": ["OKTT-2026-0002"]}
    assert sections(WEEK, candidate(an_exposure()), told=told) == {"open": ["OKTT-2026-0431"]}, "it still is"


def test_friday_tells_apart_what_is_new_graver_and_less_grave_and_has_the_readers_own_first() -> None:
    mine = (Reason("software", "Fortinet FortiOS 7.0.12", True),)
    changed = {"version": 2, "reasons": ()}
    told = {f"OKTT-2026-{number:04}": 1 for number in (2, 3, 4, 5)}
    found = sections(
        NEWS,
        candidate(numbered(1, reasons=())),
        candidate(numbered(2, **changed), changes=("x",), turn="raised"),
        candidate(numbered(3, **changed | {"reasons": mine, "urgency": "info"}), changes=("x",), turn="raised"),
        candidate(numbered(4, **changed), changes=("x",), turn="lowered"),
        candidate(numbered(5, **changed), changes=("x",)),
        told=told,
    )
    assert found == {
        "new": ["OKTT-2026-0001"],
        "raised": ["OKTT-2026-0003", "OKTT-2026-0002"],
        "lowered": ["OKTT-2026-0004"],
        "changed": ["OKTT-2026-0005"],
    }
    monday = sections(WEEK, candidate(numbered(2, **changed), changes=("x",), turn="raised"), told=told)
    assert monday == {"changed": ["OKTT-2026-0002"]}


@pytest.mark.parametrize(
    ("before", "after", "which"),
    [
        ({"urgency": "this-week"}, {"urgency": "today"}, "raised"),
        ({"urgency": "today", "kans": "medium"}, {"urgency": "info", "kans": "high"}, "lowered"),
        ({"exploited": None}, {"exploited": True}, "raised"),
        ({"schade": "high"}, {"schade": "medium"}, "lowered"),
        ({"kans": None}, {"kans": "high"}, ""),
        ({"cvss": 8.1}, {"cvss": 8.8}, ""),
        ({"cvss": 8.8}, {"cvss": 9.1}, "raised"),
        ({"title": "Oud"}, {"title": "Nieuw"}, ""),
    ],
)
def test_what_counts_as_graver(before: dict[str, Any], after: dict[str, Any], which: str) -> None:
    assert turn(a_view(**before), a_view(**after)) == which


def acme(number: int, vendor: str = "Acme BV", **changes: Any) -> View:
    named = {"title": f"Lek {number} verholpen", "affected": (Affected(vendor, f"Rooster{number}"),), "cves": ()}
    return numbered(number, reasons=(), **named | {"urgency": "this-week"} | changes)


def test_friday_is_told_by_subject_with_the_news_about_it() -> None:
    cases = [
        candidate(acme(1)),
        candidate(acme(2, "Globex")),
        candidate(acme(3, "ACME", urgency="info")),
        candidate(acme(4, cves=("CVE-2026-0007",), affected=())),
        candidate(news(5, "Aanval op klanten van Acme, Rooster3 geraakt")),
        candidate(news(6, "Nog meer over CVE")),
        candidate(replace(news(7, "Kort bericht"), cves=("CVE-2026-0007",))),
    ]
    assert sections(NEWS, *cases) == {
        "new": [f"OKTT-2026-{n:04}" for n in (1, 2, 4, 3, 5, 7)],
        "news": ["OKTT-2026-0006"],
    }
    made = rendered(NEWS, *cases)
    assert made.subject == "TLP:CLEAR NCSC deze week: 6 nieuw, 1 nieuwsbericht (6 maart)"
    lines = [line.strip() for line in made.text.splitlines()]
    at = lines.index("TLP:CLEAR 3 berichten")
    assert lines[at + 1 : at + 4] == [
        "- Deze week: Lek 1 verholpen (OKTT-2026-0001)",
        "- Ter info: Lek 3 verholpen (OKTT-2026-0003)",
        "- Ter info: Aanval op klanten van Acme, Rooster3 geraakt",
    ]
    assert "- Nog meer over CVE (OKTT-2026-0006): Kort." in lines
    assert [tag for tag, _ in Page(made.html).tags].count("h3") == 3


def test_a_subject_with_many_items_is_capped_exactly() -> None:
    text = rendered(NEWS, *(candidate(acme(n)) for n in range(1, 13))).text
    assert text.count("- Deze week: Lek") == 8
    assert "- en nog 4" in text
    many = rendered(NEWS, *(candidate(acme(n, f"Maker{n}")) for n in range(1, 13))).text
    assert "en nog 4 andere, die u hier leest: https://oktt.example/portal/berichten/" in " ".join(many.split())
    amber = [candidate(acme(n, f"Maker{n}", label=Label.AMBER)) for n in (11, 12)]
    partly = rendered(NEWS, *(candidate(acme(n, f"Maker{n}")) for n in range(1, 11)), *amber).html
    assert "en nog 4 andere, waarvan u er 2 hier leest: <a href" in partly


def test_a_card_says_once_why() -> None:
    days = [(4, "OKTT-2026-0001"), (5, "OKTT-2026-0002")]
    seen = [a_view(item=item, reasons=(Reason("network", f"AS64500 ({n})", True),)) for n, item in days]
    text = rendered(WEEK, *map(candidate, seen)).text
    assert text.count("Een netwerk of adres van u: AS64500 (zeker)") == 1


def test_nothing_empty_is_sent() -> None:
    assert arrange(WEEK, (), {}) is None
    assert arrange(WEEK, (candidate(a_view(), alerted=NOW),), {}) is None, "all of it was told already"
    assert arrange(NEWS, (candidate(a_view()),), {"OKTT-2026-0412": 1}) is None
    assert arrange(NEWS, (candidate(a_view(withdrawn=True)),), {}) is None, (
        "who never heard of it need not hear the end"
    )


def test_the_label_is_the_strictest_and_the_contents_are_all_of_it() -> None:
    found = arrange(WEEK, [candidate(a_view()), candidate(an_exposure()), candidate(a_report(version=4))], {})
    assert found is not None
    assert found.label is Label.AMBER
    assert found.items == {"OKTT-2026-0412": 1, "OKTT-2026-0431": 1, "OKTT-2026-0433": 4}


def test_order_of_arrival_does_not_matter() -> None:
    every = [candidate(numbered(n, urgency=("today", "this-week", "info")[n % 3])) for n in range(9)]
    assert arrange(WEEK, every, {}) == arrange(WEEK, every[::-1], {})


def rendered(window: Window, *candidates: Candidate, register: Register = "mkb", language: Language = "nl") -> Any:
    found = arrange(window, candidates, {})
    assert found is not None
    return digest_text.render(RENDERER, found, a_subscriber(language=language), register, "K7QM-3XTP-9RWZ")


def test_subject_and_head() -> None:
    found = rendered(WEEK, candidate(an_exposure()), candidate(a_view()), candidate(news(1)))
    assert found.subject == "TLP:AMBER Start van de week: 1 open bij u, 2 nieuw (2 maart)"
    assert "Start van de week - maandag 2 maart" in found.text
    assert "\n1 open bij u, 2 nieuw\n" in found.text
    assert "of wij bericht “Start van de week” van 2 maart stuurden" in " ".join(found.text.split())
    assert "Van 23 februari 2026 09:00 tot 2 maart 2026 09:00" in found.text
    english = rendered(NEWS, candidate(news(1), language="en"), language="en")
    assert english.subject == "TLP:CLEAR NCSC this week: 1 news item (6 March)"
    assert "\n1 news item\n" in english.text
    assert "whether we sent message “NCSC this week” of 6 March, and" in " ".join(english.text.split())


def test_mondays_asks_to_renew_a_list_of_software_that_is_old() -> None:
    def said(window: Window, *ages: int) -> str:
        found = arrange(window, [candidate(news(1))], {})
        assert found is not None
        given = tuple(Inventory(str(age), "sbom", window.until - timedelta(days=age)) for age in ages)
        someone = msgspec.structs.replace(a_subscriber(), inventories=given)
        made = digest_text.render(RENDERER, found, someone, "mkb", "K7QM-3XTP-9RWZ", 60)
        return made.text.replace("\n", " ") + made.html

    asked = "is ouder dan 60 dagen. Stuur ons een nieuwe"
    assert said(WEEK, 61, 1).count(asked) == 2
    assert asked not in said(WEEK, 59)
    assert asked not in said(WEEK)
    assert asked not in said(NEWS, 61)


@pytest.mark.parametrize(("window", "days", "asks"), [(WEEK, 183, True), (WEEK, 180, False), (NEWS, 183, False)])
def test_mondays_asks_half_a_year_later_whether_the_profile_is_right(window: Window, days: int, asks: bool) -> None:
    found = arrange(window, [candidate(news(1))], {})
    assert found is not None
    someone = msgspec.structs.replace(a_subscriber(), confirmed_at=window.until - timedelta(days=days))
    made = digest_text.render(RENDERER, found, someone, "mkb", "K7QM-3XTP-9RWZ", 60)
    assert (made.text + made.html).count("Klopt uw profiel nog?") == 2 * asks


def test_one_action_is_one_card() -> None:
    several = [candidate(numbered(n, title=f"Lek {n}")) for n in range(3)]
    made = rendered(WEEK, *several)
    page = Page(made.html)
    assert [tag for tag, _ in page.tags].count("h3") == 1
    words = " ".join(page.words)
    assert "OKTT-2026-0000, OKTT-2026-0001, OKTT-2026-0002" in made.text
    assert "Lek 0" in words
    assert "Lek 2" in words
    generic = [candidate(numbered(n, affected=(Affected("Acme", f"Foo{n}"),))) for n in range(3)]
    assert [tag for tag, _ in Page(rendered(WEEK, *generic).html).tags].count("h3") == 3


def test_what_was_alerted_is_one_line() -> None:
    text = rendered(WEEK, candidate(news(1)), candidate(a_view(), alerted=NOW)).text
    assert "- FortiGate: zet beheer via internet uit (OKTT-2026-0412)" in text
    assert " ".join(text.split()).count("FortiGate") == 1
    assert "bericht gestuurd op 2 maart 2026 09:00" in " ".join(text.split())


@pytest.mark.parametrize(("register", "shown"), [("zzp", 5), ("mkb", 8), ("mature", 15)])
def test_caps_are_exact(register: Register, shown: int) -> None:
    several = [candidate(news(n, f"Bericht nummer {n}"), register) for n in range(20)]
    found = rendered(WEEK, *several, register=register)
    assert found.text.count("Bericht nummer") == shown
    assert f"en nog {20 - shown} andere" in found.text
    assert "20 nieuw" in found.text


def test_the_smallest_get_the_text_their_steps_speak_of() -> None:
    found = rendered(WEEK, candidate(a_view(), "zzp"), register="zzp").text
    assert "stuur de tekst hieronder door" in " ".join(found.split())
    assert "Wij kregen een melding over FortiGate." in " ".join(found.split())
    strict = rendered(WEEK, candidate(a_view(label=Label.AMBER_STRICT), "zzp"), register="zzp").text
    assert "Wij kregen een melding" not in strict


def test_a_change_shows_what_changed() -> None:
    text = rendered(WEEK, candidate(a_view(version=2), changes=("Kans: was middel, nu hoog.",))).text
    assert "- Kans: was middel, nu hoog." in text
    assert "1. " not in text


def test_editions_of_outside_text_stay_small_and_harmless() -> None:
    views = [
        replace(
            a_report(item=f"OKTT-2026-{n:04}", title=NASTY * 50, summary=NASTY * 500),
            reasons=(Reason("software", NASTY, True),),
        )
        for n in range(200)
    ]
    product = candidate(an_exposure(affected=(Affected("A", "\u202eB\0"),), exposure="sonicwall"), "mature")
    found = rendered(WEEK, product, *(candidate(view, "mature") for view in views), register="mature")
    assert max(len(found.html.encode()), len(found.text.encode())) < 90_000
    page = Page(found.html)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "a", "link"}
    assert "\x00" not in found.text + found.html
    assert "\u202e" not in found.text + found.html
