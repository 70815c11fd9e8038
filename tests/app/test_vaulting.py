"""The vault in an instance: what a backup holds, what is opened and when, and what the end of a key ends."""

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import AppError, checks, database, desk, retention, sending, subject, vaulting, workers
from app.door import Tally
from app.keys import MESSAGES
from app.service import open_service
from app.stores import Search
from dispatch import View, handing, outbox, sequence
from ingest.columns import metadata
from normalize import Draft, Facts, Observable
from pii_guard import audit, journal, marks, subjects
from pii_guard.sought import Sought
from pii_guard.vault import Vault
from subscribers import Contact
from tests.app.house import MAIL, NOW, TAXII, House, opened
from tlp import Label
from triage import exposures, inbox

VICTIM, OTHER = "198.51.100.7", "198.51.100.8"
NAME = "kassa-3.bakkerij.example"
SOURCE, MONTH = "shadowserver", "2026-03"
REPORT = "scan_rdp/2026-03-02"


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path / "house", url)


def scan(*values: str, key: str = REPORT, seen: datetime = NOW) -> Draft:
    rows = tuple(
        Observable("ipv4", each, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", NOW, {"tag": NAME})
        for each in values
    )
    facts = Facts(tracking=("scan_rdp",), exposure="open-rdp", observables=rows)
    return Draft("exposure", key, "Open RDP", "", "en", facts, label=Label.AMBER, source_time=seen)


def rows(house: House, item: str) -> list[str]:
    """The values of an item's rows, as far as they can be opened."""
    with house.service.reading() as connection:
        whole = inbox.load(connection, house.service.guard, item)
        return [row.value for row in house.service.opened(connection, whole, "match").statements[0].facts.observables]


def register(house: House, what: str) -> list[dict[str, Any]]:
    with house.service.reading() as connection:
        return [each for each in journal.export(connection) if each["what"] == what]


def forms(value: str) -> Iterator[bytes]:
    """A value as it may stand anywhere."""
    raw = value.encode()
    yield from (raw, raw.upper(), raw.hex().encode(), raw.hex().upper().encode(), raw[::-1])
    for shift in range(3):  # wherever it begins in what was encoded
        inner = base64.b64encode(b"\0" * shift + raw)
        yield inner[4 * (shift > 0) + (shift > 0) : -4]
    if re.fullmatch(r"[\d.]+", value):
        yield bytes(map(int, value.split(".")))
        yield raw.replace(b".", b"[.]")


def dumped(house: House) -> bytes:
    """Every value of every table, on either engine; of SQLite also all files as they lie there."""
    out = []
    with house.service.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                out += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    out += [file.read_bytes() for file in sorted(house.service.settings.dir.rglob("*")) if file.is_file()]
    return b"\n".join(out)


def backup(house: House) -> dict[sa.Table, list[dict[str, Any]]]:
    """All rows of all tables: a dump of the database."""
    with house.service.engine.connect() as connection:
        return {
            each: [dict(row._mapping) for row in connection.execute(sa.select(each))] for each in metadata.sorted_tables
        }


def restore(house: House, kept: dict[sa.Table, list[dict[str, Any]]]) -> None:
    with house.service.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table, found in kept.items():
            if found:
                connection.execute(table.insert(), found)


def test_no_form_of_a_gated_value_lies_in_any_store(house: House) -> None:
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    house.receive(scan(VICTIM), source=SOURCE)
    desk.by_rules(house.service, [item], "mark")
    assert rows(house, item) == [VICTIM]
    held = dumped(house)
    assert b"sealed-" in held
    for value in (VICTIM, OTHER, NAME):
        assert [form for form in forms(value) if form in held] == []


def test_a_backup_without_the_keys_is_shredded_with_them(house: House) -> None:
    """Backed up, shredded, restored: nothing can be read. With the keys as they were, all of it can."""
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    kept, keys = backup(house), house.service.settings.vault
    shutil.copytree(keys, keys.with_name("elsewhere"))
    assert rows(house, item) == [VICTIM, OTHER]
    house.later(days=365)
    assert retention.purge(house.service)["keys"] == 1
    assert list(house.service.files.standing()) == []
    restore(house, kept)
    assert all(value.startswith("sealed-") for value in rows(house, item))
    held = dumped(house)
    assert [form for value in (VICTIM, OTHER, NAME) for form in forms(value) if form in held] == []
    shutil.rmtree(keys)
    keys.with_name("elsewhere").rename(keys)
    assert rows(house, item) == [VICTIM, OTHER], "else this test shows nothing"


def test_a_copy_of_the_folder_holds_no_key(tmp_path: Path) -> None:
    """SQLite: the folder of the instance, copied as a backup does, opens nothing without what lies beside it."""
    house = opened(tmp_path / "house")
    house.item(scan(VICTIM), SOURCE)
    house.service.engine.dispose()
    copy = Path(shutil.copytree(tmp_path / "house", tmp_path / "copy"))
    keys = [file.read_text().strip() for file in house.service.settings.keys.rglob("*") if file.is_file()]
    assert len(keys) == 2
    for file in copy.rglob("*"):
        if file.is_file():
            assert not any(key.encode() in file.read_bytes() for key in keys), file
    with pytest.raises(AppError, match=r"instance\.key is not there"):
        open_service(copy)


def test_rotation_closes_earlier_backups_and_nothing_else(house: House) -> None:
    item = house.item(scan(VICTIM), SOURCE)
    house.receive(scan(VICTIM, OTHER), source=SOURCE)
    kept = backup(house)
    done = vaulting.rotate(house.service, SOURCE, MONTH)
    assert (done.statements, done.versions) == (1, 2)
    assert rows(house, item) == [VICTIM, OTHER]
    assert [each.generation for each in house.service.files.standing()] == [2]
    with house.service.reading() as connection:
        before = inbox.earlier(connection, house.service.guard, item, 1)
        assert before is not None
        whole = house.service.opened(connection, before, "compare")
        assert [row.value for row in whole.statements[0].facts.observables] == [VICTIM]
    assert [each["detail"]["statements"] for each in register(house, "rotated")] == [1]
    restore(house, kept)
    assert all(value.startswith("sealed-") for value in rows(house, item))


@pytest.mark.parametrize("cut", ["a new key, and nothing under it", "all under it, and the old one there"])
def test_a_rotation_that_was_cut_off_is_ended(house: House, cut: str) -> None:
    item = house.item(scan(VICTIM), SOURCE)
    house.service.files.make(SOURCE, MONTH, 2)
    if cut.startswith("all"):
        vaulting._anew(house.service, SOURCE, MONTH)
    assert rows(house, item) == [VICTIM]
    vaulting.rotate(house.service, SOURCE, MONTH)
    assert [each.generation for each in house.service.files.standing()] == [2]
    assert rows(house, item) == [VICTIM]


def test_a_release_stands_through_a_rotation(house: House) -> None:
    house.subscribe("een", clearance=Label.AMBER, networks=(f"{VICTIM}/32",), verified=True)
    item = house.item(scan(VICTIM), SOURCE)
    house.decide("release", item)
    vaulting.rotate(house.service, SOURCE, MONTH)
    with house.service.reading() as connection:
        assert house.views(connection, item) is not None


def test_the_register_tells_each_opening_once_a_transaction(house: House) -> None:
    house.subscribe("een", clearance=Label.AMBER, networks=(f"{VICTIM}/32",), verified=True)
    house.subscribe("twee", clearance=Label.AMBER, networks=("198.51.100.0/24",), verified=True)
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    assert register(house, "opened") == []
    house.decide("release", item)
    found = register(house, "opened")
    with house.service.reading() as connection:
        (key,) = inbox.keys(connection, item)
    assert {each["subject"] for each in found} == {key}
    assert [each["detail"] for each in found] == [
        {"purpose": "match", "rows": 2},
        {"purpose": "notify", "rows": 2},
        {"purpose": "exchange", "rows": 2},
    ]


def test_what_is_undone_was_opened_all_the_same(house: House) -> None:
    item = house.item(scan(VICTIM), SOURCE)

    def half() -> None:
        with house.service.transaction() as connection:
            house.service.opened(connection, inbox.load(connection, house.service.guard, item), "subject")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert [each["detail"]["purpose"] for each in register(house, "opened")] == ["subject"]


def test_a_correction_is_news_and_the_same_again_is_none(house: House) -> None:
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    house.later(minutes=5)
    assert house.receive(scan(OTHER, VICTIM), source=SOURCE).effects == {"unchanged": 1}
    house.later(minutes=5)
    assert house.receive(scan(VICTIM, "198.51.100.9"), source=SOURCE).effects == {"updated": 1}
    with house.service.reading() as connection:
        assert inbox.row(connection, item).version == 2
    assert {each["detail"]["purpose"] for each in register(house, "opened")} == {"compare"}


def test_purge_keeps_a_key_while_anything_may_lie_under_it(house: House) -> None:
    house.item(scan(VICTIM), SOURCE)
    house.later(days=181)
    assert retention.purge(house.service)["keys"] == 0, "the month has later days"
    house.later(days=30)
    assert retention.purge(house.service, dry_run=True)["keys"] == 1
    assert retention.purge(house.service)["keys"] == 1
    assert [each["detail"] for each in register(house, "purged") if each["subject"] == "vault"] == [
        {"month": MONTH, "generation": 1}
    ]


def test_what_lies_open_from_earlier_versions_is_sealed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(house.service.vault), "closed", lambda _, statement: statement)
    item = house.item(scan(VICTIM), SOURCE)
    monkeypatch.undo()
    assert VICTIM.encode() in dumped(house)
    retention.purge(house.service)
    assert VICTIM.encode() not in dumped(house)
    assert rows(house, item) == [VICTIM]


