"""Making and opening an instance; its clock; its index."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pyroaring import BitMap

from app import AppError, database, service
from config import ConfigError
from config.settings import load
from dispatch import sequence
from filtering.index import Index
from subscribers import Incoming, Profile, registry
from tests.app.house import opened
from tests.triage.desk import draft
from triage import inbox


def configured(folder: Path, text: str = "") -> Path:
    service.make(folder)
    (folder / "oktt.toml").write_text(text)
    return folder


def test_making_it_twice_changes_nothing(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    files = {path.name: path.read_bytes() for path in tmp_path.glob("*.toml")}
    key = house.service.settings.instance_key.read_bytes()
    with house.service.reading() as connection:
        before = connection.execute(sa.select(sequence.collections)).all()
    assert service.make(tmp_path) == []
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.toml")} == files
    assert house.service.settings.instance_key.read_bytes() == key
    with house.service.reading() as connection:
        assert connection.execute(sa.select(sequence.collections)).all() == before


def test_it_says_what_it_made(tmp_path: Path) -> None:
    made = service.make(tmp_path / "deep" / "var")
    assert made == ["oktt.toml", "sources.toml", "legal.toml", "rules.toml", "../var.keys/instance.key"]


def test_no_new_key_is_made_for_a_database_that_was_sealed_with_another(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    key = house.service.settings.instance_key
    key.unlink()
    assert service.make(tmp_path) == [f"../{tmp_path.name}.keys/instance.key"], "nothing is sealed yet"
    house.item(draft())
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(AppError, match=r"instance\.key is not there.*put it back from a backup"):
        service.make(tmp_path)
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    assert service.make(tmp_path) == []


def test_reading_sees_one_moment_and_cannot_write(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    count = sa.select(sa.func.count()).select_from(inbox.items)
    with house.service.reading() as connection:
        assert connection.scalar(count) == 0
        house.item(draft())
        assert connection.scalar(count) == 0
    with house.service.reading() as connection:
        assert connection.scalar(count) == 1
        if connection.dialect.name == "postgresql":
            with pytest.raises(sa.exc.DBAPIError, match="read-only"):
                connection.execute(inbox.items.delete())
    with house.service.transaction() as connection:  # the pool hands out the same connection again
        connection.execute(inbox.items.update().values(holder="anna"))


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="oktt init"):
        service.open_service(tmp_path)
    configured(tmp_path)
    (tmp_path / "oktt.db").unlink()
    with pytest.raises(AppError, match="the database is empty: run `oktt init`"):
        service.open_service(tmp_path)
    load(tmp_path).instance_key.unlink()
    with pytest.raises(AppError, match=r"instance\.key is not there"):
        service.open_service(tmp_path)


@pytest.mark.parametrize(
    "address", ["geheimewaarde", "mysql://u:geheimewaarde@h/db", "postgres://u:geheimewaarde@h/db"]
)
def test_an_address_of_no_database_that_we_know(tmp_path: Path, address: str) -> None:
    configured(tmp_path, f'[database]\nurl = "{address}"\n')
    for attempt in (service.open_service, service.make):
        with pytest.raises(AppError, match=r"\[database\] url in oktt.toml is neither") as caught:
            attempt(tmp_path)
        assert "geheimewaarde" not in str(caught.value)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    configured(tmp_path, f'[database]\nurl = "postgresql://oktt:geheimewaarde@/oktt?host={tmp_path}"\n')
    for attempt in (service.open_service, service.make):
        with pytest.raises(AppError, match="cannot be reached") as caught:
            attempt(tmp_path)
        assert "geheimewaarde" not in str(caught.value)


NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIXED = "2026-03-02T08:30:00+01:00"


def test_the_clock_is_the_systems_unless_tests_may_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTT_NOW", FIXED)
    for text in ("", "[app]\ntest_clock = false\n"):
        moment = service.clock(load(configured(tmp_path, text)))()
        assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
    fixed = service.clock(load(configured(tmp_path, "[app]\ntest_clock = true\n")))()
    assert fixed == datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    monkeypatch.delenv("OKTT_NOW")
    running = service.clock(load(tmp_path))()
    assert abs(running - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize(("text", "says"), [("maandag", "RFC 3339"), ("2026-03-02T08:00:00", "time zone"), ("", "RFC")])
def test_a_time_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str) -> None:
    monkeypatch.setenv("OKTT_NOW", text)
    settings = load(configured(tmp_path, "[app]\ntest_clock = true\n"))
    with pytest.raises(AppError, match=says):
        service.clock(settings)


def test_the_index_follows_the_registry(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    with house.service.reading() as connection:
        assert len(house.service.index(connection).everyone) == 0
    one = house.subscribe("een", sectors=("SBI:25",))
    with house.service.reading() as connection:
        assert list(house.service.index(connection).everyone) == [one.number]
        first = house.service.index(connection)
        assert house.service.index(connection) is first
    two = house.subscribe("twee")
    with house.service.reading() as connection:
        assert set(house.service.index(connection).everyone) == {one.number, two.number}


def test_a_transaction_is_whole_or_nothing(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)

    def half() -> None:
        with house.service.transaction() as connection:
            connection.execute(sa.text("create table half (x int)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert "half" not in sa.inspect(house.service.engine).get_table_names()


def test_reading_waits_for_no_writer(tmp_path: Path) -> None:
    """SQLite has one writer; who only looks does not queue."""
    house = opened(tmp_path)
    with house.service.transaction() as writing, house.service.reading() as reading:
        writing.execute(sa.text("create table t (x int)"))
        assert reading.scalar(sa.text("select count(*) from collections")) == 2
        assert database.connect(house.service.settings.database_url) is not None


def test_what_the_driver_says_of_its_fault_is_named(tmp_path: Path) -> None:
    """A fault is told by its name, which holds no value: an operator needs to know a full disk from a wrong path."""
    folder = configured(tmp_path)
    (folder / "oktt.db").write_bytes(b"not a database at all" * 100)
    for attempt in (service.open_service, service.make):
        with pytest.raises(AppError, match=r"cannot be reached \(SQLITE_NOTADB\): run `oktt doctor`"):
            attempt(folder)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with as many subscribers as make a snapshot worth while."""
    folder = configured(tmp_path_factory.mktemp("crowd") / "var")
    imported(folder, *(f"kvk-{number:08d}" for number in range(1, service.SNAPSHOT_FROM + 1)))
    return folder


