"""A reader's own rows as STIX 2.1: observed-data on addresses, mailboxes, accounts, traffic and AS numbers.

Ids of observables follow STIX 2.1 section 2.9 (UUIDv5 of the contributing properties): this reader knows the value.
Observed-data ids also hold item and reader, so that two readers' cuts never share one.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from normalize import Observable
from normalize.stix import new_id

_NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_TYPES = {
    "ipv4": "ipv4-addr",
    "ipv6": "ipv6-addr",
    "domain": "domain-name",
    "email": "email-addr",
    "mac": "mac-addr",
    "username": "user-account",
}
_TRAFFIC = ("ipv4-addr", "ipv6-addr", "domain-name", "mac-addr")
"""What traffic may come from or go to (STIX 2.1 6.12)."""


def sightings(rows: Iterable[Observable], item: str, reader: str, received_at: datetime) -> list[dict[str, Any]]:
    """Objects for these rows, each id once. What STIX has no plain observable for is left out."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        objects = _observables(row)
        if not objects:
            continue
        found.update((obj["id"], obj) for obj in objects)
        data = _observed(row, objects, item, reader, received_at)
        found[data["id"]] = data
    return list(found.values())


def _observables(row: Observable) -> list[dict[str, Any]]:
    system = None if row.asn is None else _sco("autonomous-system", {"number": row.asn})
    if row.type == "asn":
        return [] if system is None else [system]
    kind = _kind(row)
    if kind is None:
        return []
    address = _sco(kind, {"user_id" if kind == "user-account" else "value": _written(row)})
    objects = [address]
    if system is not None and kind in ("ipv4-addr", "ipv6-addr"):
        address["belongs_to_refs"] = [system["id"]]
        objects.append(system)
    if row.port is not None and kind in _TRAFFIC:
        # Sinkhole and honeypot reports (event4_, event6_) see the reader's device as the one that connects.
        side = "src" if row.evidence.startswith("report:event") else "dst"
        traffic = {
            f"{side}_ref": address["id"],
            f"{side}_port": row.port,
            "protocols": [(row.protocol or "tcp").lower()],
        }
        objects.append(_sco("network-traffic", traffic))
    return objects


def _kind(row: Observable) -> str | None:
    if row.type == "cidr":
        return "ipv6-addr" if ":" in row.value else "ipv4-addr"
    return _TYPES.get(row.type)


def _written(row: Observable) -> str:
    """MAC addresses with colons, in lower case (STIX 2.1 6.9)."""
    if row.type != "mac":
        return row.value
    digits = "".join(sign for sign in row.value.lower() if sign not in ":-.")
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _sco(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    canonical = msgspec.json.encode(properties, order="deterministic").decode()
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(_NAMESPACE, canonical)}", **properties}


def _observed(
    row: Observable, objects: list[dict[str, Any]], item: str, reader: str, received_at: datetime
) -> dict[str, Any]:
    seen = _text(row.seen or received_at)
    parts = (item, reader, row.type, row.value, f"{row.protocol}/{row.port}", seen)
    return {
        "type": "observed-data",
        "spec_version": "2.1",
        "id": new_id("observed-data", *parts),
        "created": _text(received_at),
        "modified": _text(received_at),
        "first_observed": seen,
        "last_observed": seen,
        "number_observed": 1,
        "object_refs": [obj["id"] for obj in objects],
    }


def _text(moment: datetime) -> str:
    """RFC 3339 UTC with milliseconds, as STIX 2.1 section 3.2 asks of created and modified."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
