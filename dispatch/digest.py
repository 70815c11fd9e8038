"""The Monday and Friday editions: what they cover, what they hold for one subscriber, and how they read.

An edition covers everything since that edition was last made, holds nothing that is forgotten and repeats nothing:
what the subscriber was told already is one line, or on Friday nothing, unless it changed. An empty edition is not
sent. The label of an edition is the strictest of its views.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from dispatch import View, wording
from dispatch.body import BANDS, why
from dispatch.editions import Edition, Window
from dispatch.editorials import Editorial
from dispatch.lines import open_lines
from dispatch.render import Rendered, Renderer, clean
from dispatch.wording import capped, harmless, moment, number, plain, words
from subscribers import FRESH_DAYS, Subscriber
from tlp import Label, strictest
from triage.advice import Advice
from triage.catalogue import Register

SectionName = Literal["open", "relevant", "new", "changed", "news", "told"]
_ORDER: dict[Edition, tuple[SectionName, ...]] = {
    "monday": ("open", "new", "changed", "told"),
    "friday": ("relevant", "new", "changed", "news", "told"),
}
_CAPS: dict[Register, int] = {"zzp": 5, "mkb": 8, "mature": 15}
FEWEST = 10
"""Members of whom a number is told: who fewer are could be known."""
_URGENCIES = ("today", "this-week", "info")
CONFIRMED = timedelta(days=182)
"""After so long a subscriber is asked again whether its profile is right."""


class Members(NamedTuple):
    """How many of those whom a reader stands for were alerted, and say that they have handled it."""

    alerted: int
    handled: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item as the subscriber may see it, for an edition."""

    view: View
    advice: Advice
    alerted: datetime | None = None
    """When this subscriber was sent this very version by itself."""
    changes: tuple[str, ...] = ()
    """Against the version it was told of before (dispatch.changes)."""
    concerned: bool = False
    """By a criterion of its own."""
    members: Members | None = None
    """Of a reader who stands for others, where any of them was alerted."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """One subscriber's edition: sections in order, none empty."""

    window: Window
    sections: tuple[tuple[SectionName, tuple[Candidate, ...]], ...]
    label: Label
    editorial: Editorial | None = None
    """What analysts wrote for it, that this reader may see."""

    @property
    def items(self) -> dict[str, int]:
        """Item -> version, of everything in it."""
        return {each.view.item: each.view.version for _, part in self.sections for each in part}


def arrange(
    window: Window, candidates: Sequence[Candidate], told: Mapping[str, int], editorial: Editorial | None = None
) -> Arranged | None:
    """Sort what a subscriber may see into its edition, first what analysts put first. None: nothing to send.

    `told`: item -> version that earlier editions held. Of those only what changed returns. What was sent by itself
    is one line, and does not make an edition by itself.
    """
    found: dict[SectionName, list[Candidate]] = {}
    first = () if editorial is None else editorial.first
    for each in sorted(candidates, key=lambda each: (_placed(each, first), _rank(each))):
        section = _section(window.edition, each, told)
        if section is not None:
            found.setdefault(section, []).append(each)
    if not found.keys() - {"told"}:
        return None
    sections = tuple((name, tuple(found[name])) for name in _ORDER[window.edition] if name in found)
    said = editorial if editorial is not None and editorial.paragraphs else None
    labels = [each.view.label for _, part in sections for each in part] + ([said.label] if said else [])
    return Arranged(window, sections, strictest(labels), said)


def _placed(each: Candidate, first: Sequence[str]) -> int:
    return first.index(each.view.item) if each.view.item in first else len(first)


