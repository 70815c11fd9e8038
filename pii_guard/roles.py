"""Whose value is it: attacker's, victim's or unknown? An evidence lattice as data; unknown counts as victim.

Evidence is a set of tokens: `indicator-type:malicious-activity`, `infrastructure:command-and-control`,
`report:scan_rdp`. Each speaks for one role; any evidence for victim wins over all evidence for attacker.
The register of subscribers is never evidence here (domain-rules, "Whom it concerns").
Sources: STIX 2.1 4.7, 4.8, 5.2, 6.4, 6.12, 10.6, 10.9 and field-notes "STIX 2.1 and personal data".
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from normalize import Role
from pii_guard.blocks import Block, Blocks

ATTACKER_INFRASTRUCTURE = frozenset(
    {"command-and-control", "phishing", "hosting-malware", "exfiltration", "staging", "hosting-target-lists"}
)
VICTIM_INFRASTRUCTURE = frozenset({"workstation", "firewall", "routers-switches", "control-system"})

EVIDENCE: Mapping[str, Role] = {
    # Both of these together speak for the attacker: an indicator that merely exists may point at a victim's host.
    "indicator-type:malicious-activity+indicates": "attacker",
    "indicator-type:attribution+indicates": "attacker",
    "indicator-type:compromised": "victim",
    "indicator-type:benign": "victim",
    "indicator-type:anonymization": "victim",
    **{f"infrastructure:{name}": "attacker" for name in ATTACKER_INFRASTRUCTURE},
    **{f"infrastructure:{name}": "victim" for name in VICTIM_INFRASTRUCTURE},
    # Dual: a bot and a relay are somebody's hosts.
    "infrastructure:botnet": "victim",
    "infrastructure:anonymization": "victim",
    "malware:beacons-to": "attacker",
    "malware:communicates-with": "attacker",
    "malware:exfiltrates-to": "attacker",
    "malware:downloads-from": "attacker",
    "malware:downloaded-from": "attacker",
    "traffic:beacon-source": "victim",
    "traffic:beacon-target": "attacker",
    "sighting:where": "victim",
    "sighting:observed": "victim",
    "relationship:targets": "victim",
    "relationship:compromises": "victim",
    "email:recipient": "victim",
    # What other formats know.
    "c2": "attacker",
    "command-and-control": "attacker",
    "phishing": "attacker",
    "hosting-malware": "attacker",
    "malware-url": "attacker",
    "misp:to-ids": "attacker",
    "compromised": "victim",
    "sinkhole": "victim",
    "victim": "victim",
}
"""Token -> the role it speaks for. A token that does not stand here speaks for nobody."""
PREFIXES: tuple[tuple[str, Role], ...] = (("report:", "victim"), ("victim:", "victim"))
"""A row of an exposure report is about the host of whoever gets it."""

_INDICATED = frozenset(
    {"malware", "threat-actor", "intrusion-set", "campaign", "tool", "attack-pattern", "infrastructure"}
)
_MALWARE_LINKS = frozenset({"beacons-to", "communicates-with", "exfiltrates-to", "downloads-from", "downloaded-from"})
_MEMBERS = {"consists-of", "hosts", "controls", "has"}

_NONE: frozenset[str] = frozenset()

Compared = Callable[[Block], Iterable[tuple[Sequence[int], str, Sequence[str]]]]
"""What the patterns of a block compare with: numbers of its objects, an SCO type, and a value for each."""


def speaks(token: str) -> Role:
    """The role one piece of evidence speaks for."""
    known = EVIDENCE.get(token)
    if known is not None:
        return known
    return next((role for prefix, role in PREFIXES if token.startswith(prefix)), "unknown")


def join(evidence: Iterable[str]) -> Role:
    """The lattice: victim over attacker over unknown. Without evidence: unknown."""
    role: Role = "unknown"
    for token in evidence:
        spoken = EVIDENCE.get(token) or speaks(token)
        if spoken == "victim":
            return "victim"
        if spoken == "attacker":
            role = "attacker"
    return role


def of_text(evidence: str) -> Role:
    """The role of what normalize wrote down as evidence: tokens parted by blanks, commas or semicolons.

    `indicator-type:malicious-activity` and `indicates` (with or without its target) make one piece together.
    """
    return join(_whole(evidence.replace(",", " ").replace(";", " ").split()))


def _whole(tokens: Sequence[str]) -> set[str]:
    found = set(tokens)
    if any(piece == "indicates" or piece.startswith("indicates:") for piece in tokens):
        found |= {f"{piece}+indicates" for piece in tokens if piece.startswith("indicator-type:")}
    return found


class Roles:
    """Evidence about the values of one draft, gathered from its graph. `of_value` and `of_object` answer."""

    __slots__ = ("_joined", "_objects", "_values")

    def __init__(self) -> None:
        self._objects: dict[str, set[str]] = {}
        self._values: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        """SCO type -> value, casefolded -> evidence: how patterns, objects and facts name the same thing."""
        self._joined: dict[frozenset[str], Role] = {}
        """Roles of evidence that was weighed before: most values of a draft have the same."""

    def __bool__(self) -> bool:
        """Is anything known at all?"""
        return bool(self._objects or self._values)

    def add_object(self, identifier: str, tokens: Iterable[str]) -> None:
        """Evidence about the object with that id."""
        self._objects.setdefault(identifier, set()).update(tokens)

    def add_value(self, kind: str, value: str, tokens: Iterable[str]) -> None:
        """Evidence about a value wherever it stands."""
        self.add_values(kind, (value,), frozenset(tokens))

    def add_values(self, kind: str, values: Iterable[str], tokens: frozenset[str]) -> None:
        """The same evidence about many values of a type."""
        known, keys = self._values[kind], set(map(str.casefold, values))
        for key in keys & known.keys() if known else ():
            known[key] |= tokens
            keys.discard(key)
        known.update(dict.fromkeys(keys, tokens))

    def evidence(self, kind: str, value: str, identifier: str = "") -> frozenset[str]:
        """Everything known about a value and about the object that carries it."""
        known = self._values.get(kind)
        found = known.get(value.casefold(), _NONE) if known else _NONE
        return found | self._objects[identifier] if identifier in self._objects else found

    def of_value(self, kind: str, value: str, identifier: str = "") -> Role:
        """The role of a value, with what is known of the object that carries it."""
        if not self._values and identifier not in self._objects:
            return "unknown"
        evidence = self.evidence(kind, value, identifier)
        role = self._joined.get(evidence)
        if role is None:
            role = self._joined[evidence] = join(evidence)
        return role

    def of_anything(self, value: str) -> Role:
        """The role of a value found in prose, whatever kind of object it would be."""
        if not self._values:
            return "unknown"
        folded = value.casefold()
        found: set[str] = set()
        for kind in _PROSE_KINDS:
            if (values := self._values.get(kind)) and (known := values.get(folded)):
                found |= known
        return join(found) if found else "unknown"

    def tokens(self, identifier: str) -> set[str]:
        """Evidence about one object."""
        return self._objects.get(identifier, set())

    def settle(self, blocks: Blocks) -> None:
        """Let the evidence about objects count for their values, so that conflicts show everywhere."""
        if not self._objects:
            return
        for block in blocks.all:
            for identifier, value in block.where("id", "value"):
                tokens = self._objects.get(str(identifier))
                if tokens and isinstance(value, str):
                    self.add_value(block.kind, value, tokens)


_PROSE_KINDS = ("ipv4-addr", "ipv6-addr", "email-addr", "mac-addr", "url", "domain-name")


def of_bundle(blocks: Blocks, compared: Compared) -> Roles:
    """Roles of everything in one draft's STIX objects. A pattern that cannot be read compares with nothing."""
    roles = Roles()
    observed = _objects(blocks, "observed-data")
    by_id = {_id(obj): obj for obj in (*_objects(blocks, "infrastructure"), *observed)}
    indicates = _relationships(blocks, by_id, roles)
    _indicators(blocks, indicates, roles, compared)
    for obj in _objects(blocks, "sighting"):
        _sighting(obj, by_id, roles)
    for obj in _objects(blocks, "email-message"):
        for key in ("to_refs", "cc_refs", "bcc_refs"):
            for ref in _refs(obj, key):
                roles.add_object(ref, ("email:recipient",))
    _hand_down(observed, _objects(blocks, "network-traffic"), roles)
    roles.settle(blocks)
    return roles


