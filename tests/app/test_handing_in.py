"""POST to `contribute` in a whole instance: through the door, to the desk, and nothing else of it anywhere."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app import contributing, database, website
from app.retention import purge
from tests.app import canary
from tests.app.house import TAXII, House, opened
from tests.app.servers import wait_for
from tests.app.test_contributions import CLEAR, STAMP, handed_in, sdo
from triage import inbox
from triage.documents import refusals
from web import auth
from web.answers import MEDIA_TYPE
from web.server import server_config

ROOT = "/taxii2/oktt/"


@contextmanager
def taxii(house: House, who: str) -> Iterator[httpx.Client]:
    with house.service.transaction() as connection:
        login = auth.create(connection, who, "taxii", house.now)
    headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE, "Authorization": f"Bearer {login['token']}"}
    app = website.application(house.service)
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(60)
        app.state.ledger.flush()


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    return client.post(f"{ROOT}collections/contribute/objects/", content=body)


def told(client: httpx.Client, *objects: Any) -> dict[str, Any]:
    answer = post(client, json.dumps({"objects": objects}).encode())
    assert answer.status_code == 202, answer.text
    resource: dict[str, Any] = answer.json()
    return resource


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = opened(tmp_path, f"sqlite:///{tmp_path / 'oktt.db'}")
    made.subscribe("een", TAXII)
    return made


def stored(house: House) -> dict[str, list[Any]]:
    """Every row of every table, but for statuses and standings."""
    with house.service.reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table))]
            for name, table in database.tables().tables.items()
            if name not in ("statuses", "cursors", "sources", "credentials", "requests")
        }


def test_an_envelope_comes_to_the_desk_and_again_changes_nothing(house: House) -> None:
    with taxii(house, "een") as client:
        first = told(client, *handed_in(CLEAR)["objects"])
        assert (first["total_count"], first["failure_count"]) == (10, 0), first
        with house.service.reading() as connection:
            [card] = inbox.cards(connection)
        assert (card["state"], card["sources"]) == ("new", ["subscriber:een"])
        before = stored(house)
        second = told(client, *handed_in(CLEAR)["objects"])
        assert {**second, "id": first["id"]} == first
        assert second["id"] != first["id"]
        assert stored(house) == before


def test_each_failure_says_stage_and_reason(house: House) -> None:
    good = sdo("vulnerability", 1, name="CVE-2026-0001", external_references=[])
    objects = [
        good,
        sdo("malware", 2),
        {"type": "tool", "id": "lek@persoon.example"},
        sdo("indicator", 3, pattern="lek@persoon.example", pattern_type="stix", valid_from=STAMP),
        sdo("identity", 4, name="Quirijn Lek"),
        "lek",
        sdo("vulnerability", 5, name="CVE-2026-0002", description=["lek"]),
    ]
    with taxii(house, "een") as client:
        status = told(client, *objects)
    assert [(each["id"], each["message"]) for each in status["failures"]] == [
        (objects[1]["id"], "shape: a required property is missing, at /objects/1/is_family"),
        ("objects/2", "shape: an id that is not `type--uuid` of its own type, at /objects/2/id"),
        (objects[3]["id"], "shape: a pattern that is not valid STIX, at /objects/3/pattern"),
        (objects[4]["id"], "shape: no threat by itself, and no threat in this envelope refers to it"),
        ("objects/5", "shape: not a JSON object, at /objects/5"),
    ]
    assert [(each["id"], "malformed" in each.get("message", "")) for each in status["successes"]] == [
        (good["id"], False), (objects[6]["id"], True),
    ]  # fmt: skip
    assert "lek" not in json.dumps([each.get("message") for each in status["failures"] + status["successes"]])


def test_an_envelope_without_a_threat_fails_whole(house: House) -> None:
    with taxii(house, "een") as client:
        status = told(client, sdo("identity", 1, name="Iemand"), sdo("malware", 2))
    assert (status["success_count"], status["failure_count"]) == (0, 2)
    assert all(each["message"].startswith("shape: ") for each in status["failures"])


def test_what_an_analyst_has_to_see_first_is_taken_and_says_so(house: House) -> None:
    marked = sdo("vulnerability", 1, name="CVE-2026-0001") | {
        "object_marking_refs": ["marking-definition--00000000-0000-4000-8000-000000000009"]
    }
    with taxii(house, "een") as client:
        [success] = told(client, marked)["successes"]
    assert success["message"] == "guard: an analyst looks first (unknown-marking)"


def test_a_mistake_of_ours_is_told_without_its_words(house: House) -> None:
    """The guard meets what it cannot read: it is told as such, and the server goes on."""
    house.service.guard = None  # type: ignore[assignment]
    with taxii(house, "een") as client:
        status = told(client, sdo("vulnerability", 1, name="CVE-2026-0001"))
        assert status["failure_count"] == 1
        assert "a mistake of ours" in status["failures"][0]["message"]
        assert client.get("/taxii2/").status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([{"id": ["x"]}, {"id": {}, "type": []}, [], None])
@given(st.lists(JSON | st.sampled_from(handed_in(CLEAR)["objects"]), min_size=1, max_size=6))
def test_whatever_is_handed_in_each_object_has_its_verdict(house: House, objects: list[Any]) -> None:
    body = json.dumps({"objects": objects}).encode()
    verdicts = contributing.contribute(house.service, "een", body, objects)
    assert len(verdicts) == len(objects)
    assert all(each.taken or each.message for each in verdicts)
    assert not any("a mistake of ours" in each.message for each in verdicts)
    assert contributing.contribute(house.service, "een", body, objects) == verdicts


def test_statuses_go_with_their_time_and_with_their_subscriber(house: House) -> None:
    with taxii(house, "een") as client:
        told(client, sdo("vulnerability", 1, name="CVE-2026-0001"))
        house.later(hours=24 * 29)
        assert purge(house.service)["statuses"] == 0
        house.later(hours=48)
        assert purge(house.service)["statuses"] == 1


def test_without_a_basis_nothing_of_a_body_lies_anywhere(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Canaries in every place of STIX, and in bodies that are none; then every byte that was kept or said."""
    house.now = datetime(2017, 3, 2, 8, tzinfo=UTC)
    caplog.set_level(logging.DEBUG)
    documents, planted = canary.documents()
    said: list[bytes] = []
    echoed: list[bytes] = []
    ids: list[str] = []
    with taxii(house, "een") as client, capture_logs() as logs:
        for each in (each for each in documents if each.format == "stix"):
            for body in (each.body, each.body[:-20], b'{"objects":' + each.body + b"}"):
                answer = post(client, body)
                if answer.status_code == 202:  # to whoever sent it; what is kept of it is asked for below
                    echoed.append(answer.content)
                    ids.append(answer.json()["id"])
                else:
                    assert answer.status_code == 422
                    said.append(answer.content)
        assert len(ids) >= 5
        said += [client.get(f"{ROOT}status/{each}/").content for each in ids]
        said.append(client.get("/metrics").content)
    said += [repr(logs).encode(), caplog.text.encode()]
    said += [file.read_bytes() for file in sorted(house.service.settings.dir.rglob("*")) if file.is_file()]
    with house.service.reading() as connection:
        statements = connection.scalars(sa.select(inbox.statements.c.regime).distinct()).all()
        assert statements == ["no-basis"]
        said.append(repr([tuple(row) for row in connection.execute(sa.select(refusals))]).encode())
    search = canary.Search(planted)
    assert search.hits(b"\n".join(echoed)), "ids that are made of values: they show that kept ones would be found"
    assert [each.place for each in search.hits(b"\n".join(said))] == []
