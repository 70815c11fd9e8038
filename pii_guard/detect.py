"""Personal data in free text: checked recognisers, Dutch first, cheap when there is nothing.

`scan(text)` gives spans in code points. Below SUSPECT a span is a suspicion (for a person), above it is recognised.
First signs (`pii_guard.signs`) decide which recognisers run at all. A text is read as it stands, as a reader sees it
(`_seen`), and as its encodings mean it (`pii_guard.hidden`). Names in prose are only ever suspicions.
"""

import re
from collections.abc import Iterable, Iterator

from pii_guard.detect_numbers import bare_numbers
from pii_guard.detect_rows import rows
from pii_guard.hidden import hidden, suspected
from pii_guard.shown import shown, written
from pii_guard.signs import EVERY, Recogniser, due
from pii_guard.span import SUSPECT, Span, places

__all__ = ["SUSPECT", "Span", "scan"]

_LEAST = 5
_SEARCHED = 1500
"""In longer texts some sign of most things stands: looking for signs first costs more than it saves."""
_APART = re.compile(r"[^\w@]?").fullmatch
WINDOW = 16384
"""A longer text is read in pieces, so that a recogniser whose sign stands in one place is not run over all of it."""
BLOCK = 1 << 18
LONGEST = 1 << 20
_BLANK = re.compile(r"\s")
_WRAPPED = re.compile(r"(?:[ \t]*[A-Za-z0-9+/]{40,}={0,2}\r?\n)+")
MARGIN = 512
"""What a recogniser may look at before and behind a value: more than any does."""


def scan(text: str, *, bare: bool = False) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few tests for characters.

    `bare`: also numbers where numbers mostly are something else (URLs, file names).
    """
    if len(text) <= WINDOW + MARGIN:
        found = _whole(text, bare)
    else:
        found = [span for start, end in windows(text, 0, len(text)) for span in _piece(text, start, end, bare)]
    return apart(found)


def read_by(recognisers: Iterable[Recogniser], text: str) -> list[Span]:
    """As `scan`, of a text in ASCII in which nothing is hidden, where it is known who may find something in it."""
    found = [span for recogniser in recognisers for span in recogniser(text)]
    return apart([*found, *_again(text, found), *rows(text, found)])


def quiet(text: str) -> bool:
    """Is there no first sign of anything? Then `scan` finds nothing (names that it is not told of)."""
    return not due(text) and not suspected(text)


def stream(pieces: Iterable[str]) -> Iterator[Span]:
    """The spans of a text that comes in pieces, in order, as `scan` would find them in the whole. Of the text no more
    is kept than what may belong together."""
    held, base, done = "", 0, 0
    for piece in pieces:
        held += piece
        if len(held) - done < BLOCK:
            continue
        last = done
        for start, end in windows(held, done, len(held) - WINDOW - MARGIN):
            for span in apart(list(_piece(held, start, end, bare=False))):
                yield span._replace(start=span.start + base, end=span.end + base)
            last = end
        cut = max(0, last - MARGIN)
        held, base, done = held[cut:], base + cut, last - cut
    for start, end in windows(held, done, len(held)):
        for span in apart(list(_piece(held, start, end, bare=False))):
            yield span._replace(start=span.start + base, end=span.end + base)


def windows(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Pieces of text[start:stop], one behind the other, each up to a line's end, or a blank. None ends within a run of
    characters without blanks (of at most `LONGEST`), or between lines of base64: they mean something together."""
    while start < stop:
        end = min(len(text), start + WINDOW)
        if end < len(text):
            cut = text.rfind("\n", start + WINDOW // 2, end)
            cut = (
                cut
                if cut > 0
                else max(text.rfind(" ", start + WINDOW // 2, end), text.rfind("\t", start + WINDOW // 2, end))
            )
            if cut > 0:
                end = cut + 1
            else:
                blank = _BLANK.search(text, end, start + LONGEST)
                end = blank.end() if blank else min(len(text), start + LONGEST)
            wrapped = _WRAPPED.match(text, end, start + LONGEST)
            end = wrapped.end() if wrapped else end
        if end > stop and stop < len(text) and end - start < LONGEST:
            return
        yield start, end
        start = end


def _piece(text: str, start: int, end: int, bare: bool) -> Iterator[Span]:
    """What begins in text[start:end], read with what stands around it; what runs on is followed to its end."""
    low, high = max(0, start - MARGIN), end + MARGIN
    while True:
        found = _whole(text[low:high], bare)
        if high >= len(text) or not any(span.end + low >= high and span.start + low < end for span in found):
            break
        high += 2 * (high - low)
    for span in found:
        if start <= span.start + low < end:
            yield Span(span.category, span.start + low, span.end + low, span.confidence, span.rule)


def _whole(text: str, bare: bool) -> list[Span]:
    found = _seen(text, bare)
    if suspected(text):
        found += hidden(text, lambda meant: _seen(meant, bare))
    return found


def _seen(text: str, bare: bool) -> list[Span]:
    """As it stands, and as a reader sees it."""
    found = _read(text, bare)
    if (seen := shown(text)) is not text:
        places = written(text, seen)
        found += [each._replace(start=places[each.start], end=places[each.end - 1] + 1) for each in _read(seen, bare)]
    return found


def _read(text: str, bare: bool) -> list[Span]:
    found = [span for recogniser in (due(text) if len(text) < _SEARCHED else EVERY) for span in recogniser(text)]
    found += [*_again(text, found), *rows(text, found)]
    return [*found, *bare_numbers(text)] if bare else found


def _again(text: str, found: list[Span]) -> list[Span]:
    """A user name or handle that is known stands for the same person wherever the text repeats it."""
    known = {text[s.start : s.end] for s in found if s.category in ("username", "social") and s.confidence >= SUSPECT}
    return [
        Span("username", at, at + len(name), 0.6, "user-name-again")
        for name in known
        if len(name) >= _LEAST and text.count(name) > 1
        for at in places(text, (name,))
        if _APART(text[at - 1 : at]) and _APART(text[at + len(name) : at + len(name) + 1])
    ]


def apart(spans: list[Span]) -> list[Span]:
    """In order, overlapping spans as one: its category is that of the surest."""
    if not spans:
        return []
    spans.sort(key=lambda span: (span.start, -span.end))
    made: list[Span] = [spans[0]]
    for span in spans[1:]:
        last = made[-1]
        if span.start >= last.end:
            made.append(span)
            continue
        if span.end <= last.end and span.confidence <= last.confidence:
            continue
        surer = span if span.confidence > last.confidence else last
        made[-1] = surer._replace(start=last.start, end=max(last.end, span.end))
    return made
