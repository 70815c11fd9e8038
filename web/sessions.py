"""Who is logged in to the portal: a random cookie, of which a digest is kept.

`HttpOnly`, `Secure`, `SameSite=Lax` and the prefix `__Host-` (RFC 6265bis 4.1.3): no script reads it, no other host
sets it, no other site sends it along with a POST.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from ingest.columns import Instant, metadata

COOKIE = "__Host-oktt"
HOLDS = timedelta(hours=8)
FRESH = timedelta(minutes=10)
"""How long a second factor that was shown counts for what somebody else must not do: then it is asked for again."""

table = sa.Table(
    "portal_sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="SHA-256 of 256 random bits"),
    sa.Column("subscriber", sa.String(100), nullable=False, index=True),
    sa.Column("until", Instant, nullable=False, index=True),
    sa.Column("whole", sa.Boolean, nullable=False, comment="the second factor was shown, or there is none"),
    sa.Column("shown_at", Instant, comment="when the second factor was last shown"),
)
_t = table.c


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who opened a link that went to a subscriber's address."""

    id: str
    subscriber: str
    whole: bool
    """May everything; else a second factor is asked for first."""
    shown_at: datetime | None = None

    def fresh(self, now: datetime) -> bool:
        """Was the second factor shown just now?"""
        return self.shown_at is not None and now - self.shown_at < FRESH


def begin(conn: sa.Connection, subscriber: str, now: datetime, *, whole: bool) -> str:
    """A new session; the value of its cookie."""
    secret = secrets.token_urlsafe(32)
    row = {"id": _digest(secret), "subscriber": subscriber, "until": now + HOLDS, "whole": whole}
    conn.execute(table.insert().values(**row))
    return secret


def find(conn: sa.Connection, secret: str, now: datetime) -> Session | None:
    """Whose cookie this is; None: nobody's (any more)."""
    row = conn.execute(sa.select(table).where(_t.id == _digest(secret), _t.until > now)).one_or_none()
    return None if row is None else Session(row.id, row.subscriber, row.whole, row.shown_at)


def complete(conn: sa.Connection, session: str, now: datetime) -> None:
    """The second factor was shown."""
    conn.execute(table.update().where(_t.id == session).values(whole=True, shown_at=now))


def end(conn: sa.Connection, *, session: str | None = None, subscriber: str | None = None, but: str = "") -> None:
    """Log out one, or all of a subscriber (`but` one)."""
    mine = _t.id == session if session is not None else sa.and_(_t.subscriber == subscriber, _t.id != but)
    conn.execute(table.delete().where(mine))


def purge(conn: sa.Connection, now: datetime) -> int:
    """Forget those that ended; how many."""
    return conn.execute(table.delete().where(_t.until <= now)).rowcount


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
