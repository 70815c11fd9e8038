"""The structural gate for STIX 2.1: is this an object that the rest of the house can rely on?

Checked against the table of `stix_types` in a few microseconds an object: what follows from the names and types of
its properties alone is remembered, since a feed has a handful of such layouts. A required property that is missing or
malformed, or a marking that cannot be read, costs the object; a malformed optional property costs only itself. Custom
types, `x_` properties and extensions pass (the guard strips what is not allowed), within the limits on size and depth.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from normalize import Problem
from normalize.stix_types import CHECKS, COMMON, OF_TEXT, ONE_OF, REQUIRED, TYPE_NAME, kind_of

MAX_OBJECTS = 250_000
MAX_DEPTH = 24
MAX_STRING = 2_000_000
MAX_ITEMS = 100_000
"""Elements of one list, or properties of one object."""

_KNOWN = frozenset(CHECKS) | {"type", "id", "spec_version", "objects"}
_MOST_KNOWN = len(_KNOWN)
_VITAL = frozenset(("object_marking_refs", "granular_markings", "revoked"))
"""What may not be left out when it is malformed: it says who may see the object, or that it is void."""


class _Layout(Struct, frozen=True):
    """Names and types of an object's properties that may stand together, and what its values still have to meet."""

    tests: tuple[tuple[int, Callable[[Any], bool]], ...]
    """Position of a property, and what to ask of its value."""
    nested: tuple[int, ...]
    """Positions of objects and lists."""
    texts: tuple[int, ...]
    ordered: bool
    """It says when it was created and modified."""


_LAYOUTS: dict[tuple[Any, ...], _Layout | None] = {}
"""By type, names and types of the values; None: not all is as it should be. Known names only: it holds no data."""
_MOST_LAYOUTS = 4096


def admit(obj: Any, path: str, problems: list[Problem], *, small: bool = False) -> bool:
    """Can this object go on? Malformed optional properties are taken out of it; what is wrong joins `problems`.

    `path` is the object's JSON Pointer; `small`: its document is no larger than one string may be.
    """
    if type(obj) is not dict:
        problems.append(Problem("shape", "not a JSON object", path))
        return False
    kind = obj.get("type")
    if type(kind) is str and kind in REQUIRED and len(obj) < _MOST_KNOWN and _is_sound(kind, obj, small=small):
        return True
    return _examined(obj, path, problems, small=small)


def _is_sound(kind: str, obj: dict[str, Any], *, small: bool) -> bool:
    """Is nothing wrong with it at all? By its layout; False says no more than that somebody has to look closer."""
    values = (*obj.values(),)
    key = (kind, *obj, *map(type, values))
    try:
        layout = _LAYOUTS[key]
    except KeyError:
        layout = _layout(kind, obj)
        if len(_LAYOUTS) < _MOST_LAYOUTS and obj.keys() <= _KNOWN:
            _LAYOUTS[key] = layout
    if layout is None or kind_of(obj["id"]) != kind:
        return False
    for at, test in layout.tests:
        if not test(values[at]):
            return False
    for at in layout.nested:
        if not values[at] or not _within(values[at], MAX_DEPTH):
            return False
    if not small and any(len(values[at]) > MAX_STRING for at in layout.texts):
        return False
    return not layout.ordered or _in_order(obj["created"], obj["modified"])


def _layout(kind: str, obj: dict[str, Any]) -> _Layout | None:
    """What names and types alone say of an object of a known type."""
    if any(name not in obj for name in REQUIRED[kind]):
        return None
    if kind in ONE_OF and not any(name in obj for name in ONE_OF[kind]):
        return None
    tests: list[tuple[int, Callable[[Any], bool]]] = []
    nested = []
    for at, (name, value) in enumerate(obj.items()):
        check, found = CHECKS.get(name), type(value)
        if found is dict or found is list:
            nested.append(at)
        if check is None or check is found:
            continue
        if isinstance(check, type):
            return None
        tests.append((at, OF_TEXT.get(check, check) if found is str else check))
    texts = [at for at, value in enumerate(obj.values()) if type(value) is str]
    return _Layout(tuple(tests), tuple(nested), tuple(texts), "created" in obj and "modified" in obj)


def _examined(obj: dict[str, Any], path: str, problems: list[Problem], *, small: bool) -> bool:
    """The same property by property, with what is wrong."""
    kind = obj.get("type")
    if type(kind) is not str or TYPE_NAME.fullmatch(kind) is None:
        problems.append(Problem("shape", "no type, or one that is not a STIX type name", f"{path}/type"))
        return False
    required = REQUIRED.get(kind)
    identifier = obj.get("id")
    if kind_of(identifier) != kind:
        reason = "no id" if identifier is None else "an id that is not `type--uuid` of its own type"
        problems.append(Problem("shape", reason, f"{path}/id"))
        return False
    for name in required or ():
        if name not in obj:
            problems.append(Problem("shape", "a required property is missing", f"{path}/{name}"))
            return False
    if (one_of := ONE_OF.get(kind)) and not any(name in obj for name in one_of):
        reason = f"one of {', '.join(one_of)} is required"
        problems.append(Problem("shape", reason, path))
        return False
    return _properties(obj, path, problems, required, small=small)


def _properties(
    obj: dict[str, Any], path: str, problems: list[Problem], required: tuple[str, ...] | None, *, small: bool
) -> bool:
    if len(obj) > MAX_ITEMS:
        problems.append(Problem("shape", f"more than {MAX_ITEMS} properties", path))
        return False
    check_of = (COMMON if required is None else CHECKS).get
    malformed: list[str] = []
    empty: list[str] = []
    for name, value in obj.items():
        check = check_of(name)
        kind = type(value)
        if check is not None and not (kind is check if type(check) is type else check(value)):
            if name in _VITAL or name in (required or ()):
                problems.append(Problem("shape", "malformed", f"{path}/{name}"))
                return False
            malformed.append(name)
        elif kind is list and not value and name not in (required or ()):
            empty.append(name)  # says nothing, and may not stand there (STIX 2.1 2.9)
        if kind is str:
            fits = small or len(value) <= MAX_STRING
        else:
            fits = (kind is not dict and kind is not list) or _within(value, MAX_DEPTH)
        if not fits:
            where = f"{path}/{name if name in _KNOWN else '*'}"
            problems.append(Problem("shape", "longer, larger or nested deeper than is read", where))
            return False
    for name in malformed:
        problems.append(Problem("shape", "malformed; the object goes on without it", f"{path}/{name}"))
        del obj[name]
    for name in empty:
        del obj[name]
    if "modified" in obj and "created" in obj and not _in_order(obj["created"], obj["modified"]):
        problems.append(Problem("shape", "modified before it was created", f"{path}/modified"))
        return False
    return True


def _in_order(created: Any, modified: Any) -> bool:
    """Times in UTC compare as text once the Z is gone, however many decimals they have."""
    if type(created) is not str or type(modified) is not str or created == modified:
        return True
    return created.rstrip("Z") <= modified.rstrip("Z") or _first_second(created) == _first_second(modified)


def _first_second(moment: str) -> str:
    return moment[:19]


def _within(value: Any, depth: int) -> bool:
    """Is it nested no deeper than that, and no part larger than is read?"""
    if depth == 0 or len(value) > MAX_ITEMS:
        return False
    for part in value.values() if type(value) is dict else value:
        kind = type(part)
        if kind is str:
            if len(part) > MAX_STRING:
                return False
        elif (kind is dict or kind is list) and not _within(part, depth - 1):
            return False
    return True
