"""Recognisers for accounts: home folders, and user names in logs, command lines and behind a label.

A pattern starts with one of a few words, and is tried only where one of them stands.
"""

import re

from pii_guard.detect_commands import commands, handed, named, pairs, typed
from pii_guard.detect_fields import fields
from pii_guard.detect_logins import logins
from pii_guard.detect_logs import logged
from pii_guard.login_names import LOGIN_FORM, NO_PERSON, surnamed
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded
from pii_guard.words import WORDS

HOMES = Words(
    *("users", "documents and settings", "gebruikers", "/home/", "/var/mail/", "/spool/cron/", "crontabs/"),
    *("/homes/", "/media/"),
)
_USER_PATH = re.compile(
    r"(?:(?<=[\\/])(?:users|documents and settings|gebruikers)(?:\\+|/)"
    r"(?P<windows>[^\\/:*?\"<>|\r\n%\[\]]{1,40}(?=\\)|[^\\/:*?\"<>|\s%,;)\]]{1,64})"
    r"|(?:(?:(?<![\w.])|(?<=/export)|(?<=/var)|(?<=/data)|(?<=/nfs)|(?<=/srv)|(?<=/net)|(?<=/mnt))/homes?/|"
    r"(?<![\w.])/media/(?=\w+/)|/var/mail/|/spool/cron/|crontabs/)(?P<unix>[^/\s:\"'<>,;)\]$*?]{1,64}))"
)
_SHARE = re.compile(
    r"\\(?:profiles?|profielen|homes?|userdata|redirected|fslogix|users?|gebruikers|personal|"
    r"persoonlijk)\$?(?:\\+)(?P<name>[\w.-]{2,40})"
)
_VALUE = r"[\"'\[<(“‘`]{0,2}(?P<name>[^\s\"'/,;<>%$*()|&:@\]\[“”‘’`{}=?!#]{2,64})"
LABEL_WORDS = Words(
    *("user", "account", "gebruik", "login", "log-in", "logon", "inlognaam", "uid", "usr", "acct", "cn="),
    *("logname", "medewerkern", "/ru", "su -", "owner", "actor", "principal", "operator=", "created", "runas"),
    *("beheerder", "logged", "last user", "current user", "started by", "run by", "run as"),
)
_LABEL = re.compile(
    r"(?:user(?:name|_name|-name|-id|_id|id| ?id| name|principalname)?|account(?: ?name|naam|_name|-name)?|"
    r"gebruikers?(?:naam|-id|account|_id)?|log-?in ?(?:naam|name|id|_id|_name)?|logon(?: ?account| ?name)?|"
    r"inlognaam|uid|usr|acct|logname|"
    r"logged[ -]?(?:on|in)(?: user| as)?|last user|current user|started by|run (?:by|as)|owner(?:_?name)?|"
    r"actor(?:_?name)?|principal|operator|created_?by|medewerkernummer|"
    r"beheerder)(?:(?:s? |-)(?:tried|attempted|used|seen|geprobeerd|gebruikt))?[ .]{0,16}(?:\[\])?[\"']?"
    r"(?P<sign>[ \t]{0,20}(?:=>|->|:(?!:))[ \t]{0,20}|[ \t]{1,20}(?:=|\|(?=[^|"
    r"\n]*(?:\n|$)))[ \t]{1,20}|"
    r"[ \t]=|=(?!\s)|"
    r">(?!<)|[:=][ \t]*\r?\n[ \t]*(?=\S+[ \t]*(?:\r?\n|$)))"
    + _VALUE
    + r"|cn=(?=[a-z0-9._-]+(?:,|\n|$))"
    + _VALUE.replace("<name>", "<cn>")
)
_VAGUE = (
    *("user:", "gebruiker:", "account:", "login:", "log-in:", "owner", "actor", "principal", "operator"),
    *("created", "run ", "beheerder"),
)
"""Behind these a sentence may begin."""
_COMMAND_USER = re.compile(
    r"(?:(?<=--)user(?:name)?[ =]|(?<=net )user\s+|(?<=create )user\s+|(?<=-)user(?:name)?[ :]|(?<=/)user:\s?|"
    r"/ru[ :]\s?|su - |"
    r"(?<=runas )/user:|(?<=\n)user |useradd (?:-\S+ (?:/\S+ )?){0,4}|userdel (?:-\S+ )?|usermod (?:-\S+ \S+ ){0,3})"
    + _VALUE
)
SAID_WORDS = Words(
    *("user", "account", "gebruik", "inlog", "logged", "signed in", "ingelogd", "aangemeld", "password for"),
    *("accepted ", "geslaagd", "mislukt", "credentials of", "profile", "profiel", "adm-", "reset done for"),
    *("uitgelogd", "logs as", "under the", "log in with", "wachtwoord v", "ww v", "password of"),
    *("wachtwoord bij", "hetzelfde als", "modified by", "changed by", "approved by", "uploaded by"),
    *("created by", "released by", "assignee", "author", "reviewer", "approver", "medewerker"),
    *("gewijzigd door", "log in as", "logging in as"),
)
_SAID = re.compile(
    r"(?:(?P<log>invalid user|(?:for|by|of|from|the) user|password for(?: invalid user| user)?|accepted \S+ for|"
    r"user|(?:aanmelding |aangemeld |login )?(?:geslaagd|mislukt)"
    r"|reset done for|logged (?:in|on|out) as|signed in as|in the logs as|ingelogd als|aangemeld als|"
    r"uitgelogd als|inlog(?:d|gen)? als|log(?:ging)? in as|logs as)"
    r"|(?P<word>(?:modified|changed|approved|uploaded|created|released) by|gewijzigd door|gebruikers?naam|"
    r"gebruikers?|inlognaam|inlogaccount|user ?names?|user ?id|users|accounts?|assignee:?|author:?|reviewer:?|"
    r"approver:?|medewerkers?|user accounts?|"
    r"useraccount|gebruikersaccount|"
    r"credentials of|inloggegevens van|profile|profiel|logged (?:in|on)(?: to [\w -]{3,30}?)? (?:with|met)|"
    r"ingelogd met(?: account)?|inloggen met|log in with|(?:wachtwoord|ww|password) (?:voor|van|for|of|bij)|"
    r"hetzelfde als bij|under the account))"
    r"(?:\s(?:is|was|of|van|met|named|called|name|naam|de|account|genaamd)\b){0,3}(?P<gap>\s{1,6}|\s?:\s)" + _VALUE
)
CALLED = Words(
    *("hacker", "verkoper", "seller", "bijnaam", "schuilnaam", "nickname", "online as", "gamer", "dader", "verdachte"),
    "operator",
)
_QUOTED = Quick(
    r"\b(?:hackers?|verkopers?|sellers?|bijnaam|schuilnaam|nickname|online as|gamer ?tag|dader|verdachte|operator)\b"
    r"[:, ]{1,2}(?:[a-z]{1,10} ){0,4}[\"'“‘](?P<name>[\w.-]{3,32})[\"'”’]"
)
"""A name that somebody goes by: `Hacker "n0rdwind"`."""
_ENDS = ("", "\n", "\r", "\t", ",", ";", "|", "]", ")")
"""Behind a name that is all that a label names."""
_ACTING = ("gebruiker", "account", "user account", "useraccount")
_ACTED = re.compile(
    r"[\"'”’)\]]*\s{1,4}(?:from|vanaf|via|logged|authenticated|connected|disconnected|locked|failed|ssh2|"
    r"port|is (?:geblokkeerd|gehackt|misbruikt|gecompromitteerd|compromised|blocked|disabled|locked)|"
    r"aangemeld|ingelogd|logde|heeft|\()"
)
_DOMAIN_USER = re.compile(r"\\{1,2}(?P<name>[A-Za-z][\w.-]{1,40}\$?)(?![\\\w*]|[.-]\w)")
_DOMAIN = re.compile(
    r"(?<![\w\\.%-])(?:[A-Z][A-Z0-9-]{1,14}|AzureAD|[a-z][\w-]{1,30}\.(?:local|lan|nl|corp|example|internal))$"
)
_INITIAL = re.compile(r"[a-z]\.[a-z]{4,}\d*").fullmatch
_SMALL = re.compile(r"(?:^|[\s,;=\"'(|>])[a-z][a-z0-9-]{1,14}$").search
"""A domain in small letters; what stands behind it has to look like a log-in, for folders are written so too."""
_NEXT = re.compile(r"(?:, (?:en |and |of |or )?| en | and | & | of | or |/)[\"'“‘`]?(?P<name>[\w.-]{3,40})")
_BELOW = re.compile(
    r"(?:accounts?|accountnames?|users?|gebruikers?|gebruikersnamen|usernames?|logins?)"
    r"\b[^\n]{0,40}:?[ \t]*\n(?P<ruled>[ \t]*-{3,}[ \t]*\n)?"
    r"(?P<rows>(?:[ \t]*(?:[*•-]|\d+[.)])?[ \t]*[\w.-]{3,40}[ \t]*(?:\n|$)){1,200})"
)
_PLURAL = Words("account", "user", "gebruiker", "login")
_BELOW_ROW = re.compile(r"(?P<name>[\w.-]{3,40})[ \t]*(?:\n|$)")
_HIVES = WORDS["not-domains"]


