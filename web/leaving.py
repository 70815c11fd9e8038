"""Somebody is no longer a subscriber: what hangs on that goes with the profile."""

from datetime import datetime

import sqlalchemy as sa

from dispatch import contacts, publication
from subscribers import registry
from web import auth, factors, sessions, statuses


def leave(conn: sa.Connection, subscriber: str, now: datetime) -> bool:
    """Remove a subscriber; False: there is none. Copies of the index are the caller's to forget."""
    if registry.remove(conn, subscriber, now) is None:
        return False
    auth.revoke(conn, subscriber, now)
    contacts.drop(conn, subscriber)
    publication.drop(conn, subscriber)
    statuses.drop(conn, subscriber)
    sessions.end(conn, subscriber=subscriber)
    factors.drop(conn, subscriber)
    return True
