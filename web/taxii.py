"""The TAXII 2.1 server (OASIS Standard, 10 June 2021): its routes, and reading.

Credentials are always required. A subscriber reads `clear`, `test` and its own collection, and hands in to
`contribute` (`web.contribute`); another's answers 404, as if it were not there (5.2). Deleting answers 403. Pages are
stable: rows are ordered by the moment they were added, `next` continues after the last row seen, whatever is published
meanwhile.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch import pages, publication
from dispatch.pages import Filters, Page
from dispatch.publication import Collection
from ingest.columns import instant_text
from tlp import Label
from web import Services, auth, contribute, html, ledger, onboarding
from web.answers import MEDIA_TYPE, answer, is_ours
from web.contribute import CONTRIBUTE
from web.entry import Caller, Entry, Handler
from web.envelopes import envelope
from web.ledger import Ledger
from web.taxii_query import TaxiiError, parameters, read_filters, read_limit, read_next

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"
ROOT = "/taxii2/oktt/"
COMMON = {**publication.IDS, CONTRIBUTE.alias: CONTRIBUTE.id}
"""Ids of the collections that every credential has."""
_FIELDS = {"match[id]", "match[type]", "match[version]", "match[spec_version]"}
MAX_LIMIT = 1000
PER_MINUTE = 1200
"""Requests of one credential: enough to pull a million objects twice."""


def router(
    engine: sa.Engine,
    services: Services,
    clock: Callable[[], datetime],
    *,
    title: str,
    contact: str = "",
    base_url: str = "",
    max_limit: int = MAX_LIMIT,
    max_content_length: int,
    per_minute: int = PER_MINUTE,
    log: Ledger,
) -> APIRouter:
    """Discovery, the API root and its collections. `base_url`: how clients reach us, e.g. https://feeds.example."""
    api_root = base_url.rstrip("/") + ROOT
    discovery: dict[str, Any] = {"title": title, "default": api_root, "api_roots": [api_root]}
    if contact:
        discovery["contact"] = contact
    root = {"title": title, "versions": [MEDIA_TYPE], "max_content_length": max_content_length}
    reading = _Reading(services, max_limit)
    one = f"{ROOT}collections/{{collection}}/"
    entry = Entry(engine, services, clock, log, per_minute)
    routes: list[tuple[str, str, str, Handler]] = [
        ("api-root", "GET", ROOT, _fixed(root)),
        ("status", "GET", f"{ROOT}status/{{status}}/", contribute.status),
        ("requests", "GET", f"{ROOT}requests/", _requests),
        ("collections", "GET", f"{ROOT}collections/", _collections),
        ("collection", "GET", one, _one_collection),
        ("manifest", "GET", f"{one}manifest/", reading.manifest),
        ("objects", "GET", f"{one}objects/", reading.objects),
        ("object", "GET", f"{one}objects/{{object}}/", reading.object),
        ("versions", "GET", f"{one}objects/{{object}}/versions/", reading.versions),
        ("object", "DELETE", f"{one}objects/{{object}}/", _no_deleting),
    ]
    made = APIRouter()
    for name, method, path, handler in routes:
        made.add_api_route(path, entry.reading(name, handler), methods=[method])
    told = entry.reading("discovery", _fixed(discovery))

    def discover(request: Request) -> Response:
        """For a browser how to connect; else, to who logs in, the discovery resource (4.1)."""
        if not onboarding.wanted(request.headers.get("accept")):
            return told(request)
        at, tongue = onboarding.address(request, base_url), request.headers.get("accept-language")
        return onboarding.page(at, html.language(tongue), title, COMMON)

    made.add_api_route("/taxii2/", discover, methods=["GET"], response_model=None)
    adding = entry.taking("objects", _may_add, partial(contribute.contribute, engine, services))
    made.add_api_route(f"{one}objects/", adding, methods=["POST"], response_model=None)
    return made


def _fixed(resource: dict[str, Any]) -> Handler:
    return lambda caller, request: answer(resource)  # noqa: ARG005 - a handler


def _requests(caller: Caller, request: Request) -> Response:  # noqa: ARG001 - a handler
    """Not TAXII's: what this subscriber asked last, and why it was refused."""
    mine = [each.id for each in auth.of(caller.conn, caller.subscriber.id) if each.purpose == "taxii"]
    return answer({"requests": [each | {"at": instant_text(each["at"])} for each in ledger.last(caller.conn, mine)]})


def _one_collection(caller: Caller, request: Request) -> Response:
    return answer(_resource(_collection(caller, request)))


def _collections(caller: Caller, request: Request) -> Response:  # noqa: ARG001 - a handler
    found = [*publication.readable(caller.conn, caller.subscriber.id), CONTRIBUTE]
    return answer({"collections": [_resource(each) for each in found]})


