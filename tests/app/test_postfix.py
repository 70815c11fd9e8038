"""Messages by a real Postfix: over TLS, with one recipient that it puts off, one that it refuses, and one that it takes
and returns later, with a report of its own making. What came back is read, told and heeded."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.app.instance import FEEDS, FORTINET, TEST_CLOCK, done, lay, make, oktt, person
from tests.app.sink import Sink, listening
from tests.app.test_smtp import SOON, counts, dispatch, ledger
from tests.dispatch.postfix import Postfix, postfix
from tests.ingest.webserver import Authority

TUESDAY = "2026-03-03T08:05:00Z"


class _Greylist(socketserver.StreamRequestHandler):
    """Postfix's policy protocol: who has not been here before comes again later."""

    seen: set[str]

    def handle(self) -> None:
        asked: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode().strip().partition("=")
            asked[name] = value
            if not name:
                who = asked["recipient"]
                fresh = who.startswith("laat@") and who not in self.seen
                self.seen.add(who)
                self.wfile.write(b"action=450 4.2.0 greylisted\n\n" if fresh else b"action=dunno\n\n")
                asked = {}


@contextmanager
def greylist() -> Iterator[int]:
    handler = type("Greylist", (_Greylist,), {"seen": set()})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Elsewhere(Sink):
    """The server of another domain: nobody lives there."""

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return "550 5.1.1 no such user"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postfix, Path]]:
    authority = Authority(tmp_path_factory.mktemp("tls"))
    certificate = authority.certificate("localhost")
    with listening(Elsewhere()) as elsewhere, greylist() as policy:
        settings = {
            "smtpd_tls_security_level": "may",
            "smtpd_tls_chain_files": str(certificate),
            "relay_domains": "elders.example",
            "transport_maps": f"inline:{{elders.example=smtp:[127.0.0.1]:{elsewhere.port}}}",
            "virtual_mailbox_maps": "regexp:{{/^bounce/ bounces/}, {/./ all/}}",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{nee@voorbeeld.example=REJECT}, "
            f"check_policy_service inet:127.0.0.1:{policy}, reject_unauth_destination",
        }
        with postfix(settings) as running:
            yield running, authority.file


def test_what_postfix_takes_puts_off_refuses_and_returns(server: tuple[Postfix, Path], tmp_path: Path) -> None:
    running, authority = server
    returned = running.maildir.parent / "bounces"
    instance = tmp_path / "instance"
    gone = {"type": "email", "address": "weg@elders.example", "digest": ["monday"]}
    people = [person(name, software=FORTINET) for name in ("een", "laat", "nee")]
    make(instance, people=[*people, person("weg", gone, software=FORTINET, networks=["198.51.100.0/25"])])
    (instance / "oktt.toml").write_text(
        f'{TEST_CLOCK}[smtp]\nhost = "localhost"\nport = {running.port}\nca_file = "{authority}"\n'
        f'[bounces]\naddress = "bounce@oktt.example"\nfolder = "{returned}"\n'
    )
    lay(tmp_path / "in", {name: FEEDS[name] for name in ("ncsc-nl", "shadowserver")})
    done(instance, "ingest", tmp_path / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")

    assert dispatch(instance) == counts(sent=2, retry=1, failed=1)
    _wait(returned)
    assert dispatch(instance, SOON) == counts(sent=1)
    told = [(row["subscriber"], row["outcome"], row["reason"]) for row in ledger(instance)]
    assert sorted(told) == [
        ("kvk-een", "sent", "smtp-250"),
        ("kvk-laat", "sent", "smtp-250"),
        ("kvk-nee", "failed", "smtp-554"),
        ("kvk-weg", "returned", "5.1.1"),
        ("kvk-weg", "sent", "smtp-250"),
    ]
    assert not list(returned.glob("new/*")), "it holds an address, and went"
    assert all(b"with ESMTPS" in mail for mail in running.mails)
    assert "silent" not in _channel(instance), "one day may be a mistake of their server"
    assert dispatch(instance, SOON) == counts()

    report = next((tmp_path / "in/shadowserver").iterdir())
    done(instance, "ingest", report, "--source", "shadowserver", now=TUESDAY)
    assert dispatch(instance, TUESDAY) == counts(sent=1)
    _wait(returned)
    assert dispatch(instance, TUESDAY) == counts()
    assert _channel(instance)["silent"] == "unreachable"
    assert "mail to kvk-weg comes back" in " ".join(oktt(instance, "doctor").out.split())

    file = tmp_path / "mended.ndjson"
    mended = person("weg", gone | {"address": "terug@voorbeeld.example"}, software=FORTINET)
    file.write_text(json.dumps(mended))
    done(instance, "subscribers", "import", file)
    assert "silent" not in _channel(instance)


def _channel(instance: Path) -> Any:
    return done(instance, "subscribers", "show", "kvk-weg", "--json", now=TUESDAY).row["contacts"][0]


def _wait(folder: Path) -> None:
    until = time.monotonic() + 240
    while not list(folder.glob("new/*")):
        assert time.monotonic() < until, "Postfix returned nothing"
        time.sleep(0.05)
