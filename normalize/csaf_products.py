"""Which products of a CSAF document are affected, by the statuses of its vulnerabilities.

Clauses: CSAF 2.0 3.2.3.5 (flags) and 3.2.3.9 (product status). Products by id: normalize/csaf_tree.py.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Literal

import msgspec

from normalize import Affected, products, ranges
from normalize.csaf_tree import NO_PRODUCT, Tree
from normalize.lenient import Json, Parts

Status = Literal["affected", "fixed", "not-affected", "unknown"]
_STATUS: dict[str, Status] = {
    "known_affected": "affected",
    "first_affected": "affected",
    "last_affected": "affected",
    "under_investigation": "unknown",
    "unknown": "unknown",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "recommended": "fixed",
    "known_not_affected": "not-affected",
}
_CONTRADICTION = "a product with contradicting statuses; the graver stands (CSAF 6.1.6)"
_Key = tuple[str, ...]
GRAVITY: dict[Status, int] = {"not-affected": 0, "fixed": 1, "unknown": 2, "affected": 3}


def affected(tree: Tree, vulnerabilities: list[tuple[Json, str]], parts: Parts) -> tuple[Affected, ...]:
    """Every product of every vulnerability with its gravest status, each once, in the order of the tree."""
    found: dict[_Key, Affected] = {}
    said: dict[_Key, set[int]] = {}
    for index, (vulnerability, path) in enumerate(vulnerabilities):
        statuses = parts.object(vulnerability, "product_status", path)
        _contradictions(statuses, path, parts)
        bounds = _bounds(statuses, tree)
        for identifier, key, where in _stated(vulnerability, path, statuses, tree, parts):
            status = _STATUS[key]
            stated = tree.resolve(identifier)
            if not stated:
                parts.note(NO_PRODUCT, where)
            if key in ("first_affected", "last_affected"):
                stated = [bounds.get((product.vendor, product.product), product) for product in stated]
            if status in ("affected", "unknown"):
                stated += tree.platforms(identifier)
            for product in stated:
                name = (product.vendor, product.product, product.versions, product.cpe or "", product.purl or "")
                known = found.get(name)
                if known is None or GRAVITY[status] > GRAVITY[known.status]:
                    found[name] = msgspec.structs.replace(product, status=status)
                said.setdefault(name, set()).add(index)
    return certain(found, said)


def _contradictions(statuses: Json, path: str, parts: Parts) -> None:
    """CSAF 2.0 6.1.6: affected and fixed, for one. The graver stands; that it is not sure is noted."""
    said: dict[str, Status] = {}
    for key, status in _STATUS.items():
        listed = statuses.get(key) if key != "recommended" else None  # which may be of any status
        for identifier in listed if isinstance(listed, list) else ():
            if isinstance(identifier, str) and said.setdefault(identifier, status) != status:
                parts.note(_CONTRADICTION, f"{path}/product_status/{key}")


def _stated(vulnerability: Json, path: str, statuses: Json, tree: Tree, parts: Parts) -> Iterator[tuple[str, str, str]]:
    """Product id, status, and where it stands. A flag says why a product is not affected: it is not."""
    for key in _STATUS:
        for identifier in parts.texts(statuses, key, f"{path}/product_status"):
            yield identifier, key, f"{path}/product_status/{key}"
    for flag, where in parts.objects(vulnerability, "flags", path):
        for identifier in tree.listed(flag, where, parts):
            yield identifier, "known_not_affected", where


def certain(found: Mapping[_Key, Affected], said: Mapping[_Key, Set[int | str]]) -> tuple[Affected, ...]:
    """Without what is safe only as far as some of the vulnerabilities go; `said`: of which each speaks.

    7.2.5 may be fixed for one and affected for another: a safe entry stays where it speaks for every vulnerability
    of which the product is said to suffer.
    """
    suffers: dict[tuple[str, str], set[int | str]] = {}
    for name, product in found.items():
        if product.status in ("affected", "unknown"):
            suffers.setdefault(products.name_key(product.vendor, product.product), set()).update(said[name])
    return tuple(
        product
        for name, product in found.items()
        if product.status in ("affected", "unknown")
        or suffers.get(products.name_key(product.vendor, product.product), set()) <= said[name]
    )


def _bounds(statuses: Json, tree: Tree) -> dict[tuple[str, str], Affected]:
    """Products whose last affected version is given, and perhaps the first: a range instead of a version.

    Of a first one alone the end is open, and of several it is not said which belong together: no exact reading, so
    *possibly affected*.
    """
    ends: dict[tuple[str, str], dict[str, list[Affected]]] = {}
    for key in ("first_affected", "last_affected"):
        listed = statuses.get(key)
        for identifier in listed if isinstance(listed, list) else ():
            if isinstance(identifier, str) and identifier in tree.products:
                stated = tree.products[identifier].stated
                ends.setdefault((stated.vendor, stated.product), {}).setdefault(key, []).append(stated)
    made: dict[tuple[str, str], Affected] = {}
    for names, pair in ends.items():
        first, last = pair.get("first_affected", []), pair.get("last_affected", [])
        text = "|".join([*(f">={a.versions}" for a in first[:1]), *(f"<={a.versions}" for a in last[:1])])
        versions = [a.versions for a in (*first, *last)]
        whole = len(first) <= 1 and len(last) == 1 and all(versions)
        shown = text if whole else ", ".join(filter(None, versions))
        made[names] = Affected(*names, versions=shown, ranges=ranges.read(text) if whole else ())
    return made
