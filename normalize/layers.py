"""What of some STIX objects may be seen at a wider label than their strictest: what markings forbid is cut.

STIX 2.1 7.2.3: a granular marking is of the property that its selector names. The strictest of object, tags and
selector holds. What is stricter than the layer is cut, and with it what refers to it; what cannot stand without it, or
would mislead, goes whole. What changed is no version of the original (STIX 2.1 3.6): it has an id of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from normalize.patterns import Reading
from normalize.stix_split import CONTEXT, ends, references
from normalize.stix_types import OBSERVABLES, ONE_OF, REQUIRED
from tlp import Label, tags
from tlp.markings import KNOWN, STIX_ID, definitions

Object = dict[str, Any]

_NAMESPACE = UUID("0f3c9a56-6d0c-5c0e-8a5e-3d7c1f7b9e21")
_MISLEADING = frozenset(("type", "spec_version", "revoked", "valid_until", "indicator_types", "pattern_version"))
"""Without these an object would say something else than it does: that it still holds, that it is malicious."""
_ELEMENT = re.compile(r"([a-z0-9_]+)\.\[(\d+)\]$").fullmatch
_SILENT = frozenset(("identity", "marking-definition", "extension-definition"))
"""Of these an unmarked one says nothing by itself: it comes along with what it made, or what refers to it."""


def bare(objects: Sequence[Object], head: Object | None, named: Mapping[str, Label]) -> bool:
    """Is something among these without a label: it carries none, nor does what it stands in (a report that is marked,
    or its `object_refs`)? `head`: the report that is about all of them. What only joins others is as strict as they."""
    stated = {**KNOWN, **definitions(objects)[0]}
    labelled = [obj for obj in objects if _marked(obj, stated, named)[0]]
    if head is not None and any(obj is head for obj in labelled):
        return False
    covered = {obj["id"] for obj in labelled} | {ref for obj in labelled for ref in obj.get("object_refs", ())}
    return any(obj["id"] not in covered for obj in objects if not _joins(obj))


def _joins(obj: Object) -> bool:
    return obj["type"] in CONTEXT or (obj["type"] in ("relationship", "sighting") and not obj.get("description"))


def layers(
    objects: Sequence[Object], named: Mapping[str, Label], patterns: Mapping[str, Reading], strictest: Label
) -> Iterator[tuple[Label, list[Object | None]]]:
    """For each label that is wider than the strictest: the objects as they may be seen at it, in their order; None:
    not at all. Nothing for objects that all have one label, or none. The objects given are not changed.

    `named`: tags that are labels (`tlp.tags`); `patterns`: each STIX pattern among them, read; `strictest`: the label
    of them all together, which is that of what carries none.
    """
    stated = {**KNOWN, **definitions(objects)[0]}
    said = [_marked(obj, stated, named) for obj in objects]
    found = {label for each in said for label in (each[0], *each[1].values()) if label}
    labels = [label or _unmarked(obj, strictest) for obj, (label, _) in zip(objects, said, strict=True)]
    for layer in sorted(found - {strictest}):
        seen = [
            _cut(obj, [selector for selector, each in granular.items() if each > layer]) if label <= layer else None
            for obj, label, (_, granular) in zip(objects, labels, said, strict=True)
        ]
        _hide(objects, seen, patterns)
        _follow(objects, seen)
        _rename(objects, seen, layer)
        yield layer, seen


def _marked(
    obj: Object, stated: Mapping[str, Label | None], named: Mapping[str, Label]
) -> tuple[Label | None, dict[str, Label]]:
    """(label of the object, label of each selector of its granular markings)."""
    own = [label for ref in obj.get("object_marking_refs", ()) if (label := stated.get(ref))]
    if tagged := tags.read(obj.get("labels", ()), named)[0]:
        own.append(tagged)
    granular: dict[str, Label] = {}
    for marking in obj.get("granular_markings", ()):
        if label := stated.get(marking.get("marking_ref", "")):
            for selector in marking["selectors"]:
                granular[selector] = max(label, granular.get(selector, label))
    return max(own, default=None), granular


def _unmarked(obj: Object, strictest: Label) -> Label:
    """What carries no label counts as the strictest beside it."""
    return Label.CLEAR if obj["type"] in _SILENT else strictest


def _cut(obj: Object, selectors: Sequence[str]) -> Object | None:
    """The object without what these selectors name; None: nothing would be left that stands by itself."""
    if not selectors:
        return obj
    made = dict(obj)
    gone: dict[str, set[int]] = {}
    for selector in selectors:
        name, element = selector.partition(".")[0], _ELEMENT(selector)
        if element and isinstance(obj.get(name), list):
            gone.setdefault(name, set()).add(int(element[2]))
        else:
            made.pop(name, None)
    for name, places in gone.items():
        if name in made:
            made[name] = [each for at, each in enumerate(obj[name]) if at not in places]
    return _standing(obj, made)


def _standing(before: Object, made: Object) -> Object | None:
    """What was cut, without lists that are empty by now; None: it is not valid any more, or would mislead."""
    kind = before["type"]
    made = {name: value for name, value in made.items() if value != [] or before[name] == []}
    gone = before.keys() - made.keys()
    if gone & (_MISLEADING | set(REQUIRED.get(kind, ("id", "created", "modified")))):
        return None
    if kind in ONE_OF and not any(name in made for name in ONE_OF[kind]):
        return None
    changed = any(made[name] != before[name] for name in made if name in _MISLEADING)
    return None if changed else made


def _hide(objects: Sequence[Object], seen: list[Object | None], patterns: Mapping[str, Reading]) -> None:
    """Cut what is hidden as an observable out of the patterns that look for it. Where the rest would say something else
    (STIX 2.1 part 9: AND, NOT), or the indicator's words have it too, it goes whole."""
    hidden = {value for obj, left in zip(objects, seen, strict=True) if left is None for value in _values(obj)}
    hidden -= {value for obj in seen if obj is not None for value in _values(obj)}
    for at, obj in enumerate(seen):
        if hidden and obj is not None and (read := patterns.get(obj.get("pattern", ""))):
            left = read.without(lambda value: str(value.value).casefold() in hidden)
            if left != obj["pattern"]:
                told = any(
                    value in str(obj.get(name, "")).casefold() for value in hidden for name in ("name", "description")
                )
                seen[at] = None if left is None or told else {**obj, "pattern": left}


