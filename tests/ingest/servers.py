"""Real servers on 127.0.0.1 for the readers: Dovecot, Apache Kafka (KRaft) and medallion, each ended by its own pid.

`tests/services.sh` installs them. What cannot be had skips its tests by name; in CI that is a failure.
"""

import grp
import hashlib
import itertools
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import IN_CI
from tests.ingest.webserver import Authority

CACHE = Path(os.environ.get("OKTT_SERVICES") or Path.home() / ".cache" / "oktt-services")
FILES = Path(__file__).parents[1] / "services"
USER, PASSWORD = "partner", "geheim-0000"


_PORTS = itertools.count(20_000 + os.getpid() % 300 * 40)


def free_ports(number: int) -> list[int]:
    """Ports for programs that cannot say which they got. Below those that the system gives to whoever asks for any
    (32768 and up), and other ones for each process of the tests: nobody takes them in the meantime."""
    return list(itertools.islice(filter(_free, _PORTS), number))


def _free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def secret_file(folder: Path, content: str = PASSWORD) -> Path:
    """A file that only its owner may read."""
    file = folder / f"secret-{uuid4().hex[:8]}"
    file.touch(0o600)
    file.write_text(content + "\n", encoding="utf-8")
    return file


@contextmanager
def running(command: Sequence[str | Path], log: Path, up: Callable[[], bool], seconds: float = 240) -> Iterator[int]:
    """A process of ours until the end of the block, once it is up; its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until = time.monotonic() + seconds
        while not up():
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < until, log.read_text(errors="replace")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)


def listens(port: int) -> bool:
    """Does somebody take connections there?"""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@dataclass(frozen=True)
class Dovecot:
    """An IMAP server for one user (USER, PASSWORD): TLS from the first byte on `imaps`, STARTTLS on `imap`."""

    imaps: int
    imap: int
    ca_file: Path
    pid: int
    mails: Path
    """A Maildir."""


@contextmanager
def dovecot(folder: Path) -> Iterator[Dovecot]:
    """Dovecot with a mailbox of its own, and a certificate of the test's authority."""
    binary = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        _absent("Dovecot")
    authority = Authority(folder)
    certificate = authority.certificate("localhost")
    imaps, imap = free_ports(2)
    home = Path(tempfile.mkdtemp(prefix="oktt-imap-"))  # names of Unix sockets are short
    home.chmod(0o755)
    mails = home / "mail"
    mails.mkdir()
    user, group, rootless = str(os.getuid()), str(os.getgid()), ("chroot =",)
    names = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name  # it knows no numbers here
    logins = "default_login_user = {0}\ndefault_internal_user = {0}\ndefault_internal_group = {1}".format(*names)
    if os.geteuid() == 0:  # which Dovecot refuses to read mail as
        shutil.chown(mails, "dovecot", "dovecot")
        user, group, rootless, logins = "dovecot", "dovecot", (), ""
    listeners = (f"inet_listener imap {{\nport = {imap}\n}}", f"inet_listener imaps {{\nport = {imaps}\nssl = yes\n}}")
    settings = (
        *("protocols = imap", "listen = 127.0.0.1", "first_valid_uid = 1", "auth_failure_delay = 0", logins),
        *(f"base_dir = {home}/run", f"state_dir = {home}/state", f"log_path = {home}/log"),
        *("ssl = yes", f"ssl_cert = <{certificate}", f"ssl_key = <{certificate}"),
        *(
            f"mail_location = maildir:{mails}/%u",
            *_block("service anvil", *_block("unix_listener anvil-auth-penalty", "mode = 0"), *rootless),
        ),
        *_block("service imap-login", *listeners, *rootless),
        *_block("passdb", "driver = static", f"args = user={USER} password={{PLAIN}}{PASSWORD}"),
        *_block("userdb", "driver = static", f"args = uid={user} gid={group} home={mails}/%u"),
    )
    (home / "dovecot.conf").write_text("\n".join(settings) + "\n")
    try:
        with running([binary, "-F", "-c", home / "dovecot.conf"], home / "out", lambda: listens(imaps)) as pid:
            yield Dovecot(imaps, imap, authority.file, pid, mails / USER)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _block(name: str, *lines: str) -> tuple[str, ...]:
    return (f"{name} {{", *lines, "}")


@dataclass(frozen=True)
class Broker:
    """A Kafka broker. Ports: `plain` without TLS; `tls`; `scram` and `login` for USER and PASSWORD over TLS;
    `elsewhere` refers to 127.0.0.2."""

    plain: int
    tls: int
    scram: int
    login: int
    elsewhere: int
    ca_file: Path
    pid: int


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """A broker that is its own controller (KRaft), with empty topics of one partition made on demand."""
    jars = CACHE / f"kafka-{_hash(FILES / 'kafka.xml')}"
    if not jars.is_dir() or shutil.which("java") is None:
        _absent("Apache Kafka")
    authority = Authority(folder)
    names = ("PLAIN", "TLS", "SCRAM", "LOGIN", "ELSEWHERE", "CONTROLLER")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    protocols = {"PLAIN": "PLAINTEXT", "TLS": "SSL", "SCRAM": "SASL_SSL", "LOGIN": "SASL_SSL", "ELSEWHERE": "PLAINTEXT"}
    module = "org.apache.kafka.common.security"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAIN",
        "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
        "advertised.listeners": ",".join(
            f"{name}://{'127.0.0.2' if name == 'ELSEWHERE' else 'localhost'}:{ports[name]}" for name in protocols
        ),
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocol}" for name, protocol in {**protocols, "CONTROLLER": "PLAINTEXT"}.items()
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.certificate("localhost")),
        "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.login.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}";',
        "log.dirs": str(folder / "kafka"),
        "log.retention.check.interval.ms": "500",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    file = folder / "kafka.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    java = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    # One that begins with a dash would be read as an option.
    cluster = urlsafe_b64encode(b"\0" + uuid4().bytes[1:]).decode().rstrip("=")
    user = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
    command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file), "--add-scram", user]
    subprocess.run(command, check=True, capture_output=True)
    up = lambda: all(listens(ports[name]) for name in protocols)  # noqa: E731
    with running([*java, "kafka.Kafka", file], folder / "kafka.log", up) as pid:
        taken = (ports[name] for name in ("PLAIN", "TLS", "SCRAM", "LOGIN", "ELSEWHERE"))
        yield Broker(*taken, authority.file, pid)


@contextmanager
def medallion(folder: Path, data: dict[str, Any], page: int = 100) -> Iterator[str]:
    """A TAXII 2.1 server that serves that (the memory backend's own form) to USER; where it listens."""
    home = CACHE / f"medallion-{_hash(FILES / 'medallion.txt')}"
    if not home.is_dir():
        _absent("medallion")
    (port,) = free_ports(1)
    stored = folder / "medallion-data.json"
    stored.write_text(json.dumps(data))
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(stored)}
    settings = {"backend": backend, "users": {USER: PASSWORD}, "taxii": {"max_page_size": page}}
    file = folder / "medallion.json"
    file.write_text(json.dumps(settings))
    command = [home / "bin" / "python", "-m", "medallion.scripts.run", "--port", str(port), file]
    with running(command, folder / "medallion.log", lambda: listens(port)):
        yield f"http://127.0.0.1:{port}"


def _hash(file: Path) -> str:
    """As tests/services.sh names folders: by what is in them."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _absent(name: str) -> Any:
    if IN_CI:
        pytest.fail(f"{name} is not installed; `make services` installs it")
    pytest.skip(f"{name} is not installed (make services)")
