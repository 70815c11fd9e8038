"""Pages that were served, as long as nothing changes in any collection: many readers ask for the same ones.

Who may see a page is not kept: TLP is asked on each request, of all that the page rests on.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from dispatch.joining import Joined
from dispatch.pages import Link, Page
from ingest.columns import instant_text
from web.answers import encode
from web.envelopes import envelope

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 64 * 1024 * 1024
"""Octets."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Kept:
    """A page, made."""

    body: bytes
    digest: str
    """SHA-256 of its octets, hexadecimal: by which `oktt prove` knows it again."""
    rows: bytes
    """Their numbers: from, to and with; JSON."""
    count: int
    more: bool
    dates: tuple[str, str]
    """Of the first and the last."""
    links: frozenset[Link]
    """All that it rests on."""


def made_of(route: str, page: Page | Joined, since: datetime | None) -> Kept:
    """What a route answers with these rows. An answer without any has the dates of nothing added since then (3.2: each
    answer has both), from where a client goes on that takes the last one."""
    rows, body = page.rows, envelope(route, page.rows, more=page.more)
    none = instant_text(since or _EVER)
    dates = (rows[0].began, rows[-1].added) if rows else (none, none)
    numbers = page.numbers
    count = sum(last - first + 1 for first, last in numbers)
    return Kept(body, sha256(body).hexdigest(), encode(numbers), count, page.more, dates, page.links)


class Pages:
    """Those last used. For threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._size, self._lock = most, 0, threading.Lock()
        self._pages: OrderedDict[Hashable, Kept] = OrderedDict()
        self._revision = 0

    def get(self, key: Hashable, revision: int) -> Kept | None:
        """As it was made at this revision of the collections."""
        with self._lock:
            self._of(revision)
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def put(self, key: Hashable, revision: int, page: Kept) -> None:
        """`revision`: read before the page was."""
        with self._lock:
            self._of(revision)
            if (old := self._pages.pop(key, None)) is not None:
                self._size -= len(old.body)
            self._pages[key] = page
            self._size += len(page.body)
            while self._size > self._most:
                self._size -= len(self._pages.popitem(last=False)[1].body)

    def _of(self, revision: int) -> None:
        """What was made at another revision goes: what was erased since lies in no memory either."""
        if revision != self._revision:
            self._pages.clear()
            self._size, self._revision = 0, revision