def tried(house: House, value: str) -> set[str]:
    """Where a value can be found by who has the instance key and all rows, but no key of the vault."""
    service = house.service
    name = f"ipv4 {value} 3389/tcp"
    wanted = {
        "subjects": marks.hashes(service.keys.derive("subjects"), "ipv4", value),
        "exposures": [int(service.guard.keyed(b"exposure", name)[:16], 16).to_bytes(8, "little")],
    }
    with service.engine.connect() as connection:
        held = {
            "subjects": connection.scalars(sa.select(subjects.subjects.c.hashes)).all(),
            "exposures": [each for each in connection.scalars(sa.select(exposures.exposures.c.known)) if each],
        }
    return {store for store, rows in held.items() for row in rows for each in wanted[store] if each in row}


def test_what_a_backup_holds_by_hash_is_shredded_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the month's key a person is found and reports are compared; without it nobody can try values on them."""
    sought = Sought("ipv4", VICTIM)
    house.item(scan(VICTIM, OTHER), SOURCE)
    house.later(days=1)
    later = house.item(scan(VICTIM, key="scan_rdp/2026-03-03", seen=house.now), SOURCE)
    assert tried(house, VICTIM) == set(), "not even before"
    kept = backup(house)
    assert {each["store"] for each in subject.find(house.service, sought)} == {"register", "items"}
    house.later(days=365)
    assert retention.purge(house.service)["keys"] == 1
    with house.service.reading() as connection:
        assert subjects.entries(connection) == set()
        assert audit.verify(connection, key=house.service.keys.derive("journal")).ok
    restore(house, kept)
    assert tried(house, VICTIM) == set()
    assert subject.find(house.service, sought) == []
    with house.service.reading() as connection:
        (key,) = inbox.keys(connection, later)
        found = exposures.course(connection, house.service.guard, key)
        assert found is not None
        assert (found.places, found.before[0].same) == ({}, None), "nobody can tell"
        assert audit.verify(connection, key=house.service.keys.derive("journal")).ok
    monkeypatch.setattr(Vault, "lock", lambda *given: given[-1])
    house.item(scan(VICTIM, key="scan_rdp/2027-03-03"), SOURCE)
    assert tried(house, VICTIM) == {"subjects", "exposures"}, "else this test shows nothing"


