"""Columns: of most objects of a draft nothing changes, and that is seen of many of them at once.

A test for a word of `pii_guard.paths` says of a whole column of a Block (`pii_guard.blocks`) which of its values the
treatment of that word would give back as they are, most often after a look at the distinct ones. An object is clear
when all of its values are.

Exact: whatever is not proven here is walked through `pii_guard.treatments`, one by one, and so is a property for whose
word there is no test. Nothing but the walk changes anything. What a treatment writes down of a value that stays (an
address that is kept) is written down here of the objects that are clear, and of no other.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, compress, islice
from typing import Any, NamedTuple

from normalize import Role
from pii_guard import Category
from pii_guard.blocks import Block, Blocks, Column, layouts
from pii_guard.paths import ANY_OF, NESTED, PROPERTIES, REQUIRED
from pii_guard.policy import Ruling
from pii_guard.shapes import ALGORITHM, DIGEST, DOMAIN, HEX, LANGUAGE, TIME, is_address
from pii_guard.treatments import REFERENCES, Walk, is_marking, of_nobody

Flags = list[bool] | None
"""For each value, whether it stays as it is; None: each does."""
Test = Callable[[Walk, Column], Flags]

_WALKED = frozenset({"identity", "threat-actor", "marking-definition"})
"""Objects of which more is asked than what their properties are."""
_IDS = {
    kind: re.compile(rf"(?:{kind}--[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\n)*+").fullmatch
    for kind in PROPERTIES
}
_NUMBERS = frozenset({bool, int, float})


class Note(NamedTuple):
    """A value that stays by a ruling, to be written down."""

    category: Category
    ruling: Ruling
    value: str
    role: Role | None
    """None: it is marked alone."""


Notes = list[Sequence[Note] | None]
"""For each value what is to be written down of it; None: it is not proven that it stays."""


class _Judged:
    """A block, and which of its objects are clear."""

    __slots__ = ("block", "clear")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.clear: Flags = [False] * len(block.rows)

    def rows(self) -> list[int]:
        """Places of the objects that are clear."""
        return self.block.rows if self.clear is None else list(compress(self.block.rows, self.clear))

    def values(self, key: str) -> Column:
        """A property of the objects that are clear."""
        column = self.block.columns[key]
        return column if self.clear is None else list(compress(column, self.clear))


class Columns:
    """The objects of one draft, and which of them are clear."""

    __slots__ = ("_count", "_judged")

    def __init__(self, walk: Walk, blocks: Blocks) -> None:
        self._count = len(blocks.objects)
        walk.eraser.read_ahead(chain.from_iterable(_texts(walk, block) for block in blocks.all))
        self._judged = [_Judged(block) for block in blocks.all]
        for each in self._judged:
            _judge(walk, each)

    def left(self) -> list[int]:
        """Places of the objects that are not clear, in order."""
        flags = bytearray(b"\1") * self._count
        for each in self._judged:
            for row in each.rows():
                flags[row] = 0
        return list(compress(range(self._count), flags))

    def naming(self, ids: AbstractSet[str]) -> Iterator[tuple[int, str]]:
        """Place and id of the clear objects that refer to any of these, or have such an id."""
        for each in self._judged:
            found: set[int] = set()
            rows, own = each.rows(), each.values("id") if "id" in each.block.columns else ()
            for key, listed in (("id", False), *REFERENCES.get(each.block.kind, ())):
                if not rows or key not in each.block.columns:
                    continue
                column = each.values(key)
                if listed:
                    if not ids.isdisjoint(chain.from_iterable(column)):
                        found.update(at for at, refs in enumerate(column) if not ids.isdisjoint(refs))
                elif not ids.isdisjoint(column):
                    found.update(at for at, ref in enumerate(column) if ref in ids)
            yield from ((rows[at], own[at]) for at in found)


def _judge(walk: Walk, judged: _Judged) -> None:
    """Set `clear`, and write down what is to be written of the objects that are."""
    block = judged.block
    kind, columns = block.kind, block.columns
    words = PROPERTIES.get(kind)
    if words is None or kind in _WALKED or not columns.keys() <= words.keys() or not _complete(kind, columns):
        return
    try:
        clear = _of_kind(kind, columns["id"])
        noted: list[tuple[str, Notes]] = []
        for key, column in columns.items():
            word = words[key]
            if word in _NOTING:
                notes = _NOTING[word](walk, block, column)
                noted.append((key, notes))
                clear = _both(clear, [note is not None for note in notes] if None in notes else None)
            elif word not in ("id", "type"):
                clear = _both(clear, _TESTS[word](walk, column))
    except (KeyError, TypeError, AttributeError):
        return  # a word without a test, or a value that is of no type that it should be
    judged.clear = clear
    for key, notes in noted:
        _write(walk, judged, key, notes)


def _complete(kind: str, columns: Mapping[str, Column]) -> bool:
    choice = ANY_OF.get(kind)
    has = columns.keys()
    return set(REQUIRED.get(kind, ())) <= has and (choice is None or not has.isdisjoint(choice)) and "id" in has


def _of_kind(kind: str, column: Column) -> Flags:
    """Ids: of their object's type."""
    lines = "\n".join(column) + "\n"
    if lines.count("\n") == len(column) and _IDS[kind](lines):
        return None
    return [("\n" not in each and _IDS[kind](f"{each}\n") is not None) for each in column]


