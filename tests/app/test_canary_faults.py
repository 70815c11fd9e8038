# ruff: noqa: E501 - tables of requests
"""When something fails, what is said holds no value; and nothing of a document touches the disk beside the database.

Errors of the database, of files that people write, of HTTP requests; temporary files and helper processes, by Python's
own audit events (PEP 578).
"""

import base64
import functools
import gzip
import io
import itertools
import json
import os
import re
import socket
import socketserver
import struct
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import kafka.errors
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ConfigError
from config.settings import DEFAULTS, FILES, load, write_defaults
from ingest.kafka_client import reason_of
from tests.app import canary, canary_victims
from tests.app.canary import Canary, Search
from tests.app.instance import FEEDS, FORTINET, FRIDAY, done, lay, make, oktt, person
from tests.app.servers import started
from tests.app.sink import Sink, listening

MAIL, IPV4, NAME = "lek77q@persoon.example", "203.0.113.177", "Quirijn Zwaluwstaartzz"
VALUES = [Canary("email", MAIL, "mail"), Canary("ipv4", IPV4, "address"), Canary("name", NAME, "name")]
SEARCH = Search(VALUES)
EVENTS: list[tuple[str, str]] = []
_watching = [False]
_HELPERS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "pty.spawn")


def _note(event: str, args: tuple[object, ...]) -> None:
    if not _watching[0]:
        return
    if event in _HELPERS or event.startswith("tempfile."):
        EVENTS.append((event, ""))
    elif event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if isinstance(args[0], int):
            return  # a file that is open already: it was noted then
        EVENTS.append((event, str(args[0])))


@pytest.fixture(scope="module", autouse=True)
def _hooked() -> None:
    sys.addaudithook(_note)  # cannot be taken out again: it does nothing unless somebody watches


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    EVENTS.clear()
    _watching[0] = True
    try:
        yield EVENTS
    finally:
        _watching[0] = False


def packed(documents: list[canary.Document], folder: Path) -> None:
    """The documents as they are, in an archive, in an archive in one, and packed alone."""
    folder.mkdir()
    whole, inner = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for number, one in enumerate(documents):
            archive.writestr(f"binnen-{number}", one.body)
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("in.zip", inner.getvalue())
        archive.writestr("kapot.zip", inner.getvalue()[:-40])
    (folder / "alles.zip").write_bytes(whole.getvalue())
    for number, one in enumerate(documents):
        (folder / f"{number}-{one.name}").write_bytes(one.body)
        (folder / f"{number}.gz").write_bytes(gzip.compress(one.body))


def test_nothing_of_a_document_is_written_beside_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make(tmp_path / "instance")
    made, planted = canary_victims.documents()
    packed([one for one in made if one.source == "shadowserver"], tmp_path / "in")
    waiting = tmp_path / "tmp"
    waiting.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(waiting))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with watched() as events:
        ran = oktt(instance, "--verbose", "ingest", tmp_path / "in", "--source", "market")
    assert ran.code == 0, ran.err
    assert "documents" in ran.out
    keys = str(instance.with_name("instance.keys"))
    assert [each for each in events if each[0] != "open" or not each[1].startswith(keys)] == []
    assert any(each[0] == "open" for each in events), "the vault's key was made, and the watch saw it"
    assert list(waiting.iterdir()) == []
    search = Search(planted)
    assert search.hits((ran.out + ran.err).encode()) == []
    assert [path.name for path in instance.rglob("*") if path.is_file() and search.hits(path.read_bytes())] == []


@pytest.fixture
def instance(tmp_path: Path, empty_url: str) -> Path:
    return make(
        tmp_path / "instance", settings=f"[database]\nurl = {json.dumps(empty_url)}\n", people=[person("metaal")]
    )


