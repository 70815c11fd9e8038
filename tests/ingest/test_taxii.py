"""TAXII 2.1 collections: medallion, OASIS's own server, for real; and servers that page as some do."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ingest import RawDocument, Reached, Source, taxii, taxii_pages
from tests.ingest.reading import CALM, HASTY, NOW, Pulled, made, pull, source, whole, words
from tests.ingest.servers import PASSWORD, USER, medallion, secret_file
from tests.ingest.webserver import Reply, Request, WebServer, web_server

MEDIA = "application/taxii+json;version=2.1"
ROOT = "/api1/"
MARKET, SECOND, SHUT, INBOX = (f"91a7b528-80eb-42ed-a74d-c6fbd5a2611{n}" for n in (6, 7, 8, 9))
OBJECTS = f"{ROOT}collections/{MARKET}/objects/"
FIRST = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)


def indicator(number: int) -> dict[str, Any]:
    moment = "2026-02-20T12:00:00.000Z"
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": moment, "modified": moment, "valid_from": moment, "pattern_type": "stix",
        "pattern": f"[ipv4-addr:value = '198.51.100.{number % 250}']", "name": f"Indicator {number}",
    }  # fmt: skip


def report(number: int, *refs: dict[str, Any]) -> dict[str, Any]:
    moment = "2026-02-20T12:00:00.000Z"
    return {
        "type": "report", "spec_version": "2.1", "id": f"report--00000000-0000-4000-8000-{number:012d}",
        "created": moment, "modified": moment, "published": moment, "name": f"Report {number}",
        "object_refs": [each["id"] for each in refs],
    }  # fmt: skip


INDICATORS = [indicator(number) for number in range(25)]
THINGS = [report(1, *INDICATORS[:20]), *INDICATORS]
"""A report whose indicators come on later pages."""


def collection(identifier: str, title: str, things: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """As medallion's memory backend holds it: each object was added a second after the one before."""
    manifest = [
        {"id": each["id"], "version": each["modified"], "media_type": "application/stix+json;version=2.1",
         "date_added": (FIRST + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        for number, each in enumerate(things)
    ]  # fmt: skip
    return {
        "id": identifier, "title": title, "can_read": True, "can_write": True,
        "media_types": ["application/stix+json;version=2.1"], "manifest": manifest, "objects": things, **more,
    }  # fmt: skip


DATA = {
    "/discovery": {"title": "Test", "default": ROOT, "api_roots": [ROOT]},
    "api1": {
        "information": {"title": "Root", "versions": [MEDIA], "max_content_length": 1 << 20},
        "status": [],
        "collections": [
            collection(MARKET, "Market party", THINGS),
            collection(SECOND, "Second", [indicator(100)], alias="two"),
            collection(SHUT, "Shut", [indicator(200)], can_read=False),
        ],
    },
    "api2": {
        "information": {"title": "What tests add to", "versions": [MEDIA], "max_content_length": 1 << 20},
        "status": [],
        "collections": [collection(INBOX, "Inbox", [])],
    },
}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """medallion, ten objects a page."""
    with medallion(tmp_path_factory.mktemp("taxii"), DATA, page=10) as url:
        yield url


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as started:
        yield started


@pytest.fixture
def server(behind: str, web: WebServer) -> WebServer:
    """TLS before medallion, which has none."""

    def passed_on(request: Request) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name in ("Accept", "Authorization")}
        answer = requests.get(behind + request.path, headers=headers, timeout=60)
        kept = {name: value for name, value in answer.headers.items() if name.startswith(("Content-Type", "X-TAXII"))}
        return Reply(answer.content, answer.status_code, headers=kept)

    roots = ["/taxii2/", ROOT, f"{ROOT}collections/"]
    roots += ["/api2/", "/api2/collections/", f"/api2/collections/{INBOX}/objects/"]
    for each in (MARKET, SECOND, SHUT):
        roots += [f"{ROOT}collections/{each}/", f"{ROOT}collections/{each}/objects/"]
    for path in roots:
        web[path] = passed_on
    return web


def feed(web: WebServer, home: Path, path: str = "/taxii2/", *names: str, **more: Any) -> Source:
    given = {"user": USER, "secret_file": secret_file(home), "ca_file": web.ca_file, "collections": names}
    return source("taxii", web.url(path), **{**given, **more})


def objects(pulled: Pulled) -> list[list[dict[str, Any]]]:
    """What the documents hold."""
    bundles = [json.loads(each.body) for each in pulled.documents]
    assert all(each["type"] == "bundle" for each in bundles)
    return [each["objects"] for each in bundles]


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in found]


