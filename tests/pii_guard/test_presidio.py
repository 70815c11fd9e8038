"""What Presidio's AnalyzerEngine asks of a recogniser, asked the same way, without Presidio."""

from typing import get_args

import pytest

from pii_guard import Category
from pii_guard.presidio import Recogniser

ENTITIES = [category.upper().replace("-", "_") for category in get_args(Category)]


@pytest.mark.parametrize("entity", ENTITIES)
def test_each_category_answers_as_the_engine_asks(entity: str) -> None:
    recogniser = Recogniser(entity)
    recogniser.load()
    # AnalyzerEngine.analyze and RecognizerRegistry.get_recognizers read these.
    assert recogniser.supported_entities == recogniser.get_supported_entities() == [entity]
    assert recogniser.supported_language == recogniser.get_supported_language() == "nl"
    assert recogniser.name
    assert recogniser.id
    assert recogniser.is_loaded
    assert recogniser.analyze(text="", entities=[entity], nlp_artifacts=None) == []


def test_it_gives_what_it_finds_of_its_own_entity() -> None:
    text = "BSN 111222333, mail jan@voorbeeld.nl"
    (found,) = Recogniser("BSN").analyze(text=text, entities=["BSN", "EMAIL"], nlp_artifacts=None)
    assert (found.entity_type, found.start, found.end) == ("BSN", 4, 13)
    assert 0 < found.score <= 1
    assert Recogniser("BSN").analyze(text, ["EMAIL"], None) == []
    assert len(Recogniser("EMAIL").analyze(text, [])) == 1
    again = Recogniser("BSN").enhance_using_context(text, [found], [found], None, None)
    assert again == [found]


def test_the_result_is_of_the_class_that_is_asked_for() -> None:
    recogniser = Recogniser("EMAIL", result=dict)
    assert recogniser.analyze("jan@voorbeeld.nl", ["EMAIL"]) == [
        {"entity_type": "EMAIL", "start": 0, "end": 16, "score": 0.95}
    ]


def test_an_entity_that_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        Recogniser("SHOE_SIZE")
