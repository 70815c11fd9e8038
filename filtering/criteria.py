"""Who meets which criterion on one disclosure, for all subscribers at once (domain-rules: Whom it concerns).

The rules, as built here and for one pair in `filtering.pairs`:

* network, domain: verified holders only. software: any line of the profile that is affected, likely or possibly.
* Products named (affected, or perhaps) and no software listed: digest, if no sectors are named or one of the
  subscriber's is.
* Only sectors named: they decide. Neither products nor sectors named: digest, for all whom nothing else met.
* An exposure is about its addresses and domains alone.
* A country or region named takes away who is elsewhere, but not the owner of an exposed address.
* A partnership, supplier or CERT is met when one of its clients is (members, or scope), vital and public ones aside:
  what concerns those goes to the NCSC. It is *concerned* by that only when it serves them. Their region counts, not
  its own.
"""

from functools import cached_property, reduce

from pyroaring import BitMap

from filtering import Confidence
from filtering.disclosure import Disclosure
from filtering.index import Index
from filtering.network import Hits, Owners
from filtering.postings import either


class Criteria:
    """The criteria on one disclosure, each computed when first asked."""

    def __init__(self, seen: Disclosure, index: Index) -> None:
        self.seen = seen
        self.index = index

    @cached_property
    def owners(self) -> Owners:
        """Who holds what its observables lie in, verified or not."""
        return self.index.owners(self.seen.facts.observables)

    @cached_property
    def network(self) -> BitMap:
        """Verified holders of an address, prefix or AS number."""
        return BitMap(self.owners.network) & self.index.verified

    @cached_property
    def domain(self) -> BitMap:
        """Verified holders of a domain."""
        return BitMap(self.owners.domain) & self.index.verified

    @cached_property
    def users(self) -> list[dict[Confidence, BitMap]]:
        """For each product of it its users, by confidence."""
        return [self.index.software.users(product) for product in self.seen.products]

    @cached_property
    def software(self) -> BitMap:
        """Users of any affected product."""
        return _union([bits for users in self.users for bits in users.values()])

    @cached_property
    def sector(self) -> BitMap:
        """Who has one of the sectors it names."""
        return self.index.in_sectors(self.seen.sectors)

    @cached_property
    def allowed(self) -> BitMap:
        """Who is in one of the places it names; who states no region may be in any of its country."""
        area, index = self.seen.area, self.index
        if not any(area):
            return index.everyone
        inside = index.countries.union(area.whole) | index.regions.union(area.regions)
        return inside | index.countries.union(area.partly) & index.regions.get("")

    @cached_property
    def touched(self) -> BitMap:
        """Who is in a country in which one of these places lies: enough for who stands for others."""
        area, index = self.seen.area, self.index
        return index.countries.union(area.whole | area.partly) if any(area) else index.everyone

    @cached_property
    def own(self) -> BitMap:
        """Whom it concerns by network, domain or software."""
        return self._allowed(either(either(self.network, self.domain), self.software))

    def _allowed(self, bits: BitMap) -> BitMap:
        return bits & self.allowed if any(self.seen.area) else bits

    @cached_property
    def alerted(self) -> BitMap:
        """Who gets an alert for a criterion of its own."""
        decides = self.seen.sectors and not self.seen.products
        return self.own | self._allowed(self.sector) if decides else self.own

    @cached_property
    def through_clients(self) -> tuple[BitMap, BitMap]:
        """Who is met through clients: (all, those of them who serve their clients)."""
        target = self.alerted - self.index.kinds.within(self.alerted, ("vital", "public"))
        met = self.index.agents.standing_for(target) & self.touched
        return met, met & self.index.agents.serving

    @cached_property
    def alert(self) -> BitMap:
        """Everyone who gets an alert, before anything is taken away."""
        return either(self.alerted, self.through_clients[0])

    @cached_property
    def digest(self) -> BitMap:
        """Everyone who gets it in a digest only, before anything is taken away."""
        seen, index = self.seen, self.index
        if seen.kind == "exposure":
            return BitMap()
        if seen.products:
            rest = self._allowed(self.sector) if seen.sectors else self.allowed
            return rest - index.lists_software - self.alert
        return BitMap() if seen.sectors else self.allowed - self.alert

    @cached_property
    def reached(self) -> BitMap:
        """Alert and digest."""
        return either(self.alert, self.digest)

    @cached_property
    def concerned(self) -> BitMap:
        """Whom it concerns by a criterion of its own; a named sector is one, being one of all is not."""
        concerned = either(self.alerted, self.through_clients[1])
        return either(concerned, self.digest) if self.seen.sectors else concerned

    @cached_property
    def unverified(self) -> BitMap:
        """Whom only networks and domains met that nobody verified."""
        holders = BitMap(self.owners.network) | BitMap(self.owners.domain)
        return self._allowed(holders - self.index.verified) - self.reached

    @cached_property
    def opted_out(self) -> BitMap:
        """Who does not want this kind, or none of the products that met it. Own addresses are no product news."""
        out = self.index.opt_kinds.get(self.seen.kind)
        if not self.seen.products or not len(self.index.opt_products):
            return out
        wanted, unwanted = BitMap(), self.index.everyone
        for product, by_confidence in zip(self.seen.products, self.users, strict=True):
            declined = self.index.opt_products.union(product.opt_outs())
            unwanted = unwanted & declined
            wanted |= _union(list(by_confidence.values())) - declined
        owners = self.network | self.domain
        users = self.software - owners
        return out | (users - wanted) | (unwanted - self.software - owners)

    @cached_property
    def abused(self) -> BitMap:
        """Verified holders of a network or domain in which an attacker's address lies."""
        attackers = {n for n, each in enumerate(self.seen.facts.observables) if each.role == "attacker"}
        if not attackers:
            return BitMap()
        return (
            _holders(self.owners.network, attackers) | _holders(self.owners.domain, attackers)
        ) & self.index.verified


def _holders(hits: Hits, positions: set[int]) -> BitMap:
    return BitMap(number for number, found in hits.items() if not positions.isdisjoint(found))


def _union(bitmaps: list[BitMap]) -> BitMap:
    return reduce(either, bitmaps, BitMap())
