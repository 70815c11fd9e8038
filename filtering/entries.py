"""What the index holds of one subscriber: enough to find it by, and to take everything back.

Most of what a profile says many others say word for word. That is its Shape, kept once for all who share it; so are the
lines of software. What is left is a Record: small, and read only where somebody asks for that subscriber.
"""

from datetime import datetime
from functools import lru_cache
from typing import get_args

import msgspec
from msgspec import Struct

from filtering.agents import Clients, Scope
from filtering.naming import Installed, Name, installed, opt_out
from normalize import Kind, Urgency, suffixes
from subscribers import Maturity, Profile, Quiet, Size, Software, Subscriber, SubscriberKind
from tlp import Label

KINDS: frozenset[str] = frozenset(get_args(Kind))
SERVING: frozenset[str] = frozenset({"supplier", "cert"})
"""They act for their clients by mandate or task; a partnership only with `serves_members`."""
_STANDING: frozenset[str] = frozenset({"partnership", "supplier", "cert"})
"""They stand for their members. Nobody else does, whatever a profile lists."""


class Shape(Struct, frozen=True, array_like=True):
    """What one subscriber has in common with many."""

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
    serves: bool
    opt_kinds: tuple[str, ...]
    opt_products: tuple[str, ...]
    quiet: Quiet | None


class Record(Struct, frozen=True, array_like=True):
    """One subscriber in the index's own numbers: of its shape, and of its lines of software."""

    id: str
    shape: int
    software: tuple[int, ...] = ()
    networks: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    """Without public suffixes: nobody holds those."""
    members: tuple[str, ...] = ()


class Entry(Struct, frozen=True):
    """A record with all it stands for."""

    id: str
    shape: Shape
    software: tuple[Installed, ...]
    networks: tuple[str, ...]
    domains: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def clients(self) -> Clients | None:
        """Whom it stands for; None: for nobody."""
        scope = Scope(self.shape.scope_sectors, self.shape.scope_regions)
        if not (self.members or any(scope)):
            return None
        return Clients(self.members, scope if any(scope) else None, self.shape.serves)


_NO_SCOPE = Scope((), ())


def scope_of(profile: Profile) -> Scope:
    """The constituency of a partnership or CERT. A supplier stands for those alone that gave it their mandate."""
    scope = profile.scope
    return Scope(scope.sectors, scope.regions) if profile.kind in ("partnership", "cert") else _NO_SCOPE


def shape_of(subscriber: Subscriber) -> bytes:
    """A subscriber's shape, encoded."""
    profile, clearance = subscriber.profile, subscriber.clearance
    scope, ways = scope_of(profile), subscriber.ways
    opt_kinds: tuple[str, ...] = ()
    opt_products: tuple[str, ...] = ()
    if profile.opt_out:
        opt_kinds = tuple(filter(KINDS.__contains__, profile.opt_out))
        opt_products = tuple(opt_out(text) for text in profile.opt_out if text not in KINDS)
    # The fields of Shape in their order: a million objects less than made one by one.
    return _WRITE(
        (
            profile.kind, profile.size, profile.maturity, profile.country, profile.region, profile.min_urgency,
            clearance.highest, clearance.until, profile.verified, ways.confidential, ways.alerts, ways.editions,
            profile.sectors, scope.sectors, scope.regions, profile.kind in SERVING or profile.serves_members,
            opt_kinds, opt_products, profile.quiet,
        )
    )  # fmt: skip


@lru_cache(maxsize=65536)
def line_of(software: Software) -> bytes:
    """A line of software, encoded; empty: nothing to recognise it by."""
    line = installed(software)
    if not (line.names or line.purl):
        return b""
    return msgspec.msgpack.encode((sorted(line.names), line.purl, line.version))


_WRITE = msgspec.msgpack.Encoder().encode
_LINE = msgspec.msgpack.Decoder(tuple[tuple[Name, ...], str | None, str | None])
read_shape = lru_cache(maxsize=65536)(msgspec.msgpack.Decoder(Shape).decode)


@lru_cache(maxsize=65536)
def read_line(data: bytes) -> Installed:
    """The mirror of `line_of`."""
    names, purl, version = _LINE.decode(data)
    return Installed(frozenset(names), purl, version)


def members_of(profile: Profile) -> tuple[str, ...]:
    """Ids of those it stands for by name."""
    return profile.members if profile.kind in _STANDING else ()


def domains_of(profile: Profile) -> tuple[str, ...]:
    """The domains it holds."""
    return tuple(name for name in profile.domains if not suffixes.public(name)) if profile.domains else ()
