"""Patterns that RE2 looks for and `re` decides: the same matches, at a fraction of the time where there are few.

RE2 searches ten times as fast as `re`, and knows less: no look-around, no back references. So it looks for a
relaxed form of each pattern (`relaxing`), which matches wherever the pattern does; there alone that is tried itself.

The text is given to RE2 in ASCII, any other character as `?`: a place in one is the same place in the other.
"""

import re
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

from pii_guard.relaxing import START, relaxed

_SHORT = 250
"""A shorter text `re` has read before RE2 is called."""
_PATIENCE = 100
"""So often may RE2 be wrong in one text (of some 16,000 characters); then `re` searches on, which costs no more."""
_MEMORY = 1 << 20
_WORD = 3


class Rare:
    """Patterns of which hardly any text has one: they are looked for all at once, each by itself only where one is."""

    def __init__(self) -> None:
        self._patterns: list[Quick] = []
        self._search: Callable[..., Any] | None = None
        self._last = threading.local()

    def add(self, pattern: "Quick") -> None:
        self._patterns.append(pattern)

    def near(self, data: bytes) -> bool:
        """May one of them match in the text, as `raw` gives it?"""
        known: dict[int, tuple[bytes, bool]] = self._last.__dict__.setdefault("known", {})
        slot = known.get(id(data))
        if slot is None or slot[0] is not data:
            if len(known) > 1:
                known.clear()
            slot = known[id(data)] = (data, (self._search or self._made())(data) is not None)
        return slot[1]

    def _made(self) -> Callable[..., Any]:
        forms = ("".join(relaxed(pattern.exact)) for pattern in self._patterns)
        self._search = re2.compile("|".join(f"(?:{form})" for form in forms).encode(), options()).search
        return self._search


class Quick:
    """A pattern as `re` has it; searched for by RE2. It matches nothing that is empty.

    `rare`: among which patterns it is looked for first.
    """

    __slots__ = ("_early", "_plain", "_rare", "_search", "exact", "match")

    def __init__(self, pattern: str, flags: int = 0, *, rare: Rare | None = None) -> None:
        self.exact = re.compile(pattern, flags)
        self.match = self.exact.match
        self._search: Callable[..., Any] | None = None
        self._early = False
        self._plain = rare is None and _begins_literally(self.exact)
        self._rare = rare
        if rare:
            rare.add(self)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As `re.Pattern.finditer`."""
        if self._plain or len(text) < _SHORT:
            return self.exact.finditer(text)
        return self._found(text) if self._rare is None or self._rare.near(raw(text)) else iter(())

    def search(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        return next(self.finditer(text), None)

    def near(self, text: str) -> bool:
        """May it match in the text, or in a part of it?"""
        if len(text) < _SHORT:
            return True
        if self._rare and not self._rare.near(raw(text)):
            return False
        return any(True for _ in (self._search or self._made())(raw(text)))

    def _found(self, text: str) -> Iterator[re.Match[str]]:
        search = self._search or self._made()
        data, at, early = raw(text), 0, self._early
        patience = _PATIENCE
        again = True
        while again:
            again = False
            for near in search(data, at + 1 - early):
                low, high = near.span()
                start = low if early else low - 1
                match = self.match(text, start)
                if match:
                    yield match
                    at = match.end()
                    if at + 1 == high and not early:
                        continue
                elif patience:
                    patience, at = patience - 1, start + 1
                else:
                    yield from self.exact.finditer(text, start + 1)
                    return
                again = True
                break

    def _made(self) -> Callable[..., Any]:
        """RE2's program; made when it is first needed, for that costs milliseconds."""
        before, form = relaxed(self.exact)
        self._early = len(before) > 0
        self._search = re2.compile((before + form).encode(), options()).finditer
        return self._search


def _begins_literally(pattern: re.Pattern[str]) -> bool:
    """`re` looks for some letters that a pattern begins with as fast as RE2 does, and each match costs it less."""
    first = list(islice(parser.parse(pattern.pattern, pattern.flags), _WORD))
    return not pattern.flags & re.IGNORECASE and [kind for kind, _ in first] == [code.LITERAL] * _WORD


_last = threading.local()


def raw(text: str) -> bytes:
    """In ASCII, each character one behind its place. The last two texts are kept: they are looked at in turn."""
    last = _last.__dict__
    if last.get("text") is not text:
        if last.get("other") is text:
            last["text"], last["other"] = text, last["text"]
            last["raw"], last["other_raw"] = last["other_raw"], last["raw"]
        else:
            last["other"], last["other_raw"] = last.get("text"), last.get("raw")
            last["text"], last["raw"] = text, (START + text).encode("ascii", "replace")
    made: bytes = last["raw"]
    return made


def options() -> re2.Options:
    """How RE2 reads: bytes, with bounded memory (it searches more slowly then, and finds the same)."""
    made = re2.Options()
    made.max_mem = _MEMORY
    made.encoding = re2.Options.Encoding.LATIN1
    made.never_capture = True
    made.log_errors = False
    return made
