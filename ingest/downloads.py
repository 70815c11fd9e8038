"""One address that gives one document: KEV, EPSS, CVE lists, RSS and Atom, CSV; packed or not.

The position is what the last answer said of itself (ETag, Last-Modified), so that what did not change is not sent
again. Once a day it is fetched all the same: there are servers whose ETag does not change when their content does.
"""

import io
import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ingest import Feed, Given, Reached, Source, SourceError
from ingest.archives import Limits
from ingest.http import Answer, Bounds, Web
from ingest.opening import Opener

WHOLE = timedelta(days=1)
"""How long a server's word that nothing changed is taken for it."""
_ETAG = re.compile(r'(W/)?[\w+/=.:"-]{1,128}', re.ASCII)
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)
"""RFC 9110 5.6.7."""


class Validators(Struct, frozen=True):
    """The position."""

    url: str = ""
    """A hash: validators of another address mean nothing."""
    etag: str = ""
    modified: str = ""
    whole_at: datetime | None = None
    """When it was last sent whole."""


class DownloadReader:
    """One poll of an address. `key` keys the hashes of names and contents."""

    def __init__(
        self,
        source: Source,
        *,
        key: bytes,
        clock: Callable[[], datetime],
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        self._source, self._clock, self._bounds = source, clock, bounds
        feed = source.feed or Feed("")
        limits = Limits(max_bytes=feed.max_bytes, max_unpacked=max(feed.max_bytes, Limits().max_unpacked))
        self._opener = Opener(source, key=key, clock=clock, limits=limits)
        self._url = feed.url
        self._name = blake2b(feed.url.encode(), digest_size=8).hexdigest()

    def read(self, position: str = "") -> Iterator[Given]:
        """The document, if it may have changed. Raises SourceError."""
        conditions = _conditions(self._known(position))
        with Web(self._source, clock=self._clock, bounds=self._bounds) as web:
            answer = web.get(self._url, conditions)
        if answer.status == 304:
            if not conditions:
                raise SourceError(f"{self._source.id}: it says that nothing changed, and was not asked that: check url")
            return
        name = urlsplit(self._url).path.rpartition("/")[2]
        yield from self._opener.opened(io.BytesIO(answer.body), len(answer.body), name, self._opener.origin(name))
        yield Reached(msgspec.json.encode(self._validators(answer)).decode())

    def _known(self, position: str) -> Validators:
        """What may be asked for; nothing, when it is another address, or a day has gone by."""
        try:
            known = msgspec.json.decode(position, type=Validators)
        except msgspec.DecodeError:
            return Validators()
        now = self._clock()
        if known.url != self._name or known.whole_at is None or not now - WHOLE < known.whole_at <= now:
            return Validators()
        return known

    def _validators(self, answer: Answer) -> Validators:
        etag, modified = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
        return Validators(self._name, _tag(etag), modified if _DATE.fullmatch(modified) else "", self._clock())


def _tag(value: str) -> str:
    """An ETag, where it looks like one: servers may write anything there, and it is stored."""
    return value if _ETAG.fullmatch(value) and not any(map(_address, re.findall(r"[0-9A-Fa-f:.]+", value))) else ""


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _conditions(known: Validators) -> dict[str, str]:
    """RFC 9110 13.1: with an ETag the server does not look at the date."""
    named = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {name: value for name, value in named.items() if value}
