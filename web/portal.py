"""/portal/: to subscribe, with a link that goes to the address that was given; and to log in, by such a link as well.

Nothing here tells whether an address is known: what was asked for is written down, and a mail goes out, in each case.
GET shows a page with one button (mail scanners follow links); POST does it, once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch import letters, outbox, wording
from subscribers import Said, Subscriber, links, registry
from subscribers.links import Link, Purpose, SignUp
from web import (
    Glimpse,
    Portal,
    Services,
    factors,
    html,
    portal_account,
    portal_contact,
    portal_factor,
    portal_fields,
    portal_items,
    portal_report,
    portal_software,
    sessions,
)
from web.portal_frame import HOME, PER_MINUTE, Fields, Frame, first, see

SHOWN = 20
"""Items of the last month of which the title is shown; all are counted."""
KEPT = timedelta(minutes=10)
"""How long they are remembered."""


def router(
    engine: sa.Engine, services: Services, portal: Portal, clock: Callable[[], datetime], per_minute: int = PER_MINUTE
) -> APIRouter:
    """All pages of the portal. `per_minute`: forms that one peer sends."""
    frame, routes = Frame(engine, services, portal, clock, per_minute=per_minute), APIRouter()
    door = Door(frame)
    routes.add_api_route("/portal", lambda: see(HOME), methods=["GET", "HEAD"])
    routes.add_api_route(HOME, door.start, methods=["GET", "HEAD"])
    routes.add_api_route(HOME, frame.posted(door.join), methods=["POST"])
    routes.add_api_route("/portal/login", door.login, methods=["GET", "HEAD"])
    routes.add_api_route("/portal/login", frame.posted(door.ask), methods=["POST"])
    routes.add_api_route("/portal/l/{token}", door.show, methods=["GET", "HEAD"])
    routes.add_api_route("/portal/l/{token}", frame.posted(door.open), methods=["POST"])
    for each in (portal_account, portal_contact, portal_factor, portal_report, portal_software, portal_items):
        each.add(routes, frame)
    return routes


class Door:
    """Who comes in."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self._links = frame, frame.portal.key("links")
        self._deliveries = frame.portal.key("deliveries")
        self._seen: dict[str, tuple[datetime, Sequence[Glimpse]]] = {}

    def start(self, request: Request) -> Response:
        """The form to subscribe; who is logged in sees how things stand."""
        with self.frame.reading() as conn:
            if self.frame.who(conn, request) is not None:
                return see("/portal/account")
        empty = portal_fields.values(Said(digest=("friday",)), ())
        return self._form(request, empty, ())

    def _form(self, request: Request, filled: dict[str, Any], wrong: tuple[str, ...]) -> Response:
        tongue = self.frame.tongue(request)
        return self.frame.page(
            "join", tongue, status=422 if wrong else 200, filled=filled, wrong=wrong,
            choices=portal_fields.choices(tongue), profile=False,
        )  # fmt: skip

    def join(self, request: Request, given: Fields) -> Response:
        """Somebody wants to subscribe."""
        filled = portal_fields.read(given, profile=False)
        if filled.wrong:
            return self._form(request, portal_fields.again(given, profile=False), filled.wrong)
        wanted = SignUp(filled.name, filled.address, filled.said, filled.software)
        return self._ask(request, given, "subscribe", filled.address, filled.said.language, wanted)

    def login(self, request: Request) -> Response:
        """The form to ask for a link."""
        return self.frame.page("login", self.frame.tongue(request), wrong=False)

    def ask(self, request: Request, given: Fields) -> Response:
        """Somebody wants to log in."""
        tongue, address = self.frame.tongue(request), first(given, "address")
        if not portal_fields.is_address(address):
            return self.frame.page("login", tongue, status=422, wrong=True)
        return self._ask(request, given, "log-in", address, "en" if tongue == "en" else "nl", None)

    def _ask(
        self, request: Request, given: Fields, purpose: Purpose, address: str, language: links.Language,
        wanted: SignUp | None,
    ) -> Response:  # fmt: skip
        frame, now, tongue = self.frame, self.frame.clock(), self.frame.tongue(request)
        with frame.engine.begin() as conn:
            if not frame.forms.take(conn, first(given, "token"), ""):
                return frame.say(tongue, "again", status=409, to=request.url.path)
            link = links.ask(conn, purpose, address, language, wanted, now)
            if link is not None:
                outbox.queue(conn, [letters.order(self._deliveries, link, now)], urgency="today")
        return frame.say(tongue, purpose)

    def show(self, request: Request, token: str) -> Response:
        """What is behind a link: one button, and of who subscribes what it would have got last month."""
        with self.frame.reading() as conn:
            link = self._link(conn, token)
            if link is None:
                return self.frame.say(self.frame.tongue(request), "ended", status=404, to="/portal/login")
            tongue = html.tongue(request, link.language)
            if wait := self.frame.busy(request, link.id, tongue):
                return wait
            known = registry.at_address(conn, link.address)
            if link.subscriber:
                return self._settle(conn, link, tongue)
            if link.wanted is not None:
                return self._confirm(conn, link, link.wanted, known, tongue)
            stopped = portal_contact.stopped(self.frame, conn, link, known)
        if not known:
            return self.frame.say(tongue, "unknown", to=HOME)
        return self.frame.page("open", tongue, who=link.id, known=known, stopped=stopped)

    def _settle(self, conn: sa.Connection, link: Link, tongue: str) -> Response:
        about = self.frame.services.subscriber(conn, link.subscriber)
        if about is None:
            return self.frame.say(tongue, "ended", status=404, to="/portal/login")
        return self.frame.page("move", tongue, what=link.purpose, firm=about.name, address=link.address)

    def _glimpses(self, conn: sa.Connection, link: Link, wanted: SignUp) -> Sequence[Glimpse]:
        """Matched once, and shown again to who opens the link again soon: that costs work."""
        now, portal = self.frame.clock(), self.frame.portal
        at, found = self._seen.get(link.id, (None, ()))
        if at is None or now - at > KEPT:
            found = portal.glimpses(conn, links.candidate(wanted, portal.clearance, now))
            self._seen = {each: kept for each, kept in self._seen.items() if now - kept[0] <= KEPT}
            self._seen[link.id] = now, found
        return found

    def _confirm(
        self, conn: sa.Connection, link: Link, wanted: SignUp, known: list[Subscriber], tongue: str
    ) -> Response:
        found = self._glimpses(conn, link, wanted)
        counts = {each: sum(one.urgency == each for one in found) for each in reversed(portal_fields.URGENCIES)}
        level = wording.words(tongue)["level"]
        return self.frame.page(
            "confirm", tongue, who=link.id, wanted=wanted, found=found[:SHOWN], more=len(found[SHOWN:]),
            total=len(found), counts=[(level[each], count) for each, count in counts.items()], level=level,
            known=len(known),
        )  # fmt: skip

    def open(self, request: Request, given: Fields) -> Response:
        """The button was pressed: the link is used up, and who pressed it is in."""
        frame, now = self.frame, self.frame.clock()
        with frame.engine.begin() as conn:
            link = self._link(conn, request.path_params["token"])
            if link is None or not links.use(conn, link, now):
                return frame.say(frame.tongue(request), "ended", status=404, to="/portal/login")
            tongue = html.tongue(request, link.language)
            if link.subscriber and frame.services.subscriber(conn, link.subscriber) is None:
                return frame.say(tongue, "ended", status=404, to="/portal/login")
            if link.subscriber:
                return portal_contact.settle(frame, conn, link, tongue)
            if link.wanted is not None:
                chosen = links.join(conn, link.wanted, frame.portal.clearance, now)
            known = registry.at_address(conn, link.address)
            portal_contact.arrived(frame, conn, link, known, resume=bool(first(given, "resume")))
            if link.wanted is None:
                asked = first(given, "subscriber")
                chosen = next((each.id for each in known if each.id == asked or len(known) == 1), "")
            if not chosen:
                return frame.say(tongue, "unknown", to=HOME)
            whole = not factors.has(conn, chosen)
            secret = sessions.begin(conn, chosen, now, whole=whole)
        answer = see("/portal/account?welcome" if link.wanted else "/portal/account" if whole else "/portal/second")
        answer.set_cookie(
            sessions.COOKIE, secret, max_age=int(sessions.HOLDS.total_seconds()), path="/", secure=True,
            httponly=True, samesite="lax",
        )  # fmt: skip
        return answer

    def _link(self, conn: sa.Connection, token: str) -> Link | None:
        name = links.id_of(self._links, token)
        return None if name is None else links.get(conn, name, self.frame.clock())
