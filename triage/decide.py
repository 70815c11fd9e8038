"""The state machine of decisions, and the only place where a Released is made.

    new -> claimed | held | declined | pending | released        (claim, hold, decline, release)
    declined -> claimed | pending | released                     (by a person: it was a mistake)
    pending -> released                                          (approve, by somebody else)
    released -> withdrawn                                        (withdraw; also while a newer version waits)
    released, pending -> released | pending                      (release again: another label, or what was void)

An approval is bound to a hash of what was decided on (docs/decisions/005): another version, label, urgency or policy,
other advice or templates, and the decision no longer stands for what has not left yet.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from pyroaring import BitMap

from filtering import Match
from normalize import identity
from pii_guard import Item
from pii_guard.guard import Guard
from triage import Act, Decision, Released, State, TriageError, cases, inbox, releases
from triage.cases import Case, Request
from triage.rules import DeskSettings, Rule, alerts, applying


def act(connection: sa.Connection, desk: DeskSettings, request: Request, now: datetime) -> None:
    """claim, hold, decline, withdraw: what needs no audience. Raises TriageError."""
    may(desk, request.by)
    row = inbox.row(connection, request.item)
    cases.check(connection, request, row)
    if request.act == "claim" and row.state == "claimed" and row.holder != request.by:
        raise TriageError(f"{request.item} is claimed by {row.holder}")
    if request.act in ("hold", "decline", "withdraw") and not request.reason.strip():
        raise TriageError(f"{request.act} needs a reason: --reason '...'")
    states: dict[Act, State] = {"claim": "claimed", "hold": "held", "decline": "declined", "withdraw": "withdrawn"}
    reserved = row.reserved or request.act != "claim"
    inbox.set_state(connection, request.item, states[request.act], now, holder=request.by, reserved=reserved)
    releases.drop_pending(connection, request.item)
    if request.act == "withdraw":
        releases.end(connection, request.item, "withdrawn")
    _note(connection, row.version, request, now, request.act)


def release(
    connection: sa.Connection, desk: DeskSettings, case: Case, match: Match, shown: str, request: Request, now: datetime
) -> Released | None:
    """An analyst releases. None: it waits for a second person (`approve`). Raises TriageError."""
    may(desk, request.by)
    row = inbox.row(connection, request.item)
    if row.state == "claimed" and row.holder != request.by:
        raise TriageError(f"{request.item} is claimed by {row.holder}: let them release it, or `hold` it first")
    if _kept_back(case) and not request.reason.strip():
        told = f"{request.item} was kept back (`oktt item {request.item}` says why)"
        raise TriageError(f"{told}: to release it needs a reason: --reason '...'")
    if request.to and not request.reason.strip():
        raise TriageError("--to is the source's consent: say who of it gave it, and when: --reason '...'")
    stands = releases.find(connection, request.item, "active")
    if row.state == "released" and stands is not None and (stands.bound, stands.shown) == (case.bound, shown):
        raise TriageError(f"{request.item} is released already, and nothing about it would change")
    second = alerts(match) > desk.second_person_over
    state: State = "pending" if second else "released"
    inbox.set_state(
        connection,
        request.item,
        state,
        now,
        holder=request.by,
        reserved=row.reserved and second,
        label=case.label.value if case.label else None,
        urgency=request.urgency or row.urgency,
    )
    decision = _decision(case, request, now)
    _note(connection, row.version, request, now, "release, waits for a second person" if second else "release")
    releases.record(connection, decision, match, shown, "pending" if second else "active")
    return None if second else _stand(case, decision, match.readers)


def approve(
    connection: sa.Connection, desk: DeskSettings, case: Case, match: Match, shown: str, request: Request, now: datetime
) -> Released:
    """The second pair of eyes. Raises TriageError when it is the same person, or what was decided on has changed."""
    may(desk, request.by)
    found = releases.find(connection, request.item, "pending")
    if found is None:
        raise TriageError(f"{request.item} has no release that waits for approval")
    first = msgspec.json.decode(found.decision, type=Decision)
    if _same(request.by, first.by):
        raise TriageError(f"{request.item} was released by {first.by}: approval is for somebody else")
    if found.bound != case.bound or found.shown != shown:
        raise TriageError(f"{request.item} has changed since {first.by} released it: release it again")
    inbox.set_state(connection, request.item, "released", now, holder=request.by, reserved=False)
    _note(connection, first.version, request, now, "approve")
    releases.activate(connection, request.item, first.version, now)
    return _stand(case, first, BitMap.deserialize(found.audience) & match.readers)


def by_rule(
    connection: sa.Connection,
    desk: DeskSettings,
    rules: Sequence[Rule],
    case: Case,
    match: Match,
    shown: str,
    now: datetime,
) -> Released | None:
    """Release by the first rule that applies; None: a person has to decide.

    A part of an item (`in_part`) goes out while the item goes on waiting.
    """
    if not _ruled(case) or alerts(match) > min(desk.person_over, desk.second_person_over):
        return None
    rule = applying(rules, case.item, case.kind, case.urgency, match, label=case.label)
    if rule is None:
        return None
    request = Request("release", case.item.id, f"rule:{rule.id}", reason=rule.why)
    if not case.only:
        inbox.set_state(connection, case.item.id, "released", now, holder=request.by)
    decision = _decision(case, request, now)
    _note(connection, case.item.version, request, now, "release in part" if case.only else "release")
    releases.record(connection, decision, match, shown, "active")
    return _stand(case, decision, match.readers)


def _kept_back(case: Case) -> bool:
    """Is it held or declined, also when somebody claimed it since? Who lets that go says why it may."""
    doubted = any(each.holds for each in case.item.statements)
    return case.reserved or case.state == "held" or (case.state == "claimed" and doubted)


def _ruled(case: Case) -> bool:
    """May a rule decide on it? Not where a person keeps it back; on what is held, only beside the doubtful part."""
    return not case.reserved and (case.state == "new" or (case.state == "held" and bool(case.only)))


def in_part(rules: Sequence[Rule], case: Case) -> Iterator[Case]:
    """What a rule might let out of an item that as a whole waits for a person: what the rule's own sources say.

    So a contribution under AMBER or RED does not silence the NCSC's CLEAR advisory, nor what the NCSC says of it later.
    Not for what `stands`: that goes on as it is (docs/decisions/008).
    """
    seen: set[tuple[str, ...]] = {tuple(each.key for each in case.item.statements)}
    for rule in rules:
        part = tuple(
            each
            for each in case.item.statements
            if each.source in rule.sources and each.label <= rule.tlp and not each.holds and not each.facts.withdrawn
        )
        only = tuple(each.key for each in part)
        if part and only not in seen:
            seen.add(only)
            item = case.item.part(only)
            urgency = case.stated or identity.urgency(inbox.standing_facts(item))
            kind = identity.kind_of([each.kind for each in part])
            yield dataclasses.replace(case, item=item, kind=kind, urgency=urgency, only=only)


def earlier(
    connection: sa.Connection, guard: Guard, item: str, version: int, sources: Mapping[str, frozenset[str]]
) -> Released | None:
    """What was released of an earlier version, to say what an update changes; None: nothing was.

    Under the labels of today, where those are stricter: what a reader may no longer see does not show as removed.
    """
    found = releases.of_version(connection, item, version)
    whole = inbox.earlier(connection, guard, item, version)
    if found is None or whole is None:
        return None
    decision = msgspec.json.decode(found.decision, type=Decision)
    whole = whole.part(decision.only)
    if len(whole.statements) < len(decision.only):
        return None
    case = _as_it_was(cases.opened(connection, guard, item, sources), whole, decision, sources)
    return _stand(case, decision, BitMap.deserialize(found.audience))


def out(
    connection: sa.Connection,
    guard: Guard,
    item: str,
    shown: Callable[[Case], str],
    sources: Mapping[str, frozenset[str]],
) -> Released | None:
    """What may leave of an item: its release; or, while nobody has decided on what was said since, the release that
    stands, of the version it was for (docs/decisions/008). None: nothing."""
    case = cases.opened(connection, guard, item, sources)
    if case.state == "released":
        return released(connection, case, shown(case))
    return stands(connection, guard, case, sources)


def stands(
    connection: sa.Connection, guard: Guard, case: Case, sources: Mapping[str, frozenset[str]]
) -> Released | None:
    """The release that goes on beside what was said since; None: there is none, or what its own source says otherwise
    by now, which nobody says any longer."""
    found = releases.find(connection, case.item.id, "active")
    stood = None if found is None else earlier(connection, guard, case.item.id, found.version, sources)
    if stood is None:
        return None
    said = {each.key: each.meaning for each in case.item.statements}
    return stood if all(said.get(each.key) == each.meaning for each in stood.item.statements) else None


def retract(connection: sa.Connection, released: Released, now: datetime) -> None:
    """What was just released says that its source withdrew it: the item is withdrawn."""
    item, version = released.item.id, released.item.version
    inbox.set_state(connection, item, "withdrawn", now)
    releases.end(connection, item, "withdrawn")
    inbox.note(connection, item, version, now, released.decision.by, "withdraw", "withdrawn by its source")


def released(connection: sa.Connection, case: Case, shown: str) -> Released | None:
    """The release that stands for this item as it is now and as it would be shown; None: nothing may leave."""
    found = releases.find(connection, case.item.id, "active")
    if case.state != "released" or found is None:
        return None
    decision = msgspec.json.decode(found.decision, type=Decision)
    if found.version != case.item.version or found.bound != case.bound or found.shown != shown:
        return None
    return _stand(case, decision, BitMap.deserialize(found.audience))


def withdrawn(
    connection: sa.Connection, guard: Guard, item: str, version: int, sources: Mapping[str, frozenset[str]]
) -> Released | None:
    """What was released up to a version and is out no more, so that exactly those who got it can be told, whatever
    became of the item since; None: it is out, or never was."""
    found = releases.latest(connection, item, version)
    whole = None if found is None else inbox.earlier(connection, guard, item, found.version)
    if found is None or whole is None or found.status == "active":
        return None
    decision = dataclasses.replace(msgspec.json.decode(found.decision, type=Decision), act="withdraw")
    part = whole.part(decision.only)
    now = cases.opened(connection, guard, inbox.row(connection, item).merged_into or item, sources)
    case = _as_it_was(now, part if part.statements else whole, decision, sources)
    return _stand(case, decision, BitMap.deserialize(found.audience))


def undecided(connection: sa.Connection, mark: str) -> list[str]:
    """Ids of items that wait, and that the rules have not looked at under this mark (rules and subscribers as they
    are). Also held ones: what another source says of them may be in no doubt."""
    query = sa.select(inbox.items.c.id).where(*_waits(mark))
    return list(connection.scalars(query.order_by(inbox.items.c.id)))


def waiting(connection: sa.Connection, among: Sequence[str], mark: str) -> dict[str, sa.Row[Any]]:
    """Rows of those of these items that still wait, kept from others until the transaction ends. On PostgreSQL those
    that somebody else is deciding on are left out."""
    query = sa.select(inbox.items).where(inbox.items.c.id.in_(among), *_waits(mark)).order_by(inbox.items.c.id)
    return {row.id: row for row in connection.execute(query.with_for_update(key_share=True, skip_locked=True))}


def _waits(mark: str) -> tuple[sa.ColumnElement[bool], ...]:
    columns = inbox.items.c
    unseen = sa.or_(columns.ruled.is_(None), columns.ruled != mark)
    return columns.state.in_(("new", "held")), ~columns.reserved, unseen


def reopen(connection: sa.Connection, item: str, now: datetime) -> None:
    """What was decided no longer stands, and has not all left: rules or a person decide again on the same version."""
    row = inbox.row(connection, item)
    if row.state == "released":
        inbox.set_state(connection, item, "new", now, holder=None, ruled=None)
        inbox.note(connection, item, row.version, now, "oktt", "reopened", "advice or templates changed")


def looked_at(connection: sa.Connection, found: Sequence[str], mark: str) -> None:
    """The rules have looked at these items under this mark."""
    connection.execute(inbox.items.update().where(inbox.items.c.id.in_(found)), {"ruled": mark})


def _as_it_was(case: Case, whole: Item, decision: Decision, sources: Mapping[str, frozenset[str]]) -> Case:
    """The case with what was said and consented to when this was decided, and no label wider than today's."""
    today = {each.key: each.label for each in (*case.item.statements, *case.item.facts)}
    item = whole.under(today)
    return dataclasses.replace(case, item=item, consents=cases.consents(item, decision.to, sources), to=decision.to)


def _same(one: str, other: str) -> bool:
    """The same person, however the name is spaced and in whatever case."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def may(desk: DeskSettings, who: str) -> None:
    """Raise TriageError for who is no person, or not one of those who decide here."""
    by = who.strip()
    if not by or by.casefold().startswith("rule:") or len(by) > 100:
        raise TriageError("--by needs the name of a person, in at most 100 characters")
    if desk.analysts and who not in desk.analysts:
        raise TriageError("--by names nobody of `[desk] analysts` in oktt.toml")


def _decision(case: Case, request: Request, now: datetime) -> Decision:
    return Decision(
        case.item.id,
        case.item.version,
        "release",
        request.by,
        now,
        request.reason,
        request.os_user,
        case.label,
        case.urgency,
        case.to,
        case.bound,
        tuple(each.key for each in case.item.statements),
    )


def _stand(case: Case, decision: Decision, audience: BitMap) -> Released:
    return Released(case.item, decision, audience, case.urgency, case.consents, case.label, case.stated)


def _note(connection: sa.Connection, version: int, request: Request, now: datetime, what: str) -> None:
    inbox.note(connection, request.item, version, now, request.by, what, request.reason, request.os_user)
