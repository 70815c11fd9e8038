"""Editions go at their local hour, once, and nothing is lost or told twice: over a change of the clock, after days in
which the service was down, and however often somebody makes them."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from itertools import count, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app import digests, workers
from dispatch import editions
from normalize import Affected
from subscribers import Software
from tests.app.house import opened
from tests.triage.desk import draft

HERE = ZoneInfo("Europe/Amsterdam")
STEP = timedelta(minutes=30)


class Week:
    """A service that runs for a while, with one reader; and what became of it."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.house = opened(folder)
        self.house.now = start.astimezone(UTC)
        self.house.subscribe("bakker")
        self.keys = count(1)

    def news(self) -> str:
        """Something is released now, of which an edition has to tell."""
        key = f"{next(self.keys):04}"
        item = self.house.item(draft(key, cves=(f"CVE-2026-{key}",)))
        self.house.decide("release", item)
        return item

    def runs(self, until: datetime) -> None:
        """It looks every half an hour whether an edition is due, as two workers do."""
        while self.house.now <= until:
            for _ in range(2):
                digests.build_due(self.house.service)
            self.house.now += STEP

    def down(self, until: datetime) -> None:
        self.house.now = until.astimezone(UTC)

    def made(self) -> list[tuple[str, datetime]]:
        """Editions in order of making, each with when, local time."""
        return [(row.id, row.until.astimezone(HERE)) for row in self._rows()]

    def _rows(self) -> list[sa.Row[tuple[str, str, datetime, datetime]]]:
        with self.house.service.reading() as connection:
            return list(connection.execute(sa.select(editions.editions).order_by(editions.editions.c.until)).all())

    def held(self) -> dict[str, set[str]]:
        """Edition -> items that the reader's holds."""
        with self.house.service.reading() as connection:
            return {row.id: set(editions.contents(connection, row.id, "bakker")) for row in self._rows()}

    def gaps(self) -> list[str]:
        """Editions that do not begin where the one of that name before ended."""
        rows = sorted(self._rows(), key=lambda row: row.id)
        return [b.id for a, b in pairwise(rows) if a.edition == b.edition and a.until != b.since]

    def mails(self) -> list[tuple[str, str]]:
        """Subject and text of what the reader gets when mail goes out."""
        workers.dispatch(self.house.service)
        found = []
        for file in (self.house.service.settings.dir / "outbox").glob("*.eml"):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            assert body is not None
            found.append((str(mail["Subject"]), " ".join(body.get_content().split())))
        return found


def local(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=HERE)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("monday", "hours"),
    [(date(2025, 10, 20), (5, 12, 6, 13)), (date(2026, 3, 23), (6, 13, 5, 12))],
    ids=["winter time, 26 October 2025", "summer time, 29 March 2026"],
)
def test_over_a_change_of_the_clock(tmp_path: Path, monday: date, hours: tuple[int, ...]) -> None:
    week = Week(tmp_path, datetime.combine(monday, datetime.min.time(), HERE) - timedelta(days=1))
    items = []
    for _ in range(13):
        items.append(week.news())
        week.runs(week.house.now + timedelta(hours=23, minutes=30))
    days = [monday + timedelta(days=more) for more in (0, 4, 7, 11)]
    made = week.made()
    assert [name for name, _ in made] == [
        f"{name}/{day}" for name, day in zip(("monday", "friday") * 2, days, strict=True)
    ]
    assert [f"{at:%H:%M}" for _, at in made] == ["07:30", "14:00"] * 2
    assert [at.astimezone(UTC).hour for _, at in made] == list(hours)
    assert week.gaps() == []
    held = week.held()
    told = [item for each in held.values() for item in each]
    assert sorted(told) == sorted(set(told)), "nothing is told twice"
    assert set(items[:12]) <= set(told), "and nothing is lost"
    for name, day in [(name.partition("/")[0], each) for (name, _), each in zip(made, days, strict=True)]:
        again = digests.build(week.house.service, "monday" if name == "monday" else "friday", day)
        assert again["queued"] == 0
    assert week.held() == held
    assert len(week.mails()) == len([each for each in held.values() if each])


