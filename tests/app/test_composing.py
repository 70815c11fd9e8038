"""What analysts write themselves comes through the same door and lies at the same desk."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.service import open_service
from dispatch import ledger
from dispatch.codes import beginning
from tests.app.house import opened
from tests.app.instance import FORTINET, FRIDAY, ROOT, done, make, oktt, person
from tests.app.test_joining import cut_off_everywhere

SAMPLE = ROOT / "samples" / "phishing.md"
WHOLE = """+++
title = "Misbruik van FortiOS"
tlp = "GREEN"
urgency = "today"
cves = ["CVE-2026-0001"]
sectors = ["SBI:25"]
countries = ["NL"]
regions = ["be-vlg"]
networks = ["192.0.2.0/24"]
indicators = ["hxxp://kwaad[.]example/a", "d41d8cd98f00b204e9800998ecf8427e"]
remedies = ["Werk bij naar 7.2.8."]
references = ["https://example.org/a"]

[[affected]]
vendor = "Fortinet"
product = "FortiOS"
versions = "<7.2.8"
+++

# Wat er is

Het wordt **misbruikt**.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "var", people=[person("metaal", software=FORTINET, clearance="AMBER")])


def write(folder: Path, text: str, name: str = "fortios.md") -> Path:
    file = folder.parent / name
    file.write_text(text, encoding="utf-8")
    return file


def compose(folder: Path, text: str = WHOLE, **more: Any) -> dict[str, Any]:
    return done(folder, "compose", write(folder, text), "--by", "anna", "--json", **more).row


def test_an_item_of_our_own(folder: Path) -> None:
    assert compose(folder) == {"item": "OKTT-2026-0001", "effect": "new", "state": "new", "holds": [], "lint": []}
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (row["kind"], row["tlp"], row["urgency"], row["sources"]) == ("advisory", "GREEN", "today", ["oktt"])
    (said,) = row["statements"]
    assert (row["countries"], row["regions"]) == (["NL"], ["BE-VLG"])
    assert (said["reliability"], said["summary"]) == ("A", "# Wat er is\n\nHet wordt **misbruikt**.")
    assert (said["cves"], said["sectors"], said["indicators"]) == (["CVE-2026-0001"], ["SBI:25"], 3)
    patterns = [each["pattern"] for each in row["stix"]["objects"] if each["type"] == "indicator"]
    assert patterns == [
        "[url:value = 'http://kwaad.example/a']",
        "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
    ]
    assert [(each["by"], each["what"]) for each in row["history"]][-1] == ("anna", "compose")
    assert done(folder, "audience", "OKTT-2026-0001", "--json").rows[0]["matched"] == 1
    done(folder, "release", "OKTT-2026-0001", "--by", "anna")
    assert done(folder, "dispatch", "--now", "--json").row["sent"] == 1
    (mail,) = (folder / "outbox").glob("*.eml")
    text = mail.read_text(encoding="utf-8", errors="replace")
    assert "abonnee" not in text, "it is of OKTT's own"
    (code,) = set(re.findall(r"Code: (?:<[^>]*>)?([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})", text.replace("=\n", "")))
    service = open_service(folder)
    with service.reading() as connection:
        assert ledger.sent_as(connection, str(beginning(code)))[0] == "OKTT-2026-0001"  # type: ignore[index]
    service.close()


def test_what_is_hard_to_read_is_shown_before_it_goes_out(folder: Path) -> None:
    hard = f"Organisaties dienen {'organisatorische beveiligingsmaatregelen ' * 30}te implementeren."
    (long, score) = compose(folder, WHOLE.replace("Het wordt **misbruikt**.", hard))["lint"]
    assert long.startswith("a sentence of 64 words, more than 25: Organisaties dienen organisatorische")
    assert score.startswith("hard to read: Flesch score")
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (row["advice"]["block"], row["advice"]["specific"], row["lint"]) == ("fortinet-fortios", True, [long, score])
    shown = done(folder, "item", "OKTT-2026-0001").out
    assert f"its message: {long}" in shown
    assert f"facts checked on {row['advice']['checked']}\n      {row['advice']['sources'][0]}\n" in shown
    refused = oktt(folder, "release", "OKTT-2026-0001", "--by", "anna")
    assert (refused.code, "mend it (`oktt compose`)" in refused.err) == (1, True)
    released = done(folder, "release", "OKTT-2026-0001", "--by", "anna", "--reason", "voor kenners", "--json").row
    assert (released["state"], released["lint"]) == ("released", [long, score])


def test_the_same_file_again_is_the_same_item(folder: Path) -> None:
    compose(folder)
    assert compose(folder)["effect"] == "unchanged"
    assert compose(folder, WHOLE.replace("<7.2.8", "<7.2.9"))["effect"] == "updated"
    assert done(folder, "item", "OKTT-2026-0001", "--json").row["version"] == 2
    assert compose(folder, now=FRIDAY)["effect"] == "updated", "what was written before and is written again, too"
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (row["version"], len(row["statements"])) == (3, 1)
    named = WHOLE.replace("+++\n", '+++\nid = "fortios"\n', 1)
    assert (
        done(folder, "compose", write(folder, named, "elders.md"), "--by", "bo", "--json").row["item"]
        == "OKTT-2026-0001"
    )


