"""The public test suite of package URLs (package-url/purl-spec): read as it says, or refused as it says."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from normalize.products import purl_parts

pytestmark = pytest.mark.corpus


def parts(one: dict[str, Any]) -> tuple[str, str, str]:
    """Type, name with its namespace and version, as `purl_parts` gives them."""
    name = f"{one['namespace']}/{one['name']}" if one["namespace"] else one["name"]
    return f"pkg:{one['type']}", name, one["version"] or ""


def test_every_case_agrees(corpus: Path) -> None:
    done: Counter[str] = Counter()
    for file in sorted((corpus / "cpe/purl").glob("*-test.json")):
        for case in json.loads(file.read_text(encoding="utf-8"))["tests"]:
            kind, given, wanted = case["test_type"], case["input"], case["expected_output"]
            about = f"{file.name}: {case['description']}"
            done[kind, case["expected_failure"]] += 1
            if kind == "parse":
                assert purl_parts(given) == (None if case["expected_failure"] else parts(wanted)), about
            elif kind == "validate":  # to the canonical form: another spelling is the same package
                assert purl_parts(given) == (None if case["expected_failure"] else purl_parts(wanted)), about
            elif not case["expected_failure"]:  # what is built of parts is read as these parts
                read = purl_parts(wanted)
                assert read is not None, about
                assert read[2] == (given["version"] or ""), about
    assert done == {
        ("parse", False): 42,
        ("parse", True): 10,
        ("validate", False): 57,
        ("build", False): 40,
        ("build", True): 6,
    }
