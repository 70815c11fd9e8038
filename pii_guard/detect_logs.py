"""Recognisers for accounts in log lines and in what programs print, each by its form."""

import re

from pii_guard.log_forms import FORMS
from pii_guard.login_names import user
from pii_guard.quick import Quick
from pii_guard.span import Found, Signed, Words

_SIGNED = Signed(FORMS)
WORDS = Words(*(word for words, _ in FORMS for word in words), " for ", " voor ", cased=True)
_BEHIND_FOR = (
    r" (?:(?:invalid )?(?:user|gebruiker) )?['\"\[]?(?P<name>[\w.\\-]{2,64})"
    r"(?=['\"\]]|/\w+ \(| from | vanaf | \(|\s*(?:\n|$))"
)
_FOR = ((" for ", Quick(" for" + _BEHIND_FOR)), (" voor ", Quick(" voor" + _BEHIND_FOR)))
_FORS = Words(*(sign for sign, _ in _FOR), cased=True)
_LOGGED = Words("]", "pam_", "sudo", "ogin", "ogon", "og-in", "og-on", "anmeld", "nlog", "uthenticat", cased=True)
_LOGGING = re.compile(
    r"\w\[\d+\]|pam_\w|sshd|sudo|login"
    r"|\d\d:\d\d:\d\d[^\n]{0,120}?(?:[Ll]og-?[io]n|[Aa]anmeld|[Ii]nlog|uthenticat)"
)
"""What stands somewhere before `_FOR` in its line."""
_NAME_BEFORE = re.compile(r"(?<![\w.@/-])[a-z_][\w.-]{1,31}$")


def logged(text: str, lower: str) -> Found:
    """User names in the forms of `log_forms`; where a form has no place for the name, it stands before it."""
    for pattern in _SIGNED.of(text):
        for match in pattern.finditer(text):
            if "name" in pattern.exact.groupindex:
                yield from user(lower, *match.span("name"), 0.7)
            elif before := _NAME_BEFORE.search(text, max(0, match.start() - 40), match.start()):
                yield from user(lower, *before.span(), 0.7)
    for sign, pattern in _FOR if _FORS.any(text) and _LOGGED.any(text) else ():
        for match in pattern.finditer(text) if sign in text else ():
            line = text.rfind("\n", max(0, match.start() - 200), match.start()) + 1
            if _LOGGING.search(text, max(line, match.start() - 200), match.start()):
                yield from user(lower, *match.span("name"), 0.7)
