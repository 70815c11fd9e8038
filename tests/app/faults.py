"""A mail server in a process of its own that goes wrong as real ones do, by a seed.

    python -m tests.app.faults      its port on stdout; each seed on stdin begins a round, and is answered with what
                                    the round before took in and how it went wrong

It puts off, closes, breaks off amid a message, takes one and closes before it says so, is slow, and refuses some for
good. Whoever was tried often enough is served well, so that a round ends.
"""

import asyncio
import hashlib
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.app.instance import ROOT
from tests.app.sink import controlled

PATIENCE = 4
"""Attempts that may go wrong for one recipient."""
USUAL = ("well",) * 6
FAULTS = ("later", "later-data", "closing", "closing-data", "drop", "lost", "slow", "slow-data")
REFUSED = {"nee": "550 5.1.1 nobody here", "ook-nee": "554 5.7.1 not wanted"}
"""Refused for good: at once, and after the message."""


@dataclass
class Came:
    """What a round took in."""

    mails: list[tuple[str, str]] = field(default_factory=list)
    """Message-ID and hash of the bytes, of each message that was taken."""
    faults: Counter[str] = field(default_factory=Counter)


@dataclass
class Faulty:
    """The handler of a server: what it does next is drawn from the seed, the recipient and how often it was tried."""

    seed: str = ""
    came: Came = field(default_factory=Came)
    tried: Counter[str] = field(default_factory=Counter)

    def draw(self, recipient: str) -> str:
        """What becomes of this attempt."""
        name = recipient.partition("@")[0]
        if name in REFUSED:
            return "refused"
        self.tried[name] += 1
        rng = random.Random(f"{self.seed}/{name}/{self.tried[name]}")
        fault = rng.choice(USUAL + FAULTS) if self.tried[name] <= PATIENCE else "well"
        self.came.faults[fault] += 1
        return fault

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name, as the others
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        together = len(self.tried) % 2  # commands together (RFC 2920), or one by one
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if together else responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.draw(address)
        if address.startswith("nee@"):
            return REFUSED["nee"]
        if fault == "later":
            return "451 4.7.1 greylisted"
        if fault == "closing":
            return await _closed(server)
        if fault == "slow":
            await asyncio.sleep(0.05)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options += [fault]
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (fault,) = envelope.rcpt_options
        if fault == "refused":
            return REFUSED["ook-nee"]
        if fault == "later-data":
            return "452 4.3.1 no room"
        if fault == "closing-data":
            return await _closed(server)
        assert isinstance(envelope.content, bytes)
        found = re.search(rb"^Message-ID:\s*(<[^>]+>)", envelope.content, re.M | re.I)
        assert found is not None
        self.came.mails.append((found[1].decode(), hashlib.sha256(envelope.content).hexdigest()))
        if fault == "lost":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if fault == "slow-data":
            await asyncio.sleep(0.05)
        return "250 OK"


class Server(SMTP):
    """Breaks off amid the message, where that is what is drawn."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        assert self.envelope is not None
        if self.envelope.rcpt_options == ["drop"]:
            await self.push("354 go on")
            await self._reader.read(200)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
            await self._reader.read()  # what lies there is no command
        else:
            await super().smtp_DATA(arg)


async def _closed(server: SMTP) -> str:
    await server.push("421 4.3.2 closing")
    assert server.transport is not None
    server.transport.close()
    return "421 4.3.2 closing"


def serve() -> None:
    """Rounds until stdin ends."""
    handler = Faulty()
    with controlled(handler, Server) as port:
        _say(port)
        for line in sys.stdin:
            came, handler.came, handler.tried = handler.came, Came(), Counter()
            handler.seed = json.loads(line)
            _say(json.dumps({"mails": came.mails, "faults": came.faults}))


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass
class Other:
    """That process, from here."""

    process: subprocess.Popen[str]
    port: int

    def begin(self, seed: str) -> Came:
        """A new round; what the one before took in."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(seed) + "\n")
        self.process.stdin.flush()
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return Came([(known, content) for known, content in said["mails"]], Counter(said["faults"]))

    @property
    def settings(self) -> str:
        """`[smtp]` of oktt.toml."""
        return f'[smtp]\nhost = "127.0.0.1"\nport = {self.port}\nsecurity = "none"\ntimeout = 60.0\n'


@contextmanager
def faulty() -> Iterator[Other]:
    """The process, from its start to its end."""
    command = [sys.executable, "-m", "tests.app.faults"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Other(process, int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


if __name__ == "__main__":
    serve()
