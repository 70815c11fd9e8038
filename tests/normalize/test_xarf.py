"""X-ARF of all versions: the host that was reported, as a victim's; faults refused for what they are."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source
from normalize import Draft, Normalized, NormalizeError, xarf
from normalize.read import normalize
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("market", "Market party")
WHO = {
    "ReporterOrg": "Jansen BV", "ReporterOrgDomain": "jansen.example", "ReporterOrgEmail": "piet@jansen.example",
    "ReporterContactName": "Piet Jansen",
}  # fmt: skip
SPAM = {
    "ReportClass": "Activity", "ReportType": "Spam", "ReportSubType": "Trap", "Date": "2026-03-01T14:17:10+02:00",
    "SourceIp": "192.0.2.55", "SourcePort": 54321, "ASN": 64500, "DestinationIp": "198.51.100.33",
    "SmtpMailFromAddress": "afzender@persoon.example", "ReporterNotes": "van Jansen", "ReporterSeverity": "high",
    "Samples": [{"ContentType": "message/rfc822", "Base64Encoded": False, "Payload": "Beste Jansen"}],
}  # fmt: skip
FOUR = {
    "xarf_version": "4.2.0", "report_id": "a1b2c3d4-e5f6-4890-abcd-ef1234567890", "timestamp": "2026-03-01T10:30:00Z",
    "reporter": {"org": "Jansen", "contact": "piet@jansen.example", "domain": "jansen.example"},
    "source_identifier": "192.0.2.100", "category": "vulnerability", "type": "open_service", "service": "rdp",
    "source_port": 3389, "risk_level": "high", "remediation": "Use a VPN.", "tags": ["service:rdp", "tlp:green"],
}  # fmt: skip
PLAIN = """---
Reported-From: piet@jansen.example
Category: abuse
Report-Type: login-attack
Service: ssh
Date: Sun, 01 Mar 2026 07:19:02 +0100
Source-Type: ip-address
Source: 192.0.2.150
Port: 22
Report-ID: 1@jansen.example
Schema-URL: http://www.x-arf.org/schema/abuse_login-attack_0.1.2.json
"""


def three(report: dict[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
    return {"Version": "3", "ReporterInfo": WHO, "Disclosure": True, "Report": {**(report or SPAM), **more}}


def read(document: Any) -> Normalized:
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    return normalize(RawDocument(SOURCE, body, "x.json", NOW))


def one(document: Any) -> Draft:
    found = read(document)
    assert found.problems == ()
    (draft,) = found.drafts
    return draft


def faults(document: Any) -> list[tuple[str, str]]:
    found = read(document)
    assert found.drafts == ()
    return [(problem.reason, problem.path) for problem in found.problems]


def test_the_host_that_was_reported_is_a_victims() -> None:
    draft = one(three())
    assert (draft.kind, draft.title, draft.facts.exposure) == (
        "exposure", "System that sends spam: 1 address", "spam-source",
    )  # fmt: skip
    assert draft.key.startswith("xarf_spam/2026-03-01/")
    (host,) = draft.facts.observables
    assert (host.type, host.value, host.role, host.evidence) == ("ipv4", "192.0.2.55", "victim", "report:xarf_spam")
    assert (host.port, host.asn, host.seen) == (54321, 64500, datetime(2026, 3, 1, 12, 17, 10, tzinfo=UTC))
    assert host.detail == {"type": "Spam", "class": "Activity", "subtype": "Trap", "severity": "high"}


def test_who_complains_what_was_attacked_and_samples_are_left_out() -> None:
    shown = repr([one(three()), one(FOUR), one(PLAIN)])
    for word in ("ansen", "198.51.100.33", "persoon", "Beste"):
        assert word not in shown


def test_version_four() -> None:
    draft = one(FOUR)
    assert (draft.title, draft.facts.exposure, draft.facts.exploited) == ("Open RDP: 1 address", "open-rdp", None)
    assert (draft.label, draft.facts.remedies) == (Label.GREEN, ("Use a VPN.",))
    host = draft.facts.observables[0]
    assert (host.port, host.detail["risk"], host.evidence) == (3389, "high", "report:xarf_open-service")
    cve = one(FOUR | {"type": "cve", "cve_id": "CVE-2023-12345", "cvss_score": 9.8, "service": "apache_struts"})
    assert (cve.facts.cves, cve.facts.cvss, cve.facts.exposure) == (
        ("CVE-2023-12345",), 9.8, "vulnerable-apache-struts",
    )  # fmt: skip


def test_a_server_that_commands_is_the_attackers_and_the_infected_host_is_not() -> None:
    bot = FOUR | {"category": "infrastructure", "type": "botnet", "c2_server": "c2.evil.example", "service": None}
    draft = one(bot)
    assert draft.facts.exposure == "botnet-infection"
    assert draft.facts.exploited is True
    assert [(each.value, each.role, each.evidence) for each in draft.facts.observables] == [
        ("192.0.2.100", "victim", "report:xarf_botnet"),
        ("c2.evil.example", "attacker", "c2"),
    ]


def test_a_page_on_a_host_belongs_to_the_host() -> None:
    draft = one(three(ReportClass="Content", ReportType="Phishing", SourceUrl="http://p.example/x"))
    assert [(each.type, each.role) for each in draft.facts.observables] == [("ipv4", "victim"), ("url", "victim")]
    hosted = {key: value for key, value in SPAM.items() if key != "SourceIp"}
    alone = one(three(hosted, ReportClass="Content", ReportType="Phishing", SourceUrl="http://p.example/x"))
    assert [(each.type, each.value) for each in alone.facts.observables] == [("url", "http://p.example/x")]


def test_of_a_leaked_log_in_only_the_account_is_kept() -> None:
    report = {
        "ReportClass": "Activity", "ReportType": "PotentiallyCompromisedAccount", "Date": "2026-03-01T00:00:00Z",
        "Account": {"AccountEmail": "lid@voorbeeld.example"}, "AttackerIp": "203.0.113.9",
        "PasswordHash": {"HashAlgorithm": "md5", "HashValue": "5f4dcc3b5aa765d61d8327deb882cf99"},
    }  # fmt: skip
    draft = one(three(report))
    assert [(each.type, each.role) for each in draft.facts.observables] == [("email", "victim")]
    assert "5f4dcc" not in repr(draft)


def test_the_older_form_of_lines_and_as_json() -> None:
    for document in (PLAIN, dict(line.split(": ", 1) for line in PLAIN.splitlines()[1:])):
        draft = one(document)
        assert draft.key.startswith("xarf_login-attack/2026-03-01/")
        host = draft.facts.observables[0]
        assert (host.value, host.port, host.detail) == (
            "192.0.2.150", 22, {"type": "login-attack", "class": "abuse", "service": "ssh"},
        )  # fmt: skip
    assert one(PLAIN + "TLP: amber\n").label is Label.AMBER
    assert one(PLAIN + "TLP: purple\n").doubts == ("unknown-marking",)
    assert faults(PLAIN.replace("Source: 192.0.2.150\n", "")) == [("a required field is missing", "/Source")]


def test_a_type_that_is_not_known_is_kept_as_a_fact() -> None:
    draft = one(FOUR | {"type": "jansen_attack_9", "category": "connection"})
    assert (draft.facts.exposure, draft.key.partition("/")[0]) == ("reported-abuse", "xarf")


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (three(ReportType="Nieuw"), ("a report type that X-ARF does not have", "/Report/ReportType")),
        (three(ReportClass="Content"), ("not the class of this report type", "/Report/ReportClass")),
        (three(Date="gisteren"), ("a time that cannot be read", "/Report/Date")),
        (three(SourceIp="192.0.2.1.5"), ("not an address", "/Report/SourceIp")),
        (three() | {"Version": "9"}, ("a version of X-ARF that is not known", "/Version")),
        (FOUR | {"category": "jansen"}, ("a category that X-ARF does not have", "/category")),
        (FOUR | {"source_identifier": "jan sen"}, ("neither an address nor a host name", "")),
        ([FOUR | {"timestamp": "x"}], ("a time that cannot be read", "/0/timestamp")),
        (
            FOUR | {"category": "copyright", "type": "p2p"},
            ("a report about rights, quarrels or unlawful content: no digital threat to warn of", ""),
        ),
    ],
)
def test_faults_are_named_with_their_place_and_without_their_value(document: Any, fault: tuple[str, str]) -> None:
    assert fault in faults(document)
    assert "ansen" not in repr(faults(document))


def test_of_a_list_the_sound_reports_stand() -> None:
    found = read([three(), three(SourceIp="x"), three(), FOUR])
    assert len(found.drafts) == 2
    assert [problem.path for problem in found.problems] == ["/1/Report/SourceIp"]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(SPAM | FOUR)), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(SPAM)), st.sampled_from(sorted(FOUR)), _ANY)
def test_any_content_is_a_report_or_a_fault(of_three: str, of_four: str, value: Any) -> None:
    for document in (three(**{of_three: value}), FOUR | {of_four: value}, three() | {"ReporterInfo": value}):
        try:
            found = xarf.drafts(json.dumps(document).encode(), SOURCE, NOW)
        except NormalizeError:
            continue
        assert bool(found.drafts) != bool(found.problems)


@pytest.mark.corpus
def test_public_vectors_are_read_or_refused_for_the_reason_their_authors_name(corpus: Path) -> None:
    folder = corpus / "shadowserver" / "xarf"
    for path in sorted((folder / "positive").iterdir()):
        assert one(json.loads(path.read_text())).facts.observables[0].value == "192.0.2.55", path.name
    found = {
        path.stem.removeprefix("invalid_"): [where for _, where in faults(json.loads(path.read_text()))]
        for path in sorted((folder / "negative").iterdir())
    }
    named = {
        "harassment_sample_no_description": "/Report/HarassmentDescription",
        "b64_flag": "/Report/Samples/0/Base64Encoded",
        "destination": "/Report/DestinationIp",
        "emails": "/Report/SmtpMailFromAddress",
        "exploit_wrong_cve": "/Report/CVE",
        "file_hash": "/Report/FileHash/HashAlgorithm",
        "host_name": "/Report/RpzDomain",
        "ip": "/Report/SourceIp",
        "missing_report": "/Report",
        "missing_reporter_props": "/ReporterInfo/ReporterOrg",
        "missing_reporter_props4": "/ReporterInfo",
        "openservice": "/Report/ServiceName",
        "openservice4": "/Report/ServiceName",
        "report_class_report_type": "/Report/ReportType",
        "reporter_info": "/ReporterInfo/*",
        "sample": "/Report/Samples",
        "used_ip_in_potentially_compromised_account": "/Report/SourceIp",
    }
    assert found.keys() == named.keys()
    assert all(named[name] in places for name, places in found.items()), found
