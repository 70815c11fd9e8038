"""Name and mail address, as a subscriber changes them itself; and who does not want, or does not get, our mail."""

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app import portal as glue
from app import returning, taking_over
from app.database import tables
from dispatch import contacts
from subscribers import Contact, Incoming, Profile, SubscriberError, links, proofs, registry
from tests.app.house import House, opened
from tests.app.instance import done, person
from tests.web.test_portal import BAKER, Page, Visitor, subscriber
from tlp import Clearance, Label

OLD, NEW = BAKER["address"].lower(), "nieuw@brood.example"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return opened(tmp_path)


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house)


@pytest.fixture
def again(house: House, visitor: Visitor) -> Callable[[], Visitor]:
    return lambda: Visitor(house, visitor)


def test_whatever_names_a_subscriber_gets_its_new_id() -> None:
    """Sign-ups have no collection; what the request ledger says is sealed as it is."""
    naming = {each.name for each in tables().sorted_tables if "subscriber" in each.columns}
    assert naming - {"collections", "requests"} == {each.name for each in taking_over._NAMING}


def log_in(visitor: Visitor, address: str) -> str:
    """Where one comes by a link to that address."""
    visitor.house.later(hours=1)
    visitor.send("/portal/login", address=address)
    return str(visitor.browser.post(visitor.link(address), data={}).url.path)


def mailed(house: House, name: str) -> list[str]:
    return [each.address.lower() for each in subscriber(house, name).contacts]


def test_a_name_counts_at_once_and_no_import_takes_it_back(house: House, visitor: Visitor) -> None:
    house.subscribe("kvk-1", Contact("email", address="a@firma.example"))
    assert log_in(visitor, "a@firma.example") == "/portal/account"
    assert visitor.send("/portal/contact", act="name", name=" ").status_code == 422
    assert "bewaard" in visitor.send("/portal/contact", act="name", name="Firma & Zonen").text
    house.subscribe("kvk-1", Contact("email", address="a@firma.example"), region="NL-ZH")
    assert (subscriber(house, "kvk-1").name, subscriber(house, "kvk-1").profile.region) == ("Firma & Zonen", "NL-ZH")


def test_an_address_counts_when_its_link_was_opened(
    house: House, visitor: Visitor, again: Callable[[], Visitor]
) -> None:
    house.subscribe("kvk-1", Contact("email", address=OLD), Contact("email", address="ict@firma.example"))
    log_in(visitor, OLD)
    assert visitor.send("/portal/contact", act="address", address=OLD).status_code == 422, "that is no change"
    assert visitor.send("/portal/contact", act="address", address="geen adres").status_code == 422
    assert visitor.send("/portal/contact", act="address", address="ICT@firma.example").status_code == 422
    visitor.send("/portal/contact", act="address", address="fout@brood.example")
    mistaken = visitor.link("fout@brood.example")
    page = visitor.send("/portal/contact", act="address", address=NEW)
    assert "Nog te bevestigen: nieuw@brood.example" in page.text
    assert mailed(house, "kvk-1")[0] == OLD
    path, veto = visitor.link(NEW), visitor.link(OLD)
    assert again().browser.post(mistaken, data={}).status_code == 404, "the last one counts"
    stranger = again()
    assert stranger.get(path).status_code == stranger.get(veto).status_code == 200
    assert mailed(house, "kvk-1")[0] == OLD, "a scanner follows links, and changes nothing"
    assert stranger.browser.post(path, data={}).status_code == 200
    assert mailed(house, "kvk-1") == [NEW, "ict@firma.example"]
    assert stranger.get("/portal/account").url.path == "/portal/login", "a link to an address logs nobody in"
    house.subscribe("kvk-1", Contact("email", address=OLD), Contact("email", address="ict@firma.example"))
    assert mailed(house, "kvk-1") == [NEW, "ict@firma.example"], "no import takes it back"
    assert log_in(again(), NEW) == "/portal/account"
    assert log_in(again(), OLD) != "/portal/account"

    assert stranger.browser.post(veto, data={}).status_code == 200
    assert mailed(house, "kvk-1")[0] == OLD, "who reads the address before it can say no"
    assert visitor.get("/portal/account").url.path == "/portal/login", "and whoever asked is out"


