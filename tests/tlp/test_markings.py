import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlp import Label, UnknownMarkingError, strictest
from tlp.markings import KNOWN, STIX_ID, definition, normalised, of_csaf, of_stix, of_text

WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"


def indicator(*refs: str, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "id": "indicator--1", "object_marking_refs": list(refs), **more}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("TLP:AMBER+STRICT bericht", Label.AMBER_STRICT),
        ("[TLP: amber strict]", Label.AMBER_STRICT),
        ("tlp_amber_strict", Label.AMBER_STRICT),
        ("TLP v2.0: TLP:GREEN", Label.GREEN),
        ("TLP:WHITE", Label.CLEAR),
        ("Melding (TLP ROOD)", Label.RED),
        ("TLP (AMBER): let op", Label.AMBER),
        ("TLP:CLEAR, maar de bijlage is TLP:RED", Label.RED),
        ("een rode draad, amber van kleur", None),
        ("TLP:REDACTED", None),
    ],
)
def test_text_names_a_label(text: str, label: Label | None) -> None:
    assert of_text(text) is label


@given(st.sampled_from(list(Label)), st.booleans(), st.sampled_from(["", " ", "  "]))
def test_a_label_in_text_is_never_read_wider(label: Label, upper: bool, space: str) -> None:
    text = f"x TLP:{space}{label.value if upper else label.value.lower()} y"
    assert of_text(text) is label


def test_csaf_takes_the_stricter_of_label_and_text() -> None:
    document = {"distribution": {"tlp": {"label": "WHITE"}, "text": "TLP v2.0: TLP:AMBER"}}
    assert of_csaf(document) is Label.AMBER
    assert of_csaf({}) is None
    with pytest.raises(UnknownMarkingError):
        of_csaf({"distribution": {"tlp": {"label": "PURPLE"}}})


def test_the_strictest_marking_of_a_bundle_wins_granular_ones_too() -> None:
    granular = [{"marking_ref": STIX_ID[Label.AMBER_STRICT], "selectors": ["name"]}]
    assert of_stix([indicator(WHITE), indicator(WHITE, granular_markings=granular)]) == (
        Label.AMBER_STRICT,
        (),
    )


def test_an_unknown_marking_is_a_doubt_and_a_statement_is_not() -> None:
    unknown = "marking-definition--00000000-0000-4000-8000-000000000001"
    assert of_stix([indicator(unknown)]) == (None, ("unknown-marking",))
    statement = {
        "type": "marking-definition",
        "id": unknown,
        "definition_type": "statement",
        "definition": {"statement": "(c)"},
    }
    assert of_stix([indicator(unknown, WHITE), statement]) == (Label.CLEAR, ())


def test_variants_of_other_platforms() -> None:
    own = {
        "type": "marking-definition",
        "id": "marking-definition--a",
        "definition_type": "tlp",
        "definition": {"tlp": "clear"},
    }
    assert of_stix([indicator("marking-definition--a"), own]) == (Label.CLEAR, ())
    lying = {**own, "id": STIX_ID[Label.RED]}
    assert of_stix([indicator(STIX_ID[Label.RED]), lying])[0] is Label.RED
    broken = {**own, "definition": {}}
    assert of_stix([broken])[1] == ("unknown-marking",)


def test_old_ids_become_tlp_2_ids() -> None:
    for identifier, label in KNOWN.items():
        changed = normalised(
            indicator(identifier, granular_markings=[{"marking_ref": identifier, "selectors": ["name"]}])
        )
        assert changed["object_marking_refs"] == [STIX_ID[label]]
        assert changed["granular_markings"][0]["marking_ref"] == STIX_ID[label]


@given(st.lists(st.sampled_from(list(Label)), min_size=1))
def test_a_definition_reads_as_its_own_label(labels: list[Label]) -> None:
    objects = [definition(label) for label in labels] + [indicator(STIX_ID[label]) for label in labels]
    assert of_stix(objects) == (strictest(labels), ())


@pytest.mark.corpus
def test_published_definitions(corpus: Path) -> None:
    for label in Label:
        published = json.loads((corpus / "tlp" / f"tlp-{label.value.lower()}.json").read_text())
        published = published["objects"][0] if published["type"] == "bundle" else published
        ours = definition(label)
        assert published["id"] == ours["id"]
        assert published["extensions"] == ours["extensions"]


@pytest.mark.parametrize("text", ["TLP:\u200bRED lek", "ＴＬＰ：ＲＥＤ lek", "T\u00adLP:R\u2060ED", "TLP:\u00a0RED"])
def test_a_label_is_read_as_it_is_seen(text: str) -> None:
    assert of_text(text) is Label.RED


@pytest.mark.parametrize(
    "distribution",
    [[{"tlp": {"label": "RED"}}], {"tlp": "RED"}, {"tlp": {"label": ["RED"]}}, {"tlp": [{"label": "RED"}]}, "RED"],
)
def test_a_csaf_label_of_another_shape_is_a_doubt_and_not_the_default(distribution: object) -> None:
    with pytest.raises(UnknownMarkingError):
        of_csaf({"distribution": distribution})


def test_a_definition_that_is_called_something_stricter_is_that() -> None:
    own = "marking-definition--00000000-0000-4000-8000-000000000001"
    called = {**definition(Label.CLEAR), "id": own, "name": "TLP:RED"}
    assert of_stix([called, indicator(own)]) == (Label.RED, ())
    assert of_stix([{**called, "name": "TLP:CLEAR"}, indicator(own)]) == (Label.CLEAR, ())
