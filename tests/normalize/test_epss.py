"""EPSS in its three layouts: scores by CVE, and no drafts."""

import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source
from normalize import NormalizeError, Score, epss
from normalize.read import normalize

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIRST = Source("epss", "FIRST EPSS", public=True)
DAILY = b"""#model_version:v2025.03.14,score_date:2026-03-01T12:55:00Z
cve,epss,percentile
CVE-2020-5902,0.96817,0.99999
CVE-2018-19571,0.17187,0.93112
"""
EARLY = b"cve,epss\r\nCVE-2020-5902,0.65117\r\n"
ANSWER = {
    "status": "OK",
    "total": 1,
    "data": [{"cve": "CVE-2020-5902", "epss": "0.968170000", "percentile": "0.999990000", "date": "2026-03-01"}],
}


def scores(body: bytes) -> tuple[Score, ...]:
    found = normalize(RawDocument(FIRST, body, "x.csv", NOW))
    assert (found.format, found.drafts) == ("epss", ())
    return found.scores


def test_the_daily_file_says_of_which_day_it_is() -> None:
    assert scores(DAILY) == (
        Score("CVE-2020-5902", 0.96817, "2026-03-01"),
        Score("CVE-2018-19571", 0.17187, "2026-03-01"),
    )
    assert scores(b"\xef\xbb\xbf" + DAILY.replace(b"\n", b"\r\n")) == scores(DAILY)


def test_the_early_file_says_of_no_day() -> None:
    assert scores(EARLY) == (Score("CVE-2020-5902", 0.65117),)


@pytest.mark.parametrize("answer", [ANSWER, ANSWER["data"], ANSWER["data"][0]])  # type: ignore[index]
def test_the_answer_of_the_api_is_read(answer: Any) -> None:
    assert scores(json.dumps(answer).encode()) == (Score("CVE-2020-5902", 0.96817, "2026-03-01"),)


def test_of_several_days_the_latest_counts_wherever_it_stands() -> None:
    days = [{"cve": "CVE-2020-5902", "epss": value, "date": day} for value, day in ((0.5, "2026-03-02"), (0.4, "2026"))]
    for listed in (days, days[::-1]):
        assert scores(json.dumps({"data": listed}).encode()) == (Score("CVE-2020-5902", 0.5, "2026-03-02"),)


@pytest.mark.parametrize(
    "row",
    [b"CVE-2020-5902", b"CVE-2020-5902,hoog,1", b"CVE-2020-5902,1.5,1", b"CVE-2020-5902,nan,1", b"jan@x.nl,0.1,1"],
)
def test_a_row_that_is_no_score_costs_only_itself(row: bytes) -> None:
    found = normalize(RawDocument(FIRST, DAILY + row + b"\n", "x.csv", NOW))
    assert len(found.scores) == 2
    assert [(each.path, each.reason) for each in found.problems] == [("line 5", epss._UNLIKE)]
    huge = {"cve": "CVE-2020-5902", "epss": 10**400}
    broken = {"data": [*ANSWER["data"], 3, {"cve": "CVE-2020-5902", "epss": []}, huge]}  # type: ignore[misc]
    found = epss.drafts(json.dumps(broken).encode(), FIRST, NOW)
    assert [each.path for each in found.problems] == ["/data/1", "/data/2", "/data/3"]


def test_scores_of_a_day_that_is_yet_to_come_are_refused() -> None:
    """A day ahead is a source where it is tomorrow already; such a score would stand for ever as the latest."""
    with pytest.raises(NormalizeError, match="yet to come"):
        scores(DAILY.replace(b"2026-03-01", b"2026-03-04"))
    assert scores(DAILY.replace(b"2026-03-01", b"2026-03-03"))[0].day == "2026-03-03"
    days = [{"cve": "CVE-2020-5902", "epss": 0.5, "date": day} for day in ("2026-03-03", "2026-03-04", "9999-12-31")]
    found = epss.drafts(json.dumps({"data": days}).encode(), FIRST, NOW)
    assert [each.day for each in found.scores] == ["2026-03-03"]
    assert [(each.path, each.reason) for each in found.problems] == [
        ("/data/1", epss._TO_COME),
        ("/data/2", epss._TO_COME),
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"cve\n", b"cve,epss\n", b'{"data": {}}', b"#x\n", b"3"])
def test_what_holds_no_score_is_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        epss.drafts(body, FIRST, NOW)


@given(st.text(max_size=60), st.booleans())
def test_whatever_follows_a_head_is_read_or_refused(text: str, answer: bool) -> None:
    body = json.dumps({"data": [{"cve": text, "epss": text}, text]}) if answer else f"cve,epss\n{text}"
    with suppress(NormalizeError):
        assert epss.drafts(body.encode(), FIRST, NOW).scores


@pytest.mark.corpus
def test_the_public_files_are_read_whole(corpus: Path) -> None:
    days = [scores(gzip.decompress(file.read_bytes())) for file in sorted((corpus / "kev").glob("epss*.gz"))]
    assert [[(each.cve, each.epss, each.day) for each in day] for day in days] == [
        [("CVE-2020-5902", 0.65117, ""), ("CVE-2018-19571", 0.04773, "")],
        [("CVE-2020-5902", 0.96817, "2022-02-04"), ("CVE-2018-19571", 0.17187, "2022-02-04")],
    ]
