"""Who may decide what, when, and on what a decision rests."""

from typing import get_args

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from normalize import Observable
from pii_guard import GuardError
from tests.triage.desk import GUARD, Desk, draft
from tlp import Label
from triage import Act, State, TriageError, decide, inbox, leads, releases
from triage.cases import Request
from triage.rules import DeskSettings, Rule

CVE = "CVE-2026-0001"
STATES: tuple[State, ...] = get_args(State)
TABLE: dict[State, dict[Act, State]] = {
    "new": {"claim": "claimed", "hold": "held", "decline": "declined", "release": "released"},
    "claimed": {"claim": "claimed", "hold": "held", "decline": "declined", "release": "released"},
    "held": {"claim": "claimed", "hold": "held", "decline": "declined", "release": "released"},
    "pending": {"hold": "held", "decline": "declined", "release": "pending", "approve": "released"},
    "released": {"hold": "held", "release": "released", "withdraw": "withdrawn"},
    "declined": {"claim": "claimed", "release": "released"},
    "withdrawn": {},
}


def put(desk: Desk, state: State) -> str:
    """An item in a state, by the ways that lead there."""
    item = desk.item(draft("a", cves=(CVE,), sectors=("SBI:25",)))
    if state == "pending":
        desk.subscribe(3)
        desk.settings = DeskSettings(second_person_over=2)
    if state in ("released", "pending", "withdrawn"):
        desk.act("release", item)
    ways: dict[State, Act] = {"claimed": "claim", "held": "hold", "declined": "decline", "withdrawn": "withdraw"}
    if state in ways:
        desk.act(ways[state], item)
    assert desk.state(item) == state
    return item


@pytest.mark.parametrize("state", STATES)
def test_every_transition(desk: Desk, state: State) -> None:
    item = put(desk, state)
    for act in get_args(Act):
        by = "bert" if act == "approve" else "anna"
        more = {"urgency": "today"} if state == "released" and act == "release" else {}
        with desk.connection.begin_nested() as trial:
            if act in TABLE[state]:
                desk.act(act, item, by, **more)
                assert desk.state(item) == TABLE[state][act]
            else:
                with pytest.raises(TriageError, match=f"{item} is {state}: {act} is not possible"):
                    desk.act(act, item, by, **more)
                assert desk.state(item) == state
            trial.rollback()


def test_an_item_that_is_not_there(desk: Desk) -> None:
    for act in get_args(Act):
        with pytest.raises(TriageError, match="there is no item OKTT-2026-0404"):
            desk.act(act, "OKTT-2026-0404")


@pytest.mark.parametrize("name", ["anna", "Anna", " anna ", "ANNA"])
def test_the_same_person_twice_is_refused(desk: Desk, name: str) -> None:
    item = put(desk, "pending")
    with pytest.raises(TriageError, match="somebody else"):
        desk.act("approve", item, name)
    assert desk.state(item) == "pending"
    assert desk.released(item) is None
    approved = desk.act("approve", item, "bert")
    assert approved is not None
    assert approved.decision.by == "anna"
    assert [(each["by"], each["what"]) for each in inbox.past(desk.connection, item)][1:] == [
        ("anna", "release, waits for a second person"),
        ("bert", "approve"),
    ]


@pytest.mark.parametrize(("over", "state"), [(2, "pending"), (3, "released")])
def test_a_second_person_over_the_threshold(desk: Desk, over: int, state: str) -> None:
    desk.subscribe(3)
    desk.settings = DeskSettings(second_person_over=over)
    item = desk.item(draft("a", sectors=("SBI:25",), affected=()))
    assert (desk.act("release", item) is None) == (state == "pending")
    assert desk.state(item) == state


def test_only_the_analysts_of_the_settings(desk: Desk) -> None:
    desk.settings = DeskSettings(analysts=("anna",))
    item = desk.item()
    for act in ("claim", "hold", "decline", "release"):
        with pytest.raises(TriageError, match="analysts"):
            desk.act(act, item, "bert")
    desk.act("claim", item, "anna")


@pytest.mark.parametrize("name", ["", "  ", "rule:all", " Rule:all", "x" * 101])
def test_a_decision_has_a_person(desk: Desk, name: str) -> None:
    item = desk.item()
    for act in ("claim", "release"):
        with pytest.raises(TriageError, match="name of a person"):
            desk.act(act, item, name)


