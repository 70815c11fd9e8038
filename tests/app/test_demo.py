"""`oktt demo`: a week, to its end, with the summary that contract.md promises; and what it leaves can be looked at."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.app.instance import OKTT, ROOT, Ran, oktt

LINES = (
    "Documents", "Items", "Personal data", "Held", "Subscribers", "Matched", "Messages", "Digests", "TAXII", "refused",
    "Where to look",
)  # fmt: skip
"""Documents, items, findings by action, held, matched, notifications by channel, digests, collections, refused."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    folder = tmp_path_factory.mktemp("demo") / "week"
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    ran = subprocess.run(
        [OKTT, "--dir", folder, "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return folder, Ran(ran.returncode, ran.stdout, ran.stderr)


def number(text: str, pattern: str) -> int:
    found = re.search(pattern, " ".join(text.replace("│", " ").split()))
    assert found, (pattern, text)
    return int(found.group(1))


def test_it_ends_well_and_says_all(played: tuple[Path, Ran]) -> None:
    folder, ran = played
    assert (ran.code, ran.err) == (0, "")
    for line in LINES:
        assert re.search(rf"\b{line}\b", ran.out), f"the summary has no {line}"
    assert "\x1b[" not in ran.out
    assert re.search(r"Onderwerp: TLP:\S+ \[VANDAAG\]", ran.out), "one notification is shown, of what is to do today"
    assert str(folder) in ran.out


def test_its_counts_are_those_of_the_instance(played: tuple[Path, Ran]) -> None:
    folder, ran = played
    samples = [path for path in (ROOT / "samples/week").rglob("*.*") if path.is_file()]
    assert number(ran.out, r"Documents (\d+) read") == len(samples)
    rows = oktt(folder, "items", "--limit", "1000", "--json").rows
    assert number(ran.out, r"Items (\d+):") == len(rows)
    for state in {row["state"] for row in rows}:
        assert number(ran.out, rf"(\d+) {state}") == sum(row["state"] == state for row in rows)
    assert number(ran.out, r"email sent, in (\d+) mails") == len(list((folder / "outbox").glob("*.eml")))
    people = oktt(folder, "subscribers", "list", "--limit", "9999", "--json").rows
    assert number(ran.out, r"Subscribers (\d+)") == len(people)
    released = [row["id"] for row in rows if row["state"] == "released"]
    assert number(ran.out, r"Matched (\d+) released items") == len(released)
    assert {"strip", "gate"} <= set(re.findall(r"\d+ (strip|gate|keep|token)", ran.out))
    assert number(ran.out, r"Held[a-z ]* (\d+)") >= 1
    assert number(ran.out, r"(\d+) on friday") >= 1
    assert number(ran.out, r"(\d+) collections") >= 3


def test_every_stage_was_there(played: tuple[Path, Ran]) -> None:
    """Merged, held, refused, withdrawn, released by a rule, by a person and by two."""
    folder, _ = played
    rows = oktt(folder, "items", "--limit", "1000", "--json").rows
    assert any(len(row["sources"]) > 1 for row in rows)
    assert {"held", "released", "withdrawn"} <= {row["state"] for row in rows}
    assert {"CLEAR", "GREEN", "AMBER"} <= {row["tlp"] for row in rows}
    assert {"advisory", "indicators", "exposure", "news", "report"} <= {row["kind"] for row in rows}
    assert oktt(folder, "refused", "--json").rows
    assert oktt(folder, "audit", "verify", "--json").row["ok"] is True
    assert oktt(folder, "doctor").code == 0
    mails = [file.read_bytes() for file in (folder / "outbox").glob("*.eml")]
    assert not any(b"TLP:RED" in mail for mail in mails)
    assert any(b"] 2 meldingen: " in mail for mail in mails), "several of one action are one message"
    assert any(b"Content-Type: image/png" in mail for mail in mails), "the second Monday has a chart"


def test_what_it_says_to_look_at_works(played: tuple[Path, Ran]) -> None:
    folder, ran = played
    told = re.findall(rf"oktt --dir {re.escape(str(folder))} ([a-z]+(?: [A-Za-z0-9-]+)*)", ran.out)
    assert len(told) >= 5
    for command in told:
        assert oktt(folder, *command.split()).code == 0, command


def test_it_does_not_touch_what_is_no_demo(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    ran = oktt(tmp_path, "demo")
    assert ran.code == 1
    assert "another --dir" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