def user_paths(text: str) -> Found:
    """Names in home folders."""
    lower = folded(text)
    for at in HOMES.places(lower):
        match = _USER_PATH.match(lower, at)
        if match:
            group = "windows" if match.group("windows") else "unix"
            name = match.group(group)
            if name not in NO_PERSON and not name.startswith(("<", "%", "$", "[", "*", "{", ".")):
                yield Span("username", *match.span(group), 0.9, "user-path")
    for match in _SHARE.finditer(lower) if "\\" in text else ():
        if match.group("name") not in NO_PERSON:
            yield Span("username", *match.span("name"), 0.7, "user-path")


def user_names(text: str) -> Found:
    """User names behind a label, in command lines and in logs."""
    lower = folded(text)
    for at in LABEL_WORDS.places(lower):
        glued = at and lower[at - 1].isalpha() and not lower.startswith(("user", "account", "login"), at)
        match = None if glued else _LABEL.match(lower, at) or _COMMAND_USER.match(lower, at)
        if match:
            group = "name" if match.group("name") else "cn"
            spaced = (
                match.re is _LABEL and (match.group("sign") or "").endswith(" ") and match.group().startswith(_VAGUE)
            )
            vague = spaced and _is_word(match.group(group)) and not _alone(lower, match.end(), match.group())
            yield from named(match, group, lower, 0.3 if vague and not LOGIN_FORM(match.group(group)) else 0.7)
            yield from _more(lower, match.end())
    for at in SAID_WORDS.places(lower):
        glued = at and lower[at - 1].isalpha() and not lower.startswith(("user", "account"), at)
        match = None if glued else _SAID.match(lower, at)
        if match:
            yield from _said(match, text, lower)
    yield from _domain_users(text, lower)
    for match in _QUOTED.finditer(lower) if CALLED.any(lower) else ():
        yield from named(match, "name", lower, 0.6)
    for at in _PLURAL.places(lower) if "\n" in text else ():
        block = _BELOW.match(lower, at)
        for row in _BELOW_ROW.finditer(lower, *block.span("rows")) if block else ():
            if (block and block.group("ruled")) or LOGIN_FORM(row.group("name")):
                yield from named(row, "name", lower, 0.6)
    yield from fields(lower)
    yield from logins(text, lower)
    yield from logged(text, lower)
    yield from commands(lower)
    yield from handed(lower)
    yield from pairs(lower)
    yield from typed(text, lower)