def test_what_another_claimed_is_theirs(desk: Desk) -> None:
    item = desk.item()
    desk.act("claim", item, "anna")
    for act in ("claim", "release"):
        with pytest.raises(TriageError, match="claimed by anna"):
            desk.act(act, item, "bert")
    desk.act("hold", item, "bert")
    desk.act("claim", item, "bert")
    assert desk.act("release", item, "bert") is not None


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize(("state", "act"), [("new", "hold"), ("new", "decline"), ("released", "withdraw")])
def test_what_keeps_back_needs_a_reason(desk: Desk, state: State, act: Act, reason: str) -> None:
    item = put(desk, state)
    with pytest.raises(TriageError, match="--reason"):
        desk.act(act, item, reason=reason)
    assert desk.state(item) == state


@pytest.mark.parametrize("claimed", [False, True])
@pytest.mark.parametrize("by", ["a person", "the door", "a decline"])
def test_to_release_what_was_kept_back_needs_a_reason(desk: Desk, by: str, claimed: bool) -> None:
    """A claim in between does not take the hold's question away."""
    item = desk.item(draft("a", cves=(CVE,), doubts=("unknown-marking",) if by == "the door" else ()))
    if by != "the door":
        desk.act("hold" if by == "a person" else "decline", item)
    if claimed:
        desk.act("claim", item, reason="")
    state = desk.state(item)
    with pytest.raises(TriageError, match=f"oktt item {item}.*--reason"):
        desk.act("release", item, reason=" ")
    assert (desk.state(item), desk.released(item)) == (state, None)
    released = desk.act("release", item, reason="nagevraagd bij de bron")
    assert released is not None
    assert released.decision.reason == inbox.past(desk.connection, item)[-1]["reason"] == "nagevraagd bij de bron"


def test_what_nobody_kept_back_needs_none(desk: Desk) -> None:
    item = desk.item()
    desk.act("claim", item, reason="")
    assert desk.act("release", item, reason="") is not None


def test_a_long_reason_is_stored_on_both_engines(desk: Desk) -> None:
    item = desk.item()
    desk.act("hold", item, reason="é" * 2000)
    assert len(inbox.past(desk.connection, item)[-1]["reason"]) == 500


@pytest.mark.parametrize("own", list(Label))
def test_a_label_gets_stricter_and_never_wider(desk: Desk, own: Label) -> None:
    item = desk.item(draft("a", cves=(CVE,), label=own))
    for wanted in Label:
        if wanted < own:
            with pytest.raises(TriageError, match="widened only with the source's consent; ask it for a new version"):
                desk.act("release", item, tlp=wanted)
            with pytest.raises(TriageError, match="say who of it gave it, and when: --reason"):
                desk.act("release", item, to=("s1",), reason=" ")
            continue
        with desk.connection.begin_nested() as trial:
            released = desk.act("release", item, tlp=wanted)
            assert released is not None
            assert released.label is wanted
            assert desk.marks(item) == {"ncsc-nl": [wanted]}
            trial.rollback()


