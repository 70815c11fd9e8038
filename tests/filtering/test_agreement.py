"""match decides on bitmaps, explain for a pair: the same outcome for every pair, also through clients."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from filtering.index import Index
from filtering.match import Matching
from filtering.network import prefix
from normalize import Urgency
from pii_guard import Item
from subscribers import Contact, Profile, Scope, Subscriber
from tests.filtering import strategies
from tests.filtering.things import NOW
from tlp import Consent, Label

KINDS = ["company", "partnership", "supplier", "cert", "vital", "public"]
urgencies = st.sampled_from([None, "info", "this-week", "today"])
contacts = st.sampled_from([(), (Contact("taxii"),), (Contact("email", address="a@voorbeeld.example"),)])


@st.composite
def groups(draw: st.DrawFn, number: int) -> Subscriber:
    """A subscriber of any kind, perhaps with members, scope and an open way out alone."""
    profile: Profile = msgspec.structs.replace(
        draw(strategies.profiles()),
        kind=draw(st.sampled_from(KINDS)),
        region=draw(st.sampled_from(["", "NL-NB", "NL-UT"])),
        members=draw(st.lists(st.integers(0, 8).map(lambda n: f"kvk-{n:08d}"), max_size=3).map(tuple)),
        scope=Scope(draw(strategies.some(strategies.SECTORS, 1)), draw(strategies.some(("NL-NB", "NL-UT"), 1))),
        serves_members=draw(st.booleans()),
    )
    made = draw(strategies.subscribers(number))
    return msgspec.structs.replace(made, profile=profile, contacts=draw(contacts))


@st.composite
def worlds(draw: st.DrawFn) -> list[Subscriber]:
    numbers = draw(st.lists(st.integers(0, 8), min_size=1, max_size=6, unique=True))
    return [draw(groups(number)) for number in numbers]


@settings(max_examples=100)
@given(
    strategies.items(), worlds(), urgencies, strategies.consents(), st.one_of(st.none(), strategies.LABELS), worlds()
)
def test_match_and_explain_agree(
    item: Item,
    world: list[Subscriber],
    urgency: Urgency | None,
    consents: dict[str, Consent],
    label: Label | None,
    before: list[Subscriber],
) -> None:
    """Also in an index that held others before: it is as one that is built anew."""
    index = Index.build(before)
    for one in before:
        if all(one.number != other.number for other in world):
            index.remove(one.number)
    for one in world:
        index.put(one)
    asked = Matching(item, index, NOW, urgency=urgency, consents=consents, label=label)
    found = asked.match()
    fresh = Matching(item, Index.build(world), NOW, urgency=urgency, consents=consents, label=label).match()
    assert found == fresh
    assert sum(map(len, found.outcomes.values())) == len(world)
    for one in world:
        said = asked.explain(one)
        assert one.number in found.outcomes[said.outcome], (said, one)
        assert (one.number in found.concerned) == said.concerned, (said, one)
        assert (one.number in found.unreachable) == said.unreachable, (said, one)
        assert said.reasons


@settings(max_examples=60)
@given(worlds())
def test_an_index_that_everyone_left_is_as_new(world: list[Subscriber]) -> None:
    index = Index.build(world)
    for one in world:
        index.remove(one.number)
        index.remove(one.number)
    for name in ("kinds", "countries", "regions", "urgencies", "labels", "sectors", "trades", "opt_kinds", "quiet"):
        assert not len(getattr(index, name)), name
    assert not index.everyone
    assert not index.agents.clients
    assert not index.software.names
    assert not len(index.networks.systems)
    for one in world:
        assert index.number(one.id) is None
        assert not any(index.networks.holders(where) for text in one.profile.networks if (where := prefix(text)))
        assert not any(index.networks.named(name) for name in one.profile.domains)
