"""Commands for the data protection officer: audit, legal, purge."""

import sys
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app import AppError, retention
from app.cli import output
from app.cli.feeds import Since, moment
from app.cli.root import Json, cli, opened
from pii_guard import audit as checking
from pii_guard import explaining, journal, policies
from triage import inbox

audit = typer.Typer(no_args_is_help=True, help="The processing register: verify, export, head.")
legal = typer.Typer(no_args_is_help=True, help="What the legal policy decided, and why.")
cli.add_typer(audit, name="audit")
cli.add_typer(legal, name="legal")


@audit.command()
def verify(
    context: typer.Context,
    head: Annotated[
        Path | None, typer.Option("--head", help="A head that was kept elsewhere (- is stdin); else DIR/journal.head.")
    ] = None,
    json: Json = False,
) -> None:
    """Check the register's hash chain, the hashes beside it, and that its end was not cut off."""
    service = opened(context)
    kept = retention.head(service) if head is None else _kept(head)
    with service.reading() as connection:
        report = checking.verify(connection, key=service.keys.derive("journal"), head=kept)
    if json:
        output.line(report)
    elif report.ok:
        output.say(
            f"The register is whole: {report.entries} entries, of which {report.erased} were erased since; "
            f"{report.values} hashes of values stand beside it."
        )
    if not report.ok:
        raise AppError(
            f"the register is not whole: {report.problem}. "
            "Compare with the last backup and tell the data protection officer"
        )


def _kept(file: Path) -> bytes:
    return sys.stdin.buffer.read(10_000) if str(file) == "-" else file.read_bytes()


@audit.command()
def export(context: typer.Context, since: Since = None) -> None:
    """Print the register as NDJSON: what was processed, on which basis, with what result; no values. What names its
    regime has that regime's Woo class."""
    start: datetime | None = moment(since)
    service = opened(context)
    today = service.settings.policy
    with service.reading() as connection:

        @cache
        def woo(digest: str, regime: str) -> str | None:
            policy = today if digest == today.hash else policies.earlier(connection, digest)
            return explaining.woo(policy, regime)

        for row in journal.export(connection, start):
            detail = row["detail"] or {}
            output.line({**row, "woo": woo(detail.get("policy", ""), detail.get("regime", ""))})


@audit.command()
def head(context: typer.Context, json: Json = False) -> None:
    """Print the register's end, signed: keep it where nobody can change it who can write to the database."""
    service = opened(context)
    with service.reading() as connection:
        found = checking.head(connection, key=service.keys.derive("journal"))
    if json:
        output.line({**msgspec.structs.asdict(found), "fingerprint": found.fingerprint})
        return
    output.say(found.text.decode().rstrip())


@legal.command()
def check(context: typer.Context, json: Json = False) -> None:
    """Which rules of the policy await legal review, or have to be reviewed again. Exit code 1 while there are any."""
    service = opened(context)
    rows = explaining.unreviewed(service.settings.policy, service.clock().date())
    if json:
        output.lines(rows)
    else:
        columns = ("regime", "rule", "action", "review", "why")
        output.table(columns, ([row[name] for name in columns] for row in rows), "Every rule was reviewed.")
    if rows:
        raise typer.Exit(1)


@legal.command()
def explain(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of an item.")],
    at: Annotated[str | None, typer.Option("--at", help="Replay under the regime of that date, as a dry run.")] = None,
    json: Json = False,
) -> None:
    """Which rule of which policy version decided what, for each finding in an item."""
    replayed = moment(at, "--at")
    service = opened(context)
    with service.reading() as connection:
        whole = inbox.load(connection, service.guard, item)
        earlier = partial(policies.earlier, connection)
        rows = explaining.explain(whole, service.settings.policy, replayed, service.settings.named, earlier)
    if json:
        output.lines(rows)
        return
    columns = ["category", "role", "action", *(["would"] if at else []), "path", "rule", "basis"]
    shown = ([row.get(name) for name in columns] for row in rows)
    output.table(columns, shown, "No personal data was found in this item.")
    for row in _gated(rows):
        output.say(f"{row['rule']} gives what is gated: " + ", ".join(f"{who} {how}" for who, how in row["to"].items()))
    if replayed is not None:
        differ = sum(row["count"] for row in rows if row["differs"])
        regimes = ", ".join(sorted({row["would_regime"] for row in rows})) or "no regime"
        output.say(f"Under {regimes}, in force on {replayed:%Y-%m-%d}, {differ} of these values would fare otherwise.")


def _gated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each rule that gates."""
    return list({row["rule"]: row for row in rows if "to" in row}.values())


@cli.command()
def purge(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
    json: Json = False,
) -> None:
    """Carry out retention: remove what is older than the legal policy allows, in every store."""
    counts = retention.purge(opened(context), dry_run=dry_run)
    if json:
        output.line(counts)
        return
    output.say(("Would remove: " if dry_run else "Removed: ") + output.cell(counts))