def test_an_operator_has_the_last_word_on_an_address(
    house: House, visitor: Visitor, again: Callable[[], Visitor], tmp_path: Path
) -> None:
    house.subscribe("kvk-1", Contact("email", address=OLD))
    log_in(visitor, OLD)
    visitor.send("/portal/contact", act="name", name="Brood BV")
    visitor.send("/portal/contact", act="address", address=NEW)
    again().browser.post(visitor.link(NEW), data={})
    file = tmp_path / "people.ndjson"
    file.write_text(json.dumps(person("1", {"type": "email", "address": OLD}) | {"id": "kvk-1"}) + "\n")
    with pytest.raises(SubscriberError, match="gave no mail address"):
        taking_over.readdress(house.service, house.subscribe("kvk-2").id, "anna")
    house.later(hours=2)
    assert log_in(visitor, NEW) == "/portal/account"
    visitor.send("/portal/contact", act="address", address="derde@brood.example")
    waits = visitor.link("derde@brood.example")
    said = done(tmp_path, "subscribers", "import", file).out
    assert "Mail of 1 goes to an address that they gave at the portal, not to the file's: kvk-1" in said
    assert mailed(house, "kvk-1") == [NEW]
    house.later(hours=2)
    taking_over.readdress(house.service, "kvk-1", "anna")
    assert mailed(house, "kvk-1") == [OLD]
    assert subscriber(house, "kvk-1").name == "Brood BV", "all else stands"
    assert visitor.get("/portal/account").url.path == "/portal/login", "whoever was in is out"
    assert again().browser.post(waits, data={}).status_code == 404
    (*_, told) = [each for each in visitor.mails() if each["To"].lower() == NEW]
    assert told["Subject"].startswith("TLP:CLEAR Onze berichten gaan naar een ander adres")
    assert b"/portal/l/" not in told.as_bytes(), "there is nothing to undo it with"
    assert log_in(again(), NEW) != "/portal/account"
    assert log_in(again(), OLD) == "/portal/account"
    assert json.loads(done(tmp_path, "subscribers", "import", file, "--json").out)["elsewhere"] == []


def test_a_veto_ends_the_vetoes_that_came_after_it(
    house: House, visitor: Visitor, again: Callable[[], Visitor]
) -> None:
    house.subscribe("kvk-1", Contact("email", address=OLD))
    log_in(visitor, OLD)
    visitor.send("/portal/contact", act="address", address="dief@elders.example")
    veto, stranger = visitor.link(OLD), again().browser
    stranger.post(visitor.link("dief@elders.example"), data={})
    visitor.send("/portal/contact", act="address", address="nogeen@elders.example")
    theirs, next_one = visitor.link("dief@elders.example"), visitor.link("nogeen@elders.example")
    assert stranger.post(veto, data={}).status_code == 200
    for path in (theirs, next_one):
        assert stranger.post(path, data={}).status_code == 404, "who took the address may not take it back"
    assert mailed(house, "kvk-1") == [OLD]

    log_in(visitor, OLD)
    visitor.send("/portal/contact", act="address", address=NEW)
    paths = visitor.link(OLD), visitor.link(NEW)
    visitor.send("/portal/delete")
    house.subscribe("kvk-1", Contact("email", address=OLD))
    assert [stranger.post(path, data={}).status_code for path in paths] == [404, 404], "they were of who left"


def set_up(visitor: Visitor) -> str:
    """An authenticator, as a second factor: the page that follows."""
    page = visitor.get("/portal/factor").text
    found = re.search("<code>([A-Z2-7]{32})</code>", page)
    assert found is not None
    form = next(given for _, given in Page(page).forms if given.get("act") == "code")
    app = TOTP(base64.b32decode(found[1]), 6, SHA1(), 30)
    code = app.generate(int(visitor.house.now.timestamp())).decode()
    return str(visitor.browser.post("/portal/factor", data={**form, "code": code}).text)


def test_a_first_second_factor_can_be_refused(house: House, visitor: Visitor, again: Callable[[], Visitor]) -> None:
    house.subscribe("kvk-1", Contact("email", address=OLD))
    log_in(visitor, OLD)
    assert "<pre" in set_up(visitor)
    factor = visitor.link(OLD)
    house.later(minutes=1)
    visitor.send("/portal/contact", act="address", address=NEW)
    address, stranger = visitor.link(OLD), again()
    assert stranger.browser.post(address, data={}).status_code == 200
    assert log_in(again(), OLD) == "/portal/second", "it was there before the change of address"
    assert "extra beveiliging" in stranger.get(factor).text
    assert stranger.browser.post(factor, data={}).status_code == 200
    assert log_in(again(), OLD) == "/portal/account"

    log_in(visitor, OLD)
    visitor.send("/portal/contact", act="address", address=NEW)
    address = visitor.link(OLD)
    assert stranger.browser.post(visitor.link(NEW), data={}).status_code == 200
    set_up(visitor)
    assert "extra beveiliging" in stranger.get(visitor.link(NEW)).text
    assert stranger.browser.post(address, data={}).status_code == 200
    assert log_in(again(), OLD) == "/portal/account", "it came after the change of address"

    house.later(hours=1)
    log_in(visitor, OLD)
    for _ in range(2):
        again().send("/portal/login", address=OLD)
    assert "al drie mails" in set_up(visitor), "nobody is locked out unheard"
    assert log_in(again(), OLD) == "/portal/account"


def test_who_thinks_better_of_it_cancels(house: House, visitor: Visitor) -> None:
    name = visitor.join()
    visitor.send("/portal/contact", act="address", address=NEW)
    path = visitor.link(NEW)
    assert "verandert niets" in visitor.send("/portal/contact", act="cancel", form=-2).text
    assert visitor.browser.post(path, data={}).status_code == 404
    for _ in range(2):
        visitor.send("/portal/contact", act="address", address=NEW)
    answer = visitor.send("/portal/contact", act="address", address=NEW)
    assert answer.status_code == 429, "nobody's mailbox is filled"
    assert mailed(house, name) == [OLD]


