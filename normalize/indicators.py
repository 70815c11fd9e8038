"""CSV of indicators, from any market party: one `indicators` draft a file.

With or without a header, comments, several values in a cell, values made harmless to click on. Types come from the
header, from a column that states them, or from the look of a value. A row that says of its value that it is malicious
becomes a STIX indicator, and one that says what is wrong with it indicates that; other values are observables. What a
row says in free words is never evidence for anybody's role, but for a server that commands: words are too easily read
the wrong way round.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from ingest import Source
from normalize import Draft, Facts, Normalized, NormalizeError, Observable, ObservableType, Problem, Role
from normalize.evidence import role_of
from normalize.indicator_graph import objects
from normalize.indicator_words import COLUMNS, TYPES, evidence_of, is_harmless, is_malicious
from normalize.lenient import clean, cves_in
from normalize.tables import Table, between, is_comment, layout, look, rows, several, when
from tlp import Label, UnknownMarkingError, markings, strictest

_NONE = frozenset(("", "-", "?", "n/a", "na", "none", "null", "unknown", "nil"))
_MOST_ROWS = 200_000
_MOST_PROBLEMS = 100
_MOST_WORDS = 20
_HEAD = 100
_FACT = re.compile(r"[A-Za-z0-9][\w .+:/&-]{0,63}")
_ASN = re.compile(r"[0-9]{1,10}").fullmatch
_COUNTED: tuple[tuple[str, str, tuple[ObservableType, ...]], ...] = (
    ("address", "addresses", ("ipv4", "ipv6", "cidr", "asn", "mac")),
    ("name", "names", ("domain",)),
    ("web address", "web addresses", ("url",)),
    ("hash or file", "hashes and files", ("hash", "file")),
    ("mail address", "mail addresses", ("email",)),
)


class _Line(Struct):
    """What one row says."""

    values: list[Observable]
    evidence: set[str]
    malicious: bool
    family: str
    text: str
    seen: datetime | None


class _Reading(Struct):
    """One file while it is read."""

    columns: dict[str, list[int]]
    """What columns mean -> where they stand."""
    lines: list[_Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    covered: bool = False
    """Has the file a label for all its rows?"""
    bare: bool = False
    """Is there a row without any label?"""
    doubts: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    weighed: dict[tuple[str, str, bool], tuple[set[str], bool]] = field(default_factory=dict)
    """Words that were looked at before: most rows of a list say the same."""

    def weigh(self, stated: str, text: str, *, named: bool) -> tuple[set[str], bool]:
        """Evidence, and whether they call it malicious."""
        key = (stated, text, named)
        if key not in self.weighed:
            evidence = evidence_of(stated, text, named=named)
            self.weighed[key] = evidence, bool(evidence) or is_malicious(stated, text)
        return self.weighed[key]

    def refuse(self, reason: str, number: int) -> None:
        """Past a hundred only the last says so."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem("parse", reason, f"row {number}"))
        elif len(self.problems) == _MOST_PROBLEMS:
            self.problems.append(Problem("parse", "more rows could not be read"))

    def label(self, word: str) -> None:
        try:
            self.labels.append(markings.of_word(word))
        except UnknownMarkingError:
            self.doubts.add("unknown-marking")


def sniff(head: bytes) -> bool:
    """Is this a table of indicators? Either its header says so, or most of its first rows begin with a value."""
    lines = _split(head)[:_HEAD]
    table = layout(lines, COLUMNS.__contains__)
    if table is None:
        return False
    if table.names:
        return bool({COLUMNS.get(name) for name in table.names} & {"value", "typed", "start"})
    found = [row for _, row in rows(iter(lines), table, lambda *_: None)][:50]
    return bool(found) and _valued(found) is not None


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for the whole file. NormalizeError: it is no table of indicators."""
    lines = _split(body)
    table = layout(lines[:_HEAD], COLUMNS.__contains__)
    if table is None:
        raise NormalizeError("a table without rows")
    read = _Reading(_columns(lines, table))
    if not read.columns.keys() & {"value", "typed", "start"}:
        raise NormalizeError("a table without a column of values that are known")
    for line in lines[:_HEAD]:
        if is_comment(line) and (label := markings.of_text(line)):
            read.labels.append(label)
    read.covered = bool(read.labels)
    for count, (number, row) in enumerate(rows(iter(lines), table, read.refuse), 1):
        if count > _MOST_ROWS:
            read.refuse(f"more than {_MOST_ROWS:,} rows; the others are not read", number)
            break
        _row(row, number, table, read)
    if not read.lines:
        read.problems.append(Problem("parse", "a table without a value that can be read"))
        return Normalized("csv", (), tuple(read.problems))
    return Normalized("csv", (_draft(read, source, received_at),), tuple(read.problems))


def _split(body: bytes) -> list[str]:
    """Lines with their end, as the reader of rows wants them, whichever way they end."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return [f"{line}\n" for line in text.split("\n")]


