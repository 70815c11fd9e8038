"""A mail message (RFC 5322, MIME) is a container, like an archive.

`parts(body, limits)` gives the documents of one message, for files and mailboxes alike: what is attached, wherever it
lies (multipart/signed, multipart/mixed in one another, message/rfc822), decoded and, where it is an archive, unpacked
within the same bounds as files. The message itself is a document only when it carries text and no data beside it: then
it is a newsletter, which `normalize.newsletter` reads. Pictures, signatures, calendars and copies of headers are
nothing to read; PDF and office files are handed on, to be refused in words, and do not keep the text from being read.

A Part says where it lay by the numbers that IMAP gives parts (RFC 3501 6.4.5), never by a name: a file's name, sender,
recipient and subject may be personal, and stand in no origin and no reason.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import errors, message_from_bytes
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any, cast

from ingest.archives import DAMAGED, ArchiveError, Limits, amount, is_document, kind_of, members

_HEADERS = re.compile(rb"\A(?:From [^\n]*\n)?(?:[A-Za-z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2}")
_OF_MAIL = re.compile(rb"^(?:Message-ID|Received|Return-Path|MIME-Version|Subject):", re.IGNORECASE | re.MULTILINE)
_SECOND = re.compile(rb"\n\r?\nFrom (?=[^\n]{0,300}\d\d:\d\d)[^\n]*+\n(?=[A-Za-z][\w-]*+:)")
"""The line between two messages of an mbox file."""
_HOLDER = re.compile(rb"(?:^|\r)content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_MOST_LINES = 2_000_000
_MOST_WORK = 10_000_000
"""Lines times parts that hold parts: the standard library takes time for each of these on every line inside."""
_MOST_HOLDERS = 200
_MOST_MARKS = 1000
"""Lines that may part one part from the next: parts are objects, of each some kilobytes and much time."""
_DEEPEST = 4
_LONGEST_HEADER = 8192
_LONGEST_CONTENT = 1024
_APART = frozenset(
    (
        *("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"),
        *("application/pgp-keys", "application/ms-tnef", "text/calendar", "text/vcard", "text/x-vcard"),
        *("text/rfc822-headers", "message/delivery-status", "message/feedback-report", "message/external-body"),
        *("message/disposition-notification", "message/partial", "application/pgp-encrypted"),
    )
)
"""Nothing to read for us, whatever it is called."""
_CLOSED = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_MESSAGES = frozenset(("message/rfc822", "message/global", "message/news"))
_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape"))
"""Of Python's, not of mail's (RFC 2978): some take time that grows with the square of the text."""
_PAPER = (b"%PDF-", b"\xd0\xcf\x11\xe0", b"{\\rtf")
"""Documents for people: PDF, older office files, rich text."""


class MessageError(Exception):
    """A message that cannot be read at all. The message of it is the reason, without outside names."""


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a message, or why there is none."""

    where: str
    """Follows the origin of the message: empty for the message itself, `part 2.1`, `part 2, file 1 of 3`."""
    body: bytes
    error: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a newsletter is made of. Sender and recipients are left out."""

    subject: str
    date: str
    language: str
    listed: bool
    """Sent to a list (RFC 2369, RFC 2919): not by one person to another."""
    plain: str
    html: str
    attached: bool
    """It carries data beside its text: `parts` reads that, and not the text."""


def is_message(head: bytes) -> bool:
    """Do these first bytes look like a mail message?"""
    start = head[: 64 << 10].removeprefix(b"\xef\xbb\xbf").lstrip()
    return _HEADERS.match(start) is not None and _OF_MAIL.search(start[: 16 << 10]) is not None


def parts(body: bytes, limits: Limits = Limits(), *, texts: bool = False) -> list[Part]:  # noqa: B008 - frozen
    """The documents of a message, in the order they lie in. Never raises for what a message holds.

    `texts`: also its headers, decoded, and each text, which is else read as the message itself (`letter`).
    """
    try:
        return list(_Opening(limits, texts).message(_parsed(body), body, "", depth=0))
    except MessageError as error:
        return [Part("", b"", str(error))]


def letter(body: bytes) -> Letter:
    """The text of a message and what its headers say of it. Raises MessageError."""
    message = _parsed(body)
    plain: list[str] = []
    html: list[str] = []
    attached = False
    for _, leaf in _leaves(message, ""):
        if not _is_text(leaf):
            attached = attached or (_is_data(leaf) and not _is_paper(_content(leaf), Limits()))
        elif leaf.get_content_type() == "text/html":
            html.append(_text(leaf))
        else:
            plain.append(_text(leaf))
    bulk = _header(message, "Precedence").lower() in ("bulk", "list")
    return Letter(
        subject=" ".join(_header(message, "Subject").split()),
        date=_header(message, "Date"),
        language=_header(message, "Content-Language").partition(",")[0].partition("-")[0].strip().lower(),
        listed=bulk or any(_header(message, name) for name in ("List-Id", "List-Unsubscribe", "List-Post")),
        plain="\n\n".join(plain),
        html="\n".join(html),
        attached=attached,
    )


class _Lenient(EmailPolicy):
    """The default policy, for headers of any length and content: one that it cannot parse stays the text it is.

    So do those about content: every question to a part asks for them again, its parser can take seconds, and the
    message takes what it needs of them from the text.
    """

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if name.lower().startswith("content-"):
            line = value[:_LONGEST_CONTENT].replace("\r", "").replace("\n", "")
            return line.encode("ascii", "replace").decode()
        try:
            return super().header_fetch_parse(name, value[:_LONGEST_HEADER])
        except Exception:  # whatever a hostile header makes of the parser
            return value[:_LONGEST_HEADER]


_POLICY = _Lenient(refold_source="none")


def _parsed(body: bytes) -> EmailMessage:
    plain = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if plain.startswith(b"From ") and _SECOND.search(plain):
        raise MessageError("several mails in one file (mbox); one mail a file")
    lines, holders = max(plain.count(b"\n"), plain.count(b"\r")), len(_HOLDER.findall(plain))
    marks = plain.count(b"\n--") + plain.count(b"\r--")
    if lines > _MOST_LINES or holders > _MOST_HOLDERS or lines * holders > _MOST_WORK or marks > _MOST_MARKS:
        raise MessageError("a mail with more lines or parts than any has")
    try:
        message = message_from_bytes(plain, policy=_POLICY)
    except RecursionError:
        raise MessageError("mails or parts nested deeper than is read") from None
    except Exception:  # whatever hostile markup makes of the parser, the message is what is wrong
        raise MessageError("a mail that cannot be read") from None
    return cast(EmailMessage, message)


class _Opening:
    """Opens one message. What comes out of all its archives together counts against one budget."""

    def __init__(self, limits: Limits, texts: bool = False) -> None:
        self.limits, self.left, self.count, self.texts = limits, limits.max_unpacked, 0, texts

    def message(self, message: EmailMessage, raw: bytes, where: str, depth: int) -> Iterator[Part]:
        text = data = False
        if self.texts:
            lines = "".join(f"{name}: {value}\n" for name, value in message.items())
            yield Part(f"part {where}, headers" if where else "headers", lines.encode("utf-8", "replace"))
        for number, leaf in _leaves(message, where):
            self.count += 1
            if self.count > self.limits.max_members:
                yield Part(f"part {number}", b"", f"a mail of more than {self.limits.max_members} parts")
                return
            if _is_text(leaf):
                text = text or bool(_text(leaf).strip())
            if _is_text(leaf) or (self.texts and leaf.get_content_maintype() == "text" and not _is_data(leaf)):
                if self.texts:
                    yield Part(f"part {number}", _text(leaf).encode("utf-8", "replace"))
                continue
            for part in self._part(leaf, number, depth):
                data = data or not (part.body and _is_paper(part.body, self.limits))
                yield part
        shown = f"part {where}" if where else ""
        if text and not data:
            if not self.texts:
                yield Part(shown, raw)
        elif not text and not data:
            yield Part(shown, b"", "a mail without text or attachments")
        if _cut_off(message):
            yield Part(shown, b"", "a mail that is cut off or damaged; what is there was read")

    def _part(self, leaf: EmailMessage, number: str, depth: int) -> Iterator[Part]:
        shown, kind = f"part {number}", leaf.get_content_type()
        if kind in _CLOSED or kind.startswith("multipart/encrypted"):
            yield Part(shown, b"", "encrypted, or signed as one block (S/MIME); have it sent plain or multipart/signed")
        elif kind in _MESSAGES:
            inner = leaf.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            if first is None:
                yield Part(shown, b"", "an attached mail that is empty")
            else:
                yield from self._inner(cast(EmailMessage, first), number, depth)
        elif _is_data(leaf):
            yield from self._opened(leaf, number, depth)

    def _inner(self, message: EmailMessage, number: str, depth: int) -> Iterator[Part]:
        if depth >= _DEEPEST:
            yield Part(f"part {number}", b"", "a mail in a mail, deeper than is read")
            return
        try:
            raw = message.as_bytes()
        except Exception:  # as for parsing
            raw = b""
        yield from self.message(message, raw, number, depth + 1)

    def _opened(self, leaf: EmailMessage, number: str, depth: int) -> Iterator[Part]:
        shown = f"part {number}"
        content = _content(leaf)
        if not content.strip():
            yield Part(shown, b"", "an empty attachment")
        elif any(isinstance(defect, errors.InvalidBase64LengthDefect) for defect in leaf.defects):
            yield Part(shown, b"", "an attachment that was damaged on its way (base64)")
        elif len(content) > self.limits.max_bytes:
            yield Part(shown, b"", f"larger than {amount(self.limits.max_bytes)}")
        elif kind_of(content[:8]) and not is_document(io.BytesIO(content), self.limits):
            yield from self._archive(content, number, depth)
        else:
            yield from self._document(content, shown, number, depth)

    def _archive(self, content: bytes, number: str, depth: int) -> Iterator[Part]:
        try:
            found = members(io.BytesIO(content), len(content), replace(self.limits, max_unpacked=max(self.left, 0)))
        except (ArchiveError, *DAMAGED) as error:
            reason = str(error) if isinstance(error, ArchiveError) else "a damaged archive"
            shared = "" if self.left == self.limits.max_unpacked else "; other archives of the mail count too"
            yield Part(f"part {number}", b"", reason + shared)
            return
        if not found:
            yield Part(f"part {number}", b"", "an archive without files")
        for position, unpack in enumerate(found, start=1):
            member = unpack()
            self.left -= len(member.body)
            shown = f"part {number}, file {position} of {len(found)}" if len(found) > 1 else f"part {number}"
            if member.error:
                yield Part(shown, b"", member.error)
            else:
                yield from self._document(member.body, shown, number, depth)

    def _document(self, content: bytes, shown: str, number: str, depth: int) -> Iterator[Part]:
        if not is_message(content):
            yield Part(shown, content)
            return
        try:
            yield from self._inner(_parsed(content), number, depth)
        except MessageError as error:
            yield Part(shown, b"", str(error))


def _leaves(message: EmailMessage, where: str) -> Iterator[tuple[str, EmailMessage]]:
    """The parts of one message that hold no parts of it themselves, with their numbers."""
    children = _children(message)
    if children is None:
        yield (f"{where}.1" if where else "1"), message
        return
    for number, child in enumerate(children, start=1):
        at = f"{where}.{number}" if where else str(number)
        if _children(child) is None:
            yield at, child
        else:
            yield from _leaves(child, at)


def _children(message: EmailMessage) -> list[EmailMessage] | None:
    payload = message.get_payload()
    if message.get_content_maintype() != "multipart" or message.get_content_type() == "multipart/encrypted":
        return None
    return cast("list[EmailMessage]", payload) if isinstance(payload, list) else None


def _is_text(leaf: EmailMessage) -> bool:
    """Is this what people read, and not a file?"""
    plain = leaf.get_content_type() in ("text/plain", "text/html")
    return plain and leaf.get_content_disposition() != "attachment" and not leaf.get_filename()


def _is_data(leaf: EmailMessage) -> bool:
    broken = leaf.get_content_maintype() == "multipart"  # says that it has parts, and has none
    pictures = leaf.get_content_maintype() in ("image", "audio", "video", "font")
    return not broken and not pictures and leaf.get_content_type() not in _APART


def _is_paper(content: bytes, limits: Limits) -> bool:
    zipped = kind_of(content[:8]) == "zip" and is_document(io.BytesIO(content), limits)
    return zipped or content.startswith(_PAPER)


def _cut_off(message: EmailMessage) -> bool:
    damage = (
        errors.NoBoundaryInMultipartDefect,
        errors.StartBoundaryNotFoundDefect,
        errors.CloseBoundaryNotFoundDefect,
    )
    own = any(isinstance(defect, damage) for defect in message.defects)
    return own or any(_cut_off(child) for child in _children(message) or ())


def _content(leaf: EmailMessage) -> bytes:
    try:
        content = leaf.get_payload(decode=True)
    except Exception:  # as for parsing
        return b""
    return content if isinstance(content, bytes) else b""


def _text(leaf: EmailMessage) -> str:
    """As the part declares it; else UTF-8, else Windows-1252."""
    content = _content(leaf)
    for charset in (leaf.get_content_charset() or "utf-8", "utf-8"):
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return content.decode(charset)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # as for parsing
        return ""
