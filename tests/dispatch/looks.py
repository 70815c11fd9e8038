"""Every kind of mail that we send, as its reader gets it: for browsers, spam filters and pictures."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import get_args

from dispatch import View, charts, digest, digest_text, letters
from dispatch.charts import Chart
from dispatch.digest import Arranged, Candidate, Members
from dispatch.digest_text import Passing
from dispatch.editions import Count, Window
from dispatch.editorials import Editorial
from dispatch.render import Rendered
from dispatch.several import Also
from subscribers.links import HOLDS, Link, Purpose
from tests.dispatch.test_digest import NEWS, RENDERER, WEEK, candidate, news, numbered
from tests.dispatch.test_render import CODE, READERS, message
from tests.dispatch.views import NOW, a_report, a_subscriber, a_view, an_exposure
from tlp import Label
from triage.catalogue import Register

ALERTS: Mapping[Register, View] = {"zzp": an_exposure(40), "mkb": a_view(), "mature": a_report()}
ANSWER = "https://oktt.example/a/token"
LINK = "https://oktt.example/f/token"


def mails() -> dict[str, Rendered]:
    """Name -> mail. Those of ALERTS have the name of their register."""
    found = {
        register: message(view, register, attached=register == "mature", answer=ANSWER)
        for register, view in ALERTS.items()
    }
    found["update"] = message(
        a_view(), kind="update", changes=("Aanvallers gebruiken dit nu.",), since=NOW, answer=ANSWER
    )
    found |= {kind: message(a_view(), kind=kind, answer=ANSWER) for kind in ("reminder", "withdrawal")}
    found["english"] = message(a_view(), "mature", "en", attached=True, answer=ANSWER)
    also = [Also(numbered(n, title=f"Kwetsbaarheid {n} verholpen in Fortinet FortiOS"), LINK) for n in (413, 414)]
    found["several"] = message(a_view(), answer=ANSWER, also=also, link=LINK)
    return found | _editions() | _letters() | _stubs()


def _editions() -> dict[str, Rendered]:
    every = [
        candidate(a_view()), candidate(an_exposure(7)), candidate(a_report()), candidate(news(1)),
        *(candidate(numbered(n, label=Label.GREEN, reasons=())) for n in range(20)),
    ]  # fmt: skip
    found = {}
    for name, window in (("monday", WEEK), ("friday", NEWS)):
        for register in get_args(Register):
            reader = a_subscriber(*READERS[register])
            found[f"{name} {register}"] = digest_text.render(RENDERER, _arranged(window, every), reader, register, CODE)
    passed = [replace(each, members=Members(40, 12)) for each in every]
    arranged, reader = _arranged(WEEK, passed), a_subscriber("large", "mature")
    passing = Passing(Label.GREEN, LINK)
    shown = _charts(arranged)
    found["partnership"] = digest_text.render(RENDERER, arranged, reader, "mature", CODE, passing=passing, charts=shown)
    found["for members"] = digest_text.for_members(
        RENDERER, _arranged(NEWS, [every[2], *every[3:]]), reader, CODE, LINK
    )
    return found


def _arranged(window: Window, every: list[Candidate]) -> Arranged:
    said = Editorial("Let op valse mails.", Label.CLEAR, "nl", (), "anna", "bram")
    found = digest.arrange(window, every, {}, said)
    assert found is not None
    return found


def _charts(arranged: Arranged) -> tuple[Chart, ...]:
    counts = (Count(2, 3, 8, 38), Count(1, 5, 6, 22), Count(0, 1, 4, 14))
    weeks = [(WEEK.day + timedelta(days=7 * week), {"AMBER": count}) for week, count in enumerate(counts)]
    return charts.charts(weeks, arranged.label, "nl")


def _letters() -> dict[str, Rendered]:
    found = {}
    for purpose in get_args(Purpose):
        link = Link(f"link-{purpose}", purpose, "a@b.example", "nl", None, NOW, NOW + HOLDS[purpose])
        found[f"letter {purpose}"] = letters.render(RENDERER, link, "https://oktt.example/portal/l/token", CODE)
    return found


def _stubs() -> dict[str, Rendered]:
    reader, english = a_subscriber(), a_subscriber(language="en")
    return {
        "stub": RENDERER.stub(Label.RED, "OKTT-2026-0412", reader, code=CODE, taxii=False, broken=False),
        "stub edition": RENDERER.stub(Label.AMBER_STRICT, NEWS.id, english, code=CODE, taxii=True, broken=True),
    }
