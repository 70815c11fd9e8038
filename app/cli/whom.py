"""Commands that ask whom it concerns, and change nothing: audience, why, segments."""

import dataclasses
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from app import audience as asking
from app.cli import output
from app.cli.desk import Item
from app.cli.feeds import MOST
from app.cli.people import profiles_of
from app.cli.root import Json, cli, opened
from filtering import Explanation, Outcome, reach
from normalize import sectors
from subscribers import SubscriberError

NO_CHANNEL = "cannot be reached: no channel that carries it (`channels` of the import)"
STUB = "a stub: that there is a message, and where to read it; no channel of its own is closed to others"
REACHED: tuple[Outcome, ...] = ("deliver", "digest", "quiet")
_ACTIVITY = re.compile(r"\b(?:SBI|NACE):[\w.]+")
_FINDING = frozenset(("network", "domain", "software", "sector"))
"""Criteria that can be more or less sure."""
_SHOWN = 5
"""Segments of a kind, and ids of those whose outcome changes, that people are shown; --json has all."""
_MEANS: dict[Outcome, str] = {
    "deliver": "it gets a message",
    "digest": "it gets it in a digest",
    "quiet": "it gets a message when its quiet hours are over",
    "no-match": "nothing in the profile meets what the item names",
    "tlp": "it would get it, but may not see it",
    "urgency": "it would get it, but asks for what is more urgent",
    "opt-out": "it would get it, but opted out of it",
    "unverified": "only networks or domains that nobody verified meet it: verify them, then import `verified` true",
    "vital": "vital or public, not the target group: an analyst passes it to the NCSC, nothing is sent",
}


@cli.command()
def audience(
    context: typer.Context,
    item: Item,
    limit: Annotated[int, typer.Option("--limit", min=0, max=MOST, help="At most so many subscribers.")] = 20,
    json: Json = False,
) -> None:
    """Who would get it, who not, and why; by segment, and what the last version changed. Nothing is sent."""
    found = asking.audience(opened(context), item, limit)
    match, explained = found.match, found.explained
    counts = {name: len(numbers) for name, numbers in match.outcomes.items() if len(numbers)}
    matched, unreachable, everyone = len(match.audience), len(match.unreachable), sum(counts.values())
    if json:
        first = {"item": item, "matched": matched, "unreachable": unreachable, "outcomes": counts}
        first["stubs"] = len(match.stubs)
        since = None if found.since is None else _since(found.since)
        output.line({**first, "segments": found.segments, "since": since})
        output.lines(told(each) for each in explained)
        return
    output.say(f"{item}: {matched - unreachable} subscribers would get it. " + output.cell(counts))
    if unreachable:
        output.say(f"{unreachable} more would, and {NO_CHANNEL}.")
    if match.stubs:
        output.say(f"{len(match.stubs)} of them would get {STUB}.")
    if everyone:
        _say_segments(found)
    if found.since is not None:
        _say_since(found.since)
    rows = ([each.subscriber, each.outcome + _way(each), deciding(each)] for each in explained)
    if explained or not everyone:
        output.table(("subscriber", "outcome", "because"), rows, "No subscribers yet: `oktt subscribers import FILE`.")
    if len(explained) < everyone:
        output.say(f"and {everyone - len(explained)} more (--limit {everyone} lists all)")


def _way(explained: Explanation) -> str:
    return ", no channel" if explained.unreachable else ", stub" if explained.stub else ""


def _since(since: asking.Since) -> dict[str, Any]:
    changes = [{"from": each.was, "to": each.now, **dataclasses.asdict(each.who)} for each in since.changes]
    comes, goes = dataclasses.asdict(since.comes), dataclasses.asdict(since.goes)
    return {"version": since.version, "comes": comes, "goes": goes, "changes": changes}


def _say_segments(found: asking.Audience) -> None:
    rows = []
    for dimension, by in found.segments.items():
        reached = ((sum(had.get(each, 0) for each in REACHED), value, had) for value, had in by.items())
        rows += [
            [dimension, _with_names(value), count, sum(had.values()), had]
            for count, value, had in sorted(reached, key=lambda each: -each[0])[:_SHOWN]
        ]
    output.table(("segment", "", "matched", "of", "outcomes"), rows, "")
    output.say()


