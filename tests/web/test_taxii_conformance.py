"""What TAXII 2.1 (OASIS Standard, 10 June 2021) says that a server MUST do, by section.

What other modules show already stands in ELSEWHERE and is not repeated. TLS (8.2.2) is the proxy's before the server.
Beside the last of them a client that knows nothing but `added_after`, and taxii2-client with `next`, while another
process publishes.
"""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from taxii2client.v21 import Collection, as_pages

from normalize.stix_types import REQUIRED
from web.answers import MEDIA_TYPE
from web.taxii import COMMON

ROOT = "/taxii2/oktt/"
CLEAR = ROOT + "collections/clear/"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ELSEWHERE = {
    "3.1 paths end in a slash": "test_taxii.test_the_slash_at_the_end_may_be_left_out",
    "1.6.8, 3.1 media types and versions are negotiated; 406, 415": "test_taxii.test_media_types",
    "1.6.9 HTTP Basic is there; 401 with WWW-Authenticate": "test_taxii.test_without_credentials_there_is_nothing",
    "3.6.1, 5.3 to 5.8 whoever fails to log in gets 401": "test_taxii.test_without_credentials_there_is_nothing",
    "3.7 nothing that matches is an empty envelope": "test_taxii.test_nothing_that_matches_is_an_empty_envelope",
    "3.4 added_after is strictly after": "test_taxii.test_added_after_is_strictly_after",
    "3.4 bad parameters: 400": "test_taxii.test_bad_parameters_are_named_and_their_values_are_not_repeated",
    "3.5 the server's own limit holds": "test_taxii.test_the_server_has_a_limit_of_its_own",
    "3.5 pages hold while others publish": "test_taxii.test_paging_holds_while_others_publish",
    "4.1 absolute addresses": "test_taxii.test_absolute_addresses_where_they_are_configured",
    "4.3 a status is its owner's alone; 404": "test_contribute.test_a_status_is_its_owners_alone_until_its_time",
    "5.2 what one may not see is as unknown as none": "test_taxii.test_anothers_collection_is_as_unknown_as_none",
    "5.3, 5.4, 5.6, 5.8 agree": "test_taxii.test_manifest_object_and_versions_agree",
    "5.4 can_read false: 403": "test_contribute.test_what_was_handed_in_cannot_be_read_or_deleted",
    "5.5 can_write false: 403; other media types: 415": "test_taxii.test_reading_only",
    "5.5 no envelope: 422": "test_contribute.test_what_is_no_envelope_is_refused_whole",
    "5.5 beyond max_content_length: 413": "test_contribute.test_more_objects_or_octets_than_are_taken",
    "5.7 deleting may be refused: 403": "test_taxii.test_reading_only",
}


@pytest.fixture
def client(served: Any) -> Iterator[httpx.Client]:
    with served.client(served.join("kvk-1")) as made:
        yield made


def thing(kind: str, number: int, modified: str = "2026-03-01T00:00:00.000Z", **more: Any) -> dict[str, Any]:
    made = {"type": kind, "spec_version": "2.1", "id": f"{kind}--00000000-0000-4000-8000-{number:012d}", **more}
    return made | {"created": "2026-01-01T00:00:00.000Z", "modified": modified}


def of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    resource: dict[str, Any] = answer.json()
    return resource


@pytest.mark.parametrize("clause", sorted(ELSEWHERE))
def test_what_is_shown_elsewhere_is_there(clause: str) -> None:
    module, _, name = ELSEWHERE[clause].partition(".")
    assert callable(getattr(importlib.import_module(f"tests.web.{module}"), name))


@on_sqlite
def test_2_no_empty_list_or_null_is_sent(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1))
    sent = {"Content-Type": MEDIA_TYPE}
    answers = [client.get(path) for path in ("/taxii2/", ROOT, f"{ROOT}collections/", CLEAR, CLEAR + "objects/")]
    answers += [client.get(CLEAR + path) for path in ("manifest/", f"objects/{thing('tool', 1)['id']}/versions/")]
    answers.append(
        client.post(f"{ROOT}collections/contribute/objects/", json={"objects": [{"name": "x"}]}, headers=sent)
    )

    def values(node: Any) -> Iterator[Any]:
        yield node
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from values(inner)

    assert not [each for answer in answers for each in values(answer.json()) if each is None or each == []]


