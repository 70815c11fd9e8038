"""Handing in over TAXII 2.1: POST to `contribute` and the status of it, over a real socket."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from taxii2client.v21 import Collection

from web import contribute, statuses
from web.answers import MEDIA_TYPE

ROOT = "/taxii2/oktt/"
OBJECTS = ROOT + "collections/contribute/objects/"
SENT = {"Content-Type": MEDIA_TYPE}
TIME = "2026-03-01T00:00:00.000Z"
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""But for one table of four columns, nothing here depends on the database."""


@pytest.fixture
def client(served: Any) -> Iterator[httpx.Client]:
    with served.client(served.join("kvk-1")) as made:
        yield made


def thing(kind: str, uuid: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid}"} | properties


RANDOM = thing("tool", "00000000-0000-4000-8000-000000000001", name="x", created=TIME, modified=TIME)
HASHED = thing("domain-name", "bedb4899-d24b-5401-bc86-8f6b4cc18ec7", value="lek.example", name="x")
NAMELESS = thing("identity", "9f3c6c11-51e5-5c6e-8e62-3ac6cf1b54ff", created=TIME)
NOT_STIX = {"id": "lek@persoon.example", "type": "x"}


def hand_in(client: httpx.Client, *objects: Any) -> dict[str, Any]:
    answer = client.post(OBJECTS, json={"objects": objects}, headers=SENT)
    assert (answer.status_code, answer.headers["content-type"]) == (202, MEDIA_TYPE), answer.text
    resource: dict[str, Any] = answer.json()
    return resource


def is_error(answer: httpx.Response, status: int) -> bool:
    assert answer.status_code == status, answer.text
    assert answer.json()["http_status"] == str(status)
    assert answer.json()["description"]
    assert "lek" not in answer.text
    return True


def test_a_status_counts_and_names_each_object(served: Any, client: httpx.Client) -> None:
    told = hand_in(client, RANDOM, HASHED, NAMELESS, NOT_STIX, "lek")
    assert UUID(told["id"]).version == 4
    assert {name: value for name, value in told.items() if name not in ("id", "successes", "failures")} == {
        "status": "complete", "request_timestamp": "2026-03-02T08:00:00.000000Z", "total_count": 5, "success_count": 2,
        "failure_count": 3, "pending_count": 0,
    }  # fmt: skip
    now = told["request_timestamp"]
    assert told["successes"] == [{"id": RANDOM["id"], "version": TIME}, {"id": HASHED["id"], "version": now}]
    missing = "shape: a required property is missing"
    assert told["failures"] == [
        {"id": NAMELESS["id"], "version": TIME, "message": missing},
        {"id": "objects/3", "version": now, "message": missing},
        {"id": "objects/4", "version": now, "message": missing},
    ]
    [(who, body)] = served.handed_in
    assert who == "kvk-1"
    assert json.loads(body)["objects"][0] == RANDOM