def test_an_error_of_the_database_holds_no_value(instance: Path, url: str, tmp_path: Path) -> None:
    """PostgreSQL's own words say which value was there already, and which row was refused."""
    (tmp_path / "lijst.csv").write_text("value,category\nkwaad.example,c2\n")
    done(instance, "ingest", tmp_path / "lijst.csv", "--source", "market")
    item = oktt(instance, "items", "--json").row["id"]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX canary ON history (reason)")
    engine.dispose()
    assert oktt(instance, "claim", item, "--by", "anna", "--reason", f"{MAIL} {IPV4}").code == 0
    ran = oktt(instance, "--verbose", "hold", item, "--by", "anna", "--reason", f"{MAIL} {IPV4}")
    assert ran.code == 1
    assert ran.err
    assert SEARCH.hits((ran.out + ran.err).encode()) == []


def test_a_row_that_the_database_refuses_is_not_told(instance: Path, url: str, tmp_path: Path) -> None:
    if url.startswith("sqlite"):
        pytest.skip("SQLite's tables take no constraint afterwards, and its errors hold no rows")
    (tmp_path / "lijst.csv").write_text("value,category\nkwaad.example,c2\n")
    done(instance, "ingest", tmp_path / "lijst.csv", "--source", "market")
    item = oktt(instance, "items", "--json").row["id"]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE history ADD CONSTRAINT short CHECK (length(reason) < 12) NOT VALID")
        connection.exec_driver_sql("ALTER TABLE subscribers ADD CONSTRAINT canary CHECK (id <> 'kvk-lek')")
    engine.dispose()
    people = tmp_path / "lek.ndjson"
    people.write_text(json.dumps(person("lek", {"type": "email", "address": MAIL}, networks=[f"{IPV4}/32"])))
    for command in (("hold", item, "--by", "anna", "--reason", MAIL), ("subscribers", "import", str(people))):
        ran = oktt(instance, "--verbose", *command)
        assert ran.code == 1
        assert SEARCH.hits((ran.out + ran.err).encode()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"networks": [f"{IPV4}.7"]}, {"sectors": [MAIL]}, {"clearance": NAME}, {"country": NAME}, {"domains": [f"{MAIL} x"]},
        {"channels": [{"type": MAIL}]}, {"channels": [{"type": "email", "address": f"{NAME} {IPV4}"}]}, {"quiet": MAIL},
        {"members": MAIL}, {"software": [MAIL]}, {"size": IPV4}, {"verified": MAIL}, {"language": MAIL},
    ],
)  # fmt: skip
def test_an_error_in_a_file_of_subscribers_names_line_and_field(tmp_path: Path, change: dict[str, object]) -> None:
    instance = make(tmp_path / "instance")
    people = tmp_path / "people.ndjson"
    people.write_text(json.dumps(person("lek") | change))
    ran = oktt(instance, "--verbose", "subscribers", "import", people)
    assert ran.code == 1
    assert "line 1" in ran.err or ":1" in ran.err
    assert SEARCH.hits((ran.out + ran.err).encode()) == []