def _say_since(since: asking.Since) -> None:
    output.say(f"Since version {since.version}: {since.comes.count} come, {since.goes.count} go.")
    rows = (
        [each.was, each.now, each.who.count, [*each.who.samples[:_SHOWN], *["..."][: each.who.count > _SHOWN]]]
        for each in since.changes
    )
    output.table(("was", "is now", "subscribers", "such as"), rows, "No outcome changed.")
    output.say()


@cli.command()
def why(
    context: typer.Context,
    item: Item,
    subscriber: Annotated[str | None, typer.Argument(metavar="SUBSCRIBER", help="Id of a subscriber.")] = None,
    profile: Annotated[
        Path | None,
        typer.Option("--profile", help="What if: a file as `subscribers import` reads; nothing of it is stored."),
    ] = None,
    json: Json = False,
) -> None:
    """The decision for one item and one subscriber, criterion by criterion; or for profiles that are not registered."""
    if (subscriber is None) == (profile is None):
        raise typer.BadParameter("give one of the two: the id of a subscriber, or --profile FILE")
    if subscriber is not None:
        found = [asking.explain(opened(context), item, subscriber)]
    else:
        assert profile is not None
        profiles = profiles_of(profile)
        if not profiles:
            raise SubscriberError(f"{profile}: holds no profile: write one as `subscribers import` reads it")
        found = asking.what_if(opened(context), item, profiles)
    if json:
        output.lines(map(told, found))
        return
    for explained in found:
        _say_why(item, explained)


def _say_why(item: str, explained: Explanation) -> None:
    but = f"; but {NO_CHANNEL}" if explained.unreachable else f"; it gets {STUB}" if explained.stub else ""
    output.say(f"{item} -> {explained.subscriber}: {explained.outcome}{but}")
    if not explained.unreachable:
        output.say(f"That means: {_MEANS[explained.outcome]}.")
    rows = (
        [
            "yes" if each.matched else "no",
            each.criterion,
            _with_names(each.value),
            each.confidence if each.matched and each.criterion in _FINDING else "",
            _with_names(each.because),
        ]
        for each in explained.reasons
    )
    output.table(("met", "criterion", "compared", "confidence", "because"), rows, "No criterion applied.")


@cli.command()
def segments(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many of each kind.")] = 20,
    json: Json = False,
) -> None:
    """How many subscribers each sector, product, size, maturity and kind holds, most first."""
    service = opened(context)
    with service.reading() as connection:
        index = service.index(connection)
        everyone, found = len(index), reach.largest(index, limit)
    if json:
        output.lines(found)
        return
    output.say(f"{everyone} subscribers")
    rows = (
        [each.segment, _with_names(each.value), each.subscribers, f"{each.share:.1%}", _versions(each)]
        for each in found
    )
    output.table(("segment", "", "subscribers", "share", "versions"), rows, "Import some: `oktt subscribers import`.")


def _with_names(text: str) -> str:
    """Codes of SBI and NACE with what they are about: `SBI:25.62 (metal products)`."""
    return _ACTIVITY.sub(lambda code: f"{code[0]} ({about})" if (about := sectors.name(code[0])) else code[0], text)


def _versions(product: reach.Segment) -> str:
    """The versions that most use; `?`: the profile states none."""
    first = [f"{version or '?'} {count}" for version, count in product.versions.items()][:_SHOWN]
    return ", ".join([*first, *["..."][: len(product.versions) > _SHOWN]])


def told(explained: Explanation) -> dict[str, Any]:
    """The JSON line of contract.md."""
    reasons = [dataclasses.asdict(each) for each in explained.reasons]
    said = {"subscriber": explained.subscriber, "outcome": explained.outcome, "reasons": reasons}
    return {**said, "unreachable": explained.unreachable, "stub": bool(explained.stub)}


def deciding(explained: Explanation) -> str:
    """The criteria that decided, in one line."""
    reached = explained.outcome in REACHED
    told = [each for each in explained.reasons if not reached or each.criterion in _FINDING | {"general"}]
    chosen = [each for each in told if each.matched is reached] or list(explained.reasons)
    said = (
        f"{each.criterion}: {_with_names(each.value)}" + (f" ({each.because})" if each.because else "")
        for each in chosen[:3]
    )
    return "; ".join(said)
