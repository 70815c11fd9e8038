"""The canaries themselves: they are there, they can be found in every form, and nothing else looks like one."""

import base64
import gzip
import hashlib
import json
from ipaddress import IPv6Address
from pathlib import Path
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban
from stdnum.nl import bsn

from pii_guard import Category
from tests.app import canary
from tests.app.canary import Canary

ID_NAME = '{"value":"lek007q@persoon.example"}'
SCO_ID = f"email-addr--{uuid5(canary.SCO, ID_NAME)}".encode()


def test_every_value_stands_in_one_document_or_file_name() -> None:
    made, planted = canary.documents()
    assert len(planted) > 350
    assert len({one.value for one in planted}) == len(planted)
    for one in planted:
        raw = {one.value, one.value.replace(".", "-"), one.value.replace("\\", "\\\\")}
        inside = [each for each in made if any(text.encode() in each.body or text in each.name for text in raw)]
        assert inside, one


def test_every_format_and_category_is_there() -> None:
    made, planted = canary.documents()
    assert {one.format for one in made} == {
        "stix",
        "misp",
        "csaf",
        "kev",
        "cve",
        "rss",
        "shadowserver",
        "auto",
        "xarf",
        "csv",
        "list",
    }
    assert {one.category for one in planted} == {
        "ipv4", "ipv6", "mac", "email", "name", "bsn", "iban", "username", "credential",
    }  # fmt: skip


def test_numbers_pass_their_checks() -> None:
    """A recogniser that validates has to find them."""
    _, planted = canary.documents()
    assert all(bsn.is_valid(one.value) for one in planted if one.category == "bsn")
    assert all(iban.is_valid(one.value, check_country=False) for one in planted if one.category == "iban")


def test_the_same_documents_every_time(tmp_path: Path) -> None:
    assert canary.documents() == canary.documents()
    written, _ = canary.write(tmp_path)
    assert [path.read_bytes() for _, path in written] == [one.body for one in canary.documents()[0]]


EMAIL, IPV4, IPV6 = "lek007q@persoon.example", "203.0.113.177", "2001:db8:ca11:64::5"
MAC, BSN = "00:00:5e:00:53:a7", "999900006"


@pytest.mark.parametrize(
    "kept",
    [
        b"x lek007q@persoon.example y", b"LEK007Q@PERSOON.EXAMPLE", b"lek007q[@]persoon.example",
        b"lek007q[at]persoon[.]example", b"lek007q@persoon[dot]example", b"lek007q%40persoon.example",
        base64.b64encode(b"<b>lek007q@persoon.example</b>"), base64.b64encode(b"..lek007q@persoon.example"),
        base64.b64encode(b"lek007q@persoon.example."), base64.b64encode(EMAIL.encode("utf-16-le")),
        EMAIL.encode().hex().encode(), EMAIL.encode().hex().upper().encode(), EMAIL.encode("utf-16-le"),
        hashlib.sha256(EMAIL.encode()).hexdigest().encode(), hashlib.sha1(EMAIL.encode()).hexdigest().upper().encode(),
        hashlib.md5(EMAIL.encode()).digest(), hashlib.blake2b(EMAIL.encode()).hexdigest().encode(),
        hashlib.blake2b(EMAIL.encode(), digest_size=32).hexdigest().encode(), SCO_ID,
    ],
)  # fmt: skip
def test_a_value_is_found_in_any_form(kept: bytes) -> None:
    assert_found(Canary("email", EMAIL, "here"), kept)


