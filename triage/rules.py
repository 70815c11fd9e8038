"""Release rules: which items go out without a person, in order, first match wins (rules.toml).

A rule never releases what is held, what carries a stricter label than it allows, or what would alert more subscribers
than `[desk] person_over`; those wait for an analyst. Over `second_person_over` two different people decide.
"""

from collections.abc import Sequence

from msgspec import Struct

from filtering import Match
from normalize import Kind, Urgency
from pii_guard import Item
from subscribers import FRESH_DAYS
from tlp import Label


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One release rule. An empty list means any."""

    id: str
    why: str
    """In words, shown as the reason in the item's history."""
    sources: tuple[str, ...] = ()
    """Every statement of the item must come from one of these."""
    kinds: tuple[Kind, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    tlp: Label = Label.CLEAR
    """The strictest label allowed."""
    match: bool = True
    """Must it alert somebody? false: also what only goes into digests and feeds."""
    alert: bool = True
    """May it alert anybody? false: only what goes into digests and feeds."""


class DeskSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[desk]` of oktt.toml."""

    analysts: tuple[str, ...] = ()
    """If set, only these may decide."""
    person_over: int = 500
    """An alert to more subscribers than this needs a person."""
    second_person_over: int = 5000
    """An alert to more subscribers than this needs two different people."""
    undo_minutes: int = 10
    """How long a released alert waits before it leaves."""
    wave_over: int = 10_000
    """An alert to more subscribers than this goes in waves: `seed`, one in twenty, the rest."""
    wave_minutes: int = 20
    """How long after a wave has left the next one opens."""
    seed: tuple[str, ...] = ()
    """Ids of subscribers who read along first: the hub's own mailbox, a partnership that answers the telephone."""
    update_hours: int = 4
    """How long after an update the next one on the same item waits, unless it is graver; 0: not at all."""
    repeat_days: int = 7
    """After how many days somebody is told again of systems that are still open; 0: with each report."""
    software_days: int = FRESH_DAYS
    """After how many days a subscriber's inventory of software is stale."""


def alerts(match: Match) -> int:
    """How many subscribers would get an alert of their own, at once or after their quiet hours."""
    return len(match.outcomes["deliver"]) + len(match.outcomes["quiet"])


def applying(
    rules: Sequence[Rule], item: Item, kind: Kind, urgency: Urgency, match: Match, *, label: Label | None = None
) -> Rule | None:
    """The first rule that releases this item; None: a person decides. `label`: a stricter one that an analyst set."""
    if any(statement.holds for statement in item.statements):
        return None
    strict = max(*(statement.label for statement in item.statements), label or Label.CLEAR)
    sources = {statement.source for statement in item.statements}
    for rule in rules:
        if rule.sources and not sources <= set(rule.sources):
            continue
        if (rule.kinds and kind not in rule.kinds) or (rule.urgency and urgency not in rule.urgency):
            continue
        reached = alerts(match)
        if strict > rule.tlp or (rule.match and not reached) or (reached and not rule.alert):
            continue
        return rule
    return None
