"""DKIM (RFC 6376, RFC 8463): our domain answers for a mail, and for what its reader's mail program acts on by itself.

Signed are the body and the headers that people and programs go by; From twice, so that nobody adds another. Headers
may be folded anew on their way, the body is 7 bit with short lines and has to stay as it is.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch import DispatchError
from dispatch.signing import private_key

_SIGNED = (
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "list-unsubscribe",
    "list-unsubscribe-post", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding",
)  # fmt: skip
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Dkim:
    """Who signs, under which name its key stands in the DNS."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def signature(self, headers: Sequence[tuple[str, str]], body: bytes, at: datetime) -> str:
        """Value of the header DKIM-Signature. `body`: CRLF, with its own headers (`Content-Type`) at the start."""
        head, _, rest = body.partition(b"\r\n\r\n")
        values = {name.lower(): value for name, value in headers}
        for line in _unfolded(head.decode("ascii")):
            name, _, value = line.partition(":")
            values[name.lower()] = value
        named = ["from", *(name for name in _SIGNED if name in values)]
        digest = base64.b64encode(hashlib.sha256(_simple(rest)).digest()).decode()
        kind = "rsa" if isinstance(self.key, RSAPrivateKey) else "ed25519"
        half = len(named) // 2 + 1
        listed = ":".join(named[:half]) + ":\r\n " + ":".join(named[half:])
        start = (
            f"v=1; a={kind}-sha256; c=relaxed/simple; d={self.domain}; s={self.selector};\r\n t={int(at.timestamp())};"
            f" h={listed};\r\n bh={digest};\r\n b="
        )
        # The second From stands for one that is not there: it signs nothing (RFC 6376 5.4.2).
        lines = [f"{name}:{_relaxed(values[name])}\r\n" for name in named[1:]]
        signed = self._signed("".join((*lines, f"dkim-signature:{_relaxed(start)}")).encode("ascii"))
        return start + "\r\n ".join(signed[at : at + 72] for at in range(0, len(signed), 72))

    def _signed(self, content: bytes) -> str:
        if isinstance(self.key, RSAPrivateKey):
            return base64.b64encode(self.key.sign(content, padding.PKCS1v15(), SHA256())).decode()
        return base64.b64encode(self.key.sign(hashlib.sha256(content).digest())).decode()

    @property
    def record(self) -> str:
        """What has to stand in the DNS, as TXT of `SELECTOR._domainkey.DOMAIN`."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()}"


def dkim(file: Path, selector: str, domain: str) -> Dkim:
    """Of the settings. Raises DispatchError."""
    key = private_key(file, "mail.dkim_key")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise DispatchError(f"mail.dkim_key {file}: DKIM knows RSA and Ed25519: make one of these")
    if not _LABEL.fullmatch(selector):
        raise DispatchError("mail.dkim_selector is no name: give that under which the key stands in the DNS")
    return Dkim(domain, selector, key)


def _unfolded(head: str) -> list[str]:
    return re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n")


def _relaxed(value: str) -> str:
    return " ".join(value.split())


def _simple(body: bytes) -> bytes:
    """Empty lines at the end count as one (RFC 6376 3.4.3)."""
    return body.rstrip(b"\r\n") + b"\r\n" if body.endswith(b"\r\n\r\n") or not body.endswith(b"\r\n") else body
