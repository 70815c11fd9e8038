"""CVE 5 records are facts: what both containers say, and the versions of every type."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Facts, NormalizeError, cve

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROGRAM = Source("cve", "CVE Program", public=True)


def record(*versions: dict[str, Any], container: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
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
    return cve.drafts(json.dumps(record).encode(), PROGRAM, NOW).drafts[0].facts


def shown(record: Any) -> list[tuple[str, str, str]]:
    return [
        (a.status, a.versions, " or ".join("|".join(b + v for b, v in r.constraints) or "any" for r in a.ranges))
        for a in facts(record).affected
    ]


def test_a_record_is_facts_without_people() -> None:
    result = cve.drafts(json.dumps(record({"version": "1.0", "status": "affected"})).encode(), PROGRAM, NOW)
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
    assert shown(record(version)) == [expected]


def test_hotfixes_on_parallel_branches_do_not_hide_what_is_between() -> None:
    changes = [{"at": "11.1.4-h7", "status": "unaffected"}, {"at": "11.1.2-h16", "status": "unaffected"}]
    version = {"version": "11.1.0", "lessThan": "11.1.5", "status": "affected", "changes": changes}
    assert shown(record(version)) == [("affected", "11.1.0 < 11.1.5", ">=11.1.0|<11.1.5")]


def test_what_is_safe_is_safe_only_until_it_becomes_affected() -> None:
    changes = [{"at": "10.2.5", "status": "affected"}, {"at": "10.2.7", "status": "unaffected"}]
    version = {"version": "10.2.0", "lessThan": "10.2.8", "status": "unaffected", "changes": changes}
    assert shown(record(version)) == [
        ("not-affected", "10.2.0 < 10.2.8", ">=10.2.0|<10.2.5"),
        ("affected", "10.2.5 and later", ">=10.2.5|<10.2.7"),
    ]


def test_one_change_at_a_plain_number_ends_what_is_affected() -> None:
    version = {"version": "1.0", "lessThan": "2.0", "status": "affected"}
    assert shown(record({**version, "changes": [{"at": "1.5", "status": "unaffected"}]})) == [
        ("affected", "1.0 < 2.0", ">=1.0|<1.5")
    ]
    assert shown(record({**version, "lessThan": "*", "changes": [{"at": "1.5", "status": "unaffected"}]})) == [
        ("affected", "1.0 < *", ">=1.0|<1.5")
    ]


def test_a_version_that_becomes_affected_later_is_affected_from_there() -> None:
    changes = [{"at": "10.2.8", "status": "affected"}, {"at": "10.2.14", "status": "unaffected"}]
    version = {"version": "10.2.0", "lessThan": "10.2.8", "status": "unaffected", "changes": changes}
    assert shown(record(version)) == [
        ("not-affected", "10.2.0 < 10.2.8", ">=10.2.0|<10.2.8"),
        ("affected", "10.2.8 and later", ">=10.2.8|<10.2.14"),
    ]


def test_the_default_status_speaks_where_no_version_does() -> None:
    assert shown(record(defaultStatus="affected")) == [("affected", "", "")]
    assert shown(record(defaultStatus="unaffected")) == [("not-affected", "", "")]
    assert shown(record()) == [("affected", "", "")]
    fixed = {"version": "2.0", "status": "unaffected"}
    assert shown(record(fixed, defaultStatus="affected")) == [
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
    (hit, safe) = facts(record(*versions, defaultStatus="affected")).affected
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
    assert shown(record(version, defaultStatus="affected")) == expected


def test_commits_say_nothing_where_versions_are_stated_beside_them() -> None:
    given = record({"version": "1.0", "status": "affected"})
    commits = {"version": "1da177e4", "lessThan": "5c0d", "versionType": "git", "status": "affected"}
    given["containers"]["cna"]["affected"].insert(0, {"vendor": "Voorbeeld", "product": "VPN", "versions": [commits]})
    assert shown(given) == [("affected", "1.0", "=1.0")]


def test_readable_and_unreadable_ranges_stand_apart() -> None:
    good, bad = {"version": "1.0", "status": "affected"}, {"version": "see notes", "status": "affected"}
    assert shown(record(good, bad)) == [("affected", "1.0", "=1.0"), ("affected", "see notes", "")]


def test_identifiers_come_along() -> None:
    cpe = "cpe:2.3:a:voorbeeld:vpn:{}:*:*:*:*:*:*:*"
    several = facts(record(cpes=[cpe.format("1.0"), cpe.format("1.1")])).affected[0]
    assert several.cpe == cpe.format("*")
    package = facts(record(collectionURL="https://pypi.org/project", packageName="django")).affected[0]
    assert package.purl == "pkg:pypi/django"


def test_other_publishers_add_only_what_the_cna_does_not_name_and_scores() -> None:
    given = record({"version": "1.0", "status": "affected"})
    given["containers"]["adp"] = [
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
    read = facts(given)
    assert [(a.vendor, a.versions) for a in read.affected] == [("Voorbeeld", "1.0"), ("ander", "2")]
    assert (read.cvss, read.exploited) == (9.8, True)


def test_a_rejected_record_is_withdrawn() -> None:
    given = record(container={"rejectedReasons": [{"lang": "en", "value": "Not a flaw."}], "affected": []})
    given["cveMetadata"]["state"] = "REJECTED"
    draft = cve.drafts(json.dumps(given).encode(), PROGRAM, NOW).drafts[0]
    assert (draft.facts.withdrawn, draft.summary) == (True, "Not a flaw.")


def test_what_older_formats_left_in_a_record_is_not_read() -> None:
    given = record({"version": "1.0", "status": "affected"})
    given["containers"]["cna"]["x_legacyV4Record"] = {"affects": {"vendor": {"vendor_data": [{"vendor_name": "x"}]}}}
    assert facts(given) == facts(record({"version": "1.0", "status": "affected"}))


def test_what_the_cna_leaves_open_another_publisher_fills_in() -> None:
    """Old records name `n/a`; CISA's container says which product it is, that it is exploited, and how bad."""
    given = record(container={"affected": [{"vendor": "n/a", "product": "n/a"}], "metrics": []})
    given["containers"]["adp"] = [
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
    read = facts(given)
    assert [(a.product, a.ranges[0].constraints) for a in read.affected] == [("ding", (("<=", "2.1"),))]
    assert (read.cvss, read.exploited) == (9.8, True)


def test_several_records_in_one_document() -> None:
    result = cve.drafts(json.dumps([record(), 3, record()]).encode(), PROGRAM, NOW)
    assert (len(result.drafts), [p.path for p in result.problems]) == (2, ["/1"])


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=5,
)
FULL = record(
    {"version": "1", "lessThan": "2", "status": "affected", "changes": [{"at": "1.5", "status": "unaffected"}]},
    cpes=["cpe:2.3:a:a:b:1:*:*:*:*:*:*:*"], collectionURL="npmjs", packageName="x",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [path, *(deeper for key, part in inner for deeper in places(part, (*path, key)))]


@given(st.sampled_from([path for path in places(FULL) if path]), JSON)
def test_a_mutated_record_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    document: Any = json.loads(json.dumps(FULL))
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with suppress(NormalizeError):
        assert cve.drafts(json.dumps(document).encode(), PROGRAM, NOW).format == "cve"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"3", b'{"cveMetadata": {"cveId": 3}}'])
