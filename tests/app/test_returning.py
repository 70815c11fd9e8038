"""Mail to the address for what comes back, to which anybody may write."""

from pathlib import Path

import pytest

from app import returning
from app.service import open_service
from tests.app.house import opened

_PART = "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n"


@pytest.mark.parametrize(
    "mail",
    ["".join(map(_PART.format, range(2000))), "To: " + "(" * 100_000 + "\n\n", "From: " + "(" * 100_000 + "\n\n"],
)
def test_a_mail_that_no_reader_comes_through_is_put_aside_for_a_person(tmp_path: Path, mail: str) -> None:
    opened(tmp_path)
    new = tmp_path / "bounces/new"
    new.mkdir(parents=True)
    (new / "1").write_text(mail)
    (tmp_path / "oktt.toml").write_text('[bounces]\naddress = "bounce@oktt.example"\nfolder = "bounces"\n')
    service = open_service(tmp_path)
    try:
        assert returning.read(service) == {"not understood": 1}
        assert returning.read(service) == {}
    finally:
        service.close()
    assert [file.name for file in (tmp_path / "bounces/cur").iterdir()] == ["1:2,"]
