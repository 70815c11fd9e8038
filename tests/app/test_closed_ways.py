"""What may not go by ordinary mail: encrypted to whoever gave a key, told of by a stub to others (FIRST TLP 2.0)."""

import email
import email.policy
from pathlib import Path

import pytest
import sqlalchemy as sa
from pysequoia import Tsk, decrypt

from app import audience, checks, proving, workers
from dispatch import ledger
from subscribers import Contact
from tests.app.house import TAXII, House, opened
from tests.triage.desk import draft
from tlp import Label
from triage import TriageError

TITLE = "Geheim lek in FortiOS"
PLAIN = Contact("email", address="open@voorbeeld.example")
KEYED = Contact("email", address="dicht@voorbeeld.example", pgp="firma.asc")


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def released(house: House, label: Label = Label.AMBER_STRICT) -> dict[str, bytes]:
    """Mails by address, after a release to `firma` with its source's consent."""
    item = house.item(draft("a", title=TITLE, label=label, cves=("CVE-2026-0001",), sectors=("SBI:25",)))
    house.decide("release", item, to=("firma",))
    house.later(minutes=11)
    workers.dispatch(house.service)
    mails = [path.read_bytes() for path in (house.service.settings.dir / "outbox").glob("*.eml")]
    return {str(email.message_from_bytes(each, policy=email.policy.default)["To"]): each for each in mails}


def subscribed(house: House, *contacts: Contact) -> None:
    house.subscribe("firma", *contacts, clearance=Label.RED, sectors=("SBI:25",))


def test_it_is_encrypted_to_a_key_and_a_stub_elsewhere(house: House) -> None:
    theirs = Tsk.generate("Firma")
    (house.service.settings.dir / "firma.asc").write_bytes(bytes(theirs.extract_certificate()))
    subscribed(house, KEYED, PLAIN)
    mails = released(house)
    assert mails.keys() == {"dicht@voorbeeld.example", "open@voorbeeld.example"}
    assert not any(TITLE.encode() in each or b"FortiOS" in each for each in mails.values())
    found = email.message_from_bytes(mails["dicht@voorbeeld.example"], policy=email.policy.default)
    assert found["Subject"] == "TLP:AMBER+STRICT bericht OKTT-2026-0001"
    _, sealed = found.iter_parts()  # type: ignore[attr-defined]
    inside = bytes(decrypt(sealed.get_payload(decode=True), decryptor=theirs.decryptor()).bytes)
    opened = email.message_from_bytes(inside, policy=email.policy.default)
    assert TITLE in opened.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    stub = email.message_from_bytes(mails["open@voorbeeld.example"], policy=email.policy.default)
    assert stub["Subject"] == "TLP:AMBER+STRICT Bericht OKTT-2026-0001 ligt voor u klaar"
    text = stub.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert "niet per gewone e-mail" in text
    assert "S/MIME-certificaat of OpenPGP-sleutel" in text


def test_each_of_them_is_proven(house: House) -> None:
    theirs = Tsk.generate("Firma")
    (house.service.settings.dir / "firma.asc").write_bytes(bytes(theirs.extract_certificate()))
    subscribed(house, KEYED, PLAIN)
    released(house)
    files = [path.stem for path in (house.service.settings.dir / "outbox").glob("*.eml")]
    proofs = [proving.prove(house.service, each) for each in files]
    assert all(proof.ok for proof in proofs), proofs
    assert sorted(proof.label for proof in proofs) == ["AMBER+STRICT", "CLEAR"]
    assert {len(proof.checks) for proof in proofs} == {3, 7}


@pytest.mark.parametrize("key", [None, b"geen sleutel"])
def test_a_key_that_cannot_be_used_lets_nothing_out_in_the_open(house: House, key: bytes | None) -> None:
    """It gets a stub that says so; doctor says so too."""
    if key is not None:
        (house.service.settings.dir / "firma.asc").write_bytes(key)
    subscribed(house, KEYED)
    mails = released(house)
    (mail,) = mails.values()
    assert b"FortiOS" not in mail
    text = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert "De sleutel die wij van u hebben" in text
    said = [each["says"] for each in checks.examine(house.service.settings.dir) if each["what"] == "keys of recipients"]
    assert len(said) == 1
    assert said[0].startswith("firma: `pgp` names a file that")


def test_what_may_go_in_the_open_still_does(house: House) -> None:
    """An alert of AMBER is not lost because a key has expired; with a key it is encrypted."""
    subscribed(house, KEYED)
    (mail,) = released(house, Label.AMBER).values()
    assert b"FortiOS" in mail


def test_who_has_no_closed_way_at_all_gets_a_stub_and_the_analyst_sees_that(house: House) -> None:
    subscribed(house, PLAIN)
    house.subscribe(
        "ander", Contact("email", address="ander@voorbeeld.example"), clearance=Label.RED, sectors=("SBI:25",)
    )
    ((address, mail),) = released(house).items()
    assert address == "open@voorbeeld.example"
    assert b"FortiOS" not in mail
    text = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert "met alleen het nummer OKTT-2026-0001" in " ".join(text.split())
    found = audience.audience(house.service, "OKTT-2026-0001", 5)
    assert {each.subscriber: (each.outcome, each.stub) for each in found.explained} == {
        "firma": ("tlp", "deliver"), "ander": ("tlp", "")
    }  # fmt: skip
    assert len(found.match.stubs) == len(found.match.audience) == 1
    with house.service.reading() as connection:
        (line,) = ledger.messages(connection, "OKTT-2026-0001")
    assert (line.reason, line.label) == ("open-channel", Label.CLEAR)
    house.decide("withdraw", "OKTT-2026-0001")
    workers.dispatch(house.service)
    assert len(list((house.service.settings.dir / "outbox").glob("*.eml"))) == 2


def test_a_clearance_that_ends_between_queueing_and_sending_is_named_in_the_ledger(house: House) -> None:
    subscribed(house, PLAIN)
    item = house.item(draft("a", title=TITLE, label=Label.AMBER_STRICT, cves=("CVE-2026-0001",), sectors=("SBI:25",)))
    house.decide("release", item, to=("firma",))
    house.subscribe("firma", PLAIN, clearance=Label.AMBER, sectors=("SBI:25",))
    house.later(minutes=11)
    workers.dispatch(house.service)
    assert not list((house.service.settings.dir / "outbox").glob("*.eml"))
    with house.service.reading() as connection:
        assert list(connection.scalars(sa.select(ledger.ledger.c.reason))) == ["clearance"]


def test_consent_for_nobody_we_know_is_a_mistake(house: House) -> None:
    item = house.item(draft("a", title=TITLE, label=Label.RED, sectors=("SBI:25",)))
    with pytest.raises(TriageError, match="--to: there is no subscriber frima: `oktt subscribers list`"):
        house.decide("release", item, to=("frima",))
    assert house.state(item) == "new"


def test_a_stub_says_where_to_read_it(house: House) -> None:
    subscribed(house, PLAIN, TAXII)
    (mail,) = released(house).values()
    text = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert "Lees het in uw eigen TAXII-collectie." in text
    assert b"FortiOS" not in mail
