"""The SMTP channel (RFC 5321): one connection for many messages, over TLS.

Where the server takes commands together (PIPELINING, RFC 2920), a message costs two turns instead of four. A connection
that the server ended while it lay idle is made anew before anything of the message was said; else nothing is tried
twice: that is the outbox's.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dispatch import Delivery, DispatchError, Outcome
from dispatch.mail import address_of
from dispatch.outbox import POSSIBLY_ACCEPTED
from subscribers import Contact

_OUR_FAULT = {530, 534, 535, 538}
"""Authentication (RFC 4954 section 6): our settings, not the message. It waits until they are right."""
_GO_ON = 354
_CLOSING = 421
_LOOSE = re.compile(rb"\r\n|\n|\r")
_BROKEN = (OSError, smtplib.SMTPException)


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """`[smtp]` of oktt.toml. Secrets are read from files."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` for a relay on this machine only."""
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    timeout: float = 60.0
    """Seconds; well under dispatch.outbox.LEASE."""
    hello: str = ""


class _Stale(Exception):  # noqa: N818 - nothing went wrong
    """The server ended the connection while it lay idle: nothing was said on it."""


class SmtpChannel:
    """`sender`: delivery id -> the address that mail comes back to (VERP). For one thread."""

    def __init__(self, settings: SmtpSettings, sender: Callable[[str], str]) -> None:
        self.settings, self._sender = settings, sender
        self._open: smtplib.SMTP | None = None
        self._begun = False
        """Did the message before leave a transaction behind, that has to be given up first?"""

    def check(self) -> None:
        """Raises DispatchError for files of `[smtp]` that cannot be read: before anything is claimed, not for each."""
        if self.settings.user:
            self._password()
        if self.settings.security != "none":
            self._tls()

    def send(self, delivery: Delivery, contact: Contact, message: bytes) -> Outcome:
        """Hand a message over once. 4xx and the network: retry; 5xx: failed; nothing raises but our own errors."""
        envelope = f"MAIL FROM:<{self._sender(delivery.id)}>", f"RCPT TO:<{address_of(contact.address, delivery)}>"
        used = self._open
        try:
            return self._attempt(envelope, message, fresh=used is None)
        except _Stale:
            self._drop()
            return self._attempt(envelope, message, fresh=True)

    def _attempt(self, envelope: Sequence[str], message: bytes, *, fresh: bool) -> Outcome:
        try:
            client = self._open or self._connected()
        except smtplib.SMTPResponseException as error:
            # Also 5xx: a server that will not talk to us at all says nothing about this message.
            return self._lost(f"smtp-{error.smtp_code}")
        except smtplib.SMTPNotSupportedError:
            return self._lost("no-starttls" if self.settings.security == "starttls" else "smtp-unsupported")
        except ssl.SSLError:
            return self._lost("tls")
        except _BROKEN:
            return self._lost("connect")
        reason = "network"
        try:
            code, last = self._asked(client, envelope, fresh)
            if code != _GO_ON:
                # DATA was accepted for nobody: what ends that in order is the end of the connection.
                return self._lost(f"smtp-{code}", code) if last == _GO_ON else self._refused(code)
            reason = POSSIBLY_ACCEPTED
            client.send(_stuffed(message))
            code, _ = client.getreply()
        except _BROKEN:
            return self._lost(reason)
        if code != 250:
            return self._refused(code)
        self._begun = False
        return Outcome("sent", f"smtp-{code}")

    def _asked(self, client: smtplib.SMTP, envelope: Sequence[str], fresh: bool) -> tuple[int, int]:
        """(the first reply that is a refusal, or 354; the last reply). Raises _Stale."""
        commands = [*(["RSET"] if self._begun else []), *envelope, "DATA"]
        together = client.has_extn("pipelining")
        refused = last = 0
        self._begun = True
        for number, command in enumerate(commands):
            try:
                if number == 0 or not together:
                    client.send("".join(f"{each}\r\n" for each in (commands if together else [command])))
                last, _ = client.getreply()
            except _BROKEN:
                if number == 0 and not fresh:
                    raise _Stale from None
                raise
            if number == 0 and last == _CLOSING and not fresh:
                raise _Stale
            if not refused and last not in (250, 251, _GO_ON):
                refused = last
                if last == _CLOSING or not together:
                    break
        return refused or last, last

    def close(self) -> None:
        """QUIT, if there is anybody to say it to."""
        if self._open is not None:
            try:
                self._open.quit()
            except _BROKEN:
                self._open.close()
            self._open = None

    def _refused(self, code: int) -> Outcome:
        """A reply that is a refusal. The connection serves the next message, unless the server is closing (421)."""
        if code == _CLOSING or not 400 <= code < 600:
            return self._lost(f"smtp-{code}")
        return Outcome("failed" if code >= 500 and code not in _OUR_FAULT else "retry", f"smtp-{code}")

    def _lost(self, reason: str, code: int = 0) -> Outcome:
        self._drop()
        return self._refused(code) if code and code != _CLOSING else Outcome("retry", reason)

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open, self._begun = None, False

    def _connected(self) -> smtplib.SMTP:
        """A new connection, encrypted and logged in as the settings have it."""
        s = self.settings
        hello = s.hello or socket.getfqdn()
        if s.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(s.host, s.port, hello, timeout=s.timeout, context=self._tls())
        else:
            client = smtplib.SMTP(s.host, s.port, hello, timeout=s.timeout)
        try:
            if s.security == "starttls":
                client.starttls(context=self._tls())
            if s.user:
                client.login(s.user, self._password())
            client.ehlo_or_helo_if_needed()
            if client.sock is not None:
                with suppress(OSError):  # the end of a message does not wait for what came before it to be told of
                    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            client.close()
            raise
        self._open, self._begun = client, False
        return client

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.settings.ca_file)
        except OSError as error:
            raise DispatchError(f"smtp.ca_file {self.settings.ca_file}: {error.strerror}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _password(self) -> str:
        file = self.settings.password_file
        if file is None:
            raise DispatchError("smtp.user is set and smtp.password_file is not: name the file with the password")
        try:
            return file.read_text("utf-8").strip()
        except OSError as error:
            raise DispatchError(f"smtp.password_file {file}: {error.strerror}") from None


def _stuffed(message: bytes) -> bytes:
    """As it goes over the line: lines end in CRLF alone, one that begins with a dot gets another, a dot ends it all.

    What is left of a bare CR or LF would let a message smuggle in another (RFC 5321 2.3.8)."""
    if not message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r"):
        message = _LOOSE.sub(b"\r\n", message)
    lines = message.replace(b"\r\n.", b"\r\n..")
    start, end = b"." if lines.startswith(b".") else b"", b"" if lines.endswith(b"\r\n") else b"\r\n"
    return b"".join((start, lines, end, b".\r\n"))
