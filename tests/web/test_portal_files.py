"""Files that a subscriber hands in: lists of its software, and suspicious mail. Nothing of them is kept unseen."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.messages import MessageError
from tests.app.house import House, opened
from tests.web.test_portal import Page, Visitor, subscriber
from triage import inbox
from web import forms, portal_frame, portal_mail, portal_software

SBOM = json.dumps(
    {
        "bomFormat": "CycloneDX", "specVersion": "1.5",
        "metadata": {"authors": [{"name": "Jan Jansen"}]},
        "components": [
            {"type": "application", "name": "FortiOS", "version": "7.2.3", "supplier": {"name": "Fortinet"}},
            {"type": "library", "name": "django", "version": "4.2.1", "purl": "pkg:pypi/django@4.2.1"},
        ],
    }
).encode()  # fmt: skip
MAIL = b"""\
From: "Uw Bank" <bank@boef.example>
To: jan@brood.example
Subject: =?utf-8?q?Uw_pas_is_geblokkeerd?=
Message-ID: <1@boef.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Klik <a href="https://bank.boef.example/in?x=1">hier</a>.</p><script>alert(1)</script>
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="factuur.exe"
Content-Transfer-Encoding: base64

TVqQ
--b--
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return opened(tmp_path)


@pytest.fixture
def visitor(house: House) -> Visitor:
    made = Visitor(house)
    made.join()
    return made


def give(visitor: Visitor, path: str, content: bytes, name: str = "") -> str:
    """A file, as a browser sends it; the page that follows."""
    files = {"name": (None, name), "file": ("bestand", content)}
    answer = visitor.browser.request("POST", path, files=files)
    return str(answer.text)


def listed(house: House, visitor: Visitor) -> dict[str, list[str]]:
    (name,) = visitor.everybody()
    return {each.name: [one.product for one in each.software] for each in subscriber(house, name).inventories}


def test_a_list_is_kept_when_its_owner_has_seen_it(house: House, visitor: Visitor) -> None:
    before = listed(house, visitor)
    page = give(visitor, "/portal/software/read", SBOM, "server-1")
    assert "Fortinet|FortiOS|7.2.3" in page
    assert "Jansen" not in page
    assert listed(house, visitor) == before, "nothing is kept yet"
    (form,) = Page(page).forms
    kept = {**form[1], "act": "keep"}
    assert "bewaard" in visitor.browser.post("/portal/software", data=kept).text
    assert listed(house, visitor)["server-1"] == ["FortiOS", "django"]
    assert visitor.browser.post("/portal/software", data=kept).status_code == 409, "once"

    page = give(visitor, "/portal/software/read", b"vendor;product;version\nFortinet;FortiOS;7.4.1\n", "kantoor")
    other = Visitor(house, visitor)
    other.join(address="ander@elders.example", kvk="")
    stolen = {**Page(other.get("/portal/software").text).forms[-1][1], **Page(page).forms[0][1], "act": "keep"}
    assert other.browser.post("/portal/software", data=stolen).status_code == 409, "it is another's form"
    page = give(
        visitor, "/portal/software/read", SBOM.replace(b"7.2.3", b"7.4.1").replace(b"django", b"flask"), "server-1"
    )
    assert "1 nieuw, 1 met een andere versie, 1 weg" in page
    assert "weg" in visitor.send("/portal/software", form=0, act="forget", name="server-1").text


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"{}", "", "give CycloneDX"),
        (b"", "", "line 1"),
        (b"a;b\n", "x" * 41, "short name"),
        (SBOM, "hand", "short name"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(visitor: Visitor, content: bytes, name: str, told: str) -> None:
    page = give(visitor, "/portal/software/read", content, name)
    assert 'id="wrong-file"' in page
    assert told in page


def test_too_much_and_a_stranger_s(house: House, visitor: Visitor) -> None:
    large = visitor.browser.request("POST", "/portal/software/read", files={"file": b"x" * (portal_software.MOST + 1)})
    assert large.status_code == 413
    stranger = Visitor(house, visitor).browser.request("POST", "/portal/software/read", files={"file": SBOM})
    assert stranger.url.path == "/portal/login"


def test_a_mail_fills_in_the_form_that_hands_it_in(house: House, visitor: Visitor) -> None:
    page = give(visitor, "/portal/report/mail", MAIL)
    for wanted in ("Uw pas is geblokkeerd", "Klik hier", "bank@boef.example", "https://bank.boef.example/in?x=1"):
        assert wanted in page
    assert "alert" not in page
    assert "jan@brood.example" not in page, "whom it went to is nobody's concern"
    title, text, seen = portal_mail.read(MAIL)
    assert len(seen) == 3
    with house.service.reading() as connection:
        assert connection.execute(sa.select(inbox.items)).all() == [], "nothing is handed in yet"
    form = next(given for action, given in Page(page).forms if action == "/portal/report")
    said = {**form, "kind": "phishing", "title": title, "text": text, "seen": "\n".join(seen)}
    assert "ligt bij onze analisten" in visitor.browser.post("/portal/report", data=said).text
    for end in range(0, len(MAIL), 9):  # cut off, it is read as far as it goes, or is no mail
        with suppress(MessageError):
            portal_mail.read(MAIL[:end])
    assert 'id="wrong-mail"' in give(visitor, "/portal/report/mail", b"\x89PNG\r\n\x1a\n")


def test_one_mail_at_a_time_and_no_bomb(visitor: Visitor) -> None:
    path = "/portal/report/mail"
    assert 'id="wrong-mail"' in give(visitor, path, MAIL.replace(b"--b--", b"--b\n\n" * 1000)), "it has too many parts"
    with portal_frame.ALONE:
        assert visitor.browser.request("POST", path, files={"file": MAIL}).status_code == 429
    assert visitor.browser.request("POST", path, files={"file": MAIL}).status_code == 200
    assert visitor.browser.request("POST", path, files={"file": b"x" * (2 << 20)}).status_code == 413


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=1" + b"&a=1" * 100, "application/x-www-form-urlencoded"),
        (b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b"),
        (b"--b\r\nContent-Disposition: form-data", "multipart/form-data; boundary=b"),
        (b"x", "multipart/form-data"),
    ],
)
def test_what_is_no_form_is_none(body: bytes, kind: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        forms.read(body, kind)
