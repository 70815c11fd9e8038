"""What was fetched -> documents: archives and mails are opened within bounds, each document gets its key and origin.

Names from outside are never shown: an origin is a keyed short hash with the extension, and an ordinal where there
are several (`3fa9c1d2.json (file 7 of 40)`), so that whoever has the names can find the one that is meant.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from ingest import Format, RawDocument, Source, Unreadable
from ingest.archives import ArchiveError, Limits, Member, amount, is_document, kind_of, members
from ingest.messages import is_message, parts

EXTENSIONS = frozenset(
    f".{name}"
    for name in (
        *("json", "ndjson", "jsonl", "stix", "stix2", "csv", "tsv", "xml", "rss", "atom", "rdf"),
        *("txt", "md", "html", "eml", "zip", "gz", "bz2", "xz"),
    )
)
"""Extensions that say nothing of anybody; any other is left out of an origin."""


class Opener:
    """Makes documents of one source. `key` keys the hashes of names and contents (at least 16 bytes)."""

    def __init__(
        self,
        source: Source,
        *,
        key: bytes,
        clock: Callable[[], datetime],
        format: Format = "auto",  # noqa: A002 - the name it has on the command line
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        if not key:
            raise ValueError("hashes of names and contents need a key")
        self._source, self._clock, self._format, self._limits = source, clock, format, limits
        self._key = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()

    def origin(self, name: str) -> str:
        """What may be shown of a name."""
        extension = Path(name).suffix.lower()
        digest = blake2b(os.fsencode(name), key=self._key, digest_size=4, person=b"oktt-name").hexdigest()
        return digest + (extension if extension in EXTENSIONS else "")

    def opened(
        self, stream: BinaryIO, size: int, name: str, origin: str, place: str = ""
    ) -> Iterator[RawDocument | Unreadable]:
        """The documents in a stream of so many bytes: it, or what it holds. Raises OSError when it cannot be read.

        `place`: the address or name under which later states of it come; empty: none come.
        """
        head = stream.read(8)
        stream.seek(0)
        kind = kind_of(head)
        if kind is None or (kind == "zip" and is_document(stream, self._limits)):
            yield from self._documents(origin, stream.read(self._limits.max_bytes + 1), place)
            return
        try:
            yield from self._archive(members(stream, size, self._limits), name, origin, place)
        except ArchiveError as error:
            yield Unreadable(origin, "fetch", str(error))

    def document(self, origin: str, body: bytes, place: str = "") -> RawDocument | Unreadable:
        """These bytes as they are."""
        if not body:
            return Unreadable(origin, "fetch", "an empty file")
        if len(body) > self._limits.max_bytes:
            return Unreadable(origin, "fetch", f"larger than {amount(self._limits.max_bytes)}")
        key = document_key(self._key, self._source.id, body)
        return RawDocument(self._source, body, origin, self._clock(), self._format, key, self._series(place))

    def _series(self, place: str) -> str:
        """What is known of a place: it may be an address with a key in it."""
        if not place:
            return ""
        return blake2b(os.fsencode(place), key=self._key, digest_size=16, person=b"oktt-series").hexdigest()

    def _archive(
        self, found: list[Callable[[], Member]], name: str, origin: str, place: str
    ) -> Iterator[RawDocument | Unreadable]:
        if not found:
            yield Unreadable(origin, "fetch", "an archive without files")
        for number, unpack in enumerate(found, start=1):
            member = unpack()
            shown = origin
            if member.name:
                within = f"{self.origin(f'{name}/{member.name}')} (file {number} of {len(found)})"
                shown = f"{origin}, {within}" if origin.endswith(")") else within
            if member.error:
                yield Unreadable(shown, "fetch", member.error)
            else:
                yield from self._documents(shown, member.body, place and f"{place}/{member.name}")

    def _documents(self, origin: str, body: bytes, place: str) -> Iterator[RawDocument | Unreadable]:
        """One document, or those that a mail carries: of those none is a later state of another mail's."""
        if len(body) > self._limits.max_bytes or not is_message(body):
            yield self.document(origin, body, place)
            return
        for part in parts(body, self._limits):
            shown = f"{origin}, {part.where}" if part.where else origin
            yield Unreadable(shown, "fetch", part.error) if part.error else self.document(shown, part.body)


def document_key(key: bytes, source: str, body: bytes) -> str:
    """Keyed hash of source and content, 32 hex digits: two sources' same bytes are two documents."""
    digest = blake2b(source.encode() + b"\0", key=key, digest_size=16, person=b"oktt-document")
    digest.update(body)
    return digest.hexdigest()
