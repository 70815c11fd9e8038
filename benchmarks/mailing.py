"""Personal messages made, and handed over: against the standard library's way to do the same, in the same run."""

import smtplib
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec import structs

from app import composing, desk, generate, workers
from app.service import Service
from benchmarks.measuring import NOW, at_most, best, instance, row
from dispatch import Delivery
from dispatch.dkim import Dkim
from dispatch.mail import Sender, build
from dispatch.render import Rendered
from dispatch.smtp import SmtpChannel, SmtpSettings
from subscribers import Contact, importing, registry
from triage.cases import Request

_SENDER = Sender("meldingen@oktt.example", "OKTT")
_TO = "beveiliging@voorbeeld.example"
LETTERS = "ABCDEFGHIJKLMNOPQRSTU"
"""Every section of the SBI."""
LINE = "Werk FortiOS bij naar versie 7.0.17, of zet het beheer via internet uit; één keer per week is te weinig.\n"


def measure(messages: int = 300) -> Iterator[dict[str, Any]]:
    """Rows {"what","ours","peer","ratio","aim"}."""
    yield prepared(messages)
    yield signed(messages)
    yield handed_over(messages)
    yield told()


def told(firms: int = 1500) -> dict[str, Any]:
    """Messages per second of one core's time, from claim to ledger and register (rendered, MIME, DKIM, sealed, stored,
    written as .eml), against the 250 with which two cores tell 1.8 million within an hour."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "instance"
        service = instance(folder)
        _signing(service)
        people = folder / "people.ndjson"
        people.write_bytes(b"\n".join(msgspec.json.encode(each) for each in generate.subscribers(firms, 7)))
        with service.transaction() as connection:
            registry.upsert(connection, importing.read(people), NOW)

        def ours(number: int) -> float:
            file = folder / f"item{number}.md"
            sectors = ", ".join(f'"SBI:{each}"' for each in LETTERS)
            head = f'title = "Lek {number}"\ntlp = "CLEAR"\nurgency = "today"\nsectors = [{sectors}]\n'
            file.write_text(f"+++\n{head}+++\n" + 12 * LINE, encoding="utf-8")
            item = composing.compose(service, file, "anna", "bench").item
            desk.decide_on(service, Request("release", item, "bert", "bench", "bench"))
            started = time.process_time()
            sent = workers.dispatch(service, now=True)["sent"]
            return (time.process_time() - started) / sent

        seconds = min(map(ours, range(3)))
    limit = 1.8e6 / 3600 / 2
    return row("recipients told of one item, of one core", 1 / seconds, "1.8 million an hour on two", limit, 1.0, "/s")


def _signing(service: Service) -> None:
    """With a DKIM key."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = service.settings.dir / "dkim.pem"
    file.touch(0o600)
    file.write_bytes(pem)
    mail = structs.replace(service.settings.main.mail, dkim_key="dkim.pem", dkim_selector="oktt")
    service.settings = replace(service.settings, main=structs.replace(service.settings.main, mail=mail))


def _rendered(number: int, messages: int = 300) -> Rendered:
    """A message of 45 kB with a link of its own; those of a round are on one item that no other round was on."""
    item, own = f"OKTT-2026-{number // messages:04d}", f"https://oktt.example/a/{number:043d}\n"
    text, html = _common(item)
    pieces = ("", own, text), ("<a href='", own.strip(), html)
    subject = f"TLP:CLEAR [VANDAAG] FortiGate: zet beheer via internet uit ({item})"
    return Rendered(subject, "".join(pieces[0]), "".join(pieces[1]), "nl", pieces=pieces)


@lru_cache(maxsize=1)
def _common(item: str) -> tuple[str, str]:
    """What all messages on an item have in common."""
    lines = [f"{item} {each}: {LINE}" for each in range(220)]
    return "".join(lines[:60]), "'>x</a>\n" + "".join(f"<p style='margin:0 0 8px'>{each}</p>\n" for each in lines)


def _delivery(number: int) -> Delivery:
    return Delivery(f"{number:032x}", "alert", "OKTT-2026-0412", 1, "kvk-1", 0, "sending", NOW, NOW)


