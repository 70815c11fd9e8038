"""Runs `oktt` in a real process that is killed (SIGKILL) before or after its n-th commit, before its n-th statement
(`amid` a transaction), or after some time.

    python -m tests.app.killer NUMBER before|after|amid ARGS...   one command in this process; NUMBER 0 kills nothing
    python -m tests.app.killer                               jobs on stdin, results on stdout, one JSON object a line

The second form starts quickly: the commands are imported once, and each job is a process of its own forked from that.
"""

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.engine.default import DefaultDialect


class Commits:
    """Counts commits, or statements for `amid`, and kills this process around one of them."""

    def __init__(self, number: int, when: str) -> None:
        self.number, self.when, self.seen = number, when, 0

    def arm(self) -> None:
        """From now on, whatever commits, or for `amid` is executed, through SQLAlchemy."""
        if self.when == "amid":
            self._count("do_execute")
            self._count("do_executemany")
            return
        commit: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            self.seen += 1
            self.die("before")
            commit(dialect, connection)
            self.die("after")

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
        execute: Callable[..., None] = DefaultDialect.do_execute

        def do_execute(dialect: DefaultDialect, cursor: Any, statement: Any, given: Any, context: Any = None) -> None:
            # What no transaction was begun for is committed where it ends (app.database.stepping).
            alone = context is not None and context.root_connection.get_execution_options().get("stepping", False)
            if alone:
                self.seen += 1
                self.die("before")
            execute(dialect, cursor, statement, given, context)
            if alone:
                self.die("after")

        DefaultDialect.do_execute = do_execute  # type: ignore[method-assign]

    def _count(self, name: str) -> None:
        execute: Callable[..., None] = getattr(DefaultDialect, name)

        def counted(dialect: DefaultDialect, *args: Any) -> None:
            self.seen += 1
            self.die("amid")
            execute(dialect, *args)

        setattr(DefaultDialect, name, counted)

    def die(self, when: str) -> None:
        """No handler, no `finally`, no flush: as when the power goes."""
        if self.seen == self.number and self.when == when:
            os.kill(os.getpid(), signal.SIGKILL)


def run(args: list[str]) -> int:
    """The command line as the program runs it; its exit code."""
    from app.cli import main

    sys.argv = ["oktt", *args]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def child(job: dict[str, Any]) -> None:
    """One command, in the process that was forked for it. Does not return."""
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(job["env"])
    commits = Commits(job["number"], job["when"])
    commits.arm()
    code = 70
    try:
        code = run(job["args"])
    finally:
        sys.stdout.flush()
        Path(job["counted"]).write_text(str(commits.seen))
        os._exit(code)


def wait(pid: int, seconds: float | None) -> int:
    """The exit code; negative: the signal that ended it. After `seconds` that is ours."""
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, 0 if until is None else os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() >= until:
            os.kill(pid, signal.SIGKILL)
            until = None
        time.sleep(0.001)


def serve() -> None:
    """Jobs until stdin ends. Nothing is open at the fork: processes must not share a database's file."""
    import app
    import dispatch
    import ingest
    import normalize
    from tests.app.instance import FEEDS, FRIDAY, PEOPLE, done, lay, make

    # What a command imports when it is called is imported once, here; and what the first ones are slow in is done:
    # statements, templates and settings are compiled (tests/once.py).
    for package in (app, dispatch, ingest, normalize):
        for each in iter_modules(package.__path__, f"{package.__name__}."):
            import_module(each.name)
    with TemporaryDirectory() as home:
        instance = make(Path(home) / "instance", people=PEOPLE)
        for source in lay(Path(home) / "in", FEEDS).iterdir():
            done(instance, "ingest", source, "--source", source.name)
        done(instance, "dispatch", "--now")
        done(instance, "digest", "--edition", "friday", "--date", FRIDAY[:10], now=FRIDAY)
        done(instance, "dispatch", "--now", now=FRIDAY)
        done(instance, "audit", "verify")
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(job)
        sys.stdout.write(json.dumps({"code": wait(pid, job["seconds"])}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Commits(int(sys.argv[1]), sys.argv[2]).arm()
        sys.exit(run(sys.argv[3:]))
    serve()
