"""Labels in tags: MISP's machine tags (`tlp:amber`, `cert-xx:TLP="clear"`) and STIX `labels`, in any case and spelling.

Only `tlp:` itself is TLP's own namespace. What another namespace means is known where `sources.toml` says it
(`[labels]`); a tag that looks like a label and does not stand there is a doubt, and counts for what it seems to say.
PAP (permissible actions protocol) says what may be done with what one has, and never who may have it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from tlp import Label, strictest
from tlp.markings import of_text

Pap = Literal["CLEAR", "GREEN", "AMBER", "RED"]
NAMED: Mapping[str, Label] = {}
"""No namespace but TLP's own."""
UNKNOWN, PAP_LIMITS = "unknown-marking", "pap-limits-action"

_OWN = re.compile(r"tlp\s*[:=_\- ]\s*(?:clear|white|green|red|amber(?:\s*[+_\- ]?\s*strict)?)").fullmatch
_CLASSIFYING = (
    *("acs-marking", "ais-marking", "cssa", "dcso-sharing", "de-vs", "dni-ism", "euci", "fr-classif", "nato"),
    *("iep", "iep2-policy", "iep2-reference"),
)
"""Namespaces of MISP's taxonomies that say who may have something, in other words than TLP's."""
_PAP = re.compile(r"pap\s*[:=_\- ]\s*(red|amber|green|clear|white)").fullmatch
_PAP_RANK: tuple[Pap, ...] = ("CLEAR", "GREEN", "AMBER", "RED")


def folded(tag: str) -> str:
    """A tag as tags are compared: without case, quotes, and space around it."""
    return tag.replace('"', "").replace("'", "").strip().casefold()


def read(tags: Iterable[str], named: Mapping[str, Label] = NAMED) -> tuple[Label | None, frozenset[str]]:
    """(the strictest label among tags, doubts). `named`: folded tag -> label, of namespaces that are known."""
    found: set[Label] = set()
    doubts: set[str] = set()
    for tag in map(folded, tags):
        if label := named.get(tag):
            found.add(label)
        elif "tlp" in tag or tag.partition(":")[0] in _CLASSIFYING:
            if label := of_text(tag):
                found.add(label)
            if not _OWN(tag):
                doubts.add(UNKNOWN)
        elif pap([tag]) in ("AMBER", "RED"):
            doubts.add(PAP_LIMITS)
    return (strictest(found) if found else None), frozenset(doubts)


def is_label(tag: str, named: Mapping[str, Label] = NAMED) -> bool:
    """Does the tag say who may have something? Such a tag goes no further: the marking takes its place."""
    tag = folded(tag)
    return tag in named or "tlp" in tag


def pap(tags: Iterable[str]) -> Pap | None:
    """The strictest PAP among tags; None: none is there."""
    words = (match[1].upper() for match in map(_PAP, map(folded, tags)) if match)
    ranks = [_PAP_RANK.index("CLEAR" if word == "WHITE" else word) for word in words]
    return _PAP_RANK[max(ranks)] if ranks else None
