"""The pages of a TAXII 2.1 collection: each once, and up to when that is all (OASIS TAXII 2.1, 3.5, 5.4).

A position never runs ahead of what was given: the newest minute is asked for twice, since a server may still be writing
there, and may count time in whole seconds. Servers that give one page for ever (ignoring `next`), say that there is
more without saying where, or never end are found out: where the times of addition allow, reading goes on by those.
"""

import re
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

MOST_PAGES = 10_000
SETTLING = timedelta(minutes=1)
"""How long what is added may still come in before what is there already."""
UNTIMED = timedelta(minutes=10)
"""The same for servers that do not say when objects were added: what we go by is when we asked."""
MOST_GIVEN = 3000
"""Objects of the newest minute that a position knows, so that they are not given twice: 33 kB."""
_TICK = timedelta(microseconds=1)


_ID = re.compile(rb'"([a-z0-9-]+--[0-9a-fA-F-]{36})"')
_SHARED = (b"identity--", b"marking-definition--")
"""What all may refer to: it makes no whole of them."""


class _Object(msgspec.Struct):
    id: str


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
    """Pages of one poll, up to a document's size. `key` keys the hashes of objects."""

    key: bytes = b""
    given: frozenset[str] = frozenset()
    """Objects that the last poll gave."""
    recent: deque[tuple[datetime | None, str]] = field(default_factory=lambda: deque(maxlen=MOST_GIVEN))
    """Of this poll, with the time of their page."""
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
        self.recent.extend((page.last, self._hash(each)) for each in page.objects)
        self.size += page.size
        self.asked = self.asked or page.asked
        if page.last:
            self.last = max(page.last, self.last or page.last)
        self.timed = self.timed and (page.last is not None or not page.objects)

    def taken(self) -> bytes:
        """The objects that are new, and what belongs to them; they make room for others."""
        old = [each for each in self.objects if self._hash(each) in self.given]
        kept = belonging(self.objects.keys() - set(old), old)
        objects = b",".join(each for each in self.objects if each in kept)
        self.objects, self.size = {}, 0
        return objects

    def after(self, moment: datetime) -> tuple[str, ...]:
        """Hashes of what may have been added after that moment."""
        return tuple(dict.fromkeys(name for last, name in self.recent if last is None or last > moment))

    def reached(self, *, whole: bool) -> datetime | None:
        """Up to when all was given; None: nobody can tell. `whole`: nothing added by the last moment is to come."""
        if self.asked is None:
            return None
        if not self.timed:
            return self.asked - UNTIMED if whole else None
        if self.last is None:
            return None
        return min(self.last if whole else self.last - _TICK, self.asked - SETTLING)

    def _hash(self, each: bytes) -> str:
        return b64encode(blake2b(each, key=self.key, digest_size=6, person=b"oktt-name").digest()).decode()


def belonging(fresh: set[bytes], old: list[bytes]) -> set[bytes]:
    """New objects, and of the old ones those that refer to them or are referred to, on and on: a report that is given
    again with one indicator more has all of its indicators."""
    kept, rest = set(fresh), {each: set(_ID.findall(each)) for each in old}
    named = {name for each in fresh for name in _ID.findall(each)}
    mine = {name for each in fresh for name in _own(each) if not name.startswith(_SHARED)}
    while found := {each for each in rest if rest[each] & mine or named & _own(each)}:
        kept |= found
        for each in found:
            named |= rest.pop(each)
            mine |= {name for name in _own(each) if not name.startswith(_SHARED)}
    return kept


def _own(each: bytes) -> set[bytes]:
    """An object's own id."""
    try:
        return {msgspec.json.decode(each, type=_Object).id.encode()}
    except (msgspec.DecodeError, UnicodeError):
        return set()


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