@on_sqlite
def test_3_2_dates_of_the_first_and_last_stand_in_headers_and_3_3_in_the_order_of_adding(
    served: Any, client: httpx.Client
) -> None:
    for number in range(5):
        served.publish("clear", f"OKTT-2026-{number:04d}", *[thing("tool", number * 10 + n) for n in range(3)])
    for limit in (1, 4, 100):
        added: list[str] = []
        asked: dict[str, Any] = {"limit": limit}
        while asked:
            manifest, objects = (client.get(CLEAR + what, params=asked) for what in ("manifest/", "objects/"))
            page = [each["date_added"] for each in of(manifest)["objects"]]
            for answer in (manifest, objects):
                first_last = [answer.headers[f"x-taxii-date-added-{which}"] for which in ("first", "last")]
                assert first_last == [page[0], page[-1]]
            assert [each["id"] for each in of(objects)["objects"]] == [each["id"] for each in of(manifest)["objects"]]
            added += page
            asked = {"limit": limit, "next": manifest.json()["next"]} if manifest.json()["more"] else {}
        assert len(added) == 15
        assert added == sorted(added)
        assert all(TIMESTAMP.fullmatch(each) for each in added)


FILTERS = {
    "match[id]=tool--00000000-0000-4000-8000-000000000001": [("tool", 1, "03")],
    "match[id]=tool--00000000-0000-4000-8000-000000000001,malware--00000000-0000-4000-8000-000000000002": [
        ("malware", 2, "02"), ("tool", 1, "03"),
    ],
    "match[type]=malware": [("malware", 2, "02")],
    "match[type]=tool,malware": [("malware", 2, "02"), ("tool", 1, "03")],
    "match[type]=malware&match[id]=tool--00000000-0000-4000-8000-000000000001": [],
    "match[version]=all": [("tool", 1, "01"), ("malware", 2, "02"), ("tool", 1, "02"), ("tool", 1, "03")],
    "match[version]=first": [("tool", 1, "01"), ("malware", 2, "02")],
    "match[version]=first,last": [("tool", 1, "01"), ("malware", 2, "02"), ("tool", 1, "03")],
    "match[version]=2026-03-02T00:00:00.000Z": [("malware", 2, "02"), ("tool", 1, "02")],
    "match[version]=2026-03-02T00:00:00Z,first": [("tool", 1, "01"), ("malware", 2, "02"), ("tool", 1, "02")],
    "match[spec_version]=2.1": [("malware", 2, "02"), ("tool", 1, "03")],
    "match[spec_version]=2.0": [],
    "": [("malware", 2, "02"), ("tool", 1, "03")],
}  # fmt: skip


def test_3_4_filters_are_alternatives_within_and_all_hold_between(served: Any, client: httpx.Client) -> None:
    day = "2026-03-{}T00:00:00.000Z".format
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1, day("01")))
    served.publish("clear", "OKTT-2026-0002", thing("malware", 2, day("02"), name="x", is_family=True))
    for version in ("02", "03"):
        served.publish("clear", "OKTT-2026-0001", thing("tool", 1, day(version)))
    for query, expected in FILTERS.items():
        objects = of(client.get(f"{CLEAR}objects/?{query}")).get("objects", [])
        manifest = of(client.get(f"{CLEAR}manifest/?{query}")).get("objects", [])
        found = [(each["type"], int(each["id"][-1]), each["modified"][8:10]) for each in objects]
        assert found == expected, query
        assert [(each["id"], each["version"]) for each in manifest] == [
            (each["id"], each["modified"]) for each in objects
        ], query


