"""The portal in a whole instance: from the form to the mail, the link, the subscriber, and its end."""

import asyncio
import base64
import email
import re
from collections.abc import Callable
from datetime import timedelta
from email import policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from fastapi import FastAPI

from app import portal as glue
from app import subject, website, workers
from app.stores import Search
from dispatch import atom
from normalize import Affected
from pii_guard.sought import Sought
from subscribers import Contact, links, proofs, registry
from tests import browser
from tests.app import instance
from tests.app.house import House, opened
from tests.triage.desk import draft
from tlp import Label
from triage import inbox
from web import portal_items, portal_report, sessions

FORTI = (Affected("Fortinet", "FortiOS", "vers:semver/<7.2.5"),)
BAKER: dict[str, Any] = {
    "name": "Bakkerij Brood", "address": "Info@brood.example", "kvk": "12345678", "size": "zzp", "section": "C",
    "codes": "10.71", "region": "NL-NB", "software": "Fortinet|FortiOS|7.2.3\nMicrosoft Exchange Server 2019",
    "digest": ["monday", "friday"], "urgency": "info", "language": "nl",
}  # fmt: skip


class Page(HTMLParser):
    """Forms of a page: action -> hidden fields; and all that a page loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            self.forms.append((found.get("action") or "", {}))
        if tag == "input" and found.get("type") == "hidden":
            self.forms[-1][1][found["name"] or ""] = found.get("value") or ""
        if tag in ("img", "script", "link", "iframe"):
            self.loads.append(found.get("src") or found.get("href") or tag)


class Browser:
    """Keeps cookies and follows redirections, over https as far as the application sees."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self.cookies = app, httpx.Cookies()

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            way = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=way, base_url="https://oktt.example", follow_redirects=True, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **content)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())

    def get(self, path: str, **content: Any) -> httpx.Response:
        return self.request("GET", path, **content)

    def head(self, path: str) -> httpx.Response:
        return self.request("HEAD", path)

    def post(self, path: str, **content: Any) -> httpx.Response:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, **content | {"headers": form | content.get("headers", {})})


class Visitor:
    """Somebody with a browser of his own, in front of an instance."""

    def __init__(self, house: House, other: "Visitor | None" = None) -> None:
        self.house = house
        self.texts: dict[str, tuple[str, ...] | None] = other.texts if other else {}
        self.app: FastAPI = other.app if other else website.application(house.service, self.texts.get)
        self.browser = Browser(self.app)

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path)

    def send(self, path: str, form: int = -1, **fields: Any) -> httpx.Response:
        """Open a page and send one of its forms (the last with that action), as a browser does."""
        page = Page(self.get(path).text)
        target = urlsplit(path).path
        hidden = [(action, given) for action, given in page.forms if action in ("", target)][form][1]
        return self.browser.post(path, data={**hidden, **fields})

    def mails(self) -> list[Any]:
        """What was sent by now, oldest first."""
        workers.dispatch(self.house.service)
        files = sorted(
            (self.house.service.settings.dir / "outbox").glob("*.eml"), key=lambda each: each.stat().st_mtime
        )
        return [email.message_from_bytes(each.read_bytes(), policy=policy.default) for each in files]

    def link(self, address: str) -> str:
        """Of the newest mail to somebody, the path behind its link."""
        (*_, mail) = [each for each in self.mails() if each["To"].lower() == address.lower()]
        found = re.search(r"http://\S+?(/portal/l/\S+)", mail.get_body(("plain",)).get_content())
        assert found is not None
        return found[1]

    def join(self, **more: Any) -> str:
        """Subscribe, whole: its id."""
        known = set(self.everybody())
        assert self.send("/portal/", **(BAKER | more)).status_code == 200
        path = self.link(more.get("address", BAKER["address"]))
        assert self.browser.post(path, data={}).url.path == "/portal/account"
        (made,) = set(self.everybody()) - known
        return made

    def everybody(self) -> list[str]:
        with self.house.service.reading() as connection:
            return [each.id for each in registry.every(connection)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return opened(tmp_path)


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house)


@pytest.fixture
def again(house: House, visitor: Visitor) -> Callable[[], Visitor]:
    """Somebody else, or the same one with another browser."""
    return lambda: Visitor(house, visitor)


