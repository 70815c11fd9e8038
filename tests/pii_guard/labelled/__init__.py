"""Texts with personal data marked by hand, written by somebody who had not read the recogniser. See README.md."""

import re
from dataclasses import dataclass
from pathlib import Path

CATEGORIES = frozenset(
    [
        "ipv4",
        "ipv6",
        "mac",
        "email",
        "phone",
        "name",
        "address",
        "dob",
        "bsn",
        "iban",
        "plate",
        "username",
        "credential",
        "url-personal",
        "social",
        "device",
    ]
)
STYLES = frozenset({"advisory", "abuse-mail", "log", "report", "news", "chat"})

HEAD = re.compile(r"^=== (?P<id>\S+) \| (?P<language>nl|en) \| (?P<style>[a-z-]+)(?P<hard> \| hard)?$", re.M)
MARK = re.compile(r"\{\{(?P<category>[a-z0-9-]+)(?P<doubtful>\?)?:(?P<value>.*?)\}\}", re.S)
CODE_POINT = re.compile(r"\{U\+([0-9A-F]{4,6})\}")


@dataclass(frozen=True)
class Span:
    category: str
    start: int  # in code points
    end: int  # exclusive


@dataclass(frozen=True)
class Labelled:
    id: str
    language: str  # nl, en
    style: str  # one of STYLES
    hard: bool  # written to be mistaken: nothing but, or mostly, look-alikes
    text: str
    spans: tuple[Span, ...]  # has to be found
    doubtful: tuple[Span, ...]  # found or not, neither counts


def read(head: re.Match[str], marked: str) -> Labelled:
    marked = CODE_POINT.sub(lambda found: chr(int(found[1], 16)), marked.strip("\n"))
    text, done = "", 0
    sure: list[Span] = []
    doubtful: list[Span] = []
    for mark in MARK.finditer(marked):
        text += marked[done : mark.start()]
        span = Span(mark["category"], len(text), len(text) + len(mark["value"]))
        (doubtful if mark["doubtful"] else sure).append(span)
        text += mark["value"]
        done = mark.end()
    text += marked[done:]
    return Labelled(head["id"], head["language"], head["style"], bool(head["hard"]), text, tuple(sure), tuple(doubtful))


def load(folder: Path = Path(__file__).parent) -> list[Labelled]:
    """Every text of the set in the folder, and in folders in it, in the order of the files."""
    texts: list[Labelled] = []
    for path in sorted(folder.rglob("*.txt")):
        content = path.read_text(encoding="utf-8")
        heads = list(HEAD.finditer(content))
        if not heads or heads[0].start():
            raise ValueError(f"{path.name} does not begin with a head line")
        ends = [*(head.start() for head in heads[1:]), len(content)]
        texts += [read(head, content[head.end() : end]) for head, end in zip(heads, ends, strict=True)]
    return texts
