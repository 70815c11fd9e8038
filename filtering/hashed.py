"""Texts -> subscriber numbers, in twelve bytes each: by a 64-bit hash of the text.

Two texts may share a hash, so whoever asks holds each number it gets against the text itself.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import blake2b


class Hashed:
    """What does not change until it is packed anew: two arrays, sorted by hash."""

    __slots__ = ("hashes", "numbers")

    def __init__(self, hashes: "array[int] | None" = None, numbers: "array[int] | None" = None) -> None:
        hashes = array("Q") if hashes is None else hashes
        numbers = array("I") if numbers is None else numbers
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self.hashes = array("Q", map(hashes.__getitem__, order))
        self.numbers = array("I", map(numbers.__getitem__, order))

    def find(self, text: str) -> Iterator[int]:
        """Numbers that may stand under a text."""
        wanted = hash_of(text)
        at = bisect_left(self.hashes, wanted)
        while at < len(self.hashes) and self.hashes[at] == wanted:
            yield self.numbers[at]
            at += 1


def hash_of(text: str) -> int:
    """The same in every process, and not to be chosen by whoever writes a profile so that many meet."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
