"""A plain matcher, to hold the index against: one loop over all profiles in memory, as one would write it first.

It knows what the items of the benchmark ask for (products, sectors, clearance for all, urgency, opt-outs, clients) and
nothing of the index; the same ids have to come out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from normalize import sectors
from subscribers import Subscriber

URGENCIES = {"info": 0, "this-week": 1, "today": 2}


class Row(NamedTuple):
    """What it looks at of one profile."""

    number: int
    id: str
    kind: str
    region: str
    sectors: tuple[str, ...]
    software: tuple[tuple[str, str, str], ...]
    wants: int
    opt_out: tuple[str, ...]
    members: tuple[str, ...]
    scope: tuple[tuple[str, ...], tuple[str, ...]]


def row(subscriber: Subscriber) -> Row:
    """Of a subscriber."""
    profile, scope = subscriber.profile, ((), ())
    if profile.kind in ("partnership", "cert"):
        scope = profile.scope.sectors, profile.scope.regions
    lines = tuple((line.vendor, line.product, line.version or "") for line in profile.software)
    members = profile.members if profile.kind in ("partnership", "cert", "supplier") else ()
    wants = URGENCIES[profile.min_urgency]
    return Row(
        subscriber.number, subscriber.id, profile.kind, profile.region, profile.sectors, lines, wants,
        profile.opt_out, members, scope,
    )  # fmt: skip


def audience(rows: Iterable[Row], product: tuple[str, str, str], named: str) -> list[int]:
    """Who gets an advisory on one version of a product and a sector, urgent today, label CLEAR."""
    met, agents = [], []
    for each in rows:
        uses = False
        for line in each.software:
            if line == product:
                uses = True
        if uses or (not each.software and any(_meet(named, code) for code in each.sectors)):
            met.append((each, uses))
        elif each.members or any(each.scope):
            agents.append(each)
    clients = [each for each, uses in met if uses and each.kind not in ("vital", "public")]
    ids, places = {each.id for each in clients}, {(each.region, each.sectors) for each in clients}
    met += [(each, True) for each in agents if not ids.isdisjoint(each.members) or _inside(each, places)]
    return sorted(
        each.number
        for each, _ in met
        if each.kind not in ("vital", "public") and each.wants <= URGENCIES["today"] and "advisory" not in each.opt_out
    )


def _inside(agent: Row, places: set[tuple[str, tuple[str, ...]]]) -> bool:
    codes, regions = agent.scope
    if not (codes or regions):
        return False
    return any(
        (not regions or region in regions)
        and (not codes or any(sectors.covers(code, mine) for code in codes for mine in held))
        for region, held in places
    )


def _meet(one: str, other: str) -> bool:
    return sectors.covers(one, other) or sectors.covers(other, one)
