"""Views of one released item for many readers: what all of them share is made once."""

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs
from pyroaring import BitMap

from app.courses import Told
from app.service import Service
from config.settings import Settings
from dispatch import View
from dispatch.grounds import Grounds, stood
from dispatch.view import Parts, compose, matched
from filtering import Explanation, Outcome
from filtering.disclosure import reader
from filtering.match import Matching
from filtering.network import holdings, place
from normalize import Facts, Kind, Observable, Urgency, identity
from pii_guard import Item, Purpose, Recipient, Statement
from pii_guard.disclosure import Disclosed
from subscribers import Subscriber
from tlp import PUBLIC, Clearance, Label, Permit, Reader, Refusal
from tlp.enforce import enforce
from triage import Released, advice, decide, inbox, releases, scores
from triage.cases import Case
from triage.catalogue import Block, load

MARKED = frozenset({"advisory", "report", "indicators"})
"""Kinds whose STIX objects say what they are about: what an exposure is about was seen, and news is its title."""


def shown(service: Service, case: Case) -> str:
    """Hash of the advice and templates with which an item would be shown: an approval is bound to it."""
    return _look(service, advice.choose(about(case.item, case.kind)))


def about(item: Item, kind: Kind) -> advice.About:
    """What an item as a whole is about."""
    facts, said = inbox.standing_facts(item), item.statements
    decode = msgspec.json.Decoder(tuple[dict[str, Any], ...]).decode
    marked = said if kind in MARKED else ()
    marks = advice.marks_of(obj for each in marked for obj in decode(each.objects))
    return advice.About(kind, facts.exposure, facts.affected, inbox.best(said, kind).title, marks)


def looks(service: Service) -> frozenset[str]:
    """Every hash that `shown` can give with the advice and templates of today."""
    return frozenset(_look(service, block) for block in load().values())


def _look(service: Service, block: Block) -> str:
    return hashlib.blake2b(f"{block.version}/{service.renderer.version}".encode(), digest_size=32).hexdigest()


def matching(service: Service, connection: sa.Connection, case: Case | Released, now: datetime) -> Matching:
    """An item against all subscribers as they are registered: whom it concerns, and for any of them why."""
    return Matching(
        service.opened(connection, case.item, "match"),
        service.index(connection),
        now,
        urgency=case.stated,
        consents=case.consents,
        label=case.label,
    )


def law(settings: Settings) -> str:
    """Hash of the policy of today, and of the names and grades of the sources."""
    called = sorted((source.id, source.name, source.reliability) for source in settings.named.values())
    return hashlib.blake2b(f"{settings.policy.hash} {called}".encode(), digest_size=16).hexdigest()


_CLASSES: Mapping[str, Recipient] = {"cert": "cert", "partnership": "partnership"}
"""Kind of subscriber -> its class of recipient, of rows that lie in nothing it holds."""