def test_hashes_are_sealed_under_the_new_key_by_a_rotation(house: House) -> None:
    sought = Sought("ipv4", VICTIM)
    house.item(scan(VICTIM, OTHER), SOURCE)
    house.later(days=1)
    later = house.item(scan(VICTIM, key="scan_rdp/2026-03-03", seen=house.now), SOURCE)
    before = subject.find(house.service, sought)
    kept = backup(house)
    vaulting.rotate(house.service, SOURCE, MONTH)
    assert subject.find(house.service, sought) == before
    with house.service.reading() as connection:
        (key,) = inbox.keys(connection, later)
        found = exposures.course(connection, house.service.guard, key)
        assert found is not None
        assert (found.before[0].lost, len(found.places)) == (1, 1)
        assert audit.verify(connection, key=house.service.keys.derive("journal")).ok
    restore(house, kept)
    assert subject.find(house.service, sought) == [], "the backup opens no more"


def test_an_erasure_closes_the_hashes_in_backups(house: House) -> None:
    """Also of what was stripped: nothing of that lay sealed, and its hash stood beside the register."""
    facts = Facts(observables=(Observable("email", "j.de.vries@slachtoffer.example", "victim"),))
    house.item(Draft("report", "r", "Rapport", "", "nl", facts, label=Label.GREEN, source_time=NOW), "market")
    sought = Sought("email", "j.de.vries@slachtoffer.example")
    assert subject.find(house.service, sought)
    kept = backup(house)
    assert subject.erase(house.service, sought).counts["keys"] == 1
    restore(house, kept)
    assert [each for each in subject.find(house.service, sought) if each["store"] == "register"] == []


