"""Is this the same threat? Keys that merge, facts that combine, and the hash that makes a version.

Everything here is independent of the order of arrival (domain-rules: Items). Keys and hashes are made of what they
are given, unkeyed: call these with *guarded* facts, never with a draft's, so that no stripped value can be found
again by hashing guesses.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from normalize import Affected, Facts, Kind, Level, Observable, ObservableType, Role, Urgency, products
from tlp import Label

_KINDS: tuple[Kind, ...] = ("advisory", "report", "exposure", "indicators", "news", "facts")
"""What a merged item is: the first of these among its statements."""
_LEVELS: dict[Level | None, int] = {None: 0, "low": 1, "medium": 2, "high": 3}
_ROLES: dict[Role, int] = {"attacker": 0, "unknown": 1, "victim": 2}
_STATUS = {"not-affected": 0, "fixed": 1, "unknown": 2, "affected": 3}
_CVE_KINDS: frozenset[Kind] = frozenset({"advisory", "report", "news"})
_TRACKING = re.compile(r"GHSA(?:-[0-9A-Z]{4}){3}|(?=.*[A-Z])(?=.*\d).{6,}")
_SERIES = re.compile(r"[-_:\d]")
_TITLE_WORDS = 5
"""Shorter titles ("Weekly update", "Security advisory") return without being the same story."""
_LINKING: frozenset[ObservableType] = frozenset(("ipv4", "ipv6", "domain", "url", "email", "hash", "certificate"))
"""What two threats have in common says something. A network, a system's name or a file's is shared by strangers."""
_encode = msgspec.json.encode


def merge_keys(
    kind: Kind, source: str, draft_key: str, title: str, facts: Facts, references: Sequence[str]
) -> tuple[str, ...]:
    """Statements that share one of these keys are one threat.

    First the statement's own natural key, always; then tracking ids and aliases, where they are distinctive enough to
    be nobody else's; the set of CVEs; all values of an indicators item (republished with new ids) or of a report of
    that title; for news its address (`references[0]`, by convention the story itself) and its title. An exposure is
    its source's alone.
    """
    own = f"key:{source}:{draft_key}"
    if kind in ("exposure", "facts"):
        return (own,)
    keys = {
        f"tracking:{name}" if _TRACKING.fullmatch(name) else f"tracking:{source}:{name}"
        for name in _names(facts.tracking)
    }
    if facts.cves and kind in _CVE_KINDS:
        keys.add("cves:" + ",".join(sorted({cve.upper() for cve in facts.cves})))
    if kind in ("indicators", "report") and (values := _values(facts.observables)):
        keys.add("values:" + (f"{_plain(title)}:" if kind == "report" else "") + values)
    if kind == "news":
        keys |= {f"url:{url}" for url in (_address(text) for text in (draft_key, *references[:1])) if url}
        words = _plain(title)
        if words.count(" ") >= _TITLE_WORDS - 1:
            keys.add(f"title:{words}")
    return (own, *sorted(keys - {own}))


def _names(tracking: Sequence[str]) -> Iterator[str]:
    """The ids that name this threat: its own, which is first, and of each other series the one it has there.

    Who states two ids of one series speaks of two advisories: those it mentions, and is neither.
    """
    names = list(dict.fromkeys(each.strip().upper() for each in tracking))
    series = [_SERIES.split(name, maxsplit=1)[0] for name in names]
    return (name for at, name in enumerate(names) if at == 0 or series.count(series[at]) == 1)


def linking(kind: Kind, observables: Sequence[Observable]) -> set[str]:
    """The indicators by which statements of different threats are related: attackers' values, not victims'."""
    if kind in ("exposure", "facts"):
        return set()
    return {f"{o.type} {o.value}" for o in observables if o.type in _LINKING and o.role != "victim" and not o.own}


def combine(parts: Sequence[Facts], joined: Sequence[Facts] = ()) -> Facts:
    """Everything the parts say, whatever their order. Where they disagree the graver holds.

    A single part comes back as it is. Withdrawn is what every part withdrew; `joined` facts (CVE records) have no say
    in that. What one part calls safe stays only where it speaks for every CVE for which another calls the product
    affected. ValueError without any part.
    """
    if not parts:
        raise ValueError("nothing to combine")
    if len(parts) == 1 and not joined:
        return parts[0]
    ordered = sorted((*parts, *joined), key=_encode)
    exploited = {part.exploited for part in ordered}
    return Facts(
        tracking=_union(part.tracking for part in ordered),
        cves=_union(part.cves for part in ordered),
        affected=_affected(ordered),
        sectors=_union(part.sectors for part in ordered),
        countries=_union(part.countries for part in ordered),
        regions=_union(part.regions for part in ordered),
        observables=_observables(ordered),
        kans=max((part.kans for part in ordered), key=_LEVELS.__getitem__),
        schade=max((part.schade for part in ordered), key=_LEVELS.__getitem__),
        cvss=max((part.cvss for part in ordered if part.cvss is not None), default=None),
        epss=max((part.epss for part in ordered if part.epss is not None), default=None),
        exploited=True if True in exploited else False if False in exploited else None,
        exposure=min((part.exposure for part in ordered if part.exposure), default=None),
        remedies=tuple(dict.fromkeys(remedy for part in ordered for remedy in part.remedies)),
        withdrawn=all(part.withdrawn for part in parts),
    )


def meaning(kind: Kind, label: Label, facts: Facts) -> str:
    """The hash (SHA-256, hexadecimal) of what a change of makes a new version (docs/decisions/011).

    Affected products and ranges, CVEs, sectors, countries and regions (whom it concerns), exploited, kans, schade,
    CVSS class, label, remedies, indicators and withdrawal. Wording, order, repetition, times and EPSS do not count.
    What is gated is left out, since this is stored: `gated` tells whether that is still the same.
    """
    content = [
        kind,
        label.value,
        sorted({_product_meaning(product) for product in facts.affected}),
        sorted({cve.upper() for cve in facts.cves}),
        sorted({*facts.sectors, *facts.countries, *facts.regions}),
        [facts.exploited, facts.kans, facts.schade, cvss_class(facts.cvss), facts.exposure, facts.withdrawn],
        sorted({_told(remedy) for remedy in facts.remedies}),
        sorted(
            {f"{o.type} {o.role} {o.port or ''} {o.protocol or ''} {o.value}" for o in facts.observables if not o.own}
        ),
    ]
    return hashlib.sha256(_encode(content)).hexdigest()


def gated(observables: Iterable[Observable]) -> frozenset[str]:
    """What a change of makes a new version, of the rows that are gated: to compare in memory, never to store."""
    return frozenset([f"{o.type} {o.role} {o.port or ''} {o.protocol or ''} {o.value}" for o in observables if o.own])


def urgency(facts: Facts) -> Urgency:
    """What the facts say by themselves; an analyst may change it (domain-rules: Urgency)."""
    high = (facts.kans == "high") + (facts.schade == "high")
    if facts.exploited or high == 2:
        return "today"
    if high or (facts.cvss is not None and facts.cvss >= 9):
        return "this-week"
    return "info"


def kind_of(kinds: Iterable[Kind]) -> Kind:
    """Which kind a merged item has: that of its weightiest statement. ValueError without any."""
    return min(kinds, key=_KINDS.index)


def cvss_class(score: float | None) -> str:
    """CVSS v3.1 5, v4.0 6: none, low, medium, high, critical; empty when there is no score."""
    if score is None:
        return ""
    bounds = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))
    return next((name for bound, name in bounds if score >= bound), "none")


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({value for part in parts for value in part}))


def _affected(parts: Sequence[Facts]) -> tuple[Affected, ...]:
    """One entry for each product and versions as stated; of two statuses the graver."""
    found: dict[bytes, Affected] = {}
    for product in (product for index in range(len(parts)) for product in _standing(parts, index)):
        plain = msgspec.structs.replace(
            product, vendor=product.vendor.casefold(), product=product.product.casefold(), status="affected"
        )
        key = _encode(plain)
        known = found.get(key)
        if known is None or _gravity(product) > _gravity(known):
            found[key] = product
    return tuple(found[key] for key in sorted(found))


def _gravity(product: Affected) -> tuple[int, str, str]:
    return _STATUS[product.status], product.vendor, product.product


def precise(parts: Sequence[Facts], grades: Sequence[str]) -> list[tuple[Affected, ...]]:
    """What each part says is affected, less what is vague: a product named without versions adds nothing where a
    source that is at least as reliable, and speaks of all the same CVEs, says which (docs/decisions/007).

    `grades`: each part's Admiralty grade, A (best) to F.
    """
    return [_precise(parts, grades, index) for index in range(len(parts))]


def _precise(parts: Sequence[Facts], grades: Sequence[str], index: int) -> tuple[Affected, ...]:
    own = set(parts[index].cves)
    if not own or not any(map(_vague, parts[index].affected)):
        return parts[index].affected
    exact = {
        products.name_key(product.vendor, product.product)
        for other, part in enumerate(parts)
        if other != index and grades[other] <= grades[index] and own.issubset(part.cves)
        for product in part.affected
        if product.status == "affected" and product.versions
    }
    return tuple(
        product
        for product in parts[index].affected
        if not _vague(product) or products.name_key(product.vendor, product.product) not in exact
    )


def _vague(product: Affected) -> bool:
    """Named as affected, and nothing said of versions at all."""
    return product.status == "affected" and not product.versions and not product.ranges and product.purl is None


def _standing(parts: Sequence[Facts], index: int) -> list[Affected]:
    """What of one part stands beside the others: 7.2.5 is fixed for one CVE, and may be affected for another."""
    if all(product.status in ("affected", "unknown") for product in parts[index].affected):
        return list(parts[index].affected)
    own = set(parts[index].cves)
    graver = {
        products.name_key(product.vendor, product.product)
        for other, part in enumerate(parts)
        if other != index and not (part.cves and own.issuperset(part.cves))
        for product in part.affected
        if product.status in ("affected", "unknown")
    }
    return [
        product
        for product in parts[index].affected
        if product.status in ("affected", "unknown") or products.name_key(product.vendor, product.product) not in graver
    ]


def _observables(parts: Sequence[Facts]) -> tuple[Observable, ...]:
    """One for each value and port; victim outweighs unknown outweighs attacker (the stricter reading)."""
    found: dict[tuple[str, str, str], Observable] = {}
    for part in parts:
        for new in part.observables:
            key = (new.type, new.value, f"{new.protocol}/{new.port}")
            known = found.get(key)
            found[key] = new if known is None else _stricter(known, new)
    return tuple(found[key] for key in sorted(found))


def _stricter(one: Observable, other: Observable) -> Observable:
    graver = max((one, other), key=lambda o: (_ROLES[o.role], o.own, _encode(o)))
    return msgspec.structs.replace(graver, own=one.own or other.own)


def _product_meaning(product: Affected) -> str:
    """A product and its versions, without their wording where the reading is exact."""
    names = (product.vendor, product.product, product.cpe or "", product.purl or "")
    return _encode([*(name.casefold() for name in names), versions_meant(product), product.status]).decode()


def versions_meant(product: Affected) -> tuple[str, ...]:
    """The exact reading of its versions, whatever their wording; where there is none, the words."""
    return tuple(sorted(str(each.constraints) for each in product.ranges)) or (_spaced(product.versions),)


def _values(observables: Sequence[Observable]) -> str:
    """A fingerprint of all values; empty without any. How many the guard took out (`count`) is nothing to know by."""
    values = sorted({f"{o.type} {o.value}" for o in observables if o.detail.keys() != {"count"}})
    return hashlib.sha256(_encode(values)).hexdigest() if values else ""


def _plain(text: str) -> str:
    """Words alone, in one case and spelling: for comparing, not for reading."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded))


def _told(text: str) -> str:
    """Words, numbers and the signs between versions: how a sentence is set or punctuated is no other advice."""
    return " ".join(re.findall(r"\w+|[<>=]+", unicodedata.normalize("NFKC", text).casefold()))


def _spaced(text: str) -> str:
    """Without case and line breaks; signs stay, since `<7.2` is not `>7.2`."""
    return " ".join(text.casefold().split())


def _address(text: str) -> str:
    """A web address without what differs between feeds (scheme, www, tracking parameters); empty: it is none."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2].lower().removeprefix("www.")
    query = urlencode(sorted(p for p in parse_qsl(parts.query) if not p[0].lower().startswith(("utm_", "mc_"))))
    return host + parts.path.rstrip("/") + (f"?{query}" if query else "")
