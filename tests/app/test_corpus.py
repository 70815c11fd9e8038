"""The public corpus through the whole door: each document ends as items or as a refusal, and the counts stay.

A change in reading shows here. Whoever means it changes the numbers, having looked at what moved.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.instance import done, make
from tests.app.state import state

COUNTS = ("documents", "new", "updated", "unchanged", "merged", "held", "refused")
FEEDS: Mapping[str, str] = {
    "csaf": "ncsc-nl", "stix21": "market", "kev": "kev", "shadowserver": "shadowserver", "rss": "news",
    "misp": "market",
}  # fmt: skip
EXPECTED: Mapping[str, tuple[int, ...]] = {
    "csaf": (142, 112, 1, 0, 3, 0, 28),
    "stix21": (113, 33, 0, 0, 3, 7, 119),
    "kev": (14, 1258, 0, 0, 0, 0, 3),
    "shadowserver": (88, 28, 0, 0, 0, 0, 62),
    "rss": (14, 89, 0, 0, 1, 0, 9),
    "misp": (44, 22, 1, 0, 0, 17, 21),  # one event came in two versions
}  # fmt: skip
WAITING: Mapping[str, int] = {"kev": 8}
"""CVE records that no item names yet: facts that join one later."""
SCORED: Mapping[str, int] = {"kev": 2}
"""Documents of EPSS scores: they stand beside the items."""
REFUSED: Mapping[str, Mapping[str, int]] = {
    "csaf": {
        "parse: a JSON schema, not data": 9,
        "parse: a CSAF aggregator: a CSAF distribution file, not an advisory": 3,
        "parse: a CSAF list of changes: a distribution file, not an advisory": 3,
        "parse: a ROLIE feed: a CSAF distribution file that lists advisories, not an advisory": 3,
        "parse: a ROLIE service document: a CSAF distribution file, not an advisory": 2,
        "parse: an index of files, not a document itself": 2,
        "parse: a product id that the product tree does not have": 2,
        "parse: CSAF provider metadata: a CSAF distribution file, not an advisory": 1,
        "parse: a ROLIE category document: a CSAF distribution file, not an advisory": 1,
        "parse: a list of test cases, not data": 1,
        "parse: not a format that is known": 1,
    },
    "stix21": {
        "parse: a JSON schema, not data": 77,
        "shape: another version of one object, kept apart": 28,
        "guard: held: unknown-marking": 7,
        "shape: only identities, markings or relations: no threat": 4,
        "parse: not a format that is known": 3,
        "shape: second object with the same id and other content, kept apart": 3,
        "parse: STIX patterns by themselves; they belong in indicators": 1,
        "shape: a required property is missing": 1,
        "shape: malformed; the object goes on without it": 1,
        "shape: nothing in it can be used (modified before it was created)": 1,
    },
    "kev": {
        "parse: a JSON schema, not data": 1,
        "parse: not a format that is known": 1,
        "parse: recognised as EUVD data, which this version does not read": 1,
    },
    "shadowserver": {
        "parse: recognised as an X-ARF report, which this version does not read yet": 25,
        "parse: a JSON schema, not data": 18,
        "parse: not a format that is known": 13,
        "parse: a mail message; this version reads files that were attached, not the message": 6,
    },
    "rss": {
        "parse: a feed without stories": 4,
        "parse: a story without title and text": 2,
        "parse: not well-formed; what could be read was read": 2,
        "parse: not a format that is known": 1,
    },
    "misp": {
        "guard: held: misp-unpublished": 17,
        "parse: a MISP warning list, not an event": 8,
        "parse: a MISP taxonomy, not an event": 6,
        "guard: held: misp-organisation-only": 4,
        "parse: an event that says nothing: no attributes, objects or context": 2,
        "parse: a MISP galaxy, not an event": 1,
        "parse: a list of MISP feeds, not an event": 1,
        "parse: a list of MISP sharing groups, not an event": 1,
        "parse: a page of text (Markdown) for people, not a feed": 1,
        "parse: parts of a MISP event without the event": 1,
    },
}


def reasons(instance: Path) -> Counter[str]:
    with closing(sqlite3.connect(instance / "oktt.db")) as connection:
        rows = connection.execute("SELECT stage, reason, count(*) FROM refusals GROUP BY stage, reason")
        return Counter({f"{stage}: {reason}": count for stage, reason, count in rows})


def without_outcome(instance: Path) -> tuple[int, int]:
    """Documents of which neither items nor refusals came, and statements of facts that wait for an item."""
    with closing(sqlite3.connect(instance / "oktt.db")) as connection:
        nothing: int = connection.execute(
            "SELECT count(*) FROM documents WHERE admitted = 0 AND refused = 0"
        ).fetchone()[0]
        waiting: int = connection.execute("SELECT count(*) FROM statements WHERE item IS NULL").fetchone()[0]
        return nothing, waiting


@pytest.mark.corpus
@pytest.mark.parametrize(("folder", "source"), FEEDS.items())
def test_every_document_ends_as_items_or_a_refusal(folder: str, source: str, corpus: Path, tmp_path: Path) -> None:
    instance = make(tmp_path / "instance")
    files = sum(path.is_file() for path in (corpus / folder).rglob("*"))
    row = done(instance, "ingest", corpus / folder, "--source", source, "--json").row
    assert row["documents"] == files
    nothing, waiting = without_outcome(instance)
    assert waiting == WAITING.get(folder, 0)
    assert nothing == waiting + SCORED.get(folder, 0)
    assert tuple(row[name] for name in COUNTS) == EXPECTED[folder]
    assert reasons(instance) == REFUSED[folder]
    once = state(instance, exact=True)
    again = done(instance, "ingest", corpus / folder, "--source", source, "--json").row
    assert (again["new"], again["updated"], again["merged"], again["held"], again["refused"]) == (0, 0, 0, 0, 0)
    assert once.differences(state(instance, exact=True)) == []
    assert done(instance, "audit", "verify", "--json").row["ok"] is True
