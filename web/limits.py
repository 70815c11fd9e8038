"""How often somebody may ask: a token bucket each, in this process. And how much, and how long, anybody may send."""

import asyncio
import threading
from collections import OrderedDict
from datetime import datetime

from fastapi import Request
from starlette.requests import ClientDisconnect

BODY = 20.0
"""Seconds that a small form may take to come."""
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


async def body(request: Request, most: int) -> bytes | None:
    """What is sent, of so many octets at most. None: it is more, took too long, or broke off."""
    read = bytearray()
    try:
        async with asyncio.timeout(BODY):
            async for chunk in request.stream():
                read += chunk
                if len(read) > most:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return bytes(read)
