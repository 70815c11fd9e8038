"""Key -> subscriber numbers, compact: one number stays an int, more become a compressed bitmap."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from pyroaring import BitMap

K = TypeVar("K", bound=Hashable)


def either(one: BitMap, other: BitMap) -> BitMap:
    """Those in one of the two; shared with it where the other is empty: not to be changed."""
    return (one | other) if one and other else (one or other)


class Postings(Generic[K]):
    """Most prefixes, domains and product versions have one holder; an int is 20 times smaller than a bitmap."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[K, int | BitMap] = {}

    def add(self, key: K, number: int) -> None:
        """Twice is once."""
        found = self.held.get(key)
        if found is None:
            self.held[key] = number
        elif isinstance(found, int):
            if found != number:
                self.held[key] = BitMap((found, number))
        else:
            found.add(number)

    def extend(self, key: K, numbers: BitMap) -> None:
        """Many at once."""
        if len(numbers) == 1:
            self.add(key, numbers[0])
        elif numbers:
            found = self.held.get(key)
            if found is None:
                self.held[key] = BitMap(numbers)
            elif isinstance(found, int):
                self.held[key] = numbers | BitMap((found,))
            else:
                found |= numbers

    def discard(self, key: K, number: int) -> None:
        """What is not there stays away. An empty key goes."""
        found = self.held.get(key)
        if found is None:
            return
        if isinstance(found, int):
            if found == number:
                del self.held[key]
            return
        found.discard(number)
        if not found:
            del self.held[key]

    def get(self, key: K) -> BitMap:
        """The numbers under one key; a copy, or shared: not to be changed."""
        found = self.held.get(key)
        if found is None:
            return BitMap()
        return BitMap((found,)) if isinstance(found, int) else found

    def union(self, keys: Iterable[K]) -> BitMap:
        """The numbers under any of these keys, as a bitmap of its own."""
        found = [held for key in keys if (held := self.held.get(key)) is not None]
        single = BitMap([held for held in found if isinstance(held, int)])
        return single.union(*(held for held in found if not isinstance(held, int)))

    def within(self, bits: BitMap, keys: Iterable[K]) -> BitMap:
        """Those of some numbers that stand under any of these keys: of few numbers it looks at no others."""
        return BitMap().union(*(self.get(key) & bits for key in keys))

    def __iter__(self) -> Iterator[K]:
        return iter(self.held)

    def __contains__(self, key: object) -> bool:
        return key in self.held

    def __len__(self) -> int:
        return len(self.held)
