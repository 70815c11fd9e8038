"""What the publishers of the corpus meant each file to be, by rule, and what becomes of it (docs/formats.md).

    OKTT_CORPUS=... python -m tests.app.intent

Meant are told by the authors' own lists (testcases.json of OASIS, the folders of X-ARF), by what SOURCES.md says of a
file, and by its name; never by what we make of it.
"""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from app import door
from app.service import Service, open_service
from ingest import RawDocument, Unreadable
from ingest.files import FilesReader
from tests.app.instance import make

FEEDS: Mapping[str, str] = {
    "csaf": "ncsc-nl", "stix21": "market", "misp": "market", "kev": "kev", "shadowserver": "shadowserver",
    "rss": "news", "ioc-csv": "market", "ncsc-nl": "ncsc-nl",
}  # fmt: skip
"""Folder -> the source it is read as."""


class Intent(NamedTuple):
    """What a file was meant to be."""

    meant: Literal["valid", "invalid", "beside"]
    """A document to be read; a test vector to be refused; no threat document at all."""
    why: str = ""
    """Of what is invalid: what our reason has to say. Of what lies beside: what it is."""


BESIDE: tuple[tuple[str, str], ...] = (
    (r"SOURCES\.md ", "list of sources"),
    (r"json schema", "schema"),
    (r"testcases\.json", "list of test cases"),
    (r"csaf/.*(index\.txt|changes\.csv|deletions\.csv|feed-tlp-white|example-0\d-)", "distribution file of CSAF"),
    (r"stix21/.*(pattern examples|server data)", "patterns or a server's data, not a bundle"),
    (r"stix21/.*/(identity|victim-targeting)", "an identity, not a threat"),
    (r"misp/.*(misp taxonomy|warninglist|feed catalogue)", "list that MISP keeps"),
    (r"misp/.*/(galaxy|sharing_groups|search_index_result|event_obj_attr_tag)", "part of what a MISP server answers"),
    (r"misp/.*/new_misp_event", "an event before anything is in it"),
    (r"shadowserver/.*(reports?[-_]list|subscriptions)\.json", "list of reports"),
    (r"rss/.*feedparser test vector", "test of a parser, without a story"),
    (r"ncsc-nl/.*detection notes", "rules for detection, for people (Markdown)"),
)
"""By path, and what SOURCES.md says of it; case plays no part. First match."""

XARF: Mapping[str, str] = {
    "harassment_sample_no_description": "a required field is missing",
    "invalid_b64_flag": "yes or no was expected",
    "invalid_destination": "not an address",
    "invalid_emails": "not an e-mail address",
    "invalid_exploit_wrong_cve": "not a CVE id",
    "invalid_file_hash": "a hash algorithm that X-ARF does not have",
    "invalid_host_name": "not a host name",
    "invalid_ip": "not an address",
    "invalid_missing_report": "the report itself is missing",
    "invalid_missing_reporter_props": "a required field is missing",
    "invalid_missing_reporter_props4": "an object was expected",
    "invalid_openservice": "text was expected",
    "invalid_openservice4": "a required field is missing",
    "invalid_report_class_report_type": "a report type that X-ARF does not have",
    "invalid_reporter_info": "a field that X-ARF does not have",
    "invalid_sample": "a list was expected",
    "invalid_used_ip_in_potentially_compromised_account": "of an account that may be compromised no source is reported",
}
"""The fault that a negative sample is named after, in our words."""

STIX: Mapping[str, str] = {"invalid_timestamp": "modified before it was created", "invalid_braces": "its braces"}


def intent(corpus: Path, file: Path) -> Intent:
    """What its publisher meant a file of the corpus to be."""
    path = file.relative_to(corpus)
    if "mandatory" in path.parts:
        return _oasis(corpus)[file.name]
    if "negative" in path.parts or path.parts[:2] == ("stix21", "validator"):
        fault = {**XARF, **STIX}.get(file.stem)
        if fault:
            return Intent("invalid", fault)
    told = f"{path} {_sources(corpus / path.parts[0]).get('/'.join(path.parts[1:]), '')}"
    return next(
        (Intent("beside", what) for rule, what in BESIDE if re.search(rule, told, re.IGNORECASE)), Intent("valid")
    )


