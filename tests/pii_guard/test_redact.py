"""Objects after the guard: valid STIX 2.1, whole in its references, new ids where something changed."""

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, Facts
from pii_guard import Item, Refused
from pii_guard.guard import Guard
from tests.conftest import NOW
from tests.pii_guard.conftest import Admit, objects_of

AT = "2026-03-01T00:00:00.000Z"
COMMON = {"spec_version": "2.1", "created": AT, "modified": AT}
C2, VICTIM = "203.0.113.5", "198.51.100.7"


def named(kind: str, number: int) -> str:
    return f"{kind}--{UUID(int=number + (0x8 << 60), version=4)}"


def sdo(kind: str, number: int, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "id": named(kind, number), **COMMON, **properties}


def link(number: int, source: dict[str, Any], name: str, target: dict[str, Any]) -> dict[str, Any]:
    return sdo("relationship", number, relationship_type=name, source_ref=source["id"], target_ref=target["id"])


def sco(kind: str, number: int, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "id": named(kind, number), "spec_version": "2.1", **properties}


MALWARE = sdo("malware", 1, name="Emotet", is_family=True)
HOST = sco("ipv4-addr", 2, value=C2)
HIT = sco("ipv4-addr", 3, value=VICTIM)
INDICATOR = sdo(
    "indicator",
    4,
    name="C2",
    indicator_types=["malicious-activity"],
    pattern=f"[ipv4-addr:value = '{C2}' OR ipv4-addr:value = '{VICTIM}']",
    pattern_type="stix",
    valid_from=AT,
)
INDICATES = link(5, INDICATOR, "indicates", MALWARE)
BEACON = link(6, MALWARE, "beacons-to", HOST)
TARGETS = link(7, MALWARE, "targets", HIT)
REPORT = sdo(
    "report",
    8,
    name="Week 9",
    published=AT,
    report_types=["threat-report"],
    object_refs=[MALWARE["id"], HOST["id"], HIT["id"], INDICATOR["id"], INDICATES["id"], BEACON["id"], TARGETS["id"]],
)
BUNDLE = [MALWARE, HOST, HIT, INDICATOR, INDICATES, BEACON, TARGETS, REPORT]