@on_sqlite
def test_3_5_next_goes_with_more_and_filters_hold_on_every_page(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", *[thing("tool" if n % 2 else "malware", n) for n in range(10)])
    asked, seen = {"limit": 2, "match[type]": "tool"}, []
    while True:
        page = of(client.get(CLEAR + "objects/", params=asked))
        assert ("next" in page) is page["more"]
        assert len(page["objects"]) <= 2
        seen += [each["id"] for each in page["objects"]]
        if not page["more"]:
            break
        asked["next"] = page["next"]
    assert seen == [thing("tool", n)["id"] for n in range(1, 10, 2)]


@on_sqlite
def test_3_6_1_every_refusal_is_an_error_resource(served: Any, client: httpx.Client) -> None:
    refusals = [
        client.get(CLEAR + "objects/?limit=x"), client.get(f"{ROOT}collections/geen/"), client.put(CLEAR),
        client.get(ROOT, headers={"Accept": "text/plain"}), client.delete(f"{CLEAR}objects/tool--1/"),
        client.post(CLEAR + "objects/", content=b"x"), client.get(f"{ROOT}status/x/"), client.get("/taxii2/x/"),
        client.post(f"{ROOT}collections/contribute/objects/", content=b"x", headers={"Content-Type": MEDIA_TYPE}),
        httpx.get(served.url + ROOT), client.get(f"{CLEAR}objects/tool--1/"),
        client.post(CLEAR + "objects/", content=b"x" * 11_000_000),
    ]  # fmt: skip
    assert [each.status_code for each in refusals] == [400, 404, 405, 406, 403, 415, 404, 404, 422, 401, 404, 413]
    for each in refusals:
        assert each.headers["content-type"] == MEDIA_TYPE
        resource = each.json()
        assert isinstance(resource["title"], str)
        assert resource["http_status"] == str(each.status_code)
        assert resource["description"], "and it says what to do next"


@on_sqlite
def test_4_1_to_5_2_resources_have_what_they_have_to(served: Any, client: httpx.Client) -> None:
    discovery = of(client.get("/taxii2/"))
    assert isinstance(discovery["title"], str)
    assert discovery["default"] in discovery["api_roots"]
    for at in discovery["api_roots"]:
        root = of(client.get(at))
        assert isinstance(root["title"], str)
        assert MEDIA_TYPE in root["versions"]
        assert root["max_content_length"] > 0
        listed = of(client.get(f"{at}collections/"))["collections"]
        assert listed == of(client.get(f"{at}collections/"))["collections"], "5.1: in the same order each time"
        for each in listed:
            assert UUID(each["id"]).version == 4
            assert isinstance(each["title"], str)
            assert (type(each["can_read"]), type(each["can_write"])) == (bool, bool)
            assert of(client.get(f"{at}collections/{each['id']}/")) == each
        assert {each["alias"]: each["id"] for each in listed if each["alias"] in COMMON} == COMMON


@on_sqlite
def test_4_3_the_counts_of_a_status_add_up_and_5_5_what_is_sent_is_accepted(served: Any, client: httpx.Client) -> None:
    envelope = {"objects": [thing("tool", 1, name="x"), thing("tool", 2), {"x": 1}, 7]}
    sent = {"Content-Type": MEDIA_TYPE}
    answer = client.post(f"{ROOT}collections/{COMMON['contribute']}/objects/", json=envelope, headers=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (202, MEDIA_TYPE)
    for status in (answer.json(), of(client.get(f"{ROOT}status/{answer.json()['id']}/"))):
        assert status["status"] in ("complete", "pending")
        assert (status["status"] == "complete") is (status["pending_count"] == 0)
        assert status["total_count"] == 4
        counts = [status[f"{name}_count"] for name in ("success", "failure", "pending")]
        assert sum(counts) == status["total_count"]
        assert [len(status.get(name, [])) for name in ("successes", "failures", "pendings")] == counts
        assert all(each["id"] and each["version"] for each in status["successes"] + status["failures"])
        assert TIMESTAMP.fullmatch(status["request_timestamp"])


@on_sqlite
def test_5_6_and_5_8_an_object_that_is_not_there_is_404(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1))
    for tail in ("", "versions/"):
        assert client.get(f"{CLEAR}objects/{thing('tool', 1)['id']}/{tail}").status_code == 200
        assert client.get(f"{CLEAR}objects/{thing('tool', 2)['id']}/{tail}").status_code == 404


@on_sqlite
def test_1_6_8_and_3_1_what_an_endpoint_defines_is_acceptable_and_all_answers_say_what_they_are(
    client: httpx.Client,
) -> None:
    both = "application/taxii+json;version=2.1,application/stix+json;version=2.1"
    assert client.get(CLEAR + "manifest/", headers={"Accept": both}).status_code == 200, "5.3"
    older = "application/taxii+json;version=2.0, application/taxii+json;version=2.1;q=0.1"
    assert client.get(ROOT, headers={"Accept": older}).status_code == 200
    for method in ("HEAD", "OPTIONS", "PATCH"):
        answer = client.request(method, CLEAR + "objects/")
        assert (answer.status_code, answer.headers["content-type"]) == (200 if method == "HEAD" else 405, MEDIA_TYPE)
    assert client.options(CLEAR + "objects/").headers["allow"] == "GET, HEAD, POST", "RFC 9110 15.5.6"
    head, got = client.head(CLEAR + "objects/"), client.get(CLEAR + "objects/")
    assert (head.content, head.headers["content-length"]) == (b"", got.headers["content-length"])


@on_sqlite
def test_3_4_what_a_server_does_not_know_it_ignores_and_2_1_has_no_ranges(served: Any, client: httpx.Client) -> None:
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1), thing("tool", 2))
    whole = of(client.get(CLEAR + "objects/"))
    for query in ("match[x_confidence]=90", "match[revoked]=false&match[type]=tool", "limit=999999999999999999", "x=y"):
        assert of(client.get(f"{CLEAR}objects/?{query}")) == whole, query
    ranged = client.get(CLEAR + "objects/", headers={"Range": "items=0-0"})
    assert of(ranged) == whole
    assert "content-range" not in ranged.headers


