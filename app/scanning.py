"""What the guard would find in files: `oktt guard scan`. Reads, tells where, and stores nothing.

Text is read in blocks, however large; JSON, NDJSON, tables, XML and HTML by value, so that a finding has the path of
the value it stands in, and the name of the field helps to tell what it is. Archives and mails are opened as the door
opens them, within its bounds; their parts are files of their own. A value itself is never given.
"""

import codecs
import csv
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from msgspec import Struct

from app.scanning_fields import Place, values
from app.scanning_markup import html, is_page, xml
from ingest import SourceError
from ingest.archives import ArchiveError, Limits, amount, is_document, kind_of, members
from ingest.messages import is_message, parts
from pii_guard import Category
from pii_guard.detect import Span, scan, stream

Layout = Literal["text", "auto"]
_BLOCK = 1 << 20
_HEAD = 64 << 10
_SIGNS = (",", ";", "\t", "|")
_MOST_CELL = 1 << 24
_WIDE = 40
"""Cells that are longer, on the average, are parts of sentences."""


class Found(Struct, frozen=True):
    """Where something personal stands: code points [start, end) of the string at `path` in `file` (JSON Pointer; of
    XML and HTML as XPath writes it; of a part of a mail, in its text as it is decoded)."""

    file: str
    path: str
    category: Category
    start: int
    end: int
    confidence: float
    rule: str


class Unread(Struct, frozen=True):
    """A file, or a part of one, that was not read, and why."""

    file: str
    reason: str


def scan_paths(paths: Sequence[Path], layout: Layout, limits: Limits = Limits()) -> Iterator[Found | Unread]:  # noqa: B008
    """All that is found below these paths, in a fixed order. SourceError, before anything is read, for one that is
    not there."""
    for path in paths:
        if not path.exists():
            raise SourceError(f"{path}: no such file or folder; check the path that follows `scan`")
    for path in paths:
        for file in sorted(_below(path)) if path.is_dir() else (path,):
            yield from _file(file, layout, limits)


def _below(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _file(path: Path, layout: Layout, limits: Limits) -> Iterator[Found | Unread]:
    name = str(path)
    try:
        # O_NONBLOCK: a pipe in a folder must not keep everybody waiting.
        with open(path, "rb", opener=lambda file, flags: os.open(file, flags | os.O_NONBLOCK)) as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                yield Unread(name, "not a regular file")
                return
            head = opened.read(8)
            opened.seek(0)
            packed = layout == "auto" and kind_of(head) and not is_document(opened, limits)
            yield from (
                _archive(opened, status.st_size, name, limits) if packed else _document(opened, name, layout, limits)
            )
    except OSError as error:
        yield Unread(name, f"cannot be read ({os.strerror(error.errno or 0).lower()})")


def _archive(opened: BinaryIO, size: int, name: str, limits: Limits) -> Iterator[Found | Unread]:
    """Names in an archive come from outside: its files are told by their number."""
    try:
        found = members(opened, size, limits)
        for number, unpack in enumerate(found, start=1):
            member = unpack()
            shown = f"{name} (file {number} of {len(found)})" if len(found) > 1 else name
            if member.error:
                yield Unread(shown, member.error)
            else:
                yield from _document(io.BytesIO(member.body), shown, "auto", limits)
    except ArchiveError as error:
        yield Unread(name, str(error))


def _document(opened: BinaryIO, name: str, layout: Layout, limits: Limits) -> Iterator[Found | Unread]:
    head = opened.read(_HEAD)
    opened.seek(0)
    encoding = _encoding(head)
    start = head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
    if layout == "auto" and is_message(head):
        yield from _mail(opened, encoding, name, limits)
    elif layout == "auto" and start[:1] == "<":
        yield from _markup(opened, encoding, name, limits)
    elif layout == "auto" and start[:1] in ("{", "["):
        yield from _json(opened, encoding, name, limits)
    elif layout == "auto" and (sign := _sign(start)):
        yield from _table(opened, encoding, name, sign)
    else:
        yield from _text(opened, encoding, name)


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) > 3 and head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    return "utf-8-sig"


