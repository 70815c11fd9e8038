"""Reading ahead: in which of many short texts no recogniser can find anything, at a fraction of reading each.

Most texts of a feed differ in their digits alone (`C2 1042`, `host-7.example`): those of one shape, where all digits
are alike, are looked at once. Many shapes, parted by a sign that no value runs across, are looked at together; a
heap in which there is a sign of anything is halved. What is not quiet may still hold nothing: it is read by itself.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from pii_guard.detect import read_by, scan
from pii_guard.detect_homes import homes
from pii_guard.hidden import suspected
from pii_guard.signs import Recogniser, due
from pii_guard.span import Span, numbered

_LONGEST = 200
_TOGETHER = 32
_PART = "\0"
_SHAPED = str.maketrans("23456789", "11111111")
_NO_PHONE = re.compile(r"0(?![0-9+(\s).\-/?]{7})")
"""A nought that no telephone number begins with: a digit like any other."""
_AS_LETTERS = str.maketrans("01", "55")
"""A 5 may be a digit of a letter's code (`pii_guard.hidden`), others not."""
_NUMBERED = (*sorted({word.lower() for word in numbered()}), "ip6", "ipv6-")
_CODES = re.compile("=(?:40|2[DEFB]|5[CF]|3[AD]|C[23]|E2)").search
"""Words with digits that are a sign by themselves (`pii_guard.signs`), and such codes (`pii_guard.hidden`)."""
_BEHIND = re.compile(r"[^\0][A-Z]").search
"""A capital that is not the first letter of its text. Without one no name is known as such: nothing that says so stands
before it, and no second word of it behind. Nor is there an address, but for a street in one word with its number."""
_BY_CAPITALS = frozenset({"persons", "homes"})


def quiet(texts: Iterable[str]) -> set[str]:
    """Texts in which nothing would be found (`pii_guard.detect.scan`); of the others nothing is known."""
    heap = [
        text for text in texts if len(text) <= _LONGEST and "@" not in text and text.isascii() and _PART not in text
    ]
    whole = _PART.join(heap)
    if _numbered(whole):
        heap = [text for text in heap if not _numbered(text)]
        whole = _PART.join(heap)
    if not heap:
        return set()
    shapes = _shaped(whole).split(_PART)
    distinct = set(shapes)
    silent = _silent(sorted(distinct))
    if len(silent) == len(distinct):
        return set(heap)
    return {text for text, shape in zip(heap, shapes, strict=True) if shape in silent}


def read(texts: Iterable[str]) -> Iterator[tuple[str, list[Span]]]:
    """What is found in each (`scan`); signs of it are looked for once in all texts of one shape."""
    known: dict[str, list[Recogniser] | None] = {}
    for text in texts:
        if len(text) > _LONGEST or not text.isascii() or _numbered(text):
            yield text, scan(text)
            continue
        shape = _shaped(text)
        if shape not in known:
            known[shape] = None if suspected(shape.translate(_AS_LETTERS)) else due(shape)
        recognisers = known[shape]
        yield text, scan(text) if recognisers is None else read_by(recognisers, text)


def _numbered(text: str) -> bool:
    """Do single digits matter in it?"""
    lower = text.lower()
    return any(map(lower.__contains__, _NUMBERED)) or ("=" in text and _CODES(text) is not None)


def _shaped(text: str) -> str:
    return _NO_PHONE.sub("1", text.translate(_SHAPED))


def _silent(shapes: Collection[str]) -> set[str]:
    found: set[str] = set()
    listed = list(shapes)
    heaps = [listed[at : at + _TOGETHER] for at in range(0, len(listed), _TOGETHER)]
    while heaps:
        some = heaps.pop()
        if _is_silent(_PART.join(some)):
            found.update(some)
        elif len(some) > 1:
            half = len(some) // 2
            heaps += [some[:half], some[half:]]
    return found


def _is_silent(whole: str) -> bool:
    if suspected(whole.translate(_AS_LETTERS)):
        return False
    names = {recogniser.__name__ for recogniser in due(whole)}
    if not names:
        return True
    return names <= _BY_CAPITALS and not _BEHIND(whole) and not any(True for _ in homes(whole))
