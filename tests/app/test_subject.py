"""A data subject's request: found in every store, erased from all of them, cut off and run again; on both engines."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app import editing, retention, subject, workers
from app.cli import cli
from app.stores import Place
from dispatch import outbox
from normalize import Draft, Observable
from pii_guard import audit, journal, subjects
from pii_guard.sought import Sought
from subscribers import Contact, Own, registry
from tests.app.house import MAIL, TAXII, House, opened
from tests.app.test_expiring import C2, OTHER, THIRD, VICTIM, Canary, everything, filled, loaded, scan, sealed, served
from tests.app.test_expiring import traces as found_in
from tests.dispatch.underway import underway
from tests.triage.desk import draft
from tlp import Label
from web import passkeys

pytestmark = pytest.mark.usefixtures("small_blocks")

WHO = "j.de.vries@slachtoffer.example"
CERT = Contact("email", address="cert@groot.example")


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    made = opened(tmp_path, url)
    made.subscribe("metaal", TAXII, MAIL, clearance=Label.AMBER, networks=("198.51.100.0/24",))
    made.subscribe("groot", TAXII, CERT, clearance=Label.AMBER, maturity="mature", sectors=("SBI:25",))
    workers.open_collections(made.service)
    return made


def second(house: House) -> str:
    """Another item that names the same address."""
    rows = (Observable("ipv4", C2, "attacker", "c2"), Observable("domain", "b.example", "attacker", "c2"))
    return house.item(draft("b", "indicators", observables=rows), "market")


def find(house: House, kind: Any, value: str) -> list[Place]:
    return subject.find(house.service, Sought(kind, value))


def erase(house: House, kind: Any, value: str) -> subject.Erased:
    return subject.erase(house.service, Sought(kind, value))


def stores(found: list[Place]) -> set[str]:
    return {each["store"] for each in found}


def traces(house: House, kind: Any, *values: str) -> dict[str, list[str]]:
    return found_in(house, tuple(Canary(kind, each, "") for each in values))


def verified(house: House) -> audit.Report:
    with house.service.reading() as connection:
        key = house.service.keys.derive("journal")
        return audit.verify(connection, key=key, head=retention.head(house.service))


def test_it_is_found_in_every_store_with_basis_time_and_recipients(house: House) -> None:
    seen, _ = filled(house)
    house.decide("hold", second(house), reason=f"klacht over {C2}")
    editing.write(house.service, "friday", date(2026, 3, 6), "Dank aan Sanne Bakker.", Label.CLEAR, "nl", (), "anna")
    assert [(each["store"], each["id"]) for each in find(house, "name", "Sanne Bakker")] == [
        ("desk", "friday/2026-03-06")
    ]
    assert erase(house, "name", "Sanne Bakker").counts["notes"] == 1
    assert find(house, "name", "Sanne Bakker") == []
    found = find(house, "ipv4", C2)
    assert stores(found) >= {"register", "items", "published", "feed", "files", "desk"}
    item = next(each for each in found if each["store"] == "items" and each["id"] == seen)
    assert item["source"] == "market"
    assert "Wbdwb" in item["basis"]
    assert (item["until"] - item["at"]).days == 180
    assert {each["subscriber"] for each in item["recipients"]} == {"groot"}
    assert {"/title", "/facts/observables/*/value"} <= set(item["places"])
    entry = next(each for each in found if each["store"] == "register")
    assert (entry["category"], entry["action"], entry["item"]) == ("ipv4", "keep", seen)
    assert C2 not in json.dumps(found, default=str)


def test_erased_it_is_nowhere_and_the_rest_stands(house: House) -> None:
    seen, exposed = filled(house)
    before = traces(house, "ipv4", C2, VICTIM, OTHER)
    assert {"statements.sealed", "published.body", "feed_entries.title"} <= before.keys()
    made = erase(house, "ipv4", C2)
    assert traces(house, "ipv4", C2) == {}
    assert find(house, "ipv4", C2) == []
    assert made.counts["statements"] == 1
    assert house.state(seen) == house.state(exposed) == "released"
    assert b"[domain-name:value = 'evil.example']" in served(house, "clear")
    (statement,) = loaded(house, seen).statements
    assert "[IP-adres verwijderd]" in statement.title
    assert statement.findings[-1].rule == "subject.erased"
    assert {each["store"] for each in made.left} == {"sent", "sources", "backups"}
    assert verified(house).ok


@pytest.mark.parametrize("value", [VICTIM, OTHER])
def test_of_a_report_one_row_goes_and_the_others_stay(house: House, value: str) -> None:
    _, exposed = filled(house)
    other = OTHER if value == VICTIM else VICTIM
    assert "items" in stores(find(house, "ipv4", value))
    erase(house, "ipv4", value)
    assert traces(house, "ipv4", value) == {}
    (network,) = find(house, "ipv4", value)
    assert (network["store"], network["id"], network["prefix"]) == ("subscribers", "metaal", True)
    assert stores(find(house, "ipv4", other)) >= {"items", "register"}
    with house.service.transaction() as connection:
        whole = house.service.opened(connection, loaded(house, exposed), "subject")
    rows = {each.value: each.detail for each in whole.statements[0].facts.observables}
    assert rows.keys() == {other, "AS64500"}
    assert rows["AS64500"] == {"count": "1"}
    assert verified(house).ok


def test_run_again_it_changes_nothing(house: House) -> None:
    filled(house)
    erase(house, "ipv4", C2)
    before = everything(house)
    made = erase(house, "ipv4", C2)
    assert not made.counts.total()
    assert everything(house) == before


def test_what_nobody_has_changes_nothing(house: House) -> None:
    filled(house)
    before = everything(house)
    assert find(house, "email", WHO) == []
    made = erase(house, "email", WHO)
    assert not made.counts.total()
    assert made.left == []
    assert everything(house) == before


def person() -> Draft:
    """What every rule strips, and is only remembered."""
    individual = {
        "type": "identity", "spec_version": "2.1", "id": f"identity--{UUID(int=7, version=4)}", "name": "Jan de Vries",
        "identity_class": "individual", "created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z",
    }  # fmt: skip
    text = "Rekening NL91 ABNA 0417 1643 00, mail j.de.vries@slachtoffer.example, bel +31 6 12345678, BSN 111222333."
    return draft("person", "report", summary=text, objects=(individual,), cves=("CVE-2026-0001",))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("name", "jan de vries"), ("email", WHO), ("phone", "06-12345678"), ("iban", "NL91ABNA0417164300")],
)
def test_what_was_stripped_is_remembered_until_it_is_erased(house: House, kind: str, value: str) -> None:
    house.item(person(), "market")
    (found,) = find(house, kind, value)
    assert (found["store"], found["action"]) == ("register", "strip")
    assert erase(house, kind, value).counts["register"] == 1
    assert find(house, kind, value) == []
    report = verified(house)
    assert (report.ok, report.erased) == (True, 0)


def test_a_detail_goes_with_the_last_of_its_hashes(house: House) -> None:
    house.item(person(), "market")
    for kind, value in (("name", "Jan de Vries"), ("email", WHO), ("phone", "0612345678")):
        erase(house, kind, value)
        assert verified(house).erased == 0
    erase(house, "iban", "NL91ABNA0417164300")
    report = verified(house)
    assert (report.ok, report.erased, report.values) == (True, 1, 0)
    with house.service.reading() as connection:
        last = [each for each in journal.export(connection) if each["what"] == "erased"][-1]
    assert (last["what"], last["detail"]["type"], last["detail"]["details"]) == ("erased", "iban", [[1, 1]])


def test_a_bsn_is_never_remembered_and_found_where_it_stands(house: House) -> None:
    item = house.item(person(), "market")
    assert find(house, "bsn", "111222333") == []
    house.decide("hold", item, reason="gebeld door 111.222.333")
    assert stores(find(house, "bsn", "111222333")) == {"desk"}
    erase(house, "bsn", "111222333")
    assert find(house, "bsn", "111222333") == []
    assert traces(house, "bsn", "111222333", "111.222.333") == {}


def test_without_a_basis_nothing_is_remembered(house: House) -> None:
    object.__setattr__(house.service.settings.sources["market"], "regime", "no-basis")
    house.item(person(), "market")
    assert find(house, "email", WHO) == []
    with house.service.reading() as connection:
        assert subjects.entries(connection) == set()


def test_versions_and_what_was_merged_away_are_searched_too(house: House) -> None:
    house.item(draft("a", tracking=("NCSC-2026-0001",), observables=(Observable("ipv4", THIRD, "attacker", "c2"),)))
    house.item(draft("b", cves=("CVE-2026-0001",)), "kev")
    house.receive(draft("c", tracking=("NCSC-2026-0001",), cves=("CVE-2026-0001",)), source="market")
    assert {each["id"] for each in find(house, "ipv4", THIRD) if each["store"] == "items"} == {"OKTT-2026-0001"}
    erase(house, "ipv4", THIRD)
    assert traces(house, "ipv4", THIRD) == {}
    assert find(house, "ipv4", THIRD) == []


def test_prepared_messages_are_made_anew_without_it(house: House) -> None:
    item = house.item(scan(VICTIM, OTHER), "shadowserver")
    house.decide("release", item)
    with house.service.transaction() as connection:
        (delivery,) = outbox.claim(connection, house.now, 10, "dead", hurry=True)
        message = sealed(house, delivery, f"To: x\n\n{VICTIM}".encode())
        underway(connection, delivery, message)
    assert {each["store"] for each in find(house, "ipv4", VICTIM)} >= {"outbox"}
    made = erase(house, "ipv4", VICTIM)
    assert [each["store"] for each in made.left if each["store"] == "outbox"] == ["outbox"]
    house.later(minutes=10)
    assert erase(house, "ipv4", VICTIM).counts["prepared"] == 1
    workers.dispatch(house.service, now=True)
    assert traces(house, "ipv4", VICTIM) == {}


def test_a_subscribers_own_data_are_found_and_left_to_the_registry(house: House) -> None:
    found = find(house, "email", "Beveiliging@voorbeeld.example")
    assert [(each["store"], each["id"], each["places"]) for each in found] == [
        ("subscribers", "metaal", ["/contacts/*/address"])
    ]
    assert [each["id"] for each in find(house, "ipv4", "198.51.100.9")] == ["metaal"]
    made = erase(house, "email", "beveiliging@voorbeeld.example")
    assert [each["store"] for each in made.left] == ["subscribers"]
    house.subscribe("metaal", TAXII, clearance=Label.AMBER, networks=("198.51.100.0/24",))
    assert [each["revision"] for each in find(house, "email", "beveiliging@voorbeeld.example")]
    made = erase(house, "email", "beveiliging@voorbeeld.example")
    assert (made.counts["profiles"], [each["store"] for each in made.left]) == (1, ["backups"])
    assert traces(house, "email", "beveiliging@voorbeeld.example") == {}


def test_what_the_portal_covers_is_found(house: House) -> None:
    who = "jan@firma.example"
    house.subscribe("kvk-9", Contact("email", address=who))
    with house.service.transaction() as connection:
        registry.give(connection, "kvk-9", Own(name="Firma", address="info@firma.example"), house.now)
        row = {"id": "0" * 64, "subscriber": "kvk-9", "name": f"Sleutel {who}", "credential": b"", "counter": 0}
        connection.execute(passkeys.table.insert().values(**row, made_at=house.now))
    assert stores(find(house, "email", who)) == {"subscribers", "portal"}
    made = erase(house, "email", who)
    assert (made.counts["profiles"], made.counts["portal"]) == (1, 1)
    assert ("subscribers", "kvk-9") in [(each["store"], each["id"]) for each in made.left], "an import holds it still"
    (place,) = find(house, "email", who)
    assert place["places"] == ["/contacts/*/address"]
    house.subscribe("kvk-9", Contact("email", address="info@firma.example"))
    erase(house, "email", who)
    assert traces(house, "email", who) == {}


def test_a_prefix_that_holds_others_is_told_and_stays(house: House) -> None:
    rows = (
        Observable("cidr", "192.0.2.0/24", "attacker", "c2"),
        Observable("cidr", "203.0.113.7/32", "attacker", "c2"),
    )
    item = house.item(draft("p", observables=rows), "market")
    (place,) = (each for each in find(house, "ipv4", "192.0.2.7") if each["store"] == "items")
    assert place["prefix"]
    made = erase(house, "ipv4", "192.0.2.7")
    assert [each["id"] for each in made.left if each["store"] == "items"] == [item]
    (place,) = (each for each in find(house, "ipv4", "203.0.113.7") if each["store"] == "items")
    assert not place["prefix"]
    erase(house, "ipv4", "203.0.113.7")
    assert [each.value for each in loaded(house, item).statements[0].facts.observables][:1] == ["192.0.2.0/24"]
    assert find(house, "ipv4", "203.0.113.7") == []


def test_who_sent_what_is_told_to_tell_them(house: House) -> None:
    seen, _ = filled(house)
    made = erase(house, "ipv4", C2)
    (sent,) = (each for each in made.left if each["store"] == "sent")
    assert sent["id"] == seen
    assert "groot" in sent["why"]


class CutError(Exception):
    pass


@pytest.mark.parametrize("after", range(1, 9))
def test_cut_off_anywhere_it_goes_on(house: House, after: int) -> None:
    filled(house)
    second(house)
    calls = 0

    def clock() -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise CutError
        return house.now

    house.service.clock = clock
    try:
        erase(house, "ipv4", C2)
    except CutError:
        assert traces(house, "ipv4", C2)
    house.service.clock = lambda: house.now
    erase(house, "ipv4", C2)
    assert traces(house, "ipv4", C2) == {}
    assert find(house, "ipv4", C2) == []
    assert verified(house).ok


def test_retention_empties_the_side_table_by_category(house: House) -> None:
    filled(house)
    house.item(person(), "market")
    house.later(days=91)
    assert retention.purge(house.service)["subjects"] == 1
    assert find(house, "email", WHO) == []
    assert "register" in stores(find(house, "ipv4", C2))
    house.later(days=90)
    retention.purge(house.service)
    with house.service.reading() as connection:
        assert subjects.entries(connection) == set()
    report = verified(house)
    assert (report.ok, report.values) == (True, 0)
    house.later(days=1900)
    assert retention.purge(house.service)["details"] > 0
    report = verified(house)
    assert report.ok
    assert report.erased > 0


# --- the command line


def run(house: House, *arguments: str, text: str = "") -> Any:
    return CliRunner().invoke(cli, ["--dir", str(house.service.settings.dir), "subject", *arguments], input=text)


@pytest.fixture
def clocked(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    file = house.service.settings.dir / "oktt.toml"
    file.write_text(file.read_text() + "\n[app]\ntest_clock = true\n")
    monkeypatch.setenv("OKTT_NOW", house.now.isoformat())
    return house


def test_the_commands_say_where_and_never_what(clocked: House) -> None:
    filled(clocked)
    found = run(clocked, "find", "ipv4", "-", "--json", text=f"{C2}\n")
    assert found.exit_code == 0
    rows = [msgspec.json.decode(line) for line in found.stdout.splitlines()]
    assert stores(rows) >= {"register", "items", "published", "feed"}
    told = run(clocked, "find", "ipv4", C2)
    assert "Messages about it went to: groot" in told.stdout
    erased = run(clocked, "erase", "ipv4", "-", "--json", text=C2)
    assert erased.exit_code == 0
    assert msgspec.json.decode(erased.stdout)["erased"]["statements"] == 1
    again = run(clocked, "erase", "ipv4", C2)
    assert "Nothing of it had to be erased" in again.stdout
    nothing = run(clocked, "find", "ipv4", C2)
    assert (nothing.exit_code, nothing.stdout) == (0, "Nothing of it is here, nor in what the register remembers.\n")
    for each in (found, told, erased, again, nothing):
        assert C2 not in each.output


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("colour", "red"),
        ("ipv4", "198.51.100"),
        ("ipv4", "198.51.100.0/24"),
        ("email", "jan"),
        ("name", "Jan"),
        ("phone", "1"),
    ],
)
def test_what_is_none_is_wrong_usage_and_is_not_repeated(clocked: House, kind: str, value: str) -> None:
    done = run(clocked, "find", kind, value)
    assert done.exit_code == 2
    assert not done.stdout
    if len(value) > 3:
        assert value not in done.output


def test_where_there_is_no_terminal_nobody_is_asked(clocked: House) -> None:
    filled(clocked)
    assert run(clocked, "erase", "ipv4", C2).exit_code == 0
    assert traces(clocked, "ipv4", C2) == {}


def test_a_head_that_was_kept_elsewhere_is_held_against_the_register(clocked: House, tmp_path: Path) -> None:
    def audited(*arguments: str, text: str = "") -> Any:
        return CliRunner().invoke(cli, ["--dir", str(clocked.service.settings.dir), "audit", *arguments], input=text)

    filled(clocked)
    kept = audited("head")
    assert kept.exit_code == 0
    told = msgspec.json.decode(audited("head", "--json").stdout)
    assert kept.stdout.splitlines()[-1] == f"fingerprint {told['fingerprint']}"
    (tmp_path / "kept").write_text(kept.stdout)
    erase(clocked, "ipv4", C2)
    whole = audited("verify", "--head", str(tmp_path / "kept"), "--json")
    assert (whole.exit_code, msgspec.json.decode(whole.stdout)["ok"]) == (0, True)
    with clocked.service.transaction() as connection:
        connection.execute(journal.journal.delete().where(journal.journal.c.seq >= told["seq"]))
        connection.execute(subjects.subjects.delete().where(subjects.subjects.c.entry >= told["seq"]))
    cut = audited("verify", "--head", "-", "--json", text=kept.stdout)
    assert (cut.exit_code, msgspec.json.decode(cut.stdout)["truncated"]) == (1, True)


def test_the_register_names_no_value(house: House) -> None:
    filled(house)
    erase(house, "ipv4", C2)
    with house.service.reading() as connection:
        text = msgspec.json.encode(list(journal.export(connection)), enc_hook=str)
        kinds = connection.scalars(sa.select(journal.journal.c.what)).all()
    assert C2.encode() not in text
    assert "erased" in kinds


def test_facts_that_items_share_lose_it_too(house: House) -> None:
    record = draft("CVE-2026-0001", "facts", cves=("CVE-2026-0001",), remedies=("Zie https://jansen.example/over/mij",))
    house.receive(record, source="cve")
    item = house.item(draft("a", cves=("CVE-2026-0001",)))
    assert {each["store"] for each in find(house, "url", "https://jansen.example/over/mij")} == {"records", "items"}
    erase(house, "url", "https://jansen.example/over/mij")
    assert find(house, "url", "https://jansen.example/over/mij") == []
    assert loaded(house, item).facts[0].facts.remedies == ("Zie [persoonlijk deel van URL verwijderd]",)
