"""The relaxed form of a pattern, from its parse tree: what RE2 can look for, and matches wherever the pattern does.

Look-around and back references RE2 does not know. What stands before is left out, but for one character that may not;
what has to follow is kept, and one character that may not; classes and counts are widened, a back reference is what its
group may be (tests/pii_guard/test_quick.py).
"""

import re
import string
from collections.abc import Iterable
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_ASCII = set(map(chr, range(128)))
_OTHER = "?"
"""Stands for whatever is not ASCII."""
START = "\n"
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


def relaxed(pattern: re.Pattern[str]) -> tuple[str, str]:
    """What RE2 looks for: the second matches at least wherever the pattern does, in a text as `quick.raw` gives it. The
    first, if there is any, matches the character before that: where a pattern begins with what may not stand there."""
    nodes = list(parser.parse(pattern.pattern, pattern.flags))
    return _before(nodes[0], pattern.flags), _Relaxing().whole(nodes, pattern.flags)


def _before(first: tuple[Any, Any], flags: int) -> str:
    kind, value = first
    if kind is not code.ASSERT_NOT or value[0] > 0 or len(value[1]) != 1 or value[1][0][0] is not code.IN:
        return ""
    barred, items = value[1][0]
    return _written(_no(barred, items, flags) | {START})


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
