"""Mails as people see them, in Chromium: one of each register, narrow and wide, light and dark. And spam filters."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dispatch import Delivery, View
from dispatch.attachments import attachments
from dispatch.mail import Sender, build
from tests.browser import WANTED, chromium, faults, overflow, window
from tests.dispatch.test_render import message
from tests.dispatch.views import NOW, a_report, a_view, an_exposure
from triage.catalogue import Register

MAILS: dict[Register, View] = {"zzp": an_exposure(40), "mkb": a_view(), "mature": a_report()}
PHONE = 640
SPAMASSASSIN = shutil.which("spamassassin") or os.environ.get("CI") == "true"
ANSWER = "https://oktt.example/a/token"


@pytest.mark.skipif(not WANTED, reason="Chromium is not installed: apt-get install chromium")
def test_mails_in_a_browser() -> None:
    found: dict[str, str] = {
        register: message(view, register, attached=register == "mature", answer=ANSWER).html
        for register, view in MAILS.items()
    }
    found["update"] = message(a_view(), "mkb", kind="update", changes=("Aanvallers gebruiken dit nu.",), since=NOW).html
    found["withdrawal"] = message(a_view(), "mkb", kind="withdrawal").html
    with chromium() as browser, window(browser, width=320, height=PHONE) as page:
        for name, html in found.items():
            page.set_viewport_size({"width": 320, "height": PHONE})
            page.emulate_media(color_scheme="dark" if name == "mkb" else "light")
            page.set_content(html)
            assert (faults if name in MAILS else overflow)(page) == [], name
            if name in MAILS:
                # About us, how bad, by when, what do I do: no scrolling before the first step.
                for part in (".share", ".band", ".why", ".steps li"):
                    box = page.locator(part).first.bounding_box()
                    assert box is not None
                    assert box["y"] + min(box["height"], 40) <= PHONE, (name, part)
            page.set_viewport_size({"width": 1280, "height": 900})
            assert overflow(page) == [], name


@pytest.mark.skipif(not SPAMASSASSIN, reason="SpamAssassin is not installed: apt-get install spamassassin")
def test_spam_filters_find_nothing(tmp_path: Path) -> None:
    delivery = Delivery("d" * 32, "alert", "OKTT-2026-0412", 1, "kvk-12345678", 0, "sending", NOW, NOW)
    said = [message(a_view(), kind="update", changes=("Aanvallers gebruiken dit nu.",), since=NOW, answer=ANSWER)]
    said += [message(a_view(), kind=kind, answer=ANSWER) for kind in ("reminder", "withdrawal")]
    sender = Sender("meldingen@oktt.example")
    mails = [build(delivery, each, sender=sender, recipient="a@b.example") for each in said]
    for register, view in MAILS.items():
        rendered = message(view, register, attached=register == "mature", answer=ANSWER)
        files = attachments(view) if register == "mature" else ()
        built = build(
            delivery, rendered, sender=Sender("meldingen@oktt.example"), recipient="a@b.example", attachments=files
        )
        mails.append(built)
    box = b"".join(
        b"From x@y.example Mon Mar  2 08:00:00 2026\n" + mail.replace(b"\r\n", b"\n") + b"\n" for mail in mails
    )
    done = subprocess.run(
        ["spamassassin", "--local", "--test-mode", "--mbox"],
        input=box,
        capture_output=True,
        env={**os.environ, "HOME": str(tmp_path)},
        timeout=120,
        check=True,
    )
    scored = re.findall(rb"(?m)^ *(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ", done.stdout)
    assert done.stdout.count(b"Content analysis details:") == len(mails)
    assert {name for points, name in scored if points not in (b"0.0", b"-0.0")} == set()
    assert b"HTML_MESSAGE" in {name for _, name in scored}, "it was looked at"
