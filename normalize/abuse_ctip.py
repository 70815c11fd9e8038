"""Infected systems of Microsoft's Cyber Threat Intelligence Program, as rows of a Shadowserver report.

Its sinkholes saw them, so each row is about the system that called (`networksource...`), never the sinkhole.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tlp import Label, UnknownMarkingError, markings, strictest

_NAMES = {
    "firstreporteddatetime": "timestamp", "networksourceipv4": "src_ip", "networksourceport": "src_port",
    "networksourceasn": "src_asn", "networkdestinationport": "dst_port", "externalid": "infection",
    "indicatorthreattype": "tag",
}  # fmt: skip


def is_row(keys: Iterable[str]) -> bool:
    """Is this one of its entries?"""
    return _NAMES.keys() <= set(keys)


def rows(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What stands in them under the names of a Shadowserver report; of which country is not said."""
    return [{name: row.get(theirs) for theirs, name in _NAMES.items()} | {"src_geo": ""} for row in listed]


def marked(listed: Sequence[Mapping[str, Any]]) -> tuple[Label | None, tuple[str, ...]]:
    """The strictest label of the rows, and why a person has to look at one."""
    found: list[Label] = []
    doubts: tuple[str, ...] = ()
    for word in {str(row["tlplevel"]) for row in listed if row.get("tlplevel")}:
        try:
            found.append(markings.of_word(word))
        except UnknownMarkingError:
            doubts = ("unknown-marking",)
    return (strictest(found) if found else None), doubts
