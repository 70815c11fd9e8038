"""TAXII 2.1 collections, read with taxii2-client over our own session (OASIS TAXII 2.1, 5.4).

What a poll finds in a collection becomes one document, however many pages it came on, since objects refer to one
another across pages; very large ones are cut at whole pages. A collection's position is the `added_after` of its next
poll. How servers page, and how they fail to, stands in `ingest.taxii_pages`.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import msgspec
import requests
from taxii2client.common import _HTTPConnection
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import Collection

from ingest import Given, RawDocument, Reached, SourceError, Unreadable
from ingest.files import document_key
from ingest.http import StatusError, Web
from ingest.live import Live
from ingest.taxii_pages import MOST_GIVEN, ConfusedError, Page, Pile, pages

PAGE = 1000
"""Objects asked for at once; servers give fewer where they like."""
MOST_BYTES = 32 << 20
"""Of one document."""


class Standing(msgspec.Struct, frozen=True):
    """Where a collection is."""

    after: datetime
    """`added_after` of the next poll."""
    given: tuple[str, ...] = ()
    """Hashes of objects that it will give once more."""


class TaxiiReader(Live):
    """One poll of a server's collections. `key` keys the hashes of collections and contents (at least 16 bytes)."""

    def read(self, position: str = "") -> Iterator[Given]:
        """A document and a position for each collection that has something new. Raises SourceError: of a collection
        that cannot be read, after the others."""
        known, wrong = _position(position), list[SourceError]()
        with Web(self._source, clock=self._clock, bounds=self._bounds) as web:
            server = _Server(web, self._clock)
            collections = self._collections(server, wrong)
            start = Standing(self._clock() - self._feed.since)
            most = max(MOST_GIVEN // max(len(known), len(collections), 1), 1)
            for collection in collections:
                name = blake2b(collection.url.encode(), key=self._key, digest_size=8, person=b"oktt-name").hexdigest()
                try:
                    for given in self._collection(server, collection, name, known.get(name, start), most):
                        if isinstance(given, Standing):
                            known[name] = given
                            yield Reached(msgspec.json.encode(known, order="deterministic").decode())
                        else:
                            yield given
                except SourceError as error:
                    if not _only_here(error):
                        raise
                    wrong.append(error)
        if wrong:
            raise wrong[0]

    def _collection(
        self, server: "_Server", collection: Collection, name: str, known: Standing, most: int
    ) -> Iterator[RawDocument | Unreadable | Standing]:
        """What was added since, and up to when that is all."""
        start = known.after
        pile, wrong = Pile(self._key, frozenset(known.given)), list[SourceError]()

        def standing(reached: datetime) -> Standing:
            at = max(start, reached)
            return Standing(at, pile.after(at)[-most:])

        try:
            for page in pages(partial(server.page, collection), start):
                if pile.objects and pile.size + page.size > min(MOST_BYTES, self._feed.max_bytes):
                    yield from self._documents(pile.taken(), name)
                    if page.follows(pile) and (reached := pile.reached(whole=True)):
                        yield standing(reached)
                pile.add(page)
        except ConfusedError as error:
            wrong.append(_LostError(f"{self._source.id}: {error}"))
        yield from self._documents(pile.taken(), name)
        if reached := pile.reached(whole=not wrong):
            yield standing(reached)
        if wrong:
            raise wrong[0]

    def _documents(self, objects: bytes, name: str) -> Iterator[RawDocument]:
        """A bundle of them, if there are any. The same objects make the same bytes."""
        if not objects:
            return
        identifier = UUID(bytes=blake2b(objects, digest_size=16).digest(), version=4)
        body = b'{"type":"bundle","id":"bundle--%s","objects":[%s]}' % (str(identifier).encode(), objects)
        key = document_key(self._key, self._source.id, body)
        yield RawDocument(self._source, body, f"collection {name[:8]}", self._clock(), "stix", key)

    def _collections(self, server: "_Server", wrong: list[SourceError]) -> list[Collection]:
        """Those that the source's table names by id, alias or title; without names, all that we may read. `url` is that
        of a collection, of an API root, or of discovery."""
        url = self._feed.url.rstrip("/") + "/"
        if re.search(r"/collections/[^/]+/$", url):
            return [server.collection(url, server.get(url))]
        found: list[Collection] = []
        for root in server.roots(url):
            try:
                found += server.collections(root)
            except StatusError as error:
                if not _only_here(error):
                    raise
                wrong.append(error)
        if not found and wrong:
            raise wrong[0]
        if not self._feed.collections:
            return [each for each in found if each.can_read]
        chosen: dict[str, Collection] = {}
        for name in self._feed.collections:
            called = [each for each in found if name in (each.id, each.alias) or name.lower() == each.title.lower()]
            if not called:
                raise self._error(f"has no collection {name}: correct collections, or ask the source")
            if not any(each.can_read for each in called):
                raise self._error(f"does not let us read collection {name}: ask the source")
            chosen |= {each.url: each for each in called if each.can_read}
        return list(chosen.values())

    def _error(self, reason: str) -> SourceError:
        return SourceError(f"{self._source.id}: {reason}")


class _LostError(SourceError):
    """One collection cannot be read on; another can."""


class _Server:
    """taxii2-client on our session, which has the bounds; and what it does not show of answers, their headers."""

    def __init__(self, web: Web, clock: Callable[[], datetime]) -> None:
        # What taxii2-client has no argument for: it would make sessions of its own, without our rules.
        self._connection = _HTTPConnection(version="2.1")
        self._connection.session = web.session
        self._web, self._clock = web, clock
        self._headers: requests.structures.CaseInsensitiveDict[str] = requests.structures.CaseInsensitiveDict()
        web.session.hooks["response"].append(self._note)

    def get(self, url: str) -> dict[str, Any]:
        """An answer as a JSON object."""
        return self._answer(lambda: self._connection.get(url))

    def roots(self, url: str) -> list[str]:
        """The API roots that discovery names (4.1), or the one that this is."""
        named = self.get(url).get("api_roots")
        if not isinstance(named, list):
            return [url]
        return [urljoin(url, each).rstrip("/") + "/" for each in named if isinstance(each, str)]

    def collections(self, root: str) -> list[Collection]:
        """All of an API root (5.1)."""
        listed = self.get(f"{root}collections/").get("collections", [])
        if not isinstance(listed, list):
            raise self._web.adapter.error("its list of collections is not TAXII 2.1: ask the source")
        named = [each for each in listed if isinstance(each, dict) and re.fullmatch(r"[\w.~-]+", str(each.get("id")))]
        return [self.collection(f"{root}collections/{each['id']}/", each) for each in named]

    def collection(self, url: str, told: dict[str, Any]) -> Collection:
        """A collection, of which required properties may be missing."""
        ours = {"id": url.rstrip("/").rpartition("/")[2], "can_write": False, "can_read": told.get("can_read") is True}
        texts = {name: told[name] for name in ("title", "alias") if isinstance(told.get(name), str)}
        return Collection(url, conn=self._connection, collection_info={"title": "(none)", **texts, **ours})

    def page(self, collection: Collection, **asked: Any) -> Page:
        """One page of objects (5.4)."""
        envelope = self._answer(lambda: collection.get_objects(limit=PAGE, **asked))
        objects, following = envelope.get("objects", []), envelope.get("next")
        if not isinstance(objects, list):
            raise ConfusedError("what it gives is no envelope of TAXII 2.1: ask the source")
        return Page(
            tuple(map(_encoded, objects)),
            _moment(self._headers.get("X-TAXII-Date-Added-First")),
            _moment(self._headers.get("X-TAXII-Date-Added-Last")),
            min(_date(self._headers.get("Date")) or self._clock(), self._clock()),
            envelope.get("more") is True,
            following if isinstance(following, str) else "",
        )

    def _answer(self, ask: Callable[[], Any]) -> dict[str, Any]:
        try:
            answer = ask()
        except (TAXIIServiceException, KeyError, RecursionError):  # no JSON, another media type, or none at all
            answer = None
        if not isinstance(answer, dict):
            raise self._web.adapter.error("what it gives is not TAXII 2.1: check url")
        return answer

    def _note(self, response: requests.Response, **_: Any) -> None:
        self._headers = response.headers


def _only_here(error: SourceError) -> bool:
    """Is it one collection that cannot be read, and perhaps not the next?"""
    return isinstance(error, _LostError) or (isinstance(error, StatusError) and error.status in (403, 404))


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeError):  # numbers and half characters that the door will refuse in words
        return json.dumps(value).encode()


def _position(position: str) -> dict[str, Standing]:
    """Keyed hash of a collection -> where it is (a moment alone: as it was written before). One that cannot be read
    means: from the start."""
    try:
        known = msgspec.json.decode(position, type=dict[str, datetime | Standing])
    except msgspec.DecodeError:
        return {}
    return {name: each if isinstance(each, Standing) else Standing(each) for name, each in known.items()}


def _moment(text: str | None) -> datetime | None:
    """A timestamp of STIX 2.1 (RFC 3339), to the microsecond. Before 1970 nothing was added: that is none."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1970 else None


def _date(text: str | None) -> datetime | None:
    """The `Date` of an HTTP answer (RFC 9110 6.6.1)."""
    try:
        return parsedate_to_datetime(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
