"""Commands in real processes that can be killed: forked from one that has everything imported (killer.py)."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from tests.app.instance import MONDAY, ROOT

KILLER = (sys.executable, "-m", "tests.app.killer")
KILLED = -SIGKILL


@dataclass
class Forks:
    """The process that forks; one command at a time."""

    process: subprocess.Popen[str]

    def run(
        self,
        instance: Path,
        args: Sequence[str],
        *,
        now: str = MONDAY,
        number: int = 0,
        when: str = "",
        after: float | None = None,
    ) -> tuple[int, int]:
        """Exit code (negative: the signal) and how many commits were made (0: killed before it could tell).

        `number`, `when`: kill it before or after that commit; `amid`: before that statement, which are counted then.
        `after`: kill it after so many seconds.
        """
        counted = instance.with_suffix(".commits")
        counted.unlink(missing_ok=True)
        job = {
            "number": number, "when": when, "seconds": after, "env": {"OKTT_NOW": now},
            "args": ["--dir", str(instance), *args],
            "log": str(instance.with_suffix(".log")), "counted": str(counted),
        }  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        code = json.loads(self.process.stdout.readline())["code"]
        return code, int(counted.read_text() or 0) if counted.exists() else 0


@contextmanager
def forking() -> Iterator[Forks]:
    """The process, from its start to its end."""
    process = subprocess.Popen(KILLER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield Forks(process)
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
