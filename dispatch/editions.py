"""Editions of the digests in the database: what each covers, and what it held for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from dispatch import DispatchError, wording
from ingest.columns import Instant, metadata

Edition = Literal["monday", "friday"]
WEEKDAYS: dict[Edition, int] = {"monday": 1, "friday": 5}
AT: dict[Edition, time] = {"monday": time(7, 30), "friday": time(14)}
"""When an edition goes out, Dutch local time."""
FIRST = timedelta(days=7)
"""What the very first edition covers."""

editions = sa.Table(
    "editions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("edition", sa.String(8), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False),
)

edition_contents = sa.Table(
    "edition_contents",
    metadata,
    sa.Column("edition", sa.String(32), sa.ForeignKey("editions.id"), primary_key=True),
    sa.Column("subscriber", sa.String(255), primary_key=True),
    sa.Column("held", sa.LargeBinary, nullable=False),
    sa.Column("tally", sa.LargeBinary, comment="what a chart shows of it, JSON; null: made before there were charts"),
)


@dataclass(frozen=True, slots=True)
class Window:
    """What an edition covers: from `since` up to, not including, `until`."""

    id: str
    """`monday/2026-03-02`: the subject of its deliveries."""
    edition: Edition
    day: date
    since: datetime
    until: datetime


def edition_id(edition: Edition, day: date) -> str:
    """`monday/2026-03-02`. DispatchError when the day is another weekday."""
    if day.isoweekday() != WEEKDAYS[edition]:
        found, last = day.strftime("%A"), day - timedelta(days=(day.isoweekday() - WEEKDAYS[edition]) % 7)
        raise DispatchError(f"{day} is a {found}, not a {edition.capitalize()}: the one before it is {last}")
    return f"{edition}/{day}"


def due(edition: Edition, day: date) -> datetime:
    """When it goes out: the local time stays, over summer time too."""
    return datetime.combine(day, AT[edition], wording.ZONE)


def open_window(conn: sa.Connection, edition: Edition, day: date, now: datetime) -> Window:
    """The window of an edition, recorded when it is first made; made again it is the same.

    It begins where the last edition of that name ended. DispatchError: wrong weekday, or a later one was made.
    """
    identifier = edition_id(edition, day)
    made = conn.execute(sa.select(editions).where(editions.c.edition == edition).order_by(editions.c.id.desc())).all()
    for row in made:
        if row.id == identifier:
            return Window(identifier, edition, day, row.since, row.until)
    if made and made[0].id > identifier:
        raise DispatchError(f"{identifier} cannot be made after {made[0].id}, which covers what it would hold")
    window = Window(identifier, edition, day, made[0].until if made else now - FIRST, now)
    conn.execute(sa.insert(editions).values(id=identifier, edition=edition, since=window.since, until=window.until))
    return window


def find(conn: sa.Connection, identifier: str) -> Window | None:
    """An edition that was made, by its id."""
    row = conn.execute(sa.select(editions).where(editions.c.id == identifier)).one_or_none()
    if row is None:
        return None
    return Window(row.id, row.edition, date.fromisoformat(identifier.partition("/")[2]), row.since, row.until)


def remember(conn: sa.Connection, edition: str, subscriber: str, items: Mapping[str, int]) -> None:
    """What this subscriber's edition holds (item -> version), in the transaction that queues it; again replaces it."""
    c = edition_contents.c
    key = (c.edition == edition, c.subscriber == subscriber)
    conn.execute(sa.delete(edition_contents).where(*key))
    conn.execute(
        sa.insert(edition_contents).values(edition=edition, subscriber=subscriber, held=msgspec.json.encode(items))
    )


def contents(conn: sa.Connection, edition: str, subscriber: str) -> dict[str, int]:
    """Item -> version, as remembered: what is checked again before it is sent."""
    c = edition_contents.c
    found = conn.execute(sa.select(c.held).where(c.edition == edition, c.subscriber == subscriber)).scalar_one_or_none()
    return {} if found is None else msgspec.json.decode(found, type=dict[str, int])


def told(conn: sa.Connection, subscriber: str, window: Window) -> dict[str, int]:
    """Item -> latest version in editions made before this one that overlap its window or ended a week before it."""
    c = edition_contents.c
    found = conn.execute(
        sa.select(c.held)
        .join(editions, editions.c.id == c.edition)
        .where(c.subscriber == subscriber, c.edition != window.id)
        .where(editions.c.until > window.since - FIRST, editions.c.until <= window.until)
    ).scalars()
    latest: dict[str, int] = {}
    for items in found:
        for item, version in msgspec.json.decode(items, type=dict[str, int]).items():
            latest[item] = max(version, latest.get(item, 0))
    return latest


def purge(conn: sa.Connection, before: datetime) -> int:
    """Forget what subscribers' editions before then held; the windows stay. How many rows."""
    old = sa.select(editions.c.id).where(editions.c.until < before)
    return conn.execute(sa.delete(edition_contents).where(edition_contents.c.edition.in_(old))).rowcount
