"""A plain matcher, written from the domain rules alone and in their words, to hold `filtering` against.

One pair at a time, no index, no shortcut; it imports types and nothing that decides. Where the rules leave open which
of several named outcomes a pair gets (more than one filter takes it away), every admissible one is in the verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import msgspec

from filtering import Outcome
from normalize import Affected, Facts, Kind, Observable, Urgency
from pii_guard import Item, Statement
from subscribers import Quiet, Software, Subscriber
from tlp import Consent, Label

URGENCIES: tuple[Urgency, ...] = ("info", "this-week", "today")
ALIASES = {("citrix", "netscaler"): ("citrix", "netscaler adc")}
"""The one alias that the tests use."""
KINDS = ("advisory", "report", "indicators", "exposure", "news")
NO_MATCH: frozenset[Outcome] = frozenset({"no-match"})
TLP: frozenset[Outcome] = frozenset({"tlp"})
EITHER = frozenset({True, False})
DIVISIONS_OF_C = range(10, 34)
"""SBI 2008 section C, manufacturing."""
MEANS = {
    "NACE:25.62": ["SBI:25.62"],
    "NIS2:ict-service-management": ["SBI:62"],
    "NIS2:energy.electricity": ["SBI:35.1"],
    "NIS2:food": ["SBI:10", "SBI:11", "SBI:46.3"],
    "STIX:manufacturing": ["SBI:C"],
}
"""What the codes of other schemes that the tests use are in SBI."""
NOT_THE_TARGET_GROUP = ("vital", "public")
WORLD = {"western-europe": ("NL", "BE"), "eastern-asia": ("JP",)}
"""Which of the countries that the tests use lie in the parts of the world that they use."""
SUFFIXES = ("co.uk", "github.io")
"""The public suffixes that the tests use."""


@dataclass(frozen=True)
class Verdict:
    """What the rules admit for one pair."""

    outcomes: frozenset[Outcome]
    concerned: frozenset[bool]


@dataclass(frozen=True)
class Reached:
    """How far rules 1 to 4 carry an item, as far as some statements say: alert, digest or not at all."""

    how: frozenset[str]
    concerned: frozenset[bool]
    by_own_network: bool = False
    opted_out: bool | None = False
    """None: the rules do not say."""

    @property
    def own(self) -> bool:
        return self.concerned == {True} and self.how != {"no"}


def decide(
    item: Item,
    subscriber: Subscriber,
    now: datetime,
    *,
    urgency: Urgency | None,
    consents: Mapping[str, Consent],
    label: Label | None = None,
    others: Sequence[Subscriber] = (),
) -> Verdict:
    """The decision for one pair; arguments as `filtering.match.explain` takes them, and who else is registered.

    `urgency` None: no analyst said how urgent it is, so what this subscriber may see of it says so.

    Unverified networks and domains prove nothing: the pair is `unverified`, or what it is without them.
    """
    counted = subscriber if subscriber.profile.verified else _without_networks(subscriber)
    verdict = _decide(item, counted, now, urgency=urgency, consents=consents, label=label, others=others)
    if counted is subscriber or not any(
        owns(subscriber, one, others) for said in item.statements for one in said.facts.observables
    ):
        return verdict
    return Verdict(verdict.outcomes | {"unverified"}, frozenset({True, False}))


def _decide(
    item: Item,
    subscriber: Subscriber,
    now: datetime,
    *,
    urgency: Urgency | None,
    consents: Mapping[str, Consent],
    label: Label | None,
    others: Sequence[Subscriber],
) -> Verdict:
    def seen(concerned: bool) -> list[Statement]:
        return [one for one in item.statements if may_see(one, subscriber, now, consents, label, concerned=concerned)]

    everything = reach(item, item.statements, subscriber, others)
    as_client, as_anyone = seen(concerned=True), seen(concerned=False)
    most = reach(item, as_client, subscriber, others) if as_client else None
    least = reach(item, as_anyone, subscriber, others) if as_anyone else None
    verdicts = []
    whole = urgency or stated(item, item.statements)
    near, far = (urgency or stated(item, told) for told in (as_client, as_anyone))
    if most and True in most.concerned and most.how != {"no"}:
        verdicts.append(_filtered(most, item, subscriber, now, near))
    if not most or not most.own:
        if least:
            verdicts.append(_filtered(least, item, subscriber, now, far))
            if most and most.how != least.how:
                verdicts.append(_filtered(most, item, subscriber, now, near))
        if not least or ("no" in least.how and everything.how != {"no"}):
            verdicts.append(_hidden(everything, item, subscriber, now, whole, partly=least is not None))
    elif "no" in most.how:
        verdicts.append(_hidden(everything, item, subscriber, now, whole, partly=True))
    return Verdict(
        frozenset().union(*(one.outcomes for one in verdicts)),
        frozenset().union(*(one.concerned for one in verdicts)),
    )


def stated(item: Item, told: Sequence[Statement]) -> Urgency:
    """domain-rules, Urgency: exploited, or kans and schade both high: today; one of them, or CVSS >= 9: this week. A
    CVE record shows which CVEs the statements name that may be seen, and says nothing where none of them does."""
    named = {cve for one in told for cve in one.facts.cves}
    said = [one.facts for one in told]
    said += [one.facts for one in item.facts if told and named & set(one.facts.cves)]
    kans, schade = any(one.kans == "high" for one in said), any(one.schade == "high" for one in said)
    if any(one.exploited for one in said) or (kans and schade):
        return "today"
    return "this-week" if kans or schade or any((one.cvss or 0) >= 9 for one in said) else "info"


def may_see(
    statement: Statement,
    subscriber: Subscriber,
    now: datetime,
    consents: Mapping[str, Consent],
    label: Label | None,
    *,
    concerned: bool,
) -> bool:
    """domain-rules, TLP: what each label asks of a reader with a closed way out."""
    order = [Label.CLEAR, Label.GREEN, Label.AMBER, Label.AMBER_STRICT, Label.RED]
    rank = max(order.index(statement.label), order.index(label or Label.CLEAR))
    expired = subscriber.clearance.until is not None and now >= subscriber.clearance.until
    cleared = 0 if expired else order.index(subscriber.clearance.highest)
    if rank == 0:
        return True
    if cleared < rank or subscriber.profile.kind == "public":  # nothing is sent to one: it sees what everybody does
        return False
    if rank == 1:
        return True
    if rank == 2:
        return concerned
    consent = consents.get(statement.key, Consent())
    return subscriber.id in consent.recipients or subscriber.profile.kind in consent.classes


def reach(item: Item, statements: Sequence[Statement], subscriber: Subscriber, others: Sequence[Subscriber]) -> Reached:
    """Rules 1 to 4 and the country, on what these statements say together: for itself, or else for its clients."""
    own = reach_itself(item, statements, subscriber, others)
    if own.how == {"alert"}:
        return own
    of_clients = [
        reach_itself(item, statements, one if one.profile.verified else _without_networks(one), others)
        for one in clients(subscriber, others)
        if one.profile.kind not in NOT_THE_TARGET_GROUP
    ]
    if not any("alert" in one.how for one in of_clients):
        return own
    said = [one.facts for one in (*statements, *item.facts)]
    if "yes" not in in_place(subscriber.profile.country, "", said):
        # Rule 5 takes away; where the addresses of an exposure seem to be need not count.
        exposure = any(one.kind == "exposure" for one in statements)
        return Reached(own.how | {"alert"}, EITHER, opted_out=own.opted_out) if exposure else own
    products_out = any(text not in KINDS for text in subscriber.profile.opt_out)
    opted = bool({one.kind for one in statements} & set(subscriber.profile.opt_out)) or (
        None if products_out else False
    )
    serves = subscriber.profile.kind in ("supplier", "cert") or subscriber.profile.serves_members
    concerned = frozenset({serves}) if own.how == {"no"} or own.concerned == {False} else EITHER
    sure = "alert" not in own.how and any(one.how == {"alert"} for one in of_clients)
    how = frozenset({"alert"}) if sure else own.how | {"alert"}
    return Reached(how, concerned if sure else EITHER, own.by_own_network, opted)


def clients(subscriber: Subscriber, others: Sequence[Subscriber]) -> list[Subscriber]:
    """Whom it stands for. A partnership: its members or its scope; a CERT: its constituency; a supplier: those who gave
    it a mandate. A scope with sectors and regions asks for both; a broad code means everything below it."""
    profile = subscriber.profile
    if profile.kind not in ("partnership", "supplier", "cert"):
        return []
    scope = profile.scope if profile.kind != "supplier" else None

    def inside(one: Subscriber) -> bool:
        if scope is None or not (scope.sectors or scope.regions):
            return False
        in_region = not scope.regions or one.profile.region in scope.regions
        in_sector = any(lies_in(mine, code) for mine in one.profile.sectors for code in scope.sectors)
        return in_region and (not scope.sectors or in_sector)

    return [one for one in others if one.id != subscriber.id and (one.id in profile.members or inside(one))]


def reach_itself(
    item: Item, statements: Sequence[Statement], subscriber: Subscriber, others: Sequence[Subscriber]
) -> Reached:
    """Rules 1 to 4 and the country, for nobody but itself."""
    profile = subscriber.profile
    kinds = {one.kind for one in statements}
    said = [one.facts for one in (*statements, *item.facts)]
    named = [one for facts in said for one in facts.affected]
    affected = [one for one in named if one.status == "affected"]  # only fixed or not affected: must not alert
    sectors = {code for facts in said for code in facts.sectors}
    observables = [one for facts in said for one in facts.observables]
    abroad = "yes" not in in_place(profile.country, profile.region, said)
    network = any(owns(subscriber, one, others) for one in observables)
    hits = [one for one in affected if any(uses(used, one) for used in profile.software)]
    in_sector = any(related(mine, theirs) for mine in my_sectors(subscriber) for theirs in sectors)
    products_out = {one for one in profile.opt_out if one not in KINDS}
    opted = bool(kinds & set(profile.opt_out))
    if network:
        unsure = None if any(one.product in products_out for one in affected) else False
        # rule 1 asks for nothing else, rule 5 takes away: an own address that is said to be abroad may go either way
        return Reached(frozenset({"alert", "no"} if abroad else {"alert"}), frozenset({True}), True, opted or unsure)
    if abroad:
        return Reached(frozenset({"no"}), frozenset({True, False}))
    if hits:
        return Reached(
            frozenset({"alert"}), frozenset({True}), opted_out=opted or all(one.product in products_out for one in hits)
        )
    open_question = None if any(one.product in products_out for one in named) else False
    if affected or not named:
        return _without_a_hit(
            kinds, profile.software, affected, sectors, observables, in_sector, opted or open_question
        )
    # only products that are fixed or not affected: does it then name products? The rules leave it open.
    one_way = _without_a_hit(kinds, profile.software, named, sectors, observables, in_sector, opted or open_question)
    other = _without_a_hit(kinds, profile.software, [], sectors, observables, in_sector, opted or open_question)
    opted_out = one_way.opted_out if one_way.opted_out == other.opted_out else None
    return Reached(one_way.how | other.how, one_way.concerned | other.concerned, opted_out=opted_out)


def _without_a_hit(
    kinds: set[Kind],
    software: Sequence[Software],
    products: Sequence[Affected],
    sectors: set[str],
    observables: Sequence[Observable],
    in_sector: bool,
    opted_out: bool | None,
) -> Reached:
    """Rules 3 and 4."""
    if products:
        if software or (sectors and not in_sector):
            return Reached(frozenset({"no"}), frozenset({False}))
        return Reached(frozenset({"digest"}), frozenset({bool(sectors)}), opted_out=opted_out)
    if sectors:
        if in_sector:
            return Reached(frozenset({"alert"}), frozenset({True}), opted_out=opted_out)
        return Reached(frozenset({"no"}), frozenset({False}))
    if "exposure" in kinds:
        return Reached(frozenset({"no"}), frozenset({False}))  # it names addresses, and none of them is theirs
    how = frozenset({"digest", "no"}) if observables else frozenset({"digest"})
    return Reached(how, frozenset({False}), opted_out=opted_out)


def in_place(country: str, region: str, said: Sequence[Facts]) -> set[str]:
    """Rule 5: where the item names countries or regions, who is in none of them is taken away. A region that is not
    known takes nobody away."""
    named = [*(code for facts in said for code in facts.countries), *(code for facts in said for code in facts.regions)]
    if not named:
        return {"yes"}

    def lies(place: str) -> bool:
        if place in WORLD:
            return country in WORLD[place]
        if "-" in place:
            return region == place if region else place.startswith(f"{country}-")
        return country == place

    return {"yes" if lies(place) else "no" for place in named}


def owns(subscriber: Subscriber, observable: Observable, others: Sequence[Subscriber]) -> bool:
    """Rule 1: an address, prefix, AS number or domain lies in the subscriber's networks or domains.

    The AS number of a row names the network owner, who is told when nobody registered the address.
    """
    networks = [ip_network(one) for one in subscriber.profile.networks if not one.startswith("AS")]
    numbers = {one for one in subscriber.profile.networks if one.startswith("AS")}
    if observable.type in ("ipv4", "ipv6"):
        if any(ip_address(observable.value) in net for net in networks):
            return True
        registered = any(
            ip_address(observable.value) in ip_network(net)
            for one in others
            for net in one.profile.networks
            if one.profile.verified and not net.startswith("AS")
        )
        return observable.asn is not None and f"AS{observable.asn}" in numbers and not registered
    if observable.type == "cidr":
        inner = ip_network(observable.value)
        return any(inner.version == net.version and inner.subnet_of(net) for net in networks)  # type: ignore[arg-type]
    if observable.type == "asn":
        return observable.value in numbers
    if observable.type == "domain":
        held = [name for name in subscriber.profile.domains if name not in SUFFIXES]
        return any(observable.value == name or observable.value.endswith(f".{name}") for name in held)
    return False


def uses(used: Software, affected: Affected) -> bool:
    """Rule 2: version inside, or missing, or not comparable: yes; outside: no."""
    if _name(used.vendor, used.product) != _name(affected.vendor, affected.product):
        return False
    if used.version is None or not affected.ranges:
        return True
    version = _numbers(used.version)
    if version is None:
        return True
    return any(all(_holds(version, bound, limit) for bound, limit in one.constraints) for one in affected.ranges)


def _name(vendor: str, product: str) -> tuple[str, str]:
    key = (vendor.lower(), product.lower())
    return ALIASES.get(key, key)


def _numbers(version: str) -> tuple[int, ...] | None:
    parts = version.split(".")
    if not all(part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _holds(version: tuple[int, ...], bound: str, limit: str) -> bool:
    other = _numbers(limit)
    assert other is not None, "the tests' ranges have dotted numbers only"
    return {
        "=": version == other,
        "!=": version != other,
        "<": version < other,
        "<=": version <= other,
        ">": version > other,
        ">=": version >= other,
    }[bound]


def my_sectors(subscriber: Subscriber) -> set[str]:
    """Its own, and those of its constituency."""
    scope = subscriber.profile.scope.sectors if subscriber.profile.kind in ("partnership", "cert") else ()
    return {*subscriber.profile.sectors, *scope}


def related(one: str, other: str) -> bool:
    """A code means everything below it: the two meet when either lies in the other."""
    return lies_in(one, other) or lies_in(other, one)


def lies_in(narrow: str, broad: str) -> bool:
    """Is all that the one means part of what the other means?"""
    return all(
        any(_below(inner, outer) for outer in MEANS.get(broad, [broad])) for inner in MEANS.get(narrow, [narrow])
    )


def _below(narrow: str, broad: str) -> bool:
    inner, outer = narrow.removeprefix("SBI:"), broad.removeprefix("SBI:")
    if outer == "C":
        return inner == "C" or (inner[:2].isdigit() and int(inner[:2]) in DIVISIONS_OF_C)
    return inner != "C" and inner.replace(".", "").startswith(outer.replace(".", ""))


def in_quiet_hours(quiet: Quiet | None, now: datetime) -> bool:
    """Local time, from inclusive, to exclusive; over midnight when `from` is later than `to`, which belongs to the day
    it began on."""
    if quiet is None:
        return False
    local = now.astimezone(ZoneInfo(quiet.tz))
    today, yesterday = local.isoweekday(), local.isoweekday() - 1 or 7
    clock, start, end = local.time(), time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)

    def on(day: int) -> bool:
        return not quiet.days or day in quiet.days

    if start <= end:
        return on(today) and start <= clock < end
    return (on(today) and clock >= start) or (on(yesterday) and clock < end)


def _taken(reached: Reached, subscriber: Subscriber, urgency: Urgency) -> tuple[set[Outcome], set[Outcome]]:
    """Rule 5: what takes away for certain, and what may."""
    profile = subscriber.profile
    certain: set[Outcome] = set()
    maybe: set[Outcome] = set()
    if URGENCIES.index(urgency) < URGENCIES.index(profile.min_urgency):
        (certain if "digest" not in reached.how else maybe).add("urgency")
    if reached.opted_out is not False:
        (maybe if reached.opted_out is None else certain).add("opt-out")
    return certain, maybe


def _filtered(reached: Reached, item: Item, subscriber: Subscriber, now: datetime, urgency: Urgency) -> Verdict:
    if reached.how == {"no"}:
        return Verdict(frozenset({"no-match"}), reached.concerned)
    exposure = any(one.kind == "exposure" for one in item.statements)
    certain, maybe = _taken(reached, subscriber, urgency)
    outcomes: set[Outcome]
    if subscriber.profile.kind in NOT_THE_TARGET_GROUP and exposure and reached.by_own_network:
        outcomes, maybe = {"vital"}, set()
    elif certain:
        outcomes = certain
    else:
        outcomes = {"digest"} if "digest" in reached.how else set()
        if "alert" in reached.how:
            outcomes.add("quiet" if in_quiet_hours(subscriber.profile.quiet, now) else "deliver")
    if "no" in reached.how:
        outcomes = outcomes | NO_MATCH
    if subscriber.profile.kind in NOT_THE_TARGET_GROUP:
        maybe.add("vital")  # not the target group: an analyst may pass on the rest, too
    return Verdict(frozenset(outcomes | maybe), reached.concerned if "no" not in reached.how else EITHER)


def _hidden(
    everything: Reached, item: Item, subscriber: Subscriber, now: datetime, urgency: Urgency, *, partly: bool
) -> Verdict:
    """It would reach this subscriber, but for a label; or it would not, and nobody need say so."""
    if everything.how == {"no"}:
        return Verdict(NO_MATCH | TLP, EITHER)
    would = _filtered(everything, item, subscriber, now, urgency).outcomes - {"deliver", "digest", "quiet"}
    return Verdict(would | TLP | (NO_MATCH if partly else frozenset()), EITHER)


def _without_networks(subscriber: Subscriber) -> Subscriber:
    return msgspec.structs.replace(
        subscriber, profile=msgspec.structs.replace(subscriber.profile, networks=(), domains=())
    )
