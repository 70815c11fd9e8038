"""`oktt item`: which source says what, where they disagree, what is related."""

import json
from pathlib import Path
from typing import Any

from tests.app.instance import done, make

ONE, TWO = "CVE-2026-0001", "CVE-2026-0002"


def advisory(number: int, cves: list[str], score: float, versions: str, kans: str) -> str:
    tree = {
        "branches": [
            {
                "category": "vendor",
                "name": "Fortinet",
                "branches": [
                    {
                        "category": "product_name",
                        "name": "FortiOS",
                        "branches": [
                            {
                                "category": "product_version_range",
                                "name": versions,
                                "product": {"product_id": "P1", "name": "FortiOS"},
                            }
                        ],
                    }
                ],
            }
        ]
    }
    cvss = {"version": "3.1", "vectorString": "", "baseScore": score, "baseSeverity": "HIGH"}
    document = {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "title": f"Kwetsbaarheid {number}",
        "distribution": {"tlp": {"label": "WHITE"}},
        "notes": [{"category": "general", "title": "Kans", "text": kans}],
        "publisher": {"category": "coordinator", "name": "C", "namespace": "https://c.example/"},
        "tracking": {"id": f"NCSC-2026-900{number}", "status": "final", "version": "1.0.0"}
        | {"initial_release_date": "2026-03-01T00:00:00Z", "current_release_date": "2026-03-01T00:00:00Z"},
    }
    scored = {"scores": [{"products": ["P1"], "cvss_v3": cvss}], "product_status": {"known_affected": ["P1"]}}
    found = [{"cve": cve} | scored for cve in cves]
    return json.dumps({"document": document, "product_tree": tree, "vulnerabilities": found})


def indicator(number: int, host: str) -> dict[str, Any]:
    stamp = "2026-03-01T00:00:00.000Z"
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": stamp, "modified": stamp, "valid_from": stamp, "indicator_types": ["malicious-activity"],
        "pattern": f"[domain-name:value = '{host}']", "pattern_type": "stix",
    }  # fmt: skip


def bundle(number: int, *objects: dict[str, Any]) -> str:
    return json.dumps({"type": "bundle", "id": f"bundle--00000000-0000-4000-8000-{number:012d}", "objects": objects})


def bring(folder: Path, name: str, text: str, source: str) -> dict[str, Any]:
    (folder.parent / name).write_text(text, encoding="utf-8")
    return done(folder, "ingest", folder.parent / name, "--source", source, "--json").row