def _both(one: Flags, other: Flags) -> Flags:
    if one is None or other is None:
        return one if other is None else other
    return [a and b for a, b in zip(one, other, strict=True)]


def _write(walk: Walk, judged: _Judged, key: str, notes: Notes) -> None:
    """Marks and findings of one column of the objects that are clear."""
    rows: Iterable[tuple[int, Sequence[Note] | None]] = zip(judged.block.rows, notes, strict=True)
    counts: Counter[tuple[Category, Role]] = Counter()
    first: dict[tuple[Category, Role], tuple[Ruling, int]] = {}
    for row, noted in rows if judged.clear is None else compress(rows, judged.clear):
        for note in noted or ():
            walk.eraser.mark(note.category, note.ruling, note.value)
            if note.role is not None:
                counts[note.category, note.role] += 1
                first.setdefault((note.category, note.role), (note.ruling, row))
    for (category, role), count in counts.items():
        ruling, row = first[category, role]
        walk.eraser.ledger.record(category, role, ruling, key, row, count=count)


# Tests of the words of `pii_guard.paths`. A value of another type than its word has raises, or is not clear.


def _all(check: Callable[[Any], object]) -> Test:
    """A test that asks for each of the distinct values."""

    def test(_walk: Walk, column: Column) -> Flags:
        distinct = set(column)
        if all(map(check, distinct)):
            return None
        good = set(filter(check, distinct))
        return [value in good for value in column]

    return test


def _data(_walk: Walk, column: Column) -> Flags:
    return None if _NUMBERS.issuperset(map(type, column)) else [type(value) in _NUMBERS for value in column]


def _text(walk: Walk, column: Column) -> Flags:
    distinct = set(column)
    return None if distinct <= walk.clean else [value in walk.clean for value in column]


def _prose(walk: Walk, column: Column) -> Flags:
    return [False] * len(column) if walk.eraser.wordless else _text(walk, column)


def _domain(walk: Walk, column: Column) -> Flags:
    return None if set(column) <= walk.clean else [value in walk.clean or DOMAIN(value) is not None for value in column]


def _path(walk: Walk, column: Column) -> Flags:
    good = {value for value in set(column) & walk.clean if "\\" not in value and "/" not in value}
    return [value in good for value in column]


def _reference(walk: Walk, column: Column) -> Flags:
    others = set(column) - walk.ids
    if all(map(of_nobody, others)):
        return None
    return [value in walk.ids or of_nobody(value) for value in column]


def _url(walk: Walk, column: Column) -> Flags:
    def stays(url: str) -> bool:
        return walk.eraser.is_plain_url(url) or (url in walk.clean and "%" not in url)

    return _all(stays)(walk, column)


def _digests(_walk: Walk, column: Column) -> Flags:
    return [
        type(value) is dict and all(ALGORITHM(name) and DIGEST(digest) for name, digest in value.items())
        for value in column
    ]


_DIGESTS = re.compile(r"(?:[0-9A-Fa-f]{16,128}\n)*+").fullmatch


def _digests_all(values: Column) -> bool:
    return _DIGESTS("\n".join(values) + "\n") is not None


def _hexadecimal(walk: Walk, column: Column) -> Flags:
    return _all(lambda value: HEX(value) and not value.isdigit())(walk, column)


def _each(test: Test) -> Test:
    """A test of lists: of all elements at once."""

    def test_lists(walk: Walk, column: Column) -> Flags:
        if any(type(value) is not list for value in column):
            raise TypeError
        flags = test(walk, list(chain.from_iterable(column)))
        if flags is None:
            return None
        rest = iter(flags)
        return [all(list(islice(rest, len(value)))) for value in column]

    return test_lists


def _objects(name: str) -> Test:
    """A test of objects within objects."""
    words = NESTED[name]

    def test(walk: Walk, column: Column) -> Flags:
        flags = [False] * len(column)
        if any(type(value) is not dict for value in column):
            raise TypeError
        for rows, columns in layouts(column):
            clear: Flags = None
            for key, values in columns.items():
                clear = _both(clear, _TESTS[words[key]](walk, values))
            for row in rows if clear is None else compress(rows, clear):
                flags[row] = True
        return None if all(flags) else flags

    return test


_TESTS: dict[str, Test] = {
    "plain": _data,
    "time": _all(TIME),
    "hex": _hexadecimal,
    "hashes": _digests,
    "word": _text,
    "words": _each(_text),
    "language": _all(LANGUAGE),
    "term": _text,
    "terms": _each(_text),
    "version": _text,
    "prose": _prose,
    "title": _prose,
    "list-of:prose": _each(_prose),
    "url": _url,
    "file-path": _path,
    "domain": _domain,
    "ref": _reference,
    "refs": _each(_reference),
    "markings": _each(_all(is_marking)),
    "list:external-reference": _each(_objects("external-reference")),
    "list:kill-chain-phase": _each(_objects("kill-chain-phase")),
}


