"""What sources say again: one notice, then one update for each change of meaning, and none for anything else."""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.instance import WEEK, done, make, oktt, person

Advisory = dict[str, Any]
ADVISORY = WEEK / "1-monday/ncsc-nl/ncsc-2026-9001.json"
CATALOGUE = "known_exploited_vulnerabilities.2025-02-05.json"


def sent(instance: Path, subject: str) -> int:
    """Dispatch; every message has that word in its subject (empty: no word of an update)."""
    outbox = instance / "outbox"
    before = set(outbox.rglob("*.eml"))
    count: int = done(instance, "dispatch", "--now", "--json").row["sent"]
    fresh = set(outbox.rglob("*.eml")) - before
    assert len(fresh) == count
    for file in fresh:
        head = file.read_text(encoding="utf-8").partition("\n\n")[0]
        assert (subject in head) if subject else not any(word in head for word in ("UPDATE", "INGETROKKEN"))
    return count


def wording(document: Advisory) -> None:
    document["document"]["title"] += " (verduidelijkt)"
    for note in document["document"]["notes"]:
        if note.get("title", "").lower() not in ("oplossingen", "kans", "schade", "critical infrastructure sectors"):
            note["text"] += " De tekst is verduidelijkt."


def number(document: Advisory) -> None:
    tracking = document["document"]["tracking"]
    tracking["version"] = f"{tracking['version']}.1"
    tracking["current_release_date"] = "2026-03-02T10:00:00Z"
    tracking["revision_history"].append({"date": "2026-03-02T10:00:00Z", "number": "9", "summary": "x"})


def nothing(document: Advisory) -> None:
    """The same version in other bytes: each revision is set in another way."""


def remedy(document: Advisory) -> None:
    advice = {"category": "mitigation", "details": "Sluit de beheerpoort af."}
    document["vulnerabilities"][0].setdefault("remediations", []).append(advice)


def product(document: Advisory) -> None:
    deepest = document["product_tree"]["branches"][0]
    while "branches" in deepest["branches"][0]:
        deepest = deepest["branches"][0]
    full = {"product_id": "NIEUW", "name": "x"}
    deepest["branches"].append({"category": "product_version_range", "name": "vers:unknown/99.1", "product": full})
    document["vulnerabilities"][0]["product_status"]["known_affected"].append("NIEUW")


def score(value: float) -> Callable[[Advisory], None]:
    def scored(document: Advisory) -> None:
        for vulnerability in document["vulnerabilities"]:
            products = [each for listed in vulnerability["product_status"].values() for each in listed]
            vulnerability["scores"] = [{"products": products, "cvss_v3": {"baseScore": value, "version": "3.1"}}]

    return scored


def withdrawn(document: Advisory) -> None:
    document["document"]["category"] = "csaf_withdrawn"


SERIES: tuple[tuple[Callable[[Advisory], None], int, str], ...] = (
    (score(7.5), 1, ""),
    (wording, 0, ""),
    (number, 0, ""),
    (nothing, 0, ""),
    (remedy, 1, "UPDATE"),
    (score(8.1), 0, ""),
    (product, 1, "UPDATE"),
    (score(9.4), 1, "UPDATE"),
    (wording, 0, ""),
    (withdrawn, 1, "INGETROKKEN"),
    (number, 0, ""),
)
"""What a revision changes, how many messages come of it, and what their subject says."""


def revisions(document: Advisory) -> Iterator[tuple[str, int, str]]:
    for index, (change, messages, subject) in enumerate(SERIES):
        document = copy.deepcopy(document)
        change(document)
        yield json.dumps(document, indent=index % 2 or None, ensure_ascii=index % 3 > 0), messages, subject