@on_sqlite
def test_3_4_1_no_type_of_stix_is_an_error(client: httpx.Client) -> None:
    for kind in (*REQUIRED, "x-unknown"):
        assert of(client.get(CLEAR + "objects/", params={"match[type]": kind})) == {}


@on_sqlite
@pytest.mark.parametrize("base", ["", "http://127.0.0.1:8080", "https://feeds.example/hub/"])
def test_4_1_1_an_api_root_is_an_https_or_a_relative_address(world: Any, serve: Callable[..., Any], base: str) -> None:
    serve(world, base_url=base)
    with world.client(world.join("kvk-1")) as client:
        (root,) = of(client.get("/taxii2/"))["api_roots"]
    assert root == ("https://feeds.example/hub" if base.startswith("https") else "") + ROOT


@on_sqlite
def test_4_2_1_nothing_below_max_content_length_is_too_large_and_7_1_unknown_properties_are_ignored(
    world: Any, serve: Callable[..., Any]
) -> None:
    serve(world, max_content_length=100_000)
    with world.client(world.join("kvk-1")) as client:
        most, sent = of(client.get(ROOT))["max_content_length"], {"Content-Type": MEDIA_TYPE}
        start, end = b'{"x_example_com_why":"', b'","objects":[{"name":"x"}]}'
        path = f"{ROOT}collections/contribute/objects/"
        for size, status in ((most - 1, 202), (most, 202), (most + 1, 413)):
            body = start + b"x" * (size - len(start) - len(end)) + end
            assert client.post(path, content=body, headers=sent).status_code == status
        many = b'{"objects":[' + b"1," * 11_000 + b"1]}"
        assert client.post(path, content=many, headers=sent).status_code == 422


@on_sqlite
def test_5_1_to_5_8_who_fails_to_log_in_gets_401_and_5_2_1_names_are_unique(served: Any, client: httpx.Client) -> None:
    one = f"{CLEAR}objects/{thing('tool', 1)['id']}/"
    paths = [ROOT, f"{ROOT}collections/", CLEAR, f"{CLEAR}manifest/", f"{CLEAR}objects/", one, f"{one}versions/"]
    asked = [("GET", path) for path in paths] + [("POST", f"{CLEAR}objects/"), ("DELETE", one)]
    for method, path in asked:
        assert httpx.request(method, served.url + path).status_code == 401
    listed = of(client.get(f"{ROOT}collections/"))["collections"]
    for name in ("id", "alias"):
        assert len({each[name] for each in listed}) == len(listed)


