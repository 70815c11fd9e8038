"""Rows against IntelMQ: events from a report to the outbox, and whose network an address is."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import events, owners, peering


def measure() -> Iterator[dict[str, Any]]:
    """A row for each peer that is here; a line on stderr for each that is not."""
    with TemporaryDirectory() as folder:
        try:
            peering.python()
            service = events.filled(Path(folder))
            with service.reading() as connection:
                held = service.index(connection).networks
        except peering.PeerError as missing:
            print(f"bench: {missing}", file=sys.stderr)
            return
        for rows in (partial(events.measure, service), partial(owners.measure, held, events.FIRST)):
            try:
                yield from rows()
            except (peering.PeerError, subprocess.CalledProcessError) as error:
                print(f"bench: {error}", file=sys.stderr)
