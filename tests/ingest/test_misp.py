"""MISP servers and feeds: answers as MISP gives them, over real TLS, with what goes wrong."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ingest import Source, misp
from tests.ingest.misp_server import KEY, START, Event, Misp, event, lay_feed
from tests.ingest.reading import CALM, HASTY, NOW, Pulled, pull, source, whole, words
from tests.ingest.servers import secret_file
from tests.ingest.webserver import Reply, Request, WebServer, web_server


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as started:
        yield started


class Place:
    """A server or a feed, to put events into."""

    def __init__(self, web: WebServer, home: Path, kind: str) -> None:
        self.web, self.kind, self.events = web, kind, dict[str, Event]()
        self.server = Misp(web)
        self.secret = secret_file(home, KEY)

    def put(self, *events: Event) -> None:
        self.events |= {each["Event"]["uuid"]: each for each in events}
        self.server.add(*events)
        lay_feed(self.web, *self.events.values())

    def source(self, *tags: str, **more: object) -> Source:
        url = self.web.url("/" if self.kind == "server" else "/feed/")
        secret = self.secret if self.kind == "server" else None
        return source("misp", url, **{"ca_file": self.web.ca_file, "secret_file": secret, "collections": tags, **more})

    def path(self, each: Event) -> str:
        uuid = each["Event"]["uuid"]
        return f"/events/view/{uuid}" if self.kind == "server" else f"/feed/{uuid}.json"

    def breaks(self, each: Event, reply: Reply | Callable[[Request], Reply]) -> None:
        self.server.faults[self.path(each)] = reply
        if self.kind == "feed":
            self.web[self.path(each)] = reply


@pytest.fixture(params=["server", "feed"])
def place(web: WebServer, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return Place(web, tmp_path, request.param)


def numbers(pulled: Pulled) -> list[int]:
    return [int(json.loads(each.body)["Event"]["info"].split()[1]) for each in pulled.documents]


def test_each_event_is_a_document_the_oldest_first(place: Place) -> None:
    place.put(*(event(number) for number in (3, 1, 2)))
    pulled = whole(place.source())
    assert numbers(pulled) == [1, 2, 3]
    assert json.loads(pulled.bodies[0]) == event(1)
    assert [each.format for each in pulled.documents] == ["misp"] * 3
    assert [each.origin for each in pulled.documents] == ["event 1 of 3", "event 2 of 3", "event 3 of 3"]
    assert pulled.expected == 3
    assert whole(place.source(), pulled.position).documents == []


def test_new_and_edited_events_are_read(place: Place) -> None:
    place.put(*(event(number) for number in range(5)))
    first = whole(place.source())
    place.put(event(9), event(2, START + 50, info="Campaign 2 edited"))
    second = whole(place.source(), first.position)
    assert numbers(second) == [9, 2]
    assert "edited" in json.loads(second.bodies[1])["Event"]["info"]


def test_what_appears_late_under_an_older_time(place: Place) -> None:
    """A feed is filled from elsewhere: newer events may have been read before."""
    place.put(event(5), event(9))
    first = whole(place.source())
    place.put(event(7))
    assert numbers(whole(place.source(), first.position)) == [7]


def test_the_first_poll_goes_back_as_far_as_said(place: Place) -> None:
    days = [int((NOW - timedelta(days=number)).timestamp()) for number in (2, 20, 40)]
    place.put(*(event(number, at) for number, at in enumerate(days)))
    assert numbers(whole(place.source())) == [1, 0]
    assert numbers(whole(place.source(since=timedelta(days=3)))) == [0]
    assert numbers(whole(place.source(since=timedelta(days=400)))) == [2, 1, 0]


def test_tags(place: Place) -> None:
    place.put(event(1, None, "sector:energy"), event(2), event(3, None, "sector:water"))
    assert numbers(whole(place.source("sector:energy", "sector:water"))) == [1, 3]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_event_that_is_listed_and_not_given(place: Place, status: int) -> None:
    place.put(*(event(number) for number in range(3)))
    place.breaks(event(1), Reply(status=status))
    first = whole(place.source())
    assert numbers(first) == [0, 2]
    assert [each.reason for each in first.refused] == [f"it is listed, and not given ({status}); it is asked for again"]
    assert [each.origin for each in first.refused] == ["event 2 of 3"]
    place.server.faults.clear()
    place.put()
    assert numbers(whole(place.source(), first.position)) == [1]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", json.dumps(event(77)).encode(), b'{"Event":{"uuid":1}}'])
def test_an_answer_that_is_not_that_event(place: Place, body: bytes) -> None:
    place.put(*(event(number) for number in range(3)))
    place.breaks(event(1), Reply(body))
    first = whole(place.source())
    assert numbers(first) == [0, 2]
    (refused,) = first.refused  # what is no JSON is no answer of a MISP server
    assert re.search("not what a MISP server gives|not the event that is listed under its id", refused.reason)
    place.server.faults.clear()
    place.put()
    assert sorted(numbers(first) + numbers(whole(place.source(), first.position))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"x" * 1000, fault="stall"), "took too long"),
        (Reply(status=503), "come back later"),
        (Reply(status=429, headers={"Retry-After": "60"}), "come back later"),
    ],
)
def test_a_server_that_dies_in_the_middle(place: Place, reply: Reply, told: str) -> None:
    place.put(*(event(number) for number in range(30)))
    place.breaks(event(25), reply)
    first = pull(place.source(), bounds=HASTY if reply.fault == "stall" else CALM)
    assert told in str(first.error)
    assert numbers(first) == list(range(25))
    place.server.faults.clear()
    place.put()
    assert sorted(numbers(whole(place.source(), first.position))) == list(range(25, 30))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(b"x" * 1000, fault="half"),
        Reply(fault="reset"),
        Reply(b"null"),
        Reply(b"<html>hello</html>"),
        Reply(b'"' + b"x" * 70_000 + b'"'),
        Reply(b'{"Event":{"uuid":"","info":"\\ud800"}}'),
    ],
    ids=["500", "half", "reset", "null", "html", "large", "half a character"],
)
def test_one_event_that_cannot_be_had_does_not_keep_the_others(place: Place, reply: Reply) -> None:
    place.put(*(event(number) for number in range(3)))
    place.breaks(event(1), reply)
    first = whole(place.source(max_bytes=60_000))
    assert numbers(first) == [0, 2]
    assert [(each.origin, each.reason.endswith("it is asked for again")) for each in first.refused] == [
        ("event 2 of 3", True)
    ]
    place.server.faults.clear()
    place.put()
    assert numbers(whole(place.source(), first.position)) == [1]


def test_several_in_a_row_are_the_source_and_are_tried_last_then(place: Place) -> None:
    place.put(*(event(number) for number in range(8)))
    for number in (1, 2, 3):
        place.breaks(event(number), Reply(status=500))
    first = pull(place.source())
    assert "(500)" in str(first.error)
    assert (numbers(first), first.refused) == ([0], [])
    second = pull(place.source(), first.position)
    assert "(500)" in str(second.error)
    assert numbers(second) == [4, 5, 6, 7]
    place.server.faults.clear()
    place.put()
    assert numbers(whole(place.source(), second.position)) == [1, 2, 3]


def test_each_position_covers_what_came_before_it(place: Place) -> None:
    place.put(*(event(number) for number in range(50)))
    pulled = whole(place.source())
    assert len(pulled.positions) == 3
    for position, rest in zip(pulled.positions, (30, 10, 0), strict=True):
        assert numbers(whole(place.source(), position)) == list(range(50 - rest, 50))
    assert all(len(position) < 64 << 10 for position in pulled.positions)


def test_of_very_many_the_oldest_are_forgotten_and_done_with(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misp, "MOST_KNOWN", 10)
    place.put(*(event(number) for number in range(50)))
    first = whole(place.source())
    assert whole(place.source(), first.position).documents == []
    place.put(event(60), event(45, START + 70))
    assert numbers(whole(place.source(), first.position)) == [60, 45]
    for taken, position in zip((20, 40, 50), first.positions, strict=True):  # from the middle nothing is lost
        assert {*numbers(whole(place.source(), position)), *range(taken)} == {*range(50), 60}


def test_what_could_not_be_had_is_not_lost_however_old(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also once all that is as old is done with, and however many there are."""
    monkeypatch.setattr(misp, "MOST_KNOWN", 10)
    monkeypatch.setattr(misp, "AGAIN", 2)
    place.put(*(event(number) for number in range(50)))
    failing = (1, 4, 20, 30)
    for number in failing:
        place.breaks(event(number), Reply(status=404))
    first = whole(place.source())
    assert numbers(first) == [number for number in range(50) if number not in failing]
    second = whole(place.source(), first.position)
    assert len(second.refused) == 4
    assert not set(numbers(second)) & set(
        range(20)
    )  # what was read and is older than the oldest that there is room for
    place.put(*(event(number) for number in range(60, 100)))
    for number in failing:
        place.breaks(event(number), Reply(status=404))
    third = whole(place.source(), second.position)
    assert set(range(60, 100)) <= set(numbers(third))
    assert not set(numbers(third)) & set(range(20))
    place.server.faults.clear()
    place.put()
    assert set(failing) <= set(numbers(whole(place.source(), third.position)))


