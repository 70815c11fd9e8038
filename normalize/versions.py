"""Version numbers: an order where it is certain, and no answer where it is not.

Vendors number in their own ways. What most of them share is compared: dotted numbers, then one suffix of a known
meaning (hotfix, service pack, build, release candidate). Two versions that differ in the dotted numbers are ordered by
them; if only the suffixes differ they must be of one kind. Anything else is None: *possibly*.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from normalize import Range

_NUMBERS = re.compile(r"(?:v|r|ns)?(\d+(?:\.\d+)*)(.*)", re.DOTALL)
_LEAD = re.compile(r"^(?:version|versie|release|firmware|build|v\.)[\s:_]*(?=v?\d)", re.IGNORECASE)
_CISCO = re.compile(r"^(\d+\.\d+)\((\d+(?:\.\d+)*)\)(.*)$", re.DOTALL)
_TAG = re.compile(r"^[\s._+-]*([a-z][a-z \-]*?)?[\s._-]*(?:(\d+(?:[.-]\d+)*)([a-z])?)?$")
_JUNOS = re.compile(r"^r(\d+)(?:-?s(\d+))?(?:[.-](\d+))?$")
_LETTER = re.compile(r"^[a-z]$")
_PACKAGE = re.compile(r"^-(\d+(?:\.\d+)*)[.+](el|fc|amzn|deb)(\d+)(?:[._u](\d+(?:[._]\d+)*))?$")
"""What a distribution appends: `-1.el8_10.1`, `-4+deb12u1`. Its own release orders only what is built for it."""
_RANK = {
    **dict.fromkeys(("alpha", "beta", "dev", "rc", "pre", "preview", "snapshot", "m", "cr", "ea"), -1),
    **dict.fromkeys(
        ("if", "fp", "sp", "h", "hf", "hotfix", "p", "patch", "post", "update", "cu", "rev", "r", "mr", "letter"), 1
    ),
}
"""Does a release with this suffix come before (-1) or after (1) the release without any?"""
_KNOWN = frozenset({*_RANK, "", "build", "package"})
_SAME = {
    "releasecandidate": "rc",
    "interimfix": "if",
    "fixpack": "fp",
    "featurepack": "fp",
    "servicepack": "sp",
    "upd": "update",
    "u": "update",
}
_RELEASED = frozenset({"final", "release", "ga"})
"""Says of a release that it is one: 4.1.108.Final is 4.1.108."""
_LONGEST = 200


class _Key(NamedTuple):
    """A version taken apart. `train` keeps parallel release trains (Cisco's, a distribution's) from being compared."""

    numbers: tuple[int, ...]
    tag: str
    suffix: tuple[int, ...]
    train: str


def compare(one: str, other: str) -> int | None:
    """-1, 0 or 1; None when the order of the two is not certain."""
    a, b = key(one), key(other)
    if a is None or b is None:
        return 0 if _plain(one) == _plain(other) != "" else None
    if a.train != b.train:
        return None
    if a.numbers != b.numbers:
        if _by_year(a) != _by_year(b):
            return None  # Exchange Server "2019" is 15.2: two ways of numbering one product
        return -1 if a.numbers < b.numbers else 1
    return _compare_suffix(a, b)


def within(version: str, accepted: Range) -> bool | None:
    """Does the version lie in the range? None: it cannot be told, which counts as *possibly*."""
    unsure = False
    for bound, limit in accepted.constraints:
        order = compare(version, limit)
        if order is None:
            unsure = True
        elif not _HOLDS[bound](order):
            return False
    return None if unsure else True


@lru_cache(maxsize=65536)
def key(version: str) -> _Key | None:
    """What the version is ordered by; None: it cannot be read."""
    text = _plain(version).removeprefix("0:")  # no epoch (rpm, deb)
    if not text or len(text) > _LONGEST:
        return None
    cisco = _CISCO.match(text)
    if cisco:
        numbers, rest = f"{cisco[1]}.{cisco[2]}", cisco[3]
        train = re.sub(r"[^a-z]", "", rest)
    else:
        found = _NUMBERS.fullmatch(text)
        if not found:
            return None
        numbers, rest, train = found[1], found[2], ""
    packaged = _PACKAGE.match(rest)
    if packaged:
        suffix: tuple[str, tuple[int, ...]] | None = "package", (*_ints(packaged[1]), -1, *_ints(packaged[4] or ""))
        train = packaged[2] + packaged[3]
    else:
        suffix = _suffix(rest)
    if suffix is None:
        return None
    parts = [int(part) for part in numbers.split(".")]
    while parts and not parts[-1]:
        parts.pop()  # 7.2 is 7.2.0
    return _Key(tuple(parts), *suffix, train)


def _plain(version: str) -> str:
    return _LEAD.sub("", version.strip()).strip().casefold()


def _suffix(rest: str) -> tuple[str, tuple[int, ...]] | None:
    """Kind and numbers of what follows the dotted numbers; None: it cannot be read."""
    if _LETTER.fullmatch(rest):
        return "letter", (ord(rest),)
    junos = _JUNOS.match(rest)
    if junos:
        return "r", tuple(int(part or 0) for part in junos.groups())
    found = _TAG.fullmatch(rest.replace("_", " "))
    if not found:
        return None
    numbers = _ints(found[2] or "")
    tag = re.sub(r"[ -]", "", found[1] or "")
    tag = _SAME.get(tag, tag)
    if found[3]:  # Update 3d comes after Update 3; of what we do not know it may be anything
        return (tag, (*numbers, ord(found[3]))) if tag in _RANK else None
    if tag in _RELEASED and not numbers:
        tag = ""
    return tag or ("build" if numbers else ""), numbers


def _ints(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[._-]", text)) if text else ()


def _compare_suffix(a: _Key, b: _Key) -> int | None:
    if (a.tag, a.suffix) == (b.tag, b.suffix):
        return 0
    if a.tag == b.tag:
        if a.tag not in _KNOWN and not (a.suffix and b.suffix):
            return None  # 11.a and 11.a2: who knows
        return (a.suffix > b.suffix) - (a.suffix < b.suffix)
    if a.tag and b.tag:
        ranks = [_RANK.get(tag, 0) for tag in (a.tag, b.tag)]
        return (ranks[0] > ranks[1]) - (ranks[0] < ranks[1]) if sorted(ranks) == [-1, 1] else None
    rank = _RANK.get(a.tag, 0) - _RANK.get(b.tag, 0)
    return rank or None


def _by_year(version: _Key) -> bool:
    return 1990 <= next(iter(version.numbers), 0) <= 2100


_HOLDS = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
