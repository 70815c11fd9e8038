"""SBI, NACE, NIS2 and STIX sector codes, and how they map.

SBI 2008 and NACE Rev. 2 are one tree of activities; its leaves are the common measure. Every code of every scheme
stands for a set of leaves, and "a code means everything below it" (contract: Subscribers) is set inclusion, across
schemes: `NIS2:energy` covers `SBI:35.11`. The tables are sectors.toml.
"""

import re
import tomllib
from bisect import bisect_left
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

from normalize import NormalizeError

SCHEMES = ("SBI", "NACE", "NIS2", "STIX")
_TABLE = Path(__file__).with_name("sectors.toml")
_CLASS = re.compile(r"(\d\d)(?:\((\d+)\))?")
_ACTIVITY = re.compile(r"\d\d(?:\.?\d(?:\d(?:\.?\d)?)?)?")
_SPELLINGS = {"defence": "defense", "health-care": "healthcare"}


def parse(code: str) -> str:
    """The canonical form of a code with its scheme: `sbi:2562` -> `SBI:25.62`.

    Raises NormalizeError for an unknown scheme, and for a code that its scheme does not have.
    """
    scheme, colon, rest = code.strip().partition(":")
    scheme, rest = scheme.strip().upper(), rest.strip()
    if not colon or scheme not in SCHEMES:
        raise NormalizeError("a sector code without a scheme: write SBI:, NACE:, NIS2: or STIX: before it")
    canonical = f"{scheme}:{_activity(rest) if scheme in ('SBI', 'NACE') else _word(rest)}"
    if canonical not in _codes():
        raise NormalizeError(f"a sector code that {scheme} does not have")
    return canonical


def covers(broad: str, narrow: str) -> bool:
    """Does everything that `narrow` means lie within `broad`? Takes codes in canonical form.

    A code that no scheme has covers itself alone.
    """
    if broad == narrow:
        return True
    leaves = _codes()
    outer, inner = leaves.get(broad, 0), leaves.get(narrow, 0)
    return bool(inner) and inner & ~outer == 0


def name(code: str) -> str:
    """What the section or division of SBI or NACE that a code lies in is about, in a few English words; empty for codes
    of other schemes, which are words themselves."""
    scheme, _, rest = code.partition(":")
    named: dict[str, str] = _table()["names"]
    return named.get(rest[:2], "") if scheme in ("SBI", "NACE") else ""


def of_words(*texts: str) -> tuple[str, ...]:
    """Codes of the sectors that documents name in words (`Critical Manufacturing, Energy`), galaxies and tags too."""
    named: dict[str, str] = _table()["words"]
    parts = (" ".join(re.findall(r"\w+", part.casefold())) for text in texts for part in re.split(r"[,;\n]", text))
    return tuple(sorted({code for words in parts for code in named.get(words.removeprefix("and "), "").split()}))


def _activity(text: str) -> str:
    """`2562`, `25.62` -> `25.62`; `c` -> `C`. What is neither comes back as it is, and is in no table."""
    if not _ACTIVITY.fullmatch(text):
        return text.upper()
    digits = text.replace(".", "")
    return ".".join(part for part in (digits[:2], digits[2:4], digits[4:]) if part)


def _word(text: str) -> str:
    words = re.sub(r"[\s_]+", "-", text.lower())
    return _SPELLINGS.get(words, words)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


@cache
def _codes() -> dict[str, int]:
    """Every code of the four schemes, each with the leaves it stands for as bits of one integer."""
    table = _table()
    sections: dict[str, list[str]] = {}
    activities: set[str] = set()
    for section, divisions in table["sbi"].items():
        sections[section] = list(divisions)
        for division, classes in divisions.items():
            activities |= {division, *_below(division, classes)}
    only, absent = set(table["nace"]["only"].split()), set(table["nace"]["not"].split())
    groups = {code[:4] for code in only}
    every = activities | only | groups
    order = _leaves({_plain(code) for code in every})
    named = {f"SBI:{code}": code for code in activities}
    named |= {f"NACE:{code}": code for code in every - absent if len(code) <= len("00.00")}
    leaves = {name: _bits(code, order) for name, code in named.items()}
    for section, members in sections.items():
        leaves[f"SBI:{section}"] = leaves[f"NACE:{section}"] = _union(members, order)
    for scheme in ("nis2", "stix"):
        for name, codes in table[scheme].items():
            parts = [part for code in codes.split() for part in sections.get(code, [code])]
            leaves[f"{scheme.upper()}:{name}"] = _union(parts, order)
    return leaves


def _below(division: str, classes: str) -> set[str]:
    """Groups, classes and subclasses of a division, from the notation of sectors.toml."""
    codes: set[str] = set()
    for found in _CLASS.finditer(classes):
        code = f"{division}.{found[1]}"
        codes |= {code[:4], code, *(f"{code}.{digit}" for digit in found[2] or "")}
    return codes


def _plain(code: str) -> str:
    """Digits alone. A class that ends in 0 is its whole group (25.50 is 25.5), so it takes the group's digits."""
    digits = code.replace(".", "")
    return digits[:3] + digits[4:] if digits[3:4] == "0" else digits


def _leaves(plain: set[str]) -> list[str]:
    """Those that no other one lies below, in order: what starts alike lies together."""
    inner = {code[:length] for code in plain for length in range(2, len(code))}
    return sorted(plain - inner)


def _bits(code: str, leaves: list[str]) -> int:
    """One bit for each leaf at or below the code."""
    start = _plain(code)
    low, high = bisect_left(leaves, start), bisect_left(leaves, start + ":")  # ':' sorts after '9'
    return ((1 << (high - low)) - 1) << low


def _union(codes: list[str], leaves: list[str]) -> int:
    return reduce(or_, (_bits(code, leaves) for code in codes), 0)
