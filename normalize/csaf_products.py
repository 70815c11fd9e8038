"""The product tree of a CSAF document, and which of its products are affected.

Branches nest vendor > family > name > version in any order and with wrong categories; products also stand in flat
lists and in relationships, and are named by groups. Clause: CSAF 2.0 3.1.2, 3.2.2, 3.2.3.5, 3.2.3.9.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from normalize import Affected, products, ranges
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
_Key = tuple[str, ...]
_GRAVITY: dict[Status, int] = {"not-affected": 0, "fixed": 1, "unknown": 2, "affected": 3}
_NAMES = ("product_name", "product", "product_family")
"""Categories that name a product, the best first (`product` is none of CSAF's, and is met)."""
_VERSIONS = ("product_version", "product_version_range")
_DEEPER = ("service_pack", "patch_level")
_COMPONENT = frozenset({"default_component_of", "optional_component_of"})
_SPLIT_NAME = re.compile(r"^(.*[A-Za-z)].*?)[ /](?:version |v)?((?:[<>=]=?)?\s*\d++(?:\.\d++)++\S*+)$", re.IGNORECASE)
_LONGEST_NAME = 300
"""A longer one is not split: that takes time with the square of its length."""
_PLAIN_PACKAGES = frozenset({"pkg:rpm", "pkg:deb", "pkg:apk", "pkg:oci"})
"""Package types whose namespace is the distribution, not a part of the name."""
_DEEPEST = 40
_MISSING = "a product id that the product tree does not have"


class _Product(NamedTuple):
    """A product of the tree: as it is stated, and the platform it is a component of."""

    stated: Affected
    platform: str = ""


class Tree:
    """The products of a document by id, and its groups of them."""

    def __init__(self, root: Json, document: Json, parts: Parts) -> None:
        tree = parts.object(root, "product_tree")
        publisher = document.get("publisher")
        maker = ""
        if isinstance(publisher, dict) and publisher.get("category") == "vendor":
            maker = parts.text(publisher, "name", "/document/publisher")
        self.products: dict[str, _Product] = {}
        for branch, path in parts.objects(tree, "branches", "/product_tree"):
            _branch(branch, path, {}, maker, self.products, parts)
        for full, path in parts.objects(tree, "full_product_names", "/product_tree"):
            _add(full, path, {}, maker, self.products, parts)
        for relation, path in parts.objects(tree, "relationships", "/product_tree"):
            _relation(relation, path, self.products, parts)
        self._groups: dict[str, list[str]] = {}
        for group, path in parts.objects(tree, "product_groups", "/product_tree"):
            identifier = parts.text(group, "group_id", path)
            if identifier in self._groups:
                parts.note("a group id that is defined twice", f"{path}/group_id")
            self._groups.setdefault(identifier, list(self._known(group, path, parts)))

    def listed(self, holder: Json, path: str, parts: Parts) -> list[str]:
        """The product ids that a flag or a remediation names, itself or by groups."""
        found = list(self._known(holder, path, parts))
        for group in parts.texts(holder, "group_ids", path):
            if group not in self._groups:
                parts.note("a group id that the product tree does not have", f"{path}/group_ids")
            found += self._groups.get(group, ())
        return list(dict.fromkeys(found))

    def _known(self, holder: Json, path: str, parts: Parts) -> Iterator[str]:
        for identifier in parts.texts(holder, "product_ids", path):
            if _resolve(identifier, self.products):
                yield identifier
            else:
                parts.note(_MISSING, f"{path}/product_ids")

    def names(self, identifiers: Iterable[str]) -> tuple[str, ...]:
        """What the products of these ids are called, without their versions."""
        known = (product.product for each in identifiers for product in _resolve(each, self.products))
        return tuple(dict.fromkeys(filter(None, known)))


def affected(tree: Tree, vulnerabilities: list[tuple[Json, str]], parts: Parts) -> tuple[Affected, ...]:
    """Every product of every vulnerability with its gravest status, each once, in the order of the tree."""
    found: dict[_Key, Affected] = {}
    said: dict[_Key, set[int]] = {}
    for index, (vulnerability, path) in enumerate(vulnerabilities):
        statuses = parts.object(vulnerability, "product_status", path)
        _contradictions(statuses, path, parts)
        bounds = _bounds(statuses, tree.products)
        for identifier, key, where in _stated(vulnerability, path, statuses, tree, parts):
            status = _STATUS[key]
            stated = _resolve(identifier, tree.products)
            if not stated:
                parts.note(_MISSING, where)
            if key in ("first_affected", "last_affected"):
                stated = [bounds.get((product.vendor, product.product), product) for product in stated]
            if status in ("affected", "unknown"):
                stated += _platforms(identifier, tree.products)
            for product in stated:
                name = (product.vendor, product.product, product.versions, product.cpe or "", product.purl or "")
                known = found.get(name)
                if known is None or _GRAVITY[status] > _GRAVITY[known.status]:
                    found[name] = msgspec.structs.replace(product, status=status)
                said.setdefault(name, set()).add(index)
    return _certain(found, said)


def _contradictions(statuses: Json, path: str, parts: Parts) -> None:
    """CSAF 2.0 6.1.6: affected and fixed, for one. The graver stands; that it is not sure is noted."""
    said: dict[str, Status] = {}
    for key, status in _STATUS.items():
        listed = statuses.get(key) if key != "recommended" else None  # which may be of any status
        for identifier in listed if isinstance(listed, list) else ():
            if isinstance(identifier, str) and said.setdefault(identifier, status) != status:
                parts.note("a product with contradicting statuses; the graver stands", f"{path}/product_status/{key}")


def _stated(vulnerability: Json, path: str, statuses: Json, tree: Tree, parts: Parts) -> Iterator[tuple[str, str, str]]:
    """Product id, status, and where it stands. A flag says why a product is not affected: it is not."""
    for key in _STATUS:
        for identifier in parts.texts(statuses, key, f"{path}/product_status"):
            yield identifier, key, f"{path}/product_status/{key}"
    for flag, where in parts.objects(vulnerability, "flags", path):
        for identifier in tree.listed(flag, where, parts):
            yield identifier, "known_not_affected", where


def _certain(found: dict[_Key, Affected], said: dict[_Key, set[int]]) -> tuple[Affected, ...]:
    """Without what is safe only as far as some of the vulnerabilities go.

    7.2.5 may be fixed for one and affected for another: a safe entry stays where it speaks for every vulnerability
    of which the product is said to suffer.
    """
    suffers: dict[tuple[str, str], set[int]] = {}
    for name, product in found.items():
        if product.status in ("affected", "unknown"):
            suffers.setdefault(products.name_key(product.vendor, product.product), set()).update(said[name])
    return tuple(
        product
        for name, product in found.items()
        if product.status in ("affected", "unknown")
        or suffers.get(products.name_key(product.vendor, product.product), set()) <= said[name]
    )


def _bounds(statuses: Json, tree: dict[str, _Product]) -> dict[tuple[str, str], Affected]:
    """Products whose last affected version is given, and perhaps the first: a range instead of a version.

    Of a first one alone the end is open, and of several it is not said which belong together: no exact reading, so
    *possibly affected*.
    """
    ends: dict[tuple[str, str], dict[str, list[Affected]]] = {}
    for key in ("first_affected", "last_affected"):
        listed = statuses.get(key)
        for identifier in listed if isinstance(listed, list) else ():
            if isinstance(identifier, str) and identifier in tree:
                stated = tree[identifier].stated
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


def _resolve(identifier: str, tree: dict[str, _Product]) -> list[Affected]:
    """The product of an id; of an id that is a name with versions, when the tree has a product of that name."""
    known = tree.get(identifier)
    if known is not None:
        return [known.stated]
    for product in {entry.stated.product: entry.stated for entry in tree.values()}.values():
        rest = identifier.removeprefix(product.product)
        if product.product and rest != identifier and rest[:1] in ("", " ", "/", "-", ":"):
            text = rest.strip(" /-:")
            return [Affected(product.vendor, product.product, text, ranges.read(text))]
    return []


def _platforms(identifier: str, tree: dict[str, _Product]) -> list[Affected]:
    """What a component is part of, and what that is part of."""
    found: list[Affected] = []
    for _ in range(_DEEPEST):
        known = tree.get(identifier)
        if known is None or not known.platform or known.platform not in tree:
            break
        identifier = known.platform
        found.append(tree[identifier].stated)
    return found


def _branch(
    branch: Json, path: str, above: dict[str, str], maker: str, found: dict[str, _Product], parts: Parts
) -> None:
    names = {**above, parts.text(branch, "category", path): parts.text(branch, "name", path)}
    if path.count("/branches/") > _DEEPEST:
        parts.note("branches nested too deeply", path)
        return
    if "product" in branch:
        _add(parts.object(branch, "product", path), f"{path}/product", names, maker, found, parts)
    for inner, where in parts.objects(branch, "branches", path):
        _branch(inner, where, names, maker, found, parts)


def _add(full: Json, path: str, names: dict[str, str], maker: str, found: dict[str, _Product], parts: Parts) -> None:
    identifier = parts.text(full, "product_id", path)
    if not identifier:
        parts.note("a product without an id", path)
        return
    helper = parts.object(full, "product_identification_helper", path)
    cpe, purl = _cpe(helper), _purl(helper)
    if helper.get("purl") and not purl:
        parts.note("not a purl", f"{path}/product_identification_helper/purl")
    vendor, product, text = _names(names, parts.text(full, "name", path), cpe, purl)
    stated = Affected(vendor or maker, product, text, ranges.read(text, product), cpe=cpe or None, purl=purl or None)
    if identifier in found:
        parts.note("a product id that is defined twice; the first stands", f"{path}/product_id")
    found.setdefault(identifier, _Product(stated))


def _names(names: dict[str, str], full: str, cpe: str, purl: str) -> tuple[str, str, str]:
    """Vendor, product and versions as stated, from the branches; what they lack from CPE, purl or the full name."""
    vendor = names.get("vendor", "")
    product = next((names[name] for name in _NAMES if names.get(name)), "")
    text = " ".join(names[name] for name in (*_VERSIONS, *_DEEPER) if names.get(name))
    if product:
        shown = text.removeprefix(product).lstrip(" /") if text.startswith((product + " ", product + "/")) else text
        return vendor, product, shown
    packaged, listed = products.purl_parts(purl), products.cpe_parts(cpe)
    if packaged:
        name = packaged[1].rpartition("/")[2] if packaged[0] in _PLAIN_PACKAGES else packaged[1]
        return vendor, name, packaged[2]
    if listed and not text:
        return vendor or listed[0], listed[1], listed[2]
    if text:  # a version with no product above it: the name stands in its place
        return vendor, text, ""
    split = _SPLIT_NAME.match(full) if len(full) <= _LONGEST_NAME else None
    return (vendor, split[1], split[2].strip()) if split else (vendor, full, "")


def _cpe(helper: Json) -> str:
    value = helper.get("cpe")
    return value if isinstance(value, str) and products.cpe_parts(value) else ""


def _purl(helper: Json) -> str:
    """CSAF 2.0 `purl`, CSAF 2.1 `purls`."""
    several = helper.get("purls")
    values = [helper.get("purl"), *(several if isinstance(several, list) else ())]
    return next((value for value in values if isinstance(value, str) and products.purl_parts(value)), "")


def _relation(relation: Json, path: str, found: dict[str, _Product], parts: Parts) -> None:
    """`A as a component of B`: A is what is affected; B too, when A is a part of it."""
    full = parts.object(relation, "full_product_name", path)
    identifier = parts.text(full, "product_id", f"{path}/full_product_name")
    component = parts.text(relation, "product_reference", path)
    platform = parts.text(relation, "relates_to_product_reference", path)
    if not identifier or component not in found or platform not in found:
        parts.note("a relationship of products that are not in the tree", path)
        return
    within = platform if relation.get("category") in _COMPONENT else ""
    found.setdefault(identifier, _Product(found[component].stated, within))
