"""/feed.atom: what everybody may know, as Atom 1.0 (RFC 4287). No credential; conditional GET (RFC 9110 13)."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from xml.etree import ElementTree as ET

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch import atom
from dispatch.atom import Entry
from dispatch.pages import Link
from tlp import Label
from web import Services

FEED_ID = "urn:uuid:1d2a7c44-0f5e-4b7b-8c7e-3e9a5d6b8f04"
ENTRIES = 50
_ATOM = "http://www.w3.org/2005/Atom"
_EMPTY = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 2.2: characters that cannot stand in a document, however they are written."""


def router(engine: sa.Engine, services: Services, clock: Callable[[], datetime], title: str) -> APIRouter:
    """The one path. TLP is enforced again: an entry that the public may no longer see is left out."""
    routes = APIRouter()

    @routes.api_route("/feed.atom", methods=["GET", "HEAD"])
    def feed(request: Request) -> Response:
        now = clock()
        with engine.execution_options(readonly=True).connect() as conn:
            latest = [(each, Link(each.item, each.statements, Label.CLEAR)) for each in atom.latest(conn, ENTRIES)]
            seen = services.permitted(conn, None, {link for each, link in latest if not each.withdrawn}, now)
            entries = [entry for entry, link in latest if entry.withdrawn or link in seen]
        body = render(entries, title, pages=services.portal is not None)
        updated = max((entry.updated_at for entry in entries), default=_EMPTY)
        headers = {
            "ETag": f'"{sha256(body).hexdigest()[:32]}"',
            "Last-Modified": format_datetime(updated.astimezone(UTC).replace(microsecond=0), usegmt=True),
            "Cache-Control": "public, max-age=60",
        }
        if _fresh(request, headers["ETag"], updated):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers | {"Content-Type": "application/atom+xml; charset=utf-8"})

    return routes


def render(entries: Sequence[Entry], title: str, *, pages: bool = False) -> bytes:
    """A valid Atom 1.0 document of these entries. `pages`: each has one at the portal."""
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _text(root, "id", FEED_ID)
    _text(root, "title", title)
    _text(root, "updated", _time(max((entry.updated_at for entry in entries), default=_EMPTY)))
    _text(_text(root, "author", ""), "name", title)
    ET.SubElement(root, f"{{{_ATOM}}}link", rel="self", type="application/atom+xml", href="/feed.atom")
    for entry in entries:
        _entry(root, entry, pages=pages)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entry(root: ET.Element, entry: Entry, *, pages: bool) -> None:
    node = ET.SubElement(root, f"{{{_ATOM}}}entry")
    _text(node, "id", entry.id)
    title = f"{entry.title} ({entry.item})" if entry.title else entry.item
    _text(node, "title", f"INGETROKKEN: {title}" if entry.withdrawn else title)
    _text(node, "published", _time(entry.published_at))
    _text(node, "updated", _time(entry.updated_at))
    for scheme, term in entry.categories:
        ET.SubElement(node, f"{{{_ATOM}}}category", term=_clean(term), scheme=f"urn:x-oktt:{_clean(scheme)}")
    if pages:
        ET.SubElement(
            node, f"{{{_ATOM}}}link", rel="alternate", type="text/html", href=f"/portal/berichten/{entry.item}"
        )
    # An entry without an alternate link has to have content (RFC 4287 4.1.1.1).
    _text(node, "content", entry.summary or title).set("type", "text")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    node = ET.SubElement(parent, f"{{{_ATOM}}}{name}")
    if text:
        node.text = _clean(text)
    return node


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fresh(request: Request, etag: str, updated: datetime) -> bool:
    """RFC 9110 13.2.2: If-Modified-Since counts only where If-None-Match is absent."""
    matches = request.headers.get("if-none-match")
    if matches is not None:
        tags = {tag.strip().removeprefix("W/") for tag in matches.split(",")}
        return etag in tags or "*" in tags
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return updated.replace(microsecond=0) <= (since if since.tzinfo else since.replace(tzinfo=UTC))
