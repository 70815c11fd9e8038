"""What matching and people need to know of some STIX objects: CVEs, products, sectors, places, observables.

Evidence says why a value would be an attacker's or a victim's; the role here is preliminary, the guard decides.
Source: STIX 2.1 parts 4-6 and field-notes "STIX 2.1 and personal data".
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from normalize import Affected, Facts, NormalizeError, Observable, ObservableType, places, ranges
from normalize.evidence import gathered, role_of
from normalize.patterns import PatternValue, Reading
from normalize.products import cpe_parts
from normalize.sectors import parse

Objects = Sequence[dict[str, Any]]
By = dict[str, list[dict[str, Any]]]

CVE = re.compile(r"\bCVE-\d{4}-\d{4,19}\b", re.IGNORECASE)
_OFFENDERS = frozenset(("threat-actor", "intrusion-set", "campaign", "malware", "infrastructure", "tool"))
_PLACED = frozenset(("originates-from", "located-at"))
_ADDRESS: dict[str, ObservableType] = {
    "ipv4-addr": "ipv4",
    "ipv6-addr": "ipv6",
    "domain-name": "domain",
    "url": "url",
    "email-addr": "email",
    "mac-addr": "mac",
}
_FANGS = ((("[.]", "(.)", "[dot]"), "."), (("[:]",), ":"), (("[@]", "[at]"), "@"))
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")
_DOMAIN = re.compile(r"(?:[^\s./:@\[\]]{1,63}\.)+[^\s./:@\[\]\d]{2,63}")

Patterns = Mapping[str, Reading]
"""Each STIX pattern of the document, read."""
Key = tuple[ObservableType, str]


class _Seen(Struct):
    """One value while what is known of it comes together."""

    evidence: set[str]
    asn: int | None = None
    port: int | None = None
    protocol: str | None = None
    seen: str | None = None
    algorithm: str = ""


def facts_of(objects: Objects, patterns: Patterns, *, tracking: tuple[str, ...], title: str, withdrawn: bool) -> Facts:
    """Facts of one draft. Objects have passed the gate; earlier versions of an object are not among them."""
    by: By = defaultdict(list)
    for obj in objects:
        by[obj["type"]].append(obj)
    cves, (countries, regions) = _cves(by, title), _places(by)
    return Facts(
        tracking=tracking,
        cves=cves,
        affected=_affected(by, named=bool(cves)),
        sectors=_sectors(objects, by),
        countries=countries,
        regions=regions,
        observables=_observables(by, patterns),
        withdrawn=withdrawn,
    )


def _cves(by: By, title: str) -> tuple[str, ...]:
    found = {cve.upper() for cve in CVE.findall(title)}
    for obj in by["vulnerability"]:
        found.update(cve.upper() for cve in CVE.findall(obj["name"]))
        for reference in obj.get("external_references", ()):
            if isinstance(stated := reference.get("external_id"), str):
                found.update(cve.upper() for cve in CVE.findall(stated))
    return tuple(sorted(found))


def _affected(by: By, *, named: bool) -> tuple[Affected, ...]:
    vulnerable = {
        link["source_ref"]
        for link in by["relationship"]
        if link["relationship_type"] in ("has", "related-to") and link["target_ref"].startswith("vulnerability--")
    } | {link["target_ref"] for link in by["relationship"] if link["relationship_type"] in ("targets", "exploits")}
    found = {}
    for obj in by["software"]:
        version, cpe = obj.get("version", ""), obj.get("cpe")
        parts = cpe_parts(cpe) if cpe else None
        product = Affected(
            vendor=obj.get("vendor") or (parts[0] if parts else ""),
            product=obj["name"],
            versions=version or (parts[2] if parts else ""),
            ranges=ranges.read(version or (parts[2] if parts else ""), obj["name"]),
            cpe=cpe if parts else None,
            status="affected" if named or obj["id"] in vulnerable else "unknown",
        )
        found[product.vendor, product.product, product.versions, product.cpe] = product
    return tuple(found.values())


def _sectors(objects: Objects, by: By) -> tuple[str, ...]:
    """Sectors of those it is aimed at: not of whoever wrote it, nor of the actor."""
    targeted = {link["target_ref"] for link in by["relationship"] if link["relationship_type"] == "targets"}
    ours = {obj.get("created_by_ref") for obj in objects}
    offenders = {
        link["target_ref"]
        for link in by["relationship"]
        if link["relationship_type"] in ("attributed-to", "impersonates")
    }
    found = set()
    for obj in by["identity"]:
        if obj["id"] not in targeted and (obj["id"] in ours or obj["id"] in offenders):
            continue
        for name in obj.get("sectors", ()):
            try:
                found.add(parse(f"STIX:{name}"))
            except NormalizeError:
                continue  # an open vocabulary: a word that we cannot map matches nobody
    return tuple(sorted(found))


def _places(by: By) -> places.Area:
    """Where it is aimed at: not where an actor or its infrastructure is. Of each location the narrowest that it states;
    names of provinces and states that are no code of ISO 3166-2 stand for their country."""
    offenders, victims = set(), set()
    for link in by["relationship"]:
        if link["relationship_type"] == "targets":
            victims.add(link["target_ref"])
        elif link["relationship_type"] in _PLACED and link["source_ref"].partition("--")[0] in _OFFENDERS:
            offenders.add(link["target_ref"])
    countries, regions = set(), set()
    for obj in by["location"]:
        if obj["id"] in offenders and obj["id"] not in victims:
            continue
        country = obj.get("country", "").upper()
        part = places.region(obj.get("administrative_area", ""))
        if part and part[:2] == (country or part[:2]):
            regions.add(part)
        elif len(country) == 2 and country.isalpha():
            countries.add(country)
        elif not country and (part := places.region(obj.get("region", ""))):
            regions.add(part)
    return places.Area(tuple(sorted(countries)), tuple(sorted(regions)))


def _observables(by: By, patterns: Patterns) -> tuple[Observable, ...]:
    evidence, indicates = gathered(by)
    found: dict[Key, _Seen] = {}
    numbers = {obj["id"]: obj["number"] for obj in by["autonomous-system"]}
    moments = {
        ref: obj["last_observed"] for obj in by["observed-data"] for ref in obj.get("object_refs", ())
    }  # the last one stated
    traffic = {obj["dst_ref"]: obj for obj in by["network-traffic"] if "dst_ref" in obj}
    for kind in (*_ADDRESS, "autonomous-system", "file", "user-account", "x509-certificate"):
        for obj in by[kind]:
            identifier = obj["id"]
            for key, algorithm in _keys(kind, obj):
                seen = found.setdefault(key, _Seen(set()))
                seen.evidence |= evidence.get(identifier, set())
                seen.algorithm = algorithm
                seen.seen = moments.get(identifier, seen.seen)
                if identifier in traffic:
                    seen.port = traffic[identifier].get("dst_port")
                    seen.protocol = next(iter(traffic[identifier]["protocols"][-1:]), None)
                for ref in obj.get("belongs_to_refs", ()):
                    seen.asn = numbers.get(ref, seen.asn)
    for obj in by["indicator"]:
        if not obj.get("revoked"):
            _from_pattern(obj, patterns, obj["id"] in indicates, found)
    return tuple(_observable(key, seen) for key, seen in found.items())


def _observable(key: Key, seen: _Seen) -> Observable:
    kind, value = key
    return Observable(
        type=kind,
        value=value,
        role=role_of(seen.evidence),
        evidence=" ".join(sorted(seen.evidence)),
        asn=int(value[2:]) if kind == "asn" else seen.asn,
        port=seen.port,
        protocol=seen.protocol,
        seen=datetime.fromisoformat(seen.seen) if seen.seen else None,
        detail={"algorithm": seen.algorithm} if seen.algorithm else {},
    )


def _keys(kind: str, obj: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    """The observables that one object is, with the algorithm where it is a hash."""
    if kind in _ADDRESS:
        if key := address(_ADDRESS[kind], obj["value"]):
            yield key, ""
    elif kind == "autonomous-system":
        yield ("asn", f"AS{obj['number']}"), ""
    elif kind == "user-account":
        if name := obj.get("account_login") or obj.get("user_id"):
            yield ("username", name), ""
    elif kind == "file":
        hashes = obj.get("hashes", {})
        for algorithm, value in hashes.items():
            yield ("hash", value.lower()), algorithm
        if not hashes and (name := obj.get("name")):
            yield ("file", name), ""
    else:
        for algorithm, value in obj.get("hashes", {}).items():
            yield ("certificate", value.lower()), algorithm


def _from_pattern(obj: dict[str, Any], patterns: Patterns, indicates: bool, found: dict[Key, _Seen]) -> None:
    if obj["pattern_type"] != "stix":
        return
    tokens = [f"indicator-type:{name}" for name in obj.get("indicator_types", ())]
    if indicates:
        tokens.append("indicates")
    for value in patterns[obj["pattern"]].values:
        if value.negated or type(value.value) is not str or value.operator not in ("=", "IN", "ISSUBSET"):
            continue
        for key, algorithm in _of_comparison(value, value.value):
            seen = found.setdefault(key, _Seen(set()))
            seen.evidence.update(tokens)
            seen.algorithm = algorithm
            if value.type == "email-message" and value.path.startswith(("to_refs", "cc_refs", "bcc_refs")):
                seen.evidence.add("email:recipient")


def _of_comparison(compared: PatternValue, value: str) -> Iterator[tuple[Key, str]]:
    path = compared.path
    if path == "value" and compared.type in _ADDRESS:
        key = address(_ADDRESS[compared.type], value)
    elif path.startswith("hashes."):
        kind: ObservableType = "certificate" if compared.type == "x509-certificate" else "hash"
        yield (kind, value.lower()), path.removeprefix("hashes.")
        return
    elif compared.type == "file" and path == "name":
        key = ("file", value)
    elif compared.type == "user-account" and path in ("account_login", "user_id"):
        key = ("username", value)
    elif compared.type == "email-message" and path.endswith(".value"):
        key = address("email", value)
    elif path.endswith("_ref.value") or path.endswith("_refs[*].value"):
        key = address("domain", value)
    else:
        return
    if key:
        yield key, ""


def address(kind: ObservableType, value: str) -> Key | None:
    """A value in the form that matching compares, as the type that it is: feeds write addresses as domain names.

    `ipv4` with a mask is a `cidr` (unless it is one address). None: it is not what it claims to be.
    """
    text = _armed(value.strip())
    if kind == "ipv4" and _IPV4.fullmatch(text):
        return kind, text
    if kind in ("url", "email"):
        return (kind, text) if text and (kind == "url" or "@" in text) else None
    lowered = text.lower()
    if kind == "mac":
        return (kind, lowered.replace("-", ":")) if _MAC.fullmatch(lowered) else None
    if kind == "domain" and not _like_address(lowered):
        name = lowered.rstrip(".")
        return (kind, name) if _DOMAIN.fullmatch(name) else None
    try:
        network = ipaddress.ip_network(lowered, strict=False)
    except ValueError:
        return None
    if network.prefixlen < network.max_prefixlen:
        return "cidr", str(network)
    return ("ipv4" if network.version == 4 else "ipv6"), str(network.network_address)


def _like_address(text: str) -> bool:
    return ":" in text or (text[-1:].isdigit() and text.replace(".", "").replace("/", "").isdigit())


def _armed(text: str) -> str:
    """`hxxp://1[.]2[.]3[.]4` as it was."""
    if "[" not in text and "(" not in text and text[:4].lower() != "hxxp":
        return text
    for fangs, sign in _FANGS:
        for fang in fangs:
            text = text.replace(fang, sign)
    return re.sub(r"^hxxp", "http", text, flags=re.IGNORECASE)


def addresses_of(references: Iterable[Any]) -> Iterator[str]:
    """The web addresses among external references."""
    for reference in references:
        url = reference.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) < 2000:
            yield url
