"""The labelled texts themselves: marks where they belong, enough of each kind, numbers that pass their checks."""

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from tests.pii_guard.labelled import CATEGORIES, STYLES, Labelled, Span, load

TEXTS = load()
CHECKED = frozenset({"ipv4", "ipv6", "mac", "email", "phone", "bsn", "iban"})
NOBODY = {  # what is never personal, whatever surrounds it
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.0",
    "255.255.255.255",
    "::",
    "::1",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "root",
    "admin",
    "administrator",
    "localhost",
}
REFANG = (  # longest first
    (re.compile(r"\s?[\[({](?:\.|dot|punt)[\])}]\s?|\\\."), "."),
    (re.compile(r"\s?[\[({](?:@|at)[\])}]\s?"), "@"),
    (re.compile(r"[ _](?:DOT|dot)[ _]"), "."),
    (re.compile(r"[ _](?:AT|at)[ _]"), "@"),
    (re.compile(r"\[(::?)\]"), r"\1"),
    (re.compile("%40"), "@"),
)


def plain(value: str) -> str:
    """The value as a reader sees it: no invisible characters, compatibility forms folded, defanging undone."""
    value = "".join(each for each in unicodedata.normalize("NFKC", value) if unicodedata.category(each) != "Cf")
    for pattern, meant in REFANG:
        value = pattern.sub(meant, value)
    return value


def of(text: Labelled) -> list[tuple[str, str]]:
    """Category and value of every span that counts."""
    return [(span.category, text.text[span.start : span.end]) for span in text.spans]


def marked(category: str) -> Iterator[tuple[Labelled, str]]:
    for text in TEXTS:
        for each, value in of(text):
            if each == category:
                yield text, value


def every(text: Labelled) -> list[Span]:
    return sorted((*text.spans, *text.doubtful), key=lambda span: span.start)


def bare(text: Labelled) -> str:
    """The text with what is marked blotted out."""
    signs = list(text.text)
    for span in every(text):
        signs[span.start : span.end] = "\N{REPLACEMENT CHARACTER}" * (span.end - span.start)
    return "".join(signs)


def iban_passes(value: str) -> bool:
    value = re.sub(r"[^0-9A-Z]", "", value.upper())
    return int("".join(str(int(each, 36)) for each in value[4:] + value[:4])) % 97 == 1


def bsn_passes(value: str) -> bool:
    digits = [int(each) for each in re.sub(r"\D", "", value).zfill(9)]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return len(digits) == 9 and any(digits) and sum(map(int.__mul__, digits, weights)) % 11 == 0


def test_enough_texts_of_each_kind() -> None:
    assert len({text.id for text in TEXTS}) == len(TEXTS) >= 340
    languages = Counter(text.language for text in TEXTS)
    assert all(0.4 < languages[each] / len(TEXTS) < 0.6 for each in ("nl", "en"))
    styles = Counter(text.style for text in TEXTS)
    assert set(styles) == STYLES
    assert min(styles.values()) >= 35
    assert sum(text.hard for text in TEXTS) >= 90
    assert sum(text.hard and not text.spans for text in TEXTS) >= 90
    assert all(text.text.strip() and text.text.count("\n") < 25 for text in TEXTS)


def test_no_text_stands_twice() -> None:
    assert len({text.text for text in TEXTS}) == len(TEXTS)


def test_enough_spans_of_each_category() -> None:
    counts = Counter(span.category for text in TEXTS for span in text.spans)
    assert set(counts) == CATEGORIES
    short = {each: counts[each] for each in CATEGORIES if counts[each] < (60 if each in CHECKED else 40)}
    assert not short


def test_marks_stand_where_they_belong() -> None:
    for text in TEXTS:
        end = 0
        for span in every(text):
            value = text.text[span.start : span.end]
            assert span.category in CATEGORIES, (text.id, value)
            assert end <= span.start < span.end <= len(text.text), (text.id, value)
            assert value == value.strip(), (text.id, value)
            assert not re.search(r"\{\{|\}\}\}|\{U\+", value), (text.id, value)
            assert span in text.doubtful or plain(value).lower() not in NOBODY, (text.id, value)
            end = span.end
        assert not re.search(r"\{\{[a-z0-9-]+\??:|\{U\+|^=== ", bare(text), re.M), text.id


def test_what_is_marked_once_is_marked_wherever_it_stands_in_the_text() -> None:
    for text in TEXTS:
        rest = bare(text)
        for _, value in of(text):
            if len(value) > 3:
                assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", rest), (text.id, value)


def test_marked_numbers_pass_their_checks() -> None:
    for text, value in marked("bsn"):
        assert bsn_passes(plain(value)), (text.id, value)
    for text, value in marked("iban"):
        assert iban_passes(plain(value)), (text.id, value)


def test_marked_addresses_can_be_read() -> None:
    for text, value in marked("ipv4"):
        address = re.sub(r"\s", "", plain(value))
        assert ipaddress.ip_address(address).version == 4, (text.id, value)
    for text, value in marked("ipv6"):
        assert ipaddress.ip_address(plain(value)).version == 6, (text.id, value)
    for text, value in marked("mac"):
        octet = "[0-9A-Fa-f]{2}"
        forms = rf"{octet}(:{octet}){{5}}|{octet}(-{octet}){{5}}|({octet}){{2}}(\.({octet}){{2}}){{2}}"
        assert re.fullmatch(forms, value), (text.id, value)
    for text, value in marked("email"):
        assert re.fullmatch(r"[^@]+@[^@\s]+", plain(value)), (text.id, value)
    for text, value in marked("phone"):
        assert 9 <= len(re.sub(r"\D", "", plain(value))) <= 14, (text.id, value)


def test_no_account_number_is_left_unmarked() -> None:
    shape = re.compile(r"(?<!\w)[A-Za-z]{2}\d\d(?:[ .\u00a0-]?[A-Za-z0-9]){10,30}")
    for text in TEXTS:
        for found in shape.finditer(bare(text)):
            assert not iban_passes(found[0]), (text.id, found[0])


def test_no_text_of_look_alikes_alone_has_a_mark() -> None:
    """Texts in the file of negatives may have doubtful marks, never counted ones."""
    assert not [text.id for text in TEXTS if text.id.startswith("07-") and text.spans]
