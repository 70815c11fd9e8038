"""What is found of texts that somebody else labelled: the figures of docs/personal-data.md stay true."""

import json
from pathlib import Path

import pytest

from pii_guard.detect import SUSPECT, scan
from tests.pii_guard.labelled import load
from tests.pii_guard.recall import Figures, figures, seen, table, unseen

DOCUMENT = Path(__file__).parents[2] / "docs" / "personal-data.md"
CHECKED = ("ipv4", "ipv6", "mac", "email", "phone", "iban", "bsn")
"""Numbers and addresses that have a form or a check of their own."""


@pytest.fixture(scope="module")
def tuned() -> dict[str, Figures]:
    return figures(seen())


@pytest.fixture(scope="module")
def fresh() -> dict[str, Figures]:
    texts = unseen()
    if not texts:
        pytest.skip("tests/pii_guard/unseen/sealed holds no texts")
    return figures(texts)


def test_the_table_is_the_one_that_is_documented() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("category", CHECKED)
def test_numbers_and_addresses_are_found(category: str, tuned: dict[str, Figures]) -> None:
    assert tuned[category].held >= 0.99
    assert tuned[category].recall >= 0.99


@pytest.mark.parametrize("category", CHECKED)
def test_in_texts_that_nobody_saw_too(category: str, fresh: dict[str, Figures]) -> None:
    assert fresh[category].recall >= 0.99
    assert fresh[category].precision >= (0.85 if category == "ipv4" else 0.95), "a version has four numbers too"


def test_what_is_recognised_is_right(tuned: dict[str, Figures]) -> None:
    found = sum(row.found for name, row in tuned.items() if name != "name")
    right = sum(row.found * row.precision for name, row in tuned.items() if name != "name")
    assert right / found >= 0.98


def test_hard_texts_give_little() -> None:
    """Texts that were written to be mistaken: what is recognised and touches no label, a text."""
    hard = [text for text in load() if text.hard]
    wrong = 0
    for text in hard:
        for span in scan(text.text):
            touched = any(mark.start < span.end and span.start < mark.end for mark in (*text.spans, *text.doubtful))
            wrong += span.confidence >= SUSPECT and not touched
    assert wrong / len(hard) < 0.15


@pytest.mark.corpus
def test_descriptions_of_attack_techniques(corpus: Path) -> None:
    """Every hit was looked at: two addresses in a command line, which are addresses. Names are those of authors."""
    bundle = json.loads((corpus / "stix21/mitre-attack-ics-v11.1.json").read_bytes())
    texts = [each["description"] for each in bundle["objects"] if isinstance(each.get("description"), str)]
    assert sum(map(len, texts)) > 300_000
    sure = [(s.category, t[s.start : s.end]) for t in texts for s in scan(t) if s.confidence >= SUSPECT]
    assert [hit for hit in sure if hit != ("ipv4", "10.0.0.1")] == []