def follow(tmp_path: Path, document: Advisory, software: dict[str, str]) -> None:
    """At one moment: no update waits for a next one."""
    people = [person("metaal", software=[software], min_urgency="info")]
    instance = make(tmp_path / "instance", "[desk]\nupdate_hours = 0\n", people)
    for index, (text, messages, subject) in enumerate(revisions(document)):
        file = tmp_path / f"{index}.json"
        file.write_text(text, encoding="utf-8")
        row = done(instance, "ingest", file, "--source", "ncsc-nl", "--json").row
        assert (row["new"], row["updated"]) == (int(index == 0), int(messages and index > 0)), index
        assert sent(instance, subject) == messages, index
    (item,) = done(instance, "items", "--json").rows
    assert (item["version"], item["state"]) == (sum(messages for _, messages, _ in SERIES), "withdrawn")


def test_an_advisory_of_the_ncsc_is_told_once_and_again_when_it_means_something_else(tmp_path: Path) -> None:
    document = json.loads(ADVISORY.read_bytes())
    follow(tmp_path, document, {"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"})


@pytest.mark.corpus
def test_a_published_advisory_is_told_once_and_again_when_it_means_something_else(corpus: Path, tmp_path: Path) -> None:
    document = json.loads((corpus / "csaf/cisa/revisions/icsa-24-109-01.2024-04-18.json").read_bytes())
    follow(tmp_path, document, {"vendor": "Unitronics", "product": "Vision 230"})


@pytest.mark.corpus
def test_the_two_revisions_as_they_were_published(corpus: Path, tmp_path: Path) -> None:
    """Update A adds the vendor's mitigations: other remedies, so one update."""
    people = [person("metaal", software=[{"vendor": "Unitronics", "product": "Vision 230"}], min_urgency="info")]
    instance = make(tmp_path / "instance", people=people)
    for day, subject in (("2024-04-18", ""), ("2024-05-01", "UPDATE"), ("2024-05-01", "")):
        file = corpus / "csaf/cisa/revisions" / f"icsa-24-109-01.{day}.json"
        done(instance, "ingest", file, "--source", "ncsc-nl")
        assert sent(instance, subject) == (day != "2024-05-01" or subject == "UPDATE")


@pytest.mark.parametrize(
    ("status", "outcome", "messages"),
    [("known_not_affected", "digest", 0), ("fixed", "digest", 0), ("under_investigation", "deliver", 1)],
)
def test_vex_alerts_only_those_it_does_not_call_safe(status: str, outcome: str, messages: int, tmp_path: Path) -> None:
    software = {"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"}
    instance = make(tmp_path / "instance", people=[person("metaal", software=[software], min_urgency="info")])
    document = json.loads(ADVISORY.read_bytes())
    document["document"]["category"] = "csaf_vex"
    for vulnerability in document["vulnerabilities"]:
        every = [each for listed in vulnerability["product_status"].values() for each in listed]
        vulnerability["product_status"] = {status: every}
    file = tmp_path / "vex.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    done(instance, "ingest", file, "--source", "ncsc-nl")
    (item,) = done(instance, "items", "--json").rows
    said = done(instance, "why", item["id"], "kvk-metaal", "--json").row
    assert said["outcome"] == outcome
    assert sent(instance, "") == messages
    if messages:
        assert {each["confidence"] for each in said["reasons"] if each["criterion"] == "software"} == {"possible"}


