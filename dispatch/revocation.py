"""The last version of an object that is taken back: it says that, and nothing else.

TLP and retention leave no right to repeat the content, and who holds the object needs only its id, a later
`modified` and `revoked: true` (STIX 2.1 3.6). Properties that its type requires are there with neutral values; ids
of other objects stay, because they may not change between versions and say nothing. Those of observables do say
something (they are hashes of a value, STIX 2.1 2.9, and all of IPv4 can be tried): an id that is nobody's stands there.
"""

from typing import Any

KEPT = frozenset({
    "type", "spec_version", "id", "created", "created_by_ref", "object_marking_refs", "relationship_type",
    "source_ref", "target_ref", "sighting_of_ref", "object_refs", "object_ref", "is_family", "valid_from",
    "published", "first_observed", "last_observed", "number_observed", "extension_types",
})  # fmt: skip

NEUTRAL: dict[str, Any] = {
    "name": "withdrawn",
    "pattern": "[x-withdrawn:value = true]",
    "pattern_type": "stix",
    "content": "withdrawn",
    "context": "unspecified",
    "opinion": "neutral",
    "product": "withdrawn",
    "result": "unknown",
    "contents": {"en": {"name": "withdrawn"}},
    "schema": "withdrawn",
    "version": "1.0.0",
}

OBSERVABLES = frozenset({
    "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr",
    "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account",
    "windows-registry-key", "x509-certificate",
})  # fmt: skip
"""STIX 2.1 6: what has no `modified`, and an id made of its value."""
_NOBODY = "00000000-0000-4000-8000-000000000000"
_REFERENCES = ("source_ref", "target_ref", "sighting_of_ref", "object_ref", "object_refs")


def notice(obj: dict[str, Any], modified: str) -> dict[str, Any]:
    """The revoked version of an SDO or SRO, STIX timestamp `modified`."""
    said = {name: value for name, value in obj.items() if name in KEPT}
    said |= {name: value for name, value in NEUTRAL.items() if name in obj}
    for name in said.keys() & _REFERENCES:
        refs = said[name]
        said[name] = [*dict.fromkeys(map(_nobodys, refs))] if isinstance(refs, list) else _nobodys(refs)
    if obj["type"] == "location":
        said["region"] = "world"  # one of region, country or coordinates is required
    if obj["type"] == "malware-analysis":
        said["result"] = "unknown"
    return said | {"modified": modified, "revoked": True}


def _nobodys(ref: str) -> str:
    kind = ref.partition("--")[0]
    return f"{kind}--{_NOBODY}" if kind in OBSERVABLES else ref