def test_hashes_from_before_they_were_sealed_are_sealed_by_purge(house: House) -> None:
    """As a database of version 0007 has them."""
    sought, register = Sought("ipv4", VICTIM), house.service.keys.derive("journal")
    house.item(scan(VICTIM, OTHER), SOURCE)
    table, vault = subjects.subjects, house.service.vault
    with house.service.transaction() as connection:
        for row in connection.execute(sa.select(table)).all():
            plain = b"".join(subjects._split(connection, row, vault))
            values = {**row._mapping, "hashes": plain, "source": "", "month": ""}
            mine = (table.c.entry == row.entry, table.c.part == row.part)
            connection.execute(table.update().where(*mine), {**values, "mac": subjects._mac_of(register, values)})
        assert audit.verify(connection, key=register).ok
    assert tried(house, VICTIM) == {"subjects"}
    before = subject.find(house.service, sought)
    retention.purge(house.service)
    assert tried(house, VICTIM) == set()
    assert subject.find(house.service, sought) == before
    with house.service.reading() as connection:
        assert audit.verify(connection, key=register).ok
        assert {row.source for row in subjects.rows(connection)} == {SOURCE}


def test_no_store_holds_what_was_sent_after_its_month_is_shredded(house: House) -> None:
    """Messages, files and the owner's own collection show a gated value in clear; each comes to its end before."""
    contacts = (Contact("file"), TAXII)
    house.subscribe("een", *contacts, clearance=Label.AMBER, networks=("198.51.100.0/24",), verified=True)
    workers.open_collections(house.service)
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    house.decide("release", item)
    workers.dispatch(house.service, now=True)
    assert VICTIM.encode() in served(house), "its owner reads it"
    (file,) = (house.service.settings.dir / "outbox").glob("*.eml")
    house.later(days=31)
    retention.purge(house.service)
    assert not file.exists(), "messages are kept for thirty days"
    house.later(days=365)
    assert retention.purge(house.service)["keys"] >= 1
    held = dumped(house)
    assert [form for value in (VICTIM, OTHER, NAME) for form in forms(value) if form in held] == []