@pytest.mark.parametrize(
    ("category", "value", "kept"),
    [
        ("ipv4", IPV4, b"203.0.113[.]177"), ("ipv4", IPV4, b"203(.)0(.)113(.)177"),
        ("ipv4", IPV4, b"ip 3405803953,"),
        ("ipv4", IPV4, b"http://0xcb0071b1/"), ("ipv4", IPV4, b"http://0313.00.0161.0261/"),
        ("ipv4", IPV4, b"031300070661"),
        ("ipv4", IPV4, b"203.0.29105"), ("ipv4", IPV4, b"::ffff:cb00:71b1"),
        ("ipv4", IPV4, b"177.113.0.203.in-addr.arpa"),
        ("ipv4", IPV4, b"dsl-203-0-113-177.isp.example"), ("ipv4", IPV4, b"[203, 0, 113, 177]"),
        ("ipv6", IPV6, b"2001:0DB8:CA11:0064:0000:0000:0000:0005"), ("ipv6", IPV6, b"2001[:]db8[:]ca11[:]64[:][:]5"),
        ("ipv6", IPV6, b"20010db8ca1100640000000000000005"), ("ipv6", IPV6, b"2001:db8:ca11:64:0:0:0:5"),
        ("ipv6", IPV6, IPv6Address(IPV6).reverse_pointer.encode()),
        ("ipv6", IPV6, str(int(IPv6Address(IPV6))).encode()),
        ("mac", MAC, b"0000.5e00.53a7"), ("mac", MAC, b"00-00-5E-00-53-A7"), ("mac", MAC, b"02005efffe0053a7"),
        ("bsn", BSN, b"9999.00.006"), ("iban", "NL29OKTT0000000123", b"NL29 OKTT 0000 0001 23"),
        ("name", "Quirijn Zwaluwstaartb", b"zwaluwstaartb"), ("phone", "+31612345678", b"06-12345678"),
    ],
)  # fmt: skip
def test_each_way_of_writing_a_value_is_a_form_of_it(category: Category, value: str, kept: bytes) -> None:
    assert_found(Canary(category, value, "here"), b"voor " + kept + b" na")


@pytest.mark.parametrize(
    ("category", "value", "properties"),
    [
        ("ipv4", IPV4, {"value": IPV4}), ("ipv6", IPV6, {"value": IPV6}), ("mac", MAC, {"value": MAC}),
        ("email", EMAIL, {"value": EMAIL}), ("ipv4", IPV4, {"value": f"http://{IPV4}/"}),
        ("email", EMAIL, {"account_login": EMAIL}),
        ("username", "qzwaluw7x", {"account_type": "unix", "user_id": "qzwaluw7x"}),
    ],
)  # fmt: skip
def test_the_id_that_stix_derives_is_found(category: Category, value: str, properties: dict[str, str]) -> None:
    name = json.dumps(properties, separators=(",", ":"), sort_keys=True)
    assert_found(Canary(category, value, "here"), f'"id":"x--{uuid5(canary.SCO, name)}"'.encode())


def assert_found(one: Canary, kept: bytes) -> None:
    assert canary.search(kept, [one]) == [one]
    assert canary.Search([one]).hits(kept) == [one]
    assert canary.Search([one]).hits(b"\0" + kept.upper()) == canary.search(kept.upper(), [one])


@given(st.integers(0, 39), st.integers(0, 10_000), st.binary(max_size=40), st.binary(max_size=40))
def test_the_quick_search_finds_what_the_plain_one_finds(which: int, form: int, before: bytes, after: bytes) -> None:
    one = SOME[which]
    found = sorted(canary.forms(one))
    kept = before + found[form % len(found)] + after
    assert one in QUICK.hits(kept)
    assert QUICK.hits(kept) == sorted(canary.search(kept, SOME), key=lambda each: (each.place, each.value))


SOME = canary.documents()[1][::25][:40]
QUICK = canary.Search(SOME)


def test_nothing_is_found_where_nothing_is() -> None:
    _, planted = canary.documents()
    house = Path(__file__).parents[2]
    plain = b"".join(path.read_bytes() for path in sorted((house / "app").glob("*.py")))
    search = canary.Search(planted)
    assert search.hits(plain) == search.hits(gzip.compress(plain)) == search.hits(b"") == []
