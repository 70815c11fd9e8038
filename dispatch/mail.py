"""Rendered -> the bytes of a mail, and the SMTP channel.

The bytes are a function of the delivery, its content and the addresses (unless they are encrypted): Date is when it was
queued, Message-ID and boundaries come from the delivery's id. Parts are put together by hand, many times faster than
by email.message; headers are encoded by the standard library and cannot be broken out of. RFC 5322, 2045-2047, 3834.
"""

import base64
import binascii
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from dispatch import Delivery, DispatchError, Outcome
from dispatch.encryption import Headers, Key, sealed
from dispatch.outbox import POSSIBLY_ACCEPTED
from dispatch.render import Rendered

MOST = 90_000
"""Bytes of text, and of HTML: mail programs clip what is longer."""
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_ID = re.compile(r"[A-Za-z0-9]{8,64}")
_OUR_FAULT = {530, 534, 535, 538}
"""Authentication (RFC 4954 section 6): our settings, not the message. It waits until they are right."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along. Never a ZIP."""

    name: str
    type: str
    """`application/stix+json;version=2.1`, `text/csv; charset=utf-8`."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose name is on it."""

    address: str
    name: str = "OKTT"

    @property
    def domain(self) -> str:
        """Right-hand side of the Message-IDs."""
        return self.address.rpartition("@")[2]


def message_id(delivery: str, domain: str) -> str:
    """`<delivery-id@domain>`: the same for every attempt."""
    return f"<{_checked(delivery)}@{domain}>"


