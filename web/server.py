"""One application of all that is served over HTTP, and what holds for every request.

Nothing is answered or logged but names and counts: an error's text may hold values, so it stays inside. Bodies are
bounded before anything reads them.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus

import sqlalchemy as sa
import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import Services, answers, feed, feedback, health, html, portal, taxii, verify
from web.connections import Patient
from web.entry import TOO_LARGE
from web.ledger import Ledger, Marks
from web.portal_frame import HOME, see
from web.taxii_query import TaxiiError

MAX_CONTENT_LENGTH = 10 * 1024 * 1024
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
"""Of each answer that says nothing else."""
_SECURE = (b"strict-transport-security", b"max-age=31536000")
_NEXT = {
    404: "Nothing here has that path: /taxii2/ names the API root, and its collections/ what can be read",
    405: "This path has no such method",
    413: f"The body is too large: {TOO_LARGE}",
    500: "A mistake of ours, and the same request may work later; tell the hub when it was",
}
"""What to do next, for a TAXII client."""


def create_app(
    engine: sa.Engine,
    services: Services,
    *,
    clock: Callable[[], datetime],
    registry: CollectorRegistry,
    title: str = "OKTT",
    contact: str = "",
    base_url: str = "",
    max_limit: int = taxii.MAX_LIMIT,
    max_content_length: int = MAX_CONTENT_LENGTH,
    per_minute: int = taxii.PER_MINUTE,
    answer_key: bytes = b"",
) -> FastAPI:
    """The application. `base_url`: how clients reach it, for absolute addresses; empty: relative ones.
    `max_limit`: most objects a TAXII page; `max_content_length`: octets a request body may have;
    `per_minute`: TAXII requests a credential has, 0: no limit. `answer_key`: of the addresses at which recipients
    answer; empty: there are none. `app.state.ledger.flush()` when the server ends."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.ledger = Ledger(engine, Marks(services.seal, services.content), services.commit)
    feeds = taxii.server(
        engine, services, clock, title=title, contact=contact, base_url=base_url,
        max_limit=max_limit, max_content_length=max_content_length, per_minute=per_minute, log=app.state.ledger,
    )  # fmt: skip
    app.include_router(feed.router(engine, services, clock, title))
    app.include_router(verify.router(engine, clock, title))
    if answer_key:
        app.include_router(
            feedback.router(engine, services, clock, key=answer_key, service=title, contact=contact or title)
        )
    if services.portal is not None:
        app.include_router(portal.router(engine, services, services.portal, clock))
        app.add_api_route("/", lambda: see(HOME), methods=["GET", "HEAD"])
    app.include_router(health.router(engine, services, registry))
    app.add_exception_handler(TaxiiError, _taxii_error)
    app.add_exception_handler(HTTPException, partial(_http_error, title, contact or title))
    app.add_middleware(_Door, taxii=feeds, max_content_length=max_content_length, registry=registry)
    return app


def server_config(app: FastAPI, host: str, port: int, protocol: type[Patient] = Patient) -> uvicorn.Config:
    """uvicorn without a log of addresses and queries, without naming itself, and with an end to its patience."""
    return uvicorn.Config(
        app, host=host, port=port, http=protocol, log_config=None, access_log=False, server_header=False, lifespan="off"
    )


def _taxii_error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - a handler
    assert isinstance(error, TaxiiError)
    return answers.error(error.status, error.title, error.description, error.headers)


def _http_error(service: str, contact: str, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and "text/html" in html.ranked(request.headers.get("accept")):
        return html.nowhere(request, service, contact)
    return _refusal(request.url.path, error.status_code, error.headers)


def _refusal(path: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """In the words of HTTP alone, and in TAXII's form where TAXII is spoken."""
    phrase = HTTPStatus(status).phrase
    if path.startswith("/taxii2/"):
        return answers.error(status, phrase, _NEXT.get(status, ""), headers)
    return JSONResponse({"error": phrase}, status, dict(headers or {}))


class _Door:
    """What every request passes: a bounded body, headers, metrics, and errors that say nothing. TAXII goes on to routes
    of its own: what FastAPI does beside took as long as an answer."""

    def __init__(self, app: ASGIApp, *, taxii: ASGIApp, max_content_length: int, registry: CollectorRegistry) -> None:
        self._app, self._taxii, self._max = app, taxii, max_content_length
        names = ["method", "route", "status"]
        self._requests = Counter("oktt_http_requests_total", "Requests answered.", names, registry=registry)
        self._seconds = Histogram("oktt_http_request_seconds", "Time to answer.", ["route"], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, exchange = time.perf_counter(), _Exchange(scope, receive, send, self._max)
        await exchange.run(self._taxii if exchange.taxii else self._app)
        route = getattr(exchange.scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "DELETE"} else "other"
        self._requests.labels(method, route, str(exchange.status)).inc()
        self._seconds.labels(route).observe(time.perf_counter() - started)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_length: int) -> None:
        path: str = scope["path"]
        if path.startswith("/taxii2") and not path.endswith("/"):
            # TAXII's paths end in a slash (3.1); clients that leave it out mean the same.
            scope = {**scope, "path": path + "/"}
        self.taxii = scope["path"].startswith("/taxii2/")
        self._chosen = ""
        if b"lang=" in scope["query_string"] or any(name == b"cookie" for name, _ in scope["headers"]):
            scope, self._chosen = _translated(scope)
        self.scope, self._receive, self._send, self._max = scope, receive, send, max_length
        self.status, self._read, self._started = 500, 0, False

    async def run(self, app: ASGIApp) -> None:
        """Answer it, whatever happens."""
        try:
            if self._declared() > self._max and not self.taxii:
                await self._refuse(413)
            else:
                self.scope["too_large"] = self._declared() > self._max
                await app(self.scope, self._bounded, self._dressed)
        except Exception as error:  # the last place before the server, which would log the text
            structlog.get_logger("web").error("request-failed", error=type(error).__name__)
            await self._refuse(500)

    def _declared(self) -> int:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else self._max + 1
        return 0

    async def _bounded(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._max:
            raise TaxiiError(413, "Content Too Large", _NEXT[413])
        return message

    async def _dressed(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started, self.status = True, message["status"]
            own = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in own)]
            if self._chosen:
                message["headers"].append((b"set-cookie", self._chosen.encode()))
            if self.scope.get("scheme") == "https":
                message["headers"].append(_SECURE)
        await self._send(message)

    async def _refuse(self, status: int) -> None:
        if not self._started:
            response = _refusal(self.scope["path"], status)
            await response(self.scope, self._receive, self._dressed)


def _translated(scope: Scope) -> tuple[Scope, str]:
    """As if the browser asked in the language that its reader chose on a page of ours; and, if he did so just now, the
    cookie that remembers it."""
    request = Request(scope)
    language = html.chosen(request)
    if not language:
        return scope, ""
    headers = [each for each in scope["headers"] if each[0] != b"accept-language"]
    scope = {**scope, "headers": [*headers, (b"accept-language", language.encode())]}
    cookie = f"{html.COOKIE}={language}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"
    return scope, cookie if request.query_params.get("lang") == language else ""
