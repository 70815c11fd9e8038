"""The legal policy: regime x category x role -> action, as legal.toml spells it out.

A Policy is read whole or not at all: an unknown key, a combination without a rule, or a rule that would keep a BSN
or a credential is a GuardError that names file, key and next step. Rules are data; nothing here knows a statute.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

import msgspec

from ingest import Source
from normalize import Role
from pii_guard import Action, Category, GuardError, LegalBasis

CATEGORIES: tuple[Category, ...] = get_args(Category)
ROLES: tuple[Role, ...] = get_args(Role)
CARRIED_OUT: frozenset[str] = frozenset({"keep", "own", "strip", "hold", "refuse"})
"""Actions the guard can carry out; the others of `Action` need recipients' keys or the vault."""
ALWAYS_STRIPPED: frozenset[str] = frozenset({"bsn", "credential"})
ZONE = ZoneInfo("Europe/Amsterdam")
"""A date in legal.toml begins at midnight here."""

_REGIME_KEYS = {"jurisdiction": str, "basis": str, "review": str, "woo": str, "storage_before_guard": bool}
_RULE_KEYS = {"id": str, "categories": list, "roles": list, "action": str, "basis": str}
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "a table", int: "a whole number"}


class Ruling(NamedTuple):
    """What becomes of a value, by which rule, on what basis (in words)."""

    action: Action
    rule: str
    basis: str