def test_what_is_kept_holds_no_id_that_is_made_of_a_value(served: Any, client: httpx.Client) -> None:
    told = hand_in(client, RANDOM, HASHED, NAMELESS, NOT_STIX)
    answer = client.get(f"{ROOT}status/{told['id']}/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    kept = answer.json()
    assert [each["id"] for each in kept["successes"] + kept["failures"]] == [
        RANDOM["id"], "objects/1", "objects/2", "objects/3",
    ]  # fmt: skip
    assert {**kept, "successes": 0, "failures": 0} == {**told, "successes": 0, "failures": 0}
    with served.engine.connect() as conn:
        text = repr(tuple(conn.execute(sa.select(statuses.statuses)).one()))
    assert RANDOM["id"] in text
    for value in (HASHED["id"][-36:], NAMELESS["id"][-36:], "lek"):
        assert value not in text


def test_a_status_is_its_owners_alone_until_its_time(served: Any, client: httpx.Client) -> None:
    path = f"{ROOT}status/{hand_in(client, RANDOM)['id']}/"
    with served.client(served.join("kvk-2")) as other:
        assert is_error(other.get(path), 404)
    for unknown in (f"{ROOT}status/2d086da7-4bdc-4f91-900e-d77486753710/", f"{ROOT}status/%00/"):
        assert is_error(client.get(unknown), 404)
    with served.engine.begin() as conn:
        assert statuses.purge(conn, served.now) == 0
    assert client.get(path).status_code == 200
    with served.engine.begin() as conn:
        statuses.drop(conn, "kvk-2")
    assert client.get(path).status_code == 200
    with served.engine.begin() as conn:
        statuses.drop(conn, "kvk-1")
    assert is_error(client.get(path), 404)


def test_the_reference_client_hands_in_and_asks_again(served: Any) -> None:
    login = served.join("kvk-1")
    url = f"{served.url}{ROOT}collections/{contribute.CONTRIBUTE.id}/"
    with Collection(url, user=login["user"], password=login["password"]) as collection:
        status = collection.add_objects({"objects": [RANDOM, NOT_STIX]})
        assert (status.status, status.total_count, status.success_count, status.failure_count) == ("complete", 2, 1, 1)
        status.refresh()
        assert status.successes[0]["id"] == RANDOM["id"]
        status.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"lek", b"[]", b"null", b'{"objects":{}}', b'{"objects":[]}', b"{}", b'{"objects":[{"lek":]}', b'"\xff"',
     b'{"objects":' + b"[" * 20_000, b'{"objects":[' + b'{"a":' * 20_000, json.dumps(RANDOM).encode()],
)  # fmt: skip
def test_what_is_no_envelope_is_refused_whole(served: Any, client: httpx.Client, body: bytes) -> None:
    assert is_error(client.post(OBJECTS, content=body, headers=SENT), 422)
    assert served.handed_in == []


def test_more_objects_or_octets_than_are_taken(world: Any, serve: Callable[..., Any]) -> None:
    serve(world, max_content_length=100_000)
    with world.client(world.join("kvk-1")) as client:
        many = b'{"objects":[' + b"1," * contribute.MOST + b"1]}"
        assert is_error(client.post(OBJECTS, content=many, headers=SENT), 422)
        chunked = iter([b'{"objects":["', b"x" * 100_000, b'"]}'])
        assert is_error(client.post(OBJECTS, content=chunked, headers=SENT), 413)
        assert world.handed_in == []
        hand_in(client, RANDOM)


def test_nothing_is_read_of_who_may_not_hand_in(served: Any, client: httpx.Client) -> None:
    body = json.dumps({"objects": [RANDOM]})
    with served.client() as nobody:
        assert is_error(nobody.post(OBJECTS, content=body, headers=SENT), 401)
    assert is_error(client.post(OBJECTS, content=body, headers=SENT | {"Accept": "text/html"}), 406)
    for wrong in ("application/json", "application/taxii+json;version=2.0", ""):
        assert is_error(client.post(OBJECTS, content=body, headers={"Content-Type": wrong}), 415)
    assert served.handed_in == []


def test_what_was_handed_in_cannot_be_read_or_deleted(client: httpx.Client) -> None:
    one = f"{OBJECTS}{RANDOM['id']}/"
    for path in (OBJECTS, OBJECTS.replace("objects", "manifest"), one, one + "versions/"):
        assert is_error(client.get(path), 403)
    assert is_error(client.delete(one), 403)
    resource = client.get(f"{ROOT}collections/{contribute.CONTRIBUTE.id}/").json()
    assert (resource["alias"], resource["can_read"], resource["can_write"]) == ("contribute", False, True)


def test_a_status_names_some_and_counts_all(client: httpx.Client) -> None:
    told = hand_in(client, *([1] * 3000))
    assert (told["failure_count"], len(told["failures"]), "successes" in told) == (3000, 1000, False)
