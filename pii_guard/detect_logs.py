"""Recognisers for accounts in log lines and in what programs print, each by its form."""

import re

from pii_guard.log_forms import MORE
from pii_guard.login_names import user
from pii_guard.quick import Quick
from pii_guard.span import Found, Signed, Words

_GROUP = Quick(r"[d-](?:[r-][w-][xsStT-]){3}\S?\s+\d+\s+\S{1,32}\s+(?P<name>[a-z_][\w.-]{1,31})\s+\d+\s")  # ls -l
_FORMS: tuple[tuple[tuple[str, ...], Quick], ...] = (
    ((" - ",), Quick(r" - (?<=[\da-f] - )(?P<name>[\w.@\\-]{2,64}) \[\d{1,2}/")),  # common log format
    (("HIER_",), Quick(r" (?P<name>[a-z][\w.\\-]{1,40}) HIER_")),  # squid
    (("]$", "]#"), Quick(r"\[(?P<name>[a-z][\w.-]{1,32})@[\w.-]{1,64} [~/][^\]\n]{0,64}\][$#]")),  # [jan@web01 ~]$
    (
        (":~", ":/", " ~", " /"),
        Quick(r"@[\w.-]{1,64}(?::[~/][^\s$#]{0,64}[$#]| [~/]\S{0,64} %(?=\s))"),
    ),  # jan@web01:~$, jan@mac ~ %
    ((":/",), Quick(r":[x*!]?:\d{1,6}:\d{1,6}:[^:\n]{0,100}:/")),  # /etc/passwd
    (("id=",), Quick(r"[ug]id=\d+\((?P<name>[\w.-]{2,32})\)")),
    (("groups=",), Quick(r"[=,]\d{4,6}\((?P<name>[\w.-]{2,32})\)")),
    (
        ("rw",),
        Quick(r"[bcdlps-](?:[r-][w-][xsStT-]){3}[.+]?\s+\d+\s+(?P<name>[a-z_][\w.-]{1,31})\s+\S+\s+\d"),
    ),  # ls -l
    (("-rw",), _GROUP),
    (("drw",), _GROUP),
    (("pts/",), Quick(r"[ \t]{1,24}pts/\d+\s")),  # who, last
    (("tty",), Quick(r"(?<!:)[ \t]{1,24}tty\d\s")),
    ((" 0.0 ",), Quick(r"(?:^|\n)(?P<name>[a-z][\w.-]{1,31}) +\d+ +\d+\.\d +\d+\.\d +\d+ +\d+ ")),  # ps
    (("sudo",), Quick(r"sudo(?:\[\d+\])?:\s+(?P<name>[\w.-]{2,32}) : ")),
    (("su: ",), Quick(r"su: (?P<name>[\w.-]{2,32}) to ")),
    (("su: ", "su["), Quick(r"\bsu(?:\[\d+\])?: [+-] \S{3,16} (?P<name>[\w.-]{2,32})[:-]")),  # su: + pts/0 jan:root
    (("(to ",), Quick(r"\(to (?P<name>[\w.-]{2,32})\) [\w.-]{2,32} on ")),
    ((") ",), Quick(r"\(to [\w.-]{2,32}\) (?P<name>[\w.-]{2,32}) on ")),
    (("su for",), Quick(r" su for \S{2,32} by (?P<name>[\w.-]{2,32})")),
    ((") ",), Quick(r"\((?P<name>[a-z_][\w.-]{1,31})\) (?:CMD|BEGIN|END|LIST|REPLACE|EDIT|RELOAD|MAIL)\b")),  # cron
    (("EDIT (", "LIST (", "REPLACE ("), Quick(r"(?:EDIT|LIST|REPLACE) \((?P<name>[a-z_][\w.-]{1,31})\)")),
    (("ailure for ",), Quick(r"uthentication failure for (?P<name>[\w.\\-]{2,64}) from")),
    (("logged out ",), Quick(r": logged out (?P<name>[\w.\\-]{2,64})\s*(?:\n|$)")),
    ((" LOGIN",), Quick(r"\[(?P<name>[\w.-]{2,64})\] (?:OK|FAIL) LOGIN")),  # vsftpd
    (
        ("USER ",),
        Quick(r"\bUSER (?P<name>[\w.-]{2,64})(?=:? no such user|:? \(?Login |\s[^\n]{0,80}\n?[^\n]{0,60}\bPASS )"),
    ),  # FTP
    (("ser [",), Quick(r"ser \[(?:[\w.-]{1,32}\]\\\[)?(?P<name>[\w.-]{2,64})\]")),  # Samba
    (("] -> [",), Quick(r"\] -> \[(?P<name>[\w.-]{2,64})\]")),
    ((":$",), Quick(r":(?=\$(?:6|5|1|y|2[aby]|apr1)\$)")),  # shadow
    ((":::",), Quick(r":\d{1,7}:[0-9a-fA-F]{32}:[0-9a-fA-F]{32}:::")),  # SAM
    (("::",), Quick(r"::[\w.-]{1,64}:[0-9a-fA-F]{16}:[0-9a-fA-F]{32}:")),  # NTLM, as it is caught on the wire
    (("d-role/",), Quick(r":assumed-role/[\w+=,.@-]{1,64}/(?P<name>[a-z][\w.-]{1,63})(?![\w@/])")),
    (("whoami",), Quick(r"whoami\s*\n\s*(?:[\w.-]+\\)?(?P<name>[\w.-]{2,64})\s*(?:\n|$)")),
    ((":user/",), Quick(r":user/(?P<name>[\w.-]{2,40})(?![\w/])")),  # AWS
    (("openvpn",), Quick(r"/(?=\d{1,3}(?:\.\d{1,3}){3}:\d|[0-9a-f]{1,4}:[0-9a-f:]{3,40} )")),  # OpenVPN
    (("] Peer ",), Quick(r"\[(?P<name>[\w.-]{2,64})\] Peer Connection")),
    (("CLIENT_LIST",), Quick(r"CLIENT_LIST[,\t](?P<name>[\w.-]{2,64})[,\t]")),
    (("ROUTING_TABLE",), Quick(r"ROUTING_TABLE[,\t][\w.:/]{3,45}[,\t](?P<name>[\w.-]{2,64})[,\t]")),
    (("~",), Quick(r"~(?<![\w/]~)(?P<name>[a-z][\w-]{2,31})/")),
    (("'@",), Quick(r"'(?P<name>[\w.-]{2,32})'@'")),  # an account of MySQL
    (
        ("ogin ", "nvalid user ("),
        Quick(
            r"(?:ogin (?:OK|incorrect)|nvalid user \()[^\[\n]{0,120}\[(?P<name>[^\]\s@/]{2,64})(?:/[^\]\n]{0,64})?\]"
        ),
    ),  # RADIUS
    (
        (" user ",),
        Quick(
            r"(?:uthenticating|nvalid|isconnected (?:from|by)|(?:opened|closed|ession \S{1,12}) (?:for|of)|\+OK)"
            r" user (?P<name>[\w.\\-]{2,64})(?=\(uid|\.?\s*(?:\n|$)|,? (?:by|from)\b| \S{1,64} port|,)"
        ),
    ),
    (
        (" logged ",),
        Quick(
            r"(?:[Aa]dmin(?:istrator)?|ser|ebruiker|INFO\]) (?P<name>[\w.-]{2,64})"
            r" (?:has |is )?(?:now )?logged (?:in|on|out)"
        ),
    ),
    ((" by ",), Quick(r"(?:from console|vty\d*|onfigured from \S{2,16}) by (?P<name>[\w.-]{2,32}) on ")),
    (
        ("imap(", "pop3(", "lmtp(", "lda(", "file(", "pam(", "sql(", "sieve(", "ldap("),
        Quick(r"(?:imap|pop3|lmtp|lda|passwd-file|\bpam|\bsql|\bldap|managesieve)\((?P<name>[^,()\s@]{2,64})[,)]"),
    ),
    (
        ("ogin ",),
        Quick(
            r"\blogin (?P<name>[\w.@-]{2,64})(?= password |, (?:tijdelijk |temporary )?(?:ww|pw|wachtwoord|password) )"
        ),
    ),  # .netrc
    (("omment: ", " AAAA"), Quick(r"(?:\b[Cc]omment: | AAAA[\w+/=]{40,2000} )(?P<name>[\w.-]{2,32})@")),  # keys of SSH
    (("&pwd=",), Quick(r"\blog=(?P<name>[\w.@-]{2,64})(?=&pwd=)")),  # WordPress
    (("sshd: ",), Quick(r"(?:\d/|[ \t])sshd: (?P<name>[a-z][\w.-]{1,31})(?=[ \t]*(?:\n|$|@pts|@notty| \[priv))")),
    (
        ("<pppoe", "<pptp", "<l2tp", "<sstp", "<ovpn"),
        Quick(r"<(?:pppoe|pptp|l2tp|sstp|ovpn)-(?P<name>[\w.-]{2,32})>"),
    ),  # RouterOS
    ((" by ",), Quick(r"opened for user \S{2,32} by (?P<name>[\w.-]{2,32})\(uid=\d")),
)
FORMS = tuple(form for heap in (_FORMS, *MORE) for form in heap)
"""What a text has, and the form in it."""
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
    """User names in the forms above; where a form has no place for the name, it stands before it."""
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
