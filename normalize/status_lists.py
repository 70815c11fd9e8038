"""Lists of what is known of software after one vulnerability, as NCSC-NL keeps them in Markdown: one advisory a page.

Tables `| Supplier | Product | Version | Status | Links |`, or with a `Status CVE-...` for each of several. A version
beside `Fix` is where the fix came in: that one is fixed, what lies before it is possibly affected. Nothing is called
fixed from there onwards where another row of the product is not safe, nor where only a branch is named (`Fedora 36`).
Clause: GFM 4.10 (tables); statuses: github.com/NCSC-NL/log4shell, software/README.md.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from msgspec import Struct, field

from ingest import Source
from normalize import Affected, Bound, Draft, Facts, Normalized, NormalizeError, Range, authored, products, ranges
from normalize.csaf_products import GRAVITY, Status, certain
from normalize.lenient import Parts, cves_in
from normalize.markdown import URL, cells, is_rule, links, plain
from tlp import Label, markings

_STATUS: dict[str, Status] = {
    "vulnerable": "affected",
    "workaround": "affected",
    "fix": "fixed",
    "not vuln": "not-affected",
    "investigation": "unknown",
}
_HEADS = {
    "vendor": "supplier", "versions": "version", "note": "notes",
    "link": "links", "reference": "links", "references": "links",
}  # fmt: skip
_MOST_ROWS, _MOST_LINKS, _MOST_REMEDIES = 10_000, 500, 100
_LONGEST_CELL, _LONGEST_SUMMARY, _LONGEST_TITLE = 4_000, 1_000, 200
_NUMBERED = re.compile(r"v?\d+\.\d", re.IGNORECASE).match
_BEFORE: dict[Bound, Bound] = {"=": "<", ">=": "<", "<": "<", ">": "<="}
"""Sign of where a fix came in -> of what lies before it. `< 10.4.1`: it came in 10.4.1."""


class _Columns(Struct, frozen=True):
    """Where in a row what stands. `cves`: column of a status -> the CVE that its head names, or nothing."""

    places: dict[str, list[int]]
    cves: dict[int, str]


class _Row(Struct, frozen=True):
    """What one row says. `said`: CVE -> status; the gravest is the row's."""

    vendor: str
    product: str
    versions: str
    said: dict[str, Status]

    @property
    def status(self) -> Status:
        return max(self.said.values(), key=GRAVITY.__getitem__)


class _Page(Struct):
    """One page while it is read. `remedies`: text -> the CVEs it is for; `text`: lines outside of tables."""

    parts: Parts = field(default_factory=Parts)
    tables: list[_Columns] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    remedies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, None] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def sniff(head: bytes) -> bool:
    """Does it hold a table of suppliers, products, versions and statuses?"""
    lines = head.decode("utf-8", "replace").split("\n")
    return any(_columns(line, rule) for line, rule in pairwise(lines))


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One advisory for the whole page. NormalizeError: it holds no list of statuses."""
    page, columns, count, text = _Page(), None, 0, body.decode("utf-8", "replace")
    lines = enumerate(pairwise([*text.split("\n"), ""]), 1)
    for number, (line, following) in lines:
        if columns and line.lstrip().startswith("|"):
            count += 1
            if count > _MOST_ROWS:
                page.parts.note(f"more than {_MOST_ROWS:,} rows; the others are not read", f"line {number}")
                break
            _row(line, columns, page, f"line {number}")
        elif columns := _columns(line, following):
            page.tables.append(columns)
            next(lines)  # the rule
        else:
            page.text.append(line)
    if not page.tables:
        raise NormalizeError("no table with supplier, product, version and status")
    if not page.rows:
        page.parts.note("a list of statuses without a row that can be read", "")
    made = (_draft(page, markings.of_text(text), source, received_at),) if page.rows else ()
    return Normalized("list", made, tuple(page.parts.problems))


def _columns(line: str, rule: str) -> _Columns | None:
    """What the columns under a head mean, where the line below it is a rule. None: no list of statuses."""
    if not rule.lstrip().startswith("|") or "status" not in line.lower() or len(line) > _LONGEST_CELL:
        return None
    names = [plain(cell).casefold() for cell in cells(line)]
    if not is_rule(rule, len(names)):
        return None
    places: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        word = name.partition(" ")[0]
        places.setdefault(word if word in ("version", "status") else _HEADS.get(name, name), []).append(index)
    if not places.keys() >= {"supplier", "product", "version", "status"}:
        return None
    return _Columns(places, {index: next(iter(cves_in(names[index])), "") for index in places["status"]})


def _row(line: str, columns: _Columns, page: _Page, where: str) -> None:
    row = cells(line)
    if max(map(len, row), default=0) > _LONGEST_CELL:
        page.parts.note("a cell that is longer than is read", where)
        return
    needed = [columns.places[name][0] for name in ("supplier", "product", "version")]
    if len(row) <= max(*needed, *columns.cves):
        page.parts.note("a row that ends before its status", where)
        return
    vendor, product, versions = (plain(row[at]) for at in needed)
    words = {at: " ".join(plain(row[at]).casefold().split()) for at in columns.cves}
    if not product:
        page.parts.note("a row without a product", where)
    elif any(word and word not in _STATUS for word in words.values()):
        page.parts.note("a row with a status that is not known", where)
    else:
        # Where all are empty the supplier's own page has to be asked, which is linked.
        stated = [(columns.cves[at], _STATUS[word]) for at, word in words.items() if word]
        said = dict(sorted(stated, key=lambda each: GRAVITY[each[1]]))
        page.rows.append(_Row(vendor, product, versions, said or dict.fromkeys(columns.cves.values(), "unknown")))
        found = links(*(row[at] for at in columns.places.get("links", ()) if at < len(row)))
        page.links |= dict.fromkeys(found)
        notes = " ".join(plain(row[at]) for at in columns.places.get("notes", ()) if at < len(row))
        if "workaround" in words.values():
            told = " ".join((notes or "there are mitigation steps.", *found))
            cves = tuple(columns.cves[at] for at, word in words.items() if word == "workaround" and columns.cves[at])
            page.remedies[f"{vendor} {product} {versions}".strip() + f": {told}"] = cves


def _affected(rows: Sequence[_Row]) -> tuple[Affected, ...]:
    """Every product and version with its gravest status, by the rules of CSAF's (normalize.csaf_products)."""
    unsafe = Counter(products.name_key(row.vendor, row.product) for row in rows if row.status != "not-affected")
    found: dict[tuple[str, ...], Affected] = {}
    said: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        alone = unsafe[products.name_key(row.vendor, row.product)] == 1
        for entry in _entries(row, alone=alone):
            name = (entry.vendor, entry.product, entry.versions)
            if name not in found or GRAVITY[entry.status] > GRAVITY[found[name].status]:
                found[name] = entry
            suffers = {cve for cve, status in row.said.items() if status != "not-affected"}
            said.setdefault(name, set()).update(suffers if entry.status in ("affected", "unknown") else row.said)
    return certain(found, said)