def test_a_label_that_was_raised_stays_raised(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    desk.act("release", item, tlp=Label.AMBER)
    with pytest.raises(TriageError, match="AMBER"):
        desk.act("release", item, tlp=Label.GREEN)
    desk.receive(draft("a", cves=(CVE,), cvss=9.9))
    with pytest.raises(TriageError, match="AMBER"):
        desk.act("release", item, tlp=Label.CLEAR)
    released = desk.act("release", item)
    assert released is not None
    assert released.label is Label.AMBER
    assert desk.marks(item) == {"ncsc-nl": [Label.AMBER]}


def test_a_label_can_be_raised_on_what_is_out(desk: Desk) -> None:
    item = put(desk, "released")
    with pytest.raises(TriageError, match="released already"):
        desk.act("release", item)
    again = desk.act("release", item, tlp=Label.GREEN)
    assert again is not None
    assert again.item.version == 1
    standing = desk.released(item)
    assert standing is not None
    assert standing.label is Label.GREEN


def test_the_urgency_of_an_analyst_holds(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    first = desk.act("release", item, urgency="today")
    assert first is not None
    assert first.urgency == "today"
    assert inbox.card(desk.connection, item)["urgency"] == "today"
    desk.receive(draft("a", cves=(CVE,), kans="high"))
    again = desk.act("release", item)
    assert again is not None
    assert again.urgency == "today"


def test_a_rule_releases_what_is_new_and_nothing_else(desk: Desk) -> None:
    for state in STATES:
        item = put(desk, state)
        released = desk.rule(item)
        assert (released is not None) == (state == "new"), state
        if released is not None:
            assert released.decision.by == "rule:all"
            assert desk.state(item) == "released"
        releases.delete(desk.connection, item)
        leads.delete(desk.connection, item)
        inbox.delete(desk.connection, item)
        desk.people, desk.settings = [], DeskSettings()


@pytest.mark.parametrize("settings", [DeskSettings(person_over=2), DeskSettings(second_person_over=2)])
def test_many_alerts_need_a_person(desk: Desk, settings: DeskSettings) -> None:
    desk.subscribe(3)
    item = desk.item(draft("a", sectors=("SBI:25",)))
    desk.settings = settings
    assert desk.rule(item) is None
    desk.settings = DeskSettings(person_over=3)
    assert desk.rule(item) is not None


def test_no_rule_releases_above_the_label_an_analyst_set(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    desk.act("release", item, tlp=Label.AMBER)
    desk.receive(draft("a", cves=(CVE,), cvss=9.9))
    clear = Rule("clear", "alles wat CLEAR is", match=False)
    assert desk.rule(item, clear) is None
    assert desk.rule(item, Rule("amber", "x", tlp=Label.AMBER, match=False))


def changed_version(desk: Desk, _: str) -> None:
    desk.receive(draft("a", cves=(CVE,), sectors=("SBI:25",), cvss=9.9))


def changed_words(desk: Desk, _: str) -> None:
    desk.receive(draft("b", cves=(CVE,), sectors=("SBI:25",)), "kev")


def changed_label(desk: Desk, item: str) -> None:
    desk.connection.execute(inbox.items.update().where(inbox.items.c.id == item).values(label="GREEN"))


def changed_urgency(desk: Desk, item: str) -> None:
    desk.connection.execute(inbox.items.update().where(inbox.items.c.id == item).values(urgency="today"))


def changed_templates(desk: Desk, _: str) -> None:
    desk.shown = "other advice"


@pytest.mark.parametrize("change", [changed_version, changed_words, changed_label, changed_urgency, changed_templates])
@pytest.mark.parametrize("state", ["released", "pending"])
def test_a_decision_is_void_when_what_it_rests_on_changes(desk: Desk, state: State, change) -> None:  # type: ignore[no-untyped-def]
    item = put(desk, state)
    change(desk, item)
    assert desk.released(item) is None
    if state == "pending":
        with pytest.raises(TriageError):
            desk.act("approve", item, "bert")
    desk.settings = DeskSettings()
    assert desk.act("release", item) is not None, "what was void can be decided again"
    assert desk.released(item) is not None


def test_what_became_void_by_other_advice_is_new_again(desk: Desk) -> None:
    old, young = put(desk, "released"), desk.item(draft("other"))
    desk.later(days=2)
    desk.act("release", young)
    since = desk.now.replace(hour=0)
    assert releases.void(desk.connection, {desk.shown}, since.replace(year=2025)) == []
    assert releases.void(desk.connection, {"other"}, since) == [young]
    assert releases.void(desk.connection, {"other"}, since.replace(year=2025)) == [old, young]
    decide.reopen(desk.connection, young, desk.now)
    assert desk.state(young) == "new"
    assert decide.undecided(desk.connection, "mark") == [young]
    assert desk.rule(young) is not None
    desk.act("withdraw", old)
    decide.reopen(desk.connection, old, desk.now)
    assert desk.state(old) == "withdrawn"


def test_rules_look_once_under_one_mark(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    assert decide.undecided(desk.connection, "m1") == [item]
    decide.looked_at(desk.connection, [item], "m1")
    assert decide.undecided(desk.connection, "m1") == []
    assert decide.undecided(desk.connection, "m2") == [item]
    desk.receive(draft("b", cves=(CVE,)), "kev")
    assert decide.undecided(desk.connection, "m1") == [item]


def test_what_stands_by_time(desk: Desk) -> None:
    first, second, third = (desk.item(draft(key)) for key in "abc")
    desk.act("release", second)
    middle = desk.now
    desk.later(hours=1)
    desk.act("release", first)
    assert releases.standing(desk.connection) == [second, first]
    assert releases.standing(desk.connection, since=desk.now) == [first]
    assert releases.standing(desk.connection, until=desk.now) == [second]
    assert releases.standing(desk.connection, since=middle, until=desk.now) == [second]
    desk.act("withdraw", second)
    assert releases.standing(desk.connection) == [first]
    assert third not in releases.standing(desk.connection)


def test_what_was_merged_away_stands_no_more(desk: Desk) -> None:
    one, two = desk.item(draft("a", tracking=("NCSC-2026-0001",))), desk.item(draft("b", cves=(CVE,)), "kev")
    desk.act("release", one)
    desk.act("release", two)
    desk.receive(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)), "market")
    assert releases.standing(desk.connection) == [one], "the survivor stands as released, until somebody decides anew"
    assert releases.marks(desk.connection, two, {}) == ()
    desk.act("release", one)
    assert releases.standing(desk.connection) == [one]


def test_approval_takes_effect_when_it_is_given(desk: Desk) -> None:
    item = put(desk, "pending")
    asked = desk.now
    desk.later(days=4)
    desk.act("approve", item, "bert")
    assert releases.standing(desk.connection, until=asked.replace(hour=23)) == []
    assert releases.standing(desk.connection, since=desk.now) == [item]


def test_an_approved_audience_is_cut_with_the_match(desk: Desk) -> None:
    item = put(desk, "pending")
    del desk.people[0]
    desk.people += [replace(desk.people[0], id="s9", number=9)]
    approved = desk.act("approve", item, "bert")
    assert approved is not None
    assert set(approved.audience) == {2, 3}, "who left gets nothing, who came later needs a rule"


# --- labels of what was published


def test_marks_are_the_labels_of_today(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    assert desk.marks(item) == {}
    desk.act("release", item)
    assert desk.marks(item) == {"ncsc-nl": [Label.CLEAR]}
    desk.receive(draft("a", cves=(CVE,), label=Label.AMBER))
    assert desk.state(item) == "new"
    assert desk.marks(item) == {"ncsc-nl": [Label.AMBER]}, "what is out stays, under the label of today"
    desk.act("release", item)
    desk.act("withdraw", item)
    assert desk.marks(item) == {}


def test_a_cve_record_is_as_strict_as_what_names_its_cve(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), label=Label.AMBER), "market")
    desk.receive(draft(CVE, "facts", cves=(CVE,)), "cve")
    desk.act("release", item)
    assert desk.marks(item) == {"market": [Label.AMBER], "cve": [Label.AMBER]}
    desk.receive(draft("b", cves=(CVE,)), "ncsc-nl")
    assert sorted(desk.marks(item)["cve"]) == [Label.CLEAR, Label.AMBER]
    desk.act("release", item, tlp=Label.GREEN)
    assert sorted(desk.marks(item)["cve"]) == [Label.GREEN, Label.AMBER]


@pytest.mark.parametrize("classes", [frozenset(), frozenset({"company"})])
def test_marks_agree_with_what_matching_shows(desk: Desk, classes: frozenset[str]) -> None:
    """The labels of a request are those of the delivery, consent included."""
    from filtering.disclosure import marked

    desk.consents = {"market": classes}
    item = desk.item(draft("a", cves=(CVE,), label=Label.RED), "market")
    desk.receive(draft("b", cves=(CVE, "CVE-2026-0002"), tracking=("NCSC-2026-0001",)), "ncsc-nl")
    desk.receive(draft("c", cves=(CVE,), label=Label.GREEN, tracking=("NCSC-2026-0001",)), "kev")
    desk.receive(draft(CVE, "facts", cves=(CVE,)), "cve")
    desk.receive(draft("CVE-2026-0002", "facts", cves=("CVE-2026-0002",), label=Label.GREEN), "cve")
    released = desk.act("release", item, to=("s1",))
    assert released is not None
    assert set(releases.marks(desk.connection, item, desk.consents)) == set(
        marked(released.item, released.consents, released.label)
    )


# --- consent


def test_consent_belongs_to_the_decision_that_names_it(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), label=Label.RED), "market")
    first = desk.act("release", item, to=("s1",))
    assert first is not None
    (consent,) = first.consents.values()
    assert consent.recipients == {"s1"}
    standing = desk.released(item)
    assert standing is not None
    assert standing.consents == first.consents
    desk.receive(draft("b", cves=(CVE,), label=Label.RED), "other")
    assert desk.case(item).to == ()
    again = desk.act("release", item)
    assert again is not None
    assert all(not each.recipients for each in again.consents.values())


