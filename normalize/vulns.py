"""CISA KEV (an advisory for each entry) and CVE 5 records (facts that join the items naming the CVE).

KEV: every entry is exploited; no versions are stated, so every version is possible. CVE 5: what the CNA says, and what
authorised data publishers add; credits and names of people are left out (normalize/cve_versions.py reads versions).
Sources: KEV JSON schema (cisa.gov); CVE JSON 5.1 record format (cve.org).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest import Source
from normalize import Affected, Draft, Facts, Normalized, NormalizeError, authored, cve_versions, products
from normalize.lenient import Json, Parts, clean, cves_in, decode, moment, web_addresses

_KEV_SIGNS = (b'"catalogVersion"', b'"cveID"')
_CVE_SIGNS = (b'"cveMetadata"', b'"CVE_RECORD"')
_ABBREVIATION = re.compile(r"\s*\([A-Z][A-Z0-9-]{1,9}\)")
_AND = re.compile(r",\s*(?:and\s+)?|\s+and\s+")
_METRICS = ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0")
_MOST_TEXT = 20_000


def sniff(head: bytes) -> bool:
    """Does this look like the KEV catalogue or like CVE 5 records?"""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start in (b"{", b"[") and any(sign in head for sign in (*_KEV_SIGNS, *_CVE_SIGNS))


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """KEV: one advisory an entry. CVE 5: one `facts` draft a record. NormalizeError: it is neither."""
    root = decode(body)
    parts = Parts()
    if isinstance(root, dict) and isinstance(root.get("vulnerabilities"), list):
        return Normalized("kev", tuple(_kev(root, source, received_at, parts)), tuple(parts.problems))
    if isinstance(root, dict) and "$schema" in root and "properties" in root:
        raise NormalizeError("a JSON schema, not a catalogue")
    records = root if isinstance(root, list) else [root]
    found = [
        _record(record, f"/{index}" if isinstance(root, list) else "", parts) for index, record in enumerate(records)
    ]
    made = tuple(draft for draft in found if draft is not None)
    if not made:
        where = parts.problems[0] if parts.problems else None
        raise NormalizeError(where.reason if where else "neither KEV nor a CVE record", where.path if where else "")
    return Normalized("cve", made, tuple(parts.problems))


# KEV


def _kev(root: Json, source: Source, received_at: datetime, parts: Parts) -> Iterator[Draft]:
    for entry, path in parts.objects(root, "vulnerabilities"):
        cve = next(iter(cves_in(parts.text(entry, "cveID", path))), "")
        if not cve:
            parts.note("an entry without a CVE id", f"{path}/cveID")
            continue
        yield _entry(entry, path, cve, source, received_at, parts)


def _entry(entry: Json, path: str, cve: str, source: Source, received_at: datetime, parts: Parts) -> Draft:
    title = parts.text(entry, "vulnerabilityName", path) or cve
    summary = parts.text(entry, "shortDescription", path)
    action = parts.text(entry, "requiredAction", path)
    added = moment(entry.get("dateAdded"))
    affected = tuple(_products(parts.text(entry, "vendorProject", path), parts.text(entry, "product", path)))
    references = web_addresses(re.split(r"\s*;\s*|\s+", parts.text(entry, "notes", path)))
    facts = Facts(cves=(cve,), affected=affected, exploited=True, remedies=(action,) if action else ())
    objects = authored.report(
        source=source.id,
        key=f"kev/{cve}",
        publisher=source.name,
        title=title,
        summary=summary,
        language="en",
        created=added or received_at,
        modified=added or received_at,
        references=references,
        cves=facts.cves,
        remedies={action: facts.cves} if action else None,
        affected=affected,
    )
    return Draft("advisory", f"kev/{cve}", title, summary, "en", facts, objects, references, source_time=added)


def _products(vendor: str, stated: str) -> Iterator[Affected]:
    """`FortiOS and FortiProxy` is two products; `Confluence Data Center and Server` is one, under a known name."""
    plain = _ABBREVIATION.sub("", stated).strip()
    names = [plain] if products.alias_of(vendor, plain) else [part.strip() for part in _AND.split(plain)]
    for name in dict.fromkeys(name for name in names if name):
        yield Affected(vendor, name)


# CVE 5


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
    """What the CNA says; of others only products that the CNA does not name."""
    found: list[Affected] = []
    for index, (container, path) in enumerate(both):
        named = {products.name_key(product.vendor, product.product) for product in found} if index else set()
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
            found += cve_versions.affected("" if vendor.lower() == "n/a" else vendor, product, entry, where, parts)
    return tuple(dict.fromkeys(found))


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
