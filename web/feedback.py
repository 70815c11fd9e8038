"""/a/TOKEN: where a recipient says what became of a message. No log-in, no script.

GET shows a page with one button and changes nothing (mail scanners follow links; that the page was asked for is noted);
POST answers, and may answer anew. The page names the message's number and day and nothing of its content.
/a/TOKEN/list.csv has all rows of the recipient's own, of which a mail shows the first. Of a message on several items
an answer holds for all of them, or for the one that `item` names.
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

PER_MINUTE, LISTS_PER_MINUTE = 6, 30
"""Answers, and whole lists, that one message has a minute."""
_FORM = "application/x-www-form-urlencoded"
_MOST, _FIELDS = 1000, 10
"""Octets of a form, and fields."""


def router(
    engine: sa.Engine, services: Services, clock: Callable[[], datetime], *, key: bytes, service: str, contact: str
) -> APIRouter:
    """The one path. `key`: of the tokens; `service`, `contact`: who asks, and where a person answers."""
    routes = APIRouter()
    buckets, lists = Buckets(PER_MINUTE), Buckets(LISTS_PER_MINUTE)

    def asked(conn: sa.Connection, token: str) -> tuple[list[Message], Subscriber] | None:
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
            given = list(filter(None, (feedback.latest(conn, each.item, subscriber.id) for each in told)))
            seen = feedback.seen(conn, told[0].delivery)
        if not seen and request.method == "GET":
            with engine.begin() as conn:
                feedback.visited(conn, told[0].delivery, clock())
        tongue = html.tongue(request, subscriber.language)
        return _page(told, subscriber, given, request.query_params, tongue, service=service, contact=contact)

    @routes.api_route("/a/{token}/list.csv", methods=["GET", "HEAD"])
    def rows(request: Request, token: str) -> Response:
        with engine.execution_options(readonly=True).connect() as conn:
            found = asked(conn, token)
        if found is not None and lists.take(found[0][0].delivery, clock()):
            return _too_often()
        told = _meant(found, request.query_params.get("item", ""))
        listed = services.listing(told[0]) if told else None
        if listed is None:
            return nobody(request)
        name = f'attachment; filename="{told[0].item}.csv"'
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
            _give(conn, _meant(found, form.get("item", [""])[0]), found[1], said, clock())
        return Response(status_code=303, headers={"Location": f"{token}?thanks" if said else token})

    return routes


def _page(
    told: list[Message],
    subscriber: Subscriber,
    given: list[Given],
    asked: Mapping[str, str],
    tongue: str,
    *,
    service: str,
    contact: str,
) -> Response:
    wanted, item = asked.get("answer", ""), asked.get("item", "")
    return html.page(
        "feedback", tongue, form=True, service=service, contact=contact, answers=ANSWERS,
        numbers=[each.item for each in told], item=item if any(each.item == item for each in told) else "",
        day=wording.day(told[0].queued_at, tongue), chosen=_chosen(wanted, given),
        given=[(each, wording.moment(each.at, tongue)) for each in given],
        partnership=subscriber.profile.kind == "partnership", thanks="thanks" in asked,
    )  # fmt: skip


def _chosen(wanted: str, given: list[Given]) -> str | None:
    """The answer that is marked: the one in the address, or what was said of all."""
    said = {each.answer for each in given}
    return wanted if wanted in ANSWERS else said.pop() if len(said) == 1 else None


def _told(conn: sa.Connection, delivery: str, services: Services) -> tuple[list[Message], Subscriber] | None:
    told = feedback.messages(conn, delivery)
    subscriber = services.subscriber(conn, told[0].subscriber) if told else None
    return None if subscriber is None else (told, subscriber)


def _meant(found: tuple[list[Message], Subscriber] | None, item: str) -> list[Message]:
    """The one of that number; without one, all."""
    return [each for each in (found[0] if found else ()) if item in ("", each.item)]


def _give(
    conn: sa.Connection,
    told: list[Message],
    subscriber: Subscriber,
    said: tuple[Answer, int | None] | None,
    now: datetime,
) -> None:
    if said is not None:
        passed_on = said[1] if subscriber.profile.kind == "partnership" else None
        for each in told:
            feedback.give(conn, each, said[0], passed_on, now)


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
