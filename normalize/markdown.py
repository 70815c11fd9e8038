"""Markdown as tables of it need it: the cells of a row, what a reader sees of one, and its links.

A small strict part of GFM: a row begins with a bar, and bars inside a cell are escaped (GFM 4.10). Linear in the text.
"""

import html
import re

from normalize.lenient import clean, web_addresses

_RULE = re.compile(r":?-+:?")
_BAR = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r",? ?<br ?/?> ?", re.IGNORECASE)
_TAG = re.compile(r"</?(?:a|b|code|em|i|li|ol|p|small|span|strong|sub|sup|ul)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\(\s*<?[^\s()<>]++(?:\([^\s()<>]*+\)[^\s()<>]*+)*+>?[^()]*+\)")
URL = re.compile(r"https?://[^\s<>()\[\]|]+(?:\([^\s<>()\[\]|]*\)[^\s<>()\[\]|]*)*")
_MARKED = re.compile(r"[\[<&*`\\]").search
_EMPHASIS = re.compile(r"\*\*([^*]+)\*\*|`([^`]+)`")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def cells(line: str) -> list[str]:
    """What stands between bars that no backslash escapes; empty: no row of a table."""
    stated = line.strip()
    if not stated.startswith("|"):
        return []
    found = [cell.strip().replace("\\|", "|") for cell in _BAR.split(stated)[1:]]
    return found if found[-1] else found[:-1]


def is_rule(line: str, columns: int) -> bool:
    """The line below a head of so many columns: dashes, with colons where they are aligned."""
    rules = cells(line)
    return len(rules) == columns and all(map(_RULE.fullmatch, rules))


def links(*texts: str) -> tuple[str, ...]:
    """Addresses of `[text](address)`, `<address>` and such as stand there bare."""
    return web_addresses([html.unescape(url) for text in texts for url in URL.findall(text)])


def plain(cell: str) -> str:
    """As a reader sees it: links by their words, a line that breaks as a list."""
    text = " ".join(cell.split())
    if not _MARKED(text):
        return clean(text)
    text = _TAG.sub("", _BREAK.sub(", ", text))
    text = _EMPHASIS.sub(lambda found: found[1] or found[2], _LINK.sub(r"\1", text))
    return clean(" ".join(html.unescape(_ESCAPED.sub(r"\1", text)).split()))
