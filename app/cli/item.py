"""The command that shows one item whole: item."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import typer

from app import courses
from app.cli import output
from app.cli.root import Json, cli, opened
from app.views import about
from normalize.comparing import Disagreement, disagreements
from pii_guard import Statement, fullest
from triage import advice, inbox, leads, lint, scores

_MOST = 10
"""Related items that are shown to people; programs get all."""


@cli.command()
def item(context: typer.Context, item_id: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """One item whole: facts and which source says what, where they disagree, related items, label, STIX, findings,
    versions, history."""
    service = opened(context)
    with service.reading() as connection:
        card = inbox.card(connection, item_id)
        whole = inbox.load(connection, service.guard, item_id)
        history = inbox.past(connection, item_id)
        facts = inbox.standing_facts(whole)
        exposed = courses.listed(service, connection, whole)
        epss = scores.highest(scores.of(connection, facts.cves), facts.cves, facts.epss)
        subject = about(whole, card["kind"])
        block, faults = advice.choose(subject), lint.lint(whole, subject)
        related = leads.related(connection, item_id)
        for each in related if json else related[:_MOST]:
            each |= {name: inbox.card(connection, each["item"])[name] for name in ("state", "title")}
    parts = (*whole.statements, *whole.facts)
    objects = _distinct(each for part in whole.statements for each in msgspec.json.decode(part.objects))
    priority = {"kans": facts.kans, "schade": facts.schade, "cvss": facts.cvss, "epss": epss}
    findings = [msgspec.to_builtins(each) for part in fullest(parts) for each in part.findings]
    said, differing = [_said(part) for part in parts], disagreements([(part.source, part.facts) for part in parts])
    if json:
        stix = {"type": "bundle", "id": bundle_id(whole.id, whole.version), "objects": objects}
        more = {"stix": stix, "findings": findings, "history": history, "priority": priority, "statements": said}
        more["disagreement"] = msgspec.to_builtins(differing)
        checked = None if block.checked is None else block.checked.isoformat()
        advised = {"block": block.id, "specific": not block.generic, "checked": checked, "sources": block.sources}
        more["advice"], more["lint"] = advised, faults
        output.line({**card, **more, "related": related, "exposures": exposed})
        return
    output.say(f"{card['id']}  version {card['version']}  {card['state']}  TLP:{card['tlp']}  {card['urgency']}")
    output.say(card["title"])
    for name in ("kind", "cves", "sectors", "countries", "regions", "sources", "labels", "holds", "exploited"):
        if card.get(name) not in (None, []):
            output.say(f"  {name}: {output.cell(card[name])}")
    output.say("  priority: " + output.cell({name: value for name, value in priority.items() if value is not None}))
    _products("  affected", card["affected"])
    output.say(f"  advice: {block.id}" + (" (of its kind: nothing of its own is known)" if block.generic else ""))
    output.say(
        f"    facts checked on {block.checked}" if block.checked else "    facts not yet checked: no source is named"
    )
    for source in block.sources:
        output.say(f"      {source}")
    for fault in faults:
        output.say(f"    its message: {fault}")
    _exposed(exposed)
    _disagree(differing)
    _related(related)
    for each in said:
        _statement(each)
    output.say(f"\n{len(objects)} STIX objects, {sum(each['count'] for each in findings)} personal-data findings")
    for each in history:
        output.say(f"  {output.moment(each['at'])}  {each['by']}: {each['what']} {each['reason']}")


def _exposed(found: dict[str, Any] | None) -> None:
    """How many systems a report has, and what became of them since the one before."""
    if found is None:
        return
    told = f"  systems: {found['systems']} in {found['report']} of {found['day']}"
    if found["previous"] is None:
        output.say(f"{told}; no report before it")
    elif found["still_open"] is None:
        before = f"{found['previous_systems']} in that of {found['previous']}"
        output.say(f"{told}; {before}; which of them are the same cannot be told without their addresses")
    else:
        counts = f"{found['open']} newly open, {found['still_open']} still open, {found['closed']} closed"
        output.say(f"{told}; since that of {found['previous']}: {counts}")
        lasting = [f"{count} since {day}" for day, count in found["since"].items() if day != str(found["day"])]
        if lasting:
            output.say("    still open: " + ", ".join([*lasting[:_MOST], *(["..."] if len(lasting) > _MOST else [])]))


def _disagree(differing: Iterable[Disagreement]) -> None:
    for each in differing:
        told = "; ".join(f"{source} says {output.cell(values)}" for source, values in each.said.items())
        output.say(f"  sources disagree, {' '.join(filter(None, (each.fact, each.about)))}: {told}")


def _related(related: list[dict[str, Any]]) -> None:
    for each in related[:_MOST]:
        shared = [*each["cves"][:3], *(["..."] if len(each["cves"]) > 3 else [])]
        shared += [f"{each['indicators']} indicators"] if each["indicators"] else []
        apart = ", told apart by a person" if each["told_apart"] else ""
        output.say(f"  related: {each['item']} ({', '.join(shared)}{apart}), {each['state']}: {each['title']}")
    if len(related) > _MOST:
        output.say(f"  related: and {len(related) - _MOST} more")


def _statement(each: dict[str, Any]) -> None:
    """What one source says, fact by fact."""
    output.say(f"\n{each['source']} (TLP:{each['label']}, regime {each['regime']}, reliability {each['reliability']})")
    output.say(f"  {each['title']}")
    names = ("tracking", "cves", "exploited", "kans", "schade", "cvss", "epss", "sectors", "countries", "regions")
    told = {name: each[name] for name in (*names, "exposure", "indicators") if each[name] not in (None, [], 0)}
    if told or each["withdrawn"]:
        withdrawn = ["withdrawn by the source"] if each["withdrawn"] else []
        output.say(
            "  says: " + "; ".join([*(f"{key} {output.cell(value)}" for key, value in told.items()), *withdrawn])
        )
    _products("  says affected", [one for one in each["affected"] if one["status"] == "affected"])
    if each["summary"]:
        output.say("  " + str(each["summary"]).replace("\n", "\n  "))


def _products(what: str, affected: Iterable[dict[str, Any]]) -> None:
    """A line for each product with the versions that are affected."""
    products: dict[str, list[str]] = {}
    for each in affected:
        products.setdefault(f"{each['vendor']} {each['product']}".strip(), []).append(each["versions"] or "any version")
    for name, versions in products.items():
        output.say(f"{what}: {name}: {', '.join(versions).replace('vers:unknown/', '')}")


def _said(part: Statement) -> dict[str, Any]:
    """What one source said, for analysts."""
    facts = part.facts
    affected = [
        {"vendor": each.vendor, "product": each.product, "versions": each.versions, "status": each.status}
        for each in facts.affected
    ]
    return {
        "source": part.source,
        "label": part.label.value,
        "title": part.title,
        "summary": part.summary,
        "regime": part.regime,
        "reliability": part.reliability,
        "holds": list(part.holds),
        "source_time": part.source_time,
        "received_at": part.received_at,
        "kind": part.kind,
        "tracking": list(facts.tracking),
        "cves": list(facts.cves),
        "affected": affected,
        "sectors": list(facts.sectors),
        "countries": list(facts.countries),
        "regions": list(facts.regions),
        "exploited": facts.exploited,
        "kans": facts.kans,
        "schade": facts.schade,
        "cvss": facts.cvss,
        "epss": facts.epss,
        "exposure": facts.exposure,
        "indicators": len(facts.observables),
        "withdrawn": facts.withdrawn,
        "remedies": list(facts.remedies),
        "references": list(part.references),
    }


def _distinct(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each object once; two of one id that say different things are two."""
    found: dict[bytes, dict[str, Any]] = {}
    for each in objects:
        found.setdefault(msgspec.json.encode(each, order="deterministic"), each)
    return list(found.values())


def bundle_id(item_id: str, version: int) -> str:
    """A stable id for the bundle of an item version."""
    from normalize.stix import new_id

    return new_id("bundle", item_id, str(version))
