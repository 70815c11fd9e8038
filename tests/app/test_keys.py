"""The instance key: made once, readable by its owner only, and one key for each purpose."""

import os
import stat
from pathlib import Path

import pytest

from app import AppError, keys


def test_it_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "instance.key"
    old = os.umask(0)
    try:
        assert keys.create(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert not keys.create(path)
    assert path.read_bytes() == before
    assert len(bytes.fromhex(path.read_text())) == 32


def test_two_instances_have_two_keys(tmp_path: Path) -> None:
    for name in "ab":
        keys.create(tmp_path / name)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_a_purpose_has_its_own_key_and_keeps_it(tmp_path: Path) -> None:
    keys.create(tmp_path / "key")
    ring, again = keys.load(tmp_path / "key"), keys.load(tmp_path / "key")
    purposes = ("documents", "guard", "journal", "merge", "deliveries")
    derived = {ring.derive(purpose) for purpose in purposes}
    assert len(derived) == len(purposes)
    assert all(len(each) == 32 for each in derived)
    assert [again.derive(each) for each in purposes] == [ring.derive(each) for each in purposes]
    assert bytes.fromhex((tmp_path / "key").read_text()) not in derived


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(AppError, match="chmod 600"):
        keys.load(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "does not hold 32 bytes"),
        (b"00" * 31, "does not hold 32 bytes"),
        (b"00" * 33, "does not hold 32 bytes"),
        (b"0" * 63, "is not a key file"),
        (b"geheimewaarde", "is not a key file"),
        (b"\xff" * 32, "is not a key file"),
    ],
)
def test_what_is_no_key(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(AppError, match=says) as caught:
        keys.load(path)
    assert "geheimewaarde" not in str(caught.value)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="put back the key"):
        keys.load(tmp_path / "key")
    with pytest.raises(AppError, match=r"check \[keys\]"):
        keys.create(tmp_path / "nowhere" / "key")