def test_a_collection_is_one_document_whatever_its_pages(server: WebServer, tmp_path: Path) -> None:
    pulled = whole(feed(server, tmp_path))
    market, second = objects(pulled)
    assert market == THINGS
    assert second == [indicator(100)]
    assert len(server.asked(OBJECTS)) == 3
    assert [each.format for each in pulled.documents] == ["stix", "stix"]
    assert server.asked(f"{ROOT}collections/{SHUT}/objects/") == []
    assert MARKET not in pulled.position + "".join(each.origin for each in pulled.documents)


def test_what_was_read_is_not_asked_for_again(server: WebServer, tmp_path: Path) -> None:
    first = whole(feed(server, tmp_path))
    assert whole(feed(server, tmp_path), first.position).documents == []
    asked = parse_qs(urlsplit(server.asked(OBJECTS)[-1].path).query)
    assert asked["added_after"] == ["2026-02-20T12:00:25Z"]


def test_only_what_was_added_since(server: WebServer, behind: str, tmp_path: Path) -> None:
    read = feed(server, tmp_path, "/api2/", "Inbox")
    headers = {"Content-Type": MEDIA, "Accept": MEDIA}
    position = ""
    for number in (1, 2):
        url = f"{behind}/api2/collections/{INBOX}/objects/"
        fresh = {"objects": [indicator(300 + number)]}
        assert requests.post(url, json=fresh, auth=(USER, PASSWORD), headers=headers, timeout=60).status_code == 202
        pulled = whole(read, position, datetime.now(UTC) + timedelta(seconds=5))
        # What is younger than a minute is asked for once more, and not given again: the server may still be writing.
        assert objects(pulled) == [fresh["objects"]]
        position = pulled.position
    later = whole(read, position, datetime.now(UTC) + timedelta(seconds=5))
    assert later.documents == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [((MARKET,), 1), (("two",), 1), (("market PARTY", "two"), 2), (("Second", "two"), 1)],
)
def test_collections_by_id_alias_and_title(
    server: WebServer, tmp_path: Path, names: tuple[str, ...], expected: int
) -> None:
    assert len(whole(feed(server, tmp_path, "/taxii2/", *names)).documents) == expected


@pytest.mark.parametrize("path", [ROOT, "/api1", f"{ROOT}collections/{SECOND}/", f"{ROOT}collections/{SECOND}"])
def test_addresses_of_a_root_and_a_collection(server: WebServer, tmp_path: Path, path: str) -> None:
    assert indicator(100) in objects(whole(feed(server, tmp_path, path)))[-1]


def test_names_that_are_not_there_or_not_ours(server: WebServer, tmp_path: Path) -> None:
    assert "has no collection third" in words(feed(server, tmp_path, "/taxii2/", "third"))
    assert "does not let us read collection Shut" in words(feed(server, tmp_path, "/taxii2/", "Shut"))