def _entries(row: _Row, *, alone: bool) -> Iterator[Affected]:
    """`alone`: no other row of the product speaks of versions that are not safe."""
    read = ranges.read(row.versions, row.product)
    if row.status != "fixed":
        yield Affected(row.vendor, row.product, row.versions, read, status=row.status)
        return
    one = read[0].constraints[0] if len(read) == 1 and len(read[0].constraints) == 1 else None
    if one is None or one[0] not in _BEFORE or not _NUMBERED(one[1]):
        yield Affected(row.vendor, row.product, row.versions, status="fixed")
        yield Affected(row.vendor, row.product, status="unknown")
        return
    sign, limit, before = *one, _BEFORE[one[0]]
    after: Bound = sign if sign in (">", ">=") else ">=" if alone else "="
    shown = f"{after} {limit}" if sign == "<" else row.versions
    yield Affected(row.vendor, row.product, shown, (Range(((after, limit),)),), status="fixed")
    yield Affected(row.vendor, row.product, f"{before} {limit}", (Range(((before, limit),)),), status="unknown")


def _draft(page: _Page, label: Label | None, source: Source, received_at: datetime) -> Draft:
    """Whatever is the same about the page when it comes again makes its key: its headings."""
    headings = [plain(line.lstrip("# ")) for line in page.text if line.startswith("#")]
    title = next(filter(None, headings), "Software by status of a vulnerability")[:_LONGEST_TITLE]
    prose = (plain(line) for line in page.text if not line.startswith(("#", "|", "[", "`")))
    summary = next((text for text in prose if text.endswith((".", "!", ":"))), "")[:_LONGEST_SUMMARY]
    heads = [cve for table in page.tables for cve in table.cves.values() if cve]
    cves = tuple(dict.fromkeys(heads)) or cves_in(*(URL.sub("", line) for line in page.text))
    remedies = dict(list(page.remedies.items())[:_MOST_REMEDIES])
    facts = Facts(cves=cves, affected=_affected(page.rows), remedies=tuple(remedies))
    key = "list/" + sha256("\n".join(headings).encode()).hexdigest()
    references = tuple(page.links)[:_MOST_LINKS]
    objects = authored.report(
        source=source.id, key=key, publisher=source.name, title=title, summary=summary, language="en",
        created=received_at, modified=received_at, references=references, cves=cves,
        remedies={text: named or cves for text, named in remedies.items()}, affected=facts.affected, label=label,
    )  # fmt: skip
    return Draft("advisory", key, title, summary, "en", facts, objects, references, label)
