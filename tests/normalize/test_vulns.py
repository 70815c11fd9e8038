"""KEV entries are advisories, CVE 5 records are facts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Facts, NormalizeError, identity, vulns

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEV = Source("kev", "CISA KEV", public=True)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "cveID": "CVE-2024-53104",
        "vendorProject": "Linux",
        "product": "Kernel",
        "vulnerabilityName": "Linux Kernel Out-of-Bounds Write",
        "dateAdded": "2025-02-05",
        "shortDescription": "It writes out of bounds.",
        "requiredAction": "Apply mitigations.",
        "dueDate": "2025-02-26",
        "knownRansomwareCampaignUse": "Unknown",
        "notes": "https://example.com/a ; https://example.com/b",
        **changes,
    }


def catalogue(*entries: Any) -> bytes:
    return json.dumps({"catalogVersion": "2025.02.05", "vulnerabilities": list(entries)}).encode()


def cve(*versions: dict[str, Any], container: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    affected = {"vendor": "Voorbeeld", "product": "VPN", "versions": list(versions), **changes}
    return {
        "dataType": "CVE_RECORD",
        "cveMetadata": {"cveId": "CVE-2024-0001", "state": "PUBLISHED", "dateUpdated": "2024-08-01T16:03:04.917Z"},
        "containers": {
            "cna": {
                "title": "Kwetsbaarheid",
                "descriptions": [{"lang": "es", "value": "no"}, {"lang": "en", "value": "A flaw."}],
                "affected": [affected],
                "references": [{"url": "https://example.com/a", "name": "Jan Jansen"}],
                "credits": [{"lang": "en", "value": "Jan Jansen"}],
                "metrics": [{"cvssV3_1": {"baseScore": 7.5}}, {"cvssV4_0": {"baseScore": 8.7}}],
                "solutions": [{"lang": "en", "value": "Update."}],
                **(container or {}),
            }
        },
    }


def facts(record: Any) -> Facts:
    return vulns.drafts(json.dumps(record).encode(), KEV, NOW).drafts[0].facts


def shown(record: Any) -> list[tuple[str, str, str]]:
    return [
        (a.status, a.versions, " or ".join("|".join(b + v for b, v in r.constraints) or "any" for r in a.ranges))
        for a in facts(record).affected
    ]


def test_an_entry_is_an_advisory_on_something_exploited() -> None:
    result = vulns.drafts(catalogue(entry()), KEV, NOW)
    draft = result.drafts[0]
    assert (result.format, result.problems) == ("kev", ())
    assert (draft.kind, draft.key, draft.title) == (
        "advisory",
        "kev/CVE-2024-53104",
        "Linux Kernel Out-of-Bounds Write",
    )
    assert (draft.facts.cves, draft.facts.exploited, draft.facts.remedies) == (
        ("CVE-2024-53104",),
        True,
        ("Apply mitigations.",),
    )
    assert [(a.vendor, a.product, a.versions, a.ranges) for a in draft.facts.affected] == [("Linux", "Kernel", "", ())]
    assert draft.source_time == datetime(2025, 2, 5, tzinfo=UTC)
    assert draft.references == ("https://example.com/a", "https://example.com/b")
    assert {thing["type"] for thing in draft.objects} == {
        "report", "identity", "vulnerability", "course-of-action", "relationship", "software",
    }  # fmt: skip
    assert identity.urgency(draft.facts) == "today"


@pytest.mark.parametrize(
    ("vendor", "product", "names"),
    [
        ("Fortinet", "FortiOS and FortiProxy", ["FortiOS", "FortiProxy"]),
        (
            "Ivanti",
            "Connect Secure, Policy Secure, and ZTA Gateways",
            ["Connect Secure", "Policy Secure", "ZTA Gateways"],
        ),
        (
            "Ivanti",
            "Endpoint Manager Mobile (EPMM) and MobileIron Core",
            ["Endpoint Manager Mobile", "MobileIron Core"],
        ),
        ("Atlassian", "Confluence Data Center and Server", ["Confluence Data Center and Server"]),
        ("Citrix", "NetScaler ADC and NetScaler Gateway", ["NetScaler ADC", "NetScaler Gateway"]),
    ],
)
def test_several_products_in_one_name(vendor: str, product: str, names: list[str]) -> None:
    draft = vulns.drafts(catalogue(entry(vendorProject=vendor, product=product)), KEV, NOW).drafts[0]
    assert [a.product for a in draft.facts.affected] == names


def test_a_changed_flag_is_no_new_meaning() -> None:
    old, new = (
        vulns.drafts(catalogue(entry(knownRansomwareCampaignUse=use, dueDate=due)), KEV, NOW).drafts[0].facts
        for use, due in (("Unknown", "2025-02-26"), ("Known", "2025-03-01"))
    )
    assert old == new


def test_a_bad_entry_costs_only_itself() -> None:
    result = vulns.drafts(
        catalogue([], entry(cveID="none"), entry(vendorProject=3, dateAdded="soon"), entry()), KEV, NOW
    )
    assert [problem.path for problem in result.problems] == [
        "/vulnerabilities/0",
        "/vulnerabilities/1/cveID",
        "/vulnerabilities/2/vendorProject",
    ]
    assert len(result.drafts) == 2


def test_a_record_is_facts_without_people() -> None:
    result = vulns.drafts(json.dumps(cve({"version": "1.0", "status": "affected"})).encode(), KEV, NOW)
    draft = result.drafts[0]
    assert (result.format, draft.kind, draft.key, draft.summary) == ("cve", "facts", "CVE-2024-0001", "A flaw.")
    assert (draft.facts.cves, draft.facts.cvss, draft.facts.remedies) == (("CVE-2024-0001",), 8.7, ("Update.",))
    assert draft.references == ("https://example.com/a",)
    assert "Jansen" not in repr(draft)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"version": "1.0", "status": "affected"}, ("affected", "1.0", "=1.0")),
        ({"version": "0", "lessThan": "1.5", "status": "affected"}, ("affected", "< 1.5", "<1.5")),
        ({"version": "1.2", "lessThan": "1.5", "status": "affected"}, ("affected", "1.2 < 1.5", ">=1.2|<1.5")),
        ({"version": "1.2", "lessThanOrEqual": "1.5", "status": "affected"}, ("affected", "1.2 <= 1.5", ">=1.2|<=1.5")),
        (
            {"version": "7.0", "lessThanOrEqual": "7.2.*", "status": "affected"},
            ("affected", "7.0 <= 7.2.*", ">=7.0|<7.3"),
        ),
        ({"version": "1.2", "lessThan": "*", "status": "affected"}, ("affected", "1.2 < *", ">=1.2")),
        ({"version": "< 0.14.10", "status": "affected"}, ("affected", "< 0.14.10", "<0.14.10")),
        ({"version": "*", "status": "affected"}, ("affected", "*", "any")),
        ({"version": "1.2", "lessThan": "1.5", "status": "unaffected"}, ("not-affected", "1.2 < 1.5", ">=1.2|<1.5")),
        ({"version": "1.2", "status": "unknown"}, ("unknown", "1.2", "=1.2")),
        (
            {"version": "1da177e4", "lessThan": "5c0d", "versionType": "git", "status": "affected"},
            ("affected", "1da177e4 < 5c0d", ""),
        ),
        (
            {"version": "14.1", "lessThan": "8.50", "versionType": "patch", "status": "affected"},
            ("affected", "14.1 < 8.50", ">=14.1-0|<14.1-8.50"),
        ),
        (
            {"version": "21.4", "lessThan": "21.4R3-S7", "status": "affected"},
            ("affected", "21.4 < 21.4R3-S7", ">=21.4|<21.4R3-S7"),
        ),
        (
            {"version": "23.4", "lessThan": "23.4R1-S1, 23.4R2", "status": "affected"},
            ("affected", "23.4 < 23.4R1-S1, 23.4R2", ">=23.4|<23.4R2"),
        ),
        (
            {"version": "0", "lessThan": "0:4.18.0-553.el8_10", "versionType": "rpm", "status": "affected"},
            ("affected", "< 0:4.18.0-553.el8_10", "<0:4.18.0-553.el8_10"),
        ),
        (
            {"version": "1.0", "lessThan": "1.4.Final", "versionType": "maven", "status": "affected"},
            ("affected", "1.0 < 1.4.Final", ">=1.0|<1.4.Final"),
        ),
        (
            {"version": "1.0a1", "lessThanOrEqual": "1.4.post1", "versionType": "python", "status": "affected"},
            ("affected", "1.0a1 <= 1.4.post1", ">=1.0a1|<=1.4.post1"),
        ),
        (
            {"version": "unspecified", "lessThanOrEqual": "<= 1.4", "versionType": "custom", "status": "affected"},
            ("affected", "<= <= 1.4", "<=1.4"),
        ),
        ({"version": ">= 1.2, < 1.5", "status": "affected"}, ("affected", ">= 1.2, < 1.5", ">=1.2|<1.5")),
        ({"version": "1.0", "lessThan": "see notes", "status": "affected"}, ("affected", "1.0 < see notes", "")),
        ({"version": "0", "status": "affected"}, ("affected", "0", "")),
        ({"version": "n/a", "status": "affected"}, ("affected", "n/a", "")),
    ],
)
def test_versions(version: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert shown(cve(version)) == [expected]


def test_hotfixes_on_parallel_branches_do_not_hide_what_is_between() -> None:
    changes = [{"at": "11.1.4-h7", "status": "unaffected"}, {"at": "11.1.2-h16", "status": "unaffected"}]
    version = {"version": "11.1.0", "lessThan": "11.1.5", "status": "affected", "changes": changes}
    assert shown(cve(version)) == [("affected", "11.1.0 < 11.1.5", ">=11.1.0|<11.1.5")]


def test_what_is_safe_is_safe_only_until_it_becomes_affected() -> None:
    changes = [{"at": "10.2.5", "status": "affected"}, {"at": "10.2.7", "status": "unaffected"}]
    version = {"version": "10.2.0", "lessThan": "10.2.8", "status": "unaffected", "changes": changes}
    assert shown(cve(version)) == [
        ("not-affected", "10.2.0 < 10.2.8", ">=10.2.0|<10.2.5"),
        ("affected", "10.2.5 and later", ">=10.2.5|<10.2.7"),
    ]


def test_one_change_at_a_plain_number_ends_what_is_affected() -> None:
    version = {"version": "1.0", "lessThan": "2.0", "status": "affected"}
    assert shown(cve({**version, "changes": [{"at": "1.5", "status": "unaffected"}]})) == [
        ("affected", "1.0 < 2.0", ">=1.0|<1.5")
    ]
    assert shown(cve({**version, "lessThan": "*", "changes": [{"at": "1.5", "status": "unaffected"}]})) == [
        ("affected", "1.0 < *", ">=1.0|<1.5")
    ]


def test_a_version_that_becomes_affected_later_is_affected_from_there() -> None:
    changes = [{"at": "10.2.8", "status": "affected"}, {"at": "10.2.14", "status": "unaffected"}]
    version = {"version": "10.2.0", "lessThan": "10.2.8", "status": "unaffected", "changes": changes}
    assert shown(cve(version)) == [
        ("not-affected", "10.2.0 < 10.2.8", ">=10.2.0|<10.2.8"),
        ("affected", "10.2.8 and later", ">=10.2.8|<10.2.14"),
    ]


def test_the_default_status_speaks_where_no_version_does() -> None:
    assert shown(cve(defaultStatus="affected")) == [("affected", "", "")]
    assert shown(cve(defaultStatus="unaffected")) == [("not-affected", "", "")]
    assert shown(cve()) == [("affected", "", "")]
    fixed = {"version": "2.0", "status": "unaffected"}
    assert shown(cve(fixed, defaultStatus="affected")) == [
        ("not-affected", "2.0", "=2.0"),
        ("affected", "all but 2.0", "<2.0 or >2.0"),
    ]


def test_of_what_is_affected_by_default_the_safe_branches_are_cut_out() -> None:
    """As the Linux kernel's records are written."""
    versions = [
        {"version": "5.10", "status": "affected"},
        {"version": "0", "lessThan": "5.10", "status": "unaffected", "versionType": "semver"},
        {"version": "5.15.148", "lessThanOrEqual": "5.15.*", "status": "unaffected", "versionType": "semver"},
        {"version": "5.10.209", "lessThanOrEqual": "5.10.*", "status": "unaffected", "versionType": "semver"},
        {"version": "6.8", "lessThanOrEqual": "*", "status": "unaffected", "versionType": "original_commit_for_fix"},
    ]
    (hit, safe) = facts(cve(*versions, defaultStatus="affected")).affected
    assert (hit.status, safe.status) == ("affected", "not-affected")
    assert hit.versions == "5.10, all but < 5.10, 5.15.148 <= 5.15.*, 5.10.209 <= 5.10.*, 6.8 <= *"
    assert [r.constraints for r in hit.ranges] == [
        (("=", "5.10"),),
        ((">=", "5.10"), ("<", "5.10.209")),
        ((">=", "5.11"), ("<", "5.15.148")),
        ((">=", "5.16"), ("<", "6.8")),
    ]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"version": "*", "status": "unaffected"}, [("not-affected", "*", "any")]),
        (
            {"version": "see notes", "status": "unaffected"},
            [("not-affected", "see notes", ""), ("affected", "all but see notes", "")],
        ),
        ({"version": "1.0", "status": "affected"}, [("affected", "1.0", "=1.0"), ("affected", "other versions", "")]),
    ],
)
def test_a_default_that_cannot_be_cut_exactly_stays_possible(
    version: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert shown(cve(version, defaultStatus="affected")) == expected


def test_commits_say_nothing_where_versions_are_stated_beside_them() -> None:
    record = cve({"version": "1.0", "status": "affected"})
    commits = {"version": "1da177e4", "lessThan": "5c0d", "versionType": "git", "status": "affected"}
    record["containers"]["cna"]["affected"].insert(0, {"vendor": "Voorbeeld", "product": "VPN", "versions": [commits]})
    assert shown(record) == [("affected", "1.0", "=1.0")]


def test_readable_and_unreadable_ranges_stand_apart() -> None:
    good, bad = {"version": "1.0", "status": "affected"}, {"version": "see notes", "status": "affected"}
    assert shown(cve(good, bad)) == [("affected", "1.0", "=1.0"), ("affected", "see notes", "")]


def test_identifiers_come_along() -> None:
    cpe = "cpe:2.3:a:voorbeeld:vpn:{}:*:*:*:*:*:*:*"
    several = facts(cve(cpes=[cpe.format("1.0"), cpe.format("1.1")])).affected[0]
    assert several.cpe == cpe.format("*")
    package = facts(cve(collectionURL="https://pypi.org/project", packageName="django")).affected[0]
    assert package.purl == "pkg:pypi/django"


def test_other_publishers_add_only_what_the_cna_does_not_name_and_scores() -> None:
    record = cve({"version": "1.0", "status": "affected"})
    record["containers"]["adp"] = [
        {
            "affected": [
                {"vendor": "voorbeeld", "product": "vpn", "versions": [{"version": "*", "status": "affected"}]},
                {"vendor": "ander", "product": "ding", "versions": [{"version": "2", "status": "affected"}]},
            ],
            "metrics": [
                {"cvssV3_1": {"baseScore": 9.8}},
                {"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "active"}]}}},
            ],
        }
    ]
    read = facts(record)
    assert [(a.vendor, a.versions) for a in read.affected] == [("Voorbeeld", "1.0"), ("ander", "2")]
    assert (read.cvss, read.exploited) == (9.8, True)


def test_a_rejected_record_is_withdrawn() -> None:
    record = cve(container={"rejectedReasons": [{"lang": "en", "value": "Not a flaw."}], "affected": []})
    record["cveMetadata"]["state"] = "REJECTED"
    draft = vulns.drafts(json.dumps(record).encode(), KEV, NOW).drafts[0]
    assert (draft.facts.withdrawn, draft.summary) == (True, "Not a flaw.")


def test_what_older_formats_left_in_a_record_is_not_read() -> None:
    record = cve({"version": "1.0", "status": "affected"})
    record["containers"]["cna"]["x_legacyV4Record"] = {"affects": {"vendor": {"vendor_data": [{"vendor_name": "x"}]}}}
    assert facts(record) == facts(cve({"version": "1.0", "status": "affected"}))


def test_what_the_cna_leaves_open_another_publisher_fills_in() -> None:
    """Old records name `n/a`; CISA's container says which product it is, that it is exploited, and how bad."""
    record = cve(container={"affected": [{"vendor": "n/a", "product": "n/a"}], "metrics": []})
    record["containers"]["adp"] = [
        {
            "title": "CISA ADP Vulnrichment",
            "affected": [
                {
                    "vendor": "ander",
                    "product": "ding",
                    "versions": [{"version": "0", "lessThanOrEqual": "2.1", "status": "affected"}],
                }
            ],
            "metrics": [
                {"cvssV3_1": {"baseScore": 9.8}},
                {"other": {"type": "kev", "content": {"dateAdded": "2024-08-01"}}},
            ],
        }
    ]
    read = facts(record)
    assert [(a.product, a.ranges[0].constraints) for a in read.affected] == [("ding", (("<=", "2.1"),))]
    assert (read.cvss, read.exploited) == (9.8, True)


def test_several_records_in_one_document() -> None:
    result = vulns.drafts(json.dumps([cve(), 3, cve()]).encode(), KEV, NOW)
    assert (len(result.drafts), [p.path for p in result.problems]) == (2, ["/1"])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"3", b'{"vulnerabilities": {}}', b'{"cveMetadata": {"cveId": 3}}']
)
def test_what_is_neither_is_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        vulns.drafts(body, KEV, NOW)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=5,
)
FULL = cve(
    {"version": "1", "lessThan": "2", "status": "affected", "changes": [{"at": "1.5", "status": "unaffected"}]},
    cpes=["cpe:2.3:a:a:b:1:*:*:*:*:*:*:*"], collectionURL="npmjs", packageName="x",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path, *(deeper for key, part in inner for deeper in places(part, (*path, key)))]


