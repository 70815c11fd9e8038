"""CVE 5 records, answers of the NVD and of the EUVD: facts that join the items naming the CVE.

Of a CVE record what the CNA says, and what authorised data publishers (CISA) add; credits and names of people are left
out, and so is what older formats left behind (`x_legacyV4Record`). normalize/cve_versions.py reads versions,
normalize/cve_applicability.py CPE statements; normalize/cve_nvd.py and normalize/cve_euvd.py those databases.
Source: CVE JSON 5.1.1 record format (cve.org).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest import Source
from normalize import (
    Affected,
    Draft,
    Facts,
    Normalized,
    NormalizeError,
    cve_applicability,
    cve_euvd,
    cve_nvd,
    cve_versions,
    products,
)
from normalize.lenient import Json, Parts, clean, cves_in, decode, moment, web_addresses

_METRICS = ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0")
_MOST_TEXT = 20_000


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:  # noqa: ARG001
    """One `facts` draft a record, of one record or a list. NormalizeError: there is none."""
    root = decode(body)
    parts = Parts()
    records = root if isinstance(root, list) else [root]
    first = next((record for record in records if isinstance(record, dict)), {})
    if first.keys() & {"enisaUuid", "items"}:
        made = tuple(cve_euvd.drafts(root, parts))
    elif isinstance(root, dict) and first.keys() & {"vulnerabilities", "vulnStatus"}:
        made = tuple(cve_nvd.drafts(root, parts))
    else:
        where_of = (f"/{index}" if isinstance(root, list) else "" for index in range(len(records)))
        found = [_record(record, path, parts) for record, path in zip(records, where_of, strict=True)]
        made = tuple(draft for draft in found if draft is not None)
    if not made:
        where = parts.problems[0] if parts.problems else None
        raise NormalizeError(where.reason if where else "no CVE record in it", where.path if where else "")
    return Normalized("cve", made, tuple(parts.problems))


def _record(record: Any, path: str, parts: Parts) -> Draft | None:
    if not isinstance(record, dict):
        parts.note("an object was expected", path)
        return None
    metadata = parts.object(record, "cveMetadata", path)
    cve = next(iter(cves_in(parts.text(metadata, "cveId", f"{path}/cveMetadata"))), "")
    if not cve:
        parts.note("a record without a CVE id", f"{path}/cveMetadata/cveId")
        return None
    containers = parts.object(record, "containers", path)
    cna = parts.object(containers, "cna", f"{path}/containers")
    both = [(cna, f"{path}/containers/cna"), *parts.objects(containers, "adp", f"{path}/containers")]
    withdrawn = metadata.get("state") == "REJECTED"
    described = "rejectedReasons" if withdrawn else "descriptions"
    summary = next(_texts(cna, described, both[0][1], parts), "")
    remedies = [text for name in ("solutions", "workarounds") for text in _texts(cna, name, both[0][1], parts)]
    facts = Facts(
        cves=(cve,),
        affected=_affected(both, parts),
        cvss=_cvss(both, parts),
        exploited=_exploited(both, parts),
        remedies=tuple(dict.fromkeys(remedies)),
        withdrawn=withdrawn,
    )
    addresses = [
        parts.text(reference, "url", where)
        for container, inside in both
        for reference, where in parts.objects(container, "references", inside)
    ]
    when = moment(metadata.get("dateUpdated")) or moment(metadata.get("datePublished"))
    title = parts.text(cna, "title", both[0][1]) or cve
    return Draft("facts", cve, title, summary, "en", facts, references=web_addresses(addresses), source_time=when)


def _texts(container: Json, key: str, path: str, parts: Parts) -> Iterator[str]:
    """The English texts of a list of descriptions; where there are none, all of them."""
    found = [
        (parts.text(item, "lang", where).lower(), parts.text(item, "value", where)[:_MOST_TEXT])
        for item, where in parts.objects(container, key, path)
    ]
    english = [text for language, text in found if language.startswith("en") and text]
    yield from english or [text for _, text in found if text]


def _affected(both: list[tuple[Json, str]], parts: Parts) -> tuple[Affected, ...]:
    """What the CNA says; of others only products that the CNA does not name. Its CPE statements count for products that
    it names nowhere else, or of whose versions it says nowhere else what can be read."""
    found: list[Affected] = []
    for index, (container, path) in enumerate(both):
        named = set(map(_key, found)) if index else set()
        mine: list[Affected] = []
        listed = [(*_names(entry), entry, where) for entry, where in parts.objects(container, "affected", path)]
        stated = {
            products.name_key(vendor, product)
            for vendor, product, entry, _ in listed
            if not cve_versions.hashes_only(entry)
        }
        for vendor, product, entry, where in listed:
            key = products.name_key(vendor, product)
            if product.lower() in ("", "n/a", "-") or key in named:
                continue
            if key in stated and cve_versions.hashes_only(entry):  # the Linux kernel states both
                continue
            mine += cve_versions.affected("" if vendor.lower() == "n/a" else vendor, product, entry, where, parts)
        exact = [
            each
            for each in cve_applicability.affected(parts.objects(container, "cpeApplicability", path), parts)
            if _key(each) not in named
        ]
        read = {_key(each) for each in mine if each.ranges or each.status in ("fixed", "not-affected")}
        better = {_key(each) for each in exact if each.ranges} - read
        found += [each for each in mine if _key(each) not in better]
        found += [each for each in exact if _key(each) in better or _key(each) not in set(map(_key, mine))]
    return tuple(dict.fromkeys(found))


def _key(product: Affected) -> tuple[str, str]:
    return products.name_key(product.vendor, product.product)


def _names(entry: Json) -> tuple[str, str]:
    vendor, product = (clean(str(entry.get(key) or "")) for key in ("vendor", "product"))
    return vendor, product or clean(str(entry.get("packageName") or ""))


def _metrics(both: list[tuple[Json, str]], parts: Parts) -> Iterator[Json]:
    for container, path in both:
        for metric, _ in parts.objects(container, "metrics", path):
            yield metric


def _cvss(both: list[tuple[Json, str]], parts: Parts) -> float | None:
    scores: list[float] = []
    for metric in _metrics(both, parts):
        for name in _METRICS:
            content = metric.get(name)
            score = content.get("baseScore") if isinstance(content, dict) else None
            if isinstance(score, (int, float)) and 0 <= score <= 10:
                scores.append(float(score))
    return max(scores, default=None)


def _exploited(both: list[tuple[Json, str]], parts: Parts) -> bool | None:
    """True when CISA's data say so: listed in KEV, or SSVC "Exploitation: active"."""
    for metric in _metrics(both, parts):
        other = metric.get("other")
        if not isinstance(other, dict):
            continue
        content = other.get("content")
        options = content.get("options") if isinstance(content, dict) else None
        active = any(
            isinstance(option, dict) and str(option.get("Exploitation", "")).lower() == "active"
            for option in (options if isinstance(options, list) else ())
        )
        if other.get("type") == "kev" or active:
            return True
    return None
