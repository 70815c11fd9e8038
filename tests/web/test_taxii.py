"""TAXII 2.1 over a real socket, read by the reference client and, where the standard says no, by plain HTTP."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taxii2client.v21 import Collection, Server, as_pages

from dispatch import publication
from tlp import Label
from web.answers import MEDIA_TYPE, accepts
from web.auth import credentials
from web.taxii_query import TaxiiError, next_token, parameters, read_filters, read_limit, read_next

ROOT = "/taxii2/oktt/"
CLEAR = ROOT + "collections/clear/"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""What does not depend on the database is shown on one."""


@pytest.fixture
def credential(served: Any) -> dict[str, str]:
    login: dict[str, str] = served.join("kvk-1")
    return login


@pytest.fixture
def client(served: Any, credential: dict[str, str]) -> Iterator[httpx.Client]:
    with served.client(credential) as made:
        yield made


def tool(number: int, modified: str = "2026-03-01T00:00:00.000Z", **properties: Any) -> dict[str, Any]:
    return {
        "type": "tool", "spec_version": "2.1", "id": f"tool--{number:08d}-2222-4222-8222-222222222222",
        "created": "2026-03-01T00:00:00.000Z", "modified": modified, "name": f"Hulpmiddel {number}",
    } | properties  # fmt: skip


def collections(server: Server) -> dict[str, Collection]:
    return {each.alias: each for each in server.default.collections}


def pull(collection: Collection, limit: int) -> list[str]:
    pages = as_pages(collection.get_objects, per_request=limit)
    return [obj["id"] for page in pages for obj in page.get("objects", [])]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_the_reference_client_pulls_all_of_it_once(served: Any, credential: dict[str, str], limit: int) -> None:
    expected = []
    for number in range(9):
        objects = [tool(number * 10 + n) for n in range(3)]
        served.publish("clear", f"OKTT-2026-{number:04d}", *objects)
        expected += [each["id"] for each in objects]
    served.publish("kvk-1", "OKTT-2026-0001", tool(10, name="alleen hier"), tool(500), label=Label.AMBER)
    url = f"{served.url}/taxii2/"
    with Server(url, user=credential["user"], password=credential["password"]) as server:
        found = collections(server)
        assert set(found) == {"clear", "test", "kvk-1", "contribute"}
        assert pull(found["clear"], limit) == expected
        assert pull(found["test"], limit) == [
            "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            publication.TEST_INDICATOR["id"],
        ]
        assert len(pull(found["kvk-1"], limit)) == 3
        handing_in = found.pop("contribute")
        assert (handing_in.can_read, handing_in.can_write) == (False, True)
        assert all(each.can_read and not each.can_write for each in found.values())
        manifest = [
            entry for page in as_pages(found["clear"].get_manifest, per_request=limit) for entry in page["objects"]
        ]
        assert [entry["id"] for entry in manifest] == expected
        for root in [server.default, *server.api_roots]:
            root.close()


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_paging_holds_while_others_publish(served: Any, credential: dict[str, str], limit: int) -> None:
    served.publish("clear", "OKTT-2026-0000", *[tool(number) for number in range(30)])
    started, failures = threading.Event(), []

    def publishing() -> None:
        try:
            started.wait(60)
            for number in range(1, 6):
                served.publish("clear", f"OKTT-2026-{number:04d}", *[tool(number * 100 + n) for n in range(3)])
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=publishing)
    writer.start()
    url = f"{served.url}{ROOT}collections/{collection_id(served, 'clear')}/"
    seen: list[str] = []
    with Collection(url, user=credential["user"], password=credential["password"]) as collection:
        for page in as_pages(collection.get_objects, per_request=limit):
            started.set()
            seen += [obj["id"] for obj in page["objects"]]
        writer.join()
        rest = collection.get_objects(added_after=last_added(served, credential, seen[-1]))
        seen += [obj["id"] for obj in rest.get("objects", [])]
    assert not failures
    assert len(seen) == len(set(seen)) == 45


def collection_id(served: Any, alias: str) -> str:
    with served.engine.begin() as conn:
        found = publication.find(conn, alias)
    assert found is not None
    return found.id


def last_added(served: Any, credential: dict[str, str], object_id: str) -> str:
    with served.client(credential) as client:
        manifest = client.get(CLEAR + "manifest/", params={"match[id]": object_id}).json()
    added: str = manifest["objects"][0]["date_added"]
    return added


