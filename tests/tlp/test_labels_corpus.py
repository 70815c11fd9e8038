"""Every public document gets the label that a careful analyst would give it.

What that is, is found here by looking for ids, tags and words in the document as text, with a table of its own, and
nothing of what is tested. Where that is not enough, the document is listed below with what it should be, and why.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import RawDocument, Source
from normalize import NormalizeError
from normalize.read import normalize

pytestmark = pytest.mark.corpus
ORDER = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
OWN = "AMBER"
"""Of a source that says nothing, and is not public."""
IDS = {
    "94868c89-83c2-464b-929b-a1a8aa3c8487": "CLEAR", "613f2e26-407d-48c7-9eca-b8e91df99dc9": "CLEAR",
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "GREEN", "34098fce-860f-48ae-8e50-ebd3cc5e41da": "GREEN",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "AMBER", "f88d31f6-486f-44da-b317-01333bde0b82": "AMBER",
    "939a9414-2ddd-4d32-a0cd-375ea402b003": "AMBER+STRICT", "826578e1-40ad-459f-bc73-ede076f81f37": "AMBER+STRICT",
    "e828b379-4e03-4974-9ac4-e53a884c97c1": "RED", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "RED",
}  # fmt: skip
WRITTEN = re.compile(r"tlp[\"\s:=v20.\\{]*(?:label[\"\s:]*)?(clear|white|green|amber(?:[+_ -]?strict)?|red)\b", re.I)
DISTRIBUTED = {"0": "AMBER+STRICT", "1": "GREEN", "2": "GREEN", "4": "AMBER+STRICT"}
RELATED = "the narrow distribution is of a related event: only its name comes along, and that is not read"
EXCEPTIONS = {
    "misp/eset/2018-11-20_Zebrocy.json": (OWN, RELATED),
    "misp/pymisp/existing_event.json": ("CLEAR", RELATED),
}
"""File -> (label, why it is not what its text says at first sight)."""


def strictest(labels: Any, otherwise: str) -> str:
    return max(labels, key=ORDER.index, default=otherwise)


def expected(text: str) -> str:
    """The strictest that is marked by an id, or written behind `tlp`; narrowed by how MISP distributes it."""
    found = [IDS[each] for each in re.findall(r"marking-definition--([0-9a-f-]{36})", text) if each in IDS]
    written = (word.upper().replace(" ", "+").replace("_", "+").replace("-", "+") for word in WRITTEN.findall(text))
    found += ["CLEAR" if word == "WHITE" else word for word in written]
    narrowed = [DISTRIBUTED[each] for each in distributions(json.loads(text)) if each in DISTRIBUTED]
    return strictest([*narrowed, strictest(found, OWN)], OWN)


def distributions(found: Any) -> Iterator[str]:
    """Of events, and of what in them is for fewer than 'all that the event is for'."""
    if isinstance(found, dict):
        if "info" in found and "distribution" in found:
            yield str(found["distribution"])
        for name, each in found.items():
            for one in each if name in ("Attribute", "Object") and isinstance(each, list) else ():
                if isinstance(one, dict) and str(one.get("distribution")) in ("0", "4"):
                    yield str(one["distribution"])
            yield from distributions(each)
    elif isinstance(found, list):
        for each in found:
            yield from distributions(each)


def test_every_document_has_the_label_of_a_careful_analyst(corpus: Path) -> None:
    source, now = Source("market", "Marktpartij"), datetime(2026, 3, 2, tzinfo=UTC)
    wrong, read = [], 0
    for path in sorted(each for room in ("tlp", "stix21", "misp", "csaf") for each in (corpus / room).rglob("*.*")):
        if not path.is_file():
            continue
        body = path.read_bytes()
        try:
            drafts = normalize(RawDocument(source, body, "x", now)).drafts
        except NormalizeError:
            continue
        read += 1
        name = str(path.relative_to(corpus))
        label = strictest((draft.label.value if draft.label else OWN for draft in drafts), OWN)
        wanted = EXCEPTIONS[name][0] if name in EXCEPTIONS else expected(body.decode("utf-8-sig"))
        if label != wanted:
            wrong.append(f"{name}: {label}, and should be {wanted}")
    assert not wrong, "\n".join(wrong)
    assert read > 150
