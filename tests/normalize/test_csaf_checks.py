"""The mandatory tests of CSAF 2.0: each fault is named by clause and place, and the document is read all the same."""

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import Source
from normalize import csaf

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("psirt", "PSIRT")
CLAUSE = re.compile(r"\(CSAF (6\.1\.[\d.]+)\)$")
Json = dict[str, Any]
Change = Callable[[Json], None]
OLDER = {"version": "2.0", "vectorString": "AV:N/AC:L/Au:N/C:N/I:N/A:C/E:POC", "baseScore": 7.8}


def sound() -> Json:
    """A VEX that passes every test."""
    score = {
        "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:U/RC:C",
        "baseScore": 7.5, "baseSeverity": "HIGH", "temporalScore": 7.1, "attackVector": "NETWORK",
        "remediationLevel": "UNAVAILABLE", "exploitCodeMaturity": "PROOF_OF_CONCEPT",
    }  # fmt: skip
    hashes = [{"algorithm": "sha256", "value": "00"}, {"algorithm": "sha512", "value": "00"}]
    helper = {"purl": "pkg:pypi/bakker@1.0", "hashes": [{"filename": "a", "file_hashes": hashes}]}
    return {
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "lang": "en",
            "source_lang": "nl-NL",
            "title": "A weakness in Bakker",
            "notes": [{"category": "summary", "text": "What there is to say."}],
            "references": [{"category": "external", "url": "https://psirt.example/1"}],
            "publisher": {"category": "translator", "name": "PSIRT"},
            "tracking": {
                "id": "PSIRT-1", "status": "final", "version": "2", "current_release_date": "2026-02-02T10:00:00Z",
                "revision_history": [
                    {"date": "2026-02-02T10:00:00Z", "number": "2"}, {"date": "2026-02-01T10:00:00Z", "number": "1"},
                ],
            },
        },
        "product_tree": {
            "branches": [
                {"category": "vendor", "name": "Bakkerij", "branches": [
                    {"category": "product_version", "name": "1.0", "product": {
                        "product_id": "P1", "name": "Bakker 1.0", "product_identification_helper": helper}},
                ]},
            ],
            "full_product_names": [{"product_id": "P2", "name": "Oven 2.1"}, {"product_id": "P3", "name": "Deeg 3"}],
            "relationships": [relation("R2", "R1", "P2"), relation("R1", "P1", "P2")],
            "product_groups": [{"group_id": "G1", "product_ids": ["P2"]}, {"group_id": "G2", "product_ids": ["P3"]}],
        },
        "vulnerabilities": [
            {
                "cve": "CVE-2026-0001",
                "cwe": {"id": "CWE-20", "name": "Improper Input Validation"},
                "notes": [{"category": "description", "text": "It is weak."}],
                "product_status": {"known_affected": ["P1", "R1"], "known_not_affected": ["P2", "P3"]},
                "flags": [{"label": "component_not_present", "group_ids": ["G1"]}],
                "threats": [{"category": "impact", "details": "x", "product_ids": ["P3"], "group_ids": ["G2"]}],
                "remediations": [{"category": "vendor_fix", "details": "Update.", "product_ids": ["P1", "R1"]}],
                "scores": [{"products": ["P1"], "cvss_v3": score, "cvss_v2": dict(OLDER)}],
                "involvements": [{"party": "vendor", "status": "open"}, {"party": "other", "status": "open"}],
            },
            {
                "cve": "CVE-2026-0002",
                "notes": [{"category": "description", "text": "It is weak too."}],
                "product_status": {"under_investigation": ["P1"]},
                "scores": [{"products": ["P1"], "cvss_v3": dict(score)}],
            },
        ],
    }  # fmt: skip


def relation(identifier: str, first: str, second: str) -> Json:
    return {
        "category": "default_component_of", "product_reference": first, "relates_to_product_reference": second,
        "full_product_name": {"product_id": identifier, "name": identifier},
    }  # fmt: skip


def faults(document: Json) -> dict[str, list[str]]:
    """Clause -> places. The document is read whatever they are."""
    result = csaf.drafts(json.dumps(document).encode(), SOURCE, NOW)
    assert len(result.drafts) == 1
    found: dict[str, list[str]] = {}
    for problem in result.problems:
        clause = CLAUSE.search(problem.reason)
        assert clause, problem
        assert problem.stage == "parse"
        found.setdefault(clause[1], []).append(problem.path)
    return found


