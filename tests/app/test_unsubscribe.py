"""/u/TOKEN: one click stops what comes to an address, and nothing else does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.service import open_service
from app.website import application
from tests.app.instance import FEEDS, FORTINET, TEST_CLOCK, done, lay, make, person
from tests.app.sink import Sink, listening
from tests.app.test_smtp import SOON, counts, dispatch, ledger
from tests.dispatch.test_mail import read


def asked(instance: Path, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
    """The application's answers."""
    service = open_service(instance)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application(service))
        async with httpx.AsyncClient(transport=transport, base_url="https://oktt.example") as client:
            return [await client.request(method, path, **more) for method, path, more in requests]

    try:
        return asyncio.run(ask())
    finally:
        service.close()


def test_one_click_stops_what_comes_to_that_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = tmp_path / "instance"
    second = {"type": "email", "address": "tweede@voorbeeld.example"}
    first = {"type": "email", "address": "eerste@voorbeeld.example"}
    make(instance, people=[person("een", first, second, software=FORTINET, networks=["198.51.100.0/25"])])
    lay(tmp_path / "in", {name: FEEDS[name] for name in ("ncsc-nl", "shadowserver")})
    done(instance, "ingest", tmp_path / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")
    with listening(Sink()) as sink:
        base = '[web]\nbase_url = "https://oktt.example"\n'
        (instance / "oktt.toml").write_text(TEST_CLOCK + sink.settings + base)
        assert dispatch(instance) == counts(sent=2)
        links = {mail.recipient.split("@")[0]: str(read(mail.content)["List-Unsubscribe"]) for mail in sink.mails}
        path = links["eerste"].strip("<>").removeprefix("https://oktt.example")
        assert path.startswith("/u/")
        assert links["tweede"] != links["eerste"]
        first_mail = next(read(mail.content) for mail in sink.mails if mail.recipient == first["address"])
        stop = links["eerste"].strip("<>")
        for form, shown in (("plain", f"\r\n{stop}\r\n"), ("html", f'href="{stop}"')):
            body = first_mail.get_body((form,))
            assert body is not None
            assert body.get_content().count(shown) == 1, "and at the end of what is read, too"

        monkeypatch.setenv("OKTT_NOW", SOON)
        one_click = {"data": {"List-Unsubscribe": "One-Click"}}
        other = path[:3] + ("A" if path[3] != "A" else "B") + path[4:]  # of the last one two bits say nothing
        scanned = asked(instance, ("GET", path, {}), ("HEAD", path, {}), ("GET", path, {}))
        assert [each.status_code for each in scanned] == [200, 200, 200]
        assert 'value="One-Click"' in scanned[-1].text, "nothing changed yet"
        (known,) = (json.loads(line) for line in (instance / "people.ndjson").read_text().splitlines())
        assert f"berichten voor {known['name']}." in scanned[-1].text, "who had it passed on sees whose mail it stops"
        # As mail programs do (RFC 8058 3.2): multipart/form-data, no cookie, once more to be sure.
        *refused, stopped, again = asked(
            instance, ("GET", other, {}), ("POST", other, one_click), ("POST", path, {"data": {"other": "x"}}),
            ("POST", path, {"files": {"List-Unsubscribe": (None, "One-Click")}}), ("POST", path, one_click),
        )  # fmt: skip
        assert [each.status_code for each in (*refused, stopped, again)] == [404, 404, 400, 200, 200]
        assert "Op dit adres komen geen berichten meer" in stopped.text
        report = next((tmp_path / "in/shadowserver").iterdir())
        done(instance, "ingest", report, "--source", "shadowserver", now=SOON)
        assert dispatch(instance, SOON) == counts(sent=1, cancelled=1)
        assert sink.mails[-1].recipient == second["address"]
        assert [row["reason"] for row in ledger(instance) if row["outcome"] == "cancelled"] == ["opt-out"]
        shown = done(instance, "subscribers", "show", "kvk-een", "--json", now=SOON).row["contacts"]
        assert [each.get("silent") for each in shown] == ["opt-out", None]
        done(instance, "subscribers", "import", instance / "people.ndjson")
        shown = done(instance, "subscribers", "show", "kvk-een", "--json", now=SOON).row["contacts"]
        assert shown[0]["silent"] == "opt-out", "no import takes that back"

        (resumed,) = asked(instance, ("POST", path, {"data": {"change": "resume"}}))
        assert "weer berichten" in resumed.text
        shown = done(instance, "subscribers", "show", "kvk-een", "--json", now=SOON).row["contacts"]
        assert "silent" not in shown[0]


def test_the_text_of_a_partnership_has_no_stop_link(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    mailbox = {"type": "email", "address": "verband@voorbeeld.example"}
    make(instance, people=[person("een", mailbox, software=FORTINET, kind="partnership")])
    lay(tmp_path / "in", {"ncsc-nl": FEEDS["ncsc-nl"]})
    done(instance, "ingest", tmp_path / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")
    with listening(Sink()) as sink:
        (instance / "oktt.toml").write_text(TEST_CLOCK + sink.settings + '[web]\nbase_url = "https://oktt.example"\n')
        assert dispatch(instance) == counts(sent=1)
        mail = read(sink.mails[0].content)
    assert "/u/" in mail["List-Unsubscribe"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "/u/" not in body.get_content(), "who reads it passed on would stop another's mail"
