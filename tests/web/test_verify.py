"""The page that says whether a message is ours, and nothing else of it."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from dispatch import Delivery, ledger, outbox
from dispatch.codes import code_of
from tests.web.conftest import NOW
from web import verify

DELIVERY = outbox.delivery_id(b"k" * 32, "alert", "OKTT-2026-0412", 1, "kvk-12345678", 0)
CODE = code_of(DELIVERY)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def sent(served: Any) -> Any:
    """A server that sent one message, and could not send another."""
    with served.engine.begin() as conn:
        for identifier, outcome, at in (
            (DELIVERY, "sent", NOW),
            (DELIVERY, "sent", NOW + timedelta(days=3)),
            ("e" * 32, "failed", NOW),
        ):
            one = Delivery(identifier, "alert", "OKTT-2026-0412", 1, "kvk-12345678", 0, "sent", NOW, NOW)
            ledger.record(conn, one, outcome, "", at, label="RED", view=None, digest=None, message_id=None)
    return served


def said(served: Any, code: str | None, language: str = "nl") -> str:
    query = {} if code is None else {"code": code}
    answer = httpx.get(f"{served.url}/verify", params=query, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text.partition("</style>")[2]))


def test_the_holder_of_a_code_learns_that_it_is_ours_its_number_and_day(sent: Any) -> None:
    for typed in (CODE, CODE.lower().replace("-", " ")):
        page = said(sent, typed)
        assert "Ja, dit bericht is van ons." in page
        assert "stuurde op maandag 2 maart 2026 bericht OKTT-2026-0412 aan" in page
        assert "kvk-12345678" not in page
        assert "RED" not in page
    assert "On Monday 2 March 2026 OKTT sent message OKTT-2026-0412" in said(sent, CODE, "en")


@on_sqlite
def test_an_edition_is_called_what_its_reader_sees(served: Any) -> None:
    one = Delivery("d" * 32, "digest", "friday/2026-03-06", 1, "kvk-12345678", 0, "sent", NOW, NOW)
    with served.engine.begin() as conn:
        ledger.record(conn, one, "sent", "", NOW, label="CLEAR", view=None, digest=None, message_id=None)
    assert "bericht “NCSC deze week” van 6 maart aan" in said(served, code_of("d" * 32))
    assert "message “NCSC this week” of 6 March to" in said(served, code_of("d" * 32), "en")


@on_sqlite
def test_other_codes_are_not_known_and_not_repeated(sent: Any) -> None:
    for typed in (code_of("e" * 32), code_of("0" * 32), "<script>", "hallo", "' OR 1=1 --", "x" * 4000):
        page = said(sent, typed)
        assert "Deze code kennen wij niet." in page
        assert "OKTT-2026" not in page
        assert typed not in page


@on_sqlite
def test_who_asks_nothing_gets_the_form(sent: Any) -> None:
    assert "Code uit het bericht" in said(sent, None)
    assert "Code in the message" in said(sent, "  ", "en")


@on_sqlite
def test_a_peer_may_try_so_many_codes_a_minute(sent: Any) -> None:
    answers = [httpx.get(f"{sent.url}/verify?code={n}").status_code for n in range(verify.PER_MINUTE + 1)]
    assert answers == [200] * verify.PER_MINUTE + [429]
    assert httpx.get(f"{sent.url}/verify").status_code == 200, "the form itself costs nothing"
    assert httpx.get(f"{sent.url}/verify?code={CODE}").status_code == 200, "nor does a code that is right"
    sent.now += timedelta(minutes=1)
    assert httpx.get(f"{sent.url}/verify?code=0").status_code == 200
