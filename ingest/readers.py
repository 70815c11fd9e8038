"""Which reader reads which kind of live source. Each is imported when it is needed: their libraries take a while."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module

from ingest import Reader, Source, SourceError

READERS = {
    "http": ("ingest.downloads", "DownloadReader"),
    "csaf": ("ingest.csaf", "CsafReader"),
    "taxii": ("ingest.taxii", "TaxiiReader"),
    "misp": ("ingest.misp", "MispReader"),
    "imap": ("ingest.mailbox", "MailboxReader"),
    "kafka": ("ingest.stream", "StreamReader"),
}
"""Kind -> module and class: `Class(source, key=..., clock=...)` is a Reader of one poll."""


def reader(source: Source, *, key: bytes, clock: Callable[[], datetime]) -> Reader:
    """The reader of a live source, for one poll. `key` keys the hashes of names and contents. Raises SourceError."""
    if source.kind not in READERS or source.feed is None:
        raise SourceError(f"{source.id}: no live feed (kind is files): use `oktt ingest`, or give it a kind and a url")
    module, name = READERS[source.kind]
    made: Callable[..., Reader] = getattr(import_module(module), name)
    return made(source, key=key, clock=clock)
