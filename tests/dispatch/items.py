"""Released items of two or three statements, for the tests of views."""

from datetime import timedelta
from typing import Any

import msgspec
from pyroaring import BitMap

from normalize import Facts
from pii_guard import Item, Statement
from tests.dispatch.views import NOW
from tlp import Clearance as Cleared
from tlp import Label, Marked, Permit, Reader
from tlp.enforce import enforce
from tlp.markings import STIX_ID
from triage import Decision, Released


def a_statement(key: str = "ncsc", **changes: Any) -> Statement:
    """What source `key` said; without changes a CLEAR advisory on CVE-2026-0001."""
    values: dict[str, Any] = {
        "key": key,
        "source": key,
        "kind": "advisory",
        "title": f"Title of {key}",
        "summary": f"Summary of {key}",
        "language": "nl",
        "facts": Facts(cves=("CVE-2026-0001",)),
        "objects": msgspec.Raw(b"[]"),
        "references": (f"https://{key}.example/",),
        "label": Label.CLEAR,
        "holds": (),
        "findings": (),
        "regime": "wbdwb",
        "policy": "p",
        "source_time": None,
        "received_at": NOW,
        "meaning": "m",
    }
    return Statement(**{**values, **changes})


def objects(*found: dict[str, Any]) -> msgspec.Raw:
    """STIX objects as a statement stores them."""
    return msgspec.Raw(msgspec.json.encode(found))


def an_indicator(number: int, **changes: Any) -> dict[str, Any]:
    """A STIX indicator."""
    values: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012}",
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "pattern": f"[ipv4-addr:value = '198.51.100.{number}']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T00:00:00Z",
    }
    return {**values, **changes}


def marked(obj: dict[str, Any], label: Label) -> dict[str, Any]:
    """The object under a TLP label."""
    return {**obj, "object_marking_refs": [STIX_ID[label]]}


def a_release(*statements: Statement, facts: tuple[Statement, ...] = (), label: Label | None = None) -> Released:
    """A decision stands on these statements."""
    item = Item("OKTT-2026-0007", 3, tuple(sorted(statements, key=lambda s: (s.received_at, s.key))), facts)
    decision = Decision(item.id, item.version, "release", "els", NOW)
    return Released(item, decision, BitMap([1]), "info", {}, label)


def a_permit(released: Released, highest: Label = Label.AMBER) -> Permit:
    """What `kvk-1`, whom it concerns, may see of it."""
    reader = Reader("kvk-1", "company", Cleared(highest, NOW + timedelta(days=9)), concerned=True, confidential=False)
    every = (*released.item.statements, *released.item.facts)
    found = enforce([Marked(each.key, each.label) for each in every], reader, NOW)
    assert isinstance(found, Permit)
    return found
