"""The database: SQLite in one file, or PostgreSQL; one code for both.

Rooms take a Connection as an argument; only here are engines made. SQLite: WAL, foreign keys on, one writer at a
time (`BEGIN IMMEDIATE`), so that a transaction never fails half-way for want of the write lock.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import AppError
from ingest.columns import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
TABLES = (
    "dispatch.atom",
    "dispatch.blocks",
    "dispatch.contacts",
    "dispatch.editions",
    "dispatch.editorials",
    "dispatch.fanout",
    "dispatch.feedback",
    "dispatch.forwards",
    "dispatch.ledger",
    "dispatch.outbox",
    "dispatch.renaming",
    "dispatch.sequence",
    "ingest.cursors",
    "pii_guard.journal",
    "pii_guard.policies",
    "pii_guard.subjects",
    "subscribers.addresses",
    "subscribers.links",
    "subscribers.registry",
    "triage.exposures",
    "triage.documents",
    "triage.inbox",
    "triage.leads",
    "triage.releases",
    "triage.scores",
    "web.auth",
    "web.factors",
    "web.forms",
    "web.ledger",
    "web.passkeys",
    "web.sessions",
    "web.statuses",
)
"""Modules that own tables: migrations are held against these."""


_ADDRESS = (
    "[database] url in oktt.toml is neither sqlite:///FILE nor postgresql://USER@HOST/NAME: correct it, or "
    "leave it empty for SQLite in the instance's folder"
)
_PATIENCE = 30
"""Seconds for another process to end its transaction; `?timeout=` behind the file's name says otherwise."""


def connect(url: str) -> sa.Engine:
    """An engine whose errors hold no row's values, for `sqlite:///file` or `postgresql+psycopg://...`.

    Raises AppError for another address; the message does not hold it, since there may be a password in it.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = sa.URL.create("unreadable")
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    if parsed.get_backend_name() != "sqlite":
        raise AppError(_ADDRESS)
    waits = {} if "timeout" in parsed.query else {"timeout": _PATIENCE}
    try:
        engine = sa.create_engine(parsed, connect_args=waits, hide_parameters=True)
    except ValueError:  # ?timeout= that is no number
        raise AppError(_ADDRESS) from None
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


LOCKED = "another process writes to the database: run the command again when it is done"


def unreachable(error: sa.exc.DBAPIError) -> AppError:
    """Why the database of the configuration does not open, with the next step and without the driver's own text."""
    if locked(error):
        return AppError(LOCKED)
    # SQLite names its error (SQLITE_CANTOPEN, SQLITE_FULL), PostgreSQL a code of five signs when it answers at all.
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    reason, step = (f" ({name})", "run `oktt doctor`") if name else ("", "is it running?")
    return AppError(f"the database of oktt.toml [database] url cannot be reached{reason}: {step}")


def locked(error: sa.exc.DBAPIError) -> bool:
    """Did SQLite give up waiting for another process?"""
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


_PRAGMAS = (
    *("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"),
    # Else what a query sorts, and what a statement would undo, lie in files in /tmp: what is gated and open, too.
    # Measured: to sort 80 MB takes 60 MB more memory so, and as long.
    "temp_store=MEMORY",
    # A document may be megabytes; with the usual 1000 pages almost every commit moved the log into the database too.
    "wal_autocheckpoint=4000",
    "cache_size=-32000",  # 32 MB: with the usual two, a document's pages were written out before its commit
)


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's late one
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("stepping", False):
        connection.exec_driver_sql("BEGIN" if options.get("readonly", False) else "BEGIN IMMEDIATE")


def upgrade(engine: sa.Engine) -> None:
    """Create the tables, or bring them to this version. Running it again changes nothing."""
    with engine.begin() as connection:
        command.upgrade(_alembic(connection), "head")


def require_current(engine: sa.Engine) -> None:
    """Raise AppError when the database is not at this version."""
    with engine.connect().execution_options(readonly=True) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != _head():
        state = "empty" if found is None else f"at version {found}, not {_head()}"
        raise AppError(f"the database is {state}: run `oktt init`")


