"""A web server over real TLS on 127.0.0.1 that gives what it is told to, faults included, and its own authority.

with web_server(tmp_path) as server:
    server["/kev.json"] = Reply(b"{}", etag='"1"')
    server["/busy"] = [Reply(status=429, headers={"Retry-After": "3"}), Reply(b"now")]
    server["/as-asked"] = lambda request: Reply(request.headers["Authorization"].encode())
    Feed(server.url("/kev.json"), ca_file=server.ca_file, private=LOOPBACK)
    server.requests      # what was asked, in order
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from secrets import token_hex
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET, socket
from struct import pack
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = (ip_network("127.0.0.1"),)
"""Where the tests' servers are: what their sources have to name as private. 127.0.0.2 is not in it."""
Fault = Literal["", "half", "reset", "drip", "drip-headers", "stall", "endless", "no-length", "half-no-length", "noise"]


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    """With its query."""
    headers: Message
    body: bytes
    at: float
    """time.monotonic()"""


@dataclass(frozen=True)
class Reply:
    """What it gets. `length`: the Content-Length to claim instead of the true one. Faults:

    half: the connection ends half-way; reset: it is reset before anything is said; drip, drip-headers: a byte every
    50 ms; stall: nothing after half; endless: the body again and again, no length; no-length: ends with the connection;
    half-no-length: that, without closing TLS; noise: what is no HTTP.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    """Given, and answered with 304 when the client names it."""
    modified: str = ""
    """Last-Modified; answered with 304 when the client names it (and no etag is given)."""
    length: int | None = None
    fault: Fault = ""


Route = Reply | list[Reply] | Callable[[Request], Reply]
"""A list is given one by one; the last stays."""


class WebServer:
    """Paths and what they give; 404 for others."""

    def __init__(
        self, authority: "Authority", name: str, *, tls: bool, expired: bool, address: str, port: int, clients: bool
    ) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        self.ca_file, self.name, self.tls = authority.file, name, tls
        self._stop = threading.Event()
        self._server = _Server((address, port), _handler(self))
        if tls:
            self._server.tls = authority.context(name, expired=expired)
            if clients:
                self._server.tls.load_verify_locations(authority.file)
                self._server.tls.verify_mode = ssl.CERT_REQUIRED
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __setitem__(self, path: str, route: Route) -> None:
        self.routes[path] = route

    def url(self, path: str = "/", host: str = "") -> str:
        """The address of a path."""
        return f"http{'s' if self.tls else ''}://{host or self.name}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests for a path, queries left out."""
        return [each for each in self.requests if each.path.partition("?")[0] == path]

    def reply(self, request: Request) -> Reply:
        """What this request gets."""
        self.requests.append(request)
        route = self.routes.get(request.path, self.routes.get(request.path.partition("?")[0], Reply(status=404)))
        if callable(route):
            route = route(request)
        if isinstance(route, list):
            route = route.pop(0) if len(route) > 1 else route[0]
        named = request.headers.get("If-None-Match", ""), request.headers.get("If-Modified-Since", "")
        if (route.etag and route.etag == named[0]) or (
            not route.etag and route.modified and route.modified == named[1]
        ):
            return Reply(status=304, headers={"ETag": route.etag} if route.etag else {})
        return route

    def end(self) -> None:
        """Stop, also in the middle of a drip."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        if self._stop.wait(seconds):
            raise ConnectionError


@contextmanager
def web_server(
    folder: Path,
    name: str = "localhost",
    *,
    tls: bool = True,
    expired: bool = False,
    authority: "Authority | None" = None,
    address: str = "127.0.0.1",
    port: int = 0,
    clients: bool = False,
) -> Iterator[WebServer]:
    """A server with a certificate for that name. Two that share an authority are trusted by the same ca_file.
    `clients`: of those, too, it asks for a certificate of the authority."""
    made = authority or Authority(folder)
    server = WebServer(made, name, tls=tls, expired=expired, address=address, port=port, clients=clients)
    try:
        yield server
    finally:
        server.end()


_USES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


class Authority:
    """A certificate authority; `file` holds its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        usage = x509.KeyUsage(*[False] * 5, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)  # type: ignore[misc]
        self._certificate = (
            self._builder(self._name, self._key.public_key(), expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"authority-{token_hex(4)}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, name: str, *, expired: bool = False) -> ssl.SSLContext:
        """TLS settings of a server of that name (a host name or an address)."""
        chain = self.certificate(name, expired=expired)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def certificate(self, name: str, *, expired: bool = False) -> Path:
        """A file with a key and a certificate for that name, for servers that read files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        certificate = (
            self._builder(subject, key.public_key(), expired=expired)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{name}{'-expired' if expired else ''}.pem"
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def _builder(self, subject: x509.Name, key: Any, *, expired: bool) -> x509.CertificateBuilder:
        start = datetime.now(UTC) - timedelta(days=30)
        end = datetime.now(UTC) + timedelta(days=-1 if expired else 30)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a TLS handshake that fails is the client's affair."""
        request.settimeout(60)
        with suppress(OSError):  # ssl.SSLError is one
            if self.tls is not None:
                request = self.tls.wrap_socket(request, server_side=True)
            self.RequestHandlerClass(request, client_address, self)
        with suppress(OSError):
            request.close()


def _handler(server: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            asked = Request(self.command, self.path, self.headers, self.rfile.read(length), time.monotonic())
            with suppress(ConnectionError, OSError):
                self.give(server.reply(asked))
                return
            self.close_connection = True

        do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = answer  # noqa: N815

        def give(self, reply: Reply) -> None:
            unsized = reply.fault in ("endless", "no-length", "half-no-length")
            if reply.fault == "reset":
                self.reset()
                return
            if reply.fault == "noise":
                self.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            self.send_header("Date", self.date_time_string())
            validators = {"ETag": reply.etag, "Last-Modified": reply.modified}
            for name, value in {**{n: v for n, v in validators.items() if v}, **reply.headers}.items():
                self.send_header(name, value)
            if unsized:
                self.send_header("Connection", "close")
            elif reply.status != 304:
                self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            if reply.fault == "drip-headers":
                self.drip(b"".join(self._headers_buffer) + b"X-Never: " + b"z" * 60_000)
            self.end_headers()
            if self.command != "HEAD":
                self.body(reply)
            if unsized or reply.fault or reply.length is not None:
                self.close_connection = True
            if reply.fault == "no-length" and isinstance(self.connection, ssl.SSLSocket):
                self.wfile.flush()
                self.connection.unwrap()

        def body(self, reply: Reply) -> None:
            half = reply.body[: len(reply.body) // 2]
            match reply.fault:
                case "half" | "half-no-length":
                    self.wfile.write(half)
                case "drip":
                    self.drip(reply.body)
                case "stall":
                    self.wfile.write(half)
                    self.wfile.flush()
                    server.pause(60)
                case "endless":
                    while True:
                        self.wfile.write(reply.body)
                case _:
                    self.wfile.write(reply.body)

        def drip(self, content: bytes) -> None:
            for number in range(len(content)):
                self.wfile.write(content[number : number + 1])
                self.wfile.flush()
                server.pause(0.05)

        def reset(self) -> None:
            self.close_connection = True
            raw = socket(fileno=self.connection.detach())
            raw.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            with suppress(OSError):
                raw.shutdown(SHUT_RDWR)
            raw.close()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
