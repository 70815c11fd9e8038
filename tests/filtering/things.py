"""Items and subscribers made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw

from filtering.index import Index
from filtering.match import Matching
from normalize import Affected, Facts, Kind, Observable, ranges
from pii_guard import Item, Statement
from subscribers import Contact, Profile, Software, Subscriber
from tlp import Clearance, Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def statement(key: str = "s1", label: Label = Label.CLEAR, kind: Kind = "advisory", **facts: Any) -> Statement:
    return Statement(
        key=key, source="ncsc-nl", kind=kind, title="t", summary="s", language="nl", facts=Facts(**facts),
        objects=Raw(b"[]"), references=(), label=label, holds=(), findings=(), regime="wbdwb", policy="p",
        source_time=None, received_at=NOW, meaning=key,
    )  # fmt: skip


def item(*statements: Statement, facts: Sequence[Statement] = ()) -> Item:
    return Item("OKTT-2026-0001", 1, statements, tuple(facts))


def subscriber(
    number: int = 1, clearance: Label | Clearance = Label.CLEAR, contacts: Sequence[Contact] = (), **profile: Any
) -> Subscriber:
    held = clearance if isinstance(clearance, Clearance) else Clearance(clearance)
    return Subscriber(f"s{number}", number, f"Firma {number}", "nl", held, Profile(**profile), tuple(contacts), NOW)


def affected(vendor: str = "Fortinet", product: str = "FortiOS", versions: str = "", **more: Any) -> Affected:
    return Affected(vendor, product, versions, ranges.read(versions), **more)


def uses(vendor: str = "Fortinet", product: str = "FortiOS", version: str | None = None) -> tuple[Software, ...]:
    return (Software(vendor, product, version),)


def address(value: str, asn: int | None = None, role: str = "unknown") -> Observable:
    return Observable("ipv6" if ":" in value else "ipv4", value, role, asn=asn)  # type: ignore[arg-type]


def matching(what: Item, *who: Subscriber, now: datetime = NOW, **more: Any) -> Matching:
    more = {"urgency": "info", "consents": {}} | more
    return Matching(what, Index.build(who), now, **more)


def outcomes(what: Item, *who: Subscriber, now: datetime = NOW, **more: Any) -> list[str]:
    """The outcome of each subscriber; match and explain have to agree on it."""
    made = matching(what, *who, now=now, **more)
    found = made.match()
    said = []
    for one in who:
        by_match = [name for name, bits in found.outcomes.items() if one.number in bits]
        explanation = made.explain(one)
        assert by_match == [explanation.outcome], one
        assert (one.number in found.concerned) == explanation.concerned, one
        said += by_match
    return said
