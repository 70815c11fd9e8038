"""A value in a text, as recognisers find it."""

from collections.abc import Iterator
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
