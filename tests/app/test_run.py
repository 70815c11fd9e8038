"""`oktt run`: what lies in a source's folder goes through the door, is released by rule and sent; real process."""

import json
import signal
from pathlib import Path

import httpx

from tests.app.instance import MONDAY, PEOPLE, WEEK, done, make
from tests.app.servers import started, wait_for
from tests.app.state import state

SOURCES = """[source.ncsc-nl]
name = "NCSC"
tlp = "CLEAR"
public = true
language = "nl"
path = "incoming"

[source.kev]
name = "KEV"
tlp = "CLEAR"
public = true
path = "not-there"
"""
MADE = "[desk]\nundo_minutes = 0\n"


def test_from_a_folder_to_the_outbox(tmp_path: Path) -> None:
    instance = make(tmp_path / "instance", settings=MADE, people=PEOPLE)
    (instance / "sources.toml").write_text(SOURCES)
    incoming = instance / "incoming"
    incoming.mkdir()
    outbox = instance / "outbox"
    with started(instance, "run", "--port", "0", OKTT_NOW=MONDAY) as process:
        assert httpx.get(f"{process.url}/readyz").status_code == 200
        half = incoming / "9001.json"
        whole = (WEEK / "1-monday/ncsc-nl/ncsc-2026-9001.json").read_text()
        half.with_suffix(".part").write_text(whole)
        half.with_suffix(".part").rename(half)
        wait_for(lambda: len(list(outbox.glob("*.eml"))) == 2)
        (incoming / "broken.json").write_text("{")
        (incoming / "9003.json").write_text((WEEK / "2-tuesday/ncsc-nl/ncsc-2026-9003.json").read_text())
        wait_for(lambda: len(done(instance, "items", "--json").rows) == 2)
        wait_for(lambda: len(done(instance, "refused", "--json").rows) == 1)
        feed = httpx.get(f"{process.url}/feed.atom").text
        assert "FortiOS" in feed
        assert 'oktt_documents_total{outcome="read",source="ncsc-nl"}' in httpx.get(f"{process.url}/metrics").text
        assert process.end(signal.SIGTERM) == 0
        log = process.log.read_text()
    assert "Traceback" not in log
    events = [json.loads(line) for line in log.splitlines()]
    assert {"document", "decided", "queued", "delivery"} <= {event["event"] for event in events}
    standing = {row["source"]: row for row in done(instance, "sources", "--json").rows}
    assert standing["kev"]["error"], "a folder that is not there is told, and the rest goes on"
    assert standing["ncsc-nl"]["error"] is None
    assert done(instance, "audit", "verify", "--json").row["ok"] is True
    once = state(instance, exact=True)
    with started(instance, "run", "--port", "0", OKTT_NOW=MONDAY) as process:
        wait_for(lambda: "9003" not in process.log.read_text() and httpx.get(f"{process.url}/healthz").is_success)
        wait_for(lambda: process.log.read_text().count('"source"') >= 1)
        assert process.end(signal.SIGINT) == 0
    assert once.differences(state(instance, exact=True)) == []