def test_an_answer_to_a_request_gives_nothing_back(tmp_path: Path) -> None:
    instance = make(tmp_path / "instance", people=[person("metaal", {"type": "taxii"})])
    made = oktt(instance, "credentials", "create", "kvk-metaal", "--for", "taxii", "--json").row
    login = httpx.BasicAuth(made["user"], made["password"])
    basic = base64.b64encode(f"{MAIL}:{IPV4}".encode()).decode()
    body = json.dumps({"objects": [{"type": "ipv4-addr", "value": IPV4, "id": MAIL}]})
    answers: list[httpx.Response] = []
    with started(instance, "--verbose", "serve", "--port", "0", OKTT_NOW=FRIDAY) as process:
        with httpx.Client(base_url=process.url, headers={"Accept": "application/taxii+json;version=2.1"}) as client:
            for path in (f"/{MAIL}", f"/a/{IPV4}", f"/taxii2/{IPV4}/", f"/taxii2/oktt/collections/{MAIL}/", f"/feed.atom/{IPV4}",
                         f"/taxii2/oktt/collections/clear/objects/{MAIL}/", f"/taxii2/oktt/status/{IPV4}/"):  # fmt: skip
                for auth in (httpx.Auth(), login):
                    answers += [client.get(path, auth=auth), client.post(path, content=body, auth=auth)]
                answers += [client.delete(path, auth=login), client.request("LEK", path)]
            at = "/taxii2/oktt/collections/clear/objects/"
            for params in ({"limit": MAIL}, {"next": IPV4}, {"match[id]": MAIL}, {"added_after": IPV4}, {MAIL: IPV4}):
                answers.append(client.get(at, params=params, auth=login))
            for headers in (
                {"Accept": MAIL}, {"Authorization": f"Bearer {MAIL}"}, {"Authorization": f"Basic {basic}"}, {"Host": MAIL},
                {"Content-Length": "0", "X-Forwarded-For": IPV4}, {"Range": MAIL}, {"If-None-Match": MAIL}, {"Cookie": MAIL},
            ):  # fmt: skip
                answers += [client.get(at, headers=headers), client.get("/feed.atom", headers=headers)]
            typed = {"Content-Type": "application/taxii+json;version=2.1"}
            for content in (body, body[:-5], MAIL, "[" * 5000 + MAIL):
                answers.append(client.post(at, content=content, headers=typed, auth=login))
            metrics = client.get("/metrics", headers={"Accept": "*/*"})
        assert process.end() == 0
        log = process.log.read_bytes()
    assert len(answers) > 60
    assert {each.status_code for each in answers} >= {401, 404, 405}
    assert not any(each.status_code >= 500 for each in answers)
    for each in answers:
        assert SEARCH.hits(each.content + repr(each.headers).encode()) == [], (each.request.method, each.status_code)
    assert SEARCH.hits(metrics.content) == []
    assert SEARCH.hits(log) == []


TOLD = f"{MAIL} {IPV4} {NAME}".encode()


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """The port of what says so to one request after another, with the request's number where a broker says it."""
    turn = itertools.cycle(answers)

    class Broker(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            while asked := connection.recv(65536):
                connection.sendall(next(turn).replace(b"NUMB", asked[8:12]))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Broker) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_what_a_broker_says_is_not_told(tmp_path: Path) -> None:
    """Kafka's client puts the words and bytes of a broker into its errors and its log."""
    made = make(tmp_path / "instance")
    answers = (
        b"HTTP/1.1 400 " + TOLD + b"\r\n\r\n",
        struct.pack(">i", 4 + len(TOLD)) + b"NUMB" + TOLD,
        struct.pack(">i", 8 + len(TOLD)) + b"NUMB" + struct.pack(">hh", 35, len(TOLD)) + TOLD,
    )
    with answering(*answers) as port:
        lines = f'name = "Partner"\nkind = "kafka"\nurl = "kafka://127.0.0.1:{port}"\ntlp = "CLEAR"\nprivate = true\n'
        (made / "sources.toml").write_text(f"[source.partner]\n{lines}")
        ran = oktt(made, "--verbose", "poll", "partner")
    assert "broker" in ran.out + ran.err
    assert SEARCH.hits((ran.out + ran.err).encode()) == []
    assert [path.name for path in made.rglob("*") if path.is_file() and SEARCH.hits(path.read_bytes())] == []


def test_no_error_of_kafkas_client_is_told_in_its_own_words() -> None:
    kinds = [each for each in vars(kafka.errors).values() if isinstance(each, type)]
    kinds = [each for each in kinds if issubclass(each, kafka.errors.KafkaError)]
    assert len(kinds) > 100
    for kind in kinds:
        error = kind(TOLD.decode())
        error.__cause__ = OSError(5, TOLD.decode())
        assert SEARCH.hits(f"{error} {error.__cause__}".encode())
        assert SEARCH.hits(reason_of(error).encode()) == [], kind