def put(path: str, value: Any) -> Change:
    """Set what stands at a JSON Pointer; a last part of `-` appends."""

    def change(document: Json) -> None:
        target: Any = document
        *parts, last = path.strip("/").split("/")
        for part in parts:
            target = target[int(part) if isinstance(target, list) else part]
        if last == "-":
            target.append(value)
        else:
            target[int(last) if isinstance(target, list) else last] = value

    return change


def drop(path: str) -> Change:
    def change(document: Json) -> None:
        target: Any = document
        *parts, last = path.strip("/").split("/")
        for part in parts:
            target = target[int(part) if isinstance(target, list) else part]
        del target[int(last) if isinstance(target, list) else last]

    return change


def history(*numbers: str, version: str = "", status: str = "final") -> Change:
    """Revisions on days that follow each other."""

    def change(document: Json) -> None:
        items = [{"date": f"2026-02-0{day}T10:00:00Z", "number": number} for day, number in enumerate(numbers, 1)]
        document["document"]["tracking"] |= {
            "revision_history": items, "version": version or numbers[-1], "status": status,
        }  # fmt: skip

    return change


def informational(document: Json) -> None:
    document["document"]["category"] = "csaf_informational_advisory"
    del document["vulnerabilities"]


def security(document: Json) -> None:
    document["document"]["category"] = "csaf_security_advisory"


TREE, V0, V1, TRACKING = "/product_tree", "/vulnerabilities/0", "/vulnerabilities/1", "/document/tracking"
SCORE, OLD = f"{V0}/scores/0/cvss_v3", f"{V0}/scores/0/cvss_v2"
BRANCH = f"{TREE}/branches/0/branches/0"
HELPER = f"{BRANCH}/product/product_identification_helper"


def fault(clause: str, place: str, *changes: Change) -> tuple[str, str, tuple[Change, ...]]:
    """What is done to a sound document, and what has to be said of it."""
    return clause, place, changes


