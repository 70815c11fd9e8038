"""Keyed hashes of the values that the door decides on: by what a person can be looked up, and nothing else.

A value is brought into one form for its type (`pii_guard.forms`) and hashed with a key of this purpose. No hash is made
of a BSN or a log-in, of a category that is kept for 0 days, nor under a regime that allows no storage.
"""

import hashlib

from msgspec import Struct

from pii_guard import Action, Category
from pii_guard.forms import Type, is_plain_ipv4, normalised, prefixes
from pii_guard.policy import Policy

SIZE = 16
"""Bytes of a hash."""
_TYPE_OF: dict[Category, Type] = {
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "mac": "mac",
    "email": "email",
    "phone": "phone",
    "name": "name",
    "iban": "iban",
    "plate": "plate",
    "username": "username",
    "url-personal": "url",
}
"""Of what is looked up; a BSN and a log-in are not among them, whatever the policy says."""


class Heap(Struct, frozen=True):
    """Hashes of what one rule decided alike on."""

    regime: str
    category: Category
    action: Action
    rule: str
    hashes: bytes
    source: str = ""
    month: str = ""
    """Of receipt: under whose key the hashes lie sealed."""


class Marks:
    """Hashes of the values of one draft, as the guard decides on them. Holds no value.

    The caller makes one for each draft and hands it to the guard, which says what may be marked at all.
    """

    __slots__ = ("_base", "_heaps", "_regime", "_types")

    def __init__(self, key: bytes) -> None:
        self._base = hashlib.blake2b(key=key[:64], digest_size=SIZE, person=b"oktt-subject")
        self._regime = ""
        self._types: dict[Category, Type] = {}
        self._heaps: dict[tuple[Category, Action, str], set[bytes]] = {}

    def under(self, policy: Policy, regime: str) -> None:
        """Mark what this regime has a basis for and keeps at all. A regime that allows no storage marks nothing."""
        self._regime = regime
        if policy.named(regime).storage_before_guard:
            self._types = {each: kind for each, kind in _TYPE_OF.items() if policy.retention(regime, each)}

    def add(self, category: Category, action: Action, rule: str, value: str) -> None:
        """A value that was decided on."""
        kind = self._types.get(category)
        if kind is None:
            return
        normal = value if category == "ipv4" and is_plain_ipv4(value) else normalised(kind, value)
        if normal is not None:
            heap = self._heaps.get((category, action, rule))
            if heap is None:
                heap = self._heaps[category, action, rule] = set()
            mine = self._base.copy()
            mine.update(f"{kind}\0{normal}".encode("utf-8", "surrogatepass"))
            heap.add(mine.digest())

    def digest(self, kind: Type, normal: str) -> bytes:
        """The hash of a value in its one form."""
        mine = self._base.copy()
        mine.update(f"{kind}\0{normal}".encode("utf-8", "surrogatepass"))
        return mine.digest()

    def heaps(self) -> tuple[Heap, ...]:
        """What was marked, in order."""
        return tuple(
            Heap(self._regime, category, action, rule, b"".join(sorted(heap)))
            for (category, action, rule), heap in sorted(self._heaps.items(), key=lambda each: each[0])
        )


def hashes(key: bytes, kind: Type, normal: str) -> list[bytes]:
    """Under what a value may stand in the side table; an address also as one of a prefix. Empty: no hash is kept."""
    if kind not in _TYPE_OF.values():
        return []
    marks = Marks(key)
    return [marks.digest(kind, form) for form in (normal, *prefixes(kind, normal))]
