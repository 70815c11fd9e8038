"""HTTP for live sources, against a real TLS server that fails in every way that servers do."""

import gzip
import re
import socket
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization

from ingest import Feed, Source, SourceError
from ingest.addresses import allowed
from ingest.http import Bounds, StatusError, Web, retry_after
from tests.ingest.webserver import LOOPBACK, Authority, Reply, WebServer, web_server

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
QUICK = Bounds(connect=5, idle=1, answer=2, poll=20)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[WebServer]:
    with web_server(tmp_path, authority=authority) as started:
        yield started


def web(server: WebServer, path: str = "/", **more: Any) -> Web:
    feed = Feed(server.url(path), **{"ca_file": server.ca_file, "private": LOOPBACK, **more})
    return Web(Source("kev", "KEV", kind="http", feed=feed), clock=lambda: NOW, bounds=QUICK)


def fails(server: WebServer, path: str = "/", **more: Any) -> str:
    """How it fails; the words name the source, and nothing that the server said."""
    with web(server, path, **more) as opened, pytest.raises(SourceError) as error:
        opened.get(server.url(path))
    assert str(error.value).startswith("kev: ")
    return str(error.value)


def test_an_answer(server: WebServer) -> None:
    server["/"] = Reply(b'{"a": 1}', headers={"X-Some": "thing"})
    with web(server) as opened:
        answer = opened.get(server.url("/"))
    assert (answer.status, answer.body, answer.headers["x-some"]) == (200, b'{"a": 1}', "thing")


def test_what_did_not_change_is_not_given_again(server: WebServer) -> None:
    server["/"] = Reply(b"x" * 1000, etag='"one"')
    with web(server) as opened:
        answer = opened.get(server.url("/"), {"If-None-Match": '"one"'})
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b"x" * 1000, fault="half"), "broke off"),
        (Reply(b"x" * 1000, length=2000), "broke off|less than"),
        (Reply(b"x" * 1000, fault="half-no-length"), "broke off"),
        (Reply(b"x" * 1000, fault="drip"), "took too long"),
        (Reply(b"x", fault="drip-headers"), "took too long"),
        (Reply(b"x" * 1000, fault="stall"), "took too long"),
        (Reply(b"x" * 65536, fault="endless"), "more than 1 MiB"),
        (Reply(b"x", length=1 << 40), "more than 1 MiB"),
        (Reply(fault="reset"), "broke off|TLS fails"),
        (Reply(fault="noise"), "not HTTP"),
        (Reply(gzip.compress(bytes(64 << 20)), headers={"Content-Encoding": "gzip"}), "more than 1 MiB"),
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "not compressed as it says"),
        (Reply(b"zz\r\nx\r\n", headers={"Transfer-Encoding": "chunked"}), "broke off|less than"),
        (Reply(status=500), r"\(500\)"),
        (Reply(status=401), "credentials"),
    ],
    ids=lambda value: value.fault or str(value.status) if isinstance(value, Reply) else "",
)
def test_a_server_that_fails_or_lies(server: WebServer, reply: Reply, words: str) -> None:
    server["/"] = reply
    started = time.monotonic()
    found = fails(server, max_bytes=1 << 20)
    assert re.search(words, found), found
    assert time.monotonic() - started < 6


def test_an_answer_without_length_that_is_whole(server: WebServer) -> None:
    server["/"] = Reply(b"x" * 100_000, fault="no-length")
    with web(server) as opened:
        assert len(opened.get(server.url("/")).body) == 100_000


