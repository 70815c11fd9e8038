"""SMTP against real servers with real faults: aiosmtpd as a test wants it, and Postfix as it is."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dispatch import DispatchError, Outcome
from dispatch.mail import build
from dispatch.outbox import POSSIBLY_ACCEPTED
from dispatch.smtp import SmtpChannel, SmtpSettings
from subscribers import Contact
from tests.dispatch.test_mail import RENDERED, SENDER, TO, a_delivery
from tests.dispatch.views import NOW
from tests.ingest.servers import free_ports


def from_whom(delivery: str) -> str:
    return f"bounce+{delivery}@oktt.example"


class Server:
    """An SMTP server whose replies a test sets: by command, a reply instead of acceptance, or "drop"."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.replies: dict[str, str] = {}
        self.connections = 0
        self.pipelining = self.once = False

    def _answer(self, command: str, server: SMTP, otherwise: str | None) -> str:
        reply = self.replies.get(command)
        if reply and self.once:
            del self.replies[command]
        if reply == "drop":
            server.transport.abort()
        return reply or otherwise or "250 OK"

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return [responses[0], *(["250-PIPELINING"] if self.pipelining else []), *responses[1:]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._answer("MAIL", server, None)
        if reply.startswith("250"):
            envelope.mail_from = address
        return reply

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


@contextmanager
def serving(server: Server, **more: Any) -> Iterator[Controller]:
    controller = Controller(server, hostname="127.0.0.1", port=free_ports(1)[0], ready_timeout=240, **more)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


@pytest.fixture(params=["one by one", "pipelining"])
def server(request: pytest.FixtureRequest) -> Server:
    made = Server()
    made.pipelining = request.param == "pipelining"
    return made


@pytest.fixture
def channel(server: Server) -> Iterator[SmtpChannel]:
    with serving(server) as controller:
        settings = SmtpSettings("127.0.0.1", controller.port, "none", timeout=60, hello="oktt.example")
        made = SmtpChannel(settings, from_whom)
        yield made
        made.close()


def send(channel: SmtpChannel, number: int = 1) -> Outcome:
    delivery = a_delivery(number)
    return channel.send(delivery, Contact("email", address=TO), build(delivery, RENDERED, sender=SENDER, recipient=TO))


def test_messages_arrive_as_they_were_over_one_connection(server: Server, channel: SmtpChannel) -> None:
    assert [send(channel, n) for n in range(3)] == [Outcome("sent", "smtp-250")] * 3
    assert server.connections == 1
    assert [envelope.content for envelope in server.got] == [
        build(a_delivery(n), RENDERED, sender=SENDER, recipient=TO) for n in range(3)
    ]
    assert server.got[0].mail_from == from_whom(a_delivery(0).id)
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


@pytest.mark.parametrize("reply", ["drop", "421 4.4.2 timeout"])
def test_an_idle_connection_that_died_is_replaced(server: Server, channel: SmtpChannel, reply: str) -> None:
    """Nothing of the message was said, so that it is no attempt."""
    assert send(channel).status == "sent"
    server.replies["MAIL"] = reply
    server.once = True
    assert send(channel, 2).status == "sent"
    assert (server.connections, len(server.got)) == (2, 2)


def test_nobody_there_is_a_retry() -> None:
    channel = SmtpChannel(SmtpSettings("127.0.0.1", free_ports(1)[0], "none", timeout=60), from_whom)
    assert send(channel) == Outcome("retry", "connect")


def test_without_starttls_nothing_is_sent(server: Server) -> None:
    with serving(server) as controller:
        channel = SmtpChannel(SmtpSettings("127.0.0.1", controller.port, timeout=60, hello="oktt.example"), from_whom)
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
        assert send(SmtpChannel(settings, from_whom)) == Outcome("retry", "smtp-535")
        secret.write_text("right\n")
        channel = SmtpChannel(settings, from_whom)
        assert send(channel) == Outcome("sent", "smtp-250")
        channel.close()
        assert send(SmtpChannel(replace(settings, ca_file=None), from_whom)) == Outcome("retry", "tls"), "an unknown CA"
    assert len(server.got) == 1


@pytest.mark.parametrize("missing", ["password_file", "ca_file"])
def test_a_missing_file_is_named(server: Server, certificate: Path, tmp_path: Path, missing: str) -> None:
    files = {"password_file": tmp_path, "ca_file": certificate, missing: tmp_path / "none"}
    with serving(server, tls_context=context(certificate)) as controller:
        settings = SmtpSettings("localhost", controller.port, user="oktt", timeout=60, hello="oktt.example", **files)
        with pytest.raises(DispatchError, match=f"smtp.{missing}"):
            send(SmtpChannel(settings, from_whom))
