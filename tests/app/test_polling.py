"""Live sources from end to end: `oktt poll` and `oktt run` against a real TLS server, killed and failing."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import httpx
import pytest

from app import polling
from app.service import open_service
from normalize import Draft
from pii_guard.guard import Guard
from tests.app.forks import KILLED, Forks
from tests.app.instance import MONDAY, OKTT, PEOPLE, WEEK, copied, done, make, oktt
from tests.app.servers import started, wait_for
from tests.app.state import state
from tests.ingest.providers import METADATA, CsafProvider
from tests.ingest.webserver import Reply, WebServer, web_server
from triage import documents

KEV = (WEEK / "1-monday/kev/known_exploited_vulnerabilities.json").read_bytes()
NCSC = {f"2026/{path.name}": path.read_bytes() for path in sorted(WEEK.glob("*/ncsc-nl/*.json"))}
"""Six advisories; of those with several versions the last."""
PUBLIC = 'tlp = "CLEAR"\npublic = true\nlanguage = "nl"\n'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as begun:
        yield begun


def instance(folder: Path, server: WebServer, tables: dict[str, str], settings: str = "") -> Path:
    """An instance with live sources: id -> kind and path of the url, and more lines."""
    made = make(folder, settings=settings, people=PEOPLE)
    text = ""
    for name, lines in tables.items():
        kind, _, rest = lines.partition(" ")
        path, _, more = rest.partition("\n")
        address = (
            f'kind = "{kind}"\nurl = "{server.url(path)}"\nca_file = "{server.ca_file}"\nprivate = ["127.0.0.1"]\n'
        )
        text += f'[source.{name}]\nname = "{name}"\n{PUBLIC}{address}{more}\n'
    (made / "sources.toml").write_text(text)
    return made


def moved(folder: Path, source: str, server: WebServer, other: WebServer) -> None:
    """The last source of the file lies on another host."""
    before, head, after = (folder / "sources.toml").read_text().partition(f"[source.{source}]")
    after = after.replace(server.url(), other.url()).replace(str(server.ca_file), str(other.ca_file))
    (folder / "sources.toml").write_text(before + head + after)


def a_provider(server: WebServer) -> CsafProvider:
    provider = CsafProvider(server)
    for number, (path, body) in enumerate(NCSC.items()):
        provider.publish(path, body, f"2026-03-01T{number:02}:00:00Z")
    provider.list_them()
    return provider


def standing(folder: Path, now: str = MONDAY) -> dict[str, dict[str, object]]:
    return {row["source"]: row for row in done(folder, "sources", "--json", now=now).rows}


def test_what_is_due_is_read_and_remembered(tmp_path: Path, server: WebServer) -> None:
    server["/kev.json"] = Reply(KEV, etag='"1"')
    a_provider(server)
    folder = instance(tmp_path / "i", server, {"kev": "http /kev.json", "ncsc-nl": f"csaf {METADATA}\nevery = '30m'"})
    first = done(folder, "poll", "--json").row
    assert first["documents"] == 1 + len(NCSC)
    assert first["refused"] == 0
    assert {row["source"]: (row["documents"], row["error"]) for row in first["sources"]} == {
        "kev": (1, None), "ncsc-nl": (len(NCSC), None),
    }  # fmt: skip
    found = standing(folder)
    assert found["kev"]["last_success"] == "2026-03-02T08:00:00Z"
    assert (found["kev"]["due_at"], found["ncsc-nl"]["due_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T08:30:00Z")
    assert [found[name]["documents"] for name in ("kev", "ncsc-nl")] == [1, len(NCSC)]
    assert all(found[name]["items"] for name in ("kev", "ncsc-nl"))
    assert found["ncsc-nl"]["lateness"]["received"]["count"] > 0  # type: ignore[index, call-overload]
    assert "position" not in found["kev"]
    server.requests.clear()
    again = done(folder, "poll", "--json").row
    assert (again["documents"], again["sources"], server.requests) == (0, [], [])
    assert "No live source is due" in done(folder, "poll").out
    named = done(folder, "poll", "kev", "--json").row
    assert (named["documents"], named["sources"][0]["source"]) == (0, "kev")
    assert [each.headers["If-None-Match"] for each in server.requests] == ['"1"']
    later = done(folder, "poll", "--json", now="2026-03-02T08:45:00Z").row
    assert [row["source"] for row in later["sources"]] == ["ncsc-nl"]


def test_a_feed_that_dies_costs_lateness_alone(tmp_path: Path, server: WebServer) -> None:
    server["/kev.json"] = Reply(status=429, headers={"Retry-After": "7200"})
    server["/news.xml"] = Reply(KEV, fault="half")
    server["/good.json"] = Reply(KEV)
    tables = {"kev": "http /kev.json", "news": "http /news.xml", "good": "http /good.json"}
    folder = instance(tmp_path / "i", server, tables)
    ran = done(folder, "poll")
    assert "kev: it asks us to come back later (429)" in ran.out
    assert "news: the connection broke off" in ran.out
    assert "good: read to its end" in ran.out
    found = standing(folder)
    assert found["good"]["error"] is None
    assert found["kev"]["due_at"] == "2026-03-02T10:00:00Z", "as long as it asks"
    assert "2026-03-02T08:00:15" <= str(found["news"]["due_at"]) <= "2026-03-02T08:00:30Z", "jitter"
    assert (found["news"]["last_success"], found["news"]["failures"]) == (None, 1)
    server["/news.xml"] = Reply(KEV)
    done(folder, "poll", now="2026-03-02T08:01:00Z")
    found = standing(folder)
    assert (found["news"]["error"], found["news"]["failures"]) == (None, 0)
    assert found["kev"]["failures"] == 1, "it was not asked"


def test_what_cannot_be_polled_is_said(tmp_path: Path, server: WebServer) -> None:
    folder = instance(tmp_path / "i", server, {"kev": "http /kev.json"})
    with (folder / "sources.toml").open("a") as file:
        file.write('[source.market]\nname = "Market"\n')
    for name, words in (("nobody", "no source of that id"), ("market", "its kind is files")):
        ran = oktt(folder, "poll", "kev", name)
        assert ran.code == 1
        assert words in ran.err
    assert not server.requests
    assert standing(folder)["market"]["due_at"] is None


def test_waiting_grows_and_has_a_bound(tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server["/kev.json"] = Reply(status=500)
    folder = instance(tmp_path / "i", server, {"kev": "http /kev.json"})
    monkeypatch.setenv("OKTT_NOW", MONDAY)
    service = open_service(folder)
    waits: list[str] = []
    for _ in range(9):
        with polling.Poller(service, rng=Random(1)) as poller:
            poller.start(polling.live(service, ["kev"]))
            (ended,) = poller.work()
        assert ended.error == "kev: its server has an error of its own: later polls try again (500)"
        waits.append(str(standing(folder)["kev"]["due_at"]))
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2], "an hour at most"
    assert "2026-03-02T08:30:00Z" <= waits[-1] <= "2026-03-02T09:00:00Z"


def test_a_slow_host_keeps_no_other_waiting_and_is_not_asked_twice(tmp_path: Path, server: WebServer) -> None:
    """Sources of one host are read one after another; those of others at the same time."""
    busy, most = [0], [0]

    def slow(request: object) -> Reply:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        time.sleep(0.3)
        busy[0] -= 1
        return Reply(KEV)

    stall = threading.Event()

    def stalled(request: object) -> Reply:
        stall.wait(60)
        return Reply(KEV)

    with web_server(tmp_path, "127.0.0.1") as other:
        other["/c.json"] = stalled
        server["/a.json"], server["/b.json"] = slow, slow
        folder = instance(tmp_path / "i", server, {"a": "http /a.json", "b": "http /b.json", "c": "http /c.json"})
        moved(folder, "c", server, other)
        service = open_service(folder)
        with polling.Poller(service) as poller:
            poller.start(polling.due(service))
            ended = poller.work(3)
            assert {each.source for each in ended} == {"a", "b"}
            assert most == [1]
            stall.set()
            assert [each.source for each in poller.work()] == ["c"]


@pytest.mark.parametrize("kind", ["http", "csaf"])
def test_killed_at_a_commit_and_started_again(tmp_path: Path, server: WebServer, forks: Forks, kind: str) -> None:
    """kill -9 of a real process around every commit: nothing is lost and nothing comes twice."""
    server["/kev.json"] = Reply(KEV, etag='"1"')
    a_provider(server).list_them(sorted(NCSC)[:3])
    table = {"http": "http /kev.json", "csaf": f"csaf {METADATA}"}[kind]
    begin = instance(tmp_path / "begin", server, {"feed": table})
    whole = copied(begin, tmp_path / "whole")
    done(whole, "poll")
    done(whole, "poll", "feed")
    expected = state(whole)
    for number in range(1, 100):
        folder = copied(begin, tmp_path / str(number))
        code, _ = forks.run(folder, ["poll"], number=number, when=("after", "before")[number % 2])
        assert code in (0, KILLED)
        done(folder, "poll")
        done(folder, "poll", "feed")
        assert expected.differences(state(folder)) == []
        if code == 0:
            break
    assert number > 4


def test_killed_while_a_document_drips(tmp_path: Path, server: WebServer) -> None:
    """In the middle of the third of six advisories."""
    provider = a_provider(server)
    path = sorted(provider.times, key=lambda each: provider.times[each])[2]
    good = server.routes[f"/csaf/{path}"]
    server[f"/csaf/{path}"] = Reply(NCSC[path], fault="drip")
    begin = instance(tmp_path / "i", server, {"feed": f"csaf {METADATA}"})
    whole = copied(begin, tmp_path / "whole")
    process = subprocess.Popen(
        [OKTT, "--dir", begin, "poll"], env={**os.environ, "OKTT_NOW": MONDAY}, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: server.asked(f"/csaf/{path}"))
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    server[f"/csaf/{path}"] = good
    done(begin, "poll")
    done(whole, "poll")
    assert len(done(begin, "items", "--json").rows) > 2
    assert state(whole).differences(state(begin)) == []


def test_a_mistake_of_ours_is_told_as_that(tmp_path: Path, server: WebServer) -> None:
    """A reader that raises what it should not ends that poll, and no other."""
    server["/good.json"] = Reply(KEV)
    folder = instance(tmp_path / "i", server, {"good": "http /good.json", "odd": "http /odd.json"})
    service = open_service(folder)
    broken = service.settings.sources["odd"]
    object.__setattr__(broken.feed, "max_bytes", "many")
    server["/odd.json"] = Reply(b"{}")
    with polling.Poller(service) as poller:
        poller.start(polling.due(service))
        ended = {each.source: each.error for each in poller.work()}
    assert ended["good"] == ""
    assert "TypeError at ingest/" in ended["odd"]
    assert "a mistake of ours" in ended["odd"]


class Stumbling:
    """A guard with a mistake in it, for one document."""

    def __init__(self, guard: Guard, title: str) -> None:
        self.guard, self.title = guard, title

    def admit(self, draft: Draft, *more: Any) -> Any:
        if self.title in draft.title:
            raise ValueError("piet@voorbeeld.example")
        return self.guard.admit(draft, *more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.guard, name)


def test_a_document_that_we_cannot_read_is_given_again_until_we_can(
    tmp_path: Path, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is the mistake: no position moves past it, its refusal does not pile up, and the others come in."""
    provider = a_provider(server)
    folder = instance(tmp_path / "i", server, {"feed": f"csaf {METADATA}"})
    monkeypatch.setenv("OKTT_NOW", MONDAY)
    service = open_service(folder)
    path = sorted(provider.times)[2]
    title = json.loads(NCSC[path])["document"]["title"]
    stumbling = replace(service, guard=cast(Guard, Stumbling(service.guard, title)))
    for number in range(3):
        with polling.Poller(stumbling) as poller:
            poller.start(polling.live(service, ["feed"]))
            (ended,) = poller.work()
        assert ended.tally.documents == len(NCSC)
        assert ended.tally.refused == 1
        assert ended.tally.effects["new"] == (len(NCSC) - 1 if not number else 0)
        assert "ValueError at tests/" in ended.error
        assert "a mistake of ours" in ended.error
        assert "piet" not in ended.error
    with service.reading() as connection:
        assert len(list(documents.refused(connection))) == 1
    with polling.Poller(service) as poller:
        poller.start(polling.live(service, ["feed"]))
        (ended,) = poller.work()
    assert (ended.error, ended.tally.effects["new"], ended.tally.refused) == ("", 1, 0)
    with service.reading() as connection:
        assert list(documents.refused(connection)) == []


