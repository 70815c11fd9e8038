import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generate import subscribers as generated
from subscribers import Contact, Quiet, Scope, Software, SubscriberError
from subscribers.importing import parse, read
from tlp import Clearance, Label

CONTRACT = """{"id":"kvk-12345678","name":"Voorbeeld Metaal BV","kind":"company","size":"mkb","maturity":"basic",
 "sectors":["SBI:25.62"],"country":"NL","region":"NL-NB","language":"nl",
 "software":[{"vendor":"Fortinet","product":"FortiOS","version":"7.2.3"},
 {"cpe":"cpe:2.3:a:ivanti:connect_secure:*:*:*:*:*:*:*:*"},{"purl":"pkg:pypi/django@4.2.1"}],
 "networks":["192.0.2.0/24","2001:db8:12::/48","AS64500"],"domains":["voorbeeld.nl"],"clearance":"AMBER",
 "min_urgency":"this-week",
 "channels":[{"type":"email","address":"beveiliging@voorbeeld.nl","digest":["monday","friday"]}],
 "members":[]}""".replace("\n", "")


def line(**keys: object) -> bytes:
    return json.dumps({"id": "a", "name": "A"} | keys).encode()


def error(data: bytes) -> str:
    with pytest.raises(SubscriberError) as caught:
        parse(data)
    return str(caught.value)


def test_the_contracts_example() -> None:
    [one] = parse(CONTRACT.encode())
    assert (one.id, one.language, one.clearance) == ("kvk-12345678", "nl", Clearance(Label.AMBER))
    assert one.profile.software[0] == Software("Fortinet", "FortiOS", "7.2.3")
    assert one.profile.networks == ("192.0.2.0/24", "2001:db8:12::/48", "AS64500")
    assert one.contacts == (Contact("email", "beveiliging@voorbeeld.nl", digest=("monday", "friday")),)
    assert one.profile.verified
    assert one.profile.min_urgency == "this-week"


def test_byte_order_mark_crlf_and_empty_lines() -> None:
    data = b"\xef\xbb\xbf" + line(id="a") + b"\r\n\r\n  \n" + line(id="b") + b"\r\n"
    assert [one.id for one in parse(data)] == ["a", "b"]
    assert parse(b"") == []


def test_canonical_forms() -> None:
    data = line(
        sectors=["sbi:2562", "SBI:25.62"], networks=["as64500", "192.0.2.7"],
        domains=["Voorbeeld.NL.", "müller.example"],
        region="nl-nb", clearance={"highest": "tlp:amber+strict", "until": "2026-12-31T00:00:00Z"},
        quiet={"from": "22:00", "to": "07:00"}, scope={"sectors": ["NIS2:energy"], "regions": ["NL-UT"]},
    )  # fmt: skip
    [one] = parse(data)
    assert one.profile.sectors == ("SBI:25.62",)
    assert one.profile.networks == ("AS64500", "192.0.2.7/32")
    assert one.profile.domains == ("voorbeeld.nl", "xn--mller-kva.example")
    assert one.clearance == Clearance(Label.AMBER_STRICT, datetime(2026, 12, 31, tzinfo=UTC))
    assert one.profile.quiet == Quiet("22:00", "07:00")
    assert one.profile.scope == Scope(("NIS2:energy",), ("NL-UT",))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"geheim": 1}, "line 2: *: an unknown key"),
        ({"software": [{"geheim": 1}]}, "line 2: software[0].*: an unknown key"),
        ({"name": None}, "line 2: name: wrong type"),
        ({"sectors": "SBI:25"}, "line 2: sectors: wrong type"),
        ({"kind": "geheim"}, "line 2: kind: not one of company"),
        ({"min_urgency": "geheim"}, "line 2: min_urgency: not one of"),
        ({"sectors": ["SBI:25", "SBI:geheim"]}, "line 2: sectors[1]: no known sector"),
        ({"networks": ["192.0.2.1/24"]}, "line 2: networks[0]: an address inside a prefix"),
        ({"networks": ["geheim"]}, "line 2: networks[0]: no prefix or AS number"),
        ({"networks": ["0.0.0.0/0"]}, "line 2: networks[0]: wider than /8"),
        ({"networks": ["AS4294967296"]}, "line 2: networks[0]: no AS number"),
        ({"domains": ["https://geheim.nl/"]}, "line 2: domains[0]: no domain name"),
        ({"domains": ["nl"]}, "line 2: domains[0]: no domain name"),
        ({"domains": ["a.nl", "co.uk"]}, "line 2: domains[1]: a public suffix (as co.uk), below which anybody"),
        ({"clearance": "geheim"}, "line 2: clearance: no TLP label"),
        ({"clearance": {"highest": "RED", "until": "2026-12-31T00:00:00"}}, "line 2: clearance.until: a time without"),
        ({"id": ""}, "line 2: id: is empty"),
        ({"id": "g" * 101}, "line 2: id: longer than 100"),
        ({"name": "geheim\nSubject: x"}, "line 2: name: holds a sign"),
        ({"region": "geheim"}, "line 2: region: not of the form"),
        ({"software": [{"vendor": "geheim"}]}, "line 2: software[0]: names no product"),
        ({"software": [{"cpe": "geheim"}]}, "line 2: software[0].cpe: no CPE"),
        ({"software": [{"purl": "geheim"}]}, "line 2: software[0].purl: no package URL"),
        ({"channels": [{"type": "email", "address": "geheim"}]}, "line 2: channels[0].address: no e-mail"),
        ({"channels": [{"type": "geheim"}]}, "line 2: channels[0].type: not one of email"),
        ({"channels": [{"type": "webhook", "url": "geheim"}]}, "line 2: channels[0].url: no web address"),
        ({"quiet": {"from": "25:00", "to": "07:00"}}, "line 2: quiet.from: not of the form"),
        ({"quiet": {"from": "22:00", "to": "07:00", "tz": "geheim"}}, "line 2: quiet.tz: no known time zone"),
        ({"quiet": {"from": "22:00", "to": "07:00", "days": [8]}}, "line 2: quiet.days: no day"),
        ({"opt_out": [" "]}, "line 2: opt_out[0]: is empty"),
    ],
)
def test_errors_name_line_and_field_and_never_the_value(keys: dict[str, object], told: str) -> None:
    said = error(line(id="first") + b"\n" + line(**keys))
    assert said.startswith(told)
    assert "geheim" not in said