def imported(folder: Path, *ids: str, sector: str = "SBI:25") -> None:
    made = service.open_service(folder)
    with made.transaction() as connection:
        some = [Incoming(each, "Firma", profile=Profile(sectors=(sector,))) for each in ids]
        registry.upsert(connection, some, NOW)
    made.close()


def index_of(folder: Path) -> Index:
    """As a new process sees it."""
    made = service.open_service(folder)
    with made.reading() as connection:
        found = made.index(connection)
    made.close()
    return found


def test_the_index_of_many_is_restored_and_followed(crowd: Path, tmp_path: Path) -> None:
    folder = copied(crowd, tmp_path)
    assert len(index_of(folder).sectors.get("SBI:25")) == service.SNAPSHOT_FROM
    file = folder / "index.snapshot"
    saved = file.stat().st_mtime_ns
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in folder.iterdir() if each.name.startswith("index")] == ["index.snapshot"]
    imported(folder, "kvk-00000001", sector="SBI:01")
    found = index_of(folder)
    assert file.stat().st_mtime_ns == saved, "restored and followed, not built anew"
    assert (found.sectors.get("SBI:01"), found.revision, found.records.fresh) == (BitMap((1,)), 2, 1)


def test_it_is_saved_again_where_it_is_gone(crowd: Path, tmp_path: Path) -> None:
    folder = copied(crowd, tmp_path)
    made = service.open_service(folder)
    made.save_index()
    made.forget_index()
    assert not (folder / "index.snapshot").exists()
    imported(folder, "kvk-00000001", sector="SBI:01")
    made.save_index()
    made.close()
    assert (folder / "index.snapshot").exists()
    assert (index_of(folder).revision, index_of(folder).records.fresh) == (2, 0)


def test_it_is_not_followed_from_another_registry(crowd: Path, tmp_path: Path) -> None:
    """A backup is restored, and other changes get the numbers that revisions had before."""
    folder = copied(crowd, tmp_path)
    backup = (folder / "oktt.db").read_bytes()
    imported(folder, "kvk-00000001", sector="SBI:01")
    assert index_of(folder).revision == 2, "saved at revision 2"
    (folder / "oktt.db").write_bytes(backup)
    imported(folder, "kvk-00000002", sector="SBI:02")
    found = index_of(folder)
    assert found.revision == 2
    assert (found.sectors.get("SBI:01"), found.sectors.get("SBI:02")) == (BitMap(), BitMap((2,)))


def copied(crowd: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    shutil.copytree(crowd, folder)
    shutil.copytree(crowd.with_name("var.keys"), tmp_path / "var.keys")
    return folder
