"""Forms of log lines, and of what programs print, in which an account stands; `detect_logs` reads them."""

from pii_guard.quick import Quick

Forms = tuple[tuple[tuple[str, ...], Quick], ...]
_NAME = r"(?P<name>[\w.\\-]{2,64})"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_METHOD = r"(?:GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS|PROPFIND)"
_GROUP = Quick(r"[d-](?:[r-][w-][xsStT-]){3}\S?\s+\d+\s+\S{1,32}\s+(?P<name>[a-z_][\w.-]{1,31})\s+\d+\s")  # ls -l
_USUAL: Forms = (
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
_MAIL: Forms = (
    (("to=<", "from=<"), Quick(r"(?:to|from)=<(?P<name>[\w.-]{2,64})>")),  # Postfix, delivering at home
    ((", size=",), Quick(r"\bfrom=(?P<name>[a-z][\w.-]{1,32}), size=")),  # Sendmail
    ((" A=",), Quick(r" A=\w{3,20}:(?P<name>[\w.-]{2,64})\s")),  # Exim
    ((" R=",), Quick(r"[=-]> (?P<name>[\w.-]{2,64}) <[^<>\s@]{1,64}@[^<>\s]{3,200}> R=")),
    (
        ("login: ",),
        Quick(
            r"login: \S{1,80} \[[\da-fA-F.:]{3,45}\] (?:(?:plaintext|PLAIN|LOGIN|CRAM-MD5|GSSAPI) )?"
            r"(?P<name>[\w.-]{2,64}) (?:plaintext|\S{3,16}\+TLS|SASL|PLAIN|LOGIN|GSSAPI|User logged)"
        ),
    ),  # Cyrus
)
_UNIX: Forms = (
    ((" of User ",), Quick(rf"ession \S{{1,12}} of User {_NAME}\.")),  # systemd
    (("new user: ", "new group: "), Quick(rf"new (?:user|group): name={_NAME},")),
    (
        ("add '", "delete '", "delete user '", "change user '"),
        Quick(
            r"(?:add|delete|change)(?: user)? '(?P<name>[\w.-]{2,32})'"
            r"(?= (?:to|from) (?:shadow )?group| (?:password|home|shell|UID|expiration)|\s*(?:\n|$))"
        ),
    ),
    ((" added by ", " removed by "), Quick(rf"user {_NAME} (?:added|removed) by \S{{2,32}} (?:to|from) group")),
    ((" BY ",), Quick(rf"LOGIN ON \S{{2,16}} BY {_NAME}")),
    ((" FOR ",), Quick(r"LOGIN(?: \d{1,3})? FROM \S{2,64} FOR [`']?(?P<name>[\w.-]{2,32})[',]")),
    (("d by uid",), Quick(r"by (?P<name>[\w.-]{2,32})\(uid=\d{4,6}\)")),
    (("] total",), Quick(r" \d{1,7} \[(?=\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] total)")),  # CUPS
    (("eigendom", "owned by "), Quick(rf"(?:owned by|eigendom (?:is )?van) {_NAME} (?:on|op) \\\\")),  # printing
    ((" | ",), Quick(rf"\br\d{{1,7}} \| {_NAME} \| \d{{4}}-\d\d-\d\d")),  # Subversion
    (("uthor: ", "ommit: ", "ommitter: "), Quick(r"(?:Author|Commit|Committer): +(?P<name>[\w.-]{2,40}) <")),
    (("enied to ",), Quick(r"ermission to \S{3,200} denied to (?P<name>[\w-]{2,39})")),
)
_NETWORK: Forms = (
    (("dentity ",), Quick(r"(?:EAP|\)|received) (?:EAP )?identity '?(?P<name>[\w.\\-]{2,64})'?(?=\s*(?:\n|$|[,;]))")),
    (("cation of '",), Quick(r"uthentication of '(?P<name>[a-z][\w.\\-]{1,63})'")),  # XAuth
    (("established between",), Quick(r"\.\.\.[\da-fA-F.:]{3,45}\[(?P<name>[a-z][\w.-]{1,63})\]")),  # strongSwan
    (("CHAP", "PAP "), Quick(r'P (?:Response|AuthReq)[^\n"]{0,120}(?:name|user)\s?=\s?"(?P<name>[\w.\\-]{2,64})"')),
    (("CHAP", "PAP "), Quick(rf"(?:CHAP|PAP) (?:peer )?authentication (?:succeeded|failed) for {_NAME}")),
    ((")[",), Quick(rf"\] {_NAME}\([^()\n]{{0,40}}\)\[")),  # Pulse, Ivanti
    (("- User ", "Context "), Quick(r"(?:- User|Context) (?P<name>[\w.\\-]{2,64})(?= - |@)")),  # NetScaler
    (
        (" has exited", " executed the ", " executed c", " running 'CLI"),
        Quick(rf"ser {_NAME} (?:has exited|executed (?:the|cmd|command)|running 'CLI)"),
    ),  # Cisco
    (("host/",), Quick(r"[Nn]ame\W{1,6}host/(?P<name>[\w-]{2,32})")),  # 802.1X: a machine, by its own name
    (("sip:",), Quick(r"\bsips?:(?P<name>[a-z][\w.-]{1,40})@")),
    (("SIP/",), Quick(r"SIP/(?P<name>[a-z]{1,12}\.[a-z][\w.]{2,40})")),  # Asterisk
    (("ration from ",), Quick(r"egistration from '\"?(?P<name>[a-z][\w.-]{1,40})[\"' ]")),
    ((" (ipv",), Quick(r" \((?=ipv[46]:)")),  # Samba
    (("smbd_audit",), Quick(rf"smbd_audit(?:\[\d+\])?: {_NAME}\|")),
    ((") has ",), Quick(r"\* (?P<name>[\w.-]{2,32}) \(~?[\w.-]{2,32}@[\w.:-]{3,80}\) has (?:joined|left|quit)")),
    ((") has ",), Quick(r"\(~?(?P<name>[\w.-]{2,32})@[\w.:-]{3,80}\) has (?:joined|left|quit)")),  # IRC
    ((" the game",), Quick(r"\]: (?P<name>\w{3,16}) (?:joined|left) the game")),
)
_DATA: Forms = (
    (
        ("LOG:  ", "ERROR:  ", "FATAL:  ", "STATEMENT:  ", "DETAIL:  ", "WARNING:  "),
        Quick(r"@(?=[\w-]{1,63} (?:LOG|ERROR|FATAL|STATEMENT|DETAIL|WARNING):  )"),
    ),  # PostgreSQL
    (('role "',), Quick(r'\brole "(?P<name>[\w.-]{2,63})"')),
    (("Connect",), Quick(rf"\bConnect\s{{1,4}}{_NAME}@\S{{1,80}} (?:on|as) ")),  # MySQL
    (("User@Host",), Quick(rf"User@Host: {_NAME}\[")),
    (("User@Host",), Quick(r"User@Host: [\w.-]{0,64}\[(?P<name>[\w.-]{2,64})\]")),
    (("USER:[",), Quick(r"USER:\[\d{1,3}\] [\"'](?P<name>[\w.\\-]{2,64})[\"']")),  # Oracle
    (("GRANT ",), Quick(r"GRANT [^;\n]{3,200} TO [\"'`\[]?(?P<name>[A-Za-z][\w.-]{1,63})")),
    (
        ("ALTER ", "DROP ", "CREATE "),
        Quick(
            r"(?:ALTER|DROP|CREATE) (?:USER|LOGIN) (?:IF (?:NOT )?EXISTS )?[\"'`\[]?(?:[\w-]{1,16}\\)?"
            r"(?P<name>[A-Za-z][\w.-]{1,63})"
        ),
    ),
)
_WEB: Forms = (
    (tuple(f' "{method} ' for method in ("GET", "POST", "PUT", "HEAD")), Quick(rf' - {_NAME} "{_METHOD} ')),  # Nginx
    (("AH016",), Quick(rf"AH016\d\d: user {_NAME}[: ]")),  # Apache
    (('user "',), Quick(rf'\buser "{_NAME}"(?=:? (?:password mismatch|was not found))')),
    (("ogin failed: ",), Quick(rf"ogin failed: '?{_NAME}'? \(")),  # Nextcloud
    (
        (" 443 ", " 80 ", " 8443 ", " 8080 "),
        Quick(rf" (?:443|80|8443|8080) {_NAME} (?={_IPV4} |[0-9a-f]{{1,4}}:[0-9a-f:]{{2,40}} )"),
    ),  # IIS
    (("NameID", "nameid"), Quick(r"[Nn]ame[Ii][Dd](?: [^>\n]{0,200})?>(?P<name>[\w.\\-]{2,64})</")),  # SAML
    (
        ("AttributeValue",),
        Quick(r'Name="uid"[^>\n]{0,160}>\s*<[\w:]{0,16}AttributeValue[^>\n]{0,80}>(?P<name>[\w.-]{2,64})<'),
    ),
    (("@1", "@2"), Quick(rf"@(?={_IPV4}(?: (?:on|logged|as|using|-)|[>;]))")),  # VMware
)
FORMS: Forms = (*_USUAL, *_MAIL, *_UNIX, *_NETWORK, *_DATA, *_WEB)
"""What a text has (one of these), and the form in it."""
