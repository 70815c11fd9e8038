"""Recognisers for accounts in command lines, and for log-ins that are listed with their passwords."""

import re

from pii_guard.login_names import LOGIN_FORM, NO_PERSON, surnamed, user
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words

REMOTE_WORDS = Words("ssh ", "scp ", "sftp ", "rsync ", "plink", "putty")
_REMOTE = re.compile(
    r"(?:ssh|scp|sftp|rsync|plink|putty)(?:\.exe)?\s[^\n|;&]{0,200}?(?<![\w.\\/-])(?P<name>[\w.-]{2,64})@(?=[\w\[])"
)
COMMANDS = Words(
    *("plink", "psexec", "putty", "ssh ", "mysql", "psql", "smbclient", "curl", "wget", "net use", "rdesktop"),
    *("xfreerdp", "cmdkey", "sshpass", "wmic", "mstsc", "crackmapexec", "nxc", "evil-winrm", "ldapsearch"),
    *("sqlcmd", "hydra", "mysqldump", "secretsdump", "redis-cli", "crontab", "net user", "az login"),
    *("docker login", "bloodhound", "kerbrute", "rubeus", "at.exe", "sudo -u"),
)
_FLAG = re.compile(
    r"[ \t][-/]{1,2}(?P<flag>l|u|user|username|p|pw|pass|password|a|w)[ :=]\s?[\"']?(?P<name>[^\s\"'|;&]{2,64})"
)
_WITH_PASSWORD = re.compile(
    r"(?:net user? \S+ (?:\S+ )?(?:/user:\S+ )?|mysql(?:dump)?(?: -[a-z]\s?\S+| --\S+){0,6} -p|"
    r"sshpass -p ?[\"']?|mysql(?:dump)?(?: \S+){0,4} -p)"
    r"(?P<secret>(?=[^\s/]{0,40}[\d!@#$%^&*])[^\s/\\-][^\s/\\]{3,64})"
)
_NAMED_BY = re.compile(
    r"(?:net localgroup [^\s/]+|net group (?:\"[^\"\n]{1,40}\"|\S+)|adduser|passwd|\bsu|chown(?: -\w+)?|"
    r"gpasswd -a|mysql -u|ftp|"
    r"(?:get|set|new|add|remove|disable|enable|unlock)-(?:ad|local|mg)\w{0,24}(?: -\w+ \S+)"
    r"{0,3}?(?: -(?:identity|name|members?|user|"
    r"samaccountname))?|-samid|-identity|-username) [\"']?(?P<name>[a-z][\w.]{1,40})(?=@|[:\"'\s]|$)"
)
_NAMING_PLAIN = Words("net localgroup ", "net group ", "adduser ", "passwd ", "su ", "chown ", "ftp ")
NAMING = Words(*_NAMING_PLAIN, "gpasswd ", "mysql -u", "-ad", "-local", "-mg", "-samid ", "-identity ", "-username ")
_NAMED_BEHIND = re.compile(r"\s+(?:\||/add\b|/del|-c\b|/|[\w.]*:|\S+$)|:\S|@\w|[\"']|\s*(?:\n|$)").match
_IMPACKET = Quick(
    r"(?:secretsdump|psexec|wmiexec|smbexec|atexec|dcomexec|getuserspns|getnpusers|gettgt|impacket)"
    r"[\w.-]*\s[^\n]{0,120}?"
    r"(?<![\w.])(?:[\w.-]+/)?(?P<name>[\w.-]{2,40}):(?P<secret>[^\s@:]{3,64})@"
)
IMPACKET = Words(
    *("secretsdump", "psexec", "wmiexec", "smbexec", "atexec", "dcomexec", "getuserspns", "getnpusers"),
    *("gettgt", "impacket"),
)
_HANDED = Quick(
    r"(?:echo [\"']?(?:(?P<name>[\w.-]{2,32}):)?(?P<piped>[^\s|\"']{3,64})[\"']? ?\| ?(?:sudo -s|chpasswd|passwd)"
    r"|openssl enc[^\n|;&]{0,80}? -k (?P<key>[^\s-]\S{2,64})|(?:un)?zip (?:-\w+ )*-p (?P<zip>\S{3,64})"
    r"|\b(?:7za?|rar) [^\n|;&]{0,60}?-h?p(?P<rar>[^\s-]\S{2,64})"
    r"|convertto-securestring (?:-\w+ )?[\"'](?P<secure>[^\"'\n]{3,64})[\"'])"
)
HANDED = Words(
    *("| sudo -s", "|sudo -s", "chpasswd", "| passwd", "openssl enc", "zip ", "7z ", "7za ", "rar "),
    "convertto-securestring",
)
_BOTH = r"(?P<secret>(?=[^\s,;|]{0,40}[\d!@#$%^&*])(?=[^\s,;|]{0,40}[a-z])[^\s,;|:/]{4,64})(?=[ \t]*(?:\n|$|[,;\"”']))"
_INLINE = Quick(r"(?:: |account |login |[\"“‘'(])(?P<name>[a-z][\w.-]{1,40}) / " + _BOTH)
_PAIR = Quick(r"\n[\s*>-]{0,8}(?P<name>[a-z][\w.-]{1,40}|\+?\d{9,15}(?=:))(?: [/|] |:|;|\t)" + _BOTH)
_LINES = Quick(r"\n[\s*>-]{0,8}(?P<name>[a-z][\w.-]{2,40})(?P<sign>: | )(?P<secret>[^\s,;|:/]{4,64})(?=[ \t]*(?:\n|$))")
_TYPED = Quick(r" / (?P<secret>(?![^\s]*\d\.\d)[A-Za-z0-9][^\s,;|/\"”’()]{5,64})")
_TYPED_BY = re.compile(r"(?<![\w/.@-])(?P<name>[a-z][a-z0-9._-]{2,40}(?:@[a-z0-9.-]{4,64})?)$")
_KINDS = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"\d"), re.compile(r"[!@#$%^&*?+_=-]"))
"""A password that has three of these."""
_AT_HOST = Quick(
    r"\.\d{1,3}(?::\d{1,5})?(?:[:@|]| ;? ?)(?P<name>[a-z][\w.\\-]{1,40})(?: ?; ?|[:/|])"
    r"(?P<secret>(?=[^\s]{0,40}[a-z])(?=[^\s]{0,40}[\d!@#$%^&*])[^\s:;|/]{5,64})(?=[ \t]*(?:\n|$))"
)
"""A machine, a log-in and its password: `203.0.113.5:3389:jan:Welkom01`."""
_SET = Quick(
    r"[-/]u(?:ser(?:name)?)?[:= ](?P<name>[^\s\"']{2,64}) [-/]p(?:ass(?:word)?|wd?)?[:= ](?P<secret>[^\s\"'<]{3,64})"
)
_LISTED_PAGE = Quick(r"[\n>][^\S\n]{0,4}[a-z]{3,10}://")
_STOLEN = re.compile(
    r"[^\s:]{4,200}(?::\d{1,5})?[^\s:@]{0,200}?(?P<sign>[:|; ])(?P<name>[\w.+@-]{3,64})(?P=sign)"
    r"(?!\d{2,5}/|//|[\d.]+[ \t]*(?:\n|$))(?P<secret>[^\s:]{4,64})(?=[ \t]*(?:\n|$))"
)
"""A page, a log-in and its password, as programs that steal them list them."""
_HASHED = Quick(r"'(?P<name>[a-z][\w.@+-]{1,64})', ?'(?P<secret>[0-9a-f]{32,128})'")
"""A row of a database, as it is dumped."""
_TABBED = Quick(r"\n(?P<name>[a-z]+\.[a-z]{2,24})[\t;|](?=[ ]?\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{1,4}:)")
LISTED = Words(
    *("combo", "credential", "inlog", "login", "log-in", "wachtwoord", "password", "aanmeldgegevens", "leak"),
    *("dump", "gelekt", "pairs", "account", "vpn", "user", "gebruiker", "sessi"),
)
_MAILED = re.compile(r"(?:^|\n)[^\s:;|]{2,64}@[\w.-]{4,64}[:;|][^\s:;|]{4,40}[ \t]*(?:\n|$)").search
"""A list of addresses with passwords: what stands in it without an address is a log-in too."""
PAIRED = re.compile(r"[@/][\w./+?=%~-]{4,400}[:;| ]\S{3,64}[ \t]*(?:\n|$)|:\d{1,5}/\S{0,400}[:;| ]\S{3,64}").search
"""Without this neither an address nor a page has a log-in behind it."""
HOSTED = re.compile(r"\.\d{1,3}(?::\d{1,5})?(?:[:@|]| ;? ?)[a-z][\w.\\-]{1,40}(?: ?; ?|[:/|])[^\s:;|/]{5}").search
SET = Words("/u:", "-u:", "/user:", " -user ", " -username ", " /user ")
_NO_PAIR = re.compile(
    r"(?:sha|md)\d+|http.*|port|version|versie|build|date|time|ssdeep|imphash|id|[a-z]{1,2}|ja3\w*|tlp|cve|file|x-.*|.*[_-](?:password|user|pw|type|id|admin)|.*bsn|.*phone|"
    r"size|ref\w*"
).fullmatch
_HASH = re.compile(r"[0-9a-f]{16,}|(?:[0-9a-f]{2}[-:.]){3,}.*|[\d./:-]+").fullmatch
"""What is no password beside a name: a digest, an address of hardware, a date."""


