"""The software of all subscribers, in the index: who uses which version of what, and so whom a product concerns.

The same answers as `filtering.software.pair` for one profile, for all at once.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pyroaring import BitMap

from filtering import Confidence
from filtering.naming import Installed
from filtering.postings import Postings, either
from filtering.software import ANYWHERE, Product, platform_of
from filtering.verdicts import Presence


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

    def extend(self, line: Installed, users: BitMap) -> None:
        """A line that many profiles have."""
        for vendor, product, spelled, traits in line.names:
            self.names.setdefault(product, Postings()).extend((vendor, spelled, line.version, traits), users)
        if line.purl:
            self.purls.setdefault(line.purl, Postings()).extend(line.version, users)

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
                        met[found[0]] = either(met[found[0]], part)
                continue
            if asked not in verdicts:
                found = product.verdict(*asked)
                verdicts[asked] = found[0] if found else None
            if confidence := verdicts[asked]:
                met[confidence] = either(met[confidence], bucket.get(key))
        if met["likely"]:
            met["likely"] = met["likely"] - met["exact"]
        if met["possible"]:
            met["possible"] = met["possible"] - met["exact"] - met["likely"]
        return met

    def _held(self, product: Product) -> Iterator[tuple[tuple[str | None, bool, str], Postings[Any], Any]]:
        """Versions of the product in use: (version, under its own name, traits), and where its users stand. The same
        as `software.ways`."""
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
        wanted, there, perhaps, listed = platform_of(text), BitMap(), BitMap(), BitMap()
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
