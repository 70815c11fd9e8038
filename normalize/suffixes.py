"""Which names are public suffixes (`nl`, `co.uk`, `gov.nl`, `github.io`): many register below them, nobody holds them.

The Public Suffix List as publicsuffixlist ships it, of both its sections; nothing is fetched. Read here into sets: an
index asks for a million names.
"""

from functools import cache
from pathlib import Path

import publicsuffixlist


def public(name: str) -> bool:
    """Is a name of lower-case ASCII, as profiles have it, a public suffix? Rules: publicsuffix.org/list, Format."""
    exact, wild, excepted = _rules()
    if name in exact or name in wild or "." not in name:
        return True
    return name not in excepted and name.partition(".")[2] in wild


@cache
def _rules() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names that are suffixes, names of which every child is one, and children that are none after all."""
    exact, wild, excepted = set[str](), set[str](), set[str]()
    text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    for line in text.splitlines():
        rule = line.partition(" ")[0]
        if not rule or rule.startswith("//"):
            continue
        rule = rule.lower() if rule.isascii() else rule.lower().encode("idna").decode()
        if rule.startswith("*."):
            wild.add(rule[2:])
        elif rule.startswith("!"):
            excepted.add(rule[1:])
        else:
            exact.add(rule)
    return frozenset(exact), frozenset(wild), frozenset(excepted)
