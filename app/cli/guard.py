"""Commands of the guard itself: scan."""

from collections import Counter
from pathlib import Path
from typing import Annotated, cast

import typer

from app import scanning
from app.cli import output
from app.cli.root import Json, cli
from pii_guard.span import SUSPECT

guard = typer.Typer(no_args_is_help=True, help="The guard by itself: what it would find.")
cli.add_typer(guard, name="guard")


@guard.callback()
def group() -> None:
    """A group, also while it holds one command."""


@guard.command("scan")
def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    format: Annotated[  # noqa: A002 - the name it has on the command line
        str,
        typer.Option(
            "--format", help="auto (by content: JSON, NDJSON, tables, XML, HTML, mail, archives, else text) or text."
        ),
    ] = "auto",
    json: Json = False,
) -> None:
    """What the guard would find in files or folders, and where. Stores nothing, and prints no value."""
    if format not in ("auto", "text"):
        raise typer.BadParameter("use auto or text", param_hint="--format")
    counts: Counter[tuple[str, bool]] = Counter()
    files: dict[str, set[str]] = {}
    for row in scanning.scan_paths(paths, cast(scanning.Layout, format)):
        if isinstance(row, scanning.Unread):
            output.warn(f"{row.file}: {row.reason}")
        elif json:
            output.line(row)
        else:
            counts[row.category, row.confidence >= SUSPECT] += 1
            files.setdefault(row.category, set()).add(row.file)
    if not json:
        rows = ((name, counts[name, True], counts[name, False], len(where)) for name, where in sorted(files.items()))
        output.table(("category", "recognised", "suspicions", "files"), rows, "Nothing personal was found.")
