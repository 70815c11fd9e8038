"""Editions of the digests in the database: what each covers, and what it held for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch import DispatchError, wording
from ingest.columns import Instant, metadata

Edition = Literal["monday", "friday"]
WEEKDAYS: dict[Edition, int] = {"monday": 1, "friday": 5}
AT: dict[Edition, time] = {"monday": time(7, 30), "friday": time(14)}
"""When an edition goes out, Dutch local time."""
FIRST = timedelta(days=7)
"""What the very first edition covers."""
CATCH_UP = timedelta(hours=1)
"""After its hour, on a day that is not its own."""

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

    @property
    def late(self) -> bool:
        """Was it made on another day than its own?"""
        return self.until.astimezone(wording.ZONE).date() != self.day


class Count(msgspec.Struct, frozen=True, array_like=True):
    """What one edition held, by urgency; and at how many members something stood open (null: it stands for none)."""

    today: int = 0
    this_week: int = 0
    info: int = 0
    members: int | None = None


Tally = Mapping[str, Count]
"""Label -> what was no stricter than that."""


def edition_id(edition: Edition, day: date) -> str:
    """`monday/2026-03-02`. DispatchError when the day is another weekday."""
    if day.isoweekday() != WEEKDAYS[edition]:
        found, last = day.strftime("%A"), day - timedelta(days=(day.isoweekday() - WEEKDAYS[edition]) % 7)
        raise DispatchError(f"{day} is a {found}, not a {edition.capitalize()}: the one before it is {last}")
    return f"{edition}/{day}"


def due(edition: Edition, day: date) -> datetime:
    """When it goes out: the local time stays, over summer time too."""
    return datetime.combine(day, AT[edition], wording.ZONE)


def due_now(edition: Edition, now: datetime) -> date | None:
    """The day of the edition that has to be made now, if it was not yet. On its own day that is from its hour on. One
    that was missed goes within an hour of its time on a day after, when feeds are read and people have decided again;
    until the hour of the other edition, which covers the same and more."""
    today = now.astimezone(wording.ZONE).date()
    day = today - timedelta(days=(today.isoweekday() - WEEKDAYS[edition]) % 7)
    other: Edition = "friday" if edition == "monday" else "monday"
    after = due(other, day + timedelta(days=(WEEKDAYS[other] - WEEKDAYS[edition]) % 7))
    hour = due(edition, today)
    fits = now >= hour if today == day else timedelta() <= now - hour < CATCH_UP
    return day if fits and now < after else None


def made_any(conn: sa.Connection) -> bool:
    """Was any edition made? Before the first, none was missed."""
    return conn.execute(sa.select(editions.c.id).limit(1)).first() is not None


def open_window(conn: sa.Connection, edition: Edition, day: date, now: datetime) -> Window | None:
    """The window of an edition that is made now, recorded; None: it was made already, by whomever.

    It begins where the last edition of that name ended. DispatchError: wrong weekday, or a later one was made.
    """
    identifier = edition_id(edition, day)
    chosen = sa.select(editions.c.id, editions.c.until).where(editions.c.edition == edition)
    last = conn.execute(chosen.order_by(editions.c.id.desc()).limit(1)).one_or_none()
    if last is not None and last.id > identifier and find(conn, identifier) is None:
        raise DispatchError(f"{identifier} cannot be made after {last.id}, which covers what it would hold")
    window = Window(identifier, edition, day, last.until if last else now - FIRST, now)
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    made = insert(editions).values(id=identifier, edition=edition, since=window.since, until=window.until)
    return window if conn.scalar(made.on_conflict_do_nothing().returning(editions.c.id)) else None


def find(conn: sa.Connection, identifier: str) -> Window | None:
    """An edition that was made, by its id."""
    row = conn.execute(sa.select(editions).where(editions.c.id == identifier)).one_or_none()
    if row is None:
        return None
    return Window(row.id, row.edition, date.fromisoformat(identifier.partition("/")[2]), row.since, row.until)


def remember(
    conn: sa.Connection, edition: str, subscriber: str, items: Mapping[str, int], tally: Tally | None = None
) -> None:
    """What this subscriber's edition holds (item -> version), in the transaction that queues it; again replaces it.
    `tally`: what its charts show of it later."""
    c = edition_contents.c
    key = (c.edition == edition, c.subscriber == subscriber)
    conn.execute(sa.delete(edition_contents).where(*key))
    said = {"held": msgspec.json.encode(items), "tally": None if tally is None else msgspec.json.encode(tally)}
    conn.execute(sa.insert(edition_contents).values(edition=edition, subscriber=subscriber, **said))


def history(conn: sa.Connection, subscriber: str, window: Window, most: int) -> list[tuple[date, Tally]]:
    """The last editions of that name that were made, up to this one, at most so many; from the first with a tally of
    this subscriber's. Of one that held nothing for it the tally is empty."""
    c = edition_contents.c
    chosen = sa.select(editions.c.id, c.tally).outerjoin(
        edition_contents, sa.and_(c.edition == editions.c.id, c.subscriber == subscriber)
    )
    chosen = chosen.where(editions.c.edition == window.edition, editions.c.id <= window.id)
    found: list[tuple[date, Tally]] = []
    for row in reversed(conn.execute(chosen.order_by(editions.c.id.desc()).limit(most)).all()):
        if found or row.tally is not None:
            tally = {} if row.tally is None else msgspec.json.decode(row.tally, type=dict[str, Count])
            found.append((date.fromisoformat(row.id.partition("/")[2]), tally))
    return found


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