def commands(lower: str) -> Found:
    """Accounts, and passwords, that a command names."""
    for at in REMOTE_WORDS.places(lower) if "@" in lower else ():
        match = _REMOTE.match(lower, at)
        if match:
            yield from named(match, "name", lower, 0.7)
    flagged = " -" in lower or " /" in lower or "\t-" in lower or "\t/" in lower or "net use" in lower
    for at in COMMANDS.places(lower) if flagged else ():
        end = lower.find("\n", at)
        for match in _FLAG.finditer(lower, at, min(at + 300, end if end > 0 else len(lower))):
            if match.group("flag").startswith(("l", "u")):
                yield from named(match, "name", lower, 0.7)
                _, colon, secret = match.group("name").partition(":")
                if colon and secret:
                    yield Span("credential", match.end() - len(secret), match.end(), 0.8, "command-password")
            elif not match.group("name").rstrip(",;.").isdigit():  # a port
                yield Span("credential", *match.span("name"), 0.8, "command-password")
        secret_of = _WITH_PASSWORD.match(lower, at)
        if secret_of:
            yield Span("credential", *secret_of.span("secret"), 0.8, "command-password")


def handed(lower: str) -> Found:
    """Accounts and passwords that commands of fewer words, or with a form of their own, take."""
    for at in (NAMING if " -" in lower else _NAMING_PLAIN).places(lower):
        match = _NAMED_BY.match(lower, at) or (
            _NAMED_BY.match(lower, lower.rfind(" ", 0, at) + 1) if lower[at] == "-" else None
        )
        if match and _NAMED_BEHIND(lower, match.end()) and not (at and lower[at - 1].isalpha() and lower[at] != "-"):
            yield from user(lower, *match.span("name"), 0.6)
    if "@" in lower and IMPACKET.any(lower):
        for match in _IMPACKET.finditer(lower):
            yield from user(lower, *match.span("name"), 0.7)
            yield Span("credential", *match.span("secret"), 0.8, "command-password")
    if (" -" in lower or "|" in lower or "convertto" in lower) and HANDED.any(lower):
        for match in _HANDED.finditer(lower):
            if match.group("name"):
                yield from user(lower, *match.span("name"), 0.7)
            yield Span("credential", *match.span(match.lastgroup or 0), 0.8, "command-password")


