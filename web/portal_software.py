"""Lists of software in use, handed in as a file: an SBOM or a table, read as `oktt subscribers sbom` does.

A file is read in memory, and what was understood is shown; it lies sealed in the form that keeps it. Nothing else of
the file is kept, and nothing at all unless that form is sent.
"""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from fastapi import APIRouter, Request, Response

from dispatch import wording
from subscribers import Inventory, Software, SubscriberError, inventories, registry
from subscribers.components import repair
from subscribers.links import HAND
from web.portal_fields import line
from web.portal_frame import ALONE, PATIENCE, Fields, Frame, Who, first, see

PATH = "/portal/software"
MOST = 8 << 20
"""Octets of a file, and of the form that keeps what was understood of it."""
SHOWN = 50
"""Lines that are shown; all are counted."""


def add(routes: APIRouter, frame: Frame) -> None:
    """These pages."""
    lists = Lists(frame)
    routes.add_api_route(PATH, frame.shown(lists.form), methods=["GET", "HEAD"])
    routes.add_api_route(PATH, frame.changed(lists.change, most=MOST), methods=["POST"])
    routes.add_api_route(f"{PATH}/read", lambda: see(PATH), methods=["GET", "HEAD"])
    routes.add_api_route(f"{PATH}/read", frame.posted(lists.read, most=MOST), methods=["POST"])


class Lists:
    """Lists of software: shown, read, kept and forgotten."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._seal = Fernet(base64.urlsafe_b64encode(frame.portal.key("software")))

    def form(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """What there is, and where to hand in more."""
        return self._form(who, request.query_params.get("done", "")[:20])

    def _form(self, who: Who, done: str = "", reason: str = "") -> Response:
        now = self.frame.clock()
        rows = [
            {
                "name": each.name, "day": wording.date_of(each.at, who.language), "count": len(each.software),
                "stale": each.stale(now),
            }
            for each in who.subscriber.inventories
            if each.name != HAND
        ]  # fmt: skip
        return self.frame.page(
            "software", who.language, who=who.session.id, here="software", rows=rows, done=done, reason=reason,
            status=422 if reason else 200,
        )  # fmt: skip

    def read(self, request: Request, given: Fields) -> Response:
        """A file: what was understood of it. Nothing is kept."""
        who = self.frame.sender(request)
        if not isinstance(who, Who):
            return who
        if not ALONE.acquire(timeout=PATIENCE):
            return self.frame.wait(request, who.language, PATIENCE)
        try:
            found = inventories.parse(request.state.file)
        except SubscriberError as error:
            return self._form(who, reason=str(error))
        finally:
            ALONE.release()
        name = first(given, "name") or found.source
        if len(name) > 40 or name == HAND or "@" in name or not name.isprintable():
            return self._form(who, reason="use a short name of the system, such as server-1")
        before = next((each for each in who.subscriber.inventories if each.name == name), None)
        change = inventories.difference(before.software if before else (), found.software)
        sealed = self._sealed((who.subscriber.id, name, found.source, found.software))
        return self.frame.page(
            "software_read", who.language, who=who.session.id, here="software", called=name, total=len(found.software),
            shown=_lines(found.software), more=len(found.software[SHOWN:]), sealed=sealed,
            repair=sum(bool(repair(each)) for each in found.software), before=before is not None,
            gone=_lines(change.removed), gone_more=len(change.removed[SHOWN:]), added=len(change.added),
            changed=len(change.changed), switch=PATH,
        )  # fmt: skip

    def change(self, conn: sa.Connection, request: Request, given: Fields, who: Who) -> Response:  # noqa: ARG002
        """Keep what was understood, in place of the list of that name; or forget a list."""
        one, now = who.subscriber, self.frame.clock()
        if first(given, "act") == "forget":
            registry.unstock(conn, one.id, first(given, "name"), now)
            return see(f"{PATH}?done=forgotten")
        try:
            packed = zlib.decompress(self._seal.decrypt(first(given, "sealed").encode()))
        except InvalidToken:
            return see(PATH)
        whose, name, source, software = msgspec.json.decode(packed, type=tuple[str, str, Any, tuple[Software, ...]])
        if whose != one.id:
            return see(PATH)
        try:
            registry.stock(conn, one.id, Inventory(name, source, now, software), now)
        except SubscriberError as error:
            return self._form(who, reason=str(error))
        return see(f"{PATH}?done=kept")

    def _sealed(self, what: object) -> str:
        return self._seal.encrypt(zlib.compress(msgspec.json.encode(what), 9)).decode()


def _lines(software: Sequence[Software]) -> list[str]:
    return [line(each) for each in software[:SHOWN]]
