"""The commands as users meet them: shapes, exit codes, errors that say what to do, and never a traceback."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from config.settings import load
from tests.app.instance import (
    FEEDS,
    FRIDAY,
    LATER,
    OKTT,
    PEOPLE,
    WEEK,
    Ran,
    copied,
    done,
    lay,
    make,
    oktt,
    person,
)  # fmt: skip
from tests.test_house import commands

ITEM = {
    "id", "kind", "state", "title", "tlp", "urgency", "exploited", "cves", "affected", "sectors", "countries",
    "sources", "version", "source_time", "received_at", "labels",
}  # fmt: skip
FORTIOS = "CVE-2024-55591"
OUTCOMES = {"deliver", "digest", "no-match", "tlp", "urgency", "opt-out", "quiet", "unverified", "vital"}
CRITERIA = {
    "network", "domain", "software", "sector", "country", "region", "urgency", "clearance", "opt-out", "quiet",
    "verified", "general",
}  # fmt: skip


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with items released, held and at the desk, and messages sent. Not to be changed."""
    folder = make(tmp_path_factory.mktemp("ready") / "instance", people=PEOPLE)
    feeds = lay(folder.parent / "in", FEEDS)
    for source in FEEDS:
        done(folder, "ingest", feeds / source, "--source", source)
    done(folder, "ingest", WEEK / "5-friday/market", WEEK / "4-thursday/market", "--source", "market")
    done(folder, "dispatch", "--now")
    return folder


