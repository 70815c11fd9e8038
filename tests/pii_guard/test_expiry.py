"""Retention of one statement: what has outlived it goes, the rest stays as it is; a stricter policy comes after."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest

from ingest import Source
from normalize import Draft, Facts, Observable
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from pii_guard.policy_file import load
from tests.conftest import NOW
from tests.pii_guard.conftest import SHIPPED, objects_of

KEY = b"a key of the tests, 32 bytes ..."
SOURCE = Source("market", "Market party", regime="wbdwb")
C2, VICTIM, OTHER = "203.0.113.66", "198.51.100.7", "198.51.100.9"
MAIL = "baas@aanvaller.example"
NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Of STIX 2.1 2.9: what ids of observables are made in."""


def obj(kind: str, number: int, **properties: Any) -> dict[str, Any]:
    times = {"created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z"}
    common = {"type": kind, "spec_version": "2.1", "id": f"{kind}--00000000-0000-4000-8000-{number:012}"}
    return {**common, **({} if kind.endswith("-addr") else times), **properties}


ADDRESS = {
    "type": "ipv4-addr", "spec_version": "2.1", "value": C2,
    "id": "ipv4-addr--" + str(uuid5(NAMESPACE, '{"value":"' + C2 + '"}')),
}  # fmt: skip
MALWARE = obj("malware", 1, name="Emotet", is_family=True)
BOTH = obj(
    "indicator", 2, name="C2", indicator_types=["malicious-activity"], pattern_type="stix",
    pattern=f"[ipv4-addr:value = '{C2}' OR domain-name:value = 'evil.example']", valid_from="2026-03-01T00:00:00Z",
)  # fmt: skip
ALONE = {**BOTH, "id": "indicator--00000000-0000-4000-8000-000000000003", "pattern": f"[ipv4-addr:value = '{C2}']"}
LINKS = [
    obj("relationship", 10 + n, relationship_type="indicates", source_ref=each["id"], target_ref=MALWARE["id"])
    for n, each in enumerate((BOTH, ALONE))
]
BEACON = obj(
    "relationship", 20, relationship_type="communicates-with", source_ref=MALWARE["id"], target_ref=ADDRESS["id"]
)
GRAPH = (MALWARE, ADDRESS, BOTH, ALONE, *LINKS, BEACON)
ROWS = (
    Observable("ipv4", VICTIM, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", NOW, {"tag": "rdp"}),
    Observable("ipv4", OTHER, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", NOW),
    Observable("ipv4", C2, "attacker", "c2"),
    Observable("email", MAIL, "attacker", "phishing"),
    Observable("domain", "evil.example", "attacker", "c2"),
    Observable("hash", "a" * 64),
)


def shipped(*changes: tuple[str, str]) -> Guard:
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Guard(load(text, "legal.toml"), KEY)


def stated(guard: Guard, source: Source = SOURCE, **properties: Any) -> Statement:
    draft = Draft("report", "key", f"C2 op {C2}", f"Schrijft {MAIL}.", "nl", Facts(observables=ROWS), GRAPH)
    answer = guard.admit(msgspec.structs.replace(draft, **properties), source, NOW)
    assert isinstance(answer, Item)
    return answer.statements[0]


def after(days: float) -> datetime:
    return NOW + timedelta(days=days)


def reguarded(guard: Guard, statement: Statement, days: float, source: Source = SOURCE) -> Statement:
    made = guard.reguard(statement, source, after(days))
    assert made is not None
    return made


def test_within_its_retention_nothing_changes() -> None:
    guard = shipped()
    statement = stated(guard)
    assert C2 in repr(statement)
    for days in (0, 1, 89.9):
        assert guard.reguard(statement, SOURCE, after(days)) is None


def test_each_category_has_its_own_time() -> None:
    guard = shipped()
    statement = stated(guard)
    first = reguarded(guard, statement, 90)
    assert MAIL not in repr(first)
    assert C2 in repr(first.facts)
    assert C2 in bytes(first.objects).decode()
    second = reguarded(guard, first, 180)
    for value in (C2, VICTIM, OTHER, MAIL, ADDRESS["id"]):
        assert value not in repr(second)
        assert value not in bytes(second.objects).decode()
    assert reguarded(guard, statement, 180).facts == second.facts
    for done in (first, second):
        assert guard.reguard(done, SOURCE, after(90 if done is first else 180)) is None


def test_rows_become_counts_as_without_a_basis_and_what_is_nobodys_stays() -> None:
    guard = shipped()
    made = reguarded(guard, stated(guard), 200).facts.observables
    rows = [(o.type, o.value, o.role, o.detail.get("count")) for o in made]
    assert sorted(rows, key=repr) == [
        ("asn", "AS64500", "victim", "2"),
        ("domain", "evil.example", "attacker", None),
        ("hash", "a" * 64, "unknown", None),
        ("other", "removed", "attacker", "2"),
    ]


def test_counts_add_up_over_two_times() -> None:
    guard = shipped()
    statement = stated(guard)
    twice = reguarded(guard, reguarded(guard, statement, 90), 180).facts.observables
    once = reguarded(guard, statement, 180).facts.observables
    assert sorted(map(repr, twice)) == sorted(map(repr, once))


def test_patterns_lose_what_expired_and_what_changed_gets_another_id() -> None:
    guard = shipped()
    statement = stated(guard)
    before = {each["id"]: each for each in objects_of(statement)}
    assert before.keys() == {each["id"] for each in GRAPH}
    left = objects_of(reguarded(guard, statement, 180))
    kinds = sorted(each["type"] for each in left)
    assert kinds == ["indicator", "malware", "relationship"]
    indicator, malware, link = sorted(left, key=lambda each: str(each["type"]))
    assert indicator["pattern"] == "[domain-name:value = 'evil.example']"
    assert indicator["id"] not in before
    assert malware == MALWARE
    assert (link["source_ref"], link["target_ref"]) == (indicator["id"], MALWARE["id"])
    assert link["id"] not in before


def test_what_makes_news_stays_and_the_findings_say_what_went() -> None:
    guard = shipped()
    statement = stated(guard)
    made = reguarded(guard, statement, 180)
    for name in ("key", "source", "kind", "label", "holds", "meaning", "regime", "policy", "received_at"):
        assert getattr(made, name) == getattr(statement, name)
    assert made.findings[: len(statement.findings)] == statement.findings
    new = made.findings[len(statement.findings) :]
    assert {(each.action, each.rule) for each in new} == {("strip", "wbdwb.retention")}
    rows = {(each.category, each.role): each.count for each in new if each.path.startswith("/facts/observables")}
    assert rows == {("ipv4", "victim"): 2, ("ipv4", "attacker"): 1, ("email", "attacker"): 1}
    assert C2 not in repr(new)


def test_attackers_addresses_of_a_reviewed_source_go_too() -> None:
    guard = shipped()
    source = Source("reviewed", "R", regime="no-basis", attacker_ip="keep", public=True)
    statement = stated(guard, source, title="C2", summary="")
    assert C2 in bytes(statement.objects).decode()
    assert guard.reguard(statement, source, after(179)) is None
    made = reguarded(guard, statement, 180, source)
    assert C2 not in repr(made) + bytes(made.objects).decode()
    assert {each.rule for each in made.findings if "retention" in each.rule} == {"no-basis.retention"}


def test_a_source_that_lost_its_exception_loses_what_was_kept() -> None:
    guard = shipped()
    source = Source("reviewed", "R", regime="no-basis", attacker_ip="keep", public=True)
    statement = stated(guard, source, title="C2", summary="")
    plain = Source("reviewed", "R", regime="no-basis", public=True)
    made = reguarded(guard, statement, 1, plain)
    assert C2 not in repr(made) + bytes(made.objects).decode()
    assert guard.reguard(made, plain, after(1)) is None


STRICTER = (
    'id = "wbdwb.network-victim"\ncategories = ["ipv4", "ipv6", "mac", "username", "url-personal", "email", "phone"]\n'
    'roles = ["victim", "unknown"]\naction = "gate"\n'
    'to = { organisation = "keep", network-owner = "keep", cert = "token", partnership = "strip", public = "strip" }'
)


def acting(action: str) -> str:
    """That rule with another action, which nobody gets what is gated by."""
    return STRICTER[: STRICTER.index("to = {")].replace('"gate"', f'"{action}"')


def test_a_stricter_policy_strips_what_is_stored() -> None:
    guard = shipped()
    statement = stated(guard)
    strict = shipped((STRICTER, acting("strip")))
    made = reguarded(strict, statement, 1)
    values = {each.value for each in made.facts.observables}
    assert VICTIM not in values
    assert {C2, MAIL} <= values
    assert bytes(made.objects) == bytes(statement.objects)
    assert {(each.rule, each.action) for each in made.findings[len(statement.findings) :]} == {
        ("wbdwb.network-victim", "strip")
    }
    assert strict.reguard(made, SOURCE, after(1)) is None


def test_what_a_policy_would_refuse_today_is_stripped() -> None:
    statement = stated(shipped())
    made = reguarded(shipped((STRICTER, acting("refuse"))), statement, 1)
    assert VICTIM not in repr(made)


def test_a_wider_policy_gives_nothing_back() -> None:
    statement = stated(shipped())
    wide = shipped((STRICTER, acting("keep")))
    assert wide.reguard(statement, SOURCE, after(1)) is None


@pytest.mark.parametrize("gone", [True, False])
def test_a_policy_with_another_basis_for_others_changes_nothing(gone: bool) -> None:
    statement = stated(shipped())
    changed = shipped(("[regime.cbw.retention]\nitem = 1825", "[regime.cbw.retention]\nitem = 1000"))
    assert changed.policy.hash != statement.policy
    assert changed.reguard(statement, SOURCE, after(1)) is None
    if gone:  # the regime that let it in is no more: the one in force then decides
        text = SHIPPED.read_text(encoding="utf-8").replace("wbdwb", "wdb")
        other = Guard(load(text, "legal.toml"), KEY)
        made = other.reguard(statement, Source("market", "M"), after(180))
        assert made is not None
        assert C2 not in repr(made)


def test_doubtful_prose_goes_and_the_prose_around_it_stays() -> None:
    guard = shipped()
    doubtful = "Bel mevrouw De Vries over de storing bij Fortinet."
    statement = stated(guard, title="Storing bij Fortinet", summary=doubtful)
    made = guard.reguard(statement, SOURCE, after(90))
    assert made is not None
    assert made.title == "Storing bij Fortinet"
    assert made.summary.endswith("Fortinet.")
    assert "Vries" not in made.summary
    assert made.holds == statement.holds