def test_a_body_longer_than_it_says_is_cut_and_the_next_answer_is_its_own(server: WebServer) -> None:
    server["/"] = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlies", length=8)
    server["/next"] = Reply(b"next")
    with web(server) as opened:
        assert len(opened.get(server.url("/")).body) == 8
        assert opened.get(server.url("/next")).body == b"next"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("Mon, 02 Mar 2026 08:10:00 GMT", 600), ("Sun, 01 Mar 2026 08:10:00 GMT", 0), ("99999999", 86400),
     ("-5", None), ("soon", None), ("", None), ("9" * 5000, None)],
)  # fmt: skip
def test_how_long_it_asks_to_wait(server: WebServer, value: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(value, NOW) == expected
    for status in (429, 503):
        server["/"] = Reply(status=status, headers={"Retry-After": value})
        with web(server) as opened, pytest.raises(StatusError) as error:
            opened.get(server.url("/"))
        assert (error.value.status, error.value.retry_after) == (status, expected)


def test_certificates(tmp_path: Path, server: WebServer, authority: Authority) -> None:
    server["/"] = Reply(b"x")
    assert "not trusted" in fails(server, ca_file=None)
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    assert "not trusted" in fails(server, ca_file=other.file)
    with web_server(tmp_path, authority=authority, expired=True) as expired:
        assert "expired" in fails(expired)
    with web_server(tmp_path, "another.example", authority=authority) as wrong:
        wrong.name = "localhost"
        assert "for another name" in fails(wrong)
    (tmp_path / "empty").write_text("none")
    with pytest.raises(SourceError, match="ca_file"):
        web(server, ca_file=tmp_path / "empty")


def test_redirects(tmp_path: Path, server: WebServer, authority: Authority) -> None:
    server["/"] = Reply(status=302, headers={"Location": "/next"})
    server["/next"] = Reply(b"x")
    server["/loop"] = Reply(status=301, headers={"Location": "/loop"})
    server["/nowhere"] = Reply(status=301)
    server["/ftp"] = Reply(status=302, headers={"Location": "ftp://localhost/"})
    server["/file"] = Reply(status=302, headers={"Location": "file:///etc/passwd"})
    server["/bad"] = Reply(status=302, headers={"Location": "https://[::1"})
    with web(server) as opened:
        answer = opened.get(server.url("/"))
        assert (answer.body, answer.url) == (b"x", server.url("/next"))
    assert "more than 5 times" in fails(server, "/loop")
    assert len(server.asked("/loop")) == 6
    assert "without saying where" in fails(server, "/nowhere")
    assert "not on the web" in fails(server, "/ftp")
    assert "not on the web" in fails(server, "/file")
    assert "no address" in fails(server, "/bad")
    with web_server(tmp_path, tls=False, authority=authority) as plain:
        plain["/"] = Reply(b"x")
        server["/plain"] = Reply(status=302, headers={"Location": plain.url("/")})
        assert "without TLS" in fails(server, "/plain")
        assert not plain.requests


@pytest.mark.parametrize("host", ["127.0.0.2", "[::ffff:127.0.0.2]", "127.2"])
def test_no_way_into_private_networks(tmp_path: Path, server: WebServer, authority: Authority, host: str) -> None:
    """Names and addresses alike: what counts is where the socket is connected to, before a byte is sent."""
    with web_server(tmp_path, authority=authority, address="127.0.0.2") as inside:
        inside["/"] = Reply(b"secret")
        server["/"] = Reply(status=307, headers={"Location": inside.url("/", host)})
        assert "private network" in fails(server)
        assert not inside.requests


def test_its_own_host_is_no_exception(server: WebServer) -> None:
    server["/"] = Reply(b"x")
    for private in ((), (ip_network("127.0.0.2"),), (ip_network("10.0.0.0/8"), ip_network("::/0"))):
        assert "set private in its table" in fails(server, private=private)
    assert not server.requests


def test_a_name_that_changes_its_mind(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: a name that was at a good address a moment ago is looked at again, where the socket ends."""
    found = ["127.0.0.1", "127.0.0.1", "127.0.0.2"]
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more: resolve(found.pop(0) if host == "feeds.example" else host, *more)
    )
    with web_server(tmp_path, "feeds.example", authority=authority) as here:
        here["/"] = Reply(b"x", headers={"Connection": "close"})
        with web_server(tmp_path, address="127.0.0.2", port=here.port), web(here) as opened:
            assert opened.get(here.url("/")).body == opened.get(here.url("/")).body == b"x"
            with pytest.raises(SourceError, match="private network"):
                opened.get(here.url("/"))
    assert len(here.requests) == 2
    assert found == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "::",
     "fe80::1%eth0", "fc00::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "ff02::1",
     "255.255.255.255", "240.0.0.1"],
)  # fmt: skip
def test_what_is_not_of_the_public_internet(address: str) -> None:
    assert not allowed(address, ())
    assert not allowed(address, [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")])
    assert allowed(address, [ip_network("0.0.0.0/0"), ip_network("::/0")])


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_what_is(address: str) -> None:
    assert allowed(address, ())


def test_a_client_certificate(tmp_path: Path, server: WebServer, authority: Authority) -> None:
    """Servers that ask for one get it; others that they refer to do not learn who we are."""
    both = authority.certificate("hub.example")
    pem = both.read_text()
    at = pem.index("-----BEGIN CERTIFICATE")
    (tmp_path / "hub.key").write_text(pem[:at])
    (tmp_path / "hub.pem").write_text(pem[at:])
    for file in (both, tmp_path / "hub.key"):
        file.chmod(0o600)
    apart = {"client_cert": tmp_path / "hub.pem", "client_key": tmp_path / "hub.key"}
    with web_server(tmp_path, authority=authority, clients=True) as asking:
        asking["/"] = Reply(b"x")
        server["/"] = Reply(status=302, headers={"Location": asking.url("/")})
        for given in (apart, {"client_cert": both}):
            with web(asking, **given) as opened:
                assert opened.get(asking.url("/")).body == b"x"
        # In TLS 1.3 the alert comes after our request, and a connection that is reset may swallow it.
        refused = r"asks for a client certificate, or does not accept ours|broke off"
        assert re.search(refused, fails(asking))
        assert re.search(refused, fails(server, **apart))
        (tmp_path / "other").mkdir()
        stranger = Authority(tmp_path / "other").certificate("hub.example")
        stranger.chmod(0o600)
        assert re.search(refused, fails(asking, client_cert=stranger))
    assert len(asking.requests) == 2


def test_client_certificates_that_cannot_be_used(tmp_path: Path, server: WebServer, authority: Authority) -> None:
    pair = authority.certificate("hub.example")
    other = authority.certificate("other.example")
    for file in (pair, other):
        file.chmod(0o600)
    private = serialization.load_pem_private_key(pair.read_bytes(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked = secret_file(tmp_path, private.private_bytes(*form, serialization.BestAvailableEncryption(b"geheim")))
    (tmp_path / "none").touch(0o600)
    keys = {other: "no certificate and its key", locked: "without a password", tmp_path / "gone": "cannot be read"}
    for key, words in {**keys, tmp_path / "none": "no certificate and its key"}.items():
        with pytest.raises(SourceError, match=words):
            web(server, client_cert=pair, client_key=key)
    pair.chmod(0o644)
    with pytest.raises(SourceError, match=r"client_cert of \[source.kev\] .* chmod 600"):
        web(server, client_cert=pair)


def test_private_where_the_source_says_so_and_credentials_stay_at_home(
    tmp_path: Path, server: WebServer, authority: Authority
) -> None:
    key = secret_file(tmp_path, "s3cret\n")
    with web_server(tmp_path, authority=authority) as inside:
        inside["/"] = Reply(b"x")
        server["/"] = Reply(status=307, headers={"Location": inside.url("/")})
        with web(server, secret_file=key) as opened:
            assert opened.get(server.url("/")).body == b"x"
            opened.get(inside.url("/"), {"Authorization": "Bearer s3cret", "Cookie": "a=b"})
        assert server.requests[0].headers["Authorization"] == "Bearer s3cret"
        assert [(each.headers["Authorization"], each.headers["Cookie"]) for each in inside.requests] == [
            (None, None)
        ] * 2


def test_user_and_password(tmp_path: Path, server: WebServer) -> None:
    server["/"] = Reply(b"x")
    with web(server, user="hub", secret_file=secret_file(tmp_path, "p:w")) as opened:
        opened.get(server.url("/"))
    assert server.requests[0].headers["Authorization"] == "Basic aHViOnA6dw=="


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("x", 0o640, "chmod 600"),
        ("\nx", 0o600, "empty first line"),
        (b"\xff\xfe", 0o600, "not text"),
        (None, 0, "read"),
    ],
)
def test_secret_files(tmp_path: Path, server: WebServer, text: str | bytes | None, mode: int, words: str) -> None:
    key = secret_file(tmp_path, text, mode) if text is not None else tmp_path / "missing"
    with pytest.raises(SourceError, match=words) as error:
        web(server, secret_file=key)
    assert "[source.kev]" in str(error.value)


def test_a_library_is_held_to_the_same(tmp_path: Path, server: WebServer, authority: Authority) -> None:
    """Sessions of libraries mount the adapter: whatever they pass along, it follows and checks redirects itself."""
    with web_server(tmp_path, authority=authority, address="127.0.0.2") as inside:
        server["/"] = Reply(status=302, headers={"Location": inside.url("/", "127.0.0.2")})
        server["/post"] = Reply(status=307, headers={"Location": "/"})
        with web(server) as opened, requests.Session() as session:
            session.mount("https://", opened.adapter)
            for ask in (session.get, session.post):
                with pytest.raises(SourceError, match=r"private|only for reading"):
                    ask(server.url("/"), verify=False, timeout=1000, proxies={"https": "http://127.0.0.1:9"})
        assert not inside.requests
    server["/whole"] = lambda request: Reply(request.body)
    with web(server) as opened, requests.Session() as session:
        session.mount("https://", opened.adapter)
        assert session.post(server.url("/whole"), json={"a": 1}).json() == {"a": 1}


def test_nobody_there_and_no_such_name(server: WebServer) -> None:
    server.end()
    assert "refuses the connection" in fails(server)
    feed = Feed("https://no-such-host.invalid/")
    opened = Web(Source("kev", "KEV", feed=feed), clock=lambda: NOW, bounds=QUICK)
    with opened, pytest.raises(SourceError, match="cannot be resolved"):
        opened.get(feed.url)


def test_a_poll_ends(server: WebServer) -> None:
    server["/"] = Reply(b"x")
    source = Source("kev", "KEV", feed=Feed(server.url("/"), ca_file=server.ca_file, private=LOOPBACK))

    def endless(opened: Web) -> None:
        while True:
            opened.get(server.url("/"))

    with (
        Web(source, clock=lambda: NOW, bounds=Bounds(poll=0.5)) as opened,
        pytest.raises(SourceError, match="too long"),
    ):
        endless(opened)
    with pytest.raises(SourceError, match="goes on at the next one"):
        opened.get(server.url("/"))
    assert server.requests


def secret_file(folder: Path, text: str | bytes, mode: int = stat.S_IRUSR | stat.S_IWUSR) -> Path:
    file = folder / "secret"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file