def subscriber(house: House, name: str) -> Any:
    with house.service.reading() as connection:
        found = registry.get(connection, name)
    assert found is not None
    return found


def test_who_confirms_is_a_subscriber_with_what_was_filled_in(tmp_path: Path, url: str) -> None:
    house = opened(tmp_path, url)
    visitor = Visitor(house)
    answer = visitor.send("/portal/", **BAKER)
    assert "Kijk in uw mail" in answer.text
    assert visitor.everybody() == [], "nobody is anything before the link was opened and confirmed"
    path = visitor.link("info@brood.example")
    assert visitor.get(path).status_code == visitor.browser.head(path).status_code == 200
    assert visitor.everybody() == [], "a scanner follows links, and changes nothing"
    home = visitor.browser.post(path, data={})
    assert "Welkom" in home.text
    (name,) = visitor.everybody()
    one = subscriber(house, name)
    assert (one.name, one.language, one.clearance.highest, one.profile.kind) == (
        "Bakkerij Brood", "nl", Label.CLEAR, "company",
    )  # fmt: skip
    assert one.contacts == (Contact("email", address="Info@brood.example", digest=("monday", "friday")),)
    assert (one.profile.sectors, one.profile.size, one.profile.region) == (("SBI:C", "SBI:10.71"), "zzp", "NL-NB")
    assert [each.product for each in one.profile.software] == ["FortiOS", "Exchange Server"]
    assert not one.profile.verified
    assert visitor.browser.post(path, data={}).status_code == 404, "a link works once"
    with house.service.reading() as connection:
        (kept,) = connection.execute(sa.select(links.table)).all()
    assert kept.wanted == b"null", "what was filled in is the subscriber's now"
    house.subscribe("operator")  # an import of others leaves it alone, and its address finds it
    with house.service.reading() as connection:
        assert [each.id for each in registry.at_address(connection, "INFO@brood.example ")] == [name]


def test_what_was_not_confirmed_goes(house: House, visitor: Visitor) -> None:
    visitor.send("/portal/", **BAKER)
    path = visitor.link("info@brood.example")
    house.later(hours=47)
    assert glue.tidy(house.service) == 0
    assert visitor.get(path).status_code == 200
    house.later(hours=1)
    assert visitor.get(path).status_code == visitor.browser.post(path, data={}).status_code == 404
    assert glue.tidy(house.service) == 1
    database = b"".join(each.read_bytes() for each in house.service.settings.dir.glob("oktt.db*"))
    assert b"Bakkerij Brood" not in database.replace(b"\0", b"") or visitor.everybody() == []


def test_nobody_learns_whether_an_address_is_known(visitor: Visitor, again: Callable[[], Visitor]) -> None:
    visitor.join()
    stranger = again()
    for path, fields in (("/portal/", BAKER), ("/portal/login", {})):
        answers, told = [], []
        for address in ("info@brood.example", "niemand@elders.example"):
            before = len(stranger.mails())
            answers.append(stranger.send(path, **(fields | {"address": address})))
            mails = stranger.mails()
            assert len(mails) == before + 1
            told.append(mails[-1]["Subject"])
        assert answers[0].text == answers[1].text
        assert [each.status_code for each in answers] == [200, 200]
        assert told[0] == told[1]
    unknown = stranger.get(stranger.link("niemand@elders.example"))
    assert "niet aangemeld" in unknown.text, "who reads the mailbox may know"


def test_a_mailbox_is_not_filled(visitor: Visitor) -> None:
    answers = {visitor.send("/portal/login", address="veel@brood.example").text for _ in range(6)}
    assert len(answers) == 1
    assert len(visitor.mails()) == links.PER_HOUR
    visitor.house.later(minutes=61)
    visitor.send("/portal/login", address="veel@brood.example")
    assert len(visitor.mails()) == links.PER_HOUR + 1


