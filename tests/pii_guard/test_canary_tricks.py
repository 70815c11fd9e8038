# ruff: noqa: E501 - tables of tricks
"""Values written so that a person or a program reads them, and a recogniser may not: characters that do not show, other
scripts' digits, escapes of every kind, encodings. What the guard lets through is read back as they would read it.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote

import pytest

from ingest import Source
from pii_guard.guard import Guard
from tests.app.canary import Canary, Search
from tests.pii_guard.test_canary import drafted, sound, uuid_of
from tests.pii_guard.test_canary_generated import said

SENTENCES: Mapping[str, tuple[str, str]] = {
    "email": ("lek77q@persoon.example", "mail {} vandaag"),
    "ipv4": ("203.0.113.177", "vanaf {} gezien"),
    "ipv6": ("2001:db8:ca11:64::5", "vanaf {} gezien"),
    "mac": ("00:00:5e:00:53:a7", "apparaat {} gezien"),
    "phone": ("+31612345678", "bel {} vandaag"),
    "iban": ("NL91ABNA0417164300", "rekening {} gebruikt"),
    "bsn": ("999900006", "BSN {} gevonden"),
    "username": (r"C:\Users\qzwaluw100x\a.exe", "bestand {} gevonden"),
}
SEARCHES = {
    kind: Search([Canary(kind, "qzwaluw100x" if kind == "username" else value, kind)])  # type: ignore[arg-type]
    for kind, (value, _) in SENTENCES.items()
}
UNSEEN = {
    f"U+{ord(sign):04X} between": sign
    for sign in "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff"
}
NOUGHTS = (0x0660, 0x06F0, 0x0966, 0x0E50, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1FBF0)
"""Where the ten digits of a script begin."""


def _each(form: str) -> Callable[[str], str]:
    return lambda value: "".join(form.format(ord(sign)) for sign in value)


def _signs(ours: str, theirs: str) -> Callable[[str], str]:
    return lambda value: value.translate(str.maketrans(ours, theirs))


def _coded(encoding: str) -> Callable[[str], str]:
    return lambda value: base64.b64encode(value.encode(encoding)).decode()


def _utf7(value: str) -> str:
    return re.sub(r"[@\\:.+]", lambda sign: f"+{_coded('utf-16-be')(sign.group()).rstrip('=')}-", value)


TRICKS: Mapping[str, Callable[[str], str]] = {
    **{name: sign.join for name, sign in UNSEEN.items()},
    **{f"digits from U+{start:04X}": _signs("0123456789", "".join(map(chr, range(start, start + 10)))) for start in NOUGHTS},
    "full width": lambda value: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in value),
    "full-width signs": _signs(".@:\\", "\uff0e\uff20\uff1a\uff3c"),
    "small signs": _signs(".@:", "\ufe52\ufe6b\ufe55"),
    "ideographic full stop": _signs(".", "\u3002"),
    "one dot leader": _signs(".", "\u2024"),
    "ratio": _signs(":", "\u2236"),
    "superscript": _signs("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "circled": _signs("0123456789", "⓪①②③④⑤⑥⑦⑧⑨"),
    "tags": lambda value: "".join(chr(0xE0000 + ord(sign)) for sign in value),
    "HTML, decimal": _each("&#{};"), "HTML, hexadecimal": _each("&#x{:X};"), "HTML, twice": _each("&amp;#{};"),
    "HTML, without end": _each("&#{:07d}"), "HTML, named": lambda value: value.replace("@", "&commat;").replace(".", "&period;"),
    "URL": _each("%{:02X}"), "URL, twice": _each("%25{:02x}"), "URL of IIS": _each("%u{:04x}"),
    "JSON": _each("\\u{:04x}"), "C": _each("\\x{:02x}"), "C, octal": _each("\\{:03o}"), "JavaScript": _each("\\u{{{:x}}}"),
    "Python": _each("\\U{:08x}"),
    "quoted-printable": _each("={:02X}"), "quoted-printable signs": lambda value: value.replace("@", "=40").replace(".", "=2E"),
    "base64": _coded("utf-8"), "base64 of UTF-16": _coded("utf-16-le"),
    "hexadecimal": lambda value: value.encode().hex(), "hexadecimal in pairs": lambda value: value.encode().hex(" "),
    "RFC 2047, B": lambda value: f"=?utf-8?b?{_coded('utf-8')(value)}?=",
    "RFC 2047, Q": lambda value: f"=?utf-8?q?{_each('={:02X}')(value)}?=", "RFC 2231": lambda value: f"utf-8''{quote(value, safe='')}",
    "UTF-7": _utf7,
}  # fmt: skip


def as_read(text: str) -> str:
    """As it shows, with every escape in it read."""
    text = html.unescape(html.unescape(text))
    text = re.sub(r"\\+(?:u\{|U0*)([0-9a-fA-F]{1,6})\}?", lambda code: chr(int(code[1], 16)), text)
    text = re.sub(r"(?:\\+[ux]|%u)([0-9a-fA-F]{4}|[0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), text)
    text = re.sub(r"\\+([0-7]{3})", lambda code: chr(int(code[1], 8)), text)
    text = re.sub(r"\+[A-Za-z0-9/]{3,}-", lambda code: code[0].encode().decode("utf-7", "replace"), text)
    text = re.sub(r"=([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), text)
    text = unquote(unquote(text))
    text = "".join(chr(ord(sign) - 0xE0000) if 0xE0020 <= ord(sign) < 0xE007F else sign for sign in text)
    unseen = {sign for sign in text if unicodedata.category(sign) in ("Cf", "Mn") or sign in "\u115f\u3164"}
    text = "".join(_digit(sign) for sign in text if sign not in unseen)
    return unicodedata.normalize("NFKC", text.replace("\u3002", ".").replace("\u2236", ":"))


def _digit(sign: str) -> str:
    number = unicodedata.digit(sign, None)
    return sign if number is None else str(number)


def leaked(guard: Guard, trick: Callable[[str], str], regime: str) -> set[str]:
    """The categories of which a value comes through a published source's prose, where nobody looks first."""
    texts = {kind: sentence.format(trick(value)) for kind, (value, sentence) in SENTENCES.items()}
    found = set()
    for kind, text in texts.items():
        whole = said(guard, drafted([{**sound("malware"), "id": f"malware--{uuid_of(kind)}", "description": text}]),
                     Source("news", "News", regime=regime, public=True))  # fmt: skip
        plain = whole.decode("utf-8", "replace")
        if not (regime != "no-basis" and "suspect-text" in plain) and any(
            SEARCHES[kind].hits(each.encode("utf-8", "replace"))
            for each in (plain, as_read(plain), as_read(as_read(plain)))
        ):
            found.add(kind)
    return found


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("regime", ["no-basis", "wbdwb"])
def test_no_value_comes_through_however_it_is_written(guard: Guard, trick: str, regime: str) -> None:
    assert leaked(guard, TRICKS[trick], regime) == set()


@pytest.mark.parametrize("trick", TRICKS)
def test_what_is_written_so_can_be_read_back(trick: str) -> None:
    """Else nothing of the above could fail."""
    for kind, (value, _) in SENTENCES.items():
        text = TRICKS[trick](value)
        read = {text, as_read(text), as_read(as_read(text)), text.replace(" ", "")}
        assert any(SEARCHES[kind].hits(each.encode()) for each in read), kind
