"""What is known of a moment is asked once; what changed since is asked again, in one look."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from app.database import State
from dispatch import publication, sequence
from tests.web.conftest import NOW
from tests.web.test_taxii import CLEAR, on_sqlite, tool
from tlp import Clearance, Label
from web import auth, ledger
from web.moment import Moments, UnknownError


def test_the_state_is_another_one_after_each_commit_of_anybody(engine: sa.Engine) -> None:
    state, table = State(engine), sa.Table("anything", sa.MetaData(), sa.Column("number", sa.Integer))
    table.create(engine)
    first = state.now()
    with engine.connect() as conn:
        assert conn.execute(sa.select(table)).all() == []
    assert state.now() == first
    with engine.begin() as conn:
        conn.execute(table.insert(), {"number": 1})
        if engine.dialect.name == "sqlite":  # PostgreSQL also tells that somebody writes
            assert state.now() == first
    second = state.now()
    assert second != first
    assert state.now() == second
    engine.dispose()
    assert state.now() not in (first, second)
    assert state.now() == state.now()


def note(table: sa.Table, conn: sa.Connection) -> None:
    conn.execute(table.insert(), {"number": 1})


@on_sqlite
def test_a_note_that_changes_no_answer_is_no_other_state(engine: sa.Engine) -> None:
    state, table = State(engine), sa.Table("anything", sa.MetaData(), sa.Column("number", sa.Integer))
    table.create(engine)
    first = state.now()
    for _ in range(2):
        with engine.connect() as conn:
            note(table, conn)
            state.commit(conn)
            assert state.now() == first
    with engine.begin() as conn:
        note(table, conn)
    second = state.now()
    assert second != first
    with engine.connect() as conn:
        note(table, conn)
        state.commit(conn)
        assert state.now() == second
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(table)) == 4


@on_sqlite
def test_what_another_commits_beside_a_note_is_another_state(engine: sa.Engine) -> None:
    """Between its commit and the look after it: the moment at which the note could hide it."""
    state, table = State(engine), sa.Table("anything", sa.MetaData(), sa.Column("number", sa.Integer))
    table.create(engine)
    first = state.now()

    class Another(sa.Connection):
        def commit(self) -> None:
            super().commit()
            with engine.begin() as conn:
                note(table, conn)

    with Another(engine) as conn:
        note(table, conn)
        state.commit(conn)
    assert state.now() != first
    assert state.now() == state.now()


def test_a_database_that_does_not_answer_is_in_no_known_state(engine: sa.Engine) -> None:
    state = State(engine)
    first = state.now()
    assert state._connection is not None
    state._connection.close()
    assert len({first, state.now(), state.now()}) == 3
    assert state.now() == state.now()


@on_sqlite
def test_what_was_found_is_known_unless_somebody_wrote_meanwhile(engine: sa.Engine) -> None:
    moments = Moments()
    with engine.connect() as conn:
        for before, after in (("a", "a"), ("b", "c")):
            look = moments.at(before)
            with pytest.raises(UnknownError):
                look.ask("who", lambda _: "nobody")
            with pytest.raises(UnknownError):
                _ = look.conn
            deeper = look.on(conn)
            assert deeper.ask("who", lambda _: "somebody") == "somebody"
            assert moments.keep(deeper, after), "it is of what lies there alone"
            assert look.known == ({"who": "somebody"} if before == after else {})
        look = moments.at("d")
        look.known["who"] = "somebody"
        deeper = look.on(conn)
        assert (deeper.ask("who", lambda _: "nobody"), deeper.ask("what", lambda _: "this")) == ("somebody", "this")
        assert not moments.keep(deeper, "e"), "of two states"
        assert moments.keep(deeper, "d")
        assert moments.at("d").known == {"who": "somebody", "what": "this"}


def test_each_request_is_answered_as_the_database_is_then(world: Any, serve: Callable[..., Any]) -> None:
    """Asked again, so that the second is answered of what is known, and the third at once; then something changes."""
    world.state = State(world.engine)
    serve(world)
    login, other = world.join("kvk-1"), world.join("kvk-2")
    objects = [tool(number) for number in range(60)]
    world.publish("clear", "OKTT-2026-0001", *objects)
    with world.client(login) as client, world.client(other) as else_:

        def ids() -> list[str]:
            answers = [each.get(CLEAR + "objects/") for each in (client, client, client, else_)]
            assert len({answer.text for answer in answers}) == 1
            return [each["id"] for each in answers[0].json().get("objects", [])]

        assert ids() == [each["id"] for each in objects]
        world.publish("clear", "OKTT-2026-0002", tool(60))
        assert len(ids()) == 61
        world.forbidden.add(("public", "OKTT-2026-0001"))
        touch(world)
        assert ids() == [tool(60)["id"]]
        with world.engine.begin() as conn:
            publication.withdraw(conn, "OKTT-2026-0002", world.now)
        assert ids() == [tool(60)["id"]], "its revocation"
        with world.engine.begin() as conn:
            auth.revoke(conn, "kvk-1", world.now)
        assert [client.get(CLEAR).status_code, else_.get(CLEAR).status_code] == [401, 200]


@on_sqlite
def test_who_asks_again_is_told_of_each_time_and_held_to_the_limit(world: Any, serve: Callable[..., Any]) -> None:
    world.state = State(world.engine)
    serve(world, per_minute=8)
    login = world.join("kvk-1")
    world.publish("clear", "OKTT-2026-0001", *[tool(number) for number in range(60)])
    path = CLEAR + "objects/"
    with world.client(login) as client:
        answers = [client.get(path) for _ in range(6)]
        heads = [[pair for pair in each.headers.items() if pair[0] != "date"] for each in answers]
        assert [each.content for each in answers] == [answers[0].content] * 6
        assert heads == [heads[0]] * 6
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 406
        assert client.get(path, auth=(login["user"], login["password"] + "x")).status_code == 401
        assert [client.get(path).status_code for _ in range(2)] == [200, 429]
    world.app.state.ledger.flush()
    with world.engine.connect() as conn:
        told = ledger.last(conn, [login["user"]])
    assert [each["status"] for each in told] == [429, 200, 406, *[200] * 6]
    assert {each["objects"] for each in told if each["status"] == 200} == {60}
    assert len({each["name"] for each in told}) == len(told)


@on_sqlite
def test_what_the_clock_ends_is_over_though_nobody_wrote(world: Any, serve: Callable[..., Any]) -> None:
    """A clearance, then a credential."""
    world.state = State(world.engine)
    serve(world)
    world.join("kvk-1")
    ending = Clearance(Label.AMBER, NOW + timedelta(hours=1))
    world.subscribers["kvk-1"] = structs.replace(world.subscribers["kvk-1"], clearance=ending)
    world.publish("kvk-1", "OKTT-2026-0001", *[tool(number) for number in range(60)], label=Label.AMBER)
    with world.engine.begin() as conn:
        login = auth.create(conn, "kvk-1", "taxii", NOW, expires_at=NOW + timedelta(hours=2))
    with world.client(login) as client:
        path = CLEAR.replace("clear", "kvk-1") + "objects/"
        assert [len(client.get(path).json()["objects"]) for _ in range(3)] == [60] * 3
        world.forbidden.add(("kvk-1", "OKTT-2026-0001"))
        world.now += timedelta(hours=1)
        assert client.get(path).json() == {}
        world.now += timedelta(hours=1)
        assert client.get(path).status_code == 401


def touch(world: Any) -> None:
    """Something is committed."""
    with world.engine.begin() as conn:
        sequence.lock(conn)
