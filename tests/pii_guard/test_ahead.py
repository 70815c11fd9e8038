"""Many texts looked at once: in what is quiet nothing is found by reading it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pii_guard.ahead import quiet, read
from pii_guard.detect import scan
from tests.pii_guard.test_signs import PIECES

SHORT = st.lists(
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
        st.from_regex(r"[A-Za-z]{1,8}[ -.]\d{1,9}", fullmatch=True),
        st.from_regex(
            r"[A-Z]?[a-z]{0,5}(straat|weg|kade|sleutel|code| at | punt |ya29|0x|\\x)[ .]?[0-9a-f]{0,12}", fullmatch=True
        ),
        st.sampled_from(("vrij van alles", "c2-1042.example", "C2 1042", "Piet de Vries", "\0", "Dorpsstraat 12")),
    ),
    max_size=40,
)


@settings(max_examples=400, deadline=None)
@given(SHORT)
def test_in_what_is_quiet_nothing_is_found(texts: list[str]) -> None:
    assert all(scan(text) == [] for text in quiet(texts))


@settings(max_examples=200, deadline=None)
@given(SHORT)
def test_texts_of_one_shape_are_read_as_each_by_itself(texts: list[str]) -> None:
    digits = str.maketrans("0123456789", "7250361984")
    alike = [text for each in texts for text in (each, each.translate(digits))]
    assert all(found == scan(text) for text, found in read(alike))


def test_what_is_plain_is_quiet() -> None:
    plain = {"vrij van alles", "c2-1042.example", "C2 1042", "Gezien op 5 maart", "malicious-activity"}
    assert quiet(plain | {"mail jan@voorbeeld.example", "Dorpsstraat 12", "wachtwoord: Welkom01!"}) == plain
