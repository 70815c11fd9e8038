"""EPSS scores: the latest of each CVE, in whatever order the files come."""

from itertools import permutations

import sqlalchemy as sa

from normalize import Score
from pii_guard import Scores
from triage import scores

FILES = (
    Scores((Score("CVE-2020-5902", 0.65), Score("CVE-2018-19571", 0.04))),
    Scores((Score("CVE-2020-5902", 0.97, "2022-02-04"),)),
    Scores((Score("CVE-2020-5902", 0.94, "2026-03-01"), Score("CVE-2026-0001", 0.01, "2026-03-01"))),
)
LATEST = {"CVE-2020-5902": 0.94, "CVE-2018-19571": 0.04, "CVE-2026-0001": 0.01}


def test_the_latest_day_stands_in_whatever_order_files_come(connection: sa.Connection) -> None:
    for order in permutations(FILES):
        connection.execute(scores.scores.delete())
        for file in order:
            scores.keep(connection, file)
        assert scores.of(connection, [*LATEST, "CVE-1999-0001"]) == LATEST


def test_a_day_may_be_corrected(connection: sa.Connection) -> None:
    for epss in (0.5, 0.6):
        assert scores.keep(connection, Scores((Score("CVE-2020-5902", epss, "2026-03-01"),))) == 1
    assert scores.of(connection, ["CVE-2020-5902"]) == {"CVE-2020-5902": 0.6}


def test_more_scores_than_one_statement_holds(connection: sa.Connection) -> None:
    many = [f"CVE-2026-{number:05d}" for number in range(12_000)]
    scores.keep(connection, Scores(tuple(Score(cve, 0.5, "2026-03-01") for cve in many)))
    scores.keep(connection, Scores(tuple(Score(cve, 0.25, "2026-03-02") for cve in many)))
    assert scores.of(connection, many) == dict.fromkeys(many, 0.25)


def test_the_highest_counts() -> None:
    assert scores.highest(LATEST, ["CVE-2020-5902", "CVE-2026-0001", "CVE-1999-0001"]) == 0.94
    assert scores.highest(LATEST, ["CVE-1999-0001"], 0.3) == 0.3
    assert scores.highest(LATEST, []) is None
