"""`filtering` against the plain matcher: the same outcome for every subscriber, also after the index has changed."""

from typing import get_args

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from filtering import Confidence, CriterionName, Outcome
from filtering.index import Index
from filtering.match import Matching, explain, match
from normalize import Urgency
from pii_guard import Item
from subscribers import Subscriber, SubscriberKind
from tests.filtering import oracle, strategies
from tlp import Consent, Label

NOW = strategies.NOW
urgencies = st.one_of(st.none(), st.sampled_from(oracle.URGENCIES))
stricter = st.one_of(st.none(), strategies.LABELS)
OUTCOMES: tuple[Outcome, ...] = (
    "deliver", "digest", "no-match", "tlp", "urgency", "opt-out", "quiet", "unverified", "vital",
)  # fmt: skip


def check(
    item: Item,
    index: Index,
    world: list[Subscriber],
    urgency: Urgency | None,
    consents: dict[str, Consent],
    label: Label | None,
) -> None:
    """Index, pair and oracle agree; the outcomes are disjoint and leave nobody out."""
    found = match(item, index, NOW, urgency=urgency, consents=consents, label=label)
    given_out = {number: outcome for outcome in OUTCOMES for number in found.outcomes.get(outcome, ())}
    assert sum(len(found.outcomes.get(outcome, ())) for outcome in OUTCOMES) == len(given_out), "outcomes overlap"
    assert set(found.outcomes) <= set(OUTCOMES)
    assert set(given_out) == {one.number for one in world}, "somebody is left out, or was removed and is still there"
    for one in world:
        verdict = oracle.decide(item, one, NOW, urgency=urgency, consents=consents, label=label, others=world)
        pair = explain(item, one, index, NOW, urgency=urgency, consents=consents, label=label)
        assert pair.subscriber == one.id
        assert (given_out[one.number], one.number in found.concerned) == (pair.outcome, pair.concerned), one
        assert pair.outcome in verdict.outcomes, (pair, one)
        assert pair.concerned in verdict.concerned, (pair, one)


@settings(max_examples=100)
@given(strategies.items(), strategies.worlds(), urgencies, strategies.consents(), stricter)
def test_every_subscriber_gets_what_the_rules_say(
    item: Item, world: list[Subscriber], urgency: Urgency | None, consents: dict[str, Consent], label: Label | None
) -> None:
    index = Index()
    for one in world:
        index.put(one)
    check(item, index, world, urgency, consents, label)


def test_the_strategies_reach_every_outcome_and_criterion() -> None:
    """What never occurs is held against nothing."""
    seen: set[tuple[str, ...]] = set()

    @settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategies.items(), strategies.worlds(), urgencies, strategies.consents())
    def look(item: Item, world: list[Subscriber], urgency: Urgency | None, consents: dict[str, Consent]) -> None:
        asked = Matching(item, Index.build(world), NOW, urgency=urgency, consents=consents)
        for one in world:
            said = asked.explain(one)
            seen.update({("outcome", said.outcome), ("kind", one.profile.kind), ("item", item.statements[0].kind)})
            for each in said.reasons:
                through = "through clients" if each.value.startswith("clients") else "itself"
                seen.add((each.criterion, "met" if each.matched else "not met", through))
                seen.add(("confidence", each.confidence))

    look()
    both = {(name, how, "itself") for name in get_args(CriterionName) for how in ("met", "not met")}
    wanted = both - {("verified", "met", "itself")}  # it is told where it is missing
    wanted |= {
        (name, how, "through clients") for name in ("network", "software", "sector") for how in ("met", "not met")
    }
    wanted |= {("outcome", each) for each in get_args(Outcome)} | {("item", each) for each in oracle.KINDS}
    wanted |= {("kind", each) for each in get_args(SubscriberKind)}
    wanted |= {("confidence", each) for each in get_args(Confidence)}
    assert wanted - seen == set()


