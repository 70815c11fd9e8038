"""Commands for subscribers and their credentials."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import typer

from app import returning, taking_over, workers
from app.cli import output
from app.cli.feeds import MOST, moment
from app.cli.root import Json, cli, opened
from app.service import Service
from subscribers import Incoming, SubscriberError, importing, registry
from subscribers import Subscriber as Stored
from subscribers.components import repair
from web import auth, ledger
from web.leaving import leave

subscribers = typer.Typer(
    no_args_is_help=True,
    help="Who gets alerts, its software and networks: import, show, list, remove, sbom, software, verify.",
)
credentials = typer.Typer(no_args_is_help=True, help="Credentials for TAXII and the API.")
cli.add_typer(subscribers, name="subscribers")
cli.add_typer(credentials, name="credentials")

Subscriber = Annotated[str, typer.Argument(metavar="ID", help="Id of a subscriber.")]


@subscribers.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON or CSV.")],
    json: Json = False,
) -> None:
    """Add or update subscribers by id, all or nothing; errors name line and field."""
    service = opened(context)
    incoming = profiles_of(file)
    with service.transaction() as connection:
        known = taking_over.take_over(service, connection, incoming)
        counts = registry.upsert(connection, incoming, service.clock())
    workers.open_collections(service)
    broken = sum(bool(repair(line)) for one in incoming for line in one.profile.software)
    if json:
        output.line(counts._asdict() | {"repair": broken} | known._asdict())
        return
    output.say(output.cell({name: count for name, count in counts._asdict().items() if name != "elsewhere"}))
    for old, new in known.taken:
        output.say(f"{old}, who subscribed itself, is {new} from now on, with all that it gave and its log-in.")
    for old, new in known.apart:
        output.say(
            f"{old} subscribed itself with the number of {new}: they stay two, since nothing shows that they are"
        )
        output.say(f"one, or {new} was there before. Call {new}; docs/subscribers.md says how two become one.")
    if counts.elsewhere:
        some = ", ".join(counts.elsewhere[:10]) + (", ..." if len(counts.elsewhere) > 10 else "")
        many = len(counts.elsewhere)
        output.say(f"Mail of {many} goes to an address that they gave at the portal, not to the file's: {some}")
        output.say("`oktt subscribers readdress ID --by WHO` makes the file's count.")
    if broken:
        output.say(f"{broken} lines of software cannot be parsed whole, kept as text and matched as possibly affected.")
        output.say("`oktt subscribers software --repair` lists them.")


def profiles_of(file: Path) -> list[Incoming]:
    """The subscribers of a file. Raises SubscriberError, with the name it was given by."""
    try:
        return importing.read(file)
    except SubscriberError as error:
        raise SubscriberError(f"{file}: {error}") from None


@subscribers.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List subscribers."""
    service = opened(context)
    with service.reading() as connection:
        found = [each for each, _ in zip(registry.every(connection), range(limit), strict=False)]
    if json:
        output.lines(_shown(service, each) for each in found)
        return
    rows = (
        [
            *(each.id, each.name, each.profile.kind, each.profile.size, each.clearance.highest.value),
            *(each.profile.sectors, _software(service, each)),
        ]
        for each in found
    )
    output.table(("id", "name", "kind", "size", "clearance", "sectors", "software"), rows, "No subscribers yet.")


def _shown(service: Service, one: Stored) -> dict[str, Any]:
    """As it is; of its inventories where they came from, when, and whether they are stale."""
    now, days = service.clock(), service.settings.main.desk.software_days
    shown: dict[str, Any] = msgspec.to_builtins(one, enc_hook=str)
    shown["inventories"] = [
        {"name": each.name, "source": each.source, "at": each.at, "products": len(each.software)}
        | {"stale": each.stale(now, days)}
        for each in one.inventories
    ]
    return shown


def _software(service: Service, one: Stored) -> str:
    """How many products, and whether they were stated so long ago that somebody should ask."""
    now, days = service.clock(), service.settings.main.desk.software_days
    stale = [each for each in one.inventories if each.stale(now, days)]
    said = f" ({len(stale)} of {len(one.inventories)} lists older than {days} days)" if stale else ""
    return f"{len(one.profile.software)}{said}"


@subscribers.command()
def show(context: typer.Context, subscriber: Subscriber, json: Json = False) -> None:
    """One subscriber whole."""
    service = opened(context)
    with service.reading() as connection:
        found = registry.get(connection, subscriber)
        silent = {} if found is None else returning.silences(service.keys, connection, found, service.clock())
    if found is None:
        raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    shown = _shown(service, found)
    for channel, why in silent.items():
        shown["contacts"][channel]["silent"] = why
    if json:
        output.line(shown)
        return
    for key, value in {**shown, **shown.pop("profile")}.items():
        if value not in ("", [], None) and key != "profile":
            output.say(f"{key}: {output.cell(value)}")


