"""Pages that were served, as long as nothing changes in any collection: many readers ask for the same ones.

Who may see a page is not kept: TLP is asked on each request, of all that the page rests on.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime

from dispatch.joining import Joined
from dispatch.pages import Link, Page
from ingest.columns import instant_text
from web.answers import encode
from web.envelopes import digest, envelope

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 64 * 1024 * 1024
"""Octets."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Kept:
    """A page, made."""

    body: bytes
    digest: str
    """By which it is known again (`web.envelopes.digest`)."""
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
    return Kept(body, digest(route, rows, body), encode(numbers), count, page.more, dates, page.links)


class Pages:
    """Those last used. For threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._size, self._lock = most, 0, threading.Lock()
        self._pages: OrderedDict[Hashable, tuple[int, Kept]] = OrderedDict()

    def get(self, key: Hashable, revision: int) -> Kept | None:
        """As it was made at this revision of the collections."""
        with self._lock:
            found = self._pages.get(key)
            if found is None or found[0] != revision:
                return None
            self._pages.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, revision: int, page: Kept) -> None:
        """`revision`: read before the page was."""
        with self._lock:
            if (old := self._pages.pop(key, None)) is not None:
                self._size -= len(old[1].body)
            self._pages[key] = revision, page
            self._size += len(page.body)
            while self._size > self._most:
                self._size -= len(self._pages.popitem(last=False)[1][1].body)
