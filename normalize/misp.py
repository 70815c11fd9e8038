"""MISP events -> one draft each: bare, in `Event`, in `response`, in lists.

What is known of attribute types is a table (`misp_types`); `misp_objects` makes observables of values, `misp_event`
the STIX objects of an event, `misp_context` reads tags and galaxies. Proposals and what was deleted are left out;
what is said of persons is never read. Why not misp-stix: docs/decisions/010-misp.md.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from msgspec.structs import replace

from ingest import Source
from normalize import Draft, Normalized, NormalizeError, authored
from normalize.lenient import Json, Parts, cves_in
from normalize.misp_attribute import at, is_true, left_out
from normalize.misp_context import Context, read
from normalize.misp_event import Gathered
from normalize.misp_graph import Graph
from normalize.patterns import Reading
from normalize.recognise import decoded
from normalize.stix_facts import facts_of
from tlp import Label, strictest
from tlp.markings import of_text

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_SNIFF = re.compile(rb'"(?:Event|info|Attribute)"\s*:')
_NARROW = {"0": Label.AMBER_STRICT, "1": Label.GREEN, "2": Label.GREEN, "4": Label.AMBER_STRICT}
"""Distribution of an event -> the widest it can be, also where a tag says wider: one organisation (ours, since we have
it), this community, connected ones, the organisations of a sharing group. All communities (3) take nothing away."""
_LONGEST_TITLE = 300
_MOST_TEXT = 20_000
_MOST_REFERENCES = 50
_MOST_HIDDEN = 1000
_REPORT_LINKS = re.compile(r"@?!?@?\[(?:attribute|object|tag|galaxymatrix|suggestion)\]\([^)\[]*\)")


def sniff(head: bytes) -> bool:
    """Could this be a MISP event? From the first bytes."""
    return head.lstrip()[:1] in (b"{", b"[") and _SNIFF.search(head) is not None


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for each event. Raises NormalizeError when there is none that says anything."""
    parts = Parts()
    listed = list(_events(decoded(body, Any), "", parts))
    if not listed:
        raise NormalizeError("no MISP event in it", parts.problems[0].path if parts.problems else "")
    made: list[Draft] = []
    for event, path in listed:
        if whole := _draft(event, path, source, received_at, parts):
            made += (whole, *_layers(event, whole, source, received_at))
    if not made:
        problem = parts.problems[0]
        raise NormalizeError(problem.reason, problem.path, problem.stage)
    return Normalized("misp", tuple(made), tuple(parts.problems))


def _events(found: Any, path: str, parts: Parts) -> Iterator[tuple[Json, str]]:
    """The events of a document, however it wraps them."""
    if isinstance(found, list):
        for number, each in enumerate(found):
            yield from _events(each, f"{path}/{number}", parts)
    elif not isinstance(found, dict):
        parts.note("an object was expected", path)
    elif "response" in found:
        yield from _events(found["response"], f"{path}/response", parts)
    elif "Event" in found:
        yield from _events(found["Event"], f"{path}/Event", parts)
    elif "info" in found:
        yield found, path
    else:
        parts.note("not a MISP event: it has no `info`", path)


def _layers(event: Json, whole: Draft, source: Source, received_at: datetime) -> Iterator[Draft]:
    """What of an event may be seen at labels wider than that of its strictest part: it, read without what is stricter.
    Nothing while a marking is not understood, or where the rest names what is left out."""
    if whole.label is None or whole.doubts:
        return
    for label in (each for each in Label if each < whole.label):
        seen, hidden = _seen(event, label, source.labels)
        if not hidden or _names(seen, hidden):
            continue
        made = _draft(seen, "", source, received_at, Parts(), label)
        if made and made.label == label:
            facts = replace(made.facts, tracking=whole.facts.tracking)
            yield replace(made, key=whole.key, layer=label, facts=facts)


def _names(seen: Json, hidden: set[str]) -> bool:
    """Does the rest of an event name a value that is left out? Of very many nobody looks."""
    rest = msgspec.json.encode(seen).decode().casefold()
    written = (msgspec.json.encode(value).decode()[1:-1] for value in hidden)
    return len(hidden) > _MOST_HIDDEN or any(value in rest for value in written)


def _seen(event: Json, label: Label, named: Mapping[str, Label]) -> tuple[Json, set[str]]:
    """The event without attributes that are tagged stricter than the label, and what values these have."""
    hidden: set[str] = set()

    def kept(holder: Json) -> Json:
        listed = holder.get("Attribute")
        if not isinstance(listed, list):
            return holder
        stricter = [each for each in listed if isinstance(each, dict) and (_tagged(each, named) or label) > label]
        hidden.update(value for each in stricter if (value := str(each.get("value") or "").casefold()))
        return {**holder, "Attribute": [each for each in listed if each not in stricter]}

    seen = kept(event)
    if isinstance(event.get("Object"), list):
        seen = {**seen, "Object": [kept(each) if isinstance(each, dict) else each for each in event["Object"]]}
    return seen, hidden


