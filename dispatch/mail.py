"""Rendered -> the bytes of a mail.

The bytes are a function of the delivery, its content and the addresses (unless they are encrypted): Date is when it was
queued, Message-ID and boundaries come from the delivery's id. Parts are put together by hand, many times faster than
by email.message; headers are encoded by the standard library and cannot be broken out of. RFC 5322, 2045-2047, 3834.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache

from dispatch import Delivery, DispatchError
from dispatch.dkim import Dkim
from dispatch.encryption import Headers, Key, sealed
from dispatch.render import Picture, Rendered
from dispatch.signing import Signer
from dispatch.stopping import with_stop

MOST = 90_000
"""Bytes of text, and of HTML: mail programs clip what is longer."""
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_MESSAGE = "message/rfc822"
_ONE_CLICK = "List-Unsubscribe=One-Click"
_ID = re.compile(r"[A-Za-z0-9]{8,64}")


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
    unsubscribe: str = "",
    passed_on: bool = False,
    signer: Signer | None = None,
    dkim: Dkim | None = None,
) -> bytes:
    """The mail, CRLF, 7 bit. `original`: Message-ID of the alert that an update or withdrawal belongs to.

    `key`: to whom it is encrypted, with the subject `outside` for everybody to see; then, as with a `signer`, the bytes
    differ each time. `unsubscribe`: where a POST stops what comes to this address (RFC 8058: over https alone);
    in a header alone where the reader informs others with the text (`passed_on`), who would stop his mail.

    Raises DispatchError for an address that is none, and for text or HTML of more than 90 kB.
    """
    if max(len(rendered.text.encode()), len(rendered.html.encode())) > MOST:
        raise DispatchError(f"delivery {delivery.id}: text or HTML is longer than {MOST} bytes; show fewer lines")
    rendered = with_stop(rendered, unsubscribe) if unsubscribe and not passed_on else rendered
    boundary = f"=_{_checked(delivery.id)}"
    alternative = body = _alternative(rendered, f"{boundary}_a")
    if attachments:
        body = _multipart("mixed", f"{boundary}_m", [alternative, *map(_attached, attachments)])
    headers: Headers = [
        ("From", f"{_phrase(sender.name)} <{address_of(sender.address, delivery)}>"),
        ("To", address_of(recipient, delivery)),
        ("Subject", _encoded(rendered.subject, "Subject")),
        ("Date", _date(delivery.queued_at)),
        ("Message-ID", message_id(delivery.id, sender.domain)),
        *([("In-Reply-To", _reference(original)), ("References", _reference(original))] if original else []),
        ("Auto-Submitted", "auto-generated"),
        *([("List-Unsubscribe", _link(unsubscribe))] if unsubscribe else []),
        *([("List-Unsubscribe-Post", _ONE_CLICK)] if unsubscribe.startswith("https://") else []),
        ("Content-Language", rendered.language),
        ("MIME-Version", "1.0"),
    ]
    if key is not None:
        subject = _encoded(outside, "Subject")
        headers, body = sealed(body, headers, key, subject, boundary, signer)
    elif signer is not None:
        body = signer.wrap(body, f"{boundary}_s")
    if dkim is not None:
        headers = [("DKIM-Signature", dkim.signature(headers, body, delivery.queued_at)), *headers]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return lines.encode("ascii") + body


def enclosed(delivery: Delivery, rendered: Rendered, *, sender: Sender) -> Attachment:
    """A message of ours to pass on, to nobody in particular: opened as a mail, and forwarded as one."""
    headers = [
        ("From", f"{_phrase(sender.name)} <{address_of(sender.address, delivery)}>"),
        ("Subject", _encoded(rendered.subject, "Subject")),
        ("Date", _date(delivery.queued_at)),
        ("Content-Language", rendered.language),
        ("MIME-Version", "1.0"),
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    body = _alternative(rendered, f"=_{_checked(delivery.id)}_f")
    return Attachment(f"doorsturen-{delivery.subject}.eml", _MESSAGE, lines.encode("ascii") + body)


def _alternative(rendered: Rendered, boundary: str) -> bytes:
    text, html = rendered.pieces or ((rendered.text,), (rendered.html,))
    shown = _shown(_text("html", html), rendered.pictures, f"{boundary}_r")
    return _multipart("alternative", boundary, [_text("plain", text), shown])


def _shown(html: bytes, pictures: Sequence[Picture], boundary: str) -> bytes:
    """HTML with the pictures that it shows (RFC 2387)."""
    parts = [html, *map(_picture, pictures)]
    return _multipart("related", boundary, parts, ';\r\n type="text/html"') if pictures else html


def _picture(picture: Picture) -> bytes:
    head = (
        f"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <{picture.name}>\r\n"
        "Content-Disposition: inline\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(picture.body).replace(b"\n", b"\r\n")


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes], more: str = "") -> bytes:
    start = b"--" + boundary.encode() + b"\r\n"
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"{more}\r\n\r\n'.encode()
    return head + b"".join(start + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"


def _text(subtype: str, pieces: Sequence[str]) -> bytes:
    """Quoted-printable: 7 bit and short lines, so no relay re-encodes what was signed."""
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + b"".join(_quoted(pieces))


def _quoted(pieces: Sequence[str]) -> Iterator[bytes]:
    """Encoded. Every other piece stands in many messages: its whole lines are encoded once, and that is most of the
    work; what lies between is this message's own."""
    begun = ""
    for number, piece in enumerate(pieces):
        if number % 2 or len(pieces) == 1 or "\n" not in piece:
            *lines, begun = (begun + piece).split("\n")
            yield from map(_line, lines)
        else:
            first, whole, rest = _cut(piece)
            yield from map(_line, (begun + first).split("\n"))
            yield whole
            begun = rest
    yield binascii.b2a_qp(begun.encode(), istext=True)


