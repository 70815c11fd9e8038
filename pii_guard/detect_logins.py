"""Recogniser for log-ins by what they look like (`j.jansen`), by the name beside them, and in lists of Windows."""

import re
import unicodedata
from string import ascii_lowercase

from pii_guard.login_names import LOGIN_FORM, SURNAMES, surnamed, user
from pii_guard.span import Found, Words
from pii_guard.words import WORDS

_TAIL = r"(?![\w(@/\\=\[-]|\.\w|:\S|\s?[=!]=?)"
INITIALS = Words(*(f"{sign}{letter}." for sign in " \t\n\"'(<>|;,=:[#" for letter in ascii_lowercase))
_INITIAL = re.compile(r"[a-z]\.(?:(?:van|de|den|der|ten|ter|te)\.)?(?P<rest>[a-z]{3,24})\d{0,4}" + _TAIL)
_NAMES = WORDS["given-names"] - {"sam", "job", "cas", "sem", "peer", "iris", "chris", "merel", "jules", "ted"}
GIVEN = Words(*(f"{name}." for name in _NAMES))
_GIVEN = re.compile(r"[a-z]{2,14}\.(?:[a-z]{1,3}\.){0,2}(?P<rest>[a-z]{3,24})\d{0,4}" + _TAIL)
_CODE = WORDS["not-surnames"]
OPENED = Words(
    *(f" {sign}{letter}" for sign in ("(", "- ", "– ", "— ", "| ", "/ ") for letter in ascii_lowercase), cased=True
)
_OPENED = re.compile(r" (?:\((?=[^\s)]{4,25}\))|[-–—|/] )(?P<login>[a-z][a-z0-9._-]{3,24})(?=[)\s,;|/]|$)")
_BESIDE = re.compile(r"[^\W\d_a-z][^\W\d_]{1,40} (?:\(|[-–—|/] )[a-z][a-z0-9._-]{3}").search
_BEFORE = re.compile(
    r"(?P<given>[^\W\d_a-z][^\W\d_]{1,19}(?:-[^\W\d_]+)?) (?:[A-Z]\. ?){0,2}"
    r"(?P<between>(?:(?:van|de|der|den|het|ten|ter|te|el|al|von|da|di|la|le) ){0,3})"
    r"(?P<last>[^\W\d_a-z][^\W\d_A-Z][^\W\d_]{0,23}(?:-[A-Z][^\W\d_]+)?)"
    r" [(/|–—-] ?$"
)
"""A person's name, before its log-in: `Joris Bleeker (jbleeker2)`."""
ENDS = Words(*SURNAMES)
_WHOLE = re.compile(r"(?<![\w@.\\/$-])(?P<letters>[a-z]{4,24})\d{0,4}(?![\w@(=\\/$]|-\w|\.\w)")
AS = Words(" as ", " als ")
_LOGGING = re.compile(
    r"(?:log(?:s|ged|ging|t)?[ -]?(?:in|on)|sign(?:s|ed)? in|ingelogd|inlog(?:gen|d)|aangemeld|authenticated|"
    r"sessi(?:on|e))(?: (?:in(?:to)?|to|on|from|op|bij|vanaf|vanuit|van) [^\n]{2,40}?)?$"
).search
_LOGGED = re.compile(r"log|sign|aangemeld|authenticated|sessi").search
_AS = re.compile(
    r" (?:as|als) [\"'“‘]?(?P<name>[a-z][a-z0-9._-]{3,32})[\"'”’]?"
    r"(?=[.,;:)]?\s*(?:\n|$)|[.,;:)] | (?:from|vanaf|via|on|op|at|om|with|met|and|en|using)\b)"
)
_NO_LOGIN = {
    *("usual", "expected", "well", "normal", "another", "anyone", "guests", "admins", "before", "above", "below"),
    *("follows", "gewoonlijk", "volgt", "intended", "verwacht", "someone", "iemand", "altijd", "always"),
}
WROTE = Words(" schreef", " wrote", " plaatste", " posted", " reageerde")
SELLERS = Words("seller", "verkoper", "hacker", "dader")
_SELLER = re.compile(r"[a-z]+(?: is|:)? (?P<name>(?=[\w.-]{0,31}[_\d])[a-z][\w.-]{2,31})")
"""What somebody is called who sells."""
LISTS = Words(
    *("net user", "net group", "net localgroup", "user accounts for", "gebruikersaccounts voor", "members\n", "leden\n")
)
LABELS = Words("user name  ", "username  ", "gebruikersnaam  ", "aanmeldnaam  ", "login  ", "account  ")
_LIST = re.compile(
    r"(?:net (?:user|(?:local)?group)[^\n]{0,80}|(?:user accounts for|gebruikersaccounts voor) [^\n]{2,64}|members"
    r"|leden)\r?\n(?:\s*-{20,}\s*\n)?(?P<rows>(?:[ \t]*\S{2,20}(?:[ \t]{2,24}\S{2,20}){0,3}[ \t]*(?:\r?\n|$)){1,200})"
)
_CELL = re.compile(r"[a-z][\w.-]{1,19}(?=\s|$)")
_JOINED = re.compile(r"[\w.@/\\$&-]").fullmatch
_MOST = 8
"""Letters before a surname: two initials, and `vanden`."""
_LABELLED = re.compile(r"[a-z ]{5,14}[ \t]{2,24}(?P<name>[a-z][\w.-]{1,19})[ \t]*(?:\r?\n|$)")


