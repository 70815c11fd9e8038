"""Which items of an edition are about one subject: the Friday edition tells the week by subject, not by document.

Items are of one subject when they share a CVE, the one maker of all that is affected, or a course of action of its own;
news also when its title names a maker or product that another item of the edition is about.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from dispatch import View
from triage.advice import Advice

_LEGAL = re.compile(r"[ ,]+(inc|corp|corporation|gmbh|ag|bv|b\.v|ltd|llc|co|(software )?foundation)\.?$", re.IGNORECASE)
_WORD = re.compile(r"\w[\w.+-]*\w|\w")
_LEAST = 4
"""Letters of a name that is looked for in titles."""


def clusters(items: Sequence[tuple[View, Advice]]) -> list[list[int]]:
    """Positions of the items of each subject, in the order of its first."""
    names = _names(view for view, _ in items)
    found: list[tuple[set[str], list[int]]] = []
    for position, (view, advice) in enumerate(items):
        keys, mine = _keys(view, advice, names), [position]
        for other in [each for each in found if each[0] & keys]:
            keys |= other[0]
            mine = other[1] + mine
            found.remove(other)
        found.append((keys, sorted(mine)))
    return sorted(positions for _, positions in found)


def maker(view: View) -> str:
    """The one maker of all that is affected, as a heading has it; empty: there is none, or there are several."""
    named = {found.casefold(): found for each in view.affected if (found := _LEGAL.sub("", each.vendor.strip()))}
    return next(iter(named.values())) if len(named) == 1 else ""


def _keys(view: View, advice: Advice, names: Mapping[str, str]) -> set[str]:
    keys = {f"cve {cve}" for cve in view.cves}
    if only := maker(view):
        keys.add(f"maker {only.casefold()}")
    if advice.specific:
        keys.add(f"action {advice.block}")
    if view.kind == "news":
        said = f" {' '.join(_WORD.findall(view.title.casefold()))} "
        keys |= {f"maker {found}" for name, found in names.items() if f" {name} " in said}
    return keys or {f"item {view.item}"}


def _names(views: Iterable[View]) -> dict[str, str]:
    """Name of a maker or product, as it stands in titles -> its maker."""
    found: dict[str, str] = {}
    for view in views:
        if only := maker(view).casefold():
            found |= dict.fromkeys((only, *(each.product.strip().casefold() for each in view.affected)), only)
    return {name: each for name, each in found.items() if len(name) >= _LEAST}
