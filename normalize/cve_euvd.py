"""Entries of ENISA's European Union Vulnerability Database: facts that join the items naming their CVEs.

Vendors and products stand in lists of their own: with more than one vendor nobody says whose a product is. `epss` is
left to the source of EPSS. Source: answers of the EUVD API (euvd.enisa.europa.eu).
"""

import re
from datetime import UTC, datetime
from typing import Any

from normalize import Affected, Draft, Facts, Range, ranges
from normalize.lenient import Json, Parts, clean, cves_in, moment, web_addresses

_MOST_TEXT = 20_000
_ID = re.compile(r"EUVD-\d{4}-\d{1,9}")
_DAY = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d) ([AP])M")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BETWEEN = re.compile(r"(\S+)\s*(<=|<)\s*(\S+)")
_START = frozenset({"0", "0.0", "0.0.0", "unspecified", "n/a", "-", "*"})
_PATCHED = "patch:"


def drafts(root: Any, parts: Parts) -> list[Draft]:
    """One `facts` draft an entry, of a page, a list, or an entry by itself."""
    holder = (
        root if isinstance(root, dict) and "items" in root else {"items": root if isinstance(root, list) else [root]}
    )
    made = [_entry(entry, path, parts) for entry, path in parts.objects(holder, "items")]
    return [draft for draft in made if draft is not None]


def _entry(entry: Json, path: str, parts: Parts) -> Draft | None:
    cves = cves_in(parts.text(entry, "aliases", path))
    if not cves:
        parts.note("an entry that names no CVE", f"{path}/aliases")
        return None
    identifier = parts.text(entry, "id", path)
    key = identifier if _ID.fullmatch(identifier) else cves[0]
    score = entry.get("baseScore")
    facts = Facts(
        cves=cves,
        affected=_affected(entry, path, parts),
        cvss=float(score) if isinstance(score, (int, float)) and 0 < score <= 10 else None,
        exploited=True if parts.text(entry, "exploitedSince", path) else None,
    )
    summary = parts.text(entry, "description", path)[:_MOST_TEXT]
    references = web_addresses(parts.text(entry, "references", path).split())
    when = _moment(entry.get("dateUpdated")) or _moment(entry.get("datePublished"))
    return Draft("facts", key, key, summary, "en", facts, references=references, source_time=when)


def _affected(entry: Json, path: str, parts: Parts) -> tuple[Affected, ...]:
    """What is affected, and what is patched; a product of which only that is stated is *possibly* affected."""
    vendors = {
        parts.text(parts.object(each, "vendor", where), "name", f"{where}/vendor")
        for each, where in parts.objects(entry, "enisaIdVendor", path)
    }
    vendor = vendors.pop() if len(vendors) == 1 else ""
    vendor = "" if vendor.lower() in ("n/a", "-") else vendor
    found: dict[str, list[Affected]] = {}
    for each, where in parts.objects(entry, "enisaIdProduct", path):
        product = parts.text(parts.object(each, "product", where), "name", f"{where}/product")
        if product.lower() not in ("", "n/a", "-"):
            text = " ".join(parts.text(each, "product_version", where).replace("≤", "<=").split())
            found.setdefault(product, []).append(_stated(vendor, product, text))
    for product, listed in found.items():
        if all(each.status == "fixed" for each in listed):
            listed.append(Affected(vendor, product, versions="other than patched"))
    return tuple(dict.fromkeys(each for listed in found.values() for each in listed))


def _stated(vendor: str, product: str, text: str) -> Affected:
    if text.startswith(_PATCHED):
        version = text.removeprefix(_PATCHED).strip()
        if ":" in version and not version[:1].isdigit():  # a digest of an image
            return Affected(vendor, product, status="fixed")
        return Affected(vendor, product, versions=version, ranges=ranges.read(version), status="fixed")
    return Affected(vendor, product, versions=text, ranges=_read(text))


def _read(text: str) -> tuple[Range, ...]:
    """`1.0 <1.5` is from 1.0 to below 1.5."""
    between = _BETWEEN.fullmatch(text)
    if not between:
        return ranges.read(text) if text and text.lower() not in _START else ()
    start, sign, limit = between.groups()
    bounds = [f"{sign}{limit}"] if start.lower() in _START else [f">={start}", f"{sign}{limit}"]
    read = [ranges.read(each) for each in bounds]
    if not all(len(each) == 1 for each in read):
        return ()
    return (Range(tuple(bound for (each,) in read for bound in each.constraints)),)


def _moment(value: Any) -> datetime | None:
    """`Aug 7, 2025, 7:05:08 PM`, which is UTC; or as everybody writes it."""
    found = _DAY.fullmatch(" ".join(clean(value).split())) if isinstance(value, str) else None
    if found is None or found[1] not in _MONTHS:
        return moment(value)
    day, year, hour, minute, second = (int(found[each]) for each in range(2, 7))
    try:
        return datetime(
            year, _MONTHS.index(found[1]) + 1, day, hour % 12 + 12 * (found[7] == "P"), minute, second, tzinfo=UTC
        )
    except ValueError:
        return None
