"""Lists of indicators that come again and again: one item with versions, each under its own name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.instance import done, make
from tests.ingest.webserver import Reply, WebServer, web_server

ONE, TWO, THREE = "kwaad.example", "erger.example", "ergst.example"


def listed(*hosts: str) -> bytes:
    return "\n".join(("domain,category", *(f"{host},c2" for host in hosts), "")).encode()


def bring(folder: Path, path: Path, *hosts: str) -> tuple[int, int, int]:
    """How many items are new, updated and unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(listed(*hosts))
    row = done(folder, "ingest", path, "--source", "market", "--json").row
    return row["new"], row["updated"], row["unchanged"]


def item(folder: Path, number: int = 1) -> tuple[int, set[str]]:
    """Its version, and the patterns of its indicators."""
    row: dict[str, Any] = done(folder, "item", f"OKTT-2026-{number:04d}", "--json").row
    return row["version"], {each["pattern"] for each in row["stix"]["objects"] if each["type"] == "indicator"}


def patterns(*hosts: str) -> set[str]:
    return {f"[domain-name:value = '{host}']" for host in hosts}


def test_a_list_that_changes_is_one_item_with_versions(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    assert bring(folder, tmp_path / "monday/c2.csv", ONE, TWO) == (1, 0, 0)
    assert bring(folder, tmp_path / "tuesday/c2.csv", TWO, THREE) == (0, 1, 0)
    assert item(folder) == (2, patterns(TWO, THREE)), "what is no longer listed is gone"
    assert bring(folder, tmp_path / "wednesday/c2.csv", THREE, TWO) == (0, 0, 1), "another order is no news"
    done(folder, "ingest", tmp_path / "monday", tmp_path / "tuesday", "--source", "market")
    assert item(folder) == (2, patterns(TWO, THREE)), "running it again changes nothing"


def test_lists_of_two_names_and_of_two_sources_are_each_their_own(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    assert bring(folder, tmp_path / "c2.csv", ONE, TWO) == (1, 0, 0)
    assert bring(folder, tmp_path / "dns.csv", ONE, THREE) == (1, 0, 0)
    (tmp_path / "c2.csv").write_bytes(listed(ONE))
    row = done(folder, "ingest", tmp_path / "c2.csv", "--source", "news", "--json").row
    assert (row["new"], row["updated"]) == (1, 0)
    assert (item(folder, 1)[1], item(folder, 2)[1]) == (patterns(ONE, TWO), patterns(ONE, THREE))


def test_a_list_of_software_by_status_that_changes_is_one_item_with_versions(tmp_path: Path) -> None:
    folder, path = make(tmp_path / "var"), tmp_path / "software.md"
    head = "# Software\n\n| Supplier | Product | Version | Status CVE-2026-0001 | Links |\n|---|---|---|---|---|\n"
    outcomes = []
    for row in (
        "|Acme|Thing|1.0|Vulnerable| |",
        "|Acme|Thing|1.0|Vulnerable|https://a.example/|",
        "|Acme|Thing|1.1|Fix| |",
    ):
        path.write_text(head + row + "\n")
        counts = done(folder, "ingest", path, "--source", "ncsc-nl", "--json").row
        outcomes.append((counts["new"], counts["updated"], counts["unchanged"]))
    assert outcomes == [(1, 0, 0), (0, 0, 1), (0, 1, 0)], "a link more is no news, another status is"
    whole = done(folder, "item", "OKTT-2026-0001", "--json").row
    assert (whole["version"], whole["title"], whole["cves"]) == (2, "Software", ["CVE-2026-0001"])
    assert sorted((each["versions"], each["status"]) for each in whole["statements"][0]["affected"]) == [
        ("1.1", "fixed"), ("< 1.1", "unknown"),
    ]  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as begun:
        yield begun


def test_what_an_address_gives_now_is_what_holds(tmp_path: Path, server: WebServer) -> None:
    """Also when that is what it gave before: what was added since is taken off the list again."""
    folder = make(tmp_path / "var")
    (folder / "sources.toml").write_text(
        f'[source.list]\nname = "List"\nkind = "http"\nurl = "{server.url("/list.csv")}"\ntlp = "CLEAR"\n'
        f'ca_file = "{server.ca_file}"\nprivate = ["127.0.0.1"]\n'
    )

    def polled(*hosts: str) -> tuple[int, int, int]:
        server["/list.csv"] = Reply(listed(*hosts))
        row = done(folder, "poll", "list", "--json").row
        return row["new"], row["updated"], row["unchanged"]

    assert polled(ONE) == (1, 0, 0)
    assert polled(ONE) == (0, 0, 1)
    assert polled(ONE, TWO) == (0, 1, 0)
    assert polled(ONE) == (0, 1, 0)
    assert item(folder) == (3, patterns(ONE))
    entries = len(done(folder, "audit", "export").rows)
    assert polled(ONE) == (0, 0, 1)
    assert len(done(folder, "audit", "export").rows) == entries, "and what stands is not accounted for again"
