"""Mail to a key: whoever holds it reads all of it, nobody else more than label, number and addresses."""

import email
import email.policy
import subprocess
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from pysequoia import Tsk, decrypt

from dispatch.encryption import Key, KeyUnusableError, openpgp, smime
from dispatch.mail import Attachment, Sender, build
from dispatch.render import Rendered
from tests.conftest import program
from tests.dispatch.test_mail import a_delivery
from tests.dispatch.views import NOW

SECRET = "Actief misbruik van FortiOS één"
RENDERED = Rendered(f"TLP:RED [VANDAAG] {SECRET}", f"{SECRET}\n" + "w" * 300, f"<p>{SECRET}</p>", "nl")
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def certificate(private: Private, days: int = 30) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Firma")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(days=60)).not_valid_after(NOW + timedelta(days=days))
    return made.sign(private, hashes.SHA256())


def mailed(key: Key) -> bytes:
    attachment = Attachment("a.csv", "text/csv; charset=utf-8", SECRET.encode())
    return build(
        a_delivery(), RENDERED, sender=Sender("meldpunt@oktt.example"), recipient="a@voorbeeld.example",
        attachments=(attachment,), key=key, outside="TLP:RED OKTT-2026-0412",
    )  # fmt: skip


def parsed(data: bytes) -> EmailMessage:
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not any(part.defects for part in found.walk())
    return found


def check_outside(message: bytes) -> EmailMessage:
    """What everybody on the way sees."""
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert b"FortiOS" not in message
    found = parsed(message)
    assert found["Subject"] == "TLP:RED OKTT-2026-0412"
    assert found["To"] == "a@voorbeeld.example"
    assert found["Message-ID"] == f"<{1:032x}@oktt.example>"
    return found


def check_inside(data: bytes) -> None:
    """What the holder of the key reads (RFC 9788: the message's own headers are in it)."""
    found = parsed(data)
    assert found["Subject"] == RENDERED.subject
    assert found["Content-Type"].params["hp"] == "cipher"
    assert "Subject: TLP:RED OKTT-2026-0412" in found.get_all("HP-Outer")
    text = found.get_body(("plain",))
    assert text is not None
    assert SECRET in text.get_content()
    (attached,) = found.iter_attachments()
    assert SECRET in attached.get_content()


def test_openpgp(tmp_path: Path) -> None:
    theirs = Tsk.generate("Firma <a@voorbeeld.example>")
    file = tmp_path / "firma.asc"
    file.write_bytes(bytes(theirs.extract_certificate()))
    found = check_outside(mailed(openpgp(file, NOW)))
    assert found.get_content_type() == "multipart/encrypted"
    assert found.get_param("protocol") == "application/pgp-encrypted"
    version, sealed = found.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    assert version.get_payload(decode=True).strip() == b"Version: 1"
    body = sealed.get_payload(decode=True)
    assert isinstance(body, bytes)
    opened = decrypt(body, decryptor=theirs.decryptor())
    check_inside(bytes(opened.bytes))
    with pytest.raises(Exception, match=r"."):
        decrypt(body, decryptor=Tsk.generate("ander").decryptor())


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_smime(tmp_path: Path, encoding: serialization.Encoding) -> None:
    private = rsa.generate_private_key(65537, 2048)
    theirs = certificate(private)
    file = tmp_path / "firma.crt"
    file.write_bytes(theirs.public_bytes(encoding))
    message = mailed(smime(file, NOW))
    found = check_outside(message)
    assert found.get_content_type() == "application/pkcs7-mime"
    assert found.get_param("smime-type") == "enveloped-data"
    body = found.get_payload(decode=True)
    assert isinstance(body, bytes)
    check_inside(pkcs7.pkcs7_decrypt_der(body, theirs, private, []))
    # Another's reader.
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(private.private_bytes(serialization.Encoding.PEM, *form))
    (tmp_path / "mail.eml").write_bytes(message)
    (tmp_path / "crt.pem").write_bytes(theirs.public_bytes(serialization.Encoding.PEM))
    command = [program("openssl"), "smime", "-decrypt", "-in", "mail.eml", "-inkey", "key.pem", "-recip", "crt.pem"]
    check_inside(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout)


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    """Each says which setting, and what to do; never what is in the file."""
    file = tmp_path / "sleutel-van-jansen"
    for load, option in ((openpgp, "pgp"), (smime, "smime")):
        file.unlink(missing_ok=True)
        with pytest.raises(KeyUnusableError, match=f"`{option}` names a file that cannot be read") as missing:
            load(file, NOW)
        for junk in (b"", b"jansen", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            file.write_bytes(junk)
            with pytest.raises(KeyUnusableError, match=f"`{option}` names a file that holds no") as wrong:
                load(file, NOW)
            assert "jansen" not in str(wrong.value)
        assert "jansen" not in str(missing.value)
    pem = serialization.Encoding.PEM
    file.write_bytes(certificate(ec.generate_private_key(ec.SECP256R1())).public_bytes(pem))
    with pytest.raises(KeyUnusableError, match="no RSA key"):
        smime(file, NOW)
    file.write_bytes(certificate(rsa.generate_private_key(65537, 2048), days=-1).public_bytes(pem))
    with pytest.raises(KeyUnusableError, match="not valid today"):
        smime(file, NOW)
    theirs = Tsk.generate("Firma")
    made = datetime.now(UTC)
    file.write_bytes(bytes(theirs.extract_certificate().set_expiration(made + timedelta(days=9), theirs.certifier())))
    openpgp(file, made)
    with pytest.raises(KeyUnusableError, match="has expired"):
        openpgp(file, made + timedelta(days=10))