def test_added_after_alone_loses_and_repeats_nothing(served: Any, client: httpx.Client) -> None:
    """Clients that know no `next` go on after X-TAXII-Date-Added-Last, while more is published between pages."""
    served.publish("clear", "OKTT-2026-0000", *[tool(number) for number in range(10)])
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": 4}
    published = 10
    while page := (answer := client.get(CLEAR + "objects/", params=asked)).json():
        seen += [obj["id"] for obj in page["objects"]]
        asked["added_after"] = answer.headers["x-taxii-date-added-last"]
        if published < 20:
            served.publish("clear", f"OKTT-2026-{published:04d}", tool(published), tool(published + 100))
            published += 1
    assert len(seen) == len(set(seen)) == 30


@on_sqlite
def test_bearer_works_as_basic_does(served: Any, credential: dict[str, str]) -> None:
    for headers in (
        {"Authorization": f"Bearer {credential['token']}"},
        {"Authorization": f"bearer  {credential['token']}"},
    ):
        with served.client(**headers) as client:
            assert client.get("/taxii2/").status_code == 200


@on_sqlite
def test_discovery_root_and_collections(served: Any, client: httpx.Client) -> None:
    discovery = client.get("/taxii2/").json()
    assert discovery == {"title": "OKTT", "default": ROOT, "api_roots": [ROOT]}
    root = client.get(ROOT).json()
    assert root["versions"] == [MEDIA_TYPE]
    assert root["max_content_length"] > 0
    listed = client.get(ROOT + "collections/").json()["collections"]
    assert [each["alias"] for each in listed] == ["clear", "test", "kvk-1", "contribute"]
    for each in listed:
        by_alias = client.get(f"{ROOT}collections/{each['alias']}/")
        assert by_alias.headers["content-type"] == MEDIA_TYPE
        assert by_alias.json() == client.get(f"{ROOT}collections/{each['id']}/").json() == each
        assert each["media_types"] == ["application/stix+json;version=2.1"]


@on_sqlite
def test_absolute_addresses_where_they_are_configured(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, base_url="https://feeds.example/", contact="feeds@oktt.example", title="Meldpunt")
    with world.client(world.join("kvk-1")) as client:
        assert client.get("/taxii2/").json() == {
            "title": "Meldpunt", "contact": "feeds@oktt.example",
            "default": "https://feeds.example/taxii2/oktt/", "api_roots": ["https://feeds.example/taxii2/oktt/"],
        }  # fmt: skip


def test_manifest_object_and_versions_agree(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1), tool(2))
    newer = tool(1, modified="2026-03-02T00:00:00.000Z", name="Nieuw")
    served.publish("clear", "OKTT-2026-0001", newer, tool(2))
    first, last = "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"
    manifest = client.get(CLEAR + "manifest/", params={"match[version]": "all"})
    records = manifest.json()["objects"]
    assert [(each["id"], each["version"]) for each in records] == [
        (tool(1)["id"], first), (tool(2)["id"], first), (tool(1)["id"], last),
    ]  # fmt: skip
    assert records[0]["media_type"] == "application/stix+json;version=2.1"
    assert manifest.headers["x-taxii-date-added-first"] == records[0]["date_added"]
    assert manifest.headers["x-taxii-date-added-last"] == records[-1]["date_added"]
    one = f"{CLEAR}objects/{tool(1)['id']}/"
    assert client.get(one).json() == {"more": False, "objects": [newer]}
    assert client.get(one, params={"match[version]": "first"}).json()["objects"] == [tool(1)]
    assert client.get(one, params={"match[version]": f"{first},last"}).json()["objects"] == [tool(1), newer]
    versions = client.get(one + "versions/")
    assert versions.json() == {"more": False, "versions": [first, last]}
    assert versions.headers["x-taxii-date-added-last"] == records[-1]["date_added"]
    paged = client.get(one + "versions/", params={"limit": 1}).json()
    assert paged["more"] is True
    assert client.get(one + "versions/", params={"limit": 1, "next": paged["next"]}).json()["versions"] == [last]


def test_nothing_that_matches_is_an_empty_envelope(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1))
    one = f"{CLEAR}objects/{tool(1)['id']}/"
    future = {"added_after": "2030-01-01T00:00:00Z"}
    for path in (CLEAR + "objects/", CLEAR + "manifest/", one, one + "versions/"):
        answer = client.get(path, params=future)
        assert (answer.status_code, answer.json()) == (200, {})
        for which in ("first", "last"):  # 3.2: in each answer
            assert answer.headers[f"x-taxii-date-added-{which}"] == "2030-01-01T00:00:00.000000Z"
            assert client.get(path, params={"match[spec_version]": "1.0"}).headers[f"x-taxii-date-added-{which}"]


