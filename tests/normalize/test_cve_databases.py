"""Answers of the NVD and entries of the EUVD are facts, as CVE records are."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source
from normalize import Draft, Normalized, NormalizeError
from normalize.read import normalize
from tests.normalize.test_cve import JSON

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VPN = "cpe:2.3:a:voorbeeld:vpn:*:*:*:*:*:*:*:*"
SOURCE = Source("nvd", "NVD", public=True)


def whole(content: Any) -> Normalized:
    """As it comes in: recognised by content."""
    found = normalize(RawDocument(SOURCE, json.dumps(content).encode(), "x", NOW))
    assert found.format == "cve"
    return found


def one(content: Any) -> Draft:
    (draft,) = whole(content).drafts
    assert draft.kind == "facts"
    return draft


def nvd(**changes: Any) -> dict[str, Any]:
    return {
        "id": "CVE-2024-0001",
        "sourceIdentifier": "jan.jansen@voorbeeld.example",
        "published": "2024-01-26T18:15:10.970",
        "lastModified": "2024-02-02T16:15:53.893",
        "vulnStatus": "Analyzed",
        "descriptions": [{"lang": "es", "value": "no"}, {"lang": "en", "value": "A flaw."}],
        "metrics": {name: [{"cvssData": {"baseScore": score}}] for name, score in (("cvssMetricV31", 7.5), ("v2", 9))},
        "configurations": [
            {"nodes": [{"operator": "OR", "negate": False, "cpeMatch": [
                {"vulnerable": True, "criteria": VPN, "versionEndExcluding": "1.5"}
            ]}]}
        ],
        "references": [{"url": "https://example.com/a", "source": "jan.jansen@voorbeeld.example"}],
        **changes,
    }  # fmt: skip


def answer(*records: Any) -> dict[str, Any]:
    return {"resultsPerPage": len(records), "startIndex": 0, "vulnerabilities": [{"cve": each} for each in records]}


def euvd(
    *products: tuple[str, str | None], vendors: tuple[str, ...] = ("Voorbeeld",), **changes: Any
) -> dict[str, Any]:
    return {
        "id": "EUVD-2024-0001",
        "enisaUuid": "cd072336-5336-3c51-8083-7208e80ec989",
        "description": "A flaw.",
        "datePublished": "Jan 15, 2024, 12:01:36 AM",
        "dateUpdated": "Nov 15, 2025, 8:55:25 PM",
        "baseScore": 5.2,
        "references": "https://example.com/a\nhttps://example.com/b\n",
        "aliases": "CVE-2024-0001\nGHSA-aaaa-bbbb-cccc\n",
        "assigner": "voorbeeld",
        "epss": 0.5,
        "enisaIdProduct": [
            {"id": "x", "product": {"name": name}, **({"product_version": version} if version is not None else {})}
            for name, version in products
        ],
        "enisaIdVendor": [{"id": "x", "vendor": {"name": name}} for name in vendors],
        **changes,
    }


def shown(draft: Draft) -> list[tuple[str, str, str, str]]:
    return [
        (
            a.status,
            a.product,
            a.versions,
            " or ".join("|".join(b + v for b, v in r.constraints) or "any" for r in a.ranges),
        )
        for a in draft.facts.affected
    ]


def test_the_nvd_says() -> None:
    for content in (answer(nvd()), nvd()):
        draft = one(content)
        assert (draft.key, draft.title, draft.summary) == ("CVE-2024-0001", "CVE-2024-0001", "A flaw.")
        assert (draft.facts.cves, draft.facts.cvss, draft.facts.exploited) == (("CVE-2024-0001",), 9.0, None)
        assert shown(draft) == [("affected", "vpn", "< 1.5", "<1.5")]
        assert draft.references == ("https://example.com/a",)
        assert draft.source_time == datetime(2024, 2, 2, 16, 15, 53, 893000, tzinfo=UTC)
        assert "jansen" not in repr(draft)


def test_the_nvd_on_what_is_exploited_or_rejected() -> None:
    known = {"cisaExploitAdd": "2024-02-01", "cisaRequiredAction": "Update.", "cisaVulnerabilityName": "VPN Flaw"}
    draft = one(answer(nvd(**known)))
    assert (draft.title, draft.facts.exploited, draft.facts.remedies) == ("VPN Flaw", True, ("Update.",))
    assert one(answer(nvd(vulnStatus="Rejected"))).facts.withdrawn


def test_a_record_of_the_nvd_that_cannot_be_read_costs_itself() -> None:
    result = whole(answer(nvd(id="none"), 7, nvd()))
    assert len(result.drafts) == 1
    assert [each.path for each in result.problems] == [
        "/vulnerabilities/0/cve/id", "/vulnerabilities/1/cve", "/vulnerabilities/1/cve/id",
    ]  # fmt: skip


def test_the_euvd_says() -> None:
    page = {"items": [euvd(("VPN", "1.0 <1.5"))], "total": 1}
    for content in (page, euvd(("VPN", "1.0 <1.5")), [euvd(("VPN", "1.0 <1.5"))]):
        draft = one(content)
        assert (draft.key, draft.summary, draft.facts.cves) == ("EUVD-2024-0001", "A flaw.", ("CVE-2024-0001",))
        assert (draft.facts.cvss, draft.facts.epss, draft.facts.exploited) == (5.2, None, None)
        assert draft.references == ("https://example.com/a", "https://example.com/b")
        assert draft.source_time == datetime(2025, 11, 15, 20, 55, 25, tzinfo=UTC)
        assert [a.vendor for a in draft.facts.affected] == ["Voorbeeld"]
    assert one(euvd(exploitedSince="Jan 15, 2024, 12:01:36 AM")).facts.exploited
    assert one(euvd(dateUpdated="Jan 15, 2024, 12:01:36 AM")).source_time == datetime(2024, 1, 15, 0, 1, 36, tzinfo=UTC)
    assert one(euvd(dateUpdated="2024-01-15T00:01:36Z")).source_time == datetime(2024, 1, 15, 0, 1, 36, tzinfo=UTC)
    assert one(euvd(dateUpdated="soon", datePublished="Xxx 99, 2024, 7:05:08 PM")).source_time is None
    assert one(euvd(baseScore=-1)).facts.cvss is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0 <1.5", ("affected", "1.0 <1.5", ">=1.0|<1.5")),
        ("1.0 ≤1.5", ("affected", "1.0 <=1.5", ">=1.0|<=1.5")),
        ("0 < 1.5", ("affected", "0 < 1.5", "<1.5")),
        ("unspecified ≤ 1.5", ("affected", "unspecified <= 1.5", "<=1.5")),
        ("<1.5", ("affected", "<1.5", "<1.5")),
        ("1.5", ("affected", "1.5", "=1.5")),
        ("see notes", ("affected", "see notes", "")),
        ("1.0 <see", ("affected", "1.0 <see", "")),
        ("n/a", ("affected", "n/a", "")),
        (None, ("affected", "", "")),
    ],
)
def test_versions_of_the_euvd(version: str | None, expected: tuple[str, str, str]) -> None:
    assert shown(one(euvd(("VPN", version)))) == [(expected[0], "VPN", *expected[1:])]


def test_what_is_patched_is_not_what_is_affected() -> None:
    assert shown(one(euvd(("VPN", "patch: 1.5")))) == [
        ("fixed", "VPN", "1.5", "=1.5"), ("affected", "VPN", "other than patched", ""),
    ]  # fmt: skip
    assert shown(one(euvd(("VPN", "patch: 1.5"), ("VPN", "<1.5")))) == [
        ("fixed", "VPN", "1.5", "=1.5"), ("affected", "VPN", "<1.5", "<1.5"),
    ]  # fmt: skip
    digests = [("VPN", f"patch: sha256:{number:064x}") for number in range(5)]
    assert len(one(euvd(*digests)).facts.affected) == 2


def test_whose_a_product_is_with_two_vendors_nobody_says() -> None:
    draft = one(euvd(("VPN", "<1.5"), ("n/a", "n/a"), vendors=("Voorbeeld", "Ander")))
    assert [(a.vendor, a.product) for a in draft.facts.affected] == [("", "VPN")]


def test_an_entry_of_the_euvd_that_names_no_cve_is_refused() -> None:
    result = whole({"items": [euvd(aliases="GHSA-aaaa-bbbb-cccc\n"), euvd()]})
    assert len(result.drafts) == 1
    assert [each.path for each in result.problems] == ["/items/0/aliases"]


@given(st.sampled_from(list(nvd())), JSON)
def test_a_mutated_record_is_read_or_refused(key: str, value: Any) -> None:
    assert whole(answer(nvd(**{key: value}), nvd())).drafts


@given(st.sampled_from(list(euvd())), JSON)
def test_a_mutated_entry_is_read_or_refused(key: str, value: Any) -> None:
    assert whole({"items": [euvd(("VPN", "1"), **{key: value}), euvd()]}).drafts


@pytest.mark.parametrize("content", [{"resultsPerPage": 1, "vulnerabilities": []}, {"items": [{"enisaUuid": 1}]}])
def test_what_holds_nothing_is_refused(content: Any) -> None:
    with pytest.raises(NormalizeError):
        whole(content)


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "many"), [("cpe/nvd-api-cve-3_items.json", 3), ("kev/euvd-list-page0.json", 2)])
def test_real_answers(corpus: Path, name: str, many: int) -> None:
    found = normalize(RawDocument(SOURCE, (corpus / name).read_bytes(), "x", NOW))
    assert (found.format, len(found.drafts), found.problems) == ("cve", many, ())
    assert all(draft.facts.cves and draft.source_time and draft.summary for draft in found.drafts)
