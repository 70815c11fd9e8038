"""Postfix as Debian has it, with a configuration, queue and port of its own, until the end of a block.

Its master refuses to run for anybody but root, elsewhere its tests are skipped by name.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import IN_CI
from tests.ingest.servers import free_ports, listens, running

DAEMONS = Path("/usr/lib/postfix/sbin")
_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """It takes mail for voorbeeld.example and oktt.example, into one Maildir."""

    port: int
    maildir: Path

    @property
    def mails(self) -> list[bytes]:
        """What lies in the Maildir and was not read."""
        return [each.read_bytes() for each in sorted(self.maildir.glob("new/*"))]


@contextmanager
def postfix(settings: Mapping[str, str]) -> Iterator[Postfix]:
    """One that runs with these settings beside what it needs."""
    if os.geteuid() != 0:
        pytest.skip("Postfix runs for root only")
    if not (DAEMONS / "master").exists():
        if IN_CI:
            pytest.fail("Postfix is not installed; `make services` installs it")
        pytest.skip("Postfix is not installed (make services)")
    home = Path(tempfile.mkdtemp(prefix="oktt-postfix-"))
    home.chmod(0o755)
    try:
        (port,) = free_ports(1)
        owner = pwd.getpwnam("nobody")
        for name, user in (("conf", 0), ("queue", 0), ("data", pwd.getpwnam("postfix").pw_uid), ("mail", owner.pw_uid)):
            (home / name).mkdir()
            os.chown(home / name, user, 0)
        main = {
            "compatibility_level": "3.6",
            "queue_directory": f"{home}/queue",
            "data_directory": f"{home}/data",
            "daemon_directory": str(DAEMONS),
            "maillog_file": f"{home}/log",
            "maillog_file_prefixes": str(home.parent),
            "myhostname": "mx.voorbeeld.example",
            "mydestination": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "smtp_dns_support_level": "disabled",
            "virtual_mailbox_domains": "voorbeeld.example, oktt.example",
            "virtual_mailbox_base": f"{home}/mail",
            "virtual_mailbox_maps": "static:all/",
            "virtual_uid_maps": f"static:{owner.pw_uid}",
            "virtual_gid_maps": f"static:{owner.pw_gid}",
        }
        lines = (f"{name} = {value}\n" for name, value in {**main, **settings}.items())
        (home / "conf/main.cf").write_text("".join(lines))
        (home / "conf/master.cf").write_text(_SERVICES.format(port=port))
        subprocess.run(["/usr/sbin/postfix", "-c", home / "conf", "check"], check=True, capture_output=True)
        # A group of its own: its end is that of all its processes.
        command = ["setsid", DAEMONS / "master", "-c", home / "conf", "-d"]
        with running(command, home / "started", lambda: listens(port)):
            yield Postfix(port, home / "mail/all")
    finally:
        shutil.rmtree(home, ignore_errors=True)
