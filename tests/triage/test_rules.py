"""Which rule releases an item; none: a person decides."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from pyroaring import BitMap

from config.settings import DEFAULTS, _File
from filtering import Match, Outcome
from normalize import Facts
from pii_guard import Item, Statement
from tests.triage.desk import NOW
from tlp import Label
from triage.rules import Rule, alerts, applying

SHIPPED = _File(DEFAULTS / "rules.toml").rules()


def item(*sources: str, label: Label = Label.CLEAR, holds: tuple[str, ...] = ()) -> Item:
    """One statement a source; the last has the label and the holds."""

    def said(source: str, last: bool) -> Statement:
        return Statement(
            key=source, source=source, kind="advisory", title="t", summary="s", language="nl", facts=Facts(),
            objects=Raw(b"[]"), references=(), label=label if last else Label.CLEAR, holds=holds if last else (),
            findings=(), regime="wbdwb", policy="p", source_time=None, received_at=NOW, meaning="m",
        )  # fmt: skip

    names = sources or ("ncsc-nl",)
    return Item("OKTT-2026-0001", 1, tuple(said(name, name == names[-1]) for name in names))


def match(**numbers: tuple[int, ...]) -> Match:
    outcomes: dict[Any, BitMap] = {name: BitMap(numbers.get(name, ())) for name in Outcome.__args__}  # type: ignore[attr-defined]
    return Match("OKTT-2026-0001", 1, outcomes, BitMap())


SOME = match(deliver=(1,))


def chosen(
    what: Item, *rules: Rule, kind: Any = "advisory", urgency: Any = "info", found: Match = SOME, **more: Any
) -> str | None:
    rule = applying(rules, what, kind, urgency, found, **more)
    return None if rule is None else rule.id


def rule(name: str = "r", **more: Any) -> Rule:
    return Rule(name, "waarom", **more)


def test_the_first_that_fits_decides() -> None:
    assert chosen(item(), rule("a", kinds=("news",)), rule("b"), rule("c")) == "b"
    assert chosen(item()) is None


def test_every_source_has_to_be_one_of_the_rule() -> None:
    of_two = rule(sources=("ncsc-nl", "kev"))
    assert chosen(item("ncsc-nl"), of_two) == "r"
    assert chosen(item("ncsc-nl", "kev"), of_two) == "r"
    assert chosen(item("ncsc-nl", "market"), of_two) is None
    assert chosen(item("market"), rule()) == "r"


@pytest.mark.parametrize(("field", "given", "fits"), [("kinds", "kind", "advisory"), ("urgency", "urgency", "today")])
def test_kinds_and_urgencies(field: str, given: str, fits: str) -> None:
    allowed: dict[str, Any] = {field: (fits,)}
    limited = rule(**allowed)
    same: dict[str, Any] = {given: fits}
    other: dict[str, Any] = {given: "report" if given == "kind" else "info"}
    assert chosen(item(), limited, **same) == "r"
    assert chosen(item(), limited, **other) is None


@pytest.mark.parametrize("allowed", list(Label))
@pytest.mark.parametrize("label", list(Label))
def test_the_strictest_statement_counts(label: Label, allowed: Label) -> None:
    assert (chosen(item("a", "b", label=label), rule(tlp=allowed)) == "r") == (label <= allowed)
    assert (chosen(item("b", "a"), rule(tlp=allowed), label=label) == "r") == (label <= allowed)


def test_the_widest_label_is_the_default() -> None:
    assert chosen(item(label=Label.GREEN), rule()) is None


@pytest.mark.parametrize("found", [match(), match(digest=(1,), tlp=(2,), urgency=(3,), unverified=(4,), vital=(5,))])
def test_a_rule_that_needs_a_match_needs_an_alert(found: Match) -> None:
    assert alerts(found) == 0
    assert chosen(item(), rule(), found=found) is None
    assert chosen(item(), rule(match=False), found=found) == "r"


def test_quiet_hours_are_an_alert_all_the_same() -> None:
    assert alerts(match(deliver=(1, 2), quiet=(3,))) == 3
    assert chosen(item(), rule(), found=match(quiet=(1,))) == "r"


def test_what_is_held_is_never_released_by_a_rule() -> None:
    assert chosen(item("a", "b", holds=("suspect-text",)), rule(tlp=Label.RED, match=False)) is None


def test_the_shipped_rules() -> None:
    assert chosen(item("ncsc-nl", "kev"), *SHIPPED) == "ncsc-advisory"
    assert chosen(item("ncsc-nl"), *SHIPPED, found=match()) == "public-digest"
    assert chosen(item("shadowserver", label=Label.AMBER), *SHIPPED, kind="exposure") == "exposure"
    assert chosen(item("shadowserver", label=Label.RED), *SHIPPED, kind="exposure") is None
    assert chosen(item("market", label=Label.CLEAR), *SHIPPED) is None
    assert chosen(item("ncsc-nl", "market"), *SHIPPED) is None


def test_a_rule_of_an_unknown_key_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "x", "why": "y", "source": "z"}, Rule)


def test_news_by_itself_alerts_nobody_without_a_person() -> None:
    assert chosen(item("news"), *SHIPPED, kind="news") is None
    assert chosen(item("news"), *SHIPPED, kind="news", found=match(digest=(1,))) == "public-digest"
    assert chosen(item("ncsc-nl", "news"), *SHIPPED) == "ncsc-advisory"
