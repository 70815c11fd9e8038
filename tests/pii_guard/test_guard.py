"""The door's end: facts, labels, holds, words, seals, refusals, explanations."""

from datetime import UTC, datetime

import msgspec
import pytest

from ingest import Source
from normalize import Affected, Draft, Facts, Observable, Range
from pii_guard import GuardError, Item, Refused, Statement
from pii_guard.explaining import explain
from pii_guard.guard import Guard
from pii_guard.policy_file import load
from tests.conftest import NOW
from tests.pii_guard.conftest import SHIPPED, Admit
from tlp import Label

AT = "2026-03-02T08:00:00.000Z"
ID = "11111111-1111-4111-8111-111111111111"
VICTIM = "198.51.100.7"
ROW = Observable("ipv4", VICTIM, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", NOW, {"tag": "rdp"})


def exposure(*rows: Observable, **facts: object) -> Draft:
    made = msgspec.structs.replace(Facts(observables=rows), **facts)
    return Draft("exposure", "scan_rdp/2026-03-02", "Open RDP", "", "nl", made)


def advisory(title: str = "Titel", summary: str = "", **properties: object) -> Draft:
    draft = Draft("advisory", "NCSC-2026-0412", title, summary, "nl", Facts(cves=("CVE-2026-1000",)))
    return msgspec.structs.replace(draft, **properties)


def test_victims_rows_are_for_their_owner_only(admit: Admit) -> None:
    statement = admit(draft=exposure(ROW))
    assert statement.facts.observables == (msgspec.structs.replace(ROW, own=True),)
    (finding,) = statement.findings
    assert (finding.category, finding.role, finding.action) == ("ipv4", "victim", "gate")
    assert (finding.path, finding.evidence) == ("/facts/observables/*/value", "report:scan_rdp")


def test_without_a_basis_rows_become_counts_per_network_and_country(admit: Admit) -> None:
    elsewhere = Observable("ipv6", "2001:db8::7", "victim", "report:scan_rdp", 64501, "BE")
    nowhere = Observable("ipv4", VICTIM, "victim", "report:scan_rdp")
    statement = admit(draft=exposure(ROW, ROW, elsewhere, nowhere), regime="no-basis")
    kept = [(o.type, o.value, o.country, o.detail["count"]) for o in statement.facts.observables]
    assert sorted(kept) == [
        ("asn", "AS64500", "NL", "2"),
        ("asn", "AS64501", "BE", "1"),
        ("other", "removed", None, "1"),
    ]
    assert {(f.category, f.count) for f in statement.findings if f.path.startswith("/facts")} == {
        ("ipv4", 3),
        ("ipv6", 1),
    }


def test_a_claim_without_evidence_is_believed_only_when_it_is_stricter(admit: Admit) -> None:
    for role, evidence, own in (
        ("attacker", "", True),
        ("attacker", "c2", False),
        ("victim", "c2", True),
        ("unknown", "", True),
    ):
        (kept,) = admit(draft=exposure(Observable("ipv4", VICTIM, role, evidence))).facts.observables  # type: ignore[arg-type]
        assert kept.own is own, (role, evidence)


def test_attackers_addresses_stay_for_all_and_names_and_hashes_too(admit: Admit) -> None:
    given = (
        Observable("ipv4", "203.0.113.5", "attacker", "c2"),
        Observable("domain", "evil.example", "attacker", "c2"),
        Observable("hash", "a" * 64),
        Observable("asn", "AS64500"),
    )
    assert admit(draft=exposure(*given)).facts.observables == given


@pytest.mark.parametrize("value", ["300.1.1.1", "not an address", "jan@voorbeeld.nl"])
def test_what_is_not_what_its_type_says_does_not_stay(admit: Admit, value: str) -> None:
    for kept in admit(draft=exposure(Observable("ipv4", value, "attacker", "c2", 64500))).facts.observables:
        assert value not in kept.value


def test_the_strictest_label_wins_and_only_what_carries_none_gets_the_sources(admit: Admit) -> None:
    red = {
        "type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-000000000001",
        "is_family": True, "name": "x",
        "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"],
    }  # fmt: skip
    assert admit(draft=advisory()).label is Label.AMBER
    assert admit(draft=advisory(label=Label.CLEAR)).label is Label.CLEAR
    assert admit(draft=advisory(label=Label.CLEAR, objects=(red,))).label is Label.RED
    unknown = {**red, "object_marking_refs": ["marking-definition--00000000-0000-4000-8000-000000000002"]}
    assert admit(draft=advisory(objects=(unknown,), doubts=("odd",))).holds == ("odd", "unknown-marking")


