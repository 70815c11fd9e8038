"""EPSS scores at the door: nothing but ids of vulnerabilities and probabilities comes through.

They are shown beside every item that names the CVE, to whoever may see that: so only what is published for everybody
may come in this way.
"""

import re
from collections.abc import Sequence

from ingest import Source
from normalize import Score
from pii_guard import Refused, Scores
from tlp import Label

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}").fullmatch
_DAY = re.compile(r"(?:\d{4}-\d\d-\d\d)?").fullmatch


def admit(found: Sequence[Score], source: Source) -> Scores | Refused:
    """Those that are what they have to be; Refused: the source may not give any."""
    if found and source.tlp is not Label.CLEAR:
        return Refused("policy", 'EPSS scores are shown to everybody: only a source with tlp = "CLEAR" gives them')
    return Scores(tuple(each for each in found if _CVE(each.cve) and 0 <= each.epss <= 1 and _DAY(each.day)))
