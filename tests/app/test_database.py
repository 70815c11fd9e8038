import sqlalchemy as sa


def test_connects(connection: sa.Connection) -> None:
    assert connection.scalar(sa.text("select 1")) == 1
