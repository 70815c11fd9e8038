"""What of a bundle may be seen at wider labels than its strictest: cut, valid, and never more."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, stix
from tlp import Label
from tlp.markings import KNOWN, STIX_ID, definition

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TIME = "2026-03-01T08:00:00.000Z"
SOURCE = Source("market", "Marktpartij")
CLEAR, GREEN, AMBER, RED = Label.CLEAR, Label.GREEN, Label.AMBER, Label.RED


def made(kind: str, name: str, label: Label | None = None, /, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"type": kind, "spec_version": "2.1", "id": named(kind, name)}
    if kind not in ("ipv4-addr", "domain-name"):
        said |= {"created": TIME, "modified": TIME, "name": name}
    return said | ({"object_marking_refs": [STIX_ID[label]]} if label else {}) | more


def named(kind: str, name: str) -> str:
    return f"{kind}--{uuid5(UUID(int=0), name)}"


def report(*refs: str, label: Label | None = CLEAR, **more: Any) -> dict[str, Any]:
    return made("report", "Campagne", label, published=TIME, object_refs=list(refs), **more)


def indicator(name: str, label: Label | None, **more: Any) -> dict[str, Any]:
    pattern = f"[domain-name:value = '{name}.example']"
    return made("indicator", name, label, pattern=pattern, pattern_type="stix", valid_from=TIME, **more)


def link(source: dict[str, Any], target: dict[str, Any], label: Label | None) -> dict[str, Any]:
    name = source["name"] + target["name"]
    ends = {"relationship_type": "indicates", "source_ref": source["id"], "target_ref": target["id"]}
    return {name: value for name, value in made("relationship", name, label, **ends).items() if name != "name"}


def granular(label: Label, *selectors: str) -> dict[str, Any]:
    return {"granular_markings": [{"marking_ref": STIX_ID[label], "selectors": list(selectors)}]}


def drafts(*objects: dict[str, Any]) -> dict[Label | None, Draft]:
    body = json.dumps({"type": "bundle", "id": named("bundle", "x"), "objects": objects}).encode()
    return {draft.layer: draft for draft in stix.drafts(body, SOURCE, NOW).drafts}


def ids(draft: Draft) -> set[str]:
    return {obj["id"] for obj in draft.objects if obj["type"] != "marking-definition"}


def of_type(draft: Draft, kind: str) -> list[dict[str, Any]]:
    return [obj for obj in draft.objects if obj["type"] == kind]


def test_one_label_makes_no_layer() -> None:
    wide = made("malware", "A", CLEAR, is_family=True)
    assert list(drafts(report(wide["id"]), wide)) == [None]
    assert list(drafts(report(wide["id"], label=None), wide)) == [None]
    assert list(drafts(report(wide["id"], label=None), made("malware", "A", is_family=True))) == [None]


def test_what_is_stricter_goes_with_all_that_refers_to_it() -> None:
    malware, secret = made("malware", "A", CLEAR, is_family=True), indicator("geheim", AMBER)
    relation, shown = link(secret, malware, CLEAR), indicator("open", CLEAR)
    head = report(malware["id"], secret["id"], relation["id"], shown["id"], description="Alles.")
    found = drafts(head, malware, secret, relation, shown, definition(CLEAR), definition(AMBER))
    assert {layer: draft.label for layer, draft in found.items()} == {None: AMBER, CLEAR: CLEAR}
    assert len({draft.key for draft in found.values()}) == len({draft.title for draft in found.values()}) == 1
    layer = found[CLEAR]
    (cut,) = of_type(layer, "report")
    assert cut["object_refs"] == [malware["id"], shown["id"]]
    assert cut["id"] != head["id"]
    assert ids(layer) == {cut["id"], malware["id"], shown["id"]}
    assert "geheim" not in repr(layer)
    assert {each.value for each in layer.facts.observables} == {"open.example"}
    assert {each.value for each in found[None].facts.observables} == {"open.example", "geheim.example"}
    assert ids(found[None]) == {each["id"] for each in (head, malware, secret, relation, shown)}


def test_properties_and_elements_are_cut_by_their_selector() -> None:
    malware = made(
        "malware", "A", CLEAR, is_family=True, description="geheim", aliases=["open", "geheim"],
        **granular(AMBER, "description", "aliases.[1]"),
    )  # fmt: skip
    layer = drafts(report(malware["id"]), malware)[CLEAR]
    (cut,) = of_type(layer, "malware")
    assert (cut["aliases"], "description" in cut, "granular_markings" in cut) == (["open"], False, False)
    assert cut["object_marking_refs"] == [STIX_ID[CLEAR]]
    assert of_type(layer, "report")[0]["object_refs"] == [cut["id"]] != [malware["id"]]
    assert "geheim" not in repr(layer)


@pytest.mark.parametrize("selector", ["pattern", "valid_until", "indicator_types", "indicator_types.[0]", "id", "type"])
def test_an_object_that_would_mislead_without_goes_whole(selector: str) -> None:
    malware = made("malware", "A", CLEAR, is_family=True)
    more = {"valid_until": "2026-03-02T08:00:00.000Z", "indicator_types": ["benign", "attribution"]}
    doubtful = indicator("geheim", CLEAR, **more, **granular(RED, selector))
    layer = drafts(report(malware["id"], doubtful["id"]), malware, doubtful)[CLEAR]
    assert not of_type(layer, "indicator")
    assert "geheim" not in repr(layer)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        (
            "[domain-name:value = 'open.example' OR domain-name:value = 'geheim.example']",
            "[domain-name:value = 'open.example']",
        ),
        ("[domain-name:value IN ('geheim.example', 'open.example')]", "[domain-name:value IN ('open.example')]"),
        ("[domain-name:value = 'open.example' AND domain-name:value = 'geheim.example']", None),
        ("[domain-name:value NOT IN ('geheim.example', 'open.example')]", None),
        ("[domain-name:value = 'open.example'] FOLLOWEDBY [domain-name:value = 'geheim.example']", None),
        ("[domain-name:value = 'geheim.example']", None),
    ],
)
def test_a_hidden_observable_is_cut_out_of_patterns_where_the_rest_says_the_same(
    pattern: str, left: str | None
) -> None:
    malware, hidden = (
        made("malware", "A", CLEAR, is_family=True),
        made("domain-name", "geheim", RED, value="geheim.example"),
    )
    looks = indicator("zoekt", CLEAR) | {"pattern": pattern}
    listed = [each["id"] for each in (malware, hidden, looks)]
    layer = drafts(report(*listed), malware, hidden, looks)[CLEAR]
    assert [obj["pattern"] for obj in of_type(layer, "indicator")] == ([left] if left else [])
    assert "geheim" not in repr(layer)
    told = looks | {"description": "Zoekt open.example en geheim.example."}
    assert "geheim" not in repr(drafts(report(*listed), malware, hidden, told)[CLEAR])


def test_a_granular_marking_never_widens() -> None:
    malware, strict = made("malware", "A", CLEAR, is_family=True), indicator("geheim", RED, **granular(CLEAR, "name"))
    layer = drafts(report(malware["id"], strict["id"]), malware, strict)[CLEAR]
    assert "geheim" not in repr(layer)


def test_no_layer_where_the_report_is_stricter_or_nothing_is_left_of_it() -> None:
    wide, strict = made("malware", "A", CLEAR, is_family=True), made("malware", "B", RED, is_family=True)
    assert list(drafts(report(wide["id"], strict["id"], label=RED), wide, strict)) == [None]
    assert list(drafts(report(strict["id"]), strict)) == [None]
    assert list(drafts(report(wide["id"], name="TLP:RED nieuws"), wide)) == [None]
    assert list(drafts(report(wide["id"], strict["id"], **granular(RED, "name")), wide, strict)) == [None]


def test_nothing_while_a_marking_is_not_understood() -> None:
    wide, strict = made("malware", "A", CLEAR, is_family=True), made("malware", "B", RED, is_family=True)
    odd = {**strict, "object_marking_refs": [STIX_ID[RED], named("marking-definition", "x")]}
    assert list(drafts(report(wide["id"], strict["id"]), wide, odd)) == [None]


def test_what_carries_no_label_counts_as_the_strictest_but_for_who_made_it() -> None:
    maker, victim = (made("identity", name, identity_class="organization") for name in ("Maker", "geheim"))
    wide, strict = made("malware", "A", CLEAR, is_family=True), made("malware", "B", AMBER, is_family=True)
    silent = made("malware", "geheime naam", is_family=True)
    wide["created_by_ref"] = maker["id"]
    listed = [each["id"] for each in (wide, strict, silent, victim)]
    layer = drafts(report(*listed), wide, strict, silent, maker, victim)[CLEAR]
    assert {obj["name"] for obj in layer.objects if obj["type"] in ("malware", "identity")} == {"A", "Maker"}
    assert "geheim" not in repr(layer)


def test_what_is_left_over_has_layers_too() -> None:
    found = drafts(indicator("open", GREEN), indicator("geheim", AMBER))
    assert set(found) == {None, GREEN}
    assert found[GREEN].title == "open"
    assert "geheim" not in repr(found[GREEN])


labels = st.sampled_from([None, *Label])


@settings(max_examples=40)
@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=5), labels)
def test_no_layer_holds_what_is_stricter_and_all_are_valid(
    each: list[tuple[Label | None, Label | None]], top: Label | None
) -> None:
    """Of each malware: its own label, and that of its description."""
    objects = []
    for at, (label, described) in enumerate(each):
        marking = granular(described, "description") if described else {}
        objects.append(made("malware", f"naam-{at}-", label, is_family=True, description=f"tekst-{at}-", **marking))
    objects += [link(one, other, label) for one, other, (label, _) in zip(objects, objects[1:], each, strict=False)]
    given_ids = [obj["id"] for obj in objects]
    found = drafts(report(*given_ids, label=top), *objects)
    for layer, draft in found.items():
        if layer is None:
            continue
        said = repr((draft.title, draft.summary, draft.objects, draft.facts))
        for at, (label, described) in enumerate(each):
            assert label is not None or f"naam-{at}-" not in said
            assert (label or RED) <= layer or f"naam-{at}-" not in said
            assert max(label or RED, described or CLEAR) <= layer or f"tekst-{at}-" not in said
        for obj in draft.objects:
            assert all(KNOWN[ref] <= layer for ref in obj.get("object_marking_refs", ()))
            stix2.parse(obj)
        bundled = {obj["id"] for obj in draft.objects}
        (head,) = of_type(draft, "report")
        assert set(head["object_refs"]) <= bundled
        assert draft.key == found[None].key
