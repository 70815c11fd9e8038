"""Secrets of live sources: in files of their own, never in settings, arguments or errors."""

import os
from pathlib import Path

from ingest import Source, SourceError

_MOST = 64 << 10


def secret(source: Source) -> str:
    """The first line of the source's `secret_file`; empty: it has none. Raises SourceError when it cannot be used."""
    file = source.feed.secret_file if source.feed else None
    if file is None:
        return ""
    key = _named(source, "secret_file")
    try:
        text = contents(source, "secret_file", file).decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"{key} is not text: write the secret alone on its first line") from None
    line = text.split("\n", 1)[0].strip()
    if not line:
        raise SourceError(f"{key} has an empty first line: write the secret there")
    return line


def contents(source: Source, key: str, file: Path) -> bytes:
    """What is in a file that its owner alone may read. Raises SourceError, which names the key of its table."""
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            found = stream.read(_MOST)
    except OSError as error:
        words = os.strerror(error.errno or 0).lower()
        raise SourceError(
            f"{_named(source, key)} cannot be read ({words}): check the path and its permissions"
        ) from None
    if mode & 0o077:
        raise SourceError(f"{_named(source, key)} can be read by others than its owner: chmod 600 it")
    return found


def _named(source: Source, key: str) -> str:
    return f"{source.id}: {key} of [source.{source.id}] in sources.toml"