class Views:
    """What each reader may see of a released item, as subscribers, labels and clock are at one moment.

    `asked`: whom it concerns, where that was asked already to decide on it.
    """

    def __init__(
        self,
        service: Service,
        connection: sa.Connection,
        released: Released,
        purpose: Purpose = "notify",
        *,
        asked: Matching | None = None,
    ) -> None:
        opened = service.opened(connection, released.item, purpose)
        released = self.released = dataclasses.replace(released, item=opened)
        self._settings = service.settings
        self._matching = asked or matching(service, connection, released, service.clock())
        self.now, self._index = self._matching.now, self._matching.index
        self._marked = self._matching.marks
        self._parts = Parts(released)
        self._advice: dict[tuple[frozenset[str], str, str, str], advice.Advice] = {}
        self._disclosure = service.disclosure(connection)
        self._told = Told(service, connection, released)
        self._own: dict[int, dict[str, list[int]]] | None = None
        named = {cve for each in (*released.item.statements, *released.item.facts) for cve in each.facts.cves}
        self._scores = scores.of(connection, named)
        self._shared: dict[tuple[frozenset[str], Label, str], View] = {}
        self._ground = released.decision.by, releases.fingerprint(released.decision), law(service.settings)

    def explain(self, subscriber: Subscriber) -> Explanation:
        """Why the item concerns this subscriber, or why not."""
        return self._matching.explain(subscriber)

    def reached(self, outcomes: Iterable[Outcome]) -> BitMap:
        """Numbers of all with one of these outcomes."""
        match = self._matching.match()
        return BitMap.union(*(match.outcomes[outcome] for outcome in outcomes))

    def advised(self, view: View, subscriber: Subscriber) -> advice.Advice:
        """The course of action for a view, in the subscriber's register and language."""
        register = advice.register_of(subscriber.profile)
        key = (view.statements, register, subscriber.language, view.title)
        found = self._advice.get(key)
        if found is None:
            marks = advice.marks_of(view.objects) if view.kind in MARKED else frozenset()
            of = advice.About(view.kind, view.exposure, view.affected, view.title, marks)
            found = self._advice[key] = advice.steps(of, register, subscriber.language)
        return found

    def of(
        self, subscriber: Subscriber, explanation: Explanation, *, confidential: bool, purpose: Purpose = "notify"
    ) -> View | Refusal:
        """What this subscriber may see through a way out."""
        permit = self.permit(subscriber, explanation.concerned, confidential)
        if isinstance(permit, Refusal):
            return permit
        gated = self._gated(subscriber, purpose)
        view = self._seen(permit, subscriber.language, gated)
        # Nor may a reason tell what is seen through a better way out, or by nobody: that it is more urgent.
        told = f"{view.urgency} >= "
        reasons = tuple(r for r in matched(explanation) if r.criterion != "urgency" or r.value.startswith(told))
        if self._withheld(subscriber, gated):
            reasons = tuple(r for r in reasons if r.criterion not in ("network", "domain"))
        days = self._told.days(view, subscriber.number, partial(self._closed, subscriber, purpose))
        shared = view.shared if days is None else None  # the days are its reader's own, and so is what tells them
        return dataclasses.replace(view, reader=permit.reader, reasons=reasons, days=days, shared=shared)

    def permit(self, subscriber: Subscriber, concerned: bool, confidential: bool) -> Permit | Refusal:
        """What TLP says to this subscriber through a way out."""
        return enforce(self._marked, reader(subscriber, concerned, confidential), self.now)

    def grounds(self, who: Reader, view: View, hashed: tuple[str, str]) -> Grounds:
        """Why this reader could see that view. `hashed`: with the key of which month, and what came out."""
        permit = enforce(self._marked, who, self.now)
        assert isinstance(permit, Permit)
        return Grounds(
            view.item, view.version, self.now, *self._ground,
            stood(self._marked, who),
            who.kind, who.clearance.highest, who.clearance.until, who.concerned, who.confidential,
            view.label, permit.rule, *hashed,
        )  # fmt: skip

    def again(self, subscriber: Subscriber | None, permit: Permit, purpose: Purpose) -> View:
        """What that permit showed this subscriber (None: everybody); without why it concerned it."""
        if subscriber is None:
            return self._composed(permit, gated=self._for_all())
        return self._composed(permit, subscriber.language, self._gated(subscriber, purpose))

    def public(self) -> View | Refusal:
        """What everybody may see."""
        permit = enforce(self._marked, PUBLIC, self.now)
        return permit if isinstance(permit, Refusal) else self._composed(permit, gated=self._for_all())

    def for_members(self, of: Subscriber) -> View | Refusal:
        """What any member of one that stands for others may see by way of it: CLEAR and GREEN, as far as it may see
        them itself; of gated rows what everybody gets."""
        who = Reader(of.id, "company", Clearance(min(of.clearance.at(self.now), Label.GREEN)), False, False)
        permit = enforce(self._marked, who, self.now)
        return permit if isinstance(permit, Refusal) else self._composed(permit, of.language, self._for_all())

    def _for_all(self) -> dict[str, Disclosed]:
        """What everybody gets of gated rows."""
        return {
            each.key: self._disclosure.of(each, (), "public", "exchange", self.now)
            for each in self._statements("public", "exchange")
        }

    def _seen(self, permit: Permit, language: str, gated: Mapping[str, Disclosed]) -> View:
        """Without why it concerns its reader. For all who see the same, since they get nothing of gated rows, composed
        once: for the first of them."""
        if gated:
            return self._composed(permit, language, gated)
        same = (permit.visible, permit.label, language)
        if same not in self._shared:
            self._shared[same] = dataclasses.replace(self._composed(permit, language=language), shared={})
        return self._shared[same]

    def _composed(
        self,
        permit: Permit,
        language: str = "nl",
        gated: Mapping[str, Disclosed] | None = None,
    ) -> View:
        view = compose(
            self.released,
            permit,
            reader=permit.reader,
            sources={source.id: source.name for source in self._settings.named.values()},
            explanation=None,
            urgency=self.released.urgency,
            language=language,
            grades={source.id: source.reliability for source in self._settings.named.values()},
            gated=gated,
            parts=self._parts,
        )
        # The score of a CVE that only a statement out of sight names would show that one through.
        epss = scores.highest(self._scores, view.cves, view.epss)
        return dataclasses.replace(view, urgency=self._urgency(view), epss=epss)

    def _urgency(self, view: View) -> Urgency:
        """How urgent what this reader sees is: that of the whole item would tell what another statement says. An
        analyst's own word holds for everybody."""
        seen = Facts(kans=view.kans, schade=view.schade, cvss=view.cvss, exploited=view.exploited)
        return self.released.stated or identity.urgency(seen)

    def _gated(self, subscriber: Subscriber, purpose: Purpose) -> dict[str, Disclosed]:
        """What this subscriber gets of gated rows: those in what it holds, and of the others what its class gets."""
        held, profile = self._rows(subscriber), subscriber.profile
        others = _CLASSES.get(profile.kind, "public")
        found = {}
        for statement in self.released.item.statements:
            mine = held.get(statement.key, ())
            if mine or self._disclosure.tells(statement, others, purpose):
                found[statement.key] = self._disclosure.of(
                    statement, mine, others, purpose, self.now,
                    country=profile.country, holder=partial(_holder, subscriber),
                )  # fmt: skip
        return found

    def _withheld(self, subscriber: Subscriber, gated: Mapping[str, Disclosed]) -> bool:
        """Does it hold gated rows, and get none of them? Then which of its networks they lie in would tell them."""
        rows = {each.key: each.facts.observables for each in self.released.item.statements}
        held = any(rows[key][at].own for key, mine in self._rows(subscriber).items() if key in rows for at in mine)
        return held and not any(each.own for each in gated.values())

    def _closed(
        self, subscriber: Subscriber, purpose: Purpose, other: Statement, lost: BitMap
    ) -> tuple[Observable, ...]:
        """What this subscriber gets of these rows of another report: of those in what it holds, and no others."""
        mine = lost & BitMap(self._rows(subscriber).get(other.key, ()))
        rows = tuple(row for row in map(other.facts.observables.__getitem__, mine) if row.own)
        part = structs.replace(other, facts=structs.replace(other.facts, observables=rows))
        return self._disclosure.of(
            part, range(len(rows)), "public", purpose, self.now,
            country=subscriber.profile.country, holder=partial(_holder, subscriber),
        ).own  # fmt: skip

    def _statements(self, recipient: Recipient, purpose: Purpose) -> list[Statement]:
        """Those of whose gated rows this class gets anything."""
        return [each for each in self.released.item.statements if self._disclosure.tells(each, recipient, purpose)]

    def _rows(self, subscriber: Subscriber) -> dict[str, list[int]]:
        """Which observables lie in what this subscriber holds, verified; found for all holders in one pass."""
        if self._own is None:
            self._own = {}
            for statement in (*self.released.item.statements, *self._told.earlier):
                if any(observable.own for observable in statement.facts.observables):
                    owners = self._index.networks.owners(statement.facts.observables, self._index.verified)
                    for hits in (owners.network, owners.domain):
                        for number, positions in hits.items():
                            mine = self._own.setdefault(number, {}).setdefault(statement.key, [])
                            mine.extend(position for position in positions if position not in mine[-1:])
        return self._own.get(subscriber.number, {}) if subscriber.profile.verified else {}


