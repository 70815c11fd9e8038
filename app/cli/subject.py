"""Commands for a data subject's request: subject find, subject erase (AVG art. 15 and 17)."""

import sys
from typing import Annotated

import typer

from app.cli import output
from app.cli.root import Json, cli, opened
from pii_guard import GuardError
from pii_guard.forms import TYPES
from pii_guard.sought import Sought

commands = typer.Typer(no_args_is_help=True, help="A data subject's request: find, erase.")
cli.add_typer(commands, name="subject")

Kind = Annotated[str, typer.Argument(metavar="TYPE", help=" ".join(TYPES) + ".")]
Value = Annotated[
    str, typer.Argument(metavar="VALUE", help="- reads it from stdin, so that no history of a shell has it.")
]


@commands.command()
def find(context: typer.Context, type_: Kind, value: Value, json: Json = False) -> None:
    """Where this value lies or was processed, on which basis, and to whom it went. Prints where, never what."""
    from app import subject

    found = subject.find(opened(context), _sought(type_, value))
    if json:
        output.lines(found)
        return
    columns = ("store", "id", "at", "source", "basis", "until", "places")
    rows = ([each.get(name) for name in columns] for each in found)
    output.table(columns, rows, "Nothing of it is here, nor in what the register remembers.")
    told = {one["subscriber"] for each in found for one in each.get("recipients", ())}
    if told:
        output.say(f"Messages about it went to: {output.cell(sorted(told))}")


@commands.command()
def erase(
    context: typer.Context,
    type_: Kind,
    value: Value,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Nobody is asked where there is no terminal.")] = False,
    json: Json = False,
) -> None:
    """Take this value out of every store, and out of what was made of them. What cannot go is listed, with why."""
    from app import subject

    sought = _sought(type_, value)
    service = opened(context)
    if sys.stdin.isatty() and not yes:
        places = len(subject.find(service, sought))
        typer.confirm(f"It stands in {places} places. Erase it for good?", abort=True, err=True)
    made = subject.erase(service, sought)
    if json:
        output.line({"erased": made.counts, "left": made.left})
        return
    output.say(f"Erased: {output.cell(made.counts)}" if made.counts.total() else "Nothing of it had to be erased.")
    for each in made.left:
        output.say(f"Left: {each['store']} {output.cell(each['id'])}: {each['why']}")


def _sought(type_: str, value: str) -> Sought:
    if type_ not in TYPES:
        raise typer.BadParameter("use one of " + ", ".join(TYPES), param_hint="TYPE")
    try:
        return Sought(type_, sys.stdin.readline().strip() if value == "-" else value)
    except GuardError as error:
        raise typer.BadParameter(str(error), param_hint="VALUE") from None
