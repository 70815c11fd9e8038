"""KEV entries are advisories on what is exploited."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import NormalizeError, identity, kev
from normalize.recognise import recognise

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


def test_an_entry_is_an_advisory_on_something_exploited() -> None:
    result = kev.drafts(catalogue(entry()), KEV, NOW)
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
    draft = kev.drafts(catalogue(entry(vendorProject=vendor, product=product)), KEV, NOW).drafts[0]
    assert [a.product for a in draft.facts.affected] == names


def test_a_changed_flag_is_no_new_meaning() -> None:
    old, new = (
        kev.drafts(catalogue(entry(knownRansomwareCampaignUse=use, dueDate=due)), KEV, NOW).drafts[0].facts
        for use, due in (("Unknown", "2025-02-26"), ("Known", "2025-03-01"))
    )
    assert old == new


def test_a_bad_entry_costs_only_itself() -> None:
    result = kev.drafts(catalogue([], entry(cveID="none"), entry(vendorProject=3, dateAdded="soon"), entry()), KEV, NOW)
    assert [problem.path for problem in result.problems] == [
        "/vulnerabilities/0",
        "/vulnerabilities/1/cveID",
        "/vulnerabilities/2/vendorProject",
    ]
    assert len(result.drafts) == 2


COLUMNS = ("cveID", "vendorProject", "product", "vulnerabilityName", "dateAdded", "shortDescription", "requiredAction",
           "dueDate", "knownRansomwareCampaignUse", "notes", "cwes")  # fmt: skip
"""As CISA publishes them."""


def table(*entries: dict[str, Any], columns: tuple[str, ...] = COLUMNS) -> bytes:
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(columns)
    writer.writerows([each.get(name, "") for name in columns] for each in entries)
    return made.getvalue().encode()


def test_as_csv_it_says_the_same() -> None:
    text = 'Ends here.\nOr, "there", it does not.'
    entries = entry(), entry(cveID="CVE-2024-0002", shortDescription=text, product="FortiOS and FortiProxy")
    as_json = kev.drafts(catalogue(*entries), KEV, NOW)
    for columns in (COLUMNS, COLUMNS[::-1][-6:] + COLUMNS[6:10]):
        body = table(*entries, columns=("cveID", *(each for each in columns if each != "cveID")))
        read = kev.drafts(body, KEV, NOW)
        assert read.drafts == as_json.drafts
        assert read.problems == ()
    assert recognise(table(*entries)) == recognise(b'"cveID","vendorProject"\n') == "kev"


def test_a_bad_row_costs_only_itself() -> None:
    body = table(entry(), entry(cveID="none"), entry(cveID="CVE-2024-0002"))
    cut = (
        body
        + b"CVE-2024-0003,Linux\r\nCVE-2024-0004"
        + b",x" * 20
        + b"\r\n"
        + b"y" * 200_000
        + b"\r\n"
        + b"CVE-2024-0005,a,b\r\n"
    )
    result = kev.drafts(cut, KEV, NOW)
    assert [draft.facts.cves[0] for draft in result.drafts] == [
        "CVE-2024-53104", "CVE-2024-0002", "CVE-2024-0003", "CVE-2024-0004", "CVE-2024-0005",
    ]  # fmt: skip
    assert [each.path for each in result.problems] == ["row 3", "row 7"]


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from(list(entry())), JSON)
def test_a_mutated_entry_is_read_or_refused(key: str, value: Any) -> None:
    assert kev.drafts(catalogue(entry(**{key: value}), entry()), KEV, NOW).drafts


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"3", b'{"vulnerabilities": {}}'])
def test_what_is_no_catalogue_is_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        kev.drafts(body, KEV, NOW)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        kev.drafts(body, KEV, NOW)


@pytest.mark.corpus
def test_the_public_catalogue_is_read_whole(corpus: Path) -> None:
    body = (corpus / "kev" / "known_exploited_vulnerabilities.2025-02-05.json").read_bytes()
    result = kev.drafts(body, KEV, NOW)
    assert (len(result.drafts), result.problems) == (1258, ())
    assert all(draft.facts.affected and draft.facts.remedies and draft.source_time for draft in result.drafts)
    columns = json.loads(body)["vulnerabilities"]
    assert kev.drafts(table(*columns), KEV, NOW).drafts == result.drafts