def _section(edition: Edition, each: Candidate, told: Mapping[str, int]) -> SectionName | None:
    view, known = each.view, told.get(each.view.item)
    if view.withdrawn and known is None and each.alerted is None:
        return None
    if edition == "monday" and view.kind == "exposure" and _open(view):
        return "open"  # also when it was told before: it still stands open
    if each.alerted is not None:
        return None if known == view.version else "told"
    if known is not None:
        return "changed" if view.version > known else None
    if each.changes:
        return "changed"
    if edition == "monday":
        return "new"
    if any(reason.criterion in ("network", "domain", "software") for reason in view.reasons):
        return "relevant"
    return "news" if view.kind == "news" else "new"


def _open(view: View) -> bool:
    """Has it a row of the reader's own that later reports still have?"""
    until = view.days.until if view.days else (None,) * len(view.observables)
    return any(row.own and gone is None for row, gone in zip(view.observables, until, strict=True))


def _rank(each: Candidate) -> tuple[Any, ...]:
    """Most urgent first, then what is of one action together, then the oldest."""
    view = each.view
    return _URGENCIES.index(view.urgency), each.advice.block, view.received_at, view.item


def render(
    renderer: Renderer,
    arranged: Arranged,
    subscriber: Subscriber,
    register: Register,
    code: str,
    software_days: int = FRESH_DAYS,
) -> Rendered:
    """Subject, text and HTML of one subscriber's edition; Monday's asks for a new list of software where its is old."""
    language, w = subscriber.language, words(subscriber.language)
    d, window = w["digest"], arranged.window
    sections = [_shown(name, part, register, language) for name, part in arranged.sections]
    count = sum(len(part) for _, part in arranged.sections)
    content = renderer.frame(arranged.label, subscriber, subject(arranged, language), window.id, code)
    content |= {
        "name": d[window.edition],
        "date": wording.day(window.day, language),
        "counts": d["count_one"] if count == 1 else d["count"].format(count=count),
        "intro": d[f"{window.edition}_intro"],
        "editorial": [plain(line, 1200) for line in arranged.editorial.paragraphs] if arranged.editorial else [],
        "editorial_lang": arranged.editorial.language if arranged.editorial else "",
        "period": d["period"].format(since=moment(window.since, language), until=moment(window.until, language)),
        "sections": sections,
        "members": _members(arranged, language),
        "renew": d["renew"].format(days=software_days) if _outdated(window, subscriber, software_days) else "",
        "still_right": _still_right(window, subscriber, renderer.service.site, d["still_right"]),
    }
    content["reading"] = d["reading"].format(count=_minutes(sections))
    return renderer.fill("digest", content)


def _members(arranged: Arranged, language: str) -> list[tuple[str, str, str]]:
    """What it is about, how many members were alerted, how many have handled it; most first."""
    d = words(language)["digest"]
    held = [each for _, part in arranged.sections for each in part if each.members]
    rows = []
    for each in sorted(held, key=lambda each: (-each.members.alerted if each.members else 0, each.view.item))[:FEWEST]:
        assert each.members is not None
        few = each.members.alerted < FEWEST
        alerted = d["few"] if few else _about(each.members.alerted, language)
        name = plain(harmless(each.advice.headline, each.view.observables), 90)
        rows.append((f"{name} ({each.view.item})", alerted, "" if few else _about(each.members.handled, language)))
    return rows


def _about(count: int, language: str) -> str:
    """To the nearest five: what one member more or less answers does not show."""
    return words(language)["digest"]["about"].format(count=number(5 * round(count / 5), language))


def _outdated(window: Window, subscriber: Subscriber, days: int) -> bool:
    return window.edition == "monday" and any(each.stale(window.until, days) for each in subscriber.inventories)


def _still_right(window: Window, subscriber: Subscriber, site: str, text: str) -> str:
    """Who said half a year ago that its profile is right is asked again, on a Monday."""
    said = subscriber.confirmed_at
    if window.edition != "monday" or said is None or window.until - said < CONFIRMED:
        return ""
    return text.format(day=wording.date_of(said, subscriber.language), site=site)


