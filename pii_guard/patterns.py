"""The STIX patterns of a draft: each is read once, and what they compare with is seen place by place.

Source: STIX 2.1 section 9.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from normalize import NormalizeError
from normalize.patterns import Reading, reading
from pii_guard import Category
from pii_guard.blocks import Block
from pii_guard.detect_network import is_ip
from pii_guard.paths import BENEATH, CATEGORY_OF_TYPE, OBSERVABLES, PATTERN_ACCOUNT, PATTERN_NEVER, PROPERTIES
from pii_guard.shapes import ALGORITHM

_STEP = re.compile(r"([A-Za-z0-9_-]{1,60})(?:\[(?:\*|\d{1,4})\])?").fullmatch


class Place(Struct, frozen=True):
    """What is known of a property path in patterns, whatever the value."""

    first: str
    allowed: bool
    """Are the object type and the first step known?"""
    forbidden: Category | None
    """What is never kept stands there."""
    plain: bool
    """Are all further steps known names?"""
    category: Category | None


class Compared:
    """What the STIX patterns of a block compare with: place by place, each value with the object it stands in."""

    __slots__ = ("odd", "places")

    def __init__(self) -> None:
        self.places: defaultdict[tuple[str, str], tuple[list[int], list[Any]]] = defaultdict(lambda: ([], []))
        """(Object type, path) -> numbers of the objects in the block, and the values."""
        self.odd: list[tuple[int, Reading | None]] = []
        """Patterns that are more than plain comparisons, or none that can be read."""


class Patterns:
    """The patterns of one draft, each read once. Goes with the draft: it holds values."""

    __slots__ = ("_blocks", "_given", "_places", "_readings")

    def __init__(self, given: Mapping[str, Reading] | None = None) -> None:
        self._given = given or {}
        self._readings: dict[str, Reading | None] = {}
        self._blocks: dict[int, Compared] = {}
        self._places: dict[tuple[str, str], Place] = {}

    def place(self, kind: str, path: str) -> Place:
        """What is known of a property path of an object type."""
        try:
            return self._places[kind, path]
        except KeyError:
            made = self._places[kind, path] = _place(kind, path)
            return made

    def reading(self, pattern: str) -> Reading | None:
        """None: it is no valid pattern."""
        if (known := self._given.get(pattern)) is not None:
            return known
        try:
            return self._readings[pattern]
        except KeyError:
            pass
        try:
            found = reading(pattern)
        except NormalizeError:
            found = None
        self._readings[pattern] = found
        return found

    def of(self, block: Block) -> Compared:
        """The patterns of a block of indicators, as long as they are written in STIX's language."""
        if (known := self._blocks.get(id(block))) is not None:
            return known
        made = self._blocks[id(block)] = Compared()
        languages = block.columns.get("pattern_type")
        for row, (pattern,) in enumerate(block.where("pattern")):
            if type(pattern) is not str or (languages is not None and languages[row] != "stix"):
                made.odd.append((row, None))
                continue
            read = self.reading(pattern)
            if read is None or read.tree is not None:
                made.odd.append((row, read))
                continue
            for each in read.values:
                rows, values = made.places[each.type, each.path]
                rows.append(row)
                values.append(each.value)
        return made

    def compared(self, block: Block) -> Iterator[tuple[Sequence[int], str, Sequence[str]]]:
        """Numbers of objects in a block, the object type that their patterns name, and the values they compare with,
        for `roles.of_bundle`. An address that stands elsewhere than as a value counts as one all the same."""
        found = self.of(block)
        for (kind, path), (rows, values) in found.places.items():
            if path == "value" and {str}.issuperset(map(type, values)):
                yield rows, kind, values
            else:
                yield from (_apart(row, kind, path, value) for row, value in zip(rows, values, strict=True))
        for row, read in found.odd:
            for each in read.values if read is not None else ():
                yield _apart(row, each.type, each.path, each.value)


def _apart(row: int, kind: str, path: str, value: Any) -> tuple[Sequence[int], str, Sequence[str]]:
    if not isinstance(value, str):
        return (), kind, ()
    category = None if path == "value" else is_ip(value)
    return (row,), kind if category is None else f"{category}-addr", (value,)


def _place(kind: str, path: str) -> Place:
    first = path.split(".", 1)[0].split("[", 1)[0]
    table = PROPERTIES.get(kind) if kind in OBSERVABLES else None
    category = CATEGORY_OF_TYPE.get(kind) if first == "value" else None
    return Place(
        first,
        table is not None and (first in table or (kind, first) == ("file", "path")),
        PATTERN_NEVER.get((kind, first)),
        _known_path(path),
        "username" if (kind, first) in PATTERN_ACCOUNT else category,
    )


def _known_path(path: str) -> bool:
    """Are all steps of a property path, but for the first, names that are known and may be kept?"""
    first, *steps = path.split(".")
    if first.startswith("hashes"):
        return first == "hashes" and all(map(ALGORITHM, steps))
    below = [_STEP(step) for step in steps]
    known = all(found is not None and (found[1] in BENEATH or ALGORITHM(found[1])) for found in below)
    return known and _STEP(first) is not None
