"""Products and versions: affected, possibly affected, or not (domain-rules: Whom it concerns, 2).

A product is known by its name (vendor and product, normalised, with aliases; a CPE is a name too) or by its purl.
Entries of an item that share a name or purl speak of one product: what one of them calls fixed or not affected is
not affected, whatever range another one gives. A name without vendor meets that product of any vendor. Whether a
version lies in an entry, and why it cannot be told: filtering/verdicts.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from filtering import Confidence
from filtering.naming import Installed, Name, identify
from filtering.verdicts import Presence, Reading, platform, platforms_of, stated, unknown
from normalize import Affected

RANK: dict[Confidence | None, int] = {None: 0, "possible": 1, "likely": 2, "exact": 3}


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
    return _pair(product, one, presence(lines))


def _pair(product: Product, one: Installed, present: Presence) -> tuple[Confidence, Affected] | None:
    found = [product.verdict(one.version, direct, traits, present) for direct, traits in ways(product, one)]
    return max((each for each in found if each), key=lambda each: RANK[each[0]], default=None)


def ways(product: Product, one: Installed) -> list[tuple[bool, str]]:
    """In which ways a line is this product: directly or by another name, and with which traits. By purl, as a package
    of a distribution, it is that package alone."""
    found: list[tuple[bool, str]] = []
    if one.purl is not None and one.purl in product.purls:
        found.append((True, ""))
    if direct := [mine for mine in one.names if any(mine.meets(theirs) for theirs in product.names)]:
        spelled = {theirs.spelled for theirs in product.names}
        found += [(mine.spelled in spelled, mine.traits) for mine in direct if not (found and mine.traits == one.purl)]
    return found


def presence(lines: Sequence[Installed]) -> Presence:
    """Which platforms a profile lists."""

    def present(text: str) -> bool | None:
        wanted = platform_of(text)
        found = [
            wanted.verdict(line.version or ANYWHERE, True, traits) for line in lines for _, traits in ways(wanted, line)
        ]
        if any(each and each[0] != "possible" for each in found):
            return True
        return False if found and not any(found) else None

    return present


@lru_cache(maxsize=4096)
def platform_of(text: str) -> Product:
    (product,) = products_of([platform(text)]) or [Product()]
    return product


ANYWHERE = "any"
"""Stands for the version of a platform that states none: of one that is asked for in any version it is one."""


def because(
    product: Product, one: Installed, found: tuple[Confidence, Affected] | None, lines: Sequence[Installed] = ()
) -> str:
    """Why a line that is this product came out of `pair` as it did, in words."""
    present = presence(lines)
    traits = next((traits for _, traits in ways(product, one)), "")
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
