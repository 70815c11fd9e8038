"""The grammar of STIX patterns (STIX 2.1 9.8): from text to a tree whose leaves are the comparisons.

Positions in the tree are those of the text without comments, so that what is kept can be kept letter by letter.
"""

import re
from collections.abc import Callable
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


_MAX_NESTING = 40
_MOST_DIGITS = 100
_KEYWORDS = frozenset(
    (
        *("AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "LAST", "IN"),
        *("START", "STOP", "SECONDS", "true", "false", "WITHIN", "REPEATS", "TIMES"),
    )
)
STRING = r"'[^'\\]*(?:\\['\\][^'\\]*)*'"
WORD = rf"(?!(?:{'|'.join(sorted(_KEYWORDS))})(?![A-Za-z0-9_-]))[A-Za-z_][A-Za-z0-9_-]*"
PATH = rf"(?:{WORD}|{STRING})(?:\.(?:{WORD}|{STRING})|\[(?:\*|[+-]?\d+)\])*"
TEST = rf"({WORD}):({PATH})\s*=\s*({STRING})"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|/\*.*?\*/|//[^\r\n]*)
    |(?P<literal>[thb]'[^']*')
    |(?P<string>{STRING})
    |(?P<number>[+-]?(?:\d*\.\d+|\d+))
    |(?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<sign><=|>=|!=|<>|==|[=<>:.,()\[\]*])""",
    re.VERBOSE | re.DOTALL,
)
_ORDER = frozenset(["<", "<=", ">", ">="])
_ON_STRINGS = frozenset(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"])
_TRUTH = {"true": True, "false": False}
_ALIASES = {"==": "=", "<>": "!="}


def text_of(literal: str) -> str:
    inner = literal[1:-1]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner


def unquoted(path: str) -> str:
    if "'" not in path:
        return path
    if "\\" not in path:
        return path.replace("'", "")
    return re.sub(STRING, lambda quoted: text_of(quoted.group(0)), path)


class Test(Struct, frozen=True):
    start: int
    end: int
    values: tuple[PatternValue, ...] = ()
    elements: tuple[str, ...] = ()
    """The literals of a set, as they stand."""
    head: str = ""
    """What stands before the set."""


class Joined(Struct, frozen=True):
    operator: str
    parts: "tuple[Node, ...]"


class Wrapped(Struct, frozen=True):
    """Brackets, parentheses, or a qualifier behind."""

    before: str
    part: "Node"
    after: str


Node = Test | Joined | Wrapped


def unreadable() -> NormalizeError:
    return NormalizeError("a pattern that is not valid STIX", stage="shape")


class Parser:
    """Recursive descent over the tokens, for the grammar of STIX 2.1 9.8."""

    def __init__(self, pattern: str) -> None:
        self.tokens: list[tuple[str, str, int, int]] = []
        """Kind, text, start and end in `text`."""
        pieces: list[str] = []
        at = length = 0
        while at < len(pattern):
            found = _TOKEN.match(pattern, at)
            if found is None or found.lastgroup is None:
                raise unreadable()
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
        """The pattern with other strings and numbers: valid when the pattern is."""
        return " ".join(
            "'x'" if kind == "string" else re.sub(r"\d+", "1", token) if kind == "number" else token
            for kind, token, _, _ in self.tokens
        )

    def pattern(self) -> Node:
        tree = self._joined(("FOLLOWEDBY", "OR", "AND"), self._observation)
        if self.at < len(self.tokens):
            raise unreadable()
        return tree

    def _joined(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        """A list joined by the first operator, of lists joined by the next: AND binds closest."""
        if not operators:
            return operand()
        parts = [self._joined(operators[1:], operand)]
        while self._take(operators[0]):
            parts.append(self._joined(operators[1:], operand))
        return parts[0] if len(parts) == 1 else Joined(operators[0], tuple(parts))

    def _observation(self) -> Node:
        node: Node
        if self._take("["):
            node = Wrapped("[", self._joined(("OR", "AND"), self._test), "]")
            self._need("]")
        else:
            node = self._nested(("FOLLOWEDBY", "OR", "AND"), self._observation)
        while qualifier := self._qualifier():
            node = Wrapped("", node, " " + qualifier)
        return node

    def _nested(self, operators: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        self._need("(")
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise NormalizeError("a pattern that is nested too deeply", stage="shape")
        inside = self._joined(operators, operand)
        self.depth -= 1
        self._need(")")
        return Wrapped("(", inside, ")")

    def _qualifier(self) -> str:
        for opening, length in (("START", 4), ("WITHIN", 3), ("REPEATS", 3)):
            if self._peek() == opening:
                taken = self.tokens[self.at : self.at + length]
                self.at += length
                if any(kind == "string" for kind, _, _, _ in taken):
                    raise unreadable()
                return " ".join(token for _, token, _, _ in taken)
        return ""

    def _test(self) -> Node:
        if self._peek() == "(":
            return self._nested(("OR", "AND"), self._test)
        start = self._start()
        if self._take("EXISTS"):
            self._path()
            return Test(start, self._end())
        kind, path = self._path()
        negated = self._take("NOT")
        operator = self._next()[1]
        operator = _ALIASES.get(operator, operator)
        if operator == "IN":
            return self._set(start, kind, path, negated)
        if operator in ("=", "!=") or operator in _ORDER or operator in _ON_STRINGS:
            value = self._literal(strings_only=operator in _ON_STRINGS)
            found = PatternValue(kind, path, operator, value, negated != (operator == "!="))  # type: ignore[arg-type]
            return Test(start, self._end(), (found,))
        raise unreadable()

    def _set(self, start: int, kind: str, path: str, negated: bool) -> Node:
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
        return Test(start, self._end(), tuple(values), tuple(elements), head)

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
        return text_of(self._next()[1]) if self._kind() == "string" else self._word()

    def _word(self) -> str:
        kind, word, _, _ = self._next()
        if kind != "word" or word in _KEYWORDS:
            raise unreadable()
        return word

    def _literal(self, *, strings_only: bool = False) -> str | int | float | bool:
        kind, token, _, _ = self._next()
        if kind == "string":
            return text_of(token)
        if strings_only:
            raise unreadable()
        if kind == "literal":
            return token[2:-1]
        if kind == "number":
            if len(token) > _MOST_DIGITS:  # Python itself refuses to read thousands of them
                raise unreadable()
            return float(token) if "." in token else int(token)
        if token not in _TRUTH:
            raise unreadable()
        return _TRUTH[token]

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str, int, int]:
        if self.at >= len(self.tokens):
            raise unreadable()
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self.at += 1
        return True

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise unreadable()

    def _start(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else 0

    def _end(self) -> int:
        return self.tokens[self.at - 1][3]
