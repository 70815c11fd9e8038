"""MISP servers (REST, with PyMISP) and MISP feeds (a folder on the web: manifest.json and a file an event).

Both list their events with times, and give them one by one; an event is a document. A position is which of the listed
events were read, as hashes of id and time, so that an edited event is read again, one that appears late under an older
time is not missed, and one that is listed and not given is asked for again. Of very many the oldest are forgotten, and
what is as old as those is not read any more, but for what could not be had. Events that vanish say nothing: nobody
tells why they did.
"""

import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol
from urllib.parse import urljoin

import msgspec
import requests
from msgspec import Struct
from pymisp import PyMISP
from pymisp.exceptions import PyMISPError

from ingest import Expected, Feed, Given, RawDocument, Reached, SourceError, Unreadable
from ingest.files import document_key
from ingest.http import StatusError, Web
from ingest.live import Live
from ingest.secrets import secret

MOST_KNOWN = 4000
"""Events that a position knows: 44 kB."""
STEP = 20
"""Events between two positions."""
PAGE = 500
"""Events listed at once."""
MOST_PAGES = 1000
AGAIN = 500
"""Events that could not be had, which are asked for after all others."""
TROUBLE = 3
"""Events in a row that cannot be had: then it is the source."""
_UNDATED = (1 << 40) - 1
"""The time of an event that has none: it is read once."""

logging.getLogger("pymisp").setLevel(logging.CRITICAL + 1)  # it quotes answers; errors are told here


class Standing(Struct, forbid_unknown_fields=True):
    """The position: what is older than `since` is done with; of what is not, these were read."""

    since: int
    """Seconds since 1970."""
    read: list[str]
    again: list[str] = []
    """These could not be had: they are tried last, so that they keep no others out, however old they are."""
    oldest: int = 0
    """The time of the oldest of them, from which on events are listed; 0: there is none."""


class Listed(NamedTuple):
    """An event as it is listed. Sorts by time."""

    at: int
    """When it was published, or else edited; seconds since 1970."""
    edited: int
    uuid: str


class Shelf(Protocol):
    """Where events are."""

    def listed(self, since: int) -> Iterator[Listed]:
        """The events from that time on, in any order, perhaps more. Raises SourceError."""
        ...

    def event(self, uuid: str) -> bytes:
        """One of them, as JSON. Raises SourceError, and StatusError when it is not there."""
        ...


