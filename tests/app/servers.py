"""`oktt serve` and `oktt run` as real processes."""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.app.instance import OKTT


@dataclass
class Process:
    """A server that listens: its address, and its end."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def started(instance: Path, *args: str, **environment: str) -> Iterator[Process]:
    """Start it and wait until it says where it listens."""
    log = instance.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [OKTT, "--dir", instance, *args], stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        try:
            yield Process(process, _address(process, log), log)
        finally:
            process.kill()
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        assert ready.select(240), log.read_text()
    said = process.stdout.readline()
    found = re.search(r"http://[^/\s]+", said)
    assert found, (said, log.read_text())
    return found.group()


def wait_for(what: object, seconds: float = 240) -> None:
    """Until `what()` holds."""
    assert callable(what)
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)
