"""Reach: how many subscribers lie in which segment, and what a new version of an item changes.

Counted on the bitmaps of the index, never subscriber by subscriber. A sector counts with all that lies below it, each
subscriber once; scopes of partnerships and CERTs do not count.
"""

from collections.abc import Iterator
from functools import lru_cache
from heapq import nsmallest
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from pyroaring import BitMap

from filtering import Match, Outcome
from filtering.index import Index
from normalize import NormalizeError, sectors

Dimension = Literal["sector", "size", "maturity", "kind"]
NO_SECTOR = "none"
"""Segment of those whose profile names no sector."""
_PURL = "pkg:"
_SECTIONS = tuple(f"SBI:{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTU")


class Segment(Struct, frozen=True, omit_defaults=True):
    """Subscribers that have something in common, and how many."""

    segment: Dimension | Literal["product"]
    value: str
    """A sector's code, `vendor|product` as it is compared, `pkg:type/name`, or a word of the profile."""
    subscribers: int
    share: float
    """Of all subscribers."""
    above: str | None = None
    """The next wider sector shown that holds all of it."""
    versions: dict[str, int] = {}
    """Of a product: users by version, most first; "" = the profile states none."""


class Moves(NamedTuple):
    """What a new version of an item changes: who is reached now, who no longer is, and whose outcome is another."""

    comes: BitMap
    goes: BitMap
    changed: dict[tuple[Outcome, Outcome], BitMap]


@lru_cache(maxsize=4096)
def path(code: str) -> tuple[str, ...]:
    """A sector with all it lies below, widest first: `SBI:25.62` -> SBI:C, SBI:25, SBI:25.6, SBI:25.62.

    SBI and NACE are one tree. A code of another scheme hangs under the section that holds all of it, else under its
    own scheme's: `NIS2:waste-water` under SBI:E, `NIS2:energy.oil` under NIS2:energy.
    """
    scheme, _, rest = code.partition(":")
    section = next((one for one in _SECTIONS if sectors.covers(one, code)), None)
    if scheme not in ("SBI", "NACE"):
        return tuple(dict.fromkeys((section or f"{scheme}:{rest.partition('.')[0]}", code)))
    shorter = (rest[:length] for length in (2, 4, 5, 7) if length <= len(rest))
    return tuple(dict.fromkeys((section or code, *map(_activity, shorter if rest[:1].isdigit() else ()))))


def _activity(digits: str) -> str:
    """SBI's code where SBI has it, else NACE's."""
    try:
        return sectors.parse(f"SBI:{digits}")
    except NormalizeError:
        return f"NACE:{digits}"


def largest(index: Index, most: int) -> list[Segment]:
    """The segments of each dimension, products among them, that hold most subscribers; at most so many of each."""
    by = segments(index)
    found = [*_sectors(index, most), *_products(index, most)]
    for dimension in ("size", "maturity", "kind"):
        counts = nsmallest(most, ((-len(bits), value) for value, bits in by[dimension].items()))
        found += [_segment(index, dimension, value, -count) for count, value in counts]
    return found


def _segment(index: Index, name: Dimension | Literal["product"], value: str, count: int, **more: Any) -> Segment:
    return Segment(name, value, count, round(count / len(index), 4), **more)


def _sectors(index: Index, most: int) -> Iterator[Segment]:
    """Sectors in use and those above them, but none that only hands on one below it; of equal ones the widest first."""
    below = _below(index)
    depth = {node: path(codes[0]).index(node) for node, codes in below.items()}
    deepest = {tuple(below[node]): node for node in sorted(below, key=depth.__getitem__)}
    shown = {node for node, codes in below.items() if not depth[node] or deepest[tuple(codes)] == node}
    counts = [(len(index.trades.union(below[node])), node) for node in shown]
    for count, node in sorted(counts, key=lambda each: (-each[0], depth[each[1]], each[1]))[:most]:
        above = [each for each in path(below[node][0])[: depth[node]] if each in shown]
        yield _segment(index, "sector", node, count, above=above[-1] if above else None)


def _below(index: Index) -> dict[str, list[str]]:
    """Sector -> the codes in use that lie in it."""
    found: dict[str, list[str]] = {}
    for code in index.trades:
        for node in path(code):
            found.setdefault(node, []).append(code)
    return found


def _products(index: Index, most: int) -> Iterator[Segment]:
    """By name and by purl. A line of a profile that states both counts under both."""
    for count, name in nsmallest(most, ((-len(_union(held)), name) for name, held in _catalogue(index))):
        users: dict[str, BitMap] = {}
        for version, bits in _held(index, name):
            users[version] = users.get(version, BitMap()) | bits
        versions = sorted(((version, len(bits)) for version, bits in users.items()), key=lambda each: (-each[1], each))
        yield _segment(index, "product", name, -count, versions=dict(versions))


def _catalogue(index: Index) -> Iterator[tuple[str, list[BitMap]]]:
    """Every product in use, with its users in parts."""
    for product, bucket in index.software.names.items():
        by_vendor: dict[str, list[BitMap]] = {}
        for key in bucket:
            by_vendor.setdefault(key[0], []).append(bucket.get(key))
        yield from ((f"{vendor}|{product}", parts) for vendor, parts in by_vendor.items())
    for purl, held in index.software.purls.items():
        yield purl, [held.get(version) for version in held]


def _held(index: Index, name: str) -> Iterator[tuple[str, BitMap]]:
    """Users of one product, by version."""
    if name.startswith(_PURL):
        held = index.software.purls[name]
        yield from ((version or "", held.get(version)) for version in held)
        return
    vendor, _, product = name.partition("|")
    bucket = index.software.names[product]
    yield from ((key[2] or "", bucket.get(key)) for key in bucket if key[0] == vendor)


def _union(parts: list[BitMap]) -> BitMap:
    return BitMap.union(*parts) if parts else BitMap()


def segments(index: Index) -> dict[Dimension, dict[str, BitMap]]:
    """All subscribers by each dimension: sector at its top level, size, maturity and kind."""
    tops = {node: index.trades.union(codes) for node, codes in _below(index).items() if path(node)[0] == node}
    if rest := index.everyone - _union(list(tops.values())):
        tops[NO_SECTOR] = rest
    return {
        "sector": tops,
        "size": {value: index.sizes.get(value) for value in index.sizes},
        "maturity": {value: index.maturities.get(value) for value in index.maturities},
        "kind": {value: index.kinds.get(value) for value in index.kinds},
    }


def counted(index: Index, match: Match) -> dict[Dimension, dict[str, dict[Outcome, int]]]:
    """How many of each segment got which outcome; the largest segment first."""

    def outcomes(held: BitMap) -> dict[Outcome, int]:
        found = ((outcome, bits.intersection_cardinality(held)) for outcome, bits in match.outcomes.items())
        return {outcome: count for outcome, count in found if count}

    return {
        dimension: {
            value: outcomes(held) for value, held in sorted(by.items(), key=lambda each: (-len(each[1]), each[0]))
        }
        for dimension, by in segments(index).items()
    }


def moves(before: Match, after: Match) -> Moves:
    """What changed between two matches of the same index."""
    changed = {
        (was, now): bits
        for was, had in before.outcomes.items()
        for now, has in after.outcomes.items()
        if was != now and (bits := had & has)
    }
    return Moves(after.audience - before.audience, before.audience - after.audience, changed)
