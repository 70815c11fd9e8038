"""Realistic Dutch subscribers for the demo, the benchmarks and the tests: invented, and the same for the same seed.

Skewed as the service's target group is: 78 % one-person firms (most of them list no software), 21 % small and
medium-sized, 1 % large; one in 250 is no firm but a partnership, supplier, CERT, vital operator or public body.
Networks lie in RFC 5737, RFC 3849 and RFC 2544 ranges, AS numbers in RFC 5398's, domains under `.example`.
"""

import random
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from ipaddress import IPv4Network
from itertools import chain, islice
from typing import Any

from app import firms
from app.showcase import SHOWCASE

FIRST = 1
"""Ids are `kvk-00000001` and up: numbers that the trade register never gave out."""
SIZES = ("zzp", "mkb", "large")
SIZE_WEIGHTS = (78, 21, 1)
OTHERS = ("partnership", "public", "cert", "vital", "supplier", "partnership", "supplier", "partnership")
EVERY = 250
DEMO_COUNT = 800
DEMO_SEED = 2026
RESERVED = 128
"""The first addresses of 192.0.2.0/24 belong to the hand-made subscribers."""


def demo_subscribers() -> list[dict[str, Any]]:
    """The subscribers of `make demo`: a few made by hand to fit the sample week, then generated ones."""
    return [*SHOWCASE, *subscribers(DEMO_COUNT - len(SHOWCASE), DEMO_SEED)]