def test_a_monday_that_was_missed_goes_on_thursday_at_its_hour_and_says_so(tmp_path: Path) -> None:
    week = Week(tmp_path, local(2025, 10, 20, 7))
    week.news()
    week.runs(local(2025, 10, 24, 16))
    before = week.news()
    week.runs(local(2025, 10, 25, 12))
    week.down(local(2025, 10, 29, 10, 40))
    week.runs(local(2025, 10, 29, 16))
    assert [name for name, _ in week.made()][2:] == [], "feeds are read first, and people decide"
    during = week.news()
    week.runs(local(2025, 10, 30, 12))
    week.house.now += timedelta(hours=1)
    after = week.news()
    week.runs(local(2025, 11, 3, 9))
    monday, at = week.made()[2]
    assert (monday, at) == ("monday/2025-10-27", local(2025, 10, 30, 7, 40))
    assert [name for name, _ in week.made()[3:]] == ["friday/2025-10-31", "monday/2025-11-03"]
    held = week.held()
    assert (held[monday], held["friday/2025-10-31"]) == ({before, during}, {after})
    assert week.gaps() == []
    late = [text for _, text in week.mails() if "komt later dan u gewend bent" in text]
    assert len(late) == 1
    assert "maandag 27 oktober" in late[0]


def test_what_comes_back_after_the_friday_leaves_the_monday_to_it(tmp_path: Path) -> None:
    week = Week(tmp_path, local(2025, 10, 20, 7))
    week.runs(local(2025, 10, 24, 16))
    before = week.news()
    week.runs(local(2025, 10, 26, 12))
    week.down(local(2025, 10, 31, 15))
    week.runs(local(2025, 11, 4, 12))
    assert [name for name, _ in week.made()][2:] == ["friday/2025-10-31", "monday/2025-11-03"]
    assert week.held()["friday/2025-10-31"] == {before}
    assert week.gaps() == []


def test_a_new_instance_has_missed_nothing(tmp_path: Path) -> None:
    week = Week(tmp_path, local(2025, 10, 29, 6))
    week.news()
    week.runs(local(2025, 10, 31, 13))
    assert week.made() == []
    week.runs(local(2025, 10, 31, 15))
    assert [name for name, _ in week.made()] == ["friday/2025-10-31"]


def test_mail_that_stood_still_for_days_brings_each_edition_whole(tmp_path: Path) -> None:
    week = Week(tmp_path, local(2025, 10, 20, 7))
    first = week.news()
    week.runs(local(2025, 10, 22, 12))
    second = week.news()
    week.runs(local(2025, 10, 24, 18))
    told = dict(week.mails())
    monday = next(text for subject, text in told.items() if "Start van de week" in subject)
    friday = next(text for subject, text in told.items() if "NCSC deze week" in subject)
    assert (first in monday, second in monday) == (True, False)
    assert (first in friday, second in friday) == (False, True)


def test_what_is_below_ones_threshold_for_alerts_is_relevant_in_the_edition(tmp_path: Path) -> None:
    week = Week(tmp_path, local(2025, 10, 31, 9))
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    week.house.subscribe("slager", software=uses, min_urgency="this-week")
    affected = (Affected("Fortinet", "FortiOS", "vers:semver/<7.2.5"),)
    item = week.house.item(draft("0001", affected=affected, cves=("CVE-2026-0001",)))
    week.house.decide("release", item)
    assert workers.dispatch(week.house.service, now=True)["sent"] == 0, "no alert"
    week.runs(local(2025, 10, 31, 15))
    (mine,) = [text for _, text in week.mails() if "omdat slager" in text]
    assert "VOOR U VAN BELANG" in mine
    assert item in mine
