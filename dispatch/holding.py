"""What of an item somebody was told, and holds for true: by the ledger, and by what has left and is not settled yet.

A withdrawal takes back its own version and those before.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple

import sqlalchemy as sa

from dispatch import Delivery
from dispatch.ledger import LEFT, ledger
from dispatch.outbox import OPEN, deliveries

_NONE = -1
_l, _d = ledger.c, deliveries.c
_BACK = "withdrawal"
_TOLD = sa.func.max(sa.case((_l.kind != _BACK, _l.version), else_=_NONE))
_TAKEN = sa.func.max(sa.case((sa.and_(_l.kind == _BACK, _l.outcome == "sent"), _l.version), else_=_NONE))
_SETTLED = (
    sa.select(_l.subscriber, _TOLD, _TAKEN)
    .where(_l.subject == sa.bindparam("item"), _l.outcome.in_(sa.bindparam("outcomes", expanding=True)))
    .group_by(_l.subscriber)
)
_ACCEPTED = (
    sa.select(
        _d.subscriber,
        sa.func.max(sa.case((_d.kind != _BACK, _d.version), else_=_NONE)),
        sa.func.max(sa.case((_d.kind == _BACK, _d.version), else_=_NONE)),
    )
    .where(_d.subject == sa.bindparam("item"), _d.state == "accepted")
    .group_by(_d.subscriber)
)
_IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
_ALL, _AMONG = (
    (_SETTLED, _ACCEPTED),
    (_SETTLED.where(_l.subscriber.in_(_IDS)), _ACCEPTED.where(_d.subscriber.in_(_IDS))),
)


class Had(NamedTuple):
    """The latest versions of an item that somebody was told, and told to be withdrawn; -1: none."""

    told: int = _NONE
    taken: int = _NONE

    @property
    def holds(self) -> bool:
        """Was it told, and not taken back since?"""
        return self.told > self.taken


def had(
    conn: sa.Connection, item: str, among: Collection[str] | None = None, *, perhaps: bool = False
) -> dict[str, Had]:
    """Who (of these, some thousands) was told what; `perhaps`: or may have been told. What was perhaps taken back was
    not."""
    given = {"item": item, "outcomes": LEFT if perhaps else ("sent",)} | ({} if among is None else {"ids": list(among)})
    found: dict[str, Had] = {}
    for query in _ALL if among is None else _AMONG:
        for who, told, taken in conn.execute(query, given):
            known = found.get(who, Had())
            found[who] = Had(max(known.told, told), max(known.taken, taken))
    return found


def follows(conn: sa.Connection, withdrawal: Delivery, into: str | None = None) -> Literal["told", "waits"] | None:
    """What its reader was told since of the item, or waits to be told. `into`: the item that took it in."""
    later = sa.and_(_d.subject == withdrawal.subject, _d.version > withdrawal.version)
    if into is not None:
        later = sa.or_(later, sa.and_(_d.subject == into, _d.queued_at >= withdrawal.queued_at))
    kinds = _d.kind.in_(("alert", "update", _BACK))
    states = _d.state.in_(("queued", "sending", "accepted", "sent"))
    mine = sa.select(_d.kind, _d.state).where(_d.subscriber == withdrawal.subscriber, later, kinds, states)
    found = {kind == _BACK or state in ("accepted", "sent") for kind, state in conn.execute(mine)}
    return "told" if True in found else "waits" if found else None


def in_hand(conn: sa.Connection, withdrawal: Delivery) -> bool:
    """Does a worker have in hand what this takes back? It may still leave, and its reader would have it last."""
    mine = (_d.subject == withdrawal.subject, _d.subscriber == withdrawal.subscriber, _d.version <= withdrawal.version)
    held = (_d.kind.in_(("alert", "update", "reminder")), OPEN, _d.worker != "")
    return conn.execute(sa.select(_d.id).where(*mine, *held).limit(1)).first() is not None
