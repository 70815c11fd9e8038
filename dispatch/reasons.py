"""Why a reader gets a message: what of its own matched, and how sure that is, each thing once."""

import re
from collections.abc import Iterable
from functools import lru_cache

from dispatch import View, wording
from dispatch.wording import capped, plain, words
from filtering import Confidence, Reason
from triage.catalogue import Register

_SURE: tuple[Confidence, ...] = ("exact", "likely", "possible")
_CLIENTS = re.compile(r"clients: (\d+)/(\d+)")
_TWICE = re.compile(r"^(.+?) \1(?= |$)")
_TIMES = re.compile(r"(\S+) \((\d+)\)(.*)")


def why(reasons: Iterable[Reason], register: Register, language: str, *, counted: bool = True) -> list[str]:
    """A line for each piece of software, as sure as the surest, and one for each other criterion. Ranges only for who
    reads those; `counted`: with how many rows lie where."""
    found: dict[tuple[str, str], tuple[Confidence, dict[str, None]]] = {}
    for reason in sorted(reasons, key=lambda each: _SURE.index(each.confidence)):
        if reason.criterion in ("software", "network", "domain", "sector"):
            line, parts = _parts(reason, register, language, counted=counted)
            sure, said = found.setdefault((reason.criterion, line), (reason.confidence, {}))
            if sure == reason.confidence:
                said |= dict.fromkeys(parts)
    texts, lines = words(language)["why"], []
    for (criterion, line), (sure, said) in found.items():
        limits = f" in {'; '.join(said)}" if said else ""
        lines.append(f"{line}{limits if criterion == 'software' else ', '.join(said)} ({texts[sure]})")
    return lines


def _parts(reason: Reason, register: Register, language: str, *, counted: bool) -> tuple[str, list[str]]:
    """What a line begins with, and what it lists."""
    texts, value = words(language)["why"], plain(reason.value)
    if clients := _CLIENTS.fullmatch(value):
        return texts["clients"].format(count=clients[1], total=clients[2], what=texts[f"of_{reason.criterion}"]), []
    line = texts[reason.criterion]
    if reason.criterion == "software":
        named, _, limits = value.partition(" in ")
        ranged = register == "mature" and limits and not named.casefold().endswith(f" {limits.casefold()}")
        # A maker that is called as its product stands there once.
        return line.format(value=_TWICE.sub(r"\1", named)), [wording.limits(limits, language)] if ranged else []
    places = value.split(", ")
    if reason.criterion == "sector":
        return line.format(value=""), [wording.sector(code, language) for code in places]
    said = texts["times"] if counted and places != [f"{places[0].partition(' ')[0]} (1)"] else "{place}"
    times = [
        _TIMES.sub(lambda found: said.format(place=found[1], count=found[2]) + found[3], place) for place in places
    ]
    return line.format(value=""), times


@lru_cache(maxsize=4096)
def _why(reasons: tuple[Reason, ...], register: Register, language: str) -> list[str]:
    return why(reasons, register, language)


def told(view: View, register: Register, language: str) -> tuple[str, tuple[str, ...]]:
    """Why its reader gets it: in general, and what of the reader's matched."""
    reasons = _why(view.reasons, register, language)
    concerned = reasons or any(row.own for row in view.observables)
    return words(language)["why"]["concerned" if concerned else "general"], capped(reasons, 10, language).lines