def pairs(lower: str) -> Found:
    """A log-in and its password: a line of both, or behind a word for them."""
    if " / " in lower:
        for match in _INLINE.finditer(lower):
            yield from named(match, "name", lower, 0.7)
            yield Span("credential", *match.span("secret"), 0.7, "pair")
    yield from _stolen(lower)
    for match in _HASHED.finditer(lower) if "','" in lower or "', '" in lower else ():
        yield from user(lower, *match.span("name"), 0.6)
        yield Span("credential", *match.span("secret"), 0.6, "pair")
    listed = LISTED.any(lower) or _MAILED(lower) is not None
    if not listed and " / " not in lower:
        return
    lined = f"\n{lower}"
    for match in _PAIR.finditer(lined):
        name, secret = match.group("name", "secret")
        if (listed or " / " in match.group()) and not _NO_PAIR(name) and not _HASH(secret) and name not in NO_PERSON:
            yield from user(lower, match.start("name") - 1, match.end("name") - 1, 0.7)
            yield Span("credential", match.start("secret") - 1, match.end("secret") - 1, 0.7, "pair")
    for match in _LINES.finditer(lined) if "password" in lower or "wachtwoord" in lower else ():
        name, secret = match.group("name", "secret")
        mixed = any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
        if LOGIN_FORM(name) and not _NO_PAIR(name) and (mixed or match.group("sign") == ": ") and not _HASH(secret):
            yield from user(lower, match.start("name") - 1, match.end("name") - 1, 0.6)
            yield Span("credential", match.start("secret") - 1, match.end("secret") - 1, 0.6, "pair")
    for match in _TABBED.finditer(lined):
        yield from user(lower, match.start("name") - 1, match.end("name") - 1, 0.6)