def test_used_links_count_against_the_hour(house: House, visitor: Visitor, again: Callable[[], Visitor]) -> None:
    visitor.join()
    for _ in range(links.PER_HOUR - 1):
        other = again()
        other.send("/portal/login", address=OLD)
        assert other.browser.post(other.link(OLD), data={}).url.path == "/portal/account"
        house.later(minutes=16)
        assert glue.tidy(house.service) == 0
    count = len(visitor.mails())
    again().send("/portal/login", address=OLD)
    assert len(visitor.mails()) == count
    house.later(minutes=60)
    assert glue.tidy(house.service) == links.PER_HOUR
    again().send("/portal/login", address=OLD)
    assert len(visitor.mails()) == count + 1


def test_who_said_no_is_heard_when_he_is_brought_in_again(
    house: House, visitor: Visitor, again: Callable[[], Visitor]
) -> None:
    visitor.join()
    assert "gewist" in visitor.send("/portal/delete").text
    mail = Contact("email", address=OLD)
    one = house.subscribe("kvk-12345678", mail)

    def why() -> str | None:
        with house.service.reading() as connection:
            return returning.silence(house.service, connection, one, mail)

    assert why() == "opt-out"
    other = again()
    assert log_in(other, OLD) == "/portal/account"
    assert "gestopt" in other.get("/portal/contact").text
    assert "een link heen" in other.send("/portal/contact", form=0, act="resume", address=OLD).text
    path = other.link(OLD)
    assert 'name="resume"' in other.get(path).text
    assert why() == "opt-out", "who is logged in may be another: its reader says so himself"
    other.browser.post(path, data={"resume": "yes"})
    assert why() is None
    other.send("/portal/delete")
    house.later(hours=1)
    again().join()  # who confirms wants mail
    assert why() is None


def test_a_link_that_arrives_shows_that_mail_does(house: House, visitor: Visitor) -> None:
    name = visitor.join()
    (contact,) = subscriber(house, name).contacts
    mark = returning.contact_mark(house.service.keys, name, contact)
    for day in (timedelta(days=1), timedelta(0)):
        assert "kwam terug" not in visitor.get("/portal/contact").text, "one day may be a mistake of their server"
        with house.service.transaction() as connection:
            contacts.note(connection, mark, name, "returned", house.now - day, "5.1.1")
    assert "Kijk waarom" in visitor.get("/portal/account").text
    assert "kwam terug" in visitor.get("/portal/contact").text
    visitor.send("/portal/contact", form=0, act="try", address=contact.address)
    assert "kwam terug" in visitor.get("/portal/contact").text
    visitor.browser.post(visitor.link(OLD), data={})
    assert "kwam terug" not in visitor.get("/portal/contact").text


def test_an_import_takes_over_who_subscribed_itself(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    visitor = Visitor(house)
    old = visitor.join(kvk="12345678")
    other = Visitor(house, visitor)
    stranger = other.join(kvk="87654321", address="boef@elders.example")
    visitor.send("/portal/proofs", what="brood.example", act="add")
    record, proof = (
        "_oktt-challenge.brood.example",
        proofs.text(house.service.keys.derive("proofs"), old, "brood.example"),
    )
    visitor.texts[record] = (proof,)
    visitor.send("/portal/proofs", form=0, act="check", what="brood.example")
    number = subscriber(house, old).number
    mail = (Contact("email", address="info@operator.example"),)
    lines = [
        Incoming(f"kvk-{each}", "Naam", clearance=Clearance(Label.AMBER), contacts=mail, profile=Profile(domains=(at,)))
        for each, at in (("12345678", "brood.example"), ("87654321", "elders.example"))
    ]
    for _ in range(2):  # again: the same
        with house.service.transaction() as connection:
            known = taking_over.take_over(house.service, connection, lines)
            registry.upsert(connection, lines, house.now)
        assert known.apart == [(stranger, "kvk-87654321")], "anybody can type a number"
    one = subscriber(house, "kvk-12345678")
    assert (one.number, one.name, one.clearance.highest) == (number, "Naam", Label.AMBER)
    assert (one.profile.domains, one.profile.size) == (("brood.example",), "zzp")
    assert mailed(house, "kvk-12345678") == [OLD], "where it has shown to read its mail"
    assert sorted(visitor.everybody()) == sorted(["kvk-12345678", "kvk-87654321", stranger])
    page = visitor.get("/portal/account")
    assert page.url.path == "/portal/account", "it is still logged in"
    assert log_in(Visitor(house, visitor), OLD) == "/portal/account"
    house.later(days=366)
    assert glue.recheck(house.service, visitor.texts.get) == 1
    (claim,) = subscriber(house, "kvk-12345678").claims
    assert claim.proven_at == house.now, "the record in the DNS is the same"
