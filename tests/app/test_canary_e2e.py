"""Under `no-basis` no personal value reaches the database, a file, a log, an error or an answer: all of it, end to end.

Documents with known values in every place go through the real door; what may be released is released, sent, put in a
digest and served. Then every byte that the instance kept or said is searched for every form of every value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.app import canary
from tests.app.canary import Canary
from tests.app.instance import FRIDAY, PEOPLE, Ran, make, oktt, person
from tests.app.servers import started

SOURCES = ("ncsc-nl", "kev", "epss", "cve", "shadowserver", "market", "news")
EVERYBODY = [
    *PEOPLE,
    # Who holds every documentation network, may see much, and reads all there is.
    person(
        "alles", {"type": "email", "address": "cert@alles.example", "digest": ["monday", "friday"]}, {"type": "taxii"},
        kind="cert", clearance="RED", networks=["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"],
    ),
]  # fmt: skip


@dataclass
class Said:
    """All that came out of commands and the web, by what said it."""

    parts: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, ran: Ran) -> Ran:
        self.parts[name] = self.parts.get(name, b"") + (ran.out + ran.err).encode()
        return ran


@dataclass(frozen=True)
class World:
    instance: Path
    said: Said
    planted: canary.Search
    documents: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    base = tmp_path_factory.mktemp("canary")
    written, planted = canary.write(base / "in")
    instance = make(base / "instance", settings="[desk]\nundo_minutes = 0\n", people=EVERYBODY)
    _no_basis(instance)
    said = Said()
    for source, path in written:
        ran = said.add("ingest", oktt(instance, "--verbose", "ingest", path, "--source", source))
        assert ran.code == 0, ran.err
    _everything_out(instance, said)
    _serve(instance, said)
    return World(instance, said, canary.Search(planted), len(written))


def _no_basis(instance: Path) -> None:
    """Every source under the regime that is in force before there is any basis."""
    text = (instance / "sources.toml").read_text()
    for source in SOURCES:
        header = f"[source.{source}]\n"
        assert header in text
        text = text.replace(header, header + 'regime = "no-basis"\n')
    (instance / "sources.toml").write_text(text)


def _everything_out(instance: Path, said: Said) -> None:
    rows = said.add("items", oktt(instance, "items", "--json")).rows
    assert rows
    for row in rows:
        if row["state"] != "released":
            release = ("release", row["id"], "--by", "anna", "--reason", "gezien", "--to", "kvk-alles")
            ran = said.add("release", oktt(instance, "--verbose", *release))
            assert "mistake of ours" not in ran.err
            said.add("approve", oktt(instance, "--verbose", "approve", row["id"], "--by", "bram"))
        for asked in (
            ("item", row["id"]), ("item", row["id"], "--json"), ("audience", row["id"], "--json"),
            ("why", row["id"], "kvk-alles", "--json"), ("legal", "explain", row["id"], "--json"),
            ("legal", "explain", row["id"], "--at", "2026-01-01", "--json"), ("legal", "explain", row["id"]),
        ):  # fmt: skip
            said.add(" ".join((asked[0], *asked[2:])), oktt(instance, "--verbose", *asked))
    steps: Sequence[tuple[str, Sequence[str]]] = (
        ("2026-03-02T08:00:00Z", ("dispatch", "--now")), ("2026-03-06T12:00:00Z", ("dispatch", "--now")),
        (FRIDAY, ("digest", "--edition", "friday", "--date", "2026-03-06")), (FRIDAY, ("dispatch", "--now")),
        (FRIDAY, ("refused", "--json")), (FRIDAY, ("refused",)), (FRIDAY, ("items",)), (FRIDAY, ("sources", "--json")),
        (FRIDAY, ("audit", "export")), (FRIDAY, ("audit", "verify")), (FRIDAY, ("doctor",)), (FRIDAY, ("sources",)),
        (FRIDAY, ("subject", "find", "email", "iemand@elders.example")), (FRIDAY, ("purge", "--dry-run")),
    )  # fmt: skip
    for now, command in steps:
        ran = said.add(command[0], oktt(instance, "--verbose", *command, now=now))
        assert ran.code == 0, ran.err


def _serve(instance: Path, said: Said) -> None:
    made = oktt(instance, "credentials", "create", "kvk-alles", "--for", "taxii", "--json").row
    login = (made["user"], made["password"])
    with started(instance, "--verbose", "serve", "--port", "0", OKTT_NOW=FRIDAY) as process:
        with httpx.Client(base_url=process.url, headers={"Accept": "application/taxii+json;version=2.1"}) as client:
            answers = [client.get("/feed.atom", headers={"Accept": "*/*"}), client.get("/metrics")]
            for each in client.get("/taxii2/oktt/collections/", auth=login).json()["collections"]:
                if not each["can_read"]:
                    continue
                at = f"/taxii2/oktt/collections/{each['id']}"
                answers += _pages(client, f"{at}/objects/", login) + _pages(client, f"{at}/manifest/", login)
        assert all(answer.status_code == 200 for answer in answers)
        said.parts["http"] = b"\n".join(answer.content for answer in answers)
        assert process.end() == 0
        said.parts["serve"] = process.log.read_bytes()


def _pages(client: httpx.Client, path: str, login: tuple[str, str]) -> list[httpx.Response]:
    answers: list[httpx.Response] = []
    token: str | None = None
    while not answers or answers[-1].json().get("more"):
        token = answers[-1].json()["next"] if answers else None
        answers.append(client.get(path, params={"limit": 500} | ({"next": token} if token else {}), auth=login))
    return answers


def kept(instance: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the instance: database, write-ahead log, messages, settings; and what they are called."""
    for path in sorted(instance.rglob("*")):
        yield "names", f"{path.relative_to(instance)}\n".encode()
        if path.is_file():
            yield str(path.relative_to(instance)) if path.suffix != ".eml" else "outbox", path.read_bytes()


