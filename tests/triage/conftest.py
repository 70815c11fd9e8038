import pytest
import sqlalchemy as sa

from tests.triage.desk import Desk


@pytest.fixture
def desk(connection: sa.Connection) -> Desk:
    """An empty desk, on both engines."""
    return Desk(connection)