def test_run_reads_what_is_due_beside_all_else(tmp_path: Path, server: WebServer) -> None:
    """A feed that stalls keeps neither the other feeds nor the messages waiting; Ctrl-C ends it at once."""
    a_provider(server)
    tables = {"ncsc-nl": f"csaf {METADATA}\nevery = '1s'", "kev": "http /kev.json"}
    with web_server(tmp_path, "127.0.0.1") as other:
        other["/kev.json"] = Reply(KEV, fault="stall")
        folder = instance(tmp_path / "i", server, tables, settings="[desk]\nundo_minutes = 0\n")
        moved(folder, "kev", server, other)
        with started(folder, "run", "--port", "0", OKTT_NOW=MONDAY) as process:
            wait_for(lambda: list((folder / "outbox").glob("*.eml")))
            metrics = httpx.get(f"{process.url}/metrics").text
            assert 'oktt_polls_total{outcome="read",source="ncsc-nl"} 1.0' in metrics
            assert 'oktt_source_last_success_timestamp_seconds{source="ncsc-nl"}' in metrics
            assert 'oktt_lateness_seconds_count{leg="received"}' in metrics
            before = time.monotonic()
            assert process.end(signal.SIGTERM) == 0
            assert time.monotonic() - before < 20
            assert "Traceback" not in process.log.read_text()
    events = [json.loads(line) for line in (folder.with_suffix(".log")).read_text().splitlines()]
    assert not [each for each in events if each["event"] == "worker"]


def test_backoff_is_forgotten_where_it_got_somewhere(tmp_path: Path, server: WebServer) -> None:
    """A long pull that breaks off now and then is not left alone for an hour."""
    provider = CsafProvider(server)
    for number, body in enumerate(NCSC.values()):
        provider.publish(f"2026/{number}.json", body, f"2026-03-01T{number:02}:00:00Z")
    provider.list_them()
    last = sorted(provider.times)[-3:]
    for path in last:
        server[f"/csaf/{path}"] = Reply(status=500)
    folder = instance(tmp_path / "i", server, {"feed": f"csaf {METADATA}"})
    for minute in (0, 1, 2):
        done(folder, "poll", now=f"2026-03-02T08:0{minute}:00Z")
    assert standing(folder)["feed"]["failures"] == 1
