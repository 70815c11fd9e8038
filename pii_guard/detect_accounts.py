"""Recognisers for accounts: home folders, and user names in logs, command lines and behind a label.

A pattern starts with one of a few words, and is tried only where one of them stands.
"""

import re

from pii_guard.span import Found, Span, folded, places
from pii_guard.words import WORDS

_HOMES = ("users", "documents and settings", "gebruikers", "/home/", "/var/mail/", "/spool/cron/", "crontabs/")
_USER_PATH = re.compile(
    r"(?:(?<=[\\/])(?:users|documents and settings|gebruikers)(?:\\+|/)"
    r"(?P<windows>[^\\/:*?\"<>|\r\n%\[\]]{1,40}(?=\\)|[^\\/:*?\"<>|\s%,;)\]]{1,64})"
    r"|(?:(?<![\w.])/home/|/var/mail/|/spool/cron/|crontabs/)(?P<unix>[^/\s:\"'<>,;)\]$*?]{1,64}))"
)
_SHARE = re.compile(
    r"\\(?:profiles?|profielen|homes?|userdata|redirected|fslogix|users?|gebruikers|personal|"
    r"persoonlijk)\$?(?:\\+)(?P<name>[\w.-]{2,40})"
)
NO_PERSON = WORDS["no-person"]
"""Names that stand for no person."""
_VALUE = r"[\"'\[<(“‘`]{0,2}(?P<name>[^\s\"'/,;<>%$*()|&:@\]\[“”‘’`{}=?!#]{2,64})"
LABEL_WORDS = (
    *(
        "user",
        "account",
        "gebruik",
        "login",
        "log-in",
        "logon",
        "inlognaam",
        "uid",
        "usr",
        "acct",
        "cn=",
        "logname",
        "medewerkern",
    ),
    *(
        "/ru",
        "su -",
        "owner",
        "actor",
        "principal",
        "operator=",
        "created",
        "runas",
        "beheerder",
        "logged",
        "last user",
    ),
    *("current user", "started by", "run by", "run as"),
)
_LABEL = re.compile(
    r"(?:user(?:name|_name|-name|-id|_id|id| ?id| name|principalname)?|account(?: ?name|naam|_name|-name)?|"
    r"gebruikers?(?:naam|-id|account|_id)?|log-?in ?(?:naam|name|id|_id|_name)?|logon(?: ?account| ?name)?|"
    r"inlognaam|uid|usr|acct|logname|"
    r"logged[ -]?(?:on|in)(?: user| as)?|last user|current user|started by|run (?:by|as)|owner(?:_?name)?|"
    r"actor(?:_?name)?|principal|operator|created_?by|medewerkernummer|"
    r"beheerder)(?:\[\])?[\"']?(?P<sign>\s?(?:[:=]|=>|->)\s{0,20}|>)"
    + _VALUE
    + r"|cn=(?=[a-z0-9._-]+(?:,|\n|$))"
    + _VALUE.replace("<name>", "<cn>")
)
_VAGUE = (
    "user:",
    "account:",
    "login:",
    "log-in:",
    "owner",
    "actor",
    "principal",
    "operator",
    "created",
    "run ",
    "beheerder",
)
"""Behind these a sentence may begin."""
_COMMAND_USER = re.compile(
    r"(?:(?<=--)user(?:name)?[ =]|(?<=net )user\s+|(?<=create )user\s+|(?<=-)user(?:name)?[ :]|(?<=/)user:\s?|"
    r"/ru[ :]\s?|su - |"
    r"(?<=runas )/user:|(?<=\n)user |useradd (?:-\S+ ){0,4}|userdel (?:-\S+ )?|usermod (?:-\S+ \S+ ){0,3})" + _VALUE
)
SAID_WORDS = (
    *(
        "user",
        "account",
        "gebruik",
        "inlog",
        "logged",
        "signed in",
        "ingelogd",
        "aangemeld",
        "password for",
        "accepted ",
    ),
    *(
        "geslaagd",
        "mislukt",
        "credentials of",
        "profile",
        "profiel",
        "adm-",
        "reset done for",
        "uitgelogd",
        "logs as",
        "under the",
    ),
)
_SAID = re.compile(
    r"(?:(?P<log>invalid user|(?:for|by|of|from|the) user|password for(?: invalid user| user)?|accepted \S+ for|"
    r"user|(?:aanmelding |aangemeld |login )?(?:geslaagd|mislukt)"
    r"|reset done for|logged (?:in|on|out) as|signed in as|in the logs as|ingelogd als|aangemeld als|"
    r"uitgelogd als|inlogd? als|logs as)"
    r"|(?P<word>gebruikers?naam|gebruikers?|inlognaam|inlogaccount|user ?names?|userid|accounts?|user accounts?|"
    r"useraccount|gebruikersaccount|"
    r"credentials of|inloggegevens van|profile|profiel|logged (?:in|on)(?: to [\w -]{3,30}?)? (?:with|met)|"
    r"ingelogd met(?: account)?|under the account))"
    r"(?:\s(?:is|was|of|van|met|named|called|name|account|genaamd)\b){0,2}(?P<gap>\s{1,6}|\s?:\s)" + _VALUE
)
_LOGIN_FORM = re.compile(
    r"(?=.*[\d._\\-])(?=.*[a-z].*[a-z])[a-z][\w.\\-]*[a-z0-9$]|[a-z]+\d+[a-z\d]*|(?![tpbcdgkv]r|[bcpfgsk]l|"
    r"s[tpckmnwh]|[tcswpgk]h|kn|wr|tw|zw|dw|ps|sy|ty|by|my|gy|cy)[b-df-hj-np-tv-xz][b-df-hj-np-tv-z][a-z]{3,}"
    r"|[a-z]van[a-z]{4,}|[a-z]de[bvwjgk][a-z]{3,}"
).fullmatch
"""`j.jansen`, `jansen04`, `jdevries`: what words of a sentence do not look like."""
_ACTED = re.compile(
    r"[\"'”’)\]]*\s{1,4}(?:from|vanaf|via|logged|authenticated|connected|disconnected|locked|failed|ssh2|"
    r"port|\()"
)
_DOMAIN_USER = re.compile(r"\\{1,2}(?P<name>[A-Za-z][\w.-]{1,40}\$?)(?![\\\w*]|[.-]\w)")
_DOMAIN = re.compile(r"(?<![\w\\.%-])[A-Z][A-Z0-9-]{1,14}$")
_HIVES = WORDS["not-domains"]
REMOTE_WORDS = ("ssh ", "scp ", "sftp ", "rsync ", "plink", "putty")
_REMOTE = re.compile(
    r"(?:ssh|scp|sftp|rsync|plink|putty)(?:\.exe)?\s[^\n|;&]{0,200}?(?<![\w.\\/-])(?P<name>[\w.-]{2,64})@(?=[\w\[])"
)
COMMANDS = (
    *(
        "plink",
        "psexec",
        "putty",
        "ssh ",
        "mysql",
        "psql",
        "smbclient",
        "curl",
        "wget",
        "net use",
        "rdesktop",
        "xfreerdp",
        "cmdkey",
        "sshpass",
    ),
    *(
        "wmic",
        "mstsc",
        "crackmapexec",
        "nxc",
        "evil-winrm",
        "ldapsearch",
        "sqlcmd",
        "hydra",
        "mysqldump",
        "secretsdump",
        "redis-cli",
        "crontab",
        "net user",
    ),
)
_FLAG = re.compile(
    r"[ \t][-/]{1,2}(?P<flag>l|u|user|username|p|pw|pass|password|a)[ :=]\s?[\"']?(?P<name>[^\s\"'|;&]{2,64})"
)
_WITH_PASSWORD = re.compile(
    r"(?:net user? \S+ (?:\S+ )?(?:/user:\S+ )?|mysql(?:dump)?(?: -[a-z]\s?\S+| --\S+){0,6} -p|sshpass -p ?)"
    r"(?P<secret>(?=[^\s/]{0,40}[\d!@#$%^&*])[^\s/\\-][^\s/\\]{3,64})"
)
FORMS = (
    (" - ", re.compile(r" - (?<=[\da-f] - )(?P<name>[\w.@\\-]{2,64}) \[\d{1,2}/")),  # common log format
    ("HIER_", re.compile(r" (?P<name>[a-z][\w.\\-]{1,40}) HIER_")),  # squid
    ("]", re.compile(r"\[(?P<name>[a-z][\w.-]{1,32})@[\w.-]{1,64} [~/][^\]\n]{0,64}\][$#]")),  # [jan@web01 ~]$
    ("@", re.compile(r"@[\w.-]{1,64}:[~/][^\s$#]{0,64}[$#]")),  # jan@web01:~$
    (":/", re.compile(r":[x*!]?:\d{1,6}:\d{1,6}:[^:\n]{0,100}:/")),  # /etc/passwd
    ("uid=", re.compile(r"uid=\d+\((?P<name>[\w.-]{2,32})\)")),
    (
        "rw",
        re.compile(r"[bcdlps-](?:[r-][w-][xsStT-]){3}[.+]?\s+\d+\s+(?P<name>[a-z_][\w.-]{1,31})\s+\S+\s+\d"),
    ),  # ls -l
    ("pts/", re.compile(r"[ \t]{1,24}pts/\d+\s")),  # who, last
    ("sudo", re.compile(r"sudo(?:\[\d+\])?:\s+(?P<name>[\w.-]{2,32}) : ")),
    ("su: ", re.compile(r"su: (?P<name>[\w.-]{2,32}) to ")),
    (":user/", re.compile(r":user/(?P<name>[\w.-]{2,40})(?![\w/])")),  # AWS
    ("openvpn", re.compile(r"/(?=\d{1,3}(?:\.\d{1,3}){3}:\d)")),  # OpenVPN
    ("~", re.compile(r"~(?<![\w/]~)(?P<name>[a-z][\w-]{2,31})/")),
    ("'@", re.compile(r"'(?P<name>[\w.-]{2,32})'@'")),  # an account of MySQL
    ("ogin ", re.compile(r"ogin (?:OK|incorrect)[^\[\n]{0,24}\[(?P<name>[^\]\s@/]{2,64})\]")),  # RADIUS
)
_NAME_BEFORE = re.compile(r"(?<![\w.@/-])[a-z_][\w.-]{1,31}$")
_BOTH = r"(?P<secret>(?=[^\s,;|]{0,40}[\d!@#$%^&*])(?=[^\s,;|]{0,40}[a-z])[^\s,;|:/]{4,64})(?=[ \t]*(?:\n|$|[,;]))"
_INLINE = re.compile(r"(?:: |account )(?P<name>[a-z][\w.-]{1,40}) / " + _BOTH)
_PAIR = re.compile(r"\n[\s*>-]{0,8}(?P<name>[a-z][\w.-]{1,40})(?: [/|] |:|;|\t)" + _BOTH)
_LINES = re.compile(
    r"\n[\s*>-]{0,8}(?P<name>[a-z][\w.-]{2,40})(?P<sign>: | )(?P<secret>[^\s,;|:/]{4,64})(?=[ \t]*(?:\n|$))"
)
_TABBED = re.compile(r"\n(?P<name>[a-z]+\.[a-z]{2,24})[\t;|](?=[ ]?\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{1,4}:)")
LISTED = (
    *(
        "combo",
        "credential",
        "inlog",
        "login",
        "log-in",
        "wachtwoord",
        "password",
        "aanmeldgegevens",
        "leak",
        "dump",
        "gelekt",
        "pairs",
    ),
    *("account", "vpn", "user", "gebruiker", "sessi"),
)
_NO_PAIR = re.compile(
    r"(?:sha|md)\d+|http.*|port|version|versie|build|date|time|ssdeep|imphash|id|[a-z]{1,2}|ja3\w*|tlp|cve|file|"
    r"size|ref\w*"
).fullmatch
_HASH = re.compile(r"[0-9a-f]{16,}").fullmatch


