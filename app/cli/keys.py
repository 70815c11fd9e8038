"""Commands for the keys of the vault."""

import re
from typing import Annotated

import typer

from app import AppError, vaulting
from app.cli import output
from app.cli.root import Json, cli, opened

keys = typer.Typer(no_args_is_help=True, help="The keys under which gated personal data lie sealed.")
cli.add_typer(keys, name="keys")
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])").fullmatch


@keys.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """Which keys there are, of which source and month of receipt, and when all that they seal is over."""
    for row in vaulting.listed(opened(context)):
        if json:
            output.line(row)
        else:
            source = row["source"] or "a source of earlier times"
            output.say(f"{row['month']}  {source}  generation {row['generation']}, until {row['until']:%Y-%m-%d}")


@keys.command()
def rotate(
    context: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Of this source alone.")] = None,
    month: Annotated[str | None, typer.Option("--month", help="Received in this month alone, as 2026-03.")] = None,
    json: Json = False,
) -> None:
    """Seal under new keys and destroy the old ones: what backups hold of it opens no more. Nothing takes that back."""
    if month is not None and _MONTH(month) is None:
        raise typer.BadParameter("write it as 2026-03", param_hint="--month")
    service = opened(context)
    every = {(row["source"], row["month"]) for row in vaulting.listed(service) if row["source"]}
    chosen = [each for each in sorted(every) if source in (None, each[0]) and month in (None, each[1])]
    if not chosen:
        raise AppError("nothing lies sealed of that source and month: `oktt keys list` says what does")
    for each in chosen:
        done = vaulting.rotate(service, *each)
        if json:
            output.line(done)
        else:
            output.say(f"{done.month}  {done.source}: {done.statements} statements, {done.versions} earlier versions")
