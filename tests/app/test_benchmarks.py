"""What the benchmark brings in is read whole: a row that measures refusals measures nothing."""

from pathlib import Path

import pytest

from app import pipeline
from benchmarks import events, holders, intelmq, matching, owners
from benchmarks.formats import FEEDS, Feed
from benchmarks.inputs import NOW, report
from benchmarks.table import instance
from dispatch import outbox
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


def test_the_index_and_the_plain_loop_find_the_same_whom_a_benchmark_asks_for() -> None:
    """Few subscribers; the rows say nothing of speed."""
    rows = list(matching.measure(2_000, rounds=1))
    assert len(rows) == 14
    assert {row["what"].split(",")[0] for row in rows} >= {"index of 2", "the index restored from its snapshot"}


def test_a_report_goes_the_whole_way_among_many_networks_and_each_address_has_its_owner(tmp_path: Path) -> None:
    service = events.filled(tmp_path, registered=4_000, holders=3_000, prefixes=5_000)
    for number in range(2):
        assert events.ours(service, report(3_000, number), number) > 0
    with service.reading() as connection:
        assert outbox.waiting(connection, "OKTT-2026-0002")
        networks = service.index(connection).networks
    every = [mine[0] for mine in holders.networks(3_000, 5_000)]
    assert len(set(every)) == 3_000
    _, found = owners.ours(networks, [holders.inside(text) for text in every])
    assert found == [[events.FIRST + number] for number in range(3_000)]


def test_without_peers_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OKTT_PEERS", str(tmp_path))
    assert list(intelmq.measure()) == []
    assert "run benchmarks/peers/fetch.sh" in capsys.readouterr().err