def _holder(subscriber: Subscriber, row: Observable) -> Recipient:
    """As what a subscriber holds a row: by a prefix or domain of its own, or because the network is its own."""
    if subscriber.profile.kind == "cert":
        return "network-owner"
    held = next(holdings(subscriber, place(row), row.asn), "")
    return "network-owner" if held.startswith("AS") else "organisation"


class Shelf:
    """The Views of items last used: a dispatch run sends many messages about few items."""

    def __init__(self, service: Service, size: int = 64) -> None:
        self._service = service
        self._views: OrderedDict[tuple[str, int, str], Views] = OrderedDict()
        self._size = size

    def current(self, connection: sa.Connection, items: Iterable[str]) -> dict[str, Views]:
        """The Views of those of these items of which a release stands; nothing of the others may leave."""
        service, moment, found = self._service, self._moment(connection), {}
        guard, consents = service.guard, service.settings.consents
        for row in inbox.rows(connection, items):
            out = partial(decide.out, connection, guard, row.id, lambda case: shown(service, case), consents)
            views = self._of(connection, (row.id, row.version, f"{row.changed_at}/{moment}"), out)
            if views is not None:
                found[row.id] = views
        return found

    def earlier(self, connection: sa.Connection, item: str, version: int) -> Views | None:
        """The Views of a version that was released before, by the labels of today; None: it never was."""
        guard, consents = self._service.guard, self._service.settings.consents
        out = partial(decide.earlier, connection, guard, item, version, consents)
        return self._of(connection, (item, version, f"earlier/{self._moment(connection)}"), out)

    def withdrawn(self, connection: sa.Connection, item: str, version: int, since: datetime) -> Views | None:
        """The Views of what was out up to a version and is no more, by the labels of today; None: it is out, or never
        was. `since`: when anything of the item changed last."""
        guard, consents = self._service.guard, self._service.settings.consents
        out = partial(decide.withdrawn, connection, guard, item, version, consents)
        return self._of(connection, (item, version, f"withdrawn/{since}/{self._moment(connection)}"), out)

    def _moment(self, connection: sa.Connection) -> str:
        return f"{self._service.index(connection).revision}/{self._service.clock():%d %H:%M}"

    def _of(
        self, connection: sa.Connection, key: tuple[str, int, str], out: Callable[[], Released | None]
    ) -> Views | None:
        found = self._views.get(key)
        if found is None:
            released = out()
            if released is None:
                return None
            found = self._views[key] = Views(self._service, connection, released)
            while len(self._views) > self._size:
                self._views.popitem(last=False)
        return found


def known(before: Views, subscriber: Subscriber) -> View | None:
    """What whoever was told of an earlier version may see of it; None: nothing."""
    explanation = dataclasses.replace(before.explain(subscriber), concerned=True)
    view = before.of(subscriber, explanation, confidential=False)
    return view if isinstance(view, View) else None