def test_times_that_lie_ahead_or_are_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misp, "MOST_KNOWN", 2)
    place.put(*(event(number, 99_999_999_999 + number) for number in range(5)))
    first = whole(place.source())
    assert len(first.documents) == 5
    now = int(NOW.timestamp())
    place.put(event(8, now))
    assert 8 in numbers(whole(place.source(), first.position))


def test_an_event_that_vanished(place: Place) -> None:
    place.put(event(1), event(2))
    first = whole(place.source())
    place.events.pop(event(1)["Event"]["uuid"])
    place.server.events.pop(event(1)["Event"]["uuid"])
    place.put()
    second = whole(place.source(), first.position)
    assert (second.documents, second.refused) == ([], [])


@pytest.mark.parametrize("position", ["", "{", "[]", '{"since":"x","read":[]}', '{"since":1}', '{"read":1,"since":2}'])
def test_positions_that_cannot_be_read(place: Place, position: str) -> None:
    place.put(event(1))
    assert numbers(whole(place.source(), position)) == [1]


def test_positions_name_nothing(place: Place) -> None:
    place.put(event(1))
    position = whole(place.source()).position
    assert event(1)["Event"]["uuid"][:8] not in position
    assert "Campaign" not in position


def test_pages_of_a_server(web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misp, "PAGE", 7)
    place = Place(web, tmp_path, "server")
    place.put(*(event(number) for number in range(30)))
    assert numbers(whole(place.source())) == list(range(30))
    assert len(web.asked("/events/restSearch")) == 5
    place.server.ignores_page = True
    assert "the same list of events again and again" in words(place.source())