@on_sqlite
def test_5_3_1_and_5_8_versions_are_modified_else_created_else_always_the_same(
    served: Any, client: httpx.Client
) -> None:
    address = {"type": "domain-name", "spec_version": "2.1", "value": "c2.example"}
    address["id"] = "domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5"
    created = {"type": "x-oktt", "spec_version": "2.1", "id": f"x-oktt--{UUID(int=1, version=4)}"}
    created["created"] = "2026-01-02T00:00:00.000Z"
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1), created, address)
    records = {each["id"]: each for each in of(client.get(CLEAR + "manifest/"))["objects"]}
    added = records[address["id"]]["date_added"]
    expected = {thing("tool", 1)["id"]: "2026-03-01T00:00:00.000Z", created["id"]: created["created"]}
    assert {name: each["version"] for name, each in records.items()} == expected | {address["id"]: added}
    stored = of(client.get(CLEAR))["media_types"]
    for name, record in records.items():
        assert record["media_type"] in stored
        assert of(client.get(f"{CLEAR}objects/{name}/versions/"))["versions"] == [record["version"]]


@on_sqlite
def test_5_7_what_may_not_be_deleted_is_403_and_what_may_not_be_seen_404(served: Any, client: httpx.Client) -> None:
    served.join("kvk-2")
    served.publish("clear", "OKTT-2026-0001", thing("tool", 1))
    for collection, status in (("clear", 403), ("contribute", 403), ("kvk-2", 404), ("geen", 404)):
        path = f"{ROOT}collections/{collection}/objects/{thing('tool', 1)['id']}/"
        assert client.delete(path).status_code == status
    assert of(client.get(CLEAR + "objects/"))["objects"], "it is there as before"


@on_sqlite
def test_8_2_1_discovery_is_at_its_place_and_nobody_has_to_say_which_program_asks(served: Any) -> None:
    login = served.join("kvk-1")
    with httpx.Client(auth=(login["user"], login["password"]), headers={"Accept": MEDIA_TYPE}) as client:
        del client.headers["User-Agent"]
        assert of(client.get(served.url + "/taxii2/"))["api_roots"] == [ROOT]


PUBLISHER = """
import sys
from datetime import UTC, datetime
from app import database
from dispatch import publication
from tests.web.conftest import _view
from tests.web.test_taxii_conformance import thing

engine = database.connect(sys.argv[1])
for number in range(1, 31):
    with engine.begin() as connection:
        objects = [thing("tool", number * 10 + each) for each in range(3)]
        publication.publish(connection, "clear", _view("clear", f"OKTT-2026-{number:04d}", *objects), datetime.now(UTC))
    print(number, flush=True)
engine.dispose()
"""


def test_a_client_that_knows_only_added_after_loses_and_repeats_nothing_while_another_process_publishes(
    world: Any, serve: Callable[..., Any]
) -> None:
    """And taxii2-client, that goes on with `next`; each object once, in the same order. They ask on without end."""
    served = serve(world, per_minute=0)
    login = served.join("kvk-1")
    served.publish("clear", "OKTT-2026-0000", *[thing("tool", number) for number in range(10)])
    url = served.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", PUBLISHER, url]
    naive: list[str] = []
    paged: list[str] = []
    last = since = "1970-01-01T00:00:00Z"
    address = f"{served.url}{ROOT}collections/{COMMON['clear']}/"
    with (
        subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process,
        served.client(login) as client,
        Collection(address, user=login["user"], password=login["password"]) as collection,
    ):
        assert process.stdout is not None
        ended = False
        while not ended:
            ended = process.poll() is not None  # before asking: what came after this look is asked for once more
            while (answer := client.get(CLEAR + "objects/", params={"added_after": last, "limit": 4})).json():
                naive += [each["id"] for each in answer.json()["objects"]]
                last = answer.headers["x-taxii-date-added-last"]
            for page in as_pages(collection.get_objects, per_request=4, added_after=since):
                paged += [each["id"] for each in page.get("objects", [])]
            if paged:
                since = client.get(CLEAR + "manifest/", params={"match[id]": paged[-1]}).json()["objects"][0][
                    "date_added"
                ]
        assert process.returncode == 0
        assert len(process.stdout.read().split()) == 30
    assert len(naive) == len(set(naive)) == 100
    assert paged == naive