def likely(text: str, lower: str) -> bool:
    """Is there what may be a log-in: `j.jansen`, a name with a word beside it, a surname behind a small letter?"""
    if text[1:2] == "." or (OPENED.any(text) and _BESIDE(text)) or (AS.any(lower) and _LOGGED(lower)):
        return True
    return any(at and text[at - 1].islower() for at in ENDS.places(lower))


def logins(text: str, lower: str) -> Found:
    """Log-ins by their form, their owner, where they stand in a sentence, and in lists."""
    yield from _dotted(text, lower)
    for at in OPENED.places(text):
        match = _OPENED.match(text, at) if _is_beside(text, at) else None
        before = _BEFORE.search(text, max(0, at - 64), match.start("login")) if match else None
        if match and before and _made_of(match.group("login"), *before.group("given", "between", "last")):
            yield from user(lower, *match.span("login"), 0.6)
    for at in ENDS.places(lower):
        yield from _surnamed(text, lower, at)
    yield from _listed(lower)
    for at in AS.places(lower):
        match = _AS.match(lower, at)
        if match and match.group("name").rstrip(".") not in _NO_LOGIN and _LOGGING(lower, max(0, at - 60), at):
            yield from user(lower, *match.span("name"), 0.6)
    for at in WROTE.places(lower):
        start = lower.rfind("\n", 0, at) + 1
        if 3 < at - start < 33 and LOGIN_FORM(lower[start:at]):
            yield from user(lower, start, at, 0.6)
    for at in SELLERS.places(lower):
        if (match := _SELLER.match(lower, at)) and LOGIN_FORM(match.group("name").rstrip(".")):
            yield from user(lower, *match.span("name"), 0.6)


def _is_beside(text: str, at: int) -> bool:
    """Does a word with a capital stand before?"""
    return text[text.rfind(" ", max(0, at - 30), at) + 1].isupper()


def _surnamed(text: str, lower: str, at: int) -> Found:
    """`mvdberg`: an initial before a surname that begins there."""
    start = at
    while start and at - start < _MOST and text[start - 1].islower():
        start -= 1
    if at > start and (match := _WHOLE.match(text, start)) and surnamed(match.group("letters")):
        yield from user(lower, *match.span(), 0.6)


def _dotted(text: str, lower: str) -> Found:
    """`j.jansen`, `joris.bleeker`."""
    starts = [at + 1 for at in INITIALS.places(lower)]
    named = GIVEN.places(lower)
    if (starts or named or lower[1:2] == ".") and not ("select " in lower and " from " in lower):  # columns by a letter
        for at in (0, *starts):
            match = _INITIAL.match(text, at)
            if match and match.group("rest") not in _CODE:
                yield from user(lower, *match.span(), 0.6)
        for at in named:
            match = None if at and _JOINED(text[at - 1]) else _GIVEN.match(text, at)
            if match and match.group("rest") not in _CODE:
                yield from user(lower, *match.span(), 0.6)


def _listed(lower: str) -> Found:
    """What `net user` and `net group` print."""
    for at in LISTS.places(lower):
        match = _LIST.match(lower, at)
        for cell in _CELL.finditer(lower, *match.span("rows")) if match else ():
            yield from user(lower, *cell.span(), 0.6)
    for at in LABELS.places(lower):
        if match := _LABELLED.match(lower, at):
            yield from user(lower, *match.span("name"), 0.6)


def _plain(name: str) -> str:
    """Letters of a log-in: without accents, small."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()))


def _made_of(login: str, given: str, between: str, last: str) -> bool:
    """Is the log-in made of the name: `jdevries`, `vriesj`, `jan.devries`, `jandv` of Jan de Vries?"""
    letters, first, final = _plain(login), _plain(given), _plain(last)
    ends = [final, _plain(between) + final, "".join(word[0] for word in between.split()) + final]
    if not first or len(letters) < 4 or len(final) < 2:
        return False
    if letters[0] == first[0] and any(_begins(letters[1:], end) for end in ends):
        return True
    if "." in login or "_" in login:
        return letters.startswith(first) and any(_begins(letters[len(first) :], end) for end in ends)
    return any(letters.startswith(end) and first.startswith(letters[len(end) :]) for end in ends if letters != end)


def _begins(part: str, whole: str) -> bool:
    return len(part) > 1 and (whole.startswith(part) or part == whole)
