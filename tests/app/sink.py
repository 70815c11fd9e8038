"""A real SMTP server that keeps what it is given, byte for byte, and answers as a test wants."""

import asyncio
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = Callable[[str, int], str]
"""(recipient, how many messages came before) -> SMTP reply; empty: the connection closes without one."""


@dataclass(frozen=True)
class Mail:
    """One accepted message."""

    recipient: str
    content: bytes

    @property
    def id(self) -> str:
        """Its Message-ID."""
        found = re.search(rb"^Message-ID:\s*(<[^>]+>)", self.content, re.M | re.I)
        assert found is not None
        return found.group(1).decode()


@dataclass
class Sink:
    """What came in."""

    answer: Answer = lambda recipient, before: "250 OK"
    mails: list[Mail] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        (recipient,) = envelope.rcpt_tos
        reply = self.answer(recipient, len(self.attempts))
        self.attempts.append(recipient)
        if reply.startswith("2") or not reply:
            assert isinstance(envelope.content, bytes)
            self.mails.append(Mail(recipient, envelope.content))
        if not reply:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return reply or "250 OK"

    @property
    def settings(self) -> str:
        """`[smtp]` of oktt.toml."""
        return f'[smtp]\nhost = "127.0.0.1"\nport = {self.port}\nsecurity = "none"\ntimeout = 10.0\n'


class _Controller(Controller):
    """Any free port: a socket that is bound before the server starts."""

    def __init__(self, handler: object, server: type[SMTP]) -> None:
        self._bound, self._server = socket.create_server(("127.0.0.1", 0)), server
        super().__init__(handler, hostname="127.0.0.1", port=self._bound.getsockname()[1], ready_timeout=240)

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)

    def factory(self) -> SMTP:
        return self._server(self.handler, data_size_limit=2**22, hostname="sink.example")


@contextmanager
def controlled(handler: object, server: type[SMTP] = SMTP) -> Iterator[int]:
    """A server with this handler, in a thread; the port that it has."""
    controller = _Controller(handler, server)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def listening(sink: Sink) -> Iterator[Sink]:
    """Run it on a free port of this machine."""
    with controlled(sink) as sink.port:
        yield sink