def subject(arranged: Arranged, language: str) -> str:
    """`TLP:AMBER Start van de week: 2 open bij u, 3 nieuw (2 maart)`."""
    d = words(language)["digest"]
    sizes: dict[str, int] = {}
    for name, part in arranged.sections:
        key = "new" if name == "relevant" else name
        sizes[key] = sizes.get(key, 0) + len(part)
    counts = [
        d[f"subject_{name}"].format(count=sizes[name]) for name in ("open", "new", "changed", "news") if name in sizes
    ]
    day = wording.day(arranged.window.day, language).partition(" ")[2]
    return f"{arranged.label} {d[arranged.window.edition]}: {', '.join(counts)} ({day})"


def _shown(name: SectionName, part: Sequence[Candidate], register: Register, language: str) -> dict[str, Any]:
    """A section as the templates take it: cards grouped by action, or lines, at most so many and how many more."""
    d = words(language)["digest"]
    most = _CAPS[register]
    rest = len(part) - most
    shown = part[:most]
    if name == "told":
        texts = [
            f"{plain(each.advice.headline, 100)} ({each.view.item}), "
            + d["told_line"].format(time=moment(each.alerted, language) if each.alerted else "")
            for each in shown
        ]
        cards: list[dict[str, Any]] = []
    else:
        texts, cards = [], [_card(name, group, register, language) for group in _grouped(shown)]
    more = d["rest"].format(count=rest) if rest > 0 else ""
    return {"head": d[name], "cards": cards, "lines": texts, "more": more}


def _grouped(part: Sequence[Candidate]) -> list[list[Candidate]]:
    """Items of one action and one urgency in one card; generic advice is no action of its own."""
    groups: dict[tuple[str, ...], list[Candidate]] = {}
    for each in part:
        one = each.advice
        key = (one.block, one.headline, each.view.urgency) if one.specific else (each.view.item,)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _card(name: SectionName, group: Sequence[Candidate], register: Register, language: str) -> dict[str, Any]:
    w, first = words(language), group[0]
    advice = clean(first.advice)
    view = first.view
    reasons = list(dict.fromkeys(line for each in group for line in why(each.view.reasons, register, language)))
    own = open_lines([each.view for each in group], language)
    headline = plain(harmless(advice.headline, view.observables), 150)
    lines: list[str] = []
    if name == "changed":
        lines += [plain(line) for each in group for line in each.changes]
    if own:
        listed = capped(own, 3, language)
        lines += [*listed.lines, *([listed.more] if listed.more else [])]
    elif name != "changed":
        lines += [_told(each.view, headline) for each in group]
    label = strictest(each.view.label for each in group)
    stepped = name in ("open", "relevant", "new") and (advice.specific or bool(own))
    return {
        "headline": headline,
        "lang": view.language if headline == view.title and view.language not in ("", language) else "",
        "level": w["level"][view.urgency],
        "band": BANDS[view.urgency],
        "label": label.value,
        "ids": ", ".join(each.view.item for each in group),
        "why": "; ".join(reasons[:3]),
        "lines": [line for line in dict.fromkeys(lines) if line],
        "steps": advice.steps[:3] if stepped else (),
        # The smallest firms' steps speak of a text to forward.
        "forward": advice.forward_text if stepped and register == "zzp" and label < Label.AMBER_STRICT else "",
    }


def _told(view: View, headline: str) -> str:
    """The title, or where the headline holds it already the beginning of the summary."""
    title = plain(harmless(view.title, view.observables), 200)
    return title if title not in headline else plain(harmless(view.summary, view.observables), 200)


def _minutes(sections: Sequence[Mapping[str, Any]]) -> int:
    """At 200 words a minute, at least one."""
    texts = [
        text
        for section in sections
        for text in (
            *section["lines"],
            *(t for card in section["cards"] for t in (card["headline"], card["why"], *card["lines"], *card["steps"])),
        )
    ]
    return max(1, -(-sum(len(text.split()) for text in texts) // 200))
