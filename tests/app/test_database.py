"""The migrations make what the modules that own tables declare, on both engines."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app import AppError, database


@pytest.fixture
def empty(empty_url: str) -> Iterator[sa.Engine]:
    """An engine on an empty database."""
    engine = database.connect(empty_url)
    yield engine
    engine.dispose()


def test_connects(connection: sa.Connection) -> None:
    assert connection.scalar(sa.text("select 1")) == 1


def test_a_single_statement_is_kept_at_its_end_and_the_next_transaction_is_whole(engine: sa.Engine) -> None:
    """Also where the connection is the same."""
    put = "insert into counters (name, value) values ('{}', 1)"
    with database.stepping(engine) as single:
        with single.begin():
            single.exec_driver_sql(put.format("kept"))
        with database.reading(engine) as other:
            assert other.scalar(sa.text("select count(*) from counters")) == 1
    with engine.connect() as connection:
        connection.exec_driver_sql(put.format("given up"))
    with engine.connect() as connection:
        assert list(connection.scalars(sa.text("select name from counters"))) == ["kept"]


def test_migrations_make_exactly_what_is_declared(empty: sa.Engine) -> None:
    database.upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, database.tables()) == []
        names = set(sa.inspect(connection).get_table_names())
    assert names == {*database.tables().tables, "alembic_version"}


def test_keys_and_nulls_too(empty: sa.Engine) -> None:
    """What compare_metadata does not hold against each other: primary keys and nullable columns."""
    database.upgrade(empty)
    inspector = sa.inspect(empty)
    for name, table in database.tables().tables.items():
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert found == {column.name: column.nullable for column in table.columns}, name
        assert set(inspector.get_pk_constraint(name)["constrained_columns"]) == {c.name for c in table.primary_key}, (
            name
        )


def test_running_them_again_changes_nothing(empty: sa.Engine) -> None:
    database.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(sa.text("insert into counters (name, value) values ('kept', 7)"))
    before = {name: len(sa.inspect(empty).get_columns(name)) for name in sa.inspect(empty).get_table_names()}
    database.upgrade(empty)
    assert {name: len(sa.inspect(empty).get_columns(name)) for name in sa.inspect(empty).get_table_names()} == before
    with empty.connect() as connection:
        assert connection.scalar(sa.text("select value from counters")) == 7
        assert connection.scalar(sa.text("select count(*) from alembic_version")) == 1


def test_an_old_or_empty_database_says_what_to_run(empty: sa.Engine) -> None:
    with pytest.raises(AppError, match="the database is empty: run `oktt init`"):
        database.require_current(empty)
    database.upgrade(empty)
    database.require_current(empty)
    with empty.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '0000'"))
    with pytest.raises(AppError, match=r"at version 0000, not .*: run `oktt init`"):
        database.require_current(empty)


def test_every_owner_of_tables_is_listed() -> None:
    """A module that declares a table and is not listed would be left out of the migrations."""
    from pathlib import Path

    root = Path(database.__file__).parents[1]
    rooms = ("ingest", "normalize", "pii_guard", "subscribers", "filtering", "triage", "tlp", "dispatch", "web", "app")
    owners = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for room in rooms
        for path in (root / room).rglob("*.py")
        if "sa.Table(" in path.read_text(encoding="utf-8")
    }
    assert owners == set(database.TABLES)


def test_errors_hold_no_values(connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught:
        connection.execute(sa.text("insert into nowhere values (:v)"), {"v": "geheimewaarde"})
    assert "geheimewaarde" not in str(caught.value)
    connection.rollback()


def test_sqlite_keeps_to_foreign_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = database.connect(f"sqlite:///{tmp_path_factory.mktemp('db') / 'oktt.db'}")
    database.upgrade(engine)
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.text("insert into leads (key, statement) values ('k', 's')"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("pragma journal_mode")) == "wal"
    engine.dispose()


def test_what_led_to_an_item_leads_to_all_its_statements(empty: sa.Engine) -> None:
    """A database of the first version, brought up to date with what lies in it."""
    at = "2026-03-02 08:00:00"
    with empty.begin() as connection:
        command.upgrade(database._alembic(connection), "0001")
        connection.execute(
            sa.text(
                "insert into items (id, state, version, kind, meaning, card, received_at, changed_at, reserved) "
                "values ('OKTT-2026-0001', 'new', 1, 'advisory', 'm', :card, :at, :at, false)"
            ),
            {"card": b"{}", "at": at},
        )
        for key in ("one", "two"):
            connection.execute(
                sa.text(
                    "insert into statements (key, item, source, label, meaning, regime, received_at, sealed) "
                    "values (:key, 'OKTT-2026-0001', 's', 'CLEAR', 'm', 'r', :at, :sealed)"
                ),
                {"key": key, "at": at, "sealed": b""},
            )
        connection.execute(sa.text("insert into merge_keys (key, item) values ('k', 'OKTT-2026-0001')"))
    database.upgrade(empty)
    with empty.connect() as connection:
        assert set(map(tuple, connection.execute(sa.text("select key, statement from leads")))) == {
            ("k", "one"),
            ("k", "two"),
        }
        assert compare_metadata(MigrationContext.configure(connection), database.tables()) == []
