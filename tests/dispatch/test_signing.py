"""What shows that mail is ours, as other programs check it: dkimpy, openssl and gpg."""

import email
import os
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pysequoia import Tsk

from dispatch import DispatchError, signing
from dispatch.dkim import dkim
from dispatch.encryption import openpgp
from tests.conftest import program
from tests.dispatch.test_mail import RENDERED, SENDER, a_mail, read
from tests.dispatch.views import NOW

LINK = "https://oktt.example/u/" + "x" * 43
PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rsa.pem, ed25519.pem, the certificate of rsa.pem, an OpenPGP key; each with its mode."""
    folder = tmp_path_factory.mktemp("keys")
    secret = rsa.generate_private_key(65537, 2048)
    for name, key in (("rsa", secret), ("ed25519", Ed25519PrivateKey.generate())):
        pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        written(folder / f"{name}.pem", pem)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "OKTT")])
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(NOW + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(SENDER.address)]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    written(folder / "oktt.crt", made.public_bytes(PEM))
    written(folder / "oktt.pgp", bytes(Tsk.generate(f"OKTT <{SENDER.address}>")))
    return folder


def written(file: Path, content: bytes) -> Path:
    file.touch(0o600)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_dkim_covers_what_people_and_programs_go_by(keys: Path, kind: str) -> None:
    made = dkim(keys / f"{kind}.pem", "oktt", "oktt.example")
    rendered = replace(RENDERED, subject="TLP:CLEAR  [VANDAAG] één " + "lang " * 12)
    mail = a_mail(rendered, dkim=made, unsubscribe=LINK, original="<1@oktt.example>")
    names: list[bytes] = []

    def holds(message: bytes) -> bool:
        def look_up(name: bytes, **_: object) -> bytes:
            names.append(name)
            return made.record.encode()

        return bool(dkimpy.verify(message, dnsfunc=look_up))

    assert holds(mail)
    assert names == [b"oktt._domainkey.oktt.example."]
    assert mail == a_mail(rendered, dkim=made, unsubscribe=LINK, original="<1@oktt.example>"), "the same each time"
    assert (found := read(mail))["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["List-Unsubscribe"] == f"<{LINK}>"
    for changed in (
        mail.replace(b"/u/xx", b"/u/xy"), mail.replace(b"=One-Click", b"=None"), mail.replace(b"To: b", b"To: x"),
        mail.replace(b"\r\nFrom:", b"\r\nFrom: x@y.example\r\nFrom:"), mail.replace(b"regel", b"degel"),
        mail.replace(b"multipart/alternative", b"multipart/mixed"), mail.replace(b"MIME-Version: 1.0\r\n", b""),
    ):  # fmt: skip
        assert changed != mail
        assert not holds(changed)
    folded = mail.replace(b"\r\nSubject: ", b"\r\nsubject:  \r\n ")
    assert holds(folded), "a relay may fold headers anew"
    passed_on = a_mail(unsubscribe=LINK, passed_on=True)
    assert (passed_on.count(LINK.encode()), b"List-Unsubscribe-Post" in passed_on) == (1, True), "in a header alone"
    assert b"List-Unsubscribe-Post" not in a_mail(unsubscribe="http://oktt.example/u/x"), "RFC 8058 3.1: https"


def test_openssl_verifies_the_signature(keys: Path, tmp_path: Path) -> None:
    signer = signing.smime(keys / "oktt.crt", keys / "rsa.pem")
    mail = a_mail(signer=signer, dkim=dkim(keys / "rsa.pem", "oktt", "oktt.example"))
    (tmp_path / "mail").write_bytes(mail)
    command = [program("openssl"), "cms", "-verify", "-in", tmp_path / "mail", "-CAfile", keys / "oktt.crt"]
    said = subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout in mail
    inner = email.message_from_bytes(said.stdout)
    assert inner.get_content_type() == "multipart/alternative"
    (tmp_path / "mail").write_bytes(mail.replace(b"regel", b"degel"))
    assert subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False).returncode != 0


def test_gpg_verifies_the_signature_and_reads_what_is_signed_and_encrypted(keys: Path, tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(0o700)
    environment = os.environ | {"GNUPGHOME": str(home)}

    def gpg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        command = [program("gpg"), "--batch", "--quiet", "--no-autostart" if "--verify" in arguments else "--yes"]
        return subprocess.run([*command, *arguments], capture_output=True, env=environment, check=False)

    try:
        assert gpg("--import", keys / "oktt.pgp").returncode == 0
        made = gpg(
            "--passphrase", "", "--quick-gen-key", "lezer@voorbeeld.example", "future-default", "default", "never"
        )
        assert made.returncode == 0, made.stderr
        certificate = written(tmp_path / "reader.asc", gpg("--export", "lezer@voorbeeld.example").stdout)
        signer = signing.openpgp(keys / "oktt.pgp")

        def verified(signed: bytes) -> bool:
            message = email.message_from_bytes(signed)
            _, signature = message.get_payload()  # type: ignore[misc]
            boundary = b"--" + str(message.get_boundary()).encode()
            (tmp_path / "entity").write_bytes(signed.split(boundary)[1][2:-2])
            (tmp_path / "signature").write_text(signature.get_payload())  # type: ignore[union-attr]
            return gpg("--verify", tmp_path / "signature", tmp_path / "entity").returncode == 0

        assert verified(a_mail(signer=signer))
        assert not verified(a_mail(signer=signer).replace(b"regel", b"degel"))
        sealed = a_mail(signer=signer, key=openpgp(certificate, NOW), outside="TLP:AMBER (OKTT-2026-0412)")
        assert b"regel" not in sealed
        (tmp_path / "sealed").write_bytes(sealed)
        opened = gpg("--decrypt", tmp_path / "sealed")
        assert opened.returncode == 0, opened.stderr
        assert verified(opened.stdout)
        payload, _ = email.message_from_bytes(opened.stdout).get_payload()  # type: ignore[misc]
        assert payload["Subject"] == email.message_from_bytes(a_mail())["Subject"], "signed too (RFC 9788)"
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True)


def test_keys_that_cannot_be_used_are_named(keys: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad", b"no key")
    other = written(tmp_path / "open", (keys / "rsa.pem").read_bytes())
    other.chmod(0o644)
    for make, says in (
        (lambda: dkim(tmp_path / "none", "oktt", "oktt.example"), "mail.dkim_key .*No such file"),
        (lambda: dkim(bad, "oktt", "oktt.example"), "mail.dkim_key .*no private key"),
        (lambda: dkim(other, "oktt", "oktt.example"), "mail.dkim_key .*chmod 600"),
        (lambda: dkim(keys / "rsa.pem", "o k", "oktt.example"), "mail.dkim_selector"),
        (lambda: signing.smime(bad, keys / "rsa.pem"), "mail.smime_cert"),
        (lambda: signing.smime(keys / "oktt.crt", keys / "ed25519.pem"), "mail.smime_key"),
        (lambda: signing.openpgp(bad), "mail.pgp_key"),
    ):
        with pytest.raises(DispatchError, match=says):
            make()
