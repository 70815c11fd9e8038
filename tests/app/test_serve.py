"""`oktt serve` as its clients meet it: taxii2-client, feedparser, a probe, a scraper; a real process on a real port."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from tests.app.instance import FEEDS, FRIDAY, LATER, PEOPLE, WEEK, done, lay, make, oktt
from tests.app.servers import Process, started

TAXII = {"Accept": "application/taxii+json;version=2.1"}
CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What rules release of the samples, an update, a withdrawal, and a market party's item that a person released."""
    folder = make(tmp_path_factory.mktemp("serve") / "instance", people=PEOPLE)
    feeds = lay(folder.parent / "in", FEEDS)
    for source in FEEDS:
        done(folder, "ingest", feeds / source, "--source", source)
    for day in ("2-tuesday", "3-wednesday"):
        done(folder, "ingest", WEEK / day / "ncsc-nl", "--source", "ncsc-nl")
    done(folder, "ingest", WEEK / "5-friday/market", "--source", "market")
    for row in done(folder, "items", "--state", "new", "--json").rows:
        done(folder, "release", row["id"], "--by", "anna", "--reason", "beoordeeld")
    done(folder, "dispatch", "--now")
    gone = next(row["id"] for row in done(folder, "items", "--json").rows if "CVE-2024-21410" in row["cves"])
    done(folder, "withdraw", gone, "--by", "anna", "--reason", "fout", now=FRIDAY)
    later = lay(folder.parent / "later", LATER)
    done(folder, "ingest", later / "ncsc-nl", "--source", "ncsc-nl", now=FRIDAY)
    return folder


@pytest.fixture(scope="module")
def credential(instance: Path) -> dict[str, str]:
    found: dict[str, str] = done(instance, "credentials", "create", "kvk-haven", "--for", "taxii", "--json").row
    return found


@pytest.fixture(scope="module")
def served(instance: Path, credential: dict[str, str]) -> Iterator[Process]:
    with started(instance, "serve", "--port", "0", OKTT_NOW=FRIDAY) as process:
        yield process


def collections(served: Process, credential: dict[str, str]) -> dict[str, Collection]:
    """By alias. taxii2-client wants the id in an address; others may use the alias there."""
    login = (credential["user"], credential["password"])
    at = f"{served.url}/taxii2/oktt/collections/"
    found = {}
    for each in httpx.get(at, auth=login, headers=TAXII).raise_for_status().json()["collections"]:
        found[each["alias"]] = Collection(f"{at}{each['id']}/", user=login[0], password=login[1])
        by_alias = httpx.get(f"{at}{each['alias']}/", auth=login, headers=TAXII)
        assert by_alias.json() == each
    return found


def pull(collection: Collection, limit: int, **more: Any) -> list[dict[str, Any]]:
    pages = list(as_pages(collection.get_objects, per_request=limit, **more))
    assert all(len(page.get("objects", ())) <= limit for page in pages)
    return [each for page in pages for each in page.get("objects", ())]


def test_discovery_lists_what_this_reader_may_read(served: Process, credential: dict[str, str]) -> None:
    server = Server(f"{served.url}/taxii2/", user=credential["user"], password=credential["password"])
    (root,) = server.api_roots
    assert isinstance(root, ApiRoot)
    assert root.url == f"{served.url}/taxii2/oktt/"
    listed = {each.id: each for each in root.collections}
    by_alias = collections(served, credential)
    assert set(by_alias) == {"clear", "test", "kvk-haven", "contribute"}
    assert {each.id for each in by_alias.values()} == set(listed)
    handing_in = listed.pop(by_alias["contribute"].id)
    assert (handing_in.can_read, handing_in.can_write) == (False, True)
    assert all(each.can_read and not each.can_write for each in listed.values())
    assert {len(pull(each, 100)) > 0 for each in listed.values()} == {True}


