"""kill -9 at every commit, before it and after it: run again, nothing is lost, at most one message arrives twice.

The commands run in real processes (killer.py) against a real SMTP server, on SQLite. For each command and commit the
instance is taken as it was before the command, the command is killed there, run again to its end, and what then stands
in the database and came in at the server is held against the same command without a crash.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.app.faults import FAULTS, faulty
from tests.app.forks import KILLED, KILLER, Forks, forking
from tests.app.instance import FEEDS, FRIDAY, LATER, MONDAY, PEOPLE, ROOT, copied, lay, make
from tests.app.sink import Mail, Sink, listening
from tests.app.soak import EVENTS, soaked
from tests.app.state import State, state

Step = tuple[str, Sequence[str]]
STEPS: Sequence[Step] = (
    (MONDAY, ("subscribers", "import", "people.ndjson")),
    (MONDAY, ("ingest", "first/ncsc-nl", "--source", "ncsc-nl")),
    (MONDAY, ("ingest", "first/kev", "--source", "kev")),
    (MONDAY, ("ingest", "first/shadowserver", "--source", "shadowserver")),
    (MONDAY, ("dispatch", "--now")),
    (FRIDAY, ("ingest", "later/ncsc-nl", "--source", "ncsc-nl")),
    (FRIDAY, ("digest", "--edition", "friday", "--date", "2026-03-06")),
    (FRIDAY, ("dispatch", "--now")),
    (FRIDAY, ("dispatch",)),
)


@dataclass
class Runner:
    """Where commands run and are killed, and the SMTP server that their messages go to."""

    forks: Forks
    sink: Sink
    folder: Path
    numbers: Iterator[int]

    def take(self, snapshot: Path) -> Path:
        """A copy of an instance that sends to this runner's server."""
        copy = self.folder / str(next(self.numbers))
        copied(snapshot, copy)
        (copy / "oktt.toml").write_text("[app]\ntest_clock = true\n" + self.sink.settings, encoding="utf-8")
        self.sink.mails.clear()
        return copy

    def run(self, instance: Path, step: Step, **kill: Any) -> tuple[int, int]:
        """Exit code (negative: the signal) and how many commits were made (0: killed before it could tell)."""
        now, args = step
        return self.forks.run(
            instance, [str(instance / arg) if _is_path(arg) else arg for arg in args], now=now, **kill
        )


def _is_path(arg: str) -> bool:
    return arg.startswith(("first/", "later/")) or arg.endswith(".ndjson")


@dataclass(frozen=True)
class Told:
    """A command that was not interrupted: the instance before it, and what it did."""

    step: Step
    before: Path
    commits: int
    after: State
    mails: tuple[Mail, ...]


@contextmanager
def a_runner(folder: Path) -> Iterator[Runner]:
    folder.mkdir()
    with listening(Sink()) as sink, forking() as forks:
        yield Runner(forks, sink, folder, count())


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Runner]]:
    """Two at a time."""
    base = tmp_path_factory.mktemp("runs")
    with ExitStack() as stack:
        yield [stack.enter_context(a_runner(base / str(number))) for number in range(2)]


