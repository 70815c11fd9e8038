"""The request ledger, the limits, and answers that say what to do next; over a real socket."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.web.conftest import MARKS
from web import auth, ledger
from web.answers import MEDIA_TYPE
from web.entry import FAILURES
from web.ledger import Asked, Ledger
from web.limits import Buckets

ROOT = "/taxii2/oktt/"
CLEAR = ROOT + "collections/clear/"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def told(world: Any, *credentials: dict[str, str]) -> list[dict[str, Any]]:
    world.app.state.ledger.flush()
    with world.engine.connect() as conn:
        return ledger.last(conn, [each["user"] for each in credentials])


def short(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        tuple(row[name] for name in ("method", "route", "collection", "status", "reason", "objects")) for row in rows
    ]


def test_the_ledger_tells_what_was_asked_and_why_it_was_refused(served: Any) -> None:
    login = served.join("kvk-1")
    tool = {"id": "tool--1", "type": "tool", "name": "x", "modified": "2026-03-01T00:00:00Z"}
    served.publish("clear", "OKTT-2026-0001", tool)
    with served.client(login) as client:
        client.get("/taxii2/")
        client.get(CLEAR + "objects/", params={"match[id]": "geheim--1", "limit": "5"})
        client.get(CLEAR + "objects/")
        client.get(CLEAR + "objects/", params={"limit": "geheim"})
        client.get(ROOT + "collections/geheim/objects/")
        client.get(ROOT, headers={"Accept": "geheim/geheim"})
        post = ROOT + "collections/contribute/objects/"
        client.post(post, json={"objects": [tool, tool]}, headers={"Content-Type": MEDIA_TYPE})
        client.post(post, content=b"geheim", headers={"Content-Type": MEDIA_TYPE})
        client.post(post, content=iter([b"x" * 11_000_000]), headers={"Content-Type": MEDIA_TYPE})
        client.delete(f"{CLEAR}objects/geheim/")
        rows = told(served, login)
        assert short(rows)[::-1] == [
            ("GET", "discovery", None, 200, None, None),
            ("GET", "objects", "clear", 200, None, 0),
            ("GET", "objects", "clear", 200, None, 1),
            ("GET", "objects", "clear", 400, "Bad limit", None),
            ("GET", "objects", None, 404, "No such collection", None),
            ("GET", "api-root", None, 406, "Not acceptable", None),
            ("POST", "objects", "contribute", 202, None, 2),
            ("POST", "objects", "contribute", 422, "Not JSON", None),
            ("POST", "objects", "contribute", 413, "Content Too Large", None),
            ("DELETE", "object", "clear", 403, "Objects cannot be deleted here", None),
        ]
        assert {row["at"] for row in rows} == {NOW}
        own = client.get(ROOT + "requests/").json()["requests"]
        assert [each["status"] for each in own] == [row["status"] for row in rows]
        assert own[0]["at"] == "2026-03-02T08:00:00.000000Z"
    assert "geheim" not in repr(rows)
    with served.client(served.join("kvk-2")) as other:
        assert other.get(ROOT + "requests/").json() == {"requests": []}


@on_sqlite
def test_a_credential_that_ended_is_told_so_and_another_secret_says_nothing(served: Any) -> None:
    login = served.join("kvk-1")
    with served.engine.begin() as conn:
        brief = auth.create(conn, "kvk-1", "taxii", NOW, expires_at=NOW + timedelta(hours=1))
        api = auth.create(conn, "kvk-1", "api", NOW)
        auth.revoke(conn, "kvk-1", NOW, purpose="taxii")
        late = auth.create(conn, "kvk-1", "taxii", NOW, expires_at=NOW)
    expected = {
        "This credential was revoked": [login, brief],
        "This credential has expired": [late],
        "This credential is for api, not for taxii": [api],
        "Credentials are needed": [login | {"password": "anders"}],
    }
    for title, made in expected.items():
        for each in made:
            with served.client(each) as client:
                answer = client.get("/taxii2/")
            assert (answer.status_code, answer.json()["title"]) == (401, title)
            assert "hub" in answer.json()["description"]
            assert "www-authenticate" in answer.headers
    assert short(told(served, login)) == [("GET", "discovery", None, 401, "This credential was revoked", None)]


@on_sqlite
def test_a_mistake_of_ours_is_in_the_ledger_as_one(served: Any) -> None:
    login = served.join("kvk-1")
    served.publish("clear", "OKTT-2026-0001", {"id": "tool--1", "type": "tool", "modified": "2026-03-01T00:00:00Z"})
    served.broken = True
    with served.client(login) as client, capture_logs():
        assert client.get(CLEAR + "objects/").status_code == 500
    assert short(told(served, login)) == [("GET", "objects", "clear", 500, "A mistake of ours", None)]


@on_sqlite
def test_a_body_that_breaks_off_is_told_as_such_and_nothing_of_it_is_taken(served: Any) -> None:
    login = served.join("kvk-1")
    host, port = served.url.removeprefix("http://").split(":")
    head = [
        f"POST {ROOT}collections/contribute/objects/ HTTP/1.1", f"Host: {host}", f"Content-Type: {MEDIA_TYPE}",
        f"Authorization: Bearer {login['token']}", "Content-Length: 1000", "", '{"objects": [',
    ]  # fmt: skip
    with capture_logs() as logs, socket.create_connection((host, int(port))) as connection:
        connection.sendall("\r\n".join(head).encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    until = time.monotonic() + 240
    while not (rows := told(served, login)) and time.monotonic() < until:
        time.sleep(0.01)
    assert short(rows) == [("POST", "objects", "contribute", 400, "The body broke off", None)]
    assert (served.handed_in, logs) == ([], [])


def test_the_last_two_hundred_of_each_stay_until_their_time(engine: sa.Engine) -> None:
    log = Ledger(engine, MARKS)
    for number in range(3):
        for at in range(150):
            with log.noting(Asked(NOW + timedelta(seconds=at), "GET", "objects", "a", objects=number * 150 + at)):
                pass
        with log.noting(Asked(NOW, "GET", "objects", "b")):
            pass
        log.flush()
    with engine.begin() as conn:
        assert [row["objects"] for row in ledger.last(conn, ["a"], 1000)] == list(range(449, 249, -1))
        assert len(ledger.last(conn, ["b"])) == 3
        assert ledger.purge(conn, NOW + timedelta(seconds=1)) == 4
        assert ledger.last(conn, ["b"]) == []


@on_sqlite
def test_a_database_that_is_busy_costs_a_line_and_no_answer(engine: sa.Engine) -> None:
    ledger.requests.drop(engine)
    log = Ledger(engine, MARKS)
    with log.noting(Asked(NOW, "GET", "objects", "a")):
        pass
    with capture_logs() as logs:
        log.flush()
    assert [entry["event"] for entry in logs] == ["requests-not-noted"]


@on_sqlite
def test_one_connection_waits_for_a_long_writer_and_no_more(engine: sa.Engine) -> None:
    log = Ledger(engine, MARKS)
    with engine.begin():  # SQLite: one writer
        for number in range(3):
            with log.noting(Asked(NOW, "GET", "objects", "a", objects=number)):
                pass
            writing = threading.Thread(target=log.flush)
            writing.start()
            while not log._writing.locked():
                time.sleep(0.001)
        assert engine.pool.checkedout() <= 2, "the writer's and one that waits"  # type: ignore[attr-defined]
    log.flush()
    with engine.connect() as conn:
        assert sorted(row["objects"] for row in ledger.last(conn, ["a"])) == [0, 1, 2]


@on_sqlite
def test_who_asks_too_often_waits_and_others_do_not(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, per_minute=6)
    login, other = world.join("kvk-1"), world.join("kvk-2")
    with world.client(login) as client, world.client(other) as else_:
        assert [client.get("/taxii2/").status_code for _ in range(8)] == [200] * 6 + [429] * 2
        answer = client.get("/taxii2/")
        assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("10", MEDIA_TYPE)
        assert "10 s" in answer.json()["description"]
        assert else_.get("/taxii2/").status_code == 200
        world.now += timedelta(seconds=10)
        assert [client.get("/taxii2/").status_code for _ in range(2)] == [200, 429]
    assert short(told(world, login))[0] == ("GET", "discovery", None, 429, "Too many requests", None)


@on_sqlite
def test_failed_log_ins_are_limited_and_hold_up_nobody_who_logs_in(served: Any) -> None:
    login = served.join("kvk-1")
    with served.client() as nobody:
        statuses = [nobody.get("/taxii2/").status_code for _ in range(FAILURES + 2)]
        assert statuses == [401] * FAILURES + [429] * 2
        assert nobody.get("/taxii2/").headers["retry-after"] == "1"
    with served.client(login) as client:
        assert client.get("/taxii2/").status_code == 200


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 120)), max_size=60), st.integers(1, 10))
def test_a_minute_lets_at_most_a_full_bucket_and_its_filling_through(steps: list[tuple[str, int]], limit: int) -> None:
    buckets, now, passed = Buckets(limit), NOW, []
    for key, seconds in steps:
        now += timedelta(seconds=seconds)
        wait = buckets.take(key, now)
        assert 0 <= wait <= 60 / limit
        if not wait:
            passed.append((key, now))
    for key, start in passed:
        minute = [at for other, at in passed if other == key and start <= at < start + timedelta(minutes=1)]
        assert len(minute) <= 2 * limit
    assert not steps or passed[0][1] == NOW + timedelta(seconds=steps[0][1]), "a bucket begins full"


def test_no_limit_is_none_and_what_is_remembered_is_bounded() -> None:
    assert not any(Buckets(0).take("a", NOW) for _ in range(1000))
    buckets = Buckets(1)
    assert not any(buckets.take(str(number), NOW) for number in range(20_000))
    assert len(buckets._left) == 10_000
