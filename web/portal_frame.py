"""What every page of the portal shares: who asks, the frame, forms that are sent once, and limits."""

import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from dispatch import letters, outbox
from subscribers import Subscriber, links
from subscribers.links import Purpose
from web import Portal, Services, factors, forms, html, sessions
from web.factors import Factors
from web.forms import Forms
from web.limits import Buckets, body
from web.passkeys import Passkeys
from web.sessions import Session

PER_MINUTE = 600
"""Forms that one peer sends a minute: a proxy may be everybody's peer. What a mailbox gets is bounded by address."""
EACH = 30
"""Forms of one log-in, and looks behind one link, a minute: those cost work."""
PATIENCE = 15.0
"""Seconds that somebody waits for the file of another."""
ALONE = threading.Lock()
"""Of who reads a file that was handed in: a large one is work, and needs room."""
HOME = "/portal/"
Fields = Mapping[str, list[str]]
Handler = Callable[[Request, Fields], Response]


class Who(NamedTuple):
    """Who is logged in."""

    session: Session
    subscriber: Subscriber
    language: str
    """Of the pages: chosen on one, or the subscriber's."""


class Frame:
    """Shared by the pages of one application."""

    def __init__(
        self, engine: sa.Engine, services: Services, portal: Portal, clock: Callable[[], datetime], *, per_minute: int
    ) -> None:
        self.engine, self.services, self.portal, self.clock = engine, services, portal, clock
        self.forms = Forms(portal.key("forms"), clock)
        self.factors = Factors(portal.key("factors"), clock)
        self.passkeys = Passkeys(portal.origin, portal.title, portal.key("passkeys")) if portal.origin else None
        self._deliveries = portal.key("deliveries")
        self._peers, self._each = Buckets(per_minute), Buckets(EACH)

    def page(
        self, name: str, tongue: str, *, who: str = "", status: int = 200, here: str = "", **content: Any
    ) -> Response:
        """A page with a token for each form on it. `who`: to whom it is shown; `here`: which entry of the menu it
        is, empty: no menu."""
        return html.page(
            f"portal_{name}", tongue, status=status, headers={"Vary": "Accept-Language, Cookie"}, form=True,
            wording="portal", title=self.portal.title, contact=self.portal.contact, here=here,
            token=lambda: self.forms.token(who), **content,
        )  # fmt: skip

    def say(self, tongue: str, what: str, *, status: int = 200, to: str = "", **about: str) -> Response:
        """A page with some words alone. `to`: where it goes on."""
        return self.page("said", tongue, status=status, what=what, to=to, about=about, switch=to)

    def mail(self, conn: sa.Connection, purpose: Purpose, address: str, one: Subscriber) -> bool:
        """A link to an address of a subscriber; False: too many went there in the last hour."""
        now = self.clock()
        link = links.ask(conn, purpose, address, one.language, None, now, one.id if purpose != "log-in" else "")
        if link is not None:
            outbox.queue(conn, [letters.order(self._deliveries, link, now)], urgency="today")
        return link is not None

    def tongue(self, request: Request) -> str:
        """Of somebody we do not know."""
        return html.tongue(request)

    def reading(self) -> sa.Connection:
        """A connection that only looks."""
        return self.engine.execution_options(readonly=True).connect()

    def who(self, conn: sa.Connection, request: Request, *, whole: bool = True) -> Who | None:
        """Whoever is logged in; `whole`: with the second factor, if there is one."""
        cookie = request.cookies.get(sessions.COOKIE, "")
        session = sessions.find(conn, cookie, self.clock()) if cookie else None
        subscriber = None if session is None else self.services.subscriber(conn, session.subscriber)
        if session is None or subscriber is None or (whole and not session.whole):
            return None
        return Who(session, subscriber, html.tongue(request, subscriber.language))

    def _known(self, request: Request) -> bool:
        with self.reading() as conn:
            return self.who(conn, request) is not None

    def busy(self, request: Request, who: str, tongue: str) -> Response | None:
        """What somebody gets who asks too often: a page that says so."""
        seconds = self._each.take(who, self.clock())
        return self.wait(request, tongue, seconds) if seconds else None

    def sender(self, request: Request) -> Who | Response:
        """Who sends a form, seen while nobody waits for the database; or what he gets instead."""
        with self.reading() as conn:
            who = self.who(conn, request)
        if who is None:
            return see("/portal/login")
        return self.busy(request, who.session.id, who.language) or who

    def wait(self, request: Request, tongue: str, seconds: float) -> Response:
        """A page that asks to come back."""
        answer = self.say(tongue, "wait", status=429, to=request.url.path)
        answer.headers["Retry-After"] = str(int(seconds) + 1)
        return answer

    def shown(
        self, handler: Callable[[sa.Connection, Request, Who], Response], *, again: str = ""
    ) -> Callable[[Request], Response]:
        """An endpoint that shows a page to who is logged in. It changes nothing. `again`: of which page who has a
        second factor shows it anew, unless that was just now."""

        def endpoint(request: Request) -> Response:
            with self.reading() as conn:
                who = self.who(conn, request)
                return self._first(conn, who, again) or handler(conn, request, cast(Who, who))

        return endpoint

    def _first(self, conn: sa.Connection, who: Who | None, again: str) -> Response | None:
        """Where somebody has to go first; None: nowhere."""
        if who is None:
            return see("/portal/login")
        stale = again and not who.session.fresh(self.clock()) and factors.has(conn, who.subscriber.id)
        return see(f"/portal/second/{again}") if stale else None

    def changed(
        self,
        handler: Callable[[sa.Connection, Request, Fields, Who], Response],
        before: Callable[[Request, Fields, Who], None] | None = None,
        *,
        again: str = "",
        most: int = forms.MOST,
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that does what a form of who is logged in asks for, once. `before`: what takes time, and is done
        while nobody waits for the database; it leaves what it finds in the request's state. `again`: see `shown`."""

        def handle(request: Request, given: Fields) -> Response:
            sender = self.sender(request)
            if not isinstance(sender, Who):
                return sender
            if before is not None:
                before(request, given, sender)
            with self.engine.begin() as conn:
                seen = self.who(conn, request)
                if (elsewhere := self._first(conn, seen, again)) is not None:
                    return elsewhere
                who = cast(Who, seen)
                if not self.forms.take(conn, first(given, "token"), who.session.id):
                    return self.say(who.language, "again", status=409, to=request.url.path)
                return handler(conn, request, given, who)

        return self.posted(handle, most)

    def posted(self, handler: Handler, most: int = forms.MOST) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for a form of ours, sent from a page of ours, perhaps with a file. It is handled in a thread."""

        async def endpoint(request: Request) -> Response:
            tongue = self.tongue(request)
            if not forms.fits(request):
                return self.say(tongue, "foreign", status=403, to=HOME)
            if seconds := self._peers.take(request.client.host if request.client else "", self.clock()):
                return self.wait(request, tongue, seconds)
            if most > forms.MOST and not await run_in_threadpool(self._known, request):
                return see("/portal/login")  # before so much is read
            sent = await body(request, most)
            try:
                form = None if sent is None else forms.read(sent, request.headers.get("content-type", ""))
            except ValueError:
                form = None
            if form is None:
                return self.say(tongue, "large", status=413, to=request.url.path)
            request.state.file = form.file
            return await run_in_threadpool(handler, request, form.fields)

        return endpoint


def first(given: Fields, name: str) -> str:
    """What was filled in there, without spaces around it."""
    return next(iter(given.get(name, ())), "").strip()


def see(path: str) -> Response:
    """Go there next (RFC 9110 15.4.4): who loads the page again sends nothing again."""
    return Response(status_code=303, headers={"Location": path})
