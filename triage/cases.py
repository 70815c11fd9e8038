"""An item on the table: what a decision about it rests on, and which decisions its state allows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from normalize import Kind, Urgency, identity
from pii_guard import Item, Statement
from pii_guard.guard import Guard
from tlp import Consent, Label
from triage import Act, State, TriageError, inbox, releases

CRITERIA = "domain-rules/1"
"""Version of the rules in filtering; a change of them voids approvals that have not left."""

_UNGATED = b',"gated":"","vault":""}'
ALLOWED: dict[Act, tuple[State, ...]] = {
    "claim": ("new", "claimed", "held", "declined"),
    "hold": ("new", "claimed", "held", "pending", "released"),
    "decline": ("new", "claimed", "held", "pending"),
    "release": ("new", "claimed", "held", "pending", "released", "declined"),
    "approve": ("pending",),
    "withdraw": ("released",),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for, from the command line or a page."""

    act: Act
    item: str
    by: str
    os_user: str = ""
    reason: str = ""
    tlp: Label | None = None
    urgency: Urgency | None = None
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An item on the table, with all that a decision about it rests on."""

    item: Item
    kind: Kind
    state: State
    urgency: Urgency
    label: Label | None
    """A stricter label that an analyst set."""
    consents: dict[str, Consent]
    to: tuple[str, ...] = ()
    stated: Urgency | None = None
    """An analyst's word on urgency; None: the facts say it, to each reader those that it may see."""
    reserved: bool = False
    """A person kept it back (declined, withdrew or held it): news of it waits for a person too."""
    only: tuple[str, ...] = ()
    """Keys of its statements when it is a part of an item (`in_part`)."""

    @property
    def bound(self) -> str:
        """Hash of item, versions, label, criteria and policy (domain-rules: Decisions)."""
        said = [(each.key, _said(each)) for each in self.item.statements]
        # What a CVE record adds is in the version: it makes a new one, or adds nothing that was decided on.
        label = self.label.value if self.label else None
        urgency = [self.urgency, self.stated]
        whole = [self.item.id, self.item.version, said, label, urgency, sorted(self.to), CRITERIA]
        return hashlib.blake2b(msgspec.json.encode(whole), digest_size=32).hexdigest()


def _said(statement: Statement) -> str:
    """Hash of what a statement says. The key under which it lies sealed may change meanwhile; and one of which nothing
    is gated has the hash that it had before there was a vault."""
    said = msgspec.json.encode(structs.replace(statement, vault=b""))
    said = said.removesuffix(_UNGATED) + b"}" if said.endswith(_UNGATED) else said
    return hashlib.blake2b(said).hexdigest()


def opened(
    connection: sa.Connection,
    guard: Guard,
    item: str,
    sources: Mapping[str, frozenset[str]],
    request: Request | None = None,
) -> Case:
    """Lay an item on the table as it would be with what the request asks for.

    `sources`: per source id the reader kinds it consented to (sources.toml). Raises TriageError when there is no such
    item, when the act is not possible in its state, or when the request would widen a label.
    """
    return of_row(connection, guard, inbox.row(connection, item), sources, request)


def of_row(
    connection: sa.Connection,
    guard: Guard,
    row: sa.Row[Any],
    sources: Mapping[str, frozenset[str]],
    request: Request | None = None,
) -> Case:
    """The same for an item whose row is at hand."""
    item = row.id
    if request is not None:
        check(connection, request, row)
    whole = inbox.whole(connection, guard, row)
    facts = inbox.standing_facts(whole)
    label = Label(row.label) if row.label else None
    if request is not None and request.tlp is not None:
        widest = min(each.label for each in whole.statements)
        if request.tlp < (least := max(widest, label or widest)):
            told = "ask it for a new version under the wider label, or for consent to name recipients (--to ID)"
            raise TriageError(f"{item} is {least}: a label is widened only with the source's consent; {told}")
        label = request.tlp
    stated: Urgency | None = (request and request.urgency) or row.urgency
    urgency = stated or identity.urgency(facts)
    # Consent belongs to the decision that names it: a new decision, about what was said since, says it again.
    if request is not None and request.act == "release":
        to = request.to
    else:
        to = releases.consented(connection, item) if row.state in ("pending", "released") else ()
    kind = identity.kind_of([each.kind for each in whole.statements])
    return Case(whole, kind, row.state, urgency, label, consents(whole, to, sources), to, stated, row.reserved)


def check(connection: sa.Connection, request: Request, row: sa.Row[Any]) -> None:
    """Raise TriageError for an act that is not possible in the item's state. What is out can be withdrawn whatever
    becomes of a newer version."""
    state: State = row.state
    if row.merged_into is not None:
        raise TriageError(f"{request.item} is the same threat as {row.merged_into}: use that one")
    if state in ALLOWED[request.act]:
        return
    out = state != "withdrawn" and releases.find(connection, request.item, "active") is not None
    if out and request.act == "withdraw":
        return
    possible = [act for act, states in ALLOWED.items() if state in states or (out and act == "withdraw")]
    told = ", ".join(possible) or "nothing"
    raise TriageError(f"{request.item} is {state}: {request.act} is not possible; possible: {told}")


def consents(item: Item, to: Sequence[str], sources: Mapping[str, frozenset[str]]) -> dict[str, Consent]:
    """Of each statement: the recipients that it was consented to for, and the kinds of reader its source allows."""
    return {each.key: Consent(frozenset(to), sources.get(each.source, frozenset())) for each in item.statements}
