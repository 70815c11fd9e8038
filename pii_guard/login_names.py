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


_OF_PROGRAM = re.compile(r"(?:svc|srv|sa|sys|app|test|demo|service)[_-]?\d*|(?:svc|srv|sys)[_-].*").fullmatch
"""Accounts of services, and for trying."""
_RANDOM = re.compile(r"(?=.*\d.*\d.*\d)[a-z0-9]{15,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
"""What programs number things by."""


def user(lower: str, start: int, end: int, confidence: float) -> Found:
    name = lower[start:end].rstrip(".,:;)!?-")
    cut = name.rfind("\\") + 1
    start, name = start + cut, name[cut:]
    if (
        _OF_PROGRAM(name)
        or (len(name) > 14 and _RANDOM(name))
        or lower[start + len(name) : start + len(name) + 1] == "$"
        or "redacted" in name
        or lower.startswith("://", end)
    ):
        return  # a machine's account; nobody's; a URL
    if len(name) > 1 and name not in NO_PERSON and name[0] not in "-<[{.+" and not name.isdigit():
        yield Span("username", start, start + len(name), confidence, "user-name")
