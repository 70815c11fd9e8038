"""What a reader may not see does not come out between two statements, after a purge, or of what lies in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch import joining, pages, publication
from dispatch.pages import Filters
from tests.web.conftest import NOW, World, _view
from tests.web.test_taxii import tool
from tlp import Label
from web.kept import Kept, Pages

ITEM = "OKTT-2026-0001"


@contextmanager
def each_statement(engine: sa.Engine, seen: Any) -> Iterator[None]:
    """Call it with the text of each statement that was carried out."""

    def after(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen(statement)

    sa.event.listen(engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        sa.event.remove(engine, "after_cursor_execute", after)


def test_an_item_that_is_withdrawn_between_two_statements(served: World) -> None:
    """Its source's object says `revoked` itself: without its links it would look like a notice, which all may see."""
    login = served.join("kvk-1")
    served.publish("kvk-1", ITEM, tool(1, name="geheim", revoked=True), label=Label.RED)
    served.forbidden.add(("kvk-1", ITEM))
    withdrawn: list[str] = []

    def withdraw(statement: str) -> None:
        if not withdrawn and "published.body" in statement and "published_blocks" not in statement:
            withdrawn.append(statement)
            with served.engine.begin() as other:
                publication.withdraw(other, ITEM, NOW)

    with served.client(login) as client, each_statement(served.engine, withdraw):
        answer = client.get("/taxii2/oktt/collections/kvk-1/objects/")
    assert (answer.status_code, len(withdrawn)) == (200, 1)
    assert b"geheim" not in answer.content


def test_a_row_that_is_dated_later_than_its_link_stays_linked(world: World) -> None:
    world.join("kvk-1")
    with world.engine.begin() as conn:
        ahead = NOW + timedelta(days=1)
        publication.publish(conn, "kvk-1", _view("kvk-1", "OKTT-2026-0002", tool(5), label=Label.RED), ahead)
        said = tool(1, name="geheim", revoked=True)
        publication.publish(conn, "kvk-1", _view("kvk-1", ITEM, said, label=Label.RED), NOW)
        found = publication.find(conn, "kvk-1")
        assert found is not None
        for before in (NOW + timedelta(hours=1), ahead + timedelta(hours=1)):
            publication.purge(conn, before)
            assert pages.page(conn, found.id, lambda _: [], limit=1000).rows == ()
        assert pages.page(conn, found.id, lambda links: links, limit=1000).rows == (), "both are gone then"


@pytest.mark.parametrize("limit", [1000, 1])
def test_many_rows_that_may_not_be_seen_cost_few_statements(world: World, limit: int) -> None:
    world.join("kvk-1")
    world.publish("kvk-1", ITEM, *(tool(number) for number in range(1000)))
    world.publish("kvk-1", "OKTT-2026-0002", *(tool(number) for number in range(1000, 3000)), label=Label.AMBER)
    counted: list[str] = []
    with world.engine.connect() as conn:
        found = publication.find(conn, "kvk-1")
        assert found is not None
        with each_statement(world.engine, counted.append):
            page = joining.page(
                conn, found.id, lambda links: [link for link in links if link.item == ITEM], limit=limit,
                filters=Filters(), after=1000 - limit,
            )  # fmt: skip
    assert (sum(each.shown.count for each in page.rows), page.more) == (limit, False)
    assert len(counted) < 60


def test_pages_of_an_earlier_revision_lie_in_no_memory() -> None:
    kept, page = Pages(), Kept(b"geheim", "", b"", 1, False, ("", ""), frozenset())
    kept.put("a", 1, page)
    assert kept.get("a", 1) is page
    assert kept.get("b", 2) is None
    assert kept.get("a", 1) is None, "it was asked of another revision since"
