"""Commands for what became of messages: effect, answers, calls."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
import typer

from app import effect as measuring
from app import following
from app.cli import output
from app.cli.feeds import MOST, Since, moment
from app.cli.root import Json, cli, opened
from app.cli.sources import span
from dispatch import feedback
from triage import inbox

DAYS = timedelta(days=90)


@cli.command()
def effect(context: typer.Context, since: Since = None, json: Json = False) -> None:
    """What was sent, delivered, opened, answered and handled, how soon, and how late it was; the last 90 days."""
    service = opened(context)
    rows, late = measuring.effect(service, moment(since) or service.clock() - DAYS)
    if json:
        output.lines(rows)
        output.line({"by": "lateness", **msgspec.to_builtins(late)} if late else {"by": "lateness", "count": 0})
        return
    counts = ("sent", "delivered", "opened", "answered", "handled", "median_hours")
    shown = ([each.by, each.value, *_counts(each, counts)] for each in rows)
    output.table(("by", "", *counts), shown, "Nothing was sent.")
    if rows and rows[0].passed_on is not None:
        output.say(f"Partnerships passed messages on to {rows[0].passed_on} members.")
    if rows and rows[0].readers is not None:
        output.say(f"What partnerships passed on was read in {rows[0].readers} browsers, as somebody said there.")
    if late:
        output.say(f"From the source to the inbox: {span(late.median)} (90%: {span(late.p90)}), {late.count} messages.")


def _counts(each: measuring.Effect, names: tuple[str, ...]) -> list[Any]:
    if each.sent is None:
        return ["not told", *[""] * (len(names) - 1)]
    return [getattr(each, name) for name in names]


@cli.command()
def answers(context: typer.Context, item: Annotated[str, typer.Argument(help="Its id.")], json: Json = False) -> None:
    """What recipients of an item say became of it: the newest answer of each."""
    service = opened(context)
    with service.reading() as connection:
        inbox.row(connection, item)
        given = feedback.answers(connection, item)
    if json:
        output.lines(given)
        return
    rows = ([each.subscriber, each.answer, each.at, each.passed_on] for each in given)
    output.table(("subscriber", "answer", "at", "passed on to"), rows, "Nobody has answered yet.")


@cli.command()
def calls(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """Whom to call: who needs help, and who did not answer the reminder. The most urgent first."""
    found = following.calls(opened(context), limit)
    if json:
        output.lines(found[:limit])
        return
    rows = ([each.subscriber, each.item, each.urgency, each.why, each.since] for each in found[:limit])
    output.table(("subscriber", "item", "urgency", "why", "since"), rows, "Nobody has to be called.")
    if len(found) > limit:
        output.say(f"and {len(found) - limit} more (--limit)")
