"""What was decided about an item's personal data, by which rule of which policy; and what another date would decide.

A replay is a dry run: it says what the regime of that date would make of the same findings, and changes nothing. What
was stripped cannot come back; a rule that would have kept it shows as a difference all the same. And which rules nobody
has reviewed yet.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from ingest import Source
from pii_guard import Finding, Item, Statement
from pii_guard.policy import RECIPIENTS, Policy, Regime

LATER = "regime of an earlier policy that is not on record"


_REVIEWED = re.compile(r"reviewed(?: until (\d{4}-\d\d-\d\d))?").fullmatch
"""What `review` says of a rule that was reviewed; anything else: it was not."""


def unreviewed(policy: Policy, today: date) -> list[dict[str, Any]]:
    """The rules whose legal review is not done, or whose term has passed: regime, rule, action, review, why, and
    whether the regime is in force by itself."""
    rows = []
    for regime in policy.regimes.values():
        for rule in regime.rules:
            found = _REVIEWED(rule.review)
            why = "not reviewed" if found is None else ""
            if found is not None and found[1] is not None:
                why = _past(found[1], today)
            if why:
                started = regime.valid_from is not None and regime.valid_from.date() <= today
                row = {"regime": regime.id, "started": started, "rule": rule.id, "action": rule.action}
                rows.append({**row, "review": rule.review, "why": why})
    return rows


def _past(until: str, today: date) -> str:
    try:
        return "its term has passed" if date.fromisoformat(until) < today else ""
    except ValueError:
        return "its term is no date"


def woo(policy: Policy | None, regime: str) -> str | None:
    """The Woo class of what a regime of that policy decided on; None: it is not on record."""
    found = None if policy is None else policy.regimes.get(regime)
    return None if found is None else found.woo


def explain(
    item: Item,
    policy: Policy,
    at: datetime | None = None,
    sources: Mapping[str, Source] | None = None,
    earlier: Callable[[str], Policy | None] = lambda _: None,
) -> list[dict[str, Any]]:
    """One row a finding: category, role, action, path, rule, basis, count, source, regime, policy (hash), legal_basis
    (in words), review and woo; of what is gated `to`, by class of recipient (purpose notify).

    With `at`: would, would_rule, would_regime and would_to by today's policy on that date, and differs. `sources` says
    which regime a source has of its own; `earlier` finds a policy by its hash.
    """
    rows: list[dict[str, Any]] = []
    for statement in (*item.statements, *item.facts):
        source = (sources or {}).get(statement.source) or Source(statement.source, statement.source)
        then = policy if statement.policy == policy.hash else earlier(statement.policy)
        regime = then.regimes.get(statement.regime) if then is not None else None
        other = policy.named(policy.regime(source, at)) if at is not None else None
        for finding in statement.findings:
            row = _row(finding, statement, regime, source)
            if other is not None:
                row |= _replayed(row, finding, other, source)
            rows.append(row)
    return rows


def _row(finding: Finding, statement: Statement, regime: Regime | None, source: Source) -> dict[str, Any]:
    rule = next((rule for rule in regime.rules if rule.id == finding.rule), None) if regime else None
    row: dict[str, Any] = {
        "category": finding.category,
        "role": finding.role,
        "evidence": finding.evidence,
        "action": finding.action,
        "path": finding.path,
        "rule": finding.rule,
        "basis": finding.basis,
        "count": finding.count,
        "source": statement.source,
        "regime": statement.regime,
        "policy": statement.policy,
        "legal_basis": regime.basis if regime else LATER,
        "review": rule.review if rule else regime.review if regime else "",
        "woo": regime.woo if regime else "",
    }
    if finding.action == "gate" and regime is not None:
        row["to"] = _given(regime, source, finding)
    return row


def _replayed(row: Mapping[str, Any], finding: Finding, regime: Regime, source: Source) -> dict[str, Any]:
    ruling = regime.rulings(source)[finding.category, finding.role]
    would: dict[str, Any] = {"would": ruling.action, "would_rule": ruling.rule, "would_regime": regime.id}
    if ruling.action == "gate":
        would["would_to"] = _given(regime, source, finding)
    same = ruling.action == finding.action and would.get("would_to") == row.get("to")
    return would | {"differs": not same}


def _given(regime: Regime, source: Source, finding: Finding) -> dict[str, str]:
    """Class of recipient -> the form in which it gets the value in a message."""
    return {
        recipient: regime.disclose(source, finding.category, finding.role, recipient, "notify").action
        for recipient in RECIPIENTS
    }