def test_consent_waits_with_the_release(desk: Desk) -> None:
    desk.subscribe(3)
    item = desk.item(draft("a", sectors=("SBI:25",)))
    desk.settings = DeskSettings(second_person_over=2)
    assert desk.act("release", item, to=("s2",)) is None
    approved = desk.act("approve", item, "bert")
    assert approved is not None
    assert [each.recipients for each in approved.consents.values()] == [{"s2"}]


# --- taking back


def test_withdrawn_is_what_those_who_got_it_are_told(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), label=Label.RED), "market")
    assert decide.withdrawn(desk.connection, GUARD, item, 1, {}) is None
    released = desk.act("release", item, to=("s1",))
    assert decide.withdrawn(desk.connection, GUARD, item, 1, {}) is None
    desk.act("withdraw", item)
    assert released is not None
    told = decide.withdrawn(desk.connection, GUARD, item, 1, {})
    assert told is not None
    assert told.decision.act == "withdraw"
    assert told.consents == released.consents, "a named recipient has to hear of it too"
    assert desk.released(item) is None


@pytest.mark.parametrize("state", ["new", "claimed", "held", "declined", "pending"])
def test_what_is_out_can_be_withdrawn_while_a_newer_version_waits(desk: Desk, state: State) -> None:
    item = desk.item(draft("a", cves=(CVE,), sectors=("SBI:25",), cvss=5.0))
    desk.act("release", item)
    desk.receive(draft("b", cves=(CVE,), sectors=("SBI:25",), cvss=9.9, label=Label.AMBER), "market")
    if state == "pending":
        desk.subscribe(3)
        desk.settings = DeskSettings(second_person_over=2)
        desk.act("release", item)
    elif state != "new":
        ways: dict[State, Act] = {"claimed": "claim", "held": "hold", "declined": "decline"}
        desk.act(ways[state], item)
    assert desk.state(item) == state
    assert desk.marks(item), "what was released stays out until somebody decides"
    desk.act("withdraw", item)
    assert desk.marks(item) == {}
    told = decide.withdrawn(desk.connection, GUARD, item, 1, {})
    assert told is not None
    assert told.item.version == 1
    assert [each.source for each in told.item.statements] == ["ncsc-nl"], "nothing of what nobody released"