def user_paths(text: str) -> Found:
    """Names in home folders."""
    lower = folded(text)
    for at in places(lower, _HOMES):
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
    for at in places(lower, LABEL_WORDS):
        glued = at and lower[at - 1].isalpha() and not lower.startswith(("user", "account", "login"), at)
        match = None if glued else _LABEL.match(lower, at) or _COMMAND_USER.match(lower, at)
        if match:
            group = "name" if match.group("name") else "cn"
            spaced = (
                match.re is _LABEL and (match.group("sign") or "").endswith(" ") and match.group().startswith(_VAGUE)
            )
            yield from _named(match, group, lower, 0.3 if spaced and _is_word(match.group(group)) else 0.7)
    for at in places(lower, SAID_WORDS):
        match = _SAID.match(lower, at)
        if match:
            yield from _said(match, text, lower)
    for match in _DOMAIN_USER.finditer(text) if "\\" in text else ():
        domain = _DOMAIN.search(text, max(0, match.start() - 16), match.start())
        if domain and domain.group() not in _HIVES:
            yield from _named(match, "name", lower, 0.7)
    for needle, pattern in FORMS:
        for match in pattern.finditer(text) if needle in text else ():
            if "name" in pattern.groupindex:
                yield from _named(match, "name", lower, 0.7)
            elif before := _NAME_BEFORE.search(text, max(0, match.start() - 40), match.start()):
                yield from _user(lower, *before.span(), 0.7)
    yield from _commands(lower)
    yield from _pairs(lower)