def _domain_users(text: str, lower: str) -> Found:
    for match in _DOMAIN_USER.finditer(text) if "\\" in text else ():
        start, name = match.start(), match.group("name")
        domain = _DOMAIN.search(text, max(0, start - 16), start)
        if domain and domain.group() not in _HIVES:
            yield from named(match, "name", lower, 0.7)
        elif (surnamed(name) or _INITIAL(name)) and _SMALL(text, max(0, start - 17), start):
            yield from named(match, "name", lower, 0.6)


def _more(lower: str, end: int) -> Found:
    """Names that follow one, in a row: `accounts: root, jjansen, pdevries en kbakker`."""
    while match := _NEXT.match(lower, end):
        name = match.group("name").rstrip(".")
        if name and not LOGIN_FORM(name) and name not in NO_PERSON:
            return  # of dots alone nothing is left, and the row goes on
        yield from named(match, "name", lower, 0.6)
        end = match.end()


def _alone(lower: str, end: int, label: str) -> bool:
    """Is it all that stands behind a label for a log-in? Then it is no sentence."""
    known = label.startswith(("user", "account", "log", "gebruiker"))
    return known and (lower[end : end + 1] in _ENDS or lower.startswith("  ", end))


def _is_word(name: str) -> bool:
    return name.rstrip(".").isalpha()


def _does(match: re.Match[str], lower: str, name: str) -> bool:
    """Does it what a user does: `user jan logged in`? (`the account was used from` is none.)"""
    acting = match.group("log") or match.group("word") in _ACTING
    return bool(acting and _ACTED.match(lower, match.end())) and not name.endswith(("ed", "ly"))


def _alone_behind(match: re.Match[str], lower: str) -> bool:
    """Is it all that stands behind a colon, or in its column?"""
    gap, end = match.group("gap"), match.end()
    labelled = ":" in gap or len(gap) > 1
    return labelled and (lower[end : end + 1] in _ENDS or lower.startswith("  ", end))


def _said(match: re.Match[str], text: str, lower: str) -> Found:
    """Behind a word for it: what has the form of a log-in, stands in quotes, or does what a user does."""
    name = match.group("name").rstrip(".")
    start = match.start("name")
    if LOGIN_FORM(name) or text[start - 1] in "\"'“‘`[<" or _does(match, lower, name) or _alone_behind(match, lower):
        yield from named(match, "name", lower, 0.6)
        yield from _more(lower, match.end())
