"""The mandatory tests of CVSS in CSAF 2.0: 6.1.7 to 6.1.10, and the scores that count."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from normalize import cvss
from normalize.lenient import Json, Parts

_VERSIONS = {"cvss_v2": ("2.0",), "cvss_v3": ("3.0", "3.1")}
_WORDS = {"NOT_DEFINED": ("X", "ND"), "UNCONFIRMED": ("UC",), "UNCORROBORATED": ("UR",)}
"""Values that a vector does not abbreviate by their initials."""
_IMPACTS = {"C": "confidentialityImpact", "I": "integrityImpact", "A": "availabilityImpact"}
_NEEDS = {"CR": "confidentialityRequirement", "IR": "integrityRequirement", "AR": "availabilityRequirement"}
_LATER = {"RL": "remediationLevel", "RC": "reportConfidence", **_IMPACTS, **_NEEDS}
_BASE3 = {
    "AV": "attackVector", "AC": "attackComplexity", "PR": "privilegesRequired", "UI": "userInteraction", "S": "scope",
    **_IMPACTS,
}  # fmt: skip
_NAMES = {
    "cvss_v2": {
        "AV": "accessVector", "AC": "accessComplexity", "Au": "authentication", "E": "exploitability",
        "CDP": "collateralDamagePotential", "TD": "targetDistribution", **_LATER,
    },
    "cvss_v3": {
        **_BASE3, "E": "exploitCodeMaturity", **_LATER,
        **{f"M{metric}": f"modified{name[0].upper()}{name[1:]}" for metric, name in _BASE3.items()},
    },
}  # fmt: skip
"""Metric of a vector -> the property that says the same (the JSON schemas of FIRST)."""


class Scored(NamedTuple):
    """A CVSS 2 or 3 as it is stated."""

    key: str
    """`cvss_v2` or `cvss_v3`."""
    content: Json
    path: str
    vector: cvss.Vector | None
    products: frozenset[str]
    """The ids of those it is of."""
    vulnerability: str
    """The path of what it is a score of."""


def is_text(value: Any) -> TypeGuard[str]:
    """Of a list of ids, what can be one."""
    return type(value) is str


def scored(vulnerabilities: list[tuple[Json, str]]) -> list[Scored]:
    """Every CVSS 2 and 3 of a document."""
    parts = Parts()
    found = []
    for vulnerability, path in vulnerabilities:
        for score, where in parts.objects(vulnerability, "scores", path):
            for key in _VERSIONS:
                if isinstance(content := score.get(key), dict):
                    listed = score.get("products")
                    of = frozenset(filter(is_text, listed)) if isinstance(listed, list) else frozenset[str]()
                    found.append(Scored(key, content, f"{where}/{key}", vector(content), of, path))
    return found


def vector(content: Json) -> cvss.Vector | None:
    """What its vector says; None: there is none that can be read."""
    text = content.get("vectorString")
    return cvss.read(text) if isinstance(text, str) else None


def number(value: Any) -> float | None:
    """A score, or None."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 10 else None


def several(scores: list[Scored]) -> Iterator[str]:
    """6.1.7: a product of a vulnerability has one score by each version of CVSS."""
    seen: dict[tuple[str, str], set[str]] = {}
    for score in scores:
        before = seen.setdefault((score.vulnerability, str(score.content.get("version"))), set())
        if not before.isdisjoint(score.products):
            yield score.path
        before |= score.products


def malformed(scores: list[Scored]) -> Iterator[str]:
    """6.1.8: what the schema asks of it is there, and its vector is one."""
    for key, content, path, read, *_ in scores:
        severity = key == "cvss_v2" or isinstance(content.get("baseSeverity"), str)
        sound = content.get("version") in _VERSIONS[key] and severity and number(content.get("baseScore")) is not None
        if not sound or read is None or read.version != content["version"]:
            yield path


def miscounted(scores: list[Scored]) -> Iterator[str]:
    """6.1.9: scores, and their words, are those of the vector."""
    for key, content, path, read, *_ in scores:
        if read is None:
            continue
        for name, right in (("base", read.base), ("temporal", read.temporal), ("environmental", read.environmental)):
            stated, word = number(content.get(f"{name}Score")), content.get(f"{name}Severity")
            if right is None:
                continue
            if stated is not None and abs(stated - right) > 0.01:
                yield f"{path}/{name}Score"
            elif key == "cvss_v3" and isinstance(word, str) and word.upper() != cvss.severity(right):
                yield f"{path}/{name}Severity"


def contradicting(scores: list[Scored]) -> Iterator[str]:
    """6.1.10: properties say what the vector says."""
    for key, content, path, read, *_ in scores:
        if read is None:
            continue
        for metric, name in _NAMES[key].items():
            word = content.get(name)
            if not isinstance(word, str):
                continue
            allowed = _WORDS.get(word, (word[:1], "".join(part[:1] for part in word.split("_"))))
            if read.metrics.get(metric, "X" if key == "cvss_v3" else "ND") not in allowed:
                yield f"{path}/{name}"