def subscribers(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield `count` subscribers as the import reads them (contract.md). Equal seeds give equal subscribers."""
    return islice(_Generator(seed).all(), count)


class _Generator:
    """Draws one subscriber after the other; remembers only what must be unique."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - nothing secret: the same seed has to give the same firms
        self.slugs: set[str] = set()
        self.addresses = _addresses()

    @cached_property
    def trades(self) -> dict[str, list[int]]:
        return {
            "zzp": [trade[1] for trade in firms.TRADES],
            "mkb": [trade[2] for trade in firms.TRADES],
            "large": [trade[2] for trade in firms.TRADES],
        }

    def all(self) -> Iterator[dict[str, Any]]:
        number = FIRST
        while True:
            if number % EVERY == 0:
                yield self.other(number, OTHERS[number // EVERY % len(OTHERS)])
            else:
                yield self.company(number)
            number += 1

    def company(self, number: int) -> dict[str, Any]:
        draw = self.draw
        size = draw.choices(SIZES, SIZE_WEIGHTS)[0]
        code, _, _, trades = draw.choices(firms.TRADES, self.trades[size])[0]
        place, region, _ = draw.choices(firms.PLACES, [place[2] for place in firms.PLACES])[0]
        name = self.firm_name(draw.choice(trades), place, size)
        slug = self.slug(name, number)
        mature = draw.random() < {"zzp": 0.01, "mkb": 0.12, "large": 0.8}[size]
        made = {
            "id": f"kvk-{number:08d}",
            "name": name,
            "kind": "company",
            "size": size,
            "maturity": "mature" if mature else "basic",
            "sectors": [f"SBI:{code}"],
            "country": "NL",
            "region": region,
            "language": "en" if draw.random() < 0.04 else "nl",
            "software": self.software(size, mature),
            "networks": self.networks(number, size),
            "domains": [f"{slug}.example"] if draw.random() < {"zzp": 0.5, "mkb": 0.9, "large": 1}[size] else [],
            "clearance": self.clearance(size, mature),
            "min_urgency": draw.choices(("info", "this-week", "today"), (50, 35, 15))[0],
            "channels": self.channels(slug, size, mature),
            "members": [],
        }
        self.preferences(made)
        return made

    def firm_name(self, trade: str, place: str, size: str) -> str:
        draw = self.draw
        surname = draw.choice(firms.SURNAMES)
        if size == "zzp":
            return draw.choice((f"{trade} {surname}", f"{surname} {trade}", f"{trade} {surname} {place}"))
        form = "N.V." if size == "large" and draw.random() < 0.2 else "B.V."
        middle = draw.choice((f"{surname} {trade}", f"{surname} & Zn. {trade}", f"{place} {trade}",
                              f"{trade} {surname} {place}"))  # fmt: skip
        return f"{middle} Groep {form}" if size == "large" else f"{middle} {form}"

    def slug(self, name: str, number: int) -> str:
        plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^a-z0-9]+", "-", plain.replace(" b.v.", "").replace(" n.v.", "")).strip("-")
        if slug in self.slugs:
            slug = f"{slug}-{number}"
        self.slugs.add(slug)
        return slug

    def software(self, size: str, mature: bool) -> list[dict[str, str]]:
        draw = self.draw
        if draw.random() >= {"zzp": 0.07, "mkb": 0.6, "large": 0.97}[size]:
            return []
        if size == "zzp":
            return [self.product(draw.choice(firms.OFFICE), cpe=False)]
        chosen = [draw.choices(firms.FIREWALLS, (34, 12, 14, 12, 10, 10))[0], draw.choice(firms.OFFICE)]
        chosen += draw.sample(firms.SERVERS, 3 if size == "large" else draw.choice((0, 1, 1, 2)))
        if size == "large" or draw.random() < 0.08:
            chosen.append(draw.choice(firms.REMOTE))
        listed = [self.product(product, cpe=mature and draw.random() < 0.4) for product in chosen]
        if mature and draw.random() < 0.25:
            listed += [{"purl": purl} for purl in draw.sample(firms.PACKAGES, 2)]
        return listed

    def product(self, product: firms.Product, *, cpe: bool) -> dict[str, str]:
        vendor, name, cpe_part, versions = product
        version = self.draw.choice(versions) if versions and self.draw.random() < 0.75 else None
        if cpe:
            kind = "o" if product in firms.FIREWALLS else "a"
            return {"cpe": f"cpe:2.3:{kind}:{cpe_part}:{version.replace(' ', '_') if version else '*'}" + ":*" * 7}
        return {"vendor": vendor, "product": name} | ({"version": version} if version else {})

    def networks(self, number: int, size: str) -> list[str]:
        draw = self.draw
        if draw.random() >= {"zzp": 0.03, "mkb": 0.35, "large": 0.95}[size]:
            return []
        length = {"zzp": 32, "mkb": draw.choice((30, 31, 32, 32)), "large": draw.choice((28, 29))}[size]
        found = [self.network(length)]
        if size != "zzp" and draw.random() < 0.2:
            found.append(_ipv6(number))
        if size == "large" and draw.random() < 0.3:
            found.append(f"AS{draw.choice((*range(64496, 64510), *range(65536, 65552)))}")
        return found

    def network(self, length: int) -> str:
        """The next addresses that nobody has yet; when all are given out, the ranges are shared once more."""
        size = 1 << (32 - length)
        first = next(address for address in self.addresses if address % size == 0)
        for _ in range(size - 1):
            next(self.addresses)
        return str(IPv4Network((first, length)))

    def clearance(self, size: str, mature: bool) -> str:
        if size == "zzp" and not mature:
            return self.draw.choices(("CLEAR", "GREEN"), (95, 5))[0]
        return self.draw.choices(
            ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT"), (30, 30, 35, 5) if mature else (60, 25, 15, 0)
        )[0]

    def channels(self, slug: str, size: str, mature: bool) -> list[dict[str, Any]]:
        draw = self.draw
        box = draw.choice(("info", "contact", "hallo") if size == "zzp" else ("beveiliging", "ict", "security", "info"))
        mail: dict[str, Any] = {"type": "email", "address": f"{box}@{slug}.example"}
        editions = draw.choices(([], ["monday"], ["friday"], ["monday", "friday"]), (30, 20, 25, 25))[0]
        if editions:
            mail["digest"] = editions
        taxii = [{"type": "taxii"}] if mature and draw.random() < (0.5 if size == "large" else 0.1) else []
        return [mail, *taxii]

    def preferences(self, made: dict[str, Any]) -> None:
        """What few have: quiet hours, things they do not want, a profile nobody has proved yet."""
        draw = self.draw
        if draw.random() < 0.04:
            made["quiet"] = {"from": "22:00", "to": "07:00", "days": [], "tz": "Europe/Amsterdam"}
        if draw.random() < 0.03:
            made["opt_out"] = [draw.choice(("news", "report", "indicators", "WordPress"))]
        if draw.random() < 0.05:
            made["verified"] = False

    def other(self, number: int, kind: str) -> dict[str, Any]:
        """A partnership, supplier, CERT, vital operator or public body."""
        draw = self.draw
        made = self.company(number)
        place, region, _ = draw.choice(firms.PLACES)
        code, _, _, trades = draw.choice(firms.TRADES)
        name = {
            "partnership": f"Samenwerkingsverband Veilig {trades[0]} {place}",
            "supplier": f"{place} ICT Beheer B.V.",
            "cert": f"CERT {trades[0]} {place}",
            "vital": f"Waterbedrijf {place} N.V." if draw.random() < 0.5 else f"Netbeheer {place} N.V.",
            "public": f"Omgevingsdienst {place}",
        }[kind]
        slug = self.slug(name, number)
        made |= {"name": name, "kind": kind, "size": "large", "maturity": "mature", "region": region, "software": [],
                 "clearance": "AMBER", "domains": [f"{slug}.example"], "verified": True,
                 "min_urgency": "info", "channels": self.channels(slug, "large", mature=True)}  # fmt: skip
        made.pop("opt_out", None)
        if kind in ("partnership", "supplier"):
            made["members"] = [f"kvk-{one:08d}" for one in sorted(self.earlier(number))]
            made["networks"] = []
        if kind == "supplier":
            made["sectors"] = ["SBI:62.03"]
        if kind == "partnership":
            made["serves_members"] = draw.random() < 0.5
            made["scope"] = {"sectors": [f"SBI:{code}"], "regions": [region]}
        if kind == "cert":
            made["scope"] = {"sectors": [f"SBI:{code[:2]}"], "regions": []}
            made["channels"] = [{"type": "taxii"}, made["channels"][0]]
        if kind in ("vital", "public"):
            made["sectors"] = ["SBI:84.11"] if kind == "public" else [draw.choice(("SBI:36.00", "SBI:35.11"))]
            made["networks"] = [self.network(28)]
        return made

    def earlier(self, number: int) -> list[int]:
        """Numbers of a few firms that were drawn before this one."""
        wanted = min(self.draw.randint(5, 40), number - FIRST)
        found = self.draw.sample(range(FIRST, number), wanted)
        return [one for one in found if one % EVERY]


def _addresses() -> Iterator[int]:
    """Documentation addresses first, then the benchmarking range, round and round."""
    first = int(IPv4Network("192.0.2.0/24").network_address) + RESERVED
    ranges = [range(first, first + 256 - RESERVED)]
    for net in ("198.51.100.0/24", "203.0.113.0/25", "198.18.0.0/15"):
        start = int(IPv4Network(net).network_address)
        ranges.append(range(start, start + IPv4Network(net).num_addresses))
    while True:
        yield from chain.from_iterable(ranges)


def _ipv6(number: int) -> str:
    """A /56 of its own in 2001:db8::/32; the first /48 is left to the hand-made subscribers."""
    return f"2001:db8:{(number >> 8) + 16:x}:{(number & 255) << 8:x}::/56"
