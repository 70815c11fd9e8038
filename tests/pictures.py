"""`make pictures`: docs/notification.png and docs/pictures/*.png, of the demo's own mails and of pages, in Chromium.

Looked at by whoever makes them anew: they show what a reader sees first.
"""

import email
import email.policy
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from app.service import open_service
from tests.app.house import House
from tests.app.instance import copied
from tests.browser import CHROMIUM, chromium, window
from tests.web.test_portal import BAKER, Visitor
from web import html

DOCS = Path(__file__).parents[1] / "docs"
PHONE, DESK = (320, 640), (1000, 760)
STEPS = {"zzp": 3, "mkb": 5, "mature": 8}
MAILS = (
    # name, subject, register (its number of steps; empty: any), size, dark
    ("zzp", r"\[TER INFO\]", "zzp", PHONE, False),
    ("mkb", r"\[VANDAAG\] FortiGate", "mkb", PHONE, False),
    ("mkb-dark", r"\[DEZE WEEK\]", "mkb", PHONE, True),
    ("exposure", r"TLP:AMBER .*extern bureaublad", "mkb", PHONE, False),
    ("mature", r"\[VANDAAG\] Ivanti", "mature", DESK, False),
    ("update", r"\[UPDATE\]", "mkb", PHONE, False),
    ("withdrawal", r"\[INGETROKKEN\]", "", PHONE, False),
    ("monday", r"Start van de week.*open bij u", "", PHONE, False),
    ("friday", r"NCSC deze week", "", DESK, False),
)


def main(outbox: Path) -> None:
    """Take them all. Exits with what is missing."""
    if not CHROMIUM:
        sys.exit("Chromium is not installed: apt-get install chromium")
    mails = sorted(_mails(outbox))
    (DOCS / "pictures").mkdir(exist_ok=True)
    pages = list(_portal(outbox.parent))  # before Chromium: each has an event loop of its own
    with chromium() as browser:
        for name, subject, register, size, dark in MAILS:
            _take(
                browser, _one(mails, subject, register, outbox), DOCS / "pictures" / f"mail-{name}.png", size, dark=dark
            )
        _take(browser, _one(mails, *MAILS[1][1:3], outbox), DOCS / "notification.png", (640, 800))
        ask = html.page("verify", "nl", title="OKTT", answer="ask", number="", day="")
        told: dict[str, Any] = {"number": "OKTT-2026-0019", "day": "vrijdag 6 maart 2026"}
        known = html.page("verify", "nl", title="OKTT", answer="yes", **told)
        for name, answer in (("ask", ask), ("yes", known)):
            _take(browser, bytes(answer.body).decode(), DOCS / "pictures" / f"verify-{name}.png", PHONE)
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
