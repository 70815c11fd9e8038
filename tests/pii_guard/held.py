"""Keys of the vault in memory, as a folder holds them."""

import os
from dataclasses import dataclass, field


@dataclass
class Held:
    """(source, month, generation) -> key."""

    keys: dict[tuple[str, str, int], bytes] = field(default_factory=dict)

    def newest(self, source: str, month: str) -> tuple[int, bytes] | None:
        found = [generation for one, when, generation in self.keys if (one, when) == (source, month)]
        return (max(found), self.keys[source, month, max(found)]) if found else None

    def get(self, source: str, month: str, generation: int) -> bytes | None:
        return self.keys.get((source, month, generation))

    def make(self, source: str, month: str, generation: int) -> bytes:
        return self.keys.setdefault((source, month, generation), os.urandom(32))

    def destroy(self, source: str, month: str, generation: int) -> None:
        self.keys.pop((source, month, generation), None)

    def months(self, source: str) -> list[str]:
        return sorted({month for one, month, _ in self.keys if one == source})
