"""Who waits for a row of the outbox."""

from datetime import timedelta

import sqlalchemy as sa
from pyroaring import BitMap

from dispatch import fanout
from tests.dispatch.test_outbox import NOW


def test_the_most_urgent_first(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        fanout.put(conn, "OKTT-2026-0003", 1, [BitMap((7,))], "info", NOW)
        fanout.put(conn, "OKTT-2026-0002", 2, [BitMap((1, 2, 3, 900_000))], "today", NOW + timedelta(minutes=1))
        fanout.put(conn, "OKTT-2026-0001", 1, [BitMap((5,))], "today", NOW + timedelta(minutes=2))
        fanout.put(conn, "OKTT-2026-0004", 1, [BitMap()], "today", NOW)
    with engine.begin() as conn:
        assert fanout.items(conn, NOW) == ["OKTT-2026-0002", "OKTT-2026-0001", "OKTT-2026-0003"]
        held = fanout.held(conn, "OKTT-2026-0002", NOW)
        assert held == (2, NOW + timedelta(minutes=1), BitMap((1, 2, 3, 900_000)), False)
        fanout.keep(conn, "OKTT-2026-0002", BitMap((900_000,)), NOW)
    with engine.begin() as conn:
        assert fanout.count(conn, "OKTT-2026-0002") == 1
        fanout.keep(conn, "OKTT-2026-0002", BitMap(), NOW)
        assert fanout.held(conn, "OKTT-2026-0002", NOW) is None
        conn.rollback()
    with engine.begin() as conn:
        assert fanout.count(conn, "OKTT-2026-0002") == 1, "what was not committed waits again"


def test_a_later_version_takes_the_place_of_an_earlier_one(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        fanout.put(conn, "OKTT-2026-0001", 1, [BitMap((1, 2))], "today", NOW)
        assert fanout.drop(conn, "OKTT-2026-0001", before=1) == 0
        fanout.put(conn, "OKTT-2026-0001", 2, [BitMap((2, 3))], "info", NOW)
        assert fanout.drop(conn, "OKTT-2026-0001", before=2) == 0
        assert fanout.drop(conn, "OKTT-2026-0001", before=3) == 2
        assert fanout.items(conn, NOW) == []


def test_waves_open_one_after_the_other(engine: sa.Engine) -> None:
    item, soon = "OKTT-2026-0001", NOW + timedelta(minutes=20)
    with engine.begin() as conn:
        fanout.put(conn, item, 1, [BitMap(), BitMap((1, 2)), BitMap((3, 4, 5))], "today", NOW)
        assert fanout.waves(conn, NOW) == []
        assert fanout.count(conn, item) == 5
        fanout.keep(conn, item, BitMap((2,)), soon)
        assert fanout.items(conn, NOW) == [item], "the first wave is not done"
        fanout.keep(conn, item, BitMap(), soon)
        assert fanout.items(conn, NOW) == []
        assert fanout.waves(conn, NOW) == [(item, soon, 3)]
        assert fanout.items(conn, soon) == [item]
        assert fanout.held(conn, item, NOW) is None, "a worker that looked a moment ago does not open it too soon"
        held = fanout.held(conn, item, soon)
        assert held is not None
        assert held.numbers == BitMap((3, 4, 5))
        fanout.keep(conn, item, BitMap(), soon)
        assert fanout.count(conn, item) == 0
        fanout.put(conn, item, 1, [BitMap((1,)), BitMap((2,))], "today", NOW)
        assert fanout.drop(conn, item, before=2) == 2