def _is_word(name: str) -> bool:
    return name.rstrip(".").isalpha()


def _said(match: re.Match[str], text: str, lower: str) -> Found:
    """Behind a word for it: what has the form of a log-in, stands in quotes, or does what a user does."""
    name = match.group("name").rstrip(".")
    start = match.start("name")
    acted = match.group("log") and _ACTED.match(lower, match.end())
    if _LOGIN_FORM(name) or text[start - 1] in "\"'“‘`[<" or acted or len(match.group("gap")) > 1:
        yield from _named(match, "name", lower, 0.6)


def _commands(lower: str) -> Found:
    for at in places(lower, REMOTE_WORDS) if "@" in lower else ():
        match = _REMOTE.match(lower, at)
        if match:
            yield from _named(match, "name", lower, 0.7)
    for at in places(lower, COMMANDS):
        end = lower.find("\n", at)
        for match in _FLAG.finditer(lower, at, min(at + 300, end if end > 0 else len(lower))):
            if match.group("flag").startswith(("l", "u")):
                yield from _named(match, "name", lower, 0.7)
                _, colon, secret = match.group("name").partition(":")
                if colon and secret:
                    yield Span("credential", match.end() - len(secret), match.end(), 0.8, "command-password")
            elif not match.group("name").isdigit():  # a port
                yield Span("credential", *match.span("name"), 0.8, "command-password")
        secret_of = _WITH_PASSWORD.match(lower, at)
        if secret_of:
            yield Span("credential", *secret_of.span("secret"), 0.8, "command-password")


