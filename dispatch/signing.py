"""The hub's own signature on its mail: S/MIME (RFC 8551) or OpenPGP/MIME (RFC 3156), as multipart/signed.

Whoever's mail program knows neither reads the mail all the same. What is encrypted was signed before.
"""

import base64
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7
from pysequoia import SignatureMode, Tsk, sign

from dispatch import DispatchError


class Signer(Protocol):
    """Who signs."""

    def wrap(self, entity: bytes, boundary: str) -> bytes:
        """A MIME entity -> one that holds it and its signature, from `Content-Type` on; CRLF, 7 bit."""
        ...


def private_key(file: Path, setting: str) -> PrivateKeyTypes:
    """The key in a PEM file that its owner alone may read. Raises DispatchError that names the setting."""
    try:
        return load_pem_private_key(_secret(file, setting), None)
    except (ValueError, TypeError):
        raise DispatchError(f"{setting} {file}: no private key: give a PEM file, its key without a password") from None


def smime(certificate: Path, key: Path) -> Signer:
    """`mail.smime_cert` (PEM; certificates of the authorities between may follow) and `mail.smime_key`."""
    found = private_key(key, "mail.smime_key")
    try:
        first, *between = x509.load_pem_x509_certificates(_read(certificate, "mail.smime_cert"))
    except ValueError:
        raise DispatchError(f"mail.smime_cert {certificate}: holds no certificate: give it as PEM") from None
    if not isinstance(found, RSAPrivateKey | EllipticCurvePrivateKey) or found.public_key() != first.public_key():
        raise DispatchError(
            f"mail.smime_key {key}: not the key of the first certificate in mail.smime_cert: correct it"
        )
    return _Smime(first, between, found)


def openpgp(key: Path) -> Signer:
    """`mail.pgp_key`: a secret key that can sign, without a password."""
    data = _secret(key, "mail.pgp_key")
    try:
        signer = _OpenPgp(Tsk.from_bytes(data))
        signer.wrap(b"", "test")
    except Exception:  # the library has no error of its own
        raise DispatchError(f"mail.pgp_key {key}: no OpenPGP key that signs without a password: export one") from None
    return signer


class _Smime:
    def __init__(
        self,
        certificate: x509.Certificate,
        between: list[x509.Certificate],
        key: RSAPrivateKey | EllipticCurvePrivateKey,
    ) -> None:
        self._certificate, self._between, self._key = certificate, between, key

    def wrap(self, entity: bytes, boundary: str) -> bytes:
        made = pkcs7.PKCS7SignatureBuilder().set_data(entity).add_signer(self._certificate, self._key, SHA256())
        for each in self._between:
            made = made.add_certificate(each)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        signature = base64.encodebytes(made.sign(Encoding.DER, options)).replace(b"\n", b"\r\n")
        head = (
            'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
            'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
        )
        return _signed("application/pkcs7-signature", "sha-256", boundary, entity, head.encode() + signature)


class _OpenPgp:
    def __init__(self, key: Tsk) -> None:
        self._signer = key.signer()

    def wrap(self, entity: bytes, boundary: str) -> bytes:
        made = bytes(sign(self._signer, entity, mode=SignatureMode.DETACHED))
        head = 'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n'
        lines = made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return _signed("application/pgp-signature", "pgp-sha512", boundary, entity, head.encode() + lines)


def _signed(protocol: str, digest: str, boundary: str, entity: bytes, signature: bytes) -> bytes:
    head = f'Content-Type: multipart/signed; protocol="{protocol}"; micalg={digest};\r\n boundary="{boundary}"\r\n\r\n'
    start = f"--{boundary}\r\n".encode()
    return b"".join((head.encode(), start, entity, b"\r\n", start, signature, f"\r\n--{boundary}--\r\n".encode()))


def _read(file: Path, setting: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DispatchError(f"{setting} {file}: {error.strerror}: correct it") from None


def _secret(file: Path, setting: str) -> bytes:
    data = _read(file, setting)
    if file.stat().st_mode & 0o077:
        raise DispatchError(f"{setting} {file}: can be read by others than its owner: chmod 600 it")
    return data
