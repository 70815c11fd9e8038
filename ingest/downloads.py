"""One address that gives one document: KEV, EPSS, CVE lists, RSS and Atom, CSV; packed or not.

The position is what the last answer said of itself (ETag, Last-Modified), so that what did not change is not sent
again. Once a day it is fetched all the same: there are servers whose ETag does not change when their content does.
"""

import io
import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ingest import Given, Reached, SourceError
from ingest.archives import Limits
from ingest.http import Answer, Web
from ingest.live import Live
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


class DownloadReader(Live):
    """One poll of an address."""

    def read(self, position: str = "") -> Iterator[Given]:
        """The document, if it may have changed. Raises SourceError."""
        conditions = _conditions(self._known(position))
        with Web(self._source, clock=self._clock, bounds=self._bounds) as web:
            answer = web.get(self._feed.url, conditions)
        if answer.status == 304:
            if not conditions:
                raise SourceError(f"{self._source.id}: it says that nothing changed, and was not asked that: check url")
            return
        most = self._feed.max_bytes
        limits = Limits(max_bytes=most, max_unpacked=max(most, Limits().max_unpacked))
        opener = Opener(self._source, key=self._key, clock=self._clock, limits=limits)
        name = urlsplit(self._feed.url).path.rpartition("/")[2]
        yield from opener.opened(io.BytesIO(answer.body), len(answer.body), name, opener.origin(name), self._feed.url)
        yield Reached(msgspec.json.encode(self._validators(answer)).decode())

    def _name(self) -> str:
        """The address, as a position may hold it."""
        return blake2b(self._feed.url.encode(), digest_size=8).hexdigest()

    def _known(self, position: str) -> Validators:
        """What may be asked for; nothing, when it is another address, or a day has gone by."""
        try:
            known = msgspec.json.decode(position, type=Validators)
        except msgspec.DecodeError:
            return Validators()
        now = self._clock()
        if known.url != self._name() or known.whole_at is None or not now - WHOLE < known.whole_at <= now:
            return Validators()
        return known

    def _validators(self, answer: Answer) -> Validators:
        etag, modified = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
        return Validators(self._name(), _tag(etag), modified if _DATE.fullmatch(modified) else "", self._clock())


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
