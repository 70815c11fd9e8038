"""A value in a text, as recognisers find it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pii_guard import Category

SUSPECT = 0.5
"""Confidence below this: a suspicion."""


class Span(NamedTuple):
    """A value in a text: code points [start, end), how sure (0 to 1), and the recogniser."""

    category: Category
    start: int
    end: int
    confidence: float
    rule: str


Found = Iterator[Span]


def folded(text: str) -> str:
    """In small letters, each at the place where it stands: searching that is several times as fast as ignoring case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def places(lower: str, words: Iterable[str]) -> list[int]:
    """Where any of these words begins, in order. Looking for each by itself beats a pattern of all by ten."""
    found: set[int] = set()
    for word in filter(lower.__contains__, words):
        at = lower.find(word)
        while at >= 0:
            found.add(at)
            at = lower.find(word, at + 1)
    return sorted(found)