def _collection(caller: Caller, request: Request) -> Collection:
    """By id or alias. Another subscriber's is as unknown as one that does not exist: 404 (5.2)."""
    name = request.path_params["collection"]
    found = None if "\0" in name else publication.find(caller.conn, name)
    if name in (CONTRIBUTE.id, CONTRIBUTE.alias):
        found = CONTRIBUTE
    if found is None or found.subscriber not in (None, caller.subscriber.id):
        raise TaxiiError(
            404, "No such collection", f"Unknown here, or not yours to read; {ROOT}collections/ lists yours"
        )
    caller.asked.collection = found.alias
    return found


def _resource(collection: Collection) -> dict[str, Any]:
    return {
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "alias": collection.alias,
        "can_read": collection is not CONTRIBUTE,
        "can_write": collection is CONTRIBUTE,
        "media_types": [STIX_MEDIA_TYPE],
    }


def _may_add(caller: Caller, request: Request) -> None:
    """5.5: in the media type of TAXII, and only where can_write says so."""
    collection = _collection(caller, request)
    if not is_ours(request.headers.get("content-type", "")):
        raise TaxiiError(415, "Unsupported media type", f"Send the envelope with Content-Type: {MEDIA_TYPE}")
    if collection is not CONTRIBUTE:
        raise TaxiiError(
            403, "This collection cannot be written to", f"POST to the collection {CONTRIBUTE.alias} ({CONTRIBUTE.id})"
        )


def _no_deleting(caller: Caller, request: Request) -> Response:
    _collection(caller, request)
    raise TaxiiError(403, "Objects cannot be deleted here", "What is published changes by a new version; ask the hub")


class _Reading:
    """The four resources that are pages of one sequence."""

    def __init__(self, services: Services, max_limit: int) -> None:
        self._services, self._max_limit = services, max_limit

    def objects(self, caller: Caller, request: Request) -> Response:
        """5.4 Get Objects: an envelope; `{}` when nothing matches."""
        page, _ = self._page(caller, request, _FIELDS)
        return _paged(caller, page)

    def manifest(self, caller: Caller, request: Request) -> Response:
        """5.3 Get Object Manifests."""
        page, _ = self._page(caller, request, _FIELDS, bodies=False)
        return _paged(caller, page)

    def object(self, caller: Caller, request: Request) -> Response:
        """5.6 Get an Object: an envelope of one object, or of several versions of it."""
        page, known = self._page(caller, request, {"match[version]", "match[spec_version]"})
        self._require(known)
        return _paged(caller, page)

    def versions(self, caller: Caller, request: Request) -> Response:
        """5.8 Get Object Versions."""
        page, known = self._page(caller, request, {"match[spec_version]"}, versions=("all",), bodies=False)
        self._require(known)
        return _paged(caller, page)

    def _require(self, known: bool) -> None:
        if not known:
            raise TaxiiError(
                404, "No such object", "Unknown here, or not yours to read: its collection's manifest lists yours"
            )

    def _page(
        self,
        caller: Caller,
        request: Request,
        fields: set[str],
        *,
        versions: tuple[Literal["all"], ...] = (),
        bodies: bool = True,
    ) -> tuple[Page, bool]:
        """The page that was asked for; and whether the object in the path is there at all."""
        collection = _collection(caller, request)
        if collection is CONTRIBUTE:
            raise TaxiiError(
                403, "This collection cannot be read", "can_read is false: what became of a POST is in its status"
            )
        asked = parameters(request.query_params.multi_items(), fields)
        object_id = request.path_params.get("object")
        self._require(object_id is None or "\0" not in object_id)
        filters = read_filters(asked, object_id, versions)
        limit = min(read_limit(asked.get("limit")) or self._max_limit, self._max_limit)
        allowed = self._allowed(caller, collection)
        found = pages.page(
            caller.conn, collection.id, allowed,
            limit=limit, filters=filters, after=read_next(asked.get("next")), bodies=bodies,
        )  # fmt: skip
        if found.rows or object_id is None:
            return found, True
        every = Filters(ids=(object_id,), versions=("all",))
        probe = pages.page(caller.conn, collection.id, allowed, limit=1, filters=every, bodies=False)
        return found, bool(probe.rows)

    def _allowed(self, caller: Caller, collection: Collection) -> pages.Allowed:
        """TLP, again: what lies in `clear` has to be public now, what lies in one's own collection one's own."""
        if collection.alias == publication.TEST:
            return _everybody
        reader = None if collection.alias == publication.CLEAR else caller.subscriber
        ask = self._services.permitted
        return lambda item, statements, label: ask(caller.conn, reader, item, statements, label, caller.now)


def _everybody(item: str, statements: frozenset[str], label: Label) -> bool:  # noqa: ARG001 - an Allowed
    return True


def _paged(caller: Caller, page: Page) -> Response:
    """A page as TAXII has it, with the dates of its first and last row; the ledger can name it."""
    body = envelope(caller.asked.route, page.rows, more=page.more)
    caller.asked.answered([row.seq for row in page.rows], body, more=page.more)
    headers = {"Content-Type": MEDIA_TYPE}
    if page.rows:
        headers["X-TAXII-Date-Added-First"] = instant_text(page.rows[0].date_added)
        headers["X-TAXII-Date-Added-Last"] = instant_text(page.rows[-1].date_added)
    return Response(body, headers=headers)