@given(st.sampled_from([path for path in places(FULL) if path]), JSON, st.booleans())
def test_mutated_documents_are_read_or_refused(path: tuple[Any, ...], value: Any, kev: bool) -> None:
    document: Any = json.loads(catalogue(entry())) if kev else json.loads(json.dumps(FULL))
    if kev:
        document["vulnerabilities"][0][list(entry())[len(path) % len(entry())]] = value
    else:
        target = document
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value
    try:
        assert vulns.drafts(json.dumps(document).encode(), KEV, NOW).format == ("kev" if kev else "cve")
    except NormalizeError:
        assert not kev


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    vulns.sniff(body)
    with pytest.raises(NormalizeError):
        vulns.drafts(body, KEV, NOW)


@pytest.mark.corpus
def test_the_public_catalogue_and_records_are_read_whole(corpus: Path) -> None:
    body = (corpus / "kev" / "known_exploited_vulnerabilities.2025-02-05.json").read_bytes()
    assert vulns.sniff(body[:65536])
    result = vulns.drafts(body, KEV, NOW)
    assert (len(result.drafts), result.problems) == (1258, ())
    assert all(draft.facts.affected and draft.facts.remedies and draft.source_time for draft in result.drafts)
    for file in (corpus / "kev" / "cve5").glob("*.json"):
        result = vulns.drafts(file.read_bytes(), KEV, NOW)
        assert (len(result.drafts), result.problems) == (1, ()), file.name
    with pytest.raises(NormalizeError, match="schema"):
        vulns.drafts((corpus / "kev" / "known_exploited_vulnerabilities_schema.json").read_bytes(), KEV, NOW)
