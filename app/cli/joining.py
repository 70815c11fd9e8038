"""Commands that say whether it is one threat or two: merge, split."""

import getpass
from typing import Annotated

import typer

from app import desk
from app.cli import output
from app.cli.desk import By, Item, Reason
from app.cli.root import Json, cli, opened
from triage.joining import Word


@cli.command()
def merge(
    context: typer.Context,
    item: Item,
    other: Annotated[str, typer.Argument(metavar="ITEM", help="Id of another item.")],
    by: By,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Say that two items are one threat. What is out stays out under the one that stays; `split` undoes it."""
    survivor, taken = desk.merge(opened(context), item, other, Word(by, getpass.getuser(), reason))
    if json:
        output.line({"item": survivor, "took_in": taken})
        return
    output.say(f"{survivor} took in {taken}: who got that one is told what becomes of {survivor}.")


@cli.command()
def split(
    context: typer.Context,
    item: Item,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Id of the source that speaks of another threat.")],
    by: By,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Say that what a source says of an item is another threat: it becomes an item of its own; `merge` undoes it."""
    target = desk.split(opened(context), item, source, Word(by, getpass.getuser(), reason))
    if json:
        output.line({"item": item, "split": target})
        return
    output.say(f"What {source} says is {target} now; no document joins it with {item} again.")