@pytest.mark.parametrize("alias", ["clear", "kvk-haven"])
def test_the_complete_set_at_any_page_size(alias: str, served: Process, credential: dict[str, str]) -> None:
    collection = collections(served, credential)[alias]
    whole = pull(collection, 1000)
    names = [(each["id"], each.get("modified")) for each in whole]
    assert len(names) > 20
    assert len(set(names)) == len(names), "none twice"
    for limit in (1, 7, 100):
        assert pull(collection, limit) == whole, limit
    assert {each["id"] for each in whole} >= {each["created_by_ref"] for each in whole if "created_by_ref" in each}, (
        "who made it is told"
    )
    manifest = [each for page in as_pages(collection.get_manifest, per_request=7) for each in page["objects"]]
    assert [each["id"] for each in manifest] == [each["id"] for each in whole]
    added = [each["date_added"] for each in manifest]
    assert added == sorted(set(added)), "strictly increasing"
    rest = pull(collection, 7, added_after=added[len(added) // 2])
    assert rest == whole[len(added) // 2 + 1 :]


def test_clear_holds_clear_only_and_the_withdrawn_is_revoked(served: Process, credential: dict[str, str]) -> None:
    found = collections(served, credential)
    public = pull(found["clear"], 100)
    for each in public:
        assert set(each.get("object_marking_refs", [])) <= {CLEAR} or each["type"] == "marking-definition", each["id"]
    text = json.dumps(public)
    for private in ("198.51.100.7", "203.0.113.9", "kvk-", "Zeearend"):
        assert private not in text
    assert any(each.get("revoked") for each in public)
    own = json.dumps(pull(found["kvk-haven"], 100))
    assert "203.0.113.9" in own, "its own exposed address"
    assert "198.51.100.7" not in own, "and nobody else's"


def test_one_object_and_its_versions(served: Process, credential: dict[str, str]) -> None:
    collection = collections(served, credential)["clear"]
    for each in pull(collection, 100)[:5]:
        assert collection.get_object(each["id"])["objects"]
        if "modified" in each:
            assert collection.object_versions(each["id"])["versions"]


def test_a_credential_that_ended_reads_nothing(instance: Path, served: Process) -> None:
    made = done(instance, "credentials", "create", "kvk-haven", "--for", "taxii", "--json").row
    bearer = {"Authorization": f"Bearer {made['token']}", "Accept": "application/taxii+json;version=2.1"}
    assert httpx.get(f"{served.url}/taxii2/", headers=bearer).status_code == 200
    with httpx.Client(headers={"Accept": bearer["Accept"]}) as client:
        assert client.get(f"{served.url}/taxii2/").status_code == 401
        wrong = client.get(f"{served.url}/taxii2/", auth=(made["user"], "wrong"))
        assert (wrong.status_code, "wrong" in wrong.text) == (401, False)
        other = done(instance, "credentials", "create", "kvk-toren", "--for", "taxii", "--json").row
        assert client.get(f"{served.url}/taxii2/", auth=(other["user"], other["password"])).status_code == 200
        done(instance, "credentials", "revoke", "kvk-toren")
        assert client.get(f"{served.url}/taxii2/", auth=(other["user"], other["password"])).status_code == 401


def test_the_feed_is_public_and_clear_only(served: Process) -> None:
    answer = httpx.get(f"{served.url}/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    titles = [entry.title for entry in feed.entries]
    assert len(titles) >= 5
    assert any("FortiOS" in title for title in titles)
    assert sum(title.startswith("INGETROKKEN") for title in titles) == 1
    for private in (b"Open RDP", b"198.51.100", b"203.0.113", b"Zeearend", b"kvk-", b"AMBER", b"GREEN"):
        assert private not in answer.content
    again = httpx.get(f"{served.url}/feed.atom", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_health_and_metrics(served: Process) -> None:
    assert httpx.get(f"{served.url}/healthz").status_code == 200
    assert httpx.get(f"{served.url}/readyz").status_code == 200
    metrics = httpx.get(f"{served.url}/metrics")
    assert metrics.status_code == 200
    assert "oktt_http_requests_total" in metrics.text
    assert httpx.get(f"{served.url}/nothing").status_code == 404


def test_a_busy_port_is_told(instance: Path, served: Process) -> None:
    port = served.url.rpartition(":")[2]
    ran = oktt(instance, "serve", "--port", port)
    assert ran.code == 1
    assert ran.err == (
        f"oktt: cannot listen on 127.0.0.1 port {port} (Address already in use): set [web] in oktt.toml, or --port\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: int, instance: Path) -> None:
    made = done(instance, "credentials", "create", "kvk-toren", "--for", "taxii", "--json").row
    with started(instance, "serve", "--port", "0", OKTT_NOW=FRIDAY) as process:
        answer = httpx.get(f"{process.url}/taxii2/oktt/", auth=(made["user"], made["password"]), headers=TAXII)
        assert answer.status_code == 200
        assert process.end(number) == 0
        assert "Traceback" not in process.log.read_text()
    rows = done(instance, "credentials", "requests", "kvk-toren", "--json").rows
    asked = [(row["route"], row["status"]) for row in rows if row["credential"] == made["user"]]
    assert asked == [("api-root", 200)], "also what waited to be written"
    host, port = process.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 5)
