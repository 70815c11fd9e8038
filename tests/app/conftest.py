"""No connection outlives its test; and where commands are killed."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dispatch import blocks
from tests.app.forks import Forks, forking


@pytest.fixture(autouse=True)
def engines() -> Iterator[None]:
    """Every engine that a test connects with in this process gives its connections back when the test ends, as a
    command does (Service.close): see `copied` in tests/app/instance.py for what an open one is in the way of."""
    used: set[sa.Engine] = set()

    def note(connection: sa.Connection) -> None:
        used.add(connection.engine)

    sa.event.listen(sa.Engine, "engine_connect", note)
    yield
    sa.event.remove(sa.Engine, "engine_connect", note)
    for engine in used:
        engine.dispose()


@pytest.fixture(scope="module")
def small_blocks() -> Iterator[None]:
    """What is published lies joined by twos, so that there are blocks where little is published. Not for tests with
    another process: it would read them by the hundred."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(blocks, "SIZE", 2)
        yield


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Where commands run that are to be killed."""
    with forking() as made:
        yield made
