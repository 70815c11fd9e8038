"""The file channel: whole files only, and writing again changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from dispatch import Delivery, DispatchError, Outcome
from dispatch.files import FileChannel
from subscribers import Contact
from tests.dispatch.views import NOW

FILE = Contact("file")
DELIVERY = Delivery("a" * 32, "alert", "OKTT-2026-0412", 1, "kvk-1", 0, "sending", NOW, NOW)


def test_a_message_is_a_file_and_repeating_it_changes_nothing(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "outbox")
    for _ in range(2):
        assert channel.send(DELIVERY, FILE, b"bytes") == Outcome("sent", "file")
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [f"{DELIVERY.id}.eml"]
    assert (tmp_path / "outbox" / f"{DELIVERY.id}.eml").read_bytes() == b"bytes"
    channel.close()


def test_a_folder_that_cannot_be_written_is_a_retry(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    outcome = FileChannel(tmp_path / "outbox").send(DELIVERY, FILE, b"bytes")
    assert (outcome.status, outcome.reason[:5]) == ("retry", "file-")
    full = tmp_path / "full"
    (full / f"{DELIVERY.id}.eml").mkdir(parents=True)
    assert FileChannel(full).send(DELIVERY, FILE, b"bytes").status == "retry"
    assert [path.name for path in full.iterdir()] == [f"{DELIVERY.id}.eml"], "nothing half-written stays"


@pytest.mark.parametrize("identifier", ["../x", "", "a/b", "a\0b"])
def test_a_name_never_leaves_the_folder(tmp_path: Path, identifier: str) -> None:
    with pytest.raises(DispatchError):
        FileChannel(tmp_path).send(replace(DELIVERY, id=identifier), FILE, b"")
    assert list(tmp_path.iterdir()) == []
