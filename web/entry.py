"""What every TAXII request passes: who asks, how often, in which media type; then its handler; then the ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from subscribers import Subscriber
from web import Services, auth
from web.again import Again
from web.answers import MEDIA_TYPE, accepts, error
from web.ledger import Asked, Ledger
from web.limits import Buckets
from web.moment import Look, Moments, UnknownError
from web.taxii_query import TaxiiError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with a look at one state of the database."""

    look: Look
    subscriber: Subscriber
    now: datetime
    asked: Asked
    """What the ledger will say of this request; handlers fill in collection and objects."""


Handler = Callable[[Caller, Request], Response]
Check = Callable[[Caller, Request], None]
Taker = Callable[[Caller, bytes], Response]
"""Answers a request with a body; the caller looks at no database any more."""
FAILURES = 60
"""Failed log-ins that one peer has a minute. Who logs in is not held up by them: a proxy may be everybody's peer."""
THREADS = 40
"""Requests that are answered at once; others wait."""
BODY = 120.0
"""Seconds that a body may take to come."""
TOO_LARGE = "max_content_length of the API root says how many octets; send fewer objects at a time"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="OKTT", charset="UTF-8", Bearer realm="OKTT"'}
_HOW = "Send user and password (Basic) or the token (Bearer) of a credential for taxii, which the hub gives you"


class Entry:
    """Makes endpoints of handlers. `per_minute`: requests that one credential has; 0: no limit."""

    def __init__(
        self, engine: sa.Engine, services: Services, clock: Callable[[], datetime], ledger: Ledger, per_minute: int
    ) -> None:
        self._engine = engine.execution_options(readonly=True)
        if engine.dialect.name == "postgresql":  # an answer is of one moment; SQLite's transactions are
            self._engine = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._services, self._clock, self._ledger = services, clock, ledger
        self._moments, self._threads = Moments(), ThreadPoolExecutor(THREADS, "taxii")
        self._requests, self._failures, self._per_minute = Buckets(per_minute), Buckets(FAILURES), per_minute
        self.again = Again(services, self._moments, clock, ledger, self._requests)

    def reading(self, route: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that reads."""

        async def endpoint(request: Request) -> Response:
            asked = Asked(self._clock(), request.method, route)
            with self._ledger.noting(asked) as answered:
                try:
                    return answered(await self._looked(request, asked, handler))
                except TaxiiError as refusal:
                    return answered(_refused(asked, refusal))

        return endpoint

    def taking(self, route: str, check: Check, taker: Taker) -> Callable[[Request], Awaitable[Response]]:
        """The body is read after `check` found nothing against it. One body is taken at a time: that is work, and the
        other threads are for readers."""
        alone = asyncio.Lock()

        def checked(caller: Caller, request: Request) -> Caller:
            check(caller, request)
            return caller

        async def endpoint(request: Request) -> Response:
            asked = Asked(self._clock(), request.method, route)
            with self._ledger.noting(asked) as answered:
                try:
                    caller = await self._looked(request, asked, checked)
                    body = await _body(request)
                    async with alone:
                        return answered(await run_in_threadpool(taker, caller, body))
                except TaxiiError as refusal:
                    return answered(_refused(asked, refusal))

        return endpoint

    async def _looked(self, request: Request, asked: Asked, then: Callable[[Caller, Request], T]) -> T:
        """What `then` says of what is known of this moment, at once; or with a look into the database, in a thread."""
        look = self._moments.at(await self.again.state(request.scope))
        try:
            return then(self._caller(request, asked, look), request)
        except UnknownError:
            said, look = await self._into(look, request, asked, then)
        if not self._moments.keep(look, await self._services.state()):
            said, _ = await self._into(Look(None, {}), request, asked, then)
        return said

    async def _into(
        self, look: Look, request: Request, asked: Asked, then: Callable[[Caller, Request], T]
    ) -> tuple[T, Look]:
        def into() -> tuple[T, Look]:
            with self._engine.connect() as conn:
                deeper = look.on(conn)
                said = then(self._caller(request, asked, deeper), request)
                conn.commit()  # at a rollback psycopg forgets what it has prepared
                return said, deeper

        return await asyncio.get_running_loop().run_in_executor(self._threads, into)

    def _caller(self, request: Request, asked: Asked, look: Look) -> Caller:
        find = partial(_credential, look)
        authorization, counted = request.headers.get("authorization"), asked.credential is not None
        access = auth.authenticate(find, authorization, asked.at)
        subscriber = None if access is None else _subscriber(self._services, look, access.subscriber)
        if access is None or subscriber is None:
            raise self._nobody(request, asked, auth.why_not(find, authorization, asked.at))
        asked.credential, asked.subscriber, asked.due = access.credential, access.subscriber, access.due
        if request.scope.get("too_large"):
            raise TaxiiError(413, "Content Too Large", TOO_LARGE)
        if not counted and (wait := self._requests.take(access.credential, asked.at)):
            raise _too_many(f"{self._per_minute} requests a minute with one credential; larger pages need fewer", wait)
        if not accepts(request.headers.get("accept")):
            raise TaxiiError(406, "Not acceptable", f"This server answers in {MEDIA_TYPE}: ask for that in Accept")
        return Caller(look, subscriber, asked.at, asked)

    def _nobody(self, request: Request, asked: Asked, ended: tuple[str, str, str] | None) -> TaxiiError:
        if wait := self._failures.take(request.client.host if request.client else "", asked.at):
            return _too_many(f"{FAILURES} failed log-ins a minute", wait)
        if ended is None:
            return TaxiiError(401, "Credentials are needed", _HOW, _CHALLENGE)
        asked.credential, asked.subscriber, reason = ended
        return TaxiiError(401, reason, "Ask the hub for a new one, for taxii", _CHALLENGE)


def _credential(look: Look, user: str) -> sa.Row[Any] | None:
    return look.ask(("credential", user), lambda conn: auth.stored(conn, user))


def _subscriber(services: Services, look: Look, name: str) -> Subscriber | None:
    return look.ask(("subscriber", name), lambda conn: services.subscriber(conn, name))


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(BODY):
            return await request.body()
    except TimeoutError:
        raise TaxiiError(
            408, "The body took too long", "Send fewer objects at a time: nothing of it was kept"
        ) from None
    except ClientDisconnect:  # nobody hears the answer; the ledger does
        raise TaxiiError(400, "The body broke off", "Send it again: nothing of it was kept") from None


def _too_many(limit: str, wait: float) -> TaxiiError:
    seconds = str(ceil(wait))
    return TaxiiError(429, "Too many requests", f"At most {limit}. Ask again in {seconds} s", {"Retry-After": seconds})


def _refused(asked: Asked, refusal: TaxiiError) -> Response:
    asked.reason = refusal.title
    return error(refusal.status, refusal.title, refusal.description, refusal.headers, name=asked.name)
