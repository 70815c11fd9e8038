"""Version numbers: an order where it is certain, and no answer where it is not.

Versions of a known scheme are ordered by it (normalize/schemes.py). Other vendors number in their own ways. What most
of them share is compared: dotted numbers, then suffixes of a known meaning (hotfix, service pack, build, release
candidate). Two versions that differ in the dotted numbers are ordered by them; if only the suffixes differ, by the
first that does, which must be of one kind. Anything else is None: *possibly*.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from normalize import Range, schemes

_NUMBERS = re.compile(r"(?:v|r|ns)?(\d+(?:\.\d+)*)(.*)", re.DOTALL)
_LEAD = re.compile(r"^(?:version|versie|release|firmware|build|v\.)[\s:_]*(?=v?\d)", re.IGNORECASE)
_DATE = re.compile(r"((?:19|20)\d\d)(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])")
_CISCO = re.compile(r"(\d+\.\d+)\((\d+(?:\.\d+)*)([a-z])?\)(?:\.?(\d+(?:\.\d+)*)|(.*))", re.DOTALL)
"""Train, release, rebuild: `15.2(7)E3`, `9.16(4)55`, `7.1(3b)su1`."""
_TRAIN = re.compile(r"([a-z]{1,3})(\d*)([a-z]?)")
_SEGMENT = re.compile(
    r"[\s.,_+-]*(?P<tag>[a-z]++(?:[ _-]++[a-z]++)*+)?[\s._-]*"
    r"(?P<numbers>\d++(?:[.-]\d++)*+)?(?P<letter>[a-z](?![a-z\d]))?"
)
_JUNOS = re.compile(r"r(\d+)(?:-?s(\d+))?(?:[.-](\d+))?(-evo)?")
_HALF = re.compile(r"\d\dh[12]")
"""Windows 10 22H2, which is build 19045: a name of its own."""
_PACKAGE = re.compile(r"-(\d+(?:\.\d+)*)[.+](el|fc|amzn|deb)(\d+)(?:[._u](\d+(?:[._]\d+)*))?")
"""What a distribution appends: `-1.el8_10.1`, `-4+deb12u1`. Its own release orders only what is built for it."""
_RANK = {
    **dict.fromkeys(("alpha", "beta", "dev", "rc", "pre", "preview", "snapshot", "m", "cr", "ea"), -1),
    **dict.fromkeys(
        (
            "if",
            "fp",
            "sp",
            "h",
            "hf",
            "hotfix",
            "p",
            "patch",
            "post",
            "update",
            "cu",
            "su",
            "es",
            "sr",
            "rev",
            "r",
            "mr",
        ),
        1,
    ),
    "letter": 1,
}
"""Does a release with this suffix come before (-1) or after (1) the release without any?"""
_KNOWN = frozenset({*_RANK, "", "build", "package", "train"})
_SAME = {
    "releasecandidate": "rc",
    "interimfix": "if",
    "fixpack": "fp",
    "featurepack": "fp",
    "servicepack": "sp",
    "servicerelease": "sr",
    "serviceupdate": "su",
    "securityupdate": "su",
    "cumulativeupdate": "cu",
    "upd": "update",
    "u": "update",
}
_RELEASED = frozenset({"final", "release", "ga", "base"})
"""Says of a release that it is one: 4.1.108.Final is 4.1.108."""
_LONGEST = 200
_Segment = tuple[str, tuple[int, ...]]
"""A suffix: its kind and its numbers."""
_NOTHING: _Segment = ("", ())


class _Key(NamedTuple):
    """A version taken apart. `train` keeps parallel release trains (Cisco's, a distribution's) from being compared."""

    numbers: tuple[int, ...]
    suffix: tuple[_Segment, ...]
    train: str
    stated: tuple[int, ...]
    """The numbers with the noughts at their end: 14.0 is 14, but 14.5 is no part of it."""


def compare(one: str, other: str, scheme: str = "") -> int | None:
    """-1, 0 or 1; None when the order of the two is not certain. `scheme`: see `schemes`.

    What a scheme does not read is compared as vendors number: publishers call much semver that is not. Not so for
    packages of distributions: those have an order in their own scheme alone.
    """
    if scheme:
        order = schemes.compare(scheme, one, other)
        own = scheme in schemes.PACKAGED or (schemes.known(scheme, one) and schemes.known(scheme, other))
        if order is not None or own:
            return order
    a, b = key(one), key(other)
    if a is None or b is None:
        return 0 if _plain(one) == _plain(other) != "" else None
    if a.train != b.train or _within(a, b) or _within(b, a):
        return None
    if a.numbers != b.numbers:
        if _by_year(a) != _by_year(b):
            return None  # Exchange Server "2019" is 15.2: two ways of numbering one product
        return -1 if a.numbers < b.numbers else 1
    return _compare_suffixes(a, b)


def within(version: str, accepted: Range, scheme: str = "") -> bool | None:
    """Does the version lie in the range? None: it cannot be told, which counts as *possibly*.

    `scheme`: of a range that states none, as the package's type (purl) has it.
    """
    unsure = False
    for bound, limit in accepted.constraints:
        if bound in ("on", "off"):
            unsure = True  # a version does not tell where it runs
            continue
        order = compare(version, limit, accepted.scheme or scheme)
        if order is None:
            unsure = True
        elif not _HOLDS[bound](order):
            return False
    return None if unsure else True


@lru_cache(maxsize=1024)
def asker(accepted: Range, scheme: str = "") -> Callable[[str], bool | None]:
    """`within` for one range, which remembers: the same few versions are asked for again and again."""
    return lru_cache(maxsize=4096)(lambda version: within(version, accepted, scheme))


def readable(version: str, scheme: str = "") -> bool:
    """Has it an order?"""
    if scheme and schemes.known(scheme, version):
        return True
    return scheme not in schemes.PACKAGED and key(version) is not None


@lru_cache(maxsize=65536)
def key(version: str) -> _Key | None:
    """What the version is ordered by, of no known scheme; None: it cannot be read."""
    text = _plain(version).removeprefix("0:")  # no epoch (rpm, deb)
    if not text or len(text) > _LONGEST:
        return None
    if date := _DATE.fullmatch(text):
        return _key((date[1], date[3], date[4]), ())
    if cisco := _CISCO.fullmatch(text):
        return _cisco(cisco)
    found = _NUMBERS.fullmatch(text)
    if not found:
        return None
    numbers, rest = found[1].split("."), found[2]
    if _HALF.fullmatch(text):
        return _key(numbers, (("h", _ints(rest[1:])),), "half")
    if packaged := _PACKAGE.fullmatch(rest):
        release = (*_ints(packaged[1]), -1, *_ints(packaged[4] or ""))
        return _key(numbers, (("package", release),), packaged[2] + packaged[3])
    if junos := _JUNOS.fullmatch(rest):
        return _key(numbers, (("r", tuple(int(part or 0) for part in junos.groups()[:3])),), junos[4] or "")
    suffix = _segments(rest)
    return None if suffix is None else _key(numbers, suffix)


def _key(numbers: tuple[str, ...] | list[str], suffix: tuple[_Segment, ...], train: str = "") -> _Key:
    stated = tuple(map(int, numbers))
    parts = list(stated)
    while parts and not parts[-1]:
        parts.pop()  # 7.2 is 7.2.0
    return _Key(tuple(parts), suffix, train, stated)


def _cisco(found: re.Match[str]) -> _Key | None:
    """`15.2(7)E3` belongs to train E; `9.16(4)55` is a build, and `12.5(1)su8` a service update."""
    numbers = [*found[1].split("."), *found[2].split("."), *(found[4].split(".") if found[4] else ())]
    letter: tuple[_Segment, ...] = (("letter", (ord(found[3]),)),) if found[3] else ()
    train = _TRAIN.fullmatch(found[5] or "")
    if train and train[1] not in ("su", "es", "sr"):
        rebuild = (int(train[2] or 0), ord(train[3]) if train[3] else 0)
        return _key(numbers, (*letter, ("train", rebuild)), train[1])
    suffix = _segments(found[5] or "")
    return None if suffix is None else _key(numbers, (*letter, *suffix))


def _plain(version: str) -> str:
    return _LEAD.sub("", version.strip()).strip().casefold()


def _segments(rest: str) -> tuple[_Segment, ...] | None:
    """Kinds and numbers of what follows the dotted numbers; None: it cannot be read."""
    if len(rest) == 1 and "a" <= rest <= "z":
        return (("letter", (ord(rest),)),)
    found: list[_Segment] = []
    at = 0
    while at < len(rest):
        part = _SEGMENT.match(rest, at)
        if part is None or part.end() == at or not (part["tag"] or part["numbers"]):
            return None
        tag, numbers = re.sub(r"[ _-]", "", part["tag"] or ""), _ints(part["numbers"] or "")
        tag = _SAME.get(tag, tag)
        if part["letter"]:  # Update 3d comes after Update 3; of what we do not know it may be anything
            if tag not in _RANK:
                return None
            numbers = (*numbers, ord(part["letter"]))
        if tag not in _RELEASED or numbers:
            found.append((tag or "build", numbers))
        at = part.end()
    several = len(found) > 1 and any(tag not in _KNOWN for tag, _ in found)
    return None if several else tuple(found)


def _ints(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[._-]", text)) if text else ()


def _within(a: _Key, b: _Key) -> bool:
    """Is b numbered below the release that a is an update of? 14 SU3 may be older or newer than 14.0.1.13900."""
    updated = bool(a.suffix) and _RANK.get(a.suffix[0][0]) == 1
    return (
        updated and len(b.stated) > len(a.stated) and b.stated[: len(a.stated)] == a.stated and a.numbers != b.numbers
    )


def _compare_suffixes(a: _Key, b: _Key) -> int | None:
    for one, other in zip_longest(a.suffix, b.suffix, fillvalue=_NOTHING):
        if one != other:
            return _compare_segment(one, other)
    return 0


def _compare_segment(a: _Segment, b: _Segment) -> int | None:
    if a[0] == b[0]:
        if a[0] not in _KNOWN and not (a[1] and b[1]):
            return None  # 11.a and 11.a2: who knows
        return (a[1] > b[1]) - (a[1] < b[1])
    ranks = [_RANK.get(tag, 0) for tag, _ in (a, b)]
    if a[0] and b[0]:
        return (ranks[0] > ranks[1]) - (ranks[0] < ranks[1]) if sorted(ranks) == [-1, 1] else None
    return (ranks[0] - ranks[1]) or None


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
