from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlp import PUBLIC, Clearance, Consent, Label, Marked, Permit, Reader, ReaderKind, Refusal, strictest
from tlp.enforce import enforce

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KINDS: tuple[ReaderKind, ...] = ("public", "company", "partnership", "supplier", "cert", "vital")


def reader(
    highest: Label = Label.RED,
    *,
    kind: ReaderKind = "company",
    concerned: bool = True,
    confidential: bool = True,
) -> Reader:
    return Reader("kvk-1", kind, Clearance(highest), concerned, confidential)


readers = st.builds(
    Reader,
    st.sampled_from(["kvk-1", "kvk-2"]),
    st.sampled_from(KINDS),
    st.builds(Clearance, st.sampled_from(list(Label)), st.sampled_from([None, NOW, NOW + timedelta(1)])),
    st.booleans(),
    st.booleans(),
)
consents = st.builds(
    Consent,
    st.frozensets(st.sampled_from(["kvk-1", "kvk-2"])),
    st.frozensets(st.sampled_from(["cert", "company"])),
)
marks = st.lists(
    st.builds(Marked, st.sampled_from("abcdef"), st.sampled_from(list(Label)), consents),
    min_size=1,
    unique_by=lambda each: each.key,
)


@given(marks, readers)
def test_nothing_leaves_wider_than_its_label(marked: list[Marked], who: Reader) -> None:
    answer = enforce(marked, who, NOW)
    if isinstance(answer, Refusal):
        assert all(each.label is not Label.CLEAR for each in marked)
        return
    seen = [each for each in marked if each.key in answer.visible]
    assert seen
    assert answer.label is strictest(each.label for each in seen)
    for each in seen:
        if each.label is Label.CLEAR:
            continue
        assert who.kind != "public"
        assert who.clearance.at(NOW) >= each.label
        if each.label is Label.AMBER:
            assert who.concerned
        if each.label > Label.AMBER:
            assert who.id in each.consent.recipients or who.kind in each.consent.classes
            assert who.confidential


@given(marks, readers)
def test_a_strict_contribution_never_silences_a_clear_one(marked: list[Marked], who: Reader) -> None:
    answer = enforce([*marked, Marked("clear", Label.CLEAR)], who, NOW)
    assert isinstance(answer, Permit)
    assert "clear" in answer.visible


@pytest.mark.parametrize(
    ("label", "who", "reason"),
    [
        (Label.GREEN, PUBLIC, "clearance"),
        (Label.GREEN, reader(Label.CLEAR), "clearance"),
        (Label.AMBER, reader(concerned=False), "not-concerned"),
        (Label.RED, reader(), "no-consent"),
        (Label.AMBER_STRICT, reader(), "no-consent"),
    ],
)
def test_refusals_have_named_reasons(label: Label, who: Reader, reason: str) -> None:
    answer = enforce([Marked("a", label)], who, NOW)
    assert isinstance(answer, Refusal)
    assert answer.reason == reason


def test_consent_opens_red_for_those_named_and_for_closed_channels_only() -> None:
    marked = [Marked("a", Label.RED, Consent(frozenset({"kvk-1"})))]
    assert isinstance(enforce(marked, reader(), NOW), Permit)
    refused = enforce(marked, reader(confidential=False), NOW)
    assert isinstance(refused, Refusal)
    assert refused.reason == "open-channel"


def test_an_expired_clearance_counts_as_clear() -> None:
    lapsed = Reader("kvk-1", "company", Clearance(Label.AMBER, NOW), concerned=True, confidential=True)
    assert isinstance(enforce([Marked("a", Label.AMBER)], lapsed, NOW), Refusal)
    assert isinstance(enforce([Marked("a", Label.AMBER)], lapsed, NOW - timedelta(seconds=1)), Permit)
