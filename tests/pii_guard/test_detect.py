"""What the recognisers find, and above all what they leave alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pii_guard.detect import SUSPECT, scan

FOUND = [
    ("mail jan.jansen@voorbeeld.nl nu", "email", "jan.jansen@voorbeeld.nl"),
    ("jan.j[at]voorbeeld[.]nl", "email", "jan.j[at]voorbeeld[.]nl"),
    ("jan(at)voorbeeld.nl", "email", "jan(at)voorbeeld.nl"),
    ("josé@exämple.nl", "email", "josé@exämple.nl"),
    ("?q=jan%40voorbeeld.nl", "email", "jan%40voorbeeld.nl"),
    ("mailto:jan@voorbeeld.nl?subject=x", "email", "jan@voorbeeld.nl"),
    ("de host 198.51.100.7 is geraakt", "ipv4", "198.51.100.7"),
    ("login attempts from 198.51.100.7.", "ipv4", "198.51.100.7"),
    ("198[.]51[.]100[.]7:443", "ipv4", "198[.]51[.]100[.]7"),
    ("hxxp://198.51.100.7/a", "ipv4", "198.51.100.7"),
    ("ec2-198-51-100-7.compute.example", "ipv4", "198-51-100-7"),
    ("2001:db8::7 x", "ipv6", "2001:db8::7"),
    ("[2001:db8:12::1]:80", "ipv6", "2001:db8:12::1"),
    ("::ffff:198.51.100.7", "ipv6", "::ffff:198.51.100.7"),
    ("via 00:1A:2b:3C:4d:5e", "mac", "00:1A:2b:3C:4d:5e"),
    ("00-1a-2b-3c-4d-5e", "mac", "00-1a-2b-3c-4d-5e"),
    ("bel 020-5551234", "phone", "020-5551234"),
    ("tel. +31 6 12345678", "phone", "+31 6 12345678"),
    ("06-12345678", "phone", "06-12345678"),
    ("BSN 111222333", "bsn", "111222333"),
    ("burgerservicenummer: 1112.22.333", "bsn", "1112.22.333"),
    ("btw NL111222333B01", "bsn", "NL111222333B01"),
    ("naar NL91 ABNA 0417 1643 00 over", "iban", "NL91 ABNA 0417 1643 00"),
    ("nl91abna0417164300.", "iban", "nl91abna0417164300"),
    ("kenteken 12-ABC-3", "plate", "12-ABC-3"),
    ("geboren op 3 mei 1980", "dob", "3 mei 1980"),
    ("date of birth: 1980-05-03", "dob", "1980-05-03"),
    (r"C:\Users\jjansen\AppData\x.exe", "username", "jjansen"),
    (r"C:\Users\Jan de Vries\x", "username", "Jan de Vries"),
    ("/home/jjansen/.ssh/id", "username", "jjansen"),
    ("https://host.example/~jjansen/x", "url-personal", "jjansen"),
    ("runas /user:CORP\\jjansen cmd", "username", "jjansen"),
    ("https://host.example/x?user=jjansen&x=1", "url-personal", "jjansen"),
    ("https://bob:pw@host.example/x", "credential", "bob:pw@host.example"),
    ("password=Welkom01!", "credential", "Welkom01!"),
    ("wachtwoord: Welkom01!", "credential", "Welkom01!"),
    ("Authorization: Bearer abcdef", "credential", "abcdef"),
    ("AKIAABCDEFGHIJKLMNOP", "credential", "AKIAABCDEFGHIJKLMNOP"),
    ("jan@voorbeeld.nl:Welkom01", "credential", ":Welkom01"),
    ("Dorpsstraat 12a, 1234 AB Utrecht", "address", "Dorpsstraat 12a, 1234 AB"),
    ("@jan@mastodon.example", "social", "@jan@mastodon.example"),
]


@pytest.mark.parametrize(("text", "category", "value"), FOUND)
def test_recognised(text: str, category: str, value: str) -> None:
    spans = [(span.category, text[span.start : span.end]) for span in scan(text) if span.confidence >= SUSPECT]
    assert (category, value) in spans


@pytest.mark.parametrize(
    "text",
    [
        "FortiOS version 7.2.3.1 and earlier",
        "build 15.0.1.13010",
        "15.0.1.13010",
        "vers:unknown/15.0.1.13010-1",
        "CVE-2024-21762, CVE-2023-123456789",
        "d41d8cd98f00b204e9800998ecf8427e 111222333aabbccdd",
        "9a111222333b0417164300cc",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H",
        "2024-10-01T12:00:00Z",
        "at 12:30:45 and 3 mei 2024",
        "std::vector Foo::Bar",
        "versions 6.0.0.1 through 6.0.0.9",
        "Firmware 1.0.1.2, 1.0.1.3 and 1.0.1.4",
        "versies lager dan 12.0.4.1",
        "before 1.2.3.4",
        "NCSC-2026-0412 KB5034123 10.0.20348.2322",
        "the password is required; reset the password",
        "Server 2016 SP 1",
        "(<= 12.0.4.1)",
        "v1.2.3.4",
        "bind to 127.0.0.1 or 0.0.0.0, mask 255.255.255.0",
        "AA:BB:CC:DD:EE:FF:00:11:22:33",
        "https://www.fortiguard.com/psirt/FG-IR-24-259",
        "cpe:2.3:a:ivanti:connect_secure:9.1:r14.4:*:*:*:*:*:*",
        r"C:\Users\Public\x and C:\Users\<user>\x and %USERPROFILE%\x",
        "file--52da7ad2-9e6e-5a3b-a2a7-48d0c1a66cb2",
        "order 123456789012, ticket 0031-2024",
    ],
)
def test_left_alone(text: str) -> None:
    assert [(span.category, text[span.start : span.end]) for span in scan(text)] == []


def test_what_is_doubtful_is_a_suspicion() -> None:
    for text in ("the number 111222333 was seen", "gemeld door de heer Jan de Vries", "jan at voorbeeld dot nl"):
        (span,) = scan(text)
        assert span.confidence < SUSPECT


def test_a_private_key_goes_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ\nAb+/=\n-----END RSA PRIVATE KEY-----"
    (span,) = scan(f"found {key} there")
    assert (span.category, span.start, span.end) == ("credential", 6, 6 + len(key))


@given(st.text(max_size=400) | st.text("0123456789.:@[]-/\\ =NLabAB%+", max_size=200))
def test_spans_are_in_order_apart_and_inside(text: str) -> None:
    end = 0
    for span in scan(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


@given(
    st.text("abcdefghij KLMN.,;()'\"\n", max_size=60),
    st.ip_addresses(v=4, network="198.18.0.0/15"),
    st.text("abcdefghij KLMN,;()'\"\n", max_size=60),
)
def test_an_address_is_found_wherever_it_stands(before: str, address: object, after: str) -> None:
    text = f"{before} host {address} {after}"
    assert any(text[s.start : s.end] == str(address) for s in scan(text))


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "a.", "1.", "@", "a@", "1-", ":", "ab:", "/home/", "\\Users\\a ", "NL12 ", "password=", "geb ", "//a@"],
)
def test_long_repeats_stay_linear(unit: str) -> None:
    """A quadratic pattern would need minutes for this."""
    text = unit * (200_000 // len(unit))
    assert all(re.search(r"\S", text[s.start : s.end]) for s in scan(text)[:3])


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("BSN 1112\u200b22333.", "bsn"),
        ("BSN \u0661\u0661\u0661\u0662\u0662\u0662\u0663\u0663\u0663.", "bsn"),
        ("host 203.0.113\u2060.77 and more", "ipv4"),
        ("piet.voor\u00adbeeld@voorbeeld.example", "email"),
        ("piet.voorbeeld [at] voorbeeld [dot] example", "email"),
    ],
)
def test_what_a_reader_sees_is_found(text: str, category: str) -> None:
    (found,) = scan(text)
    assert found.category == category
    assert text[found.start : found.end].strip(" .") in text
    assert found.end - found.start >= 9


def test_bare_numbers_are_searched_for_on_request() -> None:
    url = "https://voorbeeld.example/?q=0612345678&r=111222333"
    assert [(each.category, url[each.start : each.end]) for each in scan(url, bare=True)] == [
        ("phone", "0612345678"),
        ("bsn", "111222333"),
    ]
    assert scan(url) == []