FAULTS = (
    fault("6.1.1", f"{V1}/product_status/under_investigation", put(f"{V1}/product_status/under_investigation/-", "P9")),
    fault("6.1.1", f"{V0}/scores/0/products", put(f"{V0}/scores/0/products/0", "P9")),
    fault("6.1.1", f"{V0}/threats/0/product_ids", put(f"{V0}/threats/0/product_ids/-", "P9")),
    fault("6.1.1", f"{TREE}/relationships/2", put(f"{TREE}/relationships/-", relation("R9", "P1", "P9"))),
    fault(
        "6.1.2",
        f"{TREE}/full_product_names/2/product_id",
        put(f"{TREE}/full_product_names/-", {"product_id": "P1", "name": "x"}),
    ),
    fault(
        "6.1.2",
        f"{TREE}/relationships/2/full_product_name/product_id",
        put(f"{TREE}/relationships/-", relation("R1", "P1", "P2")),
    ),
    fault("6.1.3", f"{TREE}/relationships/2", put(f"{TREE}/relationships/-", relation("R9", "P1", "R9"))),
    fault("6.1.4", f"{V0}/flags/0/group_ids", put(f"{V0}/flags/0/group_ids/-", "G9")),
    fault("6.1.4", f"{V0}/threats/0/group_ids", put(f"{V0}/threats/0/group_ids/-", "G9")),
    fault(
        "6.1.5",
        f"{TREE}/product_groups/2/group_id",
        put(f"{TREE}/product_groups/-", {"group_id": "G1", "product_ids": ["P1"]}),
    ),
    fault("6.1.6", f"{V0}/product_status/fixed", put(f"{V0}/product_status/fixed", ["P1"])),
    fault("6.1.7", f"{V0}/scores/1/cvss_v2", put(f"{V0}/scores/-", {"products": ["P1"], "cvss_v2": OLDER})),
    fault("6.1.8", SCORE, drop(f"{SCORE}/baseSeverity")),
    fault("6.1.8", f"{OLD}", drop(f"{OLD}/version")),
    fault("6.1.8", SCORE, put(f"{SCORE}/vectorString", "CVSS:3.1/AV:N")),
    fault("6.1.8", SCORE, put(f"{SCORE}/version", "3.0")),
    fault("6.1.9", f"{SCORE}/baseScore", put(f"{SCORE}/baseScore", 7.6)),
    fault("6.1.9", f"{SCORE}/baseSeverity", put(f"{SCORE}/baseSeverity", "CRITICAL")),
    fault("6.1.9", f"{SCORE}/temporalScore", put(f"{SCORE}/temporalScore", 7.5)),
    fault("6.1.9", f"{OLD}/baseScore", put(f"{OLD}/baseScore", 5)),
    fault("6.1.10", f"{SCORE}/attackVector", put(f"{SCORE}/attackVector", "LOCAL")),
    fault("6.1.10", f"{SCORE}/modifiedScope", put(f"{SCORE}/modifiedScope", "CHANGED")),
    fault("6.1.10", f"{OLD}/exploitability", put(f"{OLD}/exploitability", "HIGH")),
    fault("6.1.11", f"{V0}/cwe", put(f"{V0}/cwe/id", "CWE-79")),
    fault("6.1.12", "/document/lang", put("/document/lang", "EZ")),
    fault("6.1.12", "/document/source_lang", put("/document/source_lang", "Dutch and so on")),
    fault("6.1.13", f"{HELPER}/purl", put(f"{HELPER}/purl", "pkg:")),
    fault("6.1.14", f"{TRACKING}/revision_history", history("1", "3", "2", "4")),
    fault("6.1.14", f"{TRACKING}/revision_history", history("1.0.0", "1.10.0", "1.9.0", "1.11.0")),
    fault("6.1.15", "/document/source_lang", drop("/document/source_lang")),
    fault("6.1.16", f"{TRACKING}/version", history("1", "2", version="1")),
    fault("6.1.17", f"{TRACKING}/status", put(f"{TRACKING}/version", "0"), put(f"{TRACKING}/revision_history", [])),
    fault("6.1.18", f"{TRACKING}/revision_history/0", history("0", "1")),
    fault("6.1.19", f"{TRACKING}/revision_history/0", history("1.0.0-rc.1", "1.0.0")),
    fault("6.1.21", f"{TRACKING}/revision_history", history("1", "3")),
    fault("6.1.21", f"{TRACKING}/revision_history", history("2.0.0", "3.1.0")),
    fault("6.1.22", f"{TRACKING}/revision_history/1", history("1", "1", "2")),
    fault("6.1.23", "/vulnerabilities/1/cve", put("/vulnerabilities/1/cve", "CVE-2026-0001")),
    fault("6.1.24", f"{V0}/involvements", put(f"{V0}/involvements/1/party", "vendor")),
    fault("6.1.25", f"{HELPER}/hashes/0/file_hashes", put(f"{HELPER}/hashes/0/file_hashes/1/algorithm", "SHA256")),
    fault("6.1.26", "/document/category", put("/document/category", "Security-Advisory")),
    fault("6.1.26", "/document/category", put("/document/category", "csaf_news")),
    fault("6.1.27.1", "/document/notes", informational, put("/document/notes/0/category", "details-of-law")),
    fault("6.1.27.2", "/document/references", informational, put("/document/references/0/category", "self")),
    fault("6.1.27.3", "/vulnerabilities", put("/document/category", "csaf_informational_advisory")),
    fault("6.1.27.4", "/product_tree", put("/vulnerabilities", []), drop("/product_tree")),
    fault("6.1.27.5", f"{V0}/notes", security, drop(f"{V0}/notes")),
    fault("6.1.27.6", f"{V1}/product_status", security, drop(f"{V1}/product_status")),
    fault("6.1.27.7", f"{V1}/product_status", drop(f"{V1}/product_status")),
    fault("6.1.27.8", "/vulnerabilities/1", drop("/vulnerabilities/1/cve")),
    fault("6.1.27.9", f"{V0}/product_status/known_not_affected", drop(f"{V0}/threats")),
    fault("6.1.27.10", f"{V0}/product_status/known_affected", put(f"{V0}/remediations/0/product_ids", ["P1"])),
    fault("6.1.27.11", "/vulnerabilities", drop("/vulnerabilities")),
    fault("6.1.28", "/document/source_lang", put("/document/source_lang", "EN")),
    fault(
        "6.1.29",
        f"{V0}/remediations/1",
        put(f"{V0}/remediations/-", {"category": "mitigation", "details": "Close the door."}),
    ),
    fault("6.1.30", TRACKING, history("1", "1.0.0", "2")),
    fault("6.1.31", f"{BRANCH}/name", put(f"{BRANCH}/name", "prior to 1.0")),
    fault("6.1.32", f"{V0}/flags/1", put(f"{V0}/flags/-", {"label": "component_not_present"})),
    fault(
        "6.1.33", f"{V0}/flags/1", put(f"{V0}/flags/-", {"label": "vulnerable_code_not_present", "product_ids": ["P2"]})
    ),
)


