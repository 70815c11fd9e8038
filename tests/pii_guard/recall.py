"""Recall and precision on the labelled texts: `python -m tests.pii_guard.recall` prints the table.

Counted as `labelled/README.md` says: a span is found when every character of it, blanks and signs aside, lies in a
finding, whatever its category; a finding is wrong when it touches neither a span nor a doubtful one. A name counts as
found when it is a suspicion, since names never are more; everything else has to be recognised.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pii_guard.detect import SUSPECT, Span, scan
from tests.pii_guard.labelled import Labelled, load


class Figures(NamedTuple):
    """Of one category."""

    spans: int
    recall: float
    held: float
    """Recall, suspicions (for a person to look at) included."""
    found: int
    precision: float
    """Of what was recognised; of names, of what was suspected."""


UNSEEN = Path(__file__).parent / "unseen"


def seen() -> list[Labelled]:
    """Texts that those who made the recognisers looked at."""
    return load() + load(UNSEEN / "dev")


def unseen() -> list[Labelled]:
    """Texts at which they did not look: of these they know figures alone. None, until somebody seals some."""
    return load(UNSEEN / "sealed")


def figures(texts: Iterable[Labelled]) -> dict[str, Figures]:
    """By category."""
    spans: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    suspected: Counter[str] = Counter()
    found: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for text in texts:
        every = scan(text.text)
        sure = [each for each in every if each.confidence >= SUSPECT]
        for label in text.spans:
            spans[label.category] += 1
            hits[label.category] += _gone(
                text.text, label.start, label.end, every if label.category == "name" else sure
            )
            suspected[label.category] += _gone(text.text, label.start, label.end, every)
        for each in every:
            if each.confidence >= SUSPECT or each.category == "name":
                found[each.category] += 1
                marks = (*text.spans, *text.doubtful)
                wrong[each.category] += not any(mark.start < each.end and each.start < mark.end for mark in marks)
    return {
        name: Figures(
            spans[name],
            hits[name] / max(spans[name], 1),
            suspected[name] / max(spans[name], 1),
            found[name],
            1 - wrong[name] / max(found[name], 1),
        )
        for name in sorted({*spans, *found})
    }


def _gone(text: str, start: int, end: int, found: list[Span]) -> bool:
    return all(not text[at].isalnum() or any(each.start <= at < each.end for each in found) for at in range(start, end))


def table() -> str:
    """As docs/personal-data.md has it."""
    parts = [figures(seen()), figures(unseen())]
    head = "category | spans | recall | with suspicions | precision | unseen | recall | with suspicions | precision"
    lines = [f"| {head} |", f"|{' --- |' * len(head.split('|'))}"]
    none = Figures(0, 0.0, 0.0, 0, 1.0)
    for name in sorted({*parts[0], *parts[1]}):
        cells = [cell for part in parts for cell in _cells(part.get(name, none))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(row: Figures) -> tuple[str, ...]:
    if not row.spans:
        return ("0", "", "", f"{row.precision:.3f}" if row.found else "")
    return (str(row.spans), f"{row.recall:.3f}", f"{row.held:.3f}", f"{row.precision:.3f}" if row.found else "")


if __name__ == "__main__":
    print(table())  # noqa: T201
