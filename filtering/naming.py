"""By what software is recognised: the names and purls of a profile's lines, of an item's entries and of opt-outs.

A name is vendor and product, normalised, with aliases; a CPE is a name too, with attributes that tell more.
"""

from functools import lru_cache
from typing import NamedTuple

from normalize import cpe, products, schemes
from subscribers import Software


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


def identify(vendor: str, product: str, cpe: str | None, purl: str | None) -> Identity:
    """By what an entry or a profile's line can be recognised."""
    names = set()
    if product.strip():
        names.add(name_of(vendor, product))
    parts = products.cpe_parts(cpe) if cpe else None
    if parts is not None:
        names.add(name_of(parts[0], parts[1]))
    return Identity(frozenset(names), purl_of(purl)[0] if purl else None)


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
        version = purl_of(one.purl)[1]
    return Installed(names, purl, version or None)


@lru_cache(maxsize=65536)
def name_of(vendor: str, product: str) -> Name:
    """A product's name, of a vendor's."""
    return Name(*products.name_key(vendor, product), "|".join(products.plain_key(vendor, product)))


@lru_cache(maxsize=16384)
def purl_of(text: str) -> tuple[str | None, str | None]:
    """(type and name, version) of a purl; (None, None) for what is none."""
    parts = products.purl_parts(text)
    return (None, None) if parts is None else (f"{parts[0]}/{parts[1]}", parts[2])


def opt_out(text: str) -> str:
    """The key of a product opt-out: a purl, a CPE, `vendor|product`, or a product's name with or without vendor."""
    if text.startswith("pkg:"):
        return f"purl {purl_of(text)[0]}"
    vendor, bar, product = text.partition("|")
    if text.startswith("cpe:") and (parts := products.cpe_parts(text)) is not None:
        vendor, bar, product = parts[0], "|", parts[1]
    if bar:
        name = name_of(vendor, product)
        return f"name {name.vendor}|{name.product}"
    return f"text {products.plain_key('', text)[1]}"
