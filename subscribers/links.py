"""Links that were asked for, of which a mail goes to an address: who opens one has shown that the address is his.

A link names a row by its id and a MAC over it, so no secret is stored. It works once. What was filled in goes when it
was used, or not in time; that there was a link for the address is kept for an hour, so that nobody is sent too many.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest.columns import Instant, metadata
from subscribers import (
    Claim,
    Contact,
    Incoming,
    Inventory,
    Own,
    Profile,
    Said,
    Software,
    Subscriber,
    registry,
)
from subscribers.own import effective, normal
from tlp import Clearance

Purpose = Literal["subscribe", "log-in", "address", "notice", "factor", "taken-back"]
"""`address`: a subscriber wants its mail there; `notice`: to the address before that, which can say no; `factor`: so it
can to the first second factor; `taken-back`: an operator took it back, and nothing is there to open."""
Language = Literal["nl", "en"]
HOLDS: dict[Purpose, timedelta] = {
    "subscribe": timedelta(hours=48),
    "log-in": timedelta(minutes=15),
    "address": timedelta(hours=48),
    "notice": timedelta(hours=96),
    "factor": timedelta(hours=96),
    "taken-back": timedelta(hours=96),
}
"""How long a link works, and what was filled in is kept."""
PER_HOUR = 3
"""Links that one address is sent an hour: a form must not fill a mailbox."""
SIGNED_UP = "portal-"
"""So begin the ids of those who subscribed themselves."""
HAND = "hand"
"""Name of the list of software that people type themselves."""
_HOUR = timedelta(hours=1)
_MAC = 16
_EMPTY = msgspec.json.encode(None)

table = sa.Table(
    "portal_links",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("address", sa.String(400), nullable=False, index=True),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("wanted", sa.LargeBinary, nullable=False, comment="JSON: address as typed, SignUp or null"),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False, index=True),
    sa.Column(
        "subscriber", sa.String(100), nullable=False, server_default="", comment="whom it is about, if that is known"
    ),
)
_t = table.c


class SignUp(msgspec.Struct, frozen=True):
    """What somebody filled in who wants to be a subscriber."""

    name: str
    address: str
    said: Said
    software: tuple[Software, ...] = ()
    claims: tuple[Claim, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """One link that still works."""

    id: str
    purpose: Purpose
    address: str
    language: Language
    wanted: SignUp | None
    made_at: datetime
    until: datetime
    subscriber: str = ""
    """Whom it is about, if that is known."""


def ask(
    conn: sa.Connection,
    purpose: Purpose,
    address: str,
    language: Language,
    wanted: SignUp | None,
    now: datetime,
    subscriber: str = "",
) -> Link | None:
    """A new link for an address; None: it was sent as many as it may in an hour."""
    recent = sa.select(sa.func.count()).where(_t.address == normal(address), _t.made_at > now - _HOUR)
    if conn.execute(recent).scalar_one() >= PER_HOUR:
        return None
    link = Link(
        f"link-{secrets.token_hex(8)}", purpose, address, language, wanted, now, now + HOLDS[purpose], subscriber
    )
    row = {"id": link.id, "purpose": purpose, "address": normal(address), "language": language}
    data = msgspec.json.encode((address, wanted))
    conn.execute(table.insert().values(**row, wanted=data, made_at=now, until=link.until, subscriber=subscriber))
    return link


def get(conn: sa.Connection, id: str, now: datetime) -> Link | None:  # noqa: A002
    """A link that works at this moment."""
    row = conn.execute(sa.select(table).where(_t.id == id, _t.until > now)).one_or_none()
    if row is None:
        return None
    address, wanted = msgspec.json.decode(row.wanted, type=tuple[str, SignUp | None])
    return Link(row.id, row.purpose, address, row.language, wanted, row.made_at, row.until, row.subscriber)


def pending(conn: sa.Connection, subscriber: str, now: datetime) -> Link | None:
    """The new address of a subscriber that waits for its link to be opened."""
    query = sa.select(_t.id).where(_t.subscriber == subscriber, _t.purpose == "address", _t.until > now)
    found = conn.scalar(query.order_by(_t.made_at.desc()).limit(1))
    return None if found is None else get(conn, found, now)


def cancel(conn: sa.Connection, subscriber: str, now: datetime) -> None:
    """Links to new addresses of a subscriber work no more."""
    _end(conn, now, _t.subscriber == subscriber, _t.purpose == "address")


def revoke(conn: sa.Connection, subscriber: str, now: datetime, since: datetime | None = None) -> None:
    """Nor do those by which an address could be taken back. `since`: of those that were made from then on."""
    which = [_t.subscriber == subscriber, _t.purpose.in_(("address", "notice", "factor"))]
    _end(conn, now, *which, *([_t.made_at >= since] if since is not None else []))


def use(conn: sa.Connection, link: Link, now: datetime) -> bool:
    """It works no more. False: somebody else used it in the meantime."""
    return _end(conn, now, _t.id == link.id)


def _end(conn: sa.Connection, now: datetime, *which: sa.ColumnElement[bool]) -> bool:
    """What was filled in goes at once; the row, when it no longer counts (`PER_HOUR`)."""
    ended = table.update().where(*which, _t.until > now).values(until=now, wanted=_EMPTY)
    return conn.execute(ended).rowcount > 0


def purge(conn: sa.Connection, now: datetime) -> int:
    """Forget links that work no more, with what was filled in; how many."""
    return conn.execute(table.delete().where(*_over(now))).rowcount


def ended(conn: sa.Connection, now: datetime) -> bool:
    """Is there anything to forget?"""
    return conn.scalar(sa.select(_t.id).where(*_over(now)).limit(1)) is not None


def _over(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return _t.until <= now, _t.made_at <= now - _HOUR


def forget(conn: sa.Connection, holds: Callable[[object], bool]) -> list[str]:
    """Forget those that hold something (erasure); their ids."""
    gone = found(conn, holds)
    conn.execute(table.delete().where(_t.id.in_(gone)))
    return gone


def found(conn: sa.Connection, holds: Callable[[object], bool]) -> list[str]:
    """Ids of those that hold something."""
    rows = conn.execute(sa.select(_t.id, _t.address, _t.wanted).order_by(_t.id))
    return [row.id for row in rows if holds((row.address, msgspec.json.decode(row.wanted)))]


def token(key: bytes, id: str) -> str:  # noqa: A002
    """The last part of the address of a link: needs no escaping."""
    name = bytes.fromhex(id.removeprefix("link-"))
    return base64.urlsafe_b64encode(name + _mac(key, name)).decode()


def id_of(key: bytes, token: str) -> str | None:
    """The link that such a token names; None: we did not make it."""
    try:
        whole = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    name, mac = whole[:-_MAC], whole[-_MAC:]
    return f"link-{name.hex()}" if hmac.compare_digest(mac, _mac(key, name)) else None


def _mac(key: bytes, name: bytes) -> bytes:
    return hmac.new(key, name, hashlib.sha256).digest()[:_MAC]


def candidate(wanted: SignUp, clearance: Clearance, now: datetime) -> Subscriber:
    """The subscriber that this would be."""
    return effective(_incoming("", wanted, clearance), _own(wanted, now), 1, now)


def join(conn: sa.Connection, wanted: SignUp, clearance: Clearance, now: datetime) -> str:
    """Make the subscriber; its id, which says nothing about it."""
    name = f"{SIGNED_UP}{secrets.token_hex(6)}"
    registry.upsert(conn, [_incoming(name, wanted, clearance)], now)
    registry.give(conn, name, _own(wanted, now), now)
    return name


def _incoming(name: str, wanted: SignUp, clearance: Clearance) -> Incoming:
    contact = Contact("email", address=wanted.address)
    profile = Profile(kind="company", verified=False)
    return Incoming(name, wanted.name, wanted.said.language, clearance, profile, (contact,))


def _own(wanted: SignUp, now: datetime) -> Own:
    lists = (Inventory(HAND, "hand", now, wanted.software),) if wanted.software else ()
    said = msgspec.structs.replace(wanted.said, confirmed_at=now)
    return Own(inventories=lists, said=said, claims=wanted.claims)
