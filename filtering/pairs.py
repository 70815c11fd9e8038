"""The rules of `filtering.criteria` for one subscriber, and in words.

Values are neutral to language where a subscriber may read them: `192.0.2.0/24 (3)`, `Fortinet FortiOS 7.2.3 in <7.2.5`.
They name prefixes and domains of the profile, never an address; clients are counted, never named.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from pyroaring import BitMap

from filtering import Confidence, CriterionName, Reason
from filtering.criteria import Criteria
from filtering.entries import KINDS, scope_of
from filtering.index import sectors_meet
from filtering.naming import Installed, installed, opt_out
from filtering.network import asn, holdings, place
from filtering.software import RANK, Product, because, meets, pair
from normalize import Affected, suffixes
from subscribers import Software, Subscriber

_SHOWN = 5
"""Values in one reason; the rest is counted."""
_ELSEWHERE = "in none of the places that the item names"


class Pair:
    """One subscriber against one disclosure."""

    def __init__(self, criteria: Criteria, subscriber: Subscriber) -> None:
        self.criteria, self.index, self.seen = criteria, criteria.index, criteria.seen
        self.subscriber, self.profile = subscriber, subscriber.profile
        self.number = subscriber.number

    @cached_property
    def network_hits(self) -> Sequence[int]:
        """Positions of the observables that lie in its networks, verified or not."""
        return self.criteria.owners.network.get(self.number, ())

    @cached_property
    def domain_hits(self) -> Sequence[int]:
        """Positions of the observables that lie in its domains, verified or not."""
        return self.criteria.owners.domain.get(self.number, ())

    @cached_property
    def held(self) -> bool:
        """Does an observable lie in its networks or domains, verified or not?"""
        return bool(self.network_hits or self.domain_hits)

    @cached_property
    def lines(self) -> list[tuple[Software, Installed]]:
        """The software it lists."""
        lines = [(one, installed(one)) for one in self.profile.software]
        return [(one, line) for one, line in lines if line.names or line.purl]

    @cached_property
    def installed(self) -> list[Installed]:
        """The same, as it is compared: one line may be what another runs on."""
        return [line for _, line in self.lines]

    @cached_property
    def related(self) -> list[tuple[Product, Software, Installed]]:
        """Its software that is one of the products, in whatever version."""
        named = self.seen.products
        return [(one, *line) for one in named for line in self.lines if meets(one, line[1]) is not None]

    @cached_property
    def met(self) -> list[tuple[Confidence, Product, Software, Installed, Affected]]:
        """Its affected software, surest first."""
        found = [
            (verdict[0], product, one, line, verdict[1])
            for product, one, line in self.related
            if (verdict := pair(product, line, self.installed))
        ]
        return sorted(found, key=lambda each: -RANK[each[0]])

    @cached_property
    def trades(self) -> Sequence[str]:
        """Its sectors, and those of its constituency."""
        return tuple(dict.fromkeys((*self.profile.sectors, *scope_of(self.profile).sectors)))

    @cached_property
    def sectors(self) -> list[str]:
        """Its sectors that meet one that the item names."""
        return [code for code in self.trades if any(sectors_meet(named, code) for named in self.seen.sectors)]

    @cached_property
    def allowed(self) -> bool:
        """Is it in one of the places named, if any?"""
        return self.seen.area.holds(self.profile.country, self.profile.region)

    @cached_property
    def alerted(self) -> bool:
        """An alert for a criterion of its own?"""
        owner = self.profile.verified and self.held
        by_sector = bool(self.sectors) and not self.seen.products
        return self.allowed and (owner or bool(self.met) or by_sector)

    @cached_property
    def clients(self) -> tuple[int, int]:
        """Of the clients it stands for: (how many are met, how many there are)."""
        if self.number not in self.index.agents.clients:
            return 0, 0
        clients = self.index.agents.of(self.number)
        target = self.criteria.alerted - self.index.kinds.union(("vital", "public"))
        touched = self.seen.area.touches(self.profile.country)
        return (clients.intersection_cardinality(target) if touched else 0), len(clients)

    @cached_property
    def alert(self) -> bool:
        """An alert, before anything is taken away?"""
        return self.alerted or self.clients[0] > 0

    @cached_property
    def digest(self) -> bool:
        """In a digest only, before anything is taken away?"""
        if self.alert or not self.allowed or self.seen.kind == "exposure":
            return False
        if self.seen.products:
            return not self.lines and (not self.seen.sectors or bool(self.sectors))
        return not self.seen.sectors

    @property
    def reached(self) -> bool:
        """Alert or digest."""
        return self.alert or self.digest

    @property
    def concerned(self) -> bool:
        """By a criterion of its own?"""
        serving = self.number in self.index.agents.clients and self.index.agents.clients[self.number].serves
        by_clients = serving and self.clients[0] > 0
        return self.alerted or by_clients or (self.digest and bool(self.seen.sectors))

    @property
    def unverified(self) -> bool:
        """Met only by networks or domains that nobody verified?"""
        return self.held and not self.profile.verified and self.allowed and not self.reached

    @cached_property
    def opted_out(self) -> bool:
        """Unwanted: this kind, or all products that met it (all named ones, if none did)."""
        if self.seen.kind in self.profile.opt_out:
            return True
        declined = {opt_out(text) for text in self.profile.opt_out if text not in KINDS}
        if self.held and self.profile.verified:
            return False
        products = [each[1] for each in self.met] or self.seen.products
        return bool(products) and all(not declined.isdisjoint(product.opt_outs()) for product in products)

    def reasons(self) -> list[Reason]:
        """The criteria that find, in the order of the rules, met or not, as far as the item says anything on them."""
        facts, seen = self.seen.facts, self.seen
        found: list[Reason] = []
        if facts.observables:
            found.append(self._owner("network", self.network_hits, self.profile.networks))
            found.append(self._owner("domain", self.domain_hits, self.profile.domains))
        if seen.products:
            found += self._software()
        if seen.sectors:
            found.append(self._sector())
        if self.number in self.index.agents.clients:
            found.append(self._of_clients())
        if not seen.products and not seen.sectors and seen.kind != "exposure":
            found.append(self._general("names no product and no sector"))
        elif seen.products and not self.lines:
            found.append(self._general("names products; no software is listed"))
        if any(seen.area):
            found.append(self._place())
        if self.held and not self.profile.verified:
            found.append(Reason("verified", "networks and domains are not verified", False))
        return found

    def _owner(self, name: CriterionName, hits: Sequence[int], held: Sequence[str]) -> Reason:
        observables = self.seen.facts.observables
        counted: Counter[str] = Counter()
        for position in hits:
            one = observables[position]
            system = one.asn if asn(one) is None else asn(one)
            counted.update(next(([text] for text in holdings(self.subscriber, place(one), system)), []))
        if not counted:
            systems = {f"AS{one.asn}" for one in observables}
            why = "nothing that the item names lies in them" if held else ""
            if name == "domain" and (free := [each for each in held if suffixes.public(each)]):
                why = f"{_some(free)}: a public suffix, which nobody holds"
            if name == "network" and not systems.isdisjoint(held):
                why = "somebody else holds the address itself, verified: the AS number does not count"
            return Reason(name, _some(held) if held else "none listed", False, because=why)
        said = _some([f"{text} ({times})" for text, times in counted.most_common()])
        why = f"{len(hits)} of {len(observables)} that the item names" if self.profile.verified else "not verified"
        return Reason(name, said, self.profile.verified, because=why)

    def _software(self) -> list[Reason]:
        """Its affected software; else its software that is one of the products, and why not; else the products."""
        seen: dict[str, Reason] = {}
        for confidence, product, one, line, entry in self.met:
            said = f"{_named(one, line, entry)} in {_stated([entry] if line.version else product.entries)}"
            why = because(product, line, (confidence, entry), self.installed)
            seen.setdefault(said, Reason("software", said, True, confidence, why))
        for product, one, line in self.related if not seen else ():
            said = f"{_named(one, line, product.entries[0])} in {_stated(product.entries)}"
            seen.setdefault(said, Reason("software", said, False, because=because(product, line, None, self.installed)))
        if not seen:
            first = (one.entries[0] for one in self.seen.products)
            named = _some(list(dict.fromkeys(f"{entry.vendor} {entry.product}".strip() for entry in first)))
            listed = _some([_named(one, line) for one, line in self.lines])
            return [Reason("software", named, False, because=f"the profile lists {listed or 'no software'}")]
        return list(seen.values())[:_SHOWN]

    def _sector(self) -> Reason:
        if not self.sectors:
            why = f"the profile names {_some(self.trades) if self.trades else 'none'}"
            return Reason("sector", _some(self.seen.sectors), False, because=why)
        beside = self.seen.products and self.lines
        why = "but products are named, and the profile lists software: that decides" if beside else ""
        return Reason("sector", ", ".join(self.sectors[:_SHOWN]), True, because=why)

    def _general(self, said: str) -> Reason:
        if self.digest:
            return Reason("general", said, True)
        why = "in no sector that the item names" if self.allowed else _ELSEWHERE
        return Reason("general", said, False, because="another criterion decides" if self.alert else why)

    def _place(self) -> Reason:
        """Where it sits, by its region where the item names regions."""
        area, profile = self.seen.area, self.profile
        name: CriterionName = "region" if area.regions else "country"
        sits = profile.region if area.partly and profile.region else profile.country
        said = f"{sits} in {_some((*area.countries, *area.regions))}"
        unknown = area.partly and not profile.region and profile.country not in area.whole
        why = "the profile names no region" if unknown else ""
        return Reason(name, said, self.allowed, because=why if self.allowed else _ELSEWHERE)

    def _of_clients(self) -> Reason:
        """By which criterion its clients are met, or could have been; they are counted, not named."""
        met, every = self.clients
        criteria, seen = self.criteria, self.seen
        if not met:
            names: tuple[tuple[CriterionName, object], ...] = (
                ("network", seen.facts.observables), ("software", seen.products), ("sector", seen.sectors),
            )  # fmt: skip
            could: CriterionName = next((name for name, named in names if named), "general")
            why = "none of them is met" if every else "none of them is registered"
            if not self.seen.area.touches(self.profile.country):
                why = _ELSEWHERE
            return Reason(could, f"clients: 0/{every}", False, because=why)
        clients = self.index.agents.of(self.number)
        by: tuple[tuple[CriterionName, BitMap], ...] = (
            ("network", criteria.network), ("domain", criteria.domain), ("software", criteria.software),
        )  # fmt: skip
        name: CriterionName = next((name for name, bits in by if clients.intersect(bits)), "sector")
        return Reason(name, f"clients: {met}/{every}", True, because=f"it stands for {every}; {met} of these are met")


def _named(one: Software, line: Installed, entry: Affected | None = None) -> str:
    """A line of a profile as people read it; one that has no name but its CPE is called as the item calls it."""
    name = f"{one.vendor} {one.product}".strip()
    if not name and one.purl:
        return one.purl
    if not name:
        name = f"{entry.vendor} {entry.product}".strip() if entry else one.cpe or ""
    return f"{name} {line.version or ''}".strip()


def _stated(entries: Sequence[Affected]) -> str:
    """Affected versions as the source states them; that they follow no known scheme says nothing to people."""
    affected = (each for each in entries if each.status in ("affected", "unknown"))
    return _some(list(dict.fromkeys(each.versions.removeprefix("vers:unknown/") or "*" for each in affected)))


def _some(values: Sequence[str]) -> str:
    """A few values, and how many more there are."""
    rest = len(values) - _SHOWN
    return ", ".join(values[:_SHOWN]) + (f" (+{rest})" if rest > 0 else "")
