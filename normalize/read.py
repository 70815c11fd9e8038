"""One document in, drafts out: recognise what it is, and hand it to the module that reads it."""

import codecs
import re
from collections.abc import Callable
from datetime import datetime
from importlib import import_module

from msgspec.structs import replace

from ingest import Format, RawDocument, Source
from normalize import Normalized, NormalizeError, Problem
from normalize.collector import paused
from normalize.recognise import UNKNOWN, recognise

Drafts = Callable[[bytes, Source, datetime], Normalized]

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SHIFT = re.compile(rb"\+A[A-H][AEIMQUYcgkosw048](?:A|-|[^A-Za-z0-9+/]|\Z)")
"""A sign of ASCII as UTF-7 writes it: `+AFw-` is a backslash, `+AEA-` an at sign."""


def normalize(document: RawDocument) -> Normalized:
    """The drafts of a document. Raises NormalizeError when it is none that can be read, with the reason.

    `document.format` overrides what the content looks like.
    """
    body, problem = readable(document.body)
    kind = document.format if document.format != "auto" else recognise(body)
    try:
        with paused():
            found = _reader(kind)(body, document.source, document.received_at)
    except RecursionError:
        raise NormalizeError("nested deeper than is read", stage="shape") from None
    if kind in _NAMELESS and document.series:
        found = replace(found, drafts=tuple(replace(each, key=f"list/{document.series}") for each in found.drafts))
    return replace(found, problems=(problem, *found.problems)) if problem else found


def readable(body: bytes) -> tuple[bytes, Problem | None]:
    """Text as UTF-8 without a mark, and what was wrong with it. XML states its own encoding and stays as it is.

    What is neither UTF-8 nor UTF-16 is taken for Windows-1252, of which Latin-1 is a part, and noted; so is UTF-7,
    which says nowhere that it is.
    """
    while body.startswith(codecs.BOM_UTF8):  # some tools put a second one before the first
        body = body.removeprefix(codecs.BOM_UTF8)
    if body.replace(b"\0", b"").lstrip(codecs.BOM_UTF16_LE + b" \t\r\n")[:1] == b"<":
        return body, None
    encoding = next((name for mark, name in _BOMS if body.startswith(mark)), None) or _without_mark(body[:4])
    if encoding:
        try:
            return body.decode(encoding).encode(), None
        except UnicodeError:
            raise NormalizeError(f"says it is {encoding.upper()}, and is not") from None
    if b"\0" in body[:4096]:
        raise NormalizeError(UNKNOWN)
    try:
        body.decode()
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
        return text.encode(), Problem("parse", "not UTF-8; read as Windows-1252")
    meant = _of_utf7(body)
    return (body, None) if meant is None else (meant, Problem("parse", "not UTF-8; read as UTF-7"))


def _of_utf7(body: bytes) -> bytes | None:
    """A document in UTF-7 (RFC 2152), which is ASCII at first sight: all of it has to be, and its signs such as show.

    Else `C:+AFw-Users+AFw-name` would be a word of which nobody knows that a name is in it.
    """
    if _SHIFT.search(body) is None or not body.isascii():
        return None
    try:
        text = body.decode("utf-7")
    except UnicodeDecodeError:
        return None
    return text.encode() if all(sign.isprintable() or sign.isspace() for sign in set(text)) else None


def _without_mark(start: bytes) -> str | None:
    """JSON in UTF-16 or UTF-32 without a mark shows in where the zeros are (RFC 4627 3)."""
    zeros = bytes(byte == 0 for byte in start)
    return {
        b"\1\1\1\0": "utf-32-be",
        b"\0\1\1\1": "utf-32-le",
        b"\1\0\1\0": "utf-16-be",
        b"\0\1\0\1": "utf-16-le",
    }.get(zeros)


_MODULES: dict[Format, str] = {
    **{kind: f"normalize.{kind}" for kind in ("stix", "csaf", "kev", "cve", "epss", "misp", "xarf")},
    "rss": "normalize.news",
    "csv": "normalize.indicators",
    "list": "normalize.status_lists",
    "shadowserver": "normalize.abuse",
}
"""Format -> the module whose `drafts` reads it."""
_NAMELESS: frozenset[Format] = frozenset({"csv", "list"})
"""Formats of which a document is one draft and names itself nowhere: it is known by where it came from."""


def _reader(kind: Format) -> Drafts:
    """Imported when it is first needed: some take a while."""
    if kind not in _MODULES:
        raise NormalizeError(UNKNOWN)
    drafts: Drafts = import_module(_MODULES[kind]).drafts
    return drafts
