"""/a/TOKEN: what recipients say became of a message."""

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from dispatch import DeliveryKind, feedback, outbox
from subscribers import Profile
from tests.dispatch.underway import underway
from tests.web.conftest import NOW, World

KEY = bytes(range(32))
ITEM = "OKTT-2026-0412"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """One engine: what both do alike is put to both in tests/dispatch/test_feedback.py."""
    return f"sqlite:///{tmp_path / 'oktt.db'}"


@pytest.fixture
def answering(world: World, serve: Callable[..., World]) -> World:
    world.join("baker")
    return serve(world, answer_key=KEY, contact="meldpunt@oktt.example")


def told(world: World, who: str = "baker", kind: DeliveryKind = "alert", version: int = 1) -> str:
    """The path at which somebody answers who was sent a message."""
    order = outbox.order(KEY, kind, ITEM, version, who, 0, "email", queued_at=NOW, due_at=NOW)
    with world.engine.begin() as conn:
        outbox.queue(conn, [order], urgency="today")
        (claimed,) = outbox.claim(conn, NOW, 1, "w")
        underway(conn, claimed)
    return f"{world.url}/a/{feedback.token(KEY, order.id)}"


def said(world: World) -> list[tuple[str, str, int | None]]:
    with world.engine.connect() as conn:
        return [(each.subscriber, each.answer, each.passed_on) for each in feedback.answers(conn, ITEM)]


class _Links(HTMLParser):
    """What a mail scanner would follow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found |= {value for name, value in attrs if name in ("href", "src", "action", "formaction") and value}


def test_a_recipient_answers_and_changes_it(answering: World) -> None:
    path = told(answering)
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(path, params={"answer": "handled"})
        assert page.status_code == 200
        assert ITEM in page.text
        assert re.search(r'value="handled" required checked', page.text)
        assert said(answering) == []
        after = browser.post(path, data={"answer": "working"})
        assert "Dank u wel" in after.text
        assert said(answering) == [("baker", "working", None)]
        answering.now += timedelta(hours=3)
        assert "Wij zijn ermee bezig (2 maart 2026 12:00)" not in browser.get(path).text
        assert "Wij zijn ermee bezig (2 maart 2026 09:00)" in browser.get(path).text
        assert "meldpunt@oktt.example" in browser.post(path, data={"answer": "need-help"}).text
        assert said(answering) == [("baker", "need-help", None)]


def test_nothing_that_only_reads_changes_an_answer(answering: World) -> None:
    path = told(answering)
    queries = ["", *(f"?answer={each}" for each in feedback.ANSWERS), "?answer=%00", "?thanks", "?answer=handled&x=1"]
    with httpx.Client(follow_redirects=True) as scanner:
        for query in queries:
            page = scanner.get(path + query)
            links = _Links(page.text)
            assert "script" not in links.tags
            for link in links.found:
                scanner.get(urljoin(path, link))
            scanner.head(path + query)
            scanner.request("OPTIONS", path + query)
    assert said(answering) == []
    with answering.engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(feedback.opened)) == 1


def test_the_page_says_nothing_of_the_content_and_stays_out_of_caches(answering: World) -> None:
    page = httpx.get(told(answering))
    assert page.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "baker" not in page.text


def test_a_partnership_says_how_far_it_went(answering: World) -> None:
    answering.subscribers["baker"] = replace(answering.subscribers["baker"], profile=Profile(kind="partnership"))
    path = told(answering)
    assert 'name="passed_on"' in httpx.get(path).text
    httpx.post(path, data={"answer": "handled", "passed_on": "31"})
    assert said(answering) == [("baker", "handled", 31)]
    for count in ("-1", "1.5", "9999999", "0000010009999", "0" * 900 + "9", "٣", "x"):
        httpx.post(path, data={"answer": "working", "passed_on": count})
    assert said(answering) == [("baker", "handled", 31)]


def test_a_firm_passes_nothing_on(answering: World) -> None:
    path = told(answering)
    assert "passed_on" not in httpx.get(path).text
    httpx.post(path, data={"answer": "handled", "passed_on": "31"})
    assert said(answering) == [("baker", "handled", None)]


def test_what_is_no_answer_is_none(answering: World) -> None:
    path = told(answering)
    for body in ({"answer": "gone"}, {"answer": ""}, {"passed_on": "3"}):
        assert httpx.post(path, data=body).status_code == 303
    assert said(answering) == []


def test_what_is_no_form_is_refused(answering: World) -> None:
    path = told(answering)
    assert httpx.post(path, json={"answer": "handled"}).status_code == 415
    assert httpx.post(path, content=b"answer=handled").status_code == 415
    for large in (urlencode({"answer": "handled", "x": "y" * 2000}), "answer=handled" + "&x=1" * 20):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert httpx.post(path, content=large, headers=headers).status_code == 413
    assert said(answering) == []


def test_an_address_that_we_did_not_make_leads_nowhere(answering: World) -> None:
    path = told(answering)
    other = told(answering, version=2)
    mixed = path[:-21] + other[-21:]
    for wrong in (
        path[:-1],
        path + "A",
        mixed,
        f"{answering.url}/a/x",
        f"{answering.url}/a/%00",
        path[:-43] + path[-43:].swapcase(),
    ):
        for answer in (httpx.get(wrong), httpx.post(wrong, data={"answer": "handled"})):
            assert answer.status_code == 404
            assert "Deze link werkt niet" in answer.text
    assert said(answering) == []


def test_a_message_that_has_not_left_cannot_be_answered(answering: World) -> None:
    order = outbox.order(KEY, "alert", ITEM, 7, "baker", 0, "email", queued_at=NOW, due_at=NOW)
    with answering.engine.begin() as conn:
        outbox.queue(conn, [order], urgency="today")
    assert httpx.get(f"{answering.url}/a/{feedback.token(KEY, order.id)}").status_code == 404


def test_who_is_no_subscriber_any_more_does_not_answer(answering: World) -> None:
    path = told(answering)
    del answering.subscribers["baker"]
    assert httpx.get(path).status_code == 404
    assert httpx.post(path, data={"answer": "handled"}).status_code == 404


def test_the_same_again_adds_nothing_and_too_much_is_too_much(answering: World) -> None:
    path = told(answering)
    codes = [httpx.post(path, data={"answer": "handled"}).status_code for _ in range(8)]
    assert codes == [303] * 6 + [429] * 2
    with answering.engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(feedback.feedback)) == 1
