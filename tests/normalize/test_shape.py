"""The structural gate: what costs an object, what costs a property, what passes."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Problem
from normalize.shape import MAX_DEPTH, admit
from normalize.stix_types import REQUIRED

UUID = "8c6af861-7b20-41ef-9b59-6344fd872a8f"
T = "2026-03-02T06:30:00.000Z"
FILLED: dict[str, Any] = {
    "id": "", "created": T, "modified": T, "name": "x", "context": "malware-analysis", "content": "x", "number": 1,
    "object_refs": [f"indicator--{UUID}"], "pattern": "[file:size = 1]", "pattern_type": "stix", "valid_from": T,
    "is_family": True, "product": "x", "first_observed": T, "last_observed": T, "number_observed": 1,
    "opinion": "agree",
    "published": T, "relationship_type": "uses", "source_ref": f"malware--{UUID}", "target_ref": f"tool--{UUID}",
    "sighting_of_ref": f"indicator--{UUID}", "path": "/x", "value": "x", "is_multipart": False, "protocols": ["tcp"],
    "schema": "x", "version": "1", "extension_types": ["property-extension"], "object_ref": f"tool--{UUID}",
    "contents": {"nl": {}}, "country": "NL", "result": "benign", "url": "https://example.com/", "definition": {},
    "src_ref": f"ipv4-addr--{UUID}", "hashes": {"MD5": "0" * 32},
}  # fmt: skip
EXTRA = {
    "artifact": ("url",), "file": ("hashes",), "location": ("country",), "malware-analysis": ("result",),
    "marking-definition": ("definition",), "network-traffic": ("src_ref",), "observed-data": ("object_refs",),
}  # fmt: skip


def made(kind: str) -> dict[str, Any]:
    names = (*REQUIRED[kind], *EXTRA.get(kind, ()))
    return {"type": kind, "spec_version": "2.1", **{name: FILLED[name] for name in names}, "id": f"{kind}--{UUID}"}


def check(obj: Any) -> tuple[bool, list[Problem]]:
    problems: list[Problem] = []
    return admit(obj, "/objects/3", problems), problems


@pytest.mark.parametrize("kind", sorted(REQUIRED))
def test_every_type_passes_with_what_it_requires_and_not_without(kind: str) -> None:
    whole = made(kind)
    before = copy.deepcopy(whole)
    assert check(whole) == (True, [])
    assert whole == before
    for name in REQUIRED[kind]:
        broken = made(kind)
        del broken[name]
        fine, problems = check(broken)
        assert not fine
        assert [(p.stage, p.path) for p in problems] == [("shape", f"/objects/3/{name}")]
        broken[name] = {"an": "object"} if name not in ("contents", "definition") else 3
        assert not check(broken)[0]
    for name in EXTRA.get(kind, ()):
        broken = made(kind)
        del broken[name]
        assert not check(broken)[0]


@pytest.mark.parametrize("identifier", ["", "x", f"malware--{UUID}", f"tool--{UUID}x", f"tool-{UUID}", 3, None])
def test_ids_are_of_their_own_type(identifier: Any) -> None:
    assert not check(made("tool") | {"id": identifier})[0]


@pytest.mark.parametrize(
    "moment", ["2026-02-30T00:00:00Z", "2026-03-02 06:30:00Z", "2026-03-02T06:30:00", "", 3, T + "\n"]
)
def test_times_exist(moment: Any) -> None:
    assert not check(made("tool") | {"created": moment})[0]


def test_a_second_of_disorder_is_a_clock_more_is_not() -> None:
    assert check(made("tool") | {"created": "2026-03-02T06:30:00.5Z", "modified": T})[0]
    fine, problems = check(made("tool") | {"created": "2026-03-03T06:30:00Z", "modified": T})
    assert not fine
    assert problems[0].path == "/objects/3/modified"


def test_a_malformed_optional_property_costs_only_itself() -> None:
    obj = made("tool") | {"labels": "x", "external_references": [{}], "tool_version": "3"}
    fine, problems = check(obj)
    assert fine
    assert {p.path for p in problems} == {"/objects/3/labels", "/objects/3/external_references"}
    assert "labels" not in obj
    assert obj["tool_version"] == "3"


@pytest.mark.parametrize(
    "marking",
    [
        {"object_marking_refs": "marking-definition--" + UUID},
        {"object_marking_refs": ["TLP:RED"]},
        {"object_marking_refs": [f"identity--{UUID}"]},
        {"granular_markings": [{"marking_ref": "x", "selectors": ["name"]}]},
        {"granular_markings": {}},
        {"revoked": "true"},
    ],
)
def test_what_says_who_may_see_it_is_never_left_out(marking: dict[str, Any]) -> None:
    assert not check(made("tool") | marking)[0]


def test_references_point_at_what_they_may() -> None:
    assert not check(made("relationship") | {"source_ref": f"relationship--{UUID}"})[0]
    assert check(made("relationship") | {"source_ref": f"x-custom--{UUID}"})[0]
    obj = made("tool") | {"created_by_ref": f"tool--{UUID}"}
    assert check(obj)[0]
    assert "created_by_ref" not in obj


def test_custom_types_and_properties_pass() -> None:
    custom = {"type": "x-acme-thing", "id": f"x-acme-thing--{UUID}", "name": 3, "value": {"a": [1]}}
    assert check(custom) == (True, [])
    assert check(made("tool") | {"x_acme": {"a": [{"b": 1}]}, "extensions": {"x": {"y": 1}}}) == (True, [])
    assert not check(custom | {"created": "yesterday", "type": "y"})[0]


def test_depth_size_and_unknown_keys() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
    fine, problems = check(made("tool") | {"x_jansen": deep})
    assert not fine
    assert problems[0].path == "/objects/3/*"
    assert not check(made("tool") | {"description": "x" * 3_000_000})[0]
    assert not check(made("tool") | {"x_a": {"b": ["y" * 3_000_000]}})[0]
    assert not check(made("tool") | {"x_a": [1] * 200_000})[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(REQUIRED)), st.sampled_from(sorted(FILLED)), JSON)
def test_no_value_makes_it_fail_and_none_is_told(kind: str, name: str, value: Any) -> None:
    obj: Any = made(kind) | {name: value}
    fine, problems = check(obj)
    assert fine or problems
    assert all(p.path.startswith("/objects/3") and p.stage == "shape" for p in problems)


@given(JSON)
def test_anything_at_all(value: Any) -> None:
    assert check(value)[0] is False
