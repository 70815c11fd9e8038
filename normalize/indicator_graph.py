"""STIX 2.1 objects for a table of indicators: a grouping of what it lists.

What is said to be malicious becomes an indicator, and indicates the malware that the row names or the infrastructure
that it is; the rest are observables. Ids of indicators follow from their place in the list and its time, never from
their value: whoever sees the id could try all addresses (field-notes, "Ids leak").
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from normalize import Observable
from normalize.authored import timestamp
from normalize.misp_objects import Object, file, identified, pattern
from normalize.stix import new_id
from tlp import Label, markings

Line = tuple[Sequence[Observable], set[str], bool, str, datetime | None]
"""Values of one row, evidence, whether it says malicious, the family it names, when it was seen."""
_VALUED = {
    "ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "domain": "domain-name", "url": "url", "email": "email-addr",
    "mac": "mac-addr",
}  # fmt: skip
_PLACES = {
    "command-and-control": "Command and control",
    "phishing": "Phishing",
    "hosting-malware": "Malware hosting",
}


def objects(
    lines: Sequence[Line], *, source: str, publisher: str, title: str, at: datetime, label: Label | None
) -> tuple[dict[str, Any], ...]:
    """The grouping and everything in it. `at`: when the list came in."""
    graph = _Graph(source, timestamp(at))
    author = graph.sdo("identity", publisher) | {"name": publisher, "identity_class": "organization"}
    for values, evidence, malicious, family, seen in lines:
        for obj in _observables(values):
            if malicious:
                graph.indicator(obj, evidence, family, timestamp(seen or at))
            else:
                graph.made.setdefault(obj["id"], obj)
    grouping = graph.sdo("grouping", "list") | {
        "created_by_ref": author["id"],
        "name": title,
        "context": "suspicious-activity",
        "object_refs": list(graph.made) or [author["id"]],
    }
    everything = [grouping, author, *graph.made.values()]
    if label is None:
        return tuple(everything)
    for obj in everything:
        obj["object_marking_refs"] = [markings.STIX_ID[label]]
    return (markings.definition(label), *everything)


def _observables(values: Sequence[Observable]) -> list[Object]:
    """One for each value; the hashes of a row are those of one file, unless two are of one kind."""
    made: list[Object] = []
    hashes = [value for value in values if value.type == "hash"]
    names = [value.value for value in values if value.type == "file"]
    kinds = [value.detail["algorithm"] for value in hashes]
    if len(set(kinds)) == len(kinds) and (hashes or names):
        made.append(file(names, {kind: value.value for kind, value in zip(kinds, hashes, strict=True)}))
    else:
        made += [file((), {value.detail["algorithm"]: value.value}) for value in hashes]
    for value in values:
        if value.type in _VALUED:
            made.append(identified({"type": _VALUED[value.type], "value": value.value}))
        elif value.type == "cidr":
            made.append(identified({"type": "ipv6-addr" if ":" in value.value else "ipv4-addr", "value": value.value}))
        elif value.type == "asn":
            made.append(identified({"type": "autonomous-system", "number": int(value.value[2:])}))
    return made


class _Graph:
    """Objects by id, in the order they came."""

    def __init__(self, source: str, at: str) -> None:
        self._of, self._at = source, at
        self.made: dict[str, Object] = {}
        self._known: set[str] = set()

    def sdo(self, kind: str, seed: str) -> Object:
        made = {"type": kind, "spec_version": "2.1", "id": new_id(kind, self._of, self._at, seed)}
        return made | {"created": self._at, "modified": self._at}

    def indicator(self, obj: Object, evidence: set[str], family: str, since: str) -> None:
        wanted = pattern(obj, {})
        if wanted is None or wanted in self._known:
            return
        self._known.add(wanted)
        made = self.sdo("indicator", str(len(self._known))) | {
            "indicator_types": ["compromised" if "indicator-type:compromised" in evidence else "malicious-activity"],
            "pattern": wanted,
            "pattern_type": "stix",
            "valid_from": since,
        }
        self.made[made["id"]] = made
        for kind, name in _PLACES.items():
            if f"infrastructure:{kind}" in evidence:
                place = self.sdo("infrastructure", kind) | {"name": name, "infrastructure_types": [kind]}
                self._indicates(made["id"], place)
        if "indicates" in evidence:
            self._indicates(made["id"], self.sdo("malware", family.casefold()) | {"name": family, "is_family": True})

    def _indicates(self, indicator: str, end: Object) -> None:
        self.made.setdefault(end["id"], end)
        link = self.sdo("relationship", f"{indicator} {end['id']}")
        link |= {"relationship_type": "indicates", "source_ref": indicator, "target_ref": end["id"]}
        self.made[link["id"]] = link
