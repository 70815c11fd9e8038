"""What an analyst takes as proven: networks and domains of subscribers."""

from typing import Annotated

import msgspec
import typer

from app.cli import output
from app.cli.people import Subscriber as Id
from app.cli.people import subscribers
from app.cli.root import Json, opened
from app.service import Service
from subscribers import Claim, SubscriberError, proofs, registry
from triage import decide


@subscribers.command()
def verify(
    context: typer.Context,
    subscriber: Id,
    network: Annotated[list[str], typer.Option("--network", help="Prefix, address or AS number. Repeatable.")] = [],  # noqa: B006
    domain: Annotated[list[str], typer.Option("--domain", help="Domain. Repeatable.")] = [],  # noqa: B006
    by: Annotated[str, typer.Option("--by", help="Who saw the proof.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="They are proven no longer.")] = False,
    json: Json = False,
) -> None:
    """What a subscriber says it holds, and what of that is proven; or take it as proven, by hand."""
    wanted = [*network, *domain]
    if bool(wanted) is not bool(by.strip()):
        raise typer.BadParameter("name --network or --domain, and --by who saw the proof; or none of these to list")
    service = opened(context)
    if wanted:
        _take(service, subscriber, [proofs.named(each) for each in wanted], by.strip(), proven=not withdraw)
    _list(service, subscriber, json=json)


def _take(service: Service, subscriber: str, names: list[str], by: str, *, proven: bool) -> None:
    decide.may(service.settings.main.desk, by)
    now = service.clock()
    with service.transaction() as connection:
        known = {each.what: each for each in registry.own(connection, subscriber).claims}
        for name in names:
            claim = known.get(name, Claim(name, now))
            made = {"proven_at": now, "by": by} if proven else {"proven_at": None, "by": ""}
            registry.claim(connection, subscriber, msgspec.structs.replace(claim, checked_at=now, **made), now)


def _list(service: Service, subscriber: str, *, json: bool) -> None:
    with service.reading() as connection:
        found = registry.get(connection, subscriber)
    if found is None:
        raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    old = {each.what for each in proofs.old(found.claims, service.clock())}
    columns = ("what", "at", "proven_at", "by", "checked_at")
    rows = [{name: getattr(each, name) for name in columns} | {"old": each.what in old} for each in found.claims]
    if json:
        output.lines(rows)
        return
    shown = ([row[name] for name in (*columns, "old")] for row in rows)
    output.table((*columns, "old"), shown, "It named no networks or domains itself.")
