"""What the guard lets through is valid STIX 2.1: by OASIS's own schemas and by stix2, whatever came in and whatever
was taken out."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import stix2

from ingest import RawDocument, Source
from normalize import NormalizeError
from normalize.read import normalize
from pii_guard import Item
from pii_guard.guard import Guard

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FOLDERS = ("csaf", "stix21", "kev", "shadowserver", "rss", "misp", "ioc-csv")
LARGEST = 3_000_000
EVERY = 25
"""stix2 takes 400 us an object: one in so many is given to it."""


@pytest.fixture(scope="module")
def schemas(corpus: Path) -> dict[str, jsonschema_rs.Validator]:
    """Object type -> its schema."""
    folder = corpus / "stix21" / "json-schema" / "schemas"
    read = [json.loads(file.read_text(encoding="utf-8")) for file in folder.rglob("*.json")]
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in read])
    found = {
        schema["title"]: jsonschema_rs.Draft202012Validator(schema, registry=registry)
        for schema in read
        if "title" in schema
    }
    assert {"indicator", "ipv4-addr", "marking-definition", "extension-definition"} <= found.keys()
    return found


def let_through(guard: Guard, file: Path, regime: str, *, public: bool) -> Iterator[bytes]:
    source = Source("market", "Market party", regime=regime, public=public)
    try:
        read = normalize(RawDocument(source, file.read_bytes(), "file", NOW, "auto", file.name))
    except NormalizeError:
        return
    for draft in read.drafts:
        answer = guard.admit(draft, source, NOW)
        if isinstance(answer, Item):
            yield bytes(answer.statements[0].objects)


@pytest.mark.corpus
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(("regime", "public"), [("no-basis", False), ("wbdwb", True)])
def test_what_is_let_through_passes_the_schemas_of_oasis(
    guard: Guard, corpus: Path, schemas: dict[str, Any], folder: str, regime: str, public: bool
) -> None:
    seen = 0
    for file in sorted((corpus / folder).rglob("*")):
        if not file.is_file() or file.stat().st_size > LARGEST:
            continue
        for objects in let_through(guard, file, regime, public=public):
            for obj in json.loads(objects):
                error = next(schemas[obj["type"]].iter_errors(obj), None)
                assert error is None, f"{file.name}: {obj['type']}: {list(error.schema_path)}"
                seen += 1
                if seen % EVERY == 0:
                    stix2.parse(obj, allow_custom=True)
    assert seen or folder in ("rss", "kev", "shadowserver", "ioc-csv"), "nothing was looked at"


@pytest.mark.parametrize(
    ("short", "long"), [("HKLM", "HKEY_LOCAL_MACHINE"), ("hkcu", "HKEY_CURRENT_USER"), ("HKU", "HKEY_USERS")]
)
def test_a_registry_key_has_the_full_name_of_its_hive(guard: Guard, short: str, long: str) -> None:
    moment = "2026-01-01T00:00:00Z"
    key = {
        "type": "windows-registry-key",
        "id": "windows-registry-key--aaaaaaaa-bbbb-5ccc-8ddd-eeeeeeeeeeee",
        "key": short + "\\Software\\Example",
        "values": [],
    }
    indicator = {
        "type": "indicator",
        "id": "indicator--0d5b1e7c-2a64-4a55-8a1c-9f3a1d0e6f0b",
        "pattern_type": "stix",
        "pattern": "[file:hashes.MD5 = '0cc175b9c0f1b6a831c399e269772661']",
        "labels": [],
        **dict.fromkeys(("created", "modified", "valid_from"), moment),
    }
    objects = [{"spec_version": "2.1", **obj} for obj in (key, indicator)]
    body = {"type": "bundle", "id": "bundle--4f527c6e-46b7-4d3f-8d0a-7f7ac1b9b1a1", "objects": objects}
    source = Source("market", "Market party")
    read = normalize(RawDocument(source, json.dumps(body).encode(), "file", NOW, "auto", "k"))
    answer = guard.admit(read.drafts[0], source, NOW)
    assert isinstance(answer, Item)
    found = {obj["type"]: obj for obj in json.loads(bytes(answer.statements[0].objects))}
    assert found["windows-registry-key"]["key"] == long + "\\Software\\Example"
    assert "values" not in found["windows-registry-key"]
    assert "labels" not in found["indicator"]
