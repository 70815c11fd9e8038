"""What every reader of a live source begins with: its feed, the clock, bounds, and the key of its hashes."""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b

from ingest import Source, SourceError
from ingest.http import Bounds


class Live:
    """One poll of a live source. `key` keys the hashes of names and contents. Raises SourceError without a feed."""

    def __init__(
        self,
        source: Source,
        *,
        key: bytes,
        clock: Callable[[], datetime],
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        if source.feed is None:
            raise SourceError(f"{source.id}: no live source: give its table in sources.toml a kind and a url")
        self._source, self._feed, self._clock, self._bounds = source, source.feed, clock, bounds
        self._key = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()