def by_type(objects: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for obj in objects:
        found.setdefault(obj["type"], []).append(obj)
    return found


def resolves(objects: list[dict[str, Any]]) -> None:
    """Every reference within the draft points at an object that is there."""
    ids = {obj["id"] for obj in objects}
    for obj in objects:
        for key, value in obj.items():
            if key.endswith(("_ref", "_refs")) and key not in ("object_marking_refs", "created_by_ref"):
                refs = value if isinstance(value, list) else [value]
                assert refs
                assert set(refs) <= ids, key


def test_attackers_stay_and_victims_go_with_all_that_pointed_at_them(admit: Admit) -> None:
    statement = admit(*BUNDLE)
    kept = by_type(objects_of(statement))
    assert [obj["value"] for obj in kept["ipv4-addr"]] == [C2]
    assert kept["indicator"][0]["pattern"] == f"[ipv4-addr:value = '{C2}']"
    assert {obj["relationship_type"] for obj in kept["relationship"]} == {"indicates", "beacons-to"}
    resolves(objects_of(statement))
    decided = {(f.category, f.role, f.action) for f in statement.findings}
    assert decided == {("ipv4", "attacker", "keep"), ("ipv4", "victim", "strip")}
    for obj in objects_of(statement):
        stix2.parse(obj)


def test_what_changed_gets_a_new_id_and_so_does_what_refers_to_it(admit: Admit) -> None:
    kept = by_type(objects_of(admit(*BUNDLE)))
    assert kept["malware"][0]["id"] == MALWARE["id"]
    assert kept["ipv4-addr"][0]["id"] == HOST["id"]
    assert kept["indicator"][0]["id"] != INDICATOR["id"]
    assert kept["report"][0]["id"] != REPORT["id"]
    links = {obj["relationship_type"]: obj for obj in kept["relationship"]}
    assert links["beacons-to"] == BEACON
    assert links["indicates"]["id"] != INDICATES["id"]
    assert links["indicates"]["source_ref"] == kept["indicator"][0]["id"]


def test_new_ids_are_stable_and_differ_by_source_regime_and_key(guard: Guard) -> None:
    def report(source: str, regime: str, using: Guard = guard) -> str:
        answer = using.admit(
            Draft("report", "k", "T", "", "en", Facts(), tuple(BUNDLE)), Source(source, "M", regime=regime), NOW
        )
        assert isinstance(answer, Item)
        identifier: str = by_type(objects_of(answer.statements[0]))["report"][0]["id"]
        return identifier

    assert report("m", "wbdwb") == report("m", "wbdwb")
    others = [report("n", "wbdwb"), report("m", "no-basis"), report("m", "wbdwb", Guard(guard.policy, b"other"))]
    assert len({report("m", "wbdwb"), *others}) == 4


def test_an_untouched_bundle_stays_byte_for_byte(admit: Admit) -> None:
    objects = [MALWARE, HOST, BEACON]
    assert objects_of(admit(*objects)) == objects


def test_the_draft_itself_is_not_changed(admit: Admit) -> None:
    before = msgspec.json.encode(BUNDLE)
    admit(*BUNDLE)
    admit(*BUNDLE, regime="no-basis")
    assert msgspec.json.encode(BUNDLE) == before


def test_without_a_basis_nothing_of_both_stays_but_the_malware(admit: Admit) -> None:
    kept = by_type(objects_of(admit(*BUNDLE, regime="no-basis")))
    assert set(kept) == {"malware", "report"}
    assert kept["report"][0]["name"] == "[title withheld: no legal basis]"
    reviewed = by_type(objects_of(admit(*BUNDLE, regime="no-basis", attacker_ip="keep")))
    assert [obj["value"] for obj in reviewed["ipv4-addr"]] == [C2]


def test_a_dangling_reference_to_an_address_goes_and_to_a_technique_stays(admit: Admit) -> None:
    outside = ["ipv4-addr--b4a8a0b8-4f0d-5c8e-9a5c-2d2f3e1c0a11", named("attack-pattern", 77)]
    (kept,) = objects_of(admit(sdo("grouping", 9, context="x", object_refs=outside)))
    assert kept["object_refs"] == outside[1:]
    assert objects_of(admit(sdo("grouping", 9, context="x", object_refs=outside[:1]))) == []


def test_persons_go_and_organisations_stay(admit: Admit) -> None:
    person = sdo("identity", 10, name="J. Jansen", identity_class="individual")
    firm = sdo(
        "identity", 11, name="Voorbeeld BV", identity_class="organization", contact_information="tel 020-5551234"
    )
    theirs = {**MALWARE, "created_by_ref": person["id"]}
    ours = sdo("tool", 12, name="Tool", created_by_ref=firm["id"])
    kept = by_type(objects_of(admit(person, firm, theirs, ours)))
    assert "created_by_ref" not in kept["malware"][0]
    (identity,) = kept["identity"]
    assert "contact_information" not in identity
    assert kept["tool"][0]["created_by_ref"] == identity["id"]
    untouched = {**firm}
    del untouched["contact_information"]
    assert objects_of(admit(untouched, ours)) == [untouched, ours]


def test_prose_is_rewritten_in_the_language_of_the_draft(admit: Admit) -> None:
    text = {**MALWARE, "description": f"Meld bij jan@voorbeeld.nl; host {VICTIM}, C2 {C2}."}
    objects = (text, HOST, BEACON)
    draft = Draft("report", "k", "T", "", "nl", Facts(), objects)
    kept = by_type(objects_of(admit(draft=draft)))["malware"][0]
    assert kept["description"] == f"Meld bij [e-mailadres verwijderd]; host [IP-adres verwijderd], C2 {C2}."
    english = by_type(objects_of(admit(*objects)))["malware"][0]
    assert "[removed: email]" in english["description"]


def test_what_is_doubtful_holds_under_a_basis_and_goes_without_one(admit: Admit) -> None:
    doubtful = {**MALWARE, "description": "Gezien door de heer Jan de Vries."}
    held = admit(doubtful)
    assert held.holds == ("suspect-text",)
    assert "Jan de Vries" in objects_of(held)[0]["description"]
    stripped = admit(doubtful, regime="no-basis", public=True)
    assert stripped.holds == ()
    assert "Jan de Vries" not in objects_of(stripped)[0]["description"]
    assert "description" not in objects_of(admit(doubtful, regime="no-basis"))[0]


def test_granular_markings_rise_to_the_object_when_it_changed(admit: Admit) -> None:
    red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
    marked = {**MALWARE, "granular_markings": [{"marking_ref": red, "selectors": ["description"]}]}
    untouched = {**marked, "description": "Plain words."}
    statement = admit(untouched)
    assert objects_of(statement) == [untouched]
    assert str(statement.label) == "TLP:RED"
    (changed,) = objects_of(admit({**marked, "description": "jan@voorbeeld.nl"}))
    assert changed["object_marking_refs"] == [red]
    assert "granular_markings" not in changed


def test_urls_lose_what_is_personal(admit: Admit) -> None:
    evil = sco("url", 20, value=f"http://{C2}/gate.php?id=7")
    links = [HOST, BEACON, evil, link(21, MALWARE, "communicates-with", evil)]
    kept = by_type(objects_of(admit(MALWARE, *links)))
    assert kept["url"][0]["value"] == evil["value"]
    assert "url" not in by_type(objects_of(admit(MALWARE, *links, regime="no-basis")))
    named_host = sco("url", 22, value="https://jan:geheim@shop.example/account/jan?order=7")
    (unknown,) = objects_of(admit(named_host))
    assert unknown["value"] == "https://shop.example/"
    assert unknown["id"] != named_host["id"]
    references = [{"source_name": "psirt", "url": "https://vendor.example/psirt/FG-IR-24-259?lang=en"}]
    assert objects_of(admit({**MALWARE, "external_references": references}))[0]["external_references"] == references
    personal = [{"source_name": "psirt", "url": "https://vendor.example/x?email=jan%40voorbeeld.nl"}]
    (cut,) = objects_of(admit({**MALWARE, "external_references": personal}))
    assert cut["external_references"][0]["url"] == "https://vendor.example/x"


def test_home_folders_and_log_ins_in_files_and_accounts(admit: Admit) -> None:
    file = sco("file", 30, name=r"C:\Users\jjansen\AppData\evil.exe", hashes={"MD5": "a" * 32})
    account = sco("user-account", 31, user_id="jjansen", credential="geheim")
    statement = admit(file, account)
    (kept,) = objects_of(statement)
    assert kept["name"] == r"%USERPROFILE%\AppData\evil.exe"
    assert ("credential", "strip") in {(f.category, f.action) for f in statement.findings}


def test_the_unknown_goes(admit: Admit) -> None:
    odd = {**MALWARE, "x_internal": {"note": "?"}, "extensions": {named("extension-definition", 1): {"a": 1}}}
    custom = {"type": "x-ticket", "id": named("x-ticket", 1), "owner": "?"}
    statement = admit(odd, custom)
    (kept,) = objects_of(statement)
    assert kept.keys() == MALWARE.keys()
    assert kept["id"] != MALWARE["id"]
    assert {f.rule for f in statement.findings} == {"unknown-property"}
    assert {f.path for f in statement.findings} == {"/objects/0/*", "/objects/0/extensions/*", "/objects/1"}


def test_two_objects_of_one_id_are_both_kept(admit: Admit) -> None:
    other = {**MALWARE, "name": "Heodo"}
    assert objects_of(admit(MALWARE, other, HOST, BEACON)) == [MALWARE, other, HOST, BEACON]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=10), inside, max_size=4),
    max_leaves=12,
)
KEYS = (
    *("type", "id", "name", "pattern", "labels", "object_refs", "source_ref", "external_references", "extensions"),
    *("granular_markings", "identity_class", "relationship_type", "hashes", "infrastructure_types", "value"),
)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8), max_size=4), st.sampled_from(BUNDLE))
def test_whatever_a_draft_holds_the_guard_answers(
    guard: Guard, odd: list[dict[str, Any]], sound: dict[str, Any]
) -> None:
    mixed = [{**sound, **{key: value for key, value in obj.items() if key not in ("type", "id")}} for obj in odd]
    for regime in ("no-basis", "wbdwb"):
        draft = Draft("report", "k", "T", "", "en", Facts(), (*odd, *mixed, sound))
        answer = guard.admit(draft, Source("m", "M", regime=regime), NOW)
        assert isinstance(answer, Item | Refused)
        if isinstance(answer, Item):
            guard.restore("OKTT-2026-0001", 1, [guard.seal(answer.statements[0])])


