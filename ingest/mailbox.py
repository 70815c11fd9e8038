"""Mailboxes over IMAP (RFC 9051, RFC 3501): newsletters, and report mails with (zipped) CSV.

Read-only: the folder is opened with EXAMINE and messages are fetched with BODY.PEEK, so that nothing is marked, moved
or deleted, and people or other programs can use the same mailbox. Where we stand is UIDVALIDITY and the last UID. Under
a new UIDVALIDITY all is read again; what came in before is known by its content. Always over TLS: `imaps://` from the
first byte, `imap://` with STARTTLS before anything is said.

A mail that the server does not give costs itself alone: it is asked for again after all newer ones, and passed over, in
words, when it was not given in so many polls in which others were.
"""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import msgspec

from ingest import Expected, Given, RawDocument, Reached, SourceError, Unreadable
from ingest.archives import Limits, amount
from ingest.files import document_key
from ingest.http import words
from ingest.imap_client import LIST, Box, NoError, Plain, Secure, fetched, quoted, sizes
from ingest.live import Live
from ingest.messages import parts
from ingest.secrets import secret
from ingest.tls import context

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HIGHEST = (1 << 32) - 1
"""UID (RFC 9051 2.3.1.1)."""
BROKEN = (imaplib.IMAP4.error, OSError, EOFError, ValueError)
"""What imaplib raises when a server breaks off, or says what is no IMAP."""
_AGAIN = 500
"""Messages that are asked for again. When there are more, it is the source."""
TRIES = 10
"""Polls that a message is asked for in, counting those in which another one was given."""
TROUBLE = 3
"""New messages in a row that are not given: then it is the source, and the others wait."""


class Standing(msgspec.Struct, forbid_unknown_fields=True):
    """A position: all messages up to `uid` were read, as the folder numbered them under `validity`."""

    validity: int
    uid: int
    again: tuple[int, ...] = ()
    """But for these: they were listed, and not given."""
    tries: dict[int, int] = {}
    """In how many polls, where that counts."""