Rulings = Mapping[tuple[Category, Role], Ruling]


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[regime.X.rule]]`. `reviewed_only`: only for sources with attacker_ip = "keep"."""

    id: str
    categories: frozenset[Category]
    roles: frozenset[Role]
    action: Action
    basis: str
    reviewed_only: bool


@dataclass(frozen=True, slots=True)
class Regime:
    """One legal position of the service. `valid_from` None: not in force by itself."""

    id: str
    valid_from: datetime | None
    jurisdiction: str
    basis: str
    review: str
    woo: str
    storage_before_guard: bool
    rules: tuple[Rule, ...]
    retention: dict[str, int]

    def rulings(self, *, reviewed: bool) -> Rulings:
        """Every category x role -> Ruling, for sources with or without the reviewed exception."""
        table: dict[tuple[Category, Role], Ruling] = {}
        for rule in self.rules:
            if rule.reviewed_only and not reviewed:
                continue
            for category in rule.categories:
                for role in rule.roles:
                    table.setdefault((category, role), Ruling(rule.action, rule.id, rule.basis))
        return table


@dataclass(frozen=True, slots=True)
class Policy:
    """legal.toml, checked. `hash` is of its content: comments and white space do not change it."""

    hash: str
    regimes: dict[str, Regime]
    file: str = "legal.toml"
    _tables: dict[tuple[str, bool], Rulings] = field(default_factory=dict, compare=False, repr=False)

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
        reviewed = source.attacker_ip == "keep"
        found = self._tables.get((regime, reviewed))
        if found is None:
            found = self.named(regime, "regime").rulings(reviewed=reviewed)
            self._tables[regime, reviewed] = found
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


def load(text: str, file: str) -> Policy:
    """Read legal.toml. Raises GuardError `FILE: KEY: what is wrong: next step`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GuardError(f"{file}: not TOML: {error}") from error
    _only(data, {"regime"}, file, "")
    regimes = _typed(data, "regime", dict, file, "")
    if not regimes:
        raise GuardError(f"{file}: regime: there is none: `oktt init` in an empty folder writes the shipped policy")
    made = {name: _regime(name, value, file) for name, value in regimes.items()}
    return Policy(_content_hash(data), made, file)


def _content_hash(data: dict[str, Any]) -> str:
    canonical = msgspec.json.encode(data, enc_hook=str, order="deterministic")
    return hashlib.sha256(canonical).hexdigest()


def _regime(name: str, data: Any, file: str) -> Regime:
    where = f"regime.{name}"
    if not isinstance(data, dict):
        raise GuardError(f"{file}: {where}: must be a table: write [{where}]")
    _only(data, {*_REGIME_KEYS, "valid_from", "retention", "rule"}, file, where)
    plain = {key: _typed(data, key, kind, file, where) for key, kind in _REGIME_KEYS.items()}
    rules = _typed(data, "rule", list, file, where)
    made = tuple(_rule(rule, f"{where}.rule[{index}]", file) for index, rule in enumerate(rules))
    _check_rules(made, file, where)
    return Regime(
        id=name,
        valid_from=_moment(data.get("valid_from"), file, where),
        rules=made,
        retention=_retention(_typed(data, "retention", dict, file, where), file, f"{where}.retention"),
        **plain,
    )


def _rule(data: Any, where: str, file: str) -> Rule:
    if not isinstance(data, dict):
        raise GuardError(f"{file}: {where}: must be a table: write [[regime.NAME.rule]]")
    _only(data, {*_RULE_KEYS, "only_sources"}, file, where)
    plain = {key: _typed(data, key, kind, file, where) for key, kind in _RULE_KEYS.items()}
    _closed(plain["categories"], CATEGORIES, file, f"{where}.categories")
    _closed(plain["roles"], ROLES, file, f"{where}.roles")
    _closed([plain["action"]], get_args(Action), file, f"{where}.action")
    if plain["action"] not in CARRIED_OUT:
        raise GuardError(f"{file}: {where}.action: {plain['action']} cannot be carried out yet: use strip or own")
    forbidden = ALWAYS_STRIPPED.intersection(plain["categories"])
    if forbidden and plain["action"] != "strip":
        names = ", ".join(sorted(forbidden))
        raise GuardError(f"{file}: {where}.action: {names} can only be stripped (UAVG art. 46): use strip")
    flag = data.get("only_sources")
    if flag not in (None, "attacker_ip"):
        raise GuardError(f'{file}: {where}.only_sources: not a flag of sources: use "attacker_ip" or leave it out')
    return Rule(
        id=plain["id"],
        categories=frozenset(plain["categories"]),
        roles=frozenset(plain["roles"]),
        action=plain["action"],
        basis=plain["basis"],
        reviewed_only=flag is not None,
    )


def _check_rules(rules: tuple[Rule, ...], file: str, where: str) -> None:
    """Every combination has a rule, every rule can be reached, no two share an id."""
    covered: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        key = f"{where}.rule[{index}]"
        if rule.id in seen:
            raise GuardError(f"{file}: {key}.id: {rule.id} stands twice: give each rule its own id")
        seen.add(rule.id)
        mine = {(category, role) for category in rule.categories for role in rule.roles}
        if mine <= covered:
            raise GuardError(f"{file}: {key}: is never reached, earlier rules decide: remove it or move it up")
        if not rule.reviewed_only:
            covered |= mine
    missing = [f"{c} x {r}" for c in CATEGORIES for r in ROLES if (c, r) not in covered]
    if missing:
        raise GuardError(f"{file}: {where}.rule: no rule for {missing[0]} ({len(missing)} in all): add one")


def _retention(data: dict[str, Any], file: str, where: str) -> dict[str, int]:
    _only(data, {"item", "other", *CATEGORIES}, file, where)
    days = {key: _typed(data, key, int, file, where) for key in {"item", "other", *data}}
    for key, value in days.items():
        if not 0 <= value <= 36500:
            raise GuardError(f"{file}: {where}.{key}: must be 0 to 36500 days")
    return days


def _moment(value: Any, file: str, where: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=ZONE)
    if isinstance(value, date):
        return datetime.combine(value, time(), ZONE)
    raise GuardError(f"{file}: {where}.valid_from: must be a date: write valid_from = 2024-10-01")


def _only(data: dict[str, Any], known: set[str], file: str, where: str) -> None:
    for key in data:
        if key not in known:
            place = f"{where}.{key}".lstrip(".")
            raise GuardError(f"{file}: {place}: unknown key: remove it or use one of {', '.join(sorted(known))}")


def _typed(data: dict[str, Any], key: str, kind: type, file: str, where: str) -> Any:
    place, value = f"{where}.{key}".lstrip("."), data.get(key)
    if value is None:
        raise GuardError(f"{file}: {place}: is missing: add it")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or value in ("", []):
        raise GuardError(f"{file}: {place}: must be {_KINDS[kind]}, not empty")
    return value


def _closed(values: list[Any], known: tuple[str, ...], file: str, where: str) -> None:
    for value in values:
        if value not in known:
            raise GuardError(f"{file}: {where}: unknown value: use {', '.join(known)}")
