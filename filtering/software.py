"""Products and versions: affected, possibly affected, or not (domain-rules: Whom it concerns, 2).

A product is known by its name (vendor and product, normalised, with aliases; a CPE is a name too) or by its purl.
Entries of an item that share a name or purl speak of one product: what one of them calls fixed or not affected is
not affected, whatever range another one gives. A name without vendor meets that product of any vendor. Whether a
version lies in an entry, and why it cannot be told: filtering/verdicts.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from pyroaring import BitMap

from filtering import Confidence
from filtering.postings import Postings
from filtering.verdicts import Presence, Reading, platform, platforms_of, stated, unknown
from normalize import Affected, cpe, products, schemes
from subscribers import Software

RANK: dict[Confidence | None, int] = {None: 0, "possible": 1, "likely": 2, "exact": 3}


class Name(NamedTuple):
    """A product's name: with aliases resolved, and as it was spelled (`vendor|product`, without case and signs)."""

    vendor: str
    product: str
    spelled: str
    traits: str = ""
    """What else is known of it: of a CPE what tells it from others of its name (`cpe.Cpe.traits`), or whose package it
    is (`pkg:deb/debian/openssl`). Not part of the name."""

    def meets(self, other: "Name") -> bool:
        """The same product, perhaps by an alias or without vendor."""
        return self.product == other.product and (self.vendor == other.vendor or not self.vendor or not other.vendor)


class Identity(NamedTuple):
    """All by which one entry can be recognised."""

    names: frozenset[Name]
    purl: str | None


class Installed(NamedTuple):
    """One product in use: what it is, and its version."""

    names: frozenset[Name]
    purl: str | None
    version: str | None


@dataclass(slots=True)
class Product:
    """One product of an item, with everything the item says of it."""

    names: set[Name] = field(default_factory=set)
    purls: set[str] = field(default_factory=set)
    entries: list[Affected] = field(default_factory=list)
    _read: list[Reading] = field(default_factory=list, compare=False, repr=False)

    @property
    def threatened(self) -> bool:
        """Is any version of it affected, or could be?"""
        return any(entry.status in ("affected", "unknown") for entry in self.entries)

    def opt_outs(self) -> set[str]:
        """The opt-out keys that mean this product; see `opt_out`."""
        keys = {f"purl {purl}" for purl in self.purls}
        for vendor, product, spelled, _ in self.names:
            keys |= {f"name {vendor}|{product}", f"text {product}", f"text {vendor} {product}".strip()}
            keys |= {f"text {spelled.partition('|')[2]}", f"text {spelled.replace('|', ' ').strip()}"}
        return keys

    @property
    def platforms(self) -> tuple[str, ...]:
        """What its entries ask for beside the product itself."""
        return platforms_of(self.entries)

    def verdict(
        self, version: str | None, direct: bool, traits: str = "", present: Presence = unknown
    ) -> tuple[Confidence, Affected] | None:
        """Is this version of it affected, how sure, and by which entry? None: it is not."""
        readings = self.readings
        if version is not None and any(_excludes(each, version, traits, present) for each in readings):
            return None
        best: tuple[Confidence, Affected] | None = None
        for each in readings:
            found = _entry(each, version, direct, traits, present)
            if found is not None and (best is None or RANK[found] > RANK[best[0]]):
                best = found, each.entry
        return best

    @property
    def readings(self) -> list[Reading]:
        """Its entries, ready to be asked about versions."""
        if len(self._read) != len(self.entries):
            self._read = [Reading(entry) for entry in self.entries]
        return self._read


def identify(vendor: str, product: str, cpe: str | None, purl: str | None) -> Identity:
    """By what an entry or a profile's line can be recognised."""
    names = set()
    if product.strip():
        names.add(_name(vendor, product))
    parts = products.cpe_parts(cpe) if cpe else None
    if parts is not None:
        names.add(_name(parts[0], parts[1]))
    return Identity(frozenset(names), _purl(purl)[0] if purl else None)


def installed(one: Software) -> Installed:
    """A line of a profile. Its version is the stated one, else that of its CPE or purl."""
    names, purl = identify(one.vendor, one.product, one.cpe, one.purl)
    read = cpe.read(one.cpe) if one.cpe else None
    packaged = purl if products.scheme_of(one.purl) in schemes.PACKAGED else None
    if traits := packaged or (read.traits if read else ""):
        names = frozenset(name._replace(traits=traits) for name in names)
    version = one.version
    if version is None and one.cpe and (parts := products.cpe_parts(one.cpe)) is not None:
        version = parts[2]
    if version is None and one.purl:
        version = _purl(one.purl)[1]
    return Installed(names, purl, version or None)


@lru_cache(maxsize=65536)
def _name(vendor: str, product: str) -> Name:
    return Name(*products.name_key(vendor, product), "|".join(products.plain_key(vendor, product)))


@lru_cache(maxsize=16384)
def _purl(text: str) -> tuple[str | None, str | None]:
    """(type and name, version) of a purl; (None, None) for what is none."""
    parts = products.purl_parts(text)
    return (None, None) if parts is None else (f"{parts[0]}/{parts[1]}", parts[2])


