"""Every profile as compressed bitmaps: exact, incremental, rebuilt from the registry at start.

A subscriber is one bit (its number). `put` of a known number replaces, `remove` takes everything back: for that the
index keeps of each profile one compact `Entry`, from which it derives what to add and what to discard.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args

import msgspec
from msgspec import Struct
from pyroaring import BitMap

from filtering import FilteringError
from filtering.agents import Agents, Clients, Scope
from filtering.catalogue import Catalogue
from filtering.naming import Installed, installed, opt_out
from filtering.network import Networks, Owners, check
from filtering.postings import Postings
from normalize import Kind, Observable, Urgency, sectors, suffixes
from subscribers import Maturity, Profile, Quiet, Size, Subscriber, SubscriberKind
from tlp import Label

KINDS: frozenset[str] = frozenset(get_args(Kind))
SERVING: frozenset[str] = frozenset({"supplier", "cert"})
"""They act for their clients by mandate or task; a partnership only with `serves_members`."""
_STANDING: frozenset[str] = frozenset({"partnership", "supplier", "cert"})
"""They stand for their members. Nobody else does, whatever a profile lists."""


class Entry(Struct, frozen=True, array_like=True):
    """What the index holds of one subscriber."""

    id: str
    kind: SubscriberKind
    size: Size
    maturity: Maturity
    country: str
    region: str
    urgency: Urgency
    label: Label
    until: datetime | None
    verified: bool
    confidential: bool
    alerts: bool
    """Has it a channel for alerts, and one for what goes in an edition only?"""
    editions: bool
    sectors: tuple[str, ...]
    """Of the profile."""
    scope_sectors: tuple[str, ...]
    scope_regions: tuple[str, ...]
    members: tuple[str, ...]
    serves: bool
    software: tuple[Installed, ...]
    networks: tuple[str, ...]
    domains: tuple[str, ...]
    """Without public suffixes: nobody holds those."""
    opt_kinds: tuple[str, ...]
    opt_products: tuple[str, ...]
    quiet: Quiet | None


def scope_of(profile: Profile) -> Scope:
    """The constituency of a partnership or CERT. A supplier stands for those alone that gave it their mandate."""
    scope = profile.scope
    return Scope(scope.sectors, scope.regions) if profile.kind in ("partnership", "cert") else Scope((), ())


_DECODER = msgspec.msgpack.Decoder(Entry)


def entry(subscriber: Subscriber) -> Entry:
    """The index's view of a subscriber."""
    profile, clearance = subscriber.profile, subscriber.clearance
    scope = scope_of(profile)
    lines = dict.fromkeys(line for line in map(installed, profile.software) if line.names or line.purl)
    return Entry(
        id=subscriber.id,
        kind=profile.kind,
        size=profile.size,
        maturity=profile.maturity,
        country=profile.country,
        region=profile.region,
        urgency=profile.min_urgency,
        label=clearance.highest,
        until=clearance.until,
        verified=profile.verified,
        confidential=any(contact.confidential for contact in subscriber.contacts),
        alerts=subscriber.reachable(edition=False),
        editions=subscriber.reachable(edition=True),
        sectors=profile.sectors,
        scope_sectors=scope.sectors,
        scope_regions=scope.regions,
        members=profile.members if profile.kind in _STANDING else (),
        serves=profile.kind in SERVING or profile.serves_members,
        software=tuple(lines),
        networks=profile.networks,
        domains=tuple(name for name in profile.domains if not suffixes.public(name)),
        opt_kinds=tuple(text for text in profile.opt_out if text in KINDS),
        opt_products=tuple(opt_out(text) for text in profile.opt_out if text not in KINDS),
        quiet=profile.quiet,
    )


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
        self.ids: dict[str, int] = {}
        self.kinds: Postings[str] = Postings()
        self.sizes: Postings[str] = Postings()
        self.maturities: Postings[str] = Postings()
        self.countries: Postings[str] = Postings()
        self.regions: Postings[str] = Postings()
        self.urgencies: Postings[str] = Postings()
        self.labels: Postings[Label] = Postings()
        self.until: dict[int, datetime] = {}
        self.sectors: Postings[str] = Postings()
        """By the codes of the profile and of the scope."""
        self.trades: Postings[str] = Postings()
        """By the codes of the profile alone: whom a scope means."""
        self.networks = Networks()
        self.software = Catalogue()
        self.opt_kinds: Postings[str] = Postings()
        self.opt_products: Postings[str] = Postings()
        self.quiet: Postings[Quiet] = Postings()
        self.agents = Agents(self.everyone, self.ids, self.regions, self.trades)
        self._entries: dict[int, bytes] = {}

    @classmethod
    def build(cls, subscribers: Iterable[Subscriber], revision: int = 0) -> "Index":
        """An index of all these, as the registry stood at that revision."""
        index = cls(revision)
        for subscriber in subscribers:
            index.put(subscriber)
        return index

    def __len__(self) -> int:
        return len(self.everyone)

    def put(self, subscriber: Subscriber) -> None:
        """Add a subscriber, or replace what is known under its number. Raises FilteringError, and is unchanged then."""
        number = subscriber.number
        fresh = entry(subscriber)
        taken = self.ids.get(fresh.id)
        if taken is not None and taken != number:
            raise FilteringError("two numbers for one subscriber: build the index anew from the registry")
        check(fresh.networks)
        data = msgspec.msgpack.encode(fresh)
        if (known := self._entries.get(number)) is not None:
            if known == data:
                return
            self.remove(number)
        self._change(number, fresh, add=True)
        self._entries[number] = data

    def remove(self, number: int) -> None:
        """Forget a subscriber; an unknown number is nothing to do."""
        data = self._entries.pop(number, None)
        if data is not None:
            self._change(number, _DECODER.decode(data), add=False)

    def entry(self, number: int) -> Entry:
        """What the index holds of one subscriber. KeyError for an unknown number."""
        return _DECODER.decode(self._entries[number])

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
        stood: list[tuple[int, bytes | None]] = []
        supposed: list[Subscriber] = []
        try:
            for one in what_if:
                number = self.ids.get(one.id, self.everyone.max() + 1 if self.everyone else 1)
                supposed.append(msgspec.structs.replace(one, number=number))
                stood.append((number, self._entries.get(number)))
                self.put(supposed[-1])
            yield supposed
        finally:
            for number, before in reversed(stood):
                self.remove(number)
                if before is not None:
                    self._change(number, _DECODER.decode(before), add=True)
                    self._entries[number] = before

    def _change(self, number: int, one: Entry, *, add: bool) -> None:
        """The one list of what a profile stands under; adding and taking back are the same walk."""
        if add:
            self.networks.add(one.networks, one.domains, number)
            self.software.add(one.software, number)
            self.ids[one.id] = number
        else:
            self.networks.discard(one.networks, one.domains, number)
            self.software.discard(one.software, number)
            del self.ids[one.id]
            self.until.pop(number, None)
            self.agents.discard(number)
        for posting, keys in self._keys(one):
            change = posting.add if add else posting.discard
            for key in keys:
                change(key, number)
        for bits, holds in (
            (self.everyone, True),
            (self.verified, one.verified),
            (self.confidential, one.confidential),
            (self.alerts, one.alerts),
            (self.editions, one.editions),
            (self.lists_software, bool(one.software)),
        ):
            if holds:
                (bits.add if add else bits.discard)(number)
        if add and one.until is not None:
            self.until[number] = one.until
        self.agents.note(number, one.id, one.region, one.sectors, add=add)
        scope = Scope(one.scope_sectors, one.scope_regions)
        if add and (one.members or any(scope)):
            self.agents.add(number, Clients(one.members, scope if any(scope) else None, one.serves))

    def _keys(self, one: Entry) -> Iterator[tuple[Postings[Any], Sequence[object]]]:
        yield self.kinds, (one.kind,)
        yield self.sizes, (one.size,)
        yield self.maturities, (one.maturity,)
        yield self.countries, (one.country,)
        yield self.regions, (one.region,)
        yield self.urgencies, (one.urgency,)
        yield self.labels, (one.label,)
        yield self.sectors, (*one.sectors, *one.scope_sectors)
        yield self.trades, one.sectors
        yield self.opt_kinds, one.opt_kinds
        yield self.opt_products, one.opt_products
        yield self.quiet, (one.quiet,) if one.quiet else ()

    def in_sectors(self, codes: Iterable[str]) -> BitMap:
        """Who has a sector that meets one of these: one of the two covers the other."""
        return self.sectors.union({mine for code in codes for mine in self.sectors if sectors_meet(code, mine)})

    def owners(self, observables: Sequence[Observable]) -> Owners:
        """All holders of what some observables lie in, verified or not, in one pass."""
        return self.networks.owners(observables, self.verified)


@lru_cache(maxsize=262144)
def sectors_meet(one: str, other: str) -> bool:
    """A code means everything below it, on both sides: they meet if one of the two covers the other."""
    return sectors.covers(one, other) or sectors.covers(other, one)
