"""Mail that comes back: which delivery it was, and how it failed. Nothing else of it is kept.

Each message goes out with an envelope sender of its own (VERP), `bounce+TOKEN@domain`: the delivery's id and a MAC over
it. What comes to another address changes nothing, so that nobody can silence a subscriber by a forged report. How it
failed is read from the report (RFC 3464, RFC 6522), or from the words of servers that write none.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses
from typing import Literal

MOST = 256 << 10
"""Bytes that are read of a mail: the report stands before the message that it returns."""
_ID, _MAC = 16, 10
_ADDRESSED = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Apparently-To")
_REPORTS = ("message/delivery-status", "message/global-delivery-status")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ -]|$)")
_DAEMON = re.compile(r"^(mailer-daemon|postmaster|mailerdaemon|mail-daemon)$", re.I)
_RETURNS = re.compile(
    r"(?i)undeliver|not\s+be(en)?\s+delivered|delivery\b.{0,40}\bfail|failure notice|returned mail|"
    r"onbestelbaar|niet\s+(worden\s+)?(af|be)geleverd|bezorg(d|ing).{0,30}mislukt"
)
_ORIGINAL = re.compile(
    r"(?im)^(?:-+ ?(?:this is a copy|below this line|original message|the header|return-path)|return-path:|received:)"
)
_LATER = re.compile(
    r"(?i)\bwarning: .{0,80}(delay|not (yet )?(been )?deliver)|delivery.{0,20}delayed|will (be retried|keep trying)"
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says of a message."""

    what: Literal["returned", "delayed"]
    status: str
    """RFC 3463: 5.1.1; what a server did not say in full ends in zeroes."""


def address(key: bytes, delivery: str, base: str) -> str:
    """`bounce@domain` -> the address that this delivery comes back to. Small letters and digits: some servers fold."""
    name = bytes.fromhex(delivery)
    token = base64.b32encode(name + _mac(key, name)).rstrip(b"=").decode().lower()
    local, _, domain = base.rpartition("@")
    return f"{local}+{token}@{domain}"


def deliveries_of(key: bytes, mail: Message, base: str) -> set[str]:
    """The deliveries to whose addresses a mail came; none: it is not ours, or forged."""
    local, _, domain = base.casefold().rpartition("@")
    found = set()
    for _, each in getaddresses([str(value) for name in _ADDRESSED for value in mail.get_all(name, [])]):
        head, _, tail = each.casefold().rpartition("@")
        if tail == domain and head.startswith(f"{local}+"):
            found.add(_delivery(key, head.removeprefix(f"{local}+")))
    return found - {""}


def _delivery(key: bytes, token: str) -> str:
    try:
        whole = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return ""
    name, mac = whole[:_ID], whole[_ID:]
    return name.hex() if hmac.compare_digest(mac, _mac(key, name)) else ""


def _mac(key: bytes, name: bytes) -> bytes:
    return hmac.new(key, name, hashlib.sha256).digest()[:_MAC]


def parsed(body: bytes) -> Message:
    """The mail, as far as it is read."""
    return message_from_bytes(body[:MOST], policy=compat32)


def read(mail: Message) -> Bounce | None:
    """What it reports; None: nothing that can be made out, as a note that somebody is away."""
    reports = [part for part in _parts(mail) if part.get_content_type() in _REPORTS]
    return _report(reports[0]) if reports else _words(mail)


def _report(part: Message) -> Bounce | None:
    """RFC 3464: the worst of what it says of each recipient."""
    found = None
    for fields in _parts(part):
        action = str(fields.get("Action", "")).partition("(")[0].strip().lower()
        said = (str(fields.get(name, "")) for name in ("Status", "Diagnostic-Code"))
        status = next((each for text in said if (each := _STATUS.search(text))), None)
        if action == "failed":
            return Bounce("returned", status[0] if status and status[1] != "2" else "5.0.0")
        if action == "delayed":
            found = Bounce("delayed", status[0] if status and status[1] == "4" else "4.0.0")
    return found


def _words(mail: Message) -> Bounce | None:
    """qmail, Exim, Exchange and others: who says it, that it says that it came back, and a number."""
    writer = getaddresses([str(mail.get("From", ""))])
    local = writer[0][1].partition("@")[0] if writer else ""
    subject, failed = str(mail.get("Subject", "")), mail.get("X-Failed-Recipients") is not None
    text = _before_the_original(_text(mail))
    whole = f"{subject}\n{text}"
    later = _LATER.search(whole)
    if not (failed or (_DAEMON.match(local) and (later or _RETURNS.search(whole)))):
        return None
    wanted = "4" if later else "5"
    status = next((each[0] for each in _STATUS.finditer(text) if each[1] == wanted), None)
    code = next((each[1] for each in _REPLY.finditer(text) if each[1] == wanted), None)
    if later:
        return Bounce("delayed", status or "4.0.0")
    return Bounce("returned", status or "5.0.0") if status or code or failed else None


def _before_the_original(text: str) -> str:
    """Numbers in the message that is returned say nothing."""
    return _ORIGINAL.split(text, maxsplit=1)[0][:20_000]


def _text(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return ""


def _parts(mail: Message) -> Iterator[Message]:
    content = mail.get_payload()
    if isinstance(content, list):
        yield from (each for each in content if isinstance(each, Message))
