"""Under a basis: each reader gets what is its own, in mail and over TAXII, and nobody gets anybody else's.

One instance with sources under `wbdwb`, `oktt`, `cbw` and `no-basis`, all of them TLP:CLEAR, so that no label hides
what the guard lets through. What went to each class of reader is searched for every form of every victim's value, and
so is everything that was kept or said.
"""

import email.policy
import re
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path

import httpx
import pytest

from tests.app import canary, canary_victims
from tests.app.canary import Canary
from tests.app.canary_victims import OWNERS, SOURCES, SYSTEM, Owner, Victim
from tests.app.instance import FRIDAY, MONDAY, copied, make, oktt, person
from tests.app.servers import started

LISTS = ("/csv", "/misp", "/stix", "/pattern")
LONG_AFTER = "2027-06-01T08:00:00Z"
"""Every category's retention is over; that of the items is not."""
OUTGOING = {("deliveries", "message"), ("published", "body"), ("published", "object_id"), ("published_blocks", "body")}
"""Where a value may lie open: messages to its owner, and objects in its owner's collection, with their derived ids."""


def _reader(name: str, **more: object) -> dict[str, object]:
    mail = {"type": "email", "address": f"post@{name}.lezer.example", "digest": ["monday", "friday"]}
    return person(name, mail, {"type": "taxii"}, clearance="RED", sectors=[], **more)


def _holds(owner: Owner, bits: tuple[int, int] = (26, 48)) -> dict[str, object]:
    four, six, domain = OWNERS[owner]
    return {"networks": [f"{four}/{bits[0]}", f"{six}/{bits[1]}"], "domains": [domain]}


READERS = [
    _reader("metaal", **_holds("metaal")),
    _reader("isp", networks=[f"AS{SYSTEM}"]),
    _reader("cert", kind="cert", **_holds("cert")),
    _reader("elders", kind="cert", networks=["192.0.2.96/29"]),
    _reader("dienend", kind="partnership", members=["kvk-metaal", "kvk-eiland"], serves_members=True),
    _reader("streek", kind="partnership", members=["kvk-metaal", "kvk-eiland"]),
    _reader("buur", networks=["192.0.2.64/29"], domains=["buur.example"]),
    _reader("eiland", country="BQ", **_holds("eiland")),
]
NAMES = tuple(str(each["id"]).removeprefix("kvk-") for each in READERS)


@dataclass
class World:
    instance: Path
    planted: Sequence[Victim]
    search: canary.Search
    mails: dict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))
    """Reader -> all that was mailed to it, decoded."""
    served: dict[str, bytes] = field(default_factory=dict)
    """Reader -> all that its credentials give over TAXII."""
    public: bytes = b""
    said: dict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))

    def say(self, *command: str | Path, now: str = MONDAY) -> str:
        ran = oktt(self.instance, "--verbose", *command, now=now)
        self.said[str(command[0])] += (ran.out + ran.err).encode()
        assert ran.code == 0, ran.err
        return ran.out

    def of(self, content: bytes) -> set[Canary]:
        return set(self.search.hits(content))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    base = tmp_path_factory.mktemp("readers")
    instance = make(base / "instance", settings="[desk]\nundo_minutes = 0\n", people=READERS)
    _sources(instance)
    made, planted = canary_victims.documents()
    world = World(instance, planted, canary.Search(planted))
    for source in SOURCES:
        folder = base / source
        folder.mkdir()
        for one in made:
            if one.source == source:
                (folder / one.name).write_bytes(one.body)
        world.say("ingest", folder, "--source", source)
    _out(world)
    _gather(world)
    return world


def _sources(instance: Path) -> None:
    """Everything CLEAR: what is held back, the guard alone holds back."""
    text = "".join(
        f'\n[source.{source}]\nname = "{source}"\ntlp = "CLEAR"\n'
        + ("" if source == "shadowserver" else f'regime = "{regime}"\n')
        for source, regime in SOURCES.items()
    )
    (instance / "sources.toml").write_text(text)


