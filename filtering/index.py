"""Every profile as compressed bitmaps: exact, incremental, built from the registry or restored (`filtering.snapshot`).

A subscriber is one bit (its number). `put` of a known number replaces, `remove` takes everything back: for that the
index keeps a record of each (`filtering.entries`), from which it derives what to add and what to discard.
"""

import gc
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from pyroaring import BitMap

from filtering import FilteringError
from filtering.agents import Agents, Place
from filtering.catalogue import Catalogue
from filtering.entries import Entry, Record, Shape, domains_of, line_of, members_of, read_line, read_shape, shape_of
from filtering.network import Gathering, Networks, Owners, check
from filtering.postings import Postings
from filtering.records import Packer, Records, Table
from normalize import Observable, sectors
from subscribers import Quiet, Scope, Subscriber
from tlp import Label

_NO_SCOPE = Scope()


class Index:
    """All subscribers, by everything that decides whom an item concerns."""

    def __init__(self, revision: int = 0) -> None:
        self.revision = revision
        """The registry's revision that this index reflects; its keeper sets it."""
        self.everyone = BitMap()
        self.verified = BitMap()
        self.confidential = BitMap()
        self.alerts = BitMap()
        self.editions = BitMap()
        self.lists_software = BitMap()
        self.kinds: Postings[str] = Postings()
        self.sizes: Postings[str] = Postings()
        self.maturities: Postings[str] = Postings()
        self.countries: Postings[str] = Postings()
        self.regions: Postings[str] = Postings()
        self.urgencies: Postings[str] = Postings()
        self.labels: Postings[Label] = Postings()
        self.until: Postings[datetime] = Postings()
        """Until when a clearance holds."""
        self.sectors: Postings[str] = Postings()
        """By the codes of the profile and of the scope."""
        self.trades: Postings[str] = Postings()
        """By the codes of the profile alone: whom a scope means."""
        self.opt_kinds: Postings[str] = Postings()
        self.opt_products: Postings[str] = Postings()
        self.quiet: Postings[Quiet] = Postings()
        self.software = Catalogue()
        self.records = Records()
        self.networks = Networks(self.records.stale, lambda number: self._record(number).domains)
        self.agents = Agents(self.everyone, self.regions, self.trades, self.number, self._place)

    @classmethod
    def build(cls, subscribers: Iterable[Subscriber], revision: int = 0) -> "Index":
        """An index of all these, as the registry stood at that revision.

        What many share is entered once for all of them; who does not come by rising number, alone.
        """
        with _no_collecting():
            return cls._built(subscribers, revision)

    @classmethod
    def _built(cls, subscribers: Iterable[Subscriber], revision: int) -> "Index":
        index, last, late = cls(revision), -1, []
        shapes: defaultdict[int, array[int]] = defaultdict(lambda: array("I"))
        lines: defaultdict[int, array[int]] = defaultdict(lambda: array("I"))
        packer, holdings, standing = Packer(), Gathering(), []
        for subscriber in subscribers:
            number, record = subscriber.number, index._made(subscriber)
            if number <= last:
                late.append(subscriber)
                continue
            last = number
            packer.add(number, record)
            holdings.add(record.networks, record.domains, number)
            index.networks.add_systems(record.networks, number)
            shapes[record.shape].append(number)
            for line in record.software:
                lines[line].append(number)
            if record.members or subscriber.profile.scope != _NO_SCOPE:
                standing.append((number, record))
        index.records.packed = packer.done()
        index.networks.pack(holdings.done())
        index._shaped({read_shape(index.records.shapes[each]): BitMap(numbers) for each, numbers in shapes.items()})
        for line, numbers in lines.items():
            index.software.extend(read_line(index.records.lines[line]), BitMap(numbers))
            index.lists_software.update(numbers)
        for number, record in standing:
            if (clients := index.records.entry(record).clients) is not None:
                index.agents.add(number, clients)
        index.everyone.run_optimize()
        for subscriber in late:
            index.put(subscriber)
        return index

    def pack(self) -> None:
        """Put what changed since together with the rest, and leave out what went. Nothing else is different then.

        Nobody may ask the index meanwhile.
        """
        records = self.records
        if not (records.fresh or records.stale):
            return
        packer, holdings = Packer(), Gathering()
        shapes, lines = Table(), Table()
        for number, record in records.all(self.everyone):
            shape = shapes.number(records.shapes[record.shape])
            software = tuple(lines.number(records.lines[line]) for line in record.software)
            packer.add(number, msgspec.structs.replace(record, shape=shape, software=software))
            holdings.add(record.networks, record.domains, number)
        packed, held = packer.done(), holdings.done()
        records.pack(packed, shapes, lines)
        self.networks.pack(held)

    def _shaped(self, shapes: dict[Shape, BitMap]) -> None:
        """Enter all by what they share, under each key that their shapes have, at once."""
        parts: defaultdict[tuple[int, Any], list[BitMap]] = defaultdict(list)
        flags: list[list[BitMap]] = [[] for _ in range(5)]
        for shape, numbers in shapes.items():
            for at, (_, keys) in enumerate(self._keys(shape)):
                for key in keys:
                    parts[at, key].append(numbers)
            for found, (_, holds) in zip(flags, self._flags(shape), strict=True):
                if holds:
                    found.append(numbers)
        if not shapes:
            return
        postings = [posting for posting, _ in self._keys(next(iter(shapes)))]
        for (at, key), found in parts.items():
            postings[at].extend(key, BitMap.union(*found))
        for (bits, _), found in zip(self._flags(next(iter(shapes))), flags, strict=True):
            bits.update(*found)

    def __len__(self) -> int:
        return len(self.everyone)

    def number(self, id_: str) -> int | None:
        """The number of a subscriber; None: it holds none with this id."""
        return self.records.get(id_)

    def entry(self, number: int) -> Entry:
        """What the index holds of one subscriber. KeyError for an unknown number."""
        return self.records.entry(self._record(number))

    def _place(self, number: int) -> Place:
        shape = read_shape(self.records.shapes[self._record(number).shape])
        return shape.region, shape.sectors

    def _record(self, number: int) -> Record:
        found = self.records.record(number)
        if found is None:
            raise KeyError(number)
        return found

    def _made(self, subscriber: Subscriber) -> Record:
        """The index's view of a subscriber."""
        profile, records = subscriber.profile, self.records
        lines = dict.fromkeys(filter(None, map(line_of, profile.software)))
        return Record(
            subscriber.id,
            records.shapes.number(shape_of(subscriber)),
            tuple(map(records.lines.number, lines)),
            profile.networks,
            domains_of(profile),
            members_of(profile),
        )

    def put(self, subscriber: Subscriber) -> None:
        """Add a subscriber, or replace what is known under its number. Raises FilteringError, and is unchanged then."""
        number, taken = subscriber.number, self.number(subscriber.id)
        if taken is not None and taken != number:
            raise FilteringError("two numbers for one subscriber: build the index anew from the registry")
        check(subscriber.profile.networks)
        fresh = self._made(subscriber)
        known = self.records.record(number)
        if known == fresh:
            return
        if known is not None:
            self.remove(number)
        self._enter(number, fresh)

    def remove(self, number: int) -> None:
        """Forget a subscriber; an unknown number is nothing to do."""
        record = self.records.record(number)
        if record is None:
            return
        entry = self.records.entry(record)
        if self.records.is_fresh(number):
            self.networks.discard(record.networks, record.domains, number)
        else:
            self.networks.discard_systems(record.networks, number)
        self.records.take(number, record)
        self.software.discard(entry.software, number)
        self.agents.discard(number)
        self._change(number, entry, add=False)

    def _enter(self, number: int, record: Record) -> None:
        entry = self.records.entry(record)
        self.networks.add(record.networks, record.domains, number)
        self.records.put(number, record)
        self.software.add(entry.software, number)
        self._change(number, entry, add=True)
        if (clients := entry.clients) is not None:
            self.agents.add(number, clients)

    def apply(self, changes: Iterable[tuple[int, Subscriber | None]], revision: int) -> None:
        """Follow the registry: `registry.changed_since`; None means removed."""
        for number, subscriber in changes:
            if subscriber is None:
                self.remove(number)
            else:
                self.put(subscriber)
        self.revision = revision

    @contextmanager
    def supposing(self, what_if: Iterable[Subscriber]) -> Iterator[list[Subscriber]]:
        """As if these were registered so, as long as the block runs. Whoever is registered under an id gets its number,
        others get numbers that are free; afterwards everything is as it was."""
        stood: list[tuple[int, Record | None]] = []
        supposed: list[Subscriber] = []
        try:
            for one in what_if:
                known = self.number(one.id)
                number = known if known is not None else self.everyone.max() + 1 if self.everyone else 1
                supposed.append(msgspec.structs.replace(one, number=number))
                stood.append((number, self.records.record(number)))
                self.put(supposed[-1])
            yield supposed
        finally:
            for number, before in reversed(stood):
                self.remove(number)
                if before is not None:
                    self._enter(number, before)

    def _change(self, number: int, entry: Entry, *, add: bool) -> None:
        """What a profile stands under; adding and taking back are the same walk."""
        shape = entry.shape
        for posting, keys in self._keys(shape):
            change = posting.add if add else posting.discard
            for key in keys:
                change(key, number)
        for bits, holds in (*self._flags(shape), (self.lists_software, bool(entry.software))):
            if holds:
                (bits.add if add else bits.discard)(number)
        self.agents.note(number, entry.id, (shape.region, shape.sectors), add=add)

    def _keys(self, shape: Shape) -> Iterator[tuple[Postings[Any], Sequence[object]]]:
        yield self.kinds, (shape.kind,)
        yield self.sizes, (shape.size,)
        yield self.maturities, (shape.maturity,)
        yield self.countries, (shape.country,)
        yield self.regions, (shape.region,)
        yield self.urgencies, (shape.urgency,)
        yield self.labels, (shape.label,)
        yield self.until, (shape.until,) if shape.until else ()
        yield self.sectors, (*shape.sectors, *shape.scope_sectors)
        yield self.trades, shape.sectors
        yield self.opt_kinds, shape.opt_kinds
        yield self.opt_products, shape.opt_products
        yield self.quiet, (shape.quiet,) if shape.quiet else ()

    def _flags(self, shape: Shape) -> Iterator[tuple[BitMap, bool]]:
        yield self.everyone, True
        yield self.verified, shape.verified
        yield self.confidential, shape.confidential
        yield self.alerts, shape.alerts
        yield self.editions, shape.editions

    def in_sectors(self, codes: Iterable[str]) -> BitMap:
        """Who has a sector that meets one of these: one of the two covers the other."""
        return self.sectors.union({mine for code in codes for mine in self.sectors if sectors_meet(code, mine)})

    def owners(self, observables: Sequence[Observable]) -> Owners:
        """All holders of what some observables lie in, verified or not, in one pass."""
        return self.networks.owners(observables, self.verified)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Millions of objects come and go that are in no cycle: looking for cycles among them costs a fifth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@lru_cache(maxsize=262144)
def sectors_meet(one: str, other: str) -> bool:
    """A code means everything below it, on both sides: they meet if one of the two covers the other."""
    return sectors.covers(one, other) or sectors.covers(other, one)
