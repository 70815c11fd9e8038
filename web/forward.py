"""/f/TOKEN: what a partnership passed on, as everybody may read it, and one button for who has read it.

A partnership puts this address into what it forwards. Whoever opens it reads what is public of it; else it says to ask
the partnership. GET changes nothing (mail scanners follow links); POST counts a browser, once a message, by a random
number that the page gave it: no name, no network address, nothing that leads to anybody.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from dispatch import feedback, forwards, wording
from dispatch.codes import code_of
from dispatch.forwards import Passed
from web import html, limits

PER_MINUTE = 600
"""Readers of one message a minute: a partnership may have thousands of members."""
COOKIE = "gelezen"
_KEPT = 180 * 24 * 3600
_MOST = 1000
_NUMBER = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Told:
    """What everybody may read of a message that was passed on."""

    item: Mapping[str, Any] | None = None
    """Of an alert: as the page of an item is filled."""
    listed: tuple[Mapping[str, str], ...] = ()
    """Of an edition: number, title and level of each."""


def router(
    engine: sa.Engine,
    clock: Callable[[], datetime],
    told: Callable[[sa.Connection, Passed, str], Told],
    *,
    key: bytes,
    service: str,
    contact: str,
) -> APIRouter:
    """The one path. `told`: what everybody may read of it, in a language; `key`: of the tokens."""
    routes = APIRouter()
    buckets = limits.Buckets(PER_MINUTE)

    def nobody(request: Request) -> Response:
        return html.nowhere(request, service, contact)

    def found(conn: sa.Connection, token: str) -> Passed | None:
        delivery = feedback.delivery_of(key, token)
        return None if delivery is None else forwards.passed(conn, delivery)

    @routes.api_route("/f/{token}", methods=["GET", "HEAD"])
    def show(request: Request, token: str) -> Response:
        tongue = html.tongue(request)
        with engine.execution_options(readonly=True).connect() as conn:
            passed = found(conn, token)
            if passed is None:
                return nobody(request)
            shown = told(conn, passed, tongue)
        return html.page(
            "forward_item" if shown.item else "forward", tongue, wording="portal", form=True,
            headers={"Vary": "Accept-Language, Cookie", "X-Robots-Tag": "noindex"},
            title=service, contact=contact, here="", say=html.words("forward", tongue),
            number=wording.named(passed.subject, tongue), day=wording.day(passed.queued_at, tongue),
            code=code_of(passed.delivery), listed=shown.listed,
            read=_known(request) is not None, mark=secrets.token_urlsafe(16), **(shown.item or {}),
        )  # fmt: skip

    @routes.post("/f/{token}")
    async def post(request: Request, token: str) -> Response:
        delivery = feedback.delivery_of(key, token)
        if delivery is None:  # known before anything is read or locked
            return nobody(request)
        if buckets.take(delivery, clock()):
            return Response(status_code=429, headers={"Retry-After": "60"})
        sent = await limits.body(request, _MOST)
        if sent is None:
            return Response(status_code=413)
        return await run_in_threadpool(count, request, token, _known(request) or _given(sent))

    def count(request: Request, token: str, number: str | None) -> Response:
        if number is None:
            return Response(status_code=400)
        with engine.begin() as conn:
            passed = found(conn, token)
            if passed is None:
                return nobody(request)
            forwards.read(conn, passed.delivery, number, clock())
        answer = Response(status_code=303, headers={"Location": token})
        answer.set_cookie(
            COOKIE, number, _KEPT, path=request.url.path, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    return routes


def _known(request: Request) -> str | None:
    """The number of a browser in which somebody has said so: of this message alone, as the cookie's path is."""
    number = request.cookies.get(COOKIE, "")
    return number if _NUMBER.fullmatch(number) else None


def _given(body: bytes) -> str | None:
    """The number that the page gave, on its form."""
    number = parse_qs(body.decode("ascii", "replace")).get("mark", [""])[0]
    return number if _NUMBER.fullmatch(number) else None
