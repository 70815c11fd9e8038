"""Commands for live sources and where each source stands: poll, sources."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer

from app import polling, workers
from app.cli import output
from app.cli.feeds import tell
from app.cli.root import Json, cli, opened
from app.door import Tally
from dispatch import lateness
from ingest import CONTRIBUTED, OWN, Source
from ingest.cursors import Standing, overview
from triage import documents

MEASURED = timedelta(days=30)


@cli.command()
def poll(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Ids of live sources: these, due or not.")
    ] = None,
    json: Json = False,
) -> None:
    """Read the live sources that are due (all named ones, due or not), then let the release rules decide."""
    service = opened(context)
    chosen = polling.live(service, names) if names else polling.due(service)
    started = time.monotonic()
    with output.progress("Polling", None) as advance, polling.Poller(service, advance) as poller:
        poller.start(chosen)
        ended = poller.work()
    released = workers.apply_rules(service)
    whole = Tally()
    for each in ended:
        whole.add(each.tally)
    summary = whole.summary(time.monotonic() - started)
    if json:
        rows = [{"source": each.source, **each.tally.summary(0), "error": each.error or None} for each in ended]
        dropped = ("findings", "unexpected", "seconds")
        sources_ = [{key: value for key, value in row.items() if key not in dropped} for row in rows]
        output.line({**summary, "sources": sources_})
        return
    if not chosen:
        output.say("No live source is due; `oktt sources` says when, `oktt poll SOURCE` does not wait.")
        return
    for each in ended:
        output.say(f"{each.source}: {each.error.removeprefix(f'{each.source}: ') or 'read to its end'}")
    tell(summary, released)


@cli.command()
def sources(context: typer.Context, json: Json = False) -> None:
    """Every source: last success, lag, counts, error, when it is read next, and how late what it says is."""
    service = opened(context)
    now = service.clock()
    with service.reading() as connection:
        standing = {each.source: each for each in overview(connection)}
        counts = documents.counts(connection)
        late = lateness.measured(connection, now - MEASURED)
    rows = []
    beside = [each for each in sorted(standing) if each == OWN or each.startswith(CONTRIBUTED)]
    for source in (service.settings.sources | {each: service.settings.source(each) for each in beside}).values():
        found = standing.get(source.id, Standing(source.id))
        items, refused = counts.get(source.id, (0, 0))
        regime = service.settings.policy.regime(source, now)
        row = _row(source, found, now) | {"regime": regime, "items": items, "refused": refused}
        rows.append(row | {"lateness": msgspec.to_builtins(late.get(source.id, {}))})
    if json:
        output.lines(rows)
        return
    columns = ("source", "kind", "tlp", "last_success", "due_at", "documents", "items", "refused", "lateness", "error")
    shown = ([_spans(row[name]) if name == "lateness" else row[name] for name in columns] for row in rows)
    output.table(columns, shown, "sources.toml names no source")


def _row(source: Source, found: Standing, now: datetime) -> dict[str, Any]:
    lag = None if found.last_success is None else round((now - found.last_success).total_seconds())
    return {
        "source": source.id,
        "name": source.name,
        "kind": source.kind,
        "tlp": source.tlp.value,
        "last_success": found.last_success,
        "lag_seconds": lag,
        "due_at": (found.due_at or now) if source.feed is not None else None,
        "documents": found.documents,
        "last_document_at": found.last_document_at,
        "last_source_time": found.last_source_time,
        "error": found.error or None,
        "last_error": found.last_error,
        "failures": found.failures,
    }


def _spans(legs: dict[str, dict[str, float]]) -> str:
    """`received 5m (90%: 2h), released 30s (90%: 1m)`."""
    return ", ".join(f"{leg} {span(each['median'])} (90%: {span(each['p90'])})" for leg, each in legs.items())


def span(seconds: float) -> str:
    """A length of time in its largest unit: `45s`, `12m`, `3h`, `2d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{round(seconds / size)}{unit}"
    return f"{round(seconds)}s"
