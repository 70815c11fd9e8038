"""The second factor of a subscriber's log-in, if it wants one: an authenticator's codes (RFC 6238), passkeys
(`web.passkeys`), or both; and codes on paper, for who has lost them.

The secret lies sealed; of the codes on paper keyed hashes are kept. Each code opens once.
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from ingest.columns import Instant, metadata
from web import passkeys

STEP = 30
"""Seconds a code holds; the one before and the one after are taken too, for clocks that differ (RFC 6238 5.2)."""
PAPER = 8
"""Codes on paper that one set has."""
TRIES = 5
"""Wrong codes in a row, after which a subscriber waits..."""
WAIT = 900
"""...so many seconds."""

table = sa.Table(
    "portal_factors",
    metadata,
    sa.Column("subscriber", sa.String(100), primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False, comment="sealed"),
    sa.Column("paper", sa.LargeBinary, nullable=False, comment="JSON: keyed hashes of codes that were not used yet"),
    sa.Column("step", sa.BigInteger, nullable=False, comment="the last one whose code was taken"),
    sa.Column("wrong", sa.Integer, nullable=False, comment="codes in a row"),
    sa.Column("wrong_at", Instant),
)
_t = table.c


@dataclass(frozen=True, slots=True)
class Factors:
    """Second factors under one key."""

    key: bytes
    clock: Callable[[], datetime]

    def fresh(self) -> str:
        """A secret to show: 160 bits in base 32."""
        return base64.b32encode(secrets.token_bytes(20)).decode()

    def seal(self, secret: str) -> str:
        """A secret that is not kept yet, as it stands in a form."""
        return self._fernet.encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        """The secret of a form; None: it is not ours."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            return None

    def keep(self, conn: sa.Connection, subscriber: str, secret: str, code: str) -> list[str] | None:
        """From now on an authenticator's codes are asked for; see `begin`. None: the code is not one of this secret."""
        step = self._step(secret, code, 0)
        if step is None:
            return None
        paper = self.begin(conn, subscriber)
        sealed = self._fernet.encrypt_at_time(secret.encode(), int(self.clock().timestamp()))
        conn.execute(table.update().where(_t.subscriber == subscriber).values(secret=sealed, step=step, wrong=0))
        return paper

    def begin(self, conn: sa.Connection, subscriber: str) -> list[str]:
        """From now on a second factor is asked for; the codes on paper, shown once. It was already: none."""
        if has(conn, subscriber):
            return []
        paper = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(PAPER)]
        hashes = msgspec.json.encode([self._hash(each) for each in paper])
        conn.execute(table.insert().values(subscriber=subscriber, secret=b"", paper=hashes, step=0, wrong=0))
        return [f"{each[:4]}-{each[4:8]}-{each[8:12]}-{each[12:]}" for each in paper]

    def opens(self, conn: sa.Connection, subscriber: str, code: str) -> bool:
        """Is this a code of the subscriber's that was not used? It is used then. Wrong ones are counted: commit."""
        row = conn.execute(sa.select(table).where(_t.subscriber == subscriber).with_for_update()).one_or_none()
        now = self.clock()
        if row is None or (row.wrong >= TRIES and (now - row.wrong_at).total_seconds() < WAIT):
            return False
        change: dict[str, object] = {"wrong": 0}
        step = self._step(self._fernet.decrypt(bytes(row.secret)).decode(), code, row.step) if row.secret else None
        paper: list[str] = msgspec.json.decode(row.paper)
        said = self._hash(code.strip().lower().replace("-", "").replace(" ", ""))
        if step is not None:
            change["step"] = step
        elif any(hmac.compare_digest(said, each) for each in paper):
            change["paper"] = msgspec.json.encode([each for each in paper if each != said])
        else:
            before = 0 if row.wrong >= TRIES else row.wrong
            change = {"wrong": before + 1, "wrong_at": now}
        conn.execute(table.update().where(_t.subscriber == subscriber).values(**change))
        return "wrong_at" not in change

    def revoke(self, conn: sa.Connection, subscriber: str, since: datetime) -> None:
        """Forget what was added from then on; what is older is asked for as before. The seal of a secret is dated."""
        passkeys.revoke(conn, subscriber, since)
        sealed = conn.scalar(sa.select(_t.secret).where(_t.subscriber == subscriber))
        if sealed and self._fernet.extract_timestamp(bytes(sealed)) >= int(since.timestamp()):
            forget_authenticator(conn, subscriber)
        without(conn, subscriber)

    def _step(self, secret: str, code: str, after: int) -> int | None:
        """Of which step, later than that, this is the code."""
        typed, now = code.replace(" ", ""), int(self.clock().timestamp()) // STEP
        made = HOTP(base64.b32decode(secret), 6, SHA1())  # noqa: S303 - what authenticators speak (RFC 6238 1.2)
        for step in (now - 1, now, now + 1):
            if step > after and hmac.compare_digest(made.generate(step), typed.encode()):
                return step
        return None

    def _hash(self, code: str) -> str:
        return hmac.new(self.key, code.encode(), sha256).hexdigest()

    @property
    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self.key))


def address(secret: str, issuer: str, account: str) -> str:
    """The secret as an authenticator reads it (otpauth)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}"


def has(conn: sa.Connection, subscriber: str) -> bool:
    """Does this subscriber have one?"""
    return conn.scalar(sa.select(_t.subscriber).where(_t.subscriber == subscriber)) is not None


def authenticator(conn: sa.Connection, subscriber: str) -> bool:
    """Are codes of an authenticator taken?"""
    return bool(conn.scalar(sa.select(_t.secret).where(_t.subscriber == subscriber)))


def without(conn: sa.Connection, subscriber: str) -> bool:
    """After one was taken away: where neither authenticator nor passkey is left, nothing is asked for any more, and
    this is True."""
    if authenticator(conn, subscriber) or passkeys.of(conn, subscriber):
        return False
    drop(conn, subscriber)
    return True


def forget_authenticator(conn: sa.Connection, subscriber: str) -> None:
    """Its codes open no more."""
    conn.execute(table.update().where(_t.subscriber == subscriber).values(secret=b""))


def left(conn: sa.Connection, subscriber: str) -> int:
    """How many codes on paper it has left."""
    found = conn.scalar(sa.select(_t.paper).where(_t.subscriber == subscriber))
    return 0 if found is None else len(msgspec.json.decode(found))


def drop(conn: sa.Connection, subscriber: str) -> None:
    """It is asked for no more."""
    conn.execute(table.delete().where(_t.subscriber == subscriber))
    passkeys.drop(conn, subscriber)
