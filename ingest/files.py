"""Files, folders, archives and mails: documents one by one, in a fixed order, within bounds.

Names from outside are never shown: an origin is a keyed short hash with the extension, and an ordinal where there
are several (`3fa9c1d2.json (file 7 of 40)`), so that whoever has the files can find the one that is meant.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from ingest import Format, RawDocument, Source, SourceError, Unreadable
from ingest.archives import ArchiveError, Limits, Member, amount, is_document, kind_of, members
from ingest.messages import is_message, parts

__all__ = ["FilesReader", "Limits"]

EXTENSIONS = frozenset(
    f".{name}"
    for name in (
        *("json", "ndjson", "jsonl", "stix", "stix2", "csv", "tsv", "xml", "rss", "atom", "rdf"),
        *("txt", "md", "html", "eml", "zip", "gz", "bz2", "xz"),
    )
)
"""Extensions that say nothing of anybody; any other is left out of an origin."""


class FilesReader:
    """Reads paths as the operator typed them. `key` keys the hashes of names and contents (at least 16 bytes)."""

    def __init__(
        self,
        paths: Sequence[Path],
        source: Source,
        *,
        key: bytes,
        clock: Callable[[], datetime],
        format: Format = "auto",  # noqa: A002 - the name it has on the command line
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        if not key:
            raise ValueError("hashes of names and contents need a key")
        self._paths = tuple(paths)
        self._source, self._clock, self._format, self._limits = source, clock, format, limits
        self._key = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()

    def read(self) -> Iterator[RawDocument | Unreadable]:
        """Every document below the paths. Raises SourceError, before anything is read, for a path that is not there."""
        for path in self._paths:
            if not path.exists():
                raise SourceError(f"{path}: no such file or folder; check the path that follows `ingest`")
        for path in self._paths:
            if path.is_dir():
                yield from self._folder(path)
            else:
                yield from self._file(path, self._origin(path.name))

    def _folder(self, root: Path) -> Iterator[RawDocument | Unreadable]:
        found = list(_walk(root))
        for number, (path, error) in enumerate(found, start=1):
            name = os.fsdecode(path.relative_to(root))
            origin = f"{self._origin(name)} (file {number} of {len(found)})"
            if error:
                yield Unreadable(origin, "fetch", error)
            else:
                yield from self._file(path, origin)

    def _file(self, path: Path, origin: str) -> Iterator[RawDocument | Unreadable]:
        try:
            # O_NONBLOCK: a pipe that was put in a folder must not keep everybody waiting.
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    yield Unreadable(origin, "fetch", "not a regular file")
                    return
                head = stream.read(8)
                stream.seek(0)
                kind = kind_of(head)
                if kind is None or (kind == "zip" and is_document(stream, self._limits)):
                    yield from self._documents(origin, stream.read(self._limits.max_bytes + 1))
                    return
                yield from self._archive(members(stream, status.st_size, self._limits), path, origin)
        except ArchiveError as error:
            yield Unreadable(origin, "fetch", str(error))
        except OSError as error:
            yield Unreadable(origin, "fetch", f"cannot be read ({os.strerror(error.errno or 0).lower()})")

    def _archive(
        self, found: list[Callable[[], Member]], path: Path, origin: str
    ) -> Iterator[RawDocument | Unreadable]:
        if not found:
            yield Unreadable(origin, "fetch", "an archive without files")
        for number, unpack in enumerate(found, start=1):
            member = unpack()
            shown = origin
            if member.name:
                within = f"{self._origin(f'{path.name}/{member.name}')} (file {number} of {len(found)})"
                shown = f"{origin}, {within}" if origin.endswith(")") else within
            if member.error:
                yield Unreadable(shown, "fetch", member.error)
            else:
                yield from self._documents(shown, member.body)

    def _documents(self, origin: str, body: bytes) -> Iterator[RawDocument | Unreadable]:
        """One document, or those that a mail carries."""
        if len(body) > self._limits.max_bytes or not is_message(body):
            yield self._document(origin, body)
            return
        for part in parts(body, self._limits):
            shown = f"{origin}, {part.where}" if part.where else origin
            yield Unreadable(shown, "fetch", part.error) if part.error else self._document(shown, part.body)

    def _document(self, origin: str, body: bytes) -> RawDocument | Unreadable:
        if not body:
            return Unreadable(origin, "fetch", "an empty file")
        if len(body) > self._limits.max_bytes:
            return Unreadable(origin, "fetch", f"larger than {amount(self._limits.max_bytes)}")
        return RawDocument(
            self._source, body, origin, self._clock(), self._format, document_key(self._key, self._source.id, body)
        )

    def _origin(self, name: str) -> str:
        extension = Path(name).suffix.lower()
        digest = blake2b(os.fsencode(name), key=self._key, digest_size=4, person=b"oktt-name").hexdigest()
        return digest + (extension if extension in EXTENSIONS else "")


def document_key(key: bytes, source: str, body: bytes) -> str:
    """Keyed hash of source and content, 32 hex digits: two sources' same bytes are two documents."""
    digest = blake2b(source.encode() + b"\0", key=key, digest_size=16, person=b"oktt-document")
    digest.update(body)
    return digest.hexdigest()


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """Files below a folder, by name, depth first; with an error where one may not or cannot be read."""
    home = root.resolve()
    pending = [root]
    while pending:
        path = pending.pop()
        if path.is_symlink() and path != root:
            if not path.exists():
                yield path, "a link to nothing"
            elif not path.resolve().is_relative_to(home):
                yield path, "a link that points outside of the folder"
            elif not path.is_dir():  # a folder that is linked to is read where it lies
                yield path, ""
        elif path.is_dir():
            try:
                pending += sorted(path.iterdir(), key=lambda below: os.fsencode(below.name), reverse=True)
            except OSError as error:
                yield path, f"cannot be read ({os.strerror(error.errno or 0).lower()})"
        else:
            yield path, ""
