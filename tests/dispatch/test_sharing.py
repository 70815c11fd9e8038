"""What a recipient may do with a message, in words: by label, kind of subscriber and PAP."""

import dataclasses
import re
from pathlib import Path

import pytest
from msgspec import structs

from dispatch import View
from dispatch.render import Rendered
from dispatch.sharing import limits_of, sharing
from dispatch.wording import words
from subscribers import SubscriberKind
from tests.dispatch.test_render import CODE, RENDERER, advised
from tests.dispatch.views import NOW, a_report, a_subscriber
from tlp import Label


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_label_has_its_words_for_every_kind(language: str) -> None:
    kinds: tuple[SubscriberKind, ...] = ("company", "partnership", "supplier", "cert", "vital", "public")
    told = {label: [sharing(label, kind, None, language) for kind in kinds] for label in Label}
    assert [len(set(each)) for each in told.values()] == [1, 2, 4, 1, 1]
    assert all(sharing(label, "company", None, language) == words(language)["share"][label.value] for label in Label)


def test_what_may_be_done_with_it_stands_beside_with_whom_it_is_shared() -> None:
    view = a_report(objects=({"type": "report", "labels": ["PAP:AMBER", "type:OSINT"]},))
    assert limits_of(view) == "AMBER"
    partner = structs.replace(a_subscriber(), profile=structs.replace(a_subscriber().profile, kind="partnership"))

    def message(view: View) -> Rendered:
        return RENDERER.message(
            view, advised(view), kind="alert", subscriber=partner, register="mkb", at=NOW, code=CODE
        )  # fmt: skip

    made = message(view)
    for form in (made.text, re.sub(r"<[^>]+>", "", made.html)):
        said = " ".join(form.split())
        assert said.count("met uw leden") == said.count("(PAP:AMBER)") == 2, "at the top and at the bottom"
    assert "PAP" not in message(dataclasses.replace(view, objects=({"type": "report", "labels": ["PAP:GREEN"]},))).text


def test_the_documentation_has_every_label() -> None:
    text = (
        (Path(__file__).parents[2] / "docs" / "labels.md").read_text("utf-8").partition("## What a recipient may do")[2]
    )
    assert re.findall(r"^\| ([A-Z+]+) \|", text, re.MULTILINE) == [label.value for label in Label]
