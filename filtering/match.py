"""item -> Match, and why. The rules are in `filtering.criteria`; who sees which statements in `filtering.disclosure`.

The decision of each subscriber rests on what it may see: first on all it sees if the item concerns it; if that does
not concern it by a criterion of its own, on what it sees otherwise (AMBER needs concern). Then, in this order:

1. reached by neither: `tlp` if the whole item would have reached it, `unverified` if unverified networks or domains
   alone met it, otherwise `no-match`;
2. `vital`: a vital or public organisation that is reached, or that the whole item would have reached;
3. `urgency`: below its threshold; 4. `opt-out`; 5. `quiet`: an alert during its quiet hours, sent later;
6. `deliver` or `digest`.

In a Reason of a criterion that takes away (country, region, clearance, urgency, opt-out, quiet, verified), `matched`
means that it lets the item through.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal, get_args

from pyroaring import BitMap

from filtering import Explanation, FilteringError, Match, Outcome, Reason
from filtering.clock import is_quiet
from filtering.criteria import Criteria
from filtering.disclosure import Sight, disclosed, marked, reader, sight, sights, unsealed
from filtering.index import Index
from filtering.pairs import Pair
from normalize import Urgency, identity
from pii_guard import Item
from subscribers import Subscriber
from tlp import Consent, Label, RefusalReason
from tlp.enforce import refusal

VITAL = ("vital", "public")
_RANK: dict[Urgency, int] = {"info": 0, "this-week": 1, "today": 2}


def match(
    item: Item,
    index: Index,
    now: datetime,
    *,
    urgency: Urgency | None,
    consents: Mapping[str, Consent],
    label: Label | None = None,
) -> Match:
    """Who gets this item version, of all in the index.

    `urgency`: an analyst's word, which holds for everybody; None: for each reader as what it may see makes it.
    `consents`: statement key -> consent on record; `label`: an analyst's stricter label, for all statements.
    """
    return Matching(item, index, now, urgency=urgency, consents=consents, label=label).match()


def explain(
    item: Item,
    subscriber: Subscriber,
    index: Index,
    now: datetime,
    *,
    urgency: Urgency | None,
    consents: Mapping[str, Consent],
    label: Label | None = None,
) -> Explanation:
    """The decision for one pair; for several subscribers of one item make one `Matching` and ask that.

    Raises FilteringError when the index does not hold the subscriber.
    """
    return Matching(item, index, now, urgency=urgency, consents=consents, label=label).explain(subscriber)


class Matching:
    """One item against one state of the index at one moment; what it computes is kept for the next question."""

    def __init__(
        self,
        item: Item,
        index: Index,
        now: datetime,
        *,
        urgency: Urgency | None,
        consents: Mapping[str, Consent],
        label: Label | None = None,
    ) -> None:
        self.item, self.index, self.now, self.urgency = item, index, now, urgency
        self.marks = marked(item, consents, label)
        self._criteria: dict[frozenset[str], Criteria | None] = {}

    @cached_property
    def whole(self) -> Criteria:
        """The criteria on everything the item says: for analysts, and to tell `tlp` from `no-match`."""
        found = self.criteria(frozenset(mark.key for mark in self.marks))
        assert found is not None
        return found

    def criteria(self, visible: frozenset[str]) -> Criteria | None:
        """The criteria on these statements; None when there is nothing to see."""
        if visible not in self._criteria:
            seen = disclosed(self.item, visible)
            self._criteria[visible] = None if seen is None else Criteria(seen, self.index)
        return self._criteria[visible]

    def urgency_of(self, criteria: Criteria) -> Urgency:
        """How urgent it is to who sees this much: that of the whole item would tell what another statement says."""
        return self.urgency or identity.urgency(criteria.seen.facts)

    def match(self) -> Match:
        """Every subscriber of the index in exactly one outcome."""
        index = self.index
        outcomes, concerned = self._decided(sights(index, self.marks, self.now))
        instead, _ = self._decided(unsealed(index, self.marks, self.now, outcomes["tlp"]))
        outcomes["no-match"] = index.everyone - BitMap.union(*outcomes.values())
        unreachable = (outcomes["deliver"] | outcomes["quiet"]) - index.alerts | outcomes["digest"] - index.editions
        stubs = instead["deliver"] | instead["quiet"]
        return Match(self.item.id, self.item.version, outcomes, concerned, self.whole.abused, unreachable, stubs)

    def _decided(self, parts: Iterable[tuple[Sight, BitMap]]) -> tuple[dict[Outcome, BitMap], BitMap]:
        """(outcomes, whom it concerns) of those who see this much."""
        outcomes: dict[Outcome, BitMap] = {outcome: BitMap() for outcome in get_args(Outcome)}
        concerned = BitMap()
        for seen, members in parts:
            near = self.criteria(seen.concerned)
            close = self._of(members, near.concerned) if near is not None else BitMap()
            concerned |= close
            if near is not None and close:
                self._decide(near, close, outcomes)
            if len(close) < len(members):
                self._decide(self.criteria(seen.otherwise), members - close if close else members, outcomes)
        return outcomes, concerned

    def _of(self, members: BitMap, bits: BitMap) -> BitMap:
        return bits if members is self.index.everyone else bits & members

    def _decide(self, criteria: Criteria | None, members: BitMap, outcomes: dict[Outcome, BitMap]) -> None:
        """Put each of the members into its outcome; those whom nothing met, into none."""
        reached = BitMap() if criteria is None else self._of(members, criteria.reached)
        hidden = BitMap() if criteria is self.whole else self._of(members, self.whole.reached) - reached
        met = reached | hidden if hidden else reached
        vital = self.index.kinds.within(met, VITAL)
        outcomes["vital"] |= vital
        outcomes["tlp"] |= hidden - vital
        if criteria is None:
            return
        outcomes["unverified"] |= self._of(members, criteria.unverified) - met
        reached = reached - vital
        taking: tuple[tuple[Outcome, BitMap], ...] = (
            ("urgency", self._above(reached, self.urgency_of(criteria))),
            ("opt-out", reached & criteria.opted_out),
            ("quiet", self._quiet(reached & criteria.alert)),
        )
        for outcome, bits in taking:
            taken = reached & bits
            outcomes[outcome] |= taken
            reached = reached - taken
        outcomes["deliver"] |= reached & criteria.alert
        outcomes["digest"] |= reached - criteria.alert

    def _above(self, bits: BitMap, urgency: Urgency) -> BitMap:
        """Those of them whose threshold lies above this urgency."""
        return self.index.urgencies.within(bits, (each for each, rank in _RANK.items() if rank > _RANK[urgency]))

    def _quiet(self, bits: BitMap) -> BitMap:
        """Those of them for whom it is quiet now."""
        return self.index.quiet.within(bits, (each for each in self.index.quiet if is_quiet(each, self.now)))

    def explain(self, subscriber: Subscriber) -> Explanation:
        """The decision for one subscriber, criterion by criterion; what decided comes first."""
        if subscriber.number not in self.index.everyone:
            raise FilteringError("the index does not hold this subscriber: bring it up to date with the registry")
        seen = sight(subscriber, self.marks, self.now)
        pair = self._pair(seen.concerned, subscriber)
        concerned = pair is not None and pair.concerned
        visible = seen.concerned if concerned else seen.otherwise
        if not concerned:
            pair = self._pair(visible, subscriber)
        whole = Pair(self.whole, subscriber)
        outcome = self._outcome(pair, whole, subscriber)
        told = whole if pair is None or outcome in ("tlp", "vital") else pair
        filters = self._filters(told, subscriber, visible, outcome, concerned=concerned)
        reasons = [*told.reasons(), *filters]
        reached = outcome in ("deliver", "quiet", "digest")
        ways = subscriber.ways
        unreachable = reached and not (ways.editions if outcome == "digest" else ways.alerts)
        stub = self._stub(subscriber, whole) if outcome == "tlp" and ways.alerts and not ways.confidential else ""
        return Explanation(subscriber.id, outcome, tuple(_ordered(reasons, outcome)), concerned, unreachable, stub)

    def _stub(self, subscriber: Subscriber, whole: Pair) -> Literal["", "deliver", "quiet"]:
        """What it would come to if one of its ways out were closed to others."""
        seen = sight(subscriber, self.marks, self.now, closed=True)
        pair = self._pair(seen.concerned, subscriber)
        if pair is None or not pair.concerned:
            pair = self._pair(seen.otherwise, subscriber)
        outcome = self._outcome(pair, whole, subscriber)
        return outcome if outcome in ("deliver", "quiet") else ""

    def _pair(self, visible: frozenset[str], subscriber: Subscriber) -> Pair | None:
        criteria = self.criteria(visible)
        return None if criteria is None else Pair(criteria, subscriber)

    def _outcome(self, pair: Pair | None, whole: Pair, subscriber: Subscriber) -> Outcome:
        reached = pair is not None and pair.reached
        profile = subscriber.profile
        if profile.kind in VITAL and (reached or whole.reached):
            return "vital"
        if pair is None or not reached:
            if whole.reached:
                return "tlp"
            return "unverified" if pair is not None and pair.unverified else "no-match"
        if _RANK[profile.min_urgency] > _RANK[self.urgency_of(pair.criteria)]:
            return "urgency"
        if pair.opted_out:
            return "opt-out"
        if not pair.alert:
            return "digest"
        return "quiet" if profile.quiet is not None and is_quiet(profile.quiet, self.now) else "deliver"

    def _filters(
        self, pair: Pair, subscriber: Subscriber, visible: frozenset[str], outcome: Outcome, *, concerned: bool
    ) -> Iterable[Reason]:
        """The criteria that take away. Labels the subscriber may not see are named only where nothing goes out."""
        profile, hidden = subscriber.profile, outcome in ("tlp", "vital") or not visible
        labels = sorted({mark.label for mark in self.marks if hidden or mark.key in visible})
        said = f"{', '.join(map(str, labels))}; it may see up to {subscriber.clearance.at(self.now)}"
        seen = bool(visible) and outcome != "tlp"
        yield Reason("clearance", said, seen, because="" if seen else self._refused(subscriber, visible, concerned))
        urgency = self.urgency_of(pair.criteria)
        enough = _RANK[profile.min_urgency] <= _RANK[urgency]
        below = "" if enough else "less urgent than it asks for"
        yield Reason("urgency", f"{urgency} >= {profile.min_urgency} (its threshold)", enough, because=below)
        if profile.opt_out:
            unwanted = "it opted out of this" if pair.opted_out else ""
            yield Reason("opt-out", ", ".join(profile.opt_out), not pair.opted_out, because=unwanted)
        if quiet := profile.quiet:
            said, now = f"{quiet.start}-{quiet.end} {quiet.tz}", is_quiet(quiet, self.now)
            yield Reason("quiet", said, not now, because="an alert waits until they end" if now else "")

    def _refused(self, subscriber: Subscriber, visible: frozenset[str], concerned: bool) -> str:
        """Why it may not see the statements that it does not."""
        who = reader(subscriber, concerned, subscriber.ways.confidential)
        hidden = (mark for mark in self.marks if mark.key not in visible)
        found = {(mark.label, why) for mark in hidden if (why := refusal(mark, who, self.now))}
        return "; ".join(f"{label}: {_REFUSED[why]}" for label, why in sorted(found))


_REFUSED: dict[RefusalReason, str] = {
    "clearance": "above its clearance",
    "not-concerned": "goes only to whom it concerns by a criterion of their own",
    "no-consent": "its source did not consent to pass it on",
    "open-channel": "needs a channel that is closed to others, and it has none",
}
_DECIDING: dict[Outcome, frozenset[str]] = {
    "tlp": frozenset({"clearance"}),
    "urgency": frozenset({"urgency"}),
    "opt-out": frozenset({"opt-out"}),
    "quiet": frozenset({"quiet"}),
    "unverified": frozenset({"verified"}),
    "no-match": frozenset({"network", "domain", "software", "sector", "general", "country", "region"}),
}


def _ordered(reasons: list[Reason], outcome: Outcome) -> list[Reason]:
    """What decided first: of a refusal the criterion that refused, then what matched, then the rest."""
    first = _DECIDING.get(outcome, frozenset())
    return sorted(reasons, key=lambda each: (each.criterion not in first, not each.matched))