@subscribers.command()
def readdress(
    context: typer.Context,
    subscriber: Subscriber,
    by: Annotated[str, typer.Option("--by", help="Who decided it.")],
) -> None:
    """Send mail to the address of the import again, not to the one that the subscriber gave at the portal."""
    service = opened(context)
    taking_over.readdress(service, subscriber, by.strip())
    with service.reading() as connection:
        found = registry.get(connection, subscriber)
    mails = found is not None and any(each.type == "email" for each in found.contacts)
    output.say(f"Mail of {subscriber} goes to the address of the import. The one that it gave is told, and logged out.")
    if not mails:
        output.say("The import has none: add an e-mail channel, and import it again.")


@subscribers.command()
def remove(context: typer.Context, subscriber: Subscriber, json: Json = False) -> None:
    """Remove a subscriber: its profile and contacts go, its credentials end."""
    service = opened(context)
    with service.transaction() as connection:
        removed = leave(connection, subscriber, service.clock(), partial(returning.contact_marks, service.keys))
    if not removed:
        raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    service.forget_index()
    if json:
        output.line({"removed": subscriber})
        return
    output.say(f"{subscriber} is removed.")


@credentials.command("create")
def create(
    context: typer.Context,
    subscriber: Subscriber,
    purpose: Annotated[str, typer.Option("--for", help="taxii or api (kept; opens nothing yet).")],
    expires: Annotated[str | None, typer.Option("--expires", help="Until then: date or RFC 3339 time.")] = None,
    json: Json = False,
) -> None:
    """Make credentials and print them, once: only a hash of them is stored."""
    if purpose not in ("taxii", "api"):
        raise typer.BadParameter("use taxii or api", param_hint="--for")
    until: datetime | None = moment(expires, "--expires")
    service = opened(context)
    if until is not None and until <= service.clock():
        raise typer.BadParameter("use a time to come: these would open nothing", param_hint="--expires")
    with service.transaction() as connection:
        if registry.get(connection, subscriber) is None:
            raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
        meant = cast(Literal["taxii", "api"], purpose)
        made = auth.create(connection, subscriber, meant, service.clock(), expires_at=until)
    if json:
        output.line(made)
        return
    output.say(f"user:     {made['user']}\npassword: {made['password']}\ntoken:    {made['token']}")
    output.say("Keep them now: they are shown this once. TAXII takes user and password (Basic) or the token (Bearer).")


@credentials.command("list")
def listed(
    context: typer.Context,
    subscriber: Annotated[str | None, typer.Argument(metavar="ID", help="Id of a subscriber; all without.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List credentials: for what, made when, until when, last used, revoked. Never the secrets."""
    service = opened(context)
    with service.reading() as connection:
        if subscriber is not None and registry.get(connection, subscriber) is None:
            raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
        rows = [dict(row._mapping) for row in auth.of(connection, subscriber, limit)]
    if json:
        output.lines(rows)
        return
    columns = ("subscriber", "id", "purpose", "created_at", "expires_at", "last_used_at", "revoked_at")
    none = "No credentials: `oktt credentials create` makes them."
    output.table(columns, ([row[name] for name in columns] for row in rows), none)


@credentials.command()
def revoke(context: typer.Context, subscriber: Subscriber, json: Json = False) -> None:
    """End all credentials of a subscriber."""
    service = opened(context)
    with service.transaction() as connection:
        count = auth.revoke(connection, subscriber, service.clock())
        known = count or registry.get(connection, subscriber) is not None
    if not known:
        raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    if json:
        output.line({"subscriber": subscriber, "revoked": count})
        return
    output.say(f"{count} credentials of {subscriber} end now.")


@credentials.command()
def requests(
    context: typer.Context,
    subscriber: Subscriber,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """What a subscriber's credentials asked last, and why it was refused."""
    service = opened(context)
    with service.reading() as connection:
        known = auth.of(connection, subscriber)
        rows = ledger.last(connection, [each.id for each in known], limit)
        if not known and registry.get(connection, subscriber) is None:
            raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    if json:
        output.lines(rows)
        return
    columns = ("name", "at", "credential", "method", "route", "collection", "status", "reason", "objects")
    none = "No requests." if known else f"{subscriber} has no credentials: `oktt credentials create` makes them."
    output.table(columns, ([row[name] for name in columns] for row in rows), none)
