"""Guards the facts of a draft: observables by role, everything else as what it is.

What is gated keeps its place, marked `own`; what may not stay at all leaves a count per network (AS) and country.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from normalize import Affected, Facts, Observable, ObservableType, Range, Role, places
from pii_guard import Category
from pii_guard.roles import Roles, of_text, speaks
from pii_guard.shapes import is_address
from pii_guard.values import Eraser

_PATH = "/facts/observables/*"
_CATEGORIES: dict[ObservableType, Category] = {
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "cidr": "ipv4",
    "email": "email",
    "mac": "mac",
    "username": "username",
}
_SCO = {"ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "email": "email-addr", "mac": "mac-addr", "url": "url"}
_NAMING = frozenset({"domain", "hash"})
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}").fullmatch
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.IGNORECASE).fullmatch
_COUNTRY = re.compile(r"[A-Za-z]{2}").fullmatch
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9:+_./ -]{0,200}").fullmatch
_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}").fullmatch
_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,40}").fullmatch
_ASN = re.compile(r"AS\d{1,10}|\d{1,7}", re.IGNORECASE).fullmatch
_HASH = re.compile(r"[0-9A-Fa-f]{16,128}").fullmatch
_DOMAIN = re.compile(r"[A-Za-z.-]{1,253}").fullmatch


def category_of(row: Observable) -> Category | None:
    """The category of what a row holds; None: its value is not personal by its type."""
    return "ipv6" if row.type == "cidr" and ":" in row.value else _CATEGORIES.get(row.type)


_Decided = Counter[tuple[Category, Role, str]]
_Lost = Counter[tuple[Role, int, str]]
_Shared = dict[int, dict[str, str]]
"""Details that hold nothing, by the place where they lie: rows of one report share them."""


def guarded(facts: Facts, eraser: Eraser) -> Facts:
    """The facts as they may stay."""
    return Facts(
        tracking=_clean(facts.tracking, eraser, "/facts/tracking"),
        cves=tuple(cve for cve in facts.cves if _CVE(cve)),
        affected=tuple(product for each in facts.affected if (product := _product(each, eraser))),
        sectors=_clean(facts.sectors, eraser, "/facts/sectors"),
        countries=tuple(country for country in facts.countries if _COUNTRY(country)),
        regions=tuple(region for region in facts.regions if places.region(region) == region),
        observables=tuple(observables(facts.observables, eraser)),
        kans=facts.kans,
        schade=facts.schade,
        cvss=facts.cvss,
        epss=facts.epss,
        exploited=facts.exploited,
        exposure=next(iter(_clean((facts.exposure,), eraser, "/facts/exposure")), None) if facts.exposure else None,
        remedies=tuple(text for each in facts.remedies if (text := eraser.prose(each, "/facts/remedies"))),
        withdrawn=facts.withdrawn,
    )


def observables(given: Sequence[Observable], eraser: Eraser) -> list[Observable]:
    """What may stay of each, and counts of what may not."""
    eraser.read_ahead(_texts(given, eraser))
    clean = eraser.nothing_in
    kept: list[Observable] = []
    lost: _Lost = Counter()
    told: dict[tuple[str, Role], tuple[Role, str, bool]] = {}
    decided: _Decided = Counter()
    shared: _Shared = {}
    graph = bool(eraser.roles)
    for one in given:
        known = told.get((one.evidence, one.role))
        if known is None:
            known = told[one.evidence, one.role] = _told(one.evidence, one.role, eraser)
        role, evidence, same = known
        kind = one.type
        # Most are names and hashes that hold nothing, and stay as they are.
        plain = same and kind in _NAMING and not (one.country or one.protocol or one.detail)
        if plain and (one.value in clean or (_HASH if kind == "hash" else _DOMAIN)(one.value)):
            kept.append(one)
            continue
        if graph and (sco := _SCO.get(kind)) is not None:
            role = _with_graph(role, one, sco, eraser)
        left = _one(one, role, evidence, eraser, decided, shared)
        if left is not None:
            kept.append(left)
        else:
            lost[role, one.asn or 0, one.country or ""] += 1
    for (category, role, evidence), count in decided.items():
        ruling = eraser.received[category, role]
        eraser.ledger.record(category, role, ruling, f"{_PATH}/value", evidence=evidence, count=count)
    return [*kept, *_counts(lost)]


def _texts(given: Iterable[Observable], eraser: Eraser) -> Iterator[str]:
    """What of the values is looked at as text."""
    for one in given:
        if one.type == "url":
            yield from eraser.url_parts(one.value) or ()
        elif one.type == "domain" and not _DOMAIN(one.value):
            yield one.value


def _told(evidence: str, claimed: Role, eraser: Eraser) -> tuple[Role, str, bool]:
    """Evidence decides; without any, a claim is believed only when it is the stricter one. And what may stay of it;
    and whether both are what was claimed."""
    role: Role = "victim" if claimed == "victim" else of_text(evidence)
    stays = evidence if _TOKEN(evidence) and eraser.clean(evidence, f"{_PATH}/evidence") else ""
    return role, stays, (role, stays) == (claimed, evidence)


def _with_graph(role: Role, one: Observable, sco: str, eraser: Eraser) -> Role:
    graph = eraser.roles.of_value(sco, one.value)
    if "victim" in (role, graph):
        return "victim"
    return "attacker" if "attacker" in (role, graph) else "unknown"


def _one(
    one: Observable, role: Role, evidence: str, eraser: Eraser, decided: _Decided, shared: _Shared
) -> Observable | None:
    """One observable; None: its value may not stay."""
    own = False
    value: str | None = one.value
    category = category_of(one)
    if category is not None:
        if not _is(category, one.value):
            category = "free-text"
        ruling = eraser.received[category, role]
        eraser.mark(category, ruling, one.value)
        action = ruling.action
        decided[category, role, evidence] += 1
        own = action == "gate"
        value = one.value if own or action == "keep" else None
    else:
        value, own = _other(one, role, eraser)
    if value is None:
        return None
    if (value, role, evidence, own) == (one.value, one.role, one.evidence, one.own) and not (
        one.country or one.protocol or one.detail
    ):
        return one
    return Observable(
        one.type,
        value,
        role,
        evidence,
        one.asn,
        one.country if one.country and _COUNTRY(one.country) else None,
        one.port,
        one.protocol if one.protocol and _PROTOCOL(one.protocol) else None,
        one.seen,
        _detail(one.detail, eraser, shared) if one.detail else {},
        own,
    )


def _is(category: Category, value: str) -> bool:
    if category == "username":
        return True
    if category == "ipv4" and _IPV4(value):
        return True
    return is_address(category, value)


def _other(one: Observable, role: Role, eraser: Eraser) -> tuple[str | None, bool]:
    """What may stay of a name, hash, URL or file, and whether for its owner only."""
    path, value = f"{_PATH}/value", one.value
    if one.type == "asn":
        return (value if _ASN(value) else None), False
    if (one.type in ("hash", "certificate") and _HASH(value)) or (one.type == "domain" and _DOMAIN(value)):
        return value, False
    if one.type == "url":
        return eraser.observed_url(value, role, path), False
    if one.type == "file":
        return eraser.file_path(value, role, path), False
    return (value if eraser.clean(value, path) else None), False


def _counts(lost: _Lost) -> list[Observable]:
    """How many values went, per role, network and country."""
    made = []
    for (role, asn, country), count in sorted(lost.items()):
        known = country if _COUNTRY(country) else None
        kind: ObservableType = "asn" if asn else "other"
        value = f"AS{asn}" if asn else known or "removed"
        made.append(Observable(kind, value, role, asn=asn or None, country=known, detail={"count": str(count)}))
    return made


def _detail(detail: dict[str, str], eraser: Eraser, shared: _Shared) -> dict[str, str]:
    if id(detail) in shared:
        return detail
    left = {key: value for key, value in detail.items() if _KEY(key) and eraser.clean(value, f"{_PATH}/detail/*")}
    if left == detail:  # what something was found in is looked at each time: each finding counts
        shared[id(detail)] = detail
    return left


def _clean(values: Iterable[str], eraser: Eraser, path: str) -> tuple[str, ...]:
    return tuple(value for value in values if eraser.clean(value, path))


def _product(product: Affected, eraser: Eraser) -> Affected | None:
    """A product without what its names and versions may not hold; None: it has no name left."""
    path = "/facts/affected/*"
    vendor = product.vendor if eraser.clean(product.vendor, f"{path}/vendor") else ""
    name = product.product if eraser.clean(product.product, f"{path}/product") else ""
    if not vendor and not name:
        return None
    return msgspec.structs.replace(
        product,
        vendor=vendor,
        product=name,
        versions=eraser.version(product.versions, f"{path}/versions") or "",
        ranges=tuple(each for each in product.ranges if _range(each, eraser)),
        cpe=eraser.version(product.cpe, f"{path}/cpe") if product.cpe else None,
        purl=eraser.version(product.purl, f"{path}/purl") if product.purl else None,
    )


def _range(each: Range, eraser: Eraser) -> bool:
    return all(eraser.version(bound, "/facts/affected/*/ranges") is not None for _, bound in each.constraints)


def still_kept(given: Iterable[Observable], eraser: Eraser, *, closed: bool = False) -> tuple[Observable, ...]:
    """Stored observables as they may still stay, in the roles the door decided; what may not becomes counts.

    A count that stands already takes in what goes now of the same role, network and country. What is for its owner
    only stays so, whatever a later policy says. `closed`: of what is gated the category decides alone, unseen.
    """
    kept: list[Observable] = []
    lost: _Lost = Counter()
    decided: _Decided = Counter()
    shared: _Shared = {}
    for one in given:
        if closed and one.own:
            left = one if _closed_stays(one, eraser, decided) else None
        else:
            left = _one(one, one.role, one.evidence, eraser, decided, shared)
        if left is None:
            lost[one.role, one.asn or 0, one.country or ""] += 1
        else:
            kept.append(msgspec.structs.replace(left, own=True) if one.own and not left.own else left)
    for (category, role, evidence), count in decided.items():
        ruling = eraser.received[category, role]
        eraser.ledger.record(category, role, ruling, f"{_PATH}/value", evidence=evidence, count=count)
    return _with_counts(kept, lost)


def counted(given: Iterable[Observable], gone: Iterable[bool]) -> tuple[Observable, ...]:
    """Observables without those that are gone: of these a count."""
    kept: list[Observable] = []
    lost: _Lost = Counter()
    for one, goes in zip(given, gone, strict=True):
        if goes:
            lost[one.role, one.asn or 0, one.country or ""] += 1
        else:
            kept.append(one)
    return _with_counts(kept, lost)


def _with_counts(kept: list[Observable], lost: _Lost) -> tuple[Observable, ...]:
    if not lost:
        return tuple(kept)
    rows = []
    for one in kept:
        if one.type in ("asn", "other") and one.detail.keys() == {"count"}:
            lost[one.role, one.asn or 0, one.country or ""] += int(one.detail["count"])
        else:
            rows.append(one)
    return (*rows, *_counts(lost))


def _closed_stays(one: Observable, eraser: Eraser, decided: _Decided) -> bool:
    """May a row that is not opened stay? A prefix may be of either version: as long as both may."""
    categories: tuple[Category, ...] = ("ipv4", "ipv6") if one.type == "cidr" else (_CATEGORIES[one.type],)
    stays = all(eraser.received[category, one.role].action in ("keep", "gate", "own") for category in categories)
    decided[categories[0], one.role, one.evidence] += 1
    return stays


def witness(roles: Roles, given: Iterable[Observable]) -> None:
    """What a draft's facts know of a value counts for it in the objects too: formats know what STIX has no word for."""
    known: dict[str, tuple[str, ...]] = {}
    for one in given:
        if not one.evidence or (sco := _SCO.get(one.type)) is None:
            continue
        if (tokens := known.get(one.evidence)) is None:
            tokens = tuple(token for token in one.evidence.split() if speaks(token) != "unknown")
            known[one.evidence] = tokens
        if tokens:
            roles.add_value(sco, one.value, tokens)


def tell(roles: Roles, given: Iterable[Observable]) -> None:
    """What the door decided about stored observables, as evidence about the same values elsewhere in the statement."""
    tokens = {"attacker": ("c2",), "victim": ("victim",)}
    for one in given:
        sco = _SCO.get(one.type)
        if sco is not None and one.role in tokens:
            roles.add_value(sco, one.value, tokens[one.role])
