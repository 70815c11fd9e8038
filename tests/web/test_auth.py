"""Credentials, on both engines."""

import base64
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from web import auth

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_each_secret_is_its_own_and_only_its_digest_is_kept(connection: sa.Connection) -> None:
    made = [auth.create(connection, "kvk-1", "taxii", NOW) for _ in range(3)]
    assert len({each["password"] for each in made}) == len({each["user"] for each in made}) == 3
    assert all(len(each["password"]) >= 43 for each in made)
    kept = repr(connection.execute(sa.select(auth.credentials)).all())
    assert not any(each["password"] in kept for each in made)


def test_basic_and_bearer_say_who_it_is(connection: sa.Connection) -> None:
    made = auth.create(connection, "kvk-1", "taxii", NOW)
    for header in (basic(made["user"], made["password"]), f"Bearer {made['token']}"):
        access = auth.authenticate(partial(auth.stored, connection), header, NOW)
        assert access == auth.Access(made["user"], "kvk-1", due=True)


def test_anything_else_is_nobody(connection: sa.Connection) -> None:
    made = auth.create(connection, "kvk-1", "taxii", NOW)
    other = auth.create(connection, "kvk-2", "taxii", NOW)
    headers = [
        None, "", "Basic", "Bearer", "Basic !", basic(made["user"], ""), basic("", made["password"]),
        basic("\0", "\0"), "Bearer \0.\0",
        basic(other["user"], made["password"]), f"Bearer {made['token']}x", f"Bearer {made['user']}",
        f"Digest {made['token']}", f"Basic {made['token']}", basic(made["user"], made["password"] + "\ud7ff"),
    ]  # fmt: skip
    assert [header for header in headers if auth.authenticate(partial(auth.stored, connection), header, NOW)] == []


def test_one_purpose_does_not_open_the_other(connection: sa.Connection) -> None:
    made = auth.create(connection, "kvk-1", "api", NOW)
    header = f"Bearer {made['token']}"
    assert auth.authenticate(partial(auth.stored, connection), header, NOW) is None
    assert auth.authenticate(partial(auth.stored, connection), header, NOW, purpose="api") is not None


def test_revocation_and_expiry_end_it(connection: sa.Connection) -> None:
    gone = auth.create(connection, "kvk-1", "taxii", NOW)
    api = auth.create(connection, "kvk-1", "api", NOW)
    brief = auth.create(connection, "kvk-2", "taxii", NOW, expires_at=NOW + timedelta(days=1))
    assert auth.revoke(connection, "kvk-1", NOW, purpose="taxii") == 1
    assert auth.authenticate(partial(auth.stored, connection), f"Bearer {gone['token']}", NOW) is None
    assert auth.authenticate(partial(auth.stored, connection), f"Bearer {api['token']}", NOW, purpose="api") is not None
    assert auth.revoke(connection, "kvk-1", NOW) == 1
    assert auth.revoke(connection, "kvk-1", NOW) == 0
    assert auth.authenticate(partial(auth.stored, connection), f"Bearer {brief['token']}", NOW) is not None
    assert (
        auth.authenticate(partial(auth.stored, connection), f"Bearer {brief['token']}", NOW + timedelta(days=1)) is None
    )
    assert auth.purge(connection, NOW + timedelta(days=2)) == 3


@pytest.mark.parametrize(("seconds", "due"), [(0, False), (59, False), (60, True)])
def test_the_last_use_is_due_once_a_minute(connection: sa.Connection, seconds: int, due: bool) -> None:
    made = auth.create(connection, "kvk-1", "taxii", NOW)
    auth.note_use(connection, made["user"], NOW)
    access = auth.authenticate(
        partial(auth.stored, connection), f"Bearer {made['token']}", NOW + timedelta(seconds=seconds)
    )
    assert access is not None
    assert access.due is due


@given(st.text())
def test_no_header_is_too_odd_to_read(header: str) -> None:
    engine = sa.create_engine("sqlite://")
    auth.credentials.create(engine)
    with engine.connect() as conn:
        for scheme in ("", "Basic ", "Bearer "):
            assert auth.authenticate(partial(auth.stored, conn), scheme + header, NOW) is None
    engine.dispose()
