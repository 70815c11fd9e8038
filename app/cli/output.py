"""How commands print: NDJSON for programs, tables and sentences for people."""

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

HERE = ZoneInfo("Europe/Amsterdam")


def line(value: Any) -> None:
    """One JSON object on one line of stdout."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def lines(values: Iterable[Any]) -> None:
    """NDJSON."""
    for value in values:
        line(value)


def say(text: str = "") -> None:
    """A line for people, on stdout, at once. Never interpreted as markup."""
    sys.stdout.write(_harmless(text) + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line for people on stderr: it went on, and somebody should look."""
    sys.stderr.write(f"oktt: warning: {_harmless(text)}\n")


def _harmless(text: str) -> str:
    """Without the control characters by which a title could command the terminal."""
    return "".join(
        each if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cs") else "\ufffd" for each in text
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """A table on stdout, or the sentence for no rows. Full width where stdout is no terminal."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        shown.add_row(*(cell(value) for value in row))
        count += 1
    if not count:
        say(empty)
        return
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False).print(shown)


def cell(value: Any) -> str:
    """A value as people read it: local time, lists with commas, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(cell(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(each)}" for key, each in value.items())
    return _harmless(str(value))


def moment(value: datetime) -> str:
    """`2026-03-02 08:30` in Amsterdam."""
    return value.astimezone(HERE).strftime("%Y-%m-%d %H:%M")


def when(text: str | None) -> datetime | None:
    """A `--since` argument: RFC 3339, or a date (midnight in Amsterdam); of this age. Raises ValueError."""
    if text is None:
        return None
    value = datetime.fromisoformat(text)
    if not 1970 <= value.year <= 9000:
        raise ValueError("no time that a computer of ours knows")
    return (value if value.tzinfo else value.replace(tzinfo=HERE)).astimezone(UTC)


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Any]:
    """A progress bar on stderr where that is a terminal, else nothing. Yields `advance(n, total=None)`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count=1, total=None: bar.update(task, advance=count, total=total)
