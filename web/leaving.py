"""Somebody is no longer a subscriber: what hangs on that goes with the profile."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from dispatch import contacts, publication
from subscribers import Contact, links, registry
from web import auth, factors, sessions, statuses

Marks = Callable[[str, Contact], tuple[str, str]]
"""Under what an address of a subscriber is known, and by itself (`app.returning.contact_marks`)."""


def leave(conn: sa.Connection, subscriber: str, now: datetime, marks: Marks, *, objects: bool = False) -> bool:
    """Remove a subscriber; False: there is none. Copies of the index are the caller's to forget.

    `objects`: it does so itself, and wants no mail again when somebody brings it in anew. An address whose reader had
    stopped what came there is not written to again either."""
    one = registry.get(conn, subscriber)
    if one is None:
        return False
    known = [marks(subscriber, each) for each in one.contacts if each.type == "email"]
    objected = [alone for mine, alone in known if objects or contacts.why(conn, now, [mine]) == "opt-out"]
    registry.remove(conn, subscriber, now)
    auth.revoke(conn, subscriber, now)
    contacts.drop(conn, subscriber, objected, now)
    links.revoke(conn, subscriber, now)
    publication.drop(conn, subscriber)
    statuses.drop(conn, subscriber)
    sessions.end(conn, subscriber=subscriber)
    factors.drop(conn, subscriber)
    return True