class MispReader(Live):
    """One poll of a server or feed. `key` keys the hashes of events and contents (at least 16 bytes)."""

    def read(self, position: str = "") -> Iterator[Given]:
        """New and edited events, the oldest first, and a position every so often. Raises SourceError."""
        with Web(self._source, clock=self._clock, bounds=self._bounds) as web:
            yield from self._events(self._shelf(web), self._standing(position))

    def _events(self, shelf: Shelf, standing: Standing) -> Iterator[Given]:
        before, late = set(standing.read), set(standing.again)
        listed = set(shelf.listed(min(standing.since, standing.oldest or standing.since)))
        known = {each: self._hash(each) for each in listed}
        found = sorted(each for each in listed if each.at >= standing.since or known[each] in late)
        read = {each for each in found if known[each] in before}
        fresh = sorted((each for each in found if each not in read), key=lambda each: (known[each] in late, each))
        again = {each for each in fresh if known[each] in late}
        yield Expected(len(fresh))
        unsaved, trouble = 0, list[Unreadable]()
        for number, each in enumerate(fresh):
            origin = f"event {number + 1} of {len(fresh)}"
            try:
                given = self._event(shelf, each, origin)
            except SourceError as error:
                # Told once another can be had: perhaps it is the source.
                again.add(each)
                reason = f"cannot be had ({str(error).removeprefix(f'{self._source.id}: ')}); it is asked for again"
                trouble.append(Unreadable(origin, "fetch", reason))
                if _of_source(error) or len(trouble) == TROUBLE:
                    yield self._reached(standing.since, read, known, again, fresh[number:])
                    raise
                continue
            yield from trouble
            unsaved += len(trouble)
            trouble = []
            yield given
            unsaved += 1
            if isinstance(given, RawDocument):
                read.add(each)
                again.discard(each)
            else:
                again.add(each)
            if unsaved >= STEP:
                yield self._reached(standing.since, read, known, again, fresh[number + 1 :])
                unsaved = 0
        yield from trouble
        if unsaved or trouble:
            yield self._reached(standing.since, read, known, again, [])

    def _event(self, shelf: Shelf, listed: Listed, origin: str) -> RawDocument | Unreadable:
        try:
            body = shelf.event(listed.uuid)
        except StatusError as error:
            if error.status not in (403, 404, 410):
                raise
            return Unreadable(origin, "fetch", f"it is listed, and not given ({error.status}); it is asked for again")
        with suppress(msgspec.DecodeError):
            if msgspec.json.decode(body, type=_Document).Event.uuid.lower() == listed.uuid:
                key = document_key(self._key, self._source.id, body)
                return RawDocument(self._source, body, origin, self._clock(), "misp", key)
        return Unreadable(origin, "fetch", "not the event that is listed under its id; it is asked for again")

    def _standing(self, position: str) -> Standing:
        """A position that cannot be read means: from the start, which is as far back as `since` says."""
        try:
            return msgspec.json.decode(position, type=Standing)
        except msgspec.DecodeError:
            return Standing(int((self._clock() - self._feed.since).timestamp()), [])

    def _hash(self, listed: Listed) -> str:
        text = f"{listed.uuid}/{listed.at}/{listed.edited}".encode()
        return b64encode(blake2b(text, key=self._key, digest_size=6, person=b"oktt-name").digest()).decode()

    def _reached(
        self, since: int, read: set[Listed], known: dict[Listed, str], again: set[Listed], rest: Sequence[Listed]
    ) -> Reached:
        """The newest that were read. What is as old as the forgotten ones is done with, but for what is unread yet, for
        what could not be had, and for today: a server whose times lie ahead must not make us skip what comes."""
        kept, late = sorted(read), sorted(again)
        forgotten, kept = kept[:-MOST_KNOWN], kept[-MOST_KNOWN:]
        if forgotten:
            ends = forgotten[-1].at + 1, int((self._clock() - timedelta(days=1)).timestamp())
            since = max(since, min(*ends, *(each.at for each in {*rest, *late}.difference(late[:AGAIN]))))
        standing = Standing(since, [known[each] for each in kept if each.at >= since])
        standing.again = [known[each] for each in late[:AGAIN]]
        standing.oldest = late[0].at if late else 0
        return Reached(msgspec.json.encode(standing).decode())

    def _shelf(self, web: Web) -> Shelf:
        """A secret that is no user's password is the API key of a server; without, it is a feed."""
        key = "" if self._feed.user else secret(self._source)
        if not key:
            return _FeedShelf(web, self._feed)
        if not self._feed.url.startswith("https://"):
            raise SourceError(f"{self._source.id}: an API key is not sent without TLS: use https:// in url")
        return _ServerShelf(web, self._feed, key)


class _Id(Struct):
    uuid: str


class _Document(Struct):
    """As much of an event as shows which one it is."""

    Event: _Id


@dataclass(frozen=True, slots=True)
class _FeedShelf:
    """manifest.json, and UUID.json beside it."""

    web: Web
    feed: Feed

    def listed(self, since: int) -> Iterator[Listed]:  # noqa: ARG002 - the manifest is one file
        body = self.web.get(f"{self._folder}manifest.json").body
        try:
            manifest = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise self.web.adapter.error("its manifest.json is no manifest of a MISP feed: check url") from None
        wanted = {name.lower() for name in self.feed.collections}
        for uuid, about in manifest.items():
            if (event := _listed(uuid, about)) and (not wanted or wanted & _tags(about)):
                yield event

    def event(self, uuid: str) -> bytes:
        return self.web.get(f"{self._folder}{uuid}.json").body

    @property
    def _folder(self) -> str:
        return self.feed.url.removesuffix("manifest.json").rstrip("/") + "/"


