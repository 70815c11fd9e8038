"""Peers that are gone, slow or silent: their connections end, and nobody else waits for them."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.web.test_ledger import short, told
from tests.web.test_taxii import CLEAR, ROOT, tool
from web import entry
from web.answers import MEDIA_TYPE
from web.connections import Patient

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
CLIENTS = 200


class Hasty(Patient):
    request, reading = 0.5, 0.5


class Lasting(Patient):
    request, reading = 3600.0, 3600.0


def connect(world: Any, *lines: str) -> socket.socket:
    host, port = world.url.removeprefix("http://").split(":")
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((host, int(port)))
    made.settimeout(30)
    made.sendall("\r\n".join(lines).encode())
    return made


def ended(connection: socket.socket) -> bool:
    """Did the other side end it? What it had sent before is read."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def get(login: dict[str, str], path: str) -> tuple[str, ...]:
    return f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {login['token']}", f"Accept: {MEDIA_TYPE}", "", ""


def filled(world: Any) -> dict[str, str]:
    """A page of some megabytes; a login."""
    for number in range(2):
        objects = [tool(number * 500 + each, description="x" * 5000) for each in range(500)]
        world.publish("clear", f"OKTT-2026-{number:04d}", *objects)
    login: dict[str, str] = world.join("kvk-1")
    return login


def silent(world: Any, login: dict[str, str], many: int) -> list[socket.socket]:
    """Who sends nothing, who sends half a request, and who reads nothing of a large answer."""
    kinds = [(), ("GET / HT",), get(login, CLEAR)[:3], get(login, CLEAR + "objects/")]
    return [connect(world, *lines) for lines in kinds * many]


def test_many_poll_while_others_read_nothing_or_send_nothing(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, per_minute=0)
    login = filled(world)
    others = silent(world, login, 15)

    async def everybody() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {login['token']}", "Accept": MEDIA_TYPE}
        async with httpx.AsyncClient(base_url=world.url, headers=headers, limits=limits, timeout=60) as client:
            polls = (client.get(CLEAR + "objects/", params={"limit": 20}) for _ in range(CLIENTS))
            return await asyncio.gather(*polls)

    with capture_logs() as logs:
        assert [len(each.json()["objects"]) for each in asyncio.run(everybody())] == [20] * CLIENTS
    assert logs == []
    for connection in others:
        connection.close()


def test_who_sends_nothing_or_does_not_read_is_cut_off(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, protocol=Hasty)
    for connection in silent(world, filled(world), 1):
        with connection:
            assert ended(connection)


@pytest.mark.parametrize("what", ["a head", "a trailer"])
def test_what_does_not_end_is_cut_off(world: Any, serve: Callable[..., Any], what: str) -> None:
    """Of which the parser would keep all in memory; however long we wait for others."""
    serve(world, protocol=Lasting)
    login = world.join("kvk-1")
    chunks = *get(login, ROOT)[1:-2], "Transfer-Encoding: chunked", "", "2", "{}", "0"
    lines = ("GET / HTTP/1.1",) if what == "a head" else (f"POST {CLEAR}objects/ HTTP/1.1", *chunks)
    with connect(world, *lines, "X-Endless: ") as connection:
        try:
            for _ in range(50):
                connection.sendall(b"x" * 100_000)
        except OSError:  # the other side has ended it
            return
        assert ended(connection)


def test_a_body_that_does_not_come_is_refused(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "BODY", 0.2)
    login = served.join("kvk-1")
    head = [f"POST {ROOT}collections/contribute/objects/ HTTP/1.1", "Host: x", f"Content-Type: {MEDIA_TYPE}",
            f"Authorization: Bearer {login['token']}", "Content-Length: 1000", "", "{"]  # fmt: skip
    with connect(served, *head) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    until = time.monotonic() + 240
    while not (rows := told(served, login)) and time.monotonic() < until:
        time.sleep(0.01)
    assert short(rows) == [("POST", "objects", "contribute", 408, "The body took too long", None)]
    assert served.handed_in == []


def test_what_is_refused_early_is_in_the_ledger_too(served: Any) -> None:
    login = served.join("kvk-1")
    with served.client(login) as client:
        large = client.post(f"{ROOT}collections/contribute/objects/", content=b"x" * 11_000_000)
        refused = [client.get("/taxii2/anders/"), client.put(CLEAR), large]
        assert [each.status_code for each in refused] == [404, 405, 413]
        assert all(each.json()["description"] for each in refused)
    assert short(told(served, login)) == [
        ("PUT", "none", None, 405, "Method Not Allowed", None),
        ("GET", "none", None, 404, "Not Found", None),
        ("POST", "objects", None, 413, "Content Too Large", None),
    ]
    for path in ("/taxii2/anders/", f"{ROOT}collections/contribute/objects/"):
        assert httpx.post(served.url + path, content=b"x" * 11_000_000).status_code == 401, "who is it?"
