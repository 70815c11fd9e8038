"""STIX 2.1 and 2.0 -> drafts: bundles, TAXII envelopes, lists, bare objects.

One draft for each report, grouping, incident or campaign (`stix_split`), and one for what is left over: kind
`indicators` where it holds indicators or observables, `report` where it holds other knowledge (vulnerabilities,
techniques, malware). Identities and markings alone are nothing to tell anybody: such a bundle is refused.
Patterns are read and rewritten by `normalize.patterns`, whose functions this module hands out.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from ingest import Source
from normalize import Draft, Normalized, NormalizeError, Problem
from normalize.layers import bare, layers
from normalize.patterns import PatternValue, Reading, pattern_values, reading, rewrite_pattern
from normalize.shape import MAX_OBJECTS, MAX_STRING, admit
from normalize.stix20 import upgraded
from normalize.stix_facts import addresses_of, facts_of
from normalize.stix_split import CONTEXT, LINKS, Split
from normalize.stix_titles import left_over
from normalize.stix_types import OBSERVABLES, is_id
from tlp import Label, strictest, tags
from tlp.markings import KNOWN, STIX_ID, definition, normalised, of_stix, of_text

__all__ = ["PatternValue", "drafts", "new_id", "pattern_values", "rewrite_pattern", "sniff"]

NAMESPACE = UUID("6e0f1c7a-64f5-5c1b-9d5e-0b1d4a1f7c52")
"""Ours, for objects that we make; not the one from which observables' ids follow (STIX 2.1 2.9)."""

