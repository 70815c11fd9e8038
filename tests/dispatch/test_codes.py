"""Verification codes: the beginning of a delivery's id, as people type it."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.codes import beginning, code_of


@given(st.binary(min_size=16, max_size=16), st.booleans(), st.sampled_from(["", " ", "-"]))
def test_a_code_leads_back_to_its_delivery_however_it_is_typed(raw: bytes, low: bool, between: str) -> None:
    code = code_of(raw.hex())
    typed = code.lower() if low else code
    assert beginning(f" {typed.replace('-', between)} ") == raw.hex()[:15]
    assert beginning(code.replace("0", "O").replace("1", "l")) == raw.hex()[:15]


@given(st.text(max_size=20))
def test_what_is_no_code_is_none_or_reads_as_one(typed: str) -> None:
    found = beginning(typed)
    assert found is None or len(found) == 15


def test_no_code() -> None:
    assert [beginning(typed) for typed in ("", "K7QM", "K7QM-3XTP-9RWU", "K7QM-3XTP-9RWZ-0", "K7QM 3XTP 9RW!")] == [
        None
    ] * 5
