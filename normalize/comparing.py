"""Where the sources of one threat disagree: what each says of the same fact, when they do not say the same.

Who says nothing of a fact disagrees with nobody, nor does who names a product and no versions. Wording is compared as a
new version is: by its exact reading where there is one (docs/decisions/011).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from normalize import Affected, Facts, products
from normalize.identity import versions_meant

_STATED = ("exploited", "kans", "schade", "cvss", "exposure")


class Disagreement(Struct, frozen=True):
    """One fact of which the sources say different things."""

    fact: str
    """exploited kans schade cvss exposure withdrawn cves affected."""
    about: str
    """The product, where it is about one."""
    said: dict[str, list[Any]]
    """Per source what it says; several where it says several things."""


def disagreements(said: Sequence[tuple[str, Facts]]) -> list[Disagreement]:
    """What differs between (source, facts) of one threat, fact by fact."""
    found = [_of(fact, "", _plain(said, fact)) for fact in _STATED]
    found.append(_of("withdrawn", "", [(source, facts.withdrawn, [facts.withdrawn]) for source, facts in said]))
    found.append(_of("cves", "", [(source, facts.cves, list(facts.cves)) for source, facts in said if facts.cves]))
    found += [_of("affected", name, rows) for name, rows in _products(said)]
    return [each for each in found if each is not None]


def _plain(said: Sequence[tuple[str, Facts]], fact: str) -> list[tuple[str, Any, list[Any]]]:
    stated = [(source, getattr(facts, fact)) for source, facts in said]
    return [(source, value, [value]) for source, value in stated if value is not None]


def _products(said: Sequence[tuple[str, Facts]]) -> Iterator[tuple[str, list[tuple[str, Any, list[Any]]]]]:
    """For each product that more than one statement says versions of: what each means, and its words."""
    names: dict[tuple[str, str], str] = {}
    for _, facts in said:
        for each in facts.affected:
            names.setdefault(products.name_key(each.vendor, each.product), f"{each.vendor} {each.product}".strip())
    for key, name in sorted(names.items(), key=lambda pair: pair[1].casefold()):
        rows = []
        for source, facts in said:
            mine = [each for each in facts.affected if products.name_key(each.vendor, each.product) == key]
            if exact := [each for each in mine if each.versions or each.ranges]:
                rows.append((source, frozenset(_meant(exact)), [_words(each) for each in exact]))
        if len(rows) > 1:
            yield name, rows


def _meant(entries: Iterable[Affected]) -> Iterator[tuple[str, ...]]:
    return ((each.status, *versions_meant(each)) for each in entries)


def _words(each: Affected) -> str:
    stated = each.versions.replace("vers:unknown/", "") or "versions as CPE or purl state"
    return stated if each.status == "affected" else f"{stated} ({each.status})"


def _of(fact: str, about: str, rows: list[tuple[str, Any, list[Any]]]) -> Disagreement | None:
    """None where all mean the same."""
    if len({meant for _, meant, _ in rows}) < 2:
        return None
    said: dict[str, list[Any]] = {}
    for source, _, words in rows:
        mine = said.setdefault(source, [])
        mine += [word for word in words if word not in mine]
    return Disagreement(fact, about, said)
