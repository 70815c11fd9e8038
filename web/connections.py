"""Connections that nothing comes over: a peer that is gone, sends its request in drops, or does not read its answer.

uvicorn ends a connection that was idle after an answer, and no others. These hold a file and memory each until they are
ended here; no thread and no connection of the database waits for them.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST = 20.0
"""Seconds that a connection has for the head of a request, once it is there or has begun."""
HEAD = 65_536
"""Octets that the head of a request may have."""
READING = 60.0
"""Seconds that a reader has for what lies ready for it (some ten thousand octets), each time."""


class Patient(HttpToolsProtocol):
    """uvicorn's protocol, with an end to patience. Its parser, which takes a third of h11's time, has no bound on what
    it is sent before a head, a line of a chunk or a trailer is whole."""

    request, reading = REQUEST, READING
    _pending = 0
    """Octets of which nothing was made yet."""
    _owed: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a request is owed."""
        super().connection_made(transport)
        self._owed = self._end_after(self.request)

    def data_received(self, data: bytes) -> None:
        """A request that has begun is owed whole; one that is whole is ours to answer."""
        self._pending += len(data)
        super().data_received(data)
        if self._pending > HEAD:
            self.transport.abort()
        ours = self.cycle is not None and not self.cycle.response_complete
        if ours and self._owed is not None:
            self._owed.cancel()
            self._owed = None
        elif not ours and self._owed is None and self.timeout_keep_alive_task is None:
            self._owed = self._end_after(self.request)

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._pending = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """So is a piece of a body."""
        self._pending = 0
        super().on_body(body)

    def pause_writing(self) -> None:
        """What was answered is not read."""
        super().pause_writing()
        self._unread = self._end_after(self.reading)

    def resume_writing(self) -> None:
        """It was."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody owes anything."""
        for timer in (self._owed, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _end_after(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self.transport.abort)