def _pieces(opened: BinaryIO, encoding: str) -> Iterator[str]:
    """The text in blocks. What is no text in this encoding stands as one sign a byte, and hides nothing else."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while block := opened.read(_BLOCK):
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _text(opened: BinaryIO, encoding: str, name: str) -> Iterator[Found]:
    for span in stream(_pieces(opened, encoding)):
        yield _found(name, "", span)


def _json(opened: BinaryIO, encoding: str, name: str, limits: Limits) -> Iterator[Found | Unread]:
    """A document; or one a line, whose number, from 0, begins the path. What is neither is read as text."""
    body = opened.read(limits.max_bytes + 1)
    whole = len(body) <= limits.max_bytes
    places = values(body.decode(encoding, "replace"), "") if whole else None
    if places is not None:
        yield from _by_value(places, name)
        return
    opened.seek(0)
    parsed = 0
    for number, line in enumerate(_lines(_pieces(opened, encoding))):
        if not line.strip():
            continue
        places = values(line, f"/{number}")
        if places is None:
            break
        parsed += 1
        yield from _by_value(places, name)
    else:
        return
    if not whole:
        yield Unread(name, f"JSON larger than {amount(limits.max_bytes)}, or not valid: read as text")
    elif parsed:
        yield Unread(name, f"not valid JSON from line {number + 1} on: read as text")
    else:
        yield Unread(name, "not valid JSON: read as text")
    opened.seek(0)
    yield from _text(opened, encoding, name)


def _markup(opened: BinaryIO, encoding: str, name: str, limits: Limits) -> Iterator[Found | Unread]:
    """XML if it is that, else HTML."""
    body = opened.read(limits.max_bytes + 1)
    if len(body) <= limits.max_bytes:
        text = body.decode(encoding, "replace")
        places = None if is_page(text[:_HEAD].lstrip("\ufeff")) else xml(body)
        if places is None:
            places = html(text)
        if places is not None:
            yield from _by_value(places, name)
            return
    yield Unread(name, f"markup larger than {amount(limits.max_bytes)}, or of too many elements: read as text")
    opened.seek(0)
    yield from _text(opened, encoding, name)


def _mail(opened: BinaryIO, encoding: str, name: str, limits: Limits) -> Iterator[Found | Unread]:
    body = opened.read(limits.max_bytes + 1)
    found = parts(body, limits, texts=True) if len(body) <= limits.max_bytes else []
    if not any(each.body for each in found):
        reason = found[0].error if found else f"a mail larger than {amount(limits.max_bytes)}"
        yield Unread(name, f"{reason}: read as text")
        opened.seek(0)
        yield from _text(opened, encoding, name)
        return
    for each in found:
        shown = f"{name} ({each.where})" if each.where else name
        if each.error:
            yield Unread(shown, each.error)
        elif each.where.endswith("headers"):
            yield from _text(io.BytesIO(each.body), "utf-8", shown)
        else:
            yield from _document(io.BytesIO(each.body), shown, "auto", limits)


def _by_value(places: Iterable[Place], name: str) -> Iterator[Found]:
    """A value is read behind the name of its field, as people would read it: `bsn: 123456782`."""
    for place in places:
        if place.whole is not None:
            yield Found(name, place.path, place.whole, 0, len(place.text), 1.0, "property")
            continue
        before = f"{place.field}: " if place.field else ""
        for span in scan(before + place.text):
            if span.end > len(before):
                yield _found(name, place.path, span, len(before))


def _found(name: str, path: str, span: Span, before: int = 0) -> Found:
    return Found(name, path, span.category, max(0, span.start - before), span.end - before, span.confidence, span.rule)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
    yield rest


def _sign(head: str) -> str | None:
    """What parts the columns, where all of the first lines have as many, and short ones; None: this is no table."""
    lines = [line for line in head.split("\n")[:20] if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        return None
    lines = lines[:-1] if len(lines) > 2 else lines  # the last may be cut off
    for sign in _SIGNS:
        rows = list(csv.reader(lines, delimiter=sign, skipinitialspace=True))
        cells = [cell for row in rows for cell in row]
        if len({len(row) for row in rows}) == 1 < len(rows[0]) and sum(map(len, cells)) < _WIDE * len(cells):
            return sign
    return None


def _table(opened: BinaryIO, encoding: str, name: str, sign: str) -> Iterator[Found]:
    """Rows and columns count from 0, the first line being row 0; its cells are the names of the columns."""
    csv.field_size_limit(_MOST_CELL)
    reader = csv.reader((f"{line}\n" for line in _lines(_pieces(opened, encoding))), delimiter=sign)
    names: list[str] = []
    for number, row in enumerate(_readable(reader)):
        cells = [
            Place(f"/{number}/{column}", cell, names[column] if column < len(names) else "")
            for column, cell in enumerate(row)
            if cell.strip()
        ]
        yield from _by_value(cells, name)
        if number == 0 and not any(scan(cell) for cell in row):
            names = [cell.strip()[:64] for cell in row]


def _readable(reader: Any) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield []
