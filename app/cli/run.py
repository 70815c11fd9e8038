"""Commands that set up, run and try the service: init, doctor, run, serve, demo, bench."""

from pathlib import Path
from typing import Annotated

import typer

from app import AppError
from app.cli import output
from app.cli.root import Json, cli, opened
from app.service import make


@cli.command()
def init(context: typer.Context, json: Json = False) -> None:
    """Write the default configuration (never overwrites) and create or upgrade the database."""
    folder: Path = context.obj
    made = make(folder)
    if json:
        output.line({"dir": str(folder), "made": made})
        return
    output.say(f"{folder} is ready" + (f": made {', '.join(made)}." if made else "; nothing had to be made."))
    output.say("Next: `oktt subscribers import FILE`, `oktt ingest PATH --source ID`, `oktt dispatch`.")


@cli.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """Check configuration, database, keys, SMTP, clock and live sources (also: are they late?); say what to do."""
    from app import checks

    results = checks.examine(context.obj)
    if json:
        output.lines(results)
    else:
        shown = {"ok": "ok", "warning": "warning", "fault": "NOT OK"}
        rows = ([shown[each["status"]], each["what"], each["says"]] for each in results)
        output.table(("", "what", "finding"), rows, "")
    if not all(each["ok"] for each in results):
        raise AppError("something is not in order; see above")


Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Listen here instead of `[web] port`; 0 = any free port.")
]


@cli.command()
def serve(context: typer.Context, port: Port = None) -> None:
    """The web alone: pages for people, TAXII 2.1, feed, health and metrics.

    /portal/ (subscribe, log in), /portal/berichten/ (what everybody may read), /verify (is a message ours?),
    /a/ (answers), /u/ (one-click stop), /f/ (what partnerships passed on), /taxii2/, /feed.atom, /healthz,
    /readyz, /metrics.
    """
    from app import website

    website.serve(opened(context), port, announce=output.say)


@cli.command()
def run(context: typer.Context, port: Port = None) -> None:
    """Everything: live sources, folders, door, rules, dispatch, digests, retention, web. Stops on Ctrl-C."""
    from app import website, workers

    service = opened(context)
    with workers.background(service):
        website.serve(service, port, announce=output.say)


@cli.command()
def demo(context: typer.Context) -> None:
    """Play a week at the service on embedded defaults in var/demo, and print what came of it."""
    from app import demo as week

    folder: Path = context.obj
    week.play(folder if folder != Path("var") else Path("var/demo"))


@cli.command()
def bench(json: Json = False) -> None:
    """Measure against a peer in the same run: the door against stix2.parse, events to outbox."""
    try:
        from benchmarks import table
    except ImportError:
        raise AppError("the benchmarks come with the repository: run `make bench` in a clone") from None

    rows = table.measure()
    if json:
        output.lines(rows)
        return
    columns = ("what", "ours", "peer", "ratio", "aim")
    output.table(columns, ([row[name] for name in columns] for row in rows), "")
