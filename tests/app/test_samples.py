"""The sample week: what its script writes, on reserved addresses only, and sound where not broken on purpose."""

import csv
import importlib.util
import io
import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import stix2

SAMPLES = Path(__file__).parents[2] / "samples"
WEEK = SAMPLES / "week"
RESERVED = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
SOURCES = {"ncsc-nl", "kev", "cve", "shadowserver", "market", "news"}
PUBLISHED = re.compile(
    r"https?://(?:[a-z-]+\.)*(?:ncsc\.nl|fortinet\.com|microsoft\.com|ivanti\.com|citrix\.com|broadcom\.com|7-zip\.org"
    r"|paloaltonetworks\.com|progress\.com|nist\.gov|w3\.org|example)(?:/|\"|$)"
)


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oktt_samples_make", SAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents(source: str) -> list[tuple[Path, Any]]:
    return [(path, json.loads(path.read_bytes())) for path in sorted(WEEK.glob(f"*/{source}/*.json"))]


def test_the_files_are_what_the_script_writes(make: ModuleType) -> None:
    written = {str(path.relative_to(WEEK)): path.read_text(encoding="utf-8") for path in WEEK.rglob("*.*")}
    assert written == make.files()


def test_every_source_is_one_that_ships() -> None:
    assert {path.name for path in WEEK.glob("*/*")} == SOURCES
    assert {path.name[0] for path in WEEK.iterdir()} <= set("01234567")


def test_every_address_is_set_aside_for_documentation() -> None:
    for path in WEEK.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            rows = list(csv.DictReader(io.StringIO(text)))
            found = {row["ip"] for row in rows if row["ip"].count(".") != 4}
            assert {int(row["asn"]) for row in rows if row["asn"]} <= set(range(64496, 64512))
        elif "market" in path.parts:
            found = set(re.findall(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", text.replace("[.]", ".")))
        else:
            continue
        assert found or "0119" in path.name
        assert all(any(ip_address(ip) in net for net in RESERVED) for ip in found), path.name


def test_every_link_leads_to_a_publisher_or_nowhere() -> None:
    for path in WEEK.rglob("*.*"):
        for found in re.findall(r"https?://[^\s\"'<>)]+", path.read_text(encoding="utf-8")):
            assert PUBLISHED.match(found), (path.name, found)


def test_only_the_object_broken_on_purpose_is_broken() -> None:
    broken = []
    for path, bundle in documents("market"):
        for made in bundle["objects"]:
            version = bundle.get("spec_version", "2.1")
            try:
                stix2.parse(made, version=version)
            except stix2.exceptions.STIXError:
                broken.append((path.name, made["id"]))
    assert broken == [("zeearend-2026-0117.json", "indicator--geen-uuid")]


def test_references_within_a_bundle_lead_somewhere() -> None:
    for path, bundle in documents("market"):
        ids = {made["id"] for made in bundle["objects"]}
        for made in bundle["objects"]:
            named = [made.get(key) for key in made if key.endswith("_ref")]
            named += [ref for key in made if key.endswith("_refs") and "marking" not in key for ref in made[key]]
            assert {ref for ref in named if ref} <= ids, path.name


def test_advisories_hold_together() -> None:
    """CSAF 2.0 section 6.1: product ids are defined, versions match, the history ends with the current version."""
    for path, made in documents("ncsc-nl"):
        document = made["document"]
        assert path.name == f"{document['tracking']['id'].lower()}.json"
        assert document["tracking"]["revision_history"][-1]["number"] == document["tracking"]["version"]
        assert {note.get("title") for note in document["notes"]} >= {"Feiten", "Interpretaties", "Oplossingen", "Kans"}
        defined = set(re.findall(r'"product_id": "([^"]+)"', json.dumps(made["product_tree"])))
        for one in made["vulnerabilities"]:
            assert set(one["product_status"]["known_affected"]) == defined


def test_thursdays_scan_knows_open_closed_and_new() -> None:
    def hosts(day: str) -> set[str]:
        (path,) = WEEK.glob(f"{day}/shadowserver/*scan_rdp*.csv")
        return {row["ip"] for row in csv.DictReader(path.open(encoding="utf-8"))}

    monday, thursday = hosts("1-monday"), hosts("4-thursday")
    assert len(monday) > 300
    assert len(monday & thursday) > 100
    assert len(monday - thursday) > 50
    assert len(thursday - monday) > 10
    assert "192.0.2.66" in monday - thursday, "the baker closed the port"
