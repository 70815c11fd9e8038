"""CSAF as real publishers write it: what can be read is read, what cannot costs only itself."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering.software import products_of
from ingest import Source
from normalize import Affected, Draft, Normalized, NormalizeError, csaf
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("ncsc-nl", "NCSC-NL", language="nl")


WORST = {
    "version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8,
    "baseSeverity": "CRITICAL",
}  # fmt: skip


def ncsc(**changes: Any) -> dict[str, Any]:
    """An advisory as NCSC-NL writes them: notes by title, `vers:unknown` names, no CPE."""
    document: dict[str, Any] = {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "lang": "nl",
        "title": "Kwetsbaarheid verholpen in Voorbeeld VPN",
        "distribution": {"tlp": {"label": "WHITE"}},
        "publisher": {"category": "coordinator", "name": "Nationaal Cyber Security Centrum"},
        "notes": [
            {"category": "description", "title": "Feiten", "text": "Er is een kwetsbaarheid verholpen."},
            {"category": "description", "title": "Interpretaties", "text": "Een kwaadwillende kan code uitvoeren."},
            {"category": "description", "title": "Interpretaties", "text": "De dreiging neemt toe."},
            {"category": "description", "title": "Oplossingen", "text": "Werk bij naar 15.0.2."},
            {"category": "general", "title": "Kans", "text": "medium"},
            {"category": "general", "title": "Schade", "text": "high"},
            {"category": "general", "title": "CWE-78", "text": "OS Command Injection"},
        ],
        "references": [{"category": "external", "url": "https://example.com/a"}],
        "tracking": {
            "id": "NCSC-2026-0412",
            "current_release_date": "2026-02-27T09:30:00.000000Z",
            "initial_release_date": "2026-02-26T09:30:00Z",
            "status": "final",
            "version": "1.0.2",
        },
    }
    tree = {
        "branches": [
            {
                "category": "vendor",
                "name": "Voorbeeld",
                "branches": [
                    {
                        "category": "product_name",
                        "name": "VPN",
                        "branches": [
                            version("P1", "vers:unknown/15.0.1.13010-1"),
                            version("P2", "vers:unknown/*"),
                            version("P3", "vers:unknown/<15.0.2"),
                        ],
                    }
                ],
            }
        ]
    }
    vulnerability = {
        "cve": "CVE-2026-0001",
        "notes": [{"category": "general", "title": "CVSSV4", "text": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H"}],
        "product_status": {"known_affected": ["P1", "P2", "P3"]},
        "scores": [{"products": ["P1"], "cvss_v3": dict(WORST)}],
    }
    whole = {"document": document, "product_tree": tree, "vulnerabilities": [vulnerability]}
    for path, value in changes.items():
        put(whole, path.split("__"), value)
    return whole


def version(identifier: str, name: str, category: str = "product_version_range") -> dict[str, Any]:
    return {"category": category, "name": name, "product": {"name": f"Voorbeeld VPN {name}", "product_id": identifier}}


def put(target: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        target = target[int(part)] if part.isdigit() else target[part]
    target[int(path[-1]) if path[-1].isdigit() else path[-1]] = value


def read(document: Any, source: Source = SOURCE) -> Normalized:
    return csaf.drafts(json.dumps(document).encode(), source, NOW)


def one(document: Any) -> Draft:
    return read(document).drafts[0]


def test_an_ncsc_advisory_is_read_whole() -> None:
    result = read(ncsc())
    draft = result.drafts[0]
    assert (result.format, result.problems) == ("csaf", ())
    assert (draft.kind, draft.key, draft.title) == (
        "advisory",
        "NCSC-2026-0412",
        "Kwetsbaarheid verholpen in Voorbeeld VPN",
    )
    assert draft.summary.split("\n\n") == [
        "Er is een kwetsbaarheid verholpen.",
        "Een kwaadwillende kan code uitvoeren.",
        "De dreiging neemt toe.",
    ]
    assert (draft.language, draft.label, draft.doubts) == ("nl", Label.CLEAR, ())
    assert draft.source_time == datetime(2026, 2, 27, 9, 30, tzinfo=UTC)
    facts = draft.facts
    assert (facts.tracking, facts.cves) == (("NCSC-2026-0412",), ("CVE-2026-0001",))
    assert (facts.kans, facts.schade, facts.cvss, facts.exploited) == ("medium", "high", 9.8, None)
    assert facts.remedies == ("Werk bij naar 15.0.2.",)
    assert [(a.vendor, a.product, a.versions) for a in facts.affected] == [
        ("Voorbeeld", "VPN", "vers:unknown/15.0.1.13010-1"),
        ("Voorbeeld", "VPN", "vers:unknown/*"),
        ("Voorbeeld", "VPN", "vers:unknown/<15.0.2"),
    ]
    assert [[r.constraints for r in a.ranges] for a in facts.affected] == [
        [(("=", "15.0.1.13010-1"),)],
        [()],
        [(("<", "15.0.2"),)],
    ]


def test_the_stix_objects_hang_together_and_are_the_same_again() -> None:
    first, again = one(ncsc()), one(ncsc())
    assert first.objects == again.objects
    by_type: dict[str, list[dict[str, Any]]] = {}
    for thing in first.objects:
        by_type.setdefault(thing["type"], []).append(thing)
    assert set(by_type) == {
        "report", "identity", "vulnerability", "course-of-action", "relationship", "software", "marking-definition",
    }  # fmt: skip
    ids = {thing["id"] for thing in first.objects}
    assert set(by_type["report"][0]["object_refs"]) <= ids
    link = by_type["relationship"][0]
    assert (link["source_ref"], link["target_ref"]) == (
        by_type["course-of-action"][0]["id"],
        by_type["vulnerability"][0]["id"],
    )
    assert by_type["report"][0]["created_by_ref"] == by_type["identity"][0]["id"]
    assert len(by_type["software"]) == 1
    assert by_type["report"][0]["modified"] == "2026-02-27T09:30:00.000Z"


def test_branches_in_other_shapes_are_read() -> None:
    tree = {
        "branches": [
            {
                "category": "vendor",
                "name": "Fortinet PSIRT",
                "branches": [
                    {
                        "category": "product",
                        "name": "FortiOS",
                        "branches": [
                            version("A", "FortiOS/>=7.4.0|<=7.4.4"),
                            version("B", "FortiOS 7.6.0", "product_version"),
                            version("C", "FortiOS/ 7.2 all versions"),
                        ],
                    }
                ],
            },
            {"category": "product_family", "name": "Familie", "product": {"name": "Familie", "product_id": "D"}},
        ],
        "full_product_names": [
            {"product_id": "E", "name": "Iets 3.1.4"},
            {
                "product_id": "F",
                "name": "x",
                "product_identification_helper": {"cpe": "cpe:2.3:a:ivanti:connect_secure:22.7:*:*:*:*:*:*:*"},
            },
            {"product_id": "G", "name": "x", "product_identification_helper": {"purls": ["pkg:pypi/django@4.2.1"]}},
        ],
    }
    affected = ["A", "B", "C", "D", "E", "F", "G", "FortiOS >=7.0.0|<=7.0.15"]
    draft = one(ncsc(product_tree=tree, vulnerabilities__0__product_status={"known_affected": affected}))
    assert [
        (a.vendor, a.product, a.versions, "|".join(b + v for r in a.ranges for b, v in r.constraints))
        for a in draft.facts.affected
    ] == [
        ("Fortinet PSIRT", "FortiOS", ">=7.4.0|<=7.4.4", ">=7.4.0|<=7.4.4"),
        ("Fortinet PSIRT", "FortiOS", "7.6.0", "=7.6.0"),
        ("Fortinet PSIRT", "FortiOS", "7.2 all versions", ">=7.2|<7.3"),
        ("", "Familie", "", ""),
        ("", "Iets", "3.1.4", "=3.1.4"),
        ("ivanti", "connect_secure", "22.7", "=22.7"),
        ("", "django", "4.2.1", "=4.2.1"),
        ("Fortinet PSIRT", "FortiOS", ">=7.0.0|<=7.0.15", ">=7.0.0|<=7.0.15"),
    ]


def test_a_component_makes_its_platform_affected_but_does_not_make_it_fixed() -> None:
    tree = {
        "branches": [
            version("LIB", "lib"),
            {"category": "product_name", "name": "Platform", "product": {"name": "P", "product_id": "PLAT"}},
        ],
        "relationships": [
            {
                "category": "default_component_of",
                "full_product_name": {"name": "lib in P", "product_id": "PLAT:LIB"},
                "product_reference": "LIB",
                "relates_to_product_reference": "PLAT",
            }
        ],
    }
    for status, expected in (
        ("known_affected", {"lib", "Platform"}),
        ("fixed", {"lib"}),
        ("known_not_affected", {"lib"}),
    ):
        draft = one(ncsc(product_tree=tree, vulnerabilities__0__product_status={status: ["PLAT:LIB"]}))
        assert {a.product for a in draft.facts.affected} == expected


@pytest.mark.parametrize("status", ["known_not_affected", "fixed", "first_fixed", "recommended"])
def test_vex_that_says_it_is_safe_names_nothing_as_affected(status: str) -> None:
    draft = one(ncsc(vulnerabilities__0__product_status={status: ["P1", "P3"]}, document__category="csaf_vex"))
    assert {a.status for a in draft.facts.affected} <= {"fixed", "not-affected"}
    assert len(draft.facts.affected) == 2
    assert not [thing for thing in draft.objects if thing["type"] == "software"]


def test_of_two_statuses_the_graver_stands() -> None:
    safe = {"cve": "CVE-2026-0002", "product_status": {"known_not_affected": ["P1"], "under_investigation": ["P2"]}}
    document = ncsc()
    document["vulnerabilities"].insert(0, safe)
    assert [a.status for a in one(document).facts.affected] == ["affected"] * 3
    assert one(document).facts.cves == ("CVE-2026-0002", "CVE-2026-0001")


def test_what_is_fixed_for_one_vulnerability_only_is_not_called_safe() -> None:
    document = ncsc(vulnerabilities__0__product_status={"known_affected": ["P3"], "fixed": ["P1"]})
    assert [a.status for a in one(document).facts.affected] == ["affected", "fixed"]
    document["vulnerabilities"].append({"cve": "CVE-2026-0002", "product_status": {"known_affected": ["P3"]}})
    assert [a.status for a in one(document).facts.affected] == ["affected"]
    document["vulnerabilities"][1]["product_status"]["fixed"] = ["P1"]
    assert [a.status for a in one(document).facts.affected] == ["affected", "fixed"]


def test_a_last_affected_version_ends_a_range_a_first_one_alone_leaves_it_open() -> None:
    names = ["branches"]
    document = ncsc(vulnerabilities__0__product_status={"first_affected": ["P1"], "last_affected": ["P4"]})
    products = document["product_tree"][names[0]][0]["branches"][0]["branches"]
    products[0]["name"] = "1.0"
    products.append(version("P4", "1.9", "product_version"))
    whole = one(document).facts.affected
    assert [(a.versions, a.ranges[0].constraints) for a in whole] == [(">=1.0|<=1.9", ((">=", "1.0"), ("<=", "1.9")))]
    document["vulnerabilities"][0]["product_status"] = {"last_affected": ["P4"]}
    assert [(a.versions, a.ranges[0].constraints) for a in one(document).facts.affected] == [
        ("<=1.9", (("<=", "1.9"),))
    ]
    document["vulnerabilities"][0]["product_status"] = {"first_affected": ["P1"]}
    assert [(a.versions, a.ranges) for a in one(document).facts.affected] == [("1.0", ())]
    document["vulnerabilities"][0]["product_status"] = {"last_affected": ["P1", "P4"]}
    assert [(a.versions, a.ranges) for a in one(document).facts.affected] == [("1.0, 1.9", ())]
    document["product_tree"] = {"full_product_names": [{"product_id": "P4", "name": "VPN"}]}
    document["vulnerabilities"][0]["product_status"] = {"last_affected": ["P4"]}
    assert [(a.versions, a.ranges) for a in one(document).facts.affected] == [("", ())]


@pytest.mark.parametrize("name", ["a/" * 30_000, "a/1." * 30_000, "a" + " " * 60_000 + "x"])
def test_a_name_without_an_end_is_not_split_and_takes_no_time(name: str) -> None:
    tree = {"full_product_names": [{"product_id": "P1", "name": name}, {"product_id": "P2", "name": "Iets 3.1.4"}]}
    status = [{"product_status": {"known_affected": ["P1", "P2"]}}]
    affected = one(ncsc(product_tree=tree, vulnerabilities=status)).facts.affected
    assert [(each.product, each.versions) for each in affected] == [(name, ""), ("Iets", "3.1.4")]


def test_a_flag_says_that_a_product_is_not_affected() -> None:
    flags = [
        {"label": "component_not_present", "product_ids": ["P1"]},
        {"label": "vulnerable_code_not_present", "group_ids": ["G", "unknown"]},
    ]
    document = ncsc(vulnerabilities__0__product_status={"known_affected": ["P2"]}, vulnerabilities__0__flags=flags)
    document["product_tree"]["product_groups"] = [{"group_id": "G", "product_ids": ["P2", "P3"]}]
    result = read(document)
    assert [(a.versions, a.status) for a in result.drafts[0].facts.affected] == [
        ("vers:unknown/*", "affected"),
        ("vers:unknown/15.0.1.13010-1", "not-affected"),
        ("vers:unknown/<15.0.2", "not-affected"),
    ]
    assert [(each.path, "group" in each.reason) for each in result.problems] == [
        ("/vulnerabilities/0/flags/1/group_ids", True)
    ]


def test_what_is_under_investigation_is_possibly_affected() -> None:
    draft = one(ncsc(vulnerabilities__0__product_status={"under_investigation": ["P3"]}, document__category="csaf_vex"))
    (product,) = products_of(draft.facts.affected)
    assert [a.status for a in draft.facts.affected] == ["unknown"]
    found = [product.verdict(version, direct=True) for version in ("15.0.1", None, "15.0.3")]
    assert [each and each[0] for each in found] == ["possible", "possible", None]


def test_a_remedy_for_some_of_the_products_says_for_which() -> None:
    tree = {
        "full_product_names": [
            {"product_id": "A", "name": "Poort 1.0"},
            {"product_id": "B", "name": "Brug 2.0"},
            {"product_id": "C", "name": "Sluis 3.0"},
        ],
        "product_groups": [{"group_id": "BC", "product_ids": ["B", "C"]}],
    }
    remediations = [
        {"category": "vendor_fix", "details": "Update to V1.1", "product_ids": ["A"]},
        {"category": "vendor_fix", "details": "Update to V4", "group_ids": ["BC"]},
        {"category": "vendor_fix", "details": "Update Brug to V2.1", "product_ids": ["B"]},
        {"category": "mitigation", "details": "Close port 22.", "product_ids": ["A", "B", "C"]},
        {"category": "mitigation", "details": "Restart."},
    ]
    draft = one(ncsc(product_tree=tree, vulnerabilities__0__remediations=remediations))
    assert draft.facts.remedies[1:] == (
        "Poort: Update to V1.1",
        "Brug, Sluis: Update to V4",
        "Update Brug to V2.1",
        "Close port 22.",
        "Restart.",
    )


@pytest.mark.parametrize("number", ["0", "", "1.0.2", None, 3])
def test_the_number_of_a_version_decides_nothing(number: Any) -> None:
    odd, plain = one(ncsc(document__tracking__version=number)), one(ncsc())
    assert (odd.key, odd.facts) == (plain.key, plain.facts)


def test_no_label_is_none_and_no_doubt() -> None:
    document = ncsc()
    del document["document"]["distribution"]
    assert (one(document).label, one(document).doubts) == (None, ())


def test_remedies_come_once_and_the_vendor_fix_first() -> None:
    remediations = [
        {"category": "workaround", "details": "Zet de dienst uit."},
        {"category": "none_available", "details": "Affected"},
        {"category": "vendor_fix", "details": "Werk bij\nnaar 15.0.2."},
        {"category": "vendor_fix", "details": "Installeer 16."},
    ]
    draft = one(ncsc(vulnerabilities__0__remediations=remediations))
    assert draft.facts.remedies == ("Werk bij naar 15.0.2.", "Installeer 16.", "Zet de dienst uit.")


@pytest.mark.parametrize(
    ("details", "exploited"),
    [
        ("Publicly Disclosed:Yes;Exploited:Yes;Latest Software Release:Exploitation Detected", True),
        ("Publicly Disclosed:No;Exploited:No;Latest Software Release:Exploitation Less Likely", False),
        ("This vulnerability is being actively exploited in the wild.", True),
        ("Er is actief misbruik waargenomen.", True),
        ("Deze kwetsbaarheid wordt actief misbruikt.", True),
        ("Not known to be exploited.", False),
        ("There is no evidence that it is exploited in the wild.", False),
        ("Er is geen misbruik bekend.", False),
        ("No publicly available exploits are known.", None),
        ("Reliable exploits integrated in Metasploit.", None),
        ("It could be exploited remotely.", None),
    ],
)
def test_exploited_when_the_publisher_says_so(details: str, exploited: bool | None) -> None:
    threats = [
        {"category": "exploit_status", "details": details},
        {"category": "impact", "details": "actively exploited"},
    ]
    assert one(ncsc(vulnerabilities__0__threats=threats)).facts.exploited is exploited


def test_csaf_2_1_metrics_labels_and_known_exploitation() -> None:
    document = ncsc(document__csaf_version="2.1", document__distribution={"tlp": {"label": "AMBER+STRICT"}})
    vulnerability = document["vulnerabilities"][0]
    del vulnerability["scores"]
    vulnerability["metrics"] = [{"products": ["P1"], "content": {"cvss_v4": {"baseScore": 9.3, "version": "4.0"}}}]
    vulnerability["first_known_exploitation_dates"] = [{"date": "2026-02-01T00:00:00Z"}]
    draft = one(document)
    assert (draft.facts.cvss, draft.facts.exploited, draft.label) == (9.3, True, Label.AMBER_STRICT)


def test_withdrawn_and_draft_and_unknown_labels() -> None:
    assert one(ncsc(document__category="csaf_withdrawn")).facts.withdrawn
    assert one(ncsc(document__title="[INGETROKKEN] Kwetsbaarheid")).facts.withdrawn
    assert not one(ncsc()).facts.withdrawn
    assert one(ncsc(document__tracking__status="draft")).doubts == ("draft",)
    odd = one(ncsc(document__distribution={"tlp": {"label": "PURPLE"}}))
    assert (odd.label, odd.doubts) == (None, ("unknown-marking",))
    assert one(ncsc(document__distribution={"text": "TLP v2.0: TLP:AMBER+STRICT"})).label is Label.AMBER_STRICT


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("product_tree", {}, "/vulnerabilities/0/product_status/known_affected"),
        ("product_tree", [], "/product_tree"),
        ("vulnerabilities", {}, "/vulnerabilities"),
        ("vulnerabilities__0", [], "/vulnerabilities/0"),
        ("vulnerabilities__0__product_status", [], "/vulnerabilities/0/product_status"),
        (
            "vulnerabilities__0__product_status",
            {"known_affected": "P1"},
            "/vulnerabilities/0/product_status/known_affected",
        ),
        ("vulnerabilities__0__cve", "geen", "/vulnerabilities/0/cve"),
        ("vulnerabilities__0__scores", {"cvss_v3": {}}, "/vulnerabilities/0/scores"),
        ("document__notes", "tekst", "/document/notes"),
        ("document__tracking__current_release_date", "gisteren", "/document/tracking/current_release_date"),
        ("document__publisher", [], "/document/publisher"),
    ],
)
def test_a_part_that_cannot_be_read_costs_only_that_part(path: str, value: Any, pointer: str) -> None:
    result = read(ncsc(**{path: value}))
    assert pointer in {problem.path for problem in result.problems}
    assert result.drafts[0].key == "NCSC-2026-0412"
    assert not any("geen" in problem.reason or "gisteren" in problem.reason for problem in result.problems)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"document": {"title": "x", "tracking": {}}}, "/document/tracking/id"),
        ({"document": {"title": "x", "tracking": []}}, "/document/tracking/id"),
        ({"document": {"tracking": {"id": "X-1"}}}, "/document/title"),
        ({"document": []}, "/document"),
        ({"feed": {}}, ""),
        ([], ""),
    ],
)
def test_what_is_no_advisory_is_refused(document: Any, path: str) -> None:
    with pytest.raises(NormalizeError) as refusal:
        read(document)
    assert refusal.value.path == path


def test_an_advisory_without_vulnerabilities_or_cves_takes_the_cve_of_its_id() -> None:
    document = ncsc(document__tracking__id="CVE-1999-0003", product_tree={})
    del document["vulnerabilities"]
    assert one(document).facts.cves == ("CVE-1999-0003",)
    assert one(document).facts.affected == ()


def test_a_broken_or_foreign_document_is_refused() -> None:
    for body in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(NormalizeError):
            csaf.drafts(body, SOURCE, NOW)
    assert csaf.drafts(b"\xef\xbb\xbf" + json.dumps(ncsc()).encode(), SOURCE, NOW).drafts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def pointers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path, *(deeper for key, part in inner for deeper in pointers(part, (*path, key)))]


PLACES = [path for path in pointers(ncsc()) if path]


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_a_mutated_advisory_is_read_or_refused(mutations: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = ncsc()
    for path, value in mutations:
        target: Any = document
        try:
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue
    try:
        result = read(document)
    except NormalizeError:
        return
    assert len(result.drafts) == 1
    assert all(isinstance(a, Affected) for a in result.drafts[0].facts.affected)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        csaf.drafts(body, SOURCE, NOW)


@pytest.mark.corpus
def test_every_public_document_is_an_advisory_or_a_refusal_in_words(corpus: Path) -> None:
    outcomes: dict[str, set[str]] = {}
    for file in sorted((corpus / "csaf").rglob("*.json")):
        body = file.read_bytes()
        try:
            result = csaf.drafts(body, SOURCE, NOW)
        except NormalizeError as refusal:
            outcomes.setdefault(refusal.reason, set()).add(file.name)
            continue
        outcomes.setdefault("", set()).add(file.name)
        assert result.drafts[0].title
        assert all(product.product for product in result.drafts[0].facts.affected), file.name
    read_ones = outcomes.pop("")
    assert len(read_ones) >= 110
    for reason, names in outcomes.items():
        assert all(part in reason for part in ("not",)) or reason.startswith("no CSAF"), (reason, names)


def test_aliases_are_names_of_the_same_advisory() -> None:
    """Also the GHSA id of the one vulnerability it is about; of several, none names the advisory."""
    ids = [{"system_name": "GHSA", "text": "GHSA-abcd-efgh-ijkm"}, {"system_name": "Bugzilla", "text": "2256789"}]
    document = ncsc(document__tracking__aliases=["ACME-2026-7", "CVE-2026-0001"], vulnerabilities__0__ids=ids)
    assert one(document).facts.tracking == ("NCSC-2026-0412", "ACME-2026-7", "GHSA-abcd-efgh-ijkm")
    document["vulnerabilities"].append({"cve": "CVE-2026-0002"})
    assert one(document).facts.tracking == ("NCSC-2026-0412", "ACME-2026-7")
