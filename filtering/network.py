"""Addresses, prefixes, AS numbers and domains -> who holds them.

An observable lies at a Place: an address or prefix, or a domain. Of a URL and of an e-mail address the host counts.
A prefix lies in another when it is no wider; a domain lies in another when it is the same or below it. What a profile
calls its own and is a public suffix (`co.uk`) holds nothing.
A dict for each prefix length: exact, incremental, and only the lengths in use are probed.
"""

import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from pyroaring import BitMap

from filtering import FilteringError
from filtering.postings import Postings
from normalize import Observable, suffixes
from subscribers import Subscriber

BITS = {4: 32, 6: 128}
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
    """All networks and domains of all subscribers."""

    def __init__(self) -> None:
        self.tables: dict[int, dict[int, Postings[int]]] = {4: {}, 6: {}}
        self.lengths: dict[int, list[tuple[int, Postings[int]]]] = {4: [], 6: []}
        """Most specific first."""
        self.systems: Postings[int] = Postings()
        self.domains: Postings[str] = Postings()

    def add(self, networks: Iterable[str], domains: Iterable[str], number: int) -> None:
        """Networks and domains in canonical form. Raises FilteringError for what is no network."""
        for text in networks:
            if text.startswith("AS"):
                self.systems.add(int(text[2:]), number)
                continue
            family, length, value = _canonical(text)
            table = self.tables[family].get(length)
            if table is None:
                table = self.tables[family][length] = Postings()
                self._order(family)
            table.add(value, number)
        for name in domains:
            self.domains.add(name, number)

    def discard(self, networks: Iterable[str], domains: Iterable[str], number: int) -> None:
        """The mirror of `add`."""
        for text in networks:
            if text.startswith("AS"):
                self.systems.discard(int(text[2:]), number)
                continue
            family, length, value = _canonical(text)
            if table := self.tables[family].get(length):
                table.discard(value, number)
                if not table:
                    del self.tables[family][length]
                    self._order(family)
        for name in domains:
            self.domains.discard(name, number)

    def _order(self, family: int) -> None:
        self.lengths[family] = sorted(self.tables[family].items(), reverse=True)

    def holders(self, where: Prefix) -> list[int]:
        """Numbers of all who hold a prefix that this one lies in, most specific first."""
        family, length, value = where
        found: list[int] = []
        for bits, table in self.lengths[family]:
            if bits > length:
                continue
            held = table.held.get(value >> (length - bits))
            if held is not None:
                found += (held,) if isinstance(held, int) else held
        return found

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
                    if name in self.domains:
                        for number in self.domains.get(name):
                            _note(names, number, position)
            elif (system := asn(observable)) is not None:
                numbers = list(self.systems.get(system))
            for number in numbers:
                _note(network, number, position)
        return owners


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
