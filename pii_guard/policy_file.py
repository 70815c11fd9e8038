"""Reads legal.toml. Whatever cannot be meant is a GuardError that names file, key and the next step.

Refused are unknown keys, combinations without a rule, rules that are never reached, and a rule that would keep a BSN
or a credential. A policy goes by the hash of its content: comments and white space do not change it.
"""

import hashlib
import tomllib
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pii_guard import Action, GuardError
from pii_guard.policy import CATEGORIES, PURPOSES, RECIPIENTS, ROLES, Policy, Regime, Rule

AT_THE_DOOR: tuple[Action, ...] = ("keep", "gate", "strip", "hold", "refuse")
ON_THE_WAY_OUT: tuple[Action, ...] = ("keep", "token", "truncate", "strip")
ALWAYS_STRIPPED: frozenset[str] = frozenset({"bsn", "credential"})
GATED: frozenset[str] = frozenset({"ipv4", "ipv6", "mac", "email", "username", "phone", "url-personal", "iban"})
"""What an organisation can be told of itself; nothing else can be gated."""
ZONE = ZoneInfo("Europe/Amsterdam")
"""A date in legal.toml begins at midnight here."""

_REGIME_KEYS = {"jurisdiction": str, "basis": str, "review": str, "woo": str, "storage_before_guard": bool}
_MAY_HAVE = {"valid_from", "excludes", "tokens", "retention", "rule"}
_RULE_KEYS = {"id": str, "categories": list, "roles": list, "action": str, "basis": str}
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "a table", int: "a whole number"}
_MONTH = 30


