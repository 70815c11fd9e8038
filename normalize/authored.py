"""STIX 2.1 objects that we write ourselves, for what comes in other formats.

One report with its publisher, a vulnerability for each CVE, a course of action for each remedy, software for each
product. Ids are made from what an object is about, so the same document gives the same objects again; what is shared
between documents (a CVE, a product, a publisher) has the same content everywhere. Clause: STIX 2.1, 4 and 6.14.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from normalize import Affected, products
from normalize.stix import new_id
from tlp import Label, markings

_SHARED_SINCE = "2024-01-01T00:00:00.000Z"
"""`created` of what belongs to no single document."""
_MOST_SOFTWARE = 500


def timestamp(moment: datetime) -> str:
    """STIX 2.1 2.16: `2026-03-02T06:30:00.000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def report(
    *,
    source: str,
    key: str,
    publisher: str,
    title: str,
    summary: str,
    language: str,
    created: datetime,
    modified: datetime,
    references: Sequence[str] = (),
    cves: Sequence[str] = (),
    remedies: Mapping[str, Sequence[str]] | None = None,
    affected: Iterable[Affected] = (),
    label: Label | None = None,
    types: Sequence[str] = ("vulnerability",),
) -> tuple[dict[str, Any], ...]:
    """The report and everything it refers to. `remedies`: text -> the CVEs it is for."""
    author = {
        **_sdo("identity", new_id("identity", publisher), _SHARED_SINCE, _SHARED_SINCE),
        "name": publisher,
        "identity_class": "organization",
    }
    start, end = timestamp(min(created, modified)), timestamp(modified)
    vulnerabilities = {cve: _vulnerability(cve) for cve in cves}
    parts = [*vulnerabilities.values()]
    for text, fixed in (remedies or {}).items():
        action = {
            **_sdo("course-of-action", new_id("course-of-action", source, key, text), start, end),
            "name": text.partition("\n")[0][:120],
            "description": text,
        }
        parts.append(action)
        parts += [
            _mitigates(action["id"], vulnerabilities[cve]["id"], start, end)
            for cve in dict.fromkeys(fixed)
            if cve in vulnerabilities
        ]
    parts += _software(affected)
    main = {
        **_sdo("report", new_id("report", source, key), start, end),
        "created_by_ref": author["id"],
        "name": title,
        "description": summary,
        "report_types": list(types),
        "published": start,
        "lang": language,
        "external_references": [{"source_name": publisher, "url": url} for url in references],
        "object_refs": [part["id"] for part in parts] or [author["id"]],
    }
    for empty in ("description", "external_references", "lang"):
        if not main[empty]:
            del main[empty]
    everything = [main, author, *parts]
    if label is None:
        return tuple(everything)
    for part in everything:
        part["object_marking_refs"] = [markings.STIX_ID[label]]
    return (markings.definition(label), *everything)


def _sdo(type_: str, id_: str, created: str, modified: str) -> dict[str, Any]:
    return {"type": type_, "spec_version": "2.1", "id": id_, "created": created, "modified": modified}


def _vulnerability(cve: str) -> dict[str, Any]:
    return {
        **_sdo("vulnerability", new_id("vulnerability", cve), _SHARED_SINCE, _SHARED_SINCE),
        "name": cve,
        "external_references": [{"source_name": "cve", "external_id": cve}],
    }


def _mitigates(action: str, vulnerability: str, created: str, modified: str) -> dict[str, Any]:
    return {
        **_sdo("relationship", new_id("relationship", action, "mitigates", vulnerability), created, modified),
        "relationship_type": "mitigates",
        "source_ref": action,
        "target_ref": vulnerability,
    }


def _software(affected: Iterable[Affected]) -> list[dict[str, Any]]:
    """One for each product that is or may be affected, whatever its versions: those stand in the facts."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for product in affected:
        names = products.plain_key(product.vendor, product.product)
        if not product.product or product.status not in ("affected", "unknown") or names in found:
            continue
        thing = {
            "type": "software",
            "spec_version": "2.1",
            "id": new_id("software", product.vendor, product.product, product.cpe or ""),
            "name": product.product,
        }
        if product.vendor:
            thing["vendor"] = product.vendor
        if product.cpe and product.cpe.startswith("cpe:2.3:"):
            thing["cpe"] = product.cpe
        found[names] = thing
        if len(found) >= _MOST_SOFTWARE:
            break
    return list(found.values())
