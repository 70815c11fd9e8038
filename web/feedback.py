"""/a/TOKEN: where a recipient says what became of a message. No log-in, no script.

GET shows a page with one button and changes nothing (mail scanners follow links; that the page was asked for is noted);
POST answers, and may answer anew. The page names the message's number and day and nothing of its content.
/a/TOKEN/list.csv has all rows of the recipient's own, of which a mail shows the first.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dispatch import feedback, wording
from dispatch.feedback import ANSWERS, MOST, Answer, Given, Message
from subscribers import Subscriber
from web import Services, html
from web.limits import Buckets, body

PER_MINUTE = 30
"""Answers, and whole lists, that one message has a minute."""
_FORM = "application/x-www-form-urlencoded"
_MOST, _FIELDS = 1000, 10
"""Octets of a form, and fields."""


def router(
    engine: sa.Engine, services: Services, clock: Callable[[], datetime], *, key: bytes, service: str, contact: str
) -> APIRouter:
    """The one path. `key`: of the tokens; `service`, `contact`: who asks, and where a person answers."""
    routes = APIRouter()
    buckets, lists = Buckets(PER_MINUTE), Buckets(PER_MINUTE)

    def asked(conn: sa.Connection, token: str) -> tuple[Message, Subscriber] | None:
        delivery = feedback.delivery_of(key, token)
        return None if delivery is None else _told(conn, delivery, services)

    def nobody(request: Request) -> Response:
        return html.nowhere(request, service, contact)

    @routes.api_route("/a/{token}", methods=["GET", "HEAD"])
    def show(request: Request, token: str) -> Response:
        with engine.execution_options(readonly=True).connect() as conn:
            found = asked(conn, token)
            if found is None:
                return nobody(request)
            told, subscriber = found
            given = feedback.latest(conn, told.item, subscriber.id)
            seen = feedback.seen(conn, told.delivery)
        if not seen and request.method == "GET":
            with engine.begin() as conn:
                feedback.visited(conn, told.delivery, clock())
        return _page(told, subscriber, given, request.query_params, service=service, contact=contact)

    @routes.api_route("/a/{token}/list.csv", methods=["GET", "HEAD"])
    def rows(request: Request, token: str) -> Response:
        with engine.execution_options(readonly=True).connect() as conn:
            found = asked(conn, token)
        if found is not None and lists.take(found[0].delivery, clock()):
            return _too_often()
        listed = None if found is None else services.listing(found[0])
        if found is None or listed is None:
            return nobody(request)
        name = f'attachment; filename="{found[0].item}.csv"'
        said = {"Content-Disposition": name, "Content-Type": "text/csv; charset=utf-8; header=present"}
        return Response(listed, headers=said | {"Cache-Control": "no-store"})

    @routes.post("/a/{token}")
    async def answer(request: Request, token: str) -> Response:
        delivery = feedback.delivery_of(key, token)
        if delivery is None:  # known before anything is read or locked
            return nobody(request)
        form = await _form(request)
        return form if isinstance(form, Response) else await run_in_threadpool(give, request, token, delivery, form)

    def give(request: Request, token: str, delivery: str, form: dict[str, list[str]]) -> Response:
        if buckets.take(delivery, clock()):
            return _too_often()
        said = _said(form)
        with engine.begin() as conn:
            found = asked(conn, token)
            if found is None:
                return nobody(request)
            _give(conn, *found, said, clock())
        return Response(status_code=303, headers={"Location": f"{token}?thanks" if said else token})

    return routes


def _page(
    told: Message, subscriber: Subscriber, given: Given | None, asked: Mapping[str, str], *, service: str, contact: str
) -> Response:
    wanted = asked.get("answer", "")
    tongue = subscriber.language if subscriber.language in html.LANGUAGES else "en"
    return html.page(
        "feedback", tongue, form=True, service=service, contact=contact, answers=ANSWERS, number=told.item,
        day=wording.day(told.queued_at, tongue), chosen=wanted if wanted in ANSWERS else given and given.answer,
        given=given, said=given and wording.moment(given.at, tongue),
        partnership=subscriber.profile.kind == "partnership", thanks="thanks" in asked,
    )  # fmt: skip


def _told(conn: sa.Connection, delivery: str, services: Services) -> tuple[Message, Subscriber] | None:
    told = feedback.message(conn, delivery)
    subscriber = None if told is None else services.subscriber(conn, told.subscriber)
    return None if told is None or subscriber is None else (told, subscriber)


def _give(
    conn: sa.Connection, told: Message, subscriber: Subscriber, said: tuple[Answer, int | None] | None, now: datetime
) -> None:
    if said is not None:
        passed_on = said[1] if subscriber.profile.kind == "partnership" else None
        feedback.give(conn, told, said[0], passed_on, now)


async def _form(request: Request) -> dict[str, list[str]] | Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return Response(status_code=415)
    said = await body(request, _MOST)
    if said is None or said.count(b"&") >= _FIELDS:
        return Response(status_code=413)
    return parse_qs(said.decode("utf-8", "replace"))


def _said(form: dict[str, list[str]]) -> tuple[Answer, int | None] | None:
    """The answer, and to how many it was passed on; None: it is none."""
    chosen, count = form.get("answer", [""])[0], form.get("passed_on", [""])[0].strip()
    known = next((each for each in ANSWERS if each == chosen), None)
    if known is None or not count:
        return known and (known, None)
    fits = count.isascii() and count.isdecimal() and len(count) <= len(str(MOST)) and int(count) <= MOST
    return (known, int(count)) if fits else None


def _too_often() -> Response:
    return Response(status_code=429, headers={"Retry-After": "60"})
