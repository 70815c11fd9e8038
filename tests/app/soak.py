"""Random crashes while messages go to a mail server that goes wrong: nothing is lost, nothing repeated without need.

    python -m tests.app.soak COUNT [SEED] [FIRST]      COUNT rounds from the FIRST on (`make soak`: a thousand)

`make test` does 25 (test_crash.py). Each round takes an instance with messages that wait, starts one or two processes
that send them, kills (SIGKILL) each at a random moment, perhaps the next one too, and lets another send the rest. In
some rounds the item is updated, or withdrawn, or both, in between (what comes after a withdrawal waits for a person).
What the server took is then held against ledger, outbox and register. The seed decides what the server does to whom,
when whom is killed, and what happens to the item; what fails is told with how to run it again.
"""

import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from tests.app.faults import REFUSED, Came, Other, faulty
from tests.app.forks import KILLED, Forks, forking
from tests.app.instance import FEEDS, FORTINET, LATER, MONDAY, TEST_CLOCK, copied, done, lay, make, person

NAMES = (*(f"firma{number}" for number in range(8)), *REFUSED)
EVENTS = ("", "", "update", "withdraw", "update withdraw", "withdraw update")
"""What happens to the item between a crash and the next run."""
ITEM = "OKTT-2026-0001"
LONGEST = 12
"""Runs after which a round has to be over: whoever is put off is tried again a quarter of an hour later."""


@dataclass
class Told:
    """What the rounds came to."""

    rounds: int = 0
    killed: int = 0
    repeated: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    perhaps: int = 0
    """Messages that may have been accepted, and were not sent again."""
    problems: list[str] = field(default_factory=list)


Tell = Callable[[Told], None]


@dataclass
class Soak:
    """An instance with messages that wait, a server, and processes to send from."""

    seed: str
    queued: Path
    server: Other
    forks: Sequence[Forks]
    seconds: float
    """How long sending takes, about: when there is something to kill."""
    numbers: Iterator[int] = field(default_factory=count)

    def round(self, number: int, told: Told) -> None:
        """One instance, from what waits to the end; what is wrong with it then."""
        name, instance = f"{self.seed}/{number}", self.queued.with_name(f"round{next(self.numbers)}")
        rng = random.Random(name)
        copied(self.queued, instance)
        (instance / "oktt.toml").write_text(TEST_CLOCK + self.server.settings, encoding="utf-8")
        self.server.begin(name)
        now, killed = datetime.fromisoformat(MONDAY), 0
        moments = [rng.random() for _ in range(rng.choice((1, 1, 2)))]
        with ThreadPoolExecutor(len(moments)) as pool:
            killed += sum(
                pool.map(lambda pair: self._killed(instance, now, *pair), zip(self.forks, moments, strict=False))
            )
        event = rng.choice(EVENTS)
        failed = [
            each for each in event.split() if self.forks[0].run(instance, self._event(each), now=now.isoformat())[0]
        ]
        if rng.random() < 0.3:
            killed += self._killed(instance, now, self.forks[0], rng.random())
        for _ in range(LONGEST):
            code, _ = self.forks[0].run(instance, ["dispatch", "--now"], now=now.isoformat())
            if code or not _waits(instance):
                break
            now += timedelta(minutes=15)
        problems = [] if code == 0 else [f"exit {code}: {instance.with_suffix('.log').read_text()[-500:]}"]
        problems += [f"{each} failed" for each in failed]
        if self.forks[0].run(instance, ["audit", "verify"], now=now.isoformat())[0]:
            problems.append(f"register: {instance.with_suffix('.log').read_text()[-300:]}")
        came = self.server.begin("")
        problems += _wrong(instance, came, killed, event)
        told.rounds, told.killed, told.faults = told.rounds + 1, told.killed + killed, told.faults + came.faults
        told.events[event] += 1
        told.perhaps += len(_rows(instance, "SELECT 1 FROM ledger WHERE outcome = 'perhaps'"))
        told.repeated += len(came.mails) - len(set(came.mails))
        again = f"again: python -m tests.app.soak 1 {self.seed} {number}"
        told.problems += [f"round {number}: {each} ({again})" for each in problems]
        if not problems:
            for left in (instance, instance.with_name(f"{instance.name}.keys")):
                shutil.rmtree(left)

    def _event(self, name: str) -> list[str]:
        if name == "withdraw":
            return ["withdraw", ITEM, "--by", "anna", "--reason", "het klopt niet"]
        return ["ingest", str(self.queued.with_name("later") / "ncsc-nl"), "--source", "ncsc-nl"]

    def _killed(self, instance: Path, now: datetime, forks: Forks, moment: float) -> bool:
        """Send, until it is killed at that moment of the time it takes; was it?"""
        after = moment * self.seconds
        return forks.run(instance, ["dispatch", "--now"], now=now.isoformat(), after=after)[0] == KILLED