def test_before_confirming_one_sees_what_one_would_have_got(house: House, visitor: Visitor) -> None:
    shown = house.item(draft("a", cves=("CVE-2026-0001",), affected=FORTI, title="Lek in FortiOS"))
    other = house.item(draft("b", cves=("CVE-2026-0002",), affected=(Affected("Cisco", "IOS"),), title="Lek in IOS"))
    amber = house.item(draft("c", cves=("CVE-2026-0003",), affected=FORTI, label=Label.AMBER, title="Geheim"), "market")
    for each in (shown, other, amber):
        house.decide("release", each)
    visitor.send("/portal/", **BAKER)
    page = visitor.get(visitor.link("info@brood.example")).text
    assert "Lek in FortiOS" in page
    assert shown in page
    assert "Lek in IOS" not in page
    assert "Geheim" not in page, "AMBER is not for who is cleared to CLEAR"
    assert amber not in page
    for digest in (["friday"], []):
        wanted = {"address": f"{len(digest)}@brood.example", "urgency": "today", "digest": digest}
        visitor.send("/portal/", **(BAKER | wanted))
        page = visitor.get(visitor.link(f"{len(digest)}@brood.example")).text
        assert (f"({shown}, in een overzicht)" in page) == bool(digest), "not urgent enough for a message"
    house.later(days=31)
    visitor.send("/portal/", **(BAKER | {"address": "later@brood.example"}))
    assert "Lek in FortiOS" not in visitor.get(visitor.link("later@brood.example")).text


def test_what_cannot_be_right_is_said_beside_its_field(visitor: Visitor) -> None:
    for field, value in (
        ("name", " "), ("address", "geen adres"), ("kvk", "1234567"), ("codes", "99.99"), ("software", "|"),
        ("software", "cpe:2.3:stuk"),
    ):  # fmt: skip
        answer = visitor.send("/portal/", **(BAKER | {field: value}))
        assert answer.status_code == 422
        assert re.findall('id="wrong-([a-z]+)"', answer.text) == [field]
        assert "Bakkerij Brood" in answer.text or field == "name", "what was right is still there"
    assert visitor.mails() == []


def test_a_link_logs_in_once_and_within_a_quarter(house: House, visitor: Visitor, again: Callable[[], Visitor]) -> None:
    name = visitor.join()
    other = again()
    assert other.get("/portal/account").url.path == "/portal/login"
    other.send("/portal/login", address="info@brood.example")
    path = other.link("info@brood.example")
    assert "Bakkerij Brood" in other.get(path).text
    assert again().browser.post(path.replace("/l/", "/l/A"), data={}).status_code == 404
    assert "Bakkerij Brood" in other.browser.post(path, data={}).text
    assert again().browser.post(path, data={}).status_code == 404
    cookie = next(each for each in other.browser.cookies.jar if each.name == sessions.COOKIE)
    assert cookie.secure
    assert {each.lower() for each in cookie._rest} >= {"httponly", "samesite"}  # type: ignore[attr-defined]
    other.send("/portal/login", address="info@brood.example")
    late = other.link("info@brood.example")
    house.later(minutes=16)
    assert other.browser.post(late, data={}).status_code == 404
    house.later(hours=8)
    assert other.get("/portal/account").url.path == "/portal/login"
    assert name in other.everybody()


def test_an_address_of_several_firms_chooses(house: House, visitor: Visitor) -> None:
    for name in ("kvk-1", "kvk-2"):
        house.subscribe(name, Contact("email", address="ict@leverancier.example"))
    visitor.send("/portal/login", address="ict@leverancier.example")
    path = visitor.link("ict@leverancier.example")
    assert visitor.browser.post(path, data={"subscriber": "kvk-9"}).url.path != "/portal/account"
    visitor.send("/portal/login", address="ict@leverancier.example")
    home = visitor.browser.post(visitor.link("ict@leverancier.example"), data={"subscriber": "kvk-2"})
    assert home.url.path == "/portal/account"
    assert "<h1>kvk-2</h1>" in home.text


