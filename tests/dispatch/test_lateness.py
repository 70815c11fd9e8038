"""Lateness from the tables as they are, on both engines."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from dispatch.lateness import Lateness, measured
from dispatch.ledger import ledger
from triage.inbox import items, statements
from triage.releases import releases

MINUTE = timedelta(minutes=1)


def said(connection: sa.Connection, number: int, source: str, said_at: datetime | None, received: datetime) -> str:
    item = f"OKTT-2026-{number:04}"
    row = {
        "id": item, "state": "new", "version": 1, "kind": "advisory", "meaning": "m", "card": b"{}",
        "received_at": received, "changed_at": received, "reserved": False,
    }  # fmt: skip
    connection.execute(items.insert(), row)
    values = {"key": item, "item": item, "source": source, "label": "CLEAR", "meaning": "m", "regime": "r"}
    connection.execute(statements.insert(), {**values, "received_at": received, "source_time": said_at, "sealed": b""})
    return item


def released(connection: sa.Connection, item: str, at: datetime, status: str = "active", version: int = 1) -> None:
    row = {"item": item, "version": version, "at": at, "decision": b"", "audience": b"", "bound": "", "shown": ""}
    connection.execute(releases.insert(), {**row, "status": status})


def sent(connection: sa.Connection, item: str, at: datetime, outcome: str = "sent") -> None:
    row = {"at": at, "outcome": outcome, "delivery": "d", "kind": "alert", "subscriber": "s", "subject": item}
    connection.execute(ledger.insert(), {**row, "version": 1, "repeat": False, "reason": ""})


def test_three_legs_per_source(connection: sa.Connection, now: datetime) -> None:
    since = now - timedelta(days=30)
    for number in range(1, 11):
        item = said(connection, number, "kev", now - 10 * MINUTE * number, now)
        released(connection, item, now - MINUTE, "superseded")  # of a version before: it was out already
        released(connection, item, now + MINUTE * number, version=2)
    sent(connection, "OKTT-2026-0001", now)  # before the release: of the version before
    sent(connection, "OKTT-2026-0001", now + 2 * MINUTE, "failed")
    sent(connection, "OKTT-2026-0001", now + 4 * MINUTE)
    sent(connection, "OKTT-2026-0001", now + 9 * MINUTE)
    assert measured(connection, since)["kev"] == {
        "received": Lateness(10, 3000.0, 5400.0),
        "released": Lateness(10, 300.0, 540.0),
        "sent": Lateness(1, 180.0, 180.0),
    }


def test_what_is_not_measured(connection: sa.Connection, now: datetime) -> None:
    since = now - timedelta(days=30)
    said(connection, 1, "old", now - timedelta(days=400), now)  # a first poll
    said(connection, 2, "before", now - timedelta(days=40), now - timedelta(days=39))
    item = said(connection, 3, "timeless", None, now)
    released(connection, item, now + MINUTE, "pending")
    said(connection, 4, "ahead", now + MINUTE, now)
    assert measured(connection, since) == {"timeless": {}, "ahead": {"received": Lateness(1, 0.0, 0.0)}}
