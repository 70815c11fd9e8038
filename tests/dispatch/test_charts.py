"""Charts of an edition: what they count, for whom, and that the same numbers make the same bytes."""

import io
from datetime import date, timedelta
from email import message_from_bytes, policy
from itertools import pairwise

import sqlalchemy as sa
from PIL import Image

from dispatch import Delivery, digest_text, editions
from dispatch.charts import Chart, charts
from dispatch.editions import Count, Window
from dispatch.mail import Sender, build
from tests.dispatch.test_digest import RENDERER, WEEK, arrange, candidate, opened
from tests.dispatch.views import NOW, a_subscriber, a_view
from tlp import Label

MONDAY = date(2026, 3, 2)


def made(*weeks: Count, label: Label = Label.AMBER, language: str = "nl") -> tuple[Chart, ...]:
    days = [MONDAY - timedelta(days=7 * back) for back in reversed(range(len(weeks)))]
    tallies = [{"CLEAR": Count(0, 1, 0), "AMBER": each} for each in weeks]
    return charts(list(zip(days, tallies, strict=True)), label, language)


def test_a_chart_has_its_numbers_in_a_table_and_in_words() -> None:
    (found,) = made(Count(0, 3, 8), Count(), Count(2, 1, 1200))
    assert found.columns == ("Week van", "Vandaag", "Deze week", "Ter info")
    assert found.rows == (("16 feb", "0", "3", "8"), ("23 feb", "0", "0", "0"), ("2 mrt", "2", "1", "1.200"))
    assert "Op 2 mrt: 2 vandaag, 1 deze week, 1.200 ter info" in found.alt
    image = Image.open(io.BytesIO(found.picture.body))
    assert (image.format, image.size) == ("PNG", (1136, 480))
    assert len(found.picture.body) < 20_000


def test_the_same_numbers_are_the_same_bytes_and_others_are_not() -> None:
    first, again, other = (made(Count(1), Count(n))[0].picture for n in (2, 2, 3))
    assert first == again
    assert first.name != other.name
    assert first.body != other.body


def test_bars_differ_in_lightness_too() -> None:
    (found,) = made(Count(5, 5, 5), Count(5, 5, 5))
    grey = Image.open(io.BytesIO(found.picture.body)).convert("L")
    column = [grey.getpixel((292, y)) for y in range(120, 410)]
    shades = sorted({shade for shade in column if isinstance(shade, int) and column.count(shade) > 40})
    assert len(shades) == 3
    assert min(b - a for a, b in pairwise(shades)) > 50


def test_members_are_rounded_and_few_are_not_told() -> None:
    _, members = made(Count(1, members=38), Count(1, members=9), Count(1, members=12))
    assert members.rows == (("16 feb", "40"), ("23 feb", "minder dan 10"), ("2 mrt", "10"))
    assert "Op 2 mrt: 10." in members.alt
    assert len(made(Count(1, members=9), Count(1, members=9))) == 1


def test_nothing_to_compare_is_no_chart() -> None:
    assert made() == ()
    assert made(Count(1, 2, 3, 40)) == ()
    assert made(Count(), Count(), Count(1)) == ()


def test_what_is_stricter_than_the_edition_is_not_counted() -> None:
    (found,) = made(Count(1, 2, 3, 40), Count(1, 2, 3, 40), label=Label.CLEAR)
    assert [row[1:] for row in found.rows] == [("0", "1", "0")] * 2
    strict = made(Count(1, 2, 3, 40), Count(1, 2, 3, 40), label=Label.RED)
    assert len(strict) == 2, "an edition with something RED counts up to AMBER"


def test_weeks_are_of_editions_that_were_made(connection: sa.Connection) -> None:
    windows = []
    for week in range(5):
        now = NOW + timedelta(days=7 * week)
        windows.append(opened(connection, "monday", MONDAY + timedelta(days=7 * week), now))
    counts = {1: Count(1), 3: Count(3), 4: Count(4)}
    for week, count in counts.items():
        editions.remember(connection, windows[week].id, "kvk-1", {"OKTT-1": 1}, {"CLEAR": count})
    editions.remember(connection, windows[0].id, "kvk-1", {"OKTT-1": 1})
    days = [MONDAY + timedelta(days=7 * week) for week in range(5)]

    def found(window: Window, most: int = 8) -> list[tuple[date, int | None]]:
        told = editions.history(connection, "kvk-1", window, most)
        return [(day, tally["CLEAR"].today if tally else None) for day, tally in told]

    assert found(windows[3]) == [(days[1], 1), (days[2], None), (days[3], 3)]
    assert found(windows[4], 2) == [(days[3], 3), (days[4], 4)]
    assert editions.history(connection, "kvk-2", windows[4], 8) == []


def test_a_mail_holds_its_pictures() -> None:
    shown = made(Count(2, 3, 8, 38), Count(1, 5, 6, 22), Count(0, 1, 4, 14))
    arranged = arrange(WEEK, [candidate(a_view())], {})
    assert arranged is not None
    rendered = digest_text.render(RENDERER, arranged, a_subscriber(), "mature", "K7QM-3XTP-9RWZ", charts=shown)
    delivery = Delivery("d" * 32, "monday", WEEK.id, 1, "kvk-12345678", 0, "sending", NOW, NOW)
    sender = Sender("meldingen@oktt.example")
    built = build(delivery, rendered, sender=sender, recipient="a@b.example")
    assert built == build(delivery, rendered, sender=sender, recipient="a@b.example")
    mail = message_from_bytes(built, policy=policy.default)
    body = mail.get_body(("html",))
    assert body is not None
    parts = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    pictures = {part["Content-ID"].strip("<>"): part for part in parts}
    assert [pictures[each.picture.name].get_content() for each in shown] == [each.picture.body for each in shown]
    assert all(f'src="cid:{name}" alt="Staafdiagram' in body.get_content() for name in pictures)
    assert "- 2 mrt: 14" not in rendered.text, "rounded in the text too"
    assert "- 2 mrt: 15 leden" in rendered.text