def test_our_own_words_are_what_we_make_them(folder: Path) -> None:
    """A mended sentence is taken over, asks for a decision, and tells nobody anew."""
    compose(folder)
    done(folder, "release", "OKTT-2026-0001", "--by", "anna")
    done(folder, "dispatch", "--now")
    assert compose(folder, WHOLE.replace("**misbruikt**", "actief misbruikt"))["state"] == "new"
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (row["version"], row["statements"][0]["summary"].split()[-2:]) == (1, ["actief", "misbruikt."])
    done(folder, "release", "OKTT-2026-0001", "--by", "anna")
    assert done(folder, "dispatch", "--now", "--json").row["sent"] == 0


def test_what_the_ncsc_says_of_the_same_merges_with_it(folder: Path) -> None:
    compose(folder)
    feed = ROOT / "samples/week/1-monday/ncsc-nl/ncsc-2026-9001.json"
    done(folder, "ingest", feed, "--source", "ncsc-nl")
    cve = done(folder, "item", "OKTT-2026-0002", "--json").row["cves"]
    own = WHOLE.replace('"CVE-2026-0001"', ", ".join(f'"{each}"' for each in cve))
    assert done(folder, "compose", write(folder, own, "x.md"), "--by", "anna", "--json").row["effect"] == "merged"


def test_the_sample_is_one(folder: Path) -> None:
    row = done(folder, "compose", SAMPLE, "--by", "anna", "--json").row
    assert (row["effect"], row["holds"]) == ("new", [])
    text = SAMPLE.read_text(encoding="utf-8").replace("# cves", "cves").replace("# networks", "networks")
    table = ("# [[", "# vendor", "# product", "# versions")
    lines = [line.removeprefix("# ") if line.startswith(table) else line for line in text.splitlines()]
    text = "\n".join(lines)
    assert done(folder, "compose", write(folder, text, "alles.md"), "--by", "anna", "--json").row["effect"] == "new"


WRONG = {
    "no head": ("Tekst.", ":1: no head: begin with a line +++"),
    "not TOML": ("+++\ntitle = 'a'\ntlp = GREEN\n+++\n", ":3: not TOML"),
    "no title": ("+++\ntlp = 'GREEN'\n+++\n", "missing required field `title`"),
    "an empty title": ("+++\ntitle = ' '\n+++\n", ":2: title: empty"),
    "an unknown key": ("+++\ntitle = 'a'\n\ngeheim = 'x'\n+++\n", ":4: geheim: unknown key"),
    "a label": ("+++\ntitle = 'a'\ntlp = 'PINK'\n+++\n", ":3: tlp: not one of the values that are possible; use CLEAR"),
    "a kind": ("+++\ntitle = 'a'\nkind = 'roman'\n+++\n", ":3: kind: not one of the values that are possible; use adv"),
    "a CVE": ("+++\ntitle = 'a'\ncves = ['CVE-26-1']\n+++\n", ":3: cves: not a CVE id; write CVE-2026-0001"),
    "a sector": ("+++\ntitle = 'a'\nsectors = ['25']\n+++\n", ":3: sectors: a sector code without a scheme"),
    "a network": ("+++\ntitle = 'a'\nnetworks = ['niet waar']\n+++\n", ":3: networks: one of them is not an address"),
    "an indicator": ("+++\ntitle = 'a'\nindicators = ['niet waar']\n+++\n", ":3: indicators: one of them is not an"),
    "a reference": ("+++\ntitle = 'a'\nreferences = ['ftp://x']\n+++\n", ":3: references: not a web address"),
    "a score": ("+++\ntitle = 'a'\ncvss = 11\n+++\n", ":3: cvss: not a score"),
    "a region": ("+++\ntitle = 'a'\nregions = ['Brabant']\n+++\n", ":3: regions: not a region"),
    "a country": ("+++\ntitle = 'a'\ncountries = ['Nederland']\n+++\n", ":3: countries: not a country"),
    "a product": (
        "+++\ntitle='a'\n[[affected]]\nproduct='b'\n[[affected]]\nproduct='c'\nprodukt='c'\n+++\n",
        ":7: affected.produkt: unknown key",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_by_file_line_and_key(folder: Path, case: str) -> None:
    text, says = WRONG[case]
    file = write(folder, text)
    ran = oktt(folder, "compose", file, "--by", "anna")
    assert ran.code == 1
    assert f"{file}" in ran.err
    assert says in ran.err
    assert "PINK" not in ran.err
    assert "niet waar" not in ran.err
    assert done(folder, "items", "--json").rows == []


def test_who_writes_is_one_of_the_desk(folder: Path) -> None:
    assert oktt(folder, "compose", write(folder, WHOLE), "--by", "rule:x").code == 1
    assert oktt(folder, "compose", folder / "nergens.md", "--by", "anna").code == 1


def test_it_comes_in_whole_or_not_at_all(tmp_path: Path) -> None:
    from app import composing

    house = opened(tmp_path)
    file = tmp_path / "a.md"
    file.write_text(WHOLE, encoding="utf-8")
    cut_off_everywhere(house, lambda: composing.compose(house.service, file, "anna", "os"))


def test_personal_data_in_it_is_the_guards(folder: Path) -> None:
    made = compose(folder, WHOLE + "\nVraag het aan piet.jansen@voorbeeld.example, BSN 111222333.\n")
    row = done(folder, "item", made["item"], "--json").row
    assert "111222333" not in str(row)
    assert {each["category"] for each in row["findings"]} >= {"bsn", "email"}
