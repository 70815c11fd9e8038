"""An instance in a temporary folder, and the command line run on it: in this process, as `app.cli.main` runs it."""

import atexit
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tests.once  # noqa: F401 - for what it does
from app.cli import main

ROOT = Path(__file__).parents[2]
WEEK = ROOT / "samples" / "week"
OKTT = Path(sys.executable).with_name("oktt")
MONDAY = "2026-03-02T08:00:00Z"
FRIDAY = "2026-03-06T13:00:00Z"
TEST_CLOCK = "[app]\ntest_clock = true\n"


@dataclass(frozen=True)
class Ran:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """NDJSON of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The one line of stdout."""
        (line,) = self.rows
        return line


def oktt(folder: Path, *args: str | Path, now: str = MONDAY, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command as the program would, errors and exit codes included. An exception that escapes is a traceback."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["oktt", "--dir", str(folder), *map(str, args)]
    with _process(argv, {"OKTT_NOW": now, **(env or {})}), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as end:
            if isinstance(end.code, str):  # the interpreter prints it and exits 1
                err.write(end.code + "\n")
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ran(code, out.getvalue(), err.getvalue())


def done(folder: Path, *args: str | Path, now: str = MONDAY) -> Ran:
    """Run a command that has to succeed."""
    ran = oktt(folder, *args, now=now)
    assert ran.code == 0, ran.err
    return ran


@contextmanager
def _process(argv: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    kept = sys.argv, dict(os.environ)
    sys.argv = argv
    os.environ.update(environment)
    try:
        yield
    finally:
        sys.argv = kept[0]
        os.environ.clear()
        os.environ.update(kept[1])


def make(folder: Path, settings: str = "", people: list[dict[str, Any]] | None = None) -> Path:
    """`oktt init` with `[app] test_clock`, further settings, and subscribers."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = "[database]" not in settings
    if fresh:
        copied(initialised(), folder)
    (folder / "oktt.toml").write_text(TEST_CLOCK + settings, encoding="utf-8")
    if not fresh:
        done(folder, "init")
    if people:
        file = folder / "people.ndjson"
        file.write_text("".join(json.dumps(each) + "\n" for each in people), encoding="utf-8")
        done(folder, "subscribers", "import", file)
    return folder


@cache
def initialised() -> Path:
    """What `oktt init` makes, made once: each instance on SQLite begins as a copy, key included."""
    home = tempfile.mkdtemp(prefix="oktt-init-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folder = Path(home) / "instance"
    folder.mkdir()
    (folder / "oktt.toml").write_text(TEST_CLOCK, encoding="utf-8")
    done(folder, "init")
    return folder


def copied(instance: Path, to: Path) -> Path:
    """A copy of an instance with its keys, which lie beside it.

    Nothing in this process may have its database open. Whoever closes a file loses all locks that his process has on
    it (POSIX), and copying closes it: SQLite's connections here would think that they still hold what another process
    may then take away, the write-ahead log to begin with. So commands and tests close their engines (conftest.py).
    """
    shutil.copytree(instance, to, dirs_exist_ok=True)
    shutil.copytree(instance.with_name(f"{instance.name}.keys"), to.with_name(f"{to.name}.keys"), dirs_exist_ok=True)
    return to


def person(name: str, *channels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A subscriber as contract.md writes it; without channels: e-mail with both digests."""
    mail = {"type": "email", "address": f"{name}@voorbeeld.example", "digest": ["monday", "friday"]}
    base = {
        "id": f"kvk-{name}", "name": f"Firma {name}", "kind": "company", "size": "mkb", "maturity": "basic",
        "sectors": ["SBI:25.62"], "country": "NL", "language": "nl", "clearance": "AMBER", "min_urgency": "info",
        "channels": list(channels or (mail,)),
    }  # fmt: skip
    return base | more


FORTINET = [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"}]
PEOPLE = [
    person("metaal", software=FORTINET, networks=["198.51.100.0/25"]),
    person("bakker", software=[{"vendor": "Microsoft", "product": "Exchange Server"}], sectors=["SBI:10.71"]),
    person(
        "haven",
        {"type": "file", "digest": ["friday"]},
        {"type": "taxii"},
        networks=["203.0.113.0/24"],
        sectors=["SBI:52.22"],
    ),
    person("winkel", language="en", sectors=["SBI:47.11"]),
    person("toren", {"type": "email", "address": "cert@toren.example"}, software=FORTINET, maturity="mature"),
]
"""Five: alerts by product and by network, mail, file and TAXII, Dutch and English, one with digests alone."""


def scan(*rows: str) -> str:
    """A small Shadowserver report."""
    return '"timestamp","ip","port","hostname","tag","asn","geo"\n' + "".join(row + "\n" for row in rows)


FEEDS: Mapping[str, Mapping[str, str | Path]] = {
    "ncsc-nl": {
        "9001.json": WEEK / "1-monday/ncsc-nl/ncsc-2026-9001.json",
        "9002.json": WEEK / "1-monday/ncsc-nl/ncsc-2026-9002.json",
    },
    "kev": {"kev.json": WEEK / "1-monday/kev/known_exploited_vulnerabilities.json"},
    "shadowserver": {
        "2026-03-02-scan_rdp-nederland-geo.csv": scan(
            '"2026-03-02 00:01:25","198.51.100.7",3389,"a.metaal.example","rdp",64496,"NL"',
            '"2026-03-02 00:02:25","203.0.113.9",3389,,"rdp",64497,"NL"',
            '"2026-03-02 00:03:25","192.0.2.1.7",3389,,"rdp",64497,"NL"',
        )
    },
}
LATER: Mapping[str, Mapping[str, str | Path]] = {
    "ncsc-nl": {"9001-2.json": WEEK / "4-thursday/ncsc-nl/ncsc-2026-9001.json"}
}
"""An update of an advisory that went out before."""


def lay(folder: Path, feeds: Mapping[str, Mapping[str, str | Path]]) -> Path:
    """Documents as files, one folder a source."""
    for source, files in feeds.items():
        (folder / source).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            text = content.read_text(encoding="utf-8") if isinstance(content, Path) else content
            (folder / source / name).write_text(text, encoding="utf-8")
    return folder