# What stays by a ruling.


def _addresses(category: Category) -> Callable[[Walk, Block, Column], Notes]:
    def notes(walk: Walk, block: Block, column: Column) -> Notes:
        made: Notes = []
        for value, identifier in zip(column, block.columns["id"], strict=True):
            role = walk.eraser.roles.of_value(block.kind, value, identifier)
            ruling = walk.eraser.rulings[category, role]
            stays = type(value) is str and ruling.action == "keep" and is_address(category, value)
            made.append((Note(category, ruling, value, role),) if stays else None)
        return made

    return notes


def _observed_urls(walk: Walk, block: Block, column: Column) -> Notes:
    roles = walk.eraser.roles
    return [
        _observed_url(walk, value, roles.of_value("url", value, identifier))
        for value, identifier in zip(column, block.columns["id"], strict=True)
    ]


def _observed_url(walk: Walk, url: str, role: Role) -> Sequence[Note] | None:
    rulings = walk.eraser.kept(url, role)
    return None if rulings is None else [Note("url-personal", ruling, url, None) for ruling in rulings]


def _patterns(walk: Walk, block: Block, column: Column) -> Notes:
    """Patterns of plain comparisons. `Reading.without` gives back such a one as it stands, if each of them may stay."""
    compared = walk.patterns.of(block)
    made: Notes = [()] * len(column)
    for (kind, path), (rows, values) in compared.places.items():
        for row, noted in _compared(walk, kind, path, rows, values):
            so_far = made[row]
            made[row] = None if noted is None or so_far is None else (*so_far, *noted)
    for row, _ in compared.odd:
        made[row] = None
    return made


Noted = tuple[int, Sequence[Note] | None]


def _compared(walk: Walk, kind: str, path: str, rows: Sequence[int], values: Sequence[Any]) -> Iterable[Noted]:
    """Of the values at one place (`treatments.may_compare`) those that do not stay, or of which something is to be
    written down, with their rows."""
    known = walk.patterns.place(kind, path)
    if not known.allowed or known.forbidden is not None or not known.plain:
        return [(row, None) for row in rows]
    roles, rulings = walk.eraser.roles, walk.eraser.rulings
    if (category := known.category) is not None:
        noted: dict[Any, Sequence[Note] | None] = {}
        for value in set(values):
            role = roles.of_value(kind, value)
            ruling = rulings[category, role]
            noted[value] = (Note(category, ruling, value, role),) if ruling.action == "keep" else None
        return zip(rows, map(noted.__getitem__, values), strict=True)
    if kind == "url" and known.first != "hashes":
        urls = zip(rows, values, strict=True)
        return [(row, _observed_url(walk, value, roles.of_value(kind, value))) for row, value in urls]
    if known.first == "hashes":
        left = () if _digests_all(values) else {value for value in values if type(value) is str and not DIGEST(value)}
    else:
        left = set(values) - walk.clean
        if kind in ("file", "directory", "windows-registry-key", "process"):
            left |= {value for value in values if "\\" in value or "/" in value}
    return [(row, None) for row, value in zip(rows, values, strict=True) if value in left] if left else ()


_NOTING: dict[str, Callable[[Walk, Block, Column], Notes]] = {
    "pattern": _patterns,
    "url-sco": _observed_urls,
    "address:ipv4": _addresses("ipv4"),
    "address:ipv6": _addresses("ipv6"),
    "address:mac": _addresses("mac"),
    "address:email": _addresses("email"),
}


# Texts in which something might be found, to be read ahead.


def _texts(walk: Walk, block: Block) -> Iterator[str]:
    words = PROPERTIES.get(block.kind, {})
    for key, column in block.columns.items():
        word = words.get(key)
        if word in _LOOKED_AT:
            yield from _strings(column)
        elif word in ("words", "terms", "list-of:prose"):
            yield from _strings(chain.from_iterable(_of(list, column)))
        elif word in ("list:external-reference", "list:kill-chain-phase"):
            for inner in _of(dict, chain.from_iterable(_of(list, column))):
                yield from _strings(inner.values())
        elif word == "pattern":
            yield from _compared_texts(walk, block)
        elif word == "url-sco":
            yield from chain.from_iterable(filter(None, map(walk.eraser.url_parts, _strings(column))))


_LOOKED_AT = frozenset({"word", "term", "version", "prose", "title", "url", "file-path", "domain"})


def _strings(values: Iterable[Any]) -> set[str]:
    try:
        distinct = set(values)
    except TypeError:
        return set()
    return distinct if {str}.issuperset(map(type, distinct)) else {value for value in distinct if type(value) is str}


def _of(kind: type, values: Iterable[Any]) -> list[Any]:
    return [value for value in values if type(value) is kind]


def _compared_texts(walk: Walk, block: Block) -> Iterator[str]:
    for (kind, _), (_, values) in walk.patterns.of(block).places.items():
        if kind == "domain-name":
            yield from map(str, values)
        elif kind == "url":
            for value in values:
                yield from walk.eraser.url_parts(str(value)) or ()
