"""The NVD's match data: every name that it lists under a criterion is affected, and no other name of its product is.

Source: NVD API 2.0, cpematch (criteria with their bounds, and the names of the dictionary that they match).
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filtering.naming import installed
from filtering.software import pair, products_of
from normalize import cve_applicability
from normalize.lenient import Parts
from subscribers import Software

pytestmark = pytest.mark.corpus
KEYS = ("versionStartIncluding", "versionStartExcluding", "versionEndIncluding", "versionEndExcluding")


def criteria(corpus: Path) -> Iterator[dict[str, Any]]:
    """Every criterion with the names it matches."""
    for file in sorted((corpus / "cpe" / "nvd-cases" / "with-cpematch").glob("*-*-*-*-*.json")):
        yield json.loads(file.read_bytes())
    body = json.loads((corpus / "cpe" / "nvd-api-cpematch-3_items.json").read_bytes())
    yield from (each["matchString"] for each in body["matchStrings"])


def verdict(criterion: dict[str, Any], name: str) -> str:
    match = {key: criterion[key] for key in ("criteria", *KEYS) if key in criterion}
    statement = {"nodes": [{"operator": "OR", "cpeMatch": [{**match, "vulnerable": True}]}]}
    line = installed(Software(cpe=name))
    for product in products_of(cve_applicability.affected([(statement, "/0")], Parts())):
        if found := pair(product, line):
            return found[0]
    return "no"


def test_every_listed_name_is_affected_and_others_of_the_product_are_not(corpus: Path) -> None:
    """Eight are *possibly* so: see docs/matching.md. No answer is a contradiction."""
    every = list(criteria(corpus))
    listed, others = Counter[str](), Counter[str]()
    for one in every:
        mine = {each["cpeName"] for each in one.get("matches", ())}
        product = one["criteria"].split(":")[2:5]
        known = {each["cpeName"] for other in every for each in other.get("matches", ())}
        listed.update(verdict(one, name) for name in mine)
        others.update(verdict(one, name) for name in known - mine if name.split(":")[2:5] == product)
    assert len(every) == 15
    assert listed == {"exact": 299, "possible": 8}
    assert others == {"no": 374, "possible": 12}


def test_the_record_of_a_cve_holds_all_names_of_its_criteria(corpus: Path) -> None:
    folder = corpus / "cpe" / "nvd-cases" / "with-cpematch"
    record = json.loads((folder / "CVE-2024-20253.json").read_bytes())
    parts, answers = Parts(), Counter[str]()
    products = products_of(cve_applicability.affected(parts.objects(record, "configurations", ""), parts))
    assert parts.problems == []
    for config in record["configurations"]:
        for match in (each for node in config["nodes"] for each in node["cpeMatch"]):
            data = json.loads((folder / f"{match['matchCriteriaId']}.json").read_bytes())
            for name in (each["cpeName"] for each in data["matches"]):
                line = installed(Software(cpe=name))
                found = [met for product in products if (met := pair(product, line))]
                answers.update({str(each[0]) for each in found} or {"no"})
    assert answers == {"exact": 225, "possible": 7}
    fixed = installed(Software(cpe="cpe:2.3:a:cisco:unity_connection:14su3:*:*:*:*:*:*:*"))
    assert not any(pair(product, fixed) for product in products)