def test_a_message_that_waits_lies_sealed_and_its_hashes_are_keyed(house: House) -> None:
    house.subscribe("een", MAIL, clearance=Label.AMBER, networks=("198.51.100.0/24",), verified=True)
    item = house.item(scan(VICTIM), SOURCE)
    house.decide("release", item)
    sender = sending.Sender(house.service)
    with house.service.transaction() as connection:
        (delivery,) = outbox.claim(connection, house.now, 10, "w", hurry=True)
        (ready,) = sender.prepare(connection, [delivery]).ready
        assert handing.step(connection, "w", (), "", house.now, [delivery.id])
    assert VICTIM.encode() in ready.message
    assert VICTIM.encode() not in dumped(house)
    assert {each["store"] for each in subject.find(house.service, Sought("ipv4", VICTIM))} >= {"outbox"}
    vaulting.rotate(house.service, MESSAGES, MONTH)
    house.later(minutes=6)
    with house.service.transaction() as connection:
        (again,) = outbox.claim(connection, house.now, 10, "w", hurry=True)
        (repeated,) = sender.prepare(connection, [again]).ready
    assert again.repeat
    with house.service.transaction() as connection:
        shown = connection.execute(sa.select(outbox.deliveries.c.view, outbox.deliveries.c.digest)).one()
    digest = hashlib.sha256(repeated.message).hexdigest()
    assert digest not in shown, "a plain hash can be tried"
    assert shown.digest == house.service.vault.fingerprint(MESSAGES, MONTH, digest)


def test_a_crash_repeats_the_same_bytes_out_of_the_vault(house: House) -> None:
    house.subscribe("een", MAIL, clearance=Label.AMBER, networks=("198.51.100.0/24",), verified=True)
    house.decide("release", house.item(scan(VICTIM), SOURCE))
    sender, sent = sending.Sender(house.service), []
    for _ in range(2):
        with house.service.transaction() as connection:
            (delivery,) = outbox.claim(connection, house.now, 10, "w", hurry=True)
            (ready,) = sender.prepare(connection, [delivery]).ready
            assert handing.step(connection, "w", (), "", house.now, [delivery.id])
        sent.append(ready.message)
        house.now = house.now.replace(month=4, day=1) if house.now.month == 3 else house.now
    assert sent[0] == sent[1], "in the next month too"


def listing(key: str, *values: str, seen: str = "") -> Draft:
    """A list of victims' addresses; `seen`: with an attacker's among them."""
    attackers = [Observable("ipv4", seen, "attacker", "c2")] if seen else []
    rows = (*attackers, *(Observable("ipv4", each, "victim", "listed") for each in values))
    return Draft("indicators", key, "Lijst", "", "en", Facts(observables=rows), label=Label.AMBER, source_time=NOW)


@pytest.mark.parametrize(("seen", "effect"), [("203.0.113.66", "unchanged"), ("", "merged")])
def test_a_list_under_another_id_is_known_in_a_later_month_while_its_key_is_there(
    house: House, seen: str, effect: str
) -> None:
    def receive(key: str, *values: str) -> Tally:
        return house.receive(listing(key, *values, seen=seen), source=SOURCE)

    item = house.item(listing("a", VICTIM, OTHER, seen=seen), SOURCE)
    house.later(days=40)
    again = receive("b", OTHER, VICTIM)
    assert (again.items or {item}, again.effects) == ({item}, {effect: 1})
    house.service.files.destroy(SOURCE, MONTH, 1)
    house.later(days=1)
    again = receive("c", VICTIM, OTHER)
    assert (again.items or {item}, again.effects["new"]) == ({item}, 0), "by the hash of April"
    house.service.files.destroy(SOURCE, "2026-04", 1)
    house.later(days=1)
    assert receive("d", VICTIM, OTHER).effects["new"] == 1
    assert receive("e", VICTIM).effects["new"] == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_who_read_just_before_a_rotation_opens_it_under_the_new_key(house: House) -> None:
    """PostgreSQL, where a rotation does not wait for who reads: in its snapshot all lies under the key that is gone."""
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    house.receive(scan(VICTIM), source=SOURCE)
    house.later(days=1)
    later = house.item(scan(VICTIM, key="scan_rdp/2026-03-03", seen=house.now), SOURCE)
    service = house.service
    with service.reading() as connection:
        whole = inbox.load(connection, service.guard, item)
        before = inbox.earlier(connection, service.guard, item, 1)
        (key,) = inbox.keys(connection, later)
        assert before is not None
        vaulting.rotate(service, SOURCE, MONTH)
        assert [each.generation for each in service.files.standing()] == [2]
        for found, values in ((whole, [VICTIM]), (before, [VICTIM, OTHER])):
            opened_ = service.opened(connection, found, "match")
            assert [row.value for row in opened_.statements[0].facts.observables] == values
        course = exposures.course(connection, service.guard, key)
        assert course is not None
        assert course.before[0].lost == 0
        search = Search(service, Sought("ipv4", OTHER))
        assert [each["store"] for each in search.register(connection)] == ["register"]
        service.files.destroy(SOURCE, MONTH, 2)
    with service.reading() as connection:
        gone = service.opened(connection, whole, "match")
        assert gone.statements[0].vault, "without any key it is shredded"