def prepared(folder: Path, seed: str, server: Other, forks: Sequence[Forks]) -> Soak:
    """With an instance whose messages wait, and how long it takes to send them."""
    queued = make(folder / "queued", people=[person(name, software=FORTINET) for name in NAMES])
    lay(folder / "in", {"ncsc-nl": FEEDS["ncsc-nl"]})
    lay(folder / "later", LATER)
    done(queued, "ingest", folder / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")
    soak = Soak(seed, queued, server, forks, 0.0)
    copy = copied(queued, folder / "timed")
    (copy / "oktt.toml").write_text(TEST_CLOCK + server.settings, encoding="utf-8")
    server.begin("timed")
    begun = time.monotonic()
    code, _ = forks[0].run(copy, ["dispatch", "--now"])
    soak.seconds = time.monotonic() - begun
    assert code == 0, copy.with_suffix(".log").read_text()
    return soak


def _rows(instance: Path, query: str) -> list[sqlite3.Row]:
    with sqlite3.connect(f"file:{instance / 'oktt.db'}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def _waits(instance: Path) -> bool:
    return bool(_rows(instance, "SELECT 1 FROM deliveries WHERE state NOT IN ('sent', 'failed', 'cancelled') LIMIT 1"))


def _wrong(instance: Path, came: Came, killed: int, event: str) -> Iterator[str]:
    """Of what the server took and what the instance says that it did, what does not fit."""
    lines = _rows(instance, "SELECT * FROM ledger")
    left = [row for row in lines if row["outcome"] in ("sent", "perhaps")]
    rows = _rows(instance, "SELECT * FROM deliveries")
    closed = Counter((row["id"], row["state"].replace("cancelled", "perhaps")) for row in rows)
    if closed != Counter((row["delivery"], row["outcome"].replace("cancelled", "perhaps")) for row in lines):
        yield f"the ledger tells otherwise: {[(row['kind'], row['subscriber'], row['outcome']) for row in lines]}"
    sent = {row["message_id"] for row in lines if row["outcome"] == "sent"}
    times = Counter(identifier for identifier, _ in came.mails)
    if not sent <= times.keys() <= {row["message_id"] for row in left}:
        yield f"lost: {sent - times.keys()}, or never sent, of {times.keys() - sent}"
    if len(set(came.mails)) != len(times):
        yield "one Message-ID with two contents"
    registered = Counter(row["subject"] for row in _rows(instance, "SELECT subject FROM journal WHERE what = 'sent'"))
    if registered != Counter(row["delivery"] for row in left):
        yield "the register tells of other messages"
    marked = {row["message_id"] for row in lines if row["repeat"]}
    twice = {identifier for identifier, many in times.items() if many > 1}
    if not twice <= marked:
        yield f"{len(twice - marked)} came twice and are not marked as repeat"
    # Nobody knows whether it was accepted: of the one that a killed process had in hand, and of what broke off.
    if (repeated := times.total() - len(times)) > killed + came.faults["lost"]:
        yield f"{repeated} came again, after {killed} crashes and {came.faults['lost']} replies that were lost"
    if len(marked) > killed + came.faults["lost"] + came.faults["drop"]:
        yield f"{len(marked)} marked as repeat, after {killed} crashes and {came.faults}"
    for name in NAMES:
        mine = [row for row in rows if row["subscriber"] == f"kvk-{name}"]
        yield from (f"{name}: {each}" for each in _of_one(mine, left, times, event, refused=name in REFUSED))


def _of_one(
    rows: Sequence[sqlite3.Row], left: Sequence[sqlite3.Row], times: Counter[str], event: str, *, refused: bool
) -> Iterator[str]:
    """Of what one reader has to have got, what is not so."""
    took = {(row["kind"], row["version"]) for row in rows if times[row["message_id"]]}
    states = {(row["kind"], row["version"]): row["state"] for row in rows}
    had = {
        (row["kind"], row["version"]): row["outcome"]
        for row in left
        if row["delivery"] in {each["id"] for each in rows}
    }
    told = {each for each in had if each[0] != "withdrawal"}
    if refused:
        if took or "sent" in had.values():
            yield f"was refused, and has {had}"
    elif "withdraw" in event:
        # Who got it, and who may have, once: no other hears of it.
        if bool(told) != sum(kind == "withdrawal" and state == "sent" for (kind, _), state in states.items()):
            yield f"had {told}, and then {states}"
    elif event == "update":
        kind = "update" if had.get(("alert", 1)) == "sent" else "alert"
        if states.get((kind, 2)) != "sent" or len(states) != 2:
            yield f"had {had}, and then {states}"
    elif states != {("alert", 1): "sent"}:
        yield f"has {states}"
    if took - had.keys():
        yield f"got {took - had.keys()}, of which nothing is known"


def soaked(
    folder: Path,
    rounds: int,
    seed: str,
    server: Other,
    forks: Sequence[Forks],
    tell: Tell = lambda _: None,
    first: int = 0,
) -> Told:
    """That many rounds, from the first on."""
    told, soak = Told(), prepared(folder, seed, server, forks)
    for number in range(first, first + rounds):
        soak.round(number, told)
        tell(told)
    return told


def main() -> None:
    """Prints a line every ten rounds, and what failed."""
    asked, begun = sys.argv[1:], time.monotonic()
    rounds = int(asked[0])
    seed = asked[1] if len(asked) > 1 else str(random.SystemRandom().randrange(10**6))
    known = 0

    def tell(told: Told) -> None:
        nonlocal known
        for problem in told.problems[known:]:
            _say(problem)
        known = len(told.problems)
        if told.rounds % 10 == 0 or told.rounds == rounds:
            _say(
                f"{told.rounds} of {rounds} rounds, {told.killed} crashes, {told.repeated} repeated, "
                f"{told.faults.total()} attempts, {known} problems, {time.monotonic() - begun:.0f} s"
            )

    _say(f"seed {seed}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oktt-soak-")))
        forks = [stack.enter_context(forking()) for _ in range(2)]
        server = stack.enter_context(faulty())
        told = soaked(folder, rounds, seed, server, forks, tell, int(asked[2]) if len(asked) > 2 else 0)
    _say(f"what the server did: {dict(told.faults)}")
    _say(f"what happened to the item: {dict(told.events)}; {told.perhaps} perhaps accepted, not sent again")
    sys.exit(1 if told.problems else 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
