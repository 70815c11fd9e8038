"""Retention per category, in every store: after it no trace of a value, and what was decided goes on standing."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from app import database, expiring, retention, workers
from app.keys import MESSAGES
from app.service import open_service
from dispatch import Delivery, outbox, pages, publication
from normalize import Draft, Facts, Observable
from pii_guard import Item, audit, journal
from pii_guard.vault import month_of
from subscribers import Contact
from tests.app.canary import Canary, search
from tests.app.house import MAIL, TAXII, House, opened
from tests.dispatch.underway import underway
from tests.pii_guard.test_expiry import ALONE, BOTH, C2, GRAPH, OTHER, VICTIM
from tests.triage.desk import draft
from tlp import Label
from triage import inbox, releases

pytestmark = pytest.mark.usefixtures("small_blocks")

THIRD = "192.0.2.200"
ADDRESSES = tuple(Canary("ipv4", value, "") for value in (C2, VICTIM, OTHER, THIRD))
CERT = Contact("email", address="cert@groot.example")


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    made = opened(tmp_path, url)
    made.subscribe("metaal", TAXII, MAIL, clearance=Label.AMBER, networks=("198.51.100.0/24",))
    made.subscribe("groot", TAXII, CERT, clearance=Label.AMBER, maturity="mature", sectors=("SBI:25",))
    workers.open_collections(made.service)
    return made


def scan(*addresses: str, **facts: Any) -> Draft:
    rows = tuple(Observable("ipv4", each, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp") for each in addresses)
    return draft("scan_rdp/2026-03-02", "exposure", Label.AMBER, observables=rows, exposure="scan_rdp", **facts)


def report(name: str = "c2") -> Draft:
    facts = Facts(observables=(Observable("ipv4", C2, "attacker", "c2"),), sectors=("SBI:25",), exploited=True)
    return Draft("report", name, f"Aanval vanaf {C2}", f"Blokkeer {C2}.", "nl", facts, GRAPH, label=Label.CLEAR)


def filled(house: House) -> tuple[str, str]:
    """A report for all and an exposure for one, both released, mailed, published and in the feed."""
    items = house.item(report(), "market"), house.item(scan(VICTIM, OTHER), "shadowserver")
    for item in items:
        house.decide("release", item)
    workers.dispatch(house.service, now=True)
    return items


def everything(house: House) -> dict[str, bytes]:
    """Each column of each table, and each file of the outbox, as bytes."""
    kept = {}
    with house.service.reading() as connection:
        for name, table in database.tables().tables.items():
            for column in table.c:
                values = connection.scalars(sa.select(column))
                kept[f"{name}.{column.name}"] = b"\n".join(
                    each if isinstance(each, bytes) else str(each).encode() for each in values
                )
    for file in sorted((house.service.settings.dir / "outbox").glob("*")):
        kept[file.name] = file.read_bytes()
    return kept


def traces(house: House, values: tuple[Canary, ...] = ADDRESSES) -> dict[str, list[str]]:
    return {
        name: [one.value for one in found]
        for name, kept in everything(house).items()
        if (found := search(kept, values))
    }


def served(house: House, alias: str) -> bytes:
    with house.service.reading() as connection:
        collection = publication.find(connection, alias)
        assert collection is not None
        page = pages.page(connection, collection.id, lambda links: links, limit=1000)
        return b"\n".join(row.body for row in page.rows)


def loaded(house: House, item: str) -> Item:
    with house.service.reading() as connection:
        return inbox.load(connection, house.service.guard, item)


def ledger(house: House) -> Counter[str]:
    with house.service.reading() as connection:
        table = database.tables().tables["ledger"]
        return Counter(connection.scalars(sa.select(table.c.kind)))


def stricter(house: House) -> None:
    """legal.toml as it may become: no addresses of victims, not even for themselves."""
    file = house.service.settings.dir / "legal.toml"
    text = file.read_text(encoding="utf-8")
    start = text.index('id = "wbdwb.network-victim"')
    file.write_text(
        text[:start] + re.sub('action = "gate"\nto = .*', 'action = "strip"', text[start:], count=1), encoding="utf-8"
    )
    house.service = open_service(house.service.settings.dir)
    house.service.clock = lambda: house.now


def test_after_its_time_no_trace_is_left_and_the_counts_are(house: House) -> None:
    seen, exposed = filled(house)
    before = traces(house)
    assert {"statements.sealed", "versions.said", "published.body", "feed_entries.title"} <= before.keys()
    assert any(name.endswith(".eml") for name in before)
    house.later(days=29)
    assert not any(retention.purge(house.service).values())
    assert traces(house) == before
    house.later(days=150)
    assert {name for name, count in retention.purge(house.service).items() if count} == {"files", "keys"}, "of messages"
    assert traces(house) == {name: found for name, found in before.items() if not name.endswith(".eml")}
    house.later(days=2)
    counts = retention.purge(house.service)
    assert traces(house) == {}
    assert counts["categories"].keys() == {"ipv4"}
    assert (counts["items"], counts["statements"], counts["versions"]) == (0, 2, 2)
    (statement,) = loaded(house, exposed).statements
    assert [(each.value, each.detail) for each in statement.facts.observables] == [("AS64500", {"count": "2"})]
    assert [each.rule for each in statement.findings] == ["wbdwb.network-victim", "wbdwb.retention"]
    assert house.state(seen) == house.state(exposed) == "released"


def test_taxii_serves_what_is_left_and_revokes_what_went(house: House) -> None:
    filled(house)
    assert C2.encode() in served(house, "clear")
    assert VICTIM.encode() in served(house, "metaal")
    house.later(days=181)
    retention.purge(house.service)
    for alias in ("clear", "metaal", "groot"):
        page = served(house, alias)
        assert not search(page, ADDRESSES), alias
    public = served(house, "clear")
    assert b"[domain-name:value = 'evil.example']" in public
    assert b"Emotet" in public
    for gone in (BOTH, ALONE):
        (row,) = [line for line in public.split(b"\n") if gone["id"].encode() in line and b'"pattern' in line]
        assert b'"revoked":true' in row


def test_decisions_stand_and_nothing_is_sent_for_it(house: House) -> None:
    items = filled(house)
    sent = ledger(house)
    versions = [loaded(house, item).version for item in items]
    house.later(days=181)
    retention.purge(house.service)
    with house.service.reading() as connection:
        assert outbox.due(connection, house.now, hurry=True) == 0
        assert [house.views(connection, item) is not None for item in items] == [True, True]
    workers.apply_rules(house.service)
    workers.dispatch(house.service, now=True)
    assert ledger(house) == sent
    assert [loaded(house, item).version for item in items] == versions


def test_the_same_again_is_no_news_and_brings_nothing_back(house: House) -> None:
    filled(house)
    house.later(days=181)
    retention.purge(house.service)
    again = house.receive(report(), source="market")
    again.add(house.receive(scan(VICTIM, OTHER), source="shadowserver"))
    assert again.effects == Counter(unchanged=2)
    assert traces(house) == {}


def test_a_cve_record_that_adds_nothing_makes_no_version_of_what_expired(house: House) -> None:
    item = house.item(scan(VICTIM, cves=("CVE-2026-0001",)), "shadowserver")
    house.later(days=181)
    retention.purge(house.service)
    house.receive(draft("CVE-2026-0001", "facts", cves=("CVE-2026-0001",)), source="cve")
    assert loaded(house, item).version == 1


def test_a_decision_that_waits_for_a_second_person_goes_on_waiting(house: House) -> None:
    item = house.item(scan(VICTIM), "shadowserver")
    main = house.service.settings.main
    msgspec.structs.force_setattr(main, "desk", msgspec.structs.replace(main.desk, second_person_over=0))
    assert house.decide("release", item).state == "pending"
    house.later(days=181)
    retention.purge(house.service)
    assert house.decide("approve", item, by="bert").state == "released"


def test_a_decision_that_was_void_stays_so(house: House) -> None:
    item, _ = filled(house)
    with house.service.transaction() as connection:
        connection.execute(releases.releases.update().where(releases.releases.c.item == item).values(bound="of before"))
    house.later(days=181)
    retention.purge(house.service)
    with house.service.reading() as connection:
        assert house.views(connection, item) is None
    assert traces(house) == {}


def test_what_is_out_stays_out_while_a_newer_version_waits(house: House) -> None:
    item = house.item(report(), "market")
    house.decide("release", item)
    house.later(days=100)
    newer = Observable("ipv4", THIRD, "attacker", "c2")
    given = report()
    facts = Facts(observables=(newer,), sectors=("SBI:25",), exploited=True, cves=("CVE-2026-0002",))
    house.receive(Draft(given.kind, given.key, "Nieuw", "", "nl", facts, label=Label.CLEAR), source="market")
    assert house.state(item) == "new"
    house.later(days=81)
    counts = retention.purge(house.service)
    assert (counts["statements"], counts["versions"]) == (0, 1)
    assert {value for found in traces(house).values() for value in found} == {THIRD}
    assert b"Emotet" in served(house, "clear")
    assert THIRD.encode() not in served(house, "clear")
    house.later(days=100)
    retention.purge(house.service)
    assert traces(house) == {}
    assert b"Emotet" in served(house, "clear")


def test_what_was_merged_away_expires_too(house: House) -> None:
    house.item(draft("a", tracking=("NCSC-2026-0001",), observables=(Observable("ipv4", THIRD, "attacker", "c2"),)))
    house.item(draft("b", cves=("CVE-2026-0001",)), "kev")
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=("CVE-2026-0001",)), source="market")
    assert traces(house)
    house.later(days=181)
    retention.purge(house.service)
    assert traces(house) == {}


def sealed(house: House, delivery: Delivery, message: bytes) -> bytes:
    """As `app.sending` puts it into the row."""
    bound = ("message", delivery.id)
    return house.service.vault.lock(MESSAGES, month_of(delivery.queued_at), bound, message)


def test_prepared_bytes_go_and_the_message_is_made_anew(house: House) -> None:
    item = house.item(scan(VICTIM), "shadowserver")
    house.decide("release", item)
    with house.service.transaction() as connection:
        (delivery,) = outbox.claim(connection, house.now, 10, "dead", hurry=True)
        message = sealed(house, delivery, VICTIM.encode())
        underway(connection, delivery, message)
    house.later(days=181)
    assert retention.purge(house.service)["prepared"] == 1
    assert traces(house) == {}
    workers.dispatch(house.service, now=True)
    assert traces(house) == {}


def test_a_dry_run_counts_the_same_and_changes_nothing(house: House) -> None:
    filled(house)
    house.later(days=181)
    before = everything(house)
    would = retention.purge(house.service, dry_run=True)
    # What was opened was opened: the register tells of it, also when nothing came of it.
    assert {key: value for key, value in everything(house).items() if not key.startswith("journal.")} == {
        key: value for key, value in before.items() if not key.startswith("journal.")
    }
    with house.service.reading() as connection:
        assert "purged" not in {each["what"] for each in journal.export(connection)}
    assert retention.purge(house.service) == would


def test_a_second_run_has_nothing_to_do(house: House) -> None:
    filled(house)
    house.later(days=181)
    retention.purge(house.service)
    before = everything(house)
    assert not any(retention.purge(house.service).values())
    assert everything(house) == before
    with house.service.transaction() as connection:  # and if it is not known how far it came
        connection.execute(inbox.counters.delete().where(inbox.counters.c.name.startswith(expiring.PREFIX)))
    assert not any(retention.purge(house.service).values())
    assert everything(house) == before


def test_a_run_that_was_cut_off_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(house)
    house.later(days=181)
    monkeypatch.setattr(expiring, "BATCH", 1)

    class CutError(Exception):
        pass

    def clock() -> Any:
        """Fails in the second batch."""
        with house.service.reading() as connection:
            done = list(connection.scalars(sa.select(journal.journal.c.what))).count("purged")
        if done == 2:  # the line of all stores comes first
            raise CutError
        return house.now

    house.service.clock = clock
    with pytest.raises(CutError):
        retention.purge(house.service)
    assert traces(house)
    house.service.clock = lambda: house.now
    assert retention.purge(house.service)["statements"] == 1
    assert traces(house) == {}


def test_the_register_says_what_went_of_which_item(house: House) -> None:
    items = filled(house)
    house.later(days=181)
    counts = retention.purge(house.service)
    with house.service.reading() as connection:
        lines = [each for each in journal.export(connection) if each["what"] == "purged"]
        lines = [each for each in lines if each["subject"] not in ("retention", "vault")]
        whole = audit.verify(connection, key=house.service.keys.derive("journal"), head=retention.head(house.service))
    assert whole.ok
    found: dict[str, Mapping[str, Any]] = {each["subject"]: each["detail"] for each in lines}
    assert found.keys() == set(items)
    assert all(each["releases"] == 1 for each in found.values())
    assert sum(each["categories"]["ipv4"] for each in found.values()) == counts["categories"]["ipv4"]
    with house.service.reading() as connection:
        assert inbox.past(connection, items[0])[-1]["what"] == "expired"


def test_a_stricter_policy_comes_over_what_is_stored(house: House) -> None:
    seen, exposed = filled(house)
    retention.purge(house.service)
    assert traces(house, ADDRESSES[1:3])
    stricter(house)
    house.later(days=1)
    counts = retention.purge(house.service)
    assert counts["categories"] == {"ipv4": 2}
    assert traces(house, ADDRESSES[1:3]) == {}
    assert C2 in repr(loaded(house, seen).statements)
    assert house.state(exposed) == "released"
    house.later(days=1)
    assert not any(retention.purge(house.service).values())


def test_nothing_due_reads_no_statement(house: House) -> None:
    """A line in the register for each purge would be one too many, too."""
    filled(house)
    retention.purge(house.service)
    house.later(days=1)
    with house.service.transaction() as connection:
        connection.execute(inbox.statements.update().values(sealed=b"broken"))
    assert not any(retention.purge(house.service).values())
