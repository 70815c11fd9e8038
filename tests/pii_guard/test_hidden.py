"""Values in encodings: whatever is recognised is found in each of them, and in one within another."""

import base64
import html
import json
import quopri
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pii_guard.detect import SUSPECT, quiet, scan

VALUES = {
    "email": "jan.jansen@voorbeeld.example",
    "ipv4": "host 198.51.100.77",
    "ipv6": "2001:db8:12::77",
    "mac": "00:1a:2b:3c:4d:5e",
    "phone": "bel 020-5551234",
    "bsn": "BSN 111222333",
    "iban": "NL91 ABNA 0417 1643 00",
    "plate": "kenteken 12-ABC-3",
    "dob": "geboren op 3-5-1980",
    "username": r"C:\Users\jjansen\x",
    "credential": "wachtwoord=Welkom01!",
}
ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, signs": lambda text: quote(text, safe=""),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "entities, hexadecimal": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "JSON": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "JSON in JSON": lambda text: json.dumps("".join(f"\\u{ord(char):04x}" for char in text)),
    "bytes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(f"zie {text} hier".encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"zie {text} hier".encode()).decode().rstrip("="),
    "base64 of UTF-16": lambda text: base64.b64encode(f"zie {text} hier".encode("utf-16-le")).decode(),
    "base64 in lines": lambda text: base64.encodebytes(("woord " * 30 + text + " woord" * 30).encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-le").hex(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("category", VALUES)
def test_a_value_is_found_in_every_encoding(category: str, encoding: str) -> None:
    hidden = ENCODINGS[encoding](VALUES[category])
    text = f"Gezien: {hidden} en meer."
    found = [span for span in scan(text) if span.category == category and span.confidence >= SUSPECT]
    assert found
    assert text[found[0].start : found[0].end] in hidden + " "
    assert not quiet(text)


@given(
    st.lists(st.sampled_from(sorted(ENCODINGS)), min_size=2, max_size=3, unique=True), st.sampled_from(sorted(VALUES))
)
def test_encodings_in_one_another(names: list[str], category: str) -> None:
    hidden = VALUES[category]
    for name in names:
        hidden = ENCODINGS[name](hidden)
    assert scan(f"Gezien: {hidden} en meer.")


def test_a_letter_at_the_end_of_a_code_is_no_end_of_a_line() -> None:
    """`\\u003b` ends in the letter of `\\b`."""
    entities = "".join(f"&#{ord(char)};" for char in "BSN 111222333")
    text = "Gezien: " + "".join(f"\\u{ord(char):04x}" for char in entities)
    assert [(each.category, each.confidence >= SUSPECT) for each in scan(text)] == [("bsn", True)]


@given(st.emails(domains=st.just("voorbeeld.example")), st.sampled_from(sorted(ENCODINGS)))
@example("0WW@voorbeeld.example", "base64")
def test_whatever_address_is_recognised_is_found_encoded(address: str, encoding: str) -> None:
    """As an address, or as what is graver: `0WW@...` names a password, and looks like one."""
    plain = [span for span in scan(f"mail {address} nu") if span.category == "email"]
    if plain:
        found = scan(f"mail {ENCODINGS[encoding](f'mail {address} nu')} x")
        assert any(span.category in ("email", "credential") and span.confidence >= SUSPECT for span in found)


@pytest.mark.parametrize(
    "host", ["0xC6336407", "3325256711", "0306.063.0144.07", "0xc6.0x33.0x64.0x7", "198.51.25607", "0xC6.3367943"]
)
def test_an_address_in_other_numbers(host: str) -> None:
    for text in (f"zie http://{host}/x", f"hxxp://{host}:8080/", f"http://jan@{host}"):
        assert any(span.category == "ipv4" and text[span.start : span.end] == host for span in scan(text)), text


@pytest.mark.parametrize("text", ["//12345/x", "http://0/", "http://99999999999/", "//0x1/2", "https://2024/"])
def test_what_is_no_address_in_other_numbers(text: str) -> None:
    assert [span for span in scan(text) if span.rule == "ipv4-number"] == []


def test_quoted_printable() -> None:
    for text in ("jan.jan=\nsen@voorbeeld.example", "jan=40voorbeeld.example", "jan=2Ejansen@voorbeeld=2Eexample"):
        assert [span.category for span in scan(text)] == ["email"]
    name = quopri.encodestring("José@voorbeeld.example".encode()).decode()
    (found,) = scan(name)
    assert (found.start, found.end) == (0, len(name))


def test_powershell_and_basic_authorisation() -> None:
    script = base64.b64encode("curl http://198.51.100.77/a".encode("utf-16-le")).decode()
    assert "ipv4" in {span.category for span in scan(f"powershell -nop -EncodedCommand {script}")}
    secret = base64.b64encode(b"jan:Welkom01").decode()
    assert "credential" in {span.category for span in scan(f"Authorization: Basic {secret}")}


@pytest.mark.parametrize(
    "text",
    [
        "d41d8cd98f00b204e9800998ecf8427e 0D5A9C8E7B6F4A3C2B1D0E9F8A7B6C5D",
        "SHA256:Jk0zQv7xN1bPz3Y5mTQn2wR8uKf6LhDcS4aGeVtWxYo",
        "xn--bcher-kva.example en xn--fiqs8s",
        "JavaScriptEngineFactory of AbstractSingletonProxyFactoryBean",
        "100% zeker, R&D; a=b, x=20, 50%25, \\u0041 en &amp;",
        base64.b64encode(bytes(range(256)) * 4).decode(),
    ],
)
def test_what_hides_nothing_is_left_alone(text: str) -> None:
    assert scan(text) == []


@pytest.mark.parametrize("unit", ["%25", "&#64;", "QUJD", "\\u0040", "=40a", "4142", "%", "\\", "&", "aB1/"])
def test_long_repeats_stay_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        started = time.process_time()
        scan(unit * (size // len(unit)))
        return time.process_time() - started

    assert seconds(400_000) < 16 * max(seconds(50_000), 0.05)


def test_a_nest_deeper_than_is_read_ends() -> None:
    text = "jan.jansen@voorbeeld.example"
    for _ in range(12):
        text = base64.b64encode(f"x {text} y".encode()).decode()
    scan(text)


@given(st.text("%25=40&#x;\\uABCabc019+/\n @.", max_size=300))
def test_spans_lie_where_it_is_written(text: str) -> None:
    end = 0
    for span in scan(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


def test_html_names() -> None:
    address = html.escape("jan@voorbeeld.example").replace("@", "&commat;").replace(".", "&period;")
    assert [span.category for span in scan(address)] == ["email"]