def test_what_a_subscriber_says_goes_before_an_import(house: House, visitor: Visitor) -> None:
    house.subscribe("kvk-1", Contact("email", address="a@firma.example", digest=("monday",)), sectors=("SBI:10.71",))
    visitor.send("/portal/login", address="a@firma.example")
    visitor.browser.post(visitor.link("a@firma.example"), data={})
    page = visitor.get("/portal/profile").text
    assert 'value="10.71"' in page, "what the operator knows is filled in, to be looked at"
    changed: dict[str, Any] = {
               "size": "large", "codes": "25.62", "region": "NL-ZH", "urgency": "today", "digest": "friday",
               "language": "en", "from": "22:00", "to": "07:00", "kind": ["advisory", "exposure"],
               "products": "FortiOS", "software": "Fortinet|FortiOS|7.2.3"}  # fmt: skip
    assert "Saved" in visitor.send("/portal/profile", **changed).text
    house.subscribe("kvk-1", Contact("email", address="a@firma.example", digest=("monday",)), sectors=("SBI:47.11",))
    one = subscriber(house, "kvk-1")
    assert (one.profile.sectors, one.profile.size, one.profile.min_urgency) == (("SBI:25.62",), "large", "today")
    assert (one.language, one.contacts[0].digest, one.profile.region) == ("en", ("friday",), "NL-ZH")
    assert set(one.profile.opt_out) == {"report", "indicators", "news", "FortiOS"}
    assert one.profile.quiet is not None
    assert one.profile.quiet.start == "22:00"
    visitor.send("/portal/profile", **(changed | {"paused": "yes"}))
    paused = subscriber(house, "kvk-1")
    assert "exposure" in paused.profile.opt_out
    assert paused.contacts[0].digest == ()
    wrong = visitor.send("/portal/profile", **(changed | {"from": "25:00"}))
    assert wrong.status_code == 422
    assert 'id="wrong-quiet"' in wrong.text


def test_a_form_is_sent_once_and_from_our_own_page(visitor: Visitor, again: Callable[[], Visitor]) -> None:
    visitor.join()
    page = Page(visitor.get("/portal/account").text)
    token = next(given["token"] for action, given in page.forms if action == "/portal/confirmed")
    post = visitor.browser.post
    assert post("/portal/confirmed", data={"token": token}).status_code == 200
    assert post("/portal/confirmed", data={"token": token}).status_code == 409
    assert post("/portal/confirmed", data={"token": "x" + token[1:]}).status_code == 409
    assert post("/portal/confirmed", data={}).status_code == 409
    stranger = again()
    foreign = Page(stranger.get("/portal/").text).forms[0][1]["token"]
    assert post("/portal/confirmed", data={"token": foreign}).status_code == 409, "a token of nobody's page"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Content-Type": "text/plain"}):
        fresh = next(
            given["token"]
            for action, given in Page(visitor.get("/portal/account").text).forms
            if action == "/portal/confirmed"
        )
        assert post("/portal/confirmed", content=f"token={fresh}", headers=headers).status_code == 403


def test_who_asks_too_often_waits(house: House, visitor: Visitor) -> None:
    visitor.send("/portal/", **BAKER)
    path = visitor.link("info@brood.example")
    answers = [visitor.get(path) for _ in range(31)]
    assert [each.status_code for each in answers] == [200] * 30 + [429], "what is behind a link costs work"
    assert int(answers[-1].headers["retry-after"]) <= 60
    house.later(minutes=1)
    assert visitor.get(path).status_code == 200


def test_pages_are_plain_and_a_get_changes_nothing(house: House, visitor: Visitor) -> None:
    visitor.join()
    item = house.item(draft("a", cves=("CVE-2026-0001",), affected=FORTI, title="Lek in FortiOS"))
    house.decide("release", item)
    engine = house.service.engine
    tables = [table for table in sa.inspect(engine).get_table_names() if table not in ("alembic_version",)]

    def rows() -> dict[str, int]:
        with engine.connect() as conn:
            return {each: conn.execute(sa.text(f"select count(*) from {each}")).scalar_one() for each in tables}

    before = rows()
    for path in (
        "account", "profile", "contact", "software", "proofs", "factor", "delete", "report", "login", "berichten/",
        f"berichten/{item}", "",
    ):  # fmt: skip
        for tongue in ("nl", "en"):
            page = visitor.browser.get(f"/portal/{path}", headers={"Accept-Language": tongue})
            assert page.status_code == 200, path
            found = Page(page.text)
            assert not found.loads, path
            assert "script" not in found.tags
            assert "built-in" not in page.text, "a word that is missing, and has a meaning in Python"
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert page.headers["cache-control"] == "no-store"
    assert rows() == before


def test_who_deletes_the_account_is_gone(house: House, visitor: Visitor, again: Callable[[], Visitor]) -> None:
    name = visitor.join()
    other = again()
    other.send("/portal/login", address="info@brood.example")
    other.browser.post(other.link("info@brood.example"), data={})
    assert "gewist" in visitor.send("/portal/delete").text
    assert name not in visitor.everybody()
    assert other.get("/portal/account").url.path == "/portal/login", "other browsers are out too"
    with house.service.reading() as connection:
        assert registry.at_address(connection, "info@brood.example") == []


