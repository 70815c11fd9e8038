"""`make pictures`: docs/notification.png and docs/pictures/*.png, of the demo's own mails and of pages, in Chromium.

Looked at by whoever makes them anew: they show what a reader sees first.
"""

import base64
import email
import email.policy
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from app import digests, workers
from app.demo import SHOWN
from app.service import open_service
from normalize import Observable
from tests.app import test_passing_on as passing
from tests.app.house import House
from tests.app.instance import copied
from tests.browser import CHROMIUM, chromium, window
from tests.triage.desk import draft
from tests.web.test_portal import BAKER, Visitor
from tlp import Label
from web import html

DOCS = Path(__file__).parents[1] / "docs"
PHONE, DESK, TALL = (320, 640), (1000, 760), (600, 1500)
STEPS = {"zzp": 3, "mkb": 5, "mature": 8}
MAILS = (
    # name, subject, register (its number of steps; empty: any), size, dark
    ("zzp", r"\[TER INFO\]", "zzp", PHONE, False),
    ("mkb", r"\[VANDAAG\] Exchange", "mkb", PHONE, False),
    ("mkb-dark", r"\[DEZE WEEK\]", "mkb", PHONE, True),
    ("exposure", r"TLP:AMBER .*extern bureaublad", "mkb", PHONE, False),
    ("mature", r"\[VANDAAG\] Ivanti", "mature", DESK, False),
    ("several", r"\[VANDAAG\] 2 meldingen", "mkb", TALL, False),
    ("update", r"\[UPDATE\]", "mkb", PHONE, False),
    ("withdrawal", r"\[INGETROKKEN\]", "", PHONE, False),
    ("monday", r"Start van de week.*open bij u", "", PHONE, False),
    ("friday", r"NCSC deze week: \d+ nieuw,", "", DESK, False),
)


def main(outbox: Path) -> None:
    """Take them all. Exits with what is missing."""
    if not CHROMIUM:
        sys.exit("Chromium is not installed: apt-get install chromium")
    mails = sorted(_mails(outbox))
    (DOCS / "pictures").mkdir(exist_ok=True)
    editions = list(_partnership())
    pages = list(_portal(outbox.parent))  # before Chromium: each has an event loop of its own
    with chromium() as browser:
        for name, subject, register, size, dark in MAILS:
            _take(
                browser, _one(mails, subject, register, outbox), DOCS / "pictures" / f"mail-{name}.png", size, dark=dark
            )
        metal = [each for each in mails if each[1] == SHOWN]
        _take(browser, _one(metal, *MAILS[1][1:3], outbox), DOCS / "notification.png", (640, 800))
        ask = html.page("verify", "nl", title="OKTT", answer="ask", number="", day="")
        told: dict[str, Any] = {"number": "OKTT-2026-0019", "day": "vrijdag 6 maart 2026"}
        known = html.page("verify", "nl", title="OKTT", answer="yes", **told)
        for name, answer in (("ask", ask), ("yes", known)):
            _take(browser, bytes(answer.body).decode(), DOCS / "pictures" / f"verify-{name}.png", PHONE)
        for name, page in editions:
            size = TALL if name == "mail-partnership" else PHONE
            _take(browser, page, DOCS / "pictures" / f"{name}.png", size)
        for name, page in pages:
            _take(browser, page, DOCS / "pictures" / f"portal-{name}.png", PHONE, dark=name == "proofs")


def _portal(demo: Path) -> Iterator[tuple[str, str]]:
    """Pages of the portal, as somebody sees them who subscribes on the demo's Friday; in a copy of it."""
    with TemporaryDirectory() as home:
        house = House(open_service(copied(demo, Path(home) / "demo")), datetime(2026, 3, 6, 12, tzinfo=UTC))
        house.service.clock = lambda: house.now
        visitor = Visitor(house)
        yield "join", visitor.get("/portal/").text
        visitor.send("/portal/", **BAKER)
        path = visitor.link(BAKER["address"])
        yield "confirm", visitor.get(path).text
        yield "welcome", visitor.browser.post(path, data={}).text
        yield "proofs", visitor.send("/portal/proofs", what="brood.example", act="add").text
        for name in ("profile", "contact", "software", "factor"):
            yield name, visitor.get(f"/portal/{name}").text
        house.service.close()


def _partnership() -> Iterator[tuple[str, str]]:
    """A partnership's Monday after four weeks, the version for its members, and where they say that they read it."""
    with TemporaryDirectory() as home:
        house = passing.partnership(Path(home))
        for week, (news, exposed) in enumerate(((4, 12), (2, 11), (5, 12), (3, 10))):
            for number in range(news):
                grave = ("high", "high") if number == 1 else ("low", "high" if number == 2 else "low")
                passing.release(house, f"{week}{number:03}", kans=grave[0], schade=grave[1])
            rows = tuple(Observable("ipv4", f"198.51.100.{n}", "victim", port=3389, own=True) for n in range(exposed))
            seen = draft(f"{week}", "exposure", Label.AMBER, exposure="open-rdp", observables=rows)
            house.decide("release", house.item(seen, source="shadowserver"))
            workers.dispatch(house.service, now=True)
            house.later(hours=1)
            digests.build(house.service, "monday", passing.MONDAY + timedelta(days=7 * week))
            workers.dispatch(house.service)
            house.later(days=7, hours=-1)
        (mail,) = passing.mails(house, "23 maart").values()
        (version,) = mail.iter_attachments()
        yield "mail-partnership", _shown(mail)
        yield "mail-forward", _shown(version.get_content())
        yield "forward", passing.Visitors(house).visit(passing.address(mail)).text
        house.service.close()


def _shown(mail: EmailMessage) -> str:
    """HTML with its pictures in it."""
    body = mail.get_body(("html",))
    assert body is not None
    page = str(body.get_content())
    for part in mail.walk():
        if part.get_content_type() == "image/png":
            data = base64.b64encode(part.get_content()).decode()
            page = page.replace("cid:" + part["Content-ID"].strip("<>"), f"data:image/png;base64,{data}")
    return page


def _mails(outbox: Path) -> Iterator[tuple[str, str, str]]:
    """Subject, to whom, and HTML, of what is not encrypted."""
    for file in outbox.glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("html",))
        if body is not None:
            yield mail["subject"], mail["to"], body.get_content()


def _one(mails: list[tuple[str, str, str]], subject: str, register: str, outbox: Path) -> str:
    for title, _, page in mails:
        listed = re.search(r'<ol class="steps">(.*?)</ol>', page, re.DOTALL)
        steps = listed[1].count("<li>") if listed else 0
        if re.search(subject, title) and (not register or steps == STEPS[register]):
            return page
    sys.exit(f"{outbox}: no mail with subject {subject} for {register or 'anybody'}: `make demo` makes them")


def _take(browser: Browser, page: str, file: Path, size: tuple[int, int], *, dark: bool = False) -> None:
    with window(browser, width=size[0], height=size[1], dark=dark) as shown:
        shown.set_content(page)
        shown.screenshot(path=file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
