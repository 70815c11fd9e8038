"""HTTP for live sources: bounded in bytes and time, credentials for one host, no way into private networks.

`Web(source, clock=...)` is what readers fetch with: `get` for one answer; `adapter` to mount on the sessions of
libraries (taxii2-client, pymisp). All rules stand in the adapter, so that they hold for both: redirects are followed by
it and checked hop by hop, whatever fails becomes a SourceError in words, and answers of 400 and above a StatusError.
"""

import base64
import io
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ingest import Source, SourceError
from ingest.addresses import REFUSED, allowed
from ingest.archives import amount
from ingest.secrets import secret
from ingest.tls import context

logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)  # its words quote addresses and headers

REDIRECTS = 5
LONGEST_WAIT = timedelta(days=1)
_STEP = 1 << 16


class StatusError(SourceError):
    """The server answered with a status that is no answer: 404, 429, 503."""

    def __init__(self, message: str, status: int, retry_after: timedelta | None = None) -> None:
        super().__init__(message, retry_after)
        self.status = status


class TooMuchError(SourceError):
    """An answer has more bytes than it may."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds that things may take."""

    connect: float = 10.0
    idle: float = 30.0
    """Without a byte."""
    answer: float = 600.0
    """From request to last byte."""
    poll: float = 3600.0
    """All requests of one Web: it is made anew for each poll."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server gave: 200 with its body, or 304 (not modified) without."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    url: str
    """Where it came from in the end: what relative references in it start from."""


class Web:
    """HTTP requests for one source. Close it, or use it in a `with`."""

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], datetime],
        bounds: Bounds = Bounds(),
    ) -> None:
        self.adapter = Adapter(source, clock, bounds)
        self.session = requests.Session()
        self.session.trust_env = False  # no .netrc, no proxies from the environment
        self.session.headers.update({"User-Agent": "OKTT", "Accept-Encoding": "gzip, deflate"})
        self.session.mount("https://", self.adapter)
        self.session.mount("http://", self.adapter)

    def get(self, url: str, headers: Mapping[str, str] | None = None, most: int | None = None) -> Answer:
        """One answer, read whole, of at most so many bytes (of a document, when it is not said). Raises SourceError,
        StatusError for a status of 400 and above, and TooMuchError."""
        self.adapter.most = most or self.adapter.feed.max_bytes
        try:
            response = self.session.get(url, headers=dict(headers or {}))
        except requests.RequestException:  # what the adapter never saw: an address that cannot be one
            raise self.adapter.error("refers to something that is no address: ask the source to mend it") from None
        return Answer(response.status_code, response.content, response.headers, response.url)

    def __enter__(self) -> "Web":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()


class Adapter(HTTPAdapter):
    """The rules of decision 009. Whatever a library passes as time-out, proxy or TLS setting is not listened to."""

    def __init__(self, source: Source, clock: Callable[[], datetime], bounds: Bounds) -> None:
        if source.feed is None:
            raise SourceError(f"{source.id}: no live source: give its table in sources.toml a kind and a url")
        self.source, self.feed, self._clock, self.bounds = source, source.feed, clock, bounds
        self._until = time.monotonic() + bounds.poll
        self.most = self.feed.max_bytes
        """The bytes of an answer."""
        self._home = _place(self.feed.url)
        self._credentials = _credentials(self.feed.user, secret(source))
        self._tls, self._nameless = context(source), context(source, named=False)
        super().__init__()
        pools = {"http": partial(_pool, self, _Plain), "https": partial(_pool, self, _Secure)}
        self.poolmanager.pool_classes_by_scheme = pools  # type: ignore[assignment]

    def error(self, words: str) -> SourceError:
        """An error that names the source."""
        return SourceError(f"{self.source.id}: {words}")

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002
        timeout: Any = None,  # noqa: ARG002
        verify: Any = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Any = None,  # noqa: ARG002
    ) -> requests.Response:
        """One answer, read whole, redirects followed. Raises SourceError."""
        for _ in range(REDIRECTS + 1):
            request = self._checked(request.copy())
            response = self._once(request)
            target = response.headers.get("Location", "") if response.is_redirect else ""
            if not target:
                return self._judged(response)
            if request.method not in ("GET", "HEAD"):
                raise self.error("redirects a request that is not only for reading: correct url in sources.toml")
            try:
                request.prepare_url(urljoin(request.url or "", target), None)
            except (requests.RequestException, ValueError):
                raise self.error("redirects to something that is no address") from None
        raise self.error(f"redirects more than {REDIRECTS} times: correct url in sources.toml")

    def check_peer(self, peer: str) -> None:
        """May we speak with this address? Asked once the socket is connected, before anything is sent."""
        if not allowed(peer, self.feed.private):
            raise self.error(REFUSED)

    def until(self) -> float:
        """When an answer that is asked for now has to be there, on the monotonic clock."""
        now = time.monotonic()
        if now >= self._until:
            raise self.error("the poll took too long; it goes on at the next one")
        return min(now + self.bounds.answer, self._until)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:  # noqa: ARG002
        """Every connection has our own TLS settings; only the source's own host is told who we are."""
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        tls = self._tls if _place(request.url or "") == self._home else self._nameless
        return host, {"ssl_context": tls} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Settled by the TLS context, which requests would add its own certificates to."""

    def _checked(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with credentials for the source's own host, and without for any other."""
        place = _place(request.url or "")
        if place[0] not in ("http", "https"):
            raise self.error("refers to something that is not on the web")
        if self._home[0] == "https" and place[0] != "https":
            raise self.error("refers to an address without TLS, which its own has: ask the source to mend it")
        if place != self._home:
            for name in ("Authorization", "Cookie"):
                request.headers.pop(name, None)
        elif self._credentials:
            request.headers.setdefault("Authorization", self._credentials)
        return request

    def _once(self, request: requests.PreparedRequest) -> requests.Response:
        self.until()
        try:
            response = super().send(request, stream=True, timeout=(self.bounds.connect, self.bounds.idle))
            response.raw = io.BytesIO(self._body(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise self.error(words(error)) from None
        return response

    def _body(self, response: requests.Response) -> bytes:
        """All of it, unpacked; nothing of redirects and errors, which we do not look at."""
        if response.status_code >= 300:
            response.raw.close()
            return b""
        most, blocks, total = self.most, list[bytes](), 0
        length = response.headers.get("Content-Length", "")
        try:
            while block := response.raw.read1(_STEP, decode_content=True):
                blocks.append(block)
                total += len(block)
                if total > most or (length.isdecimal() and int(length) > most):
                    raise TooMuchError(
                        f"{self.source.id}: gives more than {amount(most)}; where that is meant, raise max_bytes"
                    )
        except BaseException:
            response.raw.close()
            raise
        response.raw.release_conn()
        return b"".join(blocks)

    def _judged(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status < 300 or status == 304:
            return response
        wait = retry_after(response.headers.get("Retry-After", ""), self._clock())
        raise StatusError(f"{self.source.id}: {_STATUS.get(status) or _CLASS[status // 100]} ({status})", status, wait)


_STATUS = {
    401: "it does not accept our credentials: check user and secret_file",
    403: "it does not let us in: check user and secret_file, or ask the source",
    404: "there is nothing at that address: check url",
    410: "what was at that address is gone: check url",
    429: "it asks us to come back later",
    503: "it asks us to come back later",
}
_CLASS = {
    3: "it redirects without saying where",
    4: "it does not accept the request: check url",
    5: "its server has an error of its own: later polls try again",
}


def retry_after(value: str, now: datetime) -> timedelta | None:
    """What `Retry-After` asks (RFC 9110 10.2.3), at most a day; None: nothing that can be read."""
    try:
        if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
            wait = timedelta(seconds=int(value))
        else:
            moment = parsedate_to_datetime(value)
            wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)


class Timed(io.RawIOBase):
    """What a socket gives, until a moment: neither headers nor body can drip for longer."""

    def __init__(self, raw: io.RawIOBase, sock: Any, until: float, idle: float) -> None:
        self._raw, self._sock, self._until, self._idle = raw, sock, until, idle

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, self._idle))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, until: float, idle: float, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp: Any = io.BufferedReader(Timed(self.fp.detach(), sock, until, idle))


