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


def scan(text: str, *, bare: bool = False) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few tests for characters.

    A text is read as a reader sees it too: without characters that do not show, digits of other scripts as ours.
    `bare`: also numbers where numbers mostly are something else (URLs, file names).
    """
    found = _read(text, bare)
    if not text.isascii() and (_UNSEEN.search(text) or _FOREIGN_DIGIT.search(text)):
        places = [at for at, sign in enumerate(text) if not _UNSEEN.match(sign)]
        seen = "".join(map(text.__getitem__, places))
        seen = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit.group())), seen)
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
