"""Which statements a subscriber may see, and what they say together: the ground its decision rests on.

`tlp.enforce` alone says who sees what. Here it is asked once for each kind of reader there is (kind, clearance,
way out) and for each named recipient, so that a million readers fall into a few bands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import NamedTuple, get_args

from pyroaring import BitMap

from filtering.index import Index
from filtering.software import Product, products_of
from normalize import Facts, Kind, identity
from normalize.places import Area
from pii_guard import Item, Statement, fullest
from subscribers import Subscriber, SubscriberKind
from tlp import Clearance, Consent, Label, Marked, Permit, Reader
from tlp.enforce import enforce

NOBODY = Consent()
_KINDS: tuple[SubscriberKind, ...] = get_args(SubscriberKind)


class Sight(NamedTuple):
    """Keys of the statements that a reader sees when the item concerns it, and otherwise (AMBER needs concern)."""

    concerned: frozenset[str]
    otherwise: frozenset[str]


def marked(item: Item, consents: Mapping[str, Consent], label: Label | None = None) -> list[Marked]:
    """The item's statements as `tlp.enforce` takes them; `label` is an analyst's stricter one, for all of them.

    A facts statement (CVE record) shows which CVEs the others name. So it stands here once for each statement that
    names one of its CVEs, as strict as that one at least, and may be seen with any of them; named by none, by nobody.
    """
    floor = Label.CLEAR if label is None else label
    said = [Marked(each.key, max(each.label, floor), consents.get(each.key, NOBODY)) for each in item.statements]
    return said + [mark for each in item.facts for mark in _joined(each, item.statements, said, floor)]


def _joined(fact: Statement, statements: Sequence[Statement], said: Sequence[Marked], floor: Label) -> list[Marked]:
    cves = set(fact.facts.cves)
    naming = [mark for each, mark in zip(statements, said, strict=True) if not cves.isdisjoint(each.facts.cves)]
    least = max(fact.label, floor)
    return [Marked(fact.key, max(least, mark.label), mark.consent) for mark in naming] or [Marked(fact.key, Label.RED)]


def reader(subscriber: Subscriber, concerned: bool, confidential: bool) -> Reader:
    """The subscriber as `tlp.enforce` knows readers, through one way out."""
    return Reader(subscriber.id, subscriber.profile.kind, subscriber.clearance, concerned, confidential)


def sight(subscriber: Subscriber, marks: Sequence[Marked], now: datetime, *, closed: bool = False) -> Sight:
    """What one subscriber sees, through the best of its ways out; `closed`: as if one of them were closed to others."""
    best = closed or subscriber.ways.confidential
    return _sight(subscriber.id, subscriber.profile.kind, subscriber.clearance, best, marks, now)


def _visible(marks: Sequence[Marked], who: Reader, now: datetime) -> frozenset[str]:
    found = enforce(marks, who, now)
    return found.visible if isinstance(found, Permit) else frozenset()


def sights(index: Index, marks: Sequence[Marked], now: datetime) -> list[tuple[Sight, BitMap]]:
    """All subscribers of the index, divided by what they see. Disjoint and complete; no empty part."""
    if all(mark.label is Label.CLEAR for mark in marks):
        every = frozenset(mark.key for mark in marks)
        return [(Sight(every, every), index.everyone)] if index.everyone else []
    recipients = {id_ for mark in marks for id_ in mark.consent.recipients}
    named = BitMap(number for number in map(index.number, recipients) if number is not None)
    rest = index.everyone - named
    parts: dict[Sight, BitMap] = {}
    usual: Sight | None = None
    cleared = {label: _cleared(index, label, now) & rest for label in Label}
    for seen, kind, label, closed in _bands(marks, now):
        usual = usual or seen  # the first band, plain companies with clearance CLEAR, takes what the others leave
        if seen != usual and cleared[label]:
            band = cleared[label] & index.kinds.get(kind)
            band = band & index.confidential if closed else band - index.confidential
            parts[seen] = parts.get(seen, BitMap()) | band
    assert usual is not None
    for band in list(parts.values()):
        rest -= band
    parts[usual] = rest
    for number in named:
        seen = _named(index, number, marks, now)
        parts[seen] = parts.get(seen, BitMap()) | BitMap((number,))
    return [(seen, band) for seen, band in parts.items() if band]


def _bands(marks: Sequence[Marked], now: datetime) -> Iterator[tuple[Sight, SubscriberKind, Label, bool]]:
    for kind, label, closed in product(_KINDS, Label, (False, True)):
        yield _sight("", kind, Clearance(label), closed, marks, now), kind, label, closed


def unsealed(index: Index, marks: Sequence[Marked], now: datetime, among: BitMap) -> list[tuple[Sight, BitMap]]:
    """Those of `among` who would see more by a way closed to others, and have none, by what they would see."""
    if not any(mark.label > Label.AMBER and mark.consent != NOBODY for mark in marks):
        return []
    cleared = _cleared(index, Label.AMBER_STRICT, now) | _cleared(index, Label.RED, now)
    parts: dict[Sight, BitMap] = {}
    for number in (among & cleared & index.alerts) - index.confidential:
        parts.setdefault(_named(index, number, marks, now, closed=True), BitMap()).add(number)
    return list(parts.items())


def _named(index: Index, number: int, marks: Sequence[Marked], now: datetime, *, closed: bool = False) -> Sight:
    entry = index.entry(number)
    shape = entry.shape
    best = closed or shape.confidential
    return _sight(entry.id, shape.kind, Clearance(shape.label, shape.until), best, marks, now)


def _sight(
    id_: str, kind: SubscriberKind, clearance: Clearance, closed: bool, marks: Sequence[Marked], now: datetime
) -> Sight:
    near, far = (_visible(marks, Reader(id_, kind, clearance, concerned, closed), now) for concerned in (True, False))
    return Sight(near, far)


def _cleared(index: Index, label: Label, now: datetime) -> BitMap:
    """Who has this clearance at this moment: an expired one counts as CLEAR."""
    expired = index.until.union(until for until in index.until if now >= until)
    held = index.labels.get(label)
    return held | expired if label is Label.CLEAR else held - expired


@dataclass(frozen=True)
class Disclosure:
    """What some statements of an item say together: all that a decision may rest on."""

    kind: Kind
    facts: Facts
    parts: tuple[Facts, ...]
    """The same, statement by statement."""
    grades: tuple[str, ...]
    """How reliable the source of each is: Admiralty, A to F."""

    @cached_property
    def products(self) -> list[Product]:
        """The products that are affected, or may be. Read statement by statement: what one source calls fixed or not
        affected does not outweigh another (the graver holds). An exposure's products alert nobody."""
        if self.kind == "exposure":
            return []
        stated = dict.fromkeys(identity.precise(self.parts, self.grades))
        return [product for affected in stated for product in products_of(affected) if product.threatened]

    @cached_property
    def sectors(self) -> tuple[str, ...]:
        """The sectors it names. An exposure is about addresses alone."""
        return () if self.kind == "exposure" else self.facts.sectors

    @cached_property
    def area(self) -> Area:
        """The places it names. Those of an exposure are where its addresses seem to be: an owner is an owner."""
        return Area() if self.kind == "exposure" else Area(self.facts.countries, self.facts.regions)


def disclosed(item: Item, visible: frozenset[str]) -> Disclosure | None:
    """What the visible statements say together; None: none of the item's own is visible."""
    own = fullest(each for each in item.statements if each.key in visible)
    if not own:
        return None
    joined = [each for each in item.facts if each.key in visible]
    said = (*own, *joined)
    parts, grades = tuple(each.facts for each in said), tuple(each.reliability for each in said)
    return Disclosure(identity.kind_of([each.kind for each in own]), identity.combine(parts), parts, grades)
