"""The commands of OKTT. Data to stdout, progress and logs to stderr; exit 0 done, 1 could not, 2 wrong usage."""

from app.cli import (
    desk,
    effect,
    feeds,
    guard,
    item,
    joining,
    keys,
    law,
    out,
    people,
    proofs,
    run,
    software,
    sources,
    subject,
    whom,
)
from app.cli.root import cli, main

__all__ = [
    "cli",
    "desk",
    "effect",
    "feeds",
    "guard",
    "item",
    "joining",
    "keys",
    "law",
    "main",
    "out",
    "people",
    "proofs",
    "run",
    "software",
    "sources",
    "subject",
    "whom",
]
