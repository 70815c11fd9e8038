"""The same ingest, dispatch and digest twice changes nothing the second time."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.app.instance import FEEDS, FRIDAY, LATER, MONDAY, PEOPLE, WEEK, done, lay, make, oktt
from tests.app.state import state

LATER_MONDAY = "2026-03-02T09:30:00Z"
Commands = Sequence[tuple[str, Sequence[str | Path]]]


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    lay(tmp_path / "first", FEEDS)
    lay(tmp_path / "later", LATER)
    return make(tmp_path / "instance", people=PEOPLE)


def ingest(*folders: Path) -> Commands:
    return [(MONDAY, ("ingest", folder, "--source", folder.name)) for folder in folders]


def test_everything_twice(instance: Path, tmp_path: Path) -> None:
    market = [WEEK / day / "market" for day in ("2-tuesday", "3-wednesday", "4-thursday", "5-friday")]
    news = WEEK / "1-monday" / "news"
    first = ingest(*(tmp_path / "first" / source for source in FEEDS), *market, news)
    commands: Commands = [
        *first,
        (MONDAY, ("dispatch", "--now")),
        (FRIDAY, ("ingest", tmp_path / "later/ncsc-nl", "--source", "ncsc-nl")),
        (FRIDAY, ("dispatch", "--now")),
        (FRIDAY, ("digest", "--edition", "friday", "--date", "2026-03-06")),
        (FRIDAY, ("dispatch",)),
        (FRIDAY, ("subscribers", "import", instance / "people.ndjson")),
        (FRIDAY, ("init",)),
    ]
    for now, args in commands:
        done(instance, *args, now=now)
    once = state(instance, exact=True)
    assert len(once.rows["items"]) >= 10
    assert len(once.rows["ledger"]) >= 8
    assert len(once.files) >= 6
    for now, args in commands:
        done(instance, *args, now=now)
        assert once.differences(state(instance, exact=True)) == [], args


def test_each_twice_at_once(instance: Path, tmp_path: Path) -> None:
    """And with time between: another clock alone is no news."""
    for source in FEEDS:
        done(instance, "ingest", tmp_path / "first" / source, "--source", source)
        once = state(instance, exact=True)
        done(instance, "ingest", tmp_path / "first" / source, "--source", source, now=LATER_MONDAY)
        assert once.differences(state(instance, exact=True)) == []
    done(instance, "dispatch", "--now", now=LATER_MONDAY)
    once = state(instance, exact=True)
    again = done(instance, "dispatch", "--now", "--json", now=LATER_MONDAY).row
    assert again == {"sent": 0, "retry": 0, "failed": 0, "cancelled": 0}
    assert once.differences(state(instance, exact=True)) == []


def test_other_bytes_of_the_same_meaning_are_no_news(instance: Path, tmp_path: Path) -> None:
    """Another indent: the document is new, the item is not, and nobody hears of it twice."""
    done(instance, "ingest", tmp_path / "first/ncsc-nl", "--source", "ncsc-nl")
    done(instance, "dispatch", "--now")
    items = done(instance, "items", "--json").rows
    file = tmp_path / "first/ncsc-nl/9001.json"
    file.write_text(file.read_text() + "\n \n")
    row = done(instance, "ingest", file, "--source", "ncsc-nl", "--json", now=LATER_MONDAY).row
    assert (row["new"], row["updated"], row["unchanged"]) == (0, 0, 1)
    assert [(row["id"], row["version"]) for row in done(instance, "items", "--json").rows] == [
        (row["id"], row["version"]) for row in items
    ]
    assert done(instance, "dispatch", "--now", "--json", now=LATER_MONDAY).row["sent"] == 0


def test_decisions_twice_are_refused_and_change_nothing(instance: Path, tmp_path: Path) -> None:
    done(instance, "ingest", tmp_path / "first/ncsc-nl", "--source", "ncsc-nl")
    done(instance, "dispatch", "--now")
    item = done(instance, "items", "--json").rows[0]["id"]
    withdraw = ("withdraw", item, "--by", "anna", "--reason", "fout")
    done(instance, *withdraw)
    done(instance, "dispatch")
    once = state(instance, exact=True)
    again = oktt(instance, *withdraw)
    assert again.code == 1
    assert "withdrawn" in again.err
    done(instance, "dispatch")
    assert once.differences(state(instance, exact=True)) == []
