"""A statement without one person's value (AVG art. 17): out of texts and data, and out of what refers to it.

What cannot be without it goes with it: an observable becomes a count, an object that lacks what STIX requires goes, and
so does what refers to that. What changed gets another id, since the old one may be made of the value (STIX 2.1 2.9).
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from normalize import Affected, Facts, Observable
from pii_guard import Finding, Statement, facts
from pii_guard.blocks import Blocks
from pii_guard.paths import OBJECTS
from pii_guard.patterns import Patterns
from pii_guard.policy import CATEGORIES, ROLES, Ruling
from pii_guard.redact import rewrite
from pii_guard.roles import Roles
from pii_guard.sought import CATEGORY, Sought
from pii_guard.values import Eraser

RULE, BASIS = "subject.erased", "At the request of the data subject (AVG art. 17)"
_KEPT = Ruling("keep", "kept", "Of somebody else")
_ALL_KEPT = {(category, role): _KEPT for category in CATEGORIES for role in ROLES}
_WORDS = frozenset({"prose", "title", "term"})
"""Treatments of texts in which another word can stand instead."""
_NEVER = frozenset({"id", "ref", "refs", "type", "time", "markings", "hashes"})
"""Treatments of what holds no value of a person."""
_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
_GONE = object()


def without(statement: Statement, sought: Sought, rename: Callable[[str], str]) -> Statement | None:
    """The statement without the value; None: it does not hold it. Key, receipt, label and meaning stay.

    `rename`: an old id of an object -> a new one. The findings say where it was, and nothing more.
    """
    scrub = _Scrub(sought, statement.language)
    before = _decode(statement.objects)
    objects = [scrub.object(number, one) for number, one in enumerate(before)]
    if scrub.changed:
        keeper = Eraser(_ALL_KEPT, Roles(), language=statement.language, public=True)
        objects = rewrite(Blocks(objects), keeper, rename, changed=scrub.changed)
    made = msgspec.structs.replace(
        statement,
        title=scrub.text(statement.title, "/title"),
        summary=scrub.text(statement.summary, "/summary"),
        facts=scrub.facts(statement.facts),
        objects=Raw(msgspec.json.encode(objects)) if scrub.changed else statement.objects,
        references=scrub.clean(statement.references, "/references/*"),
    )
    if not scrub.places:
        return None
    category = CATEGORY[sought.type]
    told = (
        Finding(category, "unknown", "strip", path, RULE, BASIS, count=count)
        for path, count in sorted(scrub.places.items())
    )
    return msgspec.structs.replace(made, findings=(*statement.findings, *told))


class _Scrub:
    """Takes a value out, and notes where it was."""

    def __init__(self, sought: Sought, language: str) -> None:
        self._sought = sought
        eraser = Eraser(_ALL_KEPT, Roles(), language=language, public=True)
        self._instead = eraser.placeholder(CATEGORY[sought.type])
        self.places: dict[str, int] = {}
        self.changed: set[str] = set()
        """Ids of objects of which something went."""

    def text(self, text: str, path: str) -> str:
        """With a word for it in its place."""
        made = self._sought.out_of(text, self._instead)
        if made != text:
            self._note(path)
        return made

    def clean(self, values: Sequence[str], path: str) -> tuple[str, ...]:
        """Those that do not hold it."""
        kept = tuple(each for each in values if not self._sought.is_in(each))
        self._note(path, len(values) - len(kept))
        return kept

    def facts(self, given: Facts) -> Facts:
        """Of observables that hold it, a count per network and country."""
        quick = self._sought.may_be_in(text for row in given.observables for text in texts_of(row))
        holds = [quick and self._sought.holds(texts_of(one)) for one in given.observables]
        rows = given.observables
        if any(holds):
            self._note("/facts/observables/*", sum(holds))
            rows = facts.counted(rows, holds)
        return msgspec.structs.replace(
            given,
            tracking=self.clean(given.tracking, "/facts/tracking"),
            affected=tuple(one for each in given.affected if (one := self._product(each)) is not None),
            sectors=self.clean(given.sectors, "/facts/sectors"),
            observables=rows,
            exposure=next(iter(self.clean((given.exposure,), "/facts/exposure")), None) if given.exposure else None,
            remedies=tuple(self.text(each, "/facts/remedies") for each in given.remedies),
        )

    def _product(self, product: Affected) -> Affected | None:
        path = "/facts/affected/*"
        names = {
            key: "" if self._gone(getattr(product, key), f"{path}/{key}") else getattr(product, key)
            for key in ("vendor", "product", "versions")
        }
        codes = {
            key: None if value is None or self._gone(value, f"{path}/{key}") else value
            for key, value in (("cpe", product.cpe), ("purl", product.purl))
        }
        made = msgspec.structs.replace(product, **names, **codes)
        return made if made.vendor or made.product else None

    def object(self, number: int, one: dict[str, Any]) -> dict[str, Any]:
        """An object without it. What then lacks anything that STIX requires goes when its like are linked anew."""
        table = OBJECTS.get(str(one.get("type")), {})
        made: dict[str, Any] = {}
        for key, value in one.items():
            treatment = table.get(key, "")
            if key in ("id", "type", "spec_version") or treatment in _NEVER or key.endswith(("_ref", "_refs")):
                made[key] = value
                continue
            stays = self._property(one, key, value, treatment, f"/objects/{number}/{key}")
            if stays is not _GONE:
                made[key] = stays
        if made != one:
            self.changed.add(str(one.get("id")))
        return made

    def _property(self, one: dict[str, Any], key: str, value: Any, treatment: str, path: str) -> Any:
        if not self._sought.holds(value):
            return value
        if treatment in _WORDS and isinstance(value, str):
            return self.text(value, path)
        self._note(path)
        if key == "pattern" and one.get("pattern_type", "stix") == "stix" and isinstance(value, str):
            read = Patterns().reading(value)
            kept = None if read is None else read.without(lambda compared: self._sought.is_in(str(compared.value)))
            return _GONE if kept is None else kept
        if isinstance(value, list):
            return [each for each in value if not self._sought.holds(each)] or _GONE
        if isinstance(value, dict):  # extensions, a property of each: half of one would not be valid
            return {name: each for name, each in value.items() if not self._sought.holds(each)} or _GONE
        return _GONE

    def _gone(self, text: str, path: str) -> bool:
        held = self._sought.is_in(text)
        self._note(path, held)
        return held

    def _note(self, path: str, count: int = 1) -> None:
        if count:
            self.places[path] = self.places.get(path, 0) + count


def texts_of(row: Observable) -> list[str]:
    """What a row says in words."""
    return [row.value, row.evidence, *row.detail.values()]
