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
from typing import Literal

from msgspec import Struct

from normalize import NormalizeError

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]


class PatternValue(Struct, frozen=True):
    """One value that a pattern compares with. A set (`IN`) gives one for each of its elements."""

    type: str
    """Object type: `ipv4-addr`."""
    path: str
    """Property path, unquoted: `value`, `hashes.SHA-256`, `to_refs[*].value`."""
    operator: Operator
    value: str | int | float | bool
    """Unescaped. Hex, binary and time literals as their text."""
    negated: bool = False
    """The comparison is met by everything but this value (`!=`, NOT)."""


Drop = Callable[[PatternValue], bool]

MAX_LENGTH = 1_000_000
_MAX_NESTING = 40
_JUDGED_TOKENS = 400  # the tree builder recurses for each operand; what is longer rests on our own parser

_KEYWORDS = frozenset(
    (
        *("AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "LAST", "IN"),
        *("START", "STOP", "SECONDS", "true", "false", "WITHIN", "REPEATS", "TIMES"),
    )
)
_STRING = r"'(?:[^'\\]|\\['\\])*'"
_WORD = rf"(?!(?:{'|'.join(sorted(_KEYWORDS))})(?![A-Za-z0-9_-]))[A-Za-z_][A-Za-z0-9_-]*"
_PATH = rf"(?:{_WORD}|{_STRING})(?:\.(?:{_WORD}|{_STRING})|\[(?:\*|[+-]?\d+)\])*"
_TEST = rf"({_WORD}):({_PATH})\s*=\s*({_STRING})"
_ONE = re.compile(rf"\s*\[\s*{_TEST}\s*\]\s*")
_PLAIN_TEST = rf"{_WORD}:{_PATH}\s*=\s*{_STRING}"
_LIST = re.compile(rf"\s*\[\s*{_PLAIN_TEST}(?:\s+(AND|OR)\s+{_PLAIN_TEST})(?:\s+\1\s+{_PLAIN_TEST})*\s*\]\s*")
_TESTS = re.compile(_TEST)
_TOKEN = re.compile(
    rf"""(?P<space>\s+|/\*.*?\*/|//[^\r\n]*)
    |(?P<literal>[thb]'[^']*')
    |(?P<string>{_STRING})
    |(?P<number>[+-]?(?:\d*\.\d+|\d+))
    |(?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<sign><=|>=|!=|<>|==|[=<>:.,()\[\]*])""",
    re.VERBOSE | re.DOTALL,
)
_ORDER = frozenset(["<", "<=", ">", ">="])
_ON_STRINGS = frozenset(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"])
_TRUTH = {"true": True, "false": False}
_ALIASES = {"==": "=", "<>": "!="}


def pattern_values(pattern: str) -> list[PatternValue]:
    """Every value a pattern compares with, in the order they stand. Raises NormalizeError for no valid pattern."""
    if simple := _ONE.fullmatch(pattern):
        return [_plain(simple)]
    if _is_list(pattern):
        return [_plain(test) for test in _TESTS.finditer(pattern)]
    return list(_values(_parse(pattern).tree))


def rewrite_pattern(pattern: str, drop: Drop) -> str | None:
    """The pattern without the values for which `drop` says so; None: nothing is left that may stand.

    The result never matches what the pattern did not match: an operand of OR goes alone; where it stands in an AND
    or FOLLOWEDBY, or where an element of NOT IN goes, what it restricted goes with it. Comments go always.
    Raises NormalizeError for no valid pattern.
    """
    if simple := _ONE.fullmatch(pattern):
        return None if drop(_plain(simple)) else pattern
    if operator := _is_list(pattern):
        tests = list(_TESTS.finditer(pattern))
        kept = [test.group(0) for test in tests if not drop(_plain(test))]
        if len(kept) == len(tests):
            return pattern
        return f"[{' OR '.join(kept)}]" if kept and operator == "OR" else None
    parsed = _parse(pattern)
    return _pruned(parsed.tree, parsed.text, drop)


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
    return PatternValue(test.group(1), _unquoted(test.group(2)), "=", _text(test.group(3)))


def _text(literal: str) -> str:
    inner = literal[1:-1]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def _unquoted(path: str) -> str:
    return re.sub(_STRING, lambda quoted: _text(quoted.group(0)), path) if "'" in path else path


class _Test(Struct, frozen=True):
    start: int
    end: int
    values: tuple[PatternValue, ...] = ()
    elements: tuple[str, ...] = ()
    """The literals of a set, as they stand."""
    head: str = ""
    """What stands before the set."""


class _Joined(Struct, frozen=True):
    operator: str
    parts: "tuple[_Node, ...]"


class _Wrapped(Struct, frozen=True):
    """Brackets, parentheses, or a qualifier behind."""

    before: str
    part: "_Node"
    after: str


_Node = _Test | _Joined | _Wrapped


class _Parsed(Struct, frozen=True):
    tree: _Node
    text: str


def _values(node: _Node) -> Iterator[PatternValue]:
    if isinstance(node, _Test):
        yield from node.values
    elif isinstance(node, _Wrapped):
        yield from _values(node.part)
    else:
        for part in node.parts:
            yield from _values(part)


def _pruned(node: _Node, text: str, drop: Drop) -> str | None:
    if isinstance(node, _Test):
        dropped = [drop(value) for value in node.values]
        if not any(dropped):
            return text[node.start : node.end]
        kept = [element for element, gone in zip(node.elements, dropped, strict=False) if not gone]
        return None if not kept or node.values[0].negated else f"{node.head}({', '.join(kept)})"
    if isinstance(node, _Wrapped):
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
    parser = _Parser(pattern)
    tree = parser.pattern()
    if len(parser.tokens) <= _JUDGED_TOKENS and not _valid(parser.skeleton()):
        raise _unreadable()
    return _Parsed(tree, parser.text)


def _unreadable() -> NormalizeError:
    return NormalizeError("a pattern that is not valid STIX", stage="shape")


@functools.lru_cache(maxsize=4096)
def _valid(skeleton: str) -> bool:
    """What stix2 says of a pattern whose strings were replaced."""
    from stix2.pattern_visitor import create_pattern_object  # slow to import, and seldom needed

    try:
        create_pattern_object(skeleton)
    except Exception:  # it raises its own, ANTLR's, ValueError, AttributeError and more
        return False
    return True


class _Parser:
    """Recursive descent over the tokens, for the grammar of STIX 2.1 9.8."""

    def __init__(self, pattern: str) -> None:
        self.tokens: list[tuple[str, str, int, int]] = []
        """Kind, text, start and end in `text`."""
        pieces: list[str] = []
        at = length = 0
        while at < len(pattern):
            found = _TOKEN.match(pattern, at)
            if found is None or found.lastgroup is None:
                raise _unreadable()
            kind, piece = found.lastgroup, found.group(0)
            if kind == "space":
                piece = piece if piece.isspace() else " "
            else:
                self.tokens.append((kind, piece, length, length + len(piece)))
            pieces.append(piece)
            length += len(piece)
            at = found.end()
        self.text = "".join(pieces)
        self.at = 0
        self.depth = 0

    def skeleton(self) -> str:
        return " ".join("'x'" if kind == "string" else token for kind, token, _, _ in self.tokens)

    def pattern(self) -> _Node:
        tree = self._joined(("FOLLOWEDBY", "OR", "AND"), self._observation)
        if self.at < len(self.tokens):
            raise _unreadable()
        return tree

    def _joined(self, operators: tuple[str, ...], operand: Callable[[], _Node]) -> _Node:
        """A list joined by the first operator, of lists joined by the next: AND binds closest."""
        if not operators:
            return operand()
        parts = [self._joined(operators[1:], operand)]
        while self._take(operators[0]):
            parts.append(self._joined(operators[1:], operand))
        return parts[0] if len(parts) == 1 else _Joined(operators[0], tuple(parts))

    def _observation(self) -> _Node:
        node: _Node
        if self._take("["):
            node = _Wrapped("[", self._joined(("OR", "AND"), self._test), "]")
            self._need("]")
        else:
            node = self._nested(("FOLLOWEDBY", "OR", "AND"), self._observation)
        while qualifier := self._qualifier():
            node = _Wrapped("", node, " " + qualifier)
        return node

    def _nested(self, operators: tuple[str, ...], operand: Callable[[], _Node]) -> _Node:
        self._need("(")
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise NormalizeError("a pattern that is nested too deeply", stage="shape")
        inside = self._joined(operators, operand)
        self.depth -= 1
        self._need(")")
        return _Wrapped("(", inside, ")")

    def _qualifier(self) -> str:
        for opening, length in (("START", 4), ("WITHIN", 3), ("REPEATS", 3)):
            if self._peek() == opening:
                taken = self.tokens[self.at : self.at + length]
                self.at += length
                if any(kind == "string" for kind, _, _, _ in taken):
                    raise _unreadable()
                return " ".join(token for _, token, _, _ in taken)
        return ""

    def _test(self) -> _Node:
        if self._peek() == "(":
            return self._nested(("OR", "AND"), self._test)
        start = self._start()
        if self._take("EXISTS"):
            self._path()
            return _Test(start, self._end())
        kind, path = self._path()
        negated = self._take("NOT")
        operator = self._next()[1]
        operator = _ALIASES.get(operator, operator)
        if operator == "IN":
            return self._set(start, kind, path, negated)
        if operator in ("=", "!=") or operator in _ORDER or operator in _ON_STRINGS:
            value = self._literal(strings_only=operator in _ON_STRINGS)
            found = PatternValue(kind, path, operator, value, negated != (operator == "!="))  # type: ignore[arg-type]
            return _Test(start, self._end(), (found,))
        raise _unreadable()

    def _set(self, start: int, kind: str, path: str, negated: bool) -> _Node:
        head = self.text[start : self._end()] + " "
        self._need("(")
        values: list[PatternValue] = []
        elements: list[str] = []
        while self._peek() != ")":
            if values:
                self._need(",")
            values.append(PatternValue(kind, path, "IN", self._literal(), negated))
            elements.append(self.tokens[self.at - 1][1])
        self._need(")")
        return _Test(start, self._end(), tuple(values), tuple(elements), head)

    def _path(self) -> tuple[str, str]:
        kind = self._word()
        self._need(":")
        path = self._step()
        while True:
            if self._take("."):
                path += "." + self._step()
            elif self._take("["):
                path += f"[{self._next()[1]}]"
                self._need("]")
            else:
                return kind, path

    def _step(self) -> str:
        return _text(self._next()[1]) if self._kind() == "string" else self._word()

    def _word(self) -> str:
        kind, word, _, _ = self._next()
        if kind != "word" or word in _KEYWORDS:
            raise _unreadable()
        return word

    def _literal(self, *, strings_only: bool = False) -> str | int | float | bool:
        kind, token, _, _ = self._next()
        if kind == "string":
            return _text(token)
        if strings_only:
            raise _unreadable()
        if kind == "literal":
            return token[2:-1]
        if kind == "number":
            return float(token) if "." in token else int(token)
        if token not in _TRUTH:
            raise _unreadable()
        return _TRUTH[token]

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str, int, int]:
        if self.at >= len(self.tokens):
            raise _unreadable()
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self.at += 1
        return True

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise _unreadable()

    def _start(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else 0

    def _end(self) -> int:
        return self.tokens[self.at - 1][3]
