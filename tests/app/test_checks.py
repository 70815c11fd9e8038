"""`oktt doctor`: each fault is found, named, and comes with what to do."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import checks, service
from config.settings import load
from ingest import cursors
from subscribers import Contact, Inventory, Software, registry
from tests.app.house import MAIL, House, opened
from tests.ingest.servers import free_ports
from web import auth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    service.make(tmp_path)
    return tmp_path


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path / "house", url)


def found(folder: Path) -> dict[str, tuple[bool, str]]:
    return {each["what"]: (each["ok"], each["says"]) for each in checks.examine(folder)}


def fault(folder: Path, what: str) -> str:
    """The one fault there is."""
    results = found(folder)
    assert [name for name, (ok, _) in results.items() if not ok] == [what], results
    return results[what][1]


def test_all_is_well(folder: Path) -> None:
    results = found(folder)
    assert all(ok for ok, _ in results.values())
    assert list(results) == ["configuration", "legal policy", "keys", "database", "outbox", "smtp", "clock"]


def warnings(folder: Path) -> dict[str, str]:
    results = checks.examine(folder)
    assert all(each["ok"] == (each["status"] != "fault") for each in results)
    return {each["what"]: each["says"] for each in results if each["status"] == "warning"}


def live(folder: Path, name: str, lines: str) -> None:
    with (folder / "sources.toml").open("a") as file:
        file.write(f'\n[source.{name}]\nname = "{name}"\n{lines}\n')


def test_what_live_sources_need(folder: Path) -> None:
    """No source is asked for anything: these hosts are not there."""
    live(folder, "hub", 'kind = "taxii"\nurl = "https://hub.invalid/"\nsecret_file = "hub.key"')
    (folder / "hub.key").write_text("s3cret")
    (folder / "hub.key").chmod(0o600)
    assert found(folder)["sources"] == (True, "1 live sources: their secrets and certificates can be used")
    (folder / "hub.key").chmod(0o644)
    assert "chmod 600" in fault(folder, "source hub")
    (folder / "hub.key").chmod(0o600)
    live(folder, "site", 'kind = "http"\nurl = "https://site.invalid/"\nca_file = "missing.pem"')
    assert "ca_file" in fault(folder, "source site")
    (folder / "sources.toml").write_text("")
    live(folder, "hub", 'kind = "taxii"\nurl = "http://hub.invalid/"\nsecret_file = "hub.key"')
    assert "use https" in warnings(folder)["sources"]
    assert "s3cret" not in repr(checks.examine(folder))


def test_sources_that_are_late(house: House) -> None:
    folder, now = house.service.settings.dir, datetime.now(UTC)
    for name in ("fresh", "late", "never", "new"):
        live(folder, name, f'kind = "http"\nurl = "https://{name}.invalid/"\nevery = "1h"')
    with house.service.transaction() as connection:
        cursors.record_success(connection, "fresh", now - timedelta(hours=2))
        cursors.record_success(connection, "late", now - timedelta(hours=4))
        cursors.record_error(connection, "never", now, "never: it took too long to answer")
    told = warnings(folder)
    assert set(told) == {"source late", "source never"}
    assert "is `oktt run` running" in told["source late"]
    assert told["source never"] == "late: it was never read to its end; it took too long to answer"


def test_channels_by_which_nothing_goes_as_things_are_set_up(house: House) -> None:
    folder = house.service.settings.dir
    house.subscribe("mail")
    assert warnings(folder) == {}
    house.subscribe("goed", Contact("webhook", url="https://a.example", secret_file="a.secret"))
    house.subscribe("haak", Contact("webhook", url="https://a.example"), Contact("webhook", url="https://b.example"))
    house.subscribe("beide", MAIL, Contact("kafka", topic="t"), Contact("webhook", url="http://c.example"))
    assert "kafka (subscribers: 1) and webhook (subscribers: 2)" in warnings(folder)["channels"]


def test_inventories_that_are_old(house: House) -> None:
    folder, now = house.service.settings.dir, datetime.now(UTC)
    house.subscribe("een", MAIL)
    house.subscribe("twee", MAIL)
    for name, age in (("een", 91), ("twee", 89)):
        with house.service.transaction() as connection:
            made = now - timedelta(days=age)
            registry.stock(connection, name, Inventory("sbom", "sbom", made, (Software("", "nginx"),)), now)
    assert warnings(folder)["inventories"].startswith("1 subscribers have one older than 90 days")
    (folder / "oktt.toml").write_text((folder / "oktt.toml").read_text() + "\n[desk]\nsoftware_days = 120\n")
    assert "inventories" not in warnings(folder)


def test_credentials_that_open_nothing(house: House) -> None:
    folder, now = house.service.settings.dir, datetime.now(UTC)
    house.subscribe("een")
    with house.service.transaction() as connection:
        for purpose in ("taxii", "api"):
            auth.create(connection, "een", purpose, now)
        auth.create(connection, "een", "api", now, expires_at=now)
    assert warnings(folder)["credentials"].startswith("1 for api")
    with house.service.transaction() as connection:
        auth.revoke(connection, "een", now)
    assert warnings(folder) == {}


def test_a_registry_that_cannot_be_read(folder: Path) -> None:
    with sqlite3.connect(folder / "oktt.db") as connection:
        connection.execute("DROP TABLE subscribers")
    connection.close()
    assert "backup" in fault(folder, "registry")


def test_no_configuration(tmp_path: Path) -> None:
    assert "oktt init" in fault(tmp_path, "configuration")


def test_a_key_that_others_can_read(folder: Path) -> None:
    key = load(folder).instance_key
    key.chmod(0o644)
    assert "chmod 600" in fault(folder, "keys")
    key.unlink()
    assert "is not there" in fault(folder, "keys")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("geheimewaarde", "is neither sqlite"),
        ("mysql://u:geheimewaarde@h/db", "is neither sqlite"),
        ("postgresql://u:geheimewaarde@/x?host=/nowhere", "cannot be reached"),
        ("sqlite:////nowhere/geheimewaarde.db", "cannot be reached"),
        ("sqlite://", "the database is empty"),
    ],
)
def test_a_database_that_is_none(folder: Path, url: str, says: str) -> None:
    (folder / "oktt.toml").write_text(f'[database]\nurl = "{url}"\n')
    said = fault(folder, "database")
    assert says in said
    assert "geheimewaarde" not in said


def test_no_source(folder: Path) -> None:
    (folder / "sources.toml").write_text("")
    assert "sources.toml names no source" in fault(folder, "legal policy")


def test_no_regime_in_force(folder: Path) -> None:
    text = (folder / "legal.toml").read_text()
    (folder / "legal.toml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("valid_from"))
    )
    assert "valid_from" in fault(folder, "legal policy")


def test_an_outbox_that_cannot_be_written(folder: Path) -> None:
    (folder / "outbox").write_text("")
    assert "cannot be written" in fault(folder, "outbox")


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_server_that_does_not_answer(folder: Path, security: str) -> None:
    (port,) = free_ports(1)
    (folder / "oktt.toml").write_text(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "{security}"\n')
    assert "does not answer" in fault(folder, "smtp")


def test_a_server_that_answers(folder: Path) -> None:
    from aiosmtpd.controller import Controller

    class Nothing:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802
            return "250 ok"

    (port,) = free_ports(1)
    server = Controller(Nothing(), hostname="127.0.0.1", port=port, ready_timeout=240)
    server.start()
    try:
        (folder / "oktt.toml").write_text(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n')
        assert found(folder)["smtp"][0]
        assert "set [web] base_url" in warnings(folder)["portal"]
        with (folder / "oktt.toml").open("a") as file:
            file.write('[web]\nbase_url = "https://oktt.example"\n')
        assert "portal" not in found(folder)
        (folder / "oktt.toml").write_text(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "starttls"\n')
        assert "does not answer" in fault(folder, "smtp")
    finally:
        server.stop()


def test_a_clock_for_tests_is_told(folder: Path) -> None:
    (folder / "oktt.toml").write_text("[app]\ntest_clock = true\n")
    ok, says = found(folder)["clock"]
    assert ok
    assert "never in production" in says


def test_it_leaves_nothing_behind(folder: Path) -> None:
    found(folder)
    assert list((folder / "outbox").iterdir()) == []
