"""Commands for what goes out: dispatch, digest."""

import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, cast

import typer
from msgspec import structs

from app import AppError, answering, digests, editing, proving, workers
from app.cli import output
from app.cli.root import Json, cli, opened
from dispatch import fanout
from dispatch.editions import Edition
from dispatch.editorials import LABELS
from tlp import Label

MANY = 30
"""Checks that are shown one by one; of more, those that do not hold."""


@cli.command()
def dispatch(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due; send nothing.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Also what still waits in its undo window.")] = False,
    json: Json = False,
) -> None:
    """Send what is due, once."""
    service = opened(context)
    if dry_run:
        due = workers.due(service, now=now)
        output.line({"due": due}) if json else output.say(f"{due} messages are due.")
        return
    workers.apply_rules(service)
    counts = workers.dispatch(service, now=now, progress=output.progress)
    with service.reading() as connection:
        waves = fanout.waves(connection, service.clock())
    if json:
        output.line(counts | ({"waves": [each._asdict() for each in waves]} if waves else {}))
        return
    output.say(", ".join(f"{count} {name}" for name, count in counts.items()))
    for each in waves:
        opens = output.moment(each.opens_at)
        output.say(
            f"{each.item}: {each.waiting} more in waves, the next at {opens}; `oktt hold {each.item}` stops them."
        )
    if not now and (waiting := workers.due(service, now=True) - workers.due(service)):
        minutes = service.settings.main.desk.undo_minutes
        output.say(f"{waiting} wait in their undo window of {minutes} minutes; `oktt dispatch --now` sends them too.")
    if counts["sent"] and service.settings.main.smtp is None:
        output.say(f"E-mail is in {service.settings.dir / 'outbox'} as .eml files ([smtp] in oktt.toml sends it).")


@cli.command()
def digest(
    context: typer.Context,
    edition: Annotated[str, typer.Option("--edition", help="monday or friday.")],
    day: Annotated[str, typer.Option("--date", help="The day of the edition, YYYY-MM-DD.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would hold; queue nothing.")] = False,
    json: Json = False,
) -> None:
    """Build and queue an edition; running it again changes nothing."""
    named, on = _edition(edition, day)
    service = opened(context)
    counts = digests.build(service, named, on, dry_run=dry_run)
    if json:
        output.line(counts)
        return
    output.say(output.cell(counts))


def _edition(edition: str, day: str) -> tuple[Edition, date]:
    if edition not in ("monday", "friday"):
        raise typer.BadParameter("use monday or friday", param_hint="--edition")
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise typer.BadParameter("use YYYY-MM-DD", param_hint="--date") from None
    if on.isoweekday() != (1 if edition == "monday" else 5):
        raise typer.BadParameter(f"that day is no {edition.capitalize()}", param_hint="--date")
    return cast(Edition, edition), on


@cli.command()
def editorial(
    context: typer.Context,
    edition: Annotated[str, typer.Option("--edition", help="monday or friday.")],
    day: Annotated[str, typer.Option("--date", help="The day of the edition, YYYY-MM-DD.")],
    by: Annotated[str, typer.Option("--by", help="Who decides: your name as the desk knows it.")] = "",
    text: Annotated[Path | None, typer.Option("--text", help="The introduction: a file, - is stdin.")] = None,
    first: Annotated[list[str] | None, typer.Option("--first", help="Item that comes first; repeatable.")] = None,
    tlp: Annotated[str, typer.Option("--tlp", help="Of the introduction: CLEAR or GREEN.")] = "CLEAR",
    language: Annotated[str, typer.Option("--language", help="Of the introduction: nl or en.")] = "nl",
    approve: Annotated[str, typer.Option("--approve", help="The second pair of eyes: the mark of what was read.")] = "",
    json: Json = False,
) -> None:
    """Write an edition's introduction and say what comes first, approve that, or see what there is."""
    named, on = _edition(edition, day)
    if tlp.upper() not in {label.value for label in LABELS}:
        raise typer.BadParameter("use CLEAR or GREEN: what is stricter is an item (`oktt compose`)", param_hint="--tlp")
    if language not in ("nl", "en"):
        raise typer.BadParameter("use nl or en", param_hint="--language")
    service = opened(context)
    if approve:
        editing.approve(service, named, on, approve, by)
    elif text is not None or first:
        said = "" if text is None else sys.stdin.read(20_000) if str(text) == "-" else text.read_text("utf-8")
        for doubt in editing.write(service, named, on, said, Label(tlp.upper()), language, tuple(first or ()), by):
            output.warn(f"perhaps personal data: {doubt}")
    found = editing.written(service, named, on)
    if json:
        output.line({"edition": f"{edition}/{on}", **(asdict(found) | {"mark": found.mark} if found else {})})
    elif found is None:
        output.say(f"{edition}/{on} has no introduction and no order of its own.")
    else:
        state = (
            f"approved by {found.approved_by}"
            if found.approved_by
            else f"waits for a second person (--approve {found.mark})"
        )
        output.say(f"{edition}/{on}, TLP:{found.label}, by {found.by}: {state}.")
        output.say("First: " + (", ".join(found.first) or "as it comes"))
        output.say(found.text)


@cli.command()
def prove(
    context: typer.Context,
    delivery: Annotated[
        str,
        typer.Argument(help="Id of a message (the name of its .eml) or of a request (`oktt credentials requests`)."),
    ],
    json: Json = False,
) -> None:
    """Decide once more, from what is stored, that a message or a TAXII answer could leave, and what was in it."""
    service = opened(context)
    proof = answering.prove(service, delivery) or proving.prove(service, delivery)
    if json:
        output.line({"ok": proof.ok, **structs.asdict(proof)})
    else:
        label = f", {proof.label}; released by {', '.join(proof.by) or 'unknown'}" if proof.label else ""
        output.say(f"{proof.subject} to {proof.subscriber}{label}")
        shown = proof.checks if len(proof.checks) <= MANY else [each for each in proof.checks if not each.ok]
        for check in shown:
            mark = {True: "holds", False: "FAILS", None: "cannot be told"}[check.ok]
            output.say(f"  {mark}: {check.what}: {check.said}")
        if others := len(proof.checks) - len(shown):
            output.say(f"  {others} {'others ' if shown else ''}hold (--json names them)")
    if not proof.ok:
        raise AppError(
            "what is stored does not bear it out: tell the data protection officer, and compare with a backup"
        )