def build(
    delivery: Delivery,
    rendered: Rendered,
    *,
    sender: Sender,
    recipient: str,
    original: str | None = None,
    attachments: Sequence[Attachment] = (),
    key: Key | None = None,
    outside: str = "",
) -> bytes:
    """The mail, CRLF, 7 bit. `original`: Message-ID of the alert that an update or withdrawal belongs to.

    `key`: to whom it is encrypted, with the subject `outside` for everybody to see; then the bytes differ each time.

    Raises DispatchError for an address that is none, and for text or HTML of more than 90 kB.
    """
    text, html = rendered.text.encode(), rendered.html.encode()
    if max(len(text), len(html)) > MOST:
        raise DispatchError(f"delivery {delivery.id}: text or HTML is longer than {MOST} bytes; show fewer lines")
    boundary = f"=_{_checked(delivery.id)}"
    alternative = _multipart("alternative", f"{boundary}_a", [_text("plain", text), _text("html", html)])
    body = alternative
    if attachments:
        body = _multipart("mixed", f"{boundary}_m", [alternative, *map(_attached, attachments)])
    headers: Headers = [
        ("From", f"{_phrase(sender.name)} <{_address(sender.address, delivery)}>"),
        ("To", _address(recipient, delivery)),
        ("Subject", _encoded(rendered.subject, "Subject")),
        ("Date", format_datetime(delivery.queued_at)),
        ("Message-ID", message_id(delivery.id, sender.domain)),
        *([("In-Reply-To", _reference(original)), ("References", _reference(original))] if original else []),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Language", rendered.language),
        ("MIME-Version", "1.0"),
    ]
    if key is not None:
        subject = _encoded(outside, "Subject")
        headers, body = sealed(body, headers, key, subject, f"{boundary}_e")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return lines.encode("ascii") + body


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    start = b"--" + boundary.encode() + b"\r\n"
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    return head + b"".join(start + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"


def _text(subtype: str, content: bytes) -> bytes:
    """Quoted-printable: 7 bit and short lines, so no relay re-encodes what was signed."""
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    lines = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return head.encode() + binascii.b2a_qp(lines, istext=True)


def _attached(file: Attachment) -> bytes:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", file.name)
    if "\n" in file.type or "\r" in file.type or name.lower().endswith(".zip"):
        raise DispatchError(f"attachment {name}: not a type that goes into a mail")
    head = (
        f"Content-Type: {file.type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(file.body).replace(b"\n", b"\r\n")


def _encoded(value: str, name: str) -> str:
    """A header's value: one line of content, whatever stood in it, folded and encoded (RFC 2047)."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    charset = "us-ascii" if clean.isascii() else "utf-8"
    return Header(clean, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")


def _phrase(name: str) -> str:
    clean = "".join(c for c in name if c.isprintable() and c not in '"\\<>')
    return f'"{clean}"' if clean.isascii() else Header(clean, "utf-8").encode(linesep="\r\n")


def _address(address: str, delivery: Delivery) -> str:
    local, _, domain = address.rpartition("@")
    try:
        plain = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        plain = ""
    if not _ADDRESS.fullmatch(plain):
        raise DispatchError(f"delivery {delivery.id}: the address of channel {delivery.channel} is no mail address")
    return plain


def _reference(identifier: str) -> str:
    if not re.fullmatch(r"<[\x21-\x7e]+>", identifier):
        raise DispatchError("a Message-ID to refer to is not one")
    return identifier


def _checked(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise DispatchError("a delivery's id has to be letters and digits")
    return identifier


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


class SmtpChannel:
    """Mail by SMTP (RFC 5321), one connection for many messages. For one thread."""

    def __init__(self, settings: SmtpSettings, sender: Sender) -> None:
        self.settings, self.sender = settings, sender
        self._open: smtplib.SMTP | None = None

    def check(self) -> None:
        """Raises DispatchError for files of `[smtp]` that cannot be read: before anything is claimed, not for each."""
        if self.settings.user:
            self._password()
        if self.settings.security != "none":
            self._tls()

    def send(self, delivery: Delivery, address: str, message: bytes) -> Outcome:
        """Hand a message over once. 4xx and the network: retry; 5xx: failed; nothing raises but our own errors."""
        recipient = _address(address, delivery)
        try:
            client = self._client()
        except smtplib.SMTPResponseException as error:
            # Also 5xx: a server that will not talk to us at all says nothing about this message.
            return self._lost(f"smtp-{error.smtp_code}")
        except smtplib.SMTPNotSupportedError:
            return self._lost("no-starttls" if self.settings.security == "starttls" else "smtp-unsupported")
        except ssl.SSLError:
            return self._lost("tls")
        except (OSError, smtplib.SMTPException):
            return self._lost("connect")
        reason = "network"
        try:
            for command, argument in ((client.mail, self.sender.address), (client.rcpt, recipient)):
                code, _ = command(argument)
                if code not in (250, 251):
                    return self._refused(code)
            reason = POSSIBLY_ACCEPTED
            code, _ = client.data(message)
        except smtplib.SMTPDataError as error:
            return self._refused(error.smtp_code)
        except (OSError, smtplib.SMTPException):
            return self._lost(reason)
        return Outcome("sent", f"smtp-{code}") if code == 250 else self._refused(code)

    def close(self) -> None:
        """QUIT, if there is anybody to say it to."""
        if self._open is not None:
            try:
                self._open.quit()
            except (OSError, smtplib.SMTPException):
                self._open.close()
            self._open = None

    def _refused(self, code: int) -> Outcome:
        """A reply that is a refusal. The connection serves the next message, unless the server is closing (421)."""
        if code == 421 or not 400 <= code < 600:
            return self._lost(f"smtp-{code}")
        return Outcome("failed" if code >= 500 and code not in _OUR_FAULT else "retry", f"smtp-{code}")

    def _lost(self, reason: str) -> Outcome:
        if self._open is not None:
            self._open.close()
            self._open = None
        return Outcome("retry", reason)

    def _client(self) -> smtplib.SMTP:
        """The open connection if it still answers, else a new one."""
        if self._open is not None:
            try:
                if self._open.rset()[0] == 250:
                    return self._open
            except (OSError, smtplib.SMTPException):
                pass
            self._open.close()
            self._open = None
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
        except BaseException:
            client.close()
            raise
        self._open = client
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