def _out(world: World) -> None:
    rows = oktt(world.instance, "items", "--json").rows
    assert {source for row in rows for source in row["sources"]} == set(SOURCES)
    for row in rows:
        if row["state"] != "released":
            world.say("release", row["id"], "--by", "anna", "--reason", "gezien")
    kinds = {(row["sources"][0], row["kind"]): row["id"] for row in rows}
    for (source, _), item in kinds.items():
        for asked in (("item", item, "--json"), ("audience", item, "--json"), ("legal", "explain", item, "--json")):
            world.say(*asked)
        if source == "shadowserver":
            world.say("item", item)
            world.say("why", item, "kvk-metaal", "--json")
            world.say("legal", "explain", item, "--at", "2024-01-01", "--json")
    steps: Sequence[tuple[str, Sequence[str]]] = (
        (MONDAY, ("dispatch", "--now")), (FRIDAY, ("digest", "--edition", "friday", "--date", "2026-03-06")),
        (FRIDAY, ("dispatch", "--now")), (FRIDAY, ("refused", "--json")), (FRIDAY, ("sources", "--json")),
        (FRIDAY, ("audit", "export")), (FRIDAY, ("audit", "verify")), (FRIDAY, ("items", "--json")),
        (FRIDAY, ("doctor",)), (FRIDAY, ("subject", "find", "ipv4", "192.0.2.99")),
    )  # fmt: skip
    for now, command in steps:
        world.say(*command, now=now)
    assert {row["state"] for row in oktt(world.instance, "items", "--json").rows} == {"released"}


def _gather(world: World) -> None:
    for path in sorted((world.instance / "outbox").glob("*.eml")):
        message = BytesParser(policy=email.policy.default).parsebytes(path.read_bytes())
        to = str(message["To"])
        (reader,) = [name for name in NAMES if f"post@{name}.lezer.example" in to]
        parts = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
        world.mails[reader] += path.read_bytes() + b"\n".join(part for part in parts if isinstance(part, bytes))
    logins = {}
    for name in NAMES:
        made = oktt(world.instance, "credentials", "create", f"kvk-{name}", "--for", "taxii", "--json").row
        logins[name] = (made["user"], made["password"])
    with started(world.instance, "--verbose", "serve", "--port", "0", OKTT_NOW=FRIDAY) as process:
        headers = {"Accept": "application/taxii+json;version=2.1"}
        with httpx.Client(base_url=process.url, headers=headers, timeout=60) as client:
            for name, login in logins.items():
                world.served[name] = b"".join(_collection(client, login))
            world.public = client.get("/feed.atom", headers={"Accept": "*/*"}).content
            world.said["metrics"] = client.get("/metrics", headers={"Accept": "*/*"}).content
        assert process.end() == 0
        world.said["serve"] = process.log.read_bytes()


def _collection(client: httpx.Client, login: tuple[str, str]) -> list[bytes]:
    found = []
    for each in client.get("/taxii2/oktt/collections/", auth=login).json()["collections"]:
        if not each["can_read"]:
            continue
        for what in ("objects", "manifest"):
            answer, params = None, {"limit": "2000"}
            while answer is None or answer.json().get("more"):
                answer = client.get(f"/taxii2/oktt/collections/{each['id']}/{what}/", params=params, auth=login)
                assert answer.status_code == 200
                found.append(answer.content)
                params["next"] = answer.json().get("next", "")
    return found


def own(world: World, reader: str) -> set[Canary]:
    """What a reader may have: its own systems and accounts; under wbdwb not in the Caribbean Netherlands."""
    return {
        one
        for one in world.planted
        if one.owner == reader
        and one.sealed
        and one.regime != "no-basis"
        and (reader, one.regime) != ("eiland", "wbdwb")
    }


def told(found: set[Canary]) -> list[str]:
    return sorted(f"{each.place}: {each.category} {each.value}" for each in found)


@pytest.mark.parametrize("reader", NAMES)
def test_nobody_is_mailed_what_is_not_its_own(world: World, reader: str) -> None:
    assert world.mails[reader], "something did go to it"
    assert told(world.of(world.mails[reader]) - own(world, reader)) == []


@pytest.mark.parametrize("reader", NAMES)
def test_nobody_is_served_what_is_not_its_own(world: World, reader: str) -> None:
    assert len(world.served[reader]) > 2000, "something was served to it"
    assert told(world.of(world.served[reader]) - own(world, reader)) == []


@pytest.mark.parametrize("reader", ["metaal", "isp", "cert", "eiland"])
def test_who_it_is_about_gets_all_of_it(world: World, reader: str) -> None:
    """Else nothing of the above could fail: systems in reports, rows of lists, mailboxes, by mail and over TAXII."""
    mine = own(world, reader)
    assert {one.regime for one in mine if isinstance(one, Victim)} == {"wbdwb", "oktt", "cbw"} - (
        {"wbdwb"} if reader == "eiland" else set()
    )
    assert told(mine - world.of(world.mails[reader])) == []
    assert told(mine - world.of(world.served[reader])) == []


