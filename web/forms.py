"""Forms that are sent once, by whom they were shown to: a signed token in each, against forged requests (CSRF).

A token is bound to who got the page (a session, a link, or nobody), ends after some hours, and is used up in the
transaction that does what the form asks for. Beside that a browser says where a request is from.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import Request
from multipart import MultipartParser, parse_options_header

from ingest.columns import Instant, metadata

HOLDS = timedelta(hours=8)
MOST = 64_000
"""Octets of a form."""
_TYPE, _WITH_FILE = "application/x-www-form-urlencoded", "multipart/form-data"
_MOST_FIELDS = 100
_MAC = 16

table = sa.Table(
    "portal_forms",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True, comment="of a token that was used"),
    sa.Column("until", Instant, nullable=False, index=True),
)


class Forms:
    """Makes and takes tokens. `key`: of their signatures."""

    def __init__(self, key: bytes, clock: Callable[[], datetime]) -> None:
        self._key, self._clock = key, clock

    def token(self, who: str, holds: timedelta = HOLDS) -> str:
        """For one form on a page for `who`."""
        until = int((self._clock() + holds).timestamp())
        said = until.to_bytes(6) + secrets.token_bytes(16)
        return base64.urlsafe_b64encode(said + self._mac(said, who)).rstrip(b"=").decode()

    def take(self, conn: sa.Connection, token: str, who: str) -> bool:
        """Use a token up. False: it is none, another's, too old, or was used before."""
        try:
            whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        said, mac = whole[:-_MAC], whole[-_MAC:]
        if len(said) != 22 or not hmac.compare_digest(mac, self._mac(said, who)):
            return False
        until = datetime.fromtimestamp(int.from_bytes(said[:6]), UTC)
        if until <= self._clock():
            return False
        try:
            with conn.begin_nested():
                conn.execute(table.insert().values(id=said[6:].hex(), until=until))
        except sa.exc.IntegrityError:
            return False
        return True

    def _mac(self, said: bytes, who: str) -> bytes:
        return hmac.new(self._key, said + who.encode(), sha256).digest()[:_MAC]


def fits(request: Request) -> bool:
    """Is it a form, sent from one of our own pages? (Fetch Metadata; RFC 6454 for browsers without it.)"""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    site = request.headers.get("sec-fetch-site", "same-origin")
    return kind in (_TYPE, _WITH_FILE) and site in ("same-origin", "none")


class Sent(NamedTuple):
    """A form as it was sent."""

    fields: dict[str, list[str]]
    file: bytes


def read(body: bytes, kind: str) -> Sent:
    """What was filled in, and the file with it, if there is one; in memory alone. `kind`: the Content-Type. Raises
    ValueError for more fields than any form of ours has, and for what is none."""
    name, options = parse_options_header(kind)
    if name != _WITH_FILE:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        return Sent(_plain(found), b"")
    room = len(body) + 1
    parts = MultipartParser(
        BytesIO(body), options.get("boundary", ""), part_limit=_MOST_FIELDS, spool_limit=room, memory_limit=room,
        disk_limit=0,
    ).parts()  # fmt: skip
    typed: dict[str, list[str]] = {}
    for part in parts:
        if part.filename is None:
            typed.setdefault(part.name, []).append(part.value)
    return Sent(_plain(typed), next((part.raw for part in parts if part.filename is not None), b""))


def _plain(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: [each.replace("\r\n", "\n").replace("\0", "") for each in values] for name, values in found.items()}


def purge(conn: sa.Connection, now: datetime) -> int:
    """Forget used tokens that would no longer be taken; how many."""
    return conn.execute(table.delete().where(table.c.until <= now)).rowcount
