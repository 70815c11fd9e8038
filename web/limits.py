"""How often somebody may ask: a token bucket each, in this process."""

import threading
from collections import OrderedDict
from datetime import datetime

_MOST = 10_000
"""Buckets that are remembered; the one that was used longest ago is forgotten, and full again."""


class Buckets:
    """`per_minute` tokens at most in each, which fill up again within a minute; 0: no limit."""

    def __init__(self, per_minute: int) -> None:
        self._most, self._lock = per_minute, threading.Lock()
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, key: str, now: datetime) -> float:
        """Take one. 0: it was there; else seconds until there is one."""
        if self._most <= 0:
            return 0
        with self._lock:
            left, at = self._left.pop(key, (float(self._most), now))
            left = min(left + max((now - at).total_seconds(), 0) * self._most / 60, self._most)
            wait = 0 if left >= 1 else (1 - left) * 60 / self._most
            self._left[key] = (left if wait else left - 1, max(now, at))
            if len(self._left) > _MOST:
                self._left.popitem(last=False)
        return wait
