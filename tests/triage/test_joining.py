"""People say that it is one threat, or two; documents do not undo it."""

from typing import Any

import pytest
import sqlalchemy as sa

from ingest.columns import metadata
from tests.triage.desk import GUARD, Desk, draft
from tlp import Label
from triage import TriageError, inbox, joining, leads

ONE, TWO, THREE = "CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"


def merge(desk: Desk, one: str, other: str, by: str = "anna") -> tuple[str, str]:
    word = joining.Word(by, "os", "reden")
    return joining.merge(desk.connection, GUARD, desk.settings, one, other, word, desk.now)


def split(desk: Desk, item: str, source: str, by: str = "anna") -> str:
    word = joining.Word(by, "os", "reden")
    return joining.split(desk.connection, GUARD, desk.settings, item, source, word, desk.now)


def said(desk: Desk, item: str) -> set[str]:
    return {each.source for each in desk.whole(item).statements}


def two(desk: Desk) -> tuple[str, str]:
    return desk.item(draft("a", cves=(ONE,))), desk.item(draft("b", cves=(TWO,)), "market")


def test_a_person_joins_what_no_document_does(desk: Desk) -> None:
    one, other = two(desk)
    assert merge(desk, other, one) == (one, other)
    assert said(desk, one) == {"ncsc-nl", "market"}
    assert (desk.state(one), desk.version(one), desk.state(other)) == ("new", 2, "declined")
    with pytest.raises(TriageError, match=f"same threat as {one}"):
        desk.whole(other)
    last = inbox.past(desk.connection, other)[-1]
    assert (last["by"], last["what"], last["reason"]) == ("anna", "merged away", f"the same threat as {one}: reden")
    assert "merge" in desk.history(one)


def test_the_next_document_of_either_source_does_not_undo_it(desk: Desk) -> None:
    one, other = two(desk)
    merge(desk, one, other)
    assert desk.item(draft("b", cves=(TWO,), cvss=9.9), "market") == one
    assert desk.item(draft("a", cves=(ONE,), cvss=9.9)) == one
    assert desk.item(draft("c", cves=(TWO,)), "kev") == one, "what is the same threat as either, is the same as both"


def test_a_split_undoes_a_merge(desk: Desk) -> None:
    """The item that was taken in stands again, with its history and who got it."""
    one, other = two(desk)
    desk.act("release", one)
    desk.act("hold", other)
    assert merge(desk, one, other) == (one, other)
    assert split(desk, one, "market") == other
    assert (said(desk, one), said(desk, other)) == ({"ncsc-nl"}, {"market"})
    assert inbox.taken_in(desk.connection, one) == []
    assert desk.history(other)[-2:] == ["split", "repeated"]
    assert desk.state(other) == "held", "a person kept it back"
    assert merge(desk, one, other)[1] in (one, other), "and a merge undoes the split"


@pytest.mark.parametrize("first", ["ncsc-nl", "market"])
def test_what_was_split_stays_so_whatever_comes(desk: Desk, first: str) -> None:
    """Updates of both, a republication under another id, and a stranger that names the same."""
    item = desk.item(draft("a", cves=(ONE,)))
    assert desk.item(draft("b", cves=(ONE,)), "market") == item
    other = split(desk, item, "market")
    assert other != item
    updates = {
        "ncsc-nl": (draft("a", cves=(ONE,), cvss=9.9), item),
        "market": (draft("b", cves=(ONE,), cvss=9.9), other),
    }
    for source in sorted(updates, key=lambda each: each != first):
        what, where = updates[source]
        assert desk.item(what, source) == where
    assert desk.item(draft("b2", cves=(ONE,)), "market") == other, "the same source means the same threat"
    assert desk.item(draft("c", cves=(ONE,)), "kev") in (item, other)
    third = desk.item(draft("d", cves=(TWO,), tracking=("NCSC-2026-0009",)), "news")
    desk.item(draft("e", cves=(ONE,), tracking=("NCSC-2026-0009",)), "cert")
    assert len(desk.sources()) == 2, "a third that leads to both joins one of them"
    assert desk.connection.scalar(sa.select(inbox.items.c.merged_into).where(inbox.items.c.id == third)) is not None
    assert [each["told_apart"] for each in leads.related(desk.connection, item)] == [True]


