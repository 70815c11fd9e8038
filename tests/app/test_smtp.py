"""Sending by SMTP to a real server that accepts, delays, refuses, breaks off or is not there."""

import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.instance import FEEDS, MONDAY, OKTT, ROOT, TEST_CLOCK, copied, done, lay, make, oktt, person
from tests.app.sink import Sink, listening

FORTINET = [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"}]
NAMES = ("een", "twee", "drie", "vier")
SOON = "2026-03-02T08:05:00Z"
"""The first wait is half to one and a half minutes."""


@pytest.fixture(scope="module")
def queued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four alerts that wait to be sent."""
    folder = tmp_path_factory.mktemp("queued")
    make(folder / "instance", people=[person(name, software=FORTINET) for name in NAMES])
    lay(folder / "in", {"ncsc-nl": FEEDS["ncsc-nl"]})
    done(folder / "instance", "ingest", folder / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")
    return folder / "instance"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as found:
        yield found


@pytest.fixture
def instance(queued: Path, sink: Sink, tmp_path: Path) -> Path:
    copy = copied(queued, tmp_path / "instance")
    (copy / "oktt.toml").write_text(TEST_CLOCK + sink.settings)
    return copy


def dispatch(instance: Path, now: str = MONDAY) -> dict[str, int]:
    row: dict[str, int] = done(instance, "dispatch", "--now", "--json", now=now).row
    assert row.keys() == {"sent", "retry", "failed", "cancelled"}
    return row


def counts(**given: int) -> dict[str, int]:
    return {"sent": 0, "retry": 0, "failed": 0, "cancelled": 0} | given


def ledger(instance: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(instance / "oktt.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM ledger ORDER BY id")]
    connection.close()
    return rows


def recipients(sink: Sink) -> Counter[str]:
    return Counter(mail.recipient.split("@")[0] for mail in sink.mails)


def test_accepted(instance: Path, sink: Sink) -> None:
    assert dispatch(instance) == counts(sent=4)
    assert recipients(sink) == Counter(NAMES)
    assert dispatch(instance) == counts()
    for row, mail in zip(ledger(instance), sink.mails, strict=True):
        assert (row["outcome"], row["reason"], row["message_id"]) == ("sent", "smtp-250", mail.id)
        assert row["repeat"] == 0
        assert b"TLP:CLEAR" in mail.content
    assert not (instance / "outbox").exists() or not list((instance / "outbox").glob("*.eml"))


def test_later_then_accepted(instance: Path, sink: Sink) -> None:
    sink.answer = lambda recipient, before: "451 4.7.1 greylisted" if recipient.startswith("twee") else "250 OK"
    assert dispatch(instance) == counts(sent=3, retry=1)
    sink.answer = lambda recipient, before: "250 OK"
    assert dispatch(instance) == counts(), "not before its time, not even with --now"
    assert dispatch(instance, SOON) == counts(sent=1)
    assert recipients(sink) == Counter(NAMES)
    assert [row["repeat"] for row in ledger(instance)] == [0, 0, 0, 0], "a refusal is no acceptance"


def test_later_for_ever_is_failed_in_the_end(instance: Path, sink: Sink) -> None:
    sink.answer = lambda recipient, before: "421 4.3.2 not now" if recipient.startswith("twee") else "250 OK"
    seen: Counter[str] = Counter()
    for day in range(2, 12):
        seen.update(dispatch(instance, f"2026-03-{day:02}T12:00:00Z"))
    assert (seen["sent"], seen["failed"]) == (3, 1)
    assert seen["retry"] == 7
    (row,) = (row for row in ledger(instance) if row["outcome"] == "failed")
    assert row["subscriber"] == "kvk-twee"
    assert row["reason"] == "smtp-421"


def test_refused_for_good(instance: Path, sink: Sink) -> None:
    sink.answer = lambda recipient, before: "554 5.7.1 no" if recipient.startswith("drie") else "250 OK"
    assert dispatch(instance) == counts(sent=3, failed=1)
    assert dispatch(instance, SOON) == counts()
    assert {row["subscriber"]: row["reason"] for row in ledger(instance)}["kvk-drie"] == "smtp-554"


def test_nobody_listens(queued: Path, tmp_path: Path) -> None:
    copy = copied(queued, tmp_path / "instance")
    with listening(Sink()) as sink:
        pass
    (copy / "oktt.toml").write_text(TEST_CLOCK + sink.settings)
    assert dispatch(copy) == counts(retry=4)
    assert ledger(copy) == []
    told = oktt(copy, "doctor")
    assert told.code == 1
    assert f"port {sink.port} does not answer" in " ".join(told.out.split())
    with listening(Sink()) as other:
        (copy / "oktt.toml").write_text(TEST_CLOCK + other.settings)
        assert dispatch(copy, SOON) == counts(sent=4)
        assert recipients(other) == Counter(NAMES)


def test_broken_off_after_data(instance: Path, sink: Sink) -> None:
    """It may have been accepted: it comes again with the same bytes, and the ledger says so."""
    sink.answer = lambda recipient, before: "" if before == 1 else "250 OK"
    assert dispatch(instance) == counts(sent=3, retry=1)
    assert dispatch(instance, SOON) == counts(sent=1)
    assert sorted(recipients(sink).values()) == [1, 1, 1, 2]
    assert len(set(sink.mails)) == 4
    assert sorted(row["repeat"] for row in ledger(instance)) == [0, 0, 0, 1]


def test_two_at_once_send_each_once(instance: Path, sink: Sink) -> None:
    """Two processes dispatch at the same moment."""
    command: list[str | Path] = [OKTT, "--dir", instance, "dispatch", "--now", "--json"]
    environment = {"OKTT_NOW": MONDAY, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [(process.returncode, err) for process, (_, err) in zip(both, said, strict=True)] == [(0, ""), (0, "")]
    assert recipients(sink) == Counter(NAMES)
    assert len(ledger(instance)) == 4


def test_one_that_cannot_be_made_holds_up_nobody(instance: Path, sink: Sink) -> None:
    """An address that became none in the database: that one fails by name, the others go."""
    with sqlite3.connect(instance / "oktt.db") as connection:
        spoilt = "replace(CAST(data AS TEXT), 'een@voorbeeld', 'een voorbeeld')"
        changed = connection.execute(f"UPDATE subscribers SET data = {spoilt} WHERE id = 'kvk-een'")
        assert changed.rowcount == 1
    connection.close()
    ran = oktt(instance, "dispatch", "--now", "--json")
    assert ran.code == 0, ran.err
    assert ran.row == counts(sent=3, failed=1)
    assert recipients(sink) == Counter(NAMES[1:])
    assert next(row["reason"] for row in ledger(instance) if row["subscriber"] == "kvk-een") == "unsendable"


def test_settings_of_the_server_that_are_wrong_are_told_and_cost_nothing(instance: Path, sink: Sink) -> None:
    """A password file that is not there: exit 1 naming it; once it is mended, all goes, unrepeated."""
    (instance / "oktt.toml").write_text(TEST_CLOCK + sink.settings + 'user = "oktt"\npassword_file = "smtp.password"\n')
    ran = oktt(instance, "dispatch", "--now")
    assert ran.code == 1
    assert "smtp.password" in ran.err
    assert ran.err.count("\n") == 1
    (instance / "oktt.toml").write_text(TEST_CLOCK + sink.settings)
    assert dispatch(instance) == counts(sent=4)
    assert recipients(sink) == Counter(NAMES)
    assert [row["repeat"] for row in ledger(instance)] == [0, 0, 0, 0]
