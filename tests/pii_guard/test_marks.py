"""By what a person can be looked up: one hash for each way to write a value, and none where none may be."""

import hashlib
from typing import Any
from uuid import UUID

import pytest

from ingest import Source
from normalize import Draft, Facts, Observable
from pii_guard import Item
from pii_guard.forms import Type, normalised
from pii_guard.guard import Guard
from pii_guard.marks import SIZE, Marks, hashes
from pii_guard.policy_file import load
from pii_guard.sought import Sought
from tests.conftest import NOW
from tests.pii_guard.conftest import SHIPPED

KEY = b"a key of the tests, 32 bytes ..."
GUARD = Guard(load(SHIPPED.read_text(encoding="utf-8"), "legal.toml"), KEY)
C2, VICTIM, MAIL, NAME = "203.0.113.66", "198.51.100.7", "j.de.vries@voorbeeld.example", "Jan de Vries"
TEXT = (
    "Mail J.de.Vries[at]voorbeeld[.]example of bel 06-1234 5678; BSN 111222333, rekening NL91 ABNA 0417 1643 00. "
    "Log in met https://jan:geheim@voorbeeld.example/a; zie C:\\Users\\jdvries\\x en kenteken AB-12-CD."
)
PERSON = {
    "type": "identity", "spec_version": "2.1", "id": f"identity--{UUID(int=1, version=4)}", "name": NAME,
    "identity_class": "individual", "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z",
}  # fmt: skip
MAC = {
    "type": "mac-addr",
    "spec_version": "2.1",
    "id": f"mac-addr--{UUID(int=2, version=4)}",
    "value": "00:1a:2b:3c:4d:5e",
}
ROWS = (
    Observable("ipv4", VICTIM, "victim", "report:scan_rdp"),
    Observable("ipv4", C2, "attacker", "c2"),
    Observable("cidr", "192.0.2.0/24", "victim"),
    Observable("ipv6", "2001:DB8:0::1", "victim"),
    Observable("email", MAIL.upper(), "victim"),
    Observable("domain", "evil.example", "attacker", "c2"),
    Observable("url", "https://voorbeeld.example/~jan?x=1", "victim"),
)


def marked(regime: str = "wbdwb", guard: Guard = GUARD, **more: Any) -> Marks:
    given = {"summary": TEXT, "facts": Facts(observables=ROWS), "objects": (PERSON, MAC)} | more
    draft = Draft("report", "k", "Titel", language="nl", **given)  # type: ignore[arg-type]
    marks = Marks(KEY)
    answer = guard.admit(draft, Source("market", "Market", regime=regime), NOW, marks)
    assert isinstance(answer, Item)
    return marks


def held(marks: Marks, kind: Type, value: str) -> set[tuple[str, str, str]]:
    """(category, action, rule) of the heaps in which a value stands."""
    wanted = set(hashes(KEY, kind, Sought(kind, value).normal))
    return {
        (heap.category, heap.action, heap.rule)
        for heap in marks.heaps()
        if wanted & {heap.hashes[at : at + SIZE] for at in range(0, len(heap.hashes), SIZE)}
    }


@pytest.mark.parametrize(
    ("kind", "value", "category"),
    [
        ("ipv4", VICTIM, "ipv4"),
        ("ipv4", C2, "ipv4"),
        ("ipv4", "192.0.2.77", "ipv4"),
        ("ipv6", "2001:db8::1", "ipv6"),
        ("email", MAIL, "email"),
        ("phone", "+31612345678", "phone"),
        ("iban", "nl91abna0417164300", "iban"),
        ("name", "JAN  DE VRIES", "name"),
        ("username", "JDVries", "username"),
        ("mac", "00-1A-2B-3C-4D-5E", "mac"),
        ("plate", "ab12cd", "plate"),
        ("url", "http://voorbeeld.example/~jan", "url-personal"),
    ],
)
def test_what_was_processed_under_a_basis_is_found_however_it_is_written(kind: Type, value: str, category: str) -> None:
    found = held(marked(), kind, value)
    assert {each[0] for each in found} == {category}
    assert all(rule.startswith("wbdwb.") for _, _, rule in found)


