"""What lies joined is what the rows say, whatever is published, taken back, moved, deleted or withheld meanwhile."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import blocks, joining, pages, publication
from dispatch.pages import Filters, Link
from tests.dispatch.test_publication_invariants import ALIASES, ITEMS, NOW, fresh, node, objects, view

steps = st.lists(
    st.one_of(
        *[st.tuples(st.just("publish"), st.sampled_from(ALIASES), st.sampled_from(ITEMS), objects)] * 4,
        st.tuples(st.just("withdraw"), st.none(), st.sampled_from(ITEMS), st.just([])),
        st.tuples(st.sampled_from(["move", "purge", "forget"]), st.none(), st.sampled_from(ITEMS), st.just([])),
    ),
    max_size=10,
)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Blocks of two rows."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocks, "SIZE", 2)
        yield


@settings(max_examples=40)
@given(steps, st.sampled_from([None, *ITEMS]), st.integers(0, 6), st.integers(2, 7))
def test_what_lies_joined_is_what_the_rows_say(
    actions: list[tuple[str, str | None, str, list[dict[str, Any]]]], hidden: str | None, after: int, limit: int
) -> None:
    engine, now = fresh(), NOW
    with engine.begin() as conn:
        for what, alias, item, some in actions:
            now += timedelta(hours=1)
            act(conn, what, alias, item, some, now)
            for each in ALIASES:
                check(conn, each, hidden, after, limit)
    engine.dispose()


def act(conn: sa.Connection, what: str, alias: str | None, item: str, some: list[Any], now: datetime) -> None:
    match what:
        case "publish":
            assert alias is not None
            publication.publish(conn, alias, view(alias, item, some), now)
        case "withdraw":
            publication.withdraw(conn, item, now)
        case "move":
            publication.move(conn, item, ITEMS[item == ITEMS[0]])
        case "purge":
            publication.purge(conn, now - timedelta(hours=2))
        case _:
            publication.forget(conn)


def check(conn: sa.Connection, alias: str, hidden: str | None, after: int, limit: int) -> None:
    found = publication.find(conn, alias)
    assert found is not None
    assert joining.astray(conn, found.id, ((1, 1000),)) == []

    def allowed(links: Collection[Link]) -> Collection[Link]:
        return [link for link in links if link.item != hidden]

    for filters in (Filters(), Filters(added_after=NOW + timedelta(hours=3))):
        rows = pages.page(conn, found.id, allowed, limit=limit, filters=filters, after=after)
        page = joining.page(conn, found.id, allowed, limit=limit, filters=filters, after=after)
        assert b",".join(each.body for each in page.rows) == b",".join(row.body for row in rows.rows)
        assert b"".join(each.digest for each in page.rows) == b"".join(row.digest for row in rows.rows)
        assert (page.numbers, page.more) == (rows.numbers, rows.more)
        if rows.rows:
            assert (page.rows[0].began, page.rows[-1].added) == (rows.rows[0].added, rows.rows[-1].added)


def test_a_value_that_is_taken_back_lies_in_no_block(connection: sa.Connection) -> None:
    """And the rest of its hundred is joined again when another one is full."""
    publication.ensure(connection, NOW)
    for number, name in ((0, "geheim"), (1, "een"), (2, "twee"), (3, "drie")):
        some = [node(number, name, 1, frozenset())]
        publication.publish(connection, "clear", view("clear", f"OKTT-2026-000{number}", some), NOW)
    clear = publication.IDS[publication.CLEAR]
    bodies = sa.select(blocks.blocks.c.body).where(blocks.blocks.c.collection == clear)
    assert [body.count(b'"note"') for body in connection.scalars(bodies)] == [2, 2]
    assert b"geheim" in b"".join(connection.scalars(bodies))
    publication.withdraw(connection, "OKTT-2026-0000", NOW)
    left = list(connection.scalars(bodies))
    assert len(left) == 1
    assert b"geheim" not in left[0]
    publication.publish(connection, "clear", view("clear", "OKTT-2026-0004", [node(4, "vier", 1, frozenset())]), NOW)
    assert blocks.numbers(connection, clear) == {0, 1, 2}
    assert b"geheim" not in b"".join(connection.scalars(bodies))
