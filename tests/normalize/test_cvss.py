"""Scores follow from vectors: the examples of FIRST, and what holds for every vector."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import cvss

BASE3 = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"}
BASE2 = {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"}


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        # CVSS v3.1 examples document: CVE-2013-1937, CVE-2013-0375, CVE-2014-3566, CVE-2012-1516.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", (6.1, 6.1, None)),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", (6.4, 6.4, None)),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", (3.1, 3.1, None)),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", (9.9, 9.9, None)),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", (0.0, 0.0, None)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:U/RC:C", (7.5, 7.1, None)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MAV:L/CR:L/IR:L/AR:L", (9.8, 9.8, 6.6)),
        # CVSS v2 guide, 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", (7.8, 6.4, 9.2)),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", (10.0, 8.3, 9.0)),
        ("(AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M)", (6.2, 4.9, 7.5)),
    ],
)  # fmt: skip
def test_the_examples_of_first(text: str, scores: tuple[float, float, float | None]) -> None:
    read = cvss.read(text)
    assert read is not None
    assert (read.base, read.temporal, read.environmental) == scores


@pytest.mark.parametrize(
    "text",
    [
        "", "CVSS:3.1", "CVSS:3.1/AV:N", "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/AV:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/ZZ:N", "AV:N/AC:L/Au:N/C:N/I:N", "AV:N AC:L Au:N C:N I:N A:C",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
    ],
)  # fmt: skip
def test_what_is_no_vector(text: str) -> None:
    assert cvss.read(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_vector_or_none(text: str) -> None:
    read = cvss.read(text)
    assert read is None or 0 <= read.base <= 10


@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in BASE3.items()}), st.sampled_from("01"))
def test_what_is_not_stated_changes_nothing_and_worse_is_never_less(metrics: dict[str, str], minor: str) -> None:
    read = cvss.read(f"CVSS:3.{minor}/" + "/".join(map(":".join, metrics.items())))
    worst = cvss.read(f"CVSS:3.{minor}/" + "/".join(map(":".join, {**metrics, "C": "H", "I": "H", "A": "H"}.items())))
    assert read is not None
    assert worst is not None
    assert 0 <= read.base <= worst.base <= 10
    assert (read.base, read.environmental) == (read.temporal, None)


@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in BASE2.items()}))
def test_the_second_version_too(metrics: dict[str, str]) -> None:
    read = cvss.read("/".join(map(":".join, metrics.items())))
    assert read is not None
    assert 0 <= read.base <= 10
    assert (read.base, read.environmental) == (read.temporal, None)


@pytest.mark.parametrize(
    ("score", "word"),
    [(0, "NONE"), (0.1, "LOW"), (3.9, "LOW"), (4, "MEDIUM"), (6.9, "MEDIUM"), (7, "HIGH"), (9, "CRITICAL")],
)
def test_words(score: float, word: str) -> None:
    assert cvss.severity(score) == word