def opt_out(text: str) -> str:
    """The key of a product opt-out: a purl, a CPE, `vendor|product`, or a product's name with or without vendor."""
    if text.startswith("pkg:"):
        return f"purl {_purl(text)[0]}"
    vendor, bar, product = text.partition("|")
    if text.startswith("cpe:") and (parts := products.cpe_parts(text)) is not None:
        vendor, bar, product = parts[0], "|", parts[1]
    if bar:
        name = _name(vendor, product)
        return f"name {name.vendor}|{name.product}"
    return f"text {products.plain_key('', text)[1]}"


def products_of(affected: Sequence[Affected]) -> list[Product]:
    """The products an item names, each with all entries that share a name or purl, in order of first mention."""
    found: list[Product] = []
    by_key: dict[tuple[str, ...], Product] = {}
    for entry in affected:
        names, purl = identify(entry.vendor, entry.product, entry.cpe, entry.purl)
        keys: list[tuple[str, ...]] = [(name.vendor, name.product) for name in names]
        keys += [(purl,)] if purl else []
        same = list({id(by_key[key]): by_key[key] for key in keys if key in by_key}.values())
        product = same[0] if same else Product()
        if not same:
            found.append(product)
        for other in same[1:]:
            _absorb(product, other)
            found = [one for one in found if one is not other]
            by_key |= dict.fromkeys((key for key, one in by_key.items() if one is other), product)
        product.names |= names
        product.purls |= {purl} if purl else set()
        product.entries.append(entry)
        by_key |= dict.fromkeys(keys, product)
    return found


def _absorb(product: Product, other: Product) -> None:
    product.names |= other.names
    product.purls |= other.purls
    product.entries += other.entries


def _excludes(one: Reading, version: str, traits: str, present: Presence) -> bool:
    """Does a fixed or not affected entry hold this version? `*` does not count: it says nothing about a version."""
    if one.entry.status not in ("fixed", "not-affected") or not all(each.constraints for each in one.entry.ranges):
        return False
    return one.inside(version, traits, present) is True


def _entry(one: Reading, version: str | None, direct: bool, traits: str, present: Presence) -> Confidence | None:
    if one.entry.status in ("fixed", "not-affected"):
        return None
    if version is None:
        return "possible"
    held = one.inside(version, traits, present)
    if held:
        if one.entry.status == "unknown":
            return "possible"
        return "exact" if direct else "likely"
    return "possible" if held is None else None


def meets(product: Product, one: Installed) -> bool | None:
    """Is a line of a profile this product? True: by its purl or the same name, False: by another name; None: no."""
    if one.purl is not None and one.purl in product.purls:
        return True
    meeting = [(mine, theirs) for mine in one.names for theirs in product.names if mine.meets(theirs)]
    return any(mine.spelled == theirs.spelled for mine, theirs in meeting) if meeting else None


def pair(product: Product, one: Installed, lines: Sequence[Installed] = ()) -> tuple[Confidence, Affected] | None:
    """One product of an item against one line of a profile, whose other lines may be what it runs on."""
    return _pair(product, one, _presence(lines))


def _pair(product: Product, one: Installed, present: Presence) -> tuple[Confidence, Affected] | None:
    found = [product.verdict(one.version, direct, traits, present) for direct, traits in _ways(product, one)]
    return max((each for each in found if each), key=lambda each: RANK[each[0]], default=None)


def _ways(product: Product, one: Installed) -> list[tuple[bool, str]]:
    """In which ways a line is this product: directly or by another name, and with which traits. By purl, as a package
    of a distribution, it is that package alone."""
    ways: list[tuple[bool, str]] = []
    if one.purl is not None and one.purl in product.purls:
        ways.append((True, ""))
    if direct := [mine for mine in one.names if any(mine.meets(theirs) for theirs in product.names)]:
        spelled = {theirs.spelled for theirs in product.names}
        ways += [(mine.spelled in spelled, mine.traits) for mine in direct if not (ways and mine.traits == one.purl)]
    return ways


def _presence(lines: Sequence[Installed]) -> Presence:
    """Which platforms a profile lists."""

    def present(text: str) -> bool | None:
        wanted = _platform(text)
        ways = [(line, way) for line in lines for way in _ways(wanted, line)]
        found = [wanted.verdict(line.version or ANYWHERE, True, traits) for line, (_, traits) in ways]
        if any(each and each[0] != "possible" for each in found):
            return True
        return False if found and not any(found) else None

    return present


@lru_cache(maxsize=4096)
def _platform(text: str) -> Product:
    (product,) = products_of([platform(text)]) or [Product()]
    return product


ANYWHERE = "any"
"""Stands for the version of a platform that states none: of one that is asked for in any version it is one."""


