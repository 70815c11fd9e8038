"""How commands print."""

import json
from datetime import UTC, date, datetime

import pytest
from pyroaring import BitMap

from app.cli import output
from tlp import Label

MOMENT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines([{"at": MOMENT, "label": Label.AMBER_STRICT, "text": "één\nregel"}, {"numbers": BitMap((1,))}])
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {"at": "2026-03-02T07:30:00Z", "label": "AMBER+STRICT", "text": "één\nregel"}
    assert json.loads(second)


def test_times_are_local_for_people() -> None:
    assert output.moment(MOMENT) == "2026-03-02 08:30"
    assert output.moment(datetime(2026, 7, 1, 7, 30, tzinfo=UTC)) == "2026-07-01 09:30"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (MOMENT, "2026-03-02 08:30"),
        (("a", None, 3), "a, , 3"),
        ({"sent": 1, "failed": 0}, "sent 1, failed 0"),
        (False, "False"),
        ([], ""),
        (Label.RED, "TLP:RED"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert output.cell(value) == text


def test_since() -> None:
    assert output.when(None) is None
    assert output.when("2026-03-02T07:30:00Z") == MOMENT
    midnight = output.when("2026-07-01")
    assert midnight is not None
    assert midnight.astimezone(UTC) == datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    for wrong in ("gisteren", "", str(date.max) + "x"):
        with pytest.raises(ValueError):  # noqa: PT011
            output.when(wrong)


def test_no_title_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;eigen titel\x07\x1b[2J\x9b31mtitel\r\x08"
    output.say(evil)
    output.table(("a",), [[evil]], "niets")
    out = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b", "\r", "\x08"} & set(out)
    assert "titel" in out


def test_no_title_is_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("a",), [["[bold]x[/bold] [link=http://x.example]y[/link]"]], "niets")
    assert "[bold]x[/bold] [link=http://x.example]y[/link]" in capsys.readouterr().out


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("a", "b"), [], "Nog niets.")
    assert capsys.readouterr().out == "Nog niets.\n"


def test_a_long_line_is_whole_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("x" * 500)
    assert capsys.readouterr().out == "x" * 500 + "\n"


def test_progress_keeps_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("Bezig", 2) as advance:
        advance()
        advance(1)
    assert capsys.readouterr().out == ""
