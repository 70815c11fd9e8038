"""What was read of the database, known as long as nothing is committed to it.

A request asks who that is, which collection, what changed and what the reader may see: eight questions, whose answers
are those of a moment ago unless somebody wrote. What is not known is asked of the database; where somebody wrote
meanwhile, all of it is, so that an answer is of one state. Known is what was read, never what a clock decides: whether
a credential or a clearance has ended is asked each time.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
_MOST = 10_000
"""Things that are known at most."""


class UnknownError(Exception):
    """Not known of this moment: ask the database."""


@dataclass(slots=True)
class Look:
    """What one request sees of the database."""

    state: object
    known: dict[Hashable, Any]
    into: sa.Connection | None = None
    """None: nothing but what is known is looked at."""
    found: dict[Hashable, Any] = field(default_factory=dict)
    mixed: bool = False
    """Was something known, and something else found?"""

    @property
    def conn(self) -> sa.Connection:
        """The database itself. Raises UnknownError in a look at what is known."""
        if self.into is None:
            raise UnknownError
        return self.into

    def on(self, conn: sa.Connection) -> "Look":
        """The same, with the database."""
        return Look(self.state, self.known, conn)

    def ask(self, question: Hashable, read: Callable[[sa.Connection], T]) -> T:
        """What `read` says, or has said in the same state. Raises UnknownError."""
        if question in self.known:
            self.mixed = self.into is not None
            known: T = self.known[question]
            return known
        answer = self.found[question] = read(self.conn)
        return answer


class Moments:
    """What is known of the newest moment. For threads. A state: the same as long as nothing is committed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[object, dict[Hashable, Any]] = (None, {})

    def at(self, state: object) -> Look:
        """What is known in this state."""
        with self._lock:
            if self._last[0] != state or len(self._last[1]) > _MOST:
                self._last = (state, {})
            return Look(state, self._last[1])

    def keep(self, look: Look, state: object) -> bool:
        """What a look into the database found, which is in this state after it. False: what it says is of two."""
        if state == look.state:
            look.known.update(look.found)
            return True
        return not look.mixed
