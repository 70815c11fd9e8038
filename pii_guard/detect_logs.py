"""Recognisers for accounts in log lines and in what programs print, each by its form."""

import re

from pii_guard.login_names import user
from pii_guard.span import Found

_GROUP = re.compile(r"[d-](?:[r-][w-][xsStT-]){3}\S?\s+\d+\s+\S{1,32}\s+(?P<name>[a-z_][\w.-]{1,31})\s+\d+\s")  # ls -l
FORMS = (
    (" - ", re.compile(r" - (?<=[\da-f] - )(?P<name>[\w.@\\-]{2,64}) \[\d{1,2}/")),  # common log format
    ("HIER_", re.compile(r" (?P<name>[a-z][\w.\\-]{1,40}) HIER_")),  # squid
    ("]", re.compile(r"\[(?P<name>[a-z][\w.-]{1,32})@[\w.-]{1,64} [~/][^\]\n]{0,64}\][$#]")),  # [jan@web01 ~]$
    ("@", re.compile(r"@[\w.-]{1,64}(?::[~/][^\s$#]{0,64}[$#]| [~/]\S{0,64} %(?=\s))")),  # jan@web01:~$, jan@mac ~ %
    (":/", re.compile(r":[x*!]?:\d{1,6}:\d{1,6}:[^:\n]{0,100}:/")),  # /etc/passwd
    ("id=", re.compile(r"[ug]id=\d+\((?P<name>[\w.-]{2,32})\)")),
    ("groups=", re.compile(r"[=,]\d{4,6}\((?P<name>[\w.-]{2,32})\)")),
    (
        "rw",
        re.compile(r"[bcdlps-](?:[r-][w-][xsStT-]){3}[.+]?\s+\d+\s+(?P<name>[a-z_][\w.-]{1,31})\s+\S+\s+\d"),
    ),  # ls -l
    ("-rw", _GROUP),
    ("drw", _GROUP),
    ("pts/", re.compile(r"[ \t]{1,24}pts/\d+\s")),  # who, last
    ("tty", re.compile(r"(?<!:)[ \t]{1,24}tty\d\s")),
    (" 0.0 ", re.compile(r"(?:^|\n)(?P<name>[a-z][\w.-]{1,31}) +\d+ +\d+\.\d +\d+\.\d +\d+ +\d+ ")),  # ps
    ("sudo", re.compile(r"sudo(?:\[\d+\])?:\s+(?P<name>[\w.-]{2,32}) : ")),
    ("su: ", re.compile(r"su: (?P<name>[\w.-]{2,32}) to ")),
    ("(to ", re.compile(r"\(to (?P<name>[\w.-]{2,32})\) [\w.-]{2,32} on ")),
    (") ", re.compile(r"\(to [\w.-]{2,32}\) (?P<name>[\w.-]{2,32}) on ")),
    ("su for", re.compile(r" su for \S{2,32} by (?P<name>[\w.-]{2,32})")),
    (") ", re.compile(r"\((?P<name>[a-z_][\w.-]{1,31})\) (?:CMD|BEGIN|END|LIST|REPLACE|EDIT|RELOAD|MAIL)\b")),  # cron
    ("EDIT (", re.compile(r"(?:EDIT|LIST|REPLACE) \((?P<name>[a-z_][\w.-]{1,31})\)")),
    ("ailure for ", re.compile(r"uthentication failure for (?P<name>[\w.\\-]{2,64}) from")),
    ("logged out ", re.compile(r": logged out (?P<name>[\w.\\-]{2,64})\s*(?:\n|$)")),
    (" LOGIN", re.compile(r"\[(?P<name>[\w.-]{2,64})\] (?:OK|FAIL) LOGIN")),  # vsftpd
    (
        "USER ",
        re.compile(r"\bUSER (?P<name>[\w.-]{2,64})(?=:? no such user|\s[^\n]{0,80}\n?[^\n]{0,60}\bPASS )"),
    ),  # FTP
    ("ser [", re.compile(r"ser \[(?:[\w.-]{1,32}\]\\\[)?(?P<name>[\w.-]{2,64})\]")),  # Samba
    ("] -> [", re.compile(r"\] -> \[(?P<name>[\w.-]{2,64})\]")),
    (":$", re.compile(r":(?=\$(?:6|5|1|y|2[aby]|apr1)\$)")),  # shadow
    (":::", re.compile(r":\d{1,7}:[0-9a-fA-F]{32}:[0-9a-fA-F]{32}:::")),  # SAM
    ("::", re.compile(r"::[\w.-]{1,64}:[0-9a-fA-F]{16}:[0-9a-fA-F]{32}:")),  # NTLM, as it is caught on the wire
    ("d-role/", re.compile(r":assumed-role/[\w+=,.@-]{1,64}/(?P<name>[a-z][\w.-]{1,63})(?![\w@/])")),
    ("whoami", re.compile(r"whoami\s*\n\s*(?:[\w.-]+\\)?(?P<name>[\w.-]{2,64})\s*(?:\n|$)")),
    (":user/", re.compile(r":user/(?P<name>[\w.-]{2,40})(?![\w/])")),  # AWS
    ("openvpn", re.compile(r"/(?=\d{1,3}(?:\.\d{1,3}){3}:\d)")),  # OpenVPN
    ("~", re.compile(r"~(?<![\w/]~)(?P<name>[a-z][\w-]{2,31})/")),
    ("'@", re.compile(r"'(?P<name>[\w.-]{2,32})'@'")),  # an account of MySQL
    (
        "ogin ",
        re.compile(r"ogin (?:OK|incorrect)[^\[\n]{0,24}\[(?P<name>[^\]\s@/]{2,64})(?:/[^\]\n]{0,64})?\]"),
    ),  # RADIUS
)
LINED = (
    (
        " user ",
        re.compile(r" user (?P<name>[\w.\\-]{2,64})(?=\(uid|\.?\s*(?:\n|$)|,? (?:by|from)\b| \S{1,64} port|,)"),
        re.compile(r"(?:uthenticating|nvalid|isconnected from|(?:opened|closed|ession \S{1,12}) (?:for|of)|\+OK)$"),
    ),
    (
        " for ",
        re.compile(r" for (?:(?:invalid )?user )?(?P<name>[\w.\\-]{2,64})(?= from |\s*(?:\n|$))"),
        re.compile(r"\w\[\d+\]|pam_\w|sshd|sudo|login"),
    ),
    (
        " logged ",
        re.compile(r" (?P<name>[\w.-]{2,64}) (?:has |is )?logged (?:in|on|out)"),
        re.compile(r"(?:[Aa]dmin(?:istrator)?|ser|ebruiker|INFO\])$"),
    ),
    (
        " by ",
        re.compile(r" by (?P<name>[\w.-]{2,32}) on "),
        re.compile(r"(?:from console|vty\d*|onfigured from \S{2,16})$"),
    ),
    (
        "(",
        re.compile(r"\((?P<name>[^,()\s@]{2,64})[,)]"),
        re.compile(r"(?:imap|pop3|lmtp|lda|passwd-file|\bpam|\bsql|managesieve)$"),
    ),
    (" by ", re.compile(r" by (?P<name>[\w.-]{2,32})\(uid=\d"), re.compile(r"opened for user \S{2,32}$")),
)
"""What a line has, the form in it, and what stands before that."""
_NAME_BEFORE = re.compile(r"(?<![\w.@/-])[a-z_][\w.-]{1,31}$")


def logged(text: str, lower: str) -> Found:
    """User names in the forms above; where a form has no place for the name, it stands before it."""
    for needle, pattern in FORMS:
        for match in pattern.finditer(text) if needle in text else ():
            if "name" in pattern.groupindex:
                yield from user(lower, *match.span("name"), 0.7)
            elif before := _NAME_BEFORE.search(text, max(0, match.start() - 40), match.start()):
                yield from user(lower, *before.span(), 0.7)
    for needle, pattern, before_it in LINED:
        for match in pattern.finditer(text) if needle in text else ():
            line = text.rfind("\n", max(0, match.start() - 200), match.start()) + 1
            if before_it.search(text, max(line, match.start() - 200), match.start()):
                yield from user(lower, *match.span("name"), 0.7)