def test_words_of_a_source_that_may_say_anything_go_and_facts_speak(admit: Admit) -> None:
    draft = advisory("Piet van Voorbeeld BV is gehackt", "Bel Piet.")
    facts = Facts(cves=("CVE-2026-1000",), affected=(Affected("Fortinet", "FortiOS"),), remedies=("Bel Piet",))
    statement = admit(draft=msgspec.structs.replace(draft, facts=facts), regime="no-basis")
    assert statement.title == "Beveiligingsadvies: Fortinet FortiOS (CVE-2026-1000)"
    assert statement.summary == "[tekst weggelaten: geen grondslag]"
    assert statement.facts.remedies == ()
    assert statement.facts.affected == facts.affected
    public = admit(draft=msgspec.structs.replace(draft, facts=facts), regime="no-basis", public=True)
    assert (public.title, public.facts.remedies) == (draft.title, facts.remedies)


def test_versions_survive(admit: Admit) -> None:
    product = Affected(
        "Ivanti",
        "Connect Secure",
        "15.0.1.13",
        (Range((("<", "9.1.14.4"),)),),
        "cpe:2.3:a:i:cs:9.1.14.4:*",
        "pkg:pypi/d@1.2.3.4",
    )
    where = ("NL-NB", "western-europe")
    draft = advisory(
        facts=Facts(affected=(product,), sectors=("SBI:25.62",), countries=("NL",), regions=where, exposure="open-rdp")
    )
    for regime in ("no-basis", "wbdwb"):
        statement = admit(draft=draft, regime=regime)
        assert statement.facts == draft.facts
        assert [f for f in statement.findings if f.path.startswith("/facts")] == []
    named = admit(draft=advisory(facts=Facts(regions=("Jan Jansen", "nl-nb", "NL-UT")))).facts
    assert named.regions == ("NL-UT",)


def test_the_statement_is_keyed_and_its_meaning_follows_the_facts(guard: Guard, admit: Admit) -> None:
    one, again = admit(draft=advisory()), admit(draft=advisory("Andere titel"))
    assert one.key == again.key
    assert len(one.key) == 32
    assert one.meaning == again.meaning
    assert admit(draft=advisory(label=Label.RED)).meaning != one.meaning
    other = Guard(guard.policy, b"another key").admit(advisory(), Source("market", "M", regime="wbdwb"), NOW)
    assert isinstance(other, Item)
    assert other.statements[0].key != one.key
    assert other.statements[0].meaning != one.meaning


def test_sealed_and_restored(guard: Guard, admit: Admit) -> None:
    late, early = (
        admit(draft=advisory()),
        msgspec.structs.replace(admit(draft=exposure(ROW)), received_at=NOW.replace(year=2025)),
    )
    item = guard.restore("OKTT-2026-0001", 3, [guard.seal(late), guard.seal(early)], [guard.seal(late)])
    assert (item.id, item.version) == ("OKTT-2026-0001", 3)
    with guard.vault.accounting(guard):
        item = guard.vault.opened(guard, item, "match")
    assert item.statements == (early, late)
    assert item.facts == (late,)


