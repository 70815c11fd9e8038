"""The text of a mail as the pieces that a reader sees: headings, paragraphs, titles, with their links.

Markup is sanitised before it is read: scripts, styles, pictures and whatever only looks are gone.
"""

import re
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser

import nh3
from msgspec import Struct, field

from normalize.lenient import clean
from normalize.stories import too_much

_KEPT = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "td", "th", "tr", "table", "ul", "ol", "li", "br", "hr", "a",
         "b", "strong", "blockquote", "pre", "section", "article", "center"}  # fmt: skip
_DROPPED = {
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "svg",
    "select",
    "button",
    "textarea",
    "iframe",
    "object",
}
LONGEST_TITLE = 200
_LONGEST_MARKED = 300
_INLINE = frozenset(("a", "b", "strong"))
URL = re.compile(r"https?://[^\s<>\"')\]]{3,2000}")
_RULE = re.compile(r"^[=\-_~*#+.]{3,}$")
_MARKED = re.compile(r"^(?:\d{1,2}[.)]|[*•#>]+|=+|\[\d{1,2}\])\s+(\S.{2,180}?)\s*=*$")


class Block(Struct):
    """A piece of a letter that stands by itself: a heading, a paragraph, a cell."""

    text: str = ""
    level: int = 0
    """1 to 6: a heading of that level; 0: text."""
    links: list[tuple[str, str]] = field(default_factory=list)
    """(address, its words)."""
    bold: str = ""
    """Its words that are bold."""


def of_html(markup: str) -> list[Block]:
    """The pieces of a page. It is sanitised first: elements that only style, pictures and scripts are gone."""
    if too_much(markup):
        return []
    safe = nh3.clean(
        markup, tags=_KEPT, clean_content_tags=_DROPPED, attributes={"a": {"href"}}, url_schemes={"http", "https"},
        link_rel=None,
    )  # fmt: skip
    reader = _Pieces()
    reader.feed(safe)
    reader.close()
    return reader.found()


class _Pieces(HTMLParser):
    """Reads sanitised markup into blocks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[Block] = []
        self._words: list[str] = []
        self._bold: list[str] = []
        self._block = Block()
        self._depth = 0
        self._link: tuple[str, int] | None = None

    def found(self) -> list[Block]:
        """The blocks that hold something."""
        self._end()
        return self._found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self._end()
            self._block.level = int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else self._block.level
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self._words))
        else:
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self._end()
        elif tag == "a":
            self._end_link()
        else:
            self._depth = max(self._depth - 1, 0)

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._depth:
            self._bold.append(data)

    def _end_link(self) -> None:
        if self._link is not None and self._link[0]:
            self._block.links.append((self._link[0], _words(self._words[self._link[1] :])))
        self._link = None

    def _end(self) -> None:
        self._end_link()
        self._block.text, self._block.bold = _words(self._words), _words(self._bold)
        if self._block.text or self._block.links:
            self._found.append(self._block)
        self._block, self._words, self._bold = Block(), [], []


def is_title(text: str, most: int = LONGEST_TITLE) -> bool:
    """Could this be the title of a story?"""
    words = text.split()
    return (
        len(words) >= 3 and len(text) <= most and "\n" not in text and not URL.search(text) and text[-1] not in ".:;,"
    )


def _words(parts: Iterable[str]) -> str:
    return clean(" ".join("".join(parts).replace("\u200c", "").replace("\u00ad", "").split()))


def of_plain(text: str) -> list[Block]:
    """Plain text as blocks: lines that stand by themselves, and those with a rule below or a number before them, are
    titles. Everything below the line that begins a signature is left out (RFC 3676 4.3)."""
    made: list[Block] = []
    for part in re.split(r"\n\s*\n", re.split(r"^-- ?$", text.replace("\r\n", "\n"), flags=re.MULTILINE)[0]):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        linked = bool(lines and URL.search(lines[-1]))
        at = 0
        while at < len(lines):
            line, more = lines[at], at + 1 < len(lines)
            marked = _MARKED.match(line) if len(line) <= _LONGEST_MARKED else None
            if more and _RULE.match(lines[at + 1]):
                made.append(Block(line, level=1))
                at += 1
            elif _RULE.match(line):
                pass
            elif marked:
                made.append(Block(marked[1], level=2))
            elif more and linked and is_title(line, 120):
                made.append(Block(line))
            else:
                made.append(_paragraph(lines[at:]))
                break
            at += 1
    return made


def _paragraph(lines: Sequence[str]) -> Block:
    text = " ".join(lines)
    links = [(url.rstrip(".,;:"), "") for url in URL.findall(text)]
    return Block(clean(" ".join(URL.sub("", text).split())).rstrip("<>(): "), links=links)