def test_a_wrong_key(web: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(web, tmp_path, "server")
    place.put(event(1))
    told = words(place.source(secret_file=secret_file(tmp_path, "z" * 40)))
    assert "it does not let us in: check user and secret_file" in told
    assert "z" * 40 not in told + caplog.text


def test_a_key_is_not_sent_without_tls(tmp_path: Path) -> None:
    with web_server(tmp_path, tls=False) as web:
        place = Place(web, tmp_path, "server")
        assert "not sent without TLS" in words(place.source())
        assert web.requests == []


def test_what_is_no_misp(web: WebServer, tmp_path: Path) -> None:
    place = Place(web, tmp_path, "server")
    for answer in (b"<html>hello</html>", b'"x"', b"[" * 100_000, b'{"response":{"a":1}}'):
        place.server.faults = {"/events/restSearch": Reply(answer)}
        assert "check url" in words(place.source())
        place.server.faults = {"/users/view/me": Reply(answer)}
        assert "check url" in words(place.source())
    feed = Place(web, tmp_path, "feed")
    for answer in (b"<html>hello</html>", b"[]", b"{"):
        web["/feed/manifest.json"] = Reply(answer)
        assert "no manifest of a MISP feed" in words(feed.source())
    web["/feed/manifest.json"] = Reply(b'{"../../etc/passwd":{"timestamp":"1771000000"},"x":1,"y":[]}')
    assert whole(feed.source()).order[1:] == []


def test_a_server_below_a_path(web: WebServer, tmp_path: Path) -> None:
    place = Place(web, tmp_path, "server")
    place.put(event(1))
    for path in list(web.routes):
        route = web.routes.pop(path)
        web[f"/misp{path}"] = route
    for url in (web.url("/misp"), web.url("/misp/")):
        read = source("misp", url, ca_file=web.ca_file, secret_file=place.secret)
        assert numbers(whole(read)) == [1]


def test_a_feed_by_the_address_of_its_manifest(web: WebServer, tmp_path: Path) -> None:
    lay_feed(web, event(1))
    for path in ("/feed", "/feed/", "/feed/manifest.json"):
        assert numbers(whole(source("misp", web.url(path), ca_file=web.ca_file))) == [1]


@pytest.mark.corpus
@pytest.mark.parametrize("kind", ["server", "feed"])
def test_real_events(corpus: Path, web: WebServer, tmp_path: Path, kind: str) -> None:
    place = Place(web, tmp_path, kind)
    found: dict[str, Event] = {}
    for file in sorted((corpus / "misp").glob("*/*.json")):
        read = json.loads(file.read_bytes())
        for each in read.get("response", [read]) if isinstance(read, dict) else []:
            whole_event = each.get("Event", {}) if isinstance(each, dict) else {}
            if whole_event.get("uuid"):
                found[whole_event["uuid"]] = {
                    "Event": {"Tag": [], **whole_event, "publish_timestamp": whole_event["timestamp"]}
                }
    assert len(found) > 15
    place.put(*found.values())
    pulled = whole(place.source(since=timedelta(days=20_000)))
    assert {json.loads(each.body)["Event"]["uuid"] for each in pulled.documents} == set(found)
    assert whole(place.source(since=timedelta(days=20_000)), pulled.position).documents == []
