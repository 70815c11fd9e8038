"""What operators see: structured logs (an event for each decision, ids and never values) and Prometheus metrics."""

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

log = structlog.get_logger("oktt")


def configure(*, verbose: bool = False) -> None:
    """Logs go to stderr: readable on a terminal, JSON lines elsewhere. Commands tell warnings only, unless `verbose`;
    `oktt run` and `oktt serve` tell every decision."""
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    level = logging.INFO if verbose else logging.WARNING
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def place(error: BaseException) -> str:
    """Where in our code it went wrong. Not the error's text: that may hold what a document said."""
    house = Path(__file__).parents[1]
    ours = [
        f"{Path(frame.filename).relative_to(house)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(house) and "site-packages" not in frame.filename
    ]
    return ours[-1] if ours else "start-up"


class Metrics:
    """Counters and stage timings of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.documents = Counter("oktt_documents", "Documents read", ["source", "outcome"], registry=self.registry)
        self.items = Counter("oktt_items", "Items by what the inbox did", ["effect"], registry=self.registry)
        self.findings = Counter(
            "oktt_findings", "Personal-data findings at the door", ["category", "action"], registry=self.registry
        )
        self.decisions = Counter("oktt_decisions", "Decisions at the desk", ["act"], registry=self.registry)
        self.deliveries = Counter("oktt_deliveries", "Attempts to deliver", ["outcome"], registry=self.registry)
        self.polls = Counter("oktt_polls", "Polls of live sources", ["source", "outcome"], registry=self.registry)
        self.read_at = Gauge(
            "oktt_source_last_success_timestamp_seconds",
            "When a live source was last read to its end",
            ["source"],
            registry=self.registry,
        )
        self.lateness = Histogram(
            "oktt_lateness_seconds",
            "From a source's own time to receipt, from receipt to release, from release to sending",
            ["leg"],
            buckets=(60, 300, 900, 3600, 14400, 86400, 3 * 86400, 7 * 86400, 30 * 86400),
            registry=self.registry,
        )
        self.seconds = Histogram("oktt_stage_seconds", "Time by stage", ["stage"], registry=self.registry)

    def late(self, leg: str, start: datetime, end: datetime) -> None:
        """One leg of the way from a source to a reader: received, released, sent."""
        self.lateness.labels(leg).observe(max((end - start).total_seconds(), 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage: door, match, release, send, digest."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds.labels(name).observe(time.perf_counter() - started)
