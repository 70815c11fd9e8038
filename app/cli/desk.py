"""Commands of the analysts' desk: claim hold decline release approve withdraw, compose."""

import getpass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from msgspec import structs

from app import desk
from app.cli import output
from app.cli.root import Json, cli, opened
from normalize import Urgency
from tlp import Label
from triage import Act
from triage.cases import Request

Item = Annotated[str, typer.Argument(metavar="ITEM", help="Id of an item, OKTT-2026-0412.")]
By = Annotated[str, typer.Option("--by", help="Who decides: your name as the desk knows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the item's history.")]


def _asked(act: Act, item: str, by: str, reason: str = "", **more: Any) -> Request:
    return Request(act, item, by, getpass.getuser(), reason, **more)


@cli.command()
def claim(context: typer.Context, item: Item, by: By, reason: Reason = "", json: Json = False) -> None:
    """Take an item on: others see that you work on it."""
    _decide(context, _asked("claim", item, by, reason), json)


@cli.command()
def hold(context: typer.Context, item: Item, by: By, reason: Reason = "", json: Json = False) -> None:
    """Keep an item from going out until somebody decides. Needs --reason."""
    _decide(context, _asked("hold", item, by, reason), json)


@cli.command()
def decline(context: typer.Context, item: Item, by: By, reason: Reason = "", json: Json = False) -> None:
    """Decide that an item does not go out. Needs --reason."""
    _decide(context, _asked("decline", item, by, reason), json)


@cli.command()
def release(
    context: typer.Context,
    item: Item,
    by: By,
    reason: Reason = "",
    tlp: Annotated[str | None, typer.Option("--tlp", help="A stricter label: GREEN AMBER AMBER+STRICT RED.")] = None,
    urgency: Annotated[str | None, typer.Option("--urgency", help="today this-week info.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Subscriber to whom the source consents to pass on RED or AMBER+STRICT; repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Release an item to its audience; a large one then waits for `approve` by somebody else.

    Of what is held or was declined it needs --reason, and of text of your own that is hard to read.
    """
    if tlp is not None and tlp.upper() not in {label.value for label in Label}:
        raise typer.BadParameter("use CLEAR, GREEN, AMBER, AMBER+STRICT or RED", param_hint="--tlp")
    if urgency is not None and urgency not in get_args(Urgency):
        raise typer.BadParameter("use today, this-week or info", param_hint="--urgency")
    label = None if tlp is None else Label(tlp.upper())
    _decide(context, _asked("release", item, by, reason, tlp=label, urgency=urgency, to=tuple(to or ())), json)


@cli.command()
def approve(context: typer.Context, item: Item, by: By, reason: Reason = "", json: Json = False) -> None:
    """The second pair of eyes: approve a release that waits for it."""
    _decide(context, _asked("approve", item, by, reason), json)


@cli.command()
def withdraw(context: typer.Context, item: Item, by: By, reason: Reason = "", json: Json = False) -> None:
    """Take a released item back: stop what waits, tell those who got it, revoke it on TAXII. Needs --reason."""
    _decide(context, _asked("withdraw", item, by, reason), json)


@cli.command()
def compose(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Markdown with a TOML head between lines of +++.")],
    by: By,
    json: Json = False,
) -> None:
    """Bring in an item that you wrote yourself, or its new version; it then waits at the desk like any other."""
    from app import composing

    done = composing.compose(opened(context), file, by, getpass.getuser())
    if json:
        output.line(structs.asdict(done))
        return
    output.say(f"{done.item}: {done.effect}; it is {done.state}.")
    for fault in done.lint:
        output.say(f"  its message: {fault}")
    if done.holds:
        output.say(f"Held: {', '.join(done.holds)} (`oktt item {done.item}`).")
    elif done.state != "released":
        output.say(
            f"`oktt audience {done.item}` says who would get it, `oktt release {done.item} --by WHO` releases it."
        )


def _decide(context: typer.Context, request: Request, json: bool) -> None:
    done = desk.decide_on(opened(context), request)
    if json:
        output.line(
            {"item": request.item, "act": request.act, "state": done.state, "queued": done.queued, "lint": done.lint}
        )
        return
    output.say(f"{request.item} is {done.state}.")
    for fault in done.lint:
        output.say(f"  its message: {fault}")
    if done.state == "pending":
        output.say(f"Its audience needs a second person: `oktt approve {request.item} --by WHO`.")
    if done.queued:
        output.say(f"{done.queued} messages queued; `oktt dispatch` sends what is due.")