@dataclass(slots=True)
class _Pull:
    """Where one poll stands while it lasts."""

    validity: int
    last: int = 0
    again: dict[int, int] = field(default_factory=dict)
    """Messages that are asked for again -> polls in which they were, where that counts."""
    failed: set[int] = field(default_factory=set)
    """Of those, the ones that were not given in this poll."""
    given: bool = False

    def reached(self) -> Reached:
        tries = {uid: number for uid, number in sorted(self.again.items()) if number}
        standing = Standing(self.validity, self.last, tuple(sorted(self.again)), tries)
        return Reached(msgspec.json.encode(standing).decode())

    def passed_over(self) -> list[int]:
        """At the end: messages that were asked for often enough. Where none was given, it may be the source."""
        self.again = {uid: number for uid, number in self.again.items() if uid in self.failed}  # others are gone
        if self.given:
            self.again = {uid: number + 1 for uid, number in self.again.items()}
        over = sorted(uid for uid, number in self.again.items() if number >= TRIES)
        self.again = {uid: number for uid, number in self.again.items() if number < TRIES}
        return over


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
        except NoError as error:
            raise self._error(str(error)) from None
        except BROKEN as error:
            raise self._error(words(error, "IMAP")) from None

    def _messages(self, box: Box, position: str) -> Iterator[Given]:
        pull = _standing(position, self._folder(box))
        new = self._new(box, pull.last)
        yield Expected(len(new) + len(pull.again))
        row = 0
        for uid, size in sizes(box, [*new, *sorted(pull.again)]):
            late = uid in pull.again
            pull.last = max(pull.last, uid)
            try:
                body = self._body(box, uid, size)
            except NoError as error:
                if len(pull.again) >= _AGAIN and not late:
                    raise self._error(f"it does not give more than {_AGAIN} of its mails: ask the source") from None
                pull.again.setdefault(uid, 0)
                pull.failed.add(uid)
                row += not late
                yield Unreadable(f"mail {uid}", "fetch", f"{error}; it is asked for again")
                yield pull.reached()
                if row == TROUBLE:
                    raise self._error("its server does not give its mails: later polls try again") from None
                continue
            except BROKEN:
                pull.again.setdefault(uid, 0)  # whatever breaks off at it keeps nothing newer out
                yield pull.reached()
                raise
            row, pull.given = 0, True
            yield from self._documents(uid, body) if isinstance(body, bytes) else [body]
            pull.again.pop(uid, None)
            yield pull.reached()
        for uid in pull.passed_over():
            yield Unreadable(f"mail {uid}", "fetch", f"not given in {TRIES} polls: passed over; look in the mailbox")
        if pull.failed:
            yield pull.reached()

    def _body(self, box: Box, uid: int, size: int | None) -> bytes | Unreadable:
        """A message, or why it is not read. Raises NoError when it is not given."""
        if size is None:
            raise NoError("its server says no when it is asked how large it is")
        if size > self._feed.max_bytes:
            return Unreadable(f"mail {uid}", "fetch", f"larger than {amount(self._feed.max_bytes)}")
        try:
            body = fetched(box, uid, self._feed.max_bytes)
        except NoError:
            raise NoError("its server says no when it is asked for it") from None
        if body is None:
            raise NoError("it is listed, and not given")
        return body

    def _documents(self, uid: int, body: bytes) -> Iterator[RawDocument | Unreadable]:
        most = self._feed.max_bytes
        for part in parts(body, Limits(max_bytes=most, max_unpacked=most)):
            origin = f"mail {uid}, {part.where}" if part.where else f"mail {uid}"
            if part.error:
                yield Unreadable(origin, "fetch", part.error)
            else:
                key = document_key(self._key, self._source.id, part.body)
                yield RawDocument(self._source, part.body, origin, self._clock(), key=key)

    def _opened(self) -> Box:
        """Connected over TLS and logged in."""
        url = urlsplit(self._feed.url)
        tls, password, host = context(self._source), secret(self._source), url.hostname or ""
        box: Box
        if url.scheme == "imaps":
            box = Secure(host, url.port or 993, self._feed, self._bounds, ssl_context=tls)
        else:
            box = Plain(host, url.port or 143, self._feed, self._bounds)
        try:
            if url.scheme != "imaps":
                self._start_tls(box, tls)
            self._log_in(box, self._feed.user, password)
        except BaseException:
            with suppress(OSError):
                box.shutdown()
            raise
        return box

    def _start_tls(self, box: Box, tls: ssl.SSLContext) -> None:
        try:
            box.starttls(tls)
        except imaplib.IMAP4.error:
            raise self._error("it offers no TLS on that port, and is not read without: use imaps:// in url") from None

    def _log_in(self, box: Box, user: str, password: str) -> None:
        try:
            if "AUTH=PLAIN" in box.capabilities:
                box.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                box.login(user, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeError):
            raise self._error("it does not accept our credentials: check user and secret_file") from None

    def _folder(self, box: Box) -> int:
        """Open the folder read-only; its UIDVALIDITY."""
        folder = unquote(urlsplit(self._feed.url).path.lstrip("/")) or "INBOX"
        answer, _ = box.select(quoted(folder), readonly=True)
        if answer != "OK":
            raise self._error("it has no folder of that name that we may read: correct the end of url")
        _, validity = box.response("UIDVALIDITY")
        if not validity or not validity[0]:
            raise self._error("it does not say how its messages are numbered (UIDVALIDITY): ask the source")
        return int(validity[0])

    def _new(self, box: Box, last: int) -> list[int]:
        """UIDs after the last one; of a folder that was not read before, those that came in since `since`."""
        start = self._clock() - self._feed.since
        since = [] if last else ["SINCE", f"{start.day}-{_MONTHS[start.month - 1]}-{start.year}"]
        found = box.asked(LIST, "SEARCH", "UID", f"{last + 1}:*", *since)
        # `n:*` is never empty: it gives the last message also when that is before n (RFC 9051 6.4.4).
        return sorted({uid for line in found if line for uid in map(int, line.split()) if last < uid <= _HIGHEST})

    def _error(self, reason: str) -> SourceError:
        return SourceError(f"{self._source.id}: {reason}")


class WholeReader(MailboxReader):
    """The same of messages as they are, unopened: mail of our own that came back."""

    def _documents(self, uid: int, body: bytes) -> Iterator[RawDocument | Unreadable]:
        key = document_key(self._key, self._source.id, body)
        yield RawDocument(self._source, body, f"mail {uid}", self._clock(), key=key)


def _standing(position: str, validity: int) -> _Pull:
    """From the start when the folder numbers its messages anew, or the position cannot be read."""
    try:
        standing = msgspec.json.decode(position, type=Standing)
    except msgspec.DecodeError:
        return _Pull(validity)
    if standing.validity != validity:
        return _Pull(validity)
    return _Pull(validity, standing.uid, {uid: standing.tries.get(uid, 0) for uid in standing.again})
