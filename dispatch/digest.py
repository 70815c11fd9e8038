"""The Monday and Friday editions: what they hold for one subscriber, and where it stands.

An edition covers everything since that edition was last made, holds nothing that is forgotten and repeats nothing:
what the subscriber was told already is one line, or on Friday nothing, unless it changed. An empty edition is not
sent. The label of an edition is the strictest of its views.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from dispatch import View, subjects
from dispatch.changes import Turn
from dispatch.editions import Edition, Window
from dispatch.editorials import Editorial
from tlp import Label, strictest
from triage.advice import Advice

SectionName = Literal["open", "relevant", "new", "raised", "lowered", "changed", "news", "told"]
_ORDER: dict[Edition, tuple[SectionName, ...]] = {
    "monday": ("open", "new", "changed", "told"),
    "friday": ("relevant", "new", "raised", "lowered", "changed", "news", "told"),
}
_URGENCIES = ("today", "this-week", "info")


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
    turn: Turn = ""
    """Whether it is graver by that, or less grave."""
    before: int = 0
    """That version; 0: it was told of none."""
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
    def held(self) -> list[Candidate]:
        """Everything in it, in order."""
        return [each for _, part in self.sections for each in part]

    @property
    def items(self) -> dict[str, int]:
        """Item -> version, of everything in it."""
        return {each.view.item: each.view.version for each in self.held}


def arrange(
    window: Window, candidates: Sequence[Candidate], told: Mapping[str, int], editorial: Editorial | None = None
) -> Arranged | None:
    """Sort what a subscriber may see into its edition, first what analysts put first. None: nothing to send.

    `told`: item -> version that earlier editions held. Of those only what changed returns. What was sent by itself
    is one line, and does not make an edition by itself.
    """
    found: dict[SectionName, list[Candidate]] = {}
    for each in _sorted(candidates, window.edition, editorial):
        section = _section(window.edition, each, told)
        if section is not None:
            found.setdefault(section, []).append(each)
    _join(found)
    if not found.keys() - {"told"}:
        return None
    sections = tuple((name, tuple(found[name])) for name in _ORDER[window.edition] if name in found)
    return _labelled(window, sections, editorial)


def _sorted(candidates: Sequence[Candidate], edition: Edition, editorial: Editorial | None) -> tuple[Candidate, ...]:
    first = () if editorial is None else editorial.first
    return tuple(sorted(candidates, key=lambda each: (_placed(each, first), _rank(each, edition))))


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
    changed: SectionName = (each.turn or "changed") if edition == "friday" else "changed"
    if known is not None:
        return changed if view.version > known else None
    if each.changes:
        return changed
    if edition == "monday":
        return "new"
    if _own(view):
        return "relevant"
    return "news" if view.kind == "news" else "new"


def _own(view: View) -> bool:
    """Does something of the reader's own match?"""
    return any(reason.criterion in ("network", "domain", "software") for reason in view.reasons)


def _join(found: dict[SectionName, list[Candidate]]) -> None:
    """News about a subject that stands in another section stands there, with what there is to do."""
    news = found.get("news", ())
    for name in [each for each in ("relevant", "new", "raised", "lowered", "changed") if each in found and news]:
        part = found[name]
        groups = subjects.clusters([(each.view, each.advice) for each in (*part, *news)])
        here = {place for group in groups if group[0] < len(part) for place in group}
        found[name] = part + [each for at, each in enumerate(news, len(part)) if at in here]
        news = [each for at, each in enumerate(news, len(part)) if at not in here]
    if "news" in found:
        found["news"] = list(news)
        if not news:
            del found["news"]


def _open(view: View) -> bool:
    """Has it a row of the reader's own that later reports still have?"""
    until = view.days.until if view.days else (None,) * len(view.observables)
    return any(row.own and gone is None for row, gone in zip(view.observables, until, strict=True))


def _rank(each: Candidate, edition: Edition) -> tuple[Any, ...]:
    """On Friday the reader's own first; then the most urgent, then what is of one action together, then the oldest."""
    view = each.view
    return (
        edition == "friday" and not _own(view),
        _URGENCIES.index(view.urgency),
        each.advice.block,
        view.received_at,
        view.item,
    )


def for_members(arranged: Arranged, open_to_all: Mapping[str, Candidate]) -> Arranged | None:
    """The edition as a partnership may pass it on: of each item what any member may see. None: nothing of it.

    `open_to_all`: item -> as its members may see it. What the partnership was alerted to is new to its members, and
    what stands open is somebody's own.
    """
    found: dict[SectionName, list[Candidate]] = {}
    for name, part in arranged.sections:
        for each in part:
            mine = open_to_all.get(each.view.item)
            if mine is not None and name != "open":
                changed: SectionName = (mine.turn or "changed") if arranged.window.edition == "friday" else "changed"
                section = changed if mine.changes else "news" if name == "news" else "new"
                found.setdefault(section, []).append(mine)
    window, said = arranged.window, arranged.editorial
    sections = tuple(
        (name, _sorted(found[name], window.edition, said)) for name in _ORDER[window.edition] if name in found
    )
    return _labelled(window, sections, said) if sections else None


def _labelled(
    window: Window, sections: tuple[tuple[SectionName, tuple[Candidate, ...]], ...], editorial: Editorial | None
) -> Arranged:
    said = editorial if editorial is not None and editorial.paragraphs else None
    labels = [each.view.label for _, part in sections for each in part] + ([said.label] if said else [])
    return Arranged(window, sections, strictest(labels), said)