def because(
    product: Product, one: Installed, found: tuple[Confidence, Affected] | None, lines: Sequence[Installed] = ()
) -> str:
    """Why a line that is this product came out of `pair` as it did, in words."""
    present, ways = _presence(lines), _ways(product, one)
    traits = ways[0][1] if ways else ""
    if found is None:
        version = one.version or ""
        said = next((each.entry for each in product.readings if _excludes(each, version, traits, present)), None)
        if said is not None:
            return f"called {said.status}: {said.versions}"
        limits = dict.fromkeys(stated(each) for each in product.entries if each.status in ("affected", "unknown"))
        if not limits:
            return f"called {product.entries[0].status}"
        return f"{version} lies outside {', '.join(list(limits)[:_SHOWN])}"
    confidence, entry = found
    if one.version is None:
        return "the profile states no version"
    if confidence != "possible":
        return "inside the affected versions" + (", by another name" if confidence == "likely" else "")
    read = Reading(entry)
    if entry.status == "unknown" and read.inside(one.version, traits, present):
        return "not known to be affected"
    return read.uncertain(one.version, traits, present)


_SHOWN = 5
"""Ranges in one reason."""


class Catalogue:
    """The software of all subscribers: by product name the spellings and versions in use, each with its users."""

    def __init__(self) -> None:
        self.names: dict[str, Postings[tuple[str, str, str | None, str]]] = {}
        """Product -> (vendor, as spelled, version, traits) -> users."""
        self.purls: dict[str, Postings[str | None]] = {}

    def add(self, lines: Iterable[Installed], number: int) -> None:
        """A profile's software."""
        for names, purl, version in lines:
            for vendor, product, spelled, traits in names:
                self.names.setdefault(product, Postings()).add((vendor, spelled, version, traits), number)
            if purl:
                self.purls.setdefault(purl, Postings()).add(version, number)

    def discard(self, lines: Iterable[Installed], number: int) -> None:
        """The mirror of `add`."""
        for names, purl, version in lines:
            for vendor, product, spelled, traits in names:
                if bucket := self.names.get(product):
                    bucket.discard((vendor, spelled, version, traits), number)
                    if not bucket:
                        del self.names[product]
            if purl and (held := self.purls.get(purl)):
                held.discard(version, number)
                if not held:
                    del self.purls[purl]

    def users(self, product: Product) -> dict[Confidence, BitMap]:
        """Who uses an affected version of it, by the best confidence of any of their lines."""
        met: dict[Confidence, BitMap] = {"exact": BitMap(), "likely": BitMap(), "possible": BitMap()}
        platforms = {text: self._there(text) for text in product.platforms}
        verdicts: dict[tuple[str | None, bool, str], Confidence | None] = {}
        for asked, bucket, key in self._held(product):
            if platforms:
                for part, present in _parted(bucket.get(key), platforms):
                    if found := product.verdict(*asked, present):
                        met[found[0]] |= part
                continue
            if asked not in verdicts:
                found = product.verdict(*asked)
                verdicts[asked] = found[0] if found else None
            if confidence := verdicts[asked]:
                met[confidence] |= bucket.get(key)
        met["likely"] -= met["exact"]
        met["possible"] -= met["exact"] | met["likely"]
        return met

    def _held(self, product: Product) -> Iterator[tuple[tuple[str | None, bool, str], Postings[Any], Any]]:
        """Versions of the product in use: (version, under its own name, traits), and where its users stand. The same
        as `_ways`."""
        spellings = {name.spelled for name in product.names}
        for wanted in {name.product for name in product.names}:
            bucket = self.names.get(wanted)
            vendors = {name.vendor for name in product.names if name.product == wanted}
            for key in bucket or ():
                vendor, spelled, version, traits = key
                if (not vendor or "" in vendors or vendor in vendors) and traits not in product.purls:
                    yield (version, spelled in spellings, traits), bucket, key  # type: ignore[misc]
        for purl in product.purls:
            held = self.purls.get(purl)
            for version in held or ():
                yield (version, True, ""), held, version  # type: ignore[misc]

    def _there(self, text: str) -> tuple[BitMap, BitMap]:
        """Who lists a platform, and who lists it in other versions alone."""
        wanted, there, perhaps, listed = _platform(text), BitMap(), BitMap(), BitMap()
        for (version, _, traits), bucket, key in self._held(wanted):
            found, users = wanted.verdict(version or ANYWHERE, True, traits), bucket.get(key)
            listed |= users
            if found:
                (perhaps if found[0] == "possible" else there).update(users)
        return there, listed - there - perhaps


def _parted(users: BitMap, platforms: dict[str, tuple[BitMap, BitMap]]) -> Iterator[tuple[BitMap, Presence]]:
    """Users by which of the platforms they have: as many parts as there are answers."""
    parts: list[tuple[BitMap, dict[str, bool]]] = [(users, {})]
    for text, (there, not_there) in platforms.items():
        parts = [
            (bits, {**known, **answer})
            for part, known in parts
            for bits, answer in (
                (part & there, {text: True}),
                (part & not_there, {text: False}),
                (part - there - not_there, {}),
            )
            if bits
        ]
    return ((bits, known.get) for bits, known in parts)
