"""A page that was answered a moment ago, asked for in the same octets: answered at once, without taking the request
apart again.

What the first answer rested on holds as long as nothing is committed to the database (`web.moment`), and no longer than
the credential and the clearance last; how often somebody may ask is asked each time, and the ledger tells of each.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import Any
from weakref import ref

from starlette.types import ASGIApp, Receive, Scope, Send

from subscribers import Subscriber
from tlp import Label
from web import Services, auth
from web.kept import Kept
from web.ledger import Asked, Ledger
from web.limits import Buckets
from web.moment import Look, Moments

_PAGE, _KEY, _STATE = "oktt.page", "oktt.again", "oktt.state"


@dataclass(frozen=True, slots=True)
class _Answered:
    """How a request was answered."""

    page: Callable[[], Kept | None]
    """Not held here: what nobody keeps any more is made again."""
    headers: list[tuple[bytes, bytes]]
    route: Any
    asked: Asked
    credential: Any
    """As it lies."""
    subscriber: Subscriber
    label: Label
    """That the reader was cleared for."""


class Again:
    """Before the routes of TAXII."""

    def __init__(
        self, services: Services, moments: Moments, clock: Callable[[], datetime], ledger: Ledger, limit: Buckets
    ) -> None:
        self._services, self._moments, self._clock, self._ledger, self._limit = services, moments, clock, ledger, limit

    def before(self, app: ASGIApp) -> ASGIApp:
        """The same application, which is not asked what it answered a moment ago."""

        async def quick(scope: Scope, receive: Receive, send: Send) -> None:
            state, key = await self._services.state(), _key(scope)
            scope[_STATE], scope[_KEY] = state, key
            said = self._moments.at(state).known.get(key)
            page = None if said is None else self._still(said)
            if said is None or page is None:
                await app(scope, receive, send)
                return
            scope["route"] = said.route  # by which requests are counted
            await send({"type": "http.response.start", "status": 200, "headers": said.headers})
            await send({"type": "http.response.body", "body": page.body})

        return quick

    async def state(self, scope: Scope) -> object:
        """Of the database: as it was when the request came."""
        return scope[_STATE] if _STATE in scope else await self._services.state()

    def _still(self, said: _Answered) -> Kept | None:
        """The page, if it may be answered once more; then the ledger tells of it."""
        page, now, row = said.page(), self._clock(), said.credential
        over = row.expires_at is not None and now >= row.expires_at
        if page is None or over or said.subscriber.clearance.at(now) is not said.label:
            return None
        if self._limit.take(row.id, now):
            return None
        self._ledger.note(said.asked.again(now, due=auth.due(row, now)))
        return page


def remember(scope: Scope, look: Look, asked: Asked, page: Kept, headers: list[tuple[bytes, bytes]]) -> None:
    """A request is answered with this page. Where that is of what was known, it is known too."""
    if look.into is None and _KEY in scope and scope["method"] == "GET":
        row, subscriber = look.known["credential", asked.credential], look.known["subscriber", asked.subscriber]
        cleared = subscriber.clearance.at(asked.at)
        look.known[scope[_KEY]] = _Answered(ref(page), headers, scope["route"], asked, row, subscriber, cleared)


def _key(scope: Scope) -> Hashable:
    """All that was sent. Hashed: there is a password in it."""
    sent = [scope["method"].encode(), scope["raw_path"], scope["query_string"], *chain(*scope["headers"])]
    return sha256(b"\n".join(sent)).digest()
