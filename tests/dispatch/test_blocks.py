"""What lies joined is what the rows say, whatever is published, taken back, moved, deleted or withheld meanwhile."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatch import blocks, joining, pages, publication
from dispatch.pages import Filters, Link
from tests.dispatch.test_publication_invariants import ALIASES, ITEMS, NOW, fresh, node, objects, view

Step = tuple[str, str, str, list[dict[str, Any]]]
"""What is done, where or by which statement, to which item, with what."""
step = st.one_of(
    *[st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(ALIASES), st.sampled_from(ITEMS), objects)] * 4,
    st.tuples(
        st.sampled_from(["withdraw", "move", "purge", "forget"]), st.just(""), st.sampled_from(ITEMS), st.just([])
    ),
)
ONE, OTHER = ITEMS
FIRST, SECOND, THIRD = (node(number, "een", 1, frozenset()) for number in range(3))
NEWER = node(0, "twee", 2, frozenset())
REST: Step = ("forget", "", ONE, [])
PURGED: list[Step] = [("a", "clear", ONE, [FIRST, SECOND]), REST, REST, ("purge", "", ONE, [])]
SHARED: list[Step] = [
    ("a", "clear", ONE, [FIRST, SECOND]), ("a", "clear", OTHER, [FIRST, SECOND]), REST, ("purge", "", ONE, []),
]  # fmt: skip
"""Only the other item needs them still."""
LAST_AGAIN: list[Step] = [
    ("a", "clear", OTHER, [FIRST, THIRD]), ("a", "clear", ONE, [NEWER, SECOND]), ("a", "clear", OTHER, [FIRST, THIRD]),
    REST, ("purge", "", ONE, []),
]  # fmt: skip
"""The newer version is past its retention, and the older one the last again."""
OTHERWISE: list[Step] = [("a", "clear", ONE, [FIRST, SECOND]), ("b", "clear", ONE, [FIRST, SECOND])]


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Blocks of two rows."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocks, "SIZE", 2)
        yield


@settings(max_examples=40)
@example(PURGED, None, 0, 7)
@example(SHARED, None, 0, 7)
@example(LAST_AGAIN, None, 0, 7)
@example(OTHERWISE, None, 0, 7)
@given(st.lists(step, max_size=10), st.sampled_from([None, *ITEMS]), st.integers(0, 6), st.integers(2, 7))
def test_what_lies_joined_is_what_the_rows_say(steps: list[Step], hidden: str | None, after: int, limit: int) -> None:
    engine, now = fresh(), NOW
    with engine.begin() as conn:
        for each_step in steps:
            now += timedelta(hours=1)
            act(conn, *each_step, now)
            for each in ALIASES:
                check(conn, each, hidden, after, limit)
    engine.dispose()


def act(conn: sa.Connection, what: str, alias: str, item: str, some: list[Any], now: datetime) -> None:
    match what:
        case "withdraw":
            publication.withdraw(conn, item, now)
        case "move":
            publication.move(conn, item, ITEMS[item == ITEMS[0]])
        case "purge":
            publication.purge(conn, now - timedelta(hours=2))
        case "forget":
            publication.forget(conn)
        case statement:
            shown = replace(view(alias, item, some), statements=frozenset({statement}))
            publication.publish(conn, alias, shown, now)


def check(conn: sa.Connection, alias: str, hidden: str | None, after: int, limit: int) -> None:
    found = publication.find(conn, alias)
    assert found is not None
    assert joining.astray(conn, found.id, ((1, 1000),)) == []

    def allowed(links: Collection[Link]) -> Collection[Link]:
        return [link for link in links if link.item != hidden]

    for filters in (Filters(), Filters(added_after=NOW + timedelta(hours=3))):
        rows = pages.page(conn, found.id, allowed, limit=1000, filters=filters, after=after).rows
        at, more = after, True
        while more:
            page = joining.page(conn, found.id, allowed, limit=limit, filters=filters, after=at)
            count, more = sum(each.shown.count for each in page.rows), page.more
            assert (limit - 1 if more else 0) <= count <= limit
            same, rows = rows[:count], rows[count:]
            assert b",".join(each.body for each in page.rows) == b",".join(row.body for row in same)
            assert page.numbers == pages.numbers_of(same)
            if same:
                assert (page.rows[0].began, page.rows[-1].added) == (same[0].added, same[-1].added)
                at = same[-1].seq
        assert rows == ()


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
