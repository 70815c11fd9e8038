"""The request ledger: for each credential what it asked last, what it was given, and why it was refused. No addresses,
no query values; each row under a seal, so that `oktt prove` sees an edit.

A request waits in this process for a moment and is written with others, so that a busy writer costs no reader its time
and a thousand requests no thousand commits. A crash loses that moment, of what nobody needs to be complete.
"""

import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from fastapi import Response

from ingest.columns import Instant, instant_text, metadata
from web import auth

_encode = msgspec.json.Encoder().encode
LAST = 200
"""Requests that are kept of a credential."""
_WAIT = 5.0
"""Seconds that a request waits to be written with others."""
_MOST = 10_000
"""Requests that wait at most: those of before are not told."""

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("credential", sa.String, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("method", sa.String(8), nullable=False),
    sa.Column("route", sa.String(20), nullable=False),
    sa.Column("collection", sa.String, comment="alias"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(100), comment="of a refusal"),
    sa.Column("objects", sa.Integer, comment="answered, or handed in"),
    sa.Column("name", sa.String(16), index=True, unique=True, comment="by which it can be proven"),
    sa.Column("subscriber", sa.String),
    sa.Column("rows", sa.LargeBinary, comment="of the collection, that were answered: from, to and with; JSON"),
    sa.Column("more", sa.Boolean, comment="did more follow?"),
    sa.Column("content", sa.String(64), comment="keyed hash of the octets of the answer"),
    sa.Column("seal", sa.String(64), comment="keyed hash of all this"),
    sa.Index("ix_requests_credential", "credential", "id"),
)


@dataclass(slots=True)
class Asked:
    """One request, as the ledger tells it."""

    at: datetime
    method: str
    route: str
    credential: str | None = None
    """None: nobody we know; the ledger does not tell of it."""
    collection: str | None = None
    status: int = 500
    reason: str | None = None
    objects: int | None = None
    due: bool = False
    """Is the credential's last use to be noted?"""
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    subscriber: str | None = None
    rows: bytes | None = None
    more: bool | None = None
    content: str | None = None
    """SHA-256 of a page; keyed when it is written."""

    def answered(self, objects: int, rows: bytes, digest: str, *, more: bool) -> None:
        """A page went out: so many objects, which rows of the collection, in octets of this hash."""
        self.objects, self.rows, self.content, self.more = objects, rows, digest, more

    def again(self, at: datetime, *, due: bool) -> "Asked":
        """The same request at another moment, with the same answer."""
        return replace(self, at=at, due=due, status=200, reason=None, name=secrets.token_hex(8))


SHOWN = ("name", "credential", "at", "method", "route", "collection", "status", "reason", "objects")
SEALED = ("name", "credential", "subscriber", "at", "method", "route", "collection", "status", "reason", "objects",
          "rows", "more", "content")  # fmt: skip
"""What the ledger holds of a request, and its seal is of."""


@dataclass(frozen=True, slots=True)
class Marks:
    """By what an edit of the ledger shows, and a page is known again: keyed hashes; the front door has the keys."""

    seal: Callable[[bytes], str]
    content: Callable[[datetime, str], str]
    """By the key of that moment's month, with which it ends."""

    def of(self, row: Mapping[str, Any]) -> str:
        """The seal of a row."""
        return self.seal(_encode([row[name] for name in SEALED]))


class Ledger:
    """What waits to be written. `flush` writes it at once."""

    def __init__(
        self, engine: sa.Engine, marks: Marks, commit: Callable[[sa.Connection], None] = sa.Connection.commit
    ) -> None:
        self._engine, self._marks, self._commit = engine, marks, commit
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._waiting: deque[Asked] = deque(maxlen=_MOST)
        self._timer: threading.Timer | None = None

    @contextmanager
    def noting(self, asked: Asked) -> Iterator[Callable[[Response], Response]]:
        """Hand the answer to what this gives, and it is told of; an exception instead of one is a mistake of ours."""

        def answered(response: Response) -> Response:
            asked.status = response.status_code
            return response

        asked.reason = "A mistake of ours"
        try:
            yield answered
        finally:
            if asked.status < 400:
                asked.reason = None
            if asked.credential is not None:
                self.note(asked)

    def flush(self) -> None:
        """Write what waits. One at a time: where another process writes for long, one connection waits for it, and the
        others are there for readers."""
        with self._writing:
            with self._lock:
                waiting = list(self._waiting)
                self._waiting.clear()
            try:
                if waiting:
                    with self._engine.connect() as conn:
                        _write(conn, waiting, self._marks)
                        self._commit(conn)
            except sa.exc.SQLAlchemyError as error:
                structlog.get_logger("web").warning("requests-not-noted", error=type(error).__name__)
            with self._lock:
                self._wait_again()

    def note(self, asked: Asked) -> None:
        """It was answered."""
        with self._lock:
            self._waiting.append(asked)
            if self._timer is None:
                self._wait_again()

    def _wait_again(self) -> None:
        """A timer where something waits, and none where nothing does."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(_WAIT, self.flush) if self._waiting else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()


def _write(conn: sa.Connection, waiting: list[Asked], marks: Marks) -> None:
    rows = [{name: getattr(each, name) for name in SEALED} for each in _lasting(waiting)]
    hashed: dict[tuple[str, str], str] = {}
    """By month: many readers get the same page."""
    for row in rows:
        if row["content"] is not None:
            same = instant_text(row["at"])[:7], row["content"]
            if same not in hashed:
                hashed[same] = marks.content(row["at"], row["content"])
            row["content"] = hashed[same]
        row["seal"] = marks.of(row)
    conn.execute(sa.insert(requests), rows)
    columns = requests.c
    for credential in {str(each.credential) for each in waiting}:
        last = sa.select(columns.id).where(columns.credential == credential).order_by(columns.id.desc())
        oldest = last.offset(LAST - 1).limit(1).scalar_subquery()
        conn.execute(sa.delete(requests).where(columns.credential == credential, columns.id < oldest))
    for credential, at in {str(each.credential): each.at for each in waiting if each.due}.items():
        auth.note_use(conn, credential, at)


def _lasting(waiting: list[Asked]) -> list[Asked]:
    """What would not be deleted at once: of each credential the last."""
    told, lasting = Counter[str | None](), list[Asked]()
    for each in reversed(waiting):
        told[each.credential] += 1
        if told[each.credential] <= LAST:
            lasting.append(each)
    return lasting[::-1]


def last(conn: sa.Connection, credentials: list[str], limit: int = LAST) -> list[dict[str, Any]]:
    """The last requests with these credentials, the newest first."""
    query = sa.select(*(requests.c[name] for name in SHOWN)).where(requests.c.credential.in_(credentials))
    return [dict(row._mapping) for row in conn.execute(query.order_by(requests.c.id.desc()).limit(limit))]


def find(conn: sa.Connection, name: str) -> dict[str, Any] | None:
    """All that is kept of a request, by its name."""
    row = conn.execute(sa.select(requests).where(requests.c.name == name)).first()
    return None if row is None else dict(row._mapping)


def purge(conn: sa.Connection, before: datetime) -> int:
    """Delete those of before a moment; how many."""
    return conn.execute(sa.delete(requests).where(requests.c.at < before)).rowcount
