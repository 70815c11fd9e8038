"""/u/TOKEN: where the reader of a message says that no more of them shall come to that address (RFC 8058).

GET shows a page with one button and changes nothing. POST, by that button or by the reader's mail program, stops what
goes to the address, and may let it come again: no log-in, no script. Nothing else of the subscriber changes.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dispatch import contacts, feedback, outbox
from subscribers import Contact, Subscriber, registry
from web import html
from web.limits import Buckets

PER_MINUTE = 30
"""Changes that one message has a minute."""
_MOST = 1000
"""Octets of a form: multipart/form-data of a mail program, or that of the button."""
_STOP, _RESUME = b"One-Click", b"resume"


def router(
    engine: sa.Engine,
    clock: Callable[[], datetime],
    *,
    key: bytes,
    mark: Callable[[str, Contact], str],
    service: str,
    contact: str,
) -> APIRouter:
    """The one path. `key`: of the tokens; `mark`: under what an address of a subscriber is known."""
    routes = APIRouter()
    buckets = Buckets(PER_MINUTE)

    def meant(conn: sa.Connection, token: str) -> tuple[str, Subscriber, str] | None:
        """The delivery, whose it was, and the address that it went to, whatever the subscriber's is by now."""
        delivery = feedback.delivery_of(key, token)
        sent = None if delivery is None else outbox.whose(conn, delivery)
        if delivery is None or sent is None:
            return None
        now = registry.get(conn, sent.subscriber)
        then = now and (registry.at(conn, sent.subscriber, sent.queued_at) or now)
        if now is None or then is None or sent.channel >= len(then.contacts):
            return None
        return delivery, now, mark(now.id, then.contacts[sent.channel])

    def answer(request: Request, conn: sa.Connection, token: str, body: bytes | None) -> Response:
        found = meant(conn, token)
        if found is None:
            tongue = html.language(request.headers.get("accept-language"))
            return html.page("nolink", tongue, status=404, contact=contact, service=service)
        delivery, subscriber, address = found
        if body is not None:
            if buckets.take(delivery, clock()):
                return Response(status_code=429, headers={"Retry-After": "60"})
            wanted: contacts.What | None = "stopped" if _STOP in body else "resumed" if _RESUME in body else None
            if wanted is None:
                return Response(status_code=400)
            stopped = _stopped(conn, address, clock())
            if stopped != (wanted == "stopped"):
                contacts.note(conn, address, subscriber.id, wanted, clock())
        tongue = subscriber.language if subscriber.language in html.LANGUAGES else "en"
        stopped, changed = _stopped(conn, address, clock()), body is not None
        headers = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return html.page(
            "unsubscribe", tongue, form=True, headers=headers, service=service, contact=contact, stopped=stopped,
            changed=changed,
        )  # fmt: skip

    @routes.api_route("/u/{token}", methods=["GET", "HEAD"])
    def show(request: Request, token: str) -> Response:
        with engine.execution_options(readonly=True).connect() as conn:
            return answer(request, conn, token, None)

    def change(request: Request, token: str, body: bytes) -> Response:
        with engine.begin() as conn:
            return answer(request, conn, token, body)

    @routes.post("/u/{token}")
    async def post(request: Request, token: str) -> Response:
        body = (await request.body())[:_MOST]
        return await run_in_threadpool(change, request, token, body)

    return routes


def _stopped(conn: sa.Connection, address: str, now: datetime) -> bool:
    return contacts.silent(conn, now, [address]).get(address) == "opt-out"
