"""Nothing but ids of vulnerabilities and probabilities comes in as a score, and only what is for everybody."""

import pytest

from ingest import Source
from normalize import Score
from pii_guard import Refused, Scores, epss
from tlp import Label


def test_a_score_holds_nothing_else() -> None:
    good = Score("CVE-2020-5902", 0.97, "2026-03-01")
    odd = [Score("jan@voorbeeld.nl", 0.1), Score("CVE-2020-5902", 112233.0), Score("CVE-2020-5902", 0.1, "Jan")]
    found = epss.admit([good, *odd], Source("epss", "FIRST EPSS", tlp=Label.CLEAR))
    assert isinstance(found, Scores)
    assert found.rows == (good,)


@pytest.mark.parametrize("label", [label for label in Label if label is not Label.CLEAR])
def test_what_is_not_for_everybody_gives_no_scores(label: Label) -> None:
    source = Source("market", "Marktpartij", tlp=label)
    assert isinstance(epss.admit([Score("CVE-2020-5902", 0.97)], source), Refused)
    assert epss.admit([], source) == Scores(())