def test_added_after_is_strictly_after(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1), tool(2))
    assert [each["id"] for each in client.get(
        CLEAR + "objects/", params={"added_after": "2026-03-02T08:00:00Z"}
    ).json()["objects"]] == [tool(2)["id"]]  # fmt: skip


@on_sqlite
def test_the_server_has_a_limit_of_its_own(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, max_limit=3)
    world.publish("clear", "OKTT-2026-0001", *[tool(number) for number in range(7)])
    with world.client(world.join("kvk-1")) as client:
        for asked in ({}, {"limit": 100}):
            page = client.get(CLEAR + "objects/", params=asked).json()
            assert len(page["objects"]) == 3
            assert page["more"] is True


def test_what_may_no_longer_be_seen_is_not_served(served: Any, client: httpx.Client) -> None:
    for number in range(6):
        served.publish("clear", f"OKTT-2026-{number:04d}", tool(number))
        served.publish("kvk-1", f"OKTT-2026-{number:04d}", tool(number), label=Label.AMBER)
    served.forbidden |= {("public", "OKTT-2026-0001"), ("public", "OKTT-2026-0005"), ("kvk-1", "OKTT-2026-0000")}
    page = client.get(CLEAR + "objects/", params={"limit": 4}).json()
    assert [each["id"] for each in page["objects"]] == [tool(number)["id"] for number in (0, 2, 3, 4)]
    assert page["more"] is False, "what follows may not be seen, so nothing follows"
    hidden = tool(1)["id"]
    assert client.get(f"{CLEAR}objects/{hidden}/").status_code == 404
    assert client.get(f"{CLEAR}objects/{hidden}/versions/").status_code == 404
    assert client.get(f"{ROOT}collections/kvk-1/objects/{hidden}/").status_code == 200
    assert client.get(f"{ROOT}collections/kvk-1/objects/{tool(0)['id']}/").status_code == 404
    assert ("public", "OKTT-2026-0001") in served.asked


def test_a_revocation_arrives(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1))
    seen = client.get(CLEAR + "objects/").headers["x-taxii-date-added-last"]
    with served.engine.begin() as conn:
        publication.withdraw(conn, "OKTT-2026-0001", served.now)
    served.forbidden.add(("public", "OKTT-2026-0001"))
    [told] = client.get(CLEAR + "objects/", params={"added_after": seen}).json()["objects"]
    assert (told["id"], told["revoked"], told["name"]) == (tool(1)["id"], True, "withdrawn")


def is_error(answer: httpx.Response, status: int) -> bool:
    resource = answer.json()
    assert answer.status_code == status, resource
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert resource["title"]
    assert resource["http_status"] == str(status)
    return True


@on_sqlite
def test_without_credentials_there_is_nothing(served: Any, credential: dict[str, str]) -> None:
    paths = ["/taxii2/", ROOT, ROOT + "collections/", CLEAR, CLEAR + "objects/", ROOT + "collections/nergens/"]
    wrong = base64.b64encode(f"{credential['user']}:anders".encode()).decode()
    for header in (
        {},
        {"Authorization": f"Basic {wrong}"},
        {"Authorization": "Basic ?"},
        {"Authorization": "Bearer x"},
    ):
        with served.client(**header) as client:
            for path in paths:
                answer = client.get(path)
                assert is_error(answer, 401)
                assert answer.headers["www-authenticate"].startswith('Basic realm="OKTT"')
    del served.subscribers["kvk-1"]
    with served.client(credential) as client:
        assert is_error(client.get("/taxii2/"), 401), "whoever left the registry is nobody"


def test_anothers_collection_is_as_unknown_as_none(served: Any, client: httpx.Client) -> None:
    served.join("kvk-2")
    for name in ("kvk-2", collection_id(served, "kvk-2"), "nergens"):
        for tail in ("", "objects/", "manifest/", f"objects/{tool(1)['id']}/", f"objects/{tool(1)['id']}/versions/"):
            assert is_error(client.get(f"{ROOT}collections/{name}/{tail}"), 404)
        assert is_error(client.post(f"{ROOT}collections/{name}/objects/"), 404)
    for path in (f"{CLEAR}objects/tool--onbekend/", f"{CLEAR}objects/%00/", f"{ROOT}collections/%00/", f"{CLEAR}%FF/"):
        assert is_error(client.get(path), 404)
    assert is_error(client.get(f"{ROOT}status/2d086da7-4bdc-4f91-900e-d77486753710/"), 404)
    assert is_error(client.get("/taxii2/anders/"), 404)


