"""What everybody may read: all messages, the latest first, and each with its course of action. TLP is asked on each
request."""

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch import atom, wording
from dispatch.atom import Entry
from dispatch.pages import Link
from tlp import Label
from web.portal_frame import Frame

SHOWN = 50
"""On a page."""
LIST = "/portal/berichten/"


def add(routes: APIRouter, frame: Frame) -> None:
    """These pages."""
    items = Items(frame)
    routes.add_api_route(LIST, items.listed, methods=["GET", "HEAD"])
    routes.add_api_route(LIST + "{item}", items.one, methods=["GET", "HEAD"])


class Items:
    """Public items."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def listed(self, request: Request, after: str = "") -> Response:
        """The latest, with how urgent they are, and page by page all others."""
        tongue = self.frame.tongue(request)
        level = wording.words(tongue)["level"]
        with self.frame.reading() as conn:
            found = atom.latest(conn, SHOWN + 1, after.replace("\0", ""))
            rows = [
                {
                    "item": each.item, "title": wording.plain(each.title, 200) or each.item,
                    "day": wording.date_of(each.updated_at, tongue), "level": level.get(_term(each, "urgency"), ""),
                }
                for each in found[:SHOWN]
                if not each.withdrawn and self._may(conn, each)
            ]  # fmt: skip
        older = found[SHOWN - 1].item if len(found) > SHOWN else ""
        return self.frame.page("items", tongue, rows=rows, older=older)

    def one(self, request: Request, item: str) -> Response:
        """One, whole: what everybody may see of it."""
        tongue = self.frame.tongue(request)
        with self.frame.reading() as conn:
            entry = atom.find(conn, item) if "\0" not in item else None
            if entry is not None and entry.withdrawn:
                return self.frame.say(tongue, "withdrawn", status=410, to=LIST, number=entry.item)
            filled = None
            if entry is not None and self._may(conn, entry):
                filled = self.frame.portal.bulletin(conn, entry.item, tongue)
        if entry is None or filled is None:
            return self.frame.say(tongue, "no_item", status=404, to=LIST)
        return self.frame.page("item", tongue, day=wording.date_of(entry.updated_at, tongue), **filled)

    def _may(self, conn: sa.Connection, entry: Entry) -> bool:
        now = self.frame.clock()
        asked = [Link(entry.item, entry.statements, Label.CLEAR)]
        return bool(self.frame.services.permitted(conn, None, asked, now))


def _term(entry: Entry, scheme: str) -> str:
    return next((term for name, term in entry.categories if name == scheme), "")
