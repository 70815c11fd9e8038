"""Where data lies while a command works, and when storing it fails: nothing outside the instance, no value in errors.

Whole processes, watched by strace: SQLite's own files too, which Python's audit events do not show.
"""

import json
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import AppError, database
from tests.app import canary, canary_victims
from tests.app.instance import MONDAY, ROOT, done, make, oktt
from tests.conftest import program

MADE, PLANTED = canary_victims.documents()
SEARCH = canary.Search(PLANTED)
_WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for one in MADE:
        if one.source == "shadowserver":
            (folder / one.name).write_bytes(one.body)
    return folder


def run(
    instance: Path, *command: str | Path, before: tuple[str, ...] = (), limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """A command as a process of its own."""
    environment = {**os.environ, "OKTT_NOW": MONDAY, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    program = (sys.executable, "-c", "from app.cli import main; main()", "--verbose", "--dir", str(instance))
    return subprocess.run(
        [*before, *program, *map(str, command)], cwd=instance.parent, env=environment, capture_output=True,
        preexec_fn=limit, check=False,
    )  # fmt: skip


def test_a_process_writes_nowhere_but_in_its_instance(tmp_path: Path, documents: Path) -> None:
    """Temporary folders, its working folder and that of the documents stay as they are, and it calls nobody."""
    strace = program("strace")
    instance, trace = make(tmp_path / "instance"), tmp_path / "trace"
    watched = (strace, "-f", "-qq", "-o", str(trace), "-e", "trace=open,openat,creat,memfd_create,connect,execve")
    ran = run(instance, "ingest", documents, "--source", "market", before=watched)
    if b"ptrace" in ran.stderr and not trace.exists():
        pytest.skip("nobody may be traced here")
    assert ran.returncode == 0, ran.stderr
    calls = trace.read_text(errors="replace").splitlines()
    opened = [found for call in calls for found in re.findall(r'open(?:at)?\((?:[^,"]+, )?"([^"]*)", ([A-Z_|]+)', call)]
    written = {Path(instance.parent, name) for name, flags in opened if set(flags.split("|")) & set(_WRITES)}
    homes = (instance, instance.with_name("instance.keys"))
    assert {path for path in written if not any(path.is_relative_to(home) for home in homes)} <= {Path("/dev/null")}
    assert instance / "oktt.db-wal" in written, "the watch sees SQLite"
    others = [call for call in calls if re.search(r"\b(?:creat|memfd_create|connect)\(", call)]
    assert [call for call in others if "AF_UNIX" not in call] == []
    assert len([call for call in calls if "execve(" in call]) == 1, "no helper"
    assert SEARCH.hits(ran.stdout + ran.stderr) == []
    files = [path for path in instance.rglob("*") if path.is_file()]
    assert [path.name for path in files if SEARCH.hits(path.read_bytes())] == []


def test_what_is_sorted_lies_in_no_file(tmp_path: Path) -> None:
    """More than SQLite's cache takes: by default it would go to /var/tmp."""
    engine = database.connect(f"sqlite:///{tmp_path / 'oktt.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA cache_size=-100")
        rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        found = connection.exec_driver_sql(f"{rows} SELECT i, hex(randomblob(100)) AS h FROM n ORDER BY h")
        found.fetchone()
        held = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        assert any(str(tmp_path) in path for path in held), "files that are open do show"
        assert [path for path in held if "etilqs" in path] == []
        found.close()
    engine.dispose()


@pytest.mark.parametrize(("query", "seconds"), [("", 30_000), ("?timeout=1", 1000), ("?timeout=0.2", 200)])
def test_how_long_a_locked_database_is_waited_for(tmp_path: Path, query: str, seconds: int) -> None:
    engine = database.connect(f"sqlite:///{tmp_path / 'oktt.db'}{query}")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == seconds
    engine.dispose()


def test_a_time_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"\[database\] url in oktt.toml") as caught:
        database.connect(f"sqlite:///{tmp_path / 'oktt.db'}?timeout=lek77q@persoon.example")
    assert "lek77q" not in str(caught.value)


def test_a_locked_database_is_told_without_what_was_to_be_stored(tmp_path: Path, documents: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lager.db'}?timeout=0.2"
    instance = make(tmp_path / "instance", settings=f"[database]\nurl = {json.dumps(url)}\n")
    with closing(sqlite3.connect(tmp_path / "lager.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for command in (("ingest", documents, "--source", "market"), ("purge",), ("dispatch",)):
            ran = oktt(instance, "--verbose", *command)
            assert (ran.code, database.LOCKED in ran.err) == (1, True), ran.err
            assert SEARCH.hits((ran.out + ran.err).encode()) == []
        other.execute("ROLLBACK")
    assert done(instance, "ingest", documents, "--source", "market", "--json").row["new"] > 0


def test_a_full_disk_is_told_without_what_was_to_be_stored(tmp_path: Path, documents: Path) -> None:
    """No file may grow past a bound, as on a disk with that much left. What was refused comes in once there is room."""
    instance = make(tmp_path / "instance")
    bound = (instance / "oktt.db").stat().st_size + 10_000
    ran = run(
        instance, "ingest", documents, "--source", "market",
        limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound)),
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert b"mistake of ours" not in ran.stderr
    assert SEARCH.hits(ran.stdout + ran.stderr) == []
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(documents)]
    assert [path.name for path in files if SEARCH.hits(path.read_bytes())] == []
    assert done(instance, "ingest", documents, "--source", "market", "--json").row["new"] > 0


def test_nothing_that_was_deleted_stays_in_free_places_of_the_file(tmp_path: Path) -> None:
    """SQLite clears what is deleted where it lies, and leaves copies behind where it divides and joins pages."""
    engine = database.connect(f"sqlite:///{tmp_path / 'oktt.db'}?timeout=0.2")
    numbers = random.Random(7).sample(range(10_000), 6000)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (name TEXT PRIMARY KEY, body BLOB)")
    for at in range(0, len(numbers), 500):
        rows = [
            (f"{each:05d}{'lek77q@persoon.example' if each % 7 else 'niemand'}",) for each in numbers[at : at + 500]
        ]
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO kept VALUES (?, randomblob(60))", rows)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kept WHERE name LIKE '%persoon%'")
    with engine.connect().execution_options(readonly=True) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM kept")
        database.forget(engine)  # somebody reads meanwhile
    database.forget(engine)
    said = (tmp_path / "oktt.db").read_bytes() + (tmp_path / "oktt.db-wal").read_bytes()
    assert (said.count(b"lek77q"), b"niemand" in said) == (0, True)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA temp_store")) == 2
    with closing(sqlite3.connect(tmp_path / "oktt.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AppError, match=r"SQLITE_BUSY.*run `oktt purge`"):
            database.forget(engine)
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("oktt.db")] == []
