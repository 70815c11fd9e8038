"""Patterns: what our parser reads is what stix2's tree holds; a rewritten pattern is valid and never wider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2.pattern_visitor import create_pattern_object
from stix2.patterns import (
    ListConstant,
    ObservationExpression,
    ParentheticalExpression,
    QualifiedObservationExpression,
    StringConstant,
    TimestampConstant,
)

from normalize import NormalizeError
from normalize.patterns import PatternValue, pattern_values, rewrite_pattern

VALUES = [
    "a",
    "1.2.3.4",
    "it''s".replace("''", "\\'"),
    "C:\\\\Users\\\\jan",
    "een ë",
    " AND ",
    "] OR [",
    "/* no */",
    "",
]
PATHS = ["ipv4-addr:value", "file:hashes.'SHA-256'", "file:hashes.MD5", "email-message:to_refs[*].value", "file:size"]


def plain_tests() -> st.SearchStrategy[str]:
    return st.builds(
        lambda path, space, value: f"{path}{space}={space}'{value}'",
        st.sampled_from(PATHS), st.sampled_from(["", " ", "\t"]), st.sampled_from(VALUES),
    )  # fmt: skip


def literals() -> st.SearchStrategy[str]:
    other = st.sampled_from(["3", "-1", "2.5", "true", "t'2024-01-02T03:04:05Z'", "h'ffd8'", "b'AAAA'"])
    return st.sampled_from(VALUES).map(lambda value: f"'{value}'") | other


def any_test() -> st.SearchStrategy[str]:
    strings = st.sampled_from(VALUES).map(lambda value: f"'{value}'")
    sets = st.lists(literals(), min_size=1, max_size=3).map(lambda many: f"({', '.join(many)})")
    path = st.sampled_from(["file:name", "file:hashes.MD5", "file:parent_directory_ref.path", "file:x.'a b'[3].c"])
    return st.one_of(
        st.builds("{} {} {}".format, path, st.sampled_from(["=", "!=", "NOT ="]), literals()),
        st.builds("{} {} {}".format, path, st.sampled_from(["IN", "NOT IN"]), sets),
        st.builds("{} {} {}".format, path, st.sampled_from(["LIKE", "MATCHES", "NOT LIKE", "ISSUBSET"]), strings),
        st.builds("{} {} {}".format, path, st.sampled_from(["<", ">="]), st.sampled_from(["3", "1.5", "'x'"])),
    )


def joined(parts: st.SearchStrategy[str], operators: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda first, rest: first + "".join(f" {operator} {part}" for operator, part in rest),
        parts, st.lists(st.tuples(st.sampled_from(operators), parts), max_size=3),
    )  # fmt: skip


def patterns() -> st.SearchStrategy[str]:
    tests = st.recursive(any_test(), lambda inner: joined(inner, ["AND", "OR"]).map("({})".format), max_leaves=4)
    bracket = joined(tests, ["AND", "OR"]).map("[{}]".format)
    qualifiers = [
        "",
        "",
        " WITHIN 5 SECONDS",
        " REPEATS 3 TIMES",
        " START t'2024-01-02T03:04:05Z' STOP t'2024-01-03T03:04:05Z'",
    ]
    qualified = st.builds(str.__add__, bracket, st.sampled_from(qualifiers))
    nested = st.builds("({}){}".format, joined(qualified, ["AND", "OR", "FOLLOWEDBY"]), st.sampled_from(qualifiers))
    return joined(qualified | nested, ["AND", "OR", "FOLLOWEDBY"])


def comparisons(node: Any) -> Iterator[Any]:
    """The leaves of stix2's tree."""
    if hasattr(node, "lhs"):
        yield node
    elif isinstance(node, ObservationExpression):
        yield from comparisons(node.operand)
    elif isinstance(node, ParentheticalExpression):
        yield from comparisons(node.expression)
    elif isinstance(node, QualifiedObservationExpression):
        yield from comparisons(node.observation_expression)
    else:
        for operand in node.operands:
            yield from comparisons(operand)


def by_the_tree(pattern: str) -> list[tuple[str, str, str]]:
    """Type, operator, value of every comparison, from stix2."""
    found = []
    for leaf in comparisons(create_pattern_object(pattern)):
        operator = "!=" if leaf.operator == "=" and leaf.negated else leaf.operator
        for value in leaf.rhs.value if isinstance(leaf.rhs, ListConstant) else [leaf.rhs]:
            found.append((leaf.lhs.object_type_name, operator, literal(value)))
    return found


