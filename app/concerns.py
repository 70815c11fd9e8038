"""Whom an item concerns, asked once for each reader, item and state of both.

AMBER needs that, on each TAXII request; to tell, what is gated is opened, and the register says so. The answer alone is
kept, as long as nothing has changed that it rests on: statements, labels, the reader's profile and clearance, and of
who serves others the whole registry. Each process keeps its own.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from app.service import Service
from app.views import matching
from subscribers import Subscriber
from tlp import Marked
from triage import cases, inbox

_MOST = 100_000
"""Answers that are kept, of some 300 bytes each."""


class Concerns:
    """What was asked of one instance. For threads."""

    def __init__(self, service: Service) -> None:
        self.service, self._lock = service, threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[bytes, bool]] = OrderedDict()

    def ask(
        self, connection: sa.Connection, subscriber: Subscriber, item: str, marked: Sequence[Marked], now: datetime
    ) -> bool:
        """Does the item as it is now concern this subscriber by a criterion of its own? `marked`: its labels of
        today."""
        rests, name = self._rests(connection, subscriber, item, marked, now), (subscriber.id, item)
        with self._lock:
            stood = self._known.get(name)
        if stood is not None and stood[0] == rests:
            return stood[1]
        case = cases.opened(connection, self.service.guard, item, self.service.settings.consents)
        with self.service.accounted(connection):
            found = matching(self.service, connection, case, now).explain(subscriber).concerned
        with self._lock:
            self._known[name] = rests, found
            self._known.move_to_end(name)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found

    def _rests(
        self, connection: sa.Connection, subscriber: Subscriber, item: str, marked: Sequence[Marked], now: datetime
    ) -> bytes:
        """A hash of all that the answer rests on."""
        index = self.service.index(connection)
        revision = index.revision if subscriber.number in index.agents.clients else 0
        clearance, seals = subscriber.clearance.at(now), inbox.seals(connection, item)
        said = [subscriber, clearance, revision, list(marked), seals]
        return hashlib.blake2b(msgspec.msgpack.encode(said, enc_hook=str), digest_size=16).digest()
