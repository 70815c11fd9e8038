"""Shadowserver report CSV: one exposure a report type and day; beside addresses nothing personal."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, Normalized, NormalizeError, abuse, gravity, identity
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("shadowserver", "Shadowserver")
RDP = (
    '"timestamp","ip","port","hostname","tag","handshake","asn","geo","region","city","rdp_protocol",'
    '"subject_common_name","naics","sic","sector"'
)


def read(*lines: str, header: str = RDP, end: str = "\n") -> Normalized:
    return abuse.drafts(end.join((header, *lines, "")).encode(), SOURCE, NOW)


def row(ip: str = "192.0.2.1", when: str = "2026-03-01 04:05:06", rest: str = "") -> str:
    place = '64500,"NL","NOORD-HOLLAND","AMSTERDAM"'
    return f'"{when}","{ip}",3389,"jan.example.nl","rdp",,{place},"RDP","JANSEN-PC.local",517311,0,"Retail"{rest}'


def one(*lines: str, header: str = RDP) -> Draft:
    result = read(*lines, header=header)
    assert result.problems == ()
    assert len(result.drafts) == 1
    return result.drafts[0]


def test_a_report_is_one_exposure_with_its_rows() -> None:
    draft = one(row(), row("192.0.2.2"), row("2001:DB8::1"), row("198.51.100.7/24"))
    assert (draft.kind, draft.key) == ("exposure", "scan_rdp/2026-03-01")
    assert draft.title == "Open RDP: 4 addresses"
    assert (draft.facts.exposure, draft.facts.exploited, draft.facts.countries, draft.objects) == (
        "open-rdp",
        None,
        (),
        (),
    )
    assert [(o.type, o.value) for o in draft.facts.observables] == [
        ("ipv4", "192.0.2.1"),
        ("ipv4", "192.0.2.2"),
        ("ipv6", "2001:db8::1"),
        ("cidr", "198.51.100.0/24"),
    ]
    first = draft.facts.observables[0]
    assert (first.role, first.evidence) == ("victim", "report:scan_rdp")
    assert (first.asn, first.country, first.port, first.protocol) == (64500, "NL", 3389, None)
    assert first.seen == draft.source_time == datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
    assert first.detail == {"tag": "rdp", "naics": "517311", "sector": "Retail", "rdp_protocol": "RDP"}


def test_a_report_of_ipv6_addresses_is_a_type_of_its_own() -> None:
    """A day has both, of the same exposure; each is a series."""
    four, six = one(row()), one(row("2001:db8::1"), row("2001:db8::2"), row("192.0.2.1"))
    assert (four.key, six.key) == ("scan_rdp/2026-03-01", "scan6_rdp/2026-03-01")
    assert (four.facts.tracking, six.facts.tracking) == (("scan_rdp",), ("scan6_rdp",))
    assert four.facts.exposure == six.facts.exposure == "open-rdp"


def test_names_of_people_and_machines_are_left_out() -> None:
    draft = one(row())
    assert not [word for word in ("jan", "JANSEN", "AMSTERDAM") if word in repr(draft)]


def test_each_day_is_its_own_exposure() -> None:
    result = read(
        row(when="2026-03-01 23:59:59"), row(when="2026-03-02 00:00:00"), row("192.0.2.9", "2026-03-01 00:00:00")
    )
    assert [(d.key, len(d.facts.observables)) for d in result.drafts] == [
        ("scan_rdp/2026-03-01", 2),
        ("scan_rdp/2026-03-02", 1),
    ]


@pytest.mark.parametrize(
    "address", ["192.0.2.1.5", "999.0.2.1", "192.0.2", "01.2.3.4", "host.example", "", "192.0.2.0/99", "::1::"]
)
def test_what_is_no_address_is_refused_by_its_row_without_its_value(address: str) -> None:
    result = read(row(), row(address), row("192.0.2.2"))
    assert [(p.reason, p.path) for p in result.problems] == [("not an address", "row 3")]
    assert len(result.drafts[0].facts.observables) == 2


def test_short_rows_are_padded_and_long_ones_cut() -> None:
    draft = one('"2026-03-01 04:05:06","192.0.2.1",3389', row("192.0.2.2", rest=',"more","and more"'))
    assert [(o.value, o.asn) for o in draft.facts.observables] == [("192.0.2.1", None), ("192.0.2.2", 64500)]


def test_byte_order_mark_crlf_and_western_encoding_are_read() -> None:
    body = "\r\n".join((RDP, row().replace("Retail", "Caf\xe9"), "")).encode("cp1252")
    for start in (b"", b"\xef\xbb\xbf"):
        draft = abuse.drafts(start + body, SOURCE, NOW).drafts[0]
        assert draft.facts.observables[0].detail["sector"] == "Café"


def test_an_unreadable_time_keeps_the_address() -> None:
    result = read(row(when="gisteren"))
    assert (result.drafts[0].key, result.drafts[0].source_time) == ("scan_rdp/2026-03-02", None)


def test_of_an_event_the_side_of_the_network_owner_is_kept_and_the_sinkhole_is_not() -> None:
    header = (
        '"timestamp","protocol","src_ip","src_port","src_asn","src_geo","src_hostname","dst_ip","dst_port","dst_asn",'
        '"dst_geo","infection","family","tag","http_url","http_host","forwarded_by"'
    )
    line = (
        '"2026-03-01 00:00:00","TCP","192.0.2.1",60902,64500,"NL","thuis.example","203.0.113.9",80,64501,"US",'
        '"andromeda","andromeda","avalanche","/x","cc.example",'
    )
    draft = one(line, header=header)
    assert (draft.key, draft.facts.exposure, draft.facts.exploited) == (
        "event4_sinkhole_http/2026-03-01",
        "botnet-infection",
        True,
    )
    seen = draft.facts.observables[0]
    assert (seen.value, seen.port, seen.protocol, seen.detail["infection"]) == ("192.0.2.1", 60902, "tcp", "andromeda")
    assert "203.0.113.9" not in repr(draft)
    assert "thuis" not in repr(draft)
    six = one(line.replace("192.0.2.1", "2001:db8::1"), header=header)
    assert six.key == "event6_sinkhole_http/2026-03-01"


def test_cves_in_tags_become_facts_and_versions_details() -> None:
    header = '"timestamp","ip","port","hostname","tag","asn","geo","version","servername"'
    draft = one(
        '"2026-03-01 00:00:00","192.0.2.1",443,,"exchange;cve-2021-26855",64500,"ZZ","15.2.721","MAIL01"', header=header
    )
    assert (draft.facts.exposure, draft.facts.cves) == ("vulnerable-exchange", ("CVE-2021-26855",))
    assert draft.facts.observables[0].detail["version"] == "15.2.721"
    assert draft.facts.observables[0].country is None
    assert "MAIL01" not in repr(draft)


def test_a_report_that_is_not_known_is_named_after_its_tag() -> None:
    header = '"timestamp","ip","protocol","port","asn","geo","tag"'
    draft = one('"2026-03-01 00:00:00","192.0.2.1","tcp",873,64500,"NL","rsync"', header=header)
    assert (draft.key, draft.facts.exposure, draft.title) == (
        "scan_rsync/2026-03-01",
        "open-rsync",
        "Open RSYNC: 1 address",
    )
    bare = one('"2026-03-01 00:00:00","192.0.2.1","tcp",1,64500,"NL",', header=header)
    assert bare.key == "report/2026-03-01"


def test_columns_that_nobody_knows_are_kept_where_they_say_what_kind_of_system_it_is() -> None:
    header = (
        '"timestamp","ip","asn","geo","tag","patch_level","exploitable","probe","seen_days","cluster_owner","note_x",'
        '"device_serial","banner_x","Vreemde kolom"'
    )
    draft = one(
        '"2026-03-01 00:00:00","192.0.2.1",64500,"NL","x","7.2.1","Y","tls handshake","12","jansen","Piet Jansen",'
        '"qz12345678x","hallo","open"',
        '"2026-03-01 00:00:00","192.0.2.2",64500,"NL","x","1234567890","maybe@jansen.example","MQTT","2026-02-01"',
        header=header,
    )
    assert [row.detail for row in draft.facts.observables] == [
        {
            "tag": "x", "patch_level": "7.2.1", "exploitable": "Y", "probe": "tls handshake", "seen_days": "12",
            "vreemde_kolom": "open",
        },
        {"tag": "x", "probe": "MQTT", "seen_days": "2026-02-01"},
    ]  # fmt: skip
    assert "ansen" not in repr(draft)


def test_the_answer_of_the_api_reads_as_its_file() -> None:
    rows = (
        '[{"timestamp":"2026-03-01 04:05:06Z","ip":"192.0.2.1","asn":64500,"geo":"NL","port":3389,"rdp_protocol":"RDP",'
        '"severity":"high","hostname":"jan.example","extra":null},{"ip":"192.0.2.1.5","geo":"NL"},5]'
    )
    result = abuse.drafts(rows.encode(), SOURCE, NOW)
    (draft,) = result.drafts
    assert (draft.key, draft.facts.exposure) == ("scan_rdp/2026-03-01", "open-rdp")
    (host,) = draft.facts.observables
    assert (host.asn, host.port, host.detail) == (64500, 3389, {"severity": "high", "rdp_protocol": "RDP"})
    assert [(p.reason, p.path) for p in result.problems] == [("not an address", "/1"), ("not an address", "/2")]
    with pytest.raises(NormalizeError, match="rows without timestamp"):
        abuse.drafts(b'[{"a":1}]', SOURCE, NOW)


@pytest.mark.parametrize(
    ("said", "urgency"),
    [
        (["critical"], "today"),
        (["high", "critical"], "this-week"),
        (["critical", "high", "low"], "this-week"),
        (["medium"] * 3 + ["critical"], "info"),
        (["Low"], "info"),
        (["", "odd"], "this-week"),
    ],
)
def test_an_exposure_is_as_grave_as_its_rows_say(said: list[str], urgency: str) -> None:
    """The row in the middle; where none says anything, the kind of exposure does: an open RDP lets strangers in."""
    draft = one(*[row(f"192.0.2.{n}", rest=f',"{word}"') for n, word in enumerate(said)], header=f'{RDP},"severity"')
    assert identity.urgency(draft.facts) == urgency


def test_what_kind_of_exposure_is_grave() -> None:
    from normalize.abuse_reports import _KNOWN

    found: dict[str | None, set[str]] = {}
    for exposure, _ in _KNOWN.values():
        found.setdefault(gravity.of(exposure).schade, set()).add(exposure)
    assert found["medium"] == {"open-dns-resolver", "open-ldap", "open-memcached", "open-ntp", "open-snmp"}
    assert {"open-rdp", "open-mongodb", "open-telnet", "open-proxy", "vulnerable-exchange"} < found["high"]
    assert {"accessible-ssh", "identified-device", "botnet-infection"} < found[None], "abused ones are `today` as such"


def test_every_exposure_that_can_be_acted_on_has_advice_of_its_own() -> None:
    """What is exposed is named in words that triage/blocks knows; these few have the general advice."""
    from normalize.abuse_reports import _KNOWN
    from normalize.xarf_types import KINDS
    from triage import advice

    named = {exposure for exposure, _ in _KNOWN.values()} | {kind.exposure for kind in KINDS.values()}
    general = {name for name in named if advice.choose(advice.About("exposure", name)).id == "generic-exposure"}
    assert general == {"identified-device", "misconfigured-service", "open-service", "special", "vulnerable-service"}


def test_a_report_without_rows_says_so() -> None:
    result = read()
    assert (result.drafts, [p.reason for p in result.problems]) == ((), ["a report without rows"])


def test_ten_thousand_bad_rows_are_not_ten_thousand_problems() -> None:
    assert len(read(*[row("x.y")] * 10_000).problems) == 101


@pytest.mark.parametrize("body", [b"", b"a,b\n1,2\n", b"{}", b"timestamp,ip\n", b"\xff\xfe\x00"])
def test_what_is_no_report_is_refused(body: bytes) -> None:
    assert not abuse.sniff(body)
    with pytest.raises(NormalizeError):
        abuse.drafts(body, SOURCE, NOW)


@given(st.binary(max_size=200), st.lists(st.text(max_size=40), max_size=5))
def test_any_rows_are_read_or_refused(tail: bytes, cells: list[str]) -> None:
    body = RDP.encode() + b"\n" + ",".join(cells).encode("utf-8", "replace") + b"\n" + tail
    result = abuse.drafts(body, SOURCE, NOW)
    for draft in result.drafts:
        assert all(o.type in ("ipv4", "ipv6", "cidr", "domain") for o in draft.facts.observables)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        abuse.drafts(body, SOURCE, NOW)


def ctip(**fields: object) -> dict[str, object]:
    """An entry of Microsoft's CTIP."""
    return {
        "indicatorthreattype": "Botnet", "description": "A member of Conficker", "externalid": "Conficker",
        "tlplevel": "Green", "firstreporteddatetime": "2026-03-01T09:38:46", "networksourceipv4": "198.51.100.7",
        "networksourceport": 25310, "networkdestinationipv4": "203.0.113.9", "networkdestinationport": 80,
        "networksourceasn": "64496", "hostname": "sinkhole.example", "useragent": "x", "additionalmetadata": [None],
    } | fields  # fmt: skip


