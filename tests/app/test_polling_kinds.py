"""TAXII, MISP, mailboxes and topics from end to end: `oktt poll` against the real servers, killed with SIGKILL."""

import imaplib
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from kafka import KafkaProducer

from tests.app.forks import KILLED, Forks
from tests.app.instance import MONDAY, PEOPLE, copied, done, make, oktt
from tests.app.state import state
from tests.ingest.misp_server import KEY, Misp, event, lay_feed
from tests.ingest.servers import PASSWORD, USER, broker, dovecot, medallion, secret_file
from tests.ingest.test_mailbox import report
from tests.ingest.test_taxii import DATA, indicator
from tests.ingest.webserver import web_server

KINDS = ("taxii", "misp", "feed", "imap", "kafka")


@dataclass
class Partner:
    """A source with three documents or more; `table`: the lines of its table."""

    table: str
    add: Callable[[], None]
    """Gives something more."""


def start(kind: str, home: Path, stack: ExitStack) -> Partner:
    """A server of that kind, filled."""
    made: dict[str, Callable[[Path, ExitStack], Partner]] = {
        "taxii": taxii, "misp": misp, "feed": feed, "imap": imap, "kafka": kafka,
    }  # fmt: skip
    return made[kind](home, stack)


def table(kind: str, url: str, **more: Any) -> str:
    given = {name: str(value) for name, value in more.items()}
    lines = {"kind": kind, "url": url, "tlp": "CLEAR", "private": True, **given}
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())


def taxii(home: Path, stack: ExitStack) -> Partner:
    url = stack.enter_context(medallion(home, DATA))

    def add() -> None:
        media = "application/taxii+json;version=2.1"
        requests.post(
            f"{url}/api1/collections/{DATA['api1']['collections'][1]['id']}/objects/",
            json={"objects": [indicator(999)]},
            auth=(USER, PASSWORD), headers={"Content-Type": media, "Accept": media}, timeout=60,
        ).raise_for_status()  # fmt: skip

    return Partner(table("taxii", f"{url}/taxii2/", user=USER, secret_file=secret_file(home)), add)


def misp(home: Path, stack: ExitStack) -> Partner:
    web = stack.enter_context(web_server(home))
    server = Misp(web)
    server.add(*(event(number) for number in range(3)))
    lines = table("misp", web.url("/"), secret_file=secret_file(home, KEY), ca_file=web.ca_file)
    return Partner(lines, lambda: server.add(event(9)))


def feed(home: Path, stack: ExitStack) -> Partner:
    web = stack.enter_context(web_server(home))
    events = [event(number) for number in range(3)]
    lay_feed(web, *events)
    return Partner(table("misp", web.url("/feed/"), ca_file=web.ca_file), lambda: lay_feed(web, *events, event(9)))


def imap(home: Path, stack: ExitStack) -> Partner:
    server = stack.enter_context(dovecot(home))
    context = ssl.create_default_context(cafile=server.ca_file)
    box = stack.enter_context(imaplib.IMAP4_SSL("localhost", server.imaps, ssl_context=context))
    box.login(USER, PASSWORD)

    def put(number: int) -> None:
        row = (
            b'"timestamp","ip","port","tag","asn","geo"\n"2026-03-0%d 00:01:25","198.51.100.%d",3389,"rdp",64496,"NL"\n'
        )
        assert (
            box.append("INBOX", "", imaplib.Time2Internaldate(0.0), report(number, row % (number, number)))[0] == "OK"
        )

    for number in (1, 2, 3):
        put(number)
    url = f"imaps://localhost:{server.imaps}/INBOX"
    lines = table("imap", url, user=USER, secret_file=secret_file(home), ca_file=server.ca_file, since="99999d")
    return Partner(lines, lambda: put(4))


def kafka(home: Path, stack: ExitStack) -> Partner:
    server = stack.enter_context(broker(home))

    def put(*numbers: int) -> None:
        producer = KafkaProducer(bootstrap_servers=f"localhost:{server.plain}")
        for number in numbers:
            bundle = {"type": "bundle", "id": f"bundle--00000000-0000-4000-8000-{number:012d}"}
            producer.send("threats", json.dumps({**bundle, "objects": [indicator(number)]}).encode())
        producer.flush()
        producer.close()

    put(1, 2, 3)
    given = {"user": USER, "secret_file": secret_file(home), "ca_file": server.ca_file}
    return Partner(table("kafka", f"kafka://localhost:{server.scram}", **given), lambda: put(4))


@pytest.fixture(params=KINDS)
def partner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    with ExitStack() as stack:
        yield start(request.param, tmp_path, stack)


def instance(folder: Path, partner: Partner, settings: str = "", extra: str = "") -> Path:
    made = make(folder, settings=settings, people=PEOPLE)
    (made / "sources.toml").write_text(f'[source.partner]\nname = "Partner"\n{partner.table}{extra}')
    return made


def test_killed_in_the_middle_and_started_again(tmp_path: Path, partner: Partner, forks: Forks) -> None:
    """Nothing is lost and nothing comes twice, wherever it was killed; and what is new afterwards is new alone."""
    begin = instance(tmp_path / "begin", partner)
    whole = copied(begin, tmp_path / "whole")
    first = done(whole, "poll", "--json").rows
    assert sum(row["documents"] for row in first) >= 2, first
    assert done(whole, "items", "--json").rows
    done(whole, "poll", "partner")
    expected = state(whole)
    died = 0
    for number in range(1, 60, 2):
        when = "before" if number % 4 == 1 else "after"
        folder = copied(begin, tmp_path / f"{number}-{when}")
        code, _ = forks.run(folder, ["poll"], number=number, when=when)
        assert code in (0, KILLED)
        died += code == KILLED
        done(folder, "poll")
        done(folder, "poll", "partner")
        assert expected.differences(state(folder)) == []
        if code == 0:
            break
    assert died >= 3
    partner.add()
    assert sum(row["documents"] for row in done(folder, "poll", "partner", "--json").rows) >= 1
    assert done(folder, "items", "--json").rows != done(whole, "items", "--json").rows


@pytest.mark.parametrize(("kind", "url"), [("imap", "imaps://localhost/INBOX"), ("kafka", "kafka://localhost:9092")])
def test_a_mailbox_or_broker_is_refused_without_a_basis_for_storing(tmp_path: Path, kind: str, url: str) -> None:
    """Under no-basis storing is processing: neither the source's own regime nor the one in force may be that."""
    made = make(tmp_path / "i")
    text = f'[source.partner]\nname = "Partner"\nkind = "{kind}"\nurl = "{url}"\nregime = "no-basis"\n'
    (made / "sources.toml").write_text(text)
    ran = oktt(made, "poll", "partner")
    assert ran.code == 1
    assert "source.partner.kind" in ran.err
    assert "stores documents before the guard has seen them" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("kind", ["imap", "kafka"])
def test_nor_are_they_read_when_the_regime_in_force_has_no_basis(tmp_path: Path, kind: str) -> None:
    """The source follows legal.toml, and that may be another one on another day."""
    made = make(tmp_path / "i")
    url = {"imap": "imaps://127.0.0.1:9/INBOX", "kafka": "kafka://127.0.0.1:9"}[kind]
    (made / "sources.toml").write_text(
        f'[source.partner]\nname = "Partner"\nkind = "{kind}"\nurl = "{url}"\nprivate = true\n'
    )
    before = oktt(made, "poll", "partner", now="2019-01-01T00:00:00Z")
    assert "stores documents before the guard has seen them" in before.out + before.err
    after = oktt(made, "poll", "partner", now=MONDAY)
    assert "refuses the connection" in after.out + after.err
