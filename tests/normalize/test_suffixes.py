"""Public suffixes: against the library that ships the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from normalize import suffixes

LIBRARY = PublicSuffixList()
RULES = sorted(LIBRARY._publicsuffix)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nl", True), ("gov.nl", True), ("co.uk", True), ("github.io", True), ("kawasaki.jp", True),
        ("iets.ck", True), ("www.ck", False), ("city.kawasaki.jp", False), ("xn--55qx5d.cn", True),
        ("voorbeeld.nl", False), ("voorbeeld.co.uk", False), ("voorbeeld.example", False), ("onbekend", True),
    ],
)  # fmt: skip
def test_what_nobody_holds(name: str, wanted: bool) -> None:
    assert suffixes.public(name) is wanted


@given(st.sampled_from(RULES), st.sampled_from(["", "voorbeeld.", "a.b."]))
def test_as_the_library_reads_the_list(rule: str, below: str) -> None:
    name = below + rule.removeprefix("*.").removeprefix("!").encode("idna").decode()
    assert suffixes.public(name) == LIBRARY.is_public(name)
