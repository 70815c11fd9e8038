"""Why a value in STIX objects would be an attacker's or a victim's: tokens, and the role they add up to here.

The role is preliminary (ranking, titles); the guard weighs the same tokens by its own lattice and decides.
Source: STIX 2.1 4.7, 4.8, 5.2, 6.4, 6.12 and field-notes "STIX 2.1 and personal data".
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from normalize import Role

By = Mapping[str, Sequence[dict[str, Any]]]
"""Objects by their type."""
Evidence = dict[str, set[str]]
"""Id -> tokens."""

ATTACKER = frozenset(
    (
        *("infrastructure:command-and-control", "infrastructure:phishing", "infrastructure:hosting-malware"),
        *("infrastructure:exfiltration", "infrastructure:staging", "traffic:beacon-target"),
        *("malware:beacons-to", "malware:communicates-with", "malware:exfiltrates-to", "malware:downloads-from"),
    )
)
VICTIM = frozenset(
    (
        *("infrastructure:workstation", "infrastructure:firewall", "infrastructure:routers-switches"),
        # Somebody's hosts, misused: dual, so victims.
        *("infrastructure:control-system", "infrastructure:botnet", "infrastructure:anonymization"),
        *("indicator-type:compromised", "traffic:beacon-source", "sighting:where", "sighting:observed"),
        *("relationship:targets", "relationship:compromises", "email:recipient"),
    )
)
_TOGETHER = frozenset(("indicator-type:malicious-activity", "indicates"))
_LINKS = frozenset(("beacons-to", "communicates-with", "exfiltrates-to", "downloads-from"))
_INDICATED = frozenset(
    ("malware", "threat-actor", "intrusion-set", "campaign", "tool", "attack-pattern", "infrastructure")
)
_HOSTS = frozenset(("consists-of", "hosts", "controls", "has"))


def role_of(evidence: set[str]) -> Role:
    """Any evidence for a victim outweighs all for an attacker; an indicator convicts only with what it indicates."""
    if not VICTIM.isdisjoint(evidence):
        return "victim"
    return "attacker" if not ATTACKER.isdisjoint(evidence) or evidence >= _TOGETHER else "unknown"


def gathered(by: By) -> tuple[Evidence, set[str]]:
    """What relations, sightings and messages say of objects, and which indicators indicate something malicious."""
    found: Evidence = defaultdict(set)
    indicates = _relations(by, found)
    _sightings(by, found)
    for obj in by["email-message"]:
        for name in ("to_refs", "cc_refs", "bcc_refs"):
            for ref in obj.get(name, ()):
                found[ref].add("email:recipient")
    _beacons(by, found)
    return found, indicates


def _relations(by: By, found: Evidence) -> set[str]:
    indicates: set[str] = set()
    kinds = {
        obj["id"]: [f"infrastructure:{name}" for name in obj.get("infrastructure_types", ())]
        for obj in by["infrastructure"]
    }
    for link in by["relationship"]:
        source, target, name = link["source_ref"], link["target_ref"], link["relationship_type"]
        origin = source.partition("--")[0]
        if name == "indicates" and target.partition("--")[0] in _INDICATED:
            indicates.add(source)
        elif origin == "malware" and name in _LINKS:
            found[target].add(f"malware:{name}")
        elif name in ("targets", "compromises"):
            found[target].add(f"relationship:{name}")
        elif origin == "infrastructure" and name in _HOSTS:
            found[target].update(kinds.get(source, ()))
    return indicates


def _sightings(by: By, found: Evidence) -> None:
    observed = {obj["id"]: obj.get("object_refs", []) for obj in by["observed-data"]}
    for obj in by["sighting"]:
        for ref in obj.get("where_sighted_refs", ()):
            found[ref].add("sighting:where")
        for ref in obj.get("observed_data_refs", ()):
            for seen in observed.get(ref, ()):
                found[seen].add("sighting:observed")
    for identifier, held in observed.items():
        for ref in held if identifier in found else ():
            found[ref] |= found[identifier]


def _beacons(by: By, found: Evidence) -> None:
    """Who talks to an attacker's machine is its victim (STIX 2.1 6.12: src_ref, dst_ref)."""
    for obj in by["network-traffic"]:
        source, target, own = obj.get("src_ref"), obj.get("dst_ref"), found.get(obj["id"], set())
        beacon = any(token.startswith("malware:") for token in own)
        if target and beacon:
            found[target].add("traffic:beacon-target")
        known = target is not None and role_of(found.get(target, set())) == "attacker"
        if source and (beacon or known or "sighting:observed" in own):
            found[source].add("traffic:beacon-source")
