"""How long it takes to tell a large audience, all of it: from what is queued to ledger and register, by mail.

    python -m benchmarks.telling [COUNT [URL [WORKERS]]]     20000 subscribers, SQLite, 2 processes that send

URL is an empty PostgreSQL database (`postgresql://USER@HOST/NAME`). An instance in a temporary folder tells COUNT
generated subscribers of one item: signed mail (DKIM), personal links, over SMTP to a server that takes everything, in a
process of its own. Said is how long it took by the clock, how much of a core the senders took for a message, and how
much everything did that ran on this machine (senders, database, server, and whatever else): it should be quiet.
"""

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app import composing, desk, generate, observe, releasing
from app.service import Service, make, open_service
from benchmarks.mailing import LETTERS, LINE, accept
from benchmarks.measuring import NOW
from subscribers import importing, registry
from triage.cases import Request

ROOT = Path(__file__).parents[1]
ALL, AT_MOST = 1_800_000, 3600
_SETTINGS = """\
[app]
test_clock = true
[desk]
wave_over = 100_000_000
person_over = 100_000_000
second_person_over = 100_000_000
[database]
url = "{url}"
[web]
base_url = "https://oktt.example"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
[mail]
dkim_key = "dkim.pem"
dkim_selector = "oktt"
"""


def measure(count: int, url: str, workers: int) -> Iterator[str]:
    """What it took, line by line."""
    os.environ["OKTT_NOW"] = NOW.isoformat()
    with tempfile.TemporaryDirectory() as home, _sink() as port:
        folder = Path(home) / "instance"
        folder.mkdir()
        (folder / "oktt.toml").write_text(_SETTINGS.format(url=url, port=port), encoding="utf-8")
        key = rsa.generate_private_key(65537, 2048)
        (folder / "dkim.pem").touch(0o600)
        (folder / "dkim.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        make(folder)
        service = open_service(folder)
        queued = _queued(service, folder, count)
        service.engine.dispose()
        started, busy = time.perf_counter(), _busy()
        senders = [_sender(folder) for _ in range(workers)]
        told = [msgspec.json.decode(each.communicate()[0])["sent"] for each in senders]
        seconds, busy = time.perf_counter() - started, _busy() - busy
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        yield f"{sum(told)} of {queued} messages sent in {seconds:.0f} s by {workers}: {sum(told) / seconds:.0f}/s"
        yield f"of a core for each: senders {1e3 * (spent.ru_utime + spent.ru_stime) / sum(told):.2f} ms"
        yield f"everything on this machine {1e3 * busy / sum(told):.2f} ms ({1e3 * 2 * AT_MOST / ALL:.2f} are there)"
        yield f"1.8 million: {ALL * seconds / sum(told) / 60:.0f} minutes"


def _queued(service: Service, folder: Path, count: int) -> int:
    """An item that goes to everybody; how many messages wait."""
    people, text = folder / "people.ndjson", folder / "item.md"
    people.write_bytes(b"\n".join(msgspec.json.encode(each) for each in generate.subscribers(count, 7)))
    sectors = ", ".join(f'"SBI:{each}"' for each in LETTERS)
    head = f'title = "Lek"\ntlp = "CLEAR"\nurgency = "today"\nsectors = [{sectors}]\n'
    text.write_text(f"+++\n{head}+++\n" + 12 * LINE, encoding="utf-8")
    with service.transaction() as connection:
        registry.upsert(connection, importing.read(people), NOW)
    item = composing.compose(service, text, "anna", "bench").item
    desk.decide_on(service, Request("release", item, "bert", "bench", "bench"))
    while releasing.spread(service):
        pass
    with service.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")  # as PostgreSQL does by itself within a minute
        return int(connection.exec_driver_sql("SELECT count(*) FROM deliveries").scalar_one())


def _sender(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from app.cli import main; main()", "--dir", folder, "dispatch", "--now", "--json"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextmanager
def _sink() -> Iterator[int]:
    command = [sys.executable, "-c", "from benchmarks.telling import sink; sink()"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def sink() -> None:
    """The server; prints its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        accept(listening)


def _busy() -> float:
    """Seconds that the cores of this machine have worked."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text("ascii").split()[1:11])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    observe.configure()
    count, url, workers, *_ = [*sys.argv[1:], *("20000", "", "2")[len(sys.argv) - 1 :]]
    for line in measure(int(count), url, int(workers)):
        print(line)