def test_everybody_reads_what_is_clear_for_as_long_as_it_is(house: House, visitor: Visitor) -> None:
    item = house.item(draft("a", cves=("CVE-2026-0001",), affected=FORTI, title="Lek in FortiOS"))
    amber = house.item(draft("c", cves=("CVE-2026-0003",), affected=FORTI, label=Label.AMBER, title="Geheim"), "market")
    for each in (item, amber):
        house.decide("release", each)
    assert visitor.get("/").url.path == "/portal/"
    listed = visitor.get("/portal/berichten/").text
    assert f"/portal/berichten/{item}" in listed
    assert amber not in listed
    page = visitor.get(f"/portal/berichten/{item}").text
    assert "Lek in FortiOS" in page
    assert "CVE-2026-0001" in page
    assert page.count("<li>") >= 5, "the course of action of a firm"
    assert f"https://oktt.example/portal/berichten/{item}" in visitor.get("/feed.atom").text or (
        f"/portal/berichten/{item}" in visitor.get("/feed.atom").text
    )
    for unknown in (amber, "OKTT-2026-9999", "%00", "../berichten"):
        assert visitor.get(f"/portal/berichten/{unknown}").status_code in (404, 200 if ".." in unknown else 404)
    empty = {"title": "", "summary": "", "categories": b"[]", "statements": b"[]", "withdrawn": True, "item_version": 1}
    newer = [{"item": f"OKTT-2026-1{number:03d}"} for number in range(portal_items.SHOWN)]
    at = {"published_at": house.now, "updated_at": house.now + timedelta(minutes=1)}
    assert "?after=" not in listed
    with house.service.transaction() as connection:
        connection.execute(atom.entries.insert(), [each | empty | at for each in newer])
    listed = visitor.get("/portal/berichten/").text
    assert f"/portal/berichten/{item}" not in listed, "it holds so many"
    (older,) = re.findall(r'href="(/portal/berichten/\?after=[^"]+)"', listed)
    assert f"/portal/berichten/{item}" in visitor.get(older).text, "and leads to all others"
    assert visitor.get("/portal/berichten/?after=%00").status_code == 200
    house.decide("withdraw", item)
    gone = visitor.get(f"/portal/berichten/{item}")
    assert gone.status_code == 410
    assert "FortiOS" not in gone.text
    assert item not in visitor.get("/portal/berichten/").text


def test_what_is_handed_in_lies_with_the_analysts(house: House, visitor: Visitor) -> None:
    visitor.join()
    wrong = visitor.send("/portal/report", kind="phishing", title="Nepmail", seen="geen adres")
    assert wrong.status_code == 422
    text = "Wij kregen een mail met een nagemaakte inlogpagina."
    answer = visitor.send(
        "/portal/report",
        kind="phishing",
        title="Nepmail van de bank",
        text=text,
        seen="hxxps://bank[.]example/in\n203.0.113.9",
    )
    assert answer.status_code == 200, answer.text
    assert "ligt bij onze analisten" in answer.text
    assert "bank" not in answer.text, "the status holds no value"
    with house.service.reading() as connection:
        (row,) = connection.execute(sa.select(inbox.items)).all()
    assert row.kind == "report"
    with house.service.reading() as connection:
        whole = inbox.load(connection, house.service.guard, row.id)
    assert {each.label for each in whole.statements} == {Label.AMBER}
    assert visitor.get(answer.url.path).status_code == 200
    assert Visitor(house, visitor).get(answer.url.path).url.path == "/portal/login"


@pytest.mark.parametrize(
    ("line", "made"),
    [("hxxp://a[.]example/x", "[url:value = 'http://a.example/x']"),
     ("198.51.100[.]7", "[ipv4-addr:value = '198.51.100.7']"),
     ("2001:DB8::1", "[ipv6-addr:value = '2001:db8::1']"), ("Boef.Example", "[domain-name:value = 'boef.example']"),
     ("D41D8CD98F00B204E9800998ECF8427E", "[file:hashes.'MD5' = 'd41d8cd98f00b204e9800998ecf8427e']"),
     ("a'b@boef.example", "[email-addr:value = 'a\\'b@boef.example']"), ("zomaar tekst", None), ("", None)],
)  # fmt: skip
def test_lines_are_patterns(line: str, made: str | None) -> None:
    assert portal_report.pattern(line) == made