def typed(text: str, lower: str) -> Found:
    """A log-in and its password in a sentence, behind a machine, or handed to any program."""
    for match in _TYPED.finditer(text) if " / " in text else ():
        secret = match.group("secret").rstrip(".:")
        before = _TYPED_BY.search(text, max(0, match.start() - 100), match.start())
        if before and sum(kind.search(secret) is not None for kind in _KINDS) > 2:
            name = before.group("name")
            if "@" in name or LOGIN_FORM(name) or surnamed(name):
                if "@" not in name:
                    yield from user(lower, *before.span("name"), 0.7)
                yield Span("credential", match.start("secret"), match.start("secret") + len(secret), 0.7, "pair")
    for match in _AT_HOST.finditer(lower):
        if not _NO_PAIR(match.group("name")) and not _HASH(match.group("secret")):
            yield from user(lower, *match.span("name"), 0.7)
            yield Span("credential", *match.span("secret"), 0.7, "pair")
    for match in _SET.finditer(lower) if SET.any(lower) else ():
        yield from user(lower, *match.span("name"), 0.7)
        yield Span("credential", *match.span("secret"), 0.8, "command-password")


def _stolen(lower: str) -> Found:
    if "://" not in lower:
        return
    for page in _LISTED_PAGE.finditer(f"\n{lower}"):
        match = _STOLEN.match(lower, page.end() - 1)
        if match and (match.group("sign") != " " or any(map(str.isdigit, match.group("secret")))):
            if "@" not in match.group("name"):
                yield from user(lower, *match.span("name"), 0.7)
            yield Span("credential", *match.span("secret"), 0.7, "stolen")


def named(match: re.Match[str], group: str, lower: str, confidence: float) -> Found:
    """The account in this group of the match; behind a flag, up to a colon and its password."""
    start, end = match.span(group)
    if match.re is _FLAG:
        end = start + len(match.group(group).partition(":")[0])
    yield from user(lower, start, end, confidence)
