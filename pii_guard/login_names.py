"""What the recognisers of accounts share: which words are the name of somebody's account."""

import re

from pii_guard.span import Found, Span
from pii_guard.words import WORDS

NO_PERSON = WORDS["no-person"]
"""Names that stand for no person."""
LOGIN_FORM = re.compile(
    r"(?=.*[\d._\\-])(?=.*[a-z].*[a-z])[a-z][\w.\\-]*[a-z0-9$]|[a-z]+\d+[a-z\d]*|(?![tpbcdfgkvw]r|[bcpfgsk]l|"
    r"s[tpckmnwh]|[tcswpgk]h|kn|wr|tw|zw|dw|ps|sy|ty|by|my|gy|cy)[b-df-hj-np-tv-xz][b-df-hj-np-tv-z][a-z]{3,}"
    r"|[a-z]van[a-z]{4,}|[a-z]{1,2}vd[a-z]{3,}|[a-z]de[bvwjgk][a-z]{3,}"
).fullmatch
"""`j.jansen`, `jansen04`, `jdevries`: what words of a sentence do not look like."""
SURNAMES = WORDS["surnames"]
"""Common ones, as log-ins are made of them."""
_BETWEEN = ("", "van", "vd", "de", "v", "vande", "vanden", "vander", "den", "der", "te", "ter", "ten")
_USUAL = re.compile(
    r"(?:[tpbcdfgkvw]r|[bcpfgskv]l|s[tpckmnwh]|[tcswpgk]h|kn|wr|tw|zw|dw|ps).{3,6}|[aeiou].{3}|(?:.[aeiouy]|[aeiouy].)"
).fullmatch
"""How words of a sentence begin, and two initials seldom do."""
_OF_PROGRAM = re.compile(
    r"(?:svc|srv|sa|sys|app|test|demo|service)[_-]?\d*|(?:svc|srv|sys|app|bot|api)[_-].*"
    r"|.*[_-](?:svc|service|daemon|bot|sync|role|api|config)"
).fullmatch
"""Accounts of services, and for trying."""
_HOST = re.compile(r"[\w.-]+\.(?:example|com|net|org|nl|be|eu|io|local|lan|internal|corp|exe|dll)").fullmatch
"""A host, a program: what stands behind a label as well."""
_RANDOM = re.compile(r"(?=.*\d.*\d.*\d)[a-z0-9]{15,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
"""What programs number things by."""


def surnamed(letters: str) -> bool:
    """`mvdberg`, `ehuizinga`: an initial, or two, and a surname?"""
    if letters[1:] in SURNAMES:
        return not _USUAL(letters)
    return any(
        letters[first:].removeprefix(between) in SURNAMES
        for first in (1, 2)
        if first == 1 or not _USUAL(letters[:2])
        for between in _BETWEEN
        if between or first == 2
        if letters.startswith(between, first)
    )


def user(lower: str, start: int, end: int, confidence: float) -> Found:
    """The account that is called so, without its domain; nothing where the name is no person's."""
    name = lower[start:end].rstrip(".,:;)!?-")
    cut = name.rfind("\\") + 1
    start, name = start + cut, name[cut:]
    if (
        _OF_PROGRAM(name)
        or ("." in name and _HOST(name))
        or (len(name) > 14 and _RANDOM(name))
        or lower[start + len(name) : start + len(name) + 1] == "$"
        or "redacted" in name
        or lower.startswith(("://", "="), end)
    ):
        return  # a machine's account; nobody's; a URL
    if len(name) > 1 and name not in NO_PERSON and name[0] not in "-<[{.+" and not name.isdigit():
        yield Span("username", start, start + len(name), confidence, "user-name")