def test_only_the_channel_produces_to_a_broker_and_nothing_starts_a_helper_or_makes_temporary_files() -> None:
    house = Path(__file__).parents[2]
    never = re.compile(
        r"\bKafkaProducer\b|\bimport (?:tempfile|subprocess|gnupg|multiprocessing)\b|\bos\.(?:system|exec|spawn|fork)"
    )
    rooms = (
        "app",
        "config",
        "dispatch",
        "filtering",
        "ingest",
        "normalize",
        "pii_guard",
        "subscribers",
        "tlp",
        "triage",
        "web",
    )
    files = [path for room in rooms for path in (house / room).rglob("*.py")]
    assert len(files) > 150
    found = [str(path.relative_to(house)) for path in files if never.search(path.read_text(encoding="utf-8"))]
    assert found == ["dispatch/topic.py"], "what a reader may see, as the message that it is sent"


@functools.cache
def _shipped() -> list[tuple[str, int, str]]:
    """Each line of each file that sets a key, also those that stand there as examples; and heads of tables."""
    found = []
    for name in FILES:
        for number, line in enumerate((DEFAULTS / name).read_text(encoding="utf-8").splitlines()):
            shown = re.sub(r"^# ?(?=\w+ = )", "", line)
            if re.match(r"\s*(?:[\w-]+\s*=|\[)", shown):
                found.append((name, number, shown))
    return found


@settings(max_examples=80)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_an_error_in_a_setting_holds_no_value_of_it(
    tmp_path_factory: pytest.TempPathFactory, which: int, how: int
) -> None:
    """A value that may not stand there, of whatever kind, or no TOML at all: file, line and key, and nothing more."""
    folder = tmp_path_factory.getbasetemp() / "settings"
    write_defaults(folder)
    name, number, line = _shipped()[which % len(_shipped())]
    key = re.split(r"=", line)[0]
    wrong = (
        json.dumps(MAIL), json.dumps([NAME, IPV4]), f"{{ x = {json.dumps(MAIL)} }}", MAIL, f'"{NAME}', f'1\n{key}= "{IPV4}"',
    )[how]  # fmt: skip
    lines = (DEFAULTS / name).read_text(encoding="utf-8").splitlines()
    lines[number] = line.replace("]", f' "{MAIL}"]', 1) if line.lstrip().startswith("[") else f"{key}= {wrong}"
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    told = ""
    try:
        load(folder)
    except ConfigError as error:
        told = str(error)
    (folder / name).unlink()
    assert SEARCH.hits(told.encode()) == []
    assert not told or name in told


def test_what_a_mail_server_answers_is_kept_as_a_number_alone(tmp_path: Path) -> None:
    """Servers repeat sender and recipient, and say whatever they like."""
    people = [
        person(name, {"type": "email", "address": f"{name}@ontvanger.example"}, software=FORTINET) for name in "abcd"
    ]
    instance = make(tmp_path / "instance", people=people)
    lay(tmp_path / "in", {"ncsc-nl": FEEDS["ncsc-nl"]})
    done(instance, "ingest", tmp_path / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")
    said = f"{MAIL} [{IPV4}] {NAME}"
    answers = iter(
        (f"550 5.1.1 <{said}> unknown", f"451 4.7.1 {said} try later", f"554-{said}\r\n554 {said}", f"421 {said}")
    )
    with listening(Sink(answer=lambda recipient, before: next(answers, f"452 {said}"))) as sink:
        with (instance / "oktt.toml").open("a", encoding="utf-8") as file:
            file.write(sink.settings)
        ran = oktt(instance, "--verbose", "dispatch", "--now", "--json")
        told = [
            oktt(instance, "--verbose", *each) for each in (("doctor",), ("audit", "export"), ("refused", "--json"))
        ]
    assert ran.code == 0, ran.err
    assert ran.row["failed"] + ran.row["retry"] == 4
    assert SEARCH.hits("".join(each.out + each.err for each in (ran, *told)).encode()) == []
    kept = {path.name: SEARCH.hits(path.read_bytes()) for path in instance.rglob("*") if path.is_file()}
    assert {name: found for name, found in kept.items() if found} == {}
