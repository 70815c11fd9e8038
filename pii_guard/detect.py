"""Personal data in free text: checked recognisers, Dutch first, cheap when there is nothing.

`scan(text)` gives spans in code points. Below SUSPECT a span is a suspicion (for a person), above it is recognised.
First signs (`pii_guard.signs`) decide which recognisers run at all. Names in prose are not searched for: only
properties that hold names are known (`pii_guard.paths`), and a name that follows a title is a suspicion.
"""

import re
import unicodedata

from pii_guard.detect_persons import bare_numbers
from pii_guard.signs import due
from pii_guard.span import SUSPECT, Span

__all__ = ["SUSPECT", "Span", "scan"]

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_TYPESET = {
    **dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000"), " "),
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
}
"""Blanks and dashes as word processors set them."""
_SET = re.compile(f"[{''.join(map(chr, _TYPESET))}]")


def scan(text: str, *, bare: bool = False) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few tests for characters.

    A text is read as a reader sees it too: without characters that do not show, digits of other scripts, blanks and
    dashes as ours.
    `bare`: also numbers where numbers mostly are something else (URLs, file names).
    """
    found = _read(text, bare)
    if not text.isascii() and any(odd.search(text) for odd in (_UNSEEN, _FOREIGN_DIGIT, _SET)):
        hidden = {match.start() for match in _UNSEEN.finditer(text)}
        places = [at for at in range(len(text)) if at not in hidden] if hidden else range(len(text))
        seen = _UNSEEN.sub("", text)
        seen = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group())), seen).translate(_TYPESET)
        found += [each._replace(start=places[each.start], end=places[each.end - 1] + 1) for each in _read(seen, bare)]
    return apart(found) if found else found


def _read(text: str, bare: bool) -> list[Span]:
    found = [span for recogniser in due(text) for span in recogniser(text)]
    return [*found, *bare_numbers(text)] if bare else found


def apart(spans: list[Span]) -> list[Span]:
    """In order, overlapping spans as one: its category is that of the surest."""
    spans.sort(key=lambda span: (span.start, -span.end))
    made: list[Span] = [spans[0]]
    for span in spans[1:]:
        last = made[-1]
        if span.start >= last.end:
            made.append(span)
            continue
        surer = span if span.confidence > last.confidence else last
        made[-1] = surer._replace(start=last.start, end=max(last.end, span.end))
    return made