_SNIFF = re.compile(rb'"type"\s*:\s*"bundle"|"spec_version"\s*:\s*"2\.[01]"|"id"\s*:\s*"[a-z0-9-]+--[0-9a-fA-F]{8}-')
_TRACKING = re.compile(
    r"(?!CVE-|CWE-|CAPEC-|T\d)[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*-\d[A-Za-z0-9-]*|GHSA(?:-[0-9a-z]{4}){3}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOST_REFERENCES = 50
_LONGEST_TITLE = 300


def new_id(kind: str, *parts: str) -> str:
    """A STIX id of our own: the same parts always give the same id (UUIDv5). Give it no personal values."""
    return f"{kind}--{uuid5(NAMESPACE, chr(31).join((kind, *parts)))}"


def sniff(head: bytes) -> bool:
    """Could this be STIX 2? From the first bytes."""
    return _SNIFF.search(head) is not None


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:  # noqa: ARG001 - as all formats
    """The drafts of a STIX document. Raises NormalizeError when it is none, or when nothing of it can be used."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NormalizeError("not valid JSON") from None
    except RecursionError:
        raise NormalizeError("nested deeper than is read", stage="shape") from None
    problems: list[Problem] = []
    patterns: dict[str, Reading] = {}
    small = len(body) <= MAX_STRING
    objects, superseded = _distinct(_sound(document, patterns, problems, small=small), problems)
    split = Split(objects)
    bundle = document.get("id") if isinstance(document, dict) else None
    marked = [normalised(obj) for obj in objects]
    made: list[Draft] = []
    for head, members in split.threats():
        whole = _draft(objects, marked, head, members, superseded, patterns, source, bundle if is_id(bundle) else None)
        made += (whole, *_layers(whole, objects, head, members, superseded, patterns, source))
    if not made:
        reason = "nothing in it can be used" if not objects else "only identities, markings or relations: no threat"
        raise NormalizeError(_with(reason, problems), problems[0].path if problems else "/objects", "shape")
    return Normalized("stix", tuple(made), tuple(problems))


def _with(reason: str, problems: Sequence[Problem]) -> str:
    return f"{reason} ({problems[0].reason})" if problems else reason


def _listed(document: Any) -> Iterator[tuple[str, Any, str | None]]:
    """Every object of a bundle, envelope, list or bare object: path, object, version its container states."""
    if isinstance(document, dict) and (document.get("type") == "bundle" or "type" not in document):
        inside, version, path = document.get("objects", []), document.get("spec_version"), "/objects"
    elif isinstance(document, dict):
        yield "", document, None
        return
    else:
        inside, version, path = document, None, ""
    if not isinstance(inside, list):
        raise NormalizeError("`objects` is not a list", "/objects", "shape")
    if len(inside) > MAX_OBJECTS:
        raise NormalizeError(f"more than {MAX_OBJECTS} objects", path, "shape")
    for at, obj in enumerate(inside):
        if isinstance(obj, dict) and obj.get("type") == "bundle" and isinstance(obj.get("objects"), list):
            for below, inner in enumerate(obj["objects"]):
                yield f"{path}/{at}/objects/{below}", inner, obj.get("spec_version", version)
        else:
            yield f"{path}/{at}", obj, version


def _sound(
    document: Any, patterns: dict[str, Reading], problems: list[Problem], *, small: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of version 2.1 that passed the gate, with their paths. Fills `patterns`."""
    listed = list(_listed(document))
    if not listed:
        raise NormalizeError("a bundle without objects", "/objects", "shape")
    # A 2.0 bundle says so on the bundle; a list without any version is 2.0 too (STIX 2.1 3.2: spec_version).
    told = any(isinstance(obj, dict) and obj.get("spec_version") == "2.1" for _, obj, _ in listed)
    for path, obj, container in listed:
        if not isinstance(obj, dict):
            problems.append(Problem("shape", "not a JSON object", path))
            continue
        version = obj.get("spec_version") or container or ("2.1" if told or _observed(obj) else "2.0")
        if version == "2.0":
            made = upgraded(obj, new_id)
        else:
            obj["spec_version"] = "2.1"
            made = [obj]
        for new in made:
            if admit(new, path, problems, small=small) and _legible(new, path, patterns, problems):
                yield path, new


def _legible(obj: dict[str, Any], path: str, patterns: dict[str, Reading], problems: list[Problem]) -> bool:
    """An indicator whose STIX pattern cannot be read is no use to anybody, and could hide a value."""
    if obj["type"] != "indicator" or obj["pattern_type"] != "stix" or (pattern := obj["pattern"]) in patterns:
        return True
    try:
        patterns[pattern] = reading(pattern)
    except NormalizeError as error:
        problems.append(Problem(error.stage, error.reason, f"{path}/pattern"))
        return False
    return True


def _observed(obj: dict[str, Any]) -> bool:
    """Only 2.1 has observables by themselves."""
    kind = obj.get("type")
    return isinstance(kind, str) and kind in OBSERVABLES


def _distinct(
    sound: Iterator[tuple[str, dict[str, Any]]], problems: list[Problem]
) -> tuple[list[dict[str, Any]], set[int]]:
    """Objects without exact repeats, the newest of each id last; and identities (`id()`) of earlier versions.

    Two objects of one id and time but other content are both kept, and both count.
    """
    by_id: dict[str, list[dict[str, Any]]] = {}
    moments: dict[str, set[str]] = {}
    for path, obj in sound:
        known = by_id.get(obj["id"])
        if known is None:
            by_id[obj["id"]] = [obj]
            continue
        if obj in known[:8]:
            continue
        seen = moments.setdefault(obj["id"], {_moment(known[0])})
        seen.add(_moment(obj))
        what = "another version of one object" if len(seen) > 1 else "second object with the same id and other content"
        problems.append(Problem("shape", f"{what}, kept apart", path))
        known.append(obj)
    objects: list[dict[str, Any]] = []
    superseded: set[int] = set()
    for known in by_id.values():
        if len(known) > 1:
            known.sort(key=_moment)
            superseded.update(id(other) for other in known if _moment(other) != _moment(known[-1]))
        objects += known
    return objects, superseded


def _moment(obj: dict[str, Any]) -> str:
    """When it was last changed, as text that sorts: RFC 3339 in UTC sorts once the Z is gone."""
    moment: str = obj.get("modified") or obj.get("created") or ""
    return moment.rstrip("Z")


def _draft(
    objects: list[dict[str, Any]],
    marked: list[dict[str, Any]],
    head: int | None,
    members: list[int],
    superseded: set[int],
    patterns: dict[str, Reading],
    source: Source,
    bundle: str | None,
) -> Draft:
    inside = [objects[at] for at in members]
    current = [obj for obj in inside if id(obj) not in superseded]
    if head is None:
        kind, title, summary = left_over(current, source)
        own = sorted({obj["id"] for obj in current if obj["type"] not in CONTEXT and obj["type"] not in LINKS})
        key, tracking, language = f"{bundle}/rest" if bundle else new_id("bundle", *own), (), source.language
        references = [url for obj in current if obj["type"] == "vulnerability" for url in _urls(obj)]
        withdrawn = all(obj.get("revoked", False) for obj in current if obj["type"] not in CONTEXT)
    else:
        top = objects[head]
        kind, key, tracking = "report", top["id"], (top["id"], *_numbers(top))
        summary, language = top.get("description", ""), top.get("lang", source.language)
        title = top.get("name") or summary.partition("\n")[0] or f"{source.name}: {top['type']}"
        references = list(_urls(top))
        withdrawn = top.get("revoked", False)
    title = _clean(title).strip()[:_LONGEST_TITLE]
    label, doubts = _label(inside, title, source, None if head is None else objects[head])
    facts = facts_of(current, patterns, tracking=tracking, title=title, withdrawn=withdrawn)
    return Draft(
        kind=kind,
        key=key,
        title=title,
        summary=_clean(summary),
        language=language,
        facts=facts,
        objects=tuple(_with_definitions([marked[at] for at in members])),
        references=tuple(dict.fromkeys(references))[:_MOST_REFERENCES],
        label=label,
        doubts=doubts,
        source_time=_source_time(current),
        readings=patterns,
    )


def _layers(
    whole: Draft,
    objects: list[dict[str, Any]],
    head: int | None,
    members: list[int],
    superseded: set[int],
    patterns: dict[str, Reading],
    source: Source,
) -> Iterator[Draft]:
    """What of a threat may be seen at wider labels than its own. Nothing while a marking of it is not understood."""
    if whole.label is None or "unknown-marking" in whole.doubts:
        return
    current = [at for at in members if id(objects[at]) not in superseded]
    for label, seen in layers([objects[at] for at in current], source.labels, patterns, whole.label):
        left = [obj for obj in seen if obj is not None]
        top = None if head is None else seen[current.index(head)]
        alone = all(obj["type"] in CONTEXT or obj["type"] in LINKS for obj in left)
        if alone if head is None else top is None:
            continue
        at = None if top is None else next(place for place, obj in enumerate(left) if obj is top)
        marked = [normalised(obj) for obj in left]
        kept = [obj["pattern"] for obj in left if obj.get("pattern_type") == "stix"]
        known = {pattern: patterns.get(pattern) or reading(pattern) for pattern in kept}
        made = _draft(left, marked, at, list(range(len(left))), set(), known, source, None)
        if made.label == label:  # not where the title, say, names another
            facts = msgspec.structs.replace(made.facts, tracking=whole.facts.tracking)
            yield msgspec.structs.replace(made, key=whole.key, layer=label, facts=facts, doubts=whole.doubts)


def _numbers(obj: dict[str, Any]) -> Iterator[str]:
    """Ids under which a report's publisher and others know it: NCSC-2026-0412, GHSA-..."""
    for reference in obj.get("external_references", ()):
        number = reference.get("external_id")
        if isinstance(number, str) and len(number) < 64 and _TRACKING.fullmatch(number):
            yield number


def _urls(obj: dict[str, Any]) -> Iterator[str]:
    return addresses_of(obj.get("external_references", ()))


def _label(
    objects: Sequence[dict[str, Any]], title: str, source: Source, head: dict[str, Any] | None
) -> tuple[Label | None, tuple[str, ...]]:
    """The strictest of markings, tags, title, and, where something carries none, the source's own; and doubts. Labels
    of the objects' own text stay with them."""
    marked, doubts = of_stix(objects)
    tagged, unclear = tags.read((tag for obj in objects for tag in obj.get("labels", ())), source.labels)
    titled = of_text(title)
    found = [label for label in (marked, tagged, titled) if label]
    if found and not titled and bare(objects, head, source.labels):
        found.append(source.tlp)
    return (strictest(found) if found else None), tuple(sorted({*doubts, *unclear}))


def _with_definitions(objects: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The objects, and the definitions of the TLP 2.0 markings they refer to; other TLP definitions stay behind."""
    found: set[str] = set()
    for obj in objects:
        if obj["type"] == "marking-definition" and obj["id"] in KNOWN:
            continue
        found.update(obj.get("object_marking_refs", ()))
        for marking in obj.get("granular_markings", ()):
            found.add(marking.get("marking_ref", ""))
        yield obj
    for label, identifier in STIX_ID.items():
        if identifier in found:
            yield definition(label)


def _source_time(objects: Sequence[dict[str, Any]]) -> datetime | None:
    moments = [
        obj[name].rstrip("Z")
        for obj in objects
        if obj["type"] != "marking-definition"
        for name in ("modified", "published")
        if name in obj
    ]
    return datetime.fromisoformat(max(moments) + "+00:00") if moments else None


def _clean(text: str) -> str:
    """Without control characters, which some stores and all readers stumble over."""
    return _CONTROL.sub(" ", text)
