"""Commands for the software that a subscriber has in use: sbom, software."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.cli import output
from app.cli.people import Subscriber as Id
from app.cli.people import subscribers
from app.cli.root import Json, opened
from app.service import Service
from subscribers import (
    Inventory,
    InventorySource,
    Software,
    Subscriber,
    SubscriberError,
    importing,
    inventories,
    registry,
)
from subscribers.checks import FieldError, software
from subscribers.components import repair
from subscribers.inventories import Difference

HAND = "hand"
_SHOWN = 20
"""Lines of each kind that people are shown; `--json` gives all."""


@subscribers.command("sbom")
def sbom(
    context: typer.Context,
    subscriber: Id,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CycloneDX, SPDX or a CSV inventory; may be packed.")],
    name: Annotated[str, typer.Option("--as", help="Of this list, where there are several: server-1.")] = "",
    json: Json = False,
) -> None:
    """Take software over from an SBOM or inventory; again, only what differs. Nothing else of the file is kept."""
    service = opened(context)
    try:
        listing = inventories.read(file)
    except SubscriberError as error:
        raise SubscriberError(f"{file}: {error}") from None
    name = _name(name or listing.source, listing.source)
    found, change = _stock(service, subscriber, Inventory(name, listing.source, service.clock(), listing.software))
    _tell(subscriber, found, change, json=json)


@subscribers.command("software")
def software_(
    context: typer.Context,
    subscriber: Annotated[
        str | None, typer.Argument(metavar="ID", help="Id of a subscriber; --repair does without.")
    ] = None,
    add: Annotated[
        list[str], typer.Option("--add", metavar="PRODUCT", help="vendor|product|version, CPE or purl.")
    ] = [],  # noqa: B006
    drop: Annotated[list[str], typer.Option("--drop", metavar="PRODUCT", help="One that was added so.")] = [],  # noqa: B006
    forget: Annotated[str, typer.Option("--forget", metavar="LIST", help="Forget a list: sbom, csv, server-1.")] = "",
    faulty: Annotated[bool, typer.Option("--repair", help="Only what cannot be parsed.")] = False,
    json: Json = False,
) -> None:
    """Software of a subscriber, where it came from and when; or change by hand what it has."""
    service = opened(context)
    if subscriber is None:
        if not faulty or add or drop or forget:
            raise typer.BadParameter("give the id of a subscriber; only --repair does without")
        return _listed_for_repair(service, json=json)
    if forget:
        found, change = _forget(service, subscriber, forget)
        return _tell(subscriber, found, change, json=json)
    if add or drop:
        found, change = _by_hand(service, subscriber, [_line(each) for each in add], [_line(each) for each in drop])
        return _tell(subscriber, found, change, json=json)
    with service.reading() as connection:
        known = registry.get(connection, subscriber)
    if known is None:
        raise SubscriberError(f"there is no subscriber {subscriber}: `oktt subscribers list` lists them")
    days = service.settings.main.desk.software_days
    rows = [row for row in _rows(known, service.clock(), days) if row["repair"] or not faulty]
    if json:
        return output.lines(rows)
    for each in known.inventories:
        stale = f": older than {days} days, ask for a new one" if each.stale(service.clock(), days) else ""
        output.say(f"{each.name} ({each.source}, {output.moment(each.at)}){stale}")
    columns = ("vendor", "product", "version", "cpe", "purl", "list", "repair")
    empty = "Nothing to repair." if faulty else "No software yet."
    output.table(columns, ([row[column] for column in columns] for row in rows), empty)
    return None


def _listed_for_repair(service: Service, *, json: bool) -> None:
    """Of every subscriber what waits for repair."""
    now, days = service.clock(), service.settings.main.desk.software_days
    with service.reading() as connection:
        rows = (
            {"subscriber": known.id, **row}
            for known in registry.every(connection)
            for row in _rows(known, now, days)
            if row["repair"]
        )
        if json:
            output.lines(rows)
            return
        columns = ("subscriber", "vendor", "product", "version", "cpe", "purl", "list", "repair")
        output.table(columns, ([row[column] for column in columns] for row in rows), "Nothing to repair.")


def _rows(known: Subscriber, now: datetime, days: int) -> Iterator[dict[str, Any]]:
    """Each line of software once for each list that has it; `list` null: the operator's profile."""
    given = {line for each in known.inventories for line in each.software}
    rest = [line for line in known.profile.software if line not in given]
    for line in rest:
        yield _row(line) | {"list": None, "source": "profile", "at": None, "stale": False}
    for each in known.inventories:
        origin = {"list": each.name, "source": each.source, "at": each.at, "stale": each.stale(now, days)}
        for line in each.software:
            yield _row(line) | origin


