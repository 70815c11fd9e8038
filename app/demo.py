"""A week at the service on embedded defaults: real stages, sample feeds, generated subscribers, a clock of its own."""

import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from pyroaring import BitMap
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from app import AppError, audience, desk, digests, door, generate, pipeline, retention, workers
from app.service import Service, make, open_service
from dispatch import feedback, outbox, publication
from dispatch.feedback import Answer
from ingest import RawDocument
from ingest.files import FilesReader
from subscribers import importing, registry
from triage import inbox, releases
from triage.cases import Request

SAMPLES = Path(__file__).parents[1] / "samples" / "week"
MONDAY = date(2026, 3, 2)
MARK = ".demo"
HERE = ZoneInfo("Europe/Amsterdam")
SETTINGS = """# The demo's settings: where `make serve` serves, and small thresholds, so that people are needed.
[web]
base_url = "http://127.0.0.1:8080"

[desk]
person_over = 60
second_person_over = 120
undo_minutes = 10
"""
REPLIES: dict[int, Answer] = {
    **dict.fromkeys(range(6), "handled"),
    **dict.fromkeys((6, 7), "working"),
    8: "not-applicable",
    9: "need-help",
}
"""Of sixteen recipients."""
SHOWN = "beveiliging@voorbeeldmetaal.example"
"""Whose notification is shown: the metal firm of the samples."""


class Week:
    """The demo's clock: stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime.combine(MONDAY - timedelta(days=1), datetime.min.time(), HERE).astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now

    def set(self, day: date, hour: int, minute: int = 0) -> None:
        """Local time of a day."""
        self.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=HERE).astimezone(UTC)


def play(folder: Path) -> None:
    """Play the week in `folder`, which is made anew, and print what came of it."""
    started = time.monotonic()
    if not SAMPLES.is_dir():
        raise AppError("the sample feeds come with the repository: run `make demo` in a clone")
    _fresh(folder)
    (folder / "oktt.toml").write_text(SETTINGS, encoding="utf-8")
    make(folder)
    with closing(open_service(folder)) as service:
        _week(service, folder, started)


def _week(service: Service, folder: Path, started: float) -> None:
    clock = Week()
    service.clock = clock
    console = Console()
    with _progress() as step:
        people = _subscribers(service, folder, step)
        tally, decided, digested, answered = door.Tally(), Counter[str](), Counter[str](), Counter[str]()
        days = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
        for day_folder in days:
            day = MONDAY + timedelta(days=int(day_folder.name.split("-")[0]) - 1)
            _edition(service, clock, day, digested)
            clock.set(day, 15)
            tally.add(_read(service, day_folder, step))
            decided["rule"] += workers.apply_rules(service)
            decided.update(_analysts(service, clock, day))
            clock.set(day, 16)
            step(f"{day:%A}: sending", 1)
            workers.dispatch(service)
            clock.set(day, 17)
            answered.update(_recipients(service))
        step("Monday: start of the week", 1)
        _edition(service, clock, MONDAY + timedelta(days=7), digested)  # with a chart: it is the second
        retention.save_head(service)
    _summary(console, service, folder, tally, decided, digested, answered, people, time.monotonic() - started)


def _fresh(folder: Path) -> None:
    if folder.exists():
        if not (folder / MARK).exists() and any(folder.iterdir()):
            raise AppError(f"{folder} holds something that is no demo: give another --dir, or empty it")
        shutil.rmtree(folder)
        shutil.rmtree(folder.resolve().with_name(f"{folder.resolve().name}.keys"), ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("made by `oktt demo`; made anew each time\n", encoding="utf-8")


def _subscribers(service: Service, folder: Path, step: Any) -> int:
    step("Subscribers: making and importing", 1)
    file = folder / "subscribers.ndjson"
    encode = msgspec.json.Encoder().encode
    with file.open("wb") as out:
        for each in generate.demo_subscribers():
            out.write(encode(each) + b"\n")
    incoming = importing.read(file)
    with service.transaction() as connection:
        registry.upsert(connection, incoming, service.clock())
    workers.open_collections(service)
    return len(incoming)


def _read(service: Service, folder: Path, step: Any) -> door.Tally:
    tally = door.Tally()
    for source_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        source = service.settings.source(source_folder.name)
        key = service.keys.derive("documents")
        for found in FilesReader([source_folder], source, key=key, clock=service.clock).read():
            step(f"{folder.name.split('-')[1].capitalize()}: {source.name}", 1)
            if isinstance(found, RawDocument):
                tally.add(pipeline.admit(service, found))
            else:
                tally.add(door.unreadable(service, source.id, found))
    return tally


def _analysts(service: Service, clock: Week, day: date) -> Counter[str]:
    """Two analysts at the desk: they release what nobody has doubts about, and approve each other's large ones."""
    done: Counter[str] = Counter()
    clock.set(day, 15, 30)
    with service.reading() as connection:
        waiting = [card for card in inbox.cards(connection, limit=1000) if card["state"] in ("new", "pending")]
    for card in waiting:
        strictest = card["labels"][-1]
        if strictest in ("RED", "AMBER+STRICT") and card["tlp"] == strictest:
            reason = "TLP:RED stopt bij het kenniscentrum: de bron vragen om toestemming"
            desk.decide_on(service, Request("hold", card["id"], "anna", reason=reason))
            done["hold"] += 1
            continue
        state = desk.decide_on(service, Request("release", card["id"], "anna", reason="beoordeeld")).state
        done["release"] += 1
        if state == "pending":
            desk.decide_on(service, Request("approve", card["id"], "bram", reason="tweede paar ogen"))
            done["approve"] += 1
    return done


def _recipients(service: Service) -> Counter[str]:
    """An hour after the alerts ten of sixteen recipients say what became of it; which, the id of the message says."""
    done: Counter[str] = Counter()
    with service.transaction() as connection:
        told = [
            message
            for item in releases.standing(connection)
            for each in outbox.ids(connection, item)
            if (message := feedback.message(connection, each)) is not None
        ]
        for each in told:
            answer = REPLIES.get(int(each.delivery[:2], 16) // 16)
            if answer is not None and feedback.latest(connection, each.item, each.subscriber) is None:
                feedback.visited(connection, each.delivery, service.clock())
                feedback.give(connection, each, answer, None, service.clock())
                done[answer] += 1
    return done


def _edition(service: Service, clock: Week, day: date, counts: Counter[str]) -> None:
    """Of a Monday or a Friday."""
    if day.isoweekday() == 1:
        clock.set(day, 7, 30)
        counts["monday"] += digests.build(service, "monday", day)["queued"]
    elif day.isoweekday() == 5:
        clock.set(day, 14)
        counts["friday"] += digests.build(service, "friday", day)["queued"]
    else:
        return
    workers.dispatch(service)


@contextmanager
def _progress() -> Iterator[Any]:
    console = Console(stderr=True)
    total = 3 + sum(1 for path in SAMPLES.rglob("*") if path.is_file()) + sum(1 for path in SAMPLES.iterdir())
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("A week at the service", total=total)
        yield lambda text, count: bar.update(task, description=text, advance=count)


def _summary(
    console: Console,
    service: Service,
    folder: Path,
    tally: door.Tally,
    decided: Counter[str],
    digested: Counter[str],
    answered: Counter[str],
    people: int,
    seconds: float,
) -> None:
    mails = sum(1 for _ in (folder / "outbox").glob("*.eml"))
    with service.reading() as connection:
        cards = list(inbox.cards(connection, limit=10_000))
        channels = outbox.summary(connection)
        collections = publication.sizes(connection)
    states = Counter(card["state"] for card in cards)
    findings = Counter[str]()
    for actions in tally.findings.values():
        findings.update(actions)
    rows = [
        ("Documents", f"{tally.documents} read, {tally.refused} documents or objects refused"),
        ("Items", f"{len(cards)}: " + ", ".join(f"{count} {name}" for name, count in sorted(states.items()))),
        ("Personal data", ", ".join(f"{count} {name}" for name, count in sorted(findings.items()))),
        ("Held at the door", f"{tally.held}"),
        ("Subscribers", f"{people}"),
        ("Matched", _matched(service, [card["id"] for card in cards if card["state"] == "released"])),
        ("Decisions", ", ".join(f"{count} {name}" for name, count in sorted(decided.items()))),
        (
            "Messages",
            ", ".join(f"{count} {medium or 'none'} {what}" for (medium, what), count in sorted(channels.items()))
            + f", in {mails} mails",  # several of one action are one
        ),
        ("Answers", ", ".join(f"{count} {name}" for name, count in sorted(answered.items()))),
        ("Digests", ", ".join(f"{count} on {name}" for name, count in digested.items())),
        ("TAXII", _collections(collections)),
    ]
    _example(console, folder)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(text))
    console.print(Panel(table, title=f"A week at the service, in {seconds:.0f} seconds", title_align="left"))
    shown = next((card["id"] for card in cards if len(card["sources"]) > 2), cards[0]["id"] if cards else "ID")
    program = Path(sys.argv[0])
    oktt = os.path.relpath(program) if program.name == "oktt" and program.is_file() else "oktt"
    look = f"""Where to look
  messages           {folder}/outbox/*.eml
  items              {oktt} --dir {folder} items
  one item whole     {oktt} --dir {folder} item {shown}
  who gets it, why   {oktt} --dir {folder} audience {shown}
  what it came to    {oktt} --dir {folder} effect --since {MONDAY}
  refused, held      {oktt} --dir {folder} refused
  TAXII, feed        make serve, then http://127.0.0.1:8080/feed.atom
  what all may read  and http://127.0.0.1:8080/portal/berichten/
  the register       {oktt} --dir {folder} audit verify"""
    console.print(look, markup=False, highlight=False)


def _matched(service: Service, items: list[str]) -> str:
    """Whom the released items concern, as the registry stands at the week's end."""
    outcomes, reached = Counter[str](), BitMap()
    for item in items:
        match = audience.audience(service, item, 0).match
        reached |= match.audience
        outcomes.update({name: len(numbers) for name, numbers in match.outcomes.items()})
    told = ", ".join(f"{outcomes[name]} {name}" for name in ("deliver", "quiet", "digest") if outcomes[name])
    return f"{len(items)} released items with {len(reached)} subscribers: {told}"


def _collections(sizes: list[tuple[str, int]]) -> str:
    common = [f"{alias} {count}" for alias, count in sizes if alias in ("clear", "test")]
    own = [count for alias, count in sizes if alias not in ("clear", "test")]
    return f"{len(sizes)} collections: objects in {', '.join(common)}; {sum(own)} in {len(own)} of subscribers' own"


def _example(console: Console, folder: Path) -> None:
    """One notification of one item, as its recipient reads it."""
    for file in sorted((folder / "outbox").glob("*.eml")):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        if SHOWN in str(mail["To"]) and re.search(r"\[VANDAAG\].*\(", str(mail["Subject"])):
            body = mail.get_body(("plain",))
            text = body.get_content() if body is not None else ""
            head = f"Aan: {mail['To']}\nOnderwerp: {mail['Subject']}\n\n"
            console.print(
                Panel(Text(head + text.strip()), title="One of the notifications", title_align="left", width=100)
            )
            return
