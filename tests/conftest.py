"""Real parts for the tests: SQLite and PostgreSQL, a fixed clock, the public corpus."""

import atexit
import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import settings

import tests.once  # noqa: F401 - for what it does
from app import database
from ingest.columns import metadata

settings.register_profile("oktt", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("oktt")

MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30:
    # Databases are flushed to disk at each commit; of thousands in memory nothing needs to be.
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

IN_CI = os.environ.get("CI") == "true"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday."""
NOT_DURABLE = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off"
"""It keeps all through the crash of a client, as ever; not through one of the machine, which ends the tests too."""


def pytest_collection_finish() -> None:
    """What is imported and collected lives to the end: the collector of garbage need not look at it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """A command under test sends its logs to a stream that is closed with it: the next test starts anew."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The public data that OKTT_CORPUS names. In CI its absence is a failure, elsewhere a skip."""
    root = os.environ.get("OKTT_CORPUS")
    if root and Path(root).is_dir():
        return Path(root)
    if IN_CI:
        pytest.fail("OKTT_CORPUS does not name a folder; CI has to set it")
    pytest.skip("OKTT_CORPUS does not name a folder")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own on a socket in a temporary folder, ended with the session."""
    initdb = _initdb()
    if initdb is None:
        if IN_CI:
            pytest.fail("PostgreSQL is not installed; `make services` installs it")
        pytest.skip("PostgreSQL is not installed (make services)")
    binaries = initdb.parent
    # Not below pytest's own temporary folders: other sessions clear those away.
    home = Path(tempfile.mkdtemp(prefix="oktt-pg-"))
    as_user = _unprivileged(home)
    data, log = home / "data", home / "log"
    subprocess.run([*as_user, initdb, "-D", data, "-U", "oktt", "-A", "trust", "-N"], check=True, capture_output=True)
    options = f"-c listen_addresses='' -c unix_socket_directories={home} {NOT_DURABLE}"
    control = [*as_user, binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "240"]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True)
    template = f"postgresql+psycopg://oktt@/{{}}?host={home}"
    yield template
    _server(sa.make_url(template.format("")).set(database="")).dispose()
    subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def program(name: str) -> str:
    """Where a program lies that `make services` installs. In CI its absence is a failure, elsewhere a skip."""
    found = shutil.which(name)
    if found is None:
        (pytest.fail if IN_CI else pytest.skip)(f"{name} is not installed (make services)")
    return found


@cache
def _initdb() -> Path | None:
    """Where PostgreSQL's programs lie."""
    found = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    return next((Path(name).resolve() for name in found if name), None)


def _unprivileged(home: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand the folder to its own user there."""
    if os.geteuid() != 0:
        return []
    shutil.chown(home, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database is to be made, empty or `filled`; every test of storage and hand-over runs on both engines."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'oktt.db'}"
        return
    template: str = request.getfixturevalue("postgres_url")
    made = sa.make_url(template.format(f"t{uuid4().hex}"))
    yield made.render_as_string(hide_password=False)
    _on_server(made, f"DROP DATABASE IF EXISTS {made.database} WITH (FORCE)")


@pytest.fixture
def empty_url(url: str) -> str:
    """The address of a fresh, empty database."""
    if (made := sa.make_url(url)).get_backend_name() != "sqlite":
        _copied("template0", made)
    return url


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """An engine whose tables exist (those of every module that the test imported)."""
    filled(url, _create_tables, *metadata.tables)
    made = database.connect(url)
    yield made
    made.dispose()


def _create_tables(url: str) -> None:
    made = database.connect(url)
    metadata.create_all(made)
    made.dispose()


def filled(url: str, fill: Callable[[str], None], *kind: object) -> None:
    """Make a database there as a copy of one that was filled so, of that kind: to make tables takes longer."""
    to = sa.make_url(url)
    if to.get_backend_name() == "sqlite":
        shutil.copy(_file(fill, *kind), str(to.database))
        return
    _copied(_model(to.set(database=""), fill, *kind), to)


@cache
def _file(fill: Callable[[str], None], *_: object) -> Path:
    """An SQLite database to copy."""
    home = Path(tempfile.mkdtemp(prefix="oktt-model-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    fill(f"sqlite:///{home / 'oktt.db'}")
    return home / "oktt.db"


@cache
def _model(server: sa.URL, fill: Callable[[str], None], *_: object) -> str:
    """The name of a PostgreSQL database to copy."""
    model = server.set(database=f"m{uuid4().hex}")
    _copied("template0", model)
    fill(model.render_as_string(hide_password=False))
    assert model.database is not None
    return model.database


def _copied(model: str, to: sa.URL) -> None:
    """Copying the files (PostgreSQL 15 logs each page otherwise) is quick where nothing is flushed to disk."""
    _on_server(to, f"CREATE DATABASE {to.database} TEMPLATE {model} STRATEGY file_copy")


def _on_server(url: sa.URL, command: str) -> None:
    with _server(url.set(database="")).connect() as connection:
        connection.exec_driver_sql(command)


@cache
def _server(url: sa.URL) -> sa.Engine:
    """PostgreSQL's own database, to make and drop others."""
    return sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction on that engine."""
    with engine.begin() as opened:
        yield opened