def test_a_wrong_password(server: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told = words(feed(server, tmp_path, secret_file=secret_file(tmp_path, "not-the-password")))
    assert "does not accept our credentials: check user and secret_file" in told
    assert "not-the-password" not in told + caplog.text


def test_a_connection_that_dies_between_pages(server: WebServer, tmp_path: Path) -> None:
    good = server.routes[OBJECTS]
    assert callable(good)
    asked: list[Request] = []

    def dies(request: Request) -> Reply:
        asked.append(request)
        return Reply(b'{"objects":[', fault="half") if len(asked) == 3 else good(request)

    server[OBJECTS] = dies
    first = pull(feed(server, tmp_path))
    assert "broke off" in str(first.error)
    assert first.documents == []  # half a poll would part the report from its indicators
    server[OBJECTS] = good
    second = whole(feed(server, tmp_path), first.position)
    assert objects(second)[0] == THINGS
    assert whole(feed(server, tmp_path)).keys == second.keys


class Scripted:
    """A collection whose server pages in a way of its own."""

    def __init__(self, things: list[tuple[datetime, dict[str, Any]]], page: int = 10, **ways: bool) -> None:
        self.things, self.page, self.ways = things, page, ways
        self.at = NOW
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        assert len(self.asked) < 500, "it would never end"
        after = datetime.fromisoformat(query["added_after"]) if "added_after" in query else FIRST.replace(year=1)
        found = [each for each in self.things if each[0] > after]
        start = 0 if self.ways.get("ignores_next") else int(query.get("next", "0"))
        given = found[start : start + self.page]
        more = start + self.page < len(found) or self.ways.get("never_ends", False)
        envelope: dict[str, Any] = {"more": more}
        if given:
            envelope["objects"] = [each for _, each in given]
        if more and not self.ways.get("no_next"):
            envelope["next"] = str(start + self.page)
        headers = {"Content-Type": MEDIA}
        if given and not self.ways.get("untimed"):
            headers["X-TAXII-Date-Added-First"] = self.moment(given[0][0])
            headers["X-TAXII-Date-Added-Last"] = self.moment(given[-1][0])
        if self.at:
            headers["Date"] = self.at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Reply(json.dumps(envelope).encode(), headers=headers)

    def moment(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def every(seconds: float, count: int = 25) -> list[tuple[datetime, dict[str, Any]]]:
    return [(FIRST + timedelta(seconds=seconds * number), indicator(number)) for number in range(count)]


@pytest.fixture
def scripted(web: WebServer, tmp_path: Path) -> Callable[..., tuple[Scripted, Source]]:
    def start(*args: Any, **ways: Any) -> tuple[Scripted, Source]:
        script = Scripted(*args, **ways)
        path = f"{ROOT}collections/{MARKET}/"
        about = {"id": MARKET, "title": "Market", "can_read": True, "can_write": False}
        web[path] = Reply(json.dumps(about).encode(), headers={"Content-Type": MEDIA})
        web[OBJECTS] = script
        return script, feed(web, tmp_path, path)

    return start


Start = Callable[..., tuple[Scripted, Source]]


def given(pulled: Pulled) -> set[str]:
    return {each["id"] for found in objects(pulled) for each in found}


ALL = {each["id"] for each in INDICATORS}


@pytest.mark.parametrize("ways", [{}, {"ignores_next": True}, {"no_next": True}])
def test_servers_that_give_next_ignore_it_or_have_none(scripted: Start, ways: dict[str, bool]) -> None:
    _, read = scripted(every(1), **ways)
    pulled = whole(read)
    assert len(pulled.documents) == 1
    assert objects(pulled)[0] == INDICATORS
    assert whole(read, pulled.position).documents == []


@pytest.mark.parametrize("ways", [{}, {"ignores_next": True}, {"no_next": True}])
def test_times_that_repeat_across_pages(scripted: Start, ways: dict[str, bool]) -> None:
    """Seven objects to each second, ten on a page: seconds lie across pages."""
    things = [(FIRST + timedelta(seconds=number // 7), each) for number, each in enumerate(INDICATORS)]
    _, read = scripted(things, **ways)
    assert given(whole(read)) == ALL


def test_more_of_one_moment_than_a_page_holds(scripted: Start) -> None:
    """Without `next` there is no way to the rest: it is told, and what there was is given."""
    script, read = scripted([(FIRST, each) for each in INDICATORS], ignores_next=True)
    pulled = pull(read)
    assert "gives the same page again and again" in str(pulled.error)
    assert objects(pulled)[0] == INDICATORS[:10]
    assert len(script.asked) < 6
    again = pull(read, pulled.position)  # and it is not taken for read
    assert "gives the same page again and again" in str(again.error)
    assert (again.documents, again.position) == ([], pulled.position)


def test_a_server_that_never_ends(scripted: Start) -> None:
    script, read = scripted(every(1), never_ends=True)
    pulled = pull(read)
    assert "gives empty pages" in str(pulled.error)
    assert given(pulled) == ALL
    assert len(script.asked) < 12


def test_a_server_without_times_that_repeats_its_pages(scripted: Start) -> None:
    _, read = scripted(every(1), ignores_next=True, untimed=True)
    pulled = pull(read)
    assert "gives the same page" in str(pulled.error)
    assert objects(pulled)[0] == INDICATORS[:10]
    assert pulled.position == ""


def test_too_many_pages_are_gone_on_with(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taxii_pages, "MOST_PAGES", 2)
    _, read = scripted(every(1))
    first = pull(read)
    assert "more than 2 pages" in str(first.error)
    second = pull(read, first.position)
    assert second.error is None
    assert given(first) | given(second) == ALL
    assert len(given(first) & given(second)) <= 1


def test_a_server_without_times(scripted: Start) -> None:
    script, read = scripted(every(1), untimed=True)
    first = whole(read)
    assert given(first) == ALL
    script.things = []
    whole(read, first.position)
    assert script.asked[-1]["added_after"] == "2026-03-02T07:50:00Z"  # ten minutes before we asked


def test_what_is_added_late_or_at_the_same_second(scripted: Start) -> None:
    """A server that counts whole seconds adds more to one that was read already."""
    second = NOW - timedelta(seconds=2)
    script, read = scripted([(second, each) for each in INDICATORS[:3]])
    first = whole(read)
    script.things += [(second, each) for each in INDICATORS[3:5]]
    assert given(whole(read, first.position)) == set(ids(INDICATORS[3:5]))


def test_the_newest_minute_is_given_once(scripted: Start) -> None:
    script, read = scripted([(NOW - timedelta(seconds=90 - 40 * number), indicator(number)) for number in (1, 2)])
    first = whole(read)
    second = whole(read, first.position)
    assert second.documents == []
    script.things.append((NOW, indicator(3)))
    third = whole(read, second.position)
    assert objects(third) == [[indicator(3)]]
    assert "indicator" not in third.position
    changed = {**indicator(3), "modified": "2026-03-02T08:00:00.000Z"}
    script.things[-1] = (NOW, changed)
    assert objects(whole(read, third.position)) == [[changed]]


def test_what_belongs_to_what_is_new_is_given_with_it(scripted: Start) -> None:
    """A report whose last indicator came later has all of them."""
    one, two, three, other = (indicator(number) for number in (1, 2, 3, 4))
    script, read = scripted([(NOW, each) for each in (report(1, one, two, three), one, two, other)])
    first = whole(read)
    script.things.append((NOW, three))
    assert objects(whole(read, first.position)) == [[report(1, one, two, three), one, two, three]]


def test_positions_of_before(scripted: Start) -> None:
    script, read = scripted(every(1))
    (name,) = json.loads(whole(read).position)
    assert given(whole(read, json.dumps({name: "2026-02-20T12:00:20Z"}))) == set(ids(INDICATORS[21:]))
    assert script.asked[-1]["added_after"] == "2026-02-20T12:00:20Z"


def test_a_server_whose_times_lie_in_the_future(scripted: Start) -> None:
    script, read = scripted([(NOW + timedelta(days=9000), INDICATORS[0])])
    script.at = NOW + timedelta(days=9001)
    first = whole(read)
    script.things.append((NOW + timedelta(hours=1), INDICATORS[1]))
    assert given(whole(read, first.position)) == set(ids(INDICATORS[1:2]))


def test_very_much_is_cut_at_pages(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taxii, "MOST_BYTES", 4000)
    _, read = scripted(every(1))
    pulled = whole(read)
    assert [len(each) for each in objects(pulled)] == [10, 10, 5]
    order = [type(each) for each in pulled.order]
    assert order == [RawDocument, Reached] * 3
    for taken, position in enumerate(pulled.positions, start=1):
        assert given(whole(read, position)) == ALL - {each["id"] for found in objects(pulled)[:taken] for each in found}


def test_one_collection_that_fails_costs_the_others_nothing(server: WebServer, tmp_path: Path) -> None:
    server[OBJECTS] = Reply(status=403)
    pulled = pull(feed(server, tmp_path))
    assert objects(pulled) == [[indicator(100)]]
    assert "(403)" in str(pulled.error)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"<html>", headers={"Content-Type": "text/html"}), "not TAXII 2.1: check url"),
        (Reply(b"{", headers={"Content-Type": MEDIA}), "not TAXII 2.1"),
        (Reply(b"[]", headers={"Content-Type": MEDIA}), "not TAXII 2.1"),
        (Reply(b"[" * 100_000, headers={"Content-Type": MEDIA}), "not TAXII 2.1"),
        (Reply(b"{}"), "not TAXII 2.1"),
        (Reply(b'{"objects":{}}', headers={"Content-Type": MEDIA}), "no envelope of TAXII 2.1"),
        (Reply(status=429, headers={"Retry-After": "90"}), "come back later"),
        (Reply(fault="drip-headers"), "took too long"),
    ],
    ids=["html", "half", "list", "deep", "untyped", "envelope", "429", "drip"],
)
def test_answers_that_are_none(scripted: Start, web: WebServer, reply: Reply, told: str) -> None:
    _, read = scripted(every(1))
    web[OBJECTS] = reply
    pulled = pull(read, bounds=HASTY if reply.fault else CALM)
    assert told in str(pulled.error)
    assert pulled.documents == []
    assert pulled.error is not None
    assert pulled.error.retry_after == (timedelta(seconds=90) if reply.status == 429 else None)


def test_objects_that_are_none_are_left_to_the_door(scripted: Start, web: WebServer) -> None:
    _, read = scripted(every(1))
    odd = b'{"objects":[1,{"a":123456789012345678901234567890},{"b":"\\ud800"},{"type":"indicator"}]}'
    web[OBJECTS] = Reply(odd, headers={"Content-Type": MEDIA})
    (document,) = whole(read).documents
    assert len(json.loads(document.body)["objects"]) == 4


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("more", [False, True])
def test_times_that_cannot_be_are_none(server: WebServer, tmp_path: Path, moment: str, more: bool) -> None:
    """Of one collection; the others are read all the same."""
    headers = {"Content-Type": MEDIA, "X-TAXII-Date-Added-First": moment, "X-TAXII-Date-Added-Last": moment}
    server[OBJECTS] = Reply(json.dumps({"more": more, "objects": INDICATORS}).encode(), headers=headers)
    pulled = pull(feed(server, tmp_path))
    assert objects(pulled) == [INDICATORS, [indicator(100)]]
    assert bool(pulled.error) == more


@pytest.mark.parametrize("position", ["", "{", "[]", '{"x":1}', '{"x":"yesterday"}'])
def test_positions_that_cannot_be_read(scripted: Start, position: str) -> None:
    _, read = scripted(every(1))
    assert given(whole(read, position)) == ALL


def test_documents_are_given_before_their_position(scripted: Start) -> None:
    _, read = scripted(every(1))
    reading = made(read).read("")
    assert isinstance(next(reading), RawDocument)
    assert isinstance(next(reading), Reached)