def test_a_domain_counts_once_it_is_proven(house: House, visitor: Visitor) -> None:
    name = visitor.join()
    assert "Nog bewijzen" not in visitor.get("/portal/proofs").text
    for what in ("Brood.example", "192.0.2.0/24", "AS64500"):
        assert visitor.send("/portal/proofs", what=what, act="add").status_code == 200
    assert visitor.send("/portal/proofs", what="co.uk", act="add").status_code == 422
    one = subscriber(house, name)
    assert not one.profile.verified
    assert one.profile.domains == ("brood.example",), (
        "as long as nothing is proven an analyst sees whom it could concern"
    )
    key = house.service.keys.derive("proofs")
    record, wanted = "_oktt-challenge.brood.example", proofs.text(key, name, "brood.example")
    assert record in (page := visitor.get("/portal/proofs").text)
    assert wanted in page
    visitor.texts[record] = ("v=spf1 -all",)
    assert "staat er nog niet" in visitor.send("/portal/proofs", form=0, act="check", what="brood.example").text
    visitor.texts[record] = ("v=spf1 -all", wanted)
    assert "Gevonden" in visitor.send("/portal/proofs", form=0, act="check", what="brood.example").text
    one = subscriber(house, name)
    assert one.profile.verified
    assert (one.profile.domains, one.profile.networks) == (("brood.example",), ()), "each by itself"
    assert proofs.text(key, "another", "brood.example") != wanted
    house.later(days=366)
    assert glue.recheck(house.service, visitor.texts.get) == 1
    assert subscriber(house, name).profile.verified
    del visitor.texts[record]
    house.later(days=366)
    assert glue.recheck(house.service, visitor.texts.get) == 1
    assert subscriber(house, name).profile.verified, "a month's patience"
    house.later(days=31)
    assert glue.recheck(house.service, visitor.texts.get) == 1
    assert not subscriber(house, name).profile.verified


def test_second_factor(house: House, visitor: Visitor, again: Callable[[], Visitor]) -> None:
    visitor.join()
    page = visitor.get("/portal/factor")
    found = re.search("<code>([A-Z2-7]{32})</code>", page.text)
    assert found is not None
    app = TOTP(base64.b32decode(found[1]), 6, SHA1(), 30)

    def code() -> str:
        return app.generate(int(house.now.timestamp())).decode()

    sealed = Page(page.text).forms[-1][1]
    assert visitor.browser.post("/portal/factor", data={**sealed, "code": "000000"}).status_code == 422
    sealed = Page(visitor.get("/portal/factor").text).forms[-1][1] | {"sealed": sealed["sealed"]}
    paper = visitor.browser.post("/portal/factor", data={**sealed, "code": code()})
    codes = re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", paper.text)
    assert len(codes) == 8

    def login() -> Visitor:
        other = again()
        house.later(hours=1)
        other.send("/portal/login", address="info@brood.example")
        assert other.browser.post(other.link("info@brood.example"), data={}).url.path == "/portal/second"
        assert other.get("/portal/account").url.path in ("/portal/second", "/portal/login")
        return other

    assert login().send("/portal/second", code=code()).url.path == "/portal/account"
    other = login()
    assert other.send("/portal/second", code=codes[0]).url.path == "/portal/account"
    assert login().send("/portal/second", code=codes[0]).status_code == 422, "each once"
    other = login()
    for _ in range(5):
        assert other.send("/portal/second", code="123456").status_code == 422
    assert other.send("/portal/second", code=code()).status_code == 422, "after five wrong ones a wait"
    house.later(minutes=16)
    assert other.send("/portal/second", code=code()).url.path == "/portal/account"


