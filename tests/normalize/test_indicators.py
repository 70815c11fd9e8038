"""Indicator CSVs as market parties send them: any layout, types by name or look, a role only by what is classified."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source
from normalize import Draft, Normalized, NormalizeError, Observable, indicators
from normalize.read import normalize
from normalize.tables import look, several, when
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("market", "Market party")
MD5, SHA1 = "b3a9e6548fb3cc511096af4d68b2e745", "394703d1240ccd3aaeeef50c212313e3036741b1"


def read(text: str | bytes) -> Normalized:
    body = text.encode() if isinstance(text, str) else text
    return normalize(RawDocument(SOURCE, body, "x.csv", NOW))


def one(text: str | bytes) -> Draft:
    found = read(text)
    assert found.problems == ()
    (draft,) = found.drafts
    assert (found.format, draft.kind) == ("csv", "indicators")
    return draft


def values(draft: Draft) -> list[tuple[str, str]]:
    return [(each.type, each.value) for each in draft.facts.observables]


HEADED = (
    "value,type,description,first_seen,tlp",
    '192.0.2.1,ipaddress,"Scanner, seen twice",2026-02-01,GREEN',
    f"{MD5},md5,Loader,2026-02-03T04:05:06Z,AMBER",
)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_sign_end_of_line_and_mark(sign: str, end: str, mark: str) -> None:
    rows = [row.replace(",", sign) for row in ("value,type,notes", "192.0.2.1,ip,a b", "evil.example,hostname,c")]
    draft = one(mark + end.join(rows) + end)
    assert values(draft) == [("ipv4", "192.0.2.1"), ("domain", "evil.example")]
    assert (draft.title, draft.summary) == ("Indicators: 1 address, 1 name", "a b\nc")


def test_columns_say_what_they_are() -> None:
    draft = one("\n".join(HEADED))
    assert values(draft) == [("ipv4", "192.0.2.1"), ("hash", MD5)]
    assert draft.label is Label.AMBER
    assert draft.source_time == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert draft.summary == "Scanner, seen twice\nLoader"
    assert [each.role for each in draft.facts.observables] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("1[.]2[.]3[.]4", ("ipv4", "1.2.3.4")), ("1.2.3.4/24", ("cidr", "1.2.3.0/24")),
        ("1.2.3.4/32", ("ipv4", "1.2.3.4")),
        ("2001:DB8::1", ("ipv6", "2001:db8::1")), ("hxxps://evil[.]example/a?b", ("url", "https://evil.example/a?b")),
        ("HXXP[:]//evil(.)example", ("url", "http://evil.example")), ("evil[dot]example.", ("domain", "evil.example")),
        ("jan[at]persoon.example", ("email", "jan@persoon.example")), ("AS64500", ("asn", "AS64500")),
        ("00-00-5E-00-53-01", ("mac", "00:00:5e:00:53:01")), (SHA1.upper(), ("hash", SHA1)),
        ("http://www..example.com/x", ("url", "http://www..example.com/x")),
        ("update.exe", ("file", "update.exe")), ("xn--bcher-kva.example", ("domain", "xn--bcher-kva.example")),
    ],
)  # fmt: skip
def test_values_are_known_by_their_look(cell: str, found: tuple[str, str]) -> None:
    seen = look(cell)
    assert seen is not None
    assert (seen.type, seen.value) == found


@pytest.mark.parametrize(
    "cell",
    ["1.2.3.4.5", "999.1.1.1", "http://../x", "een woord", "3.14", "x@y", "AS99999999999", "", "abc"],
)
def test_what_is_no_value_is_none(cell: str) -> None:
    assert look(cell) is None


def test_a_port_is_no_part_of_an_address() -> None:
    assert look("192.0.2.1:8080") == Observable("ipv4", "192.0.2.1", port=8080)
    assert look("[2001:db8::1]:443") == Observable("ipv6", "2001:db8::1", port=443)


@pytest.mark.parametrize("cell", [f"{MD5},{SHA1}", f"{MD5} | {SHA1}", f"{MD5}\n{SHA1}", f"{MD5} {SHA1}"])
def test_several_values_in_a_cell(cell: str) -> None:
    assert [each.value for each in several(cell)[0]] == [MD5, SHA1]
    draft = one(f'value,entity_type\n"{cell}",file\n')
    assert [each.detail for each in draft.facts.observables] == [{"algorithm": "MD5"}, {"algorithm": "SHA-1"}]
    (file,) = (each for each in draft.objects if each["type"] == "file")
    assert file["hashes"] == {"MD5": MD5, "SHA-1": SHA1}


def test_without_a_header_the_look_decides() -> None:
    draft = one(
        "## A list\n## of things\n192.0.2.1,IP used by a C&C,2026-02-01 18:02,https://list.example/a.txt\n"
        "192.0.2.2,IP used by a C&C,2026-02-02 18:02,https://list.example/b.txt\n"
    )
    assert values(draft) == [("ipv4", "192.0.2.1"), ("ipv4", "192.0.2.2")]
    assert draft.summary == "IP used by a C&C"
    assert {each.role for each in draft.facts.observables} == {"attacker"}
    assert draft.source_time == datetime(2026, 2, 2, 18, 2, tzinfo=UTC)


def test_a_list_of_values_alone() -> None:
    assert values(one("# feed\n192.0.2.1\nevil[.]example\n")) == [("ipv4", "192.0.2.1"), ("domain", "evil.example")]
    assert values(one("; list\n192.0.2.0/25 ; SBL1\n2001:db8::/32 ; SBL2\n")) == [
        ("cidr", "192.0.2.0/25"), ("cidr", "2001:db8::/32"),
    ]  # fmt: skip


def test_a_comment_may_name_the_columns_and_a_range_is_its_networks() -> None:
    draft = one("#category|address|asn|timestamp\nbot|192.0.2.1|64500|1771000000\n")
    (host,) = draft.facts.observables
    assert (host.asn, host.role, host.evidence) == (64500, "victim", "indicator-type:compromised")
    assert host.seen == when("2026-02-13T16:26:40Z")
    draft = one("Start\tEnd\tNetblock\tName\temail\n192.0.2.0\t192.0.2.255\t24\tx\tjan@persoon.example\n")
    assert values(draft) == [("cidr", "192.0.2.0/24")]


@pytest.mark.parametrize(
    ("stated", "family", "role", "malicious"),
    [
        ("malicious", "", "unknown", True), ("malicious", "emotet", "attacker", True),
        ("botnet_cc", "", "attacker", True),
        ("command-and-control", "", "attacker", True), ("payload_delivery", "x", "attacker", True),
        ("phishing", "", "attacker", True), ("compromised host, C2", "", "victim", True),
        ("bot", "emotet", "victim", True),
        ("", "emotet", "unknown", False), ("suspicious", "", "unknown", False),
    ],
)  # fmt: skip
def test_roles_follow_from_what_a_row_classifies(stated: str, family: str, role: str, malicious: bool) -> None:
    draft = one(f'ip,category,malware\n192.0.2.1,"{stated}",{family}\n')
    assert draft.facts.observables[0].role == role
    kinds = {each["type"] for each in draft.objects}
    assert ("indicator" in kinds, "ipv4-addr" in kinds) == (malicious, not malicious)
    assert ("relationship" in kinds) == (role == "attacker" or (role == "victim" and "C2" in stated))


@pytest.mark.parametrize(
    "text",
    ["victim that contacted a C2 server", "compromised device, seen with malicious traffic", "UTA0178 IP address"],
)
def test_free_words_convict_nobody(text: str) -> None:
    draft = one(f"ip,description\n192.0.2.1,{text}\n")
    assert draft.facts.observables[0].role == "unknown"
    assert "indicator" not in {each["type"] for each in draft.objects}


def test_a_row_that_cannot_be_read_is_refused_by_its_line() -> None:
    found = read(
        "value,type\n192.0.2.1,ip\nJansen,naam\n# x\n192.0.2.7.7,ip\nHKLM\\Jansen,registry\n192.0.2.2 Jansen,ip\n"
    )
    assert [each.value for each in found.drafts[0].facts.observables] == ["192.0.2.1", "192.0.2.2"]
    assert [(each.reason, each.path) for each in found.problems] == [
        ("no value that can be read", "row 3"), ("no value that can be read", "row 5"),
        ("no value that can be read", "row 6"), ("part of it is no value that can be read", "row 7"),
    ]  # fmt: skip
    assert "ansen" not in repr(found)


def test_what_is_said_to_be_harmless_is_left_out() -> None:
    found = read("domain,verdict\nnu.example,benign\nevil.example,malicious\n")
    assert values(found.drafts[0]) == [("domain", "evil.example")]
    assert found.problems[0].reason == "said to be harmless: left out"


def test_the_same_value_twice_is_one_with_all_that_is_known() -> None:
    draft = one("ip,category,last_seen\n192.0.2.1,c2,2026-02-01\n192.0.2.1,compromised,2026-02-03\n")
    (value,) = draft.facts.observables
    assert (value.role, value.seen) == ("victim", datetime(2026, 2, 3, tzinfo=UTC))


def test_labels_are_the_strictest_and_one_that_is_none_is_a_doubt() -> None:
    assert one("# TLP:AMBER+STRICT\nip\n192.0.2.1\n").label is Label.AMBER_STRICT
    assert one("ip,tlp\n192.0.2.1,paars\n").doubts == ("unknown-marking",)


def test_ids_of_indicators_do_not_tell_their_values() -> None:
    def ids(address: str) -> list[str]:
        draft = one(f"ip,category\n{address},malicious\n")
        return [each["id"] for each in draft.objects if each["type"] != "ipv4-addr"]

    assert ids("192.0.2.1") == ids("192.0.2.2")


@pytest.mark.parametrize(
    "text",
    [
        "id,name,kind,networks\nkvk-1,Jansen,company,192.0.2.0/24\n", "Zomaar een zin, met een komma.\nEn nog een.\n",
        "# Lijst\n\n| Vendor | Product | Reference |\n|---|---|---|\n| a | b | https://a.example |\n",
    ],
)  # fmt: skip
def test_other_text_is_no_table_of_indicators(text: str) -> None:
    with pytest.raises(NormalizeError):
        read(text)


def test_ten_thousand_bad_rows_are_not_ten_thousand_problems() -> None:
    assert len(read("ip\n192.0.2.1\n" + "x y\n" * 10_000).problems) == 101


def test_a_line_of_blanks_takes_no_time() -> None:
    found = read("ip,note\n192.0.2.1,a\n" + " " * 300_000 + "x\n")
    assert values(found.drafts[0]) == [("ipv4", "192.0.2.1")]
    assert [each.path for each in found.problems] == ["row 3"]


@pytest.mark.parametrize("asn", ["00000000001" + "9" * 5000, "4294967296", "²", "AS" + "1" * 11])
def test_a_number_that_is_no_as_number_costs_its_cell(asn: str) -> None:
    found = read(f"ip,asn\n192.0.2.1,{asn}\n192.0.2.2,AS64500\n")
    assert [each.asn for each in found.drafts[0].facts.observables] == [None, 64500]
    assert [(each.reason, each.path) for each in found.problems] == [("an AS number that is none", "row 2")]


@given(st.text(alphabet="ab1.:/@,;|\t\n\"'#[]- ", max_size=200), st.binary(max_size=60))
def test_any_rows_are_read_or_refused(text: str, tail: bytes) -> None:
    for body in (
        text.encode(),
        b"value,type,tlp\n" + text.encode() + tail,
        b"192.0.2.1," + tail + b"\n" + text.encode(),
    ):
        try:
            found = indicators.drafts(body, SOURCE, NOW)
        except NormalizeError:
            continue
        assert found.drafts or found.problems
        indicators.sniff(body)


@pytest.mark.corpus
def test_public_lists_are_read(corpus: Path) -> None:
    found = {}
    for path in [*sorted((corpus / "ioc-csv").glob("*.csv")), *sorted((corpus / "shadowserver" / "lists").iterdir())]:
        if path.name == "ctip.txt":  # a report of infected systems, in JSON
            continue
        result = read(path.read_bytes())
        found[path.name] = (len(result.drafts[0].facts.observables), len(result.problems))
    assert found == {
        "volexity-2014-10-09.csv": (14, 0),
        "volexity-2023-03-30-3cx.csv": (46, 0),
        "volexity-2024-01-10-ivanti.csv": (16, 0),
        "block.txt": (2, 0),
        "c2-ipmasterlist.txt": (1, 0),
        "cert.txt": (18, 0),
        "certname_20190327.txt": (1, 0),
        "drop.txt": (2, 0),
        "feed.txt": (2, 0),  # of which the authors left out a label: web addresses all the same (RFC 3986 3.2.2)
    }