def test_which_source_says_what_and_where_they_disagree(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    bring(folder, "1.json", advisory(1, [ONE], 9.8, "vers:unknown/<7.2.5", "high"), "ncsc-nl")
    assert bring(folder, "2.json", advisory(2, [ONE], 7.5, "vers:unknown/<7.2.6", "low"), "market")["merged"] == 1
    bring(folder, "3.json", advisory(3, [ONE, TWO], 9.8, "vers:unknown/<7.2.5", "high"), "market")
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert {(each["source"], each["cvss"], each["kans"]) for each in row["statements"]} == {
        ("ncsc-nl", 9.8, "high"),
        ("market", 7.5, "low"),
    }
    assert {(each["source"], each["affected"][0]["versions"]) for each in row["statements"]} == {
        ("ncsc-nl", "vers:unknown/<7.2.5"),
        ("market", "vers:unknown/<7.2.6"),
    }
    assert {each["fact"]: each["said"] for each in row["disagreement"]} == {
        "kans": {"ncsc-nl": ["high"], "market": ["low"]},
        "cvss": {"ncsc-nl": [9.8], "market": [7.5]},
        "affected": {"ncsc-nl": ["<7.2.5"], "market": ["<7.2.6"]},
    }
    (related,) = row["related"]
    assert (related["item"], related["cves"], related["indicators"]) == ("OKTT-2026-0002", [ONE], 0)
    text = done(folder, "item", "OKTT-2026-0001").out
    assert "sources disagree, cvss: ncsc-nl says 9.8; market says 7.5" in text.replace(
        "market says 7.5; ncsc-nl says 9.8", "ncsc-nl says 9.8; market says 7.5"
    )
    assert f"related: OKTT-2026-0002 ({ONE}), " in text
    assert "says affected: Fortinet FortiOS: <7.2.6" in text


def test_shared_indicators_link_and_do_not_merge(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    one = bundle(1, indicator(1, "kwaad.example"), indicator(2, "erger.example"))
    other = bundle(2, indicator(3, "kwaad.example"), indicator(4, "ergst.example"))
    assert bring(folder, "1.json", one, "market")["new"] == 1
    assert bring(folder, "2.json", other, "market")["new"] == 1
    for mine, its in (("OKTT-2026-0001", "OKTT-2026-0002"), ("OKTT-2026-0002", "OKTT-2026-0001")):
        (related,) = done(folder, "item", mine, "--json").row["related"]
        assert (related["item"], related["indicators"], related["told_apart"]) == (its, 1, False)


def test_a_republication_with_new_ids_is_the_same_again(tmp_path: Path) -> None:
    """Another bundle id, other object ids, another order: no new item, no new indicator, no new version."""
    folder = make(tmp_path / "var")
    hosts = ["kwaad.example", "erger.example", "ergst.example"]
    bring(folder, "1.json", bundle(1, *(indicator(n, host) for n, host in enumerate(hosts))), "market")
    before = done(folder, "item", "OKTT-2026-0001", "--json").row
    again = bundle(2, *(indicator(n + 100, host) for n, host in enumerate(reversed(hosts))))
    counts = bring(folder, "2.json", again, "market")
    assert (counts["new"], counts["updated"], counts["merged"], counts["unchanged"]) == (0, 0, 0, 1)
    assert done(folder, "item", "OKTT-2026-0001", "--json").row == before
    grown = bundle(2, *(indicator(n + 100, host) for n, host in enumerate([*hosts, "nieuw.example"])))
    counts = bring(folder, "3.json", grown, "market")
    assert (counts["new"], counts["updated"]) == (0, 1), "what follows under the new id is a version of the same"
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (row["version"], len(row["statements"]), row["statements"][0]["indicators"]) == (2, 1, 4)


def test_two_objects_of_one_id_that_say_different_things_are_both_kept(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    bring(folder, "1.json", bundle(1, indicator(1, "kwaad.example"), indicator(1, "erger.example")), "market")
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    patterns = [each["pattern"] for each in row["stix"]["objects"] if each["type"] == "indicator"]
    assert len(patterns) == 2
    assert row["statements"][0]["indicators"] == 2


REPORT = "timestamp,ip,port,protocol,tag,asn,geo,rdp_protocol"


def scan(day: str, *hosts: int) -> str:
    rows = (f"2026-03-{day} 04:05:06,192.0.2.{host},3389,tcp,rdp,64500,NL,RDP" for host in hosts)
    return "\n".join((REPORT, *rows, ""))


def test_what_of_a_report_is_open_since_when(tmp_path: Path) -> None:
    """Thursday's before Monday's; what is kept for its owner has no value here."""
    folder = make(tmp_path / "var")
    bring(folder, "thursday.csv", scan("05", 2, 3, 4), "shadowserver")
    alone = done(folder, "item", "OKTT-2026-0001", "--json").row["exposures"]
    assert (alone["previous"], alone["open"], alone["still_open"], alone["closed"]) == (None, 3, 0, 0)
    assert "no report before it" in done(folder, "item", "OKTT-2026-0001").out
    bring(folder, "monday.csv", scan("02", 1, 2, 3), "shadowserver")
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    found = row["exposures"]
    assert {name: found[name] for name in ("report", "day", "previous", "open", "still_open", "closed", "since")} == {
        "report": "scan_rdp", "day": "2026-03-05", "previous": "2026-03-02", "open": 1, "still_open": 2, "closed": 1,
        "since": {"2026-03-02": 2, "2026-03-05": 1},
    }  # fmt: skip
    assert [(each["value"], each["port"], each["since"]) for each in found["rows"]] == [
        (None, 3389, "2026-03-02"),
        (None, 3389, "2026-03-02"),
        (None, 3389, "2026-03-05"),
    ]
    assert "192.0.2." not in json.dumps(row)
    told = done(folder, "item", "OKTT-2026-0001").out
    assert "since that of 2026-03-02: 1 newly open, 2 still open, 1 closed" in told
    assert "still open: 2 since 2026-03-02" in told
    monday = done(folder, "item", "OKTT-2026-0002", "--json").row["exposures"]
    assert [each["until"] for each in monday["rows"]] == ["2026-03-05", None, None]


def test_without_a_basis_a_report_has_counts_alone(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    sources = folder / "sources.toml"
    sources.write_text(sources.read_text().replace('name = "Shadowserver"', 'name = "S"\nregime = "no-basis"'))
    bring(folder, "monday.csv", scan("02", 1, 2, 3), "shadowserver")
    bring(folder, "thursday.csv", scan("05", 2, 3), "shadowserver")
    found = done(folder, "item", "OKTT-2026-0002", "--json").row["exposures"]
    assert {name: found[name] for name in ("previous", "systems", "previous_systems", "open", "still_open")} == {
        "previous": "2026-03-02", "systems": 2, "previous_systems": 3, "open": None, "still_open": None,
    }  # fmt: skip
    assert [(each["type"], each["since"]) for each in found["rows"]] == [("asn", None)]
    assert "cannot be told without their addresses" in done(folder, "item", "OKTT-2026-0002").out
