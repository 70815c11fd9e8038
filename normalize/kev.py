"""CISA KEV: an advisory for each entry. Every entry is exploited; no versions are stated, so every one is possible.

As JSON, or as CSV with the same names at the head of its columns. Source: KEV JSON schema (cisa.gov).
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count

from ingest import Source
from normalize import Affected, Draft, Facts, Normalized, NormalizeError, authored, products
from normalize.lenient import Json, Parts, cves_in, decode, moment, web_addresses

_ABBREVIATION = re.compile(r"\s*\([A-Z][A-Z0-9-]{1,9}\)")
_AND = re.compile(r",\s*(?:and\s+)?|\s+and\s+")


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One advisory an entry. NormalizeError: this is no catalogue."""
    parts = Parts()
    listed = _rows(body, parts) if b"cveID" in body.lstrip()[:8] else _list(body, parts)
    return Normalized("kev", tuple(_kev(listed, source, received_at, parts)), tuple(parts.problems))


def _list(body: bytes, parts: Parts) -> Iterator[tuple[Json, str]]:
    root = decode(body)
    if not isinstance(root, dict) or not isinstance(root.get("vulnerabilities"), list):
        raise NormalizeError("not a KEV catalogue: it has no list of vulnerabilities")
    return parts.objects(root, "vulnerabilities")


def _rows(body: bytes, parts: Parts) -> Iterator[tuple[Json, str]]:
    """Rows that are cut off, or have a field too many, are read as far as they go."""
    try:
        rows = csv.reader(io.StringIO(body.decode(), newline=""))
    except UnicodeDecodeError:
        raise NormalizeError("not UTF-8") from None
    names: list[str] = []
    for number in count(1):
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            parts.note("not a row of a table", f"row {number}")
            continue
        if not names:
            names = [name.strip() for name in row]
        elif row:
            yield dict(zip(names, row, strict=False)), f"row {number}"


def _kev(listed: Iterator[tuple[Json, str]], source: Source, received_at: datetime, parts: Parts) -> Iterator[Draft]:
    for entry, path in listed:
        cve = next(iter(cves_in(parts.text(entry, "cveID", path))), "")
        if not cve:
            parts.note("an entry without a CVE id", path if path.startswith("row") else f"{path}/cveID")
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