@settings(max_examples=80)
@given(strategies.items(st.just(Label.CLEAR)), strategies.worlds())
def test_each_reason_is_what_the_rules_say_of_it(item: Item, world: list[Subscriber]) -> None:
    """Where everybody sees all of it."""
    asked = Matching(item, Index.build(world), NOW, urgency=None, consents={})
    said = [each.facts for each in (*item.statements, *item.facts)]
    places = [each for facts in said for each in facts.observables if each.type != "domain"]
    domains = [each for facts in said for each in facts.observables if each.type == "domain"]
    affected = [each for facts in said for each in facts.affected if each.status == "affected"]
    sectors = {code for facts in said for code in facts.sectors}
    for one in world:
        reasons = [each for each in asked.explain(one).reasons if not each.value.startswith("clients")]
        told = {each.criterion: each.matched for each in sorted(reasons, key=lambda each: each.matched)}
        verified, profile = one.profile.verified, one.profile
        rules = {
            "network": verified and any(oracle.owns(one, each, world) for each in places),
            "domain": verified and any(oracle.owns(one, each, world) for each in domains),
            "software": any(oracle.uses(line, each) for line in profile.software for each in affected),
            "sector": any(oracle.related(mine, code) for mine in oracle.my_sectors(one) for code in sectors),
            "verified": False,
        }
        rules |= dict.fromkeys(("country", "region"), "yes" in oracle.in_place(profile.country, profile.region, said))
        urgency, least = map(oracle.URGENCIES.index, (oracle.stated(item, item.statements), profile.min_urgency))
        rules |= {"urgency": urgency >= least, "quiet": not oracle.in_quiet_hours(profile.quiet, NOW)}
        known = told.keys() & rules.keys()
        assert {name: told[name] for name in known} == {name: rules[name] for name in known}, one


@settings(max_examples=50)
@given(
    strategies.items(), strategies.worlds(), urgencies, strategies.consents(),
    st.lists(st.tuples(st.integers(0, strategies.MOST), st.one_of(st.none(), strategies.profiles())), max_size=12),
)  # fmt: skip
def test_the_index_stays_exact_over_updates_and_removals(
    item: Item,
    world: list[Subscriber],
    urgency: Urgency | None,
    consents: dict[str, Consent],
    changes: list,  # type: ignore[type-arg]
) -> None:
    index = Index()
    now_in = {one.number: one for one in world}
    for one in world:
        index.put(one)
    for number, profile in changes:
        if profile is None:
            index.remove(number)
            now_in.pop(number, None)
        else:
            now_in[number] = strategies.subscriber(number, profile, strategies.Clearance(Label.AMBER))
            index.put(now_in[number])
    check(item, index, list(now_in.values()), urgency, consents, None)


@settings(max_examples=40)
@given(strategies.items(), strategies.worlds(), urgencies)
def test_the_order_of_entry_does_not_matter(item: Item, world: list[Subscriber], urgency: Urgency | None) -> None:
    """Built in bulk or one by one, in any order."""
    one_by_one = Index()
    for one in reversed(world):
        one_by_one.put(one)
    bulk = Index.build(world)
    first = match(item, one_by_one, NOW, urgency=urgency, consents={})
    second = match(item, bulk, NOW, urgency=urgency, consents={})
    assert {key: set(value) for key, value in first.outcomes.items() if value} == {
        key: set(value) for key, value in second.outcomes.items() if value
    }
    assert set(first.concerned) == set(second.concerned)


@settings(max_examples=50)
@given(strategies.items(), strategies.worlds(), strategies.consents())
def test_a_stricter_label_never_reaches_more(item: Item, world: list[Subscriber], consents: dict[str, Consent]) -> None:
    """Whoever gets it under RED would also get it under the sources' own labels, or the view said too much."""
    index = Index()
    for one in world:
        index.put(one)
    as_labelled = match(item, index, NOW, urgency="today", consents=consents)
    as_red = match(item, index, NOW, urgency="today", consents=consents, label=Label.RED)
    allowed = {one.id for one in world for consent in consents.values() if one.id in consent.recipients}
    for one in world:
        by_class = any(one.profile.kind in consent.classes for consent in consents.values())
        if one.number in as_red.audience:
            assert one.id in allowed or by_class
    assert len(as_red.audience - as_labelled.audience) == 0 or consents
