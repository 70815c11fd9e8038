"""Patterns that RE2 looks for: it may be wrong where it says `perhaps`, never where it says `no`."""

import importlib
import pkgutil
import random
import re
from collections.abc import Iterable, Iterator

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

import pii_guard
from pii_guard.quick import Quick, Rare, options, raw
from pii_guard.relaxing import relaxed
from tests.pii_guard.labelled import load
from tests.pii_guard.test_signs import PIECES

ODD = "KſİıÀé٣７\u00a0\u2003\u2028\u200b\u0085\ud800\U0001f600-_.:/@([{ \n\t\x1c0aA?"
"""Characters that another one stands for when case is ignored; digits, letters and blanks of other scripts."""


def _all() -> Iterator[tuple[str, Quick]]:
    for module in pkgutil.iter_modules(pii_guard.__path__):
        for name, value in vars(importlib.import_module(f"pii_guard.{module.name}")).items():
            yield from _within(f"{module.name}.{name}", value)


def _within(name: str, value: object) -> Iterator[tuple[str, Quick]]:
    if isinstance(value, Quick):
        yield name, value
    elif isinstance(value, tuple):
        for at, part in enumerate(value):
            yield from _within(f"{name}.{at}", part)


EVERY = dict(_all())
TEXTS = ["\n".join(each.text for each in load()[at::8]) for at in range(8)]


def agree(quick: Quick, text: str) -> None:
    """RE2 sees something wherever the pattern matches, and the same is found by both ways."""
    sought = [match.span() for match in quick.exact.finditer(text)]
    before, form = relaxed(quick.exact)
    near = re2.compile((before + form).encode(), options()).match
    early = 1 if before else 0
    assert [start for start, _ in sought if not near(raw(text), start + 1 - early)] == []
    assert [match.span() for match in quick.finditer(text)] == sought
    assert quick.near(text) or not sought


def mangled(texts: Iterable[str], seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for text in texts:
        chars = list(text)
        for _ in range(len(chars) // 12):
            chars[rng.randrange(len(chars))] = rng.choice(ODD)
        yield "".join(chars)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_overlooked_in_texts(name: str) -> None:
    quick = EVERY[name]
    assert quick.match("") is None
    for text in (*TEXTS, *mangled(TEXTS, 7)):
        agree(quick, text)


@settings(max_examples=250, deadline=None)
@given(st.data(), st.sampled_from(sorted(EVERY)), st.text(ODD, max_size=6), st.text(ODD, max_size=6))
def test_nothing_is_overlooked_in_what_a_pattern_describes(data: st.DataObject, name: str, low: str, high: str) -> None:
    quick = EVERY[name]
    value = data.draw(st.from_regex(quick.exact))
    filler = data.draw(st.sampled_from(PIECES)) * 400
    for text in (value, low + value + high, f"{low}{value}{high}{filler}{value}{value}"):
        agree(quick, text)


@pytest.mark.parametrize(
    ("pattern", "flags", "text"),
    [
        ("kis", re.IGNORECASE, "KIſ kıs Kis"),
        ("[k-s]{2}", re.IGNORECASE, "Kſ"),
        ("[^a-z]x", re.IGNORECASE, "éx ax Ax\u00a0x"),
        (r"(?<![\w.])\d{3}", 0, "123 4567 .89 x999 890\u0661"),
        (r"(?<![^\s(])ab", 0, "ab (ab xab\u00a0ab"),
        (r"(?<![\s(])ab", 0, "ab (ab xab\u00a0ab"),
        (r"(?P<sign>[:-])a(?P=sign)b", 0, ":a-b:a:b-a-b"),
        (r"(?>a{1,3}|b)c++", re.ASCII, "aaacc bc abccc"),
        (r"a{3,40}b{20}", 0, "aaab" + "b" * 19 + "a" * 39 + "b" * 30),
        (r"a.b(?s:c.d)", 0, "a\nbc\ndaxbc\nd"),
        ("é[ß-ÿ]?[^é]", re.IGNORECASE, "É? éÀx?"),
        ("ab|a", 0, "abaab"),
        (r"\d\d(?![\w.])", 0, "12a 13. 14 15\u00e9 16\u2028 17"),
        (r"\d\d(?!\d|\.\d|-)(?!x)", 0, "123 12.3 12- 12x 12. 12"),
        (r"a(?=b|$)|c(?![a-z])", re.IGNORECASE, "ab a cK c\u212a c1 a"),
        (r"a(?!\s)", 0, "a a\u2003 a"),
        (r"x(?=\d+(?!k))", 0, "x1k x12 x1"),
    ],
)
def test_each_part_of_a_pattern_is_relaxed(pattern: str, flags: int, text: str) -> None:
    quick = Quick(pattern, flags)
    assert quick.exact.search(text)
    agree(quick, text)
    agree(quick, f"{text} {'z' * 500} {text}")


def test_what_cannot_be_relaxed_is_told() -> None:
    with pytest.raises(ValueError, match="no relaxed form"):
        Quick(r"(a)?(?(1)b|c)").near("x" * 500)


def test_where_re2_is_often_wrong_the_pattern_searches_by_itself() -> None:
    quick = Quick(r"a(?=b)")
    text = "a" * 5000 + "ab" + "a" * 5000 + "ab"
    assert [match.start() for match in quick.finditer(text)] == [5000, 10002]


def test_what_re2_reads_has_each_character_at_its_place() -> None:
    assert raw("a\ud800é\U0001f600b") == b"\na???b"
    assert len(raw(ODD)) == len(ODD) + 1


def test_patterns_that_are_rare_are_looked_for_together() -> None:
    rare = Rare()
    one, other = Quick(r"a\d(?!\d)", rare=rare), Quick("(?<![b-d])bb", re.IGNORECASE, rare=rare)
    for text in ("x" * 500, "x" * 500 + "a1", "a12" + "x" * 500, "BB" + "x" * 500, "xb" * 400 + "cbb", "a1bb" * 200):
        for quick in (one, other, one):
            agree(quick, text)