def _objects(blocks: Blocks, kind: str) -> list[Mapping[str, Any]]:
    """The objects of a type, in the order of the draft."""
    return [blocks.objects[row] for row in sorted(row for block in blocks.of(kind) for row in block.rows)]


def _relationships(blocks: Blocks, by_id: Mapping[str, Mapping[str, Any]], roles: Roles) -> set[str]:
    """Evidence from relationships; returns ids of the indicators that indicate something malicious."""
    indicates: set[str] = set()
    indicated: dict[str, bool] = {}
    for block in blocks.of("relationship"):
        for source, target, link in block.where("source_ref", "target_ref", "relationship_type"):
            if not (type(source) is str and type(target) is str and type(link) is str):
                continue
            if link == "indicates":
                if (known := indicated.get(target)) is None:
                    known = indicated[target] = target.partition("--")[0] in _INDICATED
                if known:
                    indicates.add(source)
                continue
            # Whoever communicates with bad infrastructure may be its victim: that link is no evidence.
            origin = source.partition("--")[0]
            if origin == "malware" and link in _MALWARE_LINKS:
                roles.add_object(target, (f"malware:{link}",))
            elif link in ("targets", "compromises"):
                roles.add_object(target, (f"relationship:{link}",))
            elif origin == "infrastructure" and link in _MEMBERS:
                roles.add_object(target, _infrastructure(by_id.get(source, {})))
    return indicates