def served(house: House) -> bytes:
    with house.service.reading() as connection:
        return b"".join(body for *_, body in sequence.bodies(connection))


def test_the_doctor_sees_keys_among_the_data_and_keys_that_others_read(tmp_path: Path) -> None:
    house = opened(tmp_path / "house")
    house.item(scan(VICTIM), SOURCE)
    folder = house.service.settings.dir

    def told() -> dict[str, Any]:
        return next(each for each in checks.examine(folder) if each["what"] == "keys")

    assert told()["status"] == "ok"
    (key,) = house.service.settings.vault.iterdir()
    key.chmod(0o644)
    assert told()["status"] == "fault"
    key.chmod(0o600)
    house.service.settings.instance_key.rename(folder / "instance.key")
    assert told()["status"] == "warning"
    assert "house.keys" in told()["says"]
    assert rows(House(open_service(folder)), "OKTT-2026-0001") == [VICTIM], "it goes on working"


def test_engines_have_nothing_else(house: House) -> None:
    assert set(database.tables().tables) <= {each.name for each in metadata.sorted_tables}


def test_what_is_erased_for_a_person_is_erased_from_backups_too(house: House) -> None:
    """Restored from a backup of before the erasure, nothing sealed of that month opens."""
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    kept = backup(house)
    made = subject.erase(house.service, Sought("ipv4", VICTIM))
    assert made.counts["keys"] == 1
    left = rows(house, item)
    assert OTHER in left
    assert VICTIM not in left
    assert [each.generation for each in house.service.files.standing()] == [2]
    again = subject.erase(house.service, Sought("ipv4", VICTIM))
    assert again.counts.total() == 0
    restore(house, kept)
    assert all(value.startswith("sealed-") for value in rows(house, item))


def test_an_erasure_that_was_cut_off_before_its_key_went_is_ended(house: House) -> None:
    item = house.item(scan(VICTIM, OTHER), SOURCE)
    vaulting.begin(house.service, SOURCE, MONTH)
    assert [each.generation for each in house.service.files.standing()] == [1, 2]
    vaulting.begin(house.service, SOURCE, MONTH)
    assert subject.erase(house.service, Sought("ipv4", "192.0.2.250")).counts["keys"] == 1
    assert [each.generation for each in house.service.files.standing()] == [2]
    assert rows(house, item) == [VICTIM, OTHER]


@pytest.mark.parametrize(("country", "told"), [("NL", True), ("BQ", False)])
def test_who_gets_nothing_of_its_rows_is_not_told_in_which_network_they_lie(
    house: House, country: str, told: bool
) -> None:
    """Wbdwb: not in the Caribbean Netherlands. A /32 in a reason would be the address itself."""
    house.subscribe("een", clearance=Label.AMBER, networks=(f"{VICTIM}/32",), country=country)
    item = house.item(scan(VICTIM), SOURCE)
    house.decide("release", item)
    view = house.view(item, "een")
    assert isinstance(view, View)
    assert any(row.own for row in view.observables) is told
    assert ("network" in {reason.criterion for reason in view.reasons}) is told
    assert (VICTIM in repr(view)) is told
