"""An index as bytes, kept in a file so that a process starts in a moment instead of reading the whole registry.

A snapshot is a copy and never the truth: what is missing, torn, made by another version of the program or of another
registry (a restored backup) is passed over, and the index is built anew. It holds what profiles hold; no names, no
addresses of mailboxes.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Callable
from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct
from pyroaring import BitMap

from filtering.agents import Clients
from filtering.hashed import Hashed
from filtering.index import Index
from filtering.network import Holdings
from filtering.postings import Postings
from filtering.records import Packed, Table
from filtering.spans import BITS, Spans
from subscribers import Quiet
from tlp import Label

_HEAD = struct.Struct("<16sQQI")
"""Of which program; the registry's revision and the mark of that; checksum of the rest."""
_KEYS: dict[str, Any] = {"labels": Label, "until": datetime, "quiet": Quiet}
"""Postings by other keys than text."""
_LIBRARIES = ("msgspec", "packageurl-python", "publicsuffixlist", "pyroaring")
"""Beside our own code they say what a profile comes to."""
_ROOMS = ("filtering", "normalize", "subscribers", "tlp")
Name = tuple[str, str, str | None, str]
Held = int | bytes


class _Stored(Struct, array_like=True):
    """Everything of an Index that is not derived from the rest; arrays and bitmaps as bytes."""

    flags: dict[str, bytes]
    postings: dict[str, msgspec.Raw]
    names: dict[str, list[tuple[Name, Held]]]
    purls: dict[str, list[tuple[str | None, Held]]]
    shapes: list[bytes]
    lines: list[bytes]
    records: bytes
    starts: bytes
    ids: bytes
    spans: dict[int, tuple[bytes, ...]]
    domains: bytes
    systems: list[tuple[int, Held]]
    agents: list[tuple[int, Clients, bytes]]


def dump(index: Index, mark: int) -> bytes:
    """Pack the index and write it down. `mark`: the registry's, of the revision that the index is at."""
    index.pack()
    records, networks = index.records, index.networks
    stored = _Stored(
        {name: bits.serialize() for name, bits in _flags(index).items()},
        {name: msgspec.Raw(_ENCODE(_pairs(each))) for name, each in _postings(index).items()},
        {name: _pairs(bucket) for name, bucket in index.software.names.items()},
        {name: _pairs(bucket) for name, bucket in index.software.purls.items()},
        records.shapes.rows,
        records.lines.rows,
        records.packed.data,
        records.packed.starts.tobytes(),
        records.packed.ids.rows.tobytes(),
        {
            family: tuple(getattr(spans, name).tobytes() for name in Spans.ARRAYS)
            for family, spans in networks.packed.spans.items()
        },
        networks.packed.domains.rows.tobytes(),
        _pairs(networks.systems),
        [(number, clients, members.serialize()) for number, clients, members in index.agents.all()],
    )
    body = _ENCODE(stored)
    return _HEAD.pack(_program(), index.revision, mark, zlib.crc32(body)) + body


def load(data: bytes, mark_of: Callable[[int], int | None]) -> Index | None:
    """The index as it was written down; None: it is none that can be used. `mark_of`: the mark of a revision of the
    registry, None if it has no such revision."""
    if len(data) < _HEAD.size:
        return None
    program, revision, mark, checksum = _HEAD.unpack_from(data)
    body = memoryview(data)[_HEAD.size :]
    if program != _program() or mark_of(revision) != mark or zlib.crc32(body) != checksum:
        return None
    return _restored(_DECODE(body), revision)


def _restored(stored: _Stored, revision: int) -> Index:
    index = Index(revision)
    for name, bits in _flags(index).items():
        bits.update(BitMap.deserialize(stored.flags[name]))
    index.everyone.run_optimize()
    for name, posting in _postings(index).items():
        posting.held = _held(_decoder(name).decode(stored.postings[name]))
    for buckets, kept in ((index.software.names, stored.names), (index.software.purls, stored.purls)):
        for name, pairs in cast("dict[str, list[tuple[Any, Held]]]", kept).items():
            bucket = cast("dict[str, Postings[Any]]", buckets)[name] = Postings()
            bucket.held = _held(pairs)
    records = index.records
    records.shapes, records.lines = Table(stored.shapes), Table(stored.lines)
    records.packed = Packed(stored.records, array("Q", stored.starts), Hashed(array("Q", stored.ids)))
    spans = {}
    for family in BITS:
        spans[family] = one = Spans(family)
        for name, data in zip(Spans.ARRAYS, stored.spans[family], strict=True):
            setattr(one, name, array(getattr(one, name).typecode, data))
    index.networks.pack(Holdings(spans, Hashed(array("Q", stored.domains))))
    index.networks.systems.held = _held(stored.systems)
    for number, clients, members in stored.agents:
        index.agents.restore(number, clients, BitMap.deserialize(members))
    return index


def _flags(index: Index) -> dict[str, BitMap]:
    return {name: each for name, each in vars(index).items() if isinstance(each, BitMap)}


def _postings(index: Index) -> dict[str, Postings[Any]]:
    return {name: each for name, each in vars(index).items() if isinstance(each, Postings)}


def _pairs(posting: Postings[Any]) -> list[tuple[Any, Held]]:
    return [(key, one if isinstance(one, int) else one.serialize()) for key, one in posting.held.items()]


def _held(pairs: list[tuple[Any, Held]]) -> dict[Any, int | BitMap]:
    return {key: one if isinstance(one, int) else BitMap.deserialize(one) for key, one in pairs}


@cache
def _decoder(name: str) -> "msgspec.msgpack.Decoder[list[tuple[Any, Held]]]":
    return msgspec.msgpack.Decoder(list[tuple[_KEYS.get(name, str), Held]])  # type: ignore[misc]


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Stored).decode


@cache
def _program() -> bytes:
    """What a profile comes to depends on our code and lists, on libraries, and on how the machine writes numbers."""
    found = blake2b(digest_size=16)
    root = Path(__file__).resolve().parents[1]
    for room in _ROOMS:
        for file in sorted((root / room).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    found.update(f"{sys.byteorder} {sys.version_info[:2]} {[version(name) for name in _LIBRARIES]}".encode())
    return found.digest()