BAD = ["limit=0", "limit=-1", "limit=een", "limit=1.5", "limit=", "limit=%C2%B2", "next=", "next=x",
    "next=%F0%9F%98%80",
     "next=YWZ0ZXI6LTE", "added_after=gisteren", "added_after=2026-03-02", "added_after=2026-02-30T00:00:00Z",
     "added_after=2026-03-02T00:00:00%2B01:00", "added_after=", "match[version]=oudste", "match[version]=all,last",
     "match[version]=", "match[type]=", "match[type]=tool,,malware", "match[id]=a&match[id]=b", "limit=1&limit=2",
     "match[=x", "match[version]=last,last", "match[version]=2026-03-02T00:00:00Z,2026-03-02T00:00:00.000Z",
     "match[type]=%00", "match[type]=" + "a," * 500 + "a"]  # fmt: skip


@on_sqlite
def test_bad_parameters_are_named_and_their_values_are_not_repeated(client: httpx.Client) -> None:
    for query in BAD:
        for path in ("objects/", "manifest/"):
            answer = client.get(f"{CLEAR}{path}?{query}")
            assert is_error(answer, 400), query
            assert "gisteren" not in answer.text


@on_sqlite
def test_a_filter_that_a_resource_does_not_have_is_refused(client: httpx.Client) -> None:
    one = f"{CLEAR}objects/{tool(1)['id']}/"
    assert is_error(client.get(one, params={"match[type]": "tool"}), 400)
    assert is_error(client.get(one + "versions/", params={"match[version]": "last"}), 400)
    assert client.get(CLEAR + "objects/", params={"utm_source": "x"}).status_code == 200


@on_sqlite
def test_reading_only(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1))
    body = json.dumps({"objects": [tool(2)]})
    objects = CLEAR + "objects/"
    assert is_error(client.post(objects, content=body, headers={"Content-Type": MEDIA_TYPE}), 403)
    for wrong in ("application/json", "application/taxii+json;version=2.0", ""):
        assert is_error(client.post(objects, content=body, headers={"Content-Type": wrong}), 415)
    assert is_error(client.delete(f"{objects}{tool(1)['id']}/"), 403)
    assert is_error(client.put(objects, content=body), 405)
    assert client.get(objects).json()["objects"] == [tool(1)]


ACCEPT = [(MEDIA_TYPE, 200), ("application/taxii+json", 200), ("application/taxii+json; version=2.1", 200),
     ('application/taxii+json;version="2.1"', 200), ("*/*", 200), ("application/*;q=0.1", 200),
     ("text/html, application/taxii+json;version=2.1;q=0.5", 200), ("application/taxii+json;version=2.0", 406),
     ("application/vnd.oasis.taxii+json", 406), ("application/json", 406), ("text/html", 406), ("", 406),
     ("application/taxii+json;q=0", 406)]  # fmt: skip


@on_sqlite
def test_media_types(client: httpx.Client) -> None:
    for accept, status in ACCEPT:
        answer = client.get(ROOT, headers={"Accept": accept})
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.status_code == status, accept


@on_sqlite
def test_the_slash_at_the_end_may_be_left_out(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", tool(1))
    for path in ("/taxii2", ROOT[:-1], CLEAR[:-1], CLEAR + "objects", f"{CLEAR}objects/{tool(1)['id']}/versions"):
        answer = client.get(path)
        assert (answer.status_code, answer.history) == (200, [])


def test_the_last_use_is_noted_once_a_minute(served: Any, credential: dict[str, str]) -> None:
    first, noted = served.now, []
    with served.client(credential) as client:
        for seconds, expected in ((0, 0), (30, 0), (59, 0), (61, 61)):
            served.now = first + timedelta(seconds=seconds)
            client.get("/taxii2/")
            noted.append(wait_for_use(served, first + timedelta(seconds=expected)))
    assert noted == [True] * 4


def wait_for_use(served: Any, expected: datetime) -> bool:
    """The use is noted after the answer has gone."""
    until = time.monotonic() + 240
    while time.monotonic() < until:
        with served.engine.connect() as conn:
            if conn.execute(credentials.select()).one().last_used_at == expected:
                return True
        time.sleep(0.01)
    return False


@given(st.integers(1, 10**18 - 1))
def test_next_comes_back_as_it_went(seq: int) -> None:
    assert read_next(next_token(seq)) == seq


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["limit", "next", "added_after", "match[version]"]))
def test_whatever_is_asked_it_is_answered_or_refused(value: str, accept: str, name: str) -> None:
    accepts(accept)
    try:
        asked = parameters([(name, value)], {"match[version]"})
        read_limit(asked.get("limit"))
        read_next(asked.get("next"))
        read_filters(asked, None, ())
    except TaxiiError as error:
        status = error.status
    else:
        status = 200
    assert status in (200, 400)