def test_what_stays_and_what_went_are_told_apart() -> None:
    marks = marked()
    assert {action for _, action, _ in held(marks, "ipv4", C2)} == {"keep"}
    assert {action for _, action, _ in held(marks, "name", NAME)} == {"strip"}
    assert held(marks, "ipv4", "192.0.3.1") == set()


def test_nothing_is_marked_without_a_basis_nor_of_what_is_never_kept() -> None:
    assert marked("no-basis").heaps() == ()
    heaps = marked().heaps()
    assert {heap.regime for heap in heaps} == {"wbdwb"}
    assert not {heap.category for heap in heaps} & {"bsn", "credential", "free-text"}
    assert hashes(KEY, "bsn", "111222333") == []


def test_a_category_that_is_kept_for_no_day_has_no_hash() -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("credential = 0\n", "credential = 0\nname = 0\n")
    guard = Guard(load(text, "legal.toml"), KEY)
    assert held(marked(guard=guard), "name", NAME) == set()
    assert held(marked(guard=guard), "email", MAIL)


def test_no_value_and_no_plain_hash_of_one_leaves_the_guard() -> None:
    blob = repr(marked().heaps()).casefold().encode() + b"".join(heap.hashes for heap in marked().heaps())
    for value in (VICTIM, C2, MAIL, NAME.casefold(), "+31612345678", "111222333"):
        assert value.encode() not in blob
        for algorithm in ("md5", "sha1", "sha256", "blake2b"):
            digest = hashlib.new(algorithm, value.encode()).digest()
            assert digest[:SIZE] not in blob


def test_another_key_gives_other_hashes() -> None:
    assert not set(hashes(KEY, "email", MAIL)) & set(hashes(b"other" * 7, "email", MAIL))


def test_forty_thousand_rows_are_one_heap() -> None:
    rows = tuple(Observable("ipv4", f"10.{n >> 8}.{n & 255}.7", "victim", "report:scan_rdp") for n in range(40_000))
    (heap,) = marked(facts=Facts(observables=(*rows, *rows[:10])), summary="", objects=()).heaps()
    assert len(heap.hashes) == 40_000 * SIZE


@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        ("ipv4", ["198.51.100.7", "198[.]51[.]100[.]7", " 198.51.100.7/32 "]),
        ("ipv6", ["2001:db8::1", "2001:0DB8:0:0::1", "[2001:db8::1]"]),
        ("email", ["Jan@Voorbeeld.nl", "jan[at]voorbeeld[.]nl", "mailto:jan@voorbeeld.nl"]),
        ("phone", ["0612345678", "+31 (0)6 1234 5678", "0031 6 12345678"]),
        ("name", ["Jan de Vries", "JAN\u00a0 DE VRIES"]),
        ("iban", ["NL91ABNA0417164300", "nl91 abna 0417 1643 00"]),
        ("bsn", ["012345672", "12345672", "0123.45.672"]),
        ("username", ["jdvries", "CORP\\JDVries"]),
        ("url", ["https://u:p@Jansen.nl:8443/over/?x=1", "jansen.nl/over"]),
        ("domain", ["Bücher.Example.", "xn--bcher-kva[.]example"]),
        ("mac", ["00:1a:2b:3c:4d:5e", "001A.2B3C.4D5E"]),
        ("plate", ["AB-12-CD", "ab12cd"]),
    ],
)
def test_one_form_for_each_way_to_write_it(kind: Type, forms: list[str]) -> None:
    assert len({normalised(kind, form) for form in forms}) == 1
    assert normalised(kind, forms[0])
    assert normalised(kind, "?!") is None or kind in ("name", "username")
