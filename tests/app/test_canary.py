"""The canaries themselves: they are there, they can be found in every form, and nothing else looks like one."""

import base64
import gzip
import hashlib
from pathlib import Path
from uuid import uuid5

import pytest
from stdnum import iban
from stdnum.nl import bsn

from tests.app import canary

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


@pytest.mark.parametrize(
    "kept",
    [
        b"x lek007q@persoon.example y", b"LEK007Q@PERSOON.EXAMPLE", b"lek007q[@]persoon.example",
        b"lek007q%40persoon.example",
        base64.b64encode(b"<b>lek007q@persoon.example</b>"), base64.b64encode(b"..lek007q@persoon.example"),
        base64.b64encode(b"lek007q@persoon.example."), b"lek007q@persoon.example".hex().encode(),
        hashlib.sha256(b"lek007q@persoon.example").hexdigest().encode(),
        hashlib.md5(b"lek007q@persoon.example").digest(),
        SCO_ID, "lek007q@persoon.example".encode("utf-16-le"),
    ],
)  # fmt: skip
def test_a_value_is_found_in_any_form(kept: bytes) -> None:
    one = canary.Canary("email", "lek007q@persoon.example", "here")
    assert canary.search(kept, [one]) == [one]


def test_nothing_is_found_where_nothing_is() -> None:
    _, planted = canary.documents()
    house = Path(__file__).parents[2]
    plain = b"".join(path.read_bytes() for path in sorted((house / "app").glob("*.py")))
    assert canary.search(plain, planted) == []
    assert canary.search(gzip.compress(plain), planted) == []