def load(text: str, file: str) -> Policy:
    """Read legal.toml. Raises GuardError `FILE: KEY: what is wrong: next step`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GuardError(f"{file}: not TOML: {error}") from error
    return _policy(data, file)


def again(content: bytes, file: str) -> Policy:
    """A policy from the content that was kept of it (`Policy.content`)."""
    data = msgspec.json.decode(content)
    for regime in data["regime"].values():
        if isinstance(moment := regime.get("valid_from"), str):
            regime["valid_from"] = datetime.fromisoformat(moment) if ":" in moment else date.fromisoformat(moment)
    return _policy(data, file)


def _policy(data: dict[str, Any], file: str) -> Policy:
    _only(data, {"regime"}, file, "")
    regimes = _typed(data, "regime", dict, file, "")
    if not regimes:
        raise GuardError(f"{file}: regime: there is none: `oktt init` in an empty folder writes the shipped policy")
    made = {name: _regime(name, value, file) for name, value in regimes.items()}
    content = msgspec.json.encode(data, enc_hook=str, order="deterministic")
    return Policy(hashlib.sha256(content).hexdigest(), made, file, content)


def _regime(name: str, data: Any, file: str) -> Regime:
    where = f"regime.{name}"
    if not isinstance(data, dict):
        raise GuardError(f"{file}: {where}: must be a table: write [{where}]")
    _only(data, {*_REGIME_KEYS, *_MAY_HAVE}, file, where)
    plain = {key: _typed(data, key, kind, file, where) for key, kind in _REGIME_KEYS.items()}
    rules = _typed(data, "rule", list, file, where)
    made = tuple(_rule(rule, f"{where}.rule[{index}]", file, plain["review"]) for index, rule in enumerate(rules))
    _check_rules(made, file, where)
    tokens = data.get("tokens", {})
    _only(tokens, {"days", "prefix_preserving"}, file, f"{where}.tokens")
    return Regime(
        id=name,
        valid_from=_moment(data.get("valid_from"), file, where),
        excludes=frozenset(_texts(data, "excludes", file, where)),
        token_days=_whole(tokens, "days", _MONTH, 1, file, f"{where}.tokens"),
        token_prefixes=_flag(tokens, "prefix_preserving", file, f"{where}.tokens"),
        rules=made,
        retention=_retention(_typed(data, "retention", dict, file, where), file, f"{where}.retention"),
        **plain,
    )


def _rule(data: Any, where: str, file: str, review: str) -> Rule:
    if not isinstance(data, dict):
        raise GuardError(f"{file}: {where}: must be a table: write [[regime.NAME.rule]]")
    _only(data, {*_RULE_KEYS, "review", "only_sources", "purposes", "to"}, file, where)
    plain = {key: _typed(data, key, kind, file, where) for key, kind in _RULE_KEYS.items()}
    _closed(plain["categories"], CATEGORIES, file, f"{where}.categories")
    _closed(plain["roles"], ROLES, file, f"{where}.roles")
    purposes = _typed(data, "purposes", list, file, where) if "purposes" in data else list(PURPOSES)
    _closed(purposes, PURPOSES, file, f"{where}.purposes")
    _check_action(plain["action"], plain["categories"], where, file)
    named = data.get("only_sources")
    if named is not None and named != "attacker_ip" and not isinstance(named, list):
        raise GuardError(f'{file}: {where}.only_sources: write a list of source ids, or the flag "attacker_ip"')
    return Rule(
        id=plain["id"],
        categories=frozenset(plain["categories"]),
        roles=frozenset(plain["roles"]),
        action=plain["action"],
        basis=plain["basis"],
        review=_typed(data, "review", str, file, where) if "review" in data else review,
        sources=frozenset(_texts(data, "only_sources", file, where)) if isinstance(named, list) else None,
        reviewed_only=named == "attacker_ip",
        purposes=frozenset(purposes),
        to=_recipients(data, plain["action"], file, where),
    )


def _check_action(action: str, categories: list[str], where: str, file: str) -> None:
    if action == "own":
        raise GuardError(f'{file}: {where}.action: own is called gate now: write "gate", and add `to`, as shipped')
    _closed([action], AT_THE_DOOR, file, f"{where}.action")
    forbidden = sorted(ALWAYS_STRIPPED.intersection(categories))
    if forbidden and action != "strip":
        raise GuardError(f"{file}: {where}.action: {', '.join(forbidden)} can only be stripped (UAVG art. 46)")
    if action == "gate" and (others := sorted(set(categories) - GATED)):
        raise GuardError(f"{file}: {where}.action: {others[0]} is nothing that could be gated: use strip")


def _recipients(data: dict[str, Any], action: str, file: str, where: str) -> dict[Any, Any]:
    """`to`: every class of recipient, spelled out; there is one exactly where values are gated."""
    if action != "gate":
        if "to" in data:
            raise GuardError(f'{file}: {where}.to: only what is gated is given to some: use action = "gate"')
        return {}
    to = _typed(data, "to", dict, file, where)
    _only(to, set(RECIPIENTS), file, f"{where}.to")
    for name in RECIPIENTS:
        _closed([_typed(to, name, str, file, f"{where}.to")], ON_THE_WAY_OUT, file, f"{where}.to.{name}")
    return dict(to)


def _check_rules(rules: tuple[Rule, ...], file: str, where: str) -> None:
    """Every combination has a rule, every rule can be reached, no two share an id; purposes differ only in who gets
    what is gated."""
    covered: set[tuple[str, str, str]] = set()
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        key = f"{where}.rule[{index}]"
        if rule.id in seen:
            raise GuardError(f"{file}: {key}.id: {rule.id} stands twice: give each rule its own id")
        seen.add(rule.id)
        if len(rule.purposes) < len(PURPOSES) and rule.action != "gate":
            raise GuardError(f"{file}: {key}.purposes: only what is gated has purposes: leave them out")
        mine = {(c, r, p) for c in rule.categories for r in rule.roles for p in rule.purposes}
        if mine <= covered:
            raise GuardError(f"{file}: {key}: is never reached, earlier rules decide: remove it or move it up")
        if not rule.reviewed_only and rule.sources is None:
            covered |= mine
    missing = [f"{c} x {r} x {p}" for c in CATEGORIES for r in ROLES for p in PURPOSES if (c, r, p) not in covered]
    if missing:
        raise GuardError(f"{file}: {where}.rule: no rule for {missing[0]} ({len(missing)} in all): add one")


def _retention(data: dict[str, Any], file: str, where: str) -> dict[str, int]:
    _only(data, {"item", "other", "message", *CATEGORIES}, file, where)
    days = {key: _typed(data, key, int, file, where) for key in {"item", "other", *data}}
    for key in days:
        _whole(days, key, 0, 0, file, where)
    return days


def _whole(data: dict[str, Any], key: str, default: int, least: int, file: str, where: str) -> int:
    """A number of days."""
    value = _typed(data, key, int, file, where) if key in data else default
    if not least <= value <= 36500:
        raise GuardError(f"{file}: {where}.{key}: must be {least} to 36500 days")
    return int(value)


def _flag(data: dict[str, Any], key: str, file: str, where: str) -> bool:
    return bool(_typed(data, key, bool, file, where)) if key in data else False


def _texts(data: dict[str, Any], key: str, file: str, where: str) -> list[str]:
    values = _typed(data, key, list, file, where) if key in data else []
    if not all(isinstance(value, str) for value in values):
        raise GuardError(f"{file}: {where}.{key}: must be a list of texts")
    return list(values)


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
