"""Rows of others under a token or as a network, as a STIX 2.1 note with an extension of our own.

A token may never stand where a value belongs: it would be put on block lists. So it is in a property of the note's
extension (STIX 2.1 7.3, `property-extension`), whose definition goes along.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from normalize import Observable
from normalize.stix import new_id
from tlp import Label
from tlp.markings import STIX_ID

EXTENSION = "extension-definition--2f3d7a52-4b0e-4c1c-9c57-1f2f6ab0d9e4"
_OWNER = "identity--9f3a1d0e-6f0b-4a55-8a1c-0d5b1e7c2a64"
_CREATED = "2026-11-22T00:00:00.000Z"
_SCHEMA = (
    '{"type":"object","required":["pseudonyms"],"properties":{"pseudonyms":{"type":"array","items":{"type":"object",'
    '"properties":{"of":{"type":"string"},"token":{"type":"string"},"network":{"type":"string"},"role":'
    '{"enum":["attacker","victim","unknown"]},"asn":{"type":"integer"},"country":{"type":"string"},'
    '"port":{"type":"integer"}}}}}}'
)
IDENTITY: dict[str, Any] = {
    "type": "identity",
    "spec_version": "2.1",
    "id": _OWNER,
    "created": _CREATED,
    "modified": _CREATED,
    "name": "OKTT",
    "identity_class": "organization",
}
DEFINITION: dict[str, Any] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": EXTENSION,
    "created_by_ref": _OWNER,
    "created": _CREATED,
    "modified": _CREATED,
    "name": "Pseudonyms of addresses, mailboxes and accounts",
    "description": "A token stands for a value that this reader may not have; the same value has the same token.",
    "schema": _SCHEMA,
    "version": "1.0",
    "extension_types": ["property-extension"],
}


def pseudonyms(
    rows: Sequence[Observable], item: str, reader: str, label: Label, at: datetime
) -> tuple[dict[str, Any], ...]:
    """One note with all of them, the extension's definition, and who made both; nothing for no rows."""
    if not rows:
        return ()
    marked = {"object_marking_refs": [STIX_ID[label]]}
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": new_id("note", "pseudonyms", item, reader, *(row.value for row in rows)),
        "created_by_ref": _OWNER,
        "created": moment,
        "modified": moment,
        "abstract": f"{len(rows)} observables of others, under pseudonyms",
        "content": "The same token stands for the same value. Ask us about one: we can tell whom it concerns.",
        "object_refs": [_OWNER],
        "extensions": {
            EXTENSION: {"extension_type": "property-extension", "pseudonyms": [_pseudonym(row) for row in rows]}
        },
    }
    return (IDENTITY | marked, DEFINITION | marked, note | marked)


def _pseudonym(row: Observable) -> dict[str, Any]:
    what = {"of": row.detail["of"], "token": row.value} if row.type == "token" else {"network": row.value}
    known = {"role": row.role, "asn": row.asn, "country": row.country, "port": row.port}
    return {**what, **{name: value for name, value in known.items() if value is not None}}
