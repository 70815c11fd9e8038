"""Addresses, prefixes, AS numbers and domains -> who holds them.

An observable lies at a Place: an address or prefix, or a domain. Of a URL and of an e-mail address the host counts.
A prefix lies in another when it is no wider; a domain lies in another when it is the same or below it. What a profile
calls its own and is a public suffix (`co.uk`) holds nothing.
What changed since all was packed (`filtering.spans`) stands in a dict for each prefix length in use.
"""

import re
import socket
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from pyroaring import BitMap

from filtering import FilteringError, hashed
from filtering.hashed import Hashed
from filtering.postings import Postings
from filtering.spans import BITS, Spans
from normalize import Observable, suffixes
from subscribers import Subscriber

_MAPPED = 0xFFFF << 32
_ASN = re.compile(r"(?:AS)?(\d{1,10})", re.IGNORECASE)
Hits = dict[int, list[int]]
"""Subscriber number -> positions of the observables that lie in what it holds, rising."""


class Prefix(NamedTuple):
    """A prefix as numbers: `value` holds its first `length` bits, right-aligned."""

    family: int
    length: int
    value: int


class Place(NamedTuple):
    """Where an observable lies."""

    prefix: Prefix | None = None
    domain: str | None = None


NOWHERE = Place()


def prefix(text: str) -> Prefix | None:
    """An address or prefix; None for what is neither. An IPv4-mapped IPv6 address is that IPv4 address."""
    address, slash, bits = text.strip().partition("/")
    family = 6 if ":" in address else 4
    try:
        packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, address)
    except (OSError, ValueError):
        return None
    value, length = int.from_bytes(packed), BITS[family]
    if slash:
        if not bits.isdecimal() or int(bits) > length:
            return None
        length = int(bits)
    if family == 6 and length >= 96 and value >> 32 << 32 == _MAPPED:
        family, value, length = 4, value & 0xFFFFFFFF, length - 96
    return Prefix(family, length, value >> (BITS[family] - length))


