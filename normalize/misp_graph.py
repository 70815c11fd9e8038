"""The STIX 2.1 objects of one MISP event while they come together: each once, with its label, its relations, notes.

Ids follow from the source, the event and MISP's own uuids, so that the same event gives the same objects again, and
two sources that cut an event differently never share an id. What belongs to no single event is the same everywhere.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from normalize.authored import timestamp
from normalize.misp_attribute import Attribute
from normalize.misp_context import Context, place, target
from normalize.misp_objects import Object
from normalize.misp_types import RELATIONS
from normalize.patterns import Reading, reading
from normalize.stix import new_id
from tlp import Label, markings


class Graph:
    """Objects by id, in the order they came."""

    def __init__(self, source: str, key: str, created: datetime, modified: datetime) -> None:
        self._of = (source, key)
        self._created, self._modified = created, modified
        self._objects: dict[str, Object] = {}
        self._order: list[str] = []
        self._marked: dict[str, Label] = {}
        self._comments: dict[str, list[str]] = {}
        self._links: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        """Texts that stand as values of their own."""
        self.by_uuid: dict[str, str] = {}
        """MISP's uuid of an attribute or object -> what it became."""

    def __len__(self) -> int:
        return len(self._objects)

    def since(self, count: int) -> list[str]:
        """The ids that were added since there were so many."""
        return self._order[count:]

    def types(self) -> set[str]:
        """Of what types there are objects."""
        return {obj["type"] for obj in self._objects.values()}

    def add(self, obj: Object, label: Label | None = None) -> None:
        """An observable that two attributes tell of keeps what both say, and the stricter label."""
        known = self._objects.get(obj["id"])
        if known is None:
            self._objects[obj["id"]] = obj
            self._order.append(obj["id"])
        elif "resolves_to_refs" in obj:
            refs = [*known.get("resolves_to_refs", ()), *obj["resolves_to_refs"]]
            known["resolves_to_refs"] = list(dict.fromkeys(refs))
        if label:
            self._marked[obj["id"]] = max(label, self._marked.get(obj["id"], label))

    def comment(self, text: str, ref: str) -> None:
        """What is said of one object; the same words of many become one note."""
        self._comments.setdefault(text, []).append(ref)

    def link(self, source: str, name: str, end: str) -> None:
        """A relation between MISP's uuids, either of which may be still to come."""
        self._links.append((source, name, end))

    def observed(self, one: Attribute, made: Sequence[Object]) -> None:
        """When an attribute was seen, and how often. By whom is nobody's business."""
        times = [*one.seen, *(when for when in (one.first, one.last) if when)]
        if times:
            seen = self._sdo("observed-data", one.uuid or made[0]["id"], one.changed) | {
                "first_observed": timestamp(min(times)),
                "last_observed": timestamp(max(times)),
                "number_observed": max(len(one.seen), 1),
                "object_refs": [obj["id"] for obj in made],
            }
            self.add(seen, one.context.label)

    def indicator(self, one: Attribute, pattern: str, language: str, signs: Iterable[Object]) -> None:
        """What to look for, of what that is a sign, and how often it was seen."""
        changed = one.changed or self._modified
        start = one.first or changed
        made = self._sdo("indicator", one.uuid or f"{one.type} {one.value}", changed) | {
            "name": one.type,
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": language,
            "valid_from": timestamp(start),
        }
        if one.comment:
            made["description"] = one.comment
        if one.until and one.until > start:
            made["valid_until"] = timestamp(one.until)
        self.add(made, one.context.label)
        for known in signs:
            self._relate(made["id"], "indicates", known["id"], one.context.label)
        if one.seen:
            sighting = self._sdo("sighting", made["id"], max(one.seen)) | {
                "sighting_of_ref": made["id"],
                "count": len(one.seen),
                "first_seen": timestamp(min(one.seen)),
                "last_seen": timestamp(max(one.seen)),
            }
            self.add(sighting, one.context.label)

    def joined(
        self,
        base: Iterable[Object],
        context: Context,
        label: Label | None,
        patterns: dict[str, Reading],
        sectors: Sequence[str],
        places: Sequence[str],
    ) -> tuple[Object, ...]:
        """The report, its publisher and its CVEs (`base`), with all that the event holds. Fills `patterns`."""
        written = {obj["id"]: obj for obj in base}
        report = next(obj for obj in written.values() if obj["type"] == "report")
        for obj in (target(sectors), *map(place, places)):
            if obj is not None:
                self.add(obj)
        for source, name, end in self._links:
            if source in self.by_uuid and end in self.by_uuid:
                self._relate(self.by_uuid[source], _relation(name), self.by_uuid[end])
        refs = [ref for ref in report["object_refs"] if ref != report["created_by_ref"]]
        report["object_refs"] = [*refs, *self._objects] or [report["created_by_ref"]]
        if context.words:
            report["labels"] = list(context.words)
        if context.confidence is not None:
            report["confidence"] = context.confidence
        self._notes(report["id"])
        for obj in self._objects.values():
            marked = max(filter(None, (label, self._marked.get(obj["id"]))), default=None)
            if marked:
                obj["object_marking_refs"] = [markings.STIX_ID[marked]]
                definition = markings.definition(marked)
                written.setdefault(definition["id"], definition)
            if obj["type"] == "indicator" and obj["pattern_type"] == "stix":
                patterns.setdefault(obj["pattern"], reading(obj["pattern"]))
        return (*written.values(), *self._objects.values())

    def _notes(self, report: str) -> None:
        for text, refs in self._comments.items():
            note = self._sdo("note", text, self._modified) | {"content": text, "object_refs": list(dict.fromkeys(refs))}
            self.add(note, max(filter(None, map(self._marked.get, refs)), default=None))
        if self.texts:
            note = self._sdo("note", "texts", self._modified) | {"object_refs": [report]}
            self.add(note | {"content": "\n".join(dict.fromkeys(self.texts))})

    def _relate(self, source: str, name: str, end: str, label: Label | None = None) -> None:
        made = self._sdo("relationship", f"{source} {name} {end}", self._modified)
        self.add(made | {"relationship_type": name, "source_ref": source, "target_ref": end}, label)

    def _sdo(self, kind: str, seed: str, changed: datetime | None) -> Object:
        changed = changed or self._modified
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": new_id(kind, *self._of, seed),
            "created": timestamp(min(self._created, changed)),
            "modified": timestamp(changed),
        }


def _relation(name: str) -> str:
    """MISP's names for relations, where they are known words; else that there is one (a name could be anything)."""
    words = name.strip().lower().replace("_", "-").replace(" ", "-")
    return words if words in RELATIONS else "related-to"