def _build(number: int, rendered: Rendered, dkim: Dkim | None = None) -> bytes:
    link = f"https://oktt.example/u/{number:043d}"
    return build(_delivery(number), rendered, sender=_SENDER, recipient=_TO, unsubscribe=link, dkim=dkim)


def _plain(number: int, rendered: Rendered) -> bytes:
    """The same content by email.message."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "OKTT <meldingen@oktt.example>", _TO, rendered.subject
    mail["Date"], mail["Message-ID"] = NOW + timedelta(0), f"<{number:032x}@oktt.example>"
    mail["List-Unsubscribe"] = f"<https://oktt.example/u/{number:043d}>"
    mail["List-Unsubscribe-Post"], mail["Auto-Submitted"] = "List-Unsubscribe=One-Click", "auto-generated"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    return mail.as_bytes()


def prepared(messages: int) -> dict[str, Any]:
    """Time for a message of 45 kB: its MIME."""

    def ours(number: int) -> float:
        return _timed(_build, number, messages)

    mine, theirs = best(ours, lambda number: _timed(_plain, number, messages))
    return at_most(
        "a personal mail of 45 kB", 1e3 * mine / messages, "email.message", 1e3 * theirs / messages, 0.25, "ms"
    )


def signed(messages: int) -> dict[str, Any]:
    """The same with its DKIM signature, against the signature alone."""
    key = rsa.generate_private_key(65537, 2048)
    dkim = Dkim("oktt.example", "oktt", key)

    def raw(number: int, _: Rendered) -> object:
        return key.sign(b"%d" % number * 100, padding.PKCS1v15(), SHA256())

    def ours(number: int) -> float:
        return _timed(lambda each, rendered: _build(each, rendered, dkim), number, messages)

    mine, theirs = best(ours, lambda number: _timed(raw, number, messages))
    return at_most(
        "the same, signed (DKIM)", 1e3 * mine / messages, "an RSA signature alone", 1e3 * theirs / messages, 2.0, "ms"
    )


def _timed(make: Any, number: int, messages: int) -> float:
    """Of a round; what the messages say is made beforehand."""
    said = [(each, _rendered(each)) for each in range(number * messages, (number + 1) * messages)]
    started = time.perf_counter()
    for each, rendered in said:
        make(each, rendered)
    return time.perf_counter() - started


def handed_over(messages: int) -> dict[str, Any]:
    """Messages/s to a server in a thread, over one connection each."""
    mails = [_build(number, _rendered(number)) for number in range(messages)]
    contact = Contact("email", address=_TO)
    with _server() as port:

        def ours(_: int) -> float:
            channel = SmtpChannel(
                SmtpSettings("127.0.0.1", port, "none", hello="oktt.example"), lambda _: _SENDER.address
            )
            started = time.perf_counter()
            for each, mail in enumerate(mails):
                assert channel.send(_delivery(each), contact, mail).status == "sent"
            seconds = time.perf_counter() - started
            channel.close()
            return seconds

        def peer(_: int) -> float:
            with smtplib.SMTP("127.0.0.1", port, "oktt.example") as client:
                started = time.perf_counter()
                for mail in mails:
                    client.sendmail(_SENDER.address, [_TO], mail)
                return time.perf_counter() - started

        mine, theirs = best(ours, peer)
    return row("mails of 45 kB by SMTP", messages / mine, "smtplib, one connection", messages / theirs, 2.0, "mails/s")


@contextmanager
def _server() -> Iterator[int]:
    """A server that takes everything and does nothing with it, in a thread: what is left is the client's time."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def accept(listening: socket.socket) -> None:
    """Serve all who come, until it is closed."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # it was closed
            return
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    replies = {b"EHLO": b"250-bench\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
    with connection:
        connection.sendall(b"220 bench\r\n")
        while said := connection.recv(1 << 16):
            names = [line[:4].upper() for line in said.splitlines()]
            connection.sendall(b"".join(replies.get(name, b"250 yes\r\n") for name in names))
            if names[-1] == b"DATA":
                end = b""
                while end != b"\r\n.\r\n":
                    end = (end + connection.recv(1 << 18)[-5:])[-5:]
                connection.sendall(b"250 taken\r\n")
