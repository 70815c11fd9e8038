"""Secrets of live sources: in files of their own, never in settings, arguments or errors."""

import os

from ingest import Source, SourceError

_MOST = 64 << 10


def secret(source: Source) -> str:
    """The first line of the source's `secret_file`; empty: it has none. Raises SourceError when it cannot be used."""
    file = source.feed.secret_file if source.feed else None
    if file is None:
        return ""
    key = f"{source.id}: secret_file of [source.{source.id}] in sources.toml"
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(_MOST).decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"{key} is not text: write the secret alone on its first line") from None
    except OSError as error:
        words = os.strerror(error.errno or 0).lower()
        raise SourceError(f"{key} cannot be read ({words}): check the path and its permissions") from None
    if mode & 0o077:
        raise SourceError(f"{key} can be read by others than its owner: chmod 600 it")
    line = text.split("\n", 1)[0].strip()
    if not line:
        raise SourceError(f"{key} has an empty first line: write the secret there")
    return line
