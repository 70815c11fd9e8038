"""The TAXII 2.1 server (OASIS Standard, 10 June 2021): its routes, and reading.

Credentials are always required. A subscriber reads `clear`, `test` and its own collection, and hands in to
`contribute` (`web.contribute`); another's answers 404, as if it were not there (5.2). Deleting answers 403. Pages are
stable: rows are ordered by the moment they were added, `next` continues after the last row seen, whatever is published
meanwhile.
"""

from collections.abc import Callable
from collections.abc import Collection as CollectionOf
from datetime import datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import Request, Response
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp

from dispatch import joining, pages, publication, sequence
from dispatch.joining import Joined
from dispatch.pages import Filters, Link, Page
from dispatch.publication import Collection
from ingest.columns import instant_text
from web import Services, auth, contribute, html, ledger, onboarding
from web.again import remember
from web.answers import MEDIA_TYPE, answer, is_ours
from web.contribute import CONTRIBUTE
from web.entry import Caller, Entry, Handler
from web.kept import Kept, Pages, made_of
from web.ledger import Ledger
from web.taxii_query import FIELDS, TaxiiError, read_query

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"
ROOT = "/taxii2/oktt/"
COMMON = {**publication.IDS, CONTRIBUTE.alias: CONTRIBUTE.id}
"""Ids of the collections that every credential has."""
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_WORTH = 50
"""Objects of a page that is worth keeping."""
_OF_ONE = frozenset({"match[version]", "match[spec_version]"})
_OF_VERSIONS = frozenset({"match[spec_version]"})
MAX_LIMIT = 1000
PER_MINUTE = 1200
"""Requests of one credential: enough to pull a million objects twice."""


def server(
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
) -> ASGIApp:
    """Discovery, the API root and its collections. `base_url`: how clients reach us, e.g. https://feeds.example."""
    # 4.1.1: an HTTPS address, or a relative one.
    api_root = (base_url.rstrip("/") if base_url.startswith("https:") else "") + ROOT
    discovery: dict[str, Any] = {"title": title, "default": api_root, "api_roots": [api_root]}
    if contact:
        discovery["contact"] = contact
    root = {"title": title, "versions": [MEDIA_TYPE], "max_content_length": max_content_length}
    reading = _Reading(services, max_limit)
    one = f"{ROOT}collections/{{collection}}/"
    entry = Entry(engine, services, clock, log, per_minute)
    read: list[tuple[str, str, str, Handler]] = [  # what is asked for most first
        ("objects", "GET", f"{one}objects/", reading.objects),
        ("manifest", "GET", f"{one}manifest/", reading.manifest),
        ("api-root", "GET", ROOT, _fixed(root)),
        ("status", "GET", f"{ROOT}status/{{status}}/", contribute.status),
        ("requests", "GET", f"{ROOT}requests/", _requests),
        ("collections", "GET", f"{ROOT}collections/", _collections),
        ("collection", "GET", one, _one_collection),
        ("object", "GET", f"{one}objects/{{object}}/", reading.object),
        ("versions", "GET", f"{one}objects/{{object}}/versions/", reading.versions),
        ("object", "DELETE", f"{one}objects/{{object}}/", _no_deleting),
    ]
    made = [Route(path, entry.reading(name, handler), methods=[method]) for name, method, path, handler in read]
    told = entry.reading("discovery", _fixed(discovery))

    async def discover(request: Request) -> Response:
        """For a browser how to connect; else, to who logs in, the discovery resource (4.1)."""
        if not onboarding.wanted(request.headers.get("accept")):
            return await told(request)
        at, tongue = onboarding.address(request, base_url), request.headers.get("accept-language")
        return onboarding.page(at, html.language(tongue), title, COMMON)

    made.append(Route("/taxii2/", discover))
    adding = entry.taking("objects", _may_add, partial(contribute.contribute, engine, services))
    made.append(Route(f"{one}objects/", adding, methods=["POST"]))
    nowhere = entry.reading("none", partial(_nowhere, [*made]))
    made.append(Route("/taxii2/{rest:path}", nowhere, methods=_METHODS))
    return entry.again.before(Router(made, redirect_slashes=False))


def _nowhere(routes: list[Route], caller: Caller, request: Request) -> Response:  # noqa: ARG001 - a handler
    """No such path, or none with that method: told to who logged in, and in the ledger."""
    here = [route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL]
    if here:
        allow = ", ".join(sorted(set[str]().union(*(route.methods or () for route in here))))
        raise TaxiiError(405, "Method Not Allowed", f"This path has no such method, but {allow}", {"Allow": allow})
    raise TaxiiError(404, "Not Found", f"Nothing here has that path: {ROOT} is the API root, and its collections/ list")


def _fixed(resource: dict[str, Any]) -> Handler:
    return lambda caller, request: answer(resource)  # noqa: ARG005 - a handler


def _requests(caller: Caller, request: Request) -> Response:  # noqa: ARG001 - a handler
    """Not TAXII's: what this subscriber asked last, and why it was refused."""
    mine = [each.id for each in auth.of(caller.look.conn, caller.subscriber.id) if each.purpose == "taxii"]
    return answer(
        {"requests": [each | {"at": instant_text(each["at"])} for each in ledger.last(caller.look.conn, mine)]}
    )


