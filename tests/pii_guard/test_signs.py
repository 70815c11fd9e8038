"""The first signs decide nothing: with and without them the same is found."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import Source
from pii_guard.detect import quiet, scan
from pii_guard.policy import Policy
from pii_guard.roles import Roles
from pii_guard.signs import EVERY, Recogniser, due
from pii_guard.span import Span
from pii_guard.values import PLAIN, Eraser
from tests.pii_guard.labelled import load

PIECES = (
    *(
        "rc4: ",
        "aes256 = ",
        "* SHA1     : ",
        "0123456789abcdef0123456789abcdef",
        "jan=40voorbeeld=2Enl",
        "203=2E0=2E113=2E7",
    ),
    *(
        "1.0.0.2.ip6.arpa",
        "%u006a%u0061",
        "\\152\\141\\156@b.nl",
        "+AEA-b.nl",
        "6a 61 6e 40 62 2e 6e 6c",
        "jan\uff20b.nl",
    ),
    *("jan.jansen@voorbeeld.nl", "jan[at]voorbeeld[.]nl", "jan %40 x", "jan at voorbeeld dot nl", "＠voorbeeld.nl"),
    *("@jan@mastodon.example", "x@1.2.3.4", "a@b.nl:Welkom01", "jan (at) b.nl", "mail <at> b.nl", "&#64;b.nl"),
    *("198.51.100.7", "198[.]51(.)100{.}7", "198-51-100-7.host.example", "1.2.3", "version 1.2.3.4", "10_2_3_4.ex"),
    *("2001:db8::7", "00:1A:2b:3C:4d:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "MAC: ", "::1", "10:20:30"),
    *("020-5551234", "+31 6 12345678", "06 1234\n5678", "BSN", "111222333", "1112.22.333", "12345672", "(020) 5551234"),
    *("NL91 ABNA 0417 1643 00", "nl91abna0417164300", "NL111222333B01", "2026-03-02", "02-03-1980", "3 mei 1980"),
    *("geboren op ", "date of birth: ", "kenteken ", "license plate ", "12-ABC-3", "Dorpsstraat 12a", "adres: "),
    *(
        "1234 AB",
        "woont in ",
        "lives at ",
        "Dhr. ",
        "(Mr ",
        "\nMs. ",
        "Jansen",
        "de heer ",
        "T.a.v. ",
        "mw ",
        "systems ",
    ),
    *("C:\\Users\\jjansen\\x", "/home/jjansen/", "\\Gebruikers\\jan\\", "//host/~jan/", "?user=jan&sid=12"),
    *("https://bob:pw@host.example/x", "https://linkedin.com/in/jan", "t.me/jan", "//t.me/jan", "x.com/jan"),
    *("password=Welkom01!", "wachtwoord : 'abc123", "api_key:", "Authorization: Bearer abcdef", "Cookie:   a=b"),
    *(
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_abcdefghijklmnopqrstuvwxyzABCDEF",
        "xoxb-1234567890ab",
        "-----BEGIN RSA PRIVATE KEY-----",
    ),
    *("eyJabcdefghijkl.abcdefghijkl.abc", "AIzaabcdefghijklmnopqrstuvwxyzABCDEFGHI", "net user jan", "/ru jan"),
    *("8931 4400 1234 5678 909", "PID|1||", "P<NLDVOORBEELD<<NOOR<", "*3-5-1980", "laptop-noor", "moeder (3-5-1980)"),
    *("--username jan", "user = jan", "login: jan", "su - jan", "ssh -p 22 jan@host", "runas /user:CORP\\jan"),
    *("é", "…", "\u0660\u0661", " ", " ", "\n", "\t", ".", "-", "/", ":", "=", "0", "12", "word ", "(", ")"),
)


def read(text: str, recognisers: Iterable[Recogniser]) -> list[Span]:
    """What these find in a text, as it stands."""
    return sorted(span for recogniser in recognisers for span in recogniser(text))


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=7).map("".join))
def test_the_signs_leave_nothing_out(text: str) -> None:
    if len(text) > 3:
        assert read(text, due(text)) == read(text, EVERY)
    if quiet(text):
        assert scan(text) == []


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("around", ["{}", "zie {} nu", "x{}9", "({})", '"{}"'])
def test_the_signs_leave_out_no_single_value(piece: str, around: str) -> None:
    text = around.format(piece)
    if len(text) > 3:
        assert read(text, due(text)) == read(text, EVERY)


@pytest.mark.parametrize("text", [each.text for each in load()])
def test_the_signs_leave_out_nothing_of_whole_texts(text: str) -> None:
    for line in (text, *text.split("\n")):
        if len(line) > 3:
            assert read(line, due(line)) == read(line, EVERY)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("bel 06\u00a012345678", "phone"),
        ("bel 020\u202f5551234", "phone"),
        ("bel 020\u20135551234", "phone"),
        ("198\u00a0[dot]\u00a051\u00a0[dot]\u00a0100\u00a0[dot]\u00a07", "ipv4"),
        ("bsn 111.222 333", "bsn"),
    ],
)
def test_what_stands_between_digits_may_be_any_blank(text: str, category: str) -> None:
    assert [span.category for span in scan(text)] == [category]


def test_an_address_in_dots_after_a_label_with_a_colon() -> None:
    assert [span.category for span in scan("MAC: 001a.2b3c.4d5e")] == ["mac"]


WORDS = st.sampled_from(
    (
        *("mevrouw", "dhr", "Mrs", "heer", "user", "login", "dot", "punt", "at", "bsn", "kenteken", "net", "su"),
        *(
            "AKIAABCDEFGHIJKLMNOP",
            "ghp_abcdefghijklmnopqrstuvwxyzABCDEFabcdefgh",
            "AIza" + "a" * 35,
            "xoxb-abcdefghijk",
        ),
        *("-", "_", " ", ".", "1", "12345", "Jansen", "malicious-activity", "xASIAABCDEFGHIJKLMNOPQ"),
    )
)


@given(st.lists(WORDS, max_size=4).map("".join))
def test_a_plain_word_holds_nothing(text: str) -> None:
    if PLAIN(text):
        assert scan(text) == []


@pytest.mark.parametrize("text", ["mevrouw Jansen", "neem contact op met dhr Jansen", "jan at voorbeeld dot nl"])
def test_words_alone_may_name_somebody(text: str) -> None:
    assert not PLAIN(text)
    assert scan(text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.sampled_from(PIECES), max_size=2).map("".join),
            st.from_regex(r"[A-Za-z]{1,8}[ -.]\d{1,8}", fullmatch=True),
            st.sampled_from(("vrij van alles", "c2-1234567.example", "Piet de Vries", "\0")),
        ),
        max_size=90,
    )
)
def test_many_texts_read_at_once_are_as_clean_as_each_by_itself(policy: Policy, texts: list[str]) -> None:
    source = Source("market", "Market party", regime="wbdwb")
    eraser = Eraser(policy.rulings("wbdwb", source), Roles(), language="nl", public=False)
    eraser.know_names({"Piet de Vries"})
    eraser.read_ahead(texts)
    assert all(scan(text) == [] and "Piet" not in text for text in eraser.nothing_in)
    assert "vrij van alles" not in texts or "vrij van alles" in eraser.nothing_in or len(set(texts)) > 1
