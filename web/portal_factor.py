"""The second factor: to show it, and to set it up. An authenticator's codes and codes on paper need no script; a
passkey needs ours, on these two pages alone.
"""

from pathlib import Path
from typing import Any

import msgspec
import segno
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from web import factors, passkeys, sessions
from web.passkeys import WrongPasskeyError
from web.portal_frame import Fields, Frame, Who, first, see

AFTER = {"": "/portal/account"} | {name: f"/portal/{name}" for name in ("factor", "contact", "delete")}
"""What a second factor is shown for, and where it goes on then."""
_SCRIPT = (Path(__file__).parent / "static" / "passkey.js").read_bytes()


def add(routes: APIRouter, frame: Frame) -> None:
    """These pages."""
    factor, both = Factor(frame), ["GET", "HEAD"]
    for path in ("/portal/second", "/portal/second/{to}"):
        routes.add_api_route(path, factor.ask, methods=both)
        routes.add_api_route(path, frame.posted(factor.show), methods=["POST"])
    routes.add_api_route("/portal/factor", frame.shown(factor.form, again="factor"), methods=both)
    routes.add_api_route("/portal/factor", frame.changed(factor.change, again="factor"), methods=["POST"])
    routes.add_api_route("/portal/passkey.js", script, methods=both)


def script() -> Response:
    """The one that the pages have."""
    return Response(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})


class Factor:
    """Second factors: shown, and changed."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def ask(self, request: Request) -> Response:
        """The form for the second factor."""
        with self.frame.reading() as conn:
            who = self.frame.who(conn, request, whole=False)
            if who is None:
                return see("/portal/login")
            if not self._asked(conn, who):
                return see(_after(request))
            return self._second(conn, who)

    def _asked(self, conn: sa.Connection, who: Who) -> bool:
        return factors.has(conn, who.subscriber.id) and not (
            who.session.whole and who.session.fresh(self.frame.clock())
        )

    def _second(self, conn: sa.Connection, who: Who, wrong: str = "") -> Response:
        known = passkeys.of(conn, who.subscriber.id) if self.frame.passkeys else []
        challenge = self._challenge(who)
        asked = self.frame.passkeys.ask(known, challenge) if self.frame.passkeys and known else None
        return self.frame.page(
            "second", who.language, who=who.session.id, wrong=wrong, status=422 if wrong else 200, challenge=challenge,
            asked=asked and msgspec.json.encode(asked).decode(), script=asked is not None,
        )  # fmt: skip

    def show(self, request: Request, given: Fields) -> Response:
        """A code, or what a passkey signed. Wrong codes are counted."""
        frame, now = self.frame, self.frame.clock()
        with frame.engine.begin() as conn:
            who = frame.who(conn, request, whole=False)
            if who is None:
                return see("/portal/login")
            if wait := frame.busy(request, who.session.id, who.language):
                return wait
            name, token, answer = who.subscriber.id, first(given, "token"), first(given, "answer")
            if not frame.forms.take(conn, token, _bound(who) if answer else who.session.id):
                return frame.say(who.language, "again", status=409, to=request.url.path)
            if answer:
                opened = frame.passkeys is not None and frame.passkeys.opens(conn, name, token, answer, now)
            else:
                opened = frame.factors.opens(conn, name, first(given, "code"))
            if not opened:
                return self._second(conn, who, "passkey" if answer else "code")
            sessions.complete(conn, who.session.id, now)
        return see(_after(request))

    def form(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """What there is of it, and how to set up more."""
        return self._form(conn, who, self.frame.factors.fresh())

    def _form(self, conn: sa.Connection, who: Who, secret: str, wrong: str = "") -> Response:
        frame, one = self.frame, who.subscriber
        known = passkeys.of(conn, one.id)
        address = factors.address(secret, frame.portal.title, one.name)
        code = segno.make(address, error="m", micro=False)
        challenge = self._challenge(who)
        asked: Any = None
        if frame.passkeys and len(known) < passkeys.MOST:
            asked = msgspec.json.encode(frame.passkeys.new(one.id, one.name, known, challenge)).decode()
        return frame.page(
            "factor", who.language, who=who.session.id, here="factor", wrong=wrong, status=422 if wrong else 200,
            has=factors.has(conn, one.id), authenticator=factors.authenticator(conn, one.id),
            left=factors.left(conn, one.id), known=known, asked=asked, challenge=challenge, script=asked is not None,
            address=address, secret=secret, sealed=frame.factors.seal(secret),
            picture=code.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None, dark="#000"),
        )  # fmt: skip

    def change(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """Add one or take one away. Who takes the last one away is asked for none any more."""
        one, act = who.subscriber, first(given, "act")
        if act == "code":
            return self._authenticator(conn, given, who)
        if act == "passkey":
            return self._passkey(conn, given, who)
        if act == "forget":
            passkeys.drop(conn, one.id, first(given, "passkey"))
        elif act == "no-codes":
            factors.forget_authenticator(conn, one.id)
        elif act == "off":
            factors.drop(conn, one.id)
        ended = factors.without(conn, one.id)
        return see("/portal/account?done=factor_off" if ended else "/portal/factor")

    def _authenticator(self, conn: sa.Connection, given: Fields, who: Who) -> Response:
        secret = self.frame.factors.unseal(first(given, "sealed"))
        if secret is None:
            return see("/portal/factor")
        paper = self.frame.factors.keep(conn, who.subscriber.id, secret, first(given, "code"))
        return self._form(conn, who, secret, "code") if paper is None else self._added(conn, who, paper)

    def _passkey(self, conn: sa.Connection, given: Fields, who: Who) -> Response:
        frame, one, challenge = self.frame, who.subscriber, first(given, "challenge")
        if frame.passkeys is None or not frame.forms.take(conn, challenge, _bound(who)):
            return frame.say(who.language, "again", status=409, to="/portal/factor")
        name = first(given, "name") or f"Passkey {len(passkeys.of(conn, one.id)) + 1}"
        try:
            frame.passkeys.add(conn, one.id, name, challenge, first(given, "answer"), frame.clock())
        except WrongPasskeyError:
            return self._form(conn, who, frame.factors.fresh(), "passkey")
        return self._added(conn, who, frame.factors.begin(conn, one.id))

    def _added(self, conn: sa.Connection, who: Who, paper: list[str]) -> Response:
        """Other browsers, that did not show it, are out; this one did, just now. Of the first one its owner hears."""
        one = who.subscriber
        first_address = next((each.address for each in one.contacts if each.type == "email"), "")
        if paper and first_address and not self.frame.mail(conn, "factor", first_address, one):
            factors.drop(conn, one.id)
            return self.frame.say(who.language, "wait_mail", status=429, to="/portal/factor")
        sessions.end(conn, subscriber=one.id, but=who.session.id)
        sessions.complete(conn, who.session.id, self.frame.clock())
        if not paper:
            return see("/portal/factor")
        return self.frame.page("paper", who.language, who=who.session.id, here="factor", paper=paper)

    def _challenge(self, who: Who) -> str:
        return self.frame.forms.token(_bound(who), passkeys.HOLDS)


def _bound(who: Who) -> str:
    """To whom a challenge is bound: no other form's token is one."""
    return f"passkey {who.session.id}"


def _after(request: Request) -> str:
    return AFTER.get(request.path_params.get("to", ""), AFTER[""])