def test_who_took_in_what_was_told_apart_is_apart_too(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.item(draft("b", cves=(ONE,)), "market")
    other = split(desk, item, "market")
    older = desk.item(draft("c", cves=(THREE,)), "kev")
    desk.act("release", older)
    merge(desk, other, older)
    assert said(desk, older) == {"market", "kev"}
    desk.receive(draft("b", cves=(ONE,), exploited=True), "market")
    assert {frozenset(said(desk, each)) for each in (item, older)} == {
        frozenset({"ncsc-nl"}),
        frozenset({"market", "kev"}),
    }


def test_a_part_keeps_what_people_decided_about_the_whole(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.item(draft("b", cves=(ONE,)), "market")
    desk.act("release", item, tlp=Label.AMBER, urgency="today")
    desk.act("withdraw", item)
    other = split(desk, item, "market")
    case = desk.case(other)
    assert (case.label, case.urgency, case.reserved, desk.state(other)) == (Label.AMBER, "today", True, "new")
    assert desk.rule(other) is None


def test_a_part_of_an_item_that_took_in_more_is_a_new_item(desk: Desk) -> None:
    """Of two sources that came together one goes: the item they came in does not stand again for half of it."""
    one = desk.item(draft("a", cves=(ONE,)))
    other = desk.item(draft("b", cves=(TWO,)), "market")
    desk.item(draft("c", cves=(TWO,)), "kev")
    merge(desk, one, other)
    target = split(desk, one, "market")
    assert target not in (one, other)
    assert said(desk, one) == {"ncsc-nl", "kev"}
    with pytest.raises(TriageError, match="same threat"):
        desk.whole(other)


def refused(desk: Desk, act: Any, *args: str, match: str, by: str = "anna") -> None:
    tables = [table for table in metadata.sorted_tables if table.name in ("items", "statements", "history", "apart")]
    before = [desk.connection.execute(sa.select(table)).all() for table in tables]
    with pytest.raises(TriageError, match=match):
        act(desk, *args, by=by)
    assert [desk.connection.execute(sa.select(table)).all() for table in tables] == before


def test_what_is_refused_is_refused_in_words(desk: Desk) -> None:
    one, other = two(desk)
    scan = desk.item(draft("scan", "exposure"), "shadowserver")
    refused(desk, merge, one, one, match="one item already")
    refused(desk, merge, one, "OKTT-2026-0999", match="no item OKTT-2026-0999")
    refused(desk, merge, one, scan, match=f"{scan} is a report of exposed systems")
    refused(desk, split, one, "ncsc-nl", match="nothing but what ncsc-nl says")
    refused(desk, split, one, "market", match="nothing of that source; it has: ncsc-nl")
    refused(desk, merge, one, other, by="rule:x", match="name of a person")
    desk.settings = type(desk.settings)(analysts=("anna",))
    refused(desk, merge, one, other, by="piet", match="nobody of")
    desk.act("claim", one)
    desk.settings = type(desk.settings)()
    refused(desk, merge, one, other, by="piet", match=f"{one} is claimed by anna")
    merge(desk, one, other)
    refused(desk, merge, one, other, match=f"{other} is the same threat as {one} already")


def test_what_waits_for_a_second_person_is_approved_or_held_first(desk: Desk) -> None:
    desk.subscribe(3)
    desk.settings = type(desk.settings)(second_person_over=2)
    one, other = desk.item(draft("a", cves=(ONE,), sectors=("SBI:25",))), desk.item(draft("b", cves=(TWO,)), "market")
    desk.act("release", one)
    refused(desk, merge, one, other, match="waits for a second person: `approve` it, or `hold` it first")
