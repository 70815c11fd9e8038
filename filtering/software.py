"""Products and versions: affected, possibly affected, or not (domain-rules: Whom it concerns, 2).

A product is known by its name (vendor and product, normalised, with aliases; a CPE is a name too) or by its purl.
Entries of an item that share a name or purl speak of one product: what one of them calls fixed or not affected is
not affected, whatever range another one gives. A name without vendor meets that product of any vendor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pyroaring import BitMap

from filtering import Confidence
from filtering.postings import Postings
from normalize import Affected, products, versions
from subscribers import Software

RANK: dict[Confidence | None, int] = {None: 0, "possible": 1, "likely": 2, "exact": 3}


class Name(NamedTuple):
    """A product's name: with aliases resolved, and as it was spelled (`vendor|product`, without case and signs)."""

    vendor: str
    product: str
    spelled: str

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

    @property
    def threatened(self) -> bool:
        """Is any version of it affected, or could be?"""
        return any(entry.status in ("affected", "unknown") for entry in self.entries)

    def opt_outs(self) -> set[str]:
        """The opt-out keys that mean this product; see `opt_out`."""
        keys = {f"purl {purl}" for purl in self.purls}
        for vendor, product, spelled in self.names:
            keys |= {f"name {vendor}|{product}", f"text {product}", f"text {vendor} {product}".strip()}
            keys |= {f"text {spelled.partition('|')[2]}", f"text {spelled.replace('|', ' ').strip()}"}
        return keys

    def verdict(self, version: str | None, direct: bool) -> tuple[Confidence, Affected] | None:
        """Is this version of it affected, how sure, and by which entry? None: it is not."""
        if version is not None and any(_outside(entry, version) for entry in self.entries):
            return None
        best: tuple[Confidence, Affected] | None = None
        for entry in self.entries:
            found = _entry(entry, version, direct)
            if found is not None and (best is None or RANK[found] > RANK[best[0]]):
                best = found, entry
        return best


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


def _outside(entry: Affected, version: str) -> bool:
    """Does a fixed or not affected entry hold this version? `*` does not count: it says nothing about a version."""
    if entry.status not in ("fixed", "not-affected"):
        return False
    return any(each.constraints and versions.within(version, each) is True for each in entry.ranges)


def _entry(entry: Affected, version: str | None, direct: bool) -> Confidence | None:
    if entry.status in ("fixed", "not-affected"):
        return None
    if version is None or not entry.ranges:
        return "possible"
    inside = [versions.within(version, each) for each in entry.ranges]
    if True in inside:
        if entry.status == "unknown":
            return "possible"
        return "exact" if direct else "likely"
    return "possible" if None in inside else None


def meets(product: Product, one: Installed) -> bool | None:
    """Is a line of a profile this product? True: by its purl or the same name, False: by another name; None: no."""
    if one.purl is not None and one.purl in product.purls:
        return True
    meeting = [(mine, theirs) for mine in one.names for theirs in product.names if mine.meets(theirs)]
    return any(mine.spelled == theirs.spelled for mine, theirs in meeting) if meeting else None


def pair(product: Product, one: Installed) -> tuple[Confidence, Affected] | None:
    """One product of an item against one line of a profile."""
    direct = meets(product, one)
    return None if direct is None else product.verdict(one.version, direct)


def because(product: Product, one: Installed, found: tuple[Confidence, Affected] | None) -> str:
    """Why a line that is this product came out of `pair` as it did, in words."""
    if found is None:
        said = next((each for each in product.entries if _outside(each, one.version or "")), None)
        return "outside the affected versions" if said is None else f"called {said.status}: {said.versions}"
    confidence, entry = found
    if one.version is None:
        return "the profile states no version"
    if confidence == "possible":
        uncertain = "not known to be affected" if entry.status == "unknown" else "the versions cannot be compared"
        return uncertain if entry.ranges else "the item states no version that can be compared"
    return "inside the affected versions" + (", by another name" if confidence == "likely" else "")


class Catalogue:
    """The software of all subscribers: by product name the spellings and versions in use, each with its users."""

    def __init__(self) -> None:
        self.names: dict[str, Postings[tuple[str, str, str | None]]] = {}
        """Product -> (vendor, as spelled, version) -> users."""
        self.purls: dict[str, Postings[str | None]] = {}

    def add(self, lines: Iterable[Installed], number: int) -> None:
        """A profile's software."""
        for names, purl, version in lines:
            for name in names:
                bucket = self.names.setdefault(name.product, Postings())
                bucket.add((name.vendor, name.spelled, version), number)
            if purl:
                self.purls.setdefault(purl, Postings()).add(version, number)

    def discard(self, lines: Iterable[Installed], number: int) -> None:
        """The mirror of `add`."""
        for names, purl, version in lines:
            for name in names:
                if bucket := self.names.get(name.product):
                    bucket.discard((name.vendor, name.spelled, version), number)
                    if not bucket:
                        del self.names[name.product]
            if purl and (held := self.purls.get(purl)):
                held.discard(version, number)
                if not held:
                    del self.purls[purl]

    def users(self, product: Product) -> dict[Confidence, BitMap]:
        """Who uses an affected version of it, by the best confidence of any of their lines."""
        met: dict[Confidence, BitMap] = {"exact": BitMap(), "likely": BitMap(), "possible": BitMap()}
        for wanted in {name.product for name in product.names}:
            if bucket := self.names.get(wanted):
                self._of_names(product, wanted, bucket, met)
        for purl in product.purls:
            for version in held if (held := self.purls.get(purl)) else ():
                if found := product.verdict(version, direct=True):
                    met[found[0]] |= held.get(version)  # type: ignore[union-attr]
        met["likely"] -= met["exact"]
        met["possible"] -= met["exact"] | met["likely"]
        return met

    def _of_names(
        self,
        product: Product,
        wanted: str,
        bucket: Postings[tuple[str, str, str | None]],
        met: dict[Confidence, BitMap],
    ) -> None:
        vendors = {name.vendor for name in product.names if name.product == wanted}
        spellings = {name.spelled for name in product.names}
        verdicts: dict[tuple[str | None, bool], Confidence | None] = {}
        for key in bucket:
            vendor, spelled, version = key
            if vendor and "" not in vendors and vendor not in vendors:
                continue
            asked = version, spelled in spellings
            if asked not in verdicts:
                found = product.verdict(*asked)
                verdicts[asked] = found[0] if found else None
            if confidence := verdicts[asked]:
                met[confidence] |= bucket.get(key)
