"""Name and mail address of a subscriber, as it gives them itself; and whether mail arrives there.

The name counts at once. An address counts when a link that went there was opened; until then the one before it stays,
to which goes a notice with a link that says no to the change, also when it was made meanwhile.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from msgspec.structs import replace

from dispatch import contacts
from subscribers import Contact, Subscriber, links, registry
from subscribers.links import Link
from subscribers.own import normal
from web import factors, portal_fields, sessions
from web.portal_frame import Fields, Frame, Who, first, see

PATH = "/portal/contact"


def add(routes: APIRouter, frame: Frame) -> None:
    """This page."""
    page = ContactPage(frame)
    routes.add_api_route(PATH, frame.shown(page.form, again="contact"), methods=["GET", "HEAD"])
    routes.add_api_route(PATH, frame.changed(page.change, again="contact"), methods=["POST"])


class ContactPage:
    """Name and address: shown and changed."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def form(self, conn: sa.Connection, request: Request, who: Who) -> Response:
        """How it stands."""
        return self._form(conn, who, done=request.query_params.get("done", "")[:20])

    def _form(self, conn: sa.Connection, who: Who, *, done: str = "", wrong: str = "", typed: str = "") -> Response:
        one, now = who.subscriber, self.frame.clock()
        waiting = links.pending(conn, one.id, now)
        rows: list[dict[str, Any]] = [
            {"address": each.address, "why": contacts.why(conn, now, self._marks(one, each))}
            for each in one.contacts
            if each.type == "email"
        ]
        return self.frame.page(
            "contact", who.language, who=who.session.id, here="contact", status=422 if wrong else 200, wrong=wrong,
            typed=typed, done=done, firm=one.name, rows=rows, waiting=waiting and waiting.address,
        )  # fmt: skip

    def change(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """One of the forms."""
        one, now, act = who.subscriber, self.frame.clock(), first(given, "act")
        if act == "name":
            return self._name(conn, who, first(given, "name"))
        if act == "address":
            return self._address(conn, who, first(given, "address"))
        if act == "cancel":
            links.cancel(conn, one.id, now)
            return see(f"{PATH}?done=cancelled")
        known = next((each for each in one.contacts if each.address and each.address == first(given, "address")), None)
        if known is not None and act == "resume":
            marks = self._marks(one, known)
            contacts.resume(conn, one.id, marks[:1], now)
            if contacts.why(conn, now, marks[1:]) != "opt-out":
                return see(f"{PATH}?done=resumed")
            self.frame.mail(conn, "log-in", known.address, one)  # its reader's word, which nobody else takes back
            return see(f"{PATH}?done=reader")
        if known is not None and act == "try":
            self.frame.mail(conn, "log-in", known.address, one)
            return see(f"{PATH}?done=tried")
        return see(PATH)

    def _name(self, conn: sa.Connection, who: Who, name: str) -> Response:
        if not portal_fields.is_name(name):
            return self._form(conn, who, wrong="name", typed=name)
        own = registry.own(conn, who.subscriber.id)
        registry.give(conn, who.subscriber.id, replace(own, name=name), self.frame.clock())
        return see(f"{PATH}?done=named")

    def _address(self, conn: sa.Connection, who: Who, address: str) -> Response:
        one = who.subscriber
        before = next((each.address for each in one.contacts if each.type == "email"), "")
        known = {normal(each.address) for each in one.contacts}
        if not portal_fields.is_address(address) or normal(address) in known:
            return self._form(conn, who, wrong="address", typed=address)
        links.cancel(conn, one.id, self.frame.clock())
        told = not before or self.frame.mail(conn, "notice", before, one)
        if not (told and self.frame.mail(conn, "address", address, one)):
            return self.frame.say(who.language, "wait_mail", status=429, to=PATH)
        return see(f"{PATH}?done=asked")

    def _marks(self, one: Subscriber, contact: Contact) -> tuple[str, str]:
        return self.frame.portal.marks(one.id, contact)


def settle(frame: Frame, conn: sa.Connection, link: Link, tongue: str) -> Response:
    """The button behind a link was pressed that went to a new address, or to one that can say no: to what was asked for
    then, and to what was since."""
    own, now = registry.own(conn, link.subscriber), frame.clock()
    if link.purpose == "address":
        registry.give(conn, link.subscriber, replace(own, address=link.address), now)
        return frame.say(tongue, "moved", to="/portal/login")
    links.revoke(conn, link.subscriber, now, since=link.made_at)  # also notices that went to addresses of whoever asked
    if link.purpose == "factor":  # it was the first
        factors.drop(conn, link.subscriber)
    else:
        frame.factors.revoke(conn, link.subscriber, link.made_at)
    sessions.end(conn, subscriber=link.subscriber)
    if own.address:
        registry.give(conn, link.subscriber, replace(own, address=link.address), now)
    return frame.say(tongue, "without" if link.purpose == "factor" else "stayed", to="/portal/login")


def arrived(frame: Frame, conn: sa.Connection, link: Link, known: list[Subscriber], *, resume: bool = False) -> None:
    """Who opened a link has its mail: what came back before counts no more. Who subscribes wants it, too; and so does
    who says it there (`resume`)."""
    now = frame.clock()
    for one, marks in _there(frame, link, known):
        if contacts.why(conn, now, marks) == "unreachable":
            contacts.note(conn, marks[0], one.id, "arrived", now)
        if link.wanted is not None or resume:
            contacts.resume(conn, one.id, marks if resume else ("", *marks[1:]), now)


def stopped(frame: Frame, conn: sa.Connection, link: Link, known: list[Subscriber]) -> bool:
    """Did the reader of the address that a link went to want no more mail?"""
    return any(contacts.why(conn, frame.clock(), marks) == "opt-out" for _, marks in _there(frame, link, known))


def _there(frame: Frame, link: Link, known: list[Subscriber]) -> Iterator[tuple[Subscriber, tuple[str, str]]]:
    for one in known:
        for each in one.contacts:
            if each.type == "email" and normal(each.address) == normal(link.address):
                yield one, frame.portal.marks(one.id, each)
