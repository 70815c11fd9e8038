"""Blocks: the objects of a draft by type and layout, so that many are looked at together.

Objects of one type with the same properties in the same order are a Block; each property is a column of it. Made once
for a draft; evidence (`pii_guard.roles`), names and columns (`pii_guard.columns`) are all read from it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, compress
from typing import Any

Column = Sequence[Any]
Layout = tuple[str, ...]


class Block:
    """Objects of one type with the same properties: their places in the draft, and the columns."""

    __slots__ = ("columns", "kind", "rows")

    def __init__(self, kind: str, rows: list[int], columns: dict[str, Column]) -> None:
        self.kind, self.rows, self.columns = kind, rows, columns

    def where(self, *keys: str) -> Iterator[tuple[Any, ...]]:
        """The values of these properties, object by object; nothing where one of the properties is not there."""
        if all(key in self.columns for key in keys):
            yield from zip(*(self.columns[key] for key in keys), strict=True)


class Blocks:
    """All objects of one draft; those of no type that is a text are in `objects` alone."""

    __slots__ = ("all", "objects")

    def __init__(self, objects: Sequence[dict[str, Any]]) -> None:
        self.objects = objects
        self.all = list(_blocks(objects))

    def of(self, *kinds: str) -> Iterator[Block]:
        """The blocks of these types."""
        return (block for block in self.all if block.kind in kinds)

    def ids(self) -> frozenset[str]:
        """Every id, as text."""
        if sum(len(block.rows) for block in self.all) < len(self.objects):
            return frozenset([str(obj.get("id")) for obj in self.objects])
        return frozenset(chain.from_iterable(map(str, block.columns.get("id", (None,))) for block in self.all))


def layouts(objects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[int], dict[str, Column]]]:
    """Places and columns of objects with the same properties."""
    found: defaultdict[Layout, list[int]] = defaultdict(list)
    for index, layout in enumerate(map(tuple, objects)):
        found[layout].append(index)
    for layout, rows in found.items():
        values = zip(*[objects[row].values() for row in rows], strict=True)
        yield rows, dict(zip(layout, values, strict=True))


def _blocks(objects: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    for rows, columns in layouts(objects):
        kinds = columns.get("type")
        if kinds is None or set(map(type, kinds)) != {str}:
            continue
        if len(distinct := set(kinds)) == 1:
            yield Block(kinds[0], rows, columns)
            continue
        for one in distinct:
            mine = [kind == one for kind in kinds]
            yield Block(
                one,
                list(compress(rows, mine)),
                {key: list(compress(column, mine)) for key, column in columns.items()},
            )
