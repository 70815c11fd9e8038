"""Where sources stand, on both engines."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest.cursors import Standing, overview, record_error, record_success

HOUR = timedelta(hours=1)


def test_success_then_error_then_success(connection: sa.Connection, now: datetime) -> None:
    record_success(connection, "kev", now, 3)
    record_error(connection, "kev", now + HOUR, "answers 503")
    record_error(connection, "news", now, "no such host")
    kev, news = overview(connection)
    assert kev == Standing("kev", now, now + HOUR, "answers 503", 3, now)
    assert news == Standing("news", None, now, "no such host", 0, None)
    record_success(connection, "kev", now + 2 * HOUR, 0)
    record_success(connection, "news", now + 2 * HOUR, 2)
    kev, news = overview(connection)
    assert kev == Standing("kev", now + 2 * HOUR, now + HOUR, "", 3, now)
    assert news == Standing("news", now + 2 * HOUR, now, "", 2, now + 2 * HOUR)


def test_a_long_error_is_cut_and_stored(connection: sa.Connection, now: datetime) -> None:
    record_error(connection, "x", now, "a\x00" * 600)
    assert overview(connection)[0].error == "a" * 500
