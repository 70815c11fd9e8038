"""Patterns that RE2 looks for and `re` decides: the same matches, at a fraction of the time where there are few.

RE2 searches ten times as fast as `re`, and knows less: no look-around, no back references. So each pattern is relaxed,
from its own parse tree: what RE2 does not know is left out, classes and counts are widened. Wherever the pattern
matches, its relaxed form does (tests/pii_guard/test_quick.py); there alone the pattern itself is tried.

The text is given to RE2 in ASCII, any other character as `?`: a place in one is the same place in the other.
"""

import re
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

_ASCII = set(map(chr, range(128)))
_OTHER = "?"
"""Stands for whatever is not ASCII."""
_START = "\n"
"""Stands before the text: whatever may begin one may stand behind it."""
_CATEGORY = {
    code.CATEGORY_DIGIT: frozenset(string.digits),
    code.CATEGORY_SPACE: frozenset(filter(str.isspace, _ASCII)),
    code.CATEGORY_WORD: frozenset((*string.ascii_letters, *string.digits, "_")),
}
_CATEGORY |= {
    code.CATEGORY_NOT_DIGIT: _ASCII - _CATEGORY[code.CATEGORY_DIGIT],
    code.CATEGORY_NOT_SPACE: _ASCII - _CATEGORY[code.CATEGORY_SPACE],
    code.CATEGORY_NOT_WORD: _ASCII - _CATEGORY[code.CATEGORY_WORD],
}
_FOLDED = frozenset("iIkKsS")
"""Letters that others than their own small and capital one stand for, where case is ignored."""
_MOST = 16
"""Beyond so many repetitions they are not counted: a counted one multiplies the states."""
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


def relaxed(pattern: re.Pattern[str]) -> tuple[str, str]:
    """What RE2 looks for: the second matches at least wherever the pattern does, in the text as `raw` gives it. The
    first, if there is any, matches the character before that: where a pattern begins with what may not stand there."""
    nodes = list(parser.parse(pattern.pattern, pattern.flags))
    return _before(nodes[0], pattern.flags), _Relaxing().whole(nodes, pattern.flags)


def _before(first: tuple[Any, Any], flags: int) -> str:
    kind, value = first
    if kind is not code.ASSERT_NOT or value[0] > 0 or len(value[1]) != 1 or value[1][0][0] is not code.IN:
        return ""
    barred, items = value[1][0]
    return _written(_no(barred, items, flags) | {_START})


def _no(kind: Any, value: Any, flags: int) -> set[str]:
    """The characters that this node may not be."""
    items = [(kind, value)] if kind is code.LITERAL else value
    turned = items[1:] if items[0][0] is code.NEGATE else [(code.NEGATE, None), *items]
    return _chars(code.IN, turned, flags) | {_OTHER}


def _not_behind(nodes: list[tuple[Any, Any]], flags: int) -> set[str]:
    """The characters that may follow where this may not."""
    if len(nodes) != 1:
        return _ASCII
    kind, value = nodes[0]
    if kind is code.BRANCH:
        return set.intersection(*(_not_behind(list(branch), flags) for branch in value[1]))
    return _no(kind, value, flags) if kind in (code.LITERAL, code.IN) else _ASCII


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
            last["text"], last["raw"] = text, (_START + text).encode("ascii", "replace")
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


class _Relaxing:
    """One pattern on its way to its relaxed form; its groups are known for what refers back to them."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}

    def whole(self, nodes: list[tuple[Any, Any]], flags: int) -> str:
        """A sequence that ends the pattern: what has to follow is kept, and one character that may not."""
        count = len(nodes)
        while count and nodes[count - 1][0] in (code.ASSERT, code.ASSERT_NOT) and nodes[count - 1][1][0] > 0:
            count -= 1
        ends = nodes[count:]
        if not ends and nodes and nodes[-1][0] is code.BRANCH:
            branches = "|".join(self.whole(list(branch), flags) for branch in nodes[-1][1][1])
            return f"{self.sequence(nodes[:-1], flags)}(?:{branches})"
        return self.sequence(nodes[:count], flags) + self._follows(ends, flags)

    def _follows(self, ends: list[tuple[Any, Any]], flags: int) -> str:
        for kind, (_, nodes) in ends:
            if kind is code.ASSERT:
                return f"(?:{self.whole(list(nodes), flags)})"
        barred = [_not_behind(list(nodes), flags) for _, (_, nodes) in ends]
        may = set.intersection(_ASCII, *barred)
        return "" if may == _ASCII else f"(?:{_written(may)}|\\z)"

    def sequence(self, nodes: Iterable[tuple[Any, Any]], flags: int) -> str:
        return "".join(self._node(kind, value, flags) for kind, value in nodes)

    def _node(self, kind: Any, value: Any, flags: int) -> str:
        if kind in (code.LITERAL, code.NOT_LITERAL, code.IN, code.ANY):
            return _written(_chars(kind, value, flags))
        if kind is code.BRANCH:
            return f"(?:{'|'.join(self.sequence(branch, flags) for branch in value[1])})"
        if kind is code.SUBPATTERN:
            group, added, removed, nodes = value
            made = self._groups[group] = f"(?:{self.sequence(nodes, (flags | added) & ~removed)})"
            return made
        if kind is code.ATOMIC_GROUP:
            return f"(?:{self.sequence(value, flags)})"
        if kind in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
            return self._repeated(value, flags)
        if kind is code.GROUPREF:
            return self._groups[value]
        if kind in (code.ASSERT, code.ASSERT_NOT, code.AT):
            return ""
        raise ValueError(f"no relaxed form of {kind} is known: write the pattern without it")

    def _repeated(self, value: tuple[int, int, Any], flags: int) -> str:
        least, most, nodes = value
        inner = self.sequence(nodes, flags)
        if not inner:
            return ""
        least = min(least, _MOST)
        return f"(?:{inner}){{{least},{'' if most > _MOST else most}}}"


def _chars(kind: Any, value: Any, flags: int) -> set[str]:
    """The characters of ASCII that one node may be, and `?` where it may be another."""
    if kind is code.ANY:
        return set(_ASCII if flags & re.DOTALL else _ASCII - {"\n"})
    if kind is code.NOT_LITERAL:
        return _ASCII - {chr(value)} | {_OTHER}
    items = [(kind, value)] if kind is code.LITERAL else value
    chars: set[str] = set()
    negated = False
    for item, which in items:
        if item is code.NEGATE:
            negated = True
        elif item is code.LITERAL:
            chars.add(chr(which) if which < 128 else _OTHER)
        elif item is code.RANGE:
            low, high = which
            chars.update(map(chr, range(low, min(high, 127) + 1)))
            chars |= {_OTHER} if high > 127 else set()
        else:
            chars |= _CATEGORY[which]
            chars |= set() if negated else {_OTHER}
    if negated:
        return _ASCII - (chars - {_OTHER}) | {_OTHER}
    if flags & re.IGNORECASE:
        chars |= {char.swapcase() for char in chars}
        chars |= {_OTHER} if chars & _FOLDED else set()
        chars |= _FOLDED if _OTHER in chars else set()
    return chars


def _written(chars: Iterable[str]) -> str:
    """A class of these, as ranges."""
    codes = sorted(map(ord, chars))
    made: list[str] = []
    start = 0
    for at, char in enumerate(codes):
        if at + 1 == len(codes) or codes[at + 1] > char + 1:
            made.append(f"\\x{codes[start]:02x}" + (f"-\\x{char:02x}" if at > start else ""))
            start = at + 1
    return f"[{''.join(made)}]"
