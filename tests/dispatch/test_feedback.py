"""Answers of recipients: the newest counts; addresses that nobody else can make."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dispatch import feedback
from dispatch.feedback import Answer, Message

KEY = bytes(range(32))
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def message(who: str, version: int = 1) -> Message:
    return Message(f"{who:0>32}", "alert", "OKTT-2026-0412", version, who, 0, NOW)


def test_the_newest_answer_counts(engine: sa.Engine) -> None:
    steps: list[tuple[str, Answer]] = [("b", "working"), ("a", "need-help"), ("b", "handled"), ("a", "need-help")]
    with engine.begin() as conn:
        changed = [
            feedback.give(conn, message(who), answer, None, NOW + timedelta(hours=number))
            for number, (who, answer) in enumerate(steps)
        ]
        assert changed == [True, True, True, False]
        found = feedback.answers(conn, "OKTT-2026-0412")
        assert [(each.subscriber, each.answer) for each in found] == [("a", "need-help"), ("b", "handled")]
        assert feedback.give(conn, message("a", 2), "need-help", None, NOW)  # of a later version it is news
        for _ in range(2):
            feedback.visited(conn, "0" * 32, NOW)
        assert feedback.seen(conn, "0" * 32)
        assert not feedback.seen(conn, "1" * 32)
        assert feedback.forget(conn, NOW + timedelta(hours=2)) == 4
        assert [each.subscriber for each in feedback.answers(conn, "OKTT-2026-0412")] == ["b"]


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=40) | st.text(max_size=60))
def test_only_our_own_tokens_name_a_delivery(name: bytes, other: bytes | str) -> None:
    made = feedback.token(KEY, name.hex())
    assert feedback.delivery_of(KEY, made) == name.hex()
    assert feedback.delivery_of(KEY[::-1], made) is None
    wrong = other if isinstance(other, str) else other.hex()
    assert feedback.delivery_of(KEY, wrong) is None