def test_ctip_is_a_report_of_infected_systems_never_of_the_sinkhole() -> None:
    rows = [ctip(), ctip(networksourceipv4="198.51.100.700"), 7, ctip(networksourceipv4="198.51.100.8")]
    result = abuse.drafts(json.dumps(rows).encode(), SOURCE, NOW)
    (draft,) = result.drafts
    assert (draft.key, draft.label, draft.doubts) == ("event4_sinkhole/2026-03-01", Label.GREEN, ())
    assert (draft.facts.exposure, draft.facts.exploited) == ("botnet-infection", True)
    assert [(o.value, o.role, o.asn, o.port) for o in draft.facts.observables] == [
        ("198.51.100.7", "victim", 64496, 25310), ("198.51.100.8", "victim", 64496, 25310),
    ]  # fmt: skip
    assert [(each.reason, each.path) for each in result.problems] == [
        ("not an address", "/1"),
        ("not an address", "/2"),
    ]
    assert "203.0.113" not in str(draft)
    assert "sinkhole.example" not in str(draft)


@pytest.mark.parametrize(
    ("words", "label", "doubts"),
    [
        (("Green", "Amber"), Label.AMBER, ()),
        (("", None), None, ()),
        (("Green", "Paars"), Label.GREEN, ("unknown-marking",)),
    ],
)
def test_the_strictest_label_of_ctip_counts(
    words: tuple[str, ...], label: Label | None, doubts: tuple[str, ...]
) -> None:
    rows = [ctip(tlplevel=word) for word in words]
    (draft,) = abuse.drafts(json.dumps(rows).encode(), SOURCE, NOW).drafts
    assert (draft.label, draft.doubts) == (label, doubts)


@pytest.mark.corpus
def test_every_public_report_is_recognised_by_its_columns(corpus: Path) -> None:
    for file in sorted((corpus / "shadowserver" / "reports").glob("*.csv")):
        body = file.read_bytes()
        assert abuse.sniff(body[:65536]), file.name
        result = abuse.drafts(body, SOURCE, NOW)
        assert {draft.key.partition("/")[0] for draft in result.drafts} == {file.stem}
        rows = sum(len(draft.facts.observables) for draft in result.drafts)
        assert rows + len(result.problems) == len([line for line in body.splitlines() if line.strip()]) - 1, file.name


@pytest.mark.corpus
def test_other_lists_are_not_taken_for_reports(corpus: Path) -> None:
    others = [
        *(corpus / "shadowserver" / "lists").iterdir(),
        *(corpus / "ioc-csv").iterdir(),
        *(corpus / "csaf").glob("*.csv"),
    ]
    for file in others:
        assert not abuse.sniff(file.read_bytes()[:65536]), file.name