def test_there_was_something_to_leak(world: World) -> None:
    """Items came of it, in every state there is a way out of; messages left; TAXII and the feed hold something."""
    rows = oktt(world.instance, "items", "--json").rows
    assert len(rows) >= 10
    assert sum(row["state"] == "released" for row in rows) >= 6
    assert len(list((world.instance / "outbox").glob("*.eml"))) >= 5
    assert len(world.said.parts["http"]) > 30_000
    assert b'"event": "document"' in world.said.parts["ingest"]


def test_a_scan_says_where_and_not_what(world: World, tmp_path: Path) -> None:
    """Of files that are called after somebody it says the name it was given; a word that is a key is in the path."""
    written, planted = canary.write(tmp_path / "in")
    ran = oktt(world.instance, "--verbose", "guard", "scan", tmp_path / "in", "--json")
    assert ran.code == 0, ran.err
    assert len(ran.rows) > len(planted) / 2
    names = {one for one in planted if any(one.value in path.name for _, path in written)}
    keys = {one for one in planted if one.category == "username" and one.place.endswith("key")}
    assert _told(sorted(set(world.planted.hits((ran.out + ran.err).encode())) - names - keys, key=str)) == []


def test_nothing_that_was_kept_holds_a_value(world: World) -> None:
    places: dict[str, bytes] = {}
    for name, content in kept(world.instance):
        places[name] = places.get(name, b"") + content
    leaks = {name: world.planted.hits(content) for name, content in places.items()}
    assert {name: _told(found) for name, found in leaks.items() if found} == {}


def test_nothing_that_was_said_holds_a_value(world: World) -> None:
    leaks = {name: world.planted.hits(canary.once(content)) for name, content in world.said.parts.items()}
    assert {name: _told(found) for name, found in leaks.items() if found} == {}


def _told(found: Sequence[Canary]) -> list[str]:
    return [f"{each.place}: {each.category} {each.value}" for each in found]
