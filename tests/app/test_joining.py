"""Two items become one, or one two, by a person's word: what was sent stays true; it happens whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import desk, workers
from dispatch import ledger
from ingest.columns import metadata
from tests.app.house import TAXII, House, opened
from tests.app.instance import done, make, oktt
from tests.app.test_releasing import names
from tests.triage.desk import draft
from tlp import Label
from triage import inbox
from triage.joining import Word

ONE, TWO = "CVE-2026-0001", "CVE-2026-0002"
ANNA = Word("anna", "os", "reden")


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return opened(tmp_path, url)


def malware(name: str, number: int) -> dict[str, Any]:
    stamp = "2026-03-01T00:00:00.000Z"
    made = {"type": "malware", "spec_version": "2.1", "id": f"malware--00000000-0000-4000-8000-0000000000{number}"}
    return made | {"created": stamp, "modified": stamp, "name": name, "is_family": False}


def about(key: str, cve: str, sector: str, number: int = 11, **more: Any) -> Any:
    return draft(key, cves=(cve,), sectors=(f"SBI:{sector}",), objects=(malware(f"Soort {number}", number),), **more)


def send(house: House, item: str) -> int:
    """Release an item and send at once; how many messages it made."""
    queued = house.decide("release", item).queued
    workers.dispatch(house.service, now=True)
    return queued


def told(house: House, who: str) -> list[tuple[str, str, int]]:
    with house.service.reading() as connection:
        query = sa.select(ledger.ledger).where(ledger.ledger.c.subscriber == who).order_by(ledger.ledger.c.id)
        return [(row.subject, row.kind, row.version) for row in connection.execute(query) if row.outcome == "sent"]


def test_who_got_either_is_told_of_the_one_it_became(house: House) -> None:
    house.subscribe("metaal", sectors=("SBI:25",))
    house.subscribe("bakker", sectors=("SBI:10",))
    house.subscribe("taxi", TAXII)
    one, two = house.item(about("a", ONE, "25")), house.item(about("b", TWO, "10", 12), "kev")
    assert (send(house, one), send(house, two)) == (1, 1)
    assert desk.merge(house.service, two, one, ANNA) == (one, two)
    assert names(house, "clear") >= {"Soort 11", "Soort 12"}, "nothing vanishes until it is released anew"
    assert send(house, one) == 2
    assert told(house, "metaal") == [(one, "alert", 1), (one, "update", 2)]
    assert told(house, "bakker") == [(two, "alert", 1), (one, "update", 2)]


def test_a_split_takes_back_what_went_elsewhere_and_tells_who_had_it(house: House) -> None:
    """The part that was told of before is an update to who had it, not a new alert; to the rest nothing is new."""
    house.subscribe("metaal", sectors=("SBI:25",))
    house.subscribe("bakker", sectors=("SBI:10",))
    item = house.item(about("a", ONE, "25"))
    assert house.item(about("b", ONE, "10", 12), "kev") == item
    assert send(house, item) == 2
    part = desk.split(house.service, item, "kev", ANNA)
    assert (house.state(item), house.state(part)) == ("new", "new")
    assert (send(house, part), send(house, item)) == (1, 1)
    assert told(house, "bakker") == [(item, "alert", 2), (part, "update", 1)]
    assert told(house, "metaal") == [(item, "alert", 2), (item, "update", 3)]
    assert names(house, "clear") >= {"Soort 11", "Soort 12"}
    house.decide("withdraw", part)
    workers.dispatch(house.service, now=True)
    assert told(house, "bakker")[-1] == (part, "withdrawal", 1)
    assert "Soort 12" not in names(house, "clear")


def test_what_joined_and_left_again_is_no_news(house: House) -> None:
    """A market party joins the NCSC's advisory by its CVE; an analyst finds that another threat. Nobody hears of it."""
    house.subscribe("metaal", sectors=("SBI:25",), clearance=Label.AMBER)
    item = house.item(about("a", ONE, "25"))
    assert send(house, item) == 1
    house.receive(about("b", ONE, "25", 12, label=Label.AMBER, exploited=True), source="market")
    part = desk.split(house.service, item, "market", ANNA)
    with house.service.reading() as connection:
        assert inbox.row(connection, item).version == 3
    assert "Soort 11" in names(house, "clear"), "what is out stands"
    assert send(house, item) == 0
    assert told(house, "metaal") == [(item, "alert", 1)]
    assert send(house, part) == 1
    assert told(house, "metaal")[1:] == [(part, "alert", 1)], "it had never heard of this one"


