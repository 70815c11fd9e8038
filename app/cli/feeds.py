"""Commands for what comes in: ingest, items, refused."""

import time
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from app import door, pipeline, workers
from app.cli import output
from app.cli.root import Json, cli, opened
from app.service import Service
from ingest import Format, Known, RawDocument
from ingest.files import FilesReader
from triage import State, documents, inbox

MOST = 10_000_000
FORMATS: tuple[str, ...] = ("auto", *get_args(Known))
Since = Annotated[str | None, typer.Option("--since", help="Only what changed since then: date or RFC 3339 time.")]


@cli.command()
def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, mails, .zip .gz .bz2 .xz archives.")],
    source: Annotated[str, typer.Option("--source", help="Id of a source in sources.toml, or subscriber:ID.")],
    format_: Annotated[str, typer.Option("--format", help=" ".join(FORMATS) + ".")] = "auto",
    json: Json = False,
) -> None:
    """Bring documents through the door, then let the release rules decide."""
    if format_ not in FORMATS:
        raise typer.BadParameter(f"use one of {', '.join(FORMATS)}", param_hint="--format")
    service = opened(context)
    started = time.monotonic()
    tally = read(service, paths, source, format_)  # type: ignore[arg-type]
    released = workers.apply_rules(service)
    summary = tally.summary(time.monotonic() - started)
    if tally.mistake:
        output.warn(f"a document could not be brought in, and is tried again when it comes again: {tally.mistake}")
    if tally.unexpected:
        stated = ", ".join(sorted(service.settings.source(source).formats))
        output.warn(
            f"read of source {source}: {output.cell(tally.unexpected)}; sources.toml says that it gives {stated}. "
            "Check --source, which decides on label and regime, or add the format to `formats` of that source"
        )
    if json:
        output.line(summary)
        return
    tell(summary, released)


def tell(summary: dict[str, Any], released: int) -> None:
    """What became of documents, for people."""
    counts = ", ".join(f"{summary[name]} {name}" for name in ("new", "updated", "unchanged", "merged"))
    output.say(f"{summary['documents']} documents: {counts}; {summary['held']} held, {summary['refused']} refused")
    if summary["scores"]:
        output.say(f"{summary['scores']} EPSS scores: shown beside the items that name these CVEs, now or later")
    if summary["findings"]:
        output.say(
            "Personal data: " + "; ".join(f"{key}: {output.cell(value)}" for key, value in summary["findings"].items())
        )
    if released:
        output.say(f"{released} released by rule; `oktt dispatch` sends what is due")
    if summary["refused"] or summary["held"]:
        output.say("`oktt refused` says what was refused or held, and why")


def read(service: Service, paths: list[Path], source: str, format_: Format = "auto") -> door.Tally:
    """Every document of some paths through the door."""
    described = service.settings.source(source)
    if described.contributed:
        door.contributor(service, described)
    reader = FilesReader(paths, described, key=service.keys.derive("documents"), clock=service.clock, format=format_)
    tally = door.Tally()
    with output.progress(f"Reading {source}", None) as advance:
        for found in reader.read():
            if isinstance(found, RawDocument):
                tally.add(pipeline.admit(service, found))
            else:
                tally.add(door.unreadable(service, source, found))
            advance()
    door.succeeded(service, source)
    return tally


@cli.command()
def items(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", help="new claimed held pending released declined withdrawn.")
    ] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List items, the newest change first."""
    if state is not None and state not in get_args(State):
        raise typer.BadParameter("use " + ", ".join(get_args(State)), param_hint="--state")
    start = moment(since)
    service = opened(context)
    with service.reading() as connection:
        rows = list(inbox.cards(connection, state=state, since=start, limit=limit))
    if json:
        output.lines(rows)
        return
    columns = ("id", "state", "tlp", "urgency", "kind", "title", "sources", "received_at")
    shown = ([moment_cell(row[name]) if name == "received_at" else row[name] for name in columns] for row in rows)
    output.table(columns, shown, "No items. `oktt ingest PATH --source ID` brings some in.")


@cli.command()
def refused(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 1000,
    json: Json = False,
) -> None:
    """Documents and objects refused or held at the door: stage, reason, JSON path; never a value."""
    service = opened(context)
    with service.reading() as connection:
        rows = list(documents.refused(connection, limit))
    if json:
        output.lines(rows)
        return
    columns = ("at", "source", "origin", "stage", "reason", "path")
    output.table(columns, ([row[name] for name in columns] for row in rows), "Nothing was refused.")


def moment(text: str | None, option: str = "--since") -> Any:
    """A time on the command line, or wrong usage."""
    try:
        return output.when(text)
    except ValueError:
        raise typer.BadParameter("use a date or an RFC 3339 time, 2026-03-02T07:30:00Z", param_hint=option) from None


def moment_cell(value: Any) -> str:
    """A time of a card, which is stored as text."""
    from datetime import datetime

    return output.moment(datetime.fromisoformat(value)) if isinstance(value, str) else output.cell(value)