def test_other_errors() -> None:
    assert error(line() + b"\n\n" + line()) == "line 3: id: the same as on line 1: keep one of the two"
    assert error(b'{"name":"A"}').startswith("line 1: id: is missing")
    assert error(b'{"id": geheim').startswith("line 1: not a JSON object")
    assert error(line() + b'\n{"id":"b","name":"\xff"}').startswith("line 2: not UTF-8")
    assert error("id,name\n".encode("utf-16")).startswith("line 1: the file is UTF-16")
    assert "geheim" not in error(b"id,name,geheim\n1,2,3\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SubscriberError, match="cannot be read"):
        read(tmp_path / "geheim.ndjson")


CSV = """\ufeffid,name,sectors,software,networks,clearance,channels,members,quiet,scope.regions,verified,country\r
\r
s1,"Voorbeeld, BV",SBI:25.62;SBI:62,Fortinet|FortiOS|7.2.3;pkg:pypi/django@4.2.1;Ivanti|EPMM,192.0.2.0/24;AS64500,AMBER|2026-12-31T00:00:00Z,email:a@b.nl|digest=monday+friday|pgp=sleutel.asc;taxii;webhook:https://b.nl/in|secret_file=/run/s;kafka:oktt.s1,,22:00-07:00|days=6+7,NL-NB,nee,\r
s2,Kort,,,,,,s1;s9,,,,BE\r
"""


def test_csv() -> None:
    first, second = parse(CSV.encode())
    assert first.name == "Voorbeeld, BV"
    assert first.profile.sectors == ("SBI:25.62", "SBI:62")
    assert first.profile.software == (
        Software("Fortinet", "FortiOS", "7.2.3"),
        Software(purl="pkg:pypi/django@4.2.1"),
        Software("Ivanti", "EPMM"),
    )
    assert first.clearance == Clearance(Label.AMBER, datetime(2026, 12, 31, tzinfo=UTC))
    assert first.contacts == (
        Contact("email", "a@b.nl", digest=("monday", "friday"), pgp="sleutel.asc"),
        Contact("taxii"),
        Contact("webhook", url="https://b.nl/in", secret_file="/run/s"),
        Contact("kafka", topic="oktt.s1"),
    )
    assert first.profile.quiet == Quiet("22:00", "07:00", (6, 7))
    assert first.profile.scope.regions == ("NL-NB",)
    assert not first.profile.verified
    assert (second.profile.members, second.profile.country) == (("s1", "s9"), "BE")


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("software", "geheim", "line 2: software: software that is not"),
        ("verified", "geheim", "line 2: verified: neither true nor false"),
        ("channels", "geheim:x", "line 2: channels: a channel that takes no target"),
        ("channels", "email:a@b.nl|geheim=1", "line 2: channels: an unknown option"),
        ("channels", "email:geheim", "line 2: channels[0].address: no e-mail"),
        ("quiet", "geheim", "line 2: quiet.from: not of the form"),
        ("kind", "geheim", "line 2: kind: not one of"),
        ("kind", "company,geheim", "line 2: more cells"),
    ],
)
def test_csv_errors(header: str, row: str, told: str) -> None:
    said = error(f"id,name,{header}\na,A,{row}\n".encode())
    assert said.startswith(told)
    assert "geheim" not in said


def test_csv_counts_lines_of_the_file_also_over_quoted_line_ends() -> None:
    assert error(b'id,name,kind\na,"A",company\n\nb,B,geheim\n').startswith("line 4: kind")


def test_what_the_generator_makes_can_be_read() -> None:
    made = list(generated(800, 7))
    read_back = parse("\n".join(json.dumps(one) for one in made).encode())
    assert [one.id for one in read_back] == [one["id"] for one in made]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, b'{"id":"a","name":' + data + b"}", b"id,name,software,channels,quiet\n" + data):
        said = "line "
        try:
            parse(whole)
        except SubscriberError as refused:
            said = str(refused)
        assert said.startswith("line ")


@pytest.mark.parametrize("name", ["clear", "test", "contribute", "CLEAR"])
def test_the_name_of_a_common_collection_is_nobodys_id(name: str) -> None:
    assert "id: the name of a common TAXII collection" in error(line(id=name))
