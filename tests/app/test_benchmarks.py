"""What the benchmark brings in is read whole: a row that measures refusals measures nothing."""

from pathlib import Path

import pytest

from app import pipeline
from benchmarks.formats import FEEDS, Feed
from benchmarks.inputs import NOW
from benchmarks.table import instance
from ingest import RawDocument


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.format)
def test_every_round_is_read_whole_and_is_new(tmp_path: Path, feed: Feed) -> None:
    service = instance(tmp_path)
    source = service.settings.source(feed.source)
    for number in range(2):
        body = feed.make(number)[0]
        tally = pipeline.admit(service, RawDocument(source, body, "bench", NOW, feed.format, f"document {number}"))
        assert tally.refused == 0
        assert tally.scores or tally.items or feed.format == "cve"  # facts, which make no item