def _columns(lines: Sequence[str], table: Table) -> dict[str, list[int]]:
    """What each column means: by its name, else by the look of what stands in it."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(table.names):
        if meaning := COLUMNS.get(name):
            found.setdefault(meaning, []).append(index)
    if found.keys() >= {"start", "end"}:
        found.pop("typed", None)
        return found
    if found.keys().isdisjoint(("value", "typed")) and "mail" in found:
        found["value"] = found["mail"]  # beside other values it is whom to write to
    if found.keys() & {"value", "typed"}:
        return found
    sample = [row for _, row in rows(iter(lines[:_HEAD]), table, lambda *_: None)]
    where = _valued(sample)
    if where is not None:
        found["value"] = [where]
    for index in range(max(map(len, sample), default=0) if where is not None and not table.names else 0):
        cells = [row[index] for row in sample if len(row) > index and row[index]]
        if index != where and cells and not any(map(look, cells)):
            found.setdefault("first" if all(map(when, cells)) else "description", []).append(index)
    return found


def _valued(sample: Sequence[list[str]]) -> int | None:
    """The first column in which most cells are values."""
    for index in range(min(max(map(len, sample), default=0), 20)):
        cells = [row[index] for row in sample if len(row) > index and row[index].lower() not in _NONE]
        if cells and sum(bool(several(cell)[0]) for cell in cells) * 2 > len(sample):
            return index
    return None


def _row(row: list[str], number: int, table: Table, read: _Reading) -> None:
    values = _values(row, number, read)
    if not values:
        return
    stated = " ".join(_cells(row, read, "category", "type"))
    text = "\n".join(_cells(row, read, "description"))
    family = next((cell for cell in _cells(row, read, "family") if _FACT.fullmatch(cell)), "")
    if is_harmless(stated):
        read.refuse("said to be harmless: left out", number)
        return
    before = len(read.labels)
    for word in _cells(row, read, "tlp"):
        read.label(word)
    if label := markings.of_text(text):
        read.labels.append(label)
    read.bare |= not read.covered and len(read.labels) == before
    evidence, malicious = read.weigh(stated, text, named=bool(family))
    seen = next((time for cell in _cells(row, read, "last", "first") if (time := when(cell))), None)
    facts = _facts(row, table, read)
    number_of = {name: next(iter(_cells(row, read, name)), "") for name in ("asn", "country", "port", "protocol")}
    asn = number_of["asn"].upper().removeprefix("AS")
    if asn.isdigit() and not (_ASN(asn) and int(asn) < 1 << 32):
        read.refuse("an AS number that is none", number)
    line = _Line([], evidence, malicious, family, text, seen)
    line.values = [_with(value, number_of, evidence, seen, facts) for value in values]
    read.lines.append(line)


def _values(row: list[str], number: int, read: _Reading) -> list[Observable]:
    """The values of a row; what is none is refused by row, unless another column gave one."""
    found: list[Observable] = []
    doubtful = False
    kind = TYPES.get(re.sub(r"[\s_.]+", "-", next(iter(_cells(row, read, "type")), "").lower()), "")
    for index in read.columns.get("value") or read.columns.get("typed") or ():
        cell = row[index] if index < len(row) else ""
        if cell.lower() in _NONE:
            continue
        values, rest = _of_kind(cell, kind)
        found += values
        doubtful = doubtful or rest
    for start, end in zip(read.columns.get("start", ()), read.columns.get("end", ()), strict=False):
        if max(start, end) < len(row):
            found += [Observable(*key) for key in between(row[start], row[end])]
    if not found:
        read.refuse("no value that can be read", number)
    elif doubtful:
        read.refuse("part of it is no value that can be read", number)
    return found


def _of_kind(cell: str, kind: str) -> tuple[list[Observable], bool]:
    """The values in a cell, of which the row states the kind; a name of a file or of a user is known by that alone."""
    values, rest = several(cell)
    if kind == "file" and not values and _FACT.fullmatch(cell):
        return [Observable("file", cell)], False
    if kind == "domain" and len(values) == 1 and values[0].type == "file" and look(f"{cell}.example"):
        return [replace(values[0], type="domain", value=cell.lower())], False
    if kind == "refused":
        return [], True
    return values, rest


def _with(
    value: Observable, stated: Mapping[str, str], evidence: set[str], seen: datetime | None, facts: dict[str, str]
) -> Observable:
    asn, country, port = stated["asn"].upper().removeprefix("AS"), stated["country"].upper(), stated["port"]
    role: Role = role_of(evidence) if value.type not in ("hash", "file") else "unknown"
    return replace(
        value,
        role=role,
        evidence=" ".join(sorted(evidence)),
        asn=int(asn) if _ASN(asn) and 0 < int(asn) < 1 << 32 else None,
        country=country if re.fullmatch(r"[A-Z]{2}", country) else None,
        port=value.port or (int(port) if re.fullmatch(r"[1-9]\d{0,4}", port) and int(port) < 65536 else None),
        protocol=stated["protocol"].lower()[:8] or None,
        seen=seen,
        detail=value.detail | facts,
    )


def _facts(row: list[str], table: Table, read: _Reading) -> dict[str, str]:
    """What the row classifies its value as, in the words of its columns."""
    kept = {}
    for meaning in ("category", "family", "fact"):
        for index in read.columns.get(meaning, ()):
            cell = row[index] if index < len(row) else ""
            if cell.lower() not in _NONE and _FACT.fullmatch(cell):
                kept[table.names[index]] = cell
    return kept


def _cells(row: list[str], read: _Reading, *meanings: str) -> list[str]:
    found = (row[at] for meaning in meanings for at in read.columns.get(meaning, ()) if at < len(row))
    return [cell for cell in found if cell.lower() not in _NONE]


def _draft(read: _Reading, source: Source, received_at: datetime) -> Draft:
    seen: dict[tuple[str, str, int | None], Observable] = {}
    for value in (value for line in read.lines for value in line.values):
        key = (value.type, value.value, value.port)
        seen[key] = _joined(seen[key], value) if key in seen else value
    counts = Counter(value.type for value in seen.values())
    parts = [(sum(counts[kind] for kind in kinds), one, more) for one, more, kinds in _COUNTED]
    told = list(dict.fromkeys(clean(line.text) for line in read.lines if line.text))
    title = ", ".join(f"{count:,} {one if count == 1 else more}" for count, one, more in parts if count)
    title = f"Indicators: {title}"
    label = strictest([*read.labels, *([source.tlp] if read.bare else [])]) if read.labels else None
    which = sha256("\n".join(sorted(f"{kind} {value}" for kind, value, _ in seen)).encode()).hexdigest()
    stix: tuple[dict[str, Any], ...] = objects(
        [(line.values, line.evidence, line.malicious, line.family, line.seen) for line in read.lines],
        source=source.id, publisher=source.name, title=title, at=received_at.astimezone(UTC), label=label,
    )  # fmt: skip
    return Draft(
        kind="indicators",
        key=f"indicators/{which}",
        title=title,
        summary="\n".join(told[:_MOST_WORDS]),
        language="en",
        facts=Facts(cves=cves_in(*_texts(read.lines)), observables=tuple(seen.values())),
        objects=stix,
        label=label,
        doubts=tuple(sorted(read.doubts)),
        source_time=max((line.seen for line in read.lines if line.seen), default=None),
    )


def _texts(lines: Iterable[_Line]) -> Iterable[str]:
    return (text for line in lines for text in (line.text, *line.values[0].detail.values()))


def _joined(one: Observable, other: Observable) -> Observable:
    """The same value in two rows: all the evidence of both, the later sighting."""
    evidence = {*one.evidence.split(), *other.evidence.split()}
    seen = max(filter(None, (one.seen, other.seen)), default=None)
    role: Role = role_of(evidence) if one.type not in ("hash", "file") else "unknown"
    return replace(one, role=role, evidence=" ".join(sorted(evidence)), seen=seen, detail=other.detail | one.detail)
