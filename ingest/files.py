"""Files and folders, documents one by one, in a fixed order; archives and mails are opened by `ingest.opening`."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ingest import Format, RawDocument, Source, SourceError, Unreadable
from ingest.archives import Limits
from ingest.opening import Opener, document_key

__all__ = ["FilesReader", "Limits", "document_key"]


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
        self._paths = tuple(paths)
        self._opener = Opener(source, key=key, clock=clock, format=format, limits=limits)

    def read(self) -> Iterator[RawDocument | Unreadable]:
        """Every document below the paths. Raises SourceError, before anything is read, for a path that is not there."""
        for path in self._paths:
            if not path.exists():
                raise SourceError(f"{path}: no such file or folder; check the path that follows `ingest`")
        for path in self._paths:
            if path.is_dir():
                yield from self._folder(path)
            else:
                yield from self._file(path, self._opener.origin(path.name), path.name)

    def _folder(self, root: Path) -> Iterator[RawDocument | Unreadable]:
        found = list(_walk(root))
        for number, (path, error) in enumerate(found, start=1):
            name = os.fsdecode(path.relative_to(root))
            origin = f"{self._opener.origin(name)} (file {number} of {len(found)})"
            if error:
                yield Unreadable(origin, "fetch", error)
            else:
                yield from self._file(path, origin, name)

    def _file(self, path: Path, origin: str, name: str) -> Iterator[RawDocument | Unreadable]:
        try:
            # O_NONBLOCK: a pipe that was put in a folder must not keep everybody waiting.
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    yield Unreadable(origin, "fetch", "not a regular file")
                    return
                yield from self._opener.opened(stream, status.st_size, path.name, origin, name)
        except OSError as error:
            yield Unreadable(origin, "fetch", f"cannot be read ({os.strerror(error.errno or 0).lower()})")


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
