"""Why a message could leave, decided once more from what is stored: `oktt prove`.

What it rested on stands in the processing register since it was sent (`dispatch.grounds`), and that is a hash chain. So
whatever was edited since, in register, ledger, decision, statements or registry, no longer fits the rest.
"""

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from app import AppError
from app.keys import MESSAGES
from app.service import Service
from app.views import Views, law, matching
from dispatch import ledger
from dispatch.grounds import Grounds
from dispatch.ledger import Entry
from dispatch.view import content
from ingest.columns import instant_text
from pii_guard import GuardError, Purpose, audit, journal
from pii_guard.journal import What
from subscribers import ChannelType, Subscriber, registry
from tlp import PUBLIC, Label, Permit
from triage import Released, TriageError, decide, inbox, releases


class Way(Struct, frozen=True):
    """How it went out, and under which label all of it did."""

    subscriber: str | None
    """None: everybody."""
    medium: ChannelType | None
    label: Label | None
    kind: str
    """alert, update, withdrawal, an edition; or `answer`."""

    @property
    def reader(self) -> str:
        """As TLP knows it."""
        return PUBLIC.id if self.subscriber is None else self.subscriber


class Check(Struct, frozen=True):
    """One thing that was derived again, and how that came out; None: what it takes is no longer kept."""

    what: str
    ok: bool | None
    said: str