def domain(text: str) -> str | None:
    """A host name in the form profiles have: lower case, ASCII, no dot at the end; None for what is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return None
    return name if "." in name and not any(sign in name for sign in " /:@") else None


def place(observable: Observable) -> Place:
    """Where an observable lies; NOWHERE for hashes, files and what cannot be read."""
    kind, value = observable.type, observable.value
    if kind in ("ipv4", "ipv6", "cidr"):
        return Place(prefix=prefix(value))
    if kind == "domain":
        return _host(value)
    if kind == "email":
        return Place(domain=domain(value.rpartition("@")[2]))
    if kind == "url":
        try:
            return _host(urlsplit(value).hostname or "")
        except ValueError:
            return NOWHERE
    return NOWHERE


def asn(observable: Observable) -> int | None:
    """The AS number an observable is, not the one it lies in."""
    if observable.type != "asn":
        return None
    found = _ASN.fullmatch(observable.value.strip())
    return int(found[1]) if found else None


def _host(value: str) -> Place:
    """Real feeds put addresses where domains belong."""
    found = prefix(value)
    return Place(prefix=found) if found else Place(domain=domain(value))


def above(name: str) -> Iterator[str]:
    """The domain itself, then each one it lies in: a.b.nl, b.nl, nl."""
    while name:
        yield name
        name = name.partition(".")[2]


@dataclass(slots=True)
class Owners:
    """Who holds what some observables lie in, verified or not."""

    network: Hits = field(default_factory=dict)
    domain: Hits = field(default_factory=dict)


class Networks:
    """All networks and domains of all subscribers: most of them packed, those that changed since beside them."""

    def __init__(self, stale: BitMap, domains_of: Callable[[int], tuple[str, ...]]) -> None:
        self._stale = stale
        """Subscribers of whom nothing that is packed holds."""
        self._domains_of = domains_of
        self.packed = Holdings()
        self.tables: dict[int, dict[int, Postings[int]]] = {4: {}, 6: {}}
        self.lengths: dict[int, list[tuple[int, Postings[int]]]] = {4: [], 6: []}
        """Most specific first."""
        self.systems: Postings[int] = Postings()
        self.domains: Postings[str] = Postings()

    def add(self, networks: Sequence[str], domains: Iterable[str], number: int) -> None:
        """Networks and domains in canonical form. Raises FilteringError for what is no network."""
        self.add_systems(networks, number)
        for text in networks:
            if text.startswith("AS"):
                continue
            family, length, value = _canonical(text)
            table = self.tables[family].get(length)
            if table is None:
                table = self.tables[family][length] = Postings()
                self._order(family)
            table.add(value, number)
        for name in domains:
            self.domains.add(name, number)

    def discard(self, networks: Sequence[str], domains: Iterable[str], number: int) -> None:
        """The mirror of `add`."""
        self.discard_systems(networks, number)
        for text in networks:
            if text.startswith("AS"):
                continue
            family, length, value = _canonical(text)
            if table := self.tables[family].get(length):
                table.discard(value, number)
                if not table:
                    del self.tables[family][length]
                    self._order(family)
        for name in domains:
            self.domains.discard(name, number)

    def add_systems(self, networks: Iterable[str], number: int) -> None:
        """The AS numbers among them: few, and never packed."""
        for text in networks:
            if text.startswith("AS"):
                self.systems.add(int(text[2:]), number)

    def discard_systems(self, networks: Iterable[str], number: int) -> None:
        """The mirror of `add_systems`."""
        for text in networks:
            if text.startswith("AS"):
                self.systems.discard(int(text[2:]), number)

    def pack(self, holdings: "Holdings") -> None:
        """All prefixes and domains there are, in place of what stood here. AS numbers stay."""
        self.packed = holdings
        self.tables, self.lengths, self.domains = {4: {}, 6: {}}, {4: [], 6: []}, Postings()

    def _order(self, family: int) -> None:
        self.lengths[family] = sorted(self.tables[family].items(), reverse=True)

    def holders(self, where: Prefix) -> list[int]:
        """Numbers of all who hold a prefix that this one lies in, most specific first."""
        family, length, value = where
        stale = self._stale
        if length == 32 and family == 4 and not self.lengths[4]:  # what most look-ups are of, and where most is
            numbers = self.packed.spans[4].at(value)
            return [number for number in numbers if number not in stale] if numbers and stale else numbers
        found = [each for each in self.packed.spans[family].around(value, length) if each[1] not in stale]
        if not self.lengths[family]:
            return [number for _, number in found]
        for bits, table in self.lengths[family]:
            if bits > length:
                continue
            held = table.held.get(value >> (length - bits))
            if held is not None:
                found += ((bits, number) for number in ((held,) if isinstance(held, int) else held))
        return [number for _, number in sorted(found, key=_narrowest)]

    def named(self, name: str) -> list[int]:
        """Numbers of all who hold a domain, itself."""
        stale, domains_of = self._stale, self._domains_of
        found = [each for each in self.packed.domains.find(name) if each not in stale and name in domains_of(each)]
        return [*found, *self.domains.get(name)] if name in self.domains else found

    def owners(self, observables: Sequence[Observable], verified: BitMap) -> Owners:
        """All holders of all these, in one pass. Where nobody verified holds the prefix, the holder of the
        AS number counts (domain-rules: Whom it concerns, 1: the network owner)."""
        owners = Owners()
        network, names = owners.network, owners.domain
        for position, observable in enumerate(observables):
            where = place(observable)
            numbers: list[int] = []
            if where.prefix is not None:
                numbers = self.holders(where.prefix)
                if observable.asn is not None and not any(number in verified for number in numbers):
                    numbers += self.systems.get(observable.asn)
            elif where.domain is not None:
                for name in above(where.domain):
                    for number in self.named(name):
                        _note(names, number, position)
            elif (system := asn(observable)) is not None:
                numbers = list(self.systems.get(system))
            for number in numbers:
                _note(network, number, position)
        return owners


def _narrowest(each: tuple[int, int]) -> int:
    return -each[0]


class Holdings:
    """Prefixes and domains, packed; nothing of it changes until all is packed anew."""

    def __init__(self, spans: dict[int, Spans] | None = None, domains: Hashed | None = None) -> None:
        self.spans = spans or {family: Spans(family) for family in BITS}
        self.domains = domains or Hashed()


class Gathering:
    """Prefixes and domains on their way into `Holdings`."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[int, int, int]]] = {family: [] for family in BITS}
        self._domains = array("Q")

    def add(self, networks: Iterable[str], domains: Iterable[str], number: int) -> None:
        """Of one subscriber. Raises FilteringError for what is no network. AS numbers are passed over."""
        for text in networks:
            if not text.startswith("AS"):
                family, length, value = _canonical(text)
                self._rows[family].append((value, length, number))
        for name in domains:
            self._domains.append(hashed.row(name, number))

    def done(self) -> Holdings:
        """All of them."""
        spans = {family: Spans.of(family, rows) for family, rows in self._rows.items()}
        return Holdings(spans, Hashed.of(self._domains))


def check(networks: Iterable[str]) -> None:
    """Raise FilteringError unless each is a prefix or AS number."""
    for text in networks:
        if not (text.startswith("AS") and text[2:].isdecimal()):
            _canonical(text)


def _canonical(text: str) -> Prefix:
    found = prefix(text)
    if found is None:
        raise FilteringError("a profile holds a network that is none: import it again")
    return found


def _note(hits: Hits, number: int, position: int) -> None:
    found = hits.get(number)
    if found is None:
        hits[number] = [position]
    elif found[-1] != position:
        found.append(position)


def holdings(subscriber: Subscriber, where: Place, system: int | None) -> Iterator[str]:
    """Which networks and domains of the profile it lies in, most specific first; the AS number last."""
    profile = subscriber.profile
    if where.prefix is not None:
        inside = [(held.length, text) for text in profile.networks if (held := _holds(text, where.prefix))]
        yield from (text for _, text in sorted(inside, reverse=True))
    if where.domain is not None:
        yield from (name for name in above(where.domain) if name in profile.domains and not suffixes.public(name))
    if system is not None and f"AS{system}" in profile.networks:
        yield f"AS{system}"


def _holds(text: str, where: Prefix) -> Prefix | None:
    held = None if text.startswith("AS") else prefix(text)
    if held is None or held.family != where.family or held.length > where.length:
        return None
    return held if where.value >> (where.length - held.length) == held.value else None