def test_a_sound_document_gives_no_alarm() -> None:
    assert faults(sound()) == {}


@pytest.mark.parametrize(("clause", "place", "changes"), FAULTS, ids=lambda each: each if isinstance(each, str) else "")
def test_each_fault_is_named_by_its_clause_and_place_and_no_other(
    clause: str, place: str, changes: tuple[Change, ...]
) -> None:
    document = copy.deepcopy(sound())
    for change in changes:
        change(document)
    assert faults(document) == {clause: [place]}


def test_a_pre_release_is_a_draft() -> None:
    """6.1.20 cannot fail without 6.1.17 and 6.1.19, or a history that ends in another version."""
    document = sound()
    history("1.0.0", "1.1.0-rc.1", status="interim")(document)
    assert faults(document).keys() == {"6.1.17", "6.1.19", "6.1.20"}
    history("0.1.0", "1.0.0", version="1.0.0-rc.1+b7", status="draft")(document)
    assert faults(document) == {}


def test_every_mandatory_test_has_a_fault_here() -> None:
    told = {clause for clause, _, _ in FAULTS} | {"6.1.20"}
    profiles = {f"6.1.27.{number}" for number in range(1, 12)}
    assert told == {f"6.1.{number}" for number in range(1, 34) if number != 27} | profiles


def test_csaf_2_1_has_tests_of_its_own() -> None:
    document = sound()
    document["document"]["csaf_version"] = "2.1"
    history("1", "3", "2")(document)
    assert faults(document) == {}


def test_a_fault_is_told_of_ten_places_at_most() -> None:
    document = sound()
    remedy = {"category": "mitigation", "details": "Close the door."}
    document["vulnerabilities"][0]["remediations"] += [remedy] * 30
    assert len(faults(document)["6.1.29"]) == 10


def test_the_graver_score_counts() -> None:
    """What is stated, or what its vector gives; the vector alone where nothing is stated."""
    document = sound()
    for stated, counts in ((2.0, 7.5), (9.9, 9.9), ("x", 7.5), (None, 7.5)):
        for vulnerability in document["vulnerabilities"]:
            vulnerability["scores"] = [{"products": ["P1"], "cvss_v3": dict(vulnerability["scores"][0]["cvss_v3"])}]
            vulnerability["scores"][0]["cvss_v3"]["baseScore"] = stated
        result = csaf.drafts(json.dumps(document).encode(), SOURCE, NOW)
        assert result.drafts[0].facts.cvss == counts


@pytest.mark.corpus
def test_every_vector_of_oasis_fails_the_test_that_its_authors_name_and_no_other_fails(corpus: Path) -> None:
    folder = corpus / "csaf" / "oasis-validator"
    listed = json.loads((folder / "testcases.json").read_bytes())["tests"]
    must_fail = must_pass = 0
    for test in listed:
        for each in [*test.get("failures", ()), *test.get("valid", ())]:
            file = folder / each["name"]
            if not file.is_file() or test["group"] != "mandatory":
                continue
            found = faults(json.loads(file.read_bytes()))
            assert (test["id"] in found) is not each["valid"], file.name
            assert not (each["valid"] and found), file.name
            must_fail += not each["valid"]
            must_pass += each["valid"]
    assert (must_fail, must_pass) == (46, 39)