def _pairs(lower: str) -> Found:
    """A log-in and its password: a line of both, or behind a word for them."""
    if " / " in lower:
        for match in _INLINE.finditer(lower):
            yield from _named(match, "name", lower, 0.7)
            yield Span("credential", *match.span("secret"), 0.7, "pair")
    listed = any(map(lower.__contains__, LISTED))
    if not listed and " / " not in lower:
        return
    lined = f"\n{lower}"
    for match in _PAIR.finditer(lined):
        name, secret = match.group("name", "secret")
        if (listed or " / " in match.group()) and not _NO_PAIR(name) and not _HASH(secret) and name not in NO_PERSON:
            yield from _user(lower, match.start("name") - 1, match.end("name") - 1, 0.7)
            yield Span("credential", match.start("secret") - 1, match.end("secret") - 1, 0.7, "pair")
    for match in _LINES.finditer(lined) if "password" in lower or "wachtwoord" in lower else ():
        name, secret = match.group("name", "secret")
        mixed = any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
        if _LOGIN_FORM(name) and (mixed or match.group("sign") == ": ") and not _HASH(secret):
            yield from _user(lower, match.start("name") - 1, match.end("name") - 1, 0.6)
            yield Span("credential", match.start("secret") - 1, match.end("secret") - 1, 0.6, "pair")
    for match in _TABBED.finditer(lined):
        yield from _user(lower, match.start("name") - 1, match.end("name") - 1, 0.6)


def _named(match: re.Match[str], group: str, lower: str, confidence: float) -> Found:
    start, end = match.span(group)
    if match.re is _FLAG:
        end = start + len(match.group(group).partition(":")[0])
    yield from _user(lower, start, end, confidence)


def _user(lower: str, start: int, end: int, confidence: float) -> Found:
    name = lower[start:end].rstrip(".,:;)!?-")
    cut = name.rfind("\\") + 1
    start, name = start + cut, name[cut:]
    if lower[start + len(name) : start + len(name) + 1] == "$" or "redacted" in name or lower.startswith("://", end):
        return  # a machine's account; nobody's; a URL
    if len(name) > 1 and name not in NO_PERSON and name[0] not in "-<[{.+" and not name.isdigit():
        yield Span("username", start, start + len(name), confidence, "user-name")
