"""The pages of a TAXII 2.1 collection: each once, and up to when that is all (OASIS TAXII 2.1, 3.5, 5.4).

A position never runs ahead of what was given: the newest minute is asked for twice, since a server may still be writing
there, and may count time in whole seconds. Servers that give one page for ever (ignoring `next`), say that there is
more without saying where, or never end are found out: where the times of addition allow, reading goes on by those.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

MOST_PAGES = 10_000
SETTLING = timedelta(minutes=1)
"""How long what is added may still come in before what is there already."""
UNTIMED = timedelta(minutes=10)
"""The same for servers that do not say when objects were added: what we go by is when we asked."""
_TICK = timedelta(microseconds=1)


class ConfusedError(Exception):
    """A collection whose pages lead nowhere. The message says so for people."""


@dataclass(frozen=True, slots=True)
class Page:
    """Objects as JSON, and what the answer said of when they were added (TAXII 2.1, 3.5)."""

    objects: tuple[bytes, ...]
    first: datetime | None
    last: datetime | None
    asked: datetime
    """The server's own time."""
    more: bool
    following: str

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(map(len, self.objects))

    def follows(self, pile: "Pile") -> bool:
        """Was all of it added later than all of that?"""
        return bool(self.first and pile.last and self.first > pile.last)


@dataclass(slots=True)
class Pile:
    """Pages of one poll, up to a document's size."""

    objects: dict[bytes, None] = field(default_factory=dict)
    """In order, each once: pages may overlap."""
    size: int = 0
    asked: datetime | None = None
    """When the first of all pages was."""
    last: datetime | None = None
    """When the newest object of all pages was added."""
    timed: bool = True
    """Do we know that of all pages?"""

    def add(self, page: Page) -> None:
        """One page more."""
        self.objects |= dict.fromkeys(page.objects)
        self.size += page.size
        self.asked = self.asked or page.asked
        if page.last:
            self.last = max(page.last, self.last or page.last)
        self.timed = self.timed and (page.last is not None or not page.objects)

    def taken(self) -> bytes:
        """The objects, which make room for others."""
        objects = b",".join(self.objects)
        self.objects, self.size = {}, 0
        return objects

    def reached(self, *, whole: bool) -> datetime | None:
        """Up to when all was given; None: nobody can tell. `whole`: nothing added by the last moment is to come."""
        if self.asked is None:
            return None
        if not self.timed:
            return self.asked - UNTIMED if whole else None
        if self.last is None:
            return None
        return min(self.last if whole else self.last - _TICK, self.asked - SETTLING)


def pages(ask: Callable[..., Page], after: datetime) -> Iterator[Page]:
    """The pages added after that moment, each once. Raises ConfusedError when they lead nowhere."""
    asked: dict[str, Any] = {"added_after": after}
    seen: set[bytes] = set()
    empty = 0
    for _ in range(MOST_PAGES):
        page = ask(**asked)
        digest = blake2b(b"\0".join(page.objects), digest_size=16).digest()
        repeated = bool(page.objects) and digest in seen
        seen.add(digest)
        if not repeated:
            yield page
        if not page.more:
            return
        empty = 0 if page.objects else empty + 1
        if empty > 2:
            raise ConfusedError("it says that there is more, and gives empty pages: ask the source")
        if page.following and not repeated:
            asked["next"] = page.following
            continue
        # It ignores `next`, or gives none: on from the last moment, of which there may be more.
        later = page.last - _TICK if page.last else None
        if later is None or later <= asked["added_after"]:
            raise ConfusedError(
                "it says that there is more, and gives the same page again and again, or no `next`: ask the source"
            )
        asked = {"added_after": later}
    raise ConfusedError(f"it gives more than {MOST_PAGES} pages; later polls go on")