def test_an_analyst_takes_what_dns_cannot_show(tmp_path: Path) -> None:
    folder = instance.make(tmp_path / "instance", people=[instance.person("metaal", verified=False)])
    verify = "subscribers", "verify", "kvk-metaal"
    ran = instance.done(
        folder, *verify, "--network", "AS64500", "--network", "198.51.100.0/25", "--by", "anna", "--json"
    )
    assert [(row["what"], row["by"], row["old"]) for row in ran.rows] == [
        ("AS64500", "anna", False), ("198.51.100.0/25", "anna", False),
    ]  # fmt: skip
    shown = instance.done(folder, "subscribers", "show", "kvk-metaal", "--json").row
    assert (shown["profile"]["networks"], shown["profile"]["verified"]) == (["AS64500", "198.51.100.0/25"], True)
    later = instance.done(folder, *verify, "--json", now="2027-03-04T08:00:00Z")
    assert [row["old"] for row in later.rows] == [True, True]
    instance.done(folder, *verify, "--network", "AS64500", "--withdraw", "--by", "anna")
    shown = instance.done(folder, "subscribers", "show", "kvk-metaal", "--json").row
    assert shown["profile"]["networks"] == ["198.51.100.0/25"]
    assert instance.oktt(folder, *verify, "--network", "AS64500").code == 2
    assert instance.oktt(folder, *verify, "--domain", "co.uk", "--by", "anna").code == 1
    assert instance.oktt(folder, *verify[:2], "niemand").code == 1


def test_what_was_typed_is_found_and_erased(house: House, visitor: Visitor) -> None:
    visitor.send("/portal/", **BAKER)
    sought = Sought("email", "info@brood.example")
    with house.service.reading() as connection:
        found = list(Search(house.service, sought).places(connection))
    assert "portal" in {each["store"] for each in found}
    assert subject.erase(house.service, sought).counts["portal"] == 1
    assert visitor.mails() == [], "nor does a mail go out any more"


@pytest.mark.skipif(not browser.WANTED, reason="Chromium is not installed (make services)")
def test_every_page_is_fit_for_a_telephone_and_for_everybody(house: House, visitor: Visitor) -> None:
    """axe (WCAG 2.2 A and AA) and no sideways scrolling at 320 px; half of them light, half dark."""
    item = house.item(draft("a", cves=("CVE-2026-0001",), affected=FORTI, title="Lek in FortiOS"))
    house.decide("release", item)
    pages = {"join": visitor.get("/portal/"), "wrong": visitor.send("/portal/", **(BAKER | {"name": ""}))}
    pages["sent"] = visitor.send("/portal/", **BAKER)
    pages["confirm"] = visitor.get(path := visitor.link("info@brood.example"))
    pages["welcome"] = visitor.browser.post(path, data={})
    for what in ("brood.example", "AS64500"):
        pages["added"] = visitor.send("/portal/proofs", what=what, act="add")
    for name in (
        "profile", "contact", "software", "factor", "report", "delete", "login", "berichten/", f"berichten/{item}",
    ):  # fmt: skip
        pages[name] = visitor.get(f"/portal/{name}")
    with browser.chromium() as running:
        found = {}
        for dark in (False, True):
            with browser.window(running, width=320, dark=dark) as page:
                for name, answer in list(pages.items())[dark::2]:
                    page.set_content(answer.text)
                    found[name] = browser.faults(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_each_page_is_there_in_the_other_language_for_as_long_as_one_wants(house: House, visitor: Visitor) -> None:
    for path in ("/portal/", "/portal/login", "/portal/berichten/", "/verify", "/portal/l/niets", "/taxii2/"):
        reader = Visitor(house, visitor).browser
        html = {"Accept": "text/html"}
        page = reader.get(path, headers=html)
        assert '<html lang="nl">' in page.text, path
        other = re.search(r'href="([^"]*)\?lang=en"', page.text)
        assert other is not None, path
        assert '<html lang="en">' in reader.get(f"{other[1] or path}?lang=en", headers=html).text, path
        assert '<html lang="en">' in reader.get(path, headers=html).text, path
        assert '<html lang="nl">' in reader.get(f"{path}?lang=nl", headers=html).text, path
    assert '<html lang="nl">' in visitor.get("/portal/?lang=xx").text
    name = visitor.join(language="en")
    assert '<html lang="en">' in visitor.get("/portal/account").text, "its own, as long as it chose none"
    assert "Welkom" in visitor.get("/portal/account?welcome&lang=nl").text
    assert 'value="en" selected' in visitor.get("/portal/profile").text, "messages stay in the language of the profile"
    assert '<html lang="nl">' in visitor.send("/portal/proofs", what="geen domein", act="add").text
    assert subscriber(house, name).language == "en"
