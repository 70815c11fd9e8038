"""API credentials: made once, shown once, checked on every request (Basic and Bearer).

A secret is 256 random bits, so a plain SHA-256 of it is all that has to be stored: nobody guesses it, and a slow or
salted hash, which protects passwords that people choose, would only cost every request its time. Digests are
compared in constant time; an unknown user costs the same comparison.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from ingest.columns import Instant, metadata

Purpose = Literal["taxii", "api"]
Random = Callable[[int], bytes]
Find = Callable[[str], sa.Row[Any] | None]
"""`stored`, on a connection."""

NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use is recorded."""
_PREFIX = "oktt_"
_USER = re.compile(r"[a-z]+-[0-9a-f]{16}")
_NOBODY = bytes(32)

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subscriber", sa.String, nullable=False, index=True),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("last_used_at", Instant),
)
"""`id` is the user name."""
_PRESENTED = sa.select(credentials).where(credentials.c.id == sa.bindparam("user"))


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, by which credential, and whether its last use is due to be noted."""

    credential: str
    subscriber: str
    due: bool


def create(
    conn: sa.Connection,
    subscriber: str,
    purpose: Purpose,
    now: datetime,
    *,
    random: Random = secrets.token_bytes,
    expires_at: datetime | None = None,
) -> dict[str, str]:
    """A new credential: {"user", "password", "token"}. Only a digest is kept, so this is shown once."""
    user = f"{purpose}-{random(8).hex()}"
    password = _text(random(32))
    row = {"id": user, "subscriber": subscriber, "purpose": purpose, "secret": _digest(password)}
    conn.execute(sa.insert(credentials).values(**row, created_at=now, expires_at=expires_at))
    return {"user": user, "password": password, "token": f"{_PREFIX}{user}.{password}"}


def revoke(conn: sa.Connection, subscriber: str, now: datetime, *, purpose: Purpose | None = None) -> int:
    """End all credentials of a subscriber (of one purpose); how many stood."""
    columns = credentials.c
    where = [columns.subscriber == subscriber, columns.revoked_at.is_(None)]
    if purpose is not None:
        where.append(columns.purpose == purpose)
    return conn.execute(sa.update(credentials).where(*where).values(revoked_at=now)).rowcount


def standing(conn: sa.Connection, now: datetime, purpose: Purpose) -> int:
    """How many credentials of a purpose open something at this moment."""
    columns = credentials.c
    lasting = sa.or_(columns.expires_at.is_(None), columns.expires_at > now)
    where = (columns.purpose == purpose, columns.revoked_at.is_(None), lasting)
    return conn.scalar(sa.select(sa.func.count()).select_from(credentials).where(*where)) or 0


def stored(conn: sa.Connection, user: str) -> sa.Row[Any] | None:
    """A credential as it lies, by its user name."""
    return conn.execute(_PRESENTED, {"user": user}).first()


def authenticate(find: Find, authorization: str | None, now: datetime, *, purpose: Purpose = "taxii") -> Access | None:
    """Whose request this is, by its Authorization header (RFC 7617, RFC 6750); None: nobody we know."""
    row = _proven(find, authorization)
    if row is None or _refusal(row, now, purpose):
        return None
    return Access(row.id, row.subscriber, due(row, now))


def due(row: sa.Row[Any], now: datetime) -> bool:
    """Is the last use of a credential to be noted?"""
    return row.last_used_at is None or now - row.last_used_at >= NOTED_EVERY


def why_not(
    find: Find, authorization: str | None, now: datetime, *, purpose: Purpose = "taxii"
) -> tuple[str, str, str] | None:
    """(credential, subscriber, why it opens nothing) of this secret; None: nobody's. Its holder may know."""
    row = _proven(find, authorization)
    reason = None if row is None else _refusal(row, now, purpose)
    return None if row is None or reason is None else (row.id, row.subscriber, reason)


def of(conn: sa.Connection, subscriber: str | None = None, limit: int | None = None) -> list[sa.Row[Any]]:
    """Credentials (None: everybody's), those that ended too, without their secrets."""
    columns = credentials.c
    query = sa.select(*(each for each in columns if each.name != "secret")).order_by(
        columns.subscriber, columns.created_at, columns.id
    )
    if subscriber is not None:
        query = query.where(columns.subscriber == subscriber)
    return list(conn.execute(query.limit(limit)))


def _proven(find: Find, authorization: str | None) -> sa.Row[Any] | None:
    """The credential whose secret was presented, whether or not it still opens anything."""
    user, password = _presented(authorization)
    if not _USER.fullmatch(user):
        user = ""  # nobody's; some databases refuse to look for some characters
    row = find(user)
    same = hmac.compare_digest(_NOBODY if row is None else bytes(row.secret), _digest(password))
    return row if same else None


def _refusal(row: sa.Row[Any], now: datetime, purpose: Purpose) -> str | None:
    if row.revoked_at is not None:
        return "This credential was revoked"
    if row.expires_at is not None and now >= row.expires_at:
        return "This credential has expired"
    return None if row.purpose == purpose else f"This credential is for {row.purpose}, not for {purpose}"


def note_use(conn: sa.Connection, credential: str, now: datetime) -> None:
    """Record that a credential was used: the one thing that a GET changes."""
    conn.execute(sa.update(credentials).where(credentials.c.id == credential).values(last_used_at=now))


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete credentials that ended before a moment; how many."""
    columns = credentials.c
    ended = sa.or_(columns.revoked_at < before, columns.expires_at < before)
    return conn.execute(sa.delete(credentials).where(ended)).rowcount


def _presented(authorization: str | None) -> tuple[str, str]:
    scheme, _, value = (authorization or "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        user, _, password = value.removeprefix(_PREFIX).partition(".")
        return user, password
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # not base64, or not UTF-8
            return "", ""
        return user, password
    return "", ""


def _digest(password: str) -> bytes:
    return sha256(password.encode("utf-8", "surrogatepass")).digest()


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