@cache
def _head() -> str | None:
    """The version of this program. To read it is to run every migration's module: once a process."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one moment of the database, whatever others commit; PostgreSQL lets it write nothing.

    SQLite: a transaction that only reads is a snapshot (WAL).
    """
    with engine.connect().execution_options(readonly=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection
        connection.commit()  # at a rollback psycopg forgets every statement that it has prepared


def stepping(engine: sa.Engine) -> sa.Connection:
    """A connection for single statements, each of which the database commits at its end: one turn instead of three."""
    if engine.dialect.name == "sqlite":  # commits what nobody began; AUTOCOMMIT would leave the BEGIN of the driver
        return engine.connect().execution_options(stepping=True)
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def forget(engine: sa.Engine) -> None:
    """What was deleted leaves SQLite's files: the write-ahead log, where it would stay for as long as the service runs,
    and free places of pages. `secure_delete` clears what is deleted where it lies, not what SQLite left behind when it
    moved rows between pages: so the file is written anew (12 s a gigabyte; what it takes meanwhile lies beside it).

    Waits for who reads; whom it cannot wait for keeps the log until the next time. Raises AppError when another
    process writes all the while, or the disk is full.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        folder = str(Path(engine.url.database or "").resolve().parent).replace("'", "''")
        try:
            for step in ("temp_store=FILE", f"temp_store_directory='{folder}'"):
                cursor.execute(f"PRAGMA {step}")
            cursor.execute("VACUUM")
        finally:
            cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        raise AppError(
            f"it is deleted, but may lie in free places of the database's file yet ({error.sqlite_errorname}): "
            "run `oktt purge` when nobody else writes and the disk has as much room again"
        ) from None
    finally:
        connection.close()


def sealed(engine: sa.Engine) -> bool:
    """Does it hold anything that only the instance's key opens?"""
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("statements"):
            return False
        held = sa.select(sa.literal(1)).select_from(tables().tables["statements"]).limit(1)
        return connection.scalar(held) is not None


def tables() -> sa.MetaData:
    """Every table, as the modules that own them declare it."""
    for name in TABLES:
        import_module(name)
    return metadata


def _alembic(connection: sa.Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


class State:
    """In which state the database is: as long as that is the same, nothing was committed.

    SQLite counts for a connection what others commit; PostgreSQL says which transactions a look would see. Asked on a
    connection of its own, which ends with the engine's others.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock, self._plain = engine, threading.Lock(), engine.dialect.name == "sqlite"
        self._connection: sa.engine.interfaces.DBAPIConnection | None = None
        self._asked = _VERSION if self._plain else "SELECT pg_current_snapshot()::text"
        self._same: tuple[object, object] = (None, None)
        sa.event.listen(engine, "engine_disposed", self._close)

    async def __call__(self) -> object:
        """`now`; SQLite says it from memory, in some microseconds, unless a `commit` is under way."""
        at_once = self._plain and not self._lock.locked()
        return self.now() if at_once else await asyncio.to_thread(self.now)

    def now(self) -> object:
        """To be compared with another one. Where the database does not answer, it is no other's."""
        with self._lock:
            return self._now()

    def commit(self, connection: sa.Connection) -> None:
        """Commit what changes nothing of what is asked for, as a note of a request that was answered: SQLite stays in
        the state that it was in. Nobody else commits while this connection writes; whether somebody did between our
        commit and the look after it, that connection tells, which does not count its own."""
        with self._lock:
            if not self._plain:
                connection.commit()
                return
            before, others = self._now(), _version(connection)
            connection.commit()
            after = self._now()
            if _version(connection) == others:
                self._same = after, before

    def _now(self) -> object:
        try:
            if self._connection is None:
                self._connection = self._connected()
            cursor = self._connection.cursor()
            cursor.execute(self._asked)
            found = self._connection, cursor.fetchone()
        except (sa.exc.DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            self._forget()
            return object()
        return self._same[1] if found == self._same[0] else found

    def _connected(self) -> sa.engine.interfaces.DBAPIConnection:
        lent = self._engine.raw_connection()
        lent.detach()
        made = lent.dbapi_connection
        assert made is not None
        if self._engine.dialect.name == "postgresql":
            made.autocommit = True
        return made

    def _close(self, _: sa.Engine) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_VERSION = "PRAGMA data_version"


def _version(connection: sa.Connection) -> object:
    """Changes with each commit of others."""
    cursor = connection.connection.cursor()
    cursor.execute(_VERSION)
    return cursor.fetchone()
