"""Inventories as CSV: what firms export from a spreadsheet or a management tool, Dutch or English, with header or not.

Separated by comma, semicolon, tab or bar, in UTF-8, UTF-16 or what Excel writes in Western Europe. Of a table with a
header only the columns of a vendor, product, version, CPE and purl are read, never one of owners or users; `naam`
is a product only where no column says `product` or `software`, and none holds people. Without header: `product`;
`product, version` or `vendor, product`; `vendor, product, version`; CPEs and purls in any column.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from subscribers import Software, SubscriberError
from subscribers.bounds import Count, bounded
from subscribers.components import lines

_NAMES: dict[str, str] = {
    "vendor": """vendor leverancier fabrikant supplier manufacturer publisher uitgever maker producent merk brand
        vendorname softwarepublisher""",
    "product": """product productnaam productname software softwarenaam softwarename applicatie applicatienaam
        application applicationname toepassing programma pakket package packagename component displayname naam name""",
    "version": """version versie versienummer versionnumber softwareversion softwareversie productversion
        productversie displayversion release""",
    "cpe": "cpe cpe23 cpe22 cpename cpeuri cpenaam",
    "purl": "purl packageurl",
}
"""What a column is called, without case and signs; where two fit, the earlier word decides."""
_LOOSE = frozenset(("naam", "name"))
_PEOPLE = """eigenaar owner gebruiker gebruikersnaam user username contact contactpersoon beheerder admin email
    emailadres mail telefoon telefoonnummer phone medewerker employee persoon person voornaam achternaam firstname
    lastname"""
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
_SEPARATORS = ";,\t|"
_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_VERSION = re.compile(r"v?\d[\w.+~:()-]*", re.IGNORECASE)
_LAID_OUT = {1: ("product",), 3: ("vendor", "product", "version")}


def read(data: bytes) -> Iterator[Software]:
    """Every line of software of a table. Raises SubscriberError with the line, never a value."""
    text = _text(data)
    first, _, rest = text.partition("\n")
    hint = _HINT.fullmatch(first)
    skipped = 1 if hint else 0
    if hint:
        text = rest
    separator = hint[1] if hint else _separator(text)
    rows = _rows(text, separator, skipped)
    if not rows:
        raise SubscriberError("line 1: nothing in it: give a table with a product in each row")
    header = _header(rows[0][1])
    columns = header or _guessed([row for _, row in rows])
    Count().add(len(rows), "line 1")
    for number, row in rows[1:] if header else rows:
        yield from _row(number, row, columns, loose=header is None, width=len(rows[0][1]))


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    bounded(text, "\n")
    if _CONTROL.search(text) or text.startswith("%PDF"):
        raise SubscriberError("line 1: no text: give CycloneDX (JSON, XML), SPDX (JSON, tag-value, JSON-LD) or CSV")
    return text


def _separator(text: str) -> str:
    """What most often stands in the first line that holds anything."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=line.count)


def _rows(text: str, separator: str, skipped: int) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, each with the line on which it begins."""
    bounded(text, separator)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        while True:
            number = reader.line_num + 1 + skipped
            row = next(reader, None)
            if row is None:
                return found
            if any(cell.strip() for cell in row):
                found.append((number, [cell.strip() for cell in row]))
    except csv.Error:
        raise SubscriberError(f"line {number}: a quote that does not end, or a cell too large: correct it") from None


def _header(row: Sequence[str]) -> dict[str, int] | None:
    """Which column holds what; None: the first row is no header."""
    words = [re.sub(r"[\W_]+", "", cell).casefold() for cell in row]
    if not set(_PEOPLE.split()).isdisjoint(words):
        words = ["" if word in _LOOSE else word for word in words]
    columns = {
        kind: words.index(next(name for name in names.split() if name in words))
        for kind, names in _NAMES.items()
        if not set(names.split()).isdisjoint(words)
    }
    if not columns:
        return None
    if columns.keys().isdisjoint(("product", "cpe", "purl")):
        raise SubscriberError("line 1: no column for the product: call one product, software, applicatie, cpe or purl")
    return columns


def _guessed(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """A table without header: by how many columns hold words, and whether the last looks like versions."""
    width = max(map(len, rows))
    plain = [n for n in range(width) if not any(_is_name(row[n]) for row in rows if n < len(row))]
    names = _LAID_OUT.get(len(plain))
    if len(plain) == 2:
        seconds = [row[plain[1]] for row in rows if plain[1] < len(row) and row[plain[1]]]
        versions = sum(_VERSION.fullmatch(cell) is not None for cell in seconds)
        names = ("product", "version") if 2 * versions > len(seconds) else ("vendor", "product")
    if names is None and plain:
        raise SubscriberError(
            "line 1: what its columns hold cannot be told: put a header above them, such as vendor;product;version"
        )
    return dict(zip(names or (), plain, strict=True))


def _is_name(cell: str) -> bool:
    return cell.startswith(("cpe:", "pkg:"))


def _row(number: int, row: Sequence[str], columns: dict[str, int], *, loose: bool, width: int) -> Iterator[Software]:
    where = f"line {number}"
    if not loose and len(row) > width and any(row[width:]):
        raise SubscriberError(f"{where}: more cells than the header has: quote cells that hold the separator")
    cells = {kind: row[n] for kind, n in columns.items() if n < len(row)}
    names = [cell for cell in row if _is_name(cell)] if loose else []
    found = list(
        lines(
            where,
            vendor=cells.get("vendor"),
            product=cells.get("product"),
            version=cells.get("version"),
            cpes=[cells.get("cpe"), *(each for each in names if each.startswith("cpe:"))],
            purls=[cells.get("purl"), *(each for each in names if each.startswith("pkg:"))],
        )
    )
    if not found:
        raise SubscriberError(f"{where}: names no product: fill in product, cpe or purl, or take the row out")
    yield from found
