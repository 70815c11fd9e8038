"""The legal policy: source x purpose x recipient x category x role -> action, as legal.toml spells it out.

At the door category and role decide what is kept, gated or stripped (`decide`); on the way out, purpose and class of
recipient decide in which form who may see what is gated (`disclose`). A Policy is read whole or not at all
(`pii_guard.policy_file`). Rules are data; nothing here knows a statute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from ingest import Source
from normalize import Role
from pii_guard import Action, Category, GuardError, LegalBasis, Purpose, Recipient

CATEGORIES: tuple[Category, ...] = get_args(Category)
ROLES: tuple[Role, ...] = get_args(Role)
RECIPIENTS: tuple[Recipient, ...] = get_args(Recipient)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Ruling(NamedTuple):
    """What becomes of a value, by which rule, on what basis (in words)."""

    action: Action
    rule: str
    basis: str


MESSAGE = 30
"""Days that messages are kept, where the policy does not say."""
NOBODY = Ruling("strip", "not-gated", "Nothing of it was kept")
Rulings = Mapping[tuple[Category, Role], Ruling]


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[regime.X.rule]]`."""

    id: str
    categories: frozenset[Category]
    roles: frozenset[Role]
    action: Action
    basis: str
    review: str
    sources: frozenset[str] | None
    """Ids of the only sources it is for; None: all."""
    reviewed_only: bool
    """Only for sources with attacker_ip = "keep"."""
    purposes: frozenset[Purpose]
    to: Mapping[Recipient, Action]
    """Of what is gated: in which form each class of recipient may have it. Empty: nothing is gated."""

    def of(self, source: Source) -> bool:
        """Is it for this source?"""
        if self.reviewed_only and source.attacker_ip != "keep":
            return False
        return self.sources is None or source.id in self.sources


@dataclass(frozen=True, slots=True)
class Regime:
    """One legal position of the service. `valid_from` None: not in force by itself."""

    id: str
    valid_from: datetime | None
    jurisdiction: str
    excludes: frozenset[str]
    """Countries (ISO 3166-1) of recipients who get no personal data under it, whatever the rules say."""
    basis: str
    review: str
    woo: str
    storage_before_guard: bool
    token_days: int
    """How long the same value gives the same token (an epoch)."""
    token_prefixes: bool
    """Do tokens of addresses for CERTs keep which of them share a network?"""
    rules: tuple[Rule, ...]
    retention: dict[str, int]

    def rulings(self, source: Source) -> Rulings:
        """Every category x role -> Ruling at the door, for this source."""
        table: dict[tuple[Category, Role], Ruling] = {}
        for rule in self.rules:
            if not rule.of(source):
                continue
            ruling = Ruling(rule.action, rule.id, rule.basis)
            for category in rule.categories:
                for role in rule.roles:
                    table.setdefault((category, role), ruling)
        return table

    def disclose(
        self, source: Source, category: Category, role: Role, recipient: Recipient, purpose: Purpose
    ) -> Ruling:
        """In which form a recipient may have a gated value, for this purpose."""
        for rule in self.rules:
            if category in rule.categories and role in rule.roles and purpose in rule.purposes and rule.of(source):
                if rule.action == "keep":
                    return Ruling("keep", rule.id, rule.basis)
                return Ruling(rule.to.get(recipient, "strip"), rule.id, rule.basis)
        return NOBODY


@dataclass(frozen=True, slots=True)
class Policy:
    """legal.toml, checked. `hash` is of its content: comments and white space do not change it."""

    hash: str
    regimes: dict[str, Regime]
    file: str = "legal.toml"
    content: bytes = b""
    """What the hash is of, as JSON: kept with what it decided on, so that it can be read again."""
    _tables: dict[tuple[str, str, str], Rulings] = field(default_factory=dict, compare=False, repr=False)

    def regime(self, source: Source, at: datetime) -> str:
        """The regime that decides about what this source brings at that moment (of receipt)."""
        if source.regime is not None:
            return self.named(source.regime, f"source.{source.id}.regime").id
        started = [r for r in self.regimes.values() if r.valid_from is not None and r.valid_from <= at]
        if not started:
            raise GuardError(f"{self.file}: no regime is in force on {at:%Y-%m-%d}: give one an earlier valid_from")
        return max(started, key=lambda r: (r.valid_from, r.id)).id

    def rulings(self, regime: str, source: Source) -> Rulings:
        """Every category x role -> Ruling for one source under a regime."""
        key = (regime, source.id, source.attacker_ip)
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = self.named(regime, "regime").rulings(source)
        return found

    def decide(self, regime: str, source: Source, category: Category, role: Role) -> Ruling:
        """What becomes of a value of this category and role from this source."""
        return self.rulings(regime, source)[category, role]

    def basis(self, regime: str) -> LegalBasis:
        """The regime's basis, in words, with this policy's version."""
        return LegalBasis(regime, self.hash, self.named(regime, "regime").basis)

    def retention(self, regime: str, category: Category | None = None) -> timedelta:
        """How long after receipt values of a category are kept; None: the guarded item as a whole."""
        days = self.named(regime, "regime").retention
        return timedelta(days=days["item"] if category is None else days.get(category, days["other"]))

    @property
    def messages(self) -> timedelta:
        """How long after it was queued a message is kept that waits, or was written as a file: the shortest of all
        regimes, since a message may hold what came in under several."""
        return timedelta(days=min(each.retention.get("message", MESSAGE) for each in self.regimes.values()))

    def named(self, regime: str, key: str = "regime") -> Regime:
        """That regime; GuardError (naming `key`) when there is none."""
        found = self.regimes.get(regime)
        if found is None:
            raise GuardError(f"{self.file}: {key}: no such regime: choose one of {', '.join(sorted(self.regimes))}")
        return found


def check_sources(policy: Policy, sources: Iterable[Source], at: datetime | None = None) -> None:
    """Refuse sources that the policy cannot allow, by GuardError: an unknown regime; a mailbox or broker of our own
    where that storage has no basis. With `at`, those that follow the regime in force then are checked too."""
    for source in sources:
        if source.regime is not None:
            regime = source.regime
        elif at is not None:
            regime = policy.regime(source, at)
        else:
            continue
        key = f"source.{source.id}"
        storing = policy.named(regime, f"{key}.regime").storage_before_guard
        if source.kind in ("imap", "kafka") and not storing:
            raise GuardError(
                f"sources.toml: {key}.kind: {source.kind} stores documents before the guard has seen them, which "
                f'regime {regime} does not allow: have the source deliver by "http", "taxii" or "files"'
            )
