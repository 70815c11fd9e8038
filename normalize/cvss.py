"""CVSS 2.0, 3.0 and 3.1: what a vector says, and the scores that follow from it.

Sources: CVSS v2.0 3.2, CVSS v3.0 8 and v3.1 7 and appendix A (FIRST). CVSS 4.0 has no formula but a table of 270
classes; CSAF 2.0 does not know it, and nothing here needs it.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

_Weights = Mapping[str, Mapping[str, float]]

_IMPACT3 = {"N": 0.0, "L": 0.22, "H": 0.56}
_NEED3 = {"X": 1.0, "L": 0.5, "M": 1.0, "H": 1.5}
_BASE3: _Weights = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": _IMPACT3,
    "I": _IMPACT3,
    "A": _IMPACT3,
}
_TEMPORAL3: _Weights = {
    "E": {"X": 1.0, "U": 0.91, "P": 0.94, "F": 0.97, "H": 1.0},
    "RL": {"X": 1.0, "O": 0.95, "T": 0.96, "W": 0.97, "U": 1.0},
    "RC": {"X": 1.0, "U": 0.92, "R": 0.96, "C": 1.0},
}
_ENVIRONMENT3: _Weights = {
    **dict.fromkeys(("CR", "IR", "AR"), _NEED3),
    **{f"M{name}": {"X": -1.0, **weights} for name, weights in _BASE3.items()},
}
_PRIVILEGES_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}

_IMPACT2 = {"N": 0.0, "P": 0.275, "C": 0.66}
_NEED2 = {"ND": 1.0, "L": 0.5, "M": 1.0, "H": 1.51}
_BASE2: _Weights = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": _IMPACT2,
    "I": _IMPACT2,
    "A": _IMPACT2,
}
_TEMPORAL2: _Weights = {
    "E": {"ND": 1.0, "U": 0.85, "POC": 0.9, "F": 0.95, "H": 1.0},
    "RL": {"ND": 1.0, "OF": 0.87, "TF": 0.9, "W": 0.95, "U": 1.0},
    "RC": {"ND": 1.0, "UC": 0.9, "UR": 0.95, "C": 1.0},
}
_ENVIRONMENT2: _Weights = {
    "CDP": {"ND": 0.0, "N": 0.0, "L": 0.1, "LM": 0.3, "MH": 0.4, "H": 0.5},
    "TD": {"ND": 1.0, "N": 0.0, "L": 0.25, "M": 0.75, "H": 1.0},
    **dict.fromkeys(("CR", "IR", "AR"), _NEED2),
}


class Vector(NamedTuple):
    """What a vector says. Without temporal metrics that score is the base score; without environmental ones: None."""

    version: str
    metrics: dict[str, str]
    base: float
    temporal: float
    environmental: float | None


@lru_cache(maxsize=4096)
def read(text: str) -> Vector | None:
    """The vector, or None when it is none: a metric that is missing, unknown, or stated twice."""
    head, _, rest = text.partition("/")
    version = head.removeprefix("CVSS:")
    third = version in ("3.0", "3.1")
    if third:
        base, temporal, environment, absent = _BASE3, _TEMPORAL3, _ENVIRONMENT3, "X"
    else:
        version, rest = "2.0", text.strip("()")
        base, temporal, environment, absent = _BASE2, _TEMPORAL2, _ENVIRONMENT2, "ND"
    pairs = [part.partition(":")[::2] for part in rest.split("/")]
    metrics = dict(pairs)
    known = {**base, **temporal, **environment}
    if len(metrics) != len(pairs) or not base.keys() <= metrics.keys():
        return None
    if any(name not in known or value not in known[name] for name, value in pairs):
        return None
    whole = {**dict.fromkeys(known, absent), **metrics}
    weights = {name: known[name][value] for name, value in whole.items()}
    base_score, temporal_score, own_score = _third(weights, whole, version) if third else _second(weights)
    own = any(metrics.get(name, absent) != absent for name in environment)
    return Vector(version, metrics, base_score, temporal_score, own_score if own else None)


def severity(score: float) -> str:
    """CVSS 3.1, 5: the word for a score."""
    bounds = ((0.1, "NONE"), (4.0, "LOW"), (7.0, "MEDIUM"), (9.0, "HIGH"))
    return next((word for bound, word in bounds if score < bound), "CRITICAL")


def _third(weights: Mapping[str, float], metrics: Mapping[str, str], version: str) -> tuple[float, float, float]:
    """Base, temporal and environmental score of CVSS 3.x."""
    changed = metrics["S"] == "C"
    privileges = _PRIVILEGES_CHANGED[metrics["PR"]] if changed else weights["PR"]
    exploit = 8.22 * weights["AV"] * weights["AC"] * privileges * weights["UI"]
    sub = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (sub - 0.029) - 3.25 * (sub - 0.02) ** 15 if changed else 6.42 * sub
    base = _round_up(_whole(impact, exploit, changed=changed))
    later = weights["E"] * weights["RL"] * weights["RC"]

    modified = {name: metrics[f"M{name}"] if metrics[f"M{name}"] != "X" else metrics[name] for name in _BASE3}
    shifted = modified["S"] == "C"
    own = {name: _BASE3[name][value] for name, value in modified.items()}
    if shifted:
        own["PR"] = _PRIVILEGES_CHANGED[modified["PR"]]
    needs = zip(("C", "I", "A"), ("CR", "IR", "AR"), strict=True)
    left = 1.0
    for name, need in needs:
        left *= 1 - weights[need] * own[name]
    sub = min(1 - left, 0.915)
    if not shifted:
        impact = 6.42 * sub
    elif version == "3.1":
        impact = 7.52 * (sub - 0.029) - 3.25 * (sub * 0.9731 - 0.02) ** 13
    else:
        impact = 7.52 * (sub - 0.029) - 3.25 * (sub - 0.02) ** 15
    exploit = 8.22 * own["AV"] * own["AC"] * own["PR"] * own["UI"]
    environmental = _round_up(_round_up(_whole(impact, exploit, changed=shifted)) * later)
    return base, _round_up(base * later), environmental


def _whole(impact: float, exploit: float, *, changed: bool) -> float:
    return min((1.08 if changed else 1.0) * (impact + exploit), 10.0) if impact > 0 else 0.0


def _round_up(score: float) -> float:
    """To one decimal, without what binary fractions add (CVSS 3.1, appendix A)."""
    return ceil(round(score * 100_000) / 10_000) / 10


def _second(weights: Mapping[str, float]) -> tuple[float, float, float]:
    """Base, temporal and environmental score of CVSS 2.0."""
    later = weights["E"] * weights["RL"] * weights["RC"]
    plain = 10.41 * (1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"]))
    left = 1.0
    for name, need in (("C", "CR"), ("I", "IR"), ("A", "AR")):
        left *= 1 - weights[need] * weights[name]
    base, adjusted = (_second_base(impact, weights) for impact in (plain, min(10.0, 10.41 * (1 - left))))
    shifted = _half_up(adjusted * later)
    environmental = _half_up((shifted + (10 - shifted) * weights["CDP"]) * weights["TD"])
    return base, _half_up(base * later), max(environmental, 0.0)


def _second_base(impact: float, weights: Mapping[str, float]) -> float:
    exploit = 20 * weights["AV"] * weights["AC"] * weights["Au"]
    return _half_up((0.6 * impact + 0.4 * exploit - 1.5) * (1.176 if impact else 0.0))


def _half_up(score: float) -> float:
    return floor(round(score * 10, 6) + 0.5) / 10
