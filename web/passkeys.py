"""Passkeys (WebAuthn) as a second factor: what a browser answers is checked by fido2, and each answer counts once.

The challenge is the token of the form that the answer comes in (`web.forms`): signed, bound to the session, good for
minutes, and used up in the transaction that takes the answer. Kept are public keys; nothing of them is secret.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ingest.columns import Instant, metadata

HOLDS = timedelta(minutes=10)
"""How long a challenge is good."""
MOST = 10
"""Passkeys that one subscriber can have."""

table = sa.Table(
    "portal_passkeys",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="SHA-256 of the credential id"),
    sa.Column("subscriber", sa.String(100), nullable=False, index=True),
    sa.Column("name", sa.String(60), nullable=False, comment="as its owner calls it"),
    sa.Column("credential", sa.LargeBinary, nullable=False, comment="attested credential data (WebAuthn 6.5.2)"),
    sa.Column("counter", sa.BigInteger, nullable=False, comment="the signature counter that was last seen"),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)
_t = table.c


class WrongPasskeyError(Exception):
    """An answer that does not hold."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One that a subscriber has."""

    id: str
    name: str
    credential: AttestedCredentialData
    count: int
    made_at: datetime
    used_at: datetime | None


class Passkeys:
    """Of one site. `origin`: as browsers name it, https://oktt.example; `key`: of what stands for a subscriber."""

    def __init__(self, origin: str, title: str, key: bytes) -> None:
        self._origin, self._key = origin, key
        rp = PublicKeyCredentialRpEntity(name=title, id=urlsplit(origin).hostname or "")
        self._server = Fido2Server(rp, attestation=None, verify_origin=lambda said: said == origin)

    def new(self, subscriber: str, name: str, known: Sequence[Passkey], challenge: str) -> dict[str, Any]:
        """What a browser is asked, to make one (`navigator.credentials.create`). Authenticators that know one of the
        subscriber's already make no second."""
        handle = hmac.new(self._key, subscriber.encode(), sha256).digest()
        user = PublicKeyCredentialUserEntity(id=handle, name=name, display_name=name)
        options, _ = self._server.register_begin(
            user,
            [each.credential for each in known],
            resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
            challenge=websafe_decode(challenge),
        )
        return dict(options)

    def ask(self, known: Sequence[Passkey], challenge: str) -> dict[str, Any]:
        """What a browser is asked, to show one (`navigator.credentials.get`)."""
        options, _ = self._server.authenticate_begin(
            [each.credential for each in known],
            user_verification=UserVerificationRequirement.PREFERRED,
            challenge=websafe_decode(challenge),
        )
        return dict(options)

    def add(self, conn: sa.Connection, subscriber: str, name: str, challenge: str, answer: str, now: datetime) -> None:
        """Keep the one that a browser made. Raises WrongPasskeyError; another's, too."""
        made = self._checked(self._server.register_complete, _state(challenge), answer)
        credential = made.credential_data
        row = {
            "id": _id(credential.credential_id), "subscriber": subscriber, "name": name[:60], "credential": credential,
            "counter": made.counter, "made_at": now,
        }  # fmt: skip
        if conn.scalar(sa.select(_t.id).where(_t.id == row["id"])) is not None or len(of(conn, subscriber)) >= MOST:
            raise WrongPasskeyError
        conn.execute(table.insert().values(**row))

    def opens(self, conn: sa.Connection, subscriber: str, challenge: str, answer: str, now: datetime) -> bool:
        """Did one of the subscriber's sign this challenge? A counter that does not grow is a copy's (WebAuthn 7.2)."""
        known = of(conn, subscriber, lock=True)
        try:
            said = self._checked(AuthenticationResponse.from_dict, answer)
            credentials = [each.credential for each in known]
            self._checked(self._server.authenticate_complete, _state(challenge), credentials, answer)
        except WrongPasskeyError:
            return False
        used = next(each for each in known if each.credential.credential_id == said.raw_id)
        count = said.response.authenticator_data.counter
        if (count or used.count) and count <= used.count:
            return False
        conn.execute(table.update().where(_t.id == used.id).values(counter=count, used_at=now))
        return True

    def _checked(self, check: Any, *given: Any) -> Any:
        """Anything may stand in an answer, and the library raises as many kinds of errors."""
        *before, answer = given
        try:
            return check(*before, msgspec.json.decode(answer))
        except Exception:  # a closed list of errors there is not: what is not understood does not hold
            raise WrongPasskeyError from None


def of(conn: sa.Connection, subscriber: str, *, lock: bool = False) -> list[Passkey]:
    """A subscriber's, oldest first."""
    query = sa.select(table).where(_t.subscriber == subscriber).order_by(_t.made_at, _t.id)
    return [
        Passkey(row.id, row.name, AttestedCredentialData(bytes(row.credential)), row.counter, row.made_at, row.used_at)
        for row in conn.execute(query.with_for_update() if lock else query)
    ]


def drop(conn: sa.Connection, subscriber: str, name: str | None = None) -> None:
    """Forget one (its id), or all of a subscriber."""
    mine = _t.subscriber == subscriber
    conn.execute(table.delete().where(mine if name is None else sa.and_(mine, _t.id == name)))


def revoke(conn: sa.Connection, subscriber: str, since: datetime) -> None:
    """Forget those that were added from then on."""
    conn.execute(table.delete().where(_t.subscriber == subscriber, _t.made_at >= since))


def found(conn: sa.Connection, holds: Callable[[object], bool]) -> list[str]:
    """Ids of those whose name holds something."""
    return [row.id for row in conn.execute(sa.select(_t.id, _t.name).order_by(_t.id)) if holds(row.name)]


def unname(conn: sa.Connection, holds: Callable[[object], bool]) -> list[str]:
    """Those whose name holds something open as before, without it (erasure); their ids."""
    renamed = found(conn, holds)
    conn.execute(table.update().where(_t.id.in_(renamed)).values(name="Passkey"))
    return renamed


def _state(challenge: str) -> dict[str, Any]:
    return {"challenge": challenge, "user_verification": UserVerificationRequirement.PREFERRED}


def _id(credential: bytes) -> str:
    return sha256(credential).hexdigest()
