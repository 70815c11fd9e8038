"""Accounts in what systems log and print, each by its form: `account_lines.txt` has a line for each, the name marked.

The names are no given names and have no form of a log-in, where the line alone has to say what they are.
"""

import re
from pathlib import Path

import pytest

from pii_guard.detect import SUSPECT, scan

LINES = [
    line.replace("\\n", "\n").replace("\\t", "\t")
    for line in (Path(__file__).parent / "account_lines.txt").read_text("utf-8").splitlines()
    if "{{" in line
]
_MARK = re.compile(r"\{\{(.+?)\}\}")


@pytest.mark.parametrize("line", LINES)
def test_the_account_is_found(line: str) -> None:
    text = _MARK.sub(r"\1", line)
    sought, gone = [], 0
    for mark in _MARK.finditer(line):
        sought.append((mark.start() - gone, mark.end() - gone - 4))
        gone += 4
    found = [(span.start, span.end) for span in scan(text) if span.confidence >= SUSPECT]
    missed = [text[start:end] for start, end in sought if not any(a <= start and end <= b for a, b in found)]
    assert missed == []


@pytest.mark.parametrize(
    "text",
    [
        "Nov 12 08:14:02 web01 sshd[2211]: Accepted publickey for root from 192.0.2.14 port 50122 ssh2",
        "Nov 12 08:14:02 web01 sshd[2211]: Invalid user admin from 192.0.2.14 port 50122",
        "Nov 12 08:14:02 web01 CRON[3312]: (www-data) CMD (/srv/bin/report.sh)",
        "Nov 12 08:14:02 web01 CRON[3312]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
        "Nov 12 08:14:02 web01 sudo:   postgres : TTY=pts/1 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/psql",
        "Nov 12 08:14:02 web01 systemd[1]: Started Session 44 of User root.",
        "Nov 12 08:14:02 web01 useradd[871]: new user: name=svc_backup, UID=997, GID=997",
        "Nov 12 08:14:02 mx postfix/local[8812]: 4F2A: to=<postmaster>, relay=local, status=sent",
        "New Logon:\n\tAccount Name:\t\tSYSTEM\n\tAccount Domain:\t\tNT AUTHORITY",
        "Er is een account aangemeld.\n\nNieuwe aanmelding:\n\tAccountnaam:\t\tPC-12$\n\tAccountdomein:\t\tCORP",
        "<Data Name='TargetUserName'>Administrator</Data><Data Name='SubjectUserName'>-</Data>",
        '{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/Deploy/jenkins"}}',
        '{"kind":"Event","user":{"username":"system:serviceaccount:default:builder"},"verb":"get"}',
        '{"user":{"name":"root"},"process":{"name":"bash"}}',
        '{"agent":{"name":"filebeat","type":"filebeat","version":"8.1"},"actor":"system"}',
        '{"agent":"Mozilla/5.0 (X11)","sub":"service-account-portal","by":"cron"}',
        '{"created_by":"system","updated_by":"migration","sort_by":"created_at","orderBy":"last_name"}',
        '{"by":"import_job","door":"nachtelijke_batch_service"}',
        "CEF:0|Vendor|Product|1.0|100|Login|5|src=192.0.2.14 suser=SYSTEM duser=root msg=ok",
        "2026-11-12 08:14:02.110 CET [812] postgres@postgres LOG:  checkpoint starting: time",
        "GRANT SELECT ON zaken TO app_reader;",
        "DROP TABLE klanten;",
        "SELECT p.naam, p.bsn FROM patient p WHERE p.status = 1",
        '192.0.2.14 - - [12/Nov/2026:08:14:02 +0100] "GET / HTTP/1.1" 200 12',
        "2026-11-12 08:14:02 10.0.0.1 GET /owa - 443 - 192.0.2.14 200",
        '[08:14:02] [Server thread/INFO]: Done (4.1s)! For help, type "help"',
        "Members\n\n---------------------------------------\nAdministrator\nThe command completed successfully.",
        "the function e.target is called, m.group and s.split return None (see a.out and x.html)",
        "open max.connections, jan.pdf, karin.docx and anna.example",
        "Red Hat (redhat) and Palo Alto (paloalto) and Visual Studio (vscode) were named",
        "The account was used from another country, and the user cannot log in as usual.",
        "log in as another user, or as an administrator; users log in as expected.",
        "the list is handled by the agent for the user and sent to the owner",
        "Medewerker: dank u, en tot ziens",
        "sorted by name, grouped by owner_id, signed by the author",
        'type=USER_AUTH msg=audit(1763467902.020:8851): pid=812 uid=0 auid=4294967295 ses=1 acct="root"',
        "the vendor shelves blinden, cylinders and handels",
        "Login failed for system account, see the manual",
        "voor meer informatie over inloggen, zie de website voor klanten",
        "charon: 12[IKE] received EAP identity 'anonymous'",
    ],
)
def test_nobodys_account_is_left_alone(text: str) -> None:
    found = [text[span.start : span.end] for span in scan(text) if span.category == "username"]
    assert found == []
