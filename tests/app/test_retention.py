"""Retention, in every store; and the head of the register beside the database."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import database, retention, workers
from dispatch import publication, sequence
from pii_guard import audit, journal
from tests.app.house import TAXII, House, opened
from tests.triage.desk import draft
from triage import inbox

pytestmark = pytest.mark.usefixtures("small_blocks")

CVE = "CVE-2026-0001"
YEARS = {"days": 1826}


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def rows(house: House) -> dict[str, list[Any]]:
    """Every table, as it stands."""
    with house.service.reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table))]
            for name, table in database.tables().tables.items()
            if name != "counters"  # where retention itself stands
        }


def filled(house: House) -> str:
    """An item that went everywhere: mailed, published, in the feed."""
    house.subscribe("een", TAXII, sectors=("SBI:25",))
    house.subscribe("twee", sectors=("SBI:25",))
    workers.open_collections(house.service)
    item = house.item(draft("a", cves=(CVE,), sectors=("SBI:25",)))
    house.receive(draft(CVE, "facts", cves=(CVE,), cvss=9.9), source="cve")
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    return item


def test_what_is_younger_stays(house: House) -> None:
    filled(house)
    before = rows(house)
    house.later(days=29)
    assert not any(retention.purge(house.service).values())
    assert rows(house) == before


def test_messages_go_long_before_what_they_tell_of(house: House) -> None:
    """Files and the keys under which messages lay; the ledger still says to whom it went, and when."""
    filled(house)
    (file,) = (house.service.settings.dir / "outbox").glob("*.eml")
    before = rows(house)
    house.later(days=31)
    assert {name: count for name, count in retention.purge(house.service).items() if count} == {"files": 1}
    assert not file.exists()
    house.later(days=1769)
    assert {name: count for name, count in retention.purge(house.service).items() if count} == {"keys": 1}
    assert {name: found for name, found in rows(house).items() if name != "journal"} == {
        name: found for name, found in before.items() if name != "journal"
    }


def test_the_least_of_all_regimes_holds_for_messages(house: House) -> None:
    policy = house.service.settings.policy
    assert policy.messages == timedelta(days=30)
    policy.regimes["oktt"].retention["message"] = 7
    assert policy.messages == timedelta(days=7)
    for regime in policy.regimes.values():
        regime.retention.pop("message")
    assert policy.messages == timedelta(days=30), "also where an older policy says nothing"


def test_a_dry_run_changes_nothing(house: House) -> None:
    filled(house)
    outbox = house.service.settings.dir / "outbox"
    old = (house.now - timedelta(days=1)).timestamp()
    for file in outbox.iterdir():
        os.utime(file, (old, old))
    house.later(**YEARS)
    before, files = rows(house), sorted(outbox.iterdir())
    would = retention.purge(house.service, dry_run=True)
    assert (would["items"], would["files"]) == (1, len(files))
    assert files
    assert rows(house) == before
    assert sorted(outbox.iterdir()) == files
    assert retention.purge(house.service) == would
    assert not list(outbox.glob("*.eml"))


def test_what_is_older_leaves_every_store(house: House) -> None:
    item = filled(house)
    house.later(**YEARS)
    counts = retention.purge(house.service)
    assert (counts["items"], counts["facts"]) == (1, 1)
    left = rows(house)
    for name in (
        "items",
        "statements",
        "leads",
        "indicators",
        "cves",
        "versions",
        "history",
        "releases",
        "documents",
        "ledger",
        "deliveries",
    ):
        assert left[name] == [], name
    for name, found in left.items():
        if name not in ("journal", "feed_entries"):
            assert item not in str(found), name
    assert "Kwetsbaarheid" not in str({name: found for name, found in left.items() if name != "journal"})
    again = retention.purge(house.service)
    assert again["items"] == 0


def test_taxii_serves_nothing_of_it(house: House) -> None:
    filled(house)
    with house.service.reading() as connection:
        before = dict(publication.sizes(connection))
    assert before["clear"] > 0
    assert before["een"] > 0
    house.later(**YEARS)
    retention.purge(house.service)
    with house.service.reading() as connection:
        bodies = connection.scalars(sa.select(sequence.published.c.body)).all()
    assert not any(b"Kwetsbaarheid" in body for body in bodies)


def test_an_item_of_two_regimes_expires_as_well(house: House) -> None:
    settings = house.service.settings
    for name in ("market", "kev"):
        object.__setattr__(settings.sources[name], "regime", "oktt" if name == "market" else "no-basis")
    item = house.item(draft("a", cves=(CVE,)), "kev")
    house.receive(draft("b", cves=(CVE,)), source="market")
    with house.service.reading() as connection:
        regimes = set(connection.scalars(sa.select(inbox.statements.c.regime)))
    assert regimes == {"oktt", "no-basis"}
    house.later(days=1824)
    assert retention.purge(house.service)["items"] == 0
    house.later(days=2)
    assert retention.purge(house.service)["items"] == 1
    assert item not in str(rows(house)["items"])


def test_the_youngest_statement_keeps_an_item(house: House) -> None:
    item = house.item(draft("a", cves=(CVE,)))
    house.later(days=1000)
    house.receive(draft("b", cves=(CVE,)), source="kev")
    house.later(days=1000)
    assert retention.purge(house.service)["items"] == 0
    assert house.state(item) == "new"


def test_a_regime_that_the_policy_no_longer_has_goes_with_the_longest(house: House) -> None:
    house.item(draft("a", cves=(CVE,)))
    with house.service.transaction() as connection:
        connection.execute(inbox.statements.update().values(regime="of before"))
    house.later(days=1800)
    assert retention.purge(house.service)["items"] == 0
    house.later(days=100)
    assert retention.purge(house.service)["items"] == 1


def test_what_was_merged_away_goes_too(house: House) -> None:
    """Its versions hold what was said."""
    house.item(draft("a", tracking=("NCSC-2026-0001",)))
    house.item(draft("b", cves=(CVE,)), "kev")
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)), source="market")
    assert len(rows(house)["items"]) == 2
    house.later(**YEARS)
    assert retention.purge(house.service)["items"] == 2
    left = rows(house)
    assert (left["items"], left["versions"]) == ([], [])


def test_a_cve_record_stays_as_long_as_an_item_names_it(house: House) -> None:
    house.receive(draft(CVE, "facts", cves=(CVE,), cvss=9.9), source="cve")
    house.receive(draft("CVE-2026-0002", "facts", cves=("CVE-2026-0002",)), source="cve")
    house.later(days=1000)
    item = house.item(draft("a", cves=(CVE,)))
    house.later(days=1000)
    counts = retention.purge(house.service)
    assert (counts["items"], counts["facts"]) == (0, 1)
    with house.service.reading() as connection:
        whole = inbox.load(connection, house.service.guard, item)
    assert [each.facts.cves for each in whole.facts] == [(CVE,)]


# --- the register's head


def check(house: House) -> audit.Report:
    with house.service.reading() as connection:
        key = house.service.keys.derive("journal")
        return audit.verify(connection, key=key, head=retention.head(house.service))


def test_a_purge_stands_in_the_register_and_moves_its_head(house: House) -> None:
    assert retention.head(house.service) is None
    filled(house)
    house.later(**YEARS)
    retention.purge(house.service)
    with house.service.reading() as connection:
        every = list(journal.export(connection))
    found = [each for each in every if (each["what"], each["subject"]) == ("purged", "retention")]
    assert [(each["what"], each["detail"]["items"]) for each in found] == [("purged", 1)]
    assert (retention.head(house.service) or b"").split()[1] == str(every[-1]["seq"]).encode()
    assert check(house).ok


def test_a_register_that_was_cut_shows_and_goes_on_showing(house: House) -> None:
    house.receive(draft("a"), draft("b"), draft("c"))
    retention.save_head(house.service)
    assert check(house).ok
    with house.service.transaction() as connection:
        connection.execute(journal.journal.delete().where(journal.journal.c.seq == 3))
    assert check(house).truncated
    retention.purge(house.service)
    assert check(house).truncated, "the note beside the database is not moved back"
    house.receive(draft("d"))
    retention.save_head(house.service)
    assert not check(house).ok, "nor over what was written in place of what was cut"


def test_the_head_is_written_whole(house: House) -> None:
    house.receive(draft("a"))
    retention.save_head(house.service)
    house.receive(draft("b"))
    retention.save_head(house.service)
    assert check(house).ok
    left = [path.name for path in house.service.settings.dir.iterdir() if path.name.startswith("journal")]
    assert left == [retention.HEAD]
