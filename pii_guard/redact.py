"""Rewrites the STIX objects of a draft: values, ids, references and markings; never leaves a value behind.

Three steps over one draft: every object by itself (`pii_guard.treatments`); what refers to something that went loses
that reference, or goes too; what changed gets a new id that no value can be found from, and so does what refers to it
(a redacted copy is a new object: STIX 2.1 3.6.2).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

from pii_guard.blocks import Blocks
from pii_guard.columns import Columns
from pii_guard.paths import ANY_OF, REQUIRED
from pii_guard.patterns import Patterns
from pii_guard.shapes import ID
from pii_guard.treatments import GONE, REFERENCES, TREATMENTS, UNKNOWN, Treat, Walk, identifier, term, time, word
from pii_guard.values import Eraser
from tlp.markings import KNOWN, STIX_ID, definition

Rename = Callable[[str], str]
"""An old id -> a new one of the same type, keyed."""

_ORGANISATIONS = frozenset({"organization", "class", "system", "group"})
_PERSONS = frozenset({"identity", "threat-actor"})
_UUID = re.compile(r"--[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_NOTHING: frozenset[str] = frozenset()
_NEEDED = {kind: frozenset(names) for kind, names in REQUIRED.items()}
_TLP_OBJECTS = {identifier: definition(label) for label, identifier in STIX_ID.items()}


def names_in(blocks: Blocks) -> set[str]:
    """Names of persons in the properties that hold them."""
    names: set[str] = set()
    for block in blocks.of("identity"):
        for row in block.rows:
            if str(blocks.objects[row].get("identity_class")) not in _ORGANISATIONS:
                names.add(str(blocks.objects[row].get("name", "")))
    for block in blocks.of("email-addr", "user-account"):
        names.update(str(name) for (name,) in block.where("display_name"))
    for block in blocks.of("note", "opinion"):
        for (listed,) in block.where("authors"):
            if isinstance(listed, list):
                names.update(name for name in listed if isinstance(name, str))
    return names


class _Kept:
    """An object as it may stay, and whether anything of it changed."""

    __slots__ = ("changed", "index", "inner", "obj", "old", "type")

    def __init__(self, obj: dict[str, Any], old: str, kind: str, index: int, changed: bool, inner: Any) -> None:
        self.obj, self.old, self.type, self.index, self.changed, self.inner = obj, old, kind, index, changed, inner


def rewrite(
    blocks: Blocks,
    eraser: Eraser,
    rename: Rename,
    patterns: Patterns | None = None,
    *,
    changed: Collection[str] = (),
    seen: type[Columns] = Columns,
) -> list[dict[str, Any]]:
    """The objects as they may stay, in their order. The given ones are not changed.

    `patterns`: those of the draft that were read before. `changed`: ids of objects that are not as they were any more.
    `seen`: what sees of many objects at once that nothing of them changes.
    """
    objects = blocks.objects
    walk = Walk(eraser, blocks.ids(), patterns or Patterns())
    columns = seen(walk, blocks)
    made: list[dict[str, Any] | None] = list(objects)
    kept: list[_Kept] = []
    gone: set[str] = set()
    for index in columns.left():
        one = _alone(walk, objects[index], index)
        made[index] = None if one is None else one.obj
        if one is None:
            gone.add(str(objects[index].get("id")))
        else:
            kept.append(one)
    if gone or changed or any(one.changed for one in kept):
        kept += _drawn_in(columns, objects, kept, gone.union(changed))
        kept.sort(key=attrgetter("index"))
        for one in kept:
            made[one.index] = None
            one.changed = one.changed or one.old in changed
        kept = _unlinked(kept, gone.union(one.old for one in kept))
        _spread(kept)
        _renamed(kept, rename)
        for one in kept:
            made[one.index] = one.obj
    return [obj for obj in made if obj is not None]


def _drawn_in(
    columns: Columns, objects: Sequence[dict[str, Any]], kept: Sequence[_Kept], changed: Collection[str]
) -> list[_Kept]:
    """The clear objects that refer to what changed or went, and whatever refers to those; those of the same id too."""
    drawn: dict[int, _Kept] = {}
    seen = {*changed, *(one.old for one in kept if one.changed)}
    rest = [one for one in kept if not one.changed]
    news = frozenset(seen)
    while news:
        found = [(index, old) for index, old in columns.naming(news) if index not in drawn]
        for index, old in found:
            obj = objects[index]
            drawn[index] = _Kept(dict(obj), old, obj["type"], index, False, ())
        still: list[_Kept] = []
        reached = [old for _, old in found]
        for one in rest:
            if any(not news.isdisjoint(_listed(holder[key])) for holder, key in _references(one)):
                reached.append(one.old)
            else:
                still.append(one)
        rest, news = still, frozenset(reached) - seen
        seen |= news
    return list(drawn.values())


def _alone(walk: Walk, obj: dict[str, Any], index: int) -> _Kept | None:
    """One object by itself; None: it goes."""
    kind, identifier = str(obj.get("type")), obj.get("id")
    walk.index, walk.obj = index, obj
    if kind not in TREATMENTS or not _is_of(identifier, kind):
        walk.strip(UNKNOWN, "free-text", "")
        return None
    if identifier in _TLP_OBJECTS:
        return _Kept(dict(_TLP_OBJECTS[identifier]), identifier, "marking-definition", index, False, ())
    if kind in _PERSONS and _is_person(walk, kind, obj):
        return None
    if walk.inner:
        walk.inner = []
    made, changed = _treated(walk, obj, kind)
    if not complete(kind, made):
        return None
    if "granular_markings" in made and any(ref not in KNOWN for ref in _granular_refs(made)):
        changed = True  # its marking may get another id
    return _Kept(made, str(identifier), kind, index, changed, tuple(walk.inner) if walk.inner else ())


def _is_of(identifier: Any, kind: str) -> bool:
    return isinstance(identifier, str) and identifier.startswith(kind) and _UUID(identifier, len(kind)) is not None


def _treated(walk: Walk, obj: dict[str, Any], kind: str) -> tuple[dict[str, Any], bool]:
    made = dict(obj)
    changed = False
    seen = (walk.times, walk.clean)
    for key, treat, memory in _plan(kind, obj):
        value = obj[key]
        if memory is not None and type(value) is str and value in seen[memory]:
            continue
        if treat is None:
            walk.strip(UNKNOWN, "free-text", "*")
            changed = True
            del made[key]
            continue
        stays = treat(walk, value, key)
        if stays is not value:
            changed = changed or bool(stays != value)
            if stays is GONE:
                del made[key]
            else:
                made[key] = stays
    return made, changed


_Step = tuple[str, Treat | None, int | None]
_PLANS: dict[tuple[str, ...], tuple[_Step, ...]] = {}
"""Type and names of properties -> how each is treated, for names that are known."""
_MOST_PLANS = 4096
_MEMORY: dict[Treat | None, int] = {time: 0, word: 1, term: 1}
"""Treatments of which the walk remembers what it let through: as a timestamp, as a text."""


def _plan(kind: str, obj: dict[str, Any]) -> tuple[_Step, ...]:
    layout = (kind, *obj)
    plan = _PLANS.get(layout)
    if plan is None:
        table = TREATMENTS[kind]
        steps = [(key, table.get(key)) for key in obj if table.get(key) is not identifier]
        plan = tuple((key, treat, _MEMORY.get(treat)) for key, treat in steps)
        if len(_PLANS) < _MOST_PLANS and obj.keys() <= table.keys():
            _PLANS[layout] = plan
    return plan


def _is_person(walk: Walk, kind: str, obj: Mapping[str, Any]) -> bool:
    """Is the object a person, whose name the policy strips? An identity without a class may be one."""
    person = (kind == "identity" and str(obj.get("identity_class")) not in _ORGANISATIONS) or (
        kind == "threat-actor" and obj.get("resource_level") == "individual"
    )
    name = str(obj.get("name", ""))
    return person and walk.eraser.action("name", walk.role(), "name", walk.index, value=name) != "keep"


def complete(kind: str, obj: Mapping[str, Any]) -> bool:
    """Does the object still have what it cannot be without?"""
    if not _NEEDED.get(kind, _NOTHING) <= obj.keys():
        return False
    choice = ANY_OF.get(kind)
    return choice is None or any(key in obj for key in choice)


def _listed(refs: Any) -> list[str]:
    return refs if isinstance(refs, list) else [refs]


def _references(one: _Kept) -> list[tuple[dict[str, Any], str]]:
    found = [(one.obj, key) for key, _ in REFERENCES[one.type] if key in one.obj]
    return [*found, *one.inner] if one.inner else found


def _pointing(kept: Sequence[_Kept]) -> dict[str, list[_Kept]]:
    """Id -> the objects that refer to it."""
    pointing: dict[str, list[_Kept]] = {}
    for one in kept:
        obj = one.obj
        for key, listed in REFERENCES[one.type]:
            if key not in obj:
                continue
            if not listed:
                pointing.setdefault(obj[key], []).append(one)
                continue
            for ref in obj[key]:
                pointing.setdefault(ref, []).append(one)
        for holder, key in one.inner:
            for ref in _listed(holder[key]):
                pointing.setdefault(ref, []).append(one)
    return pointing


def _unlinked(kept: list[_Kept], ids: Collection[str]) -> list[_Kept]:
    """Without references to what went; what cannot be without its reference goes too, and so on."""
    standing: dict[str, int] = {}
    for one in kept:
        standing[one.old] = standing.get(one.old, 0) + 1
    missing = [identifier for identifier in ids if identifier not in standing]
    if not missing:
        return kept
    pointing, gone, fallen = _pointing(kept), set(missing), set()
    while missing:
        for one in pointing.get(missing.pop(), ()):
            if id(one) in fallen:
                continue
            _without(one, gone)
            one.changed = True
            if not complete(one.type, one.obj):
                fallen.add(id(one))
                standing[one.old] -= 1
                if not standing[one.old] and one.old not in gone:
                    gone.add(one.old)
                    missing.append(one.old)
    return [one for one in kept if id(one) not in fallen]


def _without(one: _Kept, gone: set[str]) -> None:
    for holder, key in _references(one):
        value = holder[key]
        if isinstance(value, list):
            left = [ref for ref in value if ref not in gone]
            if left:
                holder[key] = left
            else:
                del holder[key]
        elif value in gone:
            del holder[key]
    if one.inner:
        one.inner = tuple((holder, key) for holder, key in one.inner if key in holder)
        _tidy_extensions(one.obj)


def _tidy_extensions(obj: dict[str, Any]) -> None:
    """No empty extension stays."""
    left = {name: content for name, content in obj.get("extensions", {}).items() if content}
    if left:
        obj["extensions"] = left
    else:
        obj.pop("extensions", None)


def _spread(kept: Sequence[_Kept]) -> None:
    """Whatever refers to an object that changed has changed itself."""
    queue = [one.old for one in kept if one.changed and one.old not in KNOWN]
    if not queue:
        return
    pointing, seen = _pointing(kept), set(queue)
    while queue:
        for one in pointing.get(queue.pop(), ()):
            one.changed = True
            if one.old not in seen and one.old not in KNOWN:
                seen.add(one.old)
                queue.append(one.old)


def _renamed(kept: Sequence[_Kept], rename: Rename) -> None:
    """New ids for what changed, everywhere; its granular markings hold for the whole of it now (stricter)."""
    new = {one.old: rename(one.old) for one in kept if one.changed and one.old not in KNOWN}
    for one in kept:
        if not one.changed:
            continue
        _lift_markings(one.obj)
        for holder, key in _references(one):
            value = holder[key]
            holder[key] = [new.get(r, r) for r in value] if isinstance(value, list) else new.get(value, value)
        one.obj["id"] = new.get(one.old, one.old)


def _granular_refs(obj: Mapping[str, Any]) -> list[str]:
    entries = obj.get("granular_markings", ())
    refs = [entry.get("marking_ref") for entry in entries if isinstance(entry, dict)]
    return [ref for ref in refs if isinstance(ref, str) and ID(ref) and ref.startswith("marking-definition--")]


def _lift_markings(obj: dict[str, Any]) -> None:
    if "granular_markings" not in obj:
        return
    refs = [*obj.get("object_marking_refs", ()), *_granular_refs(obj)]
    del obj["granular_markings"]
    if refs:
        obj["object_marking_refs"] = list(dict.fromkeys(refs))
