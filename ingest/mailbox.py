"""Mailboxes over IMAP (RFC 9051, RFC 3501): newsletters, and report mails with (zipped) CSV.

Read-only: the folder is opened with EXAMINE and messages are fetched with BODY.PEEK, so that nothing is marked, moved
or deleted, and people or other programs can use the same mailbox. Where we stand is UIDVALIDITY and the last UID. Under
a new UIDVALIDITY all is read again; what came in before is known by its content. Always over TLS: `imaps://` from the
first byte, `imap://` with STARTTLS before anything is said.
"""

import base64
import imaplib
import io
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import msgspec

from ingest import Expected, Feed, Given, RawDocument, Reached, SourceError, Unreadable
from ingest.addresses import REFUSED, allowed
from ingest.archives import Limits, amount
from ingest.files import document_key
from ingest.http import Bounds, Timed, words
from ingest.live import Live
from ingest.messages import parts
from ingest.secrets import secret
from ingest.tls import context

_ANSWER = 1 << 20
"""The most bytes of an answer that is no list and no message."""
_LIST = 32 << 20
"""The most bytes of a list: some four million messages."""
_SIZES = 200
"""Messages whose sizes are asked for at once."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HIGHEST = (1 << 32) - 1
"""UID (RFC 9051 2.3.1.1)."""
_AGAIN = 500
"""Messages that are asked for again."""
_BODY = re.compile(rb'BODY\[\] "((?:[^"\\\r\n]|\\["\\])*)"')
"""A message as a quoted string (RFC 9051 4.3), which very short ones may be."""


class Standing(msgspec.Struct, forbid_unknown_fields=True):
    """A position: all messages up to `uid` were read, as the folder numbered them under `validity`."""

    validity: int
    uid: int
    again: tuple[int, ...] = ()
    """But for these: they were listed, and not given."""


class _NoError(Exception):
    """The server says NO, or we do. The message says so for people."""


class MailboxReader(Live):
    """One poll of a folder. `key` keys the hashes of contents (at least 16 bytes)."""

    def read(self, position: str = "") -> Iterator[Given]:
        """The documents of each new message, in the order they came in; a position after each. Raises SourceError."""
        try:
            box = self._opened()
            try:
                yield from self._messages(box, position)
                with suppress(imaplib.IMAP4.error, OSError):
                    box.logout()
            finally:
                with suppress(OSError):
                    box.shutdown()
        except _NoError as error:
            raise self._error(str(error)) from None
        except (imaplib.IMAP4.error, OSError, EOFError, ValueError) as error:
            raise self._error(words(error, "IMAP")) from None

    def _messages(self, box: "_Box", position: str) -> Iterator[Given]:
        validity = self._folder(box)
        last, again = _standing(position, validity)
        uids = [*sorted(again), *self._new(box, last)]
        yield Expected(len(uids))
        for uid, size in _sizes(box, uids):
            again.discard(uid)
            if size > self._feed.max_bytes:
                yield Unreadable(f"mail {uid}", "fetch", f"larger than {amount(self._feed.max_bytes)}")
            elif (body := _fetched(box, uid, self._feed.max_bytes)) is not None:
                yield from self._documents(uid, body)
            else:
                again.add(uid)
                yield Unreadable(f"mail {uid}", "fetch", "it is listed, and not given; it is asked for again")
            last = max(last, uid)
            standing = Standing(validity, last, tuple(sorted(again)[-_AGAIN:]))
            yield Reached(msgspec.json.encode(standing).decode())

    def _documents(self, uid: int, body: bytes) -> Iterator[RawDocument | Unreadable]:
        most = self._feed.max_bytes
        for part in parts(body, Limits(max_bytes=most, max_unpacked=most)):
            origin = f"mail {uid}, {part.where}" if part.where else f"mail {uid}"
            if part.error:
                yield Unreadable(origin, "fetch", part.error)
            else:
                key = document_key(self._key, self._source.id, part.body)
                yield RawDocument(self._source, part.body, origin, self._clock(), key=key)

    def _opened(self) -> "_Box":
        """Connected over TLS and logged in."""
        url = urlsplit(self._feed.url)
        tls, password, host = context(self._source), secret(self._source), url.hostname or ""
        box: _Box
        if url.scheme == "imaps":
            box = _Secure(host, url.port or 993, self._feed, self._bounds, ssl_context=tls)
        else:
            box = _Plain(host, url.port or 143, self._feed, self._bounds)
        try:
            if url.scheme != "imaps":
                self._start_tls(box, tls)
            self._log_in(box, self._feed.user, password)
        except BaseException:
            with suppress(OSError):
                box.shutdown()
            raise
        return box

    def _start_tls(self, box: "_Box", tls: ssl.SSLContext) -> None:
        try:
            box.starttls(tls)
        except imaplib.IMAP4.error:
            raise self._error("it offers no TLS on that port, and is not read without: use imaps:// in url") from None

    def _log_in(self, box: "_Box", user: str, password: str) -> None:
        try:
            if "AUTH=PLAIN" in box.capabilities:
                box.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                box.login(user, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeError):
            raise self._error("it does not accept our credentials: check user and secret_file") from None

    def _folder(self, box: "_Box") -> int:
        """Open the folder read-only; its UIDVALIDITY."""
        folder = unquote(urlsplit(self._feed.url).path.lstrip("/")) or "INBOX"
        answer, _ = box.select(_quoted(folder), readonly=True)
        if answer != "OK":
            raise self._error("it has no folder of that name that we may read: correct the end of url")
        _, validity = box.response("UIDVALIDITY")
        if not validity or not validity[0]:
            raise self._error("it does not say how its messages are numbered (UIDVALIDITY): ask the source")
        return int(validity[0])

    def _new(self, box: "_Box", last: int) -> list[int]:
        """UIDs after the last one; of a folder that was not read before, those that came in since `since`."""
        start = self._clock() - self._feed.since
        since = [] if last else ["SINCE", f"{start.day}-{_MONTHS[start.month - 1]}-{start.year}"]
        found = box.asked(_LIST, "SEARCH", "UID", f"{last + 1}:*", *since)
        # `n:*` is never empty: it gives the last message also when that is before n (RFC 9051 6.4.4).
        return sorted({uid for line in found if line for uid in map(int, line.split()) if last < uid <= _HIGHEST})

    def _error(self, reason: str) -> SourceError:
        return SourceError(f"{self._source.id}: {reason}")


class _Box(imaplib.IMAP4):
    """A connection whose answers are bounded in bytes and time. imaplib by itself reads what the server announces."""

    def __init__(self, host: str, port: int, feed: Feed, bounds: Bounds, **more: Any) -> None:
        self._feed, self._bounds, self._until, self._left = feed, bounds, time.monotonic() + bounds.poll, _ANSWER
        self._reader: io.BufferedReader | None = None
        self._read_from: Any = None
        super().__init__(host, port, timeout=bounds.connect, **more)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        """Connected, to an address that we may speak with; nothing was said yet."""
        sock: socket.socket = imaplib.IMAP4._create_socket(self, timeout)  # type: ignore[attr-defined]
        if not allowed(sock.getpeername()[0], self._feed.private):
            sock.close()
            raise _NoError(REFUSED)
        return sock

    def allow(self, most: int) -> None:
        """What the next answer may take, in bytes."""
        self._left = most

    def asked(self, most: int, command: str, *arguments: str) -> list[Any]:
        """What a UID command gives, within so many bytes. Raises _NoError, or a mail would be taken for gone."""
        self.allow(most)
        said, answer = self.uid(command, *arguments)
        if said != "OK":
            raise _NoError(f"its server says no to {command}, which it should answer: later polls try again")
        return answer

    def read(self, size: int) -> bytes:
        self._spend(size)
        return self._stream().read(size)

    def readline(self) -> bytes:
        line = self._stream().readline(self._left + 1)
        self._spend(len(line))
        return line

    def shutdown(self) -> None:
        if self._reader is not None:
            self._reader.close()  # or the socket stays open
        super().shutdown()

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("more than an answer may hold")

    def _stream(self) -> io.BufferedReader:
        """Made anew when STARTTLS has put another socket in place, so that nothing said before TLS counts after it."""
        if self._reader is None or self._read_from is not self.sock:
            raw = cast(io.RawIOBase, self.sock.makefile("rb", buffering=0))
            self._read_from = self.sock
            self._reader = io.BufferedReader(cast(Any, Timed(raw, self.sock, self._until, self._bounds.idle)))
        return self._reader


class _Plain(_Box):
    pass


class _Secure(_Box, imaplib.IMAP4_SSL):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        tls: ssl.SSLContext = self.ssl_context
        return tls.wrap_socket(super()._create_socket(timeout), server_hostname=self.host)


def _standing(position: str, validity: int) -> tuple[int, set[int]]:
    """The last UID that was read, and those before it that are asked for again; 0 and none when the folder numbers its
    messages anew, or the position cannot be read."""
    try:
        standing = msgspec.json.decode(position, type=Standing)
    except msgspec.DecodeError:
        return 0, set()
    return (standing.uid, set(standing.again)) if standing.validity == validity else (0, set())


def _sizes(box: _Box, uids: list[int]) -> Iterator[tuple[int, int]]:
    """UID and size of each message that is still there, in order."""
    rest = iter(uids)
    while some := list(islice(rest, _SIZES)):
        lines = box.asked(_ANSWER, "FETCH", ",".join(map(str, some)), "(RFC822.SIZE)")
        told: dict[int, int] = {}
        for line in lines:
            text = line if isinstance(line, bytes) else b""
            uid, size = re.search(rb"UID (\d+)", text), re.search(rb"RFC822\.SIZE (\d+)", text)
            if uid and size:
                told[int(uid[1])] = int(size[1])
        yield from ((uid, told[uid]) for uid in some if uid in told)


def _fetched(box: _Box, uid: int, most: int) -> bytes | None:
    """A message; None: it is not given. Perhaps it is gone since it was listed."""
    for each in box.asked(most + _ANSWER, "FETCH", str(uid), "(BODY.PEEK[])"):
        if isinstance(each, tuple):
            body: bytes = each[1]
            return body
        if found := _BODY.search(each or b""):
            return re.sub(rb"\\(.)", rb"\1", found[1])
    return None


def _quoted(folder: str) -> str:
    """A folder's name as IMAP writes it (RFC 3501 5.1.3: modified UTF-7), as a quoted string."""

    def shifted(found: re.Match[str]) -> str:
        return "&" + base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    name = re.sub(r"[^\x20-\x7e]+", shifted, folder.replace("&", "&-"))
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