@lru_cache(maxsize=8192)
def _line(content: str) -> bytes:
    return binascii.b2a_qp(content.encode().removesuffix(b"\r") + b"\r\n", istext=True)


@lru_cache(maxsize=256)
def _cut(piece: str) -> tuple[str, bytes, str]:
    """The end of a line, the lines behind it, encoded, and the beginning of another."""
    first, *lines, rest = piece.split("\n")
    return first, b"".join(map(_line, lines)), rest


def _attached(file: Attachment) -> bytes:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", file.name)
    if "\n" in file.type or "\r" in file.type or name.lower().endswith(".zip"):
        raise DispatchError(f"attachment {name}: not a type that goes into a mail")
    message = file.type == _MESSAGE  # is 7 bit, and may not be encoded (RFC 2046 5.2.1)
    head = (
        f"Content-Type: {file.type}\r\nContent-Transfer-Encoding: {'7bit' if message else 'base64'}\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return head.encode() + (file.body if message else base64.encodebytes(file.body).replace(b"\n", b"\r\n"))


@lru_cache(maxsize=1024)
def _encoded(value: str, name: str) -> str:
    """A header's value: one line of content, whatever stood in it, folded and encoded (RFC 2047)."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    charset = "us-ascii" if clean.isascii() else "utf-8"
    return Header(clean, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")


_date = lru_cache(maxsize=1024)(format_datetime)


@lru_cache(maxsize=1024)
def _phrase(name: str) -> str:
    clean = "".join(c for c in name if c.isprintable() and c not in '"\\<>')
    return f'"{clean}"' if clean.isascii() else Header(clean, "utf-8").encode(linesep="\r\n")


def address_of(address: str, delivery: Delivery) -> str:
    """As it stands in headers and commands: plain ASCII, nothing to break out of. Raises DispatchError."""
    local, _, domain = address.rpartition("@")
    try:
        plain = f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        plain = ""
    if not _ADDRESS.fullmatch(plain):
        raise DispatchError(f"delivery {delivery.id}: the address of channel {delivery.channel} is no mail address")
    return plain


def _link(address: str) -> str:
    if not re.fullmatch(r"https?://[\x21-\x3b\x3d\x3f-\x7e]+", address):
        raise DispatchError("web.base_url is no address that can stand in a mail: write it as https://oktt.example")
    return f"<{address}>"


def _reference(identifier: str) -> str:
    if not re.fullmatch(r"<[\x21-\x7e]+>", identifier):
        raise DispatchError("a Message-ID to refer to is not one")
    return identifier


def _checked(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise DispatchError("a delivery's id has to be letters and digits")
    return identifier