def test_a_declined_item_that_never_went_out_cannot_be_withdrawn(desk: Desk) -> None:
    item = put(desk, "declined")
    with pytest.raises(TriageError, match="possible: claim, release"):
        desk.act("withdraw", item)


def test_what_waits_for_a_second_person_does_not_hide_what_is_out(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), sectors=("SBI:25",)))
    desk.act("release", item)
    desk.receive(draft("a", cves=(CVE,), sectors=("SBI:25",), cvss=9.9))
    desk.subscribe(3)
    desk.settings = DeskSettings(second_person_over=2)
    assert desk.act("release", item) is None
    assert desk.marks(item) == {"ncsc-nl": [Label.CLEAR]}
    assert decide.earlier(desk.connection, GUARD, item, 1, {}) is not None
    assert decide.earlier(desk.connection, GUARD, item, 2, {}) is None, "nobody got that yet"
    desk.act("approve", item, "bert")
    active = sa.select(releases.releases.c.version).where(releases.releases.c.status == "active")
    assert list(desk.connection.scalars(active)) == [2]


def test_a_second_release_of_a_version_that_waits_leaves_what_is_out(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), sectors=("SBI:25",)))
    desk.act("release", item)
    desk.subscribe(3)
    desk.settings = DeskSettings(second_person_over=2)
    for by in ("anna", "bert"):
        assert desk.act("release", item, by, urgency="today") is None
        assert desk.marks(item) == {"ncsc-nl": [Label.CLEAR]}
    assert decide.earlier(desk.connection, GUARD, item, 1, {}) is not None, "that is what went out"
    desk.act("hold", item)
    assert desk.marks(item) == {"ncsc-nl": [Label.CLEAR]}
    assert desk.act("release", item, urgency="today") is None
    approved = desk.act("approve", item, "bert")
    assert approved is not None
    assert approved.stated == "today"
    assert list(desk.connection.scalars(sa.select(releases.releases.c.status))) == ["active"]
    assert desk.released(item) is not None


