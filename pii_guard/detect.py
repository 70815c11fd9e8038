"""Personal data in free text: checked recognisers, Dutch first, cheap when there is nothing.

`scan(text)` gives spans in code points. Below SUSPECT a span is a suspicion (for a person), above it is recognised.
First signs (`pii_guard.signs`) decide which recognisers run at all. Names in prose are not searched for: only
properties that hold names are known (`pii_guard.paths`), and a name that follows a title is a suspicion.
"""

from pii_guard.signs import due
from pii_guard.span import SUSPECT, Span

__all__ = ["SUSPECT", "Span", "scan"]


def scan(text: str) -> list[Span]:
    """All spans, in order, without overlap. Nothing to find costs a few tests for characters."""
    found = [span for recogniser in due(text) for span in recogniser(text)]
    return apart(found) if found else found


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
