"""What holds for every request; the feed, health and metrics."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app import database
from dispatch import DispatchError, atom
from dispatch.atom import Entry
from tlp import Label
from web.feed import render

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def show(world: Any, view: Any) -> bool:
    with world.engine.begin() as conn:
        return atom.put(conn, view, world.now)


def test_the_feed_is_atom_and_tells_what_everybody_may_know(served: Any, make_view: Callable[..., Any]) -> None:
    assert show(served, make_view("clear", "OKTT-2026-0001", title="Lek in <FortiOS> & meer", cves=("CVE-2026-1",)))
    served.now += timedelta(minutes=5)
    assert show(served, make_view("clear", "OKTT-2026-0002", title="Tweede", summary="Wat te doen\x00"))
    answer = httpx.get(f"{served.url}/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = feedparser.parse(answer.content)
    assert (feed.bozo, feed.version) == (False, "atom10")
    assert feed.feed.updated == "2026-03-02T08:05:00Z"
    assert [entry.title for entry in feed.entries] == [
        "Tweede (OKTT-2026-0002)", "Lek in <FortiOS> & meer (OKTT-2026-0001)",
    ]  # fmt: skip
    second, first = feed.entries
    assert first.id.startswith("urn:uuid:")
    assert first.id != second.id
    assert first.content[0].value == "Samenvatting"
    assert {(tag.scheme, tag.term) for tag in first.tags} >= {
        ("urn:x-oktt:tlp", "CLEAR"),
        ("urn:x-oktt:cve", "CVE-2026-1"),
    }


def test_an_entry_changes_only_with_its_item_and_keeps_its_place_when_withdrawn(
    served: Any, make_view: Callable[..., Any]
) -> None:
    shown = make_view("clear", "OKTT-2026-0001", title="Geheim")
    assert show(served, shown)
    before = feedparser.parse(httpx.get(f"{served.url}/feed.atom").content).entries[0]
    served.now += timedelta(minutes=5)
    assert not show(served, shown)
    with served.engine.begin() as conn:
        assert atom.withdraw(conn, "OKTT-2026-0001", served.now)
        assert not atom.withdraw(conn, "OKTT-2026-0001", served.now)
    served.forbidden.add(("public", "OKTT-2026-0001"))
    answer = httpx.get(f"{served.url}/feed.atom")
    [after] = feedparser.parse(answer.content).entries
    assert (after.id, after.title) == (before.id, "INGETROKKEN: OKTT-2026-0001")
    assert (after.published, after.updated) == (before.published, "2026-03-02T08:05:00Z")
    assert "Geheim" not in answer.text
    with served.engine.begin() as conn:
        assert atom.purge(conn, served.now) == 0
        assert atom.purge(conn, served.now + timedelta(days=1)) == 1


def test_what_the_public_may_no_longer_see_leaves_the_feed(served: Any, make_view: Callable[..., Any]) -> None:
    show(served, make_view("clear", "OKTT-2026-0001"))
    served.forbidden.add(("public", "OKTT-2026-0001"))
    assert feedparser.parse(httpx.get(f"{served.url}/feed.atom").content).entries == []


@pytest.mark.parametrize(("reader", "label"), [("clear", Label.GREEN), ("kvk-1", Label.CLEAR)])
def test_only_views_for_the_public_enter_the_feed(
    connection: sa.Connection, make_view: Callable[..., Any], reader: str, label: Label
) -> None:
    with pytest.raises(DispatchError):
        atom.put(connection, make_view(reader, "OKTT-2026-0001", label=label), make_view("clear", "x").received_at)


@on_sqlite
def test_a_feed_that_did_not_change_is_not_sent_again(served: Any, make_view: Callable[..., Any]) -> None:
    show(served, make_view("clear", "OKTT-2026-0001"))
    url = f"{served.url}/feed.atom"
    first = httpx.get(url)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"If-None-Match": etag}, {"If-None-Match": f'"x", W/{etag}'}, {"If-None-Match": "*"},
        {"If-Modified-Since": modified},
    ):  # fmt: skip
        again = httpx.get(url, headers=headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    for headers in (
        {"If-None-Match": '"x"', "If-Modified-Since": modified}, {"If-Modified-Since": "ooit"},
        {"If-Modified-Since": "Sun, 01 Mar 2026 00:00:00 GMT"},
    ):  # fmt: skip
        assert httpx.get(url, headers=headers).status_code == 200
    served.now += timedelta(seconds=1)
    show(served, make_view("clear", "OKTT-2026-0002"))
    assert httpx.get(url, headers={"If-None-Match": etag}).status_code == 200
    assert httpx.get(url, headers={"If-Modified-Since": modified}).status_code == 200


@given(title=st.text(), summary=st.text(), term=st.text(), now=st.datetimes(timezones=st.timezones()))
def test_whatever_a_view_says_the_feed_is_xml(title: str, summary: str, term: str, now: Any) -> None:
    entry = Entry("OKTT-2026-0001", title, summary, (("cve", term),), frozenset(), now, now, withdrawn=False)
    root = ET.fromstring(render([entry], "OKTT"))
    assert len(root.findall("{http://www.w3.org/2005/Atom}entry")) == 1


def test_health_and_readiness(served: Any) -> None:
    assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{served.url}/readyz")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": "ok", "migrations": "ok"})
    served.stale = True
    with capture_logs() as logs:
        answer = httpx.get(f"{served.url}/readyz")
    assert (answer.status_code, answer.json()["checks"]["migrations"]) == (503, "not current")
    assert "geheime" not in answer.text + repr(logs)
    assert httpx.get(f"{served.url}/healthz").status_code == 200


@on_sqlite
def test_a_database_that_is_gone_is_not_ready(world: Any, serve: Callable[..., Any], tmp_path: Path) -> None:
    gone = database.connect(f"sqlite:///{tmp_path / 'weg' / 'oktt.db'}")
    world.engine.dispose()
    world.engine = gone
    serve(world)
    answer = httpx.get(f"{world.url}/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "unreachable")
    assert str(tmp_path) not in answer.text


@on_sqlite
def test_metrics_count_by_route_and_never_by_path(served: Any) -> None:
    login = served.join("kvk-geheim")
    with served.client(login) as client:
        client.get("/taxii2/oktt/collections/kvk-geheim/")
        client.get("/nergens/geheim")
    text = httpx.get(f"{served.url}/metrics").text
    assert 'route="/taxii2/oktt/collections/{collection}/",status="200"} 1.0' in text
    assert 'route="none",status="404"} 1.0' in text
    assert "geheim" not in text


@on_sqlite
def test_an_error_inside_says_nothing_and_the_server_goes_on(served: Any) -> None:
    login = served.join("kvk-1")
    served.publish("clear", "OKTT-2026-0001", {"id": "tool--1", "type": "tool", "modified": "2026-03-01T00:00:00Z"})
    served.broken = True
    path = "/taxii2/oktt/collections/clear/objects/"
    with served.client(login) as client, capture_logs() as logs:
        answer = client.get(path)
        assert answer.status_code == 500
        assert answer.json()["http_status"] == "500"
        assert "geheim" not in answer.text + repr(logs)
        assert [entry["event"] for entry in logs] == ["request-failed"]
        served.broken = False
        assert client.get(path).status_code == 200


@on_sqlite
def test_no_pages_leak_and_every_answer_is_dressed(served: Any) -> None:
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/console/", "/%00", "/taxii2x", "/feed.atom/"):
        answer = httpx.get(served.url + path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("application/")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
    assert httpx.get(f"{served.url}/nergens").json() == {"error": "Not Found"}
    seen = httpx.get(f"{served.url}/nergens", headers={"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"})
    assert (seen.status_code, "This link does not work" in seen.text) == (404, True)
    assert httpx.post(f"{served.url}/healthz").status_code == 405


@on_sqlite
def test_a_body_that_is_too_large_is_not_read(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, max_content_length=1000)
    path, body = "/taxii2/oktt/collections/clear/objects/", b"x" * 1001
    assert httpx.post(f"{world.url}/nergens", content=body).status_code == 413
    assert httpx.post(world.url + path, content=body).status_code == 401
    login = world.join("kvk-1")
    with world.client(login) as client:
        assert client.post(path, content=body).status_code == 413
        assert client.get("/taxii2/oktt/").json()["max_content_length"] == 1000