def _row(line: Software) -> dict[str, Any]:
    return {**msgspec.structs.asdict(line), "repair": repair(line) or None}


def _stock(service: Service, subscriber: str, inventory: Inventory) -> tuple[Inventory, Difference]:
    with service.transaction() as connection:
        before = registry.stock(connection, subscriber, inventory, service.clock())
    return inventory, inventories.difference(before.software if before else (), inventory.software)


def _forget(service: Service, subscriber: str, name: str) -> tuple[Inventory, Difference]:
    with service.transaction() as connection:
        gone = registry.unstock(connection, subscriber, name, service.clock())
    if gone is None:
        raise SubscriberError("there is no list of that name: `oktt subscribers software ID` shows them")
    return Inventory(gone.name, gone.source, service.clock()), inventories.difference(gone.software, ())


def _by_hand(
    service: Service, subscriber: str, add: Sequence[Software], drop: Sequence[Software]
) -> tuple[Inventory, Difference]:
    now = service.clock()
    with service.transaction() as connection:
        known = registry.own(connection, subscriber)
        hand = next((each for each in known.inventories if each.name == HAND), None)
        before = hand.software if hand else ()
        if not set(drop) <= set(before):
            raise SubscriberError(
                "a product that was not added by hand: `oktt subscribers software ID` shows which were"
            )
        after = tuple(dict.fromkeys((*(line for line in before if line not in drop), *add)))
        inventory = Inventory(HAND, "hand", now, after)
        if after:
            registry.stock(connection, subscriber, inventory, now)
        else:
            registry.unstock(connection, subscriber, HAND, now)
    return inventory, inventories.difference(before, after)


def _line(text: str) -> Software:
    try:
        return software("product", msgspec.convert(importing.software(text), Software))
    except (FieldError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _name(text: str, source: InventorySource) -> str:
    if text == HAND and source != "hand":
        raise typer.BadParameter(f"{HAND} is what was added by hand: use another name", param_hint="--as")
    if len(text) > 40 or not text.isprintable() or "@" in text:
        raise typer.BadParameter("use a short name of the system, such as server-1", param_hint="--as")
    return text


def _tell(subscriber: str, inventory: Inventory, change: Difference, *, json: bool) -> None:
    """What an import or a change did, and what of the list waits for repair."""
    broken = [line for line in inventory.software if repair(line)]
    if json:
        told = {"subscriber": subscriber, "list": inventory.name, "source": inventory.source, "at": inventory.at}
        told |= {"products": len(inventory.software), "added": change.added, "removed": change.removed}
        changed = [{"from": before, "to": after} for before, after in change.changed]
        output.line(told | {"changed": changed, "repair": [_row(line) for line in broken]})
        return
    counts = f"{len(change.added)} added, {len(change.removed)} removed, {len(change.changed)} in another version"
    output.say(f"{subscriber}, {inventory.name}: {len(inventory.software)} products; {counts}.")
    _listed("+", [_words(line) for line in change.added])
    _listed("-", [_words(line) for line in change.removed])
    _listed("~", [f"{_words(before)} -> {after.version or 'any version'}" for before, after in change.changed])
    if change.removed and inventory.software and len(change.added) == len(inventory.software):
        output.say(
            "Nothing of the earlier list is left. If this is another system, import both again, each with --as NAME."
        )
    if broken:
        output.say(f"{len(broken)} cannot be parsed whole, kept as text and matched as possibly affected:")
        _listed("?", [f"{_words(line)}: {repair(line)}" for line in broken])
        output.say(f"`oktt subscribers software {subscriber} --repair` lists them.")


def _listed(mark: str, lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        output.say(f"{mark} {line}")
    if len(lines) > _SHOWN:
        output.say(f"{mark} and {len(lines) - _SHOWN} more")


def _words(line: Software) -> str:
    """`Fortinet FortiOS 7.2.3`, or the purl or CPE of what has no name."""
    return " ".join(filter(None, (line.vendor, line.product, line.version))) or line.purl or line.cpe or ""
