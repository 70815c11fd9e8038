"""What a message says that tells several items of one action: the action once, and each item by itself below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch import View
from dispatch.body import CAPS, MessageKind, content
from dispatch.lines import own_lines
from dispatch.reasons import told
from dispatch.wording import capped, words
from triage.advice import Advice
from triage.catalogue import Register

_SHORT = {"versions": 5, "own": 10, "indicators": 10, "references": 2, "remedies": 0, "summary": 300}
"""Lines of each item at most, and characters of its summary: the message stays one that is read."""
_FIRST = 2


@dataclass(frozen=True, slots=True)
class Also:
    """A further item of a message."""

    view: View
    link: str = ""
    """What a partnership passes on of it."""


def several(
    items: Sequence[Also],
    advice: Advice,
    register: Register,
    language: str,
    kind: MessageKind,
    at: datetime,
    *,
    answer: str,
) -> dict[str, Any]:
    """What the template fills in beside, for two items or more; it takes the place of what one item says."""
    texts, caps = words(language), {name: min(most, _SHORT[name]) for name, most in CAPS[register].items()}
    parts = [content(each.view, advice, register, language, kind, at, caps, first=0) for each in items]
    cards = [
        part
        | {
            "number": each.view.item,
            "reasons": told(each.view, register, language)[1],
            "link": each.link,
            "alone": f"{answer}?item={each.view.item}" if answer else "",
            "listing": _listing(answer, each.view, caps["own"]) if register != "mature" else "",
        }
        for each, part in zip(items, parts, strict=True)
    ]
    count = len(items)
    own = list(dict.fromkeys(line for each in items for line in own_lines(each.view, language)))
    said = {name: text.format(count=count) for name, text in texts["several"].items() if not name.startswith("one_")}
    return {
        "cards": cards,
        "several": said,
        "own": capped(own, _FIRST, language),
    }


def told_all(views: Sequence[View], register: Register, language: str) -> tuple[str, tuple[str, ...]]:
    """Why their reader gets them: in general, and what of the reader's matched any of them."""
    found = [told(view, register, language) for view in views]
    reasons = list(dict.fromkeys(reason for _, reasons in found for reason in reasons))
    return found[0][0], capped(reasons, 10, language).lines


def one_of(item: str, count: int, left: int, language: str) -> dict[str, Any]:
    """What a withdrawal says of one item of a message that told so many, of which so many others are left: for them
    nothing changes."""
    texts = words(language)["several"]
    stand, taken = ("one_fewer_stand", "one_fewer") if left < count - 1 else ("others_stand", "one_withdrawn")
    return {
        "deadline": texts[stand].format(count=count, left=left),
        "headline": texts["one_taken_back"].format(count=count),
        "one_of": texts["one_taken_back"].format(count=count),
        "headline_lang": "",
        "withdrawn": texts[taken].format(count=count, left=left, number=item),
    }


def _listing(address: str, view: View, most: int) -> str:
    """Where the whole list of an item is, if its card shows a part of it."""
    many = sum(row.own for row in view.observables) > most
    return f"{address}/list.csv?item={view.item}" if address and many else ""