def test_a_merge_undone_leaves_both_as_they_were_sent(house: House) -> None:
    house.subscribe("metaal", sectors=("SBI:25",))
    house.subscribe("bakker", sectors=("SBI:10",))
    one, two = house.item(about("a", ONE, "25")), house.item(about("b", TWO, "10", 12), "kev")
    send(house, one)
    send(house, two)
    desk.merge(house.service, one, two, ANNA)
    assert desk.split(house.service, one, "kev", ANNA) == two
    assert names(house, "clear") >= {"Soort 11", "Soort 12"}
    assert (send(house, one), send(house, two)) == (0, 0), "both say what they said"
    house.decide("withdraw", two)
    workers.dispatch(house.service, now=True)
    assert told(house, "bakker") == [(two, "alert", 1), (two, "withdrawal", 1)]
    assert told(house, "metaal") == [(one, "alert", 1)]


class CrashError(Exception):
    """The process ends here."""


def stored(house: House) -> list[Any]:
    with house.service.reading() as connection:
        return [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]


def cut_off_everywhere(house: House, act: Callable[[], Any]) -> None:
    """Carry it out, cut off before its first statement, its second, and so on until it comes through."""
    before = stored(house)
    for cut in range(1, 1000):
        if came_through(house, act, cut):
            break
        assert stored(house) == before, f"cut off at statement {cut}"
    assert stored(house) != before


def came_through(house: House, act: Callable[[], Any], cut: int) -> bool:
    left = iter(range(cut - 1, -1, -1))

    def counted(*_: Any) -> None:
        if next(left, None) == 0:
            raise CrashError

    sa.event.listen(house.service.engine, "before_cursor_execute", counted)
    try:
        act()
    except CrashError:
        return False
    finally:
        sa.event.remove(house.service.engine, "before_cursor_execute", counted)
    return True


def test_it_happens_whole_or_not_at_all(tmp_path: Path) -> None:
    house = opened(tmp_path)
    house.subscribe("metaal", sectors=("SBI:25",))
    one, two = house.item(about("a", ONE, "25")), house.item(about("b", TWO, "10", 12), "kev")
    send(house, one)
    send(house, two)
    cut_off_everywhere(house, lambda: desk.merge(house.service, one, two, ANNA))
    cut_off_everywhere(house, lambda: desk.split(house.service, one, "kev", ANNA))


def advisory(number: int, cve: str) -> str:
    return json.dumps(
        {
            "document": {
                "category": "csaf_security_advisory",
                "csaf_version": "2.0",
                "title": f"Kwetsbaarheid {number}",
                "publisher": {"category": "coordinator", "name": "Coördinator", "namespace": "https://c.example/"},
                "tracking": {
                    "id": f"NCSC-2026-900{number}", "status": "final", "version": "1.0.0",
                    "initial_release_date": "2026-03-01T00:00:00Z", "current_release_date": "2026-03-01T00:00:00Z",
                    "revision_history": [],
                },
            },
            "vulnerabilities": [{"cve": cve}],
        }
    )  # fmt: skip


def test_the_command_line_says_what_became_of_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "var")
    for number, (source, cve) in enumerate([("ncsc-nl", ONE), ("market", TWO)]):
        (tmp_path / f"{number}.json").write_text(advisory(number, cve), encoding="utf-8")
        done(folder, "ingest", tmp_path / f"{number}.json", "--source", source)
    one, two = "OKTT-2026-0001", "OKTT-2026-0002"
    assert done(folder, "merge", one, two, "--by", "anna", "--json").row == {"item": one, "took_in": two}
    assert done(folder, "item", one, "--json").row["sources"] == ["market", "ncsc-nl"]
    said = oktt(folder, "split", one, "kev", "--by", "anna")
    assert (said.code, said.err) == (1, f"oktt: {one} has nothing of that source; it has: market, ncsc-nl\n")
    ran = done(folder, "split", one, "market", "--by", "anna", "--reason", "toeval")
    assert ran.out == f"What market says is {two} now; no document joins it with {one} again.\n"
    last = [each for each in done(folder, "item", two, "--json").row["history"] if each["what"] == "split"][-1]
    assert (last["by"], last["reason"]) == ("anna", f"market from {one}: toeval")
    assert done(folder, "audit", "verify").code == 0
    acts = [row["detail"].get("act") for row in done(folder, "audit", "export").rows if row["what"] == "decided"]
    assert [each for each in acts if each != "release"] == ["merge", "merge", "split", "split"]
