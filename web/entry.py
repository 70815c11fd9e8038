"""What every TAXII request passes: who asks, in which media type; then its handler."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from fastapi import Request, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from subscribers import Subscriber
from web import Services, auth
from web.answers import MEDIA_TYPE, accepts
from web.auth import Access
from web.taxii_query import TaxiiError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, on a connection that reads one state of the database."""

    conn: sa.Connection
    subscriber: Subscriber
    now: datetime
    access: Access


Handler = Callable[[Caller, Request], Response]
Check = Callable[[Caller, Request], None]
Taker = Callable[[Caller, bytes], Response]
"""Answers a request with a body; the caller's connection is closed by then."""
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="OKTT", charset="UTF-8", Bearer realm="OKTT"'}


class Entry:
    """Makes endpoints of handlers."""

    def __init__(self, engine: sa.Engine, services: Services, clock: Callable[[], datetime]) -> None:
        self._engine, self._services, self._clock = engine, services, clock

    def reading(self, handler: Handler) -> Callable[[Request], Response]:
        """Plain `def`: Starlette runs it in a thread."""

        def endpoint(request: Request) -> Response:
            with self._caller(request) as caller:
                response = handler(caller, request)
            return self._noted(caller, response)

        return endpoint

    def taking(self, check: Check, taker: Taker) -> Callable[[Request], Awaitable[Response]]:
        """The body is read after `check` found nothing against it. One body is taken at a time: that is work, and the
        other threads are for readers."""
        alone = asyncio.Lock()

        def checked(request: Request) -> Caller:
            with self._caller(request) as caller:
                check(caller, request)
            return caller

        async def endpoint(request: Request) -> Response:
            caller = await run_in_threadpool(checked, request)
            body = await request.body()
            async with alone:
                response = await run_in_threadpool(taker, caller, body)
            return self._noted(caller, response)

        return endpoint

    @contextmanager
    def _caller(self, request: Request) -> Iterator[Caller]:
        now = self._clock()
        with self._engine.execution_options(readonly=True).connect() as conn:
            access = auth.authenticate(conn, request.headers.get("authorization"), now)
            subscriber = None if access is None else self._services.subscriber(conn, access.subscriber)
            if access is None or subscriber is None:
                raise TaxiiError(401, "Credentials are needed", "Basic or Bearer, made for taxii", _CHALLENGE)
            if not accepts(request.headers.get("accept")):
                raise TaxiiError(406, "Not acceptable", f"This server answers in {MEDIA_TYPE}")
            yield Caller(conn, subscriber, now, access)

    def _noted(self, caller: Caller, response: Response) -> Response:
        if caller.access.due:
            response.background = BackgroundTask(self._note_use, caller)
        return response

    def _note_use(self, caller: Caller) -> None:
        """After the answer has gone: a busy writer costs no reader its time."""
        try:
            with self._engine.begin() as conn:
                auth.note_use(conn, caller.access.credential, caller.now)
        except sa.exc.OperationalError as error:
            structlog.get_logger("web").warning("use-not-noted", error=type(error).__name__)