def test_a_cert_gets_tokens_of_the_rest_and_nobody_else_does(world: World) -> None:
    """Of what concerns it or is for all: lists. A report of systems goes to a CERT when its constituency is in it."""
    tokens = {name: set(re.findall(rb'"token":"([0-9a-f]{32})"', content)) for name, content in world.served.items()}
    listed = [one for one in world.planted if one.sealed and one.regime != "no-basis" and one.place.endswith(LISTS)]
    assert len(tokens["elders"]) == len(listed) > 100
    theirs = [one for one in listed if one.owner == "cert"]
    assert len(tokens["elders"] - tokens["cert"]) == len(theirs) > 10, "alike, since they are of one class"
    assert tokens["cert"] - tokens["elders"], "of others in the reports that concern it"
    assert {name for name, found in tokens.items() if found} == {"cert", "elders"}


def test_the_public_sees_that_there_was_something_and_nothing_of_it(world: World) -> None:
    assert world.public.count(b"<entry>") > 20
    assert told(world.of(world.public)) == []


def test_nothing_that_was_said_holds_a_value(world: World) -> None:
    assert len(b"".join(world.said.values())) > 100_000
    found = {name: told(world.of(canary.once(content))) for name, content in world.said.items()}
    assert {name: values for name, values in found.items() if values} == {}


def test_what_lies_open_is_on_its_way_to_its_owner_and_nowhere_else(world: World) -> None:
    places: dict[tuple[str, str], set[Canary]] = defaultdict(set)
    with closing(sqlite3.connect(world.instance / "oktt.db")) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = database.execute(f'SELECT * FROM "{table}"')
            columns = [each[0] for each in rows.description]
            for column, values in zip(columns, zip(*rows.fetchall(), strict=True), strict=False):
                places[table, column] |= world.of(b"\0".join(map(_bytes, values)))
        whose = [
            *database.execute("SELECT subscriber, message FROM deliveries WHERE message IS NOT NULL"),
            *database.execute(
                "SELECT subscriber, object_id || body FROM published JOIN collections ON id = collection"
            ),
            *database.execute("SELECT subscriber, body FROM published_blocks JOIN collections ON id = collection"),
        ]
    assert {place for place, found in places.items() if found} <= OUTGOING
    assert places["published", "body"], "there is something to find"
    for subscriber, content in whose:
        assert told(world.of(_bytes(content)) - own(world, str(subscriber).removeprefix("kvk-"))) == []


def test_no_file_holds_more_than_that(world: World) -> None:
    """Free pages of the database and its log included; of messages only those to the owner hold its values."""
    theirs = set().union(*(own(world, reader) for reader in NAMES))
    keys = world.instance.with_name("instance.keys")
    files = [path for path in (*world.instance.rglob("*"), *keys.rglob("*")) if path.is_file()]
    assert len([path for path in files if path.is_relative_to(keys)]) == 5, (
        "the instance's key, one a source with a basis, that of messages"
    )
    for path in files:
        found = world.of(path.read_bytes())
        if path.suffix == ".eml":
            continue  # by reader above
        assert told(found - (theirs if path.name.startswith("oktt.db") else set())) == [], path.name


def test_after_its_time_nothing_lies_anywhere(world: World, tmp_path: Path) -> None:
    """Nor in the write-ahead log, while somebody else still has the database open, as a service does."""
    left = copied(world.instance, tmp_path / "instance")
    with closing(sqlite3.connect(left / "oktt.db")) as other:
        assert other.execute("SELECT count(*) FROM items").fetchone() != (0,)
        ran = oktt(left, "--verbose", "purge", now=LONG_AFTER)
        assert ran.code == 0, ran.err
        assert told(world.of((ran.out + ran.err).encode())) == []
        files = [path for path in (*left.rglob("*"), *left.with_name("instance.keys").rglob("*")) if path.is_file()]
        assert {"oktt.db", "oktt.db-wal"} <= {path.name for path in files}
        found = {path.name: told(world.of(path.read_bytes())) for path in files}
    assert {name: values for name, values in found.items() if values} == {}


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
