"""Charts of an edition: how many messages each week, and at how many members something stood open.

A chart is a picture with its words: what it shows in a sentence for who cannot see it, and a table of the same numbers.
The bytes are a function of the numbers. Colours differ in lightness too, for print and for who sees few colours; the
ground is white, so that they hold where the mail is dark.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from PIL import Image, ImageDraw, ImageFont

from dispatch import wording
from dispatch.editions import Count, Tally
from dispatch.render import Picture
from dispatch.wording import number, words
from tlp import Label

WEEKS = 8
FEWEST = 10
"""Members of whom a number is told: who fewer are could be known."""
_SHADES = ("#12305c", "#d98200", "#c3cedb")
"""Gravest first, and darkest."""
_INK, _LINE = "#1b1b1b", "#8a8a8a"
_WIDTH, _HEIGHT = 1136, 480
"""Twice the size at which it is shown; on a phone, four times."""
_MARGIN, _HEAD, _FOOT, _BAR, _LETTER = 16, 108, 64, 80, 34


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and its words."""

    head: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    picture: Picture


def about(count: int) -> int:
    """To the nearest five: what one member more or less does not show."""
    return 5 * round(count / 5)


def charts(history: Sequence[tuple[date, Tally]], label: Label, language: str) -> tuple[Chart, ...]:
    """Of the weeks up to an edition, the oldest first, counting what is no stricter than its label. None where there is
    nothing to compare: less than two weeks with anything in them."""
    shown = min(label, Label.AMBER).value
    weeks = [(wording.short(day, language), tally.get(shown, Count())) for day, tally in history]
    made = (_messages(weeks, language), _members(weeks, language))
    return tuple(each for each in made if each is not None)


def _messages(weeks: Sequence[tuple[str, Count]], language: str) -> Chart | None:
    w = words(language)
    c, names = w["chart"], [w["level"][each].capitalize() for each in ("today", "this-week", "info")]
    parts = [(count.today, count.this_week, count.info) for _, count in weeks]
    if sum(any(each) for each in parts) < 2:
        return None
    rows = tuple((week, *(number(n, language) for n in part)) for (week, _), part in zip(weeks, parts, strict=True))
    said = ", ".join(f"{n} {name.lower()}" for n, name in zip(rows[-1][1:], names, strict=True))
    alt = c["messages_alt"].format(first=weeks[0][0], last=weeks[-1][0], said=said)
    totals, named = [str(sum(part)) for part in parts], [*zip(names, _SHADES, strict=True)]
    drawn = _draw([week for week, _ in weeks], parts, totals, named)
    return Chart(c["messages"], alt, (c["week"], *names), rows, "", drawn)


def _members(weeks: Sequence[tuple[str, Count]], language: str) -> Chart | None:
    c, few = words(language)["chart"], words(language)["digest"]["few"]
    counts = [count.members or 0 for _, count in weeks]
    told = [about(each) if each >= FEWEST else 0 for each in counts]
    if sum(map(bool, told)) < 2:
        return None
    texts = [number(each, language) if each else few for each in told]
    alt = c["members_alt"].format(first=weeks[0][0], last=weeks[-1][0], said=texts[-1])
    drawn = _draw(
        [week for week, _ in weeks], [(each,) for each in told], [str(each) if each else "<10" for each in told],
        [(c["members_axis"], _SHADES[0])],
    )  # fmt: skip
    rows = tuple((week, text) for (week, _), text in zip(weeks, texts, strict=True))
    return Chart(c["members"], alt, (c["week"], c["members_axis"]), rows, c["members_note"], drawn)


def _draw(
    weeks: Sequence[str], parts: Sequence[Sequence[int]], totals: Sequence[str], names: Sequence[tuple[str, str]]
) -> Picture:
    """Bars, the parts of each upon each other with the gravest at the foot, its total above and its week below."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "#ffffff")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(_LETTER)
    x = _MARGIN
    for name, shade in names:
        pen.rectangle((x, 12, x + 30, 42), fill=shade, outline=_LINE)
        pen.text((x + 44, 27), name, fill=_INK, font=font, anchor="lm")
        x += 44 + int(pen.textlength(name, font=font)) + 44
    ground, step = _HEIGHT - _FOOT, (_WIDTH - 2 * _MARGIN) / len(weeks)
    room, most = ground - _HEAD, max(map(sum, parts))
    for at, (week, part, total) in enumerate(zip(weeks, parts, totals, strict=True)):
        middle, foot = int(_MARGIN + (at + 0.5) * step), ground
        for value, (_, shade) in zip(part, names, strict=True):
            top = foot - round(value * room / most)
            if top < foot:
                pen.rectangle((middle - _BAR // 2, top, middle + _BAR // 2, foot), fill=shade, outline="#ffffff")
            foot = top
        pen.text((middle, foot - 8), total, fill=_INK, font=font, anchor="mb")
        pen.text((middle, ground + 14), week, fill=_INK, font=font, anchor="mt")
    pen.line((_MARGIN, ground, _WIDTH - _MARGIN, ground), fill=_LINE, width=2)
    out = io.BytesIO()
    image.quantize(32).save(out, "PNG", optimize=True)
    body = out.getvalue()
    return Picture(f"{hashlib.sha256(body).hexdigest()[:24]}@oktt", body)
