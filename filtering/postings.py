"""Key -> subscriber numbers, compact: one number stays an int, more become a compressed bitmap."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from pyroaring import BitMap

K = TypeVar("K", bound=Hashable)


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
        total = BitMap()
        for key in keys:
            found = self.held.get(key)
            if isinstance(found, int):
                total.add(found)
            elif found is not None:
                total |= found
        return total

    def __iter__(self) -> Iterator[K]:
        return iter(self.held)

    def __contains__(self, key: object) -> bool:
        return key in self.held

    def __len__(self) -> int:
        return len(self.held)
