"""Who stands for whom: partnerships, suppliers and CERTs, their members, and who lies in their scope.

Kept up to date by every change. A scope is worked out when it is first asked for, once for all who have it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

from msgspec import Struct
from pyroaring import BitMap

from filtering.postings import Postings
from normalize import sectors


class Scope(NamedTuple):
    """A constituency: who has one of the sectors and lies in one of the regions; of each, none = any."""

    sectors: tuple[str, ...]
    regions: tuple[str, ...]


Place = tuple[str, tuple[str, ...]]
"""Region and sectors: all that a scope asks for."""
_FEW = 256
"""So many are looked up one by one sooner than in each scope."""


class Clients(Struct, frozen=True):
    """Whom one stands for."""

    members: tuple[str, ...]
    scope: Scope | None
    serves: bool


class Agents:
    """All who stand for others, over the postings of an index."""

    def __init__(
        self,
        everyone: BitMap,
        regions: Postings[str],
        trades: Postings[str],
        number: Callable[[str], int | None],
        place: Callable[[int], Place],
    ) -> None:
        self._everyone, self._regions, self._trades = everyone, regions, trades
        self._number, self._place = number, place
        self.clients: dict[int, Clients] = {}
        self.serving = BitMap()
        self._members: dict[int, BitMap] = {}
        self._links: _Links | None = None
        """The other way round, from when it is first asked for."""
        self._by_scope: Postings[Scope] = Postings()
        self._inside: dict[Scope, BitMap] = {}
        """Who lies in a scope that was asked for."""
        self._lies_in: dict[Place, list[Scope]] = {}
        """In which scopes one lies; forgotten when one comes or goes."""

    def add(self, number: int, clients: Clients) -> None:
        """One who stands for others."""
        members = BitMap(found for found in map(self._number, clients.members) if found is not None)
        self.restore(number, clients, members)

    def all(self) -> Iterator[tuple[int, Clients, BitMap]]:
        """Everyone here, with those of its members who are registered."""
        return ((number, clients, self._members[number]) for number, clients in self.clients.items())

    def restore(self, number: int, clients: Clients, members: BitMap) -> None:
        """As `add`, where it is known who of its members is registered."""
        self.clients[number], self._members[number] = clients, members
        if self._links is not None:
            self._links.add(number, clients, members)
        if clients.scope is not None:
            if clients.scope not in self._by_scope:
                self._lies_in.clear()
            self._by_scope.add(clients.scope, number)
        if clients.serves:
            self.serving.add(number)

    @property
    def _linked(self) -> "_Links":
        if self._links is None:
            self._links = _Links()
            for each in self.all():
                self._links.add(*each)
        return self._links

    def discard(self, number: int) -> None:
        """The mirror of `add`; one who stands for nobody is nothing to do."""
        clients = self.clients.pop(number, None)
        if clients is None:
            return
        self._linked.discard(number, clients, self._members.pop(number))
        if clients.scope is not None:
            self._by_scope.discard(clients.scope, number)
            if clients.scope not in self._by_scope:
                self._inside.pop(clients.scope, None)
                self._lies_in.clear()
        self.serving.discard(number)

    def note(self, number: int, id_: str, place: Place, *, add: bool) -> None:
        """Anybody comes, or goes: perhaps somebody's client."""
        links = self._linked
        for agent in links.named.get(id_):
            (self._members[agent].add if add else self._members[agent].discard)(number)
            (links.link if add else links.unlink)(number, agent)
        if not self._inside:
            return
        for scope in self._around(place):
            if (inside := self._inside.get(scope)) is not None:
                (inside.add if add else inside.discard)(number)

    def _around(self, place: Place) -> list[Scope]:
        """The scopes in which one lies."""
        found = self._lies_in.get(place)
        if found is None:
            found = self._lies_in[place] = [scope for scope in self._by_scope if _holds(scope, *place)]
        return found

    def of(self, number: int) -> BitMap:
        """Whom one stands for: registered members, and who lies in its scope."""
        found = self.clients.get(number)
        if found is None:
            return BitMap()
        clients = self._members[number] | self.inside(found.scope) if found.scope else BitMap(self._members[number])
        clients.discard(number)
        return clients

    def inside(self, scope: Scope) -> BitMap:
        """Who lies in a scope; shared: not to be changed."""
        found = self._inside.get(scope)
        if found is None:
            found = self._regions.union(scope.regions) if scope.regions else BitMap(self._everyone)
            if scope.sectors:
                codes = {mine for mine in self._trades if _covered(scope.sectors, mine)}
                found &= self._trades.union(codes)
            self._inside[scope] = found
        return found

    def standing_for(self, target: BitMap) -> BitMap:
        """Who stands for any of these."""
        if not target:
            return BitMap()
        if len(target) <= _FEW:
            scopes = {scope for place in set(map(self._place, target)) for scope in self._around(place)}
        else:
            scopes = set(compress(self._by_scope, map(target.intersect, map(self.inside, self._by_scope))))
        met = self._by_scope.union(scopes)
        links = self._linked
        members = target & links.members
        if len(members) < len(self._members):
            return met | links.agents.union(members)
        return met | BitMap(list(compress(self._members, map(members.intersect, self._members.values()))))


class _Links:
    """Who stands for a member: by its id, registered or not, and by its number."""

    def __init__(self) -> None:
        self.named: Postings[str] = Postings()
        self.agents: Postings[int] = Postings()
        self.members = BitMap()

    def add(self, number: int, clients: Clients, members: BitMap) -> None:
        for member in clients.members:
            self.named.add(member, number)
        for client in members:
            self.link(client, number)

    def discard(self, number: int, clients: Clients, members: BitMap) -> None:
        for client in members:
            self.unlink(client, number)
        for member in clients.members:
            self.named.discard(member, number)

    def link(self, client: int, number: int) -> None:
        self.agents.add(client, number)
        self.members.add(client)

    def unlink(self, client: int, number: int) -> None:
        self.agents.discard(client, number)
        if client not in self.agents:
            self.members.discard(client)


def _holds(scope: Scope, region: str, codes: Sequence[str]) -> bool:
    in_region = not scope.regions or region in scope.regions
    return in_region and (not scope.sectors or any(_covered(scope.sectors, mine) for mine in codes))


def _covered(broad: Sequence[str], mine: str) -> bool:
    return any(sectors.covers(code, mine) for code in broad)