def test_what_waited_and_was_held_never_went_out(desk: Desk) -> None:
    item = put(desk, "pending")
    desk.act("hold", item)
    assert decide.earlier(desk.connection, GUARD, item, 1, {}) is None


def test_an_earlier_version_shows_under_no_wider_label_than_today(desk: Desk) -> None:
    """Else an update would tell as removed what its reader may no longer see."""
    item = desk.item(draft("a", cves=(CVE,)))
    desk.receive(draft("b", cves=(CVE,), cvss=9.9), "market")
    desk.act("release", item)
    version = desk.version(item)
    desk.receive(draft("b", cves=(CVE,), cvss=9.9, label=Label.AMBER), "market")
    old = decide.earlier(desk.connection, GUARD, item, version, {})
    assert old is not None
    assert {each.source: each.label for each in old.item.statements} == {
        "ncsc-nl": Label.CLEAR,
        "market": Label.AMBER,
    }
    assert decide.earlier(desk.connection, GUARD, item, 99, {}) is None


def test_its_source_withdrew_it(desk: Desk) -> None:
    item = put(desk, "released")
    desk.receive(draft("a", cves=(CVE,), sectors=("SBI:25",), withdrawn=True))
    released = desk.rule(item)
    assert released is not None
    decide.retract(desk.connection, released, desk.now)
    assert desk.state(item) == "withdrawn"
    assert desk.marks(item) == {}
    told = decide.withdrawn(desk.connection, GUARD, item, 2, {})
    assert told is not None
    assert told.item.version == 2
    desk.receive(draft("a", cves=(CVE,), sectors=("SBI:25",)))
    assert desk.state(item) == "new"
    assert desk.rule(item) is not None


@pytest.mark.parametrize("act", ["decline", "withdraw", "hold"])
def test_news_on_what_a_person_kept_back_waits_for_a_person(desk: Desk, act: Act) -> None:
    item = desk.item(draft("a", cves=(CVE,)))
    if act == "withdraw":
        desk.act("release", item)
    desk.act(act, item)
    desk.receive(draft("b", cves=(CVE,), exploited=True), "kev")
    assert desk.state(item) == ("held" if act == "hold" else "new")
    assert desk.rule(item) is None
    desk.act("claim", item)
    assert desk.act("release", item) is not None
    desk.receive(draft("b", cves=(CVE,), exploited=True, cvss=9.9), "kev")
    assert desk.rule(item) is not None, "a person let it out: it goes its way again"


def test_what_a_person_kept_back_stays_so_when_it_is_merged(desk: Desk) -> None:
    declined = desk.item(draft("a", tracking=("NCSC-2026-0001",)))
    desk.act("decline", declined)
    other = desk.item(draft("b", cves=(CVE,)))
    survivor = desk.item(draft("c", tracking=("NCSC-2026-0001",), cves=(CVE,)))
    assert survivor == other
    assert desk.state(survivor) == "new"
    assert desk.rule(survivor) is None
    for act in ("claim", "release", "withdraw"):
        with pytest.raises(TriageError, match=f"{declined} is the same threat as {survivor}"):
            desk.act(act, declined)


def test_everything_of_an_item_can_be_deleted(desk: Desk) -> None:
    item = put(desk, "withdrawn")
    releases.delete(desk.connection, item)
    leads.delete(desk.connection, item)
    inbox.delete(desk.connection, item)
    for table in (inbox.items, inbox.statements, leads.leads, inbox.cves, inbox.versions, inbox.history):
        assert desk.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0, table.name
    assert desk.item(draft("a", cves=(CVE,))) == "OKTT-2026-0002"


def test_a_case_of_a_changed_statement_is_an_error(desk: Desk) -> None:
    item = put(desk, "released")
    desk.connection.execute(inbox.statements.update().values(sealed=b"0" * 64 + b"{}"))
    with pytest.raises(GuardError, match=item):
        desk.released(item)


def test_a_request_alone_changes_nothing(desk: Desk) -> None:
    item = desk.item(draft("a", cves=(CVE,), observables=(Observable("domain", "kwaad.example", "attacker"),)))
    case = desk.case(item, Request("release", item, "anna", tlp=Label.RED, urgency="today", to=("s1",)))
    assert (case.label, case.urgency, case.to) == (Label.RED, "today", ("s1",))
    row = inbox.row(desk.connection, item)
    assert (row.label, row.urgency, row.state) == (None, None, "new")
