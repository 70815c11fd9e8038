"""The programs that are no part of this project and are measured beside it: where they lie, started and ended."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

SCRIPTS = Path(__file__).parent / "peers"
Command = Sequence[str | Path]
Processes = dict[str, subprocess.Popen[bytes]]


class PeerError(Exception):
    """A peer that is not here, or does not do its work: its row is left out. The message says what to do."""


def cache() -> Path:
    """Where `benchmarks/peers/fetch.sh` lays them."""
    return Path(os.environ.get("OKTT_PEERS") or Path.home() / ".cache" / "oktt-peers")


def python() -> Path:
    """The interpreter that has IntelMQ. Raises PeerError."""
    found = cache() / "intelmq" / "bin" / "python"
    if not found.exists():
        raise PeerError("IntelMQ is not here: run benchmarks/peers/fetch.sh")
    return found


def environment(name: str) -> Path:
    """The interpreter of another peer. Raises PeerError."""
    found = cache() / name / "bin" / "python"
    if not found.exists():
        raise PeerError(f"{name} is not here: run benchmarks/peers/fetch.sh")
    return found


def redis() -> tuple[Path, dict[str, str]]:
    """The Redis server, and the environment in which it finds its libraries. Raises PeerError."""
    if installed := shutil.which("redis-server"):
        return Path(installed), {}
    unpacked = cache() / "redis"
    if not (server := unpacked / "usr" / "bin" / "redis-server").exists():
        raise PeerError("Redis is not here: run benchmarks/peers/fetch.sh")
    return server, {"LD_LIBRARY_PATH": ":".join(map(str, (unpacked / "usr" / "lib").glob("*-linux-gnu")))}


@contextmanager
def running(**commands: tuple[Command, dict[str, str]]) -> Iterator[Processes]:
    """Run each of these (command, environment) under its name as long as the block lasts."""
    started: Processes = {}
    try:
        for name, (command, environment) in commands.items():
            started[name] = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
        yield started
    finally:
        for process in reversed(started.values()):
            process.terminate()
        for process in started.values():
            process.wait()


def until(done: Callable[[], bool], what: str, processes: Processes, patience: float) -> None:
    """Wait for something that these processes do. Raises PeerError when one of them ends, or patience does."""
    last = time.monotonic() + patience
    while not done():
        if gone := [name for name, process in processes.items() if process.poll() is not None]:
            raise PeerError(f"{', '.join(gone)} ended before {what}")
        if time.monotonic() > last:
            raise PeerError(f"{patience} s went by before {what}")
        time.sleep(0.2)


def seconds(process: int) -> float:
    """What a running process has spent of a processor's time, in user and in kernel mode (proc(5): utime, stime)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exactly(process: int) -> float:
    """The same to the nanosecond, without that of threads that have ended (schedstats: the first field)."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


def family(process: int) -> float:
    """The same of a process with its children, those that have ended included."""
    spent = 0.0
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended since
            continue
        if each.parent.name == str(process):
            spent += sum(map(int, fields[11:15]))
        elif fields[1] == str(process):
            spent += sum(map(int, fields[11:13]))
    return spent / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgresql(**settings: str) -> Iterator[Path]:
    """A PostgreSQL server of our own as long as the block lasts; the folder of its socket. Its user is `oktt`."""
    found = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    initdb = next((Path(name).resolve() for name in found if name), None)
    if initdb is None:
        raise PeerError("PostgreSQL is not here: run `make services`")
    home = Path(mkdtemp(prefix="oktt-bench-"))
    as_user: Command = ()
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(home, "postgres")
        as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    options = {"listen_addresses": "", "unix_socket_directories": str(home), "autovacuum": "off", **settings}
    told = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    control = [*as_user, initdb.with_name("pg_ctl"), "-D", home / "data", "-l", home / "log", "-w"]
    try:
        made = [*as_user, initdb, "-D", home / "data", "-U", "oktt", "-A", "trust", "-N"]
        subprocess.run(made, check=True, capture_output=True)
        subprocess.run([*control, "-o", told, "start"], check=True, capture_output=True)
        yield home
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
