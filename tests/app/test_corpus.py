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
    "misp": "market", "ioc-csv": "market", "ncsc-nl": "ncsc-nl",
}  # fmt: skip
EXPECTED: Mapping[str, tuple[int, ...]] = {
    "csaf": (142, 112, 1, 0, 3, 0, 108),
    "stix21": (113, 33, 0, 2, 1, 6, 119),
    "kev": (14, 1258, 0, 0, 0, 0, 2),
    "shadowserver": (91, 53, 0, 0, 0, 2, 61),
    "rss": (14, 89, 0, 0, 1, 1, 9),
    "ioc-csv": (4, 3, 0, 0, 0, 0, 1),
    "ncsc-nl": (4, 2, 0, 0, 0, 0, 2),
    "misp": (44, 22, 1, 0, 0, 18, 21),  # one event came in two versions
}  # fmt: skip
IN_MAILS: Mapping[str, int] = {"shadowserver": 3}
"""Documents beyond one a file: two mails carry two files each, and one is cut off, which is told apart."""
CUT_OFF: Mapping[str, int] = {"shadowserver": 1}
"""What cannot be fetched is told each time."""
WAITING: Mapping[str, int] = {"kev": 10}
"""CVE records, and entries of the EUVD, that no item names yet: facts that join one later."""
TOGETHER: Mapping[str, int] = {"kev": 1}
"""Of those, the ones that came with another one in one document (a page of the EUVD)."""
SCORED: Mapping[str, int] = {"kev": 2}
"""Documents of EPSS scores: they stand beside the items."""
REFUSED: Mapping[str, Mapping[str, int]] = {
    "csaf": {
        "parse: a JSON schema, not data": 9,
        "parse: a CSAF aggregator: a CSAF distribution file, not an advisory": 3,
        "parse: a ROLIE feed: a CSAF distribution file that lists advisories, not an advisory": 3,
        "parse: a ROLIE service document: a CSAF distribution file, not an advisory": 2,
        "parse: an index of files, not a document itself": 2,
        "parse: a CSAF list of changes: a distribution file, not an advisory": 3,
        "parse: CSAF provider metadata: a CSAF distribution file, not an advisory": 1,
        "parse: a ROLIE category document: a CSAF distribution file, not an advisory": 1,
        "parse: a list of test cases, not data": 1,
        "parse: a page of text (Markdown) for people, not a feed": 1,
        # Faults of documents that are read: the vectors of OASIS that have to fail, and four real ones (Fortinet's two
        # state temporal scores as base scores, and version 0; Red Hat's and SUSE's history does not fit).
        "parse: not the version of the latest revision (CSAF 6.1.16)": 15,
        "parse: a CVSS score that is not what its vector gives; the graver stands (CSAF 6.1.9)": 13,
        "parse: a product with contradicting statuses; the graver stands (CSAF 6.1.6)": 8,
        "parse: a revision history whose numbers and dates differ in order (CSAF 6.1.14)": 8,
        "parse: a CVE of two vulnerabilities (CSAF 6.1.23)": 5,
        "parse: a product id that the product tree does not have (CSAF 6.1.1)": 4,
        "parse: a version before the first release that is no draft (CSAF 6.1.17)": 4,
        "parse: a CVSS property that contradicts the vector (CSAF 6.1.10)": 3,
        "parse: a group id that the product tree does not have (CSAF 6.1.4)": 3,
        "parse: not a CVSS of its version; what can be read of it counts (CSAF 6.1.8)": 3,
        "parse: a pre-release in the revision history (CSAF 6.1.19)": 2,
        "parse: a revision before the first release, of a released document (CSAF 6.1.18)": 2,
        "parse: a translation that does not say from which language (CSAF 6.1.15)": 2,
        "parse: a group id that is defined twice; the first stands (CSAF 6.1.5)": 1,
        "parse: a pre-release that is no draft (CSAF 6.1.20)": 1,
        "parse: a product id that is defined twice; the first stands (CSAF 6.1.2)": 1,
        "parse: a revision that is left out of the history (CSAF 6.1.21)": 1,
        "parse: a security advisory without vulnerabilities (CSAF 6.1.27.11)": 1,
        "parse: not a language (CSAF 6.1.12)": 1,
        "parse: not a purl (CSAF 6.1.13)": 1,
        "parse: relationships of products that define each other; they are left out (CSAF 6.1.3)": 1,
        "parse: the name of another CWE than its id is of (CSAF 6.1.11)": 1,
        "parse: two CVSS scores of one version for one product; the graver stands (CSAF 6.1.7)": 1,
    },
    "stix21": {
        "guard: held: suspect-text": 8,
        "parse: a JSON schema, not data": 77,
        "shape: another version of one object, kept apart": 28,
        "guard: held: unknown-marking": 7,
        "shape: only identities, markings or relations: no threat": 4,
        "parse: all that a TAXII server holds, not a bundle": 1,
        "parse: not valid JSON: its braces are others": 1,
        "parse: a page of text (Markdown) for people, not a feed": 1,
        "shape: second object with the same id and other content, kept apart": 3,
        "parse: STIX patterns by themselves; they belong in indicators": 1,
        "shape: a required property is missing": 1,
        "shape: malformed; the object goes on without it": 1,
        "shape: nothing in it can be used (modified before it was created)": 1,
    },
    "kev": {
        "parse: a JSON schema, not data": 1,
        "parse: a page of text (Markdown) for people, not a feed": 1,
    },
    "shadowserver": {
        "guard: held: suspect-text": 1,
        "parse: a JSON schema, not data": 18,
        # The seventeen X-ARF vectors that have to be refused have more than one fault each.
        "parse: a required field is missing": 11,
        "parse: not an address": 3,
        "parse: text was expected": 3,
        "parse: yes or no was expected": 3,
        "parse: not a port": 2,
        "parse: not an e-mail address": 2,
        "parse: a field that X-ARF does not have": 1,
        "parse: a hash algorithm that X-ARF does not have": 1,
        "parse: a list was expected": 1,
        "parse: a report type that X-ARF does not have": 1,
        "parse: an object was expected": 1,
        "parse: not a CVE id": 1,
        "parse: not a host name": 1,
        "parse: not a web address": 1,
        "parse: not an AS number": 1,
        "parse: not an account": 1,
        "parse: of an account that may be compromised no source is reported": 1,
        "parse: the report itself is missing": 1,
        # Lists of reports and subscriptions, a log beside a report.
        "parse: a list of Shadowserver reports, not a report": 2,
        "parse: a list of words, not of documents": 1,
        "parse: not a format that is known": 1,
        "guard: held: not-from-a-list": 2,
        "fetch: a mail that is cut off or damaged; what is there was read": 1,
        "parse: a mail whose text is data; have the source attach it as a file": 1,
        "parse: a page of text (Markdown) for people, not a feed": 1,
    },
    "rss": {
        "guard: held: suspect-text": 1,
        "parse: a feed without stories": 4,
        "parse: a story without title and text": 2,
        "parse: not well-formed; what could be read was read": 2,
        "parse: a page of text (Markdown) for people, not a feed": 1,
    },
    "ioc-csv": {"parse: a page of text (Markdown) for people, not a feed": 1},
    "ncsc-nl": {"parse: a page of text (Markdown) for people, not a feed": 2},
    "misp": {
        "guard: held: suspect-text": 2,
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
    assert row["documents"] == files + IN_MAILS.get(folder, 0)
    nothing, waiting = without_outcome(instance)
    assert waiting == WAITING.get(folder, 0)
    assert nothing == waiting - TOGETHER.get(folder, 0) + SCORED.get(folder, 0)
    assert tuple(row[name] for name in COUNTS) == EXPECTED[folder]
    assert reasons(instance) == REFUSED[folder]
    once = state(instance, exact=True)
    again = done(instance, "ingest", corpus / folder, "--source", source, "--json").row
    assert [again[name] for name in ("new", "updated", "merged", "held")] == [0, 0, 0, 0]
    assert again["refused"] == CUT_OFF.get(folder, 0)
    assert once.differences(state(instance, exact=True)) == []
    assert done(instance, "audit", "verify", "--json").row["ok"] is True
