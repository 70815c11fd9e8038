"""The mandatory tests of a CSAF document's version and revision history: CSAF 2.0 6.1.14, 6.1.16 to 6.1.22, 6.1.30.

Each gives the places where it fails. A history of which a date or number cannot be read is not put in order.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from normalize.lenient import Json, Parts, moment

_TRACKING = "/document/tracking"
_HISTORY = f"{_TRACKING}/revision_history"
_VERSION = re.compile(
    r"(?P<integer>0|[1-9]\d{0,8})|"
    r"(?P<major>0|[1-9]\d{0,8})\.(?P<minor>0|[1-9]\d{0,8})\.(?P<patch>0|[1-9]\d{0,8})"
    r"(?:-(?P<pre>[0-9A-Za-z.-]{1,80}))?(?:\+[0-9A-Za-z.-]{1,80})?"
)
"""CSAF 2.0 3.1.11: integer or semantic versioning. What is built (`+`) plays no part in order."""
_RELEASED = ("final", "interim")


class Version(NamedTuple):
    """One that can be ordered: `2`, `1.4.0`; a pre-release comes before its release (Semantic Versioning 2.0.0, 11)."""

    numbers: tuple[int, ...]
    released: bool
    pre: tuple[tuple[bool, int, str], ...]

    @property
    def is_initial(self) -> bool:
        """0 or 0.y.z: nothing that was published."""
        return self.numbers[0] == 0

    @property
    def scheme(self) -> int:
        """How many numbers it has: integer or semantic versioning."""
        return len(self.numbers)


class Revisions(NamedTuple):
    """The version of a document, its status, and its history in order of date and number."""

    version: Version | None
    status: str
    items: tuple[tuple[datetime, Version, str], ...]
    """Of which the number can be read, with their places."""
    whole: bool
    """All of the history can be read."""


def read(tracking: Json) -> Revisions:
    """What can be read of it."""
    parts, items = Parts(), []
    listed = list(parts.objects(tracking, "revision_history", _TRACKING))
    for item, path in listed:
        when, number = moment(item.get("date")), version(parts.text(item, "number"))
        if when and number:
            items.append((when, number, path))
    items.sort()
    return Revisions(
        version(parts.text(tracking, "version")),
        parts.text(tracking, "status"),
        tuple(items),
        len(items) == len(listed),
    )


def version(text: str) -> Version | None:
    """None: it is of neither scheme."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    if found["integer"]:
        return Version((int(found["integer"]),), True, ())
    pre = (found["pre"] or "").split(".") if found["pre"] else ()
    keys = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pre)
    return Version(tuple(int(found[name]) for name in ("major", "minor", "patch")), not pre, keys)


def unsorted(revisions: Revisions) -> Iterator[str]:
    """6.1.14: numbers ascend with dates."""
    numbers = [number for _, number, _ in revisions.items]
    if revisions.whole and numbers != sorted(numbers):
        yield _HISTORY


def not_latest(revisions: Revisions) -> Iterator[str]:
    """6.1.16: the version is that of the last item; of a draft, pre-releases aside."""
    if revisions.version is None or not revisions.items or not revisions.whole:
        return
    last = revisions.items[-1][1]
    same = revisions.version == last or (revisions.status == "draft" and revisions.version.numbers == last.numbers)
    if not same:
        yield f"{_TRACKING}/version"


def released_as_draft(revisions: Revisions) -> Iterator[str]:
    """6.1.17: 0, 0.y.z and pre-releases are drafts."""
    mine = revisions.version
    if mine and (mine.is_initial or not mine.released) and revisions.status != "draft":
        yield f"{_TRACKING}/status"


def initial_in_history(revisions: Revisions) -> Iterator[str]:
    """6.1.18: of what is released, no item is 0 or 0.y.z."""
    if revisions.status in _RELEASED:
        yield from (path for _, number, path in revisions.items if number.is_initial)


def pre_release_in_history(revisions: Revisions) -> Iterator[str]:
    """6.1.19."""
    yield from (path for _, number, path in revisions.items if not number.released)


def released_as_pre_release(revisions: Revisions) -> Iterator[str]:
    """6.1.20."""
    if revisions.version and not revisions.version.released and revisions.status in _RELEASED:
        yield f"{_TRACKING}/version"


def missing_item(revisions: Revisions) -> Iterator[str]:
    """6.1.21: no (major) number is left out, and the first is 0 or 1."""
    majors = sorted({number.numbers[0] for _, number, _ in revisions.items})
    if revisions.whole and majors and (majors[0] > 1 or majors[-1] - majors[0] != len(majors) - 1):
        yield _HISTORY


def twice_in_history(revisions: Revisions) -> Iterator[str]:
    """6.1.22."""
    seen: set[Version] = set()
    for _, number, path in revisions.items:
        if number in seen:
            yield path
        seen.add(number)


def mixed(revisions: Revisions) -> Iterator[str]:
    """6.1.30: one scheme of versions, not two."""
    every = [number for _, number, _ in revisions.items] + ([revisions.version] if revisions.version else [])
    if len({number.scheme for number in every}) > 1:
        yield _TRACKING