def _infrastructure(obj: Mapping[str, Any]) -> list[str]:
    types = obj.get("infrastructure_types")
    return [f"infrastructure:{name}" for name in types if isinstance(name, str)] if isinstance(types, list) else []


def _indicators(blocks: Blocks, indicates: AbstractSet[str], roles: Roles, compared: Compared) -> None:
    """Evidence of each value that a pattern compares with. Most indicators of a draft have the same types."""
    for block in blocks.of("indicator"):
        if not {"indicator_types", "pattern"} <= block.columns.keys():
            continue
        known = [
            (_texts(types), type(identifier) is str and identifier in indicates) if type(types) is list else None
            for identifier, types in block.where("id", "indicator_types")
        ]
        alike = {each: _tokens(*each) for each in set(known) if each is not None}
        one = len(set(known)) == 1
        for rows, kind, values in compared(block):
            for each, tokens in alike.items():
                mine = values if one else [v for at, v in zip(rows, values, strict=True) if known[at] == each]
                roles.add_values(kind, mine, tokens)


def _tokens(types: tuple[str, ...], malicious: bool) -> frozenset[str]:
    tokens = [f"indicator-type:{name}" for name in types]
    return frozenset(_whole([*tokens, "indicates"]) if malicious else tokens)


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    if len(values) == 1:
        return tuple(values) if type(values[0]) is str else ()
    return tuple(value for value in values if type(value) is str)


def _sighting(obj: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]], roles: Roles) -> None:
    for ref in _refs(obj, "where_sighted_refs"):
        roles.add_object(ref, ("sighting:where",))
    for ref in _refs(obj, "observed_data_refs"):
        for seen in _refs(by_id.get(ref, {}), "object_refs"):
            roles.add_object(seen, ("sighting:observed",))


def _hand_down(observed: Sequence[Mapping[str, Any]], traffic: Sequence[Mapping[str, Any]], roles: Roles) -> None:
    """What is known of observed data, infrastructure and traffic counts for what they hold."""
    for obj in observed:
        if tokens := roles.tokens(_id(obj)):
            for ref in _refs(obj, "object_refs"):
                roles.add_object(ref, tokens)
    for obj in traffic:
        role = join(roles.tokens(_id(obj)))
        source, target = obj.get("src_ref"), obj.get("dst_ref")
        beacon = any(token.startswith("malware:") for token in roles.tokens(_id(obj)))
        known = isinstance(target, str) and join(roles.tokens(target)) == "attacker"
        if isinstance(source, str) and (beacon or known or role == "victim"):
            roles.add_object(source, ("traffic:beacon-source",))
        if isinstance(target, str) and beacon:
            roles.add_object(target, ("traffic:beacon-target",))


def _id(obj: Mapping[str, Any]) -> str:
    return str(obj.get("id", ""))


def _refs(obj: Mapping[str, Any], key: str) -> list[str]:
    refs = obj.get(key)
    return [ref for ref in refs if isinstance(ref, str)] if isinstance(refs, list) else []