@pytest.fixture(scope="module")
def told(runners: list[Runner], tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """Every command without a crash, one after the other; the instance as it was before each."""
    runner, base = runners[0], tmp_path_factory.mktemp("told")
    first = make(base / "0")
    lay(first / "first", FEEDS)
    lay(first / "later", LATER)
    (first / "people.ndjson").write_text("".join(json.dumps(each) + "\n" for each in PEOPLE), encoding="utf-8")
    steps = []
    for number, step in enumerate(STEPS):
        before = base / str(number)
        copy = runner.take(before)
        code, commits = runner.run(copy, step)
        assert code == 0, copy.with_suffix(".log").read_text()
        steps.append(Told(step, before, commits, state(copy), tuple(runner.sink.mails)))
        copied(copy, base / str(number + 1))
    return steps


def test_the_scenario_does_what_it_is_for(told: list[Told]) -> None:
    """Else a green test below says nothing."""
    commits = [each.commits for each in told]
    assert min(commits) >= 1
    assert sum(commits) >= 30
    sent = [sorted(mail.recipient.split("@")[0] for mail in each.mails) for each in told]
    assert sent[4] == ["bakker", "cert", "metaal", "metaal"]
    assert sent[7].count("metaal") == 1
    assert sent[7].count("cert") == 1
    assert "winkel" in sent[7]
    assert sum(map(len, sent)) == len(sent[4]) + len(sent[7])
    assert told[-1].after.rows["published"]
    reasons = Counter(row["reason"] for row in told[-1].after.rows["ledger"])
    assert reasons == {
        "smtp-250": 7,
        "file": 2,
        "superseded": 1,
    }


def test_a_cold_process_is_killed_too(told: list[Told], tmp_path: Path) -> None:
    """The same without the fork: the program from its start, and then once more."""
    expected, copy = told[6], tmp_path / "instance"
    copied(expected.before, copy)
    environment = {**os.environ, "OKTT_NOW": expected.step[0]}
    for number, code in (("1", KILLED), ("0", 0)):
        command = [*KILLER, number, "before", "--dir", str(copy), *expected.step[1]]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (code, "")
        assert (expected.after.differences(state(copy)) == []) is (code == 0)


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[" ".join(args[:2]) for _, args in STEPS])
def test_a_crash_at_any_commit_loses_nothing(step: int, told: list[Told], runners: list[Runner]) -> None:
    expected = told[step]
    points = [(number, when) for number in range(1, expected.commits + 1) for when in ("before", "after")]
    idle = list(runners)

    twice: list[int] = []

    def crash(point: tuple[int, str]) -> list[str]:
        (number, when), runner = point, idle.pop()
        try:
            copy = runner.take(expected.before)
            code, _ = runner.run(copy, expected.step, number=number, when=when)
            if code != KILLED:
                return [f"{point}: not killed but {code}"]
            problems = _finish(runner, copy, expected)
            twice.append(len(runner.sink.mails) - len(expected.mails))
            return [f"{point}: {problem}" for problem in problems]
        finally:
            idle.append(runner)

    with ThreadPoolExecutor(len(runners)) as pool:
        problems = [problem for found in pool.map(crash, points) for problem in found]
    assert problems == []
    # Killed before the commit that settles a message that was accepted: that one comes again, for each message.
    assert twice.count(1) >= len(expected.mails)
    assert set(twice) <= {0, 1}


def test_a_crash_at_any_moment_with_a_server_that_goes_wrong(runners: list[Runner], tmp_path: Path) -> None:
    """Between commits too, while the server puts off, closes, breaks off and loses replies, and the item is updated or
    withdrawn in between; `make soak` does more."""
    with faulty() as server:
        told = soaked(tmp_path, 25, "2026", server, [each.forks for each in runners])
    assert told.problems == []
    assert told.rounds == 25
    assert told.killed >= 5, "else it was always done before"
    assert min(told.faults[fault] for fault in FAULTS) > 0
    assert min(told.events[event] for event in EVENTS) > 0


def _finish(runner: Runner, instance: Path, expected: Told) -> list[str]:
    """Run the killed command again, and tell what is other than without the crash."""
    code, _ = runner.run(instance, expected.step)
    if code:
        return [f"running again: exit {code}: {instance.with_suffix('.log').read_text()[-500:]}"]
    found = state(instance)
    problems = expected.after.differences(found) + _mails(expected.mails, runner.sink.mails, found)
    if runner.run(instance, (expected.step[0], ("audit", "verify")))[0]:
        problems.append(f"register: {instance.with_suffix('.log').read_text()[-300:]}")
    if not problems:
        shutil.rmtree(instance)
    return problems


def _mails(expected: Sequence[Mail], found: Sequence[Mail], after: State) -> list[str]:
    """Each at least once, at most one twice, then with the same bytes, and as `repeat` in the ledger."""
    problems = []
    if {mail.id: mail for mail in expected} != {mail.id: mail for mail in found}:
        problems.append("other messages, or other bytes")
    if len(set(found)) != len({mail.id for mail in found}):
        problems.append("one Message-ID with two contents")
    arrived = Counter(mail.id for mail in found)
    twice = [identifier for identifier, times in arrived.items() if times > 1]
    if len(twice) > 1 or any(arrived[identifier] > 2 for identifier in twice):
        problems.append(f"repeated: {[arrived[identifier] for identifier in twice]}")
    marked = after.repeats
    if len(marked) > 1 or not set(twice) <= marked:
        problems.append(f"{len(twice)} arrived twice, {len(marked)} marked as repeat")
    return problems
