"""Is it what its publisher gave? Hashes beside a document, and detached OpenPGP signatures (CSAF 2.0, 7.1.18-20)."""

import hashlib
import hmac
import re
from collections.abc import Sequence

from pysequoia import Cert, Sig, verify

_DIGITS = {"sha256": 64, "sha512": 128}


def same_hash(body: bytes, kind: str, said: bytes) -> bool:
    """Does a file of `kind` (sha256, sha512), `HASH  NAME`, state the hash of these bytes?"""
    found = re.match(rb"\s*\\?([0-9A-Fa-f]+)(?=\s|$)", said)
    stated = found.group(1).decode().lower() if found else ""
    return len(stated) == _DIGITS[kind] and hmac.compare_digest(stated, hashlib.new(kind, body).hexdigest())


def certificates(key: bytes, fingerprint: str) -> list[Cert]:
    """The OpenPGP certificates in a file, armored or not, that have this fingerprint (empty: any). Keys may lie on
    servers of others, which are not trusted."""
    try:
        found = Cert.split_bytes(key)
    except Exception:  # the library raises RuntimeError alone; its text is of no use
        return []
    wanted = fingerprint.replace(" ", "").lower()
    return [each for each in found if not wanted or each.fingerprint == wanted]


def signed(body: bytes, signature: bytes, trusted: Sequence[Cert]) -> bool:
    """Has one of these certificates signed these bytes? Revoked and expired ones sign nothing."""
    try:
        return bool(verify(bytes=body, store=lambda _: list(trusted), signature=Sig.from_bytes(signature)).valid_sigs)
    except Exception:  # the library raises RuntimeError alone: for what is no signature, and for one that is not right
        return False