def _tagged(attribute: Json, named: Mapping[str, Label]) -> Label | None:
    return read(attribute, Parts(), "", named).label


def _draft(
    event: Json, path: str, source: Source, received_at: datetime, parts: Parts, layer: Label | None = None
) -> Draft | None:
    """What an event says. `layer`: it is a part of the whole, and its objects have ids of their own."""
    if left_out(event):
        parts.note("an event that its source deleted", path)
        return None
    info = " ".join(parts.text(event, "info", path).split())
    title = info[:_LONGEST_TITLE] or f"{source.name}: MISP"
    uuid = parts.text(event, "uuid", path).lower()
    own = uuid if _UUID(uuid) else ""
    key = own or f"event/{_digest(info, str(event.get('date')))}"
    modified = at(event.get("timestamp")) or at(event.get("publish_timestamp")) or _day(event) or received_at
    created = min(_day(event) or modified, modified)
    context = read(event, parts, path, source.labels)
    made_of = f"{key}/{layer.value}" if layer else key
    gathered = Gathered(Graph(source.id, made_of, created, modified), parts, source.labels)
    gathered.read(event, context, path)
    if gathered.empty:
        parts.note("an event that says nothing: no attributes, objects or context", path)
        return None
    summary = "\n\n".join((*_reports(event, path, parts), *gathered.words))[:_MOST_TEXT]
    marked, label, doubts = _label(event, title, context, gathered, source)
    cves = tuple(dict.fromkeys((*cves_in(title), *context.cves, *gathered.cves)))
    references = tuple(dict.fromkeys(gathered.references))[:_MOST_REFERENCES]
    base = authored.report(
        source=source.id,
        key=made_of,
        publisher=parts.text(parts.object(event, "Orgc", path), "name", f"{path}/Orgc") or source.name,
        title=title,
        summary=summary,
        language=source.language,
        created=created,
        modified=modified,
        references=references,
        cves=cves,
        label=marked,
        types=("indicator",) if "indicator" in gathered.graph.types() else ("threat-report",),
    )
    patterns: dict[str, Reading] = {}
    sectors, where = sorted(gathered.sectors), [*sorted(gathered.countries), *sorted(gathered.regions)]
    objects = gathered.graph.joined(base, context, marked, patterns, sectors, where)
    extended = parts.text(event, "extends_uuid", path).lower()
    # Its STIX id names it, and so it does an event that came as STIX; one that extends another is one threat with it.
    tracking = (f"report--{own}", extended if _UUID(extended) else own) if own else ()
    facts = facts_of(objects, patterns, tracking=tracking, title=title, withdrawn=False)
    return Draft(
        kind="report" if gathered.explained or summary or cves else "indicators",
        key=key,
        title=title,
        summary=summary,
        language=source.language,
        facts=gathered.told(facts),
        objects=objects,
        references=references,
        label=label,
        doubts=doubts,
        source_time=modified,
        readings=patterns,
    )


def _label(
    event: Json, title: str, context: Context, gathered: Gathered, source: Source
) -> tuple[Label | None, Label | None, tuple[str, ...]]:
    """What the event is marked as, what it may be shown as (also without a mark), and why a person has to look."""
    marks = {label for label in (context.label, of_text(title)) if label}
    marked = strictest(marks) if marks else None
    found = marks | gathered.labels
    doubts = set(context.doubts | gathered.doubts)
    distribution = str(event.get("distribution"))
    if distribution in _NARROW:
        found.add(_NARROW[distribution])
    if found and not marks:  # a part or the distribution says something, of the rest nothing does
        found.add(source.tlp)
    if distribution == "4" or event.get("SharingGroup"):
        doubts.add("misp-sharing-group")
    if distribution == "0":
        doubts.add("misp-organisation-only")
    if event.get("published") is not None and not is_true(event["published"]):
        doubts.add("misp-unpublished")
    return marked, (strictest(found) if found else None), tuple(sorted(doubts))


def _reports(event: Json, path: str, parts: Parts) -> Iterator[str]:
    """What analysts wrote about the event, without MISP's links into it."""
    for report, where in parts.objects(event, "EventReport", path):
        text = _REPORT_LINKS.sub("", parts.text(report, "content", where)).strip()
        if text and not left_out(report):
            yield text


def _day(event: Json) -> datetime | None:
    """The day that an event is of."""
    try:
        return datetime.combine(date.fromisoformat(str(event.get("date"))), time(), UTC)
    except ValueError:
        return None


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "replace")).hexdigest()