def _one_collection(caller: Caller, request: Request) -> Response:
    return answer(_resource(_collection(caller, request)))


def _collections(caller: Caller, request: Request) -> Response:  # noqa: ARG001 - a handler
    found = [*publication.readable(caller.look.conn, caller.subscriber.id), CONTRIBUTE]
    return answer({"collections": [_resource(each) for each in found]})


def _collection(caller: Caller, request: Request) -> Collection:
    """By id or alias. Another subscriber's is as unknown as one that does not exist: 404 (5.2)."""
    name = request.path_params["collection"]
    found = None if "\0" in name else caller.look.ask(("collection", name), lambda conn: publication.find(conn, name))
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
        self._services, self._max_limit, self._kept = services, max_limit, Pages()

    def objects(self, caller: Caller, request: Request) -> Response:
        """5.4 Get Objects: an envelope; `{}` when nothing matches."""
        return _paged(caller, request, self._page(caller, request, FIELDS)[0])

    def manifest(self, caller: Caller, request: Request) -> Response:
        """5.3 Get Object Manifests."""
        return _paged(caller, request, self._page(caller, request, FIELDS, bodies=False)[0])

    def object(self, caller: Caller, request: Request) -> Response:
        """5.6 Get an Object: an envelope of one object, or of several versions of it."""
        page, known = self._page(caller, request, _OF_ONE)
        self._require(known)
        return _paged(caller, request, page)

    def versions(self, caller: Caller, request: Request) -> Response:
        """5.8 Get Object Versions."""
        page, known = self._page(caller, request, _OF_VERSIONS, versions=("all",), bodies=False)
        self._require(known)
        return _paged(caller, request, page)

    def _require(self, known: bool) -> None:
        if not known:
            raise TaxiiError(
                404, "No such object", "Unknown here, or not yours to read: its collection's manifest lists yours"
            )

    def _page(
        self,
        caller: Caller,
        request: Request,
        fields: frozenset[str],
        *,
        versions: tuple[Literal["all"], ...] = (),
        bodies: bool = True,
    ) -> tuple[Kept, bool]:
        """The page that was asked for, kept or made; and whether the object in the path is there at all."""
        collection = _collection(caller, request)
        if collection is CONTRIBUTE:
            raise TaxiiError(
                403, "This collection cannot be read", "can_read is false: what became of a POST is in its status"
            )
        object_id = request.path_params.get("object")
        self._require(object_id is None or "\0" not in object_id)
        filters, limit, after = read_query(request.scope["query_string"], fields, object_id, versions)
        limit = min(limit or self._max_limit, self._max_limit)
        allowed = partial(self._seen, caller, collection)
        revision = caller.look.ask("revision", sequence.revision)
        key = (collection.id, caller.asked.route, filters, after, limit)
        kept = self._kept.get(key, revision)
        if kept is not None and self._all_seen(caller, collection, kept.links):
            return kept, True
        asked = (caller.look.conn, collection.id, allowed)
        page: Page | Joined
        if bodies:
            page = joining.page(*asked, limit=limit, filters=filters, after=after)
        else:
            page = pages.page(*asked, limit=limit, filters=filters, after=after, bodies=False)
        made = made_of(caller.asked.route, page, filters.added_after)
        if page.whole and made.count >= _WORTH:
            self._kept.put(key, revision, made)
        if page.rows or object_id is None:
            return made, True
        every = Filters(ids=(object_id,), versions=("all",))
        probe = pages.page(caller.look.conn, collection.id, allowed, limit=1, filters=every, bodies=False)
        return made, bool(probe.rows)

    def _seen(self, caller: Caller, collection: Collection, links: CollectionOf[Link]) -> CollectionOf[Link]:
        """TLP, again: what lies in `clear` has to be public now, what lies in one's own collection one's own."""
        if collection.alias == publication.TEST:
            return links
        reader = None if collection.alias == publication.CLEAR else caller.subscriber
        return self._services.permitted(caller.look.conn, reader, links, caller.now)

    def _all_seen(self, caller: Caller, collection: Collection, links: frozenset[Link]) -> bool:
        """The same of all that a kept page rests on. What it says holds until somebody writes, or a clearance ends."""
        question = ("seen", collection.id, caller.subscriber.clearance.at(caller.now), links)
        return caller.look.ask(question, lambda _: links.issubset(self._seen(caller, collection, links)))


def _paged(caller: Caller, request: Request, page: Kept) -> Response:
    """A page as TAXII has it, with the dates of its first and last row; the ledger can name it."""
    caller.asked.answered(page.count, page.rows, page.digest, more=page.more)
    first, last = page.dates
    dates = {"X-TAXII-Date-Added-First": first, "X-TAXII-Date-Added-Last": last}
    response = Response(page.body, headers={"Content-Type": MEDIA_TYPE, **dates})
    remember(request.scope, caller.look, caller.asked, page, response.raw_headers)
    return response
