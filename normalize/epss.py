"""EPSS: how probable it is that a vulnerability is exploited in the next thirty days (FIRST).

Three layouts: the daily CSV with its `#model_version:...,score_date:...` line; the CSV of before 2022, without that
line and without percentiles; the answer of the API, `{"data": [{"cve", "epss", "percentile", "date"}]}`. A day's file
names every CVE there is, and most of them stay what they were: scores are no drafts, and make no item.
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ingest import Source
from normalize import Normalized, NormalizeError, Score
from normalize.lenient import Parts, decode

_CVE = re.compile(r"CVE-(?:19|20)\d\d-\d{4,19}").fullmatch
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_COMMENT = re.compile(r"\A#[^\n]*\n")
_SCORE_DATE = re.compile(r"score_date:(\d{4}-\d\d-\d\d)")
_UNLIKE = "not a CVE id with a probability between 0 and 1"
_TO_COME = "scores of a day that is yet to come"


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:  # noqa: ARG001
    """The scores of a document, one a CVE: of several the latest. NormalizeError: it has none."""
    parts = Parts()
    listed = body.lstrip()[:1] in (b"{", b"[")
    last = (received_at + timedelta(days=1)).date().isoformat()  # where a day begins earlier than ours
    latest: dict[str, Score] = {}
    for score in _objects(decode(body), parts, last) if listed else _rows(body.decode(), parts, last):
        known = latest.get(score.cve)
        if known is None or known.day <= score.day:
            latest[score.cve] = score
    if not latest:
        raise NormalizeError("no EPSS score in it")
    return Normalized("epss", (), tuple(parts.problems), tuple(latest.values()))


def _rows(text: str, parts: Parts, last: str) -> Iterator[Score]:
    comment = _COMMENT.match(text)
    stated = _SCORE_DATE.search(comment[0]) if comment else None
    day, before = stated[1] if stated else "", 1 if comment else 0
    if day > last:
        raise NormalizeError(_TO_COME, "line 1")
    rows = csv.reader(text[comment.end() if comment else 0 :].splitlines())
    header = [name.strip().lower() for name in next(rows, [])]
    if "cve" not in header or "epss" not in header:
        raise NormalizeError("EPSS without the columns cve and epss", f"line {before + 1}")
    cve, epss = header.index("cve"), header.index("epss")
    for row in rows:
        score = _score(row[cve], row[epss], day) if len(row) > max(cve, epss) else None
        if score is not None:
            yield score
        elif row:
            parts.note(_UNLIKE, f"line {before + rows.line_num}")


def _objects(root: Any, parts: Parts, last: str) -> Iterator[Score]:
    held = {"data": root} if isinstance(root, list) else root if "data" in root else {"data": [root]}
    for entry, path in parts.objects(held, "data"):
        day = entry.get("date")
        known = day if isinstance(day, str) and _DAY.fullmatch(day) else ""
        score = _score(entry.get("cve"), entry.get("epss"), known)
        if score is not None and score.day <= last:
            yield score
        else:
            parts.note(_UNLIKE if score is None else _TO_COME, path if root is not entry else "")


def _score(cve: Any, epss: Any, day: str) -> Score | None:
    try:
        name, probability = cve.strip().upper(), float(epss)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    return Score(name, probability, day) if _CVE(name) and 0 <= probability <= 1 else None
