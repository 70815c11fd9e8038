"""Mail that only its recipient reads: OpenPGP (RFC 9580, RFC 3156) or S/MIME (RFC 8551), to the key of its channel.

All of the message is inside, its headers too (RFC 9788); outside stand the addresses, its id, and a subject that says
no more than label and number. A key that cannot be used is told and never passed over: what it was for does not go out
in the open.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from pysequoia import Cert, encrypt

from dispatch import DispatchError
from dispatch.signing import Signer
from subscribers import Contact

Headers = Sequence[tuple[str, str]]


class KeyUnusableError(DispatchError):
    """A recipient's key that is not there, is none, has expired or is revoked. Names the setting, never the key."""


class Key(Protocol):
    """To whom a message is encrypted."""

    @property
    def fingerprint(self) -> str:
        """What tells it from another."""
        ...

    def wrap(self, entity: bytes, boundary: str) -> bytes:
        """A MIME entity -> one that holds it encrypted, from `Content-Type` on; CRLF, 7 bit."""
        ...


def key_of(contact: Contact, folder: Path, now: datetime) -> Key | None:
    """The key of a channel, its file relative to the instance's folder; None: it has none. Raises KeyUnusableError."""
    if contact.type != "email" or not contact.confidential:
        return None
    return smime(folder / contact.smime, now) if contact.smime else openpgp(folder / contact.pgp, now)


def openpgp(file: Path, now: datetime) -> Key:
    """The certificate in a file, armoured or binary. Raises KeyUnusableError."""
    try:
        found = Cert.from_bytes(_read(file, "pgp"))
    except KeyUnusableError:
        raise
    except Exception:  # the library has no error of its own
        raise KeyUnusableError("`pgp` names a file that holds no OpenPGP certificate: export the public key") from None
    if found.is_revoked:
        raise KeyUnusableError("the OpenPGP certificate of `pgp` is revoked: ask for a new one")
    if found.expiration is not None and found.expiration <= now:
        raise KeyUnusableError("the OpenPGP certificate of `pgp` has expired: ask for a new one")
    key = _OpenPgp(found)
    key.wrap(b"", "test")  # a certificate may hold no key to encrypt to
    return key


def smime(file: Path, now: datetime) -> Key:
    """The certificate in a file, PEM or DER. Raises KeyUnusableError."""
    data = _read(file, "smime")
    try:
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
        found = load(data)
        public = found.public_key()
    except ValueError:
        raise KeyUnusableError("`smime` names a file that holds no certificate: export it as PEM or DER") from None
    if not isinstance(public, RSAPublicKey):
        raise KeyUnusableError("the certificate of `smime` has no RSA key: ask for one that has")
    if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
        raise KeyUnusableError("the certificate of `smime` is not valid today: ask for a new one")
    return _Smime(found)


def _read(file: Path, option: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KeyUnusableError(f"`{option}` names a file that cannot be read ({error.strerror}): correct it") from None


class _OpenPgp:
    def __init__(self, certificate: Cert) -> None:
        self._certificate = certificate
        self.fingerprint = certificate.fingerprint

    def wrap(self, entity: bytes, boundary: str) -> bytes:
        try:
            made = bytes(encrypt(entity, recipients=[self._certificate]))
        except Exception:
            why = "the OpenPGP certificate of `pgp` holds no key to encrypt to: ask for another"
            raise KeyUnusableError(why) from None
        head = (
            'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n'
            f' boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
            f'--{boundary}\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n'
            'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
        )
        lines = made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return head.encode() + lines + f"\r\n--{boundary}--\r\n".encode()


class _Smime:
    def __init__(self, certificate: x509.Certificate) -> None:
        self._certificate = certificate
        self.fingerprint = certificate.fingerprint(SHA256()).hex()

    def wrap(self, entity: bytes, boundary: str) -> bytes:  # noqa: ARG002 - it has no parts
        made = pkcs7.PKCS7EnvelopeBuilder().set_data(entity).add_recipient(self._certificate)
        sealed = made.set_content_encryption_algorithm(AES256).encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
        head = (
            'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
            "Content-Transfer-Encoding: base64\r\n"
            'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
        )
        return head.encode() + base64.encodebytes(sealed).replace(b"\n", b"\r\n")


def sealed(
    body: bytes, headers: Headers, key: Key, subject: str, boundary: str, signer: Signer | None = None
) -> tuple[Headers, bytes]:
    """(Headers outside, body) of a message whose own headers and body go inside, signed first."""
    outside = [(name, subject if name == "Subject" else value) for name, value in headers]
    inside = [each for each in headers if each[0] != "MIME-Version"]
    inside += [("HP-Outer", f"{name}: {value}") for name, value in outside if name != "MIME-Version"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in inside)
    head, rest = body.split(b"\r\n\r\n", 1)
    entity = lines.encode("ascii") + head + b';\r\n hp="cipher"\r\n\r\n' + rest
    if signer is not None:
        entity = signer.wrap(entity, f"{boundary}_s")
    return outside, key.wrap(entity, f"{boundary}_e")