class _Checked(HTTPConnection):
    """A connection whose peer is one that we may speak with, and whose answers end in time."""

    def __init__(self, *args: Any, adapter: Adapter, **more: Any) -> None:
        super().__init__(*args, **more)
        self._adapter = adapter

    def _new_conn(self) -> Any:
        sock = super()._new_conn()
        try:
            self._adapter.check_peer(sock.getpeername()[0])
        except BaseException:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **more: Any) -> None:
        bounds = {"until": self._adapter.until(), "idle": self._adapter.bounds.idle}
        self.response_class: Any = partial(_Response, **bounds)
        super().request(*args, **more)


class _Plain(_Checked):
    pass


class _Secure(_Checked, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        # Without a length an answer is whole only when TLS was closed as it should be (RFC 9112 9.8).
        self.sock.suppress_ragged_eofs = False  # type: ignore[union-attr]


def _pool(adapter: Adapter, connection: type[_Checked], host: str, port: int, **context: Any) -> HTTPConnectionPool:
    pool = (HTTPSConnectionPool if connection is _Secure else HTTPConnectionPool)(host, port, **context)
    pool.ConnectionCls = partial(connection, adapter=adapter)  # type: ignore[assignment]
    return pool


def _place(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _credentials(user: str, password: str) -> str:
    """An Authorization header: Basic with a user, Bearer without."""
    if not password:
        return ""
    if not user:
        return f"Bearer {password}"
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def words(error: BaseException, protocol: str = "HTTP") -> str:
    """What went wrong, for people. The libraries' own messages quote addresses."""
    chain = list[BaseException]()
    found: BaseException | None = error
    while found is not None and found not in chain:
        chain.append(found)
        inner = getattr(found, "reason", None) or next((a for a in found.args if isinstance(a, BaseException)), None)
        found = inner if isinstance(inner, BaseException) else found.__cause__ or found.__context__
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            why = each.verify_message.rstrip(".")
            why = "it is for another name" if "match" in why else why
            return f"its TLS certificate is not trusted ({why}): ask the source, or set ca_file"
        if isinstance(each, ssl.SSLError) and re.search("ALERT.*(CERTIFICATE|UNKNOWN_CA)", str(each.reason)):
            return "it asks for a client certificate, or does not accept ours: check client_cert and client_key"
    kinds = {
        urllib3.exceptions.NameResolutionError: "its host name cannot be resolved: check url and the name servers",
        socket.gaierror: "its host name cannot be resolved: check url and the name servers",
        ConnectionRefusedError: "its host refuses the connection: check url, or wait for the source",
        urllib3.exceptions.DecodeError: "what it gives is not compressed as it says",
        urllib3.exceptions.IncompleteRead: "it gave less than it said it would",
        ssl.SSLEOFError: "the connection broke off before all was there",
        TimeoutError: "it took too long to answer",
        urllib3.exceptions.TimeoutError: "it took too long to answer",
        ssl.SSLError: "TLS fails: the source or something between us is broken",
    }
    for kind, words in kinds.items():
        if any(isinstance(each, kind) for each in chain):
            return words
    return f"the connection broke off, or what it gives is not {protocol}"
