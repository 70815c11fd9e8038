"""The values of a JSON document, each with its path, the name of its field, and what a known format says it is."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast, get_args

from pii_guard import Category
from pii_guard.detect import scan
from pii_guard.paths import COMMON, OBJECTS, OBSERVABLES
from pii_guard.words import WORDS

_PLAIN_KEY = re.compile(r"[A-Za-z_$@][\w.:$@/-]{0,63}").fullmatch
_LEAST_DIGITS = 8
"""A JSON number of so many digits may be somebody's."""
_CATEGORIES = frozenset(get_args(Category))
_NAME_FIELDS = WORDS["name-fields"]
"""Fields that hold names of persons."""
_MISP_TYPES: dict[str, Category] = {
    "target-user": "username",
    "github-username": "username",
    "whois-registrant-name": "name",
    "whois-registrant-phone": "phone",
    "whois-registrant-email": "email",
    "first-name": "name",
    "middle-name": "name",
    "last-name": "name",
    "full-name": "name",
    "date-of-birth": "dob",
    "phone-number": "phone",
    "twitter-id": "social",
    "jabber-id": "social",
    "iban": "iban",
    "mac-address": "mac",
    "prtn": "phone",
}
_NAME = re.compile(r"(?=.{2,80}$)[^\W\d_][^\d@/\\<>{}\[\]|:;=]*").fullmatch


class Place(NamedTuple):
    """One string of a document."""

    path: str
    """JSON Pointer; a key that holds something personal stands as `*`."""
    text: str
    field: str
    """The name of its field; empty: it has none."""
    whole: Category | None = None
    """All of it is this, by the field it stands in."""


class _Pairs(list[tuple[str, Any]]):
    """An object as it is written: a key that stands twice hides nothing."""


def values(text: str, path: str) -> list[Place] | None:
    """Every string and long number in a JSON document, and keys that are none of our words; None: it is no JSON."""
    try:
        decoded = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Pairs, parse_int=_number, parse_float=str)
        return list(_walk(decoded, path, "", {}))
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> str | int:
    return digits if len(digits) >= _LEAST_DIGITS else 0


def _walk(value: Any, path: str, field: str, whole: dict[str, Category]) -> Iterator[Place]:
    if isinstance(value, str):
        if value:
            yield Place(path, value, field, _of_field(field, value, whole))
    elif isinstance(value, _Pairs):
        known = _known(value)
        typed = dict(value).get("type") in OBJECTS or dict(value).get("type") in OBSERVABLES
        for key, inner in value:
            step, shown = key, "" if typed and key == "name" else key
            if not _PLAIN_KEY(key) or scan(key):
                step, shown = "*", ""
                yield Place(f"{path}/*", key, "")
            step = step.replace("~", "~0").replace("/", "~1")
            kind = dict(value).get("type") if key == "value" else None
            yield from _walk(inner, f"{path}/{step}", kind if isinstance(kind, str) else shown, known)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(inner, f"{path}/{number}", field, whole)


def _known(pairs: _Pairs) -> dict[str, Category]:
    """Field -> what it holds, where the object is one of STIX or an attribute of MISP."""
    kind = dict(pairs).get("type")
    if not isinstance(kind, str):
        return {}
    if kind in _MISP_TYPES:
        return {kind: _MISP_TYPES[kind]}
    table = OBSERVABLES.get(kind) or ({**COMMON, **OBJECTS[kind]} if kind in OBJECTS else {})
    found: dict[str, Category] = {}
    for name, how in table.items():
        category = "username" if how == "account" else how.partition(":")[2]
        if (
            category in _CATEGORIES
            and category != "free-text"
            and (how == "account" or how.startswith(("never:", "address:")))
        ):
            found[kind if name == "value" else name] = cast(Category, category)
    return found


def _of_field(field: str, value: str, whole: dict[str, Category]) -> Category | None:
    if field in whole:
        return whole[field]
    return "name" if field.lower() in _NAME_FIELDS and _NAME(value) else None
