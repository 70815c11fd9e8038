"""STIX 2.0 objects as STIX 2.1 (part 11 of STIX 2.1, appendix B: what changed).

`labels` become the types they were; the observables inside an observed-data become objects of their own, with
ids that do not follow from their values; times in patterns get their prefix.
"""

import re
from collections.abc import Callable
from typing import Any

_TYPES_OF = {
    "indicator": "indicator_types",
    "malware": "malware_types",
    "report": "report_types",
    "threat-actor": "threat_actor_types",
    "tool": "tool_types",
    "identity": "roles",
}
"""STIX 2.0 used `labels` for what 2.1 gives a property of its own."""

_RENAMED: dict[str, dict[str, str]] = {
    "file": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "directory": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "process": {"created": "created_time", "binary_ref": "image_ref"},
    "windows-registry-key": {"modified": "modified_time"},
    "user-account": {"password_last_changed": "credential_last_changed"},
}
_GONE = {
    "process": ("name", "arguments"),
    "file": ("is_encrypted", "encryption_algorithm", "decryption_key"),
}
_BARE_TIME = re.compile(r"\b(START|STOP)(\s+)'(\d{4}-\d\d-\d\dT[\d:.]+Z)'")

NewId = Callable[..., str]


def upgraded(obj: dict[str, Any], new_id: NewId) -> list[dict[str, Any]]:
    """One 2.0 object as 2.1, with the observables that were inside it. What is malformed stays so, for the gate."""
    result = {"spec_version": "2.1", **obj}
    result["spec_version"] = "2.1"
    kind = obj.get("type")
    if not isinstance(kind, str):
        return [result]
    types = _TYPES_OF.get(kind)
    if types and types not in obj and isinstance(labels := obj.get("labels"), list):
        result[types] = labels
        del result["labels"]
    if kind == "indicator":
        result.setdefault("pattern_type", "stix")
        result.setdefault("pattern_version", "2.1")
        if "created" in obj:
            result.setdefault("valid_from", obj["created"])
        if isinstance(pattern := obj.get("pattern"), str) and result["pattern_type"] == "stix":
            result["pattern"] = _BARE_TIME.sub(r"\1\2t'\3'", pattern)
    elif kind == "malware":
        result.setdefault("is_family", False)
    elif kind == "report" and "created" in obj:
        result.setdefault("published", obj["created"])
    elif kind == "observed-data" and isinstance(inside := obj.get("objects"), dict):
        del result["objects"]
        observables = _observables(inside, str(obj.get("id")), new_id)
        result["object_refs"] = [observable["id"] for observable in observables]
        return [result, *observables]
    return [result]


def _observables(inside: dict[str, Any], owner: str, new_id: NewId) -> list[dict[str, Any]]:
    """The numbered objects of an observed-data, with ids from where they stand."""
    ids = {
        key: new_id(part["type"], owner, key)
        for key, part in inside.items()
        if isinstance(part, dict) and isinstance(part.get("type"), str)
    }
    found = []
    for key, identifier in ids.items():
        part = inside[key]
        kind = part["type"]
        renamed = _RENAMED.get(kind, {})
        gone = _GONE.get(kind, ())
        made: dict[str, Any] = {"type": kind, "spec_version": "2.1", "id": identifier}
        for name, value in part.items():
            if name != "type" and name not in gone:
                made[renamed.get(name, name)] = _resolved(name, value, ids, depth=8)
        found.append(made)
    return found


def _resolved(name: str, value: Any, ids: dict[str, str], depth: int) -> Any:
    """References by number become references by id, also inside extensions."""
    if name.endswith("_ref") and isinstance(value, str):
        return ids.get(value, value)
    if name.endswith("_refs") and isinstance(value, list):
        return [ids.get(part, part) if isinstance(part, str) else part for part in value]
    if depth == 0:
        return value
    if isinstance(value, dict):
        return {key: _resolved(key, part, ids, depth - 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_resolved("", part, ids, depth - 1) for part in value]
    return value
