"""The values of XML and HTML: each text and attribute, with the path of its element as XPath writes it.

A text goes from one element's border to the next; in HTML elements that only style words are no border, so that what a
reader sees as one value is read as one. Names that hold something personal stand as `*`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from html.parser import HTMLParser
from xml.parsers import expat

from app.scanning_fields import Place
from pii_guard.detect import scan

_DEEPEST = 100
"""What lies deeper has the path of the element at this depth."""
_MOST_PLACES = 1_000_000
_PLAIN = re.compile(r"[A-Za-z_][\w.:-]{0,63}").fullmatch
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "kbd", "mark", "q", "s", "samp", "small"),
        *("span", "strong", "sub", "sup", "tt", "u", "var"),
    )
)
_OF_PAGES = (
    _VOID | _INLINE | {"html", "head", "body", "title", "style", "script", "p", "div", "table", "ul", "ol", "h1"}
)
_FIRST = re.compile(
    r"(?:\s|<\?.{0,2000}?\?>|<!--.{0,2000}?-->|<!doctype[^>]{0,2000}>)*<([a-z][\w:.-]*)", re.DOTALL | re.I
)


class _RefusedError(Exception):
    """Not XML, or more than is read."""


class _Reader:
    """Elements as they open and close -> places."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self._path, self._names = [""], list[str]()
        self._counts: list[Counter[str]] = [Counter()]
        self._text: list[str] = []
        self._shown: dict[str, str] = {}

    def start(self, name: str, attributes: Iterable[tuple[str, str]], *, empty: bool = False) -> None:
        """An element opens; `empty`: and holds nothing."""
        self.flush()
        shown = self._plain(name)
        self._counts[-1][shown] += 1
        path = f"{self._path[-1]}/{shown}[{self._counts[-1][shown]}]"
        path = path if len(self._path) <= _DEEPEST else self._path[-1]
        for key, value in attributes:
            self._add(f"{path}/@{self._plain(key)}", value, self._plain(key).strip("*"))
        if not empty:
            self._path.append(path)
            self._names.append(name)
            self._counts.append(Counter())

    def end(self, name: str) -> None:
        """An element closes, and with it what was left open inside."""
        self.flush()
        if name in self._names:
            while self._names.pop() != name:
                self._close()
            self._close()

    def text(self, text: str) -> None:
        """Words of the element that is open."""
        self._text.append(text)

    def aside(self, kind: str, text: str) -> None:
        """What is no element of the path: a comment, an instruction, an attribute of what only styles."""
        self._add(f"{self._path[-1]}/{kind}", text, "")

    def flush(self) -> None:
        """What was said until here is one text."""
        if self._text:
            self._add(self._path[-1], "".join(self._text), self._plain(self._names[-1]) if self._names else "")
            self._text = []

    def _close(self) -> None:
        self._path.pop()
        self._counts.pop()

    def _add(self, path: str, text: str, field: str) -> None:
        if text.strip():
            if len(self.places) >= _MOST_PLACES:
                raise _RefusedError
            self.places.append(Place(path, text, "" if field == "*" else field))

    def _plain(self, name: str) -> str:
        if name not in self._shown:
            if len(self._shown) > 10_000:
                self._shown.clear()
            self._shown[name] = name if _PLAIN(name) and not scan(name) else "*"
        return self._shown[name]


def is_page(start: str) -> bool:
    """Is the first element one of HTML?"""
    found = _FIRST.match(start)
    return found is not None and found[1].lower() in _OF_PAGES


def xml(body: bytes) -> list[Place] | None:
    """None: not well-formed, or with entities of its own."""
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True

    def start(name: str, pairs: list[str]) -> None:
        reader.start(name, zip(pairs[::2], pairs[1::2], strict=True))

    def refuse(*_: object) -> None:
        raise _RefusedError

    parser.StartElementHandler, parser.EndElementHandler = start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = lambda text: reader.aside("comment()", text)
    parser.ProcessingInstructionHandler = lambda target, text: reader.aside("processing-instruction()", text)  # noqa: ARG005
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, _RefusedError, ValueError, LookupError):
        return None
    return reader.places


def html(text: str) -> list[Place] | None:
    """As lenient as HTML is; None: more than is read."""
    parser = _Page()
    try:
        parser.feed(text)
        parser.close()
        parser.reader.flush()
    except (_RefusedError, AssertionError):  # the standard library's own, on hostile declarations
        return None
    return parser.reader.places


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.reader = _Reader()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pairs = [(key, value) for key, value in attrs if value]
        if tag in _INLINE:
            for key, value in pairs:
                self.reader.aside(f"{tag}/@{key}" if _PLAIN(key) and not scan(key) else f"{tag}/@*", value)
        else:
            self.reader.start(tag, pairs, empty=tag in _VOID)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE and tag not in _VOID:
            self.reader.end(tag)

    def handle_data(self, data: str) -> None:
        self.reader.text(data)

    def handle_comment(self, data: str) -> None:
        self.reader.aside("comment()", data)

    def handle_decl(self, decl: str) -> None:
        self.reader.aside("declaration()", decl)

    def handle_pi(self, data: str) -> None:
        self.reader.aside("processing-instruction()", data)

    def unknown_decl(self, data: str) -> None:
        self.reader.aside("declaration()", data)
