"""What a subscriber handed in, without who it was: readers never learn that (contract: contributions).

The creator of its objects becomes "a subscriber"; its names go from texts, its own addresses and domains from what is
listed, with what would point at them. Done before the guard decides, which knows nothing of subscribers.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from normalize import Draft, Facts
from normalize.stix import new_id

_STAMP = "2026-01-01T00:00:00.000Z"
_SOMEBODY: dict[str, Any] = {
    "type": "identity",
    "spec_version": "2.1",
    "id": new_id("identity", "subscriber"),
    "created": _STAMP,
    "modified": _STAMP,
    "name": "A subscriber",
    "identity_class": "organization",
}
_LEGAL_FORM = re.compile(
    r"[\s,]+(?:b\.?v|n\.?v|v\.?o\.?f|ltd|inc|gmbh|llc|s\.?a|stichting|co[öo]peratie)\.?$", re.IGNORECASE
)
_SHORTEST = 4
"""A shorter name is a word like others."""
_VALUES = frozenset(("value", "pattern", "account_login", "user_id", "display_name"))
_NAMES = frozenset(("id", "type", "spec_version", "pattern_type"))
_NEEDED = frozenset(("source_ref", "target_ref", "sighting_of_ref"))


def anonymous(draft: Draft, names: Sequence[str], domains: Sequence[str], networks: Sequence[str]) -> Draft:
    """The draft without its contributor: `names` (its id too), `domains`, `networks` (AS numbers say nothing)."""
    creators = {obj["created_by_ref"] for obj in draft.objects if "created_by_ref" in obj}
    mine = [obj for obj in draft.objects if obj["type"] == "identity" and obj["id"] in creators]
    self = _Contributor([*names, *(str(obj.get("name", "")) for obj in mine)], domains, networks)
    return structs.replace(
        draft,
        title=self.text(draft.title),
        summary=self.text(draft.summary),
        facts=self.facts(draft.facts),
        objects=self.objects(draft.objects, creators),
        references=tuple(each for each in draft.references if not self.named(each)),
    )


class _Contributor:
    """Knows the contributor's own words and values."""

    def __init__(self, names: Iterable[str], domains: Sequence[str], networks: Sequence[str]) -> None:
        told = {" ".join(name.split()) for name in names}
        told |= {_LEGAL_FORM.sub("", name) for name in told}
        hosts = [rf"(?:[\w.+-]+@)?(?:[\w-]+\.)*{re.escape(domain)}" for domain in domains]
        words = [re.escape(name) for name in sorted(told, key=len, reverse=True) if len(name) >= _SHORTEST]
        every = "|".join([*hosts, *words]) or r"(?!)"
        self._words = re.compile(rf"(?<!\w)(?:{every})(?!\w)", re.IGNORECASE)
        self._networks = [ipaddress.ip_network(each, strict=False) for each in networks if "/" in each]

    def named(self, text: str) -> bool:
        return self._words.search(text) is not None

    def text(self, text: str) -> str:
        return self._words.sub(_SOMEBODY["name"], text)

    def owns(self, value: str) -> bool:
        """Is this value its own: a name under its domains, an address in its networks?"""
        try:
            asked = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return self.named(value)
        return any(asked.version == each.version and asked.subnet_of(each) for each in self._networks)  # type: ignore[arg-type]

    def facts(self, facts: Facts) -> Facts:
        return structs.replace(
            facts,
            tracking=tuple(each for each in facts.tracking if not self.named(each)),
            observables=tuple(each for each in facts.observables if not self.owns(each.value)),
            remedies=tuple(map(self.text, facts.remedies)),
        )

    def objects(self, objects: Sequence[dict[str, Any]], creators: set[str]) -> tuple[dict[str, Any], ...]:
        """The objects with what was its own gone, and itself as somebody."""
        replaced = creators | {
            obj["id"] for obj in objects if obj["type"] == "identity" and self.named(str(obj.get("name", "")))
        }
        gone = {obj["id"] for obj in objects if self._own(obj)}
        while more := {obj["id"] for obj in objects if obj["id"] not in gone and _rests_on(obj, gone)}:
            gone |= more
        kept = [obj for obj in objects if obj["id"] not in gone and obj["id"] not in replaced]
        made = [self._rewritten(obj, gone, replaced) for obj in kept]
        return (*made, dict(_SOMEBODY)) if replaced else tuple(made)

    def _own(self, obj: dict[str, Any]) -> bool:
        values = [obj[name] for name in _VALUES if isinstance(obj.get(name), str)]
        return any(self.owns(value) or self._within(value) for value in values)

    def _within(self, pattern: str) -> bool:
        """Does a pattern compare with a value of its own?"""
        return any(self.owns(value) for value in re.findall(r"'((?:[^'\\]|\\.)*)'", pattern))

    def _rewritten(self, value: Any, gone: set[str], replaced: set[str], name: str = "") -> Any:
        if isinstance(value, str):
            if name in _NAMES:
                return value
            return _SOMEBODY["id"] if value in replaced else self.text(value)
        if isinstance(value, list):
            made = [self._rewritten(each, gone, replaced, name) for each in value if not (_id(each) and each in gone)]
            return list(dict.fromkeys(made)) if name.endswith("_refs") else made
        if isinstance(value, dict):
            return {
                key: self._rewritten(each, gone, replaced, key)
                for key, each in value.items()
                if not (_id(each) and each in gone)
            }
        return value


def _id(value: Any) -> bool:
    return isinstance(value, str) and "--" in value


def _rests_on(obj: dict[str, Any], gone: set[str]) -> bool:
    """Is it about nothing else than what goes?"""
    if any(obj.get(name) in gone for name in _NEEDED):
        return True
    refs = obj.get("object_refs")
    return isinstance(refs, list) and bool(refs) and gone.issuperset(refs)
