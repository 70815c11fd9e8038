"""IMAP under our own rules (RFC 9051, RFC 3501): answers bounded in bytes and time, and what a mailbox is asked for.

imaplib by itself reads whatever a server announces, for as long as it takes.
"""

import base64
import imaplib
import io
import re
import socket
import ssl
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from ingest import Feed
from ingest.addresses import REFUSED, allowed
from ingest.http import Bounds, Timed

_ANSWER = 1 << 20
"""The most bytes of an answer that is no list and no message."""
LIST = 32 << 20
"""The most bytes of a list: some four million messages."""
_SIZES = 200
"""Messages whose sizes are asked for at once."""
_BODY = re.compile(rb'BODY\[\] "((?:[^"\\\r\n]|\\["\\])*)"')
"""A message as a quoted string (RFC 9051 4.3), which very short ones may be."""


class NoError(Exception):
    """The server says NO, or we do. The message says so for people."""


class Box(imaplib.IMAP4):
    """A connection whose answers are bounded in bytes and time."""

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
            raise NoError(REFUSED)
        return sock

    def allow(self, most: int) -> None:
        """What the next answer may take, in bytes."""
        self._left = most

    def asked(self, most: int, command: str, *arguments: str) -> list[Any]:
        """What a UID command gives, within so many bytes. Raises NoError, or a mail would be taken for gone."""
        self.allow(most)
        self.untagged_responses.pop("FETCH", None)  # what was said before a NO is no part of this answer
        said, answer = self.uid(command, *arguments)
        if said != "OK":
            raise NoError(f"its server says no to {command}, which it should answer: later polls try again")
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


class Plain(Box):
    pass


class Secure(Box, imaplib.IMAP4_SSL):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        tls: ssl.SSLContext = self.ssl_context
        return tls.wrap_socket(super()._create_socket(timeout), server_hostname=self.host)


def sizes(box: Box, uids: list[int]) -> Iterator[tuple[int, int | None]]:
    """UID and size of each message that is still there, in order; None: the server says no."""
    rest = iter(uids)
    while some := list(islice(rest, _SIZES)):
        yield from _sizes_of(box, some)


def _sizes_of(box: Box, uids: list[int]) -> Iterator[tuple[int, int | None]]:
    try:
        lines = box.asked(_ANSWER, "FETCH", ",".join(map(str, uids)), "(RFC822.SIZE)")
    except NoError:  # one of them is enough for that: which?
        if len(uids) == 1:
            yield uids[0], None
            return
        for half in (uids[: len(uids) // 2], uids[len(uids) // 2 :]):
            yield from _sizes_of(box, half)
        return
    told: dict[int, int] = {}
    for line in lines:
        text = line if isinstance(line, bytes) else b""
        uid, size = re.search(rb"UID (\d+)", text), re.search(rb"RFC822\.SIZE (\d+)", text)
        if uid and size:
            told[int(uid[1])] = int(size[1])
    yield from ((uid, told[uid]) for uid in uids if uid in told)


def fetched(box: Box, uid: int, most: int) -> bytes | None:
    """A message; None: it is not given. Perhaps it is gone since it was listed."""
    for each in box.asked(most + _ANSWER, "FETCH", str(uid), "(BODY.PEEK[])"):
        if isinstance(each, tuple):
            body: bytes = each[1]
            return body
        if found := _BODY.search(each or b""):
            return re.sub(rb"\\(.)", rb"\1", found[1])
    return None


def quoted(folder: str) -> str:
    """A folder's name as IMAP writes it (RFC 3501 5.1.3: modified UTF-7), as a quoted string."""

    def shifted(found: re.Match[str]) -> str:
        return "&" + base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    name = re.sub(r"[^\x20-\x7e]+", shifted, folder.replace("&", "&-"))
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