def test_a_broken_seal_is_refused(guard: Guard, admit: Admit) -> None:
    sealed = guard.seal(admit(draft=advisory()))
    for broken in (
        sealed[:-1] + b" ",
        sealed.replace(b"AMBER", b"CLEAR"),
        sealed[64:],
        b"",
        Guard(guard.policy, b"x").seal(_one(sealed)),
    ):
        with pytest.raises(GuardError, match="seal"):
            guard.restore("OKTT-2026-0001", 1, [broken])
    with pytest.raises(GuardError, match="no statement"):
        guard.restore("OKTT-2026-0001", 1, [])


def _one(sealed: bytes) -> Statement:
    return msgspec.json.decode(sealed[64:], type=Statement)


def test_a_category_that_is_refused_keeps_the_document_out() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    start = text.index('id = "wbdwb.person"')
    strict = text[:start] + text[start:].replace('action = "strip"', 'action = "refuse"', 1)
    guard = Guard(load(strict, "legal.toml"), b"k")
    answer = guard.admit(advisory(summary="naar NL91 ABNA 0417 1643 00"), Source("m", "M", regime="wbdwb"), NOW)
    assert isinstance(answer, Refused)
    assert (answer.stage, answer.path) == ("policy", "/summary")
    assert "0417" not in repr(answer)
    assert [f.action for f in answer.findings] == ["refuse"]


def test_the_date_of_receipt_decides(guard: Guard) -> None:
    source = Source("m", "M")
    for at, regime in ((datetime(2024, 1, 1, tzinfo=UTC), "no-basis"), (NOW, "wbdwb")):
        answer = guard.admit(exposure(ROW), source, at)
        assert isinstance(answer, Item)
        assert (answer.statements[0].regime, answer.statements[0].policy) == (regime, guard.policy.hash)


def test_explained_and_replayed(guard: Guard) -> None:
    answer = guard.admit(exposure(ROW), Source("m", "M"), NOW)
    assert isinstance(answer, Item)
    (row,) = explain(answer, guard.policy, None)
    assert (row["category"], row["action"], row["rule"]) == ("ipv4", "gate", "wbdwb.network-victim")
    assert "would" not in row
    (replayed,) = explain(answer, guard.policy, datetime(2024, 1, 1, tzinfo=UTC))
    assert (replayed["action"], replayed["would"], replayed["would_regime"]) == ("gate", "strip", "no-basis")
    bound = {"m": Source("m", "M", regime="cbw")}
    (fixed,) = explain(answer, guard.policy, datetime(2024, 1, 1, tzinfo=UTC), bound)
    assert fixed["would_regime"] == "cbw"


def test_references_lose_what_is_personal(admit: Admit) -> None:
    links = ("https://www.ncsc.nl/x?id=1", "https://h.example/?email=jan@voorbeeld.nl", f"http://{VICTIM}/x")
    statement = admit(draft=advisory(references=links))
    assert statement.references == ("https://www.ncsc.nl/x?id=1", "https://h.example/")


def test_what_the_facts_know_of_a_value_counts_for_it_in_the_objects(admit: Admit) -> None:
    """A MISP attribute that is to be looked for is an attacker's; STIX has no word for that."""

    def told(evidence: str) -> str:
        objects = (
            {"type": "ipv4-addr", "spec_version": "2.1", "id": f"ipv4-addr--{ID}", "value": VICTIM},
            {
                "type": "indicator", "spec_version": "2.1", "id": f"indicator--{ID}", "created": AT, "modified": AT,
                "pattern": f"[ipv4-addr:value = '{VICTIM}']", "pattern_type": "stix", "valid_from": AT,
            },
        )  # fmt: skip
        draft = Draft("indicators", "event", "Titel", "", "nl", Facts(observables=(row(evidence),)), objects)
        return bytes(admit(draft=draft).objects).decode()

    def row(evidence: str) -> Observable:
        return Observable("ipv4", VICTIM, evidence=evidence)

    assert told("misp:to-ids").count(VICTIM) == 2
    assert VICTIM not in told("")
    assert VICTIM not in told("misp:to-ids email:recipient")
