"""/u/TOKEN: where the reader of a message says that no more of them shall come to that address (RFC 8058).

GET shows a page with one button and changes nothing. POST, by that button or by the reader's mail program, stops what
goes to the address, and may let it come again: no log-in, no script. Nothing else of the subscriber changes.
"""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dispatch import contacts, feedback, ledger, outbox, wording
from subscribers import Contact, Subscriber, registry
from web import html, limits

PER_MINUTE = 6
"""Changes that one message has a minute: a person changes his mind once or twice."""
_MOST = 1000
"""Octets of a form: multipart/form-data of a mail program, or that of the button."""
_STOP, _RESUME = b"One-Click", b"resume"


def router(
    engine: sa.Engine,
    clock: Callable[[], datetime],
    *,
    key: bytes,
    marks: Callable[[str, Contact], tuple[str, str]],
    service: str,
    contact: str,
) -> APIRouter:
    """The one path. `key`: of the tokens; `marks`: under what an address of a subscriber is known."""
    routes = APIRouter()
    buckets = limits.Buckets(PER_MINUTE)

    def nobody(request: Request) -> Response:
        return html.nowhere(request, service, contact)

    def answer(request: Request, conn: sa.Connection, delivery: str, body: bytes | None) -> Response:
        found = _meant(conn, delivery)
        if found is None:
            return nobody(request)
        subscriber, address = found[0], marks(found[0].id, found[1])
        if body is not None and not _changed(conn, subscriber, address, body, clock()):
            return Response(status_code=400)
        tongue = html.tongue(request, subscriber.language)
        stopped, changed = _stopped(conn, address, clock()), body is not None
        headers = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return html.page(
            "unsubscribe", tongue, form=True, headers=headers, service=service, contact=contact, stopped=stopped,
            changed=changed, whose=wording.plain(subscriber.name, 120),
        )  # fmt: skip

    @routes.api_route("/u/{token}", methods=["GET", "HEAD"])
    def show(request: Request, token: str) -> Response:
        delivery = feedback.delivery_of(key, token)
        if delivery is None:
            return nobody(request)
        with engine.execution_options(readonly=True).connect() as conn:
            return answer(request, conn, delivery, None)

    def change(request: Request, delivery: str, body: bytes) -> Response:
        with engine.begin() as conn:
            return answer(request, conn, delivery, body)

    @routes.post("/u/{token}")
    async def post(request: Request, token: str) -> Response:
        delivery = feedback.delivery_of(key, token)
        if delivery is None:
            return nobody(request)
        if buckets.take(delivery, clock()):  # before the database has one writer less
            return Response(status_code=429, headers={"Retry-After": "60"})
        body = await limits.body(request, _MOST)
        if body is None:
            return Response(status_code=413)
        return await run_in_threadpool(change, request, delivery, body)

    return routes


def _meant(conn: sa.Connection, delivery: str) -> tuple[Subscriber, Contact] | None:
    """Whose a delivery was, and the contact that it went to, whatever the subscriber's is by now."""
    sent = outbox.whose(conn, delivery)
    now = None if sent is None else registry.get(conn, sent.subscriber)
    if sent is None or now is None:
        return None
    left = ledger.sent(conn, delivery)  # its address may have changed while it waited
    contact = registry.went(conn, now, sent, left.at if left else None)
    return None if contact is None else (now, contact)


def _changed(conn: sa.Connection, subscriber: Subscriber, marks: tuple[str, str], body: bytes, now: datetime) -> bool:
    """Note what the form says, unless it is so already. False: it says nothing."""
    if _STOP in body:
        if not _stopped(conn, marks, now):
            contacts.note(conn, marks[0], subscriber.id, "stopped", now)
        return True
    if _RESUME in body:
        contacts.resume(conn, subscriber.id, marks, now)
    return _RESUME in body


def _stopped(conn: sa.Connection, marks: tuple[str, str], now: datetime) -> bool:
    return contacts.why(conn, now, marks) == "opt-out"
