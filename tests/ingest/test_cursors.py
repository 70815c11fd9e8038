"""Where sources stand, on both engines."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from ingest import cursors
from ingest.cursors import Standing

HOUR = timedelta(hours=1)


def test_documents_then_an_error_then_success(connection: sa.Connection, now: datetime) -> None:
    cursors.record_document(connection, "kev", now, now - HOUR)
    cursors.record_position(connection, "kev", "a")
    cursors.record_error(connection, "kev", now, "answers 503", now + HOUR)
    cursors.record_error(connection, "news", now, "no such host", now + HOUR)
    kev, news = cursors.overview(connection)
    assert kev == Standing(
        "kev", "a", now + HOUR, 1, None, now, "answers 503", 1, last_document_at=now, last_source_time=now - HOUR
    )
    assert news == Standing("news", "", now + HOUR, 1, None, now, "no such host")
    cursors.record_error(connection, "kev", now + HOUR, "answers 503", now + 2 * HOUR)
    assert cursors.standing(connection, "kev").failures == 2
    cursors.record_success(connection, "kev", now + 2 * HOUR, now + 3 * HOUR)
    kev = cursors.standing(connection, "kev")
    assert (kev.last_success, kev.error, kev.failures, kev.due_at) == (now + 2 * HOUR, "", 0, now + 3 * HOUR)
    assert (kev.last_error, kev.position, kev.documents) == (now + HOUR, "a", 1)
    assert cursors.standing(connection, "never") == Standing("never")


def test_a_position_forgets_failures_and_has_its_bounds(connection: sa.Connection, now: datetime) -> None:
    cursors.record_error(connection, "kev", now, "broke off")
    cursors.record_position(connection, "kev", "x" * cursors.MOST)
    found = cursors.standing(connection, "kev")
    assert (found.failures, found.error, len(found.position)) == (0, "broke off", cursors.MOST)
    cursors.record_position(connection, "kev", "x" * (cursors.MOST + 1))
    assert cursors.standing(connection, "kev").position == ""


def test_the_newest_that_a_source_said(connection: sa.Connection, now: datetime) -> None:
    """Earlier and missing times change nothing; one that lies ahead of our clock is not believed."""
    said = []
    for time in (None, now - HOUR, now - 2 * HOUR, None, now + HOUR, now):
        cursors.record_document(connection, "kev", now, time)
        said.append(cursors.standing(connection, "kev").last_source_time)
    assert said == [None, now - HOUR, now - HOUR, now - HOUR, now - HOUR, now]
    assert cursors.standing(connection, "kev").documents == 6


def test_a_long_error_is_cut_and_stored(connection: sa.Connection, now: datetime) -> None:
    cursors.record_error(connection, "x", now, "a\x00" * 600)
    assert cursors.overview(connection)[0].error == "a" * 500