@lru_cache
def _oasis(corpus: Path) -> Mapping[str, Intent]:
    """The verdicts of OASIS: what must fail, by the clause it must fail for."""
    tests = json.loads((corpus / "csaf/oasis-validator/testcases.json").read_bytes())["tests"]
    return {
        Path(each["name"]).name: Intent("valid") if each["valid"] else Intent("invalid", f"(CSAF {test['id']})")
        for test in tests
        for each in [*test.get("failures", ()), *test.get("valid", ())]
    }


@lru_cache
def _sources(folder: Path) -> Mapping[str, str]:
    """What SOURCES.md says of each file."""
    lines = (folder / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    cells = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("| "))
    return {row[0]: row[-1] for row in cells if len(row) > 3}


class Outcome(NamedTuple):
    """What became of one file."""

    path: Path
    intent: Intent
    made: Literal["items", "facts", "scores", "nothing"]
    items: int
    reasons: Counter[str]


def outcomes(service: Service, corpus: Path, folder: str) -> Iterator[Outcome]:
    """Each file of a folder, read and guarded as the door does it (app.door.guarded), which decides what comes of it.

    Nothing is laid down. That `oktt ingest` lays down what was let through is shown by tests/app/test_corpus.py.
    """
    source, key = service.settings.source(FEEDS[folder]), service.keys.derive("documents")
    for file in sorted(each for each in (corpus / folder).rglob("*") if each.is_file()):
        found = list(FilesReader([file], source, key=key, clock=service.clock).read())
        passed = [door.guarded(service, each) for each in found if isinstance(each, RawDocument)]
        refused = [each for each in found if isinstance(each, Unreadable)]
        refused += [each for one in passed for each in one.refused]
        kinds = [item.statements[0].kind for one in passed for item, _ in one.items]
        items = sum(kind != "facts" for kind in kinds)
        scores = any(one.scores.rows for one in passed)
        made = "items" if items else "scores" if scores else "facts" if kinds else "nothing"
        reasons = Counter(f"{each.stage}: {each.reason}" for each in refused)
        yield Outcome(file, intent(corpus, file), made, items, reasons)


HEAD = """\
| folder | files | beside | must fail | named | meant valid | items | facts | scores | not read | read |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"""


def row(folder: str, found: list[Outcome]) -> str:
    """A line of the table."""
    meant = Counter(each.intent.meant for each in found)
    made = Counter(each.made for each in found if each.intent.meant == "valid")
    named = sum(is_named(each) for each in found if each.intent.meant == "invalid")
    read = meant["valid"] - made["nothing"]
    share = f"{read / meant['valid']:.1%}" if meant["valid"] else "-"
    cells = [
        folder, len(found), meant["beside"], meant["invalid"], named, meant["valid"], made["items"], made["facts"],
        made["scores"], made["nothing"], share,
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def is_named(outcome: Outcome) -> bool:
    """Is the fault told that the authors of a test vector name?"""
    return any(outcome.intent.why in reason for reason in outcome.reasons)


def main() -> None:
    """Print the table, and what is not as it was meant."""
    corpus = Path(os.environ["OKTT_CORPUS"])
    every: list[Outcome] = []
    print(HEAD)  # noqa: T201
    with tempfile.TemporaryDirectory() as home, closing(open_service(make(Path(home) / "instance"))) as service:
        for folder in FEEDS:
            found = list(outcomes(service, corpus, folder))
            print(row(folder, found), flush=True)  # noqa: T201
            every += found
    print(row("all", every))  # noqa: T201
    for each in every:
        if each.intent.meant == "valid" and each.made == "nothing":
            print(f"not read: {each.path.relative_to(corpus)}: {dict(each.reasons)}")  # noqa: T201
        if each.intent.meant == "beside" and each.made != "nothing":
            print(f"read, and lies beside: {each.path.relative_to(corpus)}")  # noqa: T201
        if each.intent.meant == "invalid" and not is_named(each):
            print(f"not named: {each.path.relative_to(corpus)}: {dict(each.reasons)}")  # noqa: T201


if __name__ == "__main__":
    main()
