"""A value in a text, as recognisers find it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from pii_guard import Category

T = TypeVar("T")
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
        last = self._every.last
        return self._number in (last[1] if last[0] is text else self._every.where(text))

    def places(self, text: str) -> list[int]:
        """Where any of them begins, in order."""
        last = self._every.last
        found = (last[1] if last[0] is text else self._every.where(text)).get(self._number)
        return sorted(set(found)) if found else []


class _Every:
    """Every word that is written one way, and the sets in which it stands."""

    def __init__(self) -> None:
        self._sets: defaultdict[str, list[int]] = defaultdict(list)
        self._count = 0
        self._made: tuple[AhoCorasick, list[list[int]]] | None = None
        self.last: tuple[str, dict[int, list[int]]] = ("", {})
        """The text that was looked at last, and `where` of it: recognisers look at the same one, one after another. Set
        and read as a whole: another thread may look at another text meanwhile."""

    def add(self, words: Iterable[str]) -> int:
        number, self._count, self._made = self._count, self._count + 1, None
        for word in set(words):
            self._sets[word].append(number)
        return number

    def words(self) -> Iterator[str]:
        return iter(self._sets)

    def where(self, text: str) -> dict[int, list[int]]:
        """Number of each set of which a word stands in the text -> where its words begin."""
        last = self.last
        if last[0] is not text:
            last = self.last = (text, self._search(text))
        return last[1]

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
_last = ("", "")


def folded(text: str) -> str:
    """In small letters, each at the place where it stands: searching that is several times as fast as ignoring case."""
    global _last  # noqa: PLW0603 - of the text that was looked at last
    last = _last
    if last[0] is not text:
        lower = text.lower()
        if len(lower) != len(text):
            lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
        last = _last = (text, lower)
    return last[1]


class Signed(Generic[T]):
    """What is looked for only where one of its words stands, capital letters as they are."""

    def __init__(self, pairs: Iterable[tuple[Iterable[str], T]]) -> None:
        self._of = {_CASED.add(words): what for words, what in pairs}

    def of(self, text: str) -> list[T]:
        """Those of which a word stands in the text, in the order in which they were given."""
        return [self._of[number] for number in sorted(self._of.keys() & _CASED.where(text).keys())]


def places(text: str, words: Iterable[str]) -> list[int]:
    """Where any of these words begins, in order: for words that a text itself gives."""
    found: set[int] = set()
    for word in filter(text.__contains__, words):
        at = text.find(word)
        while at >= 0:
            found.add(at)
            at = text.find(word, at + 1)
    return sorted(found)