class _ServerShelf:
    """A MISP server: published events, by time of publication."""

    def __init__(self, web: Web, feed: Feed, key: str) -> None:
        self._web, self._tags = web, list(feed.collections)
        self._client: PyMISP = self._told(lambda: _Client(web, feed.url, key))

    def listed(self, since: int) -> Iterator[Listed]:
        seen: set[Listed] = set()
        for page in range(1, MOST_PAGES + 1):
            found = self._page(since, page)
            if not found:
                return
            fresh = {event for each in found if (event := _listed(each.get("uuid"), each))} - seen
            yield from fresh
            seen |= fresh
            if len(found) < PAGE:
                return
            if not fresh:
                raise self._web.adapter.error("it gives the same list of events again and again: ask the source")
        raise self._web.adapter.error("it lists more events than are read at once: narrow it down by collections")

    def event(self, uuid: str) -> bytes:
        event = self._told(lambda: self._client.get_event(uuid))
        try:
            return msgspec.json.encode(event)
        except (OverflowError, UnicodeError):  # numbers and half characters that are refused in words
            return json.dumps(event).encode()

    def _page(self, since: int, page: int) -> Sequence[dict[str, Any]]:
        asked: dict[str, Any] = {"publish_timestamp": since, "limit": PAGE, "page": page, "tags": self._tags or None}
        found = self._told(lambda: self._client.search("events", metadata=True, published=True, **asked))
        if not isinstance(found, list):
            raise self._web.adapter.error("what it gives is no list of MISP events: check url")
        events = [each.get("Event") for each in found if isinstance(each, dict)]
        return [each for each in events if isinstance(each, dict)]

    def _told(self, ask: Callable[[], Any]) -> Any:
        """An answer. PyMISP wraps errors, ours too, and raises others for answers that it does not expect."""
        try:
            return ask()
        except SourceError:
            raise
        except (PyMISPError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            inner: BaseException | None = error
            while inner is not None and not isinstance(inner, SourceError):
                inner = inner.__cause__ or inner.__context__
            raise inner or self._web.adapter.error("what it gives is not what a MISP server gives: check url") from None


class _Client(PyMISP):
    """PyMISP on our session, which has the bounds; it would make one of its own."""

    def __init__(self, web: Web, url: str, key: str) -> None:
        self._web = web
        super().__init__(url.rstrip("/") + "/", key)

    def _prepare_request(
        self,
        request_type: str,
        url: str,
        data: Any = None,
        params: Any = None,  # noqa: ARG002 - of calls that are not made here
        kw_params: Any = None,  # noqa: ARG002
        output_type: str = "json",
        content_type: str = "json",
    ) -> requests.Response:
        given = {name: value for name, value in (data or {}).items() if value is not None}
        return self._web.session.request(
            request_type,
            urljoin(self.root_url, url.lstrip("/")),
            data=msgspec.json.encode(given) if data is not None else None,
            headers={
                "Authorization": self.key,
                "Accept": f"application/{output_type}",
                "Content-Type": f"application/{content_type}",
            },
        )


def _of_source(error: SourceError) -> bool:
    """Is it the source that cannot be read, and not one event? What takes too long once takes long again."""
    busy = isinstance(error, StatusError) and error.status in (401, 429, 503)
    return busy or error.retry_after is not None or "took too long" in str(error)


def _listed(uuid: Any, about: Any) -> Listed | None:
    """What a list says of an event; None: nothing that can be used."""
    if not isinstance(about, dict) or not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", str(uuid)
    ):
        return None
    edited, published = (_seconds(about.get(name)) for name in ("timestamp", "publish_timestamp"))
    return Listed(published or edited or _UNDATED, edited, uuid.lower())


def _seconds(value: Any) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,12}", str(value)) else 0


def _tags(about: dict[str, Any]) -> set[str]:
    tags = about.get("Tag")
    return (
        {str(each.get("name")).lower() for each in tags if isinstance(each, dict)} if isinstance(tags, list) else set()
    )
