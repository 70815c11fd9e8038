"""Unpacking within bounds: .zip, .gz, .bz2 and .xz, streamed and counted, never written to disk.

What a header says of sizes is never believed. An archive is measured first and read after that, so that one which
unpacks to more than it may is refused as a whole, and nothing of it has been kept. Archives are recognised by
content; one archive may lie in another (a zip of gz), and no deeper.
"""

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

Kind = Literal["zip", "gz", "bz2", "xz"]

MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    IndexError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What the standard library raises on archives that are cut off, altered or of an unknown kind."""

_STEP = 1 << 16
_XZ_MEMORY = 128 << 20  # xz may ask for 4 GB of dictionary; its own default presets need at most 65 MB
_DOCUMENT_ZIP = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}  # office files, ODF/EPUB, JAR


class ArchiveError(Exception):
    """An archive, or one file in it, that is not unpacked. The message is the reason, without outside names."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one reading may take. Sizes in bytes, after unpacking."""

    max_bytes: int = 64 << 20
    """Of one document."""
    max_unpacked: int = 256 << 20
    """Of all that one archive holds, archives inside it included."""
    max_members: int = 10_000
    max_ratio: int = 500
    """Unpacked : packed, looked at once `ratio_floor` bytes have come out."""
    ratio_floor: int = 4 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One document of an archive, or why there is none."""

    name: str
    """As the archive calls it: an outside name, to be hashed before it is shown."""
    body: bytes
    error: str = ""


@dataclass(slots=True)
class _Budget:
    limits: Limits
    packed: int
    unpacked: int = 0
    members: int = 0

    def spend(self, size: int) -> None:
        self.unpacked += size
        if self.unpacked > self.limits.max_unpacked:
            raise ArchiveError(f"the archive unpacks to more than {amount(self.limits.max_unpacked)}")
        if self.unpacked > self.limits.ratio_floor and self.unpacked > self.limits.max_ratio * max(self.packed, 1):
            raise ArchiveError(f"the archive unpacks to more than {self.limits.max_ratio} times its size")

    def member(self) -> None:
        self.members += 1
        if self.members > self.limits.max_members:
            raise ArchiveError(f"the archive holds more than {self.limits.max_members} files")


def amount(size: int) -> str:
    """A number of bytes in words: `64 MiB`."""
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size} bytes"


def kind_of(head: bytes) -> Kind | None:
    """Which archive starts with these bytes; None: none that is known."""
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), None)


def is_document(stream: BinaryIO, limits: Limits) -> bool:
    """Is this zip a document of its own (spreadsheet, JAR) rather than a bundle of documents?"""
    try:
        _check_directory(stream, limits)
        with zipfile.ZipFile(stream) as archive:
            return not _DOCUMENT_ZIP.isdisjoint(archive.NameToInfo)
    except (ArchiveError, *DAMAGED):
        return False
    finally:
        stream.seek(0)


def members(stream: BinaryIO, size: int, limits: Limits) -> list[Callable[[], Member]]:
    """The documents of an archive in order of name, each unpacked when it is called for.

    `size` is that of the archive. Raises ArchiveError when the archive as a whole is over a limit or damaged; a
    single file that is encrypted, damaged or too large is a Member with an error.
    """
    if size > limits.max_unpacked:
        raise ArchiveError(f"the archive is larger than {amount(limits.max_unpacked)}")
    budget = _Budget(limits, size)
    try:
        return _list(stream, "", budget, depth=0)
    except DAMAGED as error:
        raise ArchiveError(_reason(error)) from None


def _list(stream: BinaryIO, name: str, budget: _Budget, depth: int) -> list[Callable[[], Member]]:
    """Measure all of it (spending the budget), and say how each document is read."""
    stream.seek(0)
    kind = kind_of(stream.read(8))
    stream.seek(0)
    if kind != "zip":
        budget.member()
        return _measured(lambda: _inflate(stream, kind), name, budget, depth)
    _check_directory(stream, budget.limits)
    archive = zipfile.ZipFile(stream)
    found: list[Callable[[], Member]] = []
    for info in sorted(archive.infolist(), key=lambda info: (info.filename, info.header_offset)):
        if info.is_dir():
            continue
        budget.member()
        inner = f"{name}/{info.filename}" if name else info.filename
        found += _measured(lambda info=info: _zipped(archive, info), inner, budget, depth)  # type: ignore[misc]
    return found


def _measured(
    unpack: Callable[[], Iterator[bytes]], name: str, budget: _Budget, depth: int
) -> list[Callable[[], Member]]:
    """One file of an archive: count what comes out of it; look inside when it is an archive itself."""
    limits = budget.limits
    head = b""
    total = 0
    try:
        for block in unpack():
            head = head or block[:8]
            total += len(block)
            budget.spend(len(block))
    except (_MemberError, *DAMAGED) as error:
        reason = _reason(error)
        return [lambda: Member(name, b"", reason)]
    if total > limits.max_bytes:
        return [lambda: Member(name, b"", f"larger than {amount(limits.max_bytes)}")]
    if kind_of(head) is None:
        return [lambda: _read(unpack, name, limits.max_bytes)]
    inner = io.BytesIO(_read(unpack, name, limits.max_bytes).body)
    if is_document(inner, limits):
        return [lambda: Member(name, inner.getvalue())]
    if depth >= 1:
        return [lambda: Member(name, b"", "an archive in an archive in an archive")]
    try:
        return _list(inner, name, budget, depth + 1)
    except DAMAGED as error:
        reason = _reason(error)
        return [lambda: Member(name, b"", reason)]


def _read(unpack: Callable[[], Iterator[bytes]], name: str, most: int) -> Member:
    body = bytearray()
    try:
        for block in unpack():
            body += block
            if len(body) > most:  # it grew since it was measured
                return Member(name, b"", f"larger than {amount(most)}")
    except (_MemberError, *DAMAGED) as error:
        return Member(name, b"", _reason(error))
    return Member(name, bytes(body))


class _MemberError(Exception):
    """One file of an archive cannot be unpacked; the rest can."""


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.flag_bits & 0x1:
        raise _MemberError("encrypted: unpack it first, or have the source send it unencrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # the standard library unpacks bzip2 and LZMA in a zip without a bound on what one step yields
        raise _MemberError("compressed in a way that is not read in a zip; use deflate")
    with archive.open(info) as opened:
        while block := opened.read(_STEP):
            yield block


def _inflate(stream: BinaryIO, kind: Kind | None) -> Iterator[bytes]:
    stream.seek(0)
    if kind == "xz":
        yield from _unxz(stream)
        return
    opened = cast(BinaryIO, gzip.GzipFile(fileobj=stream) if kind == "gz" else bz2.BZ2File(stream))
    while block := opened.read(_STEP):
        yield block


def _unxz(stream: BinaryIO) -> Iterator[bytes]:
    """xz with a bound on its memory, which LZMAFile does not offer. Streams may follow one another."""
    rest = stream.read(_STEP)
    while rest:
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not decoder.eof:
            if decoder.needs_input and not rest and not (rest := stream.read(_STEP)):
                raise EOFError
            if block := decoder.decompress(rest, _STEP):
                yield block
            rest = b""
        rest = (decoder.unused_data or stream.read(_STEP)).lstrip(b"\x00")  # padding between streams
        while not rest and (more := stream.read(_STEP)):
            rest = more.lstrip(b"\x00")


def _check_directory(stream: BinaryIO, limits: Limits) -> None:
    """Refuse a zip whose directory alone would fill the memory, before the standard library reads it."""
    stream.seek(0, io.SEEK_END)
    size = stream.tell()
    stream.seek(max(0, size - (1 << 16) - 22 - 20))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise EOFError
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        raise ArchiveError("a zip of the 64-bit kind, made for more than is read here")
    count, length = struct.unpack_from("<HI", tail, at + 10)
    if count > limits.max_members:
        raise ArchiveError(f"the archive holds more than {limits.max_members} files")
    if length > max(limits.max_members, 64) * 1024:
        raise ArchiveError("a zip whose directory is larger than its files can need")


def _reason(error: BaseException) -> str:
    """Words for people; the library's own message may quote outside names."""
    if isinstance(error, _MemberError):
        return str(error)
    if isinstance(error, lzma.LZMAError) and "Memory usage limit" in str(error):
        return f"needs more than {amount(_XZ_MEMORY)} of memory to unpack"
    if isinstance(error, EOFError):
        return "an archive that is cut off"
    return "an archive that is damaged"
