"""The public cases of package-url/vers: every one agrees, but for those that docs/matching.md holds to be wrong."""

import json
from functools import cmp_to_key
from pathlib import Path
from typing import Any

import pytest

from normalize import ranges, schemes, versions

pytestmark = pytest.mark.corpus
COUNTS = {
    "lexicographic-test.json": 8,
    "maven_version_cmp_test.json": 977,
    "nginx_range_from_native_test.json": 4,
    "npm_range_containment_test.json": 1,
    "pypi_range_containment_test.json": 10,
    "pypi_range_from_native_test.json": 3,
}


def holds(kind: str, given: dict[str, Any], expected: Any) -> bool:
    """Does our answer to a case agree? Unsure is no agreement."""
    if kind == "containment":
        answers = [versions.within(given["version"], each) for each in ranges.read(given["vers"])]
        return bool(answers) and (True if True in answers else None if None in answers else False) is expected
    if kind == "from_native":
        meant = ranges.read(expected)
        read = ranges.read(given["native_range"], given["scheme"], schemes.scheme(given["scheme"]))
        return bool(read) and {each.constraints for each in read} == {each.constraints for each in meant}
    scheme = schemes.scheme(given["input_scheme"])
    listed: list[str] = given["versions"]

    def order(one: str, other: str) -> int:
        found = versions.compare(one, other, scheme)
        assert found is not None, (one, other)
        return found

    if kind == "equality":
        return (order(listed[0], listed[1]) == 0) is expected
    return bool(sorted(listed, key=cmp_to_key(order)) == expected)


@pytest.mark.parametrize("file", COUNTS)
def test_every_public_case_agrees(corpus: Path, file: str) -> None:
    cases = json.loads((corpus / "cpe" / "vers" / file).read_bytes())["tests"]
    wrong = [
        (case["input"], case["expected_output"])
        for case in cases
        if not holds(case["test_type"], case["input"], case["expected_output"])
    ]
    assert (wrong, len(cases)) == ([], COUNTS[file])


def test_no_suite_is_left_out(corpus: Path) -> None:
    assert {each.name for each in (corpus / "cpe" / "vers").glob("*test.json")} == set(COUNTS)
