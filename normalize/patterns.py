"""STIX patterns: the values in them, and the same pattern without some of its values.

The only importer of stix2. Its syntax tree decides what a valid pattern is; but it forgets NOT (`x NOT IN ('a')`
comes back as `x IN ('a')`), so values and rewriting are read from the text by a parser of our own, which keeps the
text as it stands. A pattern is judged by its skeleton (all strings replaced), so each shape of pattern is judged
once, however many a feed has, and the memory of it holds no values. One comparison, or a plain list of them in
one bracket, needs no tree at all.
Source: STIX 2.1 part 9 (patterning).
"""

import functools
import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from normalize import NormalizeError
from normalize.pattern_parser import (
    PATH,
    STRING,
    TEST,
    WORD,
    Node,
    Parser,
    PatternValue,
    Test,
    Wrapped,
    text_of,
    unquoted,
    unreadable,
)

__all__ = ["PatternValue", "Reading", "pattern_values", "reading", "rewrite_pattern"]

Drop = Callable[[PatternValue], bool]

MAX_LENGTH = 1_000_000
_JUDGED_TOKENS = 400  # the tree builder recurses for each operand; what is longer rests on our own parser

_ONE = re.compile(rf"\s*\[\s*{TEST}\s*\]\s*")
_PLAIN_TEST = rf"{WORD}:{PATH}\s*=\s*{STRING}"
_LIST = re.compile(rf"\s*\[\s*{_PLAIN_TEST}(?:\s+(AND|OR)\s+{_PLAIN_TEST})(?:\s+\1\s+{_PLAIN_TEST})*\s*\]\s*")
_TESTS = re.compile(TEST)


class Reading(Struct, frozen=True):
    """A pattern that was read once, for its values and for what is left without some of them."""

    pattern: str
    values: list[PatternValue]
    """Every value it compares with, in the order they stand."""
    tests: tuple[str, ...]
    """The comparisons as they stand, where the pattern is one bracket of plain ones; else there is a tree."""
    operator: str
    tree: "_Parsed | None"

    def without(self, drop: Drop) -> str | None:
        """As `rewrite_pattern`; `drop` is asked once for each of the values, in their order."""
        if self.tree is not None:
            return _pruned(self.tree.tree, self.tree.text, drop)
        kept = [test for test, value in zip(self.tests, self.values, strict=True) if not drop(value)]
        if len(kept) == len(self.tests):
            return self.pattern
        return f"[{' OR '.join(kept)}]" if kept and self.operator == "OR" else None


def reading(pattern: str) -> Reading:
    """Read a pattern. Raises NormalizeError for no valid one."""
    if simple := _ONE.fullmatch(pattern):
        return Reading(pattern, [_plain(simple)], ("",), "", None)
    if operator := _is_list(pattern):
        tests = list(_TESTS.finditer(pattern))
        return Reading(
            pattern, [_plain(test) for test in tests], tuple(test.group(0) for test in tests), operator, None
        )
    parsed = _parse(pattern)
    return Reading(pattern, list(_values(parsed.tree)), (), "", parsed)


def pattern_values(pattern: str) -> list[PatternValue]:
    """Every value a pattern compares with, in the order they stand. Raises NormalizeError for no valid pattern."""
    return reading(pattern).values


def rewrite_pattern(pattern: str, drop: Drop) -> str | None:
    """The pattern without the values for which `drop` says so; None: nothing is left that may stand.

    The result never matches what the pattern did not match: an operand of OR goes alone; where it stands in an AND
    or FOLLOWEDBY, or where an element of NOT IN goes, what it restricted goes with it. Comments go always.
    Raises NormalizeError for no valid pattern.
    """
    return reading(pattern).without(drop)


def _is_list(pattern: str) -> str | None:
    """AND or OR, when the pattern is one bracket of plain comparisons joined by that alone."""
    plain = _LIST.fullmatch(pattern)
    if plain is None:
        return None
    operator: str = plain.group(1)
    if operator == "AND" and len({test.group(1) for test in _TESTS.finditer(pattern)}) > 1:
        return None  # one observable cannot be of two types: for the judge
    return operator


def _plain(test: re.Match[str]) -> PatternValue:
    return PatternValue(test.group(1), unquoted(test.group(2)), "=", text_of(test.group(3)))


class _Parsed(Struct, frozen=True):
    tree: Node
    text: str


def _values(node: Node) -> Iterator[PatternValue]:
    if isinstance(node, Test):
        yield from node.values
    elif isinstance(node, Wrapped):
        yield from _values(node.part)
    else:
        for part in node.parts:
            yield from _values(part)


def _pruned(node: Node, text: str, drop: Drop) -> str | None:
    if isinstance(node, Test):
        dropped = [drop(value) for value in node.values]
        if not any(dropped):
            return text[node.start : node.end]
        kept = [element for element, gone in zip(node.elements, dropped, strict=False) if not gone]
        return None if not kept or node.values[0].negated else f"{node.head}({', '.join(kept)})"
    if isinstance(node, Wrapped):
        inside = _pruned(node.part, text, drop)
        return None if inside is None else f"{node.before}{inside}{node.after}"
    parts = [_pruned(part, text, drop) for part in node.parts]
    left = [part for part in parts if part is not None]
    if not left or (len(left) < len(parts) and node.operator != "OR"):
        return None
    return f" {node.operator} ".join(left)


def _parse(pattern: str) -> _Parsed:
    if len(pattern) > MAX_LENGTH:
        raise NormalizeError("a pattern of more than a million characters", stage="shape")
    parser = Parser(pattern)
    tree = parser.pattern()
    if len(parser.tokens) <= _JUDGED_TOKENS and not _valid(parser.skeleton()):
        raise unreadable()
    return _Parsed(tree, parser.text)


@functools.lru_cache(maxsize=4096)
def _valid(skeleton: str) -> bool:
    """What stix2 says of a pattern whose strings were replaced."""
    from stix2.pattern_visitor import create_pattern_object  # slow to import, and seldom needed

    try:
        create_pattern_object(skeleton)
    except Exception:  # it raises its own, ANTLR's, ValueError, AttributeError and more
        return False
    return True
