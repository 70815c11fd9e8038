"""docs/labels.md, row by row: the document that a row describes gets the label that the row says."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ingest import RawDocument, Source
from normalize.read import normalize
from tlp import Label
from tlp.tags import folded

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TIME = "2026-03-01T08:00:00.000Z"
SOURCE = Source("market", "Marktpartij", labels={folded('cert-xx:TLP="clear"'): Label.CLEAR})
OWN = "marking-definition--00000000-0000-4000-8000-00000000000a"
TEXT = (Path(__file__).parents[2] / "docs" / "labels.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| ((?:STIX|MISP|CSAF|mail|CSV|X-ARF) [a-z]+) \| `?(.*?)`? \| ([A-Z+]+)(, held)? \|",
    TEXT,
    re.MULTILINE,
)


def bundle(*more: dict[str, Any], refs: tuple[str, ...] = (), **properties: Any) -> bytes:
    report = {
        "type": "report", "spec_version": "2.1", "id": "report--00000000-0000-4000-8000-000000000002", "created": TIME,
        "modified": TIME, "published": TIME, "name": "Campagne", "object_refs": ["malware--" + OWN[-36:]],
        **({"object_marking_refs": list(refs)} if refs else {}), **properties,
    }  # fmt: skip
    named = {"type": "malware", "spec_version": "2.1", "id": report["object_refs"][0], "name": "X", "is_family": True}
    objects = [report, named | {"created": TIME, "modified": TIME}, *more]
    return json.dumps({"type": "bundle", "id": "bundle--" + OWN[-36:], "objects": objects}).encode()


def indicator(marking: str) -> dict[str, Any]:
    named = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--" + OWN[-36:],
        "created": TIME,
        "modified": TIME,
    }
    sought = {"pattern": "[domain-name:value = 'kwaad.example']", "pattern_type": "stix", "valid_from": TIME}
    return named | sought | {"object_marking_refs": [marking]}


def definition(example: str) -> bytes:
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": OWN, "created": TIME}
    return bundle(marking | json.loads(example), refs=(OWN,))


def event(*tags: str, distribution: str = "3", part: tuple[str, ...] = ()) -> bytes:
    attribute = {"type": "domain", "value": "kwaad.example", "to_ids": True, "category": "Network activity"}
    attribute |= {"Tag": [{"name": tag} for tag in part]}
    told = {"info": "Zoutvat", "uuid": OWN[-36:], "date": "2026-03-01", "published": True, "distribution": distribution}
    return json.dumps(told | {"Tag": [{"name": tag} for tag in tags], "Attribute": [attribute]}).encode()


def distributed(example: str) -> bytes:
    level, *tags = example.split(" ")
    return event(*tags, distribution=level)


def advisory(distribution: dict[str, Any], title: str = "Lek in poort") -> bytes:
    document = {
        "category": "csaf_security_advisory", "csaf_version": "2.0", "title": title, "distribution": distribution,
        "publisher": {"category": "vendor", "name": "V", "namespace": "https://v.example"},
        "tracking": {"id": "V-1", "version": "1", "status": "final", "initial_release_date": TIME,
                     "current_release_date": TIME, "revision_history": []},
        "notes": [{"category": "summary", "text": "Er is een lek."}],
    }  # fmt: skip
    return json.dumps({"document": document, "vulnerabilities": [{"cve": "CVE-2026-0001"}]}).encode()


def mail(subject: str, body: str) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "Redactie <redactie@bode.example>", subject
    message["Date"] = "Mon, 02 Mar 2026 08:00:00 +0100"
    message["List-Unsubscribe"] = "<https://bode.example/weg>"
    message.set_content(f"Kritiek lek in FortiOS\n\n{body}\nhttps://bode.example/fortios\n")
    return bytes(message)


def xarf(tag: str) -> bytes:
    reporter = {"org": "M", "contact": "m@m.example", "domain": "m.example"}
    told = {"xarf_version": "4.0.0", "report_id": OWN[-36:], "timestamp": TIME, "reporter": reporter, "tags": [tag]}
    return json.dumps(told | {"category": "infrastructure", "type": "bot", "source_identifier": "192.0.2.1"}).encode()


FORMS: dict[str, Callable[[str], bytes]] = {
    "STIX marking": lambda example: bundle(refs=() if example == "none" else (example,)),
    "STIX definition": definition,
    "STIX label": lambda example: bundle(labels=[example]),
    "STIX part": lambda example: bundle(indicator(example)),
    "STIX title": lambda example: bundle(name=example),
    "MISP tag": event,
    "MISP distribution": distributed,
    "MISP attribute": lambda example: event(part=(example,)),
    "MISP part": lambda example: event("tlp:green", part=(example,)),
    "CSAF distribution": lambda example: advisory(json.loads(example)),
    "CSAF title": lambda example: advisory({}, example),
    "mail subject": lambda example: mail(example, "Werk bij."),
    "mail body": lambda example: mail("Nieuwsbrief", example),
    "CSV column": lambda example: f"domain,tlp\nkwaad.example,{example}\n".encode(),
    "CSV cell": lambda example: f"domain,tlp\nkwaad.example,{example}\nkwader.example,\n".encode(),
    "CSV comment": lambda example: f"{example}\nkwaad.example\nkwader.example\n".encode(),
    "X-ARF tag": xarf,
}


def test_every_row_is_read_and_every_form_stands_in_it() -> None:
    table = TEXT.partition("| --- |")[2].partition("\n\n")[0]
    assert len(ROWS) == len(table.splitlines()) - 1
    assert {form for form, *_ in ROWS} == set(FORMS)


@pytest.mark.parametrize(("form", "example", "label", "held"), ROWS)
def test_a_row_of_the_table_is_true(form: str, example: str, label: str, held: str) -> None:
    drafts = normalize(RawDocument(SOURCE, FORMS[form](example), "x", NOW)).drafts
    whole = max(drafts, key=lambda draft: draft.label or SOURCE.tlp)
    assert ((whole.label or SOURCE.tlp).value, bool(whole.doubts)) == (label, bool(held))
