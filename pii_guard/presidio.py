"""The recognisers for Presidio, without depending on it: each category is an entity in capitals (`BSN`, `IPV4`).

`Recogniser` has what `presidio_analyzer.EntityRecognizer` is asked for: `supported_entities`, `supported_language`,
`name`, `load`, `analyze`, and gives what stands in `RecognizerResult`: entity_type, start, end, score. To use it:
`registry.add_recognizer(Recogniser("BSN", result=RecognizerResult))`.
"""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple, get_args

from pii_guard import Category
from pii_guard.detect import scan


class Result(NamedTuple):
    """As Presidio's RecognizerResult."""

    entity_type: str
    start: int
    end: int
    score: float


class Recogniser:
    """One category as a recogniser of its own. `result` makes what is given: Presidio's class, or `Result`."""

    def __init__(self, supported_entity: str, *, language: str = "nl", result: Callable[..., Any] = Result) -> None:
        known = {category.upper().replace("-", "_"): category for category in get_args(Category)}
        self._category = known[supported_entity]
        self.supported_entity, self.supported_entities = supported_entity, [supported_entity]
        self.supported_language, self.name, self.id = language, f"Oktt{supported_entity}", f"oktt-{self._category}"
        self.version, self.context, self.is_loaded, self._result = "1", None, True, result

    def load(self) -> None:
        """Nothing to load."""

    def get_supported_entities(self) -> list[str]:
        """The one."""
        return self.supported_entities

    def get_supported_language(self) -> str:
        """Its language; what is found is the same in each."""
        return self.supported_language

    def enhance_using_context(self, text: str, raw_recognizer_results: list[Any], *_: Any, **__: Any) -> list[Any]:  # noqa: ARG002
        """Scores hold the context already."""
        return raw_recognizer_results

    def analyze(self, text: str, entities: Collection[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002
        """What is found of this entity, if it is one of those asked for; all of them when none is named."""
        if entities and self.supported_entity not in entities:
            return []
        return [
            self._result(entity_type=self.supported_entity, start=span.start, end=span.end, score=span.confidence)
            for span in scan(text)
            if span.category == self._category
        ]
