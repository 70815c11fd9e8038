"""kill -9 in the midst of an import of subscribers: the index that then follows the registry is as one built anew."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import database
from filtering import snapshot
from filtering.index import Index
from subscribers import registry
from tests.app.forks import KILLED, Forks, forking
from tests.app.instance import copied, make, person
from tests.filtering.test_following import held

FIRST, MORE, CHANGED = 150, 750, 50
"""Subscribers before the import, in it, and of these such as were there before: it takes several statements."""


def people(numbers: range, version: str) -> list[dict[str, Any]]:
    """Firms with all that an index holds; some stand for others."""
    return [
        person(
            f"{n:05}",
            software=[{"vendor": "Fortinet", "product": "FortiOS", "version": version}],
            networks=[f"10.{n >> 8}.{n & 255}.0/24"],
            domains=[f"firma{n}.example"],
            kind="supplier" if n % 100 == 0 else "company",
            members=[f"kvk-{n + 1:05}", f"kvk-{n + 500:05}"] if n % 100 == 0 else [],
        )
        for n in numbers
    ]


@contextmanager
def reading(instance: Path) -> Iterator[sa.Connection]:
    """The instance's database, closed afterwards: other processes take it then."""
    engine = database.connect(f"sqlite:///{instance / 'oktt.db'}")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def rebuilt(connection: sa.Connection) -> Index:
    return Index.build(registry.every(connection), registry.revision(connection))


def follow(connection: sa.Connection, index: Index) -> Index:
    index.apply(registry.changed_since(connection, index.revision), registry.revision(connection))
    return index


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forking() as found:
        yield found


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With subscribers, an index of them saved, and a file that changes some of them and adds more."""
    made = make(tmp_path_factory.mktemp("killed") / "instance", people=people(range(FIRST), "7.2.3"))
    changed = people(range(FIRST - CHANGED, FIRST + MORE - CHANGED), "7.4.1")
    (made / "more.ndjson").write_text("".join(json.dumps(each) + "\n" for each in changed))
    with reading(made) as connection:
        index = rebuilt(connection)
        mark = registry.mark(connection, index.revision)
        assert mark is not None
        (made / "index").write_bytes(snapshot.dump(index, mark))
    return made


def test_an_index_that_follows_a_killed_import_is_as_one_built_anew(
    forks: Forks, instance: Path, tmp_path: Path
) -> None:
    def imported(number: int, when: str) -> tuple[Path, int, int]:
        copy = copied(instance, tmp_path / f"{when}-{number}")
        code, count = forks.run(copy, ["subscribers", "import", str(copy / "more.ndjson")], number=number, when=when)
        return copy, code, count

    before, after = _rows(instance), _rows(imported(0, "before")[0])
    _, code, statements = imported(0, "amid")
    assert (code, len(before), len(after)) == (0, FIRST, FIRST + MORE - CHANGED)
    _, _, commits = imported(0, "after")
    moments = [("amid", n) for n in range(statements, 0, -max(1, statements // 5))]
    moments += [(when, n) for n in range(1, commits + 1) for when in ("before", "after")]
    stood = set()
    for when, number in moments:
        copy, code, _ = imported(number, when)
        assert code == KILLED, (when, number)
        with reading(copy) as connection:
            fresh = rebuilt(connection)
            kept = snapshot.load((copy / "index").read_bytes(), partial(registry.mark, connection))
            assert kept is not None
            assert held(follow(connection, kept)) == held(fresh), (when, number)
        stood.add(len(fresh))
        assert _rows(copy) in (before, after), "an import is all or nothing"
        forks.run(copy, ["subscribers", "import", str(copy / "more.ndjson")])
        with reading(copy) as connection:
            assert held(follow(connection, kept)) == held(rebuilt(connection)), (when, number)
        assert _rows(copy) == after
    assert stood == {len(before), len(after)}, "killed before it was done, and after"


def _rows(instance: Path) -> list[tuple[str, bytes]]:
    with reading(instance) as connection:
        table = registry.subscribers
        return [(row.id, row.data) for row in connection.execute(sa.select(table).order_by(table.c.id))]