def literal(value: Any) -> str:
    if isinstance(value, StringConstant):
        return str(value)[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    return "time" if isinstance(value, TimestampConstant) else str(value.value)


def ours(value: PatternValue) -> tuple[str, str, str]:
    operator = "!=" if value.operator in ("=", "!=") and value.negated else value.operator
    is_time = isinstance(value.value, str) and value.value == "2024-01-02T03:04:05Z"
    return value.type, operator, "time" if is_time else str(value.value)


@given(st.one_of(plain_tests(), joined(plain_tests(), ["AND"]), joined(plain_tests(), ["OR"])))
def test_the_fast_path_reads_what_the_tree_holds(inner: str) -> None:
    pattern = f"[{inner}]"
    try:
        expected = by_the_tree(pattern)
    except ValueError:  # AND over two object types
        with pytest.raises(NormalizeError):
            pattern_values(pattern)
        return
    assert [ours(value) for value in pattern_values(pattern)] == expected


@settings(max_examples=30)
@given(patterns())
def test_every_pattern_reads_as_the_tree_does(pattern: str) -> None:
    assert [ours(value) for value in pattern_values(pattern)] == by_the_tree(pattern)
    assert rewrite_pattern(pattern, lambda _: False) == pattern


@settings(max_examples=30)
@given(patterns(), st.sampled_from([*VALUES, "3"]))
def test_what_is_dropped_is_gone_and_the_rest_is_valid(pattern: str, forbidden: str) -> None:
    gone = forbidden.replace("\\'", "'").replace("\\\\", "\\")
    left = rewrite_pattern(pattern, lambda value: str(value.value) == gone)
    before = pattern_values(pattern)
    if left is None:
        assert any(str(value.value) == gone for value in before)
        return
    create_pattern_object(left)
    after = pattern_values(left)
    assert not any(str(value.value) == gone for value in after)
    assert all(value in before for value in after)


@settings(max_examples=30)
@given(patterns(), st.sampled_from(VALUES), st.data())
def test_a_rewritten_pattern_never_matches_more(pattern: str, forbidden: str, data: st.DataObject) -> None:
    """Give each comparison a truth value of its own: where the rewritten pattern holds, the pattern held."""
    gone = forbidden.replace("\\'", "'").replace("\\\\", "\\")
    left = rewrite_pattern(pattern, lambda value: str(value.value) == gone)
    if left is None or " NOT " in pattern:  # the tree forgets NOT
        return
    facts: dict[str, bool] = {}

    def holds(node: Any) -> bool:
        if hasattr(node, "lhs"):
            values = node.rhs.value if isinstance(node.rhs, ListConstant) else [node.rhs]
            return any(
                facts.setdefault(f"{node.lhs}{node.operator}{value}{node.negated}", data.draw(st.booleans()))
                for value in values
            )
        if isinstance(node, ObservationExpression):
            return holds(node.operand)
        if isinstance(node, ParentheticalExpression):
            return holds(node.expression)
        if isinstance(node, QualifiedObservationExpression):
            return holds(node.observation_expression)
        results = [holds(operand) for operand in node.operands]
        return any(results) if node.operator == "OR" else all(results)

    if holds(create_pattern_object(left)):
        assert holds(create_pattern_object(pattern))


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("[ipv4-addr:value = 'bad']", None),
        ("[ipv4-addr:value = 'bad' OR ipv4-addr:value = 'ok']", "[ipv4-addr:value = 'ok']"),
        ("[file:name = 'bad' AND file:size = 3]", None),
        ("[file:name = 'bad' AND file:size = 3 OR file:name = 'ok']", "[file:name = 'ok']"),
        ("[file:size = 3 AND (file:name = 'bad' OR file:name = 'ok')]", "[file:size = 3 AND (file:name = 'ok')]"),
        ("[file:name IN ('bad', 'ok')]", "[file:name IN ('ok')]"),
        ("[file:name NOT IN ('bad', 'ok')]", None),
        ("[file:name NOT IN ('ok')]", "[file:name NOT IN ('ok')]"),
        ("[file:name != 'bad']", None),
        ("[file:name = 'bad'] OR [file:name = 'ok']", "[file:name = 'ok']"),
        ("[file:name = 'bad'] AND [file:name = 'ok']", None),
        ("[file:name = 'ok'] FOLLOWEDBY [file:name = 'bad']", None),
        ("([file:name = 'bad'] OR [file:name = 'ok']) WITHIN 5 SECONDS", "([file:name = 'ok']) WITHIN 5 SECONDS"),
        ("[file:name = 'bad'] REPEATS 2 TIMES", None),
        ("[file:name /* bad */ = 'ok' OR file:name = 'x']", "[file:name   = 'ok' OR file:name = 'x']"),
    ],
)
def test_rewriting(pattern: str, left: str | None) -> None:
    assert rewrite_pattern(pattern, lambda value: value.value == "bad") == left


@pytest.mark.parametrize(
    "pattern",
    ["", "x", "[", "[file:name = 'a'", "[file:name = 'a'] x", "[file:name 'a']", "[file = 'a']", "[file:name = 'a\\b']",
     "[file:name LIKE 3]", "[ipv4-addr:value = 'a' AND file:name = 'b']", "[file:name = 'a'] START 'x' STOP 'y'",
     "(" * 500 + "[file:name = 'a']" + ")" * 500, "[AND:name = 'a']", "rule x { condition: true }", "[file:name = "],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(NormalizeError) as refused:
        pattern_values(pattern)
    assert refused.value.stage == "shape"
    with pytest.raises(NormalizeError):
        rewrite_pattern(pattern, lambda _: True)


@given(st.text(alphabet="[]()' =:.abfileANDORNT\\<>*/0", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        values = pattern_values(text)
    except NormalizeError:
        return
    create_pattern_object(text)
    assert isinstance(values, list)


def test_long_lists_need_no_tree() -> None:
    pattern = "[" + " OR ".join(f"file:hashes.MD5 = '{n:032x}'" for n in range(5_000)) + "]"
    assert len(pattern_values(pattern)) == 5_000
    left = rewrite_pattern(pattern, lambda value: value.value != f"{7:032x}")
    assert left == f"[file:hashes.MD5 = '{7:032x}']"
    mixed = "[" + " OR ".join(f"(file:name = '{n}' AND file:size > {n})" for n in range(800)) + "]"
    assert len(pattern_values(mixed)) == 1600


@pytest.mark.corpus
def test_the_examples_of_the_specification(corpus: Path) -> None:
    for line in (corpus / "stix21/patterns/spec_examples-v21.txt").read_text().splitlines():
        assert [ours(value)[0] for value in pattern_values(line)] == [found[0] for found in by_the_tree(line)]
        assert rewrite_pattern(line, lambda _: False) == line
        assert rewrite_pattern(line, lambda _: True) is None


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1." + "9" * 5000])
def test_a_number_of_thousands_of_digits_cannot_be_read(number: str) -> None:
    with pytest.raises(NormalizeError):
        pattern_values(f"[file:size = {number}]")
