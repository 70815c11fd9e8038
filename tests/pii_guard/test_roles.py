"""Whose value it is: the lattice, and what a bundle's graph says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pii_guard.blocks import Blocks
from pii_guard.patterns import Patterns
from pii_guard.roles import EVIDENCE, join, of_bundle, of_text

C2, VICTIM = "203.0.113.5", "198.51.100.7"


def sco(value: str, name: str = "1") -> dict[str, Any]:
    return {"type": "ipv4-addr", "id": f"ipv4-addr--{name}", "value": value}


def link(source: str, name: str, target: str) -> dict[str, Any]:
    kind = {"type": "relationship", "id": f"relationship--{source}{target}", "relationship_type": name}
    return {**kind, "source_ref": source, "target_ref": target}


def indicator(*types: str, value: str = C2) -> dict[str, Any]:
    return {
        "type": "indicator",
        "id": "indicator--1",
        "indicator_types": list(types),
        "pattern": f"[ipv4-addr:value = '{value}']",
        "pattern_type": "stix",
    }


def role(objects: list[dict[str, Any]], value: str = C2) -> str:
    return of_bundle(Blocks(objects), Patterns().compared).of_value("ipv4-addr", value)


@given(st.lists(st.sampled_from([*EVIDENCE, "report:scan_rdp", "nonsense"])))
def test_any_evidence_for_a_victim_wins_in_any_order(tokens: list[str]) -> None:
    found = join(tokens)
    assert found == join(reversed(tokens))
    if found != "victim":
        assert join([*tokens, "victim"]) == "victim"
    assert join(["nonsense"]) == "unknown"


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("", "unknown"),
        ("indicator-type:malicious-activity", "unknown"),
        ("indicator-type:malicious-activity indicates", "attacker"),
        ("indicator-type:malicious-activity, indicates:malware", "attacker"),
        ("indicator-type:compromised indicator-type:malicious-activity indicates", "victim"),
        ("report:scan_rdp", "victim"),
        ("infrastructure:command-and-control", "attacker"),
        ("infrastructure:botnet infrastructure:command-and-control", "victim"),
    ],
)
def test_evidence_as_text(evidence: str, expected: str) -> None:
    assert of_text(evidence) == expected


def test_an_indicator_alone_convicts_nobody() -> None:
    alone = indicator("malicious-activity")
    assert role([alone]) == "unknown"
    assert role([alone, link("indicator--1", "indicates", "malware--1")]) == "attacker"
    assert role([alone, link("indicator--1", "indicates", "identity--1")]) == "unknown"
    assert role([indicator("compromised"), link("indicator--1", "indicates", "malware--1")]) == "victim"


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["command-and-control"], "attacker"),
        (["phishing", "staging"], "attacker"),
        (["botnet"], "victim"),
        (["anonymization", "command-and-control"], "victim"),
        (["workstation"], "victim"),
        (["undefined"], "unknown"),
    ],
)
def test_infrastructure(types: list[str], expected: str) -> None:
    host = {"type": "infrastructure", "id": "infrastructure--1", "infrastructure_types": types}
    assert role([sco(C2), host, link("infrastructure--1", "consists-of", "ipv4-addr--1")]) == expected


def test_whom_malware_talks_to_and_who_talks() -> None:
    traffic = {
        "type": "network-traffic",
        "id": "network-traffic--1",
        "src_ref": "ipv4-addr--2",
        "dst_ref": "ipv4-addr--1",
    }
    objects = [sco(C2), sco(VICTIM, "2"), traffic, link("malware--1", "beacons-to", "ipv4-addr--1")]
    assert role(objects) == "attacker"
    assert role(objects, VICTIM) == "victim"


def test_what_was_seen_in_a_sighting_is_the_victims_and_a_conflict_too() -> None:
    objects = [
        sco(C2),
        indicator("malicious-activity"),
        link("indicator--1", "indicates", "malware--1"),
        {"type": "observed-data", "id": "observed-data--1", "object_refs": ["ipv4-addr--1"]},
    ]
    assert role(objects) == "attacker"
    seen = {"type": "sighting", "id": "sighting--1", "observed_data_refs": ["observed-data--1"]}
    assert role([*objects, seen]) == "victim"


def test_targets_and_recipients_are_victims() -> None:
    assert role([sco(C2), link("intrusion-set--1", "targets", "ipv4-addr--1")]) == "victim"
    mail = {"type": "email-message", "id": "email-message--1", "to_refs": ["email-addr--1"]}
    address = {"type": "email-addr", "id": "email-addr--1", "value": "a@b.example"}
    assert of_bundle(Blocks([mail, address]), Patterns().compared).of_value("email-addr", "A@b.example") == "victim"


def test_a_subscriber_is_no_evidence_and_neither_is_being_there() -> None:
    assert role([sco(C2)]) == "unknown"