def _values(obj: Object) -> Iterator[str]:
    """What an observable is, in lower case: an address, a name, hashes."""
    if obj["type"] in OBSERVABLES:
        yield from (
            each.casefold() for each in (obj.get("value"), *obj.get("hashes", {}).values()) if isinstance(each, str)
        )


def _follow(objects: Sequence[Object], seen: list[Object | None]) -> None:
    """Cut what refers to what is cut, until nothing does; identities that made nothing of it, and definitions that
    nothing refers to."""
    known = {obj["id"] for obj in objects}
    while True:
        hidden = known - {obj["id"] for obj in seen if obj}
        made = [obj and _without(before, obj, hidden) for before, obj in zip(objects, seen, strict=True)]
        makers = {obj.get("created_by_ref") for obj in made if obj}
        used = {ref for obj in made if obj for ref in references(obj)}
        for at, obj in enumerate(made):
            if obj and obj["type"] in _SILENT and "object_marking_refs" not in obj:
                needed = obj["id"] in (makers if obj["type"] == "identity" else used)
                made[at] = obj if needed else None
        if made == seen:
            return
        seen[:] = made


def _without(before: Object, obj: Object, hidden: set[str]) -> Object | None:
    """The object without references to what is hidden. One about nothing but that is hidden too."""
    if not hidden.intersection(references(obj)):
        return obj
    if obj["type"] in ("relationship", "sighting") and hidden.intersection(ends(obj)):
        return None
    made: Object = {}
    for name, value in obj.items():
        if name.endswith("_refs") and isinstance(value, list):
            made[name] = [ref for ref in value if ref not in hidden]
        elif not (name.endswith("_ref") and value in hidden) and not (
            isinstance(value, dict | list) and hidden.intersection(references({name: value}))
        ):
            made[name] = value
    return _standing(before, made)


def _rename(objects: Sequence[Object], seen: list[Object | None], layer: Label) -> None:
    """Give what changed an id of its own, and what refers to that, since it changes by that."""
    changed = {at for at, obj in enumerate(seen) if obj is not None and obj != objects[at]}
    names: dict[str, str] = {}
    while True:
        names |= {objects[at]["id"]: _name(objects[at]["id"], layer) for at in changed}
        more = {at for at, obj in enumerate(seen) if obj and at not in changed and names.keys() & references(obj)}
        if not more:
            break
        changed |= more
    for at in changed:
        made = _renamed(seen[at], names)
        others = [ref for ref in made.get("object_marking_refs", ()) if ref not in KNOWN]
        for name in ("created_by_ref", "granular_markings"):
            made.pop(name, None)
        seen[at] = {**made, "id": names[objects[at]["id"]], "object_marking_refs": [*others, STIX_ID[layer]]}


def _name(identifier: str, layer: Label) -> str:
    return f"{identifier.partition('--')[0]}--{uuid5(_NAMESPACE, f'{layer.value} {identifier}')}"


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