class Proof(Struct, frozen=True):
    """Everything about one message that was sent."""

    delivery: str
    subscriber: str
    subject: str
    label: str
    rules: tuple[str, ...]
    by: tuple[str, ...]
    """Who released what it shows."""
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Does nothing contradict it?"""
        return all(check.ok is not False for check in self.checks)


def as_registered(line: Entry) -> dict[str, Any]:
    """A line of the ledger, as the register holds it."""
    said = {each.name: getattr(line, each.name) for each in dataclasses.fields(line)}
    label = None if line.label is None else line.label.value
    return said | {"item": said.pop("subject"), "at": instant_text(line.at), "label": label}


def prove(service: Service, delivery: str) -> Proof:
    """Derive it again. Raises AppError where nothing was sent under this id."""
    with service.reading() as connection:
        line = ledger.sent(connection, delivery)
        if line is None:
            raise AppError(
                "no message was sent under this id: it is the name of its .eml, and stands in its Message-ID"
            )
        row, wrong = audit.entry(connection, "sent", delivery, key=service.keys.derive("journal"))
        said = "stands in the chain as it was written" if not wrong else f"the entry {wrong}"
        checks = [Check("register", not wrong, said)]
        if row is None or row.detail is None:
            checks.append(Check("grounds", None, "the register no longer holds what it rested on (retention)"))
            return _proof(line, (), checks)
        detail = msgspec.json.decode(row.detail)
        rested = msgspec.convert(detail.pop("grounds", None), tuple[Grounds, ...] | None)
        other = sorted(name for name, value in as_registered(line).items() if detail.get(name, value) != value)
        said = "says what the register says" if not other else f"says otherwise: {', '.join(other)}"
        checks.append(Check("ledger", not other, said))
        if line.outcome == "perhaps":
            said = f"perhaps accepted: its attempt had no known end, and it is not sent again ({line.reason})"
            checks.append(Check("acceptance", None, said))
        if rested is None:
            checks.append(Check("grounds", None, "sent by a version of the program that kept none"))
        elif not rested and line.kind == "link":
            checks.append(Check("content", True, "a link that somebody asked for at the portal: nothing of any item"))
        elif not rested:
            checks.append(Check("content", True, "a stub: that there is a message, its number and its label"))
        way = Way(line.subscriber, line.medium, line.label, line.kind)
        for grounds in rested or ():
            checks += again(service, connection, way, grounds)
        return _proof(line, rested or (), checks)


def _proof(line: Entry, rested: tuple[Grounds, ...], checks: list[Check]) -> Proof:
    rules, by = (tuple(dict.fromkeys(getattr(each, name) for each in rested)) for name in ("rule", "by"))
    label = "" if line.label is None else line.label.value
    return Proof(line.delivery, line.subscriber, line.subject, label, rules, by, tuple(checks))


def again(service: Service, connection: sa.Connection, way: Way, grounds: Grounds) -> Iterator[Check]:
    """One item of it: the label, whose word it was, who read it, and what it showed."""
    name = f"{grounds.item} version {grounds.version}"
    permit = grounds.permit(way.reader)
    fits = isinstance(permit, Permit) and permit.rule == grounds.rule and permit.label <= grounds.label
    fits = fits and way.label is not None and grounds.label <= way.label
    said = f"{grounds.rule}, for {grounds.kind} cleared to {grounds.clearance}"
    yield Check(f"label of {name}", fits, said if fits else "TLP says otherwise of what it rested on")
    statements = _labels(service, connection, grounds, name)
    released = _released(service, connection, grounds)
    decision = _decision(service, connection, grounds, released, name)
    reader = None if way.subscriber is None else registry.at(connection, way.subscriber, grounds.at)
    yield from (statements, decision, _reader(way, grounds, reader, name))
    if released is None or (reader is None and way.subscriber is not None) or not isinstance(permit, Permit):
        return
    # What a rule released is shown to those as well who came later (domain-rules: Decisions).
    later = way.kind == "answer" and released.decision.by.startswith("rule:")
    asked = reader is not None and decision.ok and way.kind != "withdrawal" and not later
    if asked and reader is not None and reader.number not in released.audience:
        yield Check(f"audience of {name}", False, "was not approved for this subscriber")
    what = f"content of {name}"
    if not (statements.ok and decision.ok):
        yield Check(what, None, "what it was made of is not there as it was")
    elif _taken_out(service, connection, grounds):
        yield Check(what, None, "values were taken out of it since, lawfully; the register says so")
    elif grounds.law != law(service.settings):
        yield Check(what, None, "the policy or the names of sources are others by now")
    else:
        yield _content(service, connection, way, grounds, released, reader, permit, what)


def _decision(
    service: Service, connection: sa.Connection, grounds: Grounds, released: Released | None, name: str
) -> Check:
    what = f"decision on {name}"
    if released is None:
        return Check(what, None, "no longer kept")
    decision = released.decision
    if releases.fingerprint(decision) == grounds.decision and decision.by == grounds.by:
        return Check(what, True, f"by {grounds.by}")
    last, wrong = audit.entry(connection, "decided", grounds.item, key=service.keys.derive("journal"))
    if decision.at > grounds.at and not wrong and last.at >= decision.at:
        return Check(what, None, "it was decided anew since, and only that is kept")
    return Check(what, False, "another one stands there")


def _taken_out(service: Service, connection: sa.Connection, grounds: Grounds) -> bool:
    """Does the register say that values of it were erased, or outlived their time, since it was sent?"""
    key = service.keys.derive("journal")
    acts: tuple[What, ...] = ("erased", "purged")
    found = (audit.entry(connection, act, grounds.item, key=key) for act in acts)
    return any(row is not None and not wrong and row.at >= grounds.at for row, wrong in found)


def _labels(service: Service, connection: sa.Connection, grounds: Grounds, name: str) -> Check:
    what = f"statements of {name}"
    try:
        item = inbox.earlier(connection, service.guard, grounds.item, grounds.version)
    except GuardError:
        return Check(what, False, "cannot be opened: they were changed, or sealed with another key")
    if item is None:
        return Check(what, None, "no longer kept")
    stored = {each.key: each.label for each in (*item.statements, *item.facts)}
    wider = [each.key for each in grounds.statements if each.key in stored and each.label < stored[each.key]]
    if wider:
        return Check(what, False, f"{len(wider)} under a wider label than their source's")
    lost = sum(each.key not in stored for each in grounds.statements)
    if lost:
        return Check(what, None, f"{lost} no longer kept")
    return Check(what, True, f"{len(grounds.statements)}, none wider than its source's label")


def _released(service: Service, connection: sa.Connection, grounds: Grounds) -> Released | None:
    try:
        found = decide.earlier(
            connection, service.guard, grounds.item, grounds.version, service.settings.consents
        )  # fmt: skip
    except (GuardError, TriageError):  # what cannot be opened `_labels` tells; or it was taken in by another item
        return None
    # As it was: what was raised or said to be more urgent since does not count.
    return found and dataclasses.replace(found, label=found.decision.tlp, stated=found.decision.urgency)


def _reader(way: Way, grounds: Grounds, reader: Subscriber | None, name: str) -> Check:
    if way.subscriber is None:
        public = (grounds.kind, grounds.clearance) == (PUBLIC.kind, PUBLIC.clearance.highest)
        return Check(f"reader of {name}", public, "everybody" if public else "was not everybody")
    if reader is None:
        return Check(f"reader of {name}", None, "no longer kept as it was then")
    stated = reader.profile.kind, reader.clearance.highest, reader.clearance.until
    same = stated == (grounds.kind, grounds.clearance, grounds.until)
    ways = {contact.confidential for contact in reader.contacts if contact.type == way.medium}
    if not same or grounds.confidential not in ways:
        return Check(f"reader of {name}", False, "was registered otherwise")
    closed = "closed to others" if grounds.confidential else "open"
    return Check(
        f"reader of {name}", True, f"{grounds.kind}, cleared to {grounds.clearance}, by {way.medium}, {closed}"
    )


def _content(
    service: Service,
    connection: sa.Connection,
    way: Way,
    grounds: Grounds,
    released: Released,
    reader: Subscriber | None,
    permit: Permit,
    what: str,
) -> Check:
    purpose: Purpose = "exchange" if way.kind == "answer" else "notify"
    with service.index(connection).supposing([] if reader is None else [reader]) as as_then:
        asked = matching(service, connection, released, grounds.at)
        views = Views(service, connection, released, purpose, asked=asked)
        shown = content(views.again(as_then[0] if as_then else None, permit, purpose))
    same = rehashed(service, connection, grounds.month, grounds.at, shown, grounds.content)
    if same is None:
        return Check(what, None, "its hash ended with the key of its month")
    if same:
        return Check(what, True, "made again, it is the same")
    return Check(what, False, "made again, it differs: an item, a profile, the policy or a source's name was changed")


def rehashed(
    service: Service, connection: sa.Connection, month: str, since: datetime, said: str, kept: str
) -> bool | None:
    """Does that still hash to what was kept? None: the key of its month has ended, or another took its place."""
    if not service.vault.lasts(MESSAGES, month):
        return None
    if service.vault.fingerprint(MESSAGES, month, said) == kept:
        return True
    rotated = journal.told(connection, ("rotated",), ("vault",), since)
    return None if any(each.get("source") == MESSAGES and each.get("month") == month for each in rotated) else False
