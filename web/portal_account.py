"""The portal of who is logged in: how it stands, profile, proofs, the end."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from msgspec.structs import replace

from dispatch import contacts, wording
from subscribers import Claim, Inventory, Own, SubscriberError, proofs, registry
from subscribers.links import HAND
from web import factors, portal_fields, sessions
from web.leaving import leave
from web.portal_frame import HOME, Fields, Frame, Who, first, see


def add(routes: APIRouter, frame: Frame) -> None:
    """These pages."""
    account = Account(frame)
    for path, show, change in (
        ("account", account.home, None),
        ("profile", account.profile, account.save),
        ("proofs", account.proofs, account.prove),
        ("delete", account.ask_delete, account.delete),
        ("logout", None, account.logout),
        ("confirmed", None, account.confirm),
    ):
        again = "delete" if path == "delete" else ""
        if show is not None:
            routes.add_api_route(f"/portal/{path}", frame.shown(show, again=again), methods=["GET", "HEAD"])
        else:
            routes.add_api_route(f"/portal/{path}", lambda: see("/portal/account"), methods=["GET", "HEAD"])
        if change is not None:
            before = account.ask if path == "proofs" else None
            routes.add_api_route(f"/portal/{path}", frame.changed(change, before, again=again), methods=["POST"])


class Account:
    """What a subscriber sees and changes of itself."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self._proofs = frame, frame.portal.key("proofs")

    def _page(self, name: str, who: Who, **content: Any) -> Response:
        shown: dict[str, Any] = {"subscriber": who.subscriber, "here": name} | content
        return self.frame.page(name, who.language, who=who.session.id, **shown)

    def home(self, conn: sa.Connection, request: Request, who: Who) -> Response:
        """How it stands."""
        one = who.subscriber
        confirmed = one.confirmed_at and wording.date_of(one.confirmed_at, who.language)
        return self._page(
            "account", who, confirmed=confirmed, welcome="welcome" in request.query_params, thanks=_done(request),
            paused=self._own(conn, who).said is not None and self._stated(conn, who).paused,
            sectors=[wording.sector(code, who.language) for code in one.profile.sectors],
            region=portal_fields.REGIONS.get(one.profile.region, one.profile.region),
            proven=[each.what for each in one.claims if each.proven_at],
            open_=[each.what for each in one.claims if not each.proven_at], factor=factors.has(conn, one.id),
            level=wording.words(who.language)["level"], silent=self._silent(conn, who),
        )  # fmt: skip

    def _silent(self, conn: sa.Connection, who: Who) -> bool:
        """Is there an address of the subscriber's to which nothing is sent?"""
        one, now = who.subscriber, self.frame.clock()
        marks = [self.frame.portal.marks(one.id, each) for each in one.contacts if each.type == "email"]
        return any(contacts.why(conn, now, each) for each in marks)

    def confirm(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """It is still right."""
        now, own = self.frame.clock(), self._own(conn, who)
        said = replace(self._stated(conn, who), confirmed_at=now)
        registry.give(conn, who.subscriber.id, replace(own, said=said), now)
        return see("/portal/account?done=confirmed")

    def profile(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """Preferences and profile, to change."""
        own = self._own(conn, who)
        lines = [line for each in own.inventories if each.name == HAND for line in each.software]
        return self._form(who, portal_fields.values(self._stated(conn, who), lines, own.opt_out), own)

    def _form(self, who: Who, filled: dict[str, Any], own: Own, wrong: tuple[str, ...] = ()) -> Response:
        lists = [each for each in own.inventories if each.name != HAND]
        return self._page(
            "profile", who, status=422 if wrong else 200, filled=filled, wrong=wrong, profile=True, lists=lists,
            choices=portal_fields.choices(who.language),
        )  # fmt: skip

    def save(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """What it says of itself, all of it; that is its word that it is right, too."""
        now, own = self.frame.clock(), self._own(conn, who)
        filled = portal_fields.read(given, profile=True)
        if filled.wrong:
            return self._form(who, portal_fields.again(given, profile=True), own, filled.wrong)
        others = tuple(each for each in own.inventories if each.name != HAND)
        hand = (Inventory(HAND, "hand", now, filled.software),) if filled.software else ()
        said = replace(filled.said, confirmed_at=now)
        given_now = replace(own, said=said, opt_out=filled.opt_out, inventories=(*others, *hand))
        registry.give(conn, who.subscriber.id, given_now, now)
        return see("/portal/account?done=saved")

    def proofs(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """Networks and domains, what is proven of them, and how to prove the others."""
        return self._proofs_page(who, who.subscriber.claims, _done(request))

    def _proofs_page(self, who: Who, claims: tuple[Claim, ...], answer: str, status: int = 200) -> Response:
        one = who.subscriber
        rows = [
            {
                "what": each.what, "proven": each.proven_at and wording.date_of(each.proven_at, who.language),
                "until": each.proven_at and wording.date_of(each.proven_at + proofs.HOLDS, who.language),
                "name": proofs.record(each.what), "text": proofs.text(self._proofs, each.under or one.id, each.what),
            }
            for each in claims
        ]  # fmt: skip
        operator = [*one.profile.networks, *one.profile.domains] if one.profile.verified else []
        known = [each for each in operator if each not in {claim.what for claim in claims}]
        return self._page("proofs", who, rows=rows, answer=answer, known=known, status=status)

    def ask(self, request: Request, given: Fields, who: Who) -> None:
        """The DNS for the record of what is to be proven: a slow server keeps nobody from the database."""
        what = first(given, "what")
        with self.frame.reading() as conn:
            mine = first(given, "act") == "check" and any(each.what == what for each in self._own(conn, who).claims)
        name = proofs.record(what) if mine else None
        request.state.texts = None if name is None else self.frame.portal.texts(name)

    def prove(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:
        """Name one, take one back, or look whether its record is there."""
        now, own, one = self.frame.clock(), self._own(conn, who), who.subscriber
        act, what = first(given, "act"), first(given, "what")
        mine = next((each for each in own.claims if each.what == what), None)
        if act == "add":
            try:
                what = proofs.named(what)
            except SubscriberError:
                return self._proofs_page(who, own.claims, "wrong", 422)
            if len(own.claims) >= proofs.MOST:
                return self._proofs_page(who, own.claims, "many", 422)
            if what not in {each.what for each in own.claims}:
                registry.claim(conn, one.id, Claim(what, now), now)
            return see("/portal/proofs?done=added")
        if mine is None:
            return see("/portal/proofs")
        if act == "remove":
            kept = tuple(each for each in own.claims if each is not mine)
            registry.give(conn, one.id, replace(own, claims=kept), now)
            return see("/portal/proofs?done=removed")
        if act != "check":
            return see("/portal/proofs")
        looked = proofs.look(mine, one.id, self._proofs, lambda _: request.state.texts, now)
        registry.claim(conn, one.id, looked.claim, now)
        return see(f"/portal/proofs?done={looked.answer}")

    def ask_delete(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """Whether it is meant."""
        return self._page("delete", who)

    def delete(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """All that it gave goes; nobody can take that back."""
        one = who.subscriber
        leave(conn, one.id, self.frame.clock(), self.frame.portal.marks, objects=True)
        self.frame.portal.left()
        return _logged_out(self.frame.say(who.language, "deleted", to=HOME))

    def logout(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """Here; with `all`, everywhere."""
        sessions.end(conn, session=who.session.id)
        if first(given, "act") == "all":
            sessions.end(conn, subscriber=who.subscriber.id)
        return _logged_out(self.frame.say(who.language, "out", to="/portal/login"))

    def _own(self, conn: sa.Connection, who: Who) -> Own:
        return registry.given(conn, who.subscriber.id)

    def _stated(self, conn: sa.Connection, who: Who) -> Any:
        one, digest = who.subscriber, {name for each in who.subscriber.contacts for name in each.digest}
        return portal_fields.stated(one.profile, self._own(conn, who).said, one.language, sorted(digest))


def _done(request: Request) -> str:
    return request.query_params.get("done", "")[:20]


def _logged_out(answer: Response) -> Response:
    answer.delete_cookie(sessions.COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer
