"""Mail as other programs read it, headers nobody breaks out of, and SMTP against a real server with real faults."""

import email
import email.policy
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch import Delivery, DispatchError, Outcome
from dispatch.mail import MOST, Attachment, Sender, SmtpChannel, SmtpSettings, build, message_id
from dispatch.outbox import POSSIBLY_ACCEPTED
from dispatch.render import Rendered
from tests.dispatch.views import NOW

SENDER = Sender("meldpunt@oktt.example", "Meldpunt Één")
TO = "beveiliging@voorbeeld.example"
RENDERED = Rendered("TLP:CLEAR [VANDAAG] één", "Eén regel.\n\n.punt\nFrom x\n" + "w" * 300 + "\n", "<p>Eén</p>\n", "nl")


def a_delivery(number: int = 1) -> Delivery:
    return Delivery(f"{number:032x}", "alert", "OKTT-2026-0412", 1, "kvk-1", 0, "sending", NOW, NOW)


def a_mail(rendered: Rendered = RENDERED, **more: Any) -> bytes:
    return build(a_delivery(), rendered, **{"sender": SENDER, "recipient": TO, **more})


def read(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    assert all(part.defects == [] for part in found.walk())
    return found


def test_a_standard_reader_finds_everything() -> None:
    found = read(a_mail())
    assert found["Subject"] == RENDERED.subject
    assert found["From"].addresses[0].display_name == "Meldpunt Één"
    assert found["From"].addresses[0].addr_spec == SENDER.address
    assert [a.addr_spec for a in found["To"].addresses] == [TO]
    assert found["Date"].datetime == NOW
    assert found["Message-ID"] == f"<{1:032x}@oktt.example>" == message_id(a_delivery().id, SENDER.domain)
    assert (found["Auto-Submitted"], found["In-Reply-To"]) == ("auto-generated", None)
    assert found.get_content_type() == "multipart/alternative"
    text, html = found.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == RENDERED.text
    assert html.get_content().replace("\r\n", "\n") == RENDERED.html
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")


def test_bytes_are_seven_bit_short_lines_and_the_same_each_time() -> None:
    message = a_mail(attachments=(Attachment("a.csv", "text/csv", bytes(range(256)) * 9),))
    assert message == a_mail(attachments=(Attachment("a.csv", "text/csv", bytes(range(256)) * 9),))
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    other = build(a_delivery(2), RENDERED, sender=SENDER, recipient=TO)
    assert message_id(a_delivery(2).id, SENDER.domain).encode() in other


def test_updates_thread_onto_the_original() -> None:
    found = read(a_mail(original="<1@oktt.example>"))
    assert found["In-Reply-To"] == found["References"] == "<1@oktt.example>"
    with pytest.raises(DispatchError):
        a_mail(original="<1@x>\r\nBcc: a@b.example")


def test_attachments_stand_beside_the_text() -> None:
    files = (
        Attachment("OKTT-1.json", "application/stix+json;version=2.1", b'{"a":"\xc3\xa9"}'),
        Attachment("x\r\nBcc: y.csv", "text/csv; charset=utf-8", b"a,b\r\n"),
    )
    found = read(a_mail(attachments=files))
    assert found.get_content_type() == "multipart/mixed"
    body, stix, table = found.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert (stix.get_filename(), stix.get_content()) == ("OKTT-1.json", files[0].body)
    assert stix.get_content_type() == "application/stix+json"
    assert (table.get_filename(), table.get_payload(decode=True)) == ("x__Bcc__y.csv", files[1].body)
    assert found["Bcc"] is None


@pytest.mark.parametrize("file", [Attachment("a.zip", "application/zip", b""), Attachment("a", "text/x\r\nX: y", b"")])
def test_no_zip_and_no_header_in_a_type(file: Attachment) -> None:
    with pytest.raises(DispatchError):
        a_mail(attachments=(file,))


@given(st.text(max_size=300))
@example("x\r\nBcc: a@b.example\r\n\r\nbody")
@example("TLP:CLEAR =?utf-8?q?x?= " + "w" * 200)
@example("a\u2028b\x85c\x0bd")
def test_no_subject_breaks_out_of_its_header(text: str) -> None:
    found = read(a_mail(replace(RENDERED, subject=f"TLP:CLEAR {text} (OKTT-2026-0412)")))
    assert set(found.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert found["Subject"].startswith("TLP:CLEAR")
    assert found["Subject"].endswith("(OKTT-2026-0412)")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=400))
@example("=3D =\n=\n \nFrom x\n.\n")
@example("trailing \t\nspace ")
def test_text_survives(text: str) -> None:
    found = read(a_mail(replace(RENDERED, text=text + "\n", html=f"<p>{text}</p>\n")))
    part, html = found.iter_parts()
    assert part.get_payload(decode=True) == (text + "\n").replace("\n", "\r\n").encode()
    assert html.get_payload(decode=True) == f"<p>{text}</p>\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "address",
    ["", "x", "a@b@c.example", "a b@c.example", "a@c.example\r\nBcc: x@y.example", "<a@c.example>", "é@c.example"],
)
def test_what_is_no_address_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(DispatchError) as caught:
        a_mail(recipient=address)
    assert address == "" or address not in str(caught.value).replace(a_delivery().id, "")


def test_an_international_domain_is_written_in_ascii() -> None:
    assert b"To: a@xn--voorbeld-y1a.example\r\n" in a_mail(recipient="a@voorbeëld.example")


def test_what_mail_programs_would_clip_is_refused() -> None:
    with pytest.raises(DispatchError, match=a_delivery().id):
        a_mail(replace(RENDERED, html="x" * (MOST + 1)))


def test_a_delivery_id_that_is_none_is_refused() -> None:
    with pytest.raises(DispatchError):
        build(replace(a_delivery(), id="../x>\r\n"), RENDERED, sender=SENDER, recipient=TO)


Reply = str | None


class Server:
    """An SMTP server whose replies a test sets: by command, a reply instead of acceptance, or "drop"."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.replies: dict[str, str] = {}
        self.connections = 0

    def _answer(self, command: str, server: SMTP, otherwise: str | None) -> str:
        reply = self.replies.get(command)
        if reply == "drop":
            server.transport.abort()
        return reply or otherwise or "250 OK"

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._answer("MAIL", server, None)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._answer("RCPT", server, None)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._answer("RSET", server, None)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self._answer("DATA", server, None)
        if reply.startswith("250") or self.replies.get("DATA") == "drop":
            self.got.append(envelope)
        return reply


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(server: Server, **more: Any) -> Iterator[Controller]:
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), **more)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def channel(server: Server) -> Iterator[SmtpChannel]:
    with serving(server) as controller:
        settings = SmtpSettings("127.0.0.1", controller.port, "none", timeout=5, hello="oktt.example")
        made = SmtpChannel(settings, SENDER)
        yield made
        made.close()


def send(channel: SmtpChannel, number: int = 1) -> Outcome:
    delivery = a_delivery(number)
    return channel.send(delivery, TO, build(delivery, RENDERED, sender=SENDER, recipient=TO))


def test_messages_arrive_as_they_were_over_one_connection(server: Server, channel: SmtpChannel) -> None:
    assert [send(channel, n) for n in range(3)] == [Outcome("sent", "smtp-250")] * 3
    assert server.connections == 1
    assert [envelope.content for envelope in server.got] == [
        build(a_delivery(n), RENDERED, sender=SENDER, recipient=TO) for n in range(3)
    ]
    assert server.got[0].mail_from == SENDER.address
    assert server.got[0].rcpt_tos == [TO]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("code", "status"), [(451, "retry"), (452, "retry"), (550, "failed"), (552, "failed")])
def test_refusals_are_told_apart(server: Server, channel: SmtpChannel, command: str, code: int, status: Any) -> None:
    server.replies[command] = f"{code} no"
    assert send(channel) == Outcome(status, f"smtp-{code}")
    server.replies.clear()
    assert send(channel, 2) == Outcome("sent", "smtp-250"), "the connection serves the next"
    assert (server.connections, len(server.got)) == (1, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_break_before_data_is_a_plain_retry(server: Server, channel: SmtpChannel, command: str) -> None:
    server.replies[command] = "drop"
    assert send(channel) == Outcome("retry", "network")
    server.replies.clear()
    assert send(channel).status == "sent"


def test_a_break_after_data_may_have_been_accepted(server: Server, channel: SmtpChannel) -> None:
    server.replies["DATA"] = "drop"
    assert send(channel) == Outcome("retry", POSSIBLY_ACCEPTED)
    assert len(server.got) == 1, "it was"


def test_a_server_that_closes_is_left(server: Server, channel: SmtpChannel) -> None:
    server.replies["RCPT"] = "421 closing"
    assert send(channel) == Outcome("retry", "smtp-421")
    server.replies.clear()
    assert send(channel).status == "sent"
    assert server.connections == 2


def test_authentication_is_our_fault_and_waits(server: Server, channel: SmtpChannel) -> None:
    server.replies["MAIL"] = "530 authentication required"
    assert send(channel) == Outcome("retry", "smtp-530")


def test_an_idle_connection_that_died_is_replaced(server: Server, channel: SmtpChannel) -> None:
    assert send(channel).status == "sent"
    server.replies["RSET"] = "drop"
    assert send(channel, 2).status == "sent"
    assert server.connections == 2


def test_nobody_there_is_a_retry() -> None:
    port = free_port()
    assert send(SmtpChannel(SmtpSettings("127.0.0.1", port, "none", timeout=2), SENDER)) == Outcome("retry", "connect")


def test_without_starttls_nothing_is_sent(server: Server) -> None:
    with serving(server) as controller:
        channel = SmtpChannel(SmtpSettings("127.0.0.1", controller.port, timeout=5, hello="oktt.example"), SENDER)
        assert send(channel) == Outcome("retry", "no-starttls")
    assert server.got == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=3650))
        .not_valid_after(NOW + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    return file


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


def log_in(password: bytes) -> Callable[..., AuthResult]:
    return lambda server, session, envelope, mechanism, data: AuthResult(
        success=data.password == password, handled=False
    )


def test_starttls_with_a_log_in_from_a_file(server: Server, certificate: Path, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    options = {"tls_context": context(certificate), "auth_required": True, "authenticator": log_in(b"right")}
    with serving(server, require_starttls=True, **options) as controller:
        settings = SmtpSettings(
            "localhost", controller.port, "starttls", "oktt", secret, certificate, 5, hello="oktt.example"
        )
        secret.write_text("wrong\n")
        assert send(SmtpChannel(settings, SENDER)) == Outcome("retry", "smtp-535")
        secret.write_text("right\n")
        channel = SmtpChannel(settings, SENDER)
        assert send(channel) == Outcome("sent", "smtp-250")
        channel.close()
        assert send(SmtpChannel(replace(settings, ca_file=None), SENDER)) == Outcome("retry", "tls"), "an unknown CA"
    assert len(server.got) == 1


@pytest.mark.parametrize("missing", ["password_file", "ca_file"])
def test_a_missing_file_is_named(server: Server, certificate: Path, tmp_path: Path, missing: str) -> None:
    files = {"password_file": tmp_path, "ca_file": certificate, missing: tmp_path / "none"}
    with serving(server, tls_context=context(certificate)) as controller:
        settings = SmtpSettings("localhost", controller.port, user="oktt", timeout=5, hello="oktt.example", **files)
        with pytest.raises(DispatchError, match=f"smtp.{missing}"):
            send(SmtpChannel(settings, SENDER))
