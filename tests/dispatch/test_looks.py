"""Every kind of mail as people see it, in Chromium: narrow and wide, light and dark. And what a spam filter finds."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dispatch import Delivery
from dispatch.attachments import attachments
from dispatch.mail import Sender, build, enclosed
from dispatch.render import Rendered
from tests.browser import WANTED, chromium, colours, faults, overflow, window
from tests.dispatch.looks import ALERTS, mails
from tests.dispatch.views import NOW

PHONE = 640
SPAMASSASSIN = shutil.which("spamassassin") or os.environ.get("CI") == "true"
SENDER = Sender("meldingen@oktt.example")


@pytest.fixture(scope="module")
def found() -> dict[str, Rendered]:
    return mails()


@pytest.mark.skipif(not WANTED, reason="Chromium is not installed: apt-get install chromium")
def test_mails_in_a_browser(found: dict[str, Rendered]) -> None:
    with chromium() as browser, window(browser, width=320, height=PHONE) as page:
        for number, (name, mail) in enumerate(found.items()):
            page.set_viewport_size({"width": 320, "height": PHONE})
            page.emulate_media(color_scheme="dark" if number % 2 else "light")
            page.set_content(mail.html.replace('src="cid:', 'src="data:,'))
            assert faults(page) == [], name
            if name in ALERTS:
                # About us, how bad, by when, what do I do: no scrolling before the first step.
                for part in (".share", ".band", ".why", ".steps li"):
                    box = page.locator(part).first.bounding_box()
                    assert box is not None
                    assert box["y"] + min(box["height"], 40) <= PHONE, (name, part)
            page.emulate_media(color_scheme="light" if number % 2 else "dark")
            assert colours(page) == [], name
            page.set_viewport_size({"width": 1280, "height": 900})
            assert overflow(page) == [], name


@pytest.mark.skipif(not SPAMASSASSIN, reason="SpamAssassin is not installed: apt-get install spamassassin")
def test_spam_filters_find_nothing(found: dict[str, Rendered], tmp_path: Path) -> None:
    delivery = Delivery("d" * 32, "alert", "OKTT-2026-0412", 1, "kvk-12345678", 0, "sending", NOW, NOW)
    files = {name: attachments(ALERTS["mature"]) for name in ("mature", "english")}
    files["partnership"] = (enclosed(delivery, found["for members"], sender=SENDER),)
    built = [
        build(delivery, each, sender=SENDER, recipient="a@b.example", attachments=files.get(name, ()))
        for name, each in found.items()
    ]
    box = b"".join(
        b"From x@y.example Mon Mar  2 08:00:00 2026\n" + mail.replace(b"\r\n", b"\n") + b"\n" for mail in built
    )
    done = subprocess.run(
        ["spamassassin", "--local", "--test-mode", "--mbox"],
        input=box,
        capture_output=True,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=300,
        check=True,
    )
    said = done.stdout.split(b"Content analysis details:")[1:]
    assert len(said) == len(found)
    for name, each in zip(found, said, strict=True):
        scored = re.findall(rb"(?m)^ *(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ", each)
        assert {rule for points, rule in scored if points not in (b"0.0", b"-0.0")} == set(), name
        assert b"HTML_MESSAGE" in {rule for _, rule in scored}, "it was looked at"