@pytest.mark.corpus
def test_the_kev_of_two_dates_gives_what_was_added_and_what_says_something_else(corpus: Path, tmp_path: Path) -> None:
    later = json.loads((corpus / "kev" / CATALOGUE).read_bytes())
    later["vulnerabilities"] = [each for each in later["vulnerabilities"] if each["dateAdded"] >= "2024-01-01"]
    older = copy.deepcopy(later)
    older["catalogVersion"], older["dateReleased"] = "2025.01.01", "2025-01-01T00:00:00Z"
    older["vulnerabilities"] = [each for each in older["vulnerabilities"] if each["dateAdded"] < "2025-01-01"]
    known = {each["cveID"]: each for each in older["vulnerabilities"]}
    names = sorted(known)
    for cve in names[:100]:  # what CISA changes most: one flag, a date, a note, a word
        known[cve]["knownRansomwareCampaignUse"] = "Unknown"
        known[cve] |= {"dueDate": "2030-01-01", "notes": "", "cwes": [], "shortDescription": "Other words."}
    for cve in names[100:103]:
        known[cve]["requiredAction"] = "Apply updates per vendor instructions, or disconnect the product."
    for cve in names[103:105]:
        known[cve]["product"] = "Another Product"
    added = {each["cveID"] for each in later["vulnerabilities"]} - set(names)

    instance = make(tmp_path / "instance")
    counts = []
    for name, catalogue in (("older", older), ("later", later), ("later", later)):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(catalogue), encoding="utf-8")
        row = done(instance, "ingest", file, "--source", "kev", "--json").row
        counts.append((row["new"], row["updated"], row["unchanged"], row["merged"], row["refused"]))
    assert len(added) == 19
    assert counts == [
        (len(names), 0, 0, 0, 0),
        (len(added), 5, len(names) - 5, 0, 0),
        (0, 0, len(later["vulnerabilities"]), 0, 0),
    ]
    items = done(instance, "items", "--limit", "2000", "--json").rows
    assert {each["cves"][0] for each in items if each["version"] == 2} == set(names[100:105])
    assert {each["cves"][0] for each in items} - set(names) == added


SCORES = b"""#model_version:v2025.03.14,score_date:2026-03-01T00:00:00+0000
cve,epss,percentile
{cve},0.91234,0.99
CVE-2099-0001,0.5,0.5
"""


def test_scores_stand_beside_what_is_there_and_what_comes_later(tmp_path: Path) -> None:
    software = {"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"}
    instance = make(tmp_path / "instance", people=[person("metaal", software=[software], maturity="mature")])
    document = json.loads(ADVISORY.read_bytes())
    cve = document["vulnerabilities"][0]["cve"]
    file = tmp_path / "advisory.json"
    file.write_bytes(ADVISORY.read_bytes())
    done(instance, "ingest", file, "--source", "ncsc-nl")
    (before,) = done(instance, "items", "--json").rows
    assert done(instance, "item", before["id"], "--json").row["priority"]["epss"] is None
    assert sent(instance, "") == 1

    day = tmp_path / "epss_scores-2026-03-01.csv.gz"
    day.write_bytes(gzip.compress(SCORES.replace(b"{cve}", cve.encode())))
    row = done(instance, "ingest", day, "--source", "epss", "--json").row
    assert (row["scores"], row["new"], row["updated"], row["refused"]) == (2, 0, 0, 0)
    assert done(instance, "items", "--json").rows == [before]
    assert done(instance, "item", before["id"], "--json").row["priority"]["epss"] == 0.91234
    assert sent(instance, "") == 0

    document["document"]["tracking"]["id"] = "NCSC-2026-9099"
    document["vulnerabilities"] = document["vulnerabilities"][:1]
    document["vulnerabilities"][0]["cve"] = "CVE-2099-0001"
    file.write_text(json.dumps(document), encoding="utf-8")
    done(instance, "ingest", file, "--source", "ncsc-nl")
    fresh = next(each for each in done(instance, "items", "--json").rows if each["id"] != before["id"])
    assert done(instance, "item", fresh["id"], "--json").row["priority"]["epss"] == 0.5
    assert sent(instance, "") == 1
    mails = [file.read_text(encoding="utf-8") for file in (instance / "outbox").rglob("*.eml")]
    assert sum("50,0%" in mail for mail in mails) == 1


def test_scores_of_a_source_that_is_not_for_everybody_are_refused(tmp_path: Path) -> None:
    instance = make(tmp_path / "instance")
    file = tmp_path / "scores.csv"
    file.write_bytes(SCORES.replace(b"{cve}", b"CVE-2026-0001"))
    ran = oktt(instance, "ingest", file, "--source", "market", "--json")
    assert (ran.code, ran.row["scores"], ran.row["refused"]) == (0, 0, 1)
    (refused,) = done(instance, "refused", "--json").rows
    assert (refused["stage"], "CLEAR" in refused["reason"]) == ("policy", True)
