"""Which statements lie in which item, and when there is a new version."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.columns import metadata
from normalize import Affected, Draft, Observable, identity
from pii_guard import GuardError
from pii_guard.guard import Guard
from tests.triage.desk import GUARD, Desk, draft
from tlp import Label
from triage import TriageError, inbox
from triage.merging import Admission

ONE, TWO = "CVE-2026-0001", "CVE-2026-0002"


def effects(admissions: list[Admission]) -> list[str]:
    return [each.effect for each in admissions]


def test_new_unchanged_updated_merged(desk: Desk) -> None:
    first = draft("a", cves=(ONE,), cvss=5.0)
    assert effects(desk.receive(first)) == ["new"]
    assert effects(desk.receive(first)) == ["unchanged"]
    assert effects(desk.receive(draft("a", cves=(ONE,), cvss=9.8))) == ["updated"]
    assert effects(desk.receive(draft("b", cves=(ONE,), cvss=9.8), "kev")) == ["merged"]
    (item,) = {each.item for each in desk.receive(first)}
    assert item == "OKTT-2026-0001"
    assert len(desk.whole(item).statements) == 2


def test_the_same_content_changes_nothing_at_all(desk: Desk) -> None:
    item = desk.item()
    desk.act("release", item)
    before = {table.name: desk.connection.execute(sa.select(table)).all() for table in metadata.sorted_tables}
    desk.later(days=1)
    desk.item()
    assert {table.name: desk.connection.execute(sa.select(table)).all() for table in metadata.sorted_tables} == before


def at_once(engine: sa.Engine, *drafts: Draft) -> list[Admission]:
    """Each draft laid down by a writer of its own, which begins while the one before has not committed."""
    begun = [threading.Event() for _ in drafts]
    found: list[Admission] = []

    def write(number: int) -> None:
        if number:
            begun[number - 1].wait(60)
        with engine.begin() as connection:
            admitted = Desk(connection).receive(drafts[number], f"source {number}")
            begun[number].set()
            time.sleep(0.2)  # without a lock, the next writer looks now
        found.extend(admitted)

    with ThreadPoolExecutor(len(drafts)) as pool:
        for work in [pool.submit(write, number) for number in range(len(drafts))]:
            work.result()
    return found


def test_first_writers_at_once(engine: sa.Engine) -> None:
    """The first item of a year, then a first merge key: whoever comes second sees what the first wrote."""
    first = at_once(engine, draft("a", cves=(ONE,)), draft("b", cves=(TWO,)))
    assert sorted(str(each.item) for each in first) == ["OKTT-2026-0001", "OKTT-2026-0002"]
    tracking = ("NCSC-2026-0001",)
    second = at_once(engine, draft("c", tracking=tracking), draft("d", tracking=tracking))
    assert [(each.effect, each.item) for each in second] == [("new", "OKTT-2026-0003"), ("merged", "OKTT-2026-0003")]


def test_ids_count_on_within_a_year_and_start_anew(desk: Desk) -> None:
    assert [desk.item(draft(key)) for key in "ab"] == ["OKTT-2026-0001", "OKTT-2026-0002"]
    desk.later(days=365)
    assert desk.item(draft("c")) == "OKTT-2027-0001"


@pytest.mark.parametrize("words", [{"title": "Andere titel"}, {"summary": "Andere tekst."}])
def test_wording_alone_makes_no_version_and_voids_nothing(desk: Desk, words: dict[str, Any]) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.act("release", item)
    assert effects(desk.receive(draft("a", cves=(ONE,), **words))) == ["unchanged"]
    assert (desk.version(item), desk.state(item)) == (1, "released")
    assert desk.released(item) is not None


CHANGES: dict[str, dict[str, Any]] = {
    "product": {"affected": (Affected("Fortinet", "FortiOS"),)},
    "exploited": {"exploited": True},
    "kans": {"kans": "high"},
    "schade": {"schade": "high"},
    "cvss class": {"cvss": 9.1},
    "remedy": {"remedies": ("Werk bij naar 7.2.8.",)},
    "indicator": {"observables": (Observable("domain", "kwaad.example", "attacker"),)},
    "withdrawal": {"withdrawn": True},
    "label": {"label": Label.GREEN},
    "sector": {"sectors": ("SBI:25",)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_meaning_makes_a_version_and_voids_the_release(desk: Desk, change: str) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.act("release", item)
    assert effects(desk.receive(draft("a", cves=(ONE,), **CHANGES[change]))) == ["updated"]
    assert (desk.version(item), desk.state(item)) == (2, "new")
    assert desk.released(item) is None


def test_what_an_item_means_is_stored_under_a_key(desk: Desk) -> None:
    """A plain hash over an address and little more is found by trying all addresses."""
    address = Observable("ipv4", "198.51.100.7", "attacker", "c2")
    whole = desk.whole(desk.item(draft("a", "indicators", observables=(address,))))
    plain = identity.meaning("indicators", Label.CLEAR, inbox.standing_facts(whole))
    stored = desk.connection.scalar(sa.select(inbox.items.c.meaning))
    assert (stored, len(stored or "")) == (GUARD.keyed(b"item-meaning", plain), 64)
    assert stored != plain
    other = Guard(GUARD.policy, b"another key of the tests ........")
    assert other.keyed(b"item-meaning", plain) != stored != GUARD.keyed(b"other", plain)


def test_what_was_stored_by_another_rule_is_weighed_anew(desk: Desk) -> None:
    """After an upgrade that changes what counts as meaning, nothing is news for that alone."""
    item = desk.item(draft("a", cves=(ONE,), sectors=("SBI:25",)))
    desk.act("release", item)
    desk.connection.execute(inbox.statements.update(), {"meaning": "0" * 64})
    desk.connection.execute(inbox.items.update(), {"meaning": "0" * 64})
    assert effects(desk.receive(draft("a", cves=(ONE,), sectors=("SBI:25",), title="Andere titel"))) == ["unchanged"]
    assert (desk.state(item), desk.version(item)) == ("released", 1)
    assert effects(desk.receive(draft("b", cves=(ONE,), sectors=("SBI:25",)), "kev")) == ["merged"]
    assert (desk.state(item), desk.version(item)) == ("new", 1)


def test_two_ids_of_one_series_are_mentioned_and_name_neither(desk: Desk) -> None:
    """A report that cites three advisories is not the same threat as each of them."""
    one = desk.item(draft("a", tracking=("GHSA-aaaa-bbbb-cccc",)))
    desk.item(draft("b", tracking=("GHSA-dddd-eeee-ffff",)))
    report = draft("c", "report", tracking=("ACME-1", "GHSA-aaaa-bbbb-cccc", "GHSA-dddd-eeee-ffff"))
    assert desk.item(report, "market") not in (one, "OKTT-2026-0002")
    assert desk.item(draft("d", tracking=("ACME-2", "ghsa-aaaa-bbbb-cccc")), "market") == one


def test_counts_of_what_the_guard_took_out_connect_nothing(desk: Desk) -> None:
    address = (Observable("ipv4", "198.51.100.7", "unknown", asn=64496),)
    (one,) = desk.receive(draft("a", "indicators", observables=address), "market", regime="no-basis")
    (other,) = desk.receive(draft("b", "indicators", observables=address), "cert", regime="no-basis")
    assert [each.value for each in desk.whole(str(one.item)).statements[0].facts.observables] == ["AS64496"]
    assert other.effect == "new"


def test_equal_tracking_ids_merge_whatever_the_source(desk: Desk) -> None:
    item = desk.item(draft("a", tracking=("NCSC-2026-0412",), cves=(ONE,)))
    assert desk.item(draft("b", tracking=("NCSC-2026-0412",)), "market") == item
    assert desk.item(draft("c", tracking=("NCSC-2026-0413",)), "market") != item


def test_equal_cve_sets_merge_and_overlapping_ones_do_not(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE, TWO)))
    assert desk.item(draft("b", cves=(TWO, ONE)), "kev") == item
    assert desk.item(draft("c", cves=(ONE,)), "kev") != item
    assert desk.item(draft("d"), "kev") != desk.item(draft("e"), "kev")


def test_two_items_that_a_third_connects_become_one(desk: Desk) -> None:
    first, second = desk.item(draft("a", tracking=("NCSC-2026-0001",))), desk.item(draft("b", cves=(ONE,)), "kev")
    assert first != second
    assert effects(desk.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(ONE,)), "market")) == ["merged"]
    assert {each.source for each in desk.whole(first).statements} == {"ncsc-nl", "kev", "market"}
    assert desk.state(second) == "declined"
    assert desk.history(second)[-1] == "merged away"
    with pytest.raises(TriageError, match=f"same threat as {first}"):
        desk.whole(second)
    assert desk.item(draft("b", cves=(ONE,), cvss=9.9), "kev") == first


def test_who_is_furthest_on_its_way_survives(desk: Desk) -> None:
    old, young = desk.item(draft("a", tracking=("NCSC-2026-0001",))), desk.item(draft("b", cves=(ONE,)), "kev")
    desk.act("release", young)
    assert desk.item(draft("c", tracking=("NCSC-2026-0001",), cves=(ONE,)), "market") == young
    assert desk.state(old) == "declined"
    assert desk.state(young) == "new"


def test_what_is_out_survives_and_tells_what_it_took_in(desk: Desk) -> None:
    """Also while a newer version of it waits: its readers have it."""
    claimed = desk.item(draft("a", tracking=("NCSC-2026-0001",)))
    desk.act("claim", claimed)
    out = desk.item(draft("b", cves=(ONE,)), "kev")
    desk.act("release", out)
    desk.receive(draft("b", cves=(ONE,), cvss=9.9), "kev")
    (admission,) = desk.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(ONE,)), "market")
    assert (admission.item, admission.took) == (out, (claimed,))
    assert inbox.taken_in(desk.connection, out) == [claimed]
    assert desk.marks(out)


def test_a_stricter_label_outlives_the_merge(desk: Desk) -> None:
    """An analyst raised the one; the other, wider and older, takes it in."""
    desk.item(draft("a", tracking=("NCSC-2026-0001",)))
    raised = desk.item(draft("b", cves=(ONE,)), "kev")
    desk.act("release", raised, tlp=Label.AMBER, urgency="today")
    desk.act("withdraw", raised)
    survivor = desk.item(draft("c", tracking=("NCSC-2026-0001",), cves=(ONE,)), "market")
    assert survivor != raised
    case = desk.case(survivor)
    assert (case.label, case.urgency) == (Label.AMBER, "today")
    assert inbox.card(desk.connection, survivor)["tlp"] == "AMBER"


def test_a_hold_of_a_person_outlives_the_merge(desk: Desk) -> None:
    held = desk.item(draft("b", cves=(ONE,)), "kev")
    desk.act("hold", held)
    out = desk.item(draft("a", tracking=("NCSC-2026-0001",)))
    desk.act("release", out)
    assert desk.item(draft("c", tracking=("NCSC-2026-0001",), cves=(ONE,)), "market") == out
    assert desk.state(out) == "held"
    assert desk.rule(out) is None


def five() -> list[tuple[Draft, str]]:
    return [
        (draft("a", tracking=("NCSC-2026-0001",), cvss=5.0), "ncsc-nl"),
        (draft("b", cves=(ONE,), exploited=True), "kev"),
        (draft("c", "report", tracking=("NCSC-2026-0001",), cves=(ONE,), label=Label.AMBER), "market"),
        (draft("d", cves=(ONE, TWO)), "market"),
        (draft("cve", "facts", cves=(TWO,), cvss=9.9), "cve"),
    ]


def test_the_order_of_arrival_decides_nothing(empty_url: str) -> None:
    from app import database

    engine = database.connect(empty_url)
    metadata.create_all(engine)
    seen = set()
    with engine.connect() as connection:
        for order in permutations(five()):
            with connection.begin() as transaction:
                desk = Desk(connection)
                for what, source in order:
                    desk.receive(what, source)
                found = connection.execute(sa.select(inbox.items).where(inbox.items.c.state != "declined")).all()
                seen.add((
                    frozenset(desk.sources()),
                    frozenset((each.kind, each.meaning, each.state) for each in found),
                    frozenset(frozenset(fact.key for fact in desk.whole(each.id).facts) for each in found),
                ))  # fmt: skip
                transaction.rollback()
    engine.dispose()
    assert len(seen) == 1
    ((together, items, facts),) = seen
    assert sorted(map(len, together)) == [1, 3]
    assert len(items) == 2
    assert sorted(map(len, facts)) == [0, 1]


KEYS = st.sampled_from([("NCSC-2026-0001",), ("NCSC-2026-0002",), ("NCSC-2026-0003",), ()])
DRAFTS = st.lists(
    st.builds(
        lambda kind, tracking, cves, source: (kind, tracking, tuple(sorted(cves)), source),
        st.sampled_from(["advisory", "report", "news", "exposure"]),
        KEYS,
        st.sets(st.sampled_from([ONE, TWO]), max_size=2),
        st.sampled_from(["ncsc-nl", "kev", "market"]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=DRAFTS, data=st.data())
def test_any_order_gives_the_same_items(
    tmp_path_factory: pytest.TempPathFactory, drafts: list[Any], data: st.DataObject
) -> None:
    made = [
        (draft(f"k{n}", kind, tracking=tracking, cves=cves), source)
        for n, (kind, tracking, cves, source) in enumerate(drafts)
    ]
    orders = [made, data.draw(st.permutations(made))]
    results = []
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        for order in orders:
            with connection.begin() as transaction:
                desk = Desk(connection)
                for what, source in order:
                    desk.receive(what, source)
                results.append(desk.sources())
                transaction.rollback()
    engine.dispose()
    assert results[0] == results[1]


@pytest.mark.parametrize("first", [True, False])
def test_cve_records_join_before_and_after(desk: Desk, first: bool) -> None:
    record, advisory = draft("CVE-2026-0001", "facts", cves=(ONE,), cvss=9.9), draft("a", cves=(ONE,), cvss=5.0)
    if first:
        assert desk.receive(record, "cve") == []
        item = desk.item(advisory)
        assert desk.version(item) == 1
    else:
        item = desk.item(advisory)
        assert desk.receive(record, "cve") == [Admission("updated", item, held=False)]
        assert desk.version(item) == 2
    assert [each.source for each in desk.whole(item).facts] == ["cve"]
    assert inbox.card(desk.connection, item)["urgency"] == "this-week"


def test_a_cve_record_that_adds_nothing_leaves_the_release_alone(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,), cvss=9.9))
    desk.act("release", item)
    assert desk.receive(draft("CVE-2026-0001", "facts", cves=(ONE,), cvss=9.9), "cve") == []
    assert desk.state(item) == "released"
    assert desk.released(item) is not None


def test_exposures_never_merge(desk: Desk) -> None:
    rows = (Observable("ipv4", "192.0.2.1", "victim"),)
    one = draft("scan_rdp/2026-03-01", "exposure", exposure="open-rdp", observables=rows, tracking=("NCSC-2026-0001",))
    two = draft("scan_rdp/2026-03-02", "exposure", exposure="open-rdp", observables=rows, tracking=("NCSC-2026-0001",))
    assert desk.item(one, "shadowserver") != desk.item(two, "shadowserver")
    assert desk.item(one, "other") not in (desk.item(one, "shadowserver"), desk.item(two, "shadowserver"))


def test_what_the_guard_holds_waits_and_may_be_let_go(desk: Desk) -> None:
    (held,) = desk.receive(draft("a", cves=(ONE,), doubts=("unknown-marking",)))
    assert held.held
    assert held.item is not None
    assert desk.state(held.item) == "held"
    assert inbox.card(desk.connection, held.item)["holds"] == ["unknown-marking"]
    assert desk.rule(held.item) is None
    (freed,) = desk.receive(draft("a", cves=(ONE,), cvss=9.9))
    assert not freed.held
    assert desk.state(held.item) == "new"


def test_a_held_statement_holds_what_was_released(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.act("release", item)
    desk.receive(draft("b", cves=(ONE,), doubts=("unknown-marking",)), "market")
    assert desk.state(item) == "held"
    assert desk.released(item) is None


@pytest.mark.parametrize("key", ["one", "other"])
def test_a_doubt_that_comes_with_the_same_again_holds_it(desk: Desk, key: str) -> None:
    """Under its own id, and as a republication with a new one."""
    seen = (Observable("domain", "c2.example", "attacker"), Observable("domain", "d2.example", "attacker"))
    item = desk.item(draft("one", "indicators", observables=seen))
    (again,) = desk.receive(draft(key, "indicators", observables=seen, doubts=("unknown-marking",)))
    assert (again.effect, again.item, again.held) == ("unchanged", item, True)
    found = inbox.row(desk.connection, item)
    assert (found.state, found.version) == ("held", 1)
    assert effects(desk.receive(draft(key, "indicators", observables=seen, doubts=("unknown-marking",)))) == [
        "unchanged"
    ]


def test_what_a_person_holds_stays_with_people(desk: Desk) -> None:
    """Neither a statement more nor a CVE record gives it to the rules."""
    item = desk.item(draft("a", cves=(ONE,)))
    desk.act("hold", item)
    desk.receive(draft("b", cves=(ONE,), cvss=9.9), "kev")
    desk.receive(draft("CVE-2026-0001", "facts", cves=(ONE,), exploited=True), "cve")
    assert desk.version(item) == 3
    assert desk.state(item) == "held"
    assert desk.rule(item) is None
    desk.act("claim", item)
    assert desk.act("release", item) is not None


@pytest.mark.parametrize("state", ["released", "pending"])
def test_a_statement_more_asks_for_a_new_decision(desk: Desk, state: str) -> None:
    """Also one that changes no meaning: nobody saw its words. The version, and so the messages, stay."""
    item = desk.item(draft("a", cves=(ONE,), sectors=("SBI:25",)))
    if state == "pending":
        desk.subscribe(3)
        desk.settings = type(desk.settings)(second_person_over=2)
    desk.act("release", item)
    assert desk.state(item) == state
    assert effects(desk.receive(draft("b", cves=(ONE,), sectors=("SBI:25",)), "kev")) == ["merged"]
    assert (desk.version(item), desk.state(item)) == (1, "new")
    assert desk.released(item) is None
    assert desk.history(item)[-1] == "repeated"


def test_a_claimed_item_stays_claimed(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    desk.act("claim", item)
    desk.receive(draft("b", cves=(ONE,), cvss=9.9), "kev")
    assert (desk.version(item), desk.state(item)) == (2, "claimed")


@pytest.mark.parametrize("end", ["declined", "withdrawn"])
def test_what_was_ended_comes_back_only_with_news(desk: Desk, end: str) -> None:
    item = desk.item(draft("a", cves=(ONE,)))
    if end == "withdrawn":
        desk.act("release", item)
    desk.act("decline" if end == "declined" else "withdraw", item)
    desk.receive(draft("b", cves=(ONE,)), "kev")
    assert desk.state(item) == end
    desk.receive(draft("b", cves=(ONE,), exploited=True), "kev")
    assert desk.state(item) == "new"


def test_a_broken_seal_is_an_error_that_names_the_item(desk: Desk) -> None:
    item = desk.item()
    (sealed,) = desk.connection.scalars(sa.select(inbox.statements.c.sealed)).all()
    changed = sealed.replace(b'"label":"CLEAR"', b'"label":"GREEN"')
    assert changed != sealed
    desk.connection.execute(inbox.statements.update().values(sealed=changed))
    with pytest.raises(GuardError, match=item):
        desk.whole(item)


def test_the_card_tells_analysts_all(desk: Desk) -> None:
    desk.receive(draft("a", cves=(ONE,), kans="high", schade="high", countries=("NL",)))
    desk.receive(draft("b", "report", cves=(ONE,), label=Label.AMBER), "market")
    (card,) = inbox.cards(desk.connection)
    assert card["kind"] == "advisory"
    assert card["title"] == "Kwetsbaarheid a"
    assert (card["tlp"], card["labels"], card["urgency"]) == ("CLEAR", ["CLEAR", "AMBER"], "today")
    assert (card["sources"], card["cves"], card["countries"]) == (["market", "ncsc-nl"], [ONE], ["NL"])


def test_an_earlier_version_is_as_it_was(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(ONE,), cvss=5.0))
    desk.receive(draft("a", cves=(ONE,), cvss=9.9))
    old = inbox.earlier(desk.connection, GUARD, item, 1)
    assert old is not None
    assert old.statements[0].facts.cvss == 5.0
    assert inbox.earlier(desk.connection, GUARD, item, 3) is None
