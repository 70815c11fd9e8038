"""(what is marked, reader) -> Permit | Refusal. The one place where a Permit is made.

Called when a delivery is queued, again when it is sent, and on each TAXII request, because labels, clearances and
consents change in between. Rules: FIRST TLP 2.0 section 3, as docs/decisions/004-statements-and-views.md reads it
for a hub.
"""

from collections.abc import Iterable
from datetime import datetime

from tlp import Label, Marked, Permit, Reader, Refusal, RefusalReason, strictest

RULES = {
    Label.CLEAR: "clear: everyone",
    Label.GREEN: "green: the community of subscribers",
    Label.AMBER: "amber: clients whom it concerns",
    Label.AMBER_STRICT: "amber+strict: recipients the source consented to",
    Label.RED: "red: recipients the source consented to",
}


def enforce(marked: Iterable[Marked], reader: Reader, now: datetime) -> Permit | Refusal:
    """Which of these statements the reader may see at this moment. Nothing marked is a ValueError.

    A refusal names the reason for the widest statement: what would have to change first.
    """
    ordered = sorted(marked, key=lambda each: (each.label.rank, each.key))
    if not ordered:
        raise ValueError("nothing is marked")
    visible: list[Marked] = []
    first: Refusal | None = None
    for each in ordered:
        reason = refusal(each, reader, now)
        if reason is None:
            visible.append(each)
        elif first is None:
            first = Refusal(reader.id, reason, each.label)
    if not visible:
        assert first is not None
        return first
    label = strictest(each.label for each in visible)
    return Permit(reader.id, label, frozenset(each.key for each in visible), RULES[label])


def refusal(marked: Marked, reader: Reader, now: datetime) -> RefusalReason | None:
    """Why the reader may not see one statement; None: it may."""
    label = marked.label
    if label is Label.CLEAR or reader.kind == "analyst":
        return None
    if reader.kind == "public" or reader.clearance.at(now) < label:
        return "clearance"
    if label is Label.GREEN:
        return None
    if label is Label.AMBER:
        return None if reader.concerned else "not-concerned"
    consent = marked.consent
    if reader.id not in consent.recipients and reader.kind not in consent.classes:
        return "no-consent"
    return None if reader.confidential else "open-channel"
