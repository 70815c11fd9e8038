"""`oktt doctor`: each fault is found, named, and comes with what to do."""

import socket
from pathlib import Path
from typing import Any

import pytest

from app import checks, service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    service.make(tmp_path)
    return tmp_path


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


def test_no_configuration(tmp_path: Path) -> None:
    assert "oktt init" in fault(tmp_path, "configuration")


def test_a_key_that_others_can_read(folder: Path) -> None:
    (folder / "instance.key").chmod(0o644)
    assert "chmod 600" in fault(folder, "keys")
    (folder / "instance.key").unlink()
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "oktt.toml").write_text(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "{security}"\n')
    assert "does not answer" in fault(folder, "smtp")


def test_a_server_that_answers(folder: Path) -> None:
    from aiosmtpd.controller import Controller

    class Nothing:
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802
            return "250 ok"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(Nothing(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        (folder / "oktt.toml").write_text(f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n')
        assert found(folder)["smtp"][0]
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
