"""A value in a text, as recognisers find it."""

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

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


class Words:
    """Words behind which, or beside which, recognisers find something; in small letters, unless said otherwise.

    All words of all recognisers are looked for at once (Aho-Corasick), and where they stand is known from then on.
    """

    __slots__ = ("_every", "_number", "_words")

    def __init__(self, *words: str, cased: bool = False) -> None:
        self._words = words
        self._every = _CASED if cased else _FOLDED
        self._number = self._every.add(words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def any(self, text: str) -> bool:
        """Does any of them stand in the text (in small letters, as the words are)?"""
        return self._number in self._every.where(text)

    def places(self, text: str) -> list[int]:
        """Where any of them begins, in order."""
        found = self._every.where(text).get(self._number)
        return sorted(set(found)) if found else []


class _Every:
    """Every word that is written one way, and the sets in which it stands."""

    def __init__(self) -> None:
        self._sets: defaultdict[str, list[int]] = defaultdict(list)
        self._count = 0
        self._made: tuple[AhoCorasick, list[list[int]]] | None = None
        self._last = threading.local()
        """The text that was looked at last: recognisers look at the same one, one after another."""

    def add(self, words: Iterable[str]) -> int:
        number, self._count, self._made = self._count, self._count + 1, None
        for word in set(words):
            self._sets[word].append(number)
        return number

    def words(self) -> Iterator[str]:
        return iter(self._sets)

    def where(self, text: str) -> dict[int, list[int]]:
        """Number of each set of which a word stands in the text -> where its words begin."""
        last = self._last.__dict__
        if last.get("text") is not text:
            last["found"], last["text"] = self._search(text), text
        found: dict[int, list[int]] = last["found"]
        return found

    def _search(self, text: str) -> dict[int, list[int]]:
        if self._made is None:
            self._made = (AhoCorasick(list(self._sets), matchkind=MatchKind.Standard), list(self._sets.values()))
        automaton, sets = self._made
        try:
            matches = automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character outside the basic plane, as JSON can hold
            matches = automaton.find_matches_as_indexes(_HALVES.sub("?", text), overlapping=True)
        found: defaultdict[int, list[int]] = defaultdict(list)
        for word, start, _ in matches:
            for number in sets[word]:
                found[number].append(start)
        return found


def numbered() -> Iterator[str]:
    """Words in which there are digits."""
    return (word for every in (_FOLDED, _CASED) for word in every.words() if any(map(str.isdigit, word)))


_HALVES = re.compile("[\ud800-\udfff]")
_FOLDED, _CASED = _Every(), _Every()
_last = threading.local()


def folded(text: str) -> str:
    """In small letters, each at the place where it stands: searching that is several times as fast as ignoring case."""
    last = _last.__dict__
    if last.get("text") is not text:
        lower = text.lower()
        if len(lower) != len(text):
            lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
        last["lower"], last["text"] = lower, text
    made: str = last["lower"]
    return made


def places(text: str, words: Iterable[str]) -> list[int]:
    """Where any of these words begins, in order: for words that a text itself gives."""
    found: set[int] = set()
    for word in filter(text.__contains__, words):
        at = text.find(word)
        while at >= 0:
            found.add(at)
            at = text.find(word, at + 1)
    return sorted(found)
