"""What of a stored statement has outlived its retention, and what a stricter policy no longer allows.

`Guard.reguard` runs the rewriting of the door again over a statement, with these rulings. Within an unchanged policy
only the categories whose time is over are touched: everything else was allowed and stays as it is. Where the policy
has become stricter since, its rulings decide as they are now; where it has become wider nothing comes back, because
what was not allowed is gone. `free-text` is what was doubtful in prose: that goes, the prose around it stays.
Sources: AVG art. 5(1)(e); legal.toml `retention`, in days after receipt.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ingest import Source
from normalize import Role
from pii_guard import Action, Category, Finding, Statement
from pii_guard.policy import CATEGORIES, ROLES, Policy, Ruling, Rulings

LASTING: frozenset[Action] = frozenset({"keep", "gate", "own", "hold"})
"""Actions after which a value is still there."""
_STAYS = Ruling("keep", "retained", "Within its retention")
_STRICT: dict[Action, int] = {"keep": 0, "hold": 1, "gate": 1, "own": 1, "strip": 2, "refuse": 2}


def regime_of(policy: Policy, statement: Statement, source: Source) -> str:
    """The regime that let the statement in; where the policy has it no more, the one in force on that day."""
    return statement.regime if statement.regime in policy.regimes else policy.regime(source, statement.received_at)


def expired(policy: Policy, regime: str, received_at: datetime, now: datetime) -> frozenset[Category]:
    """The categories whose retention after that receipt is over."""
    age = now - received_at
    return frozenset(category for category in CATEGORIES if age >= policy.retention(regime, category))


def ages(policy: Policy) -> list[int]:
    """The ages in days at which something of a statement expires, over all regimes; 0: what the policy itself says."""
    found = {0}
    for regime in policy.regimes.values():
        lasting = {category for rule in regime.rules if rule.action in LASTING for category in rule.categories}
        found |= {policy.retention(regime.id, category).days for category in lasting}
    return sorted(found)


def rulings(policy: Policy, statement: Statement, source: Source, now: datetime) -> tuple[Rulings, bool] | None:
    """What becomes of the values of a stored statement, and whether its prose may stay; None: everything stays.

    A category that would be refused today is stripped: the document it came in has been let in.
    """
    regime = regime_of(policy, statement, source)
    table = policy.rulings(regime, source)
    over = {
        category
        for category in expired(policy, regime, statement.received_at, now)
        if any(table[category, role].action in LASTING for role in ROLES)
    }
    stricter = _stricter(policy, statement, table)
    if not stricter and (not over or _bare(statement, table)):
        return None
    ended = Ruling("strip", f"{regime}.retention", "Its retention has ended (AVG art. 5(1)(e))")
    made: dict[tuple[Category, Role], Ruling] = {}
    for key, ruling in table.items():
        if ruling.action not in LASTING:
            made[key] = ruling._replace(action="strip")
        elif key[0] in over:
            made[key] = ended
        else:
            made[key] = ruling if stricter else _STAYS
    prose = source.public or not stricter or table["free-text", "unknown"].action in ("keep", "hold")
    return made, prose


def findings(before: tuple[Finding, ...], found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of the door, and what went since."""
    known = {_key(each) for each in before}
    return (*before, *(each for each in found if each.action != "keep" and _key(each) not in known))


def source_of(sources: Mapping[str, Source], statement: Statement) -> Source:
    """A source that is configured no more is one about which nothing is known."""
    return sources.get(statement.source) or Source(statement.source, statement.source)


def _stricter(policy: Policy, statement: Statement, table: Rulings) -> bool:
    """Is the policy another than let it in, or has its source lost what allowed a value that was kept?"""
    return statement.policy != policy.hash or any(
        _STRICT[table[each.category, each.role].action] > _STRICT[each.action]
        for each in statement.findings
        if each.action in LASTING and (each.category, each.role) in table
    )


def _bare(statement: Statement, table: Rulings) -> bool:
    """Words alone, in which nothing was found: what is unknown in them has been taken out already."""
    return (
        not statement.findings
        and not statement.facts.observables
        and bytes(statement.objects) == b"[]"
        and all(table[category, "unknown"].action != "keep" for category in CATEGORIES)
    )


def _key(each: Finding) -> tuple[str, ...]:
    return each.category, each.role, each.action, each.path, each.rule, each.evidence