@pytest.mark.corpus
@pytest.mark.parametrize("regime", ["no-basis", "wbdwb"])
def test_real_bundles_come_out_valid_and_whole(guard: Guard, corpus: Path, regime: str) -> None:
    for file in sorted((corpus / "stix21").glob("*.json")) + sorted((corpus / "stix21").glob("*.stix2")):
        document = msgspec.json.decode(file.read_bytes())
        objects = document.get("objects", []) if isinstance(document, dict) else document
        if any(obj.get("spec_version") != "2.1" for obj in objects):
            continue
        draft = Draft("report", file.name, "T", "", "en", Facts(), tuple(objects))
        answer = guard.admit(draft, Source("m", "M", regime=regime, public=True), NOW)
        assert isinstance(answer, Item)
        kept = objects_of(answer.statements[0])
        for obj in kept[:: max(1, len(kept) // 100)]:
            stix2.parse(obj, allow_custom=True)


@pytest.mark.parametrize(
    "test",
    [
        "file:hashes.'piet@voorbeeld.example' = 'aa'",
        "file:hashes.'a[piet@voorbeeld.example' = 'aa'",
        "file:hashes.MD5 = 'piet@voorbeeld.example'",
        "file:extensions.'piet@voorbeeld.example'.a = 'b'",
        "windows-registry-key:values[*].'piet@voorbeeld.example' = 'b'",
        "email-message:from_ref.display_name = 'Piet Voorbeeld'",
        "process:creator_user_ref.account_login = 'pvoorbeeld'",
        "file:extensions.'pdf-ext'.document_info_dict.Author = 'Piet Voorbeeld'",
    ],
)
@pytest.mark.parametrize("regime", ["no-basis", "wbdwb"])
def test_a_pattern_holds_no_value_in_its_paths(admit: Admit, test: str, regime: str) -> None:
    digest = "file:hashes.MD5 = '0cc175b9c0f1b6a831c399e269772661'"
    found = sdo("indicator", 1, pattern=f"[{test} OR {digest}]", pattern_type="stix", valid_from=AT)
    kept = objects_of(admit(found, regime=regime))
    assert [obj["pattern"] for obj in kept if obj["type"] == "indicator"] == [f"[{digest}]"]


@pytest.mark.parametrize(
    "test",
    [
        "file:hashes.'SHA-256' = '" + "a" * 64 + "'",
        "email-message:body_multipart[*].body_raw_ref.name = 'factuur.exe'",
        "file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = '0cc175b9c0f1b6a831c399e269772661'",
        "windows-registry-key:values[0].name = 'Run'",
        "network-traffic:dst_ref.value = 'kwaad.example'",
    ],
)
def test_a_pattern_keeps_the_paths_that_are_known(admit: Admit, test: str) -> None:
    found = sdo("indicator", 1, pattern=f"[{test}]", pattern_type="stix", valid_from=AT)
    kept = objects_of(admit(found, regime="no-basis"))
    assert [obj["pattern"] for obj in kept if obj["type"] == "indicator"] == [f"[{test}]"]


def test_a_language_is_the_tag_of_one(admit: Admit) -> None:
    kept = objects_of(
        admit(
            sdo("malware", 1, is_family=False, lang="Piet Voorbeeld"),
            sdo("malware", 2, is_family=False, lang="nl-NL"),
            regime="no-basis",
        )
    )
    assert [obj.get("lang") for obj in kept if obj["type"] == "malware"] == [None, "nl-NL"]