@pytest.fixture
def own(ready: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return copied(ready, tmp_path / "instance")


def failed(folder: Path, *args: str | Path, code: int = 1, **more: Any) -> str:
    """Run a command that cannot do it: one line on stderr that names us, nothing on stdout."""
    ran = oktt(folder, *args, **more)
    assert ran.code == code, (ran.out, ran.err)
    assert "Traceback" not in ran.err
    if code == 1:
        assert ran.err.startswith("oktt: ")
        assert ran.err.count("\n") == 1, ran.err
        assert ran.out == ""
        assert "mistake of ours" not in ran.err
    return ran.err


def items(folder: Path, *args: str) -> list[dict[str, Any]]:
    return done(folder, "items", "--json", *args).rows


def an_item(folder: Path, state: str = "released", source: str = "ncsc-nl") -> str:
    """Id of an item in that state; of the NCSC's the one on FortiOS."""
    found = (row for row in items(folder, "--state", state) if source in row["sources"])
    return next(str(row["id"]) for row in found if source != "ncsc-nl" or FORTIOS in row["cves"])


def test_every_command_helps() -> None:
    for name in ["", "subscribers", "credentials", "audit", "legal", *commands()]:
        shown = CliRunner().invoke(cli, [*name.split(), "--help"])
        assert shown.exit_code == 0, name
        assert "Usage: " in shown.stdout, name


def test_ingest_tells_what_became_of_it(own: Path) -> None:
    row = done(own, "ingest", WEEK / "2-tuesday/market", "--source", "market", "--json").row
    assert list(row) == [
        "documents", "new", "updated", "unchanged", "merged", "held", "refused", "findings", "scores", "unexpected",
        "seconds",
    ]  # fmt: skip
    assert row["unexpected"] == {}
    assert all(type(row[name]) is int for name in list(row)[:7])
    assert type(row["seconds"]) is float
    assert row["documents"] == 1
    assert row["new"] + row["updated"] + row["merged"] >= 1
    for category, actions in row["findings"].items():
        assert isinstance(category, str)
        assert all(type(count) is int for count in actions.values())
    again = done(own, "ingest", WEEK / "2-tuesday/market", "--source", "market", "--json").row
    assert again["unchanged"] == row["new"] + row["updated"] + row["merged"]
    assert (again["new"], again["updated"], again["merged"], again["findings"]) == (0, 0, 0, {})


def test_a_format_that_the_source_does_not_give_is_told_and_read(own: Path) -> None:
    """An advisory brought in as Shadowserver's would get that source's label and reliability."""
    advisory = WEEK / "2-tuesday/ncsc-nl/ncsc-2026-9003.json"
    ran = done(own, "ingest", advisory, "--source", "shadowserver", "--json")
    assert (ran.row["new"], ran.row["refused"], ran.row["unexpected"]) == (1, 0, {"csaf": 1})
    assert ran.err.startswith("oktt: warning: read of source shadowserver: csaf 1; ")
    assert ran.err.count("\n") == 1
    assert "--source" in ran.err
    again = done(own, "ingest", advisory, "--source", "shadowserver")
    assert "warning" in again.err, "the mistake is still there"
    for source in ("ncsc-nl", "market"):  # the one gives it, the other gives anything
        fits = done(own, "ingest", advisory, "--source", source, "--json")
        assert (fits.row["unexpected"], fits.err) == ({}, "")


def test_items_and_item(ready: Path) -> None:
    rows = items(ready)
    assert len(rows) >= 7
    for row in rows:
        assert row.keys() >= ITEM
        assert row["kind"] in {"advisory", "report", "indicators", "exposure", "news"}
        assert row["tlp"] in {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"}
        assert row["urgency"] in {"today", "this-week", "info"}
        assert row["exploited"] in (True, False, None)
        assert all({"vendor", "product", "versions"} <= each.keys() for each in row["affected"])
        assert row["received_at"].endswith("Z")
        whole = done(ready, "item", row["id"], "--json").row
        assert {name: whole[name] for name in ITEM} == {name: row[name] for name in ITEM}
        assert whole["stix"]["type"] == "bundle"
        assert set(whole["priority"]) == {"kans", "schade", "cvss", "epss"}
        for finding in whole["findings"]:
            assert {"category", "role", "action", "path", "rule", "basis"} <= finding.keys()
        assert whole["history"]
        for line in whole["history"]:
            assert {"at", "by", "what", "reason"} <= line.keys()
    changed = [row["id"] for row in rows]
    assert [row["id"] for row in items(ready, "--limit", "2")] == changed[:2]
    assert {row["state"] for row in items(ready, "--state", "held")} == {"held"}
    assert items(ready, "--since", "2026-03-03") == []
    assert len(items(ready, "--since", "2026-03-02T09:00:00+01:00")) == len(rows)


def test_audience_and_why(ready: Path) -> None:
    item = an_item(ready)
    first, *rest = done(ready, "audience", item, "--json").rows
    assert first.keys() == {"item", "matched", "unreachable", "stubs", "outcomes", "segments", "since"}
    assert (first["unreachable"], first["since"]) == (0, None)
    for by in first["segments"].values():
        counted = Counter[str]()
        for outcomes in by.values():
            counted.update(outcomes)
        assert counted == first["outcomes"], "who has one sector, as all here, is in one segment of each dimension"
    assert set(first["outcomes"]) <= OUTCOMES
    assert sum(first["outcomes"].values()) == len(PEOPLE) == len(rest)
    assert first["matched"] == sum(first["outcomes"].get(name, 0) for name in ("deliver", "digest", "quiet"))
    for row in rest:
        assert row.keys() == {"subscriber", "outcome", "reasons", "unreachable", "stub"}
        assert row["reasons"]
        for reason in row["reasons"]:
            assert reason.keys() == {"criterion", "value", "matched", "confidence", "because"}
            assert reason["criterion"] in CRITERIA
            assert reason["confidence"] in {"exact", "likely", "possible"}
        assert done(ready, "why", item, row["subscriber"], "--json").row == row
    assert len(done(ready, "audience", item, "--limit", "2", "--json").rows) == 3
    assert len(done(ready, "audience", item, "--limit", "0", "--json").rows) == 1
    assert "more (" not in done(ready, "audience", item).out
    assert done(ready, "audience", item, "--limit", "2").out.endswith("and 3 more (--limit 5 lists all)\n")
    assert "No subscribers yet" not in done(ready, "audience", item, "--limit", "0").out


def test_who_has_no_channel_is_counted_apart(own: Path) -> None:
    item = an_item(own)
    before = done(own, "audience", item, "--json").rows[0]
    would = f"{before['matched']} subscribers would get it."
    assert would in done(own, "audience", item).out
    (own / "more.ndjson").write_text(json.dumps(person("doof", software=PEOPLE[0]["software"]) | {"channels": []}))
    done(own, "subscribers", "import", own / "more.ndjson")
    after = done(own, "audience", item, "--json").rows[0]
    assert (after["matched"], after["unreachable"]) == (before["matched"] + 1, 1)
    assert f"{would} " in (told := done(own, "audience", item).out)
    assert "1 more would, and cannot be reached: no channel" in told
    assert "deliver, no channel" in told
    assert "deliver; but cannot be reached: no channel" in done(own, "why", item, "kvk-doof").out
    assert done(own, "why", item, "kvk-doof", "--json").row["unreachable"] is True


def test_why_explains_to_who_gets_nothing(own: Path) -> None:
    """Criterion by criterion, not merely "no"."""
    item = an_item(own)
    file = own / "more.ndjson"
    wanted = {
        "kvk-ander": person("ander", software=[{"vendor": "Ivanti", "product": "Connect Secure"}]),
        "kvk-veilig": person("veilig", software=[{"vendor": "Fortinet", "product": "FortiOS", "version": "7.4.9"}]),
        "kvk-uit": person("uit", software=PEOPLE[0]["software"], opt_out=["advisory"]),
        "kvk-druk": person("druk", software=PEOPLE[0]["software"], min_urgency="today"),
        "kvk-belg": person("belg", software=PEOPLE[0]["software"], verified=False),
    }
    file.write_text("".join(json.dumps(each) + "\n" for each in wanted.values()))
    done(own, "subscribers", "import", file)
    told = {name: done(own, "why", item, name, "--json").row for name in wanted}
    assert {name: row["outcome"] for name, row in told.items()} == {
        "kvk-ander": "no-match", "kvk-veilig": "no-match", "kvk-uit": "opt-out", "kvk-druk": "urgency",
        "kvk-belg": told["kvk-belg"]["outcome"],
    }  # fmt: skip
    met = {name: {each["criterion"]: each["matched"] for each in row["reasons"]} for name, row in told.items()}
    assert met["kvk-ander"]["software"] is False
    assert met["kvk-veilig"]["software"] is False
    assert met["kvk-uit"]["software"] is True
    assert met["kvk-uit"]["opt-out"] is False
    assert met["kvk-druk"]["software"] is True
    assert met["kvk-druk"]["urgency"] is False
    text = done(own, "why", item, "kvk-veilig").out
    assert "no-match" in text
    assert "Fortinet FortiOS 7.4.9 in 7.0.0, 7.0.1" in text
    assert "lies outside 7.0.0, 7.0.1" in text
    assert "the profile lists Ivanti Connect Secure" in done(own, "why", item, "kvk-ander").out
    assert "lies outside 7.0.0" in done(own, "audience", item).out.replace("\n", "")


def test_what_if_is_answered_as_if_it_were_registered_and_stored_nowhere(own: Path) -> None:
    """Also who stands for others in the file, and one that is registered, as it would then be."""
    item, file = an_item(own), own / "what-if.ndjson"
    safe = [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.4.9"}]
    people = [
        person("nieuw", software=PEOPLE[0]["software"], channels=[]),
        person("metaal", software=safe),
        person("hulp", kind="supplier", members=["kvk-nieuw"], software=safe),
    ]
    file.write_text("".join(json.dumps(each) + "\n" for each in people))
    before = done(own, "why", item, "kvk-metaal", "--json").row, done(own, "subscribers", "list", "--json").rows
    supposed = done(own, "why", item, "--profile", file, "--json").rows
    assert [(row["subscriber"], row["outcome"]) for row in supposed] == [
        ("kvk-nieuw", "deliver"), ("kvk-metaal", "no-match"), ("kvk-hulp", "deliver"),
    ]  # fmt: skip
    text = done(own, "why", item, "--profile", file).out
    assert "kvk-metaal: no-match\nThat means: nothing in the profile meets what the item names." in text
    assert "no-channel" not in text
    assert (
        done(own, "why", item, "kvk-metaal", "--json").row,
        done(own, "subscribers", "list", "--json").rows,
    ) == before
    done(own, "subscribers", "import", file)
    assert [done(own, "why", item, row["subscriber"], "--json").row for row in supposed] == supposed


def test_what_if_refuses_what_the_import_refuses(own: Path) -> None:
    item, file = an_item(own), own / "what-if.ndjson"
    file.write_text('{"id":"x","name":"X","sectors":["SBI:99.99"]}\n')
    assert f"{file}: line 1: sectors[0]: no known sector" in failed(own, "why", item, "--profile", file)
    file.write_text("\n")
    assert "holds no profile" in failed(own, "why", item, "--profile", file)
    assert "cannot be read" in failed(own, "why", item, "--profile", own / "none")
    for words in ([], ["kvk-metaal", "--profile", str(file)]):
        failed(own, "why", item, *words, code=2)


def test_the_audience_tells_what_the_last_version_changed(own: Path) -> None:
    """The update raises it from this-week to today; a firm that asks for what is of today comes."""
    item, file = an_item(own), own / "more.ndjson"
    file.write_text(json.dumps(person("druk", software=PEOPLE[0]["software"], min_urgency="today")))
    done(own, "subscribers", "import", file)
    done(own, "ingest", lay(own / "later", LATER) / "ncsc-nl/9001-2.json", "--source", "ncsc-nl")
    druk = {"count": 1, "samples": ["kvk-druk"]}
    assert done(own, "audience", item, "--json").rows[0]["since"] == {
        "version": 1,
        "comes": druk,
        "goes": {"count": 0, "samples": []},
        "changes": [{"from": "urgency", "to": "deliver", **druk}],
    }
    text = done(own, "audience", item).out
    assert "Since version 1: 1 come, 0 go." in text
    assert "kvk-druk" in text


def test_segments(ready: Path) -> None:
    rows = done(ready, "segments", "--json").rows
    held = {(row["segment"], row["value"]): row["subscribers"] for row in rows}
    assert held["size", "mkb"] == held["kind", "company"] == len(PEOPLE)
    assert (held["maturity", "basic"], held["maturity", "mature"]) == (4, 1)
    assert (held["sector", "SBI:C"], held["sector", "SBI:25.62"], held["sector", "SBI:10.71"]) == (3, 2, 1)
    assert held["product", "fortinet|fortios"] == 2
    fortios = next(row for row in rows if row["value"] == "fortinet|fortios")
    assert fortios == {
        "segment": "product", "value": "fortinet|fortios", "subscribers": 2, "share": 0.4, "versions": {"7.0.3": 2},
    }  # fmt: skip
    assert next(row["above"] for row in rows if row["value"] == "SBI:25.62") == "SBI:C"
    assert len(done(ready, "segments", "--limit", "1", "--json").rows) == 5
    text = done(ready, "segments", "--limit", "1").out
    assert text.startswith(f"{len(PEOPLE)} subscribers\n")
    assert "60.0%" in text
    assert "7.0.3 2" in text


def test_refused_and_sources(ready: Path) -> None:
    rows = done(ready, "refused", "--json").rows
    assert rows
    for row in rows:
        assert list(row) == ["at", "source", "origin", "stage", "reason", "path"]
        assert row["stage"] in {"fetch", "parse", "shape", "guard", "policy"}
        assert "192.0.2.1.7" not in json.dumps(row)
    sources = {row["source"]: row for row in done(ready, "sources", "--json").rows}
    assert set(sources) == {"ncsc-nl", "kev", "epss", "cve", "shadowserver", "market", "news"}
    assert sources["ncsc-nl"]["documents"] == 2
    assert sources["ncsc-nl"]["last_success"] == "2026-03-02T08:00:00Z"
    assert sources["ncsc-nl"]["lag_seconds"] == 0
    assert sources["news"]["last_success"] is None


def test_subscribers_and_credentials(own: Path) -> None:
    assert done(own, "subscribers", "import", own / "people.ndjson", "--json").row == {
        "new": 0, "updated": 0, "unchanged": 5, "elsewhere": [], "repair": 0, "taken": [], "apart": [],
    }  # fmt: skip
    assert [row["id"] for row in done(own, "subscribers", "list", "--json").rows] == [each["id"] for each in PEOPLE]
    assert done(own, "subscribers", "show", "kvk-haven", "--json").row["name"] == "Firma haven"
    ends = ("--expires", "2031-01-02")
    made = done(own, "credentials", "create", "kvk-haven", "--for", "taxii", *ends, "--json").row
    assert list(made) == ["user", "password", "token"]
    [listed] = done(own, "credentials", "list", "--json").rows
    assert listed == done(own, "credentials", "list", "kvk-haven", "--json").row
    assert (listed["id"], listed["subscriber"], listed["purpose"]) == (made["user"], "kvk-haven", "taxii")
    assert (listed["expires_at"], listed["last_used_at"], listed["revoked_at"]) == ("2031-01-01T23:00:00Z", None, None)
    assert made["password"] not in done(own, "credentials", "list").out
    kept = b"".join(path.read_bytes() for path in own.glob("oktt.db*"))
    assert made["password"].encode() not in kept
    assert made["token"].encode() not in kept
    assert done(own, "credentials", "requests", "kvk-haven", "--json").rows == []
    assert done(own, "credentials", "requests", "kvk-haven").out == "No requests.\n"
    assert "has no credentials" in done(own, "credentials", "requests", "kvk-metaal").out
    assert done(own, "credentials", "revoke", "kvk-haven", "--json").row["revoked"] == 1
    assert done(own, "subscribers", "remove", "kvk-haven", "--json").row == {"removed": "kvk-haven"}
    assert "no subscriber kvk-haven" in failed(own, "subscribers", "show", "kvk-haven")


def test_decisions(own: Path) -> None:
    held = an_item(own, "held", "market")
    waiting = an_item(own, "new", "market") if items(own, "--state", "new") else held
    assert done(own, "claim", waiting, "--by", "anna", "--json").row["state"] == "claimed"
    assert "--reason" in failed(own, "hold", waiting, "--by", "anna")
    assert done(own, "hold", waiting, "--by", "anna", "--reason", "navragen").out.startswith(f"{waiting} is held")
    assert f"`oktt item {waiting}`" in failed(own, "release", waiting, "--by", "anna")
    assert done(own, "decline", waiting, "--by", "anna", "--reason", "dubbel", "--json").row["state"] == "declined"
    released = an_item(own)
    row = done(own, "withdraw", released, "--by", "anna", "--reason", "fout van de bron", "--json").row
    assert row.keys() >= {"item", "act", "state", "queued"}
    assert (row["state"], row["act"]) == ("withdrawn", "withdraw")
    assert row["queued"] == 2, "exactly those who got it"
    assert done(own, "dispatch", "--json").row == {"sent": 2, "retry": 0, "failed": 0, "cancelled": 0}
    history = done(own, "item", released, "--json").row["history"]
    assert history[-1]["by"] == "anna"
    assert history[-1]["reason"] == "fout van de bron"


def test_a_second_person_is_another_person(own: Path) -> None:
    with (own / "oktt.toml").open("a") as file:
        file.write('[desk]\nsecond_person_over = 0\nanalysts = ["anna", "bram"]\n')
    lay(own.parent / "in", LATER)
    (own / "rules.toml").write_text("")
    done(own, "ingest", own.parent / "in/ncsc-nl", "--source", "ncsc-nl")
    item = next(row["id"] for row in items(own) if FORTIOS in row["cves"])
    assert "analysts" in failed(own, "release", item, "--by", "mallory")
    ran = done(own, "release", item, "--by", "anna")
    assert "is pending" in ran.out
    assert "oktt approve" in ran.out
    assert "else" in failed(own, "approve", item, "--by", "anna")
    assert done(own, "approve", item, "--by", "bram", "--json").row == {
        "item": item, "act": "approve", "state": "released", "queued": 2, "lint": [],
    }  # fmt: skip


def test_dispatch_digest_purge_audit_and_legal(own: Path) -> None:
    assert done(own, "dispatch", "--json").row == {"sent": 0, "retry": 0, "failed": 0, "cancelled": 0}
    assert done(own, "dispatch", "--dry-run", "--now", "--json").row == {"due": 0}
    digest = ("digest", "--edition", "friday", "--date", "2026-03-06", "--json")
    looked = done(own, *digest, "--dry-run", now=FRIDAY).row
    assert looked == done(own, *digest, now=FRIDAY).row
    assert looked.keys() >= {"edition", "items", "subscribers", "queued"}
    assert done(own, *digest, now=FRIDAY).row["queued"] == 0
    assert done(own, "purge", "--dry-run", "--json").row.keys() >= {"items", "messages", "published", "files"}
    row = done(own, "audit", "verify", "--json").row
    assert row["ok"] is True
    register = done(own, "audit", "export").rows
    assert len(register) == row["entries"]
    later = done(own, "audit", "export", "--since", "2026-03-03").rows
    assert {(each["what"], each["detail"]["purpose"]) for each in later} == {("opened", "notify")}
    explained = done(own, "legal", "explain", an_item(own, source="shadowserver"), "--json").rows
    assert explained
    assert all({"category", "role", "action", "rule", "basis"} <= each.keys() for each in explained)
    replayed = done(own, "legal", "explain", an_item(own, source="shadowserver"), "--at", "2020-01-01", "--json").rows
    assert {each["would"] for each in replayed} == {"strip"}


def test_a_cut_register_shows(own: Path) -> None:
    with sqlite3.connect(own / "oktt.db") as connection:
        connection.execute("DELETE FROM journal WHERE seq = 2")
    connection.close()
    ran = oktt(own, "audit", "verify")
    assert ran.code == 1
    assert "not whole" in ran.err
    assert ran.err.count("\n") == 1


UNKNOWN_ITEM = "there is no item OKTT-1999-0001: `oktt items`"
NOT_THERE: list[tuple[list[str], str]] = [
    (["item", "OKTT-1999-0001"], UNKNOWN_ITEM),
    (["audience", "OKTT-1999-0001"], UNKNOWN_ITEM),
    (["why", "OKTT-1999-0001", "kvk-metaal"], UNKNOWN_ITEM),
    (["legal", "explain", "OKTT-1999-0001"], UNKNOWN_ITEM),
    *[([act, "OKTT-1999-0001", "--by", "anna", "--reason", "x"], UNKNOWN_ITEM)
      for act in ("claim", "hold", "decline", "release", "approve", "withdraw")],
    (["why", "OKTT-2026-0001", "nobody"], "there is no subscriber nobody: `oktt subscribers list`"),
    (["subscribers", "show", "nobody"], "there is no subscriber nobody"),
    (["subscribers", "remove", "nobody"], "there is no subscriber nobody"),
    (["credentials", "create", "nobody", "--for", "taxii"], "there is no subscriber nobody"),
    (["credentials", "revoke", "nobody"], "there is no subscriber nobody"),
    (["credentials", "requests", "nobody"], "there is no subscriber nobody"),
    (["credentials", "list", "nobody"], "there is no subscriber nobody"),
    (["subscribers", "import", "/nowhere/people.ndjson"], "cannot be read"),
    (["ingest", "/nowhere", "--source", "kev"], "no such file or folder"),
    (["ingest", ".", "--source", "nobody"], "sources.toml has no source of that id; there are: cve, epss"),
    (["release", "OKTT-2026-0001", "--by", "", "--reason", "x"], "--by needs the name"),
    (["digest", "--edition", "friday", "--date", "2099-01-02"], "has not come"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "says"), NOT_THERE, ids=[" ".join(args[:3]) for args, _ in NOT_THERE])
def test_what_is_not_there(args: list[str], says: str, ready: Path) -> None:
    assert says in failed(ready, *args)


WRONG: list[list[str]] = [
    [],
    ["nonsense"],
    ["ingest", "--source", "kev"],
    ["ingest", "."],
    ["ingest", ".", "--source", "kev", "--format", "yaml"],
    ["items", "--state", "asleep"],
    ["items", "--since", "yesterday"],
    ["items", "--since", "0001-01-01"],
    ["items", "--limit", "0"],
    ["items", "--limit", "99999999999999999999"],
    ["item"],
    ["item", "\udcff"],
    ["release", "OKTT-2026-0001"],
    ["release", "OKTT-2026-0001", "--by", "anna", "--tlp", "PINK"],
    ["release", "OKTT-2026-0001", "--by", "anna", "--urgency", "soon"],
    ["credentials", "create", "kvk-haven", "--for", "ftp"],
    ["credentials", "create", "kvk-haven", "--for", "taxii", "--expires", "gisteren"],
    ["credentials", "create", "kvk-haven", "--for", "taxii", "--expires", "2001-01-01"],
    ["digest", "--edition", "monday", "--date", "2026-03-03"],
    ["digest", "--edition", "tuesday", "--date", "2026-03-03"],
    ["digest", "--edition", "friday", "--date", "06-03-2026"],
    ["audit", "export", "--since", "x"],
    ["legal", "explain", "OKTT-2026-0001", "--at", "x"],
    ["serve", "--port", "99999"],
    ["serve", "--port", "-1"],
    ["subscribers"],
    ["dispatch", "--json=yes"],
]


@pytest.mark.parametrize("args", WRONG, ids=[ascii(" ".join(args)) for args in WRONG])
def test_wrong_usage(args: list[str], ready: Path) -> None:
    failed(ready, *args, code=2)


SETTINGS: list[tuple[str, str, str]] = [
    ("oktt.toml", "[app\n", "oktt.toml:1"),
    ("oktt.toml", "[app]\ntest_clok = true\n", "oktt.toml:2: app.test_clok: unknown key"),
    ("oktt.toml", "[web]\nport = 'x'\n", "oktt.toml:2: web.port"),
    ("oktt.toml", "app = 3\n", "oktt.toml:1: app"),
    ("oktt.toml", "[database]\nurl = 'mysql://x'\n", "[database] url"),
    ("oktt.toml", "[database]\nurl = 'sqlite:////nowhere/at/all.db'\n", "[database] url"),
    ("oktt.toml", "[database]\nurl = 'postgresql://x@127.0.0.1:1/x'\n", "[database] url"),
    ("sources.toml", "[source.x]\nname = 'x'\ntlp = 'PINK'\n", "sources.toml:3: source.x.tlp"),
    ("sources.toml", "[source.x]\nname = 'x'\nregime = 'none'\n", "sources.toml:3: source.x.regime"),
    ("sources.toml", "[feed.x]\nname = 'x'\n", "sources.toml:1"),
    ("rules.toml", "[[rule]]\nid = 'x'\nwhy = 'x'\nkinds = ['bogus']\n", "rules.toml:4: rule.0.kinds"),
    ("legal.toml", "", "legal.toml:1"),
]


@pytest.mark.parametrize(("file", "text", "says"), SETTINGS)
def test_broken_settings_name_file_line_and_key(file: str, text: str, says: str, own: Path) -> None:
    (own / file).write_text(text)
    assert says in failed(own, "items")
    told = oktt(own, "doctor")
    assert told.code == 1
    assert "NOT OK" in told.out


@pytest.mark.parametrize("file", ["oktt.toml", "sources.toml", "legal.toml", "rules.toml", "../{}.keys/instance.key"])
def test_a_missing_file_is_told(file: str, own: Path) -> None:
    file = file.format(own.name)
    (own / file).unlink()
    said = failed(own, "dispatch")
    assert Path(file).name in said
    assert "oktt init" in said


def test_a_key_that_is_none_or_open_to_others(own: Path) -> None:
    load(own).instance_key.chmod(0o644)
    assert "chmod 600" in failed(own, "items")
    load(own).instance_key.chmod(0o600)
    load(own).instance_key.write_text("zz\n")
    assert "put back the key" in failed(own, "items")


def test_another_key_opens_nothing(own: Path) -> None:
    load(own).instance_key.write_text("00" * 32 + "\n")
    item = items(own)[0]["id"]
    assert "seal" in failed(own, "item", item)
    assert oktt(own, "audit", "verify").code == 1


@pytest.mark.parametrize("args", [["items"], ["dispatch"], ["init"], ["sources"], ["audit", "verify"], ["purge"]])
def test_a_database_that_is_none(args: list[str], own: Path) -> None:
    for left in own.glob("oktt.db-*"):
        left.unlink()
    (own / "oktt.db").write_bytes(b"\x17" * 8192)
    assert "database" in failed(own, *args)


def test_a_damaged_database(own: Path) -> None:
    """Its first page is sound; what lies behind is not."""
    for left in own.glob("oktt.db-*"):
        left.unlink()
    size = (own / "oktt.db").stat().st_size
    with (own / "oktt.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    for args in (["items"], ["ingest", str(own.parent), "--source", "kev"], ["dispatch"]):
        assert "database" in failed(own, *args)
    told = oktt(own, "doctor")
    assert (told.code, told.out.count("NOT OK")) == (1, 1)


def test_an_empty_database_wants_init(own: Path) -> None:
    for file in own.glob("oktt.db*"):
        file.unlink()
    assert "run `oktt init`" in failed(own, "items")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "run `oktt init`" in failed(tmp_path / "nothing", "items")
    (tmp_path / "file").write_text("")
    failed(tmp_path / "file", "init")
    failed(tmp_path / "file", "items")


def test_init_never_overwrites(own: Path) -> None:
    before = {path.name: path.read_bytes() for path in own.glob("*.toml")} | {"k": load(own).instance_key.read_bytes()}
    assert done(own, "init", "--json").row["made"] == []
    after = {path.name: path.read_bytes() for path in own.glob("*.toml")} | {"k": load(own).instance_key.read_bytes()}
    assert before == after


def test_an_empty_folder_is_no_error(own: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    row = done(own, "ingest", tmp_path / "empty", "--source", "kev", "--json").row
    assert (row["documents"], row["refused"]) == (0, 0)


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.json").write_bytes(b"\x00\xff\x00")
    (folder / "b.json").write_text("[" * 100_000)
    (folder / "c.zip").write_bytes(b"PK\x03\x04 no archive")
    (folder / "d.json").write_text('{"type": "bundle", "objects": 7}')
    (folder / "e.json").write_text("")
    (folder / "f").symlink_to("nowhere")
    os.mkfifo(folder / "g.json")
    shutil.copy(WEEK / "2-tuesday/ncsc-nl/ncsc-2026-9003.json", folder / "h.json")
    row = done(own, "ingest", folder, "--source", "ncsc-nl", "--json").row
    assert (row["documents"], row["new"]) == (8, 1)
    assert row["refused"] == 7


def test_time_that_is_none(own: Path) -> None:
    assert "RFC 3339" in failed(own, "items", now="yesterday")
    assert "time zone" in failed(own, "items", now="2026-03-02T08:00:00")


def real(*args: str | Path, **environment: str) -> Ran:
    """The installed program, in a process of its own."""
    ran = subprocess.run([OKTT, *args], env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def test_the_program_itself(ready: Path, tmp_path: Path) -> None:
    listed = real("items", "--json", OKTT_DIR=str(ready))
    assert (listed.code, listed.err) == (0, "")
    assert listed.rows == items(ready)
    wrong = real("--dir", ready, "item", "OKTT-1999-0001", OKTT_DIR=str(tmp_path))
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err == f"oktt: {UNKNOWN_ITEM} lists them\n", "--dir goes before OKTT_DIR"
    assert oktt(ready, "items", "--state", "x").code == 2


def test_no_colour_in_a_pipe_nor_with_no_color(ready: Path) -> None:
    for environment in ({}, {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}):
        ran = real("--dir", ready, "items", **environment)
        assert ran.code == 0
        assert "\x1b[3" not in ran.out, environment
        assert "Kwetsbaarheid verholpen in Fortinet FortiOS en FortiProxy" in ran.out


def test_a_reader_that_goes_away(ready: Path) -> None:
    """`oktt audit export | head -1`: quiet, however much was still to come. When the second one writes, it is gone."""
    command = f"for i in 1 2; do {OKTT} --dir {ready} item {items(ready)[0]['id']} --json; done | head -c 10"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert len(ran.stdout) == 10
    assert ran.stderr == ""


def test_a_locked_database_is_waited_for_or_told(own: Path) -> None:
    """Somebody else writes: reading goes on."""
    with sqlite3.connect(own / "oktt.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert items(own)
        other.execute("ROLLBACK")
    other.close()