def test_what_is_no_record_is_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        cve.drafts(body, PROGRAM, NOW)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        cve.drafts(body, PROGRAM, NOW)


@pytest.mark.corpus
def test_the_public_records_are_read_whole(corpus: Path) -> None:
    for file in (corpus / "kev" / "cve5").glob("*.json"):
        result = cve.drafts(file.read_bytes(), PROGRAM, NOW)
        assert (len(result.drafts), result.problems) == (1, ()), file.name


def test_versions_are_ordered_as_their_type_says() -> None:
    """Of several entries one that states no type is of the same product; a package's type goes before."""

    def read(*versions: dict[str, str], **more: Any) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        (found,) = facts(record(*versions, **more)).affected
        return [(each.scheme, each.constraints) for each in found.ranges]

    rpm = {"version": "0", "lessThan": "1:2.0-3.el9", "status": "affected", "versionType": "rpm"}
    assert read(rpm) == [("rpm", (("<", "1:2.0-3.el9"),))]
    point = {"version": "2.0rc1", "status": "affected"}
    upper = {"version": "1.0", "lessThan": "1.5", "status": "affected", "versionType": "python"}
    assert {scheme for scheme, _ in read(upper, point)} == {"pypi"}
    semver = {"version": "4.0.0", "lessThan": "4.2.1", "status": "affected", "versionType": "semver"}
    assert {scheme for scheme, _ in read(semver, packageURL="pkg:pypi/django")} == {"pypi"}
    assert {scheme for scheme, _ in read({**semver, "versionType": "custom"})} == {""}
